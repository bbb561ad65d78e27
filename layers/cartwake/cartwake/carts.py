"""The cart: the set of its changes since the last order, from which its items are computed when needed."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from cartwake.events import ORDER_COMPLETED, PRODUCT_ADDED, PRODUCT_REMOVED, Event
from cartwake.times import Instant
from cartwake.values import parse_number

MOST_CHANGES: Final = 50
MOST_BYTES: Final = 32_000
_SHOWN: Final = ("name", "variant", "brand", "category", "sku", "url", "image_url", "currency")
_LONGEST_BYTES: Final = 300
_LONGEST_LINK_BYTES: Final = 1_000


class Change(msgspec.Struct, frozen=True, array_like=True):
    """A product put in (positive quantity) or taken out; quantity 0 takes out all of it."""

    at: Instant
    id: int
    product: str
    quantity: int
    shown: dict[str, str] = {}

    @property
    def rank(self) -> tuple[Instant, int]:
        """Its place in the order of changes."""
        return self.at, self.id


class Cart(msgspec.Struct, frozen=True, array_like=True):
    """Changes in order of time.

    Attributes:
        after_at: They are all later than this: the last order, or the last change that was too many.
        after_id: The short id of that event.
    """

    after_at: Instant = 0
    after_id: int = 0
    changes: tuple[Change, ...] = ()


class Item(msgspec.Struct, frozen=True):
    """A product in the cart, as a template sees it."""

    product_id: str
    name: str
    quantity: int
    price: Decimal
    total: Decimal
    currency: str = ""
    variant: str = ""
    brand: str = ""
    category: str = ""
    sku: str = ""
    url: str = ""
    image_url: str = ""


def fold(cart: Cart, event: Event, orders: str = ORDER_COMPLETED) -> Cart:
    """Return *cart* with what *event* did to it; the same object when it did nothing.

    Args:
        cart: As it was.
        event: Of any name.
        orders: The shop's own name for an order; the usual one counts beside it.
    """
    if event.name in (ORDER_COMPLETED, orders):
        return join(cart, Cart(event.occurred_at, event.short_id))
    if event.name not in (PRODUCT_ADDED, PRODUCT_REMOVED):
        return cart
    product = _text(event.properties.get("product_id")) or _text(event.properties.get("sku"))
    if not product:
        return cart
    return join(cart, Cart(changes=(_change(event, product),)))


def join(left: Cart, right: Cart) -> Cart:
    """Return the union of two carts: the changes since the later of their last orders, of too many the latest."""
    after = max((left.after_at, left.after_id), (right.after_at, right.after_id))
    both = sorted((*left.changes, *right.changes), key=_order)
    changes = list({change.rank: change for change in both if change.rank > after}.values())
    fitting = _count_fitting(changes)
    if fitting < len(changes):
        # Nothing as old as what is dropped is ever let in again: so the order of arrival makes no difference.
        after = changes[-fitting - 1].rank
    joined = Cart(*after, tuple(changes[len(changes) - fitting :]))
    return left if joined == left else joined


def list_items(cart: Cart) -> list[Item]:
    """Return what is in the cart now, the product that was put in first standing first."""
    quantities: dict[str, int] = {}
    shown: dict[str, dict[str, str]] = {}
    for change in cart.changes:
        quantity = quantities.get(change.product, 0) + change.quantity if change.quantity else 0
        quantities[change.product] = max(0, quantity)
        shown[change.product] = shown.get(change.product, {}) | change.shown
    return [_item(product, quantity, shown[product]) for product, quantity in quantities.items() if quantity]


def _count_fitting(changes: list[Change]) -> int:
    """Return how many of the latest changes are few and small enough to be kept."""
    size = 0
    for count, change in enumerate(reversed(changes)):
        size += len(msgspec.msgpack.encode(change))
        if count == MOST_CHANGES or size > MOST_BYTES:
            return count
    return len(changes)


def _order(change: Change) -> tuple[tuple[Instant, int], str, int, list[tuple[str, str]]]:
    """Order by time; should two shoppers have used one id for two changes, one of them is always the last."""
    return change.rank, change.product, change.quantity, sorted(change.shown.items())


def _change(event: Event, product: str) -> Change:
    quantity = parse_number(event.properties.get("quantity"))
    if event.name == PRODUCT_REMOVED:
        removed = max(1, int(abs(quantity))) if quantity else 0
        return Change(event.occurred_at, event.short_id, product, -removed)
    shown = {name: text for name in _SHOWN if (text := _show(name, event.properties.get(name)))}
    price = parse_number(event.properties.get("price"))
    if price is not None:
        shown["price"] = str(price)
    return Change(event.occurred_at, event.short_id, product, max(1, int(quantity or 1)), shown)


def _item(product: str, quantity: int, shown: dict[str, str]) -> Item:
    price = Decimal(shown.get("price", "0"))
    texts = {name: shown[name] for name in _SHOWN if name in shown and name != "name"}
    return Item(
        product_id=product,
        name=shown.get("name", product),
        quantity=quantity,
        price=price,
        total=price * quantity,
        **texts,
    )


def _show(name: str, value: Any) -> str:
    """Return what is shown of a product; a link that is too long to be kept whole is not kept."""
    if not name.endswith("url"):
        return _text(value)
    return value if isinstance(value, str) and len(value.encode()) <= _LONGEST_LINK_BYTES else ""


def _text(value: Any) -> str:
    text = str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    return text.encode()[:_LONGEST_BYTES].decode(errors="ignore")
