"""Who stood at the beginning of a lineage: a person, a pipeline, a workload, a service, a user, or nobody can tell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from auditkit.identity.grant_rows import Grant, Use
from auditkit.identity.grants import Grants
from auditkit.identity.handing import portal_rows
from auditkit.identity.hops import CERTAINTIES, Certainty, Hop, Identity, Origin, OriginKind
from auditkit.model import iso

_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")
_TASK = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PIPELINES = re.compile(
    r"githubusercontent\.com|gitlab|circleci\.com|bitbucket\.org|buildkite\.com|app\.terraform\.io|dev\.azure\.com"
    r"|spacelift\.io|harness\.io|vstoken\.|semaphoreci\.com"
)
_CLUSTERS = re.compile(r"(^|//|/|\.)oidc\.eks\.|^eks\.|container\.googleapis\.com")
_PEOPLE = ("accounts.google.com", "graph.facebook.com", "www.amazon.com", "cognito-identity.amazonaws.com")
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_WORKLOADS = {"ecs-tasks.amazonaws.com": "task", "ec2.amazonaws.com": "instance", "lambda.amazonaws.com": "function"}
_AUTOMATIONS = ("codebuild.amazonaws.com", "codepipeline.amazonaws.com", "codedeploy.amazonaws.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What the walk back came to. *grants* and *hops* have the latest first."""

    subject: Identity
    reached: Identity  # the earliest identity that called with credentials of AWS
    uses: tuple[Use, ...]  # rows of identity/identities that it is
    grants: tuple[Grant, ...]
    hops: tuple[Hop, ...]
    candidates: tuple[Grant, ...]
    loops: bool
    created: datetime | None  # when the credentials of *reached* were issued, if a log tells
    begins: datetime | None  # the first event of its account in the logs


@dataclass(frozen=True, slots=True)
class _Said:
    kind: OriginKind
    name: str
    certainty: Certainty
    because: str


def weakest(certainties: Iterable[Certainty]) -> Certainty:
    """The weakest of *certainties*; proven, if there is none."""
    return min(certainties, key=CERTAINTIES.index, default="proven")


def origin_of(trail: Trail, grants: Grants) -> Origin:
    """Who stood at the beginning of *trail*, with the certainty of its weakest hop."""
    first = trail.grants[-1] if trail.grants else None
    outside = _from_outside(first, trail) if first else None
    said = outside or _itself(trail, first) or _named_by_the_role(trail) or _broken(trail)
    identity = trail.hops[-1].to if outside and outside.kind != "account" else trail.reached
    if said.kind == "account":  # its unique id is no ARN, and stands in the hop and the reason
        identity = Identity(principal_arn=None, account_id=identity.account_id, identity_type=identity.identity_type)
    return Origin(
        kind=said.kind,
        identity=identity,
        name=said.name,
        certainty=weakest([said.certainty, *(hop.certainty for hop in trail.hops if not _is_plain(hop, said))]),
        because=said.because,
        on_behalf_of=_on_behalf_of(trail, identity, grants),
        source_identity=_source_identity(trail),
    )


def _is_plain(hop: Hop, said: _Said) -> bool:
    """Whether *hop* leaves the user the same: then the events themselves name who it is, whatever joins them."""
    return hop.how in ("console_login", "session_token", "federation_token") and said.kind in ("user", "root")


def _from_outside(first: Grant, trail: Trail) -> _Said | None:
    """Where the earliest event was called by somebody without credentials of AWS, it says who that was."""
    given = trail.hops[-1].to
    session = first.to_session_name or given.session_name or "?"
    if first.by_identity_type == "AWSService" or first.how == "service":
        return _by_service(first.by_principal_arn or first.invoked_by or "an AWS service", given, session)
    if first.how == "identity_center":
        return _Said("person", session, "proven", "The portal of IAM Identity Center gave out this session.")
    if first.how == "saml":
        who = (
            "IAM Identity Center"
            if "AWSReservedSSO_" in (given.principal_arn or "")
            else first.provider or "A SAML provider"
        )
        return _Said("person", first.subject or session, "proven", f"{who} vouched for who signed in.")
    if first.how == "web_identity":
        return _by_web_identity(first.provider or "an unnamed provider", first.subject or session)
    if first.by_identity_type == "Unknown":
        return _Said("unknown", session, "unknown", f"{first.event_name} does not name who called.")
    if trail.reached.identity_type == "AWSAccount":
        account = trail.reached.account_id or "?"
        return _Said(
            "account",
            f"account {account}",
            "proven",
            f"Somebody in account {account} called, of the unique id {trail.reached.principal_arn}; that account's own"
            " logs would say who, and they are not here.",
        )
    return None


def _by_service(service: str, given: Identity, session: str) -> _Said:
    if ":role/aws-service-role/" in (given.principal_arn or ""):
        return _Said("service", service, "proven", f"{service} took its own service-linked role.")
    if what := _WORKLOADS.get(service):
        return _Said("workload", f"{what} {session}", "proven", f"{service} gave the role to the {what} {session}.")
    kind: OriginKind = "automation" if service in _AUTOMATIONS else "service"
    return _Said(kind, service, "proven", f"{service} took the role; the session is called {session}.")


def _by_web_identity(provider: str, subject: str) -> _Said:
    because = f"{provider} vouched for {subject}."
    if _PIPELINES.search(provider):
        return _Said("automation", subject, "proven", because)
    if _CLUSTERS.search(provider):
        return _Said("workload", subject, "proven", because)
    if any(name in provider for name in _PEOPLE):
        return _Said("person", subject, "proven", because)
    return _Said("unknown", subject, "proven", f"{because} Whether that is a person, the log cannot tell.")


def _itself(trail: Trail, first: Grant | None) -> _Said | None:
    """What the identity is by what its own events say of it."""
    one = trail.reached
    arn, kind = one.principal_arn or "", one.identity_type
    account = one.account_id or (arn.split(":")[4] if arn.count(":") >= 5 else "?")
    mfa = bool(first and first.by_mfa) or (bool(one.access_key_id) and any(use.mfa for use in trail.uses))
    if kind == "Root" or arn.endswith(":root"):
        if any(use.assumed_root == "true" for use in trail.uses):
            because = (
                "A root session handed out by AssumeRoot, whose event is not in the logs; they cannot tell by whom."
            )
            return _Said("unknown", f"root of account {account}", "unknown", because)
        return _Said("root", f"root of account {account}", "proven", "The events name the root user of the account.")
    if ":user/" in arn and arn.startswith("arn:") and ":identitystore:" not in arn:
        name = arn.rsplit("/", 1)[-1]
        if mfa:
            return _Said("person", name, "proven", f"The IAM user {name} gave a second factor, which takes a person.")
        return _Said(
            "user", name, "proven", f"The events name the IAM user {name}; whoever holds its key may be behind it."
        )
    if kind in ("SAMLUser", "IdentityCenterUser"):
        return _Said(
            "person",
            one.session_name or arn.rsplit("/", 1)[-1].rsplit(":", 1)[-1],
            "proven",
            "The events name who signed in.",
        )
    if kind == "WebIdentityUser":
        return _by_web_identity(arn or "an unnamed provider", arn or "?")
    if kind == "AWSService" or (kind is None and _SERVICE.fullmatch(arn)):
        return _Said("service", arn or "an AWS service", "proven", "An AWS service called in its own name.")
    if ":role/aws-service-role/" in arn:
        service = arn.split("/")[2]
        return _Said("service", service, "proven", f"Only {service} can take this service-linked role.")
    if kind == "AWSAccount":
        return _Said(
            "account",
            f"account {account}",
            "proven",
            f"Somebody in account {account} called; its own logs would say who.",
        )
    return _at_work(trail)


def _at_work(trail: Trail) -> _Said | None:
    one, uses = trail.reached, trail.uses
    if uses and all(use.ec2_role_delivery for use in uses):
        name = f"instance {one.session_name or '?'}"
        return _Said("workload", name, "proven", "Its events say that EC2 delivered the credentials to an instance.")
    scopes = {use.in_scope_of for use in uses}
    if len(scopes) == 1 and (scope := scopes.pop()):
        return _Said("workload", scope, "proven", f"Its events say that the credentials were issued to {scope}.")
    return None


def _named_by_the_role(trail: Trail) -> _Said | None:
    """Where no event tells, some roles and names of sessions do."""
    one = trail.reached
    arn, session = one.principal_arn or "", one.session_name
    if not session or trail.candidates or trail.loops:
        return None
    missing = _missing(trail)
    if arn.rsplit("/", 1)[-1].startswith("AWSReservedSSO_"):
        because = (
            f"Only IAM Identity Center hands out this role, and it names the session after who signed in. {missing}"
        )
        return _Said("person", session, "likely", because)
    if _INSTANCE.fullmatch(session):
        return _Said(
            "workload", f"instance {session}", "likely", f"The session is named as an instance's is. {missing}"
        )
    if _TASK.fullmatch(session):
        return _Said("workload", f"task {session}", "likely", f"The session is named as an ECS task's is. {missing}")
    return None


def _broken(trail: Trail) -> _Said:
    one = trail.reached
    name = one.session_name or (one.principal_arn or "").rsplit("/", 1)[-1] or one.access_key_id or "nobody"
    if trail.candidates:
        count = len(trail.candidates)
        missing = f"{count} events of different callers could have handed it out, and nothing decides between them."
    elif trail.loops:
        missing = "The events go round in a circle, which no true log does."
    else:
        missing = _missing(trail)
    source = _source_identity(trail)
    if source:
        because = f"{missing} But the session carries the source identity {source}, kept from the first role taken on."
        return _Said("person" if "@" in source else "user", source, "likely", because)
    if one.session_name and "@" in one.session_name:
        missing = f"{missing} Its name looks like a person's, but whoever takes a role chooses the name."
    return _Said("unknown", name, "unknown", missing)


def _missing(trail: Trail) -> str:
    one = trail.reached
    if ":role/" in (one.principal_arn or "") and not one.session_name and not one.access_key_id:
        return "A role alone says nobody: its sessions were taken by whoever took them."
    if not trail.created:
        return "No event that handed it out lies in the logs."
    when = iso(trail.created)
    if trail.begins and trail.created < trail.begins:
        begin = f"before those of its account begin ({iso(trail.begins)})"
        return f"No event that handed it out lies in the logs: it was issued at {when}, {begin}."
    return (
        f"No event that handed it out lies in the logs, which had begun for its account when it was issued, at {when}."
    )


def _source_identity(trail: Trail) -> str | None:
    """The one that the identity at the beginning carries, or was given; none where the logs have several."""
    found = {use.source_identity for use in trail.uses if use.source_identity}
    found |= {grant.source_identity for grant in trail.grants if grant.source_identity}
    return found.pop() if len(found) == 1 else None


def _on_behalf_of(trail: Trail, identity: Identity, grants: Grants) -> str | None:
    """The user's id in Identity Center: the session's own events have it, or the portal's event of the same moment."""
    found = {grant.on_behalf_of for grant in trail.grants[-1:] if grant.on_behalf_of}
    uses = [use for use in grants.uses_of(identity) if use.on_behalf_of]
    found |= {use.on_behalf_of for use in uses if use.on_behalf_of}
    if not found and trail.grants:
        rows = portal_rows(identity, [trail.grants[-1].event_time], (), grants)
        found = {row.on_behalf_of for row in rows if row.on_behalf_of}
    return found.pop() if len(found) == 1 else None
