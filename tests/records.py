"""CloudTrail records for tests: one ordinary event, and what a test wants different about it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/deploy"

IAM_USER = {
    "type": "IAMUser",
    "principalId": "AIDAEXAMPLE",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/people/alice",
    "accountId": ACCOUNT,
    "accessKeyId": "AKIAEXAMPLE",
    "userName": "alice",
}
ASSUMED_ROLE = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLE:ci-42",
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/ci-42",
    "accountId": ACCOUNT,
    "accessKeyId": "ASIAEXAMPLE",
    "sessionContext": {
        "sessionIssuer": {"type": "Role", "arn": ROLE, "accountId": ACCOUNT, "userName": "deploy"},
        "attributes": {"creationDate": "2026-11-02T08:00:00Z", "mfaAuthenticated": "false"},
    },
}


def record(event_id: str = "e1", **differs: Any) -> dict[str, Any]:
    """An ordinary GetSecretValue by an IAM user, with the members in *differs* set; a member set to ... is left out."""
    ordinary = {
        "eventVersion": "1.11",
        "userIdentity": IAM_USER,
        "eventTime": "2026-11-02T10:00:00Z",
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "192.0.2.10",
        "userAgent": "aws-cli/2.31.0",
        "requestParameters": {"secretId": "prod/db"},
        "responseElements": None,
        "requestID": f"request-{event_id}",
        "eventID": event_id,
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"},
    }
    return {name: value for name, value in {**ordinary, **differs}.items() if value is not ...}


def trail(*records: dict[str, Any]) -> bytes:
    """The text of a trail file."""
    return json.dumps({"Records": records}).encode()


def write_trail(path: Path, *records: dict[str, Any]) -> Path:
    """A trail file; gzipped when its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = trail(*records)
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
    return path


FLOW_HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
START = 1793613600  # 2026-11-02T10:00:00Z


def flow_line(
    *, srcaddr: str = "198.51.100.7", dstport: int | str = 5432, action: str = "REJECT", start: int = START
) -> str:
    return f"2 {ACCOUNT} eni-1 {srcaddr} 10.0.0.5 40000 {dstport} 6 3 180 {start} {start + 60} {action} OK"


def write_flows(path: Path, *lines: str, header: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join([*([FLOW_HEADER] if header else []), *lines, ""]).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
    return path
