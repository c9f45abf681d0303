"""A file's bytes, inflated and checked: what every reader starts from."""

from __future__ import annotations

from pathlib import Path

from isal import igzip, isal_zlib

from auditkit.errors import UnreadableFileError

GZIP_MAGIC = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
MAX_INFLATED_BYTES = 1 << 30  # CloudTrail stops at 50 MB a file; past this it is a bomb, not a log
_MAX_RATIO = 1032  # no byte of deflate stands for more
_BadGzip: type[Exception] = isal_zlib.error  # type: ignore[assignment]
_GZIP_WINDOW = 31  # zlib's way to say: a gzip header and trailer, checked


def read_bytes(path: Path) -> bytes:
    """The file as it lies there. Raises: UnreadableFileError, when it is missing, forbidden, or no regular file."""
    if not path.is_file() and path.exists():  # a pipe would never end
        raise UnreadableFileError("cannot be opened: not a regular file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(f"cannot be opened: {error.strerror}") from error


def text_of(data: bytes, *, max_bytes: int = MAX_INFLATED_BYTES) -> bytes:
    """A file's text as UTF-8 bytes, gunzipped where its first bytes say so, without a byte order mark.

    Raises: UnreadableFileError, for gzip that is cut short, damaged or followed by other bytes, more than *max_bytes*
    of text, no text at all, or bytes that are not UTF-8.
    """
    if data.startswith(GZIP_MAGIC):
        data = _gunzip(data, max_bytes)
    if data.startswith(BOM):
        data = data[len(BOM) :]
    if not data or data.isspace():
        raise UnreadableFileError("empty")
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UnreadableFileError(f"not UTF-8 text at byte {error.start}") from error
    return data


def _gunzip(data: bytes, max_bytes: int) -> bytes:
    """All members of a gzip file, one after the other."""
    if len(data) * _MAX_RATIO <= max_bytes:
        try:
            quickly: bytes = igzip.decompress(data)  # type: ignore[no-untyped-call]
            return quickly
        except (OSError, EOFError, _BadGzip):  # told by the careful way below
            pass
    members: list[bytes] = []
    size = 0
    while data:
        member = isal_zlib.decompressobj(_GZIP_WINDOW)
        try:
            text = member.decompress(data, max_bytes - size + 1)
        except _BadGzip as error:
            raise UnreadableFileError(f"damaged gzip: {error}") from error
        size += len(text)
        if size > max_bytes:
            raise UnreadableFileError(f"inflates to more than {max_bytes:,} bytes: refused as a gzip bomb")
        if not member.eof:
            raise UnreadableFileError(f"gzip cut short: {size:,} bytes could be inflated, the end is missing")
        members.append(text)
        data = member.unused_data
        if data and not data.startswith(GZIP_MAGIC):
            raise UnreadableFileError(f"{len(data):,} unexpected bytes after the end of the gzip stream")
    return members[0] if len(members) == 1 else b"".join(members)
