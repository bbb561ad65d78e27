"""Changed rules: runs go on under the steps that they began with, and find what those read."""

import json
from typing import Any

from builders import a_bundle, a_cart_event, an_event, publish
from shoppers import Shop

from cartwake.bundles import Bundle
from cartwake.rules.publication import choose
from cartwake.times import HOUR, MINUTE

SETTINGS = {
    "shop": {"name": "N", "url": "https://n.example/", "postal_address": "Street 1"},
    "sender": {"email": "shop@example.com"},
}
MAIL = """<mjml><mj-head><mj-title>{title}</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{{{ shop.postal_address }}}} <a href="{{{{ unsubscribe_url }}}}">stop</a>
</mj-text></mj-column></mj-section></mj-body></mjml>"""
WAIT = {"wait": "1 hour"}


def compile_steps(steps: list[dict[str, Any]], *, before: Bundle, now: int) -> Bundle:
    """Return the bundle in which one journey has these steps, published after *before*."""
    journey = {"name": "J", "status": "live", "trigger": {"event": "Product Added"}, "steps": steps}
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
