"""The store: every conditional write refuses what somebody else has overtaken, and everything comes back as it went."""

import zlib
from collections.abc import Callable

import msgspec
import pytest
from botocore.endpoint import Endpoint
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from builders import NOON, an_event, an_order

from cartwake.addresses import Address, Sent, note_send
from cartwake.conditions.kinds import Start
from cartwake.errors import TryAgain
from cartwake.messages import Message, MessageState
from cartwake.profiles import Kind, Profile
from cartwake.reasons import EndReason, NotEntered
from cartwake.runs import Run, Slot
from cartwake.statements import Channel
from cartwake.store import addresses, base, bundles, counts, events, identities, messages, profiles, runs, slots
from cartwake.times import HOUR

RUN = Run(who="u#1", journey="cart", id="r", due_at=NOON, entered_at=NOON, start=Start(NOON), bundle="b")
MESSAGE = Message(
    who="u#1",
    id="m",
    run=RUN.key,
    journey="cart",
    path="0",
    channel=Channel.EMAIL,
    kind="marketing",
    template="t",
    planned_at=NOON,
    not_after=NOON,
    retry_at=NOON,
)

pytestmark = pytest.mark.usefixtures("tables")


def _write_profile() -> base.Action:
    return profiles.put_profile(Profile(who="u#1"))


def _move() -> base.Action:
    return runs.move(RUN, msgspec.structs.replace(RUN, seq=1))


def _take() -> base.Action:
    (write,) = slots.take(Slot(who="u#1", journey="cart"), RUN)
    return write


@pytest.mark.parametrize(
    ("before", "write"),
    [
        ([], _write_profile),
        ([], lambda: profiles.point_to(Profile(who="u#1"), "u#2")),
        ([], lambda: runs.start(RUN)),
        ([runs.start(RUN)], _move),
        ([], _take),
        ([], lambda: messages.write_message(MESSAGE)),
        ([], lambda: addresses.write_address(Address(key="email#1"))),
        ([], lambda: identities.claim("email#1", "u#1", owner=None)),
    ],
)
def test_the_second_of_two_equal_writes_is_refused(before: list[base.Action], write: Callable[[], base.Action]) -> None:
    """Who decided on what has changed since decides anew: the same write does not happen twice."""
    assert all(base.commit([action]) for action in before)
    assert base.commit([write()])
    assert not base.commit([write()])
    assert not base.commit(
        [write(), base.Put(events.EventRow("u#9", "k", name="n", type="t", body=b"x", expires_at=1))]
    )
    assert events.list_events("u#9") == []


def test_a_transaction_is_all_or_nothing() -> None:
    """With one condition that does not hold nothing of it is written."""
    assert base.commit([_write_profile()])
    assert not base.commit([messages.write_message(MESSAGE), _write_profile()])
    assert messages.get_message("u#1", "m") is None


def test_demands_are_of_the_row_as_it_is() -> None:
    """A demand holds of the very row that was read: its kind, its family, its address, its slot, its run."""
    profile = Profile(who="u#1", address_keys={Channel.EMAIL: "email#1"})
    assert base.commit([profiles.put_profile(profile), runs.start(RUN)])
    read = profiles.get_profile("u#1")
    some = messages.write_message(MESSAGE)
    moved = msgspec.structs.replace(read, address_keys={Channel.EMAIL: "email#2"})
    ended = msgspec.structs.replace(RUN, ended=EndReason.EXITED, seq=1)
    done = msgspec.structs.replace(RUN, ended=EndReason.COMPLETED, seq=1)
    assert not base.commit([some, profiles.demand_profile(moved, channel=Channel.EMAIL)])
    assert not base.commit([some, slots.demand_unchanged(Slot(who="u#1", journey="cart", run="r", active=True))])
    assert base.commit([runs.move(RUN, done)])
    assert base.commit([some, profiles.demand_profile(read, channel=Channel.EMAIL), runs.demand_going_on(done)])
    assert base.commit([runs.move(done, msgspec.structs.replace(ended, seq=2))])
    assert not base.commit(
        [messages.write_message(msgspec.structs.replace(MESSAGE, id="n")), runs.demand_going_on(done)]
    )


def test_rows_come_back_as_they_went_in() -> None:
    """Nothing is lost on the way to a table and back."""
    event = an_order(properties={"revenue": 1.5, "text": "x" * 3_000})
    events.put_events([event, event, an_event()])
    assert events.get_event("u#1", event.key) == event
    assert len(events.list_events("u#1")) == 2
    started = msgspec.structs.replace(RUN, trigger=event)
    address = note_send(Address(key="email#1"), Sent(NOON, "m"))
    assert base.commit([runs.start(started), messages.write_message(MESSAGE), addresses.write_address(address)])
    assert runs.get_run("u#1", RUN.key) == started
    assert messages.get_message("u#1", "m") == msgspec.structs.replace(MESSAGE, version=1)
    assert addresses.get_address("email#1") == msgspec.structs.replace(address, version=1)


def test_what_is_settled_or_held_is_not_due() -> None:
    """The indexes hold what must be looked at, and nothing else."""
    held = msgspec.structs.replace(RUN, held=True, seq=1)
    settled = msgspec.structs.replace(MESSAGE, version=1, state=MessageState.ACCEPTED, retry_at=None)
    assert base.commit([runs.start(RUN), messages.write_message(MESSAGE)])
    assert (runs.list_due(NOON, limit=5), messages.list_due(NOON, limit=5)) == ([("u#1", RUN.key)], [("u#1", "m")])
    assert base.commit([runs.move(RUN, held), messages.write_message(settled)])
    assert (runs.list_due(NOON, limit=5), messages.list_due(NOON, limit=5)) == ([], [])
    assert runs.list_held("cart", limit=5) == [("u#1", RUN.key)]
    assert runs.list_held("welcome", limit=5) == []


def test_counts_add_up_with_the_message() -> None:
    """A count is bumped in the transaction of the message's write, and not without it."""
    after = msgspec.structs.replace(MESSAGE, state=MessageState.ACCEPTED)
    assert messages.replace_message(MESSAGE, after, counter="cart#0", day="2026-11-21", amounts={"accepted": 1})
    assert not messages.replace_message(MESSAGE, after, counter="cart#0", day="2026-11-21", amounts={"accepted": 1})
    assert [row.accepted for row in counts.CountRow.scan()] == [1]


def test_a_refusal_is_noted_once_an_hour() -> None:
    """The same reason again within the hour costs no write; another reason, or a later one, does."""
    slot = Slot(who="u#1", journey="cart")
    slots.note_refusal(slot, NotEntered.ALREADY_ACTIVE, NOON)
    for why, at, kept in (
        (NotEntered.ALREADY_ACTIVE, NOON + 1, NOON),
        (NotEntered.FILTER, NOON + 2, NOON + 2),
        (NotEntered.FILTER, NOON + 2 + HOUR, NOON + 2 + HOUR),
    ):
        slots.note_refusal(slots.get_slot("u#1", "cart"), why, at)
        assert slots.get_slot("u#1", "cart").refused_at == kept


def test_the_pointer_moves_by_comparison() -> None:
    """Of two publishers who saw the same generation one wins."""
    assert bundles.put_live(bundles.Live("a", 1), replaces=0)
    assert not bundles.put_live(bundles.Live("b", 1), replaces=0)
    assert bundles.put_live(bundles.Live("b", 2), replaces=1)
    assert bundles.get_live() == bundles.Live("b", 2)


def test_pointers_lead_to_the_profile() -> None:
    """A chain of pointers ends at the profile; a circle is an error and not a loop."""
    assert base.commit([profiles.put_profile(Profile(who="u#1"))])
    assert base.commit([profiles.point_to(Profile(who="a#1"), "a#2"), profiles.point_to(Profile(who="a#2"), "u#1")])
    assert profiles.resolve_profile("a#1").who == "u#1"
    assert profiles.get_profile("a#1").kind is Kind.POINTER
    assert base.commit([profiles.point_to(Profile(who="a#3"), "a#3")])
    with pytest.raises(base.TryAgain):
        profiles.resolve_profile("a#3")


@pytest.mark.parametrize("lost", [ReadTimeoutError, ConnectionClosedError])
@pytest.mark.parametrize(
    "call",
    [
        lambda: messages.get_message("u#1", "m"),
        lambda: runs.list_due(NOON, limit=1),
        lambda: runs.postpone("u#1", RUN.key, NOON),
        lambda: events.put_events([an_event()]),
        lambda: base.commit([runs.start(RUN)]),
        lambda: base.commit([runs.start(RUN), _take()]),
    ],
)
def test_a_lost_answer_is_tried_again(
    call: Callable[[], object], lost: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer at all is nothing that the record in hand is to blame for: it must not be taken for poison."""
    monkeypatch.setattr(Endpoint, "_do_get_response", lambda *_: (None, lost(endpoint_url="https://dynamodb")))
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(TryAgain, match=lost.__name__):
        call()


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError", "ResourceNotFoundException"])
def test_a_table_that_cannot_be_described_now_is_tried_again(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many profiles there are is for the eye: that it cannot be told now sets no sweep aside."""
    refused = ClientError({"Error": {"Code": code, "Message": "-"}}, "DescribeTable")
    monkeypatch.setattr(Endpoint, "_do_get_response", lambda *_: (None, refused))
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(TryAgain):
        profiles.count_rows()


@pytest.mark.parametrize("content", [b"\x81\xa1a\x01", b"\x92\x02\x80", msgspec.msgpack.encode({"a": "b" * 2_000})])
def test_what_is_packed_comes_back_also_from_before_there_was_a_layout(content: bytes) -> None:
    """A row has a byte for its layout; one that was written before has none, deflated or not."""
    assert base.unsqueeze(base.squeeze(content)) == content
    assert base.unsqueeze(content) == base.unsqueeze(zlib.compress(content)) == content


def test_older_code_leaves_what_newer_code_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    """During a deployment it would lose what it does not know: it is to be tried again, by the newer."""
    stored = base.squeeze(b"\x80")
    newer = bytes((base.LAYOUT + 1,)) + stored[1:]
    with pytest.raises(TryAgain):
        base.unsqueeze(newer)
    monkeypatch.setattr(base, "LAYOUT", base.LAYOUT + 1)
    assert base.unsqueeze(newer) == base.unsqueeze(stored) == b"\x80"
