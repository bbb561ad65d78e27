"""Write keys: what whoever reads a shop's pages can do with the key that stands in them, and what not."""

import json
from typing import Any

import pytest
from builders import CART, CONFIRM, WELCOME, a_bundle, publish
from msgspec.structs import replace
from world import lambda_context

from cartwake.events import Trust
from cartwake.journeys import Send, Trigger
from cartwake.reasons import NotEntered
from cartwake.statements import Channel
from cartwake.store import events, profiles, runs, slots
from cartwake.times import DAY, HOUR
from functions.capture_events import app as capture_events
from tests.security.front import EMAIL, SERVER, VICTIM, WHO, Front, fill_cart, recipients, scan

ELSEWHERE = "attacker@evil.example"
CAP = 16 * HOUR


def addressed() -> tuple[Any, ...]:
    """Return all that says who may be written to, and what the victim's profile says of it."""
    state = profiles.resolve_profile(WHO).state
    said = state.contacts, state.consents, state.country, state.blocked, state.tags
    return (scan("addresses"), scan("identities"), said)


# ---- it cannot mail


def test_a_public_key_mails_nobody_whom_it_names(front: Front) -> None:
    """Inscribing strangers, the way to bomb a mailbox, sends nothing, and remembers none of their addresses."""
    for number in range(4):
        person = {"userId": f"stranger-{number}"}
        contact = {"email": f"stranger-{number}@example.com", "phone": "+48601234567"}
        front.report("identify", person | {"traits": contact | {"subscribed": True, "consent": "yes"}})
        front.report("track", person | {"event": "Subscribed", "properties": {"channel": "email"} | contact})
        front.report("track", person | {"event": "Subscribed", "properties": {"channel": "sms"} | contact})
        fill_cart(front, person)
    front.shop.wait(2 * DAY)
    assert (recipients(front), front.shop.texts()) == ([], [])
    assert scan("addresses") == scan("identities") == []


SPELLINGS = ("stranger@example.com", "Stranger@Example.com", "stranger+1@example.com", "stranger+2@example.com")


def test_a_public_key_has_a_mailbox_asked_once_a_day(front: Front) -> None:
    """Bombing: visitors, users and made-up ones ask for three days, however they write it; three mails go there."""
    publish(a_bundle(generation=2, journeys={"confirm": CONFIRM, "welcome": WELCOME}))
    for day in range(3):
        for number in range(16):
            who = {"anonymousId": f"v-{day}-{number}"} if number % 2 else {"userId": f"u-{number}"}
            call = {"event": "Subscription Requested", "properties": {"email": SPELLINGS[number % 4]}}
            front.report("track", who | call)
            front.shop.now += HOUR
        front.shop.now += 9 * HOUR
    assert len(recipients(front)) == 3
    assert scan("consents") == scan("identities") == []


def test_a_public_key_has_nobody_asked_who_left(victim: Front) -> None:
    """Whoever withdrew, or called a mail spam, is asked nothing on a browser's word, also at another spelling."""
    publish(a_bundle(generation=2, journeys={"confirm": CONFIRM}))
    victim.report("track", {"userId": VICTIM, "event": "Unsubscribed"}, key=SERVER)
    before = len(recipients(victim))
    for who in ({"userId": VICTIM}, {"anonymousId": "v-1"}):
        for email in (EMAIL, EMAIL.replace("@", "+x@")):
            victim.report("track", who | {"event": "Subscription Requested", "properties": {"email": email}})
    assert len(recipients(victim)) == before


def test_a_flood_of_triggers_mails_a_subscriber_no_oftener_than_the_cap(victim: Front) -> None:
    """Whoever knows a subscriber's id can start journeys in her name; they end at the frequency cap of her address."""
    journeys = {f"cart-{number}": replace(CART, again_ms=0) for number in range(2)}
    publish(a_bundle(generation=2, journeys=journeys))
    began = victim.shop.now
    for _ in range(14):
        fill_cart(victim, {"userId": VICTIM})
        fill_cart(victim, {"userId": VICTIM})
        victim.shop.wait(3 * HOUR)
    mails = len(recipients(victim)) - 1
    assert 2 <= mails <= 1 + (victim.shop.now - began) // CAP
    assert set(recipients(victim)) == {EMAIL}


def test_a_flood_of_triggers_texts_a_subscriber_no_oftener_than_the_cap(victim: Front) -> None:
    """Text messages have a cap of their own, of a day where nothing else is said."""
    victim.report("identify", {"userId": VICTIM, "traits": {"phone": "+48601234567"}}, key=SERVER)
    yes = {"event": "Subscribed", "properties": {"channel": "sms"}}
    victim.report("track", {"userId": VICTIM} | yes, key=SERVER)
    text = replace(CART, again_ms=0, filter=None, exits=(), steps=(Send(channel=Channel.SMS, template="cart-sms"),))
    publish(a_bundle(generation=2, journeys={"text": text}))
    for _ in range(10):
        fill_cart(victim, {"userId": VICTIM})
        victim.shop.wait(3 * HOUR)
    assert len(victim.shop.texts()) == 2


@pytest.mark.parametrize("trigger", [Trigger(event="Order Completed"), Trigger(entered="vip")])
def test_a_public_key_starts_nothing_that_needs_no_consent(victim: Front, trigger: Trigger) -> None:
    """A receipt has neither consent nor cap to pass: it goes out on a server's word, and on no browser's."""
    publish(a_bundle(generation=2, journeys={"receipt": replace(WELCOME, kind="transactional", trigger=trigger)}))
    before = len(recipients(victim))
    for number in range(5):
        order = {"event": "Order Completed", "properties": {"order_id": f"o-{number}", "revenue": 100}}
        victim.report("track", {"userId": VICTIM} | order)
    assert len(recipients(victim)) == before
    assert [slot.refused for slot in slots.list_slots(WHO) if slot.journey == "receipt"] == [NotEntered.HEARSAY]


def test_a_server_starts_a_receipt(victim: Front) -> None:
    """The test above does not hold for want of a receipt."""
    receipt = replace(WELCOME, kind="transactional", trigger=Trigger(event="Order Completed"))
    publish(a_bundle(generation=2, journeys={"receipt": receipt}))
    before = len(recipients(victim))
    victim.report("track", {"userId": VICTIM, "event": "Order Completed", "properties": {"revenue": 1}}, key=SERVER)
    assert len(recipients(victim)) == before + 1


# ---- it cannot set consent, tag, or change whom we write to

HEARSAY = {
    "yes": ("track", {"event": "Subscribed", "properties": {"channel": "email"}}),
    "no": ("track", {"event": "Unsubscribed", "properties": {"channel": "email"}}),
    "yes to SMS": ("track", {"event": "Subscribed", "properties": {"channel": "sms"}}),
    "as a server": ("track", {"event": "Unsubscribed", "trust": "server"}),
    "as ourselves": ("track", {"event": "Unsubscribed", "trust": "own", "context": {"trust": "own"}}),
    "as history": ("track", {"event": "Unsubscribed", "context": {"backfill": True}}),
    "another address": ("identify", {"traits": {"email": ELSEWHERE, "phone": "+48601234567"}}),
    "another country": ("identify", {"traits": {"country": "PL"}}),
    "traits in the context": ("identify", {"context": {"traits": {"email": ELSEWHERE}}}),
    "tag": ("track", {"event": "Tag Added", "properties": {"tag": "wholesale"}}),
    "tag away": ("track", {"event": "Tag Removed", "properties": {"tag": "wholesale"}}),
    "request": ("track", {"event": "Subscription Requested", "properties": {"email": ELSEWHERE}}),
    "bounce": ("track", {"event": "Email Bounced", "properties": {"address_id": "x", "bounce": "permanent"}}),
    "complaint": ("track", {"event": "Email Marked as Spam", "properties": {"address_id": "x"}}),
}


def test_a_public_key_changes_nothing_that_messages_depend_on(victim: Front) -> None:
    """Addresses, consent, country, tags and suppression stay as trusted sources told them, and mail still arrives."""
    before = addressed()
    for case, (kind, call) in HEARSAY.items():
        assert victim.report(kind, {"userId": VICTIM} | call)["statusCode"] == 200
        assert addressed() == before, case
    fill_cart(victim, {"userId": VICTIM})
    victim.shop.wait(2 * HOUR)
    assert recipients(victim) == [EMAIL, EMAIL]


def test_a_server_may_say_all_of_this(victim: Front) -> None:
    """The same calls with a server's key do change something: the test above does not hold for want of effect."""
    for case in HEARSAY.keys() - {"yes", "request", "as history", "bounce", "complaint", "tag away"}:
        kind, call = HEARSAY[case]
        before = addressed()
        victim.report(kind, {"userId": VICTIM} | call | {"messageId": f"server-{case}"}, key=SERVER)
        assert case.startswith("as ") or addressed() != before, case


def test_a_public_key_starts_no_journey_of_consent(victim: Front) -> None:
    """A journey on "Subscribed" is started by who may say so: the welcome is not sent again by a browser."""
    publish(a_bundle(generation=2, journeys={"welcome": replace(WELCOME, again_ms=0)}))
    call = {"userId": VICTIM, "event": "Subscribed", "properties": {"channel": "email"}}
    victim.report("track", call)
    assert len(runs.list_runs(WHO)) == 1
    victim.report("track", call, key=SERVER)
    assert len(runs.list_runs(WHO)) == 2


# ---- it cannot read


def test_no_answer_tells_anything_of_anybody(victim: Front) -> None:
    """Every answer to a public key is the same for a user who is known, one who is not, and one in a journey."""
    calls = [
        ("track", {"event": "Product Added"}),
        ("identify", {"traits": {"email": EMAIL}}),
        ("alias", {"previousId": VICTIM}),
        ("group", {"groupId": VICTIM}),
        ("track", {"event": ""}),
        ("track", {"event": "e", "timestamp": "yesterday"}),
        ("profile", {}),
    ]
    for kind, call in calls:
        answers = [victim.send(kind, {"userId": who, "messageId": "m"} | call) for who in (VICTIM, "nobody-here")]
        assert answers[0] == answers[1]
        assert EMAIL not in str(answers)
        assert "Vera" not in str(answers)


def test_nothing_but_a_post_is_read(front: Front) -> None:
    """No link, image or prefetch stores an event; were a route added by mistake, the handler would still not answer."""
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        payload = {
            "requestContext": {"http": {"method": method}},
            "pathParameters": {"kind": "track"},
            "headers": {"x-write-key": SERVER},
            "body": json.dumps({"userId": VICTIM, "event": "e"}),
        }
        answer = capture_events.handler(payload, lambda_context())
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "unknown_route")
    assert scan("events") == []


# ---- it cannot overwrite, nor make one of two


def test_a_public_key_overwrites_nothing_that_a_server_said(front: Front) -> None:
    """The same id at the same time is another event when another one says it, before and after."""
    call = {"userId": VICTIM, "event": "Order Completed", "messageId": "o-1", "timestamp": "2026-11-21T11:00:00Z"}
    for trust in (Trust.BROWSER, Trust.SERVER, Trust.BROWSER):
        key = {"key": SERVER} if trust is Trust.SERVER else {}
        front.send("track", call | {"properties": {"revenue": 100 if trust is Trust.SERVER else 1}}, **key)
    told = {event.trust: event.properties for event in events.list_events(WHO)}
    assert told == {Trust.SERVER: {"revenue": 100}, Trust.BROWSER: {"revenue": 1}}


def test_no_id_of_a_browser_names_a_row_of_a_server(front: Front) -> None:
    """An id with the marks of a key in it makes a row of its own: the last mark is ours."""
    at = "2026-11-21T11:00:00.000Z"
    front.send("track", {"userId": VICTIM, "event": "e", "messageId": "m", "timestamp": at}, key=SERVER)
    for odd in ("m#server", f"{at}#m#server", "m#server#", "#m", "m\n"):
        front.send("track", {"userId": VICTIM, "event": "e", "messageId": odd, "timestamp": at})
    kept = {event.key for event in events.list_events(WHO)}
    assert len(kept) == 6
    assert sum(key.endswith("#server") for key in kept) == 1


def test_a_public_key_merges_no_two_users(victim: Front) -> None:
    """Not by naming both, not by a visitor of both, not by an address of the other, not in a chain."""
    victim.report("identify", {"userId": "other", "traits": {"email": "other@example.com"}}, key=SERVER)
    victim.report("alias", {"userId": "other", "previousId": VICTIM})
    victim.report("identify", {"userId": "other", "traits": {"email": EMAIL}})
    for user in (VICTIM, "other", VICTIM):
        victim.report("page", {"userId": user, "anonymousId": "shared"})
    victim.report("alias", {"userId": "other", "previousId": "shared"})
    victim.report("page", {"anonymousId": WHO})
    assert profiles.resolve_profile(WHO).who == WHO
    assert profiles.resolve_profile("u#other").who == "u#other"
    for user in ("one", "two", "one"):  # of whom nothing else is known
        victim.report("page", {"userId": user, "anonymousId": "theirs"})
    assert profiles.resolve_profile("u#two").who == "u#two"
    assert profiles.resolve_profile("a#theirs").who == "u#one"
