"""Everything that has a name: questions, rules and notebooks, with their parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from auditkit.catalogue import Catalogue, Query
from auditkit.errors import UnknownQueryError
from auditkit.output import as_table
from auditkit.parameters import QueryParameter
from auditkit.report.parameters import NotebookParameter, declared
from auditkit.report.run import read_notebook
from auditkit.runs import notebooks

Entry = dict[str, Any]
_SHOWN = {"notebook": ("name", "title"), "question": ("name", "title", "takes"), "rule": ("name", "severity", "title")}


def listing(catalogue: Catalogue | None = None) -> list[Entry]:
    """One mapping each: kind (question, rule, notebook), name, severity (rules only), title, about, parameters.

    Notebooks come first, then questions, then rules, each by name.
    """
    catalogue = catalogue or Catalogue.load()
    return [
        *map(_notebook, notebooks()),
        *(_query("question", query.name, query) for query in catalogue.queries),
        *(_query("rule", query.rule, query) for query in catalogue.rules),
    ]


def described(name: str, entries: Sequence[Entry]) -> Entry:
    """The entry of that name, written with slashes or with dots. Raises: UnknownQueryError."""
    by_name = {entry["name"].replace("/", "."): entry for entry in entries}
    wanted = name.replace("/", ".").removeprefix("rules.")
    if wanted not in by_name:
        raise UnknownQueryError(name, (entry["name"] for entry in entries))
    return by_name[wanted]


def as_text(entries: Iterable[Entry], *, parameters: bool = False) -> str:
    """*entries* for a terminal, a table for each kind; or each with what it is about and a table of its parameters."""
    entries = list(entries)
    if parameters:
        return "\n\n".join(map(_in_full, entries))
    tables = []
    for kind, columns in _SHOWN.items():
        rows = [
            {**entry, "takes": [parameter["name"] for parameter in entry["parameters"]]}
            for entry in entries
            if entry["kind"] == kind
        ]
        tables.append(f"{kind}s ({len(rows)})\n{as_table(columns, rows)}")
    return "\n\n".join(tables)


def _in_full(entry: Entry) -> str:
    severity = f" ({entry['severity']})" if entry["severity"] else ""
    lines = [f"{entry['kind']} {entry['name']}{severity}: {entry['title']}"]
    if entry["about"]:
        lines.append(entry["about"])
    if entry["parameters"]:
        lines += ["", as_table(("name", "type", "default", "about"), entry["parameters"])]
    return "\n".join(lines)


def _query(kind: str, name: str, query: Query) -> Entry:
    return {
        "kind": kind,
        "name": name,
        "severity": query.header.get("severity"),
        "title": query.title,
        "about": " ".join(str(query.header.get("about") or query.header.get("why") or "").split()),
        "parameters": [_parameter(parameter) for parameter in query.params.values()],
    }


def _notebook(name: str) -> Entry:
    source = read_notebook(notebooks()[name])
    heading = next((cell.source for cell in source.cells if cell.cell_type == "markdown"), name)
    title, _, about = heading.partition("\n")
    return {
        "kind": "notebook",
        "name": name,
        "severity": None,
        "title": title.lstrip("# "),
        "about": about.strip(),
        "parameters": [_parameter(parameter) for parameter in declared(source).values()],
    }


def _parameter(parameter: QueryParameter | NotebookParameter) -> Entry:
    return {name: getattr(parameter, name) for name in ("name", "type", "default", "about")}
