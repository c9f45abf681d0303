"""The tables of docs/athena.md that are worked out, and its policy: `python -m tests.plan` writes them into the page.

Assumptions stand at the top, and the page shows them. What a price or a rate depends on has to be checked by the reader.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from auditkit.setup.permissions import policy
from tests.docs import DOCS, grid

PAGE = DOCS / "athena.md"
MARK = "<!-- {} is worked out by tests/plan.py; `python -m tests.plan` writes it. -->"
END = "<!-- end of {} -->"

# The organization.
EVENTS = 10_000_000_000  # a day
FLOWS = 20_000_000_000  # a day
ACCOUNTS = 1_000
REGIONS = 5  # in use
GROUP = 10  # accounts of a report
DAYS = 90  # of an investigation
RUN_AT = 2.25  # hours after midnight

# Sizes and speeds: docs/performance.md, and the same logs for what is not there.
GZ_B, RAW_B = 274, 1_616  # an event
INGESTED, COMPACT = 0.72, 0.69  # store / gz
FLOW_GZ_B, FLOW_STORE_B = 27, 14  # a flow record
INGEST_S, COMPACT_S = 14.2, 6.6  # CPU for a million events
INGEST_WALL_S, RULES_S = 7.5, 7.7  # on two processors, a million events: to ingest them, and for all rules
FLOW_LINES_S = 1.28  # million flow records a second, on two processors
PART_ROWS = 122_880
FINGERPRINT_B = 16
SHARES = {"activity/by_identity": 0.049, "activity/timeline": 0.027, "activity/events": 0.85}  # of the bytes of a store

# AWS.
FILE_MB = 50  # of text, at most
MINUTES = 5  # between files
DEFAULT_REGIONS = 17
TB, GB, MILLION = 10**12, 10**9, 10**6
ATHENA_TB, STORE_TB_MONTH, CPU_HOUR = 5.00, 23.00, 0.05  # dollars
GET_M, LIST_M, PUT_M, KMS_M = 0.40, 5.00, 5.00, 3.00  # dollars a million requests

# Every figure is rounded as the page shows it, and then used: what stands there can be worked out again.
DAY_TB = round(EVENTS * GZ_B / TB, 2)
COMPACT_TB = round(DAY_TB * COMPACT, 2)
FLOW_TB = round(FLOWS * FLOW_GZ_B / TB, 2)
OBJECTS = ACCOUNTS * REGIONS * (24 * 60 // MINUTES) + EVENTS * RAW_B // (FILE_MB * MILLION)
LISTS = ACCOUNTS * REGIONS + -(-OBJECTS // 1000)
PARTS = -(-EVENTS // PART_ROWS)
REPORTS = ACCOUNTS // GROUP
HERE = round(1 + RUN_AT / 24, 2)  # the day, and what there is of the next, with what came late
FOLDERS = DAYS + 1  # and a day, for what came late
GETS = round(OBJECTS * GET_M / MILLION, 2)  # dollars, for a day read once

EXAMPLE = {
    "buckets": ["s3://org-logs/AWSLogs/o-abcdefghij/", "s3://flow-logs/AWSLogs/"],
    "output_location": "s3://athena-results/audit/",
    "workgroup": "auditkit",
    "database": "audit",
    "tables": ["cloudtrail_logs", "vpc_flow_logs"],
    "region": "eu-west-1",
    "account": "111122223333",
}


def assumptions() -> str:
    rows = [
        ("events", f"{EVENTS / GB:.0f} billion a day, {GZ_B} B each as delivered (gzip), {RAW_B:,} B unpacked"),
        ("flow records", f"{FLOWS / GB:.0f} billion a day, {FLOW_GZ_B} B each as delivered (text, gzip)"),
        ("organization", f"{ACCOUNTS:,} accounts with events in {REGIONS} regions each"),
        (
            "trail",
            f"a file for each account and region every {MINUTES} minutes, and one more for every {FILE_MB} MB of text",
        ),
        ("store", f"{INGESTED} of the gz as ingested, {COMPACT} compact; flow records {FLOW_STORE_B} B each"),
        ("CPU", f"{INGEST_S} s to ingest a million events, {COMPACT_S} s to compact them"),
        (
            "on two processors",
            f"{INGEST_WALL_S} s to ingest a million events, {RULES_S} s for all rules over them; "
            f"{FLOW_LINES_S} million flow records a second",
        ),
        ("Athena", f"${ATHENA_TB:.2f} a TB read (10¹² bytes), at least 10 MB a statement"),
        (
            "S3",
            f"${GET_M:.2f} a million GET, ${LIST_M:.2f} a million LIST or PUT, ${STORE_TB_MONTH:.0f} a TB and month",
        ),
        ("KMS", f"${KMS_M:.2f} a million requests"),
        ("machines", f"${CPU_HOUR:.2f} for an hour of a processor"),
    ]
    return grid(("assumed", "value"), rows)


def sizes() -> str:
    rows = [
        ("events, as the trail delivers them", f"{EVENTS / GB:.0f} × 10⁹ × {GZ_B} B", terabytes(DAY_TB)),
        ("events, in a store as ingested", f"{terabytes(DAY_TB)} × {INGESTED}", terabytes(DAY_TB * INGESTED)),
        ("events, in a compact store", f"{terabytes(DAY_TB)} × {COMPACT}", terabytes(COMPACT_TB)),
        ("flow records, as text", f"{FLOWS / GB:.0f} × 10⁹ × {FLOW_GZ_B} B", terabytes(FLOW_TB)),
        (
            "flow records, in a store",
            f"{FLOWS / GB:.0f} × 10⁹ × {FLOW_STORE_B} B",
            terabytes(FLOWS * FLOW_STORE_B / TB),
        ),
    ]
    return grid(("a day", "arithmetic", "bytes"), rows)


def objects() -> str:
    made = f"{ACCOUNTS:,} × {REGIONS} × {24 * 60 // MINUTES} + {EVENTS / GB:.0f} × 10⁹ × {RAW_B:,} B / {FILE_MB} MB"
    rows = [
        ("objects of the trail", made, f"{OBJECTS:,}"),
        ("their mean size", f"{terabytes(DAY_TB)} / {OBJECTS:,}", f"{DAY_TB * TB / OBJECTS / MILLION:.2f} MB"),
        ("a GET for each", f"{OBJECTS:,} × ${GET_M:.2f} / 10⁶", dollars(GETS)),
        (
            "a LIST for each folder, and each thousand",
            f"{LISTS:,} × ${LIST_M:.2f} / 10⁶",
            dollars(LISTS * LIST_M / MILLION),
        ),
        ("KMS for each, without a bucket key", f"{OBJECTS:,} × ${KMS_M:.2f} / 10⁶", dollars(OBJECTS * KMS_M / MILLION)),
        ("objects of a compact store", f"{EVENTS / GB:.0f} × 10⁹ / {PART_ROWS:,}", f"{PARTS:,}"),
        ("their mean size", f"{terabytes(COMPACT_TB)} / {PARTS:,}", f"{COMPACT_TB * TB / PARTS / MILLION:.1f} MB"),
    ]
    return grid(("a day, read once", "arithmetic", ""), rows)


def report() -> str:
    events, lines = EVENTS * GROUP // ACCOUNTS // MILLION, FLOWS * GROUP // ACCOUNTS // MILLION
    read = round(events * HERE)
    minutes = [round(n / 60) for n in (read * INGEST_WALL_S, lines / FLOW_LINES_S, events * RULES_S)]
    disk = events * MILLION * GZ_B * INGESTED + lines * MILLION * FLOW_STORE_B
    rows = [
        ("events", f"{EVENTS / GB:.0f} × 10⁹ × {GROUP} / {ACCOUNTS:,}", f"{events} million"),
        ("flow records", f"{FLOWS / GB:.0f} × 10⁹ × {GROUP} / {ACCOUNTS:,}", f"{lines} million"),
        (
            "disk",
            f"{events} × 10⁶ × {GZ_B} B × {INGESTED} + {lines} × 10⁶ × {FLOW_STORE_B} B",
            f"{disk / GB:.1f} GB",
        ),
        (
            "memory, to store each event once",
            f"{events} × 10⁶ × {FINGERPRINT_B} B",
            f"{events * MILLION * FINGERPRINT_B / GB:.1f} GB",
        ),
        ("events of the day's and the next day's folders", f"{events} × 10⁶ × {HERE}", f"{read} million"),
        ("to ingest them", f"{read} × {INGEST_WALL_S} s", f"{minutes[0]} min"),
        ("to ingest the flow records", f"{lines} × 10⁶ / {FLOW_LINES_S} × 10⁻⁶ s", f"{minutes[1]} min"),
        ("all rules", f"{events} × {RULES_S} s", f"{minutes[2]} min"),
        (
            f"all {REPORTS} reports, one after the other",
            f"{REPORTS} × ({' + '.join(f'{n} min' for n in minutes)})",
            f"{REPORTS * sum(minutes) / 60:.1f} h",
        ),
    ]
    return grid(("one report, on two processors", "arithmetic", ""), rows)


def daily() -> str:
    hours = round(INGEST_S * EVENTS / MILLION * HERE / 3600, 1)
    trail, store = round(HERE * DAY_TB, 2), COMPACT_TB
    rows = [
        (
            "from the bucket, without Athena",
            f"{HERE} × {terabytes(DAY_TB)}",
            terabytes(HERE * DAY_TB),
            f"{hours} h × ${CPU_HOUR:.2f} + {HERE} × {dollars(GETS)}",
            dollars(hours * CPU_HOUR + HERE * GETS),
        ),
        (
            "Athena, the trail's table",
            f"{HERE} × {terabytes(DAY_TB)}",
            terabytes(trail),
            f"{trail} × ${ATHENA_TB:.2f} + {HERE} × {dollars(GETS)}",
            dollars(trail * ATHENA_TB + HERE * GETS),
        ),
        (
            "Athena, a compact store in S3",
            terabytes(COMPACT_TB),
            terabytes(store),
            f"{store:.2f} × ${ATHENA_TB:.2f}",
            dollars(store * ATHENA_TB),
        ),
    ]
    return grid((f"{REPORTS} reports of {GROUP} accounts", "arithmetic", "reads", "arithmetic", "costs"), rows)


def investigation() -> str:
    questions = [
        ("any, of one account", "trail", FOLDERS, DAY_TB, 1 / ACCOUNTS),
        ("any, of all accounts", "trail", FOLDERS, DAY_TB, 1),
        ("`activity/by_identity`, of all", "compact store", DAYS, COMPACT_TB, SHARES["activity/by_identity"]),
        ("`activity/events`, of all", "compact store", DAYS, COMPACT_TB, SHARES["activity/events"]),
        ("any, of one account", "flow logs, text", FOLDERS, FLOW_TB, 1 / ACCOUNTS),
        ("any, of all accounts", "flow logs, text", FOLDERS, FLOW_TB, 1),
    ]
    rows = []
    for asked, table, days, day, share in questions:
        part = f" / {ACCOUNTS:,}" if share == 1 / ACCOUNTS else "" if share == 1 else f" × {share:.1%}"
        size = days * day * share
        read = terabytes(size) if size > 1 else f"{size * 1000:.1f} GB"
        rows.append((asked, table, f"{days} × {terabytes(day)}{part}", read, dollars(size * ATHENA_TB)))
    return grid((f"one question over {DAYS} days", "table", "arithmetic", "reads", "costs"), rows)


def partitions() -> str:
    counts = (
        (f"the {REGIONS} regions in use", REGIONS),
        (f"the {DEFAULT_REGIONS} that are on by default", DEFAULT_REGIONS),
    )
    rows = [(f"{what}", f"{ACCOUNTS:,} × {n} × {FOLDERS}", f"{ACCOUNTS * n * FOLDERS:,}") for what, n in counts]
    return grid((f"partitions of {DAYS} days, with a list of", "arithmetic", ""), rows)


def upkeep() -> str:
    hours = round((2 * INGEST_S + COMPACT_S) * EVENTS / MILLION / 3600, 1)
    cpu, puts = round(hours * CPU_HOUR, 2), round(PARTS * PUT_M / MILLION, 2)
    night = round(cpu + 2 * GETS + puts, 2)
    kept = round(DAYS * COMPACT_TB * STORE_TB_MONTH, 2)
    trail = round(FOLDERS * DAY_TB * ATHENA_TB + FOLDERS * GETS, 2)
    store = round(DAYS * COMPACT_TB * SHARES["activity/by_identity"] * ATHENA_TB, 2)
    saved = round(trail - store, 2)
    rows = [
        ("CPU of a night", f"(2 × {INGEST_S} s + {COMPACT_S} s) × 10⁴", f"{hours} h"),
        ("a night", f"{hours} h × ${CPU_HOUR:.2f} + 2 × {dollars(GETS)} GET + {dollars(puts)} PUT", dollars(night)),
        ("30 nights", f"30 × {dollars(night)}", dollars(30 * night)),
        (f"{DAYS} days in S3, a month", f"{DAYS} × {COMPACT_TB} × ${STORE_TB_MONTH:.0f}", dollars(kept)),
        ("the question, of the trail", f"{FOLDERS} × ({DAY_TB} × ${ATHENA_TB:.2f} + {dollars(GETS)})", dollars(trail)),
        (
            "the same, of the store",
            f"{DAYS} × {COMPACT_TB} × {SHARES['activity/by_identity']:.1%} × ${ATHENA_TB:.2f}",
            dollars(store),
        ),
        (
            "questions a month that pay for it",
            f"({dollars(kept)} + {dollars(30 * night)}) / ({dollars(trail)} − {dollars(store)})",
            f"{(kept + 30 * night) / saved:.1f}",
        ),
    ]
    return grid(("the store in S3", "arithmetic", ""), rows)


def least_privilege() -> str:
    return f"```json\n{json.dumps(policy(**EXAMPLE), indent=1)}\n```"  # type: ignore[arg-type]


SECTIONS: dict[str, Callable[[], str]] = {
    "policy": least_privilege,
    "assumptions": assumptions,
    "sizes": sizes,
    "objects": objects,
    "report": report,
    "daily": daily,
    "investigation": investigation,
    "partitions": partitions,
    "upkeep": upkeep,
}


def filled(page: str) -> str:
    """*page* with every section worked out anew between its marks."""
    for name, make in SECTIONS.items():
        start, end = MARK.format(name), END.format(name)
        before, _, rest = page.partition(start)
        _, found, after = rest.partition(end)
        assert found, f"docs/{PAGE.name} has no place for {name}"
        page = f"{before}{start}\n\n{make()}\n\n{end}{after}"
    return page


def terabytes(size: float) -> str:
    return f"{size:,.2f} TB"


def dollars(amount: float) -> str:
    return f"${amount:,.2f}"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"docs/{PAGE.name}")
