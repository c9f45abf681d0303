"""`auditkit who`: a sentence, a chain and tables for people, one JSON object for programs, and every kind of subject."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditkit.audit import Audit
from auditkit.identity.answer import Answer
from auditkit.identity.answer_text import in_style
from auditkit.identity.subject import subject_of
from auditkit.identity.who import who
from auditkit.model import Ask, Result, Window
from auditkit.rules import RuleRun
from tests.conftest import Command
from tests.records import IAM_USER, record, write_trail

ESCAPE, BELL = "\x1b", "\x07"
ROGUE, ENTERED = "630a84a07ec76cb9bc95f45f2526b70e", "8c3030b1dae3e234f034d21c390cf6e6"
STS_TOKEN = "IQoJb3JpZ2lu"  # how every session token in data-samples begins

# What each subject of the sample company is, and what its sentence has to say.
SUBJECTS = [
    ("ben.okafor@example.com", "session", "is that of a person of this name (proven)"),
    ("legacy-deploy", "principal", "Nobody is behind the IAM user legacy-deploy but whoever holds its credentials (proven)"),
    ("AKIA6GDLY7RCYEXAMPLE", "key", "is that of legacy-deploy (an IAM user, proven), whoever holds it"),
    ("AKIA2NAUT26ADEXAMPLE", "key", "is that of backup-agent (an IAM user, proven), whoever holds it"),
    ("198.51.100.77", "address", "was used by 4 origins: legacy-deploy (an IAM user, proven), backup-agent"),
    ("198.51.100.23", "address", "was used by task d81460641e2440c59b8ab8370cb6f87c (a workload, proven) alone"),
    ("prod/payments/card-gateway", "secret", f"read once by task {ROGUE} (a workload, proven)"),
    ("prod/shop/db-app", "secret", "by legacy-deploy (an IAM user, proven), to whom no task definition hands it"),
    (ROGUE, "task", "it was started and registered by legacy-deploy (an IAM user, proven)"),
    (ENTERED, "task", "of the service checkout in the cluster shop runs checkout:43; it was deployed and registered by repo:"),
    ("checkout", "service", "3 deployments by repo:example-company/shop"),
    ("shop", "cluster", "2 task runs by legacy-deploy (an IAM user, proven)"),
    ("checkout-task", "principal", "The role checkout-task leads back to 14 origins: task"),
    ("Boto3/1.26.165 Python/3.10.12 Linux/6.1.0-kali9-amd64 Botocore/1.29.165", "user_agent", "legacy-deploy (an IAM user, proven)"),
    ("kali", "user_agent", "was used by 4 origins"),
    ("i-0fd6438bc853f83fd", "instance", "instance i-0fd6438bc853f83fd (a workload, proven)"),
    ("github-terraform", "principal", "leads back to repo:example-company/shop:ref:refs/heads/main (an automation, proven)"),
]  # fmt: skip


@pytest.fixture(scope="module")
def ask(audit: Audit) -> Ask:
    """`audit.ask`, which answers what it was asked before from memory: most questions are the same for every subject."""
    answered: dict[str, Result] = {}

    def remembering(name: str, params: Mapping[str, Any] | None = None, *, window: Window) -> Result:
        key = repr((name, params, window))
        if key not in answered:
            answered[key] = audit.ask(name, params, window=window)
        return answered[key]

    return remembering


@pytest.fixture(scope="module")
def answers(ask: Ask, audit: Audit, rule_run: RuleRun) -> dict[str, Answer]:
    """Of each subject the answer; the rules ran once for all of them."""
    window = audit.window
    return {
        text: who(ask, subject_of(text, ask, window), window=window, findings=rule_run.findings)
        for text, _, _ in SUBJECTS
    }


@pytest.mark.parametrize(("text", "kind", "said"), SUBJECTS, ids=[text for text, _, _ in SUBJECTS])
def test_every_kind_of_subject_of_the_sample_is_told(
    answers: dict[str, Answer], text: str, kind: str, said: str
) -> None:
    assert answers[text].subject.kind == kind
    assert said in answers[text].sentence
    assert "\n" not in answers[text].sentence


@pytest.mark.parametrize("text", [text for text, _, _ in SUBJECTS])
def test_the_text_begins_with_the_answer_and_ends_with_the_window(answers: dict[str, Answer], text: str) -> None:
    lines = in_style(answers[text], "table").splitlines()
    assert lines[0] == answers[text].sentence
    assert lines[-1].endswith("; window: the whole of the logs")


@pytest.mark.parametrize("text", [text for text, _, _ in SUBJECTS])
def test_no_token_is_in_any_answer(answers: dict[str, Answer], text: str) -> None:
    for style in ("table", "json"):
        assert STS_TOKEN not in in_style(answers[text], style)


def test_every_hop_of_a_chain_stands_with_its_proof(ask: Ask, audit: Audit) -> None:
    """Of the key in the other account: three steps, each deeper than the one before."""
    answer = who(ask, subject_of("ASIAYZNP6OS73EXAMPLE", ask, audit.window), window=audit.window)
    text = in_style(answer, "table")
    places = [text.index(hop.event_id) for hop in answer.chain]
    assert len(places) == 3
    assert places == sorted(places)
    assert text.count("returned the key that signed the calls") >= 3


def test_findings_that_concern_the_subject_are_told_and_no_others(answers: dict[str, Answer]) -> None:
    rules = {finding.rule for finding in answers["AKIA6GDLY7RCYEXAMPLE"].findings}
    assert {"iam.admin_policy_attached", "ecs.credentials_endpoint_command"} <= rules
    assert "logging.flow_logs_deleted" not in rules  # the other key did that
    assert "logging.flow_logs_deleted" in {finding.rule for finding in answers["AKIA2NAUT26ADEXAMPLE"].findings}


def test_the_change_that_closed_the_database_is_told_of_who_made_it_and_of_what_it_hit(
    answers: dict[str, Answer],
) -> None:
    for text in ("github-terraform", "checkout"):
        assert "closed" in {link["effect"] for link in answers[text].network.links if link["kind"] == "change"}, text


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A user whose name, agent and secret were chosen by an attacker."""
    name = f"eve{ESCAPE}[2J\nALL CLEAR"
    identity = IAM_USER | {"arn": f"arn:aws:iam::111122223333:user/{name}", "userName": name}
    logs = tmp_path / "hostile"
    write_trail(
        logs / "trail.json",
        record(
            "e1", userIdentity=identity, userAgent=f"a\tb{BELL}", requestParameters={"secretId": f"x{ESCAPE}]0;y\nz"}
        ),
        record("e2", userIdentity=identity, errorCode="AccessDenied", errorMessage=f"no{ESCAPE}[1A"),
    )
    return logs


def test_names_chosen_by_an_attacker_move_nothing_on_the_terminal(command: Command, hostile: Path) -> None:
    said = command("who", "AKIAEXAMPLE", hostile)
    assert said.code == 0
    assert ESCAPE not in said.out + said.err
    assert BELL not in said.out
    assert "\\u001b[2J\\nALL CLEAR" in said.out
    assert not [line for line in said.out.splitlines() if line.startswith("ALL CLEAR")]


def test_json_is_one_object_with_origin_and_chain(command: Command, hostile: Path, tmp_path: Path) -> None:
    said = command("who", "AKIAEXAMPLE", hostile, "--format", "json", "--out", tmp_path / "who.json")
    assert (said.code, said.out) == (0, "")
    facts = json.loads((tmp_path / "who.json").read_text(encoding="utf-8"))
    assert {"subject", "kind", "window", "sentence", "origin", "chain", "lineages", "issued", "activity", "denials",
            "addresses", "secrets", "findings", "network", "workload", "unknown"} <= set(facts)  # fmt: skip
    assert (facts["subject"], facts["kind"], facts["origin"]["certainty"]) == ("AKIAEXAMPLE", "key", "proven")
    assert {"kind", "principal_arn", "session_name", "session_arn", "access_key_id", "account_id", "name", "certainty",
            "because"} <= set(facts["origin"])  # fmt: skip
    assert facts["denials"][0]["first_seen"] == "2026-11-02T10:00:00Z"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nobody",), "Nothing in the whole of the logs is called 'nobody'"),
        (("posture-scanner",), "Say which is meant: --kind principal or --kind session"),
        (("198.51.100.77", "--kind", "secret"), "is no secret, but looks like an address"),
        (("alice", "--kind", "person"), "'person' is not one of 'principal'"),
    ],
)
def test_wrong_use_exits_2_and_says_what_to_do(
    command: Command, samples: Path, words: tuple[str, ...], said: str
) -> None:
    done = command("who", *words, samples)
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.split())
