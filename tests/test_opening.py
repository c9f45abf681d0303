"""A file's bytes: gzip of every kind, and what is refused."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from auditkit.errors import UnreadableFileError
from auditkit.logs.opening import Text

TEXT = b'{"Records": []}' * 50


def text_of(data: bytes | Path, **options: int) -> bytes:
    with Text(data, **options) as text:
        return b"".join(text.blocks())


@pytest.mark.parametrize(
    "data",
    [TEXT, gzip.compress(TEXT), gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]), b"\xef\xbb\xbf" + TEXT],
    ids=["plain", "gzip", "two members", "byte order mark"],
)
def test_the_text_comes_out_whole(data: bytes) -> None:
    assert text_of(data) == TEXT


@pytest.mark.parametrize("data", [gzip.compress(TEXT), gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])])
def test_a_bounded_read_gives_the_same_text(data: bytes) -> None:
    """Files that could grow past the bound are inflated step by step; the result may not differ."""
    assert text_of(data, max_bytes=len(TEXT)) == TEXT


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (gzip.compress(b""), "empty"),
        (gzip.compress(TEXT)[:-12], "cut short"),
        (gzip.compress(TEXT)[:30], "cut short"),
        (gzip.compress(TEXT) + b"and more", "8 unexpected bytes after the end"),
        (gzip.compress(TEXT)[:-8] + b"\0\0\0\0" + gzip.compress(TEXT)[-4:], "damaged gzip"),
        (b"\x1f\x8b" + b"\xff" * 40, "damaged gzip"),
        (b'{"Records": "\xff\xfe"}', "not UTF-8 text at byte 13"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        text_of(data)


def test_a_gzip_bomb_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="gzip bomb"):
        text_of(gzip.compress(b"\0" * 5_000_000), max_bytes=1_000_000)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="cannot be opened: No such file"):
        text_of(tmp_path / "gone")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableFileError, match="not a regular file"):
        text_of(tmp_path / "pipe")
