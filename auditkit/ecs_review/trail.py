"""Step 6: was the log of the API on all the time, and is it whole?"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pyarrow.compute as pc

from auditkit.coverage import ALARMS
from auditkit.ecs_review.facts import Facts
from auditkit.ecs_review.step import (
    About,
    Check,
    Evidence,
    Row,
    Step,
    Verdict,
    at,
    ids,
    named,
    quoted,
    rows,
    step,
    told,
)
from auditkit.evidence import Coverage
from auditkit.model import Finding, at_least, counted

ABOUT = About(
    6,
    "API logging on and complete",
    "Every other step is judged by these logs. While they are off, or a file of them is gone, nothing here is proven.",
    "What was never delivered and is on no list: without digests a quiet hour cannot be told from a lost one. Data "
    "events that the trail does not select.",
    ("10.2.1", "10.2.1.6", "10.3.4", "10.7.2"),
)
_GAP = ["table", "account_id", "region", "start", "end", "hours", "records", "because"]


def api_logging(facts: Facts) -> Step:
    """Judged by what was done to trails and flow logs, and by the coverage."""
    findings = [finding for finding in facts.findings if finding.rule.startswith("logging.")]
    state = [row for row in rows(facts.logging_state) if row["outcome"] == "ok"]
    checks = [_of_finding(finding, state) for finding in findings]
    checks += [*_set(state), *_coverage(facts.coverage)]
    gaps = [gap for gap in facts.coverage.gaps if gap["proof"] in ALARMS]
    return step(
        ABOUT,
        checks,
        [
            Evidence("Trails and flow logs, started, stopped and changed", facts.logging_state, "review/logging_state"),
            *([Evidence("Hours that are missing", pd.DataFrame(gaps, columns=_GAP))] if gaps else []),
        ],
        findings,
    )


def _of_finding(finding: Finding, state: list[Row]) -> Check:
    if finding.outcome != "ok":
        said = f"Tried in vain: {told(finding)}"
        return Check("attention", said, "Nothing changed by it. Find out who tried, and why.", finding.evidence)
    again = _made_again(finding.last_seen, state) if finding.rule == "logging.flow_logs_deleted" else ""
    verdict: Verdict = "bad" if at_least(finding.severity, "high") else "attention"
    return Check(verdict, f"{told(finding)}{again}", finding.response, finding.evidence)


def _made_again(after: object, state: list[Row]) -> str:
    made = [row for row in state if row["event_name"] == "CreateFlowLogs" and row["event_time"] > after]
    if not made:
        return " No flow log was made again."
    return f" One was made again on {at(made[0]['event_time'])}, for {made[0]['target']}."


def _set(state: list[Row]) -> Iterator[Check]:
    """What trails were set to in the window."""
    unproven = [row for row in state if row["log_validation"] is False]
    narrow = [row for row in state if row["all_regions"] is False]
    if unproven:
        yield Check(
            "attention",
            f"Trail {named(row['target'] for row in unproven)} was set up without log file validation.",
            f"`aws cloudtrail update-trail --name {quoted(unproven[0]['target'])} --enable-log-file-validation`",
            ids(unproven),
        )
    if narrow:
        yield Check(
            "attention",
            f"Trail {named(row['target'] for row in narrow)} was set up for one region alone.",
            f"`aws cloudtrail update-trail --name {quoted(narrow[0]['target'])} --is-multi-region-trail`",
            ids(narrow),
        )


def _coverage(coverage: Coverage) -> Iterator[Check]:
    events = coverage.tables.get("cloudtrail_events", {}).get("rows", 0)
    if not events:
        yield Check(
            "cannot_tell",
            "There is no CloudTrail event in the window: whether nothing happened or nothing was recorded cannot be "
            "told.",
            "Check the window and the folder; `aws cloudtrail describe-trails`, `aws cloudtrail get-trail-status`",
        )
        return
    gaps = [gap for gap in coverage.gaps if gap["proof"] in ALARMS]
    if gaps:
        tables = named(gap["table"] for gap in gaps)
        yield Check(
            "bad",
            f"{counted(sum(int(gap['hours']) for gap in gaps), 'hour')} of {tables} are missing, in "
            f"{named(gap['account_id'] for gap in gaps)}.",
            "Bring the files that the digests list; `auditkit coverage` names them. `auditkit verify` tells what was "
            "deleted.",
        )
    if coverage.quarantined:
        yield Check(
            "attention",
            f"{counted(len(coverage.quarantined), 'file')} could not be read, whole or in part.",
            "Fetch the files again; `auditkit coverage` names them.",
        )
    if coverage.blind_s:
        yield Check(
            "attention",
            f"AWS lost flow records for {coverage.blind_s:,.0f} s, added up over the interfaces (SKIPDATA).",
            "Take that time as unobserved in the network.",
        )
    yield _proven(coverage)


def _proven(coverage: Coverage) -> Check:
    trail = coverage.spans.filter(pc.equal(coverage.spans["table"], "cloudtrail_events"))
    hours = int(pc.sum(trail["hours"]).as_py() or 0)
    proven = int(pc.sum(trail.filter(pc.equal(trail["proof"], "digest"))["hours"]).as_py() or 0)
    if hours and proven == hours:
        return Check("good", f"Digests prove every hour of CloudTrail complete: {hours:,} of accounts and regions.")
    return Check(
        "cannot_tell",
        f"For {hours - proven:,} of {hours:,} hours of accounts and regions no digest proves that the log is whole.",
        "`aws cloudtrail get-trail-status --name TRAIL` for each account; switch on log file validation, and read the "
        "digests with the logs (`auditkit verify`).",
    )
