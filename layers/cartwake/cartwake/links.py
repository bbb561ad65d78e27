"""Links: the addresses of our own pages; they name a message and a key, never an e-mail address.

Each kind has a maker, `<purpose>_url`, and a reader, `read_<purpose>`. Those that may only be used for a while say
since when they are good, as nothing here looks at a clock.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from cartwake.statements import Channel
from cartwake.times import DAY, MINUTE, Instant
from cartwake.tokens import LONGEST_CLICK, LONGEST_TOKEN, Purpose, seal, unseal

CONFIRM_WITHIN_MS: Final = 30 * DAY
REQUEST_WITHIN_MS: Final = 1 * DAY
VISIT_WITHIN_MS: Final = 15 * MINUTE
CLICK_PATH: Final = "r"


class Unsubscribe(msgspec.Struct, frozen=True, array_like=True):
    """What an unsubscribe link says: who, by which message, and which address it stops; it never expires.

    Attributes:
        who: The key under which the message stands.
        message: The message's id.
        address_key: Key of the row of the addresses table.
        channel: What is unsubscribed from.
    """

    who: str
    message: str
    address_key: str
    channel: Channel


class Preferences(Unsubscribe, frozen=True, array_like=True):
    """What a link to the preference centre says; it never expires either, as leaving must always be possible."""


class Confirm(msgspec.Struct, frozen=True, array_like=True):
    """What a link that confirms a subscription says.

    Attributes:
        who: Who asked for it.
        address_key: Key of the address that the link was sent to.
        channel: What is subscribed to.
        at: When it was sent: it is good for 30 days.
        request: Key of the event that asked for it, stored under `who`; "": it named no address.
    """

    who: str
    address_key: str
    channel: Channel
    at: Instant
    request: str = ""


class Export(msgspec.Struct, frozen=True, array_like=True):
    """What a link says that asks for a copy of everything known of somebody; good for a day.

    Attributes:
        who: Whose data.
        message: The message through which they came.
        address_key: Key of the address that it went to.
        channel: How that is reached.
        at: When the preference centre gave it.
    """

    who: str
    message: str
    address_key: str
    channel: Channel
    at: Instant


class Erase(Export, frozen=True, array_like=True):
    """What a link says that asks for everything about somebody to be erased; good for a day."""


class Click(msgspec.Struct, frozen=True, array_like=True):
    """What a link in a message says that leads to the shop by way of our own endpoint.

    Attributes:
        who: Whom the message went to.
        message: The message's id.
        number: Which of the message's links it is; 0 is the one that nobody sees.
        to: Where it leads.
        sent_at: When the message was made.
        campaign: The journey, for the tag `utm_campaign`.
        address_key: Key of the address that the message went to.
    """

    who: str
    message: str
    number: int
    to: str
    sent_at: Instant
    campaign: str = ""
    address_key: str = ""


class Visit(msgspec.Struct, frozen=True, array_like=True):
    """What a shop's page is told of who comes from a message; good for as long as it takes to get there.

    Attributes:
        who: Whom the message went to.
        message: The message's id.
        at: When the link was followed.
    """

    who: str
    message: str
    at: Instant


def unsubscribe_url(base: str, link: Unsubscribe, secrets: Sequence[bytes]) -> str:
    """Return the address of the page, under 900 characters.

    Args:
        base: Scheme and host of the public endpoint.
        link: What the address stands for.
        secrets: The newest first: it signs, all verify.
    """
    return _make_url(base, Purpose.UNSUBSCRIBE, link, secrets)


def preferences_url(base: str, link: Preferences, secrets: Sequence[bytes]) -> str:
    """Return the address of the preference centre; see `unsubscribe_url`."""
    return _make_url(base, Purpose.PREFERENCES, link, secrets)


def confirm_url(base: str, link: Confirm, secrets: Sequence[bytes]) -> str:
    """Return the address that confirms a subscription; see `unsubscribe_url`."""
    return _make_url(base, Purpose.CONFIRM, link, secrets)


def export_url(base: str, link: Export, secrets: Sequence[bytes]) -> str:
    """Return the address that asks for a copy of somebody's data; see `unsubscribe_url`."""
    return _make_url(base, Purpose.EXPORT, link, secrets)


def erase_url(base: str, link: Erase, secrets: Sequence[bytes]) -> str:
    """Return the address that asks for somebody's data to be erased; see `unsubscribe_url`."""
    return _make_url(base, Purpose.ERASE, link, secrets)


def click_url(base: str, link: Click, secrets: Sequence[bytes]) -> str:
    """Return the address that leads on to `link.to`, "" where it would be too long; see `unsubscribe_url`."""
    url = _make_url(base, Purpose.CLICK, link, secrets)
    return url if len(url.rpartition("/")[2]) <= LONGEST_CLICK else ""


def visit_token(link: Visit, secrets: Sequence[bytes]) -> str:
    """Return what stands in the address of the shop's page as `cw`; "" where it would be too long."""
    token = seal(Purpose.VISIT, _encoder.encode(link), secrets)
    return token if len(token) <= LONGEST_TOKEN else ""


def read_unsubscribe(token: str, secrets: Sequence[bytes]) -> Unsubscribe | None:
    """Return what the token stands for, or None: tampered with, made for another purpose, or no token at all."""
    return _read(Purpose.UNSUBSCRIBE, token, secrets, Unsubscribe)


def read_preferences(token: str, secrets: Sequence[bytes]) -> Preferences | None:
    """Return what the token stands for, or None; see `read_unsubscribe`."""
    return _read(Purpose.PREFERENCES, token, secrets, Preferences)


def read_confirm(token: str, secrets: Sequence[bytes], *, now: Instant) -> Confirm | None:
    """Return what the token stands for, or None, also when it is too old; see `read_unsubscribe`."""
    link = _read(Purpose.CONFIRM, token, secrets, Confirm)
    return link if link is not None and now < link.at + CONFIRM_WITHIN_MS else None


def read_export(token: str, secrets: Sequence[bytes], *, now: Instant) -> Export | None:
    """Return what the token stands for, or None, also when it is too old; see `read_unsubscribe`."""
    link = _read(Purpose.EXPORT, token, secrets, Export)
    return link if link is not None and now < link.at + REQUEST_WITHIN_MS else None


def read_erase(token: str, secrets: Sequence[bytes], *, now: Instant) -> Erase | None:
    """Return what the token stands for, or None, also when it is too old; see `read_unsubscribe`."""
    link = _read(Purpose.ERASE, token, secrets, Erase)
    return link if link is not None and now < link.at + REQUEST_WITHIN_MS else None


def read_click(token: str, secrets: Sequence[bytes]) -> Click | None:
    """Return what the token stands for, or None; see `read_unsubscribe`."""
    return _read(Purpose.CLICK, token, secrets, Click)


def read_visit(token: str, secrets: Sequence[bytes], *, now: Instant) -> Visit | None:
    """Return what the token stands for, or None, also when it is too old; see `read_unsubscribe`."""
    link = _read(Purpose.VISIT, token, secrets, Visit)
    return link if link is not None and now < link.at + VISIT_WITHIN_MS else None


def _make_url(base: str, purpose: Purpose, link: msgspec.Struct, secrets: Sequence[bytes]) -> str:
    path = CLICK_PATH if purpose is Purpose.CLICK else purpose.value
    return f"{base.rstrip('/')}/{path}/{seal(purpose, _encoder.encode(link), secrets)}"


def _read[Link](purpose: Purpose, token: str, secrets: Sequence[bytes], kind: type[Link]) -> Link | None:
    content = unseal(purpose, token, secrets)
    if content is None:
        return None
    if kind not in _decoders:
        _decoders[kind] = msgspec.msgpack.Decoder(kind)
    link: Link = _decoders[kind].decode(content)
    return link


_encoder: Final = msgspec.msgpack.Encoder()
_decoders: Final[dict[type[Any], msgspec.msgpack.Decoder[Any]]] = {}
