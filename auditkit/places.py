"""Where an address is: in a network that somebody named, inside AWS, in a private network, or somewhere out there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from auditkit.addresses import address_of, is_public
from auditkit.geoip import NOWHERE, GeoIP
from auditkit.networks import Networks, word_for

PlaceKind = Literal["named", "aws_service", "aws_internal", "private", "public", "unknown"]
CACHED = 65_536  # texts whose places are kept: the same ones come again and again

_SERVICE = re.compile(r"[a-z0-9][a-z0-9.-]*\.amazonaws\.com(?:\.cn)?", re.ASCII)
_INTERNAL = re.compile(r"AWS Internal(?:/[0-9]+)?", re.ASCII)
_WORDS = {"aws_internal": "AWS internal", "private": "private", "unknown": "not an address"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is known of one address. Names are as hostile as the files that they come from."""

    kind: PlaceKind
    name: str | None = None  # of the network, or of the AWS service
    network_kind: str | None = None  # what the network is: `office`, `vpn`, …
    cidr: str | None = None  # the network that the name is of
    trusted: bool = False  # whether one's own people and programs work from there
    country: str | None = None  # ISO 3166-1, two letters
    country_name: str | None = None
    owner: str | None = None  # the organization behind the autonomous system
    asn: int | None = None

    @property
    def label(self) -> str:
        """A few words for a cell: `office (Berlin)`, `NL, Example Hosting AS64500`, `AWS service ecs.amazonaws.com`."""
        if self.kind == "named":
            return f"{word} ({self.name})" if (word := self._word) else self.name or ""
        if self.kind == "aws_service":
            return f"AWS service {self.name}"
        if self.kind == "public":
            system = f"AS{self.asn}" if self.asn is not None else None
            owner = " ".join(filter(None, (self.owner, system)))
            return ", ".join(filter(None, (self.country, owner))) or "public"
        return _WORDS[self.kind]

    @property
    def in_words(self) -> str:
        """What a sentence can say behind the address, `office Berlin`; nothing where the address says as much."""
        if self.kind == "named":
            return f"{self._word} {self.name}".strip()
        return self.label if self.country or self.owner or self.asn is not None else ""

    @property
    def _word(self) -> str:
        return word_for(self.network_kind or "other", self.name or "")


_UNKNOWN, _PRIVATE, _PUBLIC = Place(kind="unknown"), Place(kind="private"), Place(kind="public")
_INTERNALLY = Place(kind="aws_internal")


class Places:
    """Places of whatever stands in a log where an address would: `source_ip`, `srcaddr`, `dstaddr`.

    Without networks and without geoip, services, private and public addresses are told apart, and no more.
    """

    def __init__(self, networks: Networks | None = None, geoip: GeoIP | None = None) -> None:
        self.networks, self.geoip = networks, geoip
        self._of = lru_cache(CACHED)(self._place)

    @classmethod
    def read(cls, networks: str | Path | None = None, geoip: Sequence[str | Path] | str | Path = ()) -> Places:
        """Places by these files. Raises: ParameterError, for a file that cannot be read, and without maxminddb."""
        files = [geoip] if isinstance(geoip, str | Path) else geoip
        return cls(
            Networks.read(Path(networks)) if networks else None,
            GeoIP.read([Path(file) for file in files]) if files else None,
        )

    def __bool__(self) -> bool:
        """Whether they say more than the addresses themselves do."""
        return self.networks is not None or self.geoip is not None

    @property
    def networks_file(self) -> str:
        """The absolute path of the networks.toml; empty text without one."""
        return str(self.networks.path) if self.networks and self.networks.path else ""

    @property
    def geoip_files(self) -> tuple[str, ...]:
        """The absolute paths of the MaxMind files."""
        return tuple(map(str, self.geoip.paths)) if self.geoip else ()

    def of(self, text: str | None) -> Place:
        """The place of *text*; of what is no address, `unknown`. Raises: SourceError, for a damaged MaxMind file."""
        return self._of(text) if text else _UNKNOWN

    def labels(self, texts: Iterable[str | None]) -> tuple[str, ...]:
        """The label of each of *texts*, in their order; nothing at all, when there are no files to say more."""
        return tuple(self.of(text).label for text in texts) if self else ()

    def trusted(self, texts: Sequence[str]) -> tuple[str, ...]:
        """The trusted networks that *texts* lie in, by label, sorted; none, unless every single one lies in one."""
        if not self.networks:
            return ()
        found = [self.of(text) for text in texts]
        return tuple(sorted({place.label for place in found})) if all(place.trusted for place in found) else ()

    def _place(self, text: str) -> Place:
        address = address_of(text)
        if address is None:
            if _SERVICE.fullmatch(text):
                return Place(kind="aws_service", name=text)
            return _INTERNALLY if _INTERNAL.fullmatch(text) else _UNKNOWN
        named = self.networks.find(address) if self.networks else None
        out_there = is_public(address)
        if not named and not out_there:
            return _PRIVATE
        located = self.geoip.of(address) if self.geoip and out_there else NOWHERE
        if not named and located == NOWHERE:
            return _PUBLIC
        network, entry = named or (None, None)
        return Place(
            kind="named" if entry else "public",
            name=entry.name if entry else None,
            network_kind=entry.kind if entry else None,
            cidr=str(network) if network else None,
            trusted=entry.trusted if entry else False,
            country=located.country,
            country_name=located.country_name,
            owner=located.owner,
            asn=located.asn,
        )


NO_PLACES = Places()
