"""Each step of the review of an ECS service: every verdict is reached, and only by what proves it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from auditkit.catalogue import Catalogue
from auditkit.ecs_review import access, groups, images, roles, secrets, traffic, trail
from auditkit.ecs_review.facts import Facts
from auditkit.ecs_review.review import in_short, review
from auditkit.ecs_review.step import About, Check, Step, named, quoted, step
from tests.made_findings import made
from tests.report_samples import HOSTILE
from tests.review_facts import CI, DIGEST, ECR, EVE, covered, facts, spans

RUN = {"event_name": "RunTask", "cluster": "shop", "definition": "web:7", "exec_enabled": False}
DEPLOY = {"event_name": "UpdateService", "cluster": "shop", "ecs_service": "web", "definition": "web:7"}
DEFINITION: dict[str, Any] = {
    "definition": "web:7",
    "family": "web",
    "container": "app",
    "image": f"{ECR}/shop/web:7",
    "image_registry": ECR,
    "image_repository": "shop/web",
    "image_tag": "7",
    "task_role": "web-task",
    "execution_role": "web-start",
    "environment": "none",
}
CALL = {"event_name": "UpdateService", "event_count": 2, "denied_count": 0, "error_count": 0}
SHELL = {"event_name": "ExecuteCommand", "cluster": "shop", "task_id": "t1", "source_ip": "198.51.100.7"}
ACCEPTED = {"cluster": "shop", "ecs_service": "web", "action": "ACCEPT", "record_count": 9, "interface_ids": "eni-1"}
REJECTED = ACCEPTED | {"action": "REJECT", "record_count": 1, "flow_direction": "egress", "dstports": "22, 80"}
TASKS, BALANCER, DATABASE = (
    {"group_id": "sg-task", "layer": "task"},
    {"group_id": "sg-alb", "layer": "load balancer"},
    {"group_id": "sg-db", "layer": "database"},
)
WORN = [TASKS, BALANCER, DATABASE]


def rule(group: str, peer: str, port: int | None, kind: str = "group", **more: Any) -> dict[str, Any]:
    return {
        "change": "opened",
        "direction": "ingress",
        "group_id": group,
        "ip_protocol": "tcp",
        "from_port": port,
        "to_port": port,
        "peer": peer,
        "peer_kind": kind,
        **more,
    }


LAYERED = [
    rule("sg-alb", "0.0.0.0/0", 443, "internet"),
    rule("sg-task", "sg-alb", 8080),
    rule("sg-db", "sg-task", 5432),
]


def said(judged: Step) -> str:
    return " ".join(check.sentence for check in judged.checks)


def verdicts(judged: Step) -> list[str]:
    return [check.verdict for check in judged.checks]


class TestStep:
    ABOUT = About(1, "A step", "why", "what not", look="look there")

    def test_the_worst_check_speaks_for_the_step_and_what_cannot_be_told_outweighs_what_is_good(self) -> None:
        checks = [Check("good", "G."), Check("cannot_tell", "C.", "ask"), Check("attention", "A.", "fix")]
        assert step(self.ABOUT, checks[:1]).verdict == "good"
        assert step(self.ABOUT, checks[:2]).verdict == "cannot_tell"
        assert step(self.ABOUT, checks).verdict == "attention"
        assert step(self.ABOUT, [*checks, Check("bad", "B.")]).sentence == "B."

    def test_what_to_do_is_told_once_the_most_pressing_first_and_what_tells_the_rest_last(self) -> None:
        checks = [Check("cannot_tell", "C.", "ask"), Check("bad", "B.", "fix"), Check("attention", "A.", "fix")]
        assert step(self.ABOUT, checks).what_to_do == ("fix", "ask", "look there")

    def test_many_checks_of_a_kind_are_counted(self) -> None:
        judged = step(self.ABOUT, [Check("bad", f"B{n}.") for n in range(5)])
        assert judged.sentence == "B0. B1. And 3 more of the kind."

    def test_names_are_listed_once_and_counted(self) -> None:
        assert named([]) == ""
        assert named(["a", None, "a", ""]) == "a"
        assert named(["a", "b", "c"]) == "a, b and c"
        assert named("abcde") == "a, b, c and 2 more"

    def test_a_name_of_the_log_cannot_leave_its_place_in_a_command(self) -> None:
        assert quoted("web") == "web"
        assert quoted("$(rm -rf /)", "x;y", "`id`") == "'$(rm -rf /)' 'x;y' id"


class TestSecurityGroups:
    def judge(self, *changes: dict[str, Any], findings: Any = (), worn: Any = WORN) -> Step:
        return groups.security_groups(facts(findings, security_groups=worn, security_group_changes=changes))

    def test_all_three_layers_set_right_are_good(self) -> None:
        judged = self.judge(*LAYERED)
        assert verdicts(judged) == ["good", "good", "good"]
        assert judged.event_ids == ("e1", "e2", "e3")

    @pytest.mark.parametrize("missing", range(3))
    def test_a_layer_of_which_no_rule_is_seen_cannot_be_told(self, missing: int) -> None:
        judged = self.judge(*(one for n, one in enumerate(LAYERED) if n != missing))
        assert judged.verdict == "cannot_tell"
        layer = ("load balancer", "task", "database")[missing]
        assert f"Which rules the {layer} had before" in judged.sentence
        assert judged.what_to_do[0].startswith("`aws ec2 describe-security-groups --group-ids sg-")

    def test_silence_cannot_be_told(self) -> None:
        assert verdicts(self.judge(worn=[])) == ["cannot_tell"]

    def test_a_database_open_to_everyone_is_bad_even_when_it_was_taken_back(self) -> None:
        opened = rule("sg-db", "0.0.0.0/0", 5432, "internet")
        judged = self.judge(opened)
        assert judged.verdict == "bad"
        assert judged.checks[0].sentence == (
            "sg-db (of the database) was opened to the whole internet (0.0.0.0/0) on port 5432 by user eve on "
            "2026-11-03 02:01 UTC; nothing takes it back."
        )
        closed = self.judge(opened, opened | {"change": "closed"})
        assert closed.verdict == "bad"
        assert "it was taken back on 2026-11-03 02:02 UTC." in closed.checks[0].sentence

    @pytest.mark.parametrize(
        "other",
        [{"from_port": 22, "to_port": 22}, {"peer": "::/0"}, {"group_id": "sg-x"}, {"outcome": "denied"}],
        ids=str,
    )
    def test_another_rule_taken_back_does_not_close_it(self, other: dict[str, Any]) -> None:
        opened = rule("sg-db", "0.0.0.0/0", 5432, "internet")
        assert "nothing takes it back" in self.judge(opened, opened | {"change": "closed"} | other).checks[0].sentence

    def test_a_rule_taken_back_before_does_not_close_it(self) -> None:
        opened = rule("sg-db", "0.0.0.0/0", 5432, "internet")
        assert "nothing takes it back" in self.judge(opened | {"change": "closed"}, opened).checks[0].sentence

    def test_who_came_in_is_told_with_the_rule(self) -> None:
        came = made(rule="network.opened_then_reached", resource="sg-db", severity="high")
        judged = self.judge(rule("sg-db", "0.0.0.0/0", 5432, "internet"), findings=[came])
        assert "traffic from the internet was let through after it" in judged.sentence
        assert judged.findings == (came,)

    def test_one_call_for_both_kinds_of_addresses_is_one_check(self) -> None:
        both = [rule("sg-db", peer, 22, "internet", event_id="e1") for peer in ("0.0.0.0/0", "::/0")]
        assert verdicts(self.judge(*both)).count("bad") == 1

    def test_web_ports_are_for_load_balancers(self) -> None:
        for group, verdict in (("sg-alb", "good"), ("sg-other", "attention"), ("sg-task", "bad")):
            [check] = [
                one for one in self.judge(rule(group, "0.0.0.0/0", 443, "internet")).checks if one.event_ids == ("e1",)
            ]
            assert check.verdict == verdict, group

    def test_a_load_balancer_open_on_another_port_or_on_all_is_bad(self) -> None:
        assert self.judge(rule("sg-alb", "0.0.0.0/0", 8080, "internet")).verdict == "bad"
        judged = self.judge(rule("sg-alb", "0.0.0.0/0", None, "internet", ip_protocol="-1"))
        assert "on every port" in judged.sentence

    def test_addresses_and_strange_groups_need_attention(self) -> None:
        assert self.judge(rule("sg-task", "10.0.0.0/8", 8080, "network")).verdict == "attention"
        assert self.judge(rule("sg-db", "sg-strange", 5432)).verdict == "attention"
        assert "sg-db" not in self.judge(rule("sg-db", "sg-db", 5432)).sentence.split("Which rules")[0]

    def test_what_goes_out_opens_no_door(self) -> None:
        assert self.judge(rule("sg-task", "0.0.0.0/0", 443, "internet", direction="egress")).verdict == "cannot_tell"

    def test_layers_are_guessed_from_rules_where_no_call_tells_them(self) -> None:
        judged = self.judge(*LAYERED[1:], rule("sg-alb", "0.0.0.0/0", 443, "internet"), worn=[TASKS])
        assert verdicts(judged) == ["good", "good", "good"]

    def test_an_attempt_needs_attention(self) -> None:
        judged = self.judge(rule("sg-db", "0.0.0.0/0", 5432, "internet", outcome="denied"))
        assert judged.verdict == "attention"
        assert "tried to open a security group and failed" in judged.sentence

    def test_a_database_reached_is_bad_and_one_only_tried_is_not(self) -> None:
        reached = made(rule="network.database_port_from_internet", severity="high", summary="Reached.")
        tried = made(rule="network.database_port_from_internet", severity="medium", outcome="denied")
        assert self.judge(findings=[reached]).verdict == "bad"
        assert self.judge(findings=[tried]).verdict == "cannot_tell"


class TestSecrets:
    def test_secrets_by_reference_are_good(self) -> None:
        judged = secrets.secrets(facts(task_definitions=[DEFINITION | {"secret_names": "DB_URL"}]))
        assert verdicts(judged) == ["good"]
        assert "web:7 take DB_URL by reference" in judged.sentence

    def test_a_secret_in_plain_text_is_bad_and_only_its_name_is_told(self) -> None:
        plain = made(rule="ecs.plain_text_secret", evidence=("e1",))
        shown = DEFINITION | {"environment": "shown", "environment_names": "DB_PASSWORD", "secret_names": "X"}
        judged = secrets.secrets(facts([plain], task_definitions=[shown]))
        assert verdicts(judged) == ["bad"]
        assert "web:7 carries what looks like a secret in plain text, among its variables DB_PASSWORD" in said(judged)

    def test_a_secret_given_at_the_start_is_bad_and_a_refused_one_needs_attention(self) -> None:
        plain = made(rule="ecs.plain_text_secret", evidence=("other",))
        assert secrets.secrets(facts([plain])).verdict == "bad"
        refused = made(rule="ecs.plain_text_secret", outcome="denied")
        assert secrets.secrets(facts([refused])).verdict == "attention"

    @pytest.mark.parametrize(
        ("change", "verdict"),
        [
            ({"environment": "not shown", "secret_names": "X"}, "cannot_tell"),
            ({"environment": "shown", "environment_names": "PORT"}, "cannot_tell"),
            ({"environment_files": "arn:aws:s3:::b/x.env", "secret_names": "X"}, "attention"),
        ],
    )
    def test_what_is_hidden_elsewhere_or_in_a_file(self, change: dict[str, Any], verdict: str) -> None:
        assert secrets.secrets(facts(task_definitions=[DEFINITION | change])).verdict == verdict

    def test_silence_cannot_be_told(self) -> None:
        assert verdicts(secrets.secrets(facts())) == ["cannot_tell"]
        refused = DEFINITION | {"outcome": "denied"}
        assert verdicts(secrets.secrets(facts(task_definitions=[refused]))) == ["cannot_tell"]

    @pytest.mark.parametrize(
        ("secret", "reader", "more", "is_told"),
        [
            ("prod/db", EVE, {}, True),
            ("prod/db", "arn:aws:iam::111122223333:role/web-task", {}, True),
            ("prod/db", "arn:aws:iam::111122223333:role/web-start", {}, False),
            ("prod/d", EVE, {}, False),
            ("prod/db", EVE, {"read_count": 0, "denied_count": 2}, False),
            ("prod/db", EVE, {"invoked_by": "ecs.amazonaws.com"}, False),
        ],
    )
    def test_other_readers_of_injected_secrets(
        self, secret: str, reader: str, more: dict[str, Any], is_told: bool
    ) -> None:
        source = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-a1B2c3:password::"
        definition = DEFINITION | {"secret_names": "DB", "secret_sources": source}
        read = {"principal_arn": reader, "secret": secret, "read_count": 1, "source_ips": "198.51.100.7"} | more
        judged = secrets.secrets(facts(task_definitions=[definition], secret_reads=[read]))
        assert (judged.verdict == "attention") == is_told
        assert ("read 1 injected secret as well (prod/db), from 198.51.100.7" in said(judged)) == is_told


class TestRoles:
    MADE = tuple({"role": role, "event_name": "CreateRole"} for role in ("web-task", "web-start"))

    def judge(self, *findings: Any, definition: Any = DEFINITION, **more: Any) -> Step:
        return roles.roles(facts(findings, task_definitions=[definition], **more))

    def test_two_roles_whose_rights_are_in_the_log_are_good(self) -> None:
        harmless = {"role": "web-start", "event_name": "AttachRolePolicy",
                    "policy": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"}  # fmt: skip
        assert verdicts(self.judge(role_changes=[*self.MADE, harmless])) == ["good", "good", "good"]

    def test_rights_given_before_or_by_an_unseen_policy_cannot_be_told(self) -> None:
        assert self.judge().verdict == "cannot_tell"
        other = {"role": "web-task", "event_name": "AttachRolePolicy", "policy": "arn:aws:iam::111122223333:policy/x"}
        judged = self.judge(role_changes=[*self.MADE, other])
        assert judged.verdict == "cannot_tell"
        assert "What web-task may do is not in these logs." in judged.sentence

    def test_an_attempt_to_make_a_role_proves_nothing(self) -> None:
        assert self.judge(role_changes=[one | {"outcome": "denied"} for one in self.MADE]).verdict == "cannot_tell"

    def test_one_role_for_both_needs_attention(self) -> None:
        judged = self.judge(definition=DEFINITION | {"execution_role": "web-task"})
        assert judged.verdict == "attention"
        assert "uses one role, web-task, for the task and for its start" in judged.sentence

    @pytest.mark.parametrize(
        ("finding", "verdict"),
        [
            (made(rule="ecs.admin_task_role", severity="high", resource="web-task"), "bad"),
            (made(rule="ecs.admin_task_role", severity="medium", outcome="denied"), "attention"),
            (made(rule="ecs.task_role_changed"), "attention"),
            (made(rule="iam.admin_policy_attached", severity="critical", resource="web-task"), "bad"),
            (made(rule="iam.admin_policy_attached", severity="critical", resource="other"), "cannot_tell"),
            (
                made(
                    rule="sts.workload_session_from_outside",
                    severity="high",
                    principal_arn="arn:aws:iam::111122223333:role/web-task",
                ),
                "bad",
            ),
            (made(rule="sts.workload_session_from_outside", severity="high"), "cannot_tell"),
        ],
        ids=lambda value: getattr(value, "rule", value),
    )
    def test_findings_on_the_roles(self, finding: Any, verdict: str) -> None:
        assert self.judge(finding).verdict == verdict

    def test_a_role_used_by_hand_or_refused_needs_attention(self) -> None:
        use = {"role": "web-task", "service": "s3", "event_name": "GetObject", "event_count": 1, "denied_count": 0}
        assert self.judge(role_use=[use | {"hand": "workload"}]).verdict == "cannot_tell"
        by_hand = self.judge(role_use=[use | {"source_ips": "198.51.100.7"}])
        assert "was used by other hands than a task's (person), from 198.51.100.7: s3:GetObject" in by_hand.sentence
        refused = self.judge(role_use=[use | {"hand": "workload", "denied_count": 2}])
        assert refused.sentence == "Role web-task was refused 2 calls: s3:GetObject."

    def test_silence_cannot_be_told(self) -> None:
        assert verdicts(roles.roles(facts())) == ["cannot_tell"]


class TestClusterAccess:
    def judge(self, *calls: dict[str, Any], findings: Any = ()) -> Step:
        return access.cluster_access(facts(findings, cluster_access=[CALL | call for call in calls]))

    def test_a_pipeline_alone_is_good(self) -> None:
        judged = self.judge({"principal_arn": CI, "hand": "automation", "passed_roles": "web-task, web-start"})
        assert verdicts(judged) == ["good"]
        assert "by role ci, handing ECS the role web-task and web-start." in judged.sentence

    @pytest.mark.parametrize("hand", ["person", "unknown"])
    def test_other_hands_need_attention(self, hand: str) -> None:
        judged = self.judge({"hand": hand, "identity_type": "IAMUser"})
        assert judged.verdict == "attention"
        assert "with a key of an IAM user" in judged.sentence

    def test_a_principal_of_a_grave_finding_is_bad_whatever_its_hand(self) -> None:
        grave = made(rule="iam.attack_tool", severity="high", principal_arn=CI)
        judged = self.judge({"principal_arn": CI, "hand": "automation"}, findings=[grave])
        assert (judged.verdict, judged.findings) == ("bad", (grave,))
        for other in (made(severity="medium", principal_arn=CI), made(severity="high", principal_arn=EVE)):
            assert self.judge({"principal_arn": CI, "hand": "automation"}, findings=[other]).verdict == "good"

    def test_who_was_only_refused_changed_nothing(self) -> None:
        judged = self.judge({"denied_count": 2})
        assert verdicts(judged) == ["attention"]
        assert "was refused UpdateService (2 times)" in judged.sentence

    def test_silence_cannot_be_told_and_rights_are_never_seen(self) -> None:
        judged = self.judge()
        assert verdicts(judged) == ["cannot_tell"]
        assert "get-account-authorization-details" in judged.what_to_do[-1]


class TestImages:
    PINNED = DEFINITION | {"image": f"{ECR}/shop/web@{DIGEST}", "image_digest": DIGEST, "image_tag": None}
    SET = (
        {"event_name": "PutImageTagMutability", "repository": "shop/web", "tag_mutability": "IMMUTABLE"},
        {"event_name": "PutImageScanningConfiguration", "repository": "shop/web", "scan_on_push": True},
    )

    def judge(self, definition: Any, *settings: dict[str, Any], findings: Any = ()) -> Step:
        return images.images(facts(findings, task_definitions=[definition] if definition else [], registry=settings))

    def test_fixed_tags_or_digests_and_scans_are_good(self) -> None:
        assert verdicts(self.judge(self.PINNED, *self.SET)) == ["good", "good", "good"]
        assert verdicts(self.judge(DEFINITION, *self.SET)) == ["good", "good", "good"]

    def test_settings_that_no_call_tells_cannot_be_told(self) -> None:
        assert (
            self.judge(self.PINNED, self.SET[0]).sentence
            == "Whether images of shop/web are scanned is not in these logs."
        )
        assert "Whether tags of shop/web can be moved" in self.judge(self.PINNED, self.SET[1]).sentence
        assert self.judge(self.PINNED, self.SET[0], self.SET[1] | {"outcome": "denied"}).verdict == "cannot_tell"

    def test_the_last_word_on_a_repository_counts(self) -> None:
        loose = self.SET[0] | {"tag_mutability": "MUTABLE"}
        assert self.judge(self.PINNED, *self.SET, loose).verdict == "attention"
        assert self.judge(self.PINNED, loose, *self.SET).verdict == "good"

    def test_a_tag_that_can_be_moved_or_may_be_needs_attention(self) -> None:
        assert "name images by tag and not by digest (web:7)" in self.judge(DEFINITION, self.SET[1]).sentence

    def test_the_registry_may_scan_for_all(self) -> None:
        whole = {"event_name": "PutRegistryScanningConfiguration", "scan_frequencies": "MANUAL, SCAN_ON_PUSH"}
        assert self.judge(self.PINNED, self.SET[0], whole).verdict == "good"
        assert self.judge(self.PINNED, self.SET[0], whole | {"scan_frequencies": "MANUAL"}).verdict == "cannot_tell"

    def test_scanning_switched_off_needs_attention(self) -> None:
        assert self.judge(self.PINNED, self.SET[0], self.SET[1] | {"scan_on_push": False}).verdict == "attention"

    def test_a_moved_tag_is_bad_and_a_public_image_needs_attention(self) -> None:
        moved = made(rule="ecr.tag_overwritten")
        assert self.judge(self.PINNED, *self.SET, findings=[moved]).verdict == "bad"
        public = made(rule="ecs.public_image", severity="low", evidence=("e1",))
        judged = self.judge(self.PINNED, *self.SET, findings=[public])
        assert judged.verdict == "attention"
        assert public in judged.findings

    def test_silence_cannot_be_told(self) -> None:
        assert verdicts(self.judge(None)) == ["cannot_tell"]


class TestApiLogging:
    PROVEN = covered(spans=spans("digest", "digest"))

    def test_hours_proven_by_digests_are_good(self) -> None:
        judged = trail.api_logging(facts(coverage=self.PROVEN))
        assert judged.sentence == "Digests prove every hour of CloudTrail complete: 4 of accounts and regions."
        assert judged.verdict == "good"

    def test_an_hour_without_proof_cannot_be_told(self) -> None:
        judged = trail.api_logging(facts(coverage=covered(spans=spans("digest", "records"))))
        assert judged.verdict == "cannot_tell"
        assert "For 2 of 4 hours" in judged.sentence

    def test_flow_records_need_no_digest(self) -> None:
        both = pa.concat_tables([spans("digest"), spans("records", table="flow_records")])
        assert trail.api_logging(facts(coverage=covered(spans=both))).verdict == "good"

    @pytest.mark.parametrize(
        ("lack", "verdict"),
        [
            ({"gaps": [{"table": "cloudtrail_events", "account_id": "1", "hours": 3, "proof": "no digest"}]}, "bad"),
            ({"gaps": [{"table": "cloudtrail_events", "account_id": "1", "hours": 3, "proof": "nothing"}]}, "good"),
            ({"quarantined": [{"file": "x"}]}, "attention"),
            ({"blind_s": 60.0}, "attention"),
            ({"tables": {}}, "cannot_tell"),
        ],
        ids=str,
    )
    def test_what_is_missing(self, lack: dict[str, Any], verdict: str) -> None:
        assert trail.api_logging(facts(coverage=covered(spans=spans("digest"), **lack))).verdict == verdict

    def test_logging_switched_off_is_bad_and_tried_in_vain_needs_attention(self) -> None:
        off = made(rule="logging.trail_switched_off", severity="critical")
        assert trail.api_logging(facts([off], coverage=self.PROVEN)).verdict == "bad"
        tried = made(rule="logging.trail_switched_off", severity="high", outcome="denied")
        judged = trail.api_logging(facts([tried], coverage=self.PROVEN))
        assert judged.verdict == "attention"
        assert judged.sentence.startswith("Tried in vain: ")

    def test_a_flow_log_made_again_is_told(self) -> None:
        deleted = made(rule="logging.flow_logs_deleted", severity="high")
        again = {"event_name": "CreateFlowLogs", "target": "vpc-1"}
        assert "No flow log was made again." in said(trail.api_logging(facts([deleted])))
        assert "One was made again on 2026-11-03 02:01 UTC, for vpc-1." in said(
            trail.api_logging(facts([deleted], logging_state=[again]))
        )

    def test_a_trail_set_up_weakly_needs_attention(self) -> None:
        for weak in ({"log_validation": False}, {"all_regions": False}):
            row = {"event_name": "CreateTrail", "target": "t"} | weak
            assert trail.api_logging(facts(coverage=self.PROVEN, logging_state=[row])).verdict == "attention"


class TestShells:
    def test_services_without_shells_and_none_opened_are_good(self) -> None:
        judged = access.shells(facts(launches=[DEPLOY | {"exec_enabled": False}]))
        assert verdicts(judged) == ["good"]

    def test_a_shell_is_bad_and_what_it_took_is_told(self) -> None:
        stole = made(rule="ecs.credentials_endpoint_command", severity="critical", evidence=("e1",))
        judged = access.shells(facts([stole], shells=[SHELL]))
        assert judged.sentence == (
            "User eve of account 111122223333 opened a shell in task t1 with ECS Exec on 2026-11-03 02:01 UTC, from "
            "198.51.100.7. The command fetches the task's credentials."
        )
        past = access.shells(facts(shells=[SHELL | {"event_name": "StartSession"}]))
        assert "past ECS Exec" in past.sentence
        assert past.verdict == "bad"

    def test_a_refused_shell_and_a_service_that_allows_them_need_attention(self) -> None:
        assert access.shells(facts(shells=[SHELL | {"outcome": "denied"}])).verdict == "attention"
        assert access.shells(facts(launches=[DEPLOY | {"exec_enabled": True}])).verdict == "attention"
        last = [DEPLOY | {"exec_enabled": True}, DEPLOY | {"exec_enabled": False}]
        assert access.shells(facts(launches=last)).verdict == "good"

    def test_a_service_that_does_not_say_cannot_be_told(self) -> None:
        judged = access.shells(facts(launches=[DEPLOY, RUN]))
        assert judged.verdict == "cannot_tell"
        assert judged.sentence.startswith("No shell was opened in the window. Whether service web allows shells")
        assert access.shells(facts()).verdict == "cannot_tell"
        assert "No shell was opened" not in said(access.shells(facts(shells=[SHELL])))


class TestPublicAddresses:
    @pytest.mark.parametrize(
        ("launches", "verdict"),
        [
            ([DEPLOY | {"public_ip": "DISABLED"}, DEPLOY], "good"),
            ([DEPLOY | {"public_ip": "DISABLED"}, RUN | {"public_ip": "ENABLED"}], "bad"),
            ([DEPLOY | {"public_ip": "ENABLED", "outcome": "denied"}], "attention"),
            ([DEPLOY, RUN | {"public_ip": "DISABLED"}], "cannot_tell"),
            ([DEPLOY | {"public_ip": "DISABLED", "outcome": "denied"}], "cannot_tell"),
            ([], "cannot_tell"),
        ],
    )
    def test_by_what_was_deployed_and_started(self, launches: Any, verdict: str) -> None:
        assert traffic.public_addresses(facts(launches=launches)).verdict == verdict

    def test_a_hostile_service_stays_a_word_of_the_command(self) -> None:
        judged = traffic.public_addresses(facts(launches=[DEPLOY | {"ecs_service": "x'; reboot #"}]))
        assert """--services 'x'"'"'; reboot #' --query""" in judged.what_to_do[0]


class TestRejectedTraffic:
    def judge(self, *flows: dict[str, Any], findings: Any = ()) -> Step:
        return traffic.rejected_traffic(facts(findings, task_traffic=flows))

    def test_traffic_without_a_reject_is_good(self) -> None:
        assert verdicts(self.judge(ACCEPTED)) == ["good"]

    def test_rejects_need_attention(self) -> None:
        judged = self.judge(ACCEPTED, REJECTED)
        assert verdicts(judged) == ["attention"]
        assert judged.sentence.startswith("1 flow record out of tasks of service web was rejected, to ports 22 and 80")

    def test_a_scan_is_bad_when_it_comes_from_a_task(self) -> None:
        scan = made(rule="network.internal_scan", severity="high", evidence=("eni-1 10.0.1.5>10.0.2.1:22/6",))
        assert self.judge(REJECTED, findings=[scan]).verdict == "bad"
        other = made(rule="network.internal_scan", severity="high", evidence=("eni-10 10.0.1.9>10.0.2.1:22/6",))
        assert self.judge(ACCEPTED, findings=[other]).verdict == "attention"

    def test_egress_of_other_machines_is_not_the_tasks(self) -> None:
        egress = made(rule="network.rejected_egress", evidence=("eni-9 10.0.1.9>192.0.2.1:25/6",))
        assert self.judge(ACCEPTED, findings=[egress]).verdict == "good"

    def test_no_traffic_of_tasks_cannot_be_told(self) -> None:
        assert "there are no flow records" in self.judge().sentence
        some = covered(tables={"flow_records": {"rows": 7}})
        judged = traffic.rejected_traffic(facts(coverage=some))
        assert (judged.verdict, "none of 7 flow records" in judged.sentence) == ("cannot_tell", True)


class TestScope:
    OTHER = DEFINITION | {"definition": "sync:1", "family": "sync", "event_id": "e9"}

    def test_a_service_takes_its_definitions_and_the_tasks_started_from_them(self) -> None:
        scoped = facts(
            service="web",
            task_definitions=[DEFINITION, self.OTHER],
            launches=[DEPLOY, RUN, RUN | {"definition": "sync:1"}],
        )
        assert [row["definition"] for row in scoped.definitions] == ["web:7"]
        assert [row["event_id"] for row in scoped.started] == ["e1", "e2"]

    def test_a_cluster_takes_all_that_was_started_on_it(self) -> None:
        scoped = facts(
            cluster="shop", task_definitions=[DEFINITION, self.OTHER], launches=[RUN | {"definition": "sync:1"}]
        )
        assert [row["definition"] for row in scoped.definitions] == ["sync:1"]

    def test_findings_on_other_definitions_do_not_count(self) -> None:
        plain = made(rule="ecs.plain_text_secret", evidence=("e9",))
        given: dict[str, Any] = {"task_definitions": [DEFINITION, self.OTHER], "launches": [DEPLOY]}
        assert secrets.secrets(facts([plain], service="web", **given)).verdict != "bad"
        assert secrets.secrets(facts([plain], **given)).verdict == "bad"


def test_of_nothing_nothing_can_be_told() -> None:
    steps = review(facts(coverage=covered(tables={}, spans=spans())))
    assert [one.number for one in steps] == list(range(1, 10))
    assert {one.verdict for one in steps} == {"cannot_tell"}
    assert in_short(steps) == "Of 9 steps 9 cannot be told."
    assert all(one.what_to_do and one.about.cannot_show and one.about.why_it_matters for one in steps)


def test_counts_are_told_from_the_worst_on() -> None:
    steps = [step(TestStep.ABOUT, [Check(verdict, "X.")]) for verdict in ("good", "bad", "attention", "bad", "good")]
    assert in_short(steps) == "Of 5 steps 2 are bad, 1 needs attention, 2 are good."


def test_every_rule_that_a_step_asks_for_is_in_the_catalogue() -> None:
    """A rule that was renamed would be silent for ever."""
    known = {query.rule for query in Catalogue.load().rules}
    asked: set[str] = set()

    class Listening(Facts):
        def found(self, *rules: str, of: Any = None) -> Any:
            asked.update(rules)
            return super().found(*rules, of=of)

    silent = facts()
    review(Listening(**{name: getattr(silent, name) for name in Facts.__dataclass_fields__}))
    assert len(asked) > 15
    assert asked | images.SETTINGS <= known


def test_every_pci_id_has_the_form_of_one() -> None:
    assert all(re.fullmatch(r"\d{1,2}(\.\d{1,2}){2,4}", one) for judged in review(facts()) for one in judged.about.pci)


@pytest.mark.parametrize("text", [text for text in HOSTILE if text != "\ud800"])  # no table can hold that one
def test_hostile_names_break_no_step(text: str) -> None:
    made_of: dict[str, Callable[[], dict[str, Any]]] = {
        "task_definitions": lambda: DEFINITION | {"definition": text, "image": text, "task_role": text},
        "launches": lambda: DEPLOY | {"ecs_service": text, "cluster": text, "definition": text},
        "security_group_changes": lambda: rule(text, text, 22, "internet"),
        "shells": lambda: {"event_name": "ExecuteCommand", "task_id": text},
        "logging_state": lambda: {"event_name": "CreateTrail", "target": text, "log_validation": False},
    }
    steps = review(facts(**{name: [row()] for name, row in made_of.items()}))
    assert [one.number for one in steps] == list(range(1, 10))
