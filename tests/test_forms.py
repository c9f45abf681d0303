"""Every form logs come in, from file to store: what is kept, what is set apart, and that nothing else happens."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from auditkit.ingest import IngestReport, ingest
from auditkit.store import Store
from tests.records import ACCOUNT, flow_line, record, trail, write_flows, write_trail
from tests.test_archives import zipped, zstd
from tests.test_envelopes import AGGREGATED, INSIGHT, TASK_CHANGED, log_event, on_the_bus, subscription
from tests.test_exports import RESOURCES, ROW, exported, history

A, B = record("a"), record("b", eventTime="2026-11-02T10:00:01Z")
DIGEST = {
    "awsAccountId": ACCOUNT,
    "digestStartTime": "2026-11-02T09:00:00Z",
    "digestEndTime": "2026-11-02T10:00:00Z",
    "digestS3Bucket": "logs",
    "digestS3Object": f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/eu-central-1/2026/11/02/d.json.gz",
    "digestPublicKeyFingerprint": "0123",
    "previousDigestSignature": None,
    "logFiles": [],
}


def texts(*elements: Any) -> list[str]:
    return [json.dumps(element) for element in elements]


def lines(*elements: Any) -> bytes:
    return "\n".join(texts(*elements)).encode()


def joined(*elements: Any) -> bytes:
    return "".join(texts(*elements)).encode()


# The file, then: events, flow records, records set apart, records quarantined.
FORMS: dict[str, tuple[bytes, int, int, int, int]] = {
    "EventBridge, lines": (lines(on_the_bus(A), on_the_bus(B), TASK_CHANGED), 2, 0, 1, 0),
    "EventBridge, one document": (lines(on_the_bus(A)), 1, 0, 0, 0),
    "EventBridge, nothing of CloudTrail's": (lines(TASK_CHANGED), 0, 0, 1, 0),
    "lookup-events": (lines({"Events": [{"CloudTrailEvent": text} for text in texts(A, B)]}), 2, 0, 0, 0),
    "filter-log-events": (lines({"events": [log_event(text) for text in texts(A, B)], "nextToken": "t"}), 2, 0, 0, 0),
    "filter-log-events, flow log": (lines({"events": [log_event(flow_line()), log_event("words")]}), 0, 1, 0, 1),
    "subscription": (lines(subscription(*texts(A, B))), 2, 0, 0, 0),
    "subscriptions, joined": (joined(subscription(*texts(A)), subscription(*texts(B))), 2, 0, 0, 0),
    "subscriptions, gzips joined": (
        gzip.compress(lines(subscription(*texts(A)))) + gzip.compress(lines(subscription(*texts(B)))),
        *(2, 0, 0, 0),
    ),
    "subscriptions, flow log": (
        joined(subscription("asked", kind="CONTROL_MESSAGE"), subscription(flow_line(), flow_line(dstport=22))),
        *(0, 2, 1, 0),
    ),
    "subscription, one message is of another kind": (lines(subscription(*texts(A), "words")), 1, 0, 0, 1),
    "subscription, both kinds": (lines(subscription(*texts(A), flow_line())), 1, 1, 0, 0),
    "unknown wrapping, lines": (lines({"log": A, "rule": "x"}, {"log": B, "rule": "x"}), 2, 0, 0, 0),
    "Insight": (trail(INSIGHT), 1, 0, 0, 0),
    "aggregated": (trail(AGGREGATED, AGGREGATED), 0, 0, 2, 0),
    "aggregated among others": (trail(A, AGGREGATED, B), 2, 0, 1, 0),
    "a digest among others": (lines(A, DIGEST, B), 2, 0, 1, 0),
    "export": (exported(*texts(A, B)), 2, 0, 0, 0),
    "export, gzipped": (gzip.compress(exported(*texts(A, B))), 2, 0, 0, 0),
    "export, pretty-printed": (exported(json.dumps(A, indent=2), json.dumps(B, indent=2)), 2, 0, 0, 0),
    "export, flow log": (exported(flow_line(), flow_line(dstport=22), "words"), 0, 2, 0, 1),
    "Event history": (history(ROW, ROW | {"Event ID": "e-2"}), 2, 0, 0, 0),
    "Event history, byte order mark": (b"\xef\xbb\xbf" + history(ROW), 1, 0, 0, 0),
    "Event history, a row without a time": (history(ROW, ROW | {"Event time": ""}), 1, 0, 0, 1),
    "zstd": (zstd(trail(A, B)), 2, 0, 0, 0),
    "zip": (zipped({"a.json": trail(A, B)}), 2, 0, 0, 0),
    "zip of documents": (zipped({"a.json": trail(A), "b.json.gz": gzip.compress(trail(B))}), 2, 0, 0, 0),
    "zip of a flow log": (zipped({"f.log": flow_line().encode()}), 0, 1, 0, 0),
    "gzip in gzip": (gzip.compress(gzip.compress(trail(A, B))), 2, 0, 0, 0),
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", create=True)


def events(store: Store) -> list[dict[str, Any]]:
    parts = [pq.ParquetFile(part).read() for part in store.parts()["cloudtrail_events"]]
    return pa.concat_tables(parts).to_pylist() if parts else []


def assert_whole(report: IngestReport) -> None:
    kept = report.events + report.flow_records + report.duplicates
    assert report.records == kept + report.quarantined_records + report.set_apart + report.outside_window


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_read_and_counted(name: str, store: Store, tmp_path: Path) -> None:
    data, *expected = FORMS[name]
    (tmp_path / "log").write_bytes(data)
    report = ingest(store, [tmp_path / "log"])
    assert [report.events, report.flow_records, report.set_apart, report.quarantined_records] == expected
    assert (report.quarantined, report.not_logs) == (0, 0)
    assert_whole(report)


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if form[1] == 2 and "history" not in name])
def test_a_record_is_the_same_in_every_form(name: str, store: Store, tmp_path: Path) -> None:
    """White space inside its JSON apart, which is the file's own."""
    (tmp_path / "plain").write_bytes(trail(A, B))
    (tmp_path / "log").write_bytes(FORMS[name][0])
    ingest(store, [tmp_path / "plain"])
    other = Store(tmp_path / "other", create=True)
    ingest(other, [tmp_path / "log"])
    assert [_evened(row) for row in events(other)] == [_evened(row) for row in events(store)]


def _evened(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(json.loads(value)) if isinstance(value, str) and value[:1] in "{[" else value
        for name, value in row.items()
        if name != "log_file"
    }


def test_an_insight_is_an_event_that_calls_nothing(store: Store, tmp_path: Path) -> None:
    write_trail(tmp_path / "a.json", INSIGHT)
    ingest(store, [tmp_path / "a.json"])
    [row] = events(store)
    assert (row["event_category"], row["event_type"]) == ("Insight", "AwsCloudTrailInsight")
    assert (row["account_id"], row["aws_region"], row["shared_event_id"]) == (ACCOUNT, "eu-central-1", "s")
    nothing = ("event_source", "service", "event_name", "identity_type", "principal_arn", "principal_name")
    assert [row[name] for name in nothing] == [None] * len(nothing)
    assert row["outcome"] == "ok"
    assert json.loads(row["extra"])["insightDetails"] == INSIGHT["insightDetails"]


def test_a_denial_by_an_endpoints_policy_is_an_event(store: Store, tmp_path: Path) -> None:
    activity = record(
        "n",
        eventCategory="NetworkActivity",
        eventType="AwsVpceEvents",
        errorCode="VpceAccessDenied",
        userIdentity={"type": "AWSAccount", "principalId": "AIDAOTHER", "accountId": "444455556666"},
        vpcEndpointId="vpce-1",
        vpcEndpointAccountId=ACCOUNT,
        userAgent=...,
        requestParameters=...,
        responseElements=...,
    )
    write_trail(tmp_path / "a.json", activity)
    ingest(store, [tmp_path / "a.json"])
    [row] = events(store)
    assert (row["event_category"], row["outcome"], row["principal_account"], row["account_id"]) == (
        *("NetworkActivity", "denied"),
        *("444455556666", ACCOUNT),
    )


def test_event_history_names_who_as_far_as_it_knows(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(
        history(
            ROW,
            ROW | {"Event ID": "e-2", "User name": "", "AWS access key": "", "Event source": "ecs.amazonaws.com"},
            header=[*ROW, "New"],
        )
    )
    ingest(store, [tmp_path / "a.csv"])
    alice, service = sorted(events(store), key=lambda row: row["event_id"])
    assert (alice["identity_type"], alice["principal_arn"], alice["principal_name"]) == ("Unknown", "alice", "alice")
    assert (alice["principal_account"], alice["session_name"]) == (None, None)
    assert (alice["account_id"], alice["access_key_id"], alice["outcome"]) == (ACCOUNT, "AKIAEXAMPLE", "denied")
    assert (alice["read_only"], alice["resources"], alice["resource_arn"]) == (False, RESOURCES, "bob")
    assert (service["identity_type"], service["principal_arn"]) == (None, "ecs.amazonaws.com")


def test_one_tree_of_everything_is_read_in_one_go(store: Store, tmp_path: Path) -> None:
    """What an organization's bucket holds: every category, the digests, the flow logs, and what exports leave."""
    logs = tmp_path / "AWSLogs"
    organization, day = logs / "o-exampleorg" / ACCOUNT, Path("eu-central-1/2026/11/02")
    write_trail(logs / ACCOUNT / "CloudTrail" / day / "a.json.gz", A)
    write_trail(organization / "CloudTrail" / day / "b.json.gz", A, B)
    write_trail(logs / "o-exampleorg/AWSLogs/o-exampleorg" / ACCOUNT / "CloudTrail" / day / "c.json.gz", record("c"))
    write_trail(organization / "CloudTrail-Insight" / day / "i.json.gz", INSIGHT)
    network = record("n", eventCategory="NetworkActivity", eventType="AwsVpceEvents")
    write_trail(organization / "CloudTrail-NetworkActivity" / day / "n.json.gz", network)
    write_trail(organization / "CloudTrail-Aggregated" / day / "g.json.gz", AGGREGATED)
    write_flows(logs / ACCOUNT / "vpcflowlogs" / day / "f.log.gz", flow_line())
    digests = organization / "CloudTrail-Digest" / day
    digests.mkdir(parents=True)
    (digests / "d.json.gz").write_bytes(gzip.compress(json.dumps(DIGEST).encode()))
    (digests / "e.json.gz").write_bytes(gzip.compress(json.dumps(DIGEST | {"digestS3Bucket": None}).encode()))
    (logs / "exports").mkdir()
    (logs / "exports" / "aws-logs-write-test").write_bytes(b"Permission Check Successful")
    (logs / "exports" / "000000.gz").write_bytes(gzip.compress(exported(json.dumps(record("d")))))
    report = ingest(store, [logs])
    assert (report.files, report.events, report.flow_records, report.duplicates) == (11, 6, 1, 1)
    assert (report.set_apart, report.digests, report.not_logs) == (1, 1, 2)
    assert (report.quarantined, report.quarantined_records, report.quarantine) == (0, 0, [])
    assert {row["event_category"] for row in events(store)} == {"Management", "Insight", "NetworkActivity"}
    assert_whole(report)
    assert len({row["file_id"] for row in store.each_listed_file()}) == 1
    assert {Path(file["key"]).name for file in store.books()["troubled"]} == {"e.json.gz", "aws-logs-write-test"}
    assert {file["reason"] for file in store.files() if file["state"] == "not a log"} == {
        "a CloudTrail digest file, but without all that a digest has",
        "no log: the test object of a CloudWatch export task",
    }


def test_of_an_event_in_a_trail_and_in_event_history_the_whole_record_is_kept(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(history(ROW | {"Event ID": "a"}))
    write_trail(tmp_path / "b.json", A)
    assert ingest(store, [tmp_path]).duplicates == 1
    assert events(store)[0]["log_file"] == str(tmp_path / "b.json")


def test_what_was_saved_beside_a_digest_is_no_log(store: Store, tmp_path: Path) -> None:
    (tmp_path / "digest.json.gz.metadata.json").write_text('{"ETag": "x", "Metadata": {"signature": "00"}}')
    report = ingest(store, [tmp_path])
    assert (report.not_logs, report.quarantined, report.records) == (1, 0, 0)
