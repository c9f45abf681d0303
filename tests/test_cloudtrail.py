"""CloudTrail in every form of JSON it comes in, to records; and records to columns."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from auditkit.errors import UnreadableFileError
from auditkit.logs import arrays, columns
from auditkit.logs.cloudtrail import Found, Record, read
from auditkit.logs.parsed import NotALogError
from auditkit.schema import CLOUDTRAIL_EVENTS
from tests.records import ACCOUNT, ASSUMED_ROLE, ROLE, record, trail


def parse(text: bytes) -> Found:
    [found] = read(iter([text]))
    return found


def rows(text: bytes) -> list[dict[str, Any]]:
    return table(parse(text).records).to_pylist()


def table(records: list[Record]) -> pa.Table:
    times = arrays.instants([found.eventTime for found in records if found.eventTime])
    return columns.table(records, times, pa.array(["a.json"] * len(records), pa.string()))


def meaning(text: bytes) -> list[dict[str, Any]]:
    """Rows with the white space inside their JSON evened out: that is kept as logged, and differs by form."""
    return [
        {name: json.dumps(json.loads(v)) if isinstance(v, str) and v[:1] in "{[" else v for name, v in found.items()}
        for found in rows(text)
    ]


def row(**differs: Any) -> dict[str, Any]:
    [only] = rows(trail(record(**differs)))
    return only


A, B = record("a"), record("b", eventTime="2026-11-02T10:00:01Z")
LOOKUP = {
    "EventId": "a",
    "EventTime": 1793613600.0,
    "Username": "alice",
    "Resources": [],
    "CloudTrailEvent": json.dumps(A),
}
FORMS = {
    "trail file": trail(A, B),
    "trail file, pretty-printed": json.dumps({"Records": [A, B]}, indent=2).encode(),
    "trail file, records not first": json.dumps({"Version": 1, "Records": [A, B]}).encode(),
    "array": json.dumps([A, B]).encode(),
    "array, pretty-printed": json.dumps([A, B], indent=4).encode(),
    "lines": f"{json.dumps(A)}\n\n{json.dumps(B)}\n".encode(),
    "lines, CRLF": f"{json.dumps(A)}\r\n{json.dumps(B)}".encode(),
    "lookup-events": json.dumps(
        {"Events": [LOOKUP, {**LOOKUP, "CloudTrailEvent": json.dumps(B)}], "NextToken": "t"}
    ).encode(),
    "lookup-events, lines": f"{json.dumps(LOOKUP)}\n{json.dumps({**LOOKUP, 'CloudTrailEvent': json.dumps(B)})}".encode(),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_every_form_gives_the_same_rows(text: bytes) -> None:
    assert meaning(text) == meaning(trail(A, B))
    assert [found["event_id"] for found in rows(text)] == ["a", "b"]


def test_one_record_alone_is_read() -> None:
    assert meaning(json.dumps(A, indent=1).encode()) == meaning(trail(A))


def test_an_empty_trail_file_is_no_trouble() -> None:
    parsed = parse(b'{"Records":[]}')
    assert (parsed.records, parsed.seen, parsed.bad) == ([], 0, [])
    assert table([]).schema == CLOUDTRAIL_EVENTS.file_arrow


def test_every_column_comes_from_its_member() -> None:
    found = row(
        userIdentity=ASSUMED_ROLE | {"invokedBy": "cloudformation.amazonaws.com"},
        errorCode="AccessDenied",
        errorMessage="no",
        sharedEventID="s-1",
        vpcEndpointId="vpce-1",
        additionalEventData={"a": 1},
        resources=[{"ARN": ROLE}],
    )
    assert found == {
        "event_time": datetime(2026, 11, 2, 10),
        "event_id": "e1",
        "event_source": "secretsmanager.amazonaws.com",
        "service": "secretsmanager",
        "event_name": "GetSecretValue",
        "event_type": "AwsApiCall",
        "event_category": "Management",
        "read_only": True,
        "aws_region": "eu-central-1",
        "account_id": ACCOUNT,
        "source_ip": "192.0.2.10",
        "user_agent": "aws-cli/2.31.0",
        "error_code": "AccessDenied",
        "error_message": "no",
        "outcome": "denied",
        "identity_type": "AssumedRole",
        "principal_arn": ROLE,
        "principal_name": "deploy",
        "principal_account": ACCOUNT,
        "session_name": "ci-42",
        "access_key_id": "ASIAEXAMPLE",
        "invoked_by": "cloudformation.amazonaws.com",
        "mfa": False,
        "session_created": datetime(2026, 11, 2, 8),
        "source_identity": None,
        "on_behalf_of": None,
        "resource_arn": ROLE,
        "request_parameters": '{"secretId": "prod/db"}',
        "response_elements": None,
        "additional_event_data": '{"a": 1}',
        "resources": json.dumps([{"ARN": ROLE}]),
        "user_identity": json.dumps(ASSUMED_ROLE | {"invokedBy": "cloudformation.amazonaws.com"}),
        "request_id": "request-e1",
        "shared_event_id": "s-1",
        "vpc_endpoint_id": "vpce-1",
        "tls_version": "TLSv1.3",
        "extra": '{"eventVersion":"1.11","managementEvent":true,'
        '"tlsDetails":{"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}}',
        "log_file": "a.json",
    }


def test_json_text_is_kept_to_the_byte() -> None:
    """Big numbers, exponents, key order, repeated keys, escapes: what the log says is what the store says."""
    request = r'{"z":123456789012345678901234567890,"a":1E5,"a":1.10,"s":"\u00fc \/ \""}'
    text = trail(record(requestParameters="HERE")).replace(b'"HERE"', request.encode())
    assert rows(text)[0]["request_parameters"] == request


def test_unknown_members_are_kept_in_extra() -> None:
    found = row(newMember={"x": [1, 2]}, p_log_type="AWS.CloudTrail", eventContext={"tagContext": {}})
    extra = json.loads(found["extra"])
    assert extra["newMember"] == {"x": [1, 2]}
    assert extra["p_log_type"] == "AWS.CloudTrail"
    assert extra["eventContext"] == {"tagContext": {}}
    assert extra["eventVersion"] == "1.11"


def test_an_odd_record_changes_nothing_for_its_neighbours() -> None:
    plain = rows(trail(A, B))
    assert rows(trail(A, record("c", strange=1), B))[::2] == plain


@pytest.mark.parametrize(
    ("differs", "column", "expected"),
    [
        ({"readOnly": "true"}, "read_only", True),
        ({"readOnly": "perhaps"}, "read_only", None),
        ({"eventName": 7}, "event_name", "7"),
        ({"errorCode": ["x"]}, "error_code", '["x"]'),
        ({"userIdentity": "redacted"}, "principal_arn", "secretsmanager.amazonaws.com"),
        ({"userIdentity": ...}, "principal_arn", "secretsmanager.amazonaws.com"),
        ({"recipientAccountId": ...}, "account_id", ACCOUNT),
        ({"eventTime": "2026-11-02T19:00:00+09:00"}, "event_time", datetime(2026, 11, 2, 10)),
        ({"eventTime": "2026-11-02T10:00:00.250Z"}, "event_time", datetime(2026, 11, 2, 10, 0, 0, 250000)),
        ({"eventSource": "monitoring.example"}, "service", "monitoring.example"),
        ({"tlsDetails": "***"}, "tls_version", None),
        (
            {"requestParameters": "HIDDEN_DUE_TO_SECURITY_REASONS"},
            "request_parameters",
            '"HIDDEN_DUE_TO_SECURITY_REASONS"',
        ),
    ],
)
def test_members_of_another_type_do_not_lose_the_record(differs: dict[str, Any], column: str, expected: Any) -> None:
    assert row(**differs)[column] == expected


@pytest.mark.parametrize("value", [b"1e400", b'{"a":' * 900 + b"1" + b"}" * 900])
@pytest.mark.parametrize("member", ["tlsDetails", "requestParameters", "resources", "userIdentity", "eventName", "new"])
def test_no_number_and_no_depth_stops_the_reading(member: str, value: bytes) -> None:
    """JSON may spell numbers that no float holds, and nest deeper than a decoder goes from where it stands."""
    text = trail(record(**{member: "HERE"})).replace(b'"HERE"', value)
    try:
        found = parse(text).records
    except UnreadableFileError:  # the decoder was this deep already when it began
        return
    assert _from_the_depths(lambda: table(found).num_rows) == 1


def _from_the_depths(call: Callable[[], int], depth: int = 100) -> int:
    return _from_the_depths(call, depth - 1) if depth else call()


def test_a_service_event_is_the_services_own() -> None:
    found = row(userIdentity={"accountId": ACCOUNT, "invokedBy": "AWS Internal"}, eventType="AwsServiceEvent")
    assert (found["principal_arn"], found["principal_name"]) == ("secretsmanager.amazonaws.com",) * 2
    assert found["invoked_by"] == "AWS Internal"


def test_an_event_without_an_id_gets_one_from_what_it_says() -> None:
    first, again, other = row(eventID=...), row(eventID=...), row(eventID=..., eventName="PutSecretValue")
    assert first["event_id"].startswith("sha256:")
    assert first["event_id"] == again["event_id"] != other["event_id"]


def test_a_lone_surrogate_does_not_hide_an_event() -> None:
    """Any caller can put one into a user agent, and strict JSON readers then refuse the whole file."""
    text = trail(A, record("b", userAgent="HERE"), record("c", userAgent="PAIR"))
    text = text.replace(b"HERE", rb"x\ud800y \\ud800").replace(b"PAIR", rb"\ud83d\ude00")
    assert [found["user_agent"] for found in rows(text)] == ["aws-cli/2.31.0", "x\ufffdy \\ud800", "\U0001f600"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("just text", "not a JSON object"),
        ({"eventName": "x"}, "no eventTime"),
        ({**A, "eventTime": "yesterday"}, "eventTime 'yesterday' is not a time"),
        ({"status": "fine"}, "not an object that CloudTrail records come in"),
    ],
)
def test_a_record_that_cannot_be_kept_is_named_and_the_others_are_kept(bad: Any, reason: str) -> None:
    parsed = parse(json.dumps({"Records": [A, bad, B]}).encode())
    assert [found.eventID for found in parsed.records] == ["a", "b"]
    assert parsed.seen == 3
    [trouble] = parsed.bad
    assert trouble.position == 1
    assert reason in trouble.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            json.dumps({"Records": [A, B]}, indent=1).encode().replace(b"},\n  {", b"}\n  {"),
            "a comma or the end of the list",
        ),
        (trail(A, B)[:-40], "1 whole record stands before it"),
        (trail(A)[:200], "0 whole records stand before it"),
        (b'{"Records": 5}', "its records are not a list"),
        (b'{"Records": null}', "its records are not a list"),
        (b"{not json", "not JSON"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[" + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_broken_document_is_refused_with_the_place(text: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        parse(text)


def test_a_digest_file_is_no_log() -> None:
    with pytest.raises(NotALogError, match="digest"):
        parse(b'{"awsAccountId":"1","digestStartTime":"2026-11-02T00:00:00Z","logFiles":[]}')


def test_columns_stand_in_the_order_of_the_schema() -> None:
    made = table(parse(trail(A, B)).records)
    assert made.cast(CLOUDTRAIL_EVENTS.file_arrow).schema == CLOUDTRAIL_EVENTS.file_arrow
