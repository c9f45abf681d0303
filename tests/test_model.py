"""The values that travel between the parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from auditkit.errors import WindowError
from auditkit.model import SEVERITIES, Result, Window, at_least, iso, one_lower, parse_time, worst_first
from auditkit.rules import RuleRun

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
Sides = tuple[int | None, int | None]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", "2026-11-01T00:00:00Z"),
        ("2026-11-01T09:00", "2026-11-01T09:00:00Z"),
        ("2026-11-01T09:00:00+09:00", "2026-11-01T00:00:00Z"),
        ("2026-11-01T09:00:00.5Z", "2026-11-01T09:00:00.500000Z"),
        ("90m", "2026-11-03T10:30:00Z"),
        ("12h", "2026-11-03T00:00:00Z"),
        (" 7 d ", "2026-10-27T12:00:00Z"),
        ("2w", "2026-10-20T12:00:00Z"),
    ],
)
def test_a_time_is_iso_or_an_age(text: str, moment: str) -> None:
    assert iso(parse_time(text, now=NOW)) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "7y", "-7d", "2026-13-01", "01/11/2026", "7d ago"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(WindowError, match=r"is not a time. Use ISO \(2026-11-01, .*\) or an age"):
        parse_time(text, now=NOW)


def test_an_age_counts_back_from_now_in_any_zone() -> None:
    assert parse_time("1h", now=NOW.astimezone(timezone(timedelta(hours=9)))) == NOW - timedelta(hours=1)


def test_a_window_has_a_start_before_its_end() -> None:
    with pytest.raises(WindowError, match=r"ends .* before it starts"):
        Window(NOW, NOW)
    with pytest.raises(WindowError, match="no time zone"):
        Window(datetime(2026, 11, 1))


def test_a_side_that_is_not_given_is_open() -> None:
    window = Window.parse("", None, now=NOW)
    assert (window.start, window.end) == (None, None)
    assert str(window) == "the whole of the logs"
    assert str(Window(NOW, None)) == f"the time from {NOW:%Y-%m-%d %H:%M:%S} UTC on"
    assert str(Window(None, NOW)) == f"the time before {NOW:%Y-%m-%d %H:%M:%S} UTC"
    assert window.as_json() == {"start": None, "end": None}


def test_severities_have_an_order() -> None:
    assert [at_least(one, "medium") for one in SEVERITIES] == [False, False, True, True, True]
    assert [one_lower(one) for one in SEVERITIES] == ["info", "info", "low", "medium", "high"]


def test_findings_come_worst_first(rule_run: RuleRun) -> None:
    again = worst_first(reversed(rule_run.findings))
    assert again == rule_run.findings
    assert [SEVERITIES.index(one.severity) for one in again] == sorted(
        (SEVERITIES.index(one.severity) for one in again), reverse=True
    )


def test_a_frame_has_aware_times() -> None:
    table = pa.table({"at": pa.array([datetime(2026, 11, 1), None], pa.timestamp("us")), "n": [1, 2]})
    frame = Result(table, "SELECT 1", "duckdb", 0.0).frame()
    assert str(frame["at"].dtype) == "datetime64[us, UTC]"
    assert frame["at"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("one", "other", "touch"),
    [
        ((1, 2), (2, 3), False),
        ((1, 3), (2, 4), True),
        ((2, 3), (1, 9), True),
        ((None, 2), (2, None), False),
        ((None, None), (2, 3), True),
        ((1, None), (None, 1), False),
        ((1, None), (None, 2), True),
    ],
)
def test_windows_touch_where_they_share_a_moment(one: Sides, other: Sides, touch: bool) -> None:
    windows = [Window(*(side and datetime(2026, 11, side, tzinfo=UTC) for side in sides)) for sides in (one, other)]
    assert windows[0].touches(windows[1]) is windows[1].touches(windows[0]) is touch
