"""The filters of templates: the short list of what may be done to a value, and how money and dates read."""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Undefined, pass_context
from jinja2.filters import FILTERS as JINJA
from jinja2.runtime import Context

from cartwake.conditions.dates import read_date
from cartwake.sending.locales import find_locale
from cartwake.values import parse_number

MOST_ENTRIES: Final = 50
MOST_PLACES: Final = 6
LONGEST_JOINED: Final = 2_000
_CURRENCY: Final = re.compile(r"[A-Za-z]{3}")


def default(value: Any, otherwise: Any = "", for_false: Any = False) -> Any:  # noqa: FBT002  templates give it by position
    """What stands instead when a value is absent or empty, with `true` besides also when it is 0, false or an empty list: `{{ profile.first_name|default('there') }}`."""  # noqa: E501  it is a row of a table
    if isinstance(value, Undefined) or value is None or value == "" or (for_false and not value):
        return otherwise
    return value


@pass_context
def money(context: Context, amount: Any, currency: Any = None) -> str:
    """An amount in a currency (the shop's, when none is named): `{{ cart.total|money(cart.currency) }}`."""
    shop = context.get("shop", {})
    code = currency.upper() if is_currency(currency) else shop.get("currency", "")
    number = parse_number(str(amount) if isinstance(amount, Undefined) else amount)
    if number is None:
        raise ValueError("money needs a number")
    return format_money(number, code, language=_read_language(context))


@pass_context
def date(context: Context, value: Any) -> str:
    """The day of a date, by the shopper's calendar: `{{ event.starts_at|date }}` gives November 21, 2026."""
    from babel.dates import format_date  # noqa: PLC0415  as in `locales`

    day = read_date(str(value) if isinstance(value, Undefined) else value, ZoneInfo(context.get("timezone") or "UTC"))
    if day is None:
        raise ValueError("date needs a date")
    return format_date(day, "long", locale=find_locale(_read_language(context)))


def is_currency(code: object) -> bool:
    """Say whether something is a currency's code; of all else nothing is shown beside an amount."""
    return isinstance(code, str) and bool(_CURRENCY.fullmatch(code))


def format_money(number: Decimal, code: str, *, language: str) -> str:
    """Return an amount as people of a language write it: `€1,299.90`, `1.299,90 €`, `1 299,90 zł`."""
    from babel.numbers import format_currency, format_decimal, get_currency_precision  # noqa: PLC0415  as in `locales`

    exact = number.quantize(Decimal(1).scaleb(-get_currency_precision(code)), ROUND_HALF_UP)
    locale = find_locale(language)
    return format_currency(exact, code, locale=locale) if code else format_decimal(exact, "#,##0.00", locale=locale)


def _read_language(context: Context) -> str:
    return str(context.get("language") or "en")


def join(entries: Any, between: str = "") -> str:
    """The entries of a list as one text, of at most 2,000 characters: `{{ event.tags|join(', ') }}`."""
    if not isinstance(entries, (list, tuple)):
        raise TypeError("join needs a list")
    texts = [str(entry) for entry in entries[:MOST_ENTRIES]]
    if sum(len(text) + len(between) for text in texts) > LONGEST_JOINED:
        raise ValueError("the joined text is too long")
    return between.join(texts)


def round_(number: Any, places: int = 0, method: str = "common") -> Any:
    """A number, rounded to at most 6 places: `{{ event.rating|round(1) }}`."""
    if not isinstance(places, int) or not 0 <= places <= MOST_PLACES:
        raise ValueError("round takes 0 to 6 places")
    return JINJA["round"](number, places, method)


def list_entries(entries: Any) -> list[Any]:
    """What a loop goes through: a list, and no more of it than ever is gathered."""
    if isinstance(entries, Undefined):
        return list(entries)  # which fails, and says what is absent
    if not isinstance(entries, (list, tuple)):
        raise TypeError("a loop needs a list")
    return list(entries[:MOST_ENTRIES])


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "default": default,
    "money": money,
    "date": date,
    "join": join,
    "round": round_,
    **{
        name: JINJA[name]
        for name in (
            "capitalize", "first", "last", "length", "lower", "title", "trim", "truncate", "upper",
            "urlencode",
        )
    },
}  # fmt: skip
"""Every filter a template may use; none of them can make a long text of a short one."""
