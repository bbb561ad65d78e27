"""Copies: everything that is known of a shopper as one JSON, for themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cartwake import carts
from cartwake.addresses import Address
from cartwake.bundles import HIDDEN
from cartwake.choices import Choices
from cartwake.consents import Statement
from cartwake.coupons import Taken
from cartwake.events import Event, Trust
from cartwake.messages import Message
from cartwake.participants import Participant
from cartwake.profiles import Profile
from cartwake.registers import Register
from cartwake.runs import Run
from cartwake.statements import Consent, list_tags
from cartwake.times import DAY, NEVER, Instant, format_instant

VERSION = 1
_TOLD_BY = {Trust.BROWSER: "your browser", Trust.SERVER: "the shop", Trust.OWN: "our pages and messages"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What is stored of a shopper, under all their keys.

    Attributes:
        refused: Reason, where, and when of each event that was not accepted.
    """

    profile: Profile
    addresses: tuple[Address, ...] = ()
    consents: tuple[Statement, ...] = ()
    events: tuple[Event, ...] = ()
    runs: tuple[Run, ...] = ()
    messages: tuple[Message, ...] = ()
    coupons: tuple[Taken, ...] = ()
    participants: tuple[Participant, ...] = ()
    refused: tuple[tuple[str, str, Instant], ...] = ()


def encode(copy: Copy, now: Instant) -> bytes:
    """Return the file, indented for people."""
    return msgspec.json.format(msgspec.json.encode(show(copy, now)), indent=2)


def show(copy: Copy, now: Instant) -> dict[str, Any]:
    """Return plain data, oldest first; times are ISO 8601, UTC."""
    return {
        "version": VERSION,
        "made_at": format_instant(now),
        "ids": list(copy.profile.keys),
        "profile": _show_profile(copy.profile),
        "addresses": [_show_address(each) for each in copy.addresses],
        "consent record": [_show_statement(each) for each in sorted(copy.consents, key=lambda it: (it.at, it.id))],
        "events": [_show_event(each) for each in sorted(copy.events, key=lambda it: (it.occurred_at, it.key))],
        "journeys": [_show_run(each) for each in sorted(copy.runs, key=lambda it: it.entered_at)],
        "messages": [_show_message(each) for each in sorted(copy.messages, key=lambda it: it.planned_at)],
        "coupons": [_show_coupon(each) for each in sorted(copy.coupons, key=lambda it: it.given.given_at)],
        "tests": [_show_participant(each) for each in sorted(copy.participants, key=lambda it: it.entered_at)],
        "refused": [
            {"reason": reason, "where": where, "at": format_instant(at)}
            for reason, where, at in sorted(copy.refused, key=lambda it: it[2])
        ],
    }


def _show_profile(profile: Profile) -> dict[str, Any]:
    state = profile.state
    return {
        "first_seen": _when(state.first_seen_at),
        "last_seen": _when(state.last_seen_at),
        "traits": _show_registers(state.traits),
        "contacts": _show_registers({channel.value: it for channel, it in state.contacts.items()}),
        "consent": {channel.value: _show_consent(it) for channel, it in sorted(state.consents.items())},
        "subscription_asked_for": {channel.value: _when(it.at) for channel, it in sorted(state.asked.items())},
        "country": state.country.value if state.country else None,
        "tags": list_tags(state.tags),
        "device": state.device.value if state.device else None,
        "devices": _show_registers(state.devices),
        "first_visit": state.first_touch.value if state.first_touch else None,
        "last_visit": state.last_touch.value if state.last_touch else None,
        "came_by_messages": [{"message": message, "at": _when(at)} for at, message, _ in state.arrivals],
        "cart": [msgspec.to_builtins(item) for item in carts.list_items(state.cart)],
        "segments": {
            name: {"member": it.since > 0, "entered": _when(it.entered_at), "left": _when(it.left_at)}
            for name, it in sorted(state.memberships.items())
            if not name.startswith(HIDDEN)
        },
        # counts and sums over events, as conditions use them
        "remembered": msgspec.to_builtins(state.trackers),
    }


def _show_registers(registers: Mapping[str, Register]) -> dict[str, Any]:
    return {name: {"value": it.value, "since": _when(it.at)} for name, it in sorted(registers.items())}


def _show_consent(consent: Consent | None) -> dict[str, Any] | None:
    if consent is None:
        return None
    return {"subscribed": consent.subscribed, "at": _when(consent.at), "method": consent.method}


def _show_statement(statement: Statement) -> dict[str, Any]:
    return {
        "channel": statement.channel.value,
        "subscribed": statement.subscribed,
        "at": format_instant(statement.at),
        "told_by": _TOLD_BY.get(Trust(statement.source)) if statement.source in set(Trust) else None,
        **msgspec.to_builtins(statement.told),
    }


def _show_address(address: Address) -> dict[str, Any]:
    return {
        "channel": address.key.partition("#")[0],
        "consent": _show_consent(address.consent),
        "suppressed": address.suppression.value if address.suppression else None,
        "suppressed_at": _when(address.suppressed_at),
        "sent": [_when(sent.at) for sent in address.sends],
        "asked_to_confirm": _when(address.asked.at) if address.asked else None,
        "bounced": [_when(sent.at) for sent in address.softs],
        "chosen": _show_choices(address.choices) if address.choices.at else None,
    }


def _show_choices(choices: Choices) -> dict[str, Any]:
    return {
        "at": _when(choices.at),
        "topics_refused": list(choices.refused_topics),
        "paused_until": _when(choices.paused_until),
        "at_most_one_in_days": choices.rest_ms // DAY or None,
        "clicks_may_be_seen": choices.tracked,
        "language": choices.language or None,
    }


def _show_event(event: Event) -> dict[str, Any]:
    return {
        "event": event.name,
        "at": format_instant(event.occurred_at),
        "received_at": format_instant(event.received_at),
        "told_by": _TOLD_BY[event.trust],
        "id": event.id,
        "user_id": event.user_id,
        "anonymous_id": event.anonymous_id,
        "properties": event.properties,
        "traits": event.traits,
        "context": event.context,
        "came_by_message": event.arrival.message if event.arrival else None,
    }


def _show_run(run: Run) -> dict[str, Any]:
    return {
        "journey": run.journey,
        "about": run.about or None,
        "entered": format_instant(run.entered_at),
        "step": run.path,
        "ended": _when(run.ended_at) if run.ended else None,
        "reason": run.ended.value if run.ended else None,
    }


def _show_message(message: Message) -> dict[str, Any]:
    return {
        "journey": message.journey,
        "channel": message.channel.value,
        "template": message.template,
        "planned": format_instant(message.planned_at),
        "state": message.state.value,
        "reason": message.reason or None,
        "happened": {name: format_instant(at) for name, at in sorted(message.happened.items(), key=lambda it: it[1])},
    }


def _show_participant(participant: Participant) -> dict[str, Any]:
    return {
        "test": participant.test,
        "journey": participant.journey,
        "variant": participant.variant,
        "since": format_instant(participant.entered_at),
        "measured_until": format_instant(participant.due_at),
        "counted": None if participant.outcome is None else list(participant.outcome),
    }


def _show_coupon(taken: Taken) -> dict[str, Any]:
    return {
        "pool": taken.given.pool,
        "code": taken.given.code,
        "journey": taken.given.journey,
        "given": _when(taken.given.given_at),
        "good_until": _when(taken.given.until),
        "redeemed": _when(taken.redeemed_at),
        "order": taken.order or None,
    }


def _when(instant: Instant) -> str | None:
    return None if instant in (0, NEVER) else format_instant(instant)
