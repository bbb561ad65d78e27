"""Telling: what is promised of the webhooks by which other systems are told something."""

import hmac
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cartwake.messages import Message
from cartwake.reasons import Skip
from simulation import cloud
from simulation.faults import Mishap
from simulation.readers import read_message
from simulation.receivers import PATIENCE_SECONDS, SECOND, Receiver, Told
from simulation.rules import CONFIDENTIAL, HOST, PATH
from simulation.setting import ROOT_SECRET, clock

if TYPE_CHECKING:
    from simulation.watch import Watch

NEXT = {
    "planned": {"planned", "claimed", "skipped"},
    "claimed": {"claimed", "accepted", "refused", "planned"},
    "accepted": {"accepted"},
    "refused": {"refused"},
    "skipped": {"skipped"},
}
LEASE = 120_000_000
GAPS_MS = (5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000)
"""What is published: so long after an attempt comes the next one, or a tenth of that later."""


def look_at(watch: "Watch", told: Told) -> None:
    """Hold an attempt against the ledger as it is at that moment."""
    message = find_row(watch, told.id)
    watch.must("everything told is in the ledger", message is not None, told)
    if message is None:
        return
    ids = {it.id for it in watch.told if name_step(it) == name_step(told)}
    watch.must("a webhook keeps its id", ids <= {told.id}, (told, ids))
    watch.must("nothing is told without a claim", message.state == "claimed", (told, message))
    tries = 1 + sum(it.id == told.id for it in watch.told)
    watch.must("each attempt of a webhook has a claim of its own", tries <= watch.claimed[told.id], (told, tries))
    since = clock.micros - watch.claims.get(told.id, 0)
    watch.must("a webhook leaves within its lease", since < LEASE, (told, message))
    watch.must("a receiver knows that it is us", sign(told) in told.head["webhook-signature"].split(" "), told)


def judge_told(watch: "Watch", receiver: Receiver, log: str) -> None:
    """Every webhook is settled, truly, and no log says where it went and what it said."""
    for row in cloud.rows("messages"):
        message = read_message(row)
        if message is not None and message.channel == "webhook":
            judge_webhook(watch, receiver, message)
    for ident, at in receiver.busy if not watch.plan.fired[Mishap.SKEW] else ():
        later = [it.at for it in watch.told if it.id == ident and it.at > at]
        rested = all(it - at >= PATIENCE_SECONDS * SECOND for it in later)
        watch.must("a receiver that has too much to do is left alone", rested, (ident, at, later))
    for each in watch.told:
        secrets = (each.head["webhook-signature"], PATH, CONFIDENTIAL, each.body)
        watch.must("no log says where a webhook went and what it said", not any(it in log for it in secrets))


def judge_webhook(watch: "Watch", receiver: Receiver, message: Message) -> None:
    """It was taken, or was not and says why, or its next attempt is ahead."""
    tries, state = watch.claimed[message.id], message.state.value
    watch.must("a webhook is taken, or is not, or is to be tried again", state in NEXT and state != "claimed", message)
    match state:
        case "accepted":
            watch.must("what is said to be taken was taken", message.id in receiver.taken, message)
        case "refused" if message.reason == Skip.NOT_TAKEN:
            next_at = message.settled_at + 1.1 * GAPS_MS[min(tries, len(GAPS_MS)) - 1]
            watch.must("a webhook is tried for as long as was said", next_at > message.not_after, (message, tries))
        case "refused":
            told = message.reason == Skip.REFUSED_BY_PROVIDER and message.id in receiver.gone
            watch.must("a receiver that refuses a webhook has said so", told, message)


def find_row(watch: "Watch", message: str) -> Message | None:
    """Return the row of a webhook, also of who was erased since."""
    found = next((row for row in cloud.rows("messages") if row["message"]["S"] == message), None)
    return read_message(found) or watch.deleted.get(message)


def name_step(told: Told) -> tuple[Any, ...]:
    """Return what a webhook is about: the step of a run."""
    return tuple(told.data[name] for name in ("journey", "run", "step"))


def sign(told: Told) -> str:
    """Return the signature that the receiver works out for itself."""
    key = hmac.new(ROOT_SECRET.encode(), f"webhooks {HOST}".encode(), sha256).digest()
    signed = f"{told.id}.{told.head['webhook-timestamp']}.{told.body}"
    return f"v1,{b64encode(hmac.new(key, signed.encode(), sha256).digest()).decode()}"
