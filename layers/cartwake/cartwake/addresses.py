"""Addresses: where messages go, whether they may, and the key under which that is remembered for ever."""

import hmac
from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec

from cartwake import devices
from cartwake.choices import Choices
from cartwake.events import short_id
from cartwake.reasons import Skip
from cartwake.statements import Channel, Consent
from cartwake.times import Instant

MOST_SENDS: Final = 20
ERASURE: Final = "erasure"
"""The method of a withdrawal that an erasure states."""
SOFT_BOUNCES: Final = 7
"""So many in a row, with nothing delivered between them, are as good as a hard one."""


class Suppression(StrEnum):
    """Why nothing at all may go to an address any more."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"


class Sent(msgspec.Struct, frozen=True, array_like=True):
    """A marketing message that went to an address, or is about to."""

    at: Instant
    message: str


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """The row of one address: it outlives the profile and holds no address, only its key.

    Attributes:
        key: Channel and keyed hash of the normalised address.
        consent: The latest explicit statement about marketing.
        suppression: Set: nothing goes out, not even a receipt.
        sends: The last marketing messages, for the frequency cap.
        asked: Of a mailbox: the last message that asked for a yes, to whichever of its addresses.
        softs: The messages that bounced softly since the last one that was delivered.
        choices: What the shopper chose beyond yes and no.
        version: Raised by every write; 0 means that there is no row yet.
    """

    key: str
    consent: Consent | None = None
    suppression: Suppression | None = None
    suppressed_at: Instant = 0
    sends: tuple[Sent, ...] = ()
    asked: Sent | None = None
    softs: tuple[Sent, ...] = ()
    choices: Choices = Choices()
    version: int = 0


def derive_key(channel: Channel, normalised: str, secret: bytes) -> str:
    """Return the key of an address: `email#<hex>`, the same for ever, useless without the secret."""
    return f"{channel}#{hmac.new(secret, f'{channel}\x1f{normalised}'.encode(), sha256).hexdigest()[:40]}"


def normalise(channel: Channel, text: str, *, country: str | None = None) -> str | None:
    """Return the one spelling of an address: lower-case e-mail, E.164 number, or a device; None when it is neither.

    Args:
        channel: Which kind of address *text* is.
        text: As somebody wrote it.
        country: Two-letter country of numbers that are written without their prefix.
    """
    if channel is Channel.PUSH:
        return devices.spell(text)
    return _normalise_email(text) if channel is Channel.EMAIL else _normalise_phone(text, country)


def find_country(number: str) -> str:
    """Return the two letters of the country of an E.164 number; "" when it belongs to none."""
    import phonenumbers  # noqa: PLC0415  as above

    return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""


def mask(channel: Channel, text: str) -> str:
    """Return of an address what its owner knows it by and nobody else: `j•••@example.com`, `••• 33`, `iOS`."""
    if channel is Channel.PUSH:
        return {"ios": "iOS", "android": "Android"}.get(text.partition(" ")[0], "")
    if channel is Channel.EMAIL:
        local, _, domain = text.strip().rpartition("@")
        return f"{local[:1]}•••@{domain}"
    return f"••• {''.join(letter for letter in text if letter.isdigit())[-2:]}"


def name_address(normalised: str) -> str:
    """Return what stands for an address in an event about it: it tells the same ones from others, and no more."""
    return format(short_id(normalised), "x")


def state_consent(address: Address, consent: Consent, *, since: Instant = 0) -> Address:
    """Return the row with the later of its own and a new statement; at the same instant a withdrawal wins.

    Args:
        address: As it was read.
        consent: The statement, which goes with the shopper to every address.
        since: From when on the address is the shopper's: a yes of before lifts no withdrawal that was said with it.
    """
    known = address.consent
    if known is not None and (known.at, not known.subscribed) >= (consent.at, not consent.subscribed):
        return address
    if known is not None and consent.subscribed and not known.subscribed and consent.at < since:
        return address
    return msgspec.structs.replace(address, consent=consent)


def forget(address: Address, at: Instant) -> Address:
    """Return what is kept of the row of somebody who is erased: that nothing may go there, and why."""
    known_at = address.consent.at if address.consent is not None else 0
    # never before what is known: clocks differ
    withdrawn = Consent(subscribed=False, at=max(at, known_at + 1), id=short_id(address.key), method=ERASURE)
    return Address(
        key=address.key,
        consent=withdrawn,
        suppression=address.suppression,
        suppressed_at=address.suppressed_at,
        version=address.version,
    )


def suppression_of(address: Address) -> Skip | None:
    """Return why nothing at all may go to an address, or None."""
    if address.suppression is None:
        return None
    return Skip.BOUNCED if address.suppression is Suppression.BOUNCE else Skip.COMPLAINED


def suppress(address: Address, why: Suppression, at: Instant) -> Address:
    """Return the row suppressed; the first reason stays."""
    if address.suppression is not None:
        return address
    return msgspec.structs.replace(address, suppression=why, suppressed_at=at)


def note_soft_bounce(address: Address, message: str, at: Instant) -> Address:
    """Return the row with a message that bounced softly; the last of so many in a row suppresses it."""
    if any(it.message == message for it in address.softs):
        return address
    noted = msgspec.structs.replace(address, softs=(*address.softs, Sent(at, message))[-SOFT_BOUNCES:])
    return noted if len(noted.softs) < SOFT_BOUNCES else suppress(noted, Suppression.BOUNCE, at)


def note_delivery(address: Address, at: Instant) -> Address:
    """Return the row without the soft bounces before a delivery; what is suppressed stays so."""
    later = tuple(it for it in address.softs if it.at > at)
    return address if later == address.softs else msgspec.structs.replace(address, softs=later)


def note_send(address: Address, sent: Sent) -> Address:
    """Return the row with a marketing message counted against the cap."""
    others = tuple(it for it in address.sends if it.message != sent.message)
    return msgspec.structs.replace(address, sends=(*others, sent)[-MOST_SENDS:])


def release_send(address: Address, message: str) -> Address:
    """Return the row without a message that did not go out after all."""
    sends = tuple(it for it in address.sends if it.message != message)
    asked = None if address.asked is not None and address.asked.message == message else address.asked
    return msgspec.structs.replace(address, sends=sends, asked=asked)


def _normalise_email(text: str) -> str | None:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415  a cold start pays for every import

    try:
        valid = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return valid.normalized.lower()


def _normalise_phone(text: str, country: str | None) -> str | None:
    import phonenumbers  # noqa: PLC0415  and most functions never normalise an address

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
