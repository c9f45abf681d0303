"""What an allowlist suppresses, what it must not, and what its entries say of themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.allowlist import Allowed, Allowlist, Entry, fits
from auditkit.errors import ParameterError
from tests.made_findings import made

TODAY = date(2026, 11, 3)
NEEDED = (
    'rule = "iam.user_created"\nreason = "The joiner script does this."\nowner = "platform"\nexpires = 2027-01-31\n'
)
VALID = f'[[allow]]\n{NEEDED}principal = "arn:aws:iam::111122223333:role/joiner"\n'

Read = Callable[[str], Allowlist]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def of(text: str) -> Allowlist:
        path = tmp_path / "allowlist.toml"
        path.write_text(text, encoding="utf-8")
        return Allowlist.read(path)

    return of


def entry(number: int = 1, **given: Any) -> Entry:
    usual = {"rule": "iam.user_created", "reason": "The joiner script does this.", "owner": "platform"}
    return Entry(number=number, **{**usual, "expires": date(2027, 1, 31), **given})


def applied(*entries: Entry, findings: list[Any], today: date = TODAY, rules: Any = None) -> Allowed:
    return Allowlist(entries).apply(findings, today=today, rules=rules)


def matches(given: dict[str, Any], **finding: Any) -> bool:
    return entry(**given).matches(made(**finding))


def test_a_file_is_read_in_its_order(read: Read) -> None:
    read_entries = read(VALID + "[[allow]]\n" + NEEDED + 'address = "192.0.2.0/24"\naccount = "111122223333"').entries
    assert [one.number for one in read_entries] == [1, 2]
    assert read_entries[1].as_json() == {
        "number": 2,
        "rule": "iam.user_created",
        "address": "192.0.2.0/24",
        "account": "111122223333",
        "reason": "The joiner script does this.",
        "owner": "platform",
        "expires": "2027-01-31",
    }


def test_an_empty_file_allows_nothing(read: Read) -> None:
    assert read("").entries == ()
    assert read("\ufeff# nothing yet\n").entries == ()  # as an editor on Windows leaves it


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[allow]", "allowlist.toml cannot be read as TOML: "),
        ("[[alow]]\n" + NEEDED, "unknown key 'alow'. It holds \\[\\[allow\\]\\] tables alone."),
        ("allow = 3", "allow is not a list of tables"),
        ("[allow]\n" + NEEDED, "Each entry begins with \\[\\[allow\\]\\]"),
        (VALID + "[[allow]]\n", "allowlist.toml, entry 2 has no rule. Add rule: the name of a rule"),
        (VALID.replace("owner", "oner"), "entry 1 has an unknown key 'oner'. Did you mean owner\\?"),
        (VALID.replace("expires = 2027-01-31\n", ""), "has no expires. Add expires: the last day"),
        (VALID.replace("2027-01-31", '"2027-01-31"'), "expires is '2027-01-31', but a date .* without quotes"),
        (VALID.replace("2027-01-31", "2027-01-31T00:00:00Z"), "expires is .*, but a date is expected"),
        (VALID.replace('"platform"', "7"), "owner is 7, but text is expected: who answers for it"),
        (VALID.replace('"platform"', '" "'), "owner is ' ', but text is expected"),
        (VALID.replace("The joiner script does this.", "ok"), "reason is 'ok', but a sentence is expected"),
        ("[[allow]]\n" + NEEDED, "allows all of iam.user_created. Add at least one of principal, resource"),
        ("[[allow]]\n" + NEEDED + "account = 111122223333", "account is 111122223333, but text .* in quotes"),
        ("[[allow]]\n" + NEEDED + 'account = "1111"', "account is '1111', but an account id of 12 digits"),
        ("[[allow]]\n" + NEEDED + 'address = "office"', "address is 'office', but an address or a network"),
        ("[[allow]]\n" + NEEDED + 'address = "192.0.2.7/24"', "Did you mean 192.0.2.0/24\\?"),
        (VALID.replace("iam.user_created", "*").replace("arn:aws:iam::111122223333:role/joiner", "*"), "fits every"),
        ("[[allow]]\n" + NEEDED.replace("iam.user_created", "*.*") + 'address = "0.0.0.0/0"', "fits every finding"),
        ("[[allow]]\n" + NEEDED.replace("iam.user_created", "*"), "allows all of \\*"),
    ],
)
def test_a_slip_is_told_where_it_is_and_what_was_expected(read: Read, text: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        read(text)


@pytest.mark.parametrize("name", ["gone.toml", "."])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ParameterError, match="cannot be read: "):
        Allowlist.read(tmp_path / name)


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "allowlist.toml").write_bytes(b"\xff\xfe[[allow]]")
    with pytest.raises(ParameterError, match="cannot be read as TOML"):
        Allowlist.read(tmp_path / "allowlist.toml")


@pytest.mark.parametrize(
    ("pattern", "text", "fit"),
    [
        ("ecs.*", "ecs.execute_command", True),
        ("ecs.*", "aecs.execute_command", False),
        ("ecs.*", "ecsx", False),
        ("*:role/deploy-?", "arn:aws:iam::111122223333:role/deploy-1", True),
        ("*:role/deploy-?", "arn:aws:iam::111122223333:role/deploy-12", False),
        ("role/Deploy", "role/deploy", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "acb", False),
        ("a*ab", "ab", False),  # what stands before a star and what stands after it cannot be the same text
        ("*a*", "a\nb", True),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("bob", "b*", False),  # what is wild in a name of the log is the name
        ("b.b", "bob", False),
        ("bob", "bob\n", False),
    ],
)
def test_only_stars_and_question_marks_are_wild(pattern: str, text: str, fit: bool) -> None:
    assert fits(pattern, text) is fit


def test_a_pattern_of_many_stars_does_not_take_for_ever() -> None:
    assert not fits("*a" * 40 + "b", "a" * 5_000)


@given(st.text("ab*?", max_size=6), st.text("ab\n*", max_size=8))
def test_patterns_mean_what_the_plain_definition_says(pattern: str, text: str) -> None:
    def plain(p: str, t: str) -> bool:
        if not p:
            return not t
        if p[0] == "*":
            return plain(p[1:], t) or (t != "" and plain(p, t[1:]))
        return t != "" and p[0] in ("?", t[0]) and plain(p[1:], t[1:])

    assert fits(pattern, text) is plain(pattern, text)


def test_every_key_that_is_given_has_to_fit() -> None:
    alice, bob = "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:user/bob"
    finding = {"rule": "iam.user_created", "principal_arn": alice, "resource": "carol"}
    assert matches({"principal": alice}, **finding)
    assert matches({"principal": alice, "resource": "car*", "account": "111122223333"}, **finding)
    assert not matches({"principal": bob}, **finding)
    assert not matches({"principal": alice, "resource": "dave"}, **finding)
    assert not matches({"principal": alice, "account": "444455556666"}, **finding)
    assert not matches({"principal": alice, "rule": "iam.mfa_deactivated"}, **finding)


def test_findings_without_a_principal_are_allowed_by_resource_or_address() -> None:
    flows = {"rule": "network.rejected_egress", "principal_arn": None, "resource": "i-0a", "source_ips": ["10.0.0.7"]}
    assert matches({"rule": "network.*", "resource": "i-0a"}, **flows)
    assert matches({"rule": "network.*", "address": "10.0.0.0/8"}, **flows)
    assert not matches({"rule": "network.*", "principal": "*"}, **flows)


def test_an_address_covers_a_finding_only_when_all_of_its_addresses_are_inside() -> None:
    office = {"address": "192.0.2.0/24"}
    assert matches(office, source_ips=["192.0.2.1", "192.0.2.255", "::ffff:192.0.2.9"])
    assert not matches(office, source_ips=["192.0.2.1", "198.51.100.7"])
    assert not matches(office, source_ips=["192.0.2.1", "ecs.amazonaws.com"])
    assert not matches(office, source_ips=[])
    assert matches({"address": "2001:db8::/32"}, source_ips=["2001:DB8::1"])
    assert not matches({"address": "::/0"}, source_ips=["192.0.2.1"])


def test_an_entry_for_a_resource_does_not_hide_what_sums_up_several() -> None:
    allowed = applied(entry(resource="bob"), findings=[made(resource=None)])
    assert len(allowed.findings) == 1
    assert [notice.kind for notice in allowed.notices] == ["unused"]
    assert "1 finding would fit if a single resource were named" in allowed.notices[0].text


def test_an_entry_that_fits_some_addresses_says_which_it_does_not() -> None:
    found = made(source_ips=["192.0.2.1", "198.51.100.7"])
    allowed = applied(entry(address="192.0.2.0/24"), findings=[found])
    assert allowed.findings == [found]
    assert allowed.notices[0].text.endswith("1 finding would fit if every address did; outside: 198.51.100.7.")


def test_the_first_entry_that_holds_takes_a_finding_and_later_ones_are_not_called_unused() -> None:
    first, second = entry(1, resource="b*"), entry(2, resource="bob")
    allowed = applied(first, second, findings=[made(resource="bob")])
    assert [one.entry for one in allowed.suppressed] == [first]
    assert allowed.notices == []


def test_an_expired_entry_suppresses_nothing_and_says_what_it_would_have() -> None:
    found = made(resource="bob")
    over = entry(1, resource="bob", expires=date(2026, 11, 2))
    allowed = applied(over, findings=[found])
    assert allowed.findings == [found]
    assert allowed.notices[0].kind == "expired"
    assert allowed.notices[0].finding_ids == (found.id,)
    assert "expired on 2026-11-02, so 1 finding is no longer suppressed" in allowed.notices[0].text
    renewed = applied(over, entry(2, resource="bob"), findings=[found])
    assert [one.entry.number for one in renewed.suppressed] == [2]
    assert renewed.notices[0].finding_ids == ()
    assert "nothing fits it any more" in applied(over, findings=[]).notices[0].text


@pytest.mark.parametrize(
    ("today", "kinds", "said"),
    [
        (date(2027, 1, 16), [], ""),
        (date(2027, 1, 17), ["expiring"], "ends in 14 days; then 1 finding will be shown again."),
        (date(2027, 1, 31), ["expiring"], "ends today"),
        (date(2027, 2, 1), ["expired"], "expired on 2027-01-31"),
    ],
)
def test_an_entry_holds_through_its_last_day_and_says_so_before(today: date, kinds: list[str], said: str) -> None:
    allowed = applied(entry(resource="bob"), findings=[made(resource="bob")], today=today)
    assert [notice.kind for notice in allowed.notices] == kinds
    assert said in "".join(notice.text for notice in allowed.notices)
    assert len(allowed.suppressed) == (kinds != ["expired"])


def test_an_entry_that_fits_nothing_is_reported_and_a_rule_that_does_not_exist_is_named() -> None:
    rules = ["iam.user_created", "ecs.execute_command"]
    unused = applied(entry(resource="bob"), findings=[made(resource="eve")], rules=rules).notices
    assert [notice.text.split(" fits ")[1] for notice in unused] == [
        "no finding of this run. Is it still needed, and spelled as the finding is?"
    ]
    slip = applied(entry(rule="iam.user_creatd", resource="bob"), findings=[], rules=rules).notices
    assert slip[0].text.endswith("is for a rule that does not exist. Did you mean iam.user_created?")


def test_what_is_suppressed_is_told_with_the_entry_that_did_it() -> None:
    allowed = applied(entry(resource="bob"), findings=[made(resource="bob")])
    told = allowed.suppressed[0].as_json()
    assert (told["resource"], told["allowed_by"]["owner"]) == ("bob", "platform")
    over = applied(entry(resource="bob", expires=date(2026, 1, 1)), findings=[made(resource="bob")]).notices[0]
    assert over.as_json()["entry"]["expires"] == "2026-01-01"
    assert over.as_json()["findings"] == list(over.finding_ids)


ENTRIES = st.builds(
    entry,
    rule=st.sampled_from(["iam.*", "iam.user_created", "*", "ecs.?xecute_command"]),
    resource=st.sampled_from([None, "bob", "b*", "*"]),
    address=st.sampled_from([None, "192.0.2.0/24", "192.0.2.1"]),
    expires=st.dates(date(2026, 10, 1), date(2026, 12, 31)),
)
FINDINGS = st.builds(
    made,
    rule=st.sampled_from(["iam.user_created", "ecs.execute_command"]),
    resource=st.sampled_from([None, "bob", "b*", "eve"]),
    source_ips=st.lists(st.sampled_from(["192.0.2.1", "192.0.2.2", "198.51.100.7", "AWS Internal"]), unique=True),
)


@given(st.lists(ENTRIES, max_size=5), st.lists(FINDINGS, max_size=8))
def test_every_finding_stays_or_is_suppressed_by_the_first_that_may(entries: list[Entry], findings: list[Any]) -> None:
    numbered = [replace(one, number=number) for number, one in enumerate(entries, start=1)]
    allowed = applied(*numbered, findings=findings)
    taken = [next((e for e in numbered if e.matches(f) and e.expires >= TODAY), None) for f in findings]
    assert allowed.findings == [f for f, by in zip(findings, taken, strict=True) if by is None]
    assert [(one.finding, one.entry) for one in allowed.suppressed] == [
        (f, by) for f, by in zip(findings, taken, strict=True) if by
    ]
    unused = {e.number for e in numbered if e.expires >= TODAY and not any(map(e.matches, findings))}
    assert {n.entry.number for n in allowed.notices if n.kind == "unused"} == unused
    assert {n.entry.number for n in allowed.notices if n.kind == "expired"} == {
        e.number for e in numbered if e.expires < TODAY
    }
