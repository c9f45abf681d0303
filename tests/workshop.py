"""A process that has everything imported and starts others for tests to kill: `python -m tests.workshop`.

For each line it reads, a JSON array of a verb and its arguments, it starts a process that does this and prints its
number. So a test may kill one at any moment of its work, and not of its start.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import auditkit.batches
import auditkit.ingest
import auditkit.readers
from auditkit.compaction import compact
from auditkit.store import Store


def work(verb: str, folder: str, *more: str) -> None:
    store = Store(Path(folder), create=True)
    if verb == "compact":
        compact(store)
    else:
        logs, processes = more
        auditkit.ingest.ingest(store, [logs], processes=int(processes))


def main() -> None:
    auditkit.ingest.BATCH_FILES = 2
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever ends is gone at once
    print("ready", flush=True)
    for line in sys.stdin:
        number = os.fork()
        if number == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            status = 1
            try:
                work(*json.loads(line))
                status = 0
            finally:
                os._exit(status)
        print(number, flush=True)


if __name__ == "__main__":
    main()
