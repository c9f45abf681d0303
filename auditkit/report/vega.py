"""The script that draws the charts, taken from vl-convert and kept on disk because making it takes seconds."""

from __future__ import annotations

import contextlib
import os
from functools import cache
from importlib.metadata import version
from pathlib import Path

import vl_convert

SNIPPET = "window.vegaEmbed=vegaEmbed;"
NOTICE = (
    "/*! Vega, Vega-Lite, Vega-Embed and Vega-Tooltip: Copyright (c) 2015-2023, University of Washington Interactive "
    "Data Lab, BSD 3-Clause. D3: Copyright Mike Bostock, ISC. And what they depend on, BSD, ISC or MIT. */\n"
)
END = "\n/* end of bundle */\n"  # a cached file without it was cut short


def cache_folder() -> Path:
    """Where this user's programs keep what they can make again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "auditkit"


@cache
def bundle() -> str:
    """The script, fit for a script tag. A folder that cannot be written only costs the time to make it again."""
    file = None
    with contextlib.suppress(OSError, RuntimeError, UnicodeDecodeError):  # RuntimeError: the user has no home folder
        file = cache_folder() / f"vega-{vl_convert.get_vega_version()}-{version('vl-convert-python')}.js"
        kept = file.read_text(encoding="utf-8")
        if kept.startswith(NOTICE) and kept.endswith(END):
            return kept
    script = str(vl_convert.javascript_bundle(SNIPPET)).replace("</script", "<\\/script").replace("<!--", "<\\!--")
    text = NOTICE + script + END
    if file is not None:
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(f".{os.getpid()}.part")
            part.write_text(text, encoding="utf-8")
            part.replace(file)
    return text
