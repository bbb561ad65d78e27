"""Rules of the starter files: they are good, complete, and say what is generated as it is generated."""

import json
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from builders import an_event
from typer.testing import CliRunner

from cartwake.bundles import Bundle
from cartwake.carts import Cart, Change, fold
from cartwake.events import Trust
from cartwake.journeys import Send, UntilDate
from cartwake.paths import walk_steps
from cartwake.profiles import Register, State
from cartwake.rules.publication import choose
from cartwake.rules.schemas import SCHEMAS, build_schema, build_schemas
from cartwake.segments import View
from cartwake.sending.template_data import gather
from cartwake.sending.templates import render
from cartwake.times import parse_instant, to_datetime
from cartwake.waits import end_at_date
from cartwake_cli.main import app
from cartwake_cli.reference import PAGE, STARTER, write_page

JSON_FILES = sorted(
    path.relative_to(STARTER).as_posix() for path in STARTER.rglob("*.json") if path.parent.name != "schemas"
)
LANGUAGES = ["en", "de", "pl"]
"""The first is the shop's."""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    found = choose(
        {path.relative_to(STARTER).as_posix(): path.read_bytes() for path in STARTER.rglob("*") if path.is_file()}
    )
    assert found.bundle is not None
    assert all(status.state == "live" for status in found.files.values())
    return found.bundle


def test_what_a_shop_starts_with(bundle: Bundle) -> None:
    """There are the segments and journeys that a shop starts with; few are live on its first day."""
    assert {"vip", "engaged", "lapsed"} <= set(bundle.segments)
    files = [path for folder in ("journeys", "campaigns") for path in (STARTER / folder).glob("*.json")]
    assert {path.stem for path in files} == set(bundle.journeys)
    assert {name for name, it in bundle.journeys.items() if it.status == "live"} == {
        "abandoned-cart",
        "abandoned-checkout",
        "confirm-subscription",
        "welcome",
    }
    assert {it.status for it in bundle.journeys.values()} == {"live", "draft"}


def test_every_template_is_sent(bundle: Bundle) -> None:
    """No template lies there that no journey sends, and each journey but a list sends something."""
    sent = {name: set(list_templates(bundle, name)) for name in bundle.journeys}
    assert {name for name, templates in sent.items() if not templates} == {"name-day-list"}
    assert set().union(*sent.values()) == set(bundle.templates)


def list_templates(bundle: Bundle, journey: str) -> list[str]:
    return [step.template for step in walk_steps(bundle.journeys[journey].steps) if isinstance(step, Send)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("traits", "shown"),
    [({}, {}), ({"first_name": "Anna"}, {"image_url": "https://cdn.example/a.png", "variant": "W", "price": "89.90"})],
    ids=["little", "much"],
)
def test_every_template_renders(bundle: Bundle, traits: dict[str, str], shown: dict[str, str], language: str) -> None:
    """Each template, and each translation, says something whole, whatever is known of shopper, event and products."""
    registers = {name: Register(value, 1, 1) for name, value in traits.items()}
    cart = Cart(changes=(Change(1, 1, "p1", 2, {"name": "Sylt Sneaker", **shown}),))
    item = {"name": "Sylt Sneaker", **shown}
    known: dict[str, Any] = {"order_id": "N-1", "revenue": 89.9, "products": [item], "carrier": "DHL", **item}
    event = an_event(properties=known if shown else {})
    services = {
        template
        for name, journey in bundle.journeys.items()
        if journey.kind == "transactional"
        for template in list_templates(bundle, name)
    }
    seen = gather(
        State(traits=registers, cart=cart),
        event=event,
        settings=bundle.settings,
        unsubscribe_url="https://u.example/t",
        coupon={"code": "SYLT-7HK2QX", "expires_at": "2026-12-31T22:59:59Z"} | ({} if shown else {"expires_at": None}),
        language=language,
        more_urls={"preferences_url": "https://u.example/p", "confirm_url": "https://u.example/t"},
    )
    for name, template in bundle.templates.items():
        assert [*template.translations] == LANGUAGES[1:]
        found = render(template.translations.get(language, template), seen, name=name)
        assert ("https://u.example/t" in found.text) is (name not in services)
        assert "{{" not in found.html + found.text + found.subject
        if template.html and not name.startswith("confirm"):
            assert 'href="https://u.example/p"' in found.html
            assert "https://u.example/p" in found.text
        if template.html:
            assert found.subject
            assert f'lang="{language}"' in found.html
            assert 'name="color-scheme"' in found.html
            assert ('href="https://u.example/t"' in found.html) is (name not in services)
            assert bundle.settings.shop.postal_address in found.html
            assert bundle.settings.shop.postal_address in found.text
        if name.startswith("cart"):
            assert "Sylt Sneaker" in found.text


def test_text_of_a_cart_reads_well(bundle: Bundle) -> None:
    """The plain text of the cart's reminder, as somebody without HTML reads it."""
    changes = (
        Change(1, 1, "p1", 2, {"name": "Sylt Sneaker", "variant": "White, 42", "price": "89.90"}),
        Change(2, 2, "p2", 1, {"name": "Hiddensee Boot", "price": "149"}),
    )
    own = {"unsubscribe_url": "https://u", "more_urls": {"preferences_url": "https://p"}}
    seen = gather(State(cart=Cart(changes=changes)), event=None, settings=bundle.settings, **own)
    assert (
        render(bundle.templates["cart-1"], seen).text
        == """\
Nordlicht Shoes: https://www.nordlicht.example

Still thinking it over?

Hi there, you left something in your cart. We have kept it for you, so that you can pick up where you stopped.

Sylt Sneaker: https://www.nordlicht.example
White, 42
Quantity: 2
€179.80

Hiddensee Boot: https://www.nordlicht.example
Quantity: 1
€149.00

Total €328.80

Back to your cart: https://www.nordlicht.example/cart

You get this because you put something in your cart at Nordlicht Shoes and agreed to emails from us.
Preferences: https://p · Unsubscribe: https://u

Nordlicht Shoes GmbH, Hafenstrasse 12, 20457 Hamburg, Germany"""
    )


def test_text_of_a_confirmation_reads_well(bundle: Bundle) -> None:
    """The plain text of the mail that asks for a yes: one link, of which it is plain what it does."""
    seen = gather(State(), event=None, settings=bundle.settings, more_urls={"confirm_url": "https://c"})
    assert (
        render(bundle.templates["confirm-1"], seen).text
        == """\
Nordlicht Shoes: https://www.nordlicht.example

One more step

Somebody, we hope you, asked for emails from Nordlicht Shoes to this address. It was not you? Then do nothing: without \
your yes there will be no newsletters.

If it was you, only your yes is missing, on the page that opens here.

Yes, subscribe me: https://c

The link works for 30 days. You get this because this address was entered at Nordlicht Shoes.

Nordlicht Shoes GmbH, Hafenstrasse 12, 20457 Hamburg, Germany"""
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_sms_fits_one_part(bundle: Bundle, language: str) -> None:
    """The text of an SMS, without the link to unsubscribe, fits into one part; no letter in it needs 16 bits."""
    cart = Cart(changes=(Change(1, 1, "p1", 1, {"name": "A product with a name that is rather long, too long"}),))
    seen = gather(State(cart=cart), event=None, settings=bundle.settings)
    texts = [it for it in bundle.templates.values() if not it.html]
    assert len(texts) >= 2
    for template in texts:
        text = render(template.translations.get(language, template), seen).text
        assert len(text) <= 160
        assert text.isascii()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_shows_a_link_that_a_browser_said(bundle: Bundle, language: str) -> None:
    """Whatever a browser calls its products, brands, orders and money, no template makes a link of it."""
    said = "Claim your refund at https://evil.example/login or evil-shop.example/login"
    names = ("name", "brand", "variant", "category", "currency", "sku", "url", "result", "order_id", "carrier")
    product = dict.fromkeys(names, said) | {"price": 10, "quantity": 2}
    told = product | {"product_id": said, "products": [product], "revenue": 20, "old_price": 12, "stock": 2}
    properties = told | {"tracking_number": said, "tracking_url": said, "image_url": said}
    added = an_event("Product Added", trust=Trust.BROWSER, properties=properties)
    traits = {name: Register(said, 1, 1) for name in ("first_name", "language", "timezone")}
    own = {"preferences_url": "https://u.example/p", "confirm_url": "https://u.example/t"}
    seen = gather(
        State(traits=traits, cart=fold(Cart(), added)),
        event=added,
        settings=bundle.settings,
        unsubscribe_url="https://u.example/t",
        coupon={"code": "SYLT", "expires_at": None},
        language=language,
        more_urls=own,
    )
    shown = set()
    for name, template in bundle.templates.items():
        found = render(template.translations.get(language, template), seen, name=name)
        for output in (found.subject, found.html, found.text):
            assert not re.search(r"evil\.example|evil-shop\.example", output, re.IGNORECASE), name
            shown |= {name} if "Claim your refund" in output else set()
    assert {"cart-1", "viewed-1", "stock-low-1", "back-in-stock-sms"} <= shown


@pytest.mark.parametrize(("zone", "day"), [("Europe/Berlin", "December 24"), ("America/New_York", "December 23")])
def test_the_day_that_is_named_is_the_day_that_is_waited_for(bundle: Bundle, zone: str, day: str) -> None:
    """coming-soon-1 names the day, by the shopper's calendar, on whose morning its journey goes on."""
    properties = {"available_at": "2026-12-24T00:00:00+01:00"}
    trigger = an_event("Launch Awaited", trust=Trust.BROWSER, properties=properties)
    state = State(traits={"timezone": Register(zone, 1, 1)})
    seen = gather(
        state,
        event=trigger,
        settings=bundle.settings,
        unsubscribe_url="https://u",
        more_urls={"preferences_url": "https://p"},
    )
    assert f"on {day}, 2026" in render(bundle.templates["coming-soon-1"], seen).text
    wait = next(step for step in bundle.journeys["coming-soon"].steps if isinstance(step, UntilDate))
    began = parse_instant("2026-12-01T12:00:00Z")
    at = end_at_date(wait, began, View(state, bundle, began), trigger)
    assert at is not None
    assert to_datetime(at).astimezone(ZoneInfo(zone)).strftime("%B %d %H:%M") == f"{day} 10:00"


def test_schemas_are_current() -> None:
    """The schemas beside the starter files are those of the models: run `python -m cartwake_cli.reference`."""
    for name, content in build_schemas().items():
        assert (STARTER / name).read_bytes() == content, name


def test_reference_is_current() -> None:
    """docs/rules.md is what the models say: run `python -m cartwake_cli.reference`."""
    assert PAGE.read_text() == write_page()


@pytest.mark.parametrize("file", JSON_FILES)
def test_schema_reference_resolves(file: str) -> None:
    """Each file names its schema, and an editor that opens the folder finds it."""
    path = STARTER / file
    schema = (path.parent / json.loads(path.read_text())["$schema"]).resolve()
    assert schema.is_file()
    assert schema.parent == (STARTER / "schemas").resolve()


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_field_is_explained(name: str) -> None:
    """Every field of every schema has a description and an example, and no object takes unknown keys."""
    schema = build_schema(SCHEMAS[name])
    for title, kind in {name: schema, **schema["$defs"]}.items():
        if "properties" not in kind:
            continue
        assert kind["additionalProperties"] is False, title
        for key, field in kind["properties"].items():
            described = field if "$ref" not in field else field | schema["$defs"][field["$ref"].rsplit("/", 1)[1]]
            assert described.get("description"), f"{title}.{key}"
            assert field.get("examples"), f"{title}.{key}"


def run_check(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["check", *arguments])
    return found.exit_code, found.output


def test_check_says_good() -> None:
    """`cartwake check` leaves with 0 for the starter files."""
    assert run_check(str(STARTER))[0] == 0


def test_check_says_faults(tmp_path: Path) -> None:
    """`cartwake check --json` leaves with 1 and tells each fault; a part of the files is enough."""
    (tmp_path / "segments").mkdir()
    where = {"did": "Order Completed", "at_leest": 3}
    (tmp_path / "segments" / "vip.json").write_text(json.dumps({"name": "V", "where": where}))
    (tmp_path / "segments" / "fan.json").write_text(json.dumps({"name": "F", "where": {"in_segment": "vip"}}))
    code, output = run_check(str(tmp_path), "--json")
    told: dict[str, Any] = json.loads(output)
    assert code == 1
    assert not told["good"]
    assert [(fault["file"], fault["path"], fault["suggestion"]) for fault in told["faults"]] == [
        ("segments/vip.json", "where.at_leest", "at_least")
    ]


def test_check_takes_a_part(tmp_path: Path) -> None:
    """Journeys alone are good: what stands in folders that are not there is not missed."""
    (tmp_path / "journeys").mkdir()
    for path in (STARTER / "journeys").glob("*.json"):
        (tmp_path / "journeys" / path.name).write_bytes(path.read_bytes())
    assert run_check(str(tmp_path))[0] == 0


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_check_says_unusable(tmp_path: Path, options: list[str]) -> None:
    """`cartwake check` leaves with 2 where there is nothing to check."""
    (tmp_path / "readme.md").write_text("x")
    assert run_check(str(tmp_path), *options)[0] == 2
    assert run_check(str(tmp_path / "nowhere"), *options)[0] == 2
