"""Histories: what is reckoned with of all that a shopper has ordered."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from cartwake.sums import MOST_EXACT
from cartwake.times import DAY, NEVER, Instant
from cartwake.trackers import Entry, Tracker
from cartwake.values import MICROS


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A shopper's orders, summed up.

    Several orders on one day, by UTC, are one purchase: so do the models count that predictions come from, and who
    orders again because something was forgotten has not come back.

    Attributes:
        first_at: The first order.
        last_at: The last one.
        orders: How many.
        total: Their value in millionths.
        repeats: On how many days there were orders, without the first such day.
        repeat_mean: The mean value of such a day in the currency's unit, without the first; 0 if there is none.
        rhythm_days: The median of the days from one day with orders to the next; None if there is only one.
    """

    first_at: Instant
    last_at: Instant
    orders: int
    total: int
    repeats: int = 0
    repeat_mean: float = 0.0
    rhythm_days: float | None = None

    @property
    def next_order_at(self) -> Instant | None:
        """When the next order would come, if the shopper kept to the rhythm."""
        return None if self.rhythm_days is None else self.last_at + round(self.rhythm_days * DAY)


def read_history(tracker: Tracker, now: Instant = NEVER) -> History | None:
    """Return the history that *tracker* tells of, without what happens after *now*; None if there is nothing.

    Of more than 200 orders only the latest 200 are known one by one, or soon will be: the others are added up. So then
    the number of days is taken to be to the number of orders as among those 200, and the mean is that of all days. It
    is reckoned so from the 201st order on, whether or not they are added up yet: that must not change an answer.
    """
    entries = [entry for entry in tracker.entries if entry.at <= now]
    orders = len(entries) + sum(each.count for each in tracker.sums)
    if not entries:
        return None
    total = sum(entry.micros for entry in entries) + sum(each.micros for each in tracker.sums)
    by_day = _add_up_days(entries[-MOST_EXACT:])
    if orders <= MOST_EXACT:
        days, first_value = len(by_day), next(iter(by_day.values()))
        repeated = total - first_value
    else:
        days = max(len(by_day), round(orders * len(by_day) / min(len(entries), MOST_EXACT)))
        repeated = total * (days - 1) // days
    return History(
        first_at=min(entries[0].at, *(each.at for each in tracker.sums)) if tracker.sums else entries[0].at,
        last_at=entries[-1].at,
        orders=orders,
        total=total,
        repeats=days - 1,
        repeat_mean=repeated / (days - 1) / MICROS if days > 1 else 0.0,
        rhythm_days=_find_median(sorted(later - earlier for earlier, later in pairwise(by_day))),
    )


def _add_up_days(entries: list[Entry]) -> dict[int, int]:
    """Return the value of each day's orders by the day's number, in order of time."""
    by_day: dict[int, int] = {}
    for entry in entries:
        day = entry.at // DAY
        by_day[day] = by_day.get(day, 0) + entry.micros
    return by_day


def _find_median(ordered: Sequence[int]) -> float | None:
    """Return the middle one; `statistics` has it too, and takes as long to import as all of this."""
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2 if ordered else None
