"""Clicks: lead on to where a link of a message leads, tell of it by the feedback queue, and say who comes.

A request changes no table: it may come from a scanner, and must never fail because something else does.
"""

from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from cartwake.arrivals import PARAMETER
from cartwake.bundles import Settings, Shop
from cartwake.choices import may_track
from cartwake.domains import encode_url
from cartwake.errors import TryAgain
from cartwake.feedback.clicks import JUDGE_AFTER_SECONDS, Touch, tell, to_body
from cartwake.gateways.queue import send_feedback
from cartwake.gateways.secrets import link_secrets
from cartwake.links import Click, Visit, visit_token
from cartwake.profiles import Kind
from cartwake.serving.calls import Call
from cartwake.statements import Channel
from cartwake.store import addresses, profiles
from cartwake.telemetry import logger, name_who
from cartwake.times import Instant

_HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


def follow(link: Click, call: Call, settings: Settings, *, now: Instant) -> dict[str, str]:
    """Tell of the request, where that may still be told, and return the headers that lead on."""
    touches = tell(link, now=now, method=call.method, user_agent=call.user_agent)
    to = tag(link, settings)
    try:
        if _may_see(link, settings):
            to = to if touches[0].machine else introduce(to, link, settings.shop, now=now)
            _tell(touches)
    except TryAgain as error:
        logger.warning("click not told", who=name_who(link.who), message_id=link.message, error=type(error).__name__)
    return _HEADERS | {"Location": to}


def tag(link: Click, settings: Settings) -> str:
    """Return where the link leads, with UTM tags where that is the shop; those that it has stay."""
    parts = _split(link.to)
    home = (urlsplit(settings.shop.url).hostname or "").removeprefix("www.")
    host = parts.hostname or "" if parts else ""
    if not parts or not home or (host != home and not host.endswith(f".{home}") and host not in settings.shop.hosts):
        return link.to
    medium = _find_channel(link).value
    tags = {"utm_source": "cartwake", "utm_medium": medium, "utm_campaign": link.campaign} | settings.utm
    return _extend(parts, {name: value for name, value in tags.items() if value})


def introduce(to: str, link: Click, shop: Shop, *, now: Instant) -> str:
    """Return the address with a token that says for some minutes who comes, where that is told to the shop alone.

    Args:
        to: Where the link leads; a page that has a use of its own for the parameter keeps it.
        link: The link that is followed.
        shop: Whose hosts are told.
        now: The time.
    """
    parts = _split(to)
    if not parts or not _is_own(parts, shop):
        return to
    token = visit_token(Visit(link.who, link.message, now), link_secrets())
    return _extend(parts, {PARAMETER: token}) if token else to


def _may_see(link: Click, settings: Settings) -> bool:
    """Say whether the reader may be seen now: since the mail was sent they may have refused, or moved."""
    if not link.address_key:
        return False
    profile = profiles.resolve_profile(link.who)
    if profile.kind is not Kind.PROFILE or profile.address_keys.get(_find_channel(link)) != link.address_key:
        return False
    return may_track(addresses.get_address(link.address_key).choices, settings.tracking)


def _find_channel(link: Click) -> Channel:
    """Return by what the message went out; links of before did not say it, and were in mails."""
    named = link.address_key.partition("#")[0]
    return Channel(named) if named in set(Channel) else Channel.EMAIL


def _tell(touches: tuple[Touch, Touch]) -> None:
    noted, judged = touches
    send_feedback([to_body(noted)])
    send_feedback([to_body(judged)], delay_seconds=JUDGE_AFTER_SECONDS)


def _split(to: str) -> SplitResult | None:
    """Return the parts of an address, or None for one that browsers make something of and we do not."""
    try:
        parts = urlsplit(encode_url(to))
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _is_own(parts: SplitResult, shop: Shop) -> bool:
    """Say whether an address is on a host of the shop, by name: below its domain may be what others write or run.

    A login in it is nothing that a shop writes: browsers, which take a backslash for a slash, would read another host.
    """
    home, host = urlsplit(shop.url), parts.hostname or ""
    named = home.hostname or ""
    hosts = {named, f"www.{named}", named.removeprefix("www."), *shop.hosts} if named else {*shop.hosts}
    port = home.port if host == named else None
    return "@" not in parts.netloc and host in hosts and parts.port == port and parts.scheme in ("https", home.scheme)


def _extend(parts: SplitResult, more: dict[str, str]) -> str:
    """Return the address with more parameters; those that it has stay."""
    known = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    added = urlencode({name: value for name, value in more.items() if name not in known})
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, added)))))
