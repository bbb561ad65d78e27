"""Budgets: how much of a day's marketing is left, leased in slices so that no message writes a row for it.

A slice is taken from the counts table by a conditional write, and spent in the memory of one process. What a process
has not spent when it ends is lost to that day: less goes out than is allowed, never more.
"""

from typing import Final

from cartwake.statements import Channel
from cartwake.store import base
from cartwake.store.counts import CountRow

_SLICES: Final = 50
_purses: dict[tuple[Channel, str], int] = {}


def take(channel: Channel, day: str, amount: int, *, limit: int) -> bool:
    """Take *amount* from the budget of a channel and a day; False when not so much is left."""
    have = _purses.get((channel, day), 0)
    for slice_ in (max(amount - have, limit // _SLICES), amount - have):
        if have >= amount:
            break
        if _lease(channel, day, slice_, limit=limit):
            have += slice_
    if have < amount:
        return False
    for old in [key for key in _purses if key[0] is channel and key[1] < day]:
        del _purses[old]
    _purses[channel, day] = have - amount
    return True


def give_back(channel: Channel, day: str, amount: int) -> None:
    """Give back what was taken and not sent."""
    _purses[channel, day] = _purses.get((channel, day), 0) + amount


def forget() -> None:
    """Lose what was leased, as the end of a process does; for tests."""
    _purses.clear()


def _lease(channel: Channel, day: str, amount: int, *, limit: int) -> bool:
    if amount > limit:
        return False
    row, leased = CountRow(f"budget#{channel}", day), CountRow.leased
    return base.change(row, [leased.add(amount)], leased.does_not_exist() | (leased <= limit - amount))
