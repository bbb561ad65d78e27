"""What rules say of a shopper, deployed: tags, scores, predictions, and a segment that is tried before it is live."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from e2e.crowd import write
from rulebook import PREDICTIONS

from cartwake.clock import read_clock
from cartwake.times import DAY, SECOND, format_instant, parse_instant
from cartwake_cli.commands.explain import explain_in_segment, explain_shopper
from cartwake_cli.demo.overlay import copy_rules
from cartwake_cli.faults import Fault
from cartwake_cli.local import places
from cartwake_cli.local.rules import hold_notifications, read_status
from cartwake_cli.local.world import World, wait_for

ORDER = "Order Completed"
HALF_LIFE_SECONDS = 12
GOLD = {"trait": "plan", "is": "gold"}
MAIL = """<mjml><mj-head><mj-title>{{ profile.tags|join(', ') }}</mj-title></mj-head><mj-body><mj-section><mj-column>
<mj-text>You have {{ profile.scores.heat|default('no') }} points.</mj-text></mj-column></mj-section></mj-body>
</mjml>"""
FILES: dict[str, Any] = {
    "segments/gold.json": {"name": "Gold plan", "where": GOLD, "then": {"tag": "gold"}},
    "segments/gold-once.json": {"name": "Gold once", "where": GOLD, "then": {"tag": "was-gold", "sticky": True}},
    "segments/dealers.json": {"name": "Dealers", "where": {"tag": "wholesale"}},
    "segments/hot.json": {"name": "Hot now", "where": {"score": "heat", "at_least": 15}},
    "segments/due.json": {"name": "Due", "where": {"predicted": "next_order", "in_next": "30 days"}},
    "segments/churning.json": {"name": "Churning", "where": {"predicted": "churn_risk", "more_than": 50}},
    "segments/fans.json": {"name": "Fans", "where": {"did": "Quiz Finished", "at_least": 3, "in_last": "90 days"}},
    "scores/heat.json": {
        "name": "Heat",
        "half_life": f"{HALF_LIFE_SECONDS} seconds",
        "points": [{"did": "Video Watched", "points": 10}],
    },
    "predictions.json": PREDICTIONS,
    "journeys/gold-news.json": {
        "name": "Gold news",
        "kind": "transactional",
        "status": "live",
        "trigger": {"segment": "gold"},
        "steps": [{"email": "gold-news"}],
    },
    "templates/gold-news.mjml": MAIL,
}


def go_live(world: World, folder: Path) -> None:
    """Publish a folder; a publication that was still going on may have seen half of it, so wait for the last word."""
    world.publish(folder)

    def is_whole() -> bool:
        _, status = read_status(world.cloud.client("s3"), world.stack.bucket)
        return all(each["state"] == "live" for each in status["files"].values())

    if not is_whole():
        wait_for(is_whole, 60, what="all files live")
        world.renew_functions()


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's copy of the starter files, and these stories' own."""
    folder = copy_rules(places.STARTER, tmp_path_factory.mktemp("rules"), url="https://shop.example.com")
    return write(folder, FILES)


@pytest.fixture(scope="module")
def spoken(stack: World, rules: Path) -> Iterator[World]:
    """The stack with them live."""
    go_live(stack, rules)
    yield stack
    client = stack.cloud.client("s3")
    with hold_notifications(client, stack.stack.bucket):
        for file in FILES:
            client.delete_object(Bucket=stack.stack.bucket, Key=file)
    stack.publish(places.STARTER)


class Shopper:
    """Somebody of their own in each story, known to the shop's server."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.id = f"lang-{uuid4().hex[:8]}"
        self.email = f"{self.id}@example.com"

    def track(self, event: str, *, days_ago: float = 0, **properties: Any) -> None:
        """Report an event; of the past, as imported history."""
        body: dict[str, Any] = {"event": event, "properties": properties, "messageId": uuid4().hex, "userId": self.id}
        if days_ago:
            body |= {"timestamp": format_instant(read_clock() - round(days_ago * DAY)), "context": {"backfill": True}}
        assert self.world.post("/v1/track", body, key=self.world.server_key).status == 200

    def identify(self, **traits: Any) -> None:
        """Tell the address and other traits."""
        body = {"userId": self.id, "traits": {"email": self.email} | traits, "messageId": uuid4().hex}
        assert self.world.post("/v1/identify", body, key=self.world.server_key).status == 200

    def explain(self) -> dict[str, Any]:
        """Return what `cartwake explain` says; nothing before the shopper is known."""
        try:
            return explain_shopper(self.world.cloud, self.world.stack, self.id).as_data()
        except Fault:
            return {}

    def cells(self, section: str, name: str, value: str) -> dict[str, str]:
        """Return two columns of a section."""
        return {line[name]: line[value] for line in self.explain().get(section, [])}

    def tags(self) -> dict[str, str]:
        """Return the tags, and why each is there."""
        return self.cells("tags", "tag", "why")

    def segments(self) -> set[str]:
        """Return the segments as they are stored."""
        return set(self.cells("segments", "segment", "since"))

    def why(self, segment: str) -> dict[str, Any]:
        """Return what `cartwake explain --segment` says."""
        return explain_in_segment(self.world.cloud, self.world.stack, self.id, segment).as_data()


def test_a_tag_comes_and_goes_with_its_segment_and_a_sticky_one_stays(spoken: World) -> None:
    """The rule sets both; when the shopper leaves, one goes; a mail shows tags and score as they are when it goes."""
    shopper = Shopper(spoken)
    shopper.track("Tag Added", tag="wholesale")
    wait_for(lambda: "wholesale" in shopper.tags(), 30, what="the tag set by hand")
    shopper.identify(plan="gold")
    wait_for(lambda: {"gold", "was-gold", "wholesale"} <= shopper.tags().keys(), 30, what="the tags")
    assert shopper.tags()["gold"] == 'by the segment "gold" (Gold plan)'
    assert shopper.tags()["was-gold"].endswith("and stays")
    mail = wait_for(
        lambda: next((m for m in spoken.inbox() if m.to == shopper.email and "gold" in m.subject), None),
        60,
        what="the mail",
    )
    assert mail.subject == "gold, was-gold, wholesale"
    assert "You have 0 points" in mail.text
    shopper.identify(plan="tin")
    wait_for(lambda: "gold" not in shopper.tags(), 30, what="the tag to go")
    assert set(shopper.tags()) == {"was-gold", "wholesale"}


def test_a_tag_set_by_hand_moves_a_segment(spoken: World) -> None:
    """A server sets it and takes it away; what a browser says of tags changes nothing."""
    shopper = Shopper(spoken)
    shopper.identify()
    browser = {"event": "Tag Added", "properties": {"tag": "wholesale"}, "messageId": uuid4().hex, "userId": shopper.id}
    assert spoken.post("/v1/track", browser).status == 200
    shopper.track("Tag Added", tag="vip-guest")
    wait_for(lambda: "vip-guest" in shopper.tags(), 30, what="the tag")
    assert shopper.tags() == {"vip-guest": "set by hand or by an import"}
    assert "dealers" not in shopper.segments()
    shopper.track("Tag Added", tag="wholesale")
    wait_for(lambda: "dealers" in shopper.segments(), 30, what="the segment")
    shopper.track("Tag Removed", tag="wholesale")
    wait_for(lambda: "dealers" not in shopper.segments(), 30, what="its end")


def test_a_score_rises_by_events_and_falls_by_itself(spoken: World) -> None:
    """Two videos bring it over the threshold at once; half of it decays, and a wake after that moment sees the end."""
    shopper = Shopper(spoken)
    shopper.identify()
    shopper.track("Video Watched")
    wait_for(lambda: shopper.why("hot")["reason"]["parts"] if shopper.explain() else None, 30, what="the profile")
    assert "hot" not in shopper.segments()
    shopper.track("Video Watched")
    shopper.track("Video Watched")
    wait_for(lambda: "hot" in shopper.segments(), 30, what="the segment")
    why = shopper.why("hot")
    assert why["reason"]["answer"] == "holds"
    assert "points for each" in why["reason"]["parts"][0]["parts"][0]["says"]
    assert read_clock() < parse_instant(why["reason"]["until"]) < read_clock() + 60 * SECOND

    def has_left() -> bool:
        spoken.invoke("wake", {"at": read_clock()})
        return "hot" not in shopper.segments()

    wait_for(has_left, 60, what="the end")
    assert float(shopper.cells("scores", "score", "value")["heat"]) < 15


def test_predictions_from_the_shoppers_own_orders(spoken: World) -> None:
    """With predictions.json live, a rhythm and a risk are told in words, and move segments; history starts nothing."""
    regular, lost = Shopper(spoken), Shopper(spoken)
    for days in (101, 70, 39, 8):
        regular.track(ORDER, days_ago=days, order_id=f"r-{days}", revenue=50)
    for days in (395, 390, 385, 380):
        lost.track(ORDER, days_ago=days, order_id=f"l-{days}", revenue=50)
    wait_for(lambda: "due" in regular.segments(), 30, what="the regular in due")
    wait_for(lambda: "churning" in lost.segments(), 30, what="the lost in churning")
    assert "churning" not in regular.segments()
    says = regular.cells("predictions", "what", "says")
    assert says["orders"] == "4 until now, worth 200 EUR"
    assert says["next order"].startswith("expected about ")
    assert says["next order"].endswith("from a rhythm of 31 days")
    assert float(says["churn risk"].removesuffix(" %")) < 50
    assert "orders are expected, worth" in says["next 365 days"]
    assert float(lost.cells("predictions", "what", "says")["churn risk"].removesuffix(" %")) > 50
    assert not regular.explain()["runs"]


def try_segment(world: World, segment: str, folder: Path) -> dict[str, Any]:
    """Return what the command says, as somebody at a terminal would ask it."""
    cloud = world.cloud
    account = {
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_DEFAULT_REGION": cloud.region,
        "AWS_REGION": cloud.region,
        "AWS_ACCESS_KEY_ID": cloud.access_key,
        "AWS_SECRET_ACCESS_KEY": cloud.secret_key,
    }
    command = [Path(sys.executable).with_name("cartwake"), "try", segment, "--rules", folder, "--stack"]
    done = subprocess.run(
        [*command, world.stack.name, "--sample", "100", "--json"],
        env=os.environ | {name: value or "" for name, value in account.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_segment_is_tried_before_it_is_live(spoken: World, rules: Path, tmp_path: Path) -> None:
    """Who would enter is told with reasons, from history that no profile remembers; then publishing moves just them."""
    keen, one = Shopper(spoken), Shopper(spoken)
    for shopper, quizzes in ((keen, 2), (one, 1)):
        shopper.identify()
        for _ in range(quizzes):
            shopper.track("Quiz Finished")
            shopper.track("Survey Answered")
    wait_for(lambda: "first seen" in keen.cells("profile", "what", "value"), 30, what="the profile")
    where = {
        "all": [
            {"did": "Quiz Finished", "at_least": 2, "in_last": "90 days"},
            {"did": "Survey Answered", "at_least": 2, "in_last": "90 days"},
        ]
    }
    part = write(tmp_path, {"segments/fans.json": {"name": "Fans", "where": where}})
    found = wait_for(
        lambda: next((it for it in [try_segment(spoken, "fans", part)] if it["enter"]), None),
        30,
        what="somebody who would enter",
    )
    assert (found["enter"], found["leave"], found["members_live"]) == (1, 0, 0)
    (entering,) = found["samples"]["enter"]
    assert entering["who"] == f"u#{keen.id}"
    (tree,) = entering["reason"]["parts"]
    assert [(each["answer"], each["there"].partition(",")[0]) for each in tree["parts"]] == [("holds", "twice")] * 2
    assert found["backfilled"] >= 2
    assert "fans" not in keen.segments()
    write(rules, {"segments/fans.json": {"name": "Fans", "where": where}})
    go_live(spoken, rules)
    wait_for(lambda: "fans" in keen.segments(), 120, what="the sweep")
    assert "fans" not in one.segments()
