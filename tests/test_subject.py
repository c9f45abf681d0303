"""What somebody asks about is told by its shape, else by what the logs hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

import auditkit
from auditkit import Audit
from auditkit.errors import AmbiguousSubjectError, ParameterError, UnknownSubjectError
from auditkit.identity.subject import KINDS, Kind, Subject, shape, short, subject_of
from auditkit.model import Window
from tests.records import ASSUMED_ROLE, record, write_trail

ROLE = "arn:aws:iam::111122223333:role/team/deploy"
USER = "arn:aws:iam::111122223333:user/people/alice"
TASK = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audit]:
    """A user and a role's session, who call one secret and one ECS service of the same name as the session's role."""
    folder = tmp_path_factory.mktemp("small")
    secret = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-a1B2c3"
    ecs = {"eventSource": "ecs.amazonaws.com", "eventName": "UpdateService", "userIdentity": ASSUMED_ROLE}
    write_trail(
        folder / "trail.json",
        record(
            "e1", requestParameters={"secretId": secret}, userAgent="Boto3/1.26 kali", sourceIPAddress="2001:db8::1"
        ),
        record("e2", **ecs, requestParameters={"cluster": "shop", "service": "checkout"}, userAgent="kali aws-cli"),
        record("e3", **ecs, requestParameters={"cluster": "shop", "service": "deploy"}),
        record("e4", userIdentity=session("deploy", "deploy"), sourceIPAddress="198.51.100.9"),
        record("e5", userIdentity=session("other", "nightly"), sourceIPAddress="198.51.101.9"),
        record("e6", userIdentity=session("deploy", "nightly"), requestParameters={"secretId": "checkout"}),
        record("e7", userIdentity=session("app", TASK)),
        record("e8", userIdentity=session("host", "i-0123456789abcdef0")),
    )
    with auditkit.open(folder) as audit:
        yield audit


def session(role: str, name: str) -> dict[str, object]:
    issuer = {"type": "Role", "arn": f"arn:aws:iam::111122223333:role/{role}", "userName": role}
    return {
        "type": "AssumedRole",
        "principalId": f"AROA{role.upper()}:{name}",
        "arn": f"arn:aws:sts::111122223333:assumed-role/{role}/{name}",
        "accountId": "111122223333",
        "accessKeyId": "ASIAEXAMPLE",
        "sessionContext": {"sessionIssuer": issuer},
    }


def ask(audit: Audit, text: str, kind: Kind | None = None) -> Subject:
    return subject_of(text, audit.ask, audit.window, kind=kind)


SHAPES = [
    ("arn:aws:iam::111122223333:user/people/alice", "principal"),
    ("arn:aws-cn:iam::111122223333:role/a/b", "principal"),
    ("arn:aws:iam::111122223333:root", "principal"),
    ("arn:aws:sts::111122223333:federated-user/bob", "principal"),
    ("arn:aws:sts::111122223333:assumed-role/a/b@example.com", "session"),
    ("arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-a1B2c3", "secret"),
    (f"arn:aws:ecs:eu-central-1:111122223333:task/shop/{TASK}", "task"),
    ("arn:aws:ecs:eu-central-1:111122223333:service/shop/checkout", "service"),
    ("arn:aws:ecs:eu-central-1:111122223333:cluster/shop", "cluster"),
    ("arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef0", "instance"),
    ("AKIAIOSFODNN7EXAMPLE", "key"),
    ("ASIAIOSFODNN7EXAMPLE", "key"),
    ("198.51.100.7", "address"),
    ("198.51.100.0/24", "address"),
    ("2001:db8::/32", "address"),
    ("::ffff:192.0.2.1", "address"),
    ("i-0123abcd", "instance"),
    (TASK, "task"),
    ("01234567-89ab-cdef-0123-456789abcdef", "task"),
    ("alice", None),
    ("AKIA", None),
    ("i-am-a-session", None),
    ("prod/db", None),
    ("deploy/ci-42", None),
    ("Boto3/1.26", None),
    ("1.2.3", None),
    ("arn:aws:s3:::bucket", None),
    ("arn:aws:iam::111122223333:policy/p", None),
    (TASK + "0", None),
]


@pytest.mark.parametrize(("text", "kind"), SHAPES)
def test_some_things_look_like_no_other(text: str, kind: Kind | None) -> None:
    assert shape(text) == kind


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("alice", "principal", (USER,)),
        (USER, "principal", (USER,)),
        ("Alice", "principal", (USER,)),
        ("nightly", "session", ("arn:aws:iam::111122223333:role/deploy/nightly", "arn:aws:iam::111122223333:role/other/nightly")),
        ("other/nightly", "session", ("arn:aws:iam::111122223333:role/other/nightly",)),
        ("arn:aws:sts::111122223333:assumed-role/other/nightly", "session", ("arn:aws:iam::111122223333:role/other/nightly",)),
        # the log has the role with its path, the session's ARN has none
        ("arn:aws:sts::111122223333:assumed-role/deploy/ci-42", "session", (f"{ROLE}/ci-42",)),
        ("prod/db", "secret", ("prod/db",)),
        ("prod/db-a1B2c3", "secret", ("prod/db",)),
        ("arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-a1B2c3", "secret", ("prod/db",)),
        ("arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db", "secret", ("prod/db",)),
        ("2001:db8:0::1", "address", ("2001:db8::1",)),
        ("198.51.100.0/24", "address", ("198.51.100.9",)),
        ("198.51.100.0/23", "address", ("198.51.100.9", "198.51.101.9")),
        ("kali", "user_agent", ("Boto3/1.26 kali", "kali aws-cli")),
        ("KALI aws", "user_agent", ("kali aws-cli",)),
        ("Boto3/1.26 kali", "user_agent", ("Boto3/1.26 kali",)),
        ("shop", "cluster", ("shop",)),
        ("arn:aws:ecs:eu-central-1:111122223333:service/shop/checkout", "service", ("checkout",)),
        (TASK, "task", (TASK,)),
        ("i-0123456789abcdef0", "instance", ("i-0123456789abcdef0",)),
        ("ASIAEXAMPLE", "key", ("ASIAEXAMPLE",)),
    ],
)  # fmt: skip
def test_a_name_is_found_in_the_logs(small: Audit, text: str, kind: Kind, names: tuple[str, ...]) -> None:
    subject = ask(small, text)
    assert (subject.kind, subject.names) == (kind, names)


def test_a_name_of_several_kinds_is_asked_back(small: Audit) -> None:
    with pytest.raises(AmbiguousSubjectError) as raised:
        ask(small, "checkout")
    assert raised.value.kinds == ["secret", "service"]
    assert "--kind secret or --kind service" in str(raised.value)


@pytest.mark.parametrize("kind", ["secret", "service"])
def test_a_kind_decides_between_them(small: Audit, kind: Kind) -> None:
    assert ask(small, "checkout", kind).kind == kind


def test_a_session_named_as_its_own_role_is_not_another_kind(small: Audit) -> None:
    """`deploy` is two roles, one of which has a session of that name, and a service."""
    with pytest.raises(AmbiguousSubjectError) as raised:
        ask(small, "deploy")
    assert raised.value.kinds == ["principal", "service"]


def test_a_tasks_session_can_be_asked_for_as_a_session(small: Audit) -> None:
    assert ask(small, TASK, "session").names == (f"arn:aws:iam::111122223333:role/app/{TASK}",)


def test_who_is_not_there_is_told_with_names_that_come_near(small: Audit) -> None:
    with pytest.raises(
        UnknownSubjectError, match=r"Nothing in the whole of the logs is called 'alcie'\. Did you mean 'alice'"
    ):
        ask(small, "alcie")


@pytest.mark.parametrize(
    "text", ["AKIAIOSFODNN7EXAMPLE", "203.0.113.99", "10.0.0.0/8", "f" * 32, "i-0123abcd", "zzzzzzzz"]
)
def test_what_is_not_there_is_told(small: Audit, text: str) -> None:
    with pytest.raises(UnknownSubjectError):
        ask(small, text)


def test_names_outside_the_window_are_not_there(small: Audit) -> None:
    with pytest.raises(UnknownSubjectError, match="2026-11-03"):
        subject_of("alice", small.ask, Window(datetime(2026, 11, 3, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("198.51.100.7", "secret", "is no secret, but looks like an address"),
        ("alice", "address", "is no address"),
        ("  ", None, "Nobody was named"),
    ],
)
def test_what_makes_no_sense_is_told(small: Audit, text: str, kind: Kind | None, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        ask(small, text, kind)


def test_two_letters_are_no_part_of_a_user_agent(small: Audit) -> None:
    with pytest.raises(UnknownSubjectError):
        ask(small, "li")


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (ROLE, "deploy"),
        ("arn:aws:iam::111122223333:root", "root"),
        ("ecs-tasks.amazonaws.com", "ecs-tasks.amazonaws.com"),
    ],
)
def test_an_arn_in_short(arn: str, name: str) -> None:
    assert short(arn) == name


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_list_of_the_question(small: Audit, kind: Kind) -> None:
    subject = Subject(kind=kind, text="x", name="x", names=("x",))
    assert small.ask("identity/activity_of", subject.as_parameters()).table.num_rows == 0
