"""One file in, its records out: the kind is told by content, never by name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pyarrow as pa

from auditkit.errors import UnreadableFileError
from auditkit.logs import cloudtrail, flowlogs
from auditkit.logs.discover import SourceFile
from auditkit.logs.opening import read_bytes, text_of
from auditkit.logs.parsed import NotALogError, Parsed

# Text that lies beside logs and is none. The name only decides what to call a file whose content is no log.
_DOCUMENTS = frozenset(
    {".md", ".rst", ".py", ".ipynb", ".sql", ".sh", ".html", ".yaml", ".yml", ".toml", ".pdf", ".png"}
)


@dataclass(frozen=True, slots=True)
class CloudTrailFile:
    parsed: Parsed[list[cloudtrail.Record]]
    sha256: str  # of the file as it lies there


@dataclass(frozen=True, slots=True)
class FlowLogFile:
    parsed: Parsed[pa.Table]
    sha256: str
    content_sha256: str  # flow records have no ids: a copied file is known by what it says


def read(file: SourceFile) -> CloudTrailFile | FlowLogFile:
    """The records of one file.

    Raises: NotALogError, for files that lie beside logs; UnreadableFileError, for all that should be a log and cannot
    be read as one.
    """
    try:
        data = read_bytes(file.path)
        text, sha256 = text_of(data), hashlib.sha256(data).hexdigest()
        if text.lstrip()[:1] in (b"{", b"["):
            return CloudTrailFile(cloudtrail.parse(text), sha256)
        if flowlogs.is_flow_log(text):
            return FlowLogFile(flowlogs.parse(text), sha256, hashlib.sha256(text).hexdigest())
        raise UnreadableFileError(
            f"neither CloudTrail JSON nor flow-log text: it begins {text[:40].decode(errors='replace')!r}"
        )
    except UnreadableFileError:
        if file.path.suffix.lower() in _DOCUMENTS:
            raise NotALogError(f"no log: a {file.path.suffix} file") from None
        raise
