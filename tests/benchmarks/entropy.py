"""How much of a trail's gzip is random: what was drawn by chance, and no format can store in less."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

MOST_FILES = 500  # that are looked at
_RANDOM = {
    "session tokens": re.compile(rb'"sessionToken":\s*"([^"]+)"'),
    "event and request ids": re.compile(rb'"(?:eventID|requestID|requestId|trace)":\s*"([^"]+)"'),
    "other ids": re.compile(rb'"(?:x-amz-id-2|keyMaterialId)":\s*"([^"]+)"|"(?:ASIA|AROA|AKIA)([A-Z2-7]{16})'),
}


def incompressible(paths: Sequence[Path]) -> dict[str, float]:
    """By kind of value the share of the files' bytes that these values take when nothing else is written.

    Each file's different values are put end to end and packed with zlib's level 9, which finds no repetition among
    them and is left with how many bits a character of theirs holds.
    """
    looked_at = paths[:: max(1, len(paths) // MOST_FILES)]
    alone = dict.fromkeys(_RANDOM, 0)
    whole = 0
    for path in looked_at:
        packed = path.read_bytes()
        whole += len(packed)
        text = gzip.decompress(packed)
        for name, pattern in _RANDOM.items():
            values = b"".join(dict.fromkeys(found[found.lastindex or 0] for found in pattern.finditer(text)))
            values = values.replace(b"-", b"")  # of a UUID: where they stand is known
            alone[name] += len(zlib.compress(values, 9)) - len(zlib.compress(b"", 9))
    return {name: size / whole for name, size in alone.items()}
