"""Is the evidence complete, hour by hour: one state for each table, account, region and hour, and what proves it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from auditkit.errors import ParameterError
from auditkit.logs.keys import HOUR_S, is_account, is_region
from auditkit.model import Window, counted
from auditkit.signs import Gathered, Pair, Signs, hour_of

STATES = ("seen", "quiet", "missing", "blind", "quarantined")
# What an hour is called, the first that holds; what proves it; and a sentence. Records of a file that is gone count as
# gone even where others of the same hour were seen.
VERDICTS = (
    ("quarantined", "file", "{files} could not be read, whole or in part"),
    ("missing", "left out", "outside the window that the logs were read for"),
    ("blind", "SKIPDATA", "AWS skipped flow records (SKIPDATA) for {blind_s:,} s, added up over the interfaces"),
    ("missing", "listed files", "{files} that a digest lists {are} not among those read"),
    ("missing", "no digest", "the digest is not among those read, though its chain goes on"),
    ("seen", "digest", "events are stored, and every file that the digests list was read"),
    ("seen", "records", "records are stored"),
    ("quiet", "NODATA", "the flow logs say that there was no traffic"),
    ("quiet", "digest", "every file that the digests list was read, and none holds an event of these hours"),
    ("missing", "chain ends", "no digest from here on, though those of other regions go on"),
    ("missing", "new chain", "the digests begin anew afterwards: logging or its validation was off"),
    ("missing", "never seen", "expected, and nothing of this account and region is among the logs"),
    ("quiet", "trail at work", "no event, but files or events of this account say that its trail was at work"),
    ("missing", "nothing", "nothing shows whether logs of these hours were delivered"),
)
ALARMS = frozenset({"listed files", "no digest", "chain ends", "new chain", "never seen"})  # of what is missing
WEAK = "trail at work"  # of what is quiet: likely, and not proven
_CODE = {(state, proof): code for code, (state, proof, _) in enumerate(VERDICTS)}
_STATE = np.array([STATES.index(state) for state, _, _ in VERDICTS])
_NAMED = {"lost": _CODE["missing", "listed files"], "quarantined": _CODE["quarantined", "file"]}
SPAN = pa.schema(
    [
        ("table", pa.string()),
        ("account_id", pa.string()),
        ("region", pa.string()),
        ("state", pa.string()),
        ("proof", pa.string()),
        ("start", pa.timestamp("s", "UTC")),
        ("end", pa.timestamp("s", "UTC")),
        ("hours", pa.int64()),
        ("records", pa.int64()),  # stored, of these hours
        ("blind_s", pa.int64()),  # seconds of SKIPDATA, added up over the interfaces
        ("files", pa.list_(pa.string())),  # the names of those that are gone or could not be read
        ("because", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Hours:
    """Every hour of a window for every account and region, in spans of one state and one proof."""

    start: int | None  # the first hour judged, counted from 1970; None when there was none to judge
    end: int | None  # not included
    spans: pa.Table  # of the schema SPAN, by table, account, region and start
    by_state: dict[str, dict[str, int]]  # table: state: hours


def judge(gathered: Gathered, window: Window, *, accounts: Iterable[str] = (), regions: Iterable[str] = ()) -> Hours:
    """The state of every hour that *window* touches; an open side of it ends with the logs.

    An hour that the window cuts is judged whole.

    Args:
        accounts, regions: Expected besides what the logs know of; either alone is crossed with what they know of the
            other, in every table of which they know anything.
    Raises: ParameterError, for what is no account id or no region.
    """
    accounts, regions = check_expected(accounts, regions)
    bounds = _bounds(gathered, window)
    alive = [signs for signs in gathered.tables.values() if signs.pairs] or [gathered.tables["cloudtrail_events"]]
    expected = {signs.table: _expect(signs, accounts, regions) for signs in alive}
    tables, by_state = [SPAN.empty_table()], {}
    if bounds is not None:
        for signs in alive:
            if signs.pairs:
                spans, hours = _Cells(signs, *bounds, gathered.read_for, expected[signs.table]).spans()
                tables.append(spans)
                by_state[signs.table] = hours
    start, end = bounds or (None, None)
    return Hours(start, end, pa.concat_tables(tables), by_state)


def check_expected(accounts: Iterable[str], regions: Iterable[str]) -> tuple[list[str], list[str]]:
    """Both, each sorted and once. Raises: ParameterError, for what is no account id or no region."""
    checked = sorted(set(accounts)), sorted(set(regions))
    if wrong := [account for account in checked[0] if not is_account(account)]:
        raise ParameterError(f"{wrong[0]!r} is not an account id, which has 12 digits: 111122223333.")
    if wrong := [region for region in checked[1] if not is_region(region)]:
        raise ParameterError(f"{wrong[0]!r} is not a region such as eu-central-1.")
    return checked


def _expect(signs: Signs, accounts: list[str], regions: list[str]) -> set[int]:
    """The pairs that are expected and of which nothing was ever seen, now among the others."""
    seen = set(signs.pairs)
    if accounts or regions:
        of_accounts = accounts or sorted({account for account, _ in seen if account})
        of_regions: list[str | None] = list(regions or sorted({region for _, region in seen if region})) or [None]
        wanted: list[Pair] = [(account, region) for account in of_accounts for region in of_regions]
        return {signs.index(pair) for pair in wanted if pair not in seen}
    return set()


def _bounds(gathered: Gathered, window: Window) -> tuple[int, int] | None:
    life = [span for signs in gathered.tables.values() for span in signs.life]
    read_from, read_to = gathered.read_for
    start = hour_of(window.start) if window.start else min((first for first, _ in life), default=None)
    end = hour_of(window.end, up=True) if window.end else max((end for _, end in life), default=None)
    if start is None or end is None:
        return None
    if window.start is None and read_from is not None:
        start = max(start, read_from)
    if window.end is None and read_to is not None:
        end = min(end, read_to)
    return (start, end) if start < end else None


class _Cells:
    """The hours of one table. Time is cut where anything begins or ends, so a stretch without signs is one cell."""

    def __init__(
        self, signs: Signs, start: int, end: int, read_for: tuple[int | None, int | None], unseen: set[int]
    ) -> None:
        self.signs, self.unseen = signs, unseen
        self.pairs = sorted(signs.pairs, key=lambda pair: (pair[0] or "", pair[1] or ""))
        rows = np.empty(len(self.pairs), np.int64)
        rows[[signs.pairs[pair] for pair in self.pairs]] = np.arange(len(self.pairs))
        self.row_of = rows
        self.lost = [
            (one, max(one.start, start), min(one.end, end)) for one in signs.lost if one.start < end and one.end > start
        ]
        self.marks = {what: self._clipped(marks, start, end) for what, marks in signs.marks.items()}
        edges = [np.array([start, end, *(min(max(hour, start), end) for hour in read_for if hour is not None)])]
        edges += [times for mark in self.marks.values() for times in mark[1:3]]
        edges += [np.array([hour for _, first, last in self.lost for hour in (first, last)], np.int64)]
        self.edges = np.unique(np.concatenate(edges))
        self.lengths = np.diff(self.edges)
        read_from, read_to = (
            start if read_for[0] is None else read_for[0],
            end if read_for[1] is None else read_for[1],
        )
        self.left_out = (self.edges[:-1] < read_from) | (self.edges[1:] > read_to)

    def _clipped(self, marks: list[tuple[Any, Any, Any, Any]], start: int, end: int) -> tuple[Any, Any, Any, Any]:
        pairs, starts, ends, values = (np.concatenate(column) for column in zip(*marks, strict=True))
        starts, ends = np.maximum(starts, start), np.minimum(ends, end)
        inside = starts < ends
        return self.row_of[pairs[inside]], starts[inside], ends[inside], values[inside]

    def amount(self, what: str) -> Any:
        """How much of *what* there is in an hour of each cell: a row a pair, a column a stretch of time."""
        width = len(self.edges)
        if what not in self.marks:
            return np.zeros((len(self.pairs), width - 1), np.int64)
        rows, starts, ends, values = self.marks[what]
        return self._summed(rows, starts, ends, values)

    def _summed(self, rows: Any, starts: Any, ends: Any, values: Any) -> Any:
        width, cells = len(self.edges), len(self.pairs) * len(self.edges)
        rises = np.bincount(rows * width + np.searchsorted(self.edges, starts), values, cells)
        falls = np.bincount(rows * width + np.searchsorted(self.edges, ends), values, cells)
        return np.cumsum((rises - falls).reshape(-1, width), axis=1)[:, :-1].astype(np.int64)

    def _named(self, what: str) -> Any:
        of_kind = [(one.pair, first, last) for one, first, last in self.lost if one.what == what]
        if not of_kind:
            return np.zeros((len(self.pairs), len(self.lengths)), bool)
        pairs, starts, ends = np.array(of_kind, np.int64).T
        return self._summed(self.row_of[pairs], starts, ends, np.ones(len(pairs))) > 0

    def _codes(self, records: Any) -> Any:
        seen, files, whole = records > 0, self.amount("files") > 0, self.amount("whole") > 0
        accounts = np.array([n for n, pair in enumerate(self.pairs) if not n or pair[0] != self.pairs[n - 1][0]])
        sizes = np.diff([*accounts, len(self.pairs)])
        at_work = np.logical_or.reduceat(files | seen, accounts, axis=0)
        at_work[~np.logical_or.reduceat(files.any(axis=1), accounts)] = False  # no trail: records came another way
        at_work = np.repeat(at_work, sizes, axis=0)
        unseen = np.zeros((len(self.pairs), 1), bool)
        unseen[self.row_of[sorted(self.unseen)]] = True
        holds = {
            ("quarantined", "file"): self._named("quarantined"),
            ("missing", "left out"): np.broadcast_to(self.left_out, seen.shape),
            ("blind", "SKIPDATA"): self.amount("blind") > 0,
            ("missing", "listed files"): self._named("lost"),
            ("missing", "no digest"): (self.amount("no digest") > 0) & ~whole,
            ("seen", "digest"): seen & whole,
            ("seen", "records"): seen,
            ("quiet", "NODATA"): self.amount("nodata") > 0,
            ("quiet", "digest"): whole,
            ("missing", "chain ends"): self.amount("chain ends") > 0,
            ("missing", "new chain"): self.amount("new chain") > 0,
            ("missing", "never seen"): np.broadcast_to(unseen, seen.shape),
            ("quiet", WEAK): at_work & (self.signs.table == "cloudtrail_events"),
        }
        codes = np.full(seen.shape, _CODE["missing", "nothing"], np.int8)
        for verdict in reversed(holds):
            codes[holds[verdict]] = _CODE[verdict]
        return codes

    def spans(self) -> tuple[pa.Table, dict[str, int]]:
        """The spans, and how many hours are in which state."""
        records, blind_s = self.amount("records"), self.amount("blind_s")
        codes = self._codes(records)
        hours = np.bincount(_STATE[codes].ravel(), np.tile(self.lengths, len(self.pairs)), len(STATES))
        width = len(self.lengths)
        begins = np.ones(codes.shape, bool)
        begins[:, 1:] = codes[:, 1:] != codes[:, :-1]
        first = np.flatnonzero(begins)
        last = np.append(first[1:], codes.size) - 1
        code = codes.ravel()[first]
        named = self._names(first, code, width)
        names = [named.get(span, []) for span in range(len(first))]
        lost_s = np.add.reduceat((blind_s * self.lengths).ravel(), first)
        pairs = [self.pairs[row] for row in (first // width).tolist()]
        start, end = self.edges[first % width], self.edges[last % width + 1]
        verdicts = [VERDICTS[at] for at in code.tolist()]
        columns = [
            pa.repeat(self.signs.table, len(first)),
            pa.array([account for account, _ in pairs], pa.string()),
            pa.array([region for _, region in pairs], pa.string()),
            pa.array([state for state, _, _ in verdicts], pa.string()),
            pa.array([proof for _, proof, _ in verdicts], pa.string()),
            pa.array(start * HOUR_S).cast(SPAN.field("start").type),
            pa.array(end * HOUR_S).cast(SPAN.field("end").type),
            pa.array(end - start),
            pa.array(np.add.reduceat((records * self.lengths).ravel(), first)),
            pa.array(lost_s),
            pa.array(names, pa.list_(pa.string())),
            pa.array([_because(*facts) for facts in zip(verdicts, names, lost_s.tolist(), strict=True)], pa.string()),
        ]
        return pa.table(columns, schema=SPAN), dict(zip(STATES, map(int, hours), strict=True))

    def _names(self, first: Any, code: Any, width: int) -> dict[int, list[str]]:
        """For each span that is about files their names, sorted, by the number of the span."""
        found: dict[int, set[str]] = {}
        for one, start, end in self.lost:
            row = int(self.row_of[one.pair]) * width
            cells = row + np.searchsorted(self.edges, [start, end - 1], side="right") - 1
            one_from, one_to = np.searchsorted(first, cells, side="right").tolist()
            for span in range(one_from - 1, one_to):
                if code[span] == _NAMED[one.what]:
                    found.setdefault(span, set()).add(one.name)
        return {span: sorted(names) for span, names in found.items()}


def _because(verdict: tuple[str, str, str], names: list[str], blind_s: int) -> str:
    are = "is" if len(names) == 1 else "are"
    return verdict[2].format(files=counted(len(names), "file"), are=are, blind_s=blind_s)


def gaps(spans: pa.Table, *, proven: bool = False) -> list[dict[str, Any]]:
    """The spans in which logs are missing; *proven* leaves out those of which nothing is known either way."""
    missing: list[dict[str, Any]] = spans.filter(pc.equal(spans["state"], "missing")).to_pylist()
    return [span for span in missing if span["proof"] in ALARMS] if proven else missing
