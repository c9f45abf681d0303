"""networks.toml: what it may say, and that a slip in it is told with what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditkit.addresses import address_of
from auditkit.errors import ParameterError
from auditkit.networks import KINDS, Networks, word_for
from tests.mmdb import COMPANY


def read(path: Path, text: str) -> Networks:
    file = path / "networks.toml"
    file.write_text(text, encoding="utf-8")
    return Networks.read(file)


def slip(path: Path, text: str) -> str:
    with pytest.raises(ParameterError) as caught:
        read(path, text)
    assert str(path / "networks.toml") in str(caught.value)
    return str(caught.value)


def entry(**given: str) -> str:
    values = {"name": '"Berlin"', "cidr": '"192.0.2.0/25"', **given}
    return "[[network]]\n" + "".join(f"{key} = {value}\n" for key, value in values.items() if value)


@pytest.mark.parametrize(
    ("address", "cidr", "kind"),
    [
        ("192.0.2.10", "192.0.2.0/25", "office"),
        ("192.0.2.20", "192.0.2.20/32", "vpn"),
        ("192.0.2.127", "192.0.2.0/25", "office"),
        ("192.0.2.128", "192.0.2.0/24", "other"),
        ("2001:db8:7:ffff::1", "2001:db8:7::/48", "vpn"),
    ],
)
def test_the_smallest_network_names_an_address(tmp_path: Path, address: str, cidr: str, kind: str) -> None:
    where = address_of(address)
    assert where
    found = read(tmp_path, COMPANY).find(where)
    assert found
    assert (str(found[0]), found[1].kind) == (cidr, kind)


@pytest.mark.parametrize("address", ["192.0.3.1", "198.51.100.7", "2001:db8:8::1", "::1"])
def test_other_addresses_have_no_name(tmp_path: Path, address: str) -> None:
    where = address_of(address)
    assert where
    assert read(tmp_path, COMPANY).find(where) is None


def test_an_entry_is_read_as_written(tmp_path: Path) -> None:
    office, vpn, other = read(tmp_path, COMPANY).entries
    assert (office.name, office.trusted, office.owner, office.note) == (
        *("Berlin", True, "it@example.com", "the line of 2024"),
    )
    assert [str(network) for network in vpn.networks] == ["192.0.2.20/32", "2001:db8:7::/48"]
    assert (vpn.trusted, other.kind, other.owner) == (False, "other", None)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert len(read(tmp_path, "\ufeff" + COMPANY).entries) == 3


def test_an_empty_file_names_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "").entries == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (entry(name=""), "entry 1 has no name. Add name"),
        (entry(cidr=""), "entry 1 has no cidr. Add cidr"),
        (entry(trustd="true"), "unknown key 'trustd'. Did you mean trusted?"),
        (entry(name='" "'), "name is ' ', but text is expected"),
        (entry(name='"a\\nb"'), "on one line is expected"),
        (entry(name='"a\\u001b[31m"'), "on one line is expected"),
        (entry(name="7"), "name is 7, but text is expected"),
        (entry(kind='"Office"'), "kind is 'Office', but one of office, vpn, home"),
        (entry(kind='"Office"'), "Did you mean office?"),
        (entry(trusted='"yes"'), "trusted is 'yes', but true"),
        (entry(owner="[]"), "owner is [], but text is expected"),
        (entry(cidr='"192.0.2.10/25"'), "Did you mean 192.0.2.0/25?"),
        (entry(cidr='"192.0.2"'), "cidr is '192.0.2', but a network or an address"),
        (entry(cidr="3221225985"), "cidr is 3221225985, but a network or an address"),
        (entry(cidr="[]"), "cidr is an empty list"),
        (entry(cidr='["192.0.2.0/25", 7]'), "cidr is 7, but"),
        (entry(cidr='["192.0.2.1", "192.0.2.1/32"]'), "192.0.2.1/32 is there twice"),
        (entry(cidr='"0.0.0.0/0"', trusted="true"), "trusts every address there is"),
        (entry(cidr='["192.0.2.0/25", "::/0"]', trusted="true"), "trusts every address there is"),
        (entry() + entry(cidr='"192.0.2.128/25"'), "entries 1 and 2 have the same name and kind, 'Berlin' and other"),
        (entry() + entry(name='"Rome"'), "192.0.2.0/25 is in entry 1 and in entry 2"),
        ("network = 7", "network is not a list of tables. Each entry begins with [[network]]"),
        ("[network]\nname = 'a'", "network is not a list of tables"),
        ("[[networks]]\nname = 'a'", "unknown key 'networks'"),
        ("[[network]", "cannot be read as TOML"),
    ],
)
def test_a_slip_is_told(tmp_path: Path, text: str, said: str) -> None:
    assert said in slip(tmp_path, text)


def test_the_slip_of_a_later_entry_names_that_entry(tmp_path: Path) -> None:
    assert "networks.toml, entry 2: cidr is 'x'" in slip(tmp_path, entry() + entry(name='"Rome"', cidr='"x"'))


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="cannot be read: No such file"):
        Networks.read(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'[[network]]\nname = "K\xf6ln"\n')
    with pytest.raises(ParameterError, match="cannot be read as TOML"):
        Networks.read(tmp_path / "latin.toml")


def test_every_address_may_have_a_name_that_is_not_trusted(tmp_path: Path) -> None:
    where = address_of("203.0.113.1")
    assert where
    assert read(tmp_path, entry(name='"anywhere"', cidr='"0.0.0.0/0"')).find(where)


@pytest.mark.parametrize(
    ("kind", "name", "word"),
    [
        *[("office", "Berlin", "office"), ("vpn", "Berlin", "VPN"), ("other", "Berlin", "")],
        *[("office", "Berlin Office", ""), ("vpn", "vpn of the staff", "")],
    ],
)
def test_a_kind_is_not_said_twice(kind: str, name: str, word: str) -> None:
    assert word_for(kind, name) == word
    assert kind in KINDS
