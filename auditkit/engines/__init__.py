"""A place where SQL runs: DuckDB over local Parquet, Athena or Trino over the user's own tables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from auditkit.model import Parameter, Result, Window

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
