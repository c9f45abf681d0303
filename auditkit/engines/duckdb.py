"""DuckDB over the Parquet parts of a store, or over Arrow tables in memory."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from auditkit.engines import ALWAYS, NO_PARAMETERS
from auditkit.engines.dialect import Statement, prepare
from auditkit.engines.duckdb_sql import duckdb_sql
from auditkit.engines.plain import plain
from auditkit.engines.sources import STORED, Sources, StoreSources
from auditkit.errors import QueryError, StoreError
from auditkit.model import Parameter, Result, Window
from auditkit.resources import QUERIES
from auditkit.schema import TABLES

MACROS = QUERIES / "frames" / "duckdb_macros.sql"
ROWS_AT_ONCE = 50_000
MOST_KNOWN = 256  # statements that are kept translated
_GONE = re.compile(r'Cannot access file "(.+?\.parquet)\b')  # DuckDB takes a path that is not there for a pattern


@dataclass(frozen=True)
class Earlier:
    """Tables of earlier logs, and the moment up to which they are read."""

    tables: Mapping[str, Sequence[Path] | pa.Table]
    until: datetime


class DuckDBEngine:
    """Reads nothing but the parts it was given: the connection is locked before the first statement runs."""

    name = "duckdb"

    def __init__(
        self,
        tables: Mapping[str, Sequence[Path] | pa.Table],
        sources: Sources | None = None,
        *,
        earlier: Earlier | None = None,
    ) -> None:
        """*tables*: by name, Parquet parts (in folders `event_date=YYYY-MM-DD`) or an Arrow table of the whole schema.

        A table that is not named, or has no parts, is empty. *sources* say how other Arrow tables become those of the
        schema. What *earlier* has from before its moment takes the place of what *tables* have from there.
        """
        self._sources = sources or StoreSources()
        self._known: dict[tuple[str, str, Window], tuple[Statement, str]] = {}
        self._spill = spill = tempfile.mkdtemp(prefix="auditkit-")
        weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)
        self._connection = duckdb.connect(
            config={
                "temp_directory": spill,
                "autoload_known_extensions": False,
                "autoinstall_known_extensions": False,
            }
        )
        self._connection.execute(MACROS.read_text(encoding="utf-8"))
        stored = {name: _absolute(tables.get(name, ())) for name in TABLES}
        before = {name: _absolute(earlier.tables.get(name, ())) if earlier else [] for name in TABLES}
        for name, parts in stored.items():
            if earlier and before[name]:
                self._store_after(name, parts, before[name], earlier.until)
            else:
                self._store(name, parts)
        self._lock(
            [part for parts in (*stored.values(), *before.values()) if isinstance(parts, list) for part in parts]
        )

    def _store(self, name: str, parts: list[str] | pa.Table) -> None:
        """Make *parts* readable as stored_<name>, which the sources in queries/sources/ select from."""
        if isinstance(parts, pa.Table):
            self._connection.register(STORED + name, parts)
        elif not parts:
            self._connection.register(STORED + name, TABLES[name].arrow.empty_table())
        else:
            self._parquet(name, parts).create_view(STORED + name)

    def _store_after(
        self, name: str, parts: list[str] | pa.Table, before: list[str] | pa.Table, until: datetime
    ) -> None:
        """Make readable as stored_<name> what *before* has from before *until*, and *parts* from there on."""
        time, columns = TABLES[name].columns[0].name, ", ".join(TABLES[name].names)
        moment = f"TIMESTAMP '{until.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"
        sides = [(parts, ">="), (before, "<")]
        after, earlier = (
            self._rows(name, rows).filter(f"{time} {side} {moment}").project(columns) for rows, side in sides
        )
        after.union(earlier).create_view(STORED + name)

    def _rows(self, name: str, parts: list[str] | pa.Table) -> duckdb.DuckDBPyRelation:
        if isinstance(parts, list):
            return (
                self._parquet(name, parts) if parts else self._connection.from_arrow(TABLES[name].arrow.empty_table())
            )
        return self._connection.from_arrow(parts)

    def _parquet(self, name: str, parts: list[str]) -> duckdb.DuckDBPyRelation:
        try:
            return self._connection.read_parquet(parts, hive_partitioning=True)
        except duckdb.Error as error:
            raise StoreError(f"The parts of {name} cannot be opened: {error}") from None

    def _lock(self, readable: list[str]) -> None:
        with suppress(duckdb.InvalidInputException):  # JupyterLab without ipywidgets has none, and says so
            self._connection.execute("SET enable_progress_bar = false")  # it would be drawn into our JSON on stdout
        for name, value in (
            ("TimeZone", "UTC"),
            ("parquet_metadata_cache", True),  # a part never changes
            ("python_enable_replacements", False),  # or SQL could read the caller's variables
            ("allowed_paths", readable),
            ("enable_external_access", False),
            ("lock_configuration", True),
        ):
            self._connection.execute(f"SET {name} = $value", {"value": value})

    def run(self, sql: str, params: Mapping[str, Parameter] = NO_PARAMETERS, *, window: Window = ALWAYS) -> Result:
        """See Engine.run. `duration_s` counts from the text to the Arrow table."""
        started = time.perf_counter()
        statement, written = self._translated(sql, params, window)
        with _in_our_words():
            table = self._connection.sql(written).to_arrow_table()
        return Result(plain(table), statement.shown, self.name, time.perf_counter() - started)

    def narrowed(
        self, table: str, sql: str, params: Mapping[str, Parameter] = NO_PARAMETERS, *, window: Window = ALWAYS
    ) -> tuple[DuckDBEngine, Result]:
        """An engine of which *table* holds the rows of *sql*, all of its columns, and the other table nothing; what it
        took to get them, without the rows.

        They go through a file, so that they may be many. Raises: as `run`.
        """
        started = time.perf_counter()
        statement, written = self._translated(sql, params, window)
        path = Path(tempfile.mkdtemp(dir=self._spill)) / f"{table}.parquet"
        schema, count = TABLES[table].arrow, 0
        with _in_our_words(), pq.ParquetWriter(path, schema, compression="lz4") as writer:
            for batch in self._connection.sql(written).to_arrow_reader(ROWS_AT_ONCE):
                writer.write_table(pa.Table.from_batches([batch]).cast(schema))
                count += batch.num_rows
        rows = pa.table({"row": pa.nulls(count)})
        result = Result(rows, statement.shown, self.name, time.perf_counter() - started)
        narrowed = DuckDBEngine({table: [path]})
        narrowed._known = self._known  # a statement is translated alike, whatever the rows
        return narrowed, result

    def _translated(self, sql: str, params: Mapping[str, Parameter], window: Window) -> tuple[Statement, str]:
        """The statement, and its text for DuckDB. Asked again, it is not worked out again: that takes 10 ms or more."""
        asked = (sql, repr(sorted(params.items())), window)
        if asked not in self._known:
            statement = prepare(sql, params, window, self._sources)
            if len(self._known) == MOST_KNOWN:
                self._known.pop(next(iter(self._known)))
            self._known[asked] = (statement, duckdb_sql(statement))
        return self._known[asked]


def _absolute(parts: Sequence[Path] | pa.Table) -> list[str] | pa.Table:
    return parts if isinstance(parts, pa.Table) else [str(part.absolute()) for part in parts]


@contextmanager
def _in_our_words() -> Iterator[None]:
    """What DuckDB raises, as what Engine.run raises."""
    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except duckdb.Error as error:
        raise QueryError(_reason(error)) from None


def _reason(error: duckdb.Error) -> str:
    """What DuckDB says, without its advice on settings, and the line of SQL it points at."""
    if gone := _GONE.search(str(error)):
        return f"The part {gone[1]} is no longer there. Open the store again."
    said, _, place = str(error).partition("\n\nLINE ")
    line = place.partition(": ")[2].partition("\n")[0].strip()
    said = said.partition("\n\n")[0].partition("\tCandidate functions")[0].replace("\n", " ").strip()
    return f"DuckDB stopped: {said}" + (f"\n  at: {line}" if line else "")
