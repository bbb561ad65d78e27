"""Choices: what a shopper chose beyond yes and no: topics, a pause, fewer messages, a language."""

import msgspec

from cartwake.reasons import Skip
from cartwake.times import Instant


class Choices(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What holds for the marketing of one address; nothing is chosen until somebody has.

    Attributes:
        refused_topics: Names of topics in settings.json.
        paused_until: No marketing before this instant.
        rest_ms: At most one marketing message in this time; 0: as the shop's caps say.
        tracked: Whether it may be seen what is opened, which links are followed, and who comes by one; None: not said.
        language: Two letters; "": not chosen.
        at: When it was chosen; 0: never.
    """

    refused_topics: tuple[str, ...] = ()
    paused_until: Instant = 0
    rest_ms: int = 0
    tracked: bool | None = None
    language: str = ""
    at: Instant = 0


def refuse(choices: Choices, topic: str, now: Instant) -> Skip | None:
    """Return why a marketing message about *topic* ("" for none) may not go out now, or None."""
    if now < choices.paused_until:
        return Skip.ON_PAUSE
    return Skip.TOPIC_REFUSED if topic in choices.refused_topics else None


def may_track(choices: Choices, rule: str) -> bool:
    """Say whether it may be seen that a message is opened, and which of its links are followed.

    Args:
        choices: What the reader chose: a no always counts.
        rule: Of settings.json: `always`, `consented` or `never`.
    """
    match rule:
        case "always":
            return choices.tracked is not False
        case "consented":
            return choices.tracked is True
        case _:
            return False
