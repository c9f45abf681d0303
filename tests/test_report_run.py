"""A notebook runs whole, or leaves a message and no report."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from auditkit.errors import ParameterError, ReportError
from auditkit.report import run
from auditkit.report.parameters import bind, declared
from tests import report_samples

PARAMETERS = """
since: str = "2026-11-01"  # first day, UTC; a = b is fine here
account_id: str = "111122223333"
min_secrets: int = 10
ratio: float = 0.5
strict: bool = False
services: list[str] = ["ecs", "iam"]
options: dict = {}
subject: str | None = None
bare = 3
"""


def made_of(*cells: str, tagged: str | None = PARAMETERS) -> NotebookNode:
    parameters = [nbformat.v4.new_code_cell(tagged, metadata={"tags": ["parameters"]})] if tagged is not None else []
    return nbformat.v4.new_notebook(cells=parameters + [nbformat.v4.new_code_cell(cell) for cell in cells])


def written(tmp_path: Path, *cells: str, tagged: str | None = PARAMETERS) -> Path:
    path = tmp_path / "review {x}.ipynb"
    nbformat.write(made_of(*cells, tagged=tagged), path)
    return path


class TestParameters:
    def test_names_types_defaults_and_words_are_read_from_the_tagged_cell(self) -> None:
        found = declared(made_of())
        assert list(found) == [line.split(":")[0].split(" =")[0] for line in PARAMETERS.strip().splitlines()]
        assert (found["since"].type, found["since"].default) == ("str", "'2026-11-01'")
        assert found["since"].about == "first day, UTC; a = b is fine here"
        assert found["subject"].type == "str | None"
        assert found["bare"].type == "int"

    @pytest.mark.parametrize(
        ("name", "given", "bound"),
        [
            ("account_id", "012345678901", "012345678901"),
            ("since", datetime(2026, 11, 1, 9, tzinfo=UTC), "2026-11-01T09:00:00Z"),
            ("since", Path("logs"), "logs"),
            ("min_secrets", "12", 12),
            ("min_secrets", 12, 12),
            ("ratio", "0.25", 0.25),
            ("ratio", 1, 1.0),
            ("strict", "yes", True),
            ("strict", "False", False),
            ("strict", True, True),
            ("services", "ecs, iam", ["ecs", "iam"]),
            ("services", '["a,b"]', ["a,b"]),
            ("services", ("ecs",), ["ecs"]),
            ("services", "", []),
            ("options", '{"a": [1]}', {"a": [1]}),
            ("subject", None, None),
            ("subject", "root", "root"),
            ("bare", "4", 4),
        ],
    )
    def test_values_take_the_declared_type(self, name: str, given: Any, bound: Any) -> None:
        value = bind(made_of(), {name: given})[name]
        assert value == bound
        assert type(value) is type(bound)

    @pytest.mark.parametrize(
        ("name", "given"),
        [
            ("since", 5),
            ("since", None),
            ("min_secrets", "twelve"),
            ("min_secrets", True),
            ("min_secrets", 1.5),
            ("ratio", "nan"),
            ("strict", "maybe"),
            ("strict", 1),
            ("services", 3),
            ("services", [object()]),
            ("options", "{"),
        ],
    )
    def test_values_of_another_type_are_refused(self, name: str, given: Any) -> None:
        with pytest.raises(ParameterError, match=f"Parameter '{name}' takes"):
            bind(made_of(), {name: given})

    def test_an_unknown_name_is_refused_and_the_known_ones_named(self) -> None:
        with pytest.raises(
            ParameterError, match=r"no parameter 'sinse'\. Did you mean 'since'\? It takes account_id, bare"
        ):
            bind(made_of(), {"sinse": "2026"})

    def test_code_as_a_name_is_refused(self) -> None:
        with pytest.raises(ParameterError, match="no parameter"):
            bind(made_of(), {"since=1;import os;x": 1})

    def test_a_notebook_without_the_tag_takes_nothing(self) -> None:
        with pytest.raises(ParameterError, match="takes no parameters; since cannot be set"):
            bind(made_of("since = 1", tagged=None), {"since": "2026"})
        assert bind(made_of(tagged=None), {}) == {}

    def test_a_parameters_cell_that_is_no_python_is_named(self) -> None:
        with pytest.raises(ParameterError, match="not valid Python"):
            declared(made_of(tagged="since = = 1"))


SHOWS = f"""
import sys, os, json
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from auditkit.report import blocks
from tests.report_samples import finding
display(blocks.findings([finding(1), finding(2, severity="critical"), finding(3)]))
display(blocks.findings([finding(2, severity="critical")]))
print("to stdout", file=sys.stdout); print("to stderr", file=sys.stderr)
blocks.run({{"python": sys.executable, "given": [since, account_id, min_secrets, services], "cwd": os.getcwd(), "beside": os.listdir()}})
"""


def test_a_run_writes_one_report_and_says_what_it_found(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "reports" / "audit {1}.html"
    out.parent.mkdir()
    (out.parent / "audit {1}.failed.ipynb").write_text("of an earlier run")
    record = run.run_report(
        written(tmp_path, SHOWS), {"account_id": "012345678901", "min_secrets": "7", "services": "sts"}, out
    )

    assert [path.name for path in out.parent.iterdir()] == ["audit {1}.html"]
    assert out.read_text().startswith("<!doctype html>")
    assert record.size_bytes == out.stat().st_size
    assert record.finding_ids == (f"{2:016x}", f"{1:016x}", f"{3:016x}")
    assert record.counts == {"info": 0, "low": 0, "medium": 0, "high": 2, "critical": 1}
    assert record.highest == "critical"
    assert record.facts["given"] == ["2026-11-01", "012345678901", 7, ["sts"]]
    assert Path(record.facts["python"]).resolve() == Path(sys.executable).resolve()
    assert record.facts["cwd"] == str(tmp_path)
    assert not [name for name in record.facts["beside"] if "kernel" in name]  # two runs in one folder would share it
    assert Path.cwd() == tmp_path
    assert capfd.readouterr() == ("", "")
    assert "to stdout" not in out.read_text()
    assert record.parameters == {"account_id": "012345678901", "min_secrets": 7, "services": ["sts"]}
    json.dumps(record.findings)


def test_a_cell_that_fails_leaves_the_notebook_and_no_report(tmp_path: Path) -> None:
    out = tmp_path / "out" / "audit.html"
    failing = "print('started')\nraise KeyError('no such\\nthing {\"password\": \"hunter2\"}')"
    with pytest.raises(ReportError) as caught:
        run.run_report(written(tmp_path, "1", failing, "2"), {}, out)
    message = str(caught.value)
    assert message.startswith("review {x}.ipynb: cell [3] stopped with KeyError: 'no such")
    assert "\n" not in message
    assert "hunter2" not in message
    assert [path.name for path in out.parent.iterdir()] == ["audit.failed.ipynb"]
    assert "started" in (out.parent / "audit.failed.ipynb").read_text()


@pytest.mark.parametrize(
    ("cell", "why"),
    [("import time; time.sleep(30)", "took too long"), ("import os; os._exit(3)", "died")],
    ids=["too slow", "killed"],
)
def test_a_run_that_hangs_or_dies_says_so(tmp_path: Path, cell: str, why: str) -> None:
    out = tmp_path / "out" / "audit.html"
    with pytest.raises(ReportError, match=why):
        run.run_report(written(tmp_path, cell), {}, out, cell_timeout_s=1)
    assert not out.exists()


def test_an_older_report_outlives_a_failed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "audit.html"
    out.write_text("older")
    monkeypatch.setattr(run, "_execute", lambda *_: report_samples.notebook("# R"))
    monkeypatch.setattr(run, "render", lambda *_: 1 / 0)
    with pytest.raises(ReportError, match="ZeroDivisionError"):
        run.run_report(written(tmp_path), {}, out)
    assert out.read_text() == "older"


def test_wrong_parameters_are_refused_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_execute", lambda *_: pytest.fail("it ran"))
    with pytest.raises(ParameterError):
        run.run_report(written(tmp_path), {"nope": 1}, tmp_path / "out" / "audit.html")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "why"), [(None, "There is no notebook"), ("{}", "is not a notebook"), ("x", "is not a notebook")]
)
def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path, content: str | None, why: str) -> None:
    path = tmp_path / "a.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ReportError, match=why):
        run.read_notebook(path)


def test_the_environment_is_as_before_after_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYDEVD_DISABLE_FILE_VALIDATION", raising=False)
    with run._quiet_kernel():
        assert os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] == "1"
    assert "PYDEVD_DISABLE_FILE_VALIDATION" not in os.environ
