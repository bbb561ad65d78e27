"""enter_journeys: start runs where a signal fits a trigger, and end those that a signal exits."""

from typing import Any

import msgspec

from cartwake import entries
from cartwake.batches import process_each
from cartwake.clock import read_clock
from cartwake.entries import Occasion
from cartwake.errors import TryAgain
from cartwake.events import Event
from cartwake.gateways.scheduler import plan_step
from cartwake.live import find_live
from cartwake.reasons import EndReason, NotEntered, Refusal
from cartwake.runs import Run, find_exit
from cartwake.segments import Signal, View
from cartwake.store import base, events, profiles, quarantine, runs, slots
from cartwake.telemetry import count, logger, metrics
from cartwake.times import Instant

_ATTEMPTS = 5


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> None:
    """Take a batch of the profiles table's stream: new images that carry signals.

    Args:
        event: `Records` of DynamoDB, with new images.
        context: Lambda's.

    Raises:
        TryAgain: Some signals could not be followed now; following all of them again is harmless.
    """
    now = read_clock()
    name, rules = find_live(now)

    def process(record: dict[str, Any]) -> None:
        image = record["dynamodb"].get("NewImage", {})
        for signal in profiles.decode_signals(image) if "signals" in image else ():
            occasion = Occasion(signal=signal, cause=_load_cause(signal), rules=rules, bundle=name, now=now)
            follow(image["who"]["S"], occasion)

    def set_aside(record: dict[str, Any], error: Exception) -> None:
        who = record.get("dynamodb", {}).get("Keys", {}).get("who", {}).get("S", "")
        body = msgspec.json.encode(record)
        quarantine.put(
            who, str(record.get("eventID", "")), reason=Refusal.POISON, at=now, where=type(error).__name__, body=body
        )

    again = process_each(event["Records"], process, set_aside=set_aside)
    if again:
        raise TryAgain(f"{len(again)} of {len(event['Records'])} records could not be followed")


def follow(who: str, occasion: Occasion) -> None:
    """End the runs that a signal exits, then start those that it triggers."""
    for name, journey in occasion.rules.journeys.items():
        if any(entries.fits(trigger, occasion) for trigger in journey.exits):
            _exit(who, name, occasion)
    for name, journey in occasion.rules.journeys.items():
        if journey.status in ("live", "paused") and entries.fits(journey.trigger, occasion):
            _enter(who, name, occasion)


def _enter(who: str, journey: str, occasion: Occasion) -> None:
    """Start a run, or keep the reason why not."""
    for _ in range(_ATTEMPTS):
        profile = profiles.resolve_profile(who)
        run = entries.propose(profile, journey, occasion)
        known = runs.get_run(run.who, run.key)
        if known is not None:
            if known.ended is None and known.seq == 0:
                plan_step(known, occasion.now)
            return
        own, *foreign = [slots.get_slot(key, journey) for key in profile.keys]
        refused = entries.refuse(run, profile, [own, *foreign], occasion)
        if refused is not None:
            _note(refused, run, occasion.now)
            return
        demands = [profiles.demand_profile(profile), *(slots.demand_unchanged(slot) for slot in foreign)]
        if base.commit([runs.start(run), slots.take(own, run), *demands]):
            count("RunsStarted")
            logger.info("run started", who=run.who, journey=journey, run=run.id)
            plan_step(run, occasion.now)
            return
    raise TryAgain("the slot was taken or the profile written too often in a row")


def _note(refused: NotEntered, run: Run, now: Instant) -> None:
    """Keep the reason at the slot; of somebody who was erased nothing is kept."""
    if refused is not NotEntered.ERASED:
        slots.note_refusal(run.who, run.journey, refused, now)
    logger.info("not entered", who=run.who, journey=run.journey, reason=refused.value)


def _exit(who: str, journey: str, occasion: Occasion) -> None:
    """End the active runs of *journey* that began before the signal, under every key of the shopper."""
    profile = profiles.resolve_profile(who)
    for key in profile.keys:
        for run in runs.list_runs(key, journey=journey):
            now = max(occasion.now, occasion.signal.at)
            view = View(profile.state, occasion.rules, now, run.start)
            if run.ended is None and find_exit(occasion.rules.journeys[journey], run, view):
                _end(run, occasion.signal.name, occasion.now)


def _end(run: Run, by: str, now: Instant) -> None:
    ended = msgspec.structs.replace(run, ended=EndReason.EXITED, ended_by=by, ended_at=now, seq=run.seq + 1)
    if base.commit([runs.move(run, ended), slots.release(run)]):
        logger.info("run ended", who=run.who, journey=run.journey, run=run.id, reason=EndReason.EXITED.value)


def _load_cause(signal: Signal) -> Event | None:
    """Return the event behind a signal; a membership that time changed has none."""
    return events.get_event(signal.source_who, signal.source) if signal.source else None
