"""Noticing: what the functions have written, told as what happened: when, to whom, and why."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from cartwake.messages import Message, MessageState
from cartwake.runs import Run
from cartwake.statements import Channel
from cartwake.times import Instant
from cartwake_cli.stories.house import House


class What(IntEnum):
    """Kinds of happenings, in the order in which those of one instant are told."""

    SAID = 0
    ENTERED = 1
    NOT_ENTERED = 2
    REFUSED = 3
    SENT = 4
    SKIPPED = 5
    HELD = 6
    WAITS = 7
    LEFT = 8
    TOLD = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened.

    Attributes:
        who: Key of the profile as the row has it; "" where it concerns nobody.
        reason: Of `reasons.py`.
        by: What ended a journey.
        detail: What else is known of the reason.
        subject: Of a mail.
        text: All that a message says.
        run: Key of the run's row.
        entered_at: When the run began.
        until: How long something is held, or a journey waits.
        said: A sentence of the story.
        number: Its line.
    """

    at: Instant
    what: What
    who: str = ""
    journey: str = ""
    template: str = ""
    channel: str = ""
    subject: str = ""
    text: str = ""
    reason: str = ""
    by: str = ""
    detail: str = ""
    run: str = ""
    entered_at: Instant = 0
    until: Instant = 0
    said: str = ""
    number: int = 0


@dataclass
class Notes:
    """Everything that happened in a story.

    Attributes:
        runs: By key of the shopper and of the run.
        messages: By key of the shopper and of the message.
    """

    house: House
    happenings: list[Happening] = field(default_factory=list)
    runs: dict[tuple[str, str], Run] = field(default_factory=dict)
    messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    _refused: dict[tuple[str, str, str], Instant] = field(default_factory=dict)
    _quarantined: set[tuple[str, str]] = field(default_factory=set)

    @property
    def is_busy(self) -> bool:
        """Whether a journey is under way, or a message not settled."""
        going_on = any(run.ended is None and not run.held for run in self.runs.values())
        return going_on or any(message.retry_at is not None for message in self.messages.values())

    def see(self, table: str, keys: dict[str, Any]) -> None:
        """Look at a row that was written."""
        look = {
            "runs": self._see_run,
            "messages": self._see_message,
            "slots": self._see_slot,
            "quarantine": self._see_refusal,
        }.get(table)
        if look is not None:
            look(keys)

    def add(self, what: What, **told: Any) -> None:
        """Note something that happens now."""
        self.happenings.append(Happening(at=self.house.now, what=what, **told))

    def _see_run(self, keys: dict[str, Any]) -> None:
        from cartwake.store import runs  # noqa: PLC0415  only in the house

        key = keys["who"], keys["run"]
        before, run = self.runs.get(key), runs.get_run(*key)
        if run is None:
            # somebody was erased: nothing of theirs is under way any more
            self.runs.pop(key, None)
        if run is None or run == before:
            return
        self.runs[key] = run
        told: dict[str, Any] = {
            "who": run.who, "journey": run.journey, "run": run.key, "entered_at": run.entered_at,
        }  # fmt: skip
        if before is None:
            self.add(What.ENTERED, **told)
        if run.ended is not None:
            self.add(What.LEFT, reason=run.ended.value, by=run.ended_by, **told)
        elif run.held:
            self.add(What.HELD, reason="journey_paused", **told)
        elif run.due_at > self.house.now and (before is None or run.due_at != before.due_at):
            self.add(What.WAITS, until=run.due_at, **told)

    def _see_message(self, keys: dict[str, Any]) -> None:
        from cartwake.store import messages  # noqa: PLC0415  only in the house

        key = keys["who"], keys["message"]
        before, message = self.messages.get(key), messages.get_message(*key)
        if message is None:
            self.messages.pop(key, None)
            return
        self.messages[key] = message
        told: dict[str, Any] = {
            "who": message.who, "journey": message.journey, "template": message.template, "run": message.run,
            "channel": message.channel.value, "entered_at": self._find_entry(message),
        }  # fmt: skip
        if before is not None and before.state is message.state:
            if message.not_before > max(before.not_before, self.house.now):
                self.add(What.HELD, until=message.not_before, **told)
            return
        match message.state:
            case MessageState.ACCEPTED if message.channel is Channel.WEBHOOK:
                self.add(What.TOLD, text=self.house.services.told[message.id], **told)
            case MessageState.ACCEPTED:
                letter = self.house.services.letters[message.provider_id]
                self.add(What.SENT, subject=letter.subject, text=letter.text, detail=letter.to, **told)
            case MessageState.SKIPPED | MessageState.REFUSED:
                run = self.runs.get((message.who, message.run))
                by = run.ended_by if run is not None else ""
                self.add(What.SKIPPED, reason=message.reason, detail=message.detail, by=by, **told)
            case _:
                pass

    def _find_entry(self, message: Message) -> Instant:
        run = self.runs.get((message.who, message.run))
        return run.entered_at if run is not None else 0

    def _see_slot(self, keys: dict[str, Any]) -> None:
        from cartwake.store import slots  # noqa: PLC0415  only in the house

        journey, _, about = keys["slot"].partition("#")
        slot = slots.get_slot(keys["who"], journey, about)
        key = slot.who, slot.journey, slot.about
        if slot.refused is not None and slot.refused_at > self._refused.get(key, 0):
            self._refused[key] = slot.refused_at
            self.add(What.NOT_ENTERED, who=slot.who, journey=slot.journey, reason=slot.refused.value)

    def _see_refusal(self, keys: dict[str, Any]) -> None:
        from cartwake.store import quarantine  # noqa: PLC0415  only in the house

        for each in quarantine.list_refusals(keys["who"]):
            if (keys["who"], each.key) not in self._quarantined:
                self._quarantined.add((keys["who"], each.key))
                self.add(What.REFUSED, who=keys["who"], reason=each.reason, detail=each.where)
