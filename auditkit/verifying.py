"""The command `verify`: from its words to verdicts, and from those to the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from auditkit.errors import ParameterError
from auditkit.model import Window, counted
from auditkit.output import as_json, as_table, write_text
from auditkit.terminal import checking, say, show
from auditkit.validation.keys import CloudTrailKeys, KeptKeys
from auditkit.validation.places import places_of
from auditkit.validation.verification import Judgement, Verification
from auditkit.validation.walk import verify

SHOWN = 50  # problems at the terminal; --format json has them all
_ONE_LINE = 1 << 20  # columns: a row is never folded


def verified(
    logs: Sequence[str], *, keys: Sequence[Path], save_keys: Path | None, window: Window, now: datetime, style: str
) -> Verification:
    """Verify what the command line names, and print what came of it.

    Raises: ParameterError, SourceError, VerificationError.
    """
    if keys and save_keys:
        raise ParameterError("--save-keys keeps what CloudTrail is asked for; with --keys it is not asked.")
    source = KeptKeys(keys) if keys else CloudTrailKeys()
    if window.end and window.end > now and not (window.start and window.start >= now):
        window = Window(window.start, now)  # what is yet to come is no gap
    with checking() as progress:
        result = verify(places_of(logs), source, window, progress)
    if save_keys and isinstance(source, CloudTrailKeys):
        write_text(as_json(source.as_json()), out=save_keys, show=show)
    show(as_json(result.as_json()) if style == "json" else as_text(result))
    _say_notes(result)
    return result


def as_text(result: Verification) -> str:
    """The verdict in a sentence, then what is wrong and what is not there, a line each, then counts."""
    parts = [result.sentence]
    if result.problems:
        parts.append(_lines(result.problems[:SHOWN]))
        if len(result.problems) > SHOWN:
            parts.append(f"and {len(result.problems) - SHOWN:,} more: --format json names them all")
    if result.gaps:
        rows = [
            {"account": gap.account_id, "region": gap.region, "trail": gap.trail, "gap": gap.message}
            for gap in result.gaps[:SHOWN]
        ]
        parts.append(as_table(("account", "region", "trail", "gap"), rows, width=_ONE_LINE))
        if len(result.gaps) > SHOWN:
            parts.append(f"and {counted(len(result.gaps) - SHOWN, 'more gap')}: --format json names them all")
    if result.digests.total():
        parts.append(_counts(result))
    return "\n\n".join(parts)


def _lines(found: Sequence[Judgement]) -> str:
    rows = [{"verdict": one.verdict, "kind": one.kind, "message": one.message, "object": one.object} for one in found]
    return as_table(("verdict", "kind", "message", "object"), rows, width=_ONE_LINE)


def _counts(result: Verification) -> str:
    digests, logs = result.digests, result.logs
    lines = [
        f"digests: {digests['valid']:,} valid, {digests['invalid']:,} not, {digests['unchecked']:,} unchecked",
        f"log files: {logs['valid']:,} valid, {logs['invalid']:,} changed, {logs['missing']:,} missing, "
        f"{logs['unlisted']:,} in no digest",
    ]
    if result.start and result.end:
        lines.append(f"delivered: {result.start:%Y-%m-%d %H:%M} to {result.end:%Y-%m-%d %H:%M} UTC")
    return "\n".join(lines)


def _say_notes(result: Verification) -> None:
    for one in result.unchecked[:SHOWN]:
        say(f"unchecked: {one.object}: {one.message}")
    if len(result.unchecked) > SHOWN:
        say(f"unchecked: {counted(len(result.unchecked) - SHOWN, 'more file')}")
    if result.logs["uncovered"]:
        say(f"{counted(result.logs['uncovered'], 'log file')} not judged: no valid digest covers their time.")
    for bucket in sorted(result.elsewhere):
        say(f"A chain goes on in {bucket}, where its trail delivered before: name that bucket too.")
    if result.outside:
        say(f"{counted(result.outside, 'digest')} outside the window left out.")
    if result.others:
        say(f"{counted(result.others, 'other file')} left out: CloudTrail's digests say nothing of them.")
