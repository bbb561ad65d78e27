"""Playing: a story, sentence after sentence, in a world of its own; what comes of it is what happened."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from cartwake.bundles import Bundle, encode, name_bundle
from cartwake.rules.faults import find_nearest
from cartwake.segments import is_member
from cartwake.statements import OF_SHOPPERS
from cartwake.times import DAY, MINUTE, SECOND, Instant, to_datetime, to_instant
from cartwake_cli.stories.house import House, open_house
from cartwake_cli.stories.noticing import Happening, Notes, What
from cartwake_cli.stories.people import KEYS, People, Unable
from cartwake_cli.stories.sentences import (
    After,
    At,
    Belongs,
    Consent,
    Enters,
    EntersNot,
    Gets,
    GetsNo,
    GetsNothing,
    Identify,
    Leaves,
    Line,
    SetStatus,
    Stock,
    Story,
    Today,
)
from cartwake_cli.stories.world import World

FIRST_DAY: Final = date(2026, 6, 1)
FIRST_TIME: Final = time(10)
LONGEST_MS: Final = 800 * DAY
"""So long after its last sentence a story goes on at most, while journeys are under way."""
MOST_CODES: Final = 200
"""So many codes of a file with coupons are there: nobody in a story needs more."""


class Stuck(Exception):
    """A story cannot go on at one of its lines."""

    def __init__(self, line: Line, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.line, self.message, self.suggestion = line, message, suggestion


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a story.

    Attributes:
        happenings: In order.
        names: What they are called by the keys that lead to them.
        called: What the people of the story are called at its end, by their names in it, in small letters.
        zones: The timezone of each, by what they are called.
        belongs: By line, whether somebody was in the segment that it names.
    """

    story: Story
    rules: Bundle
    happenings: tuple[Happening, ...]
    names: dict[str, str]
    called: dict[str, str]
    zones: dict[str, ZoneInfo]
    belongs: dict[int, bool] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        """The shop's timezone."""
        return ZoneInfo(self.rules.settings.timezone)

    def name(self, happening: Happening) -> str:
        """Return whom something happened to, as the story calls them."""
        return self.names.get(happening.who, "")

    def list_of(self, name: str, *kinds: What) -> list[Happening]:
        """Return what happened to somebody, of some kinds, in order."""
        called = self.called.get(name.lower())
        return [it for it in self.happenings if it.what in kinds and self.name(it) == called]


class Stage:
    """Where stories of the same rules are played, each from the beginning."""

    def __init__(self, house: House, rules: Bundle) -> None:
        self.house, self.rules = house, rules
        house.keep()

    def play(self, story: Story) -> Told:
        """Play a story to its end.

        Raises:
            Stuck: It cannot be.
        """
        self.house.restore()
        return _Play(self.house, self.rules, story).play()


@contextmanager
def open_stage(rules: Bundle, files: dict[str, bytes]) -> Iterator[Stage]:
    """Make a stage on which *rules* are live, with the coupons that are in *files*."""
    with open_house() as house:
        from cartwake.importing import import_codes  # noqa: PLC0415  only in the house
        from cartwake.store.keys import KeyRow  # noqa: PLC0415  likewise

        house.now = to_instant(datetime.combine(FIRST_DAY, FIRST_TIME, ZoneInfo(rules.settings.timezone))) - DAY
        codes = {name: _cut(content) for name, content in files.items() if name.endswith(".csv")}
        house.services.files |= codes
        publish(house, rules)
        if codes:
            import_codes(rules, house.now, has_time=lambda: True)
        for trust, text in KEYS.items():
            KeyRow(sha256(text.encode()).hexdigest(), trust=trust, created_at=house.now).save()
        list(house.take_changes())
        yield Stage(house, rules)


def publish(house: House, rules: Bundle) -> None:
    """Make rules the live ones."""
    from cartwake import live  # noqa: PLC0415  only in the house
    from cartwake.store import bundles  # noqa: PLC0415  likewise

    content = encode(rules)
    name = name_bundle(content)
    house.services.files[f"bundles/{name}.json"] = content
    bundles.put_live(bundles.Live(name, rules.generation), replaces=rules.generation - 1)
    live.forget()


def _cut(content: bytes) -> bytes:
    return b"\n".join(content.splitlines()[: MOST_CODES + 1])


class _Play:
    def __init__(self, house: House, rules: Bundle, story: Story) -> None:
        self._house, self._rules, self._story = house, rules, story
        self._zone = ZoneInfo(rules.settings.timezone)
        self._notes = Notes(house)
        self._world = World(house, self._notes.see)
        self._people = People(self._world, self._notes)
        self._base = self._find_begin()
        self._said = 0
        self._begun = False
        self._belongs: dict[int, bool] = {}

    def play(self) -> Told:
        self._house.now = self._base - MINUTE
        self._go_live()
        for line in self._story.lines:
            try:
                self._follow(line)
            except Unable as error:
                raise Stuck(line, str(error)) from None
        self._begin()
        self._finish()
        return self._tell()

    def _follow(self, line: Line) -> None:
        sentence = line.sentence
        match sentence:
            case Today():
                if self._begun:
                    raise Stuck(line, "The day on which a story begins is said before anything happens.")
            case After(duration_ms=duration_ms):
                self._begin()
                self._go(max(self._base + duration_ms, self._house.now))
            case At():
                self._begin()
                self._go(self._find_time(line, sentence))
            case Gets() | GetsNo() | GetsNothing() | Enters() | EntersNot() | Leaves():
                self._check_names(line)
            case Belongs():
                self._check_names(line)
                self._begin()
                self._world.go(self._house.now)
                self._belongs[line.number] = self._look(sentence)
            case _:
                self._act(line)

    def _act(self, line: Line) -> None:
        """Have somebody do something: those of one moment one second after the other; what was before, at once."""
        act = line.sentence
        known = isinstance(act, Identify | Consent) and act.known
        if not known and not line.ago_ms:
            self._begin()
            self._world.go(max(self._base + self._said * SECOND, self._house.now))
            self._said += 1
        self._notes.add(What.SAID, said=line.text, number=line.number)
        if isinstance(act, SetStatus):
            self._set_status(line, act)
        elif isinstance(act, Stock):
            self._stock(line, act)
        else:
            self._people.do(act, ago_ms=line.ago_ms, browser=line.browser)  # type: ignore[arg-type]
        self._world.go(self._house.now)

    def _set_status(self, line: Line, act: SetStatus) -> None:
        journey = self._rules.journeys.get(act.journey)
        if journey is None:
            raise _miss(line, "journey", act.journey, self._rules.journeys)
        changed = msgspec.structs.replace(journey, status=act.status)
        self._publish(journeys=self._rules.journeys | {act.journey: changed})
        self._world.wake_soon()

    def _stock(self, line: Line, act: Stock) -> None:
        from cartwake.importing import import_codes  # noqa: PLC0415  only in the house

        pool = self._rules.pools.get(act.pool)
        if pool is None:
            raise _miss(line, "pool", act.pool, self._rules.pools)
        if pool.length:
            raise Stuck(line, f"The codes of {act.pool} are made, as many as are needed.")
        codes = [f"{act.pool}-{number}".upper() for number in range(1, min(act.count, MOST_CODES) + 1)]
        self._house.services.files[f"coupons/{act.pool}.csv"] = "\n".join(["code", *codes]).encode()
        import_codes(self._rules, self._house.now, has_time=lambda: True)

    def _go_live(self) -> None:
        """Have the rules go live at the story's first moment: what begins with that begins then, on whichever day."""
        enrolments = {
            name: aim if aim.is_campaign else msgspec.structs.replace(aim, starts_at=self._base)
            for name, aim in self._rules.enrolments.items()
        }
        tests = {
            journey: {
                name: msgspec.structs.replace(it, since=self._base)
                if self._rules.journeys[journey].status == "live"
                else it
                for name, it in own.items()
            }
            for journey, own in self._rules.tests.items()
        }
        if (enrolments, tests) != (self._rules.enrolments, self._rules.tests):
            self._publish(enrolments=enrolments, tests=tests)

    def _publish(self, **changes: Any) -> None:
        self._rules = msgspec.structs.replace(self._rules, generation=self._rules.generation + 1, **changes)
        publish(self._house, self._rules)

    def _begin(self) -> None:
        """Leave the past: now it is the story's first moment."""
        if not self._begun:
            self._begun = True
            self._world.go(self._base)
            for aim in self._rules.enrolments.values():
                self._world.at(max(aim.starts_at, self._base), self._world.wake_soon)

    def _go(self, moment: Instant) -> None:
        self._base, self._said = moment, 0
        self._world.go(moment)

    def _finish(self) -> None:
        """Let the story go on while a journey is under way, and a minute longer: providers tell of the last message."""
        end = self._house.now + LONGEST_MS
        while self._notes.is_busy and (when := self._world.find_next()) is not None and when <= end:
            self._world.step()
        self._world.go(self._house.now + MINUTE)

    def _find_begin(self) -> Instant:
        """Return the story's first moment: what it says of day and time before anything happens."""
        day, clock = FIRST_DAY, FIRST_TIME
        for line in self._story.lines:
            sentence = line.sentence
            match sentence:
                case Today(day=day):
                    pass
                case At(time=clock, days=0, day=None):
                    break
                case Identify(known=True) | Consent(known=True):
                    pass
                case _ if not line.ago_ms:
                    break
        return to_instant(datetime.combine(day, clock, self._zone))

    def _find_time(self, line: Line, at: At) -> Instant:
        local = to_datetime(self._house.now).astimezone(self._zone)
        day = at.day or local.date() + timedelta(days=at.days)
        found = to_instant(datetime.combine(day, at.time, self._zone))
        if found >= self._house.now - self._said * SECOND:
            return max(found, self._house.now)
        if at.day is not None:
            raise Stuck(line, f"That is over: it is {local:%A, %Y-%m-%d %H:%M} here.")
        return to_instant(datetime.combine(day + timedelta(days=1), at.time, self._zone))

    def _check_names(self, line: Line) -> None:
        """See that what is expected exists."""
        match line.sentence:
            case Gets(template=name):
                if name not in self._rules.templates:
                    raise _miss(line, "template", name, self._rules.templates)
            case GetsNo(what=name):
                if name not in self._rules.templates and name not in OF_SHOPPERS:
                    raise _miss(line, "template", name, self._rules.templates)
            case Enters(journey=name) | EntersNot(journey=name) | Leaves(journey=name):
                if name not in self._rules.journeys:
                    raise _miss(line, "journey", name, self._rules.journeys)
            case Belongs(segment=name):
                if name not in self._rules.segments:
                    raise _miss(line, "segment", name, self._rules.segments)
            case _:
                pass

    def _look(self, belongs: Belongs) -> bool:
        from cartwake.store import profiles  # noqa: PLC0415  only in the house

        state = profiles.resolve_profile(self._people.find(belongs.who).who).state
        return is_member(state.memberships.get(belongs.segment))

    def _tell(self) -> Told:
        from cartwake.knowledge import find_zone  # noqa: PLC0415  only what the end needs
        from cartwake.store import profiles  # noqa: PLC0415  only in the house

        begun, names, zones = self._people.names, {}, {}
        for who, name in begun.items():
            profile = profiles.resolve_profile(who)
            # of several that became one, what the survivor is called is the name of all
            names[who] = begun.get(profile.who, name)
            zones[names[who]] = find_zone(profile.state, self._rules.settings.timezone)
        called = {who.partition("#")[2]: name for who, name in names.items()}
        order = sorted(self._notes.happenings, key=lambda it: (it.at, it.what))
        return Told(self._story, self._rules, tuple(order), names, called, zones, self._belongs)


def _miss(line: Line, what: str, name: str, known: dict[str, object] | object) -> Stuck:
    return Stuck(line, f'There is no {what} "{name}".', find_nearest(name, known))  # type: ignore[arg-type]
