"""Pictures of one subject: how it came to be, step by step, and what it did when, beside what the network refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, cast

import altair as alt
import pandas as pd

from auditkit.charts import ACTIVITY, CONFIG, DENIED, TIME_AXIS

Frame = pd.DataFrame

MOST_NODES = 40  # of a picture; the others are counted
MOST_LANES = 14  # of a timeline
MOST_STEPS = 48  # of time; lanes times steps stay below a thousand marks
NETWORK = "rejected traffic"
NODE_COLOURS = {"origin": "#3f9b85", "subject": "#e08a2e", "between": "#3f7fbf"}
DASHES = {"proven": [1, 0], "likely": [7, 4], "unknown": [2, 4]}
_STEPS_S = (60, 300, 900, 1_800, 3_600, 3 * 3_600, 6 * 3_600, 86_400, 2 * 86_400, 7 * 86_400, 28 * 86_400)
_INDENT, _ROW, _WIDTH = 30, 34, 860


def lineage_picture(nodes: Frame) -> alt.TopLevelMixin:
    """Identities as a tree that reads from its roots down: whoever is indented got credentials from the line above it.

    Args:
        nodes: One row an identity: `node` and `parent` (ids; NULL for a root), `name` and `detail` (text for people),
            `place` (`origin`, `subject`, `between`), `certainty` (`proven`, `likely`, `unknown`). Of many, the first
            are drawn with all that leads to them, and the sentence counts the others.
    """
    drawn = _laid_out(nodes)
    left = len(nodes) - len(drawn)
    weakest = next((word for word in reversed(DASHES) if word in set(drawn["certainty"])), "proven")
    sentence = f"{len(drawn):,} {'identity' if len(drawn) == 1 else 'identities'}, the origin first; a line is solid"
    sentence += f" where an event proves the step, dashed where it is likely. The weakest step is {weakest}."
    if left:
        sentence += f" {left:,} more are not drawn."
    deep = int(drawn["depth"].max()) if len(drawn) else 0
    x = alt.Scale(domain=[0, _WIDTH / _INDENT], nice=False, zero=False)
    y = alt.Scale(domain=[-0.5, max(1, len(drawn)) - 0.5], nice=False, zero=False, reverse=True)
    across, down = alt.X("depth:Q", scale=x, axis=None), alt.Y("line:Q", scale=y, axis=None)
    base = alt.Chart(drawn).encode(across, down)
    steps = base.transform_filter(alt.datum.parent_line >= 0)
    styled = alt.StrokeDash(
        "certainty:N", scale=alt.Scale(domain=list(DASHES), range=list(DASHES.values())), title=None, legend=None
    )
    drop = steps.mark_rule(color="currentColor", opacity=0.55, strokeWidth=1.5).encode(
        x=alt.X("parent_depth:Q", scale=x, axis=None),
        y=alt.Y("parent_line:Q", scale=y, axis=None),
        y2="line:Q",
        strokeDash=styled,
    )
    reach = steps.mark_rule(color="currentColor", opacity=0.55, strokeWidth=1.5).encode(
        x=alt.X("parent_depth:Q", scale=x, axis=None), x2="depth:Q", strokeDash=styled
    )
    dots = base.mark_circle(size=110, opacity=1).encode(
        color=alt.Color(
            "place:N",
            scale=alt.Scale(domain=list(NODE_COLOURS), range=list(NODE_COLOURS.values())),
            title=None,
            legend=alt.Legend(symbolType="circle"),
        ),
        tooltip=[
            alt.Tooltip("name:N", title="Identity"),
            alt.Tooltip("detail:N", title="How"),
            alt.Tooltip("certainty:N", title="Certainty"),
        ],
    )
    room = _WIDTH - (deep + 1) * _INDENT
    names = base.mark_text(align="left", dx=12, dy=-6, fontWeight="bold", limit=room).encode(text="name:N")
    details = base.mark_text(align="left", dx=12, dy=9, fontSize=11, opacity=0.8, limit=room).encode(text="detail:N")
    picture = alt.layer(drop, reach, dots, names, details)
    shaped = picture.properties(width=_WIDTH, height=max(1, len(drawn)) * _ROW, description=sentence)
    return cast(alt.TopLevelMixin, shaped.configure(**CONFIG))


def subject_timeline(events: Frame, rejects: Frame | None = None) -> alt.TopLevelMixin:
    """What a subject did when: a lane for each service, the refused traffic below them, on one axis of time.

    Args:
        events: `time`, `service`, `event_count`, `denied_count`; rows of the same step and service add up.
        rejects: `time`, `reject_count`: the rejects that concern the subject.
    """
    rows = _lanes(events, rejects)
    lanes = [lane for lane in dict.fromkeys(rows["lane"]) if lane != NETWORK]
    lanes += [NETWORK] if NETWORK in set(rows["lane"]) else []
    calls, refused = rows[rows["lane"] != NETWORK], rows[rows["lane"] == NETWORK]
    sentence = f"{calls['events'].sum():,} calls, {calls['denied'].sum():,} of them denied (a red dot)"
    sentence += f"; {refused['events'].sum():,} rejected flow records." if len(refused) else "."
    base = alt.Chart(rows.assign(is_network=rows["lane"] == NETWORK)).encode(
        x=alt.X("time:T", scale=alt.Scale(type="utc"), title="UTC", axis=alt.Axis(grid=False, **TIME_AXIS)),
        y=alt.Y("lane:N", sort=lanes, title=None, axis=alt.Axis(grid=True, ticks=False, domain=False)),
        tooltip=[
            alt.Tooltip("utcyearmonthdatehoursminutes(time):T", title="From (UTC)", format="%Y-%m-%d %H:%M"),
            alt.Tooltip("lane:N", title="What"),
            alt.Tooltip("events:Q", title="How many", format=",d"),
            alt.Tooltip("denied:Q", title="Denied", format=",d"),
        ],
    )
    bars = base.mark_bar(height=16, cornerRadius=2).encode(
        x2="end:T",
        color=alt.condition(alt.datum.is_network, alt.value(DENIED), alt.value(ACTIVITY)),
        opacity=alt.Opacity("events:Q", scale=alt.Scale(type="log", range=[0.35, 0.9]), legend=None),
    )
    dots = (
        base.transform_filter(alt.datum.denied > 0)
        .mark_circle(size=42, color=DENIED, opacity=1, yOffset=-9)
        .encode(x="middle:T")
    )
    shaped = alt.layer(bars, dots).properties(width="container", height=max(60, len(lanes) * 30), description=sentence)
    return cast(alt.TopLevelMixin, shaped.configure(**CONFIG))


# --- layout ---------------------------------------------------------------------------------------------------------


def _laid_out(nodes: Frame) -> Frame:
    """The nodes to draw, each below its parent: with `line`, `depth`, and those of the parent (-1 for a root)."""
    rows = {str(row["node"]): row for row in nodes.to_dict("records")}
    parents = {name: str(row["parent"]) if pd.notna(row["parent"]) else None for name, row in rows.items()}
    kept = _kept(list(rows), parents)
    children: dict[str | None, list[str]] = defaultdict(list)
    for name in rows:
        if name in kept:
            parent = parents[name]
            children[parent if parent in kept else None].append(name)
    placed: dict[str, dict[str, Any]] = {}
    for name, depth in _downwards(children):
        above = placed.get(parents[name] or "", {"line": -1, "depth": -1})
        placed[name] = {
            "name": str(rows[name]["name"]),
            "detail": str(rows[name]["detail"]),
            "place": str(rows[name]["place"]),
            "certainty": str(rows[name]["certainty"]),
            "line": len(placed),
            "depth": depth,
            "parent_line": above["line"],
            "parent_depth": above["depth"],
        }
    columns = ["name", "detail", "place", "certainty", "line", "depth", "parent_line", "parent_depth"]
    return pd.DataFrame(list(placed.values()), columns=columns)


def _kept(names: list[str], parents: dict[str, str | None]) -> set[str]:
    """The first of *names*, each with all that leads to it, as long as there is room."""
    kept: set[str] = set()
    for name in names:
        path: list[str] = []
        node: str | None = name
        while node in parents and node not in kept and node not in path:
            path.append(node)
            node = parents[node]
        if len(kept) + len(path) > MOST_NODES:
            break
        kept.update(path)
    return kept


def _downwards(children: dict[str | None, list[str]]) -> Iterator[tuple[str, int]]:
    """Every node below the roots, a parent before its children, with its depth. A node of a loop is left out."""
    waiting = [(name, 0) for name in reversed(children[None])]
    while waiting:
        name, depth = waiting.pop()
        yield name, depth
        waiting += [(child, depth + 1) for child in reversed(children.get(name, []))]


def _lanes(events: Frame, rejects: Frame | None) -> Frame:
    """Columns `time`, `middle`, `end` (UTC, aware), `lane`, `events`, `denied`; the busiest lanes first."""
    calls = pd.DataFrame(
        {
            "time": pd.to_datetime(events["time"], utc=True),
            "lane": events["service"].astype("string").fillna("unknown").astype(object),
            "events": pd.to_numeric(events["event_count"]).fillna(0).astype("int64"),
            "denied": pd.to_numeric(events["denied_count"]).fillna(0).astype("int64"),
        }
    )
    sizes = calls.groupby("lane")["events"].sum().sort_values(ascending=False, kind="stable")
    if len(sizes) > MOST_LANES:
        others = f"{len(sizes) - MOST_LANES + 1} more services"
        calls["lane"] = calls["lane"].where(calls["lane"].isin(sizes.index[: MOST_LANES - 1]), others)
    rows = calls
    if rejects is not None and len(rejects):
        counts = pd.to_numeric(rejects["reject_count"]).fillna(0).astype("int64")
        below = {"time": pd.to_datetime(rejects["time"], utc=True), "lane": NETWORK, "events": counts, "denied": 0}
        rows = pd.concat([calls, pd.DataFrame(below)], ignore_index=True)
    rows = rows[rows["events"] > 0].dropna(subset=["time"])
    if rows.empty:
        return rows.assign(end=rows["time"], middle=rows["time"])
    span_s = (rows["time"].max() - rows["time"].min()).total_seconds()
    step_s = next((step for step in _STEPS_S if span_s / step < MOST_STEPS), _STEPS_S[-1])
    binned = rows.assign(time=rows["time"].dt.floor(f"{step_s}s"))
    binned = binned.groupby(["lane", "time"], as_index=False)[["events", "denied"]].sum()
    busiest = binned.groupby("lane")["events"].sum().sort_values(ascending=False, kind="stable")
    binned["rank"] = binned["lane"].map({lane: rank for rank, lane in enumerate(busiest.index)})
    binned = binned.sort_values(["rank", "time"], kind="stable").drop(columns="rank")
    step = pd.Timedelta(seconds=step_s)
    return binned.assign(end=binned["time"] + step, middle=binned["time"] + step / 2)


__all__ = ["lineage_picture", "subject_timeline"]
