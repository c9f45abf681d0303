"""Trino over the user's own tables, through its Python client."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from typing import Any

import pyarrow as pa
import requests
import trino
from sqlglot import exp
from trino.exceptions import Error, HttpError, TrinoAuthError, TrinoConnectionError, TrinoQueryError

from auditkit.engines import ALWAYS, NO_PARAMETERS
from auditkit.engines.cost import Estimate
from auditkit.engines.dialect import Statement, prepare
from auditkit.engines.plain import plain
from auditkit.engines.remote import as_table, first_line, sent
from auditkit.engines.settings import TrinoSettings
from auditkit.engines.sources import TableSources
from auditkit.engines.tables import NO_LIMITS, Described, Limits, StoredTable, Tables
from auditkit.engines.trino.tables import described
from auditkit.errors import EngineError, QueryError, ScanLimitError
from auditkit.model import Parameter, Result, Running, Window
from auditkit.resources import QUERIES

ROWS_AT_ONCE = 4_000
_RETRIES = 6  # of a request that was refused for too much work, or met a gateway that was

Progress = Callable[[Running], None]


class TrinoEngine:
    """Reads the tables that the settings name. Nothing is asked before the first question."""

    name = "trino"
    region = profile = None
    is_charged = False

    def __init__(
        self, settings: TrinoSettings, *, limits: Limits = NO_LIMITS, progress: Progress | None = None
    ) -> None:
        self.settings, self._limits, self._progress = settings, limits, progress

    @cached_property
    def tables(self) -> Tables:
        """What the tables look like."""
        named = {"cloudtrail_events": self.settings.cloudtrail_table, "flow_records": self.settings.flow_table}
        return Tables(Described(named, self._described), self._limits)

    def run(self, sql: str, params: Mapping[str, Parameter] = NO_PARAMETERS, *, window: Window = ALWAYS) -> Result:
        """See Engine.run. Ctrl-C stops the statement at Trino, too.

        Raises: also EngineError, ScanLimitError.
        """
        started = time.perf_counter()
        statement = self.prepared(sql, params, window)
        with self._executed(sent(statement)) as cursor:
            rows = cursor.fetchall()
            table = as_table(_columns(cursor), rows)
            stats = cursor.stats
        return Result(
            plain(table),
            statement.shown,
            self.name,
            time.perf_counter() - started,
            query_id=cursor.query_id,
            bytes_scanned=_bytes(stats),
        )

    def close(self) -> None:
        """Every statement has a connection of its own."""

    def outside_projection(self, window: Window) -> str | None:
        """Trino says so itself."""
        return None

    def explained(self, sql: str, params: Mapping[str, Parameter], *, window: Window) -> Estimate | None:
        """What Trino's statistics say that *sql* reads; None, where its tables have none."""
        words = (QUERIES / "frames" / "explain_io.sql").read_text(encoding="utf-8").splitlines()[-1]
        with self._executed(f"{words} {sent(self.prepared(sql, params, window))}", tell=False) as cursor:
            told = json.loads(cursor.fetchall()[0][0])["inputTableColumnInfos"]
        sizes = [float(table["estimate"]["outputSizeInBytes"]) for table in told]
        return Estimate(int(sum(sizes)), is_bound=False) if all(map(math.isfinite, sizes)) else None

    def prepared(self, sql: str, params: Mapping[str, Parameter], window: Window) -> Statement:
        """The statement as it would be sent."""
        return prepare(sql, params, window, TableSources(self.tables))

    @contextmanager
    def extract(self, sql: str, params: Mapping[str, Parameter], *, window: Window) -> Iterator[Extracted]:
        """The rows of *sql* as they arrive, for more than fits in memory, in the engine's own types."""
        statement = prepare(sql, params, window, TableSources(self.tables, with_copies=True))
        with self._executed(sent(statement)) as cursor:
            yield Extracted(cursor, statement.shown)

    def _described(self, table: str, name: str) -> StoredTable:
        parts = name.split(".")
        full = (self.settings.catalog, self.settings.database)[: 3 - len(parts)] + tuple(parts)
        return described(table, full, self._ask)

    def _ask(self, statement: exp.Expr) -> list[list[Any]]:
        """The rows of a question about tables."""
        with self._executed(statement.sql("trino"), tell=False) as cursor:
            found: list[list[Any]] = cursor.fetchall()
            return found

    @contextmanager
    def _executed(self, text: str, *, tell: bool = True) -> Iterator[Any]:
        """A cursor that runs *text*; whatever ends the block ends it at Trino, too."""
        with self._in_our_words(), closing(self._connection()) as connection:
            cursor = connection.cursor(stats_callback=self._tell if tell else None)
            try:
                cursor.execute(text)
                yield cursor
            except BaseException:
                cursor.cancel()
                raise

    def _connection(self) -> Any:
        settings = self.settings
        scheme = settings.scheme or ("https" if settings.password or settings.token else "http")
        auth: trino.auth.Authentication | None = None
        if settings.token:
            auth = trino.auth.JWTAuthentication(settings.token)
        elif settings.password:
            auth = trino.auth.BasicAuthentication(settings.user, settings.password)
        return trino.dbapi.connect(  # type: ignore[no-untyped-call]
            host=settings.host,
            port=settings.port,
            user=settings.user,
            http_scheme=scheme,
            auth=auth,
            verify=settings.ca_bundle or True,
            source="auditkit",
            timezone="UTC",  # or a cast to a time with zone would depend on this machine
            max_attempts=_RETRIES,
        )

    def _tell(self, stats: Mapping[str, Any]) -> None:
        if self._progress:
            elapsed = float(stats.get("elapsedTimeMillis") or 0) / 1000
            state = str(stats.get("state") or "QUEUED")
            self._progress(Running(self.name, str(stats.get("queryId") or ""), state, elapsed, _bytes(stats)))

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        where = f"{self.settings.host}:{self.settings.port}"
        try:
            yield
        except TrinoQueryError as error:
            raise _refused(error) from None
        except TrinoAuthError as error:
            raise EngineError(
                f"Trino at {where} does not accept {self.settings.user!r}: {error}. Give the user, and the password or "
                "token in AUDITKIT_TRINO_PASSWORD or AUDITKIT_TRINO_TOKEN."
            ) from None
        except (TrinoConnectionError, HttpError, Error, requests.RequestException) as error:
            raise EngineError(
                f"Trino at {where} cannot be reached: {first_line(error)}. Check host, port and whether it is https."
            ) from None
        except ValueError as error:  # the client refuses a password over http
            raise EngineError(f"Trino at {where} cannot be asked like this: {error}.") from None


class Extracted:
    """Rows on their way."""

    cost_usd = None

    def __init__(self, cursor: Any, sql: str) -> None:
        self._cursor, self.sql = cursor, sql

    def batches(self) -> Iterator[pa.Table]:
        while rows := self._cursor.fetchmany(ROWS_AT_ONCE):
            yield as_table(_columns(self._cursor), rows)

    @property
    def query_id(self) -> str:
        return str(self._cursor.query_id)

    @property
    def bytes_scanned(self) -> int:
        """So far."""
        return _bytes(self._cursor.stats)


def _columns(cursor: Any) -> list[tuple[str, str]]:
    return [(column.name, column.type_code) for column in cursor.description or ()]


def _bytes(stats: Mapping[str, Any]) -> int:
    return int(stats.get("physicalInputBytes") or 0)


def _refused(error: TrinoQueryError) -> Exception:
    """What Trino says of a statement that it did not run to its end."""
    said, name, query_id = first_line(error.message), error.error_name or "", error.query_id or "no id"
    if name == "EXCEEDED_SCAN_LIMIT":
        return ScanLimitError(f"Trino stopped, query {query_id}: {said}. Ask for a shorter window.")
    if name == "QUERY_TEXT_TOO_LARGE":
        return QueryError(f"Trino takes no statement as long as this: {said}. Run fewer rules at a time.")
    if name in ("PERMISSION_DENIED", "AUTHORIZATION_ERROR"):
        return EngineError(f"Trino does not let this user do that: {said} (query {query_id}).")
    if name in ("TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND", "CATALOG_NOT_FOUND", "MISSING_CATALOG_NAME"):
        return EngineError(f"Trino has no such table: {said}. Name it with --cloudtrail-table or --flow-table.")
    if name in ("USER_CANCELED", "ADMINISTRATIVELY_KILLED", "ADMINISTRATIVELY_PREEMPTED"):
        return EngineError(f"Somebody stopped query {query_id}: {said}.")
    if error.error_type == "INSUFFICIENT_RESOURCES":
        return EngineError(f"Trino has no room for query {query_id}: {said} ({name}). Ask for a shorter window.")
    return QueryError(f"Trino stopped, query {query_id}: {said} ({name})")
