"""track_delivery: what SES tells settles the ledger, protects the shopper, and comes back as events, once."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import NOON
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from moto.dynamodb.models import dynamodb_backends
from world import aws, client, lambda_context

from cartwake.addresses import SOFT_BOUNCES, Address, Sent, Suppression, derive_key, note_send
from cartwake.errors import TryAgain
from cartwake.events import Event
from cartwake.feedback.deliveries import tags_for
from cartwake.gateways.secrets import derive_secret
from cartwake.messages import Message, MessageState, change
from cartwake.statements import Channel, Consent
from cartwake.store import addresses, events, messages, quarantine
from cartwake.store.identities import IdentityRow
from cartwake.telemetry import logger
from cartwake.times import DAY, format_instant
from functions.track_delivery import app

PAYLOADS = Path(__file__).parents[1] / "payloads" / "ses"
WHO, ID, KEY = "u#ewa", "m2k4x7w5q3vztjhy6bnsad4e2i", "email#" + "0f" * 20
TO = "ewa.kowalska@example.com"
ALL = sorted(path.stem for path in PAYLOADS.glob("*.json"))
EVENT_NAMES = {
    "Email Sent", "Email Delivered", "Email Opened", "Email Link Clicked", "Email Bounced", "Email Marked as Spam",
}  # fmt: skip
CALM = settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # moto is slow: a failure is told as it is found
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def started() -> Iterator[None]:
    """One AWS for all tests of the module; starting it takes longer than all of them."""
    with aws():
        yield


@pytest.fixture
def tracker(started: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty tables, one claimed message, and the row of its address."""
    monkeypatch.setattr(app, "read_clock", lambda: NOON)
    begin()


def begin(**changes: Any) -> None:
    for table in dynamodb_backends["123456789012"]["eu-central-1"].tables.values():
        table.items.clear()
    message = Message(
        who=WHO, id=ID, run="cart#r1", journey="cart", path="1", channel=Channel.EMAIL, kind="marketing",
        template="cart-1", state=MessageState.CLAIMED, attempt="a1", attempts=1, planned_at=NOON, not_after=NOON + DAY,
        claimed_at=NOON, lease_until=NOON + 1, retry_at=NOON + 1, address_key=KEY,
    )  # fmt: skip
    assert messages.replace_message(message, change(message, **changes))
    assert addresses.put_address(Address(key=KEY, consent=Consent(True, 1, 1, "checkout")))


def read(name: str, **tags: str) -> str:
    body = json.loads((PAYLOADS / f"{name}.json").read_text())
    body["mail"]["tags"] |= {tag: [value] for tag, value in tags.items()}
    return json.dumps(body)


def deliver(*bodies: str) -> list[str]:
    """Hand a batch over, and return the ids that SQS must deliver again."""
    records = [{"messageId": f"q{at}", "body": body, "eventSource": "aws:sqs"} for at, body in enumerate(bodies)]
    answer = app.handler({"Records": records}, lambda_context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def message() -> Message:
    found = messages.get_message(WHO, ID)
    assert found is not None
    return found


def told() -> list[Event]:
    return events.list_events(WHO)


def counts() -> dict[str, int]:
    rows = client("dynamodb").scan(TableName="counts")["Items"]
    return {name: int(value["N"]) for row in rows for name, value in row.items() if name not in ("counter", "day")}


@pytest.mark.parametrize("name", ALL)
def test_every_event_is_tracked(tracker: None, name: str) -> None:
    """Each documented event settles the claimed message at once; nothing is left to send it again."""
    assert deliver(read(name)) == []
    refused = name in ("reject", "rendering-failure")
    assert message().state is (MessageState.REFUSED if refused else MessageState.ACCEPTED)
    assert message().retry_at is None
    assert counts()["accepted"] == 1


@pytest.mark.parametrize("state", [MessageState.UNKNOWN, MessageState.PLANNED])
def test_a_lost_answer_is_settled_even_late(tracker: None, state: MessageState) -> None:
    """A message that was given up, or is about to be tried again, turns out to have been sent: it is not repeated."""
    begin(state=state, reason="outcome_unknown", retry_at=NOON + 5)
    assert deliver(read("send")) == []
    assert (message().state, message().reason, message().retry_at) == (MessageState.ACCEPTED, "", None)


def test_our_own_answer_after_sess(tracker: None) -> None:
    """The sender's write loses against what SES told already, notices it, and counts nothing twice."""
    claimed = message()
    deliver(read("send"), read("delivery"))
    mine = change(claimed, state=MessageState.ACCEPTED, provider_id="p", accepted_at=NOON, retry_at=None)
    assert not messages.replace_message(claimed, mine, counter="cart#1", day="2026-11-21", amounts={"accepted": 1})
    assert counts() == {"accepted": 1, "delivered": 1}


@CALM
@given(st.permutations([name for name in ALL if name not in ("reject", "rendering-failure")]), st.data())
def test_order_and_doubles_change_nothing(tracker: None, names: list[str], data: st.DataObject) -> None:
    """Whatever order SES's events come in, in whatever batches, doubled: ledger, counts and events are the same."""
    begin()
    queue = data.draw(st.permutations([*names, *names]))
    cut = data.draw(st.integers(0, len(queue)))
    assert deliver(*map(read, queue[:cut])) == deliver(*map(read, queue[cut:])) == []
    assert counts() == dict.fromkeys(("accepted", "delivered", "opened", "clicked", "bounced", "complained"), 1)
    assert message().state is MessageState.ACCEPTED
    assert {event.name for event in told()} == EVENT_NAMES
    assert len(told()) == len(names) - 1  # a delay is no event
    assert addresses.get_address(KEY).suppression is not None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("bounce-hard", Suppression.BOUNCE),
        ("bounce-suppressed", Suppression.BOUNCE),
        ("complaint", Suppression.COMPLAINT),
    ],
)
def test_an_address_is_stopped(tracker: None, name: str, why: Suppression) -> None:
    """A hard bounce and a complaint stop the address that the message went to, and leave its consent alone."""
    assert deliver(read(name)) == []
    address = addresses.get_address(KEY)
    assert (address.suppression, address.suppressed_at) == (why, told()[0].occurred_at)
    assert address.consent == Consent(True, 1, 1, "checkout")


@pytest.mark.parametrize("name", ["delivery", "delivery-delay", "send", "open", "click", "reject"])
def test_an_address_that_works_is_not_written(tracker: None, name: str) -> None:
    """What says nothing against an address costs no write."""
    before = addresses.get_address(KEY)
    assert deliver(read(name)) == []
    assert addresses.get_address(KEY) == before


def test_soft_bounces_in_a_row_stop_an_address(tracker: None) -> None:
    """The seventh message in a row that bounces softly is the last one."""
    before = addresses.get_address(KEY)
    softs = tuple(Sent(1, f"m{number}") for number in range(SOFT_BOUNCES - 1))
    assert addresses.put_address(msgspec.structs.replace(before, softs=softs))
    assert deliver(read("bounce-soft")) == []
    assert addresses.get_address(KEY).suppression is Suppression.BOUNCE
    assert told()[0].properties["suppressed"] is True


def test_a_delivery_forgives_soft_bounces(tracker: None) -> None:
    """What arrives shows that the address works; of those that always worked nothing is written."""
    before = addresses.get_address(KEY)
    assert addresses.put_address(msgspec.structs.replace(before, softs=(Sent(1, "m1"),)))
    assert deliver(read("delivery")) == []
    after = addresses.get_address(KEY)
    assert after.softs == ()
    assert deliver(read("delivery")) == []
    assert addresses.get_address(KEY).version == after.version


PHONE = derive_key(Channel.SMS, "+48512345678", derive_secret("a-test-root", "addresses"))


def reply(text: str = "Stop!", *, at: int = NOON, id: str = "r1") -> str:  # noqa: A002  the provider's word
    told = {"originationNumber": "+48512345678", "inboundMessageId": id, "messageBody": text}
    return json.dumps({"Message": json.dumps(told), "Timestamp": format_instant(at)})


def test_a_stop_by_sms_is_a_withdrawal(tracker: None) -> None:
    """The number is stopped at once, whoever has it; its owner's profile is told, and a repetition adds nothing."""
    assert addresses.put_address(Address(key=PHONE, consent=Consent(True, NOON + 500, 1, "checkout")))
    IdentityRow(PHONE, who=WHO).save()
    assert deliver(reply(), reply()) == []
    assert deliver(reply()) == []
    consent = addresses.get_address(PHONE).consent
    assert consent is not None
    # a clock of somebody else's was ahead: the stop counts all the same
    assert (consent.subscribed, consent.at, consent.method) == (False, NOON + 500, "reply")
    assert [(it.name, it.occurred_at, it.properties["channel"]) for it in told()] == [
        ("Unsubscribed", NOON + 500, "sms")
    ]


def test_a_stop_of_an_unknown_number_is_kept(tracker: None) -> None:
    """Whoever gets the number later is not written to."""
    assert deliver(reply()) == []
    consent = addresses.get_address(PHONE).consent
    assert consent is not None
    assert not consent.subscribed
    assert told() == []


def test_a_start_by_sms_is_a_yes(tracker: None) -> None:
    """After a stop, by the same number; an older one lifts no newer stop."""
    IdentityRow(PHONE, who=WHO).save()
    assert deliver(reply(), reply("start", at=NOON - 1, id="r2")) == []
    assert not addresses.get_address(PHONE).consent.subscribed  # type: ignore[union-attr]
    assert deliver(reply("START", at=NOON + 1, id="r3")) == []
    assert addresses.get_address(PHONE).consent.subscribed  # type: ignore[union-attr]


def test_other_replies_are_told(tracker: None) -> None:
    """They change no consent; a journey may answer them."""
    IdentityRow(PHONE, who=WHO).save()
    assert deliver(reply("Help")) == []
    assert addresses.get_address(PHONE).version == 0
    assert [(it.name, it.properties["keyword"]) for it in told()] == [("SMS Received", "help")]


def test_a_reply_that_cannot_be_written_comes_again(tracker: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stop stands before anything is told, and the telling is repeated."""
    IdentityRow(PHONE, who=WHO).save()
    with monkeypatch.context() as patched:
        patched.setattr(app.events, "put_events", lambda *_: (_ for _ in ()).throw(TryAgain("throttled")))
        assert deliver(reply()) == ["q0"]
    assert addresses.get_address(PHONE).consent is not None
    assert deliver(reply()) == []
    assert [it.name for it in told()] == ["Unsubscribed"]


def test_nobody_else_is_stopped(tracker: None) -> None:
    """A complaint may name everybody of a domain: only the address of the tagged message is touched."""
    deliver(read("complaint"))
    rows = client("dynamodb").scan(TableName="addresses")["Items"]
    assert [row["address"]["S"] for row in rows] == [KEY]


@pytest.mark.parametrize("broken", ["addresses.put_address", "messages.replace_message", "events.put_events"])
def test_any_part_that_fails_is_repeated(tracker: None, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """Where one of the writes fails SQS delivers again, and the repetition does the rest and nothing twice."""
    module, _, function = broken.partition(".")
    with monkeypatch.context() as patched:
        patched.setattr(getattr(app, module), function, lambda *_, **__: (_ for _ in ()).throw(TryAgain("throttled")))
        assert deliver(read("bounce-hard")) == ["q0"]
    assert deliver(read("bounce-hard")) == []
    assert addresses.get_address(KEY).suppression is Suppression.BOUNCE
    assert counts() == {"accepted": 1, "bounced": 1}
    assert [event.name for event in told()] == ["Email Bounced"]


def test_the_shopper_is_protected_first(tracker: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the ledger cannot be written, the address is stopped all the same, and nothing is told yet."""
    monkeypatch.setattr(messages, "replace_message", lambda *_, **__: (_ for _ in ()).throw(TryAgain("throttled")))
    assert deliver(read("complaint")) == ["q0"]
    assert addresses.get_address(KEY).suppression is Suppression.COMPLAINT
    assert told() == []


def test_one_failure_holds_nobody_up(tracker: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a batch only what failed comes again."""
    put = events.put_events

    def fail_once(news: list[Event]) -> None:
        if news[0].name == "Email Opened":
            raise TryAgain("throttled")
        put(news)

    monkeypatch.setattr(events, "put_events", fail_once)
    assert deliver(read("send"), read("open"), read("delivery")) == ["q1"]
    assert {event.name for event in told()} == {"Email Sent", "Email Delivered"}


def test_rows_written_meanwhile_are_kept(tracker: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another write to message or address is read again and kept."""
    put, replace, sent = addresses.put_address, messages.replace_message, Sent(NOON, "m-other")

    def put_late(address: Address) -> bool:
        monkeypatch.setattr(addresses, "put_address", put)
        assert put(note_send(addresses.get_address(KEY), sent))
        return put(address)

    def replace_late(before: Message, after: Message, **counted: Any) -> bool:
        monkeypatch.setattr(messages, "replace_message", replace)
        assert replace(message(), change(message(), happened={"opened": NOON}))
        return replace(before, after, **counted)

    monkeypatch.setattr(addresses, "put_address", put_late)
    monkeypatch.setattr(messages, "replace_message", replace_late)
    assert deliver(read("bounce-hard")) == []
    assert message().happened.keys() == {"opened", "bounced"}
    assert addresses.get_address(KEY).sends == (sent,)
    assert addresses.get_address(KEY).suppression is Suppression.BOUNCE


@pytest.mark.parametrize(
    "body",
    ["", "{", "null", "[]", '{"eventType":"Bounce"}', '{"mail":{"messageId":1}}', "\ud800", '{"Message":"nothing"}'],
)
def test_a_poison_body_is_set_aside_alone(tracker: None, body: str) -> None:
    """What nobody can read is kept for the operator with its reason; its neighbours are tracked."""
    assert deliver(body, read("delivery")) == []
    assert [event.name for event in told()] == ["Email Delivered"]
    (kept,) = quarantine.list_refusals("?")
    assert (kept.reason, kept.where) == ("invalid_json", "track_delivery")


@pytest.mark.parametrize(
    "body",
    [
        read("bounce-hard", message="anothermessageofanothertool"),
        read("bounce-hard", **tags_for("u#somebody", ID)),
        read("bounce-hard", who="%%%"),
        "Successfully validated SNS topic for Amazon SES event publishing.",
    ],
)
def test_what_is_not_ours_is_ignored(tracker: None, body: str) -> None:
    """Mail that other programs send with the same configuration set changes nothing here, and is not repeated."""
    assert deliver(body) == []
    assert message().state is MessageState.CLAIMED
    assert addresses.get_address(KEY).suppression is None
    assert told() == []
    assert quarantine.list_refusals("?") == []


@pytest.mark.parametrize(("name", "bot"), [("open", False), ("open-proxy", True)])
def test_machines_are_kept_apart(tracker: None, name: str, bot: bool) -> None:
    """An open by a mail proxy is stored and flagged, and neither counted nor folded."""
    deliver(read(name))
    assert told()[0].bot is bot
    assert message().happened.keys() == {"machine_opened" if bot else "opened"}
    assert ("opened" in counts()) is not bot


def test_counts_equal_the_ledger(tracker: None) -> None:
    """Each count stands under the step, on the day that the ledger's own timestamp has."""
    deliver(*map(read, ("send", "delivery", "open", "click")))
    rows = client("dynamodb").scan(TableName="counts")["Items"]
    assert all(row["counter"]["S"].startswith("cart#1#") for row in rows)
    assert {row["day"]["S"] for row in rows} == {"2026-11-21"}
    assert counts().keys() == {"accepted"} | message().happened.keys()


def test_logs_hold_no_address(tracker: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line says which message and what happened, and nothing that SES knows of the person."""
    written = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    deliver(*map(read, ALL), "not JSON " + TO, read("send", message="unknown"))
    lines = written.getvalue()
    assert lines.count("delivery tracked") == len(ALL)
    assert not any(text in lines for text in (TO, "kowalska", KEY, "192.0.2", "shop.example.com"))
