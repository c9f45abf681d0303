"""CloudTrail's public keys: from files that were kept, or from CloudTrail itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from auditkit.errors import ParameterError, VerificationError
from auditkit.model import iso

HOW_TO_KEEP = (
    "`aws cloudtrail list-public-keys --region REGION --start-time TIME --end-time TIME > keys.json` prints keys, "
    "and --keys keys.json takes them."
)
_SIGNED_WITHIN = timedelta(hours=2)  # a digest is signed after the hour it covers


class Keys(Protocol):
    """Where public keys come from."""

    def want(self, region: str, start: datetime, end: datetime) -> bool:
        """Digests of *region* that cover this time are going to be verified. Whether there are keys for them.

        Raises: VerificationError, when that cannot be found out.
        """

    def get(self, fingerprint: str, region: str) -> bytes | None:
        """The key in DER, or None when CloudTrail has no such key as far as is known."""


class KeptKeys:
    """Keys out of files, as `aws cloudtrail list-public-keys` prints them."""

    def __init__(self, files: Iterable[Path]) -> None:
        """Raises: ParameterError, for a file that holds no such list."""
        self._by_fingerprint: dict[str, bytes] = {}
        for file in files:
            self._by_fingerprint |= _read(file)

    def want(self, region: str, start: datetime, end: datetime) -> bool:
        return bool(self._by_fingerprint)  # what the files lack cannot be had

    def get(self, fingerprint: str, region: str) -> bytes | None:
        return self._by_fingerprint.get(fingerprint)


class CloudTrailKeys:
    """Keys from CloudTrail, which gives those of one region and time."""

    def __init__(self) -> None:
        self._by_region: dict[str, dict[str, dict[str, Any]]] = {}

    def want(self, region: str, start: datetime, end: datetime) -> bool:
        import boto3

        try:
            pages = (
                boto3.Session()
                .client("cloudtrail", region_name=region)
                .get_paginator("list_public_keys")
                .paginate(StartTime=start, EndTime=end + _SIGNED_WITHIN)
            )
            found = {key["Fingerprint"]: dict(key) for page in pages for key in page["PublicKeyList"]}
        except (BotoCoreError, ClientError) as error:
            raise VerificationError(
                f"The public keys of CloudTrail in {region} cannot be had: {str(error).rstrip('.')}. "
                f"Asking for them takes credentials that may call cloudtrail:ListPublicKeys. {HOW_TO_KEEP}"
            ) from None
        self._by_region.setdefault(region, {}).update(found)
        return bool(found)

    def get(self, fingerprint: str, region: str) -> bytes | None:
        key = self._by_region.get(region, {}).get(fingerprint)
        return key["Value"] if key else None

    def as_json(self) -> dict[str, Any]:
        """What was fetched, in the form that `KeptKeys` reads."""
        return {
            "PublicKeyList": [
                {
                    "Fingerprint": fingerprint,
                    "Value": base64.b64encode(key["Value"]).decode(),
                    "ValidityStartTime": iso(key.get("ValidityStartTime")),
                    "ValidityEndTime": iso(key.get("ValidityEndTime")),
                }
                for by_fingerprint in self._by_region.values()
                for fingerprint, key in by_fingerprint.items()
            ]
        }


def _read(file: Path) -> dict[str, bytes]:
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))["PublicKeyList"]
        return {str(key["Fingerprint"]): base64.b64decode(key["Value"]) for key in listed}
    except OSError as error:
        raise ParameterError(f"--keys {str(file)!r} cannot be read: {error.strerror}.") from None
    except (ValueError, LookupError, TypeError):
        raise ParameterError(f"--keys {str(file)!r} holds no list of public keys. {HOW_TO_KEEP}") from None
