"""A bucket as CloudTrail fills it, for tests: log files, the digests that list them, and what S3 keeps beside those."""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.records import ACCOUNT, record, trail

BUCKET = "trail-bucket"
REGION = "eu-central-1"
CLOUDTRAIL = "CloudTrail"  # whose key pair it is
FIRST = datetime(2026, 11, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
UNREADABLE = "bad0" * 8  # the fingerprint of a key that CloudTrail lists and nobody can read


def iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Signer:
    """A key pair of CloudTrail's."""

    private: RSAPrivateKey

    @functools.cached_property
    def der(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)

    @functools.cached_property
    def fingerprint(self) -> str:
        return hashlib.md5(self.der, usedforsecurity=False).hexdigest()

    def signature(self, digest: dict[str, Any], text: bytes) -> str:
        previous = digest.get("previousDigestSignature")
        signed = "\n".join(
            (
                digest["digestEndTime"],
                f"{digest['digestS3Bucket']}/{digest['digestS3Object']}",
                hashlib.sha256(text).hexdigest(),
                "null" if previous is None else previous,
            )
        )
        return self.private.sign(signed.encode(), PKCS1v15(), SHA256()).hex()


@functools.cache
def signer(name: str) -> Signer:
    """The key pair of that name; making one takes a while."""
    return Signer(generate_private_key(65537, 2048))


def public_keys(*more: Signer) -> dict[str, Any]:
    """What `aws cloudtrail list-public-keys` prints."""
    keys = {one.fingerprint: one.der for one in (signer(CLOUDTRAIL), *more)} | {UNREADABLE: b"no key"}
    return {
        "PublicKeyList": [
            {
                "Fingerprint": fingerprint,
                "Value": base64.b64encode(der).decode(),
                "ValidityStartTime": iso(FIRST - 240 * HOUR),
                "ValidityEndTime": iso(FIRST + 240 * HOUR),
            }
            for fingerprint, der in keys.items()
        ]
    }


@dataclass
class Object:
    """An S3 object."""

    data: bytes
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> bytes:
        return gzip.decompress(self.data)


@dataclass
class Delivery:
    """One trail's objects of one account and region, an hour after the other."""

    account: str = ACCOUNT
    region: str = REGION
    trail: str = "audit"
    prefix: str = "AWSLogs/"  # all above the account
    bucket: str = BUCKET
    backfill: bool = False
    objects: dict[str, Object] = field(default_factory=dict)
    digests: list[str] = field(default_factory=list)  # keys, oldest first
    logs: list[list[str]] = field(default_factory=list)  # keys, by digest

    def hour(
        self,
        start: datetime | None = None,
        *,
        logs: int = 2,
        begins: bool = False,
        end: datetime | None = None,
        **differs: Any,
    ) -> Delivery:
        """Deliver *logs* log files and the digest that lists them, an hour after the last one unless *start* says."""
        start = start or (FIRST + len(self.digests) * HOUR)
        end = end or start + HOUR
        listed = [self.log(start + timedelta(minutes=5 * number)) for number in range(1, logs + 1)]
        self.logs.append(listed)
        previous = None if begins or not self.digests else self.digests[-1]
        key = self.digest_key(end)
        digest = {
            "awsAccountId": self.account,
            "digestStartTime": iso(start),
            "digestEndTime": iso(end),
            "digestS3Bucket": self.bucket,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": signer(CLOUDTRAIL).fingerprint,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": iso(end) if listed else None,
            "oldestEventTime": iso(start) if listed else None,
            "previousDigestS3Bucket": previous and self.bucket,
            "previousDigestS3Object": previous,
            "previousDigestHashValue": previous and hashlib.sha256(self.objects[previous].text).hexdigest(),
            "previousDigestHashAlgorithm": previous and "SHA-256",
            "previousDigestSignature": previous and self.objects[previous].metadata["signature"],
            "logFiles": [
                {
                    "s3Bucket": self.bucket,
                    "s3Object": log,
                    "hashValue": hashlib.sha256(self.objects[log].text).hexdigest(),
                    "hashAlgorithm": "SHA-256",
                    "newestEventTime": iso(end),
                    "oldestEventTime": iso(start),
                }
                for log in listed
            ],
        }
        self.put_digest(key, digest | differs)
        self.digests.append(key)
        return self

    def hours(self, count: int, **options: Any) -> Delivery:
        for _ in range(count):
            self.hour(**options)
        return self

    def log(self, minute: datetime, *, token: str | None = None) -> str:
        token = token or hashlib.sha256(f"{self.account}{self.region}{minute}{self.backfill}".encode()).hexdigest()[:16]
        key = (
            f"{self.prefix}{self.account}/CloudTrail/{self.region}/{minute:%Y/%m/%d}/"
            f"{self.account}_CloudTrail_{self.region}_{minute:%Y%m%dT%H%MZ}_{token}.json.gz"
        )
        self.objects[key] = Object(gzip.compress(trail(record(token, eventTime=iso(minute))), mtime=0))
        return key

    def digest_key(self, end: datetime) -> str:
        return (
            f"{self.prefix}{self.account}/CloudTrail-Digest/{self.region}/{end:%Y/%m/%d}/"
            f"{self.account}_CloudTrail-Digest_{self.region}_{self.trail}_{REGION}_{end:%Y%m%dT%H%M%SZ}"
            f"{'_backfill' if self.backfill else ''}.json.gz"
        )

    def put_digest(self, key: str, digest: dict[str, Any], *, by: Signer | None = None) -> None:
        """Sign *digest* and put it there; members set to ... are left out."""
        digest = {name: value for name, value in digest.items() if value is not ...}
        text = json.dumps(digest).encode()
        metadata = {
            "signature": (by or signer(CLOUDTRAIL)).signature(digest, text),
            "signature-algorithm": "SHA256withRSA",
        }
        if self.backfill:
            metadata["backfill-generation-timestamp"] = iso(FIRST + 48 * HOUR)
        self.objects[key] = Object(gzip.compress(text, mtime=0), metadata)

    def digest(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.objects[key].text)
        return found

    def rewrite(self, key: str, change: Callable[[bytes], bytes]) -> None:
        """Change the bytes of an object and leave its metadata."""
        self.objects[key].data = change(self.objects[key].data)

    def write(self, folder: Path, *, sidecars: bool = False) -> Path:
        """What `aws s3 sync s3://BUCKET folder` leaves; with *sidecars*, also what S3 keeps beside digests."""
        for key, found in self.objects.items():
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(found.data)
            if sidecars and "CloudTrail-Digest" in key:
                head = {"ContentLength": len(found.data), "Metadata": found.metadata}
                path.with_name(f"{path.name}.metadata.json").write_text(json.dumps(head), encoding="utf-8")
        return folder
