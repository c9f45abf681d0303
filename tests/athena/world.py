"""What the fake Athena is made of: workgroups, statements, and what is to go wrong."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.athena.backends import Answer
from tests.athena.texts import type_name


class RefusedError(Exception):
    """An error that answers a request."""

    def __init__(self, code: str, said: str, athena_code: str | None = None) -> None:
        self.code, self.said, self.athena_code = code, said, athena_code
        super().__init__(said)


def invalid(said: str, athena_code: str = "INVALID_INPUT") -> RefusedError:
    return RefusedError("InvalidRequestException", said, athena_code)


@dataclass
class Workgroup:
    output_location: str | None = None
    is_managed: bool = False  # results are kept by Athena, not in S3
    cutoff: int | None = None  # BytesScannedCutoffPerQuery


@dataclass
class Faults:
    """What is to go wrong."""

    denied: set[str] = field(default_factory=set)  # IAM actions, as `glue:GetTable`
    throttled: Counter[str] = field(default_factory=Counter)  # operation -> how many requests from now on
    expired: bool = False
    unknown_key: bool = False
    never_ends: bool = False  # a statement runs until it is stopped
    cancels: str | None = None  # somebody stops the statement, with this reason
    fails: str | None = None  # the statement fails, with this reason


NOTHING = Answer((), ())


@dataclass
class Execution:
    id: str
    text: str
    workgroup: str
    database: str | None
    location: str | None  # of the file with the result
    request: dict[str, Any]
    submitted: float = field(default_factory=time.time)
    state: str = "QUEUED"
    reason: str = ""
    answer: Answer = NOTHING
    scanned: int = 0
    is_reused: bool = False
    manifest: str | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def has_ended(self) -> bool:
        return self.state in ("SUCCEEDED", "FAILED", "CANCELLED")


def datum(text: str | None) -> dict[str, str]:
    return {} if text is None else {"VarCharValue": text}


def column_info(name: str, kind: str) -> dict[str, Any]:
    digits = re.fullmatch(r"decimal\((\d+),\s*(\d+)\)", kind)
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": type_name(kind),
        "Precision": int(digits[1]) if digits else 0,
        "Scale": int(digits[2]) if digits else 0,
        "Nullable": "UNKNOWN",
        "CaseSensitive": False,
    }
