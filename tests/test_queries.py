"""Every case of every query and rule, and what holds for the whole catalogue."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta

import pytest

from auditkit.catalogue import Catalogue, Query
from auditkit.engines.dialect import parse
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.model import SEVERITIES, Window
from auditkit.resources import QUERIES
from auditkit.rules import Baseline, evaluate
from tests.case_runs import CASE_WINDOW, CaseEngine, Rows, expected, named, run_all
from tests.cases import START, Case, all_cases, cloudtrail_events, flow_records

CASES = list(all_cases())
CATALOGUE = Catalogue.load()
RULES = list(CATALOGUE.rules)
EVERYTHING = [*CATALOGUE.rules, *CATALOGUE.queries]
BY_QUERY: dict[str, list[Case]] = defaultdict(list)
for one in CASES:
    BY_QUERY[one.query].append(one)


@pytest.fixture(scope="module")
def found() -> dict[str, Rows]:
    return run_all(CATALOGUE, CASES, CaseEngine())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_query_finds_exactly_what_its_case_says(case: Case, found: dict[str, Rows]) -> None:
    assert named(found[str(case)], case.expect) == expected(case)


def test_no_two_cases_have_the_same_name() -> None:
    assert len({str(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("query", EVERYTHING, ids=lambda query: query.rule)
def test_every_query_has_a_case_that_finds_and_one_that_does_not(query: Query) -> None:
    cases = BY_QUERY[query.name]
    assert any(case.expect for case in cases), "no case expects a row"
    assert any(not case.expect for case in cases), "no case expects nothing"


def test_every_case_belongs_to_a_query() -> None:
    assert set(BY_QUERY) == {query.name for query in EVERYTHING}


def test_a_case_that_finds_nothing_had_something_to_look_at() -> None:
    """An empty table would be silent under any rule."""
    assert not [str(case) for case in CASES if not any(table.num_rows for table in case.tables.values())]


@pytest.mark.parametrize(
    "service", ["ecs", "ecr", "iam", "sts", "secretsmanager", "ssm", "kms", "signin", "logging", "network"]
)
def test_every_service_has_a_rule(service: str) -> None:
    assert [rule for rule in RULES if rule.rule.startswith(f"{service}.")]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule)
def test_a_rule_says_what_it_means(rule: Query) -> None:
    header = rule.header
    assert len(rule.title) <= 60
    assert rule.title[-1] not in ".!"
    for key in ("why", "response"):
        assert header[key].endswith("."), f"{key} is whole sentences"
        assert len(header[key].split()) >= 12
    assert header["attack"] or rule.rule == "network.flow_records_lost"
    assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", technique) for technique in header["attack"])
    assert header["pci"]
    assert all(re.fullmatch(r"\d{1,2}(\.\d{1,2}){1,3}", requirement) for requirement in header["pci"])
    assert all(re.fullmatch(r"\d\.\d(\.\d)?/\d{1,2}\.\d{1,2}", check) for check in header.get("cis", []))


def test_rules_yield_to_match_rules_that_are_there_and_stronger() -> None:
    by_name = {rule.rule: rule for rule in RULES}
    for rule in RULES:
        for other in rule.header.get("yields_to", ()):
            assert rule.kind == by_name[other].kind == "match"
            weaker, stronger = (SEVERITIES.index(one.header["severity"]) for one in (rule, by_name[other]))
            assert weaker <= stronger, f"{rule.rule} is worse than {other}"


@pytest.mark.parametrize("query", EVERYTHING, ids=lambda query: query.rule)
def test_every_parameter_is_used_and_explained(query: Query) -> None:
    for name, parameter in query.params.items():
        assert re.search(rf":{name}\b", query.sql)
        assert len(parameter.about.split()) >= 2


@pytest.mark.parametrize(
    "query", [q for q in EVERYTHING if q.kind in ("question", "aggregate")], ids=lambda query: query.rule
)
def test_rows_come_in_a_settled_order(query: Query) -> None:
    assert parse(query.sql).args.get("order") is not None


@pytest.mark.parametrize("query", EVERYTHING, ids=lambda query: query.rule)
def test_denial_is_read_from_outcome_not_from_its_spellings(query: Query) -> None:
    assert not re.search(r"AccessDenied|UnauthorizedOperation|error_code (=|IN|LIKE|IS)", query.sql)


def test_no_line_of_sql_is_longer_than_the_page() -> None:
    folders = ("rules", "activity", "identity", "network", "review", "evidence", "views")
    long = [
        f"{path.relative_to(QUERIES)}:{number}"
        for folder in folders
        for path in sorted((QUERIES / folder).rglob("*.sql"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > 120
    ]
    assert long == []


def test_no_rule_stumbles_over_or_fires_on_an_event_that_says_nothing() -> None:
    """NULL in every column, and columns of JSON that hold no object, as redaction leaves them."""
    shapes = [None, "null", '"HIDDEN_DUE_TO_SECURITY_REASONS"', "[]", "{}", '{"policyDocument": "{broken"}', "not json"]
    sources = sorted({s for rule in RULES for s in re.findall(r"'([a-z0-9-]+\.amazonaws\.com)'", rule.sql)})
    rows = [
        {"event_source": source, "event_name": name, "request_parameters": shape, "outcome": outcome}
        for source in [None, *sources]
        for name in [None, "RegisterTaskDefinition", "PutRolePolicy", "CreateRole", "GetParameters", "ConsoleLogin"]
        for shape in shapes
        for outcome in ("ok", None)
    ]
    events = cloudtrail_events([*rows, {"event_time": START - timedelta(days=1)}])
    engine = DuckDBEngine({"cloudtrail_events": events, "flow_records": flow_records([{"action": None}])})
    since = CASE_WINDOW.start
    assert since
    run = evaluate(engine, CATALOGUE, CASE_WINDOW, baseline=Baseline(engine, Window(None, since)))
    assert run.failed == {}
    assert run.skipped == {}
    assert [finding.rule for finding in run.findings if finding.rule.startswith(("iam.", "ecs.", "network."))] == []
