"""On which ARNs a call needed its action: everything it named stands for itself, and `*` only where nothing is known."""

from __future__ import annotations

from typing import Any

import pytest

from auditkit.identity.arns import resources_of
from auditkit.identity.calls import calls_of
from tests.calls import ACCOUNT, REGION, call, used

HERE = f"{REGION}:{ACCOUNT}"


def arns(event: str, *named: tuple[str, str], action: str | None = None, **more: Any) -> list[str]:
    (one,) = calls_of(used(call(event, *named, **more)))
    return sorted(resources_of(action or event, one).arns)


@pytest.mark.parametrize(
    ("event", "named", "expected"),
    [
        ("secretsmanager:GetSecretValue", [("secretId", "prod/db")], [f"arn:aws:secretsmanager:{HERE}:secret:prod/db-??????"]),
        (
            "secretsmanager:GetSecretValue",
            [("request", f"arn:aws:secretsmanager:{HERE}:secret:prod/db-a1B2c3")],
            [f"arn:aws:secretsmanager:{HERE}:secret:prod/db-a1B2c3"],
        ),
        (  # an ARN without the six characters, or with six that look like a word: both may be meant
            "secretsmanager:GetSecretValue",
            [("request", f"arn:aws:secretsmanager:{HERE}:secret:db-master")],
            [f"arn:aws:secretsmanager:{HERE}:secret:db-master", f"arn:aws:secretsmanager:{HERE}:secret:db-master-??????"],
        ),
        ("secretsmanager:ListSecrets", [], ["*"]),
        ("secretsmanager:BatchGetSecretValue", [("secretIdList", "prod/db")], ["*"]),
        ("iam:GetRole", [("roleName", "web")], [f"arn:aws:iam::{ACCOUNT}:role/*/web", f"arn:aws:iam::{ACCOUNT}:role/web"]),
        (  # the policy is a condition of the action, and no resource of it
            "iam:AttachRolePolicy",
            [("request", "arn:aws:iam::aws:policy/AdministratorAccess"), ("resources", f"arn:aws:iam::{ACCOUNT}:role/p/web")],
            [f"arn:aws:iam::{ACCOUNT}:role/p/web"],
        ),
        ("ecs:DescribeServices", [("cluster", "shop"), ("services", "a"), ("services", "b")], [f"arn:aws:ecs:{HERE}:service/shop/a", f"arn:aws:ecs:{HERE}:service/shop/b"]),
        ("ecs:RunTask", [("cluster", "shop"), ("taskDefinition", "web:7")], [f"arn:aws:ecs:{HERE}:task-definition/web:*"]),
        ("ecs:RunTask", [("request", f"arn:aws:ecs:{HERE}:task-definition/web:7")], [f"arn:aws:ecs:{HERE}:task-definition/web:*"]),
        ("ecs:ExecuteCommand", [("task", "0a1b")], [f"arn:aws:ecs:{HERE}:cluster/shop", f"arn:aws:ecs:{HERE}:task/shop/*"]),
        ("ecs:ListTasks", [("cluster", "shop")], ["*"]),
        ("ecr:PutImage", [("repositoryName", "shop/web")], [f"arn:aws:ecr:{HERE}:repository/shop/web"]),
        ("ssm:GetParameter", [("name", "/shop/db")], [f"arn:aws:ssm:{HERE}:parameter/shop/db"]),
        ("ssm:GetParametersByPath", [("path", "/shop/")], [f"arn:aws:ssm:{HERE}:parameter/shop", f"arn:aws:ssm:{HERE}:parameter/shop/*"]),
        ("ssm:StartSession", [("target", "ecs:shop_0a1b2c3d4e5f60718293a4b5c6d7e8f9_1234-5")], [f"arn:aws:ecs:{HERE}:task/shop/*"]),
        ("s3:GetObject", [("bucketName", "logs"), ("key", "logs/a/b.gz")], ["arn:aws:s3:::logs/a/b.gz"]),
        ("s3:ListBucket", [("bucketName", "logs"), ("resources", "arn:aws:s3:::logs/a/b.gz")], ["arn:aws:s3:::logs"]),
        ("ec2:StopInstances", [("id", "i-0a1b2c3d4e5f60718")], [f"arn:aws:ec2:{HERE}:instance/i-0a1b2c3d4e5f60718"]),
        ("ec2:DescribeInstances", [("id", "i-0a1b2c3d4e5f60718")], ["*"]),
        ("kms:Decrypt", [("resources", f"arn:aws:kms:{HERE}:key/k")], [f"arn:aws:kms:{HERE}:key/k"]),
        ("kms:Decrypt", [("keyId", "alias/app")], [f"arn:aws:kms:{HERE}:key/*"]),
        ("sqs:SendMessage", [("queueUrl", f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/jobs")], [f"arn:aws:sqs:{HERE}:jobs"]),
        (
            "logs:FilterLogEvents",
            [("request", f"arn:aws:logs:{HERE}:log-group:/app:*")],
            [f"arn:aws:logs:{HERE}:log-group:/app", f"arn:aws:logs:{HERE}:log-group:/app:*", f"arn:aws:logs:{HERE}:log-group:/app:log-stream:*"],
        ),
        ("logs:CreateLogStream", [("logGroupName", "/app")], [f"arn:aws:logs:{HERE}:log-group:/app:log-stream:*"]),
        ("dynamodb:GetItem", [("tableName", "carts")], [f"arn:aws:dynamodb:{HERE}:table/carts"]),
        ("states:StartExecution", [("request", f"arn:aws:states:{HERE}:stateMachine:x")], [f"arn:aws:states:{HERE}:stateMachine:x"]),
        ("ecs:MakeCoffee", [("cluster", "shop")], ["*"]),
    ],
)  # fmt: skip
def test_what_a_call_named(event: str, named: list[tuple[str, str]], expected: list[str]) -> None:
    assert arns(event, *named) == expected


def test_every_resource_that_is_asked_about_is_there() -> None:
    """RunInstances is asked on the image, and on the instance that is not there yet."""
    found = arns("ec2:RunInstances", ("id", "ami-0a1b2c3d"), ("id", "subnet-0a1b2c3d"))
    assert f"arn:aws:ec2:{REGION}::image/ami-0a1b2c3d" in found
    assert f"arn:aws:ec2:{HERE}:subnet/subnet-0a1b2c3d" in found
    assert f"arn:aws:ec2:{HERE}:instance/*" in found
    assert f"arn:aws:ec2:{HERE}:network-interface/*" in found


def test_of_alternatives_one_is_enough() -> None:
    assert arns("bedrock:InvokeModel", ("request", f"arn:aws:bedrock:{REGION}::foundation-model/m")) == [
        f"arn:aws:bedrock:{REGION}::foundation-model/m"
    ]
    assert arns("bedrock:InvokeModel") == ["*"]


def test_a_user_that_is_not_named_is_the_caller() -> None:
    alice = f"arn:aws:iam::{ACCOUNT}:user/staff/alice"
    assert arns("iam:CreateAccessKey", principal_arn=alice) == [alice]
    assert arns("iam:CreateAccessKey") == [f"arn:aws:iam::{ACCOUNT}:user/*"]  # a role is no user


def test_a_name_of_iam_is_the_arn_that_is_known() -> None:
    (one,) = calls_of(used(call("iam:GetRole", ("roleName", "web"))))
    known = [
        f"arn:aws:iam::{ACCOUNT}:role/team/web",
        f"arn:aws:iam::{ACCOUNT}:role/web2",
        "arn:aws:iam::444455556666:role/web",
    ]
    assert resources_of("iam:GetRole", one, known).arns == {known[0]}


@pytest.mark.parametrize("name", ["*", "prod/*", "a?b", "${aws:username}", '"', "é", "a\nb"])
def test_a_name_is_no_wildcard(name: str) -> None:
    (arn,) = arns("secretsmanager:GetSecretValue", ("secretId", name))
    tail = arn.removeprefix(f"arn:aws:secretsmanager:{HERE}:secret:").removesuffix("-??????")
    assert "*" not in tail.replace("${*}", "")
    assert tail != ""
    assert tail.isascii()
    assert "${aws" not in tail


def test_another_partition_is_that_of_the_principal() -> None:
    principal = f"arn:aws-cn:iam::{ACCOUNT}:role/app"
    assert arns("ecs:DescribeClusters", ("clusters", "shop"), principal_arn=principal, aws_region="cn-north-1") == [
        f"arn:aws-cn:ecs:cn-north-1:{ACCOUNT}:cluster/shop"
    ]
