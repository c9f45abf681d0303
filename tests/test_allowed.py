"""Who answers for a finding, in one line."""

from __future__ import annotations

from auditkit.allowlist import Suppressed
from auditkit.formats.allowed import justification
from tests.found import ANSWER, ENTRY
from tests.report_samples import finding


def test_a_justification_names_reason_owner_and_day() -> None:
    assert justification(Suppressed(finding(), ENTRY)) == ANSWER
