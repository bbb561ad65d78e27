"""enter_journeys: start the runs that a signal triggers, end those that it exits, wake those that wait for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from cartwake import entries
from cartwake.batches import keep_record, process_each
from cartwake.bundles import Bundle
from cartwake.clock import read_clock
from cartwake.entries import Occasion
from cartwake.errors import TryAgain
from cartwake.events import Event
from cartwake.gateways.queue import send_steps
from cartwake.gateways.scheduler import plan_step
from cartwake.identity import is_erased
from cartwake.live import find_live, forget
from cartwake.profiles import Profile
from cartwake.reasons import EndReason, NotEntered
from cartwake.runs import Run, Slot, find_exit
from cartwake.segments import Signal, SignalKind, View
from cartwake.store import base, events, profiles, runs, slots
from cartwake.telemetry import count, logger, metrics, name_who
from cartwake.times import Instant

_ATTEMPTS = 5
_WAKING = (SignalKind.TOUCHED, SignalKind.JOINED)


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
    heard: list[Heard] = []
    steps: list[Step] = []

    def read(record: dict[str, Any]) -> None:
        heard.extend(_read(record, now))

    def find(signal: Heard) -> None:
        steps.extend(_find_steps(signal, now))

    def set_aside(it: Heard | Step, error: Exception) -> None:
        keep_record(it.record, error, now)

    again: list[Any] = process_each(event["Records"], read, set_aside=lambda it, error: keep_record(it, error, now))
    again += process_each(heard, find, set_aside=set_aside)
    again += process_each(steps, _follow, set_aside=set_aside)
    if again:
        raise TryAgain(f"{len(again)} signals of {len(event['Records'])} records could not be followed")


@dataclass(frozen=True, slots=True)
class Heard:
    """A signal of a profile's write, and the rules that it is followed by."""

    who: str
    signal: Signal
    bundle: str
    rules: Bundle
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One signal and one journey that it ends, starts or wakes runs of: what fails alone is set aside alone."""

    who: str
    journey: str
    occasion: Occasion
    does: Literal["exit", "enter", "wake"]
    record: dict[str, Any]


def _read(record: dict[str, Any], now: Instant) -> Iterator[Heard]:
    """Yield the signals of a profile's write; of those that wake runs of the same journey one is enough."""
    image = record["dynamodb"].get("NewImage", {})
    if "signals" not in image:
        return
    who, (bundle, rules) = image["who"]["S"], _find_rules(int(image["generation"]["N"]), now)
    touched: set[str] = set()
    for signal in profiles.decode_signals(image):
        if signal.kind in _WAKING:
            if signal.name in touched:
                continue
            touched.add(signal.name)
        yield Heard(who, signal, bundle, rules, record)


def _find_steps(heard: Heard, now: Instant) -> Iterator[Step]:
    """Yield what a signal asks for: first what it ends, then what it starts; who is woken looks at everything anew."""
    who, signal, rules = heard.who, heard.signal, heard.rules
    cause = None if signal.kind in _WAKING else _load_cause(who, signal)
    occasion = Occasion(signal=signal, cause=cause, rules=rules, bundle=heard.bundle, now=now)
    if signal.kind in _WAKING:
        yield Step(who, signal.name, occasion, does="wake", record=heard.record)
        return
    for name, journey in rules.journeys.items():
        if any(entries.fits(trigger, occasion) for trigger in journey.exits):
            yield Step(who, name, occasion, does="exit", record=heard.record)
    for name, journey in rules.journeys.items():
        if journey.is_active and entries.fits(journey.trigger, occasion):
            yield Step(who, name, occasion, does="enter", record=heard.record)


def _find_rules(generation: int, now: Instant) -> tuple[str, Bundle]:
    """Return the live rules, at least as new as those that the profile was written under: they gave its signals."""
    found = find_live(now)
    if found[1].generation < generation:
        forget()
        found = find_live(now)
    return found


def _follow(step: Step) -> None:
    match step.does:
        case "exit":
            _exit(step.who, step.journey, step.occasion)
        case "enter":
            _enter(step.who, step.journey, step.occasion)
        case "wake":
            _wake(step.who, step.journey)


def _enter(who: str, journey: str, occasion: Occasion) -> None:
    """Start a run, or keep the reason why not."""
    for _ in range(_ATTEMPTS):
        profile = profiles.resolve_profile(who)
        if _is_known(profile, journey, occasion):
            return
        run = entries.propose(profile, journey, occasion)
        own, *foreign = [slots.get_slot(key, journey, run.about) for key in profile.keys]
        own = slots.look_around(own) if run.about else own
        refused = entries.refuse(run, profile, [own, *foreign], occasion)
        if refused is not None:
            _note(refused, own, occasion.now)
            return
        demands = [profiles.demand_profile(profile), *(slots.demand_unchanged(slot) for slot in foreign)]
        if base.commit([runs.start(run), *slots.take(own, run), *demands]):
            count("RunsStarted")
            logger.info("run started", who=name_who(run.who), journey=journey, run=run.id)
            plan_step(run, occasion.now)
            if run.watching:
                # what came before the row said that it waits has told nobody
                send_steps([(run.who, run.key)])
            return
    raise TryAgain("the slot was taken or the profile written too often in a row")


def _is_known(profile: Profile, journey: str, occasion: Occasion) -> bool:
    """Say whether this very run was started before, under any key of the shopper; plan its first step again."""
    for key in profile.keys:
        name = entries.name_run(profile, key, journey=journey, occasion=occasion)
        known = runs.get_run(key, f"{journey}#{name}")
        if known is not None:
            if known.ended is None and known.seq == 0:
                plan_step(known, occasion.now)
                send_steps([(known.who, known.key)] if known.watching else [])
            return True
    return False


def _note(refused: NotEntered, slot: Slot, now: Instant) -> None:
    """Keep the reason at the slot; of somebody who was erased nothing is kept."""
    if refused not in (NotEntered.ERASED, NotEntered.SAME_RUN):
        slots.note_refusal(slot, refused, now)
    logger.info("not entered", who=name_who(slot.who), journey=slot.journey, reason=refused.value)


def _exit(who: str, journey: str, occasion: Occasion) -> None:
    """End the active runs of *journey* that it is an exit of, under every key of the shopper."""
    profile = profiles.resolve_profile(who)
    for key in profile.keys:
        for run in runs.list_runs(key, journey=journey):
            now = max(occasion.now, occasion.signal.at)
            view = View(profile.state, occasion.rules, now, run.start)
            if run.ended is None and find_exit(occasion.rules.journeys[journey], run, view):
                _end(run, occasion.signal.name, occasion.now)


def _end(run: Run, by: str, now: Instant) -> None:
    ended = msgspec.structs.replace(run, ended=EndReason.EXITED, ended_by=by, ended_at=now, seq=run.seq + 1)
    if base.commit([runs.move(run, ended), *slots.release(ended)]):
        who, why = name_who(run.who), EndReason.EXITED.value
        logger.info("run ended", who=who, journey=run.journey, run=run.id, reason=why)


def _wake(who: str, journey: str) -> None:
    """Have the runs of *journey* looked at that wait for something: some of it may have come.

    Two profiles that are one now have all their runs looked at (*journey* is ""): what one of the two did, before
    anybody knew that they are one, may be what ends a run of the other.
    """
    profile = profiles.resolve_profile(who)
    found = [run for key in profile.keys for run in runs.list_runs(key, journey=journey)]
    going_on = [run for run in found if run.ended is None and not run.held]
    send_steps([(run.who, run.key) for run in going_on if run.watching or not journey])


def _load_cause(who: str, signal: Signal) -> Event | None:
    """Return the event behind a signal; a membership that time changed has none.

    Raises:
        LookupError: The event is not there, though the shopper was not erased: it never will be.
    """
    if not signal.source:
        return None
    cause = events.get_event(signal.source_who, signal.source)
    if cause is None and not is_erased(profiles.resolve_profile(who)):
        raise LookupError("the event behind a signal is not there")
    return cause
