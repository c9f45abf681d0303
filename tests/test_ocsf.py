"""Findings as OCSF: valid Detection Findings, of the version that they name and of the two after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from auditkit.allowlist import Suppressed
from auditkit.audit import Audit
from auditkit.formats import ocsf
from auditkit.model import SEVERITIES
from auditkit.output import as_json
from auditkit.places import Places
from auditkit.rules import RuleRun
from tests.found import ANSWER, ENTRY, RULES, RUNS, every_rule, of_rule, sparse
from tests.report_samples import ROLE, START, finding


@cache
def validator(version: str) -> Draft202012Validator:
    """It knows every attribute of the class and of all objects in it, and takes no other."""
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version))
    return Draft202012Validator(schema.get_class_schema(schema.lookup_class_name_from_uid(2004), profiles=["cloud"]))


def errors(events: list[dict[str, Any]], version: str = ocsf.VERSION) -> list[str]:
    return [
        f"{error.json_path}: {error.message}" for event in events for error in validator(version).iter_errors(event)
    ]


def event(**changed: Any) -> dict[str, Any]:
    (only,) = ocsf.events(RuleRun([finding(**changed)]), RULES)
    return only


@pytest.mark.parametrize("version", ["1.6.0", "1.7.0", "1.8.0"])
@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.__name__)
def test_events_are_valid(run: Callable[[], RuleRun], version: str) -> None:
    events = ocsf.events(run(), RULES, [Suppressed(finding(), ENTRY)])
    assert errors(events, version) == []
    assert as_json(events)


def test_the_schema_lets_nothing_pass_that_it_does_not_know() -> None:
    assert errors([event() | {"more": 1}])
    assert errors([event() | {"cloud": {}}])


def test_the_findings_of_the_sample_company_are_valid(audit: Audit, rule_run: RuleRun) -> None:
    events = ocsf.events(rule_run, audit.catalogue.rules)
    assert errors(events) == []
    assert [one["finding_info"]["uid"] for one in events] == [found.id for found in rule_run.findings]


def test_nothing_that_is_deprecated_is_used() -> None:
    schema = get_ocsf_schema(ocsf.VERSION)
    outdated = {
        (name, key)
        for kind in ("classes", "objects")
        for name, facts in schema[kind].items()
        for key, attribute in facts["attributes"].items()
        if "@deprecated" in attribute
    }
    assert ("attack", "tactics") in outdated
    (only,) = ocsf.events(RuleRun([of_rule(next(rule for rule in RULES if rule.header.get("attack")))]), RULES)
    assert all("tactics" not in attack for attack in only["finding_info"]["attacks"])
    assert not {key for name, key in outdated if name == "detection_finding"} & only.keys()
    assert not {key for name, key in outdated if name == "finding_info"} & only["finding_info"].keys()


def test_an_event_tells_when_how_often_and_how_bad() -> None:
    told = event(first_seen=START, last_seen=START + timedelta(seconds=1, microseconds=2_999), event_count=7)
    assert (told["start_time"], told["end_time"], told["count"]) == (1793523600000, 1793523601002, 7)
    assert told["time"] == told["finding_info"]["last_seen_time"] == told["end_time"]
    ids = [one["severity_id"] for one in ocsf.events(sparse(), RULES)]
    assert ids == [1, 2, 3, 4, 5]
    assert len(SEVERITIES) == len(ids)


def test_every_event_that_proves_a_finding_is_named() -> None:
    ids = tuple(f"e{number}" for number in range(1_000))
    info = event(evidence=ids)["finding_info"]
    assert [one["uid"] for one in info["related_events"]] == list(ids)
    assert info["related_events_count"] == 1_000
    assert {one["type"] for one in info["related_events"]} == {"CloudTrail"}


def test_a_technique_is_told_once_for_each_of_its_tactics() -> None:
    attacks = event(attack=("T1098.003", "T1526"))["finding_info"]["attacks"]
    assert [(a["tactic"]["name"], a["technique"]["uid"], a.get("sub_technique", {}).get("name")) for a in attacks] == [
        ("Persistence", "T1098", "Additional Cloud Roles"),
        ("Privilege Escalation", "T1098", "Additional Cloud Roles"),
        ("Discovery", "T1526", None),
    ]


def test_a_technique_that_is_not_known_keeps_its_id() -> None:
    told = event(attack=("T9999",))
    assert errors([told]) == []
    assert [attack["technique"]["uid"] for attack in told["finding_info"]["attacks"]] == ["T9999"]


@pytest.mark.parametrize(
    ("ips", "names", "pairs"),
    [
        (("192.0.2.1",), ("GetUser",), [("192.0.2.1", "GetUser")]),
        (("192.0.2.1", "192.0.2.2"), ("GetUser",), [("192.0.2.1", "GetUser"), ("192.0.2.2", "GetUser")]),
        (("192.0.2.1",), ("A", "B"), [("192.0.2.1", "A"), ("192.0.2.1", "B")]),
        (("192.0.2.1", "::1"), ("A", "B"), [("192.0.2.1", None), ("::1", None), (None, "A"), (None, "B")]),
        ((), ("A",), [(None, "A")]),
        ((), (), [(None, None)]),
    ],
)
def test_addresses_and_calls_are_paired_only_where_that_is_known(
    ips: tuple[str, ...], names: tuple[str, ...], pairs: list[tuple[str | None, str | None]]
) -> None:
    evidences = event(source_ips=ips, event_names=names)["evidences"]
    told = [(e.get("src_endpoint", {}).get("ip"), e.get("api", {}).get("operation")) for e in evidences]
    assert told == pairs
    assert all(evidence["actor"]["user"]["uid"] == ROLE for evidence in evidences)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("192.0.2.10", {"zone": "office (Berlin)", "location": {"country": "NL", "desc": "Netherlands"}}),
        (
            "198.51.100.7",
            {
                "location": {"country": "NL", "desc": "Netherlands"},
                "autonomous_system": {"number": 64500, "name": "Example Hosting"},
            },
        ),
        ("198.51.100.200", {"autonomous_system": {"number": 64500, "name": "Example Hosting"}}),
        ("203.0.113.1", {}),
        ("10.0.0.1", {}),
    ],
)
def test_an_address_is_told_with_what_is_known_of_it(places: Places, address: str, told: dict[str, Any]) -> None:
    event, suppressed = ocsf.events(
        RuleRun([finding(source_ips=(address,))], places=places),
        RULES,
        [Suppressed(finding(source_ips=(address,)), ENTRY)],
    )
    assert event["evidences"][0]["src_endpoint"] == {"ip": address} | told
    assert suppressed["evidences"] == event["evidences"]
    for version in ("1.6.0", "1.7.0", "1.8.0"):
        assert errors([event, suppressed], version) == []


@pytest.mark.parametrize("text", ["AWS Internal", "cloudformation.amazonaws.com", "=1+1", "fe80::1%" + "x" * 99, ""])
def test_what_is_no_address_is_told_as_the_name_that_it_is(text: str) -> None:
    told = event(source_ips=(text,))
    assert told["evidences"][0]["src_endpoint"] == {"svc_name": text}
    assert errors([told]) == []


@pytest.mark.parametrize(
    ("arn", "name", "type_id", "resource"),
    [
        ("arn:aws:iam::111122223333:user/team/alice", "alice", 1, "AWS::IAM::User"),
        ("arn:aws:iam::111122223333:role/deploy", "deploy", 99, "AWS::IAM::Role"),
        ("arn:aws:iam::111122223333:root", "root", 2, "AWS::IAM::Root"),
        ("ecs.amazonaws.com", "ecs.amazonaws.com", 4, None),
        ("somebody", "somebody", 0, None),
    ],
)
def test_a_principal_is_an_actor(arn: str, name: str, type_id: int, resource: str | None) -> None:
    told = event(principal_arn=arn)
    user = told["evidences"][0]["actor"]["user"]
    assert (user["uid"], user["name"], user["type_id"]) == (arn, name, type_id)
    assert (told["resources"][0]["role"], told["resources"][0].get("type")) == ("Actor", resource)


def test_a_resource_is_the_target_and_its_arn_says_where_it_is() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf"
    target = event(resource=arn)["resources"][1]
    assert target == {"uid": arn, "role_id": 1, "role": "Target", "cloud_partition": "aws", "region": "eu-west-1"}
    assert event(resource="bob")["resources"][1] == {"uid": "bob", "role_id": 1, "role": "Target"}


def test_what_is_not_known_is_left_out() -> None:
    told = ocsf.events(sparse(), RULES)[0]
    assert not {"resources", "evidences"} & told.keys()
    assert not {"attacks", "types", "tags", "data_sources"} & told["finding_info"].keys()
    assert told["cloud"] == {"provider": "AWS"}
    assert not {"confidence", "confidence_id"} & told.keys()


def test_a_suppressed_finding_says_who_answers_for_it() -> None:
    new, old = ocsf.events(RuleRun([finding(1)]), RULES, [Suppressed(finding(2), ENTRY)])
    assert (new["status_id"], new["status"], "comment" in new) == (1, "New", False)
    assert (old["status_id"], old["status"]) == (3, "Suppressed")
    assert old["comment"] == ANSWER


def test_every_rule_says_which_log_proves_its_findings() -> None:
    assert all(one["finding_info"]["data_sources"] for one in ocsf.events(every_rule(), RULES))
