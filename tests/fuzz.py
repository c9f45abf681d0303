"""Every sample and every form of a log, damaged at random and read: `python -m tests.fuzz [SEED] [COUNT]`.

Whatever comes of a damaged file, it is counted or named, and nothing else suffers. A file that breaks this is kept, and
its name printed.
"""

from __future__ import annotations

import gzip
import io
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq

from auditkit.ingest import ingest
from auditkit.output import as_json
from auditkit.schema import TABLES
from auditkit.store import Store
from tests.conftest import DATA_SAMPLES
from tests.records import FLOW_HEADER, flow_line, record, trail
from tests.stores import assert_balanced, assert_sound, rows
from tests.test_archives import zipped, zstd
from tests.test_forms import FORMS

LARGEST = 40_000  # bytes of a sample: of large ones more mutants would change nothing that matters
TOGETHER = 50  # mutants in one ingest
PACKINGS: dict[bytes, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": (gzip.decompress, lambda text: gzip.compress(text, mtime=0)),
}
# What makes a difference where it comes to stand in a log.
_WORDS = (
    b'{"Records":[', b"]}", b"},{", b'"eventTime"', b'"eventID":', b"null", b"\\ud800", b'\\"', b"\\u0000", b"\0", b"\xff",
    b"\xc3", "é".encode(), b"\xef\xbb\xbf", b"\r", b"\n", b"\n\n", b",,", b"-", b"- - -", b"9" * 400, b"1e999", b"NaN",
    b"[" * 1_200, b"SKIPDATA", b"version account-id", b"2026-13-99T99:99:99Z", b"0000-01-01T00:00:00+23:59", b"\x1f\x8b",
    b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"PAR1", b'"detail":{', b'"message":"', b" 1793613600 ", b" 99999999999999999999 ",
)  # fmt: skip


def seeds() -> list[bytes]:
    """The files to damage, as they lie there."""
    found = [path.read_bytes() for path in sorted(DATA_SAMPLES.rglob("*")) if path.is_file()]
    found = [data for data in found if len(data) <= LARGEST]
    found += [form[0] for form in FORMS.values()]
    events = trail(*(record(f"s{n}", userAgent="é\ud83d" if n == 3 else "x") for n in range(9)))
    flows = "\n".join([FLOW_HEADER, *(flow_line(dstport=n) for n in range(9))]).encode()
    parquet = io.BytesIO()
    lines = [flow_line(dstport=n).split() for n in range(9)]
    names = [name.replace("-", "_") for name in FLOW_HEADER.split()]
    pq.write_table(pa.table(dict(zip(names, map(list, zip(*lines, strict=True)), strict=True))), parquet)
    found += [
        events,
        flows,
        gzip.compress(events),
        gzip.compress(flows),
        zstd(flows),
        zipped({"a": events, "b": events}),
    ]
    return [*found, parquet.getvalue()]


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The file with some of its bytes changed, before it was packed or after."""
    unpack, pack = PACKINGS.get(data[:2], (None, None)) if rng.random() < 0.7 else (None, None)
    text = bytearray(unpack(data) if unpack else data)
    for _ in range(rng.choice([1, 1, 1, 2, 5, 20])):
        _damage(text, rng)
    return pack(bytes(text)) if pack else bytes(text)


def _damage(text: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(text) + 1)
    end = min(len(text), at + int(rng.expovariate(1 / 30)) + 1)
    kind = rng.randrange(8)
    if kind == 0:
        for _ in range(rng.choice([1, 1, 4])):
            if text:
                text[rng.randrange(len(text))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del text[at:]
    elif kind == 2:
        del text[at:end]
    elif kind == 3:
        text[at:at] = text[at:end]
    elif kind == 4:
        text[at:at] = rng.choice(_WORDS)
    elif kind == 5:
        text[at:end] = rng.choice(_WORDS)
    elif kind == 6:
        other = rng.randrange(len(text) + 1)
        length = min(end - at, len(text) - other)
        text[at : at + length], text[other : other + length] = text[other : other + length], text[at : at + length]
    else:
        text += text[:at] if rng.random() < 0.3 else rng.choice(_WORDS)


def check(folder: Path, *, blocks: bool = False) -> None:
    """Read all files of a folder, and see that each of them, and each of their records, is accounted for."""
    with ExitStack() as small:
        if blocks:
            small.enter_context(mock.patch("auditkit.logs.opening._READ_BYTES", 700))
            small.enter_context(mock.patch("auditkit.logs.opening.BLOCK_BYTES", 900))
            small.enter_context(mock.patch("auditkit.batches.CHUNK_RECORDS", 40))
        with tempfile.TemporaryDirectory() as place:
            store = Store(Path(place) / "store", create=True)
            report = ingest(store, [folder])
            assert_sound(store, swept=True)
            assert_balanced(store, report)
            states = dict.fromkeys(("stored", "partial", "quarantined", "not a log", "digest"), 0)
            for file in store.files():
                states[file["state"]] += 1
                assert file["reason"] or file["state"] in ("stored", "digest")
            names = {str(path) for path in folder.iterdir()}
            assert {file["key"] for file in store.files()} == names
            assert report.files == len(names) == sum(states.values())
            assert (report.quarantined, report.not_logs) == (states["quarantined"], states["not a log"])
            assert report.digests == states["digest"]
            assert {each["file"] for each in report.quarantine if each["position"] is None} == {
                file["key"] for file in store.files() if file["state"] == "quarantined"
            }
            as_json(asdict(report)).encode()
            for table in TABLES:
                rows(store, table)  # each text is text
            assert ingest(store, [folder]).files == 0


def mutants(seed: int, count: int) -> Iterator[bytes]:
    rng = random.Random(seed)
    files = seeds()
    for _ in range(count):
        yield damaged(rng.choice(files), rng)


def main(seed: int = 1, count: int = 5_000) -> None:
    waiting = list(mutants(seed, count))
    kept = Path(tempfile.mkdtemp(prefix="auditkit-fuzz-"))
    broken = 0
    for at in range(0, count, TOGETHER):
        some = kept / f"{at}"
        some.mkdir()
        for number, data in enumerate(waiting[at : at + TOGETHER], at):
            (some / f"{number}.log").write_bytes(data)
        for blocks in (False, True):
            try:
                check(some, blocks=blocks)
            except Exception as error:
                broken += _alone(some, kept, error, blocks=blocks)
        shutil.rmtree(some)
    print(f"{count:,} mutants of seed {seed}: {broken} broken{f', in {kept}' if broken else ''}")
    sys.exit(bool(broken))


def _alone(some: Path, kept: Path, error: Exception, *, blocks: bool) -> int:
    """Which of the files it was; all together, if each alone is fine."""
    found = 0
    for path in sorted(some.iterdir()):
        alone = kept / f"alone-{path.stem}"
        alone.mkdir()
        shutil.copy(path, alone)
        try:
            check(alone, blocks=blocks)
            shutil.rmtree(alone)
        except Exception as reason:
            found += 1
            print(f"{alone / path.name} (blocks: {blocks}): {type(reason).__name__}: {str(reason)[:300]}")
    if not found:
        shutil.copytree(some, kept / f"together-{some.name}", dirs_exist_ok=True)
        print(f"{kept / f'together-{some.name}'} (blocks: {blocks}): {type(error).__name__}: {str(error)[:300]}")
    return max(found, 1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
