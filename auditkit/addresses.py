"""Addresses as logs write them, and which of them belong to one place on the internet."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

# The same as in queries/: what is used again and again inside networks. Addresses set aside for documentation are not
# among them, as they are for Python's `is_global`, or no sample of a log could be told from a private network.
_INSIDE = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "ff00::/8"),
        ),
    )
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
    return not any(address in network for network in _INSIDE)
