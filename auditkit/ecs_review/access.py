"""Steps 4 and 7: who reached the cluster, and did anybody open a shell in a task?"""

from __future__ import annotations

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
from auditkit.model import Finding, at_least, counted

REACH = About(
    4,
    "Who can reach the cluster",
    "Who may register a definition, hand it a role and start it has the rights of that role. That is for the pipeline, "
    "and for few people in an emergency.",
    "Who else would be allowed to: rights that nobody used leave no trace. `iam:PassRole` makes no event; the roles "
    "handed over are read from the calls.",
    ("7.2.1", "7.2.2", "7.2.4", "10.2.1.2"),
    "See who else may: `aws iam get-account-authorization-details`, and look for ecs:*, iam:PassRole on the task roles "
    "and ecs:ExecuteCommand.",
)
EXEC = About(
    7,
    "No shells into tasks (ECS Exec)",
    "A shell in a task has the task's rights and sees its secrets. An intruder who gets one needs nothing else.",
    "What was typed in a shell, and whether a service allows shells when its deployments of the window do not say.",
    ("8.6.1", "2.2.4", "10.2.1.2"),
)
WORKS_ALONE = ("automation", "service", "workload")


def cluster_access(facts: Facts) -> Step:
    """Judged by who changed something: hands of people, keys of users, refusals, and what else findings say of them."""
    by_principal: dict[tuple[str, str], list[Row]] = {}
    for row in rows(facts.cluster_access):
        by_principal.setdefault((str(row["principal_arn"] or ""), row["hand"]), []).append(row)
    grave = _grave(facts)
    checks: list[Check] = []
    alone: list[Row] = []
    for (arn, hand), calls in sorted(by_principal.items()):
        done = [row for row in calls if row["event_count"] > row["denied_count"] + row["error_count"]]
        refused = [row for row in calls if row["denied_count"]]
        if done and arn in grave:
            checks.append(
                Check(
                    "bad",
                    f"{whose(arn)}, whom {counted(len(grave[arn]), 'grave finding')} name"
                    f"{'s' if len(grave[arn]) == 1 else ''}, {_what(done)}.",
                    "Take the principal's rights away until the findings are explained; undo what it started.",
                    ids(done),
                )
            )
        elif done and hand not in WORKS_ALONE:
            key = " with a key of an IAM user" if done[0]["identity_type"] == "IAMUser" else ""
            checks.append(
                Check(
                    "attention",
                    f"{whose(arn)}{_sessions(done)} {_what(done)} by {'hand' if hand == 'person' else 'unknown hand'}"
                    f"{key}.",
                    "Ask what for. Let the pipeline change the cluster, and people only with a role for emergencies.",
                    ids(done),
                )
            )
        elif done:
            alone += done
        if refused:
            checks.append(
                Check(
                    "attention",
                    f"{whose(arn)}{_sessions(refused)} was refused "
                    f"{named(row['event_name'] for row in refused)} "
                    f"({counted(sum(int(row['denied_count']) for row in refused), 'time')}).",
                    "Ask what for.",
                    ids(refused),
                )
            )
    if alone:
        hands = f"Changed without a person's hand, by {named(by(row) for row in alone)}{_passed(alone)}."
        checks.append(Check("good", hands, event_ids=ids(alone)))
    if not checks:
        checks.append(Check("cannot_tell", f"Nobody changed anything of {facts.scope} in the window."))
    return step(
        REACH,
        checks,
        [
            Evidence("Who changed or entered the cluster", facts.cluster_access, "review/cluster_access"),
        ],
        [finding for arn, _ in sorted(by_principal) for finding in grave.get(arn, [])],
    )


def _grave(facts: Facts) -> dict[str, list[Finding]]:
    """Principal to the findings that make it suspect: high or worse, and it succeeded."""
    grave: dict[str, list[Finding]] = {}
    for finding in facts.findings:
        if finding.principal_arn and finding.outcome == "ok" and at_least(finding.severity, "high"):
            grave.setdefault(finding.principal_arn, []).append(finding)
    return grave


def _sessions(calls: list[Row]) -> str:
    people = [name for row in calls for name in parts(row["session_names"])]
    return f" ({named(people)})" if people else ""


def _what(calls: list[Row]) -> str:
    return f"called {named(row['event_name'] for row in calls)}{_passed(calls)}"


def _passed(calls: list[Row]) -> str:
    handed = [role for row in calls for some in parts(row["passed_roles"], "; ") for role in parts(some)]
    return f", handing ECS the role {named(handed)}" if handed else ""


def shells(facts: Facts) -> Step:
    """Judged by the shells that were opened, and by whether services allow them."""
    opened = rows(facts.shells)
    events = facts.of_ecs()
    findings = facts.found(
        "ecs.execute_command", "ecs.credentials_endpoint_command", "ssm.session_into_task", "ecs.exec_enabled",
        "ecs.exec_logging_off", of=events,
    )  # fmt: skip
    stole = {
        event
        for finding in findings
        if finding.rule == "ecs.credentials_endpoint_command"
        for event in finding.evidence
    }
    checks = [_shell(row, str(row["event_id"]) in stole) for row in opened]
    checks += [
        Check("attention", told(finding), finding.response, finding.evidence)
        for finding in findings
        if finding.rule == "ecs.exec_logging_off"
    ]
    checks += list(_settings(facts, bool(opened)))
    return step(
        EXEC,
        checks,
        [
            Evidence("Shells and commands in tasks", facts.shells, "review/shells"),
            Evidence("Deployed and started", facts.launches, "review/launches"),
        ],
        findings,
    )


def _shell(row: Row, stole: bool) -> Check:
    how = "by way of Session Manager, past ECS Exec," if row["event_name"] == "StartSession" else "with ECS Exec"
    where = f"task {row['task_id']}" if row["task_id"] else "a task"
    if row["outcome"] != "ok":
        said = f"{whose(str(row['principal_arn'] or ''))} was refused a shell in {where} on {at(row['event_time'])}."
        return Check("attention", said, "Ask what for.", ids([row]))
    took = " The command fetches the task's credentials." if stole else ""
    return Check(
        "bad",
        f"{whose(str(row['principal_arn'] or ''))} opened a shell in {where} {how} on {at(row['event_time'])}, from "
        f"{row['source_ip'] or 'no known address'}.{took}",
        "Match each shell with a support case; read the session's log where the cluster keeps one; replace the task "
        "and its secrets if nobody can say what was done.",
        ids([row]),
    )


def _settings(facts: Facts, any_shell: bool) -> Iterator[Check]:
    """Whether services of the scope allow shells: the last word of each."""
    last: dict[tuple[str, str], Row] = {}
    for row in facts.started:
        if row["outcome"] == "ok" and row["exec_enabled"] is not None:
            last[row["cluster"], row["ecs_service"] or row["definition"]] = row
    allowing = [row for row in last.values() if row["exec_enabled"]]
    refusing = [row for row in last.values() if not row["exec_enabled"]]
    services = {(row["cluster"], row["ecs_service"]) for row in facts.started if row["ecs_service"]}
    if allowing:
        yield Check(
            "attention",
            "Deployed or started so that shells are allowed: "
            f"{named(row['ecs_service'] or row['definition'] for row in allowing)}.",
            "Ask who needs them and until when; switch `enableExecuteCommand` off with a new deployment.",
            ids(allowing),
        )
    if refusing:
        yield Check(
            "good",
            f"Deployed or started without shells: {named(row['ecs_service'] or row['definition'] for row in refusing)}."
            f"{'' if any_shell else ' No shell was opened in the window.'}",
            event_ids=ids(refusing),
        )
    open_question = sorted(services - last.keys(), key=str)
    if open_question or not facts.started:
        of = named(f"service {service}" for _, service in open_question) or facts.scope
        yield Check(
            "cannot_tell",
            f"{'' if any_shell else 'No shell was opened in the window. '}Whether {of} allows shells is not in "
            "these logs.",
            "`aws ecs describe-services --query 'services[].[serviceName,enableExecuteCommand]'`, for each cluster",
        )
