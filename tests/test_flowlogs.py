"""VPC Flow Logs as text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from auditkit.errors import UnreadableFileError
from auditkit.logs.flowlogs import is_flow_log, parse
from auditkit.logs.parsed import NotALogError
from auditkit.schema import FLOW_RECORDS
from tests.records import ACCOUNT, FLOW_HEADER, START, flow_line


def text(*lines: str, header: str | None = FLOW_HEADER) -> bytes:
    return "\n".join([*([header] if header else []), *lines, ""]).encode()


def rows(data: bytes) -> list[dict[str, Any]]:
    return parse(data).rows.to_pylist()


def known(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


RECORD = {
    "version": 2, "account_id": ACCOUNT, "interface_id": "eni-1", "srcaddr": "198.51.100.7", "dstaddr": "10.0.0.5",
    "srcport": 40000, "dstport": 5432, "protocol": 6, "packets": 3, "bytes": 180, "action": "REJECT", "log_status": "OK",
    "start_time": datetime(2026, 11, 2, 10), "end_time": datetime(2026, 11, 2, 10, 1),
}  # fmt: skip


def test_a_record_has_its_fields_by_name() -> None:
    assert [known(row) for row in rows(text(flow_line()))] == [RECORD]


def test_without_a_header_the_default_format_is_read() -> None:
    assert rows(text(flow_line(), header=None)) == rows(text(flow_line()))


def test_fields_are_found_by_header_in_any_order() -> None:
    names = FLOW_HEADER.split()[::-1]
    line = " ".join(flow_line().split()[::-1])
    assert rows(text(line, header=" ".join(names))) == rows(text(flow_line()))


def test_version_7_fields_have_their_columns() -> None:
    header = "version start end flow-direction tcp-flags pkt-srcaddr ecs-cluster-name ecs-task-id traffic-path action log-status"
    [row] = rows(text(f"7 {START} {START} egress 2 10.0.0.9 shop 0123abcd 8 REJECT OK", header=header))
    assert known(row) == {
        "version": 7, "flow_direction": "egress", "tcp_flags": 2, "pkt_srcaddr": "10.0.0.9", "ecs_cluster_name": "shop",
        "ecs_task_id": "0123abcd", "traffic_path": 8, "action": "REJECT", "log_status": "OK",
        "start_time": datetime(2026, 11, 2, 10), "end_time": datetime(2026, 11, 2, 10),
    }  # fmt: skip


def test_every_column_but_the_files_name_is_there_in_order() -> None:
    assert parse(text(flow_line())).rows.schema.names == [n for n in FLOW_RECORDS.file_arrow.names if n != "log_file"]


def test_nodata_and_skipdata_are_kept() -> None:
    lines = [f"2 {ACCOUNT} eni-1 - - - - - - - {START} {START + 60} - {status}" for status in ("NODATA", "SKIPDATA")]
    assert [row["log_status"] for row in rows(text(*lines))] == ["NODATA", "SKIPDATA"]
    assert rows(text(*lines))[0]["srcport"] is None


def test_fields_of_a_later_version_are_kept_in_extra() -> None:
    [row] = rows(text(f"{flow_line()} blue -", header=f"{FLOW_HEADER} mood weather"))
    assert row["extra"] == '{"mood": "blue"}'


def test_addresses_stay_as_logged() -> None:
    [row] = rows(text(flow_line(srcaddr="075.050.255.067")))
    assert row["srcaddr"] == "075.050.255.067"


def test_double_spaces_blank_lines_and_repeated_headers_are_no_records() -> None:
    parsed = parse(text(flow_line().replace(" 6 ", "  6 "), "", FLOW_HEADER, flow_line()))
    assert (parsed.seen, parsed.bad) == (2, [])
    assert [known(row) for row in parsed.rows.to_pylist()] == [RECORD, RECORD]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2 too short", "3 fields where the header has 14"),
        (f"{flow_line()} more", "15 fields where the header has 14"),
        (flow_line(dstport="https"), "dstport is 'https'"),
        (flow_line(dstport=2**31), "dstport is '2147483648'"),
        (flow_line(start=10**14), "start is '100000000000000'"),
        (flow_line().replace(str(START), "-", 1), "start is '-'"),
    ],
)
def test_a_line_that_does_not_fit_is_named_and_the_others_are_kept(line: str, reason: str) -> None:
    parsed = parse(text(flow_line(), line, flow_line()))
    assert parsed.seen == 3
    assert [known(row) for row in parsed.rows.to_pylist()] == [RECORD, RECORD]
    [trouble] = parsed.bad
    assert (trouble.position, trouble.text) == (1, line.encode())
    assert reason in trouble.reason


def test_a_header_alone_is_an_empty_log() -> None:
    parsed = parse(FLOW_HEADER.encode())
    assert (parsed.rows.num_rows, parsed.seen, parsed.bad) == (0, 0, [])


def test_transit_gateway_logs_are_told_apart() -> None:
    data = text("6 TransitGateway 1 tgw-1", header="version resource-type account-id tgw-id")
    assert is_flow_log(data)
    with pytest.raises(NotALogError, match="Transit Gateway"):
        parse(data)


def test_a_log_without_times_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="start and end"):
        parse(text("10.0.0.1 10.0.0.2", header="srcaddr dstaddr"))


@pytest.mark.parametrize("data", [b"hello world\n", b"1,2,3\n", b"\x00\x01\x02", b"version\n", b"2 only three\n"])
def test_other_text_is_no_flow_log(data: bytes) -> None:
    assert not is_flow_log(data)
