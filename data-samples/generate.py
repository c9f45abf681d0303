"""Write the sample company's logs: `python data-samples/generate.py [OUT]`, OUT being this folder if not named.

Every run writes the same: all numbers come from seeded streams, no clock is read.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.dont_write_bytecode = True  # this folder is read as logs; compiled modules have no place in it

from files import write  # noqa: E402

if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
