"""What the runs before this one found, and nothing that cannot be compared."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditkit import history
from auditkit.model import SEVERITIES, Window

NOW = datetime(2026, 11, 3, tzinfo=UTC)
FINDING = {"id": "f1", "rule": "iam.user_created", "severity": "low", "principal_arn": "kept out of the record"}


def write(path: Path) -> Path:
    counts = dict.fromkeys(SEVERITIES, 0) | {"low": 1}
    history.write(path, notebook="audit.ipynb", findings=[FINDING], counts=counts, window=Window(), now=NOW)
    return path


def test_what_a_run_wrote_the_next_one_reads(tmp_path: Path) -> None:
    path = write(tmp_path / "audit-20261103T000000Z.json")
    assert history.earlier_findings(path) == {"f1"}
    assert history.earlier_findings(str(path)) == {"f1"}
    assert "kept out" not in path.read_text(encoding="utf-8")


def test_the_latest_record_of_the_same_notebook_counts(tmp_path: Path) -> None:
    assert history.latest(tmp_path, "audit") is None
    for name in (
        "audit-20261101T000000Z",
        "audit-20261103T000000Z",
        "audit-20261102T000000Z",
        "audit-mine-20261109T000000Z",
    ):
        write(tmp_path / f"{name}.json")
    assert history.latest(tmp_path, "audit") == tmp_path / "audit-20261103T000000Z.json"
    assert history.latest(tmp_path, "[a]udit") is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{", '{"version": 1}', '{"version": 99, "findings": []}', '{"version": 1, "findings": [1]}'],
)
def test_a_record_that_cannot_be_compared_is_no_record(text: str, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(text, encoding="utf-8")
    assert history.earlier_findings(tmp_path / "record.json") is None


def test_no_record_is_no_record(tmp_path: Path) -> None:
    assert history.earlier_findings("") is None
    assert history.earlier_findings(tmp_path / "nothing.json") is None
    assert history.earlier_findings(tmp_path) is None
