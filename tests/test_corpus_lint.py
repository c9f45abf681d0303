"""Every query in queries/ means the same on each engine, and the lint that says so can say no."""

from __future__ import annotations

import re

import pytest

from auditkit.catalogue import Catalogue, Query
from auditkit.engines.dialect import parse, tables_read
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.portable import problems
from auditkit.model import Parameter

CATALOGUE = Catalogue.load()
CORPUS = [*CATALOGUE.queries, *CATALOGUE.rules]
EMPTY = DuckDBEngine({})


@pytest.mark.parametrize("query", CORPUS, ids=lambda query: query.rule)
def test_a_query_of_the_corpus_is_portable(query: Query) -> None:
    types = {name: declared.type for name, declared in query.params.items()}
    assert problems(query.sql, types, kind=query.kind) == []


@pytest.mark.parametrize("query", CORPUS, ids=lambda query: query.rule)
def test_a_query_of_the_corpus_reads_what_it_declares_and_runs_without_rows(query: Query) -> None:
    assert tables_read(parse(query.sql)) == tuple(sorted(query.reads))
    params = {name: Parameter(declared.type, declared.default) for name, declared in query.params.items()}
    assert EMPTY.run(query.sql, params).table.num_rows <= 1


def ask(columns: str, more: str = "ORDER BY event_id") -> list[str]:
    return problems(f"SELECT {columns} FROM cloudtrail_events {more}", {}, kind="question")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("event_id::bigint", "`::`"),
        ("extra ->> '$.a'", "`->>`"),
        ("7 // 2", "`//`"),
        ("2 ** 3", r"`\*\*`"),
        ("event_id == 'a'", "`==`"),
        ("event_id ILIKE 'a'", "ILIKE"),
        ("event_id GLOB 'a*'", "GLOB"),
        ("event_id SIMILAR TO 'a'", "SIMILAR TO"),
        ("[1, 2]", r"`\[`"),
        ("element_at(ARRAY[1], 1) + ARRAY[1][1]", r"`\[`"),
        ("{'a': 1}", "`{…}`"),
        ("?", r"`\?`"),
        ("$1", r"`\$`"),
        ("event_time + INTERVAL 7 DAY", "INTERVAL '7' DAY"),
        ("event_time + INTERVAL '7 days'", "INTERVAL '7' DAY"),
        ("event_time + INTERVAL '7' DAYS", "INTERVAL '7' DAY"),
        ("event_time + INTERVAL '1' WEEK", "INTERVAL '7' DAY"),
        ("event_time + INTERVAL '7'", "INTERVAL '7' DAY"),
        ("json_value(extra, 'lax $.a')", r"json_value\(\)|cannot be read"),
        ("json_exists(extra, 'lax $.a')", r"json_exists\(\)|cannot be read"),
        ("string_split(event_id, ',')", r"string_split\(\)"),
        ("arbitrary(event_id)", r"arbitrary\(\)"),
        ("approx_distinct(event_id)", r"approx_distinct\(\)"),
        ("split_to_map(event_id, ',', '=')", r"split_to_map\(\)"),
        ("json_extract_scalar(extra, '$.a[*]')", "JSON path"),
        ("json_extract_scalar(extra, event_id)", "JSON path"),
        ("cardinality(resources) / 1048576.0", "1048576.0 is a decimal"),
        ("1e0 / length(event_id)", "NULLIF"),
        ("1 / 0", "NULLIF"),
        ("7 % length(event_id)", "NULLIF"),
        ("mod(7, length(event_id))", "NULLIF"),
        ("max(u) / 2", "could not be resolved"),
        ("CAST(event_time AS VARCHAR)", "no one form as text"),
        ("CAST(1e10 AS VARCHAR)", "no one form as text"),
        ("CAST(json_extract(extra, '$.a') AS VARCHAR)", "no one form as text"),
        ("CAST(extra AS JSON)", "json_parse"),
        ("CAST(event_id AS BIGINT)", "TRY_CAST"),
        ("CAST(json_extract(extra, '$.a') AS ARRAY(JSON))", "TRY_CAST"),
        ("CAST(source_ip AS IPADDRESS)", "TRY_CAST"),
        ("TRY_CAST(event_id AS TIMESTAMP)", "from_iso8601_timestamp"),
        ("from_iso8601_timestamp(event_id)", r"TRY\("),
        ("json_parse(extra)", r"TRY\("),
        ("account_id = 111122223333", "different types"),
        ("event_time > '2026-11-01'", "different types"),
        ("event_id IN (1, 2)", "different types"),
        ("TRY(json_extract_scalar(extra -> '$.a', '$.b'))", "`->`"),
        ("url_decode(event_id)", r"TRY\("),
        ("read_only = 'true'", "different types"),
        ("coalesce(event_id, 1)", "different types"),
        ("nullif(event_id, 1)", "different types"),
        ("greatest(event_time, event_id)", "different types"),
        ("if(read_only, 1, 'a')", "different types"),
        ("CASE WHEN read_only THEN 1 ELSE 'a' END", "different types"),
        ("event_id * 2", "no number"),
        ("event_id || 1", "no text"),
        ("concat(event_id, event_time)", "no text"),
        ("NOT event_id", "not boolean"),
        ("event_id AND read_only", "not boolean"),
        ("if(event_id, 1)", "not boolean"),
        ("CASE WHEN length(event_id) THEN 1 END", "not boolean"),
        ("count_if(event_id)", "not boolean"),
        ("CAST(event_id AS VARCHAR(3))", "cuts or fills"),
        ("CAST(event_id AS CHAR(50))", "cuts or fills"),
        ("TRY_CAST(event_id AS DECIMAL(10, 2))", "scale differs"),
        ("TRY_CAST(event_id AS BOOLEAN)", "yes for true"),
        ("TRY_CAST(json_extract(extra, '$.a') AS BOOLEAN)", "yes for true"),
        ("TRY_CAST(event_id AS DOUBLE)", "forms of numbers"),
        ("date(event_id)", "forms of time"),
        ("date_diff('days', event_time, event_time)", "units"),
        ("date_trunc('millennium', event_time)", "units"),
        ("date_add('millisecond', 1, event_time)", "units"),
        ("date_format(event_time, '%f')", "spelled"),
        ("date_format(event_time, '%Y-%v')", "spelled"),
        ("date_format(event_time, event_id)", "spelled"),
        ("trim(event_id)", "white space"),
        ("round(length(event_id) / 3e0, 2)", "last digit"),
        ("max_by(event_id, event_time, 2)", "a list on Trino"),
        ("replace(event_id, '', '-')", "looks for nothing"),
        ("split(event_id, '')", "looks for nothing"),
        ("split_part(event_id, '', 1)", "looks for nothing"),
        ("split_part(event_id, '/', 0)", "from 1"),
        ("split_part(event_id, '/', -1)", "from 1"),
        ("slice(split(event_id, '/'), 0, 1)", "from 1"),
        ("json_format(TRY(json_parse(extra)))", "sorts the keys"),
        ("array_join(ARRAY[1e0], ',')", "no one form as text"),
        ("array_join(array_agg(event_time ORDER BY event_time), ',')", "no one form as text"),
        ("regexp_like(event_id, '^[[:alpha:]]+$')", "ASCII"),
        ("unnest(ARRAY[1])", "FROM only"),
        ("row_number() OVER (PARTITION BY account_id)", "by an order"),
        ("lag(event_id) IGNORE NULLS OVER (PARTITION BY account_id)", "by an order"),
        ("array_union(ARRAY[event_id], ARRAY['a'])", "any order"),
        (f"ARRAY[{', '.join(['1'] * 255)}]", "takes 254"),
        (f"concat_ws(',', {', '.join(['event_id'] * 127)})", "takes 127"),
        (f"greatest({', '.join(['event_id'] * 128)})", "takes 127"),
        (f"'{'a' * 262_144}'", "262,144 bytes"),
        ("event_id COLLATE nocase", "COLLATE"),
        ("uuid()", "another one"),
        ("current_user", "another one"),
        ("localtime", "clock"),
        ("event_time AT TIME ZONE 'UTC'", "AT TIME ZONE"),
        ("now()", r"now\(\)|clock"),
        ("current_date", "clock"),
        ("array_agg(event_id)", "any order"),
        ("array_agg(DISTINCT event_id)", "any order"),
        ("array_distinct(flatten(array_agg(ARRAY[event_id])))", "any order"),
        ("slice(array_agg(event_id), 1, 5)", "any order"),
        ("json_extract(extra, '$.a')", "not a plain one"),
        ("event_time - session_created", "date_diff"),
        ("no_such_column", "could not be resolved"),
        ("read_only FROM cloudtrail_events; SELECT 1", "without `;`"),
        ("*", "names its columns"),
        ("* EXCLUDE (extra)", "EXCLUDE"),
    ],
)
def test_the_lint_refuses(expression: str, reason: str) -> None:
    found = ask(f"{expression} AS v, event_id" if "*" not in expression[:1] else expression)
    assert any(re.search(reason, problem) for problem in found), found


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT event_id FROM cloudtrail_events", "needs an ORDER BY"),
        (
            "SELECT account_id, count(*) AS n FROM cloudtrail_events GROUP BY account_id ORDER BY n",
            "leaves open.*account_id",
        ),
        ("SELECT event_id FROM cloudtrail_events QUALIFY row_number() OVER (ORDER BY event_id) = 1", "QUALIFY"),
        ("SELECT account_id AS a FROM cloudtrail_events WHERE a = 'x' ORDER BY a", "'a' could not be resolved"),
        (
            "SELECT account_id AS a, count(*) AS n FROM cloudtrail_events GROUP BY a ORDER BY a",
            "'a' could not be resolved",
        ),
        ("SELECT account_id, count(*) AS n FROM cloudtrail_events GROUP BY ALL ORDER BY account_id", "GROUP BY ALL"),
        ("SELECT DISTINCT ON (account_id) account_id FROM cloudtrail_events ORDER BY account_id", "DISTINCT ON"),
        ("SELECT event_id FROM cloudtrail_events TABLESAMPLE BERNOULLI (10) ORDER BY event_id", "sample"),
        (
            "SELECT q FROM (SELECT event_id AS q FROM cloudtrail_events LIMIT 5) AS t ORDER BY q",
            "LIMIT without ORDER BY",
        ),
        (
            "SELECT q FROM (SELECT event_id AS q FROM cloudtrail_events FETCH FIRST 5 ROWS ONLY) AS t ORDER BY q",
            "LIMIT without ORDER BY",
        ),
        ("SELECT event_id FROM cloudtrail_events WHERE event_name ORDER BY event_id", "not boolean"),
        (
            "SELECT event_id FROM cloudtrail_events SEMI JOIN flow_records ON session_name = ecs_task_id ORDER BY 1",
            "SEMI JOIN",
        ),
        (
            "SELECT event_id FROM cloudtrail_events ASOF JOIN flow_records ON event_time >= start_time ORDER BY 1",
            "ASOF JOIN",
        ),
        ("SELECT event_id FROM cloudtrail_events WHERE event_name IN :names ORDER BY event_id", r"IN \(:names\)"),
        ("SELECT x FROM read_csv('x.csv') ORDER BY x", "cannot be read"),
        ("SELECT :other AS v ORDER BY v", "No value for :other"),
    ],
)
def test_the_lint_refuses_statements(sql: str, reason: str) -> None:
    found = problems(sql, {"names": "array(varchar)"} if ":names" in sql else {}, kind="question")
    assert any(re.search(reason, problem) for problem in found), found


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) AS n, max(event_time) AS last FROM cloudtrail_events",
        "SELECT account_id AS a, date_trunc('day', event_time) AS d, count(*) AS n FROM cloudtrail_events "
        "GROUP BY account_id, date_trunc('day', event_time) ORDER BY n DESC, a, d",
        "SELECT event_id, 1e0 * length(event_id) / NULLIF(length(user_agent), 0) AS share FROM cloudtrail_events "
        "WHERE event_time > TIMESTAMP '2026-11-01 00:00:00' "
        "AND (:p IS NULL OR principal_arn = :p) ORDER BY event_id LIMIT 5",
        "SELECT account_id, array_sort(array_distinct(flatten(array_agg(ARRAY[source_ip])))) AS ips, "
        "array_agg(event_id ORDER BY event_time, event_id) AS ids "
        "FROM cloudtrail_events GROUP BY account_id ORDER BY 1",
        "SELECT event_id, json_extract_scalar(item, '$.name') AS name FROM cloudtrail_events CROSS JOIN UNNEST("
        "TRY_CAST(json_extract(extra, '$.items') AS ARRAY(JSON))) AS t(item) ORDER BY event_id, name",
        "SELECT event_id, CASE event_name WHEN 'A' THEN 1 WHEN 'B' THEN NULL ELSE 2e0 END AS n, "
        "concat_ws(',', CASE WHEN read_only THEN event_name END, CAST(event_date AS VARCHAR)) AS names, "
        "if(mfa AND NOT read_only, event_id, coalesce(event_name, '')) AS b, mod(length(event_id), 7) AS m, "
        "row_number() OVER (PARTITION BY account_id ORDER BY event_time, event_id) AS place, "
        "count(*) OVER (PARTITION BY account_id) AS events, greatest(event_time, session_created) AS latest, "
        "date_format(event_time, '%Y-%m-%d %H:%i:%s') AS at, trim(BOTH ' ' FROM event_name) AS trimmed, "
        f"cardinality(ARRAY[{', '.join(['1'] * 254)}]) AS many, concat_ws(',', {', '.join(['event_id'] * 126)}) AS joined, "
        "array_join(concat(split(event_id, '/'), ARRAY[event_name]), ',') AS parts, TRY(url_decode(event_id)) AS decoded "
        "FROM cloudtrail_events WHERE event_time > (SELECT max(end_time) - INTERVAL '90' MINUTE FROM flow_records) "
        "AND event_id <> ALL (SELECT ecs_task_id FROM flow_records WHERE ecs_task_id IS NOT NULL) "
        "AND EXISTS (SELECT 1 FROM flow_records) ORDER BY event_id",
        "SELECT event_id FROM cloudtrail_events WHERE contains('10.0.0.0/8', TRY_CAST(source_ip AS IPADDRESS)) "
        "AND event_name LIKE '%::$1 ?' ORDER BY event_id",
    ],
)
def test_the_lint_lets_good_queries_through(sql: str) -> None:
    assert problems(sql, {"p": "varchar"} if ":p" in sql else {}, kind="question") == []


def test_a_match_rule_may_select_everything_in_any_order() -> None:
    assert problems("SELECT * FROM cloudtrail_events WHERE event_name = 'X'", {}, kind="match") == []
