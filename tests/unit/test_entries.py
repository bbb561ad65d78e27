"""Entries: the run that a signal would start."""

from typing import Any

import pytest
from builders import CART, NEEDS, NOON, VIP_THANKS, a_bundle, a_cart_event, an_order

from cartwake.conditions.kinds import Start
from cartwake.entries import Occasion, propose
from cartwake.profiles import Profile, State, prepare
from cartwake.runs import Run
from cartwake.segments import Signal, SignalKind
from cartwake.times import HOUR, MINUTE

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
