"""The filters of templates: the short list of what may be done to a value, and how money and dates read."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from jinja2 import Undefined, pass_context
from jinja2.filters import FILTERS as JINJA
from jinja2.runtime import Context

from cartwake.times import format_instant, parse_instant
from cartwake.values import parse_number

_SYMBOLS: Final = {
    "EUR": "€",
    "USD": "$",
    "GBP": "£",
    "PLN": "zł",
    "CZK": "Kč",
    "SEK": "kr",
    "NOK": "kr",
    "DKK": "kr",
    "JPY": "¥",
    "UAH": "₴",
    "RON": "lei",
    "HUF": "Ft",
    "INR": "₹",
    "TRY": "₺",
}
_WHOLE: Final = frozenset({"JPY", "KRW", "HUF", "ISK", "CLP", "VND"})
_COMMA_DECIMALS: Final = {"de": ".", "es": ".", "it": ".", "nl": ".", "da": ".", "pt": ".", "tr": ".", "ro": "."}
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def default(value: Any, otherwise: Any = "") -> Any:
    """What stands instead when a value is absent or empty: `{{ profile.first_name|default('there') }}`."""
    return otherwise if isinstance(value, Undefined) or value is None or value == "" else value


@pass_context
def money(context: Context, amount: Any, currency: Any = None) -> str:
    """An amount in a currency (the shop's, when none is named): `{{ cart.total|money(cart.currency) }}`."""
    shop = context.get("shop", {})
    code = str(default(currency, shop.get("currency", ""))).upper()
    number = parse_number(str(amount) if isinstance(amount, Undefined) else amount)
    if number is None:
        raise ValueError("money needs a number")
    return format_money(number, code, language=str(shop.get("language", "en")))


@pass_context
def date(context: Context, value: Any) -> str:
    """The day of a date: `{{ event.starts_at|date }}` gives 21 November 2026, in other languages 21.11.2026."""
    text = str(value) if isinstance(value, (str, Undefined)) else format_instant(int(value))
    year, month, day = format_instant(parse_instant(text))[:10].split("-")
    language = str(context.get("shop", {}).get("language", "en"))
    return f"{int(day)} {_MONTHS[int(month) - 1]} {year}" if language.startswith("en") else f"{day}.{month}.{year}"


def format_money(number: Decimal, code: str, *, language: str) -> str:
    """Return an amount as people of a language write it: `€1,299.90`, `1.299,90 €`, `1 299,90 zł`."""
    places = Decimal(1) if code in _WHOLE else Decimal("0.01")
    text = f"{abs(number).quantize(places, ROUND_HALF_UP):,}"
    sign = "-" if number < 0 else ""
    symbol = _SYMBOLS.get(code, code)
    if language.startswith("en"):
        return f"{sign}{symbol}{text}" if symbol and not symbol[0].isalpha() else f"{sign}{text} {symbol}".rstrip()
    groups = _COMMA_DECIMALS.get(language[:2], "\u00a0")
    text = text.replace(",", "\x00").replace(".", ",").replace("\x00", groups)
    return f"{sign}{text}\u00a0{symbol}".rstrip()


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "default": default,
    "money": money,
    "date": date,
    **{
        name: JINJA[name]
        for name in (
            "capitalize", "first", "join", "last", "length", "lower", "round", "title", "trim", "truncate", "upper",
            "urlencode",
        )
    },
}  # fmt: skip
"""Every filter a template may use; none of them can make a long text of a short one."""
