"""The page's server: what it answers, what it refuses, and what the shop's backend tells with its secret key."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from cartwake_cli.demo import server, shop
from cartwake_cli.demo.visitors import Backend
from cartwake_cli.faults import Fault
from cartwake_cli.local.gateway import Answer, fetch

ME = "11111111-1111-4111-8111-111111111111"
LETTER = "<html><head lang=en><title>x</title></head><body><a href='https://shop.example'>shop</a></body></html>"


@dataclass
class FakeWorld:
    url: str = "http://127.0.0.1:9"
    browser_key: str = "pk_1"
    server_key: str = "sk_1"
    told: list[tuple[str, Any, str]] = field(default_factory=list)

    def post(self, path: str, body: Any, *, key: str) -> Answer:
        self.told.append((path, body, key))
        return Answer(200, {}, b'{"success": true}')


class FakeReader:
    def read_page(self, shoppers: Any, *, fresh: str, waits: Any) -> dict[str, Any]:
        return {"shoppers": [[it.id, it.name, list(it.keys)] for it in shoppers], "fresh": fresh, "waits": waits}

    def read_html(self, message_id: str) -> str | None:
        return LETTER if message_id == "a@b" else None


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
def site(world: FakeWorld) -> Iterator[server.Server]:
    running = server.start()
    backend = Backend(world, shop.load_products(), running.url)  # type: ignore[arg-type]
    look = {"name": "Nordlicht", "address": "nordlicht.example", "color": "#000000"}
    running.site = server.Site(backend, FakeReader(), [], look, {"cart": 8})  # type: ignore[arg-type]
    yield running
    running.close()


def get(site: server.Server, path: str, **headers: str) -> Answer:
    return fetch("GET", site.url + path, headers=headers)


def post(site: server.Server, path: str, body: Any, **headers: str) -> Answer:
    return fetch("POST", site.url + path, body=json.dumps(body).encode(), headers=headers)


def arrive(site: server.Server) -> None:
    assert get(site, f"/api/state?anonymous={ME}").status == 200


@pytest.mark.parametrize("path", ["/", "/cart", "/static/app.js", "/static/style.css", "/static/products/socks.svg"])
def test_the_page_and_its_parts_are_served(site: server.Server, path: str) -> None:
    """Each part comes with a policy under which nothing is loaded from anywhere else."""
    answer = get(site, path)
    assert answer.status == 200
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert answer.body


@pytest.mark.parametrize(
    "path", ["/static/../server.py", "/static/%2e%2e/server.py", "/nothing", "/static/nothing.js", "/inbox/x.html"]
)
def test_what_is_not_there_is_not_found(site: server.Server, path: str) -> None:
    """No path leads out of the folder of the page."""
    assert get(site, path).status == 404


def test_another_name_for_this_machine_is_refused(site: server.Server) -> None:
    """A page elsewhere cannot reach the demo by a name that it points at this machine."""
    assert get(site, "/api/settings", Host="evil.example:80").status == 421


def test_before_there_is_a_stack_it_says_so() -> None:
    """The address is known before the deploy; until then it answers 503."""
    running = server.start()
    assert get(running, "/").status == 503
    running.close()


def test_a_taken_port_is_told() -> None:
    """A port that was asked for and is taken is reported, not shared."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Fault, match="is taken"):
            server.start(taken.getsockname()[1])


def test_the_settings_hold_the_public_key_only(site: server.Server) -> None:
    """The secret key never reaches a browser."""
    settings = get(site, "/api/settings")
    assert settings.json()["browserKey"] == "pk_1"
    assert b"sk_1" not in settings.body


def test_a_letter_is_shown_without_scripts_and_with_links_in_a_new_window(site: server.Server) -> None:
    """The mail is the one that was sent, but for where its links open."""
    letter = get(site, "/inbox/a%40b.html")
    assert "<head lang=en>" + server.LETTER_HEAD in letter.body.decode()
    policy = letter.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy


def test_signing_up_is_asserted_by_the_server(site: server.Server, world: FakeWorld) -> None:
    """Identify and a statement for each channel go out with the secret key, for the visitor's both ids."""
    arrive(site)
    asked = {"anonymousId": ME, "email": " Robin@Example.com ", "firstName": "Robin", "phone": "+1 415 555 0142"}
    said = post(site, "/shop/sign-up", asked).json()
    ((path, body, key),) = world.told
    assert (path, key) == ("/v1/batch", "sk_1")
    assert [call["type"] for call in body["batch"]] == ["identify", "track", "track"]
    assert body["batch"][0]["traits"]["email"] == "robin@example.com"
    assert [call["properties"]["channel"] for call in body["batch"][1:]] == ["email", "sms"]
    assert {(call["userId"], call["anonymousId"]) for call in body["batch"]} == {(said["userId"], ME)}
    assert get(site, f"/api/state?anonymous={ME}").json()["shoppers"] == [
        ["you", "You", [f"u#{said['userId']}", f"a#{ME}"]]
    ]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"anonymousId": ME, "email": "nobody"}, "e-mail"),
        ({"anonymousId": ME, "email": "a@example.com", "phone": "12"}, "country"),
        ({"anonymousId": "other", "email": "a@example.com"}, "visitor"),
        ([], "understand"),
    ],
)
def test_a_bad_sign_up_is_declined(site: server.Server, world: FakeWorld, asked: Any, words: str) -> None:
    """The visitor is told what is wrong, and nothing is asserted."""
    arrive(site)
    answer = post(site, "/shop/sign-up", asked)
    assert answer.status == 400
    assert words in answer.json()["message"]
    assert world.told == []


def test_an_order_has_the_shops_prices(site: server.Server, world: FakeWorld) -> None:
    """What a browser says of prices does not count; products that the shop does not sell are left out."""
    arrive(site)
    lines = [{"product_id": "socks", "quantity": 2, "price": 0}, {"product_id": "moon", "quantity": 1}]
    assert post(site, "/shop/order", {"anonymousId": ME, "lines": lines}).status == 200
    ((_, body, key),) = world.told
    assert key == "sk_1"
    assert body["batch"][0]["event"] == "Order Completed"
    assert body["batch"][0]["properties"]["revenue"] == 38
    assert post(site, "/shop/order", {"anonymousId": ME, "lines": []}).status == 400


def test_a_page_from_elsewhere_cannot_use_the_backend(site: server.Server, world: FakeWorld) -> None:
    """A request with another origin is refused."""
    arrive(site)
    answer = post(site, "/shop/order", {"anonymousId": ME}, Origin="https://evil.example")
    assert answer.status == 404
    assert world.told == []


def test_an_unknown_visitor_is_not_looked_up(site: server.Server) -> None:
    """Only ids that the page draws are taken."""
    assert get(site, "/api/state?anonymous=u%23ada").status == 400


def test_the_stacks_paths_are_handed_on(site: server.Server) -> None:
    """Tracking and unsubscribing go to the stack, here to one that does not answer."""
    assert post(site, "/v1/track", {}).status == 502
    assert get(site, "/unsubscribe/x").status == 502
