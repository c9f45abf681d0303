"""The whole way, for an attacker: what a caller can write into a log goes through store, rules and notebook to a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditkit import opening
from tests.records import ACCOUNT, START, record, write_flows
from tests.report_samples import HOSTILE

pytestmark = pytest.mark.browser
EVIL = [text for text in HOSTILE if text != "\ud800"]  # JSON writes a lone surrogate, and no UTF-8 file holds one


def hostile_logs(folder: Path) -> Path:
    """One session that reads many secrets, is refused many things and opens a security group, under hostile names."""
    events = []
    for number, text in enumerate(EVIL):
        caller = {
            "type": "AssumedRole",
            "principalId": f"AROA:{text}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{EVIL[0]}/{text}",
            "accountId": ACCOUNT,
            "accessKeyId": text,
            "sessionContext": {"sessionIssuer": {"arn": f"arn:aws:iam::{ACCOUNT}:role/{EVIL[0]}", "userName": EVIL[0]}},
        }
        one_session = caller | {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/x/s", "principalId": "AROA:s"}
        common: dict[str, Any] = {"userAgent": text, "sourceIPAddress": text, "awsRegion": text, "requestID": text}
        events += [
            record(f"read-{number}", **common, userIdentity=one_session, requestParameters={"secretId": text}),
            record(
                f"denied-{number}",
                **common,
                userIdentity=one_session,
                eventName=f"Get{number}{text}",
                errorCode="AccessDenied",
                errorMessage=f"User: {text} is not authorized to perform: x on resource: {text}",
            ),
            record(
                f"attach-{number}",
                **common,
                userIdentity=caller,
                eventSource="iam.amazonaws.com",
                eventName="AttachUserPolicy",
                requestParameters={"userName": text, "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            ),
            record(f"new-{number}", **common, userIdentity=caller, eventName=text, **{f"member {text}": text}),
        ]
    folder.mkdir()
    (folder / "trail.json").write_text(json.dumps({"Records": events}), encoding="utf-8")
    one_word = ["".join(text.split()) for text in EVIL if text.isascii() and text.isprintable()]
    lines = [f"2 {ACCOUNT} {w} {w} 10.0.0.5 1 5432 6 1 40 {START} {START + 60} REJECT OK" for w in one_word]
    write_flows(folder / "flows.log", *lines, *lines)
    return folder


def test_nothing_in_a_log_runs_in_the_report_made_of_it(visit: Callable[..., Any], tmp_path: Path) -> None:
    with opening.open(hostile_logs(tmp_path / "logs")) as audit:
        assert audit.ingested is not None
        assert (audit.ingested.events, audit.ingested.quarantine) == (4 * len(EVIL), [])
        made = audit.report(out=tmp_path / "out", title=EVIL[0])
    assert {"iam.admin_policy_attached", "secretsmanager.bulk_secret_reads", "iam.denied_sweep"} <= {
        finding["rule"] for finding in made.record.findings
    }
    seen = visit(made.path)
    assert seen.page.locator(".canvas svg .mark-rect, .canvas svg .mark-symbol").count() > 0
    seen.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    for mark in seen.page.locator(".role-mark.mark-rect path, .role-mark.mark-symbol path").all()[:20]:
        mark.dispatch_event("mousemove", {"bubbles": True})  # some are a pixel high
    seen.page.locator("input[type=search]").first.fill(EVIL[1])
    seen.page.wait_for_timeout(300)
    assert seen.page.title() == EVIL[0]
    assert seen.page.evaluate("window.pwned") is None
    assert seen.page.locator("main img, main iframe, main script, main a[href^=javascript]").count() == 0
    assert all(text in seen.page.locator("main").text_content() for text in EVIL[:4])
    seen.assert_quiet()
