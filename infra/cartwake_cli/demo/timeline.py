"""The timeline: what happened to one shopper and why, in plain words, from what is stored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from cartwake.bundles import Bundle
from cartwake.events import ORDER_COMPLETED, PRODUCT_ADDED, PRODUCT_REMOVED, SUBSCRIBED, UNSUBSCRIBED, Event, Trust
from cartwake.journeys import Journey, Send, Step
from cartwake.messages import Message, MessageState
from cartwake.paths import find_step, list_sides
from cartwake.reasons import EndReason
from cartwake.runs import Run, Slot
from cartwake.segments import is_member
from cartwake.statements import Channel
from cartwake_cli import words
from cartwake_cli.tables import Facts

type Tone = Literal["plain", "good", "warn", "violet", "blue"]

CHANNELS: Final = {Channel.EMAIL: "E-mail", Channel.SMS: "SMS", Channel.PUSH: "Push", Channel.WEBHOOK: "webhook"}
SAID_BY: Final = {Trust.BROWSER: "the browser", Trust.SERVER: "the shop's server", Trust.OWN: "Cartwake"}
TOLD_ELSEWHERE: Final = frozenset({"Email Sent", "SMS Sent"})
"""Events of our own that the message's entry tells already."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline; `kind` picks the sign, `tone` the colour."""

    at: int
    kind: str
    title: str
    detail: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a run waits for."""

    due_at: int
    title: str
    detail: str


def tell(facts: Facts, rules: Bundle, *, subjects: Mapping[str, str]) -> list[Entry]:
    """Return the entries, the newest first; `subjects` are those of sent mails by the provider's id."""
    entries = [
        *(_tell_event(event) for event in facts.events if event.name not in TOLD_ELSEWHERE and not event.backfill),
        *_tell_segments(facts, rules),
        *(entry for run in facts.runs for entry in _tell_run(run, rules)),
        *(_tell_refusal(slot, rules) for slot in facts.slots if slot.refused is not None),
        *(entry for message in facts.messages for entry in _tell_message(message, rules, subjects)),
        *(
            Entry(at, "unsent", "Event not accepted", words.say(reason, words.REFUSED), "warn")
            for reason, _, at in facts.refused
        ),
    ]
    ranks = {"event": 0, "merge": 1, "consent": 1, "segment": 2, "journey": 3}
    return sorted(entries, key=lambda entry: (entry.at, ranks.get(entry.kind, 4)), reverse=True)


def list_waiting(facts: Facts, rules: Bundle) -> list[Waiting]:
    """Return what the shopper's runs wait for, the earliest first."""
    waits = [
        Waiting(run.due_at, f"{_title(rules, run.journey)}: waiting", _tell_next(run, journey))
        for run in facts.runs
        if run.ended is None and not run.held and (journey := rules.journeys.get(run.journey)) is not None
    ]
    return sorted(waits, key=lambda wait: wait.due_at)


def _tell_event(event: Event) -> Entry:
    said = "by a crawler: kept, and counts for nothing" if event.bot else f"told by {SAID_BY[event.trust]}"
    properties = event.properties
    match event.name:
        case "Page Viewed":
            title = properties.get("title") or properties.get("name") or "a page"
            return Entry(event.received_at, "event", f"Visited {title}", said)
        case name if name == PRODUCT_ADDED:
            return Entry(
                event.received_at, "event", f"Put {_name(properties)} in the cart", f"{_price(properties)}{said}"
            )
        case name if name == PRODUCT_REMOVED:
            return Entry(event.received_at, "event", f"Took {_name(properties)} out of the cart", said)
        case name if name == ORDER_COMPLETED:
            total = properties.get("revenue") or properties.get("total")
            paid = f" for {_money(total, properties)}" if total is not None else ""
            return Entry(event.received_at, "event", f"Bought{paid}", f"Order Completed, {said}", "good")
        case "Identified":
            return _tell_identify(event, said)
        case name if name in {SUBSCRIBED, UNSUBSCRIBED}:
            return _tell_consent(event, said)
    return Entry(event.received_at, "event", event.name, said)


def _tell_identify(event: Event, said: str) -> Entry:
    named = event.traits.get("email") or event.user_id
    if event.user_id and event.anonymous_id:
        return Entry(
            event.received_at,
            "merge",
            f"Became known as {named}",
            f"earlier anonymous visits are joined to this profile; {said}",
        )
    return Entry(event.received_at, "merge", f"Known as {named}", said)


def _tell_consent(event: Event, said: str) -> Entry:
    channel = "SMS" if event.properties.get("channel") == Channel.SMS else "e-mail"
    if event.name == SUBSCRIBED:
        return Entry(event.received_at, "consent", f"Agreed to {channel}", said, "good")
    how = {"page": " on the page that a mail links to", "one_click": " by the mail program's button"}
    method = how.get(str(event.properties.get("method", "")).replace("-", "_"), "")
    return Entry(event.received_at, "unsent", f"Unsubscribed from {channel}", f"{said}{method}", "warn")


def _tell_segments(facts: Facts, rules: Bundle) -> Iterator[Entry]:
    for name, membership in facts.profile.state.memberships.items():
        if is_member(membership) and name in rules.segments:
            yield Entry(
                membership.since,
                "segment",
                f"Entered segment “{name}”",
                rules.segments[name].title,
                "violet",
            )


def _tell_run(run: Run, rules: Bundle) -> Iterator[Entry]:
    title = _title(rules, run.journey)
    journey = rules.journeys.get(run.journey)
    by = "a date" if journey is not None and journey.trigger.dated is not None else "a segment"
    cause = f"started by {run.trigger.name if run.trigger else by}"
    yield Entry(run.entered_at, "journey", f"Journey “{title}” began", cause, "blue")
    if run.ended is None or run.ended is EndReason.MERGED:
        return
    if run.ended is EndReason.EXITED:
        yield Entry(
            run.ended_at,
            "unsent",
            f"Journey “{title}” ended: nothing more is sent",
            f"because of {run.ended_by or 'what ends it'}",
            "warn",
        )
        return
    yield Entry(run.ended_at, "journey", f"Journey “{title}” ended", words.say(run.ended, words.ENDED), "blue")


def _tell_refusal(slot: Slot, rules: Bundle) -> Entry:
    why = words.say(str(slot.refused), words.NOT_ENTERED)
    outcome = "was not begun again" if slot.run else "did not begin"
    return Entry(slot.refused_at, "unsent", f"Journey “{_title(rules, slot.journey)}” {outcome}", why)


def _tell_message(message: Message, rules: Bundle, subjects: Mapping[str, str]) -> Iterator[Entry]:
    channel = CHANNELS[message.channel]
    journey = _title(rules, message.journey)
    match message.state:
        case MessageState.ACCEPTED:
            subject = subjects.get(message.provider_id, "")
            title = f"{channel} sent" + (f": {subject}" if subject else "")
            kind = "sent" if message.channel is Channel.EMAIL else "text"
            yield Entry(message.accepted_at, kind, title, f"journey “{journey}”", "good")
        case MessageState.SKIPPED | MessageState.REFUSED | MessageState.UNKNOWN:
            why = words.say(message.reason, words.SKIPPED) if message.reason else "nobody knows yet whether it went out"
            at = message.settled_at or message.claimed_at or message.planned_at
            yield Entry(
                at, "unsent", f"{channel} not sent: {why}", f"journey “{journey}”, reason {message.reason}", "warn"
            )
        case MessageState.PLANNED | MessageState.CLAIMED:
            return


def _tell_next(run: Run, journey: Journey) -> str:
    sends = _find_sends(journey.steps, run.path)
    sending = " or ".join(f"{CHANNELS[send.channel]} “{send.template}”" for send in sends) or "the next step"
    exits = [trigger.event or trigger.entered or trigger.left for trigger in journey.exits]
    return f"then {sending}, unless {' or '.join(exits)}" if exits else f"then {sending}"


def _find_sends(steps: tuple[Step, ...], path: str) -> list[Send]:
    """Return the message at or after a step, or those of which a branch will choose."""
    index, _, rest = path.partition(".")
    here = find_step(steps, path) if rest else None
    if isinstance(here, Send):
        return [here]
    return next((found for step in steps[int(index) :] if (found := _list_first(step))), [])


def _list_first(step: Step) -> list[Send]:
    match step:
        case Send():
            return [step]
        case _:
            return [send for _, side in list_sides(step) for inner in side[:1] for send in _list_first(inner)]


def _title(rules: Bundle, journey: str) -> str:
    return rules.journeys[journey].title if journey in rules.journeys else journey


def _name(properties: dict[str, Any]) -> str:
    return str(properties.get("name") or properties.get("product_id") or "a product")


def _price(properties: dict[str, Any]) -> str:
    return f"{_money(properties['price'], properties)}, " if "price" in properties else ""


def _money(amount: Any, properties: dict[str, Any]) -> str:
    currency = str(properties.get("currency", ""))
    return f"€{amount}" if currency == "EUR" else f"{amount} {currency}".strip()
