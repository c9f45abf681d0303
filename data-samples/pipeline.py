"""What infrastructure as code does: GitHub Actions assumes a role by web identity, then deploys with Terraform."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from cloudtrail import Caller, Json, Trail, linked_caller, service_caller
from company import (
    APP_A,
    BATCH_INSTANCE,
    CI,
    EXECUTION,
    KMS_KEY,
    NAT_ADDRESS,
    PROD,
    REGION,
    ROTATION,
    SCALING,
    SECRETS,
    SG_ALB,
    SG_TASK,
    TASK,
    TASK_SECRETS,
    VPC,
    Role,
)
from fleet import REPOSITORY, TARGET_GROUP, Fleet, run_task_call, update_service_call

PROVIDER = f"arn:aws:iam::{PROD}:oidc-provider/token.actions.githubusercontent.com"
SUBJECT = "repo:example-company/shop:ref:refs/heads/main"
TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.13.3 (+https://www.terraform.io) terraform-provider-aws/6.14.1 "
    "(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.39.2 ua/2.1 os/linux lang/go#1.25.1"
)
CLI = "aws-cli/2.31.6 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0-azure md/arch#x86_64 lang/python#3.13.7 md/installer#exe"

PLAN: list[tuple[str, str, Json]] = [
    ("ec2", "DescribeVpcs", {"vpcSet": {"items": [{"vpcId": VPC}]}, "filterSet": {}}),
    ("ec2", "DescribeSubnets", {"subnetSet": {"items": [{"subnetId": APP_A.id}]}, "filterSet": {}}),
    ("ec2", "DescribeSecurityGroups", {"securityGroupIdSet": {"items": [{"groupId": SG_TASK}]}}),
    ("ec2", "DescribeInstances", {"instancesSet": {"items": [{"instanceId": BATCH_INSTANCE}]}, "filterSet": {}}),
    ("ecs", "DescribeClusters", {"clusters": ["shop"]}),
    ("ecs", "DescribeServices", {"cluster": "shop", "services": ["checkout"]}),
    ("ecs", "DescribeTaskDefinition", {"taskDefinition": "checkout"}),
    ("elasticloadbalancing", "DescribeTargetGroups", {"targetGroupArns": [TARGET_GROUP]}),
    ("elasticloadbalancing", "DescribeLoadBalancers", {"names": ["shop"]}),
    ("iam", "GetRole", {"roleName": TASK.name}),
    ("iam", "ListRolePolicies", {"roleName": TASK.name}),
    ("iam", "ListAttachedRolePolicies", {"roleName": TASK.name}),
    ("iam", "GetRole", {"roleName": EXECUTION.name}),
    ("iam", "ListAttachedRolePolicies", {"roleName": EXECUTION.name}),
    ("secretsmanager", "DescribeSecret", {"secretId": TASK_SECRETS[0].arn}),
    ("secretsmanager", "DescribeSecret", {"secretId": TASK_SECRETS[1].arn}),
    ("kms", "DescribeKey", {"keyId": KMS_KEY}),
    ("logs", "DescribeLogGroups", {"logGroupNamePrefix": "/ecs/shop/"}),
    ("rds", "DescribeDBClusters", {"dBClusterIdentifier": "shop"}),
    ("ecr", "DescribeRepositories", {"repositoryNames": ["shop/checkout"]}),
]


def definition(revision: int) -> Json:
    """The task definition of the service, as Terraform registers it: secrets by reference, nothing secret in clear."""
    names = {"DB_URL": TASK_SECRETS[0], "SESSION_KEY": TASK_SECRETS[1], "WEBHOOK_SECRET": TASK_SECRETS[2]}
    app = {
        "name": "app",
        "image": f"{PROD}.dkr.ecr.{REGION}.amazonaws.com/shop/checkout:{revision}",
        "essential": True,
        "readonlyRootFilesystem": True,
        "user": "10001",
        "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
        "environment": [{"name": "LOG_LEVEL", "value": "info"}],
        "secrets": [{"name": name, "valueFrom": secret.arn} for name, secret in names.items()],
    }
    return {
        "family": "checkout",
        "taskRoleArn": TASK.arn,
        "executionRoleArn": EXECUTION.arn,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "512",
        "memory": "1024",
        "containerDefinitions": [app],
    }


def registered(request: Json, revision: int) -> Json:
    arn = f"arn:aws:ecs:{REGION}:{PROD}:task-definition/{request['family']}:{revision}"
    return {"taskDefinition": {**request, "taskDefinitionArn": arn, "revision": revision, "status": "ACTIVE"}}


def runner(trail: Trail, at: datetime, run: int) -> Caller:
    """A GitHub Actions job: its identity token buys a session of the CI role."""
    address = f"203.0.113.{trail.random.randrange(2, 60)}"
    web = {
        "type": "WebIdentityUser",
        "principalId": f"{PROVIDER}:sts.amazonaws.com:{SUBJECT}",
        "userName": SUBJECT,
        "identityProvider": PROVIDER,
    }
    session = trail.assume(
        at,
        Caller(web, PROD, address, CLI),
        CI,
        f"GitHubActions-{run}",
        "AssumeRoleWithWebIdentity",
        request={"durationSeconds": 3600},
        response={"subjectFromWebIdentityToken": SUBJECT, "provider": PROVIDER, "audience": "sts.amazonaws.com"},
        provider=PROVIDER,
    )
    return session.caller(address, TERRAFORM)


def plan(trail: Trail, at: datetime, ci: Caller) -> datetime:
    """Terraform refreshes its state: a burst of reads. Returns when it is done."""
    trail.call(at, ci, "sts", "GetCallerIdentity")
    for service, name, request in PLAN:
        at += timedelta(seconds=trail.random.randrange(0, 3))
        trail.call(at, ci, service, name, request)
    return at + timedelta(seconds=9)


def deploy(fleet: Fleet, at: datetime, run: int, revision: int, *, migrate: bool = False) -> None:
    """A release: image pushed, definition registered, migration run once if asked, service rolled over."""
    trail = fleet.trail
    ci = runner(trail, at, run)
    shell, about = ci.using(CLI), [("AWS::ECR::Repository", REPOSITORY)]
    image: Json = {"registryId": PROD, "repositoryName": "shop/checkout"}
    trail.call(at + timedelta(seconds=4), shell, "ecr", "GetAuthorizationToken")
    trail.call(at + timedelta(seconds=6), shell, "ecr", "InitiateLayerUpload", image, resources=about)
    trail.call(at + timedelta(seconds=19), shell, "ecr", "CompleteLayerUpload", image, resources=about)
    pushed = {**image, "imageTag": str(revision), "imageDigest": f"sha256:{trail.hex(64)}"}
    trail.call(at + timedelta(seconds=21), shell, "ecr", "PutImage", pushed, {"image": pushed}, resources=about)
    at = plan(trail, at + timedelta(seconds=40), ci)
    request = definition(revision)
    trail.call(at, ci, "ecs", "RegisterTaskDefinition", request, registered(request, revision))
    if migrate:
        at += timedelta(seconds=8)
        task = fleet.place(at, f"checkout:{revision}", service=False)
        run_once = run_task_call(task, "github-actions", command=["bin/migrate", "--yes"])
        trail.call(at, shell, "ecs", "RunTask", *run_once)
        fleet.start(task)
        fleet.stop(task, at + timedelta(minutes=4))
        at += timedelta(minutes=5)
    at += timedelta(seconds=12)
    trail.call(at, shell, "ecs", "UpdateService", *update_service_call(taskDefinition=f"checkout:{revision}"))
    old = [task for task in fleet.tasks if task.service and task.stopped > at]
    for n, task in enumerate(old):
        begin = at + timedelta(seconds=20 + 70 * n)
        fleet.start(fleet.place(begin, f"checkout:{revision}"))
        fleet.stop(task, begin + timedelta(seconds=150))
    for n in range(4):
        polled = {"cluster": "shop", "services": ["checkout"]}
        trail.call(at + timedelta(seconds=15 + 45 * n), shell, "ecs", "DescribeServices", polled)


def scale(fleet: Fleet, at: datetime, count: int) -> None:
    """Application Auto Scaling changes the desired count; ECS starts or stops the difference."""
    scaler = linked_caller(SCALING, "AutoScaling-UpdateDesiredCapacity", at - timedelta(minutes=3))
    fleet.trail.call(at, scaler, "ecs", "UpdateService", *update_service_call(desiredCount=count))
    running = [task for task in fleet.tasks if task.service and task.started <= at < task.stopped]
    for n in range(count - len(running)):
        begin = at + timedelta(seconds=8 + 3 * n)
        fleet.start(fleet.place(begin, running[0].definition))
    for n, task in enumerate(running[count:]):
        fleet.stop(task, at + timedelta(seconds=70 + 5 * n))


def statement(**members: object) -> str:
    """A policy document that allows one thing."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **members}]})


def rebuild(trail: Trail, at: datetime, run: int) -> None:
    """A Terraform apply that an audit should know as routine: a role, a policy, a secret, a security group rule."""
    ci = runner(trail, at, run)
    at = plan(trail, at + timedelta(seconds=12), ci)
    role, secret = Role("checkout-search"), SECRETS["shop/search-api"]
    trust = statement(Principal={"Service": "ecs-tasks.amazonaws.com"}, Action="sts:AssumeRole")
    policy = statement(Action="secretsmanager:GetSecretValue", Resource=secret.arn)
    made = {"roleName": role.name, "path": "/", "roleId": role.id, "arn": role.arn}
    rule = {"ipProtocol": "tcp", "fromPort": 8080, "toPort": 8080, "groups": {"items": [{"groupId": SG_ALB}]}}
    group = {"groupId": SG_TASK, "ipPermissions": {"items": [{**rule, "ipRanges": {}, "ipv6Ranges": {}}]}}
    steps: list[tuple[str, str, Json, Json | None]] = [
        ("iam", "CreateRole", {"roleName": role.name, "assumeRolePolicyDocument": trust}, {"role": made}),
        ("iam", "PutRolePolicy", {"roleName": role.name, "policyName": "secrets", "policyDocument": policy}, None),
        ("secretsmanager", "CreateSecret", {"name": secret.name, "kmsKeyId": KMS_KEY}, {"arn": secret.arn}),
        ("secretsmanager", "PutSecretValue", {"secretId": secret.arn}, {"arn": secret.arn, "name": secret.name}),
        ("ec2", "AuthorizeSecurityGroupIngress", group, {"_return": True}),
    ]
    for service, name, request, response in steps:
        at += timedelta(seconds=trail.random.randrange(1, 5))
        trail.call(at, ci, service, name, request, response)


def rotate(trail: Trail, at: datetime) -> None:
    """The nightly rotation of a database password, by a Lambda function with an address of the VPC's NAT gateway."""
    secret = SECRETS["shop/db-admin"]
    started = {"additionalEventData": {"SecretId": secret.arn}}
    trail.call(at, service_event(), "secretsmanager", "RotationStarted", eventType="AwsServiceEvent", **started)
    session = trail.assume(at + timedelta(seconds=1), service_caller("lambda"), ROTATION, "rotate-db-admin", hours=12)
    work = session.caller(NAT_ADDRESS, "Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1 exec-env/AWS_Lambda_python3.13")
    trail.call(at + timedelta(seconds=3), work, "secretsmanager", "DescribeSecret", {"secretId": secret.arn})
    trail.read_secret(at + timedelta(seconds=4), work, secret)
    trail.call(at + timedelta(seconds=6), work, "secretsmanager", "PutSecretValue", {"secretId": secret.arn})
    staged = {"secretId": secret.arn, "versionStage": "AWSCURRENT"}
    trail.call(at + timedelta(seconds=11), work, "secretsmanager", "UpdateSecretVersionStage", staged)
    done = at + timedelta(seconds=12)
    trail.call(done, service_event(), "secretsmanager", "RotationSucceeded", eventType="AwsServiceEvent", **started)


def service_event() -> Caller:
    """The caller of an AwsServiceEvent: an identity without a type."""
    name = "secretsmanager.amazonaws.com"
    return Caller({"accountId": PROD, "invokedBy": name}, PROD, name, name, secure=False)
