"""Coupons, from the file in the bucket to the order: imported, given, shown, used, and counted."""

import json
from typing import Any

import pytest
from builders import CART, NEEDS, NOON, a_bundle, a_cart_event, an_event, an_order, publish
from msgspec.structs import replace
from shoppers import Shop
from world import client, lambda_context

import functions.publish_rules.app as publish_rules
import functions.wake.app as wake
from cartwake import live
from cartwake.bundles import Pool, Segment, Template
from cartwake.conditions.kinds import Did
from cartwake.errors import TryAgain
from cartwake.journeys import Journey, Send
from cartwake.messages import Message, MessageState
from cartwake.profiles import Kind, Profile
from cartwake.reasons import Skip
from cartwake.statements import Channel
from cartwake.store import base, bundles, coupons, events, messages, profiles
from cartwake.times import DAY, HOUR, MINUTE, NEVER
from cartwake.trackers import Need

BUCKET = "rules-bucket"
STATUS = "_status/coupons.json"
MAIL = Template(
    subject="For you",
    html="<p>{{ coupon.code }} until {{ coupon.expires_at|date }} <a href='{{ unsubscribe_url }}'>stop</a></p>",
    text="{{ coupon.code }}",
)
STEPS = (replace(CART.steps[0], of_quiet=()), Send(channel=Channel.EMAIL, template="back", coupon="back"))
JOURNEY = replace(CART, steps=STEPS, again_ms=0, filter=None)


def rules(*, pool: Pool | None = None, journey: Journey = JOURNEY, **changes: Any) -> None:
    generation = changes.pop("generation", 2)
    pools = {"back": pool or Pool(valid_for_ms=14 * DAY)}
    templates = {"back": MAIL}
    defaults = {"generation": generation, "journeys": {"cart": journey}, "pools": pools, "templates": templates}
    publish(a_bundle(**defaults | changes))


def stock(*codes: str) -> None:
    coupons.put_free("back", dict.fromkeys(codes, NEVER))


def cart(shop: Shop, number: int = 1) -> Message:
    """Have the shopper leave a cart, and return the last message that came of it."""
    shop.hear(a_cart_event(f"P-{number}", at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    return max((it for it in messages.list_messages("u#1") if it.journey == "cart"), key=lambda it: it.planned_at)


def test_a_message_shows_its_code_and_keeps_it(shop: Shop) -> None:
    """The code is in the mail with its last day; the next round of the journey shows the same one, till it is over."""
    shop.known()
    rules()
    stock("A-1", "B-2")
    message = cart(shop)
    assert (message.state, message.coupon) == (MessageState.ACCEPTED, "back")
    (given,) = coupons.list_given("u#1")
    assert given.code in shop.mails()[-1].body
    assert "December 6, 2026" in shop.mails()[-1].body
    assert [it.name for it in events.list_events("u#1") if it.name.startswith("Coupon")] == ["Coupon Given"]
    shop.now += 2 * DAY
    cart(shop, 2)
    assert given.code in shop.mails()[-1].body
    shop.now += 14 * DAY
    cart(shop, 3)
    assert given.code not in shop.mails()[-1].body
    assert [it.round for it in coupons.list_given("u#1")] == [0, 1]


def test_an_empty_pool_skips_with_its_reason(shop: Shop) -> None:
    """No code, no message, and `explain` can say why."""
    shop.known()
    rules()
    message = cart(shop)
    assert (message.state, message.reason) == (MessageState.SKIPPED, Skip.NO_COUPON)
    assert message.detail == 'the pool "back" is empty'


@pytest.mark.parametrize("why", ["unsubscribed", "capped", "filter", "erased"])
def test_a_refused_message_spends_no_code(shop: Shop, why: str) -> None:
    """What filter, consent, caps or erasure refuse has taken nothing out of the pool."""
    shop.known()
    stock("A-1")
    journey = replace(JOURNEY, filter=Did(tracker="orders", count=9)) if why == "filter" else JOURNEY
    rules()
    shop.hear(a_cart_event(at=shop.now))
    if why == "unsubscribed":
        shop.hear(an_event("Unsubscribed", at=shop.now + 1, properties={"channel": "email"}))
    if why == "capped":
        settings = replace(a_bundle().settings, cap_ms={Channel.EMAIL: 30 * DAY})
        rules(generation=3, settings=settings)
    if why == "filter":
        rules(generation=3, journey=journey)
    if why == "erased":
        profile = profiles.get_profile("u#1")
        assert base.commit([profiles.put_profile(replace(profile, kind=Kind.TOMBSTONE))])
    shop.wait(HOUR + 4 * MINUTE)
    sent = [it for it in messages.list_messages("u#1") if it.journey == "cart"]
    assert all(it.state is MessageState.SKIPPED and it.reason != Skip.NO_COUPON for it in sent)
    assert list(coupons.list_free("back")) == ["A-1"]


def test_a_code_that_was_given_and_not_sent_is_kept(shop: Shop) -> None:
    """When the mail cannot be made after all, its code waits for the shopper, and for nobody else."""
    shop.known()
    rules(templates={"back": replace(MAIL, html="{{ event.nothing }}{{ coupon.code }}")})
    stock("A-1")
    assert cart(shop).reason == Skip.TEMPLATE
    rules(generation=3)
    shop.now += 2 * DAY
    assert cart(shop, 2).state is MessageState.ACCEPTED
    assert "A-1" in shop.mails()[-1].body


def test_generated_codes_are_told_of(shop: Shop) -> None:
    """A pool that makes its codes needs no file, and the event names each."""
    shop.known()
    rules(pool=Pool(prefix="BACK-", length=8, valid_for_ms=DAY))
    assert cart(shop).state is MessageState.ACCEPTED
    (told,) = [it for it in events.list_events("u#1") if it.name == "Coupon Given"]
    assert told.properties["coupon"] in shop.mails()[-1].body
    assert told.properties["coupon"].startswith("BACK-")


def follow_events(shop: Shop) -> None:
    """Stream what Cartwake itself has told of."""
    for event in events.list_events("u#1") + events.list_events("u#2"):
        if event.name.startswith("Coupon"):
            shop.hear(event)


def test_an_order_redeems_once_and_segments_see_it(shop: Shop) -> None:
    """The first order that names the code marks it; the shopper has "Coupon Redeemed", which a segment counts."""
    shop.known()
    needs = NEEDS | {"redeemed": Need(event="Coupon Redeemed", latest=3)}
    segment = Segment(title="Used", where=Did(tracker="redeemed", count=1), events=("Coupon Redeemed",))
    rules(needs=needs, segments={"used": segment})
    stock("A-1")
    cart(shop)
    order = an_order(id="o", at=shop.now, properties={"order_id": "o-7", "revenue": 9, "coupon": ["X", " a-1"]})
    shop.hear(order)
    shop.derive(order)
    shop.hear(an_order(id="p", at=shop.now + 1, properties={"order_id": "o-8", "revenue": 9, "coupon": "A-1"}))
    follow_events(shop)
    taken = coupons.get_taken("A-1")
    assert taken is not None
    assert (taken.redeemed_at, taken.redeemed_by, taken.order) == (shop.now, "u#1", "o-7")
    (told,) = [it for it in events.list_events("u#1") if it.name == "Coupon Redeemed"]
    assert (told.properties["order_id"], told.properties["own"]) == ("o-7", True)
    assert profiles.get_profile("u#1").state.memberships["used"].since > 0


def test_a_code_that_was_passed_on_is_told_so(shop: Shop) -> None:
    """Somebody else may use it: the event is theirs, and says that the code was not."""
    shop.known()
    rules()
    stock("A-1")
    cart(shop)
    shop.hear(an_order(who="u#2", user_id="2", at=shop.now, properties={"order_id": "o", "coupon": "A-1"}))
    (told,) = [it for it in events.list_events("u#2") if it.name == "Coupon Redeemed"]
    assert told.properties["own"] is False
    assert coupons.list_redeemed("u#2") == ["A-1"]


@pytest.mark.parametrize("properties", [{}, {"coupon": "SPRING"}, {"coupon": [1, {}]}])
def test_other_orders_are_none_of_its_business(shop: Shop, properties: dict[str, Any]) -> None:
    """No coupon, one of the shop's own, or nonsense: nothing is written."""
    shop.hear(an_order(properties={"order_id": "o"} | properties))
    assert list(coupons.CouponRow.scan()) == []


@pytest.mark.parametrize("who", ["bot", "erased"])
def test_whose_orders_do_not_count(shop: Shop, who: str) -> None:
    """What a crawler says is folded nowhere, and of somebody who was erased nothing is written down any more."""
    shop.known()
    rules()
    stock("A-1")
    cart(shop)
    assert base.commit([profiles.put_profile(Profile(who="u#2", kind=Kind.TOMBSTONE))])
    order = an_order(who="u#2", user_id="2", at=shop.now, properties={"order_id": "o", "coupon": "A-1"})
    shop.hear(order if who == "erased" else replace(order, who="u#1", user_id="1", bot=True))
    assert coupons.list_redeemed("u#2") == coupons.list_redeemed("u#1") == []
    taken = coupons.get_taken("A-1")
    assert taken is not None
    assert taken.redeemed_at == 0


def test_the_shops_own_name_for_an_order_counts(shop: Shop) -> None:
    """Where `settings.json` says that orders are called otherwise, those redeem."""
    shop.known()
    settings = replace(a_bundle().settings, order_event="Bought")
    rules(settings=settings)
    stock("A-1")
    cart(shop)
    shop.hear(an_event("Bought", at=shop.now, properties={"order_id": "o", "coupon": "A-1"}))
    taken = coupons.get_taken("A-1")
    assert taken is not None
    assert taken.redeemed_at == shop.now


# ---- files


def save(monkeypatch: pytest.MonkeyPatch, **files: str | None) -> dict[str, Any]:
    """Save files as a marketer does, do what the notification starts, and return what it says of coupons."""
    monkeypatch.setattr(publish_rules, "read_clock", lambda: NOON)
    for name, content in files.items():
        key = f"coupons/{name}"
        if content is None:
            client("s3").delete_object(Bucket=BUCKET, Key=key)
        else:
            client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
    publish_rules.handler({}, lambda_context())
    return read_status()


def read_status() -> dict[str, Any]:
    status: dict[str, Any] = json.loads(client("s3").get_object(Bucket=BUCKET, Key=STATUS)["Body"].read())
    return status


@pytest.fixture
def bucket(tables: None) -> None:
    """A bucket with settings, so that something is live."""
    live.forget()
    settings = {
        "shop": {"name": "N", "url": "https://n.example/", "postal_address": "Street 1"},
        "sender": {"email": "shop@example.com"},
    }
    client("s3").put_object(Bucket=BUCKET, Key="settings.json", Body=json.dumps(settings))


def test_a_file_is_imported(bucket: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its codes are free, wrong lines are told by number, and the status says how many there are."""
    told = save(monkeypatch, **{"back.csv": "code\nA-1\ntwo words\nB-2\n"})
    assert set(coupons.list_free("back")) == {"A-1", "B-2"}
    pool = told["pools"]["back"]
    assert (pool["codes"], pool["imported"], pool["free"], pool["refused"]) == (2, 2, 2, 1)
    assert pool["lines"][0].startswith("line 3: ")
    assert not told["good"]
    assert pool["low"]
    assert told["message"] == "back low: add codes to the file; back with lines that are passed over."


def test_importing_again_changes_nothing(bucket: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same file is not read twice; a changed one adds what is new, and makes nothing free that somebody has."""
    save(monkeypatch, **{"back.csv": "code\nA-1\nB-2\n"})
    given = coupons.Given(who="u#1", pool="back", code="A-1", journey="j", path="0", given_at=NOON)
    assert coupons.take(given, drawn=True, event=events.write_event(an_event()))
    reading = []
    real = coupons.list_free
    monkeypatch.setattr(coupons, "list_free", lambda name: reading.append(name) or real(name))
    before = read_status()
    assert save(monkeypatch) == before
    assert reading == []
    told = save(monkeypatch, **{"back.csv": "code\nA-1\nB-2\nC-3\n"})["pools"]["back"]
    assert (told["imported"], told["free"], told["given"]) == (1, 2, 1)
    assert set(coupons.list_free("back")) == {"B-2", "C-3"}


def test_what_is_taken_out_of_the_file_is_not_given(bucket: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is gone, or a date that is over or another, counts at once; so does a file that is gone."""
    save(monkeypatch, **{"back.csv": "code,expires\nA-1,\nB-2,\nC-3,2027-01-01\n"})
    told = save(monkeypatch, **{"back.csv": "code,expires\nB-2,2026-11-20\nC-3,2027-02-01\n"})["pools"]["back"]
    assert (told["removed"], told["imported"], told["free"]) == (2, 1, 1)
    ((code, until),) = coupons.list_free("back").values()
    assert (code, until) == ("C-3", NOON - 12 * HOUR + 73 * DAY)
    assert save(monkeypatch, **{"back.csv": None})["pools"] == {}
    assert coupons.list_free("back") == {}


def test_a_pool_that_is_still_named_keeps_its_codes(bucket: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that a step names cannot go: the status of the rules says so, and its codes are given as before."""
    footer = "{{ shop.postal_address }} <a href='{{ unsubscribe_url }}'>no</a> {{ coupon.code }}"
    body = (
        f"<mjml><mj-body><mj-section><mj-column><mj-text>{footer}</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    step = {"email": "m", "subject": "Hi", "coupon": "back"}
    journey = json.dumps({"name": "J", "trigger": {"event": "X"}, "steps": [step]})
    client("s3").put_object(Bucket=BUCKET, Key="templates/m.mjml", Body=body)
    client("s3").put_object(Bucket=BUCKET, Key="journeys/j.json", Body=journey)
    save(monkeypatch, **{"back.csv": "code\nA-1\n"})
    sources = list_sources()
    assert sources["coupons/back.csv"] == "code\n", "codes are no part of what is published"
    assert "back" in save(monkeypatch, **{"back.csv": None})["pools"]
    assert list(coupons.list_free("back")) == ["A-1"]


def list_sources() -> dict[str, str]:
    """Return the files of which the live rules were made."""
    pointer = bundles.get_live()
    assert pointer is not None
    key = f"bundles/{pointer.hash}.sources.json"
    sources: dict[str, str] = json.loads(client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())["files"]
    return sources


def test_an_import_that_runs_out_of_time_goes_on(bucket: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written stays written, Lambda invokes again, and only the rest is left to do."""
    monkeypatch.setattr(publish_rules, "read_clock", lambda: NOON)
    codes = "\n".join(f"C-{number:03}" for number in range(250))
    client("s3").put_object(Bucket=BUCKET, Key="coupons/back.csv", Body=f"code\n{codes}\n")
    context = lambda_context()
    times = iter([120_000, 10_000])
    context.get_remaining_time_in_millis = lambda: next(times)
    with pytest.raises(TryAgain):
        publish_rules.handler({}, context)
    assert len(coupons.list_free("back")) == 100
    told = save(monkeypatch)["pools"]["back"]
    assert (told["imported"], told["free"], told["low"]) == (150, 250, False)
    assert json.loads(client("s3").get_object(Bucket=BUCKET, Key="_status/status.json")["Body"].read())["good"]


def test_a_file_that_changes_meanwhile_is_imported_again(bucket: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever ends last has seen the last state of the file."""
    real = coupons.put_free
    later = ["code\nB-2\n"]

    def put_free(*args: Any) -> None:
        real(*args)
        if later:
            client("s3").put_object(Bucket=BUCKET, Key="coupons/back.csv", Body=later.pop())

    monkeypatch.setattr(coupons, "put_free", put_free)
    save(monkeypatch, **{"back.csv": "code\nA-1\n"})
    assert set(coupons.list_free("back")) == {"B-2"}


def test_a_file_that_is_none_keeps_what_was_free(bucket: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without the column says so, and takes no code away."""
    save(monkeypatch, **{"back.csv": "code\nA-1\n"})
    told = save(monkeypatch, **{"back.csv": "A-1\nB-2\n"})
    assert 'no column "code"' in told["pools"]["back"]["problem"]
    assert "back cannot be read" in told["message"]
    assert set(coupons.list_free("back")) == {"A-1"}


# ---- the alarm


def test_a_pool_that_runs_low_is_counted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every ten minutes `wake` counts what is left, for an alarm before it is empty; the status names the pool."""
    rules(pool=Pool(low_at=2))
    stock("A-1", "B-2")
    assert "CouponsLow" not in wake_at(shop, NOON + 9 * MINUTE, capsys)
    assert wake_at(shop, NOON + 10 * MINUTE, capsys)["CouponsLow"] == [0.0]
    coupons.delete_free("back", ["A-1"])
    assert wake_at(shop, NOON + 20 * MINUTE, capsys)["CouponsLow"] == [1.0]
    told = read_status()
    assert (told["pools"]["back"]["low"], told["pools"]["back"]["free"]) == (True, 1)
    assert "back low" in told["message"]
    stock("C-3")
    assert wake_at(shop, NOON + 30 * MINUTE, capsys)["CouponsLow"] == [0.0]
    assert not read_status()["pools"]["back"]["low"]


def wake_at(shop: Shop, at: int, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the metrics of a run of `wake`."""
    capsys.readouterr()
    wake.handler({"at": at}, lambda_context())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    metrics: dict[str, Any] = lines[-1]
    return metrics


def test_pools_that_cannot_run_out_are_not_counted(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Codes that are made are never low, and a pool of which nobody wants to be told is not looked at."""
    rules(pool=Pool(length=8))
    assert "CouponsLow" not in wake_at(shop, NOON, capsys)
    live.forget()
    rules(generation=3, pool=Pool(low_at=0))
    assert "CouponsLow" not in wake_at(shop, NOON, capsys)


def test_a_status_that_cannot_be_written_stops_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The alarm does not hang on the bucket."""

    def fail(_: str) -> bytes:
        raise TryAgain("bucket: AccessDenied")

    live.load_live(NOON)
    rules(pool=Pool(low_at=2))
    live.load_live(NOON)
    monkeypatch.setattr(wake.bucket, "read", fail)
    assert wake_at(shop, NOON, capsys)["CouponsLow"] == [1.0]
