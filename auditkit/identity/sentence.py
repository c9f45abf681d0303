"""The answer to who a subject is in one sentence, with its certainty, and what the logs cannot tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from auditkit.addresses import address_of
from auditkit.identity.answer import Answer, Group, Maker
from auditkit.identity.hops import Identity, Origin
from auditkit.identity.subject import Subject, words
from auditkit.identity.workload import Task
from auditkit.model import counted

NAMED = 3  # origins, addresses and tasks that a sentence names before it counts the rest
_KINDS = {
    "person": "a person",
    "automation": "an automation",
    "workload": "a workload",
    "service": "an AWS service",
    "user": "an IAM user",
    "root": "a root user",
    "account": "another account",
    "unknown": "nobody that the logs name",
}


def sentence(answer: Answer) -> str:
    """Who it is, or who is behind it, and how sure that is."""
    tell = {
        "secret": _of_secret,
        "task": _of_task,
        "service": _of_service,
        "cluster": _of_service,
        "address": _of_place,
        "user_agent": _of_place,
    }.get(answer.subject.kind, _of_identity)
    return tell(answer)


def no_single(subject: Subject, groups: Sequence[Group], tasks: Sequence[Task]) -> Origin:
    """The origin of what has none, or several."""
    nobody = Identity(principal_arn=None)
    if groups:
        because = f"{len(groups)} origins stand behind it: {_named(groups)}."
        return Origin(
            kind="unknown", identity=nobody, name=f"{len(groups)} origins", certainty="unknown", because=because
        )
    if tasks and subject.kind == "task":
        role = tasks[0].role_arns[-1] if tasks[0].role_arns else None
        return Origin(
            kind="workload",
            identity=Identity(principal_arn=role, session_name=tasks[0].task_id, account_id=tasks[0].account_id),
            name=f"task {tasks[0].task_id}",
            certainty="proven",
            because="The flow log, or the event that started it, names the task; it called nothing in the window.",
        )
    because = f"No call of this {words(subject.kind)}, or about it, lies in the window."
    return Origin(kind="unknown", identity=nobody, name=subject.name, certainty="unknown", because=because)


def unknown(answer: Answer, *, untraced: int = 0, is_cut: bool = False) -> Iterator[str]:
    """Sentences: what the logs cannot tell of the subject."""
    yield from dict.fromkeys(
        group.origin.because for group in answer.origins[:NAMED] if group.origin.certainty == "unknown"
    )
    kinds = {group.origin.kind for group in answer.origins}
    if kinds & {"user", "root", "workload"}:
        yield "A lineage tells to whom credentials were given. Who holds a copy of them, only addresses hint at."
    if answer.subject.kind == "user_agent":
        yield "A user agent is whatever the caller wrote: others may write the same, and the caller something else."
    if answer.subject.kind == "address" and answer.origins:
        yield "Several people can share an address, behind a gateway or one after the other."
    yield from dict.fromkeys(text for task in answer.workload.tasks[:NAMED] for text in task.unknown)
    if not answer.network.has_flows:
        yield "No flow record lies in the window, so the logs say nothing of the network."
    if untraced:
        them = "1 identity that did less was" if untraced == 1 else f"{untraced:,} identities that did less were"
        yield f"{them} not traced."
    if is_cut:
        yield "It did more than is told here: the rarest calls are left out. A shorter window (--since) has them."


def said(origin: Origin) -> str:
    """`ben@example.com (a person, proven)`."""
    return f"{origin.name} ({_KINDS[origin.kind]}, {origin.certainty})"


def _of_identity(answer: Answer) -> str:
    what, origin = _what(answer.subject), answer.origin
    if not answer.origins:
        return f"{what} called nothing in {answer.window}: who is behind it is unknown."
    if len(answer.origins) > 1:
        return f"{what} leads back to {_many(answer.origins)}{_did(answer)}."
    if origin.kind == "unknown":
        return f"Who is behind {_inside(what)} is {origin.certainty}{_did(answer)}. {origin.because}"
    if answer.subject.kind == "key" and origin.kind in ("user", "root") and not answer.chain:
        return f"{what} is that of {said(origin)}, whoever holds it{_did(answer)}."
    if origin.kind in ("user", "root") and not answer.chain:
        return f"Nobody is behind {_inside(what)} but whoever holds its credentials ({origin.certainty}){_did(answer)}."
    if origin.name == answer.subject.name:
        return f"{what} is that of {_KINDS[origin.kind]} of this name ({origin.certainty}){_did(answer)}."
    return f"{what} leads back to {said(origin)}{_did(answer)}."


def _what(subject: Subject) -> str:
    """`The role deploy`, `The ECS task 8c30…`."""
    kinds = {re.split(r"[:/]", name)[5] for name in subject.names if name.startswith("arn:") and name.count(":") > 4}
    noun = {"user": "IAM user", "role": "role"}.get(kinds.pop()) if len(kinds) == 1 else None
    return f"The {noun if noun and subject.kind == 'principal' else words(subject.kind)} {subject.name}"


def _inside(what: str) -> str:
    return what[0].lower() + what[1:]


def _of_place(answer: Answer) -> str:
    what = _what(answer.subject)
    if not answer.origins:
        refused = counted(answer.network.reject_count, "rejected flow record")
        return f"No call came from {_inside(what)} in {answer.window}; the network has {refused} of it."
    if len(answer.origins) == 1:
        return f"{what} was used by {said(answer.origin)} alone{_did(answer)}."
    return f"{what} was used by {_many(answer.origins)}{_did(answer)}."


def _of_secret(answer: Answer) -> str:
    what = _what(answer.subject)
    denied = sum(row["denied_count"] for row in answer.activity)
    refused = f"; {denied:,} {'read was' if denied == 1 else 'reads were'} refused" if denied else ""
    readers = [group for group in answer.origins if _reads(group)]
    read = sum(map(_reads, readers))
    if not answer.origins:
        return f"{what} was not read in {answer.window}{_meant(answer)}."
    if not readers:
        return f"{what} was read by nobody{refused} ({_named(answer.origins)}){_meant(answer)}."
    meant = [g for g in readers if all(answer.workload.means(t.use.identity.principal_arn) for t in g.traced)]
    others = [group for group in readers if group not in meant]
    if meant and others:
        return (
            f"{what} was read {_times(read)}: {_times(sum(map(_reads, others)))} by {_many(others)}, to whom no task"
            f" definition hands it, and {_times(sum(map(_reads, meant)))} by {counted(len(meant), 'task')} that it is"
            f" meant for{refused}."
        )
    if meant:
        return f"{what} was read {_times(read)}, by {counted(len(meant), 'task')} that it is meant for alone{refused}."
    return f"{what} was read {_times(read)} by {_many(readers)}{refused}{_meant(answer)}."


def _reads(group: Group) -> int:
    return sum(traced.use.event_count - traced.use.denied_count for traced in group.traced)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _meant(answer: Answer) -> str:
    """The tasks that should read a secret, as their definitions say."""
    injected = answer.workload.injected
    if not injected:
        return "; no task definition registered in the logs names it"
    return f"; it is meant for the tasks of {_some([one.task_definition for one in injected])}"


def _of_task(answer: Answer) -> str:
    task = next(iter(answer.workload.tasks), None)
    what = _what(answer.subject)
    if task is None:
        return f"{what} is named by a session alone: that it is a task is {answer.origin.certainty}{_did(answer)}."
    place = f" of the service {task.service}" if task.service else ", outside any service that the logs tell,"
    cluster = f" in the cluster {task.cluster}" if task.cluster else ""
    runs = f" runs {task.task_definition}" if task.task_definition else " runs a definition that the logs do not tell"
    return f"{what}{place}{cluster}{runs}; {_made(answer, task)}{_did(answer)}."


def _made(answer: Answer, task: Task) -> str:
    """`it was started and registered by legacy-deploy (an IAM user, proven)`."""
    verbs: dict[str, list[str]] = {}
    for verb, made in (("started", task.started), ("deployed", task.deployed), ("registered", task.registered)):
        if maker := answer.workload.maker_of(made):
            verbs.setdefault(said(maker.origin), []).append(verb)
    if not verbs:
        return "who deployed it is unknown"
    return f"it was {_and([f'{_and(done)} by {who}' for who, done in verbs.items()])}"


def _of_service(answer: Answer) -> str:
    what = _what(answer.subject)
    done = {
        step: [maker for maker in answer.workload.makers if maker.made.step == step] for step in ("deployed", "started")
    }
    has = f"{what} had {counted(len(answer.workload.tasks), 'task')} in {answer.window}"
    told = [
        f"{counted(len(makers), noun)} by {_some([said(one.origin) for one in _distinct(makers)])}"
        for makers, noun in ((done["deployed"], "deployment"), (done["started"], "task run"))
        if makers
    ]
    if not told:
        return f"{has}; who deployed it is unknown: no deployment lies in the logs."
    latest = (done["deployed"] or done["started"])[0].made
    return f"{has}: {_and(told)}; the latest runs {latest.what or 'what it ran before'}."


def _distinct(makers: Iterable[Maker]) -> Iterable[Maker]:
    return {maker.origin.name: maker for maker in makers}.values()


def _did(answer: Answer) -> str:
    """`; 70 calls from 192.0.2.40 and 198.51.100.77, 21 denied`."""
    calls = sum(row["event_count"] for row in answer.activity)
    denied = sum(row["denied_count"] for row in answer.activity)
    if not calls:
        return ""
    # what AWS services call on behalf of somebody has their names there
    places = [
        f"{row['source_ip']} ({row['place']})" if row["place"] else row["source_ip"]
        for row in answer.addresses
        if address_of(row["source_ip"] or "")
    ]
    from_where = f" from {_some(places)}" if places and answer.subject.kind != "address" else ""
    return f"; {counted(calls, 'call')}{from_where}{f', {denied:,} denied' if denied else ''}"


def _many(groups: Sequence[Group]) -> str:
    return said(groups[0].origin) if len(groups) == 1 else f"{len(groups)} origins: {_named(groups)}"


def _named(groups: Sequence[Group]) -> str:
    return _some([said(group.origin) for group in groups])


def _some(values: Sequence[str]) -> str:
    """The first few of *values*, in their order, and how many more there are."""
    shown, more = list(values[:NAMED]), len(values) - NAMED
    return f"{', '.join(shown)} and {more:,} more" if more > 0 else _and(shown)


def _and(values: Sequence[str]) -> str:
    return " and ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)
