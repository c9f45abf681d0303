"""What `auditkit athena check` found, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditkit.model import Window
from auditkit.setup.check import TableCheck

LAYOUTS = {
    "aws": "as AWS documents it",
    "store": "an auditkit store",
    "security_lake": "of Security Lake",
}


def as_text(checks: Sequence[TableCheck], window: Window) -> str:
    """A paragraph for each table."""
    return "\n\n".join("\n".join(_lines(one, window)) for one in checks)


def _lines(one: TableCheck, window: Window) -> Iterator[str]:
    if one.layout is None:
        yield f"{one.table}: cannot be read"
    else:
        yield f"{one.table}: {one.name}, {LAYOUTS[one.layout]}"
        yield f"  at            {one.location or 'a place that is not told'}"
        yield f"  partitions    {', '.join(one.partition_keys) or 'none'}"
        yield f"  lacks         {', '.join(one.lacking) or 'nothing'}" + ("; these are NULL" if one.lacking else "")
        yield f"  to read once  {one.estimate} ({window})"
    for problem in one.problems:
        yield f"  !  {problem}"
    if one.layout is not None and not one.problems:
        yield "  ready"
