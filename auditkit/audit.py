"""What an analyst holds: logs or a store opened once, and every question asked of it from there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from auditkit.catalogue import Catalogue
from auditkit.compaction import CompactReport, compact
from auditkit.engines import Engine
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.errors import SourceError, WindowError
from auditkit.evidence import Coverage, coverage
from auditkit.ingest import IngestReport, Progress, ingest
from auditkit.logs.flow_format import FlowFormat
from auditkit.logs.reading import Options
from auditkit.logs.source import STORE_LEDGER, is_remote
from auditkit.model import Finding, Result, Severity, Value, Window, at_least, parse_time
from auditkit.redact import mask, mask_table
from auditkit.rules import RuleRun, evaluate
from auditkit.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from auditkit.runs import MadeReport
    from auditkit.validation.verification import Verification

Moment = str | datetime | None  # ISO text, an age such as "7d", an aware datetime; None leaves a side open


def open(
    *logs: str | Path,
    store: str | Path | None = None,
    since: Moment = None,
    until: Moment = None,
    flow_format: str | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Open logs, a store, or logs into a store.

    Args:
        logs: Folders or files of CloudTrail and flow-log exports, or `s3://bucket/prefix/` as text. Without *store*
            they are read into a store that lives as long as the Audit; with one, what it does not know yet is added.
        since, until: The window for all questions; each verb can take its own, which for logs in S3 must lie in this
            one: nothing else was fetched. An age counts back from now.
        flow_format: The fields, in order, of flow logs without a header: `${version} ${account-id} …`, or bare names.
            AWS's default by default; a header always wins.
    Raises: SourceError, when nothing is named or there; StoreError; WindowError; ParameterError, for a flow format.
    """
    window = _window(since, until)
    options = Options(flow_format=FlowFormat.parse(flow_format) if flow_format else None)
    if store is not None and str(store).startswith("s3:/"):
        raise SourceError(f"A store is a folder on this machine, not {str(store)!r}; logs can be in S3.")
    if store is None and len(logs) == 1 and not is_remote(logs[0]) and (Path(logs[0]) / STORE_LEDGER).is_file():
        store, logs = logs[0], ()
    if store is None and not logs:
        raise SourceError("Nothing to read. Name a folder or file of logs, or a store made by `auditkit ingest`.")
    if store is not None and not logs and not (Path(store) / STORE_LEDGER).is_file():
        raise SourceError(f"There is no store at {str(store)!r}. `auditkit ingest LOGS --store {store}` makes one.")
    with ExitStack() as temporary:
        if store is None:
            store = temporary.enter_context(tempfile.TemporaryDirectory(prefix="auditkit-store-"))
        opened = Store(Path(store), create=bool(logs))
        report = ingest(opened, logs, listed=window, options=options, progress=progress) if logs else None
        return Audit(opened, window, tuple(map(str, logs)), report, temporary.pop_all())


def verify(
    *logs: str | Path,
    keys: Iterable[str | Path] = (),
    since: Moment = None,
    until: Moment = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Hold log files against the digests that CloudTrail signed.

    Args:
        logs: Buckets (`s3://bucket/prefix`), or folders with copies of them.
        keys: Files with public keys, as `aws cloudtrail list-public-keys` prints them; without, CloudTrail is asked.
        since, until: The window, on the time of delivery.
    Raises: SourceError; VerificationError, when keys cannot be had; WindowError.
    """
    from auditkit.validation.keys import CloudTrailKeys, KeptKeys  # with a library for signatures, and the AWS SDK
    from auditkit.validation.places import places_of
    from auditkit.validation.walk import verify as walk

    kept = [Path(key) for key in keys]
    source = KeptKeys(kept) if kept else CloudTrailKeys()
    return walk(places_of([str(place) for place in logs]), source, _window(since, until), progress)


@dataclass(frozen=True, slots=True)
class Asked:
    """One statement that was run, without its rows: what provenance tells of it."""

    name: str
    sql: str
    rows: int
    duration_s: float
    bytes_scanned: int | None
    cost_usd: float | None


@dataclass
class Audit:
    """Every question of auditkit over one store. Secrets and session tokens are masked in all that it returns.

    Use it as a context manager, or call `close`, to remove a temporary store early.
    """

    store: Store
    window: Window
    logs: tuple[str, ...] = ()  # as they were named, for a report to say
    ingested: IngestReport | None = None
    _temporary: ExitStack = field(default_factory=ExitStack, repr=False)  # removes the store, if it is temporary
    asked: list[Asked] = field(default_factory=list, repr=False)  # every statement so far, in order

    @cached_property
    def catalogue(self) -> Catalogue:
        return Catalogue.load()

    @cached_property
    def engine(self) -> Engine:
        return DuckDBEngine(self.store.parts())

    def query(self, name: str, *, since: Moment = None, until: Moment = None, **params: Value) -> pd.DataFrame:
        """The rows of a question or rule of the catalogue; times are UTC.

        Raises: UnknownQueryError, ParameterError.
        """
        return self.ask(name, params, window=self._window(since, until)).frame()

    def sql(self, text: str, *, since: Moment = None, until: Moment = None) -> pd.DataFrame:
        """The rows of one SELECT in Trino SQL over `cloudtrail_events` and `flow_records`, inside the window.

        Raises: QueryError.
        """
        return self.ask_sql(text, window=self._window(since, until)).frame()

    def ask(self, name: str, params: Mapping[str, Value] | None = None, *, window: Window | None = None) -> Result:
        """Like `query`, with the SQL that was run and what it cost."""
        query = self.catalogue.get(name)
        return self._remember(
            query.name, self.engine.run(query.sql, query.bind(params or {}), window=window or self.window)
        )

    def ask_sql(self, text: str, *, window: Window | None = None) -> Result:
        """Like `sql`, with the SQL that was run and what it cost."""
        return self._remember("sql", self.engine.run(text, window=window or self.window))

    def findings(
        self,
        *,
        since: Moment = None,
        until: Moment = None,
        severity: Severity = "info",
        rules: Iterable[str] | None = None,
    ) -> pd.DataFrame:
        """What the rules found, worst first: one row a finding, with every evidence id.

        Args:
            severity: The mildest severity wanted.
            rules: Names of the rules to run; all of them by default.
        """
        return as_frame(self.evaluate(severity=severity, rules=rules, window=self._window(since, until)).findings)

    def evaluate(
        self, *, severity: Severity = "info", rules: Iterable[str] | None = None, window: Window | None = None
    ) -> RuleRun:
        """Like `findings`, as Finding values, with the rules that did not run and why."""
        run = evaluate(self.engine, self.catalogue, window or self.window, rules=rules)
        self.asked += [_asked(name, result) for name, result in run.results]
        kept = [_masked(finding) for finding in run.findings if at_least(finding.severity, severity)]
        return replace(run, findings=kept)

    def evidence(self, findings: Iterable[Finding], *, each: int = 25, window: Window | None = None) -> pd.DataFrame:
        """The events that prove *findings*, at most *each* a finding, oldest first."""
        ids = sorted({event for finding in findings for event in finding.evidence[:each]})
        return self.ask("activity/events_by_id", {"ids": ids}, window=window).frame()

    def coverage(
        self,
        *,
        since: Moment = None,
        until: Moment = None,
        accounts: Iterable[str] = (),
        regions: Iterable[str] = (),
    ) -> Coverage:
        """What was read, what was not, hour by hour, and whether the books balance.

        Args:
            accounts, regions: Expected even if nothing of them was read.
        """
        return coverage(self.store, self.ask, self._window(since, until), accounts=accounts, regions=regions)

    def report(
        self,
        notebook: str | Path = "audit",
        /,
        *,
        out: str | Path = "reports",
        since: Moment = None,
        until: Moment = None,
        **parameters: Any,
    ) -> MadeReport:
        """One HTML file in the folder *out*, from a notebook that came with auditkit or lies at a path.

        Args:
            parameters: Values for what the notebook's parameters cell declares.
        Raises: UnknownQueryError, SourceError, ParameterError; ReportError, when the notebook stops half-way.
        """
        from auditkit import runs  # with papermill, which takes a second that no other verb needs

        return runs.make_report(
            runs.find_notebook(notebook),
            self.store.folder,
            window=self._window(since, until),
            out=Path(out),
            now=datetime.now(UTC),
            logs=self.logs,
            parameters=parameters,
        )

    def compact(self) -> CompactReport:
        """Merge the parts of the store day by day, which makes it smaller and quicker. Raises: StoreError."""
        report = compact(self.store)
        self.__dict__.pop("engine", None)  # it reads parts that are gone
        return report

    def close(self) -> None:
        """Remove the store, if it was made for this Audit alone."""
        self._temporary.close()

    def __enter__(self) -> Audit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _window(self, since: Moment, until: Moment) -> Window:
        """The window of one call: each side its own, else the one this Audit was opened with."""
        asked, opened = _window(since, until), self.window
        window = Window(asked.start or opened.start, asked.end or opened.end)
        if any(map(is_remote, self.logs)) and opened.start and window.start and window.start < opened.start:
            raise WindowError(f"The logs in S3 were fetched for {opened}; open them with an earlier `since`.")
        if any(map(is_remote, self.logs)) and opened.end and window.end and window.end > opened.end:
            raise WindowError(f"The logs in S3 were fetched for {opened}; open them with a later `until`.")
        return window

    def _remember(self, name: str, result: Result) -> Result:
        masked = replace(result, table=mask_table(result.table))
        self.asked.append(_asked(name, masked))
        return masked


def as_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """One row a finding, in their order, a column a field; times aware (UTC), tuples as lists."""
    import pandas as pd

    frame = pd.DataFrame([finding.as_json() for finding in findings], columns=list(Finding.__slots__))
    for name in ("first_seen", "last_seen"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def _window(since: Moment, until: Moment) -> Window:
    # An age counts from now, so the door that takes it reads the clock; below here there are only windows.
    now = datetime.now(UTC)
    return Window(*(parse_time(m, now=now) if isinstance(m, str) and m else m or None for m in (since, until)))


def _asked(name: str, result: Result) -> Asked:
    return Asked(name, result.sql, result.table.num_rows, result.duration_s, result.bytes_scanned, result.cost_usd)


def _masked(finding: Finding) -> Finding:
    return replace(
        finding, summary=mask(finding.summary), resource=mask(finding.resource) if finding.resource else None
    )
