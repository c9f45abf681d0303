"""The tables that `auditkit athena ddl` prints are those that queries/sources/ read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from auditkit.engines.partitions import is_by_day
from auditkit.engines.sources import TableSources, source
from auditkit.engines.tables import Limits, PartitionKey, StoredTable, Tables, layout_of
from auditkit.errors import EngineError, ParameterError
from auditkit.logs.flow_format import COLUMNS, DEFAULT, FlowFormat
from auditkit.model import Window
from auditkit.schema import TABLES
from auditkit.setup.aws_names import S3Folder, arn_partition, region_names
from auditkit.setup.ddl import KINDS, ddl
from auditkit.setup.table_text import quoted_text

PLACE = dict.fromkeys(KINDS, "s3://org-logs/AWSLogs/") | {
    "store-events": "s3://audit/store/",
    "store-flows": "s3://audit/store/",
}
TABLE = {
    "cloudtrail": ("cloudtrail_events", "aws"),
    "flow-logs": ("flow_records", "aws"),
    "flow-logs-parquet": ("flow_records", "aws"),
    "store-events": ("cloudtrail_events", "store"),
    "store-flows": ("flow_records", "store"),
}
ALL_FIELDS = FlowFormat(tuple(COLUMNS))
WINDOW = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
DAY_FORMATS = {"yyyy/MM/dd": "%Y/%m/%d", "yyyy-MM-dd": "%Y-%m-%d"}


def printed(kind: str, **options: Any) -> str:
    return ddl(kind, **{"location": PLACE[kind], **options})


class Read:
    """A CREATE EXTERNAL TABLE as a client of Athena reads it."""

    def __init__(self, text: str) -> None:
        (tree,) = sqlglot.parse(text, read="athena")
        assert isinstance(tree, exp.Create)
        self.name = [part.name for part in tree.this.this.parts]
        self.columns = {column.name: column.args["kind"] for column in tree.this.expressions}
        found: dict[Any, Any] = {type(property_): property_ for property_ in tree.args["properties"].expressions}
        keys = found[exp.PartitionedByProperty].this.expressions
        self.keys = {key.name: key.args["kind"] for key in keys}
        self.location = found[exp.LocationProperty].this.name
        self.properties = {
            property_.this.name: property_.args["value"].name
            for property_ in tree.args["properties"].expressions
            if type(property_) is exp.Property
        }

    def stored(self, kind: str) -> StoredTable:
        table, _ = TABLE[kind]
        columns = {name: trino(type_) for name, type_ in (self.columns | self.keys).items()}
        keys = tuple(
            PartitionKey(
                name,
                columns[name],
                DAY_FORMATS.get(self.properties.get(f"projection.{name}.format", "")),
                self.properties[f"projection.{name}.type"] == "injected",
            )
            for name in self.keys
        )
        layout = layout_of(table, columns, name="a table")
        return StoredTable(tuple(self.name), layout, columns, keys, self.location)


def trino(kind: exp.DataType) -> exp.DataType:
    """The same type as Athena calls it in a query."""
    return exp.DataType.build(kind.sql("trino"), dialect="trino")


def types(columns: dict[str, exp.DataType]) -> dict[str, str]:
    return {name: kind.sql("hive") for name, kind in columns.items()}


def read_by_source(kind: str) -> dict[str, str]:
    return {n: t.sql("hive") for n, t in source(*TABLE[kind]).columns.items() if not n.startswith("$")}


@pytest.mark.parametrize("kind", ["cloudtrail", "flow-logs-parquet"])
def test_a_table_has_what_its_source_reads_and_nothing_else(kind: str) -> None:
    table = Read(printed(kind))
    assert types(table.columns) == {n: t for n, t in read_by_source(kind).items() if n not in table.keys}


def test_a_table_of_text_has_the_columns_of_the_flow_log_in_its_order() -> None:
    assert list(Read(printed("flow-logs")).columns) == [name.replace("-", "_") for name in DEFAULT.fields]
    form = FlowFormat.parse("${end} ${start} ${region} ${tcp-flags} ${a-field-of-tomorrow} ${action}")
    table = Read(printed("flow-logs", flow_format=form))
    assert types(table.columns) == {
        "end": "BIGINT",
        "start": "BIGINT",
        "region": "STRING",
        "tcp_flags": "INT",
        "a_field_of_tomorrow": "STRING",
        "action": "STRING",
    }
    assert "does not know the field a-field-of-tomorrow" in printed("flow-logs", flow_format=form)


def test_every_field_of_a_flow_log_is_a_column_that_its_source_reads() -> None:
    table = Read(printed("flow-logs", flow_format=ALL_FIELDS))
    assert types(table.columns) == read_by_source("flow-logs")


@pytest.mark.parametrize("kind", ["store-events", "store-flows"])
def test_a_table_of_the_store_has_the_columns_of_the_schema(kind: str) -> None:
    table = Read(printed(kind))
    columns = TABLES[TABLE[kind][0]].columns
    told = {column.name: exp.DataType.build(column.type) for column in columns}
    assert types(table.columns | table.keys) == types(told)
    assert list(table.keys) == ["event_date"]
    assert table.location == f"s3://audit/store/{TABLE[kind][0]}/"
    assert Read(printed(kind, location=table.location)).location == table.location


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hive_compatible", [False, True])
def test_a_printed_table_is_read_as_what_it_is_and_only_where_the_window_is(kind: str, hive_compatible: bool) -> None:
    if hive_compatible and "flow-logs" not in kind:
        return
    options = {"hive_compatible": True} if hive_compatible else {}
    stored = Read(printed(kind, **options)).stored(kind)
    table, layout = TABLE[kind]
    assert stored.layout == layout
    assert is_by_day(stored)
    limits = Limits(("111122223333",), ("eu-west-1",))
    sql = TableSources(Tables({table: stored}, limits)).select(table, WINDOW).sql("trino")
    for key in stored.partitions:
        assert f'"{key.name}"' in sql or layout == "store"


@pytest.mark.parametrize("kind", ["cloudtrail", "flow-logs", "flow-logs-parquet"])
def test_a_table_without_lists_asks_every_query_for_accounts_and_regions(kind: str) -> None:
    table, _ = TABLE[kind]
    stored = Read(printed(kind)).stored(kind)
    with pytest.raises(EngineError, match="--accounts"):
        TableSources(Tables({table: stored})).select(table, WINDOW)
    listed = Read(printed(kind, accounts=["111122223333"], regions=["eu-west-1", "us-east-1"]))
    assert TableSources(Tables({table: listed.stored(kind)})).select(table, WINDOW)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hive_compatible", [False, True])
def test_folders_have_every_key_and_no_key_hides_a_column(kind: str, hive_compatible: bool) -> None:
    if hive_compatible and "flow-logs" not in kind:
        return
    options: dict[str, Any] = {"hive_compatible": True} if hive_compatible else {}
    if kind == "flow-logs":
        options["flow_format"] = ALL_FIELDS  # with `region`
    table = Read(printed(kind, **options))
    folders = table.properties["storage.location.template"].removeprefix(table.location)
    assert all(f"${{{key}}}" in folders for key in table.keys)
    assert folders.count("$") == len(table.keys)
    assert folders.endswith("/")
    assert not table.keys.keys() & table.columns.keys()


@pytest.mark.parametrize(
    ("kind", "options", "folder"),
    [
        ("cloudtrail", {}, "111122223333/CloudTrail/eu-west-1/2026/11/01/"),
        ("flow-logs", {}, "111122223333/vpcflowlogs/eu-west-1/2026/11/01/"),
        ("flow-logs-parquet", {}, "111122223333/vpcflowlogs/eu-west-1/2026/11/01/"),
        (
            "flow-logs",
            {"hive_compatible": True},
            "aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2026/month=11/day=01/",
        ),
        ("store-events", {}, "event_date=2026-11-01/"),
    ],
)
def test_folders_are_those_that_aws_and_the_store_make(kind: str, options: dict[str, Any], folder: str) -> None:
    values = {
        "account": "111122223333",
        "region": "eu-west-1",
        "aws_region": "eu-west-1",
        "timestamp": "2026/11/01",
        "event_date": "2026-11-01",
        "year": "2026",
        "month": "11",
        "day": "01" if options else "2026/11/01",
    }
    table = Read(printed(kind, **options))
    template = table.properties["storage.location.template"]
    for key in table.keys:
        template = template.replace(f"${{{key}}}", values[key])
    assert template == table.location + folder


GOLDEN = """\
PARTITIONED BY (
    `account` STRING,
    `region` STRING,
    `timestamp` STRING
)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS
    INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
    OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://org-logs/AWSLogs/o-abcdefghij/'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.account.type' = 'enum',
    'projection.account.values' = '111122223333,444455556666',
    'projection.region.type' = 'injected',
    'projection.timestamp.type' = 'date',
    'projection.timestamp.format' = 'yyyy/MM/dd',
    'projection.timestamp.range' = '2026/01/31,NOW',
    'projection.timestamp.interval' = '1',
    'projection.timestamp.interval.unit' = 'DAYS',
    'storage.location.template' = 's3://org-logs/AWSLogs/o-abcdefghij/${account}/CloudTrail/${region}/${timestamp}/'
)
"""


def test_the_table_of_an_organization_trail() -> None:
    text = printed(
        "cloudtrail",
        location="s3://org-logs/AWSLogs/o-abcdefghij",
        table="trail_2026",
        database="audit",
        accounts=["111122223333", "444455556666", "111122223333"],
        since=date(2026, 1, 31),
    )
    assert text.endswith(GOLDEN)
    assert (
        "CREATE EXTERNAL TABLE `audit`.`trail_2026` (\n    `eventversion` STRING,\n    `useridentity` STRUCT<\n" in text
    )
    assert "-- Only the accounts listed below are seen" in text
    assert "-- Every query has to name the regions it reads, as auditkit does with --regions." in text
    assert "-- Nothing before 2026-01-31 is seen." in text


@pytest.mark.parametrize("kind", KINDS)
def test_comments_are_plain_words(kind: str) -> None:
    for line in printed(kind).splitlines():
        if line.startswith("--"):
            assert not set(line) & set("'\"`;$"), line
            assert len(line) <= 120, line


def test_text_skips_the_line_of_names_where_there_is_one() -> None:
    assert Read(printed("flow-logs")).properties["skip.header.line.count"] == "1"
    assert "skip.header.line.count" not in Read(printed("flow-logs", has_header=False)).properties
    assert "skip.header.line.count" not in Read(printed("flow-logs-parquet")).properties


def test_years_begin_where_the_table_does() -> None:
    table = Read(printed("flow-logs-parquet", hive_compatible=True, since=date(2024, 5, 6)))
    assert table.properties["projection.year.range"] == "2024,2099"
    assert table.properties["projection.month.range"] == "01,12"
    assert "before 2024-01-01" in printed("flow-logs-parquet", hive_compatible=True, since=date(2024, 5, 6))


def test_the_store_on_trino() -> None:
    text = printed("store-flows", dialect="trino", database="audit", since=date(2026, 1, 1))
    assert 'CREATE TABLE "audit"."flow_records" (\n    "start_time" TIMESTAMP(3),\n' in text
    assert "partition_projection_range = ARRAY['2026-01-01', 'NOW']" in text
    assert "external_location = 's3://audit/store/flow_records/'" in text
    names = [line.split()[0].strip('"') for line in text.splitlines() if line.startswith("    ") and line[4] in '"e'][
        :-1
    ]
    assert set(names) == set(TABLES["flow_records"].names)
    with pytest.raises(ParameterError, match="auditkit ingest"):
        printed("cloudtrail", dialect="trino")


HOSTILE = [
    "s3://org-logs/AWSLogs'/",
    "s3://org-logs/a`b/AWSLogs/",
    's3://org-logs/a"b/AWSLogs/',
    "s3://org-logs/AWSLogs/\n",
    "s3://org-logs/a;b/AWSLogs/",
    "s3://org-logs/a\\/AWSLogs/",
    "s3://org-logs/${account}/AWSLogs/",
    "s3://org-logs/$x/AWSLogs/",
    "s3://org-logs/*/AWSLogs/",
    "s3://org-logs/a b/AWSLogs/",
    "s3://org-logs/ä/AWSLogs/",
    "s3://org-logs/../AWSLogs/",
    "s3://org-logs//AWSLogs/",
    "s3://org-logs/AWSLogs//",
    "s3://Org_Logs/AWSLogs/",
    "s3://org-logs\n/AWSLogs/",
    "s3:///AWSLogs/",
    "s3a://org-logs/AWSLogs/",
    "https://org-logs.s3.amazonaws.com/AWSLogs/",
    "org-logs/AWSLogs/",
    "",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("location", HOSTILE)
def test_a_location_that_is_none_is_refused(kind: str, location: str) -> None:
    with pytest.raises(ParameterError):
        printed(kind, location=location)


@pytest.mark.parametrize(
    ("location", "right"),
    [
        ("s3://org-logs/", "s3://org-logs/AWSLogs/?"),
        ("s3://org-logs/trails/", "s3://org-logs/trails/AWSLogs/?"),
        ("s3://org-logs/AWSLogs/111122223333/", "s3://org-logs/AWSLogs/ with --accounts 111122223333?"),
        ("s3://org-logs/AWSLogs/111122223333/CloudTrail/eu-west-1/", "AWSLogs/ with --accounts 111122223333?"),
        ("s3://org-logs/AWSLogs/o-abcdefghij/111122223333/", "AWSLogs/o-abcdefghij/ with --accounts 111122223333?"),
        ("s3://org-logs/AWSLogs/CloudTrail/", "s3://org-logs/AWSLogs/?"),
    ],
)
def test_a_location_beside_the_right_one_is_put_right(location: str, right: str) -> None:
    with pytest.raises(ParameterError) as refused:
        printed("cloudtrail", location=location)
    assert str(refused.value).endswith(right)


@pytest.mark.parametrize(
    "location",
    ["s3://b-1/o-abcdefghij/AWSLogs/o-abcdefghij/", "s3://b-1/o-abcdefghij/AWSLogs", "s3://b-1/a=b/AWSLogs/"],
)
def test_locations_of_control_tower_and_prefixes_are_taken(location: str) -> None:
    assert Read(printed("cloudtrail", location=location)).location == location.removesuffix("/") + "/"


def test_flow_logs_have_no_folder_of_the_organization() -> None:
    with pytest.raises(ParameterError, match=r"Perhaps s3://org-logs/AWSLogs/\?"):
        printed("flow-logs", location="s3://org-logs/AWSLogs/o-abcdefghij/")


@pytest.mark.parametrize(
    "options",
    [
        {"accounts": ["1111"]},
        {"accounts": ["111122223333'"]},
        {"accounts": ["111122223333,444455556666"]},
        {"accounts": ["１１１１２２２２３３３３"]},
        {"accounts": ["111122223333\n"]},
        {"regions": ["eu-west-1'"]},
        {"regions": ["Ireland"]},
        {"regions": ["${region}"]},
        {"regions": [""]},
        {"table": "a`b"},
        {"table": "a.b"},
        {"table": "Logs"},
        {"table": "my-logs"},
        {"table": "x\n"},
        {"table": "x" * 256},
        {"database": "a`; DROP"},
        {"database": "a.b"},
        {"flow_format": FlowFormat(("start", "end", "a`b"))},
        {"flow_format": FlowFormat(("start",))},
        {"flow_format": FlowFormat(("start", "end", "account"))},
        {"flow_format": FlowFormat(("start", "end", "aws-region"))},
        {"flow_format": FlowFormat(("start", "end", "tgw-id"))},
    ],
)
def test_what_has_no_place_in_a_statement_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        printed("flow-logs", **options)


@pytest.mark.parametrize(
    ("kind", "options", "named"),
    [
        ("store-events", {"accounts": ["111122223333"]}, "--accounts"),
        ("store-flows", {"regions": ["eu-west-1"]}, "--regions"),
        ("cloudtrail", {"hive_compatible": True}, "--hive-compatible"),
        ("cloudtrail", {"flow_format": DEFAULT}, "--flow-format"),
        ("flow-logs-parquet", {"flow_format": DEFAULT}, "--flow-format"),
        ("flow-logs-parquet", {"has_header": False}, "--no-header"),
    ],
)
def test_an_option_that_means_nothing_is_refused(kind: str, options: dict[str, Any], named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        printed(kind, **options)


def test_security_lake_needs_no_statement_and_other_kinds_are_named() -> None:
    with pytest.raises(ParameterError, match="makes its tables itself"):
        ddl("security-lake", location="s3://b-1/")
    with pytest.raises(ParameterError, match="There are cloudtrail, flow-logs, flow-logs-parquet, store-events"):
        ddl("cloudtrial", location="s3://b-1/")


@pytest.mark.parametrize("text", ["a'b", "a\\b", "a`b", "a;b", "a\x00b", "a\nb", 'a"b'])
def test_no_text_that_could_end_is_written(text: str) -> None:
    with pytest.raises(ParameterError):
        quoted_text(text)


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eusc-de-east-1", "aws-eusc")],
)
def test_regions_know_their_partition(region: str, partition: str) -> None:
    assert region_names([region, region]) == (region,)
    assert arn_partition(region) == partition


def test_a_folder_is_written_as_it_was_named() -> None:
    folder = S3Folder.parse("s3://org-logs/a/b=c")
    assert str(folder) == "s3://org-logs/a/b=c/"
    assert folder.prefix == "a/b=c/"
    assert S3Folder.parse("s3://org-logs").prefix == ""
    assert str(S3Folder.parse("s3://org-logs") / "AWSLogs") == "s3://org-logs/AWSLogs/"
