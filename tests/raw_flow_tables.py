"""Flow logs as tables of Athena and Trino: in the columns and types that AWS documents, before any source reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pyarrow as pa
from sqlglot import exp

from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.sources import TableSources
from auditkit.engines.tables import Limits, PartitionKey, StoredTable, Tables
from auditkit.logs.flow_format import field_name
from auditkit.model import Window

STORED = ("stored_flow_records",)  # what DuckDBEngine calls it
FILE = "s3://logs/AWSLogs/111122223333/vpcflowlogs/flows.log.gz"
TYPINGS = ("text", "parquet", "varchar")
AUTUMN = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))  # all that the samples are from

# Types of the documentation's table over text; the fields of later versions are typed in the same way.
_INT = {"version", "srcport", "dstport", "tcp_flags", "traffic_path", "encryption_status"}
_BIGINT = {"protocol", "packets", "bytes", "start", "end"}
# The documentation of 2019, and what people made of it for the fields of version 3 and later.
OLD_NAMES = {
    "account_id": "account", "interface_id": "interfaceid", "srcaddr": "sourceaddress",
    "dstaddr": "destinationaddress", "srcport": "sourceport", "dstport": "destinationport", "packets": "numpackets",
    "bytes": "numbytes", "start": "starttime", "end": "endtime", "log_status": "logstatus", "vpc_id": "vpcid",
    "subnet_id": "subnetid", "instance_id": "instanceid", "tcp_flags": "tcpflags", "pkt_srcaddr": "pktsrcaddr",
    "pkt_dstaddr": "pktdstaddr", "az_id": "azid", "sublocation_type": "sublocationtype",
    "sublocation_id": "sublocationid", "pkt_src_aws_service": "pktsrcawsservice",
    "pkt_dst_aws_service": "pktdstawsservice", "flow_direction": "flowdirection", "traffic_path": "trafficpath",
}  # fmt: skip
_WHOLE = re.compile(r"[+-]?\d+")


def records(text: bytes) -> list[dict[str, str]]:
    """The lines of one flow log by the names of Athena's columns, cut at each space, as Athena does."""
    header, *lines = [line for line in text.decode().splitlines() if line.strip()]
    names = [field_name(word).replace("-", "_") for word in header.split(" ")]
    return [dict(zip(names, line.split(" "), strict=False)) for line in lines]


def raw_flows(text: bytes, typing: str = "text", *, path: str = FILE) -> pa.Table:
    """One flow log with a header as the table of its format; the hidden column `$path` is the last.

    *typing*: `text`, over text files, where a number that its column cannot hold is NULL; `parquet`, AWS's own files;
    `varchar`, text again, for tables that somebody declared without a thought.
    """
    rows = records(text)
    names = list(rows[0]) if rows else [field_name(word).replace("-", "_") for word in text.decode().split()]
    columns = {name: _column(name, [row.get(name) for row in rows], typing) for name in names}
    return pa.table(columns | {"$path": pa.array([path] * len(rows), pa.string())})


def _column(name: str, texts: Sequence[str | None], typing: str) -> pa.Array:
    kind = _kind(name, typing)
    if kind == pa.string():
        return pa.array(texts, kind)
    most = 1 << (kind.bit_width - 1)
    numbers = [int(text) if text is not None and _WHOLE.fullmatch(text) else None for text in texts]
    return pa.array([number if number is not None and -most <= number < most else None for number in numbers], kind)


def _kind(name: str, typing: str) -> pa.DataType:
    if typing == "varchar" or name not in _INT | _BIGINT:
        return pa.string()
    if typing == "parquet" and name == "protocol":
        return pa.int32()
    return pa.int32() if name in _INT else pa.int64()


def renamed(raw: pa.Table, names: Mapping[str, str] = OLD_NAMES) -> pa.Table:
    return raw.rename_columns([names.get(name, name) for name in raw.column_names])


def with_keys(raw: pa.Table, *folders: Mapping[str, Any]) -> pa.Table:
    """*raw* with a column for each partition key; its records lie in the *folders*, one each or all in the same."""
    each = folders * raw.num_rows if len(folders) == 1 else folders
    for name in folders[0]:
        raw = raw.append_column(name, pa.array([folder[name] for folder in each]))
    return raw


def described(
    raw: pa.Table,
    *,
    name: tuple[str, ...] = STORED,
    layout: str = "aws",
    partitions: Iterable[PartitionKey] = (),
) -> StoredTable:
    """What an engine tells of *raw*."""
    columns = {field.name: exp.DataType.build(trino_type(field.type), dialect="trino") for field in raw.schema}
    return StoredTable(name, layout, columns, tuple(partitions))


def trino_type(kind: pa.DataType) -> str:
    if pa.types.is_struct(kind):
        return f"row({', '.join(f'{field.name} {trino_type(field.type)}' for field in kind)})"
    if pa.types.is_list(kind):
        return f"array({trino_type(kind.value_type)})"
    if pa.types.is_map(kind):
        return f"map({trino_type(kind.key_type)}, {trino_type(kind.item_type)})"
    return _TRINO[kind]


_TRINO = {
    pa.string(): "varchar",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.timestamp("ms"): "timestamp(3)",
    pa.timestamp("us"): "timestamp(6)",
}


class RawEngine(DuckDBEngine):
    """DuckDB for hundreds of raw tables, one after the other: to start one for each takes a tenth of a second."""

    def __init__(self) -> None:
        super().__init__({})
        self._of_tables: dict[str, Any] = {}

    def holding(self, raw: pa.Table, stored: StoredTable, limits: Limits) -> RawEngine:
        self._connection.register(STORED[0], raw)
        self._sources = TableSources(Tables({"flow_records": stored}, limits))
        self._known = self._of_tables.setdefault(repr((stored, limits)), {})
        return self


def over(raw: pa.Table, stored: StoredTable | None = None, limits: Limits | None = None) -> RawEngine:
    """DuckDB that reads *raw* through the source that fits it, until it is asked to read another."""
    return _engine().holding(raw, stored or described(raw), limits or Limits())


@cache
def _engine() -> RawEngine:
    return RawEngine()


# Security Lake, by its published mapping of version 5 (github.com/ocsf/examples, AWS v1.1.0, VPC Flow).

_ENDPOINT = pa.struct(
    {"port": pa.int32(), "svc_name": pa.string(), "ip": pa.string(), "intermediate_ips": pa.list_(pa.string()),
     "interface_uid": pa.string(), "vpc_uid": pa.string(), "instance_uid": pa.string(), "subnet_uid": pa.string()}
)  # fmt: skip
SECURITY_LAKE = pa.schema(
    {
        "metadata": pa.struct({"product": pa.struct({"version": pa.string(), "name": pa.string()}), "version": pa.string()}),
        "cloud": pa.struct(
            {"account": pa.struct({"uid": pa.string()}), "region": pa.string(), "zone": pa.string(), "provider": pa.string()}
        ),
        "src_endpoint": _ENDPOINT,
        "dst_endpoint": _ENDPOINT,
        "connection_info": pa.struct(
            {"protocol_num": pa.int32(), "tcp_flags": pa.int32(), "protocol_ver": pa.string(), "boundary_id": pa.int32(),
             "boundary": pa.string(), "direction_id": pa.int32(), "direction": pa.string()}
        ),
        "traffic": pa.struct({"packets": pa.int64(), "bytes": pa.int64()}),
        "time": pa.int64(),
        "time_dt": pa.timestamp("us"),
        "start_time_dt": pa.timestamp("us"),
        "end_time_dt": pa.timestamp("us"),
        "status_code": pa.string(),
        "class_uid": pa.int32(),
        "action": pa.string(),
        "action_id": pa.int32(),
        "disposition": pa.string(),
        "unmapped": pa.map_(pa.string(), pa.string()),
        "accountid": pa.string(),
        "region": pa.string(),
        "$path": pa.string(),
    }
)  # fmt: skip


def security_lake(text: bytes) -> pa.Table:
    """One flow log, with a header that names the fields of versions 2 to 5, as Security Lake's table."""
    return pa.Table.from_pylist([_ocsf(record) for record in records(text)], SECURITY_LAKE)


def _ocsf(logged: Mapping[str, str]) -> dict[str, Any]:
    def text(name: str) -> str | None:
        return None if logged.get(name, "-") == "-" else logged[name]

    def number(name: str) -> int | None:
        return None if text(name) is None else int(logged[name])

    def endpoint(side: str, way: str) -> dict[str, Any]:
        packet, own = text(f"pkt_{side}addr"), text(f"{side}addr")
        is_ours = text("flow_direction") == way
        return {
            "port": number(f"{side}port"),
            "svc_name": text(f"pkt_{side}_aws_service"),
            "ip": packet or own,
            "intermediate_ips": [own] if packet and own and packet != own else None,
            **{f"{of}_uid": text(f"{of}_id") if is_ours else None for of in ("interface", "vpc", "instance", "subnet")},
        }

    def moment(name: str) -> datetime:
        return datetime.fromtimestamp(int(logged[name]), UTC).replace(tzinfo=None)

    path = number("traffic_path")
    return {
        "metadata": {"product": {"version": text("version"), "name": "Amazon VPC"}, "version": "1.1.0"},
        "cloud": {"account": {"uid": text("account_id")}, "region": text("region"), "zone": text("az_id"), "provider": "AWS"},
        "src_endpoint": endpoint("src", "egress"),
        "dst_endpoint": endpoint("dst", "ingress"),
        "connection_info": {
            "protocol_num": number("protocol"), "tcp_flags": number("tcp_flags"), "protocol_ver": text("type"),
            "boundary_id": path + 3 if path else 99,
            "direction": {"ingress": "Inbound", "egress": "Outbound"}.get(text("flow_direction") or "", "Unknown"),
        },
        "traffic": {"packets": number("packets"), "bytes": number("bytes")},
        "time": int(logged["start"]) * 1000, "time_dt": moment("start"), "start_time_dt": moment("start"),
        "end_time_dt": moment("end"), "status_code": text("log_status"), "class_uid": 4001,
        "action": {"ACCEPT": "Allowed", "REJECT": "Denied"}.get(text("action") or "", "Unknown"),
        "unmapped": {name: logged[name] for name in ("sublocation_type", "sublocation_id") if text(name)},
        "accountid": text("account_id"), "region": text("region"), "$path": FILE,
    }  # fmt: skip
