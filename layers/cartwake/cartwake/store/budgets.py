"""Budgets: how much of a day's marketing is left, leased in slices so that no message writes a row for it.

A slice is taken from the counts table by a conditional write, and spent in the memory of one process. What a process
has not spent when it ends is lost to that day: less goes out than is allowed, never more. So a process first takes what
it needs, and then slices as large as what it has spent, up to a fiftieth of the budget: it loses no more than it has
sent, and asks seldom where much is sent.
"""

from typing import Final

import msgspec

from cartwake.statements import Channel
from cartwake.store import base
from cartwake.store.counts import CountRow

_SLICES: Final = 50


class Purse(msgspec.Struct, frozen=True):
    """What a process has of a channel and a day.

    Attributes:
        left: What it may still spend.
        spent: What it has spent since a slice was refused: then little is left for all of them.
    """

    left: int = 0
    spent: int = 0


_purses: dict[tuple[Channel, str], Purse] = {}


def take(channel: Channel, day: str, amount: int, *, limit: int) -> bool:
    """Take *amount* from the budget of a channel and a day; False when not so much is left."""
    purse = _purses.get((channel, day), Purse())
    lacks = amount - purse.left
    for slice_ in dict.fromkeys((max(lacks, min(purse.spent, limit // _SLICES)), lacks)):
        if purse.left >= amount:
            break
        leased = _lease(channel, day, slice_, limit=limit)
        purse = Purse(purse.left + slice_, purse.spent) if leased else Purse(purse.left)
    enough = purse.left >= amount
    for old in [key for key in _purses if key[0] is channel and key[1] < day]:
        del _purses[old]
    _purses[channel, day] = Purse(purse.left - amount, purse.spent + amount) if enough else purse
    return enough


def give_back(channel: Channel, day: str, amount: int) -> None:
    """Give back what was taken and not sent."""
    purse = _purses.get((channel, day), Purse())
    _purses[channel, day] = Purse(purse.left + amount, max(0, purse.spent - amount))


def forget() -> None:
    """Lose what was leased, as the end of a process does; for tests."""
    _purses.clear()


def _lease(channel: Channel, day: str, amount: int, *, limit: int) -> bool:
    if amount > limit:
        return False
    row, leased = CountRow(f"budget#{channel}", day), CountRow.leased
    return base.change(row, [leased.add(amount)], leased.does_not_exist() | (leased <= limit - amount))
