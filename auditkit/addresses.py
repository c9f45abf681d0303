"""Addresses as logs write them, and which of them belong to one place on the internet."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Generic, TypeVar

Address = IPv4Address | IPv6Address
Net = IPv4Network | IPv6Network
Found = TypeVar("Found")


class Prefixes(Generic[Found]):
    """What belongs to networks, by address. Where networks lie in each other the smallest speaks.

    One look-up a length of prefix, not one a network: thousands of networks take no longer than a few.
    """

    def __init__(self, networks: Mapping[Net, Found]) -> None:
        by_length: dict[tuple[int, int], dict[int, Found]] = {}
        for network, found in networks.items():
            shift = network.max_prefixlen - network.prefixlen
            by_length.setdefault((network.version, shift), {})[int(network.network_address) >> shift] = found
        self._by_version = {
            version: [(shift, table) for (of, shift), table in sorted(by_length.items()) if of == version]
            for version in (4, 6)
        }

    def find(self, address: Address) -> Found | None:
        number = int(address)
        for shift, table in self._by_version[address.version]:
            if (found := table.get(number >> shift)) is not None:
                return found
        return None


# The same as in queries/: what is used again and again inside networks. Addresses set aside for documentation are not
# among them, as they are for Python's `is_global`, or no sample of a log could be told from a private network.
_INSIDE = Prefixes(
    {
        ip_network(text): True
        for text in (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "ff00::/8"),
        )
    }
)


@lru_cache(maxsize=65_536)
def address_of(text: str) -> Address | None:
    """The address that *text* is; None for all else that stands in `source_ip`: `AWS Internal`, `ecs.amazonaws.com`.

    An IPv4 address written as IPv6 (`::ffff:192.0.2.1`) is the IPv4 address.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=65_536)
def is_public(address: Address) -> bool:
    """Whether the internet knows *address* as one place; private and local ones are many."""
    return _INSIDE.find(address) is None
