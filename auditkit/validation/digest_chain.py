"""One chain of digests, newest to oldest: which are CloudTrail's own, and whether one is gone."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from auditkit.errors import UnreadableFileError
from auditkit.logs import digests
from auditkit.logs.digests import Digest
from auditkit.validation.integrity import DamagedError, TrailingBytesError, inflated, is_signed, public_key
from auditkit.validation.keys import Keys
from auditkit.validation.places import MissingError, Place
from auditkit.validation.verification import Verdict

_BACKFILLED = "backfill-generation-timestamp"
_KEY_SLACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A digest as it lies there."""

    name: str
    digest: Digest | None
    sha256: str  # of its text
    metadata: Mapping[str, str]
    reason: str = ""  # why there is no digest
    verdict: Verdict = "invalid"  # then


@dataclass(frozen=True, slots=True)
class Judged:
    """A digest and what became of it. `digest` is None for one that cannot be read, or is not there."""

    name: str
    verdict: Verdict
    message: str
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """What the next digest says of the one before it."""

    sha256: str | None
    signature: str | None
    verdict: Verdict


def load(place: Place, name: str) -> Loaded:
    """Read a digest; what is wrong with its form is told, not raised."""
    pieces: list[bytes] = []
    try:
        metadata = place.metadata(name)
        with suppress(TrailingBytesError):  # the signature is over what the gzip stream holds
            pieces.extend(inflated(place.get(name)))
        text = b"".join(pieces)
        return Loaded(name, digests.parse(text), hashlib.sha256(text).hexdigest(), metadata)
    except MissingError:
        return Loaded(name, None, "", {}, "it is not there any more")
    except UnreadableFileError as error:
        return Loaded(name, None, "", {}, str(error), "unchecked")
    except (DamagedError, msgspec.DecodeError, UnicodeDecodeError) as error:
        return Loaded(name, None, "", {}, f"its format is invalid: {error}")


@dataclass(slots=True)
class DigestChain:
    """Judges the digests of a chain as they come, newest first, and remembers what each says of the one before."""

    place: Place
    keys: Keys
    region: str
    backfill: bool
    _named: dict[str, Witness] = field(default_factory=dict)

    def judge(self, loaded: Loaded) -> Judged:
        digest = loaded.digest
        if digest is None:
            return Judged(loaded.name, loaded.verdict, loaded.reason)
        if not self.place.holds(loaded.name, digest.digestS3Bucket, digest.digestS3Object):
            return Judged(loaded.name, "invalid", f"it has been moved: its own place is {digest.object}", digest)
        verdict, message = self._verdict(loaded, digest, self._named.pop(digest.object, None))
        if digest.previous_object:
            self._named[digest.previous_object] = Witness(
                digest.previousDigestHashValue, digest.previousDigestSignature, verdict
            )
        return Judged(loaded.name, verdict, message, digest)

    def _verdict(self, loaded: Loaded, digest: Digest, witness: Witness | None) -> tuple[Verdict, str]:
        try:
            _ = digest.window
        except ValueError as error:
            return "invalid", f"its format is invalid: {error}"
        if self.backfill and self.place.keeps_metadata and _BACKFILLED not in loaded.metadata:
            return "invalid", f"its format is invalid: a backfill digest without {_BACKFILLED} in its metadata"
        der = self.keys.get(digest.digestPublicKeyFingerprint, self.region) or self._backfill_key(loaded, digest)
        if der is None:
            return self._without_key(loaded, digest)
        key = public_key(der)
        if key is None:
            return "invalid", f"the public key {digest.digestPublicKeyFingerprint} is no RSA key in PKCS #1"
        # AWS's own command wants both; without them, S3 has lost what CloudTrail wrote beside the digest.
        own = loaded.metadata.get("signature") if "signature-algorithm" in loaded.metadata else None
        if own is None and self.place.keeps_metadata:
            return "invalid", "it has no signature in its metadata"
        signature = own or (witness.signature if witness else None)
        if signature is None:
            return "unchecked", "its signature is only in the metadata of the object in S3"
        if not is_signed(digest, loaded.sha256, signature, key):
            if not own and witness and witness.verdict == "invalid":
                return "unchecked", "its signature stands in the next digest alone, and that one is invalid"
            return "invalid", "its signature is not CloudTrail's: it was changed, or its signature was"
        if witness and witness.verdict == "valid" and witness.sha256 not in (None, loaded.sha256):
            return "invalid", "CloudTrail signed it, but the next digest names another in its place: it was replaced"
        return "valid", ""

    def _backfill_key(self, loaded: Loaded, digest: Digest) -> bytes | None:
        """A backfill digest is signed long after what it covers; when, its metadata tells."""
        if not self.backfill or _BACKFILLED not in loaded.metadata:
            return None
        try:
            made = datetime.fromisoformat(loaded.metadata[_BACKFILLED])
        except ValueError:
            return None
        self.keys.want(self.region, made - _KEY_SLACK, made + _KEY_SLACK)
        return self.keys.get(digest.digestPublicKeyFingerprint, self.region)

    def _without_key(self, loaded: Loaded, digest: Digest) -> tuple[Verdict, str]:
        if self.backfill and _BACKFILLED not in loaded.metadata:
            return "unchecked", "when it was signed, and so its key, is only in the metadata of the object in S3"
        return "invalid", f"there is no public key {digest.digestPublicKeyFingerprint} in {self.region}"

    def missing(
        self, judged: Judged, present: Collection[str], *, since: datetime | None, is_oldest: bool
    ) -> Judged | None:
        """The digest that a good one names as the one before it, and that is gone. *present* spares asking for it."""
        digest = judged.digest
        if digest is None or judged.verdict == "invalid" or (since and digest.window[0] < since):
            return None
        bucket, key = digest.previousDigestS3Bucket, digest.previousDigestS3Object
        if not bucket or not key:
            return None
        name = self.place.find(bucket, key, beside=judged.name)
        if name is not None and (name in present or self._is_there(name)):
            return None
        message = "not found, though the next digest names it"
        if is_oldest:
            message += "; nothing older is here (if that expired, or was not copied, --since leaves it out)"
        return Judged(f"s3://{bucket}/{key}", "missing", message)

    def _is_there(self, name: str) -> bool:
        try:
            self.place.metadata(name)
        except MissingError:
            return False
        except UnreadableFileError:
            return True
        return True
