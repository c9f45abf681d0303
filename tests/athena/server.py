"""The HTTP side of the fake Athena: AWS's JSON protocol on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.athena.fake import FakeAthena
from tests.athena.world import RefusedError

SERVICES = {"AmazonAthena": "athena", "AWSGlue": "glue"}


@contextmanager
def serving(athena: FakeAthena) -> Iterator[str]:
    """The address of *athena*, while it answers."""

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            target, _, operation = self.headers["X-Amz-Target"].partition(".")
            try:
                self._say(200, athena.answer(SERVICES[target], operation, request))
            except RefusedError as error:
                told = {"__type": error.code, "Message": error.said}
                if error.athena_code:
                    told |= {"AthenaErrorCode": error.athena_code, "ErrorCode": error.athena_code}
                self._say(400, told)

        def _say(self, status: int, told: dict[str, Any]) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
