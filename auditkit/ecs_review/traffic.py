"""Steps 8 and 9: are tasks on private addresses alone, and what did the network refuse them?"""

from __future__ import annotations

from collections.abc import Iterator

from auditkit.ecs_review.facts import Facts
from auditkit.ecs_review.step import About, Check, Evidence, Step, at, by, ids, named, parts, quoted, rows, step, told
from auditkit.model import Finding, counted

ADDRESSES = About(
    8,
    "No public addresses on tasks",
    "A task with a public address stands beside the load balancer, not behind it: what its security group lets in, "
    "everybody reaches, and what it sends out passes no gateway.",
    "What a service was set to before the window, when its deployments leave the network as it was; addresses that "
    "hosts of EC2 tasks have.",
    ("1.3.1", "1.4.1", "1.4.4"),
)
REJECTS = About(
    9,
    "Rejected traffic around the tasks",
    "A healthy service is refused nothing. A task that is refused knocks where it has no business, or lacks a rule it "
    "needs.",
    "Traffic that flow logs leave out (Amazon DNS, instance metadata, task credentials), and tasks in subnets without "
    "a flow log. Flow records without the ECS fields are told to be a task's only if its interface was made in the "
    "window.",
    ("1.2.5", "10.2.1.4", "11.5.1"),
)
FROM_INSIDE = (
    "network.internal_scan", "network.slow_internal_scan", "network.lateral_sweep", "network.worm_like_fanout",
)  # fmt: skip
OTHERS = ("network.rejected_egress", "network.refused_then_accepted", "network.dns_past_resolver")


def public_addresses(facts: Facts) -> Step:
    """Judged by what services and tasks were started with."""
    started = facts.started
    public = [row for row in started if row["public_ip"] == "ENABLED"]
    private = [row for row in started if row["public_ip"] == "DISABLED" and row["outcome"] == "ok"]
    checks = []
    for row in public:
        done = row["outcome"] == "ok"
        checks.append(
            Check(
                "bad" if done else "attention",
                f"{row['definition'] or row['ecs_service']} was {'' if done else 'to be '}"
                f"{'started' if row['event_name'] in ('RunTask', 'StartTask') else 'deployed'} with a public address "
                f"by {by(row)} on {at(row['event_time'])}{'' if done else ', which failed'}.",
                "Run it in private subnets with `assignPublicIp=DISABLED`, behind the load balancer and a NAT gateway "
                "or endpoints; read what its security group lets in.",
                ids([row]),
            )
        )
    if private:
        what = named(row["definition"] or row["ecs_service"] for row in private)
        checks.append(Check("good", f"Deployed or started without a public address: {what}.", event_ids=ids(private)))
    known = {(row["cluster"], row["ecs_service"]) for row in (*public, *private)}
    services = {(row["cluster"], row["ecs_service"]) for row in started if row["ecs_service"]}
    checks += [
        Check(
            "cannot_tell",
            f"Whether tasks of service {service} get public addresses is not in these logs: its deployments of the "
            "window leave the network as it was.",
            f"`aws ecs describe-services --cluster {quoted(cluster)} --services {quoted(service)} --query "
            "'services[].networkConfiguration'`",
        )
        for cluster, service in sorted(services - known, key=str)
    ]
    if not started:
        checks.append(
            Check(
                "cannot_tell",
                f"Nothing of {facts.scope} was deployed or started in the window.",
                "`aws ecs describe-services --query 'services[].networkConfiguration'`, for each cluster",
            )
        )
    return step(ADDRESSES, checks, [Evidence("Deployed and started", facts.launches, "review/launches")])


def rejected_traffic(facts: Facts) -> Step:
    """Judged by the flow records of tasks, and by what rules make of all of them."""
    traffic = rows(facts.task_traffic)
    own = {interface for row in traffic for interface in parts(row["interface_ids"])}
    inside, others = facts.found(*FROM_INSIDE), facts.found(*OTHERS)
    checks = [*_inside(inside, own), *_others(others, own)]
    for row in traffic:
        if row["action"] != "REJECT":
            continue
        way = {"egress": "out of", "ingress": "into"}.get(row["flow_direction"] or "", "of")
        whose = f"service {row['ecs_service']}" if row["ecs_service"] else "no known service"
        ports = f", to ports {named(parts(row['dstports']))}" if row["dstports"] else ""
        were = "was" if row["record_count"] == 1 else "were"
        checks.append(
            Check(
                "attention",
                f"{counted(row['record_count'], 'flow record')} {way} tasks of {whose} {were} rejected{ports}, "
                f"from {at(row['first_seen'])} to {at(row['last_seen'])}.",
                "See what they were for: `auditkit report network_rejects`. Stop and replace a task that knocks "
                "without reason.",
            )
        )
    accepted = sum(int(row["record_count"]) for row in traffic if row["action"] == "ACCEPT")
    if accepted and not any(row["action"] == "REJECT" for row in traffic):
        checks.append(Check("good", f"{counted(accepted, 'flow record')} of tasks, and none was rejected."))
    if not traffic:
        seen = facts.coverage.tables.get("flow_records", {}).get("rows", 0)
        why = f"none of {counted(seen, 'flow record')} is known to be a task's" if seen else "there are no flow records"
        checks.append(
            Check(
                "cannot_tell",
                f"What tasks of {facts.scope} were refused cannot be told: {why}.",
                "Switch on flow logs for the VPC of the tasks, with the ECS fields (version 7): "
                "`aws ec2 create-flow-logs --log-format '… ${ecs-service-name} ${ecs-task-id}'`",
            )
        )
    return step(
        REJECTS,
        checks,
        [
            Evidence("Traffic of tasks", facts.task_traffic, "review/task_traffic"),
        ],
        [*inside, *others],
    )


def _is_of(finding: Finding, interfaces: set[str]) -> bool:
    """Whether a finding on flow records rests on one of *interfaces*: its evidence names them first."""
    return any(flow.split(" ")[0] in interfaces for flow in finding.evidence)


def _inside(findings: list[Finding], own: set[str]) -> Iterator[Check]:
    for finding in findings:
        of_task = _is_of(finding, own)
        said = f"{told(finding)} It comes from a task." if of_task else told(finding)
        yield Check("bad" if of_task else "attention", said, finding.response)


def _others(findings: list[Finding], own: set[str]) -> Iterator[Check]:
    for finding in findings:
        if _is_of(finding, own) or finding.rule == "network.refused_then_accepted":
            yield Check("attention", told(finding), finding.response)
