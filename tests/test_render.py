"""An executed notebook becomes one HTML file in which nothing runs but our own scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import altair as alt
import nbformat
import pandas as pd
import pytest

from auditkit.errors import ParameterError
from auditkit.report import blocks, vega
from auditkit.report.block import MIME, Block
from auditkit.report.markup import TEMPLATES, breakable, highlighted, inert_json, number, short
from auditkit.report.render import render
from tests.report_samples import HOSTILE, evidence, finding, notebook

FRAME = pd.DataFrame({"name": ["a", "b"], "count": [1, 2]})
CHART = alt.Chart(FRAME, description="Two bars.").mark_bar().encode(x="count:Q", y="name:N")


@pytest.fixture(autouse=True)
def _small_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.report.render.bundle", lambda: "/* vega */")


class Page(HTMLParser):
    """The page as tags, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[tuple[str | None, str]] = []
        self.styles: list[str] = []
        self.ids: list[str] = []
        self._inside: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self.ids += [found["id"]] if found.get("id") else []
        self._inside = tag if tag in ("script", "style") else None
        if tag == "script":
            self.scripts.append((found.get("type"), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)
        elif self._inside == "style":
            self.styles.append(data)
        else:
            self.text += data

    def attributes(self, tag: str, name: str) -> list[str | None]:
        return [found[name] for seen, found in self.tags if seen == tag and name in found]


def page(*cells: str | Block | dict[str, object]) -> Page:
    return Page(render(notebook(*cells)))


@cache
def full_report() -> str:
    return made_report()


def made_report() -> str:
    found = [finding(1), finding(2, severity="critical", outcome="denied", principal_arn=None, resource="prod/db")]
    return render(
        notebook(
            "# Who did what\n\nAn opening word.",
            blocks.verdict("One role gave itself rights.", "Start with deploy.", severity="critical"),
            blocks.kpis([("Events", 12_345, "in the window"), ("Empty", None, "")]),
            "## Findings\n\nThe worst first.",
            blocks.findings(found, evidence=evidence(found), new={found[0].id}),
            "## Activity",
            blocks.chart(CHART, title="Bars", data=FRAME, sql="SELECT 1"),
            blocks.table(FRAME, title="Rows", sql="SELECT 1", total=7),
            blocks.table(FRAME[:0], title="None", empty="No rows in 3 files."),
            "## Coverage",
            blocks.coverage(
                {
                    "files": {"read": 3, "quarantined": 1},
                    "quarantined": [{"file": "a.json.gz", "reason": "the gzip stream ends early"}],
                    "records": {"seen": 12, "stored": 10, "duplicates": 2, "quarantined": 0},
                    "tables": {"cloudtrail_events": {"rows": 10, "accounts": ["111122223333"]}},
                    "gaps": [{"region": "eu-west-1", "hours": 3}],
                    "unchecked": {"network.scan": "no flow records in the window"},
                    "cannot_see": ["Secrets read inside a container."],
                    "trails": 2,
                }
            ),
            "## Provenance",
            blocks.provenance(
                {
                    "engine": "duckdb",
                    "parameters": {"services": ["ecs", "iam"], "strict": True},
                    "queries": [
                        {"name": "rules", "sql": "SELECT 1", "rows": 3, "duration_s": 0.5, "bytes_scanned": 12_000}
                    ],
                }
            ),
            blocks.run({"hidden": "yes"}),
        ),
        {"window": "2026-11-01 to 2026-11-08", "version": "0.1.0"},
    )


class TestSafety:
    def test_the_policy_allows_the_scripts_and_styles_of_the_page_by_hash_and_nothing_else(self) -> None:
        html = Page(full_report())
        policy = html.attributes("meta", "content")[0] or ""
        running = [text for kind, text in html.scripts if kind is None]
        allowed = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running + html.styles}
        assert set(re.findall(r"'sha256-([^']+)'", policy)) == allowed
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'")

    def test_nothing_is_loaded_from_outside_and_no_handler_or_style_stands_in_a_tag(self) -> None:
        for tag, found in Page(full_report()).tags:
            assert "style" not in found, tag
            assert not [name for name in found if name.startswith("on")], tag
            assert tag not in ("link", "iframe", "object", "embed", "img", "base", "form"), tag
            assert (found.get("href") or "#").startswith("#")
            assert "src" not in found

    def test_every_link_leads_somewhere_and_every_id_is_there_once(self) -> None:
        html = Page(full_report())
        links = [link[1:] for link in html.attributes("a", "href") if link]
        assert set(links) <= set(html.ids)
        assert len(html.ids) == len(set(html.ids))

    @pytest.mark.parametrize("evil", HOSTILE, ids=ascii)
    def test_hostile_values_add_no_tag_and_no_script(self, evil: str) -> None:
        def tags(text: str) -> list[str]:
            frame = pd.DataFrame({"name": ["a"], "event_id": ["e1"], "list": [[text]], "text": [text]})
            chart = alt.Chart(frame.drop(columns="list")).mark_bar().encode(x=alt.X("text:N", title=text))
            html = render(
                notebook(
                    "# Report\n\n## Findings",
                    blocks.verdict(text, text),
                    blocks.kpis([(text, text, text)]),
                    blocks.note(text, level="warning"),
                    blocks.findings(
                        [finding(title=text, principal_arn=text, source_ips=(text,), attack=(text,), evidence=("e1",))],
                        evidence=frame,
                    ),
                    blocks.chart(chart, title=text, about=text, data=frame),
                    blocks.table(frame, title=text, sql=text, labels={"text": text}),
                    blocks.coverage({"cannot_see": [text], "unchecked": {text: text}, text: text}),
                    blocks.provenance({"window": text, "parameters": {text: text}, "queries": [{"sql": text}]}),
                ),
                {"window": text, "title": text},
            )
            seen = Page(html)
            assert [kind for kind, _ in seen.scripts] == ["application/json", None, None]
            json.loads(seen.scripts[0][1])
            return [tag for tag, _ in seen.tags if tag not in ("wbr", "span")]

        assert tags(evil.replace("\ud800", "\\ud800")) == tags("harmless")

    def test_an_output_that_is_no_block_is_left_out_and_said_so(self) -> None:
        html = page(
            "## S",
            {"text/html": "<script>window.pwned=1</script>", "text/plain": "secret repr"},
            {MIME: {"kind": "html", "html": "<b>"}},
            {MIME: "text"},
        )
        assert html.text.count("not a block of a report") == 3
        assert "secret repr" not in html.text
        assert [kind for kind, _ in html.scripts] == [None]

    def test_streams_are_left_out_and_errors_shown_as_text(self) -> None:
        stream = nbformat.v4.new_output("stream", text="printed <b>")
        error = nbformat.v4.new_output("error", ename="ValueError", evalue="<b>no</b>", traceback=["<i>"])
        cell = nbformat.v4.new_code_cell("print('secret source')", outputs=[stream, error])
        html = Page(render(nbformat.v4.new_notebook(cells=[cell])))
        assert "printed" not in html.text
        assert "secret source" not in html.text
        assert "Cell 1 stopped: ValueError: <b>no</b>" in html.text

    def test_markdown_is_prose_without_html_images_or_foreign_links(self) -> None:
        html = page(
            "Hello <img src=x> ![p](http://203.0.113.9/x.png) [l](javascript:alert(1)) [f](http://a.example) `code`"
        )
        assert {"img", "b"}.isdisjoint(tag for tag, _ in html.tags)
        assert "code" in [tag for tag, _ in html.tags]
        assert all((link or "").startswith("#") for link in html.attributes("a", "href"))

    def test_data_never_passes_through_markdown(self) -> None:
        assert "**bold** _x_ # no" in page(blocks.note("**bold** _x_ # no")).text


class TestPage:
    def test_the_notebook_gives_title_sections_and_contents(self) -> None:
        html = Page(full_report())
        assert html.attributes("section", "id") == ["findings", "activity", "coverage", "provenance"]
        assert html.attributes("a", "href")[1:6] == ["#top", "#findings", "#activity", "#coverage", "#provenance"]
        assert "<title>Who did what</title>" in full_report()

    def test_the_verdict_and_what_is_missing_stand_before_everything_else(self) -> None:
        text = Page(full_report()).text
        order = ["One role gave itself rights.", "1 file could not be read", "An opening word.", "The worst first."]
        assert sorted(order, key=text.index) == order

    def test_without_problems_nothing_claims_one(self) -> None:
        html = page("# R", blocks.coverage({"files": {"read": 3}}))
        assert "not complete" not in html.text
        assert "Nothing is known to be missing." in html.text

    def test_counts_by_severity_are_shown_only_when_something_looked_for_findings(self) -> None:
        assert "counts" in page(blocks.findings([])).attributes("ul", "class")
        assert "counts" not in page(blocks.note("x")).attributes("ul", "class")

    def test_a_finding_card_says_all_there_is_to_say(self) -> None:
        html = Page(full_report())
        assert f"finding-{1:016x}" in html.ids
        for words in (
            "Administrator access was attached (1)",
            "gave itself administrator rights",
            "arn:aws:iam::111122223333:role/deploy",
            "198.51.100.7",
            "2026-11-01 09:00:00 – 09:01:00 UTC",
            "2 events, none denied or failed",
            "It can do everything now.",
            "Detach the policy.",
            "A first roll-out.",
            "Inline policies.",
            "T1098.003",
            "7.2.1",
            "3.0/1.16",
            "AttachRolePolicy",
            "new",
        ):
            assert words in html.text, words

    def test_an_address_of_a_card_has_its_place_behind_it(self) -> None:
        names = {"source_ips": ("192.0.2.1", "198.51.100.7"), "places": ("office (<b>)", "NL, Example Hosting AS64500")}
        html = page(blocks.findings([finding(**names)]))
        assert "192.0.2.1: office (<b>); 198.51.100.7: NL, Example Hosting AS64500" in html.text

    def test_numbers_queries_and_rows_are_named(self) -> None:
        text = Page(full_report()).text
        for words in (
            "12,345",
            "2 of 7 rows",
            "No rows in 3 files.",
            "12.0 kB scanned",
            "10 stored, 2 duplicates",
            "Trails",
        ):
            assert words in text, words
        assert "hidden" not in text

    def test_an_empty_search_says_what_was_searched(self) -> None:
        html = page(blocks.findings([], empty="No rule fired on 1,203 events of 2026-11-01."))
        assert "No rule fired on 1,203 events of 2026-11-01." in html.text

    def test_two_sections_of_one_name_get_their_own_anchors(self) -> None:
        assert page("## Same\n\nx\n\n## Same\n\ny").attributes("section", "id") == ["same", "same-2"]

    def test_a_heading_above_nothing_is_left_out(self) -> None:
        html = page(
            "## Nothing", "## Something\n\nx", blocks.run({"unseen": 1}), "## Unseen", blocks.run({"unseen": 2})
        )
        assert html.attributes("section", "id") == ["something"]
        assert "#nothing" not in html.attributes("a", "href")

    def test_the_bundle_is_embedded_only_when_there_is_a_chart(self) -> None:
        assert "/* vega */" in render(notebook(blocks.chart(CHART, title="c")))
        assert "/* vega */" not in render(notebook(blocks.note("x")))

    def test_rendering_is_a_pure_function(self) -> None:
        assert made_report() == full_report()

    def test_an_empty_notebook_is_still_a_page(self) -> None:
        assert "AWS audit report" in render(nbformat.v4.new_notebook())

    def test_times_carry_their_moment_and_numbers_their_value(self) -> None:
        frame = pd.DataFrame({"at": pd.to_datetime(["2026-11-01 09:00"]), "events": [12345], "dstport": [3306]})
        html = page(blocks.table(frame, title="t"))
        assert html.attributes("time", "datetime") == ["2026-11-01T09:00:00Z"]
        assert html.attributes("td", "data-value") == ["12345", "3306"]
        assert "12,345" in html.text
        assert "3306" in html.text


def test_long_arns_may_wrap_and_stay_the_same_text() -> None:
    arn = "arn:aws:iam::111122223333:role/path/deploy"
    html = str(breakable(arn))
    assert "<wbr>" in html
    assert html.replace("<wbr>", "") == arn


@pytest.mark.parametrize(
    ("value", "name", "shown"),
    [
        (1234567, "events", "1,234,567"),
        (3306, "dstport", "3306"),
        (0.12345, "ratio", "0.1235"),
        (True, "x", "True"),
        ("a", "x", "a"),
    ],
)
def test_numbers_are_written_for_people(value: object, name: str, shown: str) -> None:
    assert number(value, name) == shown


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:iam::111122223333:role/a/b/deploy", "role/deploy"),
        ("arn:aws:iam::111122223333:root", "root"),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf", "secret:prod/db-AbCdEf"),
        ("ecs.amazonaws.com", "ecs.amazonaws.com"),
    ],
)
def test_an_arn_is_called_by_its_end(arn: str, name: str) -> None:
    assert short(arn) == name


def in_template(text: str, **values: object) -> str:
    return TEMPLATES.from_string(f"{{{{ {text} }}}}").render(**values)


def test_a_span_says_a_day_once() -> None:
    nine, ten, next_day = "2026-11-01T09:00:00Z", "2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z"
    assert in_template("a | span(b)", a=nine, b=ten) == "2026-11-01 09:00:00 – 10:00:00 UTC"
    assert in_template("a | span(b)", a=nine, b=next_day) == "2026-11-01 09:00 – 2026-11-02 10:00 UTC"
    assert in_template("a | span(b)", a=nine, b=nine) == "2026-11-01 09:00:00 UTC"


def test_moments_are_told_in_the_reports_zone() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    evening, night = "2026-11-01T14:59:59Z", "2026-11-01T15:00:00.5Z"
    assert in_template("a | moment", a=evening, zone=tokyo) == "2026-11-01 23:59:59"
    assert in_template("a | moment", a=night, zone=tokyo) == "2026-11-02 00:00:00.500000"
    assert (
        in_template("a | span(b)", a=evening, b=night, zone=tokyo) == "2026-11-01 23:59 – 2026-11-02 00:00 Asia/Tokyo"
    )
    assert in_template("a | moment", a="9999-12-31T23:59:59Z", zone=tokyo) == "9999-12-31 23:59:59Z"


def test_title_and_zone_of_a_report_are_set_by_its_notebook() -> None:
    times = pd.DataFrame({"seen": pd.to_datetime(["2026-11-01T15:00:00Z"])})
    setting = blocks.setting(title="Night <shift>", timezone="Asia/Tokyo")
    html = render(notebook("# AWS audit", setting, blocks.table(times, title="T")))
    assert "<title>Night &lt;shift&gt;</title>" in html
    assert '<time datetime="2026-11-01T15:00:00Z" title="2026-11-01T15:00:00Z">2026-11-02 00:00:00</time>' in html
    assert "Seen (Asia/Tokyo)" in html
    plain = render(notebook("# AWS audit", blocks.setting(), blocks.table(times, title="T")))
    assert "<title>AWS audit</title>" in plain
    assert '<time datetime="2026-11-01T15:00:00Z">2026-11-01 15:00:00</time>' in plain


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Asia"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(ParameterError, match="is not a time zone"):
        blocks.setting(timezone=zone)


def test_highlighting_keeps_the_sql_as_it_is() -> None:
    sql = "SELECT '<b>' -- why & how\nFROM t WHERE n = 5"
    assert (
        re.sub(r"</?span[^>]*>", "", str(highlighted(sql)))
        == "SELECT &#39;&lt;b&gt;&#39; -- why &amp; how\nFROM t WHERE n = 5"
    )


def test_json_in_a_script_tag_cannot_end_it() -> None:
    text = str(inert_json({"a": "</script><!--&\u2028"}))
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": "</script><!--&\u2028"}


class TestBundle:
    @pytest.fixture(autouse=True)
    def _own_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.setattr("vl_convert.javascript_bundle", lambda snippet: f"const a='</script>';{snippet}")

    @pytest.fixture(autouse=True)
    def _forget(self) -> Iterator[None]:
        vega.bundle.cache_clear()
        yield
        vega.bundle.cache_clear()

    def test_it_is_kept_on_disk_and_cannot_end_its_tag(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = vega.bundle()
        assert "</script" not in made
        vega.bundle.cache_clear()
        monkeypatch.setattr("vl_convert.javascript_bundle", lambda snippet: pytest.fail("made twice"))
        assert vega.bundle() == made

    def test_a_file_cut_short_is_made_again(self, tmp_path: Path) -> None:
        made = vega.bundle()
        (kept,) = (tmp_path / "auditkit").iterdir()
        kept.write_text(made[:40])
        vega.bundle.cache_clear()
        assert vega.bundle() == made == kept.read_text()

    def test_a_folder_that_cannot_be_written_is_no_obstacle(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        assert "vegaEmbed" in vega.bundle()


def test_the_vega_in_use_has_the_fix_for_its_expression_hole() -> None:
    import vl_convert

    assert tuple(map(int, vl_convert.get_vega_version().split("."))) >= (6, 2, 0)  # CVE-2025-59840
