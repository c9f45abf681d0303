"""How folders spell days, where a table tells and where only its folders do."""

from __future__ import annotations

import pytest
from sqlglot import exp

from auditkit.engines.day_formats import seen_in, strftime
from auditkit.engines.partitions import with_spellings
from auditkit.engines.tables import PartitionKey, StoredTable
from auditkit.errors import EngineError

TEXT = exp.DataType.build("varchar")


@pytest.mark.parametrize(
    ("java", "python"),
    [
        ("yyyy/MM/dd", "%Y/%m/%d"),
        ("yyyy-MM-dd-HH", "%Y-%m-%d-%H"),
        ("dd'.'MM'.'yyyy", "%d.%m.%Y"),
        ("yyyy-MM", None),
        ("yyyy/DDD", None),
    ],
)
def test_javas_pattern_is_pythons(java: str, python: str | None) -> None:
    assert strftime(java) == python


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("2026/11/02", "%Y/%m/%d"),
        ("2026-11-02", "%Y-%m-%d"),
        ("20261102", "%Y%m%d"),
        ("2026110213", "%Y%m%d%H"),
        ("2026/11/02/13", "%Y/%m/%d/%H"),
        ("02-11-2026", "%d-%m-%Y"),
        ("2026-11-2", None),
        ("today", None),
        ("", None),
    ],
)
def test_a_folder_shows_its_form(value: str, form: str | None) -> None:
    assert seen_in(value) == form


def table(*keys: PartitionKey) -> StoredTable:
    return StoredTable(("hive", "logs", "trail"), "aws", {key.name: key.type for key in keys}, keys)


def test_a_key_that_does_not_tell_its_form_is_looked_at_once() -> None:
    asked: list[str] = []

    def ask(statement: exp.Select) -> list[list[str]]:
        asked.append(statement.sql("trino"))
        return [["02-11-2026"]]

    found = with_spellings(table(PartitionKey("dt", TEXT), PartitionKey("region", TEXT)), ask)
    assert [key.day_format for key in found.partitions] == ["%d-%m-%Y", None]
    assert asked == ['SELECT "dt" FROM "hive"."logs"."trail$partitions" ORDER BY "dt" LIMIT 1']


@pytest.mark.parametrize(
    "keys",
    [
        (PartitionKey("timestamp", TEXT, "%Y/%m/%d"),),
        (PartitionKey("event_date", exp.DataType.build("date")),),
        (PartitionKey("year", TEXT), PartitionKey("month", TEXT), PartitionKey("day", TEXT)),
        (PartitionKey("region", TEXT),),
    ],
)
def test_keys_that_tell_are_not_looked_at(keys: tuple[PartitionKey, ...]) -> None:
    assert with_spellings(table(*keys), lambda _: pytest.fail("asked")) == table(*keys)


def test_a_form_that_is_unknown_is_refused_rather_than_guessed() -> None:
    with pytest.raises(
        EngineError, match=r"hive\.logs\.trail has days in its key day, spelled 'Monday'.*cannot tell how"
    ):
        with_spellings(table(PartitionKey("day", TEXT)), lambda _: [["Monday"]])


def test_a_table_without_partitions_yet_is_read_as_any_other() -> None:
    assert with_spellings(table(PartitionKey("day", TEXT)), lambda _: []) == table(PartitionKey("day", TEXT))
