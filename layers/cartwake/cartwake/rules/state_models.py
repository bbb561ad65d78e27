"""Models of conditions on where somebody stands: cart, lifecycle, engagement, predictions."""

from typing import Annotated, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from cartwake.carts import Item
from cartwake.rules.base import Rule, complain
from cartwake.rules.faults import find_nearest, name_all
from cartwake.rules.profile_models import FutureDateTests
from cartwake.rules.value_models import Bounds, NumberTests, Where, list_bounds, need_bound
from cartwake.rules.vocabulary import SAME
from cartwake.rules.words import Duration, is_list

FITTED: Final = ("churn_risk", "expected_orders", "expected_value")
"""Predictions that need predictions.json."""
_PERCENT: Final = 100
_ITEM: Final = Item.__struct_fields__
_ALIKE: Final = 0.7

LifecycleName = Literal[
    "prospect", "new", "champions", "loyal", "promising", "needs_attention", "at_risk", "about_to_lose", "lost"
]
EngagementName = Literal["clicker", "active", "inactive"]


class Cart(Rule):
    """The cart: what was put in and not taken out since the last order."""

    begins = "cart"
    shown = (
        {"cart": "open", "value": {"at_least": 50}, "untouched_for": "2 hours"},
        {"cart": "open", "item": {"category": "shoes", "price": {"at_least": 100}}},
        {"cart": "empty"},
    )
    cart: Literal["open", "empty"] = Field(description="Whether there is anything in it.", examples=["open"])
    value: NumberTests | None = Field(None, description="What all of it costs.", examples=[{"at_least": 50}])
    quantity: NumberTests | None = Field(None, description="How many pieces are in it.", examples=[{"at_least": 3}])
    item: Where | None = Field(
        None,
        description=f"One of its items passes all of these tests. An item has {', '.join(_ITEM)}.",
        examples=[{"category": "shoes"}],
        json_schema_extra={"propertyNames": {"enum": [*_ITEM]}},
    )
    untouched_for: Duration | None = Field(
        None, description="It was last changed longer ago than this.", examples=["2 hours"]
    )

    @model_validator(mode="after")
    def _know_item(self) -> "Cart":
        for key in self.item or {}:
            if key not in _ITEM:
                raise complain(
                    f'An item of the cart has no "{key}"; it has {name_all(_ITEM)}.',
                    suggestion=_find_key(key),
                    path=f"item.{key}",
                )
        return self

    @model_validator(mode="after")
    def _open(self) -> "Cart":
        said = next((name for name in ("value", "quantity", "item", "untouched_for") if getattr(self, name)), "")
        if self.cart == "empty" and said:
            raise complain(f'Of an empty cart there is no "{said}".', path=said, example='"cart": "open"')
        return self


def _find_key(key: str) -> str:
    """Return the key of an item that is meant: events of other shops say `product_name`, or `products.name`."""
    last = key.rpartition(".")[2].lower()
    bare = last.removeprefix("product").removeprefix("item").strip("_- ")
    known = (each for each in (last, bare, SAME.get(bare)) if each in _ITEM)
    return next(known, "") or find_nearest(bare, _ITEM, likeness=_ALIKE)


class Lifecycle(Rule):
    """Where a customer stands by the last order, how many there were, and what they were worth.

    The groups are disjoint, and everybody is in one of them. settings.json says where they end: lifecycle.
    """

    begins = "lifecycle"
    shown = ({"lifecycle": "champions"}, {"lifecycle": ["at_risk", "about_to_lose"]})
    lifecycle: Annotated[
        Annotated[LifecycleName, Tag("<value>")]
        | Annotated[list[LifecycleName], Field(min_length=1, max_length=9), Tag("<list>")],
        Discriminator(is_list),
    ] = Field(description="A group, or several of them.", examples=["champions", ["at_risk", "about_to_lose"]])


class Engagement(Rule):
    """Whether somebody clicks, is active, or does nothing any more.

    The groups are disjoint, and everybody is in one of them. settings.json says where they end: engagement.
    """

    begins = "engagement"
    shown = ({"engagement": "clicker"}, {"engagement": ["clicker", "active"]})
    engagement: Annotated[
        Annotated[EngagementName, Tag("<value>")]
        | Annotated[list[EngagementName], Field(min_length=1, max_length=3), Tag("<list>")],
        Discriminator(is_list),
    ] = Field(description="A group, or several of them.", examples=["active", ["clicker", "active"]])


Prediction = Literal["next_order", "churn_risk", "rhythm", "orders", "value", "expected_orders", "expected_value"]


class Predicted(Bounds, FutureDateTests):
    """What somebody's orders so far let expect.

    next_order: when the next one is due, by their own rhythm. rhythm: days between orders. churn_risk: the chance, in
    percent, that there will be none any more. orders, value: all until now. expected_orders, expected_value: of the
    next 365 days. settings.json says which event is an order, and where its value stands: orders. An order without a
    value that is a number does not count, not even as an order. churn_risk and what is expected come from a model that
    `cartwake fit` fits to the shop's own orders: predictions.json.
    """

    begins = "predicted"
    shown = (
        {"predicted": "next_order", "in_next": "7 days"},
        {"predicted": "rhythm", "at_most": 45},
        {"predicted": "value", "at_least": 500},
        {"predicted": "churn_risk", "more_than": 70},
    )
    predicted: Prediction = Field(description="Which prediction.", examples=["churn_risk", "next_order", "value"])

    @model_validator(mode="after")
    def _fit_prediction(self) -> "Predicted":
        bounds = list_bounds(self)
        if self.predicted == "next_order":
            if bounds or not self.is_dated:
                message = '"next_order" is a date, seen from now: "in_next", "in_last" or "before".'
                raise complain(message, path=next(iter(bounds), "in_next"), example='"in_next": "7 days"')
            return self
        if self.is_dated:
            said = next(name for name in ("in_last", "before", "in_next") if getattr(self, name))
            raise complain(f'"{self.predicted}" is a number; "{said}" is for next_order.', path=said)
        need_bound(self, "the prediction")
        beyond = [name for name, bound in bounds.items() if self.predicted == "churn_risk" and bound > _PERCENT]
        if beyond:
            raise complain("A chance is at most 100 percent.", path=beyond[0], example=f'"{beyond[0]}": 70')
        return self
