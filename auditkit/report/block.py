"""One output of a notebook cell: typed JSON for the report, a preview for JupyterLab, plain text for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from auditkit.report.preview import preview

MIME = "application/vnd.auditkit.block.v1+json"
VEGALITE = "application/vnd.vegalite.v5+json"  # the newest type JupyterLab draws; specs stay plain enough for it
KINDS = (
    "verdict", "kpis", "note", "table", "chart", "findings", "coverage", "provenance", "run", "checklist", "step",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """One thing a report shows. `data` is plain JSON; `spec` is a Vega-Lite chart for JupyterLab."""

    kind: str
    data: Mapping[str, Any]
    text: str
    spec: Mapping[str, Any] | None = field(default=None, repr=False)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {MIME: {"kind": self.kind, **self.data}, "text/plain": self.text}
        if self.spec is not None:
            bundle[VEGALITE] = self.spec
        else:
            bundle["text/html"] = preview(self.kind, self.data)
        return bundle
