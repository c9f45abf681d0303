"""Athena over the user's own tables, through PyAthena."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pyathena.connection import Connection
from pyathena.cursor import Cursor
from pyathena.error import Error
from pyathena.util import RetryConfig
from sqlglot import exp

from auditkit.engines import ALWAYS, NO_PARAMETERS
from auditkit.engines.athena.files import Extracted, Files, Unloaded, folder_in, location_of, unload_of
from auditkit.engines.athena.lists import outputs, with_lists_as_json
from auditkit.engines.athena.results import AsText, answer
from auditkit.engines.athena.tables import Gap, described, gap, missing, projection
from auditkit.engines.athena.watch import ENDED_BADLY, Progress, Watch
from auditkit.engines.athena.words import NO_CREDENTIALS, explained, is_missing, stopped
from auditkit.engines.cost import Estimate, cost_usd
from auditkit.engines.dialect import Statement, prepare
from auditkit.engines.partitions import with_spellings
from auditkit.engines.plain import plain
from auditkit.engines.remote import sent
from auditkit.engines.settings import AthenaSettings
from auditkit.engines.sources import TableSources
from auditkit.engines.tables import NO_LIMITS, Described, Limits, StoredTable, Tables
from auditkit.errors import AuditkitError, EngineError
from auditkit.model import Parameter, Result, Window

RETRIES = RetryConfig(attempt=6, max_delay=20)  # of a request that Athena refused for too many of them
SDK = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=10, user_agent_extra="auditkit")

_logger = logging.getLogger(__name__)
logging.getLogger("pyathena").addHandler(logging.NullHandler())  # it logs each error that it raises, to stderr


class AthenaEngine:
    """Reads the tables that the settings name. Nothing is asked before the first question."""

    name = "athena"
    is_charged = True

    def __init__(
        self,
        settings: AthenaSettings,
        *,
        limits: Limits = NO_LIMITS,
        progress: Progress | None = None,
        max_scan_bytes: int | None = None,
    ) -> None:
        """*max_scan_bytes*: a statement that has read more is stopped; how much it reads shows only as it runs."""
        self.settings, self._limits, self._progress = settings, limits, progress
        self._max_scan_bytes = max_scan_bytes
        self._projections: dict[str, Mapping[str, str]] = {}

    @cached_property
    def connection(self) -> Connection[Cursor]:
        """With the credentials, the region and the clients of the AWS SDK. Raises: EngineError."""
        settings = self.settings
        with self._in_our_words():
            connection = Connection(
                s3_staging_dir=location_of(settings.output_location) if settings.output_location else "",
                work_group=settings.workgroup,
                region_name=settings.aws_region,
                profile_name=settings.profile,
                catalog_name=settings.catalog,
                schema_name=settings.database,
                poll_interval=settings.poll_interval_s,
                result_reuse_enable=settings.result_reuse_minutes > 0,
                result_reuse_minutes=settings.result_reuse_minutes,
                retry_config=RETRIES,
                converter=AsText(),
                config=SDK,
            )
            if connection.session.get_credentials() is None:
                raise EngineError(NO_CREDENTIALS)
            return connection

    @property
    def region(self) -> str:
        return self.settings.aws_region or str(self.connection.client.meta.region_name)

    @property
    def profile(self) -> str | None:
        return self.settings.profile

    def close(self) -> None:
        """Let go of the network connections; the next question makes others."""
        if connection := self.__dict__.pop("connection", None):
            connection.close()

    @cached_property
    def tables(self) -> Tables:
        """What the tables look like."""
        named = {"cloudtrail_events": self.settings.cloudtrail_table, "flow_records": self.settings.flow_table}
        return Tables(Described(named, self._described), self._limits)

    def _described(self, table: str, named: str) -> StoredTable:
        parts = tuple(named.lower().split("."))
        name = parts if len(parts) > 1 else (self.settings.database.lower(), *parts)
        catalog, database = name[0] if len(name) > 2 else None, name[-2]
        with self._in_our_words(), self.connection.cursor() as cursor:
            try:
                metadata = cursor.get_table_metadata(name[-1], catalog, database, logging_=False)
            except Error as error:
                if not is_missing(error):
                    raise
                known: list[str] = []
                with suppress(Error):  # who may read one table may not be allowed to list them all
                    known = [str(table.name) for table in cursor.list_table_metadata(catalog, database, logging_=False)]
                raise missing(name, known) from None
        self._projections[table] = projection(metadata)
        return with_spellings(described(table, name, metadata), self._ask)

    def _ask(self, statement: exp.Select) -> Sequence[Sequence[Any]]:
        """The rows of a question about partitions, which reads no object."""
        with self._executed(statement.sql("trino"), self._watch()) as cursor:
            rows: list[Any] = list(cursor.fetchall())
            return rows

    def run(self, sql: str, params: Mapping[str, Parameter] = NO_PARAMETERS, *, window: Window = ALWAYS) -> Result:
        """See Engine.run. Ctrl-C stops the statement at Athena, too; what it has read until then is charged.

        Raises: also EngineError, ScanLimitError.
        """
        watch = self._watch()
        statement = self._ready(sql, params, window)
        columns = outputs(sql, params)
        text = sent(replace(statement, tree=with_lists_as_json(statement.tree, columns)))
        with self._executed(text, watch) as cursor:
            table = plain(answer(cursor, columns))
        return Result(
            table,
            statement.shown,
            self.name,
            watch.elapsed_s,
            query_id=watch.query_id,
            bytes_scanned=watch.bytes_scanned,
            cost_usd=cost_usd(watch.bytes_scanned, self.region),
        )

    def unload(
        self,
        sql: str,
        params: Mapping[str, Parameter] = NO_PARAMETERS,
        *,
        window: Window = ALWAYS,
        table_format: str = "PARQUET",
        with_copies: bool = False,
    ) -> Unloaded:
        """Have Athena write the rows of *sql* into files, under the output location: for more than fits in memory.

        Types are the engine's own, not plain ones, and the rows are in no order.
        Raises: as `run`. What a statement that fails has written is removed; what cannot be is named.
        """
        watch = self._watch()
        statement = self._ready(sql, params, window, with_copies=with_copies)
        outputs(sql, params)  # says what is wrong with the columns before that costs anything
        location = self._output_location()
        if location is None:
            raise EngineError(
                f"Athena writes files to a place in S3, and the workgroup {self.settings.workgroup!r} has none of its "
                "own. Name one: --output-location s3://BUCKET/PREFIX/."
            )
        folder = folder_in(location)
        text = sent(replace(statement, tree=unload_of(sent(statement), folder, table_format)))  # type: ignore[arg-type]
        try:
            with self._executed(text, watch, reuse=False) as cursor:
                manifest = cursor.data_manifest_location
                files = self._files.listed_in(manifest)
        except BaseException as error:
            left = self._files.remove(folder) if watch.query_id else ()
            if left and isinstance(error, AuditkitError):
                raise type(error)(f"{error} These files were left in S3, remove them: {', '.join(left)}.") from None
            raise
        return Unloaded(
            str(watch.query_id), watch.bytes_scanned, files, watch.elapsed_s, statement.shown, folder, manifest
        )

    @contextmanager
    def extract(self, sql: str, params: Mapping[str, Parameter], *, window: Window) -> Iterator[Extracted]:
        """The rows of *sql*, for more than fits in memory, in the engine's own types and in no order.

        By way of files in S3, which are removed when the block ends; by page, of a workgroup without a place for them.
        """
        if self._output_location() is None:
            result = self.run(sql, params, window=window)
            yield Extracted(
                result.sql, str(result.query_id), result.bytes_scanned or 0, result.cost_usd, [result.table]
            )
            return
        unloaded = self.unload(sql, params, window=window, with_copies=True)
        try:
            cost = cost_usd(unloaded.bytes_scanned, self.region)
            tables = self._files.tables(unloaded)
            yield Extracted(unloaded.sql, unloaded.query_id, unloaded.bytes_scanned, cost, tables)
        finally:
            if left := self.remove(unloaded):
                _logger.warning("These files of an answer were left in S3, remove them: %s", ", ".join(left))

    def remove(self, unloaded: Unloaded) -> tuple[str, ...]:
        """Delete the files of an unload. Returns: the URLs of those that are still there, without an error."""
        also = (*unloaded.files, unloaded.manifest) if unloaded.manifest else unloaded.files
        return self._files.remove(unloaded.location, also)

    def outside_projection(self, window: Window) -> str | None:
        """What of *window* lies where a table makes up no partitions: Athena finds nothing there, and says nothing."""
        return "\n".join(found.said for found in self._gaps(window, self.tables.stored)) or None

    def explained(self, sql: str, params: Mapping[str, Parameter], *, window: Window) -> Estimate | None:
        """Athena keeps no statistics of tables of logs."""
        return None

    def _gaps(self, window: Window, tables: Iterable[str]) -> list[Gap]:
        now = datetime.now(UTC)  # what NOW means in a range: Athena reads its own clock
        stored = {table: self.tables.stored[table] for table in tables}
        found = (gap(one, self._projections[table], window, now) for table, one in stored.items())
        return [one for one in found if one]

    def _ready(
        self, sql: str, params: Mapping[str, Parameter], window: Window, *, with_copies: bool = False
    ) -> Statement:
        statement = prepare(sql, params, window, TableSources(self.tables, with_copies))
        for found in self._gaps(window, statement.reads):
            if found.is_whole:
                raise EngineError(f"No partition in the window. {found.said}")
        return statement

    def _watch(self) -> Watch:
        return Watch(self.name, self._max_scan_bytes, self._progress)

    @property
    def _files(self) -> Files:
        return Files(self.connection.s3_client)

    def _output_location(self) -> str | None:
        """Where to put files: as the settings say, else as the workgroup does. Raises: EngineError."""
        if self.settings.output_location:
            return self.settings.output_location
        with self._in_our_words():
            client: Any = self.connection.client
            found = client.get_work_group(WorkGroup=self.settings.workgroup)["WorkGroup"]
        location = found.get("Configuration", {}).get("ResultConfiguration", {}).get("OutputLocation")
        return str(location) if location else None

    @contextmanager
    def _executed(self, text: str, watch: Watch, *, reuse: bool = True) -> Iterator[Cursor]:
        """A cursor that has run *text*; whatever ends the wait for it ends it at Athena, too."""
        with (
            self._in_our_words(watch),
            self.connection.cursor(
                on_start_query_execution=watch.started,
                on_poll=watch.polled,
                result_reuse_enable=reuse and self.settings.result_reuse_minutes > 0,
            ) as cursor,
        ):
            try:
                cursor.execute(text)
            except BaseException:
                if watch.is_running:
                    with suppress(Error):
                        cursor.cancel()
                raise
            yield cursor

    @contextmanager
    def _in_our_words(self, watch: Watch | None = None) -> Iterator[None]:
        workgroup = self.settings.workgroup
        try:
            yield
        except (Error, ClientError, BotoCoreError) as error:
            last = watch.last if watch else None
            if watch and last and last.state in ENDED_BADLY:
                reason = last.state_change_reason or last.error_message or ""
                raise stopped(
                    str(watch.query_id), last.state, reason, bytes_scanned=watch.bytes_scanned, workgroup=workgroup
                ) from None
            raise explained(error, workgroup=workgroup) from None
