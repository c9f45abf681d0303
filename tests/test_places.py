"""Places: one answer for whatever stands in a log where an address would."""

from __future__ import annotations

import time
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.networks import Networks
from auditkit.places import NO_PLACES, Places
from tests.mmdb import OUTSIDE


@pytest.mark.parametrize(
    ("text", "kind", "label"),
    [
        ("192.0.2.10", "named", "office (Berlin)"),
        ("::ffff:192.0.2.10", "named", "office (Berlin)"),
        ("192.0.2.20", "named", "VPN (Berlin)"),
        ("192.0.2.200", "named", "documentation"),
        ("2001:db8:7::1%<script>", "named", "VPN (Berlin)"),
        (OUTSIDE, "public", "NL, Example Hosting AS64500"),
        ("198.51.100.200", "public", "Example Hosting AS64500"),
        ("203.0.113.1", "public", "public"),
        ("2001:db8::1", "public", "public"),
        ("10.1.2.3", "private", "private"),
        ("fe80::1%eth0", "private", "private"),
        ("169.254.170.2", "private", "private"),
        ("ecs.amazonaws.com", "aws_service", "AWS service ecs.amazonaws.com"),
        ("ecs.application-autoscaling.amazonaws.com", "aws_service", None),
        ("s3.amazonaws.com.cn", "aws_service", "AWS service s3.amazonaws.com.cn"),
        ("AWS Internal", "aws_internal", "AWS internal"),
        ("AWS Internal/3", "aws_internal", "AWS internal"),
        ("AWS Internal/", "unknown", "not an address"),
        ("ecs.amazonaws.com.evil.example", "unknown", "not an address"),
        ("<script>.amazonaws.com", "unknown", "not an address"),
        ("10.0.0.0/8", "unknown", "not an address"),
        ("-", "unknown", "not an address"),
        ("", "unknown", "not an address"),
        (None, "unknown", "not an address"),
    ],
)
def test_each_text_has_its_place(places: Places, text: str | None, kind: str, label: str | None) -> None:
    place = places.of(text)
    assert place.kind == kind
    assert label is None or place.label == label


def test_a_place_tells_all_that_is_known(places: Places) -> None:
    out_there, office = places.of(OUTSIDE), places.of("192.0.2.10")
    assert (out_there.country, out_there.country_name) == ("NL", "Netherlands")
    assert (out_there.owner, out_there.asn, out_there.trusted) == ("Example Hosting", 64500, False)
    assert (office.name, office.network_kind, office.cidr, office.trusted) == ("Berlin", "office", "192.0.2.0/25", True)
    assert office.country == "NL"  # the file knows the office's line, too


def test_no_file_is_asked_about_a_private_address(places: Places) -> None:
    assert places.of("10.1.2.3").country is None


@pytest.mark.parametrize(
    ("text", "words"),
    [("192.0.2.10", "office Berlin"), (OUTSIDE, "NL, Example Hosting AS64500"), ("192.0.2.200", "documentation")]
    + [(text, "") for text in ("10.1.2.3", "203.0.113.1", "AWS Internal", "ecs.amazonaws.com", "-")],
)
def test_a_sentence_says_only_what_the_address_does_not(places: Places, text: str, words: str) -> None:
    assert places.of(text).in_words == words


def test_without_files_what_an_address_says_itself_is_told_apart() -> None:
    texts = ("10.1.2.3", OUTSIDE, "ecs.amazonaws.com", "AWS Internal", "?")
    kinds = [NO_PLACES.of(text).kind for text in texts]
    assert kinds == ["private", "public", "aws_service", "aws_internal", "unknown"]
    assert NO_PLACES.labels(texts) == ()
    assert not NO_PLACES


def test_labels_keep_the_order(places: Places) -> None:
    assert places.labels([OUTSIDE, None, "192.0.2.10"]) == (
        *("NL, Example Hosting AS64500", "not an address", "office (Berlin)"),
    )


@pytest.mark.parametrize(
    ("texts", "trusted"),
    [
        (["192.0.2.10"], ("office (Berlin)",)),
        (["192.0.2.10", "192.0.2.11"], ("office (Berlin)",)),
        (["192.0.2.10", OUTSIDE], ()),
        (["192.0.2.10", "192.0.2.20"], ()),  # a network of its own, which is not trusted
        (["192.0.2.10", "AWS Internal"], ()),
        (["192.0.2.10", "10.0.0.1"], ()),
        ([], ()),
    ],
)
def test_addresses_are_trusted_when_every_one_is(places: Places, texts: list[str], trusted: tuple[str, ...]) -> None:
    assert places.trusted(texts) == trusted


def test_places_say_where_they_were_read_from(places: Places) -> None:
    assert Path(places.networks_file).is_absolute()
    assert [Path(file).name for file in places.geoip_files] == ["country.mmdb", "asn.mmdb"]
    assert (NO_PLACES.networks_file, NO_PLACES.geoip_files) == ("", ())


@given(st.text() | st.ip_addresses().map(str) | st.ip_addresses(v=6).map(lambda a: f"{a}%x"))
def test_nothing_is_without_a_place(text: str) -> None:
    for places in (NO_PLACES, Places(Networks())):
        assert places.of(text).label


def test_many_networks_take_no_longer_than_a_few(tmp_path: Path) -> None:
    entries = (f'[[network]]\nname = "n{n}"\ncidr = "198.18.{n // 64}.{n % 64 * 4}/30"\n' for n in range(5_000))
    (tmp_path / "networks.toml").write_text("\n".join(entries), encoding="utf-8")
    many, texts = Places.read(tmp_path / "networks.toml"), [str(IPv4Address(0xC6120000 + n)) for n in range(20_000)]
    started = time.perf_counter()
    assert {many.of(text).kind for text in texts} == {"named"}
    assert time.perf_counter() - started < 5  # it takes a tenth of a second; a search through all would take a minute
