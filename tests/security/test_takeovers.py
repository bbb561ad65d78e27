"""Takeovers: a browser's word that a visitor is somebody gives nobody somebody else's messages or consent."""

import re
from typing import Any

import pytest
from builders import CART, CONFIRM, a_bundle, publish

from cartwake.store import events, profiles
from cartwake.times import HOUR
from tests.security.front import EMAIL, SERVER, VICTIM, WHO, Front, fill_cart, recipients, stored

VISITOR, ELSEWHERE = "attackers-visitor", "attacker@evil.example"


def take_over_by_a_visitor(front: Front, *, alias: bool) -> None:
    """Have the shop learn the attacker's address as a visitor's, and then say that the visitor is the victim."""
    front.report("identify", {"anonymousId": VISITOR, "traits": {"email": ELSEWHERE}}, key=SERVER)
    front.report("track", {"anonymousId": VISITOR, "event": "Subscribed"}, key=SERVER)
    claim(front, alias=alias)


def take_over_beforehand(front: Front, *, alias: bool) -> None:
    """Say that the visitor is the victim first, and have the shop learn the attacker's address after that."""
    claim(front, alias=alias)
    front.report("identify", {"anonymousId": VISITOR, "traits": {"email": ELSEWHERE}}, key=SERVER)
    front.report("track", {"anonymousId": VISITOR, "event": "Subscribed"}, key=SERVER)


def take_over_by_a_second_visitor(front: Front, *, alias: bool) -> None:
    """Have the address belong to another visitor, whom the shop would join to whoever tells the same address."""
    front.report("identify", {"anonymousId": "second", "traits": {"email": ELSEWHERE}}, key=SERVER)
    take_over_beforehand(front, alias=alias)


def take_over_with_a_phone(front: Front, *, alias: bool) -> None:
    """Add a number to a victim who has none."""
    claim(front, alias=alias)
    front.report("identify", {"anonymousId": VISITOR, "traits": {"phone": "+48601234567"}}, key=SERVER)
    front.report("track", {"anonymousId": VISITOR, "event": "Subscribed", "properties": {"channel": "sms"}}, key=SERVER)


def unsubscribe_by_a_visitor(front: Front, *, alias: bool) -> None:
    """Withdraw as a visitor, and then say that the visitor is the victim."""
    front.report("track", {"anonymousId": VISITOR, "event": "Unsubscribed"}, key=SERVER)
    claim(front, alias=alias)


def confirm_in_the_victims_name(front: Front, *, alias: bool) -> None:
    """Ask for a subscription as the victim, at an address of the attacker's, and press the button of the mail."""
    publish(a_bundle(generation=2, journeys={"cart": CART, "confirm": CONFIRM}))
    ask_and_confirm(front, {"userId": VICTIM})
    claim(front, alias=alias)


def confirm_as_a_visitor(front: Front, *, alias: bool) -> None:
    """Have an address confirmed as a visitor's, and then say that the visitor is the victim."""
    publish(a_bundle(generation=2, journeys={"cart": CART, "confirm": CONFIRM}))
    ask_and_confirm(front, {"anonymousId": VISITOR})
    claim(front, alias=alias)


def confirm_as_a_visitor_who_is_claimed_already(front: Front, *, alias: bool) -> None:
    """Say that the visitor is the victim first, and have the visitor's address confirmed after that."""
    publish(a_bundle(generation=2, journeys={"cart": CART, "confirm": CONFIRM}))
    claim(front, alias=alias)
    ask_and_confirm(front, {"anonymousId": VISITOR})


def ask_and_confirm(front: Front, who: dict[str, str], *, email: str = ELSEWHERE) -> None:
    front.report("track", who | {"event": "Subscription Requested", "properties": {"email": email}})
    (link,) = set(re.findall(r"/confirm/[\w.-]+", str(front.shop.mails()[-1].body)))
    before = stored()
    assert front.visit("POST", link)["statusCode"] == 200
    news = [events.get_event(*each) for each in sorted(stored() - before)]
    assert news
    front.shop.hear(*[event for event in news if event is not None])


def claim(front: Front, *, alias: bool) -> None:
    """Say with the public key that the attacker's visitor is the victim."""
    if alias:
        front.report("alias", {"userId": VICTIM, "previousId": VISITOR})
    else:
        front.report("track", {"userId": VICTIM, "anonymousId": VISITOR, "event": "Product Viewed"})


def take_over_with_a_device(front: Front, *, alias: bool) -> None:
    """Have the shop learn of the attacker's phone as a visitor's, who is then said to be the victim."""
    phone = {"device": {"id": "attackers", "type": "android", "token": "token-of-the-attacker"}}
    front.report("identify", {"anonymousId": VISITOR, "context": phone}, key=SERVER)
    claim(front, alias=alias)


TAKEOVERS = (
    take_over_by_a_visitor,
    take_over_beforehand,
    take_over_by_a_second_visitor,
    take_over_with_a_phone,
    take_over_with_a_device,
    unsubscribe_by_a_visitor,
    confirm_in_the_victims_name,
    confirm_as_a_visitor,
    confirm_as_a_visitor_who_is_claimed_already,
)


@pytest.mark.parametrize("alias", [False, True])
@pytest.mark.parametrize("attack", TAKEOVERS)
def test_a_public_key_directs_nobodys_messages_elsewhere(victim: Front, attack: Any, alias: bool) -> None:
    """Whom a browser calls the victim is not written to in her place, takes no yes back, and hears nothing of her."""
    state = profiles.resolve_profile(WHO).state
    attack(victim, alias=alias)
    after = profiles.resolve_profile(WHO).state
    assert (after.contacts, after.consents) == (state.contacts, state.consents)
    fill_cart(victim, {"userId": VICTIM})
    victim.shop.wait(2 * HOUR)
    to_cart = [m for m in victim.shop.mails() if m.subject.startswith("You left")]
    assert [mail.destinations["ToAddresses"] for mail in to_cart] == [[EMAIL]]
    assert victim.shop.texts() == []


@pytest.mark.parametrize("attack", [take_over_by_a_visitor, take_over_beforehand, *TAKEOVERS[-3:]])
def test_nor_those_of_a_user_of_whom_no_address_is_known_yet(front: Front, attack: Any) -> None:
    """User ids can be guessed before there is anything to take over: the cart of the next user goes to nobody."""
    attack(front, alias=False)
    fill_cart(front, {"userId": VICTIM})
    front.shop.wait(2 * HOUR)
    assert [mail.subject for mail in front.shop.mails() if mail.subject.startswith("You left")] == []
    assert profiles.resolve_profile(WHO).state.contacts == {}


def test_what_a_visitor_did_still_becomes_the_users(victim: Front) -> None:
    """A cart from before the login is the user's on the browser's own word: nothing trusted was said of the visitor."""
    fill_cart(victim, {"anonymousId": "own"})
    victim.report("page", {"userId": VICTIM, "anonymousId": "own"})
    assert profiles.resolve_profile("a#own").who == WHO
    victim.shop.wait(2 * HOUR)
    assert recipients(victim) == [EMAIL, EMAIL]


def test_a_visitor_with_the_users_own_address_is_the_user(victim: Front) -> None:
    """Where a trusted source tells one address of both, they are joined, and each one's yes counts for it."""
    victim.report("page", {"userId": VICTIM, "anonymousId": "own"})
    told = {"anonymousId": "own"}
    victim.report("track", told | {"event": "Unsubscribed"}, key=SERVER)
    victim.report("track", told | {"event": "Subscribed"}, key=SERVER)
    assert not profiles.resolve_profile(WHO).state.consents["email"].subscribed  # a yes by hearsay lifts no withdrawal
    victim.report("identify", told | {"traits": {"email": f" {EMAIL.title()} "}}, key=SERVER)
    victim.report("track", told | {"event": "Subscribed", "messageId": "again"}, key=SERVER)
    assert profiles.resolve_profile(WHO).state.consents["email"].subscribed


def test_a_server_vouches_for_a_visitor(victim: Front) -> None:
    """A trusted event with both ids makes the visitor the user in every respect, also after a browser's word."""
    victim.report("page", {"userId": VICTIM, "anonymousId": "own"})
    victim.report("track", {"userId": VICTIM, "anonymousId": "own", "event": "Logged In"}, key=SERVER)
    victim.report("identify", {"anonymousId": "own", "traits": {"email": "new@example.com"}}, key=SERVER)
    assert profiles.resolve_profile(WHO).state.contacts["email"].value == "new@example.com"


def test_who_asked_in_somebodys_name_is_not_them(front: Front) -> None:
    """A browser that asked for her subscription gets no say in her account: she confirmed, and registered."""
    publish(a_bundle(generation=2, journeys={"cart": CART, "confirm": CONFIRM}))
    ask_and_confirm(front, {"anonymousId": VISITOR}, email=EMAIL)
    front.shop.now += HOUR
    front.report("identify", {"userId": VICTIM, "anonymousId": "own", "traits": {"email": EMAIL}}, key=SERVER)
    front.shop.now += HOUR
    front.report("identify", {"anonymousId": VISITOR, "traits": {"email": ELSEWHERE}}, key=SERVER)
    assert profiles.resolve_profile(WHO).state.contacts["email"].value == EMAIL


def test_a_public_key_attaches_no_device(victim: Front) -> None:
    """Who knows a user's id and the public key tells of a phone of their own: nothing of it is kept."""
    phone = {"device": {"id": "attackers", "type": "android", "token": "token-of-the-attacker"}}
    for kind, more in (("identify", {"traits": {}}), ("track", {"event": "Application Opened"}), ("screen", {})):
        victim.report(kind, {"userId": VICTIM, "context": phone} | more)
    state = profiles.resolve_profile(WHO).state
    assert state.devices == {}
    assert "token-of-the-attacker" not in str(events.list_events(WHO))
