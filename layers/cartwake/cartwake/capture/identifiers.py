"""Identifiers as clients send them: text or whole numbers, not too long, and not a word that means nobody."""

from typing import Any, Final

import msgspec

from cartwake.capture.vetting import vet
from cartwake.errors import BadInput
from cartwake.reasons import Refusal

LONGEST_ID_BYTES: Final = 180
PLACEHOLDERS: Final = frozenset(
    {
        "", "-", "0", "-1", "n/a", "na", "nan", "nil", "none", "null", "undefined", "unknown", "anonymous", "guest",
        "not_authenticated", "id", "email", "true", "false", "[object object]", "{}", "[]",
        "00000000-0000-0000-0000-000000000000",
    }
)  # fmt: skip
"""What programs send where they know nobody: under such an id the events of strangers would become one shopper."""


class _Person(msgspec.Struct, rename="camel"):
    """Whom an event names; everything else in it is passed over unread."""

    user_id: Any = None
    anonymous_id: Any = None


def read_id(data: dict[str, Any], name: str) -> str:
    """Return the identifier *name* as text; "" where it is absent or null.

    Raises:
        BadInput: Neither text nor a whole number, or longer than 180 bytes of UTF-8.
    """
    value = data.get(name)
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (bool, int)):
        value = str(value)
    if not isinstance(value, str):
        raise BadInput(Refusal.INVALID_EVENT, f'{name} must be text or a number, such as "u-1001"', where=name)
    if len(value.encode()) > LONGEST_ID_BYTES:
        raise BadInput(Refusal.ID_TOO_LONG, f"{name} is longer than {LONGEST_ID_BYTES} bytes", where=name)
    return value


def name_who(user_id: str, anonymous_id: str) -> str:
    """Return the key under which an event is stored: the user's, else the visitor's, or "" for nobody's."""
    if user_id:
        return f"u#{user_id}"
    return f"a#{anonymous_id}" if anonymous_id else ""


def find_who(raw: bytes) -> str:
    """Return the key of whoever an event names that cannot be accepted, or "": only to tell them why it was not."""
    try:
        told = _persons.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return name_who(_read_plain(told.user_id), _read_plain(told.anonymous_id))


def _read_plain(value: object) -> str:
    try:
        vet(value)
        text = read_id({"": value}, "")
    except BadInput:
        return ""
    return "" if is_placeholder(text) else text


def is_placeholder(text: str) -> bool:
    """Say whether an identifier that was sent stands for nobody."""
    return text.strip().casefold() in PLACEHOLDERS


def read_person(data: dict[str, Any]) -> tuple[str, str]:
    """Return the user id and the anonymous id of an event, "" for the one that is absent; one of them is not.

    A placeholder beside a good identifier is passed over.

    Raises:
        BadInput: There is nobody whom the event could belong to.
    """
    user_id, anonymous_id = read_id(data, "userId"), read_id(data, "anonymousId")
    known_user = "" if is_placeholder(user_id) else user_id
    known_anonymous = "" if is_placeholder(anonymous_id) else anonymous_id
    if known_user or known_anonymous:
        return known_user, known_anonymous
    for name in ("userId", "anonymousId"):
        if data.get(name) is not None:
            raise BadInput(
                Refusal.PLACEHOLDER_ID, f"{name} stands for nobody; leave it out until one is known", where=name
            )
    raise BadInput(Refusal.NO_IDENTITY, "userId or anonymousId is needed", where="userId")


_persons: Final = msgspec.json.Decoder(_Person)
