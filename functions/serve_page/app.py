"""serve_page: show the pages that links in messages lead to, and do what is asked for on them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from cartwake.bundles import Sender, Settings, Shop
from cartwake.clock import read_clock
from cartwake.errors import TryAgain
from cartwake.gateways.secrets import READERS_LOOK_MS, link_secrets, renew
from cartwake.links import (
    CLICK_PATH,
    Confirm,
    Export,
    Preferences,
    Unsubscribe,
    read_click,
    read_confirm,
    read_erase,
    read_export,
    read_preferences,
    read_unsubscribe,
)
from cartwake.live import load_live
from cartwake.page_texts import pick_language
from cartwake.pages import Page, View, render_page
from cartwake.preference_page import render_preferences
from cartwake.preferences import read_wish
from cartwake.serving import centre, rights
from cartwake.serving.calls import Call, read_call
from cartwake.serving.clicks import follow
from cartwake.serving.confirmations import confirm
from cartwake.serving.readers import Personal, find_languages
from cartwake.serving.withdrawals import unsubscribe
from cartwake.telemetry import logger, metrics, name_who
from cartwake.times import Instant

type Read[Link] = Callable[[str, list[bytes]], Link | None]

_METHODS: Final = ("GET", "HEAD", "POST")
_PLAIN: Final = Settings(shop=Shop(name=""), sender=Sender(email=""))


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer GET and POST /unsubscribe/{token}, /preferences, /confirm, /export and /erase, and GET and HEAD /r.

    GET and HEAD change nothing, as link scanners send them. A POST is answered 200 only when what it asks for is
    written, and may be repeated. Any POST to the first unsubscribes, from the page or as the one click of RFC 8058.

    Args:
        event: Payload 2.0 of an HTTP API.
        context: Lambda's.
    """
    call = read_call(event)
    if call.method not in _METHODS:
        return {"statusCode": 405, "headers": {"Allow": ", ".join(_METHODS), "Cache-Control": "no-store"}, "body": ""}
    page = _answer(call, read_clock())
    headers = page.headers | ({"Retry-After": "30"} if page.status == 503 else {})
    return {"statusCode": page.status, "headers": headers, "body": "" if call.method == "HEAD" else page.html}


def _serve_click(call: Call, now: Instant) -> Page:
    """Lead on; nobody is asked anything, and nothing is changed."""
    link = _open(call.token, read_click, now)
    if link is None or call.method == "POST":
        return _refuse(call, now)
    return Page(302, follow(link, call, _load_settings(now), now=now), "")


def _answer(call: Call, now: Instant) -> Page:
    try:
        return _ROUTES.get(call.route, _refuse)(call, now)
    except TryAgain as error:
        logger.warning("page not shown", reason=type(error).__name__)
        return _show(View.FAILED, now)


def _serve_unsubscribe(call: Call, now: Instant) -> Page:
    link = _open(call.token, read_unsubscribe, now)
    if link is None:
        return _refuse(call, now)
    return _leave(link, call, now) if call.method == "POST" else _show(View.ASK, now, link)


def _leave(link: Unsubscribe, call: Call, now: Instant) -> Page:
    try:
        unsubscribe(link, now=now, method=call.pressed_by)
    except TryAgain as error:
        who, why = name_who(link.who), type(error).__name__
        logger.warning("not unsubscribed yet", who=who, message_id=link.message, error=why)
        return _show(View.FAILED, now, link)
    return _show(View.DONE, now, link)


def _serve_preferences(call: Call, now: Instant) -> Page:
    """Show the form, or do what it says; where the address is the shopper's no more, it can be unsubscribed."""
    link = _open(call.token, read_preferences, now)
    if link is None:
        return _refuse(call, now)
    settings = _load_settings(now)
    wish = read_wish(call.form) if call.method == "POST" else None
    seen = centre.look(link) if wish is None else centre.choose(link, wish, topics=settings.topics, now=now)
    if seen is None:
        return _serve_stranger(link, call, now)
    requests = centre.list_requests(link, now, link_secrets())
    picture = centre.picture(seen, link.channel, settings)
    return render_preferences(replace(picture, links=requests, now=now, saved=wish is not None), settings.shop)


def _serve_stranger(link: Preferences, call: Call, now: Instant) -> Page:
    return _leave(link, call, now) if call.method == "POST" else _show(View.ASK, now, link)


def _serve_confirm(call: Call, now: Instant) -> Page:
    link: Confirm | None = _open(call.token, partial(read_confirm, now=now), now)
    if link is None:
        return _refuse_aged(call, read_confirm, now)
    if call.method != "POST":
        return _show(View.CONFIRM, now, link)
    return _show(View.CONFIRMED if confirm(link, now=now) else View.EXPIRED, now, link)


def _serve_request(call: Call, now: Instant, *, read: Callable[..., Export | None], views: tuple[View, View]) -> Page:
    link: Export | None = _open(call.token, partial(read, now=now), now)
    if link is None:
        return _refuse_aged(call, read, now)
    if call.method == "POST":
        rights.request(link)
    return _show(views[call.method == "POST"], now, link)


def _open[Link](token: str, read: Read[Link], now: Instant) -> Link | None:
    """Return what a token stands for; one of a key that this process does not know makes it look for new ones."""
    link = read(token, link_secrets())
    if link is None and renew(now, after_ms=READERS_LOOK_MS):
        link = read(token, link_secrets())
    return link


def _refuse(call: Call, now: Instant) -> Page:
    logger.info("page not shown", reason="bad_link")
    return _show(View.BAD_LINK, now)


def _refuse_aged(call: Call, read: Callable[..., object], now: Instant) -> Page:
    """Tell a link that was good once from one that never was."""
    if read(call.token, link_secrets(), now=0) is None:
        return _refuse(call, now)
    logger.info("page not shown", reason="old_link")
    return _show(View.EXPIRED, now)


def _show(view: View, now: Instant, link: Personal | None = None) -> Page:
    """Return a page, in the language of whom the link went to."""
    settings = _load_settings(now)
    if link is None:
        return render_page(view, settings.shop, language=settings.language)
    language = pick_language(*find_languages(link), settings.language)
    back = centre.find_way_back(link, link_secrets()) if isinstance(link, Export) else ""
    return render_page(view, settings.shop, language=language, channel=link.channel, back=back)


def _load_settings(now: Instant) -> Settings:
    """Return the shop's settings, or some that say nothing: its shoppers can unsubscribe all the same."""
    try:
        return load_live(now).settings
    except TryAgain:
        logger.warning("page without the shop's look", reason="no_rules")
        return _PLAIN


_ROUTES: Final[dict[str, Callable[[Call, Instant], Page]]] = {
    "unsubscribe": _serve_unsubscribe,
    "preferences": _serve_preferences,
    "confirm": _serve_confirm,
    CLICK_PATH: _serve_click,
    "export": partial(_serve_request, read=read_export, views=(View.EXPORT, View.EXPORTED)),
    "erase": partial(_serve_request, read=read_erase, views=(View.ERASE, View.ERASED)),
}
