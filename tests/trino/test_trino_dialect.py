"""What tests/test_dialect.py says that Trino answers, asked of Trino; and values of parameters there and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.engines.settings import TrinoSettings
from auditkit.engines.trino.engine import TrinoEngine
from auditkit.errors import QueryError
from auditkit.model import Parameter
from tests.parameter_values import MEMBERS, PARAMETERS, finds_members, round_trips
from tests.test_dialect import ANSWERS
from tests.trino.server import Trino


@pytest.fixture(scope="module")
def engine(trino: Trino) -> TrinoEngine:
    return TrinoEngine(TrinoSettings(host=trino.host, port=trino.port, catalog=trino.catalog))


# The answer itself is JSON there, which no column may be: DuckDB has it as text.
AS_JSON = pytest.mark.xfail(raises=QueryError, reason="JSON has no plain form on Trino; json_format makes it text")
IS_JSON = re.compile(r"^(TRY\()?json_(extract|parse)\(|AS ARRAY\(JSON\)\)$")
UNTYPED = pytest.mark.xfail(raises=QueryError, reason="Trino takes no NULL of unknown type here; a column has a type")


def expressions() -> Iterator[Any]:
    for expression in ANSWERS:
        is_untyped = expression == "json_extract_scalar(NULL, '$.a')"
        marks = [UNTYPED] if is_untyped else [AS_JSON] if IS_JSON.search(expression) else []
        yield pytest.param(expression, marks=marks, id=expression)


@pytest.mark.parametrize("expression", list(expressions()))
def test_trino_answers_as_we_say(expression: str, engine: TrinoEngine) -> None:
    rows = engine.run(f"SELECT {expression}").table
    assert (rows.num_rows, rows.num_columns) == (1, 1)
    answer, said = rows.column(0)[0].as_py(), ANSWERS[expression]
    assert answer == said
    assert isinstance(answer, type(said)) or not isinstance(said, int | float | bool)


@settings(max_examples=40)
@given(st.lists(PARAMETERS, min_size=1, max_size=12))
def test_values_come_back_as_they_were(engine: TrinoEngine, parameters: list[Parameter]) -> None:
    round_trips(engine, *parameters)


@settings(max_examples=25)
@given(MEMBERS)
def test_a_list_holds_what_is_in_it(engine: TrinoEngine, members: tuple[Parameter, Parameter]) -> None:
    finds_members(engine, *members)
