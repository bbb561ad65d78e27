"""Pages: the few that shoppers see, whole in one answer: no script, no cookie, nothing loaded from anywhere."""

import re
from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from html import escape
from typing import Final

from cartwake.bundles import Shop
from cartwake.statements import Channel


class View(StrEnum):
    """What a page says."""

    ASK = "ask"
    DONE = "done"
    BAD_LINK = "bad_link"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Page:
    """An answer to a browser."""

    status: int
    headers: dict[str, str]
    html: str


def render_page(view: View, shop: Shop, *, language: str = "en", channel: Channel = Channel.EMAIL) -> Page:
    """Return the page for *view*; *language* may be any tag, such as `pl-PL`, and falls back to English."""
    code = language.lower().replace("_", "-").partition("-")[0]
    code = code if code in _TEXTS else "en"
    # A shop without a name is one whose rules cannot be read just now: its shoppers can unsubscribe all the same.
    texts = {key: text.format(shop=shop.name or _UNNAMED[code]) for key, text in _TEXTS[code].items()}
    style = _STYLE.replace("$accent", _pick_accent(shop.color)).replace("$ink", _pick_ink(_pick_accent(shop.color)))
    button = f'<form method="post"><button>{escape(texts["button"])}</button></form>' if view is View.ASK else ""
    html = _PAGE.format(
        language=code,
        style=style,
        title=escape(texts[f"{view}_title"]),
        text=escape(texts[f"{view}_{channel}" if view in _BY_CHANNEL else f"{view}_text"]),
        brand=f'<p class="brand">{escape(shop.name)}</p>' if shop.name else "",
        button=button,
        home=_link_home(shop, texts["home"]) if view is not View.ASK else "",
        address=escape(shop.postal_address),
    )
    return Page(_STATUS[view], _make_headers(style, code), html)


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


def _link_home(shop: Shop, text: str) -> str:
    if not shop.url.startswith(("https://", "http://")):
        return ""
    return f'<p class="home"><a href="{escape(shop.url)}" rel="noreferrer">{escape(text)}</a></p>'


_ACCENT: Final = "#1f2937"
_STATUS: Final = {View.ASK: 200, View.DONE: 200, View.BAD_LINK: 404, View.FAILED: 503}
_BY_CHANNEL: Final = frozenset({View.ASK, View.DONE})
_UNNAMED: Final = {"en": "This shop", "de": "Dieser Shop", "pl": "Ten sklep"}
_TEXTS: Final = {
    "en": {
        "ask_title": "Unsubscribe?",
        "ask_email": "{shop} will send you no more newsletters and offers by e-mail. "
        "Messages about your orders still reach you.",
        "ask_sms": "{shop} will send you no more offers by text message. Messages about your orders still reach you.",
        "button": "Unsubscribe",
        "done_title": "You are unsubscribed",
        "done_email": "{shop} sends you no more newsletters and offers by e-mail from now on. You may close this page.",
        "done_sms": "{shop} sends you no more offers by text message from now on. You may close this page.",
        "bad_link_title": "This link does not work",
        "bad_link_text": "It may be incomplete. Please open it straight from the message, or copy all of it.",
        "failed_title": "That did not work",
        "failed_text": "Something went wrong on our side. Please try again in a minute.",
        "home": "Back to the shop",
    },
    "de": {
        "ask_title": "Abmelden?",
        "ask_email": "{shop} schickt Ihnen dann keine Newsletter und Angebote per E-Mail mehr. "
        "Nachrichten zu Ihren Bestellungen kommen weiterhin an.",
        "ask_sms": "{shop} schickt Ihnen dann keine Angebote per SMS mehr. "
        "Nachrichten zu Ihren Bestellungen kommen weiterhin an.",
        "button": "Abmelden",
        "done_title": "Sie sind abgemeldet",
        "done_email": "{shop} schickt Ihnen ab jetzt keine Newsletter und Angebote per E-Mail mehr. "
        "Sie können diese Seite schließen.",
        "done_sms": "{shop} schickt Ihnen ab jetzt keine Angebote per SMS mehr. Sie können diese Seite schließen.",
        "bad_link_title": "Dieser Link funktioniert nicht",
        "bad_link_text": "Vielleicht ist er unvollständig. Bitte öffnen Sie ihn direkt aus der Nachricht "
        "oder kopieren Sie ihn ganz.",
        "failed_title": "Das hat nicht geklappt",
        "failed_text": "Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es in einer Minute noch einmal.",
        "home": "Zurück zum Shop",
    },
    "pl": {
        "ask_title": "Zrezygnować z subskrypcji?",
        "ask_email": "{shop} nie będzie już wysyłać Ci newsletterów ani ofert e-mailem. "
        "Wiadomości o Twoich zamówieniach nadal będą przychodzić.",
        "ask_sms": "{shop} nie będzie już wysyłać Ci ofert SMS-em. "
        "Wiadomości o Twoich zamówieniach nadal będą przychodzić.",
        "button": "Zrezygnuj",
        "done_title": "Subskrypcja anulowana",
        "done_email": "{shop} nie wyśle Ci już newsletterów ani ofert e-mailem. Możesz zamknąć tę stronę.",
        "done_sms": "{shop} nie wyśle Ci już ofert SMS-em. Możesz zamknąć tę stronę.",
        "bad_link_title": "Ten link nie działa",
        "bad_link_text": "Być może jest niepełny. Otwórz go prosto z wiadomości albo skopiuj go w całości.",
        "failed_title": "Nie udało się",
        "failed_text": "Coś poszło nie tak po naszej stronie. Spróbuj ponownie za minutę.",
        "home": "Wróć do sklepu",
    },
}
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
<p>{text}</p>
{button}{home}
</div>
</main>
<footer>{address}</footer>
</body>
</html>
"""
