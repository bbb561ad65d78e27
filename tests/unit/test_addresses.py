"""Addresses: one spelling, one key, and what is remembered of each."""

import pytest

from cartwake.addresses import (
    MOST_SENDS,
    Address,
    Sent,
    Suppression,
    derive_key,
    name_address,
    normalise,
    note_send,
    release_send,
    state_consent,
    suppress,
)
from cartwake.statements import Channel, Consent

EMAIL, SMS = Channel.EMAIL, Channel.SMS
SECRET = b"0" * 32


def test_a_key_stays_the_same_for_ever() -> None:
    """It outlives profiles and versions: another spelling of it would forget every unsubscribe."""
    assert derive_key(EMAIL, "ann@example.com", SECRET) == "email#b8ebd7c5df68a7106a24b49b896bcbf04aa13bb4"


def test_a_key_tells_addresses_channels_and_shops_apart() -> None:
    """One person's unsubscribe is nobody else's, and nobody without the secret finds whose it is."""
    keys = {
        derive_key(channel, it, secret) for channel in (EMAIL, SMS) for it in "ab" for secret in (SECRET, b"1" * 32)
    }
    assert len(keys) == 8


def test_a_name_stays_the_same_for_ever() -> None:
    """It stands in events, and what they say counts for as long as they are kept."""
    assert name_address("ann@example.com") == "615808f682b8c84f"


@pytest.mark.parametrize(
    ("channel", "text", "country", "spelling"),
    [
        (EMAIL, " Ann@Example.COM\n", None, "ann@example.com"),
        (EMAIL, "ann@localhost", None, None),
        (EMAIL, "ann@example.test", None, "ann@example.test"),
        (EMAIL, "ann", None, None),
        (SMS, "0171 2345678", "DE", "+491712345678"),
        (SMS, "0171 2345678", None, None),
        (SMS, "+48 512 345 678", "DE", "+48512345678"),
        (SMS, "+49 1", "DE", None),
        (SMS, "ann", "DE", None),
    ],
)
def test_an_address_has_one_spelling(channel: Channel, text: str, country: str | None, spelling: str | None) -> None:
    """Lower-case e-mail, or a number with its country; None for what can be neither."""
    assert normalise(channel, text, country=country) == spelling


def test_the_later_statement_counts_and_a_tie_is_a_withdrawal() -> None:
    """In whatever order they arrive."""
    yes, no, later = (Consent(subscribed=it, at=at, id=1) for it, at in ((True, 5), (False, 5), (True, 6)))
    for first, second, left in ((yes, no, no), (no, yes, no), (no, later, later), (later, no, later), (yes, yes, yes)):
        assert state_consent(state_consent(Address(key="k"), first), second).consent == left


def test_the_first_suppression_stays() -> None:
    """With its time; a complaint after a bounce changes nothing."""
    bounced = suppress(Address(key="k"), Suppression.BOUNCE, 7)
    assert (bounced.suppression, bounced.suppressed_at) == (Suppression.BOUNCE, 7)
    assert suppress(bounced, Suppression.COMPLAINT, 9) is bounced


def test_sends_are_counted_once_each_and_only_the_last_are_kept() -> None:
    """A message that is claimed again moves to the end; one that did not go out is taken back."""
    address = Address(key="k")
    for at in range(MOST_SENDS + 2):
        address = note_send(address, Sent(at=at, message=f"m{at}"))
    assert [it.at for it in address.sends] == list(range(2, MOST_SENDS + 2))
    again = note_send(address, Sent(at=999, message="m5"))
    assert [it.message for it in again.sends].count("m5") == 1
    assert again.sends[-1] == Sent(at=999, message="m5")
    assert release_send(again, "m5").sends == tuple(it for it in address.sends if it.message != "m5")
    assert release_send(again, "m5").key == "k"
