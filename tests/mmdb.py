"""What addresses are called, as tests need it: a networks.toml, and MaxMind files that are made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from auditkit.places import Places

COMPANY = """
[[network]]
name = "Berlin"
cidr = "192.0.2.0/25"
kind = "office"
trusted = true
owner = "it@example.com"
note = "the line of 2024"

[[network]]
name = "Berlin"
cidr = ["192.0.2.20", "2001:db8:7::/48"]
kind = "vpn"

[[network]]
name = "documentation"
cidr = "192.0.2.0/24"
"""
OUTSIDE = "198.51.100.7"

NETHERLANDS = {"country": {"iso_code": "NL", "names": {"de": "Niederlande", "en": "Netherlands"}}}
HOSTING = {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Hosting"}


def write_mmdb(path: Path, records: dict[str, Any], *, kind: str = "GeoLite2-Country", version: int = 6) -> Path:
    """A file of that *kind* that has a record for each network."""
    writer = MMDBWriter(version, kind, ipv4_compatible=version == 6)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """The networks of COMPANY; 198.51.100.0/25 in the Netherlands, all of 198.51.100.0/24 with Example Hosting."""
    folder = tmp_path_factory.mktemp("places")
    (folder / "networks.toml").write_text(COMPANY, encoding="utf-8")
    record = {"198.51.100.0/25": NETHERLANDS, "192.0.2.0/24": NETHERLANDS, "10.0.0.0/8": NETHERLANDS}
    countries = write_mmdb(folder / "country.mmdb", record)
    systems = write_mmdb(folder / "asn.mmdb", {"198.51.100.0/24": HOSTING}, kind="GeoLite2-ASN")
    return Places.read(folder / "networks.toml", [countries, systems])
