"""The review as blocks: the sample company's truth step by step, and what is said when there is nothing to say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditkit import opening, review_sections
from auditkit.audit import Audit
from auditkit.evidence import NOTHING_TO_JUDGE, Coverage
from auditkit.review_sections import Reviewed
from auditkit.rules import RuleRun

# The truth of data-samples/README.md, in the words of each step.
TOLD = {
    1: ("bad", ["sg-0245763cab4e4e931 (of the database) was opened to the whole internet", "by user backup-agent on 2026-11-03 02:31", "taken back on 2026-11-03 09:03"]),
    2: ("bad", ["metrics-sync:1 carries what looks like a secret in plain text", "PGPASSWORD", "checkout:42, checkout:43 and checkout:44 take DB_URL"]),
    3: ("bad", ["Task given an administrator role", "platform-admin", "role checkout-task of account 111122223333 called"]),
    4: ("bad", ["User legacy-deploy of account 111122223333, whom", "clara.weiss@example.com", "by role AWSServiceRoleForApplicationAutoScaling_ECSService and role github-terraform"]),
    5: ("attention", ["docker.io/library/alpine:3.19", "Whether tags of shop/checkout can be moved is not in these logs"]),
    6: ("bad", ["VPC flow log deleted", "made again on 2026-11-03 09:12", "Tried in vain: CloudTrail switched off", "3,600 s"]),
    7: ("bad", ["legacy-deploy of account 111122223333 opened a shell in task 8c3030b1dae3e234f034d21c390cf6e6", "fetches the task's credentials"]),
    8: ("bad", ["metrics-sync:1 was started with a public address by user legacy-deploy", "Whether tasks of service checkout get public addresses"]),
    9: ("bad", ["Scan from inside the network", "10.20.10.122", "It comes from a task."]),
}  # fmt: skip


@pytest.fixture(scope="module")
def facts(audit: Audit) -> Coverage:
    return audit.coverage()


@pytest.fixture(scope="module")
def done(audit: Audit, rule_run: RuleRun, facts: Coverage) -> Reviewed:
    return review_sections.reviewed(audit, rule_run, facts)


@pytest.fixture(scope="module")
def later(audit: Audit) -> Iterator[Audit]:
    """The same store, in a window after everything."""
    with opening.open(store=audit.store.folder, since="2027-01-01") as opened:
        yield opened


@pytest.mark.parametrize("number", TOLD)
def test_each_step_tells_the_truth_of_the_sample_company(done: Reviewed, number: int) -> None:
    verdict, texts = TOLD[number]
    block = review_sections.step(done, number)[0].data
    assert block["verdict"] == verdict
    sentences = " ".join(check["sentence"] for check in block["checks"])
    assert [text for text in texts if text not in sentences] == []


def test_no_step_shows_the_password_of_the_definition(done: Reviewed) -> None:
    shown = [block.data for number in TOLD for block in review_sections.step(done, number)]
    assert "PGPASSWORD" in json.dumps(shown)
    assert "hunter" not in json.dumps(shown)


def test_the_checklist_comes_first_and_leads_to_every_step(audit: Audit, done: Reviewed) -> None:
    verdict, checklist = review_sections.checklist(audit, done)
    assert verdict.data["sentence"] == "Of 9 steps 8 are bad, 1 needs attention."
    assert verdict.data["severity"] == "high"
    assert "for any service, by 2," in verdict.data["detail"]
    assert [item["number"] for item in checklist.data["items"]] == list(TOLD)


def test_evidence_stands_behind_each_step_with_its_sql_and_event_ids(done: Reviewed) -> None:
    for one in done.steps:
        _, *tables = review_sections.step(done, one.number)
        titles = [table.data["title"] for table in tables]
        assert len(set(titles)) == len(titles)
        asked = [table for table in tables if table.data["title"] not in ("Findings that this step rests on",)]
        assert all("FROM" in table.data["sql"] for table in asked)
        names = [column["name"] for column in asked[0].data["columns"]]
        assert {"event_id", "flow"} & set(names)


def test_events_that_checks_rest_on_are_in_the_log(audit: Audit, done: Reviewed) -> None:
    ids = [event for one in done.steps for event in one.event_ids if " " not in event]  # the others are flows
    assert ids
    assert set(audit.ask("activity/events_by_id", {"ids": ids}).frame()["event_id"]) == set(ids)


def test_findings_that_steps_rest_on_are_shown_in_full_and_once(audit: Audit, done: Reviewed) -> None:
    [cards] = review_sections.findings(audit, done)
    shown = [card["id"] for card in cards.data["findings"]]
    assert len(set(shown)) == len(shown) > 15
    assert cards.data["findings"][0]["severity"] == "critical"
    assert cards.data["findings"][0]["evidence"]["rows"]


def test_one_service_is_judged_by_its_own_definitions(audit: Audit, rule_run: RuleRun, facts: Coverage) -> None:
    one = review_sections.reviewed(audit, rule_run, facts, cluster="shop", service="checkout")
    verdicts = {step.number: step.verdict for step in one.steps}
    assert (verdicts[2], verdicts[8]) == ("attention", "cannot_tell")
    assert "metrics-sync" not in json.dumps([step.sentence for step in one.steps])
    assert "service checkout in cluster shop" in review_sections.checklist(audit, one)[0].data["detail"]


def test_a_service_that_no_call_names_is_not_called_clean(audit: Audit, rule_run: RuleRun, facts: Coverage) -> None:
    one = review_sections.reviewed(audit, rule_run, facts, service="chekout")
    note = review_sections.checklist(audit, one)[1]
    assert note.text == "No call of the window names service chekout. It names checkout in cluster shop."
    assert note.data["level"] == "warning"


def test_an_empty_window_can_tell_nothing(later: Audit) -> None:
    nothing = review_sections.reviewed(later, later.evaluate(), later.coverage())
    verdict, checklist = review_sections.checklist(later, nothing)
    assert verdict.data["sentence"] == NOTHING_TO_JUDGE
    assert verdict.data["severity"] == "info"  # None would be drawn as good news
    assert {item["verdict"] for item in checklist.data["items"]} == {"cannot_tell"}
    for number in TOLD:
        assert review_sections.step(nothing, number)
    assert review_sections.findings(later, nothing)[0].text == "No step rests on a finding of a rule."


def test_the_notebook_makes_a_report(samples: Path, tmp_path: Path) -> None:
    with opening.open(store=samples) as opened:
        made = opened.report("ecs_review", out=tmp_path, service="checkout")
    html = made.record.out_file.read_text(encoding="utf-8")
    assert 'id="step-9"' in html
    assert made.record.highest == "critical"
