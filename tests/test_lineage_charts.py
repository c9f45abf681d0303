"""The picture of a lineage reads from the origin down, and the timeline has the network below the calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import altair as alt
import pandas as pd
import pytest

from auditkit.lineage_charts import MOST_LANES, MOST_NODES, NETWORK, lineage_picture, subject_timeline

START = datetime(2026, 11, 1, tzinfo=UTC)
COLUMNS = ["node", "parent", "name", "detail", "place", "certainty"]


def chain(length: int) -> pd.DataFrame:
    rows = [
        (f"n{n}", f"n{n - 1}" if n else None, f"role/r{n}", "AssumeRole", "between" if n else "origin", "proven")
        for n in range(length)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def rows_of(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    (rows,) = chart.to_dict()["datasets"].values()
    return rows


def description(chart: alt.TopLevelMixin) -> str:
    return str(chart.to_dict()["description"])


def test_a_chain_goes_down_and_to_the_right() -> None:
    rows = rows_of(lineage_picture(chain(4)))
    assert [(row["line"], row["depth"], row["parent_line"]) for row in rows] == [
        (0, 0, -1), (1, 1, 0), (2, 2, 1), (3, 3, 2),
    ]  # fmt: skip


def test_every_identity_stands_below_the_one_it_came_from() -> None:
    frame = pd.DataFrame(
        [("a", None), ("b", None), ("a1", "a"), ("b1", "b"), ("a2", "a"), ("a11", "a1")], columns=["node", "parent"]
    ).assign(detail="", place="between", certainty="likely")
    rows = rows_of(lineage_picture(frame.assign(name=frame["node"])))
    assert [row["name"] for row in rows] == ["a", "a1", "a11", "a2", "b", "b1"]
    assert [row["depth"] for row in rows] == [0, 1, 2, 1, 0, 1]
    assert [row["parent_line"] for row in rows] == [-1, 0, 1, 0, -1, 4]


def test_the_weakest_step_is_named() -> None:
    frame = chain(3)
    assert "The weakest step is proven." in description(lineage_picture(frame))
    frame.loc[1, "certainty"] = "likely"
    assert "The weakest step is likely." in description(lineage_picture(frame))
    frame.loc[2, "certainty"] = "unknown"
    assert "The weakest step is unknown." in description(lineage_picture(frame))


def test_of_very_many_the_first_are_drawn_with_all_that_leads_to_them() -> None:
    many = pd.concat([chain(4), *(chain(4).assign(parent="n3", node=f"m{n}", name=f"m{n}")[:1] for n in range(500))])
    chart = lineage_picture(many)
    assert len(rows_of(chart)) == MOST_NODES
    assert f"{504 - MOST_NODES} more are not drawn." in description(chart)
    assert [row["name"] for row in rows_of(chart)][:5] == ["role/r0", "role/r1", "role/r2", "role/r3", "m0"]


def test_a_loop_does_not_hang() -> None:
    frame = chain(3)
    frame.loc[0, "parent"] = "n2"
    assert rows_of(lineage_picture(frame)) == []


def test_nothing_to_draw_is_drawn() -> None:
    assert rows_of(lineage_picture(chain(0))) == []
    empty = pd.DataFrame({"time": [], "service": [], "event_count": [], "denied_count": []})
    assert rows_of(subject_timeline(empty)) == []


def events(count: int, services: int = 3) -> pd.DataFrame:
    rows = [(START + timedelta(hours=hour), f"s{n}", 1 + n, hour % 2) for hour in range(count) for n in range(services)]
    return pd.DataFrame(rows, columns=["time", "service", "event_count", "denied_count"])


def rejects(count: int) -> pd.DataFrame:
    return pd.DataFrame({"time": [START + timedelta(hours=n) for n in range(count)], "reject_count": [7] * count})


def test_the_network_is_the_last_lane() -> None:
    chart = subject_timeline(events(4), rejects(4))
    assert chart.to_dict()["layer"][0]["encoding"]["y"]["sort"] == ["s2", "s1", "s0", NETWORK]
    assert description(chart) == "24 calls, 6 of them denied (a red dot); 28 rejected flow records."


def test_without_rejects_there_is_no_lane_for_them() -> None:
    chart = subject_timeline(events(4), rejects(0))
    assert NETWORK not in {row["lane"] for row in rows_of(chart)}
    assert description(chart) == "24 calls, 6 of them denied (a red dot)."


@pytest.mark.parametrize(("hours", "services"), [(5, 2), (24 * 90, 3), (400, 40)])
def test_a_timeline_is_small_and_loses_nothing(hours: int, services: int) -> None:
    frame = events(hours, services)
    rows = rows_of(subject_timeline(frame))
    assert len({row["lane"] for row in rows}) <= MOST_LANES
    assert len(rows) <= 1_000
    assert sum(row["events"] for row in rows) == frame["event_count"].sum()
    assert sum(row["denied"] for row in rows) == frame["denied_count"].sum()
