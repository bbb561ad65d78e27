"""A world in miniature: the real handlers over moto, with a clock that is told."""

from typing import Any

from builders import a_subscription, an_identify
from world import client, lambda_context, read_queue, to_image

import functions.derive_segments.app as derive_segments
import functions.enter_journeys.app as enter_journeys
import functions.erase_profiles.app as erase_profiles
import functions.export_profiles.app as export_profiles
import functions.run_step.app as run_step
import functions.send_message.app as send_message
import functions.sweep_profiles.app as sweep_profiles
import functions.wake.app as wake
from cartwake import calling
from cartwake.events import Event
from cartwake.profiles import Profile
from cartwake.store import events, profiles
from cartwake.times import DAY

_QUEUES = {
    "steps": run_step.handler,
    "messages": send_message.handler,
    "webhooks": send_message.handler,
    "wakes": derive_segments.handler,
    "sweeps": sweep_profiles.handler,
    "erasures": erase_profiles.handler,
    "exports": export_profiles.handler,
}


class Shop:
    """Runs what AWS would run between the functions; `now` is the only clock."""

    def __init__(self, monkeypatch: Any, now: int) -> None:
        self.now = now
        self._streamed: set[tuple[str, str]] = set()
        for module in (
            derive_segments,
            enter_journeys,
            erase_profiles,
            export_profiles,
            run_step,
            send_message,
            sweep_profiles,
            wake,
            calling,
        ):
            monkeypatch.setattr(module, "read_clock", lambda: self.now)
        self._dynamodb = client("dynamodb")

    def hear(self, *news: Event) -> None:
        """Store events, stream them, and follow everything that this sets off at once."""
        self.derive(*news)
        self.follow()

    def derive(self, *news: Event) -> None:
        """Store and stream events, and lose every signal they give."""
        events.put_events(news)
        derive_segments.handler({"Records": [self.record(event) for event in news]}, lambda_context())

    def known(self) -> None:
        """Make user 1 a subscriber who was welcomed, a day before now."""
        self.hear(an_identify(at=self.now), a_subscription(at=self.now))
        self.now += DAY

    @staticmethod
    def profile(who: str) -> Profile:
        """Return the profile that a key leads to."""
        return profiles.resolve_profile(who)

    def subjects(self) -> list[str]:
        """Return the subjects of all mails, in order."""
        return [mail.subject for mail in self.mails()]

    def record(self, event: Event) -> dict[str, Any]:
        """Return the stream record of an event's row."""
        key = {"who": {"S": event.who}, "key": {"S": event.key}}
        item = self._dynamodb.get_item(TableName="events", Key=key)["Item"]
        return {"eventName": "INSERT", "dynamodb": {"Keys": key, "NewImage": to_image(item)}}

    def follow(self, *, again: bool = True) -> None:
        """Stream every profile that carries signals, or only what was written since, then empty the queues."""
        for item in self._dynamodb.scan(TableName="profiles")["Items"]:
            written = item["who"]["S"], item.get("version", {}).get("N", "")
            if "signals" in item and (again or written not in self._streamed):
                self._streamed.add(written)
                record = {"dynamodb": {"Keys": {"who": item["who"]}, "NewImage": to_image(item)}}
                enter_journeys.handler({"Records": [record]}, lambda_context())
        self.drain()

    def drain(self) -> None:
        """Work off the queues."""
        for _ in range(20):
            asked = [(handler, read_queue(name)) for name, handler in _QUEUES.items()]
            if not any(bodies for _, bodies in asked):
                return
            for handler, bodies in asked:
                if bodies:
                    answer = handler(queue_event(*bodies), lambda_context(remaining_ms=120_000))
                    assert answer == {"batchItemFailures": []}, answer
        raise AssertionError("the queues never became empty")

    def wait(self, duration_ms: int) -> None:
        """Let time pass, and have `wake` find what is due."""
        self.now += duration_ms
        wake.handler({}, lambda_context())
        self.drain()
        self.follow(again=False)

    @staticmethod
    def mails() -> list[Any]:
        """Return what SES accepted."""
        from moto.ses.models import ses_backends

        return list(ses_backends["123456789012"]["eu-central-1"].sent_messages)

    @staticmethod
    def texts() -> list[Any]:
        """Return what SNS accepted as SMS."""
        from moto.sns.models import sns_backends

        return list(sns_backends["123456789012"]["eu-central-1"].sms_messages.values())


def queue_event(*bodies: dict[str, Any]) -> dict[str, Any]:
    """Return an SQS batch."""
    import json

    return {
        "Records": [
            {"eventSource": "aws:sqs", "messageId": f"q-{index}", "body": json.dumps(body)}
            for index, body in enumerate(bodies)
        ]
    }
