"""How often tests of variants are decided rightly, wrongly and never: figures for docs/experiments.md.

`python -m infra.bench.experiments [TESTS]` simulates so many tests of each kind, with the code that decides real ones,
and rewrites the tables between the marks of the page.
"""

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Final

from cartwake.variants import VariantTest
from cartwake.winners import decide

PAGE: Final = Path(__file__).parents[2] / "docs" / "experiments.md"
BEGIN: Final = "<!-- figures, written by infra/bench/experiments.py -->"
END: Final = "<!-- end of figures -->"
Z: Final = 1.959964
ALIKE: Final = ((0.02, 0.02), (0.1, 0.1), (0.4, 0.4), (0.1, 0.1, 0.1))
BETTER: Final = ((0.02, 0.025), (0.02, 0.03), (0.1, 0.12), (0.1, 0.15), (0.4, 0.44), (0.4, 0.5), (0.1, 0.1, 0.13))
"""Of each, the last variant is the best."""


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one test.

    Attributes:
        winner: Its place; None: there was none.
        shoppers: After how many.
        peeked: A z test would have said at some look that the first and the last differ.
    """

    winner: int | None
    shoppers: int
    peeked: bool


def simulate(rates: tuple[float, ...], chance: random.Random, *, step: int, looks: int) -> Found:
    """Live through one test that is looked at after each *step* shoppers."""
    names = [chr(ord("a") + place) for place in range(len(rates))]
    test = VariantTest(digest="", micros=dict.fromkeys(names, round(1e6 / len(rates))), by="clicked", since=1)
    counts = {name: {"judged": 0, "clicked": 0} for name in names}
    peeked = False
    for look in range(1, looks + 1):
        left = step
        for place, name in enumerate(names):
            came = chance.binomialvariate(left, 1 / (len(rates) - place))
            left -= came
            counts[name]["judged"] += came
            counts[name]["clicked"] += chance.binomialvariate(came, rates[place])
        peeked = peeked or _differs(counts["a"], counts[names[-1]])
        found = decide(test, counts, 0)
        if found:
            return Found(names.index(found[0]), look * step, peeked)
    return Found(None, looks * step, peeked)


def simulate_all(rates: tuple[float, ...], tests: int, *, step: int, looks: int) -> list[Found]:
    """Live through so many tests, always the same ones."""
    chances = (random.Random(f"{rates} {seed}") for seed in range(tests))  # noqa: S311  chance, not a secret
    return [simulate(rates, chance, step=step, looks=looks) for chance in chances]


def _differs(one: dict[str, int], other: dict[str, int]) -> bool:
    """Say whether the usual test of two proportions, that holds for one look, would call them different now."""
    number = one["judged"] + other["judged"]
    rate = (one["clicked"] + other["clicked"]) / number
    spread = sqrt(rate * (1 - rate) * (1 / one["judged"] + 1 / other["judged"]))
    return spread > 0 and abs(one["clicked"] / one["judged"] - other["clicked"] / other["judged"]) > Z * spread


def find_step(rates: tuple[float, ...]) -> int:
    """Return after how many shoppers to look: of variants that are alike few, of others as many as differ by little."""
    worst, best = rates[0], rates[-1]
    if worst == best:
        return round(10 * len(rates) / worst)
    return round(0.75 * len(rates) * best * (1 - best) / (best - worst) ** 2)


def write_tables(tests: int) -> Iterator[str]:
    """Yield the lines of the tables."""
    yield f"Each line: {tests} tests, at 95 percent, looked at up to 40 times (alike) or 160 times (better)."
    yield ""
    yield "| variants that are alike | shoppers in all | winner, wrongly | for comparison: a z test at each look |"
    yield "|---|---|---|---|"
    for rates in ALIKE:
        step = find_step(rates)
        found = simulate_all(rates, tests, step=step, looks=40)
        wrong = sum(it.winner is not None for it in found) / tests
        peeked = sum(it.peeked for it in found) / tests
        yield f"| {say(rates)} | {40 * step:,} | {wrong:.1%} | {peeked:.1%} |"
    yield ""
    yield "| variants, the last is best | the best wins | another wins | shoppers until half are decided | 90 % |"
    yield "|---|---|---|---|---|"
    for rates in BETTER:
        step = find_step(rates)
        found = simulate_all(rates, tests, step=step, looks=160)
        right = sum(it.winner == len(rates) - 1 for it in found) / tests
        wrong = sum(it.winner is not None for it in found) / tests - right
        numbers = sorted(it.shoppers for it in found)
        half, most = numbers[len(numbers) // 2], numbers[int(len(numbers) * 0.9)]
        yield f"| {say(rates)} | {right:.1%} | {wrong:.1%} | {half:,} | {most:,} |"


def say(rates: tuple[float, ...]) -> str:
    """Return rates for people."""
    return ", ".join(f"{rate:.1%}" for rate in rates)


def main() -> None:
    """Write the figures into the page."""
    tests = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{'\n'.join(write_tables(tests))}\n\n{END}{after}")


if __name__ == "__main__":
    main()
