"""allowlist.toml: what somebody has looked at and answers for, until a day. It suppresses findings and hides none."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal

from auditkit.addresses import address_of
from auditkit.errors import ParameterError
from auditkit.logs.keys import is_account
from auditkit.model import Finding, counted

ALLOWLIST = "allowlist.toml"
SOON = timedelta(days=14)  # before its last day an entry says that it is about to end
NAMED = 3  # findings and addresses that a notice names before it counts the rest

NoticeKind = Literal["expired", "expiring", "unused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One `[[allow]]`. A finding fits when it fits every key that is given.

    In `rule`, `principal` and `resource`, `*` stands for any text and `?` for one character; they hold from the first
    character to the last, and case counts.
    """

    number: int  # its place in the file, from 1
    rule: str
    principal: str | None = None
    resource: str | None = None
    address: str | None = None  # an address, or a network as CIDR
    account: str | None = None
    reason: str
    owner: str
    expires: date  # the last day on which it holds, in UTC

    def __str__(self) -> str:
        return f"Entry {self.number} ({self.rule}, owner {self.owner})"

    def matches(self, finding: Finding) -> bool:
        """Whether *finding* is wholly what this entry speaks of.

        One that sums up several resources has no `resource`, and one may come from several addresses. An entry that
        fits some of them does not match: the others would be hidden with them.
        """
        return self._names(finding) and self._has_resource(finding) and not self.addresses_outside(finding)

    def sums_up(self, finding: Finding) -> bool:
        """Whether *finding* fits but for its resource, which it does not name because it may be many."""
        return (
            self.resource is not None
            and finding.resource is None
            and self._names(finding)
            and not self.addresses_outside(finding)
        )

    def comes_from_elsewhere_too(self, finding: Finding) -> bool:
        """Whether *finding* fits but for some of its addresses."""
        outside = self.addresses_outside(finding)
        return 0 < len(outside) < len(finding.source_ips) and self._names(finding) and self._has_resource(finding)

    def addresses_outside(self, finding: Finding) -> list[str]:
        """The source addresses of *finding* that are not in `address`; what is no address is outside of every one."""
        if self.address is None:
            return []
        network = _network(self.address)
        found = [(text, address_of(text)) for text in finding.source_ips or ("no address",)]
        return [text for text, address in found if address is None or address not in network]

    def as_json(self) -> dict[str, Any]:
        """What was given of it, `expires` as text."""
        record = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in record.items() if value is not None} | {
            "expires": self.expires.isoformat()
        }

    def _names(self, finding: Finding) -> bool:
        return (
            (self.account is None or self.account == finding.account_id)
            and fits(self.rule, finding.rule)
            and (self.principal is None or fits(self.principal, finding.principal_arn))
        )

    def _has_resource(self, finding: Finding) -> bool:
        return self.resource is None or fits(self.resource, finding.resource)


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding, and the entry that answers for it."""

    finding: Finding
    entry: Entry

    def as_json(self) -> dict[str, Any]:
        return self.finding.as_json() | {"allowed_by": self.entry.as_json()}


@dataclass(frozen=True, slots=True)
class Notice:
    """What the owner of an entry should hear. The text is plain, and names in it are as logged."""

    kind: NoticeKind
    entry: Entry
    text: str
    finding_ids: tuple[str, ...] = ()  # what it would have suppressed, or still does

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "text": self.text,
            "findings": list(self.finding_ids),
            "entry": self.entry.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an allowlist made of some findings. Every finding is in exactly one of findings and suppressed."""

    findings: list[Finding]  # those that stay, in the order given
    suppressed: list[Suppressed]  # in the order given
    notices: list[Notice]  # at most one an entry, in the order of the file


@dataclass(frozen=True, slots=True)
class Allowlist:
    """The entries of a file, in its order."""

    entries: tuple[Entry, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Allowlist:
        """The entries of *path*. Raises: ParameterError, naming the file, the entry and what was expected."""
        try:
            written = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise ParameterError(f"{path} cannot be read: {error.strerror or error}.") from None
        except (ValueError, RecursionError) as error:
            raise ParameterError(f"{path} cannot be read as TOML: {error}") from None
        entries = written.pop("allow", [])
        if written:
            raise ParameterError(f"{path} has an unknown key {sorted(written)[0]!r}. It holds [[allow]] tables alone.")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ParameterError(f"{path}: allow is not a list of tables. Each entry begins with [[allow]].")
        return cls(tuple(_entry(f"{path}, entry {n}", n, entry) for n, entry in enumerate(entries, start=1)))

    def apply(self, findings: Iterable[Finding], *, today: date, rules: Collection[str] | None = None) -> Allowed:
        """Set apart the findings that an entry answers for. The first entry that fits and holds *today* takes it.

        Args:
            today: In UTC. An entry holds through its last day.
            rules: The rules there are. With them, an entry for a rule that does not exist says so.
        """
        staying: list[Finding] = []
        suppressed: list[Suppressed] = []
        fitted, stayed, taken = (defaultdict[int, list[Finding]](list) for _ in range(3))  # by the entry's number
        of_rule: dict[str, list[Finding]] = defaultdict(list)
        entries: dict[str, list[Entry]] = {}  # by rule: most findings are of few rules, most entries of one
        for finding in findings:
            if finding.rule not in entries:
                entries[finding.rule] = [entry for entry in self.entries if fits(entry.rule, finding.rule)]
            of_rule[finding.rule].append(finding)
            fitting = [entry for entry in entries[finding.rule] if entry.matches(finding)]
            live = next((entry for entry in fitting if entry.expires >= today), None)
            if live:
                suppressed.append(Suppressed(finding, live))
                taken[live.number].append(finding)
            else:
                staying.append(finding)
            for entry in fitting:
                fitted[entry.number].append(finding)
                if not live:
                    stayed[entry.number].append(finding)
        notices = []
        for entry in self.entries:
            if entry.expires < today:
                notices.append(_expired(entry, fitted[entry.number], stayed[entry.number]))
            elif not fitted[entry.number]:
                near = [one for rule, found in of_rule.items() if fits(entry.rule, rule) for one in found]
                notices.append(_unused(entry, near, rules))
            elif entry.expires - today <= SOON:
                notices.append(_expiring(entry, taken[entry.number], (entry.expires - today).days))
        return Allowed(staying, suppressed, notices)


def fits(pattern: str, text: str | None) -> bool:
    """Whether *pattern*, in which `*` and `?` are wild, is all of *text*. In *text* they are what they are."""
    return text is not None and _pattern(pattern).fullmatch(text) is not None


@lru_cache(maxsize=4_096)
def _pattern(text: str) -> re.Pattern[str]:
    first, *others = (re.escape(part).replace(r"\?", ".") for part in text.split("*"))
    if not others:
        return re.compile(first, re.DOTALL)
    *between, last = others
    # What stands between two stars is taken where it comes first and nowhere else, or a long name could take for ever.
    return re.compile(f"{first}{''.join(f'(?>.*?{part})' for part in between)}.*{last}", re.DOTALL)


@lru_cache(maxsize=4_096)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)


# --- what the entries say of themselves -----------------------------------------------------------------------------


def _expired(entry: Entry, fitted: Sequence[Finding], stayed: Sequence[Finding]) -> Notice:
    text = f"{entry} expired on {entry.expires}"
    if stayed:
        text += f", so {_these(stayed)} no longer suppressed. Look again: renew it with a reason, or remove it."
    elif fitted:
        text += ", and other entries suppress all that it fits. Remove it."
    else:
        text += ", and nothing fits it any more. Remove it."
    return Notice("expired", entry, text, tuple(finding.id for finding in stayed))


def _expiring(entry: Entry, taken: Sequence[Finding], days: int) -> Notice:
    when = f"in {counted(days, 'day')}" if days else "today"
    text = f"{entry} holds until {entry.expires} and ends {when}"
    text += f"; then {counted(len(taken), 'finding')} will be shown again." if taken else "."
    return Notice("expiring", entry, text, tuple(finding.id for finding in taken))


def _unused(entry: Entry, findings: Sequence[Finding], rules: Collection[str] | None) -> Notice:
    """*findings* are those of its rule; what nearly fits says why it does not."""
    text = f"{entry} fits no finding of this run"
    if rules is not None and not any(fits(entry.rule, rule) for rule in rules):
        close = get_close_matches(entry.rule, rules, n=1)
        text = f"{entry} is for a rule that does not exist"
        return Notice("unused", entry, f"{text}. Did you mean {close[0]}?" if close else f"{text}.")
    if many := [finding for finding in findings if entry.sums_up(finding)]:
        text += f". {counted(len(many), 'finding')} would fit if a single resource were named, and may be of several"
        return Notice("unused", entry, f"{text}. Leave out resource to allow all of them.")
    if mixed := [finding for finding in findings if entry.comes_from_elsewhere_too(finding)]:
        outside = sorted({address for finding in mixed for address in entry.addresses_outside(finding)})
        text += f". {counted(len(mixed), 'finding')} would fit if every address did; outside: {_some(outside)}"
        return Notice("unused", entry, f"{text}.")
    return Notice("unused", entry, f"{text}. Is it still needed, and spelled as the finding is?")


def _these(findings: Sequence[Finding]) -> str:
    return f"{counted(len(findings), 'finding')} {'is' if len(findings) == 1 else 'are'}"


def _some(values: Sequence[str]) -> str:
    more = len(values) - NAMED
    return ", ".join(values[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


# --- reading an entry -----------------------------------------------------------------------------------------------

_NEEDED = {
    "rule": "the name of a rule, or a pattern such as ecs.*",
    "reason": "a sentence that says why this is no threat",
    "owner": "who answers for it",
    "expires": "the last day on which it holds, such as 2027-03-31 without quotes",
}
_WHAT = {
    "principal": "an ARN, or a pattern such as arn:aws:iam::*:role/deploy-*",
    "resource": "the resource as the finding names it, or a pattern",
    "address": "an address or a network, such as 192.0.2.10 or 192.0.2.0/24",
    "account": "an account id of 12 digits, in quotes",
}
_KNOWN = _NEEDED | _WHAT


def _entry(where: str, number: int, given: Mapping[str, Any]) -> Entry:
    for key in given:
        if key not in _KNOWN:
            close = get_close_matches(key, _KNOWN, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise ParameterError(f"{where} has an unknown key {key!r}.{hint} Known: {', '.join(_KNOWN)}.")
    for key, what in _NEEDED.items():
        if key not in given:
            raise ParameterError(f"{where} has no {key}. Add {key}: {what}.")
    for key, value in given.items():
        if key != "expires" and (not isinstance(value, str) or not value.strip()):
            raise ParameterError(f"{where}: {key} is {value!r}, but text is expected: {_KNOWN[key]}.")
    expires = given["expires"]
    if not isinstance(expires, date) or isinstance(expires, datetime):
        raise ParameterError(f"{where}: expires is {str(expires)!r}, but a date is expected: {_KNOWN['expires']}.")
    if not re.fullmatch(r"\S.{8,}[.!?。！？]", given["reason"].strip(), re.DOTALL):
        raise ParameterError(f"{where}: reason is {given['reason']!r}, but a sentence is expected, with its stop.")
    if not _WHAT.keys() & given.keys():
        raise ParameterError(f"{where} allows all of {given['rule']}. Add at least one of {', '.join(_WHAT)}.")
    if "account" in given and not is_account(given["account"]):
        raise ParameterError(f"{where}: account is {given['account']!r}, but {_WHAT['account']} is expected.")
    if "address" in given:
        _check_address(where, given["address"])
    if all(_is_anything(key, given[key]) for key in ("rule", *_WHAT) if key in given):
        raise ParameterError(f"{where} fits every finding there may be. Name the rule, or whom or what it is about.")
    return Entry(number=number, **given)


def _check_address(where: str, text: str) -> None:
    try:
        ip_network(text)
    except ValueError:
        try:
            meant = f" Did you mean {ip_network(text, strict=False)}?"
        except ValueError:
            meant = ""
        raise ParameterError(f"{where}: address is {text!r}, but {_WHAT['address']} is expected.{meant}") from None


def _is_anything(key: str, value: str) -> bool:
    if key == "address":
        return value.endswith("/0")
    return not value.replace(".", "" if key == "rule" else ".").strip("*?")
