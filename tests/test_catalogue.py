"""Query files into Query objects: names, headers, parameters, and errors that say which file and what."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditkit.catalogue import Catalogue, Query
from auditkit.errors import CatalogueError, ParameterError, UnknownQueryError
from auditkit.model import Parameter

QUESTION = """\
-- title: Events of one principal
-- about: All of them
-- params:
--   principal: {type: varchar, about: an ARN}
--   only: {type: varchar, default: null, about: one service}
--   services: {type: array(varchar), default: [iam, ecs], about: services}
--   ports: {type: array(bigint), default: [], about: ports}
--   least: {type: bigint, default: 10, about: at least so many}
--   share: {type: double, default: 0.5, about: a share}
--   failed: {type: boolean, default: false, about: failed ones too}
--   since: {type: timestamp, default: 2026-11-01, about: from then on}
SELECT event_id  -- the body keeps its comments
FROM cloudtrail_events
ORDER BY event_id
"""
RULE = """\
-- title: Something happened
-- kind: match
-- severity: high
-- why: it matters
-- response: look
-- false_positives: few
-- blind_spots: some
-- attack: [T1098]
SELECT * FROM cloudtrail_events WHERE event_name = 'X'
"""


def write(root: Path, name: str, text: str) -> Path:
    path = root / f"{name}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def question(tmp_path: Path) -> Query:
    write(tmp_path, "activity/events", QUESTION)
    return Catalogue.load(tmp_path).get("activity/events")


def test_a_file_becomes_a_query(question: Query, tmp_path: Path) -> None:
    assert (question.name, question.rule, question.kind) == ("activity/events", "activity.events", "question")
    assert question.title == "Events of one principal"
    assert question.header["about"] == "All of them"
    assert question.sql.startswith("SELECT event_id  -- the body keeps its comments\nFROM cloudtrail_events")
    assert question.reads == ("cloudtrail_events",)
    assert question.path == tmp_path / "activity" / "events.sql"
    assert question.params["principal"].required
    assert not question.params["only"].required


def test_rules_and_questions_are_kept_apart_and_sorted(tmp_path: Path) -> None:
    for name in ("rules/iam/b_rule", "rules/ecs/a_rule"):
        write(tmp_path, name, RULE)
    write(tmp_path, "activity/events", QUESTION)
    catalogue = Catalogue.load(tmp_path)
    assert [rule.name for rule in catalogue.rules] == ["rules/ecs/a_rule", "rules/iam/b_rule"]
    assert [rule.rule for rule in catalogue.rules] == ["ecs.a_rule", "iam.b_rule"]
    assert [query.name for query in catalogue.queries] == ["activity/events"]


@pytest.mark.parametrize(
    "name", ["iam.a_rule", "iam/a_rule", "rules/iam/a_rule", "rules.iam.a_rule", "rules/iam/a_rule.sql"]
)
def test_a_rule_answers_to_each_of_its_names(tmp_path: Path, name: str) -> None:
    write(tmp_path, "rules/iam/a_rule", RULE)
    assert Catalogue.load(tmp_path).get(name).rule == "iam.a_rule"


def test_an_unknown_name_gets_a_guess(tmp_path: Path) -> None:
    write(tmp_path, "rules/iam/user_created", RULE)
    with pytest.raises(UnknownQueryError, match=r"Did you mean 'iam\.user_created'"):
        Catalogue.load(tmp_path).get("iam.user_creatd")


def test_sources_frames_and_the_ledger_are_no_queries(tmp_path: Path) -> None:
    for folder in ("sources", "frames", "ledger", "ledger_sql"):
        write(tmp_path, f"{folder}/anything.at.all", "-- not a header\nSELECT 1")
    catalogue = Catalogue.load(tmp_path)
    assert (catalogue.queries, catalogue.rules) == ((), ())


def test_several_roots_add_up_and_may_not_clash(tmp_path: Path) -> None:
    write(tmp_path / "ours", "rules/iam/one", RULE)
    write(tmp_path / "theirs", "rules/iam/two", RULE)
    assert len(Catalogue.load(tmp_path / "ours", tmp_path / "theirs").rules) == 2
    write(tmp_path / "theirs", "rules/iam/one", RULE)
    with pytest.raises(CatalogueError, match=r"theirs.*same name as .*ours"):
        Catalogue.load(tmp_path / "ours", tmp_path / "theirs")


def test_a_root_that_is_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="absent is not a folder"):
        Catalogue.load(tmp_path / "absent")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1", "a mapping such as"),
        ("-- title: only a header\n", "a SELECT below"),
        ("-- just words\nSELECT 1", "a mapping such as"),
        ("-- title: a: b\nSELECT 1", "not YAML"),
        ("-- about: x\nSELECT 1", "lacks title"),
        ("-- title: x\n-- severity: high\nSELECT 1", "unknown key severity"),
        ("-- title: x\n-- colour: red\nSELECT 1", "unknown key colour"),
        ("-- title: x\n-- title: y\nSELECT 1", "title.*twice"),
        ("-- title: 5\nSELECT 1", "title is 5; text"),
        ("-- title: x\n-- reads: [secrets]\nSELECT 1", "reads names secrets"),
        ("-- title: x\n-- params: [a]\nSELECT 1", "params is a mapping"),
        ("-- title: x\n-- params: {a: bigint}\nSELECT 1", "parameter a is not"),
        ("-- title: x\n-- params: {A: {type: bigint, about: x}}\nSELECT 1", "parameter A is not"),
        ("-- title: x\n-- params: {a: {type: int, about: x}}\nSELECT 1", "a type among"),
        ("-- title: x\n-- params: {a: {type: bigint}}\nSELECT 1", "needs an about"),
        ("-- title: x\n-- params: {a: {type: bigint, about: x, min: 1}}\nSELECT 1", "unknown key min"),
        ("-- title: x\n-- params: {a: {type: bigint, default: ten, about: x}}\nSELECT 1", "a is 'ten'"),
    ],
)
def test_a_bad_header_names_the_file_and_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, "activity/events", text)
    with pytest.raises(CatalogueError, match=rf"(?s)events\.sql: .*{said}"):
        Catalogue.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("-- kind: match\n", ""), "lacks kind"),
        (("-- why: it matters\n", ""), "lacks why"),
        (("match", "question"), "kind is 'question'; expected one of match, first_seen, aggregate"),
        (("high", "urgent"), "severity is 'urgent'"),
        (("-- why", "-- per: account\n-- why"), "per is 'account'"),
        (("-- why", "-- attempts: higher\n-- why"), "attempts is 'higher'"),
        (("[T1098]", "T1098"), "attack is 'T1098'; a list"),
        (("[T1098]", "[T1098]\n-- pci: [10.2]"), r"pci is \[10.2\]; a list of texts is expected \(quote"),
    ],
)
def test_a_rule_must_say_what_a_finding_needs(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    write(tmp_path, "rules/iam/a_rule", RULE.replace(*change))
    with pytest.raises(CatalogueError, match=rf"a_rule\.sql: .*{said}"):
        Catalogue.load(tmp_path)


@pytest.mark.parametrize("name", ["rules/a_rule", "rules/iam/deep/a_rule"])
def test_a_rule_lies_in_the_folder_of_its_service(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, RULE)
    with pytest.raises(CatalogueError, match="rules/<service>/"):
        Catalogue.load(tmp_path)


@pytest.mark.parametrize("name", ["activity/Events", "activity/e.duckdb", "my activity/events"])
def test_file_names_are_plain(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, QUESTION)
    with pytest.raises(CatalogueError, match="is not a name"):
        Catalogue.load(tmp_path)


# Parameters


def test_defaults_are_bound_with_their_types(question: Query) -> None:
    assert question.bind({"principal": "p"}) == {
        "principal": Parameter("varchar", "p"),
        "only": Parameter("varchar", None),
        "services": Parameter("array(varchar)", ["iam", "ecs"]),
        "ports": Parameter("array(bigint)", []),
        "least": Parameter("bigint", 10),
        "share": Parameter("double", 0.5),
        "failed": Parameter("boolean", False),
        "since": Parameter("timestamp", datetime(2026, 11, 1, tzinfo=UTC)),
    }


@pytest.mark.parametrize(
    ("name", "given", "bound"),
    [
        ("principal", "5", "5"),
        ("principal", "", ""),
        ("only", None, None),
        ("services", "a, b", ["a", "b"]),
        ("services", "", []),
        ("services", ["a,b"], ["a,b"]),
        ("services", ("a",), ["a"]),
        ("ports", "22,3389", [22, 3389]),
        ("least", "5", 5),
        ("least", "-5", -5),
        ("share", "1e-3", 0.001),
        ("share", 1, 1.0),
        ("failed", "TRUE", True),
        ("failed", True, True),
        ("since", "2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("since", "2026-11-01T09:00+09:00", datetime(2026, 11, 1, tzinfo=UTC)),
        ("since", datetime(2026, 11, 1, 5, tzinfo=UTC), datetime(2026, 11, 1, 5, tzinfo=UTC)),
    ],
)
def test_text_from_a_command_line_becomes_a_value(question: Query, name: str, given: Any, bound: Any) -> None:
    value = question.bind({"principal": "p", name: given})[name].value
    assert value == bound
    assert type(value) is type(bound)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("principal", 111122223333, "text"),
        ("principal", None, "text"),
        ("least", "ten", "a whole number"),
        ("least", "1.5", "a whole number"),
        ("least", 1.5, "a whole number"),
        ("least", True, "a whole number"),
        ("least", None, "a whole number"),
        ("share", "half", "a number"),
        ("share", True, "a number"),
        ("failed", "yes", "true or false"),
        ("failed", 1, "true or false"),
        ("since", "yesterday", "a time"),
        ("since", datetime(2026, 11, 1), "a time with a zone"),
        ("ports", "22,ssh", "a list of whole numbers"),
        ("services", 5, "a list of texts"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_name(question: Query, name: str, given: Any, expected: str) -> None:
    with pytest.raises(ParameterError, match=rf"{name} .*{expected}"):
        question.bind({"principal": "p", name: given})


def test_unknown_and_missing_names_say_what_exists(question: Query) -> None:
    with pytest.raises(ParameterError, match=r"activity\.events has no parameter limit\. It takes failed, least, only"):
        question.bind({"principal": "p", "limit": 5})
    with pytest.raises(ParameterError, match=r"needs a value for principal"):
        question.bind({})
