"""What principals are granted: every place that a policy can hang, and every form an export comes in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from auditkit.errors import ParameterError
from auditkit.identity.granted import Details

ACCOUNT = "111122223333"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"


def document(action: Any, effect: str = "Allow", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]}


def managed(name: str, *versions: dict[str, Any], default: int = 0) -> dict[str, Any]:
    listed = [
        {"VersionId": f"v{n}", "IsDefaultVersion": n == default, "Document": text} for n, text in enumerate(versions)
    ]
    return {"PolicyName": name, "Arn": f"arn:aws:iam::{ACCOUNT}:policy/{name}", "PolicyVersionList": listed}


def attached(name: str) -> dict[str, str]:
    return {"PolicyName": name, "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/{name}"}


ROLE = {
    "Arn": APP,
    "RoleName": "app",
    "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": document("s3:GetObject", resource="arn:aws:s3:::b/*")}],
    "AttachedManagedPolicies": [attached("ops")],
}
USER = {
    "Arn": ALICE,
    "UserName": "alice",
    "UserPolicyList": [{"PolicyName": "mine", "PolicyDocument": document(["iam:GetUser"])}],
    "GroupList": ["staff", "gone"],
    "AttachedManagedPolicies": [],
    "PermissionsBoundary": {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": attached("fence")["PolicyArn"],
    },
}
STAFF = {
    "GroupName": "staff",
    "Arn": f"arn:aws:iam::{ACCOUNT}:group/staff",
    "GroupPolicyList": [{"PolicyName": "read", "PolicyDocument": document("ecs:Describe*")}],
    "AttachedManagedPolicies": [attached("ops"), attached("lost")],
}
OPS = managed(
    "ops", document("ecs:*"), document(["ecs:RunTask", "ecs:StopTask"], Condition={"Bool": {"x": "true"}}), default=1
)
FENCE = managed("fence", document("iam:*"))
EXPORT = {"UserDetailList": [USER], "GroupDetailList": [STAFF], "RoleDetailList": [ROLE], "Policies": [OPS, FENCE]}


def grants(principal: str, export: Any = EXPORT) -> list[tuple[str, str, tuple[str, ...]]]:
    details = Details.parse(json.dumps(export))
    return [(grant.policy, grant.effect, grant.actions) for grant in details.granted_to(principal).grants]


def test_a_role_has_its_own_policies_and_the_default_version_of_attached_ones() -> None:
    assert grants(APP) == [
        ("own (inline)", "Allow", ("s3:GetObject",)),
        ("ops", "Allow", ("ecs:RunTask", "ecs:StopTask")),
    ]
    own, ops = Details.parse(json.dumps(EXPORT)).granted_to(APP).grants
    assert (own.resources, own.is_conditional, ops.is_conditional) == (("arn:aws:s3:::b/*",), False, True)


def test_a_user_has_those_of_its_groups_and_a_boundary_too() -> None:
    granted = Details.parse(json.dumps(EXPORT)).granted_to(ALICE)
    assert [grant.policy for grant in granted.grants] == [
        "mine (inline)",
        "read (inline) via the group staff",
        "ops via the group staff",
    ]
    assert granted.boundary is not None
    assert [(grant.policy, grant.actions) for grant in granted.boundary] == [("fence (boundary)", ("iam:*",))]
    assert granted.missing == (attached("lost")["PolicyArn"], "the group gone")


def test_a_boundary_that_is_not_in_the_export_is_said_to_be_missing() -> None:
    granted = Details.parse(json.dumps(EXPORT | {"Policies": [OPS]})).granted_to(ALICE)
    assert granted.boundary is None
    assert f"the boundary {attached('fence')['PolicyArn']}" in granted.missing


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(EXPORT),
        json.dumps(EXPORT, indent=4),
        "\n".join(json.dumps({key: value}) for key, value in EXPORT.items()),
        json.dumps([{key: value} for key, value in EXPORT.items()]),
        json.dumps({"RoleDetailList": [ROLE]}, indent=1)
        + "\n\n"
        + json.dumps(EXPORT | {"RoleDetailList": []}, indent=1),
        json.dumps(EXPORT | {"IsTruncated": False, "Marker": "x", "ResponseMetadata": {}}),
    ],
    ids=["one line", "indented", "a page a line", "a list of pages", "one behind another", "more keys"],
)
def test_every_form_of_an_export(text: str, tmp_path: Path) -> None:
    file = tmp_path / "details.json"
    file.write_text(text, encoding="utf-8-sig")
    assert Details.read(file).granted_to(APP) == Details.parse(json.dumps(EXPORT)).granted_to(APP)
    assert Details.read(file).granted_to(ALICE) == Details.parse(json.dumps(EXPORT)).granted_to(ALICE)


@pytest.mark.parametrize("written", [quote(json.dumps(document("s3:GetObject"))), json.dumps(document("s3:GetObject"))])
def test_a_document_may_be_text_with_percent_signs_or_without(written: str) -> None:
    role = ROLE | {"RolePolicyList": [{"PolicyName": "own", "PolicyDocument": written}], "AttachedManagedPolicies": []}
    assert grants(APP, {"RoleDetailList": [role]}) == [("own (inline)", "Allow", ("s3:GetObject",))]


def test_a_statement_alone_needs_no_list() -> None:
    alone = {"Statement": {"Effect": "Deny", "NotAction": "iam:*", "NotResource": ["x"]}}
    role = ROLE | {"RolePolicyList": [{"PolicyName": "own", "PolicyDocument": alone}], "AttachedManagedPolicies": []}
    (grant,) = Details.parse(json.dumps({"RoleDetailList": [role]})).granted_to(APP).grants
    assert (grant.effect, grant.actions, grant.is_inverted, grant.is_conditional) == ("Deny", ("iam:*",), True, True)
    assert grant.speaks_of("ecs:RunTask")
    assert not grant.speaks_of("IAM:GetRole")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("[]", "is empty"),
        ("{", "no JSON in line 1"),
        ('{"RoleDetailList": []}\n{"Ro', "no JSON in line 2"),
        ("null", "document 1 has none of"),
        ('{"Records": []}', "document 1 has none of UserDetailList"),
        ('{"RoleDetailList": []} {"Records": []}', "document 2 has none of"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_what_is_no_export_is_named(text: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said) as error:
        Details.parse(text, name="details.json")
    assert "details.json" in str(error.value)
    assert "get-account-authorization-details" in str(error.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match=r"x\.json is not text in UTF-8"):
        Details.read(tmp_path / "x.json")
    with pytest.raises(ParameterError, match=r"none\.json cannot be read"):
        Details.read(tmp_path / "none.json")
    with pytest.raises(ParameterError, match="cannot be read"):
        Details.read(tmp_path)


@pytest.mark.parametrize("broken", ["%7B", "", None, 7, [], {"Statement": [7]}, {"Statement": [{"Effect": "Maybe"}]}])
def test_a_policy_that_cannot_be_read_is_no_policy_without_grants(broken: Any) -> None:
    role = ROLE | {"RolePolicyList": [{"PolicyName": "own", "PolicyDocument": broken}]}
    with pytest.raises(ParameterError, match="own"):
        grants(APP, {"RoleDetailList": [role]})


def test_a_principal_that_is_not_there_is_named() -> None:
    with pytest.raises(ParameterError, match="no arn:aws:iam::111122223333:role/other: it holds 2 users and roles"):
        grants(f"arn:aws:iam::{ACCOUNT}:role/other")
