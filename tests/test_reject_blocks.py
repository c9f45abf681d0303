"""Blocks of rejected traffic: the strongest link first, and no answer that was cut passes for a whole one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditkit import reject_blocks
from auditkit.audit import Audit
from auditkit.places import Places
from tests.rejects import cells, links


def test_the_strongest_link_stands_first_and_says_itself(audit: Audit) -> None:
    table = reject_blocks.beside_events(
        audit,
        links(
            {"shared": "198.51.100.7", "reject_count": 99, "confidence": "medium"},
            {"shared": "198.51.100.8", "reject_count": 3},
        ),
    )
    rows = cells(table)
    assert [row["shared"] for row in rows] == ["198.51.100.8", "198.51.100.7"]
    assert rows[0]["link"] == (
        "Address 198.51.100.8 has 3 rejects at 1 interface, and made 1 call as role deploy of account 111122223333."
    )
    assert rows[0]["first_reject"] == "2026-11-02T10:00:00Z"


def test_no_links_are_an_empty_table(audit: Audit) -> None:
    table = reject_blocks.beside_events(audit, links())
    assert cells(table) == []
    assert table.data["empty"].startswith("No rejected flow shares an address")


def test_only_a_shared_address_has_a_place(audit: Audit, places: Places) -> None:
    placed = replace(audit, places=places)
    asked = links(
        {"kind": "address", "shared": "192.0.2.10", "reject_count": 3},
        {"kind": "endpoint", "shared": "192.0.2.10", "reject_count": 2},
        {"kind": "task", "shared": "192.0.2.10"},
    )
    rows = {row["kind"]: row["place"] for row in cells(reject_blocks.beside_events(placed, asked))}
    assert rows == {"address": "office (Berlin)", "task": None, "endpoint": "office (Berlin)"}


def test_an_answer_as_long_as_was_asked_for_is_called_cut(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = audit.ask("network/rejects_by_interface", {"limit": 20})
    assert reject_blocks.by_peer(audit, asked).data["about"] == ""
    monkeypatch.setattr(reject_blocks, "MOST_ROWS", 20)
    assert reject_blocks.by_peer(audit, asked).data["about"] == "Only the 20 most refused; there are more."
