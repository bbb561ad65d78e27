"""serve_page: show the unsubscribe page, and unsubscribe."""

from base64 import b64decode
from collections.abc import Callable
from typing import Any

from cartwake.addresses import state_consent
from cartwake.bundles import Shop
from cartwake.clock import read_clock
from cartwake.errors import TryAgain, WriteConflict
from cartwake.events import UNSUBSCRIBED, Event, derive_id, own_event
from cartwake.gateways.secrets import READERS_LOOK_MS, link_secrets, renew
from cartwake.links import Unsubscribe, read_unsubscribe
from cartwake.live import load_live
from cartwake.pages import View, render_page
from cartwake.statements import Channel, Consent
from cartwake.store import addresses, events
from cartwake.telemetry import count, logger, metrics, name_who
from cartwake.times import Instant

_ATTEMPTS = 8
_ONE_CLICK = (b"List-Unsubscribe", b"One-Click")


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer GET and POST /unsubscribe/{token}.

    GET and HEAD change nothing, as link scanners send them. Any POST with a good token unsubscribes, from the page
    or as the one click of RFC 8058, and is answered 200 only when the withdrawal is written; it may be repeated.

    Args:
        event: Payload 2.0 of an HTTP API.
        context: Lambda's.
    """
    now = read_clock()
    method = event["requestContext"]["http"]["method"]
    if method not in ("GET", "HEAD", "POST"):
        return {"statusCode": 405, "headers": {"Allow": "GET, HEAD, POST", "Cache-Control": "no-store"}, "body": ""}
    try:
        link = _open((event.get("pathParameters") or {}).get("token", ""), read_unsubscribe, now)
    except TryAgain as error:
        logger.warning("page not shown", reason=type(error).__name__)
        return _answer(View.FAILED, Channel.EMAIL, now=now, empty=method == "HEAD")
    if link is None:
        logger.info("page not shown", reason="bad_link")
        return _answer(View.BAD_LINK, Channel.EMAIL, now=now, empty=method == "HEAD")
    if method != "POST":
        return _answer(View.ASK, link.channel, now=now, empty=method == "HEAD")
    try:
        unsubscribe(link, now=now, method=_name_method(event))
    except TryAgain as error:
        who, why = name_who(link.who), type(error).__name__
        logger.warning("not unsubscribed yet", who=who, message_id=link.message, error=why)
        return _answer(View.FAILED, link.channel, now=now)
    return _answer(View.DONE, link.channel, now=now)


def unsubscribe(link: Unsubscribe, *, now: Instant, method: str) -> None:
    """Write the withdrawal to the address, then tell everybody else by an event; doing it again is harmless.

    Raises:
        TryAgain: Not both are written.
    """
    told = _withdraw(link, now=now, method=method)
    events.put_events([told])
    count("Unsubscribes")
    who = name_who(link.who)
    logger.info("unsubscribed", who=who, message_id=link.message, channel=link.channel, method=method)


def _open[Link](token: str, read: Callable[[str, list[bytes]], Link | None], now: Instant) -> Link | None:
    """Return what a token stands for; one of a key that this process does not know makes it look for new ones."""
    link = read(token, link_secrets())
    if link is None and renew(now, after_ms=READERS_LOOK_MS):
        link = read(token, link_secrets())
    return link


def _withdraw(link: Unsubscribe, *, now: Instant, method: str) -> Event:
    """Write the withdrawal, unless this very link has, and return its event: of a repetition the same."""
    for _ in range(_ATTEMPTS):
        address = addresses.get_address(link.address_key)
        known = address.consent
        if known is not None and not known.subscribed:
            told = _make_event(link, at=known.at, method=known.method)
            if told.short_id == known.id:
                return told
        # Never before what is known: clocks differ, and a withdrawal must not lose to a subscription just before it.
        at = max(now, known.at if known is not None else 0)
        told = _make_event(link, at=at, method=method)
        consent = Consent(subscribed=False, at=at, id=told.short_id, method=method)
        if addresses.put_address(state_consent(address, consent)):
            return told
    raise WriteConflict("address written by others too often in a row")


def _make_event(link: Unsubscribe, *, at: Instant, method: str) -> Event:
    ident = derive_id("unsubscribe", link.who, link.message, link.address_key)
    told = {"channel": link.channel.value, "message": link.message, "method": method}
    return own_event(link.who, UNSUBSCRIBED, id=ident, at=at, properties=told)


def _name_method(event: dict[str, Any]) -> str:
    """Say who pressed the button, the mail program or the shopper on our page; both forms of body name it alike."""
    body = event.get("body") or ""
    try:
        content = b64decode(body) if event.get("isBase64Encoded") else body.encode(errors="replace")
    except ValueError:
        return "page"
    return "one-click" if all(part in content for part in _ONE_CLICK) else "page"


def _answer(view: View, channel: Channel, *, now: Instant, empty: bool = False) -> dict[str, Any]:
    shop, language = Shop(name=""), "en"
    try:
        settings = load_live(now).settings
        shop, language = settings.shop, settings.language
    except TryAgain:
        logger.warning("page without the shop's look", reason="no_rules")
    page = render_page(view, shop, language=language, channel=channel)
    headers = page.headers | ({"Retry-After": "30"} if view is View.FAILED else {})
    return {"statusCode": page.status, "headers": headers, "body": "" if empty else page.html}
