"""Sigma rules for CloudTrail as rules of the catalogue, which run as its own do: in the same scan, on every engine."""

from __future__ import annotations

from pathlib import Path

from auditkit.errors import ParameterError
from auditkit.sigma.found import SigmaRules


def load(place: str | Path) -> SigmaRules:
    """The Sigma rules of a folder and the folders in it, or of one file.

    Raises: SourceError, when there is no such place, or no YAML in it; ParameterError, without pySigma.
    """
    try:
        from auditkit.sigma import reading
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "sigma":
            raise
        raise ParameterError("Sigma rules are read by pySigma: pip install 'auditkit-aws[sigma]'.") from None
    return reading.load(place)
