"""JupyterLab works on copies, set to read what was named."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from auditkit import lab
from auditkit.errors import SourceError
from auditkit.resources import NOTEBOOKS
from auditkit.runs import notebooks
from tests.conftest import Command


def injected(notebook: Path) -> str:
    cells = nbformat.read(notebook, as_version=4).cells
    return next(cell.source for cell in cells if "injected-parameters" in cell.metadata.get("tags", []))


def test_the_notebooks_are_set_to_ask_an_engine(tmp_path: Path) -> None:
    [copy, *_] = lab.prepare(tmp_path / "lab", since="7d", engine="athena", flow_table="logs.flows", workgroup=None)
    assert 'engine = "athena"' in injected(copy)
    assert 'connection = {"flow_table": "logs.flows"}' in injected(copy)


def test_every_notebook_is_copied_and_told_where_the_logs_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    copies = lab.prepare(tmp_path / "lab", logs=["logs"], since="7d", flow_format="start end")
    assert [copy.name for copy in copies] == sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
    for copy in copies:
        assert str(tmp_path / "logs") in injected(copy)
        assert 'since = "7d"' in injected(copy)
        assert 'flow_format = "start end"' in injected(copy)


def test_the_notebooks_of_auditkit_stay_as_they_are(tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in NOTEBOOKS.glob("*.ipynb")}
    lab.prepare(tmp_path / "lab")
    assert {path: path.read_bytes() for path in before} == before


def test_somebodys_work_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "audit.ipynb").write_text("mine")
    lab.prepare(tmp_path)
    assert (tmp_path / "audit.ipynb").read_text() == "mine"


def test_logs_and_stores_that_are_not_there_are_refused(tmp_path: Path) -> None:
    for where in ({"logs": ["nowhere"]}, {"store": Path("nowhere")}):
        with pytest.raises(SourceError, match="There is nothing at 'nowhere'"):
            lab.prepare(tmp_path / "lab", **where)  # type: ignore[arg-type]
    assert not (tmp_path / "lab").exists()


def test_jupyterlab_starts_in_the_folder(command: Command, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(lab.subprocess, "run", lambda words, check: started.append(words))
    said = command("lab", samples, "--dir", "here")
    assert started[0][1:] == ["-m", "jupyterlab", "--notebook-dir=here"]
    assert said.err == f"Notebooks in here: {', '.join(notebooks())}. One that was there before is left as it is.\n"
    command("lab", samples, "--dir", "here", "--prepare-only")
    assert len(started) == 1
