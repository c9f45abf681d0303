"""The plan of docs/athena.md: what its tables say follows from what it assumes, and from what was measured."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import pytest

from auditkit.catalogue import Catalogue
from auditkit.cli import cli
from tests import plan
from tests.docs import DOCS

TEXT = plan.PAGE.read_text(encoding="utf-8")
PERFORMANCE = (DOCS / "performance.md").read_text(encoding="utf-8")
UNITS = {"TB": 1e12, "GB": 1e9, "MB": 1e6, "B": 1, "million": 1e6, "h": 3600, "min": 60, "s": 1}
POWERS = {"10⁹": "1e9", "10⁶": "1e6", "10⁴": "1e4", "10⁻⁶": "1e-6"}
NUMBER = re.compile(r"(\$?)([\d,]*\.?\d+)(%?)(?: (TB|GB|MB|B|million|h|min|s)\b)?")


def rows() -> Iterator[tuple[str, str, str]]:
    """Every arithmetic of the page, with what it is said to give."""
    for name in plan.SECTIONS:
        part = TEXT.partition(plan.MARK.format(name))[2].partition(plan.END.format(name))[0]
        table = [
            [cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")
        ]
        places = [at for at, title in enumerate(table[0]) if title == "arithmetic"] if table else []
        for row in table[2:]:
            for at in places:
                yield f"{name}: {row[0]}", row[at], row[at + 1]


def value(text: str, *, in_dollars: bool) -> float:
    """What an arithmetic gives, in bytes, seconds or dollars; an hour that is paid for is one, and so is a terabyte."""

    def plain(found: re.Match[str]) -> str:
        _, digits, percent, unit = found.groups()
        scale = 1.0 if unit is None or in_dollars else UNITS[unit]
        return f"({digits.replace(',', '')} * {scale / (100 if percent else 1)})"

    for power, written in POWERS.items():
        text = text.replace(power, f"@{written}@")
    parts = [part if at % 2 else NUMBER.sub(plain, part) for at, part in enumerate(text.split("@"))]
    spelled = re.sub(r"\b(GET|PUT|million|h|min|s|B)\b", "", "".join(parts)).replace("×", "*").replace("−", "-")
    assert re.fullmatch(r"[\d.e()*/+\- ]+", spelled), spelled
    return float(eval(spelled))


def digits(text: str) -> float:
    """Half of the last digit that *text* shows, in its unit."""
    dollar, shown, _, unit = next(NUMBER.finditer(text)).groups()
    places = len(shown.partition(".")[2])
    return 0.51 * 10**-places * (UNITS[unit] if unit and not dollar else 1)


@pytest.mark.parametrize(("what", "arithmetic", "result"), list(rows()))
def test_every_line_of_the_plan_can_be_worked_out_from_what_it_shows(what: str, arithmetic: str, result: str) -> None:
    is_paid = result.startswith("$") or "$" in arithmetic
    given, said = value(arithmetic, in_dollars=is_paid), value(result, in_dollars=is_paid)
    rounded_up = math.ceil(given) if result.replace(",", "").isdigit() else given
    assert said == pytest.approx(given, abs=digits(result)) or said == rounded_up, (
        f"{what}: {arithmetic} = {given}, not {said}"
    )


def test_there_is_much_to_work_out() -> None:
    assert len(list(rows())) > 30


def test_the_page_is_in_step() -> None:
    assert plan.filled(TEXT) == TEXT, "docs/athena.md is out of step: run `python -m tests.plan`"


@pytest.mark.parametrize(
    "measured",
    [
        f"CPU of ingest, readers included / CPU of inflating the same files with isal and doing nothing else | 9.0 ({plan.INGEST_S} s",
        f"{plan.INGEST_WALL_S} s wall",
        f"store / gz, after ingest | {plan.INGESTED}",
        f"store / gz, after `auditkit compact` | {plan.COMPACT}",
        f"{plan.FLOW_LINES_S} M lines/s",
        "8,924 / 7,703 ms",
    ],
)
def test_what_was_measured_is_what_performance_says(measured: str) -> None:
    assert measured in PERFORMANCE
    assert round(7.703, 1) == plan.RULES_S


def test_the_words_have_the_figures_of_the_tables() -> None:
    for figure in (
        f"`activity/by_identity` reads {plan.SHARES['activity/by_identity']:.1%} of it",
        f"`activity/timeline` {plan.SHARES['activity/timeline']:.1%}",
        f"the {plan.OBJECTS / plan.MILLION:.1f} million",
        f"{plan.FINGERPRINT_B} bytes of memory",
        f"each file of {plan.PART_ROWS:,} events",
    ):
        assert figure in " ".join(TEXT.split())
    hours = next(result for what, _, result in rows() if what.startswith(f"report: all {plan.REPORTS}"))
    assert float(hours.removesuffix(" h")) / 7 < 8  # seven machines are done in the night


def test_the_page_names_no_option_and_no_question_that_is_none() -> None:
    known = {
        option
        for command in [*cli.commands.values(), *getattr(cli.commands.get("athena"), "commands", {}).values()]
        for parameter in command.params
        for option in parameter.opts
    }
    own = re.findall(r"^auditkit .*(?:\n {4,}.*)*", TEXT, re.MULTILINE)
    for name in re.findall(r"`?auditkit query (\S+)", TEXT):
        assert Catalogue.load().get(name)
    used = {option for block in own for option in re.findall(r"(?<![\w-])--[a-z-]+", block)}
    assert used
    assert used <= known
