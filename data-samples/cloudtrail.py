"""The shapes of CloudTrail records (event version 1.11): identities, calls, denials, sessions and their credentials."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from company import GLOBAL, KMS_KEY, PROD, REGION, Role, Secret, User, hex_id, stream, unique_id

Json = dict[str, Any]

GLOBAL_SERVICES = {"iam", "organizations", "cloudfront", "signin", "ce"}
READS = ("Describe", "List", "Get", "BatchGet", "Lookup", "Head", "Assume", "Decrypt", "GenerateDataKey", "Discover")
NOT_READS = {"GetSessionToken", "GetFederationToken"}
JSON_SERVICES = {"ecs", "kms", "lambda", "organizations", "logs"}  # these say AccessDeniedException
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def written_out(at: datetime) -> str:
    """The way a response of STS writes a time, for example `Nov 2, 2026, 9:05:00 AM`."""
    hour, half = at.hour % 12 or 12, "AM" if at.hour < 12 else "PM"
    return f"{MONTHS[at.month - 1]} {at.day}, {at.year}, {hour}:{at:%M:%S} {half}"


@dataclass(frozen=True)
class Caller:
    """Who calls, and from where: the part of a record that stays the same from call to call."""

    identity: Json
    account: str
    address: str
    agent: str
    console: bool = False
    secure: bool = True  # False where a service calls: such records have no tlsDetails
    through: str | None = None  # the VPC endpoint

    @property
    def arn(self) -> str:
        return str(self.identity.get("arn", self.identity.get("principalId", "")))

    def on_behalf(self, service: str) -> Caller:
        """The same identity, where an AWS service makes a further call in its name."""
        name = f"{service}.amazonaws.com"
        return Caller({**self.identity, "invokedBy": name}, self.account, name, name, secure=False)

    def using(self, agent: str) -> Caller:
        return replace(self, agent=agent)

    def near(self, address: str, endpoint: str | None) -> Caller:
        """The same identity from another address, through a VPC endpoint if there is one."""
        return replace(self, address=address, through=endpoint)


@dataclass(frozen=True)
class Session:
    """One use of a role: its name, the access key id that STS returned, and when."""

    role: Role
    name: str
    key: str
    created: datetime
    provider: str | None = None  # the web identity provider that vouched for it

    def identity(self) -> Json:
        context: Json = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": self.role.id,
                "arn": self.role.arn,
                "accountId": self.role.account,
                "userName": self.role.name,
            }
        }
        if self.provider:
            context["webIdFederationData"] = {"federatedProvider": self.provider, "attributes": {}}
        context["attributes"] = {"creationDate": iso(self.created), "mfaAuthenticated": "false"}
        return {
            "type": "AssumedRole",
            "principalId": f"{self.role.id}:{self.name}",
            "arn": self.role.session_arn(self.name),
            "accountId": self.role.account,
            "accessKeyId": self.key,
            "sessionContext": context,
        }

    def caller(self, address: str, agent: str, *, console: bool = False, through: str | None = None) -> Caller:
        return Caller(self.identity(), self.role.account, address, agent, console, through=through)


def user_caller(user: User, key: str, address: str, agent: str) -> Caller:
    identity = {
        "type": "IAMUser",
        "principalId": user.id,
        "arn": user.arn,
        "accountId": PROD,
        "accessKeyId": key,
        "userName": user.name,
    }
    return Caller(identity, PROD, address, agent)


def service_caller(service: str, account: str = PROD) -> Caller:
    """An AWS service in its own name, as in `ecs-tasks.amazonaws.com` assuming a role."""
    name = f"{service}.amazonaws.com"
    return Caller({"type": "AWSService", "invokedBy": name}, account, name, name, secure=False)


def linked_caller(role: Role, session: str, created: datetime) -> Caller:
    """A service-linked role at work: a session of a role, the service's name for an address."""
    service = role.path.split("/")[2]
    identity = {**Session(role, session, unique_id("ASIA", f"{role.name}{created}"), created).identity()}
    return Caller({**identity, "invokedBy": service}, role.account, service, service, secure=False)


TOKEN_BODY = base64.b64encode(b"".join(hex_id("EXAMPLE", str(n)).encode() for n in range(12))).decode()


@dataclass
class Trail:
    """What CloudTrail recorded, in the order of the telling, not of time."""

    part: str
    records: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = stream(self.part)

    def guid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def hex(self, digits: int = 32) -> str:
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def call(
        self,
        at: datetime,
        caller: Caller,
        service: str,
        name: str,
        request: Json | None = None,
        response: Json | None = None,
        *,
        region: str | None = None,
        error: tuple[str, str] | None = None,
        resources: list[tuple[str, str]] | None = None,  # type and ARN
        **more: Any,
    ) -> Json:
        """Record one call and return the record. *more* are top-level members as CloudTrail spells them."""
        region = region or (GLOBAL if service in GLOBAL_SERVICES else REGION)
        record: Json = {
            "eventVersion": "1.11",
            "userIdentity": caller.identity,
            "eventTime": iso(at),
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": caller.address,
            "userAgent": caller.agent,
        }
        if error:
            record["errorCode"], record["errorMessage"] = error
        record |= {
            "requestParameters": request,
            "responseElements": response,
            "requestID": self.guid(),
            "eventID": self.guid(),
            "readOnly": name.startswith(READS) and name not in NOT_READS,
        }
        if resources:
            record["resources"] = [
                {"accountId": arn.split(":")[4] or caller.account, "type": kind, "ARN": arn} for kind, arn in resources
            ]
        record |= {
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": caller.account,
        }
        if caller.through:
            record |= {"vpcEndpointId": caller.through, "vpcEndpointAccountId": caller.account}
        record["eventCategory"] = "Management"
        if caller.secure and not caller.console:
            host = f"{service}.amazonaws.com" if service in GLOBAL_SERVICES else f"{service}.{region}.amazonaws.com"
            record["tlsDetails"] = {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": host,
            }
        if caller.console:
            record["sessionCredentialFromConsole"] = "true"
        record |= more
        self.records.append(record)
        return record

    def denied(
        self,
        at: datetime,
        caller: Caller,
        service: str,
        name: str,
        resource: str = "*",
        reason: str = "",
        request: Json | None = None,
    ) -> Json:
        """Record a refusal. Most services then log no request parameters: only the message names the target."""
        action = f"{service}:{name}"
        because = reason or f"because no identity-based policy allows the {action} action"
        said = f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource} {because}"
        if service == "ec2":
            error = "Client.UnauthorizedOperation", f"You are not authorized to perform this operation. {said}"
            return self.call(at, caller, service, name, request or {}, error=error)
        code = "AccessDeniedException" if service in JSON_SERVICES else "AccessDenied"
        return self.call(at, caller, service, name, error=(code, said))

    def credentials(self, at: datetime, hours: float) -> Json:
        """What STS returns: never the secret key, but the session token in clear."""
        token = base64.b64encode(self.random.randbytes(36)).decode()
        return {
            "accessKeyId": unique_id("ASIA", self.hex()),
            "sessionToken": f"IQoJb3JpZ2luX2VjE{token}EXAMPLETOKEN/{TOKEN_BODY}",
            "expiration": written_out(at + timedelta(hours=hours)),
        }

    def assume(
        self,
        at: datetime,
        caller: Caller,
        role: Role,
        session: str,
        name: str = "AssumeRole",
        *,
        request: Json | None = None,
        response: Json | None = None,
        provider: str | None = None,
        hours: float = 1,
        **more: Any,
    ) -> Session:
        """Record an AssumeRole of any kind. A role of another account gets its own copy, under one shared event id."""
        issued = self.credentials(at, hours)
        asked = {"roleArn": role.arn, "roleSessionName": session, **(request or {})}
        given: Json = {
            "credentials": issued,
            "assumedRoleUser": {"assumedRoleId": f"{role.id}:{session}", "arn": role.session_arn(session)},
            **(response or {}),
        }
        about = [("AWS::IAM::Role", role.arn)]
        if role.account != caller.account:
            more["sharedEventID"] = self.guid()
            stranger = {
                "type": "AWSAccount",
                "principalId": caller.identity["principalId"],
                "accountId": caller.account,
            }
            there = Caller(stranger, role.account, caller.address, caller.agent)
            self.call(at, there, "sts", name, asked, given, resources=about, **more)
        self.call(at, caller, "sts", name, asked, given, resources=about, **more)
        return Session(role, session, issued["accessKeyId"], at, provider)

    def read_secret(self, at: datetime, caller: Caller, secret: Secret, *, by: str | None = None) -> list[Json]:
        """Record a secret's reading and the decryption that Secrets Manager makes for it."""
        read = self.call(at, caller, "secretsmanager", "GetSecretValue", {"secretId": by or secret.arn})
        context = {"SecretARN": secret.arn, "SecretVersionId": hex_version(secret)}
        behind = caller.on_behalf("secretsmanager")
        decrypted = self.call(
            at,
            behind,
            "kms",
            "Decrypt",
            {"encryptionContext": context, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
            resources=[("AWS::KMS::Key", KMS_KEY)],
        )
        return [read, decrypted]


def hex_version(secret: Secret) -> str:
    """The id of the version in force, a GUID."""
    return str(uuid.UUID(hex_id("v", secret.name)[3:].ljust(32, "0"), version=4))
