"""The fake Athena, filled, and engines that ask it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
import pyarrow as pa
import pytest
from botocore.config import Config
from pyathena.util import RetryConfig

from auditkit.engines.athena.engine import AthenaEngine
from auditkit.engines.settings import AthenaSettings
from auditkit.schema import PARTITION_KEY, TABLES
from tests.athena.backends import DuckDBBackend, FilledBackend
from tests.athena.fake import FakeAthena
from tests.athena.server import serving
from tests.athena.world import Workgroup
from tests.s3_server import REGION, Recording

DATABASE = "audit"
NAMES = {"cloudtrail_events": "trail", "flow_records": "flows"}
HIVE = {"varchar": "string", "integer": "int", "bigint": "bigint", "double": "double", "boolean": "boolean",
        "timestamp": "timestamp", "date": "date"}  # fmt: skip
_numbers = itertools.count()


@dataclass
class Lab:
    """A fake Athena with a bucket of its own, whose tables are those of a store."""

    athena: FakeAthena
    backend: FilledBackend
    bucket: str
    asked_of_s3: Recording

    @property
    def location(self) -> str:
        return f"s3://{self.bucket}/results/"

    def hold(self, table: str, rows: pa.Table, **parameters: str) -> None:
        """Make *rows* the table of events or of flow records, which has the layout of a store."""
        self.backend.hold(DATABASE, NAMES[table], rows)
        self.athena.tables[DATABASE, NAMES[table]] = store_table(table, NAMES[table], **parameters)

    def stored(self) -> list[str]:
        """What is in the bucket."""
        found = self.athena.s3.list_objects_v2(Bucket=self.bucket)
        return [one["Key"] for one in found.get("Contents", ())]


def store_table(table: str, name: str, **parameters: str) -> dict[str, Any]:
    """What Athena tells of a table in the layout of a store."""
    columns = [{"Name": one.name, "Type": HIVE[one.type]} for one in TABLES[table].columns]
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Columns": [one for one in columns if one["Name"] != PARTITION_KEY],
        "PartitionKeys": [one for one in columns if one["Name"] == PARTITION_KEY],
        "Parameters": {"EXTERNAL": "TRUE", "location": f"s3://logs/store/{table}/"} | parameters,
    }


@dataclass
class Served:
    """What all tests share: the servers, and who looks after the results."""

    athena: FakeAthena
    backend: FilledBackend
    address: str
    s3: Any


@pytest.fixture(scope="session")
def served(moto: tuple[str, Recording]) -> Iterator[Served]:
    keys = {"aws_access_key_id": "fake", "aws_secret_access_key": "fake", "region_name": REGION}
    s3 = botocore.session.Session().create_client("s3", endpoint_url=moto[0], **keys)
    backend = DuckDBBackend()
    athena = FakeAthena(backend, s3)
    with serving(athena) as address:
        yield Served(athena, backend, address, s3)
    s3.close()


@pytest.fixture
def lab(served: Served, moto: tuple[str, Recording], credentials: None, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A fake Athena whose two tables are empty."""
    s3_address, asked = moto
    monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", served.address)
    monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", served.address)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_address)
    monkeypatch.setattr("auditkit.engines.athena.engine.RETRIES", RetryConfig(attempt=3, multiplier=0))
    monkeypatch.setattr(
        "auditkit.engines.athena.engine.SDK", Config(retries={"total_max_attempts": 1}, connect_timeout=2)
    )
    bucket = f"athena-{next(_numbers)}"
    served.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    served.athena.reset()
    found = Lab(served.athena, served.backend, bucket, asked)
    served.athena.workgroups["primary"] = Workgroup(output_location=found.location)
    for table in TABLES:
        found.hold(table, TABLES[table].arrow.empty_table())
    asked.clear()
    return found


Engines = Callable[..., AthenaEngine]


@pytest.fixture
def engine_with(lab: Lab) -> Iterator[Engines]:
    """Engines of settings of a test's own."""
    opened = []

    def make(
        *, limits: Any = None, progress: Any = None, max_scan_bytes: int | None = None, **more: Any
    ) -> AthenaEngine:
        chosen = {
            "database": DATABASE,
            "cloudtrail_table": NAMES["cloudtrail_events"],
            "flow_table": NAMES["flow_records"],
            "poll_interval_s": 0.005,
        } | more
        given = {"limits": limits} if limits else {}
        engine = AthenaEngine(AthenaSettings(**chosen), progress=progress, max_scan_bytes=max_scan_bytes, **given)
        opened.append(engine)
        return engine

    yield make
    for engine in opened:
        engine.close()


@pytest.fixture
def athena(engine_with: Engines) -> AthenaEngine:
    """An engine over the two tables of the lab."""
    return engine_with()
