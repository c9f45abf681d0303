"""Flow records, and the events of the network they belong to: interfaces of tasks, their sessions, changes.

The flow records are written as the parts of a store: what is measured here is questions, and text would be read first.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from auditkit.schema import TABLES
from tests.benchmarks.synthetic import ACCOUNTS, DAYS, FIRST_DAY

INTERFACES = 3_000  # of tasks, over the two weeks
SERVICES = 150
GROUPS = 200
STRANGERS = 200_000  # addresses that scan from the internet
CALLERS = 8  # of the 254 addresses that the events of `synthetic` come from: they are refused now and then
PORTS = np.array([443, 443, 443, 5432, 5432, 6379, 8080, 3306])
_LISTEN = (22, 23, 25, 80, 445, 1433, 3306, 3389, 5432, 6379, 8080, 8443, 9200, 27017)
_REGION = "eu-central-1"
_SHARES = {"talk": 0.90, "scan": 0.07, "caller": 0.001, "egress": 0.019, "silent": 0.01}


class _Interface(NamedTuple):
    number: int

    @property
    def id(self) -> str:
        return f"eni-0{self.number:016x}"

    @property
    def task(self) -> str:
        return f"{self.number + 1:032x}"

    @property
    def account(self) -> str:
        return ACCOUNTS[self.number % len(ACCOUNTS)]

    @property
    def service(self) -> str:
        return f"service-{self.number % SERVICES:03d}"

    @property
    def address(self) -> str:
        return f"10.{self.number % 8}.{self.number // 250 % 250}.{4 + self.number % 250}"

    @property
    def group(self) -> str:
        return f"sg-0{self.number % GROUPS:016x}"

    @property
    def day(self) -> int:
        """The day on which the task starts; it lives for two."""
        return self.number * DAYS // INTERFACES


def write_flow_parts(folder: Path, records: int) -> list[Path]:
    """Parts of *records* flow records over two weeks, sorted by time: 9 % refused, most of that by scans; 1 % silent."""
    paths = []
    for day in range(DAYS):
        count = records // DAYS + (day < records % DAYS)
        date = FIRST_DAY + timedelta(days=day)
        path = folder / f"event_date={date:%Y-%m-%d}" / "part.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table = _day(np.random.default_rng([20261102, day]), day, date, count).drop_columns(["event_date"])
        pq.write_table(table, path, compression="zstd", compression_level=1)
        paths.append(path)
    return paths


def _day(rng: np.random.Generator, day: int, date: datetime, count: int) -> pa.Table:
    here = np.array([n for n in range(INTERFACES) if _Interface(n).day in (day, day - 1)])
    own = here[rng.integers(len(here), size=count)]
    what = rng.choice(len(_SHARES), size=count, p=list(_SHARES.values()))
    talk, scan, caller, _, silent = (what == n for n in range(len(_SHARES)))
    inward = scan | caller | (talk & (rng.random(count) < 0.5))
    start = np.sort(rng.integers(86_400, size=count)) * 1_000_000 + int(date.timestamp()) * 1_000_000

    names = [_Interface(n).address for n in range(INTERFACES)]
    strangers = [f"{20 + n // 65536}.{n // 256 % 256}.{n % 256}.7" for n in range(STRANGERS)]
    callers = [f"192.0.2.{n}" for n in range(1, CALLERS + 1)]
    peers = [f"10.100.{n // 250}.{n % 250}" for n in range(1_000)]
    all_names = pa.array(names + strangers + callers + peers)
    peer = np.select(
        [scan, caller, talk],
        [
            INTERFACES + rng.integers(STRANGERS, size=count),
            INTERFACES + STRANGERS + rng.integers(CALLERS, size=count),
            # a task talks to few others
            INTERFACES + STRANGERS + CALLERS + (own * 7 + rng.integers(5, size=count)) % len(peers),
        ],
        INTERFACES + STRANGERS + CALLERS + rng.integers(len(peers), size=count),
    )
    service = np.where(
        scan | caller, np.array(_LISTEN)[rng.integers(len(_LISTEN), size=count)], PORTS[own % len(PORTS)]
    )
    client = rng.integers(32_768, 61_000, size=count)
    answer = talk & inward
    values: dict[str, Any] = {
        "start_time": pa.array(start, pa.timestamp("us")),
        "end_time": pa.array(start + rng.integers(5, 60, size=count) * 1_000_000, pa.timestamp("us")),
        "version": np.full(count, 7),
        "account_id": _taken([_Interface(n).account for n in range(INTERFACES)], own),
        "interface_id": _taken([_Interface(n).id for n in range(INTERFACES)], own),
        "srcaddr": all_names.take(pa.array(np.where(inward, peer, own))),
        "dstaddr": all_names.take(pa.array(np.where(inward, own, peer))),
        "srcport": np.where(answer, service, client),
        "dstport": np.where(answer, client, service),
        "protocol": np.full(count, 6),
        "packets": rng.integers(1, 200, size=count),
        "bytes": rng.integers(40, 200_000, size=count),
        "action": _taken(["ACCEPT", "REJECT"], (~talk).astype(int)),
        "log_status": _taken(["OK", "NODATA"], silent.astype(int)),
        "region": _taken([_REGION], np.zeros(count, int)),
        "flow_direction": _taken(["egress", "ingress"], inward.astype(int)),
        "ecs_cluster_name": _taken(["main"], np.zeros(count, int)),
        "ecs_service_name": _taken([_Interface(n).service for n in range(INTERFACES)], own),
        "ecs_task_id": _taken([_Interface(n).task for n in range(INTERFACES)], own),
    }
    values["pkt_srcaddr"], values["pkt_dstaddr"] = values["srcaddr"], values["dstaddr"]
    said_of_silence = {"start_time", "end_time", "version", "account_id", "interface_id", "log_status"}
    schema, columns = TABLES["flow_records"].arrow, []
    for field in schema:
        if field.name not in values:
            columns.append(pa.nulls(count, field.type))
            continue
        column = pa.array(values[field.name]).cast(field.type)
        if field.name not in said_of_silence:
            column = pa.compute.if_else(pa.array(silent), pa.scalar(None, field.type), column)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)


def _taken(names: list[str], places: np.ndarray[Any, Any]) -> pa.Array:
    return pa.array(names).take(pa.array(places))


def write_network_trail(folder: Path, events: int) -> list[Path]:
    """A file a day of what happens to the interfaces: made for tasks, used by their sessions, and changed."""
    paths = []
    for day in range(DAYS):
        rng = random.Random(f"20261102 network {day}")
        date = FIRST_DAY + timedelta(days=day)
        path = folder / "AWSLogs" / "network" / f"{date:%Y/%m/%d}" / "network.json.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = b'{"Records":[%b]}' % b",".join(map(msgspec.json.encode, _events(rng, day, date, events // DAYS)))
        path.write_bytes(gzip.compress(text, compresslevel=6, mtime=0))
        paths.append(path)
    return paths


def _events(rng: random.Random, day: int, date: datetime, count: int) -> Iterator[dict[str, Any]]:
    here = [one for one in map(_Interface, range(INTERFACES)) if one.day in (day, day - 1)]
    for number in range(count):
        one, at = rng.choice(here), date + timedelta(seconds=rng.randrange(86_400))
        name = rng.choices(list(_MADE), [0.2, 0.05, 0.05, 0.7])[0]
        yield {
            "eventVersion": "1.11",
            "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "awsRegion": _REGION,
            "userAgent": "aws-sdk-java/2.33.4",
            "eventID": f"network-{day:02d}-{number}",
            "eventType": "AwsApiCall",
            "recipientAccountId": one.account,
            "eventCategory": "Management",
            **_MADE[name](one, rng),
        }


def _made(one: _Interface, _: random.Random) -> dict[str, Any]:
    groups = {"items": [{"groupId": one.group}]}
    made = {"networkInterfaceId": one.id, "privateIpAddress": one.address, "groupSet": groups, "vpcId": "vpc-1"}
    return {
        **_by(one, "ecs", "ecs-service-scheduler"), "eventSource": "ec2.amazonaws.com",
        "eventName": "CreateNetworkInterface", "sourceIPAddress": "ecs.amazonaws.com", "requestParameters": {},
        "responseElements": {"networkInterface": made},
    }  # fmt: skip


def _regrouped(one: _Interface, rng: random.Random) -> dict[str, Any]:
    name = rng.choice(["RevokeSecurityGroupEgress", "AuthorizeSecurityGroupEgress"])
    permission = {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443}
    return {
        **_by(one, "terraform", "github"), "eventSource": "ec2.amazonaws.com", "eventName": name,
        "sourceIPAddress": f"192.0.2.{rng.randrange(1, 255)}", "responseElements": {"_return": True},
        "requestParameters": {"groupId": one.group, "ipPermissions": {"items": [permission]}},
    }  # fmt: skip


def _deployed(one: _Interface, rng: random.Random) -> dict[str, Any]:
    request = {"cluster": "main", "service": one.service, "taskDefinition": f"{one.service}:{rng.randrange(90)}"}
    return {
        **_by(one, "terraform", "github"), "eventSource": "ecs.amazonaws.com", "eventName": "UpdateService",
        "sourceIPAddress": f"192.0.2.{rng.randrange(1, 255)}", "requestParameters": request,
        "responseElements": None,
    }  # fmt: skip


def _read(one: _Interface, rng: random.Random) -> dict[str, Any]:
    return {
        **_by(one, f"{one.service}-task", one.task), "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue", "sourceIPAddress": one.address, "vpcEndpointId": "vpce-0a",
        "requestParameters": {"secretId": f"prod/{rng.randrange(90)}"}, "responseElements": None,
    }  # fmt: skip


_MADE = {"made": _made, "regrouped": _regrouped, "deployed": _deployed, "read": _read}


def _by(one: _Interface, role: str, session: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::{one.account}:role/{role}"
    issuer = {"type": "Role", "arn": arn, "accountId": one.account, "userName": role}
    return {
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROAEXAMPLE:{session}",
            "arn": f"arn:aws:sts::{one.account}:assumed-role/{role}/{session}",
            "accountId": one.account,
            "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}},
        }
    }
