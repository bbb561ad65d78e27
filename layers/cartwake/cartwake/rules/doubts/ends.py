"""Doubts about ends: tests of variants, and campaigns, whose time was over before anybody published them."""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from cartwake.rules.campaign_models import Campaign
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
    zone = _find_zone(files)
    for file, content in sorted(files.items()):
        if not isinstance(content, Journey) or content.status == "archived":
            continue
        for path, step in walk(content.steps):
            rule = step.winner if isinstance(step, SplitStep) else None
            if isinstance(rule, WinnerRule) and rule.until and not is_duration(rule.until):
                yield from _doubt(file, f"{path}.winner.until", begin_date(rule.until, zone), now)


def doubt_campaigns(files: Mapping[str, Content], now: Instant) -> Iterator[Fault]:
    """Yield a warning for every live campaign whose time is over, where nobody knows whether it has begun."""
    zone = _find_zone(files)
    for file, content in sorted(files.items()):
        if isinstance(content, Campaign) and content.status == "live" and begin_date(content.at, zone) < now:
            yield Fault(
                file=file,
                path="at",
                message="Its time is over. If it has not begun, publishing refuses it: nothing is sent for the past. "
                "If it has, the file may stay as it is.",
                severity="warning",
            )


def _find_zone(files: Mapping[str, Content]) -> ZoneInfo:
    settings = files.get(SETTINGS)
    return ZoneInfo(settings.timezone if isinstance(settings, Settings) else "UTC")


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
