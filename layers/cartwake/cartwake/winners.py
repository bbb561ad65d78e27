"""Winners: when a test of variants is decided, by numbers or because its time is over.

Numbers decide as soon as one variant is better than each other one: `proportions.weigh` makes it the number of variants
times as unlikely as the shop wants to be wrong. Whatever the rates are, and however often one looks, a variant that is
not the best one wins with a probability of at most 1 - `sure`.
"""

from collections.abc import Mapping
from math import log
from typing import Any, Final, NamedTuple

import msgspec

from cartwake.bundles import Bundle
from cartwake.events import derive_id
from cartwake.journeys import HOLD_OUT
from cartwake.participants import BEGAN, JUDGED, name_counter
from cartwake.proportions import Tally, find_interval, find_lift, weigh
from cartwake.times import Instant, format_instant
from cartwake.variants import GUARD, MEASURES, VariantTest

FOLDER: Final = "_status/decisions/"
STATUS: Final = "_status/tests.json"
METHOD: Final = (
    "likelihood ratio of randomised shoppers, averaged over lifts of 2 to 200 %, valid however often one looks"
)

type Counts = Mapping[str, Mapping[str, int]]
"""By variant, how many shoppers were judged, and of how many each measure is true."""


class Measured(NamedTuple):
    """A test, its name, and its journey."""

    journey: str
    name: str
    test: VariantTest

    @property
    def counters(self) -> dict[str, str]:
        """By variant, under what its participants are counted."""
        digest = self.test.digest
        return {it: name_counter(self.journey, self.name, digest, it) for it in self.test.micros}

    @property
    def file(self) -> str:
        """The object in which its decision is kept."""
        return name_decision(self.journey, self.name, self.test)


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who has won, and why: written once.

    Attributes:
        winner: The variant; "": the time was over and nothing is known.
        how: `numbers` or `time`: then it is no more than the best so far.
        digest: Of the definition that it is good for.
        rule: Of how it was to be decided: of another measure, certainty, number or end it decides nothing.
        variants: What was known of each.
    """

    journey: str
    test: str
    digest: str
    by: str
    rule: str = ""
    winner: str
    how: str
    message: str
    decided_at: str
    sure_percent: float
    method: str = METHOD
    variants: dict[str, dict[str, Any]] = {}


def name_decision(journey: str, name: str, test: VariantTest) -> str:
    """Return the key of the object in which a decision is kept: of another definition or rule it is another one."""
    return f"{FOLDER}{journey}.{name}.{test.digest}.{test.by}.{name_rule(test)}.json"


def name_rule(test: VariantTest) -> str:
    """Return what stands for how a test is decided: by what, how surely, on how many shoppers, and when at the latest.

    Whoever changes one of these asks anew, and is answered anew from the numbers of the moment.
    """
    parts = (test.by, f"{test.sure:.6f}", str(test.at_least), str(test.until_ms))
    return derive_id("rule", *parts, test.until_date or str(test.until))[:8]


def decide(test: VariantTest, counts: Counts, now: Instant) -> tuple[str, str] | None:
    """Return the winner and how it won; None while it is open."""
    if not test.is_open:
        return None
    for name in test.rivals:
        if measure_progress(test, counts, name) >= 1:
            return name, "numbers"
    ends_at = find_end(test, counts)
    if ends_at and now >= ends_at:
        return _find_leader(test, counts), "time"
    return None


def find_end(test: VariantTest, counts: Counts) -> Instant:
    """Return when the best so far is taken; 0: never, or nobody was counted yet, and that is where its time begins."""
    began = [told[BEGAN] for told in counts.values() if BEGAN in told]
    return test.until or (min(began) + test.until_ms if test.until_ms and began else 0)


def measure_progress(test: VariantTest, counts: Counts, name: str) -> float:
    """Return how much of the evidence there is that *name* is the best variant; from 1 on it has won."""
    tallies = {each: read_tally(counts, each, test.by) for each in test.rivals}
    rivals = [other for other in test.rivals if other != name]
    if any(it.number < test.at_least for it in tallies.values()):
        return 0.0
    if any(tallies[name].rate <= tallies[other].rate for other in rivals):
        return 0.0
    found = min(_weigh(test, counts, (name, other), test.by) for other in rivals) / _find_bound(test)
    driven = found >= 1 and any(_is_surely_more(test, counts, (name, other), GUARD) for other in rivals)
    return 0.0 if driven else max(0.0, found)


def read_tally(counts: Counts, name: str, measure: str) -> Tally:
    """Return how many of a variant's shoppers did something."""
    found = counts.get(name, {})
    return Tally(found.get(JUDGED, 0), found.get(measure, 0))


def record(measured: Measured, counts: Counts, now: Instant) -> Decision | None:
    """Return the decision to be kept, or None while the test is open."""
    test = measured.test
    found = decide(test, counts, now)
    if found is None:
        return None
    winner, how = found
    return Decision(
        journey=measured.journey,
        test=measured.name,
        digest=test.digest,
        by=test.by,
        rule=name_rule(test),
        winner=winner,
        how=how,
        message=_say(test, winner, how),
        decided_at=format_instant(now),
        sure_percent=round(100 * test.sure, 6),
        variants=show_variants(test, counts),
    )


def encode_decision(decision: Decision) -> bytes:
    """Return a decision as JSON, for people too."""
    return msgspec.json.format(msgspec.json.encode(decision), indent=2) + b"\n"


def list_measured(rules: Bundle) -> list[Measured]:
    """Return the tests that are looked at: of a draft there is nobody, and the archive is over."""
    active = [name for name in sorted(rules.tests) if rules.journeys[name].status in ("live", "paused")]
    return [Measured(journey, name, test) for journey in active for name, test in sorted(rules.tests[journey].items())]


def encode_tests(shown: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return `_status/tests.json`."""
    return msgspec.json.format(msgspec.json.encode(shown), indent=2) + b"\n"


def decode_decision(content: bytes | None) -> Decision | None:
    """Return what `encode_decision` wrote; None when there is none, or it is not one."""
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=Decision)
    except msgspec.DecodeError:
        return None


def apply(test: VariantTest, decision: Decision | None) -> VariantTest:
    """Return the test as decided, where the decision is about this very test and by its very rule."""
    if decision is None or test.how or (decision.digest, decision.rule) != (test.digest, name_rule(test)):
        return test
    if decision.winner not in ("", *test.rivals):
        return test
    return msgspec.structs.replace(test, winner=decision.winner, how=decision.how)


def show_test(test: VariantTest, counts: Counts) -> dict[str, Any]:
    """Return what is known of a test, as JSON data."""
    progress = {name: measure_progress(test, counts, name) for name in test.rivals} if test.is_open else {}
    ends_at = find_end(test, counts)
    return {
        "winner": test.winner or None,
        "how": test.how or None,
        "by": test.by or None,
        "live_since": format_instant(test.since) if test.since else None,
        "ends_at": format_instant(ends_at) if ends_at else None,
        "message": _say(test, test.winner, test.how) if test.how else _say_open(test, counts, progress),
        "variants": show_variants(test, counts),
    }


def show_variants(test: VariantTest, counts: Counts) -> dict[str, dict[str, Any]]:
    """Return by variant how many shoppers were judged, and of each measure how many, the share and its interval.

    The lift is what a share is above that of those held out, or without them of the first variant, in percent points.
    """
    base = HOLD_OUT if HOLD_OUT in test.micros else test.rivals[0]
    shown: dict[str, dict[str, Any]] = {}
    for name in test.micros:
        shown[name] = {"shoppers": read_tally(counts, name, "").number}
        for measure in (*MEASURES, GUARD):
            tally = read_tally(counts, name, measure)
            told: dict[str, Any] = {"number": tally.hits, "percent": _to_percent(tally.rate)}
            told["between"] = [_to_percent(it) for it in find_interval(tally)]
            if name != base:
                lift, *between = (_to_percent(it) for it in find_lift(tally, read_tally(counts, base, measure)))
                told["lift"], told["lift_between"] = lift, between
            shown[name][measure] = told
    return shown


def _find_bound(test: VariantTest) -> float:
    """Return the logarithm of the evidence that is asked for, against each of the others."""
    return log(len(test.rivals) / (1 - test.sure))


def _is_surely_more(test: VariantTest, counts: Counts, pair: tuple[str, str], measure: str) -> bool:
    return _weigh(test, counts, pair, measure) >= _find_bound(test)


def _weigh(test: VariantTest, counts: Counts, pair: tuple[str, str], measure: str) -> float:
    one, other = (test.micros[name] for name in pair)
    tallies = [read_tally(counts, name, measure) for name in pair]
    return weigh(*tallies, odds=one / (one + other))


def _find_leader(test: VariantTest, counts: Counts) -> str:
    """Return the variant with the largest share, or "" where several have it, or nobody was measured."""
    rates = {name: read_tally(counts, name, test.by).rate for name in test.rivals}
    best = [name for name, rate in rates.items() if rate == max(rates.values()) and rate > 0]
    return best[0] if len(best) == 1 else ""


def _say(test: VariantTest, winner: str, how: str) -> str:
    match how:
        case "hand":
            return f'"{winner}" was chosen by hand.'
        case "numbers":
            return f'"{winner}" has won: more of its shoppers {test.by}.'
        case _ if winner:
            return f'The time is over: "{winner}" is the best so far, which is not decided by numbers.'
        case _:
            return "The time is over, and nothing says which is best: shoppers go on by chance."


def _say_open(test: VariantTest, counts: Counts, progress: Mapping[str, float]) -> str:
    if not test.by:
        return 'Nothing decides it: "winner" in its step would.'
    if not test.since:
        return "Its journey is not live yet."
    fewest = min(read_tally(counts, name, "").number for name in test.rivals)
    if fewest < test.at_least:
        return f"Not decided: the smallest variant has {fewest} of {test.at_least} shoppers."
    best = max(progress, key=lambda name: progress[name])
    return f'Not decided: "{best}" has {100 * progress[best]:.0f} % of the evidence that is asked for.'


def _to_percent(share: float) -> float:
    return round(100 * share, 2)
