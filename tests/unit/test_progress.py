"""Progress: what is told of a sweep while it goes on, and when it has ended."""

from builders import NOON

from cartwake.progress import say_moved, show_progress
from cartwake.sweeps import PARTS, Aim, Moved, Part, SweepKind, Tally
from cartwake.times import HOUR, MINUTE

AIM = Aim(bundle="b", generation=3, began_at=NOON)


def _parts(done: int, *, read: int = 0) -> list[Part]:
    tally = Tally(read=read, written=2, backfilled=1, people=3, moved={"vip": Moved(entered=2), "b": Moved(left=1)})
    return [
        Part(
            kind=SweepKind.LIVE,
            number=number,
            aim=AIM,
            done=number < done,
            tally=tally if number == 0 else Tally(),
            updated_at=NOON + number * MINUTE,
        )
        for number in range(PARTS)
    ]


def test_a_sweep_that_goes_on() -> None:
    """How much is done by parts or by rows, whichever is more, and when at that pace it ends."""
    shown = show_progress(_parts(2, read=50), profiles=100, now=NOON + HOUR)
    assert (shown["done"], shown["percent"], shown["ends_about"]) == (False, 50, "2026-11-21T14:00:00.000Z")
    assert shown["message"] == "Everybody is looked at under the new rules: 50 % done, about 60 minutes left."
    assert (shown["what"], shown["generation"], shown["began_at"]) == ("live", 3, "2026-11-21T12:00:00.000Z")
    assert shown["profiles"] == {"read": 50, "written": 2, "backfilled": 1, "moved": 3}
    assert shown["segments"] == {"b": {"entered": 0, "left": 1}, "vip": {"entered": 2, "left": 0}}
    assert "candidate" not in shown
    assert "ended_at" not in shown
    assert show_progress(_parts(PARTS - 1, read=500), profiles=100, now=NOON + HOUR)["percent"] == 99


def test_a_sweep_that_has_just_begun() -> None:
    """It cannot say yet when it ends."""
    shown = show_progress(_parts(0), profiles=0, now=NOON + MINUTE)
    assert (shown["percent"], shown["ends_about"]) == (0, None)
    assert shown["message"] == "Everybody is looked at under the new rules: 0 % done."


def test_a_sweep_that_has_ended() -> None:
    """When its last part did."""
    shown = show_progress(_parts(PARTS, read=50), profiles=0, now=NOON + HOUR)
    assert (shown["done"], shown["percent"], shown["ended_at"]) == (True, 100, "2026-11-21T12:07:00.000Z")
    assert shown["message"] == (
        "Everybody was looked at under the new rules: 50 profiles, of whom 3 moved (b: 1 left; vip: 2 entered)."
    )


def test_nobody_moved() -> None:
    """It is said, not left out."""
    assert say_moved({}) == "nobody"
