"""Family: the rows that turn out to be one shopper's while new events are worked into one profile.

An edge, not a decision: it reads rows, and keeps which of them become pointers to the one that stays.
"""

from collections.abc import Callable, Iterator
from functools import partial

from cartwake import identity
from cartwake.addresses import derive_key, normalise
from cartwake.backfill import complete, find_lacking, look_back
from cartwake.bundles import Bundle
from cartwake.errors import TryAgain
from cartwake.events import Event, Trust
from cartwake.gateways.secrets import address_secret
from cartwake.identity import Ruling
from cartwake.profiles import Profile, State
from cartwake.segments import Signal, adopt, advance, reevaluate
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
        refuse: Called with an event whose word about who is whom was not taken.
    """

    def __init__(self, row: Profile, rules: Bundle, now: Instant, *, refuse: Callable[[Event], None]) -> None:
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
        before, visitors = self.profile, identity.find_visitors(event)
        self._signals = []
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
        return [*self._signals, *([] if event.backfill else signals)]

    def pointers(self) -> Iterator[base.Action]:
        """Yield the writes that turn the other rows into pointers."""
        for row in self.others:
            yield profiles.point_to(row, self.profile.who)

    def _take(self, key: str, event: Event) -> None:
        """Join the profile that *key* leads to; a visitor who has none yet gets a pointer all the same."""
        if key in self.profile.keys or key in self._rows:
            return
        other = self._check(profiles.resolve_profile(key))
        if other.who in self.profile.keys or identity.is_erased(other):
            return
        trusted = _is_trusted(event)
        match identity.judge(self.profile, other, self._now, trusted=trusted):
            case Ruling.JOIN:
                self._rows[other.who] = other
                mine, theirs = self._recall(self.profile), self._recall(adopt(other, self._rules, self._now))
                survivor, gone = identity.choose_survivor(mine, theirs)
                self.profile = identity.join(survivor, gone, self._rules, now=self._now)
                if trusted:
                    self.profile = identity.vouch(self.profile, [gone.who])
            case Ruling.TOO_MANY:
                self._refuse(event)
            case Ruling.TWO_KNOWN_USERS | Ruling.HEARSAY:
                pass

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
                if owner is not None:
                    yield owner

    def _check(self, row: Profile) -> Profile:
        if row.generation > self._rules.generation:
            raise NewerRules
        return row


def _is_trusted(event: Event) -> bool:
    return event.trust is not Trust.BROWSER and not event.bot


def find_address_key(channel: Channel, text: str, state: State) -> str | None:
    """Return the key of an address as somebody wrote it, or None when it is none."""
    normalised = normalise(channel, text, country=state.country.value if state.country else None)
    return derive_key(channel, normalised, address_secret()) if normalised is not None else None
