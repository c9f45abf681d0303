"""One bucket, as the user's own AWS configuration reaches it."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import botocore.session
import obstore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError
from obstore.store import S3Store

from auditkit.errors import SourceError
from auditkit.logs.s3.words import NO_CREDENTIALS, explained
from auditkit.logs.source import S3, SourceFile

PAGE = 1000  # keys a listing request answers: the most S3 gives
RETRIES = 6
CONNECTIONS = 64
_CREDENTIALS_TTL = timedelta(minutes=10)  # the SDK renews what has less than that left, so none is used past its end
_CHUNK = 8 << 20
_SDK_ERRORS = (BotoCoreError, ClientError, ResponseParserError, RecursionError)
_FAST_ERRORS = (BaseError, OSError, ValueError)  # of obstore


def split(url: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`; the key is whatever follows, to the letter. Raises: SourceError."""
    bucket, _, key = url.removeprefix(S3).partition("/")
    if not bucket:
        raise SourceError(f"{url!r} names no bucket. Write s3://BUCKET/PREFIX/.")
    return bucket, key


@dataclass(frozen=True, slots=True)
class Page:
    """One answer to a listing: the objects, and the folders where it was asked for one level."""

    files: list[SourceFile]
    folders: list[str]
    is_last: bool


class Bucket:
    """Listing, reading and metadata of one bucket; every key is whole, from the bucket's root, and exact.

    The AWS SDK finds credentials, region and address, lists, and reads what is odd; obstore reads the many ordinary
    objects, at an eighth of the CPU. Whatever obstore cannot do is asked again through the SDK, whose answer says why.
    May be used by several threads, but not across a fork.
    Raises: SourceError, when there are no credentials, or the bucket is not there or cannot be reached.
    """

    def __init__(self, url: str, profile: str | None = None) -> None:
        """*profile*: of the AWS configuration; the one that AWS_PROFILE names, or the default one, if not said."""
        self.name, _ = split(url)
        # Who asks pays only if they said so: the header means consent to be charged for someone else's bucket.
        pays = os.environ.get("AWS_REQUEST_PAYER", "").lower() in ("requester", "true")
        self._payer = {"RequestPayer": "requester"} if pays else {}
        try:
            session = botocore.session.Session(profile=profile)
            if session.get_credentials() is None:
                raise SourceError(NO_CREDENTIALS)
            address, region = self._connect(session, None)
            if region != self._client.meta.region_name:
                address, region = self._connect(session, region)
        except _SDK_ERRORS as error:
            raise self._explained(error, "s3:ListBucket") from error
        self._store = _object_store(session, self.name, address, region, pays=pays)

    def pages(self, prefix: str, *, delimiter: str = "", page: int | None = None) -> Iterator[Page]:
        """All objects under *prefix* in order of their keys; with *delimiter*, only those of that level."""
        paginator = self._client.get_paginator("list_objects_v2")
        try:
            for answer in paginator.paginate(
                Bucket=self.name,
                Prefix=prefix,
                Delimiter=delimiter,
                PaginationConfig={"PageSize": page or PAGE},
                **self._payer,
            ):
                files = [self._file(*found) for found in answer["Files"]]
                folders = [found["Prefix"] for found in answer.get("CommonPrefixes", [])]
                yield Page(files, folders, is_last=not answer.get("IsTruncated"))
        except _SDK_ERRORS as error:
            raise self._explained(error, "s3:ListBucket") from error

    def list(self, prefix: str) -> Iterator[SourceFile]:
        """Every object whose key begins with *prefix*, in order of the keys. Raises: SourceError."""
        for page in self.pages(prefix):
            yield from page.files

    def get(self, key: str, etag: str = "") -> bytes:
        """The object; only in the version *etag*, when there is one.

        Raises: UnavailableFileError, when it is gone, changed, archived or forbidden; SourceError, when nothing else
        can be read either.
        """
        if _is_plain(key):
            try:
                return obstore.get(self._store, key, options=_only(etag)).bytes().to_bytes()
            except _FAST_ERRORS:
                pass  # the SDK reads it, or says why not
        return b"".join(self._read(key, etag))

    def chunks(self, key: str, etag: str = "") -> Iterator[bytes]:
        """Like `get`, a few megabytes at a time."""
        if _is_plain(key):
            try:
                stream = obstore.get(self._store, key, options=_only(etag)).stream(min_chunk_size=_CHUNK)
            except _FAST_ERRORS:
                pass
            else:
                try:
                    yield from stream
                except _FAST_ERRORS as error:
                    raise SourceError(f"The connection broke while {S3}{self.name}/{key} was read: {error}") from error
                return
        yield from self._read(key, etag)

    def metadata(self, key: str) -> dict[str, str]:
        """The object's user metadata: names in lower case, without `x-amz-meta-`. Raises: as `get`."""
        try:
            answer = self._client.head_object(Bucket=self.name, Key=key, **self._payer)
        except _SDK_ERRORS as error:
            raise self._explained(error, "s3:GetObject", key) from error
        return {name.lower(): value for name, value in answer["Metadata"].items()}

    def _connect(self, session: botocore.session.Session, region: str | None) -> tuple[str, str]:
        """Make the client for *region* (None for the user's own) and ask for the bucket: its address and region."""
        client: Any = session.create_client(
            "s3",
            region_name=region,
            config=Config(
                connect_timeout=5,
                read_timeout=60,
                max_pool_connections=CONNECTIONS,
                retries={"mode": "standard", "max_attempts": RETRIES},
            ),
        )
        self._client = client
        client.meta.events.register("before-parse.s3.ListObjectsV2", _take_out_files)
        asked = [""]
        client.meta.events.register("before-send.s3.HeadBucket", lambda request, **_: asked.append(request.url))
        try:
            answer = client.head_bucket(Bucket=self.name)
        except ClientError as error:
            answer = error.response
            if answer["ResponseMetadata"].get("HTTPStatusCode") == 404:
                raise
            # Who may read one object need not be allowed to ask for the bucket; a listing tells what is wrong.
        headers = answer["ResponseMetadata"].get("HTTPHeaders", {})
        return asked[-1], headers.get("x-amz-bucket-region") or client.meta.region_name

    def _read(self, key: str, etag: str) -> Iterator[bytes]:
        condition = {"IfMatch": f'"{etag}"'} if etag else {}
        try:
            answer = self._client.get_object(Bucket=self.name, Key=key, **condition, **self._payer)
            yield from answer["Body"].iter_chunks(_CHUNK)
        except _SDK_ERRORS as error:
            raise self._explained(error, "s3:GetObject", key) from error

    def _explained(self, error: Exception, action: str, key: str | None = None) -> Exception:
        return explained(error, action=action, bucket=self.name, key=key)

    def _file(self, key: str, size: int, etag: str) -> SourceFile:
        return SourceFile(f"{S3}{self.name}/{key}", key, size, f"etag {etag}")


def _object_store(session: botocore.session.Session, name: str, address: str, region: str, *, pays: bool) -> S3Store:
    """For the address at which the SDK found the bucket: `https://NAME.s3.REGION…/`, or `http://127.0.0.1:9000/NAME`."""
    address = address.rstrip("/")
    endpoint = address.removesuffix(f"/{name}")
    authority = session.get_config_variable("ca_bundle")
    return S3Store(
        name,
        aws_endpoint_url_s3=endpoint,
        virtual_hosted_style_request=endpoint == address,
        region=region,
        request_payer=pays,
        skip_signature=False,
        credential_provider=Boto3CredentialProvider(session, ttl=_CREDENTIALS_TTL),
        client_options={
            "allow_http": endpoint.startswith("http:"),
            "connect_timeout": "5s",
            "read_timeout": "60s",
            "timeout": "30m",  # of one object: a large one over a slow line
            "user_agent": "auditkit",
            **({"root_certificate": Path(authority).read_bytes()} if authority else {}),
        },
        retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(minutes=2)},
    )


def _is_plain(key: str) -> bool:
    """Whether obstore asks for exactly this key: it tidies slashes and dots, and refuses control characters."""
    return all(part not in ("", ".", "..") for part in key.split("/")) and key.isprintable()


def _only(etag: str) -> Any:
    return {"if_match": f'"{etag}"'} if etag else None


def _take_out_files(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Read a listing's objects with the XML parser of C: the SDK's own takes six times as long a key."""
    if response_dict["status_code"] != 200:
        return
    try:
        root = ET.fromstring(response_dict["body"])
    except ET.ParseError:
        return  # no S3 at that address: the SDK says so
    decode = unquote_plus if root.findtext("{*}EncodingType") == "url" else str
    contents = root.findall("{*}Contents")
    customized_response_dict["Files"] = [
        (
            decode(found.findtext("{*}Key", "")),
            int(found.findtext("{*}Size", "0")),
            found.findtext("{*}ETag", "").strip('"'),
        )
        for found in contents
    ]
    root[:] = [child for child in root if not child.tag.endswith("Contents")]
    response_dict["body"] = ET.tostring(root)
