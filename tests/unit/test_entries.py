"""Entries: the run that a signal would start."""

from typing import Any

import msgspec
import pytest
from builders import CART, NEEDS, NOON, VIP_THANKS, a_bundle, a_cart_event, an_order

from cartwake.conditions.kinds import Start
from cartwake.entries import Occasion, propose, refuse
from cartwake.events import Trust, own_event
from cartwake.journeys import Tell, Trigger
from cartwake.profiles import Kind, Profile, State, fold, prepare
from cartwake.reasons import NotEntered
from cartwake.runs import Run, Slot
from cartwake.segments import Signal, SignalKind
from cartwake.times import DAY, HOUR, MINUTE

PROFILE = Profile(who="u#1", version=1, state=prepare(State(), NEEDS, complete_from=0))
RULES = a_bundle(journeys={"cart": CART, "thanks": VIP_THANKS})
ADDED = a_cart_event(occurred_at=NOON - HOUR)
BOUGHT = an_order(occurred_at=NOON - HOUR)
HAPPENED = Signal(SignalKind.HAPPENED, "Product Added", NOON, "u#1", ADDED.key)
ENTERED = Signal(SignalKind.ENTERED, "vip", NOON, "u#1", BOUGHT.key)
BY_TIME = Signal(SignalKind.ENTERED, "vip", NOON)


def _propose(journey: str, signal: Signal, cause: Any) -> Run:
    return propose(PROFILE, journey, Occasion(signal=signal, cause=cause, rules=RULES, bundle="b", now=NOON + MINUTE))


@pytest.mark.parametrize(
    ("journey", "signal", "cause", "start"),
    [
        ("cart", HAPPENED, ADDED, Start(NOON - HOUR, ADDED.short_id)),
        ("thanks", ENTERED, BOUGHT, Start(NOON, BOUGHT.short_id)),
        ("thanks", BY_TIME, None, Start(NOON)),
    ],
)
def test_since_when_a_run_counts(journey: str, signal: Signal, cause: Any, start: Start) -> None:
    """From when its event happened; for a membership, from when that changed."""
    run = _propose(journey, signal, cause)
    assert (run.start, run.trigger, run.bundle, run.entered_at) == (start, cause, "b", NOON)


def test_a_run_begins_in_its_first_wait() -> None:
    """One write less; what begins with a message stands before it, for that is planned with its own advance."""
    waiting = _propose("cart", HAPPENED, ADDED)
    assert (waiting.path, waiting.due_at, waiting.wait_from) == ("0", NOON + HOUR, NOON)
    sending = _propose("thanks", ENTERED, BOUGHT)
    assert (sending.path, sending.due_at) == ("0", NOON)


def test_a_signal_is_one_run_however_often_it_is_told() -> None:
    """Its id follows from journey and signal, for ever; another signal, journey or person is another run."""
    assert _propose("cart", HAPPENED, ADDED).id == "mjmadijgbnki5hjyonqp6gafwe"
    ids = {
        _propose(journey, signal, cause).id
        for journey, signal, cause in (
            ("cart", HAPPENED, ADDED),
            ("thanks", HAPPENED, ADDED),
            ("cart", Signal(SignalKind.HAPPENED, "Product Added", NOON, "a#x", ADDED.key), ADDED),
            ("cart", Signal(SignalKind.HAPPENED, "Product Added", NOON, "u#1", "other"), ADDED),
            ("thanks", BY_TIME, None),
            ("thanks", Signal(SignalKind.ENTERED, "vip", NOON + 1), None),
            ("thanks", Signal(SignalKind.LEFT, "vip", NOON), None),
        )
    }
    assert len(ids) == 7


@pytest.mark.parametrize(
    ("again_ms", "entered", "refused"),
    [
        (None, (), False),
        (None, (NOON - DAY,), True),
        (DAY, (NOON - DAY,), False),
        (DAY, (NOON - DAY + 1,), True),
        (DAY, (NOON - 9 * DAY, NOON - DAY + 1), True),
        (DAY, (NOON - DAY + 1, NOON - 9 * DAY), True),
    ],
)
def test_when_somebody_may_enter_again(again_ms: int | None, entered: tuple[int, ...], refused: bool) -> None:
    """Once, or so long after the latest entry under any key."""
    rules = a_bundle(journeys={"cart": msgspec.structs.replace(CART, again_ms=again_ms)})
    occasion = Occasion(signal=HAPPENED, cause=ADDED, rules=rules, bundle="b", now=NOON)
    slots = [Slot(who=f"a#{at}", journey="cart", run=f"r{at}", entered_at=at) for at in entered]
    run = propose(PROFILE, "cart", occasion)
    assert refuse(run, PROFILE, slots, occasion) is (NotEntered.ENTERED_BEFORE if refused else None)


def test_why_a_run_does_not_start() -> None:
    """Each reason has its own word."""
    occasion = Occasion(signal=HAPPENED, cause=ADDED, rules=RULES, bundle="b", now=NOON)
    run = propose(PROFILE, "cart", occasion)
    active = Slot(who="u#1", journey="cart", run="other", active=True, entered_at=NOON - 99 * DAY)
    paused = a_bundle(journeys={"cart": msgspec.structs.replace(CART, status="paused")})
    receipt = a_bundle(journeys={"cart": msgspec.structs.replace(CART, kind="transactional")})
    hearsay = msgspec.structs.replace(run, trigger=msgspec.structs.replace(ADDED, trust=Trust.BROWSER))
    erased = msgspec.structs.replace(PROFILE, kind=Kind.TOMBSTONE)
    bought = msgspec.structs.replace(PROFILE, state=fold(PROFILE.state, an_order(at=NOON + 1), NEEDS))
    assert refuse(run, PROFILE, [Slot(who="u#1", journey="cart")], occasion) is None
    assert refuse(run, erased, [], occasion) is NotEntered.ERASED
    assert refuse(run, PROFILE, [msgspec.structs.replace(active, run=run.id)], occasion) is NotEntered.SAME_RUN
    assert refuse(run, PROFILE, [active], occasion) is NotEntered.ALREADY_ACTIVE
    assert refuse(run, PROFILE, [], msgspec.structs.replace(occasion, rules=paused)) is NotEntered.PAUSED
    assert refuse(hearsay, PROFILE, [], msgspec.structs.replace(occasion, rules=receipt)) is NotEntered.HEARSAY
    assert refuse(hearsay, PROFILE, [], occasion) is None
    timely = msgspec.structs.replace(run, trigger=None)
    assert refuse(timely, PROFILE, [], msgspec.structs.replace(occasion, rules=receipt)) is NotEntered.HEARSAY
    assert refuse(timely, PROFILE, [], occasion) is None
    assert refuse(run, PROFILE, [], msgspec.structs.replace(occasion, rules=receipt)) is None
    assert refuse(run, bought, [], msgspec.structs.replace(occasion, now=NOON + 2)) is NotEntered.FILTER


@pytest.mark.parametrize(
    ("since", "later", "old"),
    [(0, 0, False), (NOON, 0, False), (NOON + 1, 0, True), (0, 15 * DAY - 1, False), (0, 15 * DAY, True)],
)
def test_what_is_too_old_starts_nothing(since: int, later: int, old: bool) -> None:
    """An event from before the journey was there, or that came in 15 days ago; of memberships it is not asked."""
    journeys = {name: msgspec.structs.replace(it, since=since) for name, it in RULES.journeys.items()}
    rules = a_bundle(journeys=journeys)
    for journey, signal, cause, why in (
        ("cart", HAPPENED, ADDED, NotEntered.TOO_OLD if old else None),
        ("thanks", BY_TIME, None, None),
    ):
        occasion = Occasion(signal=signal, cause=cause, rules=rules, bundle="b", now=NOON + later)
        assert refuse(propose(PROFILE, journey, occasion), PROFILE, [], occasion) is why


@pytest.mark.parametrize(("apart", "why"), [(HOUR - 1, NotEntered.ENTERED_BEFORE), (HOUR, None)])
def test_what_journeys_say_starts_a_journey_once_an_hour(apart: int, why: NotEntered | None) -> None:
    """Else a journey that tags could start itself, or two each other, for ever; what others say starts it at once."""
    steps = (Tell(event="Tag Added", properties={"tag": "x"}),)
    looping = msgspec.structs.replace(CART, trigger=Trigger(event="Tag Added"), filter=None, again_ms=0, steps=steps)
    rules = a_bundle(journeys={"cart": looping})
    for properties, expected in (({"tag": "x", "journey": "cart"}, why), ({"tag": "x"}, None)):
        cause = own_event("u#1", "Tag Added", id="t", at=NOON + apart, properties=properties)
        signal = Signal(SignalKind.HAPPENED, "Tag Added", NOON + apart, "u#1", cause.key)
        occasion = Occasion(signal=signal, cause=cause, rules=rules, bundle="b", now=NOON + apart)
        run = propose(PROFILE, "cart", occasion)
        slots = [Slot(who="u#1", journey="cart", run="before", entered_at=NOON)]
        assert refuse(run, PROFILE, slots, occasion) is expected
