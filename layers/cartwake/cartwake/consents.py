"""Consents: what was stated about marketing, each statement by itself, for ever: when, how, by whose word.

Rows stand under the key of the address, which is a keyed hash. What a server wrote freely is kept apart from the rest:
that is what an erasure takes away.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from cartwake.addresses import Address, state_consent
from cartwake.events import SUBSCRIBED, UNSUBSCRIBED, Event, Trust
from cartwake.statements import Channel, Consent, read_consent
from cartwake.times import MINUTE, Instant, format_instant

SAME_WITHIN_MS: Final = MINUTE
"""Programs and people press twice; a withdrawal that comes so much later is one of its own."""
LONGEST_TEXT: Final = 4_000
_LONGEST_WORD: Final = 200
_MOST_TOPICS: Final = 50


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was told with a statement; a server may have written anything.

    Attributes:
        text: What was agreed to, as it was shown.
        version: Of that text.
        topics: What it is about; none: everything.
        ip: From where, if a server said so.
        user_agent: With what, if a server said so.
    """

    method: str = ""
    text: str = ""
    version: str = ""
    topics: tuple[str, ...] = ()
    ip: str = ""
    user_agent: str = ""


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One yes or no.

    Attributes:
        address: Key of the address that it is about.
        at: When it was stated.
        id: Tells it from others of the same instant.
        source: Whose word it is: the shop's server, or our own pages and messages.
    """

    address: str
    subscribed: bool
    at: Instant
    id: int
    source: str = ""
    told: Told = Told()

    @property
    def channel(self) -> Channel:
        """What it is about."""
        return Channel(self.address.partition("#")[0])

    @property
    def key(self) -> str:
        """The sort key: of a repetition the same one."""
        return f"{format_instant(self.at)}#{self.id:x}"


class Said(NamedTuple):
    """The row of an address with what was said of it, and the event that tells it."""

    row: Address
    told: Event


type Tell = Callable[[Consent], Event]
"""Makes the event that tells a consent: of the same one the same event."""


def say(row: Address, draft: Consent, tell: Tell) -> Said:
    """Return what is said now, or, where this very thing has been said, that, with the row as it was.

    A withdrawal that is repeated later counts from then on: a yes that a server tells late may have been said in
    between.

    Args:
        row: As it was read.
        draft: What is said, when and how; its id comes from the event.
        tell: Makes the event.
    """
    known = row.consent
    if known is None:
        return hear(row, draft, tell)
    if is_same(known, draft) and (told := tell(known)).short_id == known.id:
        return Said(row, told)
    # Clocks differ: what is said now is never before what is known, and of one instant the no wins.
    return hear(row, msgspec.structs.replace(draft, at=max(draft.at, known.at + draft.subscribed)), tell)


def is_same(known: Consent, draft: Consent) -> bool:
    """Say whether what is said now says nothing that is not known."""
    again = draft.subscribed or draft.at < known.at + SAME_WITHIN_MS
    return known.subscribed == draft.subscribed and again


def hear(row: Address, draft: Consent, tell: Tell) -> Said:
    """Return what was said at its time, which may be long ago: what was said later stands."""
    told = tell(draft)
    return Said(state_consent(row, msgspec.structs.replace(draft, id=told.short_id)), told)


def is_statement(event: Event) -> bool:
    """Say whether an event states consent, on more than a browser's word."""
    return event.name in (SUBSCRIBED, UNSUBSCRIBED) and event.trust is not Trust.BROWSER and not event.bot


def read_statements(event: Event, addresses: dict[Channel, str]) -> Iterator[Statement]:
    """Yield what an event states of those of a shopper's addresses that it is about."""
    for channel, consent in read_consent(event).items():
        if channel in addresses:
            yield of_consent(addresses[channel], consent, source=event.trust.value, told=_read_told(event))


def of_consent(address: str, consent: Consent, *, source: str = "", told: Told | None = None) -> Statement:
    """Return the statement behind a consent that is known."""
    return Statement(
        address=address,
        subscribed=consent.subscribed,
        at=consent.at,
        id=consent.id,
        source=source,
        told=told or Told(method=consent.method),
    )


def _read_told(event: Event) -> Told:
    said, context = event.properties, event.context if event.trust is Trust.SERVER else {}
    topics = said.get("topics", said.get("topic", ()))
    several = topics if isinstance(topics, list) else [topics]
    return Told(
        method=_text(said.get("method"), _LONGEST_WORD),
        text=_text(said.get("text"), LONGEST_TEXT),
        version=_text(said.get("version"), _LONGEST_WORD),
        topics=tuple(_text(it, _LONGEST_WORD) for it in several[:_MOST_TOPICS] if isinstance(it, str)),
        ip=_text(context.get("ip"), _LONGEST_WORD),
        user_agent=_text(context.get("userAgent"), _LONGEST_WORD),
    )


def _text(value: Any, most: int) -> str:
    return value[:most] if isinstance(value, str) else ""
