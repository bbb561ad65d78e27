"""Who calls a message spam gets no more marketing, from any journey."""

import json

import msgspec
from builders import NOON, an_event, an_identify, publish
from shoppers import Shop

from cartwake.events import COMPLAINED, Trust
from cartwake.reasons import EndReason
from cartwake.rules.publication import choose
from cartwake.store import runs
from cartwake.times import DAY, HOUR, MINUTE

SETTINGS = {
    "shop": {"name": "N", "url": "https://n.example/", "postal_address": "Street 1"},
    "sender": {"email": "shop@example.com"},
}
STEPS = [{"wait": "1 day"}, {"sms": "hello"}]
FILES = {
    "settings.json": SETTINGS,
    "journeys/one.json": {"name": "1", "status": "live", "trigger": {"event": "Product Viewed"}, "steps": STEPS},
    "journeys/two.json": {"name": "2", "status": "live", "trigger": {"event": "Cart Viewed"}, "steps": STEPS},
    "journeys/receipt.json": {
        "name": "3",
        "kind": "transactional",
        "status": "live",
        "trigger": {"event": "Order Completed"},
        "steps": STEPS,
    },
}


def test_a_complaint_ends_every_run_of_marketing(shop: Shop) -> None:
    """No journey has to say so; what is transactional goes on, as does what begins later."""
    files = {name: json.dumps(it).encode() for name, it in FILES.items()} | {"templates/hello.txt": b"Hello"}
    rules = choose(files, now=NOON).bundle
    assert rules is not None
    publish(msgspec.structs.replace(rules, generation=2))
    shop.hear(an_identify(at=NOON), *(an_event(name, at=NOON) for name in ("Product Viewed", "Cart Viewed")))
    shop.hear(an_event("Order Completed", at=NOON))
    shop.now += HOUR
    shop.hear(an_event(COMPLAINED, at=shop.now, trust=Trust.OWN, properties={"message": "m"}))
    ended = {run.journey: (run.ended, run.ended_by) for run in runs.list_runs("u#1")}
    spam = (EndReason.EXITED, COMPLAINED)
    assert ended == {"one": spam, "two": spam, "receipt": (None, "")}
    shop.now += DAY + MINUTE
    shop.hear(an_event("Product Viewed", at=shop.now, id="later"))
    assert [run.ended for run in runs.list_runs("u#1", journey="one")] == [EndReason.EXITED]
