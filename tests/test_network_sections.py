"""The report on rejects says how many there were, what refused them, who is behind them, and what nobody can tell."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import auditkit
from auditkit import network_sections
from auditkit.audit import Audit
from auditkit.network_sections import Refused
from auditkit.places import Places
from auditkit.report.block import Block
from auditkit.rules import RuleRun
from tests.records import ACCOUNT, START, flow_line, record, write_flows, write_trail
from tests.rejects import cells, links

Opened = Callable[..., Audit]
OPENED_A_GROUP = record(
    eventSource="ec2.amazonaws.com",
    eventName="AuthorizeSecurityGroupIngress",
    requestParameters={
        "groupId": "sg-1",
        "ipPermissions": {
            "items": [
                {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}
            ]
        },
    },
)


@pytest.fixture
def of(tmp_path: Path) -> Iterator[Opened]:
    """An Audit of flow lines, and of a trail."""
    with ExitStack() as stack:

        def opened(*lines: str, trail: tuple[dict[str, Any], ...] = ()) -> Audit:
            (tmp_path / "logs").mkdir()
            if lines:
                write_flows(tmp_path / "logs" / "flows.log", *lines)
            if trail:
                write_trail(tmp_path / "logs" / "trail.json", *trail)
            return stack.enter_context(auditkit.open(tmp_path / "logs"))

        yield opened


@pytest.fixture(scope="module")
def asked(audit: Audit) -> Refused:
    return network_sections.refused(audit)


def said(audit: Audit, linked: Refused | None = None) -> tuple[str, str, Any]:
    """Sentence, detail and severity of the verdict."""
    data = network_sections.verdict(audit, linked or network_sections.refused(audit), audit.evaluate())[0].data
    return data["sentence"], data["detail"], data["severity"]


def needing_flows(audit: Audit, asked: Refused) -> list[list[Block]]:
    return [
        network_sections.beside_events(audit, asked),
        network_sections.scanners(audit, asked),
        network_sections.refused_out(audit, asked),
        network_sections.open_before(audit, asked),
        network_sections.let_in(audit, asked),
        network_sections.causes(audit, asked),
        network_sections.breakdown(audit, asked),
        network_sections.workloads(audit, asked),
        network_sections.blind(audit, asked),
    ]


def skipped(start: int) -> str:
    return f"2 {ACCOUNT} eni-1 - - - - - - - {start} {start + 600} - SKIPDATA"


def flow(srcaddr: str, srcport: int, dstaddr: str, dstport: int, action: str, start: int = START) -> str:
    return f"2 {ACCOUNT} eni-1 {srcaddr} {dstaddr} {srcport} {dstport} 6 3 180 {start} {start + 60} {action} OK"


def test_the_verdict_counts_rejects_and_their_sources(of: Opened) -> None:
    audit = of(
        flow_line(dstport=80),
        flow_line(dstport=81),
        flow_line(srcaddr="198.51.100.8"),
        flow_line(srcaddr="198.51.100.9", action="ACCEPT"),
        flow_line(srcaddr="198.51.100.9", dstport=443, action="ACCEPT"),
        skipped(START),
    )
    sentence, detail, _ = said(audit)
    assert sentence == "3 of 5 flow records were rejected, from 2 sources."
    assert "No reject has anything in common with an event." in detail
    assert detail.endswith("Records of 1 interval were lost: what was rejected then is not known.")
    _, kpis = network_sections.verdict(audit, network_sections.refused(audit), audit.evaluate())
    assert [(item["label"], item["value"]) for item in kpis.data["items"][:4]] == [
        ("Rejects", 3),
        ("Sources", 2),
        ("Interfaces", 1),
        ("Links", 0),
    ]


def test_one_reject_is_told_in_the_singular(of: Opened) -> None:
    assert said(of(flow_line()))[0] == "1 of 1 flow record was rejected, from 1 source."


def test_where_nothing_was_rejected_it_is_said(of: Opened) -> None:
    audit = of(flow_line(dstport=443, action="ACCEPT"), flow_line(dstport=80, action="ACCEPT"))
    sentence, detail, severity = said(audit)
    assert (sentence, severity) == ("None of 2 flow records was rejected.", None)
    assert detail == "No rule about the network fired."
    empty = [block.data["empty"] for block in network_sections.breakdown(audit, network_sections.refused(audit))]
    assert set(empty) == {"No traffic was rejected in the whole of the logs."}
    (causes,) = network_sections.causes(audit, network_sections.refused(audit))
    assert causes.data["empty"] == "No traffic was rejected in the whole of the logs."


def test_without_flow_records_one_sentence_says_so_and_events_are_judged_all_the_same(of: Opened) -> None:
    audit = of(trail=(OPENED_A_GROUP,))
    asked, run = network_sections.refused(audit), audit.evaluate()
    (verdict,) = network_sections.verdict(audit, asked, run)
    assert verdict.data["sentence"] == (
        "No flow record lies in the whole of the logs, so nothing can be said about rejects."
    )
    assert needing_flows(audit, asked) == [[]] * 9
    (found,) = network_sections.findings(audit, run)
    assert "network.security_group_open" in {finding["rule"] for finding in found.data["findings"]}
    assert verdict.data["severity"] == found.data["findings"][0]["severity"]
    assert verdict.data["detail"].startswith("The worst finding: ")


def test_nothing_looked_at_is_no_good_news(of: Opened) -> None:
    assert said(of(trail=(record(),)))[1:] == ("No rule about the network fired.", "info")


def test_the_change_that_closed_the_database_is_the_strongest_link(
    audit: Audit, asked: Refused, rule_run: RuleRun
) -> None:
    verdict, _ = network_sections.verdict(audit, asked, rule_run)
    assert (
        "The strongest link: Change of security group sg-0ec5fad55b7f6351f by role github-terraform of account 111122223333 closed "
        "10.30.0.20:5432: 84 rejects from 2 tasks in "
    ) in verdict.data["detail"]
    assert verdict.data["severity"] == rule_run.of("network.")[0].severity


def test_of_links_only_the_strongest_is_in_the_verdict(audit: Audit, asked: Refused) -> None:
    linked = replace(
        asked, links=links({"shared": "192.0.2.1", "confidence": "low", "reject_count": 9}, {"shared": "192.0.2.2"})
    )
    verdict, kpis = network_sections.verdict(audit, linked, RuleRun(findings=[], ran=()))
    assert "The strongest link: Address 192.0.2.2 has 1 reject" in verdict.data["detail"]
    assert "192.0.2.1 " not in verdict.data["detail"]
    assert ("Links", 2) in [(item["label"], item["value"]) for item in kpis.data["items"]]


def test_scanners_of_our_own_are_counted_and_named(audit: Audit, asked: Refused) -> None:
    (table,) = network_sections.scanners(audit, asked)
    assert table.data["about"].startswith("3 sources, 2 of them an interface of ours.")
    by_source = {row["srcaddr"]: row for row in cells(table)}
    assert by_source["10.20.10.122"]["workload_id"] == "8c3030b1dae3e234f034d21c390cf6e6"
    assert by_source["198.51.100.77"]["interface_id"] is None


def test_a_stranger_who_scans_is_none_of_ours(of: Opened) -> None:
    audit = of(*[flow_line(dstport=port) for port in range(20, 32)], flow_line(srcaddr="198.51.100.8"))
    (table,) = network_sections.scanners(audit, network_sections.refused(audit))
    assert table.data["about"].startswith("1 source, none of them an interface of ours.")
    assert [(row["srcaddr"], row["port_count"]) for row in cells(table)] == [("198.51.100.7", 12)]


def test_workloads_refused_on_their_way_out_say_where_they_wanted_to_go(audit: Audit, asked: Refused) -> None:
    (table,) = network_sections.refused_out(audit, asked)
    rows = cells(table)
    public = [row for row in rows if row["is_public"]]
    assert [(row["workload_id"], row["dstaddr"], row["dstport"]) for row in public] == [
        ("i-0fd6438bc853f83fd", "203.0.113.66", 587)
    ]
    total = sum(row["reject_count"] for row in rows)
    assert table.data["about"].startswith(f"{total} rejects on the way out, 48 of them to public addresses.")


def test_a_door_that_stays_closed_is_counted(of: Opened) -> None:
    audit = of(
        *[flow_line(action="ACCEPT", start=START + 60 * n) for n in range(3)],
        *[flow_line(start=START + 600 + 60 * n) for n in range(5)],
        flow_line(srcaddr="198.51.100.8"),
    )
    (table,) = network_sections.open_before(audit, network_sections.refused(audit))
    assert table.data["about"].startswith("1 door, each a source, an interface and a port; 1 of them still closed")
    (door,) = cells(table)
    assert (door["srcaddr"], door["accepts_before"], door["reject_count"]) == ("198.51.100.7", 3, 5)


def test_who_got_through_is_told_with_the_change_that_let_it_in(audit: Audit, asked: Refused) -> None:
    (table,) = network_sections.let_in(audit, asked)
    (row,) = cells(table)
    assert (row["srcaddr"], row["dstaddr"], row["dstport"], row["because"]) == (
        "198.51.100.77",
        "10.30.0.20",
        5432,
        "change",
    )
    assert row["event_names"] == "AuthorizeSecurityGroupIngress"
    assert "of 1 an event in between is known" in table.data["about"]


def test_getting_through_without_an_event_is_told_as_such(of: Opened) -> None:
    audit = of(flow_line(), flow_line(start=START + 60), flow_line(start=START + 120, action="ACCEPT"))
    (table,) = network_sections.let_in(audit, network_sections.refused(audit))
    assert table.data["about"].startswith("1 door, each a source, a host and a port, ")
    assert "of none an event in between is known" in table.data["about"]


def test_an_answer_that_was_refused_is_counted_as_the_network_acl_s(of: Opened) -> None:
    audit = of(
        flow("198.51.100.7", 40000, "10.0.0.5", 5432, "ACCEPT"),
        flow("10.0.0.5", 5432, "198.51.100.7", 40000, "REJECT", START + 1),
        flow_line(srcaddr="198.51.100.8"),
        flow_line(srcaddr="198.51.100.9"),
    )
    kpis, table = network_sections.causes(audit, network_sections.refused(audit))
    counts = [(item["label"], item["value"]) for item in kpis.data["items"]]
    assert counts == [("Network ACL", 1), ("Group or network ACL", 2)]
    assert {row["cause"] for row in cells(table)} == {"Network ACL", "Group or network ACL"}


def test_causes_add_up_to_all_rejects(audit: Audit, asked: Refused) -> None:
    kpis, _ = network_sections.causes(audit, asked)
    assert sum(item["value"] for item in kpis.data["items"]) == asked.hours.frame()["reject_count"].sum()


def test_every_cause_of_the_question_has_a_name(audit: Audit) -> None:
    sql = audit.catalogue.get("network/reject_causes").sql
    assert all(f"'{cause}'" in sql for cause in network_sections._CAUSES)
    judged = sql[sql.index("judged AS") : sql.index("END AS cause")]
    assert judged.count("THEN '") + judged.count("ELSE '") == len(network_sections._CAUSES)


def test_rejects_are_shown_from_every_side_with_their_sql(audit: Audit, asked: Refused) -> None:
    shown = network_sections.breakdown(audit, asked)
    assert [block.data["title"] for block in shown] == [
        "Rejects over time",
        "Rejects by source",
        "Rejects by destination",
        "Rejects by port",
        "Rejects by direction",
        "Rejects by interface and peer",
    ]
    assert all("FROM" in json.dumps(block.data) for block in shown)
    assert sum(row["reject_count"] for row in cells(shown[0])) == sum(row["reject_count"] for row in cells(shown[2]))


def test_the_workload_that_was_refused_most_stands_first(audit: Audit, asked: Refused) -> None:
    (table,) = network_sections.workloads(audit, asked)
    rows = cells(table)
    counts = [row["reject_count"] for row in rows]
    assert counts == sorted(counts, reverse=True)
    by_interface = {row["interface_id"]: row for row in rows}
    scanner = by_interface["eni-096859a46add8c214"]
    assert (scanner["workload_kind"], scanner["workload_id"]) == ("ecs_task", "8c3030b1dae3e234f034d21c390cf6e6")
    assert scanner["reject_count"] == 114
    assert by_interface["eni-00222e77c26649b91"]["reject_count"] == 0
    unknown = sum(row["workload_kind"] == "unknown" for row in rows)
    assert table.data["about"].startswith(f"Of {unknown} of {len(rows)} rows no log tells")


def test_lost_records_are_told_by_interface_and_by_interval(of: Opened) -> None:
    audit = of(flow_line(), skipped(START), skipped(START + 600))
    by_interface, intervals = network_sections.blind(audit, network_sections.refused(audit))
    assert by_interface.data["about"].startswith("20 minutes of 1 interface in which AWS skipped records")
    assert [row["interface_count"] for row in cells(intervals)] == [1, 1]
    assert "flows.log" not in json.dumps(cells(intervals))


def test_where_no_record_was_lost_it_is_said(of: Opened) -> None:
    audit = of(flow_line())
    (table,) = network_sections.blind(audit, network_sections.refused(audit))
    assert table.data["empty"].startswith("AWS skipped no record in the whole of the logs")


def test_only_findings_about_the_network_are_shown(audit: Audit, rule_run: RuleRun) -> None:
    (block,) = network_sections.findings(audit, rule_run)
    rules = {finding["rule"] for finding in block.data["findings"]}
    assert {"network.internal_scan", "network.rejected_egress"} <= rules
    assert all(rule.startswith("network.") for rule in rules)


def test_addresses_have_their_places_beside_them(audit: Audit, asked: Refused, places: Places) -> None:
    placed = replace(audit, places=places)
    shown = [block for section in needing_flows(placed, asked) for block in section if block.kind != "kpis"]
    tables = [(block.data["title"], block.data.get("table") or block.data) for block in shown]
    named = {title: [c["name"] for c in table["columns"] if "place" in c["name"]] for title, table in tables}
    both = ["source_place", "destination_place"]
    assert {title: names for title, names in named.items() if names} == {
        "Rejects that belong to events": ["place"],
        "Sources refused at many doors": ["place"],
        "Where our workloads wanted to go": ["place"],
        "Doors that were closed": both,
        "Sources that got through": both,
        "Causes by peer and port": both,
        "Rejects by source": ["place"],
        "Rejects by destination": ["place"],
        "Rejects by interface and peer": both,
    }
