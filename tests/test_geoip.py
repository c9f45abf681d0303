"""MaxMind files: what they say, whoever made them, and what is said of those that say nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from auditkit.addresses import address_of
from auditkit.errors import ParameterError, SourceError
from auditkit.geoip import LONGEST, NOWHERE, GeoIP, Located
from tests.mmdb import HOSTING, NETHERLANDS, write_mmdb

NETWORK, INSIDE, OUTSIDE = "198.51.100.0/24", "198.51.100.7", "203.0.113.7"


def located(geoip: GeoIP, text: str = INSIDE) -> Located:
    address = address_of(text)
    assert address
    return geoip.of(address)


def of(path: Path, record: dict[str, Any], text: str = INSIDE, **how: Any) -> Located:
    return located(GeoIP.read([write_mmdb(path / "one.mmdb", {NETWORK: record}, **how)]), text)


@pytest.mark.parametrize(
    ("kind", "record", "expected"),
    [
        ("GeoLite2-Country", NETHERLANDS, Located("NL", "Netherlands")),
        ("GeoIP2-City", {**NETHERLANDS, "city": {"names": {"en": "Delft"}}}, Located("NL", "Netherlands")),
        ("DBIP-City-Lite", NETHERLANDS, Located("NL", "Netherlands")),
        ("GeoLite2-ASN", HOSTING, Located(None, None, "Example Hosting", 64500)),
        ("GeoIP2-Enterprise", NETHERLANDS | HOSTING, Located("NL", "Netherlands", "Example Hosting", 64500)),
        ("GeoLite2-Country", {"registered_country": NETHERLANDS["country"]}, Located("NL", "Netherlands")),
        ("GeoLite2-Country", {"country": {"iso_code": "NL"}}, Located("NL")),
        (
            "ipinfo bundle_location_lite.mmdb",
            {"country": "Netherlands", "country_code": "NL", "asn": "AS64500", "as_name": "Example Hosting"},
            Located("NL", "Netherlands", "Example Hosting", 64500),
        ),
        (
            "ipinfo generic_country_free.mmdb",
            {"country": "NL", "country_name": "Netherlands", "continent": "EU"},
            Located("NL", "Netherlands"),
        ),
        ("ours", {"asn": 64500}, Located(None, None, None, 64500)),
    ],
)
def test_the_fields_say_it_not_the_type(tmp_path: Path, kind: str, record: dict[str, Any], expected: Located) -> None:
    assert of(tmp_path, record, kind=kind) == expected
    assert of(tmp_path, record, OUTSIDE, kind=kind) == NOWHERE


def test_files_are_asked_in_order_and_fill_what_is_open(tmp_path: Path) -> None:
    other = {"country": {"iso_code": "DE", "names": {"en": "Germany"}}, "autonomous_system_number": 64501}
    countries = write_mmdb(tmp_path / "c.mmdb", {NETWORK: NETHERLANDS})
    systems = write_mmdb(tmp_path / "a.mmdb", {NETWORK: HOSTING}, kind="GeoLite2-ASN")
    both = write_mmdb(tmp_path / "b.mmdb", {NETWORK: other, "203.0.113.0/24": other}, kind="GeoIP2-Enterprise")
    all_of_it = Located("NL", "Netherlands", "Example Hosting", 64500)
    assert located(GeoIP.read([countries, systems, both])) == all_of_it
    assert located(GeoIP.read([systems, countries])) == all_of_it
    assert located(GeoIP.read([countries, both])) == Located("NL", "Netherlands", None, 64501)
    assert located(GeoIP.read([countries, systems, both]), OUTSIDE) == Located("DE", "Germany", None, 64501)


def test_the_number_of_one_file_is_not_given_the_owner_of_another(tmp_path: Path) -> None:
    number = write_mmdb(tmp_path / "n.mmdb", {NETWORK: {"autonomous_system_number": 64999}}, kind="x")
    system = write_mmdb(tmp_path / "a.mmdb", {NETWORK: HOSTING}, kind="GeoLite2-ASN")
    assert located(GeoIP.read([number, system])) == Located(None, None, None, 64999)


def test_both_kinds_of_addresses_are_looked_up(tmp_path: Path) -> None:
    file = write_mmdb(tmp_path / "c.mmdb", {NETWORK: NETHERLANDS, "2001:db8::/32": NETHERLANDS})
    for text in ("2001:db8::1", "::ffff:198.51.100.7", "2001:db8::1%eth0"):
        assert located(GeoIP.read([file]), text).country == "NL"


def test_a_file_of_ipv4_alone_knows_no_ipv6_address(tmp_path: Path) -> None:
    assert of(tmp_path, NETHERLANDS, version=4).country == "NL"
    assert of(tmp_path, NETHERLANDS, "2001:db8::1", version=4) == NOWHERE


@pytest.mark.parametrize(
    "record",
    [
        {"country": {"iso_code": "<b>", "names": {"en": "x"}}},
        {"country": {"iso_code": 7, "names": "Netherlands"}},
        {"country": 7, "asn": "AS-64500", "as_name": ["x"]},
        {"autonomous_system_number": "64500; DROP", "autonomous_system_organization": " \n "},
    ],
)
def test_a_value_of_another_shape_says_nothing(tmp_path: Path, record: dict[str, Any]) -> None:
    file = write_mmdb(tmp_path / "c.mmdb", {NETWORK: record, "203.0.113.0/24": NETHERLANDS})
    assert located(GeoIP.read([file])) == NOWHERE


def test_a_name_is_on_one_line_and_no_longer_than_it_should_be(tmp_path: Path) -> None:
    record = {"autonomous_system_organization": "a\n\tb " + "x" * 5_000}
    owner = of(tmp_path, record).owner
    assert owner is not None
    assert owner.startswith("a b xxx")
    assert len(owner) == LONGEST


def test_a_file_of_something_else_says_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(
        ParameterError, match=r"one\.mmdb says nothing of countries or owners.*'GeoIP2-Domain'.*domain;"
    ):
        of(tmp_path, {"domain": "example.com"}, kind="GeoIP2-Domain")


@pytest.mark.parametrize("cut", [0, 5, 40, -60, -1])
def test_what_is_no_maxmind_file_is_told(tmp_path: Path, cut: int) -> None:
    whole = write_mmdb(tmp_path / "c.mmdb", {NETWORK: NETHERLANDS}).read_bytes()
    (tmp_path / "cut.mmdb").write_bytes(whole[:cut])
    with pytest.raises(ParameterError, match=r"cut\.mmdb is no MaxMind file, or a damaged one"):
        GeoIP.read([tmp_path / "cut.mmdb"])


def test_a_text_file_and_a_missing_one_are_told(tmp_path: Path) -> None:
    (tmp_path / "c.mmdb").write_text("network,country\n" * 1_000)
    with pytest.raises(ParameterError, match="is no MaxMind file"):
        GeoIP.read([tmp_path / "c.mmdb"])
    with pytest.raises(ParameterError, match="cannot be read: No such file"):
        GeoIP.read([tmp_path / "none.mmdb"])


def test_damage_that_shows_later_is_told(tmp_path: Path) -> None:
    class Damaged:
        def metadata(self) -> Any:
            return type("Metadata", (), {"ip_version": 6})

        def get(self, address: object) -> None:
            raise ValueError("bad pointer")

    geoip = GeoIP((tmp_path / "c.mmdb",), (Damaged(),))  # type: ignore[arg-type]
    with pytest.raises(SourceError, match=r"c\.mmdb is damaged: bad pointer\. Get another copy"):
        located(geoip)


def test_without_the_reader_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(ParameterError, match=r"pip install 'auditkit-aws\[geoip\]'"):
        GeoIP.read([tmp_path / "c.mmdb"])
