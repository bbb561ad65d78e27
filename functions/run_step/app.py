"""run_step: perform one step of a run and plan the next; the run's row decides, not who asks."""

from typing import Any

import msgspec

from cartwake import moves as deciding
from cartwake import participants as taking_part
from cartwake.batches import keep_record, process_queue, read_asked
from cartwake.bundles import Bundle
from cartwake.clock import read_clock
from cartwake.coupons import Given
from cartwake.errors import TryAgain
from cartwake.gateways.queue import send_messages, send_webhooks
from cartwake.gateways.scheduler import plan_step
from cartwake.giving import give
from cartwake.journeys import Call
from cartwake.live import load_bundle, load_live
from cartwake.messages import STUCK_AFTER_MS, Message, MessageState, derive_message_id, name_content
from cartwake.profiles import Profile
from cartwake.reasons import EndReason
from cartwake.runs import Advance, End, Hold, Move, Replan, Rules, Run, TakeCode, follow, tell
from cartwake.statements import Channel
from cartwake.store import base, counts, events, messages, participants, profiles, runs, slots
from cartwake.telemetry import logger, metrics, name_who
from cartwake.times import HOUR, Instant, format_instant

_MOST_MOVES = 25


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Take `{"who", "run", "seq"}` from a one-time schedule, or a batch of such bodies from the queue.

    From `wake` the queue also brings `{"who", "test"}`: a participant whose time is over.

    Args:
        event: One step, or `Records` of SQS; without `seq` (from `wake`) it means wherever the run stands.
        context: Lambda's.
    """
    if "Records" not in event:
        step(event, read_clock())
        return None

    return process_queue(event, _take, set_aside=_set_aside)


def _take(body: dict[str, Any]) -> None:
    (judge if "test" in body else step)(body, read_clock())


def _set_aside(record: dict[str, Any], error: Exception) -> None:
    """Keep what nobody can perform, and look at its run again in an hour: it must not stand before others."""
    now, asked = read_clock(), read_asked(record)
    keep_record(record, error, now)
    if "who" in asked and "run" in asked:
        runs.postpone(asked["who"], asked["run"], now + HOUR)
    if "who" in asked and "test" in asked:
        participants.postpone(asked["who"], asked["test"], now + HOUR)


def step(asked: dict[str, Any], now: Instant) -> None:
    """Move a run as far as it goes now; an outdated or doubled request finds it elsewhere and does nothing."""
    found = runs.get_run(asked["who"], asked["run"])
    if found is None or found.ended is not None or not (found.watching or asked.get("seq", found.seq) == found.seq):
        logger.info("step outdated", run=asked["run"])
        return
    run = found
    for _ in range(_MOST_MOVES):
        moved = _move(run, now)
        if moved.ended is not None or moved.held:
            return
        if moved.due_at > now and (moved == run or not moved.watching):
            if "seq" in asked or moved.seq != found.seq:
                plan_step(moved, now)
            return
        # what waits for something looks once more: what came before the row said so has told nobody
        run = moved
    plan_step(run, now)


def _move(run: Run, now: Instant) -> Run:
    """Decide one move and save it with the message it plans; return the run as it now is.

    Raises:
        TryAgain: Somebody else moved the run meanwhile; the next request looks again.
    """
    profile = profiles.resolve_profile(run.who)
    live = load_live(now)
    rules = Rules(load_bundle(run.bundle), live)
    move = _decide(run, profile, rules, now)
    if isinstance(move, TakeCode):
        given = _give(run, profile, move, now)
        move = deciding.go_on_with(run, move, rules, given=given)
    moved, tales = _apply(run, move, now), tell(run, move, now)
    if moved == run:
        return run
    if tales:
        moved = msgspec.structs.replace(moved, told_at=tales[-1].received_at)
    writes: list[base.Action] = [runs.move(run, moved)]
    message = _plan(run, move, live=live, now=now)
    if message is not None:
        writes.append(messages.write_message(message))
    writes += [events.write_event(tale) for tale in tales]
    writes += _enrol(run, move, profile, now)
    if moved.ended is not None:
        writes += slots.release(moved)
    if not base.commit(writes):
        raise TryAgain("the run was moved by another")
    who, moves = name_who(run.who), type(move).__name__
    logger.info("step ran", who=who, run=run.key, move=moves, path=moved.path, reason=moved.ended)
    if message is not None and message.state is MessageState.PLANNED:
        _announce(message)
    return moved


def _enrol(run: Run, move: Move, profile: Profile, now: Instant) -> list[base.Action]:
    """Return the writes that make the shopper a participant of the tests in which chance has just given a variant.

    Who comes to a test again, in a later run or after a merge, counts once.
    """
    drawn = move.drawn if isinstance(move, Advance | End) else ()
    made = [taking_part.enrol(run, each, now) for each in drawn]
    keys = dict.fromkeys((run.who, *profile.keys))
    return [participants.enrol(it) for it in made if participants.find_enrolled(tuple(keys), it.key) is None]


def judge(asked: dict[str, Any], now: Instant) -> None:
    """Count what a participant of a test has done, once, when the time is over in which it is measured.

    Raises:
        TryAgain: Not all of it could be read or written.
    """
    found = participants.get_participant(asked["who"], asked["test"])
    if found is None or found.judged_at or now < found.due_at:
        logger.info("participant outdated", test=asked["test"])
        return
    profile = profiles.resolve_profile(found.who)
    judged = taking_part.judge(found, profile, messages.list_messages(found.who), now)
    writes: list[base.Action] = [participants.close(judged)]
    amounts = taking_part.count_outcome(judged)
    if amounts:
        counter = taking_part.name_counter(found.journey, found.test, found.digest, found.variant)
        day = format_instant(now)[:10]
        writes.append(counts.add(f"{counter}#{base.shard_of(found.who)}", day, amounts, began_at=found.entered_at))
    written = base.commit(writes)
    logger.info("participant judged", who=name_who(found.who), test=found.key, variant=found.variant, written=written)


def _give(run: Run, profile: Profile, draw: TakeCode, now: Instant) -> bool:
    """Give the shopper a code of a pool, or leave them the one they have; say whether there is one.

    It is written before the move: where that is lost, the same code is found by the next one.
    """
    pool = load_live(now).pools.get(draw.step.pool)
    wanted = Given(
        who=profile.who,
        pool=draw.step.pool,
        code="",
        journey=run.journey,
        path=draw.path,
        given_at=now,
        for_all=True,
    )
    return pool is not None and give(wanted, pool, profile.keys) is not None


def _decide(run: Run, profile: Profile, rules: Rules, now: Instant) -> Move | TakeCode:
    """Return the next move, unless the profile was merged with one that is on this journey since earlier."""
    for key in profile.keys:
        if key != run.who:
            slot = slots.get_slot(key, run.journey, run.about)
            if slot.active and slot.entered_at is not None and (slot.entered_at, slot.run) < (run.entered_at, run.id):
                return End(reason=EndReason.MERGED)
    return deciding.decide(run, profile, rules, now)


def _apply(run: Run, move: Move, now: Instant) -> Run:
    """Return the run after *move*; the very same where nothing changes."""
    seq = run.seq + 1
    match move:
        case Advance():
            return msgspec.structs.replace(follow(run, move), seq=seq)
        case Replan(due_at=due_at, quiet_from=quiet_from):
            if due_at == run.due_at and not run.held:
                return run
            since = quiet_from or run.quiet_from
            return msgspec.structs.replace(run, due_at=due_at, quiet_from=since, seq=seq, held=False)
        case Hold():
            return run if run.held else msgspec.structs.replace(run, held=True, seq=seq)
        case End(reason=reason, by=by, variants=variants):
            went = run.variants if variants is None else variants
            return msgspec.structs.replace(run, ended=reason, ended_by=by, ended_at=now, seq=seq, variants=went)


def _plan(run: Run, move: Move, *, live: Bundle, now: Instant) -> Message | None:
    """Return the message that *move* plans."""
    planned = move.planned if isinstance(move, Advance | End) else None
    if planned is None:
        return None
    skipped, step = planned.skip is not None, planned.step
    return Message(
        who=run.who,
        id=derive_message_id(run, planned.path),
        run=run.key,
        journey=run.journey,
        path=planned.path,
        channel=Channel.WEBHOOK if isinstance(step, Call) else step.channel,
        kind=live.journeys[run.journey].kind,
        template=name_content(step),
        subject="" if isinstance(step, Call) else step.subject,
        coupon="" if isinstance(step, Call) else step.coupon,
        variant=planned.variant,
        state=MessageState.SKIPPED if skipped else MessageState.PLANNED,
        planned_at=now,
        not_after=planned.due_at + step.not_after_ms,
        retry_at=None if skipped else now + STUCK_AFTER_MS,
        settled_at=now if skipped else 0,
        reason=planned.skip or "",
    )


def _announce(message: Message) -> None:
    """Ask for the message to be sent; if that fails, `wake` finds it three minutes later."""
    send = send_webhooks if message.channel is Channel.WEBHOOK else send_messages
    try:
        send([(message.who, message.id)])
    except TryAgain:
        logger.warning("message not announced", message_id=message.id)
