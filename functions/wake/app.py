"""wake: find what is due and was not done, and hand its keys to the queues."""

from typing import Any, Final

from cartwake import enrolments as enrolling
from cartwake.bundles import Bundle
from cartwake.campaigns import FILE, Known, is_held, list_counters, list_missed, list_told, read_sent, show_campaigns
from cartwake.clock import read_clock
from cartwake.errors import NoRules, TryAgain
from cartwake.gateways import bucket, queue
from cartwake.live import find_live, load_live
from cartwake.progress import encode
from cartwake.stocks import STATUS, count_anew, decode_stocks, encode_stocks, list_watched
from cartwake.store import counts, coupons, enrolments, erasures, messages, participants, profiles, runs, sweeps
from cartwake.sweeps import Part, SweepKind, is_stale
from cartwake.telemetry import count, logger, metrics
from cartwake.times import MINUTE, Instant
from cartwake.winners import STATUS as STATUS_OF_TESTS
from cartwake.winners import apply, encode_decision, encode_tests, list_measured, record, show_test

OVERDUE_AFTER_MS: Final = 3 * MINUTE
MOST_A_SHARD: Final = 500
COUNT_EVERY: Final = 10
"""Minutes between two looks at how many coupons are left, and at how tests of variants stand."""


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> None:
    """Run every minute: overdue steps, held runs that go on, messages that are due, expired answers, erasures, sweeps.

    Args:
        event: Anything; `{"at": instant}` pretends another time, for tests.
        context: Lambda's.
    """
    now = event.get("at") or read_clock()
    overdue = runs.list_due(now - OVERDUE_AFTER_MS, limit=MOST_A_SHARD)
    queue.send_steps(overdue)
    try:
        rules = load_live(now)
    except NoRules:
        # before the first upload there is nobody to wake, and that is no failure
        logger.info("no rules yet")
        return
    resumed = _list_resumed(rules)
    queue.send_steps(resumed)
    due = messages.list_due(now, limit=MOST_A_SHARD)
    queue.send_messages(due)
    # what was put off comes this way too, and is no news; what the calls of before did not move is
    stuck = messages.list_due(now - OVERDUE_AFTER_MS, limit=MOST_A_SHARD) if due else []
    woken = profiles.list_due(now, limit=MOST_A_SHARD)
    queue.send_wakes(woken)
    erased = erasures.list_due(now, limit=MOST_A_SHARD)
    queue.send_erasures(erased)
    sweeping = [part for kind in SweepKind for part in sweeps.list_parts(kind)]
    stale = [part for part in sweeping if is_stale(part, now)]
    queue.send_sweeps([(part.kind.value, part.number) for part in stale])
    parts, enrolled = _enrol(sweeping, now)
    judged = participants.list_due(now, limit=MOST_A_SHARD) if rules.tests else []
    queue.send_judgements(judged)
    count("OverdueRuns", len(overdue))
    count("StuckMessages", len(stuck))
    count("ProfilesWoken", len(woken))
    if now // MINUTE % COUNT_EVERY == 0:
        _count_coupons(rules, now)
        _look_at_tests(rules, now)
    logger.info(
        "woken",
        runs=len(overdue),
        resumed=len(resumed),
        messages=len(due),
        profiles=len(woken),
        erasures=len(erased),
        sweeps=len(stale),
        enrolments=enrolled,
        participants=len(judged),
    )
    # last: it reads much, and nothing waits for it
    _tell_campaigns(rules, parts, now)


def _enrol(sweeping: list[Part], now: int) -> tuple[list[enrolling.Part], int]:
    """Begin the enrolments whose time has come, ask for forgotten parts of others; return all, and how many of them.

    While everybody is still looked at under changed rules nothing begins: who is a member is not settled yet.
    """
    name, rules = find_live(now)
    parts = enrolments.list_parts()
    begun = enrolling.group(parts)
    settled = all(part.done for part in sweeping if part.kind is SweepKind.LIVE)
    news = [
        enrolling.begin(journey, aim, rules=(name, rules.generation), now=now)
        for journey, aim in rules.enrolments.items()
        if journey not in begun and enrolling.is_due(aim, now) and settled and rules.journeys[journey].status == "live"
    ]
    fresh = [part for some in news if enrolments.begin(some) for part in some]
    forgotten = [part for part in parts if enrolling.is_stale(part, now) and not is_held(rules, part)]
    asked = [*fresh, *forgotten]
    queue.send_enrolments([(part.journey, part.number) for part in asked])
    return [*parts, *fresh], len(asked)


def _tell_campaigns(rules: Bundle, parts: list[enrolling.Part], now: int) -> None:
    """Write how far campaigns are; what those have sent that are news is added up anew, of others it is known."""
    told = list_told(rules, parts, now)
    missed = list_missed(rules, parts, now) if now // MINUTE % COUNT_EVERY == 0 else []
    if missed:
        count("CampaignsMissed", len(missed))
        logger.warning("campaigns missed", campaigns=missed)
    if not told and not missed:
        return
    known = read_sent(_read(FILE))
    sent = known | {
        name: counts.add_up_messages(list_counters(name, rules.journeys[name]))
        for name in enrolling.group(parts)
        if name in rules.journeys and (name in told or name not in known)
    }
    bucket.write(FILE, encode(show_campaigns(rules, parts, Known(sent, profiles.count_rows(), now))))


def _count_coupons(rules: Bundle, now: int) -> None:
    """Count the pools that run low; no further in each than to its limit, so it costs little however large they are."""
    counted = {name: coupons.count_free(name, now, most=rules.pools[name].low_at) for name in list_watched(rules)}
    low = [name for name, free in counted.items() if free < rules.pools[name].low_at]
    if not counted:
        return
    count("CouponsLow", len(low))
    logger.info("coupons counted", pools=len(counted), low=low)
    try:
        stocks = decode_stocks(bucket.read(STATUS))
        after = count_anew(stocks, counted, rules, now)
        if after != stocks:
            bucket.write(STATUS, encode_stocks(after))
    except TryAgain:
        # before the first import there is none, and whoever may not list is told no more than that
        logger.warning("the status of the coupons is as it was")


def _look_at_tests(rules: Bundle, now: Instant) -> None:
    """Decide the tests of variants of which numbers, or time, have by now said who wins; tell how the others stand."""
    shown: dict[str, dict[str, Any]] = {}
    for measured in list_measured(rules):
        counted = {variant: counts.add_up(counter) for variant, counter in measured.counters.items()}
        decision = record(measured, counted, now)
        if decision is not None:
            count("TestsDecided", int(bucket.write_once(measured.file, encode_decision(decision))))
            logger.info("test decided", test=measured.file, winner=decision.winner, how=decision.how)
        test = apply(measured.test, decision)
        shown.setdefault(measured.journey, {})[measured.name] = show_test(test, counted)
    if shown:
        _tell(STATUS_OF_TESTS, encode_tests(shown))


def _tell(key: str, content: bytes) -> None:
    """Write a file for people, if it is news."""
    if _read(key) != content:
        bucket.write(key, content)


def _read(key: str) -> bytes | None:
    """Return a file that was written for people, or None."""
    try:
        return bucket.read(key)
    except TryAgain:
        # before the first one there is none, and whoever may not list is told no more than that
        return None


def _list_resumed(rules: Bundle) -> list[tuple[str, str]]:
    """Return runs that a pause held and that may go on, or must end."""
    going_on = [name for name, journey in rules.journeys.items() if journey.status in ("live", "archived")]
    return [key for name in (*going_on, *rules.retired) for key in runs.list_held(name, limit=MOST_A_SHARD)]
