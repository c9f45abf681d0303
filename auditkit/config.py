"""auditkit.toml: defaults for the options of the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

CONFIG = "auditkit.toml"
Defaults = dict[str, dict[str, Any]]  # command -> name of the click parameter -> value; of a group: command -> …


def defaults(path: Path, commands: Mapping[str, click.Command]) -> Defaults:
    """What *path* says for each of *commands*; nothing when there is no such file.

    A section is a command, a key is an option as it is typed, without its dashes (`fail-on`), or `logs`. Keys above the
    first section hold for every command that has them, those of groups included.
    Raises: click.UsageError, for text that is no TOML, and for a section or key that means nothing.
    """
    if not path.is_file():
        return {}
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{path} cannot be read as TOML: {error}") from None
    groups = {name: command for name, command in commands.items() if isinstance(command, click.Group)}
    options = {name: _options(command) for name, command in commands.items() if name not in groups}
    inside = {
        name: {below: _options(command) for below, command in group.commands.items()} for name, group in groups.items()
    }
    sections = {name: value for name, value in written.items() if isinstance(value, dict)}
    shared = {name: value for name, value in written.items() if name not in sections}
    if strange := sorted(sections.keys() - options.keys()):
        raise click.UsageError(f"{path}: [{strange[0]}] is no command. Sections are {_names(options)}.")
    everything = [*options.values(), *(known for group in inside.values() for known in group.values())]
    if strange := sorted(key for key in shared if not any(_key(key) in known for known in everything)):
        raise click.UsageError(f"{path}: no command has an option {strange[0]!r}.")
    for name, section in sections.items():
        if strange := sorted(key for key in section if _key(key) not in options[name]):
            raise click.UsageError(f"{path}: [{name}] has no option {strange[0]!r}. It has {_names(options[name])}.")
    found: Defaults = {name: _chosen(known, {**shared, **sections.get(name, {})}) for name, known in options.items()}
    return found | {
        name: {below: _chosen(known, shared) for below, known in group.items()} for name, group in inside.items()
    }


def _chosen(known: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a command has an option for."""
    return {known[_key(key)]: value for key, value in values.items() if _key(key) in known}


def _options(command: click.Command) -> dict[str, str]:
    """As typed, without dashes, to the name of the click parameter: `fail-on` to `fail_on`, `p` to `parameters`."""
    return {
        max(parameter.opts, key=len).lstrip("-"): parameter.name or "" for parameter in command.params if parameter.name
    }


def _key(key: str) -> str:
    return key.replace("_", "-")


def _names(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names)) or "none"
