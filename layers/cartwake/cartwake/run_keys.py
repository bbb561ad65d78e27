"""Run keys: what a run is about where a shopper may be on a journey several times at once, such as an order."""

from typing import Any, Final

from cartwake.events import derive_id, short_id
from cartwake.values import find_value, list_texts

MOST_ACTIVE: Final = 100
"""So many runs of one journey go on for a shopper at once: keys come from outside, also from a browser."""
_LONGEST_BYTES: Final = 100


def read_key(properties: dict[str, Any], path: str) -> str:
    """Return the key that *path* leads to: a text, or a number as text; "" where there is no such thing, or several.

    1, 1.0 and " 1 " are one key; upper and lower case are two. A long one is stood for by a hash of it.
    """
    value = find_value(properties, path) if path else None
    if isinstance(value, list):
        return ""
    key = next((text.strip() for text in list_texts(value)), "")
    return key if len(key.encode()) <= _LONGEST_BYTES else derive_id("run key", key)


def stand_for(key: str) -> int:
    """Return the number that stands for a key in a profile's state; 0: there is none."""
    return short_id(key) if key else 0
