"""Doubts about ends: tests of variants whose time was over before anybody published them."""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from cartwake.rules.faults import Fault
from cartwake.rules.files import SETTINGS, Content, walk
from cartwake.rules.models import Journey
from cartwake.rules.settings_models import Settings
from cartwake.rules.step_models import SplitStep
from cartwake.rules.winner_models import WinnerRule
from cartwake.rules.words import begin_date, is_duration
from cartwake.times import Instant, format_instant


def doubt_ends(files: Mapping[str, Content], now: Instant) -> Iterator[Fault]:
    """Yield a warning for every test that ends on a day that is past; *now* 0: it is not known."""
    settings = files.get(SETTINGS)
    zone = ZoneInfo(settings.timezone if isinstance(settings, Settings) else "UTC")
    for file, content in sorted(files.items()):
        if not isinstance(content, Journey) or content.status == "archived":
            continue
        for path, step in walk(content.steps):
            rule = step.winner if isinstance(step, SplitStep) else None
            if isinstance(rule, WinnerRule) and rule.until and not is_duration(rule.until):
                yield from _doubt(file, f"{path}.winner.until", begin_date(rule.until, zone), now)


def _doubt(file: str, path: str, ends_at: Instant, now: Instant) -> Iterator[Fault]:
    if ends_at <= now:
        yield Fault(
            file=file,
            path=path,
            message=f"The time is over since {format_instant(ends_at)}: the next look takes the best so far, however "
            "few were counted, unless it was decided before. Write a later time, or the name of the winner.",
            example='"until": "30 days"',
            severity="warning",
        )
