"""Sigma rules as ours: what they match, what they count, what is refused and by which name."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sigma import conditions as tree
from sigma.collection import SigmaCollection
from sigma.rule import SigmaRule
from sigma.types import SigmaExists, SigmaNull, SpecialChars

from auditkit.audit import Audit
from auditkit.catalogue import Catalogue
from auditkit.engines.dialect import parse
from auditkit.engines.portable import problems
from auditkit.errors import CatalogueError, ParameterError, SourceError
from auditkit.match_rules import compiled
from auditkit.model import Finding
from auditkit.rules import RuleRun, evaluate
from auditkit.schema import CLOUDTRAIL_EVENTS
from auditkit.sigma import fields, load
from auditkit.sigma.found import SigmaRules
from auditkit.sigma.patterns import portable
from tests.case_runs import CaseEngine
from tests.cases import START, cloudtrail_events
from tests.conftest import Command

ENGINE = CaseEngine()
ALICE = "arn:aws:iam::111122223333:user/alice"
CALL: dict[str, Any] = {
    "event_source": "iam.amazonaws.com",
    "event_name": "CreateUser",
    "event_type": "AwsApiCall",
    "principal_arn": ALICE,
    "identity_type": "IAMUser",
    "source_ip": "198.51.100.7",
    "user_agent": "aws-cli/2.31.6",
    "aws_region": "eu-central-1",
    "read_only": False,
    "user_identity": {"type": "IAMUser", "arn": ALICE, "userName": "alice"},
    "request_parameters": {
        "userName": "bob",
        "force": True,
        "port": 443,
        "share": 1.5,
        "nothing": None,
        "empty": "",
        "x-amz-acl": "private",
        "owner": {"name": "carol"},
        "valuesToAdd": ["all", "111122223333"],
        "policyDocument": '{"Action":"*"}',
        "containers": [{"command": ["sh", "-c", "id"]}, {"command": "ls"}],
    },
    "resources": [{"ARN": "arn:aws:s3:::one"}, {"ARN": "arn:aws:s3:::two", "type": "AWS::S3::Bucket"}],
    "extra": {"eventVersion": "1.11", "tlsDetails": {"cipherSuite": "TLS_AES_128"}},
}


@pytest.fixture
def sigma(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


class Folder:
    """A folder of Sigma rules that a test writes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, name: str, *documents: dict[str, Any] | str) -> None:
        texts = [one if isinstance(one, str) else yaml.safe_dump(one, sort_keys=False) for one in documents]
        path = self.root / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("---\n".join(texts), encoding="utf-8")

    def load(self) -> SigmaRules:
        return load(self.root)

    def run(self, *rows: dict[str, Any]) -> RuleRun:
        found = self.load()
        assert not found.refused, found.refused
        ENGINE.holding({"cloudtrail_events": cloudtrail_events(list(rows))})
        run = evaluate(ENGINE, Catalogue((), ()).with_rules(found.rules))
        assert not run.failed, run.failed
        return run

    def fired(self, *rows: dict[str, Any]) -> list[str]:
        return [finding.rule for finding in self.run(*rows).findings]

    def refused(self, name: str = "one") -> str:
        return self.load().refused[f"sigma.{name}"]


def rule(detection: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A rule whose condition is `selection` where none is said."""
    source = {"product": "aws", "service": "cloudtrail"}
    return {"title": "One", "logsource": source, "detection": {"condition": "selection", **detection}, **more}


def selecting(**selection: Any) -> dict[str, Any]:
    return rule({"selection": selection})


def correlation(kind: str, rules: list[str], **more: Any) -> dict[str, Any]:
    return {"title": "Many", "level": "high", "correlation": {"type": kind, "rules": rules, "timespan": "5m", **more}}


def only(run: RuleRun) -> Finding:
    [finding] = run.findings
    return finding


SELECTIONS: list[tuple[str, Any, bool]] = [
    # field and modifiers, value, whether CALL is selected
    ("eventName", "CreateUser", True),
    ("eventName", "createuser", True),
    ("eventName|cased", "createuser", False),
    ("eventName|cased", "CreateUser", True),
    ("eventName", ["DeleteUser", "CREATEUSER"], True),
    ("eventName", "Create", False),
    ("eventName", "Create*", True),
    ("eventName", "*user", True),
    ("eventName", "Cre?teU*", True),
    ("eventName", "Create????", True),
    ("eventName", "Create???", False),
    ("eventName", r"Create\*", False),
    ("eventName", "%", False),
    ("eventName", "C_eateUser", False),
    ("eventName", "C%", False),
    ("eventName|contains", "ATEUS", True),
    ("eventName|contains|cased", "ATEUS", False),
    ("eventName|contains|all", ["create", "user"], True),
    ("eventName|contains|all", ["create", "role"], False),
    ("eventName|startswith", "create", True),
    ("eventName|startswith", "user", False),
    ("eventName|endswith", "USER", True),
    ("eventName|endswith", "Create", False),
    ("eventName|neq", "DeleteUser", True),
    ("eventName|neq", "CreateUser", False),
    ("eventName|re", "^Create(User|Role)$", True),
    ("eventName|re", "create", False),
    ("eventName|re|i", "^createu", True),
    ("eventName|re", r"^\w+\b.?", True),
    ("eventName|re", r"\d", False),
    ("eventName|base64|contains", "x", False),
    ("eventSource", "iam.amazonaws.com", True),
    ("eventSource", "iam?amazonaws?com", True),
    ("eventType", "AwsApiCall", True),
    ("awsRegion", "eu-*", True),
    ("recipientAccountId", "111122223333", True),
    ("recipientAccountId", 111122223333, True),
    ("readOnly", False, True),
    ("readOnly", "false", True),
    ("readOnly", True, False),
    ("errorCode", None, True),
    ("errorCode", "*", False),
    ("errorCode|exists", False, True),
    ("errorCode|exists", True, False),
    ("userAgent|exists", True, True),
    ("eventName", [None, "createuser"], True),
    ("sourceIPAddress|cidr", "198.51.100.0/24", True),
    ("sourceIPAddress|cidr", ["10.0.0.0/8", "198.51.100.6/31"], True),
    ("sourceIPAddress|cidr", "198.51.101.0/24", False),
    ("sourceIPAddress|cidr", "2001:db8::/32", False),
    ("userAgent|cidr", "0.0.0.0/0", False),
    ("userIdentity.type", "iamuser", True),
    ("userIdentity.arn|endswith", "user/ALICE", True),
    ("userIdentity.sessionContext.sessionIssuer.type", None, True),
    ("userIdentity.sessionContext.sessionIssuer.type", "Role", False),
    ("userIdentity.arn|fieldref", "userIdentity.arn", True),
    ("userIdentity.arn|fieldref|endswith", "userIdentity.userName", True),
    ("userIdentity.arn|fieldref|startswith", "userIdentity.userName", False),
    ("userIdentity.arn|fieldref|contains", "requestParameters.userName", False),
    ("requestParameters.userName", "BOB", True),
    ("requestParameters.userName|re", "^b", True),
    ("requestParameters.force", True, True),
    ("requestParameters.force", "true", True),
    ("requestParameters.port", 443, True),
    ("requestParameters.port", "443", True),
    ("requestParameters.port|gt", 442, True),
    ("requestParameters.port|gt", 443, False),
    ("requestParameters.port|gte", 443, True),
    ("requestParameters.port|lt", 443.5, True),
    ("requestParameters.port|lte", 442, False),
    ("requestParameters.share|gt", 1.4, True),
    ("requestParameters.share", 1.5, True),
    ("requestParameters.userName|gt", 0, False),
    ("recipientAccountId|gt", 111122223332, True),
    ("userAgent|lt", 5, False),
    ("requestParameters.x-amz-acl", "private", True),
    ("requestParameters.empty", "", True),
    ("requestParameters.userName", "", False),
    ("requestParameters.nothing", None, True),
    ("requestParameters.nothing|exists", True, True),
    ("requestParameters.none", None, True),
    ("requestParameters.none|exists", True, False),
    ("requestParameters.owner", None, False),
    ("requestParameters.owner.name", "carol", True),
    ("requestParameters.owner|contains", '"name":', True),
    ("requestParameters.valuesToAdd", "ALL", True),
    ("requestParameters.valuesToAdd", "al", False),
    ("requestParameters.valuesToAdd|contains|all", ["al", "1111"], True),
    ("requestParameters.valuesToAdd|exists", True, True),
    ("requestParameters.containers.command", "-c", True),
    ("requestParameters.containers.command", "LS", True),
    ("requestParameters.containers.command", "rm", False),
    ("requestParameters.containers.command|exists", True, True),
    ("requestParameters.containers.image|exists", True, False),
    ("requestParameters.containers.image", None, True),
    ("requestParameters.policyDocument|contains", '"action":"*"', True),
    ("requestParameters.policyDocument|contains", r'"Action":"\*"', True),
    ("requestParameters|contains", r'"Action":"\*"', True),
    ("requestParameters|contains", "BOB", True),
    ("responseElements", None, True),
    ("responseElements.x", None, True),
    ("resources.ARN|endswith", ":TWO", True),
    ("resources.ARN", "arn:aws:s3:::three", False),
    ("resources.type|exists", True, True),
    ("resources.accountId|exists", True, False),
    ("resources.accountId", None, True),
    ("resources|contains", "aws::s3::bucket", True),
    ("requestParameters.owner.name.first", None, True),
    ("eventVersion", "1.11", True),
    ("tlsDetails.cipherSuite|startswith", "tls_aes", True),
    ("eventTime|startswith", "2026-11-02T09:01", True),
    ("eventTime|hour", 9, True),
    ("eventTime|minute", 1, True),
    ("eventTime|day", 3, False),
    ("eventTime|month", 11, True),
    ("eventTime|year", 2026, True),
]  # fmt: skip


@pytest.fixture(scope="module")
def selected(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The rules that fire of one for each selection, and of one for what each leaves out."""
    sigma = Folder(tmp_path_factory.mktemp("selections"))
    for number, (name, value, _) in enumerate(SELECTIONS):
        sigma.add(f"is_{number}", selecting(**{name: value}))
        sigma.add(f"not_{number}", rule({"selection": {name: value}, "condition": "not selection"}))
    return set(sigma.fired(CALL))


@pytest.mark.parametrize(
    "number", range(len(SELECTIONS)), ids=lambda number: " ".join(map(str, SELECTIONS[number][:2]))
)
def test_a_selection_holds_or_its_opposite_does(selected: set[str], number: int) -> None:
    """What is not there is not so: NOT of a field that is missing is true."""
    *_, is_selected = SELECTIONS[number]
    assert selected & {f"sigma.is_{number}", f"sigma.not_{number}"} == {
        f"sigma.is_{number}" if is_selected else f"sigma.not_{number}"
    }


CONDITIONS: list[tuple[str, bool]] = [
    ("yes and not no", True),
    ("yes and no", False),
    ("yes or no", True),
    ("not (yes and no)", True),
    ("not missing", True),
    ("not missing and not no", True),
    ("missing or not missing", True),
    ("not (missing or yes)", False),
    ("not not missing", False),
    ("1 of *", True),
    ("1 of them", True),
    ("all of them", False),
    ("all of yes*", True),
    ("1 of no*", False),
    ("not 1 of no*", True),
    ("one_list", True),
    ("pairs", True),
    ("no_pairs", False),
]


@pytest.mark.parametrize(("condition", "is_met"), CONDITIONS)
def test_a_condition(sigma: Folder, condition: str, is_met: bool) -> None:
    detection = {
        "yes": {"eventName": "CreateUser"},
        "yes_too": {"eventSource|startswith": "iam", "awsRegion": "eu-central-1"},
        "no": {"eventName": "DeleteUser"},
        "missing": {"errorCode": "AccessDenied"},
        "one_list": [{"eventName": "DeleteUser"}, {"awsRegion": "eu-central-1"}],
        "pairs": [{"eventName": "CreateUser", "awsRegion": "eu-central-1"}, {"eventName": "x"}],
        "no_pairs": [{"eventName": "CreateUser", "awsRegion": "x"}, {"eventName": "x", "awsRegion": "eu-central-1"}],
    }
    sigma.add("one", rule({**detection, "condition": condition}))
    assert sigma.fired(CALL) == (["sigma.one"] if is_met else [])


@pytest.mark.parametrize(
    ("keywords", "is_met"),
    [
        (["bob"], True),
        (["ALICE", "nobody"], True),
        (["nobody"], False),
        ("aws-cli", True),
        (["c?rol"], True),
        (["%arol"], False),
        ([443], True),
        (['{"Action":'], True),  # in a document inside the JSON, whose quotes are escaped there
        ({"|all": ["bob", "alice"]}, True),
        ({"|all": ["bob", "nobody"]}, False),
        ({"|re": r"cli/\d"}, True),
    ],
)
def test_keywords_may_stand_anywhere(sigma: Folder, keywords: Any, is_met: bool) -> None:
    sigma.add("one", rule({"keywords": keywords, "condition": "keywords"}))
    assert sigma.fired(CALL) == (["sigma.one"] if is_met else [])


HOSTILE = ["'", "''", '"', "%", "_", "\\", "\\\\x", "a' OR '1'='1", "'); DROP TABLE x; --", ":name", "/* */", "--",
           "{x}", "<script>", "\n", "é", "İ", "🙂", "$1", "?x"]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_breaks_out_or_means_more_than_itself(sigma: Folder, value: str) -> None:
    written = re.sub(r"([\\*?])", r"\\\1", value)
    for number, name in enumerate(("eventName", "eventName|contains", "requestParameters.userName|endswith")):
        sigma.add(f"r{number}", selecting(**{name: written}))
    sigma.add("keyword", rule({"k": [written], "condition": "k"}))
    row = {**CALL, "event_name": value, "request_parameters": {"userName": value}}
    assert set(sigma.fired(row)) == {"sigma.r0", "sigma.r1", "sigma.r2", "sigma.keyword"}
    other = {**CALL, "request_parameters": {"userName": "x"}, "user_agent": "x"}
    assert set(sigma.fired(other)) <= {"sigma.keyword"}  # which may stand there by itself, as " does


# Correlations

LISTING = rule({"selection": {"eventName": "ListBuckets"}}, name="listing")
READING = rule({"selection": {"eventName|startswith": "Get"}}, name="reading")
EVENT: dict[str, Any] = {**CALL, "event_name": "ListBuckets", "request_parameters": {}}


def at(seconds: int, **more: Any) -> dict[str, Any]:
    return {**EVENT, **more, "event_time": START + timedelta(seconds=seconds)}


def times(*seconds: int, **more: Any) -> list[dict[str, Any]]:
    return [at(second, event_id=f"e{second}", **more) for second in seconds]


COUNTS: list[tuple[dict[str, Any], list[int], bool]] = [
    ({"gte": 3}, [0, 10, 20], True),
    ({"gte": 3}, [0, 299, 300], True),
    ({"gte": 3}, [0, 299, 301], False),
    ({"gte": 3}, [0, 200, 400, 600], False),
    ({"gte": 3}, [0, 200, 400, 450], True),
    ({"gt": 3}, [0, 10, 20], False),
    ({"gt": 3}, [0, 10, 20, 30], True),
    ({"eq": 2}, [0, 10], True),
    ({"eq": 2}, [0, 10, 20], False),
    ({"lt": 2}, [0, 400], True),
    ({"lt": 2}, [0, 100], False),
    ({"lte": 2}, [0, 100], True),
    ({"neq": 2}, [0, 100], False),
]


@pytest.mark.parametrize(("condition", "seconds", "fires"), COUNTS, ids=str)
def test_events_are_counted_in_any_span(
    sigma: Folder, condition: dict[str, int], seconds: list[int], fires: bool
) -> None:
    many = correlation("event_count", ["listing"], condition=condition, **{"group-by": ["userIdentity.arn"]})
    sigma.add("one", LISTING, many)
    assert sigma.fired(*times(*seconds)) == (["sigma.one_many"] if fires else [])


def test_what_a_correlation_tells(sigma: Folder) -> None:
    grouped = {"group-by": ["sourceIPAddress", "awsRegion"], "condition": {"gte": 2}}
    sigma.add("one", LISTING, correlation("event_count", ["listing"], **grouped))
    run = sigma.run(
        *times(0, 9_000),
        *times(8_000, 8_100, outcome="denied", error_code="AccessDenied"),
        *times(8_050, principal_arn="arn:aws:iam::111122223333:user/bob"),
        *times(8_060, source_ip="192.0.2.1"),
        *times(8_070, source_ip=None),
    )
    finding = only(run)
    assert finding.severity == "high"
    assert (finding.event_count, finding.failed_count, finding.outcome) == (3, 2, "ok")
    assert finding.evidence == ("e8000", "e8050", "e8100")
    assert finding.resource == "198.51.100.7, eu-central-1"
    assert finding.principal_arn is None  # there are two
    assert finding.source_ips == ("198.51.100.7",)
    assert finding.hands == ("person",)
    assert finding.sql.startswith("WITH judged")


def test_a_group_that_is_the_principal_is_no_resource(sigma: Folder) -> None:
    many = correlation("event_count", ["listing"], condition={"gte": 2}, **{"group-by": "userIdentity.arn"})
    sigma.add("one", LISTING, many)
    finding = only(sigma.run(*times(0, 1)))
    assert (finding.principal_arn, finding.resource) == (ALICE, None)


def test_events_without_a_group_are_one(sigma: Folder) -> None:
    sigma.add("one", LISTING, correlation("event_count", ["listing"], condition={"gte": 2}))
    finding = only(sigma.run(*times(0), *times(1, principal_arn=None)))
    assert (finding.resource, finding.event_count) == (None, 2)


VALUES: list[tuple[list[tuple[int, str | None]], bool]] = [
    ([(0, "a"), (10, "b"), (20, "c")], True),
    ([(0, "a"), (10, "b"), (20, "b")], False),
    ([(0, "a"), (200, "b"), (400, "c")], False),
    ([(0, "a"), (200, "b"), (400, "c"), (410, "a")], True),
    ([(0, "a"), (10, None), (20, "b")], False),
    ([(n * 7, "ab"[n % 2]) for n in range(200)], False),
    ([(n * 7, "ab"[n % 2]) for n in range(200)] + [(1_000, "c")], True),
    ([(n * 7, "ab"[n % 2]) for n in range(200)] + [(1_700, "c")], False),
]


@pytest.mark.parametrize(("seen", "fires"), VALUES)
def test_distinct_values_are_counted_in_any_span(
    sigma: Folder, seen: list[tuple[int, str | None]], fires: bool
) -> None:
    condition = {"gte": 3, "field": "requestParameters.name"}
    many = correlation("value_count", ["listing"], condition=condition, **{"group-by": ["userIdentity.arn"]})
    sigma.add("one", LISTING, many)
    rows = [row for second, name in seen for row in times(second, request_parameters={"name": name})]
    assert sigma.fired(*rows) == (["sigma.one_many"] if fires else [])


@settings(max_examples=25)
@given(
    seen=st.lists(st.tuples(st.integers(0, 1_500), st.sampled_from("abcd"), st.sampled_from("xy")), max_size=25),
    count=st.integers(1, 4),
)
def test_values_are_counted_as_a_plain_count_would(
    tmp_path_factory: pytest.TempPathFactory, seen: list[tuple[int, str, str]], count: int
) -> None:
    sigma = Folder(tmp_path_factory.mktemp("sigma"))
    condition = {"gte": count, "field": "requestParameters.name"}
    sigma.add("one", LISTING, correlation("value_count", ["listing"], condition=condition, **{"group-by": "awsRegion"}))
    rows = [
        at(second, event_id=f"e{number}", request_parameters={"name": name}, aws_region=region)
        for number, (second, name, region) in enumerate(seen)
    ]
    expected = {}
    for region in "xy":
        here = [(number, second, name) for number, (second, name, where) in enumerate(seen) if where == region]
        found = set()
        for _, start, _ in here:
            span = [one for one in here if start <= one[1] <= start + 300]
            if len({name for *_, name in span}) >= count:
                found |= {number for number, *_ in span}
        if found:
            expected[region] = {f"e{number}" for number in found}
    findings = sigma.run(*rows).findings if rows else []
    assert {finding.resource: set(finding.evidence) for finding in findings} == expected


STEPS: list[tuple[list[tuple[int, str]], bool, bool]] = [
    # when which call was made, whether the rules fire in any order, and in theirs
    ([(0, "ListBuckets"), (100, "GetObject")], True, True),
    ([(0, "GetObject"), (100, "ListBuckets")], True, False),
    ([(0, "ListBuckets"), (301, "GetObject")], False, False),
    ([(0, "ListBuckets"), (0, "GetObject")], True, True),
    ([(0, "ListBuckets"), (10, "ListBuckets")], False, False),
    ([(0, "ListBuckets"), (200, "GetObject"), (400, "ListBuckets")], True, True),
    ([(0, "GetObject"), (200, "ListBuckets"), (550, "GetObject"), (560, "GetObject")], True, False),
]


@pytest.mark.parametrize(("calls", "together", "in_order"), STEPS, ids=str)
def test_rules_that_fire_together(sigma: Folder, calls: list[tuple[int, str]], together: bool, in_order: bool) -> None:
    grouped = {"group-by": ["userIdentity.arn"]}
    sigma.add("rules", LISTING, READING)
    sigma.add("together", correlation("temporal", ["listing", "reading"], **grouped))
    sigma.add("in_order", correlation("temporal_ordered", ["listing", "reading"], **grouped))
    rows = [at(second, event_name=name, event_id=f"e{n}") for n, (second, name) in enumerate(calls)]
    expected = {"sigma.together": together, "sigma.in_order": in_order}
    assert set(sigma.fired(*rows)) == {name for name, fires in expected.items() if fires}


def test_three_rules_in_order(sigma: Folder) -> None:
    names = ["a", "b", "c"]
    sigma.add("rules", *(rule({"selection": {"eventName": name}}, name=name) for name in names))
    sigma.add("ordered", correlation("temporal_ordered", names))
    sigma.add("two", correlation("temporal", names, condition={"gte": 2}))
    steps = [at(n * 100, event_name=name, event_id=f"e{n}") for n, name in enumerate("babc")]
    assert set(sigma.fired(*steps)) == {"sigma.ordered", "sigma.two"}
    assert sigma.fired(*[at(n * 100, event_name=name) for n, name in enumerate("cba")]) == ["sigma.two"]
    assert sigma.fired(*[at(n * 200, event_name=name) for n, name in enumerate("abc")]) == ["sigma.two"]


def test_an_event_that_meets_both_rules_counts_once(sigma: Folder) -> None:
    sigma.add("rules", LISTING, rule({"selection": {"awsRegion": "eu-*"}}, name="europe"))
    sigma.add("together", correlation("temporal", ["listing", "europe"]))
    sigma.add("two", correlation("event_count", ["listing", "europe"], condition={"gte": 2}))
    assert only(sigma.run(*times(0))).event_count == 1


def test_an_alias_is_another_field_for_each_rule(sigma: Folder) -> None:
    aliases = {"who": {"listing": "userIdentity.userName", "reading": "requestParameters.userName"}}
    sigma.add("rules", LISTING, READING)
    sigma.add("one", correlation("temporal", ["listing", "reading"], aliases=aliases, **{"group-by": ["who"]}))
    other = {"event_name": "GetUser", "event_id": "f", "user_identity": {}}
    assert only(sigma.run(at(0), at(9, **other, request_parameters={"userName": "alice"}))).resource == "alice"
    assert sigma.fired(at(0), at(9, **other, request_parameters={"userName": "bob"})) == []


def test_parts_of_a_correlation_run_alone_only_if_it_says_so(sigma: Folder) -> None:
    sigma.add("one", LISTING, correlation("event_count", ["listing"], condition={"gte": 5}))
    assert [one.rule for one in sigma.load().rules] == ["sigma.one_many"]
    sigma.add("one", LISTING, correlation("event_count", ["listing"], condition={"gte": 5}, generate=True))
    assert [one.rule for one in sigma.load().rules] == ["sigma.one_listing", "sigma.one_many"]


# What a rule says of itself


def test_what_a_rule_says_of_itself(sigma: Folder) -> None:
    told = {
        "id": "0f6b2d4e-6f0c-4c4e-9a3b-2f1d0c9b8a76",
        "title": "Somebody made a user",
        "description": "A new user.\nIt has a key.",
        "author": "Jane Roe, Acme",
        "license": "DRL 1.1",
        "level": "informational",
        "references": ["https://example.com/a"],
        "falsepositives": ["the help desk", "Terraform"],
        "tags": ["attack.persistence", "attack.t1136.003", "cve.2026-1"],
        "status": "deprecated",
    }
    sigma.add("deep/er/User Made", {**selecting(eventName="CreateUser"), **told})
    finding = only(sigma.run(CALL))
    assert finding.rule == "sigma.user_made"
    assert finding.title == "Somebody made a user"
    assert finding.severity == "info"
    assert finding.author == "Jane Roe, Acme (Sigma rule 0f6b2d4e-6f0c-4c4e-9a3b-2f1d0c9b8a76, DRL 1.1)"
    assert finding.as_json()["author"] == finding.author
    assert finding.why == "A new user. It has a key."
    assert finding.false_positives == "the help desk; Terraform"
    assert finding.attack == ("T1136.003",)
    assert finding.response.endswith("Read https://example.com/a.")
    assert "LOWER(event_name) = 'createuser'" in finding.sql
    assert finding.summary.startswith("Somebody made a user: user alice of account 111122223333 called CreateUser")


@pytest.mark.parametrize(
    ("level", "selection", "severity"),
    [
        ("critical", {"eventName": "CreateUser"}, "high"),  # an attempt weighs less
        ("critical", {"errorCode": "AccessDenied"}, "critical"),  # unless attempts are what it looks for
        (None, {"errorCode|contains": "Denied"}, "medium"),
    ],
)
def test_how_an_attempt_weighs(sigma: Folder, level: str | None, selection: dict[str, Any], severity: str) -> None:
    sigma.add("one", {**selecting(**selection), "level": level})
    refused = {**CALL, "outcome": "denied", "error_code": "AccessDenied"}
    assert only(sigma.run(refused)).severity == severity


def test_slips_in_what_decides_nothing_are_forgiven(sigma: Folder) -> None:
    slips = {"id": "mine", "date": "last week", "status": "good", "author": ["A", "B"], "falsepositives": "none known"}
    sigma.add("one", {**selecting(eventName="CreateUser"), **slips})
    finding = only(sigma.run(CALL))
    assert finding.author == "A, B (Sigma rule mine)"
    assert finding.false_positives == "none known"


def test_a_filter_of_sigma_narrows_the_rules(sigma: Folder) -> None:
    sigma.add("one", selecting(eventName="CreateUser"))
    detection = {"rules": "any", "pipeline": {"userAgent|contains": "terraform"}, "condition": "not pipeline"}
    source = {"product": "aws", "service": "cloudtrail"}
    sigma.add("filter", {"title": "Ours", "logsource": source, "filter": detection})
    assert sigma.fired(CALL) == ["sigma.one"]
    assert sigma.fired({**CALL, "user_agent": "Terraform/1.13"}) == []


# What cannot run

REFUSED: list[tuple[str, dict[str, Any] | str, str]] = [
    ("an unknown field", selecting(evenName="x"), "'evenName' is no field of CloudTrail. Did you mean eventName?"),
    ("a field of another product", selecting(src_ip="x"), "'src_ip' is no field"),
    ("a path into text", selecting(**{"eventName.x": "x"}), "'eventName.x' is no field"),
    ("a strange path", selecting(**{'requestParameters.a"b': "x"}), "no path to a value"),
    ("an index", selecting(**{"requestParameters.a[0]": "x"}), "no path to a value"),
    ("an unknown field in a filter", rule({"selection": {"eventName": "x"}, "f": {"zone": "x"}, "condition": "selection and not f"}), "'zone' is no field"),
    ("a placeholder", selecting(**{"eventName|expand": "%names%"}), "%names%"),
    ("look-around", selecting(**{"eventName|re": "(?=x)"}), "a group that engines read differently"),
    ("a back reference", selecting(**{"eventName|re": r"(x)\1"}), "differently"),
    ("too many repetitions", selecting(**{"eventName|re": "x{2000}"}), "not one for RE2: invalid repetition size"),
    ("a broken expression", selecting(**{"eventName|re": "("}), "invalid"),
    ("a named class", selecting(**{"eventName|re": "[[:alpha:]]"}), "spell it out"),
    ("a named group", selecting(**{"eventName|re": "(?P<x>a)"}), "a group that engines read differently"),
    ("a class of Unicode", selecting(**{"eventName|re": r"\pL"}), r"\pL"),
    ("no network", selecting(**{"sourceIPAddress|cidr": "10.0.0.1/8"}), "CIDR"),
    ("an unknown modifier", selecting(**{"eventName|fuzzy": "x"}), "fuzzy"),
    ("a comparison with text", selecting(**{"eventName|gt": "x"}), "incompatible"),
    ("a week", selecting(**{"eventTime|week": 3}), "weeks"),
    ("an hour of another field", selecting(**{"eventName|hour": 3}), "eventTime alone"),
    ("NUL", selecting(**{"eventName|wide": "x"}), "NUL"),
    ("an aggregation of old", rule({"selection": {"eventName": "x"}, "condition": "selection | count() > 5"}), "deprecated"),
    ("a detection that is not there", rule({"selection": {"eventName": "x"}, "condition": "other"}), "other"),
    ("no detection", {"title": "One", "logsource": {"service": "cloudtrail"}}, "detection"),
    ("no title", {**selecting(eventName="x"), "title": None}, "title"),
    ("an unknown level", {**selecting(eventName="x"), "level": "huge"}, "huge"),
    ("a rule that is not there", correlation("event_count", ["none"], condition={"gte": 1}), "none"),
    ("an unknown correlation", correlation("sequence", ["none"]), "sequence"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "reason"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_rule_that_cannot_run_is_refused_by_name(sigma: Folder, document: dict[str, Any], reason: str) -> None:
    sigma.add("one", document)
    sigma.add("two", selecting(eventName="CreateUser"))
    found = sigma.load()
    assert [one.rule for one in found.rules] == ["sigma.two"]
    assert reason in found.refused["sigma.one"]
    assert "\n" not in found.refused["sigma.one"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just text",
        "- a\n- list",
        "a: [",
        "a: 1\na: 2",
        "a: &a [*a]",
        "title: 1\nlogsource: x\ndetection: y",
        "correlation: x",
        "\x00",
        "action: jump",
    ],
)
def test_a_file_that_holds_no_rule_is_refused_by_its_path_or_name(sigma: Folder, text: str) -> None:
    sigma.add("odd", text)
    sigma.add("two", selecting(eventName="CreateUser"))
    found = sigma.load()
    assert [one.rule for one in found.rules] == ["sigma.two"]
    assert set(found.refused) <= {str(sigma.root / "odd.yml"), "sigma.odd"}
    assert all(found.refused.values())
    assert found.refused


def test_a_key_that_is_there_twice_is_no_slip(sigma: Folder) -> None:
    sigma.add("odd", yaml.safe_dump(selecting(eventName="x")) + "title: again\n")
    assert "Duplicate key 'title'" in sigma.load().refused[str(sigma.root / "odd.yml")]


def test_a_file_that_is_not_utf_8_is_refused(sigma: Folder) -> None:
    (sigma.root / "odd.yml").write_bytes(b"title: \xff")
    assert "utf-8" in sigma.load().refused[str(sigma.root / "odd.yml")]


def test_a_condition_that_is_nested_too_deeply_is_refused(sigma: Folder) -> None:
    sigma.add("one", rule({"selection": {"eventName": "x"}, "condition": "not " * 900 + "selection"}))
    assert "sigma.one" in sigma.load().refused


def test_many_values_are_no_trouble(sigma: Folder) -> None:
    names = [f"Call{number}*" for number in range(400)] + ["createuser"]
    sigma.add("one", selecting(eventName=names))
    assert sigma.fired(CALL) == ["sigma.one"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"condition": "listing and not reading"}, "an expression"),
        ({"rules": ["listing", "listing"]}, "twice"),
        ({"rules": ["listing", "group"]}, "a correlation of correlations"),
        ({"rules": ["listing", "bad"]}, "'zone' is no field"),
        ({"group-by": ["nobody"]}, "'nobody' is no field"),
        ({"group-by": ["who"], "aliases": {"who": {"listing": "eventName"}}}, "does not say which field of reading"),
        ({"type": "temporal_ordered", "condition": {"gte": 1}}, "all together"),
        ({"type": "value_count", "condition": {"gte": 1, "field": ["eventName", "awsRegion"]}}, "several"),
        ({"type": "value_sum", "condition": {"gte": 1, "field": "eventName"}}, "value_sum"),
        ({"timespan": "soon"}, "soon"),
    ],
)
def test_a_correlation_that_cannot_run_is_refused_by_name(sigma: Folder, more: dict[str, Any], reason: str) -> None:
    sigma.add("rules", LISTING, READING)
    sigma.add("bad", {**selecting(zone="x"), "name": "bad"})
    sigma.add("group", {**correlation("event_count", ["listing"], condition={"gte": 2}), "name": "group"})
    sigma.add("one", correlation("temporal", ["listing", "reading"], **more) if "rules" not in more else
              {**correlation("temporal", []), "correlation": {"type": "temporal", "timespan": "5m", **more}})  # fmt: skip
    if "type" in more:
        sigma.add("one", {"title": "x", "correlation": {"rules": ["listing", "reading"], "timespan": "5m", **more}})
    assert reason in sigma.refused()


def test_the_parts_of_a_refused_correlation_are_told_of(sigma: Folder) -> None:
    sigma.add("one", LISTING, correlation("value_sum", ["listing"], condition={"gte": 1, "field": "eventName"}))
    assert sigma.load().refused["sigma.one_listing"] == "it is a part of sigma.one_many, which cannot run."


def test_rules_about_other_logs_are_no_failure(sigma: Folder) -> None:
    sigma.add("win", {**selecting(eventName="x"), "logsource": {"product": "windows", "category": "process_creation"}})
    sigma.add("vpc", {**selecting(eventName="x"), "logsource": {"product": "aws", "service": "route53"}})
    sigma.add("many", {**selecting(eventName="x"), "logsource": {"product": "windows", "service": "s"}, "name": "w"},
              correlation("event_count", ["w"], condition={"gte": 1}))  # fmt: skip
    sigma.add("bare", {**selecting(eventName="CreateUser"), "logsource": {"service": "cloudtrail"}})
    found = sigma.load()
    assert [one.rule for one in found.rules] == ["sigma.bare"]
    assert not found.refused
    assert found.elsewhere == {
        "sigma.win": "it is about the logs of windows process_creation, not of AWS CloudTrail",
        "sigma.vpc": "it is about the logs of aws route53, not of AWS CloudTrail",
        "sigma.many_w": "it is about the logs of windows s, not of AWS CloudTrail",
        "sigma.many_many": "it is about the logs of windows s, not of AWS CloudTrail",
    }


def test_a_place_without_rules_is_a_slip(sigma: Folder) -> None:
    with pytest.raises(SourceError, match="no Sigma rules"):
        sigma.load()
    with pytest.raises(SourceError, match="no folder or file"):
        load(sigma.root / "none")


def test_rules_of_one_name_are_told_apart(sigma: Folder) -> None:
    for folder in ("a", "b"):
        sigma.add(f"{folder}/User-Made", selecting(eventName="CreateUser"))
    assert [one.rule for one in sigma.load().rules] == ["sigma.user_made", "sigma.user_made_2"]
    assert [one.rule for one in load(sigma.root / "a" / "User-Made.yml").rules] == ["sigma.user_made"]


# Beside our own


def test_sigma_rules_share_the_scan_of_our_own(sigma: Folder) -> None:
    for number in range(3):
        sigma.add(f"r{number}", selecting(eventName=f"Create{number}", eventSource="iam.amazonaws.com"))
    sigma.add("user", selecting(eventName="CREATEUSER"))
    catalogue = Catalogue.load().with_rules(sigma.load().rules)
    matches = [one for one in catalogue.rules if one.kind == "match"]
    sql, params = compiled(matches, {one.rule: one.bind({}) for one in matches})
    assert problems(sql, {name: parameter.type for name, parameter in params.items()}, kind="aggregate") == []
    assert "LOWER(event_name) IN ('create0', 'create1', 'create2', 'createuser')" in sql
    ENGINE.holding({"cloudtrail_events": cloudtrail_events([CALL])})
    run = evaluate(ENGINE, catalogue, rules=[one.rule for one in matches])
    assert {finding.rule for finding in run.findings} >= {"iam.user_created", "sigma.user"}
    assert len(run.results) == 2  # whether there is anything, and the scan


def test_a_catalogue_takes_no_two_rules_of_one_name(sigma: Folder) -> None:
    sigma.add("one", selecting(eventName="x"))
    rules = sigma.load().rules
    with pytest.raises(CatalogueError, match="sigma/one"):
        Catalogue((), rules).with_rules(rules)


def test_what_is_translated_means_the_same_on_every_engine(sigma: Folder) -> None:
    sigma.add("rules", LISTING, READING)
    for number, (name, value, _) in enumerate(SELECTIONS):
        sigma.add(f"s{number}", selecting(**{name: value}))
    for kind, more in (
        ("event_count", {"condition": {"gte": 2}}),
        ("value_count", {"condition": {"gte": 2, "field": "eventName"}, "group-by": ["userIdentity.arn", "awsRegion"]}),
        ("temporal", {}),
        ("temporal_ordered", {"group-by": ["sourceIPAddress"]}),
    ):
        sigma.add(kind, correlation(kind, ["listing", "reading"], timespan="1w", **more))
    found = sigma.load()
    assert not found.refused, found.refused
    for one in found.rules:
        assert problems(one.sql, {}, kind=one.kind) == []
        assert parse(one.sql).sql("trino", pretty=True) == one.sql


def test_every_field_has_a_column_that_comes_from_it() -> None:
    origins = {column.name: column.origin.split(", ") for column in CLOUDTRAIL_EVENTS.columns}
    for name, column in {**fields.COLUMNS, **fields.JSON}.items():
        assert name in origins[column]


@pytest.mark.parametrize(
    ("pattern", "flags", "expected"),
    [
        ("a.*b", "", "a.*b"),
        ("a$|b", "", r"a(?:\n?\z)|b"),
        ("a$", "m", "(?m)a$"),
        ("(?im)a$", "", "(?im)a$"),
        (r"\$[$]", "", r"\$[$]"),
        (r"\d[\w.]\S", "", r"[0-9][0-9A-Za-z_.][^ \t\n\r\f\v]"),
        ("[]a[&]", "", r"[\]a\[\&]"),
        ("[^]a]]", "", r"[^\]a]]"),
        ("(?:a|(b))", "is", "(?is)(?:a|(b))"),
        (r"\bx\z", "", r"\bx\z"),
    ],
)
def test_a_regular_expression_is_written_so_that_engines_agree(pattern: str, flags: str, expected: str) -> None:
    assert portable(pattern, flags) == expected
    for text in ("a", "ab\n", "b]", "1wZ", "x\n", "A]", "$$", "]", "[&", "a["):
        with_flags = f"(?{flags})" if flags else ""
        pattern, as_python = pattern.replace(r"\z", r"\Z"), expected.replace(r"\z", r"\Z")
        assert bool(re.search(with_flags + pattern, text, re.ASCII)) == bool(re.search(as_python, text))


# The command, and in Python


def test_findings_runs_sigma_rules(sigma: Folder, samples: Path, command: Command) -> None:
    sigma.add("user", {**selecting(eventName="AssumeRole"), "author": "Jane Roe"})
    sigma.add("bad", selecting(zone="x"))
    sigma.add("win", {**selecting(eventName="x"), "logsource": {"product": "windows"}})
    said = command("findings", "--store", samples, "--sigma", sigma.root, "--format", "json")
    assert said.code == 3  # one could not run
    assert {finding["author"] for finding in said.json["findings"] if finding["rule"] == "sigma.user"} == {
        "Jane Roe (a Sigma rule)"
    }
    assert set(said.json["rules"]["failed"]) == {"sigma.bad"}
    assert "sigma.win" in said.json["rules"]["skipped"]
    assert "failed: sigma.bad: 'zone' is no field of CloudTrail." in said.err
    assert "it is about the logs of windows, not of AWS CloudTrail" in said.err


def test_findings_runs_one_sigma_rule_alone(sigma: Folder, samples: Path, command: Command) -> None:
    sigma.add("user", selecting(eventName="AssumeRole"))
    sigma.add("bad", selecting(zone="x"))
    alone = ("findings", "--store", samples, "--sigma", sigma.root, "--format", "json", "--rule")
    said = command(*alone, "sigma.user")
    assert said.code == 0
    assert said.json["rules"] == {"ran": ["sigma.user"], "skipped": {}, "failed": {}}
    said = command(*alone, "sigma.bad")
    assert (said.code, said.json["rules"]["ran"]) == (3, [])
    assert set(said.json["rules"]["failed"]) == {"sigma.bad"}
    assert command(*alone, "sigma.none").code == 2
    assert command("findings", "--store", samples, "--sigma", sigma.root / "none").code == 2


def test_an_audit_runs_sigma_rules(sigma: Folder, audit: Audit) -> None:
    sigma.add("user", {**selecting(eventName="AssumeRole"), "author": "Jane Roe"})
    found = audit.findings(sigma=sigma.root, rules=["sigma.user"])
    assert set(found["author"]) == {"Jane Roe (a Sigma rule)"}


def test_without_pysigma_it_is_said_how_to_get_it(
    sigma: Folder, samples: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    sigma.add("user", selecting(eventName="AssumeRole"))
    for name in [name for name in sys.modules if name.split(".")[0] == "sigma" or name.startswith("auditkit.sigma.re")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("auditkit.sigma.reading", raising=False)
    monkeypatch.setattr(sys, "meta_path", [NoSigma(), *sys.meta_path])
    said = command("findings", "--store", samples, "--sigma", sigma.root)
    assert said.code == 2
    assert "pip install 'auditkit-aws[sigma]'" in said.err
    with pytest.raises(ParameterError, match="pySigma"):
        load(sigma.root)


class NoSigma:
    """pySigma is not installed."""

    def find_spec(self, name: str, *_: object) -> None:
        if name.split(".")[0] == "sigma":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


# Whatever the condition is, SQL says what plain Python says

WORDS = st.sampled_from(["a", "A", "ab", "b%", "a_b", "*", "a*", "*b", "?b", r"\*", "a\\b", "'", '"', ""])
FIELDS = ("eventName", "errorCode", "requestParameters.k", "requestParameters.k.l")
TEXTS = st.sampled_from(["a", "A", "ab", "b%", "a_b", "*", "xb", "a\\b", "'", '"', "", None])
NESTED = st.recursive(
    TEXTS, lambda inner: st.lists(inner, max_size=2) | st.fixed_dictionaries({"l": inner}), max_leaves=3
)
EVENTS = st.lists(st.tuples(TEXTS, TEXTS, NESTED), min_size=1, max_size=6)
ITEMS = st.dictionaries(
    st.builds(
        "{}{}".format, st.sampled_from(FIELDS), st.sampled_from(["", "|contains", "|startswith", "|endswith", "|cased"])
    ),
    st.lists(WORDS, min_size=1, max_size=3),
    min_size=1,
    max_size=2,
) | st.fixed_dictionaries({}, optional={"errorCode": st.none(), "requestParameters.k|exists": st.booleans()}).filter(
    bool
)
SAID = st.recursive(
    st.sampled_from(["s1", "s2", "s3"]),
    lambda inner: (
        st.builds("not ({})".format, inner)
        | st.builds("({}) and ({})".format, inner, inner)
        | st.builds("({}) or ({})".format, inner, inner)
    ),
    max_leaves=4,
)


@settings(max_examples=40)
@given(detections=st.tuples(ITEMS, ITEMS, ITEMS), condition=SAID, events=EVENTS)
def test_sql_says_what_the_condition_says(
    tmp_path_factory: pytest.TempPathFactory,
    detections: tuple[dict[str, Any], ...],
    condition: str,
    events: list[tuple[Any, Any, Any]],
) -> None:
    sigma = Folder(tmp_path_factory.mktemp("sigma"))
    document = rule({f"s{n}": items for n, items in enumerate(detections, 1)} | {"condition": condition})
    sigma.add("one", document)
    rows = [
        {"event_id": str(n), "event_name": name, "error_code": code, "request_parameters": json.dumps({"k": value})}
        for n, (name, code, value) in enumerate(events)
    ]
    [read] = SigmaCollection.from_dicts([document]).rules
    assert isinstance(read, SigmaRule)
    expected = {
        row["event_id"]
        for row, (name, code, value) in zip(rows, events, strict=True)
        if _holds(read.detection.parsed_condition[0].parsed, {"eventName": name, "errorCode": code, "requestParameters": {"k": value}})
    }  # fmt: skip
    run = sigma.run(*rows)
    assert {event for finding in run.findings for event in finding.evidence} == expected


def _holds(said: Any, event: dict[str, Any]) -> bool:
    if isinstance(said, tree.ConditionAND):
        return all(_holds(arg, event) for arg in said.args)
    if isinstance(said, tree.ConditionOR):
        return any(_holds(arg, event) for arg in said.args)
    if isinstance(said, tree.ConditionNOT):
        return not _holds(said.args[0], event)
    values = list(_values(event, said.field.split(".")))
    if isinstance(said.value, SigmaNull):
        return not any(value is not None for value in values)
    if isinstance(said.value, SigmaExists):
        return bool(_is_there(event, said.field.split("."))) == said.value.exists
    return any(_passes(said.value, value) for value in values if value is not None)


def _values(of: Any, path: list[str]) -> Any:
    if isinstance(of, list):
        for item in of:
            if not isinstance(item, list) or path:
                yield from _values(item, path) if not isinstance(item, list) else ()
            else:
                yield json.dumps(item, separators=(",", ":"))
    elif path:
        if isinstance(of, dict) and path[0] in of:
            yield from _values(of[path[0]], path[1:])
    else:
        yield json.dumps(of, separators=(",", ":")) if isinstance(of, dict) else of


def _is_there(event: dict[str, Any], path: list[str]) -> bool:
    return path[0] in event and path[1] in event[path[0]]


def _passes(wanted: Any, value: str) -> bool:
    wild: Callable[[Any], str] = lambda part: ".*" if part is SpecialChars.WILDCARD_MULTI else "."  # noqa: E731
    pattern = "".join(re.escape(part) if isinstance(part, str) else wild(part) for part in wanted.s)
    flags = re.DOTALL | (0 if type(wanted).__name__ == "SigmaCasedString" else re.IGNORECASE)
    return re.fullmatch(pattern, value, flags) is not None
