"""What the review is made from: the answers of its questions, the findings of the rules, and the coverage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from auditkit.ecs_review.step import Row, parts, rows
from auditkit.evidence import Coverage
from auditkit.model import Finding


@dataclass(frozen=True)
class Facts:
    """Frames are answers of the questions in queries/review/ that bear the same name, with all of their columns."""

    task_definitions: pd.DataFrame
    launches: pd.DataFrame
    security_groups: pd.DataFrame
    security_group_changes: pd.DataFrame
    cluster_access: pd.DataFrame
    shells: pd.DataFrame
    registry: pd.DataFrame
    image_pulls: pd.DataFrame
    logging_state: pd.DataFrame
    role_changes: pd.DataFrame
    role_use: pd.DataFrame
    task_traffic: pd.DataFrame
    secret_reads: pd.DataFrame  # of activity/secret_reads
    findings: Sequence[Finding]
    coverage: Coverage
    web_ports: frozenset[int] = frozenset({80, 443})  # open to everyone by right
    database_ports: frozenset[int] = frozenset({3306, 5432})
    cluster: str | None = None  # what was asked for, by name; None: all
    service: str | None = None

    @cached_property
    def started(self) -> list[Row]:
        """The launches in scope: those of the service, and tasks started alone from its task definitions."""
        launched = rows(self.launches)
        if self.service is None:
            return launched
        own = [row for row in launched if row["ecs_service"] == self.service]
        families = {self.service} | {family(row) for row in own if row["definition"]}
        return [row for row in launched if row["ecs_service"] == self.service or family(row) in families]

    @cached_property
    def definitions(self) -> list[Row]:
        """The containers of the task definitions in scope that were registered, not those of refused attempts."""
        registered = [row for row in rows(self.task_definitions) if row["outcome"] == "ok"]
        if self.cluster is None and self.service is None:
            return registered
        families = {family(row) for row in self.started if row["definition"]} | {self.service}
        return [row for row in registered if row["family"] in families]

    @cached_property
    def is_scoped(self) -> bool:
        return self.cluster is not None or self.service is not None

    @property
    def scope(self) -> str:
        """Words for what was asked for: `service checkout in cluster shop`, `any service`."""
        named = [f"service {self.service}"] if self.service else []
        named += [f"cluster {self.cluster}"] if self.cluster else []
        return " in ".join(named) or "any service"

    def found(self, *rules: str, of: Iterable[str] | None = None) -> list[Finding]:
        """The findings of *rules*, worst first.

        Args:
            of: Event ids; with a scope, only findings that rest on one of them.
        """
        wanted = [finding for finding in self.findings if finding.rule in rules]
        if of is None or not self.is_scoped:
            return wanted
        known = set(of)
        return [finding for finding in wanted if known.intersection(finding.evidence)]

    def of_ecs(self) -> set[str]:
        """The ids of the events in scope: definitions registered, services changed, tasks started, shells opened."""
        events = {str(row["event_id"]) for row in (*self.definitions, *self.started)}
        return events | {str(row["event_id"]) for row in rows(self.shells)}


def family(launch: Row) -> str:
    """`checkout` of a launch of `checkout:42`."""
    return str(launch["definition"] or "").partition(":")[0]


def groups_of(launches: Iterable[Row]) -> set[str]:
    return {group for row in launches for group in parts(row["security_groups"])}
