"""Each event once."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest

from auditkit.duplicates import SeenEvents
from auditkit.fingerprints import fingerprints
from auditkit.store import Store

DAY_1, DAY_2 = datetime(2026, 11, 2, 23, 59, 59), datetime(2026, 11, 3)


@pytest.fixture
def seen(tmp_path: Path) -> SeenEvents:
    return SeenEvents(Store(tmp_path, create=True))


def fresh(seen: SeenEvents, *events: tuple[str, str | None, datetime], batch: int = 0) -> list[bool]:
    ids, accounts, times = zip(*events, strict=True)
    days = np.array([(time - datetime(1970, 1, 1)).days for time in times])
    return list(seen.fresh(days, fingerprints(pa.array(ids), pa.array(accounts, pa.string())), batch=batch))


def test_the_first_of_each_is_fresh(seen: SeenEvents) -> None:
    assert fresh(seen, ("a", "1", DAY_1), ("b", "1", DAY_1), ("a", "1", DAY_1)) == [True, True, False]


def test_what_an_earlier_batch_held_is_not_fresh(seen: SeenEvents) -> None:
    assert fresh(seen, ("a", "1", DAY_1), ("b", "1", DAY_2)) == [True, True]
    assert fresh(seen, ("b", "1", DAY_2), ("c", "1", DAY_2), ("a", "1", DAY_1)) == [False, True, False]


def test_an_account_more_is_an_event_more(seen: SeenEvents) -> None:
    events = [("a", "1", DAY_1), ("a", "2", DAY_1), ("a", None, DAY_1), ("a", None, DAY_1)]
    assert fresh(seen, *events) == [True, True, True, False]


def test_no_events_are_no_question(seen: SeenEvents) -> None:
    none = fingerprints(pa.array([], pa.string()), pa.array([], pa.string()))
    assert list(seen.fresh(np.zeros(0, np.int64), none)) == []


def test_many_batches_are_remembered_as_one(seen: SeenEvents) -> None:
    rng = random.Random(7)
    known: set[str] = set()
    for _ in range(60):
        ids = [str(UUID(int=rng.choice([rng.getrandbits(128), rng.getrandbits(7)]))) for _ in range(rng.randrange(40))]
        first = [event not in known and event not in ids[:at] for at, event in enumerate(ids)]
        if ids:
            assert fresh(seen, *((event, "1", DAY_1) for event in ids)) == first
        known |= set(ids)


def test_two_that_share_half_their_bits_are_two(seen: SeenEvents) -> None:
    ids = [str(UUID(int=(7 << 64) + n)) for n in (1, 2, 3)]
    assert fresh(seen, *((event, "1", DAY_1) for event in ids)) == [True, True, True]
    assert fresh(seen, (ids[1], "1", DAY_1), (str(UUID(int=(7 << 64) + 9)), "1", DAY_1)) == [False, True]


def test_a_day_is_let_go_only_when_it_is_in_the_store(seen: SeenEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.duplicates.MOST_KEPT", 0)
    fresh(seen, ("a", "1", DAY_1), ("b", "1", DAY_2), batch=3)
    seen.let_go(committed=3)
    assert fresh(seen, ("a", "1", DAY_1), batch=3) == [False]
    seen.let_go(committed=4)  # the store, which is empty here, is asked again
    assert fresh(seen, ("a", "1", DAY_1), ("b", "1", DAY_2), batch=4) == [True, True]
