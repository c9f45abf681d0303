"""Which fields a flow log has, and in which order: from its header, from its user, or AWS's default."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache

import pyarrow as pa

from auditkit.errors import ParameterError
from auditkit.schema import FLOW_RECORDS

TIMES = {"start": "start_time", "end": "end_time"}
# Every other field has a column of its name, with underscores for hyphens.
COLUMNS = {
    column.origin: column.name
    for column in FLOW_RECORDS.columns
    if column.origin not in (*TIMES, "the file", "all other fields")
} | TIMES
TYPES = {field: FLOW_RECORDS.file_arrow.field(name).type for field, name in COLUMNS.items()} | dict.fromkeys(
    TIMES, pa.int64()
)  # as logged: times are seconds
LAST_SECOND = 253_402_300_799  # the end of the year 9999

_GATEWAY = re.compile(r"tgw-.+|resource-type")  # fields of Transit Gateway flow logs alone
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_LONGEST_HEADER = 8192  # bytes; all 54 fields take 800
_DEFAULT_LINE = re.compile(rb"\d+ \S+ \S+( \S+){10} (OK|NODATA|SKIPDATA)\s*")
_GATEWAY_LINE = re.compile(rb"\d+ TransitGateway \S+ .+")
# What the values of a record look like, whatever its format.
_MARKS = {
    "interface": re.compile(r"eni-[0-9a-f]+"),
    "address": re.compile(r"\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]+"),
    "second": re.compile(r"1\d{9}"),
    "action": re.compile("ACCEPT|REJECT"),
    "status": re.compile("OK|NODATA|SKIPDATA"),
}


@dataclass(frozen=True)
class Layout:
    """The fields of the lines that follow, by AWS's names, and what stands between them: white space, or commas."""

    fields: tuple[str, ...]
    has_commas: bool = False

    @cached_property
    def is_transit_gateway(self) -> bool:
        return any(map(_GATEWAY.fullmatch, self.fields))

    @cached_property
    def trouble(self) -> str | None:
        """Why no record can be read by it."""
        if twice := [field for field, count in Counter(self.fields).items() if count > 1]:
            return f"the header names {', '.join(twice)} more than once"
        if not self.is_transit_gateway and not TIMES.keys() <= set(self.fields):
            return "a flow log without the fields start and end: its records have no time"
        return None


@dataclass(frozen=True, slots=True)
class FlowFormat:
    """The fields of flow logs that have no header, in the order in which the flow log was set up."""

    fields: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> FlowFormat:
        """`${version} ${account-id} …` as AWS shows a flow log's format, or the bare names.

        Raises: ParameterError, for what cannot be a field name, for a name given twice, and without start and end.
        """
        words = text.replace(",", " ").split()
        fields = tuple(map(field_name, words))
        if strange := [word for word, field in zip(words, fields, strict=True) if not _NAME.fullmatch(field)]:
            raise ParameterError(
                f"A flow format is a list of field names, and {strange[0]!r} is none. For example: {EXAMPLE!r}."
            )
        if twice := [field for field, count in Counter(fields).items() if count > 1]:
            raise ParameterError(f"The flow format names {', '.join(twice)} more than once.")
        if missing := [field for field in TIMES if field not in fields]:
            raise ParameterError(
                f"The flow format has no {' and no '.join(missing)}: its records would have no time. Give all its "
                f"fields in their order, for example: {EXAMPLE!r}."
            )
        return cls(fields)

    @property
    def unknown(self) -> dict[str, str | None]:
        """The fields that auditkit does not know, each with the one it may be a slip for; they are kept in `extra`."""
        strange = [field for field in self.fields if field not in COLUMNS and not _GATEWAY.fullmatch(field)]
        return {field: next(iter(get_close_matches(field, COLUMNS, n=1)), None) for field in strange}

    def __str__(self) -> str:
        return " ".join(self.fields)


DEFAULT = FlowFormat(
    (
        *("version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets"),
        *("bytes", "start", "end", "action", "log-status"),
    )
)
EXAMPLE = "${version} ${interface-id} ${srcaddr} ${dstaddr} ${start} ${end} ${action}"


def field_name(word: str) -> str:
    """`${account-id}`, `account_id`, `Account-ID`: one field, as AWS calls it."""
    word = word.strip()
    if word.startswith("${") and word.endswith("}"):
        word = word[2:-1]
    return word.lower().replace("_", "-")


@lru_cache(maxsize=256)  # the same in every file
def header(line: bytes) -> Layout | None:
    """The layout that *line* announces; None when it is no header of a flow log."""
    if len(line) > _LONGEST_HEADER:
        return None
    words = line.decode(errors="replace").split()
    fields = tuple(map(field_name, words))
    if all(map(_NAME.fullmatch, fields)) and are_flow_fields(fields, 2):
        return Layout(fields)
    if b"," in line:
        fields = tuple(map(field_name, cells(line)))
        if are_flow_fields(fields, 4):
            return Layout(fields, has_commas=True)
    return None


def are_flow_fields(fields: tuple[str, ...], least: int) -> bool:
    """Whether at least half of the fields are a flow log's, and *least* of them different ones."""
    known = sum(field in COLUMNS or _GATEWAY.fullmatch(field) is not None for field in set(fields))
    return known >= least and known * 2 >= len(fields)


def cells(line: bytes) -> list[str]:
    """The values of a line of CSV, without white space around them."""
    try:
        row = next(csv.reader([line.decode(errors="replace")], skipinitialspace=True), [])
    except csv.Error:  # a cell of more than 128 KiB
        return []
    return [cell.strip() for cell in row]


def assumed(line: bytes, given: FlowFormat | None) -> FlowFormat | None:
    """The format of a record without a header: the one *given* if the line has as many fields, or AWS's default."""
    if given and len(line.split()) == len(given.fields):
        return given
    if _DEFAULT_LINE.fullmatch(line):
        return DEFAULT
    return given if given and looks_like_a_record(line) else None


def is_gateway_record(line: bytes) -> bool:
    """Whether this is a record of a Transit Gateway flow log in AWS's default format."""
    return _GATEWAY_LINE.fullmatch(line) is not None


def looks_like_a_record(line: bytes) -> bool:
    """Whether a flow log of some format could have a line like this."""
    words = line[:_LONGEST_HEADER].decode(errors="replace").split()
    marks = {mark for word in words for mark, shape in _MARKS.items() if shape.fullmatch(word)}
    return "second" in marks and len(marks) > 1
