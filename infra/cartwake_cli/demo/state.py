"""What the page shows, as plain JSON values made from what is stored and what was really sent."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from cartwake.bundles import Bundle
from cartwake.events import ORDER_COMPLETED, PRODUCT_ADDED, SUBSCRIBED
from cartwake.messages import MessageState
from cartwake.profiles import Consent
from cartwake.reasons import EndReason, Skip
from cartwake.runs import Run
from cartwake.segments import is_member
from cartwake.times import DAY, NEVER, Instant, to_datetime
from cartwake_cli import words
from cartwake_cli.demo import timeline
from cartwake_cli.tables import Facts

PREVIEW: Final = 110


@dataclass(frozen=True, slots=True)
class Shopper:
    """Somebody whom the page shows; `keys` are those of the profiles table, the best known first."""

    id: str
    name: str
    keys: tuple[str, ...]


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
    tone, headline, about = sum_up(facts, rules)
    state = facts.profile.state
    return {
        "id": shopper.id,
        "name": shopper.name,
        "tone": tone,
        "headline": headline,
        "about": about,
        "contacts": [str(contact.value) for contact in state.contacts.values()],
        "consents": [_show_consent(channel, consent) for channel, consent in sorted(state.consents.items())],
        "segments": [
            {"text": _show_segment(name, membership.until)}
            for name, membership in sorted(state.memberships.items())
            if is_member(membership) and name in rules.segments
        ],
        "waiting": [asdict(wait) for wait in timeline.list_waiting(facts, rules)],
        "entries": [asdict(entry) for entry in timeline.tell(facts, rules, subjects=subjects)],
    }


def sum_up(facts: Facts, rules: Bundle) -> tuple[str, str, str]:
    """Return the tone, the outcome in a few words, and where it comes from."""
    waiting = timeline.list_waiting(facts, rules)
    if waiting:
        return "busy", "Waiting: nothing is sent yet", waiting[0].title
    run = timeline.find_last_run(facts)
    if run is None:
        known = "Visits are known, no journey has begun." if facts.events else "No visit so far."
        return "plain", "Nothing sent yet", known
    journey = rules.journeys[run.journey].title if run.journey in rules.journeys else run.journey
    mine = [message for message in facts.messages if message.run == run.key]
    sent = sum(message.state is MessageState.ACCEPTED for message in mine)
    why = next((words.say(it.reason, words.SKIPPED) for it in mine if it.state is MessageState.SKIPPED), "")
    about = f"Journey “{journey}”"
    match sent, run.ended:
        case 0, EndReason.EXITED:
            return "warn", f"Nothing sent: {run.ended_by} came first", about
        case 0, _ if why:
            return "warn", f"Nothing sent: {why}", about
        case 0, _:
            return "plain", "Nothing sent", about
        case _, EndReason.EXITED:
            return "good", f"{sent} sent, then {run.ended_by}", about
    return "good", f"{sent} {'message' if sent == 1 else 'messages'} sent", about


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
            "preview": " ".join(each.text.split())[:PREVIEW],
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
