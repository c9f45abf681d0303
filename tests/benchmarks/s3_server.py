"""As much of S3 as a benchmark asks for, on loopback: `python -m tests.benchmarks.s3_server FOLDER LATENCY_MS`.

Every answer is kept back for the latency of a request. The port is printed; `/requests` tells how many there were.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

FOLDER = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/02/"


class Server(asyncio.Protocol):
    """One connection; the objects are the files of one folder."""

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


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2])))
