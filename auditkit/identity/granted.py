"""What principals are granted: an export of `aws iam get-account-authorization-details`, read and resolved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from auditkit.errors import ParameterError
from auditkit.identity.patterns import matches

COMMAND = "aws iam get-account-authorization-details"
_LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
_MOST_BYTES = 1 << 30  # of an export; the largest account's is some tens of MB


@dataclass(frozen=True, slots=True)
class Grant:
    """One statement of a policy, as far as its actions go."""

    policy: str  # the policy's name, and where it hangs: `ops (inline)`, `Admins via the group admins`
    effect: str  # Allow or Deny
    actions: tuple[str, ...]  # patterns; of NotAction when `is_inverted`
    resources: tuple[str, ...]
    is_inverted: bool = False  # all actions but these
    is_conditional: bool = False

    def speaks_of(self, action: str) -> bool:
        """Whether this statement is about *action*, in whatever case."""
        named = any(matches(pattern, action, ignore_case=True) for pattern in self.actions)
        return named is not self.is_inverted


@dataclass(frozen=True, slots=True)
class Granted:
    """All that the policies of one principal say. What is not in an export: organizations, sessions, resources."""

    principal_arn: str
    grants: tuple[Grant, ...]
    boundary: tuple[Grant, ...] | None = None  # what a permissions boundary lets through; None without one
    missing: tuple[str, ...] = ()  # policies that hang on it and are not in the export


@dataclass(frozen=True)
class Details:
    """An account's users, groups, roles and managed policies, by ARN or name."""

    principals: Mapping[str, Mapping[str, Any]]  # users and roles, by ARN
    groups: Mapping[str, Mapping[str, Any]]  # by name
    policies: Mapping[str, Mapping[str, Any]]  # by ARN

    @classmethod
    def read(cls, path: Path) -> Details:
        """The export in *path*: one document, a list of the documents of its pages, or one document a line.

        Raises: ParameterError, naming the file, what is wrong with it and what was expected.
        """
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise ParameterError(f"{path} is too large to be an export of `{COMMAND}`.")
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise ParameterError(f"{path} is not text in UTF-8. Expected is the JSON of `{COMMAND}`.") from None
        except OSError as error:
            raise ParameterError(f"{path} cannot be read: {error.strerror or error}.") from None
        return cls.parse(text, name=str(path))

    @classmethod
    def parse(cls, text: str, *, name: str = "The export") -> Details:
        """Like `read`, from the text; *name* is what errors call it."""
        pages = list(_pages(text, name))
        if not pages:
            raise ParameterError(f"{name} is empty. Expected is the JSON of `{COMMAND}`.")
        for number, page in enumerate(pages, start=1):
            if not isinstance(page, dict) or not any(isinstance(page.get(key), list) for key in _LISTS):
                raise ParameterError(
                    f"{name}: document {number} has none of {', '.join(_LISTS)}. Expected is the JSON of `{COMMAND}`."
                )
        found = {key: [row for page in pages for row in _rows(page, key)] for key in _LISTS}
        people = [*found["UserDetailList"], *found["RoleDetailList"]]
        return cls(
            {row["Arn"]: row for row in people if isinstance(row.get("Arn"), str)},
            {row["GroupName"]: row for row in found["GroupDetailList"] if isinstance(row.get("GroupName"), str)},
            {row["Arn"]: row for row in found["Policies"] if isinstance(row.get("Arn"), str)},
        )

    def granted_to(self, principal_arn: str) -> Granted:
        """What the policies of a user or role say: inline, attached, of the user's groups, and the boundary.

        Raises: ParameterError, when the export has no such principal.
        """
        row = self.principals.get(principal_arn)
        if row is None:
            raise ParameterError(
                f"The export has no {principal_arn}: it holds {len(self.principals):,} users and roles. Is it of the "
                "right account, and not older than the principal?"
            )
        missing: list[str] = []
        grants = [*self._of(row, "", missing)]
        for name in _texts(row.get("GroupList")):
            if group := self.groups.get(name):
                grants += self._of(group, f" via the group {name}", missing)
            else:
                missing.append(f"the group {name}")
        boundary: tuple[Grant, ...] | None = None
        limit = row.get("PermissionsBoundary")
        if isinstance(limit, dict) and (arn := limit.get("PermissionsBoundaryArn")):
            lost: list[str] = []
            boundary = tuple(self._managed(str(arn), " (boundary)", lost))
            if lost:
                boundary, missing = None, [*missing, f"the boundary {arn}"]
        return Granted(principal_arn, tuple(grants), boundary, tuple(missing))

    def _of(self, row: Mapping[str, Any], how: str, missing: list[str]) -> Iterator[Grant]:
        for key in ("UserPolicyList", "RolePolicyList", "GroupPolicyList"):
            for policy in _rows(row, key):
                name = str(policy.get("PolicyName"))
                yield from _statements(policy.get("PolicyDocument"), f"{name} (inline){how}")
        for attached in _rows(row, "AttachedManagedPolicies"):
            yield from self._managed(str(attached.get("PolicyArn")), how, missing)

    def _managed(self, arn: str, how: str, missing: list[str]) -> Iterator[Grant]:
        policy = self.policies.get(arn, {})
        default = next((row for row in _rows(policy, "PolicyVersionList") if row.get("IsDefaultVersion")), None)
        if default is None:
            missing.append(arn)
            return
        yield from _statements(default.get("Document"), f"{policy.get('PolicyName', arn)}{how}")


def _pages(text: str, name: str) -> Iterator[Any]:
    """The documents of *text*, one behind another, however they are laid out."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            line = text.count("\n", 0, getattr(error, "pos", at)) + 1
            raise ParameterError(
                f"{name} breaks off or is no JSON in line {line}. Expected is the JSON of `{COMMAND}`."
            ) from None
        yield from value if isinstance(value, list) else [value]


def _rows(page: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    listed = page.get(key)
    return [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []


def _texts(value: object) -> tuple[str, ...]:
    """A text or a list of texts: policies write both."""
    listed: Iterable[object] = value if isinstance(value, list) else [value]
    return tuple(text for text in listed if isinstance(text, str))


def _statements(document: object, policy: str) -> Iterator[Grant]:
    """What a document says; the AWS CLI gives an object, the API its text with percent signs.

    Raises: ParameterError, for a document that is neither: to leave it out would make grants of less than there is.
    """
    if isinstance(document, str):
        try:
            document = json.loads(unquote(document) if document.lstrip().startswith("%") else document)
        except (ValueError, RecursionError):
            document = None
    if not isinstance(document, dict):
        raise ParameterError(f"The export holds no readable document of the policy {policy}.")
    listed = document.get("Statement", [])
    for statement in listed if isinstance(listed, list) else [listed]:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise ParameterError(f"The policy {policy} has a statement that neither allows nor denies.")
        is_inverted = "NotAction" in statement
        yield Grant(
            policy,
            statement["Effect"],
            _texts(statement.get("NotAction" if is_inverted else "Action")),
            _texts(statement.get("Resource")),
            is_inverted,
            bool(statement.get("Condition")) or "NotResource" in statement,
        )
