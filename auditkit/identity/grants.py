"""The events that hand out credentials and the identities that were used, looked up by key, session and unique id."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property

import pyarrow as pa

from auditkit.identity.grant_rows import Grant, Rows, Use, moment
from auditkit.identity.hops import Identity, session_arn

COPY = timedelta(seconds=2)  # the copies of one call in two accounts have the same second, or nearly


class Grants:
    """identity/grants and identity/identities, indexed; the copies of one call in two accounts are one grant."""

    def __init__(self, grants: pa.Table, identities: pa.Table) -> None:
        self._grants = Rows(grants, Grant, Grant._fields)
        self._uses = Rows(identities, Use, Use._fields)

    @classmethod
    def of(cls, grants_table: pa.Table, identities_table: pa.Table) -> Grants:
        """From the rows of identity/grants and identity/identities; nothing is read before it is asked for."""
        return cls(grants_table, identities_table)

    def begins(self, account_id: str | None) -> datetime | None:
        """When the first event by an identity of this account was seen."""
        return moment(self._firsts.get(account_id))

    @cached_property
    def _firsts(self) -> dict[str | None, int]:
        firsts: dict[str | None, int] = {}
        for account, seen in zip(self._uses.column("principal_account"), self._uses.column("first_seen"), strict=True):
            firsts[account] = min(seen, firsts.get(account, seen))
        return firsts

    def of_key(self, access_key_id: str) -> list[Grant]:
        """The grants that gave this key."""
        return one_of_copies(self._grants.find(access_key_id, by=("to_access_key_id",)))

    def of_session(self, session: str) -> list[Grant]:
        """The grants of the role's session that has this ARN."""
        return one_of_copies(self._grants.find_made(session, "given", self._given))

    def of_principal(self, principal_arn: str, how: str) -> list[Grant]:
        """The grants of this kind to this user or root."""
        return one_of_copies(self._grants.find(principal_arn, how, by=("to_principal_arn", "how")))

    def from_portal(self, account_id: str, permission_set: str) -> list[Grant]:
        """What the portal of Identity Center gave out for that permission set in that account."""
        return self._grants.find(account_id, permission_set, by=("to_account", "to_permission_set"))

    def by_key(self, access_key_id: str) -> list[Grant]:
        """The grants that calls signed with this key asked for."""
        return one_of_copies(self._grants.find(access_key_id, by=("by_access_key_id",)))

    def by_session(self, identity: Identity) -> list[Grant]:
        """The grants that this session asked for, whichever of its keys signed."""
        return one_of_copies(
            self._grants.find_made(_session(identity.principal_arn, identity.session_name), "callers", self._callers)
        )

    def by_principal(self, principal_arn: str) -> list[Grant]:
        """The grants that this principal asked for, in any of its sessions."""
        return one_of_copies(self._grants.find(principal_arn, by=("by_principal_arn",)))

    def by_principal_id(self, principal_id: str) -> list[Grant]:
        """The grants that the identity of this unique id asked for, across accounts too."""
        return one_of_copies(self._grants.find(principal_id, by=("by_principal_id",)))

    def uses_of(self, identity: Identity) -> list[Use]:
        """The rows that are *identity*: of its key, else of its session, else of its principal; first use first."""
        if identity.access_key_id:
            found = self._uses.find(identity.access_key_id, by=("access_key_id",))
            found = [use for use in found if _is_same(use, identity)]
        elif identity.session_name:
            found = self._uses.find_made(_session(identity.principal_arn, identity.session_name), "used", self._used)
        else:
            found = self._uses.find(identity.principal_arn, by=("principal_arn",))
        return sorted(found, key=lambda use: use.first_seen)

    def named(self, principal_id: str) -> list[Use]:
        """The uses of the identity of this unique id (`AIDA…`, `AROA…:session`) where a log names its ARN."""
        found = self._uses.find(principal_id, by=("principal_id",))
        return [use for use in found if (use.principal_arn or "").startswith("arn:")]

    def _given(self) -> Iterator[str | None]:
        columns = (self._grants.column(name) for name in ("to_session_arn", "to_principal_arn", "to_session_name"))
        for arn, principal, session in zip(*columns, strict=True):
            yield arn or session_arn(principal, session)

    def _callers(self) -> Iterator[str | None]:
        columns = (self._grants.column(name) for name in ("by_principal_arn", "by_session_name"))
        yield from map(_session, *columns)

    def _used(self) -> Iterator[str | None]:
        columns = (self._uses.column(name) for name in ("principal_arn", "session_name"))
        yield from map(_session, *columns)


def one_of_copies(found: list[Grant]) -> list[Grant]:
    """*found* by time, without the copies: of a call across accounts the caller's stays, for it tells who called."""
    told: list[Grant] = []
    shared: set[str] = set()
    ids: set[str] = set()
    callers: dict[tuple[str | None, ...], list[datetime]] = {}
    for grant in sorted(found, key=lambda grant: grant.is_owners_copy):
        caller = (grant.to_access_key_id, grant.by_account, grant.by_principal_id)
        is_copy = grant.event_id in ids or grant.shared_event_id in shared
        if grant.is_owners_copy and grant.to_access_key_id and not grant.shared_event_id:
            is_copy |= any(abs(grant.event_time - time) <= COPY for time in callers.get(caller, ()))
        if is_copy:
            continue
        told.append(grant)
        ids.add(grant.event_id)
        callers.setdefault(caller, []).append(grant.event_time)
        if grant.shared_event_id:
            shared.add(grant.shared_event_id)
    return sorted(told, key=lambda grant: (grant.event_time, grant.event_id))


def _session(principal_arn: str | None, session_name: str | None) -> str | None:
    """One text for a session, whether the log gave the path of its role or not."""
    if not principal_arn or not session_name:
        return None
    return session_arn(principal_arn, session_name) or f"{principal_arn} {session_name}"


def _is_same(use: Use, identity: Identity) -> bool:
    """Whether a use of the key of *identity* is its own: keys are unique, logs may be broken."""
    if identity.session_name:
        return _session(use.principal_arn, use.session_name) == _session(identity.principal_arn, identity.session_name)
    return identity.principal_arn is None or use.principal_arn == identity.principal_arn
