"""Stocks: what `_status/coupons.json` says of each pool of imported codes, and what an import has to do."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from cartwake.bundles import Bundle, Pool
from cartwake.rules.codes import CodeFile
from cartwake.times import Instant, format_instant

STATUS: Final = "_status/coupons.json"
type Codes = Mapping[str, tuple[str, Instant]]
"""By its normalised spelling, how each code is written, and its own end."""


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a pool of imported codes.

    Attributes:
        etag: Of the file that was imported last; "" when that did not come to its end.
        codes: How many good lines the file has.
        imported: How many codes its import has added.
        removed: How many it has taken out of the free ones: their lines are gone, or their dates over.
        free: How many could be given when they were last counted.
        given: How many of the file's codes shoppers had then.
        refused: How many lines are passed over.
        lines: The first of those, in words.
        problem: Why the file could not be read at all.
        low: Fewer are free than the pool's `low_at`.
    """

    etag: str = ""
    codes: int = 0
    imported: int = 0
    removed: int = 0
    free: int = 0
    given: int = 0
    refused: int = 0
    lines: tuple[str, ...] = ()
    problem: str = ""
    low: bool = False
    counted_at: str = ""


def list_missing(wanted: Codes, free: Codes, now: Instant) -> list[str]:
    """Return the codes to be made free that are not, or are with another end; in order, so that a rest is a rest."""
    return sorted(key for key, (_, until) in wanted.items() if until > now and free.get(key, (None, 0))[1] != until)


def list_surplus(wanted: Codes, free: Codes, now: Instant) -> list[str]:
    """Return the free codes that nobody shall be given any more."""
    return sorted(key for key in free if key not in wanted or wanted[key][1] <= now)


def sum_up(found: CodeFile, stock: Stock, pool: Pool, now: Instant) -> Stock:
    """Return *stock* with what its file says and whether it runs low."""
    return msgspec.structs.replace(
        stock,
        codes=len(found.codes),
        refused=found.refused_count,
        lines=tuple(f"line {each.line}: {each.message}" for each in found.refused),
        low=stock.free < pool.low_at,
        counted_at=format_instant(now),
    )


def count_anew(
    stocks: Mapping[str, Stock], counted: Mapping[str, int], rules: Bundle, now: Instant
) -> dict[str, Stock]:
    """Return *stocks* as they are after a count that went no further than each pool's `low_at`."""
    found = dict(stocks)
    for name, free in counted.items():
        stock, low = stocks.get(name, Stock()), free < rules.pools[name].low_at
        if low != stock.low or (low and free != stock.free):
            found[name] = msgspec.structs.replace(
                stock, low=low, free=free if low else max(free, stock.free), counted_at=format_instant(now)
            )
    return found


def list_watched(rules: Bundle) -> list[str]:
    """Return the pools that can run out."""
    return [name for name, pool in rules.pools.items() if not pool.length and pool.low_at]


def encode_stocks(stocks: Mapping[str, Stock]) -> bytes:
    """Return `_status/coupons.json`."""
    shown: dict[str, Any] = {
        "good": not any(each.problem or each.refused or each.low for each in stocks.values()),
        "message": _say(stocks),
        "pools": {name: msgspec.to_builtins(stock) for name, stock in sorted(stocks.items())},
    }
    return (json.dumps(shown, ensure_ascii=False, indent=2) + "\n").encode()


def decode_stocks(content: bytes | None) -> dict[str, Stock]:
    """Return what `encode_stocks` wrote; nothing when there is none, or somebody else wrote it."""
    if content is None:
        return {}
    try:
        return _decoder.decode(content).pools
    except msgspec.DecodeError:
        return {}


class _Status(msgspec.Struct):
    pools: dict[str, Stock] = {}


def _say(stocks: Mapping[str, Stock]) -> str:
    told = [
        *_name("cannot be read", (name for name, it in stocks.items() if it.problem)),
        *_name("not imported to the end yet", (name for name, it in stocks.items() if not it.etag and not it.problem)),
        *_name("low: add codes to the file", (name for name, it in stocks.items() if it.low)),
        *_name("with lines that are passed over", (name for name, it in stocks.items() if it.refused)),
    ]
    return f"{'; '.join(told)}." if told else "Every pool has codes."


def _name(what: str, names: Iterable[str]) -> list[str]:
    listed = ", ".join(sorted(names))
    return [f"{listed} {what}"] if listed else []


_decoder: Final = msgspec.json.Decoder(_Status)
