"""The sample company: made again it is the same, nothing in it is real, and its story can be found in it."""

from __future__ import annotations

import gzip
import ipaddress
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditkit.catalogue import Catalogue
from auditkit.engines.duckdb import DuckDBEngine
from auditkit.ingest import ingest
from auditkit.rules import RuleRun, evaluate
from auditkit.store import Store

SAMPLES = Path(__file__).parents[1] / "data-samples"
LOGS = SAMPLES / "AWSLogs"
ACCOUNTS = {"111122223333", "444455556666", "999988887777"}
DOCUMENTATION = [
    ipaddress.ip_network(network)
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/32")
]
TASK_CREDENTIALS = "169.254.170.2"  # the same address in every Fargate task in the world


def trail_files() -> list[Path]:
    return sorted(LOGS.rglob("*.json.gz"))


def flow_files() -> list[Path]:
    return sorted(LOGS.rglob("*.log.gz"))


def text_of(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode("utf-8")


@pytest.fixture(scope="module")
def labels() -> Any:
    return yaml.safe_load((SAMPLES / "labels.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    return [record for path in trail_files() for record in json.loads(text_of(path))["Records"]]


@pytest.fixture(scope="module")
def everything() -> str:
    """All that is in the files, and the names of the files."""
    texts = [f"{path.name}\n{text_of(path)}" for path in (*trail_files(), *flow_files())]
    return "\n".join([*texts, (SAMPLES / "labels.yaml").read_text(encoding="utf-8")])


@pytest.fixture(scope="module")
def flows() -> list[dict[str, str]]:
    lines = []
    for path in flow_files():
        header, *rest = (line.split() for line in text_of(path).splitlines())
        lines += [dict(zip(header, line, strict=True)) for line in rest]
    return lines


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RuleRun:
    store = Store(tmp_path_factory.mktemp("samples"), create=True)
    report = ingest(store, [SAMPLES])
    assert report.quarantined == 0
    return evaluate(DuckDBEngine(store.parts()), Catalogue.load())


def test_generating_again_gives_the_files_of_the_repository(tmp_path: Path) -> None:
    """Names, headers and content are equal; how deflate packs the content differs from one zlib to another."""
    subprocess.run([sys.executable, str(SAMPLES / "generate.py"), str(tmp_path)], check=True)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    kept = [*LOGS.rglob("*.gz"), SAMPLES / "labels.yaml"]
    assert made == sorted(path.relative_to(SAMPLES) for path in kept)
    for name in made:
        new, old = (tmp_path / name).read_bytes(), (SAMPLES / name).read_bytes()
        if name.suffix == ".gz":
            assert new[:10] == old[:10], name
            new, old = gzip.decompress(new), gzip.decompress(old)
        assert new == old, name


def test_generating_leaves_nothing_else_among_the_logs() -> None:
    assert not list(SAMPLES.rglob("*.pyc"))


def test_gzip_headers_hold_no_time_and_no_name() -> None:
    for path in (*trail_files(), *flow_files()):
        magic, flags, time = path.read_bytes()[:3], path.read_bytes()[3], path.read_bytes()[4:8]
        assert (magic, flags, time) == (b"\x1f\x8b\x08", 0, bytes(4)), path


def test_the_samples_stay_small() -> None:
    sizes = [path.stat().st_size for path in LOGS.rglob("*.gz")]
    assert sum(sizes) < 1_000_000
    assert sum((size + 4095) // 4096 * 4096 for size in sizes) < 1_500_000


def test_keys_follow_the_layout_of_s3() -> None:
    trail = re.compile(
        r"(\d{12})/CloudTrail/([a-z0-9-]+)/(2026/11/0\d)/\1_CloudTrail_\2_(\d{8})T\d{4}Z_[A-Za-z0-9]{16}\.json\.gz"
    )
    flow = re.compile(
        r"(\d{12})/vpcflowlogs/([a-z0-9-]+)/(2026/11/0\d)/\1_vpcflowlogs_\2_fl-[0-9a-f]{17}_(\d{8})T\d{4}Z_[0-9a-f]{8}\.log\.gz"
    )
    for path in LOGS.rglob("*.gz"):
        key = path.relative_to(LOGS).as_posix()
        match = trail.fullmatch(key) or flow.fullmatch(key)
        assert match, key
        assert match[3].replace("/", "") == match[4], key


def test_records_have_the_shape_of_version_1_11(records: list[dict[str, Any]]) -> None:
    always = {"eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "eventID"}
    for record in records:
        assert always <= record.keys()
        assert record["eventVersion"] == "1.11"
        assert re.fullmatch(r"2026-11-0[23]T\d\d:\d\d:\d\dZ", record["eventTime"])
        assert isinstance(record["readOnly"], bool)
        assert record["recipientAccountId"] in {"111122223333", "444455556666"}
        assert ("errorCode" in record) <= ("errorMessage" in record)
        for resource in record.get("resources", []):
            assert resource.keys() == {"accountId", "type", "ARN"}
        attributes = record["userIdentity"].get("sessionContext", {}).get("attributes", {})
        assert attributes.get("mfaAuthenticated", "false") in {"true", "false"}


def test_events_arrive_after_they_happened_and_a_few_twice(records: list[dict[str, Any]]) -> None:
    for path in trail_files():
        stamp = path.name.split("_")[3]
        last = max(record["eventTime"] for record in json.loads(text_of(path))["Records"])
        assert re.sub(r"[-:]", "", last)[:13] < stamp
    seen = Counter(record["eventID"] for record in records)
    assert 2 <= sum(count == 2 for count in seen.values()) < 20
    assert max(seen.values()) == 2


def test_calls_across_accounts_are_recorded_in_both(records: list[dict[str, Any]]) -> None:
    accounts: dict[str, set[str]] = {}
    for record in records:
        if record["eventName"] == "AssumeRole" and record["requestParameters"]["roleArn"].endswith(
            ":role/security-audit"
        ):
            accounts.setdefault(record["sharedEventID"], set()).add(record["recipientAccountId"])
    assert set(map(frozenset, accounts.values())) == {frozenset({"111122223333", "444455556666"})}


def test_session_tokens_look_like_tokens_so_that_masking_has_work(records: list[dict[str, Any]]) -> None:
    tokens = [
        record["responseElements"]["credentials"]["sessionToken"]
        for record in records
        if record["eventName"].startswith("AssumeRole") and record["responseElements"]
    ]
    assert len(tokens) > 100
    assert all(re.fullmatch(r"IQoJb3JpZ2luX2Vj[A-Za-z0-9+/]{300,}", token) for token in tokens)


def test_flow_lines_have_as_many_fields_as_their_header(flows: list[dict[str, str]]) -> None:
    widths = {len(text_of(path).partition("\n")[0].split()) for path in flow_files()}
    assert widths == {14, 37}  # `flows` itself fails on a line that does not fit its header
    assert {line["log-status"] for line in flows} == {"OK", "NODATA", "SKIPDATA"}
    assert all(line["srcaddr"] == "-" for line in flows if line["log-status"] != "OK")


def test_only_documentation_addresses_occur(everything: str) -> None:
    v4 = set(re.findall(r"(?<![\w.-])(?<!\w/)\d{1,3}(?:\.\d{1,3}){3}(?![\w.])", everything))
    v6 = set(re.findall(r"(?<![\w:])[0-9a-f]{1,4}:[0-9a-f:]*::[0-9a-f]+(?![\w:])", everything))
    assert len(v4) > 200
    assert v6
    for address in v4 | v6:
        if address.startswith(TASK_CREDENTIALS):
            continue
        assert any(ipaddress.ip_address(address) in network for network in DOCUMENTATION), address


def test_only_the_named_accounts_example_keys_and_example_mail_occur(everything: str) -> None:
    assert set(re.findall(r"(?<![\w-])\d{12}(?![\w-])", everything)) == ACCOUNTS
    ids = set(re.findall(r"\b(?:AKIA|ASIA|AIDA|AROA)[A-Z0-9]{8,}", everything))
    assert len(ids) > 100
    assert all(re.fullmatch(r"A(?:KI|SI)A[A-Z2-7]{9}EXAMPLE|A(?:ID|RO)A[A-Z2-7]{10}EXAMPLE", key) for key in ids)
    assert set(re.findall(r"[\w.]+@([\w.]+)", everything)) == {"example.com"}


def test_each_label_names_one_record_and_tells_it_as_it_is(records: list[dict[str, Any]], labels: Any) -> None:
    distinct = {json.dumps(record, sort_keys=True): record for record in records}.values()
    times = Counter(record["eventID"] for record in distinct)
    by_id = {record["eventID"]: record for record in distinct}
    assert len(labels["events"]) > 80
    for label in labels["events"]:
        assert times[label["event_id"]] == 1
        record = by_id[label["event_id"]]
        assert (record["eventTime"], record["eventName"]) == (label["time"], label["event_name"])
        assert ("errorCode" in record) == (label["outcome"] == "denied")


def test_every_call_of_the_attacker_is_labelled(records: list[dict[str, Any]], labels: Any) -> None:
    labelled = {label["event_id"] for label in labels["events"]}
    for attacker, many in (("attacker", 50), ("second_attacker", 15)):
        calls = {record["eventID"] for record in records if record["sourceIPAddress"] == labels[attacker]}
        assert len(calls) > many
        assert calls <= labelled


def test_the_network_saw_what_its_labels_say(flows: list[dict[str, str]], labels: Any) -> None:
    assert len(labels["flows"]) > 5
    for label in labels["flows"]:
        target = ipaddress.ip_network(label["dstaddr"])
        seen = [
            line
            for line in flows
            if (line["interface-id"], line["srcaddr"], line["action"])
            == (label["interface_id"], label["srcaddr"], label["action"])
            and ipaddress.ip_address(line["dstaddr"]) in target
        ]
        if label["step"] in ("scan from the task", "scan of the database subnets"):
            task = labels["task_entered" if label["incident"] == "night" else "task_stolen"]
            seen = [line for line in seen if line["dstport"] != "5432"]  # which a mistake closed on the evening before
            assert {line["ecs-task-id"] for line in seen} == {task}
        if label["step"] == "database refused":  # the scan before it knocked there as well
            assert all(line["dstport"] == "5432" for line in seen)
        assert len(seen) == label["records"], label["step"]


def test_the_database_is_dark_between_the_flow_log_and_its_successor(flows: list[dict[str, str]]) -> None:
    dark = range(1793673663, 1793697151)  # 02:41:03 to 09:12:31
    assert not [line for line in flows if line["version"] == "2" and int(line["end"]) in dark]
    assert {line["log-status"] for line in flows if line["version"] == "7" and int(line["end"]) in dark} == {"OK"}


def test_the_tasks_cannot_reach_the_database_while_their_group_does_not_let_them_out(
    flows: list[dict[str, str]], labels: Any
) -> None:
    (closed,) = (link for link in labels["links"] if link["kind"] == "change")
    evening = range(1793653925, 1793654300)  # 2 November, 21:12:05 to 21:18:20
    tried = [
        line
        for line in flows
        if line["log-status"] == "OK" and line["dstport"] == "5432" and int(line["start"]) in evening
    ]
    assert {line["action"] for line in tried if line["srcaddr"].startswith("10.20.")} == {"REJECT"}
    refused = [line for line in tried if line["interface-id"] in closed["interface_ids"]]
    assert len(refused) == closed["rejects"]
    assert {line["dstaddr"] for line in refused} == {"10.30.0.20"}


def test_every_hop_of_a_lineage_hands_out_the_key_that_the_next_one_signs_with(
    records: list[dict[str, Any]], labels: Any
) -> None:
    by_id = {record["eventID"]: record for record in records}
    assert max(len(lineage["chain"]) for lineage in labels["lineage"]) == 3
    for lineage in labels["lineage"]:
        keys = [hop["access_key_id"] for hop in lineage["chain"]]
        assert keys[-1:] in ([], [lineage["subject"]])
        for before, hop in zip([None, *keys], lineage["chain"], strict=False):
            for event_id in (hop["event_id"], *hop["copies"]):
                record = by_id[event_id]
                assert record["responseElements"]["credentials"]["accessKeyId"] == hop["access_key_id"]
                assert record["requestParameters"]["roleArn"] == hop["principal_arn"]
                assert record["requestParameters"]["roleSessionName"] == hop["session_name"]
                assert record["userIdentity"].get("accessKeyId") in (before, None)


def test_a_lineage_is_asked_for_by_key_or_session_or_task(labels: Any) -> None:
    also = {lineage["what"]: lineage["also"] for lineage in labels["lineage"]}
    stolen = labels["task_stolen"]
    assert also["the stolen session of the task"] == [
        f"arn:aws:sts::111122223333:assumed-role/checkout-task/{stolen}",
        stolen,
    ]
    assert also["the role of the other account"] == ["arn:aws:sts::444455556666:assumed-role/analytics-reader/export-7"]
    assert also["the old key"] == []


def test_each_link_has_the_rejects_of_the_story(flows: list[dict[str, str]], labels: Any) -> None:
    links = {(link["kind"], link["shared"]): link for link in labels["links"]}
    group = "sg-0ec5fad55b7f6351f"
    assert {name: link["rejects"] for name, link in links.items()} == {
        ("address", labels["attacker"]): 17 + 17 + 9 + 5,  # two doors of the load balancer, the gateway, the database
        ("address", labels["second_attacker"]): 3,
        ("task", labels["task_entered"]): 12 * 6,  # hosts and ports
        ("endpoint", "10.20.10.122"): 12 * 6,
        ("task", labels["task_stolen"]): 10 * 4,
        ("endpoint", "10.20.11.166"): 10 * 4,
        ("change", group): 2 * 42,  # tasks, and tries of each: every 9 of 375 seconds, from the fifth on
    }
    seen = Counter(
        (line["interface-id"], line["srcaddr"], line["dstaddr"], int(line["dstport"]))
        for line in flows
        if line["action"] == "REJECT"
    )
    for name, link in links.items():
        assert sum(count for *_, count in link["flows"]) == link["rejects"], name
        for source, target, port, action, count in link["flows"]:
            assert action == "REJECT"
            assert sum(seen[eni, source, target, port] for eni in link["interface_ids"]) == count, (name, target, port)


def test_each_link_lists_every_event_that_has_what_it_shares(records: list[dict[str, Any]], labels: Any) -> None:
    by_id = {record["eventID"]: record for record in records}
    task_arn = "arn:aws:iam::111122223333:role/checkout-task"
    for link in labels["links"]:
        events = [by_id[event_id] for event_id in link["event_ids"]]
        if link["kind"] == "task":
            of_task = {
                record["eventID"]
                for record in records
                if record["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {}).get("arn") == task_arn
                and record["userIdentity"]["principalId"].endswith(f":{link['shared']}")
                and record["sourceIPAddress"] in (labels["attacker"], labels["second_attacker"])
            }
            assert set(link["event_ids"]) == of_task
        elif link["kind"] == "change":
            until = by_id[link["until_event_id"]]
            assert [event["eventName"] for event in (*events, until)] == [
                "RevokeSecurityGroupEgress",
                "AuthorizeSecurityGroupEgress",
            ]
            assert {event["requestParameters"]["groupId"] for event in (*events, until)} == {link["shared"]}
        else:
            assert events
            assert {event["sourceIPAddress"] for event in events} == {link["shared"]}
            assert {"vpcEndpointId" in event for event in events} == {link["kind"] == "endpoint"}


def test_the_interface_of_the_attackers_task_can_be_found_from_its_launch(
    records: list[dict[str, Any]], flows: list[dict[str, str]], labels: Any
) -> None:
    (launched,) = {
        record["responseElements"]["tasks"][0]["attachments"][0]["id"]
        for record in records
        if record["eventName"] == "RunTask" and labels["task_started"] in json.dumps(record["responseElements"])
    }
    (interface,) = {
        record["responseElements"]["networkInterface"]["networkInterfaceId"]
        for record in records
        if record["eventName"] == "CreateNetworkInterface" and launched in record["requestParameters"]["description"]
    }
    assert labels["task_started"] in {
        line["ecs-task-id"] for line in flows if line["interface-id"] == interface and "ecs-task-id" in line
    }


def test_every_id_in_the_readme_is_in_the_logs(everything: str) -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    ids = set(re.findall(r"\b(?:sg|eni|vpc|fl|i)-0[0-9a-f]{16}\b|\bAKIA\w+|\b[0-9a-f]{32}\b", readme))
    assert len(ids) > 10
    assert {found for found in ids if found not in everything} == set()


def test_labels_and_readme_name_rules_that_exist(labels: Any) -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    named = {rule for label in (*labels["events"], *labels["flows"]) for rule in label["rules"]}
    assert named == set(re.findall(r"`((?:ecs|iam|logging|network|secretsmanager|sts)\.[a-z_]+)`", readme))
    assert named <= {rule.rule for rule in Catalogue.load().rules}


def test_the_rules_find_every_labelled_event(run: RuleRun, labels: Any) -> None:
    assert run.failed == {}
    found = {(finding.rule, event_id) for finding in run.findings for event_id in finding.evidence}
    expected = {(rule, label["event_id"]) for label in labels["events"] for rule in label["rules"]}
    assert len(expected) > 40
    assert expected - found == set()


def test_the_rules_find_every_labelled_act_on_the_network(run: RuleRun, labels: Any) -> None:
    found = {(finding.rule, source) for finding in run.findings for source in finding.source_ips}
    expected = {(rule, label["srcaddr"]) for label in labels["flows"] for rule in label["rules"]}
    assert expected
    assert expected - found == set()


def test_nothing_but_the_incident_is_severe(run: RuleRun, labels: Any) -> None:
    """Two days of releases, scans by the security team and refused developers raise nothing above medium."""
    incident = {label["event_id"] for label in labels["events"]} | {label["srcaddr"] for label in labels["flows"]}
    severe = [finding for finding in run.findings if finding.severity in {"critical", "high"}]
    assert len(severe) > 8
    assert [finding.rule for finding in severe if not incident & {*finding.evidence, *finding.source_ips}] == []
