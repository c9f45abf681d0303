"""The answer to who a subject is: a value that holds everything known of it, each part with its proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from auditkit.identity.activity import Row, Use
from auditkit.identity.around import Network
from auditkit.identity.hops import Hop, Lineage, Origin
from auditkit.identity.subject import Subject
from auditkit.identity.workload import Injected, Made, Task
from auditkit.model import Finding, Window, iso


@dataclass(frozen=True, slots=True)
class Traced:
    """One identity, how much it did of what is asked about, and who stood behind it."""

    use: Use
    lineage: Lineage

    def as_json(self) -> dict[str, Any]:
        return {
            **self.use.identity.as_json(),
            "event_count": self.use.event_count,
            "denied_count": self.use.denied_count,
            "first_seen": iso(self.use.first_seen),
            "last_seen": iso(self.use.last_seen),
            "source_ips": list(self.use.source_ips),
            **self.lineage.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Group:
    """The lineages that lead back to one origin, the most active first."""

    origin: Origin  # with the weakest certainty among them
    traced: Sequence[Traced]

    @property
    def event_count(self) -> int:
        return sum(traced.use.event_count for traced in self.traced)

    def as_json(self) -> dict[str, Any]:
        return {**self.origin.as_json(), "identities": len(self.traced), "event_count": self.event_count}


@dataclass(frozen=True, slots=True)
class Maker:
    """Who registered, deployed or started something, and who stood behind that."""

    made: Made
    origin: Origin

    def as_json(self) -> dict[str, Any]:
        return {**self.made.as_json(), "origin": self.origin.as_json()}


@dataclass(frozen=True, slots=True)
class Workload:
    """The ECS side of a subject, the latest first; empty where it has none."""

    tasks: Sequence[Task]
    makers: Sequence[Maker]  # of those tasks and their definitions, and of a service's deployments
    injected: Sequence[Injected]  # of a secret: the task definitions that hand it to their containers

    def means(self, principal_arn: str | None) -> bool:
        """Whether a secret is meant for this role: its task definitions hand it to containers under that role."""
        return any(principal_arn in one.role_arns for one in self.injected)

    def maker_of(self, made: Made | None) -> Maker | None:
        return next((maker for maker in self.makers if made and maker.made.event_id == made.event_id), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "tasks": [task.as_json() for task in self.tasks],
            "made_by": [maker.as_json() for maker in self.makers],
            "injected": [one.as_json() for one in self.injected],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the logs know of a subject. Lists have the most active first, the chain and what was issued the oldest."""

    subject: Subject
    window: Window
    sentence: str  # the answer, with its certainty
    origin: Origin  # when all lineages agree; else one that says that they do not
    chain: tuple[Hop, ...]  # from the origin on, of the lineage with the most hops
    origins: tuple[Group, ...]
    issued: tuple[Hop, ...]  # what it went on to take
    activity: tuple[Row, ...]
    denials: tuple[Row, ...]
    addresses: tuple[Row, ...]
    user_agents: tuple[Row, ...]
    secrets: tuple[Row, ...]
    done_to: tuple[Row, ...]  # what others called about it
    findings: tuple[Finding, ...]
    network: Network
    workload: Workload
    unknown: tuple[str, ...]  # sentences: what the logs cannot tell

    @property
    def lineages(self) -> list[Traced]:
        """One an identity, the most active first; of a secret, before all others those for whom it is not meant."""
        traced = [traced for group in self.origins for traced in group.traced]
        means = self.workload.means
        return sorted(
            traced,
            key=lambda one: (
                means(one.use.identity.principal_arn),
                -one.use.event_count,
                one.use.first_seen,
                str(one.use.identity),
            ),
        )

    def _meant(self, traced: Traced) -> dict[str, bool]:
        is_secret = self.subject.kind == "secret"
        return {"meant": self.workload.means(traced.use.identity.principal_arn)} if is_secret else {}

    def as_json(self) -> dict[str, Any]:
        """Plain values; times are aware, and `output.as_json` writes them."""
        return {
            "subject": self.subject.text,
            "kind": self.subject.kind,
            "name": self.subject.name,
            "names": list(self.subject.names),
            "window": self.window.as_json(),
            "sentence": self.sentence,
            "origin": self.origin.as_json(),
            "chain": [hop.as_json() for hop in self.chain],
            "origins": [group.as_json() for group in self.origins],
            "lineages": [traced.as_json() | self._meant(traced) for traced in self.lineages],
            "issued": [hop.as_json() for hop in self.issued],
            "activity": list(self.activity),
            "denials": list(self.denials),
            "addresses": list(self.addresses),
            "user_agents": list(self.user_agents),
            "secrets": list(self.secrets),
            "done_to": list(self.done_to),
            "findings": [finding.as_json() for finding in self.findings],
            "network": self.network.as_json(),
            "workload": self.workload.as_json(),
            "unknown": list(self.unknown),
        }
