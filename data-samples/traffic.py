"""What the network saw: two days of ordinary traffic, and the network's side of the incident."""

from __future__ import annotations

from datetime import datetime, timedelta

from company import (
    ALB_IPV6,
    ALBS,
    APP_B,
    ATTACKER,
    BATCH_INTERFACE,
    END,
    ENDPOINT_ADDRESSES,
    FIRST_DAY,
    NAT,
    READER,
    WRITER,
    Interface,
)
from fleet import Fleet, Task
from flowlogs import FlowLogs
from story import at

BLIND_FROM, BLIND_UNTIL = FIRST_DAY + timedelta(hours=14), FIRST_DAY + timedelta(hours=15)  # the gateway's lost hour
SQS, MAIL = "203.0.113.70", "203.0.113.66"
SCANNED_PORTS = (21, 22, 23, 25, 110, 139, 445, 1433, 3306, 3389, 5432, 5900, 6379, 8080, 8443, 9200, 27017)
STEP = timedelta(minutes=10)


def talk(
    logs: FlowLogs,
    interface: Interface,
    begin: datetime,
    far: tuple[str, int],
    packets: int,
    task: Task | None = None,
    *,
    path: int = 1,
    service: str = "-",
) -> None:
    """A conversation that *interface* opens: its own record out, and the answers in."""
    near = (interface.address, logs.port())
    logs.flow(interface, begin, near, far, packets, flags=3, path=path, services=("-", service), task=task)
    logs.flow(interface, begin, far, near, packets + 2, flags=19, services=(service, "-"), task=task)


def ordinary(logs: FlowLogs, fleet: Fleet) -> None:
    """Two days of traffic, a few records for each ten minutes rather than all of them."""
    moment = FIRST_DAY
    while moment < END:
        busy = 1 + sum(8 <= moment.hour < h for h in (13, 18, 21))
        for task in fleet.tasks:
            if task.service and task.started + timedelta(seconds=40) <= moment < task.stopped - STEP:
                serve(logs, moment, task, busy)
        front_door(logs, moment, busy)
        if BLIND_FROM <= moment < BLIND_UNTIL:
            logs.silent(NAT, moment, "SKIPDATA")
        else:
            gateway(logs, moment, fleet)
        database_side(logs, moment, fleet)
        if moment.minute == 30:  # a mailer that was never allowed out
            blocked = (BATCH_INTERFACE.address, logs.port())
            logs.flow(BATCH_INTERFACE, moment, blocked, (MAIL, 587), 3, size=60, action="REJECT", flags=2, path=1)
        elif not moment.minute:
            talk(logs, BATCH_INTERFACE, moment, (SQS, 443), 20, service="AMAZON")
        moment += STEP


def serve(logs: FlowLogs, moment: datetime, task: Task, busy: int) -> None:
    """What a checkout task does: the load balancer asks, the database and AWS are asked."""
    begin, near = moment + timedelta(seconds=logs.random.randrange(500)), task.interface
    alb = ALBS[near.subnet == APP_B]
    asked = (alb.address, logs.port())
    packets = logs.random.randrange(20, 120) * busy
    answer = (near.address, 8080)
    logs.flow(near, begin, asked, answer, packets, flags=3, task=task)
    logs.flow(near, begin, answer, asked, packets, flags=19, path=1, task=task)
    talk(logs, near, begin, (WRITER.address, 5432), packets // 2, task, path=4)
    if logs.random.random() < 0.6:
        talk(logs, near, begin, (ENDPOINT_ADDRESSES["logs"], 443), 14, task, service="AMAZON")
    if logs.random.random() < 0.4:
        talk(logs, near, begin, (SQS, 443), 22, task, service="AMAZON")


def front_door(logs: FlowLogs, moment: datetime, busy: int) -> None:
    """Customers, and the scanning that every public address gets."""
    for alb in ALBS:
        for _ in range(busy + 1):
            begin = moment + timedelta(seconds=logs.random.randrange(540))
            client = (f"198.51.100.{logs.random.randrange(128, 250)}", logs.port())
            logs.flow(alb, begin, client, (alb.address, 443), logs.random.randrange(8, 60), flags=3)
            logs.flow(alb, begin, (alb.address, 443), client, logs.random.randrange(8, 90), flags=19, path=8)
        noise(logs, alb, moment)
    if logs.random.random() < 0.08:
        stranger = (f"2001:db8:bad::{logs.random.randrange(1, 4096):x}", logs.port())
        logs.flow(ALBS[0], moment, stranger, (ALB_IPV6, 22), 1, size=80, action="REJECT", flags=2)


def noise(logs: FlowLogs, interface: Interface, moment: datetime) -> None:
    if logs.random.random() < 0.5:
        stranger = (f"203.0.113.{logs.random.randrange(128, 255)}", logs.port())
        port = logs.random.choice(SCANNED_PORTS)
        begin = moment + timedelta(seconds=logs.random.randrange(500))
        logs.flow(interface, begin, stranger, (interface.address, port), 1, size=44, action="REJECT", flags=2)


def gateway(logs: FlowLogs, moment: datetime, fleet: Fleet) -> None:
    """The NAT gateway: each conversation appears on both its sides, the packet's own addresses tell them apart."""
    running = [t for t in fleet.tasks if t.service and t.started <= moment < t.stopped]
    inner = logs.random.choice([task.interface.address for task in running] + [BATCH_INTERFACE.address])
    begin, port = moment + timedelta(seconds=logs.random.randrange(500)), logs.port()
    there, here, amazon = (SQS, 443), (NAT.address, port), ("-", "AMAZON")
    logs.flow(NAT, begin, (inner, port), (NAT.address, 443), 24, flags=3, packet=(inner, SQS), services=amazon)
    logs.flow(NAT, begin, here, there, 24, flags=3, path=8, services=amazon)
    logs.flow(NAT, begin, there, here, 26, flags=19, services=amazon[::-1])
    back = (NAT.address, 443), (inner, port)
    logs.flow(NAT, begin, *back, 26, flags=19, path=1, packet=(SQS, inner), services=amazon[::-1])
    noise(logs, NAT, moment)


def database_side(logs: FlowLogs, moment: datetime, fleet: Fleet) -> None:
    for task in fleet.tasks:
        if task.service and task.started <= moment < task.stopped:
            begin, near = moment + timedelta(seconds=logs.random.randrange(540)), (task.interface.address, logs.port())
            packets = logs.random.randrange(20, 200)
            logs.flow(WRITER, begin, near, (WRITER.address, 5432), packets)
            logs.flow(WRITER, begin, (WRITER.address, 5432), near, packets + 9)
    if moment.minute == 20:
        noise(logs, WRITER, moment)
    if moment.minute == 40:
        logs.silent(READER, moment, "NODATA")


def attack(logs: FlowLogs, entered: Task, rogue: Task) -> list[dict[str, object]]:
    """The network's side of the incident. Returns a label for each of its five acts."""
    random, labels = logs.random, []

    def label(act: str, interface: Interface, source: str, target: str, action: str, count: int, *rules: str) -> None:
        labels.append(
            {
                "step": act,
                "interface_id": interface.id,
                "srcaddr": source,
                "dstaddr": target,
                "action": action,
                "records": count,
                "rules": list(rules),
            }
        )

    for door, ports in ((ALBS[0], SCANNED_PORTS), (ALBS[1], SCANNED_PORTS), (NAT, SCANNED_PORTS[:9])):
        for n, port in enumerate(ports):
            begin = at("01:38:10") + timedelta(seconds=23 * n + random.randrange(9))
            probe = (ATTACKER, logs.port()), (door.address, port)
            logs.flow(door, begin, *probe, 1, size=44, action="REJECT", flags=2)
        label("scan from outside", door, ATTACKER, door.address, "REJECT", len(ports), "network.external_scan")
    for clock in ("01:41:00", "02:20:51", "02:23:40", "02:26:05", "02:29:33"):
        probe = (ATTACKER, logs.port()), (WRITER.address, 5432)
        logs.flow(WRITER, at(clock), *probe, 3, size=60, action="REJECT")
    label("database refused", WRITER, ATTACKER, WRITER.address, "REJECT", 5, "network.database_port_from_internet")
    for n, clock in enumerate(("02:32:40", "02:34:10", "02:36:30", "02:38:20")):
        far, near = (ATTACKER, logs.port()), (WRITER.address, 5432)
        logs.flow(WRITER, at(clock), far, near, 400 + 900 * n, size=66)
        logs.flow(WRITER, at(clock), near, far, 3000 + 6100 * n, size=1448)
    label("database reached", WRITER, ATTACKER, WRITER.address, "ACCEPT", 4, "network.database_port_from_internet")
    hosts = [f"10.30.0.{n}" for n in (4, 7, 11, 15, 20, 21, 33, 40, 52, 60, 77, 90)]
    tried = [(host, port) for host in hosts for port in (22, 1433, 3306, 6379, 9200, 27017)]
    for n, target in enumerate(tried):
        begin = at("02:29:20") + timedelta(seconds=5 * n)
        probe = (entered.interface.address, logs.port())
        logs.flow(entered.interface, begin, probe, target, 2, size=60, action="REJECT", flags=2, path=4, task=entered)
    inside = entered.interface
    label("scan from the task", inside, inside.address, "10.30.0.0/25", "REJECT", len(tried), "network.internal_scan")
    for n in range(6):
        begin = at("02:26:30") + timedelta(minutes=4 * n)
        far, near = (ATTACKER, 443), (rogue.interface.address, logs.port())
        logs.flow(rogue.interface, begin, near, far, 31000 + 900 * n, size=1448, path=8, task=rogue)
        logs.flow(rogue.interface, begin, far, near, 4000, size=66, task=rogue)
    carrier = rogue.interface
    label("data carried out", carrier, carrier.address, ATTACKER, "ACCEPT", 6)
    return labels
