"""The demo's shop: what it sells, as its pages and its events show it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

STATIC: Final = Path(__file__).parent / "static"
CURRENCY: Final = "EUR"


@dataclass(frozen=True, slots=True)
class Product:
    """Something the shop sells; `price` in whole units of the currency."""

    product_id: str
    name: str
    category: str
    variant: str
    price: int
    image: str
    tint: str


def load_products() -> dict[str, Product]:
    """Read the products, in the order in which the shop shows them."""
    listed = json.loads((STATIC / "products.json").read_text())
    return {product["product_id"]: Product(**product) for product in listed}


def describe(product: Product, url: str, *, quantity: int = 1) -> dict[str, Any]:
    """Return the properties of an event about a product; `url` is the shop's address."""
    return {
        "product_id": product.product_id,
        "name": product.name,
        "category": product.category,
        "variant": product.variant,
        "price": product.price,
        "quantity": quantity,
        "currency": CURRENCY,
        "url": f"{url}/#{product.product_id}",
        "image_url": f"{url}/static/products/{product.image}",
    }


def make_order(order_id: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the properties of "Order Completed" for what `describe` made of each line."""
    total = sum(line["price"] * line["quantity"] for line in lines)
    return {"order_id": order_id, "revenue": total, "total": total, "currency": CURRENCY, "products": lines}
