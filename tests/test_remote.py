"""Athena or Trino behind an Audit: what runs there, what is fetched once, and what it costs before and after."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

import auditkit
from auditkit import opening, sections
from auditkit.audit import Audit
from auditkit.engines.cost import Estimate
from auditkit.engines.tables import Limits
from auditkit.errors import ParameterError, ScanLimitError, SourceError, WindowError
from auditkit.model import Window
from auditkit.places import Places
from auditkit.remote import Remote
from auditkit.rules import RuleRun
from auditkit.schema import TABLES
from tests.conftest import Command
from tests.far_engine import FarEngine

SINCE, UNTIL = "2026-11-02", "2026-11-04"
WINDOW = Window(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 4, tzinfo=UTC))
COUNT = "SELECT count(*) AS n FROM cloudtrail_events"


@pytest.fixture(scope="module")
def company(samples: Path) -> dict[str, pa.Table]:
    """The sample company as an engine has it."""
    with auditkit.open(store=samples) as here:
        return {
            name: here.engine.run(f"SELECT * FROM {name}").table.select(table.names).cast(table.arrow)
            for name, table in TABLES.items()
        }


@pytest.fixture
def engine(company: dict[str, pa.Table], monkeypatch: pytest.MonkeyPatch) -> FarEngine:
    """What `--engine athena` reaches."""
    far = FarEngine(company)
    far.batch_rows = 5_000

    monkeypatch.setattr(opening, "connect", lambda *_: far)
    return far


def opened(**more: object) -> Audit:
    return auditkit.open(engine="athena", since=SINCE, until=UNTIL, **more)  # type: ignore[arg-type]


# --- what runs where ---------------------------------------------------------------------------------------------------


def test_a_query_runs_there(engine: FarEngine, audit: Audit) -> None:
    with opened() as far:
        assert far.query("activity/by_identity").equals(audit.query("activity/by_identity"))
        assert far.sql(COUNT)["n"][0] > 0
        assert [(one.engine, one.query_id) for one in far.asked] == [("athena", "q-1"), ("athena", "q-2")]
    assert len(engine.asked) == 2


def test_findings_are_those_of_the_logs_and_take_one_statement_a_table(engine: FarEngine, rule_run: RuleRun) -> None:
    with opened() as far:
        assert [finding.id for finding in far.evaluate().findings] == [finding.id for finding in rule_run.findings]
        assert len(engine.asked) == 2
        far.evidence(rule_run.findings)
        far.coverage()
        far.query("network/rejects_and_events")
        assert len(engine.asked) == 2, "what was fetched is asked here"


def test_a_question_of_too_many_views_for_an_engine_is_asked_of_the_window_that_was_fetched(
    engine: FarEngine, audit: Audit
) -> None:
    with opened() as far:
        assert len(far.query("network/rejects_and_events")) == len(audit.query("network/rejects_and_events"))
        assert len(engine.asked) == len(TABLES)
        far.query("activity/by_identity")
        assert len(engine.asked) == len(TABLES), "and so is what is asked after it"


def test_what_the_window_is_compared_with_comes_in_the_same_statements(engine: FarEngine, samples: Path) -> None:
    later = {"since": "2026-11-03", "until": UNTIL, "baseline": "1d"}
    with auditkit.open(engine="athena", **later) as far, auditkit.open(store=samples, **later) as here:
        found = far.evaluate()
        assert len(engine.asked) == 2
        assert not [reason for reason in found.skipped.values() if "baseline" in reason]
        assert [finding.as_json() for finding in found.findings] == [one.as_json() for one in here.evaluate().findings]
        assert "iam.user_changes_first_time" in [finding.rule for finding in found.findings]


def test_another_window_is_asked_there_again(engine: FarEngine) -> None:
    with opened() as far:
        far.evaluate()
        far.query("activity/timeline", since="2026-11-01", until="2026-11-02")
        assert len(engine.asked) == 3


def test_coverage_says_where_the_records_came_from(engine: FarEngine) -> None:
    with opened() as far:
        coverage = far.coverage()
    assert coverage.balanced
    assert coverage.records["stored"] == sum(table["rows"] for table in coverage.tables.values())
    assert any("came from tables of athena" in text for text in coverage.unknown)


def test_a_report_is_made_of_one_statement_a_table_and_shows_the_bill(engine: FarEngine, tmp_path: Path) -> None:
    with opened() as far:
        made = far.report(out=tmp_path)
    assert len(engine.asked) == 2
    html = made.path.read_text(encoding="utf-8")
    for shown in ("pull of cloudtrail_events", "athena q-1", "athena q-2", "by list price", "1.0 kB scanned"):
        assert shown in html


def test_an_open_end_is_now_and_an_open_start_is_refused(engine: FarEngine) -> None:
    with auditkit.open(engine="athena", since=SINCE) as far:
        assert far.window.end is not None
    with pytest.raises(WindowError, match="Add --since"):
        auditkit.open(engine="athena")


def test_accounts_and_regions_may_be_text(company: dict[str, pa.Table], monkeypatch: pytest.MonkeyPatch) -> None:
    """As a notebook has them in its parameters."""
    reached = []

    def connect(name: object, given: object, limits: Limits, *_: object) -> FarEngine:
        reached.append(limits)
        return FarEngine(company, limits=limits)

    monkeypatch.setattr(opening, "connect", connect)
    for accounts in ("111122223333, 444455556666", ["111122223333", "444455556666"]):
        with opened(accounts=accounts):
            pass
    assert reached == [Limits(accounts=("111122223333", "444455556666"))] * 2


def test_logs_and_an_engine_are_not_mixed(engine: FarEngine, samples: Path) -> None:
    with pytest.raises(SourceError, match="Leave out the logs"):
        auditkit.open("logs", engine="athena", since=SINCE)
    with pytest.raises(ParameterError, match="workgroup says how to reach an engine"):
        auditkit.open(store=samples, workgroup="audit")
    with auditkit.open(store=samples) as here, pytest.raises(SourceError, match="Only what Athena or Trino has"):
        here.pull("elsewhere")


# --- the bill ----------------------------------------------------------------------------------------------------------


def test_what_will_be_read_is_said_before(engine: FarEngine) -> None:
    engine.estimate = Estimate(2_000_000_000_000)
    said: list[str] = []
    with opened(say=said.append) as far:
        far.sql(COUNT)
    assert said == ["athena reads at most 2.0 TB: $10.0000."]


@pytest.mark.parametrize(("most", "is_refused"), [("1GB", True), ("5000", False), (4_999, True), (None, False)])
def test_a_limit_stops_what_would_read_more(engine: FarEngine, most: str | int | None, is_refused: bool) -> None:
    with opened(max_scan=most) as far:
        engine.estimate = Estimate(2_000_000_000) if most == "1GB" else Estimate(5_000)
        if not is_refused:
            far.sql(COUNT)
            return
        with pytest.raises(ScanLimitError, match="Nothing was run"):
            far.sql(COUNT)
        with pytest.raises(ScanLimitError, match="Nothing was run"):
            far.evaluate()
        assert engine.asked == []


def test_a_limit_stops_what_cannot_be_estimated(engine: FarEngine) -> None:
    engine.estimate = None
    with (
        opened(max_scan="1GB") as far,
        pytest.raises(ScanLimitError, match=r"an unknown number of bytes.*does not say"),
    ):
        far.sql(COUNT)


def test_a_statement_without_a_table_costs_nothing(engine: FarEngine) -> None:
    with opened(max_scan=1) as far:
        assert far.sql("SELECT 1 AS n")["n"][0] == 1


def test_what_was_read_is_added_up(engine: FarEngine) -> None:
    remote = Remote(engine)
    remote.run(COUNT, {}, WINDOW)
    remote.run("SELECT count(*) AS n FROM cloudtrail_events, flow_records", {}, WINDOW)
    assert remote.summary == "2 statements, 3.0 kB read, $0.0000"
    assert remote.cost_usd == pytest.approx(3_000 * 5e-12)


# --- the command line --------------------------------------------------------------------------------------------------


def test_the_command_line_asks_an_engine(engine: FarEngine, command: Command) -> None:
    said = command("sql", COUNT, "--engine", "athena", "--since", SINCE, "--until", UNTIL, "--format", "json")
    assert said.code == 0
    assert said.json[0]["n"] > 0
    assert "athena reads at most 5.0 kB: $0.0001." in said.err
    assert "athena: 1 statement, 1.0 kB read" in said.err


def test_findings_report_and_coverage_ask_an_engine(engine: FarEngine, command: Command) -> None:
    where = ("--engine", "athena", "--since", SINCE, "--until", UNTIL)
    found = command("findings", *where, "--format", "json", "--fail-on", "critical")
    assert found.code == 1
    assert len(found.json["findings"]) > 10
    assert command("coverage", *where, "--format", "json").json["balanced"]
    assert command("report", *where, "--out", "out").code == 0
    assert len(list(Path("out").glob("*.html"))) == 1


def test_an_engine_in_auditkit_toml_gives_way_to_logs(engine: FarEngine, command: Command, samples: Path) -> None:
    Path("auditkit.toml").write_text('engine = "athena"\ncloudtrail-table = "logs.trail"\n', encoding="utf-8")
    assert command("sql", COUNT, "--store", samples).code == 0
    assert engine.asked == []
    assert command("sql", COUNT, "--since", SINCE, "--until", UNTIL).code == 0
    assert len(engine.asked) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("logs", "--engine", "athena"), "--engine athena reads tables of its own"),
        (("--engine", "athena"), "Add --since"),
        (("--engine", "athena", "--since", SINCE, "--flow-format", "start end"), "--flow-format is for logs"),
        (("--store", "s", "--workgroup", "w"), "--workgroup is for Athena and Trino"),
        (("--store", "s", "--accounts", "1"), "--accounts is for Athena and Trino"),
        (("--engine", "athena", "--since", SINCE, "--max-scan", "much"), "'much' is not a size"),
    ],
)
def test_a_slip_is_told(engine: FarEngine, command: Command, words: tuple[str, ...], message: str) -> None:
    said = command("findings", *words)
    assert message in " ".join(said.err.split())
    assert said.code in (2, 3)
    assert engine.asked == []


def test_pull_makes_a_store_that_everything_else_asks(engine: FarEngine, command: Command, rule_run: RuleRun) -> None:
    where = ("--engine", "athena", "--since", SINCE, "--until", UNTIL, "--store", "pulled")
    said = command("pull", *where, "--json")
    assert (said.code, said.json["days"]) == (0, 4)
    assert said.json["events"] > 1_000
    last = command("findings", "--store", "pulled").out.splitlines()[-1]
    assert last.startswith(f"{len(rule_run.findings)} findings")
    again = command("pull", *where)
    assert "All days of the window were there already" in again.err
    assert len(engine.asked) == 2


def test_pull_without_an_engine_says_what_is_missing(command: Command) -> None:
    said = command("pull", "--store", "s", "--since", SINCE)
    assert "--engine athena or trino" in said.err
    assert said.code == 2


def test_a_report_on_a_pulled_store_tells_of_the_statements_of_its_window(engine: FarEngine, command: Command) -> None:
    where = ("--engine", "athena", "--store", "pulled")
    assert command("pull", *where, "--since", "2026-11-02", "--until", "2026-11-03").code == 0
    assert command("pull", *where, "--since", "2026-11-03", "--until", "2026-11-04").code == 0
    with auditkit.open(store="pulled", since="2026-11-03") as later:
        [block] = sections.provenance(later, {})
        ids = [query["query_id"] for query in block.data["queries"]]
    assert ids == ["q-3", "q-4"]


def test_what_addresses_are_called_is_known_over_an_engine_too(engine: FarEngine, places: Places) -> None:
    with opened(networks=places.networks_file, geoip=places.geoip_files) as far:
        run = far.evaluate(rules=["iam.admin_policy_attached"])
        assert run.findings
        assert {label for finding in run.findings for label in finding.places} == {"NL, Example Hosting AS64500"}
