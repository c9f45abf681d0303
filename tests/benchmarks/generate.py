"""Logs of any size, the same every time: files in the layout and sizes of a real organization's bucket."""

from __future__ import annotations

import gzip
import itertools
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from tests.benchmarks.synthetic import ACCOUNTS, DAYS, FIRST_DAY, FLOW_FIELDS, REGIONS, flow_lines, records

SEED = 20261102
FLOW_LINES = 8_000  # of one file of a busy VPC
_HUGE = 133  # every so many files one holds thousands of events
_AGAIN = 400  # every so many files one is delivered again, under another name
_BLOCK = 2_000  # events of a document that are made at a time
_WORTH_PROCESSES = 20_000  # records: for fewer, they would spend their time starting
_json = msgspec.json.Encoder()
_Plan = TypeVar("_Plan")


class _File(NamedTuple):
    number: int
    seed: int  # two files of the same seed say the same
    account: str
    region: str
    start: datetime
    events: int

    def records(self) -> Iterator[dict[str, Any]]:
        return records(random.Random(self.seed), self.account, self.region, self.start, self.events)

    def path(self, folder: Path) -> Path:
        unique = _letters(random.Random(f"{SEED} name {self.number}"))
        name = f"{self.account}_CloudTrail_{self.region}_{self.start:%Y%m%dT%H%MZ}_{unique}.json.gz"
        return folder / "AWSLogs" / self.account / "CloudTrail" / self.region / f"{self.start:%Y/%m/%d}" / name


def write_trail(folder: Path, events: int) -> list[Path]:
    """Files of an account, a region and a quarter of an hour each, about 8,000 for a million events.

    Half of them hold 50 events or less, one in 133 some thousands. One in 400 repeats the one before it.
    """
    return _written(partial(_write_trail_file, folder), list(planned(events)), events)


def write_tiny_trail(folder: Path, events: int) -> list[Path]:
    """A file for each event: what a quiet account's trail delivers."""
    files = itertools.islice(planned(events * 1000), events)
    plans = [file._replace(events=1, seed=file.number) for file in files]
    return _written(partial(_write_trail_file, folder), plans, events)


def write_documents(folder: Path, text_bytes: Mapping[str, int]) -> list[Path]:
    """By name a file with about as much text: `{"Records": […]}` on one line, or of `.jsonl` an event a line.

    With `.gz` at the end of its name it is packed. Takes the memory of some thousand events, however long it is.
    """
    return _written(partial(_write_document, folder), list(text_bytes.items()), sum(text_bytes.values()) // 1600)


def write_flow_logs(folder: Path, lines: int, *, lines_a_file: int = FLOW_LINES) -> list[Path]:
    """Flow logs of version 2, a header in every file, 2 % NODATA: every ten minutes a file of each of four VPCs."""
    counts = [min(lines - at, lines_a_file) for at in range(0, lines, lines_a_file)]
    return _written(partial(_write_flow_file, folder), list(enumerate(counts)), lines // 5)


def _written(write: Callable[[_Plan], Path], plans: Sequence[_Plan], records: int) -> list[Path]:
    """What *write* makes of each, by as many processes as there are processors if there is much to write."""
    if records < _WORTH_PROCESSES:
        return [write(plan) for plan in plans]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as processes:
        return list(processes.map(write, plans, chunksize=1 + len(plans) // 100))


def planned(events: int) -> Iterator[_File]:
    """Which files make a trail of that many events."""
    rng = random.Random(SEED)
    left = events
    before: _File | None = None
    for number in itertools.count():
        if left <= 0:
            return
        if before and number % _AGAIN == _AGAIN - 1 and before.events <= left:
            file = before._replace(number=number)
        else:
            wanted = (
                rng.randint(5000, 8000) if number % _HUGE == _HUGE // 2 else max(1, int(rng.lognormvariate(4, 0.8)))
            )
            start = FIRST_DAY + timedelta(minutes=15 * rng.randrange(DAYS * 96))
            file = _File(number, number, rng.choice(ACCOUNTS), rng.choice(REGIONS), start, min(left, wanted))
        left -= file.events
        before = file
        yield file


def _write_trail_file(folder: Path, file: _File) -> Path:
    path = file.path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = b'{"Records":[%b]}' % b",".join(map(_json.encode, file.records()))
    path.write_bytes(gzip.compress(text, compresslevel=6, mtime=0))
    return path


def _write_document(folder: Path, plan: tuple[str, int]) -> Path:
    name, text_bytes = plan
    path = folder / name
    start, between, end = (b"", b"\n", b"\n") if ".jsonl" in path.suffixes else (b'{"Records":[', b",", b"]}")
    size, before = 0, start
    with gzip.open(path, "wb", 6) if path.suffix == ".gz" else path.open("wb") as out:
        for record in _endless():
            size += out.write(before + _json.encode(record))
            before = between
            if size >= text_bytes:
                break
        out.write(end)
    return path


def _endless() -> Iterator[dict[str, Any]]:
    """The events of one account and region, a block a day, over and over."""
    for number in itertools.count():
        rng = random.Random(f"{SEED} document {number}")
        yield from records(rng, ACCOUNTS[0], REGIONS[0], FIRST_DAY + timedelta(days=number % DAYS), _BLOCK)


def _write_flow_file(folder: Path, file: tuple[int, int]) -> Path:
    number, lines = file
    rng = random.Random(f"{SEED} flows {number}")
    account, region = ACCOUNTS[number % 4], REGIONS[number % 2]
    start = FIRST_DAY + timedelta(minutes=10 * (number // 4))
    log = f"fl-{rng.getrandbits(64):017x}"
    name = f"{account}_vpcflowlogs_{region}_{log}_{start:%Y%m%dT%H%MZ}_{rng.getrandbits(32):08x}.log.gz"
    path = folder / "AWSLogs" / account / "vpcflowlogs" / region / f"{start:%Y/%m/%d}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join([FLOW_FIELDS, *flow_lines(rng, account, int(start.timestamp()), lines), ""])
    path.write_bytes(gzip.compress(text.encode(), compresslevel=6, mtime=0))
    return path


def _letters(rng: random.Random) -> str:
    return "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=16))
