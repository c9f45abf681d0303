"""What a trail and a flow log leave in a bucket, hour by hour, with digests: unsigned, and otherwise as CloudTrail's."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.records import ACCOUNT, flow_line, record, write_flows, write_trail

REGION = "eu-central-1"
DAY = datetime(2026, 11, 2, tzinfo=UTC)


def at(hour: int, minute: int = 0) -> datetime:
    """A moment of the day that the tests are about; hour 24 and more are of the next."""
    return DAY + timedelta(hours=hour, minutes=minute)


def trail_key(delivered: datetime, account: str = ACCOUNT, region: str = REGION) -> str:
    name = f"{account}_CloudTrail_{region}_{delivered:%Y%m%dT%H%MZ}_Mu0KsOhtH1ar15ZZ"
    return f"AWSLogs/{account}/CloudTrail/{region}/{delivered:%Y/%m/%d}/{name}.json.gz"


def digest_key(end: datetime, account: str = ACCOUNT, region: str = REGION, trail: str = "main") -> str:
    name = f"{account}_CloudTrail-Digest_{region}_{trail}_{REGION}_{end:%Y%m%dT%H%M%SZ}.json.gz"
    return f"AWSLogs/{account}/CloudTrail-Digest/{region}/{end:%Y/%m/%d}/{name}"


def write_hour(folder: Path, hour: int, account: str = ACCOUNT, region: str = REGION, *, minute: int = 30) -> str:
    """One event at *minute* of *hour*, in a file delivered five minutes later; returns its key."""
    key = trail_key(at(hour, minute) + timedelta(minutes=5), account, region)
    when = f"{at(hour, minute):%Y-%m-%dT%H:%M:%SZ}"
    event = record(f"{account}-{region}-{hour}", eventTime=when, awsRegion=region, recipientAccountId=account)
    write_trail(folder / key, event)
    return key


def write_digest(
    folder: Path,
    hour: int,
    listed: Iterable[str] = (),
    *,
    account: str = ACCOUNT,
    region: str = REGION,
    starts_anew: bool = False,
    minute: int = 1,
) -> Path:
    """The digest of what was delivered in the hour that starts at *minute* of *hour*."""
    start, end = at(hour, minute), at(hour + 1, minute)
    key = digest_key(end, account, region)
    digest = {
        "awsAccountId": account,
        "digestStartTime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "digestS3Bucket": "logs",
        "digestS3Object": key,
        "digestPublicKeyFingerprint": "0" * 32,
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": None,
        "oldestEventTime": None,
        "previousDigestS3Bucket": None if starts_anew else "logs",
        "previousDigestS3Object": None if starts_anew else digest_key(start, account, region),
        "previousDigestHashValue": None if starts_anew else "0" * 64,
        "previousDigestHashAlgorithm": None if starts_anew else "SHA-256",
        "previousDigestSignature": None if starts_anew else "0" * 512,
        "logFiles": [{"s3Bucket": "logs", "s3Object": one, "hashValue": "0" * 64} for one in listed],
    }
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(json.dumps(digest).encode(), mtime=0))
    return path


def write_flow_hour(folder: Path, hour: int, status: str = "OK", region: str = REGION) -> Path:
    """One flow record at the half of *hour*, in a file whose path alone says the region."""
    line = flow_line(start=int(at(hour, 30).timestamp())).replace(" OK", f" {status}")
    name = f"{ACCOUNT}_vpcflowlogs_{region}_fl-0a_{at(hour, 30):%Y%m%dT%H%MZ}_{hour:08x}.log.gz"
    return write_flows(folder / f"AWSLogs/{ACCOUNT}/vpcflowlogs/{region}/2026/11/02/{name}", line)
