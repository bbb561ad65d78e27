"""Rules of winners: how wrong a decision may be, however often somebody looks, and what is needed for one."""

import random
from math import exp, log
from zoneinfo import ZoneInfo

import msgspec
import pytest
from builders import NOON
from hypothesis import given
from hypothesis import strategies as st

from cartwake.proportions import Tally, find_interval, find_lift, weigh
from cartwake.rules.compile_variants import compile_tests
from cartwake.rules.step_models import SplitStep
from cartwake.times import DAY
from cartwake.variants import VariantTest
from cartwake.winners import (
    Counts,
    Measured,
    apply,
    decide,
    decode_decision,
    encode_decision,
    measure_progress,
    record,
    show_test,
)

TEST = VariantTest(
    digest="d", micros={"a": 500_000, "b": 500_000}, by="clicked", at_least=100, until_ms=30 * DAY, since=NOON
)


def counted(**variants: tuple[int, ...]) -> Counts:
    """Return counts: by variant shoppers, clicks, and perhaps unsubscribes."""
    names = ("judged", "clicked", "unsubscribed")
    return {name: dict(zip(names, numbers, strict=False)) for name, numbers in variants.items()}


def simulate(rates: dict[str, float], seed: int, *, looks: int, step: int, test: VariantTest = TEST) -> tuple[str, int]:
    """Look again and again at a test of shoppers whom chance gives variants of known rates; return winner and looks."""
    chance = random.Random(seed)
    micros = {name: round(1e6 / len(rates)) for name in rates}
    test = msgspec.structs.replace(test, micros=micros, until_ms=0)
    counts = {name: {"judged": 0, "clicked": 0} for name in rates}
    for look in range(1, looks + 1):
        for name in chance.choices(list(rates), k=step):
            counts[name]["judged"] += 1
            counts[name]["clicked"] += chance.random() < rates[name]
        found = decide(test, counts, NOON)
        if found is not None:
            return found[0], look
    return "", looks


TALLIES = st.tuples(st.integers(0, 3000), st.floats(0, 1)).map(lambda it: Tally(it[0], round(it[0] * it[1])))
SHARES = st.floats(0.001, 0.999)


@given(TALLIES, TALLIES, SHARES, SHARES, st.floats(0.05, 0.95))
def test_evidence_never_grows_on_average_without_a_cause(
    better: Tally, worse: Tally, low: float, high: float, odds: float
) -> None:
    """Whatever was seen, the next shopper does not raise the evidence on average if the first variant is no better.

    So it is a supermartingale that begins at 1, and by Ville's inequality it ever comes to k with a probability of at
    most 1/k: that is all on which the rate of errors rests.
    """
    low, high = sorted((low, high))
    expected = 0.0
    for chance, rate, tallies in (
        (odds, low, lambda hit: (Tally(better.number + 1, better.hits + hit), worse)),
        (1 - odds, high, lambda hit: (better, Tally(worse.number + 1, worse.hits + hit))),
    ):
        expected += chance * rate * exp(weigh(*tallies(1), odds=odds) - weigh(better, worse, odds=odds))
        expected += chance * (1 - rate) * exp(weigh(*tallies(0), odds=odds) - weigh(better, worse, odds=odds))
    assert expected <= 1 + 1e-6


def test_evidence_begins_with_nothing() -> None:
    """Nobody was seen: the ratio is 1."""
    assert weigh(Tally(), Tally(), odds=0.5) == pytest.approx(0)


@pytest.mark.parametrize("rates", [{"a": 0.05, "b": 0.05}, {"a": 0.4, "b": 0.4}, {"a": 0.1, "b": 0.1, "c": 0.1}])
def test_variants_that_are_alike_have_a_winner_as_seldom_as_is_said(rates: dict[str, float]) -> None:
    """Of 100 tests of alike variants, looked at 20 times each, at most 5 have a winner at 95 percent."""
    won = [seed for seed in range(100) if simulate(rates, seed, looks=20, step=200)[0]]
    assert len(won) <= 5


@pytest.mark.parametrize(
    ("rates", "step"),
    [({"a": 0.05, "b": 0.10}, 200), ({"a": 0.4, "b": 0.5}, 200), ({"a": 0.1, "b": 0.1, "c": 0.2}, 300)],
)
def test_a_variant_that_is_known_to_be_better_wins(rates: dict[str, float], step: int) -> None:
    """Of 40 tests whose best variant is known, nearly all find it, and no other one wins."""
    found = [simulate(rates, seed, looks=30, step=step)[0] for seed in range(40)]
    assert set(found) <= {list(rates)[-1], ""}
    assert found.count(list(rates)[-1]) >= 36


def test_the_best_of_three_is_better_than_each_of_the_others() -> None:
    """Two good variants that are alike have no winner, though both are better than the third."""
    test = msgspec.structs.replace(TEST, micros=dict.fromkeys("abc", 333_333))
    alike = counted(a=(5000, 500), b=(5000, 1000), c=(5000, 1005))
    assert decide(test, alike, NOON) is None
    assert decide(test, counted(a=(5000, 500), b=(5000, 800), c=(5000, 1005)), NOON) == ("c", "numbers")


def test_more_variants_need_more_evidence() -> None:
    """Each of three has its own chance to win by accident: the evidence asked for grows with their number."""
    pair = counted(a=(1000, 100), b=(1000, 137))
    assert decide(TEST, pair, NOON) is None
    two, three = (
        measure_progress(msgspec.structs.replace(TEST, micros=dict.fromkeys(names, 300_000)), counts, "b")
        for names, counts in (("ab", pair), ("abc", {**pair, "c": {"judged": 1000, "clicked": 10}}))
    )
    assert three == pytest.approx(two * log(2 / 0.05) / log(3 / 0.05))


def test_each_variant_needs_its_shoppers() -> None:
    """With one shopper fewer than is asked for in one variant nothing is decided."""
    clear = counted(a=(100, 2), b=(100, 60))
    assert decide(TEST, clear, NOON) == ("b", "numbers")
    assert decide(TEST, counted(a=(99, 2), b=(5000, 3000)), NOON) is None


def test_a_variant_that_drives_people_away_does_not_win() -> None:
    """More clicks are no win where surely more unsubscribe than of another variant."""
    driven = counted(a=(2000, 100, 4), b=(2000, 300, 120))
    assert decide(TEST, driven, NOON) is None
    assert decide(TEST, counted(a=(2000, 100, 4), b=(2000, 300, 6)), NOON) == ("b", "numbers")


def test_when_the_time_is_over_the_best_so_far_is_taken_and_called_so() -> None:
    """The leader at the end is marked as not decided by numbers; where nobody leads, nobody is taken."""
    ends_at = NOON + 30 * DAY
    began = {"a": {"began_at": NOON + 5}, "b": {"began_at": NOON}}
    close = {name: told | began[name] for name, told in counted(a=(150, 10), b=(150, 12)).items()}
    level = {name: told | began[name] for name, told in counted(a=(150, 10), b=(150, 10)).items()}
    assert decide(TEST, close, ends_at - 1) is None
    assert decide(TEST, close, ends_at) == ("b", "time")
    assert decide(TEST, level, ends_at) == ("", "time")
    dated = msgspec.structs.replace(TEST, until_ms=0, until=NOON + DAY)
    assert decide(dated, close, NOON + DAY) == ("b", "time")
    decision = record(Measured("j", "t", TEST), close, ends_at)
    assert decision is not None
    assert "not decided by numbers" in decision.message


def test_the_time_begins_with_the_first_shopper() -> None:
    """A test that lies live before anybody comes, as that of a campaign of next week, is not over before it began."""
    assert decide(TEST, {}, NOON + 90 * DAY) is None
    late = {"a": {"judged": 1, "began_at": NOON + 80 * DAY}, "b": {"judged": 1, "clicked": 1}}
    assert decide(TEST, late, NOON + 110 * DAY - 1) is None
    assert decide(TEST, late, NOON + 110 * DAY) == ("b", "time")


def test_nothing_is_decided_that_nobody_asks_to_decide() -> None:
    """Without a measure, before it went live, and once it is decided a test is not decided."""
    clear = counted(a=(1000, 10), b=(1000, 600))
    for changes in ({"by": ""}, {"since": 0}, {"how": "hand", "winner": "a"}, {"how": "time"}):
        assert decide(msgspec.structs.replace(TEST, **changes), clear, NOON + 90 * DAY) is None


def test_a_decision_is_good_for_the_very_test_that_it_is_about() -> None:
    """Other variants, another measure, a variant that is no more, or a choice by hand: the decision counts no more."""
    decision = record(Measured("j", "t", TEST), counted(a=(1000, 10), b=(1000, 600)), NOON)
    assert decision == decode_decision(encode_decision(decision)) if decision else False
    assert (apply(TEST, decision).winner, apply(TEST, decision).how) == ("b", "numbers")
    for changes in (
        {"digest": "other"},
        {"by": "opened"},
        {"sure": 0.99},
        {"at_least": 101},
        {"until_ms": 31 * DAY},
        {"until_ms": 0, "until": NOON + 30 * DAY},
        {"micros": {"a": 500_000, "c": 500_000}},
        {"how": "hand", "winner": "a"},
    ):
        other = msgspec.structs.replace(TEST, **changes)
        assert apply(other, decision) == other
    # what is decided by another rule finds no file in its way, and an unchanged one finds its own
    others = [{"by": "opened"}, {"sure": 0.99}, {"at_least": 101}, {"until_ms": 31 * DAY}, {"until_ms": 0, "until": 1}]
    files = [Measured("j", "t", msgspec.structs.replace(TEST, **it)).file for it in ({}, *others)]
    assert len(set(files)) == len(files)
    assert Measured("j", "t", msgspec.structs.replace(TEST, since=NOON + 5, winner="a")).file == files[0]
    assert apply(TEST, decode_decision(None)) == TEST
    assert apply(TEST, decode_decision(b"no json")) == TEST


def test_who_is_held_out_is_compared_with_and_never_wins() -> None:
    """However much those held out do, they are no variant; lifts are above theirs."""
    test = msgspec.structs.replace(TEST, micros={"hold-out": 100_000, "a": 450_000, "b": 450_000})
    counts = counted(**{"hold-out": (1000, 900), "a": (1000, 100), "b": (1000, 300)})
    assert decide(test, counts, NOON) == ("b", "numbers")
    shown = show_test(test, counts)["variants"]
    assert shown["b"]["clicked"]["lift"] == -60.0
    assert "lift" not in shown["hold-out"]["clicked"]


@pytest.mark.parametrize(
    ("tally", "low", "high"),
    [(Tally(100, 10), 0.0552, 0.1744), (Tally(20, 0), 0.0, 0.1611), (Tally(20, 20), 0.8389, 1.0), (Tally(), 0.0, 1.0)],
)
def test_intervals_are_those_of_wilson(tally: Tally, low: float, high: float) -> None:
    """Figures from textbooks."""
    assert find_interval(tally) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_lifts_are_those_of_newcombe() -> None:
    """The example of Newcombe's paper of 1998, method 10: 56 of 70 against 48 of 80."""
    lift, low, high = find_lift(Tally(70, 56), Tally(80, 48))
    assert (lift, low, high) == (pytest.approx(0.2), pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))


def test_a_changed_timezone_asks_nothing_anew() -> None:
    """A day begins elsewhere at another instant; the rule is the same, and so is the decision that was made by it."""
    ways = [{"percent": 50, "steps": [{"tag": "a"}]}, {"percent": 50, "steps": [{"tag": "b"}]}]
    winner = {"by": "ordered", "until": "2026-12-24"}
    step = SplitStep.model_validate({"test": "t", "split": ways, "winner": winner})
    tests = [compile_tests([step], ZoneInfo(zone))["t"] for zone in ("Europe/Warsaw", "Asia/Tokyo")]
    assert tests[0].until != tests[1].until
    assert len({Measured("j", "t", test).file for test in tests}) == 1
