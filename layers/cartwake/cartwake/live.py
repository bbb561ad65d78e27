"""The rules that are live, kept in the process: the pointer is looked at every 30 seconds at most."""

from dataclasses import dataclass, field
from typing import Final

from cartwake.bundles import Bundle, decode
from cartwake.errors import TryAgain
from cartwake.gateways import bucket
from cartwake.store import bundles
from cartwake.times import SECOND, Instant

LOOK_EVERY_MS: Final = 30 * SECOND
MOST_KEPT: Final = 20


@dataclass(slots=True)
class _Kept:
    """What this process knows."""

    looked_at: Instant = 0
    live: bundles.Live | None = None
    by_hash: dict[str, Bundle] = field(default_factory=dict)


_kept = _Kept()


def load_live(now: Instant) -> Bundle:
    """Return the bundle that is live; see `find_live`."""
    return find_live(now)[1]


def find_live(now: Instant) -> tuple[str, Bundle]:
    """Return the hash and the content of the bundle that is live.

    Raises:
        TryAgain: Nothing was ever published; events wait in the stream until it is.
    """
    if _kept.live is None or now - _kept.looked_at >= LOOK_EVERY_MS:
        found = bundles.get_live()
        if found is None:
            raise TryAgain("no rules were ever published; upload settings.json to the bucket")
        _kept.live, _kept.looked_at = found, now
    return _kept.live.hash, load_bundle(_kept.live.hash)


def load_bundle(name: str) -> Bundle:
    """Return the bundle with this hash.

    Raises:
        TryAgain: It is not in the bucket.
    """
    if name not in _kept.by_hash:
        content = bucket.read(f"bundles/{name}.json")
        if content is None:
            raise TryAgain(f"bundle {name[:12]} is not in the bucket")
        if len(_kept.by_hash) >= MOST_KEPT:
            _kept.by_hash.clear()
        _kept.by_hash[name] = decode(content)
    return _kept.by_hash[name]


def forget() -> None:
    """Look at everything anew; for tests."""
    _kept.looked_at, _kept.live = 0, None
    _kept.by_hash.clear()
