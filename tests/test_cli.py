"""The command line: results on standard output, notes on standard error, exit codes that a scheduler can trust."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from auditkit import asking, cli
from auditkit.model import Finding
from auditkit.places import Places
from tests.conftest import DATA_SAMPLES, Command, Said, command_line
from tests.records import START, flow_line, record, write_flows, write_trail

ISO_Z = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
STS_TOKEN = "IQoJb3JpZ2lu"  # how every session token in data-samples begins
ESCAPE, BELL = "\x1b", "\x07"
RULE = ("--rule", "iam.admin_policy_attached")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with nothing in it that can be read."""
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "text.json").write_text("no log")
    (folder / "cut.json.gz").write_bytes(b"\x1f\x8b\x08\x00cut")
    (folder / "nothing.json.gz").touch()
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """One event, and one reject that belongs to it."""
    write_trail(tmp_path / "small" / "trail.json", record("e1"))
    write_flows(tmp_path / "small" / "flows.log", flow_line(srcaddr="192.0.2.10"))
    return tmp_path / "small"


# --- the way in --------------------------------------------------------------------------------------------------------


def test_every_command_has_a_help_that_fits_a_line(command: Command) -> None:
    text = command("--help").out
    assert {line.split()[0] for line in text.partition("Commands:")[2].splitlines() if line.strip()} == set(
        cli.cli.commands
    )
    assert "..." not in text.partition("Commands:")[2]


def test_every_option_explains_itself() -> None:
    for name, one in cli.cli.commands.items():
        assert one.help, name
        for parameter in one.params:
            if parameter.param_type_name == "option" and parameter.name not in ("style", "folder"):
                assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_the_module_is_the_same_command(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "auditkit", "--version"], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout.split(",")[0]) == (0, "auditkit")


WRONG = [
    ("query activity/by_identty SAMPLES", "Did you mean 'activity/by_identity'"),
    ("query activity/by_identity SAMPLES -p who=x", "has no parameter who. It takes services."),
    ("query activity/by_identity SAMPLES -p services", "is not NAME=VALUE"),
    ("query activity/events SAMPLES -p limit=1 -p limit=2", "limit is there twice"),
    ("query activity/events SAMPLES -p limit=many", "limit is 'many', but a whole number is expected"),
    ("query activity/events_by_id SAMPLES", "needs a value for ids"),
    ("query activity/by_identity SAMPLES --since yesterday", "'yesterday' is not a time. Use ISO"),
    ("query activity/by_identity SAMPLES --since 2026-11-03 --until 2026-11-02", "ends"),
    ("query activity/by_identity", "Name a folder or file of logs, or a store"),
    ("query activity/by_identity nowhere", "There is nothing at 'nowhere'"),
    (
        "query activity/by_identity --store nowhere",
        "There is no store at 'nowhere'. `auditkit ingest LOGS --store nowhere`",
    ),
    ("query activity/by_identity SAMPLES --format parquet", "--out rows.parquet"),
    ("query activity/by_identity SAMPLES --format csv --out no/such/file.csv", "cannot be written"),
    ("query activity/by_identity SAMPLES --format yaml", "'yaml' is not one of 'table', 'json', 'csv', 'parquet'"),
    ("query activity/by_identity SAMPLES --nonsense", "No such option"),
    ("sql SELECT\u00a0FROM\u00a0FROM SAMPLES", "cannot be read at line 1"),
    ("sql DROP\u00a0TABLE\u00a0x SAMPLES", "Only a SELECT is accepted"),
    ("sql SELECT\u00a01;SELECT\u00a02 SAMPLES", "the text holds 2 statements"),
    (
        "sql SELECT\u00a0*\u00a0FROM\u00a0read_text('/etc/passwd') SAMPLES",
        "A statement reads cloudtrail_events, flow_records",
    ),
    ("findings SAMPLES --rule iam.user_creatd", "Did you mean 'iam.user_created'"),
    ("findings SAMPLES --rule activity.events", "`auditkit query activity.events` asks it"),
    ("findings SAMPLES --severity bad", "'bad' is not one of"),
    ("report audti SAMPLES", "'audti' is neither a notebook (audit"),
    ("report nowhere.ipynb SAMPLES", "There is no notebook at 'nowhere.ipynb'. Those of auditkit are audit"),
    ("report SAMPLES -p logz=x", "has no parameter 'logz'. Did you mean 'logs'?"),
    ("report", "Name a folder or file of logs, or a store"),
    ("list nothing", "`auditkit list` shows all"),
    ("lab nowhere", "There is nothing at 'nowhere'"),
    ("ingest nowhere --store s", "There is nothing at 'nowhere'"),
    ("ingest SAMPLES", "--store"),
    ("ingest SAMPLES --store s --flow-format version,start", "The flow format has no end"),
    ("findings SAMPLES --flow-format start,start,end", "The flow format names start more than once"),
    ("audit", "No such command 'audit'"),
]


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong_use_exits_2_and_says_what_to_do(line: str, message: str, command: Command, samples: Path) -> None:
    said = command(*(str(samples) if w == "SAMPLES" else w.replace("\u00a0", " ") for w in line.split(" ")))
    assert message in " ".join(said.err.split())
    assert (said.code, said.out) == (2, "")


def test_a_slip_is_told_before_any_log_is_read(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.opening.ingest", lambda *_, **__: pytest.fail("logs were read"))
    for words in (
        ["query", "activity/events", "-p", "limit=many"],
        ["sql", "SELEC 1"],
        ["findings", "--rule", "nothing"],
        ["report", "-p", "nothing=1"],
    ):
        assert command(*words, DATA_SAMPLES).code == 2, words


def test_a_statement_that_fails_while_it_runs_exits_3(command: Command, samples: Path) -> None:
    said = command("sql", "SELECT CAST(event_name AS bigint) AS n FROM cloudtrail_events", samples)
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("Error: ")


def test_a_mistake_in_auditkit_exits_3_because_1_would_say_findings(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditkit.listing.listing", lambda: {}["missing"])
    said = command("list")
    assert said.code == 3
    assert "Please report it" in said.err


def test_ctrl_c_exits_3(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("auditkit.listing.listing", stopped)
    said = command("list")
    assert said.code == 3
    assert "Stopped. What was stored is intact." in said.err


def test_a_reader_that_leaves_early_does_not_change_the_exit_code(samples: Path, tmp_path: Path) -> None:
    line = f"'{sys.executable}' -m auditkit findings '{samples}' --rule iam.admin_policy_attached --fail-on high --format json; echo code $? >&2"
    done = subprocess.run(["sh", "-c", f"({line}) | head -c 1"], capture_output=True, text=True, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("{", "code 1\n")


# --- --flow-format ----------------------------------------------------------------------------------------------------


def test_flow_logs_without_a_header_are_read_by_the_format_given(command: Command) -> None:
    write_flows(Path("logs/flows.log"), f"{START + 60} {START} REJECT 203.0.113.9 blue", header=False)
    said = command("ingest", "logs", "--store", "unread")
    assert "5 fields" in said.err
    assert "--flow-format" in said.err
    given = ["--flow-format", "${end} ${start} ${action} ${srcadr} ${mood}"]
    said = command("ingest", "logs", "--store", "store", *given)
    assert "1 flow records stored" in said.out
    assert "srcadr is no field of flow logs that auditkit knows (did you mean srcaddr?)" in said.err
    given = ["--flow-format", "end start action srcaddr mood"]
    rows = "SELECT srcaddr, extra, start_time FROM flow_records"
    said = command("sql", rows, "logs", *given, "--format", "json")
    assert json.loads(said.out) == [
        {"srcaddr": "203.0.113.9", "extra": '{"mood": "blue"}', "start_time": "2026-11-02T10:00:00Z"}
    ]
    Path("auditkit.toml").write_text('flow-format = "end start action srcaddr mood"\n', encoding="utf-8")
    said = command("sql", rows, "logs", "--format", "json")
    assert len(json.loads(said.out)) == 1


# --- auditkit.toml -----------------------------------------------------------------------------------------------------


def test_auditkit_toml_holds_defaults_that_the_command_line_overrides(command: Command, samples: Path) -> None:
    Path("auditkit.toml").write_text(
        f'store = "{samples}"\n[query]\nformat = "json"\np = ["limit=2"]\n', encoding="utf-8"
    )
    assert len(command("query", "activity/events").json) == 2
    assert len(command("query", "activity/events", "-p", "limit=3").json) == 3
    assert command("query", "activity/events", "--format", "csv").out.startswith("event_time,")


def test_auditkit_toml_takes_options_as_they_are_typed(command: Command, samples: Path) -> None:
    Path("auditkit.toml").write_text(
        f'[findings]\nlogs = ["{samples}"]\nfail-on = "critical"\nrule = ["iam.admin_policy_attached"]\n',
        encoding="utf-8",
    )
    assert command("findings").code == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[findings]\nfial-on = 'high'\n", "[findings] has no option 'fial-on'. It has accounts,"),
        ("[finding]\n", "[finding] is no command. Sections are"),
        ("stor = 'x'\n", "no command has an option 'stor'"),
        ("[findings\n", "cannot be read as TOML"),
        ("[findings]\nseverity = 'bad'\n", "'bad' is not one of"),
    ],
)
def test_a_mistake_in_auditkit_toml_is_named(text: str, message: str, command: Command, samples: Path) -> None:
    Path("auditkit.toml").write_text(text, encoding="utf-8")
    said = command("findings", samples)
    assert message in " ".join(said.err.split())
    assert (said.code, said.out) == (2, "")


# --- ingest ------------------------------------------------------------------------------------------------------------


def test_ingest_prints_one_json_object_whose_books_balance(command: Command, small: Path, broken: Path) -> None:
    write_trail(small / "again.json", record("e1"), record("e2"))
    (small / "cut.json.gz").write_bytes((broken / "cut.json.gz").read_bytes())
    done = command("ingest", small, "--store", "store", "--json")
    facts = done.json
    assert done.code == 0
    names = ("files", "known_files", "events", "flow_records", "duplicates", "quarantined")
    assert {name: facts[name] for name in names} == dict(zip(names, (4, 0, 2, 1, 1, 1), strict=True))
    assert isinstance(facts["seconds"], float)
    assert "cut.json.gz" in facts["quarantine"][0]["file"]
    again = command("ingest", small, "--store", "store", "--json").json
    assert (again["files"], again["known_files"], again["events"]) == (0, 4, 0)


def test_ingest_says_what_it_left_out(command: Command, small: Path, broken: Path) -> None:
    said = command("ingest", small, broken, "--store", "store", "--since", "2026-11-02T10:00:30Z")
    assert said.out.startswith("5 new files (0 known), 1.0 kB: 0 events and 0 flow records stored")
    assert "2 records outside the window left out." in said.err
    assert f"quarantined: {broken / 'nothing.json.gz'}: empty" in said.err


def test_an_empty_folder_is_not_passed_over_in_silence(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for words in (["ingest", "empty", "--store", "s"], ["findings", "empty"], ["query", "activity/timeline", "empty"]):
        assert "There are no files in empty. Name the folder that holds the exports." in command(*words).err


# --- query and sql -----------------------------------------------------------------------------------------------------


def test_query_prints_a_json_array_of_rows_with_times_in_utc(command: Command, samples: Path) -> None:
    said = command("query", "activity/by_identity", samples, "--format", "json")
    assert (said.code, said.err) == (0, "")
    assert {"principal_arn", "service", "event_name", "first_seen", "source_ips"} <= said.json[0].keys()
    assert all(ISO_Z.fullmatch(row["first_seen"]) for row in said.json)
    assert isinstance(said.json[0]["event_count"], int)


def test_a_rule_can_be_asked_like_a_question(command: Command, samples: Path) -> None:
    rows = command("query", "iam.admin_policy_attached", samples, "--format", "json").json
    assert {row["principal_name"] for row in rows} == {"legacy-deploy"}


def test_sql_prints_a_json_array_and_null_for_what_is_no_number(command: Command, samples: Path) -> None:
    text = "SELECT event_time, event_date, CAST(NULL AS varchar) AS nothing, 'ä\u202e' AS text FROM cloudtrail_events LIMIT 1"
    said = command("sql", text, samples, "--format", "json")
    assert said.json == [
        {"event_time": "2026-11-02T00:07:00Z", "event_date": "2026-11-02", "nothing": None, "text": "ä\u202e"}
    ]
    assert "\u202e" not in said.out  # escaped, so that a terminal shows the text in its own order


def test_the_window_cuts_both_tables(command: Command, small: Path) -> None:
    text = "SELECT count(*) AS n FROM cloudtrail_events UNION ALL SELECT count(*) FROM flow_records"
    counts = {
        until: [row["n"] for row in command("sql", text, small, "--until", until, "--format", "json").json]
        for until in ("2026-11-02T10:00:00Z", "2026-11-02T19:00:01+09:00")
    }
    assert list(counts.values()) == [[0, 0], [1, 1]]


def test_show_sql_prints_the_statement_with_its_values_and_reads_no_logs(command: Command) -> None:
    said = command("query", "activity/events", "-p", "principal=o'brien", "--show-sql")
    assert said.code == 0
    assert said.out.startswith("SELECT")
    assert "'o''brien'" in said.out
    assert ":principal" not in said.out


def test_rows_go_to_a_file_as_parquet_csv_or_json(command: Command, samples: Path) -> None:
    for style in ("parquet", "csv", "json"):
        said = command("query", "activity/timeline", samples, "--format", style, "--out", f"rows.{style}")
        assert (said.code, said.out) == (0, "")
    rows = pq.read_table("rows.parquet").num_rows
    assert rows > 10
    assert len(json.loads(Path("rows.json").read_text(encoding="utf-8"))) == rows
    assert len(list(csv.DictReader(io.StringIO(Path("rows.csv").read_text(encoding="utf-8"))))) == rows


def test_a_table_that_goes_into_a_pipe_has_one_line_a_row(command: Command, samples: Path) -> None:
    lines = command("query", "activity/by_identity", samples).out.splitlines()
    assert lines[0].startswith("principal_arn ")
    assert lines[-1] == f"{len(lines) - 3} rows"


def test_what_could_not_be_read_is_said_by_every_verb(command: Command, broken: Path) -> None:
    for words in (["query", "activity/timeline"], ["sql", "SELECT 1 AS one"], ["findings"]):
        said = command(*words, broken)
        assert said.code == 0
        assert f"quarantined: {broken / 'nothing.json.gz'}: empty" in said.err, words
        assert "quarantined" not in said.out


def test_many_unreadable_files_are_counted_after_the_first_few(command: Command, tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"empty-{number}.json").touch()
    said = command("sql", "SELECT 1 AS one", tmp_path)
    assert said.err.count("quarantined: ") == asking.LISTED + 1
    assert "quarantined: 4 more files" in said.err


# --- what addresses are called ------------------------------------------------------------------------------------------


ATTACH = record(
    "attach", eventSource="iam.amazonaws.com", eventName="AttachUserPolicy", sourceIPAddress="198.51.100.7",
    requestParameters={"userName": "bob", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
)  # fmt: skip


@pytest.fixture
def attached(tmp_path: Path) -> Path:
    write_trail(tmp_path / "attached" / "trail.json", ATTACH)
    return tmp_path / "attached"


def test_findings_say_what_their_addresses_are_called(command: Command, attached: Path, places: Places) -> None:
    country, asn = places.geoip_files
    words = ("findings", attached, *RULE, "--networks", places.networks_file, "--geoip", country, "--geoip", asn)
    label = "NL, Example Hosting AS64500"
    [found] = command(*words, "--format", "json").json["findings"]
    assert found["places"] == [label]
    assert f"from 198.51.100.7 ({label})" in command(*words).out
    [row] = csv.DictReader(io.StringIO(command(*words, "--format", "csv").out))
    assert row["places"] == label
    [result] = command(*words, "--format", "sarif").json["runs"][0]["results"]
    assert result["properties"]["places"] == [label]
    [event] = command(*words, "--format", "ocsf").json
    assert event["evidences"][0]["src_endpoint"]["autonomous_system"]["number"] == 64500


def test_auditkit_toml_holds_the_files_of_names(command: Command, attached: Path, places: Places) -> None:
    country, asn = places.geoip_files
    text = f'networks = "{places.networks_file}"\n[findings]\ngeoip = ["{country}", "{asn}"]\n'
    Path("auditkit.toml").write_text(text, encoding="utf-8")
    [found] = command("findings", attached, *RULE, "--format", "json").json["findings"]
    assert found["places"] == ["NL, Example Hosting AS64500"]


def test_a_networks_toml_that_nobody_named_is_not_read(command: Command, attached: Path) -> None:
    Path("networks.toml").write_text("no TOML", encoding="utf-8")
    [found] = command("findings", attached, *RULE, "--format", "json").json["findings"]
    assert found["places"] == []


@pytest.mark.parametrize("option", ["--networks", "--geoip"])
@pytest.mark.parametrize("verb", ["findings", "report"])
def test_a_file_of_names_that_cannot_be_read_is_told_before_any_log_is(
    option: str, verb: str, command: Command, broken: Path
) -> None:
    said = command(verb, broken, option, "none")
    assert (said.code, said.out) == (2, "")
    assert said.err == "Error: none cannot be read: No such file or directory.\n"


def test_a_name_that_a_spreadsheet_would_calculate_stays_text(command: Command, attached: Path) -> None:
    Path("names.toml").write_text('[[network]]\nname = "=HYPERLINK(1)"\ncidr = "198.51.100.0/24"\n', encoding="utf-8")
    said = command("findings", attached, *RULE, "--networks", "names.toml", "--format", "csv")
    [row] = csv.DictReader(io.StringIO(said.out))
    assert row["places"] == "'=HYPERLINK(1)"


# --- findings ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(samples: Path) -> Said:
    return command_line("findings", samples, "--format", "json", "--since", "2026-11-02")


def test_findings_as_json_hold_window_findings_rules_and_coverage(found: Said) -> None:
    answer = found.json
    assert list(answer) == ["window", "findings", "cases", "suppressed", "allowlist", "rules", "coverage"]
    assert answer["window"] == {"start": "2026-11-02T00:00:00Z", "end": None}
    worst = answer["findings"][0]
    assert worst.keys() == set(Finding.__slots__)
    assert worst["severity"] == "critical"
    assert ISO_Z.fullmatch(worst["first_seen"])
    assert len(worst["evidence"]) == worst["event_count"] == 1
    assert answer["coverage"]["balanced"] is True
    assert answer["coverage"]["tables"]["cloudtrail_events"]["rows"] > 2_000
    assert not answer["rules"]["failed"]


def test_findings_as_csv_has_a_line_for_each(command: Command, samples: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(command("findings", samples, *RULE, "--format", "csv").out)))
    assert [row["rule"] for row in rows] == ["iam.admin_policy_attached"]
    assert list(rows[0]) == list(Finding.__slots__)


@pytest.mark.parametrize(
    ("style", "count"),
    [
        ("sarif", lambda log: len(log["runs"][0]["results"])),
        ("ocsf", len),
        ("navigator", lambda layer: sum(bool(technique.get("score")) for technique in layer["techniques"])),
    ],
)
def test_findings_for_other_programs_are_json_alone(
    style: str, count: Callable[[Any], int], command: Command, samples: Path
) -> None:
    said = command("findings", samples, *RULE, "--format", style)
    assert count(said.json) == 1
    assert said.err == ""
    milder = command("findings", samples, "--rule", "network.rejected_egress", "--severity", "high", "--format", style)
    assert count(milder.json) == 0


def test_findings_tell_a_person_what_happened(command: Command, samples: Path) -> None:
    lines = command("findings", samples, *RULE).out.splitlines()
    assert lines[0].split() == ["severity", "first_seen", "rule", "summary"]
    assert "called AttachUserPolicy on backup-agent" in lines[1]
    assert lines[-1] == "1 finding from 1 rule; window: the whole of the logs"


@pytest.mark.parametrize(("severity", "code"), [("high", 1), ("critical", 1), ("info", 1)])
def test_fail_on_exits_1_when_a_finding_is_as_severe(severity: str, code: int, command: Command, samples: Path) -> None:
    assert command("findings", samples, *RULE, "--fail-on", severity).code == code


def test_fail_on_exits_0_when_findings_are_milder(command: Command, samples: Path) -> None:
    said = command("findings", samples, "--rule", "network.external_scan", "--fail-on", "critical")
    assert said.out.strip()
    assert said.code == 0


def test_rules_that_had_nothing_to_read_are_counted_by_reason(command: Command, tmp_path: Path) -> None:
    write_trail(tmp_path / "trail.json", record("e1"))
    rules = ("network.external_scan", "network.internal_scan", "iam.user_created")
    said = command("findings", tmp_path / "trail.json", *(word for rule in rules for word in ("--rule", rule)))
    assert said.err == "2 rules did not run: no flow records in the window\n"


def test_nothing_to_judge_is_not_called_clean(command: Command, broken: Path) -> None:
    said = command("findings", broken)
    assert "There was nothing to judge" in said.err
    assert said.out.startswith("0 findings from 0 rules")


# --- hostile logs ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One event whose every free text was chosen by an attacker."""
    evil = {"userAgent": f"{ESCAPE}[2J{ESCAPE}]0;owned{BELL}\u202etxt.exe", "sourceIPAddress": "=1+1"}
    parameters = {"userName": '=HYPERLINK("//192.0.2.1";"click")', "password": "correct horse"}
    longest = "x" * 20_000
    folder = tmp_path_factory.mktemp("hostile")
    write_trail(
        folder / "trail.json",
        record("e1", eventSource="iam.amazonaws.com", eventName="CreateUser", requestParameters=parameters, **evil),
        record("e2", eventName=f"-{longest}", errorMessage="one\ntwo\tthree", errorCode="AccessDenied"),
    )
    return folder


@pytest.mark.parametrize("style", ["table", "json", "csv", "sarif", "ocsf", "navigator"])
def test_log_values_cannot_drive_the_terminal(style: str, command: Command, hostile: Path) -> None:
    asked = [["findings", hostile, "--rule", "iam.user_created"]]
    if style in ("table", "json", "csv"):
        asked.append(["query", "activity/events", hostile])
    for words in asked:
        said = command(*words, "--format", style)
        assert said.out
        assert not set(said.out + said.err) & {ESCAPE, BELL, "\u202e"}


def test_findings_as_csv_hold_no_formula_either(command: Command, hostile: Path) -> None:
    said = command("findings", hostile, "--rule", "iam.user_created", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(said.out))
    assert row["resource"] == '\'=HYPERLINK("//192.0.2.1";"click")'
    assert row["source_ips"] == "'=1+1"
    assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_csv_holds_no_cell_that_a_spreadsheet_would_run(command: Command, hostile: Path) -> None:
    rows = list(csv.reader(io.StringIO(command("query", "activity/events", hostile, "--format", "csv").out)))
    cells = {cell for row in rows for cell in row}
    assert "'=1+1" in cells
    assert f"'-{'x' * 20_000}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_a_name_of_any_length_stays_on_its_line(command: Command, hostile: Path) -> None:
    lines = command("query", "activity/events", hostile).out.splitlines()
    assert len(lines) == 5  # heading, two rows, a gap, the count
    assert "one\\ntwo\\tthree" in lines[1] + lines[2]


def test_session_tokens_and_passwords_never_leave(command: Command, samples: Path, found: Said, hostile: Path) -> None:
    for words in (
        ["sql", "SELECT response_elements FROM cloudtrail_events WHERE event_name LIKE 'AssumeRole%'"],
        ["sql", "SELECT ARRAY[substr(response_elements, 1, 4000)] AS r FROM cloudtrail_events WHERE service = 'sts'"],
        ["query", "activity/events", "-p", "limit=100000"],
    ):
        said = command(*words, samples, "--format", "json")
        assert len(said.json) > 0
        assert STS_TOKEN not in said.out, words
    assert STS_TOKEN not in found.out
    assert "***" in command("sql", "SELECT response_elements FROM cloudtrail_events", samples, "--format", "json").out
    assert "correct horse" not in command("query", "activity/events", hostile, "--format", "json").out


# --- list --------------------------------------------------------------------------------------------------------------


def test_list_names_every_notebook_question_and_rule(command: Command) -> None:
    text = command("list").out
    entries = command("list", "--format", "json").json
    assert {entry["kind"] for entry in entries} == {"notebook", "question", "rule"}
    assert all(entry["name"] in text and entry["title"] in text for entry in entries)


def test_list_of_one_name_explains_its_parameters(command: Command) -> None:
    text = command("list", "activity/events").out
    assert re.search(r"^limit +bigint +\d+ +most rows to return$", text, re.MULTILINE)
    assert command("list", "rules/iam/user_created").out == command("list", "iam.user_created").out


def test_the_widest_table_reads_at_eighty_columns(command: Command, samples: Path) -> None:
    """On a terminal, a row of many columns becomes a block; nothing is cut off."""
    pty = pytest.importorskip("pty")
    main_end, terminal = pty.openpty()
    words = [sys.executable, "-m", "auditkit", "query", "activity/events", samples, "-p", "limit=1"]
    subprocess.run(words, stdout=terminal, stderr=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "80"}, check=True)
    os.close(terminal)
    text = os.read(main_end, 65_536).decode()
    os.close(main_end)
    assert re.search(r"^event_time +2026-11-03T", text, re.MULTILINE)
    assert re.search(r"^log_file +/.*\.json\.gz\r$", text, re.MULTILINE)


def test_the_command_line_and_the_shell_agree(samples: Path) -> None:
    """The in-process runs of these tests stand for the real thing."""
    words = ["sql", "SELECT count(*) AS n FROM flow_records", str(samples), "--format", "json"]
    done = subprocess.run([sys.executable, "-m", "auditkit", *words], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, command_line(*words).out, "")


@pytest.mark.parametrize(("limit", "more"), [("3", True), ("100000", False)])
def test_a_question_that_reached_its_limit_says_so(limit: str, more: bool, command: Command, samples: Path) -> None:
    said = command("query", "activity/events", str(samples), "-p", f"limit={limit}", "--format", "json")
    assert ("Only the first 3 rows: there may be more." in said.err) is more
    assert len(json.loads(said.out)) == min(int(limit), 2192)
