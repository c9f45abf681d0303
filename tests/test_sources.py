"""A source stands for a table: nothing is read but through it, inside the window, and it fits the table that is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import cycle
from typing import Any

import pyarrow as pa
import pytest
from sqlglot import exp, parse_one

from auditkit.catalogue import Catalogue, Query
from auditkit.engines.dialect import prepare
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.partitions import within
from auditkit.engines.sources import STORED, Source, TableSources, source, with_derived
from auditkit.engines.tables import LAYOUTS, Limits, PartitionKey, StoredTable, Tables, layout_of
from auditkit.errors import EngineError, WindowError
from auditkit.match_rules import compiled, probe
from auditkit.model import Parameter, Window
from auditkit.resources import QUERIES
from auditkit.schema import FLOW_RECORDS, TABLES
from tests.partition_styles import ACCOUNT, REGION, STYLES, Style

CATALOGUE = Catalogue.load()
CORPUS = [*CATALOGUE.queries, *CATALOGUE.rules]
SOURCES = sorted(path.name.split(".")[:2] for path in (QUERIES / "sources").glob("*.sql"))
START, END = datetime(2026, 11, 2, 3, 4, 5, 678_000, tzinfo=UTC), datetime(2026, 11, 5, 6, 7, 8, 901_000, tzinfo=UTC)
WINDOW = Window(START, END)
FIRST, LAST = "2026-11-02 03:04:05.678", "2026-11-05 06:07:08.901"  # as they stand in a statement
FIRST_S, LAST_S = "1793588646", "1793858829"  # the same in seconds, of which the first are whole
NAMED = Limits((ACCOUNT,), (REGION,))


def kind(text: str) -> exp.DataType:
    return exp.DataType.build(text, dialect="trino")


def whole_table(table: str, layout: str, style: Style = STYLES["none"]) -> StoredTable:
    """A table with everything that its source takes."""
    partitions = style.keys
    if layout == "store":
        partitions = (PartitionKey("event_date", kind("date")),)
    columns = dict(source(table, layout).columns) | {key.name: key.type for key in partitions}
    return StoredTable(("awsdatacatalog", "logs", f"raw_{table}"), layout, columns, partitions)


def sources(layouts: Mapping[str, str], style: Style = STYLES["none"], limits: Limits = NAMED) -> TableSources:
    return TableSources(Tables({table: whole_table(table, layout, style) for table, layout in layouts.items()}, limits))


# No query can be sent without the window's limits and those on folders.


def unlimited(tree: exp.Query, over: TableSources) -> list[str]:
    """What *tree* reads of the engine's own tables without a limit, and what it reads beside them."""
    raw = {stored.name: stored for stored in over.tables.stored.values()}
    found = []
    for table in tree.find_all(exp.Table):
        name = tuple(part.name for part in table.parts)
        if name in raw:
            select = table.find_ancestor(exp.Select)
            assert select is not None
            if not is_within_folders(select, raw[name]):
                found.append(f"{'.'.join(name)}: other folders are read")
            if not is_within_window(select):
                found.append(f"{'.'.join(name)}: what is outside the window is found")
        elif readers_of(table, table.name) is None:
            found.append(f"{'.'.join(name)}: read directly")
    return found


def conditions(select: exp.Select) -> list[exp.Expr]:
    """What every row of *select* meets: an OR counts as one."""
    where = select.args.get("where")
    return list(where.this.flatten()) if where and isinstance(where.this, exp.And) else [where.this] if where else []


def is_within_folders(select: exp.Select, stored: StoredTable) -> bool:
    said = {condition.unnest().sql("trino") for condition in conditions(select)}
    if stored.layout == "store":
        return len([text for text in said if "event_date" in text and (FIRST in text or LAST in text)]) == 2
    wanted = within(stored, WINDOW, NAMED)
    parts = wanted.flatten() if isinstance(wanted, exp.And) else [wanted]
    return {part.unnest().sql("trino") for part in parts} <= said


def is_within_window(select: exp.Select) -> bool:
    """Whether both limits are here, or in all that read this WITH name."""
    limits = [
        (type(condition), literal.name)
        for condition in conditions(select)
        if isinstance(condition, exp.GTE | exp.LT) and condition.this.find(exp.Column)
        for literal in condition.expression.find_all(exp.Literal)
    ]
    if any(
        (exp.GTE, first) in limits and (exp.LT, last) in limits for first, last in ((FIRST, LAST), (FIRST_S, LAST_S))
    ):
        return True
    if not isinstance(select.parent, exp.CTE):
        return False
    readers = readers_of(select.parent, select.parent.alias) or []
    return bool(readers) and all(is_within_window(reader) for reader in readers)


def readers_of(node: exp.Expr, name: str) -> list[exp.Select] | None:
    """The SELECTs that read this WITH name, as it is seen from *node*; None, when there is no such name."""
    around: exp.Expr | None = node
    while around is not None:
        if isinstance(around, exp.Query) and name in {cte.alias for cte in around.ctes}:
            tables = [table for table in around.find_all(exp.Table) if table.name == name]
            return [select for table in tables if (select := table.find_ancestor(exp.Select))]
        around = around.parent
    return None


def statement_of(query: Query, over: TableSources) -> exp.Query:
    params = {name: Parameter(declared.type, declared.default) for name, declared in query.params.items()}
    return prepare(query.sql, params, WINDOW, over).tree


LAYOUTS_OF = {table: [layout for name, layout in SOURCES if name == table] for table in TABLES}
COMBINATIONS = [
    (dict(zip(TABLES, (events, flows), strict=True)), style)
    for style in STYLES.values()
    for events in LAYOUTS_OF["cloudtrail_events"]
    for flows in LAYOUTS_OF["flow_records"]
]


@pytest.mark.parametrize(("query", "combination"), list(zip(CORPUS, cycle(COMBINATIONS[::7]), strict=False)), ids=lambda one: getattr(one, "rule", ""))  # fmt: skip
def test_no_query_of_the_corpus_reads_outside_the_window_and_its_folders(query: Query, combination: Any) -> None:
    """For each query one combination of layouts and folders. It has the sources as they are, so it holds for all others,
    of which the next test sees each.
    """
    over = sources(*combination)
    tree = statement_of(query, over)
    assert unlimited(tree, over) == []
    assert {cte.alias: cte.this for cte in tree.ctes if cte.alias in TABLES} == {
        table: with_derived(table, over.select(table, WINDOW)) for table in query.reads
    }


@pytest.mark.parametrize(("table", "layout"), SOURCES)
@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_no_table_is_read_outside_the_window_and_its_folders(table: str, layout: str, style: Style) -> None:
    over = sources({table: layout}, style)
    assert unlimited(prepare(probe(table), {}, WINDOW, over).tree, over) == []


@pytest.mark.parametrize("layout", LAYOUTS_OF["cloudtrail_events"])
def test_the_one_statement_of_all_match_rules_reads_nothing_outside_either(layout: str) -> None:
    rules = [rule for rule in CATALOGUE.rules if rule.kind == "match"]
    over = sources({"cloudtrail_events": layout}, STYLES["Hive"])
    tree = prepare(*compiled(rules, {rule.rule: rule.bind({}) for rule in rules}), WINDOW, over).tree
    assert unlimited(tree, over) == []


def test_the_check_sees_what_is_missing() -> None:
    over = sources({"flow_records": "aws"}, STYLES["projected day"])
    stored = over.tables.stored["flow_records"]
    limit = f"time >= CAST('{FIRST}' AS timestamp) AND time < CAST('{LAST}' AS timestamp)"
    folders = within(stored, WINDOW, NAMED).sql("trino")
    table = '"awsdatacatalog"."logs"."raw_flow_records"'

    def seen(sql: str) -> list[str]:
        tree = parse_one(sql, read="trino")
        assert isinstance(tree, exp.Query)
        return [reason.partition(": ")[2] for reason in unlimited(tree, over)]

    assert seen(f"SELECT * FROM {table} WHERE {folders} AND {limit}") == []
    assert seen(f"WITH raw AS (SELECT * FROM {table} WHERE {folders}) SELECT * FROM raw WHERE {limit}") == []
    late, other = "what is outside the window is found", "other folders are read"
    assert seen(f"SELECT * FROM {table}") == [other, late]
    assert seen(f"SELECT * FROM {table} WHERE {folders}") == [late]
    assert seen(f"SELECT * FROM {table} WHERE {limit}") == [other]
    assert seen(f"SELECT * FROM {table} WHERE {folders} AND {limit} OR TRUE") == [other, late]
    assert seen(f"SELECT * FROM {table} WHERE {folders} AND ({limit} OR TRUE)") == [late]
    assert seen(f"SELECT * FROM {table} WHERE {folders} AND {limit.partition(' AND ')[0]}") == [late]
    assert seen(f"SELECT * FROM {table} WHERE {folders} AND {limit.replace(LAST, FIRST)}") == [late]
    two = f"WITH raw AS (SELECT * FROM {table} WHERE {folders}) SELECT 1 FROM raw WHERE {limit} UNION ALL SELECT 1 FROM raw"
    assert seen(two) == [late]
    assert seen("SELECT * FROM raw_flow_records") == ["read directly"]


def test_an_open_window_is_refused_before_anything_is_sent() -> None:
    for table, layout in SOURCES:
        for window in (Window(), Window(START, None), Window(None, END)):
            with pytest.raises(WindowError, match="--since and --until"):
                sources({table: layout}).select(table, window)


def test_a_table_that_nobody_named_is_asked_for() -> None:
    with pytest.raises(EngineError, match="No table of flow_records was named"):
        sources({"cloudtrail_events": "store"}).select("flow_records", WINDOW)


# The files.


@pytest.mark.parametrize(("table", "layout"), SOURCES)
def test_a_source_gives_the_columns_of_the_schema_in_order(table: str, layout: str) -> None:
    assert layout in LAYOUTS
    assert sources({table: layout}).select(table, WINDOW).find(exp.Subquery).this.named_selects == TABLES[table].names
    assert sources({table: layout}, limits=Limits()).select(table, WINDOW).named_selects == TABLES[table].names


@pytest.mark.parametrize(("table", "layout"), SOURCES)
def test_a_source_takes_what_its_header_lists_and_no_more(table: str, layout: str) -> None:
    one = source(table, layout)
    assert set(one.needs) <= one.columns.keys()
    assert one.also.keys() <= one.columns.keys()
    assert not {name for others in one.also.values() for name in others} & one.columns.keys()
    names = [*one.columns, *(name for others in one.also.values() for name in others)]
    assert names == [name.lower() for name in names]
    if layout != "store":  # which takes all
        assert taken(one) == one.columns.keys()


def taken(one: Source) -> set[str]:
    """The columns that the file names where it reads the stored table."""
    found = set()
    for table in one.select.find_all(exp.Table):
        if table.name.startswith(STORED):
            scope = table.find_ancestor(exp.Select)
            assert scope is not None
            lambdas = {
                argument.name for one_lambda in scope.find_all(exp.Lambda) for argument in one_lambda.expressions
            }
            found |= {column.parts[0].name for column in scope.find_all(exp.Column)} - lambdas
    return found


# A table as it is.


def fitted(stored: StoredTable, limits: Limits = Limits()) -> str:  # noqa: B008
    return TableSources(Tables({"flow_records": stored}, limits)).select("flow_records", WINDOW).sql("trino")


def flows(layout: str = "aws", **columns: str) -> StoredTable:
    """A table of flow logs with these columns beside what every one needs."""
    least = {name: str(source("flow_records", layout).columns[name]) for name in source("flow_records", layout).needs}
    return StoredTable(("flows",), layout, {name: kind(text) for name, text in (least | columns).items()})


@pytest.mark.parametrize(
    ("name", "catalog"),
    [
        (("flows",), '"flows"'),
        (("logs", "flows"), '"logs"."flows"'),
        (
            ("s3tablescatalog/aws-cloudwatch", "logs", 'my "flows"'),
            '"s3tablescatalog/aws-cloudwatch"."logs"."my ""flows"""',
        ),
    ],
)
def test_the_engine_is_told_its_own_name_of_the_table(name: tuple[str, ...], catalog: str) -> None:
    stored = flows()
    said = fitted(StoredTable(name, "aws", stored.columns))
    assert f" FROM {catalog} WHERE " in said
    assert STORED not in said


@pytest.mark.parametrize(
    ("actual", "said"),
    [
        ("integer", "dstport"),
        ("bigint", 'TRY_CAST(dstport AS INTEGER) AS "dstport"'),
        ("smallint", 'CAST(dstport AS INTEGER) AS "dstport"'),
        ("varchar", 'TRY_CAST(dstport AS INTEGER) AS "dstport"'),
        ("varchar(5)", 'TRY_CAST(dstport AS INTEGER) AS "dstport"'),
        ("double", 'TRY_CAST(dstport AS INTEGER) AS "dstport"'),
        ("decimal(10, 0)", 'TRY_CAST(dstport AS INTEGER) AS "dstport"'),
    ],
)
def test_a_column_of_another_type_is_cast(actual: str, said: str) -> None:
    assert f", {said}, " in fitted(flows(dstport=actual))


@pytest.mark.parametrize(
    ("column", "actual"),
    [("dstport", "array(integer)"), ("dstport", "timestamp(3)"), ("dstport", "date"), ("srcaddr", "row(ip varchar)"), ("srcaddr", "map(varchar, varchar)")],
)  # fmt: skip
def test_a_column_that_cannot_be_what_is_read_is_refused(column: str, actual: str) -> None:
    with pytest.raises(EngineError, match=rf"flows has {column} as .*; auditkit reads it as .*`auditkit athena ddl`"):
        fitted(flows(**{column: actual}))


def test_a_column_that_is_not_there_is_null_of_its_type() -> None:
    said = fitted(flows())
    assert 'CAST(NULL AS INTEGER) AS "dstport"' in said
    assert "NULLIF(NULLIF(CAST(NULL AS VARCHAR), '-'), '') AS srcaddr" in said
    assert 'CAST(NULL AS VARCHAR) AS "log_file"' in said or "CAST(NULL AS VARCHAR) AS log_file" in said


def test_what_every_record_needs_has_to_be_there() -> None:
    columns = {name: known for name, known in flows().columns.items() if name != "end"}
    with pytest.raises(EngineError, match="flows has no column end, which every record needs"):
        fitted(StoredTable(("flows",), "aws", columns))


def test_a_column_may_go_by_another_name_and_its_own_comes_first() -> None:
    assert "NULLIF(NULLIF(\"sourceaddress\", '-'), '') AS srcaddr" in fitted(flows(sourceaddress="varchar"))
    assert "sourceaddress" not in fitted(flows(sourceaddress="varchar", srcaddr="varchar"))
    assert 'CAST("numpackets" AS BIGINT) AS "packets"' in fitted(flows(numpackets="integer"))
    assert '"numpackets" AS "packets"' in fitted(flows(numpackets="bigint"))
    assert 'LPAD("aws-account-id", 12' in fitted(flows(**{"aws-account-id": "varchar"}))


def test_a_member_that_is_not_there_is_null_and_one_of_another_type_is_cast() -> None:
    lake = {
        "cloud": "row(region varchar)",
        "traffic": "row(packets varchar, bytes integer)",
        "metadata": "row(product varchar)",
    }
    said = fitted(flows("security_lake", **lake))
    assert "TRY_CAST(traffic.packets AS BIGINT) AS packets" in said
    assert "CAST(traffic.bytes AS BIGINT) AS bytes" in said
    assert "TRY_CAST(CAST(NULL AS VARCHAR) AS INTEGER) AS version" in said
    assert "NULLIF(NULLIF(CAST(NULL AS VARCHAR), '-'), ''), CAST(NULL AS VARCHAR)) AS account_id" in said
    assert "NULLIF(NULLIF(cloud.region, '-'), ''), CAST(NULL AS VARCHAR)) AS region" in said


def test_a_source_is_not_changed_by_its_use() -> None:
    before = source("flow_records", "aws").select.sql("trino")
    fitted(flows(numpackets="varchar", account="varchar"), NAMED_ACCOUNT)
    assert source("flow_records", "aws").select.sql("trino") == before


NAMED_ACCOUNT = Limits((ACCOUNT,), ())


def test_accounts_and_regions_are_limited_in_the_rows_too() -> None:
    said = fitted(flows(account="varchar", region="varchar"), Limits(("1", "2"), ("a'b",)))
    assert said.startswith("SELECT * FROM (SELECT ")
    assert said.endswith(") AS limited WHERE account_id IN ('1', '2') AND region IN ('a''b')")
    assert " AS limited" not in fitted(flows())


@pytest.mark.parametrize(("limits", "column"), [(Limits(("1",), ()), "account_id"), (Limits((), ("a",)), "region")])
def test_a_limit_to_what_the_table_does_not_tell_is_refused(limits: Limits, column: str) -> None:
    with pytest.raises(EngineError, match=f"flows has no column that tells the {column}"):
        fitted(flows(), limits)


# A store in S3, which Athena and Trino read as a table.

DAYS = [
    datetime(2026, 11, 1, 23, 59, 59),
    datetime(2026, 11, 2, 3, 4, 5, 678_000),
    datetime(2026, 11, 5, 6, 7, 8, 901_000),
]


def store() -> pa.Table:
    rows = [
        {"start_time": day, "end_time": day, "event_date": day.date(), "dstport": at} for at, day in enumerate(DAYS)
    ]
    full = [dict.fromkeys(FLOW_RECORDS.names) | row for row in rows]
    return pa.Table.from_pylist(full, FLOW_RECORDS.arrow)


def ports(table: pa.Table, **kinds: str) -> list[int]:
    declared = {column.name: kind(column.type) for column in FLOW_RECORDS.columns}
    columns = {name: known for name, known in declared.items() if name in table.column_names}
    columns |= {name: kind(text) for name, text in kinds.items()}
    stored = StoredTable(
        ("stored_flow_records",), "store", columns, (PartitionKey("event_date", columns["event_date"]),)
    )
    engine = DuckDBEngine({"flow_records": table}, sources=TableSources(Tables({"flow_records": stored})))
    found = engine.run("SELECT * FROM flow_records", window=WINDOW).table
    assert found.column_names == FLOW_RECORDS.names
    return found["dstport"].to_pylist()


def test_a_store_is_read_as_duckdb_reads_it() -> None:
    local = DuckDBEngine({"flow_records": store()}).run("SELECT * FROM flow_records", window=WINDOW).table
    assert ports(store()) == local["dstport"].to_pylist() == [1]


def test_an_older_store_lacks_columns() -> None:
    assert ports(store().drop_columns(["resource_id", "instance_tag", "extra"])) == [1]
    assert ports(store().drop_columns("dstport")) == [None]


def test_days_of_a_store_may_be_declared_as_text() -> None:
    table = store()
    texts = pa.array([day.isoformat() for day in table["event_date"].to_pylist()])
    at = table.column_names.index("event_date")
    assert ports(table.set_column(at, "event_date", texts), event_date="varchar") == [1]


# Which layout a table has.

COLUMNS = {
    ("flow_records", "aws"): [
        "version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action log_status",
        "start end action",
        "VERSION INTERFACE_ID START END",
        "version account interfaceid sourceaddress destinationaddress starttime endtime action logstatus",
        "interfaceid starttime endtime",
    ],
    ("flow_records", "store"): [" ".join(TABLES["flow_records"].names)],
    ("flow_records", "security_lake"): [
        "metadata time_dt cloud src_endpoint dst_endpoint connection_info traffic class_uid"
    ],
    ("cloudtrail_events", "aws"): ["eventversion useridentity eventTime eventsource eventname awsregion eventid"],
    ("cloudtrail_events", "store"): [" ".join(TABLES["cloudtrail_events"].names)],
    ("cloudtrail_events", "security_lake"): ["metadata time_dt cloud api actor class_uid"],
}


@pytest.mark.parametrize(("known", "columns"), [(known, text) for known, texts in COLUMNS.items() for text in texts])
def test_a_table_is_known_by_its_columns(known: tuple[str, str], columns: str) -> None:
    table, layout = known
    assert layout_of(table, columns.split(), name="db.logs") == layout


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("flow_records", ""),
        ("flow_records", "start end"),
        ("flow_records", "booking_id start end price"),
        ("flow_records", "start interface_id action"),
        ("flow_records", "eventtime eventname eventid"),
        ("flow_records", "event_id event_time principal_arn"),
        ("cloudtrail_events", "start end action"),
        ("cloudtrail_events", "metadata class_uid src_endpoint traffic"),
    ],
)
def test_another_table_is_refused_by_name(table: str, columns: str) -> None:
    with pytest.raises(EngineError, match=rf"db\.logs is no table of {table} that auditkit knows"):
        layout_of(table, columns.split(), name="db.logs")


@pytest.mark.parametrize("column", ["tgw_id", "TGW_ATTACHMENT_ID", "resource_type"])
def test_flow_logs_of_a_transit_gateway_show_no_reject(column: str) -> None:
    with pytest.raises(EngineError, match=r"db\.logs holds Transit Gateway flow logs"):
        layout_of("flow_records", ["srcaddr", "start", "end", "log_status", column], name="db.logs")


def test_every_layout_has_its_telltales() -> None:
    for table, layout in SOURCES:
        columns = (
            [*source(table, layout).columns, "class_uid"]
            if layout == "security_lake"
            else source(table, layout).columns
        )
        assert layout_of(table, columns, name="db.logs") == layout


def test_a_window_in_seconds_begins_and_ends_with_the_first_that_is_not_before() -> None:
    def said(start: datetime, end: datetime) -> tuple[int, int]:
        tree = sources({"flow_records": "aws"}, limits=Limits()).select("flow_records", Window(start, end))
        seconds = [node.expression.name for node in conditions(tree) if isinstance(node, exp.GTE | exp.LT)]
        return int(seconds[0]) - 1_793_588_645, int(seconds[1]) - 1_793_858_828

    start, end, little = START.replace(microsecond=0), END.replace(microsecond=0), timedelta(microseconds=1)
    assert said(start, end) == (0, 0)
    assert said(start + little, end - little) == (1, 0)
    assert said(start - little, end + little) == (0, 1)
    tokyo = timezone(timedelta(hours=9))
    assert said(start.astimezone(tokyo), end.astimezone(tokyo)) == (0, 0)


def test_the_first_day_of_a_long_window_is_the_first_day_read() -> None:
    window = Window(START, START + timedelta(days=300))
    said = sources({"flow_records": "aws"}, STYLES["projected day"]).select("flow_records", window).sql("trino")
    assert f"BETWEEN '{date(2026, 11, 2):%Y/%m/%d}' AND '{date(2027, 8, 30):%Y/%m/%d}'" in said
