"""erase_profiles: whoever asked to be erased is gone everywhere, again a day later, and nothing brings them back."""

import json
from typing import Any
from zlib import decompress

import pytest
import world
from builders import NOON, WELCOME, a_bundle, a_cart_event, a_subscription, an_event, an_identify, an_order, publish
from msgspec.structs import replace
from shoppers import Shop, queue_event
from world import client, lambda_context, read_queue

import functions.derive_segments.app as derive_segments
from cartwake import devices, giving
from cartwake.bundles import Pool
from cartwake.erasure import LEASE_MS, PASSES, REST_MS, name_export
from cartwake.errors import TryAgain
from cartwake.events import Event, Trust
from cartwake.family import find_address_key
from cartwake.feedback.deliveries import tags_for
from cartwake.gateways import bucket, queue
from cartwake.handovers import name_owner
from cartwake.journeys import Journey, Send, Trigger, Wait
from cartwake.profiles import MOST_SOURCES, Kind, Profile, State
from cartwake.reasons import EndReason, Refusal
from cartwake.registers import Register
from cartwake.statements import MOST_FORMER, OF_SHOPPERS, Channel
from cartwake.store import (
    addresses,
    base,
    consents,
    coupons,
    erasures,
    events,
    identities,
    messages,
    profiles,
    quarantine,
    removal,
    runs,
    slots,
)
from cartwake.times import DAY, HOUR, MINUTE, NEVER
from functions.erase_profiles import app

EMAIL, PHONE, USER = "ada.lovelace@example.com", "+48601234567", "ada-4711"
WHO, VISITOR, GUEST = f"u#{USER}", "a#browser-4711", "a#guest-browser-4711"
COUPON = replace(WELCOME, steps=(Send(channel=Channel.EMAIL, template="welcome", subject="Hi", coupon="hello"),))


def request(at: int, **changes: Any) -> Event:
    """Return the event with which a server asks for Ada's erasure."""
    return an_event("Erasure Requested", **{"who": WHO, "user_id": USER, "at": at} | changes)


def live(shop: Shop) -> None:
    """Have Ada do everything that leaves something, and Ben a little."""
    rules = a_bundle()
    publish(replace(rules, generation=2, pools={"hello": Pool()}, journeys=rules.journeys | {"welcome": COUPON}))
    coupons.put_free("hello", {"HELLO-1": NEVER, "HELLO-2": NEVER})
    shop.hear(an_event(who=VISITOR, anonymous_id=VISITOR[2:], at=shop.now))
    told = {"traits": {"email": EMAIL, "phone": PHONE, "first_name": "Ada"}, "anonymous_id": VISITOR[2:]}
    shop.hear(an_identify(who=WHO, user_id=USER, at=shop.now, **told))
    shop.hear(a_subscription(who=WHO, at=shop.now), a_subscription("sms", who=WHO, id="sms", at=shop.now))
    ben = an_identify("ben@example.com", who="u#ben", at=shop.now)
    shop.hear(ben, a_subscription(who="u#ben", at=shop.now))
    shop.now += DAY
    shop.hear(a_cart_event(who=WHO, at=shop.now))
    (own,) = coupons.list_given(WHO)
    (bens,) = coupons.list_given("u#ben")
    used = {"order_id": "o-1", "revenue": 10, "coupon": [own.code, bens.code]}
    shop.hear(an_order(who=WHO, at=shop.now, properties=used))
    quarantine.put(WHO, "k", reason="poison", at=shop.now, body=b"poison")
    for body in ({"who": WHO}, {"mail": {"destination": [EMAIL]}}, {"tags": tags_for(WHO, "m")}, {"who": WHO + "0"}):
        text = json.dumps({"Message": json.dumps(body)})
        quarantine.put("", f"q-{json.dumps(body)[:9]}{len(text)}", reason="poison", at=shop.now, body=text.encode())
    versions = {"Bucket": "rules-bucket", "VersioningConfiguration": {"Status": "Enabled"}}
    client("s3").put_bucket_versioning(**versions)
    bucket.write(name_export(WHO), EMAIL.encode())
    bucket.write(name_export(WHO), EMAIL.encode())


def everything() -> list[str]:
    """Return all that any table or the bucket holds, unpacked: a text for each row and object."""
    dynamodb, s3 = client("dynamodb"), client("s3")
    found = []
    for row in world._rows():
        if row.Meta.table_name == "names":
            continue  # of no one
        items = dynamodb.scan(TableName=row.Meta.table_name)["Items"]
        found += [row.Meta.table_name + " " + " ".join(map(_show, item.values())) for item in items]
    for version in s3.list_object_versions(Bucket="rules-bucket").get("Versions", []):
        if not version["Key"].startswith("bundles/"):
            got = s3.get_object(Bucket="rules-bucket", Key=version["Key"], VersionId=version["VersionId"])
            found.append(version["Key"] + got["Body"].read().decode())
    return found


def _show(value: dict[str, Any]) -> str:
    ((kind, it),) = value.items()
    if kind != "B":
        return str(it)
    content = it[1:] if it[:1] == bytes((base.LAYOUT,)) else it
    return (decompress(content) if content[:1] == b"\x78" else content).decode(errors="replace")


def traces(*, but: str = "never") -> list[str]:
    """Return the rows that name Ada in any way, but for those of one table."""
    named = [EMAIL, PHONE, "601234567", USER, VISITOR[2:], "Lovelace", tags_for(WHO, "m")["who"]]
    lines = [line.replace(WHO + "0", "") for line in everything()]
    return [line for line in lines if any(it in line for it in named) and not line.startswith(but)]


def finish(shop: Shop) -> None:
    """Let all passes come due, and the end of the rest behind them."""
    for after in (*PASSES[1:], PASSES[-1] + REST_MS):
        shop.now = max(shop.now, NOON + DAY + after + 10 * MINUTE)
        shop.wait(MINUTE)


@pytest.fixture
def ada(shop: Shop) -> Shop:
    live(shop)
    assert len(traces()) > 20
    return shop


def have_had(ada: Shop, how: str) -> list[str]:
    """Have Ada's addresses be no longer what they were, and return all that she has ever agreed to be written at."""
    told = {"who": WHO, "user_id": USER, "at": ada.now}
    match how:
        case "changed":
            ada.hear(an_identify("new@example.com", **told))
            return [EMAIL, "new@example.com"]
        case "taken away":
            ada.hear(an_identify("", **told))
        case "no address":
            ada.hear(an_identify("ada at example", **told))
        case "as a guest":
            guest = {"who": GUEST, "anonymous_id": GUEST[2:], "at": ada.now}
            ada.hear(an_identify("guest@example.com", **guest), a_subscription(**guest))
            ada.hear(an_identify(EMAIL, anonymous_id=GUEST[2:], **told | {"at": ada.now + 1}))
            return [EMAIL, "guest@example.com"]
    return [EMAIL]


HOW = ["still hers", "changed", "taken away", "no address", "as a guest"]


@pytest.mark.parametrize("how", HOW)
def test_no_row_says_whose_an_address_was(ada: Shop, how: str) -> None:
    """An address that is hers no more is released at once, and after the last pass nothing names her by any."""
    keys = [find_address_key(Channel.EMAIL, it, State()) for it in have_had(ada, how)]
    assert list(filter(None, map(identities.find_owner, filter(None, keys)))) == (
        [WHO] if how in ("still hers", "changed", "as a guest") else []
    )
    ada.now += MINUTE
    ada.hear(request(ada.now))
    finish(ada)
    assert traces() == []


def test_everything_is_gone_everywhere(ada: Shop) -> None:
    """Every table and the bucket, under every key that was merged: tombstones stay first, and in the end nothing."""
    ada.hear(request(ada.now))
    assert traces(but="profiles") == []
    assert {ada.profile(key).kind for key in (WHO, VISITOR)} == {Kind.TOMBSTONE}
    assert len(traces()) == 2
    finish(ada)
    assert traces() == []
    assert any("ben@example.com" in line for line in everything())
    assert any(WHO + "0" in line for line in everything())


def test_only_the_hashed_suppression_is_left(ada: Shop) -> None:
    """An erasure withdraws: under the address's hash stands that nothing may go there, and why if it bounced."""
    keys = ada.profile(WHO).address_keys
    assert addresses.get_address(keys[Channel.EMAIL]).sends
    ada.hear(request(ada.now))
    for key in keys.values():
        kept = addresses.get_address(key)
        assert kept.consent is not None
        assert (kept.consent.subscribed, kept.consent.method, kept.sends) == (False, "erasure", ())
        assert identities.find_owner(key) is None


def test_a_browser_erases_nobody(ada: Shop) -> None:
    """The key of a page is public: what it asks for is stored as an event, and no more."""
    ada.hear(request(ada.now, trust=Trust.BROWSER))
    assert ada.profile(WHO).kind is Kind.PROFILE
    assert events.get_event(WHO, request(ada.now, trust=Trust.BROWSER).key) is not None


def test_a_bot_erases_nobody(ada: Shop) -> None:
    """What a crawler's user agent asks for moves nothing."""
    ada.hear(request(ada.now, bot=True))
    assert ada.profile(WHO).kind is Kind.PROFILE


def test_our_own_page_is_trusted(ada: Shop) -> None:
    """What the preference centre notes is a request, under whichever of the shopper's keys it stands."""
    ada.hear(request(ada.now, trust=Trust.OWN, who=VISITOR, user_id=""))
    assert traces(but="profiles") == []
    assert ada.profile(WHO).kind is Kind.TOMBSTONE


def test_a_doubled_request_changes_nothing_more(ada: Shop) -> None:
    """The second one finds a tombstone, is refused like any event, and its row goes with the next pass."""
    ada.hear(request(ada.now))
    before = erasures.get_erasure(WHO)
    ada.hear(request(ada.now, id="again"))
    assert erasures.get_erasure(WHO) == before
    assert [it.reason for it in quarantine.list_refusals(WHO)] == [Refusal.ERASED]
    finish(ada)
    assert traces() == []


def test_what_comes_late_is_refused_and_goes_too(ada: Shop) -> None:
    """After the first pass events are refused with the reason; what they have left is deleted 25 hours after it."""
    ada.hear(request(ada.now))
    ada.hear(an_order(who=WHO, user_id=USER, at=ada.now), an_event(who=VISITOR, at=ada.now))
    assert ada.profile(WHO).kind is Kind.TOMBSTONE
    assert [it.reason for it in quarantine.list_refusals(WHO)] == [Refusal.ERASED]
    assert traces(but="profiles")
    ada.wait(24 * HOUR)
    assert traces(but="profiles")
    ada.wait(HOUR)
    assert traces(but="profiles") == []
    assert ada.profile(WHO).kind is Kind.TOMBSTONE


def test_in_the_same_batch_what_came_before_counts(shop: Shop) -> None:
    """Who a visitor is may be told just before: the visitor is erased too, and what comes behind is refused."""
    shop.derive(an_event(who=VISITOR, at=NOON))
    told = an_identify(who=WHO, user_id=USER, anonymous_id=VISITOR[2:], at=NOON + 1)
    shop.now += 5
    shop.derive(told, request(NOON + 2), an_order(who=WHO, at=NOON + 3))
    assert {shop.profile(key).kind for key in (WHO, VISITOR)} == {Kind.TOMBSTONE}
    assert [it.reason for it in quarantine.list_refusals(WHO)] == [Refusal.ERASED]


def test_who_was_never_heard_of_is_erased_too(shop: Shop) -> None:
    """A request for somebody of whom nothing is known leaves nothing but itself, and not that for long."""
    shop.hear(request(NOON))
    assert traces(but="profiles") == []
    assert shop.profile(WHO).kind is Kind.TOMBSTONE


def test_killed_in_the_middle_it_goes_on(ada: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a function ends, the next one deletes the rest; nobody has to remember how far it was."""
    deaths = 0
    while True:
        delete, left = removal._delete, [deaths]

        def die(table: Any, rows: list[Any], *, delete: Any = delete, left: list[int] = left) -> int:
            if rows:
                if not left[0]:
                    raise KeyboardInterrupt
                left[0] -= 1
            return int(delete(table, rows[:1]))

        with monkeypatch.context() as dying:
            dying.setattr(removal, "_delete", die)
            try:
                if deaths == 0:
                    ada.hear(request(ada.now))
                else:
                    ada.now += 6 * MINUTE
                    ada.wait(0)
                break
            except KeyboardInterrupt:
                deaths += 1
    assert deaths > 3
    assert traces(but="profiles") == []
    assert len(erasures.get_erasure(WHO).passes) == 1  # type: ignore[union-attr]


def test_the_row_is_the_truth(ada: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the queue took nothing, or lost it, `wake` finds the tombstone."""

    def fail(_: Any) -> None:
        raise TryAgain("queue")

    with monkeypatch.context() as broken:
        broken.setattr(queue, "send_erasures", fail)
        ada.derive(request(ada.now))
    ada.drain()
    assert traces(but="profiles")
    ada.wait(5 * MINUTE)
    assert traces(but="profiles") == []


def test_so_many_rows_a_call(ada: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call deletes so many and asks for another; one without time deletes none."""
    ada.derive(request(ada.now))
    read_queue("erasures")
    rows = len(traces())
    app.handler(queue_event({"who": WHO}), lambda_context(remaining_ms=1))
    assert (read_queue("erasures"), len(traces())) == ([{"who": WHO}], rows)
    monkeypatch.setattr(app, "MOST_A_CALL", 3)
    app.handler(queue_event({"who": WHO}), lambda_context())
    assert read_queue("erasures") == [{"who": WHO}]
    assert rows - 3 <= len(traces()) < rows
    queue.send_erasures([WHO])
    ada.drain()
    assert traces(but="profiles") == []


def test_doubled_messages_do_no_harm(ada: Shop) -> None:
    """A pass that is done is not done again before its time, however often it is asked for."""
    ada.hear(request(ada.now))
    before = erasures.get_erasure(WHO)
    app.handler(queue_event({"who": WHO}, {"who": WHO}, {"who": "u#ben"}, {"who": "u#nobody"}), lambda_context())
    assert erasures.get_erasure(WHO) == before
    assert ada.profile("u#ben").kind is Kind.PROFILE


def test_a_slow_double_has_nobody_look_again_too_soon(ada: Shop) -> None:
    """When a pass is done the next look is a day away; who is still at work on the same pass brings it no nearer."""
    ada.hear(request(ada.now))
    after = client("dynamodb").get_item(TableName="profiles", Key={"who": {"S": WHO}})["Item"]["wake_at"]
    erasures.postpone(WHO, ada.now + LEASE_MS)
    again = client("dynamodb").get_item(TableName="profiles", Key={"who": {"S": WHO}})["Item"]["wake_at"]
    assert again == after
    assert int(after["N"]) > ada.now + DAY


def test_what_a_run_was_about_to_do_is_not_done(ada: Shop) -> None:
    """A cart's mail is due in an hour: nothing goes out, whichever comes first."""
    ada.now += 8 * DAY
    ada.hear(a_cart_event(who=WHO, at=ada.now))
    mails = len(ada.mails())
    (run,) = [run for run in runs.list_runs(WHO) if run.ended is None]
    ada.derive(request(ada.now))
    read_queue("erasures")
    ada.wait(2 * HOUR)
    assert len(ada.mails()) == mails
    ended = runs.get_run(WHO, run.key)
    assert ended is None or ended.ended is EndReason.ERASED
    ada.wait(2 * HOUR)
    assert (len(ada.mails()), messages.list_messages(WHO)) == (mails, [])


def test_the_slots_of_every_key_go_too(shop: Shop) -> None:
    """A journey with a key leaves a slot for each order and one that counts runs, under every key that was merged."""
    review = Journey(
        title="Review",
        status="live",
        trigger=Trigger(event="Order Completed"),
        key="order_id",
        steps=(Wait(for_ms=5 * DAY), *COUPON.steps),
    )
    rules = a_bundle()
    publish(replace(rules, generation=2, journeys=rules.journeys | {"review": review}))

    def order(number: str, **told: Any) -> None:
        shop.hear(an_order(id=number, at=shop.now, properties={"order_id": f"order-4711-{number}"}, **told))
        shop.now += MINUTE

    order("a", who=VISITOR, anonymous_id=VISITOR[2:])
    shop.hear(an_identify(EMAIL, who=WHO, user_id=USER, anonymous_id=VISITOR[2:], at=shop.now))
    order("b", who=WHO)
    order("c", who=WHO)
    held = {slot.about: slot for key in (WHO, VISITOR) for slot in slots.list_slots(key) if slot.journey == "review"}
    assert held.keys() == {"", "order-4711-a", "order-4711-b", "order-4711-c"}
    assert len([run for key in (WHO, VISITOR) for run in runs.list_runs(key) if run.ended is None]) == 3
    shop.hear(request(shop.now))
    assert [slots.list_slots(key) for key in (WHO, VISITOR)] == [[], []]
    shop.wait(6 * DAY)  # when their waits would have ended
    assert [slots.list_slots(key) for key in (WHO, VISITOR)] == [[], []]
    assert traces(but="profiles") == []
    assert not [line for line in everything() if "order-4711" in line]
    finish(shop)
    assert traces() == []


def test_a_coupon_stays_given(ada: Shop) -> None:
    """A code that somebody had is never free again, and says no more whose it was or who has used it."""
    codes = [it.code for it in coupons.list_given(WHO)] + [it.code for it in coupons.list_given("u#ben")]
    ada.hear(request(ada.now))
    own, bens = (coupons.get_taken(code) for code in codes)
    assert own is not None
    assert bens is not None
    assert (own.given.who, own.redeemed_by, own.order) == ("", "", "")
    assert (bens.given.who, bens.redeemed_by) == ("u#ben", "")
    assert own.redeemed_at
    assert coupons.list_free("hello") == {}


def test_a_coupon_given_meanwhile_goes_too(ada: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that was being prepared may take a code after the first pass; the second finds it."""
    del monkeypatch
    ada.hear(request(ada.now))
    given = giving.fill(
        coupons.Given(who=WHO, pool="hello", code="", journey="cart", path="1", given_at=ada.now),
        code="LATE-1", turn=0, until=NEVER,
    )  # fmt: skip
    assert coupons.take(given, drawn=False, event=events.write_event(giving.tell_given(given)))
    assert traces(but="profiles")
    finish(ada)
    assert traces() == []


def test_with_a_new_id_somebody_begins_anew(ada: Shop) -> None:
    """Signing up again with the same address and another id: a new profile, and a yes that was said after."""
    ada.hear(request(ada.now))
    ada.now += HOUR
    mails = len(ada.mails())
    coupons.put_free("hello", {"HELLO-3": NEVER})
    ada.hear(an_identify(EMAIL, who="u#new", at=ada.now), a_subscription(who="u#new", at=ada.now))
    assert len(ada.mails()) == mails + 1
    finish(ada)
    key = ada.profile("u#new").address_keys[Channel.EMAIL]
    consent = addresses.get_address(key).consent
    assert consent is not None
    assert consent.subscribed
    assert identities.find_owner(key) == "u#new"


@pytest.mark.parametrize("how", HOW)
def test_an_old_yes_does_not_come_back(ada: Shop, how: str) -> None:
    """A list that is older than the erasure, imported after it, makes nobody mailable, by no address she ever had."""
    told = have_had(ada, how)
    ada.now += DAY
    ada.hear(request(ada.now))
    mails, old = len(ada.mails()), NOON
    ada.now += HOUR
    for number, address in enumerate(told):
        who = f"u#new-{number}"
        ada.hear(an_identify(address, who=who, at=ada.now), a_cart_event(who=who, at=ada.now))
        assert ada.profile(who).keys == (who,)
    ada.wait(2 * HOUR)
    for number in range(len(told)):
        ada.hear(a_subscription(who=f"u#new-{number}", occurred_at=old, at=ada.now))
    ada.wait(HOUR)
    assert [mail.destinations["ToAddresses"] for mail in ada.mails()[mails:]] == []


def test_an_address_of_before_that_is_somebody_elses_by_now_is_left_alone(ada: Shop) -> None:
    """Who has got it since has a yes of their own, which nobody else's erasure takes back."""
    ada.hear(an_identify("new@example.com", who=WHO, user_id=USER, at=ada.now))
    ada.hear(an_identify(EMAIL, who="u#eve", at=ada.now + 1), a_subscription(who="u#eve", at=ada.now + 2))
    key = ada.profile("u#eve").address_keys[Channel.EMAIL]
    ada.hear(request(ada.now + 3))
    consent = addresses.get_address(key).consent
    assert consent is not None
    assert consent.subscribed
    assert identities.find_owner(key) == "u#eve"


def test_an_address_that_two_had_and_neither_has_is_withdrawn(ada: Shop) -> None:
    """Whose yes it was cannot be known for sure: it is taken for that of who is erased, and nobody is written to."""
    ada.hear(an_identify(EMAIL, who="u#eve", at=ada.now + 1), a_subscription(who="u#eve", at=ada.now + 2))
    ada.hear(an_identify("new@example.com", who=WHO, user_id=USER, at=ada.now + 3))
    key = ada.profile("u#eve").address_keys[Channel.EMAIL]
    assert identities.find_owner(key) is None
    ada.hear(request(ada.now + 4))
    consent = addresses.get_address(key).consent
    assert consent is not None
    assert not consent.subscribed
    ada.hear(a_subscription(who="u#eve", id="anew", at=ada.now + DAY))
    consent = addresses.get_address(key).consent
    assert consent is not None
    assert consent.subscribed


def test_whoever_has_the_most_of_all_is_erased_at_once(shop: Shop) -> None:
    """Every key, address and device that a profile may have fits into the one transaction."""
    others = tuple(f"a#{number}" for number in range(MOST_SOURCES - 1))
    former = {f"email#{number}": number for number in range(MOST_FORMER)}
    seen = {f"d{n}": Register(f"ios {n}" + "t" * 16, n, n) for n in range(devices.MOST)}
    keys = {channel: f"{channel}#now" for channel in OF_SHOPPERS}
    state = State(sources=others, former=former, devices=seen)
    owned = [*former, *keys.values(), *map(name_owner, devices.list_addresses(seen))]
    assert base.commit([profiles.put_profile(Profile(who=WHO, state=state, address_keys=keys))])
    for key in owned:
        assert base.commit([identities.claim(key, WHO, owner=None)])
    shop.derive(request(NOON))
    assert {profiles.get_profile(key).kind for key in (WHO, *others)} == {Kind.TOMBSTONE}
    assert [key for key in owned if identities.find_owner(key)] == []
    assert not any(addresses.get_address(key).consent.subscribed for key in (*former, *keys.values()))  # type: ignore[union-attr]


def test_with_the_same_id_somebody_begins_anew_after_fifteen_days(ada: Shop) -> None:
    """Until then what comes under it is refused: it may be late. After that it is somebody who has come back."""
    ada.hear(request(ada.now))
    ada.now += 14 * DAY
    ada.wait(0)
    ada.hear(an_order(who=WHO, at=ada.now))
    assert ada.profile(WHO).kind is Kind.TOMBSTONE
    ada.now += DAY
    ada.wait(0)
    assert ada.profile(WHO).kind is Kind.TOMBSTONE
    ada.wait(REST_MS)
    assert ada.profile(WHO).version == 0
    ada.hear(an_order(who=WHO, at=ada.now))
    assert (ada.profile(WHO).kind, ada.profile(WHO).state.contacts) == (Kind.PROFILE, {})


def _erase_until(shop: Shop, before: int) -> None:
    """Have Ada erased, and go to so long before the last pass."""
    shop.hear(request(shop.now))
    shop.wait(25 * HOUR)
    shop.now += 15 * DAY - 25 * HOUR - before


def _come_late(shop: Shop, *news: Event, after: int) -> None:
    """Store events, and have their records of the stream come later; the shop goes on meanwhile."""
    events.put_events(news)
    records = [shop.record(event) for event in news]
    for _ in range(after // HOUR):
        shop.wait(HOUR)
    shop.wait(after % HOUR)
    derive_segments.handler({"Records": records}, lambda_context())
    shop.follow()


def test_what_the_last_pass_has_deleted_begins_nobody_anew(ada: Shop) -> None:
    """An event came in before the last pass, and its record after it: it was deleted, and counts for nobody."""
    _erase_until(ada, 3 * HOUR)
    late = [a_cart_event(who=WHO, at=ada.now), request(ada.now, id="again")]
    _come_late(ada, *late, a_cart_event(who="u#ben", at=ada.now), after=18 * HOUR)
    assert traces() == []
    assert len(runs.list_runs("u#ben")) == 2


def test_it_counts_for_nobody_who_came_back_since(ada: Shop) -> None:
    """Somebody is back already when a record of before comes: what was deleted is not in the profile."""
    _erase_until(ada, 3 * HOUR)
    before = a_cart_event(who=WHO, at=ada.now)
    events.put_events([before])
    record = ada.record(before)
    for _ in range(6):
        ada.wait(HOUR)
    ada.hear(an_order(who=WHO, at=ada.now))
    anew = ada.profile(WHO)
    derive_segments.handler({"Records": [record]}, lambda_context())
    assert anew.version == 1
    assert ada.profile(WHO) == anew


@pytest.mark.parametrize("before", [HOUR + 1, MINUTE, 0, -HOUR])
def test_the_tombstones_wait_for_what_has_just_come_in(ada: Shop, before: int) -> None:
    """Of an event that is not late nobody asks whether it is still stored: the tombstones are there for it."""
    _erase_until(ada, before)
    ada.wait(0)
    fresh = a_cart_event(who=VISITOR, at=ada.now)
    events.put_events([fresh])
    record = ada.record(fresh)
    for _ in range(12):
        if events.get_event(VISITOR, fresh.key):
            ada.wait(20 * MINUTE)
    assert events.get_event(VISITOR, fresh.key) is None
    for _ in range(4):
        derive_segments.handler({"Records": [record]}, lambda_context())
        assert {ada.profile(key).kind for key in (WHO, VISITOR)} == {Kind.TOMBSTONE}
        ada.wait(29 * MINUTE)
    for _ in range(3):
        ada.wait(REST_MS)
    assert traces() == []


def test_nothing_is_let_go_of_behind_one_who_is_killed(ada: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the rest a function has deleted what came in, and ended there: the next one does not think it long gone."""
    _erase_until(ada, 0)
    ada.wait(0)
    fresh = a_cart_event(who=WHO, at=ada.now + MINUTE)
    events.put_events([fresh])
    record = ada.record(fresh)
    ada.now += REST_MS
    delete = removal.delete_rows

    def die(table: Any, who: str, *, most: int) -> int:
        if delete(table, who, most=most) and table is events.EventRow:
            raise KeyboardInterrupt
        return 0

    with monkeypatch.context() as dying:
        dying.setattr(removal, "delete_rows", die)
        with pytest.raises(KeyboardInterrupt):
            ada.wait(0)
    assert events.get_event(WHO, fresh.key) is None
    ada.wait(10 * MINUTE)
    derive_segments.handler({"Records": [record]}, lambda_context())
    assert ada.profile(WHO).kind is Kind.TOMBSTONE
    ada.wait(REST_MS)
    ada.wait(REST_MS)
    assert traces() == []


def test_a_slow_double_lets_nothing_go(ada: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """One has found that nothing is left; then an event came in, and another has deleted it: the tombstones stay."""
    _erase_until(ada, 0)
    ada.wait(0)
    ada.now += REST_MS
    fresh = a_cart_event(who=WHO, at=ada.now)
    look = removal.is_anything_left

    def dawdle(keys: Any) -> bool:
        found = look(keys)
        events.put_events([fresh])
        records.append(ada.record(fresh))
        monkeypatch.setattr(removal, "is_anything_left", look)
        app.handler(queue_event({"who": WHO}), lambda_context())
        return found

    records: list[dict[str, Any]] = []
    monkeypatch.setattr(removal, "is_anything_left", dawdle)
    app.handler(queue_event({"who": WHO}), lambda_context())
    assert events.get_event(WHO, fresh.key) is None
    derive_segments.handler({"Records": records}, lambda_context())
    assert ada.profile(WHO).kind is Kind.TOMBSTONE
    for _ in range(3):
        ada.wait(REST_MS)
    assert traces() == []


def test_what_is_set_aside_in_the_rest_goes_too(ada: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record under nobody's name, which a pass that was broken off has not come to, is looked for once more."""
    _erase_until(ada, 0)
    ada.wait(0)
    events.put_events([a_cart_event(who=WHO, at=ada.now)])
    body = json.dumps({"Message": json.dumps({"who": WHO})}).encode()
    quarantine.put("", "late", reason="poison", at=ada.now, body=body)
    ada.now += REST_MS

    def fail(*_: Any, **__: Any) -> int:
        raise TryAgain("throttled")

    with monkeypatch.context() as broken:
        broken.setattr(removal, "delete_unnamed", fail)
        app.handler(queue_event({"who": WHO}), lambda_context())
    for _ in range(4):
        ada.wait(REST_MS)
    assert traces() == []


@pytest.mark.parametrize("pause", [0, REST_MS])
def test_a_pass_between_asking_and_reading_begins_nobody_anew(
    ada: Shop, monkeypatch: pytest.MonkeyPatch, pause: int
) -> None:
    """A late event was still stored when it was asked for; then it was deleted, and only then the profile read."""
    _erase_until(ada, 3 * HOUR)
    late = a_cart_event(who=WHO, at=ada.now)
    events.put_events([late])
    record = ada.record(late)
    ada.now += 3 * HOUR + pause
    find = events.find_deleted

    def ask(some: Any) -> Any:
        found = find(some)
        ada.wait(0)
        return found

    with monkeypatch.context() as racing:
        racing.setattr(events, "find_deleted", ask)
        derive_segments.handler({"Records": [record]}, lambda_context())
    assert ada.profile(WHO).kind is Kind.TOMBSTONE
    for _ in range(3):
        ada.wait(REST_MS)
    assert traces() == []


def test_passes_that_come_all_at_once_begin_nobody_anew(ada: Shop) -> None:
    """An erasure was held up until all passes were due: what came in just before them finds a tombstone."""
    ada.hear(request(ada.now))
    ada.now += 15 * DAY + MINUTE
    fresh = a_cart_event(who=WHO, at=ada.now)
    events.put_events([fresh])
    record = ada.record(fresh)
    for _ in range(4):
        ada.wait(MINUTE)
    derive_segments.handler({"Records": [record]}, lambda_context())
    assert ada.profile(WHO).kind is Kind.TOMBSTONE
    for _ in range(3):
        ada.wait(REST_MS)
    assert traces() == []


def test_what_is_in_time_is_not_asked_for(ada: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether an event is still stored is asked only if it is an hour late, and of a whole batch at once."""
    asked = []
    monkeypatch.setattr(events, "find_deleted", lambda late: asked.append(len(list(late))) or set())
    ada.hear(an_order(who=WHO, at=ada.now), an_order(who="u#ben", at=ada.now))
    _come_late(ada, an_order(who=WHO, id="in time", at=ada.now), after=HOUR)
    assert asked == []
    _come_late(ada, an_order(who=WHO, id="1", at=ada.now), an_order(who="u#ben", id="2", at=ada.now), after=HOUR + 1)
    assert asked == [2]


def test_an_address_that_is_somebody_elses_by_now_is_left_alone(ada: Shop) -> None:
    """Of two with one address only the owner's erasure withdraws it."""
    ada.hear(an_identify("ben@example.com", who=WHO, at=ada.now + 1))
    key = ada.profile("u#ben").address_keys[Channel.EMAIL]
    record = consents.list_statements(key)
    ada.hear(request(ada.now + 2))
    address = addresses.get_address(key)
    assert address.consent is not None
    assert address.consent.subscribed
    assert consents.list_statements(key) == record


def test_all_or_none_become_tombstones(ada: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who writes the profile in between is seen: it is read again, and all keys go in one transaction."""
    real, raced = base.commit, []

    def commit(writes: Any, **options: Any) -> bool:
        burying = [it for it in writes if isinstance(it, base.Put) and getattr(it.row, "kind", "") == "tombstone"]
        if burying and not raced:
            raced.append(len(burying))
            visitor = "late-visitor-4711"
            monkeypatch.setattr(base, "commit", real)
            derive_segments.derive(
                WHO, [an_event(who=WHO, user_id=USER, anonymous_id=visitor, at=ada.now)], now=ada.now
            )
        return real(writes, **options)

    monkeypatch.setattr(base, "commit", commit)
    ada.derive(request(ada.now))
    assert raced == [2]
    assert profiles.get_profile("a#late-visitor-4711").kind is Kind.TOMBSTONE


def test_what_nobody_can_erase_waits_and_names_nobody(ada: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that breaks the function is tried again in an hour, and an alarm is raised without naming anybody."""
    ada.derive(request(ada.now))
    read_queue("erasures")

    def fail(*_: Any, **__: Any) -> int:
        raise ValueError(EMAIL)

    with monkeypatch.context() as broken:
        broken.setattr(app.removal, "delete_rows", fail)
        app.handler(queue_event({"who": WHO}), lambda_context())
    (kept,) = [it for it in quarantine.list_refusals("?") if it.where == "ValueError"]
    assert USER not in kept.key
    ada.wait(50 * MINUTE)
    assert traces(but="profiles")
    ada.wait(10 * MINUTE)
    assert traces(but="profiles") == []
