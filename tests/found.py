"""Runs and findings for the tests of the output formats: of every rule, of hostile logs, and of sparse ones."""

from __future__ import annotations

from datetime import date
from typing import Any

from auditkit.allowlist import Entry
from auditkit.catalogue import Catalogue, Query
from auditkit.model import SEVERITIES, Finding, worst_first
from auditkit.rules import RuleRun
from tests.report_samples import HOSTILE, finding

RULES = Catalogue.load().rules


ENTRY = Entry(
    number=1,
    rule="*",
    reason="The yearly break-glass drill.",
    owner="security@example.com",
    expires=date(2026, 12, 31),
)
ANSWER = "The yearly break-glass drill. (Owner: security@example.com, until 2026-12-31.)"


def of_rule(rule: Query, number: int = 1, **changed: Any) -> Finding:
    """A finding as *rule* would make it."""
    header = rule.header
    texts = {name: header[name] for name in ("title", "why", "response", "false_positives", "blind_spots", "severity")}
    mapped = {name: tuple(header.get(name) or ()) for name in ("attack", "pci", "cis")}
    return finding(number, **{"rule": rule.rule, **texts, **mapped, **changed})


def every_rule() -> RuleRun:
    """A run in which each rule of the catalogue fired once."""
    found = [of_rule(rule, number, event_names=("CreateUser",)) for number, rule in enumerate(RULES)]
    return RuleRun(findings=worst_first(found), ran=tuple(rule.rule for rule in RULES))


def hostile() -> RuleRun:
    """Findings whose every logged value was chosen by an attacker; a failed and a skipped rule say such things too."""
    found = [
        of_rule(
            RULES[0],
            number,
            summary=f"Somebody called {text}.",
            principal_arn=text,
            account_id=text,
            resource=text,
            source_ips=(text,),
            evidence=(text,),
            event_names=(text,),
        )
        for number, text in enumerate((*HOSTILE, "{0}", "[click](https://evil.example)", "../..", "fe80::1%<script>"))
    ]
    said = "{0} [here](https://evil.example) \u202e"
    return RuleRun(found, ran=(RULES[0].rule,), failed={RULES[1].rule: said}, skipped={RULES[2].rule: said})


def sparse() -> RuleRun:
    """Findings with nothing in them that a finding can lack, one of each severity, of a rule nobody knows."""
    nothing: dict[str, Any] = {"principal_arn": None, "account_id": None, "source_ips": (), "evidence": ()}
    nothing |= {"attack": (), "pci": (), "cis": (), "rule": "own.rule"}
    return RuleRun([finding(number, severity=name, **nothing) for number, name in enumerate(SEVERITIES)])


RUNS = (RuleRun, every_rule, hostile, sparse)
