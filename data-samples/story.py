"""How an incident is told: its moments, its labels, and two requests that both halves of the first make."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cloudtrail import Json, Trail
from company import LAST_DAY, PROD, SG_AURORA
from fleet import Fleet

ADMIN_POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"


def at(clock: str) -> datetime:
    """A moment of the second day, for example `02:04:11`."""
    hours, minutes, seconds = clock.split(":")
    return LAST_DAY + timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))


@dataclass
class Story:
    incident: str  # what its labels are called by: night, afternoon
    fleet: Fleet
    labels: list[Json] = field(default_factory=list)

    @property
    def trail(self) -> Trail:
        return self.fleet.trail

    def tell(self, step: str, record: Json, technique: str | None = None, *rules: str) -> Json:
        """Label *record*: the step of the story, the ATT&CK technique, the rules that should show it as evidence."""
        refused = record.get("errorCode")
        self.labels.append(
            {
                "incident": self.incident,
                "event_id": record["eventID"],
                "time": record["eventTime"],
                "account_id": record["recipientAccountId"],
                "event_name": record["eventName"],
                "outcome": "denied" if refused else "ok",
                "step": step,
                "technique": technique,
                "rules": list(rules),
            }
        )
        return record


def ingress(*, revoked: bool = False) -> tuple[Json, Json]:
    permission = {"ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432}
    world = {**permission, "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}, "ipv6Ranges": {}}
    request: Json = {"groupId": SG_AURORA, "ipPermissions": {"items": [world]}}
    if revoked:
        return request, {"_return": True}
    made = {"groupOwnerId": PROD, "groupId": SG_AURORA, "isEgress": False, **permission, "cidrIpv4": "0.0.0.0/0"}
    return request, {"_return": True, "securityGroupRuleSet": {"items": [made]}}


def trust(*statements: tuple[str, str]) -> str:
    allowed = [{"Effect": "Allow", "Principal": {k: v}, "Action": "sts:AssumeRole"} for k, v in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": allowed})
