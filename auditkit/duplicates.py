"""Each event once: CloudTrail delivers some twice, and overlapping trails deliver every one twice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from auditkit.logs import arrays
from auditkit.store import Store

EPOCH = date(1970, 1, 1)
DAY_MICROS = 86_400_000_000


class SeenEvents:
    """Which events the store holds: their keys, day by day, read from it when a day first comes up."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._days: dict[date, pa.Array] = {}

    def fresh(self, rows: pa.Table, inside: Any) -> Any:
        """Mask of the rows that are inside and that neither the store nor an earlier row holds."""
        keys = _event_keys(rows)
        days = arrays.as_integers(rows["event_time"]) // DAY_MICROS
        fresh = inside & _first_of_each(keys, inside)
        for number in np.unique(days[inside]):
            day = EPOCH + timedelta(days=int(number))
            of_day = (days == number) & fresh
            new = keys.filter(arrays.mask(of_day))
            held = self._held(day)
            known = arrays.as_mask(pc.is_in(new, value_set=held))
            fresh[np.flatnonzero(of_day)[known]] = False
            self._days[day] = pa.concat_arrays([held, new.filter(arrays.mask(~known))])
        return fresh

    def _held(self, day: date) -> pa.Array:
        if day not in self._days:
            parts = self._store.parts_of_day("cloudtrail_events", day)
            tables = [pq.ParquetFile(part).read(columns=["event_id", "account_id"]) for part in parts]
            held = [_event_keys(table) for table in tables]
            self._days[day] = pa.concat_arrays(held) if held else arrays.texts([])
        return self._days[day]


def _event_keys(rows: pa.Table) -> pa.Array:
    """`event_id account_id`: one event delivered to two accounts is two rows."""
    account = pc.coalesce(rows["account_id"], arrays.text(""))
    return arrays.whole(pc.binary_join_element_wise(rows["event_id"], account, arrays.text(" ")))


def _first_of_each(keys: pa.Array, inside: Any) -> Any:
    """Mask of the first row of each key, among the rows inside."""
    numbers = arrays.as_integers(keys.dictionary_encode().indices.cast(pa.int64()))
    at = np.flatnonzero(inside)
    first = np.zeros(len(keys), bool)
    first[at[np.unique(numbers[at], return_index=True)[1]]] = True
    return first
