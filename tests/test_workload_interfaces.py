"""Interfaces and their workloads in the sample company: what the raw records say, the questions say."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from datetime import UTC
from typing import Any

import pytest

from auditkit.audit import Audit
from tests.conftest import DATA_SAMPLES

LOGS = DATA_SAMPLES / "AWSLogs"
CHECKOUT = "arn:aws:ecs:eu-central-1:111122223333:task-definition/checkout:"
ROGUE, ENTERED, BATCH, NAT = (
    *("eni-0d1806ba122f1995e", "eni-096859a46add8c214"),
    *("eni-0d5deb065e4fe70ea", "eni-07789deb6c2e5e88c"),
)
OLD = {  # load balancers and a database, made before the first day and never named since
    "eni-011f9f20e12657253": "10.20.0.23",
    "eni-0a48b209a24d68a6f": "10.20.1.41",
    "eni-00425f67042a60908": "10.30.0.20",
    "eni-07d77c3fd0436c3f8": None,  # the reader of the database has no traffic
}

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def flows() -> list[dict[str, str]]:
    lines = []
    for path in sorted(LOGS.rglob("*.log.gz")):
        header, *rest = (line.split() for line in gzip.decompress(path.read_bytes()).decode().splitlines())
        lines += [dict(zip(header, line, strict=True)) for line in rest]
    return lines


@pytest.fixture(scope="module")
def records() -> Rows:
    return [r for p in sorted(LOGS.rglob("*.json.gz")) for r in json.loads(gzip.decompress(p.read_bytes()))["Records"]]


@pytest.fixture(scope="module")
def interfaces(audit: Audit) -> dict[str, dict[str, Any]]:
    rows: Rows = audit.ask("network/interfaces").table.to_pylist()
    by_id = {row["interface_id"]: row for row in rows}
    assert len(by_id) == len(rows), "nothing in the sample goes from one workload to another"
    return by_id


def test_every_interface_that_a_log_shows_is_there_and_no_other(
    interfaces: dict[str, Any], flows: list[dict[str, str]], records: Rows
) -> None:
    made = {
        record["responseElements"]["networkInterface"]["networkInterfaceId"]
        for record in records
        if record["eventName"] == "CreateNetworkInterface"
    }
    assert interfaces.keys() == {line["interface-id"] for line in flows} | made


def test_every_task_of_the_flow_log_has_its_interface(interfaces: dict[str, Any], flows: list[dict[str, str]]) -> None:
    told = {
        (line["interface-id"], line["ecs-task-id"], line["ecs-service-name"].replace("-", ""), line["ecs-cluster-name"])
        for line in flows
        if line.get("ecs-task-id", "-") != "-"
    }
    assert len(told) > 10
    found = {
        (eni, row["workload_id"], row["service"] or "", row["cluster"])
        for eni, row in interfaces.items()
        if row["workload_kind"] == "ecs_task" and row["told_by"] == "flow_log"
    }
    assert found == told
    checkout = [row for row in interfaces.values() if row["service"] == "checkout"]
    assert len(checkout) > 10
    assert all(row["task_definition_arn"].startswith(CHECKOUT) for row in checkout)


def test_a_task_that_sent_nothing_is_told_by_its_launch(interfaces: dict[str, Any], records: Rows) -> None:
    launched = {
        attachment["id"]: (task["taskArn"].rpartition("/")[2], record["eventID"])
        for record in records
        if record["eventName"] == "RunTask" and record["responseElements"]
        for task in record["responseElements"]["tasks"]
        for attachment in task["attachments"]
    }
    told = {
        (interface["networkInterfaceId"], *launched[attachment])
        for record in records
        if record["eventName"] == "CreateNetworkInterface"
        for interface in [record["responseElements"]["networkInterface"]]
        if (attachment := interface["description"].rpartition("/")[2]) in launched
    }
    assert len(told) > 1
    assert told == {
        (eni, row["workload_id"], row["event_id"])
        for eni, row in interfaces.items()
        if row["workload_kind"] == "ecs_task" and row["event_id"]
    }
    assert {row["told_by"] for row in interfaces.values() if row["event_id"]} == {"flow_log", "RunTask"}


def test_the_span_of_an_interface_holds_all_of_its_records(
    interfaces: dict[str, Any], flows: list[dict[str, str]]
) -> None:
    ends: dict[str, list[int]] = defaultdict(list)
    for line in flows:
        ends[line["interface-id"]] += (int(line["start"]), int(line["end"]))
    for eni, seen in ends.items():
        first, last = (interfaces[eni][name].replace(tzinfo=UTC).timestamp() for name in ("first_seen", "last_seen"))
        assert first <= min(seen), eni
        assert last >= max(seen), eni


def test_the_attackers_task_is_known_by_its_definition_role_and_launch(interfaces: dict[str, Any]) -> None:
    rogue = interfaces[ROGUE]
    assert rogue["task_definition_arn"].endswith(":task-definition/metrics-sync:1")
    assert (rogue["cluster"], rogue["service"]) == ("shop", None)
    assert rogue["role"] == "arn:aws:iam::111122223333:role/platform-admin"
    assert rogue["private_ip"] == "10.20.0.214"
    assert rogue["event_id"]
    assert rogue["made_event_id"]


def test_the_batch_host_and_the_nat_gateway_are_told_by_the_flow_log(interfaces: dict[str, Any]) -> None:
    batch, nat = interfaces[BATCH], interfaces[NAT]
    assert (batch["workload_kind"], batch["workload_id"]) == ("instance", "i-0fd6438bc853f83fd")
    assert (batch["private_ip"], batch["told_by"]) == ("10.20.10.60", "flow_log")
    # by the packets that come in for addresses outside
    assert (nat["workload_kind"], nat["workload_id"], nat["private_ip"]) == ("nat_gateway", None, "10.20.0.220")


def test_of_what_no_log_names_it_says_unknown_and_the_address(interfaces: dict[str, Any]) -> None:
    unknown = {eni: row["private_ip"] for eni, row in interfaces.items() if row["workload_kind"] == "unknown"}
    assert unknown == OLD


def test_the_groups_of_a_task_are_those_its_interface_was_made_with(audit: Audit, records: Rows) -> None:
    made = {
        (interface["networkInterfaceId"], group["groupId"], record["eventID"])
        for record in records
        if record["eventName"] == "CreateNetworkInterface"
        for interface in [record["responseElements"]["networkInterface"]]
        for group in interface["groupSet"]["items"]
    }
    assert len(made) > 10
    rows: Rows = audit.ask("network/interface_groups").table.to_pylist()
    told = [row for row in rows if row["told_by"] == "CreateNetworkInterface"]
    assert {(row["interface_id"], row["group_id"], row["event_id"]) for row in told} == made
    assert {row["workload_kind"] for row in told} == {"ecs_task"}
    ended = {
        r["requestParameters"]["networkInterfaceId"] for r in records if r["eventName"] == "DeleteNetworkInterface"
    }
    assert {row["interface_id"] for row in told if row["until_time"]} == ended & {eni for eni, _, _ in made}


def test_the_scans_of_both_intrusions_have_their_workloads(audit: Audit) -> None:
    scans = {row["srcaddr"]: row for row in audit.ask("network/scans").table.to_pylist()}
    assert scans.keys() == {"10.20.10.122", "10.20.11.166", "198.51.100.77"}
    assert scans["10.20.10.122"]["interface_id"] == ENTERED
    assert {scans[ip]["service"] for ip in ("10.20.10.122", "10.20.11.166")} == {"checkout"}
    assert (scans["198.51.100.77"]["kind"], scans["198.51.100.77"]["workload_kind"]) == ("ports", None)
