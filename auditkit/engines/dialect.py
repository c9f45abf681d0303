"""Trino SQL in: one SELECT over the two tables and the views, its parameters bound, the sources of the tables in front.

Idioms that give the same rows on Trino, Athena and DuckDB (the tests hold a case of each):

    optional parameter     (:principal IS NULL OR principal_arn = :principal)
    list parameter         event_name IN (:names)                         an empty list matches nothing
    a value in JSON        json_extract_scalar(request_parameters, '$.a.b')        NULL: absent, no scalar, or no JSON
    a number in JSON       TRY_CAST(json_extract_scalar(request_parameters, '$.port') AS BIGINT)
    JSON as text           json_format(json_extract(request_parameters, '$.policy'))
    a list                 TRY_CAST(json_extract(request_parameters, '$.items') AS ARRAY(JSON))   NULL when it is none
    any item of a list     any_match(<list>, item -> json_extract_scalar(item, '$.privileged') = 'true')
    an object or a list    COALESCE(TRY_CAST(node AS ARRAY(JSON)), ARRAY[node])
    a list of texts        TRY_CAST(json_extract(request_parameters, '$.names') AS ARRAY(VARCHAR))
    one row an item        CROSS JOIN UNNEST(<list>) AS t(item)   no row when there is no list;
                           LEFT JOIN UNNEST(<list>) AS t(item) ON TRUE keeps one, with item NULL
    is it an address       TRY_CAST(source_ip AS IPADDRESS) IS NOT NULL
    is it in a network     contains('10.0.0.0/8', TRY_CAST(srcaddr AS IPADDRESS))   NULL when it is no address; for
                           several networks, cast once in a CTE and join the tests with OR (a lambda is 30 times slower)
    a list, in one order   array_agg(event_id ORDER BY event_time, event_id); array_agg(DISTINCT x ORDER BY x);
                           array_sort(array_distinct(flatten(array_agg(ips))))
    time as text           date_format(event_time, '%Y-%m-%d %H:%i:%s')
    text as time           TRY(from_iso8601_timestamp(…)), never a cast
    a share                1e0 * part / NULLIF(whole, 0)

What stays different, and out of queries: JSON numbers as text (DuckDB writes 1E5 and 1.10 as 100000.0 and 1.1) and
characters beyond 16 bits in json_format (Trino writes two escapes), JSON that breaks off (Trino reads what is there),
a regexp group that took no part ('' on DuckDB, NULL on Trino), look-around in regexps (DuckDB stops), `$` before a
last newline, ORDER BY on lists that hold NULL (Trino stops), times finer than a millisecond made of numbers,
approximations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from auditkit.engines.binding import bind
from auditkit.engines.sources import STORED, Sources, with_derived
from auditkit.engines.views import ctes_in_sight, is_plain, with_views
from auditkit.errors import QueryError
from auditkit.model import Parameter, Window
from auditkit.schema import TABLES

_UNREADABLE = (
    "{} cannot be read. A statement reads cloudtrail_events, flow_records, a view of auditkit and its own WITH names."
)


@dataclass(frozen=True)
class Statement:
    """One bound statement, ready for an engine to write in its own words."""

    text: str  # as it was written
    shown: str  # Trino SQL with its values filled in, without the sources: what is shown to a reader
    tree: exp.Query  # the same with the sources in front: what runs
    reads: tuple[str, ...]  # which of the two tables
    stored: Mapping[str, Mapping[str, Any]]  # the columns of what the sources read, by its name


def prepare(sql: str, params: Mapping[str, Parameter], window: Window, sources: Sources) -> Statement:
    """*sql* checked, bound and cut to *window*, over the tables as the *sources* find them.

    Raises: QueryError, ParameterError; EngineError, WindowError, when the sources cannot be asked like this.
    """
    tree = parse(sql)
    reads = tables_read(tree)
    bind(tree, params)
    shown = tree.sql("trino", pretty=True)
    stored = dict(sources.columns(name) for name in reads)
    return Statement(sql, shown, with_sources(tree, reads, window, sources), reads, stored)


def parse(sql: str) -> exp.Query:
    """The tree of *sql*, which must be one SELECT; the caller may change it.

    Raises: QueryError, with the place where reading stopped.
    """
    return _parsed(sql).copy()


@lru_cache(maxsize=512)  # a rule is read for what it shares with others, to run it, and to show it
def _parsed(sql: str) -> exp.Query:
    try:
        trees = [tree for tree in sqlglot.parse(sql, read="trino") if tree is not None]
    except ParseError as error:
        raise QueryError(_where(error)) from None
    except (SqlglotError, RecursionError) as error:
        raise QueryError(f"The SQL cannot be read: {str(error) or 'it is nested too deeply'}") from None
    if len(trees) != 1:
        raise QueryError(f"One SELECT is expected; the text holds {len(trees)} statements.")
    tree = trees[0]
    if isinstance(tree, exp.Subquery) and not any(tree.args[key] for key in tree.args if key != "this"):
        tree = tree.this
    if not isinstance(tree, exp.Select | exp.SetOperation) or tree.find(exp.Into, exp.DML, exp.DDL):
        raise QueryError("Only a SELECT is accepted: auditkit reads logs and changes nothing.")
    return with_views(tree)


def _where(error: ParseError) -> str:
    first = error.errors[0]
    place = f"line {first['line']}, column {first['col']}"
    reason = first["description"].partition(" but got <Token")[0]
    return f"The SQL cannot be read at {place}, near {first['highlight']!r}: {reason}"


def tables_read(tree: exp.Query) -> tuple[str, ...]:
    """Which of the two tables *tree* reads, sorted.

    Raises: QueryError, when it reads anything else: another table, a file or a table function.
    """
    for cte in tree.find_all(exp.CTE):
        if cte.alias.lower().removeprefix(STORED) in TABLES:
            raise QueryError(f"WITH {cte.alias} would hide a table of auditkit. Give the CTE another name.")
    for lateral in tree.find_all(exp.Lateral):
        if not isinstance(lateral.this, exp.Subquery):
            raise QueryError(_UNREADABLE.format(lateral.sql("trino")))
    names = {_table_read(table) for table in tree.find_all(exp.Table)}
    return tuple(sorted(names & TABLES.keys()))


def _table_read(table: exp.Table) -> str:
    name = table.name.lower()
    if not is_plain(table) or not (name in TABLES or name in ctes_in_sight(table)):
        raise QueryError(_UNREADABLE.format(exp.Table(this=table.this, db=table.args.get("db")).sql("trino")))
    return name


def with_sources(tree: exp.Query, reads: Iterable[str], window: Window, sources: Sources) -> exp.Query:
    """*tree* with each table of *reads* put in front as a CTE, cut to *window*, as *sources* find it; in place."""
    ctes = [
        exp.CTE(
            this=with_derived(name, sources.select(name, window)),
            alias=exp.TableAlias(this=exp.to_identifier(name)),
        )
        for name in reads
    ]
    if ctes:
        own = tree.args.get("with_") or exp.With(expressions=[])
        own.set("expressions", ctes + own.expressions)
        tree.set("with_", own)
    return tree
