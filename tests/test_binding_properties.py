"""Every value comes back from DuckDB as it went in; tests/parameter_values.py has the values, for other engines too."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.engines.duckdb import DuckDBEngine
from auditkit.errors import ParameterError
from auditkit.model import Parameter
from tests.parameter_values import (
    FRAGMENTS,
    LONG,
    MEMBERS,
    PARAMETERS,
    REFUSED,
    SCALARS,
    finds_members,
    of,
    round_trips,
)

ENGINE = DuckDBEngine({})


@pytest.mark.parametrize("kind", SCALARS)
@settings(max_examples=40)
@given(st.data())
def test_any_value_comes_back_as_it_was(kind: str, data: st.DataObject) -> None:
    round_trips(ENGINE, data.draw(of(kind)))


@settings(max_examples=40)
@given(st.lists(PARAMETERS, min_size=2, max_size=12))
def test_values_in_one_statement_do_not_touch_each_other(parameters: list[Parameter]) -> None:
    round_trips(ENGINE, *parameters)


def test_every_fragment_and_every_long_text_comes_back() -> None:
    round_trips(ENGINE, *(Parameter("varchar", text) for text in (*FRAGMENTS, *LONG, "".join(FRAGMENTS))))


@pytest.mark.parametrize("kind", SCALARS)
def test_null_and_the_empty_list_keep_their_type(kind: str) -> None:
    round_trips(ENGINE, Parameter(kind, None), Parameter(f"array({kind})", None), Parameter(f"array({kind})", []))


@settings(max_examples=60)
@given(MEMBERS)
def test_in_finds_the_members_of_its_list_and_no_others(members: tuple[Parameter, Parameter]) -> None:
    finds_members(ENGINE, *members)


@pytest.mark.parametrize(("kind", "value"), REFUSED, ids=repr)
def test_what_could_not_come_back_is_refused(kind: str, value: object) -> None:
    with pytest.raises(ParameterError, match=":v0 does not accept"):
        round_trips(ENGINE, Parameter(kind, value))


def test_the_sign_of_a_zero_comes_back() -> None:
    round_trips(ENGINE, Parameter("double", -0.0))


@pytest.mark.parametrize(
    ("kind", "value"),
    [("timestamp", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9)))), ("double", 10**400)],
    ids=["a time before the first of UTC", "a whole number beyond all doubles"],
)
def test_what_overflows_is_refused(kind: str, value: object) -> None:
    with pytest.raises(ParameterError, match=":v0 does not accept"):
        round_trips(ENGINE, Parameter(kind, value))
