"""Charts stay small, in UTC, and say in words what they show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import altair as alt
import pandas as pd
import pytest

from auditkit import charts
from tests.report_samples import finding

START = datetime(2026, 11, 1, tzinfo=UTC)


def hours(count: int, kinds: tuple[str, ...] = ("ok", "denied")) -> pd.DataFrame:
    rows = [(START + timedelta(hours=hour), kind, 1 + hour % 3) for hour in range(count) for kind in kinds]
    return pd.DataFrame(rows, columns=["hour", "outcome", "event_count"])


def identities(count: int, services: int = 4) -> pd.DataFrame:
    rows = [(f"role/r{n}", f"s{k}", 10 * (count - n) + k, n % 2) for n in range(count) for k in range(services)]
    return pd.DataFrame(rows, columns=["principal_name", "service", "event_count", "denied_count"])


def rows_of(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    (rows,) = chart.to_dict()["datasets"].values()
    return rows


def marks(chart: alt.TopLevelMixin) -> int:
    spec = chart.to_dict()
    return len(rows_of(chart)) * len(spec.get("layer", [1]))


@cache
def every_chart(empty: bool = False) -> dict[str, alt.TopLevelMixin]:
    cut = 0 if empty else None
    found = pd.DataFrame([finding(n).as_json() for n in range(3)])
    ports = pd.DataFrame({"dstport": [22, 3389, 22], "srcaddr": ["192.0.2.1"] * 3, "reject_count": [5, 1, 2]})
    ports = ports.assign(dstaddr="10.0.0.5")
    rejects = hours(24).rename(columns={"event_count": "reject_count"})
    return {
        "activity over time": charts.activity_over_time(hours(24)[:cut]),
        "activity by identity": charts.activity_by_identity(identities(5)[:cut]),
        "findings": charts.findings_timeline(found[:cut]),
        "rejects over time": charts.rejects_over_time(rejects[:cut]),
        "rejects by direction": charts.rejects_over_time(rejects[:cut], by="outcome"),
        "ports": charts.rejects_by_port(ports[:cut]),
        "sources": charts.top_addresses(ports[:cut]),
        "destinations": charts.top_addresses(ports[:cut], address="dstaddr", heading="Destination"),
    }


@pytest.mark.parametrize("name", every_chart())
def test_a_chart_fits_any_theme_and_describes_itself(name: str) -> None:
    spec = every_chart()[name].to_dict()
    assert spec["description"].endswith(".")
    assert spec["config"]["background"] == "transparent"
    assert spec["config"]["axis"]["labelColor"] == "currentColor"
    assert spec["width"] == ({"step": 54} if name == "activity by identity" else "container")


@pytest.mark.parametrize("name", every_chart())
def test_a_chart_of_nothing_is_still_a_chart(name: str) -> None:
    assert every_chart(empty=True)[name].to_dict()["description"]


@pytest.mark.parametrize("name", ["activity over time", "findings", "rejects over time"])
def test_time_is_drawn_in_utc(name: str) -> None:
    spec = every_chart()[name].to_dict()
    encoding = spec["layer"][0]["encoding"] if "layer" in spec else spec["encoding"]
    assert encoding["x"]["scale"]["type"] == "utc"
    assert "utc" in encoding["x"]["axis"]["labelExpr"]
    assert all("utc" in tip.get("timeUnit", "utc") for tip in encoding["tooltip"])


def test_field_names_are_our_own_whatever_the_columns_are_called() -> None:
    frame = hours(3).rename(columns={"hour": "t[0]", "outcome": "a:b", "event_count": "image"})
    chart = charts.activity_over_time(frame, time="t[0]", by="a:b", count="image")
    assert set(rows_of(chart)[0]) == {"time", "kind", "events", "top", "bottom", "end"}


def test_a_year_by_the_hour_is_drawn_in_steps_that_fit() -> None:
    chart = charts.activity_over_time(hours(24 * 365, ("ok", "denied", "error")))
    assert 100 < marks(chart) <= 1_000
    assert (
        sum(row["events"] for row in rows_of(chart)) == hours(24 * 365, ("ok", "denied", "error"))["event_count"].sum()
    )
    assert "in the 2 days from" in chart.to_dict()["description"]


def test_the_takeaway_names_the_busiest_time() -> None:
    frame = pd.concat(
        [hours(3, ("ok",)), pd.DataFrame({"hour": [START], "outcome": ["denied"], "event_count": [1000]})]
    )
    sentence = charts.activity_over_time(frame).to_dict()["description"]
    assert sentence == "1,006 events; the most, 1,001, in the hour from 2026-11-01 00:00 UTC."


def test_bars_of_one_hour_stand_on_each_other() -> None:
    rows = rows_of(charts.activity_over_time(hours(1)))
    assert [(row["kind"], row["bottom"], row["top"]) for row in rows] == [("ok", 0, 1), ("denied", 1, 2)]


def test_the_rarest_services_are_added_up_as_one() -> None:
    frame = hours(2, tuple(f"service{n}" for n in range(30)))
    kinds = {row["kind"] for row in rows_of(charts.activity_over_time(frame))}
    assert len(kinds) == len(charts.PALETTE)
    assert charts.OTHERS in kinds


@pytest.mark.parametrize(("count", "services"), [(5, 4), (60, 5), (400, 30)])
def test_identities_fit_however_many_there_are(count: int, services: int) -> None:
    chart = charts.activity_by_identity(identities(count, services))
    assert marks(chart) <= 1_000
    lines = {row["identity"] for row in rows_of(chart)}
    few = min(count, charts.MOST_IDENTITIES)
    assert len(lines) == (count if count == few else few + 1)
    said = f"{few} of {count} identities, the busiest" if count > few else f"{count} identities;"
    assert chart.to_dict()["description"].startswith(said)


def test_what_the_other_identities_did_is_added_up_in_the_last_line() -> None:
    frame = identities(60, 1)
    chart = charts.activity_by_identity(frame)
    rows = rows_of(chart)
    rest = f"{60 - charts.MOST_IDENTITIES} more"
    assert chart.to_dict()["layer"][0]["encoding"]["y"]["sort"][-1] == rest
    assert sum(row["events"] for row in rows) == frame["event_count"].sum()
    assert sum(row["denied"] for row in rows) == frame["denied_count"].sum()
    assert next(row for row in rows if row["identity"] == rest)["events"] > 0


def test_an_identity_that_was_refused_has_a_line_however_little_it_did() -> None:
    frame = identities(60, 1).assign(denied_count=0)
    frame.loc[len(frame)] = ["role/probed", "s0", 3, 3]
    chart = charts.activity_by_identity(frame)
    assert {"identity": "role/probed", "events": 3, "denied": 3}.items() <= next(
        row for row in rows_of(chart) if row["identity"] == "role/probed"
    ).items()
    assert "which 1 of them had" in chart.to_dict()["description"]


def test_the_busiest_identity_is_on_top() -> None:
    spec = charts.activity_by_identity(identities(3)).to_dict()
    assert spec["layer"][0]["encoding"]["y"]["sort"] == ["role/r0", "role/r1", "role/r2"]


def test_findings_keep_the_colours_of_their_severity_worst_first() -> None:
    frame = pd.DataFrame([finding(n, severity=s, title=s).as_json() for n, s in enumerate(["low", "critical", "high"])])
    encoding = charts.findings_timeline(frame).to_dict()["layer"][0]["encoding"]
    assert encoding["y"]["sort"] == ["critical", "high", "low"]
    assert encoding["color"]["scale"] == {
        "domain": ["critical", "high", "low"],
        "range": ["#67001f", "#d6342c", "#3f8fd0"],
    }


def test_ports_are_ranked_and_stay_whole_numbers() -> None:
    frame = pd.DataFrame({"dstport": [22.0, 3389.0, None], "reject_count": [5, 7, 1]})
    chart = charts.rejects_by_port(frame)
    assert [row["name"] for row in rows_of(chart)] == ["3389", "22", "unknown"]
    assert chart.to_dict()["description"] == "Port 3389 leads with 7 rejects; 3 different ones in all."
