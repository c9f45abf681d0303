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


SIDES = {side.__name__: side for side in (gunzip, ingest, compact, bare_s3, fetch_s3)}

if __name__ == "__main__":
    SIDES[sys.argv[1]](*sys.argv[2:])
