"""S3 on loopback: moto, with a record of what it was asked, and a server that answers what a test tells it to."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import botocore.loaders
import botocore.session
import pytest

REGION = "eu-central-1"


@dataclass(frozen=True)
class Request:
    method: str
    path: str  # /bucket/key, decoded
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case

    @property
    def prefix(self) -> str | None:
        """What a listing asked for; None for other requests."""
        return self.query.get("prefix", "") if self.query.get("list-type") == "2" else None


@dataclass
class Recording:
    """The requests a server got since the last `clear`."""

    requests: list[Request] = field(default_factory=list)

    def clear(self) -> None:
        self.requests.clear()

    @property
    def listed(self) -> set[str]:
        """The prefixes that were listed."""
        return {request.prefix for request in self.requests if request.prefix is not None}

    @property
    def read(self) -> list[str]:
        """The objects that were read."""
        return [request.path for request in self.requests if request.method == "GET" and request.prefix is None]


@contextmanager
def _serving(server: BaseServer) -> Iterator[str]:
    """The address of a server, while it answers."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def moto_server() -> Iterator[tuple[str, Recording]]:
    """Moto's S3: its address, and what it was asked."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    recording = Recording()
    moto = DomainDispatcherApplication(create_backend_app)

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        headers = {
            name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
        }
        query = {name: values[-1] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        path = environ["PATH_INFO"].encode("latin-1").decode()
        recording.requests.append(Request(environ["REQUEST_METHOD"], path, query, headers))
        return moto(environ, start_response)

    class Quiet(WSGIRequestHandler):
        disable_nagle_algorithm = True
        protocol_version = "HTTP/1.1"

        def log(self, *arguments: Any) -> None:
            pass

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    with _serving(server) as address:
        yield address, recording


@dataclass(frozen=True)
class Answer:
    """What a scripted server says once."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def refusal(status: int, code: str, message: str = "", **headers: str) -> Answer:
    """An error as S3 writes it."""
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, body.encode(), {"Content-Type": "application/xml", **headers})


def listing(*objects: tuple[str, int, str]) -> Answer:
    """A page of objects: key, size, etag."""
    contents = "".join(
        f"<Contents><Key>{key}</Key><Size>{size}</Size><ETag>&quot;{etag}&quot;</ETag></Contents>"
        for key, size, etag in objects
    )
    return Answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode())


Script = Callable[[Request], Answer]


@contextmanager
def scripted_server(script: Script) -> Iterator[tuple[str, Recording]]:
    """A server that answers what *script* says."""
    recording = Recording()

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, unquote(url.path), query, headers)
            recording.requests.append(request)
            answer = script(request)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_HEAD = do_POST = do_GET  # noqa: N815

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with _serving(server) as address:
        yield address, recording


SDK_DATA = botocore.loaders.create_loader()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user with keys in the environment and nothing else of AWS."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REQUEST_PAYER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    # The SDK reads a megabyte of JSON for every session; tests have hundreds.
    monkeypatch.setattr(botocore.session, "create_loader", lambda *_: SDK_DATA)


@pytest.fixture(scope="session")
def moto() -> Iterator[tuple[str, Recording]]:
    with moto_server() as server:
        yield server


_numbers = itertools.count()


@dataclass
class Filled:
    """A bucket of its own for a test, and what the server was asked since it was filled."""

    name: str
    client: Any
    asked: Recording

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def put(self, *keys: str, body: bytes | None = None, **more: Any) -> None:
        for key in keys:
            self.client.put_object(Bucket=self.name, Key=key, Body=key.encode() if body is None else body, **more)
        self.asked.clear()

    def copy(self, folder: Path) -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(str(path.relative_to(folder)), body=path.read_bytes())


@pytest.fixture
def filled(moto: tuple[str, Recording], credentials: None, monkeypatch: pytest.MonkeyPatch) -> Filled:
    address, asked = moto
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
    client = botocore.session.Session().create_client("s3")
    name = f"logs-{next(_numbers)}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    asked.clear()
    return Filled(name, client, asked)


Scripted = Callable[[Callable[[Request], Answer]], Recording]


@pytest.fixture
def scripted(credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """Start a server of a script, and have S3 be there."""
    with ExitStack() as stack:

        def start(script: Callable[[Request], Answer]) -> Recording:
            address, asked = stack.enter_context(scripted_server(script))
            monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
            monkeypatch.setattr("auditkit.logs.s3.bucket.RETRIES", 2)
            return asked

        yield start
