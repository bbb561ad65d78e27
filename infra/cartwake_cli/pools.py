"""The codes of a pool, read from the deployed table: which are free, who has which, and which were used."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final

from cartwake.coupons import normalise_code
from cartwake.times import NEVER, format_instant
from cartwake_cli.cloud import Client

COLUMNS: Final = ("code", "state", "who", "journey", "given_at", "expires_at", "redeemed_at", "order")
_FORMULA: Final = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code and what became of it; times are instants, 0 where there is none."""

    code: str
    pool: str = ""
    who: str = ""
    journey: str = ""
    given_at: int = 0
    until: int = NEVER
    redeemed_at: int = 0
    order: str = ""

    def state(self, now: int) -> str:
        """Return `free`, `given`, `redeemed` or `expired`."""
        if self.redeemed_at:
            return "redeemed"
        if self.until <= now:
            return "expired"
        return "given" if self.given_at else "free"


def list_codes(table: Client, pool: str) -> list[Code]:
    """Return every code of a pool, those that were given in the order in which they were."""
    found = [_read(row) for row in _scan(table, pool) if str(row["shelf"]).startswith(("free#", "code#"))]
    return sorted(found, key=lambda code: (code.given_at, code.code))


def list_of_shopper(table: Client, who: str) -> list[Code]:
    """Return the codes that were given under one key, or were used by it, with what became of them."""
    asked = {"KeyConditionExpression": "shelf = :shelf", "ExpressionAttributeValues": {":shelf": f"who#{who}"}}
    rows = table.query(ConsistentRead=True, **asked)["Items"]
    keys = dict.fromkeys(f"code#{normalise_code(str(row['code']))}" for row in rows)
    found = (table.get_item(Key={"shelf": key, "item": "-"}, ConsistentRead=True).get("Item") for key in keys)
    return sorted((_read(row) for row in found if row), key=lambda code: (code.given_at, code.code))


def write_csv(codes: Iterable[Code], now: int) -> str:
    """Return the codes as a spreadsheet reads them; nothing in it is a formula."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for code in codes:
        times = [_show(at) for at in (code.given_at, code.until, code.redeemed_at)]
        cells = (code.code, code.state(now), code.who, code.journey, *times, code.order)
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return out.getvalue()


def _scan(table: Client, pool: str) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {
        "FilterExpression": "#pool = :pool",
        "ExpressionAttributeNames": {"#pool": "pool"},
        "ExpressionAttributeValues": {":pool": pool},
    }
    page = table.scan(**asked)
    yield from page["Items"]
    while "LastEvaluatedKey" in page:
        page = table.scan(**asked, ExclusiveStartKey=page["LastEvaluatedKey"])
        yield from page["Items"]


def _read(row: dict[str, Any]) -> Code:
    return Code(
        code=str(row["code"]),
        pool=str(row["pool"]),
        who=str(row.get("who") or ""),
        journey=str(row.get("journey") or ""),
        given_at=int(row.get("given_at") or 0),
        until=NEVER if row.get("until") is None else int(row["until"]),
        redeemed_at=int(row.get("redeemed_at") or 0),
        order=str(row.get("order") or ""),
    )


def _show(at: int) -> str:
    return "" if at in (0, NEVER) else format_instant(at)
