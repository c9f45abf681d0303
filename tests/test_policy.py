"""The policy of what was used: all that went through, and nothing that was refused, failed, or is no action at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import auditkit
from auditkit.identity.actions import actions_of
from auditkit.identity.documents import LONGEST, size
from auditkit.identity.policy import Policy, policy_for, policy_of
from auditkit.identity.policy_text import policy_text
from auditkit.model import Window
from tests.calls import ACCOUNT, REGION, ROLE, call, iam_allows, passed, used

HERE = f"{REGION}:{ACCOUNT}"
SAMPLES = Path(__file__).parent.parent / "data-samples"
NO_PASSES = passed()


def of(*groups: list[dict[str, Any]], roles: pa.Table = NO_PASSES, **more: Any) -> Policy:
    return policy_of(used(*groups), roles, **more)


# --- properties --------------------------------------------------------------------------------------------------

HOSTILE = st.text(
    st.sampled_from('ab/*?${}"\\é\n <') | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40
)
# What is called, what it names, and the ARN that IAM is then asked about.
KINDS = [
    ("s3:GetObject", lambda name: [("bucketName", "b"), ("key", f"b/{name}")], lambda name: f"arn:aws:s3:::b/{name}"),
    ("s3:PutObject", lambda name: [("request", f"arn:aws:s3:::b/{name}")], lambda name: f"arn:aws:s3:::b/{name}"),
    ("secretsmanager:GetSecretValue", lambda name: [("secretId", name)], lambda name: f"arn:aws:secretsmanager:{HERE}:secret:{name}-a1B2c3"),
    ("iam:GetRole", lambda name: [("roleName", name)], lambda name: f"arn:aws:iam::{ACCOUNT}:role/some/path/{name}"),
    ("iam:DeleteUser", lambda name: [("userName", name)], lambda name: f"arn:aws:iam::{ACCOUNT}:user/{name}"),
    ("ecs:UpdateService", lambda name: [("service", name)], lambda name: f"arn:aws:ecs:{HERE}:service/shop/{name}"),
    ("ecs:DescribeClusters", lambda name: [], lambda name: f"arn:aws:ecs:{HERE}:cluster/shop"),
    ("ssm:GetParameter", lambda name: [("name", name)], lambda name: f"arn:aws:ssm:{HERE}:parameter/{name.removeprefix('/')}"),
    ("ec2:DescribeInstances", lambda name: [("id", name)], lambda name: "*"),
    ("lambda:UpdateAlias", lambda name: [("functionName", name)], lambda name: f"arn:aws:lambda:{HERE}:function:{name}"),
    ("sns:Publish", lambda name: [], lambda name: f"arn:aws:sns:{HERE}:any"),
    ("coffee:MakeCoffee", lambda name: [("x", name)], lambda name: "arn:aws:coffee:::cup"),
]  # fmt: skip
CALLS = st.lists(st.tuples(st.sampled_from(KINDS), HOSTILE, st.sampled_from(["ok", "denied", "error"])), max_size=60)


@settings(max_examples=150, deadline=None)
@given(CALLS)
def test_all_that_went_through_is_allowed_and_nothing_else(calls: list[tuple[Any, str, str]]) -> None:
    """Judged by an evaluator of the tests' own, on the ARNs that AWS would ask about."""
    groups = [
        call(event, *named(name), outcome=outcome, event_id=f"e{at}")
        for at, ((event, named, _), name, outcome) in enumerate(calls)
    ]
    policy = of(*groups)
    assert all(size(document) <= LONGEST for document in policy.documents)
    went_through = set()
    for (event, _, arn), name, outcome in calls:
        (action,) = actions_of(f"{event.partition(':')[0]}.amazonaws.com", event.partition(":")[2]).actions
        if outcome == "ok":
            went_through.add(action)
            assert iam_allows(policy.documents, action, arn(name))
    granted = {text for d in policy.documents for s in d["Statement"] for text in s["Action"]}
    assert granted == went_through
    assert {one.action for one in policy.denied} == {
        event for (event, _, _), _, outcome in calls if outcome == "denied"
    }
    assert {one.action for one in policy.failed} == {event for (event, _, _), _, outcome in calls if outcome == "error"}


@settings(max_examples=25, deadline=None)
@given(CALLS, st.randoms())
def test_the_order_of_the_calls_does_not_matter(calls: list[tuple[Any, str, str]], random: Any) -> None:
    groups = [
        call(event, *named(name), outcome=outcome, event_id=f"e{at}")
        for at, ((event, named, _), name, outcome) in enumerate(calls)
    ]
    before = of(*groups)
    random.shuffle(groups)
    assert of(*groups) == before


@settings(max_examples=25, deadline=None)
@given(st.sets(st.text("abcdefgh0123456789", min_size=30, max_size=60), min_size=100, max_size=400))
def test_many_things_make_several_documents(names: set[str]) -> None:
    policy = of(*[call("secretsmanager:GetSecretValue", ("secretId", name), event_id=name) for name in names])
    assert len(policy.documents) > 1
    assert max(map(size, policy.documents)) <= LONGEST
    assert all(
        iam_allows(
            policy.documents, "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:{name}-a1B2c3"
        )
        for name in names
    )


# --- what is granted, and what is told apart ---------------------------------------------------------------------


def test_passed_roles_are_granted_for_the_service_that_got_them() -> None:
    boss = f"arn:aws:iam::{ACCOUNT}:role/boss"
    policy = of(call("ecs:RegisterTaskDefinition", ("family", "web")), roles=passed({"role": boss}))
    assert iam_allows(policy.documents, "iam:PassRole", boss, {"iam:PassedToService": "ecs-tasks.amazonaws.com"})
    assert not iam_allows(policy.documents, "iam:PassRole", boss, {"iam:PassedToService": "lambda.amazonaws.com"})
    assert not iam_allows(
        policy.documents, "iam:PassRole", boss + "2", {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    )
    assert [(one.role, one.passed_to, one.event_id) for one in policy.passed] == [
        (boss, "ecs-tasks.amazonaws.com", "p1")
    ]


def test_the_role_of_an_instance_profile_is_said_to_be_unknown() -> None:
    policy = of(roles=passed({"role": "batch", "kind": "instance_profile", "passed_to": "ec2.amazonaws.com"}))
    assert iam_allows(
        policy.documents,
        "iam:PassRole",
        f"arn:aws:iam::{ACCOUNT}:role/x/batch",
        {"iam:PassedToService": "ec2.amazonaws.com"},
    )
    assert any("instance profile batch, and not the role in it" in text for text in policy.unsure)


def test_without_a_sure_service_there_is_no_condition() -> None:
    policy = of(roles=passed({"role": "batch", "passed_to": None}))
    assert iam_allows(policy.documents, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/batch")
    assert any("without iam:PassedToService on batch" in text for text in policy.unsure)


def test_a_denial_is_of_the_action_that_was_refused() -> None:
    boss = f"arn:aws:iam::{ACCOUNT}:role/boss"
    refused = call("ecs:RegisterTaskDefinition", ("denial", boss), outcome="denied", denied_action="iam:passrole")
    policy = of(refused)
    assert [(one.action, one.resources, one.event_names) for one in policy.denied] == [
        ("iam:PassRole", (boss,), ("RegisterTaskDefinition",))
    ]
    assert policy.documents == ()
    assert policy.unsure == ()


def test_what_was_refused_and_is_allowed_by_a_wider_grant_is_said() -> None:
    here, there = (f"arn:aws:ecs:{HERE}:task/shop/{task}" for task in ("1a", "2b"))
    policy = of(
        call("ecs:ExecuteCommand", ("request", here)),
        call("ecs:ExecuteCommand", ("denial", there), outcome="denied", event_id="e2"),
        call("ecs:StopTask", ("denial", there), outcome="denied", event_id="e3"),
    )
    assert [text for text in policy.unsure if "was refused" in text] == [
        f"ecs:ExecuteCommand was refused on {there}, and these documents would allow it there: it went through at another "
        "time, or is granted on more than was used."
    ]


def test_a_refused_name_of_iam_is_found_in_what_is_granted() -> None:
    policy = of(
        call("iam:CreateAccessKey", ("userName", "bob")),
        call("iam:CreateAccessKey", ("denial", "bob"), outcome="denied", event_id="e2"),
        call("iam:DeleteAccessKey", ("denial", "bob"), outcome="denied", event_id="e3"),
    )
    assert [text.split(",")[0] for text in policy.unsure] == ["iam:CreateAccessKey was refused on bob"]


def test_calls_that_tell_no_action_are_missing_and_said_to_be() -> None:
    policy = of(call("apigateway:CreateRestApi"), call("sts:GetCallerIdentity", event_id="e2"))
    assert policy.documents == ()
    assert [one.action for one in policy.untold] == ["apigateway.amazonaws.com:CreateRestApi"]
    assert any("does not tell which action" in text for text in policy.unsure)
    assert any(text == "No permission is needed for GetCallerIdentity." for text in policy.notes)


def test_a_guess_is_said_to_be_one() -> None:
    policy = of(call("ecs:MakeCoffee"))
    assert policy.used[0].certainty == "guessed"
    assert any("guess" in text and "ecs:MakeCoffee" in text for text in policy.unsure)


def test_what_a_service_does_for_the_principal_needs_the_principals_permission() -> None:
    key = f"arn:aws:kms:{HERE}:key/k"
    policy = of(call("kms:Decrypt", ("resources", key), invoked_by="secretsmanager.amazonaws.com"))
    assert iam_allows(policy.documents, "kms:Decrypt", key)
    assert policy.used[0].invoked_by == ("secretsmanager.amazonaws.com",)
    assert any(
        "secretsmanager.amazonaws.com called kms:Decrypt on the principal's behalf" in text for text in policy.unsure
    )


def test_many_objects_of_a_bucket_are_granted_by_their_folder() -> None:
    groups = [call("s3:GetObject", ("key", f"b/{'x' if n % 2 else 'y'}/{n}"), event_id=f"e{n}") for n in range(60)]
    policy = of(*groups, call("s3:GetObject", ("key", "c/one"), event_id="e99"))
    assert policy.used[0].resources == ("arn:aws:s3:::b/x/*", "arn:aws:s3:::b/y/*", "arn:aws:s3:::c/one")
    assert any("all objects of the bucket b" in text for text in policy.unsure)


def test_counts_times_and_proof() -> None:
    policy = of(
        call("ecs:RunTask", ("taskDefinition", "web:1"), event_count=3, event_id="e2"),
        call("ecs:RunTask", ("taskDefinition", "web:2"), event_count=4, event_id="e1"),
    )
    assert [(one.event_count, one.event_id, one.resources) for one in policy.used] == [
        (7, "e1", (f"arn:aws:ecs:{HERE}:task-definition/web:*",))
    ]


def test_data_events_are_spoken_of() -> None:
    assert any("no data events" in text for text in of().notes)
    assert any(
        "data events of lambda, s3" in text for text in of(data=["s3.amazonaws.com", "lambda.amazonaws.com"]).notes
    )


def test_nothing_used_is_no_document() -> None:
    assert of().documents == ()
    assert "nothing to allow" in policy_text(of(principals=[ROLE]))


def test_text_and_json_are_harmless_and_whole() -> None:
    hostile = "x\x1b[31m<script>"
    policy = of(
        call("secretsmanager:GetSecretValue", ("secretId", hostile)),
        call("iam:GetRole", ("denial", hostile), outcome="denied", event_id="e2"),
        call("ecs:StopTask", ("task", hostile), outcome="error", event_id="e3"),
        principals=[f"arn:aws:iam::{ACCOUNT}:role/\x1b"],
    )
    text = policy_text(policy)
    assert "\x1b" not in text
    assert all(
        title in text for title in ("POLICY", "Document 1 of 1", "DENIED", "FAILED", "WHAT CLOUDTRAIL CANNOT TELL")
    )
    record = json.loads(json.dumps(policy.as_json()))
    assert record["documents"] == list(policy.documents)
    assert record["denied"][0]["first_seen"] == "2026-11-02T09:00:00Z"


# --- the sample company ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def company() -> Any:
    with auditkit.open(SAMPLES) as audit:
        yield audit


def test_the_policy_of_a_pipeline(company: Any) -> None:
    policy = policy_for(company.ask, [f"arn:aws:iam::{ACCOUNT}:role/github-terraform"], Window())
    context = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    assert len(policy.documents) == 1
    assert policy.denied == ()
    assert iam_allows(policy.documents, "ecs:UpdateService", f"arn:aws:ecs:{HERE}:service/shop/checkout")
    assert iam_allows(policy.documents, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/checkout-task", context)
    assert not iam_allows(policy.documents, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/platform-admin", context)
    assert not iam_allows(policy.documents, "secretsmanager:GetSecretValue", "*")


def test_the_policy_of_the_stolen_key_grants_nothing_that_it_was_refused(company: Any) -> None:
    policy = policy_for(company.ask, [f"arn:aws:iam::{ACCOUNT}:user/legacy-deploy"], Window())
    refused = {one.action: one.resources for one in policy.denied}
    assert len(refused) == 17
    assert all(
        arn.startswith(f"arn:aws:secretsmanager:{HERE}:secret:prod/payments/")
        for arn in refused["secretsmanager:GetSecretValue"]
    )
    for action, resources in refused.items():
        assert not any(iam_allows(policy.documents, action, resource) for resource in resources or ("*",))
    assert not any("was refused" in text for text in policy.unsure)
