"""Who stands behind an event: the `userIdentity` block as columns, for every identity type CloudTrail writes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

_SESSION_ARN = re.compile(r"arn:([^:]*):sts::(\d*):assumed-role/([^/]+)/(.+)")
_FEDERATED_ARN = re.compile(r"arn:[^:]*:sts::\d*:federated-user/(.+)")
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"  # CloudTrail's word for a mistyped user name, which may be a password


class Principal(NamedTuple):
    """The identity columns of one event, in the order of the store."""

    identity_type: str | None = None
    principal_arn: str | None = None
    principal_name: str | None = None
    principal_account: str | None = None
    session_name: str | None = None
    access_key_id: str | None = None
    invoked_by: str | None = None
    mfa: bool | None = None
    session_created: datetime | None = None
    source_identity: str | None = None
    on_behalf_of: str | None = None


NOBODY = Principal()


def principal(user_identity: bytes) -> Principal:
    """The columns of one `userIdentity`, given as JSON text.

    `principal_arn` is stable: the same user or role gives the same value in every session. A role keeps its path where
    the log gives the session's issuer. Where CloudTrail gives no ARN at all, the field holds what does not change: the
    service's name, the unique id of a principal of another account, the id a web identity or SAML provider gave.
    A block that is not an object gives no columns.
    """
    block = msgspec.json.decode(user_identity)
    if not isinstance(block, dict):
        return NOBODY
    kind, arn, account = _text(block, "type"), _text(block, "arn"), _text(block, "accountId")
    unique_id, _, id_session = (_text(block, "principalId") or "").partition(":")
    context = _object(block, "sessionContext")
    issuer = _object(context, "sessionIssuer")
    attributes = _object(context, "attributes")
    user_id = _text(_object(block, "onBehalfOf"), "userId")
    user_name, invoked_by = _text(block, "userName"), _text(block, "invokedBy")
    session_name: str | None = None

    stable: str | None
    if kind == "Root":
        stable = arn or f"arn:aws:iam::{account}:root"
    elif kind == "IAMUser":
        stable = arn or (f"arn:aws:iam::{account}:user/{user_name}" if user_name and user_name != _HIDDEN else None)
    elif kind in ("AWSService", None) and not arn:
        stable = invoked_by
    elif kind == "AWSAccount":  # the role owner's copy of a call from elsewhere: the log names no ARN
        stable, session_name = unique_id or account, id_session or None
    elif kind in ("SAMLUser", "WebIdentityUser"):  # here the part behind the colon tells users apart
        stable = _text(block, "principalId") or user_name
    elif kind == "IdentityCenterUser":
        stable = f"arn:aws:identitystore:::user/{user_id}" if user_id else unique_id or None
    else:
        stable = _text(issuer, "arn") or _role_of(arn) or unique_id or user_name
        session_name = _session_in(arn) or (id_session or None if kind != "Unknown" else None)

    return Principal(
        identity_type=kind,
        principal_arn=stable,
        principal_name=_name(kind, stable, _text(issuer, "userName") or user_name),
        principal_account=account or _text(issuer, "accountId"),
        session_name=session_name,
        access_key_id=_text(block, "accessKeyId"),
        invoked_by=invoked_by,
        mfa=_boolean(attributes.get("mfaAuthenticated")),
        session_created=_moment(_text(attributes, "creationDate")),
        source_identity=_text(context, "sourceIdentity"),
        on_behalf_of=user_id,
    )


def _role_of(arn: str | None) -> str | None:
    """The role behind a session's ARN; any other ARN as it is."""
    if arn and (match := _SESSION_ARN.fullmatch(arn)):
        return f"arn:{match[1]}:iam::{match[2]}:role/{match[3]}"
    return arn


def _session_in(arn: str | None) -> str | None:
    if arn and (match := _SESSION_ARN.fullmatch(arn)):
        return match[4]
    if arn and (match := _FEDERATED_ARN.fullmatch(arn)):
        return match[1]
    return None


def _name(kind: str | None, stable: str | None, logged: str | None) -> str | None:
    if kind == "Root":
        return "root"
    return logged or (stable.rsplit("/", 1)[-1] if stable else None)


def _object(block: dict[str, Any], key: str) -> dict[str, Any]:
    value = block.get(key)
    return value if isinstance(value, dict) else {}


def _text(block: dict[str, Any], key: str) -> str | None:
    """A non-empty string: old records write `""` for an access key that is not there."""
    value = block.get(key)
    return value if isinstance(value, str) and value else None


def _boolean(value: object) -> bool | None:
    """CloudTrail writes the strings "true" and "false"; very old records a JSON boolean."""
    return {"true": True, "false": False}.get(str(value).lower())


def _moment(text: str | None) -> datetime | None:
    """UTC without a zone, from the extended or the basic ISO form."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) if text else None
    except ValueError:
        return None
