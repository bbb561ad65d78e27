"""Doubts about history: windows that reach further back than events are kept."""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from cartwake.events import KEEP_MS
from cartwake.rules.amount_models import Amount, DistinctOf
from cartwake.rules.behaviour_models import Did, DidNot, Edge
from cartwake.rules.compiling.windows import compile_window
from cartwake.rules.doubts.walks import walk_conditions
from cartwake.rules.faults import Fault
from cartwake.rules.files import SETTINGS, Content
from cartwake.rules.score_models import Score
from cartwake.rules.settings_models import Settings
from cartwake.rules.window_models import Window
from cartwake.times import DAY, Instant, parse_duration


def doubt_history(files: Mapping[str, Content], now: Instant) -> Iterator[Fault]:
    """Yield a warning for every window that needs more history than events are kept for; *now* 0: it is not known."""
    settings = files.get(SETTINGS)
    zone = ZoneInfo(settings.timezone if isinstance(settings, Settings) else "UTC")
    for file, content in sorted(files.items()):
        for path, rule in walk_conditions(content):
            if isinstance(rule, Did | DidNot | Edge | Amount | DistinctOf):
                yield from _doubt_window(file, path, rule, _find_reach(rule, zone, now))
        if isinstance(content, Score) and content.in_last:
            yield from _doubt(file, "in_last", parse_duration(content.in_last))
        if isinstance(content, Settings):
            yield from _doubt(file, "lifecycle.lost_after", parse_duration(content.lifecycle.lost_after))
            yield from _doubt(file, "lifecycle.period", parse_duration(content.lifecycle.period))


def _find_reach(rule: Window, zone: ZoneInfo, now: Instant) -> int:
    """Return how far back a window reaches that has a beginning."""
    span = compile_window(rule, zone)
    return max(span.within_ms, span.before_ms, now - span.from_at if now and span.from_at else 0)


def _doubt_window(file: str, path: str, rule: Window, reach_ms: int) -> Iterator[Fault]:
    key = next((name for name in ("in_last", "after", "between", "before") if getattr(rule, name)), "")
    return _doubt(file, f"{path}.{key}", reach_ms)


def _doubt(file: str, path: str, reach_ms: int) -> Iterator[Fault]:
    if reach_ms > KEEP_MS:
        yield Fault(
            file=file,
            path=path,
            message=f"Needs {reach_ms // DAY} days of history; events are kept for {KEEP_MS // DAY}. Of what shoppers "
            "did before this rule no more can be known; from now on it is remembered for as long as it is needed.",
            severity="warning",
        )
