"""How to reach Athena and Trino: plain values, from a caller, the environment or auditkit.toml."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class AthenaSettings:
    """Which workgroup of which account asks, and what its tables are called: `table` or `database.table`.

    Credentials are those of the AWS command line.
    """

    workgroup: str = "primary"
    output_location: str | None = None  # s3://…/ for results; None: the workgroup's own, or those that Athena manages
    aws_region: str | None = None
    profile: str | None = None
    catalog: str = "awsdatacatalog"
    database: str = "default"
    cloudtrail_table: str | None = None
    flow_table: str | None = None
    result_reuse_minutes: int = 60  # a statement that was run so lately is answered from then, free; 0: never
    poll_interval_s: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TrinoSettings:
    """Where Trino is, who asks, and what its tables are called: `table`, `schema.table` or `catalog.schema.table`."""

    host: str = "localhost"
    port: int = 8080
    user: str = "auditkit"
    scheme: str | None = None  # http or https; https, when there is a password or a token
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None  # certificates to trust instead of the usual ones
    catalog: str = "hive"
    database: str = "default"
    cloudtrail_table: str | None = None
    flow_table: str | None = None


SETTINGS: dict[str, frozenset[str]] = {
    name: frozenset(one.name for one in fields(kind))
    for name, kind in (("athena", AthenaSettings), ("trino", TrinoSettings))
}
