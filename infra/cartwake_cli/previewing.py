"""Previews: a template filled as it would be sent, for somebody who is stored, or for a sample shopper."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from cartwake.bundles import Bundle
from cartwake.carts import Cart, Change
from cartwake.errors import TemplateFailed
from cartwake.events import Event, Trust
from cartwake.journeys import Journey, Send
from cartwake.marks import Marks, read_marks
from cartwake.paths import walk_steps
from cartwake.profiles import State
from cartwake.registers import Register
from cartwake.rules.faults import find_nearest
from cartwake.sending.locales import translate
from cartwake.sending.template_data import gather
from cartwake.sending.templates import Rendered, render
from cartwake.times import Instant
from cartwake_cli.faults import Fault

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTH: Final = 640
_TALLEST: Final = 8_000
_PATIENCE_SECONDS: Final = 60
_WAY_OUT: Final = "https://shop.example.com/c/unsubscribe/preview"
_OWN_LINKS: Final = {
    name: f"https://shop.example.com/c/{name.removesuffix('_url')}/preview"
    for name in ("preferences_url", "confirm_url")
}
_PRODUCTS: Final = (
    {"product_id": "sample-1", "name": "Trail Runner", "variant": "Blue, 42", "price": "89.90", "quantity": 2},
    {"product_id": "sample-2", "name": "Rain Jacket", "price": "149", "quantity": 1},
)
_COUPON: Final = {"code": "SAMPLE-7HK2QX", "expires_at": "2030-12-31"}
"""Nobody's: a preview gives no code away."""
_FLAGS: Final = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run")
_MEASURE: Final = "<script>document.documentElement.dataset.height = document.documentElement.scrollHeight</script>"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a preview is for.

    Attributes:
        event: The one that started the journey.
    """

    state: State
    event: Event | None = None


def make_sample(now: Instant) -> Reader:
    """Return a shopper who has two things in the cart, of whom the name is known."""
    changes = (
        Change(now, 1, "sample-1", 2, {"name": "Trail Runner", "variant": "Blue, 42", "price": "89.90"}),
        Change(now, 2, "sample-2", 1, {"name": "Rain Jacket", "price": "149"}),
    )
    order = {"order_id": "1001", "revenue": 328.8, "carrier": "DHL", "tracking_number": "JD0001"}
    told = {"first_name": "Anna", "last_name": "Example", "email": "anna@example.com"}
    event = Event(
        who="u#sample",
        id="sample",
        name="Sample",
        occurred_at=now,
        received_at=now,
        trust=Trust.SERVER,
        properties={"channel": "email", **_PRODUCTS[0], **order, "products": [*_PRODUCTS]},
    )
    traits = {name: Register(value, now, 1) for name, value in told.items()}
    return Reader(State(traits=traits, cart=Cart(changes=changes)), event)


def fill(name: str, rules: Bundle, reader: Reader, *, locale: str = "", now: Instant) -> tuple[Rendered, str]:
    """Return a template as it would be sent, and the locale in which that would be.

    Args:
        name: The template's, without its ending.
        rules: In which it is, with its journeys and the shop.
        reader: For whom.
        locale: Instead of the reader's own; "": theirs.
        now: The time.

    Raises:
        Fault: There is no such template, or what it shows is not known of the reader.
    """
    if name not in rules.templates:
        nearest = find_nearest(name, rules.templates)
        raise Fault(f'there is no template "{name}"' + (f'; did you mean "{nearest}"?' if nearest else ""))
    traits = {"language": Register(locale, now, 1)} if locale else reader.state.traits
    template, language = translate(rules.templates[name], traits, rules.settings.language)
    senders = list(_find_senders(name, rules))
    subject = next((step.subject for _, step in senders if step.subject), "")
    marketing = not senders or any(journey.kind == "marketing" for journey, _ in senders)
    known = reader.state.evaluated_at > 0
    gives = any(step.coupon for _, step in senders)
    seen = gather(
        reader.state,
        event=reader.event if not senders or any(_may_have_event(journey) for journey, _ in senders) else None,
        settings=rules.settings,
        marks=read_marks(reader.state, rules, now) if known else Marks(),
        unsubscribe_url=_WAY_OUT if marketing else "",
        coupon=_COUPON if gives else None,
        language=language,
        more_urls=_OWN_LINKS,
    )
    try:
        return render(msgspec.structs.replace(template, subject=subject or template.subject), seen, name=name), language
    except TemplateFailed as error:
        raise Fault(f'"{name}" would not be sent (template_error): {error.detail}') from None


def find_browser() -> str:
    """Return the path of a browser that can take pictures; "" when there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), "")


def photograph(browser: str, html: str, picture: Path) -> None:
    """Write a picture of a mail, as wide as a reading pane and as high as it is.

    Raises:
        Fault: The browser did not take it.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        page = Path(folder) / "mail.html"
        page.write_text(html + _MEASURE)
        size, flags = f"--window-size={WIDTH},", (*_FLAGS, f"--user-data-dir={folder}/profile")
        found = re.search(r'data-height="(\d+)"', _run(browser, *flags, f"{size}400", "--dump-dom", page.as_uri()))
        page.write_text(html)
        height = min(int(found[1]), _TALLEST) if found else _TALLEST // 8
        _run(browser, *flags, f"{size}{height}", f"--screenshot={picture.absolute()}", page.as_uri())
    if not picture.exists():
        raise Fault(f"{browser} took no picture")


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Fault(f"{command[0]} did not end within {_PATIENCE_SECONDS} seconds") from None
    return done.stdout


def _may_have_event(journey: Journey) -> bool:
    """Say whether an event may start it: not a campaign, of which nothing is the trigger, nor where a date does."""
    trigger = journey.trigger
    return trigger.dated is None and bool(trigger.event or trigger.entered or trigger.left)


def _find_senders(name: str, rules: Bundle) -> Iterator[tuple[Journey, Send]]:
    for journey in rules.journeys.values():
        for step in walk_steps(journey.steps):
            if isinstance(step, Send) and step.template == name:
                yield journey, step
