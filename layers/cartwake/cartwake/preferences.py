"""Preferences: what the form of the preference centre wishes, and what that makes of the rows and of our events."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from cartwake.addresses import Address
from cartwake.choices import Choices
from cartwake.consents import is_same, say
from cartwake.events import PREFERENCES_CHANGED, SUBSCRIBED, UNSUBSCRIBED, Event, derive_id, own_event
from cartwake.page_texts import LANGUAGES
from cartwake.statements import Channel, Consent
from cartwake.times import DAY, Instant, format_duration, format_instant

METHOD: Final = "preferences"
PAUSES: Final = (30, 90)
RESTS: Final = (0, 7, 30)
"""Days in which at most one message comes; 0: as the shop's caps say."""

type Form = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a form asks for.

    A no is what was left without a tick, whoever took it off: a yes may have been said in between that the page did not
    show. A yes is only what its reader ticked: a page that was open for long must not lift what was refused meanwhile.

    Attributes:
        channels: Each that the form showed, and whether it is wanted; not those that were found ticked and left so.
        topics: Likewise.
        pause_days: None: the pause stays as it is.
        rest_days: None: as it is.
        tracked: None: as it is.
        language: "": as it is.
        leaves: All is refused; also what was never agreed to is refused now.
    """

    channels: dict[Channel, bool]
    topics: dict[str, bool]
    pause_days: int | None = None
    rest_days: int | None = None
    tracked: bool | None = None
    language: str = ""
    leaves: bool = False


def read_wish(form: Form) -> Wish | None:
    """Return what a form wishes, or None where it is none of ours: nothing is changed by what says nothing.

    A box that is not ticked is not sent, so the form names what it showed, and what was ticked then.
    """
    shown = set(form.get("shown", ()))
    if "leave" in form:
        return Wish({channel: False for channel in Channel if channel in shown}, {}, leaves=True)
    if "save" not in form:
        return None
    return Wish(
        channels=_read_boxes(form, "want", [channel for channel in Channel if channel in shown]),
        topics=_read_boxes(form, "topic", form.get("topic_shown", ())),
        pause_days=_pick_days(form, "pause", (0, *PAUSES)),
        rest_days=_pick_days(form, "rest", RESTS),
        tracked=_read_boxes(form, "tracked", form.get("tracked_shown", ())).get("1"),
        language=next((code for code in form.get("language", ()) if code in LANGUAGES), ""),
    )


def name_box(name: str, value: str) -> str:
    """Return what a form says of a box that was ticked when it was shown."""
    return f"{name}:{value}"


def fulfil(wish: Wish, rows: Mapping[Channel, Address], *, topics: Collection[str], now: Instant) -> list[Address]:
    """Return the rows as they then are, those that change alone.

    Args:
        wish: What was asked for.
        rows: By channel, the shopper's addresses.
        topics: Names of the topics that there are; others are nobody's to refuse.
        now: When it was asked for.
    """
    changed = []
    for channel, row in rows.items():
        after = msgspec.structs.replace(row, choices=_choose(wish, row, topics=topics, now=now))
        if channel in wish.channels and (row.consent is not None or wish.channels[channel] or wish.leaves):
            after = _state(after, wanted=wish.channels[channel], now=now)
        if after != row:
            changed.append(after)
    return changed


def tell(who: str, channel: Channel, row: Address) -> list[Event]:
    """Return the events that say what was stated here of a row; told again they are the same."""
    events = []
    consent, choices = row.consent, row.choices
    if consent is not None and consent.method == METHOD:
        event = _make_consent_event(who, channel, row.key, consent)
        events += [event] if event.short_id == consent.id else []
    if choices.at:
        events.append(_make_choices_event(who, channel, row.key, choices))
    return events


def _read_boxes[Value: str](form: Form, name: str, shown: Collection[Value]) -> dict[Value, bool]:
    """Return which of the boxes that were shown are wanted, without those that were found ticked and left so."""
    wanted, found = set(form.get(name, ())), set(form.get("ticked", ()))
    return {value: value in wanted for value in shown if value not in wanted or name_box(name, value) not in found}


def _pick_days(form: Form, name: str, permitted: Collection[int]) -> int | None:
    told = next(iter(form.get(name, ())), "")
    return int(told) if told in {str(days) for days in permitted} else None


def _state(row: Address, *, wanted: bool, now: Instant) -> Address:
    """Return the row with a yes or no, unless that is what it says already."""
    draft = Consent(subscribed=wanted, at=now, id=0, method=METHOD)
    if row.consent is not None and is_same(row.consent, draft):
        return row
    channel = Channel(row.key.partition("#")[0])
    return say(row, draft, partial(_make_consent_event, "", channel, row.key)).row


def _choose(wish: Wish, row: Address, *, topics: Collection[str], now: Instant) -> Choices:
    before = row.choices
    refused = {name for name in before.refused_topics if name in topics and wish.topics.get(name) is not True}
    refused |= {name for name, wanted in wish.topics.items() if not wanted and name in topics}
    after = msgspec.structs.replace(
        before,
        refused_topics=tuple(sorted(refused)),
        paused_until=before.paused_until if wish.pause_days is None else _end_pause(wish.pause_days, now),
        rest_ms=before.rest_ms if wish.rest_days is None else wish.rest_days * DAY,
        tracked=before.tracked if wish.tracked is None else wish.tracked,
        language=wish.language or before.language,
    )
    if after == before:
        return before
    return msgspec.structs.replace(after, at=max(now, before.at + 1))


def _end_pause(days: int, now: Instant) -> Instant:
    """Pressed twice on one day it ends at the same instant: with the last of its days."""
    return (now // DAY + days + 1) * DAY if days else 0


def _make_consent_event(who: str, channel: Channel, key: str, consent: Consent) -> Event:
    name = SUBSCRIBED if consent.subscribed else UNSUBSCRIBED
    ident = derive_id(METHOD, key, name, str(consent.at))
    return own_event(who, name, id=ident, at=consent.at, properties={"channel": channel.value, "method": METHOD})


def _make_choices_event(who: str, channel: Channel, key: str, choices: Choices) -> Event:
    told = {
        "channel": channel.value,
        "topics_refused": list(choices.refused_topics),
        "paused_until": format_instant(choices.paused_until) if choices.paused_until else "",
        "at_most_one_in": format_duration(choices.rest_ms) if choices.rest_ms else "",
        "tracked": {True: "yes", False: "no", None: ""}[choices.tracked],
        "language": choices.language,
    }
    ident = derive_id("choices", key, str(choices.at))
    event = own_event(who, PREFERENCES_CHANGED, id=ident, at=choices.at, properties=told)
    return msgspec.structs.replace(event, traits={"language": choices.language} if choices.language else {})
