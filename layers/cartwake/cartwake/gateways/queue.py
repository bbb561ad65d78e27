"""The queues between functions; a lost message is found again by `wake`, a doubled one does no harm."""

import json
from collections.abc import Sequence
from itertools import batched
from typing import Any, Final

from cartwake.errors import TryAgain
from cartwake.gateways import clients
from cartwake.settings import require

LONGEST_DELAY_SECONDS: Final = 900
forget = clients.forget


def send_step(who: str, run: str, seq: int, *, delay_seconds: int = 0) -> None:
    """Ask for the next step of a run, after a delay of at most 900 seconds."""
    _send("STEPS_QUEUE_URL", [{"who": who, "run": run, "seq": seq}], delay_seconds=delay_seconds)


def send_steps(steps: Sequence[tuple[str, str]]) -> None:
    """Ask for the next step of many runs, whatever their position: what `wake` found overdue."""
    _send("STEPS_QUEUE_URL", [{"who": who, "run": run} for who, run in steps])


def send_judgements(participants: Sequence[tuple[str, str]]) -> None:
    """Ask for participants of tests to be counted: whose time is over, by who and by what they take part in."""
    _send("STEPS_QUEUE_URL", [{"who": who, "test": test} for who, test in participants])


def send_messages(keys: Sequence[tuple[str, str]], *, delay_seconds: int = 0) -> None:
    """Ask for messages to be sent, or settled."""
    _send(
        "MESSAGES_QUEUE_URL", [{"who": who, "message": message} for who, message in keys], delay_seconds=delay_seconds
    )


def send_webhooks(keys: Sequence[tuple[str, str]], *, delay_seconds: int = 0) -> None:
    """Ask for webhooks to be sent: in a queue of their own, so that a slow receiver holds up no mail."""
    bodies = [{"who": who, "webhook": message} for who, message in keys]
    _send("WEBHOOKS_QUEUE_URL", bodies, delay_seconds=delay_seconds)


def send_wakes(whos: Sequence[str]) -> None:
    """Ask for profiles to be evaluated, because time has passed."""
    _send("WAKES_QUEUE_URL", [{"who": who} for who in whos])


def send_sweeps(parts: Sequence[tuple[str, int]], *, delay_seconds: int = 0) -> None:
    """Ask for parts of sweeps to go on: of which kind, and which part."""
    bodies = [{"sweep": sweep, "part": part} for sweep, part in parts]
    _send("SWEEPS_QUEUE_URL", bodies, delay_seconds=delay_seconds)


def send_enrolments(parts: Sequence[tuple[str, int]]) -> None:
    """Ask for parts of enrolments to go on: of which journey, and which part."""
    _send("SWEEPS_QUEUE_URL", [{"enrol": journey, "part": part} for journey, part in parts])


def send_feedback(bodies: Sequence[dict[str, Any]], *, delay_seconds: int = 0) -> None:
    """Tell track_delivery what became of a message, after a delay."""
    _send("FEEDBACK_QUEUE_URL", bodies, delay_seconds=delay_seconds)


def send_erasures(whos: Sequence[str]) -> None:
    """Ask for what is left of erased shoppers to be deleted, by the keys of the profiles that they were."""
    _send("ERASURES_QUEUE_URL", [{"who": who} for who in whos])


def send_exports(requests: Sequence[tuple[str, str, int]]) -> None:
    """Ask for copies of everything about shoppers: whose, by which event, and when that was received."""
    _send("EXPORTS_QUEUE_URL", [{"who": who, "request": key, "at": at} for who, key, at in requests])


def _send(queue: str, bodies: Sequence[dict[str, Any]], *, delay_seconds: int = 0) -> None:
    """Send in tens.

    Raises:
        TryAgain: Not all were taken.
    """
    delay = max(0, min(delay_seconds, LONGEST_DELAY_SECONDS))
    for group in batched(bodies, 10, strict=False):
        entries = [
            {"Id": str(index), "MessageBody": json.dumps(body), "DelaySeconds": delay}
            for index, body in enumerate(group)
        ]
        with clients.transient(queue):
            answer = clients.client("sqs").send_message_batch(QueueUrl=require(queue), Entries=entries)
        if answer.get("Failed"):
            raise TryAgain(f"{queue}: {len(answer['Failed'])} not taken")
