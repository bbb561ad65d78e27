"""From a click in a mail to the shopper's profile: the browser that arrives is known from then on."""

import re
from html import unescape
from typing import Any

import pytest
from builders import CART, WELCOME, a_bundle, publish
from msgspec.structs import replace
from shoppers import Shop

from cartwake.bundles import Segment, Template
from cartwake.choices import Choices
from cartwake.conditions.kinds import Did
from cartwake.journeys import Send, Trigger
from cartwake.statements import Channel
from cartwake.store import addresses, profiles
from cartwake.times import DAY, HOUR, MINUTE
from tests.security.front import SERVER, Front, fill_cart

AGENT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36"
MAIL = Template(subject="x", html='<body><a href="{{ shop.url }}/a?b=1">a</a></body>', text="x")
LOOKED = replace(
    WELCOME,
    title="Looked",
    trigger=Trigger(entered="looked"),
    steps=(Send(channel=Channel.EMAIL, template="cart-1", subject="You came back"),),
)


@pytest.fixture
def front(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Front:
    """A shop that greets whoever looks at a page, and a subscriber who allows that her clicks are seen."""
    publish(
        a_bundle(
            generation=2,
            settings=replace(a_bundle().settings, cap_ms={}),
            segments={"looked": Segment(title="Looked", where=Did(tracker="viewed"), events=("Page Viewed",))},
            journeys={"cart": replace(CART, steps=CART.steps[:2], again_ms=0), "looked": LOOKED},
            templates={"cart-1": MAIL},
        )
    )
    front = Front(shop, monkeypatch)
    front.report("identify", {"userId": "1", "traits": {"email": "ada@example.com"}}, key=SERVER)
    front.report("track", {"userId": "1", "event": "Subscribed", "properties": {"channel": "email"}}, key=SERVER)
    choose(tracked=True)
    return front


def choose(*, tracked: bool) -> None:
    row = addresses.get_address(profiles.resolve_profile("u#1").address_keys[Channel.EMAIL])
    assert addresses.put_address(replace(row, choices=Choices(tracked=tracked, at=1)))


def receive(front: Front, who: dict[str, str]) -> str:
    """Have a cart left, and return where the first link of the mail about it leads."""
    fill_cart(front, who)
    front.shop.wait(2 * HOUR)
    body = front.shop.mails()[-1].body
    (link, *_) = re.findall(r'href="([^"]*)"', body if isinstance(body, str) else body["Html"]["Data"])
    return unescape(link)


def press(front: Front, link: str) -> str:
    """Follow a link, and return the address of the page to which it leads."""
    path = "/r/" + link.rpartition("/")[2]
    return str(front.visit("GET", path, **{"user-agent": AGENT})["headers"]["Location"])


def look(front: Front, address: str, visitor: str, **more: Any) -> None:
    """Have a browser tell of a page that it shows."""
    page = {"url": address, "search": "?" + address.partition("?")[2]}
    front.report("page", {"anonymousId": visitor, "context": {"page": page, "userAgent": AGENT}} | more)


def test_a_click_makes_the_browser_the_shoppers(front: Front) -> None:
    """The page view is hers: her segment changes and its journey runs; so does what that browser does afterwards."""
    address = press(front, receive(front, {"userId": "1"}))
    assert address.startswith("https://shop.example.com/a?b=1&utm_source=cartwake")
    look(front, address, "phone")
    profile = profiles.resolve_profile("a#phone")
    assert profile.who == "u#1"
    assert profile.state.memberships["looked"].since
    front.shop.wait(MINUTE)
    assert front.shop.subjects()[-1] == "You came back"
    front.shop.now += DAY
    fill_cart(front, {"anonymousId": "phone"})
    front.shop.wait(2 * HOUR)
    assert [mail.destinations["ToAddresses"] for mail in front.shop.mails()][-1] == ["ada@example.com"]
    assert front.shop.subjects()[-1] == "You left Trail Runner behind"


def test_what_the_browser_did_before_is_hers_too(front: Front) -> None:
    """As with a login: of the cart that a visitor had left, a mail goes out once the visitor has a name."""
    address = press(front, receive(front, {"userId": "1"}))
    fill_cart(front, {"anonymousId": "phone"})
    look(front, address, "phone")
    sent = front.shop.subjects()
    assert sent[-1] == "You came back"
    front.shop.wait(2 * HOUR)
    assert front.shop.subjects() == [*sent, "You left Trail Runner behind"]


def test_who_refuses_is_not_known_on_arrival(front: Front) -> None:
    """A no after the mail was sent counts when its link is followed: the visitor stays nobody's."""
    link = receive(front, {"userId": "1"})
    choose(tracked=False)
    address = press(front, link)
    assert "cw=" not in address
    look(front, address, "phone")
    assert profiles.resolve_profile("a#phone").who == "a#phone"


def test_a_reader_without_an_account_is_known_as_well(front: Front) -> None:
    """Whom the shop knows as a visitor alone stays the one to whom the mail went, however new the row is."""
    look(front, "https://shop.example.com/", "older")
    front.shop.now += DAY
    reader = {"anonymousId": "reader"}
    front.report("identify", reader | {"traits": {"email": "bob@example.com"}}, key=SERVER)
    front.report("track", reader | {"event": "Subscribed", "properties": {"channel": "email"}}, key=SERVER)
    row = addresses.get_address(profiles.resolve_profile("a#reader").address_keys[Channel.EMAIL])
    assert addresses.put_address(replace(row, choices=Choices(tracked=True, at=1)))
    look(front, press(front, receive(front, reader)), "older")
    assert profiles.resolve_profile("a#older").who == "a#reader"
    front.report("identify", {"anonymousId": "older", "traits": {"email": "eve@example.com"}}, key=SERVER)
    assert profiles.resolve_profile("a#reader").state.contacts[Channel.EMAIL].value == "bob@example.com"
