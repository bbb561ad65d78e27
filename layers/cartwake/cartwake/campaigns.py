"""Campaigns: how far each is, in words and numbers for `_status/`, and under what its messages are counted."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

from cartwake.bundles import Bundle
from cartwake.enrolments import KEEP_MS, Enrolment, Found, Part, add_all, group, is_missed, is_told
from cartwake.journeys import Journey, Send, Split, Step
from cartwake.paths import find_step, walk_paths
from cartwake.times import Instant, format_instant

FILE: Final = "_status/campaigns.json"
MOST_COUNTERS: Final = 200
_NEARLY: Final = 99


class Known(NamedTuple):
    """What is known beside the rules and the enrolments.

    Attributes:
        sent: By journey, what became of its messages.
        profiles: About how many profiles there are; 0: not known.
        now: The time.
    """

    sent: Mapping[str, Mapping[str, int]]
    profiles: int
    now: Instant


def show_campaigns(rules: Bundle, parts: Sequence[Part], known: Known) -> dict[str, Any]:
    """Return how far every campaign of the last months is, and every journey that brought in who was there, as JSON.

    Args:
        rules: The live ones.
        parts: Of all enrolments.
        known: What else.
    """
    begun = {name: _show(rules.journeys.get(name), some, known) for name, some in group(parts).items()}
    waiting = {
        name: {"message": _say_waiting(rules, name, known.now), "status": rules.journeys[name].status}
        for name, aim in rules.enrolments.items()
        if aim.is_campaign and name not in begun
    }
    return {"looked_at": format_instant(known.now), "campaigns": begun | waiting}


def list_told(rules: Bundle, parts: Iterable[Part], now: Instant) -> set[str]:
    """Return those of which it is told this minute how far they are."""
    return {part.journey for part in parts if is_told(part, now, held=is_held(rules, part))}


def list_missed(rules: Bundle, parts: Iterable[Part], now: Instant) -> list[str]:
    """Return the campaigns that were live when their time came, and did not begin within a day of it."""
    begun = {part.journey for part in parts}
    return [name for name, aim in rules.enrolments.items() if name not in begun and _is_missed(rules, name, aim, now)]


def is_held(rules: Bundle, part: Part) -> bool:
    """Say whether a part waits for its journey to be live again."""
    journey = rules.journeys.get(part.journey)
    return journey is not None and journey.status in ("draft", "paused")


def read_sent(content: bytes | None) -> dict[str, dict[str, int]]:
    """Return what the file of some minutes ago says of the messages of each; nothing where there is none."""
    try:
        told = json.loads(content or b"{}")["campaigns"]
        return {name: dict(each["messages"]) for name, each in told.items() if each.get("messages")}
    except (ValueError, LookupError, TypeError, AttributeError):
        # somebody else wrote it: all is added up once more
        return {}


def list_counters(name: str, journey: Journey) -> list[str]:
    """Return under what the messages of a journey are counted: each step by itself, for each way that leads to it."""
    found: dict[str, None] = {}
    for path, step in walk_paths(journey.steps):
        if isinstance(step, Send):
            for variant in _list_variants(journey.steps, path):
                found[f"{name}#{path}#{variant}"] = None
    return list(found)[:MOST_COUNTERS]


def _list_variants(steps: tuple[Step, ...], path: str) -> Iterator[str]:
    """Yield how messages at a path are called by the variants before it, which may not have been gone through."""
    inside, before = _find_inside(steps, path), dict[str, list[str]]()
    for other, step in walk_paths(steps):
        if other == path:
            break
        if isinstance(step, Split) and step.test and step.test not in inside:
            names = before.setdefault(step.test, [""])
            names += [variant.name for variant in step.variants if variant.name not in names]
    known = {test: [name] for test, name in inside.items()} | before
    for chosen in product(*known.values()):
        pairs = sorted((test, name) for test, name in zip(known, chosen, strict=True) if name)
        yield "&".join(f"{test}={name}" for test, name in pairs)


def _find_inside(steps: tuple[Step, ...], path: str) -> dict[str, str]:
    """Return the variants that a path itself leads through, by their tests."""
    found = {}
    parts = path.split(".")
    for end in range(1, len(parts), 2):
        step = find_step(steps, ".".join(parts[:end]))
        if isinstance(step, Split) and step.test:
            found[step.test] = parts[end]
    return found


def _show(journey: Journey | None, parts: Sequence[Part], known: Known) -> dict[str, Any]:
    first, found = parts[0], add_all(parts)
    sent, status = known.sent.get(first.journey, {}), journey.status if journey else "deleted"
    done, last_at = all(part.done for part in parts), max(part.last_at for part in parts)
    looked = min(100 * found.read // known.profiles if known.profiles else 0, _NEARLY)
    percent = 100 if done else looked
    told = _say_found(found, percent, stopped=any(part.stopped for part in parts))
    held = " It is paused." if status == "paused" else ""
    return {
        "message": f"{told} {sent.get('accepted', 0)} messages were sent.{held}",
        "what": "campaign" if first.aim.is_campaign else "include_existing",
        "status": status,
        "began_at": format_instant(first.began_at),
        "everybody_found": done,
        "percent_looked_at": percent,
        "recipients": found.enrolled,
        "left_out": found.refused,
        **({"failed": found.failed} if found.failed else {}),
        "last_begins_at": format_instant(last_at) if last_at else None,
        "all_have_begun": done and last_at <= known.now,
        "messages": dict(sent),
    }


def _say_found(found: Found, percent: int, *, stopped: bool) -> str:
    if stopped:
        return f"{found.enrolled} recipients, then it was archived."
    if percent < 100:
        return f"{found.enrolled} recipients until now; {percent} % of all profiles were looked at."
    return f"{found.enrolled} recipients."


def _say_waiting(rules: Bundle, name: str, now: Instant) -> str:
    status, aim = rules.journeys[name].status, rules.enrolments[name]
    at = format_instant(aim.starts_at)
    if _is_missed(rules, name, aim, now):
        return (
            f"It did not begin within a day of {at}, its time, and does not any more: nobody got it. To send it all "
            "the same, copy the file under another name, with a new time, and delete this one."
        )
    if status == "live":
        return f"Its time was {at}." if aim.starts_at + KEEP_MS <= now else f"It begins at {at}."
    return {"draft": "A draft: nothing is sent.", "paused": "Paused before it began."}.get(status, "Archived.")


def _is_missed(rules: Bundle, name: str, aim: Enrolment, now: Instant) -> bool:
    return aim.is_campaign and rules.journeys[name].status == "live" and is_missed(aim, now)
