"""A change that would move too many people waits on the deployed stack, until somebody confirms it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cartwake.segments import is_member
from cartwake_cli.local.rules import read_status
from cartwake_cli.local.world import World, open_world, wait_for
from cartwake_cli.tables import decode_profile

WHOS = [f"buyer-{number}" for number in range(6)]
MAIL = """<mjml><mj-head><mj-title>Hello</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{ shop.postal_address }} <a href="{{ unsubscribe_url }}">stop</a>
</mj-text></mj-column></mj-section></mj-body></mjml>"""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A stack of its own, whose rules may be changed."""
    with open_world(auth=True, parameters={"SweepAfterSeconds": "0"}) as world:
        yield world


def write(folder: Path, at_least: int) -> Path:
    """Write rules whose limit is two people, and whose segment wants so many orders."""
    files: dict[str, Any] = {
        "settings.json": {
            "shop": {"name": "Nordlicht", "url": "https://www.nordlicht.example", "postal_address": "Street 1, Town"},
            "sender": {"email": "shop@example.com"},
            "limits": {"moved_people": 2},
        },
        "segments/buyers.json": {"name": "Buyers", "where": {"did": "Order Completed", "at_least": at_least}},
        "journeys/hello.json": {
            "name": "Hello",
            "status": "live",
            "trigger": {"segment": "buyers"},
            "steps": [{"email": "hello"}],
        },
        "templates/hello.mjml": MAIL,
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def test_a_held_change_is_counted_said_confirmed_and_reaches_everybody(world: World, tmp_path: Path) -> None:
    """The status counts whom the change moves and names a file; saving it lets the change go live, silently."""
    s3, bucket = world.cloud.client("s3"), world.stack.bucket

    def status() -> dict[str, Any]:
        return read_status(s3, bucket)[1]

    def members() -> set[str]:
        people = [decode_profile(row) for row in world.scan("profiles")]
        return {it.who for it in people if is_member(it.state.memberships.get("buyers"))}

    assert world.publish(write(tmp_path, 5))["good"]
    orders = [
        {
            "type": "track",
            "event": "Order Completed",
            "userId": who,
            "messageId": f"o-{who}",
            "properties": {"revenue": 1},
        }
        for who in WHOS
    ]
    assert world.post("/v1/batch", {"batch": orders}, key=world.server_key).status == 200
    wait_for(lambda: len(world.scan("profiles")) == len(WHOS), 60, what="six profiles")

    world.publish(write(tmp_path, 1))
    held = wait_for(lambda: status() if status().get("held", {}).get("counted") else {}, 60, what="the count")
    assert held["held"]["people"] == len(WHOS)
    assert held["held"]["segments"] == {"buyers": {"entered": len(WHOS), "left": 0}}
    assert held["held"]["confirm_by"] in held["message"]
    assert held["files"]["segments/buyers.json"]["state"] == "held"
    assert held["live"]["generation"] == 1
    assert members() == set()

    s3.put_object(Bucket=bucket, Key=held["held"]["confirm_by"], Body=b"")
    wait_for(lambda: status()["good"], 60, what="the change to go live")
    assert status()["live"]["generation"] == 2
    wait_for(lambda: members() == {f"u#{who}" for who in WHOS}, 60, what="everybody in the segment")

    def progress() -> dict[str, Any]:
        told: dict[str, Any] = json.load(s3.get_object(Bucket=bucket, Key="_status/sweep.json")["Body"])
        return told

    wait_for(lambda: progress()["done"], 60, what="the end of the sweep")
    assert world.scan("runs") == []
    assert world.inbox() == []
    assert progress()["segments"] == {"buyers": {"entered": len(WHOS), "left": 0}}
