"""Segments: which shoppers belong to them, since when, and until when that answer is good."""

from collections.abc import Callable, Iterable
from datetime import tzinfo
from enum import StrEnum
from typing import Any, Final

import msgspec

from cartwake.bundles import Bundle, Segment
from cartwake.conditions.evaluate import evaluate
from cartwake.conditions.kinds import UNKNOWN, Answer, Condition, ScoreRule, Start, Verdict
from cartwake.conditions.predictions import Parameters
from cartwake.events import Event, short_id
from cartwake.indexes import Index
from cartwake.journeys import Dated
from cartwake.knowledge import find_zone, is_changed, know
from cartwake.moments import judge_moment
from cartwake.profiles import NO_LOT, Membership, Profile, State, fold, prepare, trim
from cartwake.sums import SETTLED_AFTER_MS
from cartwake.times import NEVER, Instant
from cartwake.trackers import Tracker
from cartwake.values import find_value


class SignalKind(StrEnum):
    """What a profile's write tells the journeys."""

    HAPPENED = "happened"
    ENTERED = "entered"
    LEFT = "left"
    TOUCHED = "touched"
    JOINED = "joined"


class Signal(msgspec.Struct, frozen=True, array_like=True):
    """Something journeys may start or end on, written in the same item as the profile.

    Attributes:
        name: Of the event, of the segment, or of the journey of which some run may wait for what changed; of a join
            nothing: what one of the two has done may end or move any run of the other.
        at: When it was received, or when the membership changed.
        source: The key of the event's row: the event itself, or the one that changed the membership ("" for time).
        source_who: The other half of that key.
    """

    kind: SignalKind
    name: str
    at: Instant
    source_who: str = ""
    source: str = ""


class ProfileFacts:
    """What conditions may ask of a folded state under a bundle."""

    def __init__(self, state: State, rules: Bundle) -> None:
        self._state = state
        self._rules = rules
        self._found: dict[object, Any] = {}

    @property
    def zone(self) -> tzinfo:
        """The shopper's timezone, else the shop's."""
        return find_zone(self._state, self._rules.settings.timezone)

    @property
    def lot(self) -> int | None:
        """The number that was drawn for the shopper."""
        return self._state.lot if self._state.lot < NO_LOT else None

    @property
    def parameters(self) -> Parameters | None:
        """What predictions are made with."""
        return self._rules.predictions

    def tracker(self, key: str) -> Tracker | None:
        """Return the tracker, or None when the profile has never kept it."""
        return self._state.trackers.get(key)

    def trait(self, name: str) -> object:
        """Return the value of a trait, or None; `address.city` is that trait, else what stands in `address`."""
        return read_trait(self._state, name)

    def known(self, name: str) -> object:
        """Return something that Cartwake itself knows, or None."""
        return know(self._state, name)

    def was_in(self, segment: str) -> bool:
        """Say whether the shopper has entered a segment before, and may have left it since."""
        membership = self._state.memberships.get(segment)
        return membership is not None and membership.entered_at > 0

    def score_rule(self, name: str) -> ScoreRule | None:
        """Return how a score is reckoned."""
        return self._rules.scores.get(name)

    def once[Found](self, key: object, find: Callable[[], Found]) -> Found:
        """Return what *find* returns, and find it only once: in layers of segments it is asked a thousand times."""
        if key not in self._found:
            self._found[key] = find()
        found: Found = self._found[key]
        return found

    def segment(self, name: str, now: Instant) -> Verdict:
        """Return the verdict on a segment, evaluated afresh; where it is unknown, so is what refers to it."""
        segment = self._rules.segments.get(name)
        if segment is None:
            return UNKNOWN
        return self.once((name, now), lambda: evaluate(segment.where, self, now))


def read_trait(state: State, name: str) -> object:
    """Return the value of a trait, or None; `address.city` is that trait, else what stands in `address`."""
    register = state.traits.get(name)
    if register is not None:
        return register.value
    outer, _, inner = name.partition(".")
    return find_value(state.traits[outer].value, inner) if inner and outer in state.traits else None


class View(msgspec.Struct, frozen=True):
    """A profile's state as it is seen at an instant, under rules, and, from within a run, since its start."""

    state: State
    rules: Bundle
    now: Instant
    start: Start | None = None


def check(condition: Condition, view: View) -> Verdict:
    """Return the verdict of *condition* on a profile."""
    return evaluate(condition, ProfileFacts(view.state, view.rules), view.now, start=view.start)


def absorb(profile: Profile, event: Event, rules: Bundle) -> tuple[Profile, list[Signal]]:
    """Return the profile with *event* folded in and the signals that this gives.

    What time alone changed up to the event's receipt comes first, so that it is not jumped over. An event that is in
    the profile already changes nothing and signals nothing, unless its trace has been cut from the state: then it
    signals again, and meets the run that it started before.
    """
    profile, signals = advance(profile, rules, event.received_at)
    before = profile.state
    needs = rules.needs_by_event.get(event.name, {})
    state = fold(before, event, needs, orders=rules.settings.order_event)
    now = max(event.received_at, state.evaluated_at)
    if state is before and not _may_be_news(event, rules, before):
        return _pass(profile, now), signals
    touched = list_read(rules.watch_index, before, state, event)
    told = state
    state, changes = _evaluate(state, rules, _affected(before, state, event, rules), now=now)
    changes = [change for change in changes if not _is_set_late(change, before, told, rules)]
    if event.backfill:
        return _with(profile, state), signals
    signals += [Signal(SignalKind.TOUCHED, name, now) for name in touched]
    signals += [_name_source(change, event, rules) for change in changes]
    if _is_signalled(event, rules):
        signals.append(Signal(SignalKind.HAPPENED, event.name, event.received_at, event.who, event.key))
    return _with(profile, state), signals


def advance(profile: Profile, rules: Bundle, now: Instant) -> tuple[Profile, list[Signal]]:
    """Return the profile as of *now*, stepping through every expiry on the way, and the signals of each."""
    signals: list[Signal] = []
    state = profile.state
    while (at := next_expiry(state)) <= now:
        due = [name for name, membership in state.memberships.items() if membership.until <= at]
        state, changes = _evaluate(state, rules, due, now=max(at, state.evaluated_at))
        signals += changes
    return _with(profile, state), signals


def adopt(profile: Profile, rules: Bundle, now: Instant) -> Profile:
    """Return the profile under the rules of *rules*: what a new definition changes is changed silently.

    A profile without a row is new: nothing about it was ever true, so nothing is silent.
    """
    new = profile.version == 0
    state = prepare(profile.state, rules.needs, complete_from=0 if new else _find_passed(profile.state, now) + 1)
    if state.lot == NO_LOT:
        state = msgspec.structs.replace(state, lot=min(short_id(key) for key in profile.keys))
    gone = [name for name in state.memberships if name not in rules.memberships]
    if gone:
        kept = {name: value for name, value in state.memberships.items() if name not in gone}
        state = msgspec.structs.replace(state, memberships=kept)
    if not new and profile.generation < rules.generation:
        changed = [name for name, it in rules.memberships.items() if it.changed_generation > profile.generation]
        state, _ = _evaluate(state, rules, changed, now=max(now, state.evaluated_at))
    return msgspec.structs.replace(profile, state=state, generation=rules.generation)


def reevaluate(profile: Profile, rules: Bundle, now: Instant) -> tuple[Profile, list[Signal]]:
    """Return the profile with every segment evaluated at *now*: after a merge."""
    state, signals = _evaluate(profile.state, rules, rules.memberships, now=max(now, profile.state.evaluated_at))
    return _with(profile, state), signals


def touch(group: str, rules: Bundle, now: Instant) -> list[Signal]:
    """Return the signals that something known of a shopper changed without an event: runs may wait for it."""
    return [Signal(SignalKind.TOUCHED, name, now) for name in rules.watch_index.by_known.get(group, ())]


def finish(profile: Profile, rules: Bundle, now: Instant) -> Profile:
    """Return the profile without the entries that nothing needs any more: the last thing before it is written."""
    return _with(profile, trim(profile.state, rules.needs, now))


def next_expiry(state: State) -> Instant:
    """Return the earliest instant at which a membership must be looked at again."""
    return min((membership.until for membership in state.memberships.values()), default=NEVER)


def is_member(membership: Membership | None) -> bool:
    """Say whether the membership is one."""
    return membership is not None and membership.since > 0


_NOT_YET: Final = Membership(0)


def _evaluate(state: State, rules: Bundle, names: Iterable[str], *, now: Instant) -> tuple[State, list[Signal]]:
    """Evaluate the named segments; an unknown verdict leaves the membership as it was."""
    facts = ProfileFacts(state, rules)
    changed: dict[str, Membership] = {}
    signals: list[Signal] = []
    for name in sorted(names):  # of one instant, signals are in one order, whenever it is looked at
        if name not in rules.memberships:
            continue
        before = state.memberships.get(name, _NOT_YET)
        verdict = _judge(rules.memberships[name], facts, now)
        if verdict.until <= now:
            raise AssertionError(f"segment {name}: a verdict must last; this one ended before it began")
        member = is_member(before) if verdict.answer is Answer.UNKNOWN else verdict.answer is Answer.HOLDS
        if member != is_member(before):
            kind = SignalKind.ENTERED if member else SignalKind.LEFT
            if name in rules.signalled_segments:
                signals.append(Signal(kind, name, now))
        changed[name] = _move(before, member=member, until=verdict.until, now=now)
    memberships = state.memberships | changed
    kept = {name: value for name, value in memberships.items() if value.until < NEVER or value.entered_at}
    return msgspec.structs.replace(state, memberships=kept, evaluated_at=max(now, state.evaluated_at)), signals


def _judge(it: Segment | Dated, facts: ProfileFacts, now: Instant) -> Verdict:
    if isinstance(it, Segment):
        return evaluate(it.where, facts, now)
    return judge_moment(it.when, facts.trait(it.when.trait), facts.zone, now)


def _name_source(change: Signal, event: Event, rules: Bundle) -> Signal:
    """Return the signal with the event behind it; that a date comes is no event's doing."""
    if change.name in rules.dates:
        return change
    return msgspec.structs.replace(change, source_who=event.who, source=event.key)


def _is_set_late(change: Signal, before: State, told: State, rules: Bundle) -> bool:
    """Say whether somebody's date comes just now only because it was told just now: that starts nothing."""
    dated = rules.dates.get(change.name)
    if dated is None:
        return False
    return read_trait(before, dated.when.trait) != read_trait(told, dated.when.trait)


def _find_passed(state: State, now: Instant) -> Instant:
    """Return the instant after which whatever is received is still to come: what has passed was noted when it did.

    The first version of the state did not note what changed nothing.
    """
    return state.evaluated_at if state.created_at else max(now, state.evaluated_at)


def _pass(profile: Profile, now: Instant) -> Profile:
    """Note that what was received up to *now* has passed: a rule that needs it later looks for it in the past.

    It is not noted of somebody of whom nothing was ever evaluated: the first event has all rules looked at.
    """
    if profile.state.evaluated_at == 0 or now <= profile.state.evaluated_at:
        return profile
    return _with(profile, msgspec.structs.replace(profile.state, evaluated_at=now))


def _move(before: Membership, *, member: bool, until: Instant, now: Instant) -> Membership:
    if member == is_member(before):
        return msgspec.structs.replace(before, until=until)
    if member:
        return Membership(now, until, entered_at=now, left_at=before.left_at)
    return Membership(0, until, entered_at=before.entered_at, left_at=now)


def _affected(before: State, after: State, event: Event, rules: Bundle) -> list[str]:
    """Return the segments that the fold of *event* can have changed: all of them when none was ever looked at."""
    if before.evaluated_at == 0:
        return sorted(rules.memberships)
    return list_read(rules.segment_index, before, after, event)


def list_read(index: Index, before: State, after: State, event: Event) -> list[str]:
    """Return what reads something that the fold of *event* can have changed."""
    names = set(index.by_event.get(event.name, ()))
    if before.traits is not after.traits:
        for trait, reading in index.by_trait.items():
            if any(before.traits.get(told) != after.traits.get(told) for told in (trait, trait.partition(".")[0])):
                names.update(reading)
    for group, reading in index.by_known.items():
        if is_changed(before, after, group):
            names.update(reading)
    return sorted(names)


def _is_signalled(event: Event, rules: Bundle) -> bool:
    """Say whether journeys may start or end on *event*."""
    return event.name in rules.signalled_events and not (event.bot or event.backfill or event.is_hearsay)


def _may_be_news(event: Event, rules: Bundle, state: State) -> bool:
    """Say whether an event that left no trace may be one that was never seen: some of them trigger journeys.

    What was received before history was read in may be among its trackers, and not have been told of yet.
    """
    if not _is_signalled(event, rules):
        return False
    if event.received_at <= state.backfilled_at < event.received_at + SETTLED_AFTER_MS:
        return True
    keys = rules.needs_by_event.get(event.name, {})
    return not any(
        entry.id == event.short_id for key in keys if key in state.trackers for entry in state.trackers[key].entries
    )


def _with(profile: Profile, state: State) -> Profile:
    return msgspec.structs.replace(profile, state=state) if state is not profile.state else profile
