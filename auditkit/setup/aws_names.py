"""Names as AWS has them, checked before they stand in a statement or a policy, where a quote is more than text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from auditkit.errors import ParameterError
from auditkit.logs.keys import is_account

# Beside ARNs of `aws`: how the regions of a partition begin.
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
    "eu-isoe-": "aws-iso-e",
}
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# Fewer than S3 allows: what a quote, a wildcard of IAM or a `${…}` of Athena needs is not among them.
_FOLDER = re.compile(r"[A-Za-z0-9!_.()=@+-]+")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_TABLE = re.compile(r"[a-z0-9_]{1,255}")
_WORKGROUP = re.compile(r"[A-Za-z0-9._-]{1,128}")
_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class S3Folder:
    """`s3://bucket/a/b/`: a bucket and the names of the folders, outermost first."""

    bucket: str
    names: tuple[str, ...] = ()

    @classmethod
    def parse(cls, url: str) -> S3Folder:
        """Raises: ParameterError, for what is no S3 address and for one with characters that have no place in SQL."""
        scheme, _, path = url.partition("://")
        if scheme != "s3":
            raise ParameterError(f"{url!r} is no place in S3. Write s3://BUCKET/PREFIX/.")
        bucket, _, prefix = path.partition("/")
        if not _BUCKET.fullmatch(bucket):
            raise ParameterError(f"{url!r}: {bucket!r} is no name of a bucket. Write s3://BUCKET/PREFIX/.")
        names = tuple(prefix.removesuffix("/").split("/")) if prefix else ()
        if strange := [name for name in names if not _FOLDER.fullmatch(name) or name in (".", "..")]:
            raise ParameterError(
                f"{url!r}: a folder called {strange[0]!r} cannot be written here. Letters, digits and !_.()=@+- can, "
                "with one / between folders."
            )
        return cls(bucket, names)

    def __truediv__(self, name: str) -> S3Folder:
        return S3Folder(self.bucket, (*self.names, name))

    @property
    def parent(self) -> S3Folder:
        return S3Folder(self.bucket, self.names[:-1])

    @property
    def prefix(self) -> str:
        """As keys begin: `a/b/`; nothing at the root of the bucket."""
        return "".join(f"{name}/" for name in self.names)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


def account_ids(texts: Sequence[str]) -> tuple[str, ...]:
    """Each once. Raises: ParameterError, for one that is not 12 digits."""
    if strange := [text for text in texts if not is_account(text)]:
        raise ParameterError(f"{strange[0]!r} is no account id, which has 12 digits: 111122223333.")
    return tuple(dict.fromkeys(texts))


def region_names(texts: Sequence[str]) -> tuple[str, ...]:
    """Each once. Raises: ParameterError, for one that does not look like a region."""
    if strange := [text for text in texts if not _REGION.fullmatch(text)]:
        raise ParameterError(f"{strange[0]!r} is no region, such as eu-west-1.")
    return tuple(dict.fromkeys(texts))


def table_name(text: str, *, what: str = "table") -> str:
    """Raises: ParameterError, for a name that Athena would not take for a *what*, or only in quotes."""
    if not _TABLE.fullmatch(text):
        raise ParameterError(
            f"{text!r} is no name for a {what} in Athena. Use lower-case letters, digits and underscores."
        )
    return text


def workgroup_name(text: str) -> str:
    """Raises: ParameterError."""
    if not _WORKGROUP.fullmatch(text):
        raise ParameterError(f"{text!r} is no name of an Athena workgroup. Letters, digits and ._- can be in one.")
    return text


def key_arns(texts: Sequence[str]) -> tuple[str, ...]:
    """Each once. Raises: ParameterError: a policy knows keys by their ARN, and by no alias."""
    if strange := [text for text in texts if not _KEY.fullmatch(text)]:
        raise ParameterError(
            f"{strange[0]!r} is no ARN of a key, such as arn:aws:kms:eu-west-1:111122223333:key/1234abcd-…. "
            "`aws kms describe-key --key-id …` tells it."
        )
    return tuple(dict.fromkeys(texts))


def arn_partition(region: str) -> str:
    """The second word of an ARN in *region*: `aws`, `aws-cn`, `aws-us-gov`, …"""
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")
