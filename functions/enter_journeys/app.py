"""enter_journeys: start runs where a signal fits a trigger, and end those that a signal exits."""

from collections.abc import Iterable
from typing import Any

import msgspec

from cartwake import runs as deciding
from cartwake.batches import process_each
from cartwake.bundles import Bundle, Journey, Trigger
from cartwake.clock import read_clock
from cartwake.conditions import Start
from cartwake.errors import TryAgain
from cartwake.events import Event
from cartwake.gateways.scheduler import plan_step
from cartwake.live import find_live
from cartwake.profiles import Kind, Profile
from cartwake.reasons import EndReason, NotEntered, Refusal
from cartwake.runs import Advance, Run
from cartwake.segments import Signal, SignalKind
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
        if "signals" in image:
            follow(image["who"]["S"], profiles.decode_signals(image), rules=rules, bundle=name, now=now)

    def set_aside(record: dict[str, Any], error: Exception) -> None:
        who = record.get("dynamodb", {}).get("Keys", {}).get("who", {}).get("S", "")
        body = msgspec.json.encode(record)
        quarantine.put(
            who, str(record.get("eventID", "")), reason=Refusal.POISON, at=now, where=type(error).__name__, body=body
        )

    again = process_each(event["Records"], process, set_aside=set_aside)
    if again:
        raise TryAgain(f"{len(again)} of {len(event['Records'])} records could not be followed")


def follow(who: str, signals: Iterable[Signal], *, rules: Bundle, bundle: str, now: Instant) -> None:
    """End the runs that *signals* exit, then start those that they trigger."""
    for signal in signals:
        cause = _load_cause(signal)
        for journey in rules.journeys:
            if any(_fits(exit_, signal, cause) for exit_ in rules.journeys[journey].exits):
                _exit_runs(who, journey, signal, rules=rules, now=now)
        for journey, definition in rules.journeys.items():
            if definition.status in ("live", "paused") and _fits(definition.trigger, signal, cause):
                _enter(who, journey, signal, cause=cause, rules=rules, bundle=bundle, now=now)


def _enter(
    who: str, journey: str, signal: Signal, *, cause: Event | None, rules: Bundle, bundle: str, now: Instant
) -> None:
    """Start a run, or keep the reason why not."""
    for _ in range(_ATTEMPTS):
        profile = profiles.resolve_profile(who)
        run = _propose(profile, journey, signal, cause=cause, bundle=bundle)
        run = _begin(run, profile, rules, now)
        known = runs.get_run(run.who, run.key)
        if known is not None:
            if known.ended is None and known.seq == 0:
                plan_step(known, now)
            return
        own, *foreign = [slots.get_slot(key, journey) for key in profile.keys]
        refused = _refuse(profile, rules.journeys[journey], [own, *foreign], run=run, rules=rules, now=now)
        if refused is not None:
            if refused is not NotEntered.ERASED:
                slots.note_refusal(own.who, journey, refused, now)
            logger.info("not entered", who=run.who, journey=journey, reason=refused.value)
            return
        demands = [profiles.demand_profile(profile), *(slots.demand_unchanged(slot) for slot in foreign)]
        if base.commit([runs.start(run), slots.take(own, run), *demands]):
            count("RunsStarted")
            logger.info("run started", who=run.who, journey=journey, run=run.id)
            plan_step(run, now)
            return
    raise TryAgain("the slot was taken or the profile written too often in a row")


def _refuse(
    profile: Profile, journey: Journey, taken: list[deciding.Slot], *, run: Run, rules: Bundle, now: Instant
) -> NotEntered | None:
    if profile.kind is not Kind.PROFILE:
        return NotEntered.ERASED
    refused = deciding.refuse_entry(journey, taken, now=run.entered_at)
    if refused is not None:
        return refused
    filtered = deciding.refuse_filter(journey, profile.state, rules, now=max(now, run.entered_at), start=run.start)
    return {False: None, True: NotEntered.FILTER, None: NotEntered.FILTER_UNKNOWN}[filtered]


def _propose(profile: Profile, journey: str, signal: Signal, *, cause: Event | None, bundle: str) -> Run:
    """Return the run that *signal* would start, at its first step, which is due at once."""
    happened = signal.kind is SignalKind.HAPPENED and cause is not None
    start = Start(cause.occurred_at, cause.short_id) if happened and cause else Start(signal.at)
    reason = signal.source if happened else f"{signal.kind}#{signal.name}#{signal.at}"
    return Run(
        who=profile.who,
        journey=journey,
        id=deciding.derive_run_id(journey, signal.source_who or profile.who, reason),
        due_at=signal.at,
        entered_at=signal.at,
        start=start,
        trigger=cause,
        bundle=bundle,
    )


def _begin(run: Run, profile: Profile, rules: Bundle, now: Instant) -> Run:
    """Return the run in its first wait, if that is what it begins with: one write less, and one call less."""
    if profile.kind is not Kind.PROFILE:
        return run
    first = deciding.decide(run, profile, own=rules, live=rules, now=now)
    if not isinstance(first, Advance) or first.planned is not None:
        return run
    return msgspec.structs.replace(run, path=first.path, due_at=first.due_at, wait_from=first.wait_from)


def _exit_runs(who: str, journey: str, signal: Signal, *, rules: Bundle, now: Instant) -> None:
    """End the active runs of *journey* that began before *signal*, under every key of the shopper."""
    profile = profiles.resolve_profile(who)
    for key in profile.keys:
        for run in runs.list_runs(key, journey=journey):
            if run.ended is None and deciding.find_exit(
                rules.journeys[journey], profile.state, rules, run=run, now=max(now, signal.at)
            ):
                _end(run, signal.name, now)


def _end(run: Run, by: str, now: Instant) -> None:
    ended = msgspec.structs.replace(run, ended=EndReason.EXITED, ended_by=by, ended_at=now, seq=run.seq + 1)
    if base.commit([runs.move(run, ended), slots.release(run)]):
        logger.info("run ended", who=run.who, journey=run.journey, run=run.id, reason=EndReason.EXITED.value)


def _load_cause(signal: Signal) -> Event | None:
    """Return the event behind a signal; a membership that time changed has none."""
    return events.get_event(signal.source_who, signal.source) if signal.source else None


def _fits(trigger: Trigger, signal: Signal, cause: Event | None) -> bool:
    match signal.kind:
        case SignalKind.HAPPENED:
            return trigger.event == signal.name and cause is not None and trigger.fits(cause)
        case SignalKind.ENTERED:
            return trigger.entered == signal.name
        case SignalKind.LEFT:
            return trigger.left == signal.name


