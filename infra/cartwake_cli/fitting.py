"""Fitting: the parameters of both models of buying that make the orders of all shoppers most likely.

The likelihoods are those of the papers that `cartwake.conditions.buying` names, with gradients. The search is for the
logarithms of the parameters, between fixed bounds, from the same few starts each time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.special import digamma, gammaln  # type: ignore[import-untyped]

from cartwake.conditions.buying import BOUNDS
from cartwake.conditions.histories import History
from cartwake.times import DAY, Instant
from cartwake_cli.faults import Fault

LEAST_REPEATERS: Final = 100
BUYING: Final = ("r", "alpha", "a", "b")
SPENDING: Final = ("p", "q", "v")
_NEAR: Final = 1.01
_OPTIONS: Final = {"maxiter": 2_000, "ftol": 1e-15, "gtol": 1e-9}

type Numbers = NDArray[np.float64]
type Likelihood = Callable[[Numbers], tuple[float, Numbers]]


@dataclass(frozen=True, slots=True)
class Sample:
    """What the models see of each customer; times in days, values in the currency's unit.

    Attributes:
        repeats: On how many days they bought, without the first.
        recency: From the first purchase to the last.
        age: From the first purchase until the end of what is known.
        mean: The mean value of a repeat purchase.
    """

    repeats: Numbers
    recency: Numbers
    age: Numbers
    mean: Numbers

    @property
    def repeaters(self) -> NDArray[np.bool_]:
        """Whose spending can be learned from: they bought again, for more than nothing."""
        chosen: NDArray[np.bool_] = (self.repeats > 0) & (self.mean > 0)
        return chosen


@dataclass(frozen=True, slots=True)
class Fit:
    """The most likely parameters of a model.

    Attributes:
        likelihood: The logarithm of the likelihood, summed over the customers.
        at_bound: The parameters that would be still farther out if they were allowed to.
    """

    parameters: dict[str, float]
    likelihood: float
    at_bound: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fitted:
    """Both models.

    Attributes:
        correlation: How far the value of a purchase goes along with their number: the model takes it to be 0.
    """

    buying: Fit
    spending: Fit
    correlation: float


def gather(histories: Iterable[History], until: Instant) -> Sample:
    """Return the sample of *histories* that are known until *until*.

    Raises:
        Fault: Too few customers bought again.
    """
    rows = [
        (it.repeats, (it.last_at - it.first_at) / DAY, (until - it.first_at) / DAY, it.repeat_mean) for it in histories
    ]
    sample = Sample(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)
    repeaters = int(sample.repeaters.sum())
    if repeaters < LEAST_REPEATERS:
        raise Fault(
            f"only {repeaters:,} of {len(rows):,} customers bought again on another day, and {LEAST_REPEATERS} must "
            "have: fewer say too little about all others. Wait for more orders, or give older ones too"
        )
    return sample


def fit_all(sample: Sample, report: Callable[[], None] = lambda: None) -> Fitted:
    """Return the parameters of both models; *report* is called after each of twelve steps."""
    return Fitted(fit_buying(sample, report), fit_spending(sample, report), _correlate(sample))


def fit_buying(sample: Sample, report: Callable[[], None] = lambda: None) -> Fit:
    """Return the parameters of BG/NBD; *report* is called after each start."""
    rows, counts = np.unique(np.column_stack((sample.repeats, sample.recency, sample.age)), axis=0, return_counts=True)
    repeats, recency, age = rows.T

    def likelihood(parameters: Numbers) -> tuple[float, Numbers]:
        return _weigh_buying(parameters, (repeats, recency, age), counts)

    typical = max(float(sample.age.mean()), 1.0)
    shapes = product((0.3, 1.0), (0.1, 1.0), ((0.5, 2.0), (1.0, 5.0)))
    starts = [(r, share * typical, a, b) for r, share, (a, b) in shapes]
    return _climb(likelihood, BUYING, starts, report)


def fit_spending(sample: Sample, report: Callable[[], None] = lambda: None) -> Fit:
    """Return the parameters of Gamma-Gamma; *report* is called after each start."""
    repeats, mean = sample.repeats[sample.repeaters], sample.mean[sample.repeaters]

    def likelihood(parameters: Numbers) -> tuple[float, Numbers]:
        return _weigh_spending(parameters, repeats, mean)

    typical = float(mean.mean())
    starts = [(p, q, typical * (q - 1.0) / p) for p, q in product((1.0, 6.0), (2.0, 5.0))]
    return _climb(likelihood, SPENDING, starts, report)


def _correlate(sample: Sample) -> float:
    repeats, mean = sample.repeats[sample.repeaters], sample.mean[sample.repeaters]
    if repeats.std() == 0 or mean.std() == 0:
        return 0.0
    return float(np.corrcoef(repeats, mean)[0, 1])


def _climb(
    likelihood: Likelihood, names: Sequence[str], starts: Sequence[tuple[float, ...]], report: Callable[[], None]
) -> Fit:
    """Climb from each of the starts, and return the highest place."""
    bounds = np.log([BOUNDS[name] for name in names])

    def loss(logs: Numbers) -> tuple[float, Numbers]:
        parameters = np.exp(logs)
        value, slope = likelihood(parameters)
        return -value, -slope * parameters

    best: Any = None
    for start in starts:
        found: Any = np.clip(np.log(start), *bounds.T)
        for _ in range(2):  # the second climb begins where the first one stood still
            done = minimize(loss, found, jac=True, method="L-BFGS-B", bounds=bounds, options=_OPTIONS)
            found = done.x
        if best is None or done.fun < best.fun:
            best = done
        report()
    parameters = dict(zip(names, np.exp(best.x).tolist(), strict=True))
    at_bound = tuple(name for name in names if _is_at_bound(name, parameters[name]))
    return Fit(parameters, -float(best.fun), at_bound)


def _is_at_bound(name: str, value: float) -> bool:
    least, most = BOUNDS[name]
    return value < least * _NEAR or value > most / _NEAR


def _weigh_buying(
    parameters: Numbers, known: tuple[Numbers, Numbers, Numbers], counts: NDArray[np.int64]
) -> tuple[float, Numbers]:
    """Return the log-likelihood of BG/NBD and its gradient.

    Fader, Hardie and Lee 2005, equation 6, in logarithms (as their note of 2013 on the #NUM! error has it): a customer
    has bought x times and is there still, or dropped out after the last purchase, if there was one to drop out after.
    """
    (r, alpha, a, b), (x, recency, age) = parameters, known
    here, gone = alpha + age, alpha + recency
    still = -(r + x) * np.log(here)
    left = np.where(x > 0, np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(gone), -np.inf)
    either = np.logaddexp(still, left)
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + gammaln(a + b) + gammaln(b + x) - gammaln(b)
    value = common - gammaln(a + b + x) + either
    there = np.exp(still - either)
    dropped = np.exp(left - either)
    both = digamma(a + b) - digamma(a + b + x)
    slope = np.stack(
        (
            digamma(r + x) - digamma(r) + np.log(alpha) - there * np.log(here) - dropped * np.log(gone),
            r / alpha - (r + x) * (there / here + dropped / gone),
            both + dropped / a,
            both + digamma(b + x) - digamma(b) - dropped / (b + np.maximum(x, 1) - 1),
        )
    )
    return float(value @ counts), slope @ counts


def _weigh_spending(parameters: Numbers, x: Numbers, mean: Numbers) -> tuple[float, Numbers]:
    """Return the log-likelihood of Gamma-Gamma and its gradient: Fader and Hardie 2013, equation 1a."""
    p, q, v = parameters
    shape, known = p * x, v + x * mean
    value = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v)
    value += (shape - 1.0) * np.log(mean) + shape * np.log(x) - (shape + q) * np.log(known)
    common = digamma(shape + q) - np.log(known)
    slope = np.stack(
        (
            x * (common - digamma(shape) + np.log(x * mean)),
            common - digamma(q) + np.log(v),
            q / v - (shape + q) / known,
        )
    )
    return float(value.sum()), slope.sum(axis=1)
