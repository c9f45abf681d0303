"""Which event gave an identity its credentials: found by the key, else by role, session name and time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from auditkit.identity.grant_rows import Grant, Use
from auditkit.identity.grants import Grants
from auditkit.identity.hops import Certainty, Identity
from auditkit.model import iso

CLOSE = timedelta(seconds=5)  # between an event that makes a session and the creation time that the session carries
HOUR, HALF_DAY = timedelta(hours=1), timedelta(hours=12)
SSO_ROLE = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")
# A sign-in or its token gives a session that is there already a way into the console.
_NOT_A_START = ("console_login", "signin_token", "key_made", "web_identity_token")
_OF_LONG = ("switch_role", "federation_token", "session_token")  # half a day, unless something shorter was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From the first to the last call that is asked about; None leaves a side open."""

    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The grant that fits, or several of different callers between which nothing decides, or neither."""

    grant: Grant | None = None
    certainty: Certainty = "unknown"
    because: str = ""
    candidates: tuple[Grant, ...] = ()


NOTHING = Found()


def grant_of(identity: Identity, created: Sequence[datetime], span: Span, uses: Sequence[Use], grants: Grants) -> Found:
    """The grant behind *identity*, whose session was created at one of *created* and which called during *span*.

    *uses* are the rows of identity/identities that it is. A grant after the last call never counts.
    """
    if not identity.access_key_id and not identity.session_name:
        return NOTHING  # a user is who it is, and a role is no session
    found = _by_keys(identity, span, uses, grants)
    if found is NOTHING and identity.session_arn:
        found = _by_session(identity.session_arn, created, span, grants)
    if found is NOTHING and identity.session_arn:
        found = _by_portal(identity, created, span, uses, grants)
    if found is NOTHING and not identity.session_name:
        found = _by_sign_in(identity, created, span, grants)
    return found


def maker_of(identity: Identity, span: Span, grants: Grants) -> Grant | None:
    """The event in which somebody else made the long-term key of *identity*."""
    made = [g for g in grants.of_key(identity.access_key_id or "") if g.how == "key_made"]
    made = [g for g in _in_time(made, span) if g.by_principal_arn != identity.principal_arn]
    return made[-1] if made else None


def _by_keys(identity: Identity, span: Span, uses: Sequence[Use], grants: Grants) -> Found:
    """By the key that a grant returned: of the identity itself, or of a session every key that it was seen to use."""
    spans = [(identity.access_key_id, span)]
    if not identity.access_key_id:
        # A sign-in event has no key, and is told by the time its session was created.
        keyed = {use.session_created for use in uses if use.access_key_id}
        spans = [
            (use.access_key_id, Span(first=use.first_seen, last=use.last_seen))
            for use in uses
            if use.access_key_id or not use.session_created or use.session_created not in keyed
        ]
    fits: list[Grant] = []
    is_whole = True
    for key, during in spans:
        given = [g for g in grants.of_key(key or "") if g.how not in _NOT_A_START and _gives(g, identity)]
        of_key = _in_time(given, during)
        is_whole &= bool(of_key)
        fits += of_key
    if is_whole:
        return _settled(fits, "proven", "{event} returned the key that signed the calls.")
    return _settled(
        fits, "likely", "{event} returned one of the keys of this session; nothing tells of its other keys."
    )


def _gives(grant: Grant, identity: Identity) -> bool:
    """Whether a grant of this key can be one to *identity*: a key is never that of two sessions."""
    if not grant.to_session_arn or not identity.session_arn:
        return True
    return ":assumed-role/" not in grant.to_session_arn or grant.to_session_arn == identity.session_arn


def _by_session(session: str, created: Sequence[datetime], span: Span, grants: Grants) -> Found:
    given = [g for g in grants.of_session(session) if g.how not in _NOT_A_START]
    given = [g for g in given if span.last is None or g.event_time <= span.last]
    if created:
        fits = [g for g in given if any(abs(g.event_time - moment) <= CLOSE for moment in created)]
        if SSO_ROLE.fullmatch(session.split("/")[1]) and all(g.how == "saml" for g in fits):
            return _settled(
                fits,
                "proven",
                "{event} opened this session, whose role only IAM Identity Center hands out, named after the user.",
            )
        return _settled(
            fits,
            "likely",
            "{event} opened a session of that role and name when this one was issued; no key joins them.",
        )
    first = span.first
    fits = [g for g in given if first is None or g.event_time <= first <= g.event_time + lifetime(g)]
    return _settled(
        fits, "likely", "{event} opened a session of that role and name before its first call; no key joins them."
    )


def lifetime(grant: Grant) -> timedelta:
    """How long what was given is good for: as asked, else the longest that AWS gives unasked."""
    if grant.duration_s is not None and 0 < grant.duration_s <= HALF_DAY.total_seconds() * 3:
        return timedelta(seconds=grant.duration_s)
    return HALF_DAY if grant.how in _OF_LONG else HOUR


def _by_portal(
    identity: Identity, created: Sequence[datetime], span: Span, uses: Sequence[Use], grants: Grants
) -> Found:
    fits = portal_rows(identity, created, uses, grants)
    fits = [g for g in fits if span.last is None or g.event_time <= span.last]
    return _settled(
        fits, "likely", "{event} gave out that permission set when this session was issued; no key joins them."
    )


def portal_rows(identity: Identity, created: Iterable[datetime], uses: Sequence[Use], grants: Grants) -> list[Grant]:
    """What the portal of Identity Center gave out when a session of one of its roles was created, to the same user."""
    parts = (identity.session_arn or "").split("/")
    permission_set = SSO_ROLE.fullmatch(parts[1]) if len(parts) > 1 else None
    if not permission_set:
        return []
    rows = grants.from_portal(parts[0].split(":")[4], permission_set[1])
    moments, users = tuple(created), {use.on_behalf_of for use in uses if use.on_behalf_of}
    return [
        row
        for row in rows
        if any(abs(row.event_time - moment) <= CLOSE for moment in moments)
        and (not users or not row.on_behalf_of or row.on_behalf_of in users)
    ]


def _by_sign_in(identity: Identity, created: Sequence[datetime], span: Span, grants: Grants) -> Found:
    """A user's calls from the console are signed with temporary keys that no event returned."""
    if not created or not identity.principal_arn:
        return NOTHING
    given = grants.of_principal(identity.principal_arn, "console_login")
    fits = [g for g in given if any(abs(g.event_time - moment) <= CLOSE for moment in created)]
    fits = [g for g in fits if span.last is None or g.event_time <= span.last]
    return _settled(fits, "likely", "{event} signed the user in when this session was issued; no key joins them.")


def _in_time(given: Iterable[Grant], span: Span) -> list[Grant]:
    """Of grants of one key those that may stand behind a call of *span*: the latest before it, and any during it."""
    first, last = span.first, span.last or span.first
    possible = [g for g in given if last is None or g.event_time <= last]
    if first is None:
        return possible
    latest = max((g.event_time for g in possible if g.event_time <= first), default=None)
    return [g for g in possible if g.event_time > first or g.event_time == latest]


def _settled(fits: list[Grant], certainty: Certainty, because: str) -> Found:
    """One grant where all that fit are of one caller, the latest of them; else all of them as candidates."""
    fits = without_echoes(sorted(fits, key=lambda grant: (grant.event_time, grant.event_id)))
    if not fits:
        return NOTHING
    if len({_who(grant) for grant in fits}) > 1:
        return Found(candidates=tuple(fits))
    grant = fits[-1]
    if len({g.by_access_key_id for g in fits}) > 1:
        certainty = "likely"  # the same session under several keys: what lies behind these may differ
    said = because.format(event=f"{grant.event_name} at {iso(grant.event_time)}")
    return Found(grant=grant, certainty=certainty, because=said)


def without_echoes(fits: Sequence[Grant]) -> list[Grant]:
    """Without the console's SwitchRole where the AssumeRole that it made is there: that one has the keys."""
    made: dict[tuple[str | None, ...], list[datetime]] = {}
    for g in fits:
        if g.how == "assume_role":
            made.setdefault((*_who(g), g.to_session_name), []).append(g.event_time)
    return [
        g
        for g in fits
        if g.how != "switch_role"
        or not any(abs(time - g.event_time) <= CLOSE for time in made.get((*_who(g), g.to_session_name), ()))
    ]


def _who(grant: Grant) -> tuple[str | None, ...]:
    by = grant.by
    return (by.session_arn,) if by.session_arn else (by.principal_arn, by.session_name, by.account_id)
