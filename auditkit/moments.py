"""Moments as a caller names them, and the windows between them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from auditkit.model import Window, parse_time

Moment = str | datetime | None  # ISO text, an age such as "7d", an aware datetime; None leaves a side open


# Coverage also looks for lost flow records that reach into its first hour. Of a window that was fetched they are not
# here, since the hour before midnight is in the folders of another day: to read them would cost that day.
LOOKED_BACK = timedelta(hours=1)


def window_of(since: Moment, until: Moment) -> Window:
    """The window between two moments, as a caller of this package may name them. Raises: WindowError."""
    # An age counts from now, so the door that takes it reads the clock; below here there are only windows.
    now = datetime.now(UTC)
    return Window(*(parse_time(m, now=now) if isinstance(m, str) and m else m or None for m in (since, until)))


def in_whole_hours(window: Window) -> Window:
    """The hours that *window*, which has both ends, touches: what coverage looks at."""
    assert window.start
    assert window.end
    start = window.start.replace(minute=0, second=0, microsecond=0)
    end = window.end.replace(minute=0, second=0, microsecond=0)
    return Window(start, end if end == window.end else end + timedelta(hours=1))


def is_fetched(window: Window, fetched: Window) -> bool:
    """Whether what was *fetched* holds what is asked of *window*; an open side is never all there."""
    if not (fetched.start and fetched.end and window.start and window.end):
        return False
    return fetched.start - LOOKED_BACK <= window.start and window.end <= fetched.end
