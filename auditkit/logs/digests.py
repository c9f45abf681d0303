"""CloudTrail digest files: what was delivered in an hour, and what each file's text must hash to."""

from __future__ import annotations

from datetime import datetime

import msgspec

from auditkit.logs.parsed import NotALogError


class ListedFile(msgspec.Struct):
    """A log file as its digest lists it. `hashValue` is over the text, not over the gzip."""

    s3Bucket: str
    s3Object: str
    hashValue: str
    hashAlgorithm: str = "SHA-256"
    newestEventTime: str | None = None
    oldestEventTime: str | None = None

    @property
    def object(self) -> str:
        return f"s3://{self.s3Bucket}/{self.s3Object}"


class Digest(msgspec.Struct):
    """One digest, member by member as CloudTrail writes it. Start and end are times of delivery."""

    awsAccountId: str
    digestStartTime: str
    digestEndTime: str
    digestS3Bucket: str
    digestS3Object: str
    digestPublicKeyFingerprint: str
    previousDigestSignature: str | None  # null in a starting digest, and never left out: it is part of what is signed
    digestSignatureAlgorithm: str = "SHA256withRSA"
    newestEventTime: str | None = None
    oldestEventTime: str | None = None
    previousDigestS3Bucket: str | None = None
    previousDigestS3Object: str | None = None
    previousDigestHashValue: str | None = None
    previousDigestHashAlgorithm: str | None = None
    listed: list[ListedFile] | None = msgspec.field(name="logFiles", default=None)

    @property
    def logFiles(self) -> list[ListedFile]:  # noqa: N802 - CloudTrail's name, like the members
        return self.listed or []

    @property
    def object(self) -> str:
        return f"s3://{self.digestS3Bucket}/{self.digestS3Object}"

    @property
    def previous_object(self) -> str | None:
        if self.previousDigestS3Object is None:
            return None
        return f"s3://{self.previousDigestS3Bucket}/{self.previousDigestS3Object}"

    @property
    def region(self) -> str:
        """Whose deliveries it lists; its name says it: `…/CloudTrail-Digest/REGION/YYYY/…`."""
        _, _, behind = self.digestS3Object.partition("/CloudTrail-Digest/")
        return behind.split("/")[0]

    @property
    def window(self) -> tuple[datetime, datetime]:
        """When what it lists was delivered: from, and before. Raises: ValueError, for what is no time."""
        start, end = map(datetime.fromisoformat, (self.digestStartTime, self.digestEndTime))
        if start.tzinfo is None or end.tzinfo is None or start > end:
            raise ValueError(f"{self.digestStartTime} to {self.digestEndTime} is no span of time")
        return start, end


class DigestError(NotALogError):
    """A digest lay among the logs: no log, and the best witness of what was delivered."""

    def __init__(self, digest: Digest | None) -> None:
        lack = "" if digest else ", but without all that a digest has"
        super().__init__(f"a CloudTrail digest file{lack}")
        self.digest = digest  # None for one that testifies nothing


_DIGEST = msgspec.json.Decoder(Digest)


def parse(text: bytes) -> Digest:
    """Raises: msgspec.DecodeError, for what is no digest or lacks what a digest must have."""
    return _DIGEST.decode(text)
