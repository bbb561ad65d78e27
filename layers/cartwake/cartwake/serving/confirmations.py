"""Confirmations: write that somebody confirmed a subscription to the address that the link was sent to."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from cartwake import optins
from cartwake.addresses import Address, derive_key
from cartwake.consents import Said, say
from cartwake.declarations import declare
from cartwake.events import SUBSCRIBED, Event, Trust, derive_id, own_event
from cartwake.gateways.secrets import address_secret
from cartwake.identity import is_anonymous
from cartwake.links import Confirm
from cartwake.profiles import Kind, Profile
from cartwake.statements import Consent
from cartwake.store import base, events, identities, profiles
from cartwake.telemetry import count, logger, name_who
from cartwake.times import Instant

METHOD: Final = "double opt-in"
_AGREED: Final = ("text", "version", "topics")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for.

    Attributes:
        email: The address that the link was sent to, as the request wrote it; "": the request named none.
        told: What a server told of what is agreed to.
    """

    email: str = ""
    told: tuple[tuple[str, object], ...] = ()


def confirm(link: Confirm, *, now: Instant) -> bool:
    """Write the yes to the address and its record, and tell it by an event, once for each link.

    False when the link has had its day: nobody is known by the address, or somebody withdrew after it was sent. An old
    link must not undo that, neither by itself nor pressed a second time.

    Raises:
        TryAgain: Not all is written.
    """
    asked, reader = _recall(link), _Reader(link)
    draft = Consent(subscribed=True, at=now, id=0, method=METHOD)

    def decide(row: Address) -> Said | None:
        who = reader.find(named=bool(asked.email))
        said = say(row, draft, partial(_make_event, link, asked, who))
        spent = row.consent is not None and not row.consent.subscribed and row.consent.at > link.at
        return None if not who or spent else said

    told = declare(link.address_key, decide, demand=reader.demand)
    if told is None:
        return False
    events.put_events([told])
    count("Confirmations")
    logger.info("subscription confirmed", who=name_who(told.who), channel=link.channel)
    return True


class _Reader:
    """Whose yes it is: who has the address, else the visitor who asked, else a profile of the address's own.

    Whoever asked may have named another's address, or another in whose name to ask. So the address of a yes never goes
    to a known user by it, and takes nobody's place.
    """

    def __init__(self, link: Confirm) -> None:
        self._link = link
        self._profile = Profile(who="")
        self._owner: str | None = None

    def find(self, *, named: bool) -> str:
        """Return who it is, now; "" where nobody is known by the address, or who asked was erased."""
        link, asker = self._link, profiles.resolve_profile(self._link.who)
        self._owner = identities.find_owner(link.address_key)
        owner = profiles.resolve_profile(self._owner or link.who)
        has = [it for it in (asker, owner) if it.kind is Kind.PROFILE and self._has_address(it)]
        if has:
            self._profile = has[0]
        elif named and is_anonymous(asker.who) and link.channel not in asker.address_keys:
            self._profile = asker
        elif named and asker.kind is Kind.PROFILE:
            self._profile = profiles.resolve_profile(f"a#{derive_id('confirmed', link.address_key)}")
        else:
            return ""
        return self._profile.who if self._profile.kind is Kind.PROFILE else ""

    def demand(self) -> Iterator[base.Check]:
        """Yield the demands that it still is: of somebody new, that nobody else has got the address.

        Whom a row names that outlived the address does not have it: the event takes the row over.
        """
        if self._profile.version > 0:
            yield profiles.demand_profile(self._profile, channel=self._link.channel)
        if not self._has_address(self._profile):
            yield identities.demand_owner(self._link.address_key, self._owner)

    def _has_address(self, profile: Profile) -> bool:
        return profile.address_keys.get(self._link.channel) == self._link.address_key


def _recall(link: Confirm) -> Asked:
    """Return what the link's request says, if it names the address that the link was sent to."""
    request = events.get_event(link.who, link.request) if link.request else None
    if request is None:
        return Asked()
    address = optins.read_address(request)
    same = address is not None and derive_key(link.channel, address, address_secret()) == link.address_key
    told = request.properties if request.trust is Trust.SERVER else {}
    return Asked(
        email=request.properties["email"] if same else "",
        told=tuple((name, told[name]) for name in _AGREED if name in told),
    )


def _make_event(link: Confirm, asked: Asked, who: str, consent: Consent) -> Event:
    ident = derive_id("confirm", link.who, link.address_key, str(link.at))
    told = {"channel": link.channel.value, "method": METHOD} | dict(asked.told)
    event = own_event(who, SUBSCRIBED, id=ident, at=consent.at, properties=told)
    return msgspec.structs.replace(event, traits={"email": asked.email} if asked.email else {})
