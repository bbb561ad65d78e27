"""Family: the rows that turn out to be one shopper's while new events are worked into one profile.

An edge, not a decision: it reads rows, and keeps which of them become pointers to the one that stays.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import assert_never

from cartwake import identity
from cartwake.addresses import derive_key, normalise
from cartwake.backfill import complete, find_lacking, look_back
from cartwake.bundles import Bundle
from cartwake.errors import TryAgain
from cartwake.events import Event, Trust
from cartwake.gateways.secrets import address_secret
from cartwake.identity import Ruling
from cartwake.profiles import Profile, State
from cartwake.reasons import Refusal
from cartwake.segments import Signal, SignalKind, adopt, advance, reevaluate
from cartwake.statements import Channel
from cartwake.store import base, events, identities, profiles
from cartwake.times import Instant

_CONTACTS = {Channel.EMAIL: "email", Channel.SMS: "phone"}


class NewerRules(TryAgain):
    """A row was written under newer rules than these; look for them, and begin anew."""


class Family:
    """One shopper's rows.

    Attributes:
        profile: The profile as worked so far: the row that stays.
        refuse: Called with an event whose word about who is whom was not taken, and why.
    """

    def __init__(self, row: Profile, rules: Bundle, now: Instant, *, refuse: Callable[[Event, Refusal], None]) -> None:
        self._rules, self._now, self._refuse = rules, now, refuse
        self._rows = {row.who: row}
        self._signals: list[Signal] = []
        self.profile = adopt(self._check(row), rules, now)

    @property
    def before(self) -> Profile:
        """The row that stays, as it was read."""
        return self._rows[self.profile.who]

    @property
    def others(self) -> list[Profile]:
        """The rows that become pointers, as they were read."""
        return [row for who, row in self._rows.items() if who != self.profile.who]

    def gather(self, event: Event) -> list[Signal]:
        """Join whoever *event* says is this shopper, and return what that signals: before the event is folded."""
        before, visitors, met = self.profile, identity.find_visitors(event), self._count_lived()
        self._signals = []
        if event.arrival is not None:
            self._welcome(event, event.arrival.who)
        for key in visitors:
            self._take(key, event)
        for owner in self._find_owners(event):
            if owner in self.profile.keys:
                self.profile = identity.vouch(self.profile, [event.who])
            elif identity.is_vouched(self.profile, event):
                self._take(owner, event)
        if _is_trusted(event):
            self.profile = identity.vouch(self.profile, visitors)
        if self.profile.keys == before.keys:
            return []
        self.profile, signals = reevaluate(self.profile, self._rules, event.received_at)
        if self._count_lived() > met:
            self._signals.append(Signal(SignalKind.JOINED, "", event.received_at))
        return [*self._signals, *([] if event.backfill else signals)]

    def pointers(self) -> Iterator[base.Action]:
        """Yield the writes that turn the other rows into pointers."""
        for row in self.others:
            yield profiles.point_to(row, self.profile.who)

    def _count_lived(self) -> int:
        """Return how many of the rows were ever written: a new visitor's key has had no runs."""
        return sum(row.version > 0 for row in self._rows.values())

    def _take(self, key: str, event: Event) -> None:
        """Join the profile that *key* leads to; a visitor who has none yet gets a pointer all the same."""
        other = self._find(key)
        if other is None:
            return
        trusted = _is_trusted(event) and identity.is_owned(other, key)
        match identity.judge(self.profile, other, self._now, trusted=trusted):
            case Ruling.JOIN:
                gone = self._join(other, identity.choose_survivor)
                if trusted and gone in (event.who, *identity.find_visitors(event)):
                    self.profile = identity.vouch(self.profile, [gone])
            case ruling:
                self._tell(event, ruling)

    def _welcome(self, event: Event, reader: str) -> None:
        """Join the visitor of *event* to whom the link was sent, who stays; nobody vouches for that."""
        if reader not in self.profile.keys:
            sent_to = self._find(reader)
            if sent_to is None or sent_to.version == 0:
                return
            ruling = identity.judge_arrival(sent_to, self.profile, event, self._now)
            if ruling is not Ruling.JOIN:
                self._tell(event, ruling)
                return
            self._join(sent_to, lambda visitor, shopper: (shopper, visitor))
        self.profile = identity.note_arrival(self.profile, event)

    def _find(self, key: str) -> Profile | None:
        """Return the row that *key* leads to, or None where it is this shopper's already, or was erased."""
        if key in self.profile.keys or key in self._rows:
            return None
        other = self._check(profiles.resolve_profile(key))
        return None if other.who in self.profile.keys or identity.is_erased(other) else other

    def _join(self, other: Profile, choose: Callable[[Profile, Profile], tuple[Profile, Profile]]) -> str:
        """Make *other* and the profile one, and return the key of the one that *choose* lets go."""
        self._rows[other.who] = other
        mine, theirs = self._recall(self.profile), self._recall(adopt(other, self._rules, self._now))
        survivor, gone = choose(mine, theirs)
        self.profile = identity.join(survivor, gone, self._rules, now=self._now)
        return gone.who

    def _tell(self, event: Event, ruling: Ruling) -> None:
        """Keep why the word of *event* was not taken, where it could have been."""
        match ruling:
            case Ruling.TOO_MANY:
                self._refuse(event, Refusal.TOO_MANY_MERGES)
            case Ruling.LINK_USED:
                self._refuse(event, Refusal.LINK_USED)
            case Ruling.JOIN | Ruling.TWO_KNOWN_USERS | Ruling.HEARSAY:
                pass
            case _:
                assert_never(ruling)

    def _recall(self, profile: Profile) -> Profile:
        """Return a profile with the history that it lacks: nobody has looked at it since the rules changed.

        When two are one, what is added up cannot be told apart, and who looks at everybody may have passed the one.
        """
        if not find_lacking(profile.state, self._rules.needs, self._now):
            return profile
        past = look_back(self._rows[profile.who], partial(events.read_history, profile.keys), self._now)
        profile, signals = advance(profile, self._rules, self._now)
        self._signals += signals
        return complete(profile, self._rules, past, self._now)

    def _find_owners(self, event: Event) -> Iterator[str]:
        """Yield who owns the addresses that a trusted event asserts."""
        if not _is_trusted(event):
            return
        for channel, name in _CONTACTS.items():
            told = event.traits.get(name)
            if isinstance(told, str):
                key = find_address_key(channel, told, self.profile.state)
                owner = identities.find_owner(key) if key else None
                if key and owner is not None and (owner in self.profile.keys or is_held(key, owner)):
                    yield owner

    def _check(self, row: Profile) -> Profile:
        if row.generation > self._rules.generation:
            raise NewerRules
        return row


def _is_trusted(event: Event) -> bool:
    return event.trust is not Trust.BROWSER and not event.bot


def is_held(key: str, owner: str) -> bool:
    """Say whether whom a row names as the owner of an address has it: else the row says nothing."""
    return key in profiles.resolve_profile(owner).address_keys.values()


def find_address_key(channel: Channel, text: str, state: State) -> str | None:
    """Return the key of an address as somebody wrote it, or None when it is none."""
    normalised = normalise(channel, text, country=state.country.value if state.country else None)
    return derive_key(channel, normalised, address_secret()) if normalised is not None else None
