"""Changed rules: runs go on under the steps that they began with, and find what those read."""

import json
from functools import partial
from typing import Any

from builders import a_bundle, a_cart_event, an_event, publish
from marketer import list_runs
from shoppers import Shop

from cartwake.bundles import Bundle
from cartwake.reasons import NotEntered
from cartwake.rules.publication import choose
from cartwake.segments import finish
from cartwake.store import base, events, profiles, slots
from cartwake.sweeps import repair
from cartwake.times import DAY, HOUR, MINUTE

SETTINGS = {
    "shop": {"name": "N", "url": "https://n.example/", "postal_address": "Street 1"},
    "sender": {"email": "shop@example.com"},
}
MAIL = """<mjml><mj-head><mj-title>{title}</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{{{ shop.postal_address }}}} <a href="{{{{ unsubscribe_url }}}}">stop</a>
</mj-text></mj-column></mj-section></mj-body></mjml>"""
WAIT = {"wait": "1 hour"}


def compile_steps(steps: list[dict[str, Any]], *, before: Bundle, now: int, **more: Any) -> Bundle:
    """Return the bundle in which one journey has these steps, published after *before*."""
    journey = {"name": "J", "status": "live", "trigger": {"event": "Product Added"}, "steps": steps} | more
    files = {
        "settings.json": json.dumps(SETTINGS).encode(),
        "journeys/j.json": json.dumps(journey).encode(),
        **{f"templates/{title}.mjml": MAIL.format(title=title).encode() for title in ("then", "else")},
    }
    found = choose(files, live=before, now=now).bundle
    assert found is not None
    return found


def test_a_run_finds_what_its_own_steps_read(shop: Shop) -> None:
    """A publish that takes a branch away does not make the runs that come to it forget what it asks."""
    shop.known()
    branch = {"if": {"did": "Foo"}, "then": [{"email": "then"}], "else": [{"email": "else"}]}
    first = compile_steps([WAIT, branch], before=a_bundle(), now=shop.now)
    publish(first)
    shop.hear(a_cart_event(at=shop.now))
    shop.hear(an_event("Foo", at=shop.now + 1))
    publish(compile_steps([WAIT], before=first, now=shop.now))
    shop.hear(an_event(at=shop.now + 2))
    shop.wait(HOUR + 5 * MINUTE)
    assert shop.subjects()[-1] == "then"


def test_all_events_derived_again_start_what_was_there_when_they_came(shop: Shop) -> None:
    """The redrive of docs/operate.md: a younger journey is not started by carts of the days before it."""
    shop.known()
    publish(nobody := a_bundle(generation=2, journeys={}))
    carts = []
    for days in range(3):
        carts.append(a_cart_event(id=f"c{days}", at=shop.now, properties={"product_id": f"P-{days}"}))
        shop.hear(carts[-1])
        shop.now += 4 * DAY
    younger = compile_steps([WAIT, {"email": "then"}], before=nobody, now=shop.now, key="product_id")
    publish(younger)
    sweep(younger, shop.now)
    lost = a_cart_event(id="lost", at=shop.now, properties={"product_id": "P-9"})
    events.put_events([lost])
    shop.now += DAY
    mails = len(shop.mails())
    shop.hear(*carts, lost)
    assert [run.about for run in list_runs()] == ["P-9"]
    assert slots.get_slot("u#1", "j").refused is NotEntered.TOO_OLD
    shop.wait(HOUR + 5 * MINUTE)
    assert shop.subjects()[mails:] == ["then"]


def sweep(rules: Bundle, now: int) -> None:
    """Look at user 1 as after a publish: their history is read in."""
    profile = profiles.get_profile("u#1")
    outcome = repair(profile, rules, partial(events.read_history, profile.keys), now=now)
    assert outcome is not None
    assert outcome.backfilled
    assert base.commit([profiles.put_profile(finish(outcome.profile, rules, now), outcome.signals)])
