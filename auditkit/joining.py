"""Which findings belong together.

Two do when at most a gap lies between their spans, and

- one principal is behind both;
- one of them succeeded and is about the principal of the other, which does not lie wholly before it: a user that was
  made or given a key, a role whose trust was changed. So it is with a task or instance that somebody got into, and the
  session of its role;
- they share a public source address that few principals share. What many share is a NAT gateway or an office.

A finding that names no principal, as those of flow records, goes to the worst group that shares an address or a thing
(an interface, an instance, a task) with it. It cannot join two groups: one row can sum up the scanning of a week. What
is left of these joins among themselves, where it names few addresses.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from auditkit.addresses import address_of, is_public
from auditkit.model import SEVERITIES, Finding

K = TypeVar("K", bound=Hashable)

_IAM = re.compile(r"arn:[^:]*:(?:iam|sts)::(\d*):(user|role|assumed-role|federated-user|root)(?:/(.+))?", re.DOTALL)
# An id as `eni-…` or of a task: alone, at the end of an ARN, or in Session Manager's `ecs:shop_<task>_<runtime>`
_THING = re.compile(r"(?:.*[/_])?([a-z]+-[0-9a-f]{8,17}|[0-9a-f]{32})(?:_[^_/]*)?", re.DOTALL)
_WORKLOAD = re.compile(r"i-[0-9a-f]+|[0-9a-f]{32}")


def joined(
    findings: Iterable[Finding], gap: timedelta, few: int, shared_addresses: Collection[str] = ()
) -> list[list[Finding]]:
    """Every finding in one group, by time; the groups by their first. The order of *findings* plays no part.

    Takes time in proportion to their number, their addresses, and how often *gap* fits into the window.
    """
    board = _Board(findings, gap, few, {address_of(text) for text in shared_addresses})
    board.join_principals()
    board.join_deeds()
    board.join_addresses()
    board.add_unnamed()
    return [[board.findings[n] for n in group] for group in board.groups()]


class _Span(NamedTuple):
    """When a group of findings has to do with an address or a thing. The worst group sorts first, then the earliest."""

    mildness: int
    member: int
    start: datetime
    end: datetime


class _Board:
    """Findings by time, and which of them are joined. A finding is known by its place in that order."""

    def __init__(self, findings: Iterable[Finding], gap: timedelta, few: int, shared: Collection[Hashable]) -> None:
        self.findings = sorted(findings, key=_in_time)
        self.gap, self.few = gap, few
        self.parents = list(range(len(self.findings)))
        self.named = [n for n, finding in enumerate(self.findings) if finding.principal_arn]
        self.unnamed = [n for n, finding in enumerate(self.findings) if not finding.principal_arn]
        self.whose = {n: _principal(self.findings[n]) for n in self.named}
        self.by_principal = self._by(self.named, lambda n: [self.whose[n]])
        by_point = self._by(self.named, lambda n: [*_addresses(self.findings[n]), *_thing(self.findings[n])])
        self.crowded = {point for point, found in by_point.items() if len({self.whose[n] for n in found}) > few}
        self.shared = shared
        self.by_point = {point: found for point, found in by_point.items() if self._means_somebody(point)}

    def join_principals(self) -> None:
        for found in self.by_principal.values():
            self._join_runs(found)

    def join_addresses(self) -> None:
        for point, found in self.by_point.items():
            if not isinstance(point, tuple):  # a private address or a thing, known by its account as well
                self._join_runs(found)

    def join_deeds(self) -> None:
        """What was done to a principal or a workload, with what it does from then on."""
        done = [n for n in self.named if self.findings[n].outcome == "ok"]
        for key, deeds in self._by(done, lambda n: _meant(self.findings[n], self.by_principal.keys())).items():
            self._join_afterwards(deeds, self.by_principal[key])
        sessions = [n for n in self.named if self.findings[n].rule.startswith("sts.")]
        entered = self._by(set(done).difference(sessions), lambda n: _workload(self.findings[n]))
        for key, acts in self._by(sessions, lambda n: _workload(self.findings[n])).items():
            for of_one in self._by(acts, lambda n: [self.whose[n]]).values():
                self._join_afterwards(entered.get(key, []), of_one)

    def add_unnamed(self) -> None:
        """Each finding without a principal to the worst group it has something in common with; the rest together."""
        spans = self._spans()
        left = []
        for n in self.unnamed:
            finding = self.findings[n]
            reached = [
                span
                for point in (*_addresses(finding), *_thing(finding))
                for span in spans.get(point, ())
                if span.start - self.gap <= finding.last_seen and finding.first_seen - self.gap <= span.end
            ]
            if reached:
                self._join(n, min(reached).member)
            else:
                left.append(n)
        for point, found in self._by(left, lambda n: self._own_points(self.findings[n])).items():
            if self._means_somebody(point):
                self._join_runs(found)

    def groups(self) -> Iterable[list[int]]:
        """Every finding in one group, each by time."""
        groups: dict[int, list[int]] = defaultdict(list)
        for n in range(len(self.findings)):
            groups[self._root(n)].append(n)
        return groups.values()

    def _spans(self) -> dict[Hashable, list[_Span]]:
        worst: dict[int, int] = {}
        for n in self.named:
            root = self._root(n)
            worst[root] = min(worst.get(root, 0), -SEVERITIES.index(self.findings[n].severity))
        spans: dict[Hashable, list[_Span]] = defaultdict(list)
        for point, found in self.by_point.items():
            for root, members in self._by(found, lambda n: [self._root(n)]).items():
                for run in self._runs(members):
                    start, end = self.findings[run[0]].first_seen, max(self.findings[n].last_seen for n in run)
                    spans[point].append(_Span(worst[root], root, start, end))
        return spans

    def _means_somebody(self, point: Hashable) -> bool:
        address = point[1] if isinstance(point, tuple) else point
        return point not in self.crowded and address not in self.shared

    def _own_points(self, finding: Finding) -> list[Hashable]:
        """What *finding* alone stands for: none of its addresses when there are many."""
        addresses = _addresses(finding)
        return [*(addresses if len(addresses) <= self.few else ()), *_thing(finding)]

    def _by(self, found: Iterable[int], keys: Callable[[int], Iterable[K]]) -> dict[K, list[int]]:
        """*found* by each of their keys, in the order of time."""
        groups: dict[K, list[int]] = defaultdict(list)
        for n in sorted(found):
            for key in keys(n):
                groups[key].append(n)
        return groups

    def _runs(self, found: Sequence[int]) -> Iterator[list[int]]:
        """*found*, by time, cut where a pause is longer than the gap."""
        run: list[int] = []
        end = self.findings[found[0]].last_seen
        for n in found:
            if self.findings[n].first_seen - end > self.gap:
                yield run
                run = []
            run.append(n)
            end = max(end, self.findings[n].last_seen)
        yield run

    def _join_runs(self, found: Sequence[int]) -> None:
        for run in self._runs(found):
            for n in run:
                self._join(run[0], n)

    def _join_afterwards(self, deeds: Sequence[int], acts: Sequence[int]) -> None:
        """Each of *deeds* with those of *acts* that end after it begins, and begin within the gap after it ends.

        Of the acts so far only the one that ends last is kept, of the deeds so far the one that ends last and has been
        joined to an act: whatever else the next one meets is joined to these already.
        """
        latest: int | None = None
        waiting: list[int] = []
        acting = set(acts)
        for n in sorted({*deeds, *acts}):
            finding = self.findings[n]
            if n in acting:
                waiting = [d for d in waiting if finding.first_seen - self.findings[d].last_seen <= self.gap]
                for deed in waiting:
                    self._join(deed, n)
                waiting = [max(waiting, key=lambda d: self.findings[d].last_seen)] if waiting else []
                if latest is None or self.findings[latest].last_seen <= finding.last_seen:
                    latest = n
            else:
                if latest is not None and self.findings[latest].last_seen >= finding.first_seen:
                    self._join(latest, n)
                waiting.append(n)

    def _join(self, one: int, other: int) -> None:
        roots = sorted((self._root(one), self._root(other)))
        self.parents[roots[1]] = roots[0]  # the earliest is the root

    def _root(self, n: int) -> int:
        while self.parents[n] != n:
            self.parents[n] = n = self.parents[self.parents[n]]
        return n


# --- what findings have in common -----------------------------------------------------------------------------------


def _in_time(finding: Finding) -> tuple[Any, ...]:
    """By beginning, then id; the rest tells apart two rows of a rule that come under one id."""
    told = finding.severity, finding.outcome, finding.event_count, finding.source_ips, finding.evidence
    return finding.first_seen, finding.id, finding.last_seen, *told


def _principal(finding: Finding) -> Hashable:
    """Who is behind *finding*: a name of an account, whatever path its ARN has. A service is one in each account."""
    arn = finding.principal_arn or ""
    return _of_arn(arn) or (finding.account_id, "other", arn)


def _of_arn(arn: str) -> Hashable | None:
    """A user or role by account, kind and name, in which IAM does not tell capitals from small letters."""
    if not (match := _IAM.fullmatch(arn)):
        return None
    account, kind, path = match.groups()
    parts = (path or "").lower().split("/")
    return (account, "role", parts[0]) if kind == "assumed-role" else (account, kind, parts[-1])


def _meant(finding: Finding, known: Collection[Hashable]) -> list[Hashable]:
    """The one among the *known* principals that the resource of *finding* is.

    A bare name is a role's where the rule has `role` in its name. In rules about IAM it is otherwise a user's where
    the name says `user`, else either's; when both are known, nobody can tell which. Elsewhere it is something else: a
    secret or a service is often called like its role.
    """
    name = finding.resource or ""
    if key := _of_arn(name):
        return [key] if key in known else []
    if not name or re.search(r"[:/]", name):
        return []
    service, _, rule = finding.rule.partition(".")
    words = rule.split("_")
    if "role" in words:
        kinds = ["role"]
    elif service == "iam":
        kinds = ["user"] if "user" in words else ["user", "role"]
    else:
        return []
    found: list[Hashable] = [(finding.account_id, kind, name.lower()) for kind in kinds]
    found = [key for key in found if key in known]
    return found if len(found) == 1 else []


def _addresses(finding: Finding) -> set[Hashable]:
    """Public addresses as they are, private ones with their account: every network has the same.

    What is no address, as `cloudformation.amazonaws.com`, is nobody's.
    """
    named = [finding.resource] if finding.resource and not finding.principal_arn else []
    found = {address for text in (*finding.source_ips, *named) if (address := address_of(text))}
    return {address if is_public(address) else (finding.account_id, address) for address in found}


def _thing(finding: Finding) -> list[Hashable]:
    """The interface, instance, task, group, … that *finding* is about, if its id cannot mean anything else."""
    match = _THING.fullmatch(finding.resource or "")
    return [(finding.account_id, match[1])] if match else []


def _workload(finding: Finding) -> list[Hashable]:
    match = _THING.fullmatch(finding.resource or "")
    return [(finding.account_id, match[1])] if match and _WORKLOAD.fullmatch(match[1]) else []
