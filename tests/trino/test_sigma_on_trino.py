"""What Sigma rules are translated to, on a real Trino: the same findings as on DuckDB."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditkit.catalogue import Catalogue
from auditkit.rules import evaluate
from tests.cases import cloudtrail_events
from tests.test_sigma import CALL, LISTING, READING, SELECTIONS, Folder, at, correlation, rule, selecting, times
from tests.trino.server import Trino
from tests.trino.test_corpus import BothEngines


@pytest.fixture(scope="module")
def both(trino: Trino) -> BothEngines:
    return BothEngines(trino)


def test_selections_and_keywords(tmp_path: Path, both: BothEngines) -> None:
    sigma = Folder(tmp_path)
    for number, (name, value, _) in enumerate(SELECTIONS):
        sigma.add(f"is_{number}", selecting(**{name: value}))
        sigma.add(f"not_{number}", rule({"selection": {name: value}, "condition": "not selection"}))
    sigma.add("keyword", rule({"words": ["bob", '{"Action":'], "condition": "words"}))
    both.holding({"cloudtrail_events": cloudtrail_events([CALL])})
    run = evaluate(both, Catalogue((), ()).with_rules(sigma.load().rules))
    assert not run.failed
    expected = {f"sigma.{'is' if holds else 'not'}_{number}" for number, (*_, holds) in enumerate(SELECTIONS)}
    assert {finding.rule for finding in run.findings} == {*expected, "sigma.keyword"}


def test_correlations(tmp_path: Path, both: BothEngines) -> None:
    sigma, grouped = Folder(tmp_path), {"group-by": ["userIdentity.arn", "awsRegion"]}
    values = {"gte": 2, "field": "eventName"}
    sigma.add("rules", LISTING, READING)
    sigma.add("events", correlation("event_count", ["listing"], condition={"gte": 3}, **grouped))
    sigma.add("few", correlation("event_count", ["listing"], condition={"lt": 3}))
    sigma.add("values", correlation("value_count", ["listing", "reading"], condition=values, **grouped))
    sigma.add("together", correlation("temporal", ["listing", "reading"], timespan="1h"))
    sigma.add("ordered", correlation("temporal_ordered", ["listing", "reading"], timespan="1d"))
    rows = [*times(0, 100, 250, 700), at(720, event_id="f", event_name="GetObject"), at(900, event_id="g")]
    both.holding({"cloudtrail_events": cloudtrail_events(rows)})
    run = evaluate(both, Catalogue((), ()).with_rules(sigma.load().rules))
    assert not run.failed
    found = {finding.rule: finding.event_count for finding in run.findings}
    assert found == {"sigma.events": 3, "sigma.values": 3, "sigma.together": 6, "sigma.ordered": 6}
