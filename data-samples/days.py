"""The two days, told from end to end: all records, all flow lines, and the labels of the incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudtrail import Json, Trail, iso
from company import ATTACKER, BEN, CLARA, DORA, END, FIRST_DAY, LAST_DAY, MIA, PROD, SHARED
from fleet import Fleet
from flowlogs import FlowLogs
from incident import entered_task, night
from morning import morning
from people import AUDIT_READS, ECS_READS, PLATFORM_READS, honest_refusals, scan, stranger_at_the_door, work_day
from pipeline import deploy, rebuild, rotate, scale
from services import background, batch_host, nightly_cron
from story import Story
from traffic import attack, ordinary


@dataclass(frozen=True)
class Told:
    """The whole story: all records, all flow lines, and the labels of the incident."""

    records: list[Json]
    flows: FlowLogs
    labels: Json


def clock(day: datetime, hours: float) -> datetime:
    return day + timedelta(hours=hours)


def tell() -> Told:
    """Tell everything. Each part draws its own random numbers; within a part the order of the calls matters."""
    fleet, people, services = Fleet(Trail("fleet")), Trail("people"), Trail("services")
    trails = [fleet.trail, people, services]

    for _ in range(2):
        fleet.running_before("checkout:41")
    deploy(fleet, clock(FIRST_DAY, 9.7), 8801, 42)
    scale(fleet, clock(FIRST_DAY, 11.5), 4)
    rebuild(fleet.trail, clock(FIRST_DAY, 13.75), 8804)
    deploy(fleet, clock(FIRST_DAY, 15.2), 8807, 43, migrate=True)
    scale(fleet, clock(FIRST_DAY, 19), 2)
    rotate(fleet.trail, clock(LAST_DAY, 4))
    scale(fleet, clock(LAST_DAY, 11.6), 3)
    deploy(fleet, clock(LAST_DAY, 13.3), 8815, 44)
    scale(fleet, clock(LAST_DAY, 18.5), 2)
    for task in list(fleet.tasks):
        fleet.live(task)

    for day in (FIRST_DAY, LAST_DAY):
        for hours in range(1, 24, 6):
            scan(people, clock(day, hours + 0.4))
        platform = work_day(people, day, CLARA, ECS_READS + PLATFORM_READS, 30)
        developer = work_day(people, day, BEN, ECS_READS, 30)
        work_day(people, day, MIA, ECS_READS, 24)
        nightly_cron(services, day)
        if day == FIRST_DAY:
            honest_refusals(people, day, developer, fleet)
            work_day(people, day, DORA, AUDIT_READS, 14)
            stranger_at_the_door(people, clock(day, 20.2))
        else:
            work_day(people, day, CLARA, AUDIT_READS, 5, SHARED)
            work_day(people, day, DORA, AUDIT_READS, 8, SHARED)
    background(services)
    batch_host(services)

    fleet.trail = Trail("incident")
    trails.append(fleet.trail)
    story, flows = Story(fleet), FlowLogs()
    rogue = night(story)
    morning(story, platform, rogue)
    fleet.live(rogue)
    ordinary(flows, fleet)
    seen = attack(flows, entered_task(fleet), rogue)
    labels = {
        "attacker": ATTACKER,
        "task_entered": entered_task(fleet).id,
        "task_started": rogue.id,
        "events": sorted(story.labels, key=lambda label: (str(label["time"]), str(label["event_id"]))),
        "flows": seen,
    }
    records = [record for trail in trails for record in trail.records if record["recipientAccountId"] in (PROD, SHARED)]
    return Told([record for record in records if record["eventTime"] < iso(END)], flows, labels)
