"""Lacks: what a journey's messages always show though nobody has it, so that none of them could ever be sent."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from cartwake.rules.absences import Needed, write
from cartwake.rules.compile_campaigns import is_campaign
from cartwake.rules.compile_templates import Templates
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault
from cartwake.rules.files import SETTINGS, list_subjects, walk
from cartwake.rules.message_models import EmailStep, PushStep, SmsStep
from cartwake.rules.models import Journey
from cartwake.rules.trigger_models import ByDate

_LOGO: Final = "shop.logo_url"


class Logo(NamedTuple):
    """Whether settings.json names a picture of the shop.

    Attributes:
        is_lost: Those that were live did, and these do not: only then they can be to blame.
    """

    is_there: bool
    is_lost: bool = False


def find_lacking(file: str, rule: Journey, made: Templates, logo: Logo) -> Iterator[Conflict]:
    """Yield what a journey's messages always show though nobody has it: none of them could ever be sent.

    Args:
        file: The journey's, or the campaign's.
        rule: The journey.
        made: The templates there are.
        logo: Whether there is one.
    """
    has_event = not (is_campaign(file) or isinstance(rule.trigger, ByDate))
    for path, step in list_subjects(rule):
        for message, example, guilty in _say_lacking(step.needed, has_event=has_event, logo=logo):
            yield Conflict(
                Fault(file=file, path=path, message=message, example=example), (file, *guilty), bearable=True
            )
    for template in dict.fromkeys(_list_templates(rule)):
        for source, content in made.by_name.get(template, {}).items():
            for message, example, guilty in _say_lacking(content.needed, has_event=has_event, logo=logo):
                fault = Fault(file=source, message=f"{message} {file} sends it.", example=example)
                yield Conflict(fault, (*content.files, file, *guilty), bearable=True)


def _say_lacking(needed: Needed, *, has_event: bool, logo: Logo) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield what is amiss, what to write, and which file is at fault too."""
    for name, written in sorted(needed.always.items()):
        shown = write(written)
        if name.startswith("event.") and not has_event:
            why = "A campaign has no event, nor has a journey that a date starts"
            yield f"{why}: without {{{{ {shown} }}}} nothing is sent.", f"{{{{ {shown}|default('…') }}}}", ()
        elif name == _LOGO and not logo.is_there:
            why = "There is no logo_url in settings.json"
            yield (
                f"{why}: without {{{{ {shown} }}}} nothing is sent.",
                f"{{% if {shown} %}}…{{% endif %}}",
                (SETTINGS,) if logo.is_lost else (),
            )


def _list_templates(rule: Journey) -> Iterator[str]:
    for _, step in walk(rule.steps):
        match step:
            case EmailStep():
                yield step.email
            case SmsStep():
                yield step.sms
            case PushStep():
                yield step.push
            case _:
                continue
