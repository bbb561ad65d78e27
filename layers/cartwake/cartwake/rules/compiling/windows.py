"""Windows: when something must have happened, as it is evaluated."""

from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from cartwake.rules.window_models import Window
from cartwake.rules.words import begin_date, end_date, is_duration
from cartwake.times import DAY, Instant, parse_duration

SINCE_START_MS: Final = 365 * DAY
"""How far back everything is remembered that is asked for since the start of a run: as long as the longest wait."""


class Span(NamedTuple):
    """Two times before now, or two instants, or since the start of a run; each may be missing.

    Attributes:
        within_ms: Later than so long ago; 0: no matter how old.
        before_ms: At least so long ago.
        from_at: At this instant or later.
        before_at: Before this instant; 0: no end.
    """

    within_ms: int = 0
    before_ms: int = 0
    from_at: Instant = 0
    before_at: Instant = 0
    since_start: bool = False

    @property
    def is_dated(self) -> bool:
        """Whether it says instants."""
        return bool(self.from_at or self.before_at)


def compile_window(rule: Window, zone: ZoneInfo) -> Span:
    """Return the window that a rule says; the days of dates are those of *zone*."""
    if getattr(rule, "since", None):
        return Span(since_start=True)
    if rule.between:
        first, second = rule.between
        if is_duration(first):
            return Span(within_ms=parse_duration(first), before_ms=parse_duration(second))
        return Span(from_at=begin_date(first, zone), before_at=end_date(second, zone))
    before = rule.before
    within_ms = parse_duration(rule.in_last) if rule.in_last else 0
    if before and is_duration(before):
        return Span(within_ms=within_ms, before_ms=parse_duration(before))
    from_at = begin_date(rule.after, zone) if rule.after else 0
    return Span(within_ms=within_ms, from_at=from_at, before_at=begin_date(before, zone) if before else 0)
