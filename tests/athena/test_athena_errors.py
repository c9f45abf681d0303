"""What Athena's engine says when something is in the way: what it is, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as sdk
from pyathena.error import DatabaseError

from auditkit.engines.athena.engine import AthenaEngine
from auditkit.engines.athena.words import NO_CREDENTIALS, bucket_refused, explained, stopped
from auditkit.errors import AuditkitError, EngineError, QueryError, ScanLimitError
from auditkit.model import Window
from tests.athena.conftest import Engines, Lab
from tests.athena.world import Faults, Workgroup

NOVEMBER = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
COUNT = "SELECT count(*) AS n FROM cloudtrail_events"


def failure(engine: AthenaEngine, sql: str = COUNT) -> AuditkitError:
    with pytest.raises(AuditkitError) as raised:
        engine.run(sql, {}, window=NOVEMBER)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None or raised.value.__suppress_context__
    return raised.value


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("athena:StartQueryExecution", "on arn:aws:athena:eu-central-1:111122223333:workgroup/primary"),
        ("athena:GetQueryExecution", "may not athena:GetQueryExecution"),
        ("athena:GetQueryResults", "may not athena:GetQueryResults"),
        ("athena:GetTableMetadata", "may not athena:GetTableMetadata"),
        ("glue:GetTable", "may not glue:GetTable on arn:aws:glue:"),
        ("glue:GetPartitions", r"may not glue:GetPartitions on arn:aws:glue:.*\(query "),
        ("kms:Decrypt", r"may not kms:Decrypt on arn:aws:kms:.*\(query "),
        ("s3:GetObject", r"may not reach s3://logs/AWSLogs/2026/11/02/a.json.gz .*s3:GetObject and s3:ListBucket"),
        ("s3:PutObject", r"may not reach s3://athena-\d+/results/.*csv .*s3:PutObject .*kms:GenerateDataKey"),
    ],
)
def test_a_missing_permission_is_named(athena: AthenaEngine, lab: Lab, action: str, said: str) -> None:
    lab.athena.faults.denied = {action}
    error = failure(athena)
    assert isinstance(error, EngineError)
    assert str(error).startswith("Access denied: ")
    assert action in str(error)
    assert re.search(said, str(error)), error


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (Faults(expired=True), "have expired. Log in again"),
        (Faults(unknown_key=True), "does not accept these credentials"),
    ],
)
def test_credentials_that_are_no_good(athena: AthenaEngine, lab: Lab, faults: Faults, said: str) -> None:
    lab.athena.faults = faults
    error = failure(athena)
    assert isinstance(error, EngineError)
    assert said in str(error)


def without_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    return NO_CREDENTIALS


def without_region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    return "No AWS region is set"


def without_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    return "The config profile (nobody) could not be found. `aws configure list-profiles`"


def without_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", "http://127.0.0.1:9")
    return "Athena cannot be reached"


@pytest.mark.parametrize("lacking", [without_keys, without_region, without_profile, without_network])
def test_what_this_machine_lacks(
    athena: AthenaEngine,
    lab: Lab,
    lacking: Callable[[pytest.MonkeyPatch, Path], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    said = lacking(monkeypatch, tmp_path)
    error = failure(athena)
    assert isinstance(error, EngineError)
    assert said in str(error)


def test_nothing_is_logged_to_the_terminal(athena: AthenaEngine, lab: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    lab.athena.faults.denied = {"athena:StartQueryExecution"}
    failure(athena)
    assert capfd.readouterr() == ("", "")


def test_an_unknown_workgroup(engine_with: Engines) -> None:
    error = failure(engine_with(workgroup="auditors"))
    assert "no Athena workgroup 'auditors' in this account and region" in str(error)


def test_no_place_for_results(athena: AthenaEngine, lab: Lab) -> None:
    lab.athena.workgroups["primary"] = Workgroup()
    error = failure(athena)
    assert "no place for the results of the workgroup 'primary'" in str(error)
    assert "--output-location s3://" in str(error)


def test_an_output_location_that_is_none(engine_with: Engines) -> None:
    assert "is no place in S3" in str(failure(engine_with(output_location="/tmp/results")))


@pytest.mark.parametrize("operation", ["StartQueryExecution", "GetQueryExecution", "GetQueryResults"])
def test_throttling_is_waited_out(athena: AthenaEngine, lab: Lab, operation: str) -> None:
    lab.athena.faults.throttled[operation] = 2
    assert athena.run("SELECT 1 AS x", {}, window=NOVEMBER).table.num_rows == 1


@pytest.mark.parametrize("operation", ["StartQueryExecution", "GetQueryExecution", "GetQueryResults"])
def test_throttling_that_does_not_end(athena: AthenaEngine, lab: Lab, operation: str) -> None:
    lab.athena.faults.throttled[operation] = 1000
    error = failure(athena, "SELECT 1 AS x")
    assert isinstance(error, EngineError)
    assert f"too busy for {operation}" in str(error)


def test_metadata_that_is_throttled_comes_from_glue(athena: AthenaEngine, lab: Lab) -> None:
    lab.athena.faults.throttled["GetTableMetadata"] = 1
    assert athena.run(COUNT, {}, window=NOVEMBER).table.to_pylist() == [{"n": 0}]
    assert len(lab.athena.operations("GetTable")) == 1
    assert athena.tables.stored["cloudtrail_events"].location == "s3://logs/store/cloudtrail_events/"


def test_a_statement_that_fails_says_why_and_which_it_was(athena: AthenaEngine, lab: Lab) -> None:
    lab.athena.faults.fails = "DIVISION_BY_ZERO: Division by zero\nat io.trino.Something"
    error = failure(athena)
    assert isinstance(error, QueryError)
    (query_id,) = lab.athena.executions
    assert str(error) == f"Athena stopped, query {query_id}: DIVISION_BY_ZERO: Division by zero"


def test_sql_that_athena_cannot_read(athena: AthenaEngine, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which never gets so far; the words are for what only Athena knows to refuse."""
    monkeypatch.setattr("auditkit.engines.athena.engine.sent", lambda _: "SELECT FROM WHERE")
    error = failure(athena)
    assert isinstance(error, QueryError)
    assert "Athena refuses the SQL: line 1:" in str(error)


def test_a_statement_that_somebody_stops(athena: AthenaEngine, lab: Lab) -> None:
    lab.athena.faults.cancels = "Query cancelled by user"
    error = failure(athena)
    assert isinstance(error, EngineError)
    assert str(error).startswith("Somebody stopped query ")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("trial", r"has no table audit\.trial\. Did you mean trail\?"),
        ("nothing_like_it", r"audit\.nothing_like_it\. The database has flows, trail\."),
        ("elsewhere.trail", r"has no table elsewhere\.trail\. Name it as DATABASE\.TABLE"),
        ("other.audit.trial", r"has no table other\.audit\.trial\. Did you mean trail"),
    ],
)
def test_an_unknown_table(engine_with: Engines, table: str, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        engine_with(cloudtrail_table=table).run(COUNT, {}, window=NOVEMBER)


def test_an_unknown_table_of_a_database_that_may_not_be_listed(engine_with: Engines, lab: Lab) -> None:
    lab.athena.faults.denied = {"athena:ListTableMetadata"}
    with pytest.raises(EngineError, match=r"has no table audit\.trial\. Name it as"):
        engine_with(cloudtrail_table="trial").run(COUNT, {}, window=NOVEMBER)


def test_a_table_that_is_missing_hinders_no_question_to_the_other(engine_with: Engines) -> None:
    engine = engine_with(cloudtrail_table="trial")
    assert engine.run("SELECT srcaddr FROM flow_records", {}, window=NOVEMBER).table.num_rows == 0


def test_a_table_that_was_not_named(engine_with: Engines) -> None:
    with pytest.raises(EngineError, match="No table of flow_records was named"):
        engine_with(flow_table=None).run("SELECT srcaddr FROM flow_records", {}, window=NOVEMBER)


REASONS: list[tuple[str, str, type[AuditkitError], str]] = [
    ("FAILED", "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved", QueryError, "COLUMN_NOT_FOUND: line 1:8"),
    ("FAILED", "SYNTAX_ERROR: line 2:1: Unexpected parameters", QueryError, "SYNTAX_ERROR: line 2:1"),
    ("FAILED", "", QueryError, "no reason is given"),
    ("FAILED", "TABLE_NOT_FOUND: line 1:15: Table 'a.b.c' does not exist", EngineError, "--cloudtrail-table"),
    ("FAILED", "Query exhausted resources at this scale factor", EngineError, "Ask for a shorter window"),
    ("FAILED", "Query timeout", EngineError, "Ask for a shorter window"),
    ("FAILED", "Insufficient Lake Formation permission(s): Required Select on trail", EngineError, "Lake Formation"),
    (
        "FAILED",
        "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: 1)",
        EngineError,
        "may not reach a bucket",
    ),
    ("CANCELLED", "Bytes scanned limit was exceeded", ScanLimitError, "after 7 bytes"),
    ("FAILED", "Query cancelled! : Bytes scanned limit was exceeded", ScanLimitError, "BytesScannedCutoffPerQuery"),
    ("CANCELLED", "", EngineError, "no reason is given"),
]


@pytest.mark.parametrize(("state", "reason", "kind", "said"), REASONS)
def test_the_reason_of_a_statement_that_ended_badly(
    state: str, reason: str, kind: type[AuditkitError], said: str
) -> None:
    error = stopped("q-1", state, reason, bytes_scanned=7, workgroup="primary")
    assert type(error) is kind
    assert said in str(error)
    assert "q-1" in str(error)


def refused(code: str, said: str, operation: str = "StartQueryExecution", **more: Any) -> DatabaseError:
    error = DatabaseError(said)
    error.__cause__ = sdk.ClientError({"Error": {"Code": code, "Message": said}, **more}, operation)  # type: ignore[typeddict-item]
    return error


ANSWERS: list[tuple[BaseException, type[AuditkitError], str]] = [
    (refused("AccessDenied", "no", "AssumeRole"), EngineError, "credentials cannot be had"),
    (refused("AccessDeniedException", "You are not allowed."), EngineError, "may not athena:StartQueryExecution"),
    (refused("InvalidRequestException", "Unable to verify/create output bucket x"), EngineError, "--output-location"),
    (refused("InvalidRequestException", "Something new"), EngineError, "InvalidRequestException to StartQueryExecution"),
    (refused("InternalServerException", ""), EngineError, "answered InternalServerException"),
    (refused("InvalidRequestException", "Queries of this type are not supported"), QueryError, "refuses the SQL"),
    (
        refused("AccessDeniedException", "is not authorized to perform: athena:X because of an explicit deny"),
        EngineError,
        "may not athena:X. Allow that action",
    ),
    (sdk.UnauthorizedSSOTokenError(), EngineError, "Log in again"),
    (sdk.CredentialRetrievalError(provider="x", error_msg="y"), EngineError, "Log in again"),
    (sdk.ReadTimeoutError(endpoint_url="x"), EngineError, "cannot be reached"),
    (DatabaseError("odd"), EngineError, "cannot be asked: odd"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "kind", "said"), ANSWERS)
def test_the_answer_to_a_request(error: BaseException, kind: type[AuditkitError], said: str) -> None:
    found = explained(error, workgroup="primary")
    assert type(found) is kind
    assert said in str(found)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (sdk.ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject"), "may not s3:GetObject on s3://b/k"),
        (sdk.ClientError({"Error": {"Code": "AccessDenied", "Message": "User: u is not authorized to perform: kms:Decrypt on resource: k"}}, "GetObject"), "may not kms:Decrypt on k"),
        (sdk.ClientError({"Error": {"Code": "NoSuchBucket", "Message": "gone"}}, "GetObject"), "S3 answered NoSuchBucket to s3:GetObject on s3://b/k: gone"),
        (sdk.ReadTimeoutError(endpoint_url="x"), "S3 answered ReadTimeoutError"),
    ],
)  # fmt: skip
def test_the_answer_of_a_bucket(error: Exception, said: str) -> None:
    assert said in str(bucket_refused(error, "s3:GetObject", "s3://b/k"))
