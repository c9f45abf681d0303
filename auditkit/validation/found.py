"""The files of one place, sorted out by name: the chains of digests, and the log files beside them."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from auditkit.model import Window
from auditkit.validation.names import Chain, LogName, Scope, digest_name, log_name
from auditkit.validation.places import Place

_LISTED_WITHIN = timedelta(hours=1)  # the digest of the next hour may list what was delivered late


class Found:
    """What lies in *place*. Digests that end in *window* or up to an hour after it count, as for AWS's own command."""

    def __init__(self, place: Place, window: Window) -> None:
        """Raises: SourceError, for a place that cannot be listed."""
        self.place = place
        self.chains: dict[Scope, dict[Chain, list[tuple[datetime, str]]]] = defaultdict(dict)  # newest first
        self.after: dict[Chain, str] = {}  # the digest after those, which names the newest of them
        self.logs: dict[Scope, list[tuple[str, LogName]]] = defaultdict(list)  # of the window
        self.outside = 0  # digests that do not count
        self.others = 0  # files that are neither a digest nor a log file of CloudTrail, by name and folder
        chains: dict[Chain, list[tuple[datetime, str]]] = defaultdict(list)
        for name in place.names(window):
            path = place.path(name)
            if digest := digest_name(path):
                chains[digest.chain].append((digest.end, name))
            elif log := log_name(path):
                if _touches(window, log):
                    self.logs[log.scope].append((name, log))
            else:
                self.others += 1
        for chain, digests in sorted(chains.items()):
            digests.sort(reverse=True)
            counting = [(end, name) for end, name in digests if _counts(window, end)]
            self.outside += len(digests) - len(counting)
            if counting:
                self.chains[chain.scope][chain] = counting
                if after := [name for end, name in digests if (end, name) > counting[0]]:
                    self.after[chain] = after[-1]

    @property
    def scopes(self) -> list[Scope]:
        return sorted(self.chains.keys() | self.logs.keys())

    @property
    def digests(self) -> int:
        return sum(len(digests) for chains in self.chains.values() for digests in chains.values())


def _counts(window: Window, end: datetime) -> bool:
    return (window.start is None or end >= window.start) and (window.end is None or end <= window.end + _LISTED_WITHIN)


def _touches(window: Window, log: LogName) -> bool:
    if log.start is None or log.end is None:
        return True
    return (window.start is None or log.end > window.start) and (window.end is None or log.start < window.end)
