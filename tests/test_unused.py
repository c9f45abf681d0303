"""Four states of what is granted, and no guess where a Deny, a condition, NotAction or a boundary decides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditkit.identity.granted import Details
from auditkit.identity.policy import policy_of
from auditkit.identity.policy_text import granted_text
from auditkit.identity.unused import STATES, ActionState, compare
from tests.calls import ROLE, call, passed, used

TASK = call("ecs:RunTask", ("taskDefinition", "web"), event_id="run")


def judged(
    *statements: dict[str, Any], calls: Any = (TASK,), roles: Any = (), data: Any = (), boundary: Any = None
) -> dict[str, ActionState]:
    """The states by action, of a role with these statements."""
    role: dict[str, Any] = {
        "Arn": ROLE,
        "RolePolicyList": [
            {
                "PolicyName": "own",
                "PolicyDocument": {"Statement": [{"Resource": "*", "Effect": "Allow", **one} for one in statements]},
            }
        ],
    }
    policies = []
    if boundary:
        role["PermissionsBoundary"] = {"PermissionsBoundaryArn": "arn:fence"}
        text = {"Statement": [{"Effect": "Allow", "Action": boundary, "Resource": "*"}]}
        policies = [{"Arn": "arn:fence", "PolicyVersionList": [{"IsDefaultVersion": True, "Document": text}]}]
    granted = Details.parse(json.dumps({"RoleDetailList": [role], "Policies": policies})).granted_to(ROLE)
    found = compare(policy_of(used(*calls), passed(*roles), data=data), granted)
    assert len({one.action for one in found}) == len(found)
    return {one.action: one for one in found}


def states(found: dict[str, ActionState]) -> dict[str, str]:
    return {action: one.state for action, one in found.items()}


def test_the_four_states() -> None:
    get = call("secretsmanager:GetSecretValue", ("secretId", "db"), event_id="get")
    found = judged({"Action": ["ecs:RunTask", "ecs:StopTask", "s3:GetObject", "logs:PutLogEvents"]}, calls=[TASK, get])
    assert states(found) == {
        "secretsmanager:GetSecretValue": "used but not granted",
        "ecs:StopTask": "unused",
        "s3:GetObject": "unknown",
        "logs:PutLogEvents": "unknown",
        "ecs:RunTask": "used",
    }
    assert list(found) == sorted(found, key=lambda action: (STATES.index(found[action].state), action))
    assert found["ecs:RunTask"].event_id == "run"
    assert found["ecs:RunTask"].policies == ("own (inline)",)
    assert found["secretsmanager:GetSecretValue"].event_id == "get"
    assert "policy of the resource" in found["secretsmanager:GetSecretValue"].caveats[0]
    assert found["ecs:StopTask"].caveats == ()


def test_a_pattern_that_was_used_in_part_names_what_was_used() -> None:
    (one,) = judged({"Action": "ECS:*Task"}).values()
    assert (one.action, one.state, one.used) == ("ECS:*Task", "used", ("ecs:RunTask",))
    assert {"ecs:StartTask", "ecs:StopTask"} <= set(one.unused)
    assert one.count == len(one.used) + len(one.unused) + len(one.unknown)
    assert f"Used in part: 1 of {one.count} actions." in one.caveats


def test_everything_is_counted_and_not_listed() -> None:
    (one,) = judged({"Action": "*"}).values()
    assert (one.state, one.used, one.unused, one.unknown) == ("used", ("ecs:RunTask",), (), ())
    assert one.count > 10_000


def test_a_pattern_with_actions_that_leave_no_event_is_unknown_and_not_unused() -> None:
    found = judged({"Action": "sns:*"}, calls=[])
    assert found["sns:*"].state == "unknown"
    assert found["sns:*"].unknown == ("sns:Publish",)
    assert "sns:CreateTopic" in found["sns:*"].unused
    assert "would not tell" in found["sns:*"].caveats[0]


def test_with_data_events_of_the_service_an_action_on_data_is_unused() -> None:
    assert states(judged({"Action": ["s3:GetObject", "sns:Publish"]}, calls=[], data=["s3.amazonaws.com"])) == {
        "s3:GetObject": "unused",
        "sns:Publish": "unknown",
    }


def test_calls_that_do_not_tell_their_action_leave_their_service_open() -> None:
    assert states(judged({"Action": ["apigateway:GET", "execute-api:Invoke"]}, calls=[])) == {
        "apigateway:GET": "unknown",
        "execute-api:Invoke": "unknown",
    }
    partiql = call("dynamodb:ExecuteStatement")
    assert states(judged({"Action": "dynamodb:CreateTable"}, calls=[partiql]))["dynamodb:CreateTable"] == "unknown"
    assert states(judged({"Action": "dynamodb:CreateTable"}, calls=[])) == {"dynamodb:CreateTable": "unused"}


def test_passing_a_role_is_a_use_with_its_proof() -> None:
    found = judged({"Action": "iam:PassRole"}, calls=[], roles=[{"role": "arn:aws:iam::111122223333:role/x"}])
    assert (found["iam:PassRole"].state, found["iam:PassRole"].event_id) == ("used", "p1")
    assert states(judged({"Action": "iam:PassRole"}, calls=[])) == {"iam:PassRole": "unknown"}


def test_what_was_called_and_failed_is_not_unused() -> None:
    found = judged({"Action": "ecs:StopTask"}, calls=[call("ecs:StopTask", outcome="error")])
    assert found["ecs:StopTask"].state == "unknown"
    assert found["ecs:StopTask"].caveats == (
        "Called, but every call failed for another reason than permission: ecs:StopTask.",
    )


def test_what_was_refused_although_it_is_granted_is_said() -> None:
    found = judged({"Action": "ecs:StopTask"}, calls=[call("ecs:StopTask", outcome="denied")])
    assert found["ecs:StopTask"].state == "unused"
    assert "Refused although it is granted: ecs:StopTask" in found["ecs:StopTask"].caveats[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}, "under a condition"),
        ({"NotResource": "arn:aws:ecs:x"}, "under a condition, or by NotResource"),
    ],
)
def test_a_condition_is_not_judged(more: dict[str, Any], said: str) -> None:
    found = judged({"Action": "ecs:StopTask", **more}, calls=[])
    assert found["ecs:StopTask"].state == "unused"
    assert said in found["ecs:StopTask"].caveats[0]
    assert "cannot be judged" in found["ecs:StopTask"].caveats[0]


@pytest.mark.parametrize("deny", [{"Action": "ecs:Stop*"}, {"NotAction": "iam:*"}])
def test_a_deny_is_not_judged(deny: dict[str, Any]) -> None:
    found = judged({"Action": ["ecs:StopTask", "iam:GetRole"]}, {"Effect": "Deny", **deny}, calls=[])
    assert "A Deny in own (inline) speaks of it too" in found["ecs:StopTask"].caveats[0]
    assert found["iam:GetRole"].caveats == ()


def test_not_action_grants_all_others_and_is_not_judged() -> None:
    (one,) = judged({"NotAction": ["iam:*", "sts:*"]}).values()
    assert (one.action, one.state, one.used) == ("all but iam:*, sts:*", "used", ("ecs:RunTask",))
    assert "cannot be judged" in one.caveats[0]
    assert states(judged({"NotAction": "ecs:*"})) == {"ecs:RunTask": "used but not granted", "all but ecs:*": "unknown"}


def test_a_boundary_is_not_judged() -> None:
    found = judged({"Action": ["ecs:StopTask", "iam:GetRole"]}, calls=[], boundary="iam:*")
    assert "permissions boundary" in found["ecs:StopTask"].caveats[0]
    assert found["iam:GetRole"].caveats == ()


def test_a_pattern_that_means_nothing_is_unknown() -> None:
    found = judged({"Action": "coffee:*"}, calls=[])
    assert (found["coffee:*"].state, found["coffee:*"].count) == ("unknown", 0)
    assert "no action that this pattern means" in found["coffee:*"].caveats[0]


def test_a_policy_that_is_not_in_the_export_may_allow_what_was_used() -> None:
    role = {"Arn": ROLE, "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/Lost"}]}
    granted = Details.parse(json.dumps({"RoleDetailList": [role]})).granted_to(ROLE)
    (one,) = compare(policy_of(used(TASK), passed()), granted)
    assert (one.state, one.action) == ("used but not granted", "ecs:RunTask")
    assert "arn:aws:iam::aws:policy/Lost is not in the export, and may allow it." in one.caveats
    assert one.as_json()["caveats"] == list(one.caveats)


def test_text_for_the_terminal_has_a_table_a_state_and_what_cannot_be_judged() -> None:
    found = judged({"Action": ["ecs:*", "iam:GetRole", "x\x1b:*"], "Condition": {"Bool": {"a": "true"}}})
    text = granted_text(list(found.values()))
    assert [line for line in text.splitlines() if line.isupper()] == ["UNUSED", "UNKNOWN", "USED"]
    assert "- iam:GetRole: Granted under a condition" in text  # once for all that it is true of
    assert "\x1b" not in text
    assert granted_text([]) == "GRANTED  nothing, and nothing was used"
