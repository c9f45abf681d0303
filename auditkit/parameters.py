"""A declared `:name` of a query: its type, its default, and how text from a command line becomes its value."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from auditkit.errors import ParameterError
from auditkit.model import Value

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class QueryParameter:
    """Without a default it must be given; a default of None makes it optional, bound as NULL."""

    name: str
    type: str  # one of TYPES
    default: Value
    about: str
    required: bool

    def value(self, given: object) -> Value:
        """*given* in this parameter's type. Text is read as that type: `5`, `true`, `a,b`, an ISO time (UTC if bare).

        Raises: ParameterError.
        """
        if given is None:
            if self.required or self.default is not None:
                raise ParameterError(f"{self.name} cannot be empty: {TYPES[self.type]} is expected.")
            return None
        try:
            if not self.type.startswith("array("):
                return _READERS[self.type](given)
            read = _READERS[self.type.removeprefix("array(").removesuffix(")")]
            if isinstance(given, str):
                given = [item.strip() for item in given.split(",")] if given.strip() else []
            if not isinstance(given, list | tuple):
                raise ValueError
            return [read(item) for item in given]
        except ValueError:
            raise ParameterError(f"{self.name} is {given!r}, but {TYPES[self.type]} is expected.") from None


def names_in(text: str | None) -> list[str]:
    """The names in `A,B`; none in nothing."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def declare(name: object, facts: object) -> QueryParameter:
    """The parameter that a query's header declares as `name: {type, default, about}`.

    Raises: ParameterError, when the declaration is not one.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(facts, dict):
        raise ParameterError(f"parameter {name} is not a lower-case name with a mapping {{type, default, about}}.")
    if unknown := sorted(str(key) for key in facts.keys() - {"type", "default", "about"}):
        raise ParameterError(f"parameter {name} has an unknown key {', '.join(unknown)}. Known: type, default, about.")
    kind, about = facts.get("type"), facts.get("about")
    if kind not in TYPES or not isinstance(about, str):
        raise ParameterError(f"parameter {name} needs an about, and a type among {', '.join(TYPES)}.")
    optional = QueryParameter(name, kind, None, about, required=False)
    return replace(optional, default=optional.value(facts.get("default")), required="default" not in facts)


def _varchar(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError  # an account number read as a number has lost its leading zeros
    return given


def _bigint(given: Any) -> int:
    if not isinstance(given, str | int) or isinstance(given, bool):
        raise ValueError
    return int(given)


def _double(given: Any) -> float:
    if not isinstance(given, str | int | float) or isinstance(given, bool):
        raise ValueError
    return float(given)


def _boolean(given: Any) -> bool:
    if isinstance(given, str) and given.lower() in ("true", "false"):
        return given.lower() == "true"
    if not isinstance(given, bool):
        raise ValueError
    return given


def _timestamp(given: Any) -> datetime:
    if isinstance(given, datetime) and given.tzinfo is None:
        raise ValueError
    moment = datetime.fromisoformat(str(given))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_READERS: dict[str, Callable[[Any], str | int | float | bool | datetime]] = {
    "varchar": _varchar,
    "bigint": _bigint,
    "double": _double,
    "boolean": _boolean,
    "timestamp": _timestamp,
}

TYPES = {
    "varchar": "text",
    "bigint": "a whole number",
    "double": "a number",
    "boolean": "true or false",
    "timestamp": "a time with a zone (2026-11-01T09:00:00Z)",
    "array(varchar)": "a list of texts (a,b)",
    "array(bigint)": "a list of whole numbers (1,2)",
}
