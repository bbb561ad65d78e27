"""The keyring: a key is looked up once a minute, and only so many are remembered."""

from dataclasses import dataclass

import pytest
from builders import NOON

from cartwake.capture.keyring import KEEP_MS, MOST_KEYS, Keyring, allows
from cartwake.events import Trust


@dataclass(frozen=True)
class _Key:
    trust: Trust = Trust.BROWSER
    origins: tuple[str, ...] = ()
    revoked: bool = False


def test_a_key_is_looked_up_once_a_minute() -> None:
    """Found or not; a clock that went back looks again, and so does whoever was told to forget."""
    asked: list[str] = []
    ring: Keyring[_Key] = Keyring(asked.append)
    for now, times in ((NOON, 1), (NOON + KEEP_MS - 1, 1), (NOON + KEEP_MS, 2), (NOON - 1, 3), (NOON, 3)):
        assert ring.look_up("k", now) is None
        assert len(asked) == times
    ring.forget()
    ring.look_up("k", NOON)
    assert len(asked) == 4
    assert ring.look_up("", NOON) is None
    assert len(asked) == 4
    ring.look_up("\ud800", NOON)
    assert len(asked) == 5


def test_of_too_many_keys_the_one_looked_up_longest_ago_is_forgotten() -> None:
    """Whoever tries out keys fills no memory."""
    asked: list[str] = []
    ring: Keyring[_Key] = Keyring(asked.append)
    for number in range(MOST_KEYS):
        ring.look_up(f"k{number}", NOON)
    ring.look_up("k0", NOON)
    assert len(asked) == MOST_KEYS
    ring.look_up("one more", NOON)
    ring.look_up("k1", NOON)
    assert len(asked) == MOST_KEYS + 1
    ring.look_up("k0", NOON)
    assert len(asked) == MOST_KEYS + 2


def test_a_revoked_key_is_no_key() -> None:
    """It is found, and refused."""
    assert Keyring(lambda _: _Key(revoked=True)).look_up("k", NOON) is None
    assert Keyring(lambda _: _Key()).look_up("k", NOON) == _Key()


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ((), "https://a", True),
        (("https://a",), "https://a", True),
        (("https://a",), "https://b", False),
        (("x",), "", True),
    ],
)
def test_where_a_key_may_be_used(origins: tuple[str, ...], origin: str, allowed: bool) -> None:
    """From its own origins, where it has any; a server names none."""
    assert allows(_Key(origins=origins), origin) is allowed
