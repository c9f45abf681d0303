"""Runs a notebook with papermill and writes its report: the whole file or none."""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError

from auditkit.errors import ReportError
from auditkit.model import SEVERITIES, Severity
from auditkit.report.cells import safe
from auditkit.report.page import Page, read_page
from auditkit.report.parameters import bind
from auditkit.report.render import render

CELL_TIMEOUT_S = 3_600
KERNEL = "python3"  # the native kernel: this very interpreter


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What came out of a run, for whoever has to act on it."""

    notebook: str
    out_file: Path
    parameters: Mapping[str, Any]
    duration_s: float
    size_bytes: int
    findings: tuple[Mapping[str, Any], ...]  # as in Finding.as_json, with the evidence as shown; worst first
    facts: Mapping[str, Any] = field(default_factory=dict)  # what `blocks.run` handed over

    @property
    def finding_ids(self) -> tuple[str, ...]:
        return tuple(str(finding["id"]) for finding in self.findings)

    @property
    def counts(self) -> dict[Severity, int]:
        """Findings by severity, the mildest first; all five are there."""
        counted = Counter(finding["severity"] for finding in self.findings)
        return {severity: counted[severity] for severity in SEVERITIES}

    @property
    def highest(self) -> Severity | None:
        """The worst severity among the findings; None without findings."""
        return next((severity for severity in reversed(SEVERITIES) if self.counts[severity]), None)


def read_notebook(path: Path) -> NotebookNode:
    """The notebook at *path*. Raises: ReportError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old notebooks lack cell ids; nothing here needs them
            return cast(NotebookNode, nbformat.read(path, as_version=4))  # type: ignore[no-untyped-call]
    except FileNotFoundError:
        raise ReportError(f"There is no notebook {path}.") from None
    except Exception as error:  # nbformat raises many kinds, a validator's own among them
        raise ReportError(f"{path} is not a notebook that can be read: {_line(str(error))}") from None


def run_report(
    notebook: Path,
    parameters: Mapping[str, Any],
    out_file: Path,
    *,
    meta: Mapping[str, Any] | None = None,
    cell_timeout_s: int = CELL_TIMEOUT_S,
) -> RunRecord:
    """Execute *notebook* in a kernel of this interpreter and write its report to *out_file*.

    Args:
        parameters: Values for what the notebook's `parameters` cell declares; text is converted to the declared type.
        meta: For `render`: `window`, `scope`, `generated`, `version`, `title`.
        cell_timeout_s: A cell that takes longer stops the run.
    Raises: ParameterError, before anything runs. ReportError, when the notebook stops half-way: *out_file* is not
        touched, and the notebook as far as it came lies beside it as `<name>.failed.ipynb`.
    """
    source = read_notebook(notebook)
    values = bind(source, parameters)
    out_file.parent.mkdir(parents=True, exist_ok=True)
    failed = out_file.with_name(f"{out_file.stem}.failed.ipynb")
    started = time.perf_counter()
    with TemporaryDirectory(prefix=".auditkit-", dir=out_file.parent) as folder:
        executed_file = Path(folder) / "executed.ipynb"
        try:
            executed = _execute(source, executed_file, values, cell_timeout_s)
            page = read_page(executed)
            html = render(executed, {"version": _version(), **(meta or {})})
        except Exception as error:
            kept = ""
            if executed_file.exists():
                executed_file.replace(failed)
                kept = f" The notebook as far as it came: {failed}"
            raise ReportError(f"{notebook.name}: {_reason(error)}{kept}") from error
        part = Path(folder) / "report.html"
        part.write_text(html, encoding="utf-8")
        part.replace(out_file)
    failed.unlink(missing_ok=True)
    return RunRecord(
        notebook=notebook.name,
        out_file=out_file,
        parameters=values,
        duration_s=time.perf_counter() - started,
        size_bytes=out_file.stat().st_size,
        findings=_findings(page),
        facts=page.facts,
    )


def _execute(notebook: NotebookNode, out: Path, values: Mapping[str, Any], cell_timeout_s: int) -> NotebookNode:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations among papermill's own dependencies are no news to our user
        import papermill
        from traitlets.config import Config

        # Left to itself, Jupyter puts its sockets into the current folder, under one name for every run in it.
        with _quiet_kernel(), TemporaryDirectory(prefix="auditkit-") as sockets:
            executed = papermill.execute_notebook(
                notebook,
                str(out).replace("{", "{{").replace("}", "}}"),  # papermill formats its paths
                parameters=dict(values) or None,
                kernel_name=KERNEL,
                language="python",
                progress_bar=False,
                log_output=False,
                start_timeout=120,
                execution_timeout=cell_timeout_s,
                extra_arguments=["--IPKernelApp.log_level=50"],  # or its shutdown is an ERROR on our stderr, at times
                config=Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}}),
            )
            return cast(NotebookNode, executed)


def _version() -> str:
    with contextlib.suppress(PackageNotFoundError):
        return version("auditkit-aws")
    return ""


@contextlib.contextmanager
def _quiet_kernel() -> Iterator[None]:
    """The kernel inherits our stderr; its debugger would write there that modules are frozen."""
    name = "PYDEVD_DISABLE_FILE_VALIDATION"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def _reason(error: Exception) -> str:
    """Which cell stopped and why, in one line."""
    if isinstance(error, CellTimeoutError):
        return "a cell took too long and was stopped."
    if isinstance(error, DeadKernelError):
        return "the Python process that ran the cells died (out of memory?)."
    if isinstance(error, PapermillExecutionError):
        return f"cell [{error.exec_count}] stopped with {error.ename}: {_line(str(error.evalue))}"
    return f"{type(error).__name__}: {_line(str(error))}"


def _line(text: str) -> str:
    lines = text.strip().splitlines()
    return safe(lines[0])[:500] if lines else "no message"


def _findings(page: Page) -> tuple[Mapping[str, Any], ...]:
    """The findings of all blocks, each once, worst first."""
    by_id = {card["id"]: card for block in page.blocks("findings") for card in block.get("findings", ())}
    return tuple(sorted(by_id.values(), key=lambda card: -SEVERITIES.index(card["severity"])))
