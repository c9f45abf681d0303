"""Every chain under the places named, and every log file that lies beside the digests."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from auditkit.errors import UnreadableFileError, VerificationError
from auditkit.logs.digests import ListedFile
from auditkit.model import Window, iso
from auditkit.validation.digest_chain import DigestChain, Judged, load
from auditkit.validation.found import Found
from auditkit.validation.gaps import Hour, gaps
from auditkit.validation.integrity import DamagedError, content_sha256
from auditkit.validation.keys import HOW_TO_KEEP, Keys
from auditkit.validation.names import Chain, LogName, Scope, log_name
from auditkit.validation.places import MissingError, Place
from auditkit.validation.stretches import Stretches
from auditkit.validation.verification import Judgement, Kind, Verdict, Verification

_DELIVERED_WITHIN = timedelta(minutes=10)  # a log file lies there at most so long after the minute in its name
_COVERED_BEFORE = timedelta(hours=2)  # the oldest digest's hour began no earlier before its end
_AHEAD = 64  # files that are read before it is their turn

Progress = Callable[[int, int], None]
Item = TypeVar("Item")
Answer = TypeVar("Answer")


def verify(places: Iterable[Place], keys: Keys, window: Window, progress: Progress | None = None) -> Verification:
    """Hold every log file that the digests of *window* list against what they say, and look for files that none lists.

    The window is on delivery. Raises: SourceError, VerificationError.
    """
    result = Verification(window)
    found = [Found(place, window) for place in places]
    total = sum(of_place.digests for of_place in found)
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    with ThreadPoolExecutor() as pool:
        for of_place in found:
            result.outside += of_place.outside
            result.others += of_place.others
            for scope in of_place.scopes:
                _ScopeWalk(of_place, scope, keys, result, pool, tick).run()
    result.problems.sort(key=lambda problem: (problem.account_id, problem.region, problem.kind, problem.object))
    return result


@dataclass(slots=True)
class _ScopeWalk:
    """The chains and the log files of one account and region in one place."""

    found: Found
    scope: Scope
    keys: Keys
    result: Verification
    pool: ThreadPoolExecutor
    tick: Callable[[], None]
    _hashes: dict[str, str] = field(default_factory=dict)  # what good digests list
    _listed: set[str] = field(default_factory=set)  # the same files by their names in this place
    _doubted: set[str | None] = field(default_factory=set)  # files that only an invalid digest lists

    def run(self) -> None:
        hours: list[Hour] = []
        for chain in self.found.chains.get(self.scope, {}):
            of_chain: list[Hour] = []
            in_order = _in_order(self.pool, self._check, self._log_files(chain, of_chain))
            for (listed, by), (name, verdict, message) in in_order:
                self.result.logs[verdict] += 1
                if name:
                    self._listed.add(name)
                self.result.unread += verdict == "unchecked"
                if verdict != "valid":
                    self._say("log", name or listed.object, verdict, message)
                elif by.verdict != "valid":
                    self.result.logs["unproven"] += 1
            self.result.gaps += gaps(chain, of_chain, self.result.window)
            hours += [] if chain.backfill else of_chain
        self._look_for_unlisted(Stretches(hour.span for hour in hours if hour.span))

    def _log_files(self, chain: Chain, hours: list[Hour]) -> Iterator[tuple[ListedFile, Judged]]:
        """What the good digests of a chain list, each file once, with the digest."""
        place, digests = self.found.place, self.found.chains[self.scope][chain]
        if not chain.backfill:
            start, end = digests[-1][0] - _COVERED_BEFORE, digests[0][0]
            if not self.keys.want(self.scope.region, start, end):
                raise VerificationError(
                    f"There are no public keys for {self.scope.region}, {iso(start)} to {iso(end)}. {HOW_TO_KEEP}"
                )
        judge = DigestChain(place, self.keys, self.scope.region, chain.backfill)
        if chain in self.found.after and not place.keeps_metadata:  # on disk, it alone has the newest one's signature
            judge.judge(load(place, self.found.after[chain]))
        present = {name for _, name in digests}
        for (end, name), loaded in _in_order(self.pool, lambda named: load(place, named[1]), digests):
            judged = judge.judge(loaded)
            self.tick()
            self.result.digests[judged.verdict] += 1
            if judged.verdict != "valid":
                self._say("digest", judged.name, judged.verdict, judged.message)
            digest = judged.digest
            self.result.unread += digest is None and judged.verdict == "unchecked"
            if digest is None or judged.verdict == "invalid":
                hours.append(Hour(end, None, begins=False))
                for listed in digest.logFiles if digest else ():
                    self._doubted.add(place.find(listed.s3Bucket, listed.s3Object, beside=judged.name))
                continue
            hours.append(Hour(end, digest.window, begins=digest.previousDigestS3Object is None))
            self.result.cover(*digest.window)
            for listed in digest.logFiles:
                if self._hashes.get(listed.object) != listed.hashValue:
                    self._hashes[listed.object] = listed.hashValue
                    yield listed, judged
            if place.keeps_metadata and digest.previousDigestS3Bucket not in (None, digest.digestS3Bucket):
                self.result.elsewhere.add(f"s3://{digest.previousDigestS3Bucket}")
            is_oldest = name == digests[-1][1]
            if gone := judge.missing(judged, present, since=self.result.window.start, is_oldest=is_oldest):
                self.result.digests["invalid"] += 1  # as AWS counts it
                self._say("digest", gone.name, "missing", gone.message)

    def _check(self, task: tuple[ListedFile, Judged]) -> tuple[str | None, Verdict, str]:
        """Where a listed file lies, and whether its text is what the digest says. Runs beside others."""
        (listed, by), place = task, self.found.place
        name = place.find(listed.s3Bucket, listed.s3Object, beside=by.name)
        try:
            if name is None:
                raise MissingError
            sha256 = content_sha256(place.get(name))
        except MissingError:
            return None, "missing", "not found, though a digest lists it"
        except DamagedError as error:
            return name, "invalid", str(error)
        except UnreadableFileError as error:
            return name, "unchecked", str(error)
        if sha256 != listed.hashValue:
            return name, "invalid", "its text has not the hash that the digest lists: it was changed"
        return name, "valid", ""

    def _look_for_unlisted(self, covered: Stretches) -> None:
        kinds = {"CloudTrail"} | {log.kind for name in self._listed if (log := log_name(self.found.place.path(name)))}
        for name, log in self.found.logs.get(self.scope, ()):
            if name in self._listed:
                continue
            if log.kind in kinds and name not in self._doubted and _is_covered(log, covered):
                self.result.logs["unlisted"] += 1
                self._say("log", name, "unlisted", "in no digest, though digests cover the time of its delivery")
            else:
                self.result.logs["uncovered"] += 1

    def _say(self, kind: Kind, name: str, verdict: Verdict, message: str) -> None:
        said = Judgement(
            object=name,
            kind=kind,
            account_id=self.scope.account_id,
            region=self.scope.region,
            verdict=verdict,
            message=message,
        )
        (self.result.unchecked if verdict == "unchecked" else self.result.problems).append(said)


def _is_covered(log: LogName, covered: Stretches) -> bool:
    """Whether a digest would list it. At the end of what digests cover, it may be for one that is yet to come."""
    if log.start is None or log.end is None:
        return bool(covered.spans)
    if log.is_day:
        return covered.overlaps(log.start, log.end)
    stretch = covered.around(log.start)
    return stretch is not None and log.start + _DELIVERED_WITHIN <= stretch[1]


def _in_order(
    pool: ThreadPoolExecutor, function: Callable[[Item], Answer], items: Iterable[Item]
) -> Iterator[tuple[Item, Answer]]:
    """Each item with its answer; some are worked out ahead, and never more than a few."""
    ahead: deque[tuple[Item, Future[Answer]]] = deque()
    for item in items:
        ahead.append((item, pool.submit(function, item)))
        if len(ahead) >= _AHEAD:
            first, answer = ahead.popleft()
            yield first, answer.result()
    for first, answer in ahead:
        yield first, answer.result()
