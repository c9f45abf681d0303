"""A place where SQL runs: DuckDB over local Parquet, Athena or Trino over the user's own tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from auditkit.model import Parameter, Result, Window

if TYPE_CHECKING:
    from auditkit.engines.cost import Estimate
    from auditkit.engines.tables import Tables

NO_PARAMETERS: Mapping[str, Parameter] = MappingProxyType({})
ALWAYS = Window()


class Engine(Protocol):
    """One verb: Trino SQL over cloudtrail_events and flow_records in, an Arrow table out."""

    @property
    def name(self) -> str: ...

    def run(self, sql: str, params: Mapping[str, Parameter] = NO_PARAMETERS, *, window: Window = ALWAYS) -> Result:
        """The rows of *sql*, each `:name` in it bound to *params*, both tables cut to *window*.

        Columns come back as varchar, bigint, double, boolean, date, timestamp (UTC, without a zone) or lists of those.
        Raises: QueryError when the SQL is refused or fails; ParameterError when *params* and its `:name`s differ.
        """
        ...


class Extraction(Protocol):
    """The rows of one statement on their way from an engine."""

    def batches(self) -> Iterator[pa.Table]: ...

    @property
    def sql(self) -> str: ...

    @property
    def query_id(self) -> str | None: ...

    @property
    def bytes_scanned(self) -> int | None:
        """So far; when all batches have come, all."""
        ...

    @property
    def cost_usd(self) -> float | None: ...


class RemoteEngine(Engine, Protocol):
    """Athena or Trino: an engine over the user's own tables."""

    @property
    def tables(self) -> Tables: ...

    @property
    def region(self) -> str | None:
        """Of AWS, where that is where it is."""
        ...

    @property
    def profile(self) -> str | None:
        """Of the AWS configuration, where it asks with one of its own."""
        ...

    @property
    def is_charged(self) -> bool:
        """Whether what it reads costs money."""
        ...

    def close(self) -> None:
        """Let go of the connections. It can be asked again."""
        ...

    def outside_projection(self, window: Window) -> str | None:
        """What of *window* a table makes up no partitions for, where that is how it has them."""
        ...

    def explained(self, sql: str, params: Mapping[str, Parameter], *, window: Window) -> Estimate | None:
        """What the engine itself thinks that *sql* reads, where it can tell."""
        ...

    def extract(
        self, sql: str, params: Mapping[str, Parameter], *, window: Window
    ) -> AbstractContextManager[Extraction]:
        """The rows of *sql*, however many, each copy of an event among them."""
        ...
