"""The pages that shoppers see."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwake import page_texts
from cartwake.bundles import Shop
from cartwake.pages import View, render_page
from cartwake.statements import OF_SHOPPERS, Channel

SHOP = Shop(name="Fern & Co.", url="https://shop.example.com", postal_address="1 Leaf Street", color="#c2410c")


class Outline(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def outline(html: str) -> list[tuple[str, dict[str, str | None]]]:
    return Outline(html).tags


@pytest.mark.parametrize("view", list(View))
@pytest.mark.parametrize("language", ["en", "de", "pl"])
@pytest.mark.parametrize("channel", list(OF_SHOPPERS))
def test_pages_stand_alone(view: View, language: str, channel: Channel) -> None:
    """A page is whole, names its language and has one heading; it loads nothing and runs nothing."""
    page = render_page(view, SHOP, language=language, channel=channel)
    tags = outline(page.html)
    assert ("html", {"lang": language}) in tags
    assert [name for name, _ in tags].count("h1") == 1
    assert not {"script", "link", "img", "iframe", "object"} & {name for name, _ in tags}
    assert not any(name.startswith("on") or name in ("src", "style") for _, given in tags for name in given)
    assert "url(" not in page.html
    assert "{" not in re.sub(r"<style>.*</style>", "", page.html, flags=re.DOTALL)


def test_languages_say_the_same() -> None:
    """Every language has every text."""
    keys = [set(texts) for texts in page_texts.TEXTS.values()]
    assert keys == [keys[0]] * 3
    assert set(page_texts.UNNAMED) == set(page_texts.TEXTS)


@pytest.mark.parametrize(
    ("told", "used"), [("pl-PL", "pl"), ("de_AT", "de"), ("DE", "de"), ("uk", "en"), ("", "en"), ("en-GB", "en")]
)
def test_any_language_tag_is_understood(told: str, used: str) -> None:
    """A region changes nothing, and a language we have no texts in becomes English."""
    page = render_page(View.ASK, SHOP, language=told)
    assert ("html", {"lang": used}) in outline(page.html)
    assert page.headers["Content-Language"] == used


def test_asking_has_one_button_that_posts_to_the_same_address() -> None:
    """The form carries no token of its own, so the address is the only place it stands in."""
    tags = outline(render_page(View.ASK, SHOP).html)
    assert [given for name, given in tags if name == "form"] == [{"method": "post"}]
    assert [name for name, _ in tags].count("button") == 1
    for view in (View.DONE, View.BAD_LINK, View.FAILED):
        assert "form" not in [name for name, _ in outline(render_page(view, SHOP).html)]


@pytest.mark.parametrize("view", list(View))
def test_headers_forbid_everything_else(view: View) -> None:
    """Only this very style sheet is permitted; nobody frames, stores, indexes or learns the address of the page."""
    page = render_page(view, SHOP)
    style = re.search(r"<style>(.*)</style>", page.html, re.DOTALL)
    assert style is not None
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    policy = page.headers["Content-Security-Policy"].split("; ")
    assert set(policy) == {
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    }
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "Set-Cookie" not in page.headers


@given(
    st.builds(
        Shop,
        name=st.sampled_from(["<script>alert(1)</script>", '"><img src=x>', "{texts}", "{0}", "%s", "", "Żółw"]),
        url=st.sampled_from(["javascript:alert(1)", 'https://x"onclick="y', "", "data:text/html,x"]),
        postal_address=st.sampled_from(["</footer><script>", "{style}"]),
        color=st.sampled_from(
            ["red;}body{display:none", "</style><script>", "#12345", "#1234567", "#ggg000", "#c2410c\n"]
        ),
    ),
    st.sampled_from(View),
)
def test_what_marketers_write_stays_text(shop: Shop, view: View) -> None:
    """Name, address and colour can neither add a tag nor a rule to the page."""
    page = render_page(view, shop)
    tags = outline(page.html)
    assert not {"script", "img"} & {name for name, _ in tags}
    assert not any(name.startswith("on") for _, given in tags for name in given)
    assert not any(str(given.get("href", "https:")).startswith(("javascript", "data")) for _, given in tags)
    assert "--accent:#1f2937;" in page.html


def luminance(color: str) -> float:
    shares = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_the_button_can_be_read_in_any_colour(color: str) -> None:
    """Whatever colour a shop has, its button keeps the contrast that WCAG AA asks for."""
    html = render_page(View.ASK, Shop(name="x", color=color)).html
    found: Any = re.search(r"--accent:(#\w{6});--ink:(#\w{6})", html)
    bright, dark = sorted((luminance(found[1]), luminance(found[2])), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5
