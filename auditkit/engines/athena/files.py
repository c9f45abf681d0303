"""The files that an UNLOAD of Athena leaves in S3: which they are, and their removal."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import BotoCoreError, ClientError
from pyathena.util import parse_output_location
from sqlglot import exp

from auditkit.engines.athena.words import bucket_refused
from auditkit.errors import EngineError

ROWS_AT_ONCE = 20_000
AT_ONCE = 1000  # keys of one request to delete: the most S3 takes
_SDK_ERRORS = (ClientError, BotoCoreError)


@dataclass(frozen=True, slots=True)
class Unloaded:
    """Rows that Athena wrote to S3 in files, in no order across files. Nobody but `remove` deletes them."""

    query_id: str
    bytes_scanned: int
    files: tuple[str, ...]  # s3://bucket/key; none, when there were no rows
    duration_s: float
    sql: str  # Trino SQL with its parameters filled in
    location: str = field(repr=False)  # the folder of the files, which is theirs alone
    manifest: str | None = field(default=None, repr=False)  # the list of them


@dataclass(frozen=True)
class Extracted:
    """Rows on their way."""

    sql: str
    query_id: str
    bytes_scanned: int
    cost_usd: float | None
    tables: Iterable[pa.Table] = field(repr=False)

    def batches(self) -> Iterator[pa.Table]:
        yield from self.tables


def folder_in(location: str) -> str:
    """A folder of its own under *location*, as UNLOAD asks for."""
    return f"{location.rstrip('/')}/auditkit/{uuid.uuid4()}/"


def unload_of(query: str, folder: str, table_format: str) -> exp.Expr:
    """The statement that writes the rows of the text *query* into *folder*."""
    properties = {"format": table_format}
    if table_format.upper() == "PARQUET":
        properties["compression"] = "ZSTD"
    written = ", ".join(f"{name} = {exp.Literal.string(value).sql('trino')}" for name, value in properties.items())
    to = exp.Literal.string(folder).sql("trino")
    return exp.Command(this="UNLOAD", expression=f"(\n{query}\n) TO {to} WITH ({written})")


@dataclass(frozen=True)
class Files:
    """Objects of S3, through the client of the SDK."""

    client: Any

    def listed_in(self, manifest: str | None) -> tuple[str, ...]:
        """The files that a manifest lists; without a manifest there were no rows. Raises: EngineError."""
        if manifest is None:
            return ()
        bucket, key = parse_output_location(manifest)
        try:
            with closing(self.client.get_object(Bucket=bucket, Key=key)["Body"]) as body:
                return tuple(body.read().decode().split())
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                return ()
            raise bucket_refused(error, "s3:GetObject", manifest) from None
        except BotoCoreError as error:
            raise bucket_refused(error, "s3:GetObject", manifest) from None

    def tables(self, unloaded: Unloaded) -> Iterator[pa.Table]:
        """The rows of its files, which are Parquet, some at a time. Raises: EngineError."""
        for url in unloaded.files:
            bucket, key = parse_output_location(url)
            try:
                with closing(self.client.get_object(Bucket=bucket, Key=key)["Body"]) as body:
                    data = body.read()
            except _SDK_ERRORS as error:
                raise bucket_refused(error, "s3:GetObject", url) from None
            file = pq.ParquetFile(pa.BufferReader(data), coerce_int96_timestamp_unit="us")
            for batch in file.iter_batches(ROWS_AT_ONCE):
                yield pa.Table.from_batches([batch])

    def remove(self, location: str, also: Iterable[str] = ()) -> tuple[str, ...]:
        """Delete all that is in the folder *location*, and the files of *also*. Returns: what is left, by URL."""
        bucket, prefix = parse_output_location(location)
        try:
            found = [f"s3://{bucket}/{key}" for key in self._keys(bucket, prefix)]
        except _SDK_ERRORS:
            found = []
        urls = list(dict.fromkeys([*found, *also]))
        return tuple(
            left for start in range(0, len(urls), AT_ONCE) for left in self._left_of(urls[start : start + AT_ONCE])
        )

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            yield from (found["Key"] for found in page.get("Contents", ()))

    def _left_of(self, urls: list[str]) -> list[str]:
        by_bucket: dict[str, list[str]] = {}
        for url in urls:
            bucket, key = parse_output_location(url)
            by_bucket.setdefault(bucket, []).append(key)
        left = []
        for bucket, keys in by_bucket.items():
            try:
                answer = self.client.delete_objects(
                    Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
                )
                left += [f"s3://{bucket}/{error['Key']}" for error in answer.get("Errors", ())]
            except _SDK_ERRORS:
                left += [f"s3://{bucket}/{key}" for key in keys]
        return left


def location_of(configured: str) -> str:
    """*configured*, if it is a place in S3. Raises: EngineError."""
    if not configured.startswith("s3://") or not configured.removeprefix("s3://").strip("/"):
        raise EngineError(f"The output location {configured!r} is no place in S3. Write s3://BUCKET/PREFIX/.")
    return configured
