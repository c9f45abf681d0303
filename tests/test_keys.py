"""Every layout that AWS writes, and what its keys say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from auditkit.logs.keys import Named, name_of, parse

ACCOUNT, REGION = "111122223333", "eu-central-1"
TRAIL = f"{ACCOUNT}_CloudTrail_{REGION}_20261102T1005Z_Mu0KsOhtH1ar15ZZ.json.gz"
FLOWS = f"{ACCOUNT}_vpcflowlogs_{REGION}_fl-0a1b2c3d_20261102T1620Z_5c1f2ab3.log.gz"
DIGEST = f"{ACCOUNT}_CloudTrail-Digest_{REGION}_all_of-it_us-east-1_20261102T110131Z"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


CLOUDTRAIL = Named("CloudTrail", ACCOUNT, REGION, at("2026-11-02T10:05"))
FLOW_LOG = Named("vpcflowlogs", ACCOUNT, REGION, at("2026-11-02T16:20"), "fl-0a1b2c3d")
DAY = "2026/11/02"

KEYS = [
    ("a trail", f"s3://bucket/AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{DAY}/{TRAIL}", CLOUDTRAIL),
    ("a prefix", f"s3://bucket/a/b/AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{DAY}/{TRAIL}", CLOUDTRAIL),
    ("an organization", f"/logs/AWSLogs/o-a1b2c3d4e5/{ACCOUNT}/CloudTrail/{REGION}/{DAY}/{TRAIL}", CLOUDTRAIL),
    ("Control Tower", f"o-a1/AWSLogs/o-a1/{ACCOUNT}/CloudTrail/{REGION}/{DAY}/{TRAIL}", CLOUDTRAIL),
    ("no folders", TRAIL, CLOUDTRAIL),
    ("unzipped", f"/logs/{TRAIL.removesuffix('.gz')}", CLOUDTRAIL),
    ("no random part", f"{ACCOUNT}_CloudTrail_{REGION}_20261102T1005Z.json", CLOUDTRAIL),
    ("GovCloud", TRAIL.replace(REGION, "us-gov-west-1"), CLOUDTRAIL._replace(region="us-gov-west-1")),
    ("Insights", TRAIL.replace("CloudTrail", "CloudTrail-Insight"), CLOUDTRAIL._replace(log="CloudTrail-Insight")),
    ("another name", f"/logs/{ACCOUNT}/CloudTrail/{REGION}/{DAY}/x.json", Named("CloudTrail", ACCOUNT, REGION)),
    ("a part of the folders", f"CloudTrail/{REGION}/{DAY}/x.json", Named("CloudTrail", None, REGION)),
    ("a time that is none", TRAIL.replace("20261102T1005", "20261399T9999"), CLOUDTRAIL._replace(time=None)),
    ("a flow log", f"/AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/{DAY}/16/{FLOWS}", FLOW_LOG),
    ("Parquet", FLOWS.replace(".log.gz", ".log.parquet"), FLOW_LOG),
    (
        "Hive",
        f"AWSLogs/aws-account-id={ACCOUNT}/aws-service=vpcflowlogs/aws-region={REGION}/year=2026/month=11/day=02/x.parquet",
        Named("vpcflowlogs", ACCOUNT, REGION),
    ),
    (
        "a digest",
        f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/{DAY}/{DIGEST}.json.gz",
        Named("CloudTrail-Digest", ACCOUNT, REGION, at("2026-11-02T11:01:31"), "all_of-it_us-east-1"),
    ),
    (
        "a backfilled digest",
        f"{DIGEST}_backfill.json.gz",
        Named("CloudTrail-Digest", ACCOUNT, REGION, at("2026-11-02T11:01:31"), "all_of-it_us-east-1_backfill"),
    ),
    ("a name of one's own", "/logs/november/events.json.gz", None),
    ("another account's number inside", f"/logs/x{TRAIL}", None),
    ("nothing", "", None),
    ("a log group's stream", "exports/8a1b/eni-0a1b2c3d-all/000000.gz", None),
]


@pytest.mark.parametrize(("key", "said"), [entry[1:] for entry in KEYS], ids=[entry[0] for entry in KEYS])
def test_a_key_says_whose_log_it_is_and_when_it_was_delivered(key: str, said: Named | None) -> None:
    assert parse(key) == said


def test_a_copy_is_known_by_its_name_zipped_or_not() -> None:
    assert name_of(f"s3://bucket/AWSLogs/{TRAIL}") == name_of(f"/elsewhere/{TRAIL.removesuffix('.gz')}")
    assert name_of(TRAIL) != name_of(TRAIL.replace("Mu0K", "XXXX"))
