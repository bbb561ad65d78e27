"""Proportions: how many of some did something, how far that may be by chance, and how sure it is that two differ.

`weigh` gives the evidence that one share is larger than another, as a likelihood ratio that may be looked at as often
as one likes: were it not larger, the ratio would ever come to k with a probability of 1/k at most (Ville's inequality).
It rests on one thing alone: chance, with known odds, has said who is in which group.
"""

from math import exp, log, sqrt
from typing import Final, NamedTuple

_LIFTS: Final = (1.02, 1.03, 1.05, 1.07, 1.1, 1.15, 1.2, 1.3, 1.4, 1.6, 2.0, 3.0)
"""By how much one share may be larger: each is thought as likely as the others."""
_BASES: Final = (0.003, 0.03, 0.1, 0.2, 0.35, 0.5, 0.7)
"""How large both together may be, likewise."""
Z95: Final = 1.959964


class Tally(NamedTuple):
    """How many there are, and how many of them did it."""

    number: int = 0
    hits: int = 0

    @property
    def rate(self) -> float:
        """The share that did it, 0 where there is nobody."""
        return self.hits / self.number if self.number else 0.0


def find_interval(tally: Tally, z: float = Z95) -> tuple[float, float]:
    """Return between what the share lies, by Wilson's score interval; *z* of 1.96 is 95 percent."""
    if not tally.number:
        return 0.0, 1.0
    number, rate = tally.number, tally.rate
    middle = (rate + z * z / (2 * number)) / (1 + z * z / number)
    half = z / (1 + z * z / number) * sqrt(rate * (1 - rate) / number + z * z / (4 * number * number))
    low = 0.0 if not tally.hits else max(0.0, middle - half)
    return low, 1.0 if tally.hits == number else min(1.0, middle + half)


def find_lift(one: Tally, other: Tally, z: float = Z95) -> tuple[float, float, float]:
    """Return by how much the first share is larger, and between what that lies, by Newcombe's interval."""
    (low1, high1), (low2, high2) = find_interval(one, z), find_interval(other, z)
    lift = one.rate - other.rate
    down = sqrt((one.rate - low1) ** 2 + (high2 - other.rate) ** 2)
    up = sqrt((high1 - one.rate) ** 2 + (other.rate - low2) ** 2)
    return lift, max(-1.0, lift - down), min(1.0, lift + up)


def weigh(better: Tally, worse: Tally, *, odds: float) -> float:
    """Return the logarithm of the evidence that the first share is larger than the second.

    A hit comes from the first group with a known probability if both are alike, and with a larger one if it is better;
    of what is no hit the reverse holds. The ratio of the two is averaged over how much better it may be. Were the first
    no better, each shopper would on average leave the ratio as it is, or lower it, whatever the rates are and however
    they change with time.

    Args:
        better: Of whom it is asked whether they are better.
        worse: Those they are compared with.
        odds: How likely chance puts somebody into the first group, of those in both.
    """
    logs = []
    for lift in _LIFTS:
        down = 1 / (odds * lift + 1 - odds)
        up = lift * down
        hits = better.hits * log(up) + worse.hits * log(down)
        for base in _BASES:
            if base * up < 1:
                missed = (better.number - better.hits) * log((1 - base * up) / (1 - base))
                missed += (worse.number - worse.hits) * log((1 - base * down) / (1 - base))
                logs.append(hits + missed)
    top = max(logs)
    return top + log(sum(exp(it - top) for it in logs) / len(logs))
