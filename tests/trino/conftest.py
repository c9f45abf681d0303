"""One Trino for all tests of this folder, which carry the marker `trino`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trino.server import NoTrinoError, Trino, find, running

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.trino)


@pytest.fixture(scope="session")
def trino(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trino]:
    """A running server. Only looks for one: `make trino` fetches."""
    try:
        find()
    except NoTrinoError as reason:
        pytest.skip(" ".join(str(reason).split()))
    with running(tmp_path_factory.mktemp("trino") / "server") as server:
        yield server
