"""erase_profiles: delete what is stored of erased shoppers, again when nothing can come late, and then their keys."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final, Protocol

from cartwake.addresses import derive_key, normalise
from cartwake.batches import process_queue, read_asked
from cartwake.clock import read_clock
from cartwake.erasure import (
    LEASE_MS,
    Erasure,
    due_at,
    end_pass,
    is_resting,
    make_search,
    name_export,
    rest_again,
)
from cartwake.events import derive_id
from cartwake.gateways import bucket, queue
from cartwake.gateways.secrets import address_secret
from cartwake.reasons import Refusal
from cartwake.statements import Channel
from cartwake.store import consents, erasures, quarantine, removal
from cartwake.telemetry import count, logger, metrics, name_who
from cartwake.times import HOUR, SECOND, Instant

AT_ONCE: Final = 100
MOST_A_CALL: Final = 5_000
RESERVE_MS: Final = 15 * SECOND
"""So much of the time must be left for a hundred rows more; they take a second or two."""


class Delete(Protocol):
    """Deletes so many rows at most, and returns how many; none when none is left."""

    def __call__(self, *, most: int) -> int: ...  # noqa: D102  see the class


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Go on with erasures, as long as there is time; where each stands is in its tombstone, and what is still there.

    Args:
        event: `Records` of SQS with bodies `{"who": key of the profile that was}`.
        context: Lambda's.
    """
    return process_queue(event, lambda body: erase(body["who"], context), set_aside=_set_aside)


def erase(who: str, context: Any) -> None:
    """Do the pass that is due, or a part of it and ask for another go; what is outdated or doubled does nothing."""
    erasure, now = erasures.get_erasure(who), read_clock()
    if erasure is None or due_at(erasure) > now:
        logger.info("erasure outdated", who=name_who(who))
        return
    erasures.postpone(who, now + LEASE_MS)
    if is_resting(erasure):
        _end_rest(erasure, context, now)
    elif not _delete(_list_deletes(erasure), context):
        queue.send_erasures([who])
    elif erasures.replace(erasure, end_pass(erasure, read_clock())):
        _tell("profile deleted", erasure)


def _end_rest(erasure: Erasure, context: Any, now: Instant) -> None:
    """Let the tombstones go when nothing has come in behind the last pass; else that is done again, and they stay.

    That they stay is written first: what was deleted by somebody who was killed, or doubled, is not thought long gone.
    """
    unnamed_gone = _delete([_find_unnamed(erasure)], context)
    if removal.is_anything_left(erasure.keys):
        if erasures.replace(erasure, rest_again(erasure, now)):
            _delete(_list_deletes(erasure), context)
            _tell("tombstones stay", erasure)
    elif unnamed_gone and erasures.let_go(erasure):
        _tell("tombstones gone", erasure)


def _delete(deletes: Iterable[Delete], context: Any) -> bool:
    """Delete what is there, as long as there is time; say whether that was all."""
    left = MOST_A_CALL
    for delete in deletes:
        deleted = 1
        while deleted:
            if left <= 0 or context.get_remaining_time_in_millis() < RESERVE_MS:
                return False
            deleted = delete(most=min(left, AT_ONCE))
            left -= deleted
    return True


def _tell(what: str, erasure: Erasure) -> None:
    count("ErasurePasses")
    logger.info(what, who=name_who(erasure.who), keys=len(erasure.keys), passes=len(erasure.passes))


def _list_deletes(erasure: Erasure) -> Iterator[Delete]:
    """Yield what deletes, in order; doing any of it again is harmless."""
    for key in erasure.keys:
        for table in removal.TABLES:
            yield partial(removal.delete_rows, table, key)
        yield partial(removal.delete_coupons, key, erasure.keys)
        yield partial(_delete_export, key)
    for address in erasure.addresses:
        yield partial(consents.unname, address, erasure.at)
    yield _find_unnamed(erasure)


def _find_unnamed(erasure: Erasure) -> Delete:
    return partial(removal.delete_unnamed, make_search(erasure, _derive_keys))


def _delete_export(who: str, *, most: int) -> int:
    return bucket.delete_all(name_export(who), most=most)


def _derive_keys(text: str) -> list[str]:
    """Return the keys that a text has if it is an address."""
    channel = Channel.EMAIL if "@" in text else Channel.SMS
    normalised = normalise(channel, text)
    return [] if normalised is None else [derive_key(channel, normalised, address_secret())]


def _set_aside(record: dict[str, Any], error: Exception) -> None:
    """Note that an erasure failed, without naming anybody, and look at it again in an hour."""
    now, asked = read_clock(), read_asked(record)
    key = derive_id("erasure", str(asked.get("who", record["messageId"])))
    quarantine.put("", key, reason=Refusal.POISON, at=now - now % HOUR, where=type(error).__name__)
    if "who" in asked:
        erasures.postpone(asked["who"], now + HOUR)
