"""One file in, its records out: the kind is told by content, never by name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pyarrow as pa

from auditkit.errors import UnreadableFileError
from auditkit.logs import cloudtrail, flowlogs
from auditkit.logs.discover import SourceFile
from auditkit.logs.opening import read_text
from auditkit.logs.parsed import NotALogError, Parsed

# Text that lies beside logs and is none. The name only decides what to call a file whose content is no log.
_DOCUMENTS = frozenset(
    {".md", ".rst", ".py", ".ipynb", ".sql", ".sh", ".html", ".yaml", ".yml", ".toml", ".pdf", ".png"}
)


@dataclass(frozen=True, slots=True)
class CloudTrailFile:
    parsed: Parsed[list[cloudtrail.Record]]


@dataclass(frozen=True, slots=True)
class FlowLogFile:
    parsed: Parsed[pa.Table]
    content_sha256: str  # flow records have no ids: a copied file is known by what it says


def read(file: SourceFile) -> CloudTrailFile | FlowLogFile:
    """The records of one file.

    Raises: NotALogError, for files that lie beside logs; UnreadableFileError, for all that should be a log and cannot
    be read as one.
    """
    try:
        if not file.path.is_file():
            raise UnreadableFileError("cannot be opened: not a regular file")
        text = read_text(file.path)
        if text.lstrip()[:1] in (b"{", b"["):
            return CloudTrailFile(cloudtrail.parse(text))
        if flowlogs.is_flow_log(text):
            return FlowLogFile(flowlogs.parse(text), hashlib.sha256(text).hexdigest())
        raise UnreadableFileError(
            f"neither CloudTrail JSON nor flow-log text: it begins {text[:40].decode(errors='replace')!r}"
        )
    except UnreadableFileError:
        if file.path.suffix.lower() in _DOCUMENTS:
            raise NotALogError(f"no log: a {file.path.suffix} file") from None
        raise
