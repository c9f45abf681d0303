"""Parquet parts: rows of one table and one day as a file of the store, complete before it has its name."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from auditkit.errors import StoreError
from auditkit.schema import PARTITION_KEY, TABLES

# What a reader can skip row groups by. Statistics of the others, long JSON among them, cost time and help nobody.
_SKIPPED_BY = {
    "cloudtrail_events": [
        "event_time",
        "event_source",
        "service",
        "event_name",
        "account_id",
        "principal_arn",
        "error_code",
    ],
    "flow_records": ["start_time", "interface_id", "srcaddr", "dstaddr", "dstport", "action", "log_status"],
}

ROW_GROUP = 122_880  # rows: what a reader skips or reads at a time
_LOOKED_UP = {"cloudtrail_events": ["event_id"], "flow_records": []}  # one value in millions: a Bloom filter finds it

_DIFFERENT = (PARTITION_KEY, "bytes", "packets", "srcport", "dstport", "start_time")
# Values that repeat within a day. Writing a dictionary of the others costs time and saves no space.
_REPEATING = {
    "cloudtrail_events": [
        "event_source", "service", "event_name", "event_type", "event_category", "aws_region", "account_id",
        "source_ip", "user_agent", "error_code", "error_message", "outcome", "identity_type", "principal_arn",
        "principal_name", "principal_account", "session_name", "access_key_id", "invoked_by", "source_identity",
        "on_behalf_of", "resource_arn", "resources", "user_identity", "vpc_endpoint_id", "tls_version", "extra",
        "log_file",
    ],
    "flow_records": [name for name in TABLES["flow_records"].names if name not in _DIFFERENT],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A file of rows: one table, one day, from the source files named. `path` is relative to the store's folder."""

    table: str
    day: date
    path: str
    row_count: int
    keys: tuple[str, ...]


def write(folder: Path, table: str, day: date, rows: pa.Table, keys: tuple[str, ...]) -> Part:
    """A new part of the store in *folder*. The store does not count it until its ledger does.

    Raises: StoreError.
    """
    with writing(folder):
        return _write(folder, table, day, rows, keys)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """What goes wrong while the store in *folder* is written, as a StoreError that says what to do."""
    try:
        yield
    except (OSError, sqlite3.Error, pa.ArrowException) as error:
        raise StoreError(
            f"Writing to the store at {str(folder)!r} failed: {error}. What was stored before is intact; "
            "run the same ingest again once there is room and permission."
        ) from error


def _write(folder: Path, table: str, day: date, rows: pa.Table, keys: tuple[str, ...]) -> Part:
    day_folder = folder / table / f"{PARTITION_KEY}={day.isoformat()}"
    day_folder.mkdir(parents=True, exist_ok=True)
    path = day_folder / f"part-{os.urandom(8).hex()}.parquet"
    unfinished = path.with_suffix(".parquet.unfinished")
    filled = [name for name in rows.column_names if rows[name].null_count < len(rows)]
    pq.write_table(
        rows,
        unfinished,
        compression=dict.fromkeys(rows.column_names, "none")
        | dict.fromkeys(filled, "zstd"),  # nothing needs no packing
        compression_level=dict.fromkeys(filled, 1),
        use_dictionary=_REPEATING[table],
        write_statistics=_SKIPPED_BY[table],
        row_group_size=ROW_GROUP,
        store_schema=False,
        bloom_filter_options={name: {"ndv": len(rows), "fpp": 0.01} for name in _LOOKED_UP[table]},
    )
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.replace(path)
    return Part(table, day, path.relative_to(folder).as_posix(), len(rows), keys)
