"""Statements: what a server says of a shopper, in whatever shape it says so."""

import pytest
from builders import NOON, an_event

from cartwake.events import Trust
from cartwake.profiles import State, fold
from cartwake.statements import Channel, list_tags


@pytest.mark.parametrize("channel", [["email"], ["email", "sms"], "email"])
def test_a_withdrawal_is_understood(channel: object) -> None:
    """A channel may be told as a list: no withdrawal is lost for that."""
    state = fold(State(), an_event("Unsubscribed", properties={"channel": channel}), {})
    assert not state.consents[Channel.EMAIL].subscribed
    assert (Channel.SMS in state.consents) is (channel == ["email", "sms"])


@pytest.mark.parametrize("channel", [{"email": True}, 7, None, [], ["push"]])
def test_what_is_no_channel_of_ours_states_nothing(channel: object) -> None:
    """And raises nothing."""
    assert not fold(State(), an_event("Unsubscribed", properties={"channel": channel}), {}).consents


def test_tags_are_one_whatever_their_case() -> None:
    """What was added as VIP is taken away as vip; what is shown is the latest spelling."""
    state = fold(State(), an_event("Tag Added", properties={"tag": "VIP"}, at=NOON), {})
    assert list_tags(state.tags) == ["VIP"]
    assert list_tags(fold(state, an_event("Tag Removed", properties={"tag": "vip"}, at=NOON + 1), {}).tags) == []
    assert list_tags(fold(state, an_event("Tag Added", properties={"tag": "Vip"}, at=NOON + 1), {}).tags) == ["Vip"]


def test_a_browser_tags_nobody() -> None:
    """A public key sets no tags."""
    assert not fold(State(), an_event("Tag Added", properties={"tag": "vip"}, trust=Trust.BROWSER), {}).tags
