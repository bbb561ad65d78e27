"""Deliveries: SES's events, and what they make of a message."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwake import statements
from cartwake.addresses import SOFT_BOUNCES, Address, Suppression
from cartwake.errors import BadInput
from cartwake.events import Trust
from cartwake.feedback.deliveries import (
    Delivery,
    Ignored,
    IgnoreReason,
    Kind,
    accept,
    count_changes,
    make_event,
    note,
    protect,
    read_tags,
    tags_for,
)
from cartwake.feedback.notices import read_delivery
from cartwake.feedback.tracking import strip_link
from cartwake.messages import Message, MessageState, change
from cartwake.profiles import State
from cartwake.statements import Channel
from cartwake.times import DAY, parse_instant

PAYLOADS: Final = Path(__file__).parents[1] / "payloads" / "ses"
SENT_AT: Final = parse_instant("2026-11-21T12:00:01Z")
MESSAGE: Final = Message(
    who="u#ewa",
    id="m2k4x7w5q3vztjhy6bnsad4e2i",
    run="cart#r1",
    journey="cart",
    path="1",
    channel=Channel.EMAIL,
    kind="marketing",
    template="cart-1",
    state=MessageState.ACCEPTED,
    planned_at=SENT_AT - 1_000,
    not_after=SENT_AT + DAY,
    accepted_at=SENT_AT,
    address_key="email#0f",
)
ALL: Final = {path.stem: path.read_text() for path in sorted(PAYLOADS.glob("*.json"))}


def read(name: str, **changes: Any) -> Delivery:
    body = json.loads(ALL[name])
    for path, value in changes.items():
        part, _, field = path.partition("__")
        body[part][field] = value
    delivery = read_delivery(json.dumps(body))
    assert isinstance(delivery, Delivery)
    return delivery


@pytest.mark.parametrize(
    ("name", "kind", "mark", "at"),
    [
        ("send", Kind.SENT, "", "12:00:01.000"),
        ("delivery", Kind.DELIVERED, "delivered", "12:00:03.250"),
        ("bounce-hard", Kind.BOUNCED, "bounced", "12:00:04.512"),
        ("bounce-suppressed", Kind.BOUNCED, "bounced", "12:00:01.900"),
        ("complaint", Kind.COMPLAINED, "complained", "14:12:40.000"),
        ("open", Kind.OPENED, "opened", "13:05:10.140"),
        ("open-proxy", Kind.OPENED, "machine_opened", "12:00:09.000"),
        ("click", Kind.CLICKED, "clicked", "13:05:31.570"),
        ("reject", Kind.REJECTED, "rejected", "12:00:01.000"),
        ("delivery-delay", Kind.DELAYED, "delayed", "12:10:00.095"),
        ("rendering-failure", Kind.FAILED, "failed", "12:00:01.000"),
    ],
)
def test_every_documented_event_is_read(name: str, kind: Kind, mark: str, at: str) -> None:
    """Each event says what happened, when by SES's clock, and by our tags to which message."""
    delivery = read(name)
    assert (delivery.kind, delivery.mark) == (kind, mark)
    assert delivery.at == parse_instant(f"2026-11-21T{at}Z")
    assert (delivery.who, delivery.message) == ("u#ewa", MESSAGE.id)
    assert delivery.provider_id.startswith("0107019a")


def test_a_soft_bounce_is_told_apart() -> None:
    """SES gives up after 14 hours; the address may work tomorrow."""
    delivery = read("bounce-soft")
    assert (delivery.kind, delivery.mark, delivery.detail) == (Kind.BOUNCED, "soft_bounced", "Transient/MailboxFull")
    assert delivery.at == parse_instant("2026-11-22T02:00:02.040Z")


def test_every_payload_is_tested() -> None:
    """No payload lies about unread."""
    assert len(ALL) == 12


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"who": ["dSNld2E"]},
        {"message": ["m"], "who": []},
        {"message": ["m"], "who": ["%%%"]},
        {"message": [""], "who": ["dSNld2E"]},
    ]
    + [{"message": ["m"], "who": [who]} for who in ("_", "dSNld2F", "dSNld2E=", "dSNld2E ", "gICA", "é")],
)
def test_tags_of_others_are_not_ours(tags: dict[str, list[str]]) -> None:
    """A tag that does not read back exactly was not written by us."""
    assert read_tags(tags) is None


@pytest.mark.parametrize("name", list(ALL))
def test_an_envelope_changes_nothing(name: str) -> None:
    """Without raw delivery SNS wraps the event; it is read all the same."""
    envelope = {"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:x", "Message": ALL[name]}
    assert read_delivery(json.dumps(envelope)) == read_delivery(ALL[name])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("Successfully validated SNS topic for Amazon SES event publishing.", IgnoreReason.NOTICE),
        ('{"eventType":"Subscription","mail":{"messageId":"1","timestamp":"x"}}', IgnoreReason.NOT_FOLLOWED),
        ('{"eventType":"Send","mail":{"messageId":"1","timestamp":"x"}}', IgnoreReason.NOT_OURS),
        ('{"notificationType":"Bounce","mail":{"messageId":"1","timestamp":"x"}}', IgnoreReason.NOT_OURS),
        (
            '{"eventType":"Send","mail":{"messageId":"1","timestamp":"x","tags":{"message":["m"],"who":["_"]}}}',
            IgnoreReason.NOT_OURS,
        ),
    ],
)
def test_what_is_not_ours_is_ignored_with_a_reason(body: str, reason: IgnoreReason) -> None:
    """SES's own notice, events we do not follow, and mail of others: a reason each, and no error."""
    assert read_delivery(body) == Ignored(reason)


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure"])
def test_not_every_report_is_a_complaint(kind: str) -> None:
    """The report "not spam" is the opposite of a complaint, and a failed authentication is our own fault."""
    body = json.loads(ALL["complaint"])
    body["complaint"]["complaintFeedbackType"] = kind
    assert read_delivery(json.dumps(body)) == Ignored(IgnoreReason.NO_COMPLAINT)


@given(
    st.one_of(st.text(), st.sampled_from(["[]", "null", '{"mail":1}', '{"Message":"{}"}', "{" * 500, "[" * 100_000]))
)
def test_garbage_is_bad_input(body: str) -> None:
    """Whatever is not an event of SES is told as such: the handler sets it aside."""
    with pytest.raises(BadInput):
        read_delivery(body)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=180))
def test_tags_come_home(who: str) -> None:
    """Tags hold any user id in the characters that SES permits, and give it back."""
    tags = tags_for(f"u#{who}", MESSAGE.id)
    assert all(it.replace("-", "").replace("_", "").isalnum() and it.isascii() for it in tags.values())
    assert read_tags({name: [value] for name, value in tags.items()}) == (f"u#{who}", MESSAGE.id)


@pytest.mark.parametrize("state", [MessageState.CLAIMED, MessageState.UNKNOWN, MessageState.PLANNED])
@pytest.mark.parametrize("name", ["send", "delivery", "bounce-hard", "bounce-soft", "complaint", "open", "click"])
def test_any_word_of_ses_settles_a_lost_answer(name: str, state: MessageState) -> None:
    """Who tells that it was delivered, opened or bounced has taken it: nothing will send it again."""
    before = change(MESSAGE, state=state, accepted_at=0, retry_at=SENT_AT + 1, lease_until=5, reason="outcome_unknown")
    after = accept(before, read(name))
    assert (after.state, after.accepted_at, after.retry_at) == (MessageState.ACCEPTED, SENT_AT, None)
    assert (after.reason, after.lease_until, after.provider_id) == ("", 0, read(name).provider_id)
    assert count_changes(before, after) == ("2026-11-21", {"accepted": 1})


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("reject", "Bad content"),
        ("delivery-delay", "TransientCommunicationFailure"),
        ("rendering-failure", "Attribute 'name' is not present in the rendering data."),
    ],
)
def test_what_ses_says_of_a_failure_is_kept(name: str, detail: str) -> None:
    """Its reason, its message, or the kind of delay: whichever there is."""
    assert read(name).detail == detail


@pytest.mark.parametrize("names", [("send", "reject"), ("reject", "send")])
def test_a_rejected_message_is_refused_in_any_order(names: tuple[str, str]) -> None:
    """SES may take a message and then throw it away: that is the end, whichever of the two arrives last."""
    message = change(MESSAGE, state=MessageState.CLAIMED, accepted_at=0)
    for name in names:
        message = note(accept(message, read(name)), read(name))
    assert (message.state, message.reason) == (MessageState.REFUSED, "refused_by_provider")
    assert message.detail == "Bad content"


def test_only_the_first_time_counts() -> None:
    """The first open is written and counted, the second changes nothing."""
    opened = note(MESSAGE, read("open"))
    assert opened.happened == {"opened": read("open").at}
    assert count_changes(MESSAGE, opened) == ("2026-11-21", {"opened": 1})
    assert note(opened, read("open", open__timestamp="2026-11-22T08:00:00Z")) is opened


@pytest.mark.parametrize("name", ["open-proxy", "bounce-soft", "delivery-delay"])
def test_what_no_report_shows_is_kept_uncounted(name: str) -> None:
    """Machine opens, soft bounces and delays stand in the ledger and move no count."""
    after = note(MESSAGE, read(name))
    assert after.happened
    assert count_changes(MESSAGE, after) == ("", {})


@given(st.permutations([name for name in ALL if name not in ("reject", "rendering-failure")]))
def test_order_and_doubles_change_nothing(names: list[str]) -> None:
    """Whatever order SES's events arrive in, and however often, the row ends the same and each thing counts once."""
    message, total = change(MESSAGE, state=MessageState.CLAIMED, accepted_at=0), dict[str, int]()
    for name in [*names, *names]:
        for step in (accept, note):
            after = step(message, read(name))
            for count, amount in count_changes(message, after)[1].items():
                total[count] = total.get(count, 0) + amount
            message = after
    assert total == dict.fromkeys(("accepted", "delivered", "opened", "clicked", "bounced", "complained"), 1)
    assert message.state is MessageState.ACCEPTED
    assert set(message.happened) == set(total) - {"accepted"} | {"machine_opened", "soft_bounced", "delayed"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("bounce-hard", Suppression.BOUNCE),
        ("bounce-suppressed", Suppression.BOUNCE),
        ("complaint", Suppression.COMPLAINT),
        ("bounce-soft", None),
        ("delivery", None),
        ("reject", None),
        ("delivery-delay", None),
    ],
)
def test_who_is_suppressed(name: str, why: Suppression | None) -> None:
    """A hard bounce (also SES's own list) and a complaint stop an address; a full mailbox does not."""
    assert protect(Address(key="k"), read(name)).suppression is why


def test_the_last_of_many_soft_bounces_is_for_good() -> None:
    """Seven in a row stop an address; the same one told twice is one, and a delivery begins the row anew."""
    soft, delivered = read("bounce-soft"), read("delivery")
    at, address = soft.at, Address(key="k")

    def bounce(address: Address, number: int) -> Address:
        told = replace(soft, message=f"m{number}", at=at + number)
        return protect(protect(address, told), told)

    for number in range(SOFT_BOUNCES - 1):
        address = bounce(address, number)
    assert (address.suppression, len(address.softs)) == (None, SOFT_BOUNCES - 1)
    last = bounce(address, SOFT_BOUNCES)
    assert (last.suppression, last.suppressed_at) == (Suppression.BOUNCE, at + SOFT_BOUNCES)
    began_anew = protect(address, replace(delivered, at=at + SOFT_BOUNCES - 3))
    assert [it.message for it in began_anew.softs] == [f"m{SOFT_BOUNCES - 2}"]
    assert bounce(began_anew, SOFT_BOUNCES).suppression is None
    assert protect(last, replace(delivered, at=at + 100)).suppression is Suppression.BOUNCE


def test_the_last_soft_bounce_tells_that_the_address_is_of_no_use() -> None:
    """So that "can be mailed" is false of whoever cannot be; the ones before tell no such thing."""
    soft = read("bounce-soft")
    stopped = Address(key="k", suppression=Suppression.BOUNCE, suppressed_at=soft.at)
    for address, blocked in ((None, False), (Address(key="k"), False), (stopped, True)):
        event = make_event(MESSAGE, soft, address)
        assert event is not None
        assert bool(statements.fold(State(), event)["blocked"]) is blocked


def test_a_click_becomes_an_event() -> None:
    """It tells which message and link, at SES's time, and no parameter that identifies the shopper."""
    event = make_event(MESSAGE, read("click"))
    assert event is not None
    assert (event.name, event.who, event.trust, event.bot) == ("Email Link Clicked", "u#ewa", Trust.OWN, False)
    assert event.occurred_at == read("click").at
    assert event.properties == {
        "message": MESSAGE.id,
        "journey": "cart",
        "step": "1",
        "template": "cart-1",
        "channel": "email",
        "link": "https://shop.example.com/cart?size=38",
        "link_id": "cart",
    }


@pytest.mark.parametrize(
    ("name", "event_name"),
    [
        ("send", "Email Sent"),
        ("delivery", "Email Delivered"),
        ("open", "Email Opened"),
        ("bounce-soft", "Email Bounced"),
        ("complaint", "Email Marked as Spam"),
        ("reject", None),
        ("delivery-delay", None),
        ("rendering-failure", None),
    ],
)
def test_names_of_events(name: str, event_name: str | None) -> None:
    """The names are those of the wire; what only the operator needs becomes no event."""
    event = make_event(MESSAGE, read(name))
    assert (event.name if event else None) == event_name


def test_told_twice_is_one_event() -> None:
    """The same feedback gives the same key; another moment or another link gives another."""
    keys = [
        make_event(MESSAGE, delivery)
        for delivery in (
            read("click"),
            read("click"),
            read("click", click__timestamp="2026-11-21T13:05:31.571Z"),
            read("click", click__link="https://shop.example.com/sale"),
        )
    ]
    assert keys[0] == keys[1]
    assert len({event.key for event in keys if event}) == 3


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "Mozilla/5.0",
        "",
        None,
        "Barracuda Sentinel (EE)",
        "curl/8.5.0",
    ],
)
@pytest.mark.parametrize("name", ["open", "click"])
def test_machines_are_flagged(name: str, user_agent: str | None) -> None:
    """Proxies that fetch pictures and scanners that follow links are kept, flagged, and folded nowhere."""
    delivery = read(name, **{f"{name}__userAgent": user_agent})
    event = make_event(MESSAGE, delivery)
    assert delivery.bot
    assert event is not None
    assert event.bot
    assert event.properties["bot"] is True


@pytest.mark.parametrize(
    ("link", "stripped"),
    [
        ("https://shop.example.com/p/lamp?color=red&utm_source=x&gclid=1", "https://shop.example.com/p/lamp?color=red"),
        ("https://u:p@shop.example.com:8443/a?Token=1&sig=2&q=a%40b.c#f", "https://shop.example.com:8443/a"),
        ("https://shop.example.com/unsubscribe/" + "a" * 200 + ".b", "https://shop.example.com/unsubscribe/-"),
        ("https://shop.example.com/m/ewa@example.com", "https://shop.example.com/m/-"),
        ("https://shop.example.com/m/ewa%40example.com", "https://shop.example.com/m/-"),
        ("https://sklep.example.com/buty/czerwone-%C5%BC%C3%B3%C5%82te", None),
        ("http://shop.example.com/a?q=&sort=up", None),
        ("https://shop.example.com/size,36/(new)/a=b;c'd!e~f", None),
        ("ftp://shop.example.com/a", ""),
        ("https:///a", ""),
        ("mailto:ewa@example.com", ""),
        ("tel:+48601234567", ""),
        ("javascript:alert(1)", ""),
        ("https://[broken", ""),
        ("https://shop.example.com:99999/", ""),
        ("", ""),
    ],
)
def test_links_are_stripped(link: str, stripped: str | None) -> None:
    """A remembered link says which page, and nothing of the person."""
    assert strip_link(link) == (link if stripped is None else stripped)


@given(st.text(max_size=600))
def test_any_link_is_stripped(text: str) -> None:
    """Whatever stands in a link, stripping it never fails and never keeps an address."""
    stripped = strip_link(f"https://shop.example.com/{text}")
    assert "@" not in stripped
    assert len(stripped) <= 500


@pytest.mark.parametrize(("name", "bounce"), [("bounce-soft", "transient"), ("complaint", None)])
def test_an_event_says_whether_a_bounce_was_for_good(name: str, bounce: str | None) -> None:
    """Rules ask for it by that name; what is no bounce does not say it."""
    event = make_event(MESSAGE, read(name))
    assert event is not None
    assert event.properties.get("bounce") == bounce
