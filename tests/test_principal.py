"""Who stands behind an event, for every identity type of CloudTrail."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import pytest

from auditkit.logs.principal import NOBODY, principal
from tests.records import ASSUMED_ROLE, IAM_USER, ROLE

A = "111122223333"


def who(**block: Any) -> Any:
    return principal(json.dumps(block).encode())


IDENTITIES: list[tuple[str, dict[str, Any], str | None, str | None, str | None]] = [
    # case, userIdentity, principal_arn, principal_name, session_name
    ("root", {"type": "Root", "principalId": A, "arn": f"arn:aws:iam::{A}:root", "accountId": A, "accessKeyId": ""},
     f"arn:aws:iam::{A}:root", "root", None),
    ("root without arn", {"type": "Root", "principalId": A, "accountId": A}, f"arn:aws:iam::{A}:root", "root", None),
    ("root with an alias", {"type": "Root", "accountId": A, "arn": f"arn:aws:iam::{A}:root", "userName": "acme"},
     f"arn:aws:iam::{A}:root", "root", None),
    ("user", IAM_USER, f"arn:aws:iam::{A}:user/people/alice", "alice", None),
    ("user of a failed sign-in", {"type": "IAMUser", "accountId": A, "userName": "alice"},
     f"arn:aws:iam::{A}:user/alice", "alice", None),
    ("user whose name was mistyped", {"type": "IAMUser", "accountId": A, "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"},
     None, "HIDDEN_DUE_TO_SECURITY_REASONS", None),
    ("role session, path from the issuer", ASSUMED_ROLE, ROLE, "deploy", "ci-42"),
    ("role session without issuer",
     {"type": "AssumedRole", "principalId": "AROAX:i-0abc", "arn": f"arn:aws:sts::{A}:assumed-role/web/i-0abc", "accountId": A},
     f"arn:aws:iam::{A}:role/web", "web", "i-0abc"),
    ("role session with an empty issuer",
     {"type": "AssumedRole", "arn": f"arn:aws-cn:sts::{A}:assumed-role/web/x@example.com", "sessionContext": {"sessionIssuer": {}}},
     f"arn:aws-cn:iam::{A}:role/web", "web", "x@example.com"),
    ("role session, session only in principalId",
     {"type": "AssumedRole", "principalId": "AROAX:s1", "sessionContext": {"sessionIssuer": {"arn": ROLE, "userName": "deploy"}}},
     ROLE, "deploy", "s1"),
    ("role itself", {"type": "Role", "arn": ROLE, "accountId": A}, ROLE, "deploy", None),
    ("federated user",
     {"type": "FederatedUser", "principalId": f"{A}:bob", "arn": f"arn:aws:sts::{A}:federated-user/bob", "accountId": A,
      "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": f"arn:aws:iam::{A}:user/alice", "userName": "alice"}}},
     f"arn:aws:iam::{A}:user/alice", "alice", "bob"),
    ("principal of another account", {"type": "AWSAccount", "principalId": "AROAOTHER:s9", "accountId": "444455556666"},
     "AROAOTHER", "AROAOTHER", "s9"),
    ("another account, nothing else", {"type": "AWSAccount", "accountId": "444455556666"}, "444455556666", "444455556666", None),
    ("service", {"type": "AWSService", "invokedBy": "ecs-tasks.amazonaws.com"},
     "ecs-tasks.amazonaws.com", "ecs-tasks.amazonaws.com", None),
    ("service event without a type", {"accountId": A, "invokedBy": "AWS Internal"}, "AWS Internal", "AWS Internal", None),
    ("Identity Center user", {"type": "IdentityCenterUser", "accountId": A, "credentialId": "c",
                              "onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:aws:identitystore::1:identitystore/d-1"}},
     "arn:aws:identitystore:::user/u-1", "u-1", None),
    ("SAML user", {"type": "SAMLUser", "principalId": "qualifier:alice@example.com", "userName": "alice@example.com"},
     "qualifier:alice@example.com", "alice@example.com", None),
    ("web identity", {"type": "WebIdentityUser", "principalId": "idp.example:app:repo", "userName": "repo:acme/shop",
                      "identityProvider": "idp.example"}, "idp.example:app:repo", "repo:acme/shop", None),
    ("unknown", {"type": "Unknown", "principalId": "p-1", "accountId": A, "userName": ""}, "p-1", "p-1", None),
    ("directory", {"type": "Directory", "principalId": "d-1"}, "d-1", "d-1", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("block", "arn", "name", "session"), [row[1:] for row in IDENTITIES], ids=[r[0] for r in IDENTITIES]
)
def test_the_principal_is_the_one_the_permissions_belong_to(block: Any, arn: Any, name: Any, session: Any) -> None:
    found = who(**block)
    assert (found.principal_arn, found.principal_name, found.session_name) == (arn, name, session)
    assert found.identity_type == block.get("type")


def test_two_sessions_of_one_role_are_one_principal() -> None:
    other = ASSUMED_ROLE | {"arn": f"arn:aws:sts::{A}:assumed-role/deploy/ci-43", "principalId": "AROAEXAMPLE:ci-43"}
    assert who(**ASSUMED_ROLE).principal_arn == who(**other).principal_arn
    assert who(**ASSUMED_ROLE).session_name != who(**other).session_name


@pytest.mark.parametrize(
    ("logged", "mfa"), [("true", True), ("false", False), (True, True), (False, False), (None, None), ("x", None)]
)
def test_mfa_is_read_from_text_and_from_booleans(logged: Any, mfa: bool | None) -> None:
    assert who(type="IAMUser", sessionContext={"attributes": {"mfaAuthenticated": logged}}).mfa is mfa


@pytest.mark.parametrize("text", ["2026-11-02T08:00:00Z", "20261102T080000Z", "2026-11-02T17:00:00+09:00"])
def test_session_creation_is_utc_in_either_spelling(text: str) -> None:
    found = who(type="AssumedRole", sessionContext={"attributes": {"creationDate": text}})
    assert found.session_created == datetime(2026, 11, 2, 8)


def test_other_members_have_their_columns() -> None:
    found = who(**ASSUMED_ROLE, invokedBy="cloudformation.amazonaws.com", onBehalfOf={"userId": "u-1"})
    assert found.invoked_by == "cloudformation.amazonaws.com"
    assert found.on_behalf_of == "u-1"
    assert found.access_key_id == "ASIAEXAMPLE"
    assert found.principal_account == A
    context = ASSUMED_ROLE["sessionContext"] | {"sourceIdentity": "alice"}  # type: ignore[operator]
    assert who(**(ASSUMED_ROLE | {"sessionContext": context})).source_identity == "alice"


@pytest.mark.parametrize(
    "text",
    [b"null", b'"redacted"', b"[]", b"{}", b'{"type":7,"x":1e400}', b'{"type":7,"x":' + b"[" * 9999 + b"]" * 9999],
)
def test_a_block_that_tells_nothing_gives_nobody(text: bytes) -> None:
    assert principal(text) == NOBODY


def test_a_redacted_part_hides_nothing_else() -> None:
    found = who(**ASSUMED_ROLE | {"sessionContext": "***", "onBehalfOf": ["***"], "userName": 7})
    assert (found.principal_arn, found.session_name, found.access_key_id) == (
        f"arn:aws:iam::{A}:role/deploy",
        "ci-42",
        "ASIAEXAMPLE",
    )


def test_an_empty_access_key_is_none() -> None:
    assert who(type="Root", accessKeyId="", accountId=A).access_key_id is None


@pytest.mark.parametrize("block", [{"type": "Root"}, {"type": "IAMUser", "userName": "alice"}])
def test_an_account_that_is_not_told_is_not_made_up(block: dict[str, str]) -> None:
    assert who(**block).principal_arn is None


def test_a_session_time_without_a_zone_is_utc_whatever_this_machine_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        context = {"attributes": {"creationDate": "2026-11-02T10:00:00"}}
        assert who(type="AssumedRole", sessionContext=context).session_created == datetime(2026, 11, 2, 10)
    finally:
        monkeypatch.undo()
        time.tzset()
