"""The events that hand out credentials and the identities that were used, looked up by key, session and unique id."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

import pyarrow as pa

from auditkit.identity.hops import Identity, session_arn

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COPY = timedelta(seconds=2)  # the copies of one call in two accounts have the same second, or nearly


class Grant(NamedTuple):
    """One row of identity/grants: who called (by_), and what was given (to_). Times are aware UTC."""

    how: str
    event_time: datetime
    event_id: str
    event_name: str
    account_id: str | None
    source_ip: str | None
    user_agent: str | None
    invoked_by: str | None
    shared_event_id: str | None
    by_identity_type: str | None
    by_principal_arn: str | None
    by_session_name: str | None
    by_access_key_id: str | None
    by_principal_id: str | None
    by_account: str | None
    by_session_created: datetime | None
    by_mfa: bool | None
    to_principal_arn: str | None
    to_session_name: str | None
    to_access_key_id: str | None
    to_session_arn: str | None
    to_principal_id: str | None
    to_account: str | None
    to_permission_set: str | None
    source_identity: str | None
    on_behalf_of: str | None
    provider: str | None
    subject: str | None
    duration_s: int | None

    @property
    def by(self) -> Identity:
        return Identity(
            principal_arn=self.by_principal_arn,
            session_name=self.by_session_name,
            access_key_id=self.by_access_key_id,
            account_id=self.by_account,
            identity_type=self.by_identity_type,
        )

    @property
    def is_owners_copy(self) -> bool:
        """Whether this is the role owner's copy of a call from another account, which has no ARN of the caller."""
        return self.by_identity_type == "AWSAccount"


class Use(NamedTuple):
    """One row of identity/identities: how one identity was used. Times are aware UTC."""

    access_key_id: str | None
    principal_arn: str | None
    session_name: str | None
    identity_type: str | None
    principal_account: str | None
    session_created: datetime | None
    first_seen: datetime
    last_seen: datetime
    source_identity: str | None
    on_behalf_of: str | None
    mfa: bool | None
    invoked_by: str | None
    principal_id: str | None
    ec2_role_delivery: str | None
    assumed_root: str | None
    in_scope_of: str | None

    @property
    def identity(self) -> Identity:
        return Identity(
            principal_arn=self.principal_arn,
            session_name=self.session_name,
            access_key_id=self.access_key_id,
            account_id=self.principal_account,
            identity_type=self.identity_type,
        )


_Row = TypeVar("_Row")


class _Rows(Generic[_Row]):
    """The rows of an Arrow table as values, each column and index made when it is first asked for."""

    def __init__(self, table: pa.Table, kind: Callable[..., _Row], names: Iterable[str]) -> None:
        self._table, self._kind, self._names = table, kind, tuple(names)
        self._lists: dict[str, list[Any]] = {}
        self._indexes: dict[object, dict[Hashable, list[int]]] = {}

    def column(self, name: str) -> list[Any]:
        if name not in self._lists:
            column = self._table[name]
            is_time = pa.types.is_timestamp(column.type)
            values = column.cast(pa.timestamp("us")).cast(pa.int64()) if is_time else column
            self._lists[name] = values.to_pylist()
        return self._lists[name]

    @cached_property
    def _times(self) -> frozenset[str]:
        return frozenset(name for name in self._names if pa.types.is_timestamp(self._table[name].type))

    def row(self, number: int) -> _Row:
        return self._kind(
            **{
                name: _moment(self.column(name)[number]) if name in self._times else self.column(name)[number]
                for name in self._names
            }
        )

    def find(self, *key: Hashable, by: tuple[str, ...]) -> list[_Row]:
        """Rows whose columns *by* have the values *key*; none for a NULL among them. In the order of the table."""
        if by not in self._indexes:
            self._indexes[by] = _index(zip(*(self.column(name) for name in by), strict=True))
        return [self.row(number) for number in self._indexes[by].get(key, ())]

    def find_made(self, key: Hashable, index: str, values: Callable[[], Iterable[Hashable]]) -> list[_Row]:
        """Rows for which *values*, one a row, has *key*."""
        if index not in self._indexes:
            self._indexes[index] = _index((value,) for value in values())
        return [self.row(number) for number in self._indexes[index].get((key,), ())]


def _index(keys: Iterable[tuple[Hashable, ...]]) -> dict[Hashable, list[int]]:
    index: dict[Hashable, list[int]] = {}
    for number, key in enumerate(keys):
        if None not in key:
            index.setdefault(key, []).append(number)
    return index


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)


class Grants:
    """identity/grants and identity/identities, indexed; the copies of one call in two accounts are one grant."""

    def __init__(self, grants: pa.Table, identities: pa.Table) -> None:
        self._grants = _Rows(grants, Grant, Grant._fields)
        self._uses = _Rows(identities, Use, Use._fields)

    @classmethod
    def of(cls, grants_table: pa.Table, identities_table: pa.Table) -> Grants:
        """From the rows of identity/grants and identity/identities; nothing is read before it is asked for."""
        return cls(grants_table, identities_table)

    @cached_property
    def begins(self) -> datetime | None:
        """When the first event of all was seen."""
        return _moment(min(self._uses.column("first_seen"), default=None))

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
