"""Progress: what a sweep has come to, in words and numbers for `_status/`."""

import json
from collections.abc import Sequence
from typing import Any, Final

from cartwake.sweeps import PARTS, Moved, Part, SweepKind, Tally, add_all
from cartwake.times import HOUR, MINUTE, Instant, format_instant

FILES: Final = {SweepKind.LIVE: "_status/sweep.json", SweepKind.TRIAL: "_status/trial.json"}
_NEARLY: Final = 99


def show_progress(parts: Sequence[Part], *, profiles: int, now: Instant) -> dict[str, Any]:
    """Return how far a sweep is, as JSON data.

    Args:
        parts: All of them.
        profiles: About how many rows there are to read; 0: not known.
        now: The time.
    """
    tally = add_all(parts)
    kind, aim = parts[0].kind, parts[0].aim
    done = all(part.done for part in parts)
    percent = 100 if done else _reckon_percent(parts, tally.read, profiles)
    ended_at = max(part.updated_at for part in parts) if done else _expect_end(percent, aim.began_at, now)
    return {
        "message": _say(kind, tally, percent, ends_in=None if done or ended_at is None else ended_at - now),
        "what": kind.value,
        **({"candidate": aim.candidate} if aim.candidate else {}),
        "generation": aim.generation,
        "done": done,
        "percent": percent,
        "began_at": format_instant(aim.began_at),
        "ended_at" if done else "ends_about": None if ended_at is None else format_instant(ended_at),
        "profiles": {
            "read": tally.read,
            "written": tally.written,
            "backfilled": tally.backfilled,
            "moved": tally.people,
            **({"failed": tally.failed} if tally.failed else {}),
        },
        "segments": show_moved(tally.moved),
    }


def show_moved(moved: dict[str, Moved]) -> dict[str, dict[str, int]]:
    """Return how many entered and left each segment, as JSON data."""
    return {name: {"entered": each.entered, "left": each.left} for name, each in sorted(moved.items())}


def encode(data: dict[str, Any]) -> bytes:
    """Return JSON as people read it."""
    return (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode()


def say_moved(moved: dict[str, dict[str, int]]) -> str:
    """Return how many entered and left each segment, in words."""
    told = [
        f"{name}: {', '.join(f'{each[way]} {way}' for way in ('entered', 'left') if each[way])}"
        for name, each in moved.items()
    ]
    return "; ".join(told) or "nobody"


def say_failed(failed: int) -> str:
    """Return how many could not be looked at, as the end of a sentence; nothing when all could."""
    return f"; {failed} could not be looked at, see the log of sweep_profiles" if failed else ""


def _reckon_percent(parts: Sequence[Part], read: int, profiles: int) -> int:
    """The table's own count of rows is some hours old: what is not done is never more than 99 % done."""
    by_parts = 100 * sum(part.done for part in parts) // PARTS
    by_rows = 100 * read // profiles if profiles else 0
    return min(max(by_parts, by_rows), _NEARLY)


def _expect_end(percent: int, began_at: Instant, now: Instant) -> Instant | None:
    return None if percent == 0 else now + (now - began_at) * (100 - percent) // percent


def _say(kind: SweepKind, tally: Tally, percent: int, *, ends_in: int | None) -> str:
    what = {SweepKind.LIVE: "Everybody is looked at under the new rules", SweepKind.TRIAL: "The change is tried"}[kind]
    if percent == 100:
        what = {SweepKind.LIVE: "Everybody was looked at under the new rules", SweepKind.TRIAL: "The change was tried"}[
            kind
        ]
        told = f"{what}: {tally.read} profiles, of whom {tally.people} moved ({say_moved(show_moved(tally.moved))})"
        return f"{told}{say_failed(tally.failed)}."
    left = "" if ends_in is None else f", about {_say_time(ends_in)} left"
    return f"{what}: {percent} % done{left}."


def _say_time(duration_ms: int) -> str:
    if duration_ms < 2 * MINUTE:
        return "a minute"
    return f"{duration_ms // MINUTE} minutes" if duration_ms < 2 * HOUR else f"{duration_ms // HOUR} hours"
