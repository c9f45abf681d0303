"""What the key of a file says of it: whose log it is, of which region, and when it was delivered.

AWS writes all of it into the name, and most of it into the folders too, so a copy without its folders still tells. What
a key does not say is None; a file that somebody renamed says nothing, and is no worse a log for it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

HOUR_S = 3600
_REGION = r"[a-z]{2,}(?:-[a-z]+)+-\d+"
_LOG = r"CloudTrail(?:-[A-Za-z]+)?|vpcflowlogs"
_NAME = re.compile(
    rf"(?P<account>\d{{12}})_(?P<log>{_LOG})_(?P<region>{_REGION})_(?P<source>.*?)_?"
    r"(?P<time>\d{8}T\d{4}(?:\d\d)?)Z(?P<behind>_[^.]*)?\."
)
_FOLDERS = re.compile(rf"(?:(?P<account>\d{{12}})/)?(?P<log>{_LOG})/(?P<region>{_REGION})/")
_HIVE = re.compile(
    rf"aws-account-id=(?P<account>\d{{12}})/aws-service=(?P<log>{_LOG})/aws-region=(?P<region>{_REGION})/"
)
_BACKFILL = "_backfill"


class Named(NamedTuple):
    """What a key says."""

    log: str  # CloudTrail, CloudTrail-Digest, CloudTrail-Insight, …, vpcflowlogs
    account_id: str | None
    region: str | None
    time: int | None = None  # of delivery; of a flow log, the start of the five minutes its records end in; epoch, s
    source: str = ""  # the flow log's id; the trail of a digest, with its home region, and whether it is a backfill


def parse(key: str) -> Named | None:
    """What *key*, a path or an `s3://` address, says; None when it says nothing."""
    name = key[key.rfind("/") + 1 :]
    if said := _NAME.match(name):
        behind = said["behind"] or ""
        source = said["source"] + (_BACKFILL if behind == _BACKFILL else "")
        return Named(said["log"], said["account"], said["region"], _instant(said["time"]), source)
    if said := _HIVE.search(key) or _FOLDERS.search(key):
        return Named(said["log"], said["account"], said["region"])
    return None


def name_of(key: str) -> str:
    """The last part of *key*, by which a copy is known: 16 random characters are in it. It may have been unzipped."""
    return key[key.rfind("/") + 1 :].removesuffix(".gz")


def _instant(text: str) -> int | None:
    """`20261102T1005` or `20261102T100530` as seconds since 1970; None for what is no time."""
    try:
        return int(datetime.fromisoformat(text + "Z").timestamp())
    except ValueError:
        return None


def is_account(text: str) -> bool:
    return re.fullmatch(r"\d{12}", text, re.ASCII) is not None


def is_region(text: str) -> bool:
    return re.fullmatch(_REGION, text) is not None
