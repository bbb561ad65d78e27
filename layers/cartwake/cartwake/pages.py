"""Pages: the few that shoppers see, whole in one answer: no script, no cookie, nothing loaded from anywhere."""

import re
from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from html import escape
from typing import Final

from cartwake.bundles import Shop
from cartwake.page_texts import TEXTS, UNNAMED, pick_language
from cartwake.statements import Channel


class View(StrEnum):
    """What a page says."""

    ASK = "ask"
    DONE = "done"
    CONFIRM = "confirm"
    CONFIRMED = "confirmed"
    EXPORT = "export"
    EXPORTED = "exported"
    ERASE = "erase"
    ERASED = "erased"
    EXPIRED = "expired"
    BAD_LINK = "bad_link"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Page:
    """An answer to a browser."""

    status: int
    headers: dict[str, str]
    html: str


def render_page(  # noqa: PLR0913  what makes a page
    view: View, shop: Shop, *, language: str = "en", channel: Channel = Channel.EMAIL, back: str = ""
) -> Page:
    """Return the page for *view*.

    Args:
        view: What it says.
        shop: Whose page it is.
        language: Any tag, such as `pl-PL`; falls back to English.
        channel: What it is about.
        back: Address of the preference centre, for who comes from there and may want to go back.
    """
    texts = translate(shop, language)
    asks = f"{view}_button" in texts
    button = f'<form method="post"><button>{escape(texts[f"{view}_button"])}</button></form>' if asks else ""
    text = texts[f"{view}_{channel}" if view in _BY_CHANNEL else f"{view}_text"]
    home = link_home(shop, texts["home"])
    if back and view not in _NO_WAY_BACK:
        home = f'<p class="home"><a href="{escape(back)}">{escape(texts["back"])}</a></p>'
    inner = f"<p>{escape(text)}</p>\n{button}{home if back or not asks else ''}"
    return frame_page(texts[f"{view}_title"], inner, shop, language=language, status=_STATUS.get(view, 200))


def translate(shop: Shop, language: str) -> dict[str, str]:
    """Return the texts in a language, with the shop's name in them."""
    code = pick_language(language)
    name = shop.name or UNNAMED[code]
    return {key: text.replace("{shop}", name) for key, text in TEXTS[code].items()}


def frame_page(  # noqa: PLR0913  what makes a page
    title: str, inner: str, shop: Shop, *, language: str, status: int = 200
) -> Page:
    """Return a page with a title, a text, and around *inner*, which is HTML."""
    code = pick_language(language)
    accent = _pick_accent(shop.color)
    style = _STYLE.replace("$accent", accent).replace("$ink", _pick_ink(accent))
    html = _PAGE.format(
        language=code,
        style=style,
        title=escape(title),
        brand=f'<p class="brand">{escape(shop.name)}</p>' if shop.name else "",
        inner=inner,
        address=escape(shop.postal_address),
    )
    return Page(status, _make_headers(style, code), html)


def link_home(shop: Shop, text: str) -> str:
    """Return a link to the shop, as HTML; "" where its address is none."""
    if not shop.url.startswith(("https://", "http://")):
        return ""
    return f'<p class="home"><a href="{escape(shop.url)}" rel="noreferrer">{escape(text)}</a></p>'


def _make_headers(style: str, language: str) -> dict[str, str]:
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Language": language,
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow",
    }


def _pick_accent(color: str) -> str:
    """What marketers wrote goes into a style sheet, so only a plain colour may."""
    return color if re.fullmatch(r"#[0-9a-fA-F]{6}", color) else _ACCENT


def _pick_ink(background: str) -> str:
    """Return black or white, whichever is easier to read on *background* (WCAG relative luminance)."""
    shares = [int(background[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    luminance = sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "#ffffff" if luminance < 0.179 else "#000000"


_ACCENT: Final = "#1f2937"
_STATUS: Final = {View.BAD_LINK: 404, View.EXPIRED: 410, View.FAILED: 503}
_NO_WAY_BACK: Final = frozenset({View.ERASED})
"""The centre knows nobody any more."""
_BY_CHANNEL: Final = frozenset({View.ASK, View.DONE, View.CONFIRM, View.CONFIRMED})
_STYLE: Final = """
:root{color-scheme:light dark;--accent:$accent;--ink:$ink;--page:#f3f4f6;--card:#fff;--text:#111827;--soft:#4b5563}
@media(prefers-color-scheme:dark){:root{--page:#0b0f19;--card:#161c2a;--text:#f3f4f6;--soft:#b6bdc9}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100dvh;display:flex;flex-direction:column;align-items:center;
justify-content:center;padding:24px;background:var(--page);color:var(--text);
font:17px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:100%;max-width:480px;background:var(--card);border-radius:16px;overflow:hidden;
box-shadow:0 1px 2px rgb(0 0 0/.06),0 12px 32px rgb(0 0 0/.08)}
.bar{height:6px;background:var(--accent)}
.in{padding:36px 36px 40px}
.brand{margin:0 0 24px;font-weight:600;color:var(--soft);overflow-wrap:anywhere}
h1{margin:0 0 12px;font-size:28px;line-height:1.2;letter-spacing:-.01em;text-wrap:balance}
p{margin:0 0 8px;overflow-wrap:anywhere}
button{margin-top:24px;width:100%;min-height:52px;padding:14px 20px;border:1px solid rgb(128 128 128/.45);
border-radius:10px;background:var(--accent);color:var(--ink);font:inherit;font-weight:600;cursor:pointer}
button:hover{filter:brightness(1.12)}
button:focus-visible,a:focus-visible{outline:3px solid var(--text);outline-offset:3px}
.plain{background:transparent;color:var(--text)}
fieldset{margin:28px 0 0;padding:0;border:0;min-width:0}
legend,h2{margin:0 0 4px;padding:0;font-size:17px;font-weight:600;line-height:1.4}
h2{margin:36px 0 4px}
label{display:flex;gap:12px;align-items:flex-start;padding:9px 0;cursor:pointer;overflow-wrap:anywhere;min-width:0}
label span{min-width:0}
input{flex:none;width:24px;height:24px;margin:1px 0 0;accent-color:var(--accent)}
small{display:block;font-size:15px;color:var(--soft)}
select{width:100%;min-height:48px;padding:8px 12px;border:1px solid var(--soft);border-radius:10px;
background:var(--card);color:var(--text);font:inherit}
input:focus-visible,select:focus-visible{outline:3px solid var(--text);outline-offset:3px}
.saved{margin:20px 0 0;padding:12px 16px;border-left:4px solid var(--accent);background:var(--page)}
.links a{display:inline-block;padding:6px 0}
.home{margin:24px 0 0}
a{color:inherit;text-underline-offset:3px}
footer{margin:20px 0 0;max-width:480px;font-size:14px;color:var(--soft);text-align:center}
@media(max-width:420px){.in{padding:28px 22px 30px}h1{font-size:24px}}
"""
_PAGE: Final = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<div class="bar"></div>
<div class="in">
{brand}
<h1>{title}</h1>
{inner}
</div>
</main>
<footer>{address}</footer>
</body>
</html>
"""
