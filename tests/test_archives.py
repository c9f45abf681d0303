"""zstd, zip and gzip, alone and inside each other; and what is refused."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import random
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from auditkit.errors import UnreadableFileError
from auditkit.logs.archives import inflate, is_packed

TEXT = b'{"Records": []}\n' * 5_000
BOUND = 10_000_000


def zstd(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return packed


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


def inflated(data: bytes, max_bytes: int = BOUND) -> bytes:
    return b"".join(inflate(io.BytesIO(data), max_bytes))


PACKED = {
    "gzip": gzip.compress(TEXT),
    "gzip, two members": gzip.compress(TEXT[:80]) + gzip.compress(TEXT[80:]),
    "zstd": zstd(TEXT),
    "zstd, two frames": zstd(TEXT[:80]) + zstd(TEXT[80:]),
    "zip": zipped({"a.json": TEXT}),
    "zip, stored": zipped({"a.json": TEXT}, zipfile.ZIP_STORED),
    "zip, lzma": zipped({"a.json": TEXT}, zipfile.ZIP_LZMA),
    "zip with a folder and macOS's files": zipped(
        {"logs/": b"", "logs/a.json": TEXT, "__MACOSX/logs/._a.json": b"\0", "logs/.DS_Store": b"\0"}
    ),
    "gzip in gzip": gzip.compress(gzip.compress(TEXT)),
    "gzip in zip": zipped({"a.json.gz": gzip.compress(TEXT)}),
    "gzip in zstd": zstd(gzip.compress(TEXT)),
    "three layers": zipped({"a": gzip.compress(zstd(TEXT))}),
}


@pytest.mark.parametrize("name", PACKED)
def test_the_text_comes_out_whole(name: str) -> None:
    assert is_packed(PACKED[name][:4])
    assert inflated(PACKED[name]) == TEXT


def test_plain_text_is_no_archive_and_stays_as_it_is() -> None:
    assert not is_packed(TEXT[:4])
    assert not is_packed(b"")
    assert inflated(TEXT) == TEXT
    assert inflated(b"") == b""


def test_a_file_is_read_as_well_as_memory(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(PACKED["zip"])
    with (tmp_path / "a.zip").open("rb") as file:
        assert b"".join(inflate(file, BOUND)) == TEXT


def test_the_documents_of_a_zip_come_one_after_the_other() -> None:
    files = {"1.json": b'{"Records": [1]}', "2.json.gz": gzip.compress(b'\n {"Records": [2]}'), "3.json": b"{}"}
    assert inflated(zipped(files)) == b'{"Records": [1]}\n\n {"Records": [2]}\n{}'


PASSWORD = bytearray(zipped({"a.json": TEXT}))
PASSWORD[6] |= 1  # the flag of an encrypted member, in its own header and in the directory
PASSWORD[PASSWORD.index(b"PK\x01\x02") + 8] |= 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (PACKED["gzip"][:-9], "gzip cut short"),
        (PACKED["gzip"][:12], "gzip cut short"),
        (PACKED["gzip"][:-8] + b"\0\0\0\0" + PACKED["gzip"][-4:], "damaged gzip"),
        (b"\x1f\x8b" + b"\xff" * 40, "damaged gzip"),
        (PACKED["zstd"][:-3], "zstd cut short"),
        (PACKED["zstd"][:5], "zstd cut short"),
        (PACKED["zstd"] + b"and more", "damaged zstd"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 40, "damaged zstd"),
        (PACKED["zip"][:-10], "damaged zip"),
        (PACKED["zip"][:60] + b"\0\0\0\0" + PACKED["zip"][64:], "damaged zip"),
        (bytes(PASSWORD), "encrypted"),
        (zipped({"a/": b""}), "a zip with no file in it"),
        (zipped({"a.json": b"{}", "b.log": b"2 111122223333 eni-1"}), r"2 files that are not all JSON.*'b.log'.*unzip"),
        (gzip.compress(PACKED["zip"]), "a zip inside another archive"),
        (zipped({"a": gzip.compress(PACKED["gzip in gzip"])}), "packed more than 3 times over"),
        (zipped({"a.json": b"{}", "b.gz": PACKED["gzip"][:30]}), "gzip cut short"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        inflated(data)


def test_no_damage_to_a_zip_is_more_than_a_reason() -> None:
    """Python's reader stops at a directory that lies with half a dozen kinds of errors."""
    rng = random.Random(1)
    for _ in range(400):
        data = bytearray(zipped({"a.json": b"{}", "b.json": b'{"n": 1}'}))
        at = rng.randrange(4, len(data))
        if rng.random() < 0.5:
            data[at:at] = rng.randbytes(rng.choice([1, 9, 99]))
        else:
            data[at] ^= 1 << rng.randrange(8)
        with contextlib.suppress(UnreadableFileError):
            inflated(bytes(data))


ZEROS = bytes(5_000_000)


@pytest.mark.parametrize(
    ("bomb", "kind"),
    [
        (gzip.compress(ZEROS), "gzip"),
        (zstd(ZEROS), "zstd"),
        (zipped({"a": ZEROS}), "zip"),
        (gzip.compress(gzip.compress(ZEROS)), "gzip"),
        (zipped({"a": b"{" + ZEROS, "b": b"{" + ZEROS}), "zip"),
        (gzip.compress(gzip.compress(TEXT[:20]) + ZEROS), "gzip"),  # the outer layer is the bomb
    ],
)
def test_a_bomb_is_refused_before_it_has_gone_off(bomb: bytes, kind: str) -> None:
    blocks = []
    with pytest.raises(UnreadableFileError, match=f"refused as a {kind} bomb"):
        blocks.extend(inflate(io.BytesIO(bomb), 1_000_000))
    assert sum(map(len, blocks)) <= 1_000_000


def test_a_large_text_comes_in_blocks() -> None:
    text = os.urandom(1 << 20).hex().encode() * 2
    blocks = list(inflate(io.BytesIO(zstd(text)), BOUND))
    assert len(blocks) > 2
    assert b"".join(blocks) == text
