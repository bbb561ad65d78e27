"""The report of all doubts about a set of files, as warnings."""

from collections.abc import Iterator, Mapping
from typing import Final

from cartwake.rules.compiling.desk import describe_shop
from cartwake.rules.doubts.history import doubt_history
from cartwake.rules.doubts.logic import Doubt, Judge
from cartwake.rules.doubts.names import Seen, doubt_names
from cartwake.rules.doubts.sending import doubt_journey
from cartwake.rules.doubts.walks import list_conditions
from cartwake.rules.faults import Fault
from cartwake.rules.files import SETTINGS, Content, name_of
from cartwake.rules.models import Journey
from cartwake.rules.score_models import Score
from cartwake.rules.settings_models import Settings
from cartwake.times import Instant

_NOTHING_SEEN: Final = Seen()


def find_doubts(files: Mapping[str, Content], *, seen: Seen = _NOTHING_SEEN, now: Instant = 0) -> list[Fault]:
    """Return a warning for whatever is allowed and hardly meant, file by file.

    Args:
        files: What each file says; those with faults are not among them.
        seen: The names of events and traits that came in in the last 30 days, where that is known.
        now: The time; 0 where it makes no difference.
    """
    found = [*doubt_names(files, seen), *doubt_history(files, now), *_doubt_logic(files)]
    return sorted(found, key=lambda fault: fault.file)


def _doubt_logic(files: Mapping[str, Content]) -> Iterator[Fault]:
    settings = files.get(SETTINGS)
    shop = describe_shop(settings if isinstance(settings, Settings) else None, {})
    scores = {name_of(file): it for file, it in files.items() if isinstance(it, Score)}
    for file, content in sorted(files.items()):
        judge = Judge(shop, scores)
        try:
            doubts = [*_doubt_file(content, judge), *judge.doubts]
        except Exception as error:  # noqa: BLE001  a doubt, be it about itself, stops nobody's publishing
            doubts = [Doubt("", f"What is doubtful in it could not be found out ({type(error).__name__}).")]
        for doubt in doubts:
            yield Fault(file=file, path=doubt.path, message=doubt.message, severity="warning")


def _doubt_file(content: Content, judge: Judge) -> list[Doubt]:
    if isinstance(content, Journey):
        return list(doubt_journey(content, judge))
    for path, rule in list_conditions(content):
        judge.judge(rule, path)
    return []
