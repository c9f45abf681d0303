"""Policy documents: statements, each grouped and in one order, in as few documents as IAM's size allows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from auditkit.identity.patterns import covers, matches

LONGEST = 6144  # characters of a managed policy, white space not counted

Statement = dict[str, Any]


def statements(grants: Mapping[str, Iterable[str]], passes: Mapping[str | None, Iterable[str]]) -> list[Statement]:
    """One statement for the actions of a service that are granted on the same resources; those on roles last.

    Args:
        grants: Resources by action.
        passes: Roles by the service that they are passed to; None where that is not known.
    """
    alike: defaultdict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for action, resources in grants.items():
        alike[action.partition(":")[0], fewest(resources)].append(action)
    made, numbers = [], defaultdict[str, int](int)
    for (prefix, resources), actions in sorted(alike.items(), key=lambda item: (item[0][0], sorted(item[1]))):
        numbers[prefix] += 1
        sid = "".join(part.capitalize() for part in prefix.split("-")) + f"Use{numbers[prefix]}"
        made.append(_allow(sid, actions, resources))
    by_place = sorted(passes.items(), key=lambda item: (item[0] is None, item[0] or ""))
    for number, (service, roles) in enumerate(by_place, start=1):
        condition = {"StringEquals": {"iam:PassedToService": service}} if service else None
        made.append(_allow(f"PassRole{number}", ["iam:PassRole"], fewest(roles), condition))
    return made


def fewest(resources: Iterable[str]) -> tuple[str, ...]:
    """*resources* without those that another one covers, sorted."""
    found = sorted(set(resources))
    wide = [one for one in found if one.endswith("*")]
    return tuple(one for one in found if not any(other != one and covers(other, one) for other in wide))


def documents(parts: Iterable[Statement], *, longest: int = LONGEST) -> tuple[dict[str, Any], ...]:
    """*parts* in documents of at most *longest* characters, in their order; none for no statement."""
    made: list[list[Statement]] = []
    for statement in (piece for part in parts for piece in _pieces(part, longest)):
        if made and size(_document([*made[-1], statement])) <= longest:
            made[-1].append(statement)
        else:
            made.append([statement])
    return tuple(_document(group) for group in made)


def size(document: Mapping[str, Any]) -> int:
    """Characters of a document as it would be pasted, without white space between them."""
    return len(json.dumps(document, separators=(",", ":")))


def allows(made: Iterable[Mapping[str, Any]], action: str, resource: str, *, passed_to: str | None = None) -> bool:
    """Whether one of the documents, each of statements made here, lets *action* through on *resource*.

    *resource* may be a pattern, of which everything must be allowed; *passed_to* is what iam:PassedToService says.
    """
    for statement in (statement for document in made for statement in document["Statement"]):
        asked = statement.get("Condition", {}).get("StringEquals", {}).get("iam:PassedToService", passed_to)
        if (
            asked == passed_to
            and any(matches(one, action, ignore_case=True) for one in statement["Action"])
            and any(covers(one, resource) for one in statement["Resource"])
        ):
            return True
    return False


def _allow(
    sid: str, actions: Iterable[str], resources: Iterable[str], condition: dict[str, Any] | None = None
) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": sorted(resources)}
    return statement | ({"Condition": condition} if condition else {})


def _document(parts: Iterable[Statement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(parts)}


def _pieces(statement: Statement, longest: int) -> Iterator[Statement]:
    """*statement*, or what it says in several that fit. Halves of its longer list, so that few are made."""
    if size(_document([statement])) <= longest:
        yield statement
        return
    lists = [key for key in ("Resource", "Action") if len(statement[key]) > 1]
    if not lists:  # one action on one resource is shorter than any policy: see patterns.LONGEST
        yield statement
        return
    key = max(lists, key=lambda name: sum(map(len, statement[name])))
    middle = len(statement[key]) // 2
    for letter, part in (("a", statement[key][:middle]), ("b", statement[key][middle:])):
        yield from _pieces(statement | {"Sid": statement["Sid"] + letter, key: part}, longest)
