"""The review of an ECS service: good only where the logs prove it, and silence cannot be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import auditkit
from auditkit.audit import Audit
from auditkit.ecs_review.review import in_short
from auditkit.ecs_review.step import VERDICTS, About, Check, Step, named, step
from auditkit.review_sections import Reviewed, reviewed
from tests.records import record, write_trail

RULES = ["ecs.plain_text_secret", "ecs.public_ip_assigned", "ecs.execute_command"]  # a few, since all take their time
ABOUT = About(1, "A step", "It matters.", "What logs cannot show.")
CI = "arn:aws:iam::111122223333:role/ci"
DIGEST = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:" + "0a" * 32


def definition(**changes: Any) -> dict[str, Any]:
    """A registration as it should be: secrets by reference, an image by its digest, two roles."""
    container = {
        "name": "app",
        "image": DIGEST,
        "environment": [{"name": "LOG_LEVEL", "value": "info"}],
        "secrets": [{"name": "DB", "valueFrom": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-a1B2c3"}],
    }
    request = {
        "family": "shop",
        "networkMode": "awsvpc",
        "taskRoleArn": "arn:aws:iam::111122223333:role/shop-task",
        "executionRoleArn": "arn:aws:iam::111122223333:role/shop-execution",
        "containerDefinitions": [{**container, **changes}],
    }
    made = {"taskDefinition": {**request, "revision": 7, "taskDefinitionArn": f"{ARN}:7"}}
    return {
        "eventSource": "ecs.amazonaws.com",
        "eventName": "RegisterTaskDefinition",
        "requestParameters": request,
        "responseElements": made,
    }


ARN = "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop"


def service(**network: Any) -> dict[str, Any]:
    wiring = {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED", **network}
    return {
        "eventSource": "ecs.amazonaws.com",
        "eventName": "CreateService",
        "requestParameters": {
            "cluster": "main",
            "serviceName": "shop",
            "taskDefinition": f"{ARN}:7",
            "networkConfiguration": {"awsvpcConfiguration": wiring},
            "enableExecuteCommand": False,
        },
        "responseElements": {"service": {"serviceName": "shop"}},
    }


def judged(folder: Path, *records: Mapping[str, Any], **scope: str) -> Reviewed:
    write_trail(folder / "trail.json", *(record(f"e{n}", **one) for n, one in enumerate(records)))
    with auditkit.open(folder) as opened:
        return reviewed(opened, opened.evaluate(rules=RULES), opened.coverage(), **scope)


def of(done: Reviewed, number: int) -> Step:
    return next(one for one in done.steps if one.number == number)


@pytest.fixture(scope="module")
def shop(audit: Audit) -> Reviewed:
    """The sample company, which somebody broke into twice."""
    return reviewed(audit, audit.evaluate(), audit.coverage())


# --- what a step is -------------------------------------------------------------------------------------------------


def test_a_step_is_as_bad_as_its_worst_check() -> None:
    checks = [
        Check("good", "Fine."),
        Check("cannot_tell", "Silent."),
        Check("bad", "Open."),
        Check("attention", "Odd."),
    ]
    one = step(ABOUT, checks)
    assert [check.verdict for check in one.checks] == list(VERDICTS)
    assert (one.verdict, one.sentence) == ("bad", "Open.")


def test_silence_keeps_a_step_from_being_good() -> None:
    assert step(ABOUT, [Check("good", "Fine."), Check("cannot_tell", "Silent.")]).verdict == "cannot_tell"


def test_a_step_says_once_what_is_to_be_done() -> None:
    one = step(ABOUT, [Check("bad", "a", "Close it."), Check("bad", "b", "Close it."), Check("good", "c")])
    assert one.what_to_do == ("Close it.",)


def test_many_checks_of_a_kind_are_counted() -> None:
    assert step(ABOUT, [Check("bad", f"{n}.") for n in range(5)]).sentence == "0. 1. And 3 more of the kind."


def test_names_are_listed_once_and_counted_beyond_three() -> None:
    assert named(["a", "b", "a"]) == "a and b"
    assert named("abcde") == "a, b, c and 2 more"
    assert named([]) == ""


def test_the_whole_is_told_in_a_sentence() -> None:
    steps = [step(ABOUT, [Check(verdict, "x")]) for verdict in ("bad", "bad", "good", "cannot_tell")]
    assert in_short(steps) == "Of 4 steps 2 are bad, 1 cannot be told, 1 is good."


# --- the sample company ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, ["was opened to the whole internet (0.0.0.0/0) on port 5432 by user backup-agent"]),
        (2, ["metrics-sync:1", "PGPASSWORD"]),
        (3, ["administrator role", "platform-admin"]),
        (4, ["legacy-deploy", "ExecuteCommand"]),
        (6, ["VPC flow log deleted"]),
        (7, ["opened a shell", "8c3030b1dae3e234f034d21c390cf6e6"]),
        (8, ["metrics-sync:1 was started with a public address"]),
        (9, ["Scan from inside the network"]),
    ],
)
def test_the_sample_is_judged_by_what_happened_in_it(shop: Reviewed, number: int, words: Sequence[str]) -> None:
    one = of(shop, number)
    assert one.verdict == "bad"
    assert all(word in one.sentence for word in words)
    assert one.event_ids or one.findings
    assert one.what_to_do


def test_what_is_in_order_in_the_sample_is_said_too(shop: Reviewed) -> None:
    good = [check.sentence for check in of(shop, 2).checks if check.verdict == "good"]
    assert any("DB_URL" in sentence and "by reference" in sentence for sentence in good)
    assert of(shop, 5).verdict == "attention"


def test_no_value_of_an_environment_is_shown(shop: Reviewed) -> None:
    shown = " ".join(
        f"{one.sentence} {' '.join(map(str, one.what_to_do))} {' '.join(e.frame.to_csv() for e in one.evidence)}"
        for one in shop.steps
    )
    assert "Winter2019" not in shown


# --- by hand --------------------------------------------------------------------------------------------------------


def test_where_the_logs_say_nothing_of_a_service_nothing_is_good(tmp_path: Path) -> None:
    done = judged(tmp_path, {"eventSource": "sts.amazonaws.com", "eventName": "GetCallerIdentity"})
    assert {of(done, number).verdict for number in (1, 2, 3, 5, 8, 9)} == {"cannot_tell"}
    assert all(one.what_to_do for one in done.steps if one.verdict == "cannot_tell")


def test_a_definition_as_it_should_be_is_good(tmp_path: Path) -> None:
    done = judged(tmp_path, definition(), service())
    assert of(done, 2).verdict == "good"
    assert "DB by reference" in of(done, 2).sentence
    assert of(done, 8).verdict == "good"


def test_a_password_in_plain_text_is_bad_whatever_else_is_good(tmp_path: Path) -> None:
    plain = [{"name": "DB_PASSWORD", "value": "hunter2-hunter2"}]
    done = judged(tmp_path, definition(), definition(environment=plain))
    assert of(done, 2).verdict == "bad"
    assert "DB_PASSWORD" in of(done, 2).sentence
    assert "hunter2" not in of(done, 2).sentence


def test_an_environment_that_aws_hides_cannot_be_told(tmp_path: Path) -> None:
    done = judged(tmp_path, definition(environment="HIDDEN_DUE_TO_SECURITY_REASONS"))
    assert of(done, 2).verdict == "cannot_tell"


def test_a_public_address_is_bad(tmp_path: Path) -> None:
    done = judged(tmp_path, definition(), service(assignPublicIp="ENABLED"))
    assert of(done, 8).verdict in ("bad", "attention")
    assert "public address" in of(done, 8).sentence


def test_an_image_by_its_tag_needs_attention(tmp_path: Path) -> None:
    tagged = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop:latest"
    assert of(judged(tmp_path, definition(image=tagged), service()), 5).verdict == "attention"


def test_a_shell_is_bad_and_none_is_not_proof(tmp_path: Path) -> None:
    shell = {
        "eventSource": "ecs.amazonaws.com",
        "eventName": "ExecuteCommand",
        "requestParameters": {
            "cluster": "main",
            "task": "0a" * 16,
            "container": "app",
            "command": "sh",
            "interactive": True,
        },
        "responseElements": {"taskArn": "arn:aws:ecs:eu-west-1:111122223333:task/main/" + "0a" * 16},
    }
    done = judged(tmp_path, definition(), service(), shell)
    assert of(done, 7).verdict in ("bad", "attention")
    assert "shell" in of(done, 7).sentence


def test_a_service_that_nobody_started_is_told_with_those_that_were(tmp_path: Path) -> None:
    done = judged(tmp_path, definition(), service(), service="web")
    assert done.is_strange
    assert done.elsewhere == ("shop in cluster main",)
