"""Which files lie under the places a user named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditkit.errors import SourceError
from auditkit.logs.discover import STORE_LEDGER, discover


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def names(folder: Path, *places: Path) -> list[str]:
    return [os.path.relpath(file.key, folder) for file in discover(places or [folder])]


def test_files_come_by_delivery_day_whatever_the_account(tmp_path: Path) -> None:
    make(tmp_path, "b/2026/11/03/x.json", "a/2026/11/03/x.json", "b/2026/11/02/x.json", "a_20261101T0000Z.json")
    assert names(tmp_path) == [
        "a_20261101T0000Z.json",
        "b/2026/11/02/x.json",
        "a/2026/11/03/x.json",
        "b/2026/11/03/x.json",
    ]


def test_a_file_named_twice_comes_once(tmp_path: Path) -> None:
    make(tmp_path, "a.json", "b.json")
    assert names(tmp_path, tmp_path, tmp_path / "a.json") == ["a.json", "b.json"]


def test_hidden_files_and_stores_are_left_out(tmp_path: Path) -> None:
    make(
        tmp_path,
        ".DS_Store",
        ".git/config",
        "a.json",
        f"store/{STORE_LEDGER}",
        "store/x.parquet",
        "store/deep/y.parquet",
    )
    assert names(tmp_path) == ["a.json"]


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    make(tmp_path, "real/a.json")
    (tmp_path / "real" / "loop").symlink_to(tmp_path)
    (tmp_path / "real" / "gone").symlink_to(tmp_path / "nowhere")
    found = names(tmp_path)
    assert [name for name in found if name.endswith("a.json")] == ["real/a.json"]
    assert "real/gone" in found  # reading it will fail, and say so


def test_a_name_that_is_not_utf8_has_a_key_that_is(tmp_path: Path) -> None:
    try:
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.json"))).write_text("x")
    except OSError:
        pytest.skip("this file system takes no such names")
    [file] = discover([tmp_path])
    assert file.key.endswith("bad\\xff.json")
    assert Path(file.path).read_text() == "x"


def test_a_place_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="There is nothing at"):
        discover([tmp_path / "nowhere"])
