"""How fast a bucket of small objects is read: figures, and ratios to a floor of the same run.

    python -m tests.benchmarks.s3 [OBJECTS] [LATENCY_MS] [RUNS]

The server is on loopback, in a process of its own, and keeps every answer back for the latency of a request. The floor
is obstore alone with as many threads, told the keys beforehand; the other end is one request after the other. All sides
run as processes of their own, in turn; medians are what to quote.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tests.benchmarks.ingest import measured
from tests.records import record, trail

FOLDER = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/02/"
BARE = """
import sys, obstore; from concurrent.futures import ThreadPoolExecutor; from obstore.store import S3Store
threads, keys = int(sys.argv[1]), open(sys.argv[2]).read().split()[:int(sys.argv[3])]
store = S3Store("logs", client_options={"allow_http": True})
with ThreadPoolExecutor(threads) as pool: list(pool.map(lambda key: obstore.get(store, key).bytes().to_bytes(), keys))
"""
OBJECTS = """
from auditkit.logs.s3 import Objects, list_files; from auditkit.model import Window
files = list_files("s3://logs/AWSLogs/", Window())
with Objects() as objects:
    objects.prefetch(files)
    for file in files: objects.get(file)
"""
LIST = "from auditkit.logs.s3 import list_files; from auditkit.model import Window; list_files('s3://logs/AWSLogs/', Window())"
INGEST = """
import sys; from pathlib import Path; from auditkit.ingest import ingest; from auditkit.store import Store
ingest(Store(Path(sys.argv[2]), create=True), [sys.argv[1]])
"""


class Server(asyncio.Protocol):
    """As much of S3 as is asked for here, for the files of one folder."""

    objects: dict[str, bytes] = {}  # noqa: RUF012 - shared by all connections
    latency_s = 0.0
    requests = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
            if target == "/requests":
                self.answer(json.dumps(Server.requests).encode())
                continue
            Server.requests += 1
            asyncio.get_running_loop().call_later(Server.latency_s, self.respond, method, target)

    def respond(self, method: str, target: str) -> None:
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if method == "HEAD":
            self.answer(b"")
        elif "list-type" in query:
            self.answer(self.page(query))
        else:
            self.answer(self.objects[unquote(url.path).removeprefix("/logs/")])

    def page(self, query: dict[str, str]) -> bytes:
        prefix, start = query.get("prefix", ""), int(query.get("continuation-token", 0))
        if "delimiter" in query and prefix != FOLDER:
            deeper = prefix + FOLDER.removeprefix(prefix).split("/")[0] + "/"
            inner, more = f"<CommonPrefixes><Prefix>{deeper}</Prefix></CommonPrefixes>", False
        else:
            keys = list(self.objects)[start : start + 1000]
            more = start + 1000 < len(self.objects)
            inner = "".join(
                f'<Contents><Key>{key}</Key><ETag>"e"</ETag><Size>{len(self.objects[key])}</Size></Contents>'
                for key in keys
            )
        token = f"<NextContinuationToken>{start + 1000}</NextContinuationToken>" if more else ""
        return f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{inner}</ListBucketResult>".encode()

    def answer(self, body: bytes) -> None:
        self.transport.write(
            b'HTTP/1.1 200 OK\r\nETag: "e"\r\nLast-Modified: Mon, 02 Nov 2026 10:00:00 GMT\r\nContent-Length: '
            + f"{len(body)}\r\n\r\n".encode()
            + body
        )


async def serve(folder: Path, latency_ms: float) -> None:
    Server.objects = {FOLDER + path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    Server.latency_s = latency_ms / 1000
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main(objects: int = 5000, latency_ms: float = 30, runs: int = 3) -> None:
    with tempfile.TemporaryDirectory(prefix="auditkit-benchmark-") as name:
        folder = Path(name, "logs")
        folder.mkdir()
        for number in range(objects):
            events = (record(f"{number}-{n}", eventTime=f"2026-11-02T{n:02}:00:00Z") for n in range(20))
            folder.joinpath(f"{number:06}.json.gz").write_bytes(gzip.compress(trail(*events), 6))
        (Path(name) / "keys").write_text("\n".join(FOLDER + path.name for path in sorted(folder.iterdir())))
        size = sum(path.stat().st_size for path in folder.iterdir())
        print(f"{objects:,} objects of 20 events, {size / objects:,.0f} B each; {latency_ms:g} ms a request\n")
        command = [sys.executable, "-m", "tests.benchmarks.s3", "serve", str(folder), str(latency_ms)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            address = f"http://127.0.0.1:{int(server.stdout.readline())}"
            os.environ.update(
                AWS_ENDPOINT_URL=address,
                AWS_ENDPOINT_URL_S3=address,
                AWS_ACCESS_KEY_ID="AKIAEXAMPLE",
                AWS_SECRET_ACCESS_KEY="secret",
                AWS_DEFAULT_REGION="eu-central-1",
            )
            try:
                _compare(objects, runs, Path(name), address)
            finally:
                server.terminate()


def _compare(objects: int, runs: int, folder: Path, address: str) -> None:
    few = max(1, objects // 20)
    sides = {
        f"one after the other ({few:,})": (BARE, (1, folder / "keys", few)),
        "floor: bare obstore, 64": (BARE, (64, folder / "keys", objects)),
        "list_files": (LIST, ()),
        "list_files and Objects": (OBJECTS, ()),
        "ingest of the bucket": (INGEST, ("s3://logs/AWSLogs/", folder / "store-s3")),
        "ingest of the folder": (INGEST, (folder / "logs", folder / "store-local")),
        "ingest again, all known": (INGEST, ("s3://logs/AWSLogs/", folder / "store-s3-0")),
    }
    results: dict[str, list[tuple[float, float, float]]] = {name: [] for name in sides}
    requests = {}
    for run in range(runs):
        for name, (code, arguments) in sides.items():
            fresh = [f"{word}-{run}" if str(word).endswith(("-s3", "-local")) else word for word in arguments]
            before = _requests(address)
            results[name].append(measured(code, *fresh))
            requests[name] = _requests(address) - before
    for name, taken in results.items():
        cpu, wall, peak = (statistics.median(values) for values in zip(*taken, strict=True))
        count = few if name.startswith("one") else objects
        print(
            f"{name:28} {count / wall:7,.0f} objects/s {wall:6.2f} s wall {cpu:6.2f} s CPU {peak:5.0f} MB peak"
            f" {requests[name] / count:6.3f} requests an object"
        )
    floor, mine = results["floor: bare obstore, 64"], results["list_files and Objects"]
    bucket, local = results["ingest of the bucket"], results["ingest of the folder"]
    for what, a, b in (("Objects / floor", mine, floor), ("ingest, bucket / folder", bucket, local)):
        for unit, at in (("wall", 1), ("CPU", 0)):
            ratio = statistics.median(x[at] / y[at] for x, y in zip(a, b, strict=True))
            print(f"{unit} of {what:24} {ratio:5.2f} x")


def _requests(address: str) -> int:
    with urllib.request.urlopen(f"{address}/requests") as answer:
        return int(json.load(answer))


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(Path(sys.argv[2]), float(sys.argv[3])))
    else:
        main(*(int(word) for word in sys.argv[1:]))
