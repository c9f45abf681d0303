"""Secrets never leave; everything a reader needs stays."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.redact import mask, mask_table

STS = "IQoJb3JpZ2luX2Vj" + "Ab3/+" * 60 + "=="
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhcHAifQ.c2lnbmF0dXJl"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"

MASKED = {
    "session token": (f'{{"accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionToken":"{STS}"}}', STS),
    "key of any case": ('{"SecretAccessKey":"wJalrXUtnFEMI/K7MDENG"}', "wJalr"),
    "password that starts like the mark": ('{"password":"**hunter2"}', "hunter2"),
    "password with a quote": (r'{"masterUserPassword":"hun\"ter2"}', "ter2"),
    "password as a number": ('{"newPassword":12345678}', "12345678"),
    "secret as an object": ('{"secretString":{"user":"app","pass":["hunter2"]}}', "hunter2"),
    "JSON in JSON": (json.dumps({"body": json.dumps({"password": 'hun"ter2', "n": 1})}), "ter2"),
    "JSON in JSON in JSON": (json.dumps({"a": json.dumps({"b": json.dumps({"clientSecret": "hunter2"})})}), "hunter2"),
    "container environment": ('{"environment":[{"name":"LOG","value":"hunter2"}]}', "hunter2"),
    "environment of an override": (
        '{"overrides":{"containerOverrides":[{"name":"web","environment":[{"value":"hunter2","name":"X"}]}]}}',
        "hunter2",
    ),
    "function environment": ('{"environment":{"variables":{"X":"hunter2"}}}', "hunter2"),
    "build environment": ('{"environmentVariablesOverride":[{"name":"X","value":"hunter2"}]}', "hunter2"),
    "parameter after its name": ('{"parameterKey":"DbPassword","parameterValue":"hunter2"}', "hunter2"),
    "parameter before its name": ('{"parameterValue":"hunter2","parameterKey":"DbPassword"}', "hunter2"),
    "variable in a command": ('{"command":["sh","-c","DB_PASSWORD=hunter2 ./run"]}', "hunter2"),
    "quoted variable in a command": ("""{"command":["sh","-c","DB_PASSWORD='hun ter2' ./run"]}""", "ter2"),
    "option in a command": ('{"command":["mysql --user app --password hunter2"]}', "hunter2"),
    "option as its own argument": ('{"command":["mysql","--password","hunter2"]}', "hunter2"),
    "text that only contains JSON": (r"bad request: {\"password\":\"hunter2\"}", "hunter2"),
    "environment in text": ('bad request: {"environment":[{"name":"A","value":"hunter2"}]}', "hunter2"),
    "JSON cut off": ('{"a":1,"environment":[{"name":"A","value":"hunter2', "hunter2"),
    "bare token": (f"the token was {STS}", STS),
    "token in a user agent": (f"app/1.0 ({JWT})", JWT),
    "bearer": ("Bearer 0123456789abcdefghij", "0123456789"),
    "address with a password": ("postgres://app:hunter2@db.internal:5432/app", "hunter2"),
    "private key": (PEM, "MIIE"),
    "private key in JSON": (json.dumps({"note": PEM}), "MIIE"),
    "assertion": ('{"sAMLAssertion":"PHNhbWxwOlJlc3BvbnNl"}', "PHNhbWxw"),
    "web identity": ('{"webIdentityToken":"opaque-token-value"}', "opaque"),
}

KEPT = [
    '{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"app"}',
    '{"secretId":"prod/db","secretArn":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf"}',
    '{"clientRequestToken":"5f0c","nextToken":"page-2","maxSessionDuration":3600,"MaxSessionDuration":3600}',
    '{"manageMasterUserPassword":true,"passwordResetRequired":false,"password":null}',
    '{"secrets":[{"name":"DB_PASSWORD","valueFrom":"arn:aws:ssm:eu-west-1:111122223333:parameter/db"}]}',
    json.dumps({"policyDocument": json.dumps({"Action": ["secretsmanager:GetSecretValue", "iam:ChangePassword"]})}),
    "User is not authorized to perform: secretsmanager:GetSecretValue on resource: prod/db/password",
    "aws-cli/2.31 md/command#secretsmanager.get-secret-value --secret-id prod/db --next-token abc",
    "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
    '{"name":"web","value":"keep","tags":[{"key":"team","value":"payments"}]}',
    '{"n":1.0E5,"big":12345678901234567890123,"a":{"b":[]}}',
]


@pytest.mark.parametrize(("text", "secret"), MASKED.values(), ids=MASKED)
def test_a_secret_is_masked_wherever_it_stands(text: str, secret: str) -> None:
    masked = mask(text)
    assert secret not in masked
    assert "***" in masked
    assert mask(masked) == masked


@pytest.mark.parametrize("text", [text for text, _ in MASKED.values() if text.startswith("{") and text.endswith("}")])
def test_masked_json_is_json_with_the_same_keys(text: str) -> None:
    assert list(json.loads(mask(text))) == list(json.loads(text))


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_secret_stays_as_it_was(text: str) -> None:
    assert mask(text) == text


def test_everything_around_a_secret_keeps_its_bytes() -> None:
    assert (
        mask('{ "n":1.0E5, "password" : "x",\t"u":"\\u0041\\/" }')
        == '{ "n":1.0E5, "password" : "***",\t"u":"\\u0041\\/" }'
    )


def test_an_access_key_id_beside_a_masked_token_stays() -> None:
    assert "ASIAIOSFODNN7EXAMPLE" in mask(MASKED["session token"][0])


# fmt: off
WORDS = st.sampled_from([
    "password", "secretString", "environment", "value", "name", "key", "variables", "token", "x", "arn:aws:iam::1:x",
    "DB_PASSWORD=hunter2", "PASSWORD='a", "--password", "***", "a'b", 'a"b', "\\", "{", "[1]", "é", "--token 'a b'",
    "Bearer 0123456789abcdefghij", '{"password": "x"',
])
# fmt: on
VALUES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.text("ab\"'\\:=-{}", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(WORDS, inner, max_size=4)
        | st.dictionaries(WORDS, inner, max_size=3).map(json.dumps)
    ),
    max_leaves=8,
)


@given(st.dictionaries(WORDS, VALUES, max_size=4))
def test_json_stays_json_and_masking_twice_is_masking_once(value: dict[str, object]) -> None:
    masked = mask(json.dumps(value))
    assert list(json.loads(masked)) == list(value)
    assert mask(masked) == masked


@given(st.text(alphabet="ab \"'\\:=-{}[],*", max_size=30) | st.lists(WORDS, max_size=5).map(" ".join))
def test_masking_twice_is_masking_once_for_any_text(text: str) -> None:
    assert mask(mask(text)) == mask(text)


def test_a_table_is_masked_cell_by_cell() -> None:
    texts = [text for text, _ in MASKED.values()] + [*KEPT, None]
    table = pa.table(
        {
            "text": pa.chunked_array([texts[:5], texts[5:]]),
            "large": pa.array(texts, pa.large_string()),
            "listed": [[text] if text else None for text in texts],
            "struct": [{"a": text} for text in texts],
            "number": range(len(texts)),
        }
    )
    expected = [text and mask(text) for text in texts]
    masked = mask_table(table)
    assert masked.schema == table.schema
    assert masked["text"].to_pylist() == expected
    assert masked["large"].to_pylist() == expected
    assert masked["listed"].to_pylist() == [[text] if text else None for text in expected]
    assert masked["struct"].to_pylist() == [{"a": text} for text in expected]
    assert masked["number"] is table["number"] or masked["number"].equals(table["number"])


def test_a_column_named_like_a_secret_is_masked_whole() -> None:
    masked = mask_table(pa.table({"secret_access_key": ["wJalr", None], "secret_id": ["prod/db", None]}))
    assert masked.to_pylist() == [
        {"secret_access_key": "***", "secret_id": "prod/db"},
        {"secret_access_key": None, "secret_id": None},
    ]


def test_an_empty_table_stays_empty() -> None:
    table = pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.list_(pa.string()))})
    assert mask_table(table).equals(table)
