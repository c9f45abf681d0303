"""A file's bytes: gzip of every kind, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from auditkit.errors import UnreadableFileError
from auditkit.logs.opening import read_text

TEXT = b'{"Records": []}' * 50


@pytest.mark.parametrize(
    "data",
    [TEXT, gzip.compress(TEXT), gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]), b"\xef\xbb\xbf" + TEXT],
    ids=["plain", "gzip", "two members", "byte order mark"],
)
def test_the_text_comes_out_whole(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "log").write_bytes(data)
    assert read_text(tmp_path / "log") == TEXT


@pytest.mark.parametrize("data", [gzip.compress(TEXT), gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])])
def test_a_bounded_read_gives_the_same_text(tmp_path: Path, data: bytes) -> None:
    """Files that could grow past the bound are inflated step by step; the result may not differ."""
    (tmp_path / "log").write_bytes(data)
    assert read_text(tmp_path / "log", max_bytes=len(TEXT)) == TEXT


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
def test_what_cannot_be_read_says_why(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "log").write_bytes(data)
    with pytest.raises(UnreadableFileError, match=reason):
        read_text(tmp_path / "log")


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"\0" * 5_000_000))
    with pytest.raises(UnreadableFileError, match="gzip bomb"):
        read_text(tmp_path / "bomb.gz", max_bytes=1_000_000)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="cannot be opened: No such file"):
        read_text(tmp_path / "gone")
