"""An Altair heatmap of coverage: accounts and regions down, time across, the colour of the worst hour in each cell."""

from __future__ import annotations

from typing import Any, cast

import altair as alt
import numpy as np
import pandas as pd

from auditkit.charts import CONFIG, MARKS, STEPS, TIME_AXIS

# From harmless to worst. Under each colour blindness any two are at least 25 apart in Lab; the legend names them all.
COLOURS = {
    "seen": "#6f9fce",
    "quiet": "#c3d5e8",
    "not proven": "#9a9184",
    "blind": "#5b3a8e",
    "quarantined": "#f2a33a",
    "missing": "#c8102e",
}
COVERED = ("seen", "quiet")
ROWS = 40
COLUMNS = 96  # narrower cells could not be told apart, or pointed at


def hours_covered(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """How well each account and region is covered over time, the least covered on top.

    Args:
        frame: Spans, with the columns `table`, `account_id`, `region`, `state` (one of COLOURS), `start`, `end`.
    """
    rows = pd.DataFrame(
        {
            "place": _places(frame),
            "state": frame["state"].astype(str),
            "start": pd.to_datetime(frame["start"], utc=True),
            "end": pd.to_datetime(frame["end"], utc=True),
        }
    )
    rows["hours"] = _in_hours(rows["end"] - rows["start"]).astype("int64")
    sentence = _sentence(rows)
    order = _least_covered_first(rows)
    if len(order) > ROWS:
        sentence = f"{sentence} Shown are the {ROWS} least covered of {len(order):,} rows."
    rows = rows[rows["place"].isin(order[:ROWS])]
    cells = _cells(rows, len(order[:ROWS]))
    present = [state for state in COLOURS if state in set(cells["state"])]
    base = alt.Chart(cells, description=sentence).mark_rect(stroke=None, cornerRadius=1)
    chart = base.encode(
        x=alt.X("start:T", scale=alt.Scale(type="utc"), title="UTC", axis=alt.Axis(grid=False, **TIME_AXIS)),
        x2="end:T",
        y=alt.Y(
            "place:N",
            sort=order[:ROWS],
            title=None,
            axis=alt.Axis(grid=False, ticks=False, domain=False),
            scale=alt.Scale(paddingInner=0.25),
        ),
        color=alt.Color(
            "state:N",
            scale=alt.Scale(domain=present, range=[COLOURS[state] for state in present]),
            sort=present,
            title=None,
        ),
        tooltip=[
            alt.Tooltip("place:N", title="Where"),
            alt.Tooltip("utcyearmonthdatehoursminutes(start):T", title="From (UTC)", format="%Y-%m-%d %H:%M"),
            alt.Tooltip("utcyearmonthdatehoursminutes(end):T", title="To (UTC)", format="%Y-%m-%d %H:%M"),
            alt.Tooltip("state:N", title="Worst hour"),
            alt.Tooltip("share:Q", title="Hours covered", format=".0%"),
        ],
    )
    shaped = chart.properties(width="container", height=max(60, 26 * len(order[:ROWS])))
    return cast(alt.TopLevelMixin, shaped.configure(**CONFIG))


def _places(frame: pd.DataFrame) -> Any:
    """Account, region and kind of log as one text."""
    known = {"cloudtrail_events": "events", "flow_records": "flows"}
    where = frame[["account_id", "region"]].astype("string").fillna("-")
    return where["account_id"] + " " + where["region"] + " " + frame["table"].map(known).fillna("records")


def _in_hours(times: pd.Series[Any]) -> Any:
    return times.dt.total_seconds() / 3600


def _sentence(rows: pd.DataFrame) -> str:
    hours = rows.groupby("state")["hours"].sum().to_dict()
    total, covered = sum(hours.values()), sum(hours.get(state, 0) for state in COVERED)
    lacking = "".join(
        f"; {hours[state]:,} {state}" for state in reversed(COLOURS) if hours.get(state) and state not in COVERED
    )
    return f"{covered:,} of {total:,} hours of accounts and regions are covered{lacking}."


def _least_covered_first(rows: pd.DataFrame) -> list[str]:
    lacking = rows["hours"].where(~rows["state"].isin(COVERED), 0)
    return list(lacking.groupby(rows["place"], sort=True).sum().sort_values(ascending=False, kind="stable").index)


def _cells(rows: pd.DataFrame, places: int) -> pd.DataFrame:
    """Columns place, start, end, state (the worst), share of hours covered; steps as fine as the marks allow."""
    if rows.empty:
        return pd.DataFrame({"place": [], "start": [], "end": [], "state": [], "share": []})
    first, last = rows["start"].min(), rows["end"].max()
    columns = max(1, min(COLUMNS, MARKS // places))
    step = next((h for h in STEPS if (last - first) / pd.Timedelta(hours=h) <= columns - 1), None)
    step = step or int((last - first) / pd.Timedelta(hours=1) / (columns - 1)) + 1
    wide = pd.Timedelta(hours=step)
    begin, end = (rows["start"] - first.floor(wide)) // wide, -(-(rows["end"] - first.floor(wide)) // wide)
    touched = (end - begin).to_numpy()
    apart = rows.loc[rows.index.repeat(touched)].reset_index(drop=True)
    number = (
        np.repeat(begin.to_numpy(), touched) + np.arange(touched.sum()) - np.repeat(touched.cumsum() - touched, touched)
    )
    apart["from"] = first.floor(wide) + number * wide
    apart["to"] = apart["from"] + wide
    apart["start"], apart["end"] = apart[["start", "from"]].max(axis=1), apart[["end", "to"]].min(axis=1)
    apart["hours"] = _in_hours(apart["end"] - apart["start"])
    apart["covered"] = apart["hours"].where(apart["state"].isin(COVERED), 0)
    apart["rank"] = apart["state"].map({state: rank for rank, state in enumerate(COLOURS)})
    cells = apart.groupby(["place", "from"], as_index=False).agg(
        start=("start", "min"),
        end=("end", "max"),
        rank=("rank", "max"),
        hours=("hours", "sum"),
        covered=("covered", "sum"),
    )
    cells["state"] = cells["rank"].map(dict(enumerate(COLOURS)))
    cells["share"] = cells["covered"] / cells["hours"]
    return cells[["place", "start", "end", "state", "share"]]
