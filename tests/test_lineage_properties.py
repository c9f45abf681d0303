"""Random chains of roles: the walk ends, finds exactly what was made, and proves nothing that is not so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from auditkit.engines.duckdb import DuckDBEngine
from auditkit.identity.grant_rows import Grant, Use
from auditkit.identity.hops import Identity
from auditkit.identity.lineage import Grants, issued_by, lineage_of
from auditkit.model import Parameter
from tests.lineages import GRANTS, IDENTITIES, moment

ACCOUNTS = ("111122223333", "444455556666")
SCHEMAS = [
    DuckDBEngine({})
    .run(query.sql, {name: Parameter(p.type, p.default) for name, p in query.params.items()})
    .table.schema
    for query in (GRANTS, IDENTITIES)
]
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Member:
    """An identity of the made world, with the event that gave it its key and whoever called that."""

    identity: Identity
    born: float
    event_id: str | None = None
    parent: Member | None = None

    @property
    def chain(self) -> list[str]:
        return [*self.parent.chain, self.event_id or ""] if self.parent else []

    @property
    def user(self) -> Member:
        return self.parent.user if self.parent else self

    @property
    def principal_id(self) -> str:
        one = self.identity
        short = (one.principal_arn or "").rsplit("/", 1)[-1] + (one.account_id or "")
        return f"AROA{short}:{one.session_name}" if one.session_name else f"AIDA{short}"


def user(n: int) -> Member:
    account = ACCOUNTS[n % 2]
    arn = f"arn:aws:iam::{account}:user/user-{n}"
    return Member(Identity(principal_arn=arn, access_key_id=f"AKIA{n}", account_id=account, identity_type="IAMUser"), 0)


@st.composite
def worlds(draw: st.DrawFn) -> list[Member]:
    """Users, and sessions each taken by one that was there already; at times that tie, under names used again."""
    members = [user(n) for n in range(draw(st.integers(1, 3)))]
    now = 0.0
    for n in range(draw(st.integers(1, 12))):
        now += draw(st.sampled_from([0, 0, 1, 3, 100, 5000]))
        parent = draw(st.sampled_from(members))
        account = draw(st.sampled_from(ACCOUNTS))
        role, name = draw(st.sampled_from(["a", "b", "c"])), draw(st.sampled_from(["ci", "ops"]))
        one = Identity(
            principal_arn=f"arn:aws:iam::{account}:role/team/{role}",
            session_name=name,
            access_key_id=f"ASIA{n}",
            account_id=account,
            identity_type="AssumedRole",
        )
        members.append(Member(one, now, f"e{n}", parent))
    return members


def grant_rows(member: Member) -> Rows:
    """The row of its AssumeRole, and across accounts the role owner's copy of it."""
    assert member.parent
    one, by = member.identity, member.parent.identity
    row: dict[str, Any] = {
        "how": "assume_role",
        "event_time": naive(member.born),
        "event_id": member.event_id,
        "event_name": "AssumeRole",
        "account_id": by.account_id,
        "by_identity_type": by.identity_type,
        "by_principal_arn": by.principal_arn,
        "by_session_name": by.session_name,
        "by_access_key_id": by.access_key_id,
        "by_principal_id": member.parent.principal_id,
        "by_account": by.account_id,
        "by_session_created": naive(member.parent.born) if by.session_name else None,
        "to_principal_arn": one.principal_arn,
        "to_session_name": one.session_name,
        "to_access_key_id": one.access_key_id,
        "to_session_arn": one.session_arn,
        "to_principal_id": member.principal_id,
    }
    if one.account_id == by.account_id:
        return [row]
    row["shared_event_id"] = f"s-{member.event_id}"
    unknown = dict.fromkeys(("by_access_key_id", "by_session_created"))
    copy = (
        row
        | unknown
        | {
            "event_id": f"{member.event_id}-copy",
            "account_id": one.account_id,
            "by_identity_type": "AWSAccount",
            "by_principal_arn": member.parent.principal_id.partition(":")[0],
        }
    )
    return [row, copy]


def use_row(member: Member, after: float = 0) -> dict[str, Any]:
    one = member.identity
    return {
        "access_key_id": one.access_key_id,
        "principal_arn": one.principal_arn,
        "session_name": one.session_name,
        "identity_type": one.identity_type,
        "principal_account": one.account_id,
        "session_created": naive(member.born) if one.session_name else None,
        "first_seen": naive(member.born),
        "last_seen": naive(member.born + after),
        "mfa": False,
        "principal_id": member.principal_id,
    }


def naive(seconds: float) -> datetime:
    return moment(seconds).replace(tzinfo=None)


def grants_of(grants: Rows, uses: Rows) -> Grants:
    return Grants.of(*(pa.Table.from_pylist(rows, schema=s) for rows, s in zip((grants, uses), SCHEMAS, strict=True)))


def test_the_rows_are_those_of_the_questions() -> None:
    assert set(Grant._fields) <= set(SCHEMAS[0].names)
    assert set(Use._fields) <= set(SCHEMAS[1].names)


@given(worlds(), st.randoms())
def test_where_nothing_is_missing_the_chain_is_the_one_that_was_made(world: list[Member], random: Any) -> None:
    rows = [row for member in world if member.parent for row in grant_rows(member)]
    random.shuffle(rows)
    grants = grants_of(rows, [use_row(member, 7) for member in world])
    for member in world:
        lineage = lineage_of(member.identity, grants)
        assert [hop.event_id for hop in lineage.hops] == member.chain
        assert {hop.certainty for hop in lineage.hops} <= {"proven"}
        assert (lineage.origin.kind, lineage.origin.certainty) == ("user", "proven")
        assert lineage.origin.identity == member.user.identity
        times = [hop.event_time for hop in lineage.hops]
        assert times == sorted(times)


@given(worlds())
def test_where_nothing_is_missing_what_was_taken_on_from_there_is_all_found(world: list[Member]) -> None:
    rows = [row for member in world if member.parent for row in grant_rows(member)]
    grants = grants_of(rows, [use_row(member) for member in world])
    for member in world:
        later = {one.event_id for one in world if member.event_id in one.chain[:-1] or one.user is member is not one}
        hops = issued_by(member.identity, grants)
        assert {hop.event_id for hop in hops if hop.certainty == "proven"} == later
        assert len({hop.event_id for hop in hops}) == len(hops)


@given(worlds(), st.data())
def test_where_events_are_missing_nothing_wrong_is_proven(world: list[Member], data: st.DataObject) -> None:
    rows = [row for member in world if member.parent for row in grant_rows(member)]
    kept = [row for row in rows if data.draw(st.integers(0, 3))]
    grants = grants_of(kept, [use_row(member, data.draw(st.sampled_from([0, 2, 4000]))) for member in world])
    for member in world:
        lineage = lineage_of(member.identity, grants)
        proven = [hop.event_id.removesuffix("-copy") for hop in lineage.hops if hop.certainty == "proven"]
        if {hop.certainty for hop in lineage.hops} <= {"proven"}:
            assert member.chain[len(member.chain) - len(proven) :] == proven
        if lineage.origin.certainty == "proven" and lineage.origin.kind == "user":
            assert lineage.origin.identity.principal_arn == member.user.identity.principal_arn
        elif lineage.origin.certainty == "proven":
            assert lineage.origin.kind == "account"
            [*_, asked] = [one for one in world if one.event_id == proven[0]]
            assert asked.parent
            assert lineage.origin.identity.account_id == asked.parent.identity.account_id
        if not lineage.hops and member.parent:
            assert lineage.origin.certainty == "unknown"


@given(worlds(), st.data())
def test_one_missing_event_cuts_the_chain_there(world: list[Member], data: st.DataObject) -> None:
    lost = data.draw(st.sampled_from([member for member in world if member.parent]))
    rows = [row for member in world if member.parent and member is not lost for row in grant_rows(member)]
    grants = grants_of(rows, [use_row(member) for member in world])
    for member in world:
        lineage = lineage_of(member.identity, grants)
        if lost.event_id not in member.chain:
            assert [hop.event_id for hop in lineage.hops] == member.chain
            continue
        assert lineage.origin.certainty != "proven"
        after = member.chain[member.chain.index(lost.event_id or "") + 1 :]
        nearest = lineage.hops[len(lineage.hops) - len(after) :]
        assert [(hop.event_id, hop.certainty) for hop in nearest] == [(event_id, "proven") for event_id in after]


@given(worlds())
def test_a_session_stands_proven_only_where_all_its_keys_do(world: list[Member]) -> None:
    rows = [row for member in world if member.parent for row in grant_rows(member)]
    grants = grants_of(rows, [use_row(member) for member in world])
    for member in world:
        whole = replace(member.identity, access_key_id=None)
        same = [one for one in world if replace(one.identity, access_key_id=None) == whole]
        lineage = lineage_of(whole, grants)
        if lineage.origin.certainty == "proven":
            assert {one.user.identity.principal_arn for one in same} == {lineage.origin.identity.principal_arn}


@given(st.data())
def test_any_rows_at_all_come_to_an_end(data: st.DataObject) -> None:
    """Keys granted twice, circles, ties: what no true log has."""
    few = st.sampled_from(["k1", "k2", "k3", None])
    members = [user(0), user(1)]
    grants: Rows = []
    for n in range(data.draw(st.integers(1, 15))):
        kind = data.draw(st.sampled_from(["AssumedRole", "IAMUser", "AWSAccount"]))
        role = st.sampled_from([f"arn:aws:iam::{a}:role/{r}" for a in ACCOUNTS for r in "ab"])
        name = st.sampled_from(["ci", "ops", None])
        grants.append(
            {
                "how": data.draw(st.sampled_from(["assume_role", "switch_role", "session_token", "key_made"])),
                "event_time": naive(data.draw(st.integers(0, 4))),
                "event_id": f"e{n}",
                "event_name": "AssumeRole",
                "shared_event_id": data.draw(st.sampled_from([None, None, "s1"])),
                "by_identity_type": kind,
                "by_principal_arn": data.draw(role) if kind != "IAMUser" else members[n % 2].identity.principal_arn,
                "by_session_name": data.draw(name),
                "by_access_key_id": data.draw(few),
                "by_principal_id": data.draw(st.sampled_from(["AROA1:ci", "AROA2:ops", None])),
                "to_principal_arn": data.draw(role),
                "to_session_name": data.draw(name),
                "to_access_key_id": data.draw(few),
            }
        )
    uses = [
        {
            "access_key_id": data.draw(few),
            "principal_arn": row["to_principal_arn"],
            "session_name": row["to_session_name"],
            "identity_type": "AssumedRole",
            "first_seen": row["event_time"],
            "last_seen": naive(9),
            "principal_id": data.draw(st.sampled_from(["AROA1:ci", "AROA2:ops", None])),
        }
        for row in grants
    ]
    found = grants_of(grants, uses)
    for use in uses:
        one = Identity(
            principal_arn=use["principal_arn"],
            session_name=use["session_name"],
            access_key_id=use["access_key_id"],
            identity_type="AssumedRole",
        )
        lineage = lineage_of(one, found)
        ids = [hop.event_id for hop in lineage.hops]
        assert len(set(ids)) == len(ids) <= len(grants)
        assert len(issued_by(one, found)) <= len(grants)
        if lineage.candidates:
            assert lineage.origin.certainty != "proven" or lineage.origin.kind != "unknown"
