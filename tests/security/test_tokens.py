"""Signed tokens: nobody makes one, changes one, or uses one for what it is not for; and a look changes nothing."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import product
from string import ascii_letters, digits
from typing import Any, Final

import pytest
from builders import NOON
from itsdangerous import Signer, TimestampSigner, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode
from shoppers import Shop
from world import client

from cartwake import links, tokens
from cartwake.addresses import Address
from cartwake.gateways.secrets import address_secret, derive_secret, link_secrets, renew
from cartwake.links import (
    Click,
    Confirm,
    Erase,
    Export,
    Preferences,
    Unsubscribe,
    Visit,
    read_unsubscribe,
    unsubscribe_url,
)
from cartwake.settings import require
from cartwake.statements import Channel, Consent
from cartwake.store import addresses
from cartwake.times import DAY, MINUTE, SECOND
from cartwake_cli import keys
from tests.security.api import Api, list_routes
from tests.security.front import WHO, Front, scan

KEYS: Final = [b"a secret of the shop, not that short"]
LINK: Final = Unsubscribe("u#ewa", "m2k4x7w5q3vztjhy6bnsad4e2i", "email#" + "0f" * 20, Channel.EMAIL)
OTHER: Final = Unsubscribe("u#ole", "m7c2x7w5q3vztjhy6bnsad4e2i", "email#" + "1e" * 20, Channel.EMAIL)
ALPHABET: Final = ascii_letters + digits + "-_"
STORES: Final = ("events", "profiles", "runs", "slots", "messages", "addresses", "counts", "identities", "quarantine")


@dataclass(frozen=True, slots=True)
class Purpose:
    """What tokens are made for: how one is made of a link, and read; `of` says what it holds of the shopper's."""

    name: str
    of: Callable[[Unsubscribe], Any]
    make: Callable[[Any, list[bytes]], str]
    read: Callable[[str, list[bytes]], Any]

    def token(self, link: Unsubscribe, keys: list[bytes] = KEYS) -> str:
        return self.make(self.of(link), keys).rpartition("/")[2]


def of_page(name: str, of: Callable[[Unsubscribe], Any], *, expires: bool = False) -> Purpose:
    """Return the purpose of a page's address; what expires is read at the instant at which it was made."""
    maker, reader = getattr(links, f"{name}_url"), getattr(links, f"read_{name}")
    read = partial(reader, now=NOON) if expires else reader
    return Purpose(name, of, lambda link, keys: str(maker("https://x", link, keys)), read)


def request(kind: type[Export]) -> Callable[[Unsubscribe], Export]:
    return lambda it: kind(it.who, it.message, it.address_key, it.channel, NOON)


PURPOSES: Final = [
    of_page("unsubscribe", lambda it: it),
    of_page("preferences", lambda it: Preferences(it.who, it.message, it.address_key, it.channel)),
    of_page("confirm", lambda it: Confirm(it.who, it.address_key, it.channel, NOON), expires=True),
    of_page("export", request(Export), expires=True),
    of_page("erase", request(Erase), expires=True),
    of_page("click", lambda it: Click(it.who, it.message, 3, "https://shop.example/shoes?a=b", NOON)),
    Purpose(
        "visit",
        lambda it: Visit(it.who, it.message, NOON),
        links.visit_token,
        lambda token, keys: links.read_visit(token, keys, now=NOON),
    ),
]
each_purpose = pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.name)


def test_every_purpose_is_tried() -> None:
    """A new kind of link comes here, to be tampered with, swapped and replayed like the others."""
    makers = {name.rpartition("_")[0] for name in vars(links) if name.endswith(("_url", "_token")) and name[0] != "_"}
    readers = {name.removeprefix("read_") for name in vars(links) if name.startswith("read_")}
    assert makers == readers == {purpose.name for purpose in PURPOSES} == set(tokens.Purpose)


@pytest.mark.parametrize(
    ("name", "lasts"),
    [
        ("confirm", links.CONFIRM_WITHIN_MS),
        ("export", links.REQUEST_WITHIN_MS),
        ("erase", links.REQUEST_WITHIN_MS),
        ("visit", links.VISIT_WITHIN_MS),
    ],
)
def test_what_expires_is_good_until_then(name: str, lasts: int) -> None:
    """To the millisecond; and the time is signed with the rest."""
    (purpose,) = [it for it in PURPOSES if it.name == name]
    read = getattr(links, f"read_{name}")
    assert read(purpose.token(LINK), KEYS, now=NOON + lasts - 1) == purpose.of(LINK)
    assert read(purpose.token(LINK), KEYS, now=NOON + lasts) is None


# ---- tampered


@each_purpose
def test_every_character_matters(purpose: Purpose) -> None:
    """Each character of a token replaced by each other one, left out, doubled, or with one before it: no token."""
    token = purpose.token(LINK)
    assert purpose.read(token, KEYS) == purpose.of(LINK)
    for at, other in product(range(len(token)), ALPHABET + ".=~ \n"):
        changed = token[:at] + other + token[at + 1 :]
        assert changed == token or purpose.read(changed, KEYS) is None, (at, other)
        assert purpose.read(token[:at] + other + token[at:], KEYS) is None
    for at in range(len(token)):
        assert purpose.read(token[:at] + token[at + 1 :], KEYS) is None
        assert purpose.read(token[:at], KEYS) is None
        assert purpose.read(token[at + 1 :], KEYS) is None
        assert purpose.read(token[: at + 1] + token[at:], KEYS) is None


@each_purpose
def test_every_bit_of_payload_and_signature_matters(purpose: Purpose) -> None:
    """Each bit turned, in what is signed and in the signature: no token."""
    payload, _, signature = purpose.token(LINK).rpartition(".")
    for part, rest in ((payload, f"{{}}.{signature}"), (signature, f"{payload}.{{}}")):
        content = base64_decode(part)
        for bit in range(len(content) * 8):
            turned = bytearray(content)
            turned[bit // 8] ^= 1 << bit % 8
            assert purpose.read(rest.format(base64_encode(bytes(turned)).decode()), KEYS) is None


@each_purpose
def test_segments_of_two_tokens_make_none(purpose: Purpose) -> None:
    """Parts of good tokens put together anew, doubled, without one, or in another order: no token."""
    (one, _, one_signed), (two, _, two_signed) = (purpose.token(link).rpartition(".") for link in (LINK, OTHER))
    parts = [one, two, one_signed, two_signed, ""]
    made = {f"{left}.{right}" for left, right in product(parts, repeat=2)}
    made |= {f"{left}.{middle}.{right}" for left, middle, right in product(parts, repeat=3)}
    good = {purpose.token(LINK), purpose.token(OTHER)}
    assert len(made - good) > 100
    assert [token for token in made if purpose.read(token, KEYS) is not None and token not in good] == []


# ---- from another key


@each_purpose
def test_another_key_signs_nothing(purpose: Purpose) -> None:
    """A token of another shop, of a key that was taken away, or of a key for something else stands for nothing here."""
    others = [b"", KEYS[0][:-1], KEYS[0] + b"x", KEYS[0].upper(), derive_secret("a-test-root", "addresses")]
    for key in others:
        assert purpose.read(purpose.token(LINK, [key]), KEYS) is None
    old, new = [b"the old key of the shop, long enough"], [b"the new key of the shop, long enough"]
    assert purpose.read(purpose.token(LINK, old), new + old) == purpose.of(LINK)
    assert purpose.read(purpose.token(LINK, old), new) is None


def test_the_stacks_keys_are_one_for_each_purpose(front: Front) -> None:
    """The root signs nothing itself, and whoever learned the key of the addresses could sign no link."""
    signing, hashing = link_secrets(), address_secret()
    assert hashing not in signing
    assert b"a-test-root" not in [*signing, hashing]
    for key in (hashing, b"a-test-root"):
        forged = unsubscribe_url("https://x", LINK, [key]).rpartition("/")[2]
        assert read_unsubscribe(forged, signing) is None


def rotate() -> None:
    keys.rotate_links(client("secretsmanager"), require("SECRET_ARN"))


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.name)
def test_rotating_leaves_all_links_good(front: Front, purpose: Purpose) -> None:
    """What was signed by any of the keys is read; what is signed from now on is of the newest alone."""
    signed = [purpose.token(LINK, link_secrets())]
    for _ in range(3):
        rotate()
        assert renew(front.shop.now + DAY * len(signed), after_ms=DAY)
        signed.append(purpose.token(LINK, link_secrets()))
    assert len(set(signed)) == 4
    assert [purpose.read(token, link_secrets()) for token in signed] == [purpose.of(LINK)] * 4
    assert [purpose.read(token, link_secrets()[:1]) for token in signed] == [None] * 3 + [purpose.of(LINK)]


def test_rotating_leaves_addresses_known(front: Front) -> None:
    """The key of the address hashes stays, or every suppression would be forgotten."""
    before = address_secret()
    rotate()
    assert renew(front.shop.now + DAY, after_ms=DAY)
    assert address_secret() == before


def test_a_link_of_a_key_that_is_new_is_read_at_once(two: Front) -> None:
    """A process that runs since before a rotation looks for the new key when it meets it, at most once a minute."""
    two.ask("GET", token_of(LINK))
    rotate()
    assert two.ask("GET", newest_token())["statusCode"] == 200
    rotate()
    assert two.ask("GET", newest_token())["statusCode"] == 404
    two.shop.now += MINUTE
    assert two.ask("GET", newest_token())["statusCode"] == 200
    assert two.ask("GET", token_of(LINK))["statusCode"] == 200


def newest_token() -> str:
    """Return a token as a process signs it that has read the secret just now."""
    stored = client("secretsmanager").get_secret_value(SecretId=require("SECRET_ARN"))["SecretString"]
    return PURPOSES[0].token(LINK, [derive_secret(json.loads(stored)["links"][0], "links")])


# ---- swapped between purposes


@each_purpose
def test_what_was_signed_for_something_else_is_none(purpose: Purpose) -> None:
    """The very payload signed with the very key, for another purpose or by another scheme, is no token."""
    payload = purpose.token(LINK).rpartition(".")[0]
    names = {other.name for other in PURPOSES} | {"preferences", "confirm", "click", "form", "unsubscribe "}
    salts = [f"cartwake.{name}" for name in names - {purpose.name}]
    salts += ["cartwake.", "unsubscribe", "itsdangerous.Signer"]
    for salt, derivation in product(salts, ("hmac", "django-concat", "concat", "none")):
        signed = Signer(KEYS, salt=salt, key_derivation=derivation, digest_method=sha256).sign(payload).decode()
        assert purpose.read(signed, KEYS) is None, salt
    right = f"cartwake.{purpose.name}"
    assert purpose.read(Signer(KEYS, salt=right, key_derivation="hmac").sign(payload).decode(), KEYS) is None  # SHA-1
    assert purpose.read(TimestampSigner(KEYS, salt=right).sign(payload).decode(), KEYS) is None
    assert purpose.read(str(URLSafeSerializer(KEYS, salt=right).dumps(["u#ewa"])), KEYS) is None


@each_purpose
def test_a_token_of_one_purpose_serves_no_other(purpose: Purpose) -> None:
    """Each reader refuses what each other maker made, though some hold the very same."""
    for other in PURPOSES:
        assert (purpose.read(other.token(LINK), KEYS) is not None) == (other is purpose)


# ---- replayed, and used on others


@pytest.fixture
def two(front: Front) -> Front:
    """A shop with two subscribers."""
    for link in (LINK, OTHER):
        assert addresses.put_address(Address(key=link.address_key, consent=Consent(True, NOON - DAY, 1, "checkout")))
    return front


def token_of(link: Unsubscribe) -> str:
    return PURPOSES[0].token(link, link_secrets())


def snapshot() -> dict[str, list[Any]]:
    return {table: sorted(scan(table), key=str) for table in STORES}


def test_a_replayed_token_changes_nothing_more(two: Front) -> None:
    """Pressed a hundred times in a minute it is one withdrawal; later, by whomever, it withdraws again and no more."""
    first = two.ask("POST", token_of(LINK))
    after = snapshot()
    for _ in range(20):
        two.shop.now += 2 * SECOND
        assert two.ask("POST", token_of(LINK), body="List-Unsubscribe=One-Click") == first
    assert snapshot() == after
    two.shop.now += 365 * DAY
    assert two.ask("POST", token_of(LINK), body="List-Unsubscribe=One-Click") == first
    assert {name for name, rows in snapshot().items() if rows != after[name]} == {"addresses", "events"}
    assert len(snapshot()["events"]) == 2


def test_a_token_touches_nobody_else(two: Front) -> None:
    """One shopper's link changes one address row, and adds an event of this shopper."""
    before = snapshot()
    two.ask("POST", token_of(LINK))
    after = snapshot()
    changed = {table for table in STORES if before[table] != after[table]}
    assert changed == {"addresses", "events"}
    assert [row for row in after["addresses"] if row not in before["addresses"]] == [
        row for row in after["addresses"] if row["address"]["S"] == LINK.address_key
    ]
    assert [row["who"]["S"] for row in after["events"]] == [LINK.who]


def test_no_tampered_token_changes_anything(two: Front) -> None:
    """Through the function itself: changed, cut, swapped or foreign, every one is answered 404 and leaves no trace."""
    before = snapshot()
    for token in tampered(token_of(LINK)):
        for method in ("GET", "POST"):
            assert two.ask(method, token, body="List-Unsubscribe=One-Click")["statusCode"] == 404
    assert snapshot() == before


def tampered(token: str) -> Iterator[str]:
    payload, _, signature = token.rpartition(".")
    yield from (
        "",
        ".",
        payload,
        signature,
        f"{signature}.{payload}",
        f"{payload}..{signature}",
        token * 2,
        token[::-1],
    )
    yield from (token.upper(), token.lower(), token + "=", f" {token}", f"{token}\n", f"{token}/", f"{token}?x=1")
    yield f"{token_of(OTHER).rpartition('.')[0]}.{signature}"
    yield from (token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(0, len(token), 9))
    yield PURPOSES[0].token(LINK, KEYS)


# ---- looking changes nothing


def test_no_get_changes_anything(victim: Front) -> None:
    """Whatever a method that only looks asks of any route, with a good token and a server's key: no row changes.

    Link scanners, prefetching browsers and images do so all day. Each route gets a link that would act on a POST.
    """
    link = Unsubscribe(WHO, LINK.message, Shop.profile(WHO).address_keys[Channel.EMAIL], Channel.EMAIL)
    victim.shop.now = NOON
    before, answered = snapshot(), set()
    for path, method in product({route.path for route in list_routes()}, ("GET", "HEAD", "OPTIONS", "TRACE", "BREW")):
        name = {"r": "click"}.get(path.split("/")[1], path.split("/")[1])
        (made,) = [it.token(link, link_secrets()) for it in PURPOSES if it.name == name] or [""]
        for query in ("", "?writeKey=sk_server&userId=u&event=e&batch=%5B%5D", "?List-Unsubscribe=One-Click&save=1"):
            answer = look(method, path, made, query)
            assert answer["statusCode"] < 500
            answered.add((path, method, answer["statusCode"]))
    assert {path for path, method, status in answered if (method, status) == ("GET", 200)} == {
        f"/{name}/{{token}}" for name in ("unsubscribe", "preferences", "confirm", "export", "erase")
    }
    assert {(method, status) for path, method, status in answered if path == "/r/{token}" and status != 404} == {
        ("GET", 302),
        ("HEAD", 302),
    }
    assert snapshot() == before


def look(method: str, path: str, made: str, query: str) -> dict[str, Any]:
    target = path.replace("{token}", made).replace("{kind}", "track")
    return Api.answer(
        {
            "REQUEST_METHOD": method,
            "REQUEST_URI": target + query,
            "PATH_INFO": target,
            "QUERY_STRING": query.removeprefix("?"),
            "HTTP_X_WRITE_KEY": "sk_server",
            "HTTP_X_HTTP_METHOD_OVERRIDE": "POST",
            "wsgi.input": None,
        }
    )
