"""Links that lead by way of our own endpoint: which are rewritten, where they lead, and who followed them."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from builders import NOON, a_bundle
from hypothesis import given
from hypothesis import strategies as st

from cartwake.choices import Choices, may_track
from cartwake.feedback.clicks import JUDGE_AFTER_SECONDS, Touch, judge, note_touch, read_touch, tell, to_body
from cartwake.links import Click, Visit, read_visit
from cartwake.messages import Message
from cartwake.sending.rewriting import MOST_LINKS, rewrite
from cartwake.serving import clicks as serving
from cartwake.serving.clicks import introduce, tag
from cartwake.statements import Channel
from cartwake.times import DAY, MINUTE, SECOND

KEYS = [b"a secret of the shop, not that short"]
OWN = "https://api.example/c"
BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15"
SETTINGS = a_bundle().settings
LINK = Click("u#1", "m", 1, "https://shop.example.com/shoes", NOON, "cart")
MESSAGE = Message(
    who="u#1",
    id="m",
    run="r",
    journey="cart",
    path="1",
    channel=Channel.EMAIL,
    kind="marketing",
    template="t",
    planned_at=NOON,
    not_after=NOON + DAY,
    provider_id="p",
)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "link_secrets", lambda: KEYS)


def make(number: int, to: str) -> str:
    return f"{OWN}/r/{number}-{urlsplit(to).path.strip('/')}"


@pytest.mark.parametrize(
    ("anchor", "rewritten"),
    [
        ('<a href="https://x.example/a?b=1&amp;c=2">', '<a href="https://api.example/c/r/1-a" ses:no-track>'),
        ("<a class='k' href='http://x.example/a' style='x'>", True),
        ('<A HREF="https://x.example/a">', True),
        ('<a href="mailto:shop@example.com">', False),
        ('<a href="tel:+48601777333">', False),
        ('<a href="#top">', False),
        ('<a href="javascript:alert(1)">', False),
        ('<a href="https://api.example/c/unsubscribe/x">', False),
        ('<a href="https://x.example/a" ses:no-track>', False),
        ('<link href="https://x.example/a">', False),
        ('<img src="https://x.example/a">', False),
    ],
)
def test_which_links_are_rewritten(anchor: str, rewritten: Any) -> None:
    """Those that lead to a page, unless it is one of ours or is marked; SES leaves alone what was."""
    html = rewrite(f"<body>{anchor}go</a></body>", make, own=OWN)
    if isinstance(rewritten, str):
        assert rewritten in html
    assert (f"{OWN}/r/1-a" in html) == bool(rewritten)
    assert (anchor in html) == (not rewritten)
    assert html.count("ses:no-track") == (2 if rewritten else anchor.count("ses:no-track"))


def test_one_link_is_seen_by_no_reader() -> None:
    """It stands at the end, and only in a mail that has others."""
    html = rewrite('<body><a href="https://x.example/a">go</a></body>', make, own=OWN)
    hidden = '<a href="https://api.example/c/r/0-c" ses:no-track style="display:none" aria-hidden="true" tabindex="-1">'
    assert html.endswith(f"{hidden}</a></body>")
    assert rewrite("<body>text</body>", make, own=OWN) == "<body>text</body>"


def test_a_link_that_cannot_be_made_leads_where_it_led() -> None:
    """Nothing is lost with an address that is too long for a token, or the fifty-first."""
    html = '<a href="https://x.example/a">go</a>'
    assert html in rewrite(html, lambda *_: "", own=OWN)
    many = rewrite(html * (MOST_LINKS + 2), make, own=OWN)
    assert many.count('href="https://x.example/a"') == 2


@pytest.mark.parametrize(
    ("rule", "chosen", "may"),
    [
        ("always", None, True), ("always", False, False), ("always", True, True),
        ("consented", None, False), ("consented", False, False), ("consented", True, True),
        ("never", None, False), ("never", False, False), ("never", True, False),
    ],
)  # fmt: skip
def test_whose_clicks_are_seen(rule: str, chosen: bool | None, may: bool) -> None:
    """A no always counts; where the shop asks for consent, only a yes does."""
    assert may_track(Choices(tracked=chosen), rule) is may


def test_shops_that_say_nothing_track_nobody_who_did_not_allow_it() -> None:
    """Parts of the EU ask for consent, so that is what holds where settings.json is silent."""
    assert SETTINGS.tracking == "consented"
    assert not may_track(Choices(), SETTINGS.tracking)


@pytest.mark.parametrize(
    ("to", "tags"),
    [
        ("https://shop.example.com/", {"utm_source": "cartwake", "utm_medium": "email", "utm_campaign": "cart"}),
        ("https://shop.example.com/?utm_source=x", {"utm_source": "x", "utm_medium": "email", "utm_campaign": "cart"}),
        ("https://shop.example.com/?utm_source=#f", {"utm_medium": "email", "utm_campaign": "cart"}),
        ("https://www.shop.example.com/?a=%20b", {"a": " b", "utm_source": "cartwake"}),
        ("https://elsewhere.example/?a=b", {"a": "b"}),
        ("https://evil-shop.example.com.evil.example/", {}),
    ],
)
def test_links_to_the_shop_are_tagged(to: str, tags: dict[str, str]) -> None:
    """What a link says already stays, and other people's addresses are left alone."""
    led = tag(msgspec.structs.replace(LINK, to=to), SETTINGS)
    told = parse_qs(urlsplit(led).query, keep_blank_values=True)
    assert {len(values) for values in told.values()} <= {1}
    found = {name: values[0] for name, values in told.items()}
    assert tags.items() <= found.items()
    assert urlsplit(led)._replace(query="") == urlsplit(to)._replace(query="")
    if "elsewhere" in to or "evil" in to:
        assert led == to


def test_a_shop_beyond_ascii_is_known_however_it_is_written() -> None:
    """A link that a marketer wrote as people do leads to the shop as its address is kept."""
    shop = msgspec.structs.replace(SETTINGS.shop, url="https://xn--w-uga1v8h.example")
    settings = msgspec.structs.replace(SETTINGS, shop=shop)
    for to in ("https://żółw.example/buty", "https://xn--w-uga1v8h.example/buty"):
        link = msgspec.structs.replace(LINK, to=to)
        assert tag(link, settings).startswith("https://xn--w-uga1v8h.example/buty?utm_source=")
        assert "cw=" in introduce(to, link, shop, now=NOON)
    elsewhere = msgspec.structs.replace(LINK, to="https://żaba.example/buty")
    assert tag(elsewhere, settings) == elsewhere.to


def test_tags_can_be_others() -> None:
    """As settings.json has them."""
    led = tag(LINK, msgspec.structs.replace(SETTINGS, utm={"utm_source": "a b", "utm_campaign": "c"}))
    assert led == "https://shop.example.com/shoes?utm_source=a+b&utm_medium=email&utm_campaign=c"


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("https://shop.example.com/a?b=%20c#f", True),
        ("https://shop.example.com", True),
        ("https://SHOP.example.com/", True),
        ("https://www.shop.example.com/", True),
        ("https://pay.example/", True),
        ("https://login@shop.example.com/", False),
        ("http://shop.example.com/", False),
        ("https://shop.example.com:8443/", False),
        ("https://shop.example.com:99999/", False),
        ("https://blog.shop.example.com/", False),
        ("https://www.pay.example/", False),
        ("https://example.com/", False),
        ("https://shop.example.com.evil.example/", False),
        ("https://shop.example.com@evil.example/", False),
        ("https://evil.example/https://shop.example.com/", False),
        ("https://evil.example\\@shop.example.com/", False),
        ("https://[shop.example.com/", False),
        ("//shop.example.com/", False),
    ],
)
def test_who_comes_is_told_to_the_shops_own_hosts(to: str, told: bool) -> None:
    """To those that settings.json names, over TLS, and to none that only looks like one or lies below one."""
    shop = msgspec.structs.replace(SETTINGS.shop, hosts=("pay.example",))
    led = introduce(to, LINK, shop, now=NOON)
    if not told:
        assert led == to
        return
    query = parse_qs(urlsplit(led).query)
    assert read_visit(query.pop("cw")[0], KEYS, now=NOON) == Visit("u#1", "m", NOON)
    assert query == parse_qs(urlsplit(to).query)
    assert urlsplit(led)._replace(query="") == urlsplit(to)._replace(query="")


def test_a_page_that_uses_the_parameter_itself_keeps_it() -> None:
    """It would not know which one is meant; and where a shop has no address, nobody is told."""
    to = "https://shop.example.com/weeks?cw=47"
    assert introduce(to, LINK, SETTINGS.shop, now=NOON) == to
    nowhere = msgspec.structs.replace(SETTINGS.shop, url="")
    assert introduce(LINK.to, LINK, nowhere, now=NOON) == LINK.to


def test_a_shop_without_tls_is_told_as_it_is() -> None:
    """So that a shop on one's own machine can be tried."""
    local = msgspec.structs.replace(SETTINGS.shop, url="http://localhost:8000")
    assert "?cw=" in introduce("http://localhost:8000/a", LINK, local, now=NOON)
    assert "cw=" not in introduce("http://localhost:9000/a", LINK, local, now=NOON)


def touched(*clicks: tuple[int, int], method: str = "GET", agent: str = BROWSER) -> list[bool]:
    """Return of each click whether it was a machine's; each is a link's number and the seconds after noon."""
    told = [
        tell(msgspec.structs.replace(LINK, number=number), now=NOON + at * SECOND, method=method, user_agent=agent)
        for number, at in clicks
    ]

    def look(final: Touch) -> bool:
        message = MESSAGE
        for noted, _ in told:
            if noted.at <= final.at + JUDGE_AFTER_SECONDS * SECOND:
                message = note_touch(message, noted)
        return judge(message, final).bot

    return [look(final) for _, final in told]


@pytest.mark.parametrize(
    ("clicks", "bots"),
    [
        ([(1, 0)], [False]),
        ([(1, 0), (2, 5)], [False, False]),
        ([(1, 0), (2, 1), (3, 2)], [True] * 3),
        ([(1, 0), (2, 11), (3, 22)], [False] * 3),
        ([(1, 0), (0, 4)], [True, True]),
        ([(1, 0), (0, 11)], [False, True]),
        ([(1, 0), (2, 0), (3, 0), (2, 3_600)], [True, True, True, False]),
    ],
)
def test_who_follows_all_links_is_nobody(clicks: list[tuple[int, int]], bots: list[bool]) -> None:
    """Three links within ten seconds, or the one that no reader sees; whoever comes an hour later is a person again."""
    assert touched(*clicks) == bots


@pytest.mark.parametrize(
    ("method", "agent"), [("HEAD", BROWSER), ("GET", ""), ("GET", "Mozilla/5.0 (compatible; bingbot/2.0)")]
)
def test_machines_are_known_by_themselves(method: str, agent: str) -> None:
    """By the method, by saying nothing, or by their name."""
    assert touched((1, 0), method=method, agent=agent) == [True]


def test_what_was_told_is_read_back() -> None:
    """Through the queue, which SES's own feedback shares."""
    noted, final = tell(LINK, now=NOON, method="GET", user_agent=BROWSER)
    for touch in (noted, final):
        assert read_touch(msgspec.json.encode(to_body(touch)).decode()) == touch
    assert read_touch('{"eventType": "Click", "mail": {}}') is None
    assert read_touch("no JSON") is None


@given(st.integers(0, 10 * MINUTE))
def test_a_click_is_never_before_its_message(after: int) -> None:
    """Clicks count by the minute; one in the very minute of the sending counts from the sending."""
    _, final = tell(LINK, now=NOON + after, method="GET", user_agent=BROWSER)
    assert NOON <= judge(MESSAGE, final).at <= NOON + after
