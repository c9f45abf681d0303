"""What auditkit needs to be allowed to use Athena, and nothing else: the IAM policy, written in this one place.

Which actions, and on what: Service Authorization Reference of Athena, Glue, S3, KMS and Lake Formation.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from auditkit.errors import ParameterError
from auditkit.setup.aws_names import (
    S3Folder,
    account_ids,
    arn_partition,
    key_arns,
    region_names,
    table_name,
    workgroup_name,
)

LONGEST = 6144  # characters of a managed policy, white space not counted
CATALOGS = ("AwsDataCatalog", "awsdatacatalog")  # the same to Athena, and two names to IAM

Statement = dict[str, Any]


def policy(
    *,
    buckets: Sequence[str],
    output_location: str | None,
    workgroup: str,
    database: str,
    tables: Sequence[str],
    region: str,
    account: str,
    pull: bool = True,
    kms_keys: Sequence[str] = (),
    output_kms_keys: Sequence[str] = (),
    lake_formation: bool = False,
) -> dict[str, Any]:
    """The policy of a principal that asks Athena.

    Args:
        buckets: Where the logs of the tables are, as `s3://BUCKET/PREFIX/`.
        output_location: Where Athena writes results; None, when it keeps them itself, which is enough for `query` and
            `sql`.
        tables: Without any, all of the database.
        region, account: Of the workgroup, the database and its tables.
        pull: Whether it also takes a window out, as `report`, `findings`, `coverage` and `pull` do: Athena writes
            files to the output location, and they are removed when they were read.
        kms_keys: Of the logs. *output_kms_keys*: of the output location.
        lake_formation: Whether it grants the tables, as it does those of Security Lake; a grant there is needed too.
    Raises: ParameterError, for names that are none, and for a policy that is longer than IAM takes.
    """
    (region,), (account,) = region_names([region]), account_ids([account])
    arn = f"arn:{arn_partition(region)}"
    logs = [S3Folder.parse(url) for url in buckets]
    output = S3Folder.parse(output_location) if output_location else None
    if pull and output is None:
        raise ParameterError(
            "Taking a window out of Athena goes through files in S3. Name their place: --output-location "
            "s3://BUCKET/PREFIX/; without, only `query` and `sql` can be allowed."
        )
    if not (logs or lake_formation):
        raise ParameterError("Where are the logs? Name each place: s3://BUCKET/PREFIX/.")
    here = f"{region}:{account}"
    statements = [
        *_athena(f"{arn}:athena:{here}", workgroup_name(workgroup)),
        _glue(f"{arn}:glue:{here}", table_name(database, what="database"), [*map(table_name, tables)] or ["*"]),
        *_read(arn, logs),
        *(_results(arn, output, removes=pull) if output else ()),
        *_keys(key_arns(kms_keys), key_arns(output_kms_keys), f"s3.*.{_domain(region)}"),
    ]
    if lake_formation:  # it has no resources: what is granted is said in Lake Formation
        statements.append(_allow("LakeFormation", ["lakeformation:GetDataAccess"], ["*"]))
    made = {"Version": "2012-10-17", "Statement": statements}
    if (size := len(json.dumps(made, separators=(",", ":")))) > LONGEST:
        raise ParameterError(
            f"The policy would have {size:,} characters; IAM takes {LONGEST:,}. Name fewer places or tables, or a "
            "folder above them."
        )
    return made


def _allow(sid: str, actions: Sequence[str], resources: Iterable[str], **condition: Any) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return statement | ({"Condition": condition} if condition else {})


def _athena(arn: str, workgroup: str) -> list[Statement]:
    return [
        _allow(
            "AskAthena",
            [
                "athena:StartQueryExecution",
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:StopQueryExecution",
                "athena:GetWorkGroup",
            ],
            [f"{arn}:workgroup/{workgroup}"],
        ),
        _allow(
            "SeeTables",
            ["athena:GetDataCatalog", "athena:GetTableMetadata"],
            [f"{arn}:datacatalog/{name}" for name in CATALOGS],
        ),
    ]


def _glue(arn: str, database: str, tables: Sequence[str]) -> Statement:
    """An action on a table is one on its database and on the catalog, too; Athena looks at `default` in any case."""
    return _allow(
        "SeeDefinitions",
        ["glue:GetDatabase", "glue:GetTable", "glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition"],
        [
            f"{arn}:catalog",
            *dict.fromkeys([f"{arn}:database/default", f"{arn}:database/{database}"]),
            *(f"{arn}:table/{database}/{table}" for table in dict.fromkeys(tables)),
        ],
    )


def _read(arn: str, folders: Sequence[S3Folder]) -> list[Statement]:
    if not folders:
        return []
    by_bucket: defaultdict[str, list[str]] = defaultdict(list)
    for folder in folders:
        by_bucket[folder.bucket].append(folder.prefix)
    return [
        _allow("FindLogBuckets", ["s3:GetBucketLocation"], [f"{arn}:s3:::{bucket}" for bucket in by_bucket]),
        *(
            _list(f"ListLogs{number}", arn, bucket, prefixes)
            for number, (bucket, prefixes) in enumerate(by_bucket.items(), start=1)
        ),
        _allow("ReadLogs", ["s3:GetObject"], [f"{arn}:s3:::{f.bucket}/{f.prefix}*" for f in dict.fromkeys(folders)]),
    ]


def _list(sid: str, arn: str, bucket: str, prefixes: Iterable[str]) -> Statement:
    """Listing is an action on the bucket, and the prefix a condition on it; none, where it is the whole bucket."""
    within = [f"{prefix}*" for prefix in dict.fromkeys(prefixes)]
    condition = {} if "*" in within else {"StringLike": {"s3:prefix": within}}
    return _allow(sid, ["s3:ListBucket"], [f"{arn}:s3:::{bucket}"], **condition)


def _results(arn: str, output: S3Folder, *, removes: bool) -> list[Statement]:
    objects = f"{arn}:s3:::{output.bucket}/{output.prefix}*"
    writes = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    statements = [
        _allow("FindResultBucket", ["s3:GetBucketLocation"], [f"{arn}:s3:::{output.bucket}"]),
        _list("ListResults", arn, output.bucket, [output.prefix]),
        _allow("WriteAndReadResults", writes, [objects]),
    ]
    if removes:  # what auditkit had Athena write, and Athena's lists of it
        own = [f"{arn}:s3:::{output.bucket}/{output.prefix}{name}" for name in ("auditkit/*", "*-manifest.csv")]
        statements.append(_allow("RemoveOwnFiles", ["s3:DeleteObject"], own))
    return statements


def _keys(of_logs: Sequence[str], of_results: Sequence[str], service: str) -> list[Statement]:
    """Only where S3 asks: with a key, data that came another way stays closed."""
    through = {"StringLike": {"kms:ViaService": service}}
    statements = []
    if of_logs:
        statements.append(_allow("DecryptLogs", ["kms:Decrypt"], of_logs, **through))
    if of_results:
        statements.append(_allow("EncryptResults", ["kms:Decrypt", "kms:GenerateDataKey"], of_results, **through))
    return statements


def _domain(region: str) -> str:
    return {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}.get(arn_partition(region), "amazonaws.com")
