"""A table on its way out: exact for machines, readable for people, harmless for terminals and spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from auditkit.errors import ParameterError
from auditkit.output import as_csv, as_json, as_table, write_rows


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 11, 2, 10), "2026-11-02T10:00:00Z"),
        (datetime(2026, 11, 2, 10, 0, 0, 1500), "2026-11-02T10:00:00.001500Z"),
        (datetime(2026, 11, 2, 10, tzinfo=timezone(timedelta(hours=9))), "2026-11-02T01:00:00Z"),
        (date(2026, 11, 2), "2026-11-02"),
        (Decimal("1.5"), 1.5),
        (float("nan"), None),
        (float("-inf"), None),
        (("a", None), ["a", None]),
        ({1: {"a": {"x"}}}, {"1": {"a": ["x"]}}),
        (2**53 + 1, 2**53 + 1),
        (True, True),
    ],
)
def test_json_keeps_values_and_writes_times_with_a_z(value: Any, expected: Any) -> None:
    assert json.loads(as_json({"value": value})) == {"value": expected}


@pytest.mark.parametrize("text", ["\x1b[2J", "\x7f\x9b", "\u202etxt.exe", "\U000e0041", "a\u2028b", "\ud800"])
def test_json_escapes_what_a_terminal_would_act_on_and_loses_nothing(text: str) -> None:
    written = as_json({"ä": text})
    assert "ä" in written
    assert all(c.isprintable() or c in "\n\x7f" for c in written)
    assert json.loads(written) == {"ä": text}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_a_csv_cell_is_never_a_formula(text: str) -> None:
    cells = [cell for row in csv.reader(io.StringIO(as_csv(["a", text], [{"a": [text], text: text}]))) for cell in row]
    assert cells[0] == "a"
    assert all(cell.startswith("'") for cell in cells[1:])


def test_csv_leaves_numbers_and_quotes_alone() -> None:
    row = {"n": -1.5, "text": 'say "no",\nplease', "list": ["a", "b"], "none": None, "flag": True}
    read = list(csv.DictReader(io.StringIO(as_csv(list(row), [row]))))
    assert read == [{"n": "-1.5", "text": 'say "no",\nplease', "list": "a, b", "none": "", "flag": "true"}]


def test_a_table_is_as_wide_as_its_rows_where_there_is_no_terminal() -> None:
    text = as_table(["name", "n"], [{"name": "x" * 300, "n": 1}, {"name": "日本", "n": None}])
    assert text.splitlines() == [f"name{' ' * 298}n", f"{'x' * 300}  1", "日本"]


def test_a_table_that_nearly_fits_is_folded() -> None:
    text = as_table(["name", "about"], [{"name": "n", "about": "one two three four five six seven"}], width=30)
    assert all(len(line) <= 30 for line in text.splitlines())
    assert text.split() == ["name", "about", "n", "one", "two", "three", "four", "five", "six", "seven"]


def test_a_table_far_too_wide_becomes_a_block_a_row() -> None:
    rows = [{"first_name": "x" * 40, "second": "y" * 40, "third": None}, {"first_name": "z", "second": "", "third": 3}]
    text = as_table(["first_name", "second", "third"], rows, width=40)
    assert text == f"first_name  {'x' * 40}\nsecond      {'y' * 40}\nthird\n\nfirst_name  z\nsecond\nthird       3"


@pytest.mark.parametrize("width", [None, 20, 60])
def test_a_table_shows_hidden_characters_and_keeps_a_cell_on_its_line(width: int | None) -> None:
    text = as_table(["a"], [{"a": "\x1b[31m[bold]one[/bold]\ntwo\u202e"}], width=width)
    assert "".join(text.split("\n")[1:]) == r"\u001b[31m[bold]one[/bold]\ntwo\u202e"


def test_rows_are_counted_and_none_still_names_its_columns() -> None:
    table = pa.table({"a": [1], "b": ["x"]})
    shown: list[str] = []
    write_rows(table, "table", out=None, show=shown.append)
    write_rows(table.slice(1), "table", out=None, show=shown.append)
    write_rows(table.slice(1), "json", out=None, show=shown.append)
    write_rows(table.slice(1), "csv", out=None, show=shown.append)
    assert shown == ["a  b\n1  x\n\n1 row", "0 rows of a, b", "[]", "a,b"]


def test_parquet_keeps_types(tmp_path: Path) -> None:
    at = pa.array([datetime(2026, 11, 2, tzinfo=UTC).replace(tzinfo=None)], pa.timestamp("us"))
    table = pa.table({"at": at, "names": pa.array([["a"]], pa.list_(pa.string()))})
    write_rows(table, "parquet", out=tmp_path / "rows.parquet", show=pytest.fail)
    assert pq.read_table(tmp_path / "rows.parquet").equals(table)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    for style in ("parquet", "json"):
        with pytest.raises(ParameterError, match=r"no/rows' cannot be written: No such file"):
            write_rows(pa.table({"a": [1]}), style, out=tmp_path / "no" / "rows", show=pytest.fail)
