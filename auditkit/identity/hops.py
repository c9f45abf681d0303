"""The values of a lineage: identities, the hops between them, and the origin that they lead back to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from auditkit.model import iso

# proven: an event records it; likely: names and times fit, and nothing else does; unknown: the logs cannot tell
Certainty = Literal["proven", "likely", "unknown"]
CERTAINTIES: tuple[Certainty, ...] = ("unknown", "likely", "proven")  # the weaker first

# Who stands at the beginning: somebody at a keyboard, a pipeline, an instance or task or function, an AWS service, an
# IAM user or root (whoever holds the key), an account whose own logs are not here, or nobody that the logs name.
OriginKind = Literal["person", "automation", "workload", "service", "user", "root", "account", "unknown"]


def session_arn(principal_arn: str | None, session_name: str | None) -> str | None:
    """`arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`, of a role's session alone."""
    parts = (principal_arn or "").split(":", 5)
    if not session_name or len(parts) != 6 or not parts[5].startswith("role/"):
        return None
    role = parts[5].rsplit("/", 1)[-1]  # AWS leaves the path of the role out here
    return f"{parts[0]}:{parts[1]}:sts::{parts[4]}:assumed-role/{role}/{session_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One way of calling AWS: a principal, for a role with one session of it, and the key that signs."""

    principal_arn: str | None  # the role, user, root or service; never the session
    session_name: str | None = None
    access_key_id: str | None = None
    account_id: str | None = None  # the principal's
    identity_type: str | None = None  # as CloudTrail has it: AssumedRole, IAMUser, AWSService, …

    @property
    def session_arn(self) -> str | None:
        """`arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`, of a role's session alone."""
        return session_arn(self.principal_arn, self.session_name)

    def as_json(self) -> dict[str, Any]:
        return {
            "principal_arn": self.principal_arn,
            "session_name": self.session_name,
            "session_arn": self.session_arn,
            "access_key_id": self.access_key_id,
            "account_id": self.account_id,
            "identity_type": self.identity_type,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One step of a lineage, with the event that proves it: *by* got credentials, and called as *to* from then on."""

    how: str  # assume_role, saml, web_identity, federation_token, session_token, switch_role, assume_root, service, …
    by: Identity
    to: Identity
    event_id: str
    event_name: str
    event_time: datetime  # aware UTC
    account_id: str | None  # whose log has the event
    source_ip: str | None
    user_agent: str | None
    certainty: Certainty
    because: str  # one sentence: what joins both sides

    def as_json(self) -> dict[str, Any]:
        """`to` at the top, as the chain reads from one identity to the next; who called is `by`."""
        return {
            "event_id": self.event_id,
            "event_name": self.event_name,
            "event_time": iso(self.event_time),
            "how": self.how,
            **self.to.as_json(),
            "by": self.by.as_json(),
            "source_ip": self.source_ip,
            "user_agent": self.user_agent,
            "log_account_id": self.account_id,
            "certainty": self.certainty,
            "because": self.because,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who stood at the beginning, as far as the logs tell."""

    kind: OriginKind
    identity: Identity
    name: str  # for people to read: an e-mail address, a user, a task, `account 999988887777`
    certainty: Certainty  # that of the weakest hop, or unknown where the trail breaks off
    because: str  # sentences: what says so, or why nobody can tell
    on_behalf_of: str | None = None  # the user's id in IAM Identity Center, where an event names it
    source_identity: str | None = None  # the name that is kept from one role to the next, where one was set

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            **self.identity.as_json(),
            "name": self.name,
            "on_behalf_of": self.on_behalf_of,
            "source_identity": self.source_identity,
            "certainty": self.certainty,
            "because": self.because,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """How one identity came to be: the hops from its origin to it, the origin's first."""

    subject: Identity
    origin: Origin
    hops: tuple[Hop, ...]
    candidates: tuple[Hop, ...] = field(default=())  # where several fit alike, so that none was taken
    made_by: Hop | None = None  # somebody else made the origin's long-term key, and so holds its secret too

    def as_json(self) -> dict[str, Any]:
        return {
            "origin": self.origin.as_json(),
            "chain": [hop.as_json() for hop in self.hops],
            "candidates": [hop.as_json() for hop in self.candidates],
            "made_by": self.made_by.as_json() if self.made_by else None,
        }
