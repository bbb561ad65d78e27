"""Pages in a browser: they work without scripts, on the smallest phone, and for people who do not see them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from browser import Page, open_page
from builders import a_bundle, a_subscription, an_identify, publish
from editor import PLACE
from msgspec.structs import replace
from shoppers import Shop
from world import aws, lambda_context

from cartwake import links
from cartwake.bundles import Topic
from cartwake.gateways.secrets import link_secrets
from cartwake.statements import Channel
from cartwake.store import addresses, events
from functions.serve_page import app

TOPICS = {"sale": Topic(name="Sale", text="When prices fall."), "news": Topic(name="New arrivals " * 6)}
PAGES = ("unsubscribe", "preferences", "confirm", "export", "erase", "bad", "old")
each_page = pytest.mark.parametrize("name", PAGES)


@dataclass(frozen=True, slots=True)
class Site:
    """The shop, and the address under which its pages are served."""

    shop: Shop
    base: str

    def url(self, name: str) -> str:
        """Return the address of a page of user 1."""
        key, now = self.shop.profile("u#1").address_keys[Channel.EMAIL], self.shop.now
        target, keys = ("u#1", "m1", key, Channel.EMAIL), link_secrets()
        makers: dict[str, Callable[[], str]] = {
            "unsubscribe": lambda: links.unsubscribe_url(self.base, links.Unsubscribe(*target), keys),
            "preferences": lambda: links.preferences_url(self.base, links.Preferences(*target), keys),
            "confirm": lambda: links.confirm_url(self.base, links.Confirm("u#1", key, Channel.EMAIL, now), keys),
            "export": lambda: links.export_url(self.base, links.Export(*target, now), keys),
            "erase": lambda: links.erase_url(self.base, links.Erase(*target, now), keys),
            "old": lambda: links.erase_url(self.base, links.Erase(*target, 0), keys),
            "bad": lambda: f"{self.base}/preferences/x",
        }
        return makers[name]()


@contextmanager
def serve() -> Iterator[str]:
    """Serve the handler as the HTTP API would, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            http = {"method": self.command}
            token = {"token": self.path.rpartition("/")[2]}
            answer = app.handler(
                {
                    "rawPath": self.path,
                    "requestContext": {"http": http},
                    "pathParameters": token,
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "body": body.decode(),
                },
                lambda_context(),
            )
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer["body"].encode())

        do_POST = do_GET  # noqa: N815  the name that the server looks for

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A shop with topics, and a subscriber with a phone."""
    with aws(), pytest.MonkeyPatch.context() as patch, serve() as base:
        rules = a_bundle(journeys={})
        publish(replace(rules, settings=replace(rules.settings, topics=TOPICS)))
        shop = Shop(patch, 1_795_262_400_000)
        patch.setattr(app, "read_clock", lambda: shop.now)
        shop.hear(an_identify(at=shop.now, traits={"email": "ada@example.com", "phone": "+48601777333"}))
        shop.hear(a_subscription(at=shop.now))
        yield Site(shop, base)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with open_page(320, 640) as page:
        yield page


def see(page: Page, site: Site, name: str, *, scripts: bool = False) -> None:
    page.call("Emulation.setScriptExecutionDisabled", value=not scripts)
    page.call("Page.setBypassCSP", enabled=scripts)
    page.open(site.url(name))


def press(page: Page, selector: str) -> None:
    """Click without waiting for frames, which a page without scripts never tells of: nothing moves on these."""
    find = f"document.querySelector({json.dumps(selector)})"
    page.wait(f"!!{find}")
    page.evaluate(f"{find}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    x, y = page.evaluate(f"(b => [b.x + b.width / 2, b.y + b.height / 2])({find}.getBoundingClientRect())")
    for kind in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


@each_page
@pytest.mark.parametrize("width", [320, 1440])
def test_nothing_is_cut_off(page: Page, site: Site, name: str, width: int) -> None:
    """On the narrowest phone and on a desk: no sideways scrolling, and what is pressed is large enough for a thumb."""
    page.resize(width, 900)
    see(page, site, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heights = "[...document.querySelectorAll('button,label,select')].map(it => it.getBoundingClientRect().height)"
    assert [height for height in page.evaluate(heights) if height < 40] == []


@each_page
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(page: Page, site: Site, name: str, scheme: str) -> None:
    """Axe finds nothing against WCAG 2.2 AA and its own best practices, with light and with dark colours."""
    page.resize(400, 900)
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    see(page, site, name, scripts=True)
    page.evaluate((PLACE / "node_modules" / "axe-core" / "axe.min.js").read_text() + ";0")
    found = page.evaluate("axe.run().then(it => JSON.stringify([it.violations, it.incomplete, it.passes.length]))")
    violations, incomplete, passes = json.loads(found)
    told = [(it["id"], [node["html"] for node in it["nodes"]]) for it in violations + incomplete]
    assert told == []
    assert passes > 10


@each_page
def test_pages_load_and_run_nothing(page: Page, site: Site, name: str) -> None:
    """Under their own policy, with scripts on: no script, no request but for the page, nothing blocked, no cookie."""
    page.call("Emulation.setScriptExecutionDisabled", value=False)
    page.call("Page.setBypassCSP", enabled=False)
    page.pipe.events.clear()
    page.open(site.url(name))
    sent = [it["request"]["url"] for it in page.collect("Network.requestWillBeSent")]
    assert [url for url in sent if "favicon" not in url] == [site.url(name)]
    blocked = [it for it in page.collect("Log.entryAdded") if "favicon" not in str(it) and "status of 4" not in str(it)]
    assert blocked == []
    assert page.evaluate("document.scripts.length") == 0
    assert page.evaluate("document.cookie") == ""


def test_a_person_chooses_without_scripts(page: Page, site: Site) -> None:
    """Untick a topic, ask for fewer messages, save: the page says so, and shows it when it is opened again."""
    page.resize(320, 640)
    see(page, site, "preferences")
    press(page, "input[name=topic][value=sale]")
    press(page, "input[name=rest][value='7']")
    press(page, "button[name=save]")
    page.wait("!!document.querySelector('.saved')")
    see(page, site, "preferences")
    assert page.evaluate("document.querySelector('input[value=sale]:not([type=hidden])').checked") is False
    assert page.evaluate("document.querySelector('input[name=rest][value=\"7\"]').checked") is True
    key = site.shop.profile("u#1").address_keys[Channel.EMAIL]
    row = addresses.get_address(key)
    assert (row.choices.refused_topics, row.choices.rest_ms) == (("sale",), 7 * 86_400_000)
    assert row.consent is not None
    assert row.consent.subscribed


def test_a_person_asks_for_erasure_without_scripts(page: Page, site: Site) -> None:
    """From the preference centre by a link to a page that says what follows, and a button there."""
    see(page, site, "preferences")
    press(page, "a[href*=erase]")
    page.wait("document.querySelector('h1')?.textContent === 'Erase your data?'")
    assert not any(event.name == "Erasure Requested" for event in events.list_events("u#1"))
    press(page, "button")
    page.wait("document.querySelector('h1')?.textContent === 'Your request has arrived'")
    assert any(event.name == "Erasure Requested" for event in events.list_events("u#1"))


def test_a_person_confirms_without_scripts(page: Page, site: Site) -> None:
    """One look, one press."""
    see(page, site, "confirm")
    press(page, "button")
    page.wait("document.querySelector('h1')?.textContent === 'You are subscribed'")
