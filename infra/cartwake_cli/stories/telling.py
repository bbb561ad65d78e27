"""Telling: what happened in a story as a timeline, as data, and as the expectations that would come true."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.console import Console

from cartwake.times import DAY, MINUTE, SECOND, Instant, to_datetime
from cartwake_cli import words
from cartwake_cli.stories.judging import Failure, name_why, say_after
from cartwake_cli.stories.noticing import Happening, What
from cartwake_cli.stories.playing import Told

_STYLES: Final = {
    What.SAID: "bold",
    What.ENTERED: "cyan",
    What.NOT_ENTERED: "yellow",
    What.REFUSED: "yellow",
    What.SENT: "green",
    What.TOLD: "green",
    What.SKIPPED: "yellow",
    What.HELD: "magenta",
    What.WAITS: "dim",
    What.LEFT: "cyan",
}
_LONGEST: Final = 90


def draw_timeline(console: Console, told: Told) -> None:
    """Print what happened, at the shop's time, and at the shopper's where that differs."""
    day = ""
    for it in told.happenings:
        local = to_datetime(it.at).astimezone(told.zone)
        if f"{local:%A, %-d %B %Y}" != day:
            day = f"{local:%A, %-d %B %Y}"
            console.print(f"    {day}", style="dim")
        console.print(f"    {local:%H:%M}  ", end="", style="dim")
        console.print(say(it, told), style=_STYLES[it.what], markup=False)


def draw_failures(console: Console, told: Told, failures: Sequence[Failure]) -> None:
    """Print what was expected and what came instead."""
    for failure in failures:
        console.print(f"  {told.story.file}:{failure.line.number} ", end="", style="bold red", markup=False)
        console.print(failure.line.text, markup=False)
        console.print(f"    {failure.message}", style="red", markup=False)


def say(it: Happening, told: Told) -> str:
    """Return what happened as a sentence."""
    who, zone = told.name(it), told.zones.get(told.name(it), told.zone)
    own, shop = to_datetime(it.at).astimezone(zone), to_datetime(it.at).astimezone(told.zone)
    theirs = f" ({own:%H:%M} for {who})" if own.utcoffset() != shop.utcoffset() and it.what is not What.SAID else ""
    return _say(it, who, told) + theirs


def _say(it: Happening, who: str, told: Told) -> str:
    why = _say_why(it)
    match it.what:
        case What.SAID:
            return it.said
        case What.ENTERED:
            return f"{who} enters {it.journey}"
        case What.NOT_ENTERED:
            return f"{who} does not enter {it.journey}: {why}"
        case What.REFUSED:
            return f"what {who or 'somebody'} did does not count: {why}"
        case What.WAITS:
            return f"{it.journey} waits for {who} until {_say_time(it.until, told)}"
        case What.LEFT:
            return f"{it.journey} ends for {who}: {why}"
        case _:
            return _say_message(it, who, told)


def _say_message(it: Happening, who: str, told: Told) -> str:
    if it.what is What.SENT:
        says = it.subject or " ".join(it.text.split())
        shown = says if len(says) <= _LONGEST else f"{says[:_LONGEST]}…"
        return f'{who} gets {it.channel} {it.template}: "{shown}", to {it.detail}'
    if it.what is What.TOLD:
        return f"{it.template} is told of {who}: {it.text}"
    if it.what is What.SKIPPED:
        return f"{who} does not get {it.channel} {it.template}: {_say_why(it)}"
    if it.until:
        return f"{it.channel} {it.template} for {who} is held until {_say_time(it.until, told)}"
    return f"{it.journey} is held for {who}: {_say_why(it)}"


def _say_why(it: Happening) -> str:
    known = {
        What.NOT_ENTERED: words.NOT_ENTERED,
        What.REFUSED: words.REFUSED,
        What.SKIPPED: words.SKIPPED,
        What.LEFT: words.ENDED,
        What.HELD: words.NOT_ENTERED,
    }
    if not it.reason:
        return ""
    detail = f": {it.detail}" if it.detail and it.what is not What.SENT else ""
    return f"{name_why(it)}, {words.say(it.reason, known[it.what])}{detail}"


def _say_time(instant: Instant, told: Told) -> str:
    return f"{to_datetime(instant).astimezone(told.zone):%A, %-d %B, %H:%M}"


def show(told: Told, failures: Sequence[Failure]) -> dict[str, Any]:
    """Return a story as JSON data."""
    return {
        "file": told.story.file,
        "line": told.story.number,
        "title": told.story.title,
        "good": not failures,
        "failures": [{"line": it.line.number, "expected": it.line.text, "message": it.message} for it in failures],
        "happenings": [_show(it, told) for it in told.happenings],
    }


def _show(it: Happening, told: Told) -> dict[str, Any]:
    texts = ("journey", "template", "channel", "subject", "text", "reason", "by", "said")
    return {
        "at": to_datetime(it.at).astimezone(told.zone).isoformat(),
        "what": it.what.name.lower(),
        "who": told.name(it),
        **{name: getattr(it, name) for name in texts if getattr(it, name)},
        **({"until": to_datetime(it.until).astimezone(told.zone).isoformat()} if it.until else {}),
        "says": say(it, told),
    }


def write_expectations(told: Told) -> list[str]:
    """Return the sentences that expect exactly what happened."""
    return list(dict.fromkeys([*_write_events(told), *_write_silence(told)]))


def _write_events(told: Told) -> Iterator[str]:
    sent = {(told.name(it), it.template) for it in told.happenings if it.what is What.SENT}
    entered = {(told.name(it), it.journey) for it in told.happenings if it.what is What.ENTERED}
    for it in told.happenings:
        who = told.name(it)
        match it.what:
            case What.SENT:
                says = f', subject "{_escape(it.subject)}"' if it.subject else ""
                yield f"expect {who} gets {it.channel} {it.template}{_write_time(it, told)}{says}."
            case What.SKIPPED if (who, it.template) not in sent:
                yield f"expect {who} gets no {it.template}: {name_why(it)}."
            case What.NOT_ENTERED:
                again = " again" if (who, it.journey) in entered else ""
                yield f"expect {who} does not enter {it.journey}{again}: {it.reason}."
            case What.LEFT if it.reason != "completed":
                yield f"expect {who} leaves {it.journey}{_write_time(it, told)}: {name_why(it)}."
            case _:
                pass


def _write_silence(told: Told) -> Iterator[str]:
    """Yield that nobody gets anything else."""
    for who in dict.fromkeys(told.called.values()):
        got = bool(told.list_of(who.removeprefix("the "), What.SENT))
        yield f"expect {who} gets nothing{' else' if got else ''}."


def _write_time(it: Happening, told: Told) -> str:
    after = it.at - it.entered_at
    minutes = (after + MINUTE // 2) // MINUTE
    if it.entered_at and after < 60 * DAY and minutes % 30 == 0 and abs(after - minutes * MINUTE) < 30 * SECOND:
        return f" after {say_after(after)}"
    local = to_datetime(it.at).astimezone(told.zone)
    return f" on {local:%Y-%m-%d} at {local:%H:%M}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
