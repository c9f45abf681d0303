"""The report on one subject: the answer first, a picture and a proof for each step, then all that is known."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from auditkit import investigate_sections
from auditkit.audit import Audit
from auditkit.identity.answer import Answer
from auditkit.report.block import Block
from tests.conftest import DATA_SAMPLES

LABELS = yaml.safe_load((DATA_SAMPLES / "labels.yaml").read_text(encoding="utf-8"))
FAR = next(one for one in LABELS["lineage"] if len(one["chain"]) == 3)  # a session three steps away from its task


def cells(block: Block) -> list[dict[str, Any]]:
    table = block.data["table"] if block.kind == "chart" else block.data
    names = [column["name"] for column in table["columns"]]
    return [dict(zip(names, row, strict=True)) for row in table["rows"]]


def titled(shown: list[Block], title: str) -> Block:
    return next(block for block in shown if block.data.get("title") == title)


@pytest.fixture(scope="module")
def far(audit: Audit) -> Answer:
    return audit.who(FAR["subject"])


@pytest.fixture(scope="module")
def stranger(audit: Audit) -> Answer:
    return audit.who(LABELS["attacker"])


def test_the_verdict_is_the_answer_in_a_sentence(far: Answer) -> None:
    verdict, kpis = investigate_sections.verdict(far)
    assert verdict.data["sentence"] == far.sentence
    assert FAR["origin"]["session_name"] in verdict.data["sentence"]
    assert {item["label"]: item["value"] for item in kpis.data["items"]}["Denied"] == 1


def test_the_verdict_is_as_bad_as_the_worst_finding(stranger: Answer) -> None:
    assert investigate_sections.verdict(stranger)[0].data["severity"] == "critical"


def test_every_step_of_the_lineage_is_drawn_and_proven(far: Answer) -> None:
    shown = investigate_sections.lineage(far)
    names = [row["name"] for row in cells(titled(shown, "Lineage"))]
    assert len(names) == 4
    assert "analytics-reader/export-7" in names
    steps = cells(titled(shown, "Each step and the event that proves it"))
    assert [step["event_id"] for step in steps] == [hop["event_id"] for hop in FAR["chain"]]
    assert {step["certainty"] for step in steps} == {"proven"}


def test_the_picture_marks_the_subject_and_what_stands_at_the_beginning(far: Answer) -> None:
    places = {row["name"]: row["place"] for row in cells(titled(investigate_sections.lineage(far), "Lineage"))}
    assert places["analytics-reader/export-7"] == "subject"
    assert places[f"checkout-task/{FAR['origin']['session_name']}"] == "origin"
    assert places["reporting-export/export-7"] == "between"


def test_a_key_that_somebody_else_made_is_told(stranger: Answer) -> None:
    (made,) = cells(titled(investigate_sections.lineage(stranger), "Keys that somebody else made"))
    assert (made["by"], made["became"]) == ("legacy-deploy", "backup-agent")


def test_activity_adds_up(audit: Audit, stranger: Answer) -> None:
    shown = investigate_sections.activity(audit, stranger)
    minutes = cells(titled(shown, "When"))
    services = cells(titled(shown, "Calls by service"))
    calls = sum(1 for label in LABELS["events"] if label["incident"] == "night" and label["time"] < "2026-11-03T03")
    assert sum(row["event_count"] for row in minutes) == sum(row["event_count"] for row in services)
    assert 0.8 * calls < sum(row["event_count"] for row in services) <= calls + 10
    assert sum(row["event_count"] for row in cells(titled(shown, "Denied"))) == sum(
        row["denied_count"] for row in services
    )


def test_the_network_around_an_address_is_shown(stranger: Answer) -> None:
    shown = investigate_sections.network(stranger)
    assert {row["srcaddr"] for row in cells(titled(shown, "Rejects"))} >= {LABELS["attacker"]}
    assert cells(titled(shown, "Rejects and events"))


def test_who_registered_and_started_a_task_is_told(audit: Audit) -> None:
    shown = investigate_sections.workload(audit.who(LABELS["task_started"]))
    assert [row["task_definition"] for row in cells(titled(shown, "ECS tasks"))] == ["metrics-sync:1"]
    makers = cells(titled(shown, "Who registered, deployed and started"))
    assert {row["event"] for row in makers} == {"RunTask", "RegisterTaskDefinition"}
    assert {row["by"] for row in makers} == {"legacy-deploy"}


def test_what_cannot_be_told_is_told(stranger: Answer) -> None:
    text = " ".join(block.data["text"] for block in investigate_sections.unknown(stranger))
    assert "Several people can share an address" in text


def test_findings_come_with_their_evidence(audit: Audit, stranger: Answer) -> None:
    (block,) = investigate_sections.findings(audit, stranger)
    assert len(block.data["findings"]) == len(stranger.findings) > 10


def test_a_session_taken_with_stolen_credentials_is_as_bad_as_the_theft(far: Answer) -> None:
    """It did nothing that a rule names; the step that led to it did."""
    assert "sts.session_outside_while_task_scans" in {finding.rule for finding in far.findings}
    assert investigate_sections.verdict(far)[0].data["severity"] == "critical"
