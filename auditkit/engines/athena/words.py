"""What Athena, Glue, S3 or the AWS SDK answered, in words a person can act on."""

from __future__ import annotations

import re

from botocore import exceptions as sdk

from auditkit.engines.remote import first_line
from auditkit.errors import AuditkitError, EngineError, QueryError, ScanLimitError

NO_CREDENTIALS = (
    "There are no AWS credentials: none in the environment, the shared config (AWS_PROFILE chooses a profile), "
    "a container or an instance."
)
_LOG_IN = "Log in again (`aws sso login`, or as you got them), and run the same command."
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN_KEY = frozenset({"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException"})
_BUSY = frozenset({"ThrottlingException", "TooManyRequestsException", "Throttling"})
_CREDENTIAL_CALLS = frozenset({"AssumeRole", "AssumeRoleWithWebIdentity", "GetRoleCredentials", "GetSessionToken"})

_NOT_AUTHORIZED = re.compile(
    r"not authorized to perform:? (?P<action>[\w*-]+:[\w*]+)(?: on resource:? (?P<on>[^\s,]+))?"
)
_S3_URL = re.compile(r"s3://[^\s,]+")
_S3_DENIED = re.compile(r"access ?denied|permission denied|status code: 403", re.IGNORECASE)
_NO_ROOM = re.compile(r"exhausted resources|EXCEEDED_\w+LIMIT|query timeout|timed out", re.IGNORECASE)
_NO_TABLE = re.compile(r"^(TABLE|SCHEMA|CATALOG)_NOT_FOUND")
_NO_ENTITY = re.compile(r"EntityNotFoundException|(Table|Database) \S+ not found", re.IGNORECASE)
_SCAN_LIMIT = "Bytes scanned limit was exceeded"
_SYNTAX = re.compile(r"^line \d+:\d+:|^Queries of this type are not supported")


def explained(error: BaseException, *, workgroup: str) -> AuditkitError:
    """The error to raise for one that a request met, to Athena or on the way there."""
    cause = error.__cause__ if isinstance(error.__cause__, sdk.ClientError | sdk.BotoCoreError) else error
    if isinstance(cause, sdk.ClientError):
        return _refused(cause, workgroup)
    if isinstance(cause, sdk.NoCredentialsError | sdk.PartialCredentialsError):
        return EngineError(NO_CREDENTIALS)
    if isinstance(cause, sdk.NoRegionError):
        return EngineError("No AWS region is set, and Athena answers in one. Name it: --aws-region, or AWS_REGION.")
    if isinstance(cause, sdk.ProfileNotFound):
        return EngineError(f"{cause}. `aws configure list-profiles` shows those there are.")
    if isinstance(cause, sdk.SSOError | sdk.TokenRetrievalError | sdk.CredentialRetrievalError):
        return EngineError(f"The AWS credentials cannot be had, or have expired ({cause}). {_LOG_IN}")
    if isinstance(cause, sdk.ConnectionError | sdk.HTTPClientError | sdk.EndpointResolutionError):
        return EngineError(f"Athena cannot be reached ({cause}). Is the network, the region or the proxy right?")
    return EngineError(f"Athena cannot be asked: {first_line(cause)[:300]}")


def is_missing(error: BaseException) -> bool:
    """Whether a question about a table met none of that name."""
    cause = error.__cause__ or error
    return isinstance(cause, sdk.ClientError) and bool(_NO_ENTITY.search(str(cause)))


def _refused(error: sdk.ClientError, workgroup: str) -> AuditkitError:
    answer = error.response.get("Error", {})
    code, said = str(answer.get("Code")), first_line(answer.get("Message") or "")
    if error.operation_name in _CREDENTIAL_CALLS:
        return EngineError(f"The AWS credentials cannot be had ({error}). {_LOG_IN}")
    if code in _EXPIRED:
        return EngineError(f"The AWS credentials have expired. {_LOG_IN}")
    if code in _UNKNOWN_KEY:
        return EngineError(
            f"AWS does not accept these credentials ({code}): they were deleted, or are of another partition. "
            "Choose others with AWS_PROFILE."
        )
    if denied := _denied(said):
        return denied
    if code in _BUSY:
        return EngineError(f"Athena is too busy for {error.operation_name}, after many tries. Try again in a while.")
    if "WorkGroup is not found" in said:
        return EngineError(
            f"There is no Athena workgroup {workgroup!r} in this account and region. Name one: --workgroup."
        )
    if "output location" in said.lower() or "output bucket" in said or "S3 location provided" in said:
        return EngineError(
            f"Athena has no place for the results of the workgroup {workgroup!r}: {said}. Name one in the same region: "
            "--output-location s3://BUCKET/PREFIX/."
        )
    if answer.get("AthenaErrorCode") == "MALFORMED_QUERY" or _SYNTAX.match(said):
        return QueryError(f"Athena refuses the SQL: {said}")
    if code.startswith("AccessDenied"):
        return EngineError(f"Access denied: these AWS credentials may not {_action(error)}. AWS says: {said}")
    return EngineError(f"Athena answered {code} to {error.operation_name}: {said}")


def _action(error: sdk.ClientError) -> str:
    return f"athena:{error.operation_name}"


def stopped(query_id: str, state: str, reason: str, *, bytes_scanned: int, workgroup: str) -> AuditkitError:
    """The error to raise for a statement that ended otherwise than well, in the *state* FAILED or CANCELLED."""
    said = first_line(reason)
    if _SCAN_LIMIT in reason:
        return ScanLimitError(
            f"Athena stopped query {query_id} after {bytes_scanned:,} bytes: that is the limit of the workgroup "
            f"{workgroup!r} (BytesScannedCutoffPerQuery). Ask for a shorter window, or for fewer accounts and regions."
        )
    if state == "CANCELLED":
        return EngineError(f"Somebody stopped query {query_id}: {said or 'no reason is given'}.")
    if denied := _denied(said, f" (query {query_id})"):
        return denied
    if _S3_DENIED.search(reason):
        return EngineError(_bucket_denied(reason, query_id))
    if "Lake Formation" in reason:
        return EngineError(f"Lake Formation does not let these credentials read that: {said} (query {query_id}).")
    if _NO_TABLE.match(said):
        return EngineError(f"{said} (query {query_id}). Name the table with --cloudtrail-table or --flow-table.")
    if _NO_ROOM.search(reason):
        return EngineError(f"Athena has no room for query {query_id}: {said}. Ask for a shorter window.")
    return QueryError(f"Athena stopped, query {query_id}: {said or 'no reason is given'}")


def _denied(said: str, where: str = "") -> EngineError | None:
    """For a text that names the IAM action that is missing, as IAM spells it."""
    if not (found := _NOT_AUTHORIZED.search(said)):
        return None
    resource = f" on {found['on']}" if found["on"] else ""
    return EngineError(
        f"Access denied: these AWS credentials may not {found['action']}{resource}{where}. Allow that action, "
        f"or choose other credentials with AWS_PROFILE. AWS says: {said}"
    )


def _bucket_denied(reason: str, query_id: str) -> str:
    """S3 names no action; what Athena was doing tells it."""
    url = (_S3_URL.search(reason) or ["a bucket"])[0].rstrip(".")
    if "writing output" in reason:
        actions = "s3:PutObject and s3:GetBucketLocation; with an encrypted bucket, kms:GenerateDataKey too"
    else:
        actions = "s3:GetObject and s3:ListBucket; with encrypted logs, kms:Decrypt too"
    return (
        f"Access denied: Athena may not reach {url} with these credentials (query {query_id}). It needs {actions}. "
        f"AWS says: {first_line(reason)}"
    )


def bucket_refused(error: Exception, action: str, url: str) -> EngineError:
    """The error to raise when *action* (`s3:GetObject`) on *url* did not go well."""
    answer = error.response.get("Error", {}) if isinstance(error, sdk.ClientError) else {}
    said = first_line(answer.get("Message") or str(error))
    if denied := _denied(said):
        return denied
    if answer.get("Code") in ("AccessDenied", "403"):
        return EngineError(f"Access denied: these AWS credentials may not {action} on {url}. S3 says: {said}")
    return EngineError(f"S3 answered {answer.get('Code') or type(error).__name__} to {action} on {url}: {said}")
