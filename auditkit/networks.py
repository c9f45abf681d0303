"""networks.toml: the networks that somebody knows by name: offices, VPNs, partners, subnets."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from auditkit.addresses import Address, Net, Prefixes
from auditkit.errors import ParameterError

# As a reader is told of them; a name in brackets follows.
KINDS = {
    "office": "office",
    "vpn": "VPN",
    "home": "home",
    "partner": "partner",
    "cloud": "cloud",
    "subnet": "subnet",
    "other": "",
}
_KNOWN = {
    "name": "what people call the network, on one line",
    "cidr": "a network or an address, such as 192.0.2.0/25 or 192.0.2.10, or a list of them",
    "kind": f"one of {', '.join(KINDS)}",
    "trusted": "true, if your own people and programs work from there, or false",
    "owner": "who answers for it",
    "note": "what else a reader should know",
}
_NEEDED = ("name", "cidr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One `[[network]]`."""

    name: str
    networks: tuple[Net, ...]
    kind: str = "other"
    trusted: bool = False
    owner: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Networks:
    """The entries of a file, in its order. They may lie in each other: the smallest speaks for an address."""

    entries: tuple[Network, ...] = ()
    path: Path | None = None  # absolute

    @classmethod
    def read(cls, path: Path) -> Networks:
        """The entries of *path*. Raises: ParameterError, naming the file, the entry and what was expected."""
        try:
            written = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise ParameterError(f"{path} cannot be read: {error.strerror or error}.") from None
        except (ValueError, RecursionError) as error:
            raise ParameterError(f"{path} cannot be read as TOML: {error}") from None
        entries = written.pop("network", [])
        if written:
            raise ParameterError(
                f"{path} has an unknown key {sorted(written)[0]!r}. It holds [[network]] tables alone."
            )
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ParameterError(f"{path}: network is not a list of tables. Each entry begins with [[network]].")
        read = tuple(_entry(f"{path}, entry {n}", entry) for n, entry in enumerate(entries, start=1))
        _check_told_once(path, read)
        return cls(read, path.absolute())

    def find(self, address: Address) -> tuple[Net, Network] | None:
        """The smallest network that *address* lies in, and the entry that names it."""
        return self._prefixes.find(address)

    @cached_property
    def _prefixes(self) -> Prefixes[tuple[Net, Network]]:
        return Prefixes({network: (network, entry) for entry in self.entries for network in entry.networks})


def word_for(kind: str, name: str) -> str:
    """What to call a network of that *kind* beside its *name*; nothing where the name says it: `Berlin office`."""
    word = KINDS[kind]
    return "" if word.casefold() in name.casefold() else word


def _entry(where: str, given: Mapping[str, Any]) -> Network:
    for key in given:
        if key not in _KNOWN:
            close = get_close_matches(key, _KNOWN, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise ParameterError(f"{where} has an unknown key {key!r}.{hint} Known: {', '.join(_KNOWN)}.")
    for key in _NEEDED:
        if key not in given:
            raise ParameterError(f"{where} has no {key}. Add {key}: {_KNOWN[key]}.")
    for key in ("name", "kind", "owner", "note"):
        if key in given and not (isinstance(given[key], str) and given[key].strip()):
            raise ParameterError(f"{where}: {key} is {given[key]!r}, but text is expected: {_KNOWN[key]}.")
    if not given["name"].isprintable():
        raise ParameterError(f"{where}: name is {given['name']!r}, but {_KNOWN['name']} is expected.")
    if (kind := given.get("kind", "other")) not in KINDS:
        close = get_close_matches(kind.lower(), KINDS, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise ParameterError(f"{where}: kind is {kind!r}, but {_KNOWN['kind']} is expected.{hint}")
    if not isinstance(trusted := given.get("trusted", False), bool):
        raise ParameterError(f"{where}: trusted is {trusted!r}, but {_KNOWN['trusted']} is expected.")
    written = given["cidr"] if isinstance(given["cidr"], list) else [given["cidr"]]
    if not written:
        raise ParameterError(f"{where}: cidr is an empty list. Add to it: {_KNOWN['cidr']}.")
    networks = tuple(_network(where, text) for text in written)
    if trusted and not all(network.prefixlen for network in networks):
        raise ParameterError(f"{where} trusts every address there is. Name the networks that your people work from.")
    name = given["name"].strip()
    return Network(
        name=name, networks=networks, kind=kind, trusted=trusted, owner=given.get("owner"), note=given.get("note")
    )


def _network(where: str, text: Any) -> Net:
    expected = f"{where}: cidr is {text!r}, but {_KNOWN['cidr']} is expected."
    if not isinstance(text, str):  # ip_network takes a number for an address
        raise ParameterError(expected)
    try:
        return ip_network(text)
    except ValueError:
        try:
            meant = f" Did you mean {ip_network(text, strict=False)}?"
        except ValueError:
            meant = ""
        raise ParameterError(f"{expected}{meant}") from None


def _check_told_once(path: Path, entries: tuple[Network, ...]) -> None:
    names: dict[tuple[str, str], int] = {}
    numbers: dict[Net, int] = {}
    for number, entry in enumerate(entries, start=1):
        if (first := names.setdefault((entry.kind, entry.name), number)) != number:
            called = f"the same name and kind, {entry.name!r} and {entry.kind}"
            raise ParameterError(f"{path}: entries {first} and {number} have {called}. One entry takes a list as cidr.")
        for network in entry.networks:
            if network in numbers:
                raise ParameterError(
                    f"{path}: {network} is in entry {numbers[network]} and in entry {number}. Which of them is it?"
                    if numbers[network] != number
                    else f"{path}, entry {number}: {network} is there twice."
                )
            numbers[network] = number
