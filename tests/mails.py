"""The starter mails in Chromium, at every width, in light and dark; run it to draw the sheets of docs/images."""

import base64
import json
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

from cartwake.bundles import Bundle
from cartwake.carts import Cart, Change
from cartwake.events import Event, Trust
from cartwake.journeys import Send
from cartwake.paths import walk_steps
from cartwake.profiles import State
from cartwake.registers import Register
from cartwake.rules.publication import choose
from cartwake.sending.template_data import gather
from cartwake.sending.templates import render

ROOT: Final = Path(__file__).resolve().parents[1]
STARTER: Final = ROOT / "infra" / "starter"
PICTURE: Final = ROOT / "docs" / "images" / "mails.png"
SHEETS: Final = ROOT / "docs" / "images" / "mails"
PAGE: Final = ROOT / "docs" / "mails.md"
WIDTHS: Final = (320, 600, 1000)
SCHEMES: Final = ("light", "dark")
LANGUAGES: Final = ("en", "de", "pl")
SHOWN: Final = (
    "confirm-1.en", "confirm-1.pl", "welcome-1.en", "welcome-2.en", "cart-1.en", "cart-2.en", "cart-1.de", "cart-2.pl",
)  # fmt: skip
SCALE: Final = 0.4
SHOE: Final = "https://cdn.nordlicht.example/shoe.png"
_DRAWING: Final = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 84 84'><rect width='84' height='84' fill='#d9e4e6'/>"
    "<path d='M14 54V36l10 4 14-8 10 12 22 6q4 2 3 8H16q-2 0-2-4z' fill='#0f4c5c'/>"
    "<path d='M13 60h60' stroke='#fff' stroke-width='4'/></svg>"
)
_DATA: Final = f"data:image/svg+xml;base64,{base64.b64encode(_DRAWING.encode()).decode()}"
CART: Final = (
    {"name": "Sylt Sneaker", "variant": "White, 42", "price": "89.90", "image_url": SHOE},
    {"name": "Hiddensee Boot", "variant": "Cognac, 43", "price": "149"},
)


CODE: Final = {"code": "CART-10-7HK2QX", "expires_at": "2026-12-31T22:59:59Z"}


@cache
def read_starter() -> Bundle:
    files = {path.relative_to(STARTER).as_posix(): path for path in STARTER.rglob("*") if path.is_file()}
    rules = choose({name: path.read_bytes() for name, path in files.items()}).bundle
    assert isinstance(rules, Bundle)
    return rules


def list_sheets() -> dict[str, list[str]]:
    """Return the English mails of each journey; one that several send is on the sheet of the first."""
    rules, shown, sheets = read_starter(), set[str](), dict[str, list[str]]()
    for journey, it in sorted(rules.journeys.items()):
        sent = dict.fromkeys(step.template for step in walk_steps(it.steps) if isinstance(step, Send))
        mails = [name for name in sent if rules.templates[name].html and name not in shown]
        shown.update(mails)
        if mails:
            sheets[journey] = [f"{name}.{LANGUAGES[0]}" for name in mails]
    return sheets


def write_page() -> str:
    """Return the page that shows all sheets."""
    titles = {journey: it.title for journey, it in read_starter().journeys.items()}
    lines = [
        "# The starter mails",
        "",
        "Each mail of the starter journeys and campaigns in English, as Chromium shows it at 320, 600 and 1,000 px, in",
        "light and dark. `python tests/mails.py` draws them.",
    ]
    for journey, mails in list_sheets().items():
        names = ", ".join(f"`{name.removesuffix('.en')}`" for name in mails)
        lines += ["", f"## {titles[journey]}", "", f"{names}", "", f"![{titles[journey]}](images/mails/{journey}.webp)"]
    return "\n".join(lines) + "\n"


def render_mails(items: tuple[dict[str, str], ...] = CART) -> Iterator[tuple[str, str]]:
    """Yield name and HTML of each starter mail in each language."""
    rules = read_starter()
    changes = tuple(Change(number, number, f"p{number}", 2, item) for number, item in enumerate(items, start=1))
    product: dict[str, Any] = {"url": "https://www.nordlicht.example/p/1", "quantity": 2, **items[0]}
    told: dict[str, Any] = {
        "order_id": "N-1001",
        "revenue": "328.80",
        "products": [product, *items[1:]],
        "carrier": "DHL",
    }
    event = Event(
        who="u#1",
        id="1",
        name="x",
        occurred_at=1,
        received_at=1,
        trust=Trust.SERVER,
        properties=product | told | {"tracking_number": "JD014600003SE9"},
    )
    state = State(traits={"first_name": Register("Anna", 1, 1)}, cart=Cart(changes=changes))
    for language in LANGUAGES:
        seen = gather(
            state,
            event=event,
            settings=rules.settings,
            unsubscribe_url="https://u.example/t",
            coupon=CODE,
            language=language,
            more_urls={"preferences_url": "https://u.example/p", "confirm_url": "https://u.example/c"},
        )
        for name, template in rules.templates.items():
            html = render(template.translations.get(language, template), seen).html
            if html:
                yield f"{name}.{language}", html.replace(SHOE, _DATA)


def show(page: Any, html: str, width: int, scheme: str, *, scale: float = 1) -> None:
    """Show a mail as a reader of one width, in light or dark, sees it."""
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.resize(width, 700, scale=scale)
    frame = page.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
    page.call("Page.setDocumentContent", frameId=frame, html=html)
    page.wait("document.readyState === 'complete' && [...document.images].every(it => it.complete)")


def draw(page: Any, shown: Sequence[str], picture: Path) -> None:
    """Draw a contact sheet."""
    mails = dict(render_mails())
    rows = []
    for name in shown:
        cells = []
        for scheme in SCHEMES:
            for width in WIDTHS:
                show(page, mails[name], width, scheme, scale=SCALE)
                height = page.evaluate("document.documentElement.scrollHeight")
                clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
                shot = page.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)["data"]
                cells.append(
                    f"<td><img src='data:image/png;base64,{shot}' style='width:{width * SCALE}px'>"
                    f"<br>{width} px, {scheme}</td>"
                )
        rows.append(f"<tr><th>{escape(name)}</th>{''.join(cells)}</tr>")
    style = (
        "body{margin:16px;background:#c9ccd1;font:13px sans-serif;width:max-content} td{padding:6px;vertical-align:top}"
    )
    style += " th{padding:6px;vertical-align:top;text-align:left} img{display:block;border-radius:4px}"
    sheet = f"<!doctype html><style>{style}</style><table>{''.join(rows)}</table>"
    show(page, sheet, 1000, "light")
    width, height = json.loads(
        page.evaluate("JSON.stringify([document.body.offsetWidth + 32, document.body.offsetHeight + 32])")
    )
    page.resize(width, height)
    form = {"format": "webp", "quality": 70} if picture.suffix == ".webp" else {"format": "png"}
    picture.parent.mkdir(exist_ok=True)
    picture.write_bytes(base64.b64decode(page.call("Page.captureScreenshot", **form)["data"]))


if __name__ == "__main__":
    from browser import open_page

    with open_page() as opened:
        draw(opened, SHOWN, PICTURE)
        for journey, mails in list_sheets().items():
            draw(opened, mails, SHEETS / f"{journey}.webp")
    PAGE.write_text(write_page())
