"""Runs: the next move of a run, as a function of run, profile, rules and time."""

import msgspec
import pytest
from builders import CART, NEEDS, NOON, a_bundle, an_order
from hypothesis import given
from hypothesis import strategies as st

from cartwake.bundles import QuietHours
from cartwake.conditions.kinds import Start, Trait
from cartwake.hours import quiet_until
from cartwake.journeys import Branch, Send, Step, Wait
from cartwake.moves import decide
from cartwake.paths import find_step
from cartwake.profiles import Kind, Profile, Register, State, fold, prepare
from cartwake.reasons import EndReason
from cartwake.runs import Advance, End, Hold, Replan, Rules, Run
from cartwake.segments import View
from cartwake.statements import Channel
from cartwake.times import HOUR, MINUTE, parse_instant
from cartwake.values import Exists

MAIL = Send(channel=Channel.EMAIL, template="cart-1")
PAUSE = Wait(for_ms=HOUR)
IF = Branch(condition=Trait(name="phone", test=Exists()), then=(PAUSE, MAIL), otherwise=(MAIL,))


def _rules(*steps: Step, **changes: object) -> Rules:
    journey = msgspec.structs.replace(CART, steps=steps, filter=None, **changes)
    bundle = a_bundle(journeys={"cart": journey})
    return Rules(bundle, bundle)


def _run(**changes: object) -> Run:
    run = Run(who="u#1", journey="cart", id="r", due_at=NOON, entered_at=NOON, start=Start(NOON), bundle="b")
    return msgspec.structs.replace(run, **changes)


def _profile(**traits: object) -> Profile:
    state = prepare(State(), NEEDS, complete_from=0)
    registers = {name: Register(value, NOON, 1) for name, value in traits.items()}
    return Profile(who="u#1", version=1, state=msgspec.structs.replace(state, traits=registers))


def test_a_wait_begins_and_ends() -> None:
    """A wait at the entry counts from the receipt of the trigger, later ones from the step before."""
    rules = _rules(PAUSE, MAIL, PAUSE)
    begun = decide(_run(), _profile(), rules, NOON + MINUTE)
    assert begun == Advance(path="0", due_at=NOON + HOUR, wait_from=NOON)
    waiting = _run(seq=1, wait_from=NOON, due_at=NOON + HOUR)
    assert decide(waiting, _profile(), rules, NOON + HOUR - 1) == Replan(due_at=NOON + HOUR)
    moved = decide(waiting, _profile(), rules, NOON + HOUR + 7)
    assert isinstance(moved, Advance)
    assert (moved.path, moved.due_at, moved.wait_from) == ("2", NOON + 2 * HOUR + 7, NOON + HOUR + 7)
    assert moved.planned is not None
    assert moved.planned.path == "1"


def test_one_message_a_move() -> None:
    """Two messages in a row are two moves, so that each is planned in one transaction with its own advance."""
    move = decide(_run(), _profile(), _rules(MAIL, MAIL), NOON)
    assert isinstance(move, Advance)
    assert (move.path, move.due_at) == ("1", NOON)


def test_the_last_message_ends_the_run() -> None:
    """The end and the last message are one transaction."""
    move = decide(_run(), _profile(), _rules(MAIL), NOON)
    assert isinstance(move, End)
    assert move.reason is EndReason.COMPLETED
    assert move.planned is not None


@pytest.mark.parametrize(("traits", "path"), [({"phone": "+49"}, "0.then.0"), ({}, "")])
def test_branches(traits: dict[str, object], path: str) -> None:
    """A branch leads into its side and out again behind itself."""
    move = decide(_run(), _profile(**traits), _rules(IF), NOON)
    if path:
        assert isinstance(move, Advance)
        assert move.path == path
    else:
        assert isinstance(move, End)
        assert move.planned is not None
        assert move.planned.path == "0.else.0"


def test_exit_status_and_erasure_come_first() -> None:
    """What ends or holds a run does so whatever its step would be."""
    rules = _rules(MAIL)
    ordered = msgspec.structs.replace(_profile(), state=fold(_profile().state, an_order(at=NOON), NEEDS))
    assert decide(_run(), ordered, rules, NOON) == End(reason=EndReason.EXITED, by="Order Completed")
    assert decide(_run(), _profile(), _rules(MAIL, status="paused"), NOON) == Hold()
    assert decide(_run(), _profile(), _rules(MAIL, status="archived"), NOON) == End(reason=EndReason.ARCHIVED)
    gone = Rules(rules.own, a_bundle(journeys={}))
    assert decide(_run(), _profile(), gone, NOON) == End(reason=EndReason.ARCHIVED)
    erased = msgspec.structs.replace(_profile(), kind=Kind.TOMBSTONE)
    assert decide(_run(), erased, rules, NOON) == End(reason=EndReason.ERASED)


def _steps(depth: int) -> st.SearchStrategy[tuple[Step, ...]]:
    leaf: st.SearchStrategy[Step] = st.sampled_from([MAIL, PAUSE])
    if depth == 0:
        return st.lists(leaf, max_size=3).map(tuple)
    below = _steps(depth - 1)
    branch = st.builds(Branch, condition=st.just(IF.condition), then=below, otherwise=below)
    return st.lists(st.one_of(leaf, branch), max_size=3).map(tuple)


@given(_steps(2), st.booleans())
def test_every_run_reaches_its_end(steps: tuple[Step, ...], phone: bool) -> None:
    """From any journey, moving on at each due time ends, and plans every message of the way exactly once."""
    rules, profile = _rules(*steps), _profile(**({"phone": "+49"} if phone else {}))
    run, now, planned = _run(), NOON, []
    for _ in range(100):
        move = decide(run, profile, rules, now)
        assert isinstance(move, Advance | End)
        if move.planned is not None:
            planned.append(move.planned.path)
        if isinstance(move, End):
            break
        run = msgspec.structs.replace(
            run, path=move.path, due_at=move.due_at, wait_from=move.wait_from, seq=run.seq + 1
        )
        now = max(now, move.due_at)
    else:
        raise AssertionError("the run never ended")
    assert planned == list(_messages_on_the_way(steps, phone=phone))


def _messages_on_the_way(steps: tuple[Step, ...], *, phone: bool, prefix: str = "") -> list[str]:
    found = []
    for index, step in enumerate(steps):
        path = f"{prefix}{index}"
        if isinstance(step, Send):
            found.append(path)
        if isinstance(step, Branch):
            side, name = (step.then, "then") if phone else (step.otherwise, "else")
            found += _messages_on_the_way(side, phone=phone, prefix=f"{path}.{name}.")
    return found


def test_paths_past_the_end_lead_nowhere() -> None:
    """A position that a journey does not have is its end, not an error."""
    assert find_step((MAIL,), "1") is None
    assert find_step((IF,), "0.else.3") is None


def _view(at: str, *, opens: int = 9 * 60, closes: int = 20 * 60, zone: str | None = None, lot: int = 0) -> View:
    settings = msgspec.structs.replace(
        a_bundle().settings,
        timezone="Europe/Berlin",
        hours={Channel.SMS: QuietHours(opens_minute=opens, closes_minute=closes)},
    )
    traits = {"timezone": Register(zone, NOON, 1)} if zone else {}
    return View(State(traits=traits, lot=lot), a_bundle(settings=settings), parse_instant(at))


@pytest.mark.parametrize(
    ("at", "zone", "until"),
    [
        ("2026-11-21T08:00:00Z", None, None),
        ("2026-11-21T07:59:59Z", None, "2026-11-21T08:00:00Z"),
        ("2026-11-21T19:00:00Z", None, "2026-11-22T08:00:00Z"),
        ("2026-11-21T08:00:00Z", "America/New_York", "2026-11-21T14:00:00Z"),
        ("2026-11-21T08:00:00Z", "Nowhere/Land", None),
        ("2026-10-24T20:00:00Z", None, "2026-10-25T08:00:00Z"),
        ("2026-03-28T20:00:00Z", None, "2026-03-29T07:00:00Z"),
        ("2026-11-30T20:00:00Z", None, "2026-12-01T08:00:00Z"),
        ("2026-12-31T20:30:00Z", None, "2027-01-01T08:00:00Z"),
        ("2028-02-28T20:00:00Z", None, "2028-02-29T08:00:00Z"),
    ],
)
def test_quiet_hours(at: str, zone: str | None, until: str | None) -> None:
    """SMS between 9:00 and 20:00 by the shopper's clock, else the shop's, also across a change of clocks."""
    assert quiet_until(Channel.SMS, _view(at, zone=zone)) == (parse_instant(until) if until else None)


@pytest.mark.parametrize(("closes", "minutes"), [(20 * 60, 10), (9 * 60 + 6, 3)])
def test_what_is_held_goes_out_spread(closes: int, minutes: int) -> None:
    """Each shopper has a place of their own in the first ten minutes, or in half of the hours where they are short."""
    opening = parse_instant("2026-11-22T08:00:00Z")
    for lot in (0, 1, 59_999, minutes * MINUTE - 1, minutes * MINUTE, 2**62):
        view = _view("2026-11-21T19:00:00Z", closes=closes, lot=lot)
        assert quiet_until(Channel.SMS, view) == opening + lot % (minutes * MINUTE)
    assert quiet_until(Channel.SMS, _view("2026-11-22T08:00:00Z", closes=closes, lot=1)) is None


def test_an_opening_that_the_clock_skips() -> None:
    """Hours that open in the hour that a clock change skips open at the next instant there is."""
    view = _view("2026-03-29T00:30:00Z", opens=2 * 60 + 30, closes=20 * 60)
    until = quiet_until(Channel.SMS, view)
    assert until is not None
    assert view.now < until <= view.now + 2 * HOUR


def test_channels_without_hours_are_never_quiet() -> None:
    """Email goes out at any hour unless the shop says otherwise."""
    assert quiet_until(Channel.EMAIL, _view("2026-11-21T03:00:00Z")) is None
