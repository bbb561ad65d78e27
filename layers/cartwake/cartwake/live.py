"""The rules that are live, kept in the process: the pointer is looked at every 30 seconds at most.

Of all the other bundles the path and the waits of runs are read, and never a template: twenty of them with all their
mails would not fit into a function's memory.
"""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from cartwake.bundles import Bundle, decode
from cartwake.errors import NoRules, TryAgain
from cartwake.gateways import bucket
from cartwake.store import bundles
from cartwake.times import SECOND, Instant

LOOK_EVERY_MS: Final = 30 * SECOND
MOST_KEPT: Final = 20


@dataclass(slots=True)
class _Kept:
    """What this process knows; by hash without templates."""

    looked_at: Instant = 0
    live: bundles.Live | None = None
    whole: tuple[str, Bundle] | None = None
    by_hash: dict[str, Bundle] = field(default_factory=dict)


_kept = _Kept()


def load_live(now: Instant) -> Bundle:
    """Return the bundle that is live; see `find_live`."""
    return find_live(now)[1]


def find_live(now: Instant) -> tuple[str, Bundle]:
    """Return the hash and the content of the bundle that is live.

    Raises:
        NoRules: Nothing was ever published; events wait in the stream until it is.
        TryAgain: It is not in the bucket.
    """
    if _kept.live is None or now - _kept.looked_at >= LOOK_EVERY_MS:
        found = bundles.get_live()
        if found is None:
            raise NoRules("no rules were ever published; upload settings.json to the bucket")
        _kept.live, _kept.looked_at = found, now
    name = _kept.live.hash
    if _kept.whole is None or _kept.whole[0] != name:
        _kept.whole = name, _read(name)
    return _kept.whole


def load_bundle(name: str) -> Bundle:
    """Return the bundle with this hash, for the path of a run or for a look at profiles: it may lack its templates.

    Raises:
        TryAgain: It is not in the bucket.
    """
    if _kept.whole is not None and _kept.whole[0] == name:
        return _kept.whole[1]
    if name not in _kept.by_hash:
        found = msgspec.structs.replace(_read(name), templates={})
        if len(_kept.by_hash) >= MOST_KEPT:
            _kept.by_hash.clear()
        _kept.by_hash[name] = found
    return _kept.by_hash[name]


def forget() -> None:
    """Look at everything anew; for tests."""
    _kept.looked_at, _kept.live, _kept.whole = 0, None, None
    _kept.by_hash.clear()


def _read(name: str) -> Bundle:
    content = bucket.read(f"bundles/{name}.json")
    if content is None:
        raise TryAgain(f"bundle {name[:12]} is not in the bucket")
    return decode(content)
