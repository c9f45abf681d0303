"""Writes docs/ from what the code and the queries say of themselves: `python -m tests.docs`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from auditkit.catalogue import Catalogue, Query
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.views import views
from auditkit.model import SEVERITIES
from auditkit.parameters import QueryParameter
from auditkit.schema import ARROW, TABLES

DOCS = Path(__file__).parents[1] / "docs"
HAND_WRITTEN = {"performance.md", "athena.md"}
WRITTEN = "<!-- Written by `make docs`; change the source, not this page. -->"
SERVICES = {
    "backup": "Backups",
    "bedrock": "Models (Bedrock)",
    "ec2": "Instances, disks and machine images (EC2)",
    "ecr": "Container images (ECR)",
    "ecs": "Containers (ECS)",
    "iam": "Identities and permissions (IAM)",
    "kms": "Encryption keys (KMS)",
    "lambda": "Functions (Lambda)",
    "logging": "Logging and detection",
    "network": "Network",
    "organizations": "Organization",
    "rds": "Databases (RDS)",
    "s3": "Buckets and objects (S3)",
    "secretsmanager": "Secrets Manager",
    "ses": "Mail (SES)",
    "signin": "Sign-in",
    "ssm": "Systems Manager (SSM)",
    "sts": "Temporary credentials (STS)",
}
ATTEMPTS = {
    "lower": "An attempt that was refused or failed counts one severity lower.",
    "same": "An attempt that was refused or failed counts the same.",
    "ignore": "Only what succeeded counts.",
}
NEW_TO = {
    "principal": "that a principal did not have in the baseline",
    "account": "that nobody of the account had in the baseline",
}
ANY_VALUE: dict[str, Any] = {"array(varchar)": [], "array(bigint)": [], "bigint": 1, "varchar": ""}


def pages() -> dict[str, str]:
    """Every page of docs/, by file name."""
    catalogue = Catalogue.load()
    return {
        "tables.md": tables(),
        "queries.md": queries(catalogue.queries),
        "rules.md": rules(catalogue.rules),
    }


def tables() -> str:
    parts = [
        "# The two tables",
        WRITTEN,
        "Every query and every rule reads these two tables, on any engine. `auditkit sql` takes one SELECT over them and\n"
        "over the views [below](#views). Times are UTC. Types are Trino's.",
    ]
    for table in TABLES.values():
        rows = [(f"`{c.name}`", c.type, c.about, c.origin) for c in table.columns]
        parts += [f"## {table.name}", table.about, grid(("column", "type", "meaning", "from"), rows)]
        if table.derived:
            rows = [(f"`{c.name}`", c.type, c.about, c.origin) for c in table.derived]
            parts += [
                "Worked out when a query asks, and never stored:",
                grid(("column", "type", "meaning", "from"), rows),
            ]
    return page([*parts, *views_told()])


def views_told() -> list[str]:
    """The views: what several questions read, worked out of the tables when a query asks."""
    parts = [
        "## Views",
        "What several questions read, and no log has as a table. A statement that reads one gets its SELECT in front, so\n"
        "that what is shown needs nothing but the two tables.",
    ]
    engine = DuckDBEngine({})
    for name, view in views().items():
        columns = engine.run(f"SELECT * FROM {name}").table.schema
        parts += [
            f"### {name}",
            f"**{view.header['title']}.** {one_line(view.header['about'])}",
            grid(("column", "type"), [(f"`{column.name}`", type_name(column.type)) for column in columns]),
        ]
    return parts


def queries(asked: Sequence[Query]) -> str:
    engine = DuckDBEngine({})
    parts = [
        "# Questions",
        WRITTEN,
        '`auditkit query NAME LOGS` asks one; in Python it is `auditkit.open("logs/").query(NAME)`. Parameters go in with\n'
        "`-p NAME=VALUE`; a list is written `a,b`. `--show-sql` prints the statement with its values and reads nothing.",
        grid(("name", "answers"), [(link(query.name), query.title) for query in asked]),
    ]
    for query in asked:
        values = {name: ANY_VALUE[p.type] for name, p in query.params.items() if p.required}
        columns = engine.run(query.sql, query.bind(values)).table.schema
        parts += [
            f"## {query.name}",
            f"**{query.title}.** {one_line(query.header.get('about'))}".strip(),
            f"Reads {' and '.join(f'[{name}](tables.md#{name})' for name in query.reads)}.",
            parameters(query.params.values()),
            grid(("column", "type"), [(f"`{column.name}`", type_name(column.type)) for column in columns]),
        ]
    return page(parts)


def rules(known: Sequence[Query]) -> str:
    worst = sorted(known, key=lambda rule: (service(rule), -SEVERITIES.index(rule.header["severity"]), rule.rule))
    parts = [
        "# Rules",
        WRITTEN,
        "`auditkit findings LOGS` runs them all, `--rule NAME` some. A finding is a rule that fired for one principal and\n"
        "account, and one resource where the rule says so; it carries every event that proves it.",
        "A finding is one severity milder than its rule when it was only tried, when nobody but automation or AWS services\n"
        "made the calls, and when the same was there on three days or more of the baseline; it says which of these it was.\n"
        "Rules about what is new need that baseline: `--baseline 14d`, or a store of earlier logs.",
        "What a rule is mapped to: [ATT&CK](https://attack.mitre.org/matrices/enterprise/cloud/) techniques, requirements of\n"
        "PCI DSS 4.0.1, and recommendations of the CIS AWS Foundations Benchmark (version, then number).",
        grid(
            ("rule", "severity", "finds"),
            [(link(rule.rule), rule.header["severity"], rule.title) for rule in worst],
        ),
    ]
    for name, group in groupby(worst, service):
        parts.append(f"## {SERVICES.get(name, name)}")
        for rule in group:
            parts += described(rule)
    return page(parts)


def described(rule: Query) -> list[str]:
    """One rule: what it finds and why, what to do, and where it is wrong or blind."""
    header = rule.header
    per = "resource" if header.get("per") == "resource" else "principal"
    if rule.kind == "first_seen":
        per = f"resource {NEW_TO[header.get('first_for', 'principal')]}"
    facts = [
        f"**{header['severity']}** · {rule.title}",
        f"one finding for each {per} · reads {', '.join(f'`{name}`' for name in rule.reads)}",
    ]
    mapped = {
        "ATT&CK": [
            f"[{t}](https://attack.mitre.org/techniques/{t.replace('.', '/')}/)" for t in header.get("attack", ())
        ],
        "PCI DSS": header.get("pci", ()),
        "CIS": [text.replace("/", " § ") for text in header.get("cis", ())],
    }
    facts += (
        [" · ".join(f"{name} {', '.join(ids)}" for name, ids in mapped.items() if ids)] if any(mapped.values()) else []
    )
    points = [
        ("To do", header["response"]),
        ("Looks alike", header["false_positives"]),
        ("Blind to", header["blind_spots"]),
        ("Attempts", ATTEMPTS[header.get("attempts", "lower")]),
    ]
    if stronger := header.get("yields_to"):
        points.append(("Gives way", f"An event that sets off {' or '.join(map(link, stronger))} counts there alone."))
    return [
        f"### {rule.rule}",
        "  \n".join(facts),
        f"{one_line(header.get('about'))} {one_line(header['why'])}".strip(),
        "\n".join(f"- **{name}:** {sentence(text)}" for name, text in points),
        parameters(rule.params.values()),
    ]


def parameters(declared: Iterable[QueryParameter]) -> str:
    rows = [(f"`{p.name}`", p.type, "required" if p.required else value(p.default), p.about) for p in declared]
    return grid(("parameter", "type", "default", "meaning"), rows) if rows else ""


def value(default: object) -> str:
    if default is None:
        return ""
    return f"`{','.join(map(str, default))}`" if isinstance(default, list) else f"`{str(default).lower()}`"


def grid(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def link(name: str) -> str:
    """To the heading of that name on the same page, as forges make anchors of headings."""
    return f"[`{name}`](#{re.sub(r'[^a-z0-9_ -]', '', name)})"


def type_name(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"array({type_name(kind.value_type)})"
    return next(name for name, arrow in ARROW.items() if arrow == kind)


def service(rule: Query) -> str:
    return rule.rule.partition(".")[0]


def one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def sentence(text: str) -> str:
    line = one_line(text)
    return line[:1].upper() + line[1:] + ("" if line.endswith((".", "?")) else ".")


def page(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def main(echo: Callable[[str], None] = print) -> None:
    DOCS.mkdir(exist_ok=True)
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
        echo(f"docs/{name}")


if __name__ == "__main__":
    main()
