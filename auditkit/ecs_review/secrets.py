"""Step 2: are secrets handed to tasks by reference, or do they stand in the definition for everyone to read?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditkit.ecs_review.facts import Facts
from auditkit.ecs_review.step import (
    About,
    Check,
    Evidence,
    Row,
    Step,
    at,
    by,
    ids,
    named,
    parts,
    rows,
    step,
    told,
    whose,
)
from auditkit.model import Finding, counted

ABOUT = About(
    2,
    "Secrets injected, not written down",
    "Whoever may look at a task definition reads its environment, in every old revision too. A secret taken from "
    "Secrets Manager is read by the execution role alone, and each read is logged.",
    "Secrets under harmless names, in commands, images or files; definitions registered before the window; "
    "environments that AWS hides in the log.",
    ("8.6.2", "8.3.2", "7.2.6"),
)
_INJECT = (
    "Put the value into Secrets Manager, name it under `secrets` with `valueFrom`, change the value, and deregister "
    "and delete the revisions that show the old one."
)


def secrets(facts: Facts) -> Step:
    """Judged by the definitions of the window, and by who else read what they inject."""
    flagged = facts.found("ecs.plain_text_secret", of=facts.of_ecs())
    foreign = facts.found("ecs.secret_from_other_account", of=facts.of_ecs())
    shown = {event for finding in flagged for event in finding.evidence}
    clean = [row for row in facts.definitions if row["event_id"] not in shown]
    checks = [
        *_plain(facts, flagged),
        *_definitions(clean),
        *_other_readers(facts),
        *(Check("attention", told(one), one.response, one.evidence) for one in foreign),
    ]
    if not facts.definitions and not flagged:
        checks.append(
            Check(
                "cannot_tell",
                f"No task definition of {facts.scope} was registered in the window.",
                "`aws ecs describe-task-definition --task-definition FAMILY --query "
                "'taskDefinition.containerDefinitions[].[environment,secrets]'`, for each family in use",
            )
        )
    return step(
        ABOUT,
        checks,
        [
            Evidence("Task definitions registered", facts.task_definitions, "review/task_definitions"),
            Evidence("Who read which secret", facts.secret_reads, "activity/secret_reads"),
        ],
        [*flagged, *foreign],
    )


def _plain(facts: Facts, flagged: list[Finding]) -> Iterator[Check]:
    for finding in flagged:
        if finding.outcome != "ok":
            yield Check("attention", told(finding), _INJECT, finding.evidence)
            continue
        carrying = [row for row in facts.definitions if row["event_id"] in finding.evidence]
        if not carrying:  # given when the task was started
            yield Check("bad", told(finding), _INJECT, finding.evidence)
            continue
        names = named(name for row in carrying for name in parts(row["environment_names"]))
        yield Check(
            "bad",
            f"{named(row['definition'] for row in carrying)} carries what looks like a secret in plain text, among its "
            f"variables {names or 'without a name'}; registered by {by(carrying[0])} on "
            f"{at(carrying[0]['event_time'])}.",
            _INJECT,
            finding.evidence,
        )


def _definitions(clean: list[Row]) -> Iterator[Check]:
    """What definitions without a secret in plain text say."""
    hidden = [row for row in clean if row["environment"] == "not shown"]
    injecting = [row for row in clean if row["secret_names"] and row not in hidden]
    files = [row for row in clean if row["environment_files"]]
    neither = [row for row in clean if not row["secret_names"] and row not in hidden and row not in files]
    if injecting:
        yield Check(
            "good",
            f"{named(row['definition'] for row in injecting)} take "
            f"{named(name for row in injecting for name in parts(row['secret_names']))} by reference, and none of "
            "their variables looks like a secret.",
            event_ids=ids(injecting),
        )
    if hidden:
        yield Check(
            "cannot_tell",
            f"The environment of {named(row['definition'] or 'a definition' for row in hidden)} is hidden in the log.",
            "`aws ecs describe-task-definition`, for each of them",
            ids(hidden),
        )
    if files:
        yield Check(
            "attention",
            f"{named(row['definition'] for row in files)} reads variables from a file in S3 "
            f"({named(name for row in files for name in parts(row['environment_files']))}), which is plain text.",
            "Read the file; move what is secret in it to Secrets Manager.",
            ids(files),
        )
    if neither:
        yield Check(
            "cannot_tell",
            f"{named(row['definition'] for row in neither)} takes no secret by reference, and no variable of it looks "
            "like one: where its secrets come from, if it has any, is not in the log.",
            "Ask its owner, or read its image and command.",
            ids(neither),
        )


def _other_readers(facts: Facts) -> Iterator[Check]:
    """Who else read what the definitions inject. A task's own injection is the execution role's doing."""
    injected = {source for row in facts.definitions for source in parts(row["secret_sources"])}
    executing = {row["execution_role"] for row in facts.definitions}
    by_reader: dict[str, list[Row]] = {}
    for row in rows(facts.secret_reads):
        arn = row["principal_arn"]
        if not row["read_count"] or row["invoked_by"] or not row["secret"]:
            continue
        if str(arn).rsplit("/", 1)[-1] not in executing and any(_is(row["secret"], one) for one in injected):
            by_reader.setdefault(str(arn), []).append(row)
    for arn, reads in sorted(by_reader.items()):
        secrets = sorted({row["secret"] for row in reads})
        yield Check(
            "attention",
            f"{whose(arn)} read {counted(len(secrets), 'injected secret')} as well ({named(secrets)}), from "
            f"{named(ip for row in reads for ip in parts(row['source_ips']))}.",
            "Ask why it reads secrets that tasks are given; change them if nobody knows, and let the execution role "
            "alone read them.",
            ids(reads),
        )


def _is(secret: str, source: str) -> bool:
    """Whether *source*, as a definition names it, is *secret*, a name without the six characters AWS adds."""
    name = re.sub(r"^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:", "", source).split(":")[0]
    return name == secret or re.fullmatch(f"{re.escape(secret)}-[A-Za-z0-9]{{6}}", name) is not None
