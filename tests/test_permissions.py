"""The policy allows what auditkit does on Athena, and nothing that it does not do."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

import auditkit
from auditkit.errors import ParameterError
from auditkit.setup.permissions import LONGEST, policy

EXAMPLE: dict[str, Any] = {
    "buckets": ["s3://org-logs/AWSLogs/o-abcdefghij/", "s3://flow-logs/AWSLogs/"],
    "output_location": "s3://athena-results/audit/",
    "workgroup": "auditkit",
    "database": "audit",
    "tables": ["cloudtrail_logs", "vpc_flow_logs"],
    "region": "eu-west-1",
    "account": "111122223333",
}
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EVERYTHING = EXAMPLE | {"kms_keys": [KEY], "output_kms_keys": [KEY], "lake_formation": True}
ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9]+:[a-z0-9-]*:([0-9]{12})?:.+")
# What has another name in IAM than in the API.
ACTIONS = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
}
# Asked where it is allowed, and done without where it is not: which tables there are, when one was named that is none.
OPTIONAL = {"athena:ListTableMetadata"}
# What PyAthena and Athena itself do for a statement, beside what our own modules call.
IMPLIED = {
    *("athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults", "athena:StopQueryExecution"),
    *("athena:GetTableMetadata", "athena:GetDataCatalog", "glue:GetDatabase", "glue:GetTable", "glue:GetPartitions"),
    *("s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"),
    "s3:ListMultipartUploadParts",
}


def actions(made: dict[str, Any]) -> set[str]:
    return {action for statement in made["Statement"] for action in statement["Action"]}


def statement(made: dict[str, Any], sid: str) -> dict[str, Any]:
    (found,) = [one for one in made["Statement"] if one["Sid"] == sid]
    return found


def called() -> Iterator[str]:
    """The API of each request that the modules of Athena make, as IAM has it: `athena:GetWorkGroup`."""
    session = botocore.session.Session()
    services = {name: session.get_service_model(name).operation_names for name in ("athena", "glue", "s3")}
    by_method = {
        xform_name(operation): f"{name}:{operation}"
        for name, operations in services.items()
        for operation in operations
    }
    for path in sorted((Path(auditkit.__file__).parent / "engines").glob("athena/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "value", None)
            if isinstance(name, str) and name in by_method:
                yield by_method[name]


def test_every_request_of_the_engine_is_allowed() -> None:
    found = {ACTIONS.get(action, action) for action in called()}
    assert {"athena:GetTableMetadata", "s3:GetObject", "s3:ListBucket", "s3:DeleteObject"} <= found
    assert (found | IMPLIED) - OPTIONAL <= actions(policy(**EXAMPLE))


def test_nothing_is_allowed_that_is_not_done() -> None:
    known = {ACTIONS.get(action, action) for action in called()} | IMPLIED
    more = {"glue:GetPartition", "glue:BatchGetPartition"}  # of a table whose partitions are not projected
    keys = {"kms:Decrypt", "kms:GenerateDataKey", "lakeformation:GetDataAccess"}
    assert actions(policy(**EVERYTHING)) <= known | more | keys


@pytest.mark.parametrize("given", [EXAMPLE, EVERYTHING, EXAMPLE | {"tables": []}, EXAMPLE | {"pull": False}])
def test_a_policy_is_one_that_iam_takes(given: dict[str, Any]) -> None:
    made = policy(**given)
    assert made["Version"] == "2012-10-17"
    assert len(json.dumps(made, separators=(",", ":"))) <= LONGEST
    sids = [one["Sid"] for one in made["Statement"]]
    assert len(set(sids)) == len(sids)
    for one in made["Statement"]:
        assert re.fullmatch(r"[A-Za-z0-9]+", one["Sid"])
        assert set(one) <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert one["Effect"] == "Allow"
        assert all(re.fullmatch(r"[a-z0-9]+:[A-Z]\w+", action) for action in one["Action"])  # no wildcard
        if one["Action"] == ["lakeformation:GetDataAccess"]:
            assert one["Resource"] == ["*"]
        else:
            assert all(
                ARN.fullmatch(resource) or re.fullmatch(r"arn:aws:s3:::.+", resource) for resource in one["Resource"]
            )


def test_it_writes_in_one_place_and_removes_only_what_is_its_own() -> None:
    made = policy(**EVERYTHING)
    for one in made["Statement"]:
        if {"s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"} & set(one["Action"]):
            assert all(resource.startswith("arn:aws:s3:::athena-results/audit/") for resource in one["Resource"])
    assert statement(made, "RemoveOwnFiles")["Resource"] == [
        "arn:aws:s3:::athena-results/audit/auditkit/*",
        "arn:aws:s3:::athena-results/audit/*-manifest.csv",
    ]
    assert not {a for a in actions(made) if re.search(r":(Create|Update|Put(?!Object)|BatchCreate|BatchDelete)", a)}


def test_who_only_asks_may_remove_nothing() -> None:
    assert "s3:DeleteObject" not in actions(policy(**EXAMPLE, pull=False))


def test_with_results_that_athena_keeps_nothing_is_written() -> None:
    made = policy(**EXAMPLE | {"output_location": None, "pull": False})
    assert not {"s3:PutObject", "s3:DeleteObject"} & actions(made)
    with pytest.raises(ParameterError, match="--output-location"):
        policy(**EXAMPLE | {"output_location": None})


def test_logs_are_read_and_listed_where_they_are() -> None:
    made = policy(**EXAMPLE | {"buckets": ["s3://logs-1/a/", "s3://logs-1/b", "s3://logs-2/"]})
    assert statement(made, "ReadLogs")["Resource"] == [
        "arn:aws:s3:::logs-1/a/*",
        "arn:aws:s3:::logs-1/b/*",
        "arn:aws:s3:::logs-2/*",
    ]
    assert statement(made, "ListLogs1")["Condition"] == {"StringLike": {"s3:prefix": ["a/*", "b/*"]}}
    assert "Condition" not in statement(made, "ListLogs2")


def test_tables_are_those_that_are_named() -> None:
    resources = statement(policy(**EXAMPLE), "SeeDefinitions")["Resource"]
    glue = "arn:aws:glue:eu-west-1:111122223333:"
    assert [r.removeprefix(glue) for r in resources] == [
        "catalog",
        "database/default",
        "database/audit",
        "table/audit/cloudtrail_logs",
        "table/audit/vpc_flow_logs",
    ]
    assert f"{glue}table/audit/*" in statement(policy(**EXAMPLE | {"tables": []}), "SeeDefinitions")["Resource"]


@pytest.mark.parametrize(
    ("region", "partition", "service"),
    [
        ("eu-west-1", "aws", "s3.*.amazonaws.com"),
        ("us-gov-west-1", "aws-us-gov", "s3.*.amazonaws.com"),
        ("cn-north-1", "aws-cn", "s3.*.amazonaws.com.cn"),
    ],
)
def test_arns_are_of_the_partition_of_the_region(region: str, partition: str, service: str) -> None:
    key = KEY.replace("arn:aws:", f"arn:{partition}:").replace("eu-west-1", region)
    made = policy(**EXAMPLE | {"region": region, "kms_keys": [key], "output_kms_keys": [key]})
    for one in made["Statement"]:
        assert all(resource.startswith(f"arn:{partition}:") for resource in one["Resource"])
    assert statement(made, "DecryptLogs")["Action"] == ["kms:Decrypt"]
    assert statement(made, "EncryptResults")["Condition"] == {"StringLike": {"kms:ViaService": service}}


def test_security_lake_is_opened_by_lake_formation() -> None:
    made = policy(**EXAMPLE | {"buckets": [], "lake_formation": True})
    assert "ReadLogs" not in {one["Sid"] for one in made["Statement"]}
    assert statement(made, "LakeFormation")["Resource"] == ["*"]
    with pytest.raises(ParameterError, match="Where are the logs"):
        policy(**EXAMPLE | {"buckets": []})


@pytest.mark.parametrize(
    "given",
    [
        {"buckets": ["s3://logs-1/*"]},
        {"buckets": ["s3://logs-1/${aws:username}/"]},
        {"buckets": ["logs-1"]},
        {"output_location": "s3://results-1/a?b/"},
        {"workgroup": "*"},
        {"workgroup": "a/b"},
        {"database": "*"},
        {"tables": ["*"]},
        {"tables": ["a*"]},
        {"region": "*"},
        {"account": "*"},
        {"account": "1111"},
        {"kms_keys": ["*"]},
        {"kms_keys": ["arn:aws:kms:eu-west-1:111122223333:key/*"]},
        {"kms_keys": ["alias/logs"]},
        {"output_kms_keys": ["arn:aws:kms:eu-west-1:111122223333:alias/results"]},
    ],
)
def test_nothing_that_is_given_can_widen_it(given: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        policy(**EXAMPLE | given)


def test_one_that_is_too_long_is_refused() -> None:
    with pytest.raises(ParameterError, match="6,144"):
        policy(**EXAMPLE | {"buckets": [f"s3://logs-{n}/AWSLogs/" for n in range(60)]})
