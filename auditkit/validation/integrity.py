"""Hashes over what a gzip file holds, and the signatures of digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from isal import isal_zlib

from auditkit.logs.digests import Digest
from auditkit.logs.opening import GZIP_MAGIC, MAX_TEXT_BYTES

_BLOCK = 1 << 20  # a bomb inflates a piece at a time and is left at the limit
_GZIP_WINDOW = 31
_BadGzip: type[Exception] = isal_zlib.error  # type: ignore[assignment]


class DamagedError(Exception):
    """The text says how a file differs from what CloudTrail writes."""


class TrailingBytesError(DamagedError):
    """Bytes behind the end of the gzip stream: some readers take them for more of the file."""


def inflated(data: bytes) -> Iterator[bytes]:
    """What the one gzip stream of *data* holds, a piece at a time. An end that is cut off is left to the hash to tell.

    Raises: TrailingBytesError, once everything was given; DamagedError, for all that is not gzip.
    """
    if not data.startswith(GZIP_MAGIC):
        raise DamagedError("it is not gzip")
    stream = isal_zlib.decompressobj(_GZIP_WINDOW)
    size = 0
    while data and not stream.eof:
        try:
            piece = stream.decompress(data, _BLOCK)
        except _BadGzip as error:
            raise DamagedError(f"damaged gzip: {error}") from None
        data = stream.unconsumed_tail
        size += len(piece)
        if size > MAX_TEXT_BYTES:
            raise DamagedError(f"it inflates to more than {MAX_TEXT_BYTES:,} bytes")
        yield piece
    if not stream.eof:
        yield stream.flush()
    if stream.unused_data:
        raise TrailingBytesError("unexpected bytes after the end of the gzip stream")


def content_sha256(data: bytes) -> str:
    """The hash that a digest lists: hex, over the inflated text. Raises: DamagedError."""
    sha256 = hashlib.sha256()
    for piece in inflated(data):
        sha256.update(piece)
    return sha256.hexdigest()


def public_key(der: bytes) -> RSAPublicKey | None:
    """CloudTrail's keys are PKCS #1 in DER. None, for what is no RSA key."""
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def is_signed(digest: Digest, sha256: str, signature: str, key: RSAPublicKey) -> bool:
    """Whether *signature*, hex, is the key's over the digest whose text has the hash *sha256*.

    Source: CloudTrail user guide, "custom implementations of log file integrity validation".
    """
    signed = "\n".join(
        (
            digest.digestEndTime,
            f"{digest.digestS3Bucket}/{digest.digestS3Object}",
            sha256,
            "null" if digest.previousDigestSignature is None else digest.previousDigestSignature,
        )
    )
    try:
        key.verify(bytes.fromhex(signature), signed.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):  # ValueError: no hex
        return False
    return True
