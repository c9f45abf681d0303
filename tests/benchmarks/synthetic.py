"""Events and flow records of a company that does not exist, in the mixture and sizes of a real organization's logs."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

FIRST_DAY = datetime(2026, 11, 2, tzinfo=UTC)
DAYS = 14
ACCOUNTS = [f"{111122223333 + 10101 * n:012d}" for n in range(20)]
REGIONS = ["eu-central-1", "us-east-1", "eu-west-1", "ap-northeast-1", "us-west-2"]
AGENTS = [
    "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.7 md/command#ecs.update-service",
    "APN/1.0 HashiCorp/1.0 Terraform/1.13.3 (+https://www.terraform.io) terraform-provider-aws/6.14.1 aws-sdk-go-v2/1.39.0",
    "aws-sdk-java/2.33.4 Linux/6.1.147 OpenJDK_64-Bit_Server_VM/21.0.8 Java/21.0.8 vendor/Amazon.com_Inc. io/async",
    "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.750]",
]
TERRAFORM = AGENTS[1]
BUILT_BY_CODE = {
    "ec2",
    "ecs",
    "iam",
    "lambda",
    "s3",
}  # services that people look at, and infrastructure as code changes

# service, operation, read-only, how often
KINDS: list[tuple[str, str, bool, float]] = [
    ("sts", "AssumeRole", True, 24), ("sts", "GetCallerIdentity", True, 6), ("ec2", "DescribeInstances", True, 12),
    ("ec2", "DescribeNetworkInterfaces", True, 10), ("ec2", "AuthorizeSecurityGroupIngress", False, 1),
    ("ec2", "RunInstances", False, 1), ("ec2", "CreateNetworkInterface", False, 2), ("s3", "GetBucketAcl", True, 6),
    ("s3", "PutBucketPolicy", False, 1), ("kms", "Decrypt", True, 10), ("kms", "GenerateDataKey", True, 6),
    ("secretsmanager", "GetSecretValue", True, 6), ("secretsmanager", "DescribeSecret", True, 3),
    ("iam", "GetRole", True, 3), ("iam", "ListAttachedRolePolicies", True, 2), ("iam", "CreateRole", False, 1),
    ("iam", "AttachRolePolicy", False, 1), ("iam", "CreateAccessKey", False, 0.02), ("ecs", "DescribeTasks", True, 8),
    ("ecs", "RegisterTaskDefinition", False, 2), ("ecs", "UpdateService", False, 2), ("ecs", "RunTask", False, 2),
    ("ecr", "BatchGetImage", True, 4), ("ecr", "GetAuthorizationToken", True, 3), ("logs", "CreateLogStream", False, 8),
    ("ssm", "GetParameters", True, 3), ("ssm", "UpdateInstanceInformation", False, 4),
    ("lambda", "UpdateFunctionCode20150331v2", False, 1), ("cloudtrail", "LookupEvents", True, 1),
]  # fmt: skip


def records(rng: random.Random, account: str, region: str, start: datetime, count: int) -> Iterator[dict[str, Any]]:
    sessions = [_identity(rng, account, start) for _ in range(max(1, count // 12))]
    weights = [kind[3] for kind in KINDS]
    for service, name, read_only, _ in rng.choices(KINDS, weights, k=count):
        denied = rng.random() < 0.03
        yield {
            "eventVersion": "1.11",
            "userIdentity": rng.choice(sessions),
            "eventTime": f"{start + timedelta(seconds=rng.randrange(900)):%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": f"192.0.2.{rng.randrange(1, 255)}",
            "userAgent": rng.choice(AGENTS) if read_only or service not in BUILT_BY_CODE else TERRAFORM,
            **({"errorCode": "AccessDenied", "errorMessage": _denial(account, service, name)} if denied else {}),
            "requestParameters": None if denied else _request(rng, service, name, account, region),
            "responseElements": None
            if (read_only and name != "AssumeRole") or denied
            else _response(rng, name, account),
            **_additional(rng, service),
            **_resources(rng, service, account, region),
            "requestID": str(UUID(int=rng.getrandbits(128))),
            "eventID": str(UUID(int=rng.getrandbits(128), version=4)),
            "readOnly": read_only,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": account,
            "eventCategory": "Management",
            "tlsDetails": {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": f"{service}.{region}.amazonaws.com",
            },
        }


def _identity(rng: random.Random, account: str, start: datetime) -> dict[str, Any]:
    name = f"team-{rng.randrange(50):02d}"
    unique = f"AROA{_letters(rng, 16)}"
    return {
        "type": "AssumedRole",
        "principalId": f"{unique}:session-{rng.randrange(10**6)}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/session-{rng.randrange(10**6)}",
        "accountId": account,
        "accessKeyId": f"ASIA{_letters(rng, 16)}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role", "principalId": unique, "arn": f"arn:aws:iam::{account}:role/{name}",
                "accountId": account, "userName": name,
            },
            "webIdFederationData": {},
            "attributes": {"creationDate": f"{start:%Y-%m-%dT%H:%M:%SZ}", "mfaAuthenticated": "false"},
        },
    }  # fmt: skip


def _request(rng: random.Random, service: str, name: str, account: str, region: str) -> dict[str, Any]:
    thing = f"{service}-{rng.randrange(500):03d}"
    if service == "sts":
        return {"roleArn": f"arn:aws:iam::{account}:role/{thing}", "roleSessionName": f"s{rng.randrange(10**9)}"}
    if service == "secretsmanager":
        return {"secretId": f"arn:aws:secretsmanager:{region}:{account}:secret:{thing}-AbCdEf"}
    if name == "RegisterTaskDefinition":
        container = {"name": thing, "image": f"{account}.dkr.ecr.{region}.amazonaws.com/{thing}:{rng.getrandbits(32):x}",
                     "environment": [{"name": "LOG_LEVEL", "value": "info"}], "portMappings": [{"containerPort": 8080}]}  # fmt: skip
        return {"family": thing, "containerDefinitions": [container], "cpu": "512", "networkMode": "awsvpc"}
    if name == "AuthorizeSecurityGroupIngress":
        permission = {
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]},
        }
        return {"groupId": f"sg-{rng.getrandbits(64):016x}", "ipPermissions": {"items": [permission]}}
    if service == "iam":
        return {"roleName": thing, "userName": thing}
    if service == "ecs":
        return {"cluster": "main", "service": thing, "desiredCount": rng.randrange(1, 9)}
    ids = [f"i-{rng.getrandbits(64):016x}" for _ in range(rng.randrange(4))]
    return {"name": thing, "maxResults": 100, "instancesSet": {"items": [{"instanceId": i} for i in ids]}}


def _response(rng: random.Random, name: str, account: str) -> dict[str, Any]:
    if name == "AssumeRole":
        key = f"ASIA{_letters(rng, 16)}"
        token = "IQoJb3JpZ2luX2Vj" + base64.b64encode(rng.randbytes(480)).decode()  # as long as real ones
        return {"credentials": {"accessKeyId": key, "sessionToken": token, "expiration": "Nov 2, 2026, 10:00:00 AM"},
                "assumedRoleUser": {"assumedRoleId": f"AROA{_letters(rng, 16)}:s", "arn": f"arn:aws:sts::{account}:assumed-role/x/s"}}  # fmt: skip
    return {
        "requestId": str(UUID(int=rng.getrandbits(128))),
        "status": "ACTIVE",
        "tags": [],
        "serial": rng.getrandbits(70),
    }


def _additional(rng: random.Random, service: str) -> dict[str, Any]:
    """What S3 and KMS add to each of their events: long, random, and most of what such a file weighs."""
    if service == "s3":
        ids = {"x-amz-id-2": base64.b64encode(rng.randbytes(57)).decode(), "bytesTransferredOut": rng.randrange(10**6)}
        return {"additionalEventData": {**ids, "SignatureVersion": "SigV4", "AuthenticationMethod": "AuthHeader"}}
    if service in ("kms", "secretsmanager", "logs"):
        return {
            "additionalEventData": {
                "keyMaterialId": rng.randbytes(32).hex(),
                "trace": str(UUID(int=rng.getrandbits(128))),
            }
        }
    return {}


def _resources(rng: random.Random, service: str, account: str, region: str) -> dict[str, Any]:
    """What some services say was acted on."""
    if service not in ("kms", "s3", "sts"):
        return {}
    arn = {
        "kms": f"arn:aws:kms:{region}:{account}:key/{UUID(int=rng.randrange(40), version=4)}",
        "s3": f"arn:aws:s3:::bucket-{rng.randrange(200)}",
        "sts": f"arn:aws:iam::{account}:role/sts-{rng.randrange(500):03d}",
    }[service]
    kind = {"kms": "AWS::KMS::Key", "s3": "AWS::S3::Bucket", "sts": "AWS::IAM::Role"}[service]
    return {"resources": [{"accountId": account, "type": kind, "ARN": arn}]}


def _denial(account: str, service: str, name: str) -> str:
    return (
        f"User: arn:aws:sts::{account}:assumed-role/team/x is not authorized to perform: {service}:{name} on resource: "
        f"arn:aws:{service}:eu-central-1:{account}:thing/1 because no identity-based policy allows the {service}:{name} action"
    )


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=count))


FLOW_FIELDS = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)


def flow_lines(rng: random.Random, account: str, start: int, count: int) -> Iterator[str]:
    """Between the interfaces of a VPC, and with the internet; a port of a service on one side."""
    few = min(count, 300)
    interfaces = [
        (f"eni-0{rng.getrandbits(64):016x}", f"10.{n % 8}.{n % 200}.{rng.randrange(4, 255)}") for n in range(few)
    ]
    peers = [f"10.{rng.randrange(8)}.{rng.randrange(200)}.{rng.randrange(4, 255)}" for _ in range(few)]
    services = [443, 443, 443, 443, 80, 5432, 5432, 6379, 53, 8080, 22, 3306]
    for _ in range(count):
        interface, own = rng.choice(interfaces)
        begin = start + rng.randrange(600)
        end = begin + rng.randrange(1, 61)
        if rng.random() < 0.02:
            yield f"2 {account} {interface} - - - - - - - {begin} {end} - NODATA"
            continue
        rejected = rng.random() < 0.04
        other = f"198.51.100.{rng.randrange(256)}" if rejected or rng.random() < 0.3 else rng.choice(peers)
        packets = int(rng.paretovariate(1.1))
        size = packets * rng.randrange(40, 1400)
        port, service = rng.randrange(32768, 61000), rng.choice(services)
        ends = f"{own} {other} {port} {service}" if rng.random() < 0.5 else f"{other} {own} {service} {port}"
        protocol = 17 if service == 53 else 6
        yield (
            f"2 {account} {interface} {ends} {protocol} {packets} {size} {begin} {end} "
            f"{'REJECT' if rejected else 'ACCEPT'} OK"
        )
