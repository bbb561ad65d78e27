"""The stack's one secret, from which every key is derived; read once a process."""

import hmac
import json
from functools import cache
from hashlib import sha256
from typing import Any

from cartwake.gateways import clients
from cartwake.settings import require


def address_secret() -> bytes:
    """Return the key of the address hashes: never rotated, or every suppression would be forgotten."""
    return derive_secret(_secret()["root"], "addresses")


def coupon_secret() -> bytes:
    """Return the key from which generated coupons follow."""
    return derive_secret(_secret()["root"], "coupons")


def link_secrets() -> list[bytes]:
    """Return the keys of signed links, the newest first: it signs, all verify.

    To rotate, put a list `links` of texts into the secret, the newest first; links signed before stay valid.
    """
    secret = _secret()
    newer = [derive_secret(text, "links") for text in secret.get("links", ())]
    return [*newer, derive_secret(secret["root"], "links")]


def forget() -> None:
    """Read the secret anew when next needed; for tests."""
    _secret.cache_clear()
    clients.forget()


@cache
def _secret() -> dict[str, Any]:
    with clients.transient("secret"):
        answer = clients.client("secretsmanager").get_secret_value(SecretId=require("SECRET_ARN"))
    secret: dict[str, Any] = json.loads(answer["SecretString"])
    return secret


def derive_secret(text: str, purpose: str) -> bytes:
    """Return the key for one purpose that follows from a secret text."""
    return hmac.new(text.encode(), purpose.encode(), sha256).digest()
