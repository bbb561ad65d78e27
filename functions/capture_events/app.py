"""Captures events: authenticates the write key, vets what was sent, and writes it; nothing else."""

from collections import Counter
from functools import partial
from typing import Any

from cartwake.capture.bodies import open_batch, open_single
from cartwake.capture.intake import Intake, Refused, Source, take_in
from cartwake.capture.keyring import Keyring, allows
from cartwake.capture.requests import (
    Answer,
    Request,
    answer_fault,
    answer_later,
    answer_ok,
    answer_preflight,
    check_route,
    read_request,
)
from cartwake.clock import read_clock
from cartwake.errors import BadInput, TryAgain
from cartwake.events import Arrival
from cartwake.reasons import Refusal
from cartwake.store import events, quarantine
from cartwake.store.keys import WriteKey, find_key
from cartwake.telemetry import count, logger, metrics
from cartwake.times import Instant

MOST_QUARANTINED = 20
"""Refused events of one request that are kept for `cartwake explain`; all of them are counted."""

keyring = Keyring(find_key)


@logger.inject_lambda_context
def handler(payload: dict[str, Any], context: object) -> Answer:
    """Answer one request of the HTTP API."""
    request = read_request(payload, now=read_clock())
    if request.method == "OPTIONS":
        return answer_preflight(request.origin)
    try:
        intake = capture(request)
    except BadInput as fault:
        logger.info("request refused", reason=fault.code)
        count("EventsRefused")
        return answer_fault(request.origin, fault)
    except TryAgain:
        logger.warning("events not stored; the client is asked to send them again")
        count("EventsAccepted", 0)
        return answer_later(request.origin)
    finally:
        metrics.flush_metrics()
    if intake.refused and request.kind != "batch":
        return answer_fault(request.origin, BadInput(intake.refused[0].reason, intake.refused[0].message))
    return answer_ok(request.origin)


def capture(request: Request) -> Intake:
    """Store the events of a request, and why others were refused.

    Raises:
        BadInput: Nothing of the request can be accepted.
        TryAgain: Not all was stored; the same request may come again.
    """
    check_route(request)
    key = authenticate(request, request.write_key) if request.write_key else None
    body = request.unpack()
    envelope = open_batch(body) if request.kind == "batch" else open_single(body)
    key = key or authenticate(request, envelope.write_key)
    source = Source(
        key.trust,
        request.received_at,
        request.sent_at,
        request.headers.get("user-agent", ""),
        recognise=partial(recognise, now=request.received_at),
    )
    intake = take_in(envelope, source, kind=request.kind)
    if intake.accepted:
        events.put_events(intake.accepted)
    if intake.refused:
        keep_refused(intake.refused, request)
    count("EventsAccepted", len(intake.accepted))
    logger.info("events captured", kind=request.kind, accepted=len(intake.accepted), refused=len(intake.refused))
    return intake


def authenticate(request: Request, text: str) -> WriteKey:
    """Return the write key of a request.

    Raises:
        BadInput: It is unknown or revoked, or not for the page that uses it.
    """
    key = keyring.look_up(text, request.received_at)
    if key is None:
        raise BadInput(
            Refusal.UNKNOWN_KEY, "the write key is missing or unknown; send it as the user of Basic authentication"
        )
    if not allows(key, request.origin):
        raise BadInput(Refusal.ORIGIN_NOT_ALLOWED, "this write key is not for pages of this origin")
    return key


def recognise(token: str, *, now: Instant) -> Arrival | None:
    """Return by which link of a message somebody came; None too where the keys cannot be read: the event goes first."""
    # one request in thousands pays for the client of Secrets Manager, and the others not even for its import
    from cartwake.gateways.secrets import READERS_LOOK_MS, renew, try_link_secrets  # noqa: PLC0415
    from cartwake.links import read_visit  # noqa: PLC0415

    visit = read_visit(token, try_link_secrets(now), now=now)
    if visit is None and renew(now, after_ms=READERS_LOOK_MS):
        visit = read_visit(token, try_link_secrets(now), now=now)
    logger.info("arrival", recognised=visit is not None)
    return None if visit is None else Arrival(visit.who, visit.message, visit.at)


def keep_refused(refused: tuple[Refused, ...], request: Request) -> None:
    """Count refused events, and keep some of them with their reason, without what they said."""
    for each in refused[:MOST_QUARANTINED]:
        quarantine.put(each.who, each.id, reason=each.reason, at=request.received_at, where=each.where[:200])
    count("EventsRefused", len(refused))
    logger.info("events refused", reasons=Counter(each.reason for each in refused))
