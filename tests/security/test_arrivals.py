"""Arrivals: what a token in the address of a page gives whoever has it, by right or not."""

from typing import Any

import pytest
from builders import CART, CONFIRM, a_bundle, publish
from msgspec.structs import replace

from cartwake.bundles import Segment
from cartwake.conditions.kinds import Did
from cartwake.gateways import secrets
from cartwake.identity import MOST_BROWSERS
from cartwake.links import VISIT_WITHIN_MS, Visit, visit_token
from cartwake.store import profiles, quarantine
from cartwake.times import DAY, HOUR, MINUTE
from tests.security.front import BROWSER, EMAIL, SERVER, VICTIM, WHO, Front, fill_cart, recipients, scan
from tests.security.test_takeovers import ask_and_confirm

AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
STRANGER, ELSEWHERE = "strangers-browser", "stranger@evil.example"


def sign(front: Front, *, who: str = WHO, message: str = "m1") -> str:
    """Return what a click on a mail's link, at this moment, gives the page."""
    return visit_token(Visit(who, message, front.shop.now), secrets.link_secrets())


def arrive(front: Front, token: str, visitor: str = STRANGER, **more: Any) -> dict[str, Any]:
    """Have a browser tell of a page whose address has a token."""
    page = {"url": f"https://shop.example.com/?cw={token}"}
    call = {"anonymousId": visitor, "context": {"page": page, "userAgent": AGENT}}
    return front.report(more.pop("kind", "page"), call | more, key=more.pop("key", BROWSER))


def whose(visitor: str) -> str:
    return profiles.resolve_profile(f"a#{visitor}").who


def test_a_forwarded_mail_gives_a_stranger_no_say(victim: Front) -> None:
    """A browser that came by it says what a browser may: neither address, consent, country nor tags change."""
    before = profiles.resolve_profile(WHO).state
    arrive(victim, sign(victim))
    assert whose(STRANGER) == WHO
    visitor = {"anonymousId": STRANGER}
    victim.report("track", visitor | {"event": "Unsubscribed"})
    victim.report("identify", visitor | {"traits": {"email": ELSEWHERE, "phone": "+48601234567", "country": "US"}})
    victim.report("track", visitor | {"event": "Tag Added", "properties": {"tag": "vip"}})
    told = {"email": ELSEWHERE, "phone": "+48601234567"}
    victim.report("identify", visitor | {"traits": told, "messageId": "i2"}, key=SERVER)
    subscribed = {"event": "Subscribed", "properties": {"channel": ["email", "sms"]}}
    victim.report("track", visitor | subscribed, key=SERVER)
    after = profiles.resolve_profile(WHO)
    assert (after.state.contacts, after.state.consents) == (before.contacts, before.consents)
    assert (after.state.country, after.state.tags) == (before.country, before.tags)
    assert after.state.vouched == ()
    victim.report("track", visitor | {"event": "Product Added", "properties": {"product_id": "P", "name": "N"}})
    victim.shop.wait(2 * HOUR)
    assert set(recipients(victim)) == {EMAIL}
    assert victim.shop.texts() == []


def test_nobody_reads_anything_by_it(victim: Front) -> None:
    """The answer is the same for a token of somebody, of nobody, and for none."""
    answers = [arrive(victim, token) for token in (sign(victim), sign(victim, who="u#nobody"), "x.y", "")]
    assert {(it["statusCode"], it["body"]) for it in answers} == {(200, '{"success":true}')}


def test_a_click_is_one_browsers(victim: Front) -> None:
    """An address that is passed on, with the token of a click in it, makes nobody else the reader; why not is kept."""
    token = sign(victim)
    arrive(victim, token, "readers-phone")
    for _ in range(3):
        arrive(victim, token, "readers-phone")
    for number in range(5):
        arrive(victim, token, f"stranger-{number}")
        assert whose(f"stranger-{number}") == f"a#stranger-{number}"
        assert {it.reason for it in quarantine.list_refusals(f"a#stranger-{number}")} == {"link_used"}
    assert whose("readers-phone") == WHO


def test_a_known_browser_uses_its_click_up_too(victim: Front) -> None:
    """Also where it was the reader's long before, so that there is nothing to join."""
    arrive(victim, sign(victim), "readers-phone")
    victim.shop.now += DAY
    token = sign(victim, message="m2")
    arrive(victim, token, "readers-phone")
    arrive(victim, token)
    assert whose(STRANGER) == f"a#{STRANGER}"


def test_a_mail_that_everybody_reads_joins_few(victim: Front) -> None:
    """Forwarded to a list, its links are followed by many: three browsers come by them, whoever was first."""
    for number in range(MOST_BROWSERS + 4):
        arrive(victim, sign(victim), f"v{number}")
    assert [whose(f"v{number}") == WHO for number in range(MOST_BROWSERS + 4)] == [True] * MOST_BROWSERS + [False] * 4
    arrive(victim, sign(victim, message="m2"), "v5")
    assert whose("v5") == WHO


def test_replayed_later_it_says_nothing(victim: Front) -> None:
    """Found in a history, a log or a referrer a quarter of an hour later."""
    token = sign(victim)
    victim.shop.now += VISIT_WITHIN_MS
    arrive(victim, token)
    assert whose(STRANGER) == f"a#{STRANGER}"


@pytest.mark.parametrize("by", ["browser", "server", "now"])
def test_who_said_that_they_are_somebody_else_is(victim: Front, by: str) -> None:
    """A visitor who has told an address, or tells one as they come, is no reader of somebody else's mail."""
    traits = {"traits": {"email": ELSEWHERE}}
    if by == "now":
        arrive(victim, sign(victim), kind="identify", **traits)
    else:
        victim.report("identify", {"anonymousId": STRANGER} | traits, key=SERVER if by == "server" else BROWSER)
        arrive(victim, sign(victim))
    assert whose(STRANGER) == f"a#{STRANGER}"


@pytest.mark.parametrize("trait", [{"email": f" {EMAIL.upper()} "}, {"email": ""}, {"first_name": "Vera"}])
def test_who_tells_the_readers_own_address_is_the_reader(victim: Front, trait: dict[str, str]) -> None:
    """However it is written."""
    victim.report("identify", {"anonymousId": STRANGER, "traits": trait})
    arrive(victim, sign(victim))
    assert whose(STRANGER) == WHO


def test_who_is_logged_in_stays_who_they_are(victim: Front) -> None:
    """A friend who opens the mail in a browser that the shop knows: two users never become one."""
    victim.report("page", {"userId": "friend", "anonymousId": STRANGER})
    arrive(victim, sign(victim))
    assert whose(STRANGER) == "u#friend"
    arrive(victim, sign(victim), userId="friend", messageId="named")
    assert profiles.resolve_profile("u#friend").keys == ("u#friend", f"a#{STRANGER}")
    assert profiles.resolve_profile(WHO).keys == (WHO,)


def test_a_token_of_nobody_founds_nobody(victim: Front) -> None:
    """Of a shopper who was erased, or of whom nothing is stored, there is nobody to be."""
    arrive(victim, sign(victim, who="u#never-seen"))
    assert whose(STRANGER) == f"a#{STRANGER}"
    assert [row for row in scan("profiles") if row["who"]["S"] == "u#never-seen"] == []
    victim.report("track", {"userId": VICTIM, "event": "Erasure Requested"}, key=SERVER)
    arrive(victim, sign(victim))
    assert whose(STRANGER) == f"a#{STRANGER}"


def test_arrivals_are_bounded_with_all_other_joins(victim: Front) -> None:
    """Whoever has many mails of somebody joins as many browsers in a day as a public key may, and no more."""
    for number in range(24):
        arrive(victim, sign(victim, message=f"m{number}"), f"v{number}")
    assert sum(whose(f"v{number}") == WHO for number in range(24)) == 20
    assert {it.reason for it in quarantine.list_refusals("a#v23")} == {"too_many_merges"}


def test_a_robot_arrives_from_nowhere(victim: Front) -> None:
    """A crawler that runs the page's scripts is nobody's browser."""
    robot = {"page": {"url": f"https://shop.example.com/?cw={sign(victim)}"}, "userAgent": "Googlebot/2.1"}
    victim.report("page", {"anonymousId": STRANGER, "context": robot})
    assert profiles.resolve_profile(f"a#{STRANGER}").version == 0


def test_what_a_server_tells_of_a_page_is_no_more_than_a_browsers_word(victim: Front) -> None:
    """Its trust is in what it says itself, not in the address that a shopper's browser was at."""
    arrive(victim, sign(victim), key=SERVER)
    assert whose(STRANGER) == WHO
    assert profiles.resolve_profile(WHO).state.vouched == ()


def test_a_visitor_looks_interested_and_no_more(front: Front) -> None:
    """As with a public key: a segment may change, and nothing goes to whoever did not say yes."""
    looked = Segment(title="Looked", where=Did(tracker="viewed"), events=("Page Viewed",))
    publish(replace(a_bundle(generation=2), segments={"looked": looked}))
    front.report("identify", {"userId": VICTIM, "traits": {"email": EMAIL}}, key=SERVER)
    arrive(front, sign(front))
    fill_cart(front, {"anonymousId": STRANGER})
    front.shop.wait(2 * HOUR + MINUTE)
    assert profiles.resolve_profile(WHO).state.memberships["looked"].since
    assert recipients(front) == []


def test_a_login_takes_nobody_along(victim: Front) -> None:
    """A server's word who a browser is joins the browser, and not the stranger by whose link it once came."""
    publish(a_bundle(generation=2, journeys={"cart": CART, "confirm": CONFIRM}))
    victim.shop.now += HOUR
    ask_and_confirm(victim, {"anonymousId": "strangers"})
    victim.shop.now += HOUR
    arrive(victim, sign(victim, who="a#strangers"), "lured")
    assert whose("lured") == "a#strangers"
    victim.shop.now += HOUR
    victim.report("track", {"userId": VICTIM, "anonymousId": "lured", "event": "Logged In"}, key=SERVER)
    assert profiles.resolve_profile(WHO).state.contacts["email"].value == EMAIL
    assert whose("strangers") == "a#strangers"


def test_who_follows_a_forwarded_link_and_logs_in_is_not_its_reader(victim: Front) -> None:
    """A reader without an account stays who she is when a friend to whom she passed a mail on has one."""
    publish(a_bundle(generation=2, journeys={"cart": CART, "confirm": CONFIRM}))
    victim.shop.now += HOUR
    ask_and_confirm(victim, {"anonymousId": "readers"})
    arrive(victim, sign(victim, who="a#readers"), "friends")
    victim.shop.now += HOUR
    told = {"userId": "friend", "anonymousId": "friends", "traits": {"email": "friend@example.com"}}
    victim.report("identify", told, key=SERVER)
    assert whose("readers") == "a#readers"
    assert profiles.resolve_profile("u#friend").state.contacts["email"].value == "friend@example.com"
