"""Settings of an engine: given, from the environment, from auditkit.toml; secrets from the environment alone."""

from __future__ import annotations

from pathlib import Path

import pytest

import auditkit
from auditkit.connections import connect, named_settings
from auditkit.engines.settings import AthenaSettings, TrinoSettings
from auditkit.engines.tables import NO_LIMITS
from auditkit.errors import ParameterError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_given_wins_over_the_environment_and_that_over_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "auditkit.toml").write_text(
        'workgroup = "file"\ndatabase = "file"\ncloudtrail-table = "file"\n[report]\nout = "x"\n', encoding="utf-8"
    )
    monkeypatch.setenv("AUDITKIT_WORKGROUP", "environment")
    monkeypatch.setenv("AUDITKIT_DATABASE", "environment")
    found = named_settings("athena", {"workgroup": "given", "database": None})
    assert isinstance(found, AthenaSettings)
    assert (found.workgroup, found.database, found.cloudtrail_table) == ("given", "environment", "file")


def test_numbers_in_the_environment_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITKIT_PORT", "8443")
    found = named_settings("trino", {})
    assert isinstance(found, TrinoSettings)
    assert found.port == 8443
    monkeypatch.setenv("AUDITKIT_PORT", "https")
    with pytest.raises(ParameterError, match="port is 'https'; a number is expected, such as 8080"):
        named_settings("trino", {})


def test_secrets_come_from_the_environment_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "auditkit.toml").write_text('password = "in a file"\n', encoding="utf-8")
    assert named_settings("trino", {}).password is None  # type: ignore[union-attr]
    monkeypatch.setenv("AUDITKIT_TRINO_PASSWORD", "hunter2")
    found = named_settings("trino", {})
    assert isinstance(found, TrinoSettings)
    assert found.password == "hunter2"
    assert "hunter2" not in repr(found)
    with pytest.raises(ParameterError, match=r"would be kept where it is written. Set AUDITKIT_TRINO_TOKEN"):
        named_settings("trino", {"token": "x"})


@pytest.mark.parametrize(
    ("engine", "given", "message"),
    [
        ("spark", {}, "'spark' is no engine. There are athena, trino"),
        ("athena", {"hsot": "x"}, "athena has no setting hsot"),
        ("athena", {"host": "x"}, "athena has no setting host"),
    ],
)
def test_a_slip_is_named(engine: str, given: dict[str, str], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        named_settings(engine, given)


def test_an_engine_needs_a_table() -> None:
    with pytest.raises(ParameterError, match="No table is named"):
        connect("athena", {}, NO_LIMITS)


def test_nothing_is_asked_before_the_first_question() -> None:
    """Not even whether anybody is there."""
    settings = auditkit.TrinoSettings(host="nowhere.invalid", cloudtrail_table="logs.trail")
    assert connect(settings, {}, NO_LIMITS).name == "trino"
    assert connect("athena", {"flow_table": "logs.flows"}, NO_LIMITS).name == "athena"


def test_a_file_that_is_no_toml_is_named(folder: Path) -> None:
    (folder / "auditkit.toml").write_text("[", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"auditkit.toml cannot be read as TOML"):
        named_settings("athena", {})
