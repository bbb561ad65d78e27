"""The report of all doubts about a set of files, as warnings."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

from cartwake.rules.compile_campaigns import unfold
from cartwake.rules.compile_templates import Templates, compile_templates
from cartwake.rules.compiling.desk import describe_shop
from cartwake.rules.doubts.coupons import doubt_coupons
from cartwake.rules.doubts.ends import doubt_ends
from cartwake.rules.doubts.history import doubt_history
from cartwake.rules.doubts.logic import Doubt, Judge
from cartwake.rules.doubts.names import Seen, doubt_names
from cartwake.rules.doubts.sending import doubt_journey
from cartwake.rules.doubts.templates import doubt_template
from cartwake.rules.doubts.texts import doubt_push, doubt_text
from cartwake.rules.doubts.walks import list_conditions
from cartwake.rules.faults import Fault
from cartwake.rules.files import EMAILS, SETTINGS, Content, name_of
from cartwake.rules.mjml import TemplateFile
from cartwake.rules.models import Journey
from cartwake.rules.score_models import Score
from cartwake.rules.settings_models import Settings
from cartwake.times import Instant

type _Doubter = Callable[[Mapping[str, Content]], Iterable[Fault]]
"""Finds what is doubtful in files, of which settings.json may be read for another."""
_NOTHING_SEEN: Final = Seen()


_UNREAD: Final = Fault(
    file=SETTINGS,
    message="While it has a fault nobody can tell which names it lists: no name of an event or a trait is doubted.",
    severity="warning",
)


def find_doubts(
    files: Mapping[str, Content], *, broken: Collection[str] = (), seen: Seen = _NOTHING_SEEN, now: Instant = 0
) -> list[Fault]:
    """Return a warning for whatever is allowed and hardly meant, file by file.

    Args:
        files: What each file says; those with faults are not among them, or as they were before.
        broken: The files that have faults.
        seen: The names of events and traits that came in in the last 30 days, where that is known.
        now: The time; 0 where it makes no difference.
    """
    found: list[Fault] = [_UNREAD] if SETTINGS in broken else []
    files = unfold(files)
    made = compile_templates(files)
    for file in sorted(files):
        some = {name: files[name] for name in (file, SETTINGS) if name in files}
        for doubt in (
            _doubt_names(None if SETTINGS in broken else seen),
            _doubt_history(now),
            _doubt_ends(now),
            _doubt_logic(file, files),
            _doubt_templates(file, files, made),
            _doubt_coupons(file, files, made),
        ):
            found += _find(file, some, doubt)
    return found


def _find(file: str, some: Mapping[str, Content], doubt: _Doubter) -> list[Fault]:
    """Return what is doubtful in a file; a doubt, be it about itself, stops nobody's publishing."""
    try:
        return [fault for fault in doubt(some) if fault.file == file]
    except Exception as error:  # noqa: BLE001  whatever it is
        message = f"What is doubtful in it could not be found out ({type(error).__name__})."
        return [Fault(file=file, message=message, severity="warning")]


def _doubt_names(seen: Seen | None) -> _Doubter:
    return lambda some: () if seen is None else doubt_names(some, seen)


def _doubt_history(now: Instant) -> _Doubter:
    return lambda some: doubt_history(some, now)


def _doubt_ends(now: Instant) -> _Doubter:
    return lambda some: doubt_ends(some, now)


def _doubt_templates(file: str, files: Mapping[str, Content], made: Templates) -> _Doubter:
    return lambda _: doubt_template(file, files, made)


def _doubt_coupons(file: str, files: Mapping[str, Content], made: Templates) -> _Doubter:
    return lambda _: doubt_coupons(file, files, made)


def _doubt_logic(file: str, files: Mapping[str, Content]) -> _Doubter:
    def doubt(some: Mapping[str, Content]) -> Iterator[Fault]:
        settings = some.get(SETTINGS)
        shop = describe_shop(settings if isinstance(settings, Settings) else None, {})
        judge = Judge(shop, {name_of(name): it for name, it in files.items() if isinstance(it, Score)})
        for found in (*_doubt_file(some[file], judge, is_sms=_is_sms(file, files)), *judge.doubts):
            yield Fault(file=file, path=found.path, message=found.message, severity="warning")

    return doubt


def _is_sms(file: str, files: Mapping[str, Content]) -> bool:
    """Say whether a text is an SMS, and not the plain text of an email."""
    return file.endswith(".txt") and not any(f"templates/{name_of(file)}{ending}" in files for ending in EMAILS)


def _doubt_file(content: Content, judge: Judge, *, is_sms: bool) -> list[Doubt]:
    if isinstance(content, Journey):
        return list(doubt_journey(content, judge))
    if isinstance(content, TemplateFile):
        if content.template.push:
            return list(doubt_push(content.template))
        return list(doubt_text(content.template.text)) if is_sms else []
    for path, rule in list_conditions(content):
        judge.judge(rule, path)
    return []
