"""The event: the one shape in which everything that happened reaches Cartwake."""

from base64 import b32encode
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final

import msgspec

from cartwake.times import DAY, Instant, format_instant

KEEP_MS: Final = 400 * DAY
"""How long after its receipt an event is stored."""


class Trust(StrEnum):
    """Who said it. A browser's key is public: what it asserts moves journeys, never consent or addresses."""

    BROWSER = "browser"
    SERVER = "server"
    OWN = "own"


EVENT_NAMES: Final = {
    "identify": "Identified",
    "page": "Page Viewed",
    "screen": "Screen Viewed",
    "group": "Group Joined",
    "alias": "Alias Set",
}
"""The names under which calls other than `track` are stored."""

SUBSCRIBED: Final = "Subscribed"
"""Asserted by a server or by our own pages: `{"channel": "email" | "sms" | "push", "method": "..."}`."""
SUBSCRIPTION_REQUESTED: Final = "Subscription Requested"
"""Asserted by anybody: `{"email": "..."}`; a mail asks whoever reads it for the yes. Without `email`: the known one."""
UNSUBSCRIBED: Final = "Unsubscribed"
"""`{"channel": "email" | "sms" | "push"}`; without a channel, or with an empty one, it means email."""
COMPLAINED: Final = "Email Marked as Spam"
"""Our own, from feedback: `{"message": "...", "journey": "..."}`; it ends every run of marketing."""
PREFERENCES_CHANGED: Final = "Preferences Changed"
"""Of our own page: `{"topics_refused": [...], "paused_until": "...", "at_most_one_in": "1 week"}`."""
ERASURE_REQUESTED: Final = "Erasure Requested"
"""Of our own page, or of a server: the shopper wants everything about them erased."""
EXPORT_REQUESTED: Final = "Export Requested"
"""Of our own page, or of a server: the shopper wants a copy of everything about them."""
EXPORT_READY: Final = "Export Ready"
"""Our own: `{"file": "exports/...", "until": "..."}`; the file is in the bucket, which nobody reads but its owner."""
JOURNEY_ENROLLED: Final = "Journey Enrolled"
"""Asserted by a server, or by hand: `{"journey": "winback"}`; it starts a journey that says `"enrolled": true`."""
PRICE_DROPPED: Final = "Price Dropped"
"""Of the shop's catalog, to each shopper whom it concerns: `{"product_id": "...", "price": 79, "old_price": 99}`."""
BACK_IN_STOCK: Final = "Back In Stock"
"""Likewise: `{"product_id": "...", "price": 79, "stock": 12}`."""
STOCK_LOW: Final = "Stock Low"
"""Likewise: `{"product_id": "...", "price": 79, "stock": 2}`."""
ORDER_COMPLETED: Final = "Order Completed"
PRODUCT_ADDED: Final = "Product Added"
PRODUCT_REMOVED: Final = "Product Removed"


class Arrival(msgspec.Struct, frozen=True, array_like=True):
    """That a browser came by a link of a message, as a token of ours proved when its event was received.

    Attributes:
        who: Whom the message went to.
        message: The message's id.
        at: When the link was followed; with the message it names that one time.
    """

    who: str
    message: str
    at: Instant


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """One thing that happened.

    Attributes:
        who: Key under which it is stored: `u#<user id>`, or `a#<anonymous id>` when no user is named.
        id: The client's message id.
        sent_time: The client's own time exactly as a retry would repeat it, normalised to ISO; "" if none was sent.
        occurred_at: The client's time corrected by its `sentAt`, never after `received_at`.
        backfill: Imported history: it is folded, and starts nothing.
        bot: Its user agent is a known crawler's: it is stored, and folded nowhere.
        arrival: By which link of a message its visitor came, where that was proved and nobody else is named.
    """

    who: str
    id: str
    name: str
    type: str = "track"
    sent_time: str = ""
    occurred_at: Instant
    received_at: Instant
    trust: Trust
    user_id: str = ""
    anonymous_id: str = ""
    previous_id: str = ""
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    context: dict[str, Any] = {}
    backfill: bool = False
    bot: bool = False
    arrival: Arrival | None = None

    @property
    def key(self) -> str:
        """The sort key: a client's retry (same time and id, another `sentAt`) has the same one."""
        return f"{self.sent_time}#{self.id}#{self.trust}"

    @cached_property
    def short_id(self) -> int:
        """Eight bytes that stand for the event in a profile's state."""
        return short_id(self.key)

    @property
    def is_hearsay(self) -> bool:
        """Whether it states consent, and is only a browser's word: it is stored, and moves nothing."""
        return self.trust is Trust.BROWSER and self.name in (SUBSCRIBED, UNSUBSCRIBED)


def short_id(text: str) -> int:
    """Return a 63-bit number that stands for *text*."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 1


def derive_id(*parts: str) -> str:
    """Return an id that is a function of its parts, so that doubles collide: 26 characters of base32."""
    digest = blake2b("\x1f".join(parts).encode(), digest_size=16).digest()
    return b32encode(digest).decode().rstrip("=").lower()


def own_event(  # noqa: PLR0913  what makes an event
    who: str,
    name: str,
    *,
    id: str,  # noqa: A002  the event's own word
    at: Instant,
    properties: dict[str, Any],
) -> Event:
    """Return an event that Cartwake itself asserts about *who*, such as an open or an unsubscribe."""
    return Event(
        who=who,
        id=id,
        name=name,
        sent_time=format_instant(at),
        occurred_at=at,
        received_at=at,
        trust=Trust.OWN,
        properties=properties,
    )
