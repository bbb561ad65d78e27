"""Variants: a test of ways through a journey, how it is decided which is best, and who has won."""

from typing import Final

import msgspec

from cartwake.journeys import HOLD_OUT, Split, Variant
from cartwake.times import DAY, Instant

WITHIN_MS: Final = 3 * DAY
"""For so long after it came to the split what a shopper does counts, where a test says nothing else."""
MEASURES: Final = ("opened", "clicked", "ordered")
GUARD: Final = "unsubscribed"


class VariantTest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A test of one journey, as it is measured and decided.

    Attributes:
        digest: Of its variants and of how long it measures: what was counted of others does not count for it.
        micros: By variant, the share of shoppers that goes it, in millionths; those held out among them.
        within_ms: For so long what a shopper does counts.
        by: The measure that decides; "": none does.
        sure: How sure a winner must be, between 0 and 1.
        at_least: How many shoppers each variant must have been measured on.
        until_ms: So long after the first shopper came to it the best so far is taken; 0: see `until`.
        until: Then the best so far is taken; 0 with `until_ms` of 0: never.
        until_date: The day of which `until` is the beginning: that moves with the shop's timezone.
        since: The publish with which this definition went live; 0: it did not yet.
        winner: The variant that everybody gets from now on; "": chance decides.
        how: Who said so: `hand`, `numbers` or `time`; "": it is not decided.
    """

    digest: str
    micros: dict[str, int]
    within_ms: int = WITHIN_MS
    by: str = ""
    sure: float = 0.95
    at_least: int = 200
    until_ms: int = 0
    until: Instant = 0
    until_date: str = ""
    since: Instant = 0
    winner: str = ""
    how: str = ""

    @property
    def rivals(self) -> tuple[str, ...]:
        """The variants that can win: being held out is none."""
        return tuple(name for name in self.micros if name != HOLD_OUT)

    @property
    def is_open(self) -> bool:
        """Whether numbers, or time, still have to decide it."""
        return bool(self.by and self.since and not self.how)


def find_kept(step: Split, kept: str | None) -> Variant | None:
    """Return the way that a run has gone before in this test, if there still is one."""
    return next((it for it in step.variants if it.name == kept), None)


def has_winner(step: Split, test: VariantTest | None) -> bool:
    """Say whether this very test is won: a decision about other variants of the same names is none."""
    return test is not None and bool(test.winner) and test.digest == step.digest


def follow_winner(step: Split, chosen: Variant, test: VariantTest | None) -> Variant:
    """Return the way of the one who has won in the place of *chosen*.

    Who is held out stays so for as long as the file says that some are.
    """
    if test is None or chosen.name == HOLD_OUT:
        return chosen
    return find_kept(step, test.winner) or chosen
