"""Importing: the codes in coupons/*.csv become free codes, as many times over as anybody likes."""

from collections.abc import Callable, Mapping
from itertools import batched
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from cartwake.bundles import Bundle, Pool
from cartwake.errors import TryAgain
from cartwake.gateways import bucket
from cartwake.rules.codes import CodeFile, read_codes
from cartwake.rules.faults import Faulty
from cartwake.rules.files import name_of
from cartwake.stocks import STATUS, Stock, decode_stocks, encode_stocks, list_missing, list_surplus, sum_up
from cartwake.store import coupons
from cartwake.telemetry import logger
from cartwake.times import Instant

FOLDER: Final = "coupons/"
_ENDING: Final = ".csv"
_MOST_ROUNDS: Final = 4


def import_codes(rules: Bundle, now: Instant, *, has_time: Callable[[], bool]) -> None:
    """Bring the free codes of every pool up to date with its file, where that has changed since it was imported.

    Args:
        rules: The live ones.
        now: The time.
        has_time: Whether another hundred codes may be begun.

    Raises:
        TryAgain: The time is over, or files keep changing; what was done is done, and the next call goes on.
    """
    importer = _Importer(rules, now, has_time)
    for _ in range(_MOST_ROUNDS):
        files = bucket.list_etags(FOLDER, ending=_ENDING)
        before = decode_stocks(bucket.read(STATUS))
        stocks = importer.bring_up(files, before)
        if stocks != before:
            bucket.write(STATUS, encode_stocks(stocks))
        # whoever ends last has seen the last state of the files
        if bucket.list_etags(FOLDER, ending=_ENDING) == files:
            return
    raise TryAgain("the files with coupons kept changing while they were imported")


class _Importer:
    """Imports files, one after the other."""

    def __init__(self, rules: Bundle, now: Instant, has_time: Callable[[], bool]) -> None:
        self._rules, self._now, self._has_time = rules, now, has_time

    def bring_up(self, files: Mapping[str, str], before: Mapping[str, Stock]) -> dict[str, Stock]:
        """Return what is known of each pool after importing the files that are others than before."""
        stocks = dict(before)
        for key, etag in files.items():
            if stocks.get(name_of(key), Stock()).etag != etag:
                stocks[name_of(key)] = self._import_file(key, etag)
        # what was deleted and is still named somewhere is still in use
        there = {name_of(key) for key in files} | set(self._rules.pools)
        for name in before.keys() - there:
            coupons.delete_free(name, [code for code, _ in coupons.list_free(name).values()])
            del stocks[name]
        return stocks

    def _import_file(self, key: str, etag: str) -> Stock:
        name = name_of(key)
        zone = ZoneInfo(self._rules.settings.timezone)
        try:
            found = read_codes(key, bucket.read(key) or b"", zone)
        except Faulty as error:
            return Stock(etag=etag, problem=" ".join(fault.message for fault in error.faults))
        stock = self._move(name, found)
        logger.info("coupons imported", pool=name, imported=stock.imported, removed=stock.removed)
        pool = self._rules.pools.get(name, Pool())
        return sum_up(found, msgspec.structs.replace(stock, etag=etag), pool, self._now)

    def _move(self, name: str, found: CodeFile) -> Stock:
        """Write what differs; a code that somebody has is looked for first, and is not made free."""
        free = coupons.list_free(name)
        surplus = list_surplus(found.codes, free, self._now)
        coupons.delete_free(name, [free[code][0] for code in surplus])
        missing, given, added = list_missing(found.codes, free, self._now), 0, 0
        for some in batched(missing, coupons.AT_ONCE, strict=False):
            if not self._has_time():
                raise TryAgain(f"{len(missing) - given - added} codes of the pool {name} are not imported yet")
            taken = coupons.find_taken(some)
            coupons.put_free(name, {found.codes[code][0]: found.codes[code][1] for code in some if code not in taken})
            given += len(taken)
            added += len(some) - len(taken)
        # one that is free already, with another end, is among those that are missing
        left = len(free.keys() - set(surplus) - set(missing)) + added
        return Stock(imported=added, removed=len(surplus), free=left, given=given)
