"""The heatmap of coverage stays small, names the worst hour of a cell, and shows what is covered least."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import altair as alt
import pandas as pd
import pytest

from auditkit import heatmap

START = datetime(2026, 11, 2, tzinfo=UTC)


def spans(
    *rows: tuple[str, int, int], region: str | None = "eu-central-1", table: str = "cloudtrail_events"
) -> pd.DataFrame:
    """State, first hour, end."""
    facts = [
        (table, "111122223333", region, state, START + timedelta(hours=first), START + timedelta(hours=end))
        for state, first, end in rows
    ]
    return pd.DataFrame(facts, columns=["table", "account_id", "region", "state", "start", "end"])


def cells(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    return next(iter(chart.to_dict()["datasets"].values()))


def test_an_hour_is_a_cell_while_there_is_room() -> None:
    chart = heatmap.hours_covered(spans(("seen", 0, 3), ("missing", 3, 4), ("quiet", 4, 24)))
    shown = cells(chart)
    assert [cell["state"] for cell in shown] == ["seen"] * 3 + ["missing"] + ["quiet"] * 20
    assert [cell["share"] for cell in shown] == [1] * 3 + [0] + [1] * 20
    assert chart.to_dict()["description"] == "23 of 24 hours of accounts and regions are covered; 1 missing."


def test_a_cell_of_many_hours_has_the_colour_of_the_worst_and_the_share_that_is_covered() -> None:
    shown = cells(
        heatmap.hours_covered(
            spans(("seen", 0, 24 * 30 + 5), ("blind", 24 * 30 + 5, 24 * 30 + 6), ("seen", 24 * 30 + 6, 24 * 60))
        )
    )
    worst = [cell for cell in shown if cell["state"] == "blind"]
    assert [round(cell["share"], 3) for cell in worst] == [round(23 / 24, 3)]
    assert len(shown) == 60


@pytest.mark.parametrize(("places", "days"), [(1, 1), (5, 30), (400, 30), (40, 365), (3, 36_500)])
def test_the_cells_fit_however_many_hours_there_are(places: int, days: int) -> None:
    frames = [
        spans(("seen", 0, 24 * days - n % 2), ("missing", 24 * days - n % 2, 24 * days), region=f"r{n:03}")[: 1 + n % 2]
        for n in range(places)
    ]
    chart = heatmap.hours_covered(pd.concat(frames, ignore_index=True))
    assert 0 < len(cells(chart)) <= 1_000
    rows = {cell["place"] for cell in cells(chart)}
    assert len(rows) == min(places, heatmap.ROWS)
    if places > heatmap.ROWS:
        assert all(int(row.split()[1][1:]) % 2 for row in rows), "the least covered are shown"
        assert f"the 40 least covered of {places} rows" in chart.to_dict()["description"]


def test_the_least_covered_stands_on_top_and_what_is_not_known_has_a_dash() -> None:
    frame = pd.concat(
        [spans(("seen", 0, 5)), spans(("seen", 0, 4), ("not proven", 4, 5), region=None, table="flow_records")]
    )
    chart = heatmap.hours_covered(frame.reset_index(drop=True)).to_dict()
    assert chart["encoding"]["y"]["sort"] == ["111122223333 - flows", "111122223333 eu-central-1 events"]
    assert chart["encoding"]["color"]["scale"]["domain"] == ["seen", "not proven"]
    assert chart["encoding"]["x"]["scale"]["type"] == "utc"


def test_nothing_is_still_a_chart() -> None:
    assert heatmap.hours_covered(spans()).to_dict()["description"].startswith("0 of 0 hours")
