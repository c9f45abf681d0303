"""The doors: logs, a store or an engine opened as an Audit; logs held against their digests."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditkit.audit import Audit
from auditkit.baseline import Before
from auditkit.connections import Settings, connect
from auditkit.engines.cost import size_of
from auditkit.engines.tables import Limits
from auditkit.errors import ParameterError, SourceError, WindowError
from auditkit.ingest import Progress, ingest
from auditkit.logs.flow_format import FlowFormat
from auditkit.logs.reading import Options
from auditkit.logs.source import STORE_LEDGER, is_remote
from auditkit.model import Running, Window
from auditkit.moments import Moment, window_of
from auditkit.parameters import names_in
from auditkit.places import Places
from auditkit.remote import Remote, Say, silently
from auditkit.store import Store

if TYPE_CHECKING:
    from auditkit.validation.verification import Verification


def open(
    *logs: str | Path,
    store: str | Path | None = None,
    since: Moment = None,
    until: Moment = None,
    flow_format: str | None = None,
    progress: Progress | None = None,
    engine: str | Settings | None = None,
    accounts: Iterable[str] | str = (),
    regions: Iterable[str] | str = (),
    max_scan: str | int | None = None,
    baseline: str | Path | None = None,
    networks: str | Path | None = None,
    geoip: Iterable[str | Path] | str | Path = (),
    say: Say = silently,
    running: Callable[[Running], None] | None = None,
    **connection: Any,
) -> Audit:
    """Open logs, a store, logs into a store, or the tables that Athena or Trino has.

    Args:
        logs: Folders or files of CloudTrail and flow-log exports, or `s3://bucket/prefix/` as text. Without *store*
            they are read into a store that lives as long as the Audit; with one, what it does not know yet is added.
        since, until: The window for all questions; each verb can take its own, which for logs in S3 must lie in this
            one: nothing else was fetched. An age counts back from now.
        flow_format: The fields, in order, of flow logs without a header: `${version} ${account-id} …`, or bare names.
            AWS's default by default; a header always wins.
        engine: `athena` or `trino`, with its settings as *connection* (of auditkit.engines.settings) or in AUDITKIT_…
            variables or auditkit.toml; or the settings themselves. It needs a window; *until* is now by default.
        accounts, regions: Of the engine's tables, nothing of others is read. As text, with commas between.
        max_scan: Bytes, as a number or such as "50GB", that one statement may read there at most.
        baseline: What the window is compared with, to tell what is new and what is usual: an age such as "14d" of the
            same logs before it, or a store of earlier ones.
        networks: A networks.toml: what offices, VPNs, partners and subnets are called, and which of them are trusted.
        geoip: MaxMind files of countries and of autonomous systems, which say where other addresses are.
        say: Is told what a statement will read before it runs.
        running: Is told of each statement while it runs there.
    Raises: SourceError, when nothing is named or there; StoreError; WindowError; ParameterError, for a flow format, a
        baseline, a setting, networks or a MaxMind file.
    """
    window = window_of(since, until)
    before = Before.parse(baseline) if baseline else None
    places = Places.read(networks, geoip if isinstance(geoip, str | Path) else tuple(geoip))
    listed = before.reach(window) if before else window
    if engine is not None:
        if logs or store is not None:
            raise SourceError("An engine reads tables of its own. Leave out the logs and the store, or the engine.")
        limits = Limits(_names(accounts), _names(regions))
        most = size_of(max_scan) if isinstance(max_scan, str) else max_scan
        return _remote(Remote(connect(engine, connection, limits, running, most), most, say), window, before, places)
    if given := sorted(name for name, value in connection.items() if value is not None):
        raise ParameterError(f"{', '.join(given)} says how to reach an engine. Name it: engine='athena' or 'trino'.")
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
        report = ingest(opened, logs, listed=listed, options=options, progress=progress) if logs else None
        return Audit(opened, window, tuple(map(str, logs)), report, temporary.pop_all(), before=before, places=places)


def _names(given: Iterable[str] | str) -> tuple[str, ...]:
    return tuple(names_in(given) if isinstance(given, str) else given)


def _remote(remote: Remote, window: Window, before: Before | None, places: Places) -> Audit:
    """An Audit over the tables of an engine. What it fetches of them lies in a store that lives as long as it does."""
    if window.start is None:
        raise WindowError(f"{remote.engine.name} is asked about a window, since it may hold years. Add --since.")
    with ExitStack() as temporary:
        folder = temporary.enter_context(tempfile.TemporaryDirectory(prefix="auditkit-store-"))
        closed = Window(window.start, window.end or datetime.now(UTC))
        opened = Store(Path(folder), create=True)
        return Audit(opened, closed, _temporary=temporary.pop_all(), remote=remote, before=before, places=places)


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
    return walk(places_of([str(place) for place in logs]), source, window_of(since, until), progress)
