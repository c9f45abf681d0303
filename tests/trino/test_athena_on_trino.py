"""What Athena's engine sends, answered by a real Trino behind the fake Athena: lists, odd values, parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import botocore.session
import pyarrow as pa
import pytest

from tests.athena.backends import TrinoBackend
from tests.athena.conftest import Served, athena, engine_with, lab  # noqa: F401 - fixtures
from tests.athena.fake import FakeAthena
from tests.athena.server import serving
from tests.athena.test_athena_engine import (  # noqa: F401 - to be run here too
    test_a_star_gives_the_columns_of_the_schema,
    test_columns_without_a_name_are_called_as_they_are_elsewhere,
    test_no_rows_have_all_columns_and_types,
    test_odd_values,
    test_values_come_in_plain_types,
)
from tests.athena.test_athena_lists import (  # noqa: F401
    test_items_of_every_type,
    test_lists_of_every_kind_of_statement,
    test_rows_keep_their_order,
)
from tests.athena.test_athena_parameters import engine, test_lists_of_text, test_text  # noqa: F401
from tests.s3_server import REGION, Recording
from tests.trino.server import Trino


class FilledTrino(TrinoBackend):
    """A Trino whose tables are filled from Arrow."""

    def __init__(self, server: Trino, connection: object) -> None:
        super().__init__(connection)
        self._server = server

    def hold(self, database: str, table: str, rows: pa.Table) -> None:
        self._server.external_table(database, table, rows)


@pytest.fixture(scope="session")
def served(moto: tuple[str, Recording], trino: Trino) -> Iterator[Served]:
    keys = {"aws_access_key_id": "fake", "aws_secret_access_key": "fake", "region_name": REGION}
    s3 = botocore.session.Session().create_client("s3", endpoint_url=moto[0], **keys)
    with closing(s3), closing(trino.connect()) as connection:
        backend = FilledTrino(trino, connection)
        fake = FakeAthena(backend, s3)
        with serving(fake) as address:
            yield Served(fake, backend, address, s3)
