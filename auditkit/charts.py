"""Altair charts of aggregated frames: about 1,000 marks at most, times on a UTC scale, readable in light and dark.

Column names of the input are arguments; inside a chart the fields have names of our own, so no log value ever becomes
one. Every chart carries its takeaway, one sentence from the data, as `description`.
"""

from __future__ import annotations

from typing import Any, cast

import altair as alt
import pandas as pd

MARKS = 1_000
MOST_IDENTITIES = 26  # lines of a matrix: what a screen shows at once; with twelve services, and three marks a cell
SEVERITY_COLOURS = {
    "critical": "#67001f", "high": "#d6342c", "medium": "#f0902a", "low": "#3f8fd0", "info": "#a9b4bf",
}  # fmt: skip
OUTCOME_COLOURS = {"ok": "#7a9cc0", "denied": "#d6342c", "error": "#f0902a"}
PALETTE = ("#3f7fbf", "#e08a2e", "#3f9b85", "#b5559c", "#8a7fd0", "#c9a227", "#6b8e3d", "#a9b4bf")
DENIED = "#d6342c"
ACTIVITY = "#3f7fbf"
OTHERS = "all others"
STEPS = {1: "hour", 3: "3 hours", 6: "6 hours", 12: "12 hours", 24: "day", 48: "2 days", 168: "7 days", 672: "28 days"}

_TEXT = {"labelColor": "currentColor", "titleColor": "currentColor", "labelFontSize": 12, "titleFontSize": 12}
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "system-ui, -apple-system, Segoe UI, Roboto, Liberation Sans, Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {
        **_TEXT,
        "titleFontWeight": "normal",
        "domainColor": "currentColor",
        "domainOpacity": 0.35,
        "gridColor": "currentColor",
        "gridOpacity": 0.1,
        "tickColor": "currentColor",
        "tickOpacity": 0.35,
        "labelLimit": 260,
        "labelPadding": 6,
        "titlePadding": 10,
        "aria": False,
    },
    "legend": {
        **_TEXT,
        "aria": False,
        "orient": "top",
        "titleFontWeight": "normal",
        "symbolType": "square",
        "offset": 12,
    },
    "text": {"color": "currentColor", "fontSize": 12},
    "mark": {"aria": False},  # the sentence and the table speak; hundreds of bars read out one by one do not
}

# The day where it begins, the time elsewhere, never a viewer's local one.
TIME_AXIS: dict[str, Any] = {
    "labelExpr": "utcFormat(datum.value, utchours(datum.value) + utcminutes(datum.value) == 0 ? '%d %b' : '%H:%M')",
    "labelOverlap": True,
    "labelSeparation": 12,
}

Frame = pd.DataFrame


def activity_over_time(
    frame: Frame, *, by: str = "outcome", time: str = "hour", count: str = "event_count"
) -> alt.TopLevelMixin:
    """Events over time, stacked by *by* (`outcome`, `service`, …); rows of the same hour and kind add up."""
    rows = _over_time(frame, time, by, count)
    order = _order(rows, "kind", OUTCOME_COLOURS)
    sentence = _busiest_time(rows, "events")
    return _stacked(rows, order, "Events", sentence)


def rejects_over_time(
    frame: Frame, *, by: str | None = None, time: str = "hour", count: str = "reject_count"
) -> alt.TopLevelMixin:
    """Rejected flow records over time, stacked by *by* (a direction, an interface) where given."""
    rows = _over_time(frame if by else frame.assign(kind="rejects"), time, by or "kind", count)
    sentence = _busiest_time(rows, "rejects")
    return _stacked(rows, _order(rows, "kind", {"rejects": DENIED}), "Rejects", sentence)


def activity_by_identity(
    frame: Frame,
    *,
    identity: str = "principal_name",
    service: str = "service",
    count: str = "event_count",
    denied: str = "denied_count",
) -> alt.TopLevelMixin:
    """Who used which service: shaded counts, a red dot where some were denied, the busiest identities on top."""
    rows = _summed(frame, {"identity": identity, "service": service}, {"events": count, "denied": denied})
    rows = rows[rows["events"] > 0]  # a logarithm shades the cells
    total = rows["identity"].nunique()
    rows = _busiest(rows, "service", "events", 12)
    by_identity = (
        rows.groupby("identity")[["events", "denied"]].sum().sort_values("events", ascending=False, kind="stable")
    )
    kept = _worth_a_line(by_identity)
    refused = int((by_identity["denied"] > 0).sum())
    if left := total - len(kept):
        rest = f"{left:,} more"
        rows = rows.assign(identity=rows["identity"].where(rows["identity"].isin(kept), rest))
        rows = rows.groupby(["identity", "service"], as_index=False, sort=False)[["events", "denied"]].sum()
        kept = [*kept, rest]
    sizes = rows.groupby("service")["events"].sum().sort_values(ascending=False, kind="stable")
    services = sorted(sizes.index, key=lambda name: name == OTHERS)  # however much they are, they come last
    shown = "1 identity" if total == 1 else f"{total:,} identities"
    if left:
        shown = f"{total - left} of {shown}, the busiest and those refused most, the others in the last line"
    sentence = f"{shown}; a red dot marks denied calls, which {f'{refused:,}' if refused else 'none'} of them had."
    rows = rows.assign(label=rows["events"].map(_compact))
    bare: dict[str, Any] = {"grid": False, "ticks": False, "domain": False}
    gaps = alt.Scale(paddingInner=0.06)
    across = alt.Axis(orient="top", labelAngle=-35, **bare)
    base = alt.Chart(rows).encode(
        x=alt.X("service:N", sort=services, title=None, axis=across, scale=gaps),
        y=alt.Y("identity:N", sort=list(kept), title=None, axis=alt.Axis(**bare), scale=gaps),
        tooltip=[
            alt.Tooltip("identity:N", title="Identity"),
            alt.Tooltip("service:N", title="Service"),
            alt.Tooltip("events:Q", title="Events", format=",d"),
            alt.Tooltip("denied:Q", title="Denied", format=",d"),
        ],
    )
    shade = alt.FillOpacity("events:Q", scale=alt.Scale(type="log", range=[0.14, 0.62]), legend=None)
    squares = base.mark_rect(fill=ACTIVITY, cornerRadius=3, stroke="none").encode(fillOpacity=shade)
    words = base.mark_text(fontSize=12).encode(text="label:N")
    dots = (
        base.transform_filter(alt.datum.denied > 0)
        .mark_circle(size=46, color=DENIED, opacity=1, xOffset=21)
        .encode(detail="denied:Q")
    )
    table = alt.layer(squares, words, dots)
    shaped = table.properties(width=alt.Step(54), height=alt.Step(30), description=sentence)
    return cast(alt.TopLevelMixin, shaped.configure(**CONFIG))


def findings_timeline(
    frame: Frame,
    *,
    title: str = "title",
    severity: str = "severity",
    first: str = "first_seen",
    last: str = "last_seen",
) -> alt.TopLevelMixin:
    """When each rule fired: a bar from first to last per finding, in the colour of its severity, the worst on top."""
    rows = pd.DataFrame(
        {
            "title": frame[title].astype(str),
            "severity": frame[severity].astype(str),
            "first": _utc(frame[first]),
            "last": _utc(frame[last]),
        }
    )
    worst = list(SEVERITY_COLOURS)
    rows["rank"] = rows["severity"].map({name: rank for rank, name in enumerate(worst)}).fillna(len(worst))
    rows = rows.sort_values(["rank", "first"], kind="stable")
    titles = list(dict.fromkeys(rows["title"]))[:40]
    rows = rows[rows["title"].isin(titles)].head(MARKS // 2)
    present = [name for name in worst if name in set(rows["severity"])]
    sentence = f"{len(rows)} findings of {len(titles)} rules"
    if len(rows):
        sentence += f" between {rows['first'].min():%Y-%m-%d %H:%M} and {rows['last'].max():%Y-%m-%d %H:%M} UTC"
    base = alt.Chart(rows.drop(columns="rank")).encode(
        x=alt.X("first:T", scale=alt.Scale(type="utc"), title="UTC", axis=alt.Axis(**TIME_AXIS)),
        y=alt.Y("title:N", sort=titles, title=None, axis=alt.Axis(grid=True, ticks=False, domain=False)),
        color=alt.Color(
            "severity:N",
            scale=alt.Scale(domain=present, range=[SEVERITY_COLOURS[name] for name in present]),
            sort=present,
            title=None,
            legend=alt.Legend(symbolOpacity=1),
        ),
        tooltip=[
            alt.Tooltip("title:N", title="Finding"),
            alt.Tooltip("severity:N", title="Severity"),
            alt.Tooltip("utcyearmonthdatehoursminutes(first):T", title="First seen (UTC)", format="%Y-%m-%d %H:%M"),
            alt.Tooltip("utcyearmonthdatehoursminutes(last):T", title="Last seen (UTC)", format="%Y-%m-%d %H:%M"),
        ],
    )
    bars = base.mark_bar(height=7, cornerRadius=3, opacity=0.75).encode(x2="last:T")
    points = base.mark_point(filled=True, size=85, opacity=1, shape="circle")
    return _sized(alt.layer(bars, points), len(titles), 26, f"{sentence}.")


def rejects_by_port(
    frame: Frame, *, port: str = "dstport", count: str = "reject_count", top: int = 15
) -> alt.TopLevelMixin:
    """Rejected flow records by destination port, the most refused first."""
    return _ranking(frame, port, count, "Port", "Rejects", top)


def top_addresses(
    frame: Frame, *, address: str = "srcaddr", heading: str = "Source", count: str = "reject_count", top: int = 15
) -> alt.TopLevelMixin:
    """The addresses that were refused most, as sources or, with their *heading*, as destinations."""
    return _ranking(frame, address, count, heading, "Rejects", top)


def _worth_a_line(identities: Frame) -> list[str]:
    """Of identities with `events` and `denied`, the busiest first: all if they are few, else the busiest of them and
    those that were refused most, in the same order."""
    if len(identities) <= MOST_IDENTITIES:
        return list(identities.index)
    refused = identities[identities["denied"] > 0].sort_values("denied", ascending=False, kind="stable")
    named = set(refused.index[: MOST_IDENTITIES // 3])
    named.update([name for name in identities.index if name not in named][: MOST_IDENTITIES - len(named)])
    return [name for name in identities.index if name in named]


# --- shared ---------------------------------------------------------------------------------------------------------


def _utc(series: pd.Series[Any]) -> pd.Series[Any]:
    return pd.to_datetime(series, utc=True)


def _compact(count: int) -> str:
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if count >= size:
            return f"{count / size:.1f}".removesuffix(".0") + unit if count < 10 * size else f"{count / size:.0f}{unit}"
    return str(count)


def _summed(frame: Frame, keys: dict[str, str], sums: dict[str, str]) -> Frame:
    """*frame* under our own names, keys as text, one row per combination of keys."""
    named = {new: frame[old].astype("string").fillna("unknown").astype(object) for new, old in keys.items()}
    counts = {new: pd.to_numeric(frame[old]).fillna(0).astype("int64") for new, old in sums.items()}
    return pd.DataFrame(named | counts).groupby(list(keys), as_index=False, sort=False)[list(sums)].sum()


def _busiest(rows: Frame, key: str, value: str, top: int) -> Frame:
    """*rows* with all but the *top* biggest of *key* added up as one."""
    sizes = rows.groupby(key)[value].sum().sort_values(ascending=False, kind="stable")
    if len(sizes) <= top:
        return rows
    rows = rows.assign(**{key: rows[key].where(rows[key].isin(sizes.index[: top - 1]), OTHERS)})
    others = [name for name in rows.columns if rows[name].dtype.kind not in "iu"]
    return rows.groupby(others, as_index=False, sort=False).sum()


def _over_time(frame: Frame, time: str, by: str, count: str) -> Frame:
    """Columns `time` (UTC, aware), `kind`, `events`; steps as fine as the number of marks allows."""
    if frame.empty:
        nothing = _summed(frame, {"kind": by}, {"events": count})
        return nothing.assign(time=pd.Series([], dtype="datetime64[us, UTC]"))
    rows = pd.DataFrame(
        {
            "time": _utc(frame[time]),
            "kind": frame[by].astype("string").fillna("unknown").astype(object),
            "events": pd.to_numeric(frame[count]).fillna(0).astype("int64"),
        }
    ).dropna(subset=["time"])
    rows = _busiest(rows, "kind", "events", len(PALETTE))
    for hours in STEPS:
        binned = rows.assign(time=rows["time"].dt.floor(f"{hours}h"))
        binned = binned.groupby(["time", "kind"], as_index=False)[["events"]].sum()
        if len(binned) <= MARKS:
            break
    binned.attrs["hours"] = hours
    return binned


def _busiest_time(rows: Frame, word: str) -> str:
    """How many there are, and when there were most."""
    total, steps = rows["events"].sum(), rows.groupby("time")["events"].sum()
    if not total:
        return f"No {word}."
    step = STEPS[rows.attrs["hours"]]
    return f"{total:,} {word}; the most, {steps.max():,}, in the {step} from {steps.idxmax():%Y-%m-%d %H:%M} UTC."


def _order(rows: Frame, key: str, colours: dict[str, str]) -> dict[str, str]:
    """What is in *key*, in a steady order, to its colour."""
    present = list(rows.groupby(key)["events"].sum().sort_values(ascending=False, kind="stable").index)
    if set(present) <= set(colours):
        return {name: colour for name, colour in colours.items() if name in present}
    return dict(zip(present, PALETTE, strict=False))


def _stacked(rows: Frame, colours: dict[str, str], heading: str, sentence: str) -> alt.TopLevelMixin:
    """Bars as wide as their step, stacked in the order of *colours*."""
    rank = {name: position for position, name in enumerate(colours)}
    rows = rows.assign(rank=rows["kind"].map(rank)).sort_values(["time", "rank"], kind="stable")
    top = rows.groupby("time")["events"].cumsum()
    hours = rows.attrs.get("hours", 1)
    rows = rows.assign(top=top, bottom=top - rows["events"], end=rows["time"] + pd.Timedelta(hours=hours))
    counted = alt.Axis(tickCount=5, format=",d", tickMinStep=1, domain=False, ticks=False)
    chart = (
        alt.Chart(rows.drop(columns="rank"), description=sentence)
        .mark_rect(stroke=None)
        .encode(
            x=alt.X("time:T", scale=alt.Scale(type="utc"), title="UTC", axis=alt.Axis(grid=False, **TIME_AXIS)),
            x2="end:T",
            y=alt.Y("bottom:Q", title=heading, axis=counted),
            y2="top:Q",
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=list(colours), range=list(colours.values())),
                title=None,
                legend=alt.Legend() if len(colours) > 1 else None,
            ),
            tooltip=[
                alt.Tooltip("utcyearmonthdatehoursminutes(time):T", title="From (UTC)", format="%Y-%m-%d %H:%M"),
                alt.Tooltip("kind:N", title="What"),
                alt.Tooltip("events:Q", title=heading, format=",d"),
            ],
        )
    )
    return cast(alt.TopLevelMixin, chart.properties(width="container", height=220).configure(**CONFIG))


def _ranking(frame: Frame, name: str, count: str, heading: str, word: str, top: int) -> alt.TopLevelMixin:
    rows = _summed(frame, {"name": name}, {"events": count}).sort_values("events", ascending=False, kind="stable")
    rows["name"] = rows["name"].str.removesuffix(".0")  # a bigint column with a NULL arrives as float64
    total = len(rows)
    rows = rows.head(top)
    sentence = "Nothing was rejected."
    if total:
        first = rows.iloc[0]
        sentence = f"{heading} {first['name']} leads with {first['events']:,} rejects; {total:,} different ones in all."
    base = alt.Chart(rows).encode(
        x=alt.X("events:Q", title=None, axis=None, scale=alt.Scale(nice=False)),
        y=alt.Y("name:N", sort=list(rows["name"]), title=None, axis=alt.Axis(ticks=False, domain=False)),
        tooltip=[alt.Tooltip("name:N", title=heading), alt.Tooltip("events:Q", title=word, format=",d")],
    )
    bars = base.mark_bar(color=ACTIVITY, cornerRadiusEnd=3, height=15)
    numbers = base.mark_text(align="left", dx=6).encode(text=alt.Text("events:Q", format=",d"))
    return _sized(alt.layer(bars, numbers), len(rows), 25, sentence)


def _sized(chart: Any, rows: int, step: int, sentence: str) -> alt.TopLevelMixin:
    shaped = chart.properties(width="container", height=max(60, rows * step), description=sentence)
    return cast(alt.TopLevelMixin, shaped.configure(**CONFIG))


__all__ = [
    "activity_by_identity",
    "activity_over_time",
    "findings_timeline",
    "rejects_by_port",
    "rejects_over_time",
    "top_addresses",
]
