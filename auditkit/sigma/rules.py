"""A Sigma rule as a rule of the catalogue: what it says of itself in the header, what it looks for as SQL."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sigma.correlations import SigmaCorrelationRule
from sigma.rule import SigmaRule, SigmaRuleBase
from sigma.rule.attributes import SigmaLevel
from sqlglot import exp

from auditkit.catalogue import Kind, Query
from auditkit.engines.portable import problems
from auditkit.errors import CatalogueError
from auditkit.model import Severity
from auditkit.sigma.conditions import fields_of, predicate
from auditkit.sigma.correlations import correlated

_SEVERITY: dict[SigmaLevel | None, Severity] = {
    SigmaLevel.INFORMATIONAL: "info",
    SigmaLevel.LOW: "low",
    SigmaLevel.MEDIUM: "medium",
    SigmaLevel.HIGH: "high",
    SigmaLevel.CRITICAL: "critical",
    None: "medium",
}
_TECHNIQUE = re.compile(r"attack\.t\d{4}(\.\d{3})?", re.IGNORECASE)
_ERRORS = {"errorCode", "errorMessage", "responseElements.ConsoleLogin"}
_RESPONSE = "Ask whoever is behind the events whether they meant this, and look at what else they did."


def translated(rule: SigmaRule | SigmaCorrelationRule, name: str, path: Path) -> Query:
    """The rule under the name `sigma.<name>`.

    Raises: SigmaError, CatalogueError, ParameterError, when it cannot be said in SQL.
    """
    kind: Kind
    if isinstance(rule, SigmaCorrelationRule):
        kind, sql = "aggregate", correlated(rule)
        about = [one.rule for one in rule.referenced_rules]
    else:
        where = exp.select("*").from_("cloudtrail_events").where(predicate(rule), copy=False)
        kind, sql, about = "match", where.sql("trino", pretty=True), [rule]
    if reasons := problems(sql, {}, kind=kind):
        raise CatalogueError(f"it would not mean the same on every engine: {reasons[0]}")
    named = {field for one in about if isinstance(one, SigmaRule) for field in fields_of(one)}
    # A rule that looks at errors means them; of any other a mere attempt weighs less, as with our own.
    attempts = "same" if named & _ERRORS else "lower"
    header = {**_header(rule), "kind": kind, "attempts": attempts}
    return Query(f"rules/sigma/{name}", kind, rule.title, sql, {}, ("cloudtrail_events",), header, path)


def _header(rule: SigmaRuleBase) -> dict[str, Any]:
    references = _listed(rule.references, ", ")
    return {
        "title": rule.title,
        "severity": _SEVERITY[rule.level],
        "author": _author(rule),
        "why": rule.description or rule.title,
        "response": f"{_RESPONSE} Read {references}." if references else _RESPONSE,
        "false_positives": _listed(rule.falsepositives, "; ") or "the Sigma rule names none",
        "blind_spots": "what the Sigma rule does not look for; it names none itself",
        "attack": [tag.name.upper() for tag in rule.tags if _TECHNIQUE.fullmatch(str(tag))],
    }


def _author(rule: SigmaRuleBase) -> str:
    """Whose rule it is, and under which licence, as the licence of Sigma's own rules (DRL) asks to be said."""
    of = [f"Sigma rule {rule.id}" if rule.id else "a Sigma rule", _listed(rule.license, ", ")]
    return f"{_listed(rule.author, ', ') or 'an author that the rule does not name'} ({', '.join(filter(None, of))})"


def _listed(said: object, between: str) -> str:
    """What a rule says in one text or in several."""
    return between.join(map(str, said)) if isinstance(said, list) else str(said or "")
