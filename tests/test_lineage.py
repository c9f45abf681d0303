"""From an identity back to who stood behind it: each way to come by credentials, and what to say where the logs end."""

from __future__ import annotations

import json

import pytest

from auditkit.identity.hops import Identity
from auditkit.identity.lineage import lineage_of
from tests.lineages import (
    OTHER,
    SSO,
    Logs,
    after,
    behind,
    chain,
    identity,
    moment,
    said,
    saml,
    service,
    session,
    stranger,
    user,
)
from tests.records import ACCOUNT

ALICE = user("alice", "AKIAALICE")
BOB = user("bob", "AKIABOB")
CI = session("ci", "run-1", "ASIACI", 10)


def test_a_key_leads_to_the_call_that_returned_it() -> None:
    logs = Logs()
    taken = logs.take(10, ALICE, "ci", "run-1", "ASIACI")
    logs.call(20, CI)
    lineage = behind(logs, CI)
    assert chain(lineage) == [(taken, "assume_role", "proven")]
    assert said(lineage) == ("user", "alice", "proven")
    assert lineage.origin.identity == identity(ALICE)
    [hop] = lineage.hops
    assert (hop.by, hop.to) == (identity(ALICE), identity(CI))
    assert (hop.event_name, hop.event_time, hop.account_id) == ("AssumeRole", moment(10), ACCOUNT)


def test_roles_are_followed_to_any_depth_and_back_again() -> None:
    """A takes B, and B takes A again: with new keys that is a chain, and no circle."""
    logs, caller, taken = Logs(), ALICE, []
    for n in range(40):
        role = "ab"[n % 2]
        taken.append(logs.take(n, caller, role, "same", f"ASIA{n}"))
        caller = session(role, "same", f"ASIA{n}", n)
    logs.call(50, caller)
    lineage = behind(logs, caller)
    assert [hop.event_id for hop in lineage.hops] == taken
    assert said(lineage) == ("user", "alice", "proven")
    assert [hop.event_id for hop in after(logs, ALICE)] == taken


def test_the_first_hop_comes_first_and_reads_from_one_identity_to_the_next() -> None:
    logs = Logs()
    logs.take(10, ALICE, "ci", "run-1", "ASIACI")
    logs.take(30, CI, "deploy", "run-1", "ASIADEPLOY")
    deploy = session("deploy", "run-1", "ASIADEPLOY", 30)
    logs.call(40, deploy)
    record = behind(logs, deploy).as_json()
    assert [hop["access_key_id"] for hop in record["chain"]] == ["ASIACI", "ASIADEPLOY"]
    assert [hop["by"]["access_key_id"] for hop in record["chain"]] == ["AKIAALICE", "ASIACI"]
    assert record["origin"]["principal_arn"] == ALICE["arn"]
    assert record["made_by"] is None
    json.dumps(record)


@pytest.mark.parametrize("is_used", [True, False])
def test_a_key_alone_is_enough_used_or_not(is_used: bool) -> None:
    logs = Logs()
    logs.take(10, ALICE, "ci", "run-1", "ASIACI")
    logs.call(20, CI if is_used else ALICE)
    lineage = lineage_of(Identity(principal_arn=None, access_key_id="ASIACI"), logs.grants())
    assert said(lineage) == ("user", "alice", "proven")
    assert lineage.hops[0].to == identity(CI)


def test_without_the_call_nobody_can_tell() -> None:
    logs = Logs()
    logs.call(0, ALICE)
    logs.call(20, CI)
    lineage = behind(logs, CI)
    assert lineage.hops == ()
    assert said(lineage) == ("unknown", "run-1", "unknown")
    assert "had begun" in lineage.origin.because


def test_what_was_issued_before_the_logs_begin_says_so() -> None:
    logs = Logs()
    logs.call(20, session("ci", "run-1", "ASIACI", -3600))
    assert "issued at 2026-11-02T08:00:00Z, before" in behind(logs, CI).origin.because


def test_a_refused_call_hands_nothing_out() -> None:
    logs = Logs()
    logs.take(10, ALICE, "ci", "run-1", "ASIACI", errorCode="AccessDenied")
    logs.call(20, CI)
    assert said(behind(logs, CI))[2] == "unknown"


def test_a_call_after_the_use_never_counts() -> None:
    logs = Logs()
    logs.call(20, CI)
    logs.take(21, ALICE, "ci", "run-1", "ASIACI")
    assert behind(logs, CI).hops == ()


def test_the_same_second_counts() -> None:
    logs = Logs()
    logs.call(10, CI)
    logs.take(10, ALICE, "ci", "run-1", "ASIACI")
    assert said(behind(logs, CI)) == ("user", "alice", "proven")


def test_an_invoking_service_changes_nobody() -> None:
    logs = Logs()
    logs.take(10, ALICE | {"invokedBy": "cloudformation.amazonaws.com"}, "ci", "run-1", "ASIACI")
    logs.call(20, CI)
    lineage = behind(logs, CI)
    assert said(lineage) == ("user", "alice", "proven")
    assert "through cloudformation.amazonaws.com" in lineage.hops[0].because


class TestKeysThatAreGrantedTwice:
    """AWS never does; broken logs may say so."""

    def logs(self, second: float) -> Logs:
        logs = Logs()
        logs.take(10, ALICE, "ci", "run-1", "ASIACI")
        logs.take(second, BOB, "ci", "run-1", "ASIACI")
        return logs

    def test_the_latest_before_the_use_is_meant(self) -> None:
        logs = self.logs(20)
        logs.call(30, CI)
        assert said(behind(logs, CI)) == ("user", "bob", "proven")
        early = lineage_of(identity(CI), logs.grants(), first_seen=moment(15), last_seen=moment(16))
        assert said(early) == ("user", "alice", "proven")

    def test_uses_before_and_after_the_second_belong_to_both(self) -> None:
        logs = self.logs(20)
        logs.call(15, CI)
        logs.call(30, CI)
        lineage = behind(logs, CI)
        assert said(lineage) == ("unknown", "run-1", "unknown")
        assert [hop.by.principal_arn for hop in lineage.candidates] == [ALICE["arn"], BOB["arn"]]

    def test_in_the_same_second_nothing_decides(self) -> None:
        logs = self.logs(10)
        logs.call(30, CI)
        lineage = behind(logs, CI)
        assert lineage.hops == ()
        assert len(lineage.candidates) == 2
        assert said(lineage)[2] == "unknown"
        assert "nothing decides" in lineage.origin.because

    def test_a_key_of_another_session_is_not_this_one(self) -> None:
        logs = Logs()
        logs.take(10, ALICE, "ci", "run-2", "ASIACI")
        logs.call(30, CI)
        assert behind(logs, CI).hops == ()

    def test_a_circle_ends(self) -> None:
        logs = Logs()
        one, two = session("one", "s", "ASIA1", 10), session("two", "s", "ASIA2", 10)
        logs.take(10, one, "two", "s", "ASIA2")
        logs.take(10, two, "one", "s", "ASIA1")
        lineage = behind(logs, one)
        assert said(lineage)[2] == "unknown"
        assert "circle" in lineage.origin.because
        assert len(after(logs, one)) == 2


class TestWithoutAKey:
    """The console and single sign-on call with keys that no event returned."""

    def test_role_session_and_time_fit(self) -> None:
        logs = Logs()
        taken = logs.take(10, ALICE, "team/ci", "run-1", "ASIAONE")
        used = session("team/ci", "run-1", "ASIATWO", 11)
        logs.call(20, used)
        lineage = behind(logs, used)
        assert chain(lineage) == [(taken, "assume_role", "likely")]
        assert said(lineage) == ("user", "alice", "likely")

    def test_another_time_does_not(self) -> None:
        logs = Logs()
        logs.take(10, ALICE, "ci", "run-1", "ASIAONE")
        used = session("ci", "run-1", "ASIATWO", 100)
        logs.call(120, used)
        assert behind(logs, used).hops == ()

    def test_what_was_taken_after_the_last_call_does_not(self) -> None:
        logs = Logs()
        used = session("ci", "run-1", "ASIATWO", 10)
        logs.call(11, used)
        logs.take(12, ALICE, "ci", "run-1", "ASIAONE")
        assert behind(logs, used).hops == ()

    def test_two_who_fit_are_candidates(self) -> None:
        logs = Logs()
        logs.take(10, ALICE, "ci", "run-1", "ASIAONE")
        logs.take(12, BOB, "ci", "run-1", "ASIATHREE")
        used = session("ci", "run-1", "ASIATWO", 11)
        logs.call(20, used)
        lineage = behind(logs, used)
        assert lineage.hops == ()
        assert len(lineage.candidates) == 2
        assert {hop.certainty for hop in lineage.candidates} == {"unknown"}

    @pytest.mark.parametrize(("use", "duration", "fits"), [(1000, None, True), (4000, None, False), (4000, 7200, True)])
    def test_without_a_time_of_creation_the_duration_decides(self, use: int, duration: int | None, fits: bool) -> None:
        logs = Logs()
        logs.take(10, ALICE, "ci", "run-1", "ASIAONE", request={"durationSeconds": duration} if duration else {})
        used = session("ci", "run-1", "ASIATWO", None)
        logs.call(use, used)
        assert said(behind(logs, used)) == (("user", "alice", "likely") if fits else ("unknown", "run-1", "unknown"))

    def test_switch_role_in_the_console(self) -> None:
        logs = Logs()
        logs.call(0, user("alice", None), "ConsoleLogin", "signin", responseElements={"ConsoleLogin": "Success"})
        switched = logs.call(
            30,
            session("admin", "alice", None, None, OTHER),
            "SwitchRole",
            "signin",
            responseElements={"SwitchRole": "Success"},
            additionalEventData={"SwitchFrom": ALICE["arn"], "RedirectTo": "https://console.aws.amazon.com/"},
        )
        used = session("admin", "alice", "ASIACONSOLE", 29, OTHER)
        logs.call(40, used)
        lineage = behind(logs, used)
        assert chain(lineage) == [(switched, "switch_role", "likely")]
        assert said(lineage) == ("user", "alice", "likely")
        assert [hop.how for hop in after(logs, user("alice", None))] == ["switch_role"]

    def test_the_assume_role_of_a_switch_tells_more_than_the_switch(self) -> None:
        logs = Logs()
        alice = user(
            "alice", "ASIAALICE", attributes={"creationDate": "2026-11-02T09:00:00Z", "mfaAuthenticated": "true"}
        )
        login = logs.call(
            0,
            user("alice", None),
            "ConsoleLogin",
            "signin",
            responseElements={"ConsoleLogin": "Success"},
            additionalEventData={"MFAUsed": "Yes"},
        )
        taken = logs.take(29, alice, "admin", "alice", "ASIAGIVEN")
        logs.call(
            30,
            session("admin", "alice", None, None),
            "SwitchRole",
            "signin",
            additionalEventData={"SwitchFrom": ALICE["arn"]},
        )
        used = session("admin", "alice", "ASIACONSOLE", 29)
        logs.call(40, used)
        lineage = behind(logs, used)
        assert [hop.event_id for hop in lineage.hops] == [login, taken]
        assert said(lineage) == ("person", "alice", "likely")
        assert "second factor" in lineage.origin.because
        assert [hop.how for hop in after(logs, user("alice", None))] == ["assume_role"]

    def test_switch_role_from_a_session_of_single_sign_on(self) -> None:
        logs = Logs()
        logs.take(0, saml("mia@example.com"), SSO, "mia@example.com", "ASIASSO", "AssumeRoleWithSAML")
        source = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/mia@example.com"
        logs.call(
            30,
            session("admin", "mia@example.com", None, None, OTHER),
            "SwitchRole",
            "signin",
            additionalEventData={"SwitchFrom": source},
        )
        used = session("admin", "mia@example.com", "ASIACONSOLE", 30, OTHER)
        logs.call(40, used)
        lineage = behind(logs, used)
        assert [hop.how for hop in lineage.hops] == ["saml", "switch_role"]
        assert said(lineage) == ("person", "mia@example.com", "likely")


class TestUsers:
    def test_a_user_is_who_it_is(self) -> None:
        logs = Logs()
        logs.call(10, ALICE)
        lineage = behind(logs, ALICE)
        assert (lineage.hops, lineage.made_by) == ((), None)
        assert said(lineage) == ("user", "alice", "proven")

    def test_root(self) -> None:
        logs = Logs()
        root = {"type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}
        logs.call(10, root)
        assert said(behind(logs, root)) == ("root", f"root of account {ACCOUNT}", "proven")

    @pytest.mark.parametrize(("code", "kind"), [({}, "user"), ({"serialNumber": "mfa", "tokenCode": "***"}, "person")])
    def test_a_session_token_keeps_the_user(self, code: dict[str, str], kind: str) -> None:
        logs = Logs()
        token = logs.call(
            10,
            ALICE,
            "GetSessionToken",
            "sts",
            requestParameters=code or None,
            responseElements={"credentials": {"accessKeyId": "ASIATOKEN"}},
        )
        used = user(
            "alice", "ASIATOKEN", attributes={"creationDate": "2026-11-02T09:00:10Z", "mfaAuthenticated": "false"}
        )
        logs.call(20, used)
        lineage = behind(logs, used)
        assert chain(lineage) == [(token, "session_token", "proven")]
        assert said(lineage) == (kind, "alice", "proven")
        assert lineage.origin.identity == identity(ALICE)

    def test_the_console_signs_with_keys_of_its_own(self) -> None:
        logs = Logs()
        login = logs.call(
            10, user("alice", None), "ConsoleLogin", "signin", responseElements={"ConsoleLogin": "Success"}
        )
        used = user(
            "alice", "ASIACONSOLE", attributes={"creationDate": "2026-11-02T09:00:10Z", "mfaAuthenticated": "false"}
        )
        logs.call(20, used)
        lineage = behind(logs, used)
        assert chain(lineage) == [(login, "console_login", "likely")]
        assert said(lineage) == ("user", "alice", "proven")  # the events name the user, whatever joins them

    def test_a_federation_token_is_its_users(self) -> None:
        logs = Logs()
        logs.call(
            10,
            ALICE,
            "GetFederationToken",
            "sts",
            requestParameters={"name": "guest"},
            responseElements={
                "credentials": {"accessKeyId": "ASIAFED"},
                "federatedUser": {
                    "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/guest",
                    "federatedUserId": f"{ACCOUNT}:guest",
                },
            },
        )
        guest = {
            "type": "FederatedUser",
            "principalId": f"{ACCOUNT}:guest",
            "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/guest",
            "accountId": ACCOUNT,
            "accessKeyId": "ASIAFED",
            "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": ALICE["arn"], "userName": "alice"}},
        }
        logs.call(20, guest)
        lineage = behind(logs, guest)
        assert [hop.how for hop in lineage.hops] == ["federation_token"]
        assert said(lineage) == ("user", "alice", "proven")
        assert lineage.origin.identity == identity(ALICE)

    def test_who_made_a_key_holds_its_secret_too(self) -> None:
        logs = Logs()
        made = logs.call(
            10,
            ALICE,
            "CreateAccessKey",
            "iam",
            requestParameters={"userName": "bob"},
            responseElements={"accessKey": {"accessKeyId": "AKIABOB", "userName": "bob", "status": "Active"}},
        )
        logs.call(20, BOB)
        lineage = behind(logs, BOB)
        assert said(lineage) == ("user", "bob", "proven")
        assert lineage.made_by
        assert (lineage.made_by.event_id, lineage.made_by.how) == (made, "key_made")
        assert lineage.made_by.by == identity(ALICE)
        [hop] = after(logs, ALICE)
        assert (hop.to.access_key_id, hop.to.principal_arn) == ("AKIABOB", BOB["arn"])

    def test_a_key_that_the_user_made_is_no_news(self) -> None:
        logs = Logs()
        logs.call(
            10,
            user("bob", "AKIAOLD"),
            "CreateAccessKey",
            "iam",
            responseElements={"accessKey": {"accessKeyId": "AKIABOB", "userName": "bob"}},
        )
        logs.call(20, BOB)
        assert behind(logs, BOB).made_by is None

    def test_a_role_alone_is_nobody(self) -> None:
        logs = Logs()
        logs.take(10, ALICE, "ci", "run-1", "ASIACI")
        logs.call(20, CI)
        role = Identity(principal_arn=f"arn:aws:iam::{ACCOUNT}:role/ci")
        lineage = lineage_of(role, logs.grants())
        assert (lineage.hops, said(lineage)[2]) == ((), "unknown")

    def test_a_session_stands_for_all_its_keys(self) -> None:
        logs = Logs()
        for n, who in enumerate((ALICE, ALICE)):
            logs.take(10 + n, who, "ci", "run-1", f"ASIA{n}")
            logs.call(20 + n, session("ci", "run-1", f"ASIA{n}", 10 + n))
        whole = session("ci", "run-1", None)
        assert said(behind(logs, whole)) == ("user", "alice", "proven")
        logs.call(30, session("ci", "run-1", "ASIALOST", 3000))  # who got this one, no event tells
        assert said(behind(logs, whole)) == ("user", "alice", "likely")
        logs.take(31, BOB, "ci", "run-1", "ASIAB")
        logs.call(32, session("ci", "run-1", "ASIAB", 31))
        assert said(behind(logs, whole))[2] == "unknown"


class TestAcrossAccounts:
    def taken(self, *, callers: bool = True, owners: bool = True) -> tuple[Logs, dict[str, object]]:
        logs = Logs()
        scanner = session("scanner", "scan", "ASIASCAN", 5, OTHER)
        logs.call(1, user("carol", "AKIACAROL", OTHER))
        logs.take(5, user("carol", "AKIACAROL", OTHER), "scanner", "scan", "ASIASCAN", account=OTHER)
        logs.call(6, scanner)
        if owners:
            logs.take(
                10, stranger(scanner), "audit", "scan", "ASIAAUDIT", sharedEventID="s1", recipientAccountId=ACCOUNT
            )
        if callers:
            logs.take(10, scanner, "audit", "scan", "ASIAAUDIT", sharedEventID="s1", recipientAccountId=OTHER)
        audit = session("audit", "scan", "ASIAAUDIT", 10)
        logs.call(20, audit)
        return logs, audit

    def test_both_copies_are_one_hop_and_the_callers_tells_who(self) -> None:
        logs, audit = self.taken()
        lineage = behind(logs, audit)
        assert [(hop.how, hop.account_id) for hop in lineage.hops] == [("assume_role", OTHER)] * 2
        assert said(lineage) == ("user", "carol", "proven")
        assert [hop.how for hop in after(logs, session("scanner", "scan", "ASIASCAN", 5, OTHER))] == ["assume_role"]

    def test_copies_without_a_shared_id_are_joined_by_key_and_caller(self) -> None:
        logs, audit = self.taken()
        for record in logs.records:
            record.pop("sharedEventID", None)
        assert said(behind(logs, audit)) == ("user", "carol", "proven")

    def test_the_owners_copy_is_joined_by_the_unique_id(self) -> None:
        logs, audit = self.taken(callers=False)
        lineage = behind(logs, audit)
        assert [hop.certainty for hop in lineage.hops] == [
            "likely",
            "proven",
        ]  # which key called, the copy does not say
        assert said(lineage) == ("user", "carol", "likely")
        assert f"The logs of account {OTHER} say" in lineage.hops[1].because
        forward = after(logs, session("scanner", "scan", "ASIASCAN", 5, OTHER))
        assert [(hop.to.access_key_id, hop.certainty) for hop in forward] == [("ASIAAUDIT", "likely")]

    def test_an_account_without_logs_is_as_far_as_it_goes(self) -> None:
        logs = Logs()
        foreign = session("ops", "ops", "ASIAX", 0, "999988887777")
        logs.take(10, stranger(foreign), "admin", "ops", "ASIAADMIN", recipientAccountId=ACCOUNT)
        admin = session("admin", "ops", "ASIAADMIN", 10)
        logs.call(20, admin)
        lineage = behind(logs, admin)
        assert said(lineage) == ("account", "account 999988887777", "proven")
        assert lineage.origin.identity.account_id == "999988887777"
        assert "AROAOPS" in lineage.origin.because

    def test_a_unique_id_of_two_is_nobodys(self) -> None:
        logs, audit = self.taken(callers=False)
        logs.call(7, session("scanner", "scan", "ASIAY", 7, "999988887777"))
        assert said(behind(logs, audit)) == ("account", f"account {OTHER}", "proven")

    def test_a_stranger_who_is_known_elsewhere_is_that_one(self) -> None:
        logs, _ = self.taken(callers=False)
        scanner = stranger(session("scanner", "scan", "ASIASCAN", 5, OTHER))
        assert said(behind(logs, scanner)) == ("user", "carol", "likely")


class TestPeople:
    def sso(self, at: float = 10, key: str = "ASIASSO") -> Logs:
        logs = Logs()
        logs.take(
            at,
            saml("mia@example.com"),
            SSO,
            "mia@example.com",
            key,
            "AssumeRoleWithSAML",
            response={"subject": "mia@example.com"},
        )
        return logs

    def test_the_origin_is_the_session_that_single_sign_on_gave(self) -> None:
        logs = self.sso()
        mia = session(SSO, "mia@example.com", "ASIASSO", 10)
        logs.take(30, mia, "deploy", "d", "ASIAD")
        deploy = session("deploy", "d", "ASIAD", 30)
        logs.call(40, deploy)
        lineage = behind(logs, deploy)
        assert [hop.how for hop in lineage.hops] == ["saml", "assume_role"]
        assert said(lineage) == ("person", "mia@example.com", "proven")
        assert lineage.origin.identity == identity(mia)
        assert str(lineage.origin.identity.session_arn).endswith(
            "/AWSReservedSSO_Admin_0123456789abcdef/mia@example.com"
        )

    def test_a_swapped_key_takes_nothing_from_it(self) -> None:
        """Only Identity Center hands out the role, and names the session: here the name proves who."""
        logs = self.sso(key="ASIAGIVEN")
        mia = session(SSO, "mia@example.com", "ASIAUSED", 10)
        logs.call(20, mia)
        assert said(behind(logs, mia)) == ("person", "mia@example.com", "proven")

    def test_without_the_event_the_role_says_it_likely(self) -> None:
        logs = Logs()
        mia = session(SSO, "mia@example.com", "ASIASSO", 10, block={"onBehalfOf": {"userId": "u-1"}})
        logs.call(20, mia)
        lineage = behind(logs, mia)
        assert said(lineage) == ("person", "mia@example.com", "likely")
        assert lineage.origin.on_behalf_of == "u-1"

    def test_a_role_like_any_other_does_not(self) -> None:
        """Whoever takes a role chooses the session's name."""
        logs = Logs()
        mia = session("deploy", "mia@example.com", "ASIAX", 10)
        logs.call(20, mia)
        lineage = behind(logs, mia)
        assert said(lineage) == ("unknown", "mia@example.com", "unknown")
        assert "chooses the name" in lineage.origin.because

    @pytest.mark.parametrize(
        "block",
        [
            {"type": "IdentityCenterUser", "accountId": OTHER, "onBehalfOf": {"userId": "u-1"}},
            {"type": "Unknown", "accountId": OTHER, "principalId": "u-1", "userName": "mia@example.com"},
        ],
        ids=["since July 2025", "before"],
    )
    def test_the_portal_says_who_where_the_sign_in_is_missing(self, block: dict[str, object]) -> None:
        logs = Logs()
        portal = logs.call(
            10,
            block,
            "GetRoleCredentials",
            "sso",
            eventType="AwsServiceEvent",
            serviceEventDetails={"role_name": "Admin", "account_id": ACCOUNT},
        )
        mia = session(SSO, "mia@example.com", "ASIAUSED", 11)
        logs.call(20, mia)
        lineage = behind(logs, mia)
        assert chain(lineage) == [(portal, "identity_center", "likely")]
        assert said(lineage) == ("person", "mia@example.com", "likely")
        assert lineage.origin.on_behalf_of == ("u-1" if block["type"] == "IdentityCenterUser" else None)

    def test_the_portals_event_names_the_user_beside_the_sign_in(self) -> None:
        logs = self.sso()
        block = {"type": "IdentityCenterUser", "accountId": OTHER, "onBehalfOf": {"userId": "u-1"}}
        logs.call(
            9, block, "GetRoleCredentials", "sso", serviceEventDetails={"role_name": "Admin", "account_id": ACCOUNT}
        )
        mia = session(SSO, "mia@example.com", "ASIASSO", 10)
        logs.call(20, mia)
        assert behind(logs, mia).origin.on_behalf_of == "u-1"

    def test_a_saml_provider_of_ones_own(self) -> None:
        logs = Logs()
        logs.take(
            10,
            saml("mia@example.com"),
            "staff",
            "mia",
            "ASIASTAFF",
            "AssumeRoleWithSAML",
            request={"principalArn": f"arn:aws:iam::{ACCOUNT}:saml-provider/corp"},
        )
        staff = session("staff", "mia", "ASIASTAFF", 10)
        logs.call(20, staff)
        lineage = behind(logs, staff)
        assert said(lineage) == ("person", "mia@example.com", "proven")
        assert "saml-provider/corp" in lineage.origin.because

    def test_a_source_identity_outlives_a_broken_chain(self) -> None:
        logs = Logs()
        used = session("deploy", "d", "ASIAD", 30, sourceIdentity="mia@example.com")
        logs.call(40, used)
        lineage = behind(logs, used)
        assert said(lineage) == ("person", "mia@example.com", "likely")
        assert lineage.origin.source_identity == "mia@example.com"
        assert "source identity" in lineage.origin.because


class TestMachines:
    @pytest.mark.parametrize(
        ("name", "taken_as", "kind", "called"),
        [
            ("ecs-tasks.amazonaws.com", "0" * 32, "workload", f"task {'0' * 32}"),
            ("ec2.amazonaws.com", "i-0123456789abcdef0", "workload", "instance i-0123456789abcdef0"),
            ("lambda.amazonaws.com", "resize", "workload", "function resize"),
            ("codebuild.amazonaws.com", "AWSCodeBuild-1", "automation", "codebuild.amazonaws.com"),
            ("cloudformation.amazonaws.com", "AWSCloudFormation", "service", "cloudformation.amazonaws.com"),
        ],
    )
    def test_what_a_service_gives_a_role_to(self, name: str, taken_as: str, kind: str, called: str) -> None:
        logs = Logs()
        logs.take(10, service(name), "app", taken_as, "ASIAAPP", response={"assumedRoleUser": None})
        app = session("app", taken_as, "ASIAAPP", 10)
        logs.call(20, app)
        lineage = behind(logs, app)
        assert said(lineage) == (kind, called, "proven")
        assert [hop.how for hop in lineage.hops] == ["service"]
        assert lineage.origin.identity == identity(app)

    @pytest.mark.parametrize(
        ("provider", "kind"),
        [
            (f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com", "automation"),
            (f"arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.example.com", "automation"),
            (f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC", "workload"),
            ("accounts.google.com", "person"),
            (f"arn:aws:iam::{ACCOUNT}:oidc-provider/login.example.com", "unknown"),
        ],
    )
    def test_web_identities(self, provider: str, kind: str) -> None:
        who = {
            "type": "WebIdentityUser",
            "principalId": f"{provider}:aud:sub-1",
            "userName": "sub-1",
            "identityProvider": provider,
        }
        logs = Logs()
        logs.take(
            10,
            who,
            "ci",
            "run-1",
            "ASIACI",
            "AssumeRoleWithWebIdentity",
            response={"subjectFromWebIdentityToken": "sub-1"},
        )
        logs.call(20, CI)
        lineage = behind(logs, CI)
        assert said(lineage) == (kind, "sub-1", "proven")
        assert provider in lineage.origin.because

    def test_an_instance_is_told_by_how_its_credentials_came(self) -> None:
        logs = Logs()
        app = session("app", "i-0123456789abcdef0", "ASIAAPP", -9999, ec2RoleDelivery="2.0")
        logs.call(20, app)
        assert said(behind(logs, app)) == ("workload", "instance i-0123456789abcdef0", "proven")

    def test_a_session_that_was_delivered_only_now_and_then_was_not(self) -> None:
        """Somebody may name a session like the instance's."""
        logs = Logs()
        logs.call(20, session("app", "i-0123456789abcdef0", "ASIAAPP", -9999, ec2RoleDelivery="2.0"))
        logs.call(20, session("app", "i-0123456789abcdef0", "ASIAODD", -99))
        whole = session("app", "i-0123456789abcdef0", None)
        assert said(behind(logs, whole)) == ("workload", "instance i-0123456789abcdef0", "likely")

    @pytest.mark.parametrize("name", ["i-0123456789abcdef0", "0" * 32])
    def test_a_name_alone_is_only_likely(self, name: str) -> None:
        logs = Logs()
        app = session("app", name, "ASIAAPP", -9999)
        logs.call(20, app)
        assert said(behind(logs, app))[::2] == ("workload", "likely")

    def test_somebody_who_names_a_session_like_an_instance_is_found_out(self) -> None:
        logs = Logs()
        logs.take(10, ALICE, "app", "i-0123456789abcdef0", "ASIAAPP")
        app = session("app", "i-0123456789abcdef0", "ASIAAPP", 10)
        logs.call(20, app)
        assert said(behind(logs, app)) == ("user", "alice", "proven")

    def test_the_environment_that_credentials_are_for(self) -> None:
        function = f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:resize"
        logs = Logs()
        app = session("app", "resize", "ASIAAPP", -9999, block={"inScopeOf": {"sourceArn": function}})
        logs.call(20, app)
        assert said(behind(logs, app)) == ("workload", function, "proven")

    def test_a_service_linked_role_is_its_services(self) -> None:
        logs = Logs()
        app = session("aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", "scheduler", "ASIAECS", 0)
        logs.call(20, app)
        assert said(behind(logs, app)) == ("service", "ecs.amazonaws.com", "proven")

    def test_root_sessions_handed_out_centrally(self) -> None:
        root = {
            "type": "Root",
            "principalId": OTHER,
            "arn": f"arn:aws:iam::{OTHER}:root",
            "accountId": OTHER,
            "accessKeyId": "ASIAROOT",
            "sessionContext": {"assumedRoot": "true", "attributes": {"creationDate": "2026-11-02T09:00:10Z"}},
        }
        logs = Logs()
        logs.call(20, root)
        assert said(behind(logs, root))[2] == "unknown"
        taken = logs.call(
            10,
            ALICE,
            "AssumeRoot",
            "sts",
            requestParameters={"targetPrincipal": OTHER},
            responseElements={"credentials": {"accessKeyId": "ASIAROOT"}},
        )
        lineage = behind(logs, root)
        assert chain(lineage) == [(taken, "assume_root", "proven")]
        assert said(lineage) == ("user", "alice", "proven")


def test_what_an_identity_went_on_to_take_comes_oldest_first() -> None:
    logs = Logs()
    logs.take(10, ALICE, "ci", "run-1", "ASIACI")
    logs.take(15, BOB, "ci", "run-2", "ASIABOB2")
    logs.take(30, CI, "deploy", "d", "ASIAD")
    logs.take(20, ALICE, "read", "r", "ASIAR")
    logs.take(40, session("deploy", "d", "ASIAD", 30), "last", "l", "ASIAL")
    hops = after(logs, ALICE)
    assert [hop.to.access_key_id for hop in hops] == ["ASIACI", "ASIAR", "ASIAD", "ASIAL"]
    assert {hop.certainty for hop in hops} == {"proven"}
    assert after(logs, session("last", "l", "ASIAL", 40)) == []


def test_what_a_console_session_took_is_likely_its() -> None:
    """Its calls are signed with other keys than the one that was handed out."""
    logs = Logs()
    logs.take(10, ALICE, "ci", "run-1", "ASIAGIVEN")
    logs.take(30, session("ci", "run-1", "ASIAUSED", 10), "deploy", "d", "ASIAD")
    logs.take(5000, session("ci", "run-1", "ASIALATER", 4990), "deploy", "d", "ASIAE")
    assert [(hop.to.access_key_id, hop.certainty) for hop in after(logs, ALICE)] == [
        ("ASIAGIVEN", "proven"),
        ("ASIAD", "likely"),
    ]
