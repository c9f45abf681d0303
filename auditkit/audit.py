"""What an analyst holds: logs or a store opened once, and every question asked of it from there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from auditkit.allowlist import Allowlist
from auditkit.asked import Asked, asked_of
from auditkit.baseline import Before
from auditkit.cases import cases
from auditkit.catalogue import Catalogue
from auditkit.compaction import CompactReport, compact
from auditkit.engines import Engine
from auditkit.engines.duckdb import DuckDBEngine, Earlier
from auditkit.errors import SourceError, WindowError
from auditkit.evidence import Coverage, coverage
from auditkit.findings import as_frame
from auditkit.identity.policy import Policy, policy_for
from auditkit.identity.subject import Kind, subject_of
from auditkit.identity.who import before, who
from auditkit.ingest import IngestReport
from auditkit.logs.source import is_remote
from auditkit.model import Finding, Parameter, Result, Severity, Value, Window, at_least
from auditkit.moments import Moment, in_whole_hours, is_fetched, window_of
from auditkit.places import NO_PLACES, Places
from auditkit.pull import PullReport
from auditkit.redact import mask, mask_table
from auditkit.remote import Remote
from auditkit.rules import Baseline, RuleRun, evaluate
from auditkit.sigma import load as load_sigma
from auditkit.sigma.found import SigmaRules
from auditkit.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from auditkit.identity.answer import Answer
    from auditkit.runs import MadeReport


@dataclass
class Audit:
    """Every question of auditkit over one store, or over the tables of an engine. Secrets and session tokens are masked
    in all that it returns.

    Over an engine, `query` and `sql` run there. `findings`, `coverage` and `report` fetch the window first, each table
    in one statement, and run here; so does every question inside the window after that.

    Use it as a context manager, or call `close`, to remove a temporary store early.
    """

    store: Store
    window: Window
    logs: tuple[str, ...] = ()  # as they were named, for a report to say
    ingested: IngestReport | None = None
    _temporary: ExitStack = field(default_factory=ExitStack, repr=False)  # removes the store, if it is temporary
    asked: list[Asked] = field(default_factory=list, repr=False)  # every statement so far, in order
    remote: Remote | None = None  # the engine whose tables these are
    before: Before | None = None  # what a window is compared with
    places: Places = NO_PLACES  # what addresses are called
    _fetched: Window | None = None  # what of them is in the store

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
        bound = query.bind(params or {})
        if query.runs_here:
            self.fetch(window)
        return self._remember(query.name, self._run(query.sql, bound, window or self.window))

    def ask_sql(self, text: str, *, window: Window | None = None) -> Result:
        """Like `sql`, with the SQL that was run and what it cost."""
        return self._remember("sql", self._run(text, {}, window or self.window))

    def findings(
        self,
        *,
        since: Moment = None,
        until: Moment = None,
        severity: Severity = "info",
        rules: Iterable[str] | None = None,
        allowlist: str | Path | None = None,
        sigma: str | Path | None = None,
    ) -> pd.DataFrame:
        """What the rules found, worst first: one row a finding, with every evidence id.

        Args:
            severity: The mildest severity wanted.
            rules: Names of the rules to run; all of them by default.
            allowlist: A file of what somebody answers for; findings that it suppresses are left out.
            sigma: A folder or file of Sigma rules to run beside them.
        Raises: ParameterError, for an allowlist that cannot be read, or without pySigma; SourceError, where *sigma* has
            no rules.
        """
        run = self.evaluate(
            severity=severity, rules=rules, allowlist=allowlist, window=self._window(since, until), sigma=sigma
        )
        return as_frame(run.findings)

    def evaluate(
        self,
        *,
        severity: Severity = "info",
        rules: Iterable[str] | None = None,
        allowlist: str | Path | None = None,
        window: Window | None = None,
        sigma: str | Path | SigmaRules | None = None,
    ) -> RuleRun:
        """Like `findings`, as Finding values, with the cases they make, what was suppressed, and what did not run."""
        entries = Allowlist.read(Path(allowlist)) if allowlist else None  # a slip is told before anything is read
        more = load_sigma(sigma) if isinstance(sigma, str | Path) else sigma or SigmaRules()
        catalogue = self.catalogue.with_rules(more.rules)
        names = None if rules is None else set(rules)
        runnable = None if names is None else names - more.left_out
        self.fetch(window)
        judged = window or self.window
        baseline = self._baseline(judged)
        run = evaluate(self.engine, catalogue, judged, rules=runnable, baseline=baseline, places=self.places)
        self.asked += [asked_of(name, result) for name, result in run.results]
        found, allowed = [_masked(finding) for finding in run.findings], None
        if entries:
            known = [query.rule for query in catalogue.rules]
            allowed = entries.apply(found, today=datetime.now(UTC).date(), rules=known)
            found = allowed.findings
        told = cases(found).at_least(severity)  # whole stories, whatever of them is asked for
        kept = [finding for finding in found if at_least(finding.severity, severity)]
        cannot = more.only(names)
        failed, skipped = run.failed | cannot.refused, run.skipped | cannot.elsewhere
        return replace(run, findings=kept, allowed=allowed, told=told, failed=failed, skipped=skipped)

    def evidence(self, findings: Iterable[Finding], *, each: int = 25, window: Window | None = None) -> pd.DataFrame:
        """The events that prove *findings*, at most *each* a finding, oldest first."""
        self.fetch(window)
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
        window = self._window(since, until)
        self.fetch(window)
        return coverage(self.store, self.ask, window, accounts=accounts, regions=regions)

    def who(
        self,
        subject: str,
        *,
        kind: Kind | None = None,
        run: RuleRun | None = None,
        since: Moment = None,
        until: Moment = None,
    ) -> Answer:
        """Who *subject* is, or who is behind it, and everything known of it: see `auditkit.identity.who`.

        Args:
            subject: A principal, session, access key, address, user agent, secret, instance, or an ECS task, service or
                cluster; by its ARN, id or name.
            kind: Which of these, where things of several kinds have that name.
            run: What all rules found in the window, where they ran already.
        Raises: UnknownSubjectError, AmbiguousSubjectError, ParameterError.
        """
        window = self._window(since, until)
        self.fetch(window)
        meant = subject_of(subject, self.ask, window, kind=kind)  # a slip is told before the rules run
        findings = (run or self.evaluate(window=window)).with_suppressed
        # What handed out credentials may lie before the window; of an engine's tables only the window is here.
        earlier = window if self.remote else before(window)
        return who(self.ask, meant, window=window, findings=findings, earlier=earlier, places=self.places)

    def policy(self, principal: str, *, since: Moment = None, until: Moment = None) -> Policy:
        """The policy that would have allowed what a user or role used: see `auditkit.identity.policy`.

        Args:
            principal: Its ARN or name; of a name in several accounts, all of them together.
        Raises: UnknownSubjectError, ParameterError.
        """
        window = self._window(since, until)
        self.fetch(window)
        return policy_for(self.ask, subject_of(principal, self.ask, window, kind="principal").names, window)

    def report(
        self,
        notebook: str | Path = "audit",
        /,
        *,
        out: str | Path = "reports",
        since: Moment = None,
        until: Moment = None,
        allowlist: str | Path | None = None,
        **parameters: Any,
    ) -> MadeReport:
        """One HTML file in the folder *out*, from a notebook that came with auditkit or lies at a path.

        Args:
            allowlist: A file of what somebody answers for; the report lists what it suppresses.
            parameters: Values for what the notebook's parameters cell declares.
        Raises: UnknownQueryError, SourceError, ParameterError; ReportError, when the notebook stops half-way.
        """
        from auditkit import runs  # with papermill, which takes a second that no other verb needs

        window = self._window(since, until)
        self.fetch(window)
        return runs.make_report(
            runs.find_notebook(notebook),
            self.store.folder,
            window=window,
            out=Path(out),
            now=datetime.now(UTC),
            logs=self.logs,
            parameters=parameters,
            baseline=str(self.before or ""),
            allowlist=str(Path(allowlist).absolute()) if allowlist else "",
            places=self.places,
        )

    def fetch(self, window: Window | None = None) -> None:
        """Bring the window from the engine here, one statement a table; what is asked of it then is free.

        What it is compared with comes too, unless a store has that.

        Nothing happens when it is here already, or when there is no engine.
        Raises: ScanLimitError; EngineError; QueryError.
        """
        reach = self.before.reach(window or self.window) if self.before else window or self.window
        if self.remote is None or self._is_here(reach):
            return
        wanted = in_whole_hours(reach)
        self.remote.pull(self.store, wanted, now=datetime.now(UTC), whole_days=False)
        self.__dict__.pop("engine", None)  # it reads the parts that were there before
        self._fetched = wanted

    def pull(self, store: str | Path, *, services: Iterable[str] = ()) -> PullReport:
        """Bring the window from the engine into the store at *store*, days that are there already left out.

        Args:
            services: Whose events, by short name; all by default. Flow records come whole.
        Raises: SourceError, without an engine; ScanLimitError; StoreError; EngineError; QueryError.
        """
        if self.remote is None:
            raise SourceError("Only what Athena or Trino has can be pulled; logs are ingested.")
        opened = Store(Path(store), create=True)
        return self.remote.pull(opened, self.window, now=datetime.now(UTC), whole_days=True, services=tuple(services))

    def compact(self) -> CompactReport:
        """Merge the parts of the store day by day, which makes it smaller and quicker. Raises: StoreError."""
        report = compact(self.store)
        self.__dict__.pop("engine", None)  # it reads parts that are gone
        return report

    def close(self) -> None:
        """Remove the store, if it was made for this Audit alone, and let go of the engine."""
        if self.remote:
            self.remote.engine.close()
        self._temporary.close()

    def __enter__(self) -> Audit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _window(self, since: Moment, until: Moment) -> Window:
        """The window of one call: each side its own, else the one this Audit was opened with."""
        asked, opened = window_of(since, until), self.window
        window = Window(asked.start or opened.start, asked.end or opened.end)
        if any(map(is_remote, self.logs)) and opened.start and window.start and window.start < opened.start:
            raise WindowError(f"The logs in S3 were fetched for {opened}; open them with an earlier `since`.")
        if any(map(is_remote, self.logs)) and opened.end and window.end and window.end > opened.end:
            raise WindowError(f"The logs in S3 were fetched for {opened}; open them with a later `until`.")
        return window

    def _baseline(self, window: Window) -> Baseline | None:
        """What *window* is compared with; None, when there is nothing, or nothing to compare."""
        if self.before is None:
            return None
        if self.before.store is None:
            return Baseline(self.engine, Window(self.before.reach(window).start, window.start))
        since = window.start or self._first_event(window)
        if since is None:
            return None
        earlier = Earlier(Store(self.before.store).parts(), since)
        return Baseline(DuckDBEngine(self.store.parts(), earlier=earlier), Window(None, since))

    def _first_event(self, window: Window) -> datetime | None:
        query = self.catalogue.get("evidence/coverage")
        cells = self.engine.run(query.sql, query.bind({}), window=window).table.to_pylist()
        firsts = [cell["first_record"] for cell in cells if cell["source_table"] == "cloudtrail_events"]
        return min(firsts).replace(tzinfo=UTC) if firsts else None

    def _is_here(self, window: Window) -> bool:
        """Whether the store holds what there is of *window*."""
        return self.remote is None or (self._fetched is not None and is_fetched(window, self._fetched))

    def _run(self, sql: str, params: Mapping[str, Parameter], window: Window) -> Result:
        if self.remote is None or self._is_here(window):
            return self.engine.run(sql, params, window=window)
        return self.remote.run(sql, params, window)

    def _remember(self, name: str, result: Result) -> Result:
        masked = replace(result, table=mask_table(result.table))
        self.asked.append(asked_of(name, masked))
        return masked


def _masked(finding: Finding) -> Finding:
    return replace(
        finding, summary=mask(finding.summary), resource=mask(finding.resource) if finding.resource else None
    )
