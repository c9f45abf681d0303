"""One file in, its records out, a piece at a time: the kind is told by content, never by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import PurePath

import pyarrow as pa

from auditkit.errors import UnavailableFileError, UnreadableFileError
from auditkit.logs import cloudtrail, exports, flow_parquet, flowlogs
from auditkit.logs.cloudtrail import Found
from auditkit.logs.flow_format import FlowFormat
from auditkit.logs.opening import MAX_TEXT_BYTES, Text
from auditkit.logs.parsed import NotALogError, Parsed

SIDECAR = ".metadata.json"  # behind a digest's name: what `aws s3api head-object` printed of it
# Text that lies beside logs and is none. The name only decides what to call a file whose content is no log.
_DOCUMENTS = frozenset(
    {".md", ".rst", ".py", ".ipynb", ".sql", ".sh", ".html", ".yaml", ".yml", ".toml", ".pdf", ".png"}
)


@dataclass(frozen=True, slots=True)
class Options:
    """How to read files."""

    max_bytes: int = MAX_TEXT_BYTES  # of text in one file
    flow_format: FlowFormat | None = None  # of flow logs without a header


@dataclass(frozen=True, slots=True)
class FlowText:
    """The text of a whole flow log, or of lines without a header: read together with others, which is far cheaper."""

    text: bytes
    wrapped: int = 0  # how many of the lines came in the same wrapping as other records, and are records of that file


Piece = Found | FlowText | Parsed[pa.Table]


class LogFile:
    """One file being read. What is known of the whole is known when all pieces have been read."""

    def __init__(self, text: Text, options: Options) -> None:
        self._text, self._options = text, options
        self.kind: str | None = None  # cloudtrail | flowlogs
        self.is_long = False  # more than one block: then the content is known before the first piece
        self.flow_format: str | None = None  # of a long flow log, the fields that are assumed
        self.content_sha256: str | None = None  # flow records have no ids: a copied file is known by what it says

    @property
    def sha256(self) -> str:
        """Of the file as it lies there."""
        return self._text.sha256

    def pieces(self) -> Iterator[Piece]:
        """The records, a piece at a time. Of a file that cannot be read there is no piece at all.

        Raises: NotALogError, for files that lie beside logs; UnreadableFileError, for all that should be a log and
        cannot be read as one.
        """
        if self._text.head.startswith(flow_parquet.MAGIC):
            return self._parquet()
        blocks = self._text.blocks()
        first = next(blocks)
        second = next(blocks, None)
        if second is None:
            return iter(list(self._pieces(first, iter(()))))
        self.is_long = True
        for _ in self._pieces(first, chain([second], blocks)):
            pass  # too large to hold, so it is read twice: whether it is whole shows only at its end
        return _again(self._from_the_start())

    def _from_the_start(self) -> Iterator[Piece]:
        blocks = self._text.blocks()
        yield from self._pieces(next(blocks), blocks)

    def _pieces(self, first: bytes, blocks: Iterator[bytes]) -> Iterator[Piece]:
        whole = chain([first], blocks)
        first_line = first[: first.find(b"\n") + 1] or first
        if first.lstrip()[:1] in (b"{", b"["):
            return self._found(cloudtrail.read(whole))
        if exports.is_export(first_line) or exports.is_event_history(first_line):
            return self._found(map(cloudtrail.from_unwrapped, ([part] for part in exports.records(whole))))
        if exports.is_write_test(first):
            raise NotALogError("no log: the test object of a CloudWatch export task")
        if flowlogs.is_flow_log(first, self._options.flow_format):
            return self._flow_text(whole)
        raise UnreadableFileError(
            f"neither CloudTrail JSON nor flow-log text: it begins {first[:40].decode(errors='replace')!r}"
        )

    def _parquet(self) -> Iterator[Piece]:
        file = self._text.binary()
        self.kind, self.content_sha256 = "flowlogs", self.sha256
        chunks = list(islice(flow_parquet.parquet_chunks(file), 2))
        if len(chunks) < 2:
            return iter(chunks)
        self.is_long = True
        for _ in flow_parquet.parquet_chunks(file):
            pass  # as with text: whether it is whole shows only at its end
        return _again(flow_parquet.parquet_chunks(file))

    def _found(self, parts: Iterator[Found]) -> Iterator[Piece]:
        """Records, and the flow-log lines that came in the same wrapping."""
        self.kind = None
        content, is_known = hashlib.sha256(), self.content_sha256 is not None
        for found in parts:
            yield found
            if found.flow_lines:
                text = b"\n".join(found.flow_lines)
                content.update(text)
                self.kind = self.kind or "flowlogs"
                if not is_known:
                    self.content_sha256 = content.hexdigest()
                yield FlowText(text, len(found.flow_lines))
            if found.records:
                self.kind = "cloudtrail"
        self.kind = self.kind or "cloudtrail"

    def _flow_text(self, blocks: Iterator[bytes]) -> Iterator[Piece]:
        self.kind = "flowlogs"
        if not self.is_long:
            text = b"".join(blocks)
            self.content_sha256 = hashlib.sha256(text).hexdigest()
            yield FlowText(text)
            return
        reader = flowlogs.FlowReader(self._options.flow_format)
        if self.content_sha256 is None:  # the first time, only to see whether it is whole, and can be read
            content = hashlib.sha256()
            for number, block in enumerate(flowlogs.whole_lines(blocks)):
                content.update(block)
                if number == 0:
                    reader.parse(block)
            self.content_sha256 = content.hexdigest()
            return
        for block in flowlogs.whole_lines(blocks):
            log = reader.parse(block)
            self.flow_format = log.flow_format
            yield log.parsed


def _again(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces of a file that was whole a moment ago. Raises: UnavailableFileError, when it is no longer."""
    try:
        yield from pieces
    except (UnreadableFileError, NotALogError) as error:
        raise UnavailableFileError(f"changed while it was being read ({error}): the next run reads it again") from error


def no_log_by_name(name: PurePath) -> NotALogError | None:
    """What to say of a file that cannot be read as a log, and that nobody would take for one."""
    if name.name.endswith(SIDECAR):
        return NotALogError("no log: what S3 says of a digest")
    suffix = name.suffix.lower()
    return NotALogError(f"no log: a {suffix} file") if suffix in _DOCUMENTS else None
