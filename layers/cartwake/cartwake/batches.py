"""Batches of records: everything that can be processed is, whatever its neighbours do."""

import json
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

import msgspec

from cartwake.errors import TryAgain
from cartwake.reasons import Refusal
from cartwake.store import quarantine
from cartwake.telemetry import count_for_all, logger
from cartwake.times import HOUR, Instant


def process_each[Item](
    items: Iterable[Item], process: Callable[[Item], None], *, set_aside: Callable[[Item, Exception], None]
) -> list[Item]:
    """Process every item, and return those to be tried again.

    Args:
        items: Of one batch.
        process: Raises TryAgain when the failure is transient.
        set_aside: Called with an item that failed in any other way: it would fail for ever and block all behind it.
    """
    again = []
    for item in items:
        try:
            process(item)
        except TryAgain as error:
            logger.warning("to be tried again", error=type(error).__name__, detail=str(error))
            again.append(item)
        except Exception as error:  # noqa: BLE001  a poison record must never block a stream or a queue
            logger.error("set aside", error=type(error).__name__, at=_where(error))
            count_for_all("Quarantined")
            set_aside(item, error)
    return again


def process_queue(
    event: dict[str, Any],
    process: Callable[[dict[str, Any]], None],
    *,
    set_aside: Callable[[dict[str, Any], Exception], None],
) -> dict[str, Any]:
    """Process the JSON bodies of an SQS batch, and answer which of its messages SQS must deliver again.

    Args:
        event: As Lambda passes it, with `ReportBatchItemFailures` on.
        process: Called with each message's body.
        set_aside: Called with the whole record of a message that nobody can process.
    """
    again = process_each(event["Records"], lambda record: process(json.loads(record["body"])), set_aside=set_aside)
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in again]}


def keep_record(record: dict[str, Any], error: Exception, now: Instant) -> None:
    """Put a record that no code can process into quarantine, whole; of a repeated one there is one row an hour."""
    who = record.get("dynamodb", {}).get("Keys", {}).get("who", {}).get("S", "")
    body = msgspec.json.encode(record)
    key = str(record.get("eventID") or sha256(record.get("body", "").encode()).hexdigest()[:32])
    at = now - now % HOUR
    quarantine.put(who, key, reason=Refusal.POISON, at=at, where=type(error).__name__, body=body)


def read_asked(record: dict[str, Any]) -> dict[str, Any]:
    """Return what a queue's message asks for, or nothing when it is no JSON object."""
    try:
        asked = json.loads(record["body"])
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}


def is_queue(event: dict[str, Any]) -> bool:
    """Say whether the records come from a queue, not from a stream."""
    return bool(event["Records"][0].get("eventSource") == "aws:sqs")


def _where(error: Exception) -> str:
    """Return file and line of the failure: an exception's own text may hold what a shopper typed."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else ""
