"""Every rule speaks of techniques that are in ATT&CK, and the package knows their names."""

from __future__ import annotations

import json

import pytest

from auditkit.catalogue import Catalogue, Query
from auditkit.formats.attack import FILE, technique, version
from tests import attack

RULES = Catalogue.load().rules


def test_the_file_is_in_step_with_the_rules() -> None:
    assert FILE.read_text(encoding="utf-8") == attack.text(), f"{FILE.name} is out of step: run `make docs`"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule)
def test_a_rule_names_techniques_of_the_pinned_attack(rule: Query) -> None:
    """None that was made up, revoked or deprecated, and none twice."""
    ids = rule.header.get("attack") or []
    assert [id for id in ids if id not in attack.pinned()] == [], f"not in ATT&CK {attack.VERSION}: change {rule.path}"
    assert len(set(ids)) == len(ids)


def test_the_pinned_list_is_the_whole_of_enterprise_attack() -> None:
    """18.1 has 216 techniques and 475 sub-techniques that are neither revoked nor deprecated."""
    whole = [id for id in attack.pinned() if "." not in id]
    assert (attack.VERSION, len(whole), len(attack.pinned()) - len(whole)) == ("18.1", 216, 475)
    assert not {"T1002", "T1043"} & attack.pinned().keys()  # one was revoked, one deprecated


def test_a_sub_technique_is_known_with_its_technique_and_tactics() -> None:
    roles = technique("T1098.003")
    assert roles.name == "Additional Cloud Roles"
    assert [tactic.id for tactic in roles.tactics] == ["TA0003", "TA0004"]
    assert roles.url == "https://attack.mitre.org/techniques/T1098/003/"
    assert roles.parent == technique("T1098")
    assert roles.parent
    assert (roles.parent.name, roles.parent.parent) == ("Account Manipulation", None)


def test_of_a_technique_of_somebody_elses_rule_only_the_id_is_known() -> None:
    unknown = technique("T9999.001")
    assert (unknown.id, unknown.name, unknown.tactics) == ("T9999.001", None, ())
    assert unknown.parent == technique("T9999")


def test_nothing_is_in_the_file_that_no_rule_names() -> None:
    held = json.loads(FILE.read_text(encoding="utf-8"))
    named = {id for rule in RULES for id in rule.header.get("attack") or ()}
    assert held["techniques"].keys() == named | {id.partition(".")[0] for id in named}
    assert held["tactics"].keys() == {name for facts in held["techniques"].values() for name in facts["tactics"]}
    assert held["version"] == version() == attack.VERSION
