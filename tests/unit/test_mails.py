"""Rules of the starter mails as they are shown: no width cuts anything off, and all can be read in light and dark."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import open_page
from tests.mails import LANGUAGES, PAGE, PICTURE, SCHEMES, SHEETS, WIDTHS, list_sheets, render_mails, show, write_page

LONG = (
    {"name": "Donaudampfschifffahrtsgesellschaftskapitänsstiefel" * 2, "variant": "W" * 60, "price": "1234567.89"},
    {"name": "Hiddensee Boot", "price": "149"},
)
FAINTEST = 4.5
"""The least contrast of text with what is behind it, by WCAG AA."""
RIGHTMOST = "Math.max(...[...document.body.querySelectorAll('*')].map(it => it.getBoundingClientRect().right))"
"""Where what lies farthest to the right ends: rounded corners cut off what is wider, and nothing scrolls."""
UNREADABLE = """(() => {
    const read = color => (color.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
    const light = rgb => {
        const [r, g, b] = rgb.map(it => it / 255).map(it => it <= 0.03928 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = element => {
        for (let it = element; it; it = it.parentElement) {
            const color = read(getComputedStyle(it).backgroundColor);
            if (color.length < 4 || color[3] > 0) return color.slice(0, 3);
        }
        return [255, 255, 255];
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
        if (!text || element.closest('[aria-hidden=true], style') || !element.getClientRects().length) continue;
        const [one, two] = [light(read(getComputedStyle(element).color).slice(0, 3)), light(behind(element))];
        const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
        if (contrast < FAINTEST) found.push([text.slice(0, 40), contrast]);
    }
    return found;
})()""".replace("FAINTEST", str(FAINTEST))


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with open_page() as opened:
        yield opened


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off(page: Any, width: int) -> None:
    """At no width does a mail scroll sideways, however long the names of products are; on a phone in any language."""
    for name, html in render_mails(LONG):
        if width == min(WIDTHS) or name.endswith(f".{LANGUAGES[0]}"):
            show(page, html, width, "light")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            assert page.evaluate(RIGHTMOST) <= width, name


@pytest.mark.parametrize("scheme", SCHEMES)
def test_everything_can_be_read(page: Any, scheme: str) -> None:
    """In light and dark each text has the contrast that WCAG AA asks for, and no text is in a picture."""
    for name, html in render_mails():
        if not name.endswith(f".{LANGUAGES[0]}"):
            continue
        show(page, html, 600, scheme)
        assert page.evaluate(UNREADABLE) == [], name
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 23)"
        assert dark is (scheme == "dark")


def test_contact_sheets_are_there() -> None:
    """What was looked at is kept, each mail on one sheet, and is small: run `python tests/mails.py`."""
    assert 50_000 < PICTURE.stat().st_size < 1_500_000
    assert {path.stem for path in SHEETS.glob("*.webp")} == set(list_sheets())
    assert all(5_000 < path.stat().st_size < 300_000 for path in SHEETS.glob("*.webp"))
    assert PAGE.read_text() == write_page()
    english = {name for name, _ in render_mails() if name.endswith(f".{LANGUAGES[0]}")}
    assert sorted(english) == sorted(name for mails in list_sheets().values() for name in mails)
