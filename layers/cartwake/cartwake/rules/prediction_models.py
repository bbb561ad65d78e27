"""Models of predictions.json: what `cartwake fit` learned from the orders of all shoppers."""

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from cartwake.conditions.buying import BOUNDS, Parameters
from cartwake.rules.base import File, Rule, complain


def _check_day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise complain("Should be a day.", example='"2026-11-22"') from None


def _between(name: str) -> Any:
    least, most = BOUNDS[name]
    return Field(ge=least, le=most)


Day = Annotated[str, AfterValidator(_check_day), WithJsonSchema({"type": "string", "format": "date"})]


class Buying(Rule):
    """How often shoppers buy, and how they stop: BG/NBD, by Fader, Hardie and Lee, 2005. Unit of time: a day."""

    r: Annotated[float, _between("r")] = Field(
        description="Shape of the spread of purchase rates: the smaller, the more shoppers differ.", examples=[0.243]
    )
    alpha: Annotated[float, _between("alpha")] = Field(
        description="Scale of that spread: shoppers who are still there buy r / alpha times a day.", examples=[30.9]
    )
    a: Annotated[float, _between("a")] = Field(
        description="After a purchase a / (a + b) of the shoppers leave for good.", examples=[0.793]
    )
    b: Annotated[float, _between("b")] = Field(description="See a.", examples=[2.426])


class Spending(Rule):
    """What a purchase is worth: Gamma-Gamma, by Fader and Hardie, 2013. Unit: the shop's currency."""

    p: Annotated[float, _between("p")] = Field(
        description="The greater, the more alike are the purchases of one shopper.", examples=[6.25]
    )
    q: Annotated[float, _between("q")] = Field(
        description="The greater, the more alike are shoppers; above 1.", examples=[3.74]
    )
    v: Annotated[float, _between("v")] = Field(
        description="Scale: the mean purchase is worth p · v / (q - 1).", examples=[15.44]
    )


class Predictions(File):
    """predictions.json: what predictions are made with. `cartwake fit` writes it; nobody needs to edit it."""

    fitted_at: Day = Field(description="The day up to which the orders went.", examples=["2026-11-22"])
    customers: Annotated[int, Field(ge=1)] = Field(description="How many shoppers' orders.", examples=[23570])
    buying: Buying = Field(
        description="How often shoppers buy, and how they stop.",
        examples=[{"r": 0.243, "alpha": 30.9, "a": 0.793, "b": 2.426}],
    )
    spending: Spending = Field(description="What a purchase is worth.", examples=[{"p": 6.25, "q": 3.74, "v": 15.44}])


def compile_predictions(rule: Predictions) -> Parameters:
    """Return the parameters that conditions are evaluated with."""
    buying, spending = rule.buying, rule.spending
    return Parameters(
        r=buying.r,
        alpha=buying.alpha,
        a=buying.a,
        b=buying.b,
        p=spending.p,
        q=spending.q,
        v=spending.v,
        fitted_at=rule.fitted_at,
        customers=rule.customers,
    )
