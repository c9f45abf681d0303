"""Where digests and logs lie: a copy of a bucket on disk, or the bucket itself."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

from botocore.exceptions import ClientError

from auditkit.errors import UnreadableFileError
from auditkit.logs.discover import discover
from auditkit.logs.opening import read_bytes
from auditkit.logs.reading import SIDECAR
from auditkit.logs.s3 import Bucket, list_files
from auditkit.logs.s3.bucket import split
from auditkit.model import Window
from auditkit.validation.names import digest_name

_ROOT = "AWSLogs"  # every key of a delivery has it, behind the prefix of the trail


_GONE = ("NoSuchKey", "NoSuchBucket", "404")  # a HEAD request is answered without a body, so with the status alone


class MissingError(Exception):
    """There is no such object."""


class Place(Protocol):
    """Objects by name. A name is a path on disk or `s3://BUCKET/KEY`."""

    keeps_metadata: bool  # S3 does; a copy on disk has lost it, but for what was saved beside it

    def names(self, window: Window) -> Iterator[str]:
        """Everything that may have been delivered in *window*, or more. Raises: SourceError."""

    def path(self, name: str) -> str:
        """The name without what stands above this place: the key, or the path under the folder named by the user."""

    def find(self, bucket: str, key: str, *, beside: str) -> str | None:
        """What `s3://bucket/key`, of which the digest *beside* tells, is called here. None when it is not here."""

    def holds(self, name: str, bucket: str, key: str) -> bool:
        """Whether *name* is where `s3://bucket/key` belongs in this place."""

    def get(self, name: str) -> bytes:
        """Raises: MissingError; UnreadableFileError, for what is there and cannot be opened."""

    def metadata(self, name: str) -> Mapping[str, str]:
        """`x-amz-meta-*`, without that prefix. Raises: MissingError, where the object is known not to be there."""


class Folder:
    """Copies on disk, as `aws s3 sync` makes them: the bucket's name is lost, perhaps the first parts of keys too."""

    keeps_metadata = False

    def __init__(self, roots: Sequence[str | Path]) -> None:
        """Raises: SourceError, for a folder that is not there."""
        self._named = [f"{os.path.abspath(root)}/" for root in roots]  # noqa: PTH100 - as `discover` names files
        self._files = [file.path for file in discover(roots)]
        above = {name[: at + 1] for name in self._files if (at := name.rfind(f"/{_ROOT}/")) >= 0}
        self._bases = sorted(above)  # where AWSLogs lies: each stands for a bucket and the trail's prefix
        tops = (f"{Path(root).parent}/" if Path(root).is_file() else root for root in self._named)
        self._tops = [top for top in tops if not any(_is_along(base, top) for base in above)]
        digests = [(self._root_of(name), name) for name in self._files if digest_name(name)]
        self._with_digests = {root for root, _ in digests}
        tails = [name.removeprefix(root) for root, name in digests]
        self._has_copies = len(set(tails)) < len(tails)  # of one trail: then each is for itself

    def names(self, window: Window) -> Iterator[str]:
        return (name for name in self._files if not name.endswith(SIDECAR))

    def path(self, name: str) -> str:
        if self._has_copies:
            return name
        return name.removeprefix(max((root for root in self._named if name.startswith(root)), key=len, default=""))

    def find(self, bucket: str, key: str, *, beside: str) -> str | None:
        own = self._root_of(beside)
        others = [root for root in (*self._bases, *self._tops) if root != own]
        if self._has_copies:
            others = [root for root in others if root not in self._with_digests]
        return next((name for root in (own, *others) for name in self._under(root, key) if _is_there(name)), None)

    def holds(self, name: str, bucket: str, key: str) -> bool:
        return name in self._under(self._root_of(name), key)

    def get(self, name: str) -> bytes:
        return read_bytes(Path(name))

    def metadata(self, name: str) -> Mapping[str, str]:
        """What a side-car keeps; nothing without one. Raises: UnreadableFileError, for one that keeps none."""
        try:
            kept = json.loads(Path(name + SIDECAR).read_text(encoding="utf-8"))["Metadata"]
            return {str(key).lower(): str(value) for key, value in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            raise UnreadableFileError(f"{name + SIDECAR} is not what `aws s3api head-object` prints") from None

    def _root_of(self, name: str) -> str:
        """What stands for the bucket: the folder above AWSLogs, else the one that the user named."""
        if (at := name.rfind(f"/{_ROOT}/")) >= 0:
            return name[: at + 1]
        return max((top for top in self._tops if name.startswith(top)), key=len, default="")

    def _under(self, root: str, key: str) -> Iterator[str]:
        """Where a key may lie: from AWSLogs on, or any tail of it where the copy begins further down."""
        parts = PurePosixPath(key).parts
        if not parts or not {"..", "/"}.isdisjoint(parts):  # a digest that is not proven may say anything
            return
        if root in self._tops:
            yield from (root + "/".join(parts[cut:]) for cut in range(len(parts)))
        elif _ROOT in parts:
            yield root + "/".join(parts[len(parts) - 1 - parts[::-1].index(_ROOT) :])


class S3:
    """A bucket, or what lies under a prefix of it, with the credentials and the endpoint of the environment."""

    keeps_metadata = True

    def __init__(self, url: str) -> None:
        self._url = url
        self._buckets: dict[str, Bucket] = {}  # the trail may have delivered into others before

    def names(self, window: Window) -> Iterator[str]:
        return (file.key for file in list_files(self._url, window))

    def path(self, name: str) -> str:
        return split(name)[1]

    def find(self, bucket: str, key: str, *, beside: str) -> str | None:
        return f"s3://{bucket}/{key}"

    def holds(self, name: str, bucket: str, key: str) -> bool:
        return name == f"s3://{bucket}/{key}"

    def get(self, name: str) -> bytes:
        bucket, key = split(name)
        with _told():
            return self._bucket(bucket).get(key)

    def metadata(self, name: str) -> Mapping[str, str]:
        bucket, key = split(name)
        with _told():
            return self._bucket(bucket).metadata(key)

    def _bucket(self, name: str) -> Bucket:
        if name not in self._buckets:
            self._buckets[name] = Bucket(f"s3://{name}")
        return self._buckets[name]


def places_of(logs: Sequence[str]) -> list[Place]:
    """The places that a user names: each URL is one, and all folders together are one. Raises: SourceError."""
    urls = [place for place in logs if place.startswith("s3://")]
    folders = [place for place in logs if place not in urls]
    return [*map(S3, dict.fromkeys(urls)), *([Folder(folders)] if folders else [])]


def _is_there(name: str) -> bool:
    try:
        return Path(name).exists()
    except OSError:  # in a folder that must not be entered: reading it says so
        return True


def _is_along(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


@contextmanager
def _told() -> Iterator[None]:
    """An object that is not there is something else than one that cannot be read."""
    try:
        yield
    except UnreadableFileError as error:
        if isinstance(error.__cause__, ClientError) and error.__cause__.response["Error"]["Code"] in _GONE:
            raise MissingError from None
        raise
