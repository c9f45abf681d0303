"""The second incident, on the afternoon of 3 November 2026: a task's credentials at work outside, its task within.

Nothing in CloudTrail shows how the thief came to them: a request that the shop forwards for anybody (a forged request
on the server's side) reads them from the task's own address for credentials, which no log sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cloudtrail import Caller, Json, Session
from company import (
    ALBS,
    ANALYTICS,
    APP_B,
    PROD,
    REGION,
    REPORTING,
    SECOND_ATTACKER,
    SECRETS,
    TASK,
    Interface,
    Role,
)
from fleet import Fleet, Task
from flowlogs import FlowLogs
from story import Story, at

TOOL = "Boto3/1.42.1 md/Botocore#1.42.1 ua/2.1 os/linux#6.12.0 md/arch#x86_64 lang/python#3.12.8 cfg/retry-mode#legacy"
NAME = "export-7"  # the session name that the thief chose for both roles
SCANNED = [f"10.30.0.{n}" for n in (12, 33, 58, 71, 96, 133, 150, 171, 200, 222)]  # in both database subnets
PORTS = (22, 1433, 3306, 6379)  # none of which the task's group lets out
SCAN = "network.internal_scan"
BOTH = "sts.session_outside_while_task_scans"


@dataclass(frozen=True)
class Stolen:
    """The three sessions that the thief used, in their order."""

    task: Session
    reporting: Session
    analytics: Session


def leaking_task(fleet: Fleet) -> Task:
    """The task whose credentials leaked: the last one in app-b."""
    running = [t for t in fleet.tasks if t.service and t.started <= at("16:00:00") and t.stopped > at("17:00:00")]
    return next((t for t in reversed(running) if t.interface.subnet == APP_B), running[-1])


def afternoon(story: Story) -> Stolen:
    """What CloudTrail has of it, 16:07 to 16:38."""
    task = leaking_task(story.fleet).session(TASK, at("16:07:00"))
    thief = task.caller(SECOND_ATTACKER, TOOL)
    try_them(story, thief)
    reporting = take_role(story, "16:14:05", thief, REPORTING, "a role that trusts the task")
    beyond = reporting.caller(SECOND_ATTACKER, TOOL)
    read_reports(story, beyond)
    analytics = take_role(story, "16:21:40", beyond, ANALYTICS, "a role of the other account")
    look_elsewhere(story, analytics.caller(SECOND_ATTACKER, TOOL))
    return Stolen(task, reporting, analytics)


def try_them(story: Story, thief: Caller) -> None:
    trail, step = story.trail, "task credentials from outside"
    story.tell(step, trail.call(at("16:07:12"), thief, "sts", "GetCallerIdentity"), "T1552.005", BOTH)
    for clock, service, name, target in (
        ("16:08:01", "secretsmanager", "ListSecrets", "*"),
        ("16:08:26", "ecs", "ListClusters", "*"),
        ("16:09:03", "s3", "ListBuckets", "arn:aws:s3:::*"),
    ):
        story.tell("refused", trail.denied(at(clock), thief, service, name, target), "T1580", BOTH)
    settings = {"path": "/shop/", "recursive": True, "withDecryption": True}
    story.tell(step, trail.call(at("16:12:30"), thief, "ssm", "GetParametersByPath", settings), "T1552.005", BOTH)


def take_role(story: Story, clock: str, caller: Caller, role: Role, what: str) -> Session:
    """One more hop; a role of another account leaves a copy of the event in both."""
    before, rules = len(story.trail.records), [BOTH] if caller.account == PROD and role == REPORTING else []
    session = story.trail.assume(at(clock), caller, role, NAME)
    for record in story.trail.records[before:]:
        story.tell(what, record, "T1550.001", *rules)
    return session


def read_reports(story: Story, caller: Caller) -> None:
    trail = story.trail
    story.tell("look around", trail.call(at("16:15:02"), caller, "sts", "GetCallerIdentity"), "T1087.004")
    secret = SECRETS["legacy/reporting-db"]
    for clock in ("16:16:20", "16:35:48"):
        read, _ = trail.read_secret(at(clock), caller, secret)
        story.tell("the database's password", read, "T1555.006")
    for clock, service, name, target in (
        ("16:17:31", "iam", "ListRoles", f"arn:aws:iam::{PROD}:role/"),
        ("16:18:09", "kms", "ListKeys", "*"),
        ("16:19:44", "secretsmanager", "ListSecrets", "*"),
    ):
        story.tell("refused", trail.denied(at(clock), caller, service, name, target), "T1580")


def look_elsewhere(story: Story, caller: Caller) -> None:
    trail = story.trail
    host = {"Host": f"s3.{REGION}.amazonaws.com"}
    for clock, service, name, request in (
        ("16:22:15", "sts", "GetCallerIdentity", None),
        ("16:23:02", "s3", "ListBuckets", host),
        ("16:24:40", "glue", "GetDatabases", {"maxResults": 100}),
    ):
        story.tell("look around in the other account", trail.call(at(clock), caller, service, name, request), "T1526")
    refused = trail.denied(at("16:38:11"), caller, "secretsmanager", "ListSecrets")
    story.tell("refused in the other account", refused, "T1580")


def seen(logs: FlowLogs, task: Task) -> list[Json]:
    """The network's side of it. Returns a label for each act."""

    def label(act: str, interface: Interface, source: str, target: str, action: str, count: int, *rules: str) -> Json:
        return {
            "step": act,
            "interface_id": interface.id,
            "srcaddr": source,
            "dstaddr": target,
            "action": action,
            "records": count,
            "rules": list(rules),
        }

    door, inside = ALBS[1], task.interface
    for n, port in enumerate((22, 8080, 8443)):  # what else is open there?
        begin = at("16:01:20") + timedelta(seconds=4 * n)
        probe = (SECOND_ATTACKER, logs.port()), (door.address, port)
        logs.flow(door, begin, *probe, 1, size=44, action="REJECT", flags=2)
    for n in range(8):  # the forged requests themselves look like any customer's
        begin = at("16:03:10") + timedelta(minutes=5 * n)
        far, near = (SECOND_ATTACKER, logs.port()), (door.address, 443)
        logs.flow(door, begin, far, near, 30 + 4 * n, flags=3)
        logs.flow(door, begin, near, far, 34 + 5 * n, flags=19, path=8)
    tried = [(host, port) for port in PORTS for host in SCANNED]
    for n, target in enumerate(tried):
        begin = at("16:11:05") + timedelta(seconds=47 * n)
        knock = (inside.address, logs.port())
        logs.flow(inside, begin, knock, target, 2, size=60, action="REJECT", flags=2, path=4, task=task)
    return [
        label("door tried", door, SECOND_ATTACKER, door.address, "REJECT", 3),
        label("forged requests", door, SECOND_ATTACKER, door.address, "ACCEPT", 8),
        label("scan of the database subnets", inside, inside.address, "10.30.0.0/24", "REJECT", len(tried), SCAN),
    ]
