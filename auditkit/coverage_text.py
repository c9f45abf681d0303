"""What `auditkit coverage` prints: a sentence, a line for each account and region, and whatever is not fine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from auditkit.coverage import ALARMS, SPAN, STATES, check_expected
from auditkit.evidence import Coverage
from auditkit.model import counted
from auditkit.output import as_csv, as_json, as_table
from auditkit.parameters import names_in
from auditkit.report.clean import clean

LISTED = 20  # spans and files that are named at the terminal; --format json names all
COVERED = ("seen", "quiet")
_WHERE = ("table", "account_id", "region")


def expected(accounts: str | None, regions: str | None) -> tuple[list[str], list[str]]:
    """What --accounts and --regions name. Raises: ParameterError."""
    return check_expected(names_in(accounts), names_in(regions))


def in_style(facts: Coverage, style: str) -> str:
    """*facts* as `json`, `csv` (the spans alone) or a `table`."""
    if style == "json":
        return as_json(_as_object(facts))
    if style == "csv":
        return as_csv(SPAN.names, facts.spans.to_pylist())
    return _as_text(facts)


def sentence(facts: Coverage) -> str:
    """How much is covered, and what is not."""
    hours = _summary(facts)
    total, covered = sum(hours.values()), sum(hours[state] for state in COVERED)
    if not total:
        return "There is no hour to judge: the logs show no sign of life in the window."
    if covered == total:
        return f"All {total:,} hours are covered." if total > 1 else "The only hour is covered."
    spans = pc.sum(pc.invert(_covered(facts.spans))).as_py()
    lacking = ", ".join(f"{hours[state]:,} {state}" for state in STATES if hours[state] and state not in COVERED)
    return f"{covered:,} of {total:,} hours are covered; {lacking}, in {counted(spans, 'span')}."


def _as_object(facts: Coverage) -> dict[str, Any]:
    return {
        "window": facts.window,
        "judged": facts.judged,
        "summary": _summary(facts),
        "hours": facts.hours,
        "spans": facts.spans.to_pylist(),
        "files": facts.files,
        "quarantined": facts.quarantined,
        "records": facts.records,
        "balanced": facts.balanced,
        "unknown": facts.unknown,
    }


def _summary(facts: Coverage) -> dict[str, int]:
    return {state: sum(hours[state] for hours in facts.hours.values()) for state in STATES}


def _as_text(facts: Coverage) -> str:
    parts = [sentence(facts)]
    if facts.judged["start"]:
        parts[0] += (
            f"\nAn hour is one of one account and region, from {facts.judged['start']} to {facts.judged['end']}."
        )
        parts.append(as_table([*_WHERE, *STATES], _by_pair(facts)))
    not_fine = facts.spans.filter(pc.invert(_covered(facts.spans))).to_pylist()
    if not_fine:
        rows = sorted(not_fine, key=_badness)[:LISTED]
        parts.append(as_table([*_WHERE, "start", "end", "hours", "state", "because"], [_shown(row) for row in rows]))
        parts += _rest(len(not_fine), "span")
    if facts.quarantined:
        parts.append("Could not be read, whole or in part:")
        parts[-1] += "".join(f"\n  {_line(file)}" for file in facts.quarantined[:LISTED])
        parts += _rest(len(facts.quarantined), "file")
    if not facts.balanced:
        parts.append("The books do not balance: not every record that was seen is accounted for.")
    return "\n\n".join([*parts, *facts.unknown])


def _covered(spans: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(spans["state"], value_set=pa.array(COVERED))


def _by_pair(facts: Coverage) -> list[dict[str, Any]]:
    """For each table, account and region the hours in each state."""
    sums = facts.spans.group_by([*_WHERE, "state"], use_threads=False).aggregate([("hours", "sum")]).to_pylist()
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sums:
        place = tuple(row[name] for name in _WHERE)
        rows.setdefault(place, _shown(row) | dict.fromkeys(STATES, 0))[row["state"]] = row["hours_sum"]
    return list(rows.values())


def _badness(span: dict[str, Any]) -> tuple[Any, ...]:
    """Proven loss first, what nobody knows anything about last; the longest first among equals."""
    rank = 3 if span["state"] == "missing" else 1 + (span["state"] == "blind")
    return 0 if span["proof"] in ALARMS else rank, -span["hours"], *(str(span[name]) for name in (*_WHERE, "start"))


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """What is not known as a dash, a span's times to the minute."""
    times = {name: f"{row[name]:%Y-%m-%d %H:%M}" for name in ("start", "end") if name in row}
    return row | {name: row[name] or "-" for name in _WHERE} | times


def _line(file: dict[str, Any]) -> str:
    return clean(f"{file['file']}: {file['reason']}")


def _rest(count: int, noun: str) -> Iterable[str]:
    if count > LISTED:
        yield f"and {counted(count - LISTED, f'more {noun}')}; --format json names them all"
