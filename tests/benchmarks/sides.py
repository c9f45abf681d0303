"""What is measured, each as a process of its own: `python -m tests.benchmarks.sides NAME WORDS`."""

from __future__ import annotations

import sys
from pathlib import Path


def gunzip(listed: str) -> None:
    """What no reader can avoid: read the files whose names are in *listed*, and inflate them. Nothing else."""
    from isal import igzip

    for name in Path(listed).read_text().splitlines():
        with open(name, "rb") as file:  # noqa: PTH123 - a floor has no Path
            igzip.decompress(file.read())


def ingest(place: str, store: str) -> None:
    from auditkit.ingest import ingest
    from auditkit.store import Store

    report = ingest(Store(Path(store), create=True), [place])
    if report.quarantine or report.not_logs or not report.records + report.known_files:
        raise SystemExit(f"not all was read, so nothing was measured: {report}")


def compact(store: str) -> None:
    from auditkit.compaction import compact
    from auditkit.store import Store

    compact(Store(Path(store)))


def bare_s3(threads: str, keys: str, count: str) -> None:
    """The first *count* objects of the bucket, by nothing but obstore."""
    from concurrent.futures import ThreadPoolExecutor

    import obstore
    from obstore.store import S3Store

    store = S3Store("logs", client_options={"allow_http": True})
    with ThreadPoolExecutor(int(threads)) as pool:
        wanted = Path(keys).read_text().splitlines()[: int(count)]
        list(pool.map(lambda key: obstore.get(store, key).bytes().to_bytes(), wanted))


def fetch_s3(place: str) -> None:
    """List what is at *place* and get every object."""
    from auditkit.logs.s3 import Objects, list_files
    from auditkit.model import Window

    files = list_files(place, Window())
    with Objects() as objects:
        objects.prefetch(files)
        for file in files:
            objects.get(file)


def ask(name: str, store: str, flows: str) -> None:
    """The question *name* of the events of *store* and the flow records in the parts under *flows*."""
    from auditkit.catalogue import Catalogue
    from auditkit.engines.duckdb import DuckDBEngine
    from auditkit.store import Store

    query = Catalogue.load().get(name)
    parts = {**Store(Path(store)).parts(), "flow_records": sorted(Path(flows).rglob("*.parquet"))}
    DuckDBEngine(parts).run(query.sql, query.bind({}))


def scan(store: str, flows: str) -> None:
    """What no join of events and flow records can avoid: each column that it looks at, once, all rows."""
    from auditkit.engines.duckdb import DuckDBEngine
    from auditkit.store import Store

    parts = {**Store(Path(store)).parts(), "flow_records": sorted(Path(flows).rglob("*.parquet"))}
    engine = DuckDBEngine(parts)
    for table, columns in LOOKED_AT.items():
        engine.run(f"SELECT {', '.join(f'max({column}) AS {column}' for column in columns)} FROM {table}")


LOOKED_AT = {
    "cloudtrail_events": (
        *("event_time", "event_id", "event_name", "service", "account_id", "principal_arn", "session_name", "outcome"),
        *("source_ip", "vpc_endpoint_id", "request_parameters", "response_elements"),
    ),
    "flow_records": (
        *("start_time", "end_time", "account_id", "interface_id", "srcaddr", "dstaddr", "pkt_srcaddr", "srcport"),
        *("dstport", "protocol", "action", "ecs_task_id", "ecs_service_name"),
    ),
}
SIDES = {side.__name__: side for side in (gunzip, ingest, compact, bare_s3, fetch_s3, ask, scan)}

if __name__ == "__main__":
    SIDES[sys.argv[1]](*sys.argv[2:])
