"""Tokens: signed for one purpose, and good for that alone."""

from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Final

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

LONGEST_TOKEN: Final = 800
"""In characters; of all but clicks, which hold where they lead."""
LONGEST_CLICK: Final = 3_000


class Purpose(StrEnum):
    """What a token permits; it is part of the key, so a token for one is none for another."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"
    CLICK = "click"
    VISIT = "visit"
    EXPORT = "export"
    ERASE = "erase"


def seal(purpose: Purpose, content: bytes, secrets: Sequence[bytes]) -> str:
    """Return *content*, readable and signed by the first of *secrets*."""
    return _sign_with(secrets, purpose).sign(base64_encode(content)).decode()


def unseal(purpose: Purpose, token: str, secrets: Sequence[bytes]) -> bytes | None:
    """Return what was signed by any of *secrets*, or None: changed, made for another purpose, or no token at all."""
    longest = LONGEST_CLICK if purpose is Purpose.CLICK else LONGEST_TOKEN
    if not secrets or len(token) > longest or not token.isascii() or not _is_canonical(token):
        return None
    try:
        return base64_decode(_sign_with(secrets, purpose).unsign(token))
    except BadData:
        return None


def _sign_with(secrets: Sequence[bytes], purpose: Purpose) -> Signer:
    oldest_first = list(reversed(secrets))
    return Signer(oldest_first, salt=f"cartwake.{purpose}", key_derivation="hmac", digest_method=sha256)


def _is_canonical(token: str) -> bool:
    """A signature has one spelling: base64 readers ignore stray bits and characters, so look at them here."""
    signature = token.rpartition(".")[2]
    try:
        return base64_encode(base64_decode(signature)) == signature.encode()
    except BadData:
        return False
