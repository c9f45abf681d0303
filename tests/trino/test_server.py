"""The server itself: which one it is, that a table comes back as it was written, and that no process outlives its tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pytest

from tests.trino import server as servers
from tests.trino.server import GET_TRINO, NoTrinoError, Trino, find, running

NESTED = pa.struct([("bucket", pa.string()), ("keys", pa.list_(pa.string()))])
AS_WRITTEN: dict[str, tuple[pa.DataType, list[Any]]] = {  # by type: values at an edge, everyday ones, none
    "text": (pa.string(), ["", "Zürich 東京 🔑 'quoted' \"twice\"\n", None]),
    "flag": (pa.bool_(), [True, False, None]),
    "small": (pa.int32(), [-(2**31), 2**31 - 1, None]),
    "big": (pa.int64(), [-(2**63), 2**63 - 1, None]),
    "fraction": (pa.float64(), [1.5e-300, 0.1, None]),
    "exact": (pa.decimal128(10, 2), [Decimal("-0.01"), Decimal("99999999.99"), None]),
    "raw": (pa.binary(), [b"", b"\x00\xff", None]),
    "day": (pa.date32(), [date(1969, 12, 31), date(2026, 11, 2), None]),
    # The second is no time in much of Europe, whose clocks skipped it.
    "at": (pa.timestamp("us"), [datetime(1969, 12, 31, 23, 59, 59, 999999), datetime(2026, 3, 29, 2, 30, 0, 1), None]),
    "several": (pa.list_(pa.int64()), [[], [1, None], None]),
    "named": (pa.map_(pa.string(), pa.string()), [{}, {"Kürzel": "ß", "none": None}, None]),
    "nested": (NESTED, [(None, []), ("логи", ["a", None]), None]),
    "inside": (pa.list_(NESTED), [[("b", None), None], [], None]),
}
ROWS = pa.table(
    {
        "event_id": ["e1", "e2", "e3"],
        "event_date": [date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 3)],
        "region": ["eu-central-1", "eu-central-1", "us-east-1"],
    }
)


def test_answers_and_is_the_version_that_get_trino_pins(trino: Trino) -> None:
    assert trino.execute("SELECT version()") == [[find().version]]


def test_listens_on_loopback_alone(trino: Trino) -> None:
    sockets = psutil.Process(trino.pid).net_connections()
    assert {open.laddr.ip.removeprefix("::ffff:") for open in sockets if open.status == "LISTEN"} == {"127.0.0.1"}


def test_zone_of_a_session_is_utc_wherever_the_tests_run(trino: Trino, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with closing(trino.connect()) as connection:
        assert connection.cursor().execute("SELECT current_timezone()").fetchall() == [["UTC"]]


@pytest.mark.parametrize("name", AS_WRITTEN)
def test_column_comes_back_as_written(trino: Trino, name: str) -> None:
    kind, values = AS_WRITTEN[name]
    table = trino.external_table("server", "types", pa.table({"n": range(len(values)), name: pa.array(values, kind)}))
    assert trino.execute(f"SELECT {name} FROM {table} ORDER BY n") == [[value] for value in values]


def test_table_filled_again_has_the_new_rows_and_columns_only(trino: Trino) -> None:
    for rows in ({"a": [1, 2]}, {"a": [3]}, {"a": ["three"], "b": [3]}, {"a": [4]}):
        table = trino.external_table("server", "again", pa.table(rows))
        assert trino.execute(f"SELECT * FROM {table} ORDER BY 1") == [
            list(row) for row in zip(*rows.values(), strict=True)
        ]


def test_table_without_rows_is_there(trino: Trino) -> None:
    table = trino.external_table("server", "bare", pa.table({"a": pa.array([], pa.string())}))
    assert trino.execute(f"SELECT * FROM {table}") == []


def test_path_of_a_row_is_a_hidden_column(trino: Trino) -> None:
    table = trino.external_table("server", "located", pa.table({"a": [1]}))
    assert trino.execute(f'SELECT "$path" FROM {table}') == [["local:///server/located/rows.parquet"]]
    assert trino.execute(f"SELECT * FROM {table}") == [[1]]


def test_objects_in_json_lines_are_text_or_rows_as_their_column_says(trino: Trino) -> None:
    columns = {"eventname": "varchar", "useridentity": "row(type varchar, arn varchar)", "requestparameters": "varchar"}
    rows = [
        {"eventName": "Ö", "userIdentity": {"type": "Root"}, "requestParameters": {"Key": ["ü", None]}, "else": 1},
        {"eventName": None, "userIdentity": None, "requestParameters": None},
        {},
    ]
    table = trino.json_table("server", "lines", rows, columns)
    got = trino.execute(f"SELECT * FROM {table} ORDER BY eventname")
    assert got == [["Ö", ("Root", None), '{"Key":["ü",null]}'], [None] * 3, [None] * 3]


def test_hives_own_json_reads_declared_objects_but_none_as_text(trino: Trino) -> None:
    columns = {"a": "varchar", "b": "row(c varchar)"}
    table = trino.json_table("server", "hive_lines", [{"A": "x", "b": {"C": "y"}}], columns, format="JSON")
    assert trino.execute(f"SELECT * FROM {table}") == [["x", ("y",)]]
    trino.json_table("server", "hive_lines", [{"a": {"c": "y"}}], columns, format="JSON")
    with pytest.raises(servers.trino.exceptions.TrinoExternalError, match="Failed to read file"):
        trino.execute(f"SELECT * FROM {table}")


PROJECTED = {
    "event_date": "partition_projection_type = 'DATE', partition_projection_format = 'yyyy-MM-dd', "
    "partition_projection_range = ARRAY['2026-10-01', '2026-12-31']",
    "region": "partition_projection_type = 'ENUM', partition_projection_values = ARRAY['eu-central-1', 'us-east-1']",
}


@pytest.mark.parametrize("projected", [None, PROJECTED], ids=["registered", "projected"])
def test_day_is_a_date_and_limits_what_is_read(trino: Trino, projected: dict[str, str] | None) -> None:
    table = trino.partitioned_table("server", "days", ROWS, ["event_date", "region"], projected=projected)
    everything = [["e1", date(2026, 11, 2), "eu-central-1"], ["e2", date(2026, 11, 3), "eu-central-1"]]
    everything.append(["e3", date(2026, 11, 3), "us-east-1"])
    assert trino.execute(f"SELECT * FROM {table} ORDER BY 1") == everything
    where = "event_date >= DATE '2026-11-03' AND region = 'us-east-1'"
    got = trino.execute(f'SELECT event_id, "$partition" FROM {table} WHERE {where}')
    assert got == [["e3", "event_date=2026-11-03/region=us-east-1"]]
    [[plan]] = trino.execute(f"EXPLAIN (TYPE IO, FORMAT JSON) SELECT * FROM {table} WHERE {where}")
    assert "2026-11-03" in plan
    assert "2026-11-02" not in plan

    fewer = trino.partitioned_table("server", "days", ROWS.slice(2), ["event_date", "region"], projected=projected)
    assert trino.execute(f"SELECT * FROM {fewer}") == everything[2:]


def test_one_that_ends_shows_its_log_and_the_server_that_has_its_port_does_not_pass_for_it(
    trino: Trino, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_free_port", lambda: trino.port)
    monkeypatch.setattr(servers, "JVM", ("--version",))
    with pytest.raises(NoTrinoError, match=r"left with 0\. The end of its log:\n\w"), running(tmp_path):
        pass


def test_get_trino_says_what_is_missing(tmp_path: Path) -> None:
    elsewhere = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    said = subprocess.run([GET_TRINO, "--find"], env=elsewhere, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("NO TRINO: ")
    assert "`make trino` gets it" in said.stderr or "install a JDK" in said.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    shutil.which("setpriv") is None, reason="without setpriv nothing ends the server of a killed process"
)
def test_server_ends_when_its_starter_is_killed(trino: Trino, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.trino import server\n"
        "server._wait = lambda *_: None\n"  # it need not be up to be ended
        "with server.running(Path(sys.argv[1])) as started:\n"
        "    print(started.pid, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout
        started = psutil.Process(int(starter.stdout.readline()))
        time.sleep(0.5)  # past setpriv
        assert started.is_running()
        starter.send_signal(signal.SIGKILL)
    started.wait(20)
