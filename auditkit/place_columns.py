"""Tables with a column beside their addresses that says where these are."""

from __future__ import annotations

import pandas as pd

from auditkit.places import Places

NAMED = 3  # places of one cell that are named before the rest is counted


def with_places(frame: pd.DataFrame, places: Places, columns: dict[str, str]) -> pd.DataFrame:
    """*frame* with a column of labels behind each column of addresses; as it is, when no files say more of addresses.

    Args:
        columns: Each column of addresses, one a cell or several with commas between, to the name of that of labels.
    """
    if not places:
        return frame
    placed = frame.copy()
    for addresses, name in columns.items():
        labels = [_label(text, places) for text in frame[addresses]]
        placed.insert(list(placed.columns).index(addresses) + 1, name, pd.Series(labels, frame.index, object))
    return placed


def _label(text: object, places: Places) -> str | None:
    if not isinstance(text, str) or not text:
        return None
    labels = list(dict.fromkeys(places.of(part).label for part in text.split(", ")))
    more = len(labels) - NAMED
    return "; ".join(labels[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
