"""What tells one event from another, in 128 bits: its id, and the account it was delivered to.

CloudTrail's ids are UUIDs, so a fingerprint is the id itself with the account folded in; an id of another shape is
hashed. Sixteen bytes an event are few enough to keep a day of a large organization in memory.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from auditkit.logs import arrays

_UUID_LENGTH = 36
_HEX_AT = np.array([at for at in range(_UUID_LENGTH) if at not in (8, 13, 18, 23)])
_DASH_AT = np.array([8, 13, 18, 23])
_NIBBLE = np.full(256, 255, np.uint8)
_NIBBLE[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)


class Fingerprints(NamedTuple):
    """One a row, each in two halves (NumPy, 64 bits without sign)."""

    high: Any
    low: Any

    def of(self, rows: Any) -> Fingerprints:
        """Those of the rows that a mask or an order picks."""
        return Fingerprints(self.high[rows], self.low[rows])


def fingerprints(event_ids: pa.Array, accounts: pa.Array) -> Fingerprints:
    """Of events by their `event_id` and `account_id` columns. Neither column is changed by a copy of the event."""
    high, low = _of_ids(arrays.whole(event_ids))
    encoded = arrays.whole(accounts)
    if not isinstance(encoded, pa.DictionaryArray):
        encoded = encoded.dictionary_encode()
    hashes = [_hash(name)[0] for name in encoded.dictionary.to_pylist()]
    of_account = np.array([*hashes, 0], np.uint64)  # the last one is for rows without an account
    known = arrays.as_mask(encoded.indices.is_valid())
    which = np.where(known, arrays.as_integers(encoded.indices.cast(pa.int64())), len(hashes))
    return Fingerprints(high, low ^ of_account[which])


def _of_ids(event_ids: pa.Array) -> tuple[Any, Any]:
    count = len(event_ids)
    offsets = np.frombuffer(event_ids.buffers()[1], np.int32)[event_ids.offset : event_ids.offset + count + 1]
    if count and (np.diff(offsets) == _UUID_LENGTH).all():
        text = np.frombuffer(event_ids.buffers()[2], np.uint8)[offsets[0] : offsets[-1]].reshape(count, _UUID_LENGTH)
        nibbles = _NIBBLE[text[:, _HEX_AT]]
        if (nibbles < 16).all() and (text[:, _DASH_AT] == ord("-")).all():
            halves = np.ascontiguousarray((nibbles[:, 0::2] << 4) | nibbles[:, 1::2]).view(">u8").astype(np.uint64)
            return halves[:, 0].copy(), halves[:, 1].copy()
    pairs = np.array([_of_id(text) for text in event_ids.to_pylist()], np.uint64).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def _of_id(text: str) -> tuple[int, int]:
    """The same number for the same text, whatever stands around it."""
    nibbles = _NIBBLE[np.frombuffer(text.encode(), np.uint8)]
    if len(nibbles) == _UUID_LENGTH and (nibbles[_HEX_AT] < 16).all() and all(text[at] == "-" for at in _DASH_AT):
        number = int(text.replace("-", ""), 16)
        return number >> 64, number & (1 << 64) - 1
    return _hash(text)


@lru_cache(maxsize=10_000)
def _hash(text: str) -> tuple[int, int]:
    digest = blake2b(text.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big")
