"""What an event acted on: from its resources, its request parameters, or the text of a denial."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
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

# IAM puts the kind of thing before its name: "on resource: user bob because …"
_DENIED_TARGET = re.compile(r"on resource: (?:(?:user|group|role|policy|instance profile) (?!because\b|with\b))?(\S+)")
_ARN_IN_TEXT = re.compile(rb'"(arn:aws[^"\\]*)"')


class _Resource(msgspec.Struct):
    arn: str | None = msgspec.field(name="ARN", default=None)
    name: str | None = msgspec.field(name="resourceName", default=None)  # Event history has no ARN


def _decoder(keys: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Reads lists of requests: only the named members, stepping over all others."""
    members = [(key, Any, None) for key in (*keys, *_COMMON_KEYS)]
    return msgspec.json.Decoder(list[msgspec.defstruct("Request", members, gc=False) | None])  # type: ignore[misc]


_REQUESTS = {service: _decoder(keys) for service, keys in _REQUEST_KEYS.items()}
_OTHER_REQUESTS = _decoder(())
_RESOURCES = msgspec.json.Decoder(list[_Resource] | None)

_UNREADABLE = (msgspec.DecodeError, RecursionError)  # another type, a number past any float, lists in lists in lists
Texts = Sequence[msgspec.Raw]


def resources(
    services: Sequence[str | None],
    listed: Texts,
    requests: Texts,
    error_messages: Sequence[str | None],
    *,
    null: msgspec.Raw,
) -> list[str | None]:
    """For each event the ARN (the name, where there is no ARN) of the thing acted on; None where the log does not tell.

    *null* itself stands for a member that a record does not have.

    Listed resources come first, then the request, then the text of a denial: denied calls often carry
    `requestParameters: null`, and name their target nowhere else.
    """
    found = [None if text is null else _in_list(text) for text in listed]
    waiting: defaultdict[str, list[int]] = defaultdict(list)
    for at, (service, request, name) in enumerate(zip(services, requests, found, strict=True)):
        if name is None and request is not null:
            waiting[service or ""].append(at)
    for service, places in waiting.items():
        for at, name in zip(places, _in_requests(service, [requests[at] for at in places]), strict=True):
            found[at] = name
    for at, message in enumerate(error_messages):
        if message is not None and found[at] is None:
            found[at] = _in_denial(message)
    return found


def _in_list(listed: msgspec.Raw) -> str | None:
    try:
        resources = _RESOURCES.decode(listed) or ()
    except _UNREADABLE:
        return None  # a redacted list is a string
    names = [resource.arn or resource.name for resource in resources]
    return next((name for name in names if name and name.startswith("arn:")), next(filter(None, names), None))


def _in_requests(service: str, requests: Sequence[msgspec.Raw]) -> list[str | None]:
    """What the requests to one service name. They are decoded as one list: that is twice as fast as one by one."""
    decoder = _REQUESTS.get(service, _OTHER_REQUESTS)
    try:
        decoded = decoder.decode(b"[" + b",".join(requests) + b"]")
    except _UNREADABLE:
        decoded = [_decoded_alone(decoder, request) for request in requests]
    firsts = [None if members is None else next(filter(None, astuple(members)), None) for members in decoded]
    return [
        first if first.__class__ is str else None if members is None else _first_text(first) or _any_arn(request)
        for first, members, request in zip(firsts, decoded, requests, strict=True)
    ]


def _decoded_alone(decoder: msgspec.json.Decoder[Any], request: msgspec.Raw) -> Any:
    try:
        return decoder.decode(b"[" + bytes(request) + b"]")[0]
    except _UNREADABLE:
        return None  # a redacted request is a string


def _in_denial(message: str) -> str | None:
    match = _DENIED_TARGET.search(message)
    target = match[1].rstrip(".,;:'\"") if match else "*"
    return None if target == "*" else target


def _any_arn(request: msgspec.Raw) -> str | None:
    match = _ARN_IN_TEXT.search(request)
    return match[1].decode() if match else None


def _first_text(value: object) -> str | None:
    """The first string in a value: EC2 wraps ids as `{"items": [{"instanceId": …}]}` and `{"FlowLogId": {…}}`."""
    if value.__class__ is str:
        return value or None
    if value.__class__ is dict:
        value = value.values()
    elif value.__class__ is not list:
        return None
    for item in value:  # a loop, not a generator: this is half of what requests cost
        if text := _first_text(item):
            return text
    return None
