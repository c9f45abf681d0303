"""The command line on Athena, over tables as AWS documents them: the same findings as from the files themselves."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from auditkit.rules import RuleRun
from tests import raw_flow_tables, raw_tables
from tests.athena.conftest import DATABASE, Lab
from tests.conftest import DATA_SAMPLES, Command

TRAIL, FLOWS = "cloudtrail_logs", "vpc_flow_logs"
WHERE = ("--engine", "athena", "--since", "2026-11-02", "--until", "2026-11-04", "--database", DATABASE)
HIVE = {"varchar": "string", "integer": "int", "row": "struct"}


@pytest.fixture
def organization(lab: Lab) -> Lab:
    """The sample company's files behind two tables with AWS's columns, partitioned by day."""
    files = sorted(DATA_SAMPLES.glob("AWSLogs/*/CloudTrail/**/*.json.gz"))
    records, paths = [], []
    for file in files:
        for record in json.loads(gzip.decompress(file.read_bytes()))["Records"]:
            records.append(record)
            paths.append(f"s3://logs/{file.relative_to(DATA_SAMPLES)}")
    days = [record["eventTime"][:10].replace("-", "/") for record in records]
    rows = raw_tables.aws_cloudtrail(records, paths=paths).append_column("timestamp", pa.array(days))
    hold(lab, TRAIL, rows, raw_tables.declared("aws"), "timestamp")
    lines: dict[bytes, list[bytes]] = {}
    for file in sorted(DATA_SAMPLES.glob("AWSLogs/*/vpcflowlogs/**/*.log.gz")):
        header, _, text = gzip.decompress(file.read_bytes()).partition(b"\n")
        lines.setdefault(header, []).append(text)
    flows = pa.concat_tables(
        [raw_flow_tables.raw_flows(header + b"\n" + b"".join(texts)) for header, texts in lines.items()],
        promote_options="default",
    )
    flow_days = [f"2026/11/{2 + (start >= 1_793_664_000):02}" for start in flows["start"].to_pylist()]
    flows = flows.append_column("day", pa.array(flow_days))
    kinds = raw_flow_tables.described(flows).columns
    hold(lab, FLOWS, flows, kinds, "day")
    return lab


def hold(lab: Lab, name: str, rows: pa.Table, columns: Any, key: str) -> None:
    """Make *rows* a table whose *key* is a projected day."""
    lab.backend.hold(DATABASE, name, rows)
    listed = {column: kind for column, kind in columns.items() if column not in ("$path", key)}
    lab.athena.tables[DATABASE, name] = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Columns": [{"Name": column, "Type": kind.sql("hive").lower()} for column, kind in listed.items()],
        "PartitionKeys": [{"Name": key, "Type": "string"}],
        "Parameters": {
            "location": "s3://logs/AWSLogs/",
            "projection.enabled": "true",
            f"projection.{key}.type": "date",
            f"projection.{key}.format": "yyyy/MM/dd",
            f"projection.{key}.range": "2026/01/01,NOW",
        },
    }


def test_findings_are_those_of_the_files_and_take_one_statement_a_table(
    organization: Lab, command: Command, rule_run: RuleRun
) -> None:
    said = command("findings", *WHERE, "--cloudtrail-table", TRAIL, "--flow-table", FLOWS, "--format", "json")
    assert said.code == 0, said.err
    assert {one["id"] for one in said.json["findings"]} == {finding.id for finding in rule_run.findings}
    assert said.json["coverage"]["balanced"]
    unloads = [text for text in organization.athena.sent if text.startswith("UNLOAD")]
    assert len(unloads) == len(organization.athena.sent) == 2
    for text in unloads:
        assert "'2026/11/02'" in text
        assert "'2026/11/04'" in text, "the day after, for what came late"
        assert "2026-11-02 00:00:00" in text or "1793577600" in text, (
            "the window itself, which flow logs have in seconds"
        )
    assert [key for key in organization.stored() if "auditkit/" in key] == [], "files are gone when they were read"


def test_a_query_runs_there_and_says_what_it_cost(organization: Lab, command: Command) -> None:
    said = command(
        "query",
        "activity/secret_reads",
        *WHERE,
        "--cloudtrail-table",
        TRAIL,
        "--format",
        "json",
        "--aws-region",
        "eu-west-1",
    )
    assert said.code == 0, said.err
    assert len(said.json) == 61
    assert "athena: query " in said.err
    assert "athena: 1 statement" in said.err


def test_pull_and_check_work_on_the_tables_of_an_organization(organization: Lab, command: Command) -> None:
    tables = ("--cloudtrail-table", TRAIL, "--flow-table", FLOWS)
    checked = command("athena", "check", *WHERE[2:], *tables, "--format", "json")
    assert checked.code == 0, checked.err
    events, flows = checked.json
    assert (events["layout"], events["lacking"], events["partition_keys"]) == ("aws", [], ["timestamp"])
    assert (flows["layout"], flows["partition_keys"]) == ("aws", ["day"])
    pulled = command("pull", *WHERE, *tables, "--store", "pulled", "--services", "iam,secretsmanager", "--json")
    assert pulled.code == 0, pulled.err
    assert pulled.json["days"] == 4
    assert pulled.json["cost_usd"] is not None
    found = command(
        "sql",
        "SELECT DISTINCT service FROM cloudtrail_events ORDER BY service",
        "--store",
        "pulled",
        "--format",
        "json",
    )
    assert found.json == [{"service": "iam"}, {"service": "secretsmanager"}]
    assert Path("pulled/ledger.sqlite").is_file()


def test_a_scan_that_is_too_large_is_refused_before_it_starts(organization: Lab, command: Command) -> None:
    s3 = organization.athena.s3
    s3.create_bucket(Bucket="logs-large", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    key = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/02/111122223333_CloudTrail_eu-central-1_20261102T0030Z_x.json.gz"
    s3.put_object(Bucket="logs-large", Key=key, Body=b"x" * 5_000)
    organization.athena.tables[DATABASE, TRAIL]["Parameters"]["location"] = "s3://logs-large/AWSLogs/"
    said = command("findings", *WHERE, "--cloudtrail-table", TRAIL, "--max-scan", "4KB")
    assert said.code == 3
    assert "--max-scan allows 4.0 kB, and this would read at most 5.0 kB in 1 object" in said.err
    assert organization.athena.sent == []
