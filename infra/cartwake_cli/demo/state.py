"""What the page shows, as plain JSON values made from what is stored and what was really sent."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from cartwake.bundles import Bundle
from cartwake.events import ORDER_COMPLETED, PRODUCT_ADDED, SUBSCRIBED
from cartwake.messages import MessageState
from cartwake.reasons import EndReason, Skip
from cartwake.runs import Run
from cartwake.segments import is_member
from cartwake.statements import Channel, Consent
from cartwake.times import DAY, NEVER, Instant, to_datetime
from cartwake_cli import words
from cartwake_cli.demo import timeline
from cartwake_cli.tables import Facts

PREVIEW: Final = 110
MOST_OUTCOMES: Final = 3
LINK: Final = re.compile(r"\S*https?://\S+")
TONES: Final = ("busy", "warn", "good")
"""Of several outcomes, the one that gives a shopper the colour comes first."""


@dataclass(frozen=True, slots=True)
class Shopper:
    """Somebody whom the page shows; `keys` are those of the profiles table, the best known first."""

    id: str
    name: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one journey of a shopper."""

    tone: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail or an SMS that was handed over; an SMS has no subject and no HTML."""

    id: str
    channel: str
    sender: str
    to: str
    subject: str
    text: str
    html: str
    at: Instant


def show_shopper(shopper: Shopper, facts: Facts, rules: Bundle, *, subjects: Mapping[str, str]) -> dict[str, Any]:
    """Return all that the page says about one shopper."""
    outcomes = sum_up(facts, rules)
    state = facts.profile.state
    return {
        "id": shopper.id,
        "name": shopper.name,
        "tone": next((tone for tone in TONES if any(each.tone == tone for each in outcomes)), "plain"),
        "outcomes": [asdict(each) for each in outcomes],
        "contacts": [str(contact.value) for channel, contact in state.contacts.items() if channel is not Channel.PUSH],
        "consents": [_show_consent(channel, consent) for channel, consent in sorted(state.consents.items())],
        "segments": [
            {"text": _show_segment(name, membership.until)}
            for name, membership in sorted(state.memberships.items())
            if is_member(membership) and name in rules.segments
        ],
        "waiting": [asdict(wait) for wait in timeline.list_waiting(facts, rules)],
        "entries": [asdict(entry) for entry in timeline.tell(facts, rules, subjects=subjects)],
    }


def sum_up(facts: Facts, rules: Bundle) -> list[Outcome]:
    """Return what became of the latest journeys of a shopper, the latest first."""
    runs = sorted((run for run in facts.runs if run.ended is not EndReason.MERGED), key=lambda run: -run.entered_at)
    if not runs:
        return [Outcome("plain", "No journey yet", "some visits are known" if facts.events else "no visit so far")]
    return [_sum_up_run(run, facts, rules) for run in runs[:MOST_OUTCOMES]]


def _sum_up_run(run: Run, facts: Facts, rules: Bundle) -> Outcome:
    title = rules.journeys[run.journey].title if run.journey in rules.journeys else run.journey
    mine = [message for message in facts.messages if message.run == run.key]
    sent = sum(message.state is MessageState.ACCEPTED for message in mine)
    said = f"{sent} sent" if sent else "nothing sent"
    skipped = next((it.reason for it in mine if it.state is MessageState.SKIPPED), "")
    if run.ended is None:
        return Outcome("busy", title, f"{said} so far, it goes on")
    if run.ended is EndReason.EXITED:
        if sent:
            return Outcome("good", title, f"{said}, then {run.ended_by} ended it")
        return Outcome("warn", title, f"{said}: {run.ended_by} came first")
    if skipped:
        return Outcome("warn", title, f"{said}: {words.say(skipped, words.SKIPPED)}")
    return Outcome("good" if sent else "plain", title, said)


def show_sent(sent: Sequence[Sent], owners: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the inbox, the newest first, without the HTML; `owners` are shoppers by address."""
    return [
        {
            "id": each.id,
            "channel": each.channel,
            "shopper": owners.get(each.to, ""),
            "from": each.sender,
            "to": each.to,
            "subject": each.subject,
            "preview": " ".join(LINK.sub("", each.text).split())[:PREVIEW],
            "text": each.text,
            "at": each.at,
        }
        for each in sorted(sent, key=lambda one: one.at, reverse=True)
    ]


def show_status(rules: Bundle, profiles: int, members: Mapping[str, int], *, source: str) -> dict[str, Any]:
    """Return what the head of the page says about the stack; `source` says where its profiles come from."""
    return {
        "profiles": profiles,
        "source": source,
        "journeys": [{"title": journey.title, "status": journey.status} for journey in rules.journeys.values()],
        "segments": [
            {"name": name, "title": segment.title, "members": members.get(name, 0)}
            for name, segment in sorted(rules.segments.items())
        ],
    }


def show_tour(facts: Facts, waits: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return what a visitor can try, and which of it has happened; `waits` are seconds by journey."""
    carts = [run for run in facts.runs if _started_by(run, PRODUCT_ADDED)]
    welcomes = [run for run in facts.runs if _started_by(run, SUBSCRIBED)]
    bought = any(run.ended is EndReason.EXITED and run.ended_by == ORDER_COMPLETED for run in carts)
    refused = any(message.reason in {Skip.UNSUBSCRIBED, Skip.NO_CONSENT} for message in facts.messages)
    steps = [
        ("Sign up", "A welcome mail comes within seconds", _has_sent(facts, welcomes)),
        ("Leave a cart", f"Add a product, wait {waits['cart']} s: the reminder", _has_sent(facts, carts)),
        ("Buy in time", f"Add, then buy within {waits['cart']} s: no reminder", bought),
        ("Unsubscribe", "By the link in a mail, then leave a cart: nothing", refused),
    ]
    return [{"title": title, "hint": hint, "done": done} for title, hint, done in steps]


def _started_by(run: Run, name: str) -> bool:
    return run.trigger is not None and run.trigger.name == name


def _has_sent(facts: Facts, runs: Sequence[Run]) -> bool:
    keys = {run.key for run in runs}
    return any(message.run in keys and message.state is MessageState.ACCEPTED for message in facts.messages)


def _show_consent(channel: str, consent: Consent) -> dict[str, str]:
    name = timeline.CHANNELS[channel]  # type: ignore[index]  # a channel is its name
    if consent.subscribed:
        return {"text": f"{name} agreed", "tone": "good"}
    return {"text": f"{name} unsubscribed", "tone": "warn"}


def _show_segment(name: str, until: Instant) -> str:
    return name if until >= NEVER - DAY else f"{name} until {to_datetime(until):%d %b %Y}"
