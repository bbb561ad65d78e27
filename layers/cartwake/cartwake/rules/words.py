"""The words of which rules are made: names, times, dates, events and values."""

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema

from cartwake.rules.base import complain
from cartwake.rules.vocabulary import EVENTS, TRAITS
from cartwake.times import DAY, Instant, parse_duration, to_instant

NAME: Final = r"^[a-z0-9][a-z0-9-]{0,62}$"
LONGEST_WINDOW: Final = 3_650 * DAY
DURATION: Final = r"^\d{1,6} (second|minute|hour|day|week)s?$"
_DAY: Final = r"\d{4}-\d{2}-\d{2}"
DATE: Final = rf"^{_DAY}(T\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{1,6}})?)?(Z|[+-]\d{{2}}:\d{{2}})?)?$"
_TOO_MANY_STARS: Final = 12
_YEARS: Final = range(1970, 2200)
_YEARS_COMPARED: Final = range(1000, 9000)
_LARGEST_BOUND: Final = 10**12
"""Of what is sent, larger numbers are none."""
_LARGEST_WHOLE: Final = 10**18 - 1

_DURATIONS: Final = ("30 minutes", "1 hour", "16 hours", "1 day", "7 days", "30 days", "90 days", "365 days")


def _offer(words: tuple[str, ...], schema: dict[str, Any]) -> WithJsonSchema:
    """Return a schema for which editors offer *words*, and which anything fits that fits *schema*."""
    return WithJsonSchema({"anyOf": [{"enum": list(words)}, schema]})


def _check_duration(words: str) -> str:
    if re.fullmatch(DATE, words):
        raise complain("This is a date; what stands here is a time before or after now.", example='"30 days"')
    try:
        duration = parse_duration(words)
    except ValueError as error:
        raise complain(f"{str(error)[0].upper()}{str(error)[1:]}.", suggestion=_mend_duration(words)) from None
    if not 0 < duration <= LONGEST_WINDOW:
        raise complain("Should be more than nothing and at most 3650 days.")
    return words


def _mend_duration(words: str) -> str:
    """Return the duration that is probably meant by words such as "90days", "3 months" or "2d"; or ""."""
    found = re.fullmatch(r"\s*(\d{1,5})\s*([a-z]+)\s*", words.lower())
    if found is None:
        return ""
    count, unit = int(found[1]), found[2].removesuffix("s")
    months, years = unit in ("month", "mo"), unit in ("year", "y", "yr")
    if months or years:
        return f"{count * (30 if months else 365)} days"
    short = {"s": "second", "sec": "second", "m": "minute", "min": "minute", "h": "hour", "hr": "hour", "d": "day"}
    whole = (short | {"w": "week", "wk": "week"}).get(unit, unit)
    if whole not in ("second", "minute", "hour", "day", "week"):
        return ""
    return f"{count} {whole}{'s' if count != 1 else ''}"


def check_date(text: str) -> str:
    """Return a date that is written as one."""
    if _is_date(text, _YEARS):
        return text
    example = '"2026-01-31" or "2026-01-31T18:00:00Z"'
    if is_duration(text):
        raise complain('Should be a date; what lies in the time before now is "in_last".', example=example)
    nearest = text.strip() if _is_date(text.strip(), _YEARS) else ""
    raise complain("Should be a date: year, month and day.", suggestion=nearest, example=example)


def _is_date(text: str, years: range) -> bool:
    try:
        return re.fullmatch(DATE, text) is not None and datetime.fromisoformat(text).year in years
    except ValueError:
        return False


def _check_date_or_duration(text: str) -> str:
    return check_date(text) if re.match(r"\s*\d{4}-", text) else _check_duration(text)


def is_duration(text: str) -> bool:
    """Say whether a text that was checked is a duration and not a date."""
    return re.fullmatch(DURATION, text) is not None


def is_day(text: str) -> bool:
    """Say whether a date that was checked is a whole day and not an exact time."""
    return re.fullmatch(_DAY, text) is not None


def begin_date(text: str, zone: ZoneInfo) -> Instant:
    """Return the instant with which a date begins, by the clocks of *zone* where it names none itself."""
    moment = datetime.fromisoformat(text)
    return to_instant(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def end_date(text: str, zone: ZoneInfo) -> Instant:
    """Return the instant at which a day is over; of an exact time, that time."""
    if not is_day(text):
        return begin_date(text, zone)
    after = date.fromisoformat(text) + timedelta(days=1)
    return to_instant(datetime.combine(after, time(), tzinfo=zone))


def _check_name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        nearest = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63]
        raise complain("A name has lower-case letters, digits and hyphens, at most 63.", suggestion=nearest)
    return name


def _check_event(name: str) -> str:
    if name != name.strip() or len(name) > 200:
        raise complain("The name of an event has at most 200 characters, and no spaces around it.")
    return name


def _check_tag(tag: str) -> str:
    if tag != tag.strip() or len(tag.encode(errors="replace")) > 100 or "\n" in tag or "\r" in tag:
        raise complain("A tag has at most 100 bytes, and no spaces around it.", suggestion=tag.strip()[:25])
    return tag


def _check_scalar(value: Any) -> Any:
    if not isinstance(value, (str, int, float)):
        raise complain("Should be a text, a number, true or false.")
    if isinstance(value, str) and len(value) > 1_000:
        raise complain("Should have at most 1000 characters.")
    if isinstance(value, int) and abs(value) > _LARGEST_WHOLE:
        raise complain("Should have at most 18 digits; what is longer is written as text, in quotes.")
    return value


def _check_bound(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise complain("Should be a number without quotes, or a date in quotes.", example="200")
    if isinstance(value, str):
        if not _is_date(value, _YEARS_COMPARED):
            nearest = value if re.fullmatch(r"-?\d+(\.\d+)?", value) else ""
            message = "Should be a number without quotes, or a date in quotes."
            raise complain(message, suggestion=nearest, example=nearest or '"2026-11-21"')
    elif not -_LARGEST_BOUND <= value <= _LARGEST_BOUND:
        raise complain("Should be a number between -1000000000000 and 1000000000000.")
    return value


def _check_glob(glob: str) -> str:
    if glob.count("*") > _TOO_MANY_STARS or len(glob) > 200:
        raise complain(f"Should have at most 200 characters and {_TOO_MANY_STARS} stars.", example='"*shoes*"')
    return glob


Duration = Annotated[str, AfterValidator(_check_duration), _offer(_DURATIONS, {"type": "string", "pattern": DURATION})]
Date = Annotated[str, AfterValidator(check_date), WithJsonSchema({"type": "string", "pattern": DATE})]
DateOrDuration = Annotated[
    str,
    AfterValidator(_check_date_or_duration),
    _offer(_DURATIONS, {"type": "string", "pattern": f"{DURATION}|{DATE}"}),
]
Name = Annotated[
    str, AfterValidator(_check_name), WithJsonSchema({"type": "string", "pattern": NAME, "examples": ["vip"]})
]
EventName = Annotated[
    str,
    Field(min_length=1),
    AfterValidator(_check_event),
    _offer(EVENTS, {"type": "string", "minLength": 1, "maxLength": 200}),
]
TagName = Annotated[str, Field(min_length=1), AfterValidator(_check_tag)]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\r\n]*$")]
Path = Annotated[str, Field(min_length=1, max_length=200)]
TraitName = Annotated[Path, _offer(TRAITS, {"type": "string", "minLength": 1, "maxLength": 200})]
Scalar = Annotated[Any, AfterValidator(_check_scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Bound = Annotated[Any, AfterValidator(_check_bound), WithJsonSchema({"type": ["number", "string"]})]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-_LARGEST_BOUND, le=_LARGEST_BOUND)]
Glob = Annotated[str, Field(min_length=1), AfterValidator(_check_glob)]


def is_list(value: Any) -> str:
    """Return the tag of a value that may be one or several."""
    return "<list>" if isinstance(value, list) else "<value>"


OneOrSome = Annotated[
    Annotated[Scalar, Tag("<value>")] | Annotated[list[Scalar], Field(min_length=1, max_length=500), Tag("<list>")],
    Discriminator(is_list),
]
