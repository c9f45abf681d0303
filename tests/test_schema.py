"""The two tables are described once, and whole."""

from __future__ import annotations

import re

import pytest

from auditkit.schema import ARROW, PARTITION_KEY, TABLES, Table


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_column_has_a_type_a_meaning_and_an_origin(table: Table) -> None:
    for column in table.columns:
        assert column.type in ARROW, column.name
        assert column.about, column.name
        assert column.origin, column.name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_name_is_there_twice(table: Table) -> None:
    assert len(set(table.names)) == len(table.names)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_day_is_a_folder_and_not_in_the_files(table: Table) -> None:
    assert PARTITION_KEY in table.arrow.names
    assert set(table.arrow.names) - set(table.file_arrow.names) == {PARTITION_KEY}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_nothing_of_a_record_is_lost(table: Table) -> None:
    """What has no column of its own goes to `extra`, and each row knows its file."""
    assert {"extra", "log_file"} <= set(table.names)


def test_every_flow_log_field_up_to_version_11_has_its_column() -> None:
    ecs = "cluster_arn cluster_name container_instance_arn container_instance_id container_id second_container_id service_name"
    fields = f"reject_reason encryption_status pkt_dst_aws_service traffic_path az_id {' '.join('ecs_' + w for w in ecs.split())}"
    assert set(fields.split()) <= set(TABLES["flow_records"].names)
