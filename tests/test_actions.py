"""What an event needs permission for: every mapping lands on an action there is, held against AWS's own reference."""

from __future__ import annotations

import re

import botocore.session
import pytest

from auditkit.identity.actions import actions_of, facts, has_alternatives, is_action, is_broad, is_data, is_silent
from auditkit.identity.reference import actions_of_service, resource_types, services, spelled, version

# The services that auditkit is about, by botocore's name, with the event source; and operations newer than the reference.
LIVED_IN = {
    "ecs": "ecs", "ecr": "ecr", "iam": "iam", "sts": "sts", "secretsmanager": "secretsmanager", "ssm": "ssm", "kms": "kms",
    "ec2": "ec2", "s3": "s3", "lambda": "lambda", "logs": "logs", "cloudtrail": "cloudtrail", "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing", "rds": "rds", "events": "events", "sns": "sns", "sqs": "sqs", "organizations": "organizations",
}  # fmt: skip
# Events as they are in real logs: of the sample company, of Stratus Red Team, and of AWS's documentation.
REAL = """
ecs:RegisterTaskDefinition ecs:RunTask ecs:ExecuteCommand ecs:UpdateService ecs:DescribeTasks ecs:SubmitTaskStateChange
ecr:PutImage ecr:BatchGetImage ecr:GetAuthorizationToken ecr:GetDownloadUrlForLayer
iam:CreateAccessKey iam:AttachUserPolicy iam:PutRolePolicy iam:GetAccountAuthorizationDetails iam:UpdateAssumeRolePolicy
sts:AssumeRole sts:GetFederationToken sts:DecodeAuthorizationMessage
secretsmanager:GetSecretValue secretsmanager:BatchGetSecretValue secretsmanager:PutResourcePolicy secretsmanager:ListSecrets
ssm:GetParameters ssm:GetParametersByPath ssm:StartSession ssm:SendCommand ssm:CreateDataChannel ssm:UpdateInstanceInformation
kms:Decrypt kms:GenerateDataKey kms:ReEncrypt kms:ScheduleKeyDeletion
ec2:RunInstances ec2:AuthorizeSecurityGroupIngress ec2:DescribeInstances ec2:DeleteFlowLogs ec2:GetPasswordData
s3:ListBuckets s3:GetBucketAcl s3:GetBucketVersioning s3:PutBucketLifecycle s3:PutBucketEncryption s3:DeleteObjects s3:HeadObject
s3:PutBucketPublicAccessBlock s3:PutAccountPublicAccessBlock s3:GetBucketLogging s3:ListObjectsV2 s3:UploadPart s3:PutBucketReplication
lambda:GetFunction20150331v2 lambda:CreateFunction20150331 lambda:UpdateFunctionConfiguration20150331v2 lambda:Invoke
lambda:AddPermission20150331v2 lambda:ListTags20170331 lambda:PublishLayerVersion20181031 lambda:UpdateFunctionCode20150331v2
logs:CreateLogStream logs:FilterLogEvents logs:DeleteLogGroup logs:DescribeLogGroups logs:StartQuery
cloudtrail:StopLogging cloudtrail:PutEventSelectors cloudtrail:LookupEvents cloudtrail:DeleteTrail
elasticloadbalancing:RegisterTargets elasticloadbalancing:DescribeTargetHealth elasticloadbalancing:CreateRule
rds:ModifyDBSnapshotAttribute rds:DescribeDBClusters rds:CreateDBSnapshot
"""


@pytest.mark.parametrize("event", REAL.split())
def test_a_real_event_lands_on_an_action_there_is(event: str) -> None:
    service, _, name = event.partition(":")
    needed = actions_of(f"{service}.amazonaws.com", name)
    assert needed.certainty == "known"
    assert needed.actions
    for action in needed.actions:
        assert action in actions_of_service(action.partition(":")[0])


@pytest.mark.parametrize("operations", LIVED_IN)
def test_nearly_every_operation_of_the_services_we_live_in_lands_on_an_action(operations: str) -> None:
    """What is left is newer than the reference, or older than IAM; a renamed family of calls would be more than that."""
    names = botocore.session.get_session().get_service_model(operations).operation_names
    guessed = [n for n in names if actions_of(f"{LIVED_IN[operations]}.amazonaws.com", n).certainty == "guessed"]
    assert len(guessed) <= 0.15 * len(names), guessed


def test_every_action_of_the_data_file_is_one_as_aws_writes_it() -> None:
    mapped = [action for names in facts()["events"].values() for actions in names.values() for action in actions]
    mapped += [action for name, others in facts()["beside"].items() for action in (name, *others)]
    assert [action for action in mapped if spelled(action) != action] == []


@pytest.mark.parametrize("section", ["data", "silent", "broad", "alternatives"])
def test_every_pattern_of_the_data_file_means_an_action(section: str) -> None:
    for pattern in facts()[section]["actions"]:
        meant = re.compile(re.escape(pattern).replace(r"\*", ".*"))
        assert any(map(meant.fullmatch, actions_of_service(pattern.partition(":")[0]))), pattern


def test_every_prefix_of_the_data_file_is_a_service() -> None:
    named = {*facts()["prefixes"].values(), *facts()["names"], *facts()["untold"]}
    assert named - services() == set()


@pytest.mark.parametrize(
    ("prefix", "key", "template"),
    [(p, key, text) for p, names in facts()["names"].items() for key, listed in names.items() for text in listed],
)
def test_every_arn_of_the_data_file_is_a_resource_of_its_service(prefix: str, key: str, template: str) -> None:
    name = {"aliasName": "alias/x", "key": "bucket/key"}.get(key, "x")
    arn = template.format(partition="aws", region="eu-central-1", account="111122223333", name=name, cluster="shop")
    kinds = {kind for action in actions_of_service(prefix) for kind in resource_types(action)}
    assert any(kind.matches(arn) for kind in kinds)


@pytest.mark.parametrize(
    ("source", "name", "actions", "certainty"),
    [
        ("monitoring.amazonaws.com", "PutMetricAlarm", ("cloudwatch:PutMetricAlarm",), "known"),
        ("email.amazonaws.com", "SendEmail", ("ses:SendEmail",), "known"),
        ("tagging.amazonaws.com", "GetResources", ("tag:GetResources",), "known"),
        ("cloudfront.amazonaws.com", "CreateDistribution2020_05_31", ("cloudfront:CreateDistribution",), "known"),
        ("ec2.amazonaws.com.cn", "RunInstances", ("ec2:RunInstances",), "known"),
        ("s3.amazonaws.com", "DeleteBucketLifecycle", ("s3:PutLifecycleConfiguration",), "known"),
        ("s3.amazonaws.com", "GetBucketCors", ("s3:GetBucketCORS",), "known"),  # as AWS spells it
        ("s3.amazonaws.com", "CopyObject", ("s3:GetObject", "s3:PutObject"), "known"),
        ("kms.amazonaws.com", "ReEncrypt", ("kms:ReEncryptFrom", "kms:ReEncryptTo"), "known"),
        ("ssmmessages.amazonaws.com", "OpenDataChannel", ("ssmmessages:OpenDataChannel",), "known"),
        ("signin.amazonaws.com", "SwitchRole", ("sts:AssumeRole",), "known"),
        ("sts.amazonaws.com", "GetCallerIdentity", (), "free"),
        ("sts.amazonaws.com", "AssumeRoleWithSAML", (), "free"),
        ("signin.amazonaws.com", "ConsoleLogin", (), "free"),
        ("apigateway.amazonaws.com", "CreateRestApi", (), "untold"),
        ("dynamodb.amazonaws.com", "ExecuteStatement", (), "untold"),
        ("ecs.amazonaws.com", "MakeCoffee", ("ecs:MakeCoffee",), "guessed"),
        ("coffee.amazonaws.com", "MakeCoffee", ("coffee:MakeCoffee",), "guessed"),
        ("../../x.amazonaws.com", "RunTask", (), "untold"),
        ("ecs.amazonaws.com", "Run*", (), "untold"),
        ("ecs.amazonaws.com", '"},{"Action":"*', (), "untold"),
        (None, None, (), "untold"),
    ],
)
def test_exceptions(source: str | None, name: str | None, actions: tuple[str, ...], certainty: str) -> None:
    needed = actions_of(source, name)
    assert (needed.actions, needed.certainty) == (actions, certainty)
    assert bool(needed.why) is (certainty == "untold")


def test_what_cloudtrail_tells_of_an_action() -> None:
    assert [is_data("s3:GetObject"), is_data("s3:GetBucketAcl"), is_data("lambda:InvokeFunction")] == [
        True,
        False,
        True,
    ]
    assert [is_silent("logs:PutLogEvents"), is_silent("logs:CreateLogStream"), is_silent("iam:PassRole")] == [
        True,
        False,
        True,
    ]
    assert [is_broad("ecs:ListTasks"), is_broad("ecs:RunTask")] == [True, False]
    assert [has_alternatives("bedrock:InvokeModel"), has_alternatives("ec2:RunInstances")] == [True, False]


@pytest.mark.parametrize(
    ("text", "fits"), [("ecs:RunTask", True), ("ecs:*", False), ("ecs:", False), ("*", False), ("ecs:Run Task", False)]
)
def test_an_action_has_no_wildcards(text: str, fits: bool) -> None:
    assert is_action(text) is fits


def test_the_reference_is_asked_for_what_there_is() -> None:
    assert spelled("ECS:runtask") == "ecs:RunTask"
    assert [spelled("ecs:RunTasks"), spelled("../ecs:RunTask"), spelled("ecs"), spelled("")] == [None] * 4
    assert actions_of_service("../actions/ecs") == ()
    assert resource_types("ec2:DescribeInstances") == ()
    assert [kind.name for kind in resource_types("ecs:ExecuteCommand")] == ["cluster", "task"]
    assert re.fullmatch(r"[A-Z][a-z]+ 20[0-9]{2}", version())


def test_a_resource_type_knows_its_own() -> None:
    bucket, thing = (
        resource_types("s3:CreateBucket")[0],
        next(k for k in resource_types("s3:GetObject") if k.name == "object"),
    )
    assert bucket.matches("arn:aws:s3:::logs")
    assert not bucket.matches("arn:aws:s3:::logs/a.gz")
    assert thing.matches("arn:aws:s3:::logs/a/b.gz")
    assert thing.any_of(partition="aws", region="", account="") == "arn:aws:s3:::*/*"
    (definition,) = resource_types("ecs:RunTask")
    assert definition.any_of(partition="aws", region="eu-west-1", account="111122223333") == (
        "arn:aws:ecs:eu-west-1:111122223333:task-definition/*:*"
    )
