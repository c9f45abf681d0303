"""Step 3: do tasks and the agent that starts them have a role each, and no more rights than they use?"""

from __future__ import annotations

from collections.abc import Iterator

from auditkit.ecs_review.facts import Facts
from auditkit.ecs_review.step import About, Check, Evidence, Row, Step, ids, named, rows, step, told
from auditkit.model import Finding, at_least, counted

ABOUT = About(
    3,
    "Task role and execution role apart, with least rights",
    "Everything that runs in a task, and everyone who gets a shell in it, has the rights of the task role. The "
    "execution role reads the secrets and pulls the image; the application does not need that.",
    "What the roles may do: policies are in the log only when they change. A call that is not logged, such as a read "
    "of an object, is not seen as a right that is used.",
    ("7.2.1", "7.2.2", "7.2.5"),
)
HARMLESS = {"AmazonECSTaskExecutionRolePolicy"}  # what AWS wrote for execution roles
GIVEN = ("ecs.admin_task_role", "ecs.role_overridden", "ecs.task_role_changed")
_LEAST = (
    "Compare what the role may do with what it used: `aws iam get-role-policy`, `aws iam list-attached-role-policies`, "
    "`auditkit who ROLE --policy`."
)


def role_names(facts: Facts) -> list[str]:
    """The task roles and execution roles of the definitions and starts in scope, sorted."""
    named_roles = {row[name] for row in facts.definitions for name in ("task_role", "execution_role")}
    return sorted({str(role) for role in named_roles | {row["role_override"] for row in facts.started} if role})


def roles(facts: Facts) -> Step:
    """Judged by the definitions, by what the roles did, and by what was done to them."""
    names = role_names(facts)
    given = facts.found(*GIVEN, of=facts.of_ecs())
    about_them = _about(facts, set(names))
    checks = [
        *(_of_finding(finding) for finding in (*given, *about_them)),
        *_apart(facts.definitions),
        *_used(facts),
        *_rights(facts, names, {finding.resource for finding in (*given, *about_them)}),
    ]
    if not names:
        checks.append(
            Check(
                "cannot_tell",
                f"No task definition of {facts.scope} was registered in the window, so its roles are not known.",
                "`aws ecs describe-task-definition --task-definition FAMILY --query "
                "'taskDefinition.[taskRoleArn,executionRoleArn]'`",
            )
        )
    return step(
        ABOUT,
        checks,
        [
            Evidence("Task definitions registered", facts.task_definitions, "review/task_definitions"),
            Evidence("What the roles did", facts.role_use, "review/role_use"),
            Evidence("What was done to the roles", facts.role_changes, "review/role_changes"),
        ],
        [*given, *about_them],
    )


def _about(facts: Facts, names: set[str]) -> list[Finding]:
    """Findings of IAM on the roles, and of their credentials used elsewhere."""
    return [
        finding
        for finding in facts.findings
        if (finding.rule.startswith("iam.") and finding.resource in names and at_least(finding.severity, "medium"))
        or (
            finding.rule == "sts.workload_session_from_outside"
            and str(finding.principal_arn).rsplit("/", 1)[-1] in names
        )
    ]


def _of_finding(finding: Finding) -> Check:
    is_bad = finding.outcome == "ok" and at_least(finding.severity, "high")
    return Check("bad" if is_bad else "attention", told(finding), finding.response, finding.evidence)


def _apart(definitions: list[Row]) -> Iterator[Check]:
    one = [row for row in definitions if row["task_role"] and row["task_role"] == row["execution_role"]]
    both = [row for row in definitions if row["task_role"] != row["execution_role"] and row["execution_role"]]
    if one:
        yield Check(
            "attention",
            f"{named(row['definition'] for row in one)} uses one role, {named(row['task_role'] for row in one)}, for "
            "the task and for its start: the application may read every secret and image that the start needs.",
            "Make a task role of its own, with what the application calls and nothing else.",
            ids(one),
        )
    if both:
        tasks = named(row["task_role"] or "none" for row in both)
        yield Check(
            "good",
            f"{named(row['definition'] for row in both)} name two roles: {tasks} for the task, "
            f"{named(row['execution_role'] for row in both)} for its start.",
            event_ids=ids(both),
        )


def _used(facts: Facts) -> Iterator[Check]:
    used = rows(facts.role_use)
    for role in sorted({row["role"] for row in used}):
        own = [row for row in used if row["role"] == role]
        others = [row for row in own if row["hand"] not in ("workload", "service")]
        refused = [row for row in own if row["denied_count"]]
        if others:
            yield Check(
                "attention",
                f"Role {role} was used by other hands than a task's ({named(row['hand'] for row in others)}), from "
                f"{named(row['source_ips'] for row in others)}: {_calls(others)}.",
                "Ask who takes the role of a task, and let ecs-tasks.amazonaws.com alone take it.",
                ids(others),
            )
        if refused:
            count = sum(int(row["denied_count"]) for row in refused)
            yield Check(
                "attention",
                f"Role {role} was refused {counted(count, 'call')}: {_calls(refused)}.",
                "Find out whether the application needs the right, or somebody tries what the role cannot do.",
                ids(refused),
            )


def _rights(facts: Facts, names: list[str], suspect: set[str | None]) -> Iterator[Check]:
    """Whether the rights of each role are known: only those of a role made within the window are, whole."""
    changes = [row for row in rows(facts.role_changes) if row["outcome"] == "ok"]
    used = rows(facts.role_use)
    unknown = []
    for role in names:
        own = [row for row in changes if row["role"] == role]
        attached = {
            str(row["policy"]).rsplit("/", 1)[-1] for row in own if row["event_name"] == "AttachRolePolicy"
        } - HARMLESS
        if any(row["event_name"] == "CreateRole" for row in own) and not attached:
            if role not in suspect:
                yield Check(
                    "good",
                    f"Role {role} was made in the window, so all its rights are in the log, and no rule calls them "
                    "broad.",
                    event_ids=ids(own),
                )
        else:
            unknown.append(role)
    if unknown:
        calls = [row for row in used if row["role"] in unknown]
        actions = len({(row["role"], row["service"], row["event_name"]) for row in calls})
        what = (
            f"In the window they made {counted(actions, 'different call')}"
            if calls
            else "No call of them is in the log"
        )
        yield Check(
            "cannot_tell",
            f"What {named(unknown)} may do is not in these logs. {what}.",
            _LEAST,
        )


def _calls(used: list[Row]) -> str:
    return named(f"{row['service']}:{row['event_name']}" for row in used)
