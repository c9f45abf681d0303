"""Findings become stories: what belongs together is joined, and nothing else is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import combinations
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit import joining
from auditkit.addresses import address_of, is_public
from auditkit.cases import FEW, GAP, Case, Cases, cases
from auditkit.model import SEVERITIES, Finding, worst_first
from auditkit.rules import RuleRun
from tests.made_findings import made

HOUR = 60
ACCOUNT = "111122223333"
OUTSIDE = "198.51.100.77"
TASK = "8c3030b1dae3e234f034d21c390cf6e6"


def arn(kind: str, name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:{kind}/{name}"


def by(name: str, *, kind: str = "user", at: float = 0, **given: Any) -> Finding:
    """A finding about what *name* did, from an address that nobody else has."""
    given.setdefault("source_ips", [])
    return made(principal_arn=arn(kind, name), at=at, **given)


def flows(at: float = 0, **given: Any) -> Finding:
    return made(**{"rule": "network.external_scan", "principal_arn": None, "at": at, "source_ips": [OUTSIDE], **given})


def together(*findings: Finding, **options: Any) -> bool:
    """Whether all of them are one case; none of them is when not."""
    found = cases(findings, **options)
    assert found.alone == [] or found.cases == []
    return found.alone == []


def test_what_one_principal_does_in_one_span_is_a_case() -> None:
    story = [by("eve", at=0), by("eve", at=40, rule="iam.mfa_deactivated", severity="critical", title="MFA taken away")]
    found = cases([*story, by("bob", at=10)])
    [case] = found.cases
    assert case.title == (f"user eve of account {ACCOUNT}: 2 findings in 40 minutes, worst critical: MFA taken away")
    assert (case.severity, case.principals, case.accounts) == ("critical", (arn("user", "eve"),), (ACCOUNT,))
    assert case.findings == tuple(story)
    assert [finding.principal_arn for finding in found.alone] == [arn("user", "bob")]


@pytest.mark.parametrize(("pause", "joined"), [(12 * HOUR, True), (12 * HOUR + 1, False)])
def test_a_pause_longer_than_the_gap_ends_a_case(pause: float, joined: bool) -> None:
    assert together(by("eve", lasting=30), by("eve", rule="b.c", at=30 + pause)) is joined
    assert together(by("eve", lasting=pause), by("eve", rule="b.c", at=pause), gap=timedelta(0))


def test_one_name_in_two_accounts_or_of_two_kinds_is_two_principals() -> None:
    assert not together(by("eve"), made(principal_arn=arn("user", "eve", "444455556666"), source_ips=[]))
    assert not together(by("eve"), by("eve", kind="role"))
    assert together(
        by("deploy", kind="role"), by("path/to/deploy", kind="role", rule="b.c")
    )  # with and without its path
    assert not together(
        *(made(principal_arn="ecs.amazonaws.com", account_id=of, source_ips=[]) for of in (ACCOUNT, "444455556666"))
    )


@pytest.mark.parametrize(
    ("rule", "resource", "kind", "joined"),
    [
        ("iam.user_created", "bob", "user", True),
        ("iam.user_created", "BOB", "user", True),  # IAM does not tell them apart
        ("iam.user_created", arn("user", "team/bob"), "user", True),
        ("iam.user_created", arn("user", "bob", "444455556666"), "user", False),
        ("iam.user_created", arn("role", "bob"), "user", False),
        ("iam.user_created", "bob", "role", False),
        ("iam.user_created", "bobby", "user", False),
        ("iam.role_trusts_other_account", "bob", "role", True),
        ("iam.admin_policy_attached", "bob", "role", True),
        ("iam.admin_policy_attached", "bob", "user", True),
        ("ecs.admin_task_role", "bob", "role", True),
        ("ecs.admin_task_role", "bob", "user", False),
        ("ecs.plain_text_secret", "bob", "role", False),  # a family of tasks called like its role
        ("secretsmanager.secret_destroyed", "bob", "user", False),
        ("s3.bucket_public", "arn:aws:s3:::bob", "user", False),
        ("sts.role_chained", f"arn:aws:sts::{ACCOUNT}:assumed-role/bob/session", "role", True),
    ],
)
def test_what_was_done_to_a_principal_leads_to_what_it_does(rule: str, resource: str, kind: str, joined: bool) -> None:
    assert together(by("eve", rule=rule, resource=resource), by("bob", kind=kind, at=5, rule="b.c")) is joined


def test_a_name_that_a_user_and_a_role_have_joins_neither() -> None:
    deed = by("eve", rule="iam.admin_policy_attached", resource="bob")
    assert not together(deed, by("bob", at=5), by("bob", kind="role", at=5))


def test_only_a_deed_joins_and_only_with_what_came_after_it() -> None:
    deed: dict[str, Any] = {"rule": "iam.credentials_for_another_user", "resource": "bob"}
    assert not together(by("eve", **deed, outcome="denied"), by("bob", at=5))
    assert not together(by("bob", at=-5, lasting=4), by("eve", **deed))  # Clara takes Bob's key away
    assert together(by("bob", at=-5, lasting=6), by("eve", **deed))
    assert not together(by("eve", **deed), by("bob", at=12 * HOUR + 1))


def test_the_longest_deed_and_the_longest_act_reach_furthest() -> None:
    deed: dict[str, Any] = {"rule": "iam.credentials_for_another_user", "resource": "bob"}
    assert together(by("bob", lasting=14 * HOUR), by("bob", rule="b.c", at=1), by("eve", **deed, at=5))
    deeds = by("eve", **deed), by("mallory", **deed, at=1, lasting=14 * HOUR)
    assert together(*deeds, by("bob", at=5), by("bob", rule="b.c", at=25 * HOUR))


def test_a_way_into_a_workload_leads_to_its_session() -> None:
    stolen = {"rule": "sts.workload_session_from_outside", "resource": TASK, "kind": "role"}
    for target in (TASK, f"arn:aws:ecs:eu-central-1:{ACCOUNT}:task/shop/{TASK}", f"ecs:shop_{TASK}_{TASK}-42"):
        assert together(by("eve", rule="ecs.execute_command", resource=target), by("checkout", at=5, **stolen))
    assert not together(by("eve", rule="ecs.execute_command", resource="9" * 32), by("checkout", at=5, **stolen))
    assert not together(by("eve", resource=TASK), by("bob", resource=TASK, rule="ssm.session_into_task"))


def test_an_address_joins_the_few_who_share_it() -> None:
    few = [by(f"user-{n}", source_ips=[OUTSIDE, f"192.0.2.{n}"]) for n in range(FEW)]
    assert together(*few)
    assert not together(*few, by("one-more", source_ips=[OUTSIDE]))  # a NAT gateway, an office
    assert not together(*few, shared_addresses=[OUTSIDE])
    assert not together(by("eve", source_ips=[OUTSIDE]), by("bob", source_ips=[OUTSIDE], at=13 * HOUR))


@pytest.mark.parametrize("source", ["ecs.amazonaws.com", "AWS Internal", "10.0.0.7", "fd00::1", "169.254.170.2"])
def test_what_is_no_public_address_joins_no_principals(source: str) -> None:
    assert not together(by("eve", source_ips=[source]), by("bob", source_ips=[source]))


def test_flow_records_join_through_addresses_and_things() -> None:
    assert together(by("eve", source_ips=[OUTSIDE]), flows(at=-20))
    assert together(by("eve", source_ips=["10.0.0.7"]), flows(resource="10.0.0.7", source_ips=["10.9.9.9"]))
    assert together(by("eve", resource="eni-0a1b2c3d"), flows(resource="eni-0a1b2c3d", source_ips=[]))
    assert not together(by("eve", source_ips=["10.0.0.7"], account_id="444455556666"), flows(source_ips=["10.0.0.7"]))
    assert not together(by("eve", source_ips=[OUTSIDE]), flows(at=-13 * HOUR))
    assert together(flows(), flows(resource="eni-0a1b2c3d", source_ips=["192.0.2.9", OUTSIDE]))
    assert not together(flows(), flows(resource="eni-0a1b2c3d"), shared_addresses=[OUTSIDE])


def test_a_row_that_sums_up_much_belongs_to_the_worst_story_and_joins_no_two() -> None:
    noise = flows(at=-26 * HOUR, lasting=50 * HOUR, source_ips=[OUTSIDE, *(f"192.0.2.{n}" for n in range(80))])
    mild, bad = by("bob", source_ips=["192.0.2.7"]), by("eve", at=20, source_ips=[OUTSIDE], severity="critical")
    found = cases([noise, mild, bad])
    [case] = found.cases
    assert case.findings == (noise, bad)
    assert (case.first_seen, case.last_seen) == (bad.first_seen, bad.last_seen)  # the story, not the week around it
    assert found.alone == [mild]
    assert not together(noise, flows())  # by itself it stands for none of its addresses


def test_flow_records_alone_are_told_by_what_they_share() -> None:
    assert cases([flows(), flows(resource="eni-0a1b2c3d")]).cases[0].title.startswith(f"{OUTSIDE}: 2 findings within")
    some = flows(resource="i-0a1b2c3d", source_ips=[]), flows(rule="a.b", resource="i-0a1b2c3d", source_ips=[], at=180)
    assert cases(some).cases[0].title.startswith("i-0a1b2c3d: 2 findings in 3 hours")
    assert cases([by("eve", at=n * 11 * HOUR, rule=f"a.r{n}") for n in range(6)]).cases[0].title.count("in 2 days") == 1


def test_events_that_prove_two_findings_count_once() -> None:
    both = by("eve", evidence=("e1", "e2"), event_count=2), by("eve", rule="b.c", evidence=("e2",), event_count=1)
    assert cases(both).cases[0].event_count == 2
    summed = flows(rule="network.rejected_egress", evidence=("one flow",), event_count=48)
    assert cases([flows(), summed]).cases[0].event_count == 1 + 48


def test_a_case_keeps_its_id_while_its_story_goes_on() -> None:
    began = by("eve"), by("eve", at=9, rule="b.c")
    later = by("eve", at=30, rule="c.d", severity="critical")
    found = [cases(group).cases[0].id for group in (began, [*began, later], [*began, flows(at=-99)])]
    assert len(set(found)) == 1
    assert found[0] not in {finding.id for finding in began}


def test_cases_are_plain_values_in_json() -> None:
    first, second = by("eve", lasting=1), by("eve", rule="b.c", at=2)
    told = cases([second, first]).cases[0].as_json()
    assert told["findings"] == [first.id, second.id]
    assert told["first_seen"] == "2026-11-03T02:00:00Z"
    assert told["timeline"][0] == {
        "time": "2026-11-03T02:00:00Z",
        "until": "2026-11-03T02:01:00Z",
        "severity": "medium",
        "title": "IAM user created",
        "finding_id": first.id,
        "summary": first.summary,
    }


def test_no_findings_are_no_cases() -> None:
    assert cases([]) == Cases([], [])


def test_the_sample_intrusion_is_one_case(rule_run: RuleRun) -> None:
    found = cases(rule_run.findings)
    night = found.cases[0]
    assert night.severity == "critical"
    assert set(night.principals) >= {arn("user", "legacy-deploy"), arn("user", "backup-agent")}
    assert not any("AWSReservedSSO" in principal for principal in night.principals)
    assert {"network.external_scan", "iam.admin_policy_attached", "logging.flow_logs_deleted"} <= {
        finding.rule for finding in night.findings
    }


# --- against the plain definition -----------------------------------------------------------------------------------

NAMES = ("alice", "bob", "eve")
FINDINGS = st.builds(
    made,
    at=st.sampled_from([0, 1, 5, 11 * HOUR, 13 * HOUR, 25 * HOUR, 40 * HOUR]),
    lasting=st.sampled_from([0, 3, 14 * HOUR]),
    rule=st.sampled_from(
        ["iam.user_created", "iam.admin_policy_attached", "iam.role_trusts_everyone", "ecs.plain_text_secret"]
    ),
    severity=st.sampled_from(SEVERITIES),
    outcome=st.sampled_from(["ok", "denied"]),
    principal_arn=st.sampled_from([None, "ecs.amazonaws.com", *(arn("user", n) for n in NAMES), arn("role", "bob")]),
    account_id=st.sampled_from([ACCOUNT, ACCOUNT, "444455556666"]),
    resource=st.sampled_from([None, *NAMES, arn("user", "eve"), "eni-0a1b2c3d", "10.0.0.7"]),
    source_ips=st.lists(st.sampled_from([OUTSIDE, "192.0.2.7", "10.0.0.7", "ecs.amazonaws.com"]), unique=True),
)


def in_reach(one: Finding, other: Finding) -> bool:
    return one.first_seen - other.last_seen <= GAP and other.first_seen - one.last_seen <= GAP


def related(one: Finding, other: Finding, few: int, findings: Sequence[Finding]) -> bool:
    """Whether two findings with principals belong together, from the definition alone."""

    def key(finding: Finding) -> Any:
        return joining._principal(finding)

    def is_shared(address: str) -> bool:
        behind = {key(f) for f in findings if f.principal_arn and address in f.source_ips}
        parsed = address_of(address)
        return parsed is not None and is_public(parsed) and len(behind) <= few

    def leads_to(deed: Finding, act: Finding) -> bool:
        known = {key(f) for f in findings if f.principal_arn}
        return deed.outcome == "ok" and key(act) in joining._meant(deed, known) and act.last_seen >= deed.first_seen

    return in_reach(one, other) and (
        key(one) == key(other)
        or leads_to(one, other)
        or leads_to(other, one)
        or any(map(is_shared, {*one.source_ips} & {*other.source_ips}))
    )


def grouped(named: list[Finding], few: int) -> set[frozenset[int]]:
    """The groups of findings that hang together, by their places."""
    groups = [{n} for n in range(len(named))]
    for a, b in combinations(range(len(named)), 2):
        if related(named[a], named[b], few, named):
            one, other = (next(group for group in groups if n in group) for n in (a, b))
            if one is not other:
                groups.remove(other)
                one |= other
    return set(map(frozenset, groups))


def told(found: Cases) -> list[list[Finding]]:
    return [*(list(case.findings) for case in found.cases), *([finding] for finding in found.alone)]


@given(st.lists(FINDINGS, max_size=9), st.integers(1, 3))
def test_cases_join_related_principals_and_no_others(findings: list[Finding], few: int) -> None:
    named = [finding for finding in findings if finding.principal_arn]
    places = {id(finding): n for n, finding in enumerate(named)}
    found = [{places[id(f)] for f in group if f.principal_arn} for group in told(cases(findings, few=few))]
    assert {frozenset(group) for group in found if group} == grouped(named, few)


@given(st.lists(FINDINGS, max_size=9))
def test_what_names_nobody_has_something_in_common_with_its_case(findings: list[Finding]) -> None:
    for case in cases(findings).cases:
        named = [finding for finding in case.findings if finding.principal_arn]
        for finding in case.findings:
            if named and not finding.principal_arn:
                assert any(
                    in_reach(finding, other)
                    and (
                        {*finding.source_ips, finding.resource}
                        & {*other.source_ips, other.resource} - {None, "ecs.amazonaws.com"}
                    )
                    for other in named
                )


@given(st.lists(FINDINGS, max_size=9), st.randoms())
def test_every_finding_is_told_once_whatever_the_order(findings: list[Finding], random: Any) -> None:
    found = cases(findings)
    assert sorted(id(f) for group in told(found) for f in group) == sorted(map(id, findings))
    shuffled = list(findings)
    random.shuffle(shuffled)
    assert cases(shuffled).cases == found.cases
    assert [f.id for f in cases(shuffled).alone] == [f.id for f in found.alone]


@given(st.lists(FINDINGS, max_size=9))
def test_a_case_is_as_severe_as_its_worst_and_comes_after_worse_ones(findings: list[Finding]) -> None:
    found = cases(findings)
    for case in found.cases:
        assert case.severity == worst_first(case.findings)[0].severity
        assert len(case.findings) > 1
        times = [step.time for step in case.timeline]
        assert times == sorted(times)

    def order(case: Case) -> Any:
        return -SEVERITIES.index(case.severity), case.first_seen, case.id

    assert found.cases == sorted(found.cases, key=order)


# --- how much work it is --------------------------------------------------------------------------------------------


def steps(work: Callable[[], object]) -> int:
    """How many instructions of Python *work* takes in the modules under test."""
    taken = 0

    def follow(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal taken
        if not frame.f_code.co_filename.endswith(("joining.py", "cases.py")):
            return None
        frame.f_trace_opcodes = True
        taken += event == "opcode"
        return follow

    before = sys.gettrace()
    sys.settrace(follow)
    try:
        work()
    finally:
        sys.settrace(before)
    return taken


SHAPES: dict[str, Callable[[int], list[Finding]]] = {
    "one principal": lambda n: [by("eve", at=k, rule=f"a.r{k}") for k in range(n)],
    "one address": lambda n: [by(f"u{k % 5}", at=k, rule=f"a.r{k}", source_ips=[OUTSIDE]) for k in range(n)],
    "a crowded address": lambda n: [by(f"u{k}", at=k, source_ips=[OUTSIDE]) for k in range(n)],
    "many deeds and many acts": lambda n: [
        by(f"u{k}", at=k // 2, resource="bob", lasting=n) if k % 2 else by("bob", at=k // 2, rule=f"a.r{k}")
        for k in range(n)
    ],
    "deeds that lead nowhere": lambda n: (
        [by(f"u{k}", at=k, resource="bob", lasting=n) for k in range(n - 1)] + [by("bob", at=n)]
    ),
    "flows of one address": lambda n: [flows(at=k, resource=f"eni-{k:08x}") for k in range(n)],
    "flows beside principals": lambda n: [
        flows(at=k, resource=f"eni-{k:08x}") if k % 2 else by(f"u{k % 5}", rule=f"a.r{k}", at=k, source_ips=[OUTSIDE])
        for k in range(n)
    ],
    "apart in time": lambda n: [by("eve", at=k * 13 * HOUR, rule=f"a.r{k}", source_ips=[OUTSIDE]) for k in range(n)],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_work_grows_as_the_findings_do(shape: str) -> None:
    some, many = (SHAPES[shape](n) for n in (100, 400))
    assert steps(lambda: cases(many)) < 5.5 * steps(lambda: cases(some))
