"""Double opt-in: whoever asks, one mail goes to the mailbox, and only the press of its button is a yes."""

import re
from typing import Any

import pytest
from builders import (
    CONFIRM,
    WELCOME,
    a_bundle,
    a_request,
    a_subscription,
    an_event,
    an_identify,
    publish,
)
from msgspec.structs import replace
from shoppers import Shop
from world import lambda_context

import functions.send_message.app as send_message
from cartwake.addresses import Suppression, derive_key, suppress
from cartwake.bundles import Template
from cartwake.consents import Statement, Told
from cartwake.events import Event, Trust
from cartwake.gateways.secrets import address_secret
from cartwake.knowledge import know
from cartwake.optins import find_mailbox
from cartwake.sending.outcomes import Throttled, Unknown
from cartwake.statements import Channel, Consent
from cartwake.store import addresses, base, consents, events, identities, messages, profiles
from cartwake.times import DAY, HOUR, MINUTE
from functions.serve_page import app as serve_page

EMAIL, ADA = Channel.EMAIL, "ada@example.com"
SERVER = Trust.SERVER


@pytest.fixture
def site(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop that asks for a yes before it welcomes."""
    rules = a_bundle(generation=2, journeys={"confirm": CONFIRM, "welcome": replace(WELCOME, again_ms=0)})
    hello = Template(html="Hi <a href='{{ unsubscribe_url }}'>stop</a>", text="Hi")
    publish(replace(rules, templates=rules.templates | {"welcome": hello}))
    monkeypatch.setattr(serve_page, "read_clock", lambda: shop.now)
    return shop


def key_of(address: str = ADA) -> str:
    return derive_key(EMAIL, address, address_secret())


def consent(address: str = ADA) -> Consent | None:
    return addresses.get_address(key_of(address)).consent


def on_record(address: str = ADA) -> list[Statement]:
    return consents.list_statements(key_of(address))


def recipients(shop: Shop) -> list[str]:
    return [address for mail in shop.mails() for address in mail.destinations["ToAddresses"]]


def find_link(shop: Shop, number: int = -1) -> str:
    """Return the path of the page to which a mail leads."""
    (link,) = set(re.findall(r"(/confirm/[\w.-]+)", str(shop.mails()[number].body)))
    return link


def visit(method: str, link: str) -> int:
    event = {"rawPath": link, "requestContext": {"http": {"method": method}}}
    answer = serve_page.handler(event | {"pathParameters": {"token": link.rpartition("/")[2]}}, lambda_context())
    return int(answer["statusCode"])


def press(shop: Shop, link: str) -> int:
    """Press the button of a page, and have everything follow that this tells."""
    before = {(event.who, event.key) for event in everybodys()}
    status = visit("POST", link)
    news = [event for event in everybodys() if (event.who, event.key) not in before]
    if news:
        shop.hear(*news)
    return status


def everybodys() -> list[Event]:
    return [event for who in sorted({row.who for row in events.EventRow.scan()}) for event in events.list_events(who)]


def reasons(who: str) -> list[str]:
    """Return why the messages of somebody were not sent, in order; "" for those that were."""
    return [message.reason for message in sorted(messages.list_messages(who), key=lambda it: it.planned_at)]


def status(who: str) -> Any:
    return know(profiles.resolve_profile(who).state, "consent.email")


def test_a_browser_asks_the_reader_says_yes_and_is_welcomed(site: Shop) -> None:
    """One mail, then pending; the press is the consent, makes the visitor known by the address, and is welcomed."""
    site.hear(a_request(at=site.now))
    assert (recipients(site), site.subjects()) == ([ADA], ["Please confirm"])
    assert (status("a#1"), consent(), on_record()) == ("pending", None, [])
    assert identities.find_owner(key_of()) is None
    site.now += HOUR
    assert press(site, find_link(site)) == 200
    assert site.subjects() == ["Please confirm", "Welcome"]
    assert recipients(site) == [ADA, ADA]
    known = consent()
    assert known is not None
    assert (known.subscribed, known.at, known.method) == (True, site.now, "double opt-in")
    profile = profiles.resolve_profile("a#1")
    assert profile.state.consents[EMAIL] == known
    assert (status("a#1"), identities.find_owner(key_of())) == ("subscribed", "a#1")
    assert [(it.subscribed, it.source, it.told) for it in on_record()] == [
        (True, "own", Told(method="double opt-in")),
    ]


def test_what_a_server_told_is_agreed_to_is_on_record(site: Shop) -> None:
    """A form that a server takes tells its text and version; what a browser tells of them is on no record."""
    said = {"email": ADA, "text": "Yes, shoes.", "version": "7", "topics": ["shoes"]}
    site.hear(a_request(at=site.now, trust=SERVER, properties=said))
    press(site, find_link(site))
    (statement,) = on_record()
    assert statement.told == Told(method="double opt-in", text="Yes, shoes.", version="7", topics=("shoes",))
    site.now += DAY
    site.hear(a_request(at=site.now, properties=said | {"email": "bob@example.com"}, who="a#2"))
    press(site, find_link(site))
    (statement,) = on_record("bob@example.com")
    assert statement.told == Told(method="double opt-in")


@pytest.mark.parametrize("trust", [Trust.BROWSER, SERVER])
def test_a_known_shopper_is_asked_at_the_known_address(site: Shop, trust: Trust) -> None:
    """A request need not name what the shop's server has told."""
    site.hear(an_identify(at=site.now))
    site.hear(a_request(None, who="u#1", trust=trust, at=site.now))
    assert recipients(site) == [ADA]
    assert press(site, find_link(site)) == 200
    assert status("u#1") == "subscribed"


def test_ten_requests_are_one_mail(site: Shop) -> None:
    """The other nine are skipped with the reason; a day after the mail there may be another."""
    for _ in range(10):
        site.now += MINUTE
        site.hear(a_request(at=site.now))
    assert recipients(site) == [ADA]
    assert reasons("a#1") == [""] + ["asked_today"] * 9
    site.now += DAY - 9 * MINUTE - 1
    site.hear(a_request(at=site.now))
    assert recipients(site) == [ADA]
    site.now += 1
    site.hear(a_request(at=site.now))
    assert recipients(site) == [ADA, ADA]


@pytest.mark.parametrize(
    "spelling", [ADA, " ADA@Example.com ", "ada+1@example.com", "ada+news@example.com", "Ada+1+2@EXAMPLE.COM"]
)
def test_whoever_asks_a_mailbox_gets_one_mail(site: Shop, spelling: str) -> None:
    """Visitors, users and whoever has the address, by server and by browser, however the mailbox is written."""
    site.hear(an_identify(who="u#known", at=site.now))
    for number, who in enumerate(("a#1", "a#2", "u#3", "u#known", "a#5")):
        trust = SERVER if number % 2 else Trust.BROWSER
        site.hear(a_request(spelling if number else ADA, who=who, trust=trust, at=site.now, id=f"r-{number}"))
    assert recipients(site) == [ADA]


@pytest.mark.parametrize(
    ("local", "host", "mailbox"),
    [
        ("ada.lovelace+x", "gmail.com", ("adalovelace", "gmail.com")),
        ("a.d.a", "googlemail.com", ("ada", "gmail.com")),
        ("a.da+b", "example.com", ("a.da", "example.com")),
        ("+x", "example.com", ("+x", "example.com")),
    ],
)
def test_mailboxes(local: str, host: str, mailbox: tuple[str, str]) -> None:
    """What follows a plus is the reader's own, and so are dots at the one host of which everybody knows it."""
    assert find_mailbox(f"{local}@{host}") == "@".join(mailbox)


def test_of_two_mails_at_the_same_moment_one_goes_out(site: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mailbox is written in the claim: who comes second finds it changed, decides again, and is refused."""
    commit, begun = base.commit, []

    def commit_late(actions: Any, **more: Any) -> bool:
        if not begun and any(isinstance(getattr(it, "row", None), addresses.AddressRow) for it in actions):
            begun.append(1)
            site.hear(a_request("ada+2@example.com", who="a#2", at=site.now))
        return commit(actions, **more)

    monkeypatch.setattr(send_message.base, "commit", commit_late)
    site.hear(a_request("ada+1@example.com", at=site.now))
    assert recipients(site) == ["ada+2@example.com"]
    assert (reasons("a#1"), reasons("a#2")) == (["asked_today"], [""])


def test_what_happens_to_the_address_meanwhile_is_seen(site: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mailbox is written and the address as it was is demanded: a bounce between decision and claim is heeded."""
    commit, key = base.commit, key_of("ada+1@example.com")

    def commit_late(actions: Any, **more: Any) -> bool:
        if any(isinstance(getattr(it, "row", None), addresses.AddressRow) for it in actions):
            monkeypatch.setattr(send_message.base, "commit", commit)
            assert addresses.put_address(suppress(addresses.get_address(key), Suppression.BOUNCE, site.now))
        return commit(actions, **more)

    monkeypatch.setattr(send_message.base, "commit", commit_late)
    site.hear(a_request("ada+1@example.com", at=site.now))
    assert (site.mails(), reasons("a#1")) == ([], ["suppressed_bounce"])


def test_a_mail_that_did_not_go_out_counts_for_nothing(site: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Throttled it goes out later; in doubt it counts, and is not sent again."""
    answers: list[Any] = [Throttled("TooManyRequestsException"), Unknown("ReadTimeoutError")]
    real = send_message.send_email
    monkeypatch.setattr(send_message, "send_email", lambda it: answers.pop(0) if answers else real(it))
    site.hear(a_request("ada+1@example.com", at=site.now))
    assert addresses.get_address(key_of()).asked is None
    site.wait(20 * MINUTE)
    assert addresses.get_address(key_of()).asked is not None
    site.wait(20 * MINUTE)
    assert reasons("a#1") == ["outcome_unknown"]
    site.hear(a_request(at=site.now, id="again"))
    assert recipients(site) == []
    assert reasons("a#1")[1:] == ["asked_today"]


def test_looking_confirms_nothing(site: Shop) -> None:
    """Scanners follow the link of the mail, with GET and HEAD, as often as they like."""
    site.hear(a_request(at=site.now))
    before = len(everybodys())
    for method in ("GET", "HEAD", "GET"):
        assert visit(method, find_link(site)) == 200
    site.wait(DAY)
    assert (consent(), on_record(), status("a#1"), len(everybodys())) == (None, [], "pending", before)
    assert site.subjects() == ["Please confirm"]


def test_pressed_again_it_is_the_same_yes(site: Shop) -> None:
    """One statement, one row on the record, one welcome, also when the answer was lost before the event was told."""
    site.hear(a_request(at=site.now))
    for _ in range(3):
        assert press(site, find_link(site, 0)) == 200
        site.now += MINUTE
    assert len(on_record()) == 1
    assert site.subjects() == ["Please confirm", "Welcome"]
    (told,) = [event for event in everybodys() if event.name == "Subscribed"]
    assert told.traits == {"email": ADA}


def test_an_old_link_undoes_no_withdrawal(site: Shop) -> None:
    """Who confirmed and left stays away, whoever has the mail; a browser's word has no other sent."""
    site.hear(a_request(at=site.now))
    press(site, find_link(site))
    site.now += HOUR
    site.hear(an_event("Unsubscribed", who="a#1", at=site.now, properties={"channel": "email"}))
    assert press(site, find_link(site, 0)) == 410
    site.now += 2 * DAY
    site.hear(a_request(at=site.now))
    site.hear(a_request("ada+x@example.com", who="a#2", at=site.now))
    assert (reasons("a#1")[-1], reasons("a#2")) == ("unsubscribed", ["unsubscribed"])
    assert status("a#1") == "unsubscribed"
    assert len(site.mails()) == 2


def test_who_left_comes_back_on_a_servers_word(site: Shop) -> None:
    """The shop vouches that they want to, and they still say so themselves; what was asked before they left is over."""
    site.known()
    site.hear(an_event("Unsubscribed", at=site.now, properties={"channel": "email"}))
    site.hear(a_request(who="u#1", trust=SERVER, at=site.now - 1, id="before"))
    assert reasons("u#1")[-1] == "unsubscribed"
    site.now += HOUR
    site.hear(a_request(who="u#1", trust=SERVER, at=site.now, id="after"))
    assert status("u#1") == "pending"
    assert site.subjects()[-1] == "Please confirm"
    assert press(site, find_link(site)) == 200
    assert status("u#1") == "subscribed"


def test_a_link_is_good_for_thirty_days(site: Shop) -> None:
    """Then the page says that it is too old, and nothing is confirmed."""
    site.hear(a_request(at=site.now))
    site.now += 30 * DAY
    assert press(site, find_link(site)) == 410
    assert consent() is None
    site.now -= 1
    assert press(site, find_link(site)) == 200


@pytest.mark.parametrize("why", list(Suppression))
@pytest.mark.parametrize("trust", [Trust.BROWSER, SERVER])
def test_nobody_suppressed_is_asked(site: Shop, trust: Trust, why: Suppression) -> None:
    """Neither at the address, nor at another spelling of its mailbox, and on nobody's word."""
    assert addresses.put_address(suppress(addresses.get_address(key_of()), why, site.now))
    site.hear(a_request(trust=trust, at=site.now), a_request("ada+1@example.com", who="a#2", trust=trust, at=site.now))
    assert (reasons("a#1"), reasons("a#2")) == ([f"suppressed_{why}"], [f"suppressed_{why}"])
    assert site.mails() == []


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", 5, ["ada@example.com"], {"a": 1}, "a@b@c", "x" * 400 + "@example.com"]
)
def test_what_is_no_address_is_not_written_to(site: Shop, email: Any) -> None:
    """It is skipped with a reason, and not sent to the shopper's own address instead."""
    site.hear(an_identify(at=site.now))
    site.hear(a_request(who="u#1", at=site.now, properties={"email": email}))
    assert (site.mails(), reasons("u#1")) == ([], ["no_address"])


def test_a_yes_is_for_whoever_has_the_address(site: Shop) -> None:
    """A visitor asks with the address of a user: the user is subscribed, and the visitor is nobody's."""
    site.hear(an_identify(at=site.now))
    site.hear(a_request(at=site.now))
    assert press(site, find_link(site)) == 200
    assert (status("u#1"), status("a#1")) == ("subscribed", "pending")
    assert profiles.resolve_profile("a#1").who == "a#1"
    assert EMAIL not in profiles.resolve_profile("a#1").state.contacts
    assert site.subjects()[-1] == "Welcome"


def have_left(site: Shop, how: str) -> None:
    """Have somebody have had Ada's address, who has it no more."""
    user = {"who": "u#1", "at": site.now + 1}
    match how:
        case "a guest who has logged in with another":
            site.hear(an_identify(ADA, who="a#guest", anonymous_id="guest", at=site.now))
            site.hear(an_identify("ben@example.com", anonymous_id="guest", user_id="1", **user))
        case "a user whose server took it away":
            site.hear(an_identify(ADA, who="u#1", at=site.now))
            site.hear(an_identify("", id="none", **user))
        case "a user with another, after a slip":
            site.hear(an_identify(ADA, who="u#1", at=site.now))
            site.hear(an_identify("ben at example", id="slip", **user))
            site.hear(an_identify("ben@example.com", id="mended", **user | {"at": site.now + 2}))
        case "a row that outlived it":
            site.hear(an_identify("ben@example.com", **user))
            assert base.commit([identities.claim(key_of(), "u#1", owner=None)])
        case "a row that outlived its owner":
            assert base.commit([identities.claim(key_of(), "u#erased", owner=None)])


@pytest.mark.parametrize(
    "how",
    [
        "a guest who has logged in with another",
        "a user whose server took it away",
        "a user with another, after a slip",
        "a row that outlived it",
        "a row that outlived its owner",
    ],
)
def test_who_had_the_address_once_does_not_stand_in_the_way(site: Shop, how: str) -> None:
    """The address is released with the word that takes it away; and a row that names who has it not names nobody."""
    have_left(site, how)
    assert (identities.find_owner(key_of()) is None) is not how.startswith("a row")
    site.now += DAY
    site.hear(a_request(who="a#other", at=site.now))
    assert press(site, find_link(site)) == 200
    assert identities.find_owner(key_of()) == "a#other"
    assert profiles.resolve_profile("a#other").keys == ("a#other",)
    assert status("a#other") == "subscribed"
    assert recipients(site)[-1] == ADA


@pytest.mark.parametrize("who", ["a#1", "u#2"])
def test_a_row_that_outlived_the_address_names_nobody(site: Shop, who: str) -> None:
    """Whoever is told with the address next owns it, and is not taken for who had it."""
    have_left(site, "a row that outlived it")
    site.now += DAY
    site.hear(an_identify(ADA, who=who, at=site.now))
    assert (identities.find_owner(key_of()), profiles.resolve_profile(who).keys) == (who, (who,))


@pytest.mark.parametrize(("who", "identified"), [("u#1", True), ("u#1", False), ("a#1", True)])
def test_a_yes_takes_nobodys_address_away(site: Shop, who: str, identified: bool) -> None:
    """Asked in a user's name, or in that of a visitor whose address is known, it is of somebody new."""
    if identified:
        site.hear(an_identify(who=who, at=site.now))
    before = profiles.resolve_profile(who)
    site.hear(a_request("eve@example.com", who=who, at=site.now))
    assert press(site, find_link(site)) == 200
    after = profiles.resolve_profile(who)
    assert (after.state.contacts, after.address_keys) == (before.state.contacts, before.address_keys)
    assert status(who) == "pending"
    owner = identities.find_owner(key_of("eve@example.com"))
    assert owner not in (None, who)
    assert (status(str(owner)), recipients(site)[-1], site.subjects()[-1]) == (
        "subscribed",
        "eve@example.com",
        "Welcome",
    )


def test_a_confirmed_visitor_becomes_no_user_on_a_browsers_word(site: Shop) -> None:
    """Whose address was confirmed does not get the messages of a user by saying to be one."""
    site.hear(a_request("eve@example.com", at=site.now))
    press(site, find_link(site))
    claim = {"who": "u#1", "user_id": "1", "anonymous_id": "1", "trust": Trust.BROWSER, "at": site.now}
    site.hear(an_event("Product Viewed", **claim))
    assert profiles.resolve_profile("u#1").state.contacts == {}
    assert profiles.resolve_profile("a#1").who == "a#1"


def test_somebody_erased_confirms_nothing(site: Shop) -> None:
    """A link to the address of somebody who asked to be forgotten is dead."""
    site.hear(a_request(at=site.now))
    link = find_link(site)
    site.hear(an_event("Erasure Requested", who="a#1", at=site.now + 1))
    assert press(site, link) == 410
    assert on_record() == []


@pytest.mark.parametrize("taken", ["the address", "the visitor"])
def test_whose_yes_it_is_is_decided_in_the_claim(site: Shop, monkeypatch: pytest.MonkeyPatch, taken: str) -> None:
    """Somebody gets the address meanwhile, or the visitor gets another one: it is looked at again."""
    site.hear(a_request(at=site.now))
    link, commit = find_link(site), base.commit

    def commit_late(actions: Any, **more: Any) -> bool:
        monkeypatch.setattr(base, "commit", commit)
        news = {"email": ADA, "who": "u#1"} if taken == "the address" else {"email": "other@example.com", "who": "a#1"}
        site.hear(an_identify(**news, at=site.now))
        return commit(actions, **more)

    monkeypatch.setattr(base, "commit", commit_late)
    assert press(site, link) == 200
    owner = identities.find_owner(key_of())
    assert owner == "u#1" if taken == "the address" else owner not in (None, "a#1")
    assert status(str(owner)) == "subscribed"
    assert profiles.resolve_profile("a#1").who == "a#1"
    contact = profiles.resolve_profile("a#1").state.contacts.get(EMAIL)
    assert contact is None if taken == "the address" else contact is not None and contact.value == "other@example.com"


def test_the_mail_shows_nothing_that_whoever_asked_has_told(site: Shop) -> None:
    """A name that is an advertisement, or a cart, does not reach a stranger, though a template showed it."""
    html = "{{ profile.first_name|default('you') }} {{ event.note|default('-') }} {{ cart.count }} {{ confirm_url }}"
    rules = a_bundle(generation=3, journeys={"confirm": CONFIRM})
    publish(replace(rules, templates=rules.templates | {"confirm": Template(html=html, text=html)}))
    site.hear(an_event("Identified", who="a#1", trust=Trust.BROWSER, traits={"first_name": "BUY NOW"}, at=site.now))
    site.hear(a_request(at=site.now, properties={"email": ADA, "note": "BUY NOW"}))
    assert "you - 0 https" in str(site.mails()[-1].body)
    assert "BUY NOW" not in str(site.mails()[-1].body)


def test_a_yes_by_other_ways_ends_the_question(site: Shop) -> None:
    """Who said yes at the checkout meanwhile has nothing to confirm."""
    site.hear(an_identify(at=site.now), a_subscription(at=site.now))
    site.now += MINUTE
    site.hear(a_request(who="u#1", at=site.now))
    assert sorted(reasons("u#1")) == ["", "already_subscribed"]
    assert site.subjects() == ["Welcome"]
