"""People at work through single sign-on, the security team's scanner, and what they look at."""

from __future__ import annotations

from datetime import datetime, timedelta

from cloudtrail import Caller, Json, Trail, service_caller
from company import (
    AUDIT,
    GLOBAL,
    PAYMENT_SECRETS,
    PROD,
    REGION,
    SCANNER,
    SCANNER_ADDRESS,
    SECRETS,
    SHARED,
    Person,
    digest,
    sso_role,
    unique_id,
)
from fleet import Fleet

Read = tuple[str, str, Json | None]

ECS_READS: list[Read] = [
    ("ecs", "ListClusters", None),
    ("ecs", "DescribeClusters", {"clusters": ["shop"], "include": ["STATISTICS"]}),
    ("ecs", "ListServices", {"cluster": "shop"}),
    ("ecs", "DescribeServices", {"cluster": "shop", "services": ["checkout"]}),
    ("ecs", "ListTasks", {"cluster": "shop", "serviceName": "checkout", "desiredStatus": "RUNNING"}),
    ("ecs", "DescribeTaskDefinition", {"taskDefinition": "checkout", "include": ["TAGS"]}),
    ("elasticloadbalancing", "DescribeTargetHealth", {"targetGroupArn": "checkout"}),
    ("monitoring", "DescribeAlarms", {"maxRecords": 100}),
    ("logs", "DescribeLogGroups", {"logGroupNamePrefix": "/ecs/shop"}),
    ("logs", "FilterLogEvents", {"logGroupName": "/ecs/shop/checkout", "limit": 100}),
    ("ecr", "DescribeImages", {"repositoryName": "shop/checkout", "maxResults": 50}),
]
PLATFORM_READS: list[Read] = [
    ("ec2", "DescribeSecurityGroups", {"securityGroupSet": {}, "filterSet": {}}),
    ("ec2", "DescribeNetworkInterfaces", {"networkInterfaceIdSet": {}, "filterSet": {}}),
    ("ec2", "DescribeVpcs", {"vpcSet": {}, "filterSet": {}}),
    ("ec2", "DescribeFlowLogs", {"DescribeFlowLogsRequest": {}}),
    ("rds", "DescribeDBClusters", {"dBClusterIdentifier": "shop"}),
    ("rds", "DescribeDBInstances", {"maxRecords": 100}),
    ("kms", "ListAliases", {"limit": 100}),
    ("secretsmanager", "ListSecrets", {"maxResults": 20}),
    ("cloudtrail", "DescribeTrails", {"includeShadowTrails": True}),
    ("ce", "GetCostAndUsage", {"granularity": "DAILY"}),
]
AUDIT_READS: list[Read] = [
    ("iam", "ListRoles", {"maxItems": 100}),
    ("iam", "ListUsers", {"maxItems": 100}),
    ("iam", "GetAccountSummary", None),
    ("iam", "GetAccountPasswordPolicy", None),
    ("cloudtrail", "GetTrailStatus", {"name": "company-trail"}),
    ("cloudtrail", "DescribeTrails", {"includeShadowTrails": True}),
    ("config", "DescribeConfigurationRecorders", None),
    ("guardduty", "ListDetectors", {"maxResults": 50}),
    ("securityhub", "GetFindings", {"maxResults": 100}),
    ("secretsmanager", "ListSecrets", {"maxResults": 100}),
    ("kms", "ListKeys", {"limit": 100}),
    ("ec2", "DescribeFlowLogs", {"DescribeFlowLogsRequest": {}}),
    ("ec2", "DescribeSecurityGroups", {"securityGroupSet": {}, "filterSet": {}}),
    ("s3", "ListBuckets", {"Host": f"s3.{REGION}.amazonaws.com"}),
    ("s3", "GetBucketPolicy", {"bucketName": "example-company-cloudtrail"}),
    ("ecs", "ListTaskDefinitions", {"status": "ACTIVE"}),
    ("ecs", "DescribeClusters", {"clusters": ["shop"]}),
]


def sign_in(trail: Trail, at: datetime, person: Person, account: str = PROD) -> Caller:
    """A single sign-on to the console. Its ConsoleLogin says MFAUsed "No": the second factor was asked elsewhere."""
    role = sso_role(person.permission_set, account)
    provider = f"AWSSSO_{digest(account).hex()[:16]}_DO_NOT_DELETE"
    saml = {
        "type": "SAMLUser",
        "principalId": f"{digest(provider).hex()[:24]}:{person.email}",
        "userName": person.email,
        "identityProvider": digest(provider).hex()[:24],
    }
    session = trail.assume(
        at,
        Caller(saml, account, person.address, "aws-internal/3"),
        role,
        person.email,
        "AssumeRoleWithSAML",
        request={
            "principalArn": f"arn:aws:iam::{account}:saml-provider/{provider}",
            "sAMLAssertionID": f"_{trail.guid()}",
            "durationSeconds": 28800,
        },
        response={"subjectType": "persistent", "audience": "https://signin.aws.amazon.com/saml"},
        hours=8,
    )
    caller = session.caller(person.address, person.agent, console=True)
    identity = {k: v for k, v in caller.identity.items() if k != "accessKeyId"}
    trail.call(
        at + timedelta(seconds=3),
        Caller(identity, account, person.address, person.agent, secure=False),
        "signin",
        "ConsoleLogin",
        response={"ConsoleLogin": "Success"},
        readOnly=False,
        eventType="AwsConsoleSignIn",
        additionalEventData={"LoginTo": "https://console.aws.amazon.com/", "MobileVersion": "No", "MFAUsed": "No"},
    )
    return caller


def browse(trail: Trail, at: datetime, caller: Caller, menu: list[Read], pages: int, until: datetime) -> None:
    """Look around in the console: a page is a few reads at once, then a pause; nothing around noon."""
    for n in range(pages):
        page = at + (until - at) * (n / pages) + timedelta(seconds=trail.random.randrange(600))
        if page.hour == 12:
            continue
        first = trail.random.randrange(len(menu))
        for i in range(trail.random.randrange(2, 5)):
            service, name, request = menu[(first + i) % len(menu)]
            trail.call(page + timedelta(seconds=i), caller, service, name, request)


def work_day(trail: Trail, day: datetime, person: Person, menu: list[Read], pages: int, account: str = PROD) -> Caller:
    start = day + timedelta(hours=7, minutes=trail.random.randrange(35, 95))
    caller = sign_in(trail, start, person, account)
    browse(trail, start + timedelta(minutes=1), caller, menu, pages, day + timedelta(hours=16, minutes=30))
    return caller


def honest_refusals(trail: Trail, day: datetime, developer: Caller, fleet: Fleet) -> None:
    """A developer meets the limits of the role, asks a colleague, and goes on."""
    at = day + timedelta(hours=10, minutes=14, seconds=7)
    wanted = PAYMENT_SECRETS[0].arn
    trail.denied(at, developer, "secretsmanager", "GetSecretValue", wanted)
    trail.denied(at + timedelta(seconds=34), developer, "secretsmanager", "GetSecretValue", wanted)
    at += timedelta(hours=3, minutes=41)
    task = next(t for t in fleet.tasks if t.service and t.started <= at < t.stopped)
    trail.denied(at, developer, "ecs", "ExecuteCommand", task.arn)
    trail.denied(at + timedelta(minutes=6), developer, "iam", "GetRole", f"arn:aws:iam::{PROD}:role/checkout-task")
    own = SECRETS["shop/smtp"]
    trail.read_secret(at + timedelta(minutes=9), developer, own, by=own.name)


def stranger_at_the_door(trail: Trail, at: datetime) -> None:
    """Somebody on the internet tries a user name that does not exist: CloudTrail hides what was typed."""
    identity = {"type": "IAMUser", "accountId": PROD, "accessKeyId": "", "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    caller = Caller(identity, PROD, "203.0.113.199", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0.0.0")
    for n in range(2):
        record = trail.call(
            at + timedelta(seconds=17 * n),
            caller,
            "signin",
            "ConsoleLogin",
            response={"ConsoleLogin": "Failure"},
            readOnly=False,
            eventType="AwsConsoleSignIn",
            additionalEventData={"LoginTo": "https://console.aws.amazon.com/", "MobileVersion": "No", "MFAUsed": "No"},
        )
        record["errorMessage"] = "No username found in supplied account"


def scan(trail: Trail, at: datetime) -> None:
    """The security team's own scanner: lists everything in both accounts, the other one through an assumed role."""
    start = trail.assume(at, service_caller("lambda", SHARED), SCANNER, "posture-scanner", hours=12)
    agent = "Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1 os/linux exec-env/AWS_Lambda_python3.13"
    here = start.caller(SCANNER_ADDRESS, agent)
    there = trail.assume(
        at + timedelta(seconds=2),
        here,
        AUDIT,
        "posture-scanner",
        request={"externalId": unique_id("EXT", "posture"), "durationSeconds": 3600},
    ).caller(SCANNER_ADDRESS, agent)
    at += timedelta(seconds=4)
    for caller in (there, here):
        trail.call(at, caller, "sts", "GetCallerIdentity", region=GLOBAL)
        trail.call(at, caller, "iam", "GetAccountAuthorizationDetails", {"maxItems": 1000})
        for service, name, request in AUDIT_READS:
            at += timedelta(seconds=trail.random.randrange(0, 4))
            trail.call(at, caller, service, name, request)
