"""The main job on the deployed stack, every role's rights enforced: what goes out, what does not, and why."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from world import to_image

from cartwake.clock import read_clock
from cartwake.feedback.deliveries import tags_for
from cartwake_cli.commands.explain import explain_shopper
from cartwake_cli.demo.overlay import copy_rules
from cartwake_cli.faults import Fault
from cartwake_cli.local import places
from cartwake_cli.local.feedback import Sent
from cartwake_cli.local.world import World, wait_for

WELCOME = "Welcome to Nordlicht Shoes"
REMINDER = "You left Trail Runner behind"


@pytest.fixture(scope="module")
def quick(stack: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The stack with the demo's copy of the rules: waits in seconds, no quiet hours, shortened caps."""
    stack.publish(copy_rules(places.STARTER, tmp_path_factory.mktemp("rules"), url="https://shop.example.com"))
    yield stack
    stack.publish(places.STARTER)


class Shopper:
    """Somebody of their own in each test."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.id = f"e2e-{uuid4().hex[:8]}"
        self.email = f"{self.id}@example.com"

    def track(self, event: str, *, user: bool = True, anonymous: str = "", **properties: Any) -> None:
        """Report an event with the server's key."""
        body: dict[str, Any] = {"event": event, "properties": properties, "messageId": uuid4().hex}
        body |= {"userId": self.id} if user else {}
        body |= {"anonymousId": anonymous} if anonymous else {}
        assert self.world.post("/v1/track", body, key=self.world.server_key).status == 200

    def identify(self, anonymous: str = "") -> None:
        """Have the shop's server vouch for the address."""
        body: dict[str, Any] = {
            "userId": self.id,
            "traits": {"email": self.email, "firstName": "Eve"},
            "messageId": uuid4().hex,
        }
        body |= {"anonymousId": anonymous} if anonymous else {}
        assert self.world.post("/v1/identify", body, key=self.world.server_key).status == 200

    def subscribe(self) -> None:
        """Say yes to email."""
        self.track("Subscribed", channel="email")

    def fill_cart(self, **more: Any) -> None:
        """Put a shoe into the cart."""
        self.track("Product Added", product_id="P-1", name="Trail Runner", price=129, quantity=1, **more)

    def mails(self) -> list[Any]:
        """Return what went out to this shopper."""
        return [mail for mail in self.world.inbox() if mail.to == self.email]

    def subjects(self) -> list[str]:
        """Return the subjects of that."""
        return [mail.subject for mail in self.mails()]

    def explain(self) -> dict[str, Any]:
        """Return what `cartwake explain` says, asked by the address, once the address is known."""
        return wait_for(self._explain, 30, what=f"{self.email} in the tables")

    def _explain(self) -> dict[str, Any]:
        try:
            return explain_shopper(self.world.cloud, self.world.stack, self.email).as_data()
        except Fault:
            return {}

    def message(self, template: str) -> dict[str, str]:
        """Return the line about the message made from a template."""
        return next((line for line in self.explain()["messages"] if line["template"] == template), {})


def _wait_for_mail(shopper: Shopper, subject: str, timeout: float = 120) -> Any:
    return wait_for(
        lambda: next((mail for mail in shopper.mails() if mail.subject == subject), None),
        timeout,
        what=f"mail {subject}",
    )


def test_reminder_arrives_once(quick: World) -> None:
    """From the HTTP call to the mail: welcome, then one reminder, by a one-time schedule."""
    shopper = Shopper(quick)
    shopper.identify()
    shopper.subscribe()
    _wait_for_mail(shopper, WELCOME)  # on a busy machine the two would come within the cap
    shopper.fill_cart()
    mail = _wait_for_mail(shopper, REMINDER)
    assert "Trail Runner" in mail.html
    assert "Trail Runner" in mail.text
    assert "/unsubscribe/" in mail.html
    explained = shopper.explain()
    members = {line["segment"]: line for line in explained["segments"]}
    assert {"engaged", "subscribed-not-bought"} <= members.keys()
    assert members["engaged"]["since"]
    assert members["engaged"]["until"]
    assert shopper.message("cart-1")["state"] == "accepted"
    assert shopper.subjects().count(REMINDER) == 1
    assert explained["in logs"][f"u#{shopper.id}"] in quick.logs("derive_segments")


def test_order_under_another_identity_stops_the_reminder(quick: World) -> None:
    """The cart is the visitor's, the order is reported for the user: one person, no reminder."""
    shopper, visitor = Shopper(quick), f"v-{uuid4().hex[:8]}"
    shopper.fill_cart(user=False, anonymous=visitor)
    shopper.identify(anonymous=visitor)
    shopper.subscribe()
    shopper.track("Order Completed", order_id="o-1", revenue=129)
    run = wait_for(
        lambda: next(
            (r for r in shopper.explain()["runs"] if r["journey"] == "abandoned-cart" and "ended" in r["stands"]), None
        ),
        60,
        what="the end of the run",
    )
    assert "Order Completed" in run["why"]
    assert REMINDER not in shopper.subjects()


def test_unsubscribe_by_link_then_nothing_with_the_reason(quick: World) -> None:
    """GET changes nothing; the one-click POST is answered after it is written; the reason is shown."""
    shopper = Shopper(quick)
    shopper.identify()
    shopper.subscribe()
    mail = wait_for(lambda: next(iter(shopper.mails()), None), 60, what="the welcome mail")
    link = next(word.strip('"<>()') for word in mail.text.split() if "/unsubscribe/" in word)
    path = urlsplit(link).path
    assert quick.request("GET", path).status == 200
    assert shopper.explain()["addresses"][0]["consent"].startswith("subscribed")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert quick.request("POST", path, body=b"List-Unsubscribe=One-Click", headers=form).status == 200
    assert shopper.explain()["addresses"][0]["consent"].startswith("unsubscribed")
    shopper.fill_cart()
    message = wait_for(lambda: shopper.message("cart-1"), 60, what="the message that is not sent")
    wait_for(lambda: shopper.message("cart-1")["state"] == "skipped", 30, what="its reason")
    assert message
    assert shopper.message("cart-1")["reason"] == "unsubscribed"
    assert REMINDER not in shopper.subjects()


@pytest.fixture
def patient(quick: World, tmp_path: Path) -> Iterator[World]:
    """The stack with a wait before the reminder that a slow machine does not outlast while a test looks at it."""
    folder = copy_rules(places.STARTER, tmp_path / "patient", url="https://shop.example.com")
    file = folder / "journeys" / "abandoned-cart.json"
    journey = json.loads(file.read_text())
    journey["steps"][0]["wait"] = "25 seconds"
    file.write_text(json.dumps(journey))
    quick.publish(folder)
    yield quick
    quick.publish(copy_rules(places.STARTER, tmp_path / "quick", url="https://shop.example.com"))


def test_with_every_schedule_lost_wake_still_delivers(patient: World) -> None:
    """The row is the truth: schedules are deleted, and `wake`, told a later time, finds the step."""
    for _ in range(5):
        shopper, due_at = _wait_for_a_step(patient)
        patient.delete_schedules()
        if due_at and read_clock() < due_at:  # else the machine was too slow, and the schedule has done its work
            break
    wait_for(lambda: due_at < read_clock(), 60, what="the time when it is due")
    assert REMINDER not in shopper.subjects()
    patient.invoke("wake", {"at": due_at + 3 * 60_000})
    _wait_for_mail(shopper, REMINDER)


def _wait_for_a_step(world: World) -> tuple[Shopper, int]:
    """Return somebody whose reminder has a schedule, and when it is due; 0 where it has been sent meanwhile."""
    shopper = Shopper(world)
    shopper.identify()
    shopper.subscribe()
    shopper.fill_cart()
    wait_for(lambda: list(world.schedules()), 60, what="the schedule")

    def find_run() -> dict[str, Any] | None:
        runs = world.query("runs", who=f"u#{shopper.id}")
        return next((it for it in runs if it["run"].startswith("abandoned-cart#")), None)

    run = wait_for(find_run, 60, what="the run")
    return shopper, int(run["due_at"]) if run["seq"] == 0 else 0


def test_feedback_closes_the_loop(quick: World) -> None:
    """A hard bounce, matched by our tags, suppresses the address, and comes back as an event."""
    shopper = Shopper(quick)
    shopper.identify()
    shopper.subscribe()
    wait_for(shopper.mails, 60, what="the welcome mail")
    (row,) = list(quick.query("messages", who=f"u#{shopper.id}"))
    sent = Sent(shopper.mails()[0].message_id, shopper.email, tags_for(f"u#{shopper.id}", row["message"]))
    quick.feedback("bounce", sent)
    wait_for(lambda: shopper.explain()["addresses"][0]["suppressed"].startswith("bounce"), 30, what="the suppression")
    wait_for(
        lambda: [e for e in quick.query("events", who=f"u#{shopper.id}") if e["name"] == "Email Bounced"],
        30,
        what="the event",
    )
    shopper.fill_cart()
    wait_for(lambda: shopper.message("cart-1").get("reason") == "suppressed_bounce", 60, what="the reason")


def test_bad_file_keeps_the_last_good_one_live(quick: World, tmp_path: Path) -> None:
    """A journey with a mistake is answered with path and suggestion, and the version before it goes on working."""
    folder = copy_rules(places.STARTER, tmp_path, url="https://shop.example.com")
    file = folder / "journeys" / "abandoned-cart.json"
    journey = json.loads(file.read_text())
    journey["filtre"] = journey.pop("filter")
    file.write_text(json.dumps(journey))
    status = quick.publish(folder)
    report = status["files"]["journeys/abandoned-cart.json"]
    assert report["state"] == "rejected"
    assert "filter" in json.dumps(report)
    shopper = Shopper(quick)
    shopper.identify()
    shopper.subscribe()
    _wait_for_mail(shopper, WELCOME)
    shopper.fill_cart()
    _wait_for_mail(shopper, REMINDER)


def test_given_up_events_are_derived_again_by_hand(quick: World, tmp_path: Path) -> None:
    """The redrive of docs/operate.md: rows of the events table, as the AWS CLI prints them, given to the function.

    A journey that went live after an order had come in is not started by it.
    """
    shopper = Shopper(quick)
    who = f"u#{shopper.id}"
    shopper.identify()
    before = wait_for(lambda: quick.query("profiles", who=who), 30, what="the profile")
    quick.cloud.table(quick.stack.tables["profiles"]).delete_item(Key={"who": who})
    _derive_again(quick, who)
    assert [row["state"] for row in quick.query("profiles", who=who)] == [row["state"] for row in before]
    shopper.track("Review Written", order_id="o-1")
    younger = {"name": "Younger", "status": "live", "trigger": {"event": "Review Written"}, "steps": [{"end": "Done"}]}
    rules = copy_rules(places.STARTER, tmp_path / "rules", url="https://shop.example.com")
    (rules / "journeys" / "younger.json").write_text(json.dumps(younger))
    assert quick.publish(rules)["files"]["journeys/younger.json"]["state"] == "live"
    _derive_again(quick, who)
    slots = wait_for(
        lambda: [row for row in quick.query("slots", who=who) if row["slot"] == "younger#"], 30, what="the refusal"
    )
    assert [row["refused"] for row in slots] == ["too_old"]
    quick.cloud.client("s3").delete_object(Bucket=quick.stack.bucket, Key="journeys/younger.json")


def _derive_again(quick: World, who: str) -> None:
    rows = quick.cloud.client("dynamodb").query(
        TableName=quick.stack.tables["events"],
        KeyConditionExpression="who = :who",
        ExpressionAttributeValues={":who": {"S": who}},
    )["Items"]
    records = [{"eventName": "INSERT", "dynamodb": {"NewImage": to_image(row)}} for row in rows]
    quick.invoke("derive_segments", {"Records": records})


def test_poison_blocks_no_stream(quick: World) -> None:
    """A row that no code can read, written among good events, is set aside and the others are derived."""
    shopper = Shopper(quick)
    table = quick.cloud.table(quick.stack.tables["events"])
    table.put_item(
        Item={
            "who": f"u#{shopper.id}",
            "key": "x#poison#server",
            "name": "X",
            "type": "track",
            "body": b"x",
            "expires_at": 1,
        }
    )
    shopper.identify()
    wait_for(lambda: quick.query("profiles", who=f"u#{shopper.id}"), 30, what="the profile")
    wait_for(
        lambda: [r for r in quick.query("quarantine", who=f"u#{shopper.id}") if r["reason"] == "poison"],
        30,
        what="the quarantine",
    )
