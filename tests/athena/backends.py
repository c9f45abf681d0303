"""What runs the statements that the fake Athena is sent: DuckDB with Trino's answers, or a real Trino."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from auditkit.engines.dialect import Statement
from auditkit.engines.duckdb import MACROS
from auditkit.engines.duckdb_sql import duckdb_sql
from auditkit.errors import QueryError


class MalformedError(Exception):
    """What Athena refuses before it runs it; the text is Athena's."""


class FailedError(Exception):
    """What a statement dies of; the text is a reason as Athena gives it."""


@dataclass(frozen=True)
class Answer:
    columns: Sequence[tuple[str, str]]  # name, Trino type
    rows: Sequence[Sequence[Any]]
    arrow: pa.Table | None = None


class Backend(Protocol):
    """Runs Trino SQL over tables that are called "database"."table"."""

    def check(self, text: str) -> None:
        """Raises: MalformedError."""

    def run(self, text: str) -> Answer:
        """Raises: FailedError."""


class FilledBackend(Backend, Protocol):
    """One whose tables a test can fill."""

    def hold(self, database: str, table: str, rows: pa.Table) -> None:
        """Make *rows* the table "database"."table"."""


class DuckDBBackend:
    """Tables filled from Arrow."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._connection.execute(MACROS.read_text(encoding="utf-8"))
        self._connection.execute("SET TimeZone = 'UTC'")
        self._columns: dict[str, dict[str, exp.DataType]] = {}
        self._written: dict[str, str] = {}
        self._held: dict[str, tuple[pa.Schema, int]] = {}

    def hold(self, database: str, table: str, rows: pa.Table) -> None:
        name = f"{database}__{table}"
        if self._held.get(name) == (rows.schema, 0) and not len(rows):
            return
        self._held[name] = (rows.schema, len(rows))
        self._connection.register("given", rows)
        self._connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM given')
        self._connection.unregister("given")
        columns = {field.name: exp.DataType.build(_trino_type(field.type), dialect="trino") for field in rows.schema}
        if self._columns.get(name) != columns:
            self._columns[name] = columns
            self._written.clear()

    def check(self, text: str) -> None:
        if text in self._written:
            return
        try:
            if len(sqlglot.parse(text, read="trino")) != 1:
                raise MalformedError("Only one sql statement is allowed. Got: " + text)
        except SqlglotError as error:
            at = getattr(error, "errors", None) or [{"line": 1, "col": 1}]
            raise MalformedError(f"line {at[0]['line']}:{at[0]['col']}: mismatched input. Expecting: <query>") from None

    def run(self, text: str) -> Answer:
        if text not in self._written:
            self._written[text] = self._in_duckdb(text)
        try:
            arrow = self._connection.cursor().sql(self._written[text]).to_arrow_table()
        except duckdb.Error as error:
            raise FailedError(f"GENERIC_USER_ERROR: {str(error).splitlines()[0]}") from None
        names = [re.sub(r"^_col_(\d+)$", r"_col\1", name) for name in arrow.column_names]
        columns = [(name, _trino_type(field.type)) for name, field in zip(names, arrow.schema, strict=True)]
        rows = list(zip(*(column.to_pylist() for column in arrow.columns), strict=True))
        return Answer(columns, rows, arrow)

    def _in_duckdb(self, text: str) -> str:
        tree = sqlglot.parse_one(text, read="trino")
        assert isinstance(tree, exp.Query)
        for table in list(tree.find_all(exp.Table)):
            if database := table.args.get("db"):
                name = f"{database.name}__{table.name}"
                if name not in self._columns:
                    raise FailedError(
                        f"TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.{database.name}.{table.name}' does not exist"
                    )
                table.replace(exp.table_(name, quoted=True, alias=table.alias_or_name))
        for call in list(tree.find_all(exp.Anonymous)):
            if call.name.lower() == "at_timezone":  # how sqlglot writes AT TIME ZONE, and does not read it
                call.replace(exp.AtTimeZone(this=call.expressions[0], zone=call.expressions[1]))
        try:
            return duckdb_sql(Statement(text, text, tree, (), self._columns))
        except QueryError as error:
            raise FailedError(f"COLUMN_NOT_FOUND: line 1:8: {error}") from None


def _trino_type(kind: pa.DataType) -> str:
    types = pa.types
    if types.is_list(kind):
        return f"array({_trino_type(kind.value_type)})"
    if types.is_struct(kind):
        return "row"
    if types.is_map(kind):
        return "map"
    if types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})" if kind.scale or kind.precision < 38 else "bigint"  # HUGEINT
    if types.is_timestamp(kind):
        return "timestamp(3) with time zone" if kind.tz else "timestamp(3)"
    names = {pa.int8(): "tinyint", pa.int16(): "smallint", pa.int32(): "integer", pa.int64(): "bigint",
             pa.float32(): "real", pa.float64(): "double", pa.bool_(): "boolean", pa.date32(): "date",
             pa.binary(): "varbinary"}  # fmt: skip
    return names.get(kind, "varchar")


class TrinoBackend:
    """A real Trino, through its own client. Its catalog `hive` has the databases as schemas."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def check(self, text: str) -> None:
        try:
            self._rows(f"EXPLAIN (TYPE VALIDATE) {text}")
        except FailedError as error:
            if str(error).startswith("SYNTAX_ERROR"):
                raise MalformedError(str(error).partition(": ")[2]) from None

    def run(self, text: str) -> Answer:
        return self._rows(text)

    def _rows(self, text: str) -> Answer:
        from trino.exceptions import TrinoQueryError

        cursor = self._connection.cursor()
        try:
            rows = cursor.execute(text.replace('"awsdatacatalog".', '"hive".')).fetchall()
        except TrinoQueryError as error:
            raise FailedError(f"{error.error_name}: {error.message}") from None
        return Answer([(column.name, column.type_code) for column in cursor.description], rows)
