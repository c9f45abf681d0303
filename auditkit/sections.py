"""The sections of a report, as blocks for a notebook cell to show. Each function answers one question of one Audit."""

from __future__ import annotations

import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import duckdb
import pandas as pd
from rich.filesize import decimal

from auditkit import __version__, charts, heatmap, reject_blocks
from auditkit.audit import Audit
from auditkit.coverage import ALARMS
from auditkit.evidence import NOTHING_TO_JUDGE, Coverage
from auditkit.findings import as_frame
from auditkit.model import SEVERITIES, Severity, at_least, counted
from auditkit.place_columns import with_places
from auditkit.pulls import Pull
from auditkit.reject_blocks import MOST_ROWS
from auditkit.report import blocks
from auditkit.report.blocks import Block
from auditkit.rules import NO_BASELINE, RuleRun

WORTH_WAKING: Severity = "high"
NOTHING_NEW = "Nothing is new since the last run."
ALWAYS_UNSEEN = (
    "Accounts, regions and days whose logs were not among the sources.",
    "What CloudTrail does not log: data events unless the trail selects them, and what is typed in a shell session.",
    "Traffic that VPC Flow Logs leave out: Amazon DNS, instance metadata and task credentials, DHCP, mirrored traffic.",
)

# What a reader looks for stands first; long ARNs stand last, or they push the numbers out of sight.
_WHO_DID_WHAT = [
    "principal_name", "service", "event_name", "event_count", "denied_count", "error_count", "source_ips", "first_seen",
    "last_seen", "session_count", "account_id", "principal_arn",
]  # fmt: skip
_WHO_READ_WHAT = [
    "secret", "read_count", "denied_count", "error_count", "session_name", "source_ips", "first_seen", "last_seen",
    "invoked_by", "account_id", "principal_arn",
]  # fmt: skip
_GAP = ["table", "account_id", "region", "start", "end", "hours", "records", "because"]
_CELLS = ["source_table", "account_id", "region", "period_start", "record_count", "log_file_count"]


def verdict(audit: Audit, run: RuleRun, coverage: Coverage) -> list[Block]:
    """The answer in one sentence, and the numbers behind it."""
    counts = {severity: sum(1 for f in run.findings if f.severity == severity) for severity in SEVERITIES}
    events = coverage.tables.get("cloudtrail_events", {}).get("rows", 0)
    flows = coverage.tables.get("flow_records", {}).get("rows", 0)
    accounts = {account for table in coverage.tables.values() for account in table["accounts"]}
    principals = {finding.principal_arn for finding in run.findings if finding.principal_arn}
    severe = [finding for finding in run.findings if at_least(finding.severity, WORTH_WAKING)]
    worst: Severity | None = run.findings[0].severity if run.findings else None
    searched = f"{counted(events, 'event')} and {counted(flows, 'flow record')}"
    if accounts:
        searched += f" of {counted(len(accounts), 'account')}"
    if not events and not flows:
        sentence = NOTHING_TO_JUDGE
        detail = (
            f"{sum(coverage.files.values()):,} files were read, holding {coverage.records['seen']:,} records. "
            "Log delivery lags by minutes to hours; check the window and the folder."
        )
        worst = "info"  # nothing found is good news; nothing looked at is none
    else:
        sentence = f"No rule fired on {searched}."
        if severe:
            worded = " and ".join(
                f"{counts[s]} {s}" for s in reversed(SEVERITIES) if counts[s] and at_least(s, WORTH_WAKING)
            )
            said = "finding:" if len(severe) == 1 else "findings; the worst:"
            sentence = f"{worded} {said} {severe[0].summary}"
        elif run.findings:
            sentence = f"{counted(len(run.findings), 'finding')}, none of them high or critical."
        detail = f"{counted(len(run.ran), 'rule')} ran over {searched}{_besides(run)}."
    numbers = [
        ("Principals", len(principals), "named in a finding"),
        ("Events", events, "CloudTrail events in the window"),
        ("Flow records", flows, "VPC flow records in the window"),
        ("Accounts", len(accounts), "with records in the window"),
    ]
    return [blocks.verdict(sentence, detail, worst), blocks.kpis(numbers)]


def _besides(run: RuleRun) -> str:
    """What the findings do not say: rules that did not run, and findings that the allowlist holds back."""
    missed, suppressed = len(run.skipped) + len(run.failed), len(run.suppressed_ids)
    parts = [f"{missed} did not run"] if missed else []
    parts += [f"the allowlist suppresses {counted(suppressed, 'finding')}"] if suppressed else []
    return "".join(f"; {part}" for part in parts)


def new(run: RuleRun, earlier: Collection[str] | None) -> list[Block]:
    """What an earlier run did not find, and what is gone since. *earlier* are its finding ids; None: there was none."""
    if earlier is None:
        return [blocks.note("There is no record of an earlier run to compare with, so every finding counts as new.")]
    ids = {finding.id for finding in run.findings}
    fresh = [finding for finding in run.findings if finding.id not in earlier]
    gone = len(set(earlier) - ids - run.suppressed_ids)
    text = f"{len(fresh):,} of {len(ids):,} findings are new since the last run." if fresh else NOTHING_NEW
    lost = f" {gone:,} that it found {'is' if gone == 1 else 'are'} gone." if gone else ""
    shown = [
        blocks.note(f"{text}{lost} A finding is the same when rule, principal, account and resource are the same.")
    ]
    if fresh:
        frame = as_frame(fresh)[["severity", "title", "principal_arn", "resource", "first_seen"]]
        shown.append(blocks.table(frame, title="New findings"))
    return shown


def findings(audit: Audit, run: RuleRun, earlier: Collection[str] | None = None) -> list[Block]:
    """Every finding with what proves it, worst first, and when each happened."""
    is_new = None if earlier is None else {finding.id for finding in run.findings} - set(earlier)
    nothing = f"No rule fired in {audit.window}. {len(run.ran)} rules ran."
    cards = blocks.findings(run.findings, evidence=audit.evidence(run.findings), new=is_new, empty=nothing)
    if not run.findings:
        return [cards]
    times = as_frame(run.findings)[["title", "severity", "first_seen", "last_seen"]]
    return [blocks.chart(charts.findings_timeline(times), title="When it happened", data=times), cards]


def activity(audit: Audit, services: Sequence[str]) -> list[Block]:
    """Who used *services*, what they did, how often, what was denied, from where; and who read which secret."""
    named = {"services": list(services)}
    words = ", ".join(services)
    who = audit.ask("activity/by_identity", named)
    hours = audit.ask("activity/timeline", named)
    secrets = audit.ask("activity/secret_reads")
    nothing = f"No call to {words} in {audit.window}."
    frame = who.frame()
    return [
        blocks.chart(
            charts.activity_by_identity(frame), title="Who used which service", data=frame, sql=who.sql, empty=nothing
        ),
        blocks.chart(
            charts.activity_over_time(hours.frame(), time="hour_start"),
            title="Calls over time",
            data=hours.frame(),
            sql=hours.sql,
            empty=nothing,
        ),
        blocks.table(
            with_places(frame[_WHO_DID_WHAT], audit.places, {"source_ips": "place"}),
            title="Who did what",
            about=f"Calls to {words}: how often, first and last, how many were denied, and from where.",
            sql=who.sql,
            empty=nothing,
        ),
        blocks.table(
            with_places(secrets.frame()[_WHO_READ_WHAT], audit.places, {"source_ips": "place"}),
            title="Who read which secret",
            about="Each secret counts once a read, whether it was read alone or in a batch.",
            sql=secrets.sql,
            empty=f"No secret was read in {audit.window}.",
        ),
    ]


def network(audit: Audit) -> list[Block]:
    """What the network refused, and what that has to do with the events."""
    hours = audit.ask("network/timeline")
    if hours.table.num_rows == 0:
        return [reject_blocks.none_recorded(audit)]
    return [
        reject_blocks.beside_events(audit, audit.ask("network/rejects_and_events")),
        reject_blocks.over_time(audit, hours),
        reject_blocks.by_port(audit),
        reject_blocks.by_source(audit, audit.ask("network/rejects_by_source", {"limit": MOST_ROWS})),
        reject_blocks.by_direction(audit),
        reject_blocks.by_peer(audit, audit.ask("network/rejects_by_interface", {"limit": MOST_ROWS})),
    ]


def coverage(facts: Coverage, run: RuleRun) -> list[Block]:
    """What was read, what was not, and what this report therefore cannot see."""
    tables = facts.tables.values()
    unseen = [*_unproven(facts), *facts.unknown, *ALWAYS_UNSEEN]
    if not facts.tables.get("flow_records"):
        unseen.insert(0, "Network traffic: no flow records were among the sources.")
    if not facts.tables.get("cloudtrail_events"):
        unseen.insert(0, "API calls: no CloudTrail events were among the sources.")
    uncompared = [rule for rule, reason in run.skipped.items() if reason == NO_BASELINE]
    if uncompared:  # asked for by nobody, so no fault of the evidence
        unseen.insert(0, f"What is new: {counted(len(uncompared), 'rule')} did not run, with {NO_BASELINE}.")
    missed = {rule: reason for rule, reason in run.skipped.items() if rule not in uncompared}
    gaps = [gap for gap in facts.gaps if gap["proof"] in ALARMS]  # nothing known either way is no alarm
    shared = _shared_folder([entry["file"] for entry in (*facts.quarantined, *facts.not_logs)])
    shown = {
        "files": facts.files,
        "quarantined": [{**entry, "file": entry["file"].removeprefix(shared)} for entry in facts.quarantined],
        "records": {name: n for name, n in facts.records.items() if n or name not in ("outside", "set_apart")},
        "tables": facts.tables,
        "first": min((table["first"] for table in tables), default=None),
        "last": max((table["last"] for table in tables), default=None),
        "accounts": sorted({account for table in tables for account in table["accounts"]}),
        "regions": sorted({region for table in tables for region in table["regions"]}),
        "blind_s": facts.blind_s,
        "blind": facts.blind,
        "gaps": [{name: gap[name] for name in _GAP} for gap in gaps],
        "cannot_see": unseen,
        "unchecked": {**missed, **run.failed},
    }
    cells = pd.DataFrame(facts.cells, columns=_CELLS)
    return [
        blocks.coverage(shown),
        *_hours(facts),
        blocks.table(cells, title="Records by account, region and day", empty="No records in the window."),
        blocks.run({"rules_failed": run.failed, "records": sum(table["rows"] for table in tables)}),
    ]


def _unproven(facts: Coverage) -> list[str]:
    """The hours of which nothing is known either way, in one sentence."""
    silent = [gap for gap in facts.gaps if gap["proof"] not in ALARMS]
    if not silent:
        return []
    places = {(gap["table"], gap["account_id"], gap["region"]) for gap in silent}
    hours = counted(sum(gap["hours"] for gap in silent), "hour")
    return [f"{hours} in {counted(len(places), 'account and region')}: nothing shows whether logs were delivered."]


def _hours(facts: Coverage) -> list[Block]:
    """How well each account and region is covered, hour by hour."""
    spans = facts.spans.select(["table", "account_id", "region", "state", "proof", "start", "end", "hours"]).to_pandas()
    if spans.empty:
        return []
    unproven = (spans["state"] == "missing") & ~spans["proof"].isin(ALARMS)
    spans["state"] = spans["state"].mask(unproven, "not proven")
    where = ["table", "account_id", "region"]
    by_place = spans.fillna("-").groupby([*where, "state"])["hours"].sum().unstack(fill_value=0)
    by_place = by_place[[state for state in heatmap.COLOURS if state in by_place]].reset_index()
    return [blocks.chart(heatmap.hours_covered(spans), title="Hours covered", data=by_place)]


def provenance(audit: Audit, parameters: Mapping[str, Any]) -> list[Block]:
    """How this report came to be: versions, window, parameters and every statement that was run."""
    pulls = [pull for pull in audit.store.pulls() if pull.window.touches(audit.window)]
    facts = {
        "version": f"auditkit {__version__}",
        "engine": f"DuckDB {duckdb.__version__}, Python {platform.python_version()}",
        "window": str(audit.window),
        **_pulled(pulls),
        "parameters": {name: value for name, value in parameters.items() if value not in ("", [], None)},
        "queries": [*map(_pull_asked, pulls), *map(asdict, audit.asked)],
    }
    return [blocks.provenance(facts)]


def _pulled(pulls: Sequence[Pull]) -> dict[str, str]:
    """What an engine was asked for, and what it took."""
    if not pulls:
        return {}
    sources = dict.fromkeys(f"{pull.source} of {pull.engine}" for pull in pulls)
    read = sum(pull.bytes_scanned or 0 for pull in pulls)
    expected = [pull.estimated_bytes for pull in pulls]
    bound = f"at most {decimal(sum(size for size in expected if size))}" if all(expected) else "an unknown amount"
    costs = [pull.cost_usd for pull in pulls if pull.cost_usd is not None]
    last = max(pull.pulled_at for pull in pulls)
    facts = {
        "rows_from": ", ".join(sources),
        "pulled": f"{last:%Y-%m-%d %H:%M} UTC; {bound} expected, {decimal(read)} read",
    }
    return facts | ({"cost": f"${sum(costs):,.4f} for {decimal(read)}, by list price"} if costs else {})


def _pull_asked(pull: Pull) -> dict[str, Any]:
    return {
        "name": f"pull of {pull.table}",
        "sql": pull.sql,
        "rows": pull.row_count,
        "duration_s": pull.duration_s,
        "bytes_scanned": pull.bytes_scanned,
        "cost_usd": pull.cost_usd,
        "engine": pull.engine,
        "query_id": pull.query_id,
    }


def _shared_folder(files: Sequence[str]) -> str:
    """What all paths begin with, up to the last slash: a reader of the report has no use for it."""
    if not files:
        return ""
    first, last = min(files), max(files)
    length = next(
        (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[: first.rfind("/", 0, length) + 1]
