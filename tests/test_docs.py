"""The pages under docs/ say what the code says."""

from __future__ import annotations

import re

import pytest

from auditkit.catalogue import Catalogue
from auditkit.schema import TABLES
from tests import docs


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return docs.pages()


@pytest.mark.parametrize("name", ["tables.md", "queries.md", "rules.md"])
def test_a_page_is_in_step_with_its_source(name: str, pages: dict[str, str]) -> None:
    path = docs.DOCS / name
    assert path.is_file(), f"docs/{name} is missing: run `make docs`"
    assert path.read_text(encoding="utf-8") == pages[name], f"docs/{name} is out of step: run `make docs`"


def test_no_page_is_left_over(pages: dict[str, str]) -> None:
    assert {path.name for path in docs.DOCS.glob("*.md")} == pages.keys() | docs.HAND_WRITTEN


def test_nothing_is_left_out(pages: dict[str, str]) -> None:
    catalogue = Catalogue.load()
    for table in TABLES.values():
        assert all(f"| `{name}` |" in pages["tables.md"] for name in table.names)
    assert re.findall(r"^## (.+)$", pages["queries.md"], re.MULTILINE) == [query.name for query in catalogue.queries]
    assert sorted(re.findall(r"^### (.+)$", pages["rules.md"], re.MULTILINE)) == [rule.rule for rule in catalogue.rules]


@pytest.mark.parametrize("name", ["queries.md", "rules.md"])
def test_every_link_within_a_page_leads_somewhere(name: str, pages: dict[str, str]) -> None:
    headings = re.findall(r"^#+ (.+)$", pages[name], re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#([^)]+)\)", pages[name])
    assert links
    assert set(links) <= anchors


def test_no_anchor_is_there_twice(pages: dict[str, str]) -> None:
    for text in pages.values():
        links = re.findall(r"^\| \[.*\]\(#([^)]+)\)", text, re.MULTILINE)
        assert len(set(links)) == len(links)


def test_a_table_row_keeps_its_cells_whatever_they_hold() -> None:
    assert docs.grid(("a", "b"), [("x|y", "`1`")]).splitlines()[2] == r"| x\|y | `1` |"
