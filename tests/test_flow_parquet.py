"""VPC Flow Logs as Parquet."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from auditkit.errors import UnreadableFileError
from auditkit.ingest import ingest
from auditkit.logs import flow_parquet
from auditkit.logs.flow_columns import whole
from auditkit.logs.flow_parquet import parquet_chunks, parse_parquet
from auditkit.logs.parsed import NotALogError, Parsed
from auditkit.schema import FLOW_RECORDS
from auditkit.store import Store
from tests.records import ACCOUNT, START, flow_line, write_flows

LOGGED = {
    "version": 2, "account_id": ACCOUNT, "interface_id": "eni-1", "srcaddr": "198.51.100.7", "dstaddr": "10.0.0.5",
    "srcport": 40000, "dstport": 5432, "protocol": 6, "packets": 3, "bytes": 180, "start": START, "end": START + 60,
    "action": "REJECT", "log_status": "OK",
}  # fmt: skip
AWS = pa.schema(
    {
        name: pa.string()
        if isinstance(value, str)
        else pa.int64()
        if name in ("packets", "bytes", "start", "end")
        else pa.int32()
        for name, value in LOGGED.items()
    }
)
STORED = {name: value for name, value in LOGGED.items() if name not in ("start", "end")} | {
    "start_time": datetime(2026, 11, 2, 10),
    "end_time": datetime(2026, 11, 2, 10, 1),
}
NODATA = LOGGED | dict.fromkeys(("srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "action"))


def parquet(rows: list[dict[str, Any]], schema: pa.Schema | None = AWS, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), sink, **options)
    return sink.getvalue()


def parse(data: bytes) -> Parsed[pa.Table]:
    parsed = parse_parquet(data).parsed
    return replace(parsed, rows=whole(parsed.rows))


def known(data: bytes) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if value is not None} for row in parse(data).rows.to_pylist()]


def test_a_file_as_aws_delivers_it() -> None:
    data = parquet([LOGGED, NODATA])
    assert known(data) == [STORED, {name: value for name, value in STORED.items() if NODATA.get(name, 1) is not None}]
    assert parse(data).rows.schema.names == [n for n in FLOW_RECORDS.file_arrow.names if n != "log_file"]
    assert parse_parquet(data).flow_format is None


def with_types(**kinds: pa.DataType) -> pa.Schema:
    return pa.schema({field.name: kinds.get(field.name, field.type) for field in AWS})


AS_TEXT = {name: str(value) for name, value in LOGGED.items()}
TIMES = {"start": datetime(2026, 11, 2, 10), "end": datetime(2026, 11, 2, 10, 1, 0, 999)}
OTHER_FORMS: dict[str, tuple[dict[str, Any], pa.Schema | None]] = {
    "all text": (AS_TEXT, pa.schema(dict.fromkeys(LOGGED, pa.string()))),
    "all bytes": ({name: value.encode() for name, value in AS_TEXT.items()}, pa.schema(dict.fromkeys(LOGGED, pa.binary()))),
    "large text": (AS_TEXT, pa.schema(dict.fromkeys(LOGGED, pa.large_string()))),
    "hyphens": ({name.replace("_", "-"): value for name, value in LOGGED.items()}, None),
    "any order": (dict(reversed(LOGGED.items())), None),
    "wide numbers": (LOGGED, with_types(version=pa.int64(), srcport=pa.uint64(), start=pa.uint32())),
    "narrow numbers": (LOGGED, with_types(version=pa.int8(), srcport=pa.uint16())),
    "floats": (LOGGED, with_types(srcport=pa.float64(), packets=pa.float32(), start=pa.float64())),
    "decimals": (LOGGED | {"bytes": Decimal(180)}, with_types(bytes=pa.decimal128(20, 0))),
    "dictionaries": (LOGGED, with_types(action=pa.dictionary(pa.int32(), pa.string()))),
    "account as number": (LOGGED | {"account_id": int(ACCOUNT)}, with_types(account_id=pa.int64())),
    "account as float": (LOGGED | {"account_id": float(ACCOUNT)}, with_types(account_id=pa.float64())),
    "milliseconds": (LOGGED | TIMES, with_types(start=pa.timestamp("ms"), end=pa.timestamp("us"))),
    "with a zone": (
        LOGGED | {name: time.replace(tzinfo=UTC) for name, time in TIMES.items()},
        with_types(start=pa.timestamp("s", "Europe/Berlin"), end=pa.timestamp("ns", "UTC")),
    ),
    "written times": (LOGGED | {"start": "2026-11-02T10:00:00Z"}, with_types(start=pa.string())),
}  # fmt: skip


@pytest.mark.parametrize(("row", "schema"), OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_other_types_and_names_say_the_same(row: dict[str, Any], schema: pa.Schema | None) -> None:
    assert known(parquet([row], schema)) == [STORED]


@pytest.mark.parametrize("nothing", [None, "-", "", "None"])
def test_a_number_may_be_none_in_many_spellings(nothing: str | None) -> None:
    row = AS_TEXT | {"srcport": nothing, "packets": nothing}
    expected = {name: value for name, value in STORED.items() if name not in ("srcport", "packets")}
    assert known(parquet([row], pa.schema(dict.fromkeys(LOGGED, pa.string())))) == [expected]
    assert known(parquet([LOGGED | {"srcport": float("nan"), "packets": None}], with_types(srcport=pa.float64()))) == [
        expected
    ]


def test_an_account_keeps_its_zeros() -> None:
    [row] = known(parquet([LOGGED | {"account_id": 11122223333}], with_types(account_id=pa.int64())))
    assert row["account_id"] == "011122223333"


def test_addresses_stay_as_logged() -> None:
    [row] = known(parquet([LOGGED | {"srcaddr": "075.050.255.067"}]))
    assert row["srcaddr"] == "075.050.255.067"


def test_other_columns_are_kept_in_extra() -> None:
    schema = AWS.append(pa.field("mood_level", pa.int64())).append(pa.field("a", pa.list_(pa.string()))).append(pa.field("b", pa.string()))  # fmt: skip
    rows = known(parquet([LOGGED | {"mood_level": 7, "a": ["x"], "b": "-"}, LOGGED], schema))
    assert [row.get("extra") for row in rows] == ['{"mood-level": 7, "a": ["x"]}', None]


@pytest.mark.parametrize(
    ("differs", "schema", "reason"),
    [
        ({"dstport": "https"}, with_types(dstport=pa.string()), "dstport is 'https'"),
        ({"dstport": 2**31}, with_types(dstport=pa.int64()), "dstport is '2147483648'"),
        ({"dstport": 1.5}, with_types(dstport=pa.float64()), "dstport is '1.5'"),
        ({"start": None}, AWS, "start is 'None'"),
        ({"start": START * 1000}, AWS, f"start is '{START}000'"),
        ({"start": -1}, AWS, "start is '-1'"),
        ({"srcaddr": b"\xff"}, with_types(srcaddr=pa.binary()), "srcaddr is"),
    ],
)
def test_a_row_that_does_not_fit_is_named_and_the_others_are_kept(
    differs: dict[str, Any], schema: pa.Schema, reason: str
) -> None:
    binary = {"srcaddr": LOGGED["srcaddr"].encode()} if isinstance(differs.get("srcaddr"), bytes) else {}  # type: ignore[attr-defined]
    whole = LOGGED | {name: str(LOGGED[name]) for name in differs if schema.field(name).type == pa.string()} | binary
    data = parquet([whole, whole | differs, whole], schema)
    assert known(data) == [STORED, STORED]
    [bad] = parse(data).bad
    assert bad.position == 1
    assert reason in bad.reason
    assert b'"interface-id": "eni-1"' in bad.text
    assert parse(data).seen == 3


@pytest.mark.parametrize(
    ("rows", "schema", "reason"),
    [
        ([{"interface_id": "eni-1", "srcaddr": "a", "dstaddr": "b", "action": "OK"}], None, "without the fields start and end"),
        ([LOGGED | {"account-id": "1"}], None, "names account-id more than once"),
        ([LOGGED | {"srcport": [1]}], None, "the column 'srcport' is a list"),
        ([LOGGED | {"start": START * 1000}] * 3, AWS, "no row can be read; the first has"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_read_as_one_is_refused(
    rows: list[dict[str, Any]], schema: pa.Schema | None, reason: str
) -> None:
    with pytest.raises(UnreadableFileError) as error:
        parse(parquet(rows, schema))
    assert reason in str(error.value)


@pytest.mark.parametrize(
    "row", [{"event_id": "e1", "event_time": 1}, STORED | {"log_file": "a"}, {"start": 1, "end": 2}]
)
def test_another_table_is_no_log(row: dict[str, Any]) -> None:
    with pytest.raises(NotALogError) as error:
        parse(parquet([row], None))
    assert ", ".join(row) in str(error.value)


def test_transit_gateway_records_are_set_apart() -> None:
    row = {"version": 6, "resource_type": "TransitGateway", "account_id": ACCOUNT, "tgw_id": "tgw-1", "start": START, "end": START}  # fmt: skip
    parsed = parse(parquet([row, row], None))
    assert (parsed.rows.num_rows, parsed.seen, parsed.set_apart) == (0, 2, 2)


@pytest.mark.parametrize(
    "damage",
    {
        "cut short": lambda data: data[: len(data) // 2],
        "no end": lambda data: data[:-1],
        "magic alone": lambda data: data[:4],
        "footer": lambda data: data[:-60] + b"\xff" * 40 + data[-20:],
        "pages": lambda data: data[:4] + b"\xff" * 300 + data[304:],
    }.values(),
)  # fmt: skip
def test_damage_is_told(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(UnreadableFileError, match="damaged Parquet"):
        parse(damage(parquet([LOGGED] * 3)))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="cannot be opened: "):
        parse_parquet(tmp_path / "none.parquet")


@pytest.mark.parametrize("plaintext_footer", [True, False])
def test_encrypted_parquet_is_told(plaintext_footer: bool) -> None:
    class Keys(pe.KmsClient):
        def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
            return key_bytes.hex().encode()

    settings = pe.EncryptionConfiguration(
        footer_key="k", column_keys={"k": ["srcaddr"]}, plaintext_footer=plaintext_footer
    )
    factory = pe.CryptoFactory(lambda _: Keys())
    encryption = factory.file_encryption_properties(pe.KmsConnectionConfig(), settings)
    data = parquet([LOGGED], encryption_properties=encryption)
    assert data.startswith(flow_parquet.MAGIC)
    with pytest.raises(UnreadableFileError, match="encrypted Parquet"):
        parse(data)


def test_text_that_is_not_utf8_is_not_taken_on_trust() -> None:
    data = parquet([LOGGED, LOGGED | {"interface_id": "eni-7"}], compression="none", use_dictionary=False)
    parsed = parse(data.replace(b"eni-7", b"eni\xff7"))
    assert [bad.position for bad in parsed.bad] == [1]
    assert "interface-id is \"b'eni\\\\xff7'\"" in parsed.bad[0].reason
    with pytest.raises(UnreadableFileError, match="damaged Parquet"):
        parse(data.replace(b"dstport", b"dst\xffort"))


def test_a_large_file_comes_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_parquet, "ROWS", 100)
    rows = [LOGGED | {"srcport": at, "start": START if at != 150 else -1} for at in range(250)]
    path = tmp_path / "flows.parquet"
    path.write_bytes(parquet(rows, row_group_size=130))
    chunks = list(parquet_chunks(path))
    assert max(chunk.seen for chunk in chunks) <= 100
    assert sum(chunk.seen for chunk in chunks) == 250
    assert [bad.position for chunk in chunks for bad in chunk.bad] == [150]
    ports = [port for chunk in chunks for port in chunk.rows["srcport"].to_pylist()]
    assert ports == [at for at in range(250) if at != 150]


def test_no_rows_are_a_log() -> None:
    assert parse(parquet([])).seen == 0


def test_logs_below_hive_prefixes_are_read_text_and_parquet_alike(tmp_path: Path) -> None:
    below = (
        f"AWSLogs/aws-account-id={ACCOUNT}/aws-service=vpcflowlogs/aws-region=eu-central-1/year=2026/month=11/day=02"
    )
    folder = tmp_path / "logs" / below / "hour=10"
    write_flows(folder / f"{ACCOUNT}_vpcflowlogs_eu-central-1_fl-1_20261102T1000Z_1.log.gz", flow_line())
    (folder / f"{ACCOUNT}_vpcflowlogs_eu-central-1_fl-2_20261102T1000Z_2.log.parquet").write_bytes(parquet([NODATA]))
    (folder / "other.parquet").write_bytes(parquet([{"a": 1}], None))
    store = Store(tmp_path / "store", create=True)
    report = ingest(store, [tmp_path / "logs"])
    assert (report.flow_records, report.records, report.not_logs, report.quarantined) == (2, 2, 1, 0)
    assert ingest(store, [tmp_path / "logs"]).files == 0


def test_a_file_of_many_chunks_is_stored_or_quarantined_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_parquet, "ROWS", 100)
    data = parquet([LOGGED | {"srcport": at} for at in range(250)], row_group_size=50, compression="none")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "whole.parquet").write_bytes(data)
    (tmp_path / "logs" / "copy.parquet").write_bytes(data)
    damaged = len(data) * 2 // 3
    (tmp_path / "logs" / "damaged.parquet").write_bytes(data[:damaged] + b"\xff" * 500 + data[damaged + 500 :])
    store = Store(tmp_path / "store", create=True)
    report = ingest(store, [tmp_path / "logs"])
    assert (report.flow_records, report.duplicates, report.quarantined) == (250, 250, 1)
    assert report.quarantine[0]["file"].endswith("damaged.parquet")
    assert sum(pq.ParquetFile(part).metadata.num_rows for part in store.parts()["flow_records"]) == 250
