"""CloudTrail as text: CloudWatch export tasks, and the CSV of the Event history console."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from auditkit.errors import UnreadableFileError
from auditkit.logs.envelopes import Unwrapped
from auditkit.logs.exports import is_event_history, is_export, is_write_test, records
from tests.records import ACCOUNT, flow_line, record

HEADER = [
    "User name", "AWS access key", "Event time", "Event source", "Event name", "AWS region", "Source IP address",
    "User agent", "Error code", "Resources", "Request ID", "Event ID", "Read-only", "Event type",
    "Recipient Account Id", "Event category",
]  # fmt: skip
RESOURCES = '[{"resourceType":"AWS::IAM::User","resourceName":"bob"}]'
ROW = {
    "User name": "alice",
    "AWS access key": "AKIAEXAMPLE",
    "Event time": "2026-11-02T10:00:00Z",
    "Event source": "iam.amazonaws.com",
    "Event name": "DeleteUser",
    "AWS region": "us-east-1",
    "Source IP address": "192.0.2.10",
    "User agent": 'Mozilla/5.0 (X11, "quoted")\r\nsecond line, ü',
    "Error code": "AccessDenied",
    "Resources": RESOURCES,
    "Request ID": "r-1",
    "Event ID": "e-1",
    "Read-only": "false",
    "Event type": "AwsApiCall",
    "Recipient Account Id": ACCOUNT,
    "Event category": "Management",
}


def history(*rows: dict[str, str], header: list[str] = HEADER, line_end: str = "\r\n") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, restval="", lineterminator=line_end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def exported(*messages: str) -> bytes:
    return "".join(f"2026-11-02T10:0{at}:00.123Z {message}\n" for at, message in enumerate(messages)).encode()


def all_of(*blocks: bytes) -> Unwrapped:
    found = Unwrapped()
    for part in records(blocks):
        found.add(part)
    return found


def cut_everywhere(text: bytes) -> list[Unwrapped]:
    step = max(1, len(text) // 60)
    return [all_of(text[:at], text[at : at + 1], text[at + 1 :]) for at in range(0, len(text), step)]


A, B = json.dumps(record("a")), json.dumps(record("b"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (exported(A).splitlines()[0], True),
        (b"2026-11-02T10:00:00.000Z 2 111122223333 eni-1", True),
        (b"2026-11-02T10:00:00Z\tx", True),
        (b"2026-11-02T10:00:00.000Z", True),
        (b"2026-11-02 10:00:00 x", False),
        (b"version account-id", False),
        (b"", False),
        (history(ROW).splitlines()[0], False),
    ],
)
def test_an_export_is_told_by_the_time_its_first_line_begins_with(line: bytes, expected: bool) -> None:
    assert is_export(line) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (HEADER, True),
        (HEADER[::-1], True),
        ([*HEADER, "A column of tomorrow"], True),
        ([name for name in HEADER if name != "Event category"], True),
        (["Event name", "User name"], False),
        (["srcaddr", "dstaddr"], False),
    ],
)
def test_event_history_is_told_by_its_columns(header: list[str], expected: bool) -> None:
    assert is_event_history(",".join(header).encode() + b"\r\n") is expected
    assert is_event_history(",".join(f'"{name}"' for name in header).encode()) is expected


def test_what_is_no_csv_is_no_event_history() -> None:
    assert not is_event_history(b'"unfinished')
    assert not is_event_history(b"\xff\xfe")
    assert not is_event_history(b"")


def test_the_test_object_of_an_export_task_is_known() -> None:
    assert is_write_test(b"Permission Check Successful\n")
    assert not is_write_test(exported(A))


def test_an_export_gives_its_messages() -> None:
    other = {"detail-type": "ECS Task State Change", "detail": {}}
    found = all_of(exported(A, flow_line(), json.dumps(other), "START RequestId: 1", B))
    assert found.records == [A.encode(), B.encode()]
    assert found.flow_lines == [flow_line().encode()]
    assert found.set_apart == 1
    [(reason, text)] = found.refused
    assert "neither a CloudTrail record nor a flow-log line" in reason
    assert text == b" START RequestId: 1\n"


def test_a_message_may_be_pretty_printed_and_hold_times() -> None:
    pretty = json.dumps(record("a", requestParameters={"at": "2026-11-02T10:00:00Z x"}), indent=2)
    text = exported(pretty, B).replace(b"\n", b"\r\n")
    assert [json.loads(found) for found in all_of(text).records] == [json.loads(pretty), json.loads(B)]


@pytest.mark.parametrize("text", [exported(A, json.dumps(record("ü"), indent=1), B, flow_line()), history(ROW, ROW)])
def test_where_a_block_ends_changes_nothing(text: bytes) -> None:
    whole = all_of(text)
    assert len(whole.records) >= 2
    assert all(found == whole for found in cut_everywhere(text))


def test_a_long_file_comes_in_parts() -> None:
    found = list(records([exported(A) * 12_000]))
    assert [len(part.records) for part in found] == [5_000, 5_000, 2_000]
    found = list(records([history(*[ROW] * 12_000)]))
    assert [len(part.records) for part in found] == [5_000, 5_000, 2_000]


def test_the_export_of_another_log_group_is_refused_as_a_whole() -> None:
    with pytest.raises(UnreadableFileError, match="neither CloudTrail records nor flow-log lines"):
        all_of(exported("REPORT RequestId: 1") * 1_000)
    assert len(all_of(exported("REPORT RequestId: 1") * 999).refused) == 999


def only(text: bytes) -> dict[str, Any]:
    found = all_of(text)
    assert found.refused == []
    [made] = found.records
    return json.loads(made)


MADE = {
    "userIdentity": {"type": "Unknown", "userName": "alice", "accessKeyId": "AKIAEXAMPLE"},
    "eventTime": "2026-11-02T10:00:00Z",
    "eventSource": "iam.amazonaws.com",
    "eventName": "DeleteUser",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "192.0.2.10",
    "userAgent": ROW["User agent"],
    "errorCode": "AccessDenied",
    "resources": json.loads(RESOURCES),
    "requestID": "r-1",
    "eventID": "e-1",
    "readOnly": False,
    "eventType": "AwsApiCall",
    "recipientAccountId": ACCOUNT,
    "eventCategory": "Management",
}


def test_a_row_of_event_history_becomes_a_record_that_tells_as_much_as_the_row() -> None:
    assert only(history(ROW)) == MADE
    assert only(history(ROW, header=HEADER[::-1], line_end="\n")) == MADE


@pytest.mark.parametrize(
    ("differs", "expected"),
    [
        ({"User name": "", "AWS access key": ""}, {"userIdentity": ...}),
        ({"User name": ""}, {"userIdentity": {"type": "Unknown", "accessKeyId": "AKIAEXAMPLE"}}),
        ({"AWS access key": ""}, {"userIdentity": {"type": "Unknown", "userName": "alice"}}),
        ({"Error code": "", "Request ID": ""}, {"errorCode": ..., "requestID": ...}),
        ({"Resources": "[]"}, {"resources": []}),
        ({"Resources": "redacted"}, {"resources": "redacted"}),
        ({"Read-only": "perhaps"}, {"readOnly": "perhaps"}),
        ({"A column of tomorrow": "x"}, {"A column of tomorrow": "x"}),
    ],
)
def test_a_cell_says_no_more_than_it_says(differs: dict[str, str], expected: dict[str, Any]) -> None:
    wanted = {name: value for name, value in (MADE | expected).items() if value is not ...}
    assert only(history(ROW | differs, header=[*HEADER, "A column of tomorrow"])) == wanted


def test_resources_keep_their_text() -> None:
    spaced = '[ {"resourceName" : "x", "n": 12345678901234567890123} ]'
    assert b'"resources":' + spaced.encode() in all_of(history(ROW | {"Resources": spaced})).records[0]


def test_a_row_that_does_not_fit_is_named_and_the_others_are_kept() -> None:
    text = (
        history(ROW) + b"alice,too few\r\n" + b'"a"b,c\r\n\r\n' + history(ROW).split(b"\r\n", 1)[1] + b'x,"no end\r\n'
    )
    found = all_of(text)
    assert len(found.records) == 2
    assert [(reason.split(": ")[1].split(" ")[0], line) for reason, line in found.refused] == [
        ("2", b"alice,too few\r\n"),
        ("','", b'"a"b,c\r\n'),
        ("unexpected", b'x,"no end\r\n'),
    ]
