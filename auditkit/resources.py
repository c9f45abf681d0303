"""Where the SQL and the notebooks lie: beside the package in a checkout, inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder *name* (`queries` or `notebooks`) that travels with this copy of auditkit."""
    installed = PACKAGE / name
    return installed if installed.is_dir() else PACKAGE.parent / name


QUERIES = folder("queries")
NOTEBOOKS = folder("notebooks")
