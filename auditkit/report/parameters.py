"""The parameters a notebook declares, and values for them: names checked, text from a command line converted."""

from __future__ import annotations

import ast
import io
import json
import math
import os
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from nbformat import NotebookNode

from auditkit.errors import ParameterError
from auditkit.report.cells import iso_utc

TAG = "parameters"


@dataclass(frozen=True, slots=True)
class NotebookParameter:
    """One assignment in the cell tagged `parameters`: `min_secrets: int = 10  # distinct secrets per session`."""

    name: str
    type: str  # as annotated, else as the default suggests, else ""
    default: str  # source text
    about: str


def declared(notebook: NotebookNode) -> dict[str, NotebookParameter]:
    """The notebook's parameters by name, in order; none when no cell has the tag.

    Papermill's own reading skips lines with a second `=` and types like `str | None`; so the cell is parsed here.
    Raises: ParameterError, when that cell is not Python.
    """
    cell = next((cell for cell in notebook.cells if TAG in cell.metadata.get("tags", [])), None)
    if cell is None:
        return {}
    try:
        statements = ast.parse(cell.source).body
        comments = _comments(cell.source)
    except (SyntaxError, tokenize.TokenError) as error:
        raise ParameterError(f"The notebook's parameters cell is not valid Python: {error}.") from None
    found = {}
    for statement in statements:
        target: ast.expr
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            target, kind = statement.target, ast.unparse(statement.annotation)
        elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, kind = statement.targets[0], _type_of(statement.value)
        else:
            continue
        if isinstance(target, ast.Name):
            about = comments.get(statement.end_lineno or statement.lineno, "")
            found[target.id] = NotebookParameter(target.id, kind, ast.unparse(statement.value), about)
    return found


def bind(notebook: NotebookNode, values: Mapping[str, Any]) -> dict[str, Any]:
    """*values* as papermill may inject them: str, int, float, bool, None, list and dict of the declared types.

    Text is converted to the declared type, so that what comes from a command line means the same as in Python; a
    parameter declared as text stays text (account ids keep their zeros). Times become ISO text, paths become text.
    Raises: ParameterError, for unknown names and values that do not fit.
    """
    known = declared(notebook)
    if values and not known:
        raise ParameterError(f"This notebook takes no parameters; {_names(values)} cannot be set.")
    for name in values:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ParameterError(f"The notebook has no parameter {name!r}.{hint} It takes {_names(known)}.")
    return {name: _convert(known[name], value) for name, value in values.items()}


def _names(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names))


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ").strip() for token in tokens if token.type == tokenize.COMMENT}


def _type_of(node: ast.expr) -> str:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return ""
    return "" if value is None else type(value).__name__


def _convert(parameter: NotebookParameter, value: Any) -> Any:
    if isinstance(value, datetime):
        value = iso_utc(value)
    elif isinstance(value, os.PathLike):
        value = os.fspath(value)
    elif isinstance(value, tuple | set | frozenset):
        value = list(value)
    alternatives = [part.strip() for part in parameter.type.split("|")]
    if "None" in alternatives or parameter.type.startswith("Optional[") or parameter.default == "None":
        if value is None:
            return None
        alternatives = [part for part in alternatives if part != "None"] or [""]
    kind = alternatives[0].removeprefix("Optional[").split("[")[0]
    converter = _CONVERTERS.get(kind, _any)
    try:
        return converter(value)
    except (ValueError, TypeError):
        raise ParameterError(f"Parameter {parameter.name!r} takes {kind or 'a plain value'}, not {value!r}.") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    return int(value)


def _real(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not math.isfinite(float(value)):
        raise TypeError
    return float(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "yes", "1", "on", "false", "no", "0", "off"):
        return value.lower() in ("true", "yes", "1", "on")
    raise TypeError


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        text = value.strip()
        value = json.loads(text) if text.startswith("[") else [part.strip() for part in text.split(",") if part.strip()]
    if not isinstance(value, list):
        raise TypeError
    return [_any(item) for item in value]


def _mapped(value: Any) -> dict[str, Any]:
    value = json.loads(value) if isinstance(value, str) else value
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise TypeError
    return {key: _any(item) for key, item in value.items()}


def _any(value: Any) -> Any:
    if isinstance(value, list):
        return [_any(item) for item in value]
    if isinstance(value, dict):
        return _mapped(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "int": _integer,
    "float": _real,
    "bool": _boolean,
    "list": _listed,
    "List": _listed,
    "dict": _mapped,
    "Dict": _mapped,
}
