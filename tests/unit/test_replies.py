"""Replies: what shoppers answer to an SMS, read as they mean it."""

from pathlib import Path

import pytest

from cartwake.events import Trust
from cartwake.feedback.replies import Reply, Word, make_event, read_reply, read_word

PAYLOADS = Path(__file__).parents[1] / "payloads"
REPLY = (PAYLOADS / "sns" / "reply.json").read_text()


@pytest.mark.parametrize("text", ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"])
@pytest.mark.parametrize("write", [str, str.upper, "  {}!! ".format, "{}.\n".format])
def test_the_seven_stop_words(text: str, write: object) -> None:
    """However they are written; American rules name these seven."""
    assert callable(write)
    assert read_word(write(text)) is Word.STOP


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STOPALL", Word.STOP),
        ("opt-out", Word.STOP),
        ("stop sending me this", Word.STOP),
        ("Wypisz mnie", Word.STOP),
        ("Abmelden bitte", Word.STOP),
        ("end of the season?", Word.OTHER),
        ("cancel my order 12", Word.OTHER),
        ("nonstop", Word.OTHER),
        ("don't stop", Word.OTHER),
        ("START", Word.START),
        ("unstop", Word.START),
        ("start of what?", Word.OTHER),
        ("Help", Word.HELP),
        ("info please", Word.HELP),
        ("", Word.OTHER),
        ("👍", Word.OTHER),
    ],
)
def test_what_a_reply_asks_for(text: str, word: Word) -> None:
    """A word that nobody uses otherwise counts wherever it begins a text; words of every day must stand alone."""
    assert read_word(text) is word


def test_a_reply_is_read() -> None:
    """As two-way messaging hands it on, in the envelope of the topic, with its time."""
    reply = read_reply(REPLY)
    assert reply is not None
    assert (reply.number, reply.text, reply.word) == ("+48512345678", "Stop!", Word.STOP)
    assert (reply.id, reply.at) == ("cae173d2-66b9-564c-8309-21f858e9fb84", 1_795_262_400_000)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "[]",
        '{"Message": "{}", "Timestamp": "2026-11-21T12:00:00.000Z"}',
        REPLY.replace("2026-11-21T12:00:00.000Z", "yesterday"),
        *(path.read_text() for path in sorted((PAYLOADS / "ses").glob("*.json"))),
    ],
)
def test_what_is_no_reply(body: str) -> None:
    """SES's own feedback comes by the same queue."""
    assert read_reply(body) is None


def test_a_stop_is_a_withdrawal() -> None:
    """Of SMS, and told by ourselves: what a number asks for is no hearsay."""
    event = make_event(Reply(id="r", number="+48512345678", text="STOP", at=5), "u#1", at=7)
    assert (event.name, event.trust, event.occurred_at) == ("Unsubscribed", Trust.OWN, 7)
    assert event.properties == {"channel": "sms", "method": "reply"}


def test_other_replies_are_events_that_a_journey_may_answer() -> None:
    """What was asked for is a property, and no text is kept at length."""
    told = make_event(Reply(id="r", number="+48512345678", text="HELP " + "x" * 1_000, at=5), "u#1", at=5)
    assert (told.name, told.properties["keyword"], len(told.properties["text"])) == ("SMS Received", "help", 320)
    assert make_event(Reply(id="r", number="+48512345678", text="ok", at=5), "u#1", at=5).properties == {"text": "ok"}
