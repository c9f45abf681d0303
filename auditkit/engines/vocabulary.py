"""The words of Trino SQL that queries/ may use, and the foreign ones that sqlglot would quietly translate.

Every function here is known to answer alike on Trino and on DuckDB (tests/test_dialect.py has a case for each); a new
one earns its place there first.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

FUNCTIONS = frozenset(
    word
    for line in (
        "concat concat_ws length lower lpad regexp_count regexp_extract regexp_extract_all regexp_like",
        "regexp_replace replace reverse split split_part starts_with strpos substr substring trim upper",
        "url_decode",
        "json_array_length json_extract json_extract_scalar json_format json_parse json_size",
        "all_match any_match array_distinct array_join array_max array_min",
        "array_position array_sort array_union arrays_overlap cardinality contains element_at filter flatten",
        "none_match repeat sequence slice transform unnest",
        "date date_add date_diff date_format date_trunc day_of_week from_iso8601_timestamp from_unixtime hour",
        "to_unixtime",
        "abs cast ceil coalesce floor greatest if least mod nullif round try try_cast",
        "array_agg avg bool_and bool_or count count_if dense_rank first_value lag last_value lead max max_by",
        "min min_by rank row_number sum",
    )
    for word in line.split()
)

_FOREIGN = {
    TokenType.DCOLON: "`::` is not Trino: write CAST(… AS …)",
    TokenType.DARROW: "`->>` is not Trino: write json_extract_scalar",
    TokenType.ILIKE: "ILIKE is not Trino: write lower(…) LIKE",
    TokenType.GLOB: "GLOB is not Trino: write LIKE or regexp_like",
    TokenType.RLIKE: "RLIKE is not Trino: write regexp_like",
    TokenType.SIMILAR_TO: "SIMILAR TO is not Trino: write regexp_like",
    TokenType.TILDE: "`~` is not Trino: write regexp_like",
    TokenType.CARET: "`^` is not Trino: write power",
    TokenType.L_BRACE: "`{…}` is not Trino",
    TokenType.PLACEHOLDER: "`?` binds by place: write a named parameter",
    TokenType.PARAMETER: "`@` is not Trino: write a named parameter",
    TokenType.SEMICOLON: "a query ends without `;`",
}
_FOREIGN_TEXTS = {
    "==": "`==` is not Trino: write `=`",
    "qualify": "QUALIFY is not Trino: filter in an outer SELECT",
}
_PAIRS = {
    ("/", "/"): "`//` is not Trino: `/` of whole numbers gives a whole number",
    ("*", "*"): "`**` is not Trino: write power",
    ("*", "exclude"): "EXCLUDE is not Trino: name the columns",
    ("*", "replace"): "REPLACE of a star is not Trino: name the columns",
    ("group by", "all"): "GROUP BY ALL is not Trino: name the columns",
    ("order by", "all"): "ORDER BY ALL is not Trino: name the columns",
    ("distinct", "on"): "DISTINCT ON is not Trino: use row_number() or max_by",
}


def in_words(sql: str) -> Iterator[str]:
    """What is wrong with the spelling of *sql*: foreign forms, and functions that nobody has compared."""
    try:
        tokens = Trino().tokenize(sql)
    except SqlglotError:
        return  # parse says the same, better
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        kind, text, next_text = token.token_type, token.text.lower(), after.text.lower() if after else ""
        if kind == TokenType.STRING:
            continue
        if kind in _FOREIGN:
            yield _FOREIGN[kind]
        if (text, next_text) in _PAIRS:
            yield _PAIRS[text, next_text]
        if text in _FOREIGN_TEXTS:
            yield _FOREIGN_TEXTS[text]
        if text.startswith("$"):
            yield "`$` binds by place: write a named parameter"
        if kind == TokenType.INTERVAL and after and not (after.token_type == TokenType.STRING and next_text.isdigit()):
            yield "an interval is written INTERVAL '7' DAY"
        if kind == TokenType.L_BRACKET and (before is None or before.token_type != TokenType.ARRAY):
            yield "`[` stands only in ARRAY[…]: write element_at to take an item"
        called = kind == TokenType.VAR and next_text == "(" and not (before and before.token_type == TokenType.ALIAS)
        if called and text not in FUNCTIONS:
            yield f"{text}() has not been compared between engines"
