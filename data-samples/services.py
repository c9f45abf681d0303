"""What AWS services, an old instance and the old cron job do day and night without anybody looking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from cloudtrail import Caller, Json, Trail, linked_caller, service_caller, user_caller
from company import (
    BATCH,
    BATCH_INSTANCE,
    CONFIG,
    CRON_HOST,
    ECS_SERVICE,
    END,
    FIRST_DAY,
    LEGACY,
    LEGACY_KEY,
    LOG_BUCKET,
    NAT_ADDRESS,
    PROD,
    REGION,
    SCALING,
    SECRETS,
    SHARED,
    Role,
)
from fleet import TARGET_GROUP

RECORDED: list[tuple[str, str, Json | None]] = [
    ("ec2", "DescribeSecurityGroups", {"securityGroupSet": {}, "filterSet": {}}),
    ("ec2", "DescribeNetworkInterfaces", {"networkInterfaceIdSet": {}, "filterSet": {}}),
    ("ec2", "DescribeRouteTables", {"routeTableIdSet": {}, "filterSet": {}}),
    ("ec2", "DescribeFlowLogs", {"DescribeFlowLogsRequest": {}}),
    ("ecs", "ListClusters", None),
    ("ecs", "DescribeClusters", {"clusters": ["shop"]}),
    ("iam", "ListRoles", None),
    ("iam", "ListUsers", None),
    ("kms", "ListKeys", None),
    ("rds", "DescribeDBClusters", None),
    ("secretsmanager", "ListSecrets", {"maxResults": 100}),
]
OLD_CLI = "aws-cli/1.18.147 Python/2.7.18 Linux/4.14.355-280.652.amzn2.x86_64 botocore/1.18.6"


def every(trail: Trail, minutes: int) -> Iterator[datetime]:
    """Moments of the two days, about *minutes* apart."""
    at = FIRST_DAY + timedelta(seconds=trail.random.randrange(60 * minutes))
    while at < END:
        yield at
        at += timedelta(seconds=60 * minutes + trail.random.randrange(-40, 41))


def background(trail: Trail) -> None:
    """AWS services at their rounds: scaling, health, configuration, the trail's bucket, database monitoring."""

    def round_of(role: Role, session: str) -> Callable[[datetime], Caller]:
        return lambda at: linked_caller(role, session, at - timedelta(minutes=at.minute % 15))

    scaler = round_of(SCALING, "AutoScaling-UpdateDesiredCapacity")
    scheduler = round_of(ECS_SERVICE, "ecs-service-scheduler")
    for at in every(trail, 20):
        described = {"cluster": "shop", "services": ["checkout"]}
        trail.call(at, scaler(at), "ecs", "DescribeServices", described)
        trail.call(at + timedelta(seconds=1), scaler(at), "monitoring", "DescribeAlarms", {"maxRecords": 50})
    for at in every(trail, 30):
        request = {"targetGroupArn": TARGET_GROUP}
        trail.call(at, scheduler(at), "elasticloadbalancing", "DescribeTargetHealth", request)
    for account in (PROD, SHARED):
        for at in every(trail, 420):
            recorder = linked_caller(CONFIG[account], "configLambdaExecution", at)
            for n, (service, name, request) in enumerate(RECORDED):
                trail.call(at + timedelta(seconds=n), recorder, service, name, request)
    for at in every(trail, 60):
        bucket = {"bucketName": LOG_BUCKET, "Host": f"{LOG_BUCKET}.s3.{REGION}.amazonaws.com", "acl": ""}
        about = [("AWS::S3::Bucket", f"arn:aws:s3:::{LOG_BUCKET}")]
        trail.call(at, service_caller("cloudtrail", SHARED), "s3", "GetBucketAcl", bucket, resources=about)
    for at in every(trail, 120):
        trail.assume(at, service_caller("monitoring.rds"), Role("rds-monitoring"), "RDSEnhancedMonitoring")


def batch_host(trail: Trail) -> None:
    """The one EC2 instance: its ECS agent and its SSM agent report home."""
    session = trail.assume(FIRST_DAY + timedelta(minutes=7), service_caller("ec2"), BATCH, BATCH_INSTANCE, hours=6)
    for at in every(trail, 360):
        session = trail.assume(at, service_caller("ec2"), BATCH, BATCH_INSTANCE, hours=6)
        agent = session.caller(
            NAT_ADDRESS, "Amazon ECS Agent - v1.99.1 (4a4b1b2) (linux) (+http://aws.amazon.com/ecs/)"
        )
        agent.identity["sessionContext"]["ec2RoleDelivery"] = "2.0"
        request = {"cluster": "batch", "containerInstance": BATCH_INSTANCE}
        for n in range(2):
            trail.call(at + timedelta(minutes=3 + 170 * n), agent, "ecs", "DiscoverPollEndpoint", request)
        for n in range(4):
            ping = {"instanceId": BATCH_INSTANCE, "agentStatus": "Active", "agentVersion": "3.3.2656.0"}
            reporter = agent.using("aws-sdk-go/1.55.5 (go1.23.8; linux; amd64) amazon-ssm-agent/3.3.2656.0")
            later = at + timedelta(minutes=11 + 85 * n)
            trail.call(later, reporter, "ssm", "UpdateInstanceInformation", ping, readOnly=False)


def nightly_cron(trail: Trail, day: datetime) -> None:
    """The old deploy user's key, still used each night by a cron job in the office: what it always does."""
    at = day + timedelta(hours=3, minutes=15, seconds=4)
    cron = user_caller(LEGACY, LEGACY_KEY, CRON_HOST, OLD_CLI)
    trail.call(at, cron, "s3", "ListBuckets", {"Host": f"s3.{REGION}.amazonaws.com"})
    trail.read_secret(at + timedelta(seconds=2), cron, SECRETS["legacy/backup-passphrase"])
    trail.call(at + timedelta(seconds=6), cron, "ecr", "GetAuthorizationToken")
    request = {"cluster": "shop", "services": ["checkout"]}
    trail.call(at + timedelta(seconds=9), cron, "ecs", "DescribeServices", request)
    trail.call(at + timedelta(seconds=11), cron, "rds", "DescribeDBClusterSnapshots", {"dBClusterIdentifier": "shop"})
