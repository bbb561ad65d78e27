"""The world: what AWS runs between the functions, one thing after another, at the instants of the story's clock."""

import heapq
import json
from base64 import b64encode
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from types import SimpleNamespace
from typing import Any, Final

from cartwake.store import base
from cartwake.times import MINUTE, SECOND, Instant, format_instant, to_instant
from cartwake_cli.local.feedback import Kind, Sent, make_event
from cartwake_cli.stories.house import House, load_handler
from cartwake_cli.stories.services import Letter

CONSUMERS: Final = {
    "steps": "run_step",
    "messages": "send_message",
    "webhooks": "send_message",
    "wakes": "derive_segments",
    "sweeps": "sweep_profiles",
    "erasures": "erase_profiles",
    "exports": "export_profiles",
    "feedback": "track_delivery",
}
_DUE: Final = {
    "runs": ("due_shard", "due_at"),
    "messages": ("retry_shard", "retry_at"),
    "profiles": ("wake_shard", "wake_at"),
    "participants": ("due_shard", "due_at"),
}
"""By table: the index of what `wake` looks for."""
_OVERDUE: Final = {"runs": 3 * MINUTE}
"""`wake` leaves a run to its schedule for so long."""
_REMAINING: Final = 120_000

type Watch = Callable[[str, dict[str, Any]], None]


class World:
    """A world in which nothing goes wrong.

    Attributes:
        house: Where the functions live.
        watch: Is told of every row that was written: its table and its keys.
        bouncing: Addresses that no mail reaches.
    """

    def __init__(self, house: House, watch: Watch) -> None:
        self.house, self.watch = house, watch
        self.bouncing: set[str] = set()
        self._heap: list[tuple[Instant, int, Callable[[], object]]] = []
        self._made = 0
        self._dues: dict[tuple[str, str], Instant] = {}
        house.services.queued = self._queue
        house.services.scheduled = self._schedule
        house.services.sent = self._deliver

    def at(self, when: Instant, action: Callable[[], object]) -> None:
        """Have something happen at an instant."""
        self._made += 1
        heapq.heappush(self._heap, (when, self._made, action))

    def go(self, until: Instant) -> None:
        """Let everything happen up to and including an instant, which it is then."""
        while (when := self.find_next()) is not None and when <= until:
            self.step()
        self.house.now = until

    def find_next(self) -> Instant | None:
        """Return when the next thing happens, or None."""
        found = [self._heap[0][0]] if self._heap else []
        found += [self._next_tick(min(self._dues.values()))] if self._dues else []
        return min(found, default=None)

    def step(self) -> None:
        """Let the next thing happen."""
        when = self.find_next()
        if when is None:
            return
        self.house.now = max(self.house.now, when)
        if self._heap and self._heap[0][0] <= when:
            heapq.heappop(self._heap)[2]()
        else:
            self.invoke("wake", {})

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Call a function, and follow what it has written."""
        context = SimpleNamespace(
            function_name=function,
            memory_limit_in_mb=512,
            invoked_function_arn=f"arn:aws:lambda:eu-central-1:123456789012:function:{function}",
            aws_request_id="story",
            get_remaining_time_in_millis=lambda: _REMAINING,
        )
        # what Lambda would write into its log, metrics among it
        with redirect_stdout(StringIO()):
            answer = load_handler(function)(event, context)
        failed = isinstance(answer, dict) and answer.get("batchItemFailures")
        if failed:
            raise RuntimeError(f"{function} could not process what it was given")
        self._follow()
        return answer

    def wake_soon(self) -> None:
        """Have `wake` run at the next full minute, whether anything is due or not."""
        self.at(self._next_tick(self.house.now), lambda: self.invoke("wake", {}))

    def tell_of(self, letter: Letter, kind: Kind) -> None:
        """Have SES tell what became of a mail."""
        event = make_event(kind, Sent(letter.id, letter.to, letter.tags), at=self.house.now)
        self._queue("feedback", json.dumps(event), 0)

    def answer(self, number: str, text: str) -> None:
        """Have the network hand on an SMS from a shopper."""
        self._made += 1
        told = {"originationNumber": number, "messageBody": text, "inboundMessageId": f"answer-{self._made}"}
        envelope = {"Message": json.dumps(told), "Timestamp": format_instant(self.house.now)}
        self._queue("feedback", json.dumps(envelope), 0)

    def _follow(self) -> None:
        """Stream what was written, and note when to look at it again."""
        for table, kind, keys, image in self.house.take_changes():
            key = table, "|".join(it["S"] for it in keys.values())
            self._note_due(key, image if kind != "REMOVE" else {})
            record = {"eventName": kind, "dynamodb": {"Keys": keys, "NewImage": _to_image(image)}}
            if table == "events" and kind == "INSERT":
                self._stream("derive_segments", record)
            elif table == "profiles" and kind != "REMOVE" and "signals" in image:
                self._stream("enter_journeys", record)
            self.watch(table, {name: it["S"] for name, it in keys.items()})

    def _note_due(self, key: tuple[str, str], image: dict[str, Any]) -> None:
        shard, due = _DUE.get(key[0], ("", ""))
        self._dues.pop(key, None)
        # a run that a pause holds stands outside: it waits for marketers, not for time
        if shard in image and (key[0] != "runs" or int(image[shard]["N"]) < base.SHARDS):
            self._dues[key] = int(image[due]["N"]) + _OVERDUE.get(key[0], 0)

    def _stream(self, function: str, record: dict[str, Any]) -> None:
        self.at(self.house.now, lambda: self.invoke(function, {"Records": [record]}))

    def _queue(self, name: str, body: str, delay_seconds: int) -> None:
        record = {"eventSource": "aws:sqs", "messageId": f"message-{self._made}", "body": body}
        self.at(self.house.now + delay_seconds * SECOND, lambda: self.invoke(CONSUMERS[name], {"Records": [record]}))

    def _schedule(self, time: str, content: str) -> None:
        when = to_instant(datetime.fromisoformat(time).replace(tzinfo=UTC))
        self.at(when, lambda: self.invoke("run_step", json.loads(content)))

    def _deliver(self, letter: Letter) -> None:
        if letter.html:
            kind: Kind = "bounce" if letter.to in self.bouncing else "delivery"
            self.at(self.house.now + SECOND, lambda: self.tell_of(letter, kind))

    def _next_tick(self, due: Instant) -> Instant:
        """Return the first full minute, after now, at which `wake` finds what is due."""
        return max(-(-due // MINUTE), self.house.now // MINUTE + 1) * MINUTE


def _to_image(item: dict[str, Any]) -> dict[str, Any]:
    """Return a row as Lambda delivers it: binary values are base64 text."""
    return {
        name: {"B": b64encode(it["B"]).decode()} if isinstance(it.get("B"), bytes) else it for name, it in item.items()
    }
