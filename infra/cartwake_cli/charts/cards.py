"""Cards: what a journey's picture says, in words; each kind of step has its place here, and nowhere else."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, assert_never
from zoneinfo import ZoneInfo

from cartwake.bundles import Bundle
from cartwake.conditions.kinds import AllOf, AnyOf, Condition, NoneOf
from cartwake.enrolments import Enrolment
from cartwake.events import JOURNEY_ENROLLED
from cartwake.journeys import (
    Await,
    Branch,
    Call,
    Give,
    Goal,
    Happening,
    Journey,
    Send,
    Split,
    Step,
    Stop,
    Tell,
    Trigger,
    UntilClock,
    UntilDate,
    Wait,
)
from cartwake.statements import Channel
from cartwake.times import DAY, to_datetime
from cartwake_cli.charts.step_words import say_call, say_date, say_day, say_minute, say_shifted, say_telling, say_way
from cartwake_cli.condition_words import Speaker
from cartwake_cli.value_words import say_duration, say_tests

type Look = Literal["start", "wait", "email", "sms", "push", "branch", "remark", "goal", "stop", "end"]


@dataclass(frozen=True, slots=True)
class Text:
    """A line of a card, wrapped where it is long.

    Attributes:
        depth: How far it is set in.
        faint: It is said beside.
    """

    words: str
    depth: int = 0
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One of the ways that a journey goes on; without cards it goes straight on."""

    label: str
    cards: tuple["Card", ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A step.

    Attributes:
        title: What it is.
        ways: Those between which it decides; they meet again below it.
        ends: Nothing comes after it.
    """

    look: Look
    title: str
    texts: tuple[Text, ...] = ()
    ways: tuple[Way, ...] = ()
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """What holds for the whole journey: what is asked, and the answer."""

    title: str
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A journey, ready to be drawn."""

    title: str
    subtitle: str
    notes: tuple[Note, ...]
    cards: tuple[Card, ...]


def make_chart(name: str, rules: Bundle) -> Chart:
    """Return the chart of a journey of *rules*."""
    return _Maker(rules).make(name, rules.journeys[name])


_LOOKS: Final[dict[Channel, Look]] = {Channel.EMAIL: "email", Channel.SMS: "sms", Channel.PUSH: "push"}
_NAMES: Final = {Channel.EMAIL: "Email", Channel.SMS: "SMS", Channel.PUSH: "Push"}


class _Maker:
    def __init__(self, rules: Bundle) -> None:
        self._rules = rules
        self._speaker = Speaker(rules)

    def make(self, name: str, journey: Journey) -> Chart:
        aim = self._rules.enrolments.get(name)
        is_campaign = aim is not None and aim.is_campaign
        start = Card("start", "Goes to" if is_campaign else "Starts when", tuple(self._say_start(journey.trigger, aim)))
        topic = f" · topic {journey.topic}" if journey.topic else ""
        kind = "campaign" if is_campaign else journey.kind
        return Chart(
            title=journey.title,
            subtitle=f"{name} · {kind} · {journey.status}{topic}",
            notes=tuple(self._note(journey)),
            cards=(start, *self._make_all(journey.steps), Card("end", "End", ends=True)),
        )

    def _note(self, journey: Journey) -> Iterator[Note]:
        if journey.filter is not None:
            yield Note("Only while, at the start and before each message", tuple(self._list(journey.filter)))
        if journey.exits:
            said = [text for trigger in journey.exits for text in self._say_trigger(trigger)]
            yield Note("Ends at once when", tuple(said))
        if journey.key:
            yield Note("One run at a time, ended by its own events alone", (Text(f"for each {journey.key}"),))
        yield Note("Starts again for the same shopper", (Text(_say_again(journey.again_ms)),))

    def _make_all(self, steps: tuple[Step, ...]) -> tuple[Card, ...]:
        return tuple(self._make(step) for step in steps)

    def _make(self, step: Step) -> Card:
        card = self._make_kind(step)
        return replace(card, texts=(*card.texts, *self._say_common(step)))

    def _make_kind(self, step: Step) -> Card:
        """Return the card of a step: the one place that knows the kinds of steps."""
        match step:
            case Wait() | UntilClock() | UntilDate() | Await():
                return self._make_wait(step)
            case Send() | Call() | Give():
                return self._make_deed(step)
            case Branch(condition=condition, then=then, otherwise=otherwise):
                ways = (Way("yes", self._make_all(then)), Way("no", self._make_all(otherwise)))
                return Card("branch", "If", tuple(self._list(condition)), ways)
            case Goal(happening=happening):
                ends = (Text("who comes here without it ends", faint=True),) if step.or_end else ()
                return Card("goal", "Goal", (*self._say_happening(happening), *ends))
            case Tell():
                title, texts = say_telling(step)
                return Card("remark", title, tuple(Text(it) for it in texts))
            case Split(test=test, variants=variants):
                drawn = tuple(Way(say_way(it.name, it.micros), self._make_all(it.steps)) for it in variants)
                return Card("branch", f"Test {test}" if test else "Split", (), drawn)
            case Stop(why=why):
                return Card("stop", f"End: {why}", ends=True)
            case _:
                assert_never(step)

    def _make_deed(self, step: Send | Call | Give) -> Card:
        match step:
            case Send(channel=channel, template=template):
                return Card(_LOOKS[channel], f"{_NAMES[channel]} {template}", tuple(self._say_message(step)))
            case Call(host=host):
                return Card("remark", f"Webhook {host}", tuple(Text(it, faint=True) for it in say_call(step)))
            case Give(pool=pool, otherwise=otherwise):
                other = (Way("then", ()), Way("no code left", self._make_all(otherwise))) if otherwise else ()
                said = () if otherwise else (Text("ends where no code is left", faint=True),)
                return Card("remark", f"Give a coupon of {pool}", said, other)
            case _:
                assert_never(step)

    def _make_wait(self, step: Wait | UntilClock | UntilDate | Await) -> Card:
        match step:
            case Wait():
                return Card("wait", f"Wait {say_duration(step.for_ms)}", tuple(self._say_quiet(step)))
            case UntilClock():
                days = [calendar.day_name[day] for day in step.days]
                said = [Text(f"on {_list(days)}")] if days else []
                return Card("wait", f"Wait until {say_minute(step.minute)}", tuple(said))
            case UntilDate(otherwise=otherwise):
                other = (Way("then", ()), Way("no such date", self._make_all(otherwise))) if otherwise else ()
                return Card("wait", say_date(step), tuple(Text(it) for it in say_day(step)), other)
            case Await(happening=happening, then=then, otherwise=otherwise):
                ways = (Way("it came", self._make_all(then)), Way("it did not", self._make_all(otherwise)))
                limit = Text(f"at most {say_duration(step.at_most_ms)}", faint=True)
                texts = (*self._say_happening(happening), limit)
                return Card("wait", "Wait for", texts, ways if then or otherwise else ())
            case _:
                assert_never(step)

    def _say_happening(self, happening: Happening) -> Iterator[Text]:
        if happening.condition is not None:
            yield from self._list(happening.condition)
        else:
            yield Text(self._speaker.say_event(self._speaker.need(happening.tracker)))

    def _say_common(self, step: Step) -> Iterator[Text]:
        """Yield what any step may say besides."""
        if step.only_if is not None:
            first, *more = self._list(step.only_if)
            yield Text(f"only if {first.words}")
            yield from more
        if step.not_after_ms and not isinstance(step, Send | Call):
            yield Text(f"passed over when {say_duration(step.not_after_ms)} late", faint=True)

    def _say_quiet(self, wait: Wait) -> Iterator[Text]:
        if wait.of_quiet:
            events = [self._speaker.say_event(self._speaker.need(key)) for key in wait.of_quiet]
            yield Text(f"begins anew with {_list(events)}", faint=True)
        if wait.at_most_ms:
            yield Text(f"at most {say_duration(wait.at_most_ms)} in all", faint=True)

    def _say_message(self, send: Send) -> Iterator[Text]:
        template = self._rules.templates.get(send.template)
        subject = send.subject or (template.subject if template else "")
        if subject:
            yield Text(f"“{_say_source(subject)}”")
        elif template is not None and send.channel is Channel.SMS:
            yield Text(f"“{_say_source(template.text)}”")
        if send.coupon:
            yield Text(f"with a coupon of {send.coupon}", faint=True)
        if send.held:
            yield Text("waits where the frequency cap stands against it", faint=True)
        if send.not_after_ms != DAY:
            yield Text(f"not later than {say_duration(send.not_after_ms)}", faint=True)

    def _say_start(self, trigger: Trigger, aim: Enrolment | None) -> Iterator[Text]:
        """Yield who comes in: one by one, all together, or both."""
        if aim is None or not aim.is_campaign:
            yield from self._say_trigger(trigger)
            if aim is not None:
                where = ", where they would be by now" if aim.placed else ""
                yield Text(f"and for who is in it already as this goes live{where}", faint=True)
            return
        yield Text(f"who is in the segment {self._speaker.name_segment(aim.segment)} as it begins")
        begins = to_datetime(aim.starts_at).astimezone(ZoneInfo(self._rules.settings.timezone))
        local = aim.date or begins.isoformat()
        whose = "their own clocks" if aim.date else "the shop's clock"
        yield Text(f"{local[:16].replace('T', ' ')} by {whose}")
        if aim.spread_ms:
            yield Text(f"spread over {say_duration(aim.spread_ms)}", faint=True)

    def _say_trigger(self, trigger: Trigger) -> Iterator[Text]:
        if trigger.event == JOURNEY_ENROLLED:
            yield Text("somebody is enrolled")
        elif trigger.event:
            yield Text(f'"{trigger.event}"' + (f" where {say_tests(trigger.where)}" if trigger.where else ""))
        elif trigger.dated is not None:
            yield Text(f"{say_shifted(trigger.dated.when)} comes")
            yield from (Text(it, faint=True) for it in say_day(trigger.dated.when))
        else:
            verb = "enters" if trigger.entered else "leaves"
            yield Text(f"{verb} the segment {self._speaker.name_segment(trigger.entered or trigger.left)}")

    def _list(self, condition: Condition, depth: int = 0) -> Iterator[Text]:
        """Yield a condition, and under it those that it is made of."""
        parts = condition.of if isinstance(condition, AllOf | AnyOf | NoneOf) else ()
        said = self._speaker.say(condition)
        yield Text(f"{said}:" if parts else said, depth)
        for part in parts:
            yield from self._list(part, depth + 1)


_SOURCE: Final = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_LONGEST: Final = 140


def _say_source(source: str) -> str:
    """Return a template's text with the names of what is filled in: `You left «cart.items[0].name» behind`."""
    said = _SOURCE.sub(lambda found: f"«{found[1].partition('|')[0].strip()}»" if found[1] else " ", source)
    plain = " ".join(said.split())
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1].rstrip()}…"


def _say_again(again_ms: int | None) -> str:
    if again_ms is None:
        return "never"
    return f"{say_duration(again_ms)} after the last start" if again_ms else "always, once it has ended"


def _list(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
