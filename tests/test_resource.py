"""What an event acted on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from auditkit.logs.resource import resources

NULL = Raw(b"null")
SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-AbCdEf"
ROLE = "arn:aws:iam::111122223333:role/task"


def of(service: str, *, listed: Any = None, request: Any = None, message: str | None = None) -> str | None:
    [found] = resources([service], [NULL if listed is None else raw(listed)], [raw(request)], [message], null=NULL)
    return found


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def test_listed_resources_come_first() -> None:
    assert of("sts", listed=[{"accountId": "1"}, {"ARN": ROLE}], request={"roleArn": "other"}) == ROLE


def test_a_list_of_names_gives_its_first_arn_else_its_first_name() -> None:
    """Event history names things by id, name and ARN, in no order."""
    key, role = {"resourceName": "ASIAEXAMPLE"}, {"resourceType": "AWS::IAM::Role", "resourceName": ROLE}
    assert of("sts", listed=[key, role]) == ROLE
    assert of("sts", listed=[{"resourceType": "AWS::IAM::User"}, {"resourceName": "bob"}, key]) == "bob"


@pytest.mark.parametrize(
    ("service", "request_parameters", "expected"),
    [
        ("secretsmanager", {"secretId": SECRET}, SECRET),
        ("secretsmanager", {"secretId": "prod/db"}, "prod/db"),
        ("iam", {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess", "userName": "bob"}, "bob"),
        ("iam", {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess", "roleName": "task"}, "task"),
        ("sts", {"roleArn": ROLE, "roleSessionName": "s"}, ROLE),
        ("ecs", {"cluster": "shop", "service": "checkout"}, "checkout"),
        ("ecs", {"cluster": "shop", "task": "t-1", "command": "/bin/sh"}, "t-1"),
        ("ecs", {"family": "checkout", "taskRoleArn": ROLE}, "checkout"),
        ("ec2", {"groupId": "sg-1", "ipPermissions": {"items": []}}, "sg-1"),
        ("ec2", {"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}}, "i-1"),
        ("ec2", {"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": "fl-1"}}}, "fl-1"),
        ("ssm", {"names": ["/a", "/b"], "withDecryption": True}, "/a"),
        ("states", {"input": {"deep": [{"stateMachine": "arn:aws:states:eu-central-1:111122223333:stateMachine:m"}]}},
         "arn:aws:states:eu-central-1:111122223333:stateMachine:m"),
        ("states", {"name": "no arn anywhere"}, None),
        ("secretsmanager", "HIDDEN_DUE_TO_SECURITY_REASONS", None),
        ("secretsmanager", None, None),
    ],
)  # fmt: skip
def test_the_request_names_it(service: str, request_parameters: Any, expected: str | None) -> None:
    assert of(service, request=request_parameters) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (f"User: u is not authorized to perform: secretsmanager:GetSecretValue on resource: {SECRET} because no identity-based policy allows it", SECRET),
        (f"User: u is not authorized to perform: sts:AssumeRole on resource: {ROLE}", ROLE),
        (f"User: u is not authorized to perform: sts:AssumeRole on resource: {ROLE}.", ROLE),
        ("User: u is not authorized to perform: ecs:ListClusters on resource: * because no policy", None),
        ("User: u is not authorized to perform: iam:CreateAccessKey on resource: user bob because no policy allows it", "bob"),
        ("User: u is not authorized to perform: iam:GetUser on resource: user because no policy allows it", "user"),
        ("Rate exceeded", None),
    ],
)  # fmt: skip
def test_a_denial_without_request_names_it_in_its_text(message: str, expected: str | None) -> None:
    assert of("secretsmanager", request=None, message=message) == expected


def test_redacted_resources_are_stepped_over() -> None:
    assert of("sts", listed="***", request={"roleArn": ROLE}) == ROLE


def test_one_redacted_request_does_not_hide_the_others() -> None:
    requests = [raw({"secretId": "a"}), raw("HIDDEN_DUE_TO_SECURITY_REASONS"), NULL, raw({"secretId": "b"})]
    services = ["secretsmanager"] * 4
    assert resources(services, [NULL] * 4, requests, [None] * 4, null=NULL) == ["a", None, None, "b"]


def test_events_of_several_services_keep_their_order() -> None:
    requests = [raw({"secretId": "a"}), raw({"roleArn": ROLE}), raw({"secretId": "b"}), NULL]
    messages = [None, None, None, "on resource: x"]
    assert resources(["secretsmanager", "sts", "secretsmanager", None], [NULL] * 4, requests, messages, null=NULL) == [
        "a",
        ROLE,
        "b",
        "x",
    ]
