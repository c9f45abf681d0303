"""Who is it? A principal, session, key, address, secret or task, and everything that the logs know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from auditkit.identity.activity import Activity, Row, Use
from auditkit.identity.answer import Answer, Group, Maker, Traced, Workload
from auditkit.identity.around import Caller, concerning, network_of
from auditkit.identity.grant_rows import Grant
from auditkit.identity.hops import CERTAINTIES, Hop, Identity, Origin
from auditkit.identity.lineage import Grants, issued_by, lineage_of
from auditkit.identity.sentence import no_single, sentence, unknown
from auditkit.identity.subject import Subject
from auditkit.identity.workload import TASK_ID, Deployments, Made, Task
from auditkit.model import Ask, Finding, Window
from auditkit.places import NO_PLACES, Places

# How far before the window a role, a key or a deployment may lie that explains what happened in it. Sessions last half
# a day, but chains of them, long-term keys and deployments reach further back.
EARLIER = timedelta(days=30)
TRACED = 2_000  # identities whose lineage is looked for; a busier subject says how many more there are
ROWS = 50_000  # calls told apart by all that a row of activity names; of a busier subject the most frequent ones
_READS = ("GetSecretValue", "BatchGetSecretValue")


def who(
    ask: Ask,
    subject: Subject,
    *,
    window: Window,
    findings: Sequence[Finding] = (),
    earlier: Window | None = None,
    places: Places = NO_PLACES,
) -> Answer:
    """What the logs know of *subject*.

    Args:
        ask: `Audit.ask`: what it gives is masked.
        findings: What the rules found in the window.
        earlier: Where to look for what handed out credentials: the window and some time before it, by default.
        places: What addresses are called.
    """
    is_somebody = subject.kind in ("principal", "session", "key")
    earlier = earlier or before(window)
    ids = sorted({key for finding in findings for key in finding.evidence if " " not in key})  # a flow's has blanks
    asked = {**subject.as_parameters(), "evidence": ids, "limit": ROWS}
    rows = ask("identity/activity_of", asked, window=window).table.to_pylist()
    activity = Activity.of(rows, _is_deed(subject))
    uses = activity.uses()
    grants = Grants.of(
        ask("identity/grants", window=earlier).table,
        ask("identity/identities", window=earlier).table,
    )
    deployments = Deployments(ask("identity/deployments", window=earlier).table.to_pylist())
    tasks = _tasks(subject, activity, deployments, window)
    traced = _traced(subject, uses, grants)
    workload = _workload(subject, tasks, deployments, grants, window)
    # of a secret, whoever it is not meant for comes before the many tasks that it is for
    groups = sorted(_groups(traced), key=lambda group: _is_meant(group, workload))
    things = _things(subject, tasks, workload)
    network = network_of(
        ask,
        window,
        addresses=[row["source_ip"] for row in activity.by if row["source_ip"]],
        things=things,
        callers=_callers(uses) if is_somebody else (),
    )
    # what was done to have a task at all is of the task
    made = {maker.made.event_id for maker in workload.makers} if subject.kind == "task" else set()
    # and what proves a step that led to a session: one taken with stolen credentials may do nothing odd itself
    led_here = {hop.event_id for one in traced for hop in one.lineage.hops} if is_somebody else set()
    concerned = concerning(findings, subject, activity.evidence | made | led_here, things)
    answer = Answer(
        subject=subject,
        window=window,
        sentence="",
        origin=groups[0].origin if len(groups) == 1 else no_single(subject, groups, tasks),
        chain=_chain(groups),
        origins=tuple(groups),
        issued=_issued(subject, traced, grants) if activity.by else (),
        activity=tuple(activity.by_service()),
        denials=tuple(activity.denials()),
        addresses=tuple(row | {"place": _place(row, places)} for row in activity.addresses()),
        user_agents=tuple(activity.user_agents()),
        secrets=tuple(activity.secrets()),
        done_to=tuple(activity.done_to()),
        findings=tuple(concerned),
        network=network,
        workload=workload,
        unknown=(),
    )
    untraced = max(0, len(uses) - TRACED)
    left_open = unknown(answer, untraced=untraced, is_cut=len(rows) == ROWS)
    return replace(answer, sentence=sentence(answer), unknown=tuple(left_open))


def _place(row: Row, places: Places) -> str | None:
    return ", ".join(places.labels([row["source_ip"]])) or None


def before(window: Window) -> Window:
    """The window, and the time before it in which credentials may have been handed out."""
    return Window(window.start - EARLIER, window.end) if window.start else window


def _is_deed(subject: Subject) -> Callable[[Row], bool]:
    """What of the calls about a thing says who is behind it: reads of a secret, changes of a service."""
    if subject.kind == "secret":
        return lambda row: row["event_name"] in _READS
    return lambda row: row["read_only"] is False


def _traced(subject: Subject, uses: Sequence[Use], grants: Grants) -> list[Traced]:
    """The lineage of each identity; of a key that never called, that of whom it was given to."""
    found = [
        Traced(use, lineage_of(use.identity, grants, first_seen=use.first_seen, last_seen=use.last_seen))
        for use in uses[:TRACED]
    ]
    return found if found or subject.kind != "key" else [_unused(grant, grants) for grant in _given(subject, grants)]


def _given(subject: Subject, grants: Grants) -> list[Grant]:
    return [grant for key in subject.names for grant in grants.of_key(key)]


def _unused(grant: Grant, grants: Grants) -> Traced:
    identity = Identity(
        principal_arn=grant.to_principal_arn,
        session_name=grant.to_session_name,
        access_key_id=grant.to_access_key_id,
        account_id=grant.to_account,
    )
    use = Use(
        identity=identity,
        event_count=0,
        denied_count=0,
        first_seen=grant.event_time,
        last_seen=grant.event_time,
        source_ips=(),
    )
    return Traced(use, lineage_of(identity, grants))


def _groups(traced: Iterable[Traced]) -> list[Group]:
    """By origin, the most active first.

    A person, a pipeline or a task is one origin, whichever role each has on. Users are told apart by their ARNs, and
    sessions that nothing is known of by their roles, since whoever takes a role chooses the name.
    """
    groups: dict[tuple[str | None, ...], list[Traced]] = {}
    for one in traced:
        origin, identity = one.lineage.origin, one.lineage.origin.identity
        is_named = identity.principal_arn is None or origin.kind not in ("user", "root", "unknown")
        key = (origin.kind, origin.name) if is_named else (identity.principal_arn, identity.session_name)
        groups.setdefault(key, []).append(one)
    found = [Group(_weakest(group), group) for group in groups.values()]
    return sorted(found, key=lambda group: (-group.event_count, group.traced[0].use.first_seen, group.origin.name))


def _callers(uses: Iterable[Use]) -> set[Caller]:
    named = [use.identity for use in uses if use.identity.principal_arn]
    return {(str(one.principal_arn), session) for one in named for session in (one.session_name, None)}


def _is_meant(group: Group, workload: Workload) -> bool:
    return all(workload.means(one.use.identity.principal_arn) for one in group.traced)


def _weakest(group: Sequence[Traced]) -> Origin:
    """The origin of the least certainty: what is not proven of all is not proven.

    Sign-in events name no key, so those of a session that has keys elsewhere make it no less certain.
    """
    keyed = [one for one in group if one.use.identity.access_key_id] or group
    return min((one.lineage.origin for one in keyed), key=lambda origin: CERTAINTIES.index(origin.certainty))


def _chain(groups: Sequence[Group]) -> tuple[Hop, ...]:
    """Of the only origin the longest way from it; of several, none."""
    if len(groups) != 1:
        return ()
    return max((one.lineage.hops for one in groups[0].traced), key=len)


def _issued(subject: Subject, traced: Iterable[Traced], grants: Grants) -> tuple[Hop, ...]:
    """What the subject's identities went on to take, oldest first; of an address, what was taken from there."""
    traced = list(traced)
    shown = {hop.event_id for one in traced for hop in one.lineage.hops}
    found = {hop.event_id: hop for one in traced for hop in issued_by(one.use.identity, grants)}
    hops = sorted(
        (hop for hop in found.values() if hop.event_id not in shown), key=lambda hop: (hop.event_time, hop.event_id)
    )
    if subject.kind not in ("address", "user_agent"):
        return tuple(hops)
    kept: list[Hop] = []
    keys: set[str | None] = set()
    for hop in hops:
        if hop.source_ip in subject.names or hop.user_agent in subject.names or hop.by.access_key_id in keys:
            kept.append(hop)
            keys |= {hop.to.access_key_id} - {None}
    return tuple(kept)


def _tasks(subject: Subject, activity: Activity, deployments: Deployments, window: Window) -> list[Task]:
    """The ECS tasks that the subject is, has, or acts as, the latest first."""
    if subject.kind == "task":
        return [task for task_id in subject.names if (task := deployments.task(task_id))]
    names = set(subject.names)
    columns = {"service": ("service",), "cluster": ("cluster",), "principal": ("task_role_arn", "execution_role_arn")}
    wanted = columns.get(subject.kind, ())
    sessions = {row["session_name"] for row in activity.main if TASK_ID.fullmatch(row["session_name"] or "")}
    tasks = deployments.tasks_where(
        lambda row: row["task_id"] in sessions or any(row[column] in names for column in wanted)
    )
    return [task for task in tasks if window.start is None or task.last_seen >= window.start]


def _workload(
    subject: Subject, tasks: Sequence[Task], deployments: Deployments, grants: Grants, window: Window
) -> Workload:
    names = set(subject.names)
    made = {one.event_id: one for task in tasks for one in (task.started, task.deployed, task.registered) if one}
    if subject.kind in ("service", "cluster"):
        others = deployments.made_where(lambda row: row[subject.kind] in names)
        made |= {one.event_id: one for one in others if window.start is None or one.event_time >= window.start}
    latest = sorted(made.values(), key=lambda one: (one.event_time, one.event_id), reverse=True)
    injected = deployments.injecting(names) if subject.kind == "secret" else []
    return Workload(tuple(tasks), tuple(_maker(one, grants) for one in latest), tuple(injected))


def _maker(made: Made, grants: Grants) -> Maker:
    lineage = lineage_of(made.by, grants, first_seen=made.event_time, last_seen=made.event_time)
    return Maker(made, lineage.origin)


def _things(subject: Subject, tasks: Iterable[Task], workload: Workload) -> set[str]:
    """Ids of what has traffic of its own. Of the tasks that read a secret, those that it is not meant for count."""
    tasks = [task for task in tasks if not any(map(workload.means, task.role_arns))]
    things = {name for task in tasks for name in (task.task_id, *(task.interface_ids or "").split(", ")) if name}
    return things | set(subject.names if subject.kind in ("address", "instance") else ())
