"""What a shopper's own orders let expect: the formulas against SciPy and the papers, and the laws of the verdicts."""

import math
import operator
from itertools import pairwise
from typing import Any

import cdnow
import msgspec
import numpy as np
import pytest
from builders import NOON
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import betaln, hyp2f1

from cartwake.conditions.buying import (
    BOUNDS,
    LATEST,
    Parameters,
    alive_until,
    chance_alive,
    estimate_alive_until,
    expect_order_value,
    expect_orders,
    expect_value,
    find_first,
    reckon_churn_risk,
)
from cartwake.conditions.histories import History, read_history
from cartwake.conditions.kinds import UNKNOWN, Answer, Predicted, Verdict
from cartwake.conditions.predictions import judge_prediction
from cartwake.sums import MOST_EXACT, SETTLED_AFTER_MS, Sum
from cartwake.times import DAY, HOUR, NEVER, Instant
from cartwake.trackers import UNKNOWN as NEVER_KEPT
from cartwake.trackers import Entry, Tracker, cut
from cartwake.values import MICROS
from cartwake_cli.orders import NEED

WEEK = 7 * DAY
PUBLISHED = Parameters(r=0.2425945, alpha=4.4136019 * 7, a=0.7929199, b=2.4258881, p=6.25, q=3.74, v=15.44)
"""Of the CDNOW sample, from R's CLVTools; the papers print 0.243, 4.414 weeks, 0.793, 2.426; 6.25, 3.74, 15.44."""
MODELLED = ("churn_risk", "expected_orders", "expected_value")


def tell(*orders: tuple[float, float], sums: tuple[Sum, ...] = ()) -> Tracker:
    """A tracker of orders, each so many days after noon and of so much."""
    entries = (
        Entry(NOON + round(days * DAY), number, round(value * MICROS)) for number, (days, value) in enumerate(orders)
    )
    return Tracker(0, tuple(sorted(entries)), sums)


def known(repeats: int, recency_weeks: float = 0.0, mean: float = 0.0) -> History:
    """A history as the papers tell one."""
    last_at = NOON + round(recency_weeks * WEEK)
    return History(first_at=NOON, last_at=last_at, orders=repeats + 1, total=0, repeats=repeats, repeat_mean=mean)


def ask(of: str, op: str = "at_least", bound: float = 0.0, **windows: int) -> Predicted:
    return msgspec.convert(
        {"of": of, "tracker": "orders", "op": op, "bound": bound, **windows, "kind": "predicted"}, Predicted
    )


# What the papers print


def test_expected_orders_are_those_of_the_published_spreadsheet() -> None:
    """A customer with x = 2, t_x = 30.43, T = 38.86 weeks: 1.226 in the next 39 (Fader, Hardie and Lee's note)."""
    now = NOON + round(38.86 * WEEK)
    assert expect_orders(PUBLISHED, known(2, 30.43), now, 39 * 7) == pytest.approx(1.226, abs=5e-4)


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [(0.1429, 0.0078), (1, 0.0532), (3, 0.1506), (31.8571, 1.0405), (32, 1.0437), (78, 1.8576)],
)
def test_a_new_customer_is_expected_to_buy_as_published(weeks: float, expected: float) -> None:
    """E[X(t)] of a customer who just came, as the same spreadsheet has it."""
    assert expect_orders(PUBLISHED, known(0), NOON, weeks * 7) == pytest.approx(expected, abs=5e-4)


def test_the_mean_purchase_of_all_is_as_published() -> None:
    """It is p · v / (q - 1) = 35.2 dollars; the own mean counts the more, the more purchases there were."""
    assert expect_order_value(PUBLISHED, known(0)) == pytest.approx(6.25 * 15.44 / 2.74)
    values = [expect_order_value(PUBLISHED, known(repeats, mean=100.0)) for repeats in (0, 1, 2, 10, 1_000)]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(100, abs=0.1)


def test_refunds_are_worth_nothing() -> None:
    """Who returned more than they kept is expected to spend little, and not to be paid."""
    assert expect_order_value(PUBLISHED, known(5, mean=-80.0)) == expect_order_value(PUBLISHED, known(5, mean=0.0)) > 0


def test_historic_value_is_what_the_file_adds_up_to() -> None:
    """Every customer of CDNOW through a tracker: 69,659 orders of 23,570 customers, $2,500,315.63."""
    histories = [read_history(tracker) for tracker in cdnow.read_trackers().values()]
    found = [each for each in histories if each is not None]
    assert len(found) == cdnow.CUSTOMERS
    assert sum(each.orders for each in found) == cdnow.ROWS
    assert sum(each.total for each in found) == cdnow.MICROS


def test_histories_are_the_published_summary() -> None:
    """x, t_x, T and the mean repeat purchase of each of the 2,357 customers of the sample, to the printed digits."""
    trackers, sample = cdnow.read_trackers(), cdnow.read_sample()
    rows = cdnow.read_summary()
    assert len(rows) == len(sample) == 2_357
    for row in rows:
        history = read_history(trackers[sample[f"{int(row['ID']):04}"]], cdnow.LEARNED_UNTIL)
        assert history is not None
        assert history.repeats == row["x"]
        assert (history.last_at - history.first_at) / WEEK == pytest.approx(row["t_x"], abs=0.006)
        assert (cdnow.LEARNED_UNTIL - history.first_at) / WEEK == pytest.approx(row["T"], abs=0.006)
        assert history.repeat_mean == pytest.approx(row["zbar"], abs=0.0051)


def test_the_next_39_weeks_are_foretold_as_published() -> None:
    """Weeks 40 to 78 of the sample: what came and what was expected of each customer correlate by 0.626."""
    expected, actual = [], []
    for customer in cdnow.read_sample().values():
        tracker = cdnow.read_trackers()[customer]
        history = read_history(tracker, cdnow.LEARNED_UNTIL)
        assert history is not None
        expected.append(expect_orders(PUBLISHED, history, cdnow.LEARNED_UNTIL, 39 * 7))
        actual.append(len({entry.at for entry in tracker.entries if entry.at > cdnow.LEARNED_UNTIL}))
    assert sum(actual) == 1_882
    assert correlate(expected, actual) == pytest.approx(0.626, abs=5e-4)


def test_all_customers_together_are_foretold_as_published() -> None:
    """Until week 78, 4 percent fewer repeat purchases are expected of the sample than came."""
    expected, actual = 0.0, 0
    begins = cdnow.LEARNED_UNTIL - 39 * WEEK + DAY
    for customer in cdnow.read_sample().values():
        history = read_history(cdnow.read_trackers()[customer], cdnow.LAST_AT)
        assert history is not None
        assert begins <= history.first_at
        expected += expect_orders(PUBLISHED, known(0), NOON, (cdnow.LAST_AT - history.first_at) / DAY)
        actual += history.repeats
    assert expected / actual == pytest.approx(0.96, abs=5e-3)


def correlate(left: list[float], right: list[int]) -> float:
    means = sum(left) / len(left), sum(right) / len(right)
    pairs = [(one - means[0], other - means[1]) for one, other in zip(left, right, strict=True)]
    squares = sum(one * one for one, _ in pairs) * sum(other * other for _, other in pairs)
    return sum(one * other for one, other in pairs) / math.sqrt(squares)


# The formulas as they are published, by SciPy


def inside(name: str, least: float | None = None, most: float | None = None) -> st.SearchStrategy[float]:
    low, high = BOUNDS[name]
    return st.floats(math.log(max(low, least or low)), math.log(min(high, most or high))).map(math.exp)


USUAL = st.builds(
    Parameters,
    r=inside("r", 0.05, 3),
    alpha=inside("alpha", 3, 500),
    a=inside("a", 0.05, 5),
    b=inside("b", 0.2, 50),
    p=inside("p", 0.5, 20),
    q=inside("q", 1.5, 20),
    v=inside("v", 1, 1_000),
)
POSSIBLE = st.builds(
    Parameters, **{name: inside(name) for name in ("r", "a", "b", "p", "q", "v")}, alpha=inside("alpha", 1)
)


@given(USUAL, st.integers(0, 60), st.floats(0, 1), st.floats(0.1, 3_000), st.sampled_from([1, 30, 365]))
@example(PUBLISHED, 2, 30.43 / 38.86, 38.86 * 7, 273)
@example(msgspec.structs.replace(PUBLISHED, a=1.0), 2, 0.5, 100.0, 365)
def test_the_formulas_are_those_of_the_papers(
    parameters: Parameters, repeats: int, share: float, age: float, days: int
) -> None:
    """Equation 10 of 2005 with SciPy's hypergeometric function, and P(alive) of 2008, as they stand there."""
    r, alpha, a, b, x = parameters.r, parameters.alpha, parameters.a, parameters.b, repeats
    history = known(x, share * age / 7 if x else 0)
    age = round(age * DAY) / DAY
    now = NOON + round(age * DAY)
    recency = (history.last_at - history.first_at) / DAY
    still = 1 + (a / (b + x - 1) * ((alpha + age) / (alpha + recency)) ** (r + x) if x else 0)
    assert chance_alive(parameters, history, now) == pytest.approx(1 / still, rel=1e-9)
    if abs(a - 1) > 1e-3:  # nearer to it the published form divides by next to nothing
        z = days / (alpha + age + days)
        rest = ((alpha + age) / (alpha + age + days)) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z)
        published = (a + b + x - 1) / (a - 1) * (1 - rest) / still
        assert expect_orders(parameters, history, now, days) == pytest.approx(published, rel=1e-6, abs=1e-12)
    else:
        near = [msgspec.structs.replace(parameters, a=a + step) for step in (-0.01, 0.01)]
        less, more = sorted(expect_orders(each, history, now, days) for each in near)
        assert less < expect_orders(parameters, history, now, days) < more


@pytest.mark.parametrize(
    ("r", "alpha", "a", "b", "repeats"),
    [
        (0.01, 0.3, 0.02, 0.05, 0),
        (20, 1, 0.5, 2, 0),
        (0.25, 30, 50, 10_000, 3),
        (0.9, 0.2, 0.3, 0.6, 1_000),
        (19, 5_000, 40, 0.01, 0),
        (0.05, 1, 0.3, 0.4, 0),
    ],
)
def test_at_the_bounds_it_is_what_integration_gives(r: float, alpha: float, a: float, b: float, repeats: int) -> None:
    """No digits are lost at the edge of what may be fitted: the expectation over all chances to leave, added up."""
    parameters = msgspec.structs.replace(PUBLISHED, r=r, alpha=alpha, a=a, b=b)
    middle, width = math.log(a / (b + repeats)), 45 * math.sqrt(1 / a + 1 / (b + repeats))
    odds = np.linspace(middle - width - 45 / a, middle + width + 45 / (b + repeats), 2_000_001)
    leaves, stays = -np.logaddexp(0, -odds), -np.logaddexp(0, odds)
    rate, shape = 365 / alpha, r + repeats
    each = -np.expm1(-shape * np.log1p(np.exp(leaves) * rate)) / np.maximum(np.exp(leaves), 1e-300)
    each = np.where(leaves < -600, shape * rate, each)
    expected = np.trapezoid(each * np.exp(a * leaves + (b + repeats) * stays - betaln(a, b + repeats)), odds)
    history = known(repeats)
    alive = expect_orders(parameters, history, NOON) / chance_alive(parameters, history, NOON)
    assert alive == pytest.approx(float(expected), rel=1e-7)


# Histories


def test_a_day_with_several_orders_is_one_purchase() -> None:
    """Orders of one day, by UTC, count once; the first day is no repeat, and its value is not in the mean."""
    history = read_history(tell((0, 10), (0.2, 5), (10, 30), (10.1, 10), (14, 20)))
    assert history is not None
    assert (history.orders, history.total, history.repeats, history.repeat_mean) == (5, 75 * MICROS, 2, 30.0)
    assert history.rhythm_days == 7
    assert history.next_order_at == NOON + 21 * DAY


def test_a_day_ends_at_midnight_of_utc() -> None:
    """To the millisecond: from then on it is another purchase."""
    half = 0.5 - 1 / DAY
    for days, repeats in (((-0.5, half), 0), ((half, 0.5), 1), ((-0.5 - 1 / DAY, -0.5), 1)):
        history = read_history(tell(*((day, 10) for day in days)))
        assert history is not None
        assert history.repeats == repeats


def test_one_day_has_no_rhythm() -> None:
    """Who ordered on one day only has no rhythm, no next order and no known risk, however often that was."""
    history = read_history(tell((0, 10), (0.1, 10), (0.2, 10)))
    assert history is not None
    assert (history.rhythm_days, history.next_order_at, history.repeats) == (None, None, 0)
    assert reckon_churn_risk(PUBLISHED, history, NOON + 900 * DAY) is None
    assert chance_alive(PUBLISHED, history, NOON + 900 * DAY) == 1.0


def test_nothing_is_no_history() -> None:
    """Without orders, or with none yet, there is nothing to reckon with."""
    assert read_history(Tracker()) is None
    assert read_history(tell((1, 10)), NOON) is None


def test_many_orders_are_reckoned_by_the_latest() -> None:
    """Of more than 200 orders: as many days to an order, and as much a day, as the latest 200 and the total let say."""
    daily = read_history(tell(*((day, 10) for day in range(500))))
    paired = read_history(tell(*((number // 2 + number % 2 / 4, 10) for number in range(500))))
    assert daily is not None
    assert paired is not None
    assert (daily.orders, daily.repeats, daily.repeat_mean, daily.rhythm_days) == (500, 499, pytest.approx(10), 1)
    assert (paired.orders, paired.repeats, paired.repeat_mean, paired.rhythm_days) == (500, 249, pytest.approx(20), 1)
    added_up = read_history(tell(*((day, 10) for day in range(300, 500)), sums=(Sum(NOON, 300, 3_000 * MICROS, 10),)))
    assert added_up == daily


EXACT = st.lists(
    st.tuples(st.integers(0, 900 * DAY // HOUR), st.integers(0, 500)), min_size=1, max_size=MOST_EXACT, unique=True
)


@given(EXACT, st.integers(0, 400), st.integers(0, 30))
def test_adding_up_old_orders_changes_no_history(orders: list[tuple[int, int]], more: int, imported_days: int) -> None:
    """Profiles add up what lies more than 200 orders back, once it is settled: what is reckoned stays the same.

    Some of the orders were imported a moment ago, so that they are added up later than others that are younger.
    """
    dated = [*orders, *((10_000 + number // 3, 10) for number in range(more))]
    now = NOON + (10_200 + 24 * imported_days) * HOUR
    entries = tuple(
        sorted(
            Entry(NOON + hours * HOUR, number, value * MICROS, now - DAY if number % 5 == 0 else NOON + hours * HOUR)
            for number, (hours, value) in enumerate(dated)
        )
    )
    tracker = Tracker(0, entries)
    history = read_history(tracker)
    for later in (now, now + SETTLED_AFTER_MS + DAY):
        tracker = cut(tracker, NEED, later)
        assert read_history(tracker) == history
    assert len(tracker.entries) <= MOST_EXACT
    assert history is not None
    assert history.orders == len(dated)


# Verdicts


@pytest.mark.parametrize(
    ("windows", "answers"),
    [
        ({"ahead_ms": 7 * DAY}, [(-1, "fails", 0), (0, "holds", 7), (7, "fails", NEVER)]),
        ({"within_ms": 7 * DAY}, [(6.9, "fails", 7), (7, "holds", 14), (14, "fails", NEVER)]),
        ({"before_ms": 7 * DAY}, [(13, "fails", 14), (14, "holds", NEVER)]),
    ],
)
def test_the_next_order_lies_ahead_or_behind(windows: dict[str, int], answers: list[tuple[float, str, float]]) -> None:
    """The next order is expected one rhythm after the last: in the next week, in the last, or a week ago and more."""
    tracker = tell((-35, 10), (-21, 10), (-7, 10))
    for days, answer, until in answers:
        told = judge_prediction(ask("next_order", **windows), tracker, None, NOON + round(days * DAY))
        assert told == Verdict(Answer(answer), until if until == NEVER else NOON + round(until * DAY))


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        (ask("orders", "at_least", 3), "holds"),
        (ask("orders", "less_than", 3), "fails"),
        (ask("value", "more_than", 59.99), "holds"),
        (ask("value", "more_than", 60), "fails"),
        (ask("value", "at_most", 60), "holds"),
        (ask("rhythm", "at_most", 10), "holds"),
        (ask("rhythm", "less_than", 10), "fails"),
    ],
)
def test_what_was_is_known_for_ever(condition: Predicted, answer: str) -> None:
    """Orders, value and rhythm stay until the next order, and need no parameters."""
    tracker = tell((-30, 10), (-20, 20), (-10, 30))
    assert judge_prediction(condition, tracker, None, NOON) == Verdict(Answer(answer))


@pytest.mark.parametrize("of", ["churn_risk", "rhythm", "expected_orders", "expected_value", "next_order"])
@pytest.mark.parametrize("op", ["more_than", "less_than", "at_least", "at_most"])
def test_what_is_not_defined_fails(of: str, op: str) -> None:
    """Of who never ordered nothing is expected, and of who ordered once there is no risk: no comparison holds."""
    once = tell((-900, 10))
    assert judge_prediction(ask(of, op, 50.0, ahead_ms=DAY), Tracker(), PUBLISHED, NOON) == Verdict(Answer.FAILS)
    if not of.startswith("expected"):
        assert judge_prediction(ask(of, op, 50.0, ahead_ms=DAY), once, PUBLISHED, NOON) == Verdict(Answer.FAILS)


def test_who_never_ordered_has_no_orders() -> None:
    """Number and value are known of everybody: they are zero."""
    assert judge_prediction(ask("orders", "less_than", 1), Tracker(), None, NOON).answer is Answer.HOLDS
    assert judge_prediction(ask("value", "at_most", 0), Tracker(), None, NOON).answer is Answer.HOLDS


@pytest.mark.parametrize("of", [*MODELLED, "rhythm", "orders", "value", "next_order"])
def test_what_is_not_kept_is_unknown(of: str) -> None:
    """A tracker that does not reach back to the first order says nothing; without a fit the models say nothing."""
    condition = ask(of, "at_least", 1.0, ahead_ms=DAY)
    for tracker in (None, NEVER_KEPT, Tracker(1, (Entry(NOON, 1, MICROS),))):
        assert judge_prediction(condition, tracker, PUBLISHED, NOON) == UNKNOWN
    unfitted = judge_prediction(condition, tell((-1, 5), (-3, 5)), None, NOON)
    assert (unfitted == UNKNOWN) == (of in MODELLED)


def test_the_risk_passes_a_bound_at_one_millisecond() -> None:
    """A risk of more than 70 percent begins at the millisecond that the closed form names, and lasts."""
    tracker = tell((-100, 20), (-60, 20), (-20, 20))
    history = read_history(tracker)
    assert history is not None
    until = alive_until(PUBLISHED, history, 0.3)
    assert chance_alive(PUBLISHED, history, until) <= 0.3 < chance_alive(PUBLISHED, history, until - 1)
    condition = ask("churn_risk", "more_than", 70)
    assert abs(judge_prediction(condition, tracker, PUBLISHED, NOON).until - until) <= 1
    assert judge_prediction(condition, tracker, PUBLISHED, until + 1) == Verdict(Answer.HOLDS)


AMOUNTS = st.sampled_from([0, 1, 20 * MICROS, -5 * MICROS, 999 * MICROS, 10**18])
ORDERS = st.lists(
    st.tuples(st.one_of(st.integers(-2_000 * DAY, 60 * DAY), st.integers(-3, 3), st.just(-DAY)), AMOUNTS), max_size=12
)
BOUND = st.one_of(st.sampled_from([-1.0, 0.0, 1.0, 50.0, 100.0, 101.0]), st.floats(0.001, 200.0))


@st.composite
def trackers(draw: st.DrawFn) -> Tracker:
    """Orders of long ago, of this very moment, and of soon; some added up."""
    entries = tuple(
        sorted(Entry(NOON + offset, number, micros) for number, (offset, micros) in enumerate(draw(ORDERS)))
    )
    added = Sum(NOON - 3_000 * DAY, draw(st.integers(1, 5_000)), draw(AMOUNTS), 10**18)
    return Tracker(0, entries, (added,) if entries and draw(st.booleans()) else ())


@st.composite
def conditions(draw: st.DrawFn) -> Predicted:
    of = draw(st.sampled_from([*MODELLED * 3, "rhythm", "orders", "value", "next_order"]))
    windows = {draw(st.sampled_from(["within_ms", "ahead_ms", "before_ms"])): draw(st.sampled_from([1, DAY, 90 * DAY]))}
    op = draw(st.sampled_from(["more_than", "less_than", "at_least", "at_most"]))
    return ask(of, op, draw(BOUND), **(windows if of == "next_order" else {}))


MOMENTS = st.one_of(st.integers(-2_000 * DAY, 900 * DAY), st.integers(-3, 3)).map(lambda offset: NOON + offset)


@given(conditions(), trackers(), USUAL, MOMENTS, st.floats(0, 1))
def test_an_answer_stays_until_it_ends(
    condition: Predicted, tracker: Tracker, parameters: Parameters, now: Instant, share: float
) -> None:
    """The answer is the same at every instant before `until`, and another one then, if no order comes just then."""
    told = judge_prediction(condition, tracker, parameters, now)
    assert told.until > now
    for at in (
        now,
        (now + told.until) // 2,
        now + round(share * min(told.until - 1 - now, 9_000 * DAY)),
        told.until - 1,
    ):
        later = judge_prediction(condition, tracker, parameters, at)
        assert (later.answer, later.until) == (told.answer, told.until)
    if told.until < NEVER and all(entry.at != told.until for entry in tracker.entries):
        assert judge_prediction(condition, tracker, parameters, told.until).answer is not told.answer


def read_value(condition: Predicted, tracker: Tracker, parameters: Parameters, at: Instant) -> float | None:
    history = read_history(tracker, at)
    if history is None:
        return None
    if condition.of == "churn_risk":
        return reckon_churn_risk(parameters, history, at)
    worth = expect_order_value(parameters, history) if condition.of == "expected_value" else 1.0
    return expect_orders(parameters, history, at) * worth


COMPARED = {"more_than": operator.gt, "less_than": operator.lt, "at_least": operator.ge, "at_most": operator.le}


@given(conditions().filter(lambda it: it.of in MODELLED), trackers(), USUAL, MOMENTS)
def test_an_answer_is_the_comparison_that_it_names(
    condition: Predicted, tracker: Tracker, parameters: Parameters, now: Instant
) -> None:
    """What holds is what the formulas say of now; where it ends they say the other, a millisecond before not yet."""
    told, value = judge_prediction(condition, tracker, parameters, now), read_value(condition, tracker, parameters, now)
    is_passed = COMPARED[condition.op]
    if value is None:
        assert told.answer is Answer.FAILS
    elif abs(value - condition.bound) > 1e-9 * max(1.0, abs(condition.bound)):  # nearer, it is a matter of rounding
        assert (told.answer is Answer.HOLDS) == is_passed(value, condition.bound)
    if value is not None and told.until < NEVER and all(entry.at != told.until for entry in tracker.entries):
        for at, stays in ((told.until - 1, True), (told.until, False)):
            then = read_value(condition, tracker, parameters, at)
            assert then is not None
            assert is_passed(then, condition.bound) == ((told.answer is Answer.HOLDS) is stays)


@given(trackers(), POSSIBLE, MOMENTS)
def test_every_number_is_one(tracker: Tracker, parameters: Parameters, now: Instant) -> None:
    """Whatever was ordered and fitted: chances lie between 0 and 1, and all else is finite and not negative."""
    history = read_history(tracker, now)
    if history is None:
        return
    for at in (history.last_at, now, now + 10**12, LATEST):
        assert 0.0 <= chance_alive(parameters, history, at) <= 1.0
        risk = reckon_churn_risk(parameters, history, at)
        assert risk is None or 0.0 <= risk <= 100.0
        for number in (expect_orders(parameters, history, at), expect_value(parameters, history, at)):
            assert math.isfinite(number)
            assert number >= 0.0


@given(trackers(), USUAL, st.lists(st.integers(0, 5_000 * DAY), min_size=2, max_size=5))
def test_with_time_the_risk_grows_and_less_is_expected(
    tracker: Tracker, parameters: Parameters, offsets: list[int]
) -> None:
    """Until the next order nothing gets better."""
    history = read_history(tracker)
    if history is None:
        return
    moments = [history.last_at + offset for offset in sorted(offsets)]
    for series in (
        [chance_alive(parameters, history, at) for at in moments],
        [-(reckon_churn_risk(parameters, history, at) or 0.0) for at in moments],
        [expect_orders(parameters, history, at) for at in moments],
        [expect_value(parameters, history, at) for at in moments],
    ):
        assert all(later <= earlier + 1e-9 * abs(earlier) for earlier, later in pairwise(series))


@given(trackers(), USUAL, st.floats(-0.1, 1.1))
def test_alive_until_is_the_first_such_millisecond(tracker: Tracker, parameters: Parameters, chance: float) -> None:
    """At `alive_until` the chance is no more than was asked for, a millisecond earlier it is."""
    history = read_history(tracker)
    if history is None:
        return
    until = alive_until(parameters, history, chance)
    if until == NEVER:
        assert chance_alive(parameters, history, LATEST) > chance
    else:
        assert chance_alive(parameters, history, until) <= chance
        assert until == history.last_at or chance_alive(parameters, history, until - 1) > chance


@given(st.integers(0, NEVER), st.integers(0, LATEST), st.integers(0, 10**15))
def test_the_first_instant_is_found_from_any_guess(wanted: int, guess: int, earliest: int) -> None:
    """Wherever one begins to look."""
    found = find_first(lambda at: at >= wanted, guess, earliest)
    assert found == (NEVER if wanted > LATEST else max(wanted, earliest))


def test_the_same_is_answered_however_late_one_asks() -> None:
    """The instant of a change follows from the orders alone, so two who ask at different times agree on it."""
    tracker = tell((-100, 20), (-60, 20), (-20, 20))
    for of, bound in (("churn_risk", 60.0), ("expected_orders", 0.5), ("expected_value", 30.0)):
        told: set[Any] = {
            judge_prediction(ask(of, "more_than", bound), tracker, PUBLISHED, NOON - 20 * DAY + step * HOUR).until
            for step in range(48)
        }
        assert len(told) == 1


def test_a_chance_that_is_certain_ends_with_the_last_order() -> None:
    """Only at the order itself is somebody known to be a customer; a chance of nothing is never reached."""
    history = known(2, recency_weeks=5)
    assert estimate_alive_until(PUBLISHED, history, 1.0) == history.last_at
    assert estimate_alive_until(PUBLISHED, history, 0.0) == NEVER
