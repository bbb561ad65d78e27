"""The ledger: nothing twice, nothing to whom it may not go, and a reason for everything that was not sent."""

from typing import Any

import msgspec
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from builders import (
    CART,
    NEEDS,
    NOON,
    VIP_THANKS,
    WELCOME,
    a_bundle,
    a_cart_event,
    a_subscription,
    an_event,
    an_identify,
    an_order,
    publish,
)
from shoppers import Shop, queue_event
from world import lambda_context

import functions.run_step.app as run_step
import functions.send_message.app as send_message
from cartwake.addresses import Suppression, state_consent, suppress
from cartwake.bundles import QuietHours, Template
from cartwake.conditions.kinds import Trait
from cartwake.hours import SPREAD_MS
from cartwake.journeys import Send
from cartwake.messages import LEASE_MS, SETTLE_AFTER_MS, Message, MessageState
from cartwake.profiles import Kind
from cartwake.reasons import NotEntered, Skip
from cartwake.sending.outcomes import Accepted, Outcome, Refused, Throttled, Unknown
from cartwake.statements import Channel, Consent
from cartwake.store import addresses, base, messages, profiles, runs, slots
from cartwake.times import DAY, HOUR, MINUTE
from cartwake.values import Is

CART_ONLY = {"cart": CART}


def _one(shop: Shop, journey: str = "cart") -> Message:
    """Return the first message of a journey."""
    return next(m for m in messages.list_messages("u#1") if m.journey == journey and m.path in ("0", "1"))


def _leave_a_cart(shop: Shop, **rules: Any) -> Message:
    """Have a known subscriber leave a cart under other rules, and return the message that came of it."""
    shop.known()
    publish(a_bundle(**{"generation": 2, "journeys": CART_ONLY} | rules))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    return _one(shop)


def _answers(monkeypatch: pytest.MonkeyPatch, *outcomes: Outcome) -> list[Any]:
    """Have SES give these answers, one after another; return the mails that it was handed."""
    handed: list[Any] = []

    def send(mail: Any) -> Outcome:
        handed.append(mail)
        return outcomes[min(len(handed), len(outcomes)) - 1]

    monkeypatch.setattr(send_message, "send_email", send)
    return handed


def _address_key() -> str:
    return profiles.get_profile("u#1").address_keys[Channel.EMAIL]


def test_accepted(shop: Shop) -> None:
    """What SES took is recorded with SES's id, counted, and held against the cap of the address."""
    message = _leave_a_cart(shop)
    assert message.state is MessageState.ACCEPTED
    assert message.provider_id
    assert message.retry_at is None
    assert [sent.message for sent in addresses.get_address(_address_key()).sends][-1] == message.id


def test_doubled_queue_messages_send_once(shop: Shop) -> None:
    """SQS may deliver a message again and again; the row says that it is settled."""
    message = _leave_a_cart(shop)
    sent = len(shop.mails())
    body = {"who": message.who, "message": message.id}
    send_message.handler(queue_event(body, body, body), lambda_context())
    assert len(shop.mails()) == sent


def test_two_senders_at_once_send_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two functions that hold the same message only one gets the claim."""
    handed = _answers(monkeypatch, Accepted("one"), Accepted("two"))
    real = base.commit
    racing = {"done": False}

    def commit(writes: Any, **options: Any) -> bool:
        claiming = options.get("token") is not None and not racing["done"]
        if claiming:
            racing["done"] = True
            send_message.handle("u#1", _planned().id, shop.now)
        return real(writes, **options)

    monkeypatch.setattr(send_message.base, "commit", commit)
    _leave_a_cart(shop)
    assert len([mail for mail in handed if "left" in mail.subject]) == 1


def _planned() -> Message:
    return next(m for m in messages.list_messages("u#1") if m.state is MessageState.PLANNED)


@pytest.mark.parametrize("what", ["unsubscribe", "bounce", "erase", "new address", "order", "order alone"])
def test_whatever_happens_between_decision_and_claim_is_seen(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The claim is one transaction with all that permits it: nobody is mailed after their unsubscribe was answered."""
    real, done = base.commit, [True]

    def interfere() -> None:
        address = addresses.get_address(_address_key())
        match what:
            case "unsubscribe":
                assert addresses.put_address(state_consent(address, Consent(False, shop.now, 1)))
            case "bounce":
                assert addresses.put_address(suppress(address, Suppression.BOUNCE, shop.now))
            case "erase":
                profile = profiles.get_profile("u#1")
                gone = base.Put(profiles.ProfileRow("u#1", kind=Kind.TOMBSTONE.value, version=profile.version + 1))
                assert real([gone])
            case "new address":
                shop.derive(an_identify("other@example.com", at=shop.now))
            case "order":
                shop.hear(an_order(at=shop.now))
            case _:  # it is in the profile, and nobody has ended the run for it yet
                shop.derive(an_order(at=shop.now))

    def commit(writes: Any, **options: Any) -> bool:
        if options.get("token") is not None and not done:
            done.append(True)
            interfere()
        return real(writes, **options)

    monkeypatch.setattr(send_message.base, "commit", commit)
    shop.known()
    done.clear()
    publish(a_bundle(generation=2, journeys=CART_ONLY))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    reasons = {
        "unsubscribe": Skip.UNSUBSCRIBED,
        "bounce": Skip.BOUNCED,
        "erase": Skip.ERASED,
        "new address": None,
        "order": Skip.EXITED,
        "order alone": Skip.EXITED,
    }
    if what == "new address":
        assert [mail.destinations["ToAddresses"] for mail in shop.mails()][-1] == ["other@example.com"]
    else:
        assert _one(shop).reason == reasons[what]
        assert "You left Trail Runner behind" not in shop.subjects()


def test_who_was_overtaken_is_as_patient_as_who_was_throttled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two deliveries at once SES puts one off: the other, which finds its claim prevented, does not try at once."""
    shop.known()
    handed = _answers(monkeypatch, Throttled("TooManyRequestsException"), Accepted("later"))
    publish(a_bundle(generation=2, journeys=CART_ONLY))
    claim = send_message._claim

    def late(letter: Any, now: int) -> Any:
        monkeypatch.setattr(send_message, "_claim", claim)
        send_message.handle("u#1", letter.case.message.id, now)
        return claim(letter, now)

    monkeypatch.setattr(send_message, "_claim", late)
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    assert len(handed) == 1
    shop.wait(MINUTE)
    assert (_one(shop).state, len(handed)) == (MessageState.ACCEPTED, 2)


def test_throttled_goes_back_and_releases_the_cap(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A send that SES puts off is planned again, counts against no cap, and goes out later, once."""
    shop.known()
    handed = _answers(monkeypatch, Throttled("TooManyRequestsException"), Accepted("later"))
    publish(a_bundle(generation=2, journeys=CART_ONLY))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    message = _one(shop)
    assert (message.state, message.attempts, message.throttles) == (MessageState.PLANNED, 0, 1)
    assert message.id not in [sent.message for sent in addresses.get_address(_address_key()).sends]
    send_message.handle("u#1", message.id, shop.now)
    assert len(handed) == 1
    shop.wait(MINUTE)
    assert (_one(shop).state, len(handed)) == (MessageState.ACCEPTED, 2)


def test_a_missing_right_is_seen_at_the_first_mail(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each attempt is counted for an alarm, however few there are; what waits is not stuck, and at last too late."""
    shop.known()
    plain, failure = BaseClient._make_api_call, {"Error": {"Code": "AccessDeniedException"}}

    def call(client: Any, name: str, asked: dict[str, Any]) -> Any:
        if name == "SendEmail":
            raise ClientError(failure | {"ResponseMetadata": {"HTTPStatusCode": 403}}, name)
        return plain(client, name, asked)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    publish(a_bundle(generation=2, journeys=CART_ONLY))
    shop.hear(a_cart_event(at=shop.now))
    capsys.readouterr()
    shop.wait(HOUR + 4 * MINUTE)
    assert '"SendingPaused":[1.0]' in capsys.readouterr().out
    assert (_one(shop).state, _one(shop).detail) == (MessageState.PLANNED, "AccessDeniedException")
    for _ in range(20):
        shop.wait(MINUTE)
    told = capsys.readouterr().out
    assert told.count('"SendingPaused":[1.0]') == _one(shop).throttles - 1 >= 2
    assert told.count('"StuckMessages":[0.0]') == 20
    shop.wait(DAY)
    assert _one(shop).reason == Skip.TOO_LATE


def test_refused_is_recorded_and_releases_the_cap(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What SES refuses for good is not tried again, and takes no place under the cap."""
    shop.known()
    handed = _answers(monkeypatch, Refused("MessageRejected"))
    publish(a_bundle(generation=2, journeys=CART_ONLY))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    shop.wait(HOUR)
    message = _one(shop)
    assert (message.state, message.reason, message.detail) == (
        MessageState.REFUSED,
        Skip.REFUSED_BY_PROVIDER,
        "MessageRejected",
    )
    assert message.id not in [sent.message for sent in addresses.get_address(_address_key()).sends]
    assert len(handed) == 1


def test_unknown_marketing_is_never_sent_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost answer: 15 minutes later the message is given up, and was handed over once."""
    shop.known()
    handed = _answers(monkeypatch, Unknown("ReadTimeoutError"))
    publish(a_bundle(generation=2, journeys=CART_ONLY))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    assert _one(shop).state is MessageState.UNKNOWN
    shop.wait(SETTLE_AFTER_MS + MINUTE)
    shop.wait(HOUR)
    message = _one(shop)
    assert (message.state, message.reason, message.retry_at) == (MessageState.UNKNOWN, Skip.OUTCOME_UNKNOWN, None)
    assert len(handed) == 1


def test_unknown_transactional_is_tried_once_more(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receipt whose answer was lost is sent a second time, never a third."""
    shop.known()
    handed = _answers(monkeypatch, Unknown("ReadTimeoutError"))
    journey = msgspec.structs.replace(WELCOME, kind="transactional", again_ms=0)
    publish(a_bundle(generation=2, journeys={"welcome": journey}))
    shop.hear(a_subscription(at=shop.now, id="again"))
    for _ in range(6):
        shop.wait(SETTLE_AFTER_MS + MINUTE)
    assert len([mail for mail in handed if mail.subject == "Welcome"]) == 2


def test_expired_lease_is_unknown_and_never_claimed_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that died after its claim may have sent: the message is unknown, and stays unsent by others."""
    shop.known()

    class Killed(BaseException):
        pass

    def die(_: Any) -> Outcome:
        raise Killed

    monkeypatch.setattr(send_message, "send_email", die)
    publish(a_bundle(generation=2, journeys=CART_ONLY))
    shop.hear(a_cart_event(at=shop.now))
    with pytest.raises(Killed):
        shop.wait(HOUR + 4 * MINUTE)
    handed = _answers(monkeypatch, Accepted("again"))
    assert _one(shop).state is MessageState.CLAIMED
    shop.wait(LEASE_MS + MINUTE)
    assert _one(shop).state is MessageState.UNKNOWN
    shop.wait(SETTLE_AFTER_MS)
    assert (_one(shop).reason, handed) == (Skip.OUTCOME_UNKNOWN, [])


def test_no_consent(shop: Shop) -> None:
    """Nobody is mailed marketing who was never asked."""
    shop.hear(an_identify())
    shop.hear(a_cart_event())
    shop.wait(HOUR + 4 * MINUTE)
    assert _one(shop).reason == Skip.NO_CONSENT


def test_no_address(shop: Shop) -> None:
    """An anonymous visitor's message is not sent, and says why."""
    shop.hear(a_cart_event())
    shop.wait(HOUR + 4 * MINUTE)
    assert _one(shop).reason == Skip.NO_ADDRESS


def test_unsubscribed(shop: Shop) -> None:
    """Who took the consent back is not mailed; an event from the server does it as well."""
    shop.known()
    shop.hear(an_event("Unsubscribed", at=shop.now, properties={"channel": "email"}))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    assert _one(shop).reason == Skip.UNSUBSCRIBED


def test_subscribing_again_lifts_the_unsubscription(shop: Shop) -> None:
    """A later explicit yes counts."""
    shop.known()
    shop.hear(an_event("Unsubscribed", at=shop.now - 2, properties={"channel": "email"}))
    shop.hear(a_subscription(at=shop.now - 1, id="yes"))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    assert _one(shop).state is MessageState.ACCEPTED


@pytest.mark.parametrize(
    ("why", "reason"), [(Suppression.BOUNCE, Skip.BOUNCED), (Suppression.COMPLAINT, Skip.COMPLAINED)]
)
def test_suppressed(shop: Shop, why: Suppression, reason: Skip) -> None:
    """A dead address or a complaint stops everything, also what is not marketing."""
    shop.known()
    address = addresses.get_address(_address_key())
    assert addresses.put_address(suppress(address, why, shop.now))
    publish(a_bundle(generation=2, journeys={"cart": msgspec.structs.replace(CART, kind="transactional")}))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    assert _one(shop).reason == reason


def test_an_unsubscription_does_not_stop_a_receipt(shop: Shop) -> None:
    """Transactional mail needs no consent and carries no unsubscribe link."""
    shop.known()
    shop.hear(an_event("Unsubscribed", at=shop.now, properties={"channel": "email"}))
    publish(a_bundle(generation=2, journeys={"cart": msgspec.structs.replace(CART, kind="transactional")}))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    assert _one(shop).state is MessageState.ACCEPTED


def test_frequency_cap(shop: Shop) -> None:
    """Sixteen hours must pass between two marketing mails to one address."""
    shop.hear(an_identify(), a_subscription(), a_cart_event())
    shop.wait(HOUR + 4 * MINUTE)
    assert _one(shop).reason == Skip.FREQUENCY_CAP
    assert shop.subjects() == ["Welcome"]


def _hold(*, not_after_ms: int) -> dict[str, Any]:
    wait, mail, *rest = CART.steps
    held = msgspec.structs.replace(mail, held=True, not_after_ms=not_after_ms)
    return {"cart": msgspec.structs.replace(CART, steps=(wait, held, *rest)), "welcome": WELCOME}


def test_a_capped_message_is_held_where_the_step_says_so(shop: Shop) -> None:
    """It goes out when the sixteen hours are over: not a millisecond before, and once."""
    publish(a_bundle(generation=2, journeys=_hold(not_after_ms=DAY)))
    shop.hear(an_identify(), a_subscription(), a_cart_event())
    shop.wait(HOUR + 4 * MINUTE)
    held = _one(shop)
    assert (held.state, held.retry_at, held.reason) == (MessageState.PLANNED, NOON + 16 * HOUR, "")
    shop.wait(NOON + 16 * HOUR - shop.now - 1)
    assert shop.subjects() == ["Welcome"]
    shop.wait(1)
    shop.wait(HOUR)
    assert shop.subjects() == ["Welcome", "You left Trail Runner behind"]


def test_a_message_is_not_held_beyond_its_use(shop: Shop) -> None:
    """What would be too late when the cap is over is skipped at once, with the cap as its reason."""
    publish(a_bundle(generation=2, journeys=_hold(not_after_ms=14 * HOUR)))
    shop.hear(an_identify(), a_subscription(), a_cart_event())
    shop.wait(HOUR + 4 * MINUTE)
    assert (_one(shop).state, _one(shop).reason) == (MessageState.SKIPPED, Skip.FREQUENCY_CAP)


def test_filter(shop: Shop) -> None:
    """The journey's filter is asked again before every message."""
    oslo = Trait(name="city", test=Is(("Oslo",)))
    shop.known()
    shop.hear(an_event("Identified", traits={"city": "Oslo"}, at=shop.now))
    publish(a_bundle(generation=2, journeys={"cart": msgspec.structs.replace(CART, filter=oslo)}))
    shop.hear(a_cart_event(at=shop.now))
    shop.hear(an_event("Identified", traits={"city": "Kyiv"}, at=shop.now + 1))
    shop.wait(HOUR + 4 * MINUTE)
    assert (_one(shop).state, _one(shop).reason) == (MessageState.SKIPPED, Skip.FILTER)


def test_filter_at_the_last_moment(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stops to pass the filter after the message was planned is still not sent."""
    oslo = Trait(name="city", test=Is(("Oslo",)))
    shop.known()
    shop.hear(an_event("Identified", traits={"city": "Oslo"}, at=shop.now))
    _answers(monkeypatch, Throttled("TooManyRequestsException"), Accepted("later"))
    publish(a_bundle(generation=2, journeys={"cart": msgspec.structs.replace(CART, filter=oslo)}))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    shop.hear(an_event("Identified", traits={"city": "Kyiv"}, at=shop.now))
    shop.wait(MINUTE)
    assert (_one(shop).state, _one(shop).reason) == (MessageState.SKIPPED, Skip.FILTER)


def test_template_error_sends_nothing(shop: Shop) -> None:
    """A name that the profile does not have is an error, not an empty space in somebody's mail."""
    broken = {"cart-1": Template(html="<p>{{ profile.shoe_size }}</p>", text="x")}
    message = _leave_a_cart(shop, templates=broken)
    assert message.reason == Skip.TEMPLATE
    assert "shoe_size" in message.detail
    assert addresses.get_address(_address_key()).sends[-1].message != message.id


def test_template_gone(shop: Shop) -> None:
    """A template that was deleted under a waiting run is a reason too."""
    assert _leave_a_cart(shop, templates={}).reason == Skip.TEMPLATE_GONE


def test_too_late(shop: Shop) -> None:
    """A message that could not go out while it was useful does not go out at all."""
    message = _leave_a_cart(shop)
    late = msgspec.structs.replace(message, state=MessageState.PLANNED, attempts=0, not_after=0, retry_at=shop.now)
    assert messages.replace_message(message, late)
    send_message.handle("u#1", message.id, shop.now)
    assert _one(shop).reason == Skip.TOO_LATE


def test_paused_between_plan_and_send(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journey that is paused while a message is on its way to the sender sends nothing until it goes on."""
    message = _leave_a_cart(shop)
    again = msgspec.structs.replace(message, state=MessageState.PLANNED, attempts=0, retry_at=shop.now)
    assert messages.replace_message(message, again)
    publish(a_bundle(generation=3, journeys={"cart": msgspec.structs.replace(CART, status="paused")}))
    send_message.handle("u#1", message.id, shop.now)
    assert _one(shop).state is MessageState.PLANNED
    publish(a_bundle(generation=4, journeys=CART_ONLY))
    shop.wait(HOUR)
    assert _one(shop).state is MessageState.ACCEPTED


def test_quiet_hours_hold_the_run(shop: Shop) -> None:
    """In quiet hours the run waits at its message until soon after the hours open; the sender never does."""
    settings = msgspec.structs.replace(
        a_bundle().settings, hours={Channel.EMAIL: QuietHours(opens_minute=15 * 60, closes_minute=16 * 60)}
    )
    shop.known()
    publish(a_bundle(generation=2, journeys=CART_ONLY, settings=settings))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    (run,) = runs.list_runs("u#1", journey="cart")
    assert NOON + DAY + 3 * HOUR <= run.due_at < NOON + DAY + 3 * HOUR + SPREAD_MS
    shop.wait(2 * HOUR + SPREAD_MS)
    assert "You left Trail Runner behind" in shop.subjects()


def _mail_in_hours(not_after_ms: int, *, opens: int = 15, waits: bool = True) -> dict[str, Any]:
    """Return rules of a cart's mail that is useful for so long, and the hours in which mails go out."""
    wait, mail, *_ = CART.steps
    mail = msgspec.structs.replace(mail, not_after_ms=not_after_ms)
    hours = {Channel.EMAIL: QuietHours(opens_minute=opens * 60, closes_minute=opens * 60 + 60)}
    return {
        "journeys": {"cart": msgspec.structs.replace(CART, steps=(wait, mail) if waits else (mail,))},
        "settings": msgspec.structs.replace(a_bundle().settings, hours=hours),
    }


@pytest.mark.parametrize("waits", [True, False])
def test_holding_makes_no_message_fresher(shop: Shop, *, waits: bool) -> None:
    """A message's last useful moment counts from when it was due, whatever the run is looked at for in between."""
    shop.known()
    rules = _mail_in_hours(4 * HOUR, waits=waits)
    publish(a_bundle(generation=2, **rules))
    due_at = shop.now + HOUR * waits
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    (run,) = runs.list_runs("u#1", journey="cart")
    paused = {"cart": msgspec.structs.replace(rules["journeys"]["cart"], status="paused")}
    for generation, changes in ((3, {"journeys": paused}), (4, {})):
        publish(a_bundle(generation=generation, **rules | changes))
        shop.wait(MINUTE)
        run_step.step({"who": "u#1", "run": run.key}, shop.now)
    shop.wait(2 * HOUR + SPREAD_MS)
    assert (_one(shop).state, _one(shop).not_after) == (MessageState.ACCEPTED, due_at + 4 * HOUR)


def test_a_message_is_not_held_for_hours_beyond_its_use(shop: Shop) -> None:
    """It is skipped when it is due, with the sending hours as its reason, and the run goes on."""
    shop.known()
    publish(a_bundle(generation=2, **_mail_in_hours(HOUR)))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    assert (_one(shop).state, _one(shop).reason) == (MessageState.SKIPPED, Skip.SENDING_HOURS)
    (run,) = runs.list_runs("u#1", journey="cart")
    assert run.ended is not None


@pytest.mark.parametrize(("useful_ms", "state"), [(HOUR, MessageState.SKIPPED), (DAY, MessageState.PLANNED)])
def test_the_sender_says_the_same_of_what_comes_to_it_late(shop: Shop, useful_ms: int, state: MessageState) -> None:
    """What was planned while the hours were open, and looked at when they are over."""
    message = _leave_a_cart(shop)
    again = msgspec.structs.replace(
        message, state=MessageState.PLANNED, attempts=0, not_after=shop.now + useful_ms, retry_at=shop.now
    )
    assert messages.replace_message(message, again)
    publish(a_bundle(generation=3, **_mail_in_hours(useful_ms, opens=10)))
    send_message.handle("u#1", message.id, shop.now)
    reason = Skip.SENDING_HOURS if state is MessageState.SKIPPED else ""
    assert (_one(shop).state, _one(shop).reason) == (state, reason)


def test_an_sms_wakes_nobody_whose_country_is_all_that_is_known(shop: Shop) -> None:
    """A shop in Berlin, and a customer with an American number who never came to it with a browser."""
    sms = Send(channel=Channel.SMS, template="cart-sms")
    daytime = {Channel.SMS: QuietHours(opens_minute=9 * 60, closes_minute=20 * 60)}
    settings = msgspec.structs.replace(a_bundle().settings, timezone="Europe/Berlin", hours=daytime)
    journey = msgspec.structs.replace(CART, steps=(sms,))
    publish(a_bundle(generation=2, journeys={"cart": journey}, settings=settings))
    told = {"phone": "+12125550123", "country": "US"}
    shop.hear(an_identify(traits=told, at=shop.now), a_subscription("sms", at=shop.now))
    shop.hear(a_cart_event(at=shop.now))  # 13:00 in Berlin, 07:00 in New York
    (run,) = runs.list_runs("u#1", journey="cart")
    assert NOON + 7 * HOUR <= run.due_at < NOON + 7 * HOUR + SPREAD_MS
    shop.wait(NOON + 7 * HOUR - shop.now - 1)
    assert messages.list_messages("u#1") == []
    shop.wait(SPREAD_MS + MINUTE)
    assert _one(shop).state is MessageState.ACCEPTED


def test_reasons_for_not_entering(shop: Shop) -> None:
    """A trigger that starts nothing leaves its reason at the journey's slot."""
    shop.known()
    shop.hear(a_cart_event(at=shop.now))
    shop.hear(a_cart_event(at=shop.now + 1))
    assert slots.get_slot("u#1", "cart").refused is NotEntered.ALREADY_ACTIVE
    shop.hear(an_order(at=shop.now + 2))
    shop.hear(a_cart_event(at=shop.now + 3))
    assert slots.get_slot("u#1", "cart").refused is NotEntered.ENTERED_BEFORE
    publish(a_bundle(generation=2, journeys={"cart": msgspec.structs.replace(CART, status="paused")}))
    shop.hear(a_cart_event(at=shop.now + 4))
    assert slots.get_slot("u#1", "cart").refused is NotEntered.PAUSED
    oslo = msgspec.structs.replace(CART, filter=Trait(name="city", test=Is(("Oslo",))), again_ms=0)
    publish(a_bundle(generation=3, journeys={"cart": oslo}))
    shop.hear(a_cart_event(at=shop.now + 5))
    assert slots.get_slot("u#1", "cart").refused is NotEntered.FILTER


def test_again_after_its_time(shop: Shop) -> None:
    """Seven days after an entry the journey may be entered again, not earlier."""
    shop.known()
    shop.hear(a_cart_event(at=shop.now))
    shop.hear(an_order(at=shop.now + 1))
    entered_at = shop.now
    shop.now = entered_at + 7 * DAY - 1
    shop.hear(a_cart_event(at=shop.now))
    assert len(runs.list_runs("u#1", journey="cart")) == 1
    shop.now = entered_at + 7 * DAY
    shop.hear(a_cart_event(at=shop.now))
    assert len(runs.list_runs("u#1", journey="cart")) == 2


def test_backfill_starts_nothing(shop: Shop) -> None:
    """Imported history is folded and makes members, and neither starts nor sends anything."""
    publish(a_bundle(generation=2, journeys={"cart": CART, "thanks": VIP_THANKS}))
    for index in range(3):
        shop.hear(an_order(backfill=True, at=NOON - index, id=f"o{index}"))
    shop.hear(a_cart_event(backfill=True))
    shop.hear(a_cart_event(backfill=True, id="with-others"), an_event("Page Viewed"))
    assert shop.profile("u#1").state.memberships["vip"].since
    assert runs.list_runs("u#1") == []
    assert NEEDS
