"""Enrolling: a page of shoppers is looked at, and those who are meant are brought into the journey."""

from typing import Final

from msgspec.structs import replace

from cartwake.batches import process_each
from cartwake.bundles import Bundle
from cartwake.enrolments import PARTS, Found, Part, add, pace_ms
from cartwake.errors import TryAgain, WriteConflict
from cartwake.events import derive_id
from cartwake.gateways.queue import send_steps
from cartwake.gateways.scheduler import plan_step
from cartwake.live import find_live, forget, load_bundle
from cartwake.profiles import Kind, Profile
from cartwake.reasons import NotEntered, Refusal
from cartwake.recipients import find_membership, may_enter, propose, show_occasion
from cartwake.runs import Rules, Run
from cartwake.store import base, profiles, quarantine, runs, slots
from cartwake.telemetry import count, logger, name_who
from cartwake.times import Instant

_ATTEMPTS: Final = 5
_ROUNDS: Final = 3


def enrol_page(part: Part, *, limit: int, now: Instant) -> Part | None:
    """Look at the next page of profiles, and return the part as it is then; None while the journey is paused.

    Whoever does the same page again finds the runs that there are, and starts those that there are not.

    Raises:
        TryAgain: Some could not be done now.
    """
    rules = _load_rules(part, now)
    journey = rules.journeys.get(part.journey)
    if journey is None or journey.status == "archived":
        return replace(part, done=True, stopped=True, updated_at=now)
    if journey.status != "live":
        return None
    page = profiles.scan_page(part.number, PARTS, after=part.cursor, limit=limit)
    look = _Look(part, rules, now)
    again = list(page.rows)
    for _ in range(_ROUNDS):
        again = process_each(again, look.look, set_aside=look.keep)
    if again:
        raise TryAgain(f"{len(again)} of {len(page.rows)} profiles could not be looked at")
    logger.info("page enrolled", journey=part.journey, part=part.number, read=len(page.rows))
    found = add(look.part.found, Found(read=len(page.rows)))
    return replace(look.part, cursor=page.cursor, done=not page.cursor, found=found, updated_at=now)


def _load_rules(part: Part, now: Instant) -> Bundle:
    """Return the live rules, at least as new as those with which the enrolment began."""
    for _ in range(2):
        _, rules = find_live(now)
        if rules.generation >= part.generation:
            load_bundle(part.bundle)
            return rules
        forget()
    raise TryAgain("the rules with which the enrolment began are not live here yet")


class _Look:
    """One look at a page.

    Attributes:
        part: With what was found until now.
    """

    def __init__(self, part: Part, rules: Bundle, now: Instant) -> None:
        self.part = replace(part, next_at=max(part.next_at, now))
        self._rules, self._now = rules, now

    def look(self, row: profiles.ProfileRow) -> None:
        """Bring in whom a row leads to, if they are meant.

        Who was joined with somebody is looked at under both rows: one of the two may have been passed already.
        """
        profile = profiles.decode_row(row)
        led = profile.kind is Kind.POINTER
        if led:
            profile = profiles.resolve_profile(profile.target)
        if profile.kind is not Kind.PROFILE or profile.version == 0:
            return
        if profile.generation > self._rules.generation:
            self._renew(profile.generation)
        run = self._propose(profile)
        if run is None:
            return
        refused = self._enter(run, profile)
        if led and refused is not None:
            return
        self._note(run, refused)

    def keep(self, row: profiles.ProfileRow, error: Exception) -> None:
        """Note whom no code could look at; the others are looked at."""
        key, where = derive_id("enrol", self.part.journey, row.who), type(error).__name__
        quarantine.put(row.who, key, reason=Refusal.POISON, at=self._now, where=where)
        self.part = replace(self.part, found=add(self.part.found, Found(failed=1)))

    def _renew(self, generation: int) -> None:
        """Look at rules anew that are older than what somebody was written under."""
        forget()
        _, self._rules = find_live(self._now)
        journey = self._rules.journeys.get(self.part.journey)
        if self._rules.generation < generation or journey is None or journey.status != "live":
            raise TryAgain("profile written by newer rules, or the journey is not live any more")

    def _propose(self, profile: Profile) -> Run | None:
        membership = find_membership(profile, self.part, self._rules)
        rules = Rules(load_bundle(self.part.bundle), self._rules)
        return None if membership is None else propose(profile, membership, self.part, rules)

    def _note(self, run: Run, refused: NotEntered | None) -> None:
        """Count somebody who is meant; the next one begins so much later as the rate says."""
        entered = refused is None or refused is NotEntered.SAME_RUN
        told = {} if entered or refused is None else {refused.value: 1}
        pace = pace_ms(self._rules.settings.send_rate) if entered else 0
        self.part = replace(
            self.part,
            found=add(self.part.found, Found(members=1, enrolled=int(entered), refused=told)),
            next_at=self.part.next_at + pace,
            last_at=max(self.part.last_at, run.due_at) if entered else self.part.last_at,
        )

    def _enter(self, run: Run, profile: Profile) -> NotEntered | None:
        """Start the run, or return why not."""
        occasion = show_occasion(self.part, self._rules, self._now)
        for _ in range(_ATTEMPTS):
            own, *foreign = [slots.get_slot(key, run.journey) for key in profile.keys]
            refused = may_enter(run, profile, [own, *foreign], occasion)
            if refused is NotEntered.SAME_RUN:
                _plan_again(run, profile, self._now)
            if refused is not None:
                return refused
            demands = [profiles.demand_profile(profile), *(slots.demand_unchanged(slot) for slot in foreign)]
            if base.commit([runs.start(run), *slots.take(own, run), *demands]):
                count("RunsStarted")
                logger.info("run started", who=name_who(run.who), journey=run.journey, run=run.id)
                _plan(run, self._now)
                return None
            profile = profiles.get_profile(profile.who)
            if profile.kind is not Kind.PROFILE:
                return NotEntered.ERASED
            again = self._propose(profile)
            if again is None:
                return NotEntered.FILTER
            run = again
        raise WriteConflict("the slot was taken or the profile written too often in a row")


def _plan(run: Run, now: Instant) -> None:
    plan_step(run, now)
    if run.watching:
        # what came before the row said that it waits has told nobody
        send_steps([(run.who, run.key)])


def _plan_again(run: Run, profile: Profile, now: Instant) -> None:
    """Plan the first step of a run that was started before, by whoever ended before they could."""
    for key in profile.keys:
        known = runs.get_run(key, run.key)
        if known is not None and known.ended is None and known.seq == 0:
            _plan(known, now)
