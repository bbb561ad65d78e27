"""sweep_profiles: look at everybody, page by page: under changed rules, or for whom a campaign is."""

from functools import partial
from typing import Any, Final

import msgspec

from cartwake.backfill import ReadEvents
from cartwake.batches import keep_record, process_each, process_queue
from cartwake.bundles import Bundle
from cartwake.clock import read_clock
from cartwake.enrolling import enrol_page
from cartwake.errors import TryAgain, WriteConflict
from cartwake.events import derive_id
from cartwake.gateways import bucket, queue
from cartwake.live import forget, load_bundle, load_live
from cartwake.profiles import Profile
from cartwake.progress import FILES, encode, show_progress
from cartwake.reasons import Refusal
from cartwake.segments import finish
from cartwake.store import base, enrolments, events, profiles, quarantine, sweeps
from cartwake.sweeps import PARTS, Outcome, Part, SweepKind, compare, follow, go_on, repair, tell
from cartwake.telemetry import count, logger, metrics
from cartwake.times import SECOND, Instant
from cartwake.trials import name_result, show_result

PAGE: Final = 50
RESERVE_MS: Final = 40 * SECOND
"""So much of the time that is left must be left for one more page; a page takes some seconds at most."""
REPORT_EVERY_MS: Final = 5 * SECOND
_ATTEMPTS: Final = 5
_ROUNDS: Final = 3
_reported: dict[SweepKind, Instant] = {}


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Go on with parts of sweeps, as long as there is time; where each part stands is in its row.

    Args:
        event: `Records` of SQS with bodies `{"sweep": "live" | "trial", "part": 0}` or `{"enrol": journey, "part": 0}`.
        context: Lambda's.
    """

    def go(body: dict[str, Any]) -> None:
        if "enrol" in body:
            enrol(body["enrol"], int(body["part"]), context)
        else:
            sweep(SweepKind(body["sweep"]), int(body["part"]), context)

    return process_queue(
        event,
        go,
        set_aside=lambda record, error: keep_record(record, error, read_clock()),
    )


def sweep(kind: SweepKind, number: int, context: Any) -> None:
    """Go on with a part until it is done, or others do, or the time is up: then ask for another go."""
    part = sweeps.get_part(kind, number)
    if part is None:
        return
    early_ms = part.aim.opens_at - read_clock()
    if early_ms > 0:  # a message of the sweep before
        queue.send_sweeps([(kind.value, number)], delay_seconds=-(-early_ms // SECOND))
        return
    while not part.done:
        if context.get_remaining_time_in_millis() < RESERVE_MS:
            queue.send_sweeps([(kind.value, number)])
            return
        after = look_at_page(part, now=read_clock())
        if not sweeps.move(part, after):
            return
        part = after
        if not part.done:
            report(kind)
    conclude(part)


def enrol(journey: str, number: int, context: Any) -> None:
    """Go on with a part of an enrolment until it is done, or others do, or it is paused, or the time is up."""
    part = enrolments.get_part(journey, number)
    while part is not None and not part.done:
        if context.get_remaining_time_in_millis() < RESERVE_MS:
            queue.send_enrolments([(journey, number)])
            return
        after = enrol_page(part, limit=PAGE, now=read_clock())
        if after is None or not enrolments.move(part, after):
            return
        part = after


def look_at_page(part: Part, *, now: Instant) -> Part:
    """Look at the next page of profiles, and return the part as it is then.

    Raises:
        TryAgain: Some could not be done now; doing the whole page again is harmless.
    """
    # first of all: rules that cannot be read are no fault of anybody on the page
    load_live(now)
    if part.kind is SweepKind.TRIAL:
        load_bundle(part.aim.bundle)
    page = profiles.scan_page(part.number, PARTS, after=part.cursor, limit=PAGE)
    outcomes: list[Outcome] = []
    failed: list[str] = []

    def look(row: profiles.ProfileRow) -> None:
        look_at = repair_profile if part.kind is SweepKind.LIVE else try_profile
        outcome = look_at(profiles.decode_row(row), part, now)
        if outcome is not None:
            outcomes.append(outcome)

    def keep(row: profiles.ProfileRow, error: Exception) -> None:
        failed.append(row.who)
        _keep(row, error)

    again = list(page.rows)
    for _ in range(_ROUNDS):
        again = process_each(again, look, set_aside=keep)
    if again:
        raise TryAgain(f"{len(again)} of {len(page.rows)} profiles could not be looked at")
    written = sum(outcome.is_news for outcome in outcomes) if part.kind is SweepKind.LIVE else 0
    found = tell(outcomes, read=len(page.rows), written=written, failed=len(failed))
    count("ProfilesSwept", len(page.rows))
    logger.info("page swept", sweep=part.kind, part=part.number, read=len(page.rows), written=written)
    return go_on(part, cursor=page.cursor, found=found, now=now)


def repair_profile(profile: Profile, part: Part, now: Instant) -> Outcome | None:
    """Bring one profile up to the live rules, until nobody else writes in between; None when there is nobody."""
    for _ in range(_ATTEMPTS):
        rules = load_live(now)
        if rules.generation < max(part.aim.generation, profile.generation):
            forget()
            continue
        outcome = repair(profile, rules, _reader(profile), now=now)
        if outcome is None or not outcome.is_news or _write(outcome, rules, now):
            return outcome
        profile = profiles.get_profile(profile.who)
    raise WriteConflict("profile written by others, or by newer rules, too often in a row")


def try_profile(profile: Profile, part: Part, now: Instant) -> Outcome | None:
    """Return what a candidate would make of one profile; nothing is written."""
    rules = load_live(now)
    if rules.generation < max(part.aim.generation - 1, profile.generation):
        forget()
        rules = load_live(now)
    if rules.generation < max(part.aim.generation - 1, profile.generation):
        raise WriteConflict("profile written by newer rules")
    live = repair(profile, rules, _reader(profile), now=now)
    if live is None:
        return None
    try:
        candidate = follow(load_bundle(part.aim.bundle), rules, part.aim.names)
        tried = repair(live.profile, candidate, _reader(profile), now=now)
    except TryAgain:
        raise
    except Exception as error:  # noqa: BLE001  what the candidate does not bear counts as moved: it must not go live
        logger.error("candidate failed", error=type(error).__name__, candidate=part.aim.candidate)
        return msgspec.structs.replace(live, names=frozenset(), failed=True)
    return None if tried is None else compare(live, tried, part.aim.names)


def report(kind: SweepKind) -> None:
    """Write how far the sweep is, if this process has not just done so."""
    now = read_clock()
    if now - _reported.get(kind, 0) >= REPORT_EVERY_MS:
        _reported[kind] = now
        _write_progress(kind, now)


def conclude(part: Part) -> None:
    """Say that a part is done, and if it was the last one, what the trial has come to: publish_rules waits for it.

    That is written once: a confirmation must be younger than it.
    """
    parts = _write_progress(part.kind, read_clock())
    if part.kind is not SweepKind.TRIAL or any(each.aim != part.aim for each in parts):
        return
    if len(parts) == PARTS and all(each.done for each in parts) and not any(each.told for each in parts):
        bucket.write(name_result(part.aim.candidate), encode(show_result(parts)))
        sweeps.move(part, msgspec.structs.replace(part, told=True))


def _write_progress(kind: SweepKind, now: Instant) -> list[Part]:
    """Write the progress until what was written is the last word: another may have written an older one over it."""
    while True:
        parts = sweeps.list_parts(kind)
        told = show_progress(parts, profiles=profiles.count_rows(), now=now)
        bucket.write(FILES[kind], encode(told))
        done = [part.done for part in sweeps.list_parts(kind)]
        if told["done"] or not all(done):
            return parts


def _write(outcome: Outcome, rules: Bundle, now: Instant) -> bool:
    return base.commit([profiles.put_profile(finish(outcome.profile, rules, now), outcome.signals)])


def _reader(profile: Profile) -> ReadEvents:
    return partial(events.read_history, profile.keys)


def _keep(row: profiles.ProfileRow, error: Exception) -> None:
    """Note whom no code could look at; the profile stays as it is, and the others are looked at."""
    key, where = derive_id("sweep", row.who), type(error).__name__
    quarantine.put(row.who, key, reason=Refusal.POISON, at=read_clock(), where=where)
