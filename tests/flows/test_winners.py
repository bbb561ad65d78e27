"""Tests of variants through the real handlers: from the marketer's file to the decision, and whom that moves."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import NOON, a_cart_event, an_event, an_identify, an_order
from shoppers import Shop, queue_event
from world import client, lambda_context, read_queue

import functions.publish_rules.app as publish_rules
import functions.run_step.app as run_step
import functions.track_delivery.app as track_delivery
import functions.wake.app as wake
from cartwake import live
from cartwake.errors import TryAgain
from cartwake.feedback.deliveries import tags_for
from cartwake.messages import Message
from cartwake.participants import Participant
from cartwake.runs import Run
from cartwake.store import base, counts, messages, participants, runs
from cartwake.store.base import unsqueeze
from cartwake.times import DAY, HOUR, MINUTE, format_instant
from cartwake.variants import VariantTest
from cartwake.winners import Measured

BUCKET = "rules-bucket"
CLICK = Path(__file__).parents[1] / "payloads" / "ses" / "click.json"
MAIL = """<mjml><mj-head><mj-title>Hi</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{ shop.postal_address }} <a href="{{ unsubscribe_url }}">stop</a>
</mj-text></mj-column></mj-section></mj-body></mjml>"""
SETTINGS = {
    "shop": {"name": "N", "url": "https://n.example", "postal_address": "Street 1"},
    "sender": {"email": "shop@example.com"},
    "caps": {"email": "none"},
}
WAYS = [{"percent": 50, "steps": [{"tag": "short"}]}, {"percent": 50, "steps": [{"tag": "long"}]}]
RULE = {"by": "ordered", "sure": 80, "at_least": 10, "within": "1 day"}
STEP = {"test": "t", "split": WAYS, "winner": RULE}


@pytest.fixture(autouse=True)
def clocks(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the world is that of the functions that only these tests call, too."""
    for module in (publish_rules, track_delivery):
        monkeypatch.setattr(module, "read_clock", lambda: shop.now)
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    # what is live in other tests was made of no files
    client("dynamodb").delete_item(TableName="bundles", Key={"name": {"S": "live"}})


def save(*steps: dict[str, Any], **changes: Any) -> None:
    """Have marketers save a journey of such steps that a cart starts, and publish it."""
    journey = {"name": "J", "status": "live", "trigger": {"event": "Product Added"}, "again": "always"}
    files: dict[str, Any] = {"settings.json": SETTINGS, "journeys/j.json": journey | {"steps": list(steps)} | changes}
    for key, content in {**files, "templates/one.mjml": MAIL}.items():
        body = content if isinstance(content, str) else json.dumps(content)
        client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    publish()


def publish() -> None:
    publish_rules.handler({}, lambda_context())
    status = json.loads(read("_status/status.json"))
    assert all(file["state"] == "live" for file in status["files"].values()), status
    live.forget()


def read(key: str) -> bytes:
    body: bytes = client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def list_decisions() -> list[str]:
    """The keys of all versions of all decisions, with a delete among them."""
    found = client("s3").list_object_versions(Bucket=BUCKET, Prefix="_status/decisions/")
    return [it["Key"] for kind in ("Versions", "DeleteMarkers") for it in found.get(kind, ())]


def the_test() -> VariantTest:
    found = live.load_live(0).find_test("j", "t")
    assert found is not None
    return found


def enter(shop: Shop, user: str) -> Run:
    """Have somebody leave a cart, and return their latest run."""
    shop.hear(a_cart_event(user_id=user, at=shop.now, id=f"cart-{user}-{shop.now}"))
    return max(runs.list_runs(f"u#{user}", journey="j"), key=lambda run: run.entered_at)


def list_participants() -> list[Participant]:
    rows = participants.ParticipantRow.scan()
    return [participants._decoder.decode(unsqueeze(row.body)) for row in rows]


def counted() -> dict[str, dict[str, int]]:
    """By variant, what the counts say."""
    test = the_test()
    found = {name: counts.add_up(f"j#t#{test.digest}={name}") for name in test.micros}
    return {name: {it: number for it, number in told.items() if it != "began_at"} for name, told in found.items()}


def come_to_be_decided() -> None:
    """Have been counted what a known better variant brings."""
    come_to_be_counted(a=(300, 10), b=(300, 60))


def come_to_be_counted(**variants: tuple[int, int]) -> None:
    """Have shoppers and orders been counted, as if they had come one by one."""
    counters = Measured("j", "t", the_test()).counters
    for name, (judged, ordered) in variants.items():
        assert base.commit([counts.add(f"{counters[name]}#0", "2026-11-20", {"judged": judged, "ordered": ordered})])


def look(shop: Shop) -> None:
    """Have `wake` look at tests, and S3 tell of what it wrote."""
    shop.now += 10 * MINUTE
    wake.handler({}, lambda_context())
    publish()


def test_numbers_decide_and_who_comes_later_follows(shop: Shop) -> None:
    """The known better variant wins, the decision is kept with its numbers, and from then on everybody gets it.

    Whom chance gave the other one before keep it, also at a later split of the test.
    """
    save(STEP, {"wait": "30 days"}, {"test": "t", "split": WAYS})
    went = {user: enter(shop, user).variants["t"] for user in ("1", "2", "3", "4", "5", "6")}
    loser = next(user for user, variant in went.items() if variant == "a")
    assert len(list_participants()) == len(went)
    come_to_be_decided()
    look(shop)
    decision = json.loads(read(Measured("j", "t", the_test()).file))
    assert (decision["winner"], decision["how"], decision["by"]) == ("b", "numbers", "ordered")
    assert decision["variants"]["b"]["shoppers"] == 300
    assert (the_test().winner, the_test().how) == ("b", "numbers")
    told = json.loads(read("_status/tests.json"))["j"]["t"]
    assert (told["winner"], told["variants"]["a"]["ordered"]["number"]) == ("b", 10)
    assert {enter(shop, f"n{number}").variants["t"] for number in range(5)} == {"b"}
    assert len(list_participants()) == len(went)
    shop.now += 30 * DAY
    (run,) = runs.list_runs(f"u#{loser}", journey="j")
    run_step.step({"who": run.who, "run": run.key, "seq": run.seq}, shop.now)
    (run,) = runs.list_runs(f"u#{loser}", journey="j")
    assert (run.ended is not None, run.variants) == (True, {"t": "a"})


def test_an_order_in_time_is_counted_for_the_variant(shop: Shop) -> None:
    """From the cart to the count, with no message in between."""
    save(STEP)
    variant = enter(shop, "1").variants["t"]
    shop.hear(an_order(user_id="1", at=shop.now + MINUTE))
    shop.wait(DAY)
    assert counted()[variant] == {"judged": 1, "ordered": 1}


def test_a_doubled_look_decides_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """`wake` that runs twice, at once or before the decision is live, or whose answer is lost, writes one decision."""
    save(STEP)
    come_to_be_decided()
    shop.now += 10 * MINUTE
    put, lost = wake.bucket.write_once, []

    def lose(key: str, content: bytes) -> bool:
        put(key, content)
        if not lost:
            lost.append(key)
            raise TryAgain("the answer is lost")
        return False

    monkeypatch.setattr(wake.bucket, "write_once", lose)
    with pytest.raises(TryAgain):
        wake.handler({}, lambda_context())
    monkeypatch.setattr(wake.bucket, "write_once", put)
    for _ in range(2):
        wake.handler({}, lambda_context())
    assert list_decisions() == [Measured("j", "t", the_test()).file]
    publish()
    generation = live.load_live(0).generation
    look(shop)
    assert live.load_live(0).generation == generation
    assert len(list_decisions()) == 1


def test_who_begins_with_a_wait_inside_of_a_test_is_measured(shop: Shop) -> None:
    """A run may stand in its first wait as it begins, but not behind a test of which nothing was noted."""
    save(STEP | {"split": [{"percent": 50, "steps": [{"wait": wait}]} for wait in ("1 hour", "2 hours")]})
    run = enter(shop, "1")
    (participant,) = list_participants()
    assert participant.variant == run.variants["t"]
    assert run.path == f"0.{participant.variant}.0"


def test_a_participant_is_counted_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for twice, before its time, or after a lost answer: the counts say what happened."""
    save(STEP)
    run = enter(shop, "1")
    (participant,) = list_participants()
    assert (participant.variant, participant.due_at) == (run.variants["t"], shop.now + DAY)
    asked = {"who": "u#1", "test": participant.key}
    run_step.handler(queue_event(asked), lambda_context())
    assert counted() == {"a": {}, "b": {}}
    shop.now += DAY
    commit, lost = base.commit, []

    def lose(writes: Any, **options: Any) -> bool:
        assert commit(writes, **options)
        lost.append(True)
        raise TryAgain("the answer is lost")

    monkeypatch.setattr(run_step.base, "commit", lose)
    answer = run_step.handler(queue_event(asked), lambda_context())
    assert answer is not None
    assert len(answer["batchItemFailures"]) == 1
    monkeypatch.setattr(run_step.base, "commit", commit)
    run_step.handler(queue_event(asked, asked), lambda_context())
    wake.handler({}, lambda_context())
    assert read_queue("steps") == []
    assert counted()[participant.variant] == {"judged": 1}


def test_two_who_judge_at_once_count_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads a participant before another has written counts nothing."""
    save(STEP)
    enter(shop, "1")
    (participant,) = list_participants()
    shop.now += DAY
    asked = {"who": "u#1", "test": participant.key}
    list_messages, raced = messages.list_messages, []

    def race(who: str) -> list[Message]:
        if not raced:
            raced.append(True)
            run_step.judge(asked, shop.now)
        return list_messages(who)

    monkeypatch.setattr(run_step.messages, "list_messages", race)
    run_step.judge(asked, shop.now)
    assert raced
    assert counted()[participant.variant] == {"judged": 1}


def test_a_shopper_counts_once_in_a_test(shop: Shop) -> None:
    """Who comes to it again in a later run, of the same journey, is no second shopper."""
    save(STEP)
    enter(shop, "1")
    shop.now += HOUR
    enter(shop, "1")
    assert len(runs.list_runs("u#1", journey="j")) == 2
    (participant,) = list_participants()
    assert participant.entered_at == NOON


def test_a_shopper_of_two_keys_counts_once(shop: Shop) -> None:
    """A visitor who took part is, once they are known, a participant already."""
    save(STEP)
    shop.hear(a_cart_event(who="a#x", anonymous_id="x", at=shop.now))
    (participant,) = list_participants()
    assert participant.who == "a#x"
    shop.now += HOUR
    shop.hear(an_identify(user_id="1", anonymous_id="x", at=shop.now))
    enter(shop, "1")
    assert [it.who for it in list_participants()] == ["a#x"]


def test_clicks_come_from_what_ses_tells(shop: Shop) -> None:
    """From the mail to the count: a click in time is one, of a shopper and not of a message."""
    save({"test": "t", "split": [{"percent": 100, "steps": [{"email": "one"}, {"wait": "1 hour"}, {"email": "one"}]}]})
    shop.known()
    enter(shop, "1")
    shop.wait(HOUR + 4 * MINUTE)
    sent = [it for it in messages.list_messages("u#1") if it.journey == "j"]
    assert len(sent) == 2
    for message in sent:
        notice = json.loads(CLICK.read_text())
        notice["mail"]["tags"] |= {tag: [value] for tag, value in tags_for("u#1", message.id).items()}
        notice["click"]["timestamp"] = format_instant(shop.now)
        record = {"messageId": "q", "body": json.dumps(notice), "eventSource": "aws:sqs"}
        assert track_delivery.handler({"Records": [record]}, lambda_context()) == {"batchItemFailures": []}
    shop.wait(3 * DAY)
    assert counted() == {"a": {"judged": 1, "clicked": 1}}


def test_another_definition_withdraws_a_decision(shop: Shop) -> None:
    """A changed variant is another test: chance goes on, and nothing counts that was counted before."""
    save(STEP)
    come_to_be_decided()
    look(shop)
    before = the_test()
    assert before.winner == "b"
    save(STEP | {"split": [WAYS[0], WAYS[1] | {"steps": [{"tag": "longer"}]}]})
    assert the_test().digest != before.digest
    assert (the_test().winner, counted()) == ("", {"a": {}, "b": {}})
    save(STEP)
    assert the_test().winner == "b"


def test_marketers_overrule(shop: Shop) -> None:
    """A winner that is named by hand is followed, whatever was decided; who has a variant keeps it."""
    save(STEP)
    come_to_be_decided()
    look(shop)
    save(STEP | {"winner": "a"})
    assert (the_test().winner, the_test().how) == ("a", "hand")
    assert {enter(shop, f"n{number}").variants["t"] for number in range(6)} == {"a"}
    look(shop)
    assert the_test().winner == "a"


def test_the_time_is_over_and_the_best_so_far_is_taken(shop: Shop) -> None:
    """With too few shoppers for numbers the end decides, and says that it did."""
    save(STEP | {"winner": RULE | {"until": "3 days"}})
    first = enter(shop, "1").variants["t"]
    shop.hear(an_order(user_id="1", at=shop.now + MINUTE))
    shop.now += DAY
    wake.handler({}, lambda_context())
    shop.drain()
    look(shop)
    assert the_test().how == ""
    shop.now += 2 * DAY
    look(shop)
    assert (the_test().winner, the_test().how) == (first, "time")
    assert "not decided by numbers" in json.loads(read("_status/tests.json"))["j"]["t"]["message"]


def test_who_changes_how_it_is_decided_asks_anew(shop: Shop) -> None:
    """An end that is moved opens a test again that its old end has decided; moved back, the first decision stands."""
    early = STEP | {"winner": RULE | {"until": "2026-11-22"}}
    save(early)
    come_to_be_counted(a=(5, 1), b=(5, 2))
    shop.now += DAY
    look(shop)
    assert (the_test().winner, the_test().how) == ("b", "time")
    save(STEP | {"winner": RULE | {"until": "2026-12-24"}})
    look(shop)
    assert (the_test().winner, the_test().how) == ("", "")
    come_to_be_counted(a=(300, 60), b=(300, 10))
    look(shop)
    assert (the_test().winner, the_test().how) == ("a", "numbers")
    save(early)
    look(shop)
    assert (the_test().winner, the_test().how) == ("b", "time")
    assert len(list_decisions()) == 2


def test_a_run_of_older_rules_follows_the_winner_of_the_same_test(shop: Shop) -> None:
    """Who started before the decision and comes to the split after it gets the winner: winners are the live ones."""
    save({"wait": "2 days"}, STEP)
    old = [enter(shop, user) for user in ("1", "2", "3", "4")]
    come_to_be_decided()
    look(shop)
    for run in old:
        run_step.step({"who": run.who, "run": run.key, "seq": run.seq}, NOON + 2 * DAY)
    after = [runs.get_run(run.who, run.key) for run in old]
    assert [run.variants if run else None for run in after] == [{"t": "b"}] * 4
    assert list_participants() == []


def test_nothing_of_a_participant_is_left_of_who_was_erased(shop: Shop) -> None:
    """The row goes with all others, and an erased shopper is counted nowhere."""
    save(STEP)
    enter(shop, "1")
    shop.hear(an_event("Erasure Requested", user_id="1", at=shop.now + 1))
    shop.wait(26 * HOUR)
    shop.wait(26 * HOUR)
    assert list_participants() == []
    assert counted() == {"a": {}, "b": {}}
