"""The queries/ folder as Python sees it: every question and every rule, with its typed parameters.

A file is one YAML mapping in its leading `-- ` comment lines, then one Trino SELECT. Its name is its path.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from auditkit.errors import CatalogueError, ParameterError, UnknownQueryError
from auditkit.model import SEVERITIES, Parameter, Value
from auditkit.parameters import QueryParameter, declare
from auditkit.resources import QUERIES
from auditkit.schema import TABLES

Kind = Literal["question", "match", "first_seen", "aggregate"]
NOT_QUERIES = (
    "sources",
    "views",
    "frames",
    "ledger",
)  # folders whose SQL is a part of the machinery, by how their names begin

_WORDS: dict[str, tuple[str, ...]] = {
    "runs": ("here",),
    "kind": ("match", "first_seen", "aggregate"),
    "severity": SEVERITIES,
    "per": ("principal", "resource"),
    "attempts": ("lower", "same", "ignore"),
    "hands": ("lower", "same"),
    "addresses": ("lower", "same"),
    "first_for": ("principal", "account"),
    "newcomers": ("ignore", "report"),
}
_TEXTS = ("title", "about", "why", "response", "false_positives", "blind_spots")
_LISTS = ("reads", "attack", "pci", "cis", "yields_to")
_QUESTION_KEYS = {"title", "about", "params", "reads", "runs"}
_RULE_KEYS = {*_QUESTION_KEYS, *_WORDS, *_TEXTS, *_LISTS} - {"runs"}
_RULE_NEEDS = ("title", "kind", "severity", "why", "response", "false_positives", "blind_spots")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Query:
    """One file of queries/."""

    name: str  # activity/events; rules/iam/admin_policy_attached
    kind: Kind
    title: str
    sql: str  # without the header
    params: Mapping[str, QueryParameter]
    reads: tuple[str, ...]
    header: Mapping[str, Any]
    path: Path

    @property
    def runs_here(self) -> bool:
        """Whether the window of an engine is fetched first, and asked here.

        Trino and Athena work a view out anew wherever it is read, and refuse a statement of too many stages.
        """
        return self.header.get("runs") == "here"

    @property
    def rule(self) -> str:
        """The name a person writes: `iam.admin_policy_attached`, `activity.events`."""
        return self.name.removeprefix("rules/").replace("/", ".")

    def bind(self, values: Mapping[str, Value]) -> dict[str, Parameter]:
        """A Parameter for every declared name: the value given, else the default.

        Raises: ParameterError, for unknown names, missing ones, and values that do not fit the declared type.
        """
        takes = ", ".join(sorted(self.params)) or "no parameters"
        if unknown := sorted(values.keys() - self.params.keys()):
            raise ParameterError(f"{self.rule} has no parameter {', '.join(unknown)}. It takes {takes}.")
        if missing := sorted(n for n, p in self.params.items() if p.required and n not in values):
            raise ParameterError(f"{self.rule} needs a value for {', '.join(missing)}. It takes {takes}.")
        return {
            name: Parameter(declared.type, declared.value(values[name]) if name in values else declared.default)
            for name, declared in self.params.items()
        }


@dataclass(frozen=True)
class Catalogue:
    """Every question and rule of some folders, by name."""

    queries: tuple[Query, ...]  # questions
    rules: tuple[Query, ...]

    @classmethod
    def load(cls, *roots: Path) -> Catalogue:
        """The catalogue of *roots*; without any, of the queries/ that came with auditkit.

        Raises: CatalogueError, naming the file and what is wrong with it.
        """
        found: dict[str, Query] = {}
        for root in roots or (QUERIES,):
            for query in _read_all(root):
                if other := found.get(query.name):
                    raise CatalogueError(f"{query.path} has the same name as {other.path}. Rename one of them.")
                found[query.name] = query
        everything = [found[name] for name in sorted(found)]
        return cls(
            tuple(query for query in everything if query.kind == "question"),
            tuple(query for query in everything if query.kind != "question"),
        )

    def with_rules(self, more: Iterable[Query]) -> Catalogue:
        """The same catalogue with *more* rules behind its own.

        Raises: CatalogueError, when one of them has the name of another.
        """
        rules = (*self.rules, *more)
        if twice := [name for name, count in Counter(rule.name for rule in rules).items() if count > 1]:
            raise CatalogueError(f"Two rules are called {twice[0]}. Rename one of them.")
        return Catalogue(self.queries, rules)

    def get(self, name: str) -> Query:
        """A query or rule by its path (`activity/events`) or its dotted name (`iam.admin_policy_attached`).

        Raises: UnknownQueryError.
        """
        wanted = name.strip("/").removesuffix(".sql").replace("/", ".").removeprefix("rules.")
        by_name = {query.rule: query for query in (*self.queries, *self.rules)}
        if wanted not in by_name:
            raise UnknownQueryError(name, [*(q.name for q in self.queries), *(q.rule for q in self.rules)])
        return by_name[wanted]


def _read_all(root: Path) -> Iterator[Query]:
    if not root.is_dir():
        raise CatalogueError(f"{root} is not a folder of queries.")
    for path in sorted(root.rglob("*.sql")):
        parts = path.relative_to(root).with_suffix("").parts
        if not parts[0].startswith(NOT_QUERIES):
            yield _read(path, parts)


def _read(path: Path, parts: Sequence[str]) -> Query:
    for part in parts:
        if not _NAME.fullmatch(part):
            raise CatalogueError(f"{path}: {part!r} is not a name. Use lower-case letters, digits and underscores.")
    header, body = _split(path)
    is_rule = parts[0] == "rules"
    if is_rule and len(parts) != 3:
        raise CatalogueError(f"{path}: a rule lies in rules/<service>/.")
    _check(path, header, is_rule=is_rule)
    reads = tuple(header.get("reads") or (name for name in TABLES if re.search(rf"\b{name}\b", body)))
    return Query(
        name="/".join(parts),
        kind=header.get("kind", "question"),
        title=header["title"],
        sql=body,
        params={name: _parameter(path, name, facts) for name, facts in (header.get("params") or {}).items()},
        reads=reads,
        header=header,
        path=path,
    )


def _split(path: Path) -> tuple[dict[str, Any], str]:
    """The header as a mapping, and the SQL below it."""
    lines = path.read_text(encoding="utf-8").split("\n")
    count = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    try:
        loader = yaml.SafeLoader("\n".join(line.removeprefix("--").removeprefix(" ") for line in lines[:count]))
        node = loader.get_single_node()
        header: dict[str, Any] = loader.construct_document(node) if isinstance(node, yaml.MappingNode) else {}
    except yaml.YAMLError as error:
        raise CatalogueError(f"{path}: the comment lines at the top are not YAML: {error}") from None
    body = "\n".join(lines[count:]).strip()
    if not isinstance(node, yaml.MappingNode) or not body:
        raise CatalogueError(f"{path}: a mapping such as `-- title: …` is expected at the top, and a SELECT below it.")
    keys = [key.value for key, _ in node.value]  # YAML itself would keep the last of two
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise CatalogueError(f"{path}: {', '.join(twice)} is there twice.")
    return header, body


def _check(path: Path, header: Mapping[str, Any], *, is_rule: bool) -> None:
    known = _RULE_KEYS if is_rule else _QUESTION_KEYS
    if unknown := [str(key) for key in header if key not in known]:
        raise CatalogueError(f"{path}: unknown key {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
    if missing := [key for key in (_RULE_NEEDS if is_rule else ("title",)) if not header.get(key)]:
        raise CatalogueError(f"{path}: the header lacks {', '.join(missing)}.")
    for key, value in header.items():
        if key in _WORDS and value not in _WORDS[key]:
            raise CatalogueError(f"{path}: {key} is {value!r}; expected one of {', '.join(_WORDS[key])}.")
        if key in _TEXTS and not isinstance(value, str):
            raise CatalogueError(f"{path}: {key} is {value!r}; text is expected.")
        if key in _LISTS and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise CatalogueError(f"{path}: {key} is {value!r}; a list of texts is expected (quote numbers).")
    if strange := set(header.get("reads", ())) - TABLES.keys():
        raise CatalogueError(f"{path}: reads names {', '.join(sorted(strange))}; the tables are {', '.join(TABLES)}.")
    if not isinstance(header.get("params") or {}, dict):
        raise CatalogueError(f"{path}: params is a mapping of name: {{type, default, about}}.")


def _parameter(path: Path, name: object, facts: object) -> QueryParameter:
    try:
        return declare(name, facts)
    except ParameterError as error:
        raise CatalogueError(f"{path}: {error}") from None
