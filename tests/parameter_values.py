"""Values as awkward as they come, and what every engine owes them: what goes in as a parameter comes out the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from auditkit.engines import Engine
from auditkit.engines.binding import BIGINT_MAX, BIGINT_MIN
from auditkit.model import Parameter
from auditkit.schema import ARROW

FRAGMENTS = (
    "'", "''", '"', "`", "\\", "\\'", "\\\\", "'; DROP TABLE x; --", "--", "-- ", "/*", "*/", ";", "\n", "\r\n", "\t",
    "\x01", "\x1b[2J", "\x7f", "\x85", "\u2028", "\ufeff", "\ufffd", "\u202e", "שלום", "مرحبا", "é", "e\u0301", "😀",
    "👩\u200d💻", "𝒳", "%", "_", "%s", "%(x)s", "{}", "{x}", "${x}", "$1", "$$", "?", ":v", "::", "@x", "&amp;",
    "<script>", "=1+1", "NULL", "null", "true", "0", " ", "", "U&'\\0041'", "E'\\n'", "\\u0041", "&#39;",
)  # fmt: skip
LONG = ("'" * 10_000, "\\" * 10_000, "é😀" * 5_000, "a;-- " * 2_000)
TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))),
    st.lists(st.sampled_from(FRAGMENTS)).map("".join),
    st.sampled_from(LONG),
)

BIGINTS = st.one_of(
    st.integers(BIGINT_MIN, BIGINT_MAX),
    st.sampled_from((BIGINT_MIN, BIGINT_MIN + 1, -(2**53) - 1, -(2**31) - 1, -1, 0, 2**31, 2**53 + 1, BIGINT_MAX)),
)
DOUBLES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**53), 2**53),  # a whole number is a number
    st.sampled_from((0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e16, 0.1, 1 / 3)),
)
OFFSETS = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)).map(
    lambda offset: timezone(timedelta(minutes=offset // timedelta(minutes=1)))
)
ZONES = st.one_of(st.just(UTC), OFFSETS, st.timezones())
TIMESTAMPS = st.one_of(
    # Two days off the ends of the calendar, so that every zone has them.
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES),
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES).map(lambda at: at.replace(microsecond=0)),
    st.sampled_from(
        (
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(1970, 1, 1, tzinfo=UTC),
            datetime(2026, 11, 1, 0, 0, 0, 1_000, tzinfo=UTC),
            datetime(2026, 11, 1, 0, 0, tzinfo=timezone(timedelta(hours=9))),
            datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        )
    ),
)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "varchar": TEXTS,
    "bigint": BIGINTS,
    "double": DOUBLES,
    "boolean": st.booleans(),
    "timestamp": TIMESTAMPS,
}


def of(kind: str) -> st.SearchStrategy[Parameter]:
    """A value of *kind*, NULL, a list of such values, an empty list, or no list at all."""
    lists = st.lists(SCALARS[kind], max_size=5)
    return st.one_of(
        st.builds(Parameter, st.just(kind), SCALARS[kind] | st.none()),
        st.builds(Parameter, st.just(f"array({kind})"), lists | st.none()),
    )


PARAMETERS = st.one_of(*map(of, SCALARS))
MEMBERS = (
    st.sampled_from(list(SCALARS))
    .flatmap(
        lambda kind: st.tuples(
            st.builds(Parameter, st.just(kind), SCALARS[kind]),
            st.builds(Parameter, st.just(f"array({kind})"), st.lists(SCALARS[kind], max_size=5)),
            st.booleans(),
        )
    )
    .map(lambda drawn: (drawn[0], _with(*drawn)))
)  # a value, and a list that may hold it


def _with(value: Parameter, values: Parameter, is_member: bool) -> Parameter:
    assert isinstance(values.value, list)
    return Parameter(values.type, [*values.value, value.value]) if is_member else values


# What no engine could give back as it was.
REFUSED: list[tuple[str, Any]] = [
    ("varchar", "a\0b"),
    ("varchar", "\ud800"),
    ("varchar", "a\udfffb"),
    ("varchar", b"a"),
    ("varchar", 5),
    ("bigint", BIGINT_MAX + 1),
    ("bigint", BIGINT_MIN - 1),
    ("bigint", 1.0),
    ("bigint", True),
    ("double", float("nan")),
    ("double", float("inf")),
    ("double", float("-inf")),
    ("double", True),
    ("double", "1"),
    ("boolean", 1),
    ("boolean", "true"),
    ("timestamp", datetime(2026, 11, 1)),
    ("timestamp", "2026-11-01T00:00:00Z"),
    ("array(varchar)", "a"),
    ("array(varchar)", ["a", None]),
    ("array(varchar)", ["a", "\0"]),
    ("array(bigint)", [1, BIGINT_MAX + 1]),
    ("array(double)", [float("nan")]),
    ("array(timestamp)", [datetime(2026, 11, 1)]),
]


def round_trips(engine: Engine, *parameters: Parameter) -> None:
    """Assert that *engine* gives every value back as it was, of its own type: all in one statement."""
    named = {f"v{place}": parameter for place, parameter in enumerate(parameters)}
    table = engine.run(f"SELECT {', '.join(f':{name} AS {name}' for name in named)}", named).table
    assert table.schema == pa.schema([(name, _arrow(parameter.type)) for name, parameter in named.items()])
    (row,) = table.to_pylist()
    # By their texts, which tell -0.0 from 0.0 and 1 from 1.0 and True.
    assert {name: repr(value) for name, value in row.items()} == {
        name: repr(_expected(parameter.type, parameter.value)) for name, parameter in named.items()
    }


def finds_members(engine: Engine, value: Parameter, values: Parameter) -> None:
    """Assert that IN (:list) holds for what is in the list and for nothing else; an empty one holds nothing."""
    sql = "SELECT :v IN (:l) AS found, :v NOT IN (:l) AS absent, cardinality(:l) AS size"
    assert isinstance(values.value, list)
    is_in = _expected(value.type, value.value) in _expected(values.type, values.value)
    assert engine.run(sql, {"v": value, "l": values}).table.to_pylist() == [
        {"found": is_in, "absent": not is_in, "size": len(values.value)}
    ]


def _arrow(kind: str) -> pa.DataType:
    item = kind.removeprefix("array(").removesuffix(")")
    return ARROW[kind] if item == kind else pa.list_(ARROW[item])


def _expected(kind: str, value: Any) -> Any:
    """What comes back: times in UTC without a zone, whole numbers of a double as fractions."""
    if isinstance(value, list):
        return [_expected(kind.removeprefix("array(").removesuffix(")"), item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None, fold=0)
    return float(value) if kind == "double" and value is not None else value
