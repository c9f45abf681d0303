"""A table on its way out of the program: to a terminal, as JSON, as CSV, as Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auditkit.errors import ParameterError
from auditkit.model import counted, iso
from auditkit.report.clean import clean

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_GAP = 2  # spaces between columns
_READABLE = 18  # a column folded narrower than this reads like a ladder


def as_json(value: Any) -> str:
    """*value* as JSON text: times in ISO with a Z, what is not a finite number as null, hidden characters escaped."""
    text = json.dumps(_plain(value), ensure_ascii=False, indent=2, allow_nan=False)
    return text if text.isascii() else "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV. A cell that a spreadsheet would take for a formula gets an apostrophe; numbers stay as they are."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(_csv_cell, columns))
    for row in rows:
        writer.writerow([_csv_cell(row[name]) for name in columns])
    return out.getvalue()


def as_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, width: int | None = None) -> str:
    """Rows as text in columns: a line a row where *width* allows, folded where it nearly does, else a block a row.

    Control characters, which could rewrite what was printed before, are shown as escapes.

    Args:
        width: None is the terminal's, and without one as wide as the rows are.
    """
    width = width or (Console().width if sys.stdout.isatty() else None)
    names = [_shown(name) for name in columns]
    cells = [[_shown(row[name]) for name in columns] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(names, *cells, strict=True)]
    if width is None or _total(widths) <= width:
        return "\n".join(_line(line, widths) for line in (names, *cells))
    if _total([min(natural, _READABLE) for natural in widths]) <= width:
        return _folded(names, cells, width)
    longest = max(map(cell_len, names))
    return "\n\n".join("\n".join(_line(pair, [longest, 0]) for pair in zip(names, row, strict=True)) for row in cells)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        set_cell_size(cell, size) if cell_len(cell) < size else cell for cell, size in zip(cells, widths, strict=True)
    ]
    return (" " * _GAP).join(padded).rstrip()


def _folded(names: Sequence[str], cells: Sequence[Sequence[str]], width: int) -> str:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="")
    for name in names:
        table.add_column(Text(name), overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    console = Console(width=width, file=io.StringIO(), force_terminal=False, color_system=None)
    console.print(table)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())  # type: ignore[attr-defined]


def write_rows(table: pa.Table, style: str, *, out: Path | None, show: Callable[[str], None]) -> None:
    """A result in the style asked for, `table`, `json`, `csv` or `parquet`: to *show*, or to the file *out*.

    Raises: ParameterError, for Parquet without a file, and for a file that cannot be written.
    """
    if style == "parquet":
        if out is None:
            raise ParameterError("Parquet is not text. Name a file for it: --out rows.parquet.")
        _written(out, lambda: pq.write_table(table, out, compression="zstd"))
        return
    rows = table.to_pylist()
    if style == "json":
        text = as_json(rows)
    elif style == "csv":
        text = as_csv(table.column_names, rows)
    else:
        count = counted(len(rows), "row")
        text = (
            f"{as_table(table.column_names, rows)}\n\n{count}"
            if rows
            else f"{count} of {', '.join(table.column_names)}"
        )
    write_text(text, out=out, show=show)


def write_text(text: str, *, out: Path | None, show: Callable[[str], None]) -> None:
    """*text* to *show*, or to the file *out*. Raises: ParameterError, for a file that cannot be written."""
    text = text.removesuffix("\n")
    if out is None:
        show(text)
    else:
        _written(out, lambda: out.write_text(text + "\n", encoding="utf-8"))


def _written(out: Path, write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise ParameterError(
            f"{str(out)!r} cannot be written: {reason}. Name a file in a folder that is there."
        ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return iso(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, date | Path):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _cell(value: Any) -> str:
    plain = _plain(value)
    if plain is None:
        return ""
    if isinstance(plain, list):
        return ", ".join(map(_cell, plain))
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _shown(value: Any) -> str:
    """A cell on one line of a terminal."""
    return clean(_cell(value)).replace("\n", "\\n").replace("\t", "\\t")


def _csv_cell(value: Any) -> str:
    text = _cell(value)
    is_number = isinstance(value, int | float | Decimal)
    return clean("'" + text if text.startswith(_FORMULA_STARTS) and not is_number else text)
