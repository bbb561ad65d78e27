"""Replies: what a shopper answers to an SMS, as two-way messaging hands it on."""

import re
from enum import StrEnum
from typing import Any, Final

import msgspec

from cartwake.events import SUBSCRIBED, UNSUBSCRIBED, Event, derive_id, own_event
from cartwake.statements import Channel
from cartwake.times import Instant, parse_instant

RECEIVED: Final = "SMS Received"
"""`{"keyword": "help", "text": "..."}`: whatever is neither a stop nor a start; a journey may answer it."""
_LONGEST: Final = 320
_NOISE: Final = re.compile(r"[\W_]+")
# Whoever begins with one of these means it; the others are words of every day, and must stand alone.
_STOPS_FIRST: Final = frozenset({"stop", "stopall", "unsubscribe", "optout", "stopp", "abmelden", "wypisz"})
_STOPS_ALONE: Final = frozenset({"quit", "end", "revoke", "cancel", "opt out", "arret", "anuluj", "rezygnuje"})
_STARTS: Final = frozenset({"start", "unstop"})
_HELPS: Final = frozenset({"help", "info", "hilfe", "pomoc"})


class Word(StrEnum):
    """What a reply asks for."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    OTHER = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A text message from a shopper.

    Attributes:
        id: The provider's; a repetition has the same.
        number: Whom it is from, as the provider writes it.
        at: When it was handed on.
    """

    id: str
    number: str
    text: str
    at: Instant

    @property
    def word(self) -> Word:
        """What it asks for."""
        return read_word(self.text)


def read_reply(body: str) -> Reply | None:
    """Return the reply in a body of the feedback queue, or None when it is something else."""
    try:
        envelope = _envelopes.decode(body)
        told = _replies.decode(envelope.Message)
        at = parse_instant(envelope.Timestamp)
    except (msgspec.DecodeError, ValueError):
        return None
    return Reply(id=told.inboundMessageId, number=told.originationNumber, text=told.messageBody, at=at)


def read_word(text: str) -> Word:
    """Return what a text asks for, however it is written: `Stop!`, `OPT-OUT`, `stop please`."""
    words = _NOISE.sub(" ", text.casefold()).strip()
    first = words.partition(" ")[0]
    if first in _STOPS_FIRST or words in _STOPS_ALONE:
        return Word.STOP
    if words in _STARTS:
        return Word.START
    return Word.HELP if first in _HELPS else Word.OTHER


def make_event(reply: Reply, who: str, *, at: Instant) -> Event:
    """Return the event that the reply is for *who*; told twice at the same instant it is the same."""
    ident = derive_id("reply", reply.id)
    if reply.word in (Word.STOP, Word.START):
        name = UNSUBSCRIBED if reply.word is Word.STOP else SUBSCRIBED
        stated = {"channel": Channel.SMS.value, "method": "reply"}
        return own_event(who, name, id=ident, at=at, properties=stated)
    told: dict[str, Any] = {"keyword": reply.word.value, "text": reply.text[:_LONGEST]}
    return own_event(who, RECEIVED, id=ident, at=at, properties={name: it for name, it in told.items() if it})


class _Envelope(msgspec.Struct):
    Message: str
    Timestamp: str


class _Inbound(msgspec.Struct):
    inboundMessageId: str  # noqa: N815  as it is written there
    originationNumber: str  # noqa: N815
    messageBody: str  # noqa: N815


_envelopes: Final = msgspec.json.Decoder(_Envelope)
_replies: Final = msgspec.json.Decoder(_Inbound)
