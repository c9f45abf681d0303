"""VPC Flow Logs as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auditkit.errors import UnreadableFileError
from auditkit.ingest import ingest
from auditkit.logs import flow_lines, flow_reading, opening
from auditkit.logs.flow_columns import whole
from auditkit.logs.flow_format import COLUMNS, TIMES, TYPES, FlowFormat
from auditkit.logs.flow_reading import FlowLogBooks
from auditkit.logs.flowlogs import FlowReader, is_flow_log, whole_lines
from auditkit.logs.flowlogs import parse as parse_all
from auditkit.logs.parsed import Parsed
from auditkit.schema import FLOW_RECORDS
from auditkit.store import Store
from tests.records import ACCOUNT, FLOW_HEADER, START, flow_line, write_flows


def text(*lines: str, header: str | None = FLOW_HEADER) -> bytes:
    return "\n".join([*([header] if header else []), *lines, ""]).encode()


def parse(data: bytes) -> Parsed[pa.Table]:
    parsed = FlowReader().parse(data).parsed
    return replace(parsed, rows=whole(parsed.rows))


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
        ("2 too short", "3 fields where the format has 14"),
        (f"{flow_line()} more", "15 fields where the format has 14"),
        (flow_line(dstport="https"), "dstport is 'https'"),
        (flow_line(dstport="0x10"), "dstport is '0x10'"),
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


GATEWAY_HEADER = "version resource-type account-id tgw-id srcaddr dstaddr start end log-status"
GATEWAY_LINE = f"6 TransitGateway {ACCOUNT} tgw-1 10.0.0.1 10.0.0.2 {START} {START + 60} OK"


@pytest.mark.parametrize("header", [GATEWAY_HEADER, None])
def test_transit_gateway_records_are_set_apart(header: str | None) -> None:
    data = text(GATEWAY_LINE, "", GATEWAY_LINE, header=header)
    assert is_flow_log(data)
    parsed = parse(data)
    assert (parsed.rows.num_rows, parsed.seen, parsed.set_apart, parsed.bad) == (0, 2, 2, [])


def test_a_log_without_times_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="start and end"):
        parse(text("10.0.0.1 10.0.0.2", header="srcaddr dstaddr"))


def test_a_header_that_names_a_field_twice_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="names start more than once"):
        parse(text(f"{START} {START} {START}", header="start end start"))


@pytest.mark.parametrize("data", [b"hello world\n", b"1,2,3\n", b"\x00\x01\x02", b"version\n", b"2 only three\n"])
def test_other_text_is_no_flow_log(data: bytes) -> None:
    assert not is_flow_log(data)


@pytest.mark.parametrize(
    "change",
    {
        "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
        "tabs": lambda data: data.replace(b" ", b"\t"),
        "a tab at the end": lambda data: data.replace(b"OK\n", b"OK\t\n"),
        "double spaces": lambda data: data.replace(b" ", b"  "),
        "a space at the end": lambda data: data.replace(b"\n", b" \n"),
        "a space at the start": lambda data: b"\n".join(b" " + line for line in data.split(b"\n")),
        "blank lines": lambda data: b"\n \n" + data.replace(b"\n", b"\n\n") + b"\n  \n",
        "no end": lambda data: data.rstrip(b"\n"),
        "carriage returns alone": lambda data: data.replace(b"\n", b"\r"),
        "joined to another": lambda data: data + data.replace(b"REJECT", b"ACCEPT"),
        "a name in capitals": lambda data: data.replace(b"version", b"Version"),
        "names with underscores": lambda data: data.replace(b"log-status", b"log_status"),
    }.values(),
)  # fmt: skip
def test_white_space_and_joints_change_no_record(change: Callable[[bytes], bytes]) -> None:
    parsed = parse(change(text(flow_line(), flow_line())))
    assert parsed.bad == []
    assert [known(row) | {"action": "REJECT"} for row in parsed.rows.to_pylist()][:2] == [RECORD, RECORD]
    assert parsed.seen == parsed.rows.num_rows in (2, 4)


def test_lines_follow_the_header_above_them() -> None:
    other = f"{START} {START + 60} eni-2"
    parsed = parse(
        text(
            flow_line(), "start end interface-id", other, other, GATEWAY_HEADER, GATEWAY_LINE, FLOW_HEADER, flow_line()
        )
    )
    assert sorted(row["interface_id"] for row in parsed.rows.to_pylist()) == ["eni-1", "eni-1", "eni-2", "eni-2"]
    assert (parsed.seen, parsed.set_apart, parsed.bad) == (5, 1, [])


def test_lines_below_a_header_without_times_are_named() -> None:
    parsed = parse(text(flow_line(), "srcaddr dstaddr", "10.0.0.1 10.0.0.2", FLOW_HEADER, flow_line()))
    assert parsed.seen == 3
    [trouble] = parsed.bad
    assert trouble.position == 2
    assert "without the fields start and end" in trouble.reason


def test_a_missing_field_is_not_made_up_for_by_a_space_too_many() -> None:
    parsed = parse(text(flow_line(), flow_line().replace(" OK", " ")))
    assert [bad.reason for bad in parsed.bad] == ["13 fields where the format has 14"]


def test_a_line_in_a_large_file_is_found() -> None:
    lines = [flow_line(dstport=at % 60_000) for at in range(20_000)]
    lines[7], lines[12_345] = "2 cut short", flow_line(dstport="https")
    parsed = parse(text(*lines))
    assert [bad.position for bad in parsed.bad] == [7, 12_345]
    assert (parsed.rows.num_rows, parsed.seen) == (19_998, 20_000)


def test_what_cannot_be_read_after_all_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_lines, "settled", lambda values, _: values)
    parsed = parse(text(flow_line(), flow_line(dstport="x"), "2 short", flow_line()))
    assert [(bad.position, bad.reason) for bad in parsed.bad] == [(1, "cannot be read"), (2, "cannot be read")]
    assert (parsed.rows.num_rows, parsed.seen) == (2, 4)


# Comma-separated: what Athena and spreadsheets make of a flow log.

CSV = {
    "bare": (FLOW_HEADER.replace(" ", ","), ","),
    "quoted": (",".join(f'"{name}"' for name in FLOW_HEADER.replace("-", "_").split()), ","),
    "capitals and spaces": (FLOW_HEADER.title().replace(" ", ", "), ", "),
}


@pytest.mark.parametrize(("header", "comma"), CSV.values(), ids=CSV)
@pytest.mark.parametrize("quote", ["", '"'])
def test_commas_may_stand_between_fields(header: str, comma: str, quote: str) -> None:
    line = comma.join(f"{quote}{value}{quote}" for value in flow_line().split())
    data = text(line, header=header)
    assert is_flow_log(data)
    assert [known(row) for row in rows(data)] == [RECORD]


@pytest.mark.parametrize("nothing", ["", '""', "-", '"-"'])
def test_an_empty_cell_is_null(nothing: str) -> None:
    line = f"{START},{START + 60},{nothing},{nothing},eni-1"
    [row] = rows(text(line, header="start,end,srcport,srcaddr,interface_id"))
    assert known(row) == {name: RECORD[name] for name in ("start_time", "end_time", "interface_id")}


@pytest.mark.parametrize(
    "time",
    ["2026-11-02T10:00:00Z", "2026-11-02 10:00:00.000", "2026-11-02 10:00:00.000 UTC", "2026-11-02T11:00:00+01:00"],
)
def test_a_cell_may_hold_a_written_time(time: str) -> None:
    [row] = rows(text(f"{time},{START + 60},eni-1,5432", header="start,end,interface_id,dstport"))
    assert (row["start_time"], row["end_time"]) == (RECORD["start_time"], RECORD["end_time"])


def test_a_cell_may_hold_commas_and_quotes() -> None:
    line = f'{START},{START},eni-1,OK,"a ""b"", c"'
    odd = f"2026-11-02T10:00:00Z{line[10:]}"
    assert {row["extra"] for row in rows(text(line, odd, header="start,end,interface_id,log_status,My Notes"))} == {
        json.dumps({"my notes": 'a "b", c'})
    }


def test_a_cell_that_does_not_fit_is_named() -> None:
    parsed = parse(
        text(f"{START},{START},eni-1,443", f"{START},{START},eni-1,1.5", "a,b", header="start,end,interface_id,dstport")
    )
    assert parsed.rows.num_rows == 1
    assert [bad.reason for bad in parsed.bad] == [
        "not a number that fits: dstport is '1.5'",
        "2 fields where the format has 4",
    ]


# Without a header.


def test_the_format_given_is_followed() -> None:
    given = FlowFormat.parse("end start interface-id mood")
    log = FlowReader(given).parse(text(f"{START + 60} {START} eni-1 blue", header=None))
    [row] = log.parsed.rows.to_pylist()
    assert known(row) == {"start_time": RECORD["start_time"], "end_time": RECORD["end_time"], "interface_id": "eni-1",
                          "extra": '{"mood": "blue"}'}  # fmt: skip
    assert log.flow_format == "end start interface-id mood"


@pytest.mark.parametrize("given", ["start end interface-id", FLOW_HEADER.replace("srcaddr dstaddr", "dstaddr srcaddr")])
def test_a_header_wins_over_the_format_given(given: str) -> None:
    log = FlowReader(FlowFormat.parse(given)).parse(text(flow_line()))
    assert [known(row) for row in log.parsed.rows.to_pylist()] == [RECORD]
    assert log.flow_format is None


def test_the_format_assumed_is_told() -> None:
    assert FlowReader().parse(text(flow_line(), header=None)).flow_format == FLOW_HEADER
    other = FlowFormat.parse("start end interface-id")
    assert FlowReader(other).parse(text(flow_line(), header=None)).flow_format == FLOW_HEADER  # beyond doubt


@pytest.mark.parametrize("given", [None, "start end interface-id"])
def test_a_format_that_nobody_gave_is_asked_for(given: str | None) -> None:
    data = text(f"3 eni-0a {ACCOUNT} 10.0.0.1 10.0.0.2 {START} {START + 60} REJECT", header=None)
    format_given = FlowFormat.parse(given) if given else None
    assert is_flow_log(data, format_given)
    with pytest.raises(UnreadableFileError) as error:
        FlowReader(format_given).parse(data)
    assert ("--flow-format" if given is None else "no line fits the flow format given") in str(error.value)
    assert "8 fields" in str(error.value)


def test_a_format_with_the_right_number_of_wrong_fields_fits_no_line() -> None:
    given = FlowFormat.parse(FLOW_HEADER.replace("start", "x").replace("srcaddr", "start"))
    with pytest.raises(UnreadableFileError, match=r"no line fits the flow format given.*start is"):
        FlowReader(given).parse(text(flow_line(), flow_line(), header=None))


# Blocks of one text, and many texts together.


def test_blocks_go_on_where_the_last_one_ended() -> None:
    reader = FlowReader()
    first = reader.parse(text(flow_line(), "odd", header=" ".join(FLOW_HEADER.split())))
    second = reader.parse(text("odd", flow_line(), "", flow_line(), "odd", header=None))
    third = reader.parse(text("odd", header=None))
    assert [len(log.parsed.rows) for log in (first, second, third)] == [1, 2, 0]
    assert [bad.position for log in (first, second, third) for bad in log.parsed.bad] == [1, 2, 5, 6]


@pytest.mark.parametrize("size", [1, 7, 50, 10_000])
def test_blocks_are_cut_at_the_ends_of_lines(size: int) -> None:
    data = text(*[flow_line(dstport=port) for port in range(20)]) + b"no end"
    blocks = list(whole_lines(data[at : at + size] for at in range(0, len(data), size)))
    assert b"".join(blocks) == data
    assert {block[-1:] for block in blocks[:-1]} <= {b"\n"}


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="a line of more than"):
        list(whole_lines([b"x" * (1 << 20)] * 3))


@pytest.mark.parametrize("header", [True, False])
def test_a_long_log_is_read_block_by_block(header: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BLOCK_BYTES", 2_000)
    monkeypatch.setattr(opening, "_READ_BYTES", 1_000)
    lines = [flow_line(dstport=port) for port in range(300)]
    lines[222] = "cut short"
    path = write_flows(tmp_path / "logs" / "flows.log", *lines, header=header)
    write_flows(tmp_path / "logs" / "flows-again.log.gz", *lines, header=header)
    store = Store(tmp_path / "store", create=True)
    report = ingest(store, [tmp_path / "logs"])
    assert (report.flow_records, report.duplicates, report.records) == (299, 299, 600)
    assert {(bad["key"], bad["position"]) for bad in store.books()["bad_records"]} == {
        (str(path), 222), (str(path.with_name("flows-again.log.gz")), 222)
    }  # fmt: skip
    assert store.known_files()[str(path)]["flow_format"] == (None if header else FLOW_HEADER)


def test_many_texts_are_read_as_each_alone() -> None:
    texts = [
        text(flow_line(srcaddr="10.9.9.1")),
        text("start end", header="version account-id"),
        text(flow_line(srcaddr="10.9.9.2"), "odd", header=None),
        FLOW_HEADER.encode(),
        text(f"{START} {START} 10.9.9.3 blue", header="start end srcaddr mood"),
        text(GATEWAY_LINE, header=GATEWAY_HEADER),
        text(flow_line(srcaddr="10.9.9.4"), "", flow_line(srcaddr="10.9.9.5")),
        b"",
        b"no flow log",
    ]
    batch = parse_all(texts)
    alone = [outcome_alone(data) for data in texts]
    assert [str(books) if isinstance(books, Exception) else books for books in batch.books] == alone
    by_text = sorted(zip(batch.text_of_row.tolist(), batch.rows["srcaddr"].to_pylist(), strict=True))
    assert by_text == [(0, "10.9.9.1"), (2, "10.9.9.2"), (4, "10.9.9.3"), (6, "10.9.9.4"), (6, "10.9.9.5")]
    assert set(batch.rows.column_names) == set(RECORD) | {"extra"}


def outcome_alone(data: bytes) -> FlowLogBooks | str:
    try:
        log = FlowReader().parse(data)
    except UnreadableFileError as error:
        return str(error)
    parsed = log.parsed
    return FlowLogBooks(len(parsed.rows), parsed.seen, parsed.bad, parsed.set_apart, log.flow_format)


ODD = [
    *(flow_line(), flow_line(srcaddr="-"), flow_line(dstport="x"), flow_line(start=10**13), flow_line() + " "),
    *("\t" + flow_line(), flow_line().replace(" 6 ", "  6 "), flow_line().replace(" OK", " "), flow_line() + "\r"),
    *(FLOW_HEADER, "start end interface-id", f"{START} {START} eni-9", "srcaddr dstaddr type", "2 short", "", " ", "é"),
    *(GATEWAY_HEADER, GATEWAY_LINE, "start,end,interface_id,srcport", f'{START}, {START},"eni,1",', "2026-11-02,,,"),
]


@settings(max_examples=100, deadline=None)
@example([[FLOW_HEADER, flow_line()]] * 9 + [[FLOW_HEADER, flow_line(), flow_line(dstport="x")]] * 2)
@given(st.lists(st.lists(st.sampled_from(ODD), min_size=1, max_size=9), min_size=2, max_size=9))
def test_no_text_changes_what_is_read_of_another(mixture: list[list[str]]) -> None:
    texts = ["\n".join(lines).encode() for lines in mixture]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow_reading, "LOOKED_AT_BY_LINE", 300)
        batch = parse_all(texts)
    rows = whole(batch.rows).to_pylist()
    for number, (data, books) in enumerate(zip(texts, batch.books, strict=True)):
        assert (str(books) if isinstance(books, Exception) else books) == outcome_alone(data)
        if isinstance(books, FlowLogBooks):
            mine = [
                row for row, text_number in zip(rows, batch.text_of_row.tolist(), strict=True) if text_number == number
            ]
            assert sorted(map(str, mine)) == sorted(map(str, parse(data).rows.to_pylist()))


def test_no_texts_have_no_rows() -> None:
    batch = parse_all([])
    assert (batch.rows.num_rows, len(batch.text_of_row), batch.books) == (0, 0, [])


@settings(max_examples=60, deadline=None)
@given(st.permutations(list(TYPES)[:54]), st.integers(0, 51), st.data())
def test_any_header_is_followed(order: list[str], cut: int, data: st.DataObject) -> None:
    fields = ["start", "end", *[field for field in order if field not in TIMES][cut:]]
    spaces = st.sampled_from([" ", "  ", "\t", " \t "])
    values = [START if field in TIMES else 7 if TYPES[field] != pa.string() else f"a-{field}" for field in fields]
    lines = [
        "".join(f"{data.draw(spaces) if at else ''}{word}" for at, word in enumerate(words))
        for words in (fields, values)
    ]
    [row] = rows("\n".join(lines).encode())
    assert known(row) == {
        COLUMNS[field]: RECORD["start_time"] if field in TIMES else value
        for field, value in zip(fields, values, strict=True)
    }
