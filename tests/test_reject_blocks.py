"""Blocks of rejected traffic: the strongest link first, and no answer that was cut passes for a whole one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditkit import reject_blocks
from auditkit.audit import Audit
from auditkit.places import Places
from tests.rejects import cells, links


def test_the_most_certain_links_stand_first_then_changes_then_the_most_rejects() -> None:
    asked = links(
        {"kind": "address", "shared": "few", "reject_count": 1},
        {"kind": "address", "shared": "many", "reject_count": 9},
        {"kind": "address", "shared": "uncertain", "confidence": "medium", "reject_count": 99},
        {"kind": "interface", "shared": "eni-1", "reject_count": 50},
        {"kind": "change", "shared": "sg-1", "reject_count": 2},
        {"kind": "change", "shared": "sg-2", "confidence": "low", "reject_count": 100},
    )
    assert reject_blocks.by_strength(asked)["shared"].tolist() == ["sg-1", "many", "few", "eni-1", "uncertain", "sg-2"]


def test_a_kind_that_is_not_known_comes_last_of_its_confidence() -> None:
    asked = links({"kind": "dream", "reject_count": 9}, {"kind": "task"}, {"kind": "task", "confidence": "low"})
    assert reject_blocks.by_strength(asked)["kind"].tolist() == ["task", "dream", "task"]


def test_only_a_shared_address_has_a_place(audit: Audit, places: Places) -> None:
    placed = replace(audit, places=places)
    asked = links(
        {"kind": "address", "shared": "192.0.2.10", "reject_count": 3},
        {"kind": "endpoint", "shared": "192.0.2.10", "reject_count": 2},
        {"kind": "task", "shared": "192.0.2.10"},
    )
    rows = {row["kind"]: row["place"] for row in cells(reject_blocks.beside_events(placed, asked))}
    assert rows == {"address": "office (Berlin)", "task": None, "endpoint": "office (Berlin)"}


def test_a_link_names_its_principal_short_and_whole(audit: Audit) -> None:
    asked = links({"principal_arn": "arn:aws:iam::111122223333:role/team/deploy"}, {"principal_arn": None})
    rows = cells(reject_blocks.beside_events(audit, asked))
    assert [row["principal_name"] for row in rows] == ["deploy", None]
    assert rows[0]["principal_arn"] == "arn:aws:iam::111122223333:role/team/deploy"


def test_an_answer_as_long_as_was_asked_for_is_called_cut(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = audit.ask("network/rejects_by_interface", {"limit": 20})
    assert reject_blocks.by_peer(audit, asked).data["about"] == ""
    monkeypatch.setattr(reject_blocks, "MOST_ROWS", 20)
    assert reject_blocks.by_peer(audit, asked).data["about"] == "Only the 20 most refused; there are more."
