"""Signed links."""

from hashlib import sha256
from string import ascii_letters, digits
from typing import Final
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer, URLSafeSerializer
from itsdangerous.encoding import base64_encode
from msgspec import msgpack

from cartwake.links import Unsubscribe, read_unsubscribe, unsubscribe_url
from cartwake.statements import OF_SHOPPERS, Channel
from cartwake.tokens import LONGEST_TOKEN

BASE: Final = "https://abcdefghij.execute-api.ap-southeast-2.amazonaws.com"
LINK: Final = Unsubscribe("u#ewa", "m2k4x7w5q3vztjhy6bnsad4e2i", "email#" + "0f" * 20, Channel.EMAIL)

secrets = st.binary(min_size=32, max_size=32)  # as derived: HMAC takes keys that differ by trailing zeros for one
whos = st.text(st.characters(exclude_categories=["Cs"]), max_size=180).filter(lambda it: len(it.encode()) <= 180)
links = st.builds(
    Unsubscribe,
    who=whos.map("u#".__add__),
    message=st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26),
    address_key=st.text("0123456789abcdef", min_size=40, max_size=40).map("email#".__add__),
    channel=st.sampled_from(OF_SHOPPERS),
)


def token_of(link: Unsubscribe, *keys: bytes) -> str:
    return unsubscribe_url(BASE, link, keys).rpartition("/")[2]


@given(links, secrets)
def test_a_link_reads_back(link: Unsubscribe, secret: bytes) -> None:
    """What a link was made of is what it stands for, and it fits a header and an address as it is."""
    url = unsubscribe_url(BASE, link, [secret])
    token = url.rpartition("/")[2]
    assert read_unsubscribe(token, [secret]) == link
    assert len(url) < 900
    assert len(token) < LONGEST_TOKEN
    assert quote(token, safe="") == token


@given(links, st.lists(secrets, min_size=1, max_size=4, unique=True), secrets)
def test_rotation_keeps_old_links(link: Unsubscribe, old: list[bytes], new: bytes) -> None:
    """A link signed before a rotation stays valid, and new ones are signed by the newest secret alone."""
    assert read_unsubscribe(token_of(link, *old), [new, *old]) == link
    if new not in old:
        assert read_unsubscribe(token_of(link, new, *old), [new]) == link
        assert read_unsubscribe(token_of(link, new, *old), old) is None


@given(st.data(), links)
def test_tampering_is_noticed(data: st.DataObject, link: Unsubscribe) -> None:
    """No change of one character leaves a link valid, not even one that base64 readers overlook."""
    token = token_of(link, b"a secret of the shop")
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_.=!~ %\n\0é"))
    for changed in (token[:at] + other + token[at + 1 :], token[:at] + other + token[at:], token[:at]):
        assert changed == token or read_unsubscribe(changed, [b"a secret of the shop"]) is None


@pytest.mark.parametrize("ending", ["=", "==", "\n", " ", "!", "%0A", "\0", "AAAA"])
def test_a_signature_has_one_spelling(ending: str) -> None:
    """What base64 readers overlook, spare bits and stray characters, makes another token, and that is none."""
    token = token_of(LINK, b"k")
    others = [token[:-1] + last for last in (*ascii_letters, *digits, "-", "_")]
    assert [read_unsubscribe(other, [b"k"]) for other in others if other != token] == [None] * 63
    assert read_unsubscribe(token + ending, [b"k"]) is None
    assert read_unsubscribe(token[:-5] + ending + token[-5:], [b"k"]) is None


def test_what_is_longer_than_any_link_is_not_looked_at() -> None:
    """A request cannot make us compute over an address of any length."""
    endless = Unsubscribe("u#" + "a" * 5_000, LINK.message, LINK.address_key, LINK.channel)
    assert read_unsubscribe(token_of(endless, b"k"), [b"k"]) is None


@given(st.text(max_size=2_000))
def test_garbage_is_no_link(text: str) -> None:
    """Whatever somebody types is answered with None, never with an exception."""
    assert read_unsubscribe(text, [b"a secret of the shop"]) is None


@pytest.mark.parametrize("purpose", ["preferences", "confirm", ""])
def test_a_token_for_another_purpose_is_none(purpose: str) -> None:
    """A token that the same secret signed for something else does not unsubscribe."""
    payload = token_of(LINK, b"k").partition(".")[0]
    signer = Signer([b"k"], salt=f"cartwake.{purpose}", key_derivation="hmac", digest_method="sha256")
    assert read_unsubscribe(signer.sign(payload).decode(), [b"k"]) is None
    assert read_unsubscribe(str(URLSafeSerializer(b"k").dumps(["u#ewa"])), [b"k"]) is None


def test_no_address_inside() -> None:
    """A token names keys: whoever sees it learns no e-mail address."""
    assert base64_encode(b"@").decode() not in token_of(LINK, b"k")
    assert "ewa@example.com" not in str(LINK)


def test_signed_with_sha256() -> None:
    """The signature is SHA-256's: 43 characters, where the library's default has 27."""
    assert len(token_of(LINK, b"k").rpartition(".")[2]) == 43


@given(links, secrets)
def test_an_address_of_our_own_may_end_in_a_slash(link: Unsubscribe, secret: bytes) -> None:
    """The links are the same."""
    assert unsubscribe_url(f"{BASE}/", link, [secret]) == unsubscribe_url(BASE, link, [secret])


@pytest.mark.parametrize("channel", list(OF_SHOPPERS))
def test_links_of_the_first_version_are_read(channel: Channel) -> None:
    """Mails keep their links for years: those that were sent before there were other purposes unsubscribe."""
    made = Unsubscribe("u#ewa", "m2k4x7w5q3vztjhy6bnsad4e2i", f"{channel}#" + "0f" * 20, channel)
    payload = base64_encode(msgpack.encode((made.who, made.message, made.address_key, made.channel)))
    signer = Signer([b"k"], salt="cartwake.unsubscribe", key_derivation="hmac", digest_method=sha256)
    assert read_unsubscribe(signer.sign(payload).decode(), [b"k"]) == made
