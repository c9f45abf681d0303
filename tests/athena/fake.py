"""Athena on loopback: its JSON protocol over statements that really run, with results in S3 beside it.

It copies what was seen of Athena: texts of errors, pages whose first row is the header, a token after every full page,
answers of NULL as empty cells, results used again, limits. `Faults` say what is to go wrong.
"""

from __future__ import annotations

import io
import itertools
import re
import threading
import time
import uuid
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.athena.backends import Answer, Backend, FailedError, MalformedError
from tests.athena.texts import cell, csv
from tests.athena.world import Execution, Faults, RefusedError, Workgroup, column_info, datum, invalid

MOST_TEXT = 262_144
MOST_ROWS = 1000  # of a page, with the header
ACCOUNT = "111122223333"
USER = f"arn:aws:iam::{ACCOUNT}:user/auditor"
DENIED = "User: {user} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action"
GLUE = "{said} (Service: AmazonDataCatalog; Status Code: 400; Error Code: {code}; Request ID: 00000000-0000-0000-0000-000000000000; Proxy: null)"
_UNLOAD = re.compile(
    r"\s*UNLOAD\s*\((?P<query>.*)\)\s*TO\s*'(?P<to>s3://[^']+)'\s*WITH\s*\((?P<with>[^()]*)\)\s*", re.S
)


class FakeAthena:
    """The operations. `s3` is a client of the SDK for the server that holds the results."""

    def __init__(self, backend: Backend, s3: Any) -> None:
        self.backend, self.s3 = backend, s3
        self.reset()

    def reset(self) -> None:
        self.faults = Faults()
        self.workgroups: dict[str, Workgroup] = {"primary": Workgroup()}
        self.tables: dict[tuple[str, str], dict[str, Any]] = {}
        self.executions: dict[str, Execution] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []  # operation and request
        self.bytes_scanned = 12_345  # by each statement
        self._lock = threading.Lock()

    @property
    def sent(self) -> list[str]:
        """The texts of all statements so far."""
        return [execution.text for execution in self.executions.values()]

    def operations(self, name: str) -> list[dict[str, Any]]:
        return [request for operation, request in self.asked if operation == name]

    def answer(self, service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Raises: RefusedError."""
        self.asked.append((operation, request))
        if self.faults.expired:
            raise RefusedError("ExpiredTokenException", "The security token included in the request is expired")
        if self.faults.unknown_key:
            said = "The security token included in the request is invalid."
            raise RefusedError("UnrecognizedClientException", said)
        if self.faults.throttled[operation] > 0:
            self.faults.throttled[operation] -= 1
            raise RefusedError("ThrottlingException", "Rate exceeded")
        if (action := f"{service}:{operation}") in self.faults.denied:
            workgroup = f"arn:aws:athena:eu-central-1:{ACCOUNT}:workgroup/{request.get('WorkGroup', 'primary')}"
            raise RefusedError("AccessDeniedException", DENIED.format(user=USER, action=action, resource=workgroup))
        known = {
            "StartQueryExecution": self._start,
            "GetQueryExecution": lambda request: {"QueryExecution": self._told(self._found(request))},
            "GetQueryResults": self._results,
            "StopQueryExecution": self._stop,
            "GetTableMetadata": self._table,
            "ListTableMetadata": self._tables,
            "GetWorkGroup": self._workgroup,
            "GetTable": self._glue_table,
        }
        return known[operation](request)

    # Statements

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        text, name = request["QueryString"], request.get("WorkGroup", "primary")
        if len(text) > MOST_TEXT:
            raise invalid(
                "1 validation error detected: Value at 'queryString' failed to satisfy constraint: Member must have "
                f"length less than or equal to {MOST_TEXT}"
            )
        workgroup = self._workgroup_of(name)
        unload = _UNLOAD.fullmatch(text)
        try:
            self.backend.check(unload["query"] if unload else text)
        except MalformedError as error:
            raise invalid(str(error), "MALFORMED_QUERY") from None
        folder = request.get("ResultConfiguration", {}).get("OutputLocation") or workgroup.output_location
        if not folder and not workgroup.is_managed:
            raise invalid(
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input."
            )
        identifier = str(uuid.uuid4())
        location = None if workgroup.is_managed else f"{folder.rstrip('/')}/{identifier}.csv"
        database = request.get("QueryExecutionContext", {}).get("Database")
        execution = Execution(identifier, text, name, database, location, request)
        earlier = self._reusable(execution)
        with self._lock:
            self.executions[identifier] = execution
        if earlier:
            execution.answer, execution.location = earlier.answer, earlier.location
            execution.is_reused, execution.state = True, "SUCCEEDED"
        else:
            threading.Thread(target=self._run, args=(execution, unload), daemon=True).start()
        return {"QueryExecutionId": identifier}

    def _reusable(self, execution: Execution) -> Execution | None:
        wish = execution.request.get("ResultReuseConfiguration", {}).get("ResultReuseByAgeConfiguration", {})
        if not wish.get("Enabled"):
            return None
        return next(
            (
                one
                for one in self.executions.values()
                if (one.text, one.workgroup, one.state) == (execution.text, execution.workgroup, "SUCCEEDED")
                and not one.manifest
            ),
            None,
        )

    def _run(self, execution: Execution, unload: re.Match[str] | None) -> None:
        execution.state = "RUNNING"
        try:
            if self.faults.never_ends:
                execution.scanned = self.bytes_scanned
                execution.stopped.wait(30)
                self._end(execution, "CANCELLED", "Query cancelled by user")
                return
            execution.scanned = self.bytes_scanned
            self._meet_faults(execution, unload)
            answer = self.backend.run(unload["query"] if unload else execution.text)
            if unload:
                self._write_files(execution, answer, unload["to"])
            elif execution.location:
                bucket, key = _split(execution.location)
                names = [name for name, _ in answer.columns]
                self.s3.put_object(Bucket=bucket, Key=key, Body=csv(names, answer.rows))
            execution.answer = Answer((("rows", "bigint"),), ()) if unload else answer
            self._end(execution, "SUCCEEDED")
        except _StoppedError:
            pass
        except FailedError as error:
            self._end(execution, "FAILED", str(error))
        except Exception as error:  # whoever waits for it is to hear of it
            self._end(execution, "FAILED", f"GENERIC_INTERNAL_ERROR: {error!r}")

    def _end(self, execution: Execution, state: str, reason: str = "") -> None:
        execution.reason = reason
        execution.state = state

    def _meet_faults(self, execution: Execution, unload: re.Match[str] | None) -> None:
        faults, cutoff = self.faults, self.workgroups[execution.workgroup].cutoff
        if cutoff is not None and execution.scanned > cutoff:
            execution.scanned = cutoff
            self._end(execution, "CANCELLED", "Bytes scanned limit was exceeded")
            raise _StoppedError
        if faults.cancels:
            self._end(execution, "CANCELLED", faults.cancels)
            raise _StoppedError
        if "glue:GetPartitions" in faults.denied:
            said = DENIED.format(user=USER, action="glue:GetPartitions", resource="arn:aws:glue:eu-central-1:1:catalog")
            raise FailedError(f"Insufficient permissions to execute the query. {said}")
        if "kms:Decrypt" in faults.denied:
            said = DENIED.format(user=USER, action="kms:Decrypt", resource="arn:aws:kms:eu-central-1:1:key/1")
            raise FailedError(f"HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://logs/a.json.gz: {said}")
        if "s3:GetObject" in faults.denied:
            raise FailedError("Permission denied on S3 path: s3://logs/AWSLogs/2026/11/02/a.json.gz")
        if "s3:PutObject" in faults.denied:
            raise FailedError(
                f"Access denied when writing output to url: {execution.location}. Please ensure you are allowed to "
                "access the S3 bucket. If you are encrypting query results with KMS key, please ensure you are allowed "
                "to access your KMS key"
            )
        if faults.fails and unload:  # half of it was written
            bucket, prefix = _split(unload["to"])
            self.s3.put_object(Bucket=bucket, Key=f"{prefix}orphan", Body=b"PAR1")
        if faults.fails:
            raise FailedError(faults.fails)

    def _write_files(self, execution: Execution, answer: Answer, to: str) -> None:
        """Two files of half the rows each; of no rows, none and no manifest."""
        assert answer.arrow is not None
        assert execution.location
        bucket, prefix = _split(to)
        if self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("KeyCount"):
            raise FailedError(f"HIVE_PATH_ALREADY_EXISTS: Target directory for table already exists: {to}")
        execution.manifest = execution.location.removesuffix(".csv") + "-manifest.csv"
        half = (len(answer.arrow) + 1) // 2
        urls = []
        for number, part in enumerate((answer.arrow.slice(half), answer.arrow.slice(0, half))):
            if len(part):
                buffer = io.BytesIO()
                pq.write_table(_as_trino_writes(part), buffer, compression="zstd")
                key = f"{prefix}{execution.id}_{number}"
                self.s3.put_object(Bucket=bucket, Key=key, Body=buffer.getvalue())
                urls.append(f"s3://{bucket}/{key}")
        if urls:
            bucket, key = _split(execution.manifest)
            self.s3.put_object(Bucket=bucket, Key=key, Body="".join(f"{url}\n" for url in urls).encode())

    def _found(self, request: dict[str, Any]) -> Execution:
        identifier = request["QueryExecutionId"]
        if identifier not in self.executions:
            raise invalid(f"QueryExecution {identifier} was not found", "QUERY_EXECUTION_NOT_FOUND")
        return self.executions[identifier]

    def _told(self, execution: Execution) -> dict[str, Any]:
        status: dict[str, Any] = {"State": execution.state, "SubmissionDateTime": execution.submitted}
        if execution.has_ended:
            status["CompletionDateTime"] = time.time()
        if execution.reason:
            status["StateChangeReason"] = execution.reason
        if execution.state == "FAILED":
            error = {"ErrorCategory": 2, "ErrorType": 1006, "Retryable": False, "ErrorMessage": execution.reason}
            status["AthenaError"] = error
        statistics = {
            "DataScannedInBytes": execution.scanned if execution.has_ended or self.faults.never_ends else 0,
            "EngineExecutionTimeInMillis": 7,
            "TotalExecutionTimeInMillis": 9,
            "ResultReuseInformation": {"ReusedPreviousResult": execution.is_reused},
        }
        if execution.manifest:
            statistics["DataManifestLocation"] = execution.manifest
        return {
            "QueryExecutionId": execution.id,
            "Query": execution.text,
            "StatementType": "DML",
            "SubstatementType": "UNLOAD" if execution.manifest else "SELECT",
            "ResultConfiguration": {"OutputLocation": execution.location} if execution.location else {},
            "QueryExecutionContext": {"Database": execution.database, "Catalog": "awsdatacatalog"},
            "Status": status,
            "Statistics": statistics,
            "WorkGroup": execution.workgroup,
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
        }

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        self._found(request).stopped.set()
        return {}

    def _results(self, request: dict[str, Any]) -> dict[str, Any]:
        execution = self._found(request)
        if execution.state != "SUCCEEDED":
            raise invalid(f"Query did not finish successfully. Final query state: {execution.state}")
        start, most = int(request.get("NextToken") or 0), int(request.get("MaxResults") or MOST_ROWS)
        if most > MOST_ROWS:
            raise invalid(f"MaxResults is more than maximum allowed length {MOST_ROWS}")
        columns, rows = execution.answer.columns, execution.answer.rows
        header = [] if execution.manifest else [[name for name, _ in columns]]
        page = list(itertools.islice(itertools.chain(header, rows), start, start + most))
        found: dict[str, Any] = {
            "UpdateCount": 0,
            "ResultSet": {
                "Rows": [{"Data": [datum(cell(value)) for value in row]} for row in page],
                "ResultSetMetadata": {"ColumnInfo": [column_info(*column) for column in columns]},
            },
        }
        if len(page) == most:  # even when nothing is left
            found["NextToken"] = str(start + most)
        return found

    # What there is

    def _workgroup_of(self, name: str) -> Workgroup:
        if name not in self.workgroups:
            raise invalid("WorkGroup is not found.")
        return self.workgroups[name]

    def _workgroup(self, request: dict[str, Any]) -> dict[str, Any]:
        workgroup = self._workgroup_of(request["WorkGroup"])
        configuration: dict[str, Any] = {"EnforceWorkGroupConfiguration": False}
        if workgroup.output_location:
            configuration["ResultConfiguration"] = {"OutputLocation": workgroup.output_location}
        if workgroup.is_managed:
            configuration["ManagedQueryResultsConfiguration"] = {"Enabled": True}
        return {"WorkGroup": {"Name": request["WorkGroup"], "State": "ENABLED", "Configuration": configuration}}

    def _table(self, request: dict[str, Any]) -> dict[str, Any]:
        if "glue:GetTable" in self.faults.denied:
            resource = f"arn:aws:glue:eu-central-1:{ACCOUNT}:catalog"
            said = DENIED.format(user=USER, action="glue:GetTable", resource=resource)
            raise RefusedError("MetadataException", GLUE.format(said=said, code="AccessDeniedException"))
        return {"TableMetadata": self._known(request["DatabaseName"], request["TableName"], "MetadataException")}

    def _known(self, database: str, table: str, code: str) -> dict[str, Any]:
        if not any(known == database for known, _ in self.tables):
            said = f"Database {database} not found."
        elif (database, table) not in self.tables:
            said = f"Table {table} not found."
        else:
            return self.tables[database, table]
        wrapped = GLUE.format(said=said, code="EntityNotFoundException") if code == "MetadataException" else said
        raise RefusedError(code, wrapped)

    def _tables(self, request: dict[str, Any]) -> dict[str, Any]:
        names = sorted(name for database, name in self.tables if database == request["DatabaseName"])
        start, most = int(request.get("NextToken") or 0), request.get("MaxResults", 50)
        page = [self.tables[request["DatabaseName"], name] for name in names[start : start + most]]
        return {"TableMetadataList": page} | ({"NextToken": str(start + most)} if start + most < len(names) else {})

    def _glue_table(self, request: dict[str, Any]) -> dict[str, Any]:
        known = self._known(request["DatabaseName"], request["Name"], "EntityNotFoundException")
        storage = {"Columns": known["Columns"], "Location": known["Parameters"].get("location", "")}
        told = {"Name": known["Name"], "TableType": known["TableType"], "Parameters": known["Parameters"]}
        return {"Table": told | {"StorageDescriptor": storage, "PartitionKeys": known["PartitionKeys"]}}


class _StoppedError(FailedError):
    """The end was written already."""


def _as_trino_writes(rows: pa.Table) -> pa.Table:
    """Timestamps of three digits."""
    kinds = [pa.timestamp("ms") if pa.types.is_timestamp(kind.type) else kind.type for kind in rows.schema]
    return rows.cast(pa.schema(list(zip(rows.column_names, kinds, strict=True))), safe=False)


def _split(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key
