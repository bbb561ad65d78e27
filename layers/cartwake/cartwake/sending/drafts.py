"""Drafts: what a message that may leave becomes: a letter to whom it may go, or the reason why there is none."""

from dataclasses import replace

import msgspec

from cartwake import messages as deciding
from cartwake import optins
from cartwake.addresses import Address, derive_key
from cartwake.choices import may_track
from cartwake.gateways.secrets import address_secret, link_secrets
from cartwake.hours import quiet_until
from cartwake.links import (
    Click,
    Confirm,
    Preferences,
    Unsubscribe,
    click_url,
    confirm_url,
    preferences_url,
    unsubscribe_url,
)
from cartwake.messages import Message
from cartwake.reasons import Skip
from cartwake.sending import letters
from cartwake.sending.clearance import clear
from cartwake.sending.coupons import give_coupon
from cartwake.sending.letters import Case, Letter, Links, Unfit
from cartwake.sending.rewriting import rewrite
from cartwake.settings import find, require
from cartwake.statements import Channel
from cartwake.store import addresses
from cartwake.times import Instant


def draft(message: Message, now: Instant) -> Letter | Message:
    """Return the letter, or the message as it then is: skipped with its reason, or put off."""
    case = clear(message, now)
    if isinstance(case, Message):
        return case
    quiet = quiet_until(message.channel, case.view)
    if quiet is not None and quiet > message.not_after:
        return deciding.skip(message, Skip.SENDING_HOURS, now)
    if quiet is not None:
        return deciding.put_off(message, quiet)
    return _address(case, now)


def _address(case: Case, now: Instant) -> Letter | Message:
    """Return the letter to an address that may be written to, or the message with the reason why not."""
    message = case.message
    if message.kind == optins.CONFIRMATION:
        return _ask(case, now)
    to = letters.find_address(message.channel, case.profile, address_secret())
    if to is None:
        return deciding.skip(message, Skip.NO_ADDRESS, now)
    if message.channel is Channel.PUSH and not find_application(to):
        return deciding.skip(message, Skip.NO_APPLICATION, now, detail=to.partition(" ")[0])
    address = addresses.get_address(case.profile.address_keys[message.channel])
    why = deciding.may_reach(message, address, case.rules, now=now)
    if why is Skip.FREQUENCY_CAP and letters.find_live_step(message, case.rules).held:
        free = deciding.capped_until(message, address, case.rules)
        if free <= message.not_after:
            return deciding.put_off(message, free)
    if why is not None:
        return deciding.skip(message, why, now)
    coupon = give_coupon(case, now)
    if isinstance(coupon, Unfit):
        return deciding.skip(message, coupon.why, now, detail=coupon.detail)
    case = msgspec.structs.replace(case, coupon=coupon)
    letter = letters.compose(case, to, address, _make_links(message, address))
    if isinstance(letter, Unfit):
        return deciding.skip(message, letter.why, now, detail=letter.detail)
    return _track(letter, now)


def find_application(to: str) -> str:
    """Return the platform application of a device, "" where the stack has none."""
    return find("PUSH_APPLE" if to.startswith("ios ") else "PUSH_ANDROID")


def _ask(case: Case, now: Instant) -> Letter | Message:
    """Return the letter that asks for a yes, or the message with the reason why nobody may be asked."""
    message, request, secret = case.message, case.run.trigger, address_secret()
    to = letters.find_asked(request, case.profile, secret) if request is not None else None
    if request is None or to is None:
        return deciding.skip(message, Skip.NO_ADDRESS, now)
    keys = [derive_key(Channel.EMAIL, it, secret) for it in (to, optins.find_mailbox(to))]
    address = addresses.get_address(keys[0])
    mailbox = None if keys[0] == keys[1] else addresses.get_address(keys[1])
    why = optins.refuse(message.id, request, address, mailbox or address, now=now)
    if why is not None:
        return deciding.skip(message, why, now)
    link = Confirm(request.who, address.key, Channel.EMAIL, now, request.key)
    links = Links(confirm=confirm_url(require("PUBLIC_URL"), link, link_secrets()))
    letter = letters.compose(case, to, address, links)
    if isinstance(letter, Unfit):
        return deciding.skip(message, letter.why, now, detail=letter.detail)
    return msgspec.structs.replace(letter, mailbox=mailbox)


def _track(letter: Letter, now: Instant) -> Letter:
    """Return the letter so that it is seen what its reader does, where that may be: never of a transactional one."""
    message, html, link = letter.case.message, letter.content.html, letter.content.link
    rule = letter.case.rules.settings.tracking
    if message.kind != "marketing" or not (html or link) or not may_track(letter.address.choices, rule):
        return letter
    base_url, secrets = require("PUBLIC_URL"), link_secrets()
    home = letter.case.rules.settings.shop.url

    def make(number: int, to: str) -> str:
        to = to if number else home
        click = Click(message.who, message.id, number, to, now, message.journey, letter.address.key)
        return click_url(base_url, click, secrets)

    if link:
        content = replace(letter.content, link=make(1, link) or link)
    else:
        content = replace(letter.content, html=rewrite(html, make, own=base_url))
    return msgspec.structs.replace(letter, content=content, tracked=True)


def _make_links(message: Message, address: Address) -> Links:
    """Return the shopper's own links: what is not marketing has none that unsubscribes."""
    base_url, secrets = require("PUBLIC_URL"), link_secrets()
    target = (message.who, message.id, address.key, message.channel)
    preferences = preferences_url(base_url, Preferences(*target), secrets)
    if message.kind == "transactional":
        return Links(preferences=preferences)
    return Links(preferences=preferences, unsubscribe=unsubscribe_url(base_url, Unsubscribe(*target), secrets))
