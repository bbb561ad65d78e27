"""A campaign of 5,000 recipients whose workers are killed half-way: tables of memory, and all that decides is real."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from builders import NOON, a_bundle
from world import lambda_context

from cartwake import enrolling
from cartwake.bundles import Segment
from cartwake.conditions.kinds import Trait
from cartwake.enrolments import PARTS, Enrolment, Part, add_all, begin
from cartwake.journeys import Journey, Send, Trigger
from cartwake.messages import derive_message_id
from cartwake.moves import decide
from cartwake.profiles import Membership, Profile, Register, State
from cartwake.runs import End, Rules, Run, Slot
from cartwake.statements import Channel
from cartwake.store import base, enrolments, profiles, runs, slots
from cartwake.times import DAY, SECOND
from cartwake.values import Is
from functions.sweep_profiles import app

PEOPLE, RATE = 5_000, 50.0
NEWS = Journey(
    title="News",
    status="live",
    trigger=Trigger(),
    steps=(Send(channel=Channel.EMAIL, template="welcome", subject="News"),),
)
READERS = Segment(title="R", where=Trait(name="reader", test=Is((True,))), traits=("reader",), changed_generation=1)
AIM = Enrolment(segment="readers", starts_at=NOON, is_campaign=True)
RULES = a_bundle(segments={"readers": READERS}, journeys={"news": NEWS}, enrolments={"news": AIM})
RULES = msgspec.structs.replace(RULES, settings=msgspec.structs.replace(RULES.settings, send_rate=RATE))


class Killed(BaseException):
    """The process is no more."""


@dataclass
class Memory:
    """What the tables would hold, and after how many writes the next worker is killed: right before one, or after."""

    people: list[Profile]
    parts: dict[int, Part]
    runs: dict[tuple[str, str], Run] = field(default_factory=dict)
    slots: dict[str, Slot] = field(default_factory=dict)
    planned: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    deaths: dict[int, str] = field(default_factory=dict)

    def scan(self, segment: int, segments: int, *, after: str, limit: int) -> profiles.Page:
        mine = [it for it in self.people[segment::segments] if it.who > after]
        page = mine[:limit]
        return profiles.Page(tuple(page), page[-1].who if len(mine) > limit else "")  # type: ignore[arg-type]

    def commit(self, actions: list[Any]) -> bool:
        """Start a run and take its slot, or neither."""
        run, (slot, taken) = actions[0], actions[1]
        self.die("before")
        if (run.who, run.key) in self.runs or self.get_slot(run.who, run.journey) != slot:
            return False
        self.runs[run.who, run.key] = run
        self.slots[run.who] = Slot(who=run.who, journey="news", run=taken.id, active=True, entered_at=taken.entered_at)
        self.die("after")
        return True

    def die(self, when: str) -> None:
        self.writes += when == "before"
        if self.deaths.get(self.writes) == when:
            del self.deaths[self.writes]
            raise Killed

    def get_slot(self, who: str, journey: str) -> Slot:
        return self.slots.get(who, Slot(who=who, journey=journey))

    def move(self, before: Part, after: Part) -> bool:
        if self.parts[before.number] != before:
            return False
        self.parts[before.number] = after
        return True


def a_reader(number: int) -> Profile:
    state = State(
        traits={"reader": Register(number % 5 > 0, 1, 1)},
        memberships={"readers": Membership(NOON - DAY, entered_at=NOON - DAY)} if number % 5 else {},
        created_at=NOON - DAY,
        evaluated_at=NOON - DAY,
        lot=number,
    )
    return Profile(who=f"u#{number:05d}", state=state, version=1, generation=1)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    """6,250 people, of whom 5,000 are readers, and a campaign for these that has just begun."""
    parts = begin("news", AIM, rules=("b", 1), now=NOON)
    memory = Memory([a_reader(number) for number in range(PEOPLE * 5 // 4)], {part.number: part for part in parts})
    for module, name, fake in (
        (profiles, "scan_page", memory.scan),
        (profiles, "decode_row", lambda row: row),
        (profiles, "demand_profile", lambda _: None),
        (profiles, "get_profile", lambda who: next(it for it in memory.people if it.who == who)),
        (slots, "get_slot", memory.get_slot),
        (slots, "take", lambda slot, run: [(slot, run)]),
        (runs, "start", lambda run: run),
        (runs, "get_run", lambda who, key: memory.runs.get((who, key))),
        (base, "commit", memory.commit),
        (enrolments, "get_part", lambda _, number: memory.parts[number]),
        (enrolments, "move", memory.move),
        (enrolling, "plan_step", lambda run, _: memory.planned.update([run.who])),
        (enrolling, "find_live", lambda _: ("b", RULES)),
        (enrolling, "load_bundle", lambda _: RULES),
        (app, "read_clock", lambda: NOON),
    ):
        monkeypatch.setattr(module, name, fake)
    return memory


def test_5000_recipients_and_workers_killed_twice_half_way(memory: Memory) -> None:
    """Each of them has one run that is planned, and sends one message; nobody else has any; and the rate is kept."""
    memory.deaths = {1_700: "before", 3_400: "after"}
    killed = 0
    for _ in range(3):
        for number in range(PARTS):
            try:
                app.enrol("news", number, lambda_context(remaining_ms=120_000))
            except Killed:
                killed += 1
                assert 1_000 < len(memory.runs) < 4_000, "this is not half-way"
    assert killed == 2
    meant = {it.who for number, it in enumerate(memory.people) if number % 5}
    assert len(meant) == PEOPLE
    assert Counter(run.who for run in memory.runs.values()) == Counter(meant)
    assert memory.planned.keys() == meant
    found = add_all(memory.parts.values())
    assert (found.read, found.members, found.enrolled, found.refused) == (PEOPLE * 5 // 4, PEOPLE, PEOPLE, {})

    by_who = {it.who: it for it in memory.people}
    moves = [decide(run, by_who[run.who], Rules(RULES, RULES), run.due_at) for run in memory.runs.values()]
    sent = [
        derive_message_id(run, move.planned.path)
        for run, move in zip(memory.runs.values(), moves, strict=True)
        if isinstance(move, End) and move.planned is not None and move.planned.skip is None
    ]
    assert len(set(sent)) == len(sent) == PEOPLE

    begun = Counter((run.due_at - NOON) // SECOND for run in memory.runs.values())
    assert max(begun.values()) <= RATE * 1.2
    assert max(begun) == pytest.approx(PEOPLE / RATE, rel=0.1)
