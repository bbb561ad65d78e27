"""What a shopper chooses: read from a form, written to rows, told by events, and heeded by every message."""

from typing import Any

import msgspec
import pytest
from builders import CART, NOON, a_bundle
from hypothesis import given
from hypothesis import strategies as st

from cartwake.addresses import Address, Sent, mask
from cartwake.choices import Choices
from cartwake.messages import Message, may_reach
from cartwake.preferences import Wish, fulfil, read_wish, tell
from cartwake.reasons import Skip
from cartwake.statements import Channel, Consent
from cartwake.times import DAY, HOUR

TOPICS = ("news", "sale")
YES = Address(key="email#0f", consent=Consent(subscribed=True, at=NOON - DAY, id=1, method="checkout"), version=3)
NO = msgspec.structs.replace(YES, consent=Consent(subscribed=False, at=NOON - DAY, id=1))
FORM = {"save": ["1"], "shown": ["email", "sms"], "want": ["email"], "topic_shown": ["news", "sale"], "topic": ["news"]}


def fulfilled(wish: Wish, row: Address = YES, *, now: int = NOON) -> Address:
    return next(iter(fulfil(wish, {Channel.EMAIL: row}, topics=TOPICS, now=now)), row)


def wish(**changes: Any) -> Wish:
    return Wish(**{"channels": {}, "topics": {}} | changes)


def test_a_form_is_read() -> None:
    """A box that is not ticked is refused where the form showed it, and nothing else is."""
    assert read_wish(FORM | {"pause": ["30"], "rest": ["7"], "language": ["pl"]}) == Wish(
        channels={Channel.EMAIL: True, Channel.SMS: False},
        topics={"news": True, "sale": False},
        pause_days=30,
        rest_days=7,
        language="pl",
    )
    assert read_wish({"save": ["1"]}) == wish()
    assert read_wish({"leave": ["1"], "shown": ["sms"], "want": ["sms"]}) == wish(
        channels={Channel.SMS: False}, leaves=True
    )


def test_what_was_found_ticked_and_left_so_says_nothing() -> None:
    """A yes is what the reader ticked; whatever is without a tick is a no, also where it was found so."""
    found = {"ticked": ["want:email", "topic:news", "topic:sale", "tracked:1"], "tracked_shown": ["1"]}
    form = {"save": ["1"], "shown": ["email", "sms"], "topic_shown": ["news", "sale"]} | found
    assert read_wish(form | {"want": ["email", "sms"], "topic": ["news"], "tracked": ["1"]}) == Wish(
        channels={Channel.SMS: True}, topics={"sale": False}
    )
    assert read_wish(form) == Wish(
        channels={Channel.EMAIL: False, Channel.SMS: False}, topics={"news": False, "sale": False}, tracked=False
    )
    opened = {"save": ["1"], "tracked_shown": ["1"], "tracked": ["1"]}
    assert [read_wish(opened), read_wish(opened | {"ticked": ["tracked:1"]})] == [wish(tracked=True), wish()]


@pytest.mark.parametrize("form", [{}, {"want": ["email"]}, {"List-Unsubscribe": ["One-Click"]}, {"shown": ["email"]}])
def test_what_is_no_form_of_ours_wishes_nothing(form: Any) -> None:
    """Only a button of the page changes anything."""
    assert read_wish(form) is None


@given(
    st.dictionaries(st.sampled_from(["save", "pause", "rest", "language", "shown"]), st.lists(st.text(), max_size=3))
)
def test_what_the_page_does_not_offer_is_not_read(form: Any) -> None:
    """Whatever somebody posts, only what the page offers is chosen."""
    told = read_wish({"save": ["1"]} | form)
    assert told is not None
    assert told.pause_days in (None, 0, 30, 90)
    assert told.rest_days in (None, 0, 7, 30)
    assert told.language in ("", "en", "de", "pl")
    assert set(told.channels) <= set(Channel)


def test_yes_and_no_are_written_once() -> None:
    """A statement that says what is known already leaves the row alone; another comes after it, whatever the clock."""
    assert fulfilled(wish(channels={Channel.EMAIL: True})) is YES
    early = NOON - 2 * DAY
    for row, wanted in ((YES, False), (NO, True)):
        after = fulfilled(wish(channels={Channel.EMAIL: wanted}), row, now=early)
        assert after.consent is not None
        assert row.consent is not None
        assert (after.consent.subscribed, after.consent.method) == (wanted, "preferences")
        assert after.consent.at == row.consent.at + wanted  # of one instant the no wins
        assert fulfilled(wish(channels={Channel.EMAIL: wanted}), after, now=early) is after


def test_who_was_never_asked_has_said_nothing() -> None:
    """Saving the page without a tick is no withdrawal of what was never given; leaving everything is."""
    unknown = Address(key="email#0f")
    assert fulfilled(wish(channels={Channel.EMAIL: False}), unknown) is unknown
    left = fulfilled(wish(channels={Channel.EMAIL: False}, leaves=True), unknown).consent
    assert left is not None
    assert not left.subscribed


def test_topics_are_refused_and_taken_back() -> None:
    """Of the topics that there are; what the form did not show stays, and one that is gone is forgotten."""
    refused = fulfilled(wish(topics={"news": False, "nonsense": False}))
    assert refused.choices.refused_topics == ("news",)
    assert fulfilled(wish(topics={"sale": False}), refused).choices.refused_topics == ("news", "sale")
    assert fulfilled(wish(topics={"news": True}), refused).choices.refused_topics == ()
    gone = msgspec.structs.replace(YES, choices=Choices(refused_topics=("old",)))
    assert fulfilled(wish(rest_days=7), gone).choices.refused_topics == ()


def test_a_pause_ends_with_its_last_day() -> None:
    """Pressed twice on one day it is the same pause; "keep" leaves it, and 0 ends it."""
    paused = fulfilled(wish(pause_days=30))
    assert paused.choices.paused_until == NOON + 30 * DAY + 12 * HOUR
    assert fulfilled(wish(pause_days=30), paused, now=NOON + HOUR) is paused
    assert fulfilled(wish(), paused) is paused
    assert fulfilled(wish(pause_days=0), paused).choices.paused_until == 0


def test_every_row_gets_the_same() -> None:
    """What is chosen holds for all channels of the shopper."""
    rows = {Channel.EMAIL: YES, Channel.SMS: Address(key="sms#1e")}
    after = fulfil(wish(topics={"sale": False}, pause_days=90, rest_days=30), rows, topics=TOPICS, now=NOON)
    assert [row.key for row in after] == ["email#0f", "sms#1e"]
    assert after[0].choices == after[1].choices


def test_what_was_said_is_told_the_same_again() -> None:
    """The events follow from the row alone, so that a press whose events were lost tells them when it is repeated."""
    after = fulfilled(wish(channels={Channel.EMAIL: False}, topics={"sale": False}, rest_days=7, language="de"))
    consent, choices = tell("u#1", Channel.EMAIL, after)
    assert (consent.name, consent.properties) == ("Unsubscribed", {"channel": "email", "method": "preferences"})
    assert after.consent is not None
    assert (consent.occurred_at, consent.short_id) == (after.consent.at, after.consent.id)
    assert (choices.name, choices.traits) == ("Preferences Changed", {"language": "de"})
    assert choices.properties == {
        "channel": "email",
        "topics_refused": ["sale"],
        "paused_until": "",
        "at_most_one_in": "1 week",
        "tracked": "",
        "language": "de",
    }
    assert tell("u#1", Channel.EMAIL, after) == [consent, choices]
    assert tell("u#1", Channel.EMAIL, YES) == []


MESSAGE = Message(
    who="u#1",
    id="m",
    run="r",
    journey="cart",
    path="1",
    channel=Channel.EMAIL,
    kind="marketing",
    template="t",
    planned_at=NOON,
    not_after=NOON + DAY,
)
RULES = a_bundle(journeys={"cart": msgspec.structs.replace(CART, topic="sale")})


@pytest.mark.parametrize(
    ("choices", "sent_at", "why"),
    [
        (Choices(), 0, None),
        (Choices(refused_topics=("sale",)), 0, Skip.TOPIC_REFUSED),
        (Choices(refused_topics=("news",)), 0, None),
        (Choices(paused_until=NOON + 1), 0, Skip.ON_PAUSE),
        (Choices(paused_until=NOON), 0, None),
        (Choices(rest_ms=7 * DAY), NOON - 7 * DAY + 1, Skip.FREQUENCY_CAP),
        (Choices(rest_ms=7 * DAY), NOON - 7 * DAY, None),
        (Choices(), NOON - 7 * DAY + 1, None),
    ],
)
def test_every_choice_is_heeded(choices: Choices, sent_at: int, why: Skip | None) -> None:
    """Each in the claim, with a reason of its own, to the millisecond; and none of them stops a receipt."""
    sends = (Sent(sent_at, "other"),) if sent_at else ()
    row = msgspec.structs.replace(YES, choices=choices, sends=sends)
    assert may_reach(MESSAGE, row, RULES, now=NOON) is why
    receipt = msgspec.structs.replace(MESSAGE, kind="transactional")
    assert may_reach(receipt, row, RULES, now=NOON) is None


def test_a_wish_for_fewer_never_makes_more() -> None:
    """The shop's own cap holds where it is stricter."""
    row = msgspec.structs.replace(YES, choices=Choices(rest_ms=HOUR), sends=(Sent(NOON - 2 * HOUR, "other"),))
    assert may_reach(MESSAGE, row, RULES, now=NOON) is Skip.FREQUENCY_CAP


def test_a_journey_without_a_topic_is_refused_with_the_channel_alone() -> None:
    """Nobody who refused every topic misses what has none."""
    row = msgspec.structs.replace(YES, choices=Choices(refused_topics=TOPICS))
    assert may_reach(MESSAGE, row, a_bundle(), now=NOON) is None


def test_addresses_are_shown_masked() -> None:
    """Its owner knows it, and whoever looks over a shoulder does not."""
    assert mask(Channel.EMAIL, "jane.doe@example.com") == "j•••@example.com"
    assert mask(Channel.SMS, "+48 601 777 333") == "••• 33"


def test_rows_from_before_have_chosen_nothing() -> None:
    """What an older version stored is read."""
    old = msgspec.to_builtins(YES)
    del old["choices"]
    assert msgspec.convert(old, Address, strict=False) == YES
