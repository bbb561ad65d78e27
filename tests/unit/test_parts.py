"""Parts: what an SMS costs is told by its characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwake.sending.parts import count_parts


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        # two places that would be divided go to the next part together
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("Größe für Øystein", "GSM-7", 17, 1),
        ("ł" * 70, "UCS-2", 70, 1),
        ("ł" * 71, "UCS-2", 71, 2),
        ("ł" * 134, "UCS-2", 134, 2),
        ("ł" * 135, "UCS-2", 135, 3),
        ("👟" * 35, "UCS-2", 70, 1),
        ("👟" * 36, "UCS-2", 72, 2),
        ("a" + "👟" * 66, "UCS-2", 133, 2),
        ("a" * 66 + "👟" + "a" * 66, "UCS-2", 134, 3),
    ],
)
def test_what_a_text_costs(text: str, encoding: str, units: int, parts: int) -> None:
    """160 characters alone and 153 in a part; with one character beyond GSM-7, 70 and 67."""
    told = count_parts(text)
    assert (told.encoding, told.units, told.parts) == (encoding, units, parts)


def test_what_makes_a_text_costly() -> None:
    """A dash or a quotation mark of a word processor more than doubles the price, so it is named."""
    assert count_parts("Hej – „zażółć” – ok").costly == "–„żółć”"  # noqa: RUF001  as a word processor writes it


@given(st.text(max_size=400), st.text(max_size=40))
def test_a_longer_text_never_costs_less(text: str, more: str) -> None:
    """And never more than a part for each character."""
    told, longer = count_parts(text), count_parts(text + more)
    assert 1 <= told.parts <= max(1, len(text))
    assert longer.parts >= told.parts
