"""The morning after: an administrator finds the intrusion by hand and shuts the doors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudtrail import Caller, Json
from company import (
    BACKUP,
    DATA_VPC,
    FLOW_LOG_DATA_AGAIN,
    KMS_KEY,
    LEGACY,
    LEGACY_KEY,
    NEW_BACKUP_KEY,
    PLATFORM_ADMIN,
    PROD,
    REGION,
    SECRETS,
    User,
)
from fleet import Task
from story import ADMIN_POLICY, Story, at, ingress, trust


def inactive(user: User, key: str) -> Json:
    return {"userName": user.name, "accessKeyId": key, "status": "Inactive"}


def morning(story: Story, clara: Caller, rogue: Task) -> None:
    """An administrator finds it by hand, shuts the doors one after another, and changes what was read."""
    trail, fleet = story.trail, story.fleet
    looked = {"lookupAttributes": [{"attributeKey": "AccessKeyId", "attributeValue": LEGACY_KEY}], "maxResults": 50}
    back = {"roleName": PLATFORM_ADMIN.name, "policyDocument": trust(("Service", "ecs-tasks.amazonaws.com"))}
    granted = {"userName": BACKUP.name, "policyArn": ADMIN_POLICY}
    stopped = {"cluster": "shop", "task": rogue.id, "reason": "not ours"}
    again = {
        "CreateFlowLogsRequest": {
            "ResourceType": "VPC",
            "ResourceId": {"tag": 1, "content": DATA_VPC},
            "TrafficType": "ALL",
            "LogDestinationType": "s3",
            "LogDestination": "arn:aws:s3:::example-company-flow-logs",
        }
    }
    remade = {"CreateFlowLogsResponse": {"flowLogIdSet": {"item": FLOW_LOG_DATA_AGAIN}, "unsuccessful": ""}}
    metrics = f"arn:aws:ecs:{REGION}:{PROD}:task-definition/{rogue.definition}"
    steps: list[tuple[str, str, str, Json, Any]] = [
        ("08:47:15", "cloudtrail", "LookupEvents", looked, None),
        ("08:58:30", "iam", "UpdateAccessKey", inactive(LEGACY, LEGACY_KEY), None),
        ("09:00:02", "iam", "UpdateAccessKey", inactive(BACKUP, NEW_BACKUP_KEY), None),
        ("09:01:11", "iam", "DetachUserPolicy", granted, None),
        ("09:03:40", "ec2", "RevokeSecurityGroupIngress", *ingress(revoked=True)),
        ("09:05:22", "ecs", "StopTask", stopped, {"task": {"taskArn": rogue.arn, "lastStatus": "RUNNING"}}),
        ("09:06:48", "iam", "UpdateAssumeRolePolicy", back, None),
        ("09:08:05", "ecs", "DeregisterTaskDefinition", {"taskDefinition": metrics}, None),
        ("09:12:31", "ec2", "CreateFlowLogs", again, remade),
    ]
    for moment, service, name, request, response in steps:
        story.tell("response", trail.call(at(moment), clara, service, name, request, response))
    fleet.stop(rogue, at("09:05:22"))
    for n, secret in enumerate(SECRETS.values()):
        moment = at("09:31:00") + timedelta(seconds=48 * n)
        response = {"arn": secret.arn, "name": secret.name, "versionId": trail.guid()}
        record = trail.call(moment, clara, "secretsmanager", "PutSecretValue", {"secretId": secret.arn}, response)
        story.tell("response", record)
        sealed = {"keyId": KMS_KEY, "encryptionContext": {"SecretARN": secret.arn}, "keySpec": "AES_256"}
        trail.call(moment, clara.on_behalf("secretsmanager"), "kms", "GenerateDataKey", sealed)
