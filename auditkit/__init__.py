"""Who touched ECS, IAM and Secrets Manager, what was denied, and what the network refused: from AWS logs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditkit.errors import AuditkitError
from auditkit.model import Finding, Result, Window

if TYPE_CHECKING:
    from auditkit.audit import Audit, open, verify

__version__: str
__all__ = ["Audit", "AuditkitError", "Finding", "Result", "Window", "open", "verify"]


def __getattr__(name: str) -> Any:
    """What takes a while to import comes when it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("auditkit-aws")
    if name in ("Audit", "open", "verify"):
        from auditkit import audit

        return getattr(audit, name)
    raise AttributeError(f"module 'auditkit' has no attribute {name!r}")
