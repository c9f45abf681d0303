"""How fast a bucket of small objects is read, next to obstore alone and to a folder of the same files.

    python -m tests.benchmarks.s3 [OBJECTS] [LATENCY_MS] [RUNS]

The floor is obstore with as many threads, told the keys beforehand; the other end is one request after the other.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

from tests.benchmarks.measure import CHECKOUT, Used, in_turn, medians, ratio, used
from tests.benchmarks.s3_server import FOLDER
from tests.benchmarks.table import Desk, Line, counted, files, main, size
from tests.records import record, trail

THREADS = 64
EVENTS = 20  # an object


def measure(desk: Desk, *, objects: int, latency_ms: int, runs: int) -> Iterator[Line]:
    logs = desk.logs(f"objects-{objects}", partial(_write_objects, objects=objects))
    keys, bucket = desk.fresh("keys.txt"), desk.fresh("bucket")
    keys.write_text("\n".join(FOLDER + path.name for path in files(logs)))
    few = max(1, objects // 20)
    with _serving(logs, latency_ms) as address:
        desk.say(f"a bucket of {counted(objects)} objects")
        place, requests = "s3://logs/AWSLogs/", {}

        def counting(name: str, side: str, *words: object) -> Used:
            before = _requests(address)
            taken = used(side, *words)
            requests[name] = _requests(address) - before
            return taken

        taken = in_turn(
            {
                "one": lambda _: counting("one", "bare_s3", 1, keys, few),
                "bare": lambda _: counting("bare", "bare_s3", THREADS, keys, objects),
                "fetch": lambda _: counting("fetch", "fetch_s3", place),
                "bucket": lambda _: counting("bucket", "ingest", place, desk.fresh("bucket")),
                "folder": lambda _: counting("folder", "ingest", logs, desk.fresh("folder")),
                "again": lambda _: counting("again", "ingest", place, bucket),
            },
            runs,
        )
    at_a_time = medians(taken["one"]).wall_s / few * objects / medians(taken["fetch"]).wall_s
    yield Line(
        f"S3: {counted(objects)} objects of {size(files(logs)) / objects / 1e3:.1f} kB, {latency_ms} ms a request",
        f"{objects / medians(taken['bucket']).wall_s:,.0f} objects/s stored",
    )
    yield Line("  one request after the other / list and fetch", f"{at_a_time:.0f} x wall")
    for name, a, b in (
        ("list and fetch / bare obstore", "fetch", "bare"),
        ("ingest, bucket / folder", "bucket", "folder"),
    ):
        yield Line(f"  {name}", _compared(taken[a], taken[b]))
    again = medians(taken["again"])
    yield Line("  second run, nothing new", f"{again.wall_s:.2f} s, {requests['again']:,} requests")
    yield Line("  requests an object", f"{requests['bucket'] / objects:.3f}")


def _compared(of: Sequence[Used], to: Sequence[Used]) -> str:
    wall = ratio([run.wall_s for run in of], [run.wall_s for run in to])
    cpu = ratio([run.cpu_s for run in of], [run.cpu_s for run in to])
    return f"{wall:.2f} x wall, {cpu:.2f} x CPU"


def _write_objects(folder: Path, objects: int) -> None:
    for number in range(objects):
        events = (record(f"{number}-{n}", eventTime=f"2026-11-02T{n:02}:00:00Z") for n in range(EVENTS))
        folder.joinpath(f"{number:06}.json.gz").write_bytes(gzip.compress(trail(*events), 6))


@contextmanager
def _serving(folder: Path, latency_ms: int) -> Iterator[str]:
    """The address of a server of the files in *folder*; it is what AWS means meanwhile."""
    command = [sys.executable, "-m", "tests.benchmarks.s3_server", str(folder), str(latency_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as server:
        try:
            assert server.stdout
            address = f"http://127.0.0.1:{int(server.stdout.readline())}"
            settings = {
                "AWS_ENDPOINT_URL": address,
                "AWS_ENDPOINT_URL_S3": address,
                "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_DEFAULT_REGION": "eu-central-1",
            }
            with patch.dict(os.environ, settings):
                yield address
        finally:
            server.terminate()


def _requests(address: str) -> int:
    with urllib.request.urlopen(f"{address}/requests") as answer:
        return int(json.load(answer))


if __name__ == "__main__":
    main(measure, __doc__, objects=5000, latency_ms=30, runs=3)
