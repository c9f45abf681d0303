"""Answers in files: what Athena writes to S3, what is read of it, and that nothing stays there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from auditkit.engines.athena.engine import AthenaEngine
from auditkit.engines.athena.files import Files, Unloaded
from auditkit.errors import EngineError, QueryError
from auditkit.logs.s3.bucket import Bucket, split
from auditkit.model import Parameter, Running, Window
from tests.athena.conftest import Engines, Lab
from tests.athena.world import Workgroup
from tests.cases import cloudtrail_events

NOVEMBER = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
SQL = "SELECT event_id, event_time, mfa, ARRAY[event_name, user_agent] AS both FROM cloudtrail_events WHERE event_name <> :odd"
ODD = Parameter("varchar", "it's")


@pytest.fixture
def filled(lab: Lab) -> Lab:
    lab.hold(
        "cloudtrail_events",
        cloudtrail_events([{"event_name": "a, b", "user_agent": "{n}", "mfa": True, "repeat": 5}]),
    )
    return lab


def test_rows_are_unloaded_into_files(athena: AthenaEngine, filled: Lab) -> None:
    unloaded = athena.unload(SQL, {"odd": ODD}, window=NOVEMBER)
    assert len(unloaded.files) == 2
    assert all(url.startswith(f"{filled.location}auditkit/") for url in unloaded.files)
    assert unloaded.bytes_scanned == 12_345
    assert unloaded.query_id in filled.athena.executions
    assert unloaded.duration_s > 0
    assert "UNLOAD" not in unloaded.sql
    tables = list(Files(filled.athena.s3).tables(unloaded))
    rows = sorted((row for table in tables for row in table.to_pylist()), key=lambda row: row["event_id"])
    assert [row["event_id"] for row in rows] == ["e1", "e2", "e3", "e4", "e5"]
    assert rows[0]["both"] == ["a, b", "1"]
    assert rows[0]["event_time"] == datetime(2026, 11, 2, 9, 1)


def test_the_files_are_parquet_that_our_own_readers_open(athena: AthenaEngine, filled: Lab) -> None:
    unloaded = athena.unload(SQL, {"odd": ODD}, window=NOVEMBER)
    _, key = split(unloaded.files[0])
    file = pq.ParquetFile(pa.BufferReader(Bucket(unloaded.files[0]).get(key)))
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert file.metadata.num_rows in (2, 3)


def test_the_statement_is_an_unload_of_what_was_asked(athena: AthenaEngine, filled: Lab) -> None:
    athena.unload(SQL, {"odd": ODD}, window=NOVEMBER)
    (text,) = filled.athena.sent
    assert text.startswith("UNLOAD (\nWITH cloudtrail_events AS (")
    assert "event_name <> 'it''s'" in text
    assert "JSON_FORMAT" not in text  # files have lists
    assert f") TO '{filled.location}auditkit/" in text
    assert text.endswith("WITH (format = 'PARQUET', compression = 'ZSTD')")
    (request,) = filled.athena.operations("StartQueryExecution")
    assert not request.get("ResultReuseConfiguration", {}).get("ResultReuseByAgeConfiguration", {}).get("Enabled")


def test_other_formats_have_compressions_of_their_own(athena: AthenaEngine, filled: Lab) -> None:
    athena.unload(SQL, {"odd": ODD}, window=NOVEMBER, table_format="ORC")
    assert filled.athena.sent[0].endswith("WITH (format = 'ORC')")


def test_no_rows_are_no_files(athena: AthenaEngine, lab: Lab) -> None:
    unloaded = athena.unload(SQL, {"odd": ODD}, window=NOVEMBER)
    assert unloaded.files == ()
    assert athena.remove(unloaded) == ()


def test_each_unload_has_a_folder_of_its_own(athena: AthenaEngine, filled: Lab) -> None:
    first, again = (athena.unload(SQL, {"odd": ODD}, window=NOVEMBER) for _ in range(2))
    assert first.location != again.location
    assert athena.remove(first) == ()
    assert {url.removeprefix(f"s3://{filled.bucket}/") for url in again.files} <= set(filled.stored())


def test_what_was_unloaded_can_be_removed(athena: AthenaEngine, filled: Lab) -> None:
    unloaded = athena.unload(SQL, {"odd": ODD}, window=NOVEMBER)
    assert athena.remove(unloaded) == ()
    assert filled.stored() == []
    assert athena.remove(unloaded) == ()


def test_what_cannot_be_removed_is_told(athena: AthenaEngine, filled: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    unloaded = athena.unload(SQL, {"odd": ODD}, window=NOVEMBER)
    monkeypatch.setattr(athena, "connection", _NoS3())
    assert set(athena.remove(unloaded)) == {*unloaded.files, str(unloaded.manifest)}


def test_many_files_are_removed_a_request_at_a_time(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.engines.athena.files.AT_ONCE", 3)
    for key in [*(f"folder/{number}" for number in range(8)), "folder-beside/0"]:
        lab.athena.s3.put_object(Bucket=lab.bucket, Key=key, Body=b"")
    lab.asked_of_s3.clear()
    assert Files(lab.athena.s3).remove(f"s3://{lab.bucket}/folder/") == ()
    assert [request.method for request in lab.asked_of_s3.requests] == ["GET", "POST", "POST", "POST"]
    assert lab.stored() == ["folder-beside/0"]


class _NoS3:
    """A connection whose S3 forbids everything."""

    def close(self) -> None:
        pass

    class s3_client:  # noqa: N801
        @staticmethod
        def get_paginator(name: str) -> Any:
            raise _denied()

        @staticmethod
        def delete_objects(**_: Any) -> Any:
            raise _denied()

        @staticmethod
        def get_object(**_: Any) -> Any:
            raise _denied()


def _denied() -> Exception:
    return ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteObjects")


def test_files_need_a_place(athena: AthenaEngine, lab: Lab) -> None:
    lab.athena.workgroups["primary"] = Workgroup(is_managed=True)
    with pytest.raises(EngineError, match=r"workgroup 'primary' has none of its own\. .*--output-location"):
        athena.unload(SQL, {"odd": ODD}, window=NOVEMBER)
    assert lab.athena.sent == []


def test_the_place_of_the_settings_comes_first(engine_with: Engines, filled: Lab) -> None:
    filled.athena.faults.denied = {"athena:GetWorkGroup"}
    unloaded = engine_with(output_location=f"s3://{filled.bucket}/mine").unload(SQL, {"odd": ODD}, window=NOVEMBER)
    assert unloaded.location.startswith(f"s3://{filled.bucket}/mine/auditkit/")


def test_who_may_not_ask_for_the_place_is_told(athena: AthenaEngine, lab: Lab) -> None:
    lab.athena.faults.denied = {"athena:GetWorkGroup"}
    with pytest.raises(EngineError, match="may not athena:GetWorkGroup"):
        athena.unload(SQL, {"odd": ODD}, window=NOVEMBER)


def test_what_a_failure_leaves_is_removed(athena: AthenaEngine, filled: Lab) -> None:
    filled.athena.faults.fails = "GENERIC_INTERNAL_ERROR: gone"
    with pytest.raises(QueryError, match=r"gone$"):
        athena.unload(SQL, {"odd": ODD}, window=NOVEMBER)
    assert filled.stored() == []


def test_what_a_failure_leaves_and_cannot_be_removed_is_named(
    athena: AthenaEngine, filled: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.athena.faults.fails = "GENERIC_INTERNAL_ERROR: gone"
    monkeypatch.setattr("auditkit.engines.athena.files.Files._left_of", lambda _, urls: list(urls))
    with pytest.raises(QueryError, match=r"gone These files were left in S3, remove them: s3://athena-.*/orphan\."):
        athena.unload(SQL, {"odd": ODD}, window=NOVEMBER)


def test_ctrl_c_leaves_nothing(engine_with: Engines, filled: Lab) -> None:
    pressed: list[Running] = []

    def press(running: Running) -> None:
        if running.state == "RUNNING" and not pressed:
            pressed.append(running)
            raise KeyboardInterrupt

    filled.athena.faults.never_ends = True
    with pytest.raises(KeyboardInterrupt):
        engine_with(progress=press).unload(SQL, {"odd": ODD}, window=NOVEMBER)
    assert [execution.state for execution in filled.athena.executions.values()] == ["CANCELLED"]
    assert filled.stored() == []


def test_a_manifest_that_cannot_be_read(athena: AthenaEngine, filled: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.engines.athena.engine.Files", lambda _: Files(_NoS3.s3_client))
    with pytest.raises(EngineError, match=r"may not s3:GetObject on s3://athena-\d+/results/.*-manifest\.csv"):
        athena.unload(SQL, {"odd": ODD}, window=NOVEMBER)


# Extraction: rows by way of files, and no files after that


def extracted(engine: AthenaEngine) -> Iterator[dict[str, Any]]:
    with engine.extract(SQL, {"odd": ODD}, window=NOVEMBER) as extraction:
        for table in extraction.batches():
            yield from table.to_pylist()
        assert extraction.bytes_scanned == 12_345
        assert extraction.cost_usd
        assert extraction.query_id
        assert extraction.sql.startswith("SELECT")


def test_rows_are_extracted_and_their_files_removed(athena: AthenaEngine, filled: Lab) -> None:
    rows = sorted(extracted(athena), key=lambda row: row["event_id"])
    assert [row["both"] for row in rows] == [["a, b", str(number)] for number in range(1, 6)]
    assert filled.stored() == []


def test_managed_results_are_extracted_by_page(athena: AthenaEngine, filled: Lab) -> None:
    filled.athena.workgroups["primary"] = Workgroup(is_managed=True)
    assert len(list(extracted(athena))) == 5
    assert not any(text.startswith("UNLOAD") for text in filled.athena.sent)


def test_files_are_removed_when_their_reader_stops(athena: AthenaEngine, filled: Lab) -> None:
    with pytest.raises(ZeroDivisionError), athena.extract(SQL, {"odd": ODD}, window=NOVEMBER):
        raise ZeroDivisionError
    assert filled.stored() == []


def test_files_that_stay_are_told_of_and_their_rows_are_kept(
    athena: AthenaEngine, filled: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("auditkit.engines.athena.files.Files._left_of", lambda _, urls: list(urls))
    assert len(list(extracted(athena))) == 5
    assert f"were left in S3, remove them: s3://{filled.bucket}/" in caplog.text


def test_a_file_that_is_gone(lab: Lab) -> None:
    gone = Unloaded("q", 0, (f"s3://{lab.bucket}/gone",), 0.0, "", f"s3://{lab.bucket}/folder/")
    with pytest.raises(EngineError, match="NoSuchKey to s3:GetObject"):
        list(Files(lab.athena.s3).tables(gone))
