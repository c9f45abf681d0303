"""What an event must be for a predicate to be true of it: never less, and as little to look at as can be told."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from auditkit.prefilter import of_service, worth_judging


def predicate(text: str) -> exp.Expr:
    return parse_one(text, read="trino")


NAMED = "event_name IN ('A', 'B')"
JUDGED: list[tuple[list[str], str]] = [
    (["event_name = 'A'"], "event_name IN ('A')"),
    (["event_name = 'A'", "event_name IN ('B', 'A')"], NAMED),
    (["event_source = 'x' AND event_name = 'A' AND user_agent LIKE 'y'"], "event_name IN ('A')"),
    (["event_name = 'A' AND outcome = 'denied'"], "event_name IN ('A') AND outcome = 'denied'"),
    (["event_name = 'A' AND outcome = 'denied'", "event_name = 'B'"],
     "(event_name IN ('A') AND outcome = 'denied') OR event_name IN ('B')"),
    (["event_name = 'A' OR (event_name = 'B' AND user_agent = 'y')"], NAMED),
    (["event_name = 'A' OR user_agent = 'y'"], "TRUE"),
    (["lower(event_name) = 'a'"], "LOWER(event_name) IN ('a')"),
    (["NOT event_name = 'A'"], "NOT event_name = 'A'"),
    (["event_name LIKE 'A%' AND user_agent = 'y'"], "event_name LIKE 'A%'"),
    (["identity_type = 'Root' AND user_agent = 'y'"], "identity_type = 'Root'"),
    (["event_source = 'x' AND outcome = 'ok' AND source_ip = 'y'"], "event_source = 'x' AND outcome = 'ok'"),
    (["source_ip = 'y'"], "TRUE"),
    (["event_name = user_agent"], "TRUE"),
]  # fmt: skip


@pytest.mark.parametrize(("predicates", "condition"), JUDGED)
def test_what_is_worth_judging(predicates: list[str], condition: str) -> None:
    assert worth_judging(map(predicate, predicates)).sql("trino") == condition


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("event_source = 'x' AND event_name = 'A'", "event_source IN ('x')"),
        ("event_source IN ('y', 'x') AND event_name = 'A'", "event_source IN ('x', 'y')"),
        ("lower(event_source) = 'x'", "LOWER(event_source) IN ('x')"),
        ("event_source = 'x' OR event_name = 'A'", "TRUE"),
        ("event_source LIKE 'x%'", "TRUE"),
    ],
)
def test_of_which_service_it_is(text: str, condition: str) -> None:
    assert of_service(predicate(text)).sql("trino") == condition
