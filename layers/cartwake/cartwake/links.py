"""Links: signed tokens for addresses on our own pages; they name a message and a key, never an e-mail address."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec
from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from cartwake.statements import Channel

LONGEST_TOKEN: Final = 800
_UNSUBSCRIBE: Final = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """What an unsubscribe link says: who, by which message, and which address it stops.

    Attributes:
        who: The key under which the message stands.
        message: The message's id.
        address_key: Key of the row of the addresses table.
        channel: What is unsubscribed from.
    """

    who: str
    message: str
    address_key: str
    channel: Channel


def unsubscribe_url(base: str, link: Unsubscribe, secrets: Sequence[bytes]) -> str:
    """Return the address of the page, under 900 characters; it never expires.

    Args:
        base: Scheme and host of the public endpoint.
        link: What the address stands for.
        secrets: The newest first: it signs, all verify.
    """
    payload = _encoder.encode((link.who, link.message, link.address_key, link.channel))
    token = _sign_with(secrets, _UNSUBSCRIBE).sign(base64_encode(payload)).decode()
    return f"{base.rstrip('/')}/{_UNSUBSCRIBE}/{token}"


def read_unsubscribe(token: str, secrets: Sequence[bytes]) -> Unsubscribe | None:
    """Return what the token stands for, or None: tampered with, made for another purpose, or no token at all."""
    if len(token) > LONGEST_TOKEN or not token.isascii() or not _is_canonical(token):
        return None
    try:
        payload = base64_decode(_sign_with(secrets, _UNSUBSCRIBE).unsign(token))
    except BadData:
        return None
    return Unsubscribe(*_decoder.decode(payload))


def _sign_with(secrets: Sequence[bytes], purpose: str) -> Signer:
    """A token for one purpose is none for another: the purpose is part of the key."""
    oldest_first = list(reversed(secrets))
    return Signer(oldest_first, salt=f"cartwake.{purpose}", key_derivation="hmac", digest_method=sha256)


def _is_canonical(token: str) -> bool:
    """A signature has one spelling: base64 readers ignore stray bits and characters, so look at them here."""
    signature = token.rpartition(".")[2]
    try:
        return base64_encode(base64_decode(signature)) == signature.encode()
    except BadData:
        return False


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(tuple[str, str, str, Channel])
