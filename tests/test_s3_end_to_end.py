"""Commands over a bucket say what they say over the folder it was copied from, and fetch no more than they must."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import auditkit
from auditkit.errors import SourceError, WindowError
from auditkit.lab import prepare
from auditkit.logs.discover import discover
from auditkit.runs import split_notebook
from tests.conftest import Command
from tests.records import flow_line, record, trail, write_flows, write_trail
from tests.s3_server import Answer, Filled, Request, Scripted, listing, refusal

TRAIL = "AWSLogs/111122223333/CloudTrail/eu-central-1/{:%Y/%m/%d}/"
FLOWS = "AWSLogs/111122223333/vpcflowlogs/eu-central-1/{:%Y/%m/%d}/"


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    """Two days of a trail and a flow log, on disk."""
    folder = tmp_path / "exports"
    for day in (2, 3):
        events = [
            record(f"{day}-{n}", eventTime=f"2026-11-{day:02}T10:00:{n:02}Z", requestParameters={"secretId": f"s{n}"})
            for n in range(30)
        ]
        write_trail(folder / TRAIL.format(date(2026, 11, day)) / "a.json.gz", *events)
    write_flows(folder / FLOWS.format(date(2026, 11, 2)) / "f.log.gz", flow_line(), flow_line(dstport=22))
    return folder


def test_a_bucket_answers_as_the_folder_it_was_copied_from(filled: Filled, exports: Path, command: Command) -> None:
    filled.copy(exports)
    local = command("findings", exports, "--format", "json").json
    remote = command("findings", filled.url + "/AWSLogs", "--format", "json").json
    assert local["findings"]
    assert remote["findings"] == local["findings"]
    assert remote["window"] == local["window"]


def test_a_second_ingest_reads_nothing_and_a_late_file_alone(filled: Filled, exports: Path, command: Command) -> None:
    filled.copy(exports)
    ingest = ("ingest", filled.url, "--store", "store", "--json")
    first = command(*ingest).json
    assert (first["files"], first["events"], first["flow_records"]) == (3, 60, 2)
    filled.asked.clear()
    again = command(*ingest).json
    assert (again["files"], again["known_files"], again["events"]) == (0, 3, 0)
    assert filled.asked.read == []
    late = TRAIL.format(date(2026, 11, 2)) + "late.json"
    filled.put(late, body=trail(record("late")))
    third = command(*ingest).json
    assert (third["files"], third["known_files"], third["events"]) == (1, 3, 1)
    assert filled.asked.read == [f"/{filled.name}/{late}"]


def test_a_changed_object_takes_the_place_of_what_it_was(filled: Filled, command: Command) -> None:
    filled.put("a.json", body=trail(record("e1"), record("e2")))
    command("ingest", filled.url, "--store", "store")
    filled.put("a.json", body=trail(record("e2"), record("e3")))
    command("ingest", filled.url, "--store", "store")
    rows = command(
        "sql", "SELECT event_id, log_file FROM cloudtrail_events ORDER BY 1", "--store", "store", "--format", "json"
    ).json
    assert rows == [{"event_id": name, "log_file": f"{filled.url}/a.json"} for name in ("e2", "e3")]


def test_only_the_window_is_fetched_and_no_question_leaves_it(filled: Filled, exports: Path) -> None:
    filled.copy(exports)
    write = TRAIL.format(date(2026, 12, 24))
    filled.put(write + "x.json", body=trail(record("x", eventTime="2026-12-24T00:00:00Z")))
    with auditkit.open(filled.url, since="2026-11-02", until="2026-11-03T12:00") as audit:
        assert not [path for path in filled.asked.read if "2026/12" in path]
        assert len(filled.asked.read) == 3
        assert audit.sql("SELECT count(*) AS n FROM cloudtrail_events")["n"].tolist() == [60]
        assert len(audit.query("activity/events", since="2026-11-03")) == 30
        with pytest.raises(WindowError, match="earlier `since`"):
            audit.findings(since="2026-11-01")
        with pytest.raises(WindowError, match="later `until`"):
            audit.coverage(until="2026-12-31")


def test_an_object_that_cannot_be_read_is_set_aside_by_name(scripted: Scripted, command: Command) -> None:
    good = trail(record("e1"))

    def script(request: Request) -> Answer:
        if request.prefix is not None:
            return listing(("bad.json", 9, "e1"), ("good.json", len(good), "e2"))
        if request.path.endswith("bad.json"):
            return refusal(403, "AccessDenied", "\x1b[2Jno")
        return Answer(200, good, {"ETag": '"e2"'})

    scripted(script)
    said = command("ingest", "s3://logs", "--store", "store")
    assert said.code == 0
    assert "1 events" in said.out
    assert "s3://logs/bad.json: access denied: these credentials may not s3:GetObject it" in said.err
    assert "\x1b" not in said.err


def test_a_run_that_cannot_go_on_keeps_what_it_stored(
    scripted: Scripted, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditkit.ingest.BATCH_BYTES", 1)
    good = trail(record("e1"))

    def script(request: Request) -> Answer:
        if request.prefix is not None:
            return listing(("a.json", len(good), "e1"), ("b.json", 9, "e2"))
        if request.path.endswith("a.json"):
            return Answer(200, good, {"ETag": '"e1"'})
        return Answer() if request.method == "HEAD" else refusal(400, "ExpiredToken")

    scripted(script)
    said = command("ingest", "s3://logs", "--store", "store")
    assert said.code != 0
    assert "credentials have expired" in said.err
    rows = command("sql", "SELECT event_id FROM cloudtrail_events", "--store", "store", "--format", "json").json
    assert rows == [{"event_id": "e1"}]


def test_a_store_is_local(credentials: None, command: Command) -> None:
    for words in (["ingest", "logs", "--store", "s3://logs/store"], ["findings", "--store", "s3://logs/store"]):
        said = command(*words)
        assert said.code == 2
        assert "a store cannot be in S3" in said.err
    with pytest.raises(SourceError, match="a folder on this machine"):
        auditkit.open(store="s3://logs/store")


def test_folders_and_buckets_may_be_read_together(filled: Filled, exports: Path) -> None:
    filled.put("a.json", body=trail(record("other")))
    found = discover([exports, filled.url])
    assert [file.key.startswith("s3://") for file in found].count(True) == 1
    assert len(found) == 4
    with auditkit.open(exports, filled.url) as audit:
        assert audit.sql("SELECT count(*) AS n FROM cloudtrail_events")["n"].tolist() == [61]


def test_a_notebook_is_handed_the_place_as_it_was_named(tmp_path: Path) -> None:
    [copy, *_] = prepare(tmp_path / "lab", logs=["s3://logs/AWSLogs/"])
    assert "s3://logs/AWSLogs/" in copy.read_text()
    assert split_notebook(["s3://logs/AWSLogs/"])[1] == ("s3://logs/AWSLogs/",)
