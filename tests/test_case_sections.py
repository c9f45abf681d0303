"""Cases and the allowlist as blocks of a report."""

from __future__ import annotations

import json
from datetime import date

from auditkit import case_sections
from auditkit.allowlist import Allowlist, Entry
from auditkit.cases import Cases, cases
from auditkit.rules import RuleRun
from tests.made_findings import made

EVE = "arn:aws:iam::111122223333:user/eve"
REASON = "The joiner script does this."


def test_a_case_is_a_table_of_its_timeline(rule_run: RuleRun) -> None:
    everything = cases(rule_run.findings)
    found = Cases(everything.cases[:1], everything.alone)
    note, table = case_sections.cases(found)
    told = len(found.cases[0].findings)
    assert note.text.startswith(f"{told} findings belong to 1 case; {len(found.alone)} stand alone.")
    assert table.data["title"] == found.cases[0].title
    assert table.data["total"] == told
    assert table.data["about"].startswith("Principals: arn:aws:iam::111122223333:user/legacy-deploy, ")
    times = [row[0] for row in table.data["rows"]]
    assert times == sorted(times)


def test_several_cases_have_a_table_of_their_own_and_say_what_is_new() -> None:
    findings = [
        made(principal_arn=EVE, rule=f"a.r{n}", at=at, source_ips=[]) for n, at in enumerate((0, 5, 2_000, 2_005))
    ]
    found = cases(findings)
    assert len(found.cases) == 2
    known = {finding.id for finding in findings[1:]}
    shown = case_sections.cases(found, known)
    assert [block.kind for block in shown] == ["note", "table", "table", "table"]
    assert shown[2].data["about"].endswith("1 of the 2 findings is new.")
    assert shown[3].data["about"].endswith("None of the 2 findings are new.")


def test_only_the_worst_are_told_and_all_are_named() -> None:
    findings = [made(principal_arn=f"{EVE}-{n // 2}", rule=f"a.r{n}", source_ips=[]) for n in range(44)]
    shown = case_sections.cases(cases(findings))
    assert shown[1].data["total"] == 22
    assert sum(1 for block in shown if block.kind == "table") == 1 + case_sections.MOST_CASES
    assert shown[-1].text == "The timelines are of the 20 worst cases; the table names all of them."


def test_no_case_is_said_in_a_sentence() -> None:
    assert case_sections.cases(cases([]))[0].text == "No findings belong together."
    [note] = case_sections.cases(cases([made()]))
    assert note.text == "No findings belong together: 1 finding without a connection."


def test_names_and_secrets_of_the_log_are_made_harmless() -> None:
    summary = "Called with \x1b[2J and password=hunter2."
    findings = [made(principal_arn=EVE, rule=rule, summary=summary, source_ips=[]) for rule in ("a.b", "b.c")]
    told = json.dumps([block.data for block in case_sections.cases(cases(findings))], ensure_ascii=False)
    assert "hunter2" not in told
    assert "\\\\u001b[2J" in told  # as text, which moves no cursor


def test_what_is_suppressed_is_shown_with_who_answers_for_it() -> None:
    entries = [
        Entry(number=n, rule="iam.*", resource=resource, reason=REASON, owner="platform", expires=date(2026, 11, day))
        for n, resource, day in ((1, "bob", 9), (2, "eve", 1), (3, "nobody", 30))
    ]
    findings = [made(resource="bob"), made(resource="eve")]
    shown = case_sections.allowed(Allowlist(tuple(entries)).apply(findings, today=date(2026, 11, 3)))
    assert [block.data.get("level") for block in shown] == ["info", "warning", "warning", None]
    [row] = shown[-1].data["rows"]
    names = [column["name"] for column in shown[-1].data["columns"]]
    told = dict(zip(names, row, strict=True))
    assert (told["resource"], told["reason"], told["expires"], told["entry"]) == ("bob", REASON, "2026-11-09", 1)
    assert told["finding_id"] == findings[0].id


def test_an_allowlist_that_did_nothing_says_so() -> None:
    [table] = case_sections.allowed(Allowlist().apply([made()], today=date(2026, 11, 3)))
    assert table.data["empty"] == "The allowlist suppressed nothing."
