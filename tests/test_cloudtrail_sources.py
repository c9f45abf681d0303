"""CloudTrail in tables of Athena and Trino, as AWS documents them and as Security Lake makes them: a query finds the rows
that the reader of log files gives for the same records.

What a table cannot hold of a record is what `held` leaves out, and what else differs is in `OTHERWISE`.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.sources import source
from auditkit.engines.tables import Limits, PartitionKey
from auditkit.errors import EngineError
from auditkit.logs import arrays, columns
from auditkit.logs.cloudtrail import careful
from auditkit.logs.resource import _COMMON_KEYS, _REQUEST_KEYS
from auditkit.model import Window
from auditkit.schema import CLOUDTRAIL_EVENTS
from tests import test_cloudtrail, test_outcome, test_principal, test_resource
from tests.conftest import DATA_SAMPLES
from tests.raw_tables import arrow_type, aws_cloudtrail, declared, duckdb_over, security_lake, text
from tests.records import ACCOUNT, ASSUMED_ROLE, IAM_USER, ROLE, record
from tests.test_principal import IDENTITIES
from tests.test_round_trip import HAND_MADE, TEXT_COLUMNS

Row = dict[str, Any]
ALL = "SELECT * FROM cloudtrail_events"
AUTUMN = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC))
JSON = ("request_parameters", "response_elements", "additional_event_data", "resources", "user_identity", "extra")
REBUILT = ("resources", "user_identity", "extra")  # from members that the table declares
COMPARED = [name for name in CLOUDTRAIL_EVENTS.names if name not in ("event_date", "log_file")]


def read(records: Sequence[Row]) -> list[Row]:
    """What the reader of log files makes of *records*."""
    found = [careful(_written(one)) for one in records]
    times = arrays.instants([one.eventTime for one in found if one.eventTime])
    return parsed(columns.table(found, times, pa.array([""] * len(found), pa.string())))


def _written(one: Row) -> bytes:
    """As a log file has it: half a character stands as an escape, and everything else as itself."""
    text = json.dumps(one, separators=(",", ":"), ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text).encode()


def asked(rows: pa.Table, layout: str = "aws", window: Window = AUTUMN, **of: Any) -> list[Row]:
    """What a query finds in a table."""
    return parsed(duckdb_over(rows, layout, **of).run(ALL, window=window).table)


def parsed(rows: pa.Table) -> list[Row]:
    return [
        {name: json.loads(value) if name in JSON and value else value for name, value in row.items()}
        for row in rows.to_pylist()
    ]


def held(one: Row) -> Row:
    """The record as far as the table holds it: what it declares, as text where it says so. Nothing stands for null, for
    an object with nothing in it, and for a value of another type.
    """
    kinds = declared("aws")
    members = {
        name: text(value) if name in TEXT_COLUMNS.values() else _held(value, kinds[name.lower()])
        for name, value in one.items()
        if name.lower() in kinds
    }
    members["eventTime"] = str(careful(_written(one)).eventTime)[:19].replace(" ", "T") + "Z"
    members["readOnly"] = {"true": True, "false": False}.get(text(one.get("readOnly")) or "")
    members["managementEvent"] = {"true": True, "false": False}.get(text(one.get("managementEvent")) or "")
    return {
        name: value for name, value in members.items() if value not in (None, {}) and (name, value) != ("eventID", "")
    }


def _held(value: Any, kind: exp.DataType, *, inside: bool = False) -> Any:
    if kind.is_type(exp.DType.STRUCT):
        kinds = {field.name.lower(): field.args["kind"] for field in kind.expressions}
        members = value.items() if isinstance(value, dict) else ()
        found = {name: _held(item, kinds[name.lower()], inside=True) for name, item in members if name.lower() in kinds}
        return {name: item for name, item in found.items() if item not in (None, {})} or None
    if kind.is_type(exp.DType.ARRAY):
        return [_held(item, kind.expressions[0]) or {} for item in value] if isinstance(value, list) else None
    if kind.is_type(exp.DType.MAP):
        return {name: text(item) for name, item in value.items()} if isinstance(value, dict) else None
    return value if isinstance(value, dict | list) and not inside else text(value)


def in_params(test: Callable[..., None]) -> list[Any]:
    """The examples of another test."""
    [mark] = [mark for mark in test.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    return list(mark.args[1])


def examples() -> Iterator[tuple[str, Row]]:
    """Those of the tests of the reader, and more."""
    for name, one in HAND_MADE.items():
        yield name, one
    for name, identity, *_ in IDENTITIES:
        for recipient in (ACCOUNT, ...):
            yield f"{name}, {recipient}", record(userIdentity=identity, recipientAccountId=recipient)
    for logged, _ in in_params(test_principal.test_mfa_is_read_from_text_and_from_booleans):
        yield f"mfa {logged!r}", of_session(attributes={"mfaAuthenticated": logged})
    for created in in_params(test_principal.test_session_creation_is_utc_in_either_spelling):
        yield f"created {created}", of_session(attributes={"creationDate": created})
    for code in in_params(test_outcome.test_denied_by_its_code) + in_params(
        test_outcome.test_other_failures_are_errors
    ):
        yield f"code {code}", record(errorCode=code)
    for code, message in in_params(test_outcome.test_denied_by_its_message):
        yield f"code {code}, {message}", record(errorCode=code, errorMessage=message)
    for response in ({"ConsoleLogin": "Failure"}, {"ConsoleLogin": "Success"}, {"status": "Failure"}, None):
        for name in ("ConsoleLogin", "Other"):
            yield f"{name} gives {response}", record(eventName=name, responseElements=response)
    for service, request, _ in in_params(test_resource.test_the_request_names_it):
        yield f"{service} {request}", record(eventSource=f"{service}.amazonaws.com", requestParameters=request)
    for message, _ in in_params(test_resource.test_a_denial_without_request_names_it_in_its_text):
        yield message, record(requestParameters=None, errorMessage=message)
    for differs, *_ in in_params(test_cloudtrail.test_members_of_another_type_do_not_lose_the_record):
        yield f"with {differs}", record(**differs)
    for name, one in HOSTILE.items():
        yield name, one


def of_session(**context: Any) -> Row:
    return record(userIdentity={"type": "IAMUser", "sessionContext": context})


def requesting(request: Any, service: str = "ec2") -> Row:
    return record(eventSource=f"{service}.amazonaws.com", requestParameters=request)


STAMP = "2026-11-02T10:00:00"
QUOTES = '\'; "--\\" </script> {"a":"b"}, ["]\\\\'
HOSTILE: dict[str, Row] = {
    "quotes everywhere": record(
        userIdentity=IAM_USER | {"userName": QUOTES, "arn": QUOTES, "principalId": QUOTES, "type": QUOTES},
        resources=[{"ARN": QUOTES, "accountId": QUOTES, "type": QUOTES}],
        **dict.fromkeys(("eventName", "eventSource", "userAgent", "errorCode", "errorMessage", "apiVersion"), QUOTES),
        requestParameters={QUOTES: [QUOTES, {QUOTES: QUOTES}]},
    ),
    "characters that no text should hold": record(
        userIdentity=IAM_USER | {"userName": "a\0b\n\u2028", "arn": "\0"}, userAgent="\U0001f600\0\x01\x7f\ufeff"
    ),
    "lone surrogates": record(userAgent="x\ud800y", requestParameters={"a": "\udc00"}, eventName="\udfff\ud800"),
    "every member of an identity": record(
        userIdentity=ASSUMED_ROLE
        | {
            "invokedBy": "ecs.amazonaws.com",
            "invokedByDelegate": {"accountId": "1"},
            "identityProvider": "idp",
            "onBehalfOf": {"userId": "u", "identityStoreArn": "arn:store"},
            "inScopeOf": {
                "sourceArn": "arn:task", "sourceAccount": "1", "issuerType": "x", "credentialsIssuedTo": "arn:t"
            },
            "credentialId": "c",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "principalId": "A", "arn": ROLE, "accountId": "1", "userName": "n"},
                "webIdFederationData": {"federatedProvider": "arn:idp", "attributes": {"aud": "x", 'q"': "\\", "n": "1"}},
                "attributes": {"creationDate": "2026-11-02T08:00:00.5+02:00", "mfaAuthenticated": "true"},
                "sourceIdentity": "alice",
                "ec2RoleDelivery": "2.0",
                "assumedRoot": "true",
                "signInSessionArn": "arn:session",
            },
        }
    ),
    "what an old record leaves empty": record(
        userIdentity={
            "type": "AssumedRole", "principalId": "", "arn": "", "accountId": "", "accessKeyId": "", "userName": "",
            "invokedBy": "", "sessionContext": {"sessionIssuer": {"arn": "", "userName": "", "accountId": ""}},
        },
        recipientAccountId=...,
    ),
    "an issuer's account": record(
        userIdentity={"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"accountId": "444455556666"}}},
        recipientAccountId=...,
    ),
    "a user without a name of its own": record(userIdentity={"type": "IAMUser", "accountId": ACCOUNT}),
    "a service that calls itself internal": record(
        userIdentity={"type": "AWSService", "invokedBy": "AWS Internal", "userName": "AWS Internal"}
    ),
    "a service with an ARN": record(userIdentity={"type": "AWSService", "arn": ROLE, "principalId": "A:b"}),
    "an ARN over two lines": record(userIdentity=ASSUMED_ROLE | {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/a/b\nc"}),
    "an ARN with an end of line": record(
        userIdentity={"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/a/b\n"}
    ),
    "numbers for names": record(requestParameters={"secretId": 7, "name": 0}, eventSource="secretsmanager.amazonaws.com"),
    "a resource without ARN, and nothing": record(resources=[{"accountId": "1"}, {}, {"ARN": ""}, {"ARN": "x"}]),
    "no resources": record(resources=[]),
    "a request that names nothing first": requesting(
        {"groupId": "", "groupName": [], "instanceId": 0, "volumeId": False, "imageId": None, "vpcId": {}, "x": "arn:aws:x"}
    ),
    "a request that names numbers": requesting({"groupId": {"n": [1, {"m": 2}]}, "x": "arn:aws:in-text"}),
    "keys that look like values": requesting({"instancesSet": {'":"x"}': [{}, {'a":"': ""}, {"": ["", 'v"},\\']}]}}),
    "escapes in names": requesting({"groupId": 'tab\t "quoted" \\ é \U0001f600'}),
    "colons and braces in names": requesting({"instancesSet": [[["", "a:{b},[c]:"]]]}),
    "the name deep inside": requesting({"instancesSet": {"a": {"b": [1, None, True, {"c": {"d": "deep"}}]}}}),
    "an ARN as a key": requesting({"arn:aws:key": {"x": 1}}),
    "an ARN with an escape": requesting({"x": 'arn:aws:"', "y": "arn:aws:fine"}),
    "a service event's details": record(serviceEventDetails={"a": [1]}, edgeDeviceDetails="***", insightDetails=None),
    "eventSource is only the suffix": record(eventSource=".amazonaws.com"),
    "a denial of nothing": record(requestParameters=None, errorMessage="on resource:  on resource: .,"),
    "a denial of a policy": record(requestParameters=None, errorMessage="on resource: instance profile because"),
    "a denial with a policy": record(requestParameters=None, errorMessage="on resource: role becauseway with"),
    **{
        f"at {spelled}": record(eventTime=spelled)
        for spelled in (
            "2026-11-02T10:00:00,5Z", "2026-11-02 10:00:00+0530", "20261102T1000", "20261102T100000.123-0330",
            "2026-11-02T23:59:59.999999-00:01", "2026-11-02T10:00:00.1234567891234Z",
        )
    },
}  # fmt: skip
EXAMPLES = {
    name: one | ({"eventID": name} if one.get("eventID") else {"requestID": name, "eventName": name})
    for name, one in examples()
}

# Columns that differ for what a table cannot do, beside those of REBUILT.
OTHERWISE: dict[str, dict[str, Any]] = {
    # an id of its own for a record that has none, which SQL cannot make of the text of the record
    "as little as there may be": {"event_id": ...},
    "an empty id": {"event_id": ...},
    "no id": {"event_id": ...},
    "an id that says null": {"event_id": ...},
    # to the millisecond, as Athena has times
    "a time with nine digits": {"event_time": datetime(2026, 11, 2, 10, 0, 0, 123000)},
    "at 2026-11-02T23:59:59.999999-00:01": {"event_time": datetime(2026, 11, 3, 0, 0, 59, 999000)},
    "at 2026-11-02T10:00:00.1234567891234Z": {"event_time": datetime(2026, 11, 2, 10, 0, 0, 123000)},
}


@pytest.fixture(scope="module")
def found() -> dict[str, Row]:
    """What a query finds of the examples, in a table that holds them all."""
    engine = duckdb_over(aws_cloudtrail(list(EXAMPLES.values()), paths=list(EXAMPLES)), "aws")
    ages = (AUTUMN, Window(datetime(1, 1, 2, tzinfo=UTC), datetime(3, 1, 1, tzinfo=UTC)))
    return {row["log_file"]: row for window in ages for row in parsed(engine.run(ALL, window=window).table)}


@cache
def as_read() -> dict[str, Row]:
    return dict(zip(EXAMPLES, read(list(EXAMPLES.values())), strict=True))


@cache
def as_held() -> dict[str, Row]:
    return dict(zip(EXAMPLES, read([held(one) for one in EXAMPLES.values()]), strict=True))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_is_the_one_that_the_reader_gives(name: str, found: dict[str, Row]) -> None:
    row, expected = found[name], as_read()[name] | {column: as_held()[name][column] for column in REBUILT}
    expected |= OTHERWISE.get(name, {})
    differs = {
        column: (row[column], expected[column]) for column in COMPARED if expected[column] not in (row[column], ...)
    }
    assert differs == {}
    assert row["event_date"] == row["event_time"].date()


# Whatever a record holds

_NAMES = st.sampled_from(
    ["", "a", "AWS Internal", "AKIA:s", ":", "x:y:z", "p/q", "HIDDEN_DUE_TO_SECURITY_REASONS", "é"]
)
_ARNS = st.sampled_from([
    "", ROLE, f"arn:aws:iam::{ACCOUNT}:user/a", f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s", "arn:aws:sts:::assumed-role/r/s/t",
    "arn:aws-cn:sts::1:federated-user/f", "arn:aws:sts::x:assumed-role/r/s", "no arn",
])  # fmt: skip
_IDENTITIES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from([*dict.fromkeys(case[1].get("type") or "" for case in IDENTITIES), "New"]),
        "arn": _ARNS,
        "principalId": _NAMES,
        "accountId": st.sampled_from(["", ACCOUNT]),
        "accessKeyId": _NAMES,
        "userName": _NAMES,
        "invokedBy": _NAMES,
        "onBehalfOf": st.fixed_dictionaries({}, optional={"userId": _NAMES}),
        "sessionContext": st.fixed_dictionaries(
            {},
            optional={
                "sessionIssuer": st.fixed_dictionaries(
                    {}, optional={"arn": _ARNS, "userName": _NAMES, "accountId": st.sampled_from(["", "1"])}
                ),
                "attributes": st.fixed_dictionaries(
                    {},
                    optional={
                        "mfaAuthenticated": st.sampled_from(["true", "false", "", "True"]),
                        "creationDate": _NAMES,
                    },
                ),
                "sourceIdentity": _NAMES,
            },
        ),
    },
).filter(  # such a record names an account; where it names none, the reader writes the word None
    lambda one: one.get("type") not in ("Root", "IAMUser") or one.get("accountId") or one.get("arn")
)
_KEYS = sorted({key for keys in _REQUEST_KEYS.values() for key in keys} | {*_COMMON_KEYS, "other", ""})
_TEXTS = st.text(st.sampled_from('ab"\\,:{}[]\n\0é'), max_size=6) | st.sampled_from(["arn:aws:x", "", "Failure"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.sampled_from([0, 1, -7, 0.0, -0.0, 2.5, 10**30]) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS) | _TEXTS, inner, max_size=3),
    max_leaves=6,
)
_WORDS = st.lists(
    st.sampled_from([
        "on resource: ", "user ", "instance profile ", "because ", "with", "withx ", "bob ", "*", ".", "arn:aws:x", "'", " ",
        "is not authorized to perform", "Failed authentication", "\n",
    ]),
    max_size=6,
).map("".join)  # fmt: skip
_CODES = st.sampled_from([
    None, "", "AccessDenied", "Client.AccessDeniedX", "xAccessDenied", "UnauthorizedOperation", "Server.UnauthorizedOperation",
    "UnauthorizedOperation.x", "Forbidden", "forbidden", "Client.Forbidden", "ThrottlingException", "AuthorizationError",
])  # fmt: skip
_RECORDS = st.builds(
    record,
    userIdentity=_IDENTITIES | st.none(),
    eventSource=st.sampled_from(
        [*(f"{service}.amazonaws.com" for service in _REQUEST_KEYS), "states.amazonaws.com", "x", ""]
    ),
    eventName=st.sampled_from(["ConsoleLogin", "Other"]),
    errorCode=_CODES,
    errorMessage=_WORDS | st.none(),
    requestParameters=st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=4) | _VALUES,
    responseElements=_VALUES | st.sampled_from([{"ConsoleLogin": "Failure"}]),
    resources=st.lists(st.fixed_dictionaries({}, optional={"ARN": _ARNS}), max_size=3) | st.none(),
    recipientAccountId=st.sampled_from([ACCOUNT, "", None]),
)


@settings(max_examples=4)
@given(st.lists(_RECORDS, min_size=25, max_size=60))
def test_whatever_a_record_holds_gives_the_row_of_the_reader(records: list[Row]) -> None:
    unique = [one | {"eventID": f"id-{number}"} for number, one in enumerate(records)]
    named = ", ".join(WORKED_OUT)
    engine = duckdb_over(aws_cloudtrail(unique), "aws")
    rows = {
        row["event_id"]: row
        for row in engine.run(f"SELECT {named} FROM cloudtrail_events", window=AUTUMN).table.to_pylist()
    }
    for one, expected in zip(unique, read(unique), strict=True):
        assert (one, rows[one["eventID"]]) == (one, {name: expected[name] for name in WORKED_OUT})


WORKED_OUT = (
    "event_id", "service", "outcome", "account_id", "identity_type", "principal_arn", "principal_name", "principal_account",
    "session_name", "access_key_id", "invoked_by", "mfa", "session_created", "source_identity", "on_behalf_of", "resource_arn",
)  # fmt: skip


# The sample company, and Security Lake


@pytest.fixture(scope="module")
def company() -> list[Row]:
    """Every record of the samples once."""
    files = sorted(DATA_SAMPLES.glob("AWSLogs/*/CloudTrail/**/*.json.gz"))
    records = [one for file in files for one in json.loads(gzip.decompress(file.read_bytes()))["Records"]]
    return list({(one["eventID"], one.get("recipientAccountId")): one for one in records}.values())


def test_every_event_of_the_sample_company_is_as_the_reader_gives_it(company: list[Row]) -> None:
    assert len(company) > 1_000
    assert in_order(asked(aws_cloudtrail(company))) == in_order(read(company))


def test_security_lake_keeps_every_event_of_the_sample_company(company: list[Row]) -> None:
    lost = ("user_identity", "extra")
    assert in_order(asked(security_lake(company), "security_lake"), *lost) == in_order(read(company), *lost)


def in_order(rows: list[Row], *without: str) -> list[Row]:
    kept = [{name: row[name] for name in COMPARED if name not in without} for row in rows]
    return sorted(kept, key=lambda row: (row["event_id"], row["account_id"]))


# Examples whose texts are empty or objects, which OCSF does not keep as they are, or whose time is no time of AWS.
NOT_OF_OCSF = {"empty strings", "what an old record leaves empty", "objects for text", "a time long ago"}
TAKEN_APART = ("additional_event_data", "resources", "user_identity", "extra")


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in NOT_OF_OCSF])
def test_security_lake_keeps_what_the_reader_gives(name: str, lake: dict[str, Row]) -> None:
    row, expected = lake[name], as_read()[name] | OTHERWISE.get(name, {})
    columns = [column for column in COMPARED if column not in TAKEN_APART and expected[column] is not ...]
    assert {column: row[column] for column in columns} == {column: expected[column] for column in columns}


OCSF = {
    "a failed sign-in": record(
        eventName="ConsoleLogin",
        eventSource="signin.amazonaws.com",
        eventCategory=...,
        requestID=...,
        errorMessage="Failed authentication",
        responseElements={"ConsoleLogin": "Failure"},
        additionalEventData={"LoginTo": "https://console.aws", "MFAUsed": "No", "MobileVersion": "No", "a": {"b": "\"c\""}},
    ),
    "from a service": record(
        sourceIPAddress="ecs.amazonaws.com",
        vpcEndpointId="vpce-1",
        sharedEventID="s",
        apiVersion="2014",
        userIdentity=ASSUMED_ROLE | {"inScopeOf": {"issuerType": "x"}},
        resources=[{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": ROLE}],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def lake() -> dict[str, Row]:
    """What a query finds of the examples in Security Lake."""
    records = EXAMPLES | {name: one | {"eventID": name} for name, one in OCSF.items()}
    rows = asked(security_lake(list(records.values())), "security_lake")
    return {row["event_id"] if row["event_id"] in records else row["event_name"]: row for row in rows}


def test_what_security_lake_takes_apart_is_put_together_again(lake: dict[str, Row]) -> None:
    row = lake["a failed sign-in"]
    assert row["additional_event_data"] == {
        "LoginTo": "https://console.aws", "MFAUsed": "No", "MobileVersion": "No", "a.b": '"c"'
    }  # fmt: skip
    assert row["outcome"] == "denied"
    assert (row["event_category"], row["request_id"], row["event_type"]) == (None, None, "AwsApiCall")
    assert row["extra"] == {
        "eventVersion": "1.11", "managementEvent": "true", "tlsDetails.cipherSuite": "TLS_AES_128_GCM_SHA256",
        "tlsDetails.tlsVersion": "TLSv1.3",
    }  # fmt: skip


def test_security_lake_keeps_the_rest(lake: dict[str, Row]) -> None:
    row, [expected] = lake["from a service"], read([OCSF["from a service"]])
    lost = {"event_id", "user_identity", "extra"}
    assert {name: row[name] for name in COMPARED if name not in lost} == {
        name: expected[name] for name in COMPARED if name not in lost
    }
    assert row["user_identity"] == ASSUMED_ROLE
    assert row["extra"].items() >= {"apiVersion": "2014", "userIdentity.inScopeOf.issuerType": "x"}.items()


def test_empty_texts_of_security_lake_are_nothing() -> None:
    raw = security_lake([record(requestID="''", vpcEndpointId="", errorCode="", errorMessage="", sharedEventID="")])
    [row] = asked(raw, "security_lake")
    assert [row[name] for name in ("request_id", "vpc_endpoint_id", "error_code", "shared_event_id")] == [None] * 4
    assert row["outcome"] == "ok"


# Tables that differ

EVERYTHING = EXAMPLES["every member of an identity"]
OLD_TABLE = declared(
    "aws",
    without=[
        "useridentity.onbehalfof", "useridentity.inscopeof", "useridentity.credentialid", "useridentity.identityprovider",
        "useridentity.invokedbydelegate", "useridentity.sessioncontext.sourceidentity",
        "useridentity.sessioncontext.webidfederationdata", "useridentity.sessioncontext.ec2roledelivery",
        "useridentity.sessioncontext.assumedroot", "useridentity.sessioncontext.signinsessionarn", "addendum", "tlsdetails",
        "eventcategory", "managementevent", "resources", "edgedevicedetails", "eventcontext", "insightdetails", "$path",
    ],
)  # fmt: skip


def test_an_older_table_gives_null_for_what_it_lacks() -> None:
    one = EVERYTHING | {"resources": [{"ARN": ROLE}]}
    [row] = asked(aws_cloudtrail([one], OLD_TABLE), columns=OLD_TABLE)
    [expected] = read([one])
    lacks = {"event_category", "on_behalf_of", "source_identity", "resources", "tls_version", *REBUILT, "resource_arn"}
    assert {name: row[name] for name in COMPARED if name not in lacks} == {
        name: expected[name] for name in COMPARED if name not in lacks
    }
    assert {row[name] for name in lacks - {"user_identity", "extra", "resource_arn"}} == {None}
    assert row["resource_arn"] == "prod/db"
    assert row["extra"] == {"eventVersion": "1.11"}
    assert set(row["user_identity"]["sessionContext"]) == {"sessionIssuer", "attributes"}
    assert row["log_file"] is None


def test_a_table_with_nothing_but_what_it_needs_answers() -> None:
    few = {name: declared("aws")[name] for name in source("cloudtrail_events", "aws").needs}
    [row] = asked(aws_cloudtrail([record()], few), columns=few)
    assert (row["principal_name"], row["event_name"], row["outcome"]) == ("alice", "GetSecretValue", "ok")
    assert row["event_id"].startswith("sha256:")


@pytest.mark.parametrize("layout", ["aws", "security_lake"])
def test_a_table_without_what_every_event_needs_is_refused(layout: str) -> None:
    for name in source("cloudtrail_events", layout).needs:
        some = declared(layout, without=[name])
        with pytest.raises(EngineError, match=f"no column {name}"):
            asked(pa.table({"x": [1]}), layout, columns=some)


def test_other_types_are_read_as_text() -> None:
    typed = declared("aws", readonly="boolean", managementevent="boolean", eventtime="timestamp(3)")
    raw = aws_cloudtrail([record(), record("e2", readOnly=False, eventTime="2026-11-02T23:59:59Z")])
    for name in ("readonly", "managementevent", "eventtime"):
        values = [read_as(value) for value in raw[name].to_pylist()]
        raw = raw.set_column(raw.schema.get_field_index(name), name, pa.array(values, arrow_type(typed[name])))
    rows = {row["event_id"]: row for row in asked(raw, columns=typed)}
    assert [rows[name]["read_only"] for name in ("e1", "e2")] == [True, False]
    assert [rows[name]["event_time"] for name in ("e1", "e2")] == [
        datetime(2026, 11, 2, 10), datetime(2026, 11, 2, 23, 59, 59)
    ]  # fmt: skip
    assert rows["e1"]["extra"]["managementEvent"] is True


def read_as(text: str) -> Any:
    return text == "true" if text in ("true", "false") else datetime.fromisoformat(text).replace(tzinfo=None)


# The window, the partitions, the copies


@pytest.mark.parametrize("layout", ["aws", "security_lake"])
def test_the_window_is_half_open(layout: str) -> None:
    times = ["09:59:59Z", "10:00:00Z", "10:00:00.001Z", "10:59:59.999Z", "11:00:00Z"]
    records = [record(time, eventTime=f"2026-11-02T{time}") for time in times]
    window = Window(datetime(2026, 11, 2, 10, tzinfo=UTC), datetime(2026, 11, 2, 11, tzinfo=UTC))
    raw = aws_cloudtrail(records) if layout == "aws" else security_lake(records)
    assert {row["event_id"] for row in asked(raw, layout, window)} == set(times[1:4])


def test_a_time_with_an_offset_is_in_the_window_of_its_moment() -> None:
    day = Window(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))
    inside = ["2026-11-01T20:00:00-04:00", "20261101T200000-0400", "2026-11-03T13:59:59+14:00", "2026-11-02 00:00"]
    outside = [
        "2026-11-01T20:00:00-03:59",
        "2026-11-03T14:00:00+14:00",
        "2026-11-03",
        "yesterday",
        "",
        "9999-99-99T99:99:99Z",
    ]
    raw = aws_cloudtrail([record(time, eventTime=time) for time in inside + outside])
    assert {row["event_id"] for row in asked(raw, window=day)} == set(inside)


@pytest.mark.parametrize("layout", ["aws", "security_lake"])
def test_an_event_that_was_delivered_twice_is_one_row(layout: str) -> None:
    records = [record("once"), record("twice"), record("twice"), record("twice", recipientAccountId="444455556666")]
    records += [record(eventID=...), record(eventID=...), record(eventID=..., eventName="Other")]
    if layout == "aws":
        raw = aws_cloudtrail(records, paths=[f"s3://logs/{number}" for number in range(9, 9 - len(records), -1)])
    else:
        raw = security_lake(records)
    rows = asked(raw, layout)
    ids = sorted((row["event_id"][:7], row["account_id"], row["event_name"]) for row in rows)
    assert ids == [
        ("once", ACCOUNT, "GetSecretValue"),
        ("sha256:", ACCOUNT, "GetSecretValue"),
        ("sha256:", ACCOUNT, "Other"),
        ("twice", ACCOUNT, "GetSecretValue"),
        ("twice", "444455556666", "GetSecretValue"),
    ]
    if layout == "aws":
        [twice] = [row for row in rows if (row["event_id"], row["account_id"]) == ("twice", ACCOUNT)]
        assert twice["log_file"] == "s3://logs/7"


def test_only_the_partitions_of_the_window_are_read() -> None:
    keys = {"timestamp": "varchar", "region": "varchar"}
    columns = declared("aws", **keys)
    raw = aws_cloudtrail([record("here"), record("late"), record("elsewhere"), record("far", awsRegion="us-east-1")])
    raw = raw.append_column("timestamp", pa.array(["2026/11/02", "2026/11/03", "2026/11/05", "2026/11/02"]))
    raw = raw.append_column("region", pa.array(["eu-central-1"] * 3 + ["us-east-1"]))
    partitions = (
        PartitionKey("timestamp", columns["timestamp"], day_format="%Y/%m/%d"),
        PartitionKey("region", columns["region"]),
    )
    day = Window(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC) - timedelta(seconds=1))
    found = asked(raw, window=day, columns=columns, partitions=partitions, limits=Limits(regions=("eu-central-1",)))
    assert sorted(row["event_id"] for row in found) == ["here", "late"]


# The two sources are one but for what they read


def test_both_layouts_end_in_the_same_steps() -> None:
    for layout in ("aws", "security_lake"):
        select = source("cloudtrail_events", layout).select
        assert [cte.alias for cte in select.ctes] == ["members", "events", "numbered", "identified", "named"]
        assert [column.alias_or_name for column in select.selects] == CLOUDTRAIL_EVENTS.names


def test_a_request_is_asked_for_the_same_keys_as_by_the_reader() -> None:
    [case] = [
        case
        for case in source("cloudtrail_events", "aws").select.find_all(exp.Case)
        if isinstance(case.this, exp.Column) and case.this.name == "service"
    ]
    keys = {when.this.name: tuple(key.name for key in when.args["true"].expressions) for when in case.args["ifs"]}
    assert keys == _REQUEST_KEYS
    assert isinstance(case.parent, exp.DPipe)
    assert tuple(key.name for key in case.parent.expression.expressions) == _COMMON_KEYS


# What no query but the sources needs of DuckDB: the answer that Trino gives

WORDS: dict[str, Any] = {
    """json_format(CAST('a"b' AS JSON))""": '"a\\"b"',
    "json_format(CAST('[1]' AS JSON))": '"[1]"',
    "json_format(CAST(CAST(NULL AS VARCHAR) AS JSON))": None,
    "json_format(CAST(7 AS JSON))": "7",
    "json_format(CAST(MAP(ARRAY['k'], ARRAY['v']) AS JSON))": '{"k":"v"}',
    "element_at(TRY_CAST(json_extract('{\"a\": [1]}', '$') AS MAP(VARCHAR, JSON)), 'b')": None,
    "json_format(element_at(TRY_CAST(json_extract('{\"a\": [1]}', '$') AS MAP(VARCHAR, JSON)), 'a'))": "[1]",
    "TRY_CAST(json_extract('[1]', '$') AS MAP(VARCHAR, JSON))  IS NULL": True,
    "map_keys(MAP(ARRAY['k'], ARRAY['v']))": ["k"],
    "rpad('12', 3, '0') || rpad('1234', 3, '0')": "120123",
    "lower(to_hex(sha256(to_utf8('abc'))))": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "array_join(ARRAY[NULL, 'a', NULL, '', 'b'], ', ')": "a, , b",
    "array_join(ARRAY[1, NULL, 2], '')": "12",
    "array_join(CAST(ARRAY[] AS ARRAY(VARCHAR)), ',')": "",
    "array_join(CAST(NULL AS ARRAY(VARCHAR)), ',')": None,
}  # fmt: skip


@pytest.mark.parametrize("expression", WORDS)
def test_duckdb_answers_as_trino_does(expression: str) -> None:
    assert DuckDBEngine({}).run(f"SELECT {expression} AS answer").table.to_pylist() == [{"answer": WORDS[expression]}]
