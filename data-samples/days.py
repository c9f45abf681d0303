"""The two days, told from end to end: all records, all flow lines, and the labels of both incidents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from afternoon import afternoon, leaking_task, seen
from cloudtrail import Json, Trail, iso
from company import ATTACKER, BEN, CLARA, DORA, END, FIRST_DAY, LAST_DAY, MIA, PROD, SECOND_ATTACKER, SHARED
from fleet import Fleet
from flowlogs import FlowLogs
from incident import entered_task, night
from mishap import egress_closed, refused
from morning import morning
from people import AUDIT_READS, ECS_READS, PLATFORM_READS, honest_refusals, scan, stranger_at_the_door, work_day
from pipeline import deploy, rebuild, rotate, scale
from services import background, batch_host, nightly_cron
from story import Story
from traffic import attack, ordinary
from truth import Truth


@dataclass(frozen=True)
class Told:
    """The whole story: all records, all flow lines, and the labels of both incidents."""

    records: list[Json]
    added: list[Json]  # records of what was told later; the files have all others as if these were not there
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
    story, flows = Story("night", fleet), FlowLogs()
    rogue = night(story)
    morning(story, platform, rogue)
    fleet.live(rogue)
    ordinary(flows, fleet)
    by_night = [{"incident": "night", **label} for label in attack(flows, entered_task(fleet), rogue)]

    fleet.trail, evening = Trail("afternoon"), Trail("mishap")
    later = Story("afternoon", fleet)
    stolen, leaking = afternoon(later), leaking_task(fleet)
    by_day = [{"incident": "afternoon", **label} for label in seen(flows, leaking)]
    closed, opened = egress_closed(evening)
    refused(flows, fleet)

    added = [*fleet.trail.records, *evening.records]
    records = [record for trail in trails for record in trail.records]
    truth = Truth([record for record in (*records, *added) if kept(record)], flows)
    labels = {
        "attacker": ATTACKER,
        "second_attacker": SECOND_ATTACKER,
        "task_entered": entered_task(fleet).id,
        "task_started": rogue.id,
        "task_stolen": leaking.id,
        "events": sorted(story.labels + later.labels, key=lambda label: (str(label["time"]), str(label["event_id"]))),
        "flows": by_night + by_day,
        "lineage": truth.lineage(rogue, stolen),
        "links": truth.links(entered_task(fleet), leaking, closed, opened),
    }
    return Told(list(filter(kept, records)), list(filter(kept, added)), flows, labels)


def kept(record: Json) -> bool:
    """Whether a record lies in the two days, and in an account that the company can read."""
    return record["recipientAccountId"] in (PROD, SHARED) and record["eventTime"] < iso(END)
