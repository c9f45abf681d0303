"""A real Trino on loopback, one process and one node: started, asked, filled with tables, and stopped for sure."""

from __future__ import annotations

import atexit
import json
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import requests
import trino

GET_TRINO = Path(__file__).with_name("get-trino")
HOST = "127.0.0.1"
CATALOG = "hive"
START_S = 180  # about 10 s on two idle cores
STOP_S = 20
JVM = (
    "-Xmx2G",
    "-XX:+UseSerialGC",  # this and the next line: up in 10 s instead of 24 s on two cores, and short queries in a third
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:+IgnoreUnrecognizedVMOptions",  # the next three only quieten, and come and go with Java's versions
    "-XX:+EnableDynamicAgentLoading",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Djdk.attach.allowAttachSelf=true",
    "-Dfile.encoding=UTF-8",
    "-Duser.timezone=UTC",
)


class NoTrinoError(Exception):
    """No Trino is here, or it does not start. The message says what to do, or what the server said."""


@dataclass(frozen=True)
class Installed:
    version: str
    home: Path
    java: Path


def find() -> Installed:
    """What get-trino left. Raises: NoTrinoError, with what get-trino says."""
    said = subprocess.run([GET_TRINO, "--find"], capture_output=True, text=True, check=False)
    if said.returncode:
        raise NoTrinoError(said.stderr.strip())
    facts = dict(line.split("=", 1) for line in said.stdout.splitlines())
    return Installed(facts["version"], Path(facts["home"]), Path(facts["java"]))


@dataclass(eq=False)
class Trino:
    """A server that answers, and tables in it.

    A table lives in the folder `root/schema/table`. Filling one again with the same columns only replaces its files,
    which Trino sees at once: it caches neither listings nor footers here. Other columns drop it and create it anew.
    So tests that share a table name are quickest, and must be done with the table before it is filled again.
    """

    version: str
    port: int
    root: Path  # what local:/// means
    log: Path
    pid: int
    host: str = HOST
    catalog: str = CATALOG
    _own: trino.dbapi.Connection | None = field(default=None, init=False, repr=False)
    _created: dict[str, str] = field(default_factory=dict, init=False, repr=False)  # statement by table

    def connect(self, **options: Any) -> trino.dbapi.Connection:
        """A connection of the caller's, for the caller to close."""
        # Told no zone, the client sends this machine's, and what depends on the session's zone would depend on it.
        options = {"user": "tests", "catalog": self.catalog, "timezone": "UTC", **options}
        return trino.dbapi.connect(host=self.host, port=self.port, **options)

    def execute(self, sql: str) -> list[list[Any]]:
        """The rows of one statement, as the Python client gives them."""
        if self._own is None:
            self._own = self.connect()
        return self._own.cursor().execute(sql).fetchall()

    def close(self) -> None:
        if self._own is not None:
            self._own.close()
            self._own = None

    def folder(self, schema: str, table: str) -> Path:
        """Where the files of a table are."""
        return self.root / schema / table

    def external_table(self, schema: str, table: str, rows: pa.Table) -> str:
        """A Parquet table of *rows*, one file. Returns: its name for a FROM clause."""
        folder = self._emptied(schema, table)
        pq.write_table(rows, folder / "rows.parquet")
        return self.create(schema, table, columns_of(rows.schema))

    def json_table(
        self,
        schema: str,
        table: str,
        rows: Iterable[Mapping[str, Any]],
        columns: Mapping[str, str],
        *,
        format: str = "OPENX_JSON",
    ) -> str:
        """A table of JSON lines.

        Args:
            columns: Trino type by name. Members of a row without a column are left out; names match in any case.
            format: OPENX_JSON gives an object under a varchar column as its text. JSON fails on such a row.
        Returns: Its name for a FROM clause.
        """
        folder = self._emptied(schema, table)
        lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        (folder / "rows.json").write_text(lines, encoding="utf-8")
        return self.create(schema, table, columns, format=format)

    def partitioned_table(
        self, schema: str, table: str, rows: pa.Table, by: Sequence[str], *, projected: Mapping[str, str] | None = None
    ) -> str:
        """A Parquet table of *rows* in folders such as `event_date=2026-11-02/`.

        Args:
            by: Columns whose values go into the folders' names. They come last in the table.
            projected: For each of *by*, its `partition_projection_…` properties as in `WITH (…)`. Trino then works
                folders out; without, it is told those that are there.
        Returns: Its name for a FROM clause.
        """
        folder = self._emptied(schema, table)
        pq.write_to_dataset(rows, folder, partition_cols=list(by))
        types = columns_of(rows.schema)
        plain = {name: kind for name, kind in types.items() if name not in by}
        keys = {name: f"{types[name]} WITH ({projected[name]})" if projected else types[name] for name in by}
        properties = {"partition_projection_enabled": "true"} if projected else {}
        name = self.create(schema, table, plain, partitioned_by=keys, properties=properties)
        if not projected:
            self.sync_partitions(schema, table)
        return name

    def create(
        self,
        schema: str,
        table: str,
        columns: Mapping[str, str],
        *,
        format: str = "PARQUET",
        partitioned_by: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> str:
        """Create the external table over its folder, whatever is in there; does nothing when it is so already.

        Args:
            columns, partitioned_by: Trino type by name, with a `WITH (…)` where a column has properties.
            properties: More of the table's properties, as SQL.
        Returns: Its name for a FROM clause.
        """
        keys = partitioned_by or {}
        listed = ", ".join(f'"{name}" {kind}' for name, kind in {**columns, **keys}.items())
        given = {"external_location": f"'local:///{schema}/{table}'", "format": f"'{format}'", **(properties or {})}
        if keys:
            given["partitioned_by"] = "ARRAY[" + ", ".join(f"'{key}'" for key in keys) + "]"
        name = f"{self.catalog}.{schema}.{table}"
        statement = f"CREATE TABLE {name} ({listed}) WITH ({', '.join(f'{k} = {v}' for k, v in given.items())})"
        if self._created.get(name) != statement:
            self.execute(f"CREATE SCHEMA IF NOT EXISTS {self.catalog}.{schema}")
            self.execute(f"DROP TABLE IF EXISTS {name}")
            self.folder(schema, table).mkdir(parents=True, exist_ok=True)
            self.execute(statement)
            self._created[name] = statement
        return name

    def sync_partitions(self, schema: str, table: str) -> None:
        """Have the metastore know just the partitions whose folders are there."""
        self.execute(f"CALL {self.catalog}.system.sync_partition_metadata('{schema}', '{table}', 'FULL')")

    def _emptied(self, schema: str, table: str) -> Path:
        folder = self.folder(schema, table)
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        return folder


SCALARS = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.float32(): "real",
    pa.float64(): "double",
    pa.string(): "varchar",
    pa.large_string(): "varchar",
    pa.binary(): "varbinary",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp(6)",
}


def columns_of(schema: pa.Schema) -> dict[str, str]:
    """The Trino type of each column, as Trino reads it from the Parquet that pyarrow writes."""
    return {column.name: type_of(column.type) for column in schema}


def type_of(kind: pa.DataType) -> str:
    """Raises: KeyError for a type that has no equal in a Hive table, such as a timestamp with a zone."""
    if pa.types.is_struct(kind):
        return "row(" + ", ".join(f'"{member.name}" {type_of(member.type)}' for member in kind) + ")"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array({type_of(kind.value_type)})"
    if pa.types.is_map(kind):
        return f"map({type_of(kind.key_type)}, {type_of(kind.item_type)})"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision}, {kind.scale})"
    return SCALARS[kind]


@contextmanager
def running(folder: Path) -> Iterator[Trino]:
    """A server of its own in *folder*, which must be new or empty, until the block ends.

    Raises: NoTrinoError, when there is none here, or with the end of its log when it does not come up.
    """
    installed = find()
    port = _free_port()
    root = folder / "root"
    root.mkdir(parents=True)
    node = uuid.uuid4().hex
    _configure(folder, installed, port, node)
    log = folder / "server.log"
    # Java itself and not Trino's launcher, so that the process we know is the server.
    words = [installed.java, *JVM, "-Dconfig=config.properties", "-cp", f"{installed.home}/lib/*"]
    command = [str(word) for word in (*words, "io.trino.server.TrinoServer")]
    if setpriv := shutil.which("setpriv"):  # Linux: the kernel ends the server when we are killed
        command = [setpriv, "--pdeathsig", "KILL", *command]
    with log.open("wb") as out:
        # A session of its own: Ctrl-C is for pytest, which then stops the server.
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    stop = partial(_stop, process)
    atexit.register(stop)
    server = Trino(installed.version, port, root, log, process.pid)
    try:
        _wait(server, process, node)
        yield server
    finally:
        server.close()
        stop()
        atexit.unregister(stop)


def _configure(folder: Path, installed: Installed, port: int, node: str) -> None:
    server = {
        "node.id": node,
        "node.environment": "tests",
        "node.bind-ip": HOST,
        "node.internal-address": HOST,
        "coordinator": "true",
        "node-scheduler.include-coordinator": "true",
        "failure-detector.enabled": "false",  # on a busy machine the only node would be taken for dead
        "http-server.http.port": port,
        "discovery.uri": f"http://{HOST}:{port}",
        "plugin.dir": installed.home / "plugin",
        "catalog.config-dir": folder / "catalog",
    }
    hive = {
        "connector.name": "hive",
        "hive.metastore": "file",
        "hive.metastore.catalog.dir": "local:///.metastore",
        "fs.native-local.enabled": "true",
        "local.location": folder / "root",
        "hive.non-managed-table-writes-enabled": "true",
        "hive.recursive-directories": "true",
        "hive.ignore-absent-partitions": "true",  # a projected day without a folder has no rows, as on Athena
        "hive.timestamp-precision": "MICROSECONDS",  # the default cuts what our events and hashes depend on
    }
    (folder / "catalog").mkdir()
    for path, values in (("config.properties", server), (f"catalog/{CATALOG}.properties", hive)):
        (folder / path).write_text("".join(f"{name}={value}\n" for name, value in values.items()), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])


def _wait(server: Trino, process: subprocess.Popen[bytes], node: str) -> None:
    last = "no answer"
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise NoTrinoError(f"Trino left with {process.returncode}. The end of its log:\n{_tail(server.log)}")
        try:
            with closing(server.connect(max_attempts=1)) as connection:
                nodes = connection.cursor().execute("SELECT node_id FROM system.runtime.nodes").fetchall()
            if nodes == [[node]]:
                _wait_for_catalog(server)
                return
            last = "another server does, which took its port meanwhile"
        except (trino.exceptions.Error, requests.RequestException) as error:
            last = str(error)
        time.sleep(0.1)
    raise NoTrinoError(f"Trino did not answer within {START_S} s ({last}). The end of its log:\n{_tail(server.log)}")


def _wait_for_catalog(server: Trino) -> None:
    """Until the node has said that it serves the catalog: on a busy machine it says so some seconds after it answers."""
    name = server.external_table("ready", "one_row", pa.table({"one": [1]}))
    end = time.monotonic() + START_S
    while True:
        try:
            server.execute(f"SELECT one FROM {name}")
            return
        except trino.exceptions.TrinoQueryError as error:
            if error.error_name != "NO_NODES_AVAILABLE" or time.monotonic() > end:
                raise
        time.sleep(0.1)


def _tail(log: Path, lines: int = 40) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
