"""Every reason for which a message is not sent comes about, and is told in words."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest
from builders import (
    CART,
    CONFIRM,
    NEEDS,
    a_bundle,
    a_cart_event,
    a_request,
    a_subscription,
    an_event,
    an_identify,
    an_order,
    publish,
)
from shoppers import Shop

import functions.send_message.app as send_message
from cartwake import calling
from cartwake.addresses import Suppression, suppress
from cartwake.bundles import Pool, QuietHours, Template
from cartwake.choices import Choices
from cartwake.conditions.kinds import Did, Trait
from cartwake.gateways import webhook
from cartwake.journeys import Call, Journey, Send
from cartwake.messages import SETTLE_AFTER_MS, Message
from cartwake.profiles import Kind
from cartwake.reasons import Skip
from cartwake.sending.outcomes import Outcome, Refused, Throttled, Unknown
from cartwake.statements import Channel
from cartwake.store import addresses, base, messages, profiles
from cartwake.times import DAY, HOUR, MINUTE, SECOND
from cartwake.trackers import Need
from cartwake.values import Is
from cartwake.webhooks import Reply
from cartwake_cli.words import SKIPPED

EMAIL: Final = Channel.EMAIL
change = msgspec.structs.replace


class World:
    """A shopper with a cart, and rules of one journey that writes to them in an hour."""

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop = shop
        self.answers: list[Outcome] = []
        self._generation = 1
        real = send_message.send_email
        refuse = webhook.post
        monkeypatch.setattr(calling, "post", lambda it: Reply(status=500) if it.hosts else refuse(it))
        monkeypatch.setattr(send_message, "send_email", lambda it: self.answers.pop() if self.answers else real(it))

    def rules(self, journey: Journey | None = CART, **more: Any) -> None:
        self._generation += 1
        journeys = {"cart": journey} if journey else {}
        publish(a_bundle(generation=self._generation, journeys=journeys, **more))

    def sending(self, **how: Any) -> Journey:
        wait, mail, *_ = CART.steps
        return change(CART, steps=(wait, change(mail, **how)))

    def meet(self) -> None:
        self.shop.known()
        self.rules()

    def begin(self) -> None:
        self.shop.hear(a_cart_event(at=self.shop.now))

    def come_due(self) -> None:
        self.shop.wait(HOUR + 4 * MINUTE)

    def be_put_off(self) -> None:
        """The message is planned, and SES had no time for it."""
        self.meet()
        self.answers = [Throttled("TooManyRequestsException")]
        self.begin()
        self.come_due()

    def again(self) -> None:
        self.shop.wait(20 * MINUTE)

    def suppress(self, why: Suppression) -> None:
        key = profiles.get_profile("u#1").address_keys[EMAIL]
        assert addresses.put_address(suppress(addresses.get_address(key), why, self.shop.now))

    def message(self) -> Message:
        return next(it for it in messages.list_messages("u#1") if it.journey == "cart" and it.path == "1")


def without_the_steps_own_condition(world: World) -> None:
    world.meet()
    world.rules(world.sending(only_if=Trait(name="city", test=Is(("Oslo",)))))
    world.begin()
    world.come_due()


def filtered(world: World) -> None:
    world.be_put_off()
    world.rules(change(CART, filter=Trait(name="city", test=Is(("Oslo",)))))
    world.again()


def filtered_by_what_is_not_known(world: World) -> None:
    world.be_put_off()
    needs = NEEDS | {"new": Need(event="Quiz Done", whole=True)}
    world.rules(change(CART, filter=Did(tracker="new", count=1)), needs=needs)
    world.again()


def exited(world: World) -> None:
    world.be_put_off()
    world.shop.hear(an_order(at=world.shop.now))
    world.again()


def ended(world: World) -> None:
    world.be_put_off()
    world.rules(None)
    world.again()


def paused(world: World) -> None:
    world.be_put_off()
    world.rules(change(CART, status="paused"))
    world.shop.wait(DAY + HOUR)


def without_address(world: World) -> None:
    world.shop.hear(a_subscription(at=world.shop.now))
    world.rules()
    world.begin()
    world.come_due()


def never_asked(world: World) -> None:
    world.shop.hear(an_identify(at=world.shop.now))
    world.rules()
    world.begin()
    world.come_due()


def choose(world: World, choices: Choices) -> None:
    """Have the shopper choose on the preference page, as it is kept."""
    row = addresses.get_address(world.shop.profile("u#1").address_keys[EMAIL])
    assert addresses.put_address(change(row, choices=choices))


def refused_topic(world: World) -> None:
    world.meet()
    world.rules(change(CART, topic="sale"))
    choose(world, Choices(refused_topics=("sale",)))
    world.begin()
    world.come_due()


def on_pause(world: World) -> None:
    world.meet()
    choose(world, Choices(paused_until=world.shop.now + DAY))
    world.begin()
    world.come_due()


def unsubscribed(world: World) -> None:
    world.meet()
    world.begin()
    world.shop.hear(an_event("Unsubscribed", at=world.shop.now + 1, properties={"channel": "email"}))
    world.come_due()


def ask_again(world: World) -> None:
    """Have the shopper ask for a subscription, of a shop that answers in an hour."""
    wait, *_ = CART.steps
    world.rules(change(CONFIRM, steps=(wait, *CONFIRM.steps)))
    world.shop.hear(a_request(who="u#1", at=world.shop.now))
    world.come_due()


def subscribed_already(world: World) -> None:
    world.meet()
    ask_again(world)


def asked_today(world: World) -> None:
    world.shop.hear(an_identify(at=world.shop.now))
    world.rules(CONFIRM)
    world.shop.hear(a_request("Ada+shop@example.com", who="a#somebody", at=world.shop.now))
    ask_again(world)


def bounced(world: World) -> None:
    world.meet()
    world.suppress(Suppression.BOUNCE)
    world.begin()
    world.come_due()


def complained(world: World) -> None:
    world.meet()
    world.suppress(Suppression.COMPLAINT)
    world.begin()
    world.come_due()


def capped(world: World) -> None:
    world.meet()
    world.rules(settings=change(a_bundle().settings, cap_ms={EMAIL: 30 * DAY}))
    world.begin()
    world.come_due()


def over_budget(world: World) -> None:
    world.meet()
    world.rules(world.sending(not_after_ms=HOUR), settings=change(a_bundle().settings, budgets={EMAIL: 1}))
    world.shop.hear(an_identify("2@example.com", who="u#2", at=world.shop.now), a_subscription(who="u#2"))
    world.shop.hear(a_cart_event(who="u#2", at=world.shop.now))
    world.come_due()
    world.begin()
    world.come_due()


def out_of_hours(world: World) -> None:
    world.meet()
    hours = QuietHours(opens_minute=9 * 60, closes_minute=12 * 60)
    world.rules(world.sending(not_after_ms=HOUR), settings=change(a_bundle().settings, hours={EMAIL: hours}))
    world.begin()
    world.come_due()


def late(world: World) -> None:
    world.meet()
    world.rules(world.sending(not_after_ms=MINUTE))
    world.begin()
    world.come_due()


def with_a_gap(world: World) -> None:
    world.meet()
    templates = a_bundle().templates | {"cart-1": Template(html="<p>{{ event.nowhere }}</p>", text="x")}
    world.rules(templates=templates)
    world.begin()
    world.come_due()


def without_template(world: World) -> None:
    world.be_put_off()
    world.rules(templates={})
    world.again()


def without_coupon(world: World) -> None:
    world.meet()
    world.rules(world.sending(coupon="back"), pools={"back": Pool()})
    world.begin()
    world.come_due()


def erased(world: World) -> None:
    world.be_put_off()
    profile = profiles.get_profile("u#1")
    assert base.commit([profiles.put_profile(change(profile, kind=Kind.TOMBSTONE))])
    world.again()


def refused(world: World) -> None:
    world.meet()
    world.answers = [Refused("MessageRejected")]
    world.begin()
    world.come_due()


def in_doubt(world: World) -> None:
    world.meet()
    world.answers = [Unknown("ReadTimeoutError")]
    world.begin()
    world.come_due()
    world.shop.wait(SETTLE_AFTER_MS + MINUTE)


def telling(world: World, *hosts: str) -> None:
    """Have another system told, instead of a mail, of which there is little time to hear."""
    world.meet()
    wait, *_ = CART.steps
    call = Call(url="https://crm.example.com/", not_after_ms=4 * MINUTE + SECOND)
    settings = change(a_bundle().settings, webhook_hosts=hosts)
    world.rules(change(CART, steps=(wait, call)), settings=settings)
    world.begin()
    world.come_due()


def to_a_host_that_nobody_listed(world: World) -> None:
    telling(world)


def never_taken(world: World) -> None:
    telling(world, "crm.example.com")


def without_application(world: World) -> None:
    world.meet()
    told = {"device": {"id": "d", "type": "ios", "token": "token-of-adas-phone"}}
    world.shop.hear(an_event("Application Opened", at=world.shop.now, context=told))
    wait, *_ = CART.steps
    world.rules(change(CART, steps=(wait, Send(channel=Channel.PUSH, template="push"))))
    with pytest.MonkeyPatch.context() as off:
        off.setenv("PUSH_APPLE", "")
        world.begin()
        world.come_due()


CASES: Final[dict[Skip, Callable[[World], None]]] = {
    Skip.CONDITION: without_the_steps_own_condition,
    Skip.FILTER: filtered,
    Skip.FILTER_UNKNOWN: filtered_by_what_is_not_known,
    Skip.EXITED: exited,
    Skip.RUN_ENDED: ended,
    Skip.PAUSED: paused,
    Skip.NO_ADDRESS: without_address,
    Skip.NO_APPLICATION: without_application,
    Skip.NO_CONSENT: never_asked,
    Skip.UNSUBSCRIBED: unsubscribed,
    Skip.ALREADY_SUBSCRIBED: subscribed_already,
    Skip.ASKED_TODAY: asked_today,
    Skip.BOUNCED: bounced,
    Skip.COMPLAINED: complained,
    Skip.TOPIC_REFUSED: refused_topic,
    Skip.ON_PAUSE: on_pause,
    Skip.FREQUENCY_CAP: capped,
    Skip.BUDGET: over_budget,
    Skip.SENDING_HOURS: out_of_hours,
    Skip.TOO_LATE: late,
    Skip.TEMPLATE: with_a_gap,
    Skip.TEMPLATE_GONE: without_template,
    Skip.NO_COUPON: without_coupon,
    Skip.ERASED: erased,
    Skip.REFUSED_BY_PROVIDER: refused,
    Skip.OUTCOME_UNKNOWN: in_doubt,
    Skip.HOST_REFUSED: to_a_host_that_nobody_listed,
    Skip.NOT_TAKEN: never_taken,
}


@pytest.mark.parametrize("why", list(Skip))
def test_every_reason_comes_about(shop: Shop, monkeypatch: pytest.MonkeyPatch, why: Skip) -> None:
    """Each is stored with the message, and nothing went out; `explain` has words for it."""
    world = World(shop, monkeypatch)
    CASES[why](world)
    assert (world.message().reason, world.message().retry_at) == (why, None)
    assert "You left Trail Runner behind" not in [
        mail.subject for mail in shop.mails() if "ada@example.com" in str(mail.destinations)
    ]
    assert why in SKIPPED
