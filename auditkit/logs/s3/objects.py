"""Many objects at a time, fetched ahead of whoever reads them, within a bound of memory."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from types import TracebackType

from auditkit.logs.s3.bucket import CONNECTIONS, Bucket, split
from auditkit.logs.source import S3, SourceFile

IN_FLIGHT = CONNECTIONS
HELD_BYTES = 64 << 20  # of objects on their way or waiting to be taken
SPOOLED_BYTES = 64 << 20  # an object above that goes to a file, not into memory
_OVERHEAD = 2048  # bytes that an object costs beside its content: tiny ones are bounded too


class Objects:
    """The content of listed objects, each in the version that was listed.

    `get` in about the order of `prefetch`, from one thread or several of one process. The files are what `list_files`
    gave, of any number of buckets.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._connecting = Lock()
        self._buckets: dict[str, Bucket] = {}
        self._queue: OrderedDict[str, SourceFile] = OrderedDict()  # not begun
        self._begun: dict[str, Future[bytes]] = {}
        self._held = 0
        self._pool = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="s3")
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def prefetch(self, files: Iterable[SourceFile]) -> None:
        """Fetch these next, after those named before. Objects that go to a file are fetched when they are asked for."""
        with self._lock:
            for file in files:
                if file.size <= SPOOLED_BYTES and file.key not in self._begun:
                    self._queue[file.key] = file
            self._begin()

    def get(self, file: SourceFile) -> bytes | Path:
        """The object; above 64 MB, the path of a temporary file. Whoever takes that one may delete it when done.

        Raises: UnavailableFileError, when the object is gone, has changed since it was listed, or may not be read;
        SourceError, when nothing else can be read either: credentials that expired, a bucket that is gone.
        """
        with self._lock:
            self._queue.pop(file.key, None)
            begun = self._begun.pop(file.key, None)
        if begun is None:
            return self._spool(file) if file.size > SPOOLED_BYTES else self._fetch(file)
        try:
            return begun.result()
        finally:
            with self._lock:
                self._held -= file.size + _OVERHEAD
                self._begin()

    def close(self) -> None:
        """Stop, and delete the temporary files. What is on its way is waited for, and dropped."""
        with self._lock:
            self._queue.clear()
        self._pool.shutdown(cancel_futures=True)
        self._begun.clear()
        if self._folder:
            self._folder.cleanup()

    def __enter__(self) -> Objects:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        """Begin what the bound leaves room for, and at least one. Called with the lock."""
        while self._queue:
            key, file = next(iter(self._queue.items()))
            if self._held and self._held + file.size + _OVERHEAD > HELD_BYTES:
                return
            del self._queue[key]
            self._held += file.size + _OVERHEAD
            self._begun[key] = self._pool.submit(self._fetch, file)

    def _fetch(self, file: SourceFile) -> bytes:
        bucket, key = self._place(file)
        return bucket.get(key, _etag(file))

    def _spool(self, file: SourceFile) -> Path:
        bucket, key = self._place(file)
        with self._lock:
            self._folder = self._folder or tempfile.TemporaryDirectory(prefix="auditkit-s3-")
        with tempfile.NamedTemporaryFile(dir=self._folder.name, delete=False) as spool:
            try:
                for chunk in bucket.chunks(key, _etag(file)):
                    spool.write(chunk)
            except BaseException:
                Path(spool.name).unlink()
                raise
        return Path(spool.name)

    def _place(self, file: SourceFile) -> tuple[Bucket, str]:
        name, key = split(file.key)
        with self._connecting:
            if name not in self._buckets:
                self._buckets[name] = Bucket(f"{S3}{name}")
            return self._buckets[name], key


def _etag(file: SourceFile) -> str:
    return file.version.removeprefix("etag ")
