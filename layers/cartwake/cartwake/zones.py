"""Zones: timezones by name, and the clocks that a country has."""

from functools import lru_cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_OTHERS: Final = {"AC": "SH", "TA": "SH", "XK": "RS"}
"""Countries that numbers have and the table has not, and whose clocks are theirs."""


@lru_cache(maxsize=1_000)
def load_zone(name: str) -> ZoneInfo | None:
    """Return a timezone, or None where there is none of this name: to find that out takes 20 ms."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache(maxsize=250)
def list_zones(country: str) -> tuple[ZoneInfo, ...]:
    """Return the timezones of a country by its two letters; none where there is no such country."""
    names = _read_table().get(_OTHERS.get(country, country), [])
    return tuple(zone for name in names if (zone := load_zone(name)) is not None)


@lru_cache(maxsize=1)
def _read_table() -> dict[str, list[str]]:
    """Return the names by country, as the package of timezones tells them: read by who needs them, not at the start."""
    table: dict[str, list[str]] = {}
    text = resources.files("tzdata").joinpath("zoneinfo", "zone1970.tab").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            countries, _, name, *_ = line.split("\t")
            for country in countries.split(","):
                table.setdefault(country, []).append(name)
    return table
