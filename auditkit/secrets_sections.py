"""The sections of the report on secrets: who read which, from where, since when, beside the task that should."""

from __future__ import annotations

import pandas as pd

from auditkit import charts
from auditkit.audit import Audit
from auditkit.model import Result, counted
from auditkit.report import blocks
from auditkit.report.block import Block
from auditkit.rules import RuleRun

RULES = "secretsmanager."  # the rules whose findings are shown here
EXPLAINED = ("injected", "service")  # readers that a task or AWS itself explains

_STANDING = {  # the least explained first
    "other": "not the task that should",
    "no_task_known": "no task known",
    "task_role": "code of a task it is injected into",
    "service": "AWS itself",
    "injected": "role that injects it",
}
_LABELS = {"standing": "Reader is", "injected_by": "Injected into"}
_READER = ["reader", "principal_arn", "account_id", "secret", "standing", "hand"]
_READ = [
    "secret", "reader", "standing", "read_count", "denied_count", "error_count", "first_seen", "last_seen",
    "session_count", "source_ips", "hand", "injected_by", "principal_arn", "account_id", "event_id",
]  # fmt: skip
_SESSION = [
    "secret", "principal_name", "session_name", "access_key_id", "read_count", "denied_count", "first_seen",
    "first_of_principal", "source_ips", "user_agents", "standing", "injected_by", "kms_decrypts", "principal_arn",
    "account_id", "event_id",
]  # fmt: skip


def access(audit: Audit, name: str = "") -> Result:
    """The question that all sections look at; *name*: only of secrets in whose names it occurs."""
    return audit.ask("activity/secret_access", {"name": name or None})


def verdict(audit: Audit, asked: Result, run: RuleRun) -> list[Block]:
    """The answer in one sentence, and the numbers behind it; as bad as the worst finding about secrets."""
    rows = asked.frame()
    read, refused = rows[rows["read_count"] > 0], rows[rows["denied_count"] > 0]
    odd = read[~read["standing"].isin(EXPLAINED)]
    if rows.empty:
        sentence = f"No secret was read, or asked for in vain, in {audit.window}."
        detail = "A trail that records management events has every read; look at the coverage below."
    else:
        who = counted(read["principal_arn"].nunique(), "principal")
        sentence = f"{counted(read['secret'].nunique(), 'secret')} read by {who}"
        sentence += f"; {odd['secret'].nunique():,} of them by readers that no task explains." if len(odd) else "."
        detail = (
            f"{counted(int(rows['denied_count'].sum()), 'read')} denied, of "
            f"{counted(refused['secret'].nunique(), 'secret')}. What a task should read is told by the task "
            "definitions that were registered in the window."
        )
    numbers = [
        ("Secrets", read["secret"].nunique(), "read at least once"),
        ("Readers", read["principal_arn"].nunique(), "principals that read one"),
        ("Reads", int(rows["read_count"].sum()), "each secret of a batch counts once"),
        ("Denied", int(rows["denied_count"].sum()), "reads that were refused"),
    ]
    worst = next((finding.severity for finding in run.of(RULES)), None)  # they come worst first
    return [blocks.verdict(sentence, detail, worst or ("info" if rows.empty else None)), blocks.kpis(numbers)]


def readers(audit: Audit, asked: Result) -> list[Block]:
    """Who read which secret: a matrix, and a line for each principal and secret."""
    rows = _named(asked.frame())
    nothing = f"No secret was read in {audit.window}."
    by_reader = _by_reader(rows)
    drawn = rows.assign(event_count=rows["read_count"] + rows["denied_count"] + rows["error_count"])
    return [
        blocks.chart(
            charts.activity_by_identity(drawn, identity="reader", service="secret"),
            title="Who asked for which secret",
            data=by_reader[["reader", "secret", "read_count", "denied_count"]],
            sql=asked.sql,
            empty=nothing,
        ),
        blocks.table(
            by_reader[_READ],
            title="Readers of each secret",
            about="first_seen is the first try in the window. event_id is one proof.",
            labels=_LABELS,
            sql=asked.sql,
            empty=nothing,
        ),
    ]


def unexplained(asked: Result) -> list[Block]:
    """The reads that no task and no service explains, session by session, the newest first."""
    rows = asked.frame()
    odd = rows[~rows["standing"].isin(EXPLAINED)].sort_values("first_seen", ascending=False, kind="stable")
    return [
        blocks.table(
            _worded(odd)[_SESSION],
            title="Read by others than the task that should",
            about="People and programs with a reason of their own are here as well: a rotation by a function, a person "
            "who looked a password up, a task whose definition was registered before the window.",
            labels={**_LABELS, "first_of_principal": "Principal's first read"},
            sql=asked.sql,
            empty="Every read is explained by the role that injects the secret, or by AWS itself.",
        )
    ]


def injections(audit: Audit) -> list[Block]:
    """Which definition injects which secret, who registered it, and how often its role read the secret."""
    asked = audit.ask("activity/secret_injections")
    return [
        blocks.table(
            asked.frame(),
            title="Secrets that tasks inject",
            about="By the definitions registered in the window. A secret without a read was not needed by a task that "
            "started in the window, or its name is not what the definition says.",
            sql=asked.sql,
            empty=f"No task definition that injects a secret was registered in {audit.window}.",
        )
    ]


def findings(audit: Audit, run: RuleRun) -> list[Block]:
    """What the rules about Secrets Manager found."""
    about = run.of(RULES)
    nothing = f"No rule about secrets fired in {audit.window}."
    return [blocks.findings(about, evidence=audit.evidence(about), empty=nothing)]


def _by_reader(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each principal and secret, whatever the session, the worst explained first."""
    if rows.empty:
        return rows.assign(session_count=[])
    sums = ["read_count", "denied_count", "error_count"]
    grouped = rows.groupby(_READER, as_index=False, dropna=False, sort=False).agg(
        **{name: (name, "sum") for name in sums},
        first_seen=("first_seen", "min"),
        last_seen=("last_seen", "max"),
        session_count=("session_name", "nunique"),
        source_ips=("source_ips", _together),
        injected_by=("injected_by", "first"),
        event_id=("event_id", "min"),
    )
    rank = grouped["standing"].map({standing: rank for rank, standing in enumerate(_STANDING)})
    grouped = grouped.assign(rank=rank).sort_values(["secret", "rank", "first_seen"], kind="stable")
    return _worded(grouped)


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """With `reader`: a person's session is called after the person, and a role after its work."""
    is_person = (rows["hand"] == "person") & rows["session_name"].notna()
    return rows.assign(reader=rows["session_name"].where(is_person, rows["principal_name"]))


def _worded(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(standing=rows["standing"].map(_STANDING))


def _together(texts: pd.Series) -> str:
    """Lists with commas as one such list, without what is there twice; of many the first ten."""
    found = dict.fromkeys(part for text in texts.dropna() for part in str(text).split(", ") if part)
    return ", ".join(sorted(found)[:10]) + (f" and {len(found) - 10} more" if len(found) > 10 else "")
