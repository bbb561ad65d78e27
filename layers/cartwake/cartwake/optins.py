"""Opt-ins: subscriptions that somebody asked for and nobody has confirmed yet, and whether to ask for the yes.

Anybody can ask in anybody's name, so what counts is the address that the request names, and not who asked.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from cartwake.addresses import Address, Sent, normalise, suppression_of
from cartwake.events import SUBSCRIPTION_REQUESTED, Event, Trust
from cartwake.reasons import Skip
from cartwake.statements import Channel, Consent, read_channels
from cartwake.times import DAY, Instant

CONFIRMATION: Final = "confirmation"
"""The kind of a journey whose mails ask for a yes."""
ONE_IN_MS: Final = 1 * DAY
"""So long after a confirmation mail none goes to the same mailbox, whoever asks."""
_ONE_MAILBOX: Final = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
"""Hosts that deliver `a.da@` to `ada@`, and what they are called here."""


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """When a subscription was last asked for, by anybody, and on a server's word."""

    at: Instant = 0
    by_server_at: Instant = 0


def fold(kept: dict[Channel, Asked], event: Event) -> dict[Channel, Asked]:
    """Return what was asked for, with what *event* asks for."""
    if event.name != SUBSCRIPTION_REQUESTED:
        return kept
    at = event.occurred_at
    told = Asked(at, at if event.trust is Trust.SERVER else 0)
    return merge(kept, dict.fromkeys(read_channels(event), told))


def merge(left: Mapping[Channel, Asked], right: Mapping[Channel, Asked]) -> dict[Channel, Asked]:
    """Return the later of each."""
    none = Asked()
    return {
        channel: Asked(
            max(left.get(channel, none).at, right.get(channel, none).at),
            max(left.get(channel, none).by_server_at, right.get(channel, none).by_server_at),
        )
        for channel in sorted({*left, *right})
    }


def pending_since(asked: Asked | None, consent: Consent | None) -> Instant | None:
    """Return since when a yes is awaited, or None: a browser's word does not reopen what was withdrawn."""
    if asked is None or (consent is not None and consent.subscribed):
        return None
    if consent is None:
        return asked.at
    return asked.by_server_at if asked.by_server_at > consent.at else None


def find_mailbox(normalised: str) -> str:
    """Return the mailbox behind an address: `ada+shop@…` is Ada's, and to some hosts `a.da@…` is too."""
    local, _, domain = normalised.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _ONE_MAILBOX:
        local = local.replace(".", "") or local
    return f"{local}@{_ONE_MAILBOX.get(domain, domain)}"


def read_address(request: Event) -> str | None:
    """Return the address that a request names, in its one spelling; None where it names none that is one."""
    named = request.properties.get("email")
    return normalise(Channel.EMAIL, named) if isinstance(named, str) else None


def refuse(  # noqa: PLR0913  what stands for or against a question
    message: str, request: Event, address: Address, mailbox: Address, *, now: Instant
) -> Skip | None:
    """Return why nobody may be asked for a yes, or None.

    Args:
        message: The id of the one that would ask.
        request: What was asked for, and by whose word.
        address: The row of the address.
        mailbox: The row of its mailbox, which may be the same one.
        now: The time.
    """
    for row in (address, mailbox):
        found = suppression_of(row)
        if found is not None:
            return found
        if row.consent is not None and not row.consent.subscribed and not _is_renewed(row.consent, request):
            return Skip.UNSUBSCRIBED
    if address.consent is not None and address.consent.subscribed:
        return Skip.ALREADY_SUBSCRIBED
    last = mailbox.asked
    return Skip.ASKED_TODAY if last is not None and last.message != message and last.at + ONE_IN_MS > now else None


def note(mailbox: Address, sent: Sent) -> Address:
    """Return the row of a mailbox as that of one that has been asked."""
    return msgspec.structs.replace(mailbox, asked=sent)


def _is_renewed(withdrawal: Consent, request: Event) -> bool:
    """Say whether the shop's own server vouches that somebody who left wants to come back."""
    return request.trust is Trust.SERVER and request.occurred_at > withdrawal.at
