"""The rows of identity/grants and identity/identities as values, read out of Arrow when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

import pyarrow as pa

from auditkit.identity.hops import Identity

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


class Rows(Generic[_Row]):
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
                name: moment(self.column(name)[number]) if name in self._times else self.column(name)[number]
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


def moment(microseconds: int | None) -> datetime | None:
    """Aware UTC, from microseconds since 1970."""
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
