"""Flow logs in the tables that Athena has of them give the rows that ingest makes of the same files."""

from __future__ import annotations

import gzip
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from auditkit.engines.dialect import prepare
from auditkit.engines.duckdb import MACROS
from auditkit.engines.duckdb_sql import duckdb_sql
from auditkit.engines.sources import TableSources, source
from auditkit.engines.tables import Limits, PartitionKey, Tables, layout_of
from auditkit.errors import EngineError, WindowError
from auditkit.logs.flow_columns import whole
from auditkit.logs.flow_format import COLUMNS, TIMES, TYPES
from auditkit.logs.flowlogs import FlowReader
from auditkit.model import Window
from auditkit.schema import FLOW_RECORDS
from tests.partition_styles import ACCOUNT, REGION, STYLES, Style
from tests.raw_flow_tables import (
    AUTUMN,
    FILE,
    OLD_NAMES,
    TYPINGS,
    described,
    over,
    raw_flows,
    records,
    renamed,
    security_lake,
    with_keys,
)
from tests.records import FLOW_HEADER, START, flow_line

ALL = "SELECT * FROM flow_records"
NOT_COMPARED = {"event_date", "extra", "log_file"}  # of the file, or of ingest alone
SAMPLES = Path(__file__).parent.parent / "data-samples"
Rows = list[dict[str, Any]]


def text(*lines: str, header: str = FLOW_HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


@cache
def read(log: bytes) -> Rows:
    """What ingest makes of the log."""
    return in_order(whole(FlowReader().parse(log).parsed.rows).to_pylist())


def asked(raw: pa.Table, window: Window = AUTUMN, **of: Any) -> Rows:
    """What a query finds in a table."""
    return in_order(over(raw, described(raw, **of)).run(ALL, window=window).table.to_pylist())


def in_order(rows: Rows) -> Rows:
    kept = [{name: value for name, value in row.items() if name not in NOT_COMPARED} for row in rows]
    return sorted(kept, key=repr)


def known(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


# The fields in the order of AWS's table; each version has those of all before it.
VERSIONS = {
    2: FLOW_HEADER.split(),
    3: ["vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr"],
    4: ["region", "az-id", "sublocation-type", "sublocation-id"],
    5: ["pkt-src-aws-service", "pkt-dst-aws-service", "flow-direction", "traffic-path"],
    7: [field for field in COLUMNS if field.startswith("ecs-")],
    8: ["reject-reason"],
    9: ["resource-id"],
    10: ["encryption-status"],
    11: [field for field in COLUMNS if "-tag" in field or field.startswith("next-hop-") or field == "interface-type"],
}
NUMBERS = {
    "version": 11, "srcport": 443, "dstport": 51_000, "protocol": 6, "packets": 8, "bytes": 1_000, "start": START,
    "end": START + 60, "tcp-flags": 19, "traffic-path": 8, "encryption-status": 1,
}  # fmt: skip
LATEST = [field for fields in VERSIONS.values() for field in fields]


def full(fields: list[str], **differs: Any) -> str:
    """A record with a value in each of the fields."""
    values = NUMBERS | {field.replace("_", "-"): value for field, value in differs.items()}
    return " ".join(str(values.get(field, f"a-{field}")) for field in fields)


def nothing(fields: list[str]) -> str:
    return " ".join(str(NUMBERS[field]) if field in TIMES else "-" for field in fields)


def version(number: int) -> bytes:
    fields = [field for least, some in VERSIONS.items() for field in some if least <= number]
    return text(full(fields, version=number), nothing(fields), header=" ".join(fields))


LOGS = {
    **{f"version {number}": version(number) for number in VERSIONS},
    "any order": text(full(LATEST[::-1]), nothing(LATEST[::-1]), header=" ".join(LATEST[::-1])),
    "few fields": text(f"{START + 60} REJECT {START}", header="end action start"),
    "records lost and none": text(
        *(f"2 {ACCOUNT} eni-1 - - - - - - - {START} {START + 60} - {status}" for status in ("NODATA", "SKIPDATA"))
    ),
    "addresses": text(
        *(flow_line(srcaddr=srcaddr) for srcaddr in ("075.050.255.067", "2001:db8::7", "::ffff:10.0.0.1", "host", "256.1.1.1"))
    ),
    "accounts": text(*(flow_line().replace(ACCOUNT, account) for account in ("unknown", "-", "000000000012"))),
    "the ends of the numbers": text(
        full(LATEST, srcport=2**31 - 1, dstport=0, packets=2**63 - 1, bytes=-(2**63), tcp_flags=-(2**31)),
        full(LATEST, start=START, end=253_402_300_799),
        full(LATEST, start=START, end=0, packets="000000000000000007"),
        header=" ".join(LATEST),
    ),
    "hostile": text(
        full(LATEST, instance_tag="'';--", asg_tag="<script>", interface_tag='"a"', action="accept", srcaddr="é%20"),
        header=" ".join(LATEST),
    ),
    "no record": text(),
}  # fmt: skip


@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS)
def test_a_table_over_text_gives_what_ingest_gives(log: bytes) -> None:
    assert asked(raw_flows(log)) == read(log)


@pytest.mark.parametrize("typing", ["parquet", "varchar"])
@pytest.mark.parametrize("name", [name for name in LOGS if name not in map("version {}".format, range(3, 11))])
def test_a_table_of_other_types_gives_what_ingest_gives(name: str, typing: str) -> None:
    assert asked(raw_flows(LOGS[name], typing)) == read(LOGS[name])


@cache
def sample_logs() -> list[bytes]:
    """The samples, those of one format as one log: a table over text has one."""
    by_header: dict[bytes, list[bytes]] = defaultdict(list)
    for path in sorted(SAMPLES.glob("AWSLogs/*/vpcflowlogs/**/*.log.gz")):
        header, _, lines = gzip.decompress(path.read_bytes()).partition(b"\n")
        by_header[header].append(lines)
    return [header + b"\n" + b"".join(lines) for header, lines in by_header.items()]


@pytest.mark.parametrize(("typing", "most"), [("text", 99_999), ("parquet", 2_000), ("varchar", 2_000)])
def test_the_samples_give_what_ingest_gives(typing: str, most: int) -> None:
    assert len(sample_logs()) == 2
    for log in sample_logs():
        some = b"\n".join(log.split(b"\n")[: most + 1])
        rows = read(some)
        assert len(rows) > 1_000
        assert asked(raw_flows(some, typing)) == rows


WORDS = st.text(st.characters(codec="utf-8", exclude_characters='"', exclude_categories=["Z", "C"]), min_size=1)


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    """A log of any format, with any values that its fields can have."""
    others = draw(st.lists(st.sampled_from([field for field in LATEST if field not in TIMES]), unique=True, max_size=9))
    fields = draw(st.permutations([*TIMES, *others]))
    ends = dict.fromkeys(TIMES, (0, 1 << 33)) | {"start": (START, START + 10**6)}

    def value(field: str) -> st.SearchStrategy[str]:
        if TYPES[field] == pa.string():
            return st.just("-") | WORDS
        width = TYPES[field].bit_width - 1
        least, most = ends.get(field, (-(1 << width), (1 << width) - 1))
        numbers = st.integers(least, most).map(str)
        return numbers if field in TIMES else st.just("-") | numbers

    lines = draw(st.lists(st.tuples(*map(value, fields)).map(" ".join), min_size=1, max_size=5))
    return text(*lines, header=" ".join(fields))


@settings(max_examples=12, deadline=None)
@given(logs(), st.sampled_from(TYPINGS))
def test_any_record_gives_what_ingest_gives(log: bytes, typing: str) -> None:
    assert [known(row) for row in asked(raw_flows(log, typing))] == [known(row) for row in read(log)]


@pytest.mark.parametrize(
    "raw",
    [raw_flows(version(11)), raw_flows(version(2), "varchar"), security_lake(version(5))],
    ids=["aws", "text", "lake"],
)
def test_the_columns_are_those_of_the_schema_in_order_and_type(raw: pa.Table) -> None:
    stored = described(raw, layout=layout_of("flow_records", raw.column_names, name="flows"))
    written = duckdb_sql(prepare(ALL, {}, AUTUMN, TableSources(Tables({"flow_records": stored}))))
    with duckdb.connect() as connection:
        connection.execute(MACROS.read_text(encoding="utf-8"))
        connection.register(*stored.name, raw)
        assert connection.sql(written).to_arrow_table().schema == FLOW_RECORDS.arrow


def test_the_source_takes_every_field_of_a_flow_log() -> None:
    one = source("flow_records", "aws")
    assert set(one.columns) == {field.replace("-", "_") for field in COLUMNS} | {"$path"}
    kinds = {name: exp.DataType.build(FLOW_RECORDS.columns[FLOW_RECORDS.names.index(name)].type, dialect="trino") for name in COLUMNS.values() if name not in TIMES.values()}  # fmt: skip
    assert {name: one.columns[name] for name in kinds} == kinds
    assert set(OLD_NAMES.items()) <= {(name, other) for name, others in one.also.items() for other in others}


def test_day_and_file_are_told() -> None:
    raw = raw_flows(text(flow_line(), flow_line(start=START + 13 * 3600 + 3599), flow_line(start=START + 14 * 3600)))
    found = over(raw).run("SELECT event_date, log_file FROM flow_records ORDER BY start_time", window=AUTUMN).table
    assert found["event_date"].to_pylist() == [date(2026, 11, 2), date(2026, 11, 2), date(2026, 11, 3)]
    assert set(found["log_file"].to_pylist()) == {FILE}
    assert over(raw.drop_columns("$path")).run(ALL, window=AUTUMN).table["log_file"].null_count == 3


# What a table is not like a file in.


def test_a_number_that_does_not_fit_is_null_where_ingest_refuses_the_record() -> None:
    log = text(
        flow_line(dstport="https"), flow_line(dstport=2**31), flow_line(dstport="0x10"), flow_line(dstport="1.5")
    )
    assert read(log) == []
    for typing in TYPINGS:
        assert [row["dstport"] for row in asked(raw_flows(log, typing))] == [None] * 4


def test_an_end_that_no_engine_has_is_null() -> None:
    log = text(flow_line().replace(str(START + 60), "-"), *(flow_line().replace(str(START + 60), str(end)) for end in (2**63 - 1, -1, 253_402_300_800)))  # fmt: skip
    for typing in TYPINGS:
        assert [row["end_time"] for row in asked(raw_flows(log, typing))] == [None] * 4


def test_a_record_without_a_start_and_a_line_of_names_are_in_no_window() -> None:
    log = text(flow_line(), FLOW_HEADER, flow_line().replace(str(START), "-", 1), flow_line(start=10**18))
    for typing in TYPINGS:
        assert asked(raw_flows(log, typing)) == read(text(flow_line()))


def test_nothing_is_nothing_in_any_spelling() -> None:
    raw = raw_flows(text(full(LATEST), header=" ".join(LATEST)))
    for empty in ("", "-", None):
        table = raw
        for at, field in enumerate(raw.schema):
            if pa.types.is_string(field.type) and field.name != "$path":
                table = table.set_column(at, field, pa.array([empty], pa.string()))
        [row] = asked(table)
        assert known(row).keys() == {COLUMNS[field] for field in NUMBERS}


def test_an_account_that_is_a_number_keeps_its_zeros() -> None:
    raw = raw_flows(text(flow_line().replace(ACCOUNT, "000000000012")))
    numbers = raw.set_column(raw.column_names.index("account_id"), "account_id", raw["account_id"].cast(pa.int64()))
    assert [row["account_id"] for row in asked(numbers)] == ["000000000012"]


# Names, and columns that a table does not have.


@pytest.mark.parametrize("typing", TYPINGS)
@pytest.mark.parametrize("number", [2, 5])
def test_the_names_of_older_documentation_are_known(number: int, typing: str) -> None:
    log = version(number)
    raw = renamed(raw_flows(log, typing))
    assert not {"start", "end", "srcaddr"} & set(raw.column_names)
    assert layout_of("flow_records", raw.column_names, name="flows") == "aws"
    assert asked(raw) == read(log)


def test_narrow_and_wide_numbers_say_the_same() -> None:
    log = version(5)
    raw = raw_flows(log)
    for name, kind in {"start": pa.int32(), "end": pa.int32(), "bytes": pa.int32(), "version": pa.int64(), "srcport": pa.int64(), "protocol": pa.int16(), "dstport": pa.float64()}.items():  # fmt: skip
        raw = raw.set_column(raw.column_names.index(name), name, raw[name].cast(kind))
    assert asked(raw) == read(log)


@pytest.mark.parametrize("typing", TYPINGS)
@pytest.mark.parametrize("every", [2, 3])
def test_a_column_that_the_table_lacks_is_null(every: int, typing: str) -> None:
    raw = raw_flows(version(11), typing)
    lacking = [name for name in raw.column_names if name not in (*TIMES, "$path")][::every]
    assert asked(raw.drop_columns(lacking)) == in_order([row | dict.fromkeys(lacking) for row in asked(raw)])


@pytest.mark.parametrize("name", ["start", "end"])
def test_a_table_without_times_is_refused(name: str) -> None:
    raw = raw_flows(version(2)).drop_columns(name)
    with pytest.raises(EngineError, match=f"stored_flow_records has no column {name}, which every record needs"):
        asked(raw)


def test_a_start_that_is_a_time_is_refused() -> None:
    raw = raw_flows(version(2))
    times = raw.set_column(raw.column_names.index("start"), "start", raw["start"].cast(pa.timestamp("s")).cast(pa.timestamp("us")))  # fmt: skip
    with pytest.raises(EngineError, match=r"has start as TIMESTAMP\(6\); auditkit reads it as BIGINT"):
        asked(times)


def test_account_and_region_come_from_the_folder_where_the_table_has_no_such_field() -> None:
    log = text(f"{START} {START + 60} REJECT", header="start end action")
    for keys in ({"aws-account-id": ACCOUNT, "aws-region": REGION}, {"accid": ACCOUNT, "region": REGION}):
        [row] = asked(with_keys(raw_flows(log), keys))
        assert (row["account_id"], row["region"]) == (ACCOUNT, REGION)


def test_what_a_record_says_of_its_account_is_not_replaced_by_the_folder() -> None:
    raw = with_keys(raw_flows(text(flow_line().replace(ACCOUNT, "-"))), {"aws-account-id": ACCOUNT})
    assert [row["account_id"] for row in asked(raw)] == [None]


# The window.


def seconds(raw: pa.Table, window: Window) -> list[int]:
    found = over(raw).run(
        "SELECT to_unixtime(start_time) AS start FROM flow_records ORDER BY start_time", window=window
    )
    return [int(start) - START for start in found.table["start"].to_pylist()]


@pytest.mark.parametrize("typing", TYPINGS)
def test_the_start_of_the_window_is_in_it_and_its_end_is_not(typing: str) -> None:
    raw = raw_flows(text(*(flow_line(start=START + second) for second in range(-1, 4))), typing)
    start = datetime(2026, 11, 2, 10, tzinfo=UTC)
    assert seconds(raw, Window(start, start + timedelta(seconds=2))) == [0, 1]
    for part in (timedelta(microseconds=1), timedelta(microseconds=999_999)):
        assert seconds(raw, Window(start + part, start + timedelta(seconds=2) + part)) == [1, 2]
        assert seconds(raw, Window(start - part, start + part)) == [0]


def test_a_window_may_pass_midnight_and_new_year() -> None:
    eve = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    starts = [int(eve.timestamp()) + second for second in range(-1, 3)]
    raw = raw_flows(text(*(flow_line(start=start) for start in starts)))
    rows = asked(raw, Window(eve, eve + timedelta(seconds=2)))
    assert [row["start_time"] for row in rows] == [datetime(2026, 12, 31, 23, 59, 59), datetime(2027, 1, 1)]


@pytest.mark.parametrize("window", [Window(), Window(AUTUMN.start, None), Window(None, AUTUMN.end)])
def test_an_open_window_is_refused(window: Window) -> None:
    with pytest.raises(WindowError, match="--since and --until"):
        asked(raw_flows(version(2)), window)


@pytest.mark.parametrize("typing", ["text", "parquet"])
def test_the_window_is_on_the_column_itself_so_that_files_are_skipped(typing: str) -> None:
    for raw in (raw_flows(version(5), typing), renamed(raw_flows(version(5), typing))):
        tree = TableSources(Tables({"flow_records": described(raw)})).select("flow_records", AUTUMN)
        limits = [node for node in tree.args["where"].this.flatten() if isinstance(node, exp.GTE | exp.LT)]
        assert [node.this.name for node in limits] == ["start" if "start" in raw.column_names else "starttime"] * 2
        assert all(isinstance(node.this, exp.Column) and not node.expression.find(exp.Column) for node in limits)


# Folders.

START_DAY = datetime(2026, 11, 2, tzinfo=UTC)


def in_folders(style: Style) -> pa.Table:
    """Nine days of two records an hour: one in the folder of its hour, one in that of the same hour a day later."""
    hours = [START_DAY.replace(tzinfo=None) + timedelta(hours=hour) for hour in range(-4 * 24, 5 * 24)]
    lines = [flow_line(start=int(hour.replace(tzinfo=UTC).timestamp())) for hour in hours]
    folders = [*map(style.spell, hours), *(style.spell(hour + timedelta(days=1)) for hour in hours)]
    return with_keys(raw_flows(text(*lines, *lines)), *folders)


@pytest.mark.parametrize(
    "name", ["projected day", "projected hours", "date", "text, dashes", "parts as numbers", "Hive", "an account to be named", "none"]
)  # fmt: skip
def test_folders_hide_no_record_of_the_window(name: str) -> None:
    style = STYLES[name]
    raw = in_folders(style)
    window = Window(START_DAY + timedelta(hours=3), START_DAY + timedelta(days=1, hours=2))
    stored = described(raw, partitions=style.keys)
    found = over(raw, stored, Limits((ACCOUNT,), ())).run(ALL, window=window).table
    assert found.num_rows == 2 * 23
    assert set(found["account_id"].to_pylist()) == {ACCOUNT}


def test_only_the_accounts_and_regions_asked_for_are_found() -> None:
    lines = [
        f"{account} {region} {START} {START + 60} OK" for account in "123" for region in ("eu-central-1", "us-east-1")
    ]
    raw = raw_flows(text(*lines, header="account-id region start end log-status"))
    raw = raw.set_column(0, "account_id", pa.array([account * 12 for account in raw["account_id"].to_pylist()]))

    def found(*limits: tuple[str, ...]) -> set[tuple[str, str]]:
        rows = over(raw, described(raw), Limits(*limits)).run(ALL, window=AUTUMN).table.to_pylist()
        return {(row["account_id"][0], row["region"][:2]) for row in rows}

    assert found(("1" * 12, "3" * 12), ()) == {("1", "eu"), ("1", "us"), ("3", "eu"), ("3", "us")}
    assert found((), ("us-east-1",)) == {("1", "us"), ("2", "us"), ("3", "us")}
    assert found(("2" * 12,), ("eu-central-1",)) == {("2", "eu")}
    assert found(("' OR 1=1 --",), ()) == set()


def test_a_limit_to_regions_that_the_table_does_not_tell_is_refused() -> None:
    raw = raw_flows(version(2))
    with pytest.raises(EngineError, match="no column that tells the region"):
        over(raw, described(raw), Limits((), (REGION,))).run(ALL, window=AUTUMN)


def test_an_account_that_has_to_be_named_is_asked_for() -> None:
    raw = with_keys(raw_flows(version(2)), {"accid": ACCOUNT})
    key = PartitionKey("accid", exp.DataType.build("varchar"), is_injected=True)
    with pytest.raises(EngineError, match=r"partitioned by accid.*--accounts"):
        asked(raw, partitions=[key])


# Security Lake.

NOT_IN_SECURITY_LAKE = {COLUMNS[field] for least, fields in VERSIONS.items() if least > 5 for field in fields}
FIVE = " ".join(field for least, some in VERSIONS.items() for field in some if least <= 5)


def flow(way: str, **differs: Any) -> str:
    path = 8 if way == "egress" else "-"
    ordinary = {"version": 5, "account_id": ACCOUNT, "region": REGION, "flow_direction": way, "traffic_path": path, "srcaddr": "10.0.0.5", "dstaddr": "192.0.2.1", "pkt_srcaddr": "10.0.0.5", "pkt_dstaddr": "192.0.2.1", "action": "ACCEPT", "log_status": "OK"}  # fmt: skip
    return full(FIVE.split(), **(ordinary | differs))


LAKE_LOGS = {
    "in and out": text(flow("ingress"), flow("egress", action="REJECT"), header=FIVE),
    "every path": text(*(flow("egress", traffic_path=path) for path in range(1, 9)), header=FIVE),
    "behind NAT": text(flow("egress", pkt_srcaddr="10.9.9.9"), flow("ingress", pkt_dstaddr="10.8.8.8"), header=FIVE),
    "sublocation": text(flow("ingress", sublocation_type="outpost", sublocation_id="-"), header=FIVE),
    "ICMP": text(flow("ingress", protocol=1, srcport=0, dstport=0, tcp_flags="-"), header=FIVE),
}


@pytest.mark.parametrize("log", LAKE_LOGS.values(), ids=LAKE_LOGS)
def test_security_lake_gives_what_ingest_gives_of_the_same_records(log: bytes) -> None:
    raw = security_lake(log)
    assert layout_of("flow_records", raw.column_names, name="lake") == "security_lake"
    assert asked(raw, layout="security_lake") == read(log)


def test_the_samples_in_security_lake_keep_what_it_keeps() -> None:
    log = next(log for log in sample_logs() if b"flow-direction" in log.splitlines()[0])
    log = b"\n".join(log.splitlines()[:2_000])
    nowhere = {"interface_id", "vpc_id", "subnet_id", "instance_id"}  # of records without a direction
    rows = [row | dict.fromkeys(NOT_IN_SECURITY_LAKE) for row in read(log)]
    rows = [row | (dict.fromkeys(nowhere) if row["flow_direction"] is None else {}) for row in rows]
    assert asked(security_lake(log), layout="security_lake") == in_order(rows)


def test_security_lake_is_limited_by_what_its_table_is_partitioned_by() -> None:
    raw = security_lake(LAKE_LOGS["in and out"])
    stored = described(raw, layout="security_lake")
    tree = TableSources(Tables({"flow_records": stored}, Limits((ACCOUNT,), (REGION,)))).select("flow_records", AUTUMN)
    inner = tree.find(exp.Subquery).this.args["where"].sql("trino")
    assert f""""accountid" IN ('{ACCOUNT}') AND "region" IN ('{REGION}') AND time_dt >= CAST(""" in inner
    assert over(raw, stored, Limits((ACCOUNT,), (REGION,))).run(ALL, window=AUTUMN).table.num_rows == 2


def test_the_older_version_of_security_lake_is_refused() -> None:
    raw = security_lake(LAKE_LOGS["in and out"]).drop_columns(["time_dt", "start_time_dt", "end_time_dt"])
    with pytest.raises(EngineError, match="no column time_dt"):
        asked(raw, layout="security_lake")


def test_a_record_of_the_raw_table_is_a_line_of_the_log() -> None:
    assert records(text(flow_line()))[0] == dict(zip((name.replace("-", "_") for name in FLOW_HEADER.split()), flow_line().split(), strict=True))  # fmt: skip
