"""Who touched ECS, IAM and Secrets Manager, what was denied, and what the network refused: from AWS logs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditkit.errors import AuditkitError
from auditkit.model import Finding, Result, Window

if TYPE_CHECKING:
    from auditkit.audit import Audit
    from auditkit.engines.settings import AthenaSettings, TrinoSettings
    from auditkit.opening import open, verify

__version__: str
__all__ = [
    "AthenaSettings",
    "Audit",
    "AuditkitError",
    "Finding",
    "Result",
    "TrinoSettings",
    "Window",
    "open",
    "verify",
]
_ELSEWHERE = {
    "Audit": "auditkit.audit",
    "AthenaSettings": "auditkit.engines.settings",
    "TrinoSettings": "auditkit.engines.settings",
    "open": "auditkit.opening",
    "verify": "auditkit.opening",
}


def __getattr__(name: str) -> Any:
    """What takes a while to import comes when it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("auditkit-aws")
    if name in _ELSEWHERE:
        from importlib import import_module

        return getattr(import_module(_ELSEWHERE[name]), name)
    raise AttributeError(f"module 'auditkit' has no attribute {name!r}")
