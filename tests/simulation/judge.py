"""The judge: heals a world, lets it come to rest, and holds what is there then against the oracle."""

import json
from base64 import b64decode
from collections import Counter
from datetime import datetime, time, timedelta
from typing import Any

from cartwake import participants as taking_part
from cartwake.bundles import decode
from cartwake.events import ERASURE_REQUESTED
from cartwake.gateways import bucket, clients
from cartwake.hours import SPREAD_MS
from cartwake.profiles import Profile
from cartwake.reasons import NotEntered, Skip
from cartwake.runs import Run
from cartwake.store import addresses, participants
from cartwake.store.base import unsqueeze
from cartwake.times import NEVER, format_instant, parse_instant
from cartwake.winners import decode_decision
from simulation import cloud, oracle
from simulation.faults import HOUR, MINUTE
from simulation.processes import know_all
from simulation.readers import find, read_message, read_profile, read_run, resolve
from simulation.rules import HOPED, JOURNEYS, NEEDS, OPENS
from simulation.setting import clock
from simulation.shop import Shop
from simulation.telling import judge_told
from simulation.watch import APART, SLACK_MS, Watch, tell_local

FORGOTTEN = ("runs", "slots", "messages")
TRIGGERS = {journey.trigger.event for journey in JOURNEYS.values()}
COLUMNS = ("accepted", "delivered", "opened", "clicked", "bounced", "complained")
ROUNDS = 8


def heal(shop: Shop) -> bool:
    """End all faults, redrive what was set aside, and let time pass until nothing is left to do; False: it never is."""
    world = shop.world
    world.plan.on = False
    for _ in range(ROUNDS):
        for queue in world.queues.values():
            queue.redrive()
        failures, world.shared.failures = world.shared.failures, []
        world.shared.failures.clear()
        for function, text in failures:
            redeliver(shop, function, text)
        world.asked_to_wake = True
        world.plan_tick(clock.micros)
        if any(not it["done"]["BOOL"] for it in cloud.rows("sweeps")):
            world.loop.after(HOUR // 2, lambda: world.timer.invoke("wake", {}))
        world.go(HOUR)
        if is_quiet(shop):
            return True
    return False


def redeliver(shop: Shop, function: str, text: str) -> None:
    """Have an operator give a function what it had failed at."""
    world = shop.world
    if function == "publish_rules":
        world.timer.invoke(function, cloud.parse(text.encode()))
    for table, name in (("events", "derive_segments"), ("profiles", "enter_journeys")):
        if function == name:
            world.streams[table].feed(cloud.parse(text.encode()))


def is_quiet(shop: Shop) -> bool:
    """Say whether nothing waits for anything but its time."""
    world = shop.world
    waiting = [
        world.timer.waiting,
        shop.open_requests,
        *(it.waiting + len(it.dead) for it in world.queues.values()),
        *(it.waiting for it in world.streams.values()),
        len(world.shared.failures),
    ]
    return not any(waiting) and not any(due < clock.micros - 2 * MINUTE for due in world.dues.values())


@know_all()
def judge(shop: Shop, watch: Watch, *, log: str) -> None:
    """Hold a healed world against everything that is promised."""
    judge_events(shop, watch)
    judge_erased(watch)
    judge_addresses(watch)
    if shop.live:  # else the trackers have names that the oracle does not know
        judge_folds(watch)
    judge_ledger(watch)
    judge_counts(watch)
    judge_tests(watch)
    judge_runs(watch, shop.live)
    judge_coupons(shop, watch)
    judge_feedback(shop, watch)
    judge_entries(watch, shop.live)
    judge_campaign(shop, watch)
    judge_told(watch, shop.world.receiver, log)
    poison = [it for it in cloud.rows("quarantine") if it["reason"]["S"] == "poison"]
    where = [it["where"] for it in poison]
    watch.must("only poison is set aside", not poison or bool(shop.poisoned), where)
    watch.must("poison is set aside", bool(poison) or set(shop.poisoned) <= watch.erased.keys(), shop.poisoned)
    watch.must("no address and no token in a log", "@example.com" not in log and ".eyJ" not in log)
    for sent in watch.sent:
        token = sent.link.rpartition("/")[2]
        watch.must("no address and no token in a log", not token or token not in log)


def judge_publication(watch: Watch) -> None:
    """What marketers saved last is live, its status says so, and everybody was looked at under it."""
    pointer = find("bundles", name="live")
    status = json.loads(bucket.read("_status/status.json") or b'{"live": {"generation": 0}}')
    generation = int(pointer["generation"]["N"]) if pointer else 0
    watch.must("the status tells of what is live", status["live"]["generation"] == generation > 0, (status, generation))
    rules = decode(bucket.read(f"bundles/{pointer['hash']['S']}.json") or b"") if pointer else None
    subject = rules.journeys["cart"].steps[1].subject if rules else ""  # type: ignore[union-attr]
    watch.must("what was saved last is live", subject == "A new text", subject)
    left = [it["part"]["S"] for it in cloud.rows("sweeps") if not it["done"]["BOOL"]]
    watch.must("everybody is looked at under changed rules", not left, left)
    profile = resolve("u#ada")
    membership = profile.state.memberships.get("buyers") if profile else None
    member = membership is not None and membership.since > 0
    watch.must("everybody is looked at under changed rules", member, membership)


def judge_events(shop: Shop, watch: Watch) -> None:
    """Every event that was answered 200 is stored once."""
    stored = Counter(event.id for event in watch.oracle.events.values())
    for ident in shop.accepted:
        watch.must("every accepted event is stored once", stored[ident] == 1, (ident, stored[ident]))


def judge_folds(watch: Watch) -> None:
    """Every profile is what its events make of it."""
    for key, events in watch.oracle.families().items():
        profile = resolve(key)
        if profile is None or profile.kind == "tombstone" or any(it.who in watch.erased for it in events):
            continue
        keys = {event.who for event in events}
        watch.must("one person has one profile", keys <= set(profile.keys), (keys, profile.keys))
        judge_trackers(watch, profile, events)
        judge_segments(watch, profile, events)
        judge_consent(watch, profile, events)


def judge_trackers(watch: Watch, profile: Profile, events: list[Any]) -> None:
    """Each tracker holds every event that it needs, once."""
    for name, need in NEEDS.items():
        wanted = [
            it
            for it in events
            if it.name == need.event and not (it.trust == "browser" and it.name in ("Subscribed", "Unsubscribed"))
        ]
        tracker = profile.state.trackers.get(name)
        entries = tracker.entries if tracker else ()
        found = Counter((it.at, it.id) for it in entries)
        known = {(it.occurred_at, it.short_id) for it in wanted}
        latest = sorted(known)[-need.latest :] if not need.whole else sorted(known)
        watch.must("every accepted event is folded", set(latest) <= set(found), (profile.who, name, latest, found))
        once = all(count == 1 for count in found.values()) and set(found) <= known
        watch.must("no event is folded twice", once, (profile.who, name, found))
        if need.amount and tracker:
            total = sum(it.micros for it in entries) + sum(it.micros for it in tracker.sums)
            told = sum(round(float(it.properties.get(need.amount, 0)) * 1e6) for it in wanted)
            watch.must("no event is folded twice", total == told, (profile.who, name, total, told))


def judge_segments(watch: Watch, profile: Profile, events: list[Any]) -> None:
    """Each membership is what the definition says, unless it changes right now."""
    now, then = oracle.members(events, clock.now + SLACK_MS), oracle.members(events, clock.now - 70 * MINUTE // 1_000)
    for name, holds in now.items():
        if then[name] != holds:
            continue
        membership = profile.state.memberships.get(name)
        member = membership is not None and membership.since > 0
        watch.must("segments equal their definition", member == holds, (profile.who, name, member, holds))
        if holds:
            watch.premises["somebody is a member"] += 1


def judge_consent(watch: Watch, profile: Profile, events: list[Any]) -> None:
    """The latest explicit statement counts, and the address knows it."""
    stated = oracle.consent(events, "email")
    if stated is None:
        return
    known = next((it for channel, it in profile.state.consents.items() if channel == "email"), None)
    watch.must("the latest statement counts", known is not None and known.subscribed == stated, (profile.who, known))


def judge_ledger(watch: Watch) -> None:
    """Every message is settled, and the ledger says what the providers say."""
    taken = Counter(it.message for it in watch.sent if it.channel == "email")
    texts = sum(it.channel == "sms" for it in watch.sent)
    for row in cloud.rows("messages"):
        message = read_message(row)
        assert message is not None
        state = message.state.value
        settled = message.retry_at is None or message.not_before > clock.now or message.retry_at > clock.now
        lost = state == "claimed" or (state == "planned" and message.retry_at is None)
        watch.must("every message is settled", settled and not lost, message)
        if state == "unknown":
            watch.must("every unknown is settled", message.reason == Skip.OUTCOME_UNKNOWN, message)
        if state == "skipped":
            watch.must("every refusal has a reason", message.reason in set(Skip), message)
            judge_reason(watch, message)
        if message.channel != "email":
            continue
        if taken[message.id]:
            watch.must("what was sent is not said to be unsent", state in ("accepted", "unknown"), message)
        if state == "accepted":
            watch.must("what is said to be sent was sent", taken[message.id] > 0, message)
    rows = [*map(read_message, cloud.rows("messages")), *watch.deleted.values()]
    accepted = [it for it in rows if it and it.channel == "sms"]
    known = sum(it.state == "accepted" for it in accepted)
    doubt = sum(it.state in ("unknown", "claimed") for it in accepted)
    watch.must("what is said to be sent was sent", known <= texts <= known + doubt, (known, texts, doubt))


def judge_reason(watch: Watch, message: Any) -> None:
    """A refusal is true: what it says has happened has happened."""
    events = watch.oracle.families().get(watch.oracle.family_of(message.who), [])
    said = message.reason
    named = {it.name for it in events}
    run = read_run(find("runs", who=message.who, run=message.run))
    true = {
        "exited": ("Order Cancelled" if message.journey == "review" else "Order Completed") in named,
        "filter": "Order Completed" in named,
        "unsubscribed": any(it.name in ("Unsubscribed", ERASURE_REQUESTED) for it in watch.oracle.events.values()),
        "no_consent": not any(
            it.name == "Subscribed" and it.trust != "browser" and it.received_at < message.settled_at - 86_400_000
            and it.properties.get("channel", "email") == message.channel
            for it in events
        ),
        "suppressed_bounce": bool(watch.suppressed),
        "suppressed_complaint": bool(watch.suppressed),
        "too_late": message.settled_at > message.not_after - SLACK_MS,
        "sending_hours": message.channel == "sms" and opens_after(message.settled_at) > message.not_after - SLACK_MS,
        "template_error": False,
        "template_gone": False,
        "erased": any(it.who in watch.erased for it in events) or message.who in watch.erased,
        "no_coupon": not list_codes("free"),
        "run_ended": run is None or run.ended is not None or watch.rests(message.journey),
    }.get(said, True)  # fmt: skip
    watch.must("a refusal is true", true, message)


def opens_after(at: int) -> int:
    """Return when what is held at a time goes out at the latest: all numbers are of the shop's own country."""
    local = tell_local(at * 1_000 - SLACK_MS * 1_000)
    day = local.date() + timedelta(days=local.hour * 60 + local.minute >= OPENS)
    opening = datetime.combine(day, time(OPENS // 60, OPENS % 60), tzinfo=local.tzinfo)
    return int(opening.timestamp() * 1_000) + SPREAD_MS + SLACK_MS


def judge_counts(watch: Watch) -> None:
    """What reports show is what the ledger has."""
    shown: Counter[tuple[str, str, str]] = Counter()
    for row in cloud.rows("counts"):
        for column in COLUMNS if "judged" not in row else ():
            if column in row:
                shown[row["counter"]["S"].rpartition("#")[0], row["day"]["S"], column] += int(row[column]["N"])
    ledger: Counter[tuple[str, str, str]] = Counter()
    for message in [*map(read_message, cloud.rows("messages")), *watch.deleted.values()]:
        assert message is not None
        happened = {name: at for name, at in message.happened.items() if name in COLUMNS}
        if message.accepted_at:
            happened["accepted"] = message.accepted_at
        for name, at in happened.items():
            ledger[f"{message.journey}#{message.path}#{message.variant}", format_instant(at)[:10], name] += 1
    watch.must("reports equal the ledger", shown == ledger, (shown - ledger, ledger - shown))


def judge_tests(watch: Watch) -> None:
    """Whom chance gave a variant takes part and is counted once; a decision is written once, and goes live."""
    shown: Counter[tuple[str, str]] = Counter()
    for row in cloud.rows("counts"):
        for column in MEASURED if "judged" in row else ():
            shown[row["counter"]["S"].rpartition("#")[0], column] += int(row.get(column, {"N": 0})["N"])
    told: Counter[tuple[str, str]] = Counter()
    taking = [participants._decoder.decode(unsqueeze(b64decode(it["body"]["B"]))) for it in cloud.rows("participants")]
    for it in taking:
        watch.must("who takes part is counted in time", it.judged_at or it.due_at > clock.now - SLACK_MS, it)
        for name in taking_part.count_outcome(it):
            told[taking_part.name_counter(it.journey, it.test, it.digest, it.variant), name] += 1
    watch.must("who takes part is counted once", shown == told, (shown - told, told - shown))
    decisions = [decode_decision(bucket.read(key)) for key in bucket.list_etags("_status/decisions/")]
    versions = clients.client("s3").list_object_versions(Bucket="rules-bucket", Prefix="_status/decisions/")
    watch.must("a test is decided once", len(versions.get("Versions", ())) <= len(decisions), versions)
    pointer = find("bundles", name="live")
    rules = decode(bucket.read(f"bundles/{pointer['hash']['S']}.json") or b"") if pointer else None
    for each in decisions:
        test = rules.find_test(each.journey, each.test) if rules and each else None
        watch.must("a decision goes live", bool(test and each and test.winner == each.winner), (each, test))
    decided = {it.journey: parse_instant(it.decided_at) for it in decisions if it}
    for run in map(read_run, cloud.rows("runs")):
        assert run is not None
        profile = resolve(run.who)
        keys = profile.keys if profile else (run.who,)
        for name in run.variants if rules and rules.tests.get(run.journey) else ():
            part = any(it.who in keys and (it.journey, it.test) == (run.journey, name) for it in taking)
            late = run.entered_at > decided.get(run.journey, NEVER) - SLACK_MS
            watch.must("whom chance gives a variant takes part", part or late, run)


MEASURED = ("judged", "opened", "clicked", "ordered", "unsubscribed")


def judge_runs(watch: Watch, live: set[str]) -> None:
    """No run is overdue, or goes on after what ends it, and each step that was passed has left its message."""
    planned = {(row["who"]["S"], read_message(row).run, read_message(row).path) for row in cloud.rows("messages")}  # type: ignore[union-attr]
    for row in cloud.rows("runs"):
        run = read_run(row)
        assert run is not None
        if run.ended is None and not run.held:
            watch.must("nothing is overdue", int(row["due_at"]["N"]) > clock.now - 5 * 60_000, run)
        profile = resolve(run.who)
        order, told = oracle.order_of(run), watch.oracle.families().get(watch.oracle.family_of(run.who), [])
        if run.ended is None and profile is not None and order and run.journey in live:
            gone = oracle.happened_to(told, "Order Cancelled", order, run.start.at)
            watch.must("no run goes on after its exit", not gone, run)
            came = run.watching and oracle.happened_to(told, "Order Delivered", order, run.wait_from + SLACK_MS)
            watch.must("nobody waits for what has come", not came, run)
            continue
        if order and run.ended is not None and run.ended.value == "exited":
            gone = oracle.happened_to(told, "Order Cancelled", order, run.start.at)
            watch.must("an exit of one order ends no other", gone, run)
        if run.ended is None and profile is not None and JOURNEYS[run.journey].exits:
            tracker = profile.state.trackers.get("orders")
            bought = any((it.at, it.id) > (run.start.at, run.start.id) for it in tracker.entries) if tracker else False
            watch.must("no run goes on after its exit", not bought, run)
        if run.ended is None and profile is not None and run.watching and run.journey in live:
            watch.must("nobody waits for what has come", not has_come(run, profile), (run, profile.state.trackers))
        if run.ended is not None and run.ended.value == "completed" and run.journey in live:
            for paths in PASSED[run.journey]:
                left = any((run.who, run.key, path) in planned for path in paths)
                watch.must("no step is lost", left, (run.key, paths))


def has_come(run: Run, profile: Profile) -> bool:
    """Say whether something has happened that a run waits for, or that is a goal ahead of it."""
    tracker = profile.state.trackers.get("delivered" if run.journey == "parcel" else "orders")
    since = run.wait_from if run.journey == "parcel" else max(run.start.at, run.entered_at)
    count = sum(it.at > since + SLACK_MS for it in tracker.entries) if tracker else 0
    return count >= (HOPED if run.journey == "hope" else 1)


PASSED = {
    "cart": (("1",), ("3.then.0", "3.else.0")),
    "welcome": (("0",),),
    "thanks": (("1",),),
    "winback": (("0",),),
    "receipt": (("0",),),
    "news": (("0",),),
    "parcel": (("0.then.0.a.0", "0.then.0.b.0", "0.else.0"),),
    "offer": (),
    "review": (),
    "crm": (("0",),),
    "hope": (("0.then.0", "0.else.0"),),
}
"""Of each journey, where a run that was completed has left a message: at one of several places each."""


def judge_erased(watch: Watch) -> None:
    """Who was erased stays so, and once that is over nothing is left under their keys."""
    for who in watch.erased.keys() - watch.released.keys():
        profile = resolve(who)
        watch.must("nobody erased comes back", profile is not None and profile.kind == "tombstone", who)
    for who, at in watch.released.items():
        since = [it for it in watch.oracle.events.values() if it.who == who and it.received_at * 1_000 > at]
        left = {it["key"]["S"] for it in cloud.rows("events") if it["who"]["S"] == who}
        watch.must("nothing is left of who was erased", left <= {it.key for it in since}, (who, left))
        if not any(it.name in TRIGGERS for it in since):  # who comes back begins anew
            left = {table for table in FORGOTTEN for it in cloud.rows(table) if it["who"]["S"] == who}
            watch.must("nothing is left of who was erased", not left, (who, left))


def judge_addresses(watch: Watch) -> None:
    """Who is said to have an address has it; and what the erased have agreed to at any of theirs is over."""
    for row in cloud.rows("identities"):
        key, profile = row["identifier"]["S"], resolve(row["who"]["S"])
        channel = key.partition("#")[0]
        has = find("profiles", who=profile.who) if profile is not None else None
        if channel != "push":  # under which a device stands
            held = has is not None and has.get(f"{channel}_key") == {"S": key}
            watch.must("who is said to have an address has it", held, row)
    for who, at in watch.erased.items():
        for key in watch.had.get(who, ()):
            row = find("addresses", address=key)
            address = addresses._decoder.decode(unsqueeze(b64decode(row["body"]["B"]))) if row else None
            consent = address.consent if address else None
            old = consent is not None and consent.subscribed and consent.at * 1_000 < at - APART
            others = [had[key] for other, had in watch.had.items() if other not in watch.erased and key in had]
            watch.must("no yes outlives an erasure", not old or min(others, default=at) < at, (who, address))


def judge_coupons(shop: Shop, watch: Watch) -> None:
    """Every code is free or given, to one shopper; that and its use are told of once."""
    if not shop.live:
        return
    free, taken = set(list_codes("free")), list_codes("code")
    watch.must("no coupon is lost", free | set(taken) == shop.codes and not free & set(taken), (free, taken))
    given = [row for row in cloud.rows("coupons") if row["shelf"]["S"].startswith("who#") and "given_at" in row]
    watch.must("a coupon is given once", len({it["code"]["S"] for it in given}) == len(given), given)
    told = Counter((it.name, it.properties.get("coupon")) for it in watch.oracle.events.values() if it.trust == "own")
    for code, row in taken.items():
        watch.must("a coupon given is told of once", told["Coupon Given", code] == 1, (code, told))
        used = [
            it
            for it in watch.oracle.events.values()
            if it.name == "Order Completed" and it.properties.get("coupon") == code and it.who not in watch.erased
        ]
        watch.must("a coupon that was used is marked", ("redeemed_at" in row) >= bool(used), (row, used))
        redeemed = told["Coupon Redeemed", code]
        watch.must("a coupon is used once", redeemed <= 1 and redeemed >= ("redeemed_at" in row), (code, redeemed))


def list_codes(shelf: str) -> dict[str, dict[str, Any]]:
    """Return the codes that are free, or those that were given."""
    return {it["code"]["S"]: it for it in cloud.rows("coupons") if it["shelf"]["S"].startswith(f"{shelf}#")}


def judge_feedback(shop: Shop, watch: Watch) -> None:
    """An address that bounced or complained is suppressed, if SES has told."""
    if "SES never told" in shop.world.plan.fired:
        return
    for sent in watch.sent:
        if sent.to in shop.world.mailbox.bouncing and sent.message not in watch.deleted:
            message = read_message(find("messages", who=sent.who, message=sent.message))
            key = message.address_key if message else ""
            watch.must("a dead address is suppressed", key in watch.suppressed, sent)


def judge_entries(watch: Watch, live: set[str]) -> None:
    """Every trigger has started a run, or left the reason why not."""
    for event in watch.oracle.events.values():
        for name, journey in JOURNEYS.items():
            if name not in live or journey.trigger.event != event.name or event.bot or is_hearsay(event):
                continue
            if name == "welcome" and event.properties.get("channel") != "email":
                continue
            profile = resolve(event.who)
            if profile is None or profile.kind != "profile" or event.who in watch.erased:
                continue
            order = event.properties.get("order_id", "") if name == "review" else ""
            ran = any(
                it["who"]["S"] in profile.keys
                and it["run"]["S"].startswith(f"{name}#")
                and ((run := read_run(it)) is None or oracle.order_of(run) == order)
                for it in cloud.rows("runs")
            )
            slots = dict.fromkeys((f"{name}#", f"{name}#{order}"))
            rows = [find("slots", who=key, slot=slot) for key in profile.keys for slot in slots]
            said = [it["refused"]["S"] for it in rows if it and it.get("refused")]
            watch.must("every trigger starts a run or leaves a reason", ran or bool(said), (event.key, name))
            watch.must("every refusal has a reason", all(it in set(NotEntered) for it in said), said)


def judge_campaign(shop: Shop, watch: Watch) -> None:
    """Once its time has come a campaign has begun and was gone through, and brought in each member once."""
    if "news" not in shop.live or clock.now < shop.news_at + 60_000:
        return
    parts = [it for it in cloud.rows("sweeps") if it["sweep"]["S"] == "enrolments"]
    watch.must("a campaign comes to its end", len(parts) == 8 and all(it["done"]["BOOL"] for it in parts), parts)
    began_at = min(int(it["began_at"]["N"]) for it in parts) if parts else 0
    runs = [run for row in cloud.rows("runs") if (run := read_run(row)) is not None and run.journey == "news"]
    for row in cloud.rows("profiles"):
        profile = read_profile(row)
        if profile.kind != "profile" or set(profile.keys) & set(shop.poisoned):
            continue
        ran = sum(run.who in profile.keys for run in runs)
        least, most = find_bounds(profile, began_at)
        watch.must(
            "each member of a campaign is brought in once", least <= ran <= most, (profile.who, ran, least, most)
        )


def find_bounds(profile: Profile, began_at: int) -> tuple[int, int]:
    """Return how often somebody is brought into a campaign at least, and at most; who was two people once for each.

    What happened shortly before it began may have come to be known after they were looked at.
    """
    membership = profile.state.memberships.get("lapsed")
    if len(profile.keys) > 1:
        return 0, len(profile.keys)
    if membership is None or not membership.entered_at:
        return 0, 0
    entered, left = membership.entered_at, membership.left_at
    if any(abs(at - began_at) < UNSETTLED_MS for at in (entered, left)) or entered > began_at < left:
        return 0, 1
    meant = entered <= began_at and not 0 < left <= began_at
    return int(meant), int(meant)


UNSETTLED_MS = 36 * HOUR // 1_000


def is_hearsay(event: Any) -> bool:
    """Say whether a browser states consent, which counts for nothing."""
    return event.trust == "browser" and event.name in ("Subscribed", "Unsubscribed")
