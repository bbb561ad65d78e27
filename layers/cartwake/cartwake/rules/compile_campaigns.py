"""Campaigns, and who is in a segment already, become enrolments: who is brought into a journey, and from when on."""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeIs
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from cartwake import bundles, journeys
from cartwake.enrolments import Enrolment
from cartwake.rules.campaign_models import FOLDER, Campaign
from cartwake.rules.compiling.desk import Reads
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault
from cartwake.rules.files import Content, name_of
from cartwake.rules.models import Journey
from cartwake.rules.trigger_models import BySegment
from cartwake.rules.words import begin_date
from cartwake.times import Instant, format_instant, parse_duration
from cartwake.values import MICROS

FIRST: Final = "first"
REST: Final = "rest"
EARLIEST: Final = ZoneInfo("Etc/GMT-14")
"""Where each day begins first: when a time comes there, it has not come anywhere yet."""
_MICROS_OF_PERCENT: Final = 10_000


class Case(NamedTuple):
    """What is asked when a file is compiled.

    Attributes:
        previous: What was live until now.
        zone: The shop's.
        now: The time of the publish.
        partial: Only a part of all files is there, and of what was live nothing is known.
    """

    previous: bundles.Bundle
    zone: ZoneInfo
    now: Instant
    partial: bool


def unfold(files: Mapping[str, Content]) -> dict[str, Content]:
    """Return the files with the journey of each campaign in its place: who looks at journeys looks at campaigns."""
    return {file: it.journey if isinstance(it, Campaign) else it for file, it in files.items()}


def is_campaign(file: str) -> bool:
    """Say whether a file is a campaign's."""
    return file.startswith(f"{FOLDER}/")


def find_doubled(files: Mapping[str, Content]) -> list[Conflict]:
    """Return a conflict for each campaign that has the name of a journey: runs and counts go by that name."""
    found = []
    for file in files:
        other = f"journeys/{name_of(file)}.json"
        if is_campaign(file) and other in files:
            message = f'There is a journey of the name "{name_of(file)}" ({other}); a campaign needs one of its own.'
            found.append(Conflict(Fault(file=file, message=message), (file, other)))
    return found


def aim_reads(reads: Reads) -> Reads:
    """Return what a campaign reads, with the segment at the place where its file says it."""
    reads.segments = [(name, "to" if path == "trigger.segment" else path) for name, path in reads.segments]
    return reads


def enrol_campaign(file: str, rule: Campaign, case: Case) -> tuple[Enrolment, list[Conflict]]:
    """Return whom a campaign goes to and when, and what is wrong with that.

    Once it has begun, neither moves any more.
    """
    name = name_of(file)
    before = case.previous.enrolments.get(name)
    if before is not None and is_launched(name, case.previous, case.now):
        return before, []
    by_shop = begin_date(rule.at, case.zone)
    starts_at = begin_date(rule.at, EARLIEST) if rule.timezone == "recipient" else by_shop
    live = rule.status == "live"
    aim = Enrolment(
        segment=rule.to,
        # who publishes it when it is under way somewhere already has it begin at once
        starts_at=max(starts_at, case.now) if live else starts_at,
        is_campaign=True,
        date=rule.at if rule.timezone == "recipient" else "",
        spread_ms=parse_duration(rule.spread) if rule.spread else 0,
        first_micros=round(rule.test_first.percent * _MICROS_OF_PERCENT) if rule.test_first else 0,
        rest_after_ms=parse_duration(rule.test_first.rest_after) if rule.test_first else 0,
    )
    if case.partial:
        return aim, []
    if name in case.previous.launched:
        day = format_instant(case.previous.launched[name])[:10]
        message = f"A campaign of this name began on {day}; none begins twice. Give the file another name."
        return aim, [Conflict(Fault(file=file, message=message), (file,))]
    if live and by_shop < case.now:
        message = f"The time is over since {format_instant(by_shop)}: nothing is sent for the past."
        return aim, [Conflict(Fault(file=file, path="at", message=message, example='"status": "draft"'), (file,))]
    return aim, []


def is_launched(name: str, previous: bundles.Bundle, now: Instant) -> bool:
    """Say whether a campaign has begun: its time came while it was live."""
    if name in previous.launched:
        return True
    aim, journey = previous.enrolments.get(name), previous.journeys.get(name)
    return aim is not None and journey is not None and journey.status == "live" and aim.starts_at <= now


def list_launched(previous: bundles.Bundle, now: Instant) -> dict[str, Instant]:
    """Return when each campaign began that ever did."""
    begun = {
        name: aim.starts_at
        for name, aim in previous.enrolments.items()
        if aim.is_campaign and is_launched(name, previous, now)
    }
    return dict(sorted((begun | previous.launched).items()))


def enrol_existing(file: str, rule: Journey, case: Case) -> Enrolment | None:
    """Return how those come in who are in a journey's segment already; None where they do not.

    It begins with the publish that makes the journey live with it, and never again.
    """
    trigger, before = rule.trigger, case.previous.enrolments.get(name_of(file))
    if not rule.include_existing or not _is_entered(trigger):
        return None
    if before is not None and not before.is_campaign:
        return before
    if rule.status != "live":
        return None
    return Enrolment(segment=trigger.segment, starts_at=case.now, placed=rule.include_existing is True)


def refuse_existing(file: str, rule: Journey) -> list[Conflict]:
    """Return what is wrong with a journey that brings in who is there already, where nobody can be."""
    if not rule.include_existing or _is_entered(rule.trigger):
        return []
    message = (
        "Who is in a segment can be brought in where the journey starts when that segment is entered, and not here."
    )
    fault = Fault(file=file, path="include_existing", message=message, example='"trigger": {"segment": "lapsed"}')
    return [Conflict(fault, (file,))]


def _is_entered(trigger: object) -> TypeIs[BySegment]:
    return isinstance(trigger, BySegment) and trigger.on == "entered"


def compile_course(name: str, journey: journeys.Journey, aim: Enrolment) -> journeys.Journey:
    """Return a campaign's journey: nothing triggers it, and where some are first the others wait before its steps."""
    journey = replace(journey, trigger=journeys.Trigger())
    if not aim.first_micros:
        return journey
    wait = journeys.Wait(for_ms=aim.rest_after_ms)
    first = journeys.Split(
        salt=f"first {name}",
        variants=(
            journeys.Variant(name=FIRST, micros=aim.first_micros),
            journeys.Variant(name=REST, micros=MICROS - aim.first_micros, steps=(wait,)),
        ),
    )
    return replace(journey, steps=(first, *journey.steps))
