"""A column of places beside the addresses of a table."""

from __future__ import annotations

import pandas as pd
import pytest

from auditkit.place_columns import with_places
from auditkit.places import NO_PLACES, Places
from tests.mmdb import OUTSIDE

FRAME = pd.DataFrame({"who": ["a", "b"], "source_ips": [f"192.0.2.10, 192.0.2.11, {OUTSIDE}", None], "n": [1, 2]})


def test_labels_stand_behind_the_addresses_each_once(places: Places) -> None:
    placed = with_places(FRAME, places, {"source_ips": "place"})
    assert list(placed) == ["who", "source_ips", "place", "n"]
    assert placed["place"].tolist() == ["office (Berlin); NL, Example Hosting AS64500", None]
    assert "place" not in FRAME


def test_without_files_the_table_stays_as_it_is() -> None:
    assert list(with_places(FRAME, NO_PLACES, {"source_ips": "place"})) == list(FRAME)


def test_two_columns_have_one_each_and_no_rows_are_no_matter(places: Places) -> None:
    columns = {"srcaddr": "source_place", "dstaddr": "destination_place"}
    none = pd.DataFrame({"srcaddr": [], "dstaddr": []})
    assert list(with_places(none, places, columns)) == ["srcaddr", "source_place", "dstaddr", "destination_place"]


def test_of_many_places_the_first_are_named(places: Places) -> None:
    text = ", ".join(["192.0.2.10", "192.0.2.20", "192.0.2.200", OUTSIDE, "10.0.0.1"])
    [label] = with_places(pd.DataFrame({"a": [text]}), places, {"a": "p"})["p"]
    assert label == "office (Berlin); VPN (Berlin); documentation and 2 more"


@pytest.mark.parametrize("value", [float("nan"), 7, ""])
def test_what_is_no_text_has_no_place(places: Places, value: object) -> None:
    assert with_places(pd.DataFrame({"a": [value]}, dtype=object), places, {"a": "p"})["p"].tolist() == [None]
