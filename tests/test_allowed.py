"""Who answers for a finding, in one sentence."""

from __future__ import annotations

import pytest

from auditkit.formats.allowed import justification
from tests.found import Entry, Suppressed
from tests.report_samples import finding


@pytest.mark.parametrize("reason", ["A drill", "A drill."])
def test_a_justification_names_reason_owner_and_day(reason: str) -> None:
    said = justification(Suppressed(finding(), Entry(reason=reason)))
    assert said == "A drill (owner security@example.com, until 2026-12-31)"
