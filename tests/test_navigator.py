"""A layer for the ATT&CK Navigator: its format, its scores, and what it says of rules that found nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from auditkit.allowlist import Suppressed
from auditkit.catalogue import Query
from auditkit.charts import SEVERITY_COLOURS
from auditkit.formats import navigator
from auditkit.model import SEVERITIES, Window
from auditkit.output import as_json
from auditkit.rules import RuleRun
from tests.found import ENTRY, RULES, RUNS, every_rule, hostile, of_rule


def closed(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


TEXT, YES, COLOUR = {"type": "string"}, {"type": "boolean"}, {"type": "string", "pattern": "^#[0-9a-f]{6}$"}
# What the definition of layer format 4.5 allows, as far as a layer of ours goes.
LAYER = closed(
    ("name", "domain", "versions"),
    name=TEXT,
    description=TEXT,
    domain={"const": "enterprise-attack"},
    versions=closed(("navigator", "layer"), attack={"const": "18"}, navigator=TEXT, layer={"const": "4.5"}),
    sorting={"enum": [0, 1, 2, 3]},
    layout=closed(
        layout={"enum": ["side", "flat", "mini"]},
        showID=YES,
        showName=YES,
        showAggregateScores=YES,
        aggregateFunction={"enum": ["average", "min", "max", "sum"]},
        expandedSubtechniques={"enum": ["none", "all", "annotated"]},
    ),
    techniques={
        "type": "array",
        "items": closed(
            ("techniqueID",),
            techniqueID={"type": "string", "pattern": r"^T\d{4}(\.\d{3})?$"},
            score={"type": "number", "minimum": 0, "maximum": 5},
            comment=TEXT,
        ),
    },
    gradient=closed(
        ("colors", "minValue", "maxValue"),
        colors={"type": "array", "items": COLOUR, "minItems": 2},
        minValue={"const": 0},
        maxValue={"const": 5},
    ),
    legendItems={"type": "array", "items": closed(("label", "color"), label=TEXT, color=COLOUR)},
    metadata={"type": "array", "items": closed(("name", "value"), name=TEXT, value=TEXT)},
)


def technique(run: RuleRun, id: str, *suppressed: Suppressed, rules: tuple[Query, ...] = RULES, **more: Any) -> Any:
    layer = navigator.layer(run, rules, Window(), suppressed, **more)
    return next(one for one in layer["techniques"] if one["techniqueID"] == id)


def mapped_to(id: str, count: int) -> list[Query]:
    return [rule for rule in RULES if id in (rule.header.get("attack") or ())][:count]


ONE, TWO, THREE = mapped_to("T1098.003", 3)


def ran(*rules: Query) -> tuple[str, ...]:
    return tuple(rule.rule for rule in rules)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.__name__)
def test_a_layer_has_the_form_of_one(run: Callable[[], RuleRun]) -> None:
    layer = navigator.layer(run(), RULES, Window(), [Suppressed(of_rule(RULES[0]), ENTRY)])
    assert [error.message for error in Draft202012Validator(LAYER).iter_errors(layer)] == []
    assert as_json(layer)


def test_each_technique_is_there_once() -> None:
    ids = [one["techniqueID"] for one in navigator.layer(every_rule(), RULES, Window())["techniques"]]
    assert set(ids) == {id for rule in RULES for id in rule.header.get("attack") or ()}
    assert len(set(ids)) == len(ids)


def test_a_score_is_the_worst_finding_and_the_comment_counts_them() -> None:
    found = [of_rule(ONE, 1, severity="low"), of_rule(TWO, 2, severity="high"), of_rule(TWO, 3, severity="medium")]
    told = technique(RuleRun(found, ran=ran(ONE, TWO, THREE)), "T1098.003")
    assert told["score"] == 4
    assert told["comment"] == (f"3 findings, the worst high: {TWO.rule} 2, {ONE.rule} 1. Nothing found: {THREE.rule}.")


def test_what_was_looked_for_and_not_found_is_covered() -> None:
    told = technique(RuleRun(ran=ran(ONE)), "T1098.003")
    assert told == {"techniqueID": "T1098.003", "score": 0, "comment": f"Nothing found: {ONE.rule}."}


def test_what_no_rule_could_look_for_has_no_score() -> None:
    run = RuleRun(failed={ONE.rule: "broken"}, skipped={TWO.rule: "nothing to read"})
    told = technique(run, "T1098.003")
    assert told == {"techniqueID": "T1098.003", "comment": f"Did not run: {ONE.rule}, {TWO.rule}."}


def test_rules_that_were_not_asked_for_cover_nothing() -> None:
    layer = navigator.layer(RuleRun(ran=ran(ONE)), RULES, Window())
    assert {one["techniqueID"] for one in layer["techniques"]} == set(ONE.header["attack"])


def test_milder_findings_that_were_left_out_are_not_called_nothing() -> None:
    told = technique(RuleRun(ran=ran(ONE)), "T1098.003", floor="high")
    assert told["comment"] == f"Nothing found of severity high or worse: {ONE.rule}."
    legend = navigator.layer(RuleRun(), RULES, Window(), floor="high")["legendItems"]
    assert legend[0]["label"] == "looked for, nothing found of severity high or worse"


def test_suppressed_findings_are_counted_and_give_no_score() -> None:
    told = technique(RuleRun(ran=ran(ONE)), "T1098.003", Suppressed(of_rule(ONE), ENTRY))
    assert told["score"] == 0
    assert told["comment"].endswith("1 finding suppressed by the allowlist.")


def test_colours_are_those_of_the_report_and_stand_in_the_legend() -> None:
    layer = navigator.layer(RuleRun(), RULES, Window())
    colours = [navigator.COVERED, *(SEVERITY_COLOURS[severity] for severity in SEVERITIES)]
    assert layer["gradient"]["colors"] == [item["color"] for item in layer["legendItems"]] == colours
    assert len(colours) == layer["gradient"]["maxValue"] + 1  # a score meets its colour exactly


def test_no_log_value_is_in_a_layer() -> None:
    """What a layer says comes from rules and counts: an attacker writes none of it."""
    text = as_json(navigator.layer(hostile(), RULES, Window()))
    assert not re.search(r"<|evil|pwned|\\u202e", text)


def test_hidden_characters_of_a_rule_are_shown() -> None:
    odd = Query(**{**vars(ONE), "name": "rules/own/a\u202eb"})
    told = technique(RuleRun(ran=(odd.rule,)), "T1098.003", rules=(odd,))
    assert told["comment"] == r"Nothing found: own.a\u202eb."
