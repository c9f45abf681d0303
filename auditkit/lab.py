"""JupyterLab on a copy of the notebooks, so that the ones that came with auditkit stay as they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from auditkit.errors import SourceError
from auditkit.logs.source import is_remote
from auditkit.runs import notebooks


def prepare(
    folder: Path,
    *,
    logs: Sequence[str | Path] = (),
    store: Path | None = None,
    since: str | None = None,
    until: str | None = None,
    flow_format: str | None = None,
    engine: str | None = None,
    **connection: str | None,
) -> list[Path]:
    """Copy every notebook to *folder*, set to run over what is named; returns the copies.

    A notebook that is there already is somebody's work, and left alone. *connection* says how to reach the *engine*.
    Raises: SourceError, for logs or a store that do not exist.
    """
    local = [place for place in (*logs, *([store] if store else [])) if not is_remote(place)]
    if missing := [place for place in local if not Path(place).exists()]:
        raise SourceError(f"There is nothing at {str(missing[0])!r}. Name a folder or file of logs, or a store.")
    values = {
        "logs": [str(place) if is_remote(place) else str(Path(place).resolve()) for place in logs],
        "store": str(store.resolve()) if store else "",
        "since": since or "",
        "until": until or "",
        "flow_format": flow_format or "",
        "engine": "" if logs or store else engine or "",
        "connection": {name: str(value) for name, value in connection.items() if value and engine},
    }
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for source in notebooks().values():
        copy = folder / source.name
        copies.append(copy)
        if not copy.exists():
            parameterized = parameterize_notebook(load_notebook_node(str(source)), values)
            parameterized.metadata.pop("papermill", None)
            nbformat.write(parameterized, copy)  # type: ignore[no-untyped-call]
    return copies


def start(folder: Path) -> None:
    """JupyterLab in *folder*, until it is closed."""
    subprocess.run([sys.executable, "-m", "jupyterlab", f"--notebook-dir={folder}"], check=False)
