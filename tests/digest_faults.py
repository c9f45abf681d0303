"""What can befall a bucket, and what must be said of it: by `auditkit verify`, and by AWS's own command."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass

from tests.digests import CLOUDTRAIL, FIRST, HOUR, UNREADABLE, Delivery, signer
from tests.records import record, trail

Verdicts = dict[str, str]  # key -> invalid, missing, unlisted
MINUTE = HOUR / 60


@dataclass(frozen=True)
class Fault:
    """Something that befalls six hours of one trail."""

    name: str
    befall: Callable[[Delivery], Verdicts]  # gives what is wrong afterwards
    metadata: bool = False  # it is in what S3 keeps beside an object, which a copy on disk has lost
    unchecked: tuple[int, ...] = (5,)  # digests whose signature a copy on disk has lost: the newest at least
    gaps: tuple[str, ...] = ()
    uncovered: int = 0  # log files that no valid digest's hour covers
    beyond_aws: bool = False  # AWS's command calls all of it valid

    def __str__(self) -> str:
        return self.name

    def make(self, **options: str) -> tuple[Delivery, Verdicts]:
        delivery = Delivery(**options)  # type: ignore[arg-type]
        for logs in (1, 1, 2, 2, 1, 1):
            delivery.hour(logs=logs)
        return delivery, self.befall(delivery)


FAULTS: list[Fault] = []
Befall = Callable[[Delivery], Verdicts]


def fault(name: str, **says: object) -> Callable[[Befall], Befall]:
    def listed(befall: Befall) -> Befall:
        FAULTS.append(Fault(name, befall, **says))  # type: ignore[arg-type]
        return befall

    return listed


def a_log(name: str, change: Callable[[bytes], bytes], verdict: str = "invalid") -> None:
    def befall(d: Delivery) -> Verdicts:
        d.rewrite(d.logs[3][0], change)
        return {} if verdict == "valid" else {d.logs[3][0]: verdict}

    fault(f"a log file {name}")(befall)


def a_digest(name: str, change: Callable[[bytes], bytes], unchecked: tuple[int, ...] = (5,)) -> None:
    def befall(d: Delivery) -> Verdicts:
        d.rewrite(d.digests[3], change)
        return {d.digests[3]: "invalid"}

    fault(f"a digest {name}", gaps=("no digest",), uncovered=2, unchecked=unchecked)(befall)


def zipped(text: bytes, level: int = 9) -> bytes:
    return gzip.compress(text, level, mtime=0)


fault("nothing happened")(lambda d: {})

a_log("with a changed record", lambda data: zipped(gzip.decompress(data).replace(b"alice", b"mallo")))
a_log("gzipped anew, its text the same", lambda data: zipped(gzip.decompress(data), 1), "valid")
a_log("with bytes behind the gzip stream", lambda data: data + b"more")
a_log("with a second gzip member", lambda data: data + zipped(trail(record("extra"))))
a_log("that is not gzip", gzip.decompress)
a_log("that is empty", lambda data: b"")
a_log("cut in two", lambda data: data[: len(data) // 2])
a_log("cut before the checksum, all text there", lambda data: data[:-8], "valid")
a_log("with a wrong checksum", lambda data: data[:-8] + b"\0" * 8)
a_log("with damaged bytes", lambda data: data[:20] + b"\xff" * 8 + data[28:])

a_digest(
    "with a changed hash", lambda data: zipped(gzip.decompress(data).replace(b'"hashValue": "', b'"hashValue": "0'))
)
a_digest("with a changed time", lambda data: zipped(gzip.decompress(data).replace(b"T11:00:00Z", b"T11:30:00Z")))
a_digest(
    "with another signature of the one before",
    lambda data: zipped(gzip.decompress(data).replace(b'Signature": "', b'Signature": "00')),
    (5, 2),
)
a_digest("that is not gzip", gzip.decompress, (5, 2))
a_digest("that is no JSON", lambda data: zipped(b"{"), (5, 2))
a_digest("that is empty", lambda data: b"", (5, 2))
a_digest("that is a list", lambda data: zipped(b"[]"), (5, 2))


@fault("a log file is gone")
def _(d: Delivery) -> Verdicts:
    del d.objects[d.logs[3][0]]
    return {d.logs[3][0]: "missing"}


@fault("a log file was put among the others", beyond_aws=True)
def _(d: Delivery) -> Verdicts:
    return {d.log(FIRST + 3 * HOUR + 20 * MINUTE, token="inserted"): "unlisted"}


@fault("a copy of a log file was put into the folder of another day", beyond_aws=True)
def _(d: Delivery) -> Verdicts:
    key = d.logs[3][0].replace("/11/02/", "/11/03/")
    d.objects[key] = d.objects[d.logs[3][0]]
    return {key: "unlisted"}


@fault("a file of another name was put among the log files", beyond_aws=True)
def _(d: Delivery) -> Verdicts:
    key = d.logs[3][0].rpartition("/")[0] + "/events.json.gz"
    d.objects[key] = d.objects[d.logs[3][0]]
    return {key: "unlisted"}


@fault("two log files were swapped")
def _(d: Delivery) -> Verdicts:
    one, other = d.logs[2][0], d.logs[3][1]
    d.objects[one], d.objects[other] = d.objects[other], d.objects[one]
    return {one: "invalid", other: "invalid"}


@fault("a digest has bytes behind the gzip stream, which its signature is not over")
def _(d: Delivery) -> Verdicts:
    d.rewrite(d.digests[3], lambda data: data + b"more")
    return {}


@fault("a digest is gone", unchecked=(5, 2), gaps=("no digest",), uncovered=2)
def _(d: Delivery) -> Verdicts:
    del d.objects[d.digests[3]]
    return {d.digests[3]: "missing"}


@fault(
    "two digests in a row are gone, of which the next one names one", unchecked=(5, 1), gaps=("no digest",), uncovered=4
)
def _(d: Delivery) -> Verdicts:
    del d.objects[d.digests[3]], d.objects[d.digests[2]]
    return {d.digests[3]: "missing"}


@fault("the newest digest is gone, which no other names", unchecked=(4,), uncovered=1)
def _(d: Delivery) -> Verdicts:
    del d.objects[d.digests[5]]
    return {}


@fault("an old digest stands in the place of another", unchecked=(5, 2), gaps=("no digest",), uncovered=2)
def _(d: Delivery) -> Verdicts:
    d.objects[d.digests[3]] = d.objects[d.digests[1]]
    return {d.digests[3]: "invalid"}


@fault("an old digest stands in the place of the newest", unchecked=(4,), gaps=("no digest",), uncovered=1)
def _(d: Delivery) -> Verdicts:
    d.objects[d.digests[5]] = d.objects[d.digests[1]]
    return {d.digests[5]: "invalid"}


@fault("a digest has another name", unchecked=(5, 2), gaps=("no digest",), uncovered=2)
def _(d: Delivery) -> Verdicts:
    moved = d.digests[3].replace("T120000Z", "T113000Z")
    d.objects[moved] = d.objects.pop(d.digests[3])
    return {d.digests[3]: "missing", moved: "invalid"}


@fault("two digests were swapped", unchecked=(5, 1), gaps=("no digest",), uncovered=4)
def _(d: Delivery) -> Verdicts:
    one, other = d.digests[2], d.digests[3]
    d.objects[one], d.objects[other] = d.objects[other], d.objects[one]
    return {one: "invalid", other: "invalid"}


@fault("a digest's metadata has no signature", metadata=True, gaps=("no digest",), uncovered=2)
def _(d: Delivery) -> Verdicts:
    d.objects[d.digests[3]].metadata.clear()
    return {d.digests[3]: "invalid"}


@fault("a digest's metadata does not name the algorithm", metadata=True, gaps=("no digest",), uncovered=2)
def _(d: Delivery) -> Verdicts:
    del d.objects[d.digests[3]].metadata["signature-algorithm"]
    return {d.digests[3]: "invalid"}


def signed_again(d: Delivery, at: int, by: str = CLOUDTRAIL, **differs: object) -> str:
    key = d.digests[at]
    d.put_digest(key, d.digest(key) | differs, by=signer(by))
    return key


@fault("a digest was signed with a key that is not CloudTrail's", gaps=("no digest",), uncovered=2)
def _(d: Delivery) -> Verdicts:
    return {signed_again(d, 3, "mallory", digestPublicKeyFingerprint=signer("mallory").fingerprint): "invalid"}


@fault("a digest was signed with another key than it names", gaps=("no digest",), uncovered=2)
def _(d: Delivery) -> Verdicts:
    return {signed_again(d, 3, "mallory", logFiles=[]): "invalid"}


@fault("the key that a digest names cannot be read", gaps=("no digest",), uncovered=2)
def _(d: Delivery) -> Verdicts:
    return {signed_again(d, 3, digestPublicKeyFingerprint=UNREADABLE): "invalid"}


@fault("a digest lacks the member that names the signature before", gaps=("no digest",), uncovered=2, unchecked=(5, 2))
def _(d: Delivery) -> Verdicts:
    return {signed_again(d, 3, previousDigestSignature=...): "invalid"}


@fault("a digest has a time that is none", gaps=("no digest",), uncovered=2, unchecked=(5,))
def _(d: Delivery) -> Verdicts:
    return {signed_again(d, 3, digestStartTime="yesterday"): "invalid"}


@fault(
    "CloudTrail signed two digests of one name, and the other one lies there",
    beyond_aws=True,
    gaps=("no digest",),
    uncovered=2,
)
def _(d: Delivery) -> Verdicts:
    return {signed_again(d, 3, logFiles=[]): "invalid"}


@fault("an hour had nothing to deliver", unchecked=(6,))
def _(d: Delivery) -> Verdicts:
    d.hour(logs=0)
    return {}


@fault("a digest lists no files, with a null", unchecked=(6,))
def _(d: Delivery) -> Verdicts:
    d.hour(logs=0, logFiles=None)
    return {}


@fault("the trail was stopped for three hours", unchecked=(7, 6), gaps=("restart",))
def _(d: Delivery) -> Verdicts:
    d.hour(end=FIRST + 6 * HOUR + 25 * MINUTE)  # the last digest comes when logging stops
    d.hour(FIRST + 9 * HOUR, begins=True)
    return {}


@fault("the chain begins anew without an hour lost", unchecked=(6, 5), gaps=("restart",))
def _(d: Delivery) -> Verdicts:
    d.hour(begins=True)
    return {}
