"""From a name and some settings to Athena or Trino. What is not given comes from AUDITKIT_… variables or auditkit.toml.

Passwords and tokens come from the environment alone: a parameter would be kept in reports and notebooks.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, get_type_hints

from auditkit.engines import RemoteEngine
from auditkit.engines.settings import AthenaSettings, TrinoSettings
from auditkit.engines.tables import Limits
from auditkit.errors import ParameterError
from auditkit.model import Running

CONFIG = "auditkit.toml"
ENGINES: dict[str, type[AthenaSettings] | type[TrinoSettings]] = {"athena": AthenaSettings, "trino": TrinoSettings}
SECRETS = ("password", "token")
VARIABLE = "AUDITKIT_{}"
_SECRET_VARIABLE = "AUDITKIT_TRINO_{}"

Settings = AthenaSettings | TrinoSettings


def connect(
    engine: str | Settings,
    given: Mapping[str, Any],
    limits: Limits,
    progress: Callable[[Running], None] | None = None,
    max_scan: int | None = None,
) -> RemoteEngine:
    """The engine, which asks nothing yet. Athena stops what has read more than *max_scan* bytes.

    Raises: ParameterError, for an unknown name or setting.
    """
    settings = named_settings(engine, given) if isinstance(engine, str) else engine
    if not (settings.cloudtrail_table or settings.flow_table):
        raise ParameterError(
            "No table is named. Give --cloudtrail-table, --flow-table or both (AUDITKIT_CLOUDTRAIL_TABLE, "
            "AUDITKIT_FLOW_TABLE, or the same in auditkit.toml)."
        )
    # Each client is imported only by those who use it: they take a second.
    if isinstance(settings, AthenaSettings):
        from auditkit.engines.athena.engine import AthenaEngine

        return AthenaEngine(settings, limits=limits, progress=progress, max_scan_bytes=max_scan)
    from auditkit.engines.trino.engine import TrinoEngine

    return TrinoEngine(settings, limits=limits, progress=progress)


def named_settings(engine: str, given: Mapping[str, Any], folder: Path = Path()) -> Settings:
    """The settings of *engine*: as *given*, else of the environment, else of auditkit.toml in *folder*.

    Raises: ParameterError.
    """
    if engine not in ENGINES:
        raise ParameterError(
            f"{engine!r} is no engine. There are {', '.join(ENGINES)}; without one, logs are read here."
        )
    kind = ENGINES[engine]
    known = {one.name: one for one in fields(kind)}
    given = {name: value for name, value in given.items() if value is not None}
    if unknown := sorted(given.keys() - known.keys()):
        raise ParameterError(f"{engine} has no setting {', '.join(unknown)}. It has {', '.join(sorted(known))}.")
    if secret := next((name for name in SECRETS if name in given), None):
        raise ParameterError(
            f"{secret} would be kept where it is written. Set {_SECRET_VARIABLE.format(secret.upper())} instead."
        )
    written = _written(folder / CONFIG)
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for name, one in known.items():
        if (value := given.get(name, _from_outside(name, written))) is not None:
            values[name] = _read(name, value, hints[name], one)
    return kind(**values)


def _from_outside(name: str, written: Mapping[str, Any]) -> Any:
    if name in SECRETS:
        return os.environ.get(_SECRET_VARIABLE.format(name.upper()))
    return os.environ.get(VARIABLE.format(name.upper()), written.get(name))


def _written(path: Path) -> dict[str, Any]:
    """What auditkit.toml says above its first section."""
    if not path.is_file():
        return {}
    try:
        kept = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ParameterError(f"{path} cannot be read as TOML: {error}") from None
    return {key.replace("-", "_"): value for key, value in kept.items() if not isinstance(value, dict)}


def _read(name: str, value: Any, kind: Any, one: Field[Any]) -> Any:
    """Text from the environment as the type of its setting. Raises: ParameterError."""
    wanted = next((number for number in (int, float) if kind is number), str)
    try:
        return wanted(value)
    except (TypeError, ValueError):
        default = "" if one.default in (None, MISSING) else f", such as {one.default}"
        raise ParameterError(f"{name} is {value!r}; a number is expected{default}.") from None
