"""Addresses as logs write them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.addresses import Address, Prefixes, address_of, is_public


@pytest.mark.parametrize("text", ["ecs.amazonaws.com", "AWS Internal", "", "-", "10.0.0.0/8", "1.2.3", "01.2.3.4", "7"])
def test_what_only_stands_where_an_address_would_is_none(text: str) -> None:
    assert address_of(text) is None


def test_one_address_has_one_form() -> None:
    assert address_of("2001:DB8:0:0::1") == address_of("2001:db8::1")
    assert address_of("::ffff:198.51.100.7") == address_of("198.51.100.7")


@pytest.mark.parametrize(
    ("text", "public"),
    [
        *[(text, True) for text in ("198.51.100.7", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1")],
        *[(text, False) for text in ("10.1.2.3", "172.31.0.1", "192.168.0.1", "100.64.0.1", "127.0.0.1", "0.0.0.0")],
        *[(text, False) for text in ("169.254.170.2", "224.0.0.1", "255.255.255.255")],
        *[(text, False) for text in ("::1", "::", "fd00::1", "fe80::1", "ff02::1", "::ffff:10.0.0.1")],
    ],
)
def test_public_is_what_the_internet_knows_as_one_place(text: str, public: bool) -> None:
    address = address_of(text)
    assert address
    assert is_public(address) is public


NETWORKS = st.lists(
    st.ip_addresses(network="10.0.0.0/28") | st.ip_addresses(v=6, network="2001:db8::/124"), max_size=12
)


@given(NETWORKS, st.data())
def test_the_smallest_network_speaks(addresses: list[Address], data: st.DataObject) -> None:
    """As a search through all of them finds it."""
    lengths = [data.draw(st.integers(a.max_prefixlen - 5, a.max_prefixlen)) for a in addresses]
    networks = [ip_network(f"{a}/{n}", strict=False) for a, n in zip(addresses, lengths, strict=True)]
    prefixes = Prefixes({network: str(network) for network in networks})
    for address in [*ip_network("10.0.0.0/27"), *ip_network("2001:db8::/123")]:
        around = [network for network in networks if address in network]
        smallest = max(around, key=lambda network: network.prefixlen, default=None)
        assert prefixes.find(address) == (str(smallest) if smallest else None)


def test_a_network_may_be_everything() -> None:
    everything = Prefixes({ip_network("0.0.0.0/0"): "all", ip_network("192.0.2.0/24"): "ours"})
    found = [everything.find(ip_address(text)) for text in ("192.0.2.1", "255.255.255.255", "0.0.0.0", "::1")]
    assert found == ["ours", "all", "all", None]
