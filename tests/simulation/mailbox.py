"""The mailbox: what SES and SNS have taken, which nobody can take back, and what SES tells of it."""

import json
import random
import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from simulation import cloud
from simulation.faults import HOUR, MINUTE, Mishap
from simulation.processes import Invocation
from simulation.setting import ROOT, clock

if TYPE_CHECKING:
    from simulation.world import World

SECOND = 1_000_000
_CODE = re.compile(r"<b>([^<]+)</b>")
PAYLOADS = ROOT / "tests" / "payloads" / "ses"


@dataclass(frozen=True)
class Sent:
    """A message that was accepted.

    Attributes:
        at: When, in microseconds.
        message: Our id of it, from its tags; "" of an SMS.
        link: The address to which a POST unsubscribes.
        code: The coupon that it shows; "" when it shows none.
    """

    at: int
    channel: str
    to: str
    subject: str
    who: str = ""
    message: str = ""
    link: str = ""
    code: str = ""
    provider_id: str = ""
    by: int = 0


class Mailbox:
    """Everything that has left the house."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._chance = random.Random(f"mailbox {world.seed}")
        self.sent: list[Sent] = []
        self.bouncing: set[str] = set()
        self.complaining: set[str] = set()
        self.opening = 0.0
        self.silent = False
        self.closed = False
        self.paused = False

    def take(self, operation: str, body: bytes, answer: cloud.Answer, by: Invocation | None) -> None:
        """Note an accepted message, and tell of it what SES tells."""
        number = by.number if by else 0
        if operation == "Publish":
            form = parse_qs(body.decode())
            sent = Sent(clock.micros, "sms", form["PhoneNumber"][0], form["Message"][0], by=number)
        else:
            sent = _read_mail(json.loads(body), json.loads(answer[2])["MessageId"], number)
            self._tell_all(sent)
        self.sent.append(sent)
        self._world.note(f"accepted {sent}")
        if self._world.watch:
            self._world.watch.on_sent(sent)

    def subjects(self) -> list[str]:
        """Return the subjects of mails, and the texts of SMS, in order."""
        return [it.subject for it in self.sent]

    def _tell_all(self, sent: Sent) -> None:
        early = self._world.plan.happens(Mishap.FEEDBACK_EARLY)
        self._tell(sent, "Send", 0 if early else self._chance.randrange(SECOND, 5 * SECOND))
        if sent.to in self.bouncing:
            self._tell(sent, "Bounce", self._chance.randrange(2 * SECOND, 20 * SECOND))
            return
        self._tell(sent, "Delivery", self._chance.randrange(2 * SECOND, 60 * SECOND))
        if sent.to in self.complaining:
            self._tell(sent, "Complaint", self._chance.randrange(MINUTE, HOUR))
        if self._chance.random() < self.opening:
            self._tell(sent, "Open", self._chance.randrange(MINUTE, 10 * HOUR))
            self._tell(sent, "Click", self._chance.randrange(10 * HOUR, 11 * HOUR))

    def _tell(self, sent: Sent, kind: str, delay: int) -> None:
        plan = self._world.plan
        if self.silent or plan.happens(Mishap.FEEDBACK_LOST):
            return
        if plan.happens(Mishap.FEEDBACK_LATE):
            delay += self._chance.randrange(HOUR, 12 * HOUR)
        body = json.dumps({"Type": "Notification", "Message": json.dumps(_describe(sent, kind, clock.micros + delay))})
        queue = self._world.queues["feedback"]
        self._world.loop.after(delay, lambda: queue.put(body))
        if plan.happens(Mishap.FEEDBACK_DOUBLED):
            self._world.loop.after(delay + self._chance.randrange(0, HOUR), lambda: queue.put(body))


def _read_mail(asked: dict[str, Any], provider_id: str, number: int) -> Sent:
    tags = {it["Name"]: it["Value"] for it in asked.get("EmailTags", ())}
    simple = asked["Content"]["Simple"]
    headers = {it["Name"]: it["Value"] for it in simple.get("Headers", ())}
    packed = tags.get("who", "")
    return Sent(
        at=clock.micros,
        channel="email",
        to=asked["Destination"]["ToAddresses"][0],
        subject=simple["Subject"]["Data"],
        who=urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode(),
        message=tags.get("message", ""),
        link=headers.get("List-Unsubscribe", "").strip("<>"),
        code=(_CODE.findall(simple["Body"]["Html"]["Data"]) or [""])[0],
        provider_id=provider_id,
        by=number,
    )


_FILES = {
    "Send": "send.json",
    "Delivery": "delivery.json",
    "Bounce": "bounce-hard.json",
    "Complaint": "complaint.json",
    "Open": "open.json",
    "Click": "click.json",
}


def _describe(sent: Sent, kind: str, at: int) -> dict[str, Any]:
    """Return the JSON that SES documents, about this mail."""
    told: dict[str, Any] = json.loads(_read(_FILES[kind]))
    from cartwake.feedback.deliveries import tags_for

    told["mail"] |= {"messageId": sent.provider_id, "timestamp": _iso(sent.at), "destination": [sent.to]}
    told["mail"]["tags"] = {name: [value] for name, value in tags_for(sent.who, sent.message).items()}
    inner = told.get(kind.lower())
    if isinstance(inner, dict) and "timestamp" in inner:
        inner["timestamp"] = _iso(at)
    return told


def _read(name: str) -> str:
    if name not in _read_before:
        _read_before[name] = (Path(PAYLOADS) / name).read_text()
    return _read_before[name]


_read_before: dict[str, str] = {}


def _iso(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
