"""The demo from end to end: engine, stack, rules, real data, stories, page."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from cartwake.bundles import Bundle
from cartwake.clock import read_clock
from cartwake_cli.commands.replay import post_calls
from cartwake_cli.demo import check, overlay, server, story
from cartwake_cli.demo.check import Expected, Verdict
from cartwake_cli.demo.reader import Reader
from cartwake_cli.demo.shop import load_products
from cartwake_cli.demo.state import Shopper
from cartwake_cli.demo.steps import Steps
from cartwake_cli.demo.visitors import Backend
from cartwake_cli.faults import Fault
from cartwake_cli.households import LAST_AT, Journey, make_calls
from cartwake_cli.local import places
from cartwake_cli.local.world import World, open_world
from cartwake_cli.tables import Tables

USUAL_PORT: Final = 8787
SETTLE_SECONDS: Final = 5
HOUSEHOLDS: Final = 100
WEEKS: Final = 13
FOLD_SECONDS: Final = 90
SCHEDULE_AFTER_SECONDS: Final = "2"
"""So low that a wait of seconds goes through EventBridge Scheduler, as one of hours does."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what the stories need."""

    world: World
    reader: Reader
    rules: Bundle
    url: str


@contextmanager
def perform(steps: Steps, *, port: int, settle: bool) -> Iterator[tuple[Verdict, str]]:
    """Run the demo; the page stays up as long as the context does.

    Args:
        steps: Shows what is being done.
        port: The page's; 0 takes the usual one, or any free one if that is taken.
        settle: Watch for messages too many before the verdict.
    """
    site = open_server(steps, port)
    try:
        parameters = choose_parameters(site.url)
        with open_world(auth=True, parameters=parameters, tell=steps.begin) as world:
            cast = prepare(steps, world, site)
            replay(steps, cast)
            expected = story.expect(cast.rules, load_products())
            stage = tell_stories(steps, cast, expected)
            if settle:
                watch(steps, cast.reader)
            steps.end()
            yield judge(stage, expected), site.url
    finally:
        site.close()


def choose_parameters(url: str) -> dict[str, str]:
    """Return the stack's parameters: links lead to the page's server, mail comes from the starter's sender."""
    sender = read_starter()["sender"]["email"]
    return {
        "PublicUrl": url,
        "ScheduleAfterSeconds": SCHEDULE_AFTER_SECONDS,
        "SenderIdentity": sender.partition("@")[2],
    }


def read_starter() -> dict[str, Any]:
    """Return the settings of the starter files, as a marketer wrote them."""
    settings: dict[str, Any] = json.loads((places.STARTER / "settings.json").read_text())
    return settings


def open_server(steps: Steps, port: int) -> server.Server:
    """Start the page's server on the port that was asked for, else on the usual one or a free one."""
    if port:
        return server.start(port)
    try:
        return server.start(USUAL_PORT)
    except Fault:
        steps.tell(f"[yellow]![/] Port {USUAL_PORT} is taken by another program; the page takes a free one.")
        return server.start()


def prepare(steps: Steps, world: World, site: server.Server) -> Cast:
    """Put the demo's rules live and make the page ready."""
    steps.begin("Publishing the starter files, with waits of seconds")
    folder = overlay.copy_rules(places.STARTER, places.clear(places.WORK / "demo-rules"), url=site.url)
    status = world.publish(folder)
    if not status["good"]:
        faults = [f"{file}: {each['faults']}" for file, each in status["files"].items() if each["faults"]]
        raise Fault("\n  ".join([f"the starter files did not all go live: {status['message']}", *faults]))
    tables = Tables(world.cloud, world.stack)
    rules = tables.read_live()
    if rules is None:
        raise Fault("publish_rules says that all is live, and nothing is")
    steps.end(f"{len(status['files'])} files live, {len(rules.journeys)} journeys, {len(rules.segments)} segments")
    products = load_products()
    reader = Reader(tables, world.engine.url)
    stories = [Shopper(it.id, it.name, (f"u#{it.id}", f"a#{it.anonymous_id}")) for it in story.PEOPLE]
    shop = {
        "name": rules.settings.shop.name,
        "address": urlsplit(read_starter()["shop"]["url"]).netloc,
        "color": rules.settings.shop.color,
    }
    waits = {"cart": overlay.WAIT_SECONDS}
    site.site = server.Site(Backend(world, products, site.url), reader, stories, shop, waits)
    return Cast(world, reader, rules, site.url)


def replay(steps: Steps, cast: Cast) -> None:
    """Send the last weeks of one hundred real households to the same endpoint, and wait until all are folded."""
    steps.begin("Replaying the orders of one hundred real households")
    warm(cast.world)
    journey = Journey()
    baskets = journey.read_baskets(households=HOUSEHOLDS, weeks=WEEKS)
    calls = list(make_calls(journey, baskets, shift_ms=read_clock() - LAST_AT))
    people = len({call["userId"] for call in calls})
    done = 0
    for count in post_calls(cast.world.url, cast.world.server_key, calls):
        done += count
        steps.note(f"{done:,} of {len(calls):,} events")
    members = await_profiles(steps, cast.reader.tables, people)
    cast.reader.source = f"{len(baskets):,} real orders of {people} households, from the last {WEEKS} weeks of the data"
    steps.end(f"{len(baskets):,} orders; {members.get('vip', 0)} of {people} households are in segment vip")


def warm(world: World) -> None:
    """Start a process of each function that the stories wait for, while the orders are replayed."""
    for function in ("enter_journeys", "run_step", "send_message"):
        world.cloud.client("lambda").invoke(
            FunctionName=world.stack.functions[function], InvocationType="Event", Payload=b'{"Records": []}'
        )


def await_profiles(steps: Steps, tables: Tables, people: int) -> dict[str, int]:
    """Wait until as many profiles are there and no segment changes any more; return the members by segment."""
    deadline = time.monotonic() + FOLD_SECONDS
    seen: tuple[int, dict[str, int]] = (0, {})
    while time.monotonic() < deadline:
        time.sleep(1)
        counted = tables.count_members()
        if counted[0] >= people and counted == seen:
            return counted[1]
        seen = counted
        steps.note(f"{counted[0]} profiles, {counted[1].get('vip', 0)} in segment vip")
    raise Fault(f"after {FOLD_SECONDS} s there are {seen[0]} profiles of {people}")


def tell_stories(steps: Steps, cast: Cast, expected: list[Expected]) -> story.Stage:
    """Play the stories and show what happens in them; return where they were played."""
    steps.begin("Three stories, told with the stock Segment client")
    stage = story.Stage(
        cast.url,
        cast.world.server_key,
        cast.reader.tables,
        load_products(),
        read_sent=cast.reader.read_sent,
        say=story.make_say(steps.tell),
    )
    story.play(stage, expected)
    steps.end()
    return stage


def watch(steps: Steps, reader: Reader) -> None:
    """Keep looking for a while: a message too many often comes right after the last one."""
    steps.begin(f"Watching {SETTLE_SECONDS} s for messages too many")
    until = time.monotonic() + SETTLE_SECONDS
    while (left := until - time.monotonic()) > 0:
        steps.note(f"{len(reader.read_sent())} messages, {left:.0f} s left")
        time.sleep(min(left, 0.5))


def judge(stage: story.Stage, expected: list[Expected]) -> Verdict:
    """Compare what was promised with the engine's whole record."""
    known = {person.id: stage.look(person) for person in story.PEOPLE}
    return check.compare(expected, stage.read_sent(), known)
