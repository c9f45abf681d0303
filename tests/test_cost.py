"""The bill before: objects listed and added up; sizes in words; prices by region."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlglot import exp

from auditkit.engines.cost import Estimate, cost_usd, listed, price_per_tb, size_of
from auditkit.engines.dialect import prepare
from auditkit.engines.remote import scans
from auditkit.engines.sources import StoreSources
from auditkit.engines.tables import NO_LIMITS, Limits, StoredTable
from auditkit.errors import ParameterError, SourceError
from auditkit.logs.source import SourceFile
from auditkit.model import Window

WINDOW = Window(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))
TRAIL = "AWSLogs/{account}/CloudTrail/{region}/2026/11/02/{account}_CloudTrail_{region}_20261102T0030Z_x.json.gz"


def table(location: str | None) -> StoredTable:
    return StoredTable(("logs", "trail"), "aws", {"eventid": exp.DataType.build("varchar")}, location=location)


def found(*files: tuple[str, int]) -> list[SourceFile]:
    return [SourceFile(f"s3://b/{key}", key, size, "v") for key, size in files]


FILES = found(
    (TRAIL.format(account="111122223333", region="eu-central-1"), 1_000),
    (TRAIL.format(account="111122223333", region="us-east-1"), 200),
    (TRAIL.format(account="444455556666", region="eu-central-1"), 30),
    ("somebody/elses/file", 4),
)


@pytest.mark.parametrize(
    ("limits", "size", "files"),
    [
        (NO_LIMITS, 1_234, 4),
        (Limits(accounts=("111122223333",)), 1_204, 3),
        (Limits(regions=("eu-central-1",)), 1_034, 3),
        (Limits(accounts=("444455556666",), regions=("us-east-1",)), 4, 1),
    ],
)
def test_what_can_be_touched_is_added_up(limits: Limits, size: int, files: int) -> None:
    estimate = listed(table("s3://b/AWSLogs/"), WINDOW, limits, find=lambda *_, **__: FILES)
    assert (estimate.bytes, estimate.files) == (size, files)


def test_of_a_store_only_the_days_of_the_window_count() -> None:
    days = found(
        *((f"store/cloudtrail_events/event_date=2026-11-0{day}/part-1.parquet", 10**day) for day in range(1, 6))
    )
    assert (
        listed(table("s3://b/store/"), WINDOW, NO_LIMITS, find=lambda *_, **__: days).bytes == 100 + 1_000
    )  # that day and the next, for what came late


@pytest.mark.parametrize(
    ("location", "because"),
    [(None, "does not say where it is"), ("local:///logs/trail", "is at local:///logs/trail, not in S3")],
)
def test_what_is_not_in_s3_cannot_be_told(location: str | None, because: str) -> None:
    estimate = listed(table(location), WINDOW, NO_LIMITS)
    assert estimate.bytes is None
    assert because in str(estimate)


def test_what_may_not_be_listed_cannot_be_told() -> None:
    def find(*_: object, **__: object) -> list[SourceFile]:
        raise SourceError("s3:ListBucket is not allowed")

    estimate = listed(table("s3://b/AWSLogs/"), WINDOW, NO_LIMITS, find=find)
    assert "cannot be listed (s3:ListBucket is not allowed)" in str(estimate)


def test_the_objects_are_listed_with_the_credentials_that_ask() -> None:
    asked: dict[str, object] = {}

    def find(places: list[str], window: Window, **how: object) -> list[SourceFile]:
        asked.update(how, places=places, window=window)
        return FILES

    listed(table("s3://b/AWSLogs/"), WINDOW, NO_LIMITS, profile="audit", find=find)
    assert asked == {"profile": "audit", "places": ["s3://b/AWSLogs/"], "window": WINDOW}


def test_of_security_lake_only_the_days_of_the_window_count() -> None:
    days = found(
        *((f"ext/region=eu-west-1/accountId=1/eventDay=2026110{day}/x.parquet", 10**day) for day in range(1, 6))
    )
    assert listed(table("s3://b/ext/"), WINDOW, NO_LIMITS, find=lambda *_, **__: days).bytes == 100 + 1_000


def test_estimates_add_up_and_doubt_stays() -> None:
    assert Estimate(5, 1).times(3) + Estimate(1, 2) == Estimate(16, 3)
    unsure = Estimate(5) + Estimate(None, because="nobody knows")
    assert (unsure.bytes, unsure.because) == (None, "nobody knows")
    assert str(Estimate(5, is_bound=False) + Estimate(5)) == "about 10 bytes"
    assert str(Estimate(5_000_000, 2)) == "at most 5.0 MB in 2 objects"


@pytest.mark.parametrize(
    ("text", "size"),
    [("50GB", 50 * 10**9), ("1.5 TiB", 3 * 2**39), ("800mb", 8 * 10**8), ("17", 17), ("3 KB", 3_000), ("1TB", 10**12)],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["much", "-1GB", "5 GBit", "", "1e9"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="is not a size"):
        size_of(text)


@pytest.mark.parametrize(
    ("scanned", "region", "usd"),
    [
        (10**12, "eu-central-1", 5.0),
        (10**12, "sa-east-1", 9.0),
        (1, None, 5e-5),
        (10_000_000, None, 5e-5),
        (0, None, 0.0),
    ],
)
def test_a_statement_costs_what_it_read_and_ten_megabytes_at_least(
    scanned: int, region: str | None, usd: float
) -> None:
    assert cost_usd(scanned, region) == pytest.approx(usd)
    assert price_per_tb("nowhere-1") == 5.0


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("SELECT event_id FROM cloudtrail_events", {"cloudtrail_events": 1}),
        ("SELECT 1 AS n FROM cloudtrail_events AS a, cloudtrail_events AS b", {"cloudtrail_events": 2}),
        (
            "WITH a AS (SELECT event_id FROM cloudtrail_events) SELECT a.event_id FROM a, a AS b",
            {"cloudtrail_events": 2},
        ),
        ("WITH a AS (SELECT event_id FROM cloudtrail_events) SELECT 1 AS n", {"cloudtrail_events": 0}),
        (
            "WITH a AS (SELECT event_id AS x FROM cloudtrail_events), b AS (SELECT x FROM a UNION ALL SELECT x FROM a) "
            "SELECT b.x FROM b, b AS c, flow_records",
            {"cloudtrail_events": 4, "flow_records": 1},
        ),
        ("SELECT n FROM (SELECT count(*) AS n FROM flow_records) AS t", {"flow_records": 1}),
        (
            "SELECT (SELECT count(*) FROM flow_records) AS n FROM cloudtrail_events",
            {"cloudtrail_events": 1, "flow_records": 1},
        ),
    ],
)
def test_an_engine_reads_a_with_anew_wherever_it_is_named(sql: str, reads: dict[str, int]) -> None:
    assert scans(prepare(sql, {}, WINDOW, StoreSources())) == reads
