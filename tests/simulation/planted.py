# ruff: noqa: E501  a patch is as long as what it replaces
"""Planted faults: what somebody could break, as patches; the simulator must see each of them.

Each is looked for in stories with one kind of fault at every call, then in random worlds; `within` says in how many of
either it is found at the latest.
"""

from dataclasses import dataclass

from simulation.faults import SWEPT, Fault

LAYER = "layers/cartwake/cartwake"


@dataclass(frozen=True)
class Planted:
    """A fault.

    Attributes:
        changes: File, text, and what it is replaced with.
        story: In which story it shows; "" for random worlds alone.
        faults: With which faults of AWS it shows; none: without any.
        within: Sweep points or seeds after which it is found at the latest.
        first_seed: Where the search in random worlds begins.
    """

    changes: tuple[tuple[str, str, str], ...]
    story: str = ""
    faults: tuple[Fault, ...] = ()
    within: int = 1
    first_seed: int = 0


PLANTED = {
    "the SES client retries": Planted(
        ((f"{LAYER}/gateways/email.py", 'clients.client("sesv2", attempts=1)', 'clients.client("sesv2", attempts=4)'),),
        "cart and reminder", (Fault.LOST,), 140,
    ),
    "a claim does not look at the suppression": Planted(
        ((f"{LAYER}/messages.py", "if suppressed is not None:", "if False:"),),
        "hard bounce, then a second journey",
    ),
    "a claim does not look at the consent": Planted(
        ((f"{LAYER}/messages.py", "if not address.consent.subscribed:", "if False:"),),
        "unsubscribe between claim and send",
    ),
    "the caps are not looked at": Planted(
        ((f"{LAYER}/messages.py", "return 0 if last is None else last + cap_ms", "return 0"),),
        "two journeys under one frequency cap",
    ),
    "a run begins behind a test": Planted(
        ((f"{LAYER}/entries.py", "or first.told or first.drawn:", "or first.told:"),),
        "variants under faults",
    ),
    "a participant is counted whoever has counted it": Planted(
        (
            (
                f"{LAYER}/store/participants.py",
                "return base.Put(_to_row(judged), ParticipantRow.due_at.exists())",
                "return base.Put(_to_row(judged), ParticipantRow.who.exists())",
            ),
        ),
        "variants under faults", (Fault.DOUBLED,), 500,
    ),
    "an entry is folded without its id": Planted(
        (
            (
                f"{LAYER}/trackers.py",
                "if found.at == entry.at and found.id == entry.id and found.micros == entry.micros:",
                "if found is entry:",
            ),
        ),
        "the same batch from a retrying client",
        (Fault.KILLED_AFTER, Fault.DOUBLED),
        300,
    ),
    "exits are looked up under one source key only": Planted(
        (("functions/enter_journeys/app.py",
          "for key in profile.keys:\n        for run in", "for key in profile.keys[:1]:\n        for run in"),),
        "a visitor's cart, and the user's order",
    ),
    "a step is advanced and its message planned in two calls": Planted(
        (("functions/run_step/app.py", "if not base.commit(writes):", "if not all([base.commit([it]) for it in writes]):"),),
        "cart and reminder",
    ),
    "a count is added outside the transaction": Planted(
        ((f"{LAYER}/store/messages.py", 'actions.append(add(f"{counter}#{base.shard_of(before.id)}", day, amounts))',
          'it = add(f"{counter}#{base.shard_of(before.id)}", day, amounts)\n        it.row.update(actions=it.actions)'),),
        "cart and reminder", (Fault.LOST,), 140,
    ),
    "schedules are what fires, and nobody looks at the rows": Planted(
        (("functions/wake/app.py", "queue.send_steps(overdue)", "pass"),),
        "cart and reminder", (Fault.REFUSED, Fault.KILLED_AFTER), 280,
    ),
    "local time in at()": Planted(
        ((f"{LAYER}/gateways/scheduler.py", "return to_datetime(ceil(instant / SECOND) * SECOND).strftime",
          "return to_datetime(ceil(instant / SECOND) * SECOND).astimezone().strftime"),),
        "cart and reminder",
    ),
    "waits are not waited for": Planted(
        ((f"{LAYER}/moves.py", "if due_at > self._now:", "if due_at > 2 * self._now:"),),
        "cart and reminder",
    ),
    "a step is no compare-and-advance": Planted(
        ((f"{LAYER}/store/runs.py", "base.Put(_to_row(after), RunRow.seq == before.seq)", "base.Put(_to_row(after))"),),
        "a purchase while a wait begins anew",
    ),
    "a run starts while another goes on": Planted(
        ((f"{LAYER}/entries.py", "if any(slot.active for slot in slots):", "if False:"),), "the same batch from a retrying client",
    ),

    "an expired lease is claimed again": Planted(
        (("functions/send_message/app.py", '_replace(message, deciding.doubt(message, "LeaseExpired"))',
          "_replace(message, change(message, state=MessageState.PLANNED, retry_at=now))"),),
        "a cart and a reminder of which SES never tells", (Fault.KILLED_AFTER,), 140,
    ),
    "an unknown marketing mail is sent again": Planted(
        ((f"{LAYER}/messages.py", 'if message.kind == "transactional" and message.attempts', "if message.attempts"),),
        "a cart and a reminder of which SES never tells", (Fault.LOST,), 140,
    ),
    "a mail that was refused keeps its place under the cap": Planted(
        (("functions/send_message/app.py", "if released != address:", "if False:"),), "two journeys under one frequency cap", (Fault.REJECTED,), 140,
    ),
    "poison blocks the stream": Planted(
        ((f"{LAYER}/batches.py", "set_aside(item, error)", "again.append(item)"),), "a poison event among good ones",
    ),
    "a bounce does not suppress": Planted(
        ((f"{LAYER}/feedback/deliveries.py", "return suppress(address, Suppression.BOUNCE, delivery.at)",
          "return address"),),
        "hard bounce, then a second journey",
    ),
    "an unsubscribe is answered and not written": Planted(
        ((f"{LAYER}/declarations.py", "if base.commit([*write(said), *demand()]):", "if said:"),
         (f"{LAYER}/serving/withdrawals.py", "events.put_events([told] if told else [])", "events.put_events([])")),
        "unsubscribe between claim and send",
    ),
    "a profile is written over whatever is there": Planted(
        ((f"{LAYER}/store/profiles.py",
          "ProfileRow.version == profile.version\n    return base.Put(_to_row(profile, signals), condition)",
          "ProfileRow.version == profile.version\n    return base.Put(_to_row(profile, signals))"),),
        "an order while time passes",
    ),
    "an event that was not stored is answered 200": Planted(
        (("functions/capture_events/app.py", "return answer_later(request.origin)", "return answer_ok(request.origin)"),),
        "cart and reminder", (Fault.REFUSED,), 140,
    ),
    "what cannot be written now is forgotten": Planted(
        (("functions/derive_segments/app.py", "if again or unread:\n", "if unread:\n"),),
        "cart and reminder", (Fault.REFUSED,), 140,
    ),
    "a merge keeps one side's trackers": Planted(
        ((f"{LAYER}/profiles.py", "trackers.join(left.trackers.get(key, UNKNOWN), right.trackers.get(key, UNKNOWN), need)",
          "left.trackers.get(key, UNKNOWN)"),),
        "anonymous visitor identified during a run",
    ),
    "a message that the queue has lost stays where it is": Planted(
        (("functions/wake/app.py", "queue.send_messages(due)", "pass"),),
        "cart and reminder", (Fault.KILLED_AFTER,), 140,
    ),
    "a doubled signal starts a second run": Planted(
        ((f"{LAYER}/entries.py", "signal.source_who or who, reason)",
          'signal.source_who or who, f"{reason}{occasion.now}")'),),
        "hard bounce, then a second journey", (Fault.KILLED_AFTER,), 140,
    ),
    "quiet hours are UTC's": Planted(
        ((f"{LAYER}/hours.py", "local = to_datetime(at).astimezone(zone)", "local = to_datetime(at)"),),
        "an SMS in the evening",
    ),
    "the last useful moment is not looked at": Planted(
        ((f"{LAYER}/messages.py", "if view.now > message.not_after:", "if False:"),), "the sending quota used up",
    ),
    "older code writes over what newer code wrote": Planted(
        ((f"{LAYER}/store/base.py", "if layout > LAYOUT:", "if False:"),), "two releases side by side",
    ),
    "an event that only newer code can read is forgotten": Planted(
        (("functions/derive_segments/app.py", "if again or unread:", "if again:"),), "two releases side by side",
        tuple(SWEPT), 1_400,
    ),
    "a browser's word is consent": Planted(
        ((f"{LAYER}/statements.py", "if event.trust is Trust.BROWSER:\n        return {}", "if event is None:\n        return {}"),),
        "a browser that says yes",
    ),
    "an address is logged": Planted(
        (("functions/send_message/app.py", "outcome = attempt()", 'outcome = attempt()\n            logger.info("sent", to=letter.to)'),),
        "cart and reminder",
    ),
    "the budget is not looked at": Planted(
        (("functions/send_message/app.py", "if budgets.take(message.channel, day, letter.parts or 1, limit=limit):", "if limit:"),),
        "a day's budget used up",
    ),
    "what is not claimed stays in the budget, and what is put back is put back twice": Planted(
        (("functions/send_message/app.py", "    _refund(letter, before.claimed_at)\n", "    _refund(letter, before.claimed_at)\n    _refund(letter, before.claimed_at)\n"),),
        "a day's budget used up", (Fault.THROTTLED,), 240,
    ),
    "what the cap stands against does not wait": Planted(
        ((f"{LAYER}/sending/drafts.py", "if why is Skip.FREQUENCY_CAP and letters", "if not why and letters"),),
        "thanks that wait for the cap",
    ),
    "a code is given to whoever asks": Planted(
        ((f"{LAYER}/store/coupons.py", "base.Put(CouponRow(_code(given.code), _ONLY, **told), absent)", "base.Put(CouponRow(_code(given.code), _ONLY, **told))"),
         (f"{LAYER}/store/coupons.py", "base.Delete(_free_row(given.pool, given.code), CouponRow.shelf.exists())", "base.Delete(_free_row(given.pool, given.code))")),
        "two shoppers, and the last coupon",
    ),
    "a code is used by every order that names it": Planted(
        ((f"{LAYER}/redemptions.py", "if taken is None or taken.redeemed_at:", "if taken is None:"),
         (f"{LAYER}/store/coupons.py", "unused = CouponRow.shelf.exists() & CouponRow.redeemed_at.does_not_exist()", "unused = CouponRow.shelf.exists()")),
        "a coupon, and two orders that name it",
    ),
    "tombstones are let go of while queues still hold something": Planted(
        ((f"{LAYER}/erasure.py", "PASSES: Final = (0, 25 * HOUR, 15 * DAY)", "PASSES: Final = (0, HOUR, 2 * HOUR)"),),
        "erased before a claim",
    ),
    "what an erasure has deleted begins somebody anew": Planted(
        (("functions/derive_segments/app.py", "    groups = _leave_out_deleted(groups, now)\n", ""),),
        "erased, and told of late",
    ),
    "an erasure withdraws no address of before": Planted(
        ((f"{LAYER}/tombstones.py", "*root.address_keys.values(), *root.state.former", "*root.address_keys.values()"),),
        "erased under another address",
    ),
    "an erasure withdraws no address of who was joined": Planted(
        ((f"{LAYER}/contacts.py", "_list_left([before, *others]", "_list_left([before]"),),
        "erased under another address",
    ),
    "an address stays whose it was": Planted(
        ((f"{LAYER}/contacts.py", "[*writes, *_release(profile, left)]", "writes"),), within=2,
    ),
    "erasure leaves the slots": Planted(
        ((f"{LAYER}/store/removal.py", "(RunRow, SlotRow, MessageRow,", "(RunRow, MessageRow,"),),
        "erased before a claim",
    ),
    "what waits for something is not woken": Planted(
        (("functions/enter_journeys/app.py", "if run.watching or not journey])", "if not journey])"),),
        "a parcel that comes",
    ),
    "what happens to one order moves the runs of all": Planted(
        ((f"{LAYER}/conditions/behaviour.py", "(not window.key or entry.micros in (0, window.key))", "True"),),
        "orders of which one is cancelled",
    ),
    "a webhook is told again under a new id": Planted(
        ((f"{LAYER}/webhooks.py", '"webhook-id": id,', '"webhook-id": f"{id}-{at}",'),),
        "a webhook that is not taken at first",
    ),
    "a webhook is told whoever has claimed it": Planted(
        ((f"{LAYER}/calling.py", "claimed = _claim(ready, now)", "claimed = _claim(ready, now) or ready.case.message"),),
        "a webhook that is taken", (Fault.DOUBLED,), 140,
    ),
    "a webhook that was taken is told again": Planted(
        ((f"{LAYER}/webhooks.py", "if 200 <= reply.status < 300:", "if 200 < reply.status < 300:"),),
        "a webhook that is taken",
    ),
    "a receiver is not given the time that it asks for": Planted(
        ((f"{LAYER}/webhooks.py", "later = now + max(int(wait * (1 + _JITTER * jitter)), rest)", "later = now + int(wait * (1 + _JITTER * jitter))"),),
        "a webhook that is not taken at first",
    ),
    "a webhook that was not taken is forgotten": Planted(
        ((f"{LAYER}/webhooks.py", "        not_before=later,\n        retry_at=later,", "        not_before=later,\n        retry_at=None,"),
         (f"{LAYER}/calling.py", "            _announce(after)", "            pass")),
        "a webhook that is not taken at first",
    ),
    "it is logged where a webhook goes": Planted(
        ((f"{LAYER}/calling.py", "    reply = post(ready.request)", "    logger.info(ready.request.url)\n    reply = post(ready.request)"),),
        "a webhook that is taken",
    ),
    "a paused journey's runs go on": Planted(
        ((f"{LAYER}/moves.py", 'if journey.status != "live":\n        return Hold()', 'if journey.status == "draft":\n        return Hold()'),),
        "rules changed during a wait",
    ),
    "a paused journey's messages are claimed": Planted(
        ((f"{LAYER}/messages.py", 'if journey is None or journey.status != "live":', 'if journey is None or journey.status == "archived":'),),
        "a journey paused with a message on its way",
    ),
    "an archived journey's messages are claimed": Planted(
        ((f"{LAYER}/messages.py", 'if journey is None or journey.status != "live":', 'if journey is None or journey.status == "paused":'),),
        "a journey archived before a claim",
    ),
    "a goal is not looked for before a step": Planted(
        ((f"{LAYER}/moves.py", "goal = _find_goal(steps, run.path, view)", "goal = None"),),
        "a goal reached during a wait",
    ),
    "a wait goes both ways": Planted(
        ((f"{LAYER}/moves.py", "        if came:\n            return", "        if came and self._now < began + step.at_most_ms:\n            return"),),
        "a parcel that comes in the very millisecond",
    ),
    "a campaign brings in whoever was brought in before": Planted(
        ((f"{LAYER}/recipients.py", 'id=derive_id("run", part.journey, profile.who, "enrolled")', 'id=derive_id("run", part.journey, profile.who, str(part.next_at))'),
         (f"{LAYER}/recipients.py", "if any(slot.entered_at is not None for slot in slots):", "if False:"),
         (f"{LAYER}/entries.py", "if any(slot.active for slot in slots):", "if False:"),
         (f"{LAYER}/entries.py", "if entries and (again_ms is None or", "if entries and (again_ms is not None and")),
        "a campaign with crashes", (Fault.KILLED_AFTER,), 210,
    ),
    "only own slots are looked at after a merge": Planted(
        (("functions/enter_journeys/app.py", "for key in profile.keys]", "for key in profile.keys[:1]]"),), "carts of a visitor and of the user",
    ),
}  # fmt: skip
"""By what they are."""
