"""What a notebook cell publishes is typed, cleaned, masked JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import altair as alt
import nbformat
import numpy as np
import pandas as pd
import pytest

from auditkit.errors import ReportError
from auditkit.report import blocks
from auditkit.report.block import MIME, VEGALITE, Block
from auditkit.report.clean import clean
from tests.report_samples import HOSTILE, ROLE, evidence, finding

BARS = alt.Chart(pd.DataFrame({"a": ["x"], "b": [1]})).mark_bar().encode(x="b:Q", y="a:N")


def every_block() -> list[Block]:
    return [
        blocks.verdict("Nothing stands out."),
        blocks.kpis([("Events", 1200, "in the window")]),
        blocks.note("Mind the gap.", level="warning"),
        blocks.table(pd.DataFrame({"a": [1]}), title="T"),
        blocks.chart(BARS, title="C", about="One bar.", data=pd.DataFrame({"a": ["x"]})),
        blocks.findings([finding()]),
        blocks.findings([]),
        blocks.coverage({"files": {"read": 1}}),
        blocks.provenance({"engine": "duckdb"}),
        blocks.run({"n": 1}),
        blocks.checklist([(1, "Doors", "bad", "One is open.")]),
        blocks.step(1, "Doors", "bad", [("bad", "One is open.")], why_it_matters="thieves", cannot_show="windows"),
    ]


@pytest.mark.parametrize("block", every_block(), ids=lambda block: block.kind)
def test_a_block_is_valid_notebook_output(block: Block) -> None:
    bundle = block._repr_mimebundle_()
    assert json.loads(json.dumps(bundle, allow_nan=False)) == bundle
    assert bundle[MIME]["kind"] == block.kind
    assert bundle["text/plain"]
    output = nbformat.v4.new_output("display_data", data=bundle)
    nbformat.validate(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])]))


def test_only_a_chart_has_a_chart_for_the_lab_and_no_html() -> None:
    for block in every_block():
        bundle = block._repr_mimebundle_()
        assert (VEGALITE in bundle) == (block.kind == "chart")
        assert ("text/html" in bundle) == (block.kind != "chart")


def test_table_cells_become_plain_json_in_utc() -> None:
    frame = pd.DataFrame(
        {
            "naive": pd.to_datetime(["2026-11-01 09:00:00", None]),
            "zoned": pd.to_datetime(["2026-11-01 09:00:00+09:00", None]),
            "count": [1.0, None],
            "ratio": [0.5, np.nan],
            "flag": [True, None],
            "listed": [["a", None, 1], None],
            "array": [np.array(["a", "b"]), None],
            "decimal": [Decimal("7"), None],
            "mapping": [{"password": "hunter2"}, None],
            "when": [datetime(2026, 11, 1, 9, 0, 0, 500_000, UTC), None],
            "infinite": [float("inf"), 1.0],
            "bytes": [b"\x00\xff", None],
        }
    )
    data = blocks.table(frame, title="t").data
    assert [column["type"] for column in data["columns"]] == [
        "time", "time", "int", "float", "bool", "list", "list", "int", "text", "time", "text", "text",
    ]  # fmt: skip
    assert data["rows"][0] == [
        "2026-11-01T09:00:00Z",
        "2026-11-01T00:00:00Z",
        1,
        0.5,
        True,
        ["a", None, 1],
        ["a", "b"],
        7,
        '{"password": "***"}',
        "2026-11-01T09:00:00.500Z",
        "inf",
        "00ff",
    ]
    assert data["rows"][1][:10] == [None] * 10


def test_a_table_says_how_much_of_it_is_shown() -> None:
    frame = pd.DataFrame({"a": range(10)})
    shown = blocks.table(frame, title="t", limit=3).data
    assert (len(shown["rows"]), shown["total"]) == (3, 10)
    assert blocks.table(frame, title="t", total=99).data["total"] == 99


def test_column_names_become_headings_unless_given() -> None:
    frame = pd.DataFrame(columns=["source_ip", "principal_arn", "dstport", "first_seen"])
    data = blocks.table(frame, title="t", labels={"first_seen": "Since"}).data
    assert [column["label"] for column in data["columns"]] == [
        "Source IP",
        "Principal ARN",
        "Destination port",
        "Since",
    ]


def test_duplicate_column_names_keep_their_own_values() -> None:
    frame = pd.DataFrame([[1, "x"]], columns=["a", "a"])
    assert blocks.table(frame, title="t").data["rows"] == [[1, "x"]]


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(ReportError, match=r"'fatal' is not a severity\. Use one of info, low"):
        blocks.verdict("x", severity="fatal")  # type: ignore[arg-type]


class TestFindings:
    def test_a_card_carries_the_first_rows_that_prove_it_and_the_total(self) -> None:
        one, two = finding(1, evidence=tuple(f"e{n}" for n in range(40))), finding(2)
        data = blocks.findings([one, two], evidence=evidence([two, one]), limit=5).data
        first = data["findings"][0]["evidence"]
        assert first["total"] == 40
        assert [row[-1] for row in first["rows"]] == ["e0", "e1", "e2", "e3", "e4"]
        assert [row[-1] for row in data["findings"][1]["evidence"]["rows"]] == ["e2-1", "e2-2"]

    def test_evidence_leaves_out_empty_columns_and_the_principal_the_card_names(self) -> None:
        card = blocks.findings([finding()], evidence=evidence([finding()])).data["findings"][0]
        names = [column["name"] for column in card["evidence"]["columns"]]
        assert names == ["event_time", "event_name", "source_ip", "outcome", "user_agent", "event_id"]

    def test_evidence_of_several_principals_keeps_the_column(self) -> None:
        frame = evidence([finding()])
        frame.loc[0, "principal_arn"] = "arn:aws:iam::444455556666:role/other"
        card = blocks.findings([finding()], evidence=frame).data["findings"][0]
        assert "principal_arn" in [column["name"] for column in card["evidence"]["columns"]]

    def test_without_rows_the_bare_ids_are_shown(self) -> None:
        flows = finding(evidence=("eni-1 192.0.2.1>10.0.0.1:22/6",))
        for frame in (None, evidence([finding(2)])):
            card = blocks.findings([flows], evidence=frame).data["findings"][0]
            assert card["evidence"]["rows"] == [["eni-1 192.0.2.1>10.0.0.1:22/6"]]

    def test_very_many_findings_share_the_rows(self) -> None:
        many = [finding(n, evidence=tuple(f"{n}-{k}" for k in range(30))) for n in range(1_000)]
        data = blocks.findings(many).data
        assert sum(len(card["evidence"]["rows"]) for card in data["findings"]) <= 3_000
        assert data["findings"][0]["evidence"]["total"] == 30

    def test_new_ones_are_told_from_known_ones(self) -> None:
        data = blocks.findings([finding(1), finding(2)], new={finding(2).id}).data
        assert [card["new"] for card in data["findings"]] == [False, True]
        assert blocks.findings([finding(1)]).data["findings"][0]["new"] is None

    def test_counts_name_every_severity(self) -> None:
        data = blocks.findings([finding(1), finding(2, severity="critical")]).data
        assert data["counts"] == {"info": 0, "low": 0, "medium": 0, "high": 1, "critical": 1}

    def test_evidence_without_event_ids_is_refused(self) -> None:
        with pytest.raises(ReportError, match="needs the column event_id; it has a"):
            blocks.findings([finding()], evidence=pd.DataFrame({"a": [1]}))


class TestCharts:
    def test_the_takeaway_becomes_the_text_for_who_cannot_see(self) -> None:
        block = blocks.chart(BARS, title="C", about="One bar.")
        assert block.data["spec"]["description"] == "One bar."

    def test_an_empty_frame_gives_a_sentence_in_place_of_a_chart(self) -> None:
        block = blocks.chart(BARS, title="C", data=pd.DataFrame({"a": []}), empty="No calls in 3 files.")
        assert block.data["spec"] is None
        assert block.data["empty"] == "No calls in 3 files."
        assert VEGALITE not in block._repr_mimebundle_()

    @pytest.mark.parametrize(
        ("chart", "what"),
        [
            (alt.Chart("http://203.0.113.9/data.csv").mark_bar(), "url"),
            (alt.Chart(pd.DataFrame({"a": ["x"]})).mark_point().encode(href="a:N"), "href"),
            (alt.Chart(pd.DataFrame({"a": ["x"]})).mark_point().encode(url="a:N"), "url"),
            (alt.Chart(pd.DataFrame({"a": ["x"]})).mark_image(), "images"),
        ],
        ids=["data", "link", "picture", "image mark"],
    )
    def test_a_chart_that_would_load_something_is_refused(self, chart: alt.Chart, what: str) -> None:
        with pytest.raises(ReportError, match=what):
            blocks.chart(chart, title="C")


class TestCoverage:
    def test_complete_books_raise_no_problem(self) -> None:
        facts = {"files": {"read": 3}, "records": {"seen": 10, "stored": 8, "duplicates": 2, "quarantined": 0}}
        assert blocks.coverage(facts).data["problems"] == []

    def test_what_is_missing_is_said_in_sentences(self) -> None:
        data = blocks.coverage(
            {
                "files": {"read": 3, "quarantined": 2},
                "quarantined": [{"file": "a.gz", "reason": "cut short"}, {"file": "b.gz", "reason": "not JSON"}],
                "records": {"seen": 12, "stored": 8, "duplicates": 2, "quarantined": 1},
                "blind_s": 5400,
                "gaps": [{"region": "eu-west-1"}],
                "unchecked": {"network.scan": "no flow records"},
                "problems": ["The trail was stopped for 14 minutes."],
            }
        ).data
        assert data["problems"] == [
            "2 files could not be read; what they hold is not in this report.",
            "The books do not balance: 12 records were seen, 11 are accounted for.",
            "1 record could not be read.",
            "Flow records were lost for 90 min in all (SKIPDATA); rejects in that time are unknown.",
            "1 gap in the logs: hours whose files are gone, or in which logging was off.",
            "1 rule did not run: no flow records.",
            "The trail was stopped for 14 minutes.",
        ]

    def test_quarantined_files_count_even_without_a_state_for_them(self) -> None:
        assert blocks.coverage({"quarantined": [{"file": "a.gz"}]}).data["problems"][0].startswith("1 file could not")

    def test_unknown_facts_are_listed(self) -> None:
        assert blocks.coverage({"trails": 2}).data["other"] == [["Trails", 2]]


def test_seconds_in_the_provenance_carry_their_unit() -> None:
    data = blocks.provenance({"duration_s": 3.14159, "engine": "duckdb", "scanned": None}).data
    assert data["facts"] == [["Duration", "3.14 s"], ["Engine", "duckdb"]]


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.items() for part in item for text in texts(part)]
    return [text for item in value for text in texts(item)] if isinstance(value, list | tuple) else []


@pytest.mark.parametrize("evil", HOSTILE, ids=ascii)
def test_hidden_characters_become_visible_in_every_block(evil: str) -> None:
    held = evil.replace("\ud800", "")  # pandas cannot hold a lone surrogate
    frame = pd.DataFrame({"event_id": ["e"], held: [held]})
    chart = alt.Chart(frame.rename(columns={held: "b"})).mark_bar().encode(x="b:N", y="event_id:N")
    made = [
        blocks.verdict(evil, evil),
        blocks.kpis([(evil, evil, evil)]),
        blocks.note(evil),
        blocks.table(frame, title=evil, about=evil, sql=evil, labels={"event_id": evil}),
        blocks.chart(chart, title=evil, about=evil, data=frame),
        blocks.findings([finding(title=evil, evidence=("e",), source_ips=(evil,), sql=evil)], evidence=frame),
        blocks.coverage({"quarantined": [{evil: evil}], "cannot_see": [evil], evil: evil, "unchecked": {evil: evil}}),
        blocks.provenance({"parameters": {evil: evil}, "queries": [{"name": evil, "sql": evil}], "window": evil}),
    ]
    for block in made:
        found = texts(block._repr_mimebundle_())
        assert not [text for text in found if clean(text) != text]


def test_secrets_are_masked_before_the_notebook_stores_them() -> None:
    frame = pd.DataFrame({"event_id": ["e"], "detail": ['{"sessionToken":"IQoJsecret"}']})
    chart = alt.Chart(frame).mark_bar().encode(x="detail:N")
    for block in (
        blocks.table(frame, title="t"),
        blocks.chart(chart, title="c", data=frame),
        blocks.findings([finding(evidence=("e",))], evidence=frame),
        blocks.verdict('He used {"password":"IQoJsecret"}'),
        blocks.coverage({"quarantined": [{"reason": '{"password":"IQoJsecret"}'}]}),
    ):
        assert "IQoJsecret" not in json.dumps(block._repr_mimebundle_())


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not attrs


@pytest.mark.parametrize("evil", [evil for evil in HOSTILE if evil != "\ud800"], ids=ascii)
def test_the_preview_for_the_lab_is_a_table_and_nothing_else(evil: str) -> None:
    frame = pd.DataFrame({evil: [evil], "list": [[evil]]})
    for block in (blocks.table(frame, title=evil), blocks.findings([finding(title=evil, principal_arn=evil)])):
        tags = Tags()
        tags.feed(block._repr_mimebundle_()["text/html"])
        assert tags.seen <= {"p", "strong", "table", "thead", "tbody", "tr", "th", "td"}


def test_ordinary_text_in_any_script_is_left_alone() -> None:
    for text in ("Zürich – 東京\u3000駅", "naïve\u00a0space", "tab\tand\nline", "emoji 👍🏽", ROLE):
        assert clean(text) == text
