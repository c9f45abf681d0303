"""`auditkit verify` against `aws cloudtrail validate-logs`, on the same buckets: the same verdict on all that it judges.

AWS's command runs as it is, in a process of its own, against an S3 server and a stand-in for CloudTrail on loopback.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.loaders import create_loader
from moto.server import ThreadedMotoServer

from auditkit.model import Window
from auditkit.validation.keys import CloudTrailKeys
from auditkit.validation.places import places_of
from auditkit.validation.verification import Verification
from auditkit.validation.walk import verify
from tests.conftest import Command
from tests.digest_faults import FAULTS, Fault, Verdicts
from tests.digests import FIRST, HOUR, REGION, Delivery, iso, public_keys
from tests.records import ACCOUNT

_LINE = re.compile(r"^(?:\(backfill\) )?(Digest|Log) file\ts3://[^/]+/(\S+)\t(valid|INVALID: .*)$", re.MULTILINE)
# The command's own entry point, once for each list of arguments on standard input: starting it anew takes half a second.
_AWS = """
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver
models = create_clidriver().session.get_component("data_loader")  # of the services: read once, they are large
for line in sys.stdin:
    out = io.StringIO()
    driver = create_clidriver()
    driver.session.register_component("data_loader", models)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = driver.main(json.loads(line))
    print(json.dumps([code, out.getvalue()]))
"""


class CloudTrail(BaseHTTPRequestHandler):
    """Answers ListPublicKeys, and nothing else."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["X-Amz-Target"].endswith(".ListPublicKeys")
        assert asked["StartTime"] < asked["EndTime"]
        text = json.dumps(public_keys()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """No access log among the test's output."""


@pytest.fixture(scope="module", autouse=True)
def aws() -> Iterator[None]:
    """S3 and CloudTrail on loopback, and an environment that leads there."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    s3 = ThreadedMotoServer(port=0)
    s3.start()
    host, port = s3.get_host_and_port()
    cloudtrail = ThreadingHTTPServer(("127.0.0.1", 0), CloudTrail)
    Thread(target=cloudtrail.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as environment:
        # The SDK reads its models of the services, which are large, once for all its sessions.
        environment.setattr("botocore.session.create_loader", functools.cache(create_loader))
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            environment.delenv(name)
        environment.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
        environment.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", f"http://127.0.0.1:{cloudtrail.server_port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        environment.setenv("AWS_CONFIG_FILE", os.devnull)
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield
    cloudtrail.shutdown()
    cloudtrail.server_close()
    s3.stop()


@dataclass(frozen=True)
class Said:
    """What AWS's command said of one bucket."""

    code: int
    text: str

    @property
    def verdicts(self) -> dict[str, str]:
        """Of each digest and log file that it judged, by key."""
        return {key: "valid" if said == "valid" else said for _, key, said in _LINE.findall(self.text)}

    def valid(self, kind: str) -> int:
        return sum(found == kind and said == "valid" for found, _, said in _LINE.findall(self.text))


def put(s3: Any, delivery: Delivery) -> None:
    s3.create_bucket(Bucket=delivery.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key, found in delivery.objects.items():
        s3.put_object(Bucket=delivery.bucket, Key=key, Body=found.data, Metadata=found.metadata)


def validate_logs(*asked: tuple[str, Window]) -> list[Said]:
    """`aws cloudtrail validate-logs` of each bucket and window."""
    lines = []
    for bucket, window in asked:
        options = {
            "trail-arn": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit",
            "start-time": iso(window.start or FIRST),
            "end-time": iso(window.end or FIRST + 24 * HOUR),
            "s3-bucket": bucket,
            "region": REGION,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        lines.append(json.dumps(["cloudtrail", "validate-logs", "--verbose", *words]))
    done = subprocess.run(
        [sys.executable, "-c", _AWS], input="\n".join(lines), capture_output=True, text=True, check=True, timeout=300
    )
    return [Said(*json.loads(line)) for line in done.stdout.splitlines()]


def ours(bucket: str, window: Window = Window()) -> Verification:  # noqa: B008
    return verify(places_of([f"s3://{bucket}"]), CloudTrailKeys(), window)


def with_backfill(bucket: str, befall: Callable[[Delivery], str | None]) -> tuple[Delivery, Verdicts]:
    """A delivery and, beside it, a backfill of three hours that something befell."""
    delivery = Delivery(bucket=bucket).hours(3)
    backfill = Delivery(bucket=bucket, backfill=True).hours(3)
    wrong = befall(backfill)
    delivery.objects |= backfill.objects
    return delivery, {wrong: "invalid"} if wrong else {}


def changed_log(d: Delivery) -> str:
    d.rewrite(d.logs[1][0], lambda data: data[:-20])
    return d.logs[1][0]


def no_timestamp(d: Delivery) -> str:
    del d.objects[d.digests[1]].metadata["backfill-generation-timestamp"]
    return d.digests[1]


def moved() -> tuple[Delivery, Delivery]:
    """A trail that delivered into one bucket for two hours, and into another ever since."""
    old = Delivery(bucket="moved-old").hours(2)
    new = Delivery(bucket="moved-new", objects=dict(old.objects), digests=list(old.digests))
    new.hour(previousDigestS3Bucket="moved-old").hour()
    for key in old.objects:
        del new.objects[key]
    return old, new


BACKFILLS: dict[str, Callable[[Delivery], str | None]] = {
    "backfill-whole": lambda d: None,
    "backfill-changed-log": changed_log,
    "backfill-without-timestamp": no_timestamp,
}
WINDOWS = {
    name: Window(FIRST + start * HOUR, FIRST + end * HOUR)
    for name, start, end in (
        ("from the start of an hour to the start of another", 2, 3),
        ("from half past to a quarter past", 2.5, 4.25),
        ("one minute", 2.5, 2.5 + 1 / 60),
        ("from before the first digest", -3, 1),
        ("to behind the last digest", 5, 9),
    )
}
# What AWS's command says, and what ours does. It takes an empty file for one of another hash.
REASONS = {
    "has been moved": "moved",
    "invalid format": "format is invalid|not gzip|damaged gzip",
    "signature verification failed": "signature",
    "public key not found": "no public key",
    "Unable to load PKCS #1 key": "no RSA key",
    "hash value doesn't match": "hash|not gzip",
    "not found": "not found",
    "unexpected data": "unexpected bytes",
}


@dataclass(frozen=True)
class Judged:
    """What is wrong with each bucket, and what AWS's command says of it and of windows of a good one."""

    wrong: dict[str, Verdicts]
    aws: dict[str, Said]


@pytest.fixture(scope="module")
def judged(aws: None) -> Judged:
    """Everything that AWS's command is asked in this module, in one process."""
    wrong: dict[str, Verdicts] = {}
    s3 = boto3.client("s3")
    for number, fault in enumerate(FAULTS):
        delivery, wrong[fault.name] = fault.make(bucket=f"fault-{number}")
        put(s3, delivery)
    for bucket, befall in BACKFILLS.items():
        delivery, wrong[bucket] = with_backfill(bucket, befall)
        put(s3, delivery)
    for delivery in moved():
        put(s3, delivery)
    asked = {fault.name: (f"fault-{number}", Window()) for number, fault in enumerate(FAULTS)}
    asked |= {bucket: (bucket, Window()) for bucket in BACKFILLS}
    asked |= {"moved-new": ("moved-new", Window())}
    asked |= {name: ("fault-0", window) for name, window in WINDOWS.items()}
    return Judged(wrong, dict(zip(asked, validate_logs(*asked.values()), strict=True)))


def assert_same(found: Verification, wrong: Verdicts, said: Said) -> None:
    """The same objects are invalid, for the same reason, and as many are valid."""
    reasons = {one.object.split("/", 3)[3]: (one.verdict, one.message) for one in found.problems}
    assert {key: verdict for key, (verdict, _) in reasons.items()} == wrong
    invalid = {key: verdict for key, verdict in said.verdicts.items() if verdict != "valid"}
    assert invalid.keys() == wrong.keys(), said.text
    for key, reason in invalid.items():
        pattern = next((ours for aws, ours in REASONS.items() if aws in reason), "time|format")
        assert re.search(pattern, reasons[key][1]), (reason, reasons[key])
        assert ("INVALID: not found" in reason) == (reasons[key][0] == "missing")
    assert said.code == (1 if found.problems else 0)
    assert said.valid("Digest") == found.digests["valid"]
    assert said.valid("Log") == found.logs["valid"]


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if not fault.beyond_aws], ids=str)
def test_both_say_the_same_of_a_fault(fault: Fault, judged: Judged) -> None:
    found, said = ours(f"fault-{FAULTS.index(fault)}"), judged.aws[fault.name]
    assert_same(found, judged.wrong[fault.name], said)
    assert ("No log files were delivered" in said.text) == ("restart" in fault.gaps)
    assert tuple(gap.kind for gap in found.gaps) == fault.gaps
    assert found.logs["uncovered"] == fault.uncovered


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.beyond_aws], ids=str)
def test_ours_tells_what_aws_does_not_look_for(fault: Fault, judged: Judged) -> None:
    said = judged.aws[fault.name]
    assert (said.code, set(said.verdicts.values())) == (0, {"valid"}), said.text
    found = ours(f"fault-{FAULTS.index(fault)}")
    assert {one.object.split("/", 3)[3]: one.verdict for one in found.problems} == judged.wrong[fault.name]


@pytest.mark.parametrize("bucket", BACKFILLS)
def test_both_follow_the_chain_of_backfill_digests(bucket: str, judged: Judged) -> None:
    assert "(backfill) Digest file" in judged.aws[bucket].text
    assert_same(ours(bucket), judged.wrong[bucket], judged.aws[bucket])


@pytest.mark.parametrize("name", WINDOWS)
def test_both_take_the_same_digests_for_a_window(name: str, judged: Judged) -> None:
    said = judged.aws[name]
    assert 0 < said.valid("Digest") < 6
    assert_same(ours("fault-0", WINDOWS[name]), {}, said)


def test_a_chain_that_came_from_another_bucket_is_followed_by_name(judged: Judged) -> None:
    """AWS's command goes there by itself; ours says where."""
    assert judged.aws["moved-new"].valid("Digest") == 4
    here = ours("moved-new")
    assert (here.problems, here.digests["valid"], here.elsewhere) == ([], 2, {"s3://moved-old"})
    both = verify(places_of(["s3://moved-new", "s3://moved-old"]), CloudTrailKeys(), Window())
    assert (both.problems, both.digests["valid"], both.logs["valid"]) == ([], 4, 8)


def test_keys_that_were_saved_verify_as_those_of_cloudtrail_do(judged: Judged, command: Command) -> None:
    assert command("verify", "s3://fault-0", "--save-keys", "keys.json").code == 0
    assert {key["Fingerprint"] for key in json.loads(Path("keys.json").read_text())["PublicKeyList"]} == {
        key["Fingerprint"] for key in public_keys()["PublicKeyList"]
    }
    said = command("verify", "s3://fault-0/AWSLogs", "--keys", "keys.json", "--format", "json")
    assert (said.code, said.json["valid"], said.json["logs"]["valid"]) == (0, True, 8)


def test_a_bucket_that_is_not_there_is_wrong_use(aws: None, command: Command) -> None:
    said = command("verify", "s3://nowhere-at-all", "--keys", "keys.json")
    assert said.code == 2
