"""The stack's one secret, from which every key is derived; read once a process, and anew when links rotate."""

import hmac
import json
from functools import cache
from hashlib import sha256
from typing import Any, Final

from cartwake.errors import TryAgain
from cartwake.gateways import clients
from cartwake.settings import require
from cartwake.times import MINUTE, Instant


def address_secret() -> bytes:
    """Return the key of the address hashes: never rotated, or every suppression would be forgotten."""
    return derive_secret(_secret()["root"], "addresses")


def coupon_secret() -> bytes:
    """Return the key from which generated coupons follow."""
    return derive_secret(_secret()["root"], "coupons")


def link_secrets() -> list[bytes]:
    """Return the keys of signed links, the newest first: it signs, all verify.

    `cartwake keys rotate-links` puts a new text before the list `links` in the secret; links signed before stay valid.
    """
    return _list_link_secrets(_secret())


def webhook_secrets(host: str) -> list[bytes]:
    """Return the keys that sign what a host is told, the newest first; each host has its own, and learns no other.

    `cartwake keys rotate-webhooks` puts a new text before the list `webhooks` in the secret. Both the newest and the
    one before it sign, so that receivers have time to learn the new one.
    """
    return derive_webhook_secrets(_secret(), host)


def derive_webhook_secrets(secret: dict[str, Any], host: str) -> list[bytes]:
    """Return what `webhook_secrets` does, of a secret that was read."""
    texts = [*secret.get("webhooks", ()), secret["root"]]
    return [derive_secret(text, f"webhooks {host}") for text in texts[:SIGNING_AT_ONCE]]


def try_link_secrets(now: Instant) -> list[bytes]:
    """Return what `link_secrets` does, or nothing where it cannot be read within seconds: for who must not wait for it.

    What could not be read is not asked for again for a minute.
    """
    if now < _missed[0] + READERS_LOOK_MS:
        return []
    try:
        return _list_link_secrets(_secret(hurried=True))
    except (TryAgain, *_BROKEN):
        _missed[0] = now
        return []


def renew(now: Instant, *, after_ms: int) -> bool:
    """Have the secret read anew when next needed, if this process has not for so long; say whether it will be.

    So a key that was added is known to processes that run: one that signs looks every ten minutes, and one that reads
    a link of a key that it does not know looks at once, but not more than once a minute.
    """
    if now < _looked[0] + after_ms:
        return False
    _looked[0] = now
    _secret.cache_clear()
    return True


def forget() -> None:
    """Read the secret anew when next needed; for tests."""
    _secret.cache_clear()
    _looked[0] = _missed[0] = 0
    clients.forget()


SIGNING_AT_ONCE: Final = 2
"""Keys that sign a webhook, while its receiver still knows the older one alone."""
SIGNERS_LOOK_MS: Final = 10 * MINUTE
READERS_LOOK_MS: Final = 1 * MINUTE
_looked: Final = [0]
_missed: Final = [0]
_BROKEN: Final = (ValueError, KeyError, TypeError, AttributeError)
"""What comes of a secret that is not what the template makes it."""


@cache
def _secret(*, hurried: bool = False) -> dict[str, Any]:
    limits = {"attempts": 1, "read_timeout_seconds": 2} if hurried else {}
    with clients.transient("secret"):
        answer = clients.client("secretsmanager", **limits).get_secret_value(SecretId=require("SECRET_ARN"))
    secret: dict[str, Any] = json.loads(answer["SecretString"])
    return secret


def _list_link_secrets(secret: dict[str, Any]) -> list[bytes]:
    newer = [derive_secret(text, "links") for text in secret.get("links", ())]
    return [*newer, derive_secret(secret["root"], "links")]


def derive_secret(text: str, purpose: str) -> bytes:
    """Return the key for one purpose that follows from a secret text."""
    return hmac.new(text.encode(), purpose.encode(), sha256).digest()
