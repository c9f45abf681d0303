"""ATT&CK techniques by id: their names and tactics, in the one version of ATT&CK that all rules speak of.

attack.json holds what the rules of this catalogue name, and no more; `make docs` writes it. A technique of somebody
else's rule may be missing there, and then only its id is known.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("attack.json")


@dataclass(frozen=True, slots=True)
class Tactic:
    """Why an adversary does something."""

    id: str  # TA0003
    name: str  # Persistence


@dataclass(frozen=True, slots=True)
class Technique:
    """How an adversary does it. A sub-technique has no name of its technique in it."""

    id: str  # T1098.003
    name: str | None  # Additional Cloud Roles; None for an id that attack.json does not hold
    tactics: tuple[Tactic, ...]

    @property
    def parent(self) -> Technique | None:
        """The technique that a sub-technique belongs to."""
        above, dot, _ = self.id.partition(".")
        return technique(above) if dot else None

    @property
    def url(self) -> str:
        return f"https://attack.mitre.org/techniques/{self.id.replace('.', '/')}/"


def version() -> str:
    """Of ATT&CK: `18.1`."""
    return str(_known()["version"])


def technique(id: str) -> Technique:
    """The technique *id*."""
    known = _known()
    facts = known["techniques"].get(id)
    if facts is None:
        return Technique(id, None, ())
    return Technique(id, facts["name"], tuple(Tactic(**known["tactics"][name]) for name in facts["tactics"]))


@cache
def _known() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return known
