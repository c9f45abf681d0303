"""One row of a rule as a Finding, with the sentence that tells it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from auditkit.catalogue import Query
from auditkit.judgement import weigh
from auditkit.model import Finding, Outcome, counted
from auditkit.places import NO_PLACES, Places

if TYPE_CHECKING:
    import pandas as pd

_PRINCIPAL = re.compile(r"arn:[^:]*:(?:iam|sts)::(\d*):(user|role|federated-user|root)(?:/(?:.*/)?([^/]+))?")
NOTHING_USUAL: Mapping[str, int] = MappingProxyType({})
MOST_LISTED = 100  # sources that rules over flow records list; where it is full there may be more
NAMED = 3  # addresses, calls and resources that a sentence names before it counts the rest


def finding(
    query: Query,
    row: Mapping[str, Any],
    sql: str,
    usual: Mapping[str, int] = NOTHING_USUAL,
    places: Places = NO_PLACES,
) -> Finding | None:
    """The finding in one *row* of the rule *query*; None when the rule ignores mere attempts and this is one.

    Args:
        usual: Of findings by their ids, on how many days of the baseline they were there too.
        places: What its addresses are called.
    Raises: KeyError, when *row* lacks a column that every finding has.
    """
    header, count, failed = query.header, row["event_count"], row["failed_count"]
    outcome = cast(Outcome, row.get("outcome") or ("ok" if failed < count else "denied"))
    if outcome != "ok" and header.get("attempts") == "ignore":
        return None
    found, hands = finding_id(query, row), tuple(hand for hand in row.get("hands") or () if hand)
    addresses = tuple(sorted(address for address in row["source_ips"] or () if address))
    severity, judgement = weigh(
        header,
        outcome=outcome,
        hands=hands,
        usual_days=usual.get(found, 0),
        trusted=places.trusted(addresses) if len(addresses) < MOST_LISTED else (),
        tried_first=bool(row.get("tried_first")),
    )
    return Finding(
        id=found,
        rule=query.rule,
        title=query.title,
        severity=severity,
        outcome=outcome,
        principal_arn=row["principal_arn"],
        account_id=row["account_id"],
        resource=row.get("resource"),
        first_seen=_utc(row["first_seen"]),
        last_seen=_utc(row["last_seen"]),
        event_count=count,
        failed_count=failed,
        source_ips=addresses,
        evidence=tuple(key for key in row["evidence"] or () if key),
        summary=summary(query, row, places),
        why=_one_line(header["why"]),
        response=_one_line(header["response"]),
        false_positives=_one_line(header["false_positives"]),
        blind_spots=_one_line(header["blind_spots"]),
        attack=tuple(header.get("attack") or ()),
        pci=tuple(header.get("pci") or ()),
        cis=tuple(header.get("cis") or ()),
        sql=sql,
        event_names=tuple(name for name in row.get("event_names") or () if name),
        hands=hands,
        judgement=judgement,
        author=header.get("author"),
        places=places.labels(addresses),
    )


def finding_id(query: Query, row: Mapping[str, Any]) -> str:
    """The same for the same rule, principal, account and resource in every run."""
    identity = json.dumps([query.rule, row["principal_arn"], row["account_id"], row.get("resource")])
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def summary(query: Query, row: Mapping[str, Any], places: Places = NO_PLACES) -> str:
    """Who did what to what, how often, how it ended and from where: one sentence of plain text.

    `IAM user created: user alice of account 111122223333 called CreateUser 2 times on bob, 1 of them refused or failed,
    from 198.51.100.7.` Where files say more of an address: `from 198.51.100.7 (NL, Example Hosting AS64500)`. Names in
    it are as logged, so the text is as hostile as the log.
    """
    of_flows = "cloudtrail_events" not in query.reads
    addresses = [address for address in row["source_ips"] or () if address]
    named = [row["resource"]] if row.get("resource") else row.get("resources") or []
    said = () if of_flows else (*addresses, *(row.get("event_names") or ()))  # elsewhere in the sentence
    resources = [resource for resource in named if resource and resource not in said]
    deed = _flows(row, resources) if of_flows else _calls(row, resources)
    if of_flows:
        addresses = [address for address in addresses if address not in resources]
    return f"{query.title}: {deed}{_ending(row, of_flows)}{f', from {_some(addresses, places)}' if addresses else ''}."


def _flows(row: Mapping[str, Any], resources: Sequence[str]) -> str:
    return f"{counted(row['event_count'], 'flow record')}{f' of {_some(resources)}' if resources else ''}"


def _calls(row: Mapping[str, Any], resources: Sequence[str]) -> str:
    principal, count = who(row["principal_arn"]), row["event_count"]
    on_what = f" on {_some(resources)}" if resources else ""
    if names := row.get("event_names"):
        return f"{principal} called {_some(names)}{'' if count == 1 else f' {count:,} times'}{on_what}"
    return f"{counted(count, 'call')} by {principal}{on_what}"


def _ending(row: Mapping[str, Any], of_flows: bool) -> str:
    count, failed = row["event_count"], row["failed_count"]
    if of_flows:
        ended = "rejected"
    elif row.get("outcome") == "denied":
        ended = "refused"
    else:
        ended = "refused or failed"
    if failed == 0:
        return ""
    if row.get("tried_first"):
        return f", {failed:,} of them {ended}, and then it succeeded"
    if failed < count:
        return f", {failed:,} of them {ended}"
    return f", {ended}" if count == 1 else f", all {ended}"


def who(principal_arn: str | None) -> str:
    """A principal in words: `user alice of account 111122223333`, `the root user of account …`, `ecs.amazonaws.com`."""
    if principal_arn is None:
        return "someone the log does not name"
    if not (match := _PRINCIPAL.fullmatch(principal_arn)):
        return principal_arn
    account, kind, name = match.groups()
    of_account = f" of account {account}" if account else ""
    return f"the root user{of_account}" if kind == "root" else f"{kind.replace('-', ' ')} {name}{of_account}"


def _some(values: Sequence[str | None], places: Places = NO_PLACES) -> str:
    """The first few of *values*, sorted, with their places where these say more; and how many more there are."""
    named = sorted(value for value in values if value)
    shown, more = named[:NAMED], len(named) - NAMED
    told = [places.of(value).in_words if places else "" for value in shown]
    shown = [f"{value} ({words})" if words else value for value, words in zip(shown, told, strict=True)]
    if more > 0:
        return f"{', '.join(shown)} and {more:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def as_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """One row a finding, in their order, a column a field; times aware (UTC), tuples as lists."""
    import pandas as pd

    frame = pd.DataFrame([finding.as_json() for finding in findings], columns=list(Finding.__slots__))
    for name in ("first_seen", "last_seen"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame
