"""What keeps a query from meaning the same on Trino, Athena and DuckDB, or from giving the same rows twice.

`problems` reads a query as written and lists every reason against it. tests/test_corpus_lint.py holds queries/ to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from sqlglot import exp

from auditkit.engines.binding import bind
from auditkit.engines.dialect import parse, tables_read
from auditkit.engines.duckdb_sql import FRACTIONAL
from auditkit.engines.typed import typed
from auditkit.engines.vocabulary import in_words
from auditkit.errors import ParameterError, QueryError
from auditkit.model import Parameter

_STRANGE: dict[type[exp.Expr], str] = {
    exp.AtTimeZone: "AT TIME ZONE differs between engines, and every time is UTC already",
    exp.TableSample: "a sample is another one each time",
    exp.Pivot: "PIVOT is not Trino",
    exp.MatchRecognize: "MATCH_RECOGNIZE is not DuckDB",
    exp.Reduce: "reduce is not DuckDB",
    exp.Slice: "list[a:b] is not Trino: write slice",
    exp.Collate: "COLLATE is not Trino",
    **dict.fromkeys(
        (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.Localtimestamp, exp.Localtime),
        "the clock makes every run another one: take a :parameter",
    ),
    **dict.fromkeys((exp.Rand, exp.Uuid, exp.CurrentUser), "it is another one in every run"),
}
ONE_EVENT = ("match", "first_seen")  # kinds of rules that are a predicate over one event
_LISTS = (exp.ArrayDistinct, exp.ArrayIntersect, exp.ArrayExcept, exp.ArrayAgg)
_ORDER_BLIND = (exp.ArraySort, exp.ArraySize, exp.ArrayContains, exp.ArrayMax, exp.ArrayMin)
_BY_PLACE = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between)
_ALIKE = (exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least)  # give one of their arguments
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_PATTERNS = (exp.RegexpLike, exp.RegexpExtract, exp.RegexpExtractAll, exp.RegexpReplace, exp.RegexpCount)
_PARSERS = (exp.FromISO8601Timestamp, exp.ParseJSON)
_ODD_SPELLING = re.compile(r"%(?!-[mdHI]|[YymdHIMSpjAaBb%])")  # of a time, as sqlglot writes it
_POSIX = re.compile(r"\[\[:\w+:\]")
_UNITS = {"SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}
_INTERVALS = _UNITS - {"WEEK", "QUARTER"}

# What Athena takes; Trino takes as many arguments, longer arrays and longer statements.
MOST_ITEMS, MOST_ARGUMENTS, MOST_BYTES = 254, 127, 262_144

_TEXT, _NUMBER, _TIME = exp.DataType.TEXT_TYPES, exp.DataType.NUMERIC_TYPES, exp.DataType.TEMPORAL_TYPES
_UNKNOWN = (exp.DType.UNKNOWN, exp.DType.NULL)
_FLAT = (*_TEXT, *_NUMBER, *_UNKNOWN, exp.DType.BOOLEAN, exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.ARRAY)
_AS_TEXT = (*_TEXT, *exp.DataType.INTEGER_TYPES, exp.DType.BOOLEAN, exp.DType.DATE, exp.DType.NULL)
_KINDS = {"text": _TEXT, "number": _NUMBER, "time": _TIME, "boolean": (exp.DType.BOOLEAN,)}


def problems(sql: str, params: Mapping[str, str], *, kind: str) -> list[str]:
    """Every reason against *sql*, a query of that *kind* whose parameters are of these types. None: it is fit."""
    found = list(in_words(sql))
    if len(sql.encode()) > MOST_BYTES:
        found.append(f"the text is longer than the {MOST_BYTES:,} bytes that Athena takes")
    try:
        tree = parse(sql)
        tables_read(tree)
        if kind not in ONE_EVENT and any(select.is_star for select in tree.selects):
            found.append("the outer SELECT names its columns, not *")
        bind(tree, {name: Parameter(declared, None) for name, declared in params.items()})
        tree = typed(tree, sql, aliases=False)
    except (QueryError, ParameterError) as error:
        return [*found, str(error)]
    found += (reason for node in tree.walk() for reason in _in_node(node))
    if kind not in ONE_EVENT:
        found += (*_in_output(tree), *_in_order(tree))
    return list(dict.fromkeys(found))


def _in_node(node: exp.Expr) -> Iterator[str]:
    """What DuckDB and Trino would answer differently, or one of them refuse."""
    if type(node) in _STRANGE:
        yield f"{_shown(node)}: {_STRANGE[type(node)]}"
    if isinstance(node, exp.Literal) and not node.is_string and re.fullmatch(r"\d*\.\d*", node.name):
        yield f"{node.name} is a decimal, whose scale differs: write {node.name}e0"
    if isinstance(node, exp.Cast):
        yield from _in_cast(node)
    if isinstance(node, exp.Div | exp.Mod):
        yield from _in_division(node)
    if isinstance(node, exp.JSONExtract | exp.JSONExtractScalar):
        yield from _in_path(node)
    if isinstance(node, exp.Func):
        yield from _in_arguments(node)
    if isinstance(node, _PARSERS) or (isinstance(node, exp.Anonymous) and node.name.lower() == "url_decode"):
        yield from _in_parser(node)
    if isinstance(node, exp.ArraySlice) and isinstance(node.this, exp.ArrayAgg | exp.ArrayDistinct | exp.Flatten):
        yield from _in_list(node.this)
    yield from _in_time(node)
    yield from _in_types(node)
    yield from _in_rows(node)


def _in_path(node: exp.Expr) -> Iterator[str]:
    if not _plain_path(node.expression):
        yield f"the JSON path of {_shown(node)} must be text made of keys and places, such as '$.a[0].b'"
    if isinstance(node.this, exp.Lambda):
        yield f"{_shown(node.this)}: `->` takes nothing out of JSON in Trino: write json_extract"


def _in_parser(node: exp.Expr) -> Iterator[str]:
    read = node.this if isinstance(node, _PARSERS) else next(iter(node.expressions), None)
    if not isinstance(read, exp.Literal) and not node.find_ancestor(exp.Try):
        yield f"{_shown(node)} stops the query at the first odd value: put it in TRY(…)"


def _in_rows(node: exp.Expr) -> Iterator[str]:
    """Where rows come from, how many, and in what order."""
    if isinstance(node, exp.Limit | exp.Fetch | exp.Offset) and node.parent and not node.parent.args.get("order"):
        yield "LIMIT without ORDER BY keeps other rows each time"
    if isinstance(node, exp.Window) and not node.args.get("order") and node.find(*_BY_PLACE):
        yield f"{_shown(node)} goes by an order: ORDER BY inside OVER (…)"
    if isinstance(node, exp.Unnest) and not isinstance(node.parent, exp.From | exp.Join):
        yield f"{_shown(node)} stands in FROM only: CROSS JOIN UNNEST(…) AS t(item)"
    if isinstance(node, exp.Join) and (node.kind in ("SEMI", "ANTI") or node.method):
        yield f"a {node.method or node.kind} JOIN is not Trino"


def _in_time(node: exp.Expr) -> Iterator[str]:
    unit = node.text("unit").upper()
    if isinstance(node, exp.Interval) and unit not in _INTERVALS:
        yield f"{_shown(node)}: an interval is written INTERVAL '7' DAY, in {_listed(_INTERVALS)}"
    if isinstance(node, exp.DateDiff | exp.DateAdd | exp.DateTrunc | exp.TimestampTrunc) and unit not in _UNITS:
        yield f"{_shown(node)}: units are {_listed(_UNITS)}"
    if isinstance(node, exp.TimeToStr):
        spelled = node.args["format"]
        if not isinstance(spelled, exp.Literal) or _ODD_SPELLING.search(spelled.name):
            yield f"{_shown(node)}: a time is spelled with what both know, such as '%Y-%m-%d %H:%i:%s'"
    if isinstance(node, exp.Sub) and node.this.is_type(*_TIME) and node.expression.is_type(*_TIME):
        yield f"{_shown(node)} is an interval, which is of no plain type: write date_diff"
    if isinstance(node, exp.Date) and _kind(node.this) == "text" and not isinstance(node.this, exp.Literal):
        yield f"{_shown(node)} reads other forms of time on each engine: write date(TRY(from_iso8601_timestamp(…)))"


def _in_arguments(node: exp.Func) -> Iterator[str]:
    """Arguments that one engine refuses, or that make another function of the call."""
    second = node.args.get("expression")
    most = MOST_ITEMS if isinstance(node, exp.Array) else MOST_ARGUMENTS
    if (count := len(list(_sides(node)))) > most and not isinstance(node, exp.Coalesce):
        yield f"{_shown(node)[:40]}… has {count} arguments; Athena takes {most}"
    if isinstance(node, exp.Trim) and second is None:
        yield f"{_shown(node)} takes off spaces on DuckDB and all white space on Trino: write trim(BOTH ' ' FROM …)"
    if isinstance(node, exp.Round) and node.args.get("decimals") is not None:
        yield f"{_shown(node)}: the last digit of a half differs: round to whole numbers only"
    if isinstance(node, exp.ArgMax | exp.ArgMin) and node.args.get("count") is not None:
        yield f"{_shown(node)} is a list on Trino and one value on DuckDB: use row_number()"
    if isinstance(node, exp.Replace | exp.Split | exp.SplitPart) and _is_empty(second or node.args.get("delimiter")):
        yield f"{_shown(node)} looks for nothing, which is everywhere on Trino and nowhere on DuckDB"
    if isinstance(node, exp.SplitPart) and (_is_zero(place := node.args["part_index"]) or isinstance(place, exp.Neg)):
        yield f"{_shown(node)}: parts are counted from 1"
    if isinstance(node, exp.ArraySlice) and _is_zero(node.args["start"]):
        yield f"{_shown(node)}: items are counted from 1, or back from -1"
    if isinstance(node, exp.JSONFormat) and node.find(exp.ParseJSON):
        yield f"{_shown(node)} sorts the keys on Trino and not on DuckDB: write json_format(json_extract(…, '$'))"
    if isinstance(node, exp.ArrayToString) and not _joinable(node.this):
        yield f"{_shown(node)}: times, fractions and JSON have no one form as text"
    if isinstance(node, _PATTERNS) and isinstance(second, exp.Literal) and _POSIX.search(second.name):
        yield f"{_shown(node)}: [[:classes:]] are of ASCII on DuckDB and of Unicode on Trino: spell them out, [A-Za-z]"


def _in_types(node: exp.Expr) -> Iterator[str]:
    """Types that Trino refuses and DuckDB converts."""
    if isinstance(node, _COMPARISONS) and len(_kinds(_sides(node))) > 1:
        yield f"{_shown(node)} compares values of different types, which Trino refuses"
    if isinstance(node, _ALIKE) and len(_kinds(_sides(node))) > 1:
        yield f"{_shown(node)} chooses among values of different types, which Trino refuses"
    if isinstance(node, exp.Case | exp.If) and len(_kinds(_outcomes(node))) > 1:
        yield f"{_shown(node)} gives values of different types, which Trino refuses"
    if isinstance(node, _ARITHMETIC) and _kinds(_sides(node)) & {"text", "boolean"}:
        yield f"{_shown(node)} calculates with what is no number, which Trino refuses"
    if isinstance(node, exp.DPipe | exp.Concat | exp.ConcatWs) and _kinds(_sides(node)) - {"text"}:
        yield f"{_shown(node)} joins what is no text, which Trino refuses: CAST it to VARCHAR"
    if _kinds(_conditions(node)) - {"boolean"}:
        yield f"{_shown(node)} takes what is not boolean for true or false, which Trino refuses"


def _in_cast(node: exp.Cast) -> Iterator[str]:
    value, to, shown = node.this, node.to, _shown(node)
    if isinstance(value, exp.Null):
        return
    lenient = isinstance(node, exp.TryCast) or node.find_ancestor(exp.Try) is not None
    if to.is_type(*_TEXT) and not value.is_type(*_AS_TEXT):
        yield f"{shown}: times, fractions, JSON and what is of unknown type have no one form as text"
    if to.is_type(exp.DType.JSON):
        yield f"{shown} makes JSON of the text and does not read it: write json_parse"
    if to.is_type(*_TIME) and value.is_type(*_TEXT) and not isinstance(value, exp.Literal):
        yield f"{shown} reads other forms of time on each engine: write TRY(from_iso8601_timestamp(…))"
        return
    if to.is_type(*_TEXT) and (to.expressions or to.this != exp.DType.VARCHAR):
        yield f"{shown} cuts or fills on Trino and not on DuckDB: use VARCHAR, and substr to cut"
    if to.is_type(exp.DType.DECIMAL):
        yield f"{shown} is a decimal, whose scale differs: CAST to bigint or double"
    read = value.is_type(*_TEXT, exp.DType.JSON) and not isinstance(value, exp.Literal)
    if to.is_type(exp.DType.BOOLEAN) and read:
        yield f"{shown} takes yes for true on DuckDB: write json_extract_scalar(…) = 'true'"
    if to.is_type(*exp.DataType.FLOAT_TYPES) and value.is_type(*_TEXT) and read:
        yield f"{shown} reads other forms of numbers on each engine: TRY_CAST to bigint, or take JSON's own numbers"
    fallible = value.is_type(*_TEXT, exp.DType.JSON, exp.DType.UNKNOWN) and not isinstance(value, exp.Literal)
    if fallible and not to.is_type(*_TEXT) and not lenient:
        yield f"{shown} stops the query at the first odd value: write TRY_CAST"


def _in_division(node: exp.Div | exp.Mod) -> Iterator[str]:
    by = node.expression.unnest()
    if not isinstance(by, exp.Nullif) and not (isinstance(by, exp.Literal) and float(by.name) != 0):
        yield f"{_shown(node)}: a division by zero stops the query: divide by NULLIF(…, 0)"
    if isinstance(node, exp.Mod):
        return
    sides = (node.this, node.expression)
    if any(side.is_type(*_UNKNOWN) for side in sides) and not any(side.is_type(*FRACTIONAL) for side in sides):
        yield f"{_shown(node)} divides values of unknown type: CAST one of them to bigint or double"


def _plain_path(path: exp.Expr) -> bool:
    steps = path.expressions[1:] if isinstance(path, exp.JSONPath) else [path]
    return all(
        (isinstance(step, exp.JSONPathKey) and isinstance(step.this, str))
        or (isinstance(step, exp.JSONPathSubscript) and isinstance(step.this, int) and step.this >= 0)
        for step in steps
    )


def _sides(node: exp.Expr) -> Iterator[exp.Expr]:
    """What a comparison compares, an operator joins, or a call takes."""
    for key in ("this", "expression", "low", "high", "expressions"):
        value = node.args.get(key)
        yield from value if isinstance(value, list) else [value] if value else []


def _outcomes(node: exp.Expr) -> Iterator[exp.Expr]:
    """What a CASE or an IF can give."""
    yield from (branch.args["true"] for branch in node.args.get("ifs") or ())
    yield from (node.args[key] for key in ("true", "false", "default") if node.args.get(key))


def _conditions(node: exp.Expr) -> Iterator[exp.Expr]:
    """What has to be true or false."""
    if isinstance(node, exp.And | exp.Or):
        yield from (node.this, node.expression)
    elif isinstance(node, exp.Not | exp.Where | exp.Having | exp.CountIf | exp.LogicalAnd | exp.LogicalOr):
        yield node.this
    elif isinstance(node, exp.If) and not (isinstance(node.parent, exp.Case) and node.parent.this):
        yield node.this  # but for CASE x WHEN 1


def _kinds(nodes: Iterable[exp.Expr]) -> set[str]:
    return {kind for node in nodes if not isinstance(node, exp.Any | exp.All) and (kind := _kind(node))}


def _kind(node: exp.Expr) -> str | None:
    return next((name for name, types in _KINDS.items() if node.is_type(*types)), None)


def _shown(node: exp.Expr) -> str:
    return node.sql("trino")


def _listed(words: set[str]) -> str:
    return ", ".join(sorted(words))


def _is_empty(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Literal) and node.is_string and not node.name


def _is_zero(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and node.name == "0"


def _joinable(items: exp.Expr) -> bool:
    """Whether each item of the list, as far as is known, has the same text everywhere."""
    of = items.type.expressions if items.type and items.is_type(exp.DType.ARRAY) else []
    return not of or of[0].is_type(*_AS_TEXT, exp.DType.UNKNOWN)


def _in_list(node: exp.Expr) -> Iterator[str]:
    """Lists whose order nothing decides."""
    for loose in node.find_all(*_LISTS, exp.Anonymous):
        if isinstance(loose, exp.Anonymous) and loose.name.lower() != "array_union":
            continue
        ordered = isinstance(loose, exp.ArrayAgg) and loose.find(exp.Order)
        if not ordered and not loose.find_ancestor(*_ORDER_BLIND):
            yield f"{_shown(loose)} comes in any order: ORDER BY inside it, or array_sort around it"


def _in_output(tree: exp.Query) -> Iterator[str]:
    for column in tree.selects:
        yield from _in_list(column)
        if not column.is_type(*_FLAT):
            yield f"column {column.alias_or_name} is of type {column.type}, not a plain one"


def _in_order(tree: exp.Query) -> Iterator[str]:
    """Whether the rows have one order only, as far as can be told: by every key of the GROUP BY."""
    order, group = tree.args.get("order"), tree.args.get("group")
    if isinstance(tree, exp.Select) and not group and all(column.find(exp.AggFunc) for column in tree.selects):
        return  # one row
    if not order:
        yield "the outer SELECT needs an ORDER BY"
        return
    meant = {column.alias: column.unalias().sql() for column in tree.selects}
    terms = {meant.get(term.this.name, "") if isinstance(term.this, exp.Column) else "" for term in order.expressions}
    terms |= {term.this.sql() for term in order.expressions}
    if group and (loose := [key.sql("trino") for key in group.expressions if key.sql() not in terms]):
        yield f"ORDER BY leaves open the order of rows that differ in {', '.join(loose)}"
