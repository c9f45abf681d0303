"""Logs in S3: what is listed, what is read, and what is said when something is wrong.

Moto answers where S3 behaves; a scripted server where it must not.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from auditkit.errors import SourceError, UnreadableFileError
from auditkit.logs import s3
from auditkit.logs.discover import SourceFile
from auditkit.logs.s3 import bucket as bucket_module
from auditkit.logs.s3 import objects as objects_module
from auditkit.logs.s3.listing import span_of
from auditkit.model import Window
from tests.s3_server import REGION, Answer, Filled, Request, Scripted, listing, refusal

ACCOUNT = "AWSLogs/111122223333"


def keys(files: list[SourceFile]) -> list[str]:
    return sorted(file.key.split("/", 3)[3] for file in files)


def days(first: str | None, last: str | None) -> Window:
    return Window(*(datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None for day in (first, last)))


# ---------------------------------------------------------------- listing

LAYOUTS = {
    "trail": ACCOUNT + "/CloudTrail/eu-central-1/{:%Y/%m/%d}/",
    "trail below a prefix": "a/b/" + ACCOUNT + "/CloudTrail/us-gov-west-1/{:%Y/%m/%d}/",
    "organization": "AWSLogs/o-abc123/111122223333/CloudTrail/eu-central-1/{:%Y/%m/%d}/",
    "Control Tower": "o-abc123/AWSLogs/o-abc123/111122223333/CloudTrail/eu-central-1/{:%Y/%m/%d}/",
    "digests": ACCOUNT + "/CloudTrail-Digest/eu-central-1/{:%Y/%m/%d}/",
    "flow logs": ACCOUNT + "/vpcflowlogs/eu-central-1/{:%Y/%m/%d}/",
    "flow logs by the hour": ACCOUNT + "/vpcflowlogs/eu-central-1/{:%Y/%m/%d}/23/",
    "Hive": "AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=eu-central-1/year={:%Y/month=%m/day=%d}/",
    "Hive by the hour": "AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=eu-central-1/year={:%Y/month=%m/day=%d}/hour=00/",
}
DELIVERED = [date(2025, 11, 2), date(2026, 10, 31), *(date(2026, 11, day) for day in range(1, 7)), date(2027, 1, 1)]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_only_the_days_a_window_can_touch_are_listed(filled: Filled, layout: str) -> None:
    folders = {day: layout.format(day) for day in DELIVERED}
    filled.put(*(folder + "x.json.gz" for folder in folders.values()))
    found = s3.list_files(filled.url, days("2026-11-02T10:00", "2026-11-03T09:00"))
    wanted = {date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)}
    assert keys(found) == [folders[day] + "x.json.gz" for day in sorted(wanted)]
    spans = {span for prefix in filled.asked.listed if (span := span_of(prefix))}
    assert {first for first, last in spans if first == last} == wanted  # no other day was asked for
    assert spans - {(day, day) for day in wanted} <= {
        (date(2026, 1, 1), date(2026, 12, 31)),
        (date(2026, 11, 1), date(2026, 11, 30)),
    }


@pytest.mark.parametrize(
    ("since", "until", "wanted"),
    [
        ("2026-11-05", None, ["2026/11/05", "2026/11/06", "2027/01/01"]),
        (None, "2026-10-31T00:00", ["2025/11/02", "2026/10/31", "2026/11/01"]),
        ("2026-12-31", "2027-01-01", ["2027/01/01"]),
        (None, None, [f"{day:%Y/%m/%d}" for day in DELIVERED]),
    ],
)
def test_a_side_of_the_window_may_be_open(
    filled: Filled, since: str | None, until: str | None, wanted: list[str]
) -> None:
    filled.put(*(LAYOUTS["trail"].format(day) + "x.json.gz" for day in DELIVERED))
    found = keys(s3.list_files(filled.url, days(since, until)))
    assert [key.split(REGION + "/")[1].rpartition("/")[0] for key in found] == wanted


def test_months_and_years_wanted_whole_are_listed_in_one_go(filled: Filled) -> None:
    filled.put(*(LAYOUTS["trail"].format(day) + "x.json.gz" for day in DELIVERED))
    s3.list_files(filled.url, days("2026-10-31", None))
    dated = {prefix.split(REGION + "/")[1] for prefix in filled.asked.listed if f"{REGION}/2" in prefix}
    assert dated == {"2026/", "2026/10/", "2026/10/31/", "2026/11/", "2027/"}


def test_a_date_that_is_not_of_a_layout_of_aws_passes_nothing_over(filled: Filled) -> None:
    copied = "backups/2027/05/05/" + LAYOUTS["trail"].format(date(2026, 11, 2)) + "x.json.gz"
    firehose = "firehose/2020/01/01/00/x.gz"
    filled.put(copied, firehose, "2020/x.json", "loose.json")
    found = s3.list_files(filled.url, days("2026-11-02", "2026-11-03"))
    assert keys(found) == sorted([copied, firehose, "2020/x.json", "loose.json"])


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ("", ["11112222/b.json", "1111/a.json", "1111/deep/c.json", "one.json", "one.json/under.json"]),
        ("/", ["11112222/b.json", "1111/a.json", "1111/deep/c.json", "one.json", "one.json/under.json"]),
        ("/1111", ["1111/a.json", "1111/deep/c.json"]),
        ("/1111/", ["1111/a.json", "1111/deep/c.json"]),
        ("/1111/a.json", ["1111/a.json"]),
        ("/one.json", ["one.json", "one.json/under.json"]),
    ],
)
def test_a_place_is_a_folder_or_an_object_and_never_the_beginning_of_a_name(
    filled: Filled, place: str, wanted: list[str]
) -> None:
    filled.put("11112222/b.json", "1111/a.json", "1111/deep/c.json", "one.json", "one.json/under.json")
    assert keys(s3.list_files(filled.url + place, Window())) == sorted(wanted)


@pytest.mark.parametrize("place", ["2026/11", "2026/11/02", "2026/11/02/", "2026/11/02/x.json"])
def test_a_place_may_lie_inside_the_dates(filled: Filled, place: str) -> None:
    region = f"{ACCOUNT}/CloudTrail/{REGION}/"
    filled.put(region + "2026/11/02/x.json")
    assert keys(s3.list_files(f"{filled.url}/{region}{place}", days("2026-11-02", "2026-11-03"))) == [
        region + "2026/11/02/x.json"
    ]


def test_a_prefix_with_nothing_in_the_window_is_empty_and_one_with_nothing_is_an_error(filled: Filled) -> None:
    filled.put(LAYOUTS["trail"].format(date(2026, 11, 2)) + "x.json")
    assert s3.list_files(filled.url + "/AWSLogs/", days("2027-11-02", None)) == []
    with pytest.raises(SourceError, match=f"nothing under s3://{filled.name}/AWSLogs/1111222/"):
        s3.list_files(filled.url + "/AWSLogs/1111222", Window())
    with pytest.raises(SourceError, match="names no bucket"):
        s3.list_files("s3:///AWSLogs", Window())


def test_folder_markers_hidden_objects_and_stores_are_left_out(filled: Filled) -> None:
    filled.put("a/", "a_$folder$", body=b"")
    filled.put("a/.hidden/x.json", "a/.x.json", "store/ledger.sqlite", "store/t/p.parquet", "a/x.json", "store.json")
    assert keys(s3.list_files(filled.url, Window())) == ["a/x.json", "store.json"]


def test_a_listing_of_several_pages_is_read_whole(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket_module, "PAGE", 2)
    day = LAYOUTS["trail"].format(date(2026, 11, 2))
    filled.put(*(f"{day}{number}.json" for number in range(5)))
    found = s3.list_files(filled.url + "/" + day, days("2026-11-02", "2026-11-03"))
    assert keys(found) == [f"{day}{number}.json" for number in range(5)]
    assert len(filled.asked.requests) == 1 + 3  # the bucket, and three pages


def test_more_folders_than_a_page_are_listed_flat_unless_they_are_accounts(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_module, "PAGE", 3)
    filled.put(*(f"export/eni-{number}/000000.gz" for number in range(7)))
    filled.put(
        *(f"AWSLogs/{number:012}/CloudTrail/{REGION}/{y}/11/02/x.json" for number in range(7) for y in (2020, 2026))
    )
    found = keys(s3.list_files(filled.url, days("2026-11-02", "2026-11-03")))
    assert [key for key in found if key.startswith("export")] == [f"export/eni-{n}/000000.gz" for n in range(7)]
    assert [key for key in found if key.startswith("AWS")] == [
        f"AWSLogs/{n:012}/CloudTrail/{REGION}/2026/11/02/x.json" for n in range(7)
    ]
    assert not any(prefix.startswith("export/eni") for prefix in filled.asked.listed)
    assert not any("2020" in prefix for prefix in filled.asked.listed)


@pytest.mark.parametrize(
    ("key", "first", "last"),
    [
        ("AWSLogs/1/CloudTrail/us-east-1/2026/", "2026-01-01", "2026-12-31"),
        ("AWSLogs/1/CloudTrail/us-iso-east-1/2024/02/", "2024-02-01", "2024-02-29"),
        ("us-east-1/2026/12/", "2026-12-01", "2026-12-31"),
        ("us-east-1/2026/11/02/x_20200101T0000Z.json", "2026-11-02", "2026-11-02"),
        ("eu-west-1/2020/01/01/AWSLogs/1/CloudTrail/eu-west-1/2026/11/02/", "2026-11-02", "2026-11-02"),
        ("us-east-1/2026/02/30/", None, None),
        ("us-east-1/2026/13/", None, None),
        ("2026/11/02/", None, None),
        ("us-east-1/2026", None, None),  # no folder
    ],
)
def test_the_days_a_prefix_stands_for(key: str, first: str | None, last: str | None) -> None:
    assert span_of(key) == (first and (date.fromisoformat(first), date.fromisoformat(last or "")))


ODD = ["a b/c d.json", "a+b.json", "100%.json", "%41.json", "ü/é.json", "e\u0301.json", "q?x=1&y.json", "#h.json", "a//b.json",
       "/leading.json", "back\\slash.json", "tab\t.json", "cr\r.json", "ctl\x01.json", "😀.json", "'\"<>.json", "full/"]  # fmt: skip


def test_odd_keys_come_back_and_are_read_exactly(filled: Filled) -> None:
    filled.put(*ODD)
    found = s3.list_files(filled.url, Window())
    assert {file.key for file in found} == {f"{filled.url}/{key}" for key in ODD}
    with s3.Objects() as objects:
        objects.prefetch(found)
        for file in found:
            assert objects.get(file) == file.key.removeprefix(f"{filled.url}/").encode()


def test_a_key_with_a_line_break_comes_back_and_is_read_exactly(scripted: Scripted) -> None:
    # Moto takes no such key.
    def script(request: Request) -> Answer:
        if request.prefix is not None:
            page = listing(("a%0Ab.json", 2, "e1")).body
            return Answer(200, page.replace(b"<IsT", b"<EncodingType>url</EncodingType><IsT"))
        return Answer(200, b"ok", {"ETag": '"e1"'}) if request.path == "/logs/a\nb.json" else Answer()

    scripted(script)
    [file] = s3.list_files("s3://logs/", Window())
    assert file.key == "s3://logs/a\nb.json"
    with s3.Objects() as objects:
        assert objects.get(file) == b"ok"


# ---------------------------------------------------------------- reading


def test_objects_are_read_once_and_several_at_a_time(filled: Filled) -> None:
    filled.put(*(f"{number}.json" for number in range(20)))
    found = s3.list_files(filled.url, Window())
    filled.asked.clear()
    with s3.Objects() as objects:
        objects.prefetch(found[:10])
        objects.prefetch(found[5:])
        for file in reversed(found):  # in whatever order
            assert objects.get(file) == Path(file.key).name.encode()
    assert sorted(filled.asked.read) == sorted(f"/{filled.name}/{number}.json" for number in range(20))


def test_no_more_is_fetched_ahead_than_the_bound_allows(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects_module, "HELD_BYTES", 3 * (1000 + 2048))
    filled.put(*(f"{number}.json" for number in range(9)), body=b"x" * 1000)
    found = s3.list_files(filled.url, Window())
    filled.asked.clear()
    with s3.Objects() as objects:
        objects.prefetch(found)
        time.sleep(0.3)
        assert len(filled.asked.read) == 3
        objects.get(found[8])  # not begun, and not kept waiting by those that are
        assert len(filled.asked.read) == 4
        for file in found[:8]:
            assert len(objects.get(file)) == 1000  # type: ignore[arg-type]
    assert len(filled.asked.read) == 9


def test_a_huge_object_comes_as_a_file_that_goes_with_its_objects(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects_module, "SPOOLED_BYTES", 10)
    filled.put("huge.json", "huge/+ \t.json", body=b"x" * 11)
    with s3.Objects() as objects:
        files = s3.list_files(filled.url, Window())
        objects.prefetch(files)
        paths = [objects.get(file) for file in files]
        assert all(isinstance(path, Path) and path.read_bytes() == b"x" * 11 for path in paths)
    assert not any(path.exists() for path in paths if isinstance(path, Path))


def test_a_huge_object_that_cannot_be_read_leaves_no_file(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects_module, "SPOOLED_BYTES", 10)
    filled.put("huge.json", body=b"x" * 11)
    [file] = s3.list_files(filled.url, Window())
    filled.client.delete_object(Bucket=filled.name, Key="huge.json")
    with s3.Objects() as objects:
        with pytest.raises(UnreadableFileError, match="gone"):
            objects.get(file)
        assert objects._folder
        assert list(Path(objects._folder.name).iterdir()) == []


def test_an_object_that_changed_or_went_since_it_was_listed_is_told(filled: Filled) -> None:
    filled.put("same.json", "changes.json", "goes.json")
    changes, goes, same = s3.list_files(filled.url, Window())
    filled.put("changes.json", body=b"other")
    filled.client.delete_object(Bucket=filled.name, Key="goes.json")
    with s3.Objects() as objects:
        objects.prefetch([changes, goes, same])
        with pytest.raises(UnreadableFileError, match="changed while it was being read: the next run"):
            objects.get(changes)
        with pytest.raises(UnreadableFileError, match="gone"):
            objects.get(goes)
        assert objects.get(same) == b"same.json"


def test_a_bucket_gives_what_lies_in_it_with_its_metadata(filled: Filled) -> None:
    filled.put("d/1.json.gz", "d/2.json.gz", "e.json", Metadata={"Signature": "abc"})
    bucket = s3.Bucket(filled.url + "/whatever/")
    assert [file.path.rpartition("/")[2] for file in bucket.list("d/")] == ["1.json.gz", "2.json.gz"]
    assert bucket.get("e.json") == b"e.json"
    assert bucket.metadata("e.json") == {"signature": "abc"}
    with pytest.raises(UnreadableFileError, match="gone"):
        bucket.get("nothing.json")
    with pytest.raises(UnreadableFileError, match="gone"):
        bucket.metadata("nothing.json")


@pytest.mark.parametrize(("said", "sent"), [("requester", {"requester"}), (None, {None})])
def test_who_asks_pays_when_they_said_so(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, said: str | None, sent: set[str | None]
) -> None:
    filled.put("a.json", "odd\t.json", Metadata={"a": "b"})
    if said:
        monkeypatch.setenv("AWS_REQUEST_PAYER", said)
    found = s3.list_files(filled.url, Window())
    with s3.Objects() as objects:
        for file in found:
            objects.get(file)
    s3.Bucket(filled.url).metadata("a.json")
    assert {r.headers.get("x-amz-request-payer") for r in filled.asked.requests if r.path != f"/{filled.name}"} == sent
    assert {r.headers.get("x-amz-request-payer") for r in filled.asked.requests if r.prefix is not None} == sent


# ---------------------------------------------------------------- trouble


def answering(get: Answer | Iterator[Answer]) -> Callable[[Request], Answer]:
    """A bucket of one object, whose GET is answered with *get*."""

    def script(request: Request) -> Answer:
        if request.prefix is not None:
            return listing(("a.json", 2, "e1"))
        if request.method == "HEAD":
            return Answer()
        return get if isinstance(get, Answer) else next(get)

    return script


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (refusal(403, "AccessDenied", "no s3:GetObject for you"), UnreadableFileError, "access denied.*s3:GetObject.*for you"),
        (refusal(403, "InvalidObjectState"), UnreadableFileError, "archived.*restore"),
        (refusal(404, "NoSuchKey"), UnreadableFileError, "gone"),
        (refusal(412, "PreconditionFailed"), UnreadableFileError, "changed while"),
        (refusal(404, "NoSuchBucket"), SourceError, "no bucket 'logs'"),
        (refusal(400, "ExpiredToken"), SourceError, "expired.*aws sso login"),
        (refusal(403, "InvalidAccessKeyId"), SourceError, "does not know the access key"),
        (refusal(403, "SignatureDoesNotMatch"), SourceError, "secret access key"),
        (refusal(403, "RequestTimeTooSkewed"), SourceError, "clock"),
        (refusal(503, "SlowDown", "Please reduce your request rate."), SourceError, "SlowDown.*after several tries.*reduce"),
    ],
)  # fmt: skip
def test_what_keeps_one_object_from_being_read_is_its_own_affair_and_what_keeps_all_stops_the_run(
    scripted: Scripted, answer: Answer, error: type[Exception], words: str
) -> None:
    scripted(answering(answer))
    [file] = s3.list_files("s3://logs/", Window())
    with s3.Objects() as objects:
        objects.prefetch([file])
        with pytest.raises(error, match=words):
            objects.get(file)


def test_a_server_that_is_busy_for_a_moment_is_asked_again(scripted: Scripted) -> None:
    answers = iter([refusal(503, "SlowDown"), Answer(200, b"ok", {"ETag": '"e1"'})])
    asked = scripted(answering(answers))
    [file] = s3.list_files("s3://logs/", Window())
    with s3.Objects() as objects:
        assert objects.get(file) == b"ok"
    assert [
        request.headers["if-match"] for request in asked.requests if request.method == "GET" and request.prefix is None
    ] == ['"e1"'] * 2


@pytest.mark.parametrize(
    ("head", "list_", "words"),
    [
        (Answer(403), refusal(403, "AccessDenied", "not you"), "s3:ListBucket on the bucket 'logs'.*AWS_REQUEST_PAYER.*not you"),
        (Answer(404), Answer(), "no bucket 'logs'"),
        (Answer(400), refusal(400, "ExpiredToken"), "expired.*goes on where it stopped"),
        (Answer(403), refusal(403, "InvalidAccessKeyId"), "access key"),
        (Answer(301), refusal(301, "PermanentRedirect"), "served elsewhere.*AWS_REGION"),
        (Answer(), Answer(200, b"<html>a portal"), "S3 answered 500"),
        (Answer(), refusal(500, "InternalError"), "InternalError to s3:ListBucket on s3://logs/"),
    ],
)  # fmt: skip
def test_what_keeps_a_bucket_from_being_listed_is_said(
    scripted: Scripted, head: Answer, list_: Answer, words: str
) -> None:
    scripted(lambda request: head if request.method == "HEAD" else list_)
    with pytest.raises(SourceError, match=words):
        s3.list_files("s3://logs/", Window())


def test_a_bucket_of_another_region_is_found_there(scripted: Scripted) -> None:
    def script(request: Request) -> Answer:
        if "/eu-west-1/s3/" not in request.headers["authorization"]:
            return refusal(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-west-1"})
        if request.method == "HEAD":
            return Answer(200, b"", {"x-amz-bucket-region": "eu-west-1"})
        return answering(Answer(200, b"ok", {"ETag": '"e1"'}))(request)

    asked = scripted(script)
    [file] = s3.list_files("s3://logs/", Window())
    with s3.Objects() as objects:
        assert objects.get(file) == b"ok"
    assert all(
        "/eu-west-1/s3/" in request.headers["authorization"] for request in asked.requests if request.method == "GET"
    )


def test_an_endpoint_that_is_not_there_is_said(credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setattr(bucket_module, "RETRIES", 1)
    with pytest.raises(SourceError, match=r"cannot be reached for s3://logs/ .*127\.0\.0\.1:1/"):
        s3.list_files("s3://logs/AWSLogs/", Window())


def test_the_endpoint_of_all_services_counts_too(filled: Filled, monkeypatch: pytest.MonkeyPatch, moto: Any) -> None:
    filled.put("a.json")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto[0])
    assert keys(s3.list_files(filled.url, Window())) == ["a.json"]


@pytest.mark.parametrize(
    ("bucket", "region", "address"),
    [
        ("logs", "eu-central-1", "logs.s3.eu-central-1.amazonaws.com"),
        ("logs", "cn-north-1", "logs.s3.cn-north-1.amazonaws.com.cn"),
        ("lo.gs", "eu-west-1", "s3.eu-west-1.amazonaws.com"),  # a certificate is for one name in front of s3
    ],
)
def test_objects_are_read_at_the_address_at_which_the_sdk_found_the_bucket(
    credentials: None, monkeypatch: pytest.MonkeyPatch, bucket: str, region: str, address: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)

    class SentError(Exception):
        pass

    seen: list[str] = []

    def head(self: Any, request: Any) -> Any:
        seen.append(request.url)
        raise SentError

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", head)
    with pytest.raises(SentError):
        s3.Bucket(f"s3://{bucket}")
    store = bucket_module._object_store(botocore.session.Session(), bucket, seen[-1], region, pays=False)
    assert store.config["endpoint_url_s3"] == f"https://{address}"
    assert store.config["virtual_hosted_style_request"] == str(address.startswith(bucket)).lower()


# ---------------------------------------------------------------- credentials


def test_without_credentials_nothing_is_asked(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = scripted(lambda request: Answer())
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SourceError, match=r"no AWS credentials.*AWS_PROFILE.*not read anonymously"):
        s3.list_files("s3://logs/", Window())
    assert asked.requests == []


def configure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    """The shared config has one profile, `auditor`, and it is chosen."""
    (tmp_path / "aws-config").write_text(f"[profile auditor]\nregion = {REGION}\n{text}\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_PROFILE", "auditor")


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("sso_start_url = https://x.example/\nsso_region = eu-central-1\nsso_account_id = 111122223333\nsso_role_name = r", "aws sso login"),
        ("credential_process = false", "cannot be had"),
    ],
)  # fmt: skip
def test_credentials_that_cannot_be_had_are_told(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: str, words: str
) -> None:
    scripted(lambda request: Answer())
    monkeypatch.setenv("HOME", str(tmp_path))
    configure(monkeypatch, tmp_path, profile)
    with pytest.raises(SourceError, match=words):
        s3.list_files("s3://logs/", Window())


def test_a_profile_that_does_not_exist_is_told(credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(SourceError, match="nobody"):
        s3.list_files("s3://logs/", Window())


def test_a_role_that_may_not_be_assumed_is_not_called_a_refusal_of_s3(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scripted(lambda request: refusal(403, "AccessDenied", "not your role"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", os.environ["AWS_ENDPOINT_URL_S3"])
    configure(
        monkeypatch,
        tmp_path,
        "role_arn = arn:aws:iam::111122223333:role/r\nsource_profile = base\n[profile base]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = x",
    )
    with pytest.raises(SourceError, match=r"credentials cannot be had.*AssumeRole"):
        s3.list_files("s3://logs/", Window())


def test_credentials_are_renewed_while_objects_are_read(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = scripted(answering(Answer(200, b"ok", {"ETag": '"e1"'})))
    count = tmp_path / "count"
    count.write_text("0")
    script = tmp_path / "process.py"
    script.write_text(
        "import json, pathlib, sys\n"
        "from datetime import UTC, datetime, timedelta\n"
        "path = pathlib.Path(sys.argv[1]); n = int(path.read_text()) + 1; path.write_text(str(n))\n"
        "end = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()\n"  # always about to expire
        "print(json.dumps({'Version': 1, 'AccessKeyId': f'KEY{n}', 'SecretAccessKey': 's', 'SessionToken': 't', 'Expiration': end}))\n"
    )
    configure(monkeypatch, tmp_path, f"credential_process = {sys.executable} {script} {count}")
    monkeypatch.setattr(bucket_module, "_CREDENTIALS_TTL", bucket_module._CREDENTIALS_TTL * 0)
    [file] = s3.list_files("s3://logs/", Window())
    asked.clear()
    with s3.Objects() as objects:
        objects.get(file)
        time.sleep(0.2)  # obstore asks no more often than every tenth of a second
        objects.get(file)
    used = [
        r.headers["authorization"].split("Credential=")[1].split("/")[0] for r in asked.requests if r.method == "GET"
    ]
    assert len(set(used)) == 2
    assert {r.headers["x-amz-security-token"] for r in asked.requests} == {"t"}
