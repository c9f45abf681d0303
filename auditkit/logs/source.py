"""What a source of logs is: a file on disk, or an object in a bucket."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

S3 = "s3://"
STORE_LEDGER = "ledger.sqlite"  # a folder that holds one is a store, not logs


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it lay there.

    `key` is its absolute path, where a name that is not UTF-8 is written with `\\x` escapes, or `s3://bucket/key`: then
    `path` is only there for its name.
    """

    key: str
    path: str
    size: int
    version: str  # another one, when the content has changed


def is_remote(place: str | Path) -> bool:
    """Whether a place the user named is in S3. It stays text: a Path would make one slash of two."""
    return str(place).startswith(S3)
