"""The benchmarks run, on next to nothing: what they measure here means nothing, that they measure does."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.benchmarks import flows, generate, ingest, joins, memory, questions, s3, sides, table, tiny
from tests.benchmarks.entropy import incompressible
from tests.benchmarks.measure import held, used
from tests.benchmarks.table import Desk, Line, at_least, at_most, files
from tests.records import record, write_trail


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, quiet=True)


SMALL: dict[str, tuple[Any, dict[str, int]]] = {
    "ingest": (ingest, {"events": 300, "runs": 1}),
    "memory": (memory, {"events": 100, "document_mb": 1}),
    "flows": (flows, {"lines": 300, "runs": 1}),
    "tiny": (tiny, {"tiny": 20, "runs": 1}),
    "questions": (questions, {"events": 300}),
    "joins": (joins, {"joined": 280, "runs": 1}),
    "s3": (s3, {"objects": 5, "latency_ms": 1, "runs": 1}),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_measures_what_its_lines_say(name: str, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "ASKED", 1)
    module, sizes = SMALL[name]
    lines = list(module.measure(desk, **sizes))
    assert len(lines) >= 3
    assert len({line.what for line in lines}) > 2
    assert all(line.measured and (line.ok is None or line.reach) for line in lines)
    assert "nan" not in table.shown(lines)


def test_all_benchmarks_are_one_table() -> None:
    modules = {path.stem for path in Path(generate.__file__).parent.glob("*.py") if "measure(desk" in path.read_text()}
    assert modules == {*SMALL, "__main__"}
    script = Path(generate.__file__).with_name("__main__.py").read_text()
    assert all(f"{name}.measure(" in script for name in SMALL)


def test_a_million_events_are_laid_out_as_in_a_real_bucket() -> None:
    plan = list(generate.planned(1_000_000))
    assert sum(file.events for file in plan) == 1_000_000
    assert 7_500 < len(plan) < 8_500
    assert 45 < median(file.events for file in plan) < 65
    assert 50 < sum(file.events >= 5_000 for file in plan) < 70
    assert len({file.path(Path()) for file in plan}) == len(plan)
    again = len(plan) - len({file.seed for file in plan})
    assert again == len(plan) // 400


def test_the_same_logs_are_made_every_time(tmp_path: Path) -> None:
    for make in (generate.write_trail, generate.write_tiny_trail, generate.write_flow_logs):
        first, second = (make(tmp_path / make.__name__ / name, 40) for name in "ab")
        assert [path.name for path in first] == [path.name for path in second]
        assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_an_event_is_as_long_as_real_ones(tmp_path: Path) -> None:
    texts = [gzip.decompress(path.read_bytes()) for path in generate.write_trail(tmp_path, 2_000)]
    assert sum(len(json.loads(text)["Records"]) for text in texts) == 2_000
    assert 1_500 < sum(map(len, texts)) / 2_000 < 1_700


@pytest.mark.parametrize("name", ["one.json", "one.json.gz", "one.jsonl"])
def test_a_document_is_as_long_as_it_was_ordered(name: str, tmp_path: Path) -> None:
    (path,) = generate.write_documents(tmp_path, {name: 4_000_000})
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = text.splitlines()
    records = [json.loads(line) for line in lines] if name == "one.jsonl" else json.loads(text)["Records"]
    assert len(lines) == (len(records) if name == "one.jsonl" else 1)
    assert len({record["eventID"] for record in records}) == len(records) > 2_000
    assert 4_000_000 <= len(text) < 4_010_000


def test_few_files_hold_the_records_of_the_many(tmp_path: Path) -> None:
    for kind, many, join in (
        ("events", generate.write_tiny_trail(tmp_path / "events", 21), tiny.one_trail),
        ("flow records", generate.write_flow_logs(tmp_path / "flows", 21, lines_a_file=1), tiny.one_flow_log),
    ):
        folder = tmp_path / f"few {kind}"
        folder.mkdir()
        tiny.write_together(many, join, folder)
        texts = [[gzip.decompress(path.read_bytes()) for path in paths] for paths in (many, files(folder))]
        assert list(map(len, texts)) == [21, 7]
        assert len(_records(kind, texts[0])) == 21
        assert _records(kind, texts[0]) == _records(kind, texts[1])


def _records(kind: str, texts: list[bytes]) -> list[str]:
    if kind == "events":
        return sorted(record["eventID"] for text in texts for record in json.loads(text)["Records"])
    return sorted(line.decode() for text in texts for line in text.splitlines()[1:])


def test_memory_is_that_of_a_process_and_its_descendants() -> None:
    holds = "import sys; held = bytearray(64 << 20); print(flush=True); sys.stdin.read()"
    code = f"import subprocess, sys; held = bytearray(64 << 20); subprocess.run([sys.executable, '-c', {holds!r}])"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        both = held(process.pid)
        process.communicate()
    assert 128 < both.pss <= both.rss < 256


def test_what_did_not_read_everything_is_not_measured(tmp_path: Path) -> None:
    write_trail(tmp_path / "logs" / "good.json", record())
    (tmp_path / "logs" / "bad.json").write_text("{")
    with pytest.raises(SystemExit, match="not all was read"):
        sides.ingest(str(tmp_path / "logs"), str(tmp_path / "store"))
    with pytest.raises(SystemExit, match="gunzip failed with status 1"):
        used("gunzip", tmp_path / "nothing.txt")


def test_a_repeated_token_can_be_compressed_and_a_new_one_cannot(tmp_path: Path) -> None:
    token = random.Random(1).randbytes(6_000).hex()
    once, twice = (
        write_trail(tmp_path / f"{n}.json.gz", *[record(responseElements={"sessionToken": token})] * n) for n in (1, 2)
    )
    assert 0.85 < incompressible([once])["session tokens"] < 1
    assert 0.85 < incompressible([twice])["session tokens"] < 1
    assert incompressible([once])["other ids"] == 0


def test_a_table_tells_what_was_reached_and_what_was_not() -> None:
    lines = [at_most("a", 6.9, 7, "{:.1f} x"), at_least("b", 1, 1.2, "{:.1f} M/s", "3 s"), Line("c", "5 ms")]
    rows = [line.split() for line in table.shown(lines).splitlines()[1:5]]
    assert rows == [
        ["what", "measured", "reach", "ok"],
        ["a", "6.9", "x", "<=", "7.0", "x", "yes"],
        ["b", "1.0", "M/s,", "3", "s", ">=", "1.2", "M/s", "NO"],
        ["c", "5", "ms"],
    ]


def test_logs_are_kept_where_that_is_wished_and_never_half_made(tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    desk = Desk(tmp_path / "one", keep, quiet=True)
    with pytest.raises(KeyboardInterrupt):
        desk.logs("trail-3", _interrupted)
    made = desk.logs("trail-3", lambda folder: generate.write_trail(folder, 3))
    assert made.is_relative_to(keep)
    assert len(files(made)) == 1
    assert Desk(tmp_path / "two", keep, quiet=True).logs("trail-3", _interrupted) == made


def _interrupted(folder: Path) -> None:
    (folder / "half.json.gz").touch()
    raise KeyboardInterrupt
