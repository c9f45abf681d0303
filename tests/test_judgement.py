"""What makes a finding milder than its rule, and that it says so."""

from __future__ import annotations

from typing import Any

import pytest

from auditkit.catalogue import Catalogue
from auditkit.judgement import TRIED_FIRST, weigh

WEIGHED: list[tuple[str, dict[str, Any], dict[str, Any], str, int]] = [
    # what, of the rule, of the finding, severity, sentences
    ("a deed of unknown hands", {}, {}, "high", 0),
    ("a person's deed", {}, {"hands": ["person"]}, "high", 0),
    ("an attempt", {}, {"outcome": "denied"}, "medium", 1),
    ("a failed attempt", {}, {"outcome": "error"}, "medium", 1),
    ("an attempt that weighs the same", {"attempts": "same"}, {"outcome": "denied"}, "high", 0),
    ("automation", {}, {"hands": ["automation"]}, "medium", 1),
    ("services", {}, {"hands": ["service"]}, "medium", 1),
    ("automation through services", {}, {"hands": ["automation", "service"]}, "medium", 1),
    ("automation and a person", {}, {"hands": ["automation", "person"]}, "high", 0),
    ("a workload", {}, {"hands": ["workload"]}, "high", 0),
    ("nobody can tell", {}, {"hands": ["unknown"]}, "high", 0),
    ("automation that weighs the same", {"hands": "same"}, {"hands": ["automation"]}, "high", 0),
    ("twice in the baseline", {}, {"usual_days": 2}, "high", 0),
    ("a habit", {}, {"usual_days": 3}, "medium", 1),
    ("automation's habit", {}, {"usual_days": 9, "hands": ["automation"]}, "low", 2),
    ("everything at once", {"severity": "medium"}, {"usual_days": 9, "hands": ["service"], "outcome": "denied"}, "info", 2),
    ("at the office, where addresses weigh", {"addresses": "lower"}, {"trusted": ["office (Berlin)"]}, "medium", 1),
    ("not at the office", {"addresses": "lower"}, {}, "high", 0),
    ("at the office, where they weigh the same", {"addresses": "same"}, {"trusted": ["office (Berlin)"]}, "high", 0),
    ("at the office, of a rule that says nothing", {}, {"trusted": ["office (Berlin)"]}, "high", 0),
    ("an attempt from the office", {"addresses": "lower"}, {"trusted": ["a"], "outcome": "denied"}, "low", 2),
    ("nothing is milder than info", {"severity": "info"}, {"outcome": "denied"}, "info", 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "facts", "severity", "count"), [case[1:] for case in WEIGHED], ids=[case[0] for case in WEIGHED]
)
def test_severity_follows(header: dict[str, Any], facts: dict[str, Any], severity: str, count: int) -> None:
    weighed, reasons = weigh({"severity": "high", **header}, **{"outcome": "ok", **facts})
    assert weighed == severity
    assert len(reasons) == count
    assert all(reason.endswith(".") for reason in reasons)


def test_each_step_is_told_with_what_it_did() -> None:
    severity, reasons = weigh({"severity": "critical"}, outcome="denied", hands=["automation"], usual_days=4)
    assert severity == "low"
    assert reasons == (
        "It was tried and not done: high instead of critical.",
        "Only automation made these calls: medium instead of high.",
        "It is usual here: the same on 4 days of the baseline: low instead of medium.",
    )


def test_a_success_after_attempts_says_so_and_weighs_the_same() -> None:
    assert weigh({"severity": "high"}, outcome="ok", tried_first=True) == ("high", (TRIED_FIRST,))


def test_trusted_networks_are_named() -> None:
    header = {"severity": "medium", "addresses": "lower"}
    _, reasons = weigh(header, outcome="ok", trusted=["VPN (staff)", "office (Berlin)"])
    assert reasons == ("Every address is in a trusted network, VPN (staff), office (Berlin): low instead of medium.",)


def test_rules_about_addresses_weigh_them_and_no_others() -> None:
    """What a thief does with the credentials of a workload is no milder for being done at the office."""
    by_word = {rule.rule: rule.header.get("addresses") for rule in Catalogue.load().rules}
    assert {rule for rule, word in by_word.items() if word == "lower"} == {
        "iam.new_key_used_elsewhere",
        "network.refused_then_accepted",
        "network.remote_admin_from_internet",
        "secretsmanager.new_address",
        "signin.new_address",
        "sts.key_checked_from_new_address",
        "sts.key_from_many_networks",
        "sts.key_from_new_network",
    }
    assert by_word["sts.workload_session_from_outside"] == "same"
