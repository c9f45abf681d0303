"""How rules run: in one scan, apart from each other, with nothing dropped in silence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from auditkit.aggregate_rules import worth_counting
from auditkit.catalogue import Catalogue
from auditkit.engines import ALWAYS, NO_PARAMETERS
from auditkit.engines.dialect import parse
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.portable import problems
from auditkit.errors import ParameterError, QueryError, UnknownQueryError
from auditkit.findings import who
from auditkit.match_rules import compiled, compiled_first_seen
from auditkit.model import Finding, Parameter, Result, Window
from auditkit.places import Places
from auditkit.rules import Baseline, RuleRun, evaluate
from tests.case_runs import CaseEngine
from tests.cases import cloudtrail_events, flow_records

HEADER = """\
-- title: {title}
-- kind: {kind}
-- severity: high
{more}-- why: because
-- response: look
-- false_positives: some
-- blind_spots: others
{sql}
"""
MATCH = "SELECT *\nFROM cloudtrail_events\nWHERE {}"
CALL = {
    "event_source": "iam.amazonaws.com",
    "event_name": "CreateUser",
    "principal_arn": "arn:aws:iam::111122223333:user/alice",
    "source_ip": "198.51.100.7",
    "resource_arn": "bob",
}


SINCE = datetime(2026, 11, 15, tzinfo=UTC)  # where the window starts that has a baseline


class CountingEngine(DuckDBEngine):
    """Keeps the statements it was given."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        super().__init__(tables)
        self.statements: list[str] = []

    def run(self, sql: str, params: Mapping[str, Parameter] = NO_PARAMETERS, *, window: Window = ALWAYS) -> Result:
        self.statements.append(sql)
        return super().run(sql, params, window=window)


@pytest.fixture(scope="module")
def engine() -> CaseEngine:
    return CaseEngine()


@pytest.fixture
def rules(tmp_path: Path, engine: CaseEngine) -> RuleFolder:
    return RuleFolder(tmp_path, engine)


class RuleFolder:
    """A catalogue of rules that a test writes."""

    def __init__(self, root: Path, engine: CaseEngine) -> None:
        self.root, self.engine = root, engine

    def add(self, name: str, where: str, *more: str) -> None:
        self.add_sql(name, "match", MATCH.format(where), *more)

    def add_sql(self, name: str, kind: str, sql: str, *more: str) -> None:
        path = self.root / "rules" / "test" / f"{name}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"-- {line}\n" for line in more)
        path.write_text(HEADER.format(title=name, kind=kind, more=lines, sql=sql), encoding="utf-8")

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue.load(self.root)

    def run(self, *rows: dict[str, Any], window: Window = ALWAYS, **options: Any) -> RuleRun:
        self.engine.holding({"cloudtrail_events": cloudtrail_events(list(rows))})
        return evaluate(self.engine, self.catalogue, window, **options)

    def fired(self, *rows: dict[str, Any], **options: Any) -> list[str]:
        run = self.run(*rows, **options)
        assert not run.failed, run.failed
        return [finding.rule for finding in run.findings]


def only(run: RuleRun) -> Finding:
    [finding] = run.findings
    return finding


def test_all_match_rules_read_the_events_once() -> None:
    catalogue = Catalogue.load()
    rows = [CALL, {**CALL, "event_time": SINCE - timedelta(days=1)}]
    engine = CountingEngine({"cloudtrail_events": cloudtrail_events(rows), "flow_records": flow_records([{}])})
    run = evaluate(engine, catalogue)
    aggregates = [rule for rule in catalogue.rules if rule.kind == "aggregate"]
    narrow, _ = worth_counting(aggregates, {rule.rule: rule.bind({}) for rule in aggregates})
    apart = len(aggregates) - len(narrow)  # whether the tables hold anything, all matches, what looks at every event
    assert len(engine.statements) == 2 + 1 + apart
    assert len(run.results) == len(engine.statements) + 1 + len(narrow)  # what these count, and each of them over that
    assert {*run.ran, *run.skipped} == {rule.rule for rule in catalogue.rules}
    compared = evaluate(engine, catalogue, baseline=Baseline(engine, Window(None, SINCE)))
    assert set(compared.ran) == {rule.rule for rule in catalogue.rules}


def test_no_match_rule_of_the_catalogue_looks_at_every_event() -> None:
    """Each names the calls it is about, or the kind of identity or the service, where the frame can see it."""
    for kind in ("match", "first_seen"):
        rules = [rule for rule in Catalogue.load().rules if rule.kind == kind]
        compile_ = compiled if kind == "match" else partial(compiled_first_seen, since=SINCE)
        wide = []
        for rule in rules:
            sql, _ = compile_([rule], {rule.rule: rule.bind({})})
            wide += [rule.rule] if re.search(r"FROM cloudtrail_events\s+WHERE\s+TRUE\b", sql) else []
        assert wide == []


def test_the_one_statement_is_as_portable_as_the_rules_in_it() -> None:
    matches = [rule for rule in Catalogue.load().rules if rule.kind == "match"]
    for rules in (matches, matches[:1]):
        sql, params = compiled(rules, {rule.rule: rule.bind({}) for rule in rules})
        assert problems(sql, {name: parameter.type for name, parameter in params.items()}, kind="aggregate") == []
        assert "COALESCE(resource_arn)" not in sql  # Trino wants two
        assert len(sql) < 200_000  # Athena takes 262,144 bytes, with the sources in front


def test_parameters_of_the_same_name_stay_with_their_rules(rules: RuleFolder) -> None:
    for name, default in (("a", "CreateUser"), ("b", "DeleteUser")):
        rules.add(
            name, "event_name = :name", "params:", f"  name: {{type: varchar, default: {default}, about: a call}}"
        )
    assert rules.fired(CALL) == ["test.a"]
    assert rules.fired({**CALL, "event_name": "DeleteUser"}) == ["test.b"]
    assert rules.fired(CALL, values={"test.b": {"name": "CreateUser"}}) == ["test.a", "test.b"]


def test_a_rule_that_names_no_call_sees_every_event_beside_rules_that_do(rules: RuleFolder) -> None:
    rules.add("call", "event_source = 'iam.amazonaws.com' AND event_name IN ('CreateUser', 'CreateRole')")
    rules.add("address", "source_ip = '198.51.100.7'")
    rules.add("type", "identity_type = 'Root' AND outcome = 'ok'")
    other = {**CALL, "event_name": "ListUsers"}
    assert rules.fired(CALL) == ["test.address", "test.call"]
    assert rules.fired(other) == ["test.address"]
    assert rules.fired({**other, "source_ip": None, "identity_type": "Root"}) == ["test.type"]


def test_a_rule_yields_to_a_stronger_one_that_runs_with_it(rules: RuleFolder) -> None:
    rules.add("weak", "event_source = 'iam.amazonaws.com' AND event_name LIKE 'Create%'", "yields_to: [test.strong]")
    rules.add("strong", "event_name = 'CreateUser' AND source_ip = '198.51.100.7'")
    role, unknown = {**CALL, "event_name": "CreateRole"}, {**CALL, "source_ip": None}
    assert rules.fired(CALL) == ["test.strong"]
    assert rules.fired(role) == ["test.weak"]
    assert rules.fired(unknown) == ["test.weak"]
    assert rules.fired(CALL, rules=["test.weak"]) == ["test.weak"]


def test_a_predicate_that_is_null_is_false_and_harms_no_other(rules: RuleFolder) -> None:
    rules.add("null_one", "error_code = 'x'")
    rules.add("or_one", "event_name = 'x' OR error_code = 'y'")
    rules.add("true_one", "event_name = 'CreateUser' OR error_code = 'y'")
    assert rules.fired(CALL) == ["test.true_one"]


def test_a_rule_that_fails_is_reported_and_stops_no_other(rules: RuleFolder) -> None:
    rules.add("good", "event_name = 'CreateUser'")
    rules.add("wrong_column", "evnet_name = 'CreateUser'")
    rules.add("also_good", "event_source = 'iam.amazonaws.com'")
    rules.add_sql("wrong_shape", "match", "SELECT * FROM cloudtrail_events WHERE outcome = 'ok' ORDER BY event_time")
    rules.add_sql("no_such_column", "aggregate", "SELECT nothing FROM cloudtrail_events ORDER BY 1")
    rules.add_sql("too_few", "aggregate", "SELECT principal_arn FROM cloudtrail_events ORDER BY 1")
    run = rules.run(CALL)
    assert [finding.rule for finding in run.findings] == ["test.also_good", "test.good"]
    assert run.ran == ("test.also_good", "test.good")
    assert "evnet_name" in run.failed["test.wrong_column"]
    assert "a match rule is SELECT *" in run.failed["test.wrong_shape"]
    assert "nothing" in run.failed["test.no_such_column"]
    assert "selects no column 'event_count'" in run.failed["test.too_few"]
    assert len(run.failed) == 4


def test_a_rule_without_anything_to_read_is_skipped_and_says_so() -> None:
    engine = DuckDBEngine({"cloudtrail_events": cloudtrail_events([CALL])})
    run = evaluate(engine, Catalogue.load(), rules=["network.internal_scan", "iam.user_created"])
    assert run.skipped == {"network.internal_scan": "no flow records in the window"}
    assert run.ran == ("iam.user_created",)


def test_a_window_without_events_is_no_clean_bill() -> None:
    engine = DuckDBEngine({"cloudtrail_events": cloudtrail_events([CALL])})
    window = Window(datetime(2027, 1, 1, tzinfo=UTC), None)
    run = evaluate(engine, Catalogue.load(), window, rules=["iam.user_created"])
    assert run.ran == ()
    assert run.skipped == {"iam.user_created": "no CloudTrail events in the window"}


def test_a_window_holds_its_start_and_not_its_end(rules: RuleFolder) -> None:
    rules.add("any", "event_name = 'CreateUser'")
    start, end = datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 1, 1, tzinfo=UTC)
    rows = [{**CALL, "event_time": moment, "event_id": name} for moment, name in ((start, "in"), (end, "out"))]
    assert only(rules.run(*rows, window=Window(start, end))).evidence == ("in",)


def test_names_that_are_no_rules_are_refused() -> None:
    engine, catalogue = DuckDBEngine({}), Catalogue.load()
    with pytest.raises(UnknownQueryError, match=r"iam\.user_created"):
        evaluate(engine, catalogue, rules=["iam.user_create"])
    with pytest.raises(UnknownQueryError):
        evaluate(engine, catalogue, rules=["activity.events"])
    with pytest.raises(ParameterError, match="min_secrets"):
        evaluate(engine, catalogue, values={"secretsmanager.bulk_secret_reads": {"max_secrets": 3}})


def test_tables_that_cannot_be_read_are_an_error_not_a_clean_run() -> None:
    class BrokenEngine(DuckDBEngine):
        def run(self, sql: str, params: Mapping[str, Parameter] = NO_PARAMETERS, *, window: Window = ALWAYS) -> Result:
            raise QueryError("the bucket is gone")

    with pytest.raises(QueryError, match="the bucket is gone"):
        evaluate(BrokenEngine({}), Catalogue.load())


@pytest.mark.parametrize(
    ("attempts", "outcome", "severity"),
    [
        ("lower", "ok", "high"),
        ("lower", "denied", "medium"),
        ("lower", "error", "medium"),
        ("same", "denied", "high"),
        ("ignore", "ok", "high"),
        ("ignore", "denied", None),
    ],
)
def test_an_attempt_weighs_what_the_rule_says(
    rules: RuleFolder, attempts: str, outcome: str, severity: str | None
) -> None:
    rules.add("any", "event_name = 'CreateUser'", f"attempts: {attempts}")
    found = rules.run({**CALL, "outcome": outcome}).findings
    assert [(finding.severity, finding.outcome) for finding in found] == ([(severity, outcome)] if severity else [])


def test_a_rule_that_ignores_attempts_does_not_count_them(rules: RuleFolder) -> None:
    rules.add("any", "event_name = 'CreateUser'", "attempts: ignore")
    finding = only(rules.run(CALL, {**CALL, "outcome": "denied"}))
    assert (finding.event_count, finding.failed_count, finding.evidence) == (1, 0, ("e1",))


def test_a_finding_is_one_principal_and_account_or_one_resource_of_theirs(rules: RuleFolder) -> None:
    rules.add("by_principal", "event_name = 'CreateUser'")
    rules.add("by_resource", "event_name = 'CreateUser'", "per: resource")
    rows = [CALL, {**CALL, "resource_arn": "eve"}, {**CALL, "account_id": "444455556666"}]
    found: dict[str, list[tuple[str | None, str | None]]] = {"test.by_principal": [], "test.by_resource": []}
    for finding in rules.run(*rows).findings:
        found[finding.rule].append((finding.account_id, finding.resource))
    assert sorted(found["test.by_principal"]) == [("111122223333", None), ("444455556666", None)]
    assert sorted(found["test.by_resource"]) == [
        ("111122223333", "bob"),
        ("111122223333", "eve"),
        ("444455556666", "bob"),
    ]


def test_a_finding_keeps_its_id_whatever_else_is_in_the_window(rules: RuleFolder) -> None:
    rules.add("any", "event_name = 'CreateUser'")
    before = only(rules.run(CALL))
    after = only(
        rules.run({**CALL, "event_time": datetime(2026, 12, 1, tzinfo=UTC)}, {**CALL, "source_ip": "203.0.113.5"})
    )
    assert before.id == after.id == "5fa47267d083febc"
    assert only(rules.run({**CALL, "account_id": "444455556666"})).id != before.id


def test_a_rule_names_what_was_acted_on(rules: RuleFolder) -> None:
    select = "SELECT *, json_extract_scalar(request_parameters, '$.to') AS resource"
    wanted = "  wanted: {type: varchar, default: ok, about: how it ended}"
    sql = f"{select}\nFROM cloudtrail_events\nWHERE outcome = :wanted"
    rules.add_sql("named", "match", sql, "per: resource", "params:", wanted)
    rules.add("plain", "outcome = 'ok'", "per: resource")
    found = {f.rule: f.resource for f in rules.run({**CALL, "request_parameters": {"to": "eve"}}).findings}
    assert found == {"test.named": "eve", "test.plain": "bob"}


def test_evidence_is_every_event_oldest_first(rules: RuleFolder) -> None:
    rules.add("any", "event_name = 'CreateUser'")
    late, early = datetime(2026, 11, 3, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    rows = [{**CALL, "event_id": i, "event_time": t} for i, t in (("c", late), ("b", early), ("a", late))]
    finding = only(rules.run(*rows))
    assert finding.evidence == ("b", "a", "c")
    assert (finding.first_seen, finding.last_seen) == (early, late)


def test_names_from_the_log_stay_what_they_are(rules: RuleFolder) -> None:
    rules.add("any", "event_name = 'CreateUser'", "per: resource")
    hostile = '<script>\'; DROP TABLE x --, "y"'
    finding = only(rules.run({**CALL, "resource_arn": hostile, "principal_arn": hostile, "source_ip": hostile}))
    assert (finding.resource, finding.principal_arn, finding.source_ips) == (hostile, hostile, (hostile,))
    assert hostile in finding.summary


def test_a_finding_shows_its_own_rule_with_the_values_it_ran_with(rules: RuleFolder) -> None:
    rules.add("one", "event_name = :name", "params:", "  name: {type: varchar, default: CreateUser, about: a call}")
    rules.add("two", "event_name = 'CreateUser'")
    sql = {finding.rule: finding.sql for finding in rules.run(CALL).findings}
    assert "event_name = 'CreateUser'" in sql["test.one"]
    assert "test.two" not in sql["test.one"]
    assert ":name" not in sql["test.one"]


@pytest.mark.parametrize(
    ("rows", "summary"),
    [
        ([CALL], "any: user alice of account 111122223333 called CreateUser on bob, from 198.51.100.7."),
        (
            [CALL, {**CALL, "outcome": "denied", "source_ip": "203.0.113.5", "resource_arn": "eve"}],
            "any: user alice of account 111122223333 called CreateUser 2 times on bob and eve, "
            "1 of them refused or failed, from 198.51.100.7 and 203.0.113.5.",
        ),
        (
            [{**CALL, "outcome": "denied"}],
            "any: user alice of account 111122223333 called CreateUser on bob, refused, from 198.51.100.7.",
        ),
        (
            [{**CALL, "repeat": 5, "outcome": "error", "source_ip": "198.51.100.{n}", "resource_arn": None}],
            "any: user alice of account 111122223333 called CreateUser 5 times, all refused or failed, "
            "from 198.51.100.1, 198.51.100.2, 198.51.100.3 and 2 more.",
        ),
        (
            [{"event_name": "CreateUser"}],
            "any: someone the log does not name called CreateUser.",
        ),
    ],
)
def test_a_summary_says_who_what_how_often_how_it_ended_and_from_where(
    rules: RuleFolder, rows: list[dict[str, Any]], summary: str
) -> None:
    rules.add("any", "event_name = 'CreateUser'")
    assert only(rules.run(*rows)).summary == summary


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        ("arn:aws:iam::111122223333:user/team/alice", "user alice of account 111122223333"),
        ("arn:aws:iam::111122223333:role/app", "role app of account 111122223333"),
        ("arn:aws:iam::111122223333:root", "the root user of account 111122223333"),
        ("arn:aws-cn:sts::111122223333:federated-user/x", "federated user x of account 111122223333"),
        ("ecs.amazonaws.com", "ecs.amazonaws.com"),
        (None, "someone the log does not name"),
    ],
)
def test_a_principal_in_words(arn: str | None, words: str) -> None:
    assert who(arn) == words


def test_more_rules_than_fit_in_one_statement_run_in_several(
    rules: RuleFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditkit.match_rules.AT_ONCE", 2)
    for name in "abcde":
        rules.add(name, "event_name = 'CreateUser'")
    engine = CountingEngine({"cloudtrail_events": cloudtrail_events([CALL])})
    run = evaluate(engine, rules.catalogue)
    assert [finding.rule for finding in run.findings] == [f"test.{name}" for name in "abcde"]
    assert len(engine.statements) == 1 + 3


def test_rules_with_much_text_run_in_several_statements(rules: RuleFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.match_rules.MOST_BYTES", 1_000)
    for name in "abcd":
        rules.add(name, f"event_name = 'CreateUser' AND user_agent <> '{'x' * 400}'")
    rules.add("long", f"event_name = 'CreateUser' AND user_agent <> '{'x' * 2_000}'")
    engine = CountingEngine({"cloudtrail_events": cloudtrail_events([{**CALL, "user_agent": "cli"}])})
    run = evaluate(engine, rules.catalogue)
    assert [finding.rule for finding in run.findings] == ["test.a", "test.b", "test.c", "test.d", "test.long"]
    assert len(engine.statements) == 1 + 3


def test_rules_with_much_text_have_columns_of_their_own(rules: RuleFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.match_rules.BYTES_IN_ONE_COLUMN", 500)
    for name in "abc":
        rules.add(name, f"event_name = 'CreateUser' AND user_agent <> '{'x' * 400}'")
    queries = rules.catalogue.rules
    sql, _ = compiled(queries, {query.rule: {} for query in queries})
    assert [f"AS fired_{number}" in sql for number in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("event_name = 'A'", "event_name IN ('A')"),
        ("outcome = 'ok' AND (event_name = 'A' OR event_name IN ('B', 'C') AND mfa)",
         "event_name IN ('A', 'B', 'C') AND outcome = 'ok'"),
        ("lower(event_name) IN ('b', 'a') AND mfa", "LOWER(event_name) IN ('a', 'b')"),
        ("event_name = 'A' OR mfa", "TRUE"),
        ("event_source = 's3.amazonaws.com' AND (mfa AND event_name LIKE 'Put%')",
         "event_source = 's3.amazonaws.com' AND event_name LIKE 'Put%'"),
        ("NOT event_name = 'A' AND mfa", "NOT event_name = 'A'"),
        ("event_name = 'A' OR event_source = 'x'", "event_name = 'A' OR event_source = 'x'"),
        ("identity_type = 'Root' AND outcome = 'ok'", "identity_type = 'Root' AND outcome = 'ok'"),
        ("event_name = user_agent", "TRUE"),
    ],
)  # fmt: skip
def test_an_event_is_judged_if_a_cheap_look_does_not_rule_it_out(rules: RuleFolder, where: str, expected: str) -> None:
    rules.add("one", where)
    [query] = rules.catalogue.rules
    tree = parse(compiled([query], {query.rule: {}})[0])
    judged = next(cte for cte in tree.ctes if cte.alias == "judged").this
    assert judged.args["where"].this.sql("trino") == expected


# What came before the window


def compare(rules: RuleFolder, *rows: dict[str, Any], **options: Any) -> RuleRun:
    """A run over the days from the 15th on, with the 14 days before as the baseline."""
    before = Baseline(rules.engine, Window(SINCE - timedelta(days=14), SINCE))
    return rules.run(*rows, window=Window(SINCE), baseline=before, **options)


def on(day: int, **more: Any) -> dict[str, Any]:
    return {**CALL, "event_time": datetime(2026, 11, day, 12, tzinfo=UTC), "event_id": f"on-{day}", **more}


def new_call(rules: RuleFolder, *more: str) -> None:
    rules.add_sql(
        "new", "first_seen", "SELECT *, event_name AS resource\nFROM cloudtrail_events\nWHERE read_only", *more
    )


READ = {"read_only": True, "event_name": "ListUsers"}


def test_what_a_principal_never_did_before_is_found(rules: RuleFolder) -> None:
    new_call(rules)
    old, fresh = on(3, **READ), on(16, **READ)
    assert only(compare(rules, on(3), fresh)).evidence == ("on-16",)
    assert compare(rules, old, fresh).findings == []
    found = only(compare(rules, old, on(16, read_only=True, event_name="ListRoles"), on(17, **READ)))
    assert (found.resource, found.event_count, found.severity) == ("ListRoles", 1, "high")


def test_the_edge_of_the_window_parts_old_from_new(rules: RuleFolder) -> None:
    new_call(rules)
    at = {**CALL, **READ}
    edge, just_before = {"event_time": SINCE}, {"event_time": SINCE - timedelta(microseconds=1)}
    assert only(compare(rules, on(3), {**at, **edge, "event_id": "edge"})).evidence == ("edge",)
    assert compare(rules, on(3), {**at, **just_before, "event_id": "a"}, {**at, **edge, "event_id": "b"}).findings == []
    too_old = {"event_time": SINCE - timedelta(days=14, microseconds=1), "event_id": "c"}
    assert len(compare(rules, on(3), {**at, **too_old}, {**at, **edge}).findings) == 1


def test_what_was_only_tried_before_is_still_new_when_it_succeeds(rules: RuleFolder) -> None:
    new_call(rules)
    assert len(compare(rules, on(3, **READ, outcome="denied"), on(16, **READ)).findings) == 1
    tried = only(compare(rules, on(3), on(16, **READ, outcome="denied")))
    assert (tried.outcome, tried.severity) == ("denied", "medium")


def test_of_a_newcomer_everything_is_new_and_the_rule_says_whether_that_counts(rules: RuleFolder) -> None:
    new_call(rules)
    stranger = on(16, **READ, principal_arn="arn:aws:iam::111122223333:user/mallory")
    assert compare(rules, on(3), stranger).findings == []
    new_call(rules, "newcomers: report")
    assert len(compare(rules, on(3), stranger).findings) == 1
    nobody = on(16, **READ, principal_arn=None)
    assert len(compare(rules, on(3), nobody).findings) == 1


def test_what_is_new_to_an_account_is_not_new_to_its_next_principal(rules: RuleFolder) -> None:
    new_call(rules, "first_for: account")
    other = "arn:aws:iam::111122223333:user/mallory"
    assert compare(rules, on(3, **READ), on(16, **READ, principal_arn=other)).findings == []
    first = compare(rules, on(3), on(16, **READ), on(17, **READ, principal_arn=other)).findings
    assert {finding.principal_arn for finding in first} == {CALL["principal_arn"], other}
    assert compare(rules, on(3), on(16, **READ, account_id="444455556666")).findings == []


def test_a_rule_about_what_is_new_compares_nothing_but_what_it_names(rules: RuleFolder) -> None:
    rules.add_sql("key", "first_seen", "SELECT *, access_key_id AS resource\nFROM cloudtrail_events\nWHERE read_only")
    new_call(rules)
    found = compare(rules, on(3, **READ), on(16, **READ), on(17, **READ, access_key_id="AKIAEXAMPLE")).findings
    assert [(finding.rule, finding.resource) for finding in found] == [("test.key", "AKIAEXAMPLE")]


def test_without_a_baseline_rules_that_need_one_are_skipped_and_say_so(rules: RuleFolder) -> None:
    new_call(rules)
    rules.add("any", "read_only")
    run = rules.run(on(16, **READ), window=Window(SINCE))
    assert run.ran == ("test.any",)
    assert "--baseline" in run.skipped["test.new"]
    assert compare(rules, on(16, **READ)).skipped == {"test.new": "no CloudTrail events in the baseline"}


def test_what_was_there_on_three_days_before_is_usual_and_one_step_milder(rules: RuleFolder) -> None:
    rules.add("any", "read_only")
    before = [on(day, **READ) for day in (3, 4, 5)]
    usual = only(compare(rules, *before, on(16, **READ)))
    assert usual.severity == "medium"
    assert usual.judgement == ("It is usual here: the same on 3 days of the baseline: medium instead of high.",)
    assert usual.evidence == ("on-16",)
    assert only(compare(rules, *before[:2], on(16, **READ))).severity == "high"
    tried = [{**row, "outcome": "denied"} for row in before]
    assert only(compare(rules, *tried, on(16, **READ))).severity == "high"
    other = on(16, **READ, principal_arn="arn:aws:iam::111122223333:user/mallory")
    assert only(compare(rules, *before, other)).severity == "high"


def test_the_rules_about_what_is_new_read_the_events_once(tmp_path: Path) -> None:
    rows = [on(3), on(16, **READ)]
    engine = CountingEngine({"cloudtrail_events": cloudtrail_events(rows)})
    folder = RuleFolder(tmp_path, engine)  # type: ignore[arg-type]
    for name in ("a", "b", "c"):
        sql = f"SELECT *, event_name AS resource\nFROM cloudtrail_events\nWHERE read_only AND event_id <> '{name}'"
        folder.add_sql(name, "first_seen", sql)
    before = Baseline(engine, Window(SINCE - timedelta(days=14), SINCE))
    run = evaluate(engine, folder.catalogue, Window(SINCE), baseline=before)
    assert [finding.rule for finding in run.findings] == ["test.a", "test.b", "test.c"]
    assert len(engine.statements) == 3  # is there anything, is there anything before, all three


def test_the_statement_about_what_is_new_is_portable(rules: RuleFolder) -> None:
    new_call(rules)
    queries = list(rules.catalogue.rules)
    sql, params = compiled_first_seen(queries, {query.rule: query.bind({}) for query in queries}, SINCE)
    assert problems(sql, {name: parameter.type for name, parameter in params.items()}, kind="aggregate") == []


# Whose hands, and what came of attempts


def test_what_automation_did_is_one_step_milder_and_says_so(rules: RuleFolder) -> None:
    rules.add("any", "event_name = 'CreateUser'")
    terraform = {**CALL, "user_agent": "APN/1.0 HashiCorp/1.0 Terraform/1.13.3"}
    found = only(rules.run(terraform))
    assert (found.severity, found.hands) == ("medium", ("automation",))
    both = only(rules.run(terraform, {**CALL, "user_agent": "aws-cli/2.31.6", "identity_type": "IAMUser"}))
    assert (both.severity, both.hands, both.judgement) == ("high", ("automation", "person"), ())


def test_a_success_after_attempts_says_so(rules: RuleFolder) -> None:
    rules.add("any", "event_name = 'CreateUser'")
    refused = {**CALL, "outcome": "denied"}
    found = only(rules.run(refused, refused, CALL))
    assert found.summary.endswith("2 of them refused or failed, and then it succeeded, from 198.51.100.7.")
    assert found.judgement == ("It succeeded after attempts that were refused or failed.",)
    assert only(rules.run(CALL, refused)).judgement == ()


# What addresses are called


NEW_ADDRESS = "SELECT *, source_ip AS resource\nFROM cloudtrail_events\nWHERE read_only"
ANY_CALLS = """SELECT principal_arn, account_id, min(event_time) AS first_seen, max(event_time) AS last_seen,
    count(*) AS event_count, 0 AS failed_count, array_agg(DISTINCT source_ip ORDER BY source_ip) AS source_ips,
    array_agg(event_id ORDER BY event_id) AS evidence
FROM cloudtrail_events
GROUP BY principal_arn, account_id
ORDER BY principal_arn, account_id"""


def test_a_new_address_in_a_trusted_network_weighs_less_and_says_why(rules: RuleFolder, places: Places) -> None:
    rules.add_sql("new", "first_seen", NEW_ADDRESS, "addresses: lower")
    rows = on(3, **READ, source_ip="192.0.2.9"), on(16, **READ, source_ip="192.0.2.10")
    plain, named = only(compare(rules, *rows)), only(compare(rules, *rows, places=places))
    assert (plain.severity, plain.judgement, plain.places) == ("high", (), ())
    assert named.severity == "medium"
    assert named.judgement == ("Every address is in a trusted network, office (Berlin): medium instead of high.",)
    assert named.places == ("office (Berlin)",)
    assert named.summary.endswith(", from 192.0.2.10 (office Berlin).")
    assert named.id == plain.id


def test_a_new_address_anywhere_else_weighs_the_same(rules: RuleFolder, places: Places) -> None:
    rules.add_sql("new", "first_seen", NEW_ADDRESS, "addresses: lower")
    for address in ("198.51.100.7", "192.0.2.20", "192.0.2.200", "10.0.0.1", "AWS Internal", "ecs.amazonaws.com"):
        run = compare(rules, on(3, **READ, source_ip="192.0.2.9"), on(16, **READ, source_ip=address), places=places)
        assert (only(run).severity, only(run).judgement) == ("high", ()), address


def test_one_address_outside_and_the_finding_is_as_severe_as_ever(rules: RuleFolder, places: Places) -> None:
    rules.add_sql("many", "aggregate", ANY_CALLS, "addresses: lower", "reads: [cloudtrail_events]")
    office, outside = [{**CALL, "event_id": address, "source_ip": address} for address in ("192.0.2.1", "198.51.100.7")]
    assert only(rules.run(office, places=places)).severity == "medium"
    both = only(rules.run(office, outside, places=places))
    assert (both.severity, both.judgement) == ("high", ())
    assert both.places == ("office (Berlin)", "NL, Example Hosting AS64500")
    assert both.summary.endswith(", from 192.0.2.1 (office Berlin) and 198.51.100.7 (NL, Example Hosting AS64500).")


def test_a_list_of_addresses_that_may_be_cut_proves_nothing(rules: RuleFolder, places: Places) -> None:
    """Rules over flow records list 100 sources; the one that matters may be the next."""
    rules.add_sql("many", "aggregate", ANY_CALLS, "addresses: lower", "reads: [cloudtrail_events]")
    calls = [{**CALL, "event_id": f"{n}", "source_ip": f"192.0.2.{n}"} for n in range(21, 121)]
    assert only(rules.run(*calls[:99], places=places)).severity == "medium"
    assert only(rules.run(*calls, places=places)).severity == "high"


def test_where_the_deed_matters_the_office_makes_it_no_better(rules: RuleFolder, places: Places) -> None:
    rules.add("made", "event_name = 'CreateUser'")
    found = only(rules.run({**CALL, "source_ip": "192.0.2.10"}, places=places))
    assert (found.severity, found.judgement, found.places) == ("high", (), ("office (Berlin)",))


def test_credentials_of_a_workload_in_a_trusted_network_stay_stolen(places: Places) -> None:
    """The rule of the catalogue itself, on its own firing case."""
    name, ours = "sts.workload_session_from_outside", "192.0.2.10"
    task = {**CALL, "principal_arn": "arn:aws:iam::111122223333:role/task", "session_name": "0" * 32, "event_id": "t"}
    task |= {"identity_type": "AssumedRole", "source_ip": ours, "invoked_by": None}
    person = {**CALL, "identity_type": "IAMUser", "source_ip": ours, "event_id": "p"}
    engine = CaseEngine()
    engine.holding({"cloudtrail_events": cloudtrail_events([task, person])})
    found = only(evaluate(engine, Catalogue.load(), rules=[name], places=places))
    assert (found.severity, found.judgement, found.places) == ("high", (), ("office (Berlin)",))
