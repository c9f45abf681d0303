"""Errors say what happened, what was expected, what to do."""

from __future__ import annotations

from auditkit import errors
from auditkit.errors import AuditkitError, UnknownQueryError


def test_one_base_catches_every_error() -> None:
    found = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    assert len(found) > 8
    assert all(issubclass(one, AuditkitError) for one in found)


def test_an_unknown_name_comes_with_the_closest_one_and_the_facts() -> None:
    error = UnknownQueryError("activity.event", ["activity.events", "network.timeline"])
    assert str(error) == "Nothing named 'activity.event'. Did you mean 'activity.events'? `auditkit list` shows all 2."
    assert (error.name, error.known) == ("activity.event", ["activity.events", "network.timeline"])


def test_a_name_like_no_other_comes_without_a_guess() -> None:
    assert "Did you mean" not in str(UnknownQueryError("zzz", ["activity.events"]))
