"""What is to be found out: who stood behind a session, and which rejects belong to which events.

Found from the records by their keys alone, with every origin said by hand: it is what auditkit is held against.
"""

from __future__ import annotations

from afternoon import Stolen
from cloudtrail import Json
from company import (
    ALBS,
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
    TASK,
    Role,
    sso_role,
)
from fleet import Task


class Truth:
    def __init__(self, records: list[Json]) -> None:
        self.records = records
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
            hops.insert(
                0, {"event_id": record["eventID"], "access_key_id": key, "copies": [c["eventID"] for c in copies[1:]]}
            )
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
                "what": what,
                "origin": {"kind": kind, "principal_arn": principal, "session_name": name, "certainty": "proven"},
                "chain": self.chain(key) if key.startswith("ASIA") else [],
            }
            for what, key, (kind, principal, name) in said
        ]

    def links(self, entered: Task, leaking: Task, closed: Json, opened: Json, knocks: list[Json]) -> list[Json]:
        """Of each link: what both sides have in common, one event that proves it, and how many rejects."""
        return [
            {
                "kind": "address",
                "shared": ATTACKER,
                "principal_arn": LEGACY.arn,
                "event_ids": self.calls(LEGACY.arn, ATTACKER),
            },
            {
                "kind": "address",
                "shared": SECOND_ATTACKER,
                "principal_arn": TASK.arn,
                "event_ids": self.calls(TASK.arn, SECOND_ATTACKER),
                "interface_ids": [ALBS[1].id],
                "rejects": 3,
            },
            *(
                {
                    "kind": "task",
                    "shared": task.id,
                    "principal_arn": TASK.arn,
                    "event_ids": self.calls(TASK.arn, address),
                    "interface_ids": [task.interface.id],
                }
                for task, address in ((entered, ATTACKER), (leaking, SECOND_ATTACKER))
            ),
            {
                "kind": "change",
                "effect": "closed",
                "principal_arn": CI.arn,
                "event_ids": [closed["eventID"]],
                "until_event_id": opened["eventID"],
                "interface_ids": sorted(knock["interface_id"] for knock in knocks),
                "dstport": 5432,
                "rejects": sum(knock["records"] for knock in knocks),
            },
        ]

    def calls(self, principal: str, address: str) -> list[str]:
        """The calls that *principal* made from *address*."""
        found = []
        for record in self.records:
            identity = record["userIdentity"]
            arn = identity.get("sessionContext", {}).get("sessionIssuer", {}).get("arn", identity.get("arn"))
            if (arn, record["sourceIPAddress"]) == (principal, address):
                found.append(record["eventID"])
        return found


def issued_key(record: Json) -> str | None:
    """The key of temporary credentials that a call handed out."""
    key = ((record["responseElements"] or {}).get("credentials") or {}).get("accessKeyId")
    return str(key) if key else None
