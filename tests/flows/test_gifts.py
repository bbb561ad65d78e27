"""Coupons without a message, and the choice among many ways, through the real handlers."""

import json
from typing import Any

import msgspec
import pytest
from builders import NOON, a_cart_event, an_event, an_order, publish
from flows.test_steps import MAIL, live, sent, the_messages, the_run
from shoppers import Shop

import functions.run_step.app as run_step
from cartwake.coupons import Given
from cartwake.reasons import EndReason, Skip
from cartwake.rules.compile import link
from cartwake.rules.files import read_file
from cartwake.store import coupons, events
from cartwake.times import DAY, HOUR, NEVER

GENERATED = {"name": "Birthday", "generate": {"prefix": "BD-", "length": 8}, "valid_for": "14 days"}
SHOWN = {"subject": "Yours: {{ coupon.code }}"}


def held() -> list[Given]:
    return coupons.list_given("u#1")


def told() -> list[dict[str, Any]]:
    return [it.properties for it in events.list_events("u#1") if it.name == "Coupon Given"]


def tagged() -> list[str]:
    """The tags that the journey has told of."""
    return sorted(it.properties["tag"] for it in events.list_events("u#1") if it.name == "Tag Added")


def test_a_code_is_given_without_a_message(shop: Shop) -> None:
    """It is the shopper's from then on, and an event says so, which segments and journeys read."""
    shop.known()
    live({"give": "birthday"}, {"tag": "after"}, coupons={"birthday.json": GENERATED})
    shop.hear(a_cart_event(at=shop.now))
    [code] = held()
    assert (code.code[:3], len(code.code), code.until) == ("BD-", 11, shop.now + 14 * DAY)
    assert [(it["pool"], it["coupon"], it["journey"]) for it in told()] == [("birthday", code.code, "j")]
    assert tagged() == ["after"]
    assert (the_run().ended, the_run().ended_by) == (EndReason.COMPLETED, "")


def test_every_message_of_the_pool_shows_that_code(shop: Shop) -> None:
    """Later ones of the journey, and those of others: there is one code, until it is over, and then another."""
    shop.known()
    show = {"email": "one", "coupon": "birthday"} | SHOWN
    live({"give": "birthday"}, show, {"wait": "3 days"}, show, coupons={"birthday.json": GENERATED})
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(3 * DAY + HOUR)
    [code] = held()
    assert sent(shop) == [f"Yours: {code.code}"] * 2
    shop.wait(14 * DAY)
    shop.hear(a_cart_event("P-2", at=shop.now))
    assert len({it.code for it in held()}) == 2
    assert sent(shop)[2] == f"Yours: {max(held(), key=lambda it: it.given_at).code}"


def test_without_such_a_step_a_code_is_a_steps_own(shop: Shop) -> None:
    """What was so before stays so: two steps that show a coupon of one pool have a code each."""
    shop.known()
    show = {"email": "one", "coupon": "birthday"} | SHOWN
    live(show, {"email": "two", "coupon": "birthday"} | SHOWN, coupons={"birthday.json": GENERATED})
    shop.hear(a_cart_event(at=shop.now))
    assert len(set(sent(shop))) == len(held()) == 2


def test_whoever_comes_by_twice_keeps_the_code(shop: Shop) -> None:
    """A step that is done again, in this journey or another, gives what the shopper has."""
    shop.known()
    live({"give": "birthday"}, {"wait": "1 hour"}, {"give": "birthday"}, coupons={"birthday.json": GENERATED})
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(2 * HOUR)
    shop.hear(a_cart_event("P-2", at=shop.now))
    shop.wait(2 * HOUR)
    assert len(held()) == len(told()) == 1


def use(shop: Shop, code: Given) -> None:
    """Have the shopper order with a code."""
    shop.hear(an_order(id=f"o-{code.code}", at=shop.now, properties={"order_id": code.code, "coupon": code.code}))


def test_a_code_that_was_used_is_offered_by_no_message(shop: Shop) -> None:
    """Whoever reminds of it is told why not, and gives no other one away; the next step that gives one does."""
    shop.known()
    show = {"email": "one", "coupon": "birthday"} | SHOWN
    live({"give": "birthday"}, show, {"wait": "3 days"}, show, coupons={"birthday.json": GENERATED})
    shop.hear(a_cart_event(at=shop.now))
    [first] = held()
    use(shop, first)
    shop.wait(3 * DAY + HOUR)
    assert sent(shop) == [f"Yours: {first.code}"]
    skipped = the_messages()[-1]
    assert (skipped.reason, "has used the code" in skipped.detail) == (Skip.NO_COUPON, True)
    shop.hear(a_cart_event("P-2", at=shop.now))
    [second] = [it for it in held() if it.code != first.code]
    assert sent(shop) == [f"Yours: {first.code}", f"Yours: {second.code}"]


def test_a_used_gift_stands_in_no_other_journeys_way(shop: Shop) -> None:
    """A message of another journey, which meant no gift, gives a code of its own."""
    shop.known()
    live({"give": "birthday"}, coupons={"birthday.json": GENERATED})
    shop.hear(a_cart_event(at=shop.now))
    [first] = held()
    use(shop, first)
    rules = live({"email": "one", "coupon": "birthday"} | SHOWN, coupons={"birthday.json": GENERATED})
    publish(msgspec.structs.replace(rules, generation=rules.generation + 1, journeys={"other": rules.journeys["j"]}))
    shop.hear(a_cart_event("P-2", at=shop.now))
    [second] = [it for it in held() if it.code != first.code]
    assert sent(shop) == [f"Yours: {second.code}"]


def test_a_steps_own_code_that_was_used_is_followed_by_another(shop: Shop) -> None:
    """The next run offers something that can be used; what nobody used it offers again."""
    shop.known()
    live({"email": "one", "coupon": "birthday"} | SHOWN, coupons={"birthday.json": GENERATED})
    for product, codes in (("P-1", 1), ("P-2", 1), ("P-3", 2)):
        if codes > 1:
            use(shop, held()[0])
        shop.wait(DAY)
        shop.hear(a_cart_event(product, at=shop.now))
        assert len(held()) == codes
        assert sent(shop)[-1] == f"Yours: {max(held(), key=lambda it: it.given_at).code}"


def test_a_move_that_is_lost_gives_no_second_code(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code is written before the run goes on: who does the step again finds it."""
    shop.known()
    live({"wait": "1 hour"}, {"give": "birthday"}, {"tag": "after"}, coupons={"birthday.json": GENERATED})
    shop.hear(a_cart_event(at=shop.now))
    plain = run_step.deciding.go_on_with

    def die(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_step.deciding, "go_on_with", die)
    with pytest.raises(KeyboardInterrupt):
        shop.wait(2 * HOUR)
    monkeypatch.setattr(run_step.deciding, "go_on_with", plain)
    assert len(held()) == 1
    assert the_run().ended is None
    shop.wait(HOUR)
    assert the_run().ended is EndReason.COMPLETED
    assert len(held()) == len(told()) == 1


def empty(shop: Shop) -> None:
    """Have the only code of the pool be somebody else's."""
    coupons.put_free("birthday", {"LAST": NEVER})
    given = Given(who="u#9", pool="birthday", code="LAST", journey="x", path="0", given_at=shop.now)
    event = events.write_event(an_event("Coupon Given", who="u#9"))
    assert coupons.take(given, drawn=True, event=event)


@pytest.mark.parametrize("otherwise", [None, [{"tag": "none-left"}]])
def test_an_empty_pool_takes_the_other_way_or_ends_the_run(shop: Shop, otherwise: Any) -> None:
    """With `else` the run goes that way and on behind it; without, it ends there, and says why."""
    shop.known()
    empty(shop)
    step = {"give": "birthday"} | ({"else": otherwise} if otherwise else {})
    live(step, {"tag": "after"}, coupons={"birthday.csv": "code\nLAST\n"})
    shop.hear(a_cart_event(at=shop.now))
    assert tagged() == (["after", "none-left"] if otherwise else [])
    assert (the_run().ended, the_run().ended_by) == (
        EndReason.COMPLETED, "" if otherwise else "no coupon in birthday",
    )  # fmt: skip
    assert held() == []


def test_imported_codes_are_taken_out_of_the_free_ones(shop: Shop) -> None:
    """Each is given once: what is left are the others."""
    shop.known()
    coupons.put_free("birthday", {"A-1": NEVER, "A-2": NEVER})
    live({"give": "birthday"}, coupons={"birthday.csv": "code\nA-1\nA-2\n"})
    shop.hear(a_cart_event(at=shop.now))
    [code] = held()
    assert set(coupons.list_free("birthday")) == {"A-1", "A-2"} - {code.code}


def test_a_filter_gives_nothing_away(shop: Shop) -> None:
    """It is asked again before a code is given, as before a message; the run passes over the step."""
    shop.known()
    there = {"coupons": {"birthday.json": GENERATED}, "filter": {"trait": "first_name", "is": "Ada"}}
    live({"wait": "1 hour"}, {"give": "birthday"}, {"tag": "after"}, **there)
    shop.hear(a_cart_event(at=shop.now))
    shop.hear(an_event("Identified", type="identify", traits={"first_name": "Bea"}, at=shop.now + 1))
    shop.wait(2 * HOUR)
    assert held() == []
    assert tagged() == ["after"]


def test_a_message_is_sent_before_and_after(shop: Shop) -> None:
    """A step between two messages loses none of them, and is done between them."""
    shop.known()
    live({"email": "one"}, {"give": "birthday"}, {"email": "two"}, coupons={"birthday.json": GENERATED})
    shop.hear(a_cart_event(at=shop.now))
    assert sent(shop) == ["one", "two"]
    assert [it.reason for it in the_messages()] == ["", ""]
    assert Skip.NO_COUPON not in {it.reason for it in the_messages()}
    assert len(held()) == 1


CHOOSE = {
    "choose": [
        {"if": {"trait": "tier", "is": "gold"}, "then": [{"tag": "gold"}, {"email": "one"}]},
        {"if": {"trait": "tier", "is": "silver"}, "then": [{"email": "two"}]},
        {"if": {"trait": "tier", "exists": True}, "then": [{"email": "three"}]},
    ]
}


@pytest.mark.parametrize(("tier", "gets"), [("gold", ["one"]), ("silver", ["two"]), ("tin", ["three"]), (None, [])])
def test_the_first_way_that_fits_is_gone(shop: Shop, tier: str | None, gets: list[str]) -> None:
    """One of many, in their order; none of them without `else` leads on; all lead on to what is behind."""
    shop.known()
    live(CHOOSE, {"tag": "after"})
    if tier:
        shop.hear(an_event("Identified", type="identify", traits={"tier": tier}, at=shop.now - 1))
    shop.hear(a_cart_event(at=shop.now))
    assert sent(shop) == gets
    assert "after" in tagged()


def compile_steps(*steps: dict[str, Any], settings: Any = None) -> list[str]:
    """Return the faults of a journey of such steps."""
    shop = {"name": "N", "url": "https://n.example", "postal_address": "Street 1"}
    files: dict[str, Any] = {
        "settings.json": {"shop": shop, "sender": {"email": "a@n.example"}} | (settings or {}),
        "journeys/j.json": {"name": "J", "trigger": {"event": "Product Added"}, "steps": list(steps)},
    }
    raw = {name: json.dumps(it).encode() for name, it in files.items()} | {
        f"templates/{name}.mjml": MAIL.format(subject=name).encode() for name in ("one", "two", "three")
    }
    linked = link({file: read_file(file, content) for file, content in raw.items()}, now=NOON)
    return [str(it.fault) for it in linked.conflicts]


def test_a_choice_is_one_step_deep() -> None:
    """Ten ways stand no deeper than two: the limit on depth counts what stands inside of what."""
    deep: dict[str, Any] = CHOOSE
    for _ in range(4):
        deep = {"choose": [{"if": {"trait": "a", "exists": True}, "then": [deep]}]}
    assert compile_steps(deep) == []
    [fault] = compile_steps({"choose": [{"if": {"trait": "a", "exists": True}, "then": [deep]}]})
    assert "at most 5 deep" in fault


def test_hosts_and_pools_that_are_not_there_are_told() -> None:
    """With the place, the nearest right thing, and what to write."""
    step = {"webhook": "https://crm.example.com/x"}
    [fault] = compile_steps(step)
    assert "journeys/j.json" in fault
    assert '"crm.example.com" is not among the hosts' in fault
    [fault] = compile_steps(step, settings={"webhooks": {"hosts": ["crm.example.org"]}})
    assert "crm.example.org" in fault
    assert compile_steps(step, settings={"webhooks": {"hosts": ["crm.example.com"]}}) == []
    [fault] = compile_steps({"give": "birthday"})
    assert 'There is no pool "birthday"' in fault
    assert "steps[0].give" in fault
