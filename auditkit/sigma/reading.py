"""Files of Sigma rules, read by pySigma, each rule translated or refused by name.

A rule that cannot be read, or cannot be said in SQL with its meaning kept, does not stop the others.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from sigma import exceptions
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter
from sigma.policy.profiles import TrustedPolicy
from sigma.rule import SigmaRule
from sigma.rule.base import SigmaYAMLLoader

from auditkit.errors import CatalogueError, ParameterError, SourceError
from auditkit.sigma.found import SigmaRules
from auditkit.sigma.rules import translated

SUFFIXES = (".yml", ".yaml")
_HARMLESS = (  # of what a rule says about itself; none of it decides what is found
    exceptions.SigmaDateError,
    exceptions.SigmaModifiedError,
    exceptions.SigmaStatusError,
    exceptions.SigmaIdentifierError,
    exceptions.SigmaReferencesError,
    exceptions.SigmaRelatedError,
    exceptions.SigmaFieldsError,
    exceptions.SigmaTagError,
    exceptions.SigmaAuthorError,
    exceptions.SigmaFalsePositivesError,
    exceptions.SigmaLicenseError,
)
_UNTRANSLATABLE = (SigmaError, CatalogueError, ParameterError, RecursionError)

Rule = SigmaRule | SigmaCorrelationRule


@dataclass(frozen=True)
class _Named:
    """A rule as pySigma reads it, and where it was."""

    name: str  # without `sigma.`
    rule: Rule
    path: Path


def load(place: str | Path) -> SigmaRules:
    """The Sigma rules of a folder and the folders in it, or of one file.

    Raises: SourceError, when there is no such place, or no YAML in it.
    """
    refused: dict[str, str] = {}
    named, filters = _read(_paths(Path(place)), refused)
    collection = SigmaCollection([one.rule for one in named], resolve_references=False)
    _apply(filters, collection, refused)
    elsewhere: dict[str, str] = {}
    for one in named:
        if errors := [error for error in one.rule.errors if not isinstance(error, _HARMLESS)]:
            refused[f"sigma.{one.name}"] = _said(errors[0])
        elif isinstance(one.rule, SigmaRule) and not _is_of_cloudtrail(one.rule):
            elsewhere[f"sigma.{one.name}"] = _about(one.rule)
    called = {id(one.rule): f"sigma.{one.name}" for one in named}
    taken: dict[int, list[str]] = {}  # rule -> the correlations that it is a part of, and nothing besides
    for one in named:
        if isinstance(one.rule, SigmaCorrelationRule) and f"sigma.{one.name}" not in refused:
            _resolve(one, collection, called, taken, refused, elsewhere)
    rules = []
    for one in named:
        name = f"sigma.{one.name}"
        if name in refused or name in elsewhere or id(one.rule) in taken:
            continue
        try:
            rules.append(translated(one.rule, one.name, one.path))
        except _UNTRANSLATABLE as error:
            refused[name] = _said(error)
    for one in named:
        if (parts_of := taken.get(id(one.rule))) and all(name in refused for name in parts_of):
            refused.setdefault(f"sigma.{one.name}", f"it is a part of {', '.join(parts_of)}, which cannot run.")
    return SigmaRules(tuple(rules), refused, elsewhere)


def _paths(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise SourceError(f"{place} is no folder or file of Sigma rules.")
    paths = sorted(path for path in place.rglob("*") if path.suffix in SUFFIXES and path.is_file())
    if not paths:
        raise SourceError(f"There are no Sigma rules in {place}: they are files whose names end in .yml.")
    return paths


def _read(paths: Sequence[Path], refused: dict[str, str]) -> tuple[list[_Named], list[SigmaFilter]]:
    named: list[_Named] = []
    filters: list[SigmaFilter] = []
    taken: set[str] = set()
    for path in paths:
        try:
            collection = _parsed(path)
        except Exception as error:  # pySigma stops in many ways at what is no Sigma rule
            refused[str(path)] = _said(error)
            continue
        filters += collection.filters
        for rule in collection.rules:
            name = _unused(_name(path, rule, alone=len(collection.rules) == 1), taken)
            named.append(_Named(name, rule, path))
        of_rules = {id(error) for rule in (*collection.rules, *collection.filters) for error in rule.errors}
        if stray := [error for error in collection.errors if id(error) not in of_rules]:
            refused[str(path)] = _said(stray[0])
    return named, filters


def _parsed(path: Path) -> SigmaCollection:
    documents = list(yaml.load_all(path.read_text(encoding="utf-8"), SigmaYAMLLoader))
    if not any(documents) or not all(isinstance(one, dict) for one in documents if one is not None):
        raise CatalogueError("it holds no Sigma rule.")
    # Python only compiles a rule's regular expressions here; they run in the engines, and patterns.py checks them.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # about what Python may make of [[ one day
        return SigmaCollection.from_dicts(
            documents, collect_errors=True, collect_filters=True, resolve_references=False, policy=TrustedPolicy
        )


def _name(path: Path, rule: Rule, *, alone: bool) -> str:
    stem = _slug(path.stem) or "rule"
    return stem if alone else f"{stem}_{_slug(str(rule.name or rule.title or '')) or 'rule'}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _unused(name: str, taken: set[str]) -> str:
    made, number = name, 1
    while made in taken:
        number += 1
        made = f"{name}_{number}"
    taken.add(made)
    return made


def _apply(filters: Sequence[SigmaFilter], collection: SigmaCollection, refused: dict[str, str]) -> None:
    """Narrow the rules by each of *filters*, which are Sigma's own way to leave out what is known."""
    for one in filters:
        try:
            if one.errors:
                raise one.errors[0]
            collection.apply_filters([one])
        except SigmaError as error:
            refused[f"the Sigma filter {one.title!r}"] = _said(error)


def _is_of_cloudtrail(rule: SigmaRule) -> bool:
    source = rule.logsource
    return (source.product or "aws").lower() == "aws" and (source.service or "").lower() == "cloudtrail"


def _about(rule: SigmaRule) -> str:
    source = rule.logsource
    words = [word for word in (source.product, source.category, source.service) if word]
    return f"it is about the logs of {' '.join(words)}, not of AWS CloudTrail"


def _resolve(
    one: _Named,
    collection: SigmaCollection,
    called: dict[int, str],
    taken: dict[int, list[str]],
    refused: dict[str, str],
    elsewhere: dict[str, str],
) -> None:
    """Find the rules that a correlation names. Unless it is to `generate`, they are its parts and do not run alone."""
    name, correlation = f"sigma.{one.name}", one.rule
    assert isinstance(correlation, SigmaCorrelationRule)
    try:
        correlation.resolve_rule_references(collection)
    except SigmaError as error:
        refused[name] = _said(error)
        return
    parts = [reference.rule for reference in correlation.referenced_rules]
    for part in parts:
        other = called[id(part)]
        if other in refused:
            refused[name] = f"it needs {other}, which cannot run: {refused[other]}"
        elif other in elsewhere:
            elsewhere[name] = elsewhere[other]
    if not correlation.generate and name not in elsewhere:
        for part in parts:
            taken.setdefault(id(part), []).append(name)


def _said(error: Exception) -> str:
    """What went wrong, on one line; pySigma adds the path, which is known."""
    said = error.args[0] if isinstance(error, SigmaError) and error.args else error
    if isinstance(error, RecursionError):
        said = "it is nested too deeply."
    return " ".join(str(said).split()) or type(error).__name__
