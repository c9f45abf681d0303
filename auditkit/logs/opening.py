"""A file's text, inflated and checked, block by block: what every reader starts from."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from isal import isal_zlib

from auditkit.errors import TooMuchTextError, UnavailableFileError, UnreadableFileError
from auditkit.logs import archives

GZIP_MAGIC = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
BLOCK_BYTES = 16 << 20  # of text at a time: all of nearly every file, and little enough for a large one
MAX_TEXT_BYTES = 4 << 30  # CloudTrail stops at 50 MB a file, exports go higher; past this it is a bomb, not a log
_READ_BYTES = 4 << 20
_BadGzip: type[Exception] = isal_zlib.error  # type: ignore[assignment]
_GZIP_WINDOW = 31  # zlib's way to say: a gzip header and trailer, checked


class Text:
    """The text of one file: a path, or the bytes of a file that is no file here. A context manager.

    A file too large for memory stays open in between, so that reading it twice reads the same file.
    Raises: UnavailableFileError, when it is missing, forbidden, or no regular file.
    """

    def __init__(self, source: bytes | Path, *, max_bytes: int = MAX_TEXT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._file: BinaryIO | None = None
        if isinstance(source, bytes):
            self.head = source
        else:
            self.head, self._file = _opened(source)
        self.sha256 = ""  # of the file as it lies there; known when the blocks have been read

    def blocks(self) -> Iterator[bytes]:
        """The text as UTF-8 bytes without a byte order mark, at most about `BLOCK_BYTES` at a time.

        Raises: UnreadableFileError, for gzip that is cut short, damaged or followed by other bytes, more text than
        allowed, no text at all, or bytes that are not UTF-8.
        """
        return _bounded(_checked(self._inflated()), self._max_bytes)

    def _inflated(self) -> Iterator[bytes]:
        if archives.is_packed(self.head) and not self.head.startswith(GZIP_MAGIC):
            return self._unpacked()
        if not self.head.startswith(GZIP_MAGIC):
            return self._raw()
        blocks = _gunzip(self._raw())
        first = next(blocks, b"")
        return self._unpacked() if archives.is_packed(first) else chain([first], blocks)

    def binary(self) -> BinaryIO:
        """The file as it lies there, from its start; `sha256` is known from here on."""
        file: Any = self._file or io.BytesIO(self.head)
        file.seek(0)
        self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        return file  # type: ignore[no-any-return]

    def _unpacked(self) -> Iterator[bytes]:
        """What is packed in another way than once with gzip."""
        return archives.inflate(self.binary(), self._max_bytes)

    def _raw(self) -> Iterator[bytes]:
        digest = hashlib.sha256()
        if self._file:
            self._file.seek(len(self.head))
        chunk = self.head
        while chunk:
            digest.update(chunk)
            yield chunk
            chunk = self._read() if self._file else b""
        self.sha256 = digest.hexdigest()

    def _read(self) -> bytes:
        assert self._file
        try:
            return self._file.read(_READ_BYTES)
        except OSError as error:
            raise UnavailableFileError(f"cannot be read: {error.strerror}") from error

    def __enter__(self) -> Text:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()


def read_bytes(path: Path) -> bytes:
    """A file as it lies there. Raises: UnavailableFileError, when it is missing, forbidden, or no regular file."""
    with Text(path) as text:
        return text.binary().read()


def _opened(path: Path) -> tuple[bytes, BinaryIO | None]:
    """How the file begins, and the file itself where that is not all of it."""
    try:
        # Non-blocking, since opening a pipe would wait for a writer. No Path or file object: many logs are tiny.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise UnavailableFileError(f"cannot be opened: {error.strerror}") from error
    file: BinaryIO | None = None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnavailableFileError("cannot be opened: not a regular file")
        head = os.read(descriptor, min(status.st_size + 1, _READ_BYTES))
        if len(head) > status.st_size or len(head) == _READ_BYTES:  # it has more, or is growing
            file = os.fdopen(descriptor, "rb")
        return head, file
    except OSError as error:
        raise UnavailableFileError(f"cannot be read: {error.strerror}") from error
    finally:
        if file is None:
            os.close(descriptor)


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """All members of a gzip file, one after the other."""
    member, size = isal_zlib.decompressobj(_GZIP_WINDOW), 0
    for data in chunks:
        has_more = False  # inflated text waits inside, though all of the data was taken
        while data or has_more:
            if member.eof:
                if not data.startswith(GZIP_MAGIC[: len(data)]):
                    raise UnreadableFileError(f"{len(data):,} unexpected bytes after the end of the gzip stream")
                member = isal_zlib.decompressobj(_GZIP_WINDOW)
            try:
                room = _room(data)
                text = member.decompress(data, room)
            except _BadGzip as error:
                raise UnreadableFileError(f"damaged gzip: {error}") from error
            size += len(text)
            if text:
                yield text
            has_more = len(text) == room and not member.eof
            data = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise UnreadableFileError(f"gzip cut short: {size:,} bytes could be inflated, the end is missing")


def _room(data: bytes) -> int:
    """How much to inflate at once: all, where the last bytes say how much that is. They may lie, so it is a guess."""
    size = int.from_bytes(data[-4:], "little") + 1 if len(data) > 4 else 0
    return size if 0 < size <= BLOCK_BYTES else BLOCK_BYTES // 2


def _checked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks without a byte order mark, each of whole UTF-8 characters."""
    at, left = 0, b""
    for number, chunk in enumerate(chunks):
        block = left + chunk if left else chunk
        if number == 0 and block.startswith(BOM):
            block = block[len(BOM) :]
        left = b""
        if not block.isascii():
            try:
                block.decode("utf-8")
            except UnicodeDecodeError as error:
                if error.reason != "unexpected end of data":
                    raise UnreadableFileError(f"not UTF-8 text at byte {at + error.start}") from error
                block, left = block[: error.start], block[error.start :]
        at += len(block)
        yield block
    if left:
        raise UnreadableFileError(f"not UTF-8 text at byte {at}")


def _bounded(blocks: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """The blocks, small ones put together, as long as there are not too many bytes and any at all."""
    size, waiting, held = 0, [], 0
    is_blank = True
    for block in blocks:
        size += len(block)
        if size > max_bytes:
            raise TooMuchTextError(
                f"more than {max_bytes:,} bytes of text: refused, as a gzip bomb would be", max_bytes
            )
        is_blank = is_blank and (not block or block.isspace())
        waiting.append(block)
        held += len(block)
        if held >= BLOCK_BYTES // 2:
            yield b"".join(waiting) if len(waiting) > 1 else waiting[0]
            waiting, held = [], 0
    if is_blank:
        raise UnreadableFileError("empty")
    if held:
        yield b"".join(waiting) if len(waiting) > 1 else waiting[0]
