"""From a task to its definition, its service and its makers: what the rows prove, and what they leave open."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from auditkit.identity.workload import EARLY, Deployments, secret_name

SEEN = datetime(2026, 11, 2, 12, 0)
NOTHING = dict.fromkeys(
    (
        *("event_id", "flow", "event_name", "principal_arn", "principal_account", "identity_type", "session_name"),
        *("access_key_id", "source_ip", "cluster", "service", "task_definition", "task_id", "task_role_arn"),
        *("execution_role_arn", "secrets", "images", "interface_ids"),
    )
)


def row(step: str, at: datetime, **known: Any) -> dict[str, Any]:
    place = {"account_id": "111122223333", "aws_region": "eu-central-1"}
    return NOTHING | place | {"step": step, "first_seen": at, "last_seen": at, "record_count": 1} | known


def deployed(event_id: str, at: datetime, **known: Any) -> dict[str, Any]:
    facts = {"cluster": "main", "service": "web", "task_definition": "shop:7", "event_name": "UpdateService"}
    return row("deployed", at, event_id=event_id, **(facts | known))


TASK = row("seen", SEEN, task_id="t1", cluster="main", service="web", task_definition="shop:7", flow="eni-1 a>b:1/6")
EARLIER = SEEN - timedelta(hours=1)


def test_the_only_deployment_of_the_definition_is_proven() -> None:
    task = Deployments([TASK, deployed("d1", EARLIER)]).task("t1")
    assert task is not None
    assert task.deployed is not None
    assert (task.deployed.event_id, task.deployed.certainty) == ("d1", "proven")


def test_of_several_deployments_the_latest_is_likely() -> None:
    task = Deployments([TASK, deployed("d1", EARLIER), deployed("d2", EARLIER + timedelta(minutes=5))]).task("t1")
    assert task is not None
    assert task.deployed is not None
    assert (task.deployed.event_id, task.deployed.certainty) == ("d2", "likely")


@pytest.mark.parametrize(
    "other",
    [
        deployed("d1", EARLIER, service="api"),
        deployed("d1", EARLIER, cluster="other"),
        deployed("d1", EARLIER, task_definition="shop:6"),
        deployed("d1", EARLIER, task_definition="shopping"),
        deployed("d1", SEEN + EARLY + timedelta(seconds=1)),
        deployed("d1", EARLIER, account_id="444455556666"),
        deployed("d1", EARLIER, aws_region="us-east-1"),
        deployed("d1", EARLIER) | {"step": "changed"},
    ],
    ids=["service", "cluster", "revision", "family", "later", "account", "region", "no deployment"],
)
def test_another_deployment_is_not_that_of_the_task(other: dict[str, Any]) -> None:
    task = Deployments([TASK, other]).task("t1")
    assert task is not None
    assert task.deployed is None


def test_a_family_alone_means_its_latest_revision() -> None:
    task = Deployments([TASK, deployed("d1", EARLIER, task_definition="shop")]).task("t1")
    assert task is not None
    assert task.deployed is not None


def test_a_task_outside_a_service_is_no_deployments() -> None:
    task = Deployments([TASK | {"service": None}, deployed("d1", EARLIER, service=None)]).task("t1")
    assert task is not None
    assert task.deployed is None


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([TASK], "Who registered shop:7 is not in the logs"),
        ([row("credentials", SEEN, task_id="t1", event_id="c1", task_role_arn="r")], "No flow log with ECS fields"),
        ([row("credentials", SEEN, task_id="t1", event_id="c1", task_role_arn="r")], "do not tell its task definition"),
        ([TASK | {"service": None}], "No RunTask or StartTask of it is in the logs"),
    ],
)
def test_what_the_logs_leave_open_is_said(rows: list[dict[str, Any]], said: str) -> None:
    task = Deployments(rows).task("t1")
    assert task is not None
    assert any(said in text for text in task.unknown)


def test_a_task_of_which_all_is_known_leaves_nothing_open() -> None:
    registered = row("registered", EARLIER, event_id="r1", task_definition="shop:7")
    task = Deployments([TASK, registered, deployed("d1", EARLIER)]).task("t1")
    assert task is not None
    assert task.unknown == ()
    assert task.flow == "eni-1 a>b:1/6"


def test_a_task_that_no_row_names_is_none() -> None:
    assert Deployments([TASK]).task("t2") is None


def test_who_is_meant_to_read_a_secret() -> None:
    named = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-a1B2c3:password::, prod/other"
    registered = row(
        "registered", EARLIER, event_id="r1", task_definition="shop:7", secrets=named, execution_role_arn="exec"
    )
    (one,) = Deployments([registered]).injecting({"prod/db"})
    assert (one.task_definition, one.role_arns) == ("shop:7", ("exec",))
    assert Deployments([registered]).injecting({"prod/d", "other"}) == []


@pytest.mark.parametrize(
    ("value_from", "name"),
    [
        ("arn:aws:secretsmanager:eu-central-1:1:secret:prod/db-a1B2c3", "prod/db"),
        ("arn:aws:secretsmanager:eu-central-1:1:secret:prod/db-a1B2c3:password:AWSCURRENT:", "prod/db"),
        ("arn:aws:ssm:eu-central-1:1:parameter/prod/db", "arn:aws:ssm:eu-central-1:1:parameter/prod/db"),
        ("prod/db", "prod/db"),
    ],
)
def test_the_secret_behind_a_value(value_from: str, name: str) -> None:
    assert secret_name(value_from) == name
