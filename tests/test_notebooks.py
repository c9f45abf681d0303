"""Notebooks are thin: parameters, one call a section, no code of their own, stored without outputs."""

from __future__ import annotations

import ast
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest

from auditkit.errors import ParameterError
from auditkit.report.parameters import TAG, bind, declared
from auditkit.resources import NOTEBOOKS

ALL = sorted(NOTEBOOKS.glob("*.ipynb"))
CREDENTIAL = re.compile(r"secret|password|token|credential|access_key", re.IGNORECASE)

pytestmark = pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code(path: Path) -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def test_a_notebook_is_valid_and_stored_without_outputs(path: Path) -> None:
    nbformat.validate(read(path))
    for cell in code(path):
        assert (cell.outputs, cell.execution_count) == ([], None)


def test_a_notebook_keeps_no_trace_of_a_machine(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"].keys() == {"kernelspec", "language_info"}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert not re.search(r"/(home|Users|work|tmp|root)/", path.read_text(encoding="utf-8"))


def test_a_notebook_begins_with_its_question(path: Path) -> None:
    first = read(path).cells[0]
    assert first.cell_type == "markdown"
    assert re.match(r"# .+\n\n.+[.?]$", first.source)


def test_every_parameter_is_typed_and_explained(path: Path) -> None:
    assert sum(TAG in cell.metadata.get("tags", []) for cell in code(path)) == 1
    cell = next(cell for cell in code(path) if TAG in cell.metadata.get("tags", []))
    assert all(isinstance(line, ast.AnnAssign) for line in ast.parse(cell.source).body)
    for parameter in declared(read(path)).values():
        assert parameter.type in {"str", "int", "float", "bool", "list[str]", "dict[str, str]"}, parameter.name
        assert len(parameter.about) > 10, parameter.name
        assert not CREDENTIAL.search(parameter.name), "credentials would be stored in the output"


def test_every_notebook_can_be_told_what_to_read(path: Path) -> None:
    assert {"logs", "store", "engine", "connection", "since", "until"} <= declared(read(path)).keys()


def test_unknown_parameters_are_refused(path: Path) -> None:
    with pytest.raises(ParameterError, match=r"no parameter 'sinse'. Did you mean 'since'\?"):
        bind(read(path), {"sinse": "7d"})


def test_cells_hold_no_code_of_their_own(path: Path) -> None:
    """What needs a function, a loop, a condition or SQL belongs into the library, with a test."""
    unwanted = (
        ast.FunctionDef,
        ast.ClassDef,
        ast.Lambda,
        ast.For,
        ast.While,
        ast.If,
        ast.With,
        ast.Try,
        ast.comprehension,
    )
    for cell in code(path):
        found = [type(node).__name__ for node in ast.walk(ast.parse(cell.source)) if isinstance(node, unwanted)]
        assert found == [], cell.source
        assert not re.search(r"\bSELECT\b|\bFROM \w+_(events|records)\b", cell.source), cell.source
        assert not cell.source.lstrip().startswith(("%", "!")), cell.source


def test_every_section_has_one_cell(path: Path) -> None:
    cells = read(path).cells
    for heading, after in pairwise(cells):
        if heading.cell_type == "markdown":
            assert after.cell_type == "code", heading.source
            if "parameters" not in after.metadata.get("tags", []):  # a list, one line each
                assert len(after.source.splitlines()) <= 12
