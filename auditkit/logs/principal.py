"""Who stands behind an event: the `userIdentity` block as columns, for every identity type CloudTrail writes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

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
_BOOLEANS: dict[str | bool | None, bool] = {"true": True, True: True, "false": False, False: False}
_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class _Issuer(msgspec.Struct, gc=False):
    arn: str | None = None
    userName: str | None = None
    accountId: str | None = None


class _Attributes(msgspec.Struct, gc=False):
    creationDate: str | None = None
    mfaAuthenticated: str | bool | None = None


class _Context(msgspec.Struct, gc=False):
    sessionIssuer: _Issuer = msgspec.field(default_factory=_Issuer)
    attributes: _Attributes = msgspec.field(default_factory=_Attributes)
    sourceIdentity: str | None = None


class _OnBehalfOf(msgspec.Struct, gc=False):
    userId: str | None = None


class _Identity(msgspec.Struct, gc=False):
    """The members of a `userIdentity` block that columns come from."""

    type: str | None = None
    arn: str | None = None
    accountId: str | None = None
    principalId: str | None = None
    userName: str | None = None
    accessKeyId: str | None = None
    invokedBy: str | None = None
    sessionContext: _Context = msgspec.field(default_factory=_Context)
    onBehalfOf: _OnBehalfOf = msgspec.field(default_factory=_OnBehalfOf)


_IDENTITY = msgspec.json.Decoder(_Identity)


def principal(user_identity: bytes | str) -> Principal:
    """The columns of one `userIdentity`, given as JSON text.

    `principal_arn` is stable: the same user or role gives the same value in every session. A role keeps its path where
    the log gives the session's issuer. Where CloudTrail gives no ARN at all, the field holds what does not change: the
    service's name, the unique id of a principal of another account, the id a web identity or SAML provider gave.
    A block that is not an object gives no columns, and neither does one that holds a number past any float or is nested
    beyond reason.
    """
    try:
        block = _IDENTITY.decode(user_identity)
    except (msgspec.DecodeError, RecursionError):
        try:
            block = _understood(msgspec.json.decode(user_identity), _Identity)
        except (msgspec.DecodeError, RecursionError):
            return NOBODY
    # Old records write "" for what is not there.
    kind, arn, account, user_name = block.type, block.arn or None, block.accountId or None, block.userName or None
    unique_id, _, id_session = (block.principalId or "").partition(":")
    context, invoked_by = block.sessionContext, block.invokedBy or None
    issuer, attributes, user_id = context.sessionIssuer, context.attributes, block.onBehalfOf.userId
    session_name: str | None = None

    stable: str | None
    if kind == "Root":
        stable = arn or (f"arn:aws:iam::{account}:root" if account else None)
    elif kind == "IAMUser":
        is_told = account and user_name and user_name != _HIDDEN
        stable = arn or (f"arn:aws:iam::{account}:user/{user_name}" if is_told else None)
    elif kind in ("AWSService", None) and not arn:
        stable = invoked_by
    elif kind == "AWSAccount":  # the role owner's copy of a call from elsewhere: the log names no ARN
        stable, session_name = unique_id or account, id_session or None
    elif kind in ("SAMLUser", "WebIdentityUser"):  # here the part behind the colon tells users apart
        stable = block.principalId or user_name
    elif kind == "IdentityCenterUser":
        stable = f"arn:aws:identitystore:::user/{user_id}" if user_id else unique_id or None
    else:
        stable = issuer.arn or _role_of(arn) or unique_id or user_name
        session_name = _session_in(arn) or (id_session or None if kind != "Unknown" else None)

    return Principal(
        identity_type=kind,
        principal_arn=stable,
        principal_name=_name(kind, stable, issuer.userName or user_name),
        principal_account=account or issuer.accountId,
        session_name=session_name,
        access_key_id=block.accessKeyId or None,
        invoked_by=invoked_by,
        mfa=_boolean(attributes.mfaAuthenticated),
        session_created=_moment(attributes.creationDate),
        source_identity=context.sourceIdentity,
        on_behalf_of=user_id,
    )


def _understood(block: object, kind: type[_Struct]) -> _Struct:
    """As much of a block as is of the documented types: a redacted object may be a string."""
    values = block if isinstance(block, dict) else {}
    understood: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        value = values.get(field.name)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            understood[field.name] = _understood(value, field.type)
        elif isinstance(value, str) or (isinstance(value, bool) and field.name == "mfaAuthenticated"):
            understood[field.name] = value
    return kind(**understood)


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


def _boolean(value: str | bool | None) -> bool | None:
    """CloudTrail writes the strings "true" and "false"; very old records a JSON boolean."""
    return _BOOLEANS.get(value)


def _moment(text: str | None) -> datetime | None:
    """UTC without a zone, from the extended or the basic ISO form."""
    try:
        moment = datetime.fromisoformat(text) if text else None
        if moment is None or moment.tzinfo is None:  # where no zone is written, UTC is meant
            return moment
        return moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):  # the year 0 in UTC
        return None
