"""What the stories promise against what the engine really sent: each message once, and not one more."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from cartwake.messages import MessageState
from cartwake.reasons import EndReason
from cartwake_cli.demo.state import Sent
from cartwake_cli.tables import Facts

UNEXPECTED: Final = "nobody"
"""The story of a message that belongs to none."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A message that a story promises, or promises not to happen.

    Attributes:
        subject: The whole subject as a regular expression.
        mentions: What it says, among other things.
        reason: For one that is not sent: why, as it is stored.
    """

    story: str
    who: str
    channel: str
    to: str
    journey: str
    subject: str = ".*"
    mentions: tuple[str, ...] = ()
    sent: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the result, as `make demo CHECK=1` prints it."""

    story: str
    who: str
    channel: str
    to: str
    subject: str
    sent: bool
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Return the line as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The lines, and what of them is not as it was told."""

    lines: tuple[Line, ...]
    faults: tuple[str, ...]


def compare(expected: Sequence[Expected], sent: Sequence[Sent], known: dict[str, Facts]) -> Verdict:
    """Compare the whole of what was promised with the whole of what was sent; `known` is by user id."""
    rest = list(sent)
    lines: list[Line] = []
    faults: list[str] = []
    for promise in expected:
        found = next((each for each in rest if fits(promise, each)), None) if promise.sent else None
        if found is not None:
            rest.remove(found)
        reason = "" if found is not None else find_reason(known[promise.who], promise.journey, promise.channel)
        lines.append(_line(promise, found, reason))
        if promise.sent and found is None:
            faults.append(f"{promise.who}: the {promise.channel} of {promise.journey} was not sent ({reason})")
        elif reason != promise.reason:
            faults.append(f"{promise.who}: the reason should be {promise.reason!r}, it is {reason!r}")
    for extra in rest:
        owner = _find_owner(expected, extra)
        faults.append(f"sent, and not part of the story: {extra.channel} to {extra.to}: {extra.subject or extra.text}")
        story, who = (owner.story, owner.who) if owner is not None else (UNEXPECTED, UNEXPECTED)
        lines.append(
            Line(story, who, extra.channel, extra.to, extra.subject, sent=True, reason="not part of the story")
        )
    return Verdict(tuple(lines), tuple(faults))


def fits(promise: Expected, sent: Sent) -> bool:
    """Say whether a message is the one that was promised."""
    said = f"{sent.subject}\n{sent.text}\n{sent.html}"
    return (
        (promise.channel, promise.to) == (sent.channel, sent.to)
        and re.fullmatch(promise.subject, sent.subject) is not None
        and all(words in said for words in promise.mentions)
    )


def find_reason(facts: Facts, journey: str, channel: str) -> str:
    """Return why a journey sent nothing by a channel: of its message, of its run, or of the run that never was."""
    messages = [it for it in facts.messages if it.journey == journey and it.channel == channel]
    for message in messages:
        if message.state is not MessageState.ACCEPTED:
            return message.reason or (f"{message.state}: {message.detail}" if message.detail else message.state)
    runs = [run for run in facts.runs if run.journey == journey and run.ended is not EndReason.MERGED]
    for run in runs:
        if run.ended is EndReason.EXITED:
            return f"exited by {run.ended_by}"
        if run.ended is not None:
            return str(run.ended)
        return "still waiting"
    refused = next((slot.refused for slot in facts.slots if slot.journey == journey and slot.refused), None)
    return str(refused) if refused else "the journey never began"


def _line(promise: Expected, found: Sent | None, reason: str) -> Line:
    subject = found.subject if found else ""
    return Line(promise.story, promise.who, promise.channel, promise.to, subject, sent=found is not None, reason=reason)


def _find_owner(expected: Iterable[Expected], extra: Sent) -> Expected | None:
    return next((promise for promise in expected if promise.to == extra.to), None)
