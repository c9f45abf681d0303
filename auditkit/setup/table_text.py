"""A table that is yet to be made, as the text of its statement, which is in queries/ddl/."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlglot import exp

from auditkit.errors import ParameterError
from auditkit.resources import QUERIES
from auditkit.setup.aws_names import S3Folder, table_name

Dialect = Literal["athena", "trino"]
Columns = Sequence[tuple[str, exp.DataType]]

_NOT_TEXT = re.compile(r"['\"`\\;\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Key:
    """A folder that is a column, and what Athena has to know to work out the names it can have."""

    name: str
    type: str
    projection: Mapping[str, str]
    means: str = "days"

    @classmethod
    def listed(cls, name: str, means: str, values: Sequence[str]) -> Key:
        """Of the *values*; without any, every query has to name its own."""
        projection = {"type": "enum", "values": ",".join(values)} if values else {"type": "injected"}
        return cls(name, "STRING", projection, means)

    @classmethod
    def day(cls, name: str, kind: str, pattern: str, since: date) -> Key:
        """From *since* to today, spelled as Java's *pattern* says: `yyyy/MM/dd` or `yyyy-MM-dd`."""
        first = f"{since:%Y/%m/%d}" if "/" in pattern else f"{since:%Y-%m-%d}"
        spelled = {"type": "date", "format": pattern, "range": f"{first},NOW", "interval": "1", "interval.unit": "DAYS"}
        return cls(name, kind, spelled)

    @classmethod
    def number(cls, name: str, first: int, last: int, digits: int) -> Key:
        projection = {"type": "integer", "range": f"{first:0{digits}},{last:0{digits}}", "digits": str(digits)}
        return cls(name, "INT", projection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    template: str
    name: str  # where none is given
    columns: Columns
    keys: Sequence[Key]
    location: S3Folder
    folders: str  # of a partition, below the location
    since: date
    more: Mapping[str, Any] = field(default_factory=dict)  # what else the template says


def written(made: Table, name: str | None, database: str | None, dialect: Dialect) -> str:
    """Raises: ParameterError, for anything in it that could end a name or a text."""
    names = [*([table_name(database, what="database")] if database else []), table_name(name or made.name)]
    quote = _back_ticked if dialect == "athena" else _quoted
    listed, injected = (
        [key.means for key in made.keys if key.projection["type"] == kind] for kind in ("enum", "injected")
    )
    template = _templates().get_template(f"{made.template}.sql.j2")
    text = template.render(
        name=".".join(map(quote, names)),
        columns=made.columns,
        keys=made.keys,
        projection={f"projection.{k.name}.{word}": value for k in made.keys for word, value in k.projection.items()},
        location=str(made.location),
        folders=made.folders,
        since=f"{made.since:%Y-%m-%d}",
        listed=listed,
        injected=injected,
        options=" and ".join(f"--{word}" for word in injected),
        **made.more,
    )
    return text.strip() + "\n"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(QUERIES / "ddl"),
        autoescape=False,  # SQL, whose values the filters look at
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[[Any], str]] = {
        "name": _back_ticked,
        "quoted": _quoted,
        "text": quoted_text,
        "hive": _hive,
        "trino": _trino,
    }
    environment.filters.update(filters)
    return environment


def _back_ticked(name: str) -> str:
    return f"`{table_name(name, what='column')}`"


def _quoted(name: str) -> str:
    return f'"{table_name(name, what="column")}"'


def quoted_text(value: str) -> str:
    """As text of SQL. Hive and Trino escape a quote differently, so there is none. Raises: ParameterError."""
    if found := _NOT_TEXT.search(value):
        raise ParameterError(f"{value!r} holds {found[0]!r}, which has no place in a statement.")
    return f"'{value}'"


def _hive(kind: exp.DataType) -> str:
    return kind.sql("hive", pretty=True).replace("\n", "\n    ")


def _trino(kind: exp.DataType) -> str:
    """Times in milliseconds: the Hive connector takes those of its own setting only, and that is its default."""
    return "TIMESTAMP(3)" if kind.is_type(exp.DType.TIMESTAMP) else kind.sql("trino")
