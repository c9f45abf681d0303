"""Every spelling of a refusal."""

from __future__ import annotations

import pytest

from auditkit.logs.outcome import outcome

NOT_AUTHORIZED = (
    "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: ecs:CreateService on resource: x"
)


@pytest.mark.parametrize(
    "code",
    [
        "AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation", "UnauthorizedOperation",
        "VpceAccessDenied", "AuthorizationError", "Client.AccessDenied", "NotAuthorizedException", "UnauthorizedException",
    ],
)  # fmt: skip
def test_denied_by_its_code(code: str) -> None:
    assert outcome(code, None, b"null") == "denied"


@pytest.mark.parametrize(("code", "message"), [("ClientException", NOT_AUTHORIZED), (None, "Failed authentication")])
def test_denied_by_its_message(code: str | None, message: str) -> None:
    assert outcome(code, message, b"null") == "denied"


def test_a_failed_sign_in_has_no_error_code() -> None:
    assert outcome(None, None, b'{"ConsoleLogin":"Failure"}') == "denied"
    assert outcome(None, None, b'{"ConsoleLogin":"Success"}') == "ok"


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ValidationError", "NoSuchEntity", "Client.DryRunOperation", "ExpiredToken"]
)
def test_other_failures_are_errors(code: str) -> None:
    assert outcome(code, "something went wrong", b"null") == "error"


def test_no_error_is_ok() -> None:
    assert outcome(None, None, b"null") == "ok"
    assert outcome(None, None, b'{"status":"Failure"}') == "ok"
