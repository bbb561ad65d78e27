"""Clicks: lead on to where a link of a message leads, and tell of it by the feedback queue.

A request changes no table: it may come from a scanner, and must never wait, nor fail because something else does.
"""

from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from cartwake.bundles import Settings
from cartwake.errors import TryAgain
from cartwake.feedback.clicks import JUDGE_AFTER_SECONDS, tell, to_body
from cartwake.gateways.queue import send_feedback
from cartwake.links import Click
from cartwake.serving.calls import Call
from cartwake.telemetry import logger, name_who
from cartwake.times import Instant

_HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


def follow(link: Click, call: Call, settings: Settings, *, now: Instant) -> dict[str, str]:
    """Tell of the request, and return the headers that lead on."""
    noted, judged = tell(link, now=now, method=call.method, user_agent=call.user_agent)
    try:
        send_feedback([to_body(noted)])
        send_feedback([to_body(judged)], delay_seconds=JUDGE_AFTER_SECONDS)
    except TryAgain as error:
        logger.warning("click not told", who=name_who(link.who), message_id=link.message, error=type(error).__name__)
    return _HEADERS | {"Location": tag(link, settings)}


def tag(link: Click, settings: Settings) -> str:
    """Return where the link leads, with UTM tags where that is the shop; those that it has stay."""
    parts = urlsplit(link.to)
    home = (urlsplit(settings.shop.url).hostname or "").removeprefix("www.")
    host = parts.hostname or ""
    if not home or (host != home and not host.endswith(f".{home}")):
        return link.to
    tags = {"utm_source": "cartwake", "utm_medium": "email", "utm_campaign": link.campaign} | settings.utm
    known = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    more = urlencode({name: value for name, value in tags.items() if value and name not in known})
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, more)))))
