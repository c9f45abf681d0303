"""Country and owner of an address, from MaxMind files on this machine; nothing is ever fetched.

The files are read with maxminddb, the reader that MaxMind's geoip2 stands on. geoip2 itself refuses the files of other
providers, and brings along two web clients, which nothing here needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from auditkit.addresses import Address
from auditkit.errors import ParameterError, SourceError

if TYPE_CHECKING:
    import maxminddb

LOOKED_AT = 1_000  # records at the start of a file, of which one must say something
LONGEST = 100  # characters of a name; a longer one is a mistake, or made to hide what stands behind it

_COUNTRY = re.compile(r"[A-Z]{2}")
_ASN = re.compile(r"(?:AS)?(\d{1,10})", re.IGNORECASE | re.ASCII)


class Located(NamedTuple):
    """What files say of one address."""

    country: str | None = None  # ISO 3166-1, two letters
    country_name: str | None = None  # in English
    owner: str | None = None  # the organization behind the autonomous system
    asn: int | None = None

    def filled_from(self, other: Located) -> Located:
        """What is known here, and of the rest what *other* knows."""
        land = self if self.country else other
        # whole, or the number that one file has would stand beside the owner that another has
        system = self if self.owner or self.asn is not None else other
        return Located(land.country, land.country_name, system.owner, system.asn)


NOWHERE = Located()


@dataclass(frozen=True)
class GeoIP:
    """MaxMind files: of countries or cities, of autonomous systems, or of both in one. The first that knows speaks."""

    paths: tuple[Path, ...]  # absolute
    _readers: tuple[maxminddb.Reader, ...]

    @classmethod
    def read(cls, paths: Sequence[Path]) -> GeoIP:
        """Raises: ParameterError, without maxminddb, and for a file that is not there, no MaxMind file, or says nothing
        of countries and owners.
        """
        return cls(tuple(path.absolute() for path in paths), tuple(map(_reader, paths)))

    def of(self, address: Address) -> Located:
        """What the files say of *address*. Raises: SourceError, when one of them turns out to be damaged."""
        found = NOWHERE
        for path, reader in zip(self.paths, self._readers, strict=True):
            if address.version == 6 and reader.metadata().ip_version == 4:
                continue
            try:
                # a zone is nothing that a file knows of
                record = reader.get(IPv6Address(int(address)) if address.version == 6 else address)
            except Exception as error:
                raise SourceError(f"{path} is damaged: {error}. Get another copy of it.") from None
            if isinstance(record, Mapping):
                found = found.filled_from(_located(record))
        return found


def _reader(path: Path) -> maxminddb.Reader:
    try:
        import maxminddb
    except ModuleNotFoundError as error:
        if error.name != "maxminddb":
            raise
        raise ParameterError("MaxMind files are read by maxminddb: pip install 'auditkit-aws[geoip]'.") from None
    try:
        reader = maxminddb.open_database(path)
        beginning = [record for _, record in islice(reader, LOOKED_AT)]
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {error.strerror or error}.") from None
    except Exception:  # whatever the bytes make the reader stumble over
        raise ParameterError(
            f"{path} is no MaxMind file, or a damaged one. A file ending in .mmdb is expected."
        ) from None
    if not any(isinstance(record, Mapping) and any(_located(record)) for record in beginning):
        kind = reader.metadata().database_type
        keys = sorted({str(key) for record in beginning if isinstance(record, Mapping) for key in record})
        raise ParameterError(
            f"{path} says nothing of countries or owners of networks. It calls itself {kind!r} and has "
            f"{', '.join(keys[:8]) or 'no records'}; a file of countries, cities or ASNs is expected."
        )
    return reader


def _located(record: Mapping[str, Any]) -> Located:
    """In MaxMind's fields, or in the flat ones of other providers: `country_code`, `asn`, `as_name`."""
    country = record.get("country") or record.get("registered_country")
    if isinstance(country, Mapping):
        names = country.get("names")
        code, name = country.get("iso_code"), names.get("en") if isinstance(names, Mapping) else None
    else:
        code, name = record.get("country_code") or country, record.get("country_name")
        if "country_code" in record:
            name = name or country
    number = record.get("autonomous_system_number", record.get("asn"))
    match = _ASN.fullmatch(str(number))
    owner = record.get("autonomous_system_organization") or record.get("as_name")
    is_code = isinstance(code, str) and _COUNTRY.fullmatch(code)
    return Located(
        code if is_code else None, _line(name) if is_code else None, _line(owner), int(match[1]) if match else None
    )


def _line(text: Any) -> str | None:
    """Text on one line, and no longer than it should be; None for all else."""
    if not isinstance(text, str) or not (line := " ".join(text.split())):
        return None
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
