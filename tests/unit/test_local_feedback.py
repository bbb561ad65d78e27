"""The SES events that local tools publish."""

from typing import get_args

import pytest

from cartwake_cli.local.feedback import EVENT_TYPES, Kind, Sent, make_event
from cartwake_cli.local.inbox import Mail

SENT = Sent("ses-1", "anna@example.com", {"message": "m1"})


@pytest.mark.parametrize("kind", get_args(Kind.__value__))
def test_every_kind_is_shaped_as_ses_documents_it(kind: Kind) -> None:
    """An event has its type, the mail with our tags as lists, and an object named after the type."""
    event = make_event(kind, SENT, at=1_795_262_400_007)
    event_type, own = EVENT_TYPES[kind]
    assert event["eventType"] == event_type
    assert own in event
    assert event["mail"]["messageId"] == "ses-1"
    assert event["mail"]["destination"] == ["anna@example.com"]
    assert event["mail"]["tags"]["message"] == ["m1"]
    assert event["mail"]["timestamp"] == "2026-11-21T12:00:00.007Z"


def test_details_replace_what_is_usual() -> None:
    """A bounce is permanent unless told otherwise."""
    assert make_event("bounce", SENT)["bounce"]["bounceType"] == "Permanent"
    told = make_event("bounce", SENT, bounceType="Transient", bounceSubType="MailboxFull")["bounce"]
    assert (told["bounceType"], told["bounceSubType"]) == ("Transient", "MailboxFull")
    assert told["bouncedRecipients"][0]["emailAddress"] == "anna@example.com"


def test_a_recorded_mail_becomes_what_the_event_is_about() -> None:
    """The engine records no tags, so they are given."""
    mail = Mail("ses-1", "shop@example.com", "anna@example.com", "Hello", "text", "<p>html</p>", 0)
    assert Sent.from_mail(mail, {"message": "m1"}) == SENT
