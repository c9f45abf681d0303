"""Log files against the digests that CloudTrail signs: every way a bucket can be changed is told, and nothing else."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.model import Window
from auditkit.validation import integrity
from auditkit.validation.keys import KeptKeys
from auditkit.validation.places import places_of
from auditkit.validation.stretches import Stretches
from auditkit.validation.verification import Verification
from auditkit.validation.walk import verify
from auditkit.verifying import verified as command_verify
from tests.conftest import DATA_SAMPLES, Command
from tests.digest_faults import FAULTS, Fault, Verdicts, zipped
from tests.digests import FIRST, HOUR, REGION, Delivery, public_keys
from tests.records import ACCOUNT


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that `aws cloudtrail list-public-keys` makes."""
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    path.write_text(json.dumps(public_keys()), encoding="utf-8")
    return path


def verified(folders: Path | Sequence[Path], keys: Path, window: Window = Window()) -> Verification:  # noqa: B008
    folders = [folders] if isinstance(folders, Path) else folders
    return verify(places_of([str(folder) for folder in folders]), KeptKeys([keys]), window)


def problems(found: Verification, root: Path) -> Verdicts:
    """What was found, by key."""
    return {
        one.object.removeprefix(f"{root}/").removeprefix("s3://trail-bucket/"): one.verdict for one in found.problems
    }


@pytest.mark.parametrize("sidecars", [True, False], ids=["with metadata", "without"])
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_copy_on_disk_tells_every_fault_but_those_of_metadata(
    fault: Fault, sidecars: bool, tmp_path: Path, keys: Path
) -> None:
    delivery, wrong = fault.make()
    in_text = not fault.metadata
    found = verified(delivery.write(tmp_path, sidecars=sidecars), keys)
    assert problems(found, tmp_path) == (wrong if in_text else {})
    assert tuple(gap.kind for gap in found.gaps) == (fault.gaps if in_text else ())
    assert found.logs["uncovered"] == (fault.uncovered if in_text else 0)
    unchecked = () if sidecars else fault.unchecked
    assert [Path(one.object).name for one in found.unchecked] == [Path(delivery.digests[at]).name for at in unchecked]
    assert found.valid is not bool(wrong and in_text)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_every_digest_and_every_listed_file_is_counted_once(fault: Fault, tmp_path: Path, keys: Path) -> None:
    delivery, _ = fault.make()
    found = verified(delivery.write(tmp_path, sidecars=True), keys).as_json()
    named = [problem["verdict"] for problem in found["problems"] if problem["kind"] == "digest"]
    digests = sum("CloudTrail-Digest" in key for key in delivery.objects)
    assert sum(found["digests"].values()) == digests + named.count("missing")
    assert found["digests"]["invalid"] == len(named)
    logs = found["logs"]
    present = len(delivery.objects) - digests
    assert logs["valid"] + logs["invalid"] + logs["unlisted"] + logs["uncovered"] == present


# --- where a copy lies -------------------------------------------------------------------------------------------------

DIGESTS = f"AWSLogs/{ACCOUNT}/CloudTrail-Digest"


def flat(tmp_path: Path) -> list[Path]:
    for path in [path for path in (tmp_path / "copy").rglob("*") if path.is_file()]:
        (tmp_path / "flat").mkdir(exist_ok=True)
        path.rename(tmp_path / "flat" / path.name)
    return [tmp_path / "flat"]


def apart(tmp_path: Path) -> list[Path]:
    """Digests and logs were fetched by two commands."""
    (tmp_path / "d" / "AWSLogs" / ACCOUNT).mkdir(parents=True)
    shutil.move(tmp_path / "copy" / DIGESTS, tmp_path / "d" / DIGESTS)
    return [tmp_path / "d", tmp_path / "copy"]


def cut_apart(tmp_path: Path) -> list[Path]:
    """The same, each into a folder of its own below the account's."""
    shutil.move(tmp_path / "copy" / DIGESTS, tmp_path / "digests")
    shutil.move(tmp_path / "copy" / DIGESTS.removesuffix("-Digest"), tmp_path / "logs")
    return [tmp_path / "digests", tmp_path / "logs"]


LAYOUTS: dict[str, Callable[[Path], list[Path]]] = {
    "the bucket": lambda tmp_path: [tmp_path / "copy"],
    "its AWSLogs": lambda tmp_path: [tmp_path / "copy" / "AWSLogs"],
    "above it": lambda tmp_path: [tmp_path],
    "an account of it": lambda tmp_path: [tmp_path / "copy" / "AWSLogs" / ACCOUNT],
    "AWSLogs under another name": lambda tmp_path: [(tmp_path / "copy" / "AWSLogs").rename(tmp_path / "logs")],
    "an account under another name": lambda tmp_path: [
        (tmp_path / "copy" / "AWSLogs" / ACCOUNT).rename(tmp_path / "prod")
    ],
    "all files in one folder": flat,
    "digests and logs apart": apart,
    "digests and logs apart, cut short": cut_apart,
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_copy_is_known_by_the_tail_of_its_paths(
    layout: Callable[[Path], list[Path]], tmp_path: Path, keys: Path
) -> None:
    delivery = Delivery().hours(4)
    inserted = delivery.log(FIRST + HOUR + timedelta(minutes=20), token="inserted")
    delivery.rewrite(delivery.logs[2][1], lambda data: data[:-30])
    delivery.write(tmp_path / "copy", sidecars=True)
    found = verified(layout(tmp_path), keys)
    told = {Path(one.object).name: one.verdict for one in found.problems}
    assert told == {Path(inserted).name: "unlisted", Path(delivery.logs[2][1]).name: "invalid"}
    assert (found.digests["valid"], found.logs["valid"], found.others) == (4, 7, 0)


def test_digests_alone_find_the_logs_beside_them(tmp_path: Path, keys: Path) -> None:
    Delivery().hours(3).write(tmp_path, sidecars=True)
    found = verified(tmp_path / DIGESTS / REGION, keys)
    assert (found.problems, found.logs["valid"]) == ([], 6)


@pytest.mark.parametrize("prefix", ["audit/logs/AWSLogs/", "AWSLogs/o-a1b2c3/", "o-a1b2c3/AWSLogs/o-a1b2c3/"])
def test_a_trail_may_have_a_prefix_or_an_organization(prefix: str, tmp_path: Path, keys: Path) -> None:
    found = verified(Delivery(prefix=prefix).hours(3).write(tmp_path), keys)
    assert (found.problems, found.logs["valid"], found.digests["unchecked"]) == ([], 6, 1)


def test_every_account_region_and_trail_has_a_chain_of_its_own(tmp_path: Path, keys: Path) -> None:
    for account in (ACCOUNT, "444455556666"):
        for region in (REGION, "us-east-1"):
            Delivery(account=account, region=region).hours(3).write(tmp_path)
    second = Delivery(trail="second").hours(4)
    second.write(tmp_path)  # lists what the first trail lists, and an hour more
    bad = Delivery(account="444455556666", region="us-east-1")
    path = tmp_path / bad.hours(1).logs[0][0]
    path.write_bytes(zipped(b"{}"))
    found = verified(tmp_path, keys)
    assert found.digests == {"valid": 4 * 2 + 3, "unchecked": 5}
    assert [(one.account_id, one.region, Path(one.object).name) for one in found.problems] == [
        ("444455556666", "us-east-1", path.name)
    ]
    assert found.logs["valid"] == 4 * 6 + 2 - 1


@pytest.mark.parametrize("roots", [["one", "two"], [""]], ids=["each named", "the folder above"])
def test_two_copies_of_one_trail_are_not_mixed_up(roots: list[str], tmp_path: Path, keys: Path) -> None:
    """What one of them lacks is not found in the other."""
    delivery = Delivery().hours(2)
    for copy in ("one", "two"):
        delivery.write(tmp_path / copy)
    (tmp_path / "one" / delivery.logs[0][0]).unlink()
    found = verified([tmp_path / root for root in roots], keys)
    assert [one.verdict for one in found.problems] == ["missing"]
    assert (found.digests, found.logs["valid"]) == ({"valid": 2, "unchecked": 2}, 7)


def test_parts_of_one_copy_are_put_together(tmp_path: Path, keys: Path) -> None:
    delivery = Delivery().hours(4)
    for part, hours in (("one", (0, 1)), ("two", (2, 3))):
        for key in [key for at in hours for key in (delivery.digests[at], *delivery.logs[at])]:
            path = tmp_path / part / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(delivery.objects[key].data)
    found = verified([tmp_path / "one", tmp_path / "two"], keys)
    assert (found.problems, found.gaps, found.digests) == ([], [], {"valid": 3, "unchecked": 1})


def test_a_digest_cannot_lead_out_of_the_copy(tmp_path: Path, keys: Path) -> None:
    """Until it is proven, it may have been written by anyone."""
    outside = tmp_path / "secret.json.gz"
    outside.write_bytes(zipped(b"secret"))
    delivery = Delivery().hours(2)
    listed = delivery.digest(delivery.digests[1])
    for key in ("../secret.json.gz", "AWSLogs/../../secret.json.gz", str(outside)):
        listed["logFiles"][0] |= {"s3Object": key, "hashValue": "0" * 64}
        delivery.put_digest(delivery.digests[1], listed)
        found = verified(delivery.write(tmp_path / "copy"), keys)
        assert ("missing", f"s3://trail-bucket/{key}") in [(one.verdict, one.object) for one in found.problems]


# --- windows -----------------------------------------------------------------------------------------------------------


def window(start: float | None, end: float | None) -> Window:
    return Window(*(None if hours is None else FIRST + hours * HOUR for hours in (start, end)))


def test_a_window_takes_the_digests_that_may_list_what_was_delivered_in_it(tmp_path: Path, keys: Path) -> None:
    """The one after it is read too: a file may be listed an hour late, and it has the signature of the one before."""
    delivery = Delivery().hours(8)
    for at in (0, 1, 7):  # none of the window
        delivery.rewrite(delivery.logs[at][0], lambda data: b"")
    delivery.log(FIRST + 2.5 * HOUR, token="before")  # in no digest, and not asked for
    delivery.log(FIRST + 5 * HOUR, token="after")
    found = verified(delivery.write(tmp_path), keys, window(3, 5))
    assert (found.problems, found.gaps) == ([], [])
    assert (found.digests, found.outside) == ({"valid": 4}, 4)  # ends of hours 2 to 5
    assert found.logs["valid"] == 8


def test_a_digest_before_the_window_is_not_missed(tmp_path: Path, keys: Path) -> None:
    delivery = Delivery().hours(6)
    for key in (*delivery.digests[:2], *delivery.logs[0], *delivery.logs[1]):
        del delivery.objects[key]
    delivery.write(tmp_path)
    (gone,) = verified(tmp_path, keys).problems
    assert (gone.verdict, "--since" in gone.message) == ("missing", True)
    assert verified(tmp_path, keys, window(3, None)).problems == []


def test_hours_of_the_window_without_a_digest_are_told(tmp_path: Path, keys: Path) -> None:
    delivery = Delivery().hours(3)
    found = verified(delivery.write(tmp_path), keys, window(-5, 6))
    assert [(gap.kind, gap.start, gap.end) for gap in found.gaps] == [
        ("no digest", FIRST - 5 * HOUR, FIRST),
        ("no digest", FIRST + 3 * HOUR, FIRST + 6 * HOUR),
    ]
    assert found.valid
    assert "08:00" in found.gaps[0].message


def test_a_file_at_the_end_of_the_last_digest_may_be_for_the_next(tmp_path: Path, keys: Path) -> None:
    """CloudTrail may have put it there a minute after the hour that the digest covers."""
    delivery = Delivery().hours(3)
    delivery.log(FIRST + 3 * HOUR - timedelta(minutes=5), token="late")
    early = delivery.log(FIRST + 3 * HOUR - timedelta(minutes=10), token="early")
    between = delivery.log(FIRST + 2 * HOUR - timedelta(minutes=5), token="between")
    found = verified(delivery.write(tmp_path), keys)
    assert problems(found, tmp_path) == {early: "unlisted", between: "unlisted"}
    assert found.logs["uncovered"] == 1


def test_only_kinds_of_logs_that_digests_list_are_looked_for(tmp_path: Path, keys: Path) -> None:
    delivery = Delivery().hours(3)
    insight = delivery.log(FIRST + HOUR, token="insight").replace("CloudTrail/", "CloudTrail-Insight/")
    delivery.objects[insight] = delivery.objects.pop(delivery.log(FIRST + HOUR, token="insight"))
    found = verified(delivery.write(tmp_path), keys)
    assert (found.problems, found.logs["uncovered"]) == ([], 1)


# --- what is beside the chain -------------------------------------------------------------------------------------------


def test_backfill_digests_are_a_chain_of_their_own(tmp_path: Path, keys: Path) -> None:
    Delivery().hours(3).write(tmp_path)
    backfill = Delivery(backfill=True).hours(3)
    backfill.rewrite(backfill.logs[1][0], lambda data: data[:-20])
    found = verified(backfill.write(tmp_path), keys)
    assert problems(found, tmp_path) == {backfill.logs[1][0]: "invalid"}
    assert found.digests == {"valid": 4, "unchecked": 2}


def test_what_only_an_invalid_digest_lists_is_not_called_unlisted(tmp_path: Path, keys: Path) -> None:
    """It is listed, if not by one to be trusted; the digest is told, and its files were not judged."""
    Delivery().hours(3).write(tmp_path)
    backfill = Delivery(backfill=True).hours(3)
    backfill.rewrite(
        backfill.digests[1], lambda data: zipped(gzip.decompress(data).replace(b'"hashValue": "', b'"hashValue": "0'))
    )
    found = verified(backfill.write(tmp_path), keys)
    assert problems(found, tmp_path) == {backfill.digests[1]: "invalid"}
    assert found.logs["uncovered"] == 2


def test_metadata_that_is_saved_badly_is_told(tmp_path: Path, keys: Path) -> None:
    delivery = Delivery().hours(2)
    delivery.write(tmp_path, sidecars=True)
    (tmp_path / f"{delivery.digests[1]}.metadata.json").write_text("signature=ab")
    (found,) = verified(tmp_path, keys).unchecked
    assert "aws s3api head-object" in found.message


def test_a_file_that_cannot_be_read_is_not_called_changed(tmp_path: Path, keys: Path, command: Command) -> None:
    delivery = Delivery().hours(2)
    delivery.write(tmp_path / "copy", sidecars=True)
    for key in (delivery.logs[1][0], delivery.digests[0]):
        (tmp_path / "copy" / key).unlink()
        os.mkfifo(tmp_path / "copy" / key)  # a pipe: there, and nothing to read
    said = command("verify", "copy", "--keys", keys, "--format", "json")
    assert said.code == 3
    assert said.json["verdict"] == "Not finished: 2 files could not be read. Log files that match: 1."
    assert (said.json["logs"]["unchecked"], said.json["digests"]["unchecked"]) == (1, 1)


def test_a_bomb_among_the_logs_is_left_at_the_limit(
    tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "MAX_TEXT_BYTES", 1 << 21)
    delivery = Delivery().hours(2)
    delivery.rewrite(delivery.logs[0][0], lambda data: zipped(bytes(1 << 22)))
    (found,) = verified(delivery.write(tmp_path), keys).problems
    assert found.message == "it inflates to more than 2,097,152 bytes"


def test_a_file_among_digests_that_is_not_named_like_one_is_counted(tmp_path: Path, keys: Path) -> None:
    delivery = Delivery().hours(2)
    delivery.objects[delivery.digests[0].replace(".json.gz", ".json.gz.bak")] = delivery.objects[delivery.digests[0]]
    found = verified(delivery.write(tmp_path), keys)
    assert (found.problems, found.others) == ([], 1)


SPANS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda ends: (min(ends), max(ends))))


@given(SPANS, st.integers(0, 20), st.integers(0, 20))
def test_holes_are_what_no_span_covers(spans: list[tuple[int, int]], start: int, end: int) -> None:
    def at(hour: int) -> datetime:
        return FIRST + hour * HOUR

    stretches = Stretches((at(a), at(b)) for a, b in spans)
    holes = [(a, b) for a, b in stretches.holes(at(start), at(end))]
    for hour in range(20):
        covered = any(a <= hour < b for a, b in spans)
        assert (stretches.around(at(hour)) is not None) == covered
        assert stretches.overlaps(at(hour), at(hour + 1)) == covered
        assert any(a <= at(hour) < b for a, b in holes) == (start <= hour < end and not covered)


# --- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Delivery:
    """Three hours in the folder `copy` of the current folder, two log files each."""
    delivery = Delivery().hours(3)
    delivery.write(tmp_path / "copy")
    return delivery


def test_the_verdict_comes_first(command: Command, copy: Delivery, keys: Path) -> None:
    said = command("verify", "copy", "--keys", keys)
    assert said.code == 0
    assert said.out.splitlines()[0] == (
        "Nothing was found changed: 4 of 6 log files are as CloudTrail delivered them; "
        "2 match a digest whose own signature could not be checked."
    )
    assert "digests: 2 valid, 0 not, 1 unchecked" in said.out
    assert "T110000Z.json.gz: its signature is only in the metadata of the object in S3" in said.err


def test_with_every_signature_checked_the_verdict_is_plain(command: Command, copy: Delivery, keys: Path) -> None:
    copy.write(Path("copy"), sidecars=True)
    said = command("verify", "copy", "--keys", keys)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(
        "Every one of 6 log files is as CloudTrail delivered it: 3 digests, signed by CloudTrail.\n"
    )


def test_what_is_wrong_is_a_line_each_and_an_exit_code(command: Command, copy: Delivery, keys: Path) -> None:
    Path("copy", copy.logs[1][0]).unlink()
    Path("copy", copy.logs[0][0]).write_bytes(zipped(b"{}"))
    Path("copy", copy.logs[0][0] + "\x1b[2J.json").write_bytes(b"")
    said = command("verify", "copy", "--keys", keys)
    assert said.code == 1
    assert said.out.splitlines()[0] == (
        "The logs are not as CloudTrail delivered them: 1 log file changed, 1 log file gone, 1 log file in no digest."
    )
    lines = [line.split()[0] for line in said.out.splitlines()[2:6]]
    assert lines == ["verdict", "invalid", "unlisted", "missing"]
    assert "\x1b" not in said.out


def test_json_says_the_same(command: Command, copy: Delivery, keys: Path) -> None:
    Path("copy", copy.digests[1]).unlink()
    said = command("verify", "copy", "--keys", keys, "--format", "json", "--since", "2026-11-02T08:00")
    assert said.code == 1
    found = said.json
    assert found["valid"] is False
    assert found["digests"] == {"valid": 0, "invalid": 1, "unchecked": 2}
    assert found["logs"] == {
        "valid": 4,
        "invalid": 0,
        "missing": 0,
        "unlisted": 0,
        "unchecked": 0,
        "unproven": 4,
        "uncovered": 2,
    }
    assert found["problems"] == [
        {
            "object": f"s3://trail-bucket/{copy.digests[1]}",
            "kind": "digest",
            "account_id": ACCOUNT,
            "region": REGION,
            "verdict": "missing",
            "message": "not found, though the next digest names it",
        }
    ]
    (gap,) = found["gaps"]
    assert (gap["kind"], gap["start"], gap["end"]) == ("no digest", "2026-11-02T09:00:00Z", "2026-11-02T10:00:00Z")
    assert found["window"] == {"start": "2026-11-02T08:00:00Z", "end": None}
    assert found["covered"] == {"start": "2026-11-02T08:00:00Z", "end": "2026-11-02T11:00:00Z"}


def test_nothing_verified_is_no_success(command: Command, copy: Delivery, keys: Path, tmp_path: Path) -> None:
    said = command("verify", DATA_SAMPLES, "--format", "json")
    assert (said.code, said.json["valid"]) == (3, False)
    assert said.json["verdict"] == "There are no digests here: nothing was verified."
    said = command("verify", "copy", "--keys", keys, "--since", "2020-12-01", "--until", "2020-12-02")
    assert (said.code, said.out) == (3, "None of 3 digests covers the window: nothing was verified.\n")
    lonely = Delivery().hours(1).write(tmp_path / "lonely")
    said = command("verify", lonely, "--keys", keys)
    assert said.code == 3
    assert said.out.startswith("Nothing is proven: no signature could be checked. Log files that match: 2.")


def test_without_keys_and_without_credentials_the_way_out_is_told(
    command: Command, copy: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "none")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
    said = command("verify", "copy")
    assert said.code == 3
    assert "The public keys of CloudTrail in eu-central-1 cannot be had: Unable to locate credentials" in said.err
    assert "--keys keys.json" in said.err


def test_hours_that_are_yet_to_come_are_no_gap(copy: Delivery, keys: Path, tmp_path: Path) -> None:
    options = {"keys": [keys], "save_keys": None, "style": "json"}
    found = command_verify([str(tmp_path / "copy")], window=window(0, 99), now=FIRST + 5 * HOUR, **options)
    assert [gap.end for gap in found.gaps] == [FIRST + 5 * HOUR]


WRONG_USE = {
    "nowhere": (["nowhere"], "There is nothing at"),
    "no keys file": (["copy", "--keys", "none.json"], "cannot be read: No such file"),
    "keys of another kind": (["copy", "--keys", "other.json"], "holds no list of public keys"),
    "both ways": (["copy", "--keys", "none.json", "--save-keys", "k.json"], "it is not asked"),
    "no time": (["copy", "--since", "yesterday"], "is not a time"),
}


@pytest.mark.parametrize(("words", "told"), WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_is_told(words: list[str], told: str, command: Command, copy: Delivery) -> None:
    Path("other.json").write_text('{"keys": []}')
    said = command("verify", *words)
    assert (said.code, said.out) == (2, "")
    assert told in said.err


def test_a_list_of_keys_that_is_empty_is_no_list_to_verify_with(command: Command, copy: Delivery) -> None:
    Path("keys.json").write_text('{"PublicKeyList": []}')
    said = command("verify", "copy", "--keys", "keys.json")
    assert said.code == 3
    assert "There are no public keys for eu-central-1" in said.err
