"""What is worked out of an event when a query asks: the kind of hand behind it."""

from __future__ import annotations

from typing import Any

import pytest

from auditkit.engines.duckdb import DuckDBEngine
from auditkit.engines.sources import source, with_derived
from auditkit.schema import TABLES
from tests.cases import cloudtrail_events

A = "111122223333"
ROLE, USER = f"arn:aws:iam::{A}:role/deploy", f"arn:aws:iam::{A}:user/alice"
SSO = f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Admin_0123456789abcdef"
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.13.3 (+https://www.terraform.io) aws-sdk-go-v2/1.39.2"
CLI, GO, BROWSER = "aws-cli/2.31.6 md/awscrt#0.27.6", "aws-sdk-go/1.55.5", "Mozilla/5.0 (X11; Linux x86_64)"
SESSION: dict[str, Any] = {"identity_type": "AssumedRole", "principal_arn": ROLE, "user_agent": GO}
PERSON: dict[str, Any] = {"identity_type": "IAMUser", "principal_arn": USER, "user_agent": GO}

HANDS: list[tuple[str, dict[str, Any], str]] = [
    # what, its row, whose hand
    ("a service for itself", {"identity_type": "AWSService", "invoked_by": "ecs.amazonaws.com"}, "service"),
    ("a service for somebody", {**PERSON, "invoked_by": "secretsmanager.amazonaws.com"}, "service"),
    ("a service that tells of itself", {"event_type": "AwsServiceEvent"}, "service"),
    ("a service-linked role", {**SESSION, "principal_arn": f"arn:aws:iam::{A}:role/aws-service-role/x/y"}, "service"),
    ("CloudFormation for somebody", {**PERSON, "invoked_by": "cloudformation.amazonaws.com"}, "automation"),
    ("CloudFormation's own role", {**SESSION, "session_name": "AWSCloudFormation"}, "automation"),
    ("Terraform", {**SESSION, "session_name": "aws-go-sdk-17", "user_agent": TERRAFORM}, "automation"),
    ("Terraform under single sign-on", {**SESSION, "principal_arn": SSO, "user_agent": TERRAFORM}, "automation"),
    ("Terraform with a user's key", {**PERSON, "user_agent": TERRAFORM}, "automation"),
    ("a pipeline", {**SESSION, "session_name": "GitHubActions-8804", "user_agent": CLI}, "automation"),
    ("a build", {**SESSION, "session_name": "AWSCodeBuild-0f1e2d3c"}, "automation"),
    ("a pipeline that signs in",
     {"identity_type": "WebIdentityUser", "user_agent": CLI,
      "principal_arn": f"arn:aws:iam::{A}:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:repo:acme/x"},
     "automation"),
    ("a pod that signs in",
     {"identity_type": "WebIdentityUser",
      "principal_arn": f"arn:aws:iam::{A}:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0A:x:system:serviceaccount:x"},
     "workload"),
    ("an instance", {**SESSION, "session_name": "i-0fd6438bc853f83fd"}, "workload"),
    ("an instance that says it is Terraform",
     {**SESSION, "session_name": "i-0fd6438bc853f83fd", "user_agent": TERRAFORM}, "workload"),
    ("a task", {**SESSION, "session_name": "8c3030b1dae3e234f034d21c390cf6e6"}, "workload"),
    ("a task of old", {**SESSION, "session_name": "8c3030b1-dae3-e234-f034-d21c390cf6e6"}, "workload"),
    ("a function", {**SESSION, "session_name": "resize", "user_agent": "Boto3/1.40.0 exec-env/AWS_Lambda_python3.13"},
     "workload"),
    ("root", {"identity_type": "Root", "principal_arn": f"arn:aws:iam::{A}:root", "user_agent": GO}, "person"),
    ("root that says it is Terraform", {"identity_type": "Root", "user_agent": TERRAFORM}, "person"),
    ("a sign-in", {"event_name": "ConsoleLogin", "user_agent": TERRAFORM}, "person"),
    ("single sign-on", {**SESSION, "principal_arn": SSO, "session_name": "alice", "user_agent": GO}, "person"),
    ("a session with an address", {**SESSION, "session_name": "alice@example.com"}, "person"),
    ("a browser", {**SESSION, "session_name": "alice", "user_agent": BROWSER}, "person"),
    ("a console", {**SESSION, "user_agent": "console.ec2.amazonaws.com"}, "person"),
    ("a console of older records", {**PERSON, "invoked_by": "signin.amazonaws.com"}, "person"),
    ("Docker, run by whom the log does not say",
     {**SESSION, "invoked_by": "AWS Internal", "user_agent": "AWS Internal", "session_name": "deploy"}, "unknown"),
    ("Docker on an instance",
     {**SESSION, "invoked_by": "AWS Internal", "user_agent": "AWS Internal", "session_name": "i-0fd6438bc853f83fd"},
     "workload"),
    ("CloudShell", {**SESSION, "user_agent": f"{CLI} exec-env/CloudShell"}, "person"),
    ("a user at a terminal", {**PERSON, "user_agent": CLI}, "person"),
    ("a user who showed a second factor", {**PERSON, "mfa": True}, "person"),
    ("a user's key in a program", PERSON, "unknown"),
    ("a role at a terminal", {**SESSION, "session_name": "ops", "user_agent": CLI}, "unknown"),
    ("nothing known", {}, "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "hand"), [case[1:] for case in HANDS], ids=[case[0] for case in HANDS])
def test_hand(row: dict[str, Any], hand: str) -> None:
    engine = DuckDBEngine({"cloudtrail_events": cloudtrail_events([row])})
    assert engine.run("SELECT hand FROM cloudtrail_events").table["hand"].to_pylist() == [hand]


def test_no_hand_is_left_empty_by_hostile_or_missing_text() -> None:
    rows = [
        {"session_name": text, "user_agent": text, "invoked_by": invoked, "identity_type": kind}
        for text in (None, "", "'", "<script>", "i-", "@.", "\\")
        for invoked in (None, "")
        for kind in (None, "AssumedRole", "IAMUser")
    ]
    engine = DuckDBEngine({"cloudtrail_events": cloudtrail_events(rows)})
    found = set(engine.run("SELECT hand FROM cloudtrail_events").table["hand"].to_pylist())
    assert None not in found
    assert found <= {"person", "automation", "workload", "service", "unknown"}


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_the_schema_tells_of_what_is_derived(table: object) -> None:
    name, derived = table.name, [column.name for column in table.derived]  # type: ignore[attr-defined]
    recorded = source(name, "store").select.copy()
    assert [select.alias_or_name for select in with_derived(name, recorded).selects] == ["*", *derived]
