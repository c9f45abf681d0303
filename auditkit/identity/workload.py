"""ECS: from a task to its definition, service and cluster, and to who registered and who deployed it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from auditkit.identity.activity import Row, identity_of
from auditkit.identity.hops import Certainty, Identity
from auditkit.model import iso

TASK_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A task's first flow records bear the start of an interval, which may be this much before the task.
EARLY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Who registered, deployed or started something, with the event that proves it."""

    step: str  # registered, deployed, changed, started
    what: str | None  # the task definition, family:revision
    by: Identity
    event_id: str
    event_name: str
    event_time: datetime  # aware UTC
    source_ip: str | None
    cluster: str | None
    service: str | None
    certainty: Certainty = "proven"
    because: str = "the event says so"

    def as_json(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "task_definition": self.what,
            "event_id": self.event_id,
            "event_name": self.event_name,
            "event_time": iso(self.event_time),
            **self.by.as_json(),
            "source_ip": self.source_ip,
            "cluster": self.cluster,
            "service": self.service,
            "certainty": self.certainty,
            "because": self.because,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One ECS task, and what the logs tell of it; None where they do not. Times are aware UTC."""

    task_id: str
    account_id: str | None
    cluster: str | None
    service: str | None
    task_definition: str | None  # family:revision
    role_arns: tuple[str, ...]  # what credentials it was given, sorted
    interface_ids: str | None
    first_seen: datetime
    last_seen: datetime
    started: Made | None
    deployed: Made | None
    registered: Made | None
    event_ids: tuple[str, ...]  # proofs: of the start, of the credentials
    flow: str | None  # proof, from the flow log
    unknown: tuple[str, ...]  # sentences

    def as_json(self) -> dict[str, Any]:
        makers = {name: made.as_json() if (made := getattr(self, name)) else None for name in _MAKERS}
        return {
            "task_id": self.task_id,
            "account_id": self.account_id,
            "cluster": self.cluster,
            "service": self.service,
            "task_definition": self.task_definition,
            "role_arns": list(self.role_arns),
            "interface_ids": self.interface_ids.split(", ") if self.interface_ids else [],
            "first_seen": iso(self.first_seen),
            "last_seen": iso(self.last_seen),
            **makers,
            "event_ids": list(self.event_ids),
            "flow": self.flow,
            "unknown": list(self.unknown),
        }


_MAKERS = ("started", "deployed", "registered")


@dataclass(frozen=True, slots=True)
class Injected:
    """A task definition that hands a secret to its containers: whose execution role is meant to read it."""

    task_definition: str
    role_arns: tuple[str, ...]  # execution role and task role
    made: Made

    def as_json(self) -> dict[str, Any]:
        return {
            "task_definition": self.task_definition,
            "role_arns": list(self.role_arns),
            "registered": self.made.as_json(),
        }


class Deployments:
    """The rows of `identity/deployments`, to be asked for what belongs to a task, service, cluster, role or secret."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = [
            row | {name: row[name].replace(tzinfo=UTC) for name in ("first_seen", "last_seen")} for row in rows
        ]
        self._of_task: dict[str, list[Row]] = {}
        for row in self._rows:
            if row["task_id"]:
                self._of_task.setdefault(row["task_id"], []).append(row)

    def task(self, task_id: str) -> Task | None:
        """None, when the logs do not name it."""
        rows = self._of_task.get(task_id)
        return self._task(task_id, rows) if rows else None

    def tasks_where(self, fits: Callable[[Row], bool]) -> list[Task]:
        """The tasks with a row that *fits*, the latest first."""
        ids = [task_id for task_id, rows in self._of_task.items() if any(map(fits, rows))]
        tasks = [self._task(task_id, self._of_task[task_id]) for task_id in ids]
        return sorted(tasks, key=lambda task: (task.first_seen, task.task_id), reverse=True)

    def made_where(self, fits: Callable[[Row], bool]) -> list[Made]:
        """Who registered, deployed, changed or started, the latest first."""
        found = [_made(row) for row in self._rows if row["step"] in _STEPS and fits(row)]
        return sorted(found, key=lambda made: (made.event_time, made.event_id), reverse=True)

    def injecting(self, secrets: Collection[str]) -> list[Injected]:
        """The task definitions that name one of *secrets*, the latest first."""
        return [
            Injected(row["task_definition"] or "", _roles([row]), _made(row))
            for row in reversed(self._rows)
            if row["step"] == "registered" and set(secrets) & set(map(secret_name, (row["secrets"] or "").split(", ")))
        ]

    def _task(self, task_id: str, rows: list[Row]) -> Task:
        def known(name: str) -> str | None:
            return next((row[name] for row in rows if row[name]), None)

        account_id, region = known("account_id"), known("aws_region")
        cluster, service, definition = known("cluster"), known("service"), known("task_definition")
        first_seen = min(row["first_seen"] for row in rows)
        started = next((_made(row) for row in rows if row["step"] == "started"), None)
        same_place = [row for row in self._rows if (row["account_id"], row["aws_region"]) == (account_id, region)]
        return Task(
            task_id=task_id,
            account_id=account_id,
            cluster=cluster,
            service=service,
            task_definition=definition,
            role_arns=_roles(rows),
            interface_ids=known("interface_ids"),
            first_seen=first_seen,
            last_seen=max(row["last_seen"] for row in rows),
            started=started,
            deployed=_deployment(same_place, cluster, service, definition, first_seen) if service else None,
            registered=_registration(same_place, definition),
            event_ids=tuple(row["event_id"] for row in rows if row["event_id"]),
            flow=known("flow"),
            unknown=tuple(_unknown(rows, same_place, service, definition, started)),
        )


_STEPS = ("registered", "deployed", "changed", "started")


def secret_name(value_from: str) -> str:
    """The name of the secret that a container's `valueFrom` means, without its ARN and the six characters."""
    found = re.match(r"arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:([^:]+)", value_from)
    return re.sub(r"-[A-Za-z0-9]{6}$", "", found[1]) if found else value_from


def _deployment(
    rows: Iterable[Row], cluster: str | None, service: str, definition: str | None, seen: datetime
) -> Made | None:
    """What set the *service* to the *definition* last before a task of both was *seen*."""
    fitting = [
        row
        for row in rows
        if row["step"] == "deployed"
        and (row["cluster"], row["service"]) == (cluster, service)
        and definition is not None
        and _same_definition(row["task_definition"], definition)
        and row["first_seen"] <= seen + EARLY
    ]
    if not fitting:
        return None
    latest = max(fitting, key=lambda row: row["first_seen"])
    if len(fitting) == 1:
        return _made(latest, because=f"it set the service to {definition}, which the task runs, and nothing else did")
    return _made(latest, certainty="likely", because=f"of {len(fitting)} deployments of {definition} it is the latest")


def _registration(rows: Iterable[Row], definition: str | None) -> Made | None:
    of_definition = (row for row in rows if row["step"] == "registered" and row["task_definition"] == definition)
    return next((_made(row) for row in of_definition), None) if definition else None


def _same_definition(named: str | None, definition: str) -> bool:
    """A call may name the family alone, which is its latest revision."""
    return named == definition or named == definition.partition(":")[0]


def _unknown(
    rows: list[Row], same_place: Iterable[Row], service: str | None, definition: str | None, started: Made | None
) -> Iterable[str]:
    if not any(row["step"] == "seen" for row in rows):
        yield "No flow log with ECS fields shows the task, so its service is not known; CloudTrail does not record it."
    if definition is None:
        yield "The logs do not tell its task definition."
    elif _registration(same_place, definition) is None:
        yield f"Who registered {definition} is not in the logs; it may lie before the window."
    if service is None and started is None:
        yield "No RunTask or StartTask of it is in the logs, and no service that it belongs to."


def _made(row: Row, *, certainty: Certainty = "proven", because: str = "the event says so") -> Made:
    return Made(
        step=row["step"],
        what=row["task_definition"],
        by=identity_of(row),
        event_id=row["event_id"],
        event_name=row["event_name"],
        event_time=row["first_seen"],
        source_ip=row["source_ip"],
        cluster=row["cluster"],
        service=row["service"],
        certainty=certainty,
        because=because,
    )


def _roles(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(sorted({row[name] for row in rows for name in ("task_role_arn", "execution_role_arn") if row[name]}))
