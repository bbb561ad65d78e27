"""Rules of templates: what they see, what they may do, and that nothing said by a browser becomes an attack."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwake.bundles import Sender, Settings, Shop, Template
from cartwake.carts import Cart, Change
from cartwake.conditions.dates import read_date
from cartwake.errors import TemplateFailed
from cartwake.events import Event, Trust
from cartwake.marks import Marks
from cartwake.profiles import Register, State
from cartwake.rules.assembly import Flat
from cartwake.rules.expressions import examine
from cartwake.rules.faults import Faulty
from cartwake.rules.mjml import compile_mjml
from cartwake.rules.plain import write_plain
from cartwake.sending.filters import format_money
from cartwake.sending.template_data import SEEN, gather
from cartwake.sending.templates import render
from cartwake.statements import Channel

SETTINGS = Settings(
    shop=Shop(name="Nordlicht", url="https://www.nordlicht.example", postal_address="Street 1, 20457 Hamburg"),
    sender=Sender(email="shop@example.com"),
)


def data(
    *,
    traits: dict[str, Any] | None = None,
    items: list[dict[str, Any]] | None = None,
    event: dict[str, Any] | None = None,
    marks: Marks = Marks(),  # noqa: B008  it cannot be changed
    trust: Trust = Trust.BROWSER,
) -> dict[str, Any]:
    changes = tuple(
        Change(number, number, f"p{number}", int(item.get("quantity", 1)), {name: str(it) for name, it in item.items()})
        for number, item in enumerate(items or [], start=1)
    )
    registers = {name: Register(value, 1, 1) for name, value in (traits or {}).items()}
    happened = Event(
        who="u#1",
        id="1",
        name="Product Added",
        occurred_at=1,
        received_at=1,
        trust=trust,
        properties=event or {},
    )
    state = State(traits=registers, cart=Cart(changes=changes))
    own = "https://api.example/u/token"
    return gather(
        state,
        event=happened,
        settings=SETTINGS,
        marks=marks,
        unsubscribe_url=own,
        more_urls={"preferences_url": own, "confirm_url": own},
    )


def fill(source: str, **given_data: Any) -> str:
    return render(Template(subject="S", html=source), data(**given_data), name="t").html


def fail(source: str, **given_data: Any) -> TemplateFailed:
    with pytest.raises(TemplateFailed) as caught:
        fill(source, **given_data)
    return caught.value


def mail(body: str, *, title: str = "Hi") -> str:
    return (
        f"<mjml><mj-head><mj-title>{title}</mj-title></mj-head>\n<mj-body><mj-section><mj-column>\n"
        f"{body}\n</mj-column></mj-section></mj-body></mjml>"
    )


def compile_fault(source: str) -> str:
    with pytest.raises(Faulty) as caught:
        compile_mjml(Flat.of("templates/a.mjml", source))
    return str(caught.value.faults[0])


def test_cart_items_are_items() -> None:
    """`cart.items[0].name` is the product, and not what dicts call items; so are properties of an event."""
    items = [{"name": "Sylt Sneaker", "price": "89.90", "currency": "EUR", "quantity": 2}]
    assert fill("{{ cart.items[0].name }}", items=items) == "Sylt Sneaker"
    assert fill("{{ cart.total|money(cart.currency) }}", items=items) == "€179.80"
    assert fill("{{ event.items[0].keys }}", event={"items": [{"keys": "k"}]}) == "k"
    assert fill("{{ event.values }} {{ event.copy }}", event={"values": 3, "copy": "x"}) == "3 x"


def test_absent_is_an_error_where_it_is_shown() -> None:
    """An absent, null trait used bare fails the message and names the trait; `default` and `if` know it is absent."""
    assert "first_name" in fail("{{ profile.first_name }}").detail
    assert "first_name" in fail("{{ profile.first_name }}", traits={"first_name": None}).detail
    for empty in ({}, {"first_name": None}, {"first_name": ""}):
        assert fill("{{ profile.first_name|default('there') }}", traits=empty) == "there"
        assert fill("{% if profile.first_name %}yes{% else %}no{% endif %}", traits=empty) == "no"
    assert fill("{% if profile.plan == 'gold' %}yes{% else %}no{% endif %}") == "no"
    assert fill("{{ profile.address.city|default('-') }}") == "-"
    assert "tags" in fail("{% for tag in event.tags %}{{ tag }}{% endfor %}").detail
    fail("{{ cart.items[0].name }}")


def test_absent_compares_as_false() -> None:
    """In an `if` it is neither less nor more than anything, is in nothing and has nothing in it; values compare."""
    for asked in ("profile.x > 3", "profile.x < 3", "3 > profile.x", "event.x >= 0", "event.x <= 0", "2 <= event.x"):
        assert fill(f"{{% if {asked} %}}yes{{% else %}}no{{% endif %}}") == "no"
    for asked in ("'a' in profile.x", "profile.x in ['a']", "profile.x in event.y", "1 < event.x < 3"):
        assert fill(f"{{% if {asked} %}}yes{{% else %}}no{{% endif %}}") == "no"
    assert fill("{% if 'a' not in profile.x %}yes{% endif %}") == "yes"
    assert fill("{% if profile.x > 3 %}yes{% endif %}", traits={"x": 4}) == "yes"
    assert "TypeError" in fail("{% if profile.x > 3 %}yes{% endif %}", traits={"x": "4"}).detail


def test_default_takes_what_jinja_gives_it() -> None:
    """Its second argument, as templates elsewhere have it: true has it stand instead of 0 and of what is empty too."""
    assert fill("{{ profile.x|default('there', true) }}") == "there"
    assert fill("{{ profile.x|default('there', true) }}", traits={"x": 0}) == "there"
    assert fill("{{ profile.x|default('there', false) }}", traits={"x": 0}) == "0"


def test_first_name_is_first_name_however_clients_spell_it() -> None:
    """`firstName` is `first_name` too; addresses are those that a trusted source asserted."""
    assert fill("{{ profile.first_name }}", traits={"firstName": "Anna"}) == "Anna"
    state = State(
        traits={"email": Register("browser@x.example", 1, 1)},
        contacts={Channel.EMAIL: Register("server@x.example", 1, 1)},
    )
    assert gather(state, event=None, settings=SETTINGS)["profile"]["email"] == "server@x.example"


def test_tags_and_scores_are_the_rules_own() -> None:
    """Tags are a list, scores go by their name; a trait of that name, which a browser may have told, is not seen."""
    marks = Marks(("Gold <b>", "vip"), {"high-intent": 49.9999, "engagement": 50.0, "loyalty": None})
    liar = {"tags": ["admin"], "scores": {"engagement": 999}}
    assert fill("{{ profile.tags|join(',') }}", marks=marks, traits=liar) == "Gold &lt;b&gt;,vip"
    assert fill("{{ 'vip' in profile.tags }} {{ 'admin' in profile.tags }}", marks=marks, traits=liar) == "True False"
    assert (
        fill("{{ profile.scores.high_intent }} {{ profile.scores.engagement }}", marks=marks, traits=liar) == "49.99 50"
    )
    assert fill("{% if profile.scores.high_intent >= 50 %}hot{% else %}cool{% endif %}", marks=marks) == "cool"
    assert "loyalty" in fail("{{ profile.scores.loyalty }}", marks=marks).detail
    assert fill("{% for tag in profile.tags %}{{ tag }}{% else %}none{% endfor %}") == "none"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ profile.tags.vip }}", 'A list has no "vip"'),
        ("{% for score in profile.scores %}{{ score }}{% endfor %}", "This is not a list"),
        ("{{ profile.tag() }}", "Nothing can be called"),
    ],
)
def test_tags_and_scores_are_checked_as_other_names_are(source: str, says: str) -> None:
    """What cannot be done with a list, or with all scores at once, is refused when it is published."""
    assert says in examine(source).problems[0].message


def test_the_scores_that_a_text_shows_are_found_with_their_lines() -> None:
    """Which scores there must be is known; of an email, by the lines of its own file."""
    text = "{{ profile.scores.engagement }}\n{% if profile.scores.high_intent %}x{% endif %} {{ profile.first_name }}"
    assert examine(text).scores == {"engagement": 1, "high_intent": 2}
    source = mail("<mj-text>Hi</mj-text>\n<mj-text>{{ profile.scores.engagement|default(0) }}</mj-text>")
    assert compile_mjml(Flat.of("templates/a.mjml", source)).scores == {"engagement": ("templates/a.mjml", "line 4")}


def test_html_is_escaped_and_text_is_not() -> None:
    """What shoppers say is escaped in HTML, also in attributes, and left alone in text."""
    template = Template(subject="{{ profile.x }}", html='<a title="{{ profile.x }}">', text="{{ profile.x }}")
    found = render(template, data(traits={"x": "<b>\"'&"}))
    assert found.html == '<a title="&lt;b&gt;&#34;&#39;&amp;">'
    assert found.text == found.subject == "<b>\"'&"


def test_subject_is_one_line() -> None:
    """Line breaks and control characters cannot make headers; a long subject is cut."""
    template = Template(subject="{{ event.x }}\r\nBcc: a@b.example\x00", html="x")
    assert render(template, data(event={"x": "a\r\nb\u2028c"})).subject == "a b c Bcc: a@b.example"
    assert len(render(Template(subject="{{ event.x }}" * 3, html="x"), data(event={"x": "y" * 400})).subject) == 250
    assert "subject" in fail_subject()


def fail_subject() -> str:
    with pytest.raises(TemplateFailed) as caught:
        render(Template(subject="{{ event.x|default('') }}", html="x"), data())
    return caught.value.detail


@pytest.mark.parametrize(
    "source",
    [
        "{{ cart.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ cart['__class__'] }}",
        "{{ cart.items.append(1) }}",
        "{{ profile.get('x') }}",
        "{{ range(99) }}",
        "{{ lipsum() }}",
        "{{ cycler }}",
        "{{ ()|attr('__class__') }}",
        "{{ [1]|map('string')|list }}",
        "{{ '%0900000000d'|format(1) }}",
        "{{ 'x'|center(500000000) }}",
        "{% for i in '0123456789' * 99999 %}xxxxxxxxxxxxxxxxxxxx{% endfor %}",
    ],
)
def test_nothing_escapes_the_sandbox(source: str) -> None:
    """Attributes, calls, globals and costly filters are refused when published, and fail when rendered."""
    assert examine(source).problems
    fail(source)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ self }}", "self"),
        ("{{ 2 * 3 }}", "*"),
        ("{{ 'a' % 3 }}", "%"),
        ("{{ 2 ** 99 }}", "**"),
        ("{% set x = 1 %}", "set"),
        ("{% macro m() %}{% endmacro %}", "macro"),
        ("{% include 'x' %}", "include"),
        ("{% extends 'x' %}", "extends"),
        ("{% filter upper %}x{% endfilter %}", "filter"),
        ("{% for a, b in cart.items %}{% endfor %}", "one name"),
        ("{% for a in shop.name %}{% endfor %}", "not a list"),
        (
            "{% for a in cart.items %}" * 3 + "{% endfor %}" * 3,
            "2 deep",
        ),
        ("{{ crt.total }}", "cart"),
        ("{{ cart.totl }}", "total"),
        ("{{ cart.items[0].nmae }}", "name"),
        ("{{ cart.items.name }}", "[0]"),
        ("{{ cart['itms'] }}", "items"),
        ("{% for item in cart.items %}{{ item.prise }}{% endfor %}", "price"),
        ("{% for item in cart.items[:3] %}{{ item.prise }}{% endfor %}", "price"),
        ("{{ shop.postal_adress }}", "postal_address"),
        ("{{ cart.total|mony }}", "money"),
        ("{{ x is devisibleby(3) }}", "divis"),
        ("{{ cart.items[event.n] }}", "number"),
        ("{% if %}", "expression"),
        ("{{ shop.name", "expression"),
    ],
)
def test_published_template_uses_only_what_is_there(source: str, says: str) -> None:
    """What is not available, or not among the documented names, is refused with the nearest right one."""
    problems = examine(source).problems
    told = " ".join(f"{problem.message} {problem.suggestion}" for problem in problems)
    assert problems
    assert says in told or says == "divis"


def test_every_documented_name_is_accepted_and_there() -> None:
    """The documented names are those that the check accepts, and those that a template is given."""
    items = [{"name": "N", "price": "1", "url": "https://www.nordlicht.example/n"}]
    seen = data(traits={"name_of_it": "x"}, items=items, event={"name_of_it": 1})
    for name in SEEN:
        path = name.replace("[]", "[0]").replace("*", "name_of_it")
        assert not examine("{{ " + path + "|default('') }}").problems, name
        fill("{{ " + path + "|default('') }}", items=[dict(item) for item in items])
    assert set(seen) == {name.split(".")[0] for name in SEEN}
    assert {f"cart.items[].{key}" for key in seen["cart"]["items"][0]} == {n for n in SEEN if "[]." in n}
    assert {f"shop.{key}" for key in seen["shop"]} == {name for name in SEEN if name.startswith("shop.")}


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/login",
        "javascript:alert(1)",
        "https://nordlicht.example@evil.example/",
        "//evil.example",
        "https://evilnordlicht.example/",
    ],
)
def test_links_lead_to_the_shop(link: str) -> None:
    """The endpoint's key is public: a link that a browser asserted leads to the shop's domain, or to the shop."""
    shown = fill("{{ cart.items[0].url }}", items=[{"name": "N", "url": link}])
    assert shown == "https://www.nordlicht.example"
    assert "evil" not in fill("{{ event.url|default('') }}", event={"url": link})


def test_own_links_and_pictures_pass() -> None:
    """Pages below the shop's domain pass, and pictures from anywhere."""
    for host in ("www.nordlicht.example", "nordlicht.example", "m.nordlicht.example"):
        assert fill("{{ cart.items[0].url }}", items=[{"url": f"https://{host}/p?a=1"}]) == f"https://{host}/p?a=1"
    assert fill("{{ cart.items[0].image_url }}", items=[{"image_url": "https://cdn.example/a.png"}]).startswith(
        "https://cdn"
    )
    assert fill("{{ cart.items[0].image_url|default('-') }}", items=[{"image_url": "data:image/png;base64,"}]) == "-"


@pytest.mark.parametrize(
    "text", ["Win at evil.example/x", "https://evil.example", "www.evil.example now", "javascript:alert(1)"]
)
def test_names_are_no_links(text: str) -> None:
    """A name that is an address is absent: nobody writes links into our mails by calling themselves so."""
    assert fill("{{ profile.first_name|default('there') }}", traits={"first_name": text}) == "there"
    assert "evil.example" not in fill("{{ cart.items[0].name }}", items=[{"name": f"Shoe https://{text}"}])


EVIL = "Claim your refund at https://evil.example/login or evil-shop.example/login, evil\u3002com, a@evil.example, _https://evil.app"
LINKED = re.compile(r"https?:|www\.|[.\u3002](?=[^\W\d_]{2})", re.IGNORECASE)
"""What mail programs and phones make links of."""


@pytest.mark.parametrize(
    "source",
    [
        "{{ cart.total|money(cart.currency) }}",
        "{{ cart.currency }}",
        "{{ cart.items[0].total|money(cart.items[0].currency) }}",
        "{{ cart.items[0].currency|default('none') }}",
        "{{ 10|money(event.currency) }}",
    ],
)
def test_a_currency_is_three_letters(source: str) -> None:
    """What a browser calls a currency and is none is not shown: the shop's stands there."""
    for said in (EVIL, "evil.co", "EURO", "E1R", "\uff25\uff35\uff32"):
        told = {"name": "N", "price": "10", "currency": said}
        assert fill(source, items=[told], event={"currency": said}) in ("€10.00", "EUR", "none")
    assert fill("{{ 10|money('usd') }}") == "$10.00"
    several = [{"price": "1", "currency": EVIL}, {"price": "2", "currency": "PLN"}]
    assert fill("{{ cart.currency }}", items=several) == "PLN"


@pytest.mark.parametrize(
    "shown",
    [
        *(f"event.{name}" for name in ("name", "title", "brand", "variant", "category", "result", "order_id", "note")),
        "event.products[0].name",
        "event.products[0].tags[0]",
        "event.products[0].tags|join(' ')",
        "event.name|upper",
        "profile.plan",
        "profile.email",
        "profile.first_name|default('')",
        *(f"cart.items[0].{name}" for name in ("name", "product_id", "brand", "variant", "category", "sku")),
        "cart.items[1].name",
    ],
)
def test_no_text_of_a_browser_is_a_link(shown: str) -> None:
    """Nothing that a browser said becomes a link: in a subject, in HTML or text, in an SMS or a push message."""
    names = ("name", "title", "brand", "variant", "category", "result", "order_id", "note")
    event = dict.fromkeys(names, EVIL) | {"products": [{"name": EVIL, "tags": [EVIL]}]}
    changes = tuple(
        Change(number, number, EVIL, 1, dict.fromkeys((*names, "sku"), EVIL) | {"name": name})
        for number, name in enumerate((EVIL, "https://x.example"), start=1)
    )
    changes = (changes[0], msgspec.structs.replace(changes[1], product=f"{EVIL}!"))
    seen = data(event=event, traits={"plan": EVIL, "email": EVIL, "first_name": EVIL})
    seen |= {"cart": gather(State(cart=Cart(changes=changes)), event=None, settings=SETTINGS)["cart"]}
    source = f"x {{{{ {shown} }}}}"
    mail = render(Template(subject=source, html=source, text=source), seen)
    push = Template(push=True, subject=source, text=source, link="https://n.example")
    sms = render(Template(text=source), seen).text
    for output in (mail.subject, mail.html, mail.text, sms, render(push, seen).subject, render(push, seen).text):
        assert not LINKED.search(output)
    assert "\u200b" not in sms


def test_what_a_server_says_stays_as_it_is() -> None:
    """Its names of products, carriers and shops may have dots in them; so has the address that it asserted."""
    source = "{{ event.carrier }} {{ event.products[0].name }}"
    said = {"carrier": "parcels.example", "products": [{"name": "v2.Pro"}]}
    for trust in (Trust.SERVER, Trust.OWN):
        seen = data(event=said, trust=trust)
        assert render(Template(subject="S", html=source), seen).html == "parcels.example v2.Pro"


def test_what_was_said_is_compared_and_stands_in_addresses() -> None:
    """A condition sees what was said; so does the page that a link of the template leads to."""
    said = {"plan": "pro.max", "plans": ["pro.max"], "sku": "AB.CD"}
    for condition in ("event.plan == 'pro.max'", "'pro.max' in event.plans", "event.plan in ['pro.max']"):
        assert fill("{% if " + condition + " %}yes{% endif %}", event=said) == "yes"
    link = "{{ shop.url }}/p/{{ event.sku }}?q={{ event.sku|urlencode }}"
    for whole in (Template(subject="S", html=link, text=link), Template(push=True, subject="S", text="x", link=link)):
        found = render(whole, data(event=said))
        outputs = {found.html, found.text} if whole.html else {found.link}
        assert outputs == {"https://www.nordlicht.example/p/AB.CD?q=AB.CD"}
    parts = {"scheme": "https:", "host": "//evil.example/login"}
    assert not re.search(r"evil\.e", fill("{{ event.scheme }}{{ event.host }}", event=parts))


def test_a_shop_beyond_ascii_has_its_pages() -> None:
    """Browsers tell a host in its encoded form, servers perhaps as people write it: both lead to the product."""
    shop = msgspec.structs.replace(SETTINGS.shop, url="https://xn--w-uga1v8h.example")
    settings = msgspec.structs.replace(SETTINGS, shop=shop)
    for host in ("xn--w-uga1v8h.example", "żółw.example", "www.żółw.example:443"):
        cart = Cart(changes=(Change(1, 1, "p", 1, {"url": f"https://{host}/buty/1"}),))
        shown = gather(State(cart=cart), event=None, settings=settings)["cart"]["items"][0]["url"]
        assert shown == f"https://{host.replace('żółw', 'xn--w-uga1v8h')}/buty/1"
    for host in ("żółw.example.evil.example", "żółw-.example", "ż" * 300):
        cart = Cart(changes=(Change(1, 1, "p", 1, {"url": f"https://{host}/"}),))
        shown = gather(State(cart=cart), event=None, settings=settings)["cart"]["items"][0]["url"]
        assert shown == "https://xn--w-uga1v8h.example"


@pytest.mark.parametrize(
    ("said", "berlin", "new_york"),
    [
        ("2026-12-24T00:00:00+01:00", "December 24, 2026", "December 23, 2026"),
        ("2026-11-21T20:00:00-05:00", "November 22, 2026", "November 21, 2026"),
        (1798066800, "December 24, 2026", "December 23, 2026"),
        (1798066800000, "December 24, 2026", "December 23, 2026"),
        ("2026-12-24", "December 24, 2026", "December 24, 2026"),
        ("2026-12-24T00:00:00Z", "December 24, 2026", "December 24, 2026"),
        ("2026-12-24T23:59", "December 24, 2026", "December 24, 2026"),
    ],
)
def test_a_day_is_one_of_the_shoppers_calendar(said: Any, berlin: str, new_york: str) -> None:
    """The day that a message names is the day that waits and conditions go by: the shopper's own, else the shop's."""
    event = {"at": said}
    for zone, day in (("Europe/Berlin", berlin), ("America/New_York", new_york)):
        assert fill("{{ event.at|date }}", event=event, traits={"timezone": zone}) == day
        seen = gather(State(), event=None, settings=msgspec.structs.replace(SETTINGS, timezone=zone))
        seen["event"] = event
        assert render(Template(subject="S", html="{{ event.at|date }}"), seen).html == day
        assert str(read_date(said, ZoneInfo(zone))) == str(
            datetime.strptime(day, "%B %d, %Y").replace(tzinfo=UTC).date()
        )


@pytest.mark.parametrize("said", ["soon", "", True, [1], {"a": 1}, 1e300, "12-24"])
def test_what_is_no_date_is_not_sent(said: Any) -> None:
    """A message that would name a day that there is not fails."""
    fail("{{ event.at|date }}", event={"at": said})


def test_texts_and_lists_are_bounded() -> None:
    """A long text is cut, control characters go, and lists and loops end."""
    assert len(fill("{{ event.x }}", event={"x": "y" * 30_000})) == 500
    assert fill("{{ event.x }}", event={"x": "a\x00\x1b\u202eb\u200b\nc"}) == "ab c"
    many = [[1] * 90] * 90
    assert (
        fill("{% for a in event.x %}{% for b in a %}{{ b }}{% endfor %}{% endfor %}", event={"x": many}) == "1" * 2_500
    )


def test_output_is_bounded() -> None:
    """A mail over 200,000 characters, or an SMS over 1,600, is not sent."""
    body = "{% for a in event.x %}{{ a }}{% endfor %}" * 10
    assert "longer" in fail(body, event={"x": ["y" * 500] * 50}).detail
    with pytest.raises(TemplateFailed):
        render(Template(text="{{ event.x }}" * 4), data(event={"x": "y" * 500}))


def test_failure_tells_no_value() -> None:
    """What is stored of a failure names the template and what is absent, never what a shopper said."""
    for source in ("{{ profile.x + 1 }}", "{{ profile.x|round }}", "{{ profile.x|money }}", "{{ profile.x|date }}"):
        error = fail(source, traits={"x": "secret value"})
        assert "secret" not in str(error)
        assert error.template == "t"


def test_money_and_dates_read_as_people_write_them() -> None:
    """Amounts and dates follow the language of the message, and are never an error for an unknown one."""
    amount = Decimal("1299.9")
    written = {language: format_money(amount, "EUR", language=language) for language in ("en", "de", "pl")}
    assert written == {"en": "€1,299.90", "de": "1.299,90\u00a0€", "pl": "1\u00a0299,90\u00a0€"}
    assert format_money(Decimal(-5), "PLN", language="pl") == "-5,00\u00a0zł"
    assert format_money(Decimal("1299.5"), "JPY", language="en") == "¥1,300"
    assert format_money(Decimal(3), "SEK", language="sv") == "3,00\u00a0kr"
    assert format_money(Decimal("2.345"), "EUR", language="de-AT") == "€\u00a02,35"
    assert format_money(Decimal(3), "", language="de") == "3,00"
    assert format_money(Decimal(3), "EUR", language="tlh") == format_money(Decimal(3), "EUR", language="") == "€3.00"
    assert fill("{{ '12,50'|money('USD') }}") == "$12.50"
    assert fill("{{ event.at|date }}", event={"at": "2026-11-21T19:41:15Z"}) == "November 21, 2026"


def test_plain_text_is_made_of_the_html() -> None:
    """An email without its own text gets one: what is shown, links beside their words, one break for a run of them."""
    source = mail(
        "<mj-text><h1>Hi {{ profile.first_name|default('there') }}</h1><p>One<br />two</p></mj-text>"
        '<mj-table>{% for item in cart.items %}<tr><td><div aria-hidden="true">X</div>{{ item.name }}</td>'
        "<td>{% if item.variant %}<div>{{ item.variant }}</div>{% endif %}</td></tr>{% endfor %}</mj-table>"
        '<mj-button href="{{ shop.url }}/cart">Go</mj-button>'
    )
    template = compile_mjml(Flat.of("templates/a.mjml", source)).template
    items = [{"name": "A", "variant": "red"}, {"name": "B"}]
    assert render(template, data(items=items)).text == (
        "Hi there\n\nOne\ntwo\n\nA\nred\n\nB\n\nGo: https://www.nordlicht.example/cart"
    )


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>You get:</p><ul><li>One</li><li>Two</li></ul><p>Bye</p>", "You get:\n\n- One\n- Two\n\nBye"),
        ("<a href='https://a.example'><img src='x' alt='Boots' /></a>", "Boots: https://a.example"),
        ("<a href='https://a.example'><img src='x' alt='' /></a> Boots", "Boots"),
        ("<a href='mailto:help@a.example'>help@a.example</a>", "help@a.example"),
        ("<a href='tel:+4912'>Call us</a>", "Call us: +4912"),
        ("<p>a</p><hr /><p>b</p>", "a\n\n---\n\nb"),
        ("<table><tr><td>Total</td><td>3</td></tr><tr><td>Tax</td><td>1</td></tr></table>", "Total 3\nTax 1"),
        ("<table><tr><td>A<div>red</div></td><td>3</td></tr><tr><td>Sum</td></tr></table>", "A\nred\n3\n\nSum"),
    ],
)
def test_plain_text_reads_well(html: str, text: str) -> None:
    """Lists have hyphens, pictures their descriptions, rows of several lines a gap, and addresses no scheme."""
    assert render(Template(subject="s", html="x", text=write_plain(html)), data()).text == text


def test_plain_text_leaves_out_what_is_not_shown() -> None:
    """Styles, comments and hidden parts are not text."""
    html = "<head><title>t</title></head><style>a{}</style><!-- c --><div style='display: none'>pre</div><p>A&amp;B</p>"
    assert write_plain(html) == "A&B"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (mail("<mj-buton>x</mj-buton>"), 'mean "mj-button"'),
        (mail("<mj-include path='x' />"), "no <mj-include>"),
        (mail("<mj-text>x"), "</mj-column> stands where <mj-text>"),
        ("<mjml><mj-body>", "never closed"),
        ("<p>Hello</p>", "not MJML"),
        (mail("<mj-text><script>x</script></mj-text>"), "does not belong"),
        (mail("<mj-text><a onclick='x'>y</a></mj-text>"), "does not belong"),
        (mail("<mj-button href='javascript:x'>y</mj-button>"), "does not belong"),
        (mail("<mj-text>{{ shop.nam }}</mj-text>"), "line 3"),
        (mail("<mj-text colour='{{ shop.color }}'>a</mj-text>"), "leaves this out"),
        (mail("<mj-text>{% raw %}{{ x }}{% endraw %}</mj-text>"), "raw"),
    ],
)
def test_wrong_mjml_is_refused(source: str, says: str) -> None:
    """MJML that would lose something, or do more than show, is refused with the place."""
    assert says in compile_fault(source)


def test_expressions_survive_mjml() -> None:
    """Expressions with any sign in them, in text, attributes and the subject, arrive as they were written."""
    expression = '{% if cart.total > 100 and cart.count < 9 %}{{ "<&\'" }}{% endif %}'
    source = mail(f"<mj-text>{expression}</mj-text>", title='{{ shop.name|default("<x>") }}')
    template = compile_mjml(Flat.of("templates/a.mjml", source)).template
    assert expression in template.html
    assert template.subject == '{{ shop.name|default("<x>") }}'


@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_is_said_is_shown_or_fails(said: Any) -> None:
    """Whatever a shopper's client sends, a template is filled or fails; nothing else happens."""
    template = Template(
        subject="{{ profile.x|default('s') }} s",
        html="{{ profile.x|default('-') }}{% if profile.x %}{{ event.name|default('') }}{% endif %}",
        text="{{ event.x|money }}",
    )
    with suppress(TemplateFailed):
        render(template, data(traits={"x": said, "name": said}, event={"x": said, "name": said}))
