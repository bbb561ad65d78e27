"""The eyes of the page: reads the stack and the engine's records as often as needed, and no oftener."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cartwake.addresses import normalise
from cartwake.bundles import Bundle
from cartwake.times import SECOND
from cartwake_cli.demo import state
from cartwake_cli.demo.state import Sent, Shopper
from cartwake_cli.local.inbox import read_mails, read_texts
from cartwake_cli.tables import Facts, Tables

COUNT_EVERY_SECONDS: Final = 4
LOOK_AGAIN_SECONDS: Final = 4
"""How old what is known of a shopper may be to whom nothing is about to happen."""


@dataclass(slots=True)
class _Seen:
    at: float
    facts: Facts


@dataclass(slots=True)
class Reader:
    """Reads one running world; one reading at a time, however many pages are open."""

    tables: Tables
    engine_url: str
    source: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _seen: dict[str, _Seen] = field(default_factory=dict, repr=False)
    _counted: tuple[float, int, dict[str, int]] = (0.0, 0, {})
    _texts_at: dict[str, int] = field(default_factory=dict, repr=False)

    def read_page(self, shoppers: Sequence[Shopper], *, fresh: str, waits: dict[str, int]) -> dict[str, Any]:
        """Return all that the page shows; what is known of the shopper `fresh` is read anew."""
        with self._lock:
            rules = self.tables.read_live()
            if rules is None:
                return {}
            known = {each.id: self._look(each, always=each.id == fresh) for each in shoppers}
            sent = self._read_sent([message for facts in known.values() for message in facts.messages])
            return self._assemble(shoppers, known, rules, sent) | {
                "tour": state.show_tour(known[fresh], waits),
                "shop": {"sms": rules.settings.sender.sms_name or rules.settings.shop.name},
            }

    def read_sent(self) -> list[Sent]:
        """Return every mail and SMS of the engine's own records."""
        return self._read_sent(())

    def read_html(self, message_id: str) -> str | None:
        """Return the HTML of a mail that was sent."""
        return next((mail.html for mail in read_mails(self.engine_url) if mail.message_id == message_id), None)

    def _assemble(
        self, shoppers: Sequence[Shopper], known: dict[str, Facts], rules: Bundle, sent: list[Sent]
    ) -> dict[str, Any]:
        subjects = {each.id: each.subject for each in sent}
        owners = {
            normalise(channel, str(contact.value)) or "": each.id
            for each in reversed(shoppers)
            for channel, contact in known[each.id].profile.state.contacts.items()
        }
        profiles, members = self._count()
        return {
            "now": time.time_ns() // 1_000_000,
            "status": state.show_status(rules, profiles, members, source=self.source),
            "shoppers": [state.show_shopper(each, known[each.id], rules, subjects=subjects) for each in shoppers],
            "inbox": state.show_sent(sent, owners),
        }

    def _look(self, shopper: Shopper, *, always: bool) -> Facts:
        seen = self._seen.get(shopper.id)
        now = time.monotonic()
        if seen is not None and not always and not _is_moving(seen.facts) and now - seen.at < LOOK_AGAIN_SECONDS:
            return seen.facts
        facts = self.tables.read_facts(shopper.keys[0])
        for key in shopper.keys[1:]:
            if facts.profile.version == 0:
                facts = self.tables.read_facts(key)
        self._seen[shopper.id] = _Seen(now, facts)
        return facts

    def _count(self) -> tuple[int, dict[str, int]]:
        at, profiles, members = self._counted
        if time.monotonic() - at > COUNT_EVERY_SECONDS:
            profiles, members = self.tables.count_members()
            self._counted = (time.monotonic(), profiles, members)
        return profiles, members

    def _read_sent(self, messages: Sequence[Any]) -> list[Sent]:
        """Read what the engine sent; it keeps no time of an SMS: that is the ledger's, else when it was first seen."""
        accepted = {message.provider_id: message.accepted_at for message in messages if message.accepted_at}
        now = time.time_ns() // 1_000_000
        mails = [
            Sent(it.message_id, "email", it.sender, it.to, it.subject, it.text, it.html, it.sent_at)
            for it in read_mails(self.engine_url)
        ]
        texts = [
            Sent(
                it.message_id,
                "sms",
                "",
                it.to,
                "",
                it.text,
                "",
                accepted.get(it.message_id) or self._texts_at.setdefault(it.message_id, now),
            )
            for it in read_texts(self.engine_url)
        ]
        return [*mails, *texts]


def _is_moving(facts: Facts) -> bool:
    """Say whether something is about to happen, or just has."""
    just_now = time.time_ns() // 1_000_000 - 10 * SECOND
    return any(run.ended is None for run in facts.runs) or any(event.received_at > just_now for event in facts.events)
