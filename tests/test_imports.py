"""The tree is the architecture: imports point one way, and each kind of work has its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import auditkit

PACKAGE = Path(auditkit.__file__).parent

# From the door down to the ground. A room may use the rooms on lower lines, and itself; `engines`, `logs` and `report`
# are rooms of several modules.
LAYERS = """
__main__
cli
athena_commands store_commands who_command
ingesting verifying pulling
asking lab listing coverage_text finding_text
formats
setup
config options sections case_sections secrets_sections network_sections investigate_sections review_sections
reject_blocks
opening
audit
baseline
sigma
connections
remote
pull
ecs_review
runs rules evidence
identity
network
allowlist cases
aggregate_rules
findings match_rules output terminal history coverage joining place_columns
places
catalogue signs judgement
prefilter
asked parameters delivery
engines
validation
ingest compaction
readers reader
batches arriving
duplicates
store
parts entries pulls
fingerprints
logs
report heatmap lineage_charts
networks geoip
charts
redact schema resources addresses moments
model
errors
"""
# Beside the analysis, and blind to it: a notebook hands them what they show.
PRESENTATION = {
    "report": {"redact", "model", "resources", "errors", "schema"},
    "charts": {"redact", "model", "errors"},
    "heatmap": {"charts"},
    "lineage_charts": {"charts"},
}

# Who touches files, and what for. All others take and give values.
FILES = {
    "allowlist": "allowlist.toml",
    "asking": "opens an Audit, which is no file of its own",
    "baseline": "whether there is a store",
    "opening": "a store that lives as long as the Audit",
    "connections": "auditkit.toml",
    "pull": "queries/frames/",
    "setup.table_text": "queries/ddl/",
    "engines.athena.files": "what an unload left in S3",
    "catalogue": "queries/",
    "config": "auditkit.toml",
    "duplicates": "the keys of stored events",
    "engines.headed": "queries/sources/ and queries/views/",
    "engines.views": "the names of queries/views/",
    "engines.trino.engine": "queries/frames/",
    "engines.trino.tables": "queries/frames/",
    "engines.duckdb": "the store's parts, and a folder to spill into",
    "formats.attack": "the names of ATT&CK's techniques",
    "identity.actions": "actions.toml",
    "identity.granted": "an export of the policies of an account",
    "history": "the records of earlier runs",
    "lab": "copies of the notebooks",
    "logs.archives": "the files inside a zip",
    "logs.discover": "the folders of logs",
    "logs.flow_parquet": "flow logs too large for memory",
    "logs.opening": "the logs",
    "logs.sources": "copies of large objects",
    "logs.s3.bucket": "the certificates that AWS_CA_BUNDLE names",
    "logs.s3.objects": "huge objects, for a while",
    "match_rules": "queries/frames/",
    "networks": "networks.toml",
    "output": "what --out names",
    "report.render": "the style sheet and the scripts",
    "report.run": "the report",
    "report.vega": "a cache of the chart library",
    "resources": "where queries/ and notebooks/ lie",
    "runs": "notebooks/",
    "compaction": "the parts of a store",
    "parts": "the parts of a store",
    "sigma.correlations": "queries/frames/",
    "sigma.reading": "the rules of a folder",
    "store": "the store",
    "validation.keys": "public keys that were kept",
    "validation.places": "a copy of a bucket",
    "terminal": "gives up a pipe whose reader has gone",
}
FILE_CALLS = {
    *("open", "read_text", "write_text", "read_bytes", "write_bytes", "mkdir", "unlink", "rmtree", "glob", "rglob"),
    *("is_file", "is_dir", "exists", "iterdir", "mkdtemp", "TemporaryDirectory", "write_table", "ParquetFile"),
}
SQL = re.compile(r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|DELETE\s+FROM|CREATE\s+(TABLE|VIEW)|UNION\s+ALL)\b", re.DOTALL)
MARKUP = re.compile(r"</\w+>|<(div|span|table|a|p|td|tr|html|script|style|b|i|br|img)\b")


def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name inside it; `engines` for `engines/__init__.py`."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    del found["__init__"]  # the public names and nothing else: it stands above all of them
    return found


MODULES = modules()


def imported(name: str) -> set[str]:
    """The modules that *name* imports, wherever in it and for whatever purpose."""
    found = set()
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "auditkit":
            base = node.module.removeprefix("auditkit").removeprefix(".")
            inside = {f"{base}.{alias.name}".removeprefix(".") for alias in node.names}
            found |= (inside & MODULES.keys()) or ({base} if base else set())
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.removeprefix("auditkit.") for alias in node.names if alias.name.startswith("auditkit.")
            }
    return found


def texts(tree: ast.Module) -> Iterator[str]:
    """The string constants of a module that are not docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {id(n.body[0].value) for n in ast.walk(tree) if isinstance(n, documented) and ast.get_docstring(n)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def called(tree: ast.Module) -> Iterator[str]:
    """The names of the methods and of the built-in functions that a module calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("open", "TemporaryDirectory")
        ):
            yield node.func.id


def room(name: str) -> str:
    return name.split(".")[0]


def test_every_module_has_its_line() -> None:
    assert {room(name) for name in MODULES} == set(LAYERS.split())


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_down(name: str) -> None:
    line = {module: number for number, text in enumerate(LAYERS.strip().splitlines()) for module in text.split()}
    upward = [other for other in imported(name) if room(other) != room(name) and line[room(other)] <= line[room(name)]]
    assert upward == []


def test_no_imports_go_round_in_a_circle() -> None:
    assert len(list(TopologicalSorter({name: imported(name) for name in MODULES}).static_order())) == len(MODULES)


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) in PRESENTATION])
def test_presentation_knows_nothing_of_the_analysis(name: str) -> None:
    assert {room(other) for other in imported(name)} <= PRESENTATION[room(name)] | {room(name)}


def test_opening_the_package_does_not_load_the_engines() -> None:
    """`auditkit list` and `--help` answer at once."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    at_once = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert at_once & {"auditkit.errors", "auditkit.model"}
    assert "auditkit.audit" not in at_once


def test_modules_are_small_and_named_for_their_work() -> None:
    for name in MODULES:
        path = PACKAGE.joinpath(*name.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        assert not {"util", "utils", "helpers", "common", "misc"} & set(name.split(".")), name
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 350, name


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(MODULES[name])


@pytest.mark.parametrize("name", MODULES)
def test_sql_lives_in_queries(name: str) -> None:
    # `<predicate …>` marks the text of an error that shows the shape of a rule.
    assert [text for text in texts(MODULES[name]) if SQL.search(text) and "<predicate" not in text] == []


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) != "report"])
def test_only_report_writes_markup(name: str) -> None:
    assert [text for text in texts(MODULES[name]) if MARKUP.search(text)] == []


def test_files_are_touched_where_it_is_said() -> None:
    assert {name for name, tree in MODULES.items() if FILE_CALLS & set(called(tree))} <= FILES.keys()
