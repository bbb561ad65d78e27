"""Vetting: what every value of an event must be, so that it can be stored, read again and counted with."""

from math import isfinite
from typing import Any, Final

import msgspec

from cartwake.errors import BadInput
from cartwake.reasons import Refusal

LARGEST_EVENT_BYTES: Final = 32 * 1024
DEEPEST: Final = 12
LARGEST_NUMBER: Final = 2**63


def decode_event(raw: bytes) -> dict[str, Any]:
    """Return an event as an object in which every value can be stored and read again.

    Raises:
        BadInput: It is too large, broken, no object, or holds something that cannot be kept.
    """
    if len(raw) > LARGEST_EVENT_BYTES:
        raise BadInput(Refusal.EVENT_TOO_LARGE, f"{len(raw)} bytes; an event may have {LARGEST_EVENT_BYTES}")
    try:
        data = msgspec.json.decode(raw)
    except UnicodeDecodeError as error:
        raise BadInput(Refusal.INVALID_TEXT, "there is text that is not UTF-8") from error
    except RecursionError as error:
        raise _too_deep("") from error
    except msgspec.ValidationError as error:
        raise BadInput(Refusal.INVALID_NUMBER, "a number is NaN, infinite or too large; send null or text") from error
    except msgspec.DecodeError as error:
        raise BadInput(Refusal.INVALID_JSON, str(error)) from error
    if not isinstance(data, dict):
        raise BadInput(
            Refusal.INVALID_EVENT, 'an event is an object, such as {"type": "track", "event": "Order Completed"}'
        )
    vet(data)
    return data


def vet(value: object, *, where: str = "", levels: int = DEEPEST) -> None:
    """Go through a decoded value and refuse what cannot be stored, naming where it is.

    Raises:
        BadInput: NUL in a text, a number beyond 64 bits, or more than *levels* levels.
    """
    match value:
        case str():
            if "\x00" in value:
                raise BadInput(Refusal.INVALID_TEXT, "NUL, or half of a surrogate pair, in a text", where=where)
        case bool() | None:
            return
        case int() | float():
            if abs(value) >= LARGEST_NUMBER or not isfinite(value):  # only small whole numbers become floats
                raise BadInput(Refusal.INVALID_NUMBER, "too large a number; send it as text", where=where)
        case dict():
            for name, child in _descend(value, where, levels).items():
                vet(name, where=where)
                vet(child, where=f"{where}.{name}" if where else name, levels=levels - 1)
        case list():
            for position, child in enumerate(_descend(value, where, levels)):
                vet(child, where=f"{where}[{position}]", levels=levels - 1)


def _descend[T](value: T, where: str, levels: int) -> T:
    if levels == 0:
        raise _too_deep(where)
    return value


def _too_deep(where: str) -> BadInput:
    return BadInput(Refusal.TOO_DEEP, f"nested deeper than {DEEPEST} levels", where=where)
