"""How a call ended: every spelling CloudTrail has for it, as one of three words."""

from __future__ import annotations

from typing import get_args

from auditkit.model import Outcome

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)  # `ok` is the first
_DENIED_CODES = frozenset(
    {
        "VpceAccessDenied",  # a VPC endpoint's policy
        "AuthorizationError",  # SNS
        "AuthorizationErrorException",
        "Forbidden",
        "ForbiddenException",
        "NotAuthorizedException",
        "UnauthorizedException",
        "UnauthorizedAccess",
    }
)
_DENIED_MESSAGES = (
    "is not authorized to perform",
    "Failed authentication",
)  # some services keep the code to themselves
_SIGN_IN_FAILED = b'"Failure"'


def outcome(error_code: str | None, error_message: str | None, response_elements: bytes) -> Outcome:
    """`denied` for every spelling of a refusal, `error` for other failures, else `ok`.

    A failed console sign-in has no error code: its message, or `ConsoleLogin: "Failure"` in the response, says so.
    """
    if error_code is None and error_message is None:
        failed_sign_in = _SIGN_IN_FAILED in response_elements and b'"ConsoleLogin"' in response_elements
        return "denied" if failed_sign_in else "ok"
    code, message = error_code or "", error_message or ""
    refused = (
        code.removeprefix("Client.").startswith("AccessDenied")
        or code.endswith("UnauthorizedOperation")
        or code in _DENIED_CODES
        or any(words in message for words in _DENIED_MESSAGES)
    )
    return "denied" if refused else "error"
