"""Why a shopper got what they got, and did not get the rest: everything that is stored of them, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cartwake.addresses import Address, mask
from cartwake.bundles import HIDDEN, Bundle
from cartwake.erasure import Erasure, due_at, is_request
from cartwake.messages import Message, MessageState
from cartwake.optins import pending_since
from cartwake.profiles import Kind
from cartwake.runs import Run, Slot
from cartwake.segments import is_member
from cartwake.statements import Channel
from cartwake.telemetry import name_who
from cartwake.times import NEVER, Instant, format_instant
from cartwake_cli import words
from cartwake_cli.explanation_marks import explain_predictions, explain_scores, explain_tags, look_at
from cartwake_cli.sections import Section
from cartwake_cli.tables import Facts

_SHOWN: Final = 60
"""So much of a text is shown; all of it is in the export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All sections about one shopper."""

    who: str
    keys: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def names_in_logs(self) -> dict[str, str]:
        """What stands in logs for each key."""
        return {key: name_who(key) for key in self.keys}

    def as_data(self) -> dict[str, Any]:
        """Return plain data, for `--json`."""
        found = {section.title: section.as_data() for section in self.sections}
        return {"who": self.who, "keys": list(self.keys), "in logs": self.names_in_logs, **found}


def explain(facts: Facts, rules: Bundle | None, addresses: Mapping[Channel, Address], *, now: Instant) -> Explanation:
    """Return everything about one shopper.

    Args:
        facts: What the tables hold under all keys of the shopper.
        rules: The live ones; None when nothing was published.
        addresses: The rows of the addresses that may be written to.
        now: The time: tags, scores and predictions are those of now, all else is as it is stored.
    """
    view = look_at(facts.profile, rules, now)
    return Explanation(
        who=facts.profile.who,
        keys=facts.profile.keys,
        sections=(
            _explain_profile(facts),
            _explain_addresses(facts, addresses),
            _explain_consents(facts),
            _explain_segments(facts, rules),
            explain_tags(view),
            explain_scores(view),
            explain_predictions(view),
            _explain_runs(facts),
            _explain_messages(facts),
            _explain_coupons(facts, now),
            _explain_not_entered(facts),
            _explain_refused(facts),
        ),
    )


def _explain_profile(facts: Facts) -> Section:
    state = facts.profile.state
    lines = [("first seen", _when(state.first_seen_at)), ("last seen", _when(state.last_seen_at))]
    lines += [(name, str(register.value)) for name, register in sorted(state.traits.items())]
    for channel, asked in sorted(state.asked.items()):
        since = pending_since(asked, state.consents.get(channel))
        lines += [(f"subscription by {channel}", f"pending: asked for {_when(since)}, not confirmed")] if since else []
    known = facts.profile.version > 0
    lines += [("erasure", f"asked for {_when(it.received_at)}") for it in facts.events if is_request(it)]
    erased = _explain_erasure(facts.erasure) if facts.profile.kind is Kind.TOMBSTONE else ()
    return Section(
        title="profile",
        columns=("what", "value"),
        lines=erased or (tuple(lines) if known else ()),
        empty="nobody is known under this name",
    )


def _explain_erasure(erasure: Erasure | None) -> tuple[tuple[str, str], ...]:
    """Return how far an erasure is; nothing in it is of the person."""
    if erasure is None:
        return (("erased", "yes"),)
    ended = [_when(at) for at in erasure.passes]
    ended.append("under way" if not erasure.passes else f"due {_when(due_at(erasure))}")
    names = ("everything deleted", "deleted again", "deleted for the last time", "key let go of")
    return (("erased", _when(erasure.at)), *zip(names, ended, strict=False))


def _explain_addresses(facts: Facts, addresses: Mapping[Channel, Address]) -> Section:
    lines = []
    for channel, register in sorted(facts.profile.state.contacts.items()):
        address = addresses.get(channel)
        # whoever has a token could send in the shop's name
        shown = mask(channel, str(register.value)) if channel is Channel.PUSH else str(register.value)
        lines.append((channel.value, shown, _consent(address), _suppression(address)))
    return Section(
        title="addresses",
        columns=("channel", "address", "consent", "suppressed"),
        lines=tuple(lines),
        empty="no trusted source has told an address; nothing can be sent",
    )


def _consent(address: Address | None) -> str:
    if address is None or address.consent is None:
        return "never asked"
    word = "subscribed" if address.consent.subscribed else "unsubscribed"
    method = f" ({address.consent.method})" if address.consent.method else ""
    return f"{word} since {_when(address.consent.at)}{method}"


def _explain_consents(facts: Facts) -> Section:
    lines = tuple(
        (
            _when(it.at),
            it.channel.value,
            "yes" if it.subscribed else "no",
            ", ".join(it.told.topics) or "everything",
            it.told.method,
            it.told.version or it.told.text[:_SHOWN],
            it.source,
        )
        for it in facts.consents
    )
    columns = ("when", "channel", "said", "about", "method", "text", "by")
    return Section(title="consent record", columns=columns, lines=lines, empty="nothing was ever stated")


def _suppression(address: Address | None) -> str:
    if address is None or address.suppression is None:
        return "no"
    return f"{address.suppression.value} since {_when(address.suppressed_at)}"


def _explain_segments(facts: Facts, rules: Bundle | None) -> Section:
    lines = tuple(
        (name, _title(rules, name), _when(membership.since), _when(membership.until))
        for name, membership in sorted(facts.profile.state.memberships.items())
        if is_member(membership) and not name.startswith(HIDDEN)
    )
    return Section(title="segments", columns=("segment", "title", "since", "until"), lines=lines, empty="in none")


def _explain_runs(facts: Facts) -> Section:
    runs = sorted(facts.runs, key=lambda run: run.entered_at)
    return Section(
        title="runs",
        columns=("journey", "entered", "stands", "why"),
        lines=tuple((_name(run), _when(run.entered_at), *_stands(run)) for run in runs),
        empty="no journey was ever entered",
    )


def _name(it: Run | Slot) -> str:
    """Return the journey, and what the run is about where there is one for each order or product."""
    return f"{it.journey} ({it.about})" if it.about else it.journey


def _stands(run: Run) -> tuple[str, str]:
    if run.ended is not None:
        by = f" ({run.ended_by})" if run.ended_by else ""
        return f"ended {_when(run.ended_at)}{_variants(run)}", words.say(run.ended, words.ENDED) + by
    if run.held:
        return f"held at step {run.path}{_variants(run)}", "the journey is paused"
    sooner = ", or until what it waits for comes" if run.watching else ""
    return f"waits at step {run.path}{_variants(run)}", f"until {_when(run.due_at)}{sooner}"


def _variants(run: Run) -> str:
    """Return which variants of tests the shopper got."""
    return "".join(f", {test}: {variant}" for test, variant in sorted(run.variants.items()))


def _explain_messages(facts: Facts) -> Section:
    messages = sorted(facts.messages, key=lambda message: message.planned_at)
    return Section(
        title="messages",
        columns=("journey", "channel", "template", "planned", "state", "reason", "why", "since then"),
        lines=tuple(_message(message) for message in messages),
        empty="none was ever planned",
    )


def _message(message: Message) -> tuple[str, ...]:
    why = words.say(message.reason, words.SKIPPED) if message.reason else ""
    if message.state is MessageState.PLANNED and message.retry_at is not None:
        why = f"to be sent, looked at again {_when(message.retry_at)}"
    happened = ", ".join(f"{name} {_when(at)}" for name, at in sorted(message.happened.items(), key=lambda it: it[1]))
    detail = f"{why}: {message.detail}" if why and message.detail else why or message.detail
    return (
        message.journey,
        message.channel.value,
        message.template,
        _when(message.planned_at),
        message.state.value,
        message.reason,
        detail,
        happened,
    )


def _explain_coupons(facts: Facts, now: Instant) -> Section:
    lines = []
    for code in dict.fromkeys(facts.coupons):
        own = code.who in facts.profile.keys
        used = f"{_when(code.redeemed_at)}, order {code.order}" if code.redeemed_at else "no"
        until = "always" if code.until >= NEVER else _when(code.until)
        whose = _when(code.given_at) if own else "to somebody else"
        lines.append((code.pool, code.code, code.journey, whose, until, code.state(now), used))
    return Section(
        title="coupons",
        columns=("pool", "code", "journey", "given", "good until", "state", "redeemed"),
        lines=tuple(lines),
        empty="none was ever given",
    )


def _explain_not_entered(facts: Facts) -> Section:
    refused: list[tuple[Slot, str]] = [(slot, slot.refused) for slot in facts.slots if slot.refused is not None]
    return Section(
        title="not entered",
        columns=("journey", "when", "reason", "why"),
        lines=tuple(
            (_name(slot), _when(slot.refused_at), str(why), words.say(why, words.NOT_ENTERED)) for slot, why in refused
        ),
        empty="no trigger was refused",
    )


def _explain_refused(facts: Facts) -> Section:
    return Section(
        title="refused events",
        columns=("when", "reason", "where", "why"),
        lines=tuple(
            (_when(at), reason, where, words.say(reason, words.REFUSED))
            for reason, where, at in sorted(facts.refused, key=lambda it: it[2])
        ),
        empty="every event was accepted",
    )


def _title(rules: Bundle | None, segment: str) -> str:
    return rules.segments[segment].title if rules is not None and segment in rules.segments else "(no longer defined)"


def _when(instant: Instant) -> str:
    if instant in (0, NEVER):
        return "never" if instant == 0 else "something happens"
    return format_instant(instant)
