"""Everything that has a name is listed, with its parameters."""

from __future__ import annotations

import pytest

from auditkit.catalogue import Catalogue
from auditkit.errors import UnknownQueryError
from auditkit.listing import Entry, as_text, described, listing
from auditkit.resources import NOTEBOOKS


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return listing()


def test_nothing_is_left_out(entries: list[Entry]) -> None:
    catalogue = Catalogue.load()
    names = [
        *sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")),
        *(query.name for query in catalogue.queries),
        *(rule.rule for rule in catalogue.rules),
    ]
    assert [entry["name"] for entry in entries] == names


def test_every_entry_has_a_title_and_says_what_it_is_about(entries: list[Entry]) -> None:
    for entry in entries:
        assert entry["title"], entry["name"]
        assert entry["about"] or entry["kind"] == "question", entry["name"]
        assert (entry["severity"] is not None) == (entry["kind"] == "rule")
        assert all(parameter["about"] and parameter["type"] for parameter in entry["parameters"]), entry["name"]


@pytest.mark.parametrize(
    "name", ["activity/events", "activity.events", "iam.user_created", "rules/iam/user_created", "audit"]
)
def test_a_name_is_found_however_it_is_written(name: str, entries: list[Entry]) -> None:
    assert described(name, entries)["name"].replace("/", ".") == name.replace("/", ".").removeprefix("rules.")


def test_an_unknown_name_is_refused(entries: list[Entry]) -> None:
    with pytest.raises(UnknownQueryError, match="Did you mean 'activity/events'"):
        described("activity/event", entries)


def test_a_full_entry_shows_default_values(entries: list[Entry]) -> None:
    text = as_text([described("audit", entries)], parameters=True)
    assert text.startswith("notebook audit: AWS audit\n")
    assert "['ecs', 'iam', 'secretsmanager']" in text
