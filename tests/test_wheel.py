"""What a user installs is whole: the wheel brings its queries, its notebooks, its templates and its types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from auditkit.listing import listing
from auditkit.output import as_json

CHECKOUT = Path(__file__).parents[1]


def run(*words: object, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, cwd=CHECKOUT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as opened:
        return set(opened.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel in it and nothing else of auditkit."""
    folder = tmp_path_factory.mktemp("installed")
    run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder, wheel, cwd=folder)
    return folder


@pytest.mark.parametrize("folder", ["queries", "notebooks", "auditkit"])
def test_every_file_travels(folder: str, names: set[str]) -> None:
    kinds = {".sql", ".ipynb", ".py", ".typed", ".j2", ".css", ".js"}
    files = [path for path in (CHECKOUT / folder).rglob("*") if path.suffix in kinds and "checkpoint" not in str(path)]
    inside = {path.relative_to(CHECKOUT).as_posix() for path in files}
    assert inside
    assert {name if folder == "auditkit" else f"auditkit/{name}" for name in inside} <= names


def test_the_licence_and_the_types_come_along_and_nothing_else(names: set[str]) -> None:
    assert "auditkit/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"auditkit", "auditkit_aws"}
    assert not [name for name in names if "__pycache__" in name or name.startswith("auditkit/tests")]


def test_the_installed_package_lists_the_same_as_the_checkout(installed: Path) -> None:
    listed: Any = json.loads(
        run("-m", "auditkit", "list", "--format", "json", cwd=installed, PYTHONPATH=str(installed))
    )
    assert listed == json.loads(as_json(listing()))
    assert {entry["kind"] for entry in listed} == {"notebook", "question", "rule"}


def test_the_installed_package_answers(installed: Path, samples: Path) -> None:
    words = ["query", "activity/timeline", str(samples), "--format", "json"]
    assert json.loads(run("-m", "auditkit", *words, cwd=installed, PYTHONPATH=str(installed)))
    where = run("-c", "import auditkit.resources as r; print(r.QUERIES)", cwd=installed, PYTHONPATH=str(installed))
    assert Path(where.strip()) == installed / "auditkit" / "queries"


def test_the_command_is_installed(installed: Path) -> None:
    assert (installed / "bin" / "auditkit").is_file()
