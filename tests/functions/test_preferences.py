"""serve_page: the preference centre, confirmations, and requests for a copy or for erasure."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from builders import CART, a_bundle, a_cart_event, a_subscription, an_identify, publish
from msgspec.structs import replace
from shoppers import Shop
from world import lambda_context

from cartwake.addresses import Address
from cartwake.bundles import Topic, TopicWords
from cartwake.errors import TryAgain
from cartwake.gateways.secrets import link_secrets
from cartwake.links import (
    Confirm,
    Erase,
    Export,
    Preferences,
    confirm_url,
    erase_url,
    export_url,
    preferences_url,
)
from cartwake.serving import centre, confirmations
from cartwake.statements import Channel
from cartwake.store import addresses, base, events, messages
from cartwake.times import DAY, HOUR, MINUTE
from functions.serve_page import app

TOPICS = {
    "sale": Topic(name="Sale", text="When prices fall.", translations={"de": TopicWords(name="Angebote")}),
    "news": Topic(name="New arrivals"),
}
SAVE = {"save": "1", "shown": ["email", "sms"], "topic_shown": ["sale", "news"]}
ALL = SAVE | {"want": ["email", "sms"], "topic": ["sale", "news"], "pause": "0", "rest": "0", "language": "en"}


@pytest.fixture
def site(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop with two topics, and a subscriber who was welcomed a day ago."""
    rules = a_bundle(generation=2, journeys={"cart": replace(CART, topic="sale", again_ms=0, steps=CART.steps[:2])})
    publish(replace(rules, settings=replace(rules.settings, topics=TOPICS)))
    monkeypatch.setattr(app, "read_clock", lambda: shop.now)
    shop.known()
    shop.hear(an_identify(at=shop.now, id="phone", traits={"phone": "+48601777333"}))
    return shop


def key_of(channel: Channel = Channel.EMAIL) -> str:
    return Shop.profile("u#1").address_keys[channel]


def row(channel: Channel = Channel.EMAIL) -> Address:
    return addresses.get_address(key_of(channel))


def path(key: str = "") -> str:
    link = Preferences("u#1", "m1", key or key_of(), Channel.EMAIL)
    return preferences_url("", link, link_secrets())


def ask(method: str, path: str, form: dict[str, Any] | str | None = None) -> dict[str, Any]:
    body = form if isinstance(form, str) else urlencode(form or {}, doseq=True)
    token = path.rpartition("/")[2]
    event = {"rawPath": path, "requestContext": {"http": {"method": method}}, "pathParameters": {"token": token}}
    return app.handler(event | {"body": body}, lambda_context())


def told(*names: str) -> list[Any]:
    return [event for event in reversed(events.list_events("u#1")) if event.name in names and event.trust == "own"]


def hear(site: Shop, *names: str) -> None:
    """Have what the page told be folded, as the stream does."""
    site.hear(*told(*names))


def leave_a_cart(site: Shop) -> str:
    """Leave a cart, wait for its mail, and return why it was not sent; "" if it was."""
    before = {message.id for message in messages.list_messages("u#1")}
    site.hear(a_cart_event(at=site.now, id=f"cart-{site.now}"))
    site.wait(HOUR + 3 * MINUTE)
    (message,) = [it for it in messages.list_messages("u#1") if it.id not in before]
    site.now += 10 * DAY
    return message.reason


def test_the_page_shows_what_holds(site: Shop) -> None:
    """The address masked, each channel with its answer, each topic with its text; a look changes nothing."""
    before = (row(), row(Channel.SMS), events.list_events("u#1"))
    page = ask("GET", path())
    assert page["statusCode"] == 200
    assert "a•••@example.com" in page["body"]
    assert "ada@example.com" not in page["body"]
    assert "••• 33" in page["body"]
    assert '<input type="checkbox" name="want" value="email" checked>' in page["body"]
    assert '<input type="checkbox" name="want" value="sms">' in page["body"]
    assert "When prices fall." in page["body"]
    assert ask("HEAD", path())["body"] == ""
    assert (row(), row(Channel.SMS), events.list_events("u#1")) == before


def test_without_a_choice_the_mail_goes_out(site: Shop) -> None:
    """What the other tests see skipped is sent to who chose nothing."""
    assert leave_a_cart(site) == ""


@pytest.mark.parametrize(
    ("form", "why"),
    [
        (ALL | {"topic": ["news"]}, "topic_refused"),
        (ALL | {"pause": "30"}, "on_pause"),
        (ALL | {"want": ["sms"]}, "unsubscribed"),
        ({"leave": "1", "shown": ["email", "sms"]}, "unsubscribed"),
    ],
)
def test_what_is_chosen_is_heeded_from_the_answer_on(site: Shop, form: dict[str, Any], why: str) -> None:
    """When the page has answered, no message that it refuses goes out, and the reason is stored."""
    answer = ask("POST", path(), form)
    assert answer["statusCode"] == 200
    assert leave_a_cart(site) == why


def test_fewer_messages(site: Shop) -> None:
    """At most one a month: the first goes out, the next is capped, though the shop's own cap would let it through."""
    ask("POST", path(), ALL | {"rest": "30"})
    assert [leave_a_cart(site) for _ in range(3)] == ["", "frequency_cap", "frequency_cap"]


def test_a_pause_ends_by_itself(site: Shop) -> None:
    """And nobody has to come back for that."""
    ask("POST", path(), ALL | {"pause": "30"})
    assert "Pause until 22 December 2026" in ask("GET", path())["body"]
    assert [leave_a_cart(site) for _ in range(5)] == ["on_pause"] * 4 + [""]


def test_withdrawing_and_giving_are_one_press_each(site: Shop) -> None:
    """The same form, the same button; row, event and profile agree."""
    for wanted in ([], ["email", "sms"], []):
        site.now += MINUTE
        ask("POST", path(), ALL | {"want": wanted})
        hear(site, "Subscribed", "Unsubscribed")
        profile = Shop.profile("u#1")
        for channel in (Channel.EMAIL, Channel.SMS):
            known = row(channel).consent
            assert (known is not None and known.subscribed) == bool(wanted)
            stated = profile.state.consents.get(channel)
            assert stated == known or (stated is None and not wanted)


def test_what_was_chosen_is_a_fact_of_the_profile(site: Shop) -> None:
    """An event tells it, and the language is a trait that templates and segments read."""
    ask("POST", path(), ALL | {"language": "de", "topic": []})
    hear(site, "Preferences Changed")
    assert Shop.profile("u#1").state.traits["language"].value == "de"
    assert {event.properties["channel"] for event in told("Preferences Changed")} == {"email", "sms"}
    page = ask("GET", path())["body"]
    assert '<html lang="de">' in page
    assert "Angebote" in page


def test_a_repetition_says_the_same(site: Shop) -> None:
    """Reloaded, or pressed by a nervous finger: one statement, one event of each kind."""
    for _ in range(3):
        assert ask("POST", path(), ALL | {"want": [], "pause": "90"})["statusCode"] == 200
        site.now += MINUTE // 4
    assert len(told("Unsubscribed")) == 1
    assert len(told("Preferences Changed")) == 2


def test_a_no_that_is_repeated_later_counts_from_then_on(site: Shop) -> None:
    """Whoever saves the page again says no again: what a server tells late of in between lifts nothing.

    Though they found the box without a tick and left it so. The page could not show that yes, and of two who may be
    wrong about what was meant it is the one who writes no mail; so a save is a row on the record, and may be.
    """
    for _ in range(2):
        ask("POST", path(), ALL | {"want": []})
        site.now += HOUR
    assert [event.occurred_at for event in told("Unsubscribed")] == [site.now - 2 * HOUR, site.now - HOUR]
    known = row().consent
    assert known is not None
    assert (known.subscribed, known.at) == (False, site.now - HOUR)
    hear(site, "Unsubscribed")
    site.hear(a_subscription(id="late", at=site.now - HOUR - MINUTE))
    assert row().consent == known == Shop.profile("u#1").state.consents[Channel.EMAIL]


def test_a_page_that_was_open_for_long_lifts_nothing(site: Shop) -> None:
    """Who left meanwhile, and now chooses a language on the page from before, has not subscribed by that."""
    page = ask("GET", path())["body"]
    found = re.findall('name="ticked" value="([^"]*)"', page)
    assert found == ["want:email", "topic:news", "topic:sale"]
    ask("POST", path(), {"leave": "1", "shown": ["email", "sms"]})
    ask("POST", path(), ALL | {"topic": ["news"]} | {"want": []})
    site.now += HOUR
    ask("POST", path(), ALL | {"want": ["email"], "language": "de", "ticked": found})
    known = row()
    assert known.consent is not None
    assert (known.consent.subscribed, known.choices.refused_topics, known.choices.language) == (False, ("sale",), "de")
    assert told("Subscribed") == []
    site.now += HOUR
    ask("POST", path(), ALL | {"want": ["email"], "ticked": ["topic:news"]})
    again = row().consent
    assert again is not None
    assert again.subscribed


def test_an_event_that_was_lost_is_told_when_it_is_repeated(site: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not all was written the page says so, and the next press mends it."""

    def fail(_: Any) -> None:
        raise TryAgain("throttled")

    with monkeypatch.context() as broken:
        broken.setattr(centre.events, "put_events", fail)
        answer = ask("POST", path(), ALL | {"want": []})
        assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "30")
    assert told("Unsubscribed") == []
    assert ask("POST", path(), ALL | {"want": []})["statusCode"] == 200
    assert len(told("Unsubscribed")) == 1


def test_others_who_write_meanwhile_are_heeded(site: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A choice is written over what it was decided on, or decided anew."""
    commit, tries = base.commit, []

    def interfere(actions: Any, **more: Any) -> bool:
        tries.append(actions)
        if len(tries) == 1:
            addresses.put_address(replace(row(), softs=()))
        return commit(actions, **more)

    monkeypatch.setattr(centre.base, "commit", interfere)
    assert ask("POST", path(), ALL | {"want": []})["statusCode"] == 200
    known = row().consent
    assert known is not None
    assert not known.subscribed


@pytest.mark.parametrize("form", [None, {}, {"want": "email"}, "List-Unsubscribe=One-Click", "%%%&&==", "save" * 9_000])
def test_what_is_no_form_changes_nothing(site: Shop, form: Any) -> None:
    """A POST that no button of the page sent is answered with the page."""
    before = (row(), events.list_events("u#1"))
    assert ask("POST", path(), form)["statusCode"] == 200
    assert (row(), events.list_events("u#1")) == before


def test_an_old_address_can_be_unsubscribed_and_nothing_else(site: Shop) -> None:
    """Where it is the shopper's no more, its mail shows nothing of them, and no yes goes to their new address."""
    old = path()
    site.hear(an_identify("ada.lovelace@example.com", at=site.now, id="moved"))
    page = ask("GET", old)
    assert "Unsubscribe?" in page["body"]
    assert "example.com</span>" not in page["body"]
    before = row(Channel.SMS)
    assert "You are unsubscribed" in ask("POST", old, ALL)["body"]
    assert row(Channel.SMS) == before
    assert [event.name for event in told("Subscribed", "Unsubscribed")] == ["Unsubscribed"]


def test_a_yes_goes_to_no_address_that_comes_in_between(site: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is chosen and the address that it is chosen for are one transaction."""
    ask("POST", path(), ALL | {"want": []})
    hear(site, "Unsubscribed")
    link, commit = path(), base.commit

    def change(actions: Any, **more: Any) -> bool:
        monkeypatch.setattr(centre.base, "commit", commit)
        site.hear(an_identify("ada.lovelace@example.com", at=site.now + 1, id="moved"))
        return commit(actions, **more)

    monkeypatch.setattr(centre.base, "commit", change)
    site.now += MINUTE
    assert "You are unsubscribed" in ask("POST", link, ALL)["body"]
    assert told("Subscribed") == []


# ---- confirmations


def confirming(at: int) -> str:
    return confirm_url("", Confirm("u#1", key_of(), Channel.EMAIL, at), link_secrets())


@pytest.fixture
def asked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop, and somebody who asked for a subscription, and has not said yes yet."""
    monkeypatch.setattr(app, "read_clock", lambda: shop.now)
    shop.hear(an_identify(at=shop.now))
    return shop


def test_a_post_confirms_and_a_look_does_not(asked: Shop) -> None:
    """Scanners follow the link of the mail; the shopper presses the button: consent, its method, and the event."""
    link = confirming(asked.now)
    for method in ("GET", "HEAD", "GET"):
        assert ask(method, link)["statusCode"] == 200
    assert row().consent is None
    asked.now += HOUR
    assert "You are subscribed" in ask("POST", link)["body"]
    (event,) = told("Subscribed")
    assert event.properties == {"channel": "email", "method": "double opt-in"}
    known = row().consent
    assert known is not None
    assert (known.subscribed, known.at, known.id, known.method) == (True, asked.now, event.short_id, "double opt-in")
    hear(asked, "Subscribed")
    assert Shop.profile("u#1").state.consents[Channel.EMAIL] == known
    assert asked.subjects() == ["Welcome"]


def test_pressed_again_it_is_the_same_yes(asked: Shop) -> None:
    """One statement and one event, however often."""
    link = confirming(asked.now)
    for _ in range(3):
        asked.now += HOUR
        assert ask("POST", link)["statusCode"] == 200
    assert len(told("Subscribed")) == 1


def test_a_withdrawal_is_not_undone_by_an_old_link(asked: Shop) -> None:
    """Who confirmed and then left stays away, whoever presses the old button; a newer mail may be confirmed."""
    link = confirming(asked.now)
    ask("POST", link)
    asked.now += HOUR
    ask("POST", path(), {"leave": "1", "shown": "email"})
    asked.now += HOUR
    answer = ask("POST", link)
    assert (answer["statusCode"], "too old" in answer["body"]) == (410, True)
    known = row().consent
    assert known is not None
    assert not known.subscribed
    assert ask("POST", confirming(asked.now))["statusCode"] == 200
    again = row().consent
    assert again is not None
    assert again.subscribed


def test_a_link_confirms_for_thirty_days(asked: Shop) -> None:
    """Then it says that it is too old, and what to do."""
    link = confirming(asked.now)
    asked.now += 30 * DAY
    for method in ("GET", "POST"):
        assert ask(method, link)["statusCode"] == 410
    assert row().consent is None
    asked.now -= 1
    assert ask("POST", link)["statusCode"] == 200


def test_a_link_confirms_the_address_it_was_sent_to(asked: Shop) -> None:
    """Where the shopper has another by now, nothing is confirmed, neither of the old one nor of the new."""
    link = confirming(asked.now)
    old = key_of()
    asked.hear(an_identify("ada.lovelace@example.com", at=asked.now + 1, id="moved"))
    assert ask("POST", link)["statusCode"] == 410
    assert addresses.get_address(old).consent is None
    assert row().consent is None


def test_an_address_that_changes_in_between_confirms_nothing(asked: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The yes and the address that it is for are one transaction."""
    link, old, commit = confirming(asked.now), key_of(), base.commit

    def change(actions: Any, **more: Any) -> bool:
        monkeypatch.setattr(confirmations.base, "commit", commit)
        asked.hear(an_identify("ada.lovelace@example.com", at=asked.now + 1, id="moved"))
        return commit(actions, **more)

    monkeypatch.setattr(confirmations.base, "commit", change)
    assert ask("POST", link)["statusCode"] == 410
    assert addresses.get_address(old).consent is None


# ---- a copy, and erasure


@pytest.mark.parametrize(("make", "kind"), [(export_url, Export), (erase_url, Erase)])
def test_the_way_to_a_request_and_back(site: Shop, make: Any, kind: Any) -> None:
    """Each page is in the language that was chosen, and who thinks better of it comes back to their settings."""
    ask("POST", path(), ALL | {"language": "pl"})
    url = make("", kind("u#1", "m1", key_of(), Channel.EMAIL, site.now), link_secrets())
    for page in (ask("GET", url), ask("POST", url)):
        assert '<html lang="pl">' in page["body"]
    back = f'href="..{path()}"'
    assert back in ask("GET", url)["body"]
    assert (back in ask("POST", url)["body"]) is (kind is Export)
    assert ask("GET", path())["statusCode"] == 200


def test_a_page_speaks_the_language_of_the_mail(asked: Shop) -> None:
    """Whose browser told a locale reads the mail in it, and the page that it leads to."""
    asked.hear(an_identify(at=asked.now, id="locale", traits={"locale": "de-AT"}))
    for method in ("GET", "POST"):
        assert '<html lang="de">' in ask(method, confirming(asked.now))["body"]


@pytest.mark.parametrize(
    ("make", "kind", "name", "words"),
    [
        (export_url, Export, "Export Requested", "A copy of your data?"),
        (erase_url, Erase, "Erasure Requested", "Erase your data?"),
    ],
)
def test_a_request_is_noted_once(site: Shop, make: Any, kind: Any, name: str, words: str) -> None:
    """The preference centre leads to a page that says what follows; its button makes the event, once a link."""
    url = make("", kind("u#1", "m1", key_of(), Channel.EMAIL, site.now), link_secrets())
    link = url.rpartition("/")[2]
    assert f'href="../{url.lstrip("/")}"' in ask("GET", path())["body"]
    for method in ("GET", "HEAD", "GET"):
        assert ask(method, url)["statusCode"] == 200
    assert words in ask("GET", url)["body"]
    assert told(name) == []
    for _ in range(3):
        site.now += MINUTE
        assert ask("POST", url)["statusCode"] == 200
    (event,) = told(name)
    assert event.properties == {"channel": "email", "message": "m1", "address": key_of(), "method": "page"}
    site.now += DAY
    assert ask("POST", url)["statusCode"] == 410
    assert ask("POST", url.replace(link, link[:-1]))["statusCode"] == 404
