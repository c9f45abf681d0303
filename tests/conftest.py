"""What many tests share: the sample company read once, and the command line as a function."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from auditkit import opening
from auditkit.audit import Audit
from auditkit.cli import main
from auditkit.ingest import ingest
from auditkit.rules import RuleRun
from auditkit.store import Store
from tests.mmdb import places  # noqa: F401 - a fixture
from tests.s3_server import credentials, filled, moto, scripted  # noqa: F401 - fixtures

settings.register_profile("auditkit", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("auditkit")

DATA_SAMPLES = Path(__file__).parents[1] / "data-samples"


@dataclass(frozen=True)
class Said:
    """What one command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be JSON and nothing else."""
        return json.loads(self.out)


Command = Callable[..., Said]


def command_line(*words: object) -> Said:
    """`auditkit WORDS...`, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return Said(int(left.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line, in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return command_line


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of data-samples. Tests read it and leave it as it is."""
    folder = tmp_path_factory.mktemp("samples") / "store"
    ingest(Store(folder, create=True), [DATA_SAMPLES])
    return folder


@pytest.fixture(scope="session")
def audit(samples: Path) -> Iterator[Audit]:
    """An Audit over data-samples."""
    with opening.open(store=samples) as opened:
        yield opened


@pytest.fixture(scope="session")
def rule_run(audit: Audit) -> RuleRun:
    """What all rules make of data-samples."""
    return audit.evaluate()
