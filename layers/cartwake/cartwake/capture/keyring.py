"""The keyring: write keys that a process has looked up lately, found or not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Protocol

from cartwake.events import Trust
from cartwake.times import MINUTE, Instant

KEEP_MS: Final = MINUTE
"""A revoked key is refused, and a new one accepted, at most this much later."""
MOST_KEYS: Final = 1_000


class Key(Protocol):
    """What the keyring must know of a write key."""

    @property
    def trust(self) -> Trust:
        """Who holds it."""

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins from which browsers may use it; none means any."""

    @property
    def revoked(self) -> bool:
        """Whether it is refused."""


@dataclass(slots=True)
class Keyring[K: Key]:
    """Keys by their hash; the text of a key is kept nowhere."""

    find: Callable[[str], K | None]
    _known: dict[str, tuple[Instant, K | None]] = field(default_factory=dict)

    def look_up(self, text: str, now: Instant) -> K | None:
        """Return the key whose text is *text*, or None when there is none or it was revoked."""
        if not text:
            return None
        key_hash = sha256(text.encode(errors="replace")).hexdigest()
        looked_at, key = self._known.get(key_hash, (0, None))
        if not now - KEEP_MS < looked_at <= now:
            key = self.find(key_hash)
            self._remember(key_hash, now, key)
        return None if key is None or key.revoked else key

    def forget(self) -> None:
        """Forget every key."""
        self._known.clear()

    def _remember(self, key_hash: str, now: Instant, key: K | None) -> None:
        self._known.pop(key_hash, None)
        if len(self._known) >= MOST_KEYS:
            del self._known[next(iter(self._known))]
        self._known[key_hash] = (now, key)


def allows(key: Key, origin: str) -> bool:
    """Say whether a request from *origin* ("" when no browser names one) may use the key."""
    return not key.origins or not origin or origin in key.origins
