"""Silence: which hosts have just let a webhook wait for nothing, as far as this process knows.

An attempt that nobody answers takes all the time that it may have. So whoever asks such a host again for each webhook
makes those for all other hosts wait behind it.
"""

from typing import Final

from cartwake.times import MINUTE, Instant
from cartwake.webhooks import Reply

REMEMBERED_MS: Final = MINUTE
_until: dict[str, Instant] = {}


def note(host: str, reply: Reply, now: Instant) -> None:
    """Remember of a host whether it has answered."""
    if reply.is_silence:
        _until[host] = now + REMEMBERED_MS
    else:
        _until.pop(host, None)


def find_end(host: str, now: Instant) -> Instant:
    """Return until when a host is not asked; 0: it may be."""
    until = _until.get(host, 0)
    return until if until > now else 0


def forget() -> None:
    """Know of none, as a process does that has just begun."""
    _until.clear()
