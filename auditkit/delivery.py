"""What CloudTrail's digests testify: which hours were delivered whole, and what is gone.

A digest lists the files that one trail delivered for one account and region in about an hour, an empty one included,
and names the digest before it. Its times are those of delivery; an event is delivered some minutes after it happened.
So an hour is delivered whole when the digests of one trail reach from its start to LAG_S after its end without a break,
and a file that is gone may hold events from LAG_S before the time in its name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

from auditkit.logs.keys import HOUR_S, Named, name_of, parse

LAG_S = 15 * 60  # AWS names 5 minutes as the average
PATIENCE_S = 2 * HOUR_S  # digests of two regions need not begin and end in the same hour


class Stretch(NamedTuple):
    """Hours of one account and region of which something is known, counted from 1970; *end* is not included."""

    # whole, lost, no digest, chain ends, new chain; trail: those its digests of any region can speak of; digests: there
    # are some, of no hour in particular
    what: str
    account_id: str | None
    region: str | None
    start: int
    end: int
    name: str = ""  # of the file that is lost


class _Digest(NamedTuple):
    account_id: str
    region: str | None
    trail: str
    start: int  # epoch seconds
    end: int
    previous: str | None  # a name


def file_hours(file: Named, *, lag_s: int = LAG_S) -> tuple[int, int]:
    """The hours whose records the file may hold, by the time in its name."""
    assert file.time is not None
    return (file.time - lag_s) // HOUR_S, file.time // HOUR_S + 1


def testimony(listed: Iterable[Mapping[str, Any]], known: Collection[str]) -> Iterator[Stretch]:
    """What the digests of *listed* (`Store.each_listed_file`) say, when the files named in *known* are there."""
    for account_id, of_account in groupby(listed, lambda row: row["account_id"]):
        read, names = [], set()
        for _, rows in groupby(of_account, lambda row: row["file_id"]):
            first, *others = rows
            names.add(name_of(first["object"]))
            if (digest := _digest(first)) is None:
                continue
            read.append(digest)
            for row in (first, *others):
                if row["listed"] and (name := name_of(row["listed"])) not in known:
                    yield _lost(row["listed"], name, digest)
        for region in {digest.region for digest in read}:
            yield Stretch("digests", account_id, region, 0, 0)
        read.sort(key=lambda digest: (digest.trail, digest.region or "", digest.start))
        for _, of_trail in groupby(read, lambda digest: digest.trail):
            yield from _of_trail(list(of_trail), names)


def _digest(row: Mapping[str, Any]) -> _Digest | None:
    """None for one whose times make no sense: no one knows of what hour it speaks."""
    start, end = _instant(row["start_time"]), _instant(row["end_time"])
    if start is None or end is None or start >= end:
        return None
    said = parse(row["object"])
    before = name_of(row["previous_object"]) if row["previous_object"] else None
    return _Digest(row["account_id"], row["region"] or None, said.source if said else "", start, end, before)


def _lost(listed: str, name: str, digest: _Digest) -> Stretch:
    said = parse(listed)
    if said is None or said.time is None:
        hours = (digest.start - LAG_S) // HOUR_S, -(-digest.end // HOUR_S)
        return Stretch("lost", digest.account_id, digest.region, *hours, name)
    return Stretch("lost", said.account_id, said.region, *file_hours(said), name)


def _of_trail(digests: list[_Digest], names: Collection[str]) -> Iterator[Stretch]:
    """The digests of one trail in all regions of one account: they begin and end together, where nothing is gone."""
    first, last = min(digest.start for digest in digests), max(digest.end for digest in digests)
    if hours := _whole_hours(first, last):
        yield Stretch("trail", digests[0].account_id, None, *hours)
    chains: dict[str | None, list[_Digest]] = defaultdict(list)
    for digest in digests:
        chains[digest.region].append(digest)
    for chain in chains.values():
        start, end = chain[0].start, chain[0].end
        if chain[0].previous and start - first >= PATIENCE_S:
            yield from _gap("no digest", chain[0], first, start)
        for digest in chain[1:]:
            if digest.start > end:
                yield from _whole(digest, start, end)
                if digest.previous is None:
                    yield from _gap("new chain", digest, end, digest.start)
                elif digest.previous not in names:
                    yield from _gap("no digest", digest, end, digest.start)
                start = digest.start
            end = max(end, digest.end)
        yield from _whole(chain[0], start, end)
        if last - end >= PATIENCE_S:
            yield from _gap("chain ends", chain[0], end, last)


def _whole(digest: _Digest, start: int, end: int) -> Iterator[Stretch]:
    if hours := _whole_hours(start, end):
        yield Stretch("whole", digest.account_id, digest.region, *hours)


def _whole_hours(start: int, end: int) -> tuple[int, int] | None:
    """The hours whose events were all delivered between *start* and *end*."""
    hours = -(-start // HOUR_S), (end - LAG_S) // HOUR_S
    return hours if hours[0] < hours[1] else None


def _gap(what: str, digest: _Digest, start: int, end: int) -> Iterator[Stretch]:
    """The hours of which the better half lies between *start* and *end*; of a shorter time, the hour it is in."""
    half = HOUR_S // 2
    hours = (start + half) // HOUR_S, (end + half) // HOUR_S
    if hours[0] == hours[1]:
        hours = (start + end) // 2 // HOUR_S, (start + end) // 2 // HOUR_S + 1
    yield Stretch(what, digest.account_id, digest.region, *hours)


def _instant(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
