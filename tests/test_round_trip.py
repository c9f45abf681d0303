"""Nothing of a record is lost: from what the store holds, each one can be written again as CloudTrail wrote it.

To the letter: the order of keys inside a member, repeated keys, numbers that no float holds. What is not kept, because
it says nothing, is named in `EQUAL`.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.ingest import ingest
from auditkit.logs import surrogates
from auditkit.store import Store
from tests.conftest import DATA_SAMPLES
from tests.records import ACCOUNT, ASSUMED_ROLE, IAM_USER, record, trail
from tests.test_envelopes import INSIGHT
from tests.test_principal import IDENTITIES

TEXT_COLUMNS = {
    "event_source": "eventSource",
    "event_name": "eventName",
    "event_type": "eventType",
    "event_category": "eventCategory",
    "aws_region": "awsRegion",
    "account_id": "recipientAccountId",
    "source_ip": "sourceIPAddress",
    "user_agent": "userAgent",
    "error_code": "errorCode",
    "error_message": "errorMessage",
    "request_id": "requestID",
    "shared_event_id": "sharedEventID",
    "vpc_endpoint_id": "vpcEndpointId",
}
JSON_COLUMNS = {
    "user_identity": "userIdentity",
    "request_parameters": "requestParameters",
    "response_elements": "responseElements",
    "additional_event_data": "additionalEventData",
    "resources": "resources",
}
IN_EXTRA = {
    "eventVersion", "apiVersion", "managementEvent", "tlsDetails", "serviceEventDetails",
    "sessionCredentialFromConsole", "vpcEndpointAccountId", "addendum", "edgeDeviceDetails", "eventContext",
    "insightDetails",
}  # fmt: skip
DOCUMENTED = {*TEXT_COLUMNS.values(), *JSON_COLUMNS.values(), *IN_EXTRA, "eventTime", "eventID", "readOnly"}

Exact = Any  # JSON with its numbers as written, and its objects as pairs in their order


def exact(text: str) -> Exact:
    return json.loads(text, parse_int=_number, parse_float=_number, object_pairs_hook=_pairs)


def _number(text: str) -> tuple[str, str]:
    return "number", text


def _pairs(pairs: list[tuple[str, Exact]]) -> tuple[tuple[str, Exact], ...]:
    return tuple(pairs)


def rebuilt(row: dict[str, Any]) -> dict[str, Exact]:
    """The record that a row of `cloudtrail_events` came from.

    A member in `extra` is as it was logged, and stands above its column.
    """
    members = {member: row[column] for column, member in TEXT_COLUMNS.items()}
    members |= {member: exact(row[column] or "null") for column, member in JSON_COLUMNS.items()}
    members["eventTime"] = row["event_time"].isoformat() + "Z"
    members["readOnly"] = row["read_only"]
    members["eventID"] = None if row["event_id"].startswith("sha256:") else row["event_id"]
    members |= dict(exact(row["extra"] or "{}"))
    return comparable(members.items())


def comparable(pairs: Iterable[tuple[str, Exact]]) -> dict[str, Exact]:
    """The members of a record with what says nothing evened out: see `EQUAL`."""
    return {name: value for name, value in dict(pairs).items() if value is not None or name not in DOCUMENTED}


def stored(*files: bytes) -> list[dict[str, Exact]]:
    """What comes of files, through the store and back."""
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder, "logs")
        logs.mkdir()
        for number, data in enumerate(files):
            (logs / str(number)).write_bytes(data)
        return stored_from(logs, Path(folder, "store"))


def stored_from(logs: Path, folder: Path) -> list[dict[str, Exact]]:
    store = Store(folder, create=True)
    ingest(store, [logs])
    parts = store.parts()["cloudtrail_events"]
    return [rebuilt(row) for part in parts for row in pq.ParquetFile(part).read().to_pylist()]


def same(one: list[dict[str, Exact]], other: list[dict[str, Exact]]) -> bool:
    return sorted(map(_key, one)) == sorted(map(_key, other))


def _key(members: dict[str, Exact]) -> str:
    return repr(sorted(members.items()))


def originals(text: str) -> Iterator[dict[str, Exact]]:
    """The records of a file, found by a reader of this test's own: any object that has what every record has."""
    at = 0
    decoder = json.JSONDecoder(parse_int=_number, parse_float=_number, object_pairs_hook=_pairs)
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        yield from _records_in(value)
        while at < len(text) and text[at].isspace():
            at += 1


def _records_in(value: Exact) -> Iterator[dict[str, Exact]]:
    if isinstance(value, list):
        for item in value:
            yield from _records_in(item)
    elif isinstance(value, tuple) and value and isinstance(value[0], tuple):
        names = dict(value)
        if {"eventTime", "eventVersion"} <= names.keys():
            yield comparable(value)
        elif "CloudTrailEvent" in names:
            yield from originals(names["CloudTrailEvent"])
        else:
            for inner in names.values():
                yield from _records_in(inner)


def test_every_record_of_the_sample_company_comes_back(samples: Path) -> None:
    files = sorted(DATA_SAMPLES.glob("AWSLogs/*/CloudTrail/**/*.json.gz"))
    found = [members for file in files for members in originals(gzip.decompress(file.read_bytes()).decode())]
    parts = Store(samples).parts()["cloudtrail_events"]
    back = [rebuilt(row) for part in parts for row in pq.ParquetFile(part).read().to_pylist()]
    assert len(back) > 1_000
    assert {_key(members) for members in found} == {_key(members) for members in back}


FULL = record(
    "full",
    apiVersion="2017-10-17",
    additionalEventData={"a": [1, {"b": None}]},
    resources=[{"ARN": "arn:aws:kms:eu-central-1:111122223333:key/k", "accountId": ACCOUNT, "type": "AWS::KMS::Key"}],
    errorCode="AccessDenied",
    errorMessage="no",
    sharedEventID="s",
    vpcEndpointId="vpce-1",
    vpcEndpointAccountId=ACCOUNT,
    serviceEventDetails={"snapshotId": "x"},
    sessionCredentialFromConsole="true",
    addendum={"reason": "UPDATED_DATA", "updatedFields": "responseElements", "originalEventID": "o"},
    edgeDeviceDetails={"type": "outpost"},
    eventContext={"requestContext": {}, "tagContext": {}},
    insightDetails={"state": "Start"},
    eventType="AwsApiCall",
)
HAND_MADE: dict[str, dict[str, Any]] = {
    "ordinary": record(),
    "every documented member": FULL,
    "as little as there may be": {"eventTime": "2026-11-02T10:00:00Z", "eventName": "x"},
    "Insight": INSIGHT,
    "unknown members": record(newMember={"x": [1, 2]}, another=None, yetAnother="ü \U0001f600", aFlag=False, a={}),
    "names like ours": record(unknown=1, extra=2, log_file=3, outcome="ok", principal_arn="no"),
    "names like ours, that decode": record(unknown="AAAA", extra="AAAA"),
    "an odd name": record(**{'a"b\\c\n\u0000': 1, "": 2, "ü": 3}),
    "unicode": record(userAgent="ü 日本 \U0001f600 \u0000 \u2028", requestParameters={"ü": "\U0001f600\u0000"}),
    "nothing but nulls": record(**dict.fromkeys(DOCUMENTED - {"eventTime", "eventID"})),
    "empty strings": record(**dict.fromkeys(TEXT_COLUMNS.values(), "")),
    "an empty id": record(eventID=""),
    "an id that says null": record(eventID=None),
    "no id": record(eventID=...),
    "no recipient, the identity's account": record(recipientAccountId=...),
    "no recipient, a null in its place": record(recipientAccountId=None),
    "no recipient, no account": record(recipientAccountId=..., userIdentity={"type": "AWSService"}),
    "no identity": record(userIdentity=...),
    "redacted": record(userIdentity="***", requestParameters="HIDDEN", resources="***", tlsDetails="***"),
    "readOnly as text": record(readOnly="true"),
    "readOnly as another text": record(readOnly="perhaps"),
    "readOnly as a number": record(readOnly=1),
    "numbers for text": record(**dict.fromkeys(TEXT_COLUMNS.values(), 7)),
    "objects for text": record(**{name: {"b": [1], "a": {}} for name in TEXT_COLUMNS.values()}),
    "booleans for text": record(**dict.fromkeys(TEXT_COLUMNS.values(), True)),
    "a time with an offset": record(eventTime="2026-11-02T19:00:00+09:00"),
    "a time with an offset that crosses the year": record(eventTime="2026-12-31T20:00:00-09:30"),
    "a time with a fraction": record(eventTime="2026-11-02T10:00:00.250Z"),
    "a time with nine digits": record(eventTime="2026-11-02T10:00:00.123456789Z"),
    "a time without a zone": record(eventTime="2026-11-02 10:00:00.000000000"),
    "a time without seconds": record(eventTime="2026-11-02T10:00Z"),
    "a time in the basic form": record(eventTime="20261102T100000Z"),
    "a time long ago": record(eventTime="0002-01-01T00:00:00Z"),
}
WRITTEN_BY_HAND = {  # records that Python cannot write
    "a repeated key, inside": rb'{"eventTime":"2026-11-02T10:00:00Z","eventID":"1","requestParameters":{"a":1,"b":2,"a":3}}',
    "numbers": rb'{"eventTime":"2026-11-02T10:00:00Z","eventID":"2","requestParameters":'
    rb"[123456789012345678901234567890,1E5,1.10,-0,-0.0,1e400,0.1e-400,18446744073709551616]}",
    "numbers in every other place": rb'{"eventTime":"2026-11-02T10:00:00Z","eventID":"3","eventName":1e400,'
    rb'"userIdentity":{"type":7,"x":1e400},"tlsDetails":1e400,"new":[1e400,1E5],"readOnly":1e400,"errorCode":1.10}',
    "escapes": rb'{"eventTime":"2026-11-02T10:00:00Z","eventID":"4","userAgent":"\u00fc\/\"\\\b",'
    rb'"new":"\u00fc\/\"\\\b","event\u004eame":"x","requestParameters":{"\u0061":"\ud83d\ude00\/"}}',
    "spacing": b' { "eventTime" : "2026-11-02T10:00:00Z" ,\r\n\t"eventID":"5","requestParameters": { "a" : [ 1 , 2 ] } } ',
    "depth": b'{"eventTime":"2026-11-02T10:00:00Z","eventID":"6","new":' + b"[" * 300 + b"]" * 300 + b"}",
}


@pytest.mark.parametrize("name", HAND_MADE)
def test_every_kind_of_record_comes_back(name: str) -> None:
    data = trail(HAND_MADE[name])
    assert same(stored(data), list(originals_of_trail(data)))


@pytest.mark.parametrize("name", WRITTEN_BY_HAND)
def test_what_only_a_text_can_say_comes_back(name: str) -> None:
    [members] = stored(WRITTEN_BY_HAND[name])
    assert members == comparable(exact(WRITTEN_BY_HAND[name].decode()))


def originals_of_trail(data: bytes) -> Iterator[dict[str, Exact]]:
    [(_, records)] = exact(data.decode())
    yield from map(comparable, records)


@pytest.mark.parametrize("name", [case[0] for case in IDENTITIES])
def test_every_kind_of_identity_comes_back(name: str) -> None:
    [identity] = [case[1] for case in IDENTITIES if case[0] == name]
    for recipient in (ACCOUNT, "444455556666", ...):
        data = trail(record(userIdentity=identity, recipientAccountId=recipient))
        assert same(stored(data), list(originals_of_trail(data)))


def test_odd_records_and_plain_ones_come_back_together() -> None:
    records = [{**members, "eventID": f"id-{number}"} for number, members in enumerate(HAND_MADE.values())]
    data = trail(*records)
    assert same(stored(data), list(originals_of_trail(data)))


# What is not kept, and why nothing is lost by it: two texts of one record.
EQUAL = {
    "a documented member that says null, and one that is not there": (
        b'{"eventTime":"2026-11-02T10:00:00Z","eventID":"1","errorCode":null,"apiVersion":null}',
        b'{"eventTime":"2026-11-02T10:00:00Z","eventID":"1"}',
    ),
    "the order of the members": (
        b'{"eventID":"1","eventName":"x","eventTime":"2026-11-02T10:00:00Z"}',
        b'{"eventTime":"2026-11-02T10:00:00Z","eventID":"1","eventName":"x"}',
    ),
    "a member that is there twice, and the last of the two": (
        b'{"eventTime":"2026-11-02T10:00:00Z","eventID":"1","eventName":"x","eventName":"y"}',
        b'{"eventTime":"2026-11-02T10:00:00Z","eventID":"1","eventName":"y"}',
    ),
    "half a character, and the character for one that is lost": (
        rb'{"eventTime":"2026-11-02T10:00:00Z","eventID":"1","userAgent":"\ud800","new":"\udc00"}',
        rb'{"eventTime":"2026-11-02T10:00:00Z","eventID":"1","userAgent":"\ufffd","new":"\ufffd"}',
    ),
    "a whole second in UTC, spelled in another way": (
        b'{"Records":[{"eventTime":"2026-11-02 10:00:00.000+00:00","eventID":"1"}]}',
        b'{"Records":[{"eventTime":"2026-11-02T10:00:00Z","eventID":"1"}]}',
    ),
}


@pytest.mark.parametrize("name", EQUAL)
def test_what_is_not_kept_is_listed(name: str) -> None:
    one, other = EQUAL[name]
    assert stored(one) == stored(other) != []


# Any JSON, in any member.
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_ZONES = st.sampled_from(["Z", "", "+09:00", "-03:30"])
_FRACTIONS = st.sampled_from(["", "", ".5", ".123456", ".123456789"])
_MOMENTS = st.datetimes().filter(lambda moment: 2 < moment.year < 9999)
_TIMES = st.builds(
    lambda moment, fraction, zone: moment.replace(microsecond=0).isoformat() + fraction + zone,
    _MOMENTS,
    _FRACTIONS,
    _ZONES,
)
_TEXTS = st.none() | st.text() | st.just(...)
_IDENTITY = st.sampled_from([IAM_USER, ASSUMED_ROLE, *(case[1] for case in IDENTITIES)])
_RECORDS = st.builds(
    lambda plain, odd, time: {**plain, **odd, **({"eventTime": time} if time else {})},
    st.builds(
        record,
        userIdentity=_IDENTITY,
        errorCode=_TEXTS,
        userAgent=_TEXTS,
        requestParameters=_JSON,
        responseElements=_JSON,
    ),
    st.dictionaries(st.text(max_size=8) | st.sampled_from(sorted(DOCUMENTED - {"eventTime"})), _JSON, max_size=3),
    st.none() | _TIMES,
)


@settings(max_examples=25)
@given(st.lists(_RECORDS, min_size=1, max_size=12), st.booleans())
def test_whatever_a_record_holds_comes_back(records: list[dict[str, Any]], is_ascii: bool) -> None:
    unique = [{**members, "eventID": f"id-{number}"} for number, members in enumerate(records)]
    data = json.dumps({"Records": unique}, ensure_ascii=is_ascii).encode()
    assert same(stored(data), list(originals_of_trail(data)))


FOLDER = os.environ.get("AUDITKIT_TEST_LOGS")


@pytest.mark.skipif(not FOLDER, reason="AUDITKIT_TEST_LOGS names no folder of logs")
def test_every_record_of_a_folder_comes_back(tmp_path: Path) -> None:
    """Each record of the store is one of the folder's, and each of the folder's is in the store, or its like is."""
    found: dict[str, str] = {}
    for file in sorted(Path(FOLDER or "").rglob("*.json*")):
        data = file.read_bytes()
        text = surrogates.replaced(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
        with suppress(json.JSONDecodeError):  # a broken file, which auditkit sets aside
            found |= {_key(members): repr(_event(members)) for members in list(originals(text))}
    back = stored_from(Path(FOLDER or ""), tmp_path / "store")
    print(f"{len(found):,} records of the folder, {len(back):,} of the store")
    assert [members for members in back if _key(members) not in found] == []
    assert set(found.values()) - {repr(_event(members)) for members in back} == set()


def _event(members: dict[str, Exact]) -> tuple[Exact, Exact]:
    """What an event is known by, where it has an id."""
    identity = members.get("userIdentity")
    accounts = dict(identity) if isinstance(identity, tuple) and identity and len(identity[0]) == 2 else {}
    return members.get("eventID") or _key(members), members.get("recipientAccountId") or accounts.get("accountId")
