"""What came of a folder of Sigma rules; known without pySigma."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from auditkit.catalogue import Query


@dataclass(frozen=True)
class SigmaRules:
    """Each rule is in one of the three, but for those that only a correlation uses."""

    rules: tuple[Query, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)  # rule, or file that holds none -> why it cannot run
    elsewhere: dict[str, str] = field(default_factory=dict)  # rule -> which other logs it is about

    @property
    def left_out(self) -> set[str]:
        """The names of what does not run."""
        return {*self.refused, *self.elsewhere}

    def only(self, names: Collection[str] | None) -> SigmaRules:
        """The same for the rules of these names; for all, when there are no names."""
        if names is None:
            return self
        return SigmaRules(
            tuple(rule for rule in self.rules if rule.rule in names),
            {name: why for name, why in self.refused.items() if name in names},
            {name: why for name, why in self.elsewhere.items() if name in names},
        )
