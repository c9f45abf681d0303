"""The story as files: the keys and the gzip that S3 would hold, and the labels beside them."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from cloudtrail import Json
from company import (
    FIRST_DAY,
    FLOW_LOG_DATA,
    FLOW_LOG_DATA_AGAIN,
    FLOW_LOG_SHOP,
    GLOBAL,
    PROD,
    REGION,
    SHARED,
    digest,
    stream,
)
from days import tell
from flowlogs import FORMATS, FlowLogs

# Minutes between two deliveries. CloudTrail delivers about every five; fewer and fuller files are easier to read.
DELIVERED_EVERY = {(PROD, REGION): 30, (PROD, GLOBAL): 60, (SHARED, REGION): 120, (SHARED, GLOBAL): 180}
LINES_EVERY = {FLOW_LOG_SHOP: 60, FLOW_LOG_DATA: 180, FLOW_LOG_DATA_AGAIN: 180}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
Slot = tuple[str, str, datetime]  # account, region, and when the delivery is made
REDELIVERED, LATE = 7, 2  # events that arrive twice; events that arrive many hours later


def deliveries(records: Iterable[Json], added: Iterable[Json]) -> dict[str, list[Json]]:
    """The trail's files by S3 key: a few minutes late, a little out of order, a few events twice.

    What was *added* to the story later comes in turn and once, so that the other records lie as they lay before.
    """
    random = stream("delivery")
    ordered = sorted(records, key=in_time)
    twice = set(random.sample(range(len(ordered)), REDELIVERED))
    late = set(random.sample(range(len(ordered) // 3), LATE))
    slots: dict[Slot, list[Json]] = defaultdict(list)
    for n, record in enumerate(ordered):
        delay = timedelta(seconds=random.randrange(120, 520), hours=19 if n in late else 0)
        if n in late:
            record = {**record, "addendum": {"reason": "DELIVERY_DELAY"}}
        account, region, end = slot_of(record, delay)
        slots[account, region, end].append(record)
        if n in twice:
            slots[account, region, end + timedelta(minutes=DELIVERED_EVERY[account, region])].append(record)
    written: dict[Slot, tuple[str, list[Json]]] = {}
    for slot, held in sorted(slots.items()):
        held.sort(key=lambda record: written_about(record, random.randrange(90)))
        written[slot] = "".join(random.choices(LETTERS, k=16)), held
    random = stream("later deliveries")
    for record in sorted(added, key=in_time):
        slot = slot_of(record, timedelta(seconds=random.randrange(120, 520)))
        if slot not in written:
            written[slot] = "".join(random.choices(LETTERS, k=16)), []
        written[slot][1].append(record)
    files = {}
    for (account, region, end), (letters, held) in sorted(written.items()):
        name = f"{account}_CloudTrail_{region}_{end:%Y%m%dT%H%MZ}_{letters}.json.gz"
        files[f"AWSLogs/{account}/CloudTrail/{region}/{end:%Y/%m/%d}/{name}"] = held
    return files


def in_time(record: Json) -> tuple[str, str]:
    return record["eventTime"], record["eventID"]


def slot_of(record: Json, delay: timedelta) -> Slot:
    """The delivery that brings *record*, so long after it happened."""
    account, region = record["recipientAccountId"], record["awsRegion"]
    every = timedelta(minutes=DELIVERED_EVERY[account, region])
    arrived = datetime.fromisoformat(record["eventTime"]) + delay
    return account, region, FIRST_DAY + ((arrived - FIRST_DAY) // every + 1) * every


def written_about(record: Json, seconds: int) -> datetime:
    """When the record reached its file's buffer: near its time, not exactly in turn."""
    return datetime.fromisoformat(record["eventTime"]) + timedelta(seconds=seconds)


def flow_files(flows: FlowLogs) -> dict[str, list[str]]:
    """The flow logs' files by S3 key, each with its header line."""
    files: dict[str, list[str]] = {}
    for log, lines in flows.lines.items():
        every = timedelta(minutes=LINES_EVERY[log])
        slots: dict[datetime, list[tuple[datetime, str]]] = defaultdict(list)
        for end, line in lines:
            slots[FIRST_DAY + (end - FIRST_DAY) // every * every].append((end, line))
        for slot, held in sorted(slots.items()):
            stamp = f"{slot:%Y%m%dT%H%MZ}_{digest(f'{log}{slot}').hex()[:8]}"
            name = f"{PROD}_vpcflowlogs_{REGION}_{log}_{stamp}.log.gz"
            key = f"AWSLogs/{PROD}/vpcflowlogs/{REGION}/{slot:%Y/%m/%d}/{name}"
            files[key] = [FORMATS[log], *(line for _, line in sorted(held))]
    return files


def gzipped(text: str) -> bytes:
    """A gzip file without time, name or operating system, so that nothing but the content decides its bytes."""
    data = text.encode()
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = squeeze.compress(data) + squeeze.flush()
    return b"\x1f\x8b\x08" + bytes(5) + b"\x02\xff" + body + struct.pack("<II", zlib.crc32(data), len(data))


def labels_text(labels: Json) -> str:
    """The labels as YAML, one event or act a line: a reader's file, not to be taken for a log among logs."""
    lines = ["# Written by generate.py: every event of the incidents told in README.md, and what the network saw."]
    for name, value in labels.items():
        if isinstance(value, list):
            lines += [f"{name}:", *(f"  - {json.dumps(item)}" for item in value)]
        else:
            lines.append(f"{name}: {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def write(out: Path) -> None:
    """Replace `AWSLogs/` and `labels.yaml` in *out*."""
    told = tell()
    shutil.rmtree(out / "AWSLogs", ignore_errors=True)
    delivered = deliveries(told.records, told.added)
    texts = {key: json.dumps({"Records": held}, separators=(",", ":")) for key, held in delivered.items()}
    texts |= {key: "\n".join(lines) + "\n" for key, lines in flow_files(told.flows).items()}
    for key, text in texts.items():
        path = out / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzipped(text))
    (out / "labels.yaml").write_text(labels_text(told.labels), encoding="utf-8")
