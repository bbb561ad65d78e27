"""`cartwake explain`: how it names a shopper, and why somebody is in a segment or is not."""

import msgspec
import pytest
from builders import NOON, a_bundle, an_order

from cartwake.bundles import Bundle
from cartwake.profiles import Kind, Membership, Profile, State
from cartwake.segments import absorb, adopt
from cartwake.times import DAY, NEVER
from cartwake_cli.commands.explain import _show, _show_segment
from cartwake_cli.explanation import Explanation
from cartwake_cli.explanation_segment import explain_membership
from cartwake_cli.faults import Fault
from cartwake_cli.sections import Section


def test_each_key_stands_with_its_name_in_logs(capsys: pytest.CaptureFixture[str]) -> None:
    """Logs hold no user id, so what stands there instead is told; square brackets in an id are no markup."""
    _show(Explanation(who="u#ada@example.com", keys=("u#ada@example.com", "a#[b]x"), sections=()))
    first, second = capsys.readouterr().out.splitlines()
    assert first == "u#ada@example.com  in logs: vfsvzja64niy"
    assert second.startswith("a#[b]x  in logs: ")


def test_what_shoppers_wrote_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """Square brackets in a trait or a tag are shown as they are."""
    section = Section(title="tags", columns=("tag", "why"), lines=(("[bold]x", "[/]"),), empty="none")
    _show(Explanation(who="u#1", keys=(), sections=(section,)))
    assert "[bold]x" in capsys.readouterr().out


RULES = a_bundle()


def _buyer(*days: int, rules: Bundle = RULES) -> Profile:
    profile = adopt(Profile(who="u#1"), rules, 0)
    for number, day in enumerate(sorted(days, reverse=True)):
        profile, _ = absorb(profile, an_order(at=NOON - day * DAY, id=f"o{number}"), rules)
    return msgspec.structs.replace(profile, version=1)


def test_why_somebody_is_not_in_a_segment(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The definition part by part: what holds, what fails, what is there, and until when."""
    monkeypatch.setenv("COLUMNS", "200")
    found = explain_membership(_buyer(2, 1), RULES, "vip", now=NOON)
    _show_segment(found)
    lines = [line.strip(" │├└─") for line in capsys.readouterr().out.splitlines()]
    assert 'was never in "vip"' in lines
    assert '✗ is in the segment "vip" (VIP)' in lines
    assert any(
        line.startswith('✗ "Order Completed" happened at least 3 times in the last 90 days: twice') for line in lines
    )
    assert any("is more than 200: 200, of 2 events" in line for line in lines)


def test_why_somebody_is_in_a_segment() -> None:
    """A member since when, and until when, as plain data too."""
    data = explain_membership(_buyer(3, 2, 1), RULES, "vip", now=NOON).as_data()
    assert (data["segment"], data["member"]) == ("vip", True)
    assert data["stored"] == 'in "vip" since 2026-11-20T12:00:00.000Z'
    assert (data["reason"]["answer"], data["reason"]["until"]) == ("holds", "2027-02-16T12:00:00.000Z")


def test_a_membership_that_time_has_ended_is_explained_as_of_now() -> None:
    """What is stored and what is true now may differ until the next wake; both are told."""
    data = explain_membership(_buyer(3, 2, 1), RULES, "vip", now=NOON + 100 * DAY).as_data()
    assert data["stored"].startswith('in "vip" since')
    assert data["reason"]["answer"] == "fails"


def test_who_has_left_sees_when() -> None:
    """The stored membership says when it was entered and left."""
    state = State(memberships={"vip": Membership(0, NEVER, entered_at=NOON - DAY, left_at=NOON)})
    profile = Profile(who="u#1", version=1, generation=1, state=state)
    told = explain_membership(profile, RULES, "vip", now=NOON).summary
    assert told == 'not in "vip" now: entered 2026-11-20T12:00:00.000Z, left 2026-11-21T12:00:00.000Z'


@pytest.mark.parametrize(
    ("profile", "rules", "segment", "says"),
    [
        (_buyer(1), RULES, "vipp", 'there is no segment "vipp"; did you mean "vip"'),
        (_buyer(1), None, "vip", "no rules are live"),
        (Profile(who="u#1", kind=Kind.TOMBSTONE, version=2), RULES, "vip", "erased"),
        (Profile(who="u#1"), RULES, "vip", "no profile yet"),
    ],
)
def test_what_cannot_be_explained_is_said(profile: Profile, rules: Bundle | None, segment: str, says: str) -> None:
    """A misspelt segment, no rules, an erased shopper, and one who is not known yet: each is one plain message."""
    with pytest.raises(Fault, match=says):
        explain_membership(profile, rules, segment, now=NOON)
