"""Judging: what was expected, beside what happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from cartwake.journeys import Journey
from cartwake.rules.faults import find_nearest
from cartwake.times import MINUTE, SECOND, format_duration, to_datetime
from cartwake_cli.stories.noticing import Happening, What
from cartwake_cli.stories.playing import Told
from cartwake_cli.stories.sentences import (
    Belongs,
    Enters,
    EntersNot,
    Expectation,
    Gets,
    GetsNo,
    GetsNothing,
    Leaves,
    Line,
    When,
    Why,
)

KINDS: Final = (Gets, GetsNo, GetsNothing, Enters, EntersNot, Leaves, Belongs)
_NEGATED: Final = (What.SKIPPED, What.NOT_ENTERED, What.LEFT)


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that did not come true, and what came instead."""

    line: Line
    message: str


def has_expectations(told: Told) -> bool:
    """Say whether a story expects anything."""
    return any(isinstance(line.sentence, KINDS) for line in told.story.lines)


def judge(told: Told) -> list[Failure]:
    """Return every expectation of a story that did not come true."""
    return list(_Judge(told).judge())


def name_why(happening: Happening) -> str:
    """Return the reason of something as a story writes it: `exited (Order Completed)`."""
    return f"{happening.reason} ({happening.by})" if happening.by else happening.reason


def find_reasons(told: Told, who: str, what: str) -> list[Happening]:
    """Return what may have kept a template, or a channel, from somebody: a skip, or its journey's end."""
    journeys = {name for name, journey in told.rules.journeys.items() if what in list_messages(journey)}
    found = told.list_of(who, *_NEGATED)
    return [it for it in found if what in (it.template, it.channel) or (not it.template and it.journey in journeys)]


def list_messages(journey: Journey) -> set[str]:
    """Return the templates and the channels of a journey's messages, whatever kinds of steps they stand in."""
    return set(_walk(msgspec.to_builtins(journey.steps)))


def _walk(told: Any) -> Iterator[str]:
    if isinstance(told, dict):
        yield from [told["template"], str(told.get("channel"))] if "template" in told else []
        told = list(told.values())
    if isinstance(told, list | tuple):
        for each in told:
            yield from _walk(each)


class _Judge:
    def __init__(self, told: Told) -> None:
        self._told = told
        self._left = list(told.happenings)

    def judge(self) -> Iterator[Failure]:
        expected = [line for line in self._told.story.lines if isinstance(line.sentence, KINDS)]
        # that there is nothing else can only be said when everything else is found
        for line in sorted(expected, key=lambda it: isinstance(it.sentence, GetsNothing)):
            message = self._ask(line, line.sentence)  # type: ignore[arg-type]
            if message:
                yield Failure(line, message)

    def _ask(self, line: Line, expected: Expectation) -> str:
        """Return what is wrong; "" when all is as expected."""
        if expected.who.lower() not in self._told.called:
            nearest = find_nearest(expected.who, self._told.called)
            return f"Nobody in this story is called {expected.who}" + (f"; {nearest} is." if nearest else ".")
        match expected:
            case Gets():
                return self._ask_gets(expected)
            case GetsNo():
                return self._ask_gets_no(expected)
            case GetsNothing(who=who):
                left = [it for it in self._told.list_of(who, What.SENT) if it in self._left]
                return f"Besides, {who} gets {' and '.join(map(self._describe, left))}." if left else ""
            case Enters(who=who, journey=journey, when=when):
                return self._ask_run(What.ENTERED, who, journey, when=when)
            case Leaves(who=who, journey=journey, when=when, why=why):
                return self._ask_run(What.LEFT, who, journey, when=when, why=why)
            case EntersNot():
                return self._ask_enters_not(expected)
            case Belongs(segment=segment, inside=inside):
                is_inside = self._told.belongs[line.number]
                verb = "is" if is_inside else "is not"
                return "" if is_inside == inside else f"At that moment {expected.who} {verb} in {segment}."

    def _ask_gets(self, expected: Gets) -> str:
        sent = [it for it in self._told.list_of(expected.who, What.SENT) if it in self._left]
        alike = [it for it in sent if (it.template, it.channel) == (expected.template, expected.channel)]
        for each in alike:
            if not self._compare(expected, each):
                self._left.remove(each)
                return ""
        if alike:
            self._left.remove(alike[0])
            return f"{expected.who} gets it, but {' and '.join(self._compare(expected, alike[0]))}."
        return f"{expected.who} does not get it. {self._say_reasons(expected.who, expected.template)}"

    def _compare(self, expected: Gets, it: Happening) -> list[str]:
        """Return in what a message differs from what is expected."""
        wrong = [] if self._fits(expected.when, it) else [f"at another time: {self._describe_time(it)}"]
        if expected.subject is not None and expected.subject not in it.subject:
            wrong.append(f'with the subject "{it.subject}"')
        if expected.text is not None and expected.text not in it.text:
            wrong.append(f'without "{expected.text}" in its text')
        return wrong

    def _ask_gets_no(self, expected: GetsNo) -> str:
        sent = [it for it in self._told.list_of(expected.who, What.SENT) if expected.what in (it.template, it.channel)]
        if sent:
            return f"{expected.who} gets {self._describe(sent[0])}, {self._describe_time(sent[0])}."
        if expected.why is None or any(
            _is_reason(expected.why, it) for it in find_reasons(self._told, expected.who, expected.what)
        ):
            return ""
        return f"{expected.who} does not get it, for another reason. {self._say_reasons(expected.who, expected.what)}"

    def _ask_run(self, what: What, who: str, journey: str, *, when: When | None, why: Why | None = None) -> str:
        runs = [it for it in self._told.list_of(who, what) if it.journey == journey and it in self._left]
        verb = "enter" if what is What.ENTERED else "leave"
        if not runs:
            refused = [it for it in self._told.list_of(who, What.NOT_ENTERED) if it.journey == journey]
            reasons = f" Reason: {', '.join(map(name_why, refused))}." if refused else ""
            return f"{who} does not {verb} it{' once more' if self._has(what, who, journey) else ''}.{reasons}"
        fitting = [it for it in runs if self._fits(when, it) and (why is None or _is_reason(why, it))]
        self._left.remove((fitting or runs)[0])
        if fitting:
            return ""
        reason = f", reason: {name_why(runs[0])}" if why is not None else ""
        return f"{who} {verb}s it {self._describe_time(runs[0])}{reason}."

    def _has(self, what: What, who: str, journey: str) -> bool:
        return any(it.journey == journey for it in self._told.list_of(who, what))

    def _ask_enters_not(self, expected: EntersNot) -> str:
        entered = [it for it in self._told.list_of(expected.who, What.ENTERED) if it.journey == expected.journey]
        refused = [it for it in self._told.list_of(expected.who, What.NOT_ENTERED) if it.journey == expected.journey]
        if len(entered) > (1 if expected.again else 0):
            return f"{expected.who} enters it {self._describe_time(entered[-1])}."
        if expected.why is None or any(_is_reason(expected.why, it) for it in refused):
            return ""
        reasons = ", ".join(map(name_why, refused)) or "nothing has asked for it"
        return f"{expected.who} does not enter it, for another reason: {reasons}."

    def _say_reasons(self, who: str, what: str) -> str:
        reasons = dict.fromkeys(name_why(it) for it in find_reasons(self._told, who, what))
        if reasons:
            return f"Reason: {', '.join(reasons)}."
        drafts = [
            name
            for name, journey in self._told.rules.journeys.items()
            if what in list_messages(journey) and journey.status != "live"
        ]
        if drafts:
            return f"The journey {drafts[0]} is not live; `journey {drafts[0]} is live` makes it so in the story."
        return "No journey that sends it was entered."

    def _fits(self, when: When | None, it: Happening) -> bool:
        if when is None:
            return True
        if when.after_ms is not None:
            within = MINUTE if when.after_ms % MINUTE == 0 else SECOND
            return it.entered_at > 0 and abs(it.at - it.entered_at - when.after_ms) < within
        local = self._find_local(it, theirs=when.theirs)
        if when.day is not None and local.date() != when.day:
            return False
        minute = local.time().replace(second=0, microsecond=0)
        if when.begin is None:
            return True
        return minute == when.begin if when.end is None else when.begin <= minute <= when.end

    def _find_local(self, it: Happening, *, theirs: bool) -> datetime:
        zone = self._told.zones[self._told.name(it)] if theirs else self._told.zone
        return to_datetime(it.at).astimezone(zone)

    def _describe(self, it: Happening) -> str:
        return f"{it.channel} {it.template}"

    def _describe_time(self, it: Happening) -> str:
        shop, own = self._find_local(it, theirs=False), self._find_local(it, theirs=True)
        theirs = f" ({own:%H:%M} their time)" if own.utcoffset() != shop.utcoffset() else ""
        begun = it.entered_at and it.what is not What.ENTERED
        after = f", after {say_after(it.at - it.entered_at)}" if begun else ""
        return f"on {shop:%Y-%m-%d} at {shop:%H:%M}{theirs}{after}"


def say_after(duration_ms: int) -> str:
    """Return a duration as a story says it: to the nearest minute where it has one."""
    unit = MINUTE if duration_ms >= MINUTE // 2 else SECOND
    return format_duration((duration_ms + unit // 2) // unit * unit)


def _is_reason(why: Why, it: Happening) -> bool:
    return it.reason == why.reason and why.by in ("", it.by)
