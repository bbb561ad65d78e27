"""Campaigns through the real functions: everybody who is meant gets one mail, whatever is killed or doubled."""

import json
from collections import Counter, defaultdict
from copy import copy
from typing import Any

import boto3
import msgspec
import pytest
from builders import NOON, a_bundle, a_subscription, an_identify, publish
from moto.dynamodb.models.table import Table
from shoppers import Shop
from world import read_queue

from cartwake.bundles import Bundle, Segment
from cartwake.conditions.kinds import Trait
from cartwake.enrolments import Enrolment, Found, add_all
from cartwake.journeys import Journey, Send, Trigger
from cartwake.statements import Channel
from cartwake.store import enrolments
from cartwake.times import DAY, MINUTE, Instant
from cartwake.values import Is

AT = NOON + 2 * DAY
NEWS = Journey(
    title="News",
    status="live",
    trigger=Trigger(),
    steps=(Send(channel=Channel.EMAIL, template="welcome", subject="News"),),
)
READERS = Segment(title="R", where=Trait(name="reader", test=Is((True,))), traits=("reader",), changed_generation=1)
PEOPLE = [f"u#p{number}" for number in range(12)]


def rules(journey: Journey = NEWS, *, generation: int = 1, segment: Segment = READERS, **aim: Any) -> Bundle:
    """Return rules with the campaign `news`, for readers, two days from noon."""
    told = Enrolment(**{"segment": "readers", "starts_at": AT, "is_campaign": True} | aim)
    return a_bundle(
        generation=generation, segments={"readers": segment}, journeys={"news": journey}, enrolments={"news": told}
    )


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """For each transaction moto copies every row; here the tables are copied, and no row is changed in place."""

    def copy_table(table: Table, _: Any) -> Table:
        copied = copy(table)
        copied.items = defaultdict(dict, {key: dict(rows) for key, rows in table.items.items()})
        return copied

    monkeypatch.setattr(Table, "__deepcopy__", copy_table, raising=False)


def join(shop: Shop, *whos: str, reader: bool = True, **traits: Any) -> None:
    """Make subscribers of people, who are readers or not."""
    for who in whos:
        told = an_identify(f"{who[2:]}@example.com", who=who, user_id=who[2:], id=f"i-{who}-{shop.now}", at=shop.now)
        told = msgspec.structs.replace(told, traits=told.traits | {"reader": reader} | traits)
        shop.derive(told, a_subscription(who=who, user_id=who[2:], id=f"s-{who}-{shop.now}", at=shop.now))


@pytest.fixture
def ready(shop: Shop) -> Shop:
    """A shop with a campaign in two days, and a dozen people, every third of whom is no reader."""
    publish(rules(generation=2))
    for index, who in enumerate(PEOPLE):
        join(shop, who, reader=index % 3 > 0)
    read_queue("steps")
    return shop


MEANT = [who for index, who in enumerate(PEOPLE) if index % 3]


def go_to(shop: Shop, at: Instant) -> None:
    """Let time pass up to an instant, a minute at a step where something is under way."""
    while shop.now < at:
        shop.wait(min(MINUTE, at - shop.now))


def got(shop: Shop) -> Counter[str]:
    """Return how many mails each got."""
    return Counter(mail.destinations["ToAddresses"][0].partition("@")[0] for mail in shop.mails())


def once(whos: list[str] = MEANT) -> Counter[str]:
    return Counter(who[2:] for who in whos)


def tally() -> Found:
    return add_all(enrolments.list_parts())


def told() -> dict[str, Any]:
    body = boto3.client("s3").get_object(Bucket="rules-bucket", Key="_status/campaigns.json")["Body"].read()
    shown: dict[str, Any] = json.loads(body)["campaigns"]["news"]
    return shown


def test_everybody_who_is_meant_gets_one_mail(ready: Shop) -> None:
    """Nothing before the time; then each member one mail, and the progress says so."""
    ready.now = AT - 1
    ready.wait(0)
    assert enrolments.list_parts() == []
    ready.wait(1)
    go_to(ready, AT + 4 * MINUTE)
    assert got(ready) == once()
    assert (tally().members, tally().enrolled, tally().read) == (8, 8, 12)
    shown = told()
    assert (shown["recipients"], shown["everybody_found"], shown["messages"]["accepted"]) == (8, True, 8)
    assert shown["message"] == "8 recipients. 8 messages were sent."
    go_to(ready, AT + 10 * MINUTE)
    ready.now = AT + 3 * DAY
    ready.wait(MINUTE)
    assert got(ready) == once()
