"""Shoppers who are put on a journey by a server or by hand, and events of the shop's catalog, by the real handlers."""

from typing import Any

import pytest
from builders import an_event
from marketer import list_ends, list_runs, save, save_all
from shoppers import Shop
from typer.testing import CliRunner

from cartwake.events import BACK_IN_STOCK, JOURNEY_ENROLLED, PRICE_DROPPED, STOCK_LOW, Event, Trust
from cartwake.reasons import NotEntered
from cartwake.store import events, slots
from cartwake.times import MINUTE
from cartwake_cli.commands import enrol as enrol_command
from cartwake_cli.commands import explain as explain_command
from cartwake_cli.main import app as cli
from cartwake_cli.stack import Stack

BY_HAND: dict[str, Any] = {"trigger": {"enrolled": True}}
OUTPUTS = {f"{name.title()}Table": name for name in (
    "events", "profiles", "bundles", "runs", "slots", "messages", "coupons", "quarantine", "addresses", "identities",
    "consents", "participants",
)} | {"BucketName": "rules-bucket", "SecretArn": "cartwake-secret"}  # fmt: skip


def enrol(shop: Shop, journey: str = "j", **changes: Any) -> Event:
    """The event with which a server puts user 1 on a journey."""
    shop.now += MINUTE
    return an_event(JOURNEY_ENROLLED, **{"at": shop.now, "properties": {"journey": journey}} | changes)


def test_a_server_puts_somebody_on_a_journey(shop: Shop) -> None:
    """The event names the journey, and no other one starts."""
    shop.known()
    save_all({"j": BY_HAND | {"steps": [{"email": "one"}]}, "k": BY_HAND | {"steps": [{"email": "two"}]}})
    shop.hear(enrol(shop))
    assert (list_ends("j"), list_ends("k")) == ({"": "completed"}, {})
    assert shop.subjects()[-1] == "one"


def test_a_browser_puts_nobody_on_a_journey(shop: Shop) -> None:
    """A public key is no word for it, and the reason is kept; also where a file names the event itself."""
    shop.known()
    for trigger in ({"enrolled": True}, {"event": JOURNEY_ENROLLED}):
        save(trigger=trigger)
        shop.hear(enrol(shop, trust=Trust.BROWSER))
        assert list_runs() == []
        assert slots.get_slot("u#1", "j").refused is NotEntered.HEARSAY


def test_who_is_enrolled_is_held_to_the_journeys_rules(shop: Shop) -> None:
    """`again`, the filter and a run that goes on stand against it, with their reasons."""
    shop.known()
    save(**BY_HAND, again="never")
    shop.hear(enrol(shop))
    shop.hear(enrol(shop))
    assert slots.get_slot("u#1", "j").refused is NotEntered.ALREADY_ACTIVE
    shop.wait(25 * 60 * MINUTE)
    shop.hear(enrol(shop))
    assert slots.get_slot("u#1", "j").refused is NotEntered.ENTERED_BEFORE
    save(**BY_HAND, filter={"tag": "wholesale"})
    shop.hear(enrol(shop))
    assert slots.get_slot("u#1", "j").refused is NotEntered.FILTER
    assert len(list_runs()) == 1


def test_a_journey_by_hand_may_have_a_key(shop: Shop) -> None:
    """The event may say which order it is about."""
    shop.known()
    save(**BY_HAND, key="order_id")
    for order in ("o-1", "o-2"):
        shop.hear(enrol(shop, properties={"journey": "j", "order_id": order}))
    assert list_ends() == {"o-1": "goes on", "o-2": "goes on"}


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch, shop: Shop) -> Shop:
    """The commands, on this stack, where Ada is known."""
    for command in (enrol_command, explain_command):
        monkeypatch.setattr(command, "read_stack", lambda *_: Stack.from_outputs("shop", OUTPUTS))
        monkeypatch.setattr(command, "read_clock", lambda: shop.now)
    shop.known()
    return shop


def run(*words: str) -> tuple[int, str]:
    told = CliRunner().invoke(cli, [*words])
    return told.exit_code, told.output


def follow(shop: Shop) -> None:
    """Let the stack follow what the operator has asked for."""
    shop.hear(*[it for it in events.list_events("u#1") if it.name == JOURNEY_ENROLLED])


def test_the_operator_enrols_by_hand(operator: Shop) -> None:
    """`cartwake enrol` starts a run for somebody who is named by their address, a property may name the key."""
    save(**BY_HAND, key="order_id")
    assert run("enrol", "j", "ada@example.com", "--property", "order_id=o-1")[0] == 0
    follow(operator)
    assert list_ends() == {"o-1": "goes on"}
    follow(operator)
    assert len(list_runs()) == 1
    assert "j (o-1)" in run("explain", "ada@example.com")[1]


def test_an_enrolment_that_is_refused_is_explained(operator: Shop) -> None:
    """What the rules refuse is told by `cartwake explain` with its reason."""
    save(**BY_HAND, filter={"tag": "wholesale"})
    assert run("enrol", "j", "ada@example.com")[0] == 0
    follow(operator)
    code, output = run("explain", "ada@example.com")
    assert code == 0
    assert "filter" in output.partition("not entered")[2]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("k", "ada@example.com"), "there is no journey k"),
        (("other", "ada@example.com"), "its trigger is another one"),
        (("draft", "ada@example.com"), "its status is draft"),
        (("j", "ada@example.com"), "--property order_id"),
        (("j", "ada@example.com", "--property", "order"), "is no property"),
        (("j", "bob@example.com", "--property", "order_id=1"), "nobody is known"),
    ],
)
def test_an_operators_mistake_is_told_at_once(operator: Shop, words: tuple[str, ...], says: str) -> None:
    """What cannot become a run is refused before anything is stored."""
    mail = {"steps": [{"email": "one"}]}
    draft = BY_HAND | mail | {"status": "draft"}
    other = {"trigger": {"event": "Product Added"}} | mail
    save_all({"j": BY_HAND | {"key": "order_id"} | mail, "draft": draft, "other": other})
    code, output = run("enrol", *words)
    assert (code, says in output) == (1, True), output
    assert [it for it in events.list_events("u#1") if it.name == JOURNEY_ENROLLED] == []


@pytest.mark.parametrize("name", [PRICE_DROPPED, BACK_IN_STOCK, STOCK_LOW])
def test_the_catalogs_events_start_a_run_for_each_product(shop: Shop, name: str) -> None:
    """A plain event with `where` and a key does all that a trigger of its own would."""
    shop.known()
    trigger = {"event": name, "where": {"price": {"less_than": 100}}}
    save(trigger=trigger, key="product_id", exit=[{"event": "Product Added"}], again="after 7 days")
    for product, price in (("a", 79), ("b", 89), ("c", 129)):
        properties = {"product_id": product, "price": price, "old_price": 149, "stock": 2}
        shop.hear(an_event(name, at=shop.now, id=product, properties=properties))
        shop.now += 1
    shop.hear(an_event("Product Added", at=shop.now, properties={"product_id": "a"}))
    assert list_ends() == {"a": "exited", "b": "goes on"}
