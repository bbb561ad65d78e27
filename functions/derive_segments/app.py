"""derive_segments: fold new events into profiles, re-evaluate the segments they can change, write both at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cartwake import contacts, identity
from cartwake.batches import is_queue, process_each, process_queue
from cartwake.bundles import Bundle
from cartwake.clock import read_clock
from cartwake.errors import TryAgain, WriteConflict
from cartwake.events import Event
from cartwake.live import forget, load_live
from cartwake.profiles import MOST_SOURCES, Kind, Profile
from cartwake.reasons import Refusal
from cartwake.segments import Signal, absorb, adopt, advance, finish, reevaluate
from cartwake.store import base, events, profiles, quarantine
from cartwake.telemetry import logger, metrics
from cartwake.times import NEVER, Instant

_ATTEMPTS = 5

type Group = tuple[str, list[Event]]


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done to one profile: nothing new means that time has passed."""

    news: Sequence[Event]
    rules: Bundle
    now: Instant


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
        return process_queue(event, lambda body: derive(body["who"], (), now=now), set_aside=_keep_record(now))
    _derive_all(event["Records"], now)
    return None


def derive(who: str, news: Sequence[Event], *, now: Instant) -> None:
    """Bring the profile of *who* up to *now* with *news*; without any, time alone has passed."""
    waking = not news
    news = [event for event in news if not event.bot]
    for _ in range(_ATTEMPTS):
        rules = load_live(now)
        profile = profiles.resolve_profile(who)
        if profile.kind is Kind.TOMBSTONE:
            _refuse(profile, news, Refusal.ERASED, now)
            return
        if profile.generation > rules.generation:
            forget()
            continue
        if not news and (not waking or profile.version == 0):
            return
        work = Work(news, rules, now)
        if _save(profile, *_decide(profile, work), work):
            return
    raise WriteConflict("profile written by others, or by newer rules, too often in a row")


def _decide(before: Profile, work: Work) -> tuple[Profile, list[Signal]]:
    """Return the profile after the news, evaluated after every event, and what that signals."""
    rules, now = work.rules, work.now
    profile, signals = adopt(before, rules, now), []
    for event in sorted(work.news, key=lambda it: (it.received_at, it.occurred_at, it.key)):
        profile, told = absorb(profile, event, rules)
        signals += told
    if not work.news:
        profile, signals = advance(profile, rules, now)
        profile = msgspec.structs.replace(profile, wake_at=NEVER)
    return profile, signals


def _save(before: Profile, profile: Profile, signals: list[Signal], work: Work) -> bool:
    """Write the profile, who it was joined with, and what its addresses permit, in one transaction."""
    rules, now = work.rules, work.now
    joined, pointers = _join(profile, work)
    if joined.state is not profile.state:
        joined, told = reevaluate(joined, rules, now)
        signals = signals + ([] if all(event.backfill for event in work.news) else told)
    joined, others, more = contacts.follow(before, joined, rules, now=now)
    if others:
        joined, told = reevaluate(joined, rules, now)
        signals = signals + told
    if joined == before and not pointers and not more:
        return True
    writes = [profiles.put_profile(finish(joined, rules, now), signals)]
    writes += [profiles.point_to(source, joined.who) for source in (*pointers, *others)]
    saved = base.commit([*writes, *more])
    if saved:
        logger.info(
            "profile derived",
            who=joined.who,
            events=len(work.news),
            signals=len(signals),
            merged=len(pointers) + len(others),
        )
    return saved


def _join(profile: Profile, work: Work) -> tuple[Profile, list[Profile]]:
    """Return the profile joined with the anonymous visitors that it turned out to be, and their rows as they were.

    A visitor without a row yet gets a pointer all the same, so that events that come late find their profile.
    """
    pointers = []
    for key in identity.find_partners(profile, work.news):
        other = profiles.get_profile(key)
        if other.version == 0:
            sources = tuple(sorted({*profile.state.sources, key}))
            if len(sources) <= MOST_SOURCES:
                profile = msgspec.structs.replace(
                    profile, state=msgspec.structs.replace(profile.state, sources=sources)
                )
                pointers.append(other)
        elif identity.is_open(other):
            if not identity.may_join(profile, other, work.now):
                _refuse(profile, work.news, Refusal.TOO_MANY_MERGES, work.now)
                continue
            profile = identity.join(profile, other, work.rules, now=work.now)
            pointers.append(other)
    return profile, pointers


def _derive_all(records: list[dict[str, Any]], now: Instant) -> None:
    """Derive every profile of a batch; a poison event is set aside alone, its neighbours are not lost."""
    load_live(now)
    groups, again = _group(records, now), []

    def one_by_one(group: Group, _: Exception) -> None:
        single = [(group[0], [event]) for event in group[1]]
        again.extend(process_each(single, process, set_aside=_keep_event(now)))

    def process(group: Group) -> None:
        derive(group[0], group[1], now=now)

    again += process_each(groups, process, set_aside=one_by_one)
    if again:
        raise TryAgain(f"{len(again)} of {len(groups)} profiles could not be written")


def _group(records: list[dict[str, Any]], now: Instant) -> list[Group]:
    """Return the events of a batch by the key they are stored under."""
    groups: dict[str, list[Event]] = {}

    def read(record: dict[str, Any]) -> None:
        event = events.decode_image(record["dynamodb"]["NewImage"])
        groups.setdefault(event.who, []).append(event)

    process_each(records, read, set_aside=_keep_record(now))
    return list(groups.items())


def _keep_event(now: Instant) -> Any:
    def keep(group: Group, error: Exception) -> None:
        who, (event,) = group
        body = msgspec.msgpack.encode(event)
        quarantine.put(who, event.key, reason=Refusal.POISON, at=now, where=type(error).__name__, body=body)

    return keep


def _keep_record(now: Instant) -> Any:
    def keep(record: dict[str, Any], error: Exception) -> None:
        who = record.get("dynamodb", {}).get("Keys", {}).get("who", {}).get("S", "")
        key = str(record.get("eventID") or record.get("messageId") or "")
        body = msgspec.json.encode(record)
        quarantine.put(who, key, reason=Refusal.POISON, at=now, where=type(error).__name__, body=body)

    return keep


def _refuse(profile: Profile, news: Sequence[Event], why: Refusal, now: Instant) -> None:
    for event in news:
        quarantine.put(profile.who, event.key, reason=why, at=now)
