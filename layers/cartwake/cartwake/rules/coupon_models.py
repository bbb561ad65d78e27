"""Model of coupons/*.json: the settings of a pool of codes."""

from typing import Annotated

from pydantic import Field

from cartwake.rules.base import File, Rule
from cartwake.rules.words import Duration, Line

_PREFIX = r"^[A-Z0-9][A-Z0-9_-]{0,19}$"


class Generate(Rule):
    """Codes that Cartwake makes, one for each shopper; nobody can guess them."""

    elsewhere = {"count": "As many codes are made as are needed."}
    prefix: Annotated[str, Field(pattern=_PREFIX)] | None = Field(
        None, description="How every code begins: upper-case letters, digits, `-` and `_`.", examples=["BACK-"]
    )
    length: Annotated[int, Field(ge=6, le=20)] = Field(
        8, description="How many letters and digits follow.", examples=[8]
    )


class Coupons(File):
    """coupons/<name>.json: the settings of a pool of codes; the codes themselves stand in coupons/<name>.csv.

    Without a `.csv` it makes the codes that are given, as `generate` says. A `.csv` needs no `.json` beside it.
    """

    elsewhere = {
        "codes": "Codes stand in the file of the same name that ends in .csv, one in a line, under the heading code.",
        "expires": "The date of each code stands in the .csv, in a column expires; here it is a time from giving.",
    }
    name: Line = Field(description="What people call it.", examples=["10 % for coming back"])
    valid_for: Duration | None = Field(
        None,
        description="How long a code is good after it was given, if it is not over sooner by its own date. Until then "
        "the same shopper gets the same code in this step, afterwards another one. If nothing is said: always.",
        examples=["14 days"],
    )
    low_at: Annotated[int, Field(ge=0, le=10_000)] = Field(
        100,
        description="With fewer free codes than this an alarm is raised; 0: never. Generated codes never run out.",
        examples=[100],
    )
    generate: Generate | None = Field(
        None,
        description="Codes are made, and not imported. Your shop hears of each by the event Coupon Given, or has them "
        "listed: `cartwake coupons POOL --csv`.",
        examples=[{"prefix": "BACK-", "length": 8}],
    )
