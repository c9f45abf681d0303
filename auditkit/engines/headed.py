"""The SQL that is part of other SQL, a source or a view: a YAML header in comment lines, then one SELECT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlglot
import yaml
from sqlglot import exp


def headed(path: Path) -> tuple[dict[str, Any], exp.Query]:
    """The header of the file at *path*, and its SELECT."""
    lines = path.read_text(encoding="utf-8").split("\n")
    count = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    header = yaml.safe_load("\n".join(line.removeprefix("--").removeprefix(" ") for line in lines[:count]))
    select = sqlglot.parse_one("\n".join(lines[count:]), read="trino")
    assert isinstance(select, exp.Query)
    return header, select
