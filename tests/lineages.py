"""Trails of identities that hand each other credentials, in CloudTrail's shapes, read as auditkit reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from auditkit.catalogue import Catalogue
from auditkit.identity.hops import Hop, Identity, Lineage
from auditkit.identity.lineage import Grants, issued_by, lineage_of
from auditkit.logs.principal import principal
from auditkit.model import Parameter
from tests.case_runs import CaseEngine
from tests.records import ACCOUNT, record, trail
from tests.test_cloudtrail import parse, table

OTHER = "444455556666"
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SSO = "aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Admin_0123456789abcdef"
Block = dict[str, Any]

ENGINE = CaseEngine()
CATALOGUE = Catalogue.load()
GRANTS, IDENTITIES = CATALOGUE.get("identity/grants"), CATALOGUE.get("identity/identities")


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def text(seconds: float) -> str:
    return f"{moment(seconds):%Y-%m-%dT%H:%M:%SZ}"


def user(name: str, key: str | None, account: str = ACCOUNT, **context: Any) -> Block:
    block = {
        "type": "IAMUser",
        "principalId": f"AIDA{name.upper()}",
        "arn": f"arn:aws:iam::{account}:user/{name}",
        "accountId": account,
        "userName": name,
    }
    return block | ({"accessKeyId": key} if key else {}) | ({"sessionContext": context} if context else {})


def session(
    role: str, name: str, key: str | None, created: float | None = 0, account: str = ACCOUNT, **more: Any
) -> Block:
    """A role's session; *role* may have a path. Members of sessionContext in *more*, others in `block`."""
    bare = role.rsplit("/", 1)[-1]
    context: Block = {
        "sessionIssuer": {
            "type": "Role",
            "arn": f"arn:aws:iam::{account}:role/{role}",
            "accountId": account,
            "userName": bare,
        },
    }
    if created is not None:
        context["attributes"] = {"creationDate": text(created), "mfaAuthenticated": "false"}
    block = more.pop("block", {})
    return {
        "type": "AssumedRole",
        "principalId": f"AROA{bare.upper()}:{name}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{bare}/{name}",
        "accountId": account,
        **({"accessKeyId": key} if key else {}),
        "sessionContext": context | more,
        **block,
    }


def stranger(block: Block) -> Block:
    """*block* as the owner of a role in another account sees it."""
    return {"type": "AWSAccount", "principalId": block["principalId"], "accountId": block["accountId"]}


def service(name: str) -> Block:
    return {"type": "AWSService", "invokedBy": name}


def saml(name: str) -> Block:
    return {"type": "SAMLUser", "principalId": f"qualifier=:{name}", "userName": name, "identityProvider": "qualifier="}


@dataclass
class Logs:
    """Records in the order of the telling."""

    records: list[dict[str, Any]] = field(default_factory=list)

    def call(self, at: float, who: Block, name: str = "ListBuckets", source: str = "s3", **differs: Any) -> str:
        event_id = f"e{len(self.records) + 1}"
        ordinary = {
            "eventTime": text(at),
            "userIdentity": who,
            "eventName": name,
            "eventSource": f"{source}.amazonaws.com",
            "requestParameters": None,
            "recipientAccountId": differs.get("recipientAccountId", who.get("accountId", ACCOUNT)),
        }
        self.records.append(record(event_id, **ordinary | differs))
        return event_id

    def take(
        self,
        at: float,
        who: Block,
        role: str,
        name: str,
        key: str | None,
        how: str = "AssumeRole",
        account: str = ACCOUNT,
        **differs: Any,
    ) -> str:
        """An AssumeRole of any kind, as the caller's account has it."""
        bare = role.rsplit("/", 1)[-1]
        request = {"roleArn": f"arn:aws:iam::{account}:role/{role}", "roleSessionName": name} | differs.pop(
            "request", {}
        )
        response = {
            "credentials": {"accessKeyId": key, "sessionToken": "token", "expiration": "Nov 2, 2026, 10:00:00 AM"},
            "assumedRoleUser": {
                "assumedRoleId": f"AROA{bare.upper()}:{name}",
                "arn": f"arn:aws:sts::{account}:assumed-role/{bare}/{name}",
            },
        } | differs.pop("response", {})
        return self.call(at, who, how, "sts", requestParameters=request, responseElements=response, **differs)

    def tables(self) -> tuple[pa.Table, pa.Table]:
        events = table(parse(trail(*self.records)).records)
        days = events["event_time"].cast(pa.date32())
        engine = ENGINE.holding({"cloudtrail_events": events.append_column("event_date", days)})
        params = {name: Parameter(one.type, one.default) for name, one in IDENTITIES.params.items()}
        return engine.run(GRANTS.sql).table, engine.run(IDENTITIES.sql, params).table

    def grants(self) -> Grants:
        return Grants.of(*self.tables())


def identity(block: Block) -> Identity:
    """What a reader of the logs asks about: the columns of one of its events."""
    found = principal(json.dumps(block))
    return Identity(
        principal_arn=found.principal_arn,
        session_name=found.session_name,
        access_key_id=found.access_key_id,
        account_id=found.principal_account,
        identity_type=found.identity_type,
    )


def behind(logs: Logs, block: Block) -> Lineage:
    return lineage_of(identity(block), logs.grants())


def after(logs: Logs, block: Block) -> list[Hop]:
    return issued_by(identity(block), logs.grants())


def said(lineage: Lineage) -> tuple[str, str, str]:
    return lineage.origin.kind, lineage.origin.name, lineage.origin.certainty


def chain(lineage: Lineage) -> list[tuple[str, str, str]]:
    return [(hop.event_id, hop.how, hop.certainty) for hop in lineage.hops]
