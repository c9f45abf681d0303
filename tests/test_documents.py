"""Documents: nothing is lost in them, none is longer than IAM takes, and the same grants make the same text."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.identity.documents import LONGEST, allows, documents, fewest, size, statements
from auditkit.identity.patterns import LONGEST as LONGEST_ARN

NAMES = st.text("abcDE/", min_size=1, max_size=40)
ACTIONS = st.sampled_from(
    [f"{service}:{name}" for service in ("ecs", "s3", "secretsmanager") for name in ("Get", "Put", "List", "Tag")]
)
RESOURCES = st.one_of(
    st.just("*"), NAMES.map("arn:aws:s3:::{}".format), st.integers(0, LONGEST_ARN).map(lambda n: "arn:" + "x" * n)
)
GRANTS = st.dictionaries(ACTIONS, st.sets(RESOURCES, min_size=1, max_size=40), max_size=12)
PASSES = st.dictionaries(
    st.sampled_from(["ecs-tasks.amazonaws.com", "lambda.amazonaws.com", None]),
    st.sets(NAMES.map("arn:aws:iam::111122223333:role/{}".format), min_size=1, max_size=60),
)


def said(made: Any) -> set[tuple[str, str, str]]:
    """Every single grant of some documents."""
    return {
        (action, resource, json.dumps(statement.get("Condition")))
        for document in made
        for statement in document["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


@settings(max_examples=60)
@given(GRANTS, PASSES)
def test_documents_are_valid_within_size_and_lose_nothing(
    grants: dict[str, set[str]], passes: dict[str | None, set[str]]
) -> None:
    parts = statements(grants, passes)
    made = documents(parts)
    for document in made:
        assert len(json.dumps(document, separators=(",", ":"))) <= LONGEST
        assert document["Version"] == "2012-10-17"
        assert document["Statement"]
        sids = [statement["Sid"] for statement in document["Statement"]]
        assert len(set(sids)) == len(sids)
        for statement in document["Statement"]:
            assert re.fullmatch("[A-Za-z0-9]+", statement["Sid"])
            assert statement["Effect"] == "Allow"
            assert statement["Action"]
            assert statement["Resource"]
    whole = said([{"Statement": parts}])
    assert said(made) == whole
    for action, resources in grants.items():
        assert all(allows(made, action, resource) for resource in resources)
    for service, roles in passes.items():
        assert all(allows(made, "iam:PassRole", role, passed_to=service) for role in roles)


@given(GRANTS, PASSES, st.randoms())
def test_the_order_of_what_was_seen_does_not_matter(
    grants: dict[str, set[str]], passes: dict[str | None, set[str]], random: Any
) -> None:
    mixed = list(grants.items())
    random.shuffle(mixed)
    assert documents(statements(dict(mixed), passes)) == documents(statements(grants, passes))


@given(st.dictionaries(ACTIONS, st.sets(NAMES, min_size=30, max_size=60), min_size=4), st.integers(300, 900))
def test_a_small_size_holds_as_well(grants: dict[str, set[str]], longest: int) -> None:
    made = documents(statements(grants, {}), longest=longest)
    assert max(map(size, made)) <= longest
    assert said(made) == said([{"Statement": statements(grants, {})}])


def test_actions_on_the_same_things_share_a_statement() -> None:
    made = statements(
        {"ecs:A": ["x"], "ecs:B": ["x"], "ecs:C": ["y"], "s3:A": ["x"]}, {None: ["r"], "lambda.amazonaws.com": ["r"]}
    )
    assert [(one["Sid"], one["Action"], one["Resource"]) for one in made] == [
        ("EcsUse1", ["ecs:A", "ecs:B"], ["x"]),
        ("EcsUse2", ["ecs:C"], ["y"]),
        ("S3Use1", ["s3:A"], ["x"]),
        ("PassRole1", ["iam:PassRole"], ["r"]),
        ("PassRole2", ["iam:PassRole"], ["r"]),
    ]
    assert [one.get("Condition") for one in made[-2:]] == [
        {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        None,
    ]


def test_what_another_covers_is_left_out() -> None:
    assert fewest(["a/b", "a/*", "a/b/c", "b", "a"]) == ("a", "a/*", "b")
    assert fewest(["x", "*"]) == ("*",)


def test_allows() -> None:
    made = documents(statements({"s3:GetObject": ["arn:aws:s3:::b/*"]}, {"ecs-tasks.amazonaws.com": ["r"]}))
    assert allows(made, "s3:getobject", "arn:aws:s3:::b/x")
    assert not allows(made, "s3:GetObject", "arn:aws:s3:::c/x")
    assert not allows(made, "s3:GetObject", "*")
    assert not allows(made, "iam:PassRole", "r")
    assert not allows(made, "iam:PassRole", "r", passed_to="lambda.amazonaws.com")
    assert documents([]) == ()
