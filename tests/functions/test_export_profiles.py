"""export_profiles: whoever asks for it gets everything that is known of them, in one file, and nobody else's."""

import json
from typing import Any

import msgspec
import pytest
from builders import NOON, a_bundle, a_cart_event, a_subscription, an_event, an_identify, an_order, publish
from shoppers import Shop, queue_event
from typer.testing import CliRunner
from world import lambda_context

from cartwake.choices import Choices
from cartwake.events import Arrival, Event, Trust
from cartwake.gateways import bucket
from cartwake.participants import Participant
from cartwake.statements import Channel
from cartwake.store import addresses, base, coupons, events, participants, profiles, quarantine
from cartwake.times import DAY, NEVER
from cartwake_cli.commands import erase as erase_command
from cartwake_cli.commands import explain as explain_command
from cartwake_cli.commands import export as export_command
from cartwake_cli.main import app as cli
from cartwake_cli.stack import Stack
from functions.export_profiles import app

OUTPUTS = {"SecretArn": "cartwake-secret", "BucketName": "rules-bucket"} | {
    f"{name.title()}Table": name
    for name in (
        "events", "profiles", "runs", "slots", "messages", "coupons", "quarantine", "addresses", "identities",
        "bundles", "consents", "participants",
    )
}  # fmt: skip


def request(at: int, **changes: Any) -> Event:
    """Return the event with which Ada asks for a copy."""
    return an_event("Export Requested", **{"at": at, "trust": Trust.OWN} | changes)


def live(shop: Shop) -> None:
    """Have Ada do everything that leaves something, as a visitor first."""
    publish(a_bundle(generation=2))
    shop.now = NOON + 10
    shop.hear(an_event(who="a#x", anonymous_id="x", at=NOON, properties={"url": "https://shop.example.com/ż"}))
    shop.hear(an_identify(user_id="1", anonymous_id="x", at=NOON + 1, arrival=Arrival("u#1", "m-7", NOON)))
    shop.hear(a_subscription(at=NOON + 2))
    shop.now += DAY
    shop.hear(a_cart_event(at=shop.now))
    given = coupons.Given(who="u#1", pool="back", code="BACK-1", journey="cart", path="1", given_at=NOON)
    told = an_event("Coupon Given", at=NOON + 3)
    coupons.put_free("back", {"BACK-1": NEVER})
    assert coupons.take(given, drawn=True, event=events.write_event(told))
    shop.hear(an_order(at=shop.now, properties={"order_id": "o-1", "revenue": 10, "coupon": "BACK-1"}))
    quarantine.put("u#1", "k", reason="clock_off", at=NOON)
    tested = Participant(
        who="a#x", journey="cart", test="subject", digest="d", variant="b", run="r", entered_at=NOON, due_at=NOON + DAY
    )
    assert base.commit([participants.enrol(tested)])
    address = addresses.get_address(profiles.resolve_profile("u#1").address_keys[Channel.EMAIL])
    chosen = Choices(refused_topics=("sales",), rest_ms=7 * DAY, tracked=False, at=NOON + 4)
    assert addresses.put_address(msgspec.structs.replace(address, choices=chosen))
    shop.hear(an_identify("ben@example.com", who="u#ben", at=NOON), a_subscription(who="u#ben", at=NOON))


def find_file() -> str:
    """Return the key of the one copy in the bucket."""
    (key,) = [key for key in bucket.list_etags("") if key.startswith("exports/")]
    return key


def test_everything_is_in_it(shop: Shop) -> None:
    """Profile, consent, memberships, events, journeys, messages, coupons, tests, addresses, refusals, of all keys."""
    live(shop)
    shop.hear(request(shop.now))
    content = (bucket.read(find_file()) or b"").decode()
    copy = json.loads(content)
    assert copy["ids"] == ["u#1", "a#x"]
    assert copy["profile"]["traits"]["first_name"]["value"] == "Ada"
    assert copy["profile"]["contacts"]["email"]["value"] == "ada@example.com"
    assert copy["profile"]["consent"]["email"]["subscribed"] is True
    assert "remembered" in copy["profile"]
    assert copy["profile"]["came_by_messages"] == [{"message": "m-7", "at": "2026-11-21T12:00:00.000Z"}]
    assert [it["came_by_message"] for it in copy["events"]].count("m-7") == 1
    assert {it["event"] for it in copy["events"]} == {
        "Page Viewed", "Identified", "Subscribed", "Product Added", "Coupon Given", "Order Completed",
        "Coupon Redeemed", "Export Requested",
    }  # fmt: skip
    assert copy["events"][0]["properties"] == {"url": "https://shop.example.com/ż"}
    assert [it["journey"] for it in copy["journeys"]] == ["welcome", "cart"]
    assert [(it["journey"], it["state"]) for it in copy["messages"]] == [("welcome", "accepted")]
    assert [(it["code"], it["order"]) for it in copy["coupons"]] == [("BACK-1", "o-1")]
    assert [(it["test"], it["variant"], it["counted"]) for it in copy["tests"]] == [("subject", "b", None)]
    assert copy["addresses"][0]["consent"]["subscribed"] is True
    chosen = copy["addresses"][0]["chosen"]
    assert (chosen["topics_refused"], chosen["at_most_one_in_days"]) == (["sales"], 7)
    assert chosen["clicks_may_be_seen"] is False
    assert [it["reason"] for it in copy["refused"]] == ["clock_off"]
    assert "ben" not in content


def test_it_is_told_once(shop: Shop) -> None:
    """When the file is there an event says so, which a journey may answer; of a doubled request it is the same one."""
    live(shop)
    shop.hear(request(shop.now))
    body = {"who": "u#1", "request": request(shop.now).key, "at": shop.now}
    shop.now += DAY
    app.handler(queue_event(body, body), lambda_context())
    (ready,) = [it for it in events.list_events("u#1") if it.name == "Export Ready"]
    assert ready.trust is Trust.OWN
    assert ready.properties == {"file": find_file(), "until": "2026-11-29T12:00:00.010Z"}


def test_a_name_tells_nobody(shop: Shop) -> None:
    """Whoever sees the name of the file does not learn whose it is."""
    shop.hear(request(NOON, who="u#ada@example.com"))
    assert "ada" not in find_file()


@pytest.mark.parametrize("changes", [{"trust": Trust.BROWSER}, {"bot": True}])
def test_a_public_key_has_nothing_copied(shop: Shop, changes: dict[str, Any]) -> None:
    """What a browser or a crawler asks for is stored, and no more."""
    live(shop)
    shop.hear(request(shop.now, **changes))
    assert [key for key in bucket.list_etags("") if key.startswith("exports/")] == []


def test_of_the_erased_there_is_no_copy(shop: Shop) -> None:
    """A request that comes behind the erasure, in the same batch or late from the queue, writes no file."""
    live(shop)
    shop.hear(request(shop.now), an_event("Erasure Requested", at=shop.now))
    app.handler(queue_event({"who": "u#1", "request": "k", "at": NOON}), lambda_context())
    assert [key for key in bucket.list_etags("") if key.startswith("exports/")] == []
    shop.wait(26 * 60 * 60 * 1_000)
    assert [key for key in bucket.list_etags("") if key.startswith("exports/")] == []


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch, shop: Shop) -> Shop:
    """The commands, on this stack."""
    for command in (erase_command, explain_command, export_command):
        monkeypatch.setattr(command, "read_stack", lambda *_: Stack.from_outputs("shop", OUTPUTS))
        monkeypatch.setattr(command, "read_clock", lambda: shop.now)
    live(shop)
    return shop


def test_the_operator_exports_the_same(operator: Shop) -> None:
    """`cartwake export` prints what the file would hold, and writes nothing."""
    told = CliRunner().invoke(cli, ["export", "ada@example.com"])
    assert told.exit_code == 0, told.output
    assert bucket.list_etags("exports/") == {}
    operator.derive(request(operator.now))
    app.export("u#1", request="k", at=operator.now)
    requested = json.loads(bucket.read(find_file()) or b"")
    requested["events"] = [it for it in requested["events"] if it["event"] != "Export Requested"]
    printed = json.loads(told.output)
    assert {name: it for name, it in printed.items() if name != "profile"} == {
        name: it for name, it in requested.items() if name != "profile"
    }
    assert printed["profile"]["traits"] == requested["profile"]["traits"]


def test_the_operator_erases(operator: Shop) -> None:
    """`cartwake erase` asks first, stores an event of our own, and says of the erased that they are."""
    refused = CliRunner().invoke(cli, ["erase", "ada@example.com"], input="n\n")
    assert refused.exit_code == 1
    assert not [it for it in events.list_events("u#1") if it.name == "Erasure Requested"]
    told = CliRunner().invoke(cli, ["erase", "ada@example.com", "--yes"])
    assert told.exit_code == 0, told.output
    (asked,) = [it for it in events.list_events("u#1") if it.name == "Erasure Requested"]
    operator.hear(asked)
    assert events.list_events("u#1") == []
    for again in ("erase", "export"):
        told = CliRunner().invoke(cli, [again, "1"])
        assert (told.exit_code, "is erased" in told.output) == (1, True)
    assert CliRunner().invoke(cli, ["erase", "ada@example.com", "--yes"]).exit_code == 1


def test_explain_shows_the_record_and_how_far_an_erasure_is(operator: Shop) -> None:
    """Before it every statement, after it when what was and will be deleted, and nothing of the person."""

    def explain() -> dict[str, Any]:
        told = CliRunner().invoke(cli, ["explain", "1", "--json"])
        assert told.exit_code == 0, told.output
        data: dict[str, Any] = json.loads(told.output)
        return data

    (statement,) = explain()["consent record"]
    assert (statement["said"], statement["channel"], statement["by"]) == ("yes", "email", "server")
    operator.derive(an_event("Erasure Requested", at=operator.now))
    assert explain()["profile"][1] == {"what": "everything deleted", "value": "under way"}
    operator.drain()
    after = explain()
    assert [line["what"] for line in after["profile"]] == ["erased", "everything deleted", "deleted again"]
    assert after["profile"][2]["value"] == "due 2026-11-23T13:00:00.010Z"
    assert "ada" not in json.dumps(after).lower()
