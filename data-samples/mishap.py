"""An evening's mistake: Terraform takes away a rule that the shop needs, and puts it back six minutes later."""

from __future__ import annotations

from datetime import datetime, timedelta

from cloudtrail import Json, Trail
from company import SG_TASK, WRITER
from fleet import Fleet
from flowlogs import CLOSED_FROM, CLOSED_UNTIL, FlowLogs
from pipeline import plan, runner

RETRY = timedelta(seconds=9)  # how soon a task tries again to reach its database


def egress_closed(trail: Trail) -> tuple[Json, Json]:
    """Record both applies. Returns the change that closed the database to the tasks, and the one that opened it."""
    return (
        applied(trail, "RevokeSecurityGroupEgress", 8809, CLOSED_FROM),
        applied(trail, "AuthorizeSecurityGroupEgress", 8810, CLOSED_UNTIL),
    )


def applied(trail: Trail, name: str, run: int, moment: datetime) -> Json:
    begin = moment - timedelta(minutes=1, seconds=20)
    ci = runner(trail, begin, run)
    plan(trail, begin + timedelta(seconds=12), ci)
    ports = {"ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432, "groups": {}, "ipv6Ranges": {}}
    rule = {**ports, "ipRanges": {"items": [{"cidrIp": "10.30.0.0/24"}]}}
    request: Json = {"groupId": SG_TASK, "ipPermissions": {"items": [rule]}}
    return trail.call(moment, ci, "ec2", name, request, {"_return": True})


def refused(logs: FlowLogs, fleet: Fleet) -> None:
    """The tasks knock on the database in vain."""
    for task in fleet.tasks:
        if not (task.service and task.started <= CLOSED_FROM and task.stopped > CLOSED_UNTIL):
            continue
        tries = range(5, int((CLOSED_UNTIL - CLOSED_FROM).total_seconds()), int(RETRY.total_seconds()))
        for second in tries:
            begin, near = CLOSED_FROM + timedelta(seconds=second), (task.interface.address, logs.port())
            target = (WRITER.address, 5432)
            logs.flow(task.interface, begin, near, target, 2, size=60, action="REJECT", flags=2, path=4, task=task)
