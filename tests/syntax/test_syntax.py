"""Whatever auditkit writes is Trino's SQL, says Trino's own grammar; and the grammar can say no."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.tokenizer_core import TokenType

from auditkit.catalogue import Catalogue, Query
from auditkit.engines.binding import literal
from auditkit.engines.dialect import Statement, prepare
from auditkit.engines.portable import problems
from auditkit.engines.remote import sent
from auditkit.engines.sources import TableSources, source
from auditkit.engines.tables import LAYOUTS, Limits, PartitionKey, StoredTable, Tables
from auditkit.match_rules import at_once, compiled, probe
from auditkit.model import Parameter, Window
from auditkit.resources import QUERIES
from auditkit.schema import TABLES
from tests.syntax.conftest import IN_CI, ErrorsIn

CATALOGUE = Catalogue.load()
CORPUS = (*CATALOGUE.queries, *CATALOGUE.rules)
MATCHES = [rule for rule in CATALOGUE.rules if rule.kind == "match"]
PARTS = sorted((QUERIES / "sources").rglob("*.sql")) + sorted((QUERIES / "frames").glob("*.sql"))
PARTS = [path for path in PARTS if "duckdb" not in path.name]
PREFIXES = {"explain_io"}  # frames that stand before a statement
SOURCES = [
    (table, layout) for table in TABLES for layout in LAYOUTS if (QUERIES / f"sources/{table}.{layout}.sql").exists()
]
WINDOW = Window(datetime(2025, 12, 30, tzinfo=UTC), datetime(2026, 1, 2, 12, tzinfo=UTC))
LIMITS = Limits(("111122223333", "444455556666"), ("eu-west-1", "us-east-1"))


def key(name: str, kind: str, day_format: str | None = None) -> PartitionKey:
    return PartitionKey(name, exp.DataType.build(kind, dialect="trino"), day_format)


PARTITIONS = {
    "none": (),
    "a date": (key("event_date", "date"),),
    "days that the table spells": (
        key("account", "varchar"),
        key("region", "varchar"),
        key("timestamp", "varchar", "%Y/%m/%d"),
    ),
    "days of any spelling": (key("day", "varchar"), key("dt", "integer")),
    "year, month and day": (key("year", "varchar"), key("month", "integer"), key("day", "varchar")),
}

# No statement is known that is Trino's and that this version of the grammar refuses. One that is found has its place
# here, with its reason and a test that it is still refused, so that it goes when the grammar takes it.

# The idioms of auditkit/engines/dialect.py, and what else sqlglot writes.
GOOD = """
SELECT a FROM t WHERE (CAST(NULL AS VARCHAR) IS NULL OR principal_arn = CAST(NULL AS VARCHAR))
SELECT a FROM t WHERE event_name IN ('A', 'B') AND NOT event_name IN ('it''s', 'é😀\u202e', '-- x', '/* y', ';', '\\')
SELECT a FROM t WHERE FALSE
SELECT json_extract_scalar(request_parameters, '$.a.b') FROM t
SELECT TRY_CAST(json_extract_scalar(request_parameters, '$.port') AS BIGINT) FROM t
SELECT json_format(json_extract(request_parameters, '$.policy')) FROM t
SELECT TRY_CAST(json_extract(request_parameters, '$.items') AS ARRAY(JSON)) FROM t
SELECT any_match(items, item -> json_extract_scalar(item, '$.privileged') = 'true') FROM t
SELECT COALESCE(TRY_CAST(node AS ARRAY(JSON)), ARRAY[node]) FROM t
SELECT TRY_CAST(json_extract(request_parameters, '$.names') AS ARRAY(VARCHAR)) FROM t
SELECT item FROM t CROSS JOIN UNNEST(items) AS u(item)
SELECT item FROM t CROSS JOIN UNNEST(items) WITH ORDINALITY AS u(item, place)
SELECT item FROM t LEFT JOIN UNNEST(items) AS u(item) ON TRUE
SELECT a FROM t WHERE TRY_CAST(source_ip AS IPADDRESS) IS NOT NULL
SELECT contains('10.0.0.0/8', TRY_CAST(srcaddr AS IPADDRESS)) FROM t
SELECT array_agg(event_id ORDER BY event_time, event_id) FROM t
SELECT array_agg(DISTINCT x ORDER BY x DESC NULLS LAST) FILTER (WHERE x IS NOT NULL) FROM t
SELECT array_sort(array_distinct(flatten(array_agg(ips)))) FROM t
SELECT date_format(event_time, '%Y-%m-%d %H:%i:%s') FROM t
SELECT CAST(TRY(from_iso8601_timestamp(a)) AT TIME ZONE 'UTC' AS TIMESTAMP(3)) FROM t
SELECT 1e0 * part / NULLIF(whole, 0) FROM t
SELECT event_time + INTERVAL '7' DAY, event_time - INTERVAL '90' MINUTE FROM t
SELECT TIMESTAMP '2026-11-01 00:00:00', DATE '2026-11-01', CAST('2026-11-01 00:00:00.000' AS TIMESTAMP(3))
SELECT (-5), 5e-324, 1.7976931348623157e+308, -9223372036854775808, TRUE, NULL
SELECT CAST(ARRAY[] AS ARRAY(VARCHAR)), ARRAY[1, 2][1]
SELECT row_number() OVER (PARTITION BY a ORDER BY b DESC) FROM t
SELECT sum(x) OVER (ORDER BY b ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM t
SELECT sum(x) OVER (ORDER BY b RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) FROM t
SELECT count(*) FILTER (WHERE outcome = 'denied'), count_if(outcome <> 'ok') FROM t
SELECT a, b FROM t GROUP BY GROUPING SETS ((a, b), (a), ())
SELECT a FROM t GROUP BY 1 HAVING count(DISTINCT b) > 1 ORDER BY 1 NULLS FIRST LIMIT 5
SELECT a FROM t UNION ALL SELECT a FROM u ORDER BY a OFFSET 2 ROWS FETCH FIRST 5 ROWS ONLY
WITH a AS (SELECT 1 AS x), b(y) AS (SELECT x FROM a) SELECT y FROM b WHERE EXISTS (SELECT 1 FROM a WHERE x = y)
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t(n, s)
SELECT CASE a WHEN 1 THEN 'x' ELSE 'y' END, CASE WHEN a LIKE 'x!_%' ESCAPE '!' THEN 1 END, IF(a, 1) FROM t
SELECT a FROM t WHERE b BETWEEN 1 AND 2 AND c IS DISTINCT FROM d AND e <> f AND g != h
SELECT useridentity.sessioncontext.attributes.mfaauthenticated, element_at(unmapped, 'x'), "$path" FROM t
SELECT CAST(NULL AS ROW(type VARCHAR, "end" BIGINT, attributes MAP(VARCHAR, ARRAY(ROW(arn VARCHAR)))))
SELECT "start", "end" FROM "awsdatacatalog"."audit"."cloudtrail-logs" WHERE "timestamp" IN ('2026/11/01')
SELECT type, version, action, bytes, region, resources, found, rule, first, last FROM t
SELECT a /* why */ FROM t -- because
""".strip().splitlines()

# What other engines take, and Trino does not.
FOREIGN = """
SELECT a::int
SELECT CAST(a AS INT[]) FROM t
SELECT CAST(a AS STRUCT(b INT)) FROM t
SELECT [1, 2]
SELECT [x FOR x IN items] FROM t
SELECT a[1:2] FROM t
SELECT {'a': 1}
SELECT MAP {'a': 1}
SELECT ARRAY[1, 2, ]
SELECT * EXCLUDE (a) FROM t
SELECT * EXCEPT (a) FROM t
SELECT * REPLACE (a AS b) FROM t
SELECT DISTINCT ON (a) a FROM t
SELECT a FROM t QUALIFY row_number() OVER (ORDER BY a) = 1
SELECT a FROM t GROUP BY ALL
SELECT a, FROM t
SELECT a FROM t GROUP BY a,
WITH a AS (SELECT 1), SELECT * FROM a
WITH a AS MATERIALIZED (SELECT 1) SELECT * FROM a
FROM t SELECT a
FROM t
SELECT TOP 5 a FROM t
SELECT a FROM t LIMIT 5, 2
SELECT a FROM t LIMIT 5 OFFSET 2
SELECT a FROM t LIMIT (SELECT 5)
SELECT a FROM t LIMIT 10%
SELECT INTERVAL 7 DAY
SELECT a ->> '$.b' FROM t
SELECT a ILIKE 'b' FROM t
SELECT a FROM t WHERE a GLOB 'b'
SELECT a SIMILAR TO 'b' FROM t
SELECT a FROM t WHERE a RLIKE 'b'
SELECT a ~ 'b' FROM t
SELECT a == b FROM t
SELECT a // b FROM t
SELECT a ** b FROM t
SELECT a ^ b FROM t
SELECT a & b FROM t
SELECT a << 1 FROM t
SELECT a IS TRUE FROM t
SELECT a FROM t WHERE a NOTNULL
SELECT a FROM t WHERE a IN ()
SELECT a FROM t WHERE a IN ARRAY['x']
SELECT count(*) FILTER (a = 'x') FROM t
SELECT list_filter(items, lambda x: x > 1) FROM t
SELECT a FROM t LEFT JOIN UNNEST(items) AS u(x)
SELECT a FROM t UNION BY NAME SELECT a FROM u
SELECT a FROM t USING SAMPLE 10
SELECT a FROM t PIVOT (sum(b) FOR c IN ('x'))
SELECT a FROM 'x.parquet'
SELECT a FROM read_csv('x.csv')
SELECT a AS 'x' FROM t
SELECT 'a' 'b'
SELECT 'it's'
SELECT "a
SELECT a /* open
SELECT a FROM t WHERE
SELECT a FROM t ORDER a
SELECT end FROM t
SELECT a AS order FROM t
SELECT CAST(NULL AS ROW(end BIGINT))
SELECT :name
SELECT $name
SELECT $1
SELECT @name
SELECT 1;
SELECT 1; SELECT 2
SELECT 1 SELECT 2
""".strip().splitlines()

# What is Trino's by its grammar alone, and means something else there or nothing: portable.py says no.
BEYOND_GRAMMAR = """
event_time + INTERVAL '7 days'
json_extract_scalar(extra -> '$.a', '$.b')
string_agg(event_id, ',')
TIMESTAMPTZ '2026-11-01'
?
""".strip().splitlines()


# Every statement


def with_values(sql: str, values: Mapping[str, str]) -> str:
    """*sql* as it was written, but for its value in the place of each `:name`; NULL, where none is given."""
    text, at = "", 0
    for colon, name in pairwise(Trino().tokenize(sql)):
        if colon.token_type == TokenType.COLON and name.start == colon.end + 1 and name.text.isidentifier():
            text, at = text + sql[at : colon.start] + values.get(name.text, "NULL"), name.end + 1
    return text + sql[at:]


def stored(table: str, layout: str, partitions: tuple[PartitionKey, ...] = (), *, least: bool = False) -> StoredTable:
    """A table with every column that its source takes; with the *least* of them that do."""
    one = source(table, layout)
    columns = dict(one.columns) or {column.name: exp.DataType.build(column.type) for column in TABLES[table].columns}
    if least and one.needs:
        columns = {name: columns[name] for name in one.needs}
    keys = {key.name: key.type for key in partitions}
    return StoredTable(("awsdatacatalog", "audit-logs", table), layout, columns | keys, partitions)


def in_layout(layout: str) -> TableSources:
    """Both tables in the *layout*; one that does not come in it, as a store has it."""
    return TableSources(
        Tables({table: stored(table, layout if (table, layout) in SOURCES else "store") for table in TABLES})
    )


def prepared(sql: str, params: Mapping[str, Parameter], layouts: Iterable[str]) -> dict[str, Statement]:
    return {layout: prepare(sql, params, WINDOW, in_layout(layout)) for layout in layouts}


def defaults(query: Query) -> dict[str, Parameter]:
    return {name: Parameter(declared.type, declared.default) for name, declared in query.params.items()}


@cache
def of_query(query_name: str) -> dict[str, str]:
    """In CI behind the sources of every layout, which takes 10 s; else behind the store's, which are short."""
    query = CATALOGUE.get(query_name)
    params = defaults(query)
    layouts = {layout for table, layout in SOURCES if table in query.reads}
    statements = prepared(query.sql, params, sorted(layouts) if IN_CI else ["store"])
    values = {name: literal(name, value).sql("trino") for name, value in params.items()}
    return {
        "as written": with_values(query.sql, values),
        "as shown": statements["store"].shown,
        **{f"as sent, {layout}": sent(statement) for layout, statement in statements.items()},
    }


@cache
def of_rules() -> dict[str, str]:
    found = {}
    for some in at_once(MATCHES):
        sql, params = compiled(some, {rule.rule: defaults(rule) for rule in some})
        for layout, statement in prepared(sql, params, LAYOUTS).items():
            found[f"{len(some)} rules from {some[0].rule}, {layout}"] = sent(statement)
    return found


@cache
def of_source(table: str, layout: str) -> dict[str, str]:
    """The source in front of the smallest statement: by partitions, and over the smallest table."""
    tables = {name: stored(table, layout, partitions) for name, partitions in PARTITIONS.items()}
    tables["the least"] = stored(table, layout, least=True)
    found = {
        name: sent(prepare(probe(table), {}, WINDOW, TableSources(Tables({table: one}))))
        for name, one in tables.items()
    }
    limited = TableSources(Tables({table: tables["none"]}, LIMITS))
    return found | {"limited": sent(prepare(probe(table), {}, WINDOW, limited))}


@cache
def of_file(path: Path) -> str:
    sql = path.read_text(encoding="utf-8").replace(":table", '"hive"."audit"."cloudtrail-logs"')
    return with_values(f"{sql} SELECT 1" if path.stem in PREFIXES else sql, {})


@pytest.fixture(scope="module")
def verdicts(errors_in: ErrorsIn) -> dict[str, list[str]]:
    """The grammar's errors by statement. Each is read once, and Node.js starts once."""
    groups = [of_rules(), *(of_query(query.name) for query in CORPUS), *(of_source(*one) for one in SOURCES)]
    ours = [sql for group in groups for sql in group.values()] + [of_file(path) for path in PARTS]
    statements = list(dict.fromkeys([*ours, *GOOD, *FOREIGN, *map(asked, BEYOND_GRAMMAR)]))
    return dict(zip(statements, errors_in(statements), strict=True))


def refused(statements: Mapping[str, str], verdicts: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {name: verdicts[sql] for name, sql in statements.items() if verdicts[sql]}


@pytest.mark.parametrize("query", CORPUS, ids=lambda query: query.rule)
def test_a_query_is_trino_as_it_is_written_shown_and_sent(query: Query, verdicts: dict[str, list[str]]) -> None:
    assert refused(of_query(query.name), verdicts) == {}


def test_all_match_rules_in_one_scan_are_trino(verdicts: dict[str, list[str]]) -> None:
    assert refused(of_rules(), verdicts) == {}


@pytest.mark.parametrize(("table", "layout"), SOURCES)
def test_a_source_is_trino_for_every_partitioning_and_with_missing_columns(
    table: str, layout: str, verdicts: dict[str, list[str]]
) -> None:
    assert refused(of_source(table, layout), verdicts) == {}


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.stem)
def test_a_source_or_frame_is_trino_as_it_is_written(path: Path, verdicts: dict[str, list[str]]) -> None:
    assert verdicts[of_file(path)] == []


# The grammar


@pytest.mark.parametrize("statement", GOOD)
def test_the_grammar_lets_good_trino_through(statement: str, verdicts: dict[str, list[str]]) -> None:
    assert verdicts[statement] == []


@pytest.mark.parametrize("statement", FOREIGN)
def test_the_grammar_refuses_foreign_forms(statement: str, verdicts: dict[str, list[str]]) -> None:
    assert verdicts[statement] != []


def asked(expression: str) -> str:
    return f"SELECT {expression} AS v, event_id FROM cloudtrail_events ORDER BY event_id"


@pytest.mark.parametrize("expression", BEYOND_GRAMMAR)
def test_what_the_grammar_cannot_tell_the_lint_refuses(expression: str, verdicts: dict[str, list[str]]) -> None:
    assert verdicts[asked(expression)] == []
    assert problems(asked(expression), {}, kind="question") != []
