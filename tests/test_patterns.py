"""Patterns of IAM: text of a log stands for itself, and what covers what is never said too often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.identity.patterns import LONGEST, covers, literal, matches

TEXT = st.text(st.sampled_from('ab/*?${}\né"\\ ') | st.characters(), max_size=30)
PATTERN = st.text(st.sampled_from("ab/*?"), max_size=8)


@given(TEXT)
def test_text_of_a_log_means_itself(text: str) -> None:
    assert matches(literal(text), text)


@given(st.text("ab/*?${}", max_size=12), st.text("ab/*?${}", max_size=12))
def test_plain_text_of_a_log_means_nothing_else(text: str, other: str) -> None:
    assert matches(literal(text), other) is (text == other)


@given(TEXT)
def test_a_literal_fits_a_policy(text: str) -> None:
    assert literal(text).isascii()
    assert literal(text).isprintable()


@pytest.mark.parametrize("cut", range(4))
def test_a_long_text_is_cut_behind_a_whole_character(cut: int) -> None:
    text = "a" * (LONGEST - cut) + "***" + "b" * 500
    assert len(literal(text)) <= LONGEST + 1
    assert matches(literal(text), text)
    assert literal(text).endswith("*")


@pytest.mark.parametrize(
    ("pattern", "text", "means"),
    [
        ("*", "", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a.c", "abc", False),
        ("a*c", "a/b\nc", True),
        ("${*}", "*", True),
        ("${*}", "x", False),
        ("a", "A", False),
        ("a", "ab", False),
    ],
)
def test_matches(pattern: str, text: str, means: bool) -> None:
    assert matches(pattern, text) is means


def test_actions_are_compared_without_case() -> None:
    assert matches("ECS:run*", "ecs:RunTask", ignore_case=True)


@given(PATTERN, PATTERN, st.text("ab/", max_size=8))
def test_what_covers_another_means_all_that_it_means(pattern: str, other: str, text: str) -> None:
    if covers(pattern, other) and matches(other, text):
        assert matches(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "other", "does"),
    [
        ("*", "a*", True),
        ("a/*", "a/b", True),
        ("a/*", "a/b/*", True),
        ("a/b/*", "a/*", False),
        ("a", "${*}", False),
        ("a*", "a${*}", True),
    ],
)
def test_covers(pattern: str, other: str, does: bool) -> None:
    assert covers(pattern, other) is does
