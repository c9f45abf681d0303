"""Each event once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from auditkit.duplicates import SeenEvents
from auditkit.schema import CLOUDTRAIL_EVENTS
from auditkit.store import Store

DAY_1, DAY_2 = datetime(2026, 11, 2, 23, 59, 59), datetime(2026, 11, 3)


@pytest.fixture
def seen(tmp_path: Path) -> SeenEvents:
    return SeenEvents(Store(tmp_path, create=True))


def rows(*events: tuple[str, str | None, datetime]) -> pa.Table:
    records: list[dict[str, Any]] = [{"event_id": e, "account_id": a, "event_time": t} for e, a, t in events]
    return pa.Table.from_pylist(records, schema=CLOUDTRAIL_EVENTS.file_arrow)


def fresh(seen: SeenEvents, *events: tuple[str, str | None, datetime], inside: list[bool] | None = None) -> list[bool]:
    table = rows(*events)
    mask = np.array(inside if inside is not None else [True] * len(events))
    return list(seen.fresh(table, mask))


def test_the_first_of_each_is_fresh(seen: SeenEvents) -> None:
    assert fresh(seen, ("a", "1", DAY_1), ("b", "1", DAY_1), ("a", "1", DAY_1)) == [True, True, False]


def test_what_an_earlier_batch_held_is_not_fresh(seen: SeenEvents) -> None:
    assert fresh(seen, ("a", "1", DAY_1), ("b", "1", DAY_2)) == [True, True]
    assert fresh(seen, ("b", "1", DAY_2), ("c", "1", DAY_2), ("a", "1", DAY_1)) == [False, True, False]


def test_an_account_more_is_an_event_more(seen: SeenEvents) -> None:
    assert fresh(seen, ("a", "1", DAY_1), ("a", "2", DAY_1), ("a", None, DAY_1), ("a", None, DAY_1)) == [True] * 3 + [
        False
    ]


def test_a_row_outside_takes_nothing_from_one_inside(seen: SeenEvents) -> None:
    """An event delivered with two times, one of them outside the window, is still stored."""
    assert fresh(seen, ("a", "1", DAY_1), ("a", "1", DAY_2), inside=[False, True]) == [False, True]
