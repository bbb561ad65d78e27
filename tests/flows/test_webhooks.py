"""Webhooks through the real handlers, from the file that a marketer writes to the request that a receiver gets."""

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from builders import a_cart_event, an_event, an_identify, an_order
from flows.test_steps import live, sent
from shoppers import Shop
from standardwebhooks import Webhook
from world import client

from cartwake import calling
from cartwake.gateways import secrets
from cartwake.gateways.webhook import Post, post
from cartwake.messages import LEASE_MS, Message, MessageState
from cartwake.profiles import Kind
from cartwake.reasons import Skip
from cartwake.sending.clearance import clear
from cartwake.sending.letters import Case
from cartwake.statements import Channel
from cartwake.store import base, messages, profiles
from cartwake.store.counts import CountRow
from cartwake.times import DAY, HOUR, MINUTE, SECOND
from cartwake.webhooks import Reply, show_secret

HOST = "crm.example.com"
STEP = {"webhook": f"https://{HOST}/hooks", "traits": ["email", "stage"], "properties": ["price"], "body": {"x": 1}}
LISTED = {"webhooks": {"hosts": [HOST]}}


class Receiver:
    """Another system: it notes what it is told, and answers as it was told to; with 200 if nothing was said."""

    def __init__(self) -> None:
        self.asked: list[Post] = []
        self.answers: list[Reply] = []

    def post(self, request: Post) -> Reply:
        self.asked.append(request)
        return self.answers.pop(0) if self.answers else Reply(status=200)

    @property
    def ids(self) -> list[str]:
        return [it.headers["webhook-id"] for it in self.asked]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    found = Receiver()
    monkeypatch.setattr(calling, "post", found.post)
    monkeypatch.setattr(calling.random, "random", lambda: 0.0)
    return found


def begin(shop: Shop, *steps: dict[str, Any], settings: Any = None, **changes: Any) -> None:
    shop.known()
    live(*steps, settings=LISTED if settings is None else settings, **changes)
    shop.hear(a_cart_event(at=shop.now))


def the_webhook() -> Message:
    return next(it for it in messages.list_messages("u#1") if it.channel is Channel.WEBHOOK)


def test_a_step_tells_another_system(shop: Shop, receiver: Receiver) -> None:
    """At once, to the address of the step, with what the step names; it is counted as mails are."""
    begin(shop, STEP)
    [request] = receiver.asked
    assert (request.url, request.hosts) == (STEP["webhook"], (HOST,))
    data = json.loads(request.body)["data"]
    assert (data["journey"], data["user_id"], data["traits"]) == ("j", "1", {"email": "ada@example.com"})
    assert (data["event"]["event"], data["event"]["properties"], data["body"]) == (
        "Product Added",
        {"price": 129.0},
        {"x": 1},
    )
    assert (the_webhook().state, the_webhook().template, the_webhook().retry_at) == (MessageState.ACCEPTED, HOST, None)
    [row] = [it for it in CountRow.scan() if it.counter.startswith("j#0##")]
    assert int(row.accepted) == 1


def test_whoever_has_the_secret_knows_that_it_is_us(shop: Shop, receiver: Receiver) -> None:
    """The reference library verifies it; a host has a secret of its own, which fits nothing that others get."""
    begin(shop, STEP)
    [request] = receiver.asked
    own, other = secrets.webhook_secrets(HOST), secrets.webhook_secrets("erp.example.com")
    assert len(own) == len(other) == 1
    assert own != other
    # the story's clock is not the library's, so only its signature is asked for
    by = Webhook(show_secret(own[0]))
    id_, at = request.headers["webhook-id"], int(request.headers["webhook-timestamp"])
    assert by.sign(id_, datetime.fromtimestamp(at, UTC), request.body.decode()) == request.headers["webhook-signature"]


def test_a_new_secret_signs_beside_the_one_before(shop: Shop, receiver: Receiver) -> None:
    """Receivers that know either go on to take what comes; the one before these two signs no more."""
    first = secrets.webhook_secrets(HOST)[0]
    manager = client("secretsmanager")
    for told in (["new"], ["newer", "new"]):
        manager.put_secret_value(
            SecretId="cartwake-secret", SecretString=json.dumps({"root": "a-test-root", "webhooks": told})
        )
        secrets._secret.cache_clear()
        assert len(secrets.webhook_secrets(HOST)) == 2
    assert first not in secrets.webhook_secrets(HOST)
    begin(shop, STEP)
    signatures = receiver.asked[0].headers["webhook-signature"].split(" ")
    assert [len(b64decode(it.removeprefix("v1,"))) for it in signatures] == [32, 32]


def test_what_is_not_taken_is_told_again_with_the_same_id(shop: Shop, receiver: Receiver) -> None:
    """After the published times, by `wake` if its queue has lost it, until it is taken; no step waits for it."""
    receiver.answers = [Reply(status=500), Reply(fault="TimeoutError"), Reply(status=503), Reply(status=200)]
    begin(shop, STEP, {"email": "one"})
    assert sent(shop) == ["one"]
    waits = [5 * SECOND, 5 * MINUTE, 30 * MINUTE]
    for asked, wait in enumerate(waits, start=1):
        assert len(receiver.asked) == asked
        assert the_webhook().retry_at == shop.now + wait
        shop.wait(wait - SECOND)
        assert len(receiver.asked) == asked
        shop.wait(SECOND)
    assert (the_webhook().state, the_webhook().attempts) == (MessageState.ACCEPTED, 4)
    assert len(set(receiver.ids)) == 1
    shop.wait(2 * DAY)
    assert len(receiver.asked) == 4


def test_a_webhook_that_is_never_taken_ends_with_its_reason(shop: Shop, receiver: Receiver) -> None:
    """Nothing is tried beyond not_after, and nothing goes on to be looked at."""
    receiver.answers = [Reply(status=500)] * 50
    begin(shop, STEP | {"not_after": "1 hour"})
    for _ in range(20):
        shop.wait(10 * MINUTE)
    assert len(receiver.asked) == 4
    found = the_webhook()
    assert (found.state, found.reason, found.detail, found.retry_at) == (
        MessageState.REFUSED, Skip.NOT_TAKEN, "500", None,
    )  # fmt: skip


def test_what_was_tried_and_became_too_late_was_not_taken(
    shop: Shop, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """However late its queue is: its receiver did not take it, and that rings; only what was not tried is too late."""
    receiver.answers = [Reply(status=500)]
    begin(shop, STEP | {"not_after": "1 hour"})
    shop.now += 2 * HOUR
    capsys.readouterr()
    shop.wait(0)
    assert len(receiver.asked) == 1
    found = the_webhook()
    assert (found.state, found.reason, found.detail) == (MessageState.REFUSED, Skip.NOT_TAKEN, "500")
    assert '"WebhooksRefused":[1.0]' in capsys.readouterr().out


OTHER = "erp.example.com"


def test_a_silent_receiver_holds_up_no_other(shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked once a minute and process; what waits for it is put off unattempted, and goes out when it answers."""
    silent = [True]

    def answer(request: Post) -> Reply:
        receiver.post(request)
        return Reply(fault="TimeoutError") if silent[0] and HOST in request.url else Reply(status=200)

    monkeypatch.setattr(calling, "post", answer)
    begin(shop, STEP, STEP | {"webhook": f"https://{OTHER}/"}, settings={"webhooks": {"hosts": [HOST, OTHER]}})
    for who in ("u#2", "u#3", "u#4"):
        shop.hear(an_identify(f"{who[2:]}@example.com", who=who, at=shop.now), a_cart_event(who=who, at=shop.now))
    told = [request.url.split("/")[2] for request in receiver.asked]
    assert (told.count(HOST), told.count(OTHER)) == (1, 4)
    left = [it for who in ("u#2", "u#3", "u#4") for it in messages.list_messages(who) if it.template == HOST]
    assert {(it.state, it.attempts, it.detail, it.retry_at) for it in left} == {
        (MessageState.PLANNED, 0, "HostSilent", shop.now + MINUTE)
    }
    shop.wait(MINUTE)
    assert len(receiver.asked) == 6
    silent[0] = False
    for _ in range(20):
        shop.wait(MINUTE)
    assert len(set(receiver.ids)) == 8
    assert {it.state for who in ("u#1", "u#2", "u#3", "u#4") for it in messages.list_messages(who)} == {
        MessageState.ACCEPTED
    }


def test_gone_is_gone(shop: Shop, receiver: Receiver) -> None:
    """A receiver that wants nothing more is not asked again for this one."""
    receiver.answers = [Reply(status=410)]
    begin(shop, STEP)
    shop.wait(DAY)
    assert len(receiver.asked) == 1
    assert (the_webhook().state, the_webhook().reason) == (MessageState.REFUSED, Skip.REFUSED_BY_PROVIDER)


def test_a_function_that_dies_after_the_call_tells_it_again(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows whether it arrived: once the lease is over it is sent once more, under the same id."""
    real = receiver.post

    def die(request: Post) -> Reply:
        real(request)
        raise KeyboardInterrupt

    shop.known()
    live(STEP, settings=LISTED)
    monkeypatch.setattr(calling, "post", die)
    with pytest.raises(KeyboardInterrupt):
        shop.hear(a_cart_event(at=shop.now))
    assert the_webhook().state is MessageState.CLAIMED
    monkeypatch.setattr(calling, "post", real)
    shop.wait(LEASE_MS)
    assert the_webhook().state is MessageState.PLANNED
    shop.wait(5 * SECOND)
    assert the_webhook().state is MessageState.ACCEPTED
    assert len(receiver.asked) == 2
    assert len(set(receiver.ids)) == 1


def test_twenty_deliveries_are_one_attempt(shop: Shop, receiver: Receiver) -> None:
    """Whatever the queue delivers twice, the claim is one; a webhook that came by the queue of mails is handed over."""
    receiver.answers = [Reply(status=500)]
    begin(shop, STEP)
    for key in ("webhook", "message"):
        client("sqs").send_message_batch(
            QueueUrl="https://sqs.eu-central-1.amazonaws.com/123456789012/messages",
            Entries=[
                {"Id": str(it), "MessageBody": json.dumps({"who": "u#1", key: the_webhook().id})} for it in range(10)
            ],
        )
    shop.drain()
    assert len(receiver.asked) == 1
    assert the_webhook().retry_at == shop.now + 5 * SECOND
    shop.wait(5 * SECOND)
    assert len(receiver.asked) == 2


def test_who_was_overtaken_is_as_patient_as_who_was_told(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two deliveries at once one is told to be patient: the other, whose claim is prevented, tries no more."""
    receiver.answers = [Reply(status=429, retry_after="90")]
    plain = calling._claim

    def late(ready: Any, now: int) -> Any:
        monkeypatch.setattr(calling, "_claim", plain)
        calling.call(the_webhook(), now)
        return plain(ready, now)

    monkeypatch.setattr(calling, "_claim", late)
    begin(shop, STEP)
    assert len(receiver.asked) == 1
    shop.wait(89 * SECOND)
    assert len(receiver.asked) == 1
    shop.wait(MINUTE)
    assert len(receiver.asked) == 2


def _with(place: int, **changes: Any) -> list[dict[str, Any]]:
    return [step | changes if index == place else step for index, step in enumerate(TWO)]


TWO = [STEP | {"body": {"list": "a"}}, STEP | {"body": {"list": "b"}}]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (_with(1, body={"list": "new"}), "new"),
        (_with(0, body={"list": "new"}), "b"),
        ([{"tag": "first"}, *TWO], "b"),
        (TWO[::-1], "b"),
        (TWO[:1], "b"),
        ([TWO[0], {"wait": "1 day"}, TWO[1]], "b"),
        (_with(1, webhook=f"https://{HOST}/other", body={"list": "new"}), "b"),
        (_with(1, webhook=f"https://{OTHER}/hooks", body={"list": "new"}), "b"),
    ],
)
def test_a_webhook_says_what_its_own_step_says(
    shop: Shop, receiver: Receiver, steps: list[dict[str, Any]], said: str
) -> None:
    """As it is live now; where the journey was changed around it, as its run began with it, whatever stands there."""
    receiver.answers = [Reply(status=500)] * 2
    settings = {"webhooks": {"hosts": [HOST, OTHER]}}
    begin(shop, *TWO, settings=settings)
    live(*steps, settings=settings)
    second = next(it for it in messages.list_messages("u#1") if it.path == "1")
    case = clear(second, shop.now)
    assert isinstance(case, Case)
    call = calling._find_call(case)
    assert call is not None
    assert (call.url, call.body) == (STEP["webhook"], {"list": said})


@pytest.mark.parametrize("what", ["exited", "ended", "paused", "erased", "condition"])
def test_nothing_is_told_that_the_journey_no_longer_says(shop: Shop, receiver: Receiver, what: str) -> None:
    """What was not taken at once is decided about anew: exits, archive, pause, erasure and the step's own condition."""
    receiver.answers = [Reply(status=500)]
    step = STEP | {"only_if": {"trait": "first_name", "is": "Ada"}}
    begin(shop, step, exit=[{"event": "Order Completed"}])
    match what:
        case "exited":
            shop.hear(an_order(at=shop.now))
        case "ended":
            live(step, settings=LISTED, status="archived")
        case "paused":
            live(step, settings=LISTED, status="paused")
        case "erased":
            tombstone = msgspec.structs.replace(profiles.get_profile("u#1"), kind=Kind.TOMBSTONE)
            assert base.commit([profiles.put_profile(tombstone)])
        case "condition":
            shop.hear(an_identify(traits={"first_name": "Bea"}, at=shop.now))
    for _ in range(4):
        shop.wait(20 * MINUTE)
    assert len(receiver.asked) == 1
    if what == "paused":
        assert (the_webhook().state, the_webhook().retry_at) == (MessageState.PLANNED, shop.now + 10 * MINUTE)
        live(step, settings=LISTED)
        shop.wait(10 * MINUTE)
        assert len(receiver.asked) == 2
    else:
        why = {"exited": Skip.EXITED, "ended": Skip.RUN_ENDED, "erased": Skip.ERASED, "condition": Skip.CONDITION}[what]
        assert (the_webhook().state, the_webhook().reason) == (MessageState.SKIPPED, why)


def test_an_erasure_between_decision_and_claim_prevents_it(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim is one transaction with what permits it: nobody is told of who was erased a moment before."""
    shop.known()
    live(STEP, settings=LISTED)
    plain = calling._claim

    def late(ready: Any, now: int) -> Any:
        tombstone = msgspec.structs.replace(profiles.get_profile("u#1"), kind=Kind.TOMBSTONE)
        assert base.commit([profiles.put_profile(tombstone)])
        monkeypatch.setattr(calling, "_claim", plain)
        return plain(ready, now)

    monkeypatch.setattr(calling, "_claim", late)
    shop.hear(a_cart_event(at=shop.now))
    assert receiver.asked == []
    assert the_webhook().reason == Skip.ERASED


def test_what_is_told_between_decision_and_claim_is_decided_anew(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes out at once all the same, with what is known by then, and takes one attempt from the day's budget."""
    shop.known()
    live(STEP, settings=LISTED | {"budgets": {"webhook": 2}})
    plain = calling._claim

    def late(ready: Any, now: int) -> Any:
        monkeypatch.setattr(calling, "_claim", plain)
        shop.derive(an_event("Identified", type="identify", traits={"stage": "late"}, at=shop.now))
        return plain(ready, now)

    monkeypatch.setattr(calling, "_claim", late)
    shop.hear(a_cart_event(at=shop.now))
    [told] = receiver.asked
    assert b'"stage":"late"' in told.body.replace(b": ", b":")
    shop.hear(an_identify("2@example.com", who="u#2", at=shop.now), a_cart_event(who="u#2", at=shop.now))
    assert len(receiver.asked) == 2


def test_a_host_that_was_taken_off_the_list_is_told_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    """The list that holds is the one of now: a run that began before it sends nothing to who is not on it."""
    receiver.answers = [Reply(status=500)]
    begin(shop, STEP)
    monkeypatch.setattr(calling, "post", post)
    live({"email": "one"}, settings={})
    shop.wait(5 * SECOND)
    assert (the_webhook().state, the_webhook().reason, the_webhook().detail) == (
        MessageState.REFUSED, Skip.HOST_REFUSED, "HostNotListed",
    )  # fmt: skip


def test_a_days_budget_bounds_what_strangers_can_cause(shop: Shop, receiver: Receiver) -> None:
    """Above it a webhook waits for the next day, if that is of use; an attempt that is repeated counts once."""
    receiver.answers = [Reply(status=500)]
    budget = LISTED | {"budgets": {"webhook": 1}}
    begin(shop, STEP | {"not_after": "1 hour"}, settings=budget)
    shop.wait(5 * SECOND)
    assert len(receiver.asked) == 2
    shop.hear(an_identify("2@example.com", who="u#2", at=shop.now), a_cart_event(who="u#2", at=shop.now))
    [second] = [it for it in messages.list_messages("u#2") if it.channel is Channel.WEBHOOK]
    assert (second.state, second.reason) == (MessageState.SKIPPED, Skip.BUDGET)
    assert len(receiver.asked) == 2


def test_a_visitor_who_turned_out_to_be_somebody_is_told_as_that(shop: Shop, receiver: Receiver) -> None:
    """Nobody needs to have said yes, or to be known: what is told is the key of the moment."""
    live({"wait": "1 hour"}, STEP, settings=LISTED)
    shop.hear(a_cart_event(who="a#b", anonymous_id="b", at=shop.now))
    shop.hear(an_event("Logged In", user_id="7", anonymous_id="b", at=shop.now + 1))
    shop.wait(HOUR + 4 * MINUTE)
    [request] = receiver.asked
    data = json.loads(request.body)["data"]
    assert data["user_id"] == "7"
    assert "anonymous_id" not in data


def test_a_webhook_says_no_more_than_it_may_hold(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body beyond the bound is not sent, and told why."""
    monkeypatch.setattr(calling, "LARGEST_BODY", 100)
    begin(shop, STEP)
    assert receiver.asked == []
    assert (the_webhook().state, the_webhook().reason) == (MessageState.SKIPPED, Skip.TEMPLATE)


def test_no_log_names_where_it_goes(shop: Shop, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    """Its address may hold a secret of the receiver's, and its body is about somebody."""
    receiver.answers = [Reply(status=500)]
    begin(shop, STEP | {"webhook": f"https://{HOST}/hooks/very-secret?key=hidden"})
    shop.wait(5 * SECOND)
    said = capsys.readouterr()
    for secret in ("very-secret", "hidden", "ada@example.com", show_secret(secrets.webhook_secrets(HOST)[0])):
        assert secret not in said.out + said.err
    assert "very-secret" not in str(msgspec.to_builtins(the_webhook()))


def test_nobody_is_told_who_only_asked_for_a_subscription(shop: Shop) -> None:
    """A journey that asks for a yes tells nobody: whoever asked may be a stranger."""
    with pytest.raises(AssertionError, match="may be a stranger"):
        live({"email": "one"}, STEP, settings=LISTED, kind="confirmation", trigger={"event": "Subscription Requested"})
