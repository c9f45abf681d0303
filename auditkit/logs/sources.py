"""Where the bytes of a file are: on a disk of this machine, or in S3."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from auditkit.logs.source import SourceFile, is_remote

if TYPE_CHECKING:
    from auditkit.logs.s3 import Objects


class Sources:
    """Gives the files of a run, one by one. A context manager, which ends its connections."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._objects: Objects | None = None
        self._spooled: Path | None = None

    def prefetch(self, files: Sequence[SourceFile]) -> None:
        """Files that will be asked for soon: those in S3 are fetched in the meantime."""
        if remote := [file for file in files if is_remote(file.key)]:
            self._remote().prefetch(remote)

    def of(self, file: SourceFile) -> Path | bytes:
        """The file's path, or its bytes. Of a large object in S3 it is the path of a copy, until the next is asked for.

        Raises: UnavailableFileError; SourceError, when none can be had any more.
        """
        if self._spooled:
            self._spooled.unlink(missing_ok=True)
            self._spooled = None
        if not is_remote(file.key):
            return Path(file.path)
        content = self._remote().get(file)
        self._spooled = content if isinstance(content, Path) else None
        return content

    def _remote(self) -> Objects:
        if self._objects is None:
            from auditkit.logs.s3 import Objects  # with its HTTP client, which local files do without

            self._objects = self._stack.enter_context(Objects())
        return self._objects

    def __enter__(self) -> Sources:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
