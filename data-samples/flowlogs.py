"""The flow records of two VPCs: an old flow log in the default format, a newer one with every field that helps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from company import (
    ALB_IPV6,
    CLUSTER,
    END,
    FIRST_DAY,
    FLOW_LOG_DATA,
    FLOW_LOG_DATA_AGAIN,
    FLOW_LOG_SHOP,
    PROD,
    REGION,
    WRITER,
    Interface,
    stream,
)
from fleet import Task
from story import at

# The header lines: version 2, as the console offers it, and version 7, as Terraform asks for it.
DEFAULT = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
CUSTOM = (
    f"{DEFAULT} vpc-id subnet-id instance-id az-id region type tcp-flags flow-direction traffic-path "
    "pkt-srcaddr pkt-dstaddr pkt-src-aws-service pkt-dst-aws-service "
    "ecs-cluster-arn ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id ecs-container-id "
    "ecs-second-container-id ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id"
)
FORMATS = {FLOW_LOG_SHOP: CUSTOM, FLOW_LOG_DATA: DEFAULT, FLOW_LOG_DATA_AGAIN: DEFAULT}

TCP = 6
DATABASE = 5432
DELETED, MADE_AGAIN = at("02:41:03"), at("09:12:31")  # the data VPC has no flow log in between
CLOSED_FROM = FIRST_DAY + timedelta(hours=21, minutes=12, seconds=5)  # the tasks cannot reach the database
CLOSED_UNTIL = FIRST_DAY + timedelta(hours=21, minutes=18, seconds=20)


@dataclass
class FlowLogs:
    """The lines of each flow log, with the time at which each record's interval ended."""

    lines: dict[str, list[tuple[datetime, str]]] = field(default_factory=lambda: {name: [] for name in FORMATS})

    def __post_init__(self) -> None:
        self.random = stream("flows")

    def write(self, interface: Interface, begin: datetime, seconds: int, fields: dict[str, object]) -> None:
        """One line in the flow log that covers the interface's VPC at that time, if there is one."""
        end = begin + timedelta(seconds=seconds)
        log = FLOW_LOG_SHOP
        if interface.subnet.vpc == WRITER.subnet.vpc:
            log = FLOW_LOG_DATA if end < DELETED else FLOW_LOG_DATA_AGAIN
            if end >= DELETED and begin < MADE_AGAIN:
                return
        if end >= END or is_cut_off(begin, fields):
            return
        values: dict[str, object] = {
            "version": 7 if log == FLOW_LOG_SHOP else 2,
            "account-id": PROD,
            "interface-id": interface.id,
            "start": int(begin.timestamp()),
            "end": int(end.timestamp()),
            **fields,
        }
        self.lines[log].append((end, " ".join(str(values.get(name, "-")) for name in FORMATS[log].split())))

    def silent(self, interface: Interface, begin: datetime, status: str) -> None:
        """A line without traffic: NODATA where there was none, SKIPDATA where AWS lost it."""
        self.write(interface, begin, 600, {"log-status": status})

    def flow(
        self,
        interface: Interface,
        begin: datetime,
        source: tuple[str, int],
        target: tuple[str, int],
        packets: int,
        *,
        size: int = 0,  # bytes of a packet; 0 draws one
        action: str = "ACCEPT",
        flags: int = 0,
        protocol: int = TCP,
        path: int | None = None,
        packet: tuple[str, str] | None = None,  # addresses of the packet itself, where a NAT gateway changes them
        services: tuple[str, str] = ("-", "-"),
        task: Task | None = None,
    ) -> None:
        seconds = self.random.randrange(8, 59)
        out = source[0] in (interface.address, ALB_IPV6)
        fields: dict[str, object] = {
            "srcaddr": source[0],
            "dstaddr": target[0],
            "srcport": source[1],
            "dstport": target[1],
            "protocol": protocol,
            "packets": packets,
            "bytes": packets * (size or self.random.randrange(52, 900)),
            "action": action,
            "log-status": "OK",
            "vpc-id": interface.subnet.vpc,
            "subnet-id": interface.subnet.id,
            "instance-id": interface.instance,
            "az-id": interface.subnet.zone,
            "region": REGION,
            "type": "IPv6" if ":" in source[0] else "IPv4",
            "tcp-flags": flags if protocol == TCP else "-",
            "flow-direction": "egress" if out else "ingress",
            "traffic-path": path if out and path else "-",
            "pkt-srcaddr": packet[0] if packet else source[0],
            "pkt-dstaddr": packet[1] if packet else target[0],
            "pkt-src-aws-service": services[0],
            "pkt-dst-aws-service": services[1],
        }
        if task and begin > task.started + timedelta(minutes=2):  # AWS learns of a new task a little later
            fields |= {
                "ecs-cluster-arn": CLUSTER,
                "ecs-cluster-name": "shop",
                "ecs-container-id": task.containers[0],
                "ecs-second-container-id": task.containers[1],
                "ecs-service-name": task.service or "-",
                "ecs-task-definition-arn": task.definition_arn,
                "ecs-task-arn": task.arn,
                "ecs-task-id": task.id,
            }
        self.write(interface, begin, seconds, fields)

    def port(self) -> int:
        return self.random.randrange(32768, 61000)


def is_cut_off(begin: datetime, fields: dict[str, object]) -> bool:
    """Whether a conversation with the database cannot have been while the tasks' group did not let it out."""
    is_database = DATABASE in (fields.get("srcport"), fields.get("dstport"))
    return is_database and fields.get("action") == "ACCEPT" and CLOSED_FROM <= begin < CLOSED_UNTIL
