"""Devices: the phones and tablets on which a shopper's app was seen, as a trusted source told them.

Each is a register under the device's own id; its value is what a push message needs, `ios <token>`, or "" once it is
gone. So events may be folded in any order, and the five that were told last are the same ones.
"""

import re
from typing import Any, Final

from cartwake import registers
from cartwake.events import Event, Trust, short_id
from cartwake.registers import Register

MOST: Final = 5
PLATFORMS: Final = ("ios", "android")
UNINSTALLED: Final = "Application Uninstalled"
"""Asserted by a server: the device of `context.device` is gone."""
BOUNCED: Final = "Push Notification Bounced"
"""Our own: `{"device": "...", "address_id": "..."}`; the device takes nothing any more until it is told again."""
TAPPED: Final = "Push Notification Tapped"
"""Our own: the link of a push message was followed."""
_LONGEST_ID: Final = 100
_ADDRESS: Final = re.compile(r"(?:ios|android) [A-Za-z0-9_:.-]{16,1000}")


def read(event: Event) -> dict[str, Register]:
    """Return the device of which an event tells, or nothing.

    A `token` tells where it is reached; an empty one, or an uninstalled app, that it is reached no more.
    """
    if event.name == BOUNCED:
        key = event.properties.get("device") if event.trust is Trust.OWN else None
        return {key: Register("", event.occurred_at, event.short_id)} if isinstance(key, str) and key else {}
    told, gone = event.context.get("device"), event.name == UNINSTALLED
    if not isinstance(told, dict) or not ("token" in told or gone):
        return {}
    address = spell(f"{told.get('type')} {told['token']}") if told.get("token") else ""
    key = _name(told.get("id"), address)
    if (address is None and not gone) or not key:
        return {}
    return {key: Register("" if gone else address, event.occurred_at, event.short_id)}


def spell(text: str) -> str | None:
    """Return the one spelling of what reaches a device, or None when it is nothing of the kind."""
    platform, _, token = text.strip().partition(" ")
    spelled = f"{platform.lower()} {token}"
    return spelled if _ADDRESS.fullmatch(spelled) else None


def join(left: dict[str, Register], right: dict[str, Register]) -> dict[str, Register]:
    """Return the latest of both for each device, and of too many those that were told last."""
    joined = registers.join(left, right) if right else left
    if len(joined) <= MOST:
        return joined
    kept = sorted(joined, key=lambda key: (*registers.rank(joined[key]), key))[-MOST:]
    return {key: value for key, value in joined.items() if key in kept}


def list_addresses(devices: dict[str, Register]) -> dict[str, Register]:
    """Return what reaches each device that is still there, and when that was told; the one that was seen last first."""
    found: dict[str, Register] = {}
    for key in sorted(devices, key=lambda key: (*registers.rank(devices[key]), key), reverse=True):
        if devices[key].value:
            found.setdefault(devices[key].value, devices[key])
    return found


def find_last(devices: dict[str, Register]) -> Register | None:
    """Return the device that was seen last, or None."""
    return next(iter(list_addresses(devices).values()), None)


def find_key(devices: dict[str, Register], address: str) -> str:
    """Return under what a device stands that is reached by *address*; "" where there is none."""
    return next((key for key, device in sorted(devices.items()) if device.value == address), "")


def hand_over(devices: dict[str, Register], address: str, told: Register) -> dict[str, Register]:
    """Return the devices without the one that somebody else was on later, as *told*."""
    gone = Register("", told.at, told.id)
    return join(devices, {key: gone for key, device in devices.items() if device.value == address})


def _name(told: Any, address: str | None) -> str:
    """Return the key of a device: its own id, else what stands for its token."""
    if isinstance(told, str) and 0 < len(told) <= _LONGEST_ID:
        return told
    return format(short_id(address), "x") if address else ""
