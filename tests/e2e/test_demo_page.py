"""The demo's page in Chromium, on the deployed stack: shop, inbox and timeline as a visitor sees them."""

from collections.abc import Iterator

import pytest

from cartwake.times import HOUR
from cartwake_cli.demo import server, shop
from cartwake_cli.demo.reader import Reader
from cartwake_cli.demo.state import Shopper
from cartwake_cli.demo.visitors import Backend
from cartwake_cli.local.world import World
from cartwake_cli.tables import Tables
from tests.browser import Page, open_page

ROWS = "[...document.querySelectorAll('#messages .row')]"
ENTRIES = "[...document.querySelectorAll('#line .entry')].map(it => it.innerText)"
STORY = Shopper("nora", "Nora", ("u#nobody-was-here",))


@pytest.fixture
def site(stack: World) -> Iterator[server.Server]:
    """The page over the shared stack, whose rules are the starter's: its waits are hours."""
    running = server.start()
    backend = Backend(stack, shop.load_products(), running.url)
    look = {"name": "Nordlicht", "address": "nordlicht.example", "color": "#0f4c5c"}
    reader = Reader(Tables(stack.cloud, stack.stack), stack.engine.url, source="a test")
    running.site = server.Site(backend, reader, [STORY], look, {"cart": HOUR // 1000})
    yield running
    running.close()


@pytest.fixture
def page(site: server.Server) -> Iterator[Page]:
    with open_page() as page:
        page.open(site.url)
        page.wait("document.querySelectorAll('.product').length === 6")
        yield page


def sign_up(page: Page, email: str) -> None:
    page.type("input[name=email]", email)
    page.click("#sign .join")
    page.wait("document.querySelector('#sign .signed') !== null")


def await_entry(page: Page, words: str) -> str:
    """Return the entry of the timeline that says so."""
    return str(page.wait(f"{ENTRIES}.find(it => it.includes({words!r}))", seconds=60))


def test_a_visitor_signs_up_fills_a_cart_and_buys(page: Page) -> None:
    """The welcome mail is in the inbox, the wait for the reminder in the timeline, and after the order its reason."""
    page.click("#trail-runner .add")
    assert page.text("#basket-count") == "1"
    await_entry(page, "Put Fjell Trail Runner in the cart")
    sign_up(page, "page-buyer@example.com")
    page.wait(f"{ROWS}.some(row => row.innerText.includes('Welcome to'))", seconds=60)
    assert "Became known as page-buyer@example.com" in await_entry(page, "Became known")
    page.wait("document.querySelector('#next').innerText.includes('unless Order Completed')", seconds=30)
    page.click("#cart .buy")
    assert "Order Completed" in await_entry(page, "ended: nothing more is sent")
    page.wait("document.querySelector('#tour li:nth-child(3)').className === 'done'", seconds=30)
    assert page.text("#basket-count") == "0"


def test_the_link_of_a_mail_unsubscribes(page: Page, site: server.Server) -> None:
    """The mail of the inbox leads to the page that unsubscribes, and the timeline says so."""
    sign_up(page, "page-leaver@example.com")
    page.wait(f"{ROWS}.some(row => row.innerText.includes('to You'))", seconds=60)
    page.click("#inbox-pills [data-key=you]")
    letter = page.wait("document.querySelector('#reader iframe')?.src")
    page.open(letter)
    link = page.evaluate("[...document.links].find(it => it.href.includes('/unsubscribe/')).href")
    page.open(link)
    page.click("form button")
    page.wait("document.readyState === 'complete' && document.forms.length === 0")
    page.open(site.url)
    await_entry(page, "Unsubscribed from e-mail")
    assert "E-mail unsubscribed" in page.text("#profile")


def test_empty_states_are_explained(page: Page) -> None:
    """Before anything has happened each pane says what will fill it."""
    assert "Add a product" in page.text("#cart")
    page.click("#story-pills [data-key=nora]")
    page.wait("document.querySelector('#messages .none')?.innerText.includes('Nothing was sent to Nora')")
    assert "No journey yet" in page.text("#profile")


@pytest.mark.parametrize("width", [1440, 900, 390])
def test_the_page_fits(page: Page, width: int) -> None:
    """Nothing stands out to the right at the width of a desktop, a tablet and a phone."""
    page.resize(width, 900)
    page.wait(f"innerWidth === {width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_shop_stands_still_when_the_rest_arrives(site: server.Server) -> None:
    """What is shown last moves no button away from under the mouse."""
    place = (
        "(() => { const it = document.querySelector('#socks .add').getBoundingClientRect();"
        " return [it.x, it.y, it.width, it.height].map(Math.round).join() })()"
    )
    with open_page() as page:
        page.call("Network.setBlockedURLs", urls=["*/api/state*"])
        page.open(site.url)
        page.wait("document.querySelectorAll('.product').length === 6")
        before = page.evaluate(place)
        page.call("Network.setBlockedURLs", urls=[])
        page.wait("document.querySelector('#tour').innerText.includes('Sign up')")
        assert page.evaluate(place) == before


def test_controls_have_names_and_nothing_comes_from_elsewhere(page: Page, site: server.Server) -> None:
    """Every button and field is named for those who do not see it, and every request goes to the page's own server."""
    page.click("#socks .add")
    page.wait("document.querySelector('#cart .buy') !== null")
    unnamed = """[...document.querySelectorAll('button, input, iframe')].filter(it =>
        !(it.innerText?.trim() || it.getAttribute('aria-label') || it.title || it.labels?.length)).length"""
    assert page.evaluate(unnamed) == 0
    assert page.evaluate("[...document.images].filter(it => it.alt === null).length") == 0
    asked = {it["request"]["url"] for it in page.collect("Network.requestWillBeSent")}
    assert asked
    assert {url for url in asked if not url.startswith(site.url)} <= {"about:blank"}
    assert page.collect("Runtime.exceptionThrown") == []
