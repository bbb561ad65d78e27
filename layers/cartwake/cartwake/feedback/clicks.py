"""Clicks: what our own endpoint tells of a link that was followed, and whether a person did.

A click is told twice: at once that a link was touched, and a little later the click itself. By then it is known whether
somebody followed all links of the mail within seconds, or the one that nobody sees: that is a scanner's work.
"""

from typing import Any, Final

import msgspec

from cartwake.bots import is_bot
from cartwake.feedback.deliveries import Delivery, Kind
from cartwake.feedback.tracking import strip_link
from cartwake.links import Click
from cartwake.messages import Message, change
from cartwake.times import MINUTE, SECOND, Instant

JUDGE_AFTER_SECONDS: Final = 20
_TOGETHER_MS: Final = 10 * SECOND
_SWARM: Final = 3
"""Different links within seconds of each other that no person follows."""


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """A link that was followed.

    Attributes:
        at: When, by the clock of our endpoint.
        final: It is time to judge it; else it is only noted.
        machine: The request itself was no person's.
    """

    who: str
    message: str
    number: int
    at: Instant
    sent_at: Instant
    link: str
    final: bool
    machine: bool


def tell(link: Click, *, now: Instant, method: str, user_agent: str) -> tuple[Touch, Touch]:
    """Return what is told of a request for *link*: at once, and once it can be judged."""
    touch = Touch(
        who=link.who,
        message=link.message,
        number=link.number,
        at=now,
        sent_at=link.sent_at,
        link=strip_link(link.to),
        final=False,
        machine=method == "HEAD" or link.number == 0 or not user_agent or is_bot(user_agent),
    )
    return touch, msgspec.structs.replace(touch, final=True)


def to_body(touch: Touch) -> dict[str, Any]:
    """Return what goes into the queue."""
    return {"touch": msgspec.to_builtins(touch)}


def read_touch(body: str) -> Touch | None:
    """Return what a body of the feedback queue tells of a link, or None where it is of something else."""
    try:
        return _decoder.decode(body).touch
    except (msgspec.DecodeError, ValueError):  # the latter of half a surrogate pair
        return None


def note_touch(message: Message, touch: Touch) -> Message:
    """Return the message's row with the latest time at which the link was touched."""
    number = str(touch.number)
    if message.touched.get(number, 0) >= touch.at:
        return message
    return change(message, touched=message.touched | {number: touch.at})


def judge(message: Message, touch: Touch) -> Delivery:
    """Return the click, flagged when no person made it; twice within a minute it is one.

    Args:
        message: Its row, with everything that was touched.
        touch: What was told of it.
    """
    near = {number for number, at in message.touched.items() if abs(at - touch.at) <= _TOGETHER_MS}
    return Delivery(
        kind=Kind.CLICKED,
        at=max(touch.at // MINUTE * MINUTE, touch.sent_at),
        sent_at=touch.sent_at,
        who=touch.who,
        message=touch.message,
        provider_id=message.provider_id,
        bot=touch.machine or "0" in near or len(near) >= _SWARM,
        link=touch.link,
        link_id=str(touch.number),
    )


class _Body(msgspec.Struct):
    touch: Touch | None = None


_decoder: Final = msgspec.json.Decoder(_Body)
