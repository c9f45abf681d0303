"""CloudTrail's own names, which Sigma rules use, as columns and as paths into their JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import reduce

from sqlglot import exp

from auditkit.errors import CatalogueError
from auditkit.logs.cloudtrail import MEMBERS
from auditkit.sigma.nodes import Test, any_of, false_if_null, node, text

COLUMNS = {  # what has a column of its own that holds the text as logged
    "eventID": "event_id",
    "eventSource": "event_source",
    "eventName": "event_name",
    "eventType": "event_type",
    "eventCategory": "event_category",
    "awsRegion": "aws_region",
    "recipientAccountId": "account_id",
    "sourceIPAddress": "source_ip",
    "userAgent": "user_agent",
    "errorCode": "error_code",
    "errorMessage": "error_message",
    "requestID": "request_id",
    "sharedEventID": "shared_event_id",
    "vpcEndpointId": "vpc_endpoint_id",
    "userIdentity.type": "identity_type",
    "userIdentity.accessKeyId": "access_key_id",
    "userIdentity.invokedBy": "invoked_by",
}
JSON = {  # what is JSON text in a column of its own
    "requestParameters": "request_parameters",
    "responseElements": "response_elements",
    "additionalEventData": "additional_event_data",
    "resources": "resources",
    "userIdentity": "user_identity",
}
SPOKEN = ("event_name", "event_source", "aws_region", "source_ip", "user_agent", "error_code", "error_message")

_PLAIN_KEY, _KEY = re.compile(r"[A-Za-z_]\w*", re.ASCII), re.compile(r"[\w :/@+=,-]+")
_SCALAR = "json_extract_scalar(:json, :path)"
_NODE = "json_extract(:json, :path)"
_ITEMS = "COALESCE(TRY_CAST(:node AS ARRAY(JSON)), ARRAY[:node])"
_TEXT_OF_ITEM = "COALESCE(json_extract_scalar(item, '$'), NULLIF(json_format(item), 'null'))"


@dataclass(frozen=True)
class Field:
    """Where the values of a field are. A list anywhere on its path, or at its end, has a value for each item."""

    whole: exp.Expr  # all of it as text, if it is not JSON or has no path
    path: tuple[str, ...] = ()  # into the JSON of *whole*
    is_json: bool = False

    @property
    def text(self) -> exp.Expr:
        """Its one value as text; NULL where there is none or are several."""
        return node(_SCALAR, json=self.whole, path=_path(self.path)) if self.path else self.whole.copy()

    def passes(self, test: Test) -> exp.Expr:
        """Whether one of its values passes; NULL or false, where it has none. *test* is NULL of NULL alone."""
        if not self.path and self.is_json:  # a document inside the JSON has its quotes escaped
            plain = node(r"""replace(:whole, '\"', '"')""", whole=self.whole)
            return any_of([test(self.whole.copy(), None), test(plain, None)])
        if not self.path:
            return test(self.whole.copy(), None)
        item = exp.column("item")
        among = self._any(test(node(_TEXT_OF_ITEM), item))
        return exp.func("COALESCE", test(self.text, self._node), among)

    @property
    def has_value(self) -> exp.Expr:
        """Whether it has a value that is not JSON's null. Never NULL."""
        if not self.path:
            return exp.not_(self.whole.copy().is_(exp.null()))
        among = self._any(node("NULLIF(json_format(item), 'null') IS NOT NULL"))
        return any_of([exp.not_(self.text.is_(exp.null())), false_if_null(among)])

    @property
    def exists(self) -> exp.Expr:
        """Whether the event has it, whatever its value. Never NULL."""
        if not self.path:
            return self.has_value
        there = exp.not_(self._node.is_(exp.null()))
        if len(self.path) == 1 and self.whole.name != "resources":
            return there
        within = exp.not_(node("json_extract(item, :path)", path=_path(self.path[-1:])).is_(exp.null()))
        return any_of([there, false_if_null(Field(self.whole, self.path[:-1])._any(within))])

    @property
    def _node(self) -> exp.Expr:
        return node(_NODE, json=self.whole, path=_path(self.path))

    def _any(self, passes: exp.Expr) -> exp.Expr:
        """Whether *passes* of one `item`: each list on the path is opened, so that none has to be known beforehand."""
        at = 0 if self.whole.name == "resources" else 1  # which is a list itself
        items = node(_ITEMS, node=node(_NODE, json=self.whole, path=_path(self.path[:at])))
        return _call("any_match", reduce(_deeper, self.path[at:], items), passes)


def field(name: str) -> Field:
    """The field that CloudTrail calls *name*, such as `eventName` or `requestParameters.policyArn`.

    Raises: CatalogueError, when there is none.
    """
    top, *path = name.split(".")
    if column := COLUMNS.get(name):
        return Field(exp.column(column))
    if name == "readOnly":
        return Field(node("CAST(read_only AS VARCHAR)"))
    if name == "eventTime":
        return Field(node("date_format(event_time, '%Y-%m-%dT%H:%i:%sZ')"))
    if top not in MEMBERS or (path and top in (*COLUMNS, "readOnly", "eventTime")):
        close = get_close_matches(name, (*COLUMNS, *MEMBERS), n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise CatalogueError(f"{name!r} is no field of CloudTrail.{hint}")
    if strange := [key for key in path if not _KEY.fullmatch(key)]:
        raise CatalogueError(f"{name!r} is no path to a value: {strange[0]!r} cannot be a key.")
    if top in JSON:
        return Field(exp.column(JSON[top]), tuple(path), is_json=True)
    return Field(exp.column("extra"), (top, *path), is_json=True)


def spoken() -> exp.Expr:
    """All text of an event, in which a keyword is looked for, a line for each column."""
    columns = [exp.column(name) for name in (*SPOKEN, *JSON.values(), "extra")]
    return exp.func("concat_ws", exp.Literal.string("\n"), *columns, dialect="trino")


def _deeper(items: exp.Expr, key: str) -> exp.Expr:
    inner = node(_ITEMS, node=node("json_extract(item, :path)", path=_path((key,))))
    return exp.func("flatten", _call("transform", items, inner))


def _call(name: str, items: exp.Expr, of_item: exp.Expr) -> exp.Expr:
    return exp.func(name, items, exp.Lambda(this=of_item, expressions=[exp.to_identifier("item")]))


def _path(keys: tuple[str, ...]) -> exp.Expr:
    return text("$" + "".join(f".{key}" if _PLAIN_KEY.fullmatch(key) else f'["{key}"]' for key in keys))
