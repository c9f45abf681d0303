"""The fields of a flow log: from a header, from a user, or assumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditkit.errors import ParameterError
from auditkit.ingest import ingest
from auditkit.logs.flow_format import DEFAULT, EXAMPLE, FlowFormat, Layout, assumed, header, looks_like_a_record
from auditkit.logs.reading import Options
from auditkit.store import Store
from tests.records import ACCOUNT, FLOW_HEADER, START, flow_line, write_flows


@pytest.mark.parametrize(
    "text",
    [
        "${version} ${account-id} ${start} ${end}",
        "version account-id start end",
        "  version\taccount_id   START end ",
        "version, ${account_id}, start, end",
    ],
)
def test_a_format_is_a_list_of_fields_however_written(text: str) -> None:
    assert FlowFormat.parse(text).fields == ("version", "account-id", "start", "end")


def test_the_default_format_is_awss() -> None:
    assert str(DEFAULT) == FLOW_HEADER
    assert FlowFormat.parse(EXAMPLE).unknown == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no start and no end"),
        ("version start", "no end"),
        ("start end start", "names start more than once"),
        ("start end 10.0.0.1", "'10.0.0.1' is none"),
        (flow_line(), "'2' is none"),
        ("$version start end", "'$version' is none"),
    ],
)
def test_a_format_that_cannot_be_followed_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ParameterError) as error:
        FlowFormat.parse(text)
    assert reason in str(error.value)


def test_unknown_fields_are_told_with_what_they_may_be() -> None:
    assert FlowFormat.parse("start end scraddr mood tgw-id").unknown == {"scraddr": "srcaddr", "mood": None}


@pytest.mark.parametrize(
    ("line", "layout"),
    [
        ("start end", Layout(("start", "end"))),
        ("srcaddr dstaddr mood weather", Layout(("srcaddr", "dstaddr", "mood", "weather"))),
        ("version,start,end,log_status,Notes", Layout(("version", "start", "end", "log-status", "notes"), True)),
        ("the end of this is a start", None),
        ("version", None),
        ("Name,Start,End,Type", None),
        (flow_line(), None),
        ("start end " * 2000, None),
    ],
)
def test_a_header_is_known_by_its_fields(line: str, layout: Layout | None) -> None:
    assert header(line.encode()) == layout


def test_the_format_given_is_followed_where_it_fits_and_the_default_where_that_does() -> None:
    given = FlowFormat.parse("start end interface-id")
    same_length = FlowFormat.parse(FLOW_HEADER.replace("srcaddr dstaddr", "dstaddr srcaddr"))
    assert assumed(b"1 2 eni-1", given) is given
    assert assumed(flow_line().encode(), given) is DEFAULT
    assert assumed(flow_line().encode(), same_length) is same_length
    assert assumed(b"1 2 eni-1", None) is None
    assert assumed(b"hello world", given) is None


@pytest.mark.parametrize(
    ("line", "so"),
    [
        (f"3 eni-0a {ACCOUNT} 10.0.0.1 10.0.0.2 {START} {START + 60} REJECT", True),
        (f"{START} {START + 60} 2001:db8::1 OK", True),
        ("Nov  2 10:00:00 host sshd[1]: Failed password from 10.0.0.1 port 22", False),
        ("10.0.0.1 - - [02/Nov/2026:10:00:00 +0000] GET / 200", False),
        ("See eni-0a and 10.0.0.1: it says REJECT.", False),
    ],
)
def test_a_record_of_an_unknown_format_is_known_by_its_values(line: str, so: bool) -> None:
    assert looks_like_a_record(line.encode()) is so


def test_another_format_is_tried_on_what_it_may_change(tmp_path: Path) -> None:
    custom, other = "end start interface-id action", "start end action"
    write_flows(tmp_path / "logs" / "default.log", flow_line(), header=False)
    write_flows(tmp_path / "logs" / "named.log", flow_line())
    write_flows(tmp_path / "logs" / "custom.log", f"{START + 60} {START} eni-1 REJECT", header=False)
    write_flows(tmp_path / "logs" / "other.log", f"{START} {START + 60} ACCEPT", header=False)
    (tmp_path / "logs" / "broken.log.gz").write_bytes(b"\x1f\x8b\x08")
    store = Store(tmp_path / "store", create=True)

    def read(given: str | None) -> tuple[int, int, int]:
        options = Options(flow_format=FlowFormat.parse(given) if given else None)
        report = ingest(store, [tmp_path / "logs"], options=options)
        return report.files, report.flow_records, report.quarantined

    assert read(None) == (5, 2, 3)
    assert read(None) == (0, 0, 0)
    assert read(custom) == (3, 1, 2)
    assert read(custom) == (0, 0, 0)
    assert read(other) == (2, 1, 1)
    assert read(other) == (0, 0, 0)
    assert read("start end interface-id action") == (2, 1, 1)  # start and end were the wrong way round
    assert read(None) == (0, 0, 0)
    assert {Path(file["key"]).name: file["stored"] for file in store.files()} == {
        "default.log": 1, "named.log": 1, "custom.log": 1, "other.log": 1, "broken.log.gz": 0
    }  # fmt: skip
