"""Who somebody is, on logs written by hand: every kind of subject, and what the logs cannot tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import auditkit
import auditkit.identity.who
from auditkit.errors import AmbiguousSubjectError, UnknownSubjectError
from auditkit.identity.answer import Answer
from auditkit.identity.subject import Kind, subject_of
from auditkit.identity.who import EARLIER, before, who
from auditkit.model import Window
from auditkit.output import as_json
from tests.records import ACCOUNT, IAM_USER, START, flow_line, record, write_flows, write_trail

TASK = "0123456789abcdef0123456789abcdef"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/admin"
DENIED = {"errorCode": "AccessDenied", "errorMessage": "User is not authorized"}
Ask = Callable[..., Answer]


def session(role: str, name: str, key: str) -> dict[str, Any]:
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}", "accountId": ACCOUNT, "userName": role}
    return {
        "type": "AssumedRole",
        "principalId": f"AROA{role.upper()}:{name}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "sessionContext": {"sessionIssuer": issuer},
    }


def assume(event_id: str, by: dict[str, Any], role: str, name: str, key: str, at: str, **more: Any) -> dict[str, Any]:
    return record(
        event_id,
        userIdentity=by,
        eventTime=f"2026-11-02T{at}Z",
        eventSource="sts.amazonaws.com",
        eventName="AssumeRole",
        requestParameters={"roleArn": f"arn:aws:iam::{ACCOUNT}:role/{role}", "roleSessionName": name},
        responseElements={
            "credentials": {"accessKeyId": key, "sessionToken": "IQoJb3JpZ2luTOKEN"},
            "assumedRoleUser": {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"},
        },
        **more,
    )


def by_service(service: str) -> dict[str, Any]:
    return {"type": "AWSService", "invokedBy": service}


def ask_who(
    audit: auditkit.Audit, text: str, *, kind: Kind | None = None, window: Window | None = None, **more: Any
) -> Answer:
    """As the Audit asks, without running the rules."""
    asked = window or audit.window
    return who(audit.ask, subject_of(text, audit.ask, asked, kind=kind), window=asked, **more)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Ask]]:
    """Logs of some records and flow lines, to be asked who somebody is; the same logs are opened once."""
    with ExitStack() as opened:
        audits: dict[str, auditkit.Audit] = {}

        def make(*records: dict[str, Any], flows: tuple[str, ...] = ()) -> Ask:
            key = repr((records, flows))
            if key not in audits:
                logs = tmp_path_factory.mktemp("logs")
                write_trail(logs / "trail.json", *records)
                if flows:
                    write_flows(logs / "flows.log", *flows)
                audits[key] = opened.enter_context(auditkit.open(logs))
            audit = audits[key]
            return partial(ask_who, audit)

        yield make


CHAIN = [
    assume("a1", IAM_USER, "deploy", "alice-1", "ASIAONE", "10:00:00"),
    record("a2", userIdentity=session("deploy", "alice-1", "ASIAONE"), eventTime="2026-11-02T10:01:00Z", **DENIED),
    assume("a3", session("deploy", "alice-1", "ASIAONE"), "admin", "fix", "ASIATWO", "10:02:00"),
    record(
        "a4",
        userIdentity=session("admin", "fix", "ASIATWO"),
        eventTime="2026-11-02T10:03:00Z",
        eventSource="iam.amazonaws.com",
        eventName="CreateUser",
        requestParameters={"userName": "eve"},
        sourceIPAddress="198.51.100.7",
    ),
]


def test_a_key_leads_back_through_every_role_with_one_proof_a_hop(told: Callable[..., Ask]) -> None:
    answer = told(*CHAIN)("ASIATWO")
    facts = answer.as_json()
    assert (facts["subject"], facts["kind"]) == ("ASIATWO", "key")
    assert {name: facts["origin"][name] for name in ("kind", "principal_arn", "session_name", "certainty")} == {
        "kind": "user",
        "principal_arn": IAM_USER["arn"],
        "session_name": None,
        "certainty": "proven",
    }
    assert [(hop["event_id"], hop["session_arn"], hop["access_key_id"]) for hop in facts["chain"]] == [
        ("a1", f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/alice-1", "ASIAONE"),
        ("a3", f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/fix", "ASIATWO"),
    ]
    assert answer.sentence == (
        "The access key ASIATWO leads back to alice (an IAM user, proven); 1 call from 198.51.100.7."
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [("admin", "principal"), (ADMIN, "principal"), ("fix", "session"), ("admin/fix", "session"), ("198.51.100.7", "address")],
)  # fmt: skip
def test_every_name_of_it_leads_back_to_the_same(told: Callable[..., Ask], text: str, kind: str) -> None:
    answer = told(*CHAIN)(text)
    assert answer.subject.kind == kind
    assert answer.origin.identity.principal_arn == IAM_USER["arn"]
    assert [hop.event_id for hop in answer.chain] == ["a1", "a3"]


def test_what_somebody_went_on_to_take_is_told(told: Callable[..., Ask]) -> None:
    answer = told(*CHAIN)("alice")
    assert [hop.event_id for hop in answer.issued] == ["a1", "a3"]
    assert answer.chain == ()
    assert "Nobody is behind the IAM user alice but whoever holds its credentials (proven)" in answer.sentence


def test_activity_denials_and_addresses_are_of_the_subject_alone(told: Callable[..., Ask]) -> None:
    answer = told(*CHAIN)("deploy/alice-1")
    assert [(row["service"], row["event_count"], row["denied_count"]) for row in answer.activity] == [
        ("secretsmanager", 1, 1),
        ("sts", 1, 0),
    ]
    assert [(row["event_name"], row["event_id"], row["error_message"]) for row in answer.denials] == [
        ("GetSecretValue", "a2", "User is not authorized")
    ]
    assert [(row["source_ip"], row["event_count"]) for row in answer.addresses] == [("192.0.2.10", 2)]
    assert [row["secret"] for row in answer.secrets] == ["prod/db"]


def test_without_the_grant_nobody_is_named(told: Callable[..., Ask]) -> None:
    answer = told(CHAIN[3])("ASIATWO")
    assert (answer.origin.kind, answer.origin.certainty, answer.chain) == ("unknown", "unknown", ())
    assert answer.sentence.startswith("Who is behind the access key ASIATWO is unknown")
    assert any("No event that handed it out lies in the logs" in text for text in answer.unknown)


def test_a_grant_before_the_window_counts_and_the_calls_then_do_not(told: Callable[..., Ask]) -> None:
    window = Window(datetime(2026, 11, 2, 10, 2, 30, tzinfo=UTC))
    answer = told(*CHAIN)("ASIATWO", window=window)
    assert [hop.event_id for hop in answer.chain] == ["a1", "a3"]
    assert sum(row["event_count"] for row in answer.activity) == 1
    assert before(window).start == window.start - EARLIER


def test_a_key_that_never_called_leads_back_to_whom_it_was_given(told: Callable[..., Ask]) -> None:
    answer = told(CHAIN[0])("ASIAONE")
    assert answer.origin.name == "alice"
    assert [hop.event_id for hop in answer.chain] == ["a1"]
    assert answer.activity == ()


def test_several_origins_are_all_named_and_none_is_chosen(told: Callable[..., Ask]) -> None:
    bob = IAM_USER | {"arn": f"arn:aws:iam::{ACCOUNT}:user/bob", "userName": "bob", "accessKeyId": "AKIABOB"}
    ask = told(
        assume("a1", IAM_USER, "admin", "one", "ASIAONE", "10:00:00"),
        assume("b1", bob, "admin", "two", "ASIATWO", "10:00:00"),
        record("a2", userIdentity=session("admin", "one", "ASIAONE"), eventTime="2026-11-02T10:10:00Z"),
        record("a3", userIdentity=session("admin", "one", "ASIAONE"), eventTime="2026-11-02T10:11:00Z"),
        record("b2", userIdentity=session("admin", "two", "ASIATWO"), eventTime="2026-11-02T10:12:00Z"),
    )
    answer = ask("admin")
    assert "2 origins: alice (an IAM user, proven) and bob (an IAM user, proven)" in answer.sentence
    assert (answer.origin.name, answer.origin.certainty, answer.chain) == ("2 origins", "unknown", ())
    assert [(group.origin.name, group.event_count) for group in answer.origins] == [("alice", 2), ("bob", 1)]
    assert [row["origin"]["name"] for row in answer.as_json()["lineages"]] == ["alice", "bob"]


def test_the_same_session_name_under_two_roles_is_two_people_when_they_are(told: Callable[..., Ask]) -> None:
    """Whoever takes a role chooses the name of the session, so the name of a person on another role proves nothing."""
    sso = "AWSReservedSSO_Dev_0123456789abcdef"
    ask = told(
        record("s1", userIdentity=session(sso, "ben@example.com", "ASIAONE")),
        record("s2", userIdentity=session("admin", "ben@example.com", "ASIATWO")),
    )
    kinds = {group.origin.kind: group.origin.certainty for group in ask("ben@example.com").origins}
    assert kinds == {"person": "likely", "unknown": "unknown"}


REGISTER = record(
    "r1",
    eventTime="2026-11-02T09:00:00Z",
    eventSource="ecs.amazonaws.com",
    eventName="RegisterTaskDefinition",
    requestParameters={
        "family": "shop",
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/exec",
        "containerDefinitions": [{"secrets": [{"name": "DB", "valueFrom": "prod/db"}]}],
    },
    responseElements={"taskDefinition": {"taskDefinitionArn": f"arn:aws:ecs:eu-central-1:{ACCOUNT}:task-definition/shop:7"}},
)  # fmt: skip
RUN = record(
    "r2",
    eventTime="2026-11-02T09:01:00Z",
    eventSource="ecs.amazonaws.com",
    eventName="RunTask",
    requestParameters={"cluster": "main", "taskDefinition": "shop"},
    responseElements={
        "tasks": [
            {
                "taskArn": f"arn:aws:ecs:eu-central-1:{ACCOUNT}:task/main/{TASK}",
                "clusterArn": f"arn:aws:ecs:eu-central-1:{ACCOUNT}:cluster/main",
                "taskDefinitionArn": f"arn:aws:ecs:eu-central-1:{ACCOUNT}:task-definition/shop:7",
            }
        ]
    },
)
GIVEN = assume(
    "r3", by_service("ecs-tasks.amazonaws.com"), "exec", TASK, "ASIATASK", "09:01:10",
    sourceIPAddress="ecs-tasks.amazonaws.com",
)  # fmt: skip
READ = record("r4", userIdentity=session("exec", TASK, "ASIATASK"), eventTime="2026-11-02T09:01:20Z")


def test_a_task_leads_to_its_definition_and_to_who_made_it(told: Callable[..., Ask]) -> None:
    answer = told(REGISTER, RUN, GIVEN, READ)(TASK)
    assert (answer.subject.kind, answer.origin.kind, answer.origin.certainty) == ("task", "workload", "proven")
    (task,) = answer.workload.tasks
    assert (task.cluster, task.service, task.task_definition) == ("main", None, "shop:7")
    assert task.started is not None
    assert task.registered is not None
    assert (task.started.event_id, task.registered.event_id) == ("r2", "r1")
    assert "it was started and registered by alice (an IAM user, proven)" in answer.sentence
    assert any("CloudTrail does not record it" in text for text in answer.unknown)


def test_a_task_that_called_nothing_is_still_a_task(told: Callable[..., Ask]) -> None:
    answer = told(REGISTER, RUN)(TASK)
    assert (answer.origin.kind, answer.origin.certainty, answer.origin.name) == ("workload", "proven", f"task {TASK}")


def test_a_task_that_only_a_session_names_is_not_made_more_certain_than_it_is(told: Callable[..., Ask]) -> None:
    answer = told(READ)(TASK)
    assert (answer.origin.kind, answer.origin.certainty) == ("workload", "likely")
    assert "is named by a session alone: that it is a task is likely" in answer.sentence


def test_a_secret_names_first_who_should_not_have_read_it(told: Callable[..., Ask]) -> None:
    more = [READ | {"eventID": f"m{n}", "eventTime": f"2026-11-02T09:02:0{n}Z"} for n in range(5)]
    answer = told(REGISTER, RUN, GIVEN, READ, *more, record("x1"))("prod/db")
    assert answer.sentence == (
        "The secret prod/db was read 7 times: once by alice (an IAM user, proven), to whom no task definition hands it,"
        " and 6 times by 1 task that it is meant for."
    )
    assert [(row["origin"]["name"], row["meant"]) for row in answer.as_json()["lineages"]] == [
        ("alice", False),
        (f"task {TASK}", True),
    ]


def test_a_secret_that_was_refused_to_everybody_was_read_by_nobody(told: Callable[..., Ask]) -> None:
    answer = told(record("x1", **DENIED))("prod/db")
    assert "was read by nobody; 1 read was refused (alice (an IAM user, proven))" in answer.sentence


def test_what_others_did_to_a_user_is_told_apart(told: Callable[..., Ask]) -> None:
    ask = told(
        *CHAIN, record("e1", userIdentity=IAM_USER | {"arn": f"arn:aws:iam::{ACCOUNT}:user/eve", "userName": "eve"})
    )
    answer = ask("eve")
    assert [(row["event_name"], row["event_id"]) for row in answer.done_to] == [("CreateUser", "a4")]
    assert [row["event_count"] for row in answer.activity] == [1]


def test_an_address_that_the_network_alone_knows(told: Callable[..., Ask]) -> None:
    answer = told(
        record("e1"), flows=(flow_line(srcaddr="203.0.113.9"), flow_line(srcaddr="203.0.113.9", start=START + 60))
    )("203.0.113.9")
    assert "No call came from the address 203.0.113.9" in answer.sentence
    assert answer.network.reject_count == 2
    assert answer.network.has_flows


def test_without_flow_records_the_network_is_unknown(told: Callable[..., Ask]) -> None:
    answer = told(record("e1"))("alice")
    assert any("nothing of the network" in text for text in answer.unknown)


def test_private_addresses_of_a_caller_are_not_looked_for_in_the_network(told: Callable[..., Ask]) -> None:
    """Another may have had the address; asked about it alone, it is what was asked."""
    ask = told(record("e1", sourceIPAddress="10.0.0.9"), flows=(flow_line(srcaddr="10.0.0.9"),))
    assert ask("alice").network.reject_count == 0
    assert ask("10.0.0.9").network.reject_count == 1


def test_what_is_left_out_is_said(told: Callable[..., Ask], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditkit.identity.who, "ROWS", 1)
    monkeypatch.setattr(auditkit.identity.who, "TRACED", 0)
    answer = told(*CHAIN)("192.0.2.10")
    assert any("the rarest calls are left out" in text for text in answer.unknown)
    assert any("1 identity that did less was not traced" in text for text in answer.unknown)


def test_session_tokens_are_in_no_answer(told: Callable[..., Ask]) -> None:
    ask = told(*CHAIN)
    for text in ("alice", "ASIATWO", "192.0.2.10"):
        assert "IQoJb3JpZ2lu" not in as_json(ask(text).as_json())


def test_the_audit_adds_the_findings_that_concern_the_subject(tmp_path: Path) -> None:
    attach = {"eventSource": "iam.amazonaws.com", "eventName": "AttachUserPolicy"}
    policy = {"userName": "eve", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    other = IAM_USER | {
        "arn": f"arn:aws:iam::{ACCOUNT}:user/mallory",
        "userName": "mallory",
        "accessKeyId": "AKIAOTHER",
    }
    write_trail(
        tmp_path / "logs" / "trail.json",
        record("e1", **attach, requestParameters=policy),
        record("e2", userIdentity=other, sourceIPAddress="192.0.2.11", requestParameters={"secretId": "prod/api"}),
    )
    with auditkit.open(tmp_path / "logs") as audit:
        findings = audit.who("alice").findings
        assert "iam.admin_policy_attached" in {finding.rule for finding in findings}
        assert ask_who(audit, "AKIAEXAMPLE", findings=findings).findings == findings
        assert ask_who(audit, "mallory", findings=findings).findings == ()
        with pytest.raises(UnknownSubjectError):
            audit.who("nobody")


def test_a_kind_decides_where_a_name_is_of_several(tmp_path: Path) -> None:
    ecs = {"eventSource": "ecs.amazonaws.com", "eventName": "UpdateService"}
    write_trail(
        tmp_path / "logs" / "trail.json",
        record("e1", **ecs, requestParameters={"cluster": "main", "service": "alice", "forceNewDeployment": True}),
    )
    with auditkit.open(tmp_path / "logs") as audit:
        with pytest.raises(AmbiguousSubjectError):
            audit.who("alice")
        answer = ask_who(audit, "alice", kind="service")
    assert "1 deployment by alice (an IAM user, proven)" in answer.sentence
