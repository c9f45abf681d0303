"""The review of an ECS service as blocks for a notebook cell to show: the checklist, then a section for each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from auditkit.audit import Audit
from auditkit.ecs_review.facts import Facts
from auditkit.ecs_review.review import in_short, review
from auditkit.ecs_review.roles import role_names
from auditkit.ecs_review.step import Step, Verdict, named, rows
from auditkit.evidence import NOTHING_TO_JUDGE, Coverage
from auditkit.findings import as_frame
from auditkit.model import Finding, Result, Severity, Value, counted, worst_first
from auditkit.report import blocks
from auditkit.report.block import Block
from auditkit.rules import RuleRun

# A verdict on top of a page has the colour of a severity.
_COLOURS: dict[Verdict, Severity | None] = {
    "bad": "high",
    "attention": "medium",
    "cannot_tell": "info",
    "good": None,
}
_FINDING = [
    "severity", "title", "outcome", "principal_arn", "resource", "first_seen", "last_seen", "event_count", "evidence",
]  # fmt: skip
_WIDE = {  # long lists and names that other columns say already; the questions have them
    "review/task_traffic": {"interface_ids", "task_ids"},
}


@dataclass(frozen=True)
class Reviewed:
    """The steps, and the statements that they were judged by."""

    steps: list[Step]
    scope: str  # "service checkout in cluster shop"
    sql: Mapping[str, str]  # by the name of the question
    searched: str  # "2,126 events and 11,047 flow records"
    is_empty: bool  # whether there was nothing at all to judge
    elsewhere: tuple[str, ...] = ()  # "web in cluster shop": what the logs name, when nothing of the scope is there

    is_strange: bool = False  # whether a cluster or a service was asked for that no launch names

    @property
    def findings(self) -> list[Finding]:
        """What the steps rest on, worst first, each once."""
        return worst_first({finding.id: finding for step in self.steps for finding in step.findings}.values())


def reviewed(audit: Audit, run: RuleRun, coverage: Coverage, *, cluster: str = "", service: str = "") -> Reviewed:
    """The review of the window of *audit*, whose rules and coverage are at hand.

    Args:
        cluster, service: By name; empty for all.
    """
    answers: dict[str, Result] = {}
    scope: dict[str, Value] = {"cluster": cluster or None, "service": service or None}

    def ask(question: str, params: Mapping[str, Value] | None = None) -> Result:
        answers[question] = audit.ask(question, params)
        return answers[question]

    of_cluster = {"cluster": scope["cluster"]}
    nobody: dict[str, Value] = {"roles": []}
    facts = Facts(
        task_definitions=ask("review/task_definitions").frame(),
        launches=ask("review/launches", scope).frame(),
        security_groups=ask("review/security_groups").frame(),
        security_group_changes=ask("review/security_group_changes").frame(),
        cluster_access=ask("review/cluster_access", of_cluster).frame(),
        shells=ask("review/shells", of_cluster).frame(),
        registry=ask("review/registry").frame(),
        image_pulls=ask("review/image_pulls").frame(),
        logging_state=ask("review/logging_state").frame(),
        role_changes=ask("review/role_changes", nobody).frame(),
        role_use=ask("review/role_use", nobody).frame(),
        task_traffic=ask("review/task_traffic", scope).frame(),
        secret_reads=ask("activity/secret_reads").frame(),
        findings=run.findings,
        coverage=coverage,
        web_ports=_ports(audit, "rules/network/security_group_open", "web_ports"),
        database_ports=_ports(audit, "rules/network/database_port_from_internet", "ports"),
        cluster=cluster or None,
        service=service or None,
    )
    if roles := role_names(facts):
        asked: dict[str, Value] = {"roles": roles}
        facts = replace(
            facts,
            role_changes=ask("review/role_changes", asked).frame(),
            role_use=ask("review/role_use", asked).frame(),
        )
    events, flows = (coverage.tables.get(table, {}).get("rows", 0) for table in ("cloudtrail_events", "flow_records"))
    searched = f"{counted(events, 'event')} and {counted(flows, 'flow record')}"
    statements = {name: answer.sql for name, answer in answers.items()}
    elsewhere: list[str] = []
    if facts.is_scoped and not facts.started:
        launched = rows(audit.ask("review/launches").frame())
        known = {(row["ecs_service"], row["cluster"]) for row in launched if row["ecs_service"]}
        elsewhere = [f"{its_service} in cluster {its}" for its_service, its in sorted(known, key=str)]
    return Reviewed(
        review(facts),
        facts.scope,
        statements,
        searched,
        not events + flows,
        tuple(elsewhere),
        facts.is_scoped and not facts.started,
    )


def checklist(audit: Audit, done: Reviewed) -> list[Block]:
    """What the steps come to in one sentence, and each of them in short."""
    worst = min((step.verdict for step in done.steps), key=list(_COLOURS).index)
    grave = [step for step in done.steps if step.verdict == worst]
    detail = (
        f"Judged for {done.scope}, by {done.searched} in {audit.window}. "
        + ("" if worst in ("good", "cannot_tell") else f"Begin with {grave[0].number}, {grave[0].title}. ")
        + "A step is good only where the logs prove it; where they are silent it cannot be told, and the step says "
        "what to look at instead."
    )
    strange = [blocks.note(f"No call of the window names {done.scope}. {_named(done.elsewhere)}", "warning")]
    return [
        blocks.verdict(NOTHING_TO_JUDGE if done.is_empty else in_short(done.steps), detail, _COLOURS[worst]),
        *(strange if done.is_strange else []),
        blocks.checklist((step.number, step.title, step.verdict, step.sentence) for step in done.steps),
    ]


def _named(services: Sequence[str]) -> str:
    return f"It names {named(services)}." if services else "It names no service at all."


def step(done: Reviewed, number: int) -> list[Block]:
    """One step: its checks, what to do, what the logs cannot show, and the rows that it was judged by."""
    one = next(step for step in done.steps if step.number == number)
    shown = [
        blocks.step(
            one.number,
            one.title,
            one.verdict,
            ((check.verdict, check.sentence) for check in one.checks),
            what_to_do=one.what_to_do,
            why_it_matters=one.about.why_it_matters,
            cannot_show=one.about.cannot_show,
            pci=one.about.pci,
        )
    ]
    for some in one.evidence:
        frame = some.frame[[name for name in some.frame if name not in _WIDE.get(some.question or "", set())]]
        sql = done.sql[some.question] if some.question else None
        shown.append(blocks.table(frame, title=some.title, sql=sql, empty="The logs hold none."))
    return [*shown, *_rest_on(one.findings)]


def _rest_on(findings: Iterable[Finding]) -> list[Block]:
    found = list(findings)
    about = f"{counted(len(found), 'finding')} of rules; each stands in full under Findings."
    return [blocks.table(as_frame(found)[_FINDING], title="Findings that this step rests on", about=about)] * bool(
        found
    )


def findings(audit: Audit, done: Reviewed) -> list[Block]:
    """The findings that the steps rest on, in full."""
    found = done.findings
    return [blocks.findings(found, evidence=audit.evidence(found), empty="No step rests on a finding of a rule.")]


def _ports(audit: Audit, rule: str, name: str) -> frozenset[int]:
    """The ports that a rule goes by, so that a step goes by the same."""
    ports = audit.catalogue.get(rule).params[name].default
    return frozenset(int(port) for port in ports) if isinstance(ports, list | tuple) else frozenset()
