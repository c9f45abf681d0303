"""What is to be found out: who stood behind a session, and which rejects belong to which events.

Found from the records by their keys alone, with every origin said by hand: it is what auditkit is held against.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from afternoon import Stolen
from cloudtrail import Json
from company import (
    ATTACKER,
    AUDIT,
    BACKUP,
    CI,
    FOREIGN,
    LEGACY,
    LEGACY_KEY,
    NEW_BACKUP_KEY,
    PLATFORM_ADMIN,
    PROD,
    SCANNER,
    SECOND_ATTACKER,
    SG_TASK,
    TASK,
    Role,
    sso_role,
)
from fleet import Task
from flowlogs import CLOSED_FROM, CLOSED_UNTIL, DATABASE, FORMATS, FlowLogs


class Truth:
    def __init__(self, records: list[Json], flows: FlowLogs) -> None:
        self.records = records
        self.rejects = rejects(flows)
        self.granted: dict[str, list[Json]] = {}  # by the key that was handed out
        for record in records:
            if key := issued_key(record):
                self.granted.setdefault(key, []).append(record)

    def chain(self, key: str) -> list[Json]:
        """The hops that lead to *key*, the origin's first; of two copies the one in which the caller has a name."""
        hops: list[Json] = []
        while copies := self.granted.get(key):
            copies = sorted(copies, key=lambda record: record["userIdentity"]["type"] == "AWSAccount")
            record = copies[0]
            asked = record["requestParameters"]
            hop = {
                "event_id": record["eventID"],
                "principal_arn": asked["roleArn"],
                "session_name": asked["roleSessionName"],
                "access_key_id": key,
                "copies": [copy["eventID"] for copy in copies[1:]],
            }
            hops.insert(0, hop)
            key = record["userIdentity"].get("accessKeyId", "")
        return hops

    def session(self, role: Role, name: str, account: str) -> str:
        """The last key that was handed out for a session of *role*."""
        return [
            key
            for key, copies in self.granted.items()
            for record in copies
            if (record["requestParameters"].get("roleArn"), record["requestParameters"].get("roleSessionName"))
            == (role.arn, name)
            and record["recipientAccountId"] == account
        ][-1]

    def lineage(self, rogue: Task, stolen: Stolen) -> list[Json]:
        """Of each key: where it comes from, and by which hops."""
        developer, mail = sso_role("Developer", PROD), "ben.okafor@example.com"
        release, scanner = "GitHubActions-8801", "posture-scanner"
        visit = next(record for record in self.records if record["userIdentity"].get("accountId") == FOREIGN)
        task = "workload", TASK.arn, stolen.task.name
        said: list[tuple[str, str, tuple[str, str | None, str | None]]] = [
            ("the stolen session of the task", stolen.task.key, task),
            ("the role that trusts the task", stolen.reporting.key, task),
            ("the role of the other account", stolen.analytics.key, task),
            (
                "the intruder's own task",
                self.session(PLATFORM_ADMIN, rogue.id, PROD),
                ("workload", PLATFORM_ADMIN.arn, rogue.id),
            ),
            ("the visitor from a foreign account", str(issued_key(visit)), ("account", None, None)),
            ("a developer", self.session(developer, mail, PROD), ("person", developer.arn, mail)),
            ("a release", self.session(CI, release, PROD), ("automation", CI.arn, release)),
            ("the posture scanner", self.session(AUDIT, scanner, PROD), ("workload", SCANNER.arn, scanner)),
            ("the old key", LEGACY_KEY, ("user", LEGACY.arn, None)),
            ("the key that the intruder made", NEW_BACKUP_KEY, ("user", BACKUP.arn, None)),
        ]
        return [
            {
                "subject": key,
                "also": self.other_names(key),
                "what": what,
                "origin": {"kind": kind, "principal_arn": principal, "session_name": name, "certainty": "proven"},
                "chain": self.chain(key) if key.startswith("ASIA") else [],
            }
            for what, key, (kind, principal, name) in said
        ]

    def other_names(self, key: str) -> list[str]:
        """The ARN of the key's session, and the task if it is one's. A renewal has them too, and the same origin."""
        for record in self.granted.get(key, []):
            is_task = record["userIdentity"].get("invokedBy") == "ecs-tasks.amazonaws.com"
            task = [record["requestParameters"]["roleSessionName"]] if is_task else []
            return [record["responseElements"]["assumedRoleUser"]["arn"], *task]
        return []

    def links(self, entered: Task, leaking: Task, closed: Json, opened: Json) -> list[Json]:
        """Of each link: what both sides have in common, the events that prove it, and the rejects, an act at a time."""
        evening = int(CLOSED_FROM.timestamp()), int(CLOSED_UNTIL.timestamp())
        knocks = [reject for reject in self.rejects if evening[0] <= reject.start < evening[1]]
        knocks = [reject for reject in knocks if reject.port == DATABASE and reject.source.startswith("10.20.")]
        others = [reject for reject in self.rejects if reject not in set(knocks)]
        links = []
        for principal, stranger in ((LEGACY, ATTACKER), (TASK, SECOND_ATTACKER)):
            seen = [reject for reject in others if reject.source == stranger]
            links.append(link("address", stranger, principal.arn, self.calls(principal.arn, stranger), seen))
        for task, stranger in ((entered, ATTACKER), (leaking, SECOND_ATTACKER)):
            seen = [reject for reject in others if reject.interface == task.interface.id]
            links.append(link("task", task.id, TASK.arn, self.calls(TASK.arn, stranger), seen))
            inside = task.interface.address
            links.append(link("endpoint", inside, TASK.arn, self.calls(TASK.arn, inside, task.id), seen))
        change = link("change", SG_TASK, CI.arn, [closed["eventID"]], knocks)
        return [*links, {**change, "effect": "closed", "until_event_id": opened["eventID"], "dstport": DATABASE}]

    def calls(self, principal: str, address: str, session: str | None = None) -> list[str]:
        """The calls that *principal* made from *address*, in all its sessions or in the one of that name."""
        found = []
        for record in self.records:
            identity = record["userIdentity"]
            arn = identity.get("sessionContext", {}).get("sessionIssuer", {}).get("arn", identity.get("arn"))
            if (arn, record["sourceIPAddress"]) != (principal, address):
                continue
            if session is None or identity["principalId"].endswith(f":{session}"):
                found.append(record["eventID"])
        return found


@dataclass(frozen=True)
class Reject:
    """One flow record that says REJECT."""

    interface: str
    source: str
    target: str
    port: int
    start: int  # seconds since 1970


def rejects(flows: FlowLogs) -> list[Reject]:
    found = []
    for log, lines in flows.lines.items():
        for _, line in lines:
            fields = dict(zip(FORMATS[log].split(), line.split(), strict=True))
            if fields["action"] == "REJECT":
                ends = fields["interface-id"], fields["srcaddr"], fields["dstaddr"]
                found.append(Reject(*ends, int(fields["dstport"]), int(fields["start"])))
    return found


def link(kind: str, shared: str, principal: str, event_ids: list[str], seen: list[Reject]) -> Json:
    """`flows` are source, target, port, action and number of records."""
    flows = Counter((reject.source, reject.target, reject.port, "REJECT") for reject in seen)
    return {
        "kind": kind,
        "shared": shared,
        "principal_arn": principal,
        "event_ids": event_ids,
        "interface_ids": sorted({reject.interface for reject in seen}),
        "rejects": len(seen),
        "flows": [[*flow, count] for flow, count in sorted(flows.items())],
    }


def issued_key(record: Json) -> str | None:
    """The key of temporary credentials that a call handed out."""
    key = ((record["responseElements"] or {}).get("credentials") or {}).get("accessKeyId")
    return str(key) if key else None
