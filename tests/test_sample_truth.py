"""The sample company's labels: who stood behind ten keys, and which rejects belong to which events."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from auditkit.audit import Audit
from auditkit.identity.hops import Identity
from auditkit.identity.lineage import Grants, lineage_of
from tests.conftest import DATA_SAMPLES

LABELS = yaml.safe_load((DATA_SAMPLES / "labels.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def grants(audit: Audit) -> Grants:
    return Grants.of(audit.ask("identity/grants").table, audit.ask("identity/identities").table)


@pytest.fixture(scope="module")
def links(audit: Audit) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = audit.ask("network/rejects_and_events").table.to_pylist()
    return rows


@pytest.mark.parametrize("label", LABELS["lineage"], ids=lambda label: label["what"])
def test_every_hop_of_a_labelled_key_is_found(grants: Grants, label: Any) -> None:
    found = lineage_of(Identity(principal_arn=None, access_key_id=label["subject"]), grants)
    origin = label["origin"]
    assert (found.origin.kind, found.origin.certainty) == (origin["kind"], origin["certainty"])
    assert found.origin.identity.session_name == origin["session_name"]
    if origin["principal_arn"]:
        assert found.origin.identity.principal_arn == origin["principal_arn"]
    told = [hop for hop in found.hops if hop.how != "key_made"]
    assert [hop.event_id for hop in told] == [hop["event_id"] for hop in label["chain"]]
    assert [hop.to.access_key_id for hop in told] == [hop["access_key_id"] for hop in label["chain"]]
    assert {hop.certainty for hop in told} <= {"proven"}


# All rules run for each: three are enough, a chain into another account among them.
@pytest.mark.parametrize("label", LABELS["lineage"][2::3], ids=lambda label: label["what"])
def test_who_tells_the_origin_of_a_labelled_key(audit: Audit, label: Any) -> None:
    answer = audit.who(label["subject"])
    assert (answer.origin.kind, answer.origin.certainty) == (label["origin"]["kind"], label["origin"]["certainty"])
    assert [hop.event_id for hop in answer.chain] == [hop["event_id"] for hop in label["chain"]]


@pytest.mark.parametrize("label", LABELS["links"], ids=lambda label: f"{label['kind']} {label['shared']}")
def test_every_labelled_link_of_rejects_and_events_is_found(links: list[dict[str, Any]], label: Any) -> None:
    (found,) = [
        link
        for link in links
        if (link["kind"], link["shared"], link["principal_arn"])
        == (label["kind"], label["shared"], label["principal_arn"])
        and link["effect"] == label.get("effect")
    ]
    assert set(label["interface_ids"]) <= set(found["interface_ids"].split(", "))
    # an interface may have been refused for another reason as well
    assert found["reject_count"] >= label["rejects"]
    assert found["confidence"] in ("high", "medium")
    if label["kind"] == "change":
        assert (found["event_id"], found["reject_count"]) == (label["event_ids"][0], label["rejects"])
