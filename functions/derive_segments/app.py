"""derive_segments: fold new events into profiles, re-evaluate the segments they can change, write both at once."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from typing import Any

import msgspec

from cartwake import contacts
from cartwake.batches import is_queue, keep_record, process_each, process_queue, read_asked
from cartwake.bundles import Bundle
from cartwake.clock import read_clock
from cartwake.erasure import asks_for_copy, is_late, is_request, split_at_request
from cartwake.errors import TryAgain, WriteConflict
from cartwake.events import Event
from cartwake.family import Family, NewerRules
from cartwake.gateways import queue
from cartwake.handovers import hand_over
from cartwake.identity import weigh
from cartwake.live import forget, load_live
from cartwake.profiles import Kind, Profile
from cartwake.reasons import Refusal
from cartwake.redemptions import redeem_coupons
from cartwake.seen import note_names
from cartwake.segments import Signal, absorb, adopt, advance, finish, reevaluate, touch
from cartwake.store import base, events, profiles, quarantine
from cartwake.telemetry import count, logger, metrics, name_who
from cartwake.times import HOUR, NEVER, Instant
from cartwake.tombstones import bury

_ATTEMPTS = 5
_MOST_AT_ONCE = 100

type Group = tuple[str, list[Event]]


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Take a batch of the events table's stream, or of the queue that `wake` fills.

    Args:
        event: `Records` of DynamoDB (inserts, with new images), or of SQS with bodies `{"who": ...}`.
        context: Lambda's.

    Raises:
        TryAgain: Some events could not be processed now; doing all of them again is harmless.
    """
    now = read_clock()
    if is_queue(event):
        return process_queue(event, lambda body: derive(body["who"], (), now=now), set_aside=_keep_wake)
    _derive_all(event["Records"], now)
    return None


def derive(who: str, news: Sequence[Event], *, now: Instant) -> None:
    """Bring the profile of *who* up to *now* with *news*; without any, time alone has passed."""
    told = sorted((event for event in news if not event.bot), key=_order)
    if not news:
        _derive(who, (), now)
    while told:
        before, told = split_at_request(told)
        # a hundred events give less than 50 KB of signals, which share the row with the profile
        for some in batched(before, _MOST_AT_ONCE, strict=False):
            _derive(who, some, now)
        if is_request(before[-1]):
            bury(who, now=now)


def _derive(who: str, news: Sequence[Event], now: Instant) -> None:
    """Decide and write until nobody else writes in between."""
    for _ in range(_ATTEMPTS):
        row = profiles.resolve_profile(who)
        if row.kind is Kind.TOMBSTONE:
            for event in news:
                _refuse(event, Refusal.ERASED, now)
            return
        if not news and row.version == 0:
            return
        try:
            if _derive_once(row, news, now):
                return
        except NewerRules:
            forget()
    raise WriteConflict("profile written by others, or by newer rules, too often in a row")


def _derive_once(row: Profile, news: Sequence[Event], now: Instant) -> bool:
    """Decide and write; False when somebody else wrote meanwhile."""
    rules = load_live(now)
    family = Family(row, rules, now, refuse=lambda event, why: _refuse(event, why, now))
    signals: list[Signal] = []
    weighed: list[Event] = []
    for event in news:
        signals += family.gather(event)
        weighed.append(weigh(family.profile, event))
        family.profile, told = absorb(family.profile, weighed[-1], rules)
        signals += told
    if not news:
        family.profile, signals = advance(family.profile, rules, now)
        family.profile = msgspec.structs.replace(family.profile, wake_at=NEVER)
    handover = hand_over(family.before, family.profile, family.others)
    if handover.profile is not family.profile:
        handover.profile, told = reevaluate(handover.profile, rules, now)
        signals += [*told, *touch("reachable", rules, now)]
    profile, more = contacts.follow(family.before, handover.profile, family.others)
    more += [*handover.writes, *_let_go(handover.losers.values(), rules, now)]
    # before the profile, so that what was stated is on record wherever it counts
    contacts.record(family.before, profile, weighed)
    # a trigger whose trace was cut from the profile changes nothing in it, and may be told for the first time
    if profile == family.before and not family.others and not more and not signals:
        return True
    saved = base.commit([profiles.put_profile(finish(profile, rules, now), signals), *family.pointers(), *more])
    if saved:
        logger.info("profile derived", who=name_who(profile.who), signals=len(signals), merged=len(family.others))
    return saved


def _let_go(losers: Iterable[Profile], rules: Bundle, now: Instant) -> Iterator[base.Action]:
    """Yield the writes of profiles of which a device has gone: they may be reached no more, which segments ask."""
    for loser in losers:
        if loser.generation > rules.generation:
            raise NewerRules
        before, passed = advance(adopt(loser, rules, now), rules, now)
        after, changed = reevaluate(before, rules, now)
        yield profiles.put_profile(finish(after, rules, now), [*passed, *changed, *touch("reachable", rules, now)])


def _derive_all(records: list[dict[str, Any]], now: Instant) -> None:
    """Derive every profile of a batch; a poison event is set aside alone, its neighbours are not lost."""
    load_live(now)
    groups, unread = _group(records, now)
    groups = _leave_out_deleted(groups, now)
    again: list[Group] = []
    note_names([event for _, events in groups for event in events if not event.bot], now)

    def one_by_one(group: Group, _: Exception) -> None:
        single = [(group[0], [event]) for event in group[1]]
        again.extend(process_each(single, process, set_aside=_keep_event(now)))

    def process(group: Group) -> None:
        derive(group[0], group[1], now=now)
        asked = [(event.who, event.key, event.received_at) for event in group[1] if asks_for_copy(event)]
        queue.send_exports(asked)
        redeemed = redeem_coupons(group[1], load_live(now))
        if redeemed:
            count("CouponsRedeemed", redeemed)

    again += process_each(groups, process, set_aside=one_by_one)
    if again or unread:
        raise TryAgain(f"{len(again)} of {len(groups)} profiles could not be written, {unread} records not be read")


def _group(records: list[dict[str, Any]], now: Instant) -> tuple[list[Group], int]:
    """Return the events of a batch by the key they are stored under, and how many records cannot be read yet."""
    groups: dict[str, list[Event]] = {}

    def read(record: dict[str, Any]) -> None:
        event = events.decode_image(record["dynamodb"]["NewImage"])
        groups.setdefault(event.who, []).append(event)

    again = process_each(records, read, set_aside=lambda record, error: keep_record(record, error, now))
    return list(groups.items()), len(again)


def _leave_out_deleted(groups: list[Group], now: Instant) -> list[Group]:
    """Leave out what an erasure has deleted meanwhile, tombstones and all: it begins nobody anew."""
    late = [event for _, news in groups for event in news if is_late(event, now)]
    deleted = events.find_deleted(late) if late else set()
    if not deleted:
        return groups
    logger.info("events deleted meanwhile", events=len(deleted))
    standing = [(who, [event for event in news if (who, event.key) not in deleted]) for who, news in groups]
    return [(who, news) for who, news in standing if news]


def _keep_event(now: Instant) -> Any:
    def keep(group: Group, error: Exception) -> None:
        who, (event,) = group
        body = msgspec.msgpack.encode(event)
        quarantine.put(who, event.key, reason=Refusal.POISON, at=now, where=type(error).__name__, body=body)

    return keep


def _keep_wake(record: dict[str, Any], error: Exception) -> None:
    """Keep a profile that time cannot be told of, and look at it again in an hour: it must not stand before others."""
    now = read_clock()
    keep_record(record, error, now)
    asked = read_asked(record)
    if "who" in asked:
        profiles.postpone(asked["who"], now + HOUR)


def _refuse(event: Event, why: Refusal, now: Instant) -> None:
    quarantine.put(event.who, event.key, reason=why, at=now)


def _order(event: Event) -> tuple[Instant, Instant, str]:
    return event.received_at, event.occurred_at, event.key
