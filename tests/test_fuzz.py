"""Damaged logs: three hundred of them, the same each time. `python -m tests.fuzz SEED COUNT` makes others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import TOGETHER, check, mutants


@pytest.mark.parametrize("blocks", [False, True], ids=["whole", "in blocks"])
def test_whatever_comes_of_a_damaged_file_it_is_counted_or_named(blocks: bool, tmp_path: Path) -> None:
    damaged = list(mutants(seed=20, count=300))
    for at in range(0, len(damaged), TOGETHER):
        folder = tmp_path / str(at)
        folder.mkdir()
        for number, data in enumerate(damaged[at : at + TOGETHER]):
            (folder / f"{number}.log").write_bytes(data)
        check(folder, blocks=blocks)
