"""The report on secrets says who read which, and which reads no task explains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import auditkit
from auditkit import secrets_sections
from auditkit.audit import Audit
from auditkit.report.block import Block
from auditkit.rules import RuleRun
from tests.records import record, write_trail

ROLE = "arn:aws:iam::111122223333:role/"


def cells(block: Block) -> list[dict[str, Any]]:
    table = block.data["table"] if block.kind == "chart" else block.data
    names = [column["name"] for column in table["columns"]]
    return [dict(zip(names, row, strict=True)) for row in table["rows"]]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audit]:
    """Logs in which nobody touches a secret."""
    folder: Path = tmp_path_factory.mktemp("quiet")
    write_trail(folder / "trail.json", record(eventName="ListClusters"))
    with auditkit.open(folder) as opened:
        yield opened


def test_the_verdict_counts_secrets_readers_and_reads(audit: Audit, rule_run: RuleRun) -> None:
    asked = secrets_sections.access(audit)
    verdict, kpis = secrets_sections.verdict(audit, asked, rule_run)
    assert verdict.data["sentence"].startswith("15 secrets read by ")
    assert "readers that no task explains." in verdict.data["sentence"]
    assert verdict.data["severity"] == rule_run.of("secretsmanager.")[0].severity
    assert [item["label"] for item in kpis.data["items"]] == ["Secrets", "Readers", "Reads", "Denied"]
    assert sum(asked.frame()["read_count"]) == kpis.data["items"][2]["value"]


def test_the_role_that_injects_a_secret_explains_its_reads(audit: Audit) -> None:
    _, table = secrets_sections.readers(audit, secrets_sections.access(audit, "shop/db-app"))
    standing = {row["reader"]: row["standing"] for row in cells(table)}
    assert standing["checkout-execution"] == "role that injects it"
    assert standing["legacy-deploy"] == "not the task that should"


def test_what_is_least_explained_stands_first_within_a_secret(audit: Audit) -> None:
    _, table = secrets_sections.readers(audit, secrets_sections.access(audit, "shop/db-app"))
    assert cells(table)[-1]["standing"] == "role that injects it"


def test_a_person_is_named_by_the_session(audit: Audit) -> None:
    chart, _ = secrets_sections.readers(audit, secrets_sections.access(audit, "card-gateway"))
    assert {"ben.okafor@example.com", "legacy-deploy"} <= {row["reader"] for row in cells(chart)}


def test_reads_that_no_task_explains_are_listed_by_session(audit: Audit) -> None:
    (table,) = secrets_sections.unexplained(secrets_sections.access(audit, "card-gateway"))
    rows = cells(table)
    assert {row["secret"] for row in rows} == {"prod/payments/card-gateway"}
    assert {"platform-admin", "legacy-deploy"} <= {row["principal_name"] for row in rows}
    assert rows == sorted(rows, key=lambda row: row["first_seen"], reverse=True)


def test_what_tasks_should_read_names_who_registered_them(audit: Audit) -> None:
    (table,) = secrets_sections.injections(audit)
    rows = {row["secret"]: row for row in cells(table)}
    assert rows["prod/shop/db-app"]["execution_role_arn"] == f"{ROLE}checkout-execution"
    assert rows["prod/shop/db-app"]["registered_by"] == f"{ROLE}github-terraform"
    assert rows["prod/shop/db-app"]["read_count"] > 0


def test_only_findings_about_secrets_are_shown(audit: Audit, rule_run: RuleRun) -> None:
    (block,) = secrets_sections.findings(audit, rule_run)
    rules = {finding["rule"] for finding in block.data["findings"]}
    assert rules
    assert all(rule.startswith("secretsmanager.") for rule in rules)


def test_where_no_secret_was_read_it_is_said(quiet: Audit) -> None:
    asked, run = secrets_sections.access(quiet), quiet.evaluate()
    verdict, _ = secrets_sections.verdict(quiet, asked, run)
    assert verdict.data["sentence"].startswith("No secret was read")
    assert verdict.data["severity"] == "info"
    chart, table = secrets_sections.readers(quiet, asked)
    assert chart.data["spec"] is None
    assert table.data["empty"].startswith("No secret was read")
    assert cells(secrets_sections.unexplained(asked)[0]) == []
    assert "No task definition" in secrets_sections.injections(quiet)[0].data["empty"]
    assert secrets_sections.findings(quiet, run)[0].data["empty"].startswith("No rule about secrets fired")
