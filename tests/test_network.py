"""Links of rejects and events: as sentences, beside findings, and as many as a join by hand gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import auditkit
from auditkit.catalogue import Catalogue
from auditkit.network import rejects_beside, sentence, strongest_first
from tests.case_runs import CaseEngine
from tests.cases import START, cloudtrail_events, flow_records
from tests.made_findings import made

SAMPLES = Path(__file__).parents[1] / "data-samples"
QUERY = Catalogue.load().get("network/rejects_and_events")
ENGINE = CaseEngine()
ROLE = "arn:aws:iam::111122223333:role/github-terraform"
TASK = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
AT = datetime(2026, 11, 2, 9, 0)


def link(**differs: Any) -> dict[str, Any]:
    """A deployment that closed a port, with what is different about it."""
    ordinary = {
        "kind": "change", "effect": "closed", "changed": "deployment", "confidence": "high", "shared": "checkout",
        "principal_arn": ROLE, "session_name": "run-1", "account_id": "111122223333", "event_count": 1,
        "denied_count": 0, "event_names": "UpdateService", "first_event": AT, "last_event": AT, "event_id": "e1",
        "workloads": "service checkout", "task_count": 3, "interface_count": 3, "interface_ids": "eni-0a, eni-0b, eni-0c",
        "srcaddrs": "10.0.1.5, 10.0.1.6, 10.0.1.7", "dstaddrs": "10.30.0.20", "dstports": "5432", "reject_count": 214,
        "accept_count": 9, "first_reject": AT + timedelta(minutes=1), "last_reject": AT + timedelta(minutes=7),
        "gap_s": 60, "flow": "eni-0a 10.0.1.5>10.30.0.20:5432/6",
    }  # fmt: skip
    assert differs.keys() <= ordinary.keys()
    return {**ordinary, **differs}


def of_task(**differs: Any) -> dict[str, Any]:
    facts = {"kind": "task", "effect": None, "changed": None, "accept_count": None, "shared": TASK, "gap_s": 0}
    return link(**{**facts, "principal_arn": "arn:aws:iam::111122223333:role/app", "session_name": TASK, **differs})


@pytest.mark.parametrize(
    ("differs", "said"),
    [
        ({}, "Deployment of checkout by role github-terraform of account 111122223333 closed 10.30.0.20:5432: "
             "214 rejects from 3 tasks in 6 minutes."),
        ({"changed": "security_group", "shared": "sg-0a", "effect": "opened", "confidence": "medium", "task_count": 0,
          "srcaddrs": "203.0.113.8", "accept_count": 1, "reject_count": 1, "dstaddrs": "2001:db8::1"},
         "Change of security group sg-0a by role github-terraform of account 111122223333 probably opened "
         "[2001:db8::1]:5432: 1 reject from 203.0.113.8 before it, 1 flow record let through after it."),
        ({"effect": "refused", "dstaddrs": "10.9.0.1, 10.9.0.2", "dstports": "22, 25, 80"},
         "After deployment of checkout by role github-terraform of account 111122223333, 214 rejects of 2 hosts and "
         "3 ports began from 3 tasks in 6 minutes; nothing was let through before."),
        ({"effect": "ended", "task_count": 0, "session_name": "clara@example.com"},
         "After deployment of checkout by clara@example.com (role github-terraform of account 111122223333), 214 rejects "
         "of 10.30.0.20:5432 at 3 interfaces ceased; nothing was let through since."),
    ],
)  # fmt: skip
def test_a_change_is_told_with_who_made_it_and_what_it_did(differs: dict[str, Any], said: str) -> None:
    assert sentence(link(**differs)) == said


@pytest.mark.parametrize(
    ("differs", "said"),
    [
        ({"event_count": 5, "denied_count": 2}, f"Task {TASK} of service checkout has 214 rejects, and made 5 calls "
         "(2 denied) as role app of account 111122223333."),
        ({"session_name": None, "gap_s": 7_200}, f"Task {TASK} of service checkout has 214 rejects; role app of account "
         "111122223333 named it in 1 call (UpdateService), 2 hours apart."),
        ({"kind": "address", "shared": "198.51.100.7", "principal_arn": None, "interface_count": 1, "gap_s": 59},
         "Address 198.51.100.7 has 214 rejects at 1 interface, and made 1 call as someone the log does not name."),
        ({"kind": "endpoint", "shared": "10.0.1.5", "interface_ids": "eni-0a", "confidence": "medium", "workloads": ""},
         "Interface eni-0a has 214 rejects; probably from its address 10.0.1.5, through a VPC endpoint, came 1 call of "
         "role app of account 111122223333."),
    ],
)  # fmt: skip
def test_what_both_sides_share_is_told_with_both_counts(differs: dict[str, Any], said: str) -> None:
    assert sentence(of_task(**differs)) == said


def test_the_strongest_link_comes_first() -> None:
    weak, few, many = link(confidence="medium"), of_task(reject_count=1), of_task(reject_count=2)
    assert strongest_first([weak, few, many, link()]) == [link(), many, few, weak]


def test_a_finding_stands_beside_the_rejects_of_its_proof_resource_address_and_principal() -> None:
    role = "arn:aws:iam::111122223333:role/app"
    finding = replace(
        made(), principal_arn=role, account_id="111122223333", resource=f"arn:aws:ecs:x:1:task/shop/{TASK}",
        source_ips=("198.51.100.7",), evidence=("e1",),
    )  # fmt: skip
    proof = link(event_id="e1")
    thing = of_task(event_id="e2", principal_arn="other")
    address = of_task(kind="address", shared="198.51.100.7", event_id="e3", principal_arn="other")
    principal = of_task(shared="another", event_id="e4")
    strangers = [
        of_task(shared="another", event_id="e5", account_id="999900001111"),
        of_task(shared="another", event_id="e6", principal_arn="other"),
        link(event_id="e7", principal_arn=role),
    ]
    beside = rejects_beside([finding], [principal, address, *strangers, thing, proof])
    assert [one.link["event_id"] for one in beside] == ["e1", "e2", "e3", "e4"]
    assert [one.weight for one in beside] == sorted((one.weight for one in beside), reverse=True)
    assert beside[0].because == "Event e1 proves the finding and the link."


def test_lost_flow_records_are_counted_once_and_within_the_time_of_both() -> None:
    finding = replace(made(), account_id="111122223333", evidence=("e1",), first_seen=AT.replace(tzinfo=UTC),
                      last_seen=AT.replace(tzinfo=UTC))  # fmt: skip

    def lost(start: int, end: int, account: str | None = "111122223333") -> dict[str, Any]:
        return {
            "account_id": account,
            "start_time": AT + timedelta(minutes=start),
            "end_time": AT + timedelta(minutes=end),
        }

    blind = [lost(-5, 1), lost(0, 2), lost(4, 5, None), lost(2, 7, "999900001111"), lost(60, 70)]
    (beside,) = rejects_beside([finding], [link()], blind=blind)  # from 09:00 to 09:07
    assert beside.blind_s == 3 * 60


ADDRESSES = ["198.51.100.1", "198.51.100.2", "203.0.113.3", "10.0.0.1", "AWS Internal", None]
_calls = st.tuples(
    st.sampled_from(ADDRESSES), st.sampled_from(["alice", "bob", None]), st.sampled_from(["ok", "denied"])
)
_flows = st.tuples(
    *[st.sampled_from([a for a in ADDRESSES if a and a[0].isdigit()])] * 2, st.sampled_from(["ACCEPT", "REJECT"])
)


@settings(max_examples=25, deadline=None)
@given(st.lists(_calls, min_size=1, max_size=12), st.lists(_flows, min_size=1, max_size=12))
def test_links_by_address_are_those_of_a_join_by_hand(calls: list[Any], flows: list[Any]) -> None:
    events = [{"source_ip": ip, "principal_arn": arn, "outcome": outcome} for ip, arn, outcome in calls]
    records = [{"srcaddr": a, "dstaddr": b, "action": action, "dstport": 22} for a, b, action in flows]
    expected = {}
    for ip, arn, _ in calls:
        rejects = sum(1 for a, b, action in flows if action == "REJECT" and ip in (a, b))
        if rejects and ip and ip[0].isdigit() and not ip.startswith("10."):
            mine = [outcome for other, who, outcome in calls if (other, who) == (ip, arn)]
            expected[ip, arn] = (len(mine), mine.count("denied"), rejects)
    assert _links_of(events, records, "address", "event_count", "denied_count", "reject_count") == expected


_minute = st.integers(-20, 20)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["ACCEPT", "REJECT"]), _minute, st.sampled_from(["10.9.0.1", "10.9.0.2"])),
        min_size=1,
        max_size=8,
    )
)
def test_a_change_closes_what_was_let_through_before_and_is_refused_since(flows: list[Any]) -> None:
    change = {
        "event_source": "ec2.amazonaws.com", "event_name": "RevokeSecurityGroupEgress", "principal_arn": "terraform",
        "event_time": START, "request_parameters": {"groupId": "sg-0a1b2c3d"},
    }  # fmt: skip
    made_before = {
        "event_source": "ec2.amazonaws.com", "event_name": "CreateNetworkInterface", "event_time": START - timedelta(hours=2),
        "response_elements": {"networkInterface": {"networkInterfaceId": "eni-0a1b2c3d", "groupSet": {"items": [{"groupId": "sg-0a1b2c3d"}]}}},
    }  # fmt: skip
    records = [
        {"interface_id": "eni-0a1b2c3d", "srcaddr": "10.0.1.5", "dstaddr": server, "dstport": 5432, "action": action,
         "start_time": START + timedelta(minutes=minute)}
        for action, minute, server in flows
    ]  # fmt: skip
    expected = {}
    for server in ("10.9.0.1", "10.9.0.2"):
        near = [(action, minute) for action, minute, there in flows if there == server and -15 <= minute < 15]
        before = [action for action, minute in near if minute < 0]
        after = [action for action, minute in near if minute >= 0]
        goes_on = sum(1 for action, minute in near if action == "ACCEPT" and minute >= 1)
        refused = after.count("REJECT")
        if before.count("ACCEPT") and not before.count("REJECT") and refused and goes_on <= refused:
            expected[server] = (refused, before.count("ACCEPT"))
    ENGINE.holding(
        {"cloudtrail_events": cloudtrail_events([change, made_before]), "flow_records": flow_records(records)}
    )
    rows = ENGINE.run(QUERY.sql, QUERY.bind({})).table.to_pylist()
    found = {row["dstaddrs"]: (row["reject_count"], row["accept_count"]) for row in rows if row["effect"] == "closed"}
    assert found == expected


def _links_of(events: list[Any], records: list[Any], kind: str, *columns: str) -> dict[Any, Any]:
    ENGINE.holding({"cloudtrail_events": cloudtrail_events(events), "flow_records": flow_records(records)})
    rows = ENGINE.run(QUERY.sql, QUERY.bind({})).table.to_pylist()
    return {
        (row["shared"], row["principal_arn"]): tuple(row[name] for name in columns)
        for row in rows
        if row["kind"] == kind
    }


def test_every_link_that_the_sample_labels_is_found_with_its_proofs() -> None:
    labels = yaml.safe_load((SAMPLES / "labels.yaml").read_text(encoding="utf-8"))["links"]
    with auditkit.open(SAMPLES) as audit:
        rows = audit.ask("network/rejects_and_events").table.to_pylist()
    assert len({label["kind"] for label in labels}) == 4
    for label in labels:
        keys = ("kind", "shared", "principal_arn", *(["effect"] if "effect" in label else []))
        (row,) = [row for row in rows if all(row[key] == label[key] for key in keys)]
        assert row["interface_ids"].split(", ") == sorted(label["interface_ids"]), label["shared"]
        assert row["confidence"] in ("high", "medium")
        flows = {f"{src}>{dst}:{port}/6" for src, dst, port, *_ in label["flows"]}
        if label["kind"] in ("change", "address"):  # the others are of all calls and rejects of the task or interface
            assert row["event_id"] in label["event_ids"]
            assert row["flow"].partition(" ")[2] in flows
            assert row["reject_count"] == label["rejects"]
        assert row["reject_count"] >= label["rejects"]


def test_the_sample_s_mishap_is_told_in_a_sentence() -> None:
    with auditkit.open(SAMPLES) as audit:
        rows = audit.ask("network/rejects_and_events").table.to_pylist()
    told = [sentence(row) for row in strongest_first(rows)]
    assert told[0].endswith("closed 10.30.0.20:5432: 84 rejects from 2 tasks in 7 minutes.")
    assert len(told) == len(set(told))
