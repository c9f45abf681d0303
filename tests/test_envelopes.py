"""Every wrapping a CloudTrail record or a flow-log line comes in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditkit.logs.digests import DigestError
from auditkit.logs.envelopes import Unwrapped, unwrap, unwrap_message
from tests.records import ACCOUNT, flow_line, record

# Numbers past 64 bits, a repeated key, an escape, odd spacing: what any reader but an exact one would change.
EXACT = (
    rb'{"eventVersion" : "1.11","eventTime":"2026-11-02T10:00:00Z","eventName":"PutItem",'
    rb'"requestParameters":{"z":123456789012345678901234567890,"a":1E5,"a":1.10,"s":"\u00fc \/ \""}}'
)
IN_A_STRING = json.dumps(EXACT.decode()).encode()
A, B = record("a"), record("b")
INSIGHT = {
    "eventVersion": "1.08",
    "eventTime": "2026-11-02T10:00:00Z",
    "awsRegion": "eu-central-1",
    "eventID": "i",
    "eventType": "AwsCloudTrailInsight",
    "recipientAccountId": ACCOUNT,
    "sharedEventID": "s",
    "insightDetails": {
        "state": "Start",
        "eventSource": "ssm.amazonaws.com",
        "eventName": "UpdateInstanceInformation",
        "insightType": "ApiCallRateInsight",
    },
    "eventCategory": "Insight",
}
AGGREGATED = {
    "eventVersion": "1.0",
    "accountId": ACCOUNT,
    "eventId": "g",
    "timeWindow": {"windowStart": "2026-11-02T10:00:00Z", "windowEnd": "2026-11-02T10:05:00Z", "windowSize": "PT5M"},
    "summary": {"primaryDimension": {}, "details": []},
}
TASK_CHANGED = {
    "version": "0",
    "id": "1",
    "detail-type": "ECS Task State Change",
    "source": "aws.ecs",
    "detail": {"lastStatus": "STOPPED"},
}


def on_the_bus(detail: Any, kind: str = "AWS API Call via CloudTrail") -> dict[str, Any]:
    return TASK_CHANGED | {"detail-type": kind, "source": "aws.sts", "account": ACCOUNT, "detail": detail}


def log_event(message: str, **more: Any) -> dict[str, Any]:
    return {"timestamp": 1793613600000, "message": message, "ingestionTime": 1793613601000, "eventId": "3", **more}


def subscription(*messages: str, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    return {
        "messageType": kind,
        "owner": ACCOUNT,
        "logGroup": "trail",
        "logStream": f"{ACCOUNT}_CloudTrail_eu-central-1",
        "subscriptionFilters": ["all"],
        "logEvents": [{"id": str(at), "timestamp": 1793613600000, "message": text} for at, text in enumerate(messages)],
    }


@pytest.mark.parametrize(
    "element",
    [
        EXACT,
        b'{"detail-type":"AWS API Call via CloudTrail","detail":' + EXACT + b"}",
        b'{"EventId":"a","EventTime":1793613600.0,"ReadOnly":"true","CloudTrailEvent":' + IN_A_STRING + b"}",
        b'{"EventTime":"2026-11-02T11:00:00+01:00","CloudTrailEvent":' + IN_A_STRING + b"}",
        b'{"CloudTrailEvent":' + EXACT + b"}",
        b'{"timestamp":1,"message":' + IN_A_STRING + b',"logStreamName":"s"}',
        b'{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","timestamp":1,"message":' + IN_A_STRING + b"}]}",
        b'{"Records":[' + EXACT + b"]}",
        b'{"Events":[{"CloudTrailEvent":' + IN_A_STRING + b'}],"NextToken":"t"}',
        b'{"rule":"x","expected":true,"log":' + EXACT + b',"tags":{"eventName":"no record"}}',
    ],
)
def test_the_record_comes_out_to_the_byte(element: bytes) -> None:
    assert unwrap(element) == Unwrapped(records=[EXACT])


def ids(found: Unwrapped) -> list[str]:
    return [json.loads(text)["eventID"] for text in found.records]


FORMS: dict[str, tuple[Any, list[str], int, int]] = {  # the element, ids of its records, flow lines, set apart
    "Insight": (INSIGHT, ["i"], 0, 0),
    "NetworkActivity": (record("n", eventCategory="NetworkActivity", eventType="AwsVpceEvents"), ["n"], 0, 0),
    "aggregated": (AGGREGATED, [], 0, 1),
    "on the bus, sign-in": (on_the_bus(A, "AWS Console Sign In via CloudTrail"), ["a"], 0, 0),
    "on the bus, Insight": (on_the_bus(INSIGHT, "AWS Insight via CloudTrail"), ["i"], 0, 0),
    "on the bus, a type of the user's own": (on_the_bus(A, "Forwarded"), ["a"], 0, 0),
    "on the bus, not CloudTrail's": (TASK_CHANGED, [], 0, 1),
    "log event, flow line": (log_event(flow_line(), logStreamName="eni-1-all"), [], 1, 0),
    "log event, flow line of other fields": (log_event("10.0.0.1 - 1793613600 1793613660 443"), [], 1, 0),
    "log event, on the bus": (log_event(json.dumps(on_the_bus(A))), ["a"], 0, 0),
    "log event, message an object": ({"timestamp": 1, "message": A}, ["a"], 0, 0),
    "log event, aggregated": (log_event(json.dumps(AGGREGATED)), [], 0, 1),
    "subscription": (subscription(json.dumps(A), json.dumps(B) + "\n"), ["a", "b"], 0, 0),
    "subscription, flow lines": (subscription(flow_line(), flow_line()), [], 2, 0),
    "subscription, control": (subscription("CWL CONTROL MESSAGE", kind="CONTROL_MESSAGE"), [], 0, 1),
    "nested trail document": ({"Records": [A, AGGREGATED, B]}, ["a", "b"], 0, 1),
    "nested trail document, empty": ({"Records": []}, [], 0, 0),
    "get-log-events": ({"events": [log_event(json.dumps(A))], "nextForwardToken": "f/1"}, ["a"], 0, 0),
    "a time missing": ({"eventName": "x", "eventID": "x"}, ["x"], 0, 0),
    "a null where another form has its member": ({**A, "message": None, "detail": None}, ["a"], 0, 0),
    "a record that mentions the others' members": ({**A, "message": "m", "CloudTrailEvent": "c"}, ["a"], 0, 0),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_what_is_in_it(name: str) -> None:
    element, expected, flow_lines, set_apart = FORMS[name]
    found = unwrap(json.dumps(element).encode())
    assert (ids(found), len(found.flow_lines), found.set_apart, found.refused) == (expected, flow_lines, set_apart, [])


def test_one_part_that_is_none_of_ours_leaves_the_others() -> None:
    found = unwrap(json.dumps(subscription(json.dumps(A), "START RequestId: 1", flow_line())).encode())
    assert (ids(found), len(found.flow_lines)) == (["a"], 1)
    [(reason, text)] = found.refused
    assert "neither a CloudTrail record nor a flow-log line" in reason
    assert b"START RequestId" in text


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ('"just text"', "not a JSON object"),
        ("7", "not a JSON object"),
        ('{"a": ', "not JSON"),
        ('{"status": "fine"}', "not an object that CloudTrail records come in"),
        ("{}", "not an object that CloudTrail records come in"),
        (json.dumps({"before": A, "after": B}), "2 records"),
        ('{"CloudTrailEvent": 5}', "its CloudTrailEvent is neither text nor an object"),
        ('{"CloudTrailEvent": "words"}', "not JSON"),
        ('{"messageType": "DATA_MESSAGE", "logEvents": 1}', "its logEvents are not a list"),
        ('{"Records": 5}', "its Records are not a list"),
        (json.dumps(log_event("START RequestId: 1 Version: $LATEST")), "neither a CloudTrail record nor"),
        ('{"timestamp": 1, "message": 7}', "its message is neither text nor an object"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"message":' * 20 + "1" + "}" * 20, "wrapped too deeply"),
    ],
)
def test_what_is_none_of_these_says_why(element: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        unwrap(element.encode())


def test_a_digest_is_no_element_but_says_what_it_is() -> None:
    with pytest.raises(DigestError):
        unwrap(b'{"awsAccountId":"1","digestStartTime":"2026-11-02T00:00:00Z","logFiles":[]}')


def test_a_lone_surrogate_hides_nothing_in_any_depth() -> None:
    inner = json.dumps(record("a", userAgent="HERE")).replace("HERE", r"x\ud800y")
    for element in (
        inner,
        json.dumps({"CloudTrailEvent": inner}),
        json.dumps(log_event(json.dumps(on_the_bus(A)) + " ")),
    ):
        assert ids(unwrap(element.encode())) == ["a"]
    assert rb"x\ufffdy" in unwrap(json.dumps({"CloudTrailEvent": inner}).encode()).records[0]


def test_a_message_alone_is_read_like_one_in_its_envelope() -> None:
    assert unwrap_message(EXACT + b" \n").records == [EXACT]
    assert unwrap_message(flow_line().encode()).flow_lines == [flow_line().encode()]
    with pytest.raises(ValueError, match="neither"):
        unwrap_message(b"REPORT RequestId: 2")
