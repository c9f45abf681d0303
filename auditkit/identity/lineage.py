"""From any identity down to who stood behind it, hop by hop, and on to the sessions that it went on to take."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta

from auditkit.identity.grant_rows import Grant, Use
from auditkit.identity.grants import Grants
from auditkit.identity.handing import CLOSE, HALF_DAY, Found, Span, grant_of, maker_of, without_echoes
from auditkit.identity.hops import Certainty, Hop, Identity, Lineage
from auditkit.identity.origins import Trail, origin_of, weakest

__all__ = ["Grants", "issued_by", "lineage_of"]

# Whoever these are has no credentials of AWS that another event could have handed out.
_FIRST = ("SAMLUser", "WebIdentityUser", "IdentityCenterUser", "AWSService", "Unknown")
_TYPES = {"session_token": "IAMUser", "key_made": "IAMUser", "federation_token": "FederatedUser", "assume_root": "Root"}
_NO_START = ("console_login", "signin_token")  # a way into the console for a session that is there already


def lineage_of(
    identity: Identity,
    grants: Grants,
    *,
    first_seen: datetime | None = None,
    last_seen: datetime | None = None,
) -> Lineage:
    """The hops that led to *identity*, of which a key alone is enough, and who stood at the beginning.

    Args:
        first_seen: When it called first, and *last_seen* last (aware UTC); without them, as *grants* has it. A grant
            after the last call never counts, and of one key that was granted twice the later one only from then on.
    Returns: The hops with the origin's first. A hop is proven where an event returned the key that signed, likely where
        role, session name and time fit one caller alone. Where several callers fit, none is taken: they are candidates.
    """
    now = _named(identity, grants) or identity
    uses = grants.uses_of(now)
    if not now.principal_arn and uses:
        now = uses[0].identity
    if first_seen or last_seen:
        uses = [u for u in uses if _overlaps(u, first_seen, last_seen)]
    span = Span(
        first=first_seen or min((use.first_seen for use in uses), default=None),
        last=last_seen or max((use.last_seen for use in uses), default=None),
    )
    created = [use.session_created for use in uses if use.session_created]
    hops: list[Hop] = []
    taken: list[Grant] = []
    been: set[str] = set()
    while True:
        found = grant_of(now, created, span, uses, grants)
        grant = found.grant
        if grant is None or grant.event_id in been:
            break
        been.add(grant.event_id)
        taken.append(grant)
        by, said = _caller(grant, grants)
        # Of a session that an event names without its key, there may be keys of which no event is left.
        is_sure = now.access_key_id is not None or now is identity
        certainty: Certainty = found.certainty if is_sure else weakest([found.certainty, "likely"])
        hops.append(_hop(grant, by, _given(now, grant), certainty, f"{found.because}{said}"))
        if by.identity_type in _FIRST or grant.how in ("saml", "web_identity", "identity_center"):
            found = Found()
            break
        now, span = by, Span(first=grant.event_time, last=grant.event_time)
        uses = [u for u in grants.uses_of(now) if _can_be(u, now, grant.event_time)]
        created = [u.session_created for u in uses if u.session_created] if now.access_key_id else []
        if grant.by_session_created:
            created = [grant.by_session_created]
    trail = Trail(
        subject=identity,
        reached=now,
        uses=tuple(uses),
        grants=tuple(taken),
        hops=tuple(hops),
        candidates=found.candidates,
        loops=found.grant is not None,
        created=min(created, default=None),
        begins=grants.begins(now.account_id),
    )
    maker = maker_of(now, span, grants)
    return Lineage(
        subject=identity,
        origin=origin_of(trail, grants),
        hops=tuple(reversed(hops)),
        candidates=tuple(
            _hop(g, _caller(g, grants)[0], _given(now, g), "unknown", f"{g.event_name} fits as well as another.")
            for g in found.candidates
        ),
        made_by=maker and _hop(maker, maker.by, now, "proven", f"{maker.event_name} returned this key to its maker."),
    )


def issued_by(identity: Identity, grants: Grants) -> list[Hop]:
    """The sessions and keys that *identity* went on to get, and what these went on to get, to any depth; oldest first.

    Without a key all keys of its session count, and without a session all of its principal's. A long-term key that it
    made is a hop, but not followed: whoever it was made for uses it too.
    """
    hops: list[Hop] = []
    been: set[str] = set()
    # What is proven goes first, since a grant may be reached by both ways.
    todo: dict[Certainty, deque[tuple[Grant, Identity, str]]] = {"proven": deque(), "likely": deque()}

    def ask(one: Identity, since: datetime | None, so_far: Certainty) -> None:
        for grant, certainty, because in _asked_for(one, since, grants):
            todo[weakest([so_far, certainty])].append((grant, one, because))

    ask(identity, None, "proven")
    while certainty := next((each for each, waiting in todo.items() if waiting), None):
        grant, one, because = todo[certainty].popleft()
        if grant.event_id in been or grant.how in _NO_START:
            continue
        been.add(grant.event_id)
        to = _given(None, grant)
        hops.append(_hop(grant, one if grant.is_owners_copy else grant.by, to, certainty, because))
        if grant.how != "key_made" and (to.access_key_id or to.session_name):
            ask(to, grant.event_time, certainty)
    return sorted(hops, key=lambda hop: (hop.event_time, hop.event_id))


def _asked_for(one: Identity, since: datetime | None, grants: Grants) -> list[tuple[Grant, Certainty, str]]:
    """The grants that *one* asked for; *since* is when it was given itself, where an event tells."""
    found: list[tuple[Grant, Certainty, str]] = []
    ids = sorted({use.principal_id for use in grants.uses_of(one) if use.principal_id})
    copies = [g for each in ids for g in grants.by_principal_id(each) if g.is_owners_copy]
    if not one.access_key_id:
        mine = grants.by_session(one) if one.session_name else grants.by_principal(one.principal_arn or "")
        found += [(g, "proven", f"{g.event_name} names who called.") for g in without_echoes(mine)]
        found += [(g, "proven", f"{g.event_name} names the unique id of who called.") for g in copies]
        return _once(found)
    mine = [
        g for g in grants.by_key(one.access_key_id) if g.by_principal_arn == (one.principal_arn or g.by_principal_arn)
    ]
    found += [(g, "proven", f"{g.event_name} was signed with its key.") for g in mine]
    if one.session_arn:
        others = [g for g in grants.by_session(one) if g.by_access_key_id != one.access_key_id]
        near = [g for g in others if since and g.by_session_created and abs(g.by_session_created - since) <= CLOSE]
        near += [g for g in others if g.how == "switch_role" and since and since <= g.event_time <= since + HALF_DAY]
        found += [(g, "likely", f"{g.event_name} was called by the same session under another key.") for g in near]
    found += [(g, "likely", f"{g.event_name} names the unique id of its session, without a key.") for g in copies]
    return _once(found)


def _once(found: list[tuple[Grant, Certainty, str]]) -> list[tuple[Grant, Certainty, str]]:
    """Without the role owner's copies of what the caller's own log has too, and without the console's echoes."""
    shared = {g.shared_event_id for g, _, _ in found if g.shared_event_id and not g.is_owners_copy}
    keys = {g.to_access_key_id for g, _, _ in found if g.to_access_key_id and not g.is_owners_copy}
    kept = {id(g) for g in without_echoes([g for g, _, _ in found])}
    return [
        (g, certainty, because)
        for g, certainty, because in found
        if id(g) in kept and not (g.is_owners_copy and (g.shared_event_id in shared or g.to_access_key_id in keys))
    ]


def _overlaps(use: Use, first_seen: datetime | None, last_seen: datetime | None) -> bool:
    return not (first_seen and use.last_seen < first_seen) and not (last_seen and use.first_seen > last_seen)


def _can_be(use: Use, identity: Identity, at: datetime) -> bool:
    """Whether this use can be of the identity that called then: without a key only the time tells sessions apart."""
    if use.first_seen > at:
        return False
    return bool(identity.access_key_id) or at - (use.session_created or use.first_seen) <= HALF_DAY + timedelta(hours=1)


def _caller(grant: Grant, grants: Grants) -> tuple[Identity, str]:
    """Who called, and a sentence to add. The role owner's copy has a unique id, and other logs may say whose it is."""
    said = (
        f" It was called through {grant.invoked_by}."
        if grant.invoked_by and grant.by_principal_arn != grant.invoked_by
        else ""
    )
    named = _named(grant.by, grants)
    if named is None:
        return grant.by, said
    return named, f"{said} The logs of account {named.account_id} say whose unique id {grant.by_principal_arn} is."


def _named(identity: Identity, grants: Grants) -> Identity | None:
    """An identity of another account, which one log has by its unique id alone, as that account's own logs have it."""
    if identity.identity_type != "AWSAccount" or not identity.principal_arn:
        return None
    session = f":{identity.session_name}" if identity.session_name else ""
    known = {
        (use.principal_arn, use.session_name, use.principal_account, use.identity_type)
        for use in grants.named(f"{identity.principal_arn}{session}")
    }
    if len(known) != 1:
        return None
    principal, name, account, kind = known.pop()
    return Identity(principal_arn=principal, session_name=name, account_id=account, identity_type=kind)


def _given(now: Identity | None, grant: Grant) -> Identity:
    """What was given: as it called later, where that is known, else as the event says."""
    account = (grant.to_principal_arn or "::::").split(":")[4] or None
    told = Identity(
        principal_arn=grant.to_principal_arn,
        session_name=grant.to_session_name,
        access_key_id=grant.to_access_key_id,
        account_id=account or grant.to_account,
        identity_type=_TYPES.get(grant.how, "AssumedRole"),
    )
    if now is None:
        return told
    if not now.principal_arn:  # a key that was looked for, and never called
        return replace(told, access_key_id=now.access_key_id)
    return replace(now, access_key_id=now.access_key_id or grant.to_access_key_id)


def _hop(grant: Grant, by: Identity, to: Identity, certainty: Certainty, because: str) -> Hop:
    return Hop(
        how="service" if grant.by_identity_type == "AWSService" else grant.how,
        by=by,
        to=to,
        event_id=grant.event_id,
        event_name=grant.event_name,
        event_time=grant.event_time,
        account_id=grant.account_id,
        source_ip=grant.source_ip,
        user_agent=grant.user_agent,
        certainty=certainty,
        because=because,
    )
