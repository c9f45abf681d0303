"""The report in a real Chromium: it works offline, and nothing in it runs but our own scripts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import altair as alt
import pandas as pd
import pytest

from auditkit import charts
from auditkit.report import blocks
from auditkit.report.render import render
from tests.browser.conftest import Visit
from tests.report_samples import HOSTILE, START, evidence, finding, notebook

pytestmark = pytest.mark.browser
Open = Callable[..., Visit]

FINDINGS = [
    finding(1, severity="critical", evidence=tuple(f"c{n}" for n in range(12))),
    finding(2, severity="high", title="Secrets were read", outcome="denied"),
    finding(3, severity="high"),
    finding(4, severity="low"),
]


def activity() -> pd.DataFrame:
    rows = [(START + timedelta(hours=hour), kind, 5 + hour) for hour in range(30) for kind in ("ok", "denied")]
    return pd.DataFrame(rows, columns=["hour", "outcome", "event_count"])


def identities() -> pd.DataFrame:
    rows = [(f"role/a-rather-long-name-{n}", f"service{k}", n * 10 + k, n % 3) for n in range(12) for k in range(6)]
    return pd.DataFrame(rows, columns=["principal_name", "service", "event_count", "denied_count"])


def made(*, with_charts: bool) -> str:
    table = pd.DataFrame(
        {
            "name": [f"row-{n}" for n in range(20)],
            "events": [(n * 7) % 20 * 100 for n in range(20)],
            "severity": ["low", "critical", "medium", "high"] * 5,
            "formula": ["=1+1", "-5", "@x", "plain"] * 5,
            "arn": [f"arn:aws:iam::111122223333:role/with/a/long/path/{n}/" + "x" * 40 for n in range(20)],
        }
    )
    found = pd.DataFrame([item.as_json() for item in FINDINGS])
    drawn = [
        blocks.chart(charts.findings_timeline(found), title="When", data=found[["title"]]),
        blocks.chart(charts.activity_over_time(activity()), title="Over time", data=activity(), sql="SELECT 1"),
        blocks.chart(charts.activity_by_identity(identities()), title="Who", data=identities()),
    ]
    return render(
        notebook(
            "# Who did what",
            blocks.verdict("One role gave itself administrator rights.", severity="critical"),
            blocks.kpis([("Events", 12_345, "in the window")] * 5),
            "## Findings",
            blocks.findings(FINDINGS, evidence=evidence(FINDINGS), new={FINDINGS[1].id}),
            "## Activity",
            *(drawn if with_charts else []),
            blocks.table(table, title="Rows", about="Twenty of them.", sql="SELECT 'x'\nFROM t"),
            "## Coverage",
            blocks.coverage({"quarantined": [{"file": "a" * 120, "reason": "cut short"}], "files": {"read": 3}}),
            "## Provenance",
            blocks.provenance({"engine": "duckdb", "queries": [{"name": "rules", "sql": "SELECT 1"}]}),
        ),
        {"window": "2026-11-01 00:00:00 to 2026-11-08 00:00:00 UTC"},
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With charts, and so with the bundle that takes a while to start."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(made(with_charts=True), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without charts."""
    path = tmp_path_factory.mktemp("plain") / "report.html"
    path.write_text(made(with_charts=False), encoding="utf-8")
    return path


def test_charts_are_drawn_offline_without_a_single_request(visit: Open, report: Path) -> None:
    seen = visit(report)
    places = seen.page.locator("[data-chart]")
    assert places.count() == 3
    for number in range(3):
        assert places.nth(number).get_attribute("data-drawn") == "yes"
        assert places.nth(number).locator("svg .mark-rect path, svg .mark-symbol path").count() > 3
        assert (places.nth(number).locator(".vega-embed").get_attribute("aria-label") or "").endswith(".")
        assert places.nth(number).locator("svg [aria-label]").count() < 5
    seen.assert_quiet()


def test_a_tooltip_shows_the_values_as_text(visit: Open, report: Path) -> None:
    seen = visit(report)
    bar = seen.page.locator("[data-chart]").nth(1).locator(".mark-rect path").nth(4)
    bar.scroll_into_view_if_needed()
    bar.hover(force=True)
    seen.page.wait_for_selector(".tip:not([hidden])")
    assert "From (UTC)2026-11-01" in (seen.page.locator(".tip").text_content() or "")
    seen.assert_quiet()


def test_tables_sort_by_keyboard_as_numbers_and_as_severities(visit: Open, plain: Path) -> None:
    seen = visit(plain)
    box = seen.page.locator("[data-table='Rows']")

    def column(number: int) -> list[str]:
        return box.locator(f"tbody tr td:nth-child({number})").all_text_contents()

    box.locator("th[data-name=events] button").focus()
    seen.page.keyboard.press("Enter")
    assert column(2)[:3] == ["0", "100", "200"]
    assert column(2)[-1] == "1,900"
    assert box.locator("th[data-name=events]").get_attribute("aria-sort") == "ascending"
    seen.page.keyboard.press("Enter")
    assert column(2)[0] == "1,900"
    box.locator("th[data-name=severity] button").click()
    assert column(3)[0] == "low"
    assert column(3)[-1] == "critical"
    assert box.locator("th[data-name=events]").get_attribute("aria-sort") is None


def test_tables_are_searched_and_count_what_is_left(visit: Open, plain: Path) -> None:
    seen = visit(plain)
    box = seen.page.locator("[data-table='Rows']")
    box.locator("input").fill("ROW-1")
    assert box.locator("tbody tr:visible").count() == 11
    assert box.locator(".count").text_content() == "11 of 20 rows match"
    box.locator("input").fill("")
    assert box.locator(".count").text_content() == "20 rows"


def test_the_csv_holds_what_is_shown_and_no_formula(visit: Open, plain: Path) -> None:
    seen = visit(plain)
    box = seen.page.locator("[data-table='Rows']")
    box.locator("input").fill("row-0 low")
    with seen.page.expect_download() as download:
        box.locator(".csv").click()
    assert download.value.suggested_filename == "Rows.csv"
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == '"name","events","severity","formula","arn"'
    assert lines[1].startswith('"row-0","0","low","\'=1+1","arn:aws:iam::111122223333:role/')
    assert len(lines) == 2
    box.locator("input").fill("")
    with seen.page.expect_download() as download:
        box.locator(".csv").click()
    formulas = [
        line.split('","')[3] for line in download.value.path().read_text(encoding="utf-8-sig").splitlines()[1:5]
    ]
    assert formulas == ["'=1+1", "-5", "'@x", "plain"]


def test_severity_chips_filter_the_findings(visit: Open, plain: Path) -> None:
    seen = visit(plain)
    cards = seen.page.locator("details.finding:visible")
    assert cards.count() == 4
    seen.page.locator("[data-filter=high]").click()
    assert cards.count() == 2
    seen.page.locator("[data-filter=critical]").click()
    assert cards.count() == 3
    assert seen.page.locator(".finding-tools .count").text_content() == "3 of 4 shown"
    seen.page.locator("[data-filter-new]").click()
    assert cards.count() == 1
    seen.page.locator("[data-filter-new]").click()
    seen.page.locator(".finding-tools input").fill("secrets")
    assert cards.count() == 1
    seen.page.locator(".counts a[data-pick=low]").click()
    assert cards.count() == 1
    assert "low" in (cards.first.locator(".badge").text_content() or "")


def test_a_link_to_a_finding_opens_it_whatever_is_filtered(visit: Open, plain: Path) -> None:
    seen = visit(plain, f"#finding-{FINDINGS[2].id}")
    card = seen.page.locator(f"#finding-{FINDINGS[2].id}")
    assert card.get_attribute("open") is not None
    assert card.is_visible()
    seen.page.locator("[data-filter=low]").click()
    assert not card.is_visible()
    seen.page.evaluate(f"location.hash = 'finding-{FINDINGS[0].id}'")
    seen.page.wait_for_selector(f"#finding-{FINDINGS[0].id}[open]")
    assert seen.page.locator(f"#finding-{FINDINGS[0].id}").is_visible()
    seen.page.evaluate("location.hash = '%E0%A4%A'")
    seen.assert_quiet()


def test_the_theme_switches_and_charts_follow(visit: Open, report: Path) -> None:
    seen = visit(report, color_scheme="light")

    def colours() -> tuple[str, str]:
        label = "document.querySelector('.role-axis-label text')"
        return (
            seen.page.evaluate("getComputedStyle(document.body).backgroundColor"),
            seen.page.evaluate(f"getComputedStyle({label}).fill"),
        )

    light = colours()
    seen.page.locator("#theme").click()
    dark = colours()
    assert light[0] != dark[0]
    assert light[1] != dark[1]
    assert (
        visit(report, color_scheme="dark").page.evaluate("getComputedStyle(document.body).backgroundColor") == dark[0]
    )


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_no_width_scrolls_the_page_sideways(visit: Open, report: Path, width: int) -> None:
    seen = visit(report, width=width)
    seen.page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    wide = seen.page.evaluate(
        """(width) => [...document.querySelectorAll('main *')]
            .filter((node) => !node.closest('.scroll, .canvas, pre, svg'))
            .filter((node) => node.getBoundingClientRect().right > width + 1)
            .map((node) => node.outerHTML.slice(0, 80))""",
        width,
    )
    assert wide == []


def test_without_scripts_everything_but_the_charts_can_be_read(visit: Open, report: Path) -> None:
    seen = visit(report, java_script_enabled=False)
    assert seen.page.locator("text=The chart needs scripts").count() == 3
    assert seen.page.locator("[data-table='Rows'] tbody tr").count() == 20
    seen.page.locator("details.finding summary").first.click()
    assert seen.page.locator("text=Detach the policy.").first.is_visible()
    assert not seen.page.locator(".csv").first.is_visible()
    seen.assert_quiet()


def test_printing_opens_what_is_folded_and_folds_it_again(visit: Open, report: Path, tmp_path: Path) -> None:
    seen = visit(report, color_scheme="dark")
    folded = seen.page.locator("details:not([open])").count()
    pdf = seen.page.pdf(prefer_css_page_size=True, print_background=True)
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") >= 3
    assert seen.page.locator("details:not([open])").count() == folded
    seen.page.emulate_media(media="print", color_scheme="dark")
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not seen.page.locator("nav.contents").is_visible()


def test_everything_that_acts_can_be_reached_and_is_named(visit: Open, plain: Path) -> None:
    seen = visit(plain)
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.className") == "skip"
    nameless = seen.page.evaluate(
        """() => [...document.querySelectorAll('button, input, a, [role=region], nav, summary')]
            .filter((node) => !(node.getAttribute('aria-label') || node.textContent.trim()))
            .map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    assert seen.page.locator("h1").count() == 1


def contrast(seen: Visit, selector: str) -> float:
    """Contrast of an element's text against the first background behind it (WCAG 2.2)."""
    return float(
        seen.page.evaluate(
            """(selector) => {
                const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
                const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
                    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
                    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
                const node = document.querySelector(selector);
                let behind = node;
                while (parts(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
                const a = light(parts(getComputedStyle(node).color));
                const b = light(parts(getComputedStyle(behind).backgroundColor));
                return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            }""",
            selector,
        )
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(visit: Open, plain: Path, scheme: str) -> None:
    seen = visit(plain, color_scheme=scheme)
    badges = [f".counts .badge.{severity}" for severity in ("critical", "high", "medium", "low", "info")]
    others = [
        "main",
        ".byline",
        ".about",
        ".outcome.denied",
        ".kpis dt",
        ".problems li",
        ".contents a",
        ".count",
        "td .badge",
    ]
    for selector in badges + others:
        assert contrast(seen, selector) >= 4.5, selector


def test_hostile_values_run_nothing_and_ask_for_nothing(visit: Open, tmp_path: Path) -> None:
    evil = [text for text in HOSTILE if text != "\ud800"]
    frame = pd.DataFrame(
        {"event_id": evil, "user_agent": evil, "image": evil, "url": evil, "count": range(30, 30 + len(evil))}
    )
    found = [
        finding(
            n,
            title=text,
            principal_arn=text,
            resource=text,
            source_ips=(text,),
            summary=text,
            evidence=tuple(evil),
            sql=text,
        )
        for n, text in enumerate(evil)
    ]
    timeline = pd.DataFrame([item.as_json() for item in found])
    calls = pd.DataFrame({"principal_name": evil, "service": evil, "event_count": 3, "denied_count": 1})
    tips = (
        alt.Chart(frame, title=evil[0])
        .mark_bar()
        .encode(
            x="count:Q",
            y=alt.Y("user_agent:N", title=evil[1]),
            color="image:N",
            tooltip=["image:N", "url:N", "user_agent:N"],
        )
    )
    html = render(
        notebook(
            "# Report",
            *[blocks.verdict(text, text, severity="high") for text in evil],
            blocks.kpis([(text, text, text) for text in evil]),
            *[blocks.note(text) for text in evil],
            blocks.findings(found, evidence=frame, labels={"user_agent": evil[0]}),
            blocks.chart(charts.findings_timeline(timeline), title=evil[0], data=timeline[["title"]]),
            blocks.chart(charts.activity_by_identity(calls), title=evil[2], about=evil[2], data=calls),
            blocks.chart(tips, title=evil[3], about=evil[3], data=frame),
            *[blocks.table(frame.rename(columns={"url": text}), title=text, about=text, sql=text) for text in evil],
            blocks.coverage({"cannot_see": evil, "quarantined": [{"file": text, text: text} for text in evil]}),
            blocks.provenance({"window": evil[0], "queries": [{"name": text, "sql": text} for text in evil]}),
            {"text/html": "<script>window.pwned=1</script>", "text/plain": "x"},
        ),
        {"title": evil[2], "window": evil[1], "generated": evil[3]},
    )
    with_policy, without = tmp_path / "a.html", tmp_path / "b.html"
    with_policy.write_text(html, encoding="utf-8")
    without.write_text(html.replace('http-equiv="Content-Security-Policy"', 'name="off"'), encoding="utf-8")
    for path in (with_policy, without):  # escaping holds by itself, the policy is the second wall
        seen = visit(path)
        assert seen.page.locator("[data-drawn=yes]").count() == 3
        bars = seen.page.locator("[data-chart]").nth(2).locator(".mark-rect path")
        for number in range(6):
            bars.nth(number).scroll_into_view_if_needed()
            bars.nth(number).hover(force=True)
            seen.page.wait_for_selector(".tip:not([hidden])")
            bars.nth(number).click(force=True)
        assert "pwned" in (seen.page.locator(".tip").text_content() or "")
        seen.page.locator(".finding-tools input").fill("<script>")
        seen.page.locator(".unfold").click()
        seen.page.locator("details.finding:visible th button").first.click()
        with seen.page.expect_download():
            seen.page.locator("details.finding:visible .csv").first.click()
        seen.page.wait_for_timeout(200)
        assert seen.page.evaluate("window.pwned") is None
        assert seen.page.locator("img, iframe, main script").count() == 0
        seen.assert_quiet()


def test_hidden_characters_are_drawn_visibly_in_charts_too(visit: Open, tmp_path: Path) -> None:
    frame = pd.DataFrame({"srcaddr": ["txt\u202eexe.png", "bell\x07"], "reject_count": [2, 1]})
    path = tmp_path / "a.html"
    path.write_text(
        render(notebook(blocks.chart(charts.top_addresses(frame), title="c", data=frame))), encoding="utf-8"
    )
    labels = visit(path).page.locator(".role-axis-label text").all_text_contents()
    assert labels == ["txt\\u202eexe.png", "bell\\u0007"]
