"""What logs are packed in beside plain gzip: zstd, zip, and any of the three inside another."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
from isal import igzip, isal_zlib

from auditkit.errors import TooMuchTextError, UnreadableFileError

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZIP_MAGIC = b"PK\x03\x04"
BLOCK_BYTES = 1 << 20
_DEEPEST = 3  # a zip of gzips that were gzipped twice; what goes on is made to
_MAC_FORKS = "__MACOSX/"  # what macOS packs beside each file


def is_packed(head: bytes) -> bool:
    """Whether a file that begins with *head* (four bytes are enough) is one for `inflate`."""
    return _layer(head) is not None


def inflate(source: BinaryIO, max_bytes: int) -> Iterator[bytes]:
    """What a gzip, zstd or zip file holds, block by block, through at most three layers of them; plain text as it is.

    A zip with one file is that file. Of a zip with several, each must be JSON documents, and they come one after the
    other, a line break between them. Hidden files do not count. *source* is used up; for a zip it must be seekable.
    Raises: UnreadableFileError, for what is cut short, damaged, encrypted, packed deeper or in another way, for a zip
    with several files that are not all JSON, and as soon as one layer has given more than *max_bytes*.
    """
    reader = _unpacked(source, max_bytes, _DEEPEST)
    while block := reader.read(BLOCK_BYTES):
        yield block


def _unpacked(source: BinaryIO, max_bytes: int, layers: int) -> BinaryIO:
    """The innermost layer."""
    reader: Any = source if hasattr(source, "peek") else io.BufferedReader(source, BLOCK_BYTES)
    layer = _layer(reader.peek(4))
    if layer is None:
        return reader  # type: ignore[no-any-return]
    if not layers:
        raise UnreadableFileError(f"packed more than {_DEEPEST} times over")
    kind, blocks = layer
    inner = blocks(reader, max_bytes, layers - 1)
    return _unpacked(io.BufferedReader(_Stream(_checked(inner, kind, max_bytes)), BLOCK_BYTES), max_bytes, layers - 1)


# What Python's zip reader alone makes of a damaged directory is a good part of these.
_DAMAGED: tuple[type[Exception], ...] = (  # type: ignore[assignment]
    *(OSError, ValueError, RuntimeError, LookupError, ArithmeticError, struct.error),
    *(zlib.error, isal_zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)
_Blocks = Callable[[Any, int, int], Iterator[bytes]]


def _layer(head: bytes) -> tuple[str, _Blocks] | None:
    for magic, layer in _LAYERS.items():
        if head.startswith(magic):
            return layer
    return None


def _checked(blocks: Iterator[bytes], kind: str, max_bytes: int) -> Iterator[bytes]:
    """The blocks up to the bound; every library's own error as ours."""
    size = 0
    try:
        for block in blocks:
            size += len(block)
            if size > max_bytes:
                said = f"inflates to more than {max_bytes:,} bytes: refused as a {kind} bomb"
                raise TooMuchTextError(said, max_bytes)
            yield block
    except EOFError:
        raise UnreadableFileError(f"{kind} cut short: {size:,} bytes could be inflated, the end is missing") from None
    except _DAMAGED as error:
        if "Truncated" in str(error):
            raise UnreadableFileError(
                f"{kind} cut short: {size:,} bytes could be inflated, the end is missing"
            ) from None
        raise UnreadableFileError(f"damaged {kind}: {error}") from error


def _of_gzip(source: BinaryIO, max_bytes: int, layers: int) -> Iterator[bytes]:
    return _read(igzip.GzipFile(fileobj=source))  # type: ignore[no-untyped-call]


def _of_zstd(source: BinaryIO, max_bytes: int, layers: int) -> Iterator[bytes]:
    return _read(pa.CompressedInputStream(pa.PythonFile(source, mode="r"), "zstd"))


def _of_zip(source: BinaryIO, max_bytes: int, layers: int) -> Iterator[bytes]:
    if not source.seekable():
        raise UnreadableFileError("a zip inside another archive: unpack it first")
    archive = zipfile.ZipFile(source)
    files = [file for file in archive.infolist() if not _is_hidden(file)]
    if not files:
        raise UnreadableFileError("a zip with no file in it")
    if len(files) > 1:
        for file in files:
            head = _unpacked(_member(archive, file), max_bytes, layers).read(1024)
            if not head.lstrip().startswith(b"{"):
                raise UnreadableFileError(
                    f"a zip of {len(files):,} files that are not all JSON documents ({file.filename!r}): unzip it first"
                )
    for at, file in enumerate(files):
        if at:
            yield b"\n"
        member = _member(archive, file)
        yield from _read(_unpacked(member, max_bytes, layers) if len(files) > 1 else member)


def _is_hidden(file: zipfile.ZipInfo) -> bool:
    name = file.filename
    return file.is_dir() or name.startswith(_MAC_FORKS) or name.rsplit("/", 1)[-1].startswith(".")


def _member(archive: zipfile.ZipFile, file: zipfile.ZipInfo) -> BinaryIO:
    try:
        return archive.open(file)  # type: ignore[return-value]
    except (RuntimeError, NotImplementedError) as error:  # a password, or a method Python has not
        raise UnreadableFileError(f"a zip that cannot be opened here: {error}; unzip it first") from error


def _read(reader: Any) -> Iterator[bytes]:
    while block := reader.read(BLOCK_BYTES):
        yield bytes(block)


_LAYERS: dict[bytes, tuple[str, _Blocks]] = {
    GZIP_MAGIC: ("gzip", _of_gzip),
    ZSTD_MAGIC: ("zstd", _of_zstd),
    ZIP_MAGIC: ("zip", _of_zip),
}


class _Stream(io.RawIOBase):
    """Blocks as a file to read from."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
