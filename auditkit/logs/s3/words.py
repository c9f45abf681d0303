"""What S3 or the AWS SDK answered, in words a person can act on."""

from __future__ import annotations

from botocore import exceptions as sdk

from auditkit.errors import AuditkitError, SourceError, UnavailableFileError

OPERATIONS = frozenset({"HeadBucket", "ListObjectsV2", "GetObject", "HeadObject"})

# A HEAD request is answered without a body, so S3's own code is missing and the status stands for it.
_STATUS = {
    "301": "PermanentRedirect",
    "403": "AccessDenied",
    "404": "NoSuchKey",
    "412": "PreconditionFailed",
}

# About one object: it is set aside with these words, and the rest goes on.
_OBJECT = {
    "NoSuchKey": "gone: it was listed, and was deleted before it could be read",
    "PreconditionFailed": "changed while it was being read: the next run reads it as it is then",
    "InvalidObjectState": "archived (S3 Glacier): restore the object first, then run again",
}

# About the whole bucket, or whoever asks: nothing else could be read either.
_BUCKET = {
    "NoSuchBucket": "There is no bucket {bucket!r}. Is the name right, and is it of this partition or endpoint?",
    "AllAccessDisabled": "The bucket {bucket!r} is disabled by AWS.",
    "PermanentRedirect": "The bucket {bucket!r} is served elsewhere, and S3 does not say where. Set AWS_REGION to its "
    "region, or AWS_ENDPOINT_URL_S3 to its endpoint.",
    "RequestTimeTooSkewed": "S3 refuses requests from this machine: its clock is wrong by more than 15 minutes.",
    "InvalidAccessKeyId": "S3 does not know the access key of these credentials: it was deleted, or is of another "
    "partition or endpoint. Choose others with AWS_PROFILE.",
    "SignatureDoesNotMatch": "S3 refuses the signature: the secret access key does not fit the access key id.",
    "InvalidToken": "S3 refuses the session token of these credentials. Log in again, or choose others with "
    "AWS_PROFILE.",
}
_BUCKET["AuthorizationHeaderMalformed"] = _BUCKET["IllegalLocationConstraintException"] = _BUCKET["PermanentRedirect"]
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})

_LOG_IN = "Log in again (`aws sso login`, or as you got them), and run the same command: it goes on where it stopped."
NO_CREDENTIALS = (
    "There are no AWS credentials: none in the environment, the shared config (AWS_PROFILE chooses a profile), "
    "a container or an instance. Buckets are not read anonymously."
)


def explained(error: Exception, *, action: str, bucket: str, key: str | None = None) -> AuditkitError:
    """The error to raise for one of the SDK's, when it did *action* (`s3:GetObject`) on an object or on the bucket.

    Returns: UnavailableFileError, when it is the object alone that cannot be read; else SourceError.
    """
    place = f"s3://{bucket}/{key or ''}"
    if isinstance(error, RecursionError):  # the SDK follows a redirect that leads nowhere
        return SourceError(_BUCKET["PermanentRedirect"].format(bucket=bucket))
    if not isinstance(error, sdk.ClientError):
        return SourceError(_of_the_sdk(error, place))
    if (
        error.operation_name not in OPERATIONS
    ):  # the SDK asked for credentials on the way: AssumeRole, GetRoleCredentials
        return SourceError(f"The AWS credentials cannot be had ({error}). {_LOG_IN}")
    answer = error.response.get("Error", {})
    code = str(answer.get("Code"))
    code = (_STATUS if key else {**_STATUS, "404": "NoSuchBucket"}).get(code, code)
    said = f" S3 says: {answer['Message']}" if answer.get("Message") else ""
    if key is not None and code in _OBJECT:
        return UnavailableFileError(_OBJECT[code])
    if code == "AccessDenied" and key is not None:
        return UnavailableFileError(f"access denied: these credentials may not {action} it.{said}")
    if code == "AccessDenied":
        return SourceError(
            f"Access denied: {action} on the bucket {bucket!r} is not allowed to these credentials. Allow it on "
            f"the bucket; if it is a requester-pays bucket, set AWS_REQUEST_PAYER=requester.{said}"
        )
    if code in _EXPIRED:
        return SourceError(f"The AWS credentials have expired. {_LOG_IN}")
    if code in _BUCKET:
        return SourceError(_BUCKET[code].format(bucket=bucket))
    return SourceError(f"S3 answered {code} to {action} on {place}, after several tries.{said}")


def _of_the_sdk(error: Exception, place: str) -> str:
    if isinstance(error, sdk.NoCredentialsError):
        return NO_CREDENTIALS
    if isinstance(error, (sdk.SSOError, sdk.TokenRetrievalError, sdk.CredentialRetrievalError)):
        return f"The AWS credentials cannot be had, or have expired ({error}). {_LOG_IN}"
    if isinstance(error, (sdk.ConnectionError, sdk.HTTPClientError)):
        return f"S3 cannot be reached for {place} ({error}). Is the network, AWS_ENDPOINT_URL_S3 or the proxy right?"
    return f"{place} cannot be read: {str(error)[:300]}"
