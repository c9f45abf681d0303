"""Every hour of every account and region has one state, and the proof of it."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from auditkit import opening
from auditkit.catalogue import Catalogue
from auditkit.errors import ParameterError
from auditkit.evidence import Coverage
from auditkit.ingest import ingest
from auditkit.model import Window, iso
from auditkit.store import Store
from tests.records import ACCOUNT, flow_line, record, trail, write_flows, write_trail
from tests.trails import REGION, at, digest_key, trail_key, write_digest, write_flow_hour, write_hour

OTHER, SECOND = "444455556666", "us-east-1"
EVENTS, FLOWS = "cloudtrail_events", "flow_records"
CATALOGUE = Catalogue.load()  # once: it takes as long as all else of a small folder
Cell = tuple[str, str]  # state, proof


def covered(folder: Path, since: datetime | None = None, until: datetime | None = None, **expected: Any) -> Coverage:
    """The coverage of a folder, whose spans lie without a gap or an overlap side by side, whatever is in it."""
    with opening.open(folder) as audit:
        audit.catalogue = CATALOGUE
        facts = audit.coverage(since=since, until=until, **expected)
    spans = facts.spans.to_pylist()
    for span in spans:
        assert span["hours"] * timedelta(hours=1) == span["end"] - span["start"] > timedelta(0)
    for pair in {(span["table"], span["account_id"], span["region"]) for span in spans}:
        own = [span for span in spans if (span["table"], span["account_id"], span["region"]) == pair]
        assert (iso(own[0]["start"]), iso(own[-1]["end"])) == (facts.judged["start"], facts.judged["end"])
        for one, following in pairwise(own):
            assert one["end"] == following["start"]
            assert (one["state"], one["proof"]) != (following["state"], following["proof"])
    for table, hours in facts.hours.items():
        for state, count in hours.items():
            assert count == sum(span["hours"] for span in spans if (span["table"], span["state"]) == (table, state))
    return facts


def cells(
    facts: Coverage, table: str = EVENTS, account: str | None = ACCOUNT, region: str | None = REGION
) -> dict[int, Cell]:
    """State and proof by hour of the day that the tests are about."""
    found = {}
    for span in facts.spans.to_pylist():
        if (span["table"], span["account_id"], span["region"]) == (table, account, region):
            first = int((span["start"] - at(0)) / timedelta(hours=1))
            found |= {first + n: (span["state"], span["proof"]) for n in range(span["hours"])}
    return found


def files_of(facts: Coverage, proof: str) -> list[list[str]]:
    return [span["files"] for span in facts.spans.to_pylist() if span["proof"] == proof]


def chain(folder: Path, hours: Iterable[int] = range(8, 16), *, quiet: Iterable[int] = (), **where: Any) -> None:
    """A trail with an event in each of *hours* but the *quiet* ones, and the digests that list the files."""
    hours = list(hours)
    keys = {hour: write_hour(folder, hour, **where) for hour in hours if hour not in set(quiet)}
    for hour in range(hours[0] - 1, hours[-1] + 2):
        write_digest(folder, hour, [keys[hour]] if hour in keys else [], **where)


SEEN: Cell = ("seen", "digest")


# --- digests -----------------------------------------------------------------------------------------------------------


def test_an_empty_digest_tells_a_quiet_hour_from_a_missing_one(tmp_path: Path) -> None:
    chain(tmp_path, quiet=[11])
    found = cells(covered(tmp_path, at(8), at(16)))
    assert found == dict.fromkeys(range(8, 16), SEEN) | {11: ("quiet", "digest")}


def test_a_file_that_a_digest_lists_and_nobody_read_is_named(tmp_path: Path) -> None:
    chain(tmp_path)
    gone = tmp_path / trail_key(at(10, 35))
    gone.unlink()
    facts = covered(tmp_path, at(8), at(16))
    assert cells(facts) == dict.fromkeys(range(8, 16), SEEN) | {10: ("missing", "listed files")}
    assert files_of(facts, "listed files") == [[gone.name.removesuffix(".gz")]]
    assert [gap["because"] for gap in facts.gaps] == ["1 file that a digest lists is not among those read"]


def test_a_loss_counts_even_where_other_events_of_the_hour_are_stored(tmp_path: Path) -> None:
    kept = write_hour(tmp_path, 10)
    gone = [trail_key(at(10, minute)) for minute in (40, 45)]
    for hour in (9, 10, 11):
        write_digest(tmp_path, hour, [kept, *gone] if hour == 10 else [])
    facts = covered(tmp_path, at(10), at(11))
    assert cells(facts) == {10: ("missing", "listed files")}
    assert (facts.gaps[0]["records"], len(facts.gaps[0]["files"])) == (1, 2)
    assert facts.gaps[0]["because"].startswith("2 files that a digest lists are not")


def test_a_file_delivered_just_after_the_hour_may_have_held_events_of_the_one_before(tmp_path: Path) -> None:
    chain(tmp_path)
    write_digest(tmp_path, 12, [trail_key(at(12, 10)), trail_key(at(12, 35))])
    found = cells(covered(tmp_path, at(8), at(16)))
    assert [hour for hour in found if found[hour] == ("missing", "listed files")] == [11, 12]


def test_a_copy_that_was_unzipped_was_read_all_the_same(tmp_path: Path) -> None:
    chain(tmp_path)
    zipped = tmp_path / trail_key(at(10, 35))
    (tmp_path / zipped.name.removesuffix(".gz")).write_bytes(gzip.decompress(zipped.read_bytes()))
    zipped.unlink()
    assert set(cells(covered(tmp_path, at(8), at(16))).values()) == {SEEN}


@pytest.mark.parametrize(("minute", "gone"), [(0, 11), (1, 11), (20, 11), (29, 11), (40, 12)])
def test_an_hour_inside_a_chain_without_its_digest_is_missing_even_with_events(
    tmp_path: Path, minute: int, gone: int
) -> None:
    """Who takes out a file takes out the digest that lists it as well."""
    keys = {hour: write_hour(tmp_path, hour, minute=minute + 5) for hour in range(8, 16)}
    for hour in range(7, 17):
        write_digest(tmp_path, hour, [keys[hour]] if hour in keys else [], minute=minute)
    (tmp_path / digest_key(at(12, minute))).unlink()  # of 11:minute to 12:minute
    found = cells(covered(tmp_path, at(8), at(16)))
    assert [hour for hour in found if found[hour] == ("missing", "no digest")] == [gone]
    assert found[9] == found[gone + 2] == SEEN
    in_time = minute in (20, 29)  # else its last minutes were delivered in the hour that has no digest
    assert found[gone - 1] == (SEEN if in_time else ("seen", "records"))


def test_an_hour_of_which_everything_was_deleted_is_missing(tmp_path: Path) -> None:
    chain(tmp_path)
    (tmp_path / trail_key(at(11, 35))).unlink()
    (tmp_path / digest_key(at(12, 1))).unlink()
    found = cells(covered(tmp_path, at(8), at(16)))
    assert found[11] == ("missing", "no digest")


def test_a_digest_that_is_gone_is_no_loss_where_another_trail_was_read_whole(tmp_path: Path) -> None:
    chain(tmp_path)
    for hour in range(7, 17):  # a second trail, with its own digests
        path = write_digest(tmp_path, hour)
        text = gzip.decompress(path.read_bytes()).replace(b"_main_", b"_org_")
        path.with_name(path.name.replace("_main_", "_org_")).write_bytes(gzip.compress(text))
    (tmp_path / digest_key(at(12, 1))).unlink()
    assert set(cells(covered(tmp_path, at(8), at(16))).values()) == {SEEN}


def test_digests_that_begin_anew_say_that_logging_was_off(tmp_path: Path) -> None:
    chain(tmp_path, range(8, 10))
    for hour in range(13, 16):
        write_digest(tmp_path, hour, [write_hour(tmp_path, hour)], starts_anew=hour == 13)
    found = cells(covered(tmp_path, at(8), at(15)))
    assert [hour for hour in found if found[hour] == ("missing", "new chain")] == [11, 12]
    assert (found[13], found[14]) == (("seen", "records"), SEEN)  # the first minute of 13 has no digest


@pytest.mark.parametrize("hours_gone", [1, 4])
def test_a_region_whose_digests_end_while_others_go_on_is_missing(tmp_path: Path, hours_gone: int) -> None:
    chain(tmp_path)
    chain(tmp_path, range(8, 16 - hours_gone), region=SECOND)
    found = cells(covered(tmp_path, at(8), at(18)), region=SECOND)
    ended = [hour for hour in found if found[hour] == ("missing", "chain ends")]
    assert ended == (
        [13, 14, 15, 16] if hours_gone == 4 else []
    )  # digests of two regions need not end in the same hour


def test_a_region_whose_first_digest_names_one_before_it_is_missing_until_then(tmp_path: Path) -> None:
    chain(tmp_path)
    chain(tmp_path, range(12, 16), region=SECOND)
    found = cells(covered(tmp_path, at(8), at(16)), region=SECOND)
    assert [hour for hour in found if found[hour] == ("missing", "no digest")] == [8, 9, 10]


def test_a_digest_whose_times_make_no_sense_proves_nothing(tmp_path: Path) -> None:
    chain(tmp_path, quiet=[11])
    path = tmp_path / digest_key(at(12, 1))
    text = gzip.decompress(path.read_bytes()).replace(b"2026-11-02T11:01:00Z", b"the day before")
    path.write_bytes(gzip.compress(text))
    assert cells(covered(tmp_path, at(8), at(16)))[11] == ("missing", "nothing")


# --- without digests ---------------------------------------------------------------------------------------------------


def test_a_quiet_region_is_told_by_the_others_and_a_silent_account_is_missing(tmp_path: Path) -> None:
    for hour in (8, 9, 10):
        write_hour(tmp_path, hour)
    write_hour(tmp_path, 8, region=SECOND)
    write_hour(tmp_path, 10, account=OTHER)
    facts = covered(tmp_path)
    assert cells(facts) == dict.fromkeys((8, 9, 10), ("seen", "records"))
    assert cells(facts, region=SECOND) == {8: ("seen", "records")} | dict.fromkeys((9, 10), ("quiet", "trail at work"))
    assert cells(facts, account=OTHER) == dict.fromkeys((8, 9), ("missing", "nothing")) | {10: ("seen", "records")}
    assert "no digests" in facts.unknown[0]
    assert facts.unknown[1].startswith("2 quiet hours of CloudTrail rest on")


def test_events_that_no_trail_delivered_say_nothing_of_other_regions(tmp_path: Path) -> None:
    write_trail(
        tmp_path / "looked-up.json", record("e1"), record("e2", awsRegion=SECOND, eventTime="2026-11-02T11:00:00Z")
    )
    assert cells(covered(tmp_path), region=SECOND) == {10: ("missing", "nothing"), 11: ("seen", "records")}


def test_an_event_delivered_weeks_late_does_not_make_those_weeks_a_part_of_the_evidence(tmp_path: Path) -> None:
    late = record("late", eventTime="2026-10-01T00:00:00Z")
    write_trail(tmp_path / trail_key(at(9, 5)), late, record("e1", eventTime="2026-11-02T09:01:00Z"))
    write_hour(tmp_path, 10)
    assert covered(tmp_path).judged == {"start": "2026-11-02T09:00:00Z", "end": "2026-11-02T11:00:00Z"}


def test_files_without_a_time_in_their_names_bound_the_evidence_by_what_they_hold(tmp_path: Path) -> None:
    write_hour(tmp_path, 10)
    write_trail(tmp_path / "export.json", record("x", eventTime="2026-11-02T20:00:00Z"))
    assert covered(tmp_path).judged == {"start": "2026-11-02T10:00:00Z", "end": "2026-11-02T21:00:00Z"}


def test_a_window_that_cuts_hours_judges_them_whole(tmp_path: Path) -> None:
    for hour in (8, 9, 10):
        write_hour(tmp_path, hour, minute=20)
    facts = covered(tmp_path, at(8, 40), at(10, 10))
    assert cells(facts) == dict.fromkeys((8, 9, 10), ("seen", "records"))
    assert facts.tables[EVENTS]["rows"] == 1
    assert facts.window["start"] == "2026-11-02T08:40:00Z"


def test_a_window_of_centuries_is_judged_as_fast_as_a_day(tmp_path: Path) -> None:
    write_hour(tmp_path, 10)
    first, last = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
    facts = covered(tmp_path, first, last)
    assert [(gap["start"], gap["end"]) for gap in facts.gaps] == [(first, at(10)), (at(11), last)]


def test_what_was_left_out_when_the_logs_were_read_is_not_called_quiet(tmp_path: Path) -> None:
    chain(tmp_path / "logs")
    ingest(Store(tmp_path / "store", create=True), [tmp_path / "logs"], window=Window(at(10), at(14)))
    with opening.open(store=tmp_path / "store") as audit:
        assert set(cells(audit.coverage(since=at(8), until=at(10))).values()) == {("missing", "left out")}
        assert audit.coverage().judged == {"start": "2026-11-02T10:00:00Z", "end": "2026-11-02T14:00:00Z"}
        assert cells(audit.coverage())[12] == SEEN


def test_nothing_at_all_has_no_hours(tmp_path: Path) -> None:
    facts = covered(tmp_path)
    assert (facts.judged, facts.hours, facts.gaps) == ({"start": None, "end": None}, {}, [])


# --- files that could not be read --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [b"\x1f\x8b\x08\x00cut", trail(record("good"), "no record")],
    ids=["whole", "in part"],  # type: ignore[arg-type]
)
def test_a_file_that_could_not_be_read_makes_its_hour_quarantined(tmp_path: Path, text: bytes) -> None:
    chain(tmp_path)
    bad = tmp_path / trail_key(at(10, 35))
    bad.write_bytes(text)
    write_hour(tmp_path, 10, minute=10)  # wins over what was seen besides
    facts = covered(tmp_path, at(8), at(16))
    assert cells(facts)[10] == ("quarantined", "file")
    assert files_of(facts, "file") == [[bad.name.removesuffix(".gz")]]
    assert facts.gaps == []


def test_an_unreadable_file_whose_name_says_no_hour_is_told(tmp_path: Path) -> None:
    write_hour(tmp_path, 10)
    (tmp_path / "renamed.json.gz").write_bytes(b"\x1f\x8b\x08\x00cut")
    facts = covered(tmp_path)
    assert facts.hours[EVENTS]["quarantined"] == 0
    assert "1 quarantined file could belong to any hour: the name says none." in facts.unknown


def test_an_unreadable_file_alone_still_bounds_the_window(tmp_path: Path) -> None:
    bad = tmp_path / trail_key(at(10, 35))
    bad.parent.mkdir(parents=True)
    bad.write_bytes(b"\x1f\x8b\x08\x00cut")
    assert cells(covered(tmp_path)) == {10: ("quarantined", "file")}


# --- flow records ------------------------------------------------------------------------------------------------------


def test_flow_records_of_version_2_are_told_apart_by_the_region_in_their_path(tmp_path: Path) -> None:
    write_flow_hour(tmp_path, 8)
    write_flow_hour(tmp_path, 9, "NODATA")
    write_flow_hour(tmp_path, 11)
    write_flow_hour(tmp_path, 10, region=SECOND)
    facts = covered(tmp_path)
    found = {8: ("seen", "records"), 9: ("quiet", "NODATA"), 10: ("missing", "nothing"), 11: ("seen", "records")}
    assert cells(facts, FLOWS) == found
    assert cells(facts, FLOWS, region=SECOND)[10] == ("seen", "records")
    assert "flow_records" not in {gap["table"] for gap in facts.gaps if gap["proof"] != "nothing"}


def test_flow_records_whose_region_nothing_tells_have_none(tmp_path: Path) -> None:
    write_flows(tmp_path / "flows.log", flow_line())
    facts = covered(tmp_path)
    assert cells(facts, FLOWS, region=None) == {10: ("seen", "records")}
    assert any("their region is shown as -" in text for text in facts.unknown)


def test_lost_flow_records_make_an_hour_blind_and_every_hour_they_touch(tmp_path: Path) -> None:
    write_flow_hour(tmp_path, 8)
    write_flow_hour(tmp_path, 10)
    start = int(at(8, 50).timestamp())
    lost = f"2 {ACCOUNT} eni-1 - - - - - - - {start} {start + 7_800} - SKIPDATA"  # 8:50 to 11:00
    name = f"{ACCOUNT}_vpcflowlogs_{REGION}_fl-0a_20261102T1055Z_0a1b.log.gz"
    write_flows(tmp_path / name, lost, lost.replace("eni-1", "eni-2"))
    for since in (None, at(9)):  # the second: an interval that begins before the window
        facts = covered(tmp_path, since, at(12))
        found = cells(facts, FLOWS)
        assert [hour for hour in found if found[hour] == ("blind", "SKIPDATA")] == [8, 9, 10][since is not None :]
    blind = [span for span in covered(tmp_path).spans.to_pylist() if span["state"] == "blind"]
    assert [(span["hours"], span["records"], span["blind_s"]) for span in blind] == [(3, 2, 2 * 7_800)]


# --- what is expected --------------------------------------------------------------------------------------------------


def test_an_account_that_is_expected_and_was_never_seen_is_missing_wherever_others_are(tmp_path: Path) -> None:
    write_hour(tmp_path, 10)
    write_hour(tmp_path, 10, region=SECOND)
    write_flow_hour(tmp_path, 10)
    facts = covered(tmp_path, accounts=[OTHER])
    never = {(gap["table"], gap["account_id"], gap["region"]) for gap in facts.gaps if gap["proof"] == "never seen"}
    assert never == {(EVENTS, OTHER, REGION), (EVENTS, OTHER, SECOND), (FLOWS, OTHER, REGION)}
    assert cells(facts) == {10: ("seen", "records")}


def test_a_region_that_is_expected_is_crossed_with_the_accounts_that_are_known(tmp_path: Path) -> None:
    write_hour(tmp_path, 10)
    facts = covered(tmp_path, regions=[SECOND, REGION])
    assert cells(facts, region=SECOND) == {10: ("missing", "never seen")}  # and not quiet: the trail may not be there
    both = covered(tmp_path, accounts=[OTHER], regions=[SECOND])
    assert [(gap["account_id"], gap["region"]) for gap in both.gaps] == [(OTHER, SECOND)]


def test_an_account_expected_of_logs_that_are_empty_is_missing_in_the_window(tmp_path: Path) -> None:
    facts = covered(tmp_path, at(8), at(10), accounts=[OTHER])
    assert cells(facts, account=OTHER, region=None) == dict.fromkeys((8, 9), ("missing", "never seen"))


@pytest.mark.parametrize("expected", [{"accounts": ["1234"]}, {"regions": ["Frankfurt"]}])
def test_what_is_no_account_and_no_region_is_refused(tmp_path: Path, expected: dict[str, list[str]]) -> None:
    write_hour(tmp_path, 10)
    with pytest.raises(ParameterError, match="is not"):
        covered(tmp_path, **expected)


def test_the_hours_that_digests_only_begin_to_tell_of_do_not_count_as_missing(tmp_path: Path) -> None:
    for hour in range(7, 11):  # from 7:01 to 11:01
        write_digest(tmp_path, hour)
    assert cells(covered(tmp_path)) == dict.fromkeys((8, 9), ("quiet", "digest"))
