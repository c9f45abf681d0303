"""Secrets and session tokens never leave: `mask` for one text, `mask_table` for a whole result. Access key ids stay.

What is masked becomes `***`. Masking again changes nothing more, and JSON stays JSON, with keys and numbers as logged.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

MARK = "***"

# Members whose value is a secret whatever it looks like. No lookaround here: Arrow's RE2 reads these patterns too.
_KEY = (
    r"(?:[\w.-]*(?:password|passwd|passphrase|private_?key|private_?key_?plaintext|client_?secret|session_?token)"
    r"|secret_?access_?key|aws_?secret_?access_?key|secret_?key|secret_?string|secret_?binary|secret_?value"
    r"|(?:x-amz-)?security-?_?token|token_?value|key_?material|plaintext|saml_?assertion|web_?identity_?token"
    r"|(?:id|access|refresh|bearer|auth|oauth|authorization|api|secret|personal_?access)_?token"
    r"|(?:app|shared|webhook)_?secret|api_?key|pre_?shared_?key|(?:auth|authorization|token)_?code"
    r"|authentication_?code_?[12]?|base_?32_?string_?seed|qr_?code_?png|x-amz-signature)"
)
_ENVIRONMENT = r"environment(?:_?variables)?(?:_?override)?"
# What the name of a variable, option or parameter ends in when it holds a secret.
_NAME = (
    r"(?:password|passwd|passphrase|pwd|secret|secret[_-]?(?:string|binary|value)|(?:secret|access|api|private)[_-]?key"
    r"|token|x-amz-signature)"
)
_NO_SECRET = (
    r"(?:next|client|request|start|starting|page|pagination|continuation|idempotency)[_-]?(?:request[_-]?)?token"
)
_UNMASKED = r"(?:[^*\"']|\*{1,2}[^*]|\*{3}[^\"'\\])"  # how a value starts that is not the mark already
_STS = r"(?:IQoJ|FwoG|FQoG|AgoJ|AQoD)[\w+/=%-]{80,}"
_JWT = r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"

_TRIGGER_TEXT = "|".join(
    [
        rf"(?i:[\"'](?:{_KEY}|secret)\\*[\"']\s*:\s*(?:\\*[\"']{_UNMASKED}|[-0-9\[{{]))",
        rf"(?i:\"{_ENVIRONMENT}\\*\"\s*:\s*[\[{{])",
        rf"(?i:\"(?:name|key|parameter_?key|parameter_?name|option_?name)\\*\"\s*:\s*\\*\"[^\"\\]*{_NAME}\\*\")",
        rf"(?i:{_NAME}=)",
        rf"(?i:--[\w-]*{_NAME})",
        r"(?i:bearer\s+[\w+/.~=-]{16})",
        r"(?i:authorization:)",
        r"://[^/\s:@\"]*:[^/\s@\"]+@",
        r"(?:IQoJ|FwoG|FQoG|AgoJ|AQoD)[\w+/=%\\-]{80}",
        r"eyJ[\w-]{8,}\.eyJ",
        r"BEGIN [A-Z ]*PRIVATE KEY",
    ]
)
_TRIGGER = re.compile(_TRIGGER_TEXT, re.ASCII)
_SIMPLE_TEXT = rf'(?i)"({_KEY})"(\s*:\s*)"[^"\\]*"'  # the usual case, one pass without parsing
_SIMPLE_BY = rf'"\1"\2"{MARK}"'
_SIMPLE = re.compile(_SIMPLE_TEXT, re.ASCII)

_IS_KEY = re.compile(_KEY, re.IGNORECASE | re.ASCII)
_IS_ENVIRONMENT = re.compile(_ENVIRONMENT, re.IGNORECASE)
_IS_NAME_KEY = re.compile(r"name|key|parameter_?key|parameter_?name|option_?name", re.IGNORECASE)
_IS_VALUE_KEY = re.compile(r"value|parameter_?value", re.IGNORECASE)
_IS_NAME = re.compile(rf"(?!.*{_NO_SECRET}$).*{_NAME}", re.IGNORECASE | re.DOTALL)
_IS_OPTION = re.compile(rf"--?(?!{_NO_SECRET}$)[\w-]*{_NAME}", re.IGNORECASE)
_ARN = re.compile(r"arn:aws[\w-]*:")


def mask(text: str) -> str:
    """*text* with every secret in it as `***`; the same object when there is none."""
    if not _TRIGGER.search(text):
        return text
    masked = _SIMPLE.sub(_SIMPLE_BY, text)
    if not _TRIGGER.search(masked):
        return masked
    if not masked.lstrip().startswith(("{", "[")):
        return _mask_prose(masked)
    masked = _mask_json(masked)
    try:
        json.loads(masked, strict=False)
    except (ValueError, RecursionError):  # cut off, or only looking like JSON
        return _mask_prose(masked)
    return masked


# --- text that is not JSON ------------------------------------------------------------------------------------------

_VALUE = r"(?P<open>\\*[\"'])(?P<value>.*?)(?:(?<!\\)(?P=open)|$)"
_MEMBER = re.compile(rf"(?is)(?P<head>(?P<quote>\\*[\"'])(?:{_KEY})(?P=quote)\s*:\s*)(?:{_VALUE}|-?[0-9][\w.+-]*)")
_VARIABLE = re.compile(rf"(?is)(?P<head>(?P<quote>\\*[\"'])value(?P=quote)\s*:\s*){_VALUE}")
_AFTER_ENVIRONMENT = re.compile(rf"(?is)(?<=[\"']){_ENVIRONMENT}\\*[\"']\s*:\s*[\[{{].*")
_ASSIGNED = r"(?!arn:aws|A[KS]IA[A-Z0-9]{12})(?:\\*\"[^\"]*\"|'[^']*'|(?:[^\s\"'&;\\]|\\+[^\"'\s\\])+)"
_PROSE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?(?:-----END \1PRIVATE KEY-----|\Z)", re.DOTALL), MARK),
    (re.compile(_STS, re.ASCII), MARK),
    (re.compile(_JWT, re.ASCII), MARK),
    (re.compile(r"(?i)(authorization:\s*(?:bearer|basic|token)\s+)[^\s\"'\\]+"), rf"\1{MARK}"),
    (re.compile(r"(?i)\b(bearer\s+)[\w+/.~=-]{16,}", re.ASCII), rf"\1{MARK}"),
    (re.compile(r"(://[^/\s:@\"]*:)[^/\s@\"]+(?=@)"), rf"\1{MARK}"),
    (re.compile(rf"(?i)(?<![\w.-])((?!{_NO_SECRET}=)[\w.-]*{_NAME}=){_ASSIGNED}"), rf"\1{MARK}"),
    (re.compile(rf"(?i)(?<![\w-])(--(?!{_NO_SECRET}\b)[\w-]*{_NAME}\s+)(?!--){_ASSIGNED}"), rf"\1{MARK}"),
)


def _hide_member(match: re.Match[str]) -> str:
    quote = match["open"] or '"'
    closed = match["open"] is None or match[0].endswith(match["open"])
    return f"{match['head']}{quote}{MARK}{quote if closed else ''}"


def _mask_prose(text: str) -> str:
    """Until nothing changes: with quotes out of balance, masking one value can lay open the end of the next."""
    for _ in range(8):
        masked = _mask_prose_once(text)
        if masked == text:
            break
        text = masked
    return text


def _mask_prose_once(text: str) -> str:
    text = _MEMBER.sub(_hide_member, text)
    text = _AFTER_ENVIRONMENT.sub(lambda match: _VARIABLE.sub(_hide_member, match[0]), text)
    for pattern, replacement in _PROSE:
        text = pattern.sub(replacement, text)
    return text


# --- JSON, token by token, so that what is not masked keeps its bytes ------------------------------------------------

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_KEPT = {"null", "true", "false"}


@dataclass(slots=True)
class _Level:
    """One open brace or bracket of the text being read."""

    opener: str = ""
    hidden: bool = False  # everything inside is a secret
    environment: bool = False  # inside, whatever is called `value` is a secret
    key: str = ""
    at_value: bool = False
    named: bool = False  # a member says that the `value` beside it is a secret
    value_at: int = -1  # where in the output that `value` stands, when it came first
    after_option: bool = False  # the array element before was `--password`

    def hides_value(self) -> bool:
        if self.hidden or self.opener != "{":
            return self.hidden or self.after_option
        if _IS_KEY.fullmatch(self.key):
            return True
        return self.environment and self.key.lower() in {"value", "variables"}


def _mask_json(text: str) -> str:
    out: list[str] = []
    levels = [_Level()]
    end = 0
    for match in _TOKEN.finditer(text):
        out.append(text[end : match.start()])
        end, token, level = match.end(), match[0], levels[-1]
        if token in ("{", "["):
            named = level.named and bool(_IS_VALUE_KEY.fullmatch(level.key))
            inside = level.environment or bool(level.opener == "{" and _IS_ENVIRONMENT.fullmatch(level.key))
            levels.append(_Level(token, level.hides_value() or named, inside))
        elif token in ("}", "]"):
            levels = levels[:-1] or [_Level()]
        elif token in (":", ","):
            level.at_value = token == ":"
        elif level.opener == "{" and not level.at_value:
            level.key = _decoded(token)
        else:
            token = _masked_scalar(token, level, out)
        out.append(token)
    return "".join(out) + text[end:]


def _masked_scalar(token: str, level: _Level, out: list[str]) -> str:
    """*token* as it may be shown. Notes on *level* what it says of its neighbours; may mask one already in *out*."""
    if token in _KEPT:
        return token
    hidden = '"***"' if token.endswith('"') or not token.startswith('"') else '"***'
    is_text = token.startswith('"')
    value = _decoded(token)
    if level.hides_value():
        level.after_option = False
        return hidden
    weak = (level.named and _IS_VALUE_KEY.fullmatch(level.key)) or level.key.lower() == "secret"
    if level.opener == "{" and weak and is_text and not _ARN.match(value):
        return hidden
    if level.opener == "{" and _IS_VALUE_KEY.fullmatch(level.key) and not _ARN.match(value):
        level.value_at = len(out)
    elif level.opener == "{" and is_text and _IS_NAME_KEY.fullmatch(level.key) and _IS_NAME.fullmatch(value):
        level.named = True
        if level.value_at >= 0:
            out[level.value_at] = '"***"'
    level.after_option = level.opener == "[" and bool(_IS_OPTION.fullmatch(value))
    if not is_text or (not _TRIGGER.search(token) and not _TRIGGER.search(value)):
        return token
    masked = mask(value)
    return token if masked == value else _encoded(masked)


def _decoded(token: str) -> str:
    try:
        return str(json.loads(token, strict=False)) if token.startswith('"') else token
    except ValueError:
        return token.strip('"')


def _encoded(text: str) -> str:
    lone_surrogate = any("\ud800" <= character <= "\udfff" for character in text)
    return json.dumps(text, ensure_ascii=lone_surrogate)


# --- Arrow ----------------------------------------------------------------------------------------------------------


def mask_table(table: pa.Table) -> pa.Table:
    """*table* with `mask` applied to every text in it, lists and structs included; a clean column is passed on as is.

    A column whose very name is that of a secret (`session_token`) is masked whole.
    """
    for index, field in enumerate(table.schema):
        column = table.column(index)
        masked = _hide_column(column) if _IS_KEY.fullmatch(field.name) else _mask_column(column)
        if masked is not column:
            table = table.set_column(index, field, masked)
    return table


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _hide_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not _is_text(column.type):
        return _mask_column(column)
    return pc.if_else(pc.is_valid(column), pa.scalar(MARK, column.type), column)


def _mask_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if _is_text(kind):
        return _mask_texts(column)
    if pa.types.is_list(kind) and _is_text(kind.value_type) and not _suspects(pc.list_flatten(column)):
        return column
    if pa.types.is_nested(kind) or pa.types.is_dictionary(kind):
        found = False

        def masked(value: Any) -> Any:
            nonlocal found
            result = _mask_value(value)
            found = found or result != value
            return result

        values = [masked(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(values, type=kind)]) if found else column
    return column


def _suspects(column: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.match_substring_regex(column, _TRIGGER_TEXT)).as_py())


def _mask_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    suspect = pc.match_substring_regex(column, _TRIGGER_TEXT)
    if not pc.any(suspect).as_py():
        return column
    column = pc.if_else(suspect, pc.replace_substring_regex(column, _SIMPLE_TEXT, _SIMPLE_BY), column)
    suspect = pc.fill_null(pc.match_substring_regex(column, _TRIGGER_TEXT), False)
    rest = column.filter(suspect).to_pylist()
    if rest:
        column = pc.replace_with_mask(
            column.combine_chunks(), suspect.combine_chunks(), pa.array(map(mask, rest), column.type)
        )
    return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])


def _mask_value(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: _mask_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mask_value(item) for item in value]
    return value
