"""What an event acted on: from its resources, its request parameters, or the text of a denial."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec.structs import astuple

# Where each service's requests name the thing acted on, the most telling name first. The thing changed comes before
# what is changed about it: AttachUserPolicy acts on the user.
_REQUEST_KEYS: dict[str, tuple[str, ...]] = {
    "secretsmanager": ("secretId", "name"),
    "iam": (
        "userName", "roleName", "groupName", "policyArn", "instanceProfileName", "policyName", "sAMLProviderArn",
        "openIDConnectProviderArn", "serialNumber", "virtualMFADeviceName", "name", "url", "accessKeyId",
    ),
    "sts": ("roleArn", "targetPrincipal", "name"),
    "ecs": (
        "service", "serviceName", "task", "taskDefinition", "family", "taskDefinitions", "cluster", "clusterName",
        "name",
    ),
    "ecr": ("repositoryName", "registryId"),
    "ssm": ("name", "names", "target", "path", "documentName", "instanceIds", "instanceId"),
    "kms": ("keyId", "aliasName"),
    "ec2": (
        "groupId", "groupName", "networkInterfaceId", "networkAclId", "routeTableId", "instanceId", "volumeId",
        "snapshotId", "imageId", "internetGatewayId", "natGatewayId", "instancesSet", "DeleteFlowLogsRequest",
        "CreateFlowLogsRequest", "ModifySecurityGroupRulesRequest", "subnetId", "vpcId",
    ),
    "s3": ("bucketName",),
    "cloudtrail": ("trailName", "name", "eventDataStore"),
    "logs": ("logGroupName", "logGroupIdentifier"),
    "lambda": ("functionName", "layerName"),
    "guardduty": ("detectorId",),
    "rds": ("dBInstanceIdentifier", "dBClusterIdentifier", "dBSnapshotIdentifier"),
    "elasticloadbalancing": ("loadBalancerArn", "targetGroupArn", "listenerArn"),
}  # fmt: skip
_COMMON_KEYS = ("resourceArn", "resourceARN", "arn", "aRN")

_DENIED_TARGET = re.compile(r"on resource: (\S+)")
_ARN_IN_TEXT = re.compile(rb'"(arn:aws[^"\\]*)"')


class _Resource(msgspec.Struct):
    arn: str | None = msgspec.field(name="ARN", default=None)


def _decoder(keys: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Reads only the named members of a request and steps over all others."""
    members = [(key, Any, None) for key in (*keys, *_COMMON_KEYS)]
    return msgspec.json.Decoder(msgspec.defstruct("Request", members, gc=False) | None)


_RESOURCES = msgspec.json.Decoder(list[_Resource] | None)
_REQUESTS = {service: _decoder(keys) for service, keys in _REQUEST_KEYS.items()}
_OTHER_REQUESTS = _decoder(())


def resource(
    service: str, resources: msgspec.Raw | None, request: msgspec.Raw, error_message: str | None
) -> str | None:
    """The ARN, or the name where the log gives no ARN, of the thing acted on; None where the log does not tell.

    *resources* and *request* are JSON texts. Denied calls often carry `requestParameters: null`: then the target stands
    only in the denial's text.
    """
    if resources is not None:
        try:
            for listed in _RESOURCES.decode(resources) or ():
                if listed.arn:
                    return listed.arn
        except msgspec.DecodeError:
            pass  # a redacted list is a string: look elsewhere
    if named := _in_request(service, request):
        return named
    if error_message and (match := _DENIED_TARGET.search(error_message)):
        target = match[1].rstrip(".,;:'\"")
        if target != "*":
            return target
    return None


def _in_request(service: str, request: msgspec.Raw) -> str | None:
    try:
        members = _REQUESTS.get(service, _OTHER_REQUESTS).decode(request)
    except msgspec.DecodeError:
        return None  # a redacted request is a string
    if members is None:
        return None
    for value in astuple(members):
        if value is not None and (text := _first_text(value)):
            return text
    match = _ARN_IN_TEXT.search(request)
    return match[1].decode() if match else None


def _first_text(value: object) -> str | None:
    """The first string in a value: EC2 wraps ids as `{"items": [{"instanceId": …}]}` and `{"FlowLogId": {…}}`."""
    if isinstance(value, str):
        return value or None
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((text for item in inner if (text := _first_text(item))), None)
