"""Write keys: what whoever reads a shop's pages can do with the key that stands in them, and what not."""

import json
from collections import Counter
from typing import Any

import pytest
from builders import CART, WELCOME, a_bundle, publish
from msgspec.structs import replace
from world import lambda_context

from cartwake import seen
from cartwake.capture.bodies import MOST_EVENTS
from cartwake.events import Trust
from cartwake.store import events, profiles, runs
from cartwake.times import DAY, HOUR, MINUTE
from functions.capture_events import app as capture_events
from tests.security.front import SERVER, Front, scan

VICTIM, EMAIL = "victim-1001", "victim@example.com"
WHO = f"u#{VICTIM}"
VISITOR, ELSEWHERE = "attackers-visitor", "attacker@evil.example"
CAP = 16 * HOUR


@pytest.fixture
def victim(front: Front) -> Front:
    """A shopper whom the shop's server vouches for, who said yes and was welcomed, a day before now."""
    front.report("identify", {"userId": VICTIM, "traits": {"email": EMAIL, "first_name": "Vera"}}, key=SERVER)
    front.report("track", {"userId": VICTIM, "event": "Subscribed", "properties": {"channel": "email"}}, key=SERVER)
    assert recipients(front) == [EMAIL]
    front.shop.now += DAY
    return front


def recipients(front: Front) -> list[str]:
    """Return to whom each mail went."""
    return [address for mail in front.shop.mails() for address in mail.destinations["ToAddresses"]]


def addressed() -> tuple[Any, ...]:
    """Return all that says who may be written to, and what the victim's profile says of it."""
    state = profiles.resolve_profile(WHO).state
    said = state.contacts, state.consents, state.country, state.blocked, state.tags
    return (scan("addresses"), scan("identities"), said)


def fill_cart(front: Front, who: dict[str, str], **more: Any) -> None:
    product = {"product_id": "P-1", "name": "Trail Runner", "price": 129, "quantity": 1}
    front.report("track", who | {"event": "Product Added", "properties": product} | more)


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
    for case in HEARSAY.keys() - {"yes", "as history", "bounce", "complaint", "tag away"}:
        kind, call = HEARSAY[case]
        before = addressed()
        victim.report(kind, {"userId": VICTIM} | call | {"messageId": f"server-{case}"}, key=SERVER)
        assert case.startswith("as ") or addressed() != before, case


# ---- it cannot reach another's profile


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


def claim(front: Front, *, alias: bool) -> None:
    """Say with the public key that the attacker's visitor is the victim."""
    if alias:
        front.report("alias", {"userId": VICTIM, "previousId": VISITOR})
    else:
        front.report("track", {"userId": VICTIM, "anonymousId": VISITOR, "event": "Product Viewed"})


TAKEOVERS = (
    take_over_by_a_visitor,
    take_over_beforehand,
    take_over_by_a_second_visitor,
    take_over_with_a_phone,
    unsubscribe_by_a_visitor,
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


@pytest.mark.parametrize("attack", [take_over_by_a_visitor, take_over_beforehand])
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


# ---- it cannot fill tables without bound

STORES = ("events", "profiles", "runs", "slots", "messages", "addresses", "counts", "identities", "quarantine")


def test_a_flood_makes_at_most_a_few_rows_for_each_event(front: Front) -> None:
    """Whatever a public key invents, no event becomes more than five rows, and most of them expire."""
    publish(a_bundle(generation=2, journeys={"cart": replace(CART, again_ms=0)}))
    sent = 20
    for number in range(sent):
        fill_cart(
            front,
            {"userId": f"u-{number % 7}", "anonymousId": f"a-{number}"},
            properties={"product_id": f"P-{number}", "quantity": 1},
        )
    rows = {table: len(scan(table)) for table in STORES}
    assert rows["events"] == sent
    assert sum(rows.values()) <= 5 * sent, rows
    assert rows["addresses"] == rows["identities"] == rows["messages"] == rows["counts"] == 0


def test_a_flood_of_one_shopper_stays_one_small_row(front: Front) -> None:
    """Traits, products, searches and visitors without end: the profile stays far from what an item may hold."""
    news = [
        {"type": "identify", "traits": {f"trait-{number}-{part}": "x" * 900 for part in range(20)}}
        for number in range(20)
    ]
    for number in range(50):
        product = {"product_id": f"P-{number}" + "x" * 500, "name": "n" * 2_000, "price": 1e9, "quantity": 9}
        news.append({"type": "track", "event": "Product Added", "properties": product})
        news.append({"type": "track", "event": "Order Completed", "properties": {"revenue": number, "order_id": "o"}})
        news.append({"type": "page", "anonymousId": f"visitor-{number}"})
    front.report("batch", {"batch": [{"userId": VICTIM, "messageId": f"m-{at}"} | it for at, it in enumerate(news)]})
    assert len(events.list_events(WHO)) == len(news)
    (row,) = [item for item in scan("profiles") if item["who"]["S"] == WHO]
    assert sum(len(str(value)) for value in row.values()) < 250_000
    assert len(profiles.resolve_profile(WHO).keys) <= 21


def test_invented_names_fill_no_table(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of events and traits, which are kept for marketers, are kept up to a number for each process and day."""
    assert seen.MOST_A_DAY <= 500
    monkeypatch.setattr(seen, "MOST_A_DAY", 50)
    for part in range(3):
        batch = [
            {"type": "track", "event": f"Invented {part}-{number}", "userId": VICTIM, "messageId": f"{part}-{number}"}
            for number in range(40)
        ]
        front.report("batch", {"batch": batch})
    assert len(scan("names")) == 50


def test_a_request_has_an_end(front: Front) -> None:
    """More events than a request may have are refused together; refusals of one request are kept up to twenty."""
    call = {"type": "track", "event": "e", "userId": VICTIM}
    assert front.send("batch", {"batch": [call] * (MOST_EVENTS + 1)})["statusCode"] == 413
    front.send("batch", {"batch": [{"type": "track", "userId": f"u-{number}"} for number in range(MOST_EVENTS)]})
    assert len(scan("quarantine")) == capture_events.MOST_QUARANTINED
    assert scan("events") == []


def test_a_repeated_request_adds_nothing(victim: Front) -> None:
    """Replaying what somebody's browser once sent, as often as one likes, changes no row of the victim."""
    call = {"userId": VICTIM, "event": "Product Added", "messageId": "m", "timestamp": "2026-11-22T11:00:00Z"}
    victim.report("track", call | {"properties": {"product_id": "P-1", "quantity": 1}})
    victim.shop.wait(2 * HOUR)
    before = {table: len(scan(table)) for table in STORES}, profiles.resolve_profile(WHO).state.cart
    for _ in range(5):
        victim.report("track", call | {"properties": {"product_id": "P-1", "quantity": 1}})
        victim.shop.wait(MINUTE)
    assert ({table: len(scan(table)) for table in STORES}, profiles.resolve_profile(WHO).state.cart) == before
    assert Counter(recipients(victim)) == {EMAIL: 2}


def test_a_public_key_starts_no_journey_of_consent(victim: Front) -> None:
    """A journey on "Subscribed" is started by who may say so: the welcome is not sent again by a browser."""
    publish(a_bundle(generation=2, journeys={"welcome": replace(WELCOME, again_ms=0)}))
    call = {"userId": VICTIM, "event": "Subscribed", "properties": {"channel": "email"}}
    victim.report("track", call)
    assert len(runs.list_runs(WHO)) == 1
    victim.report("track", call, key=SERVER)
    assert len(runs.list_runs(WHO)) == 2
