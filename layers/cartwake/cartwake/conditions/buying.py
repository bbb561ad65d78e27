"""Buying: what a model of all shoppers says about one of them, from how often, when and for how much they bought.

Two published models, fitted offline to the orders of all shoppers, evaluated here in closed form:

- BG/NBD (Fader, Hardie and Lee, "Counting Your Customers the Easy Way", Marketing Science 24, 2005). While a shopper is
  alive, they buy at random times at a rate of their own; after each purchase but the first they may drop out for good,
  with a chance of their own. Over all shoppers the rates are spread as a gamma distribution (r, alpha), the chances
  as a beta distribution (a, b).
- Gamma-Gamma (Fader and Hardie, "The Gamma-Gamma Model of Monetary Value", 2013). The value of a purchase varies around
  a mean of the shopper's own, by gamma distributions with p, q and v; it has nothing to do with how often they buy.

In the formulas x is the number of repeat purchases, tₓ the time from the first purchase to the last, T the time from
the first purchase until now; in days.
"""

from collections.abc import Callable
from math import exp, expm1, log, log1p
from typing import Final

import msgspec

from cartwake.conditions.histories import History
from cartwake.times import DAY, NEVER, Instant

YEAR_DAYS: Final = 365
"""How far ahead is expected, where nothing else is said."""
LATEST: Final[Instant] = NEVER - 1
BOUNDS: Final = {
    "r": (0.001, 20.0),
    "alpha": (0.1, 100_000.0),
    "a": (0.001, 50.0),
    "b": (0.001, 10_000.0),
    "p": (0.01, 1_000.0),
    "q": (1.01, 1_000.0),
    "v": (1e-6, 1e9),
}
"""Between these every formula below is finite, and right to eight digits."""
_MOST_TERMS: Final = 100_000.0
_PRECISION: Final = 1e-16
_LARGEST_EXPONENT: Final = 700.0


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What was fitted to the orders of all shoppers; the unit of time is a day.

    Attributes:
        r: Shape of the purchase rates (BG/NBD).
        alpha: Scale of the purchase rates (BG/NBD).
        a: First parameter of the chance to drop out (BG/NBD).
        b: Second parameter of the chance to drop out (BG/NBD).
        p: Shape of a purchase's value (Gamma-Gamma).
        q: Shape of the values' scale (Gamma-Gamma); above 1, or there is no mean.
        v: Scale of the values' scale (Gamma-Gamma).
        fitted_at: The day of the fit.
        customers: How many customers it was made with.
    """

    version: int = 1
    r: float
    alpha: float
    a: float
    b: float
    p: float
    q: float
    v: float
    fitted_at: str = ""
    customers: int = 0


def chance_alive(parameters: Parameters, history: History, now: Instant) -> float:
    """Return the chance that the shopper has not dropped out, from 0 to 1; it only falls until the next order.

    Fader, Hardie and Lee, "Computing P(alive) Using the BG/NBD Model", 2008:
    1 / (1 + a / (b + x - 1) · ((alpha + T) / (alpha + tₓ)) ** (r + x)). Without a repeat purchase it is 1: in this
    model nobody drops out before the second one. So it says nothing then, see `reckon_churn_risk`.
    """
    return 1.0 if not history.repeats else _logistic(-_weigh_odds(parameters, history, now))


def reckon_churn_risk(parameters: Parameters, history: History, now: Instant) -> float | None:
    """Return the chance in percent that the shopper has dropped out; None for who bought on one day only.

    Of them the model knows nothing, for it lets nobody drop out before the second purchase. To call that "no risk"
    would count everybody who bought once, years ago, among the safest customers.
    """
    return 100.0 * _logistic(_weigh_odds(parameters, history, now)) if history.repeats else None


def alive_until(parameters: Parameters, history: History, chance: float) -> Instant:
    """Return the first millisecond at which the chance of being alive is *chance* or less; `NEVER` if it stays above.

    It is the last order's own time when it is not above even then.
    """

    def is_reached(at: Instant) -> bool:
        return chance_alive(parameters, history, at) <= chance

    return find_first(is_reached, estimate_alive_until(parameters, history, chance), history.last_at)


def estimate_alive_until(parameters: Parameters, history: History, chance: float) -> Instant:
    """Return the instant at which the chance of being alive is *chance*, but for the errors of floating point.

    The formula of `chance_alive` solved for T.
    """
    if not history.repeats or chance <= 0.0:
        return NEVER
    if chance >= 1.0:
        return history.last_at
    odds = log((1.0 - chance) / chance) - log(parameters.a / (parameters.b + history.repeats - 1))
    exponent = odds / (parameters.r + history.repeats)
    if exponent > _LARGEST_EXPONENT:
        return NEVER
    days = (parameters.alpha + _days(history.last_at - history.first_at)) * exp(exponent) - parameters.alpha
    return history.first_at + round(min(max(days, 0.0) * DAY, float(NEVER)))


def expect_orders(parameters: Parameters, history: History, now: Instant, days: float = YEAR_DAYS) -> float:
    """Return how many purchases are expected in the next *days*; it only falls until the next order.

    Equation 10 of Fader, Hardie and Lee 2005, which is the chance of being alive times what is expected of a shopper
    who is: (a + b + x - 1) / (a - 1) · (1 - ((alpha + T) / (alpha + T + t)) ** (r + x)
    · ₂F₁(r + x, b + x; a + b + x - 1; t / (alpha + T + t))). See `_expect_alive` for how that is computed.
    """
    age = _days(now - history.first_at)
    return chance_alive(parameters, history, now) * _expect_alive(parameters, history.repeats, days, age)


def expect_order_value(parameters: Parameters, history: History) -> float:
    """Return the mean value expected of the shopper's purchases, in the currency's unit.

    Equation 5 of Fader and Hardie 2013: p · (v + x · m) / (p · x + q - 1), with the mean m of the repeat purchases.
    It lies between m and the mean of all shoppers, nearer to m the more there were. A mean below zero is as zero.
    """
    repeats = history.repeats
    known = parameters.v + repeats * max(0.0, history.repeat_mean)
    return parameters.p * known / (parameters.p * repeats + parameters.q - 1.0)


def expect_value(parameters: Parameters, history: History, now: Instant, days: float = YEAR_DAYS) -> float:
    """Return the value of the purchases expected in the next *days*, in the currency's unit."""
    return expect_orders(parameters, history, now, days) * expect_order_value(parameters, history)


def find_first(holds: Callable[[Instant], bool], guess: Instant, earliest: Instant) -> Instant:
    """Return the first millisecond from *earliest* on at which *holds* is true, or `NEVER`.

    Args:
        holds: False up to some instant, and true from then on.
        guess: Where that may be; the nearer, the fewer questions are asked.
        earliest: The first instant that counts.
    """
    at, step = min(max(guess, earliest), LATEST), 1
    if holds(at):
        no, yes = at - 1, at
        while no >= earliest and holds(no):
            no, yes, step = max(no - step, earliest - 1), no, step * 4
    else:
        no, yes = at, min(at + 1, LATEST)
        while not holds(yes):
            if yes == LATEST:
                return NEVER
            no, yes, step = yes, min(yes + step, LATEST), step * 4
    while yes - no > 1:
        middle = (no + yes) // 2
        no, yes = (no, middle) if holds(middle) else (middle, yes)
    return yes


def _expect_alive(parameters: Parameters, repeats: int, days: float, age: float) -> float:
    """Return how many purchases are expected of a shopper who is alive, in the next *days*.

    Equation 10 as published divides by a - 1, has a series that grows with x, and a third parameter that may be zero.
    By Euler's transformation, with A = a + b - 1 - r, c = a + b + x - 1, d = a - 1, z = t / (alpha + T + t), it is

        c · (1 - (1 - z) ** d) / d - (1 - z) ** d · H,  H = sum over k ≥ 1 of (A)ₖ (a)ₖ₋₁ / ((c + 1)ₖ₋₁ k!) · zᵏ

    in which nothing is singular, the terms fall the faster the more purchases there were, and d = 0 is a limit.
    """
    a, b, r = parameters.a, parameters.b, parameters.r
    growth = days / (parameters.alpha + age)
    exponent = log1p(growth)
    share, z = a - 1.0, growth / (1.0 + growth)
    c = a + b + repeats - 1.0
    spread = -expm1(-share * exponent) / share if share else exponent
    return max(0.0, c * spread - exp(-share * exponent) * _add_up_terms(a + b - 1.0 - r, a, c, z))


def _add_up_terms(upper: float, a: float, c: float, z: float) -> float:
    """Return the sum H of `_expect_alive`: as many terms as make a difference.

    It is written for speed, in floats alone: new customers take some 300 terms, others some 50.
    """
    term = total = upper * z
    enough = _PRECISION * (1.0 - z) * abs(term)
    upper, a, c, k = upper - 1.0, a - 2.0, c - 1.0, 2.0
    while (term > enough or term < -enough) and k < _MOST_TERMS:
        term *= (upper + k) * (a + k) / ((c + k) * k) * z
        total += term
        k += 1.0
    return total


def _weigh_odds(parameters: Parameters, history: History, now: Instant) -> float:
    """Return the logarithm of the odds that the shopper has dropped out."""
    silent = parameters.alpha + _days(now - history.first_at)
    bought = parameters.alpha + _days(history.last_at - history.first_at)
    odds = log(parameters.a / (parameters.b + history.repeats - 1))
    return odds + (parameters.r + history.repeats) * log(silent / bought)


def _logistic(odds: float) -> float:
    if odds < -_LARGEST_EXPONENT:
        return 0.0
    return 1.0 / (1.0 + exp(-odds))


def _days(duration_ms: int) -> float:
    return duration_ms / DAY
