"""Values: numbers that are texts, globs that find words, and what a missing value passes."""

from decimal import Decimal
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwake.values import (
    Compared,
    Contains,
    Exists,
    Is,
    Matches,
    Test,
    find_value,
    list_texts,
    matches_glob,
    parse_number,
    passes,
    to_micros,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("19,90", "19.90"),
        ("1 299.00", "1299.00"),
        ("1.299,50", "1299.50"),
        ("1,299.50", "1299.50"),
        (7, "7"),
        ("-3", "-3"),
        ("1e-999999999", "0"),
        ("0e999999999", "0"),
        ("0." + "1" * 30_000, "0.111111111111"),
    ],
)
def test_numbers_as_shops_write_them(text: object, number: str) -> None:
    """A price with a comma, with spaces, with either kind of thousands is the number that is meant."""
    assert parse_number(text) == Decimal(number)


NO_NUMBERS = ["", "abc", "NaN", "sNaN", "Infinity", "1e99", "1e999999999", "-1e999999999", "1e" + "9" * 99]


@pytest.mark.parametrize("text", [*NO_NUMBERS, True, None, [1], {}, 10**9_000], ids=lambda it: type(it).__name__)
def test_what_is_no_number(text: object) -> None:
    """What is no number, or no sane one, is none."""
    assert parse_number(text) is None
    assert to_micros(text) is None


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_micros_are_exact(amount: Decimal) -> None:
    """Millionths lose nothing of an amount with six places."""
    assert Decimal(to_micros(str(amount)) or 0) == amount * 1_000_000


NUMBERS = st.from_regex(r"[-+]?\d{0,30}[.,]?\d{0,30}(e[-+]?\d{1,20})?", fullmatch=True)
TEXTS = st.one_of(
    st.text(), NUMBERS, st.sampled_from(["%", "%E0%A4", "://", "2026-01-02", "9999-12-31T23:59:59-23:59"])
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)
TESTS = st.one_of(
    st.builds(Is, values=st.lists(ANYTHING, max_size=3).map(tuple), negated=st.booleans()),
    st.builds(Contains, text=TEXTS),
    st.builds(Matches, glob=st.one_of(TEXTS, st.text(alphabet="*?[]!-/ab"))),
    st.builds(
        Compared,
        op=st.sampled_from(["more_than", "less_than", "at_least", "at_most"]),
        bound=st.one_of(st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    ),
    st.builds(Exists, wanted=st.booleans()),
)


@given(ANYTHING, TESTS, st.lists(TEXTS, min_size=1, max_size=3).map(".".join))
def test_nothing_that_a_client_sends_raises(value: object, test: Test, path: str) -> None:
    """Whatever stands in an event, it is found or not, a number or not, and passes or not."""
    assert isinstance(passes(find_value(value, path), test), bool)
    assert isinstance(passes(value, test), bool)
    number, micros = parse_number(value), to_micros(value)
    assert (number is None) == (micros is None)
    assert number is None or len(f"{number:f}") <= 26


@pytest.mark.parametrize(
    ("glob", "text", "found"),
    [
        ("hiszp*", "https://x.pl/wakacje/hiszpania", True),
        ("hiszp*", "https://x.pl/wakacje/hiszpa%C5%84skie-wino", True),
        ("hiszpańskie*", "/hiszpa%C5%84skie", True),
        ("иСпан*", "/туры/испания", True),
        ("*shoes*", "https://x.com/big-SHOES?x=1", True),
        ("испан*", "https://x.ru/%D0%A2%D1%83%D1%80%D1%8B/%D0%98%D1%81%D0%BF%D0%B0%D0%BD%D0%B8%D1%8F", True),
        ("*ЖІНОЧЕ*взуття*", "/жіноче/осіннє-взуття", True),
        ("йогурт*", normalize("NFD", "/йогурт"), True),
        ("zażółć*", "/katalog/ZAŻÓŁĆ-gęślą", True),
        ("zażółć*", "/katalog/za%C5%BC%C3%B3%C5%82%C4%87", True),
        ("łódź*", "https://x.pl/oferta?miasto=%C5%81%C3%B3d%C5%BA", True),
        ("łódź*", "miasto=%C5%81%C3%B3d%C5%BA", True),
        ("lodz*", "/łódź", False),
        ("*size[s]=m*", "/shoes?size[s]=M", True),
        ("*size[s]=m*", "/shoes?sizes=m", False),
        ("/wakacje/*/all-inclusive", "https://x.pl/wakacje/hiszpania/all-inclusive", True),
        ("hiszp?nia", "/hiszpania", True),
        ("hiszpania", "/hiszpania-2026", False),
        ("pania*", "/hiszpania", False),
        ("/sale*", "https://x.com/sale/1", True),
        ("/sale*", "https://x.com/shoes/sale/1", False),
        ("*", "", True),
    ],
)
def test_globs(glob: str, text: str, found: bool) -> None:
    """A glob starts at any word, decoded and without case; with `*` or `/` in front at the beginning or the path."""
    assert matches_glob(text, glob) is found


def test_a_long_text_is_searched_from_its_first_words() -> None:
    """Words begin in the first 2,000 characters of a text; a match may go on beyond them, and `*` looks everywhere."""
    text = "word " * 400 + "end"
    assert matches_glob(text, "word*end")
    assert not matches_glob(text, "end")
    assert matches_glob(text, "*end")
    assert matches_glob(text[5:], "end")


@pytest.mark.parametrize(
    ("value", "test", "passed"),
    [
        (None, Exists(), False),
        ("", Exists(), False),
        (0, Exists(), True),
        (None, Exists(wanted=False), True),
        (None, Is(("a",)), False),
        (None, Is(("a",), negated=True), True),
        ("Oslo", Is(("oslo", "kyiv")), True),
        (True, Is((1,)), False),
        (["a", "b"], Is(("b",)), True),
        ("Trail Runner", Contains("runner"), True),
        (["red", "Blue"], Contains("blue"), True),
        (7, Contains("7"), False),
        ("/shoes", Matches("*shoe*"), True),
        ("https://X.pl/Hiszpania", Is(("https://x.pl/hiszpania",)), True),
        ("https://x.pl/hiszpania/", Is(("https://x.pl/hiszpania",)), False),
        ("https://x.pl/hiszpa%C5%84skie", Is(("https://x.pl/Hiszpańskie",)), True),
        ("https://x.pl/hiszpańskie", Is(("https://x.pl/hiszpa%C5%84skie",)), True),
        ("https://x.ru/%D0%A2%D1%83%D1%80%D1%8B", Is(("https://x.ru/туры",)), True),
        ("/hiszpan\u0301skie", Is(("/hiszpańskie",)), True),
        ("100%25 wool", Is(("100% wool",)), False),
        ("https://x.pl/wakacje/hiszpa%C5%84skie", Contains("HISZPAŃSKIE"), True),
        ("https://x.ru/%D0%98%D1%81%D0%BF%D0%B0%D0%BD%D0%B8%D1%8F", Contains("испан"), True),
        ("https://x.pl/wakacje/hiszpania", Contains("pania"), True),
        ("https://x.pl/wakacje/grecja", Contains("hiszp"), False),
        ("https://x.pl/?q=%zz%C5", Contains("?q="), True),
        ("19,90", Compared("more_than", 19.0), True),
        ("2026-01-02", Compared("at_least", "2026-01-02"), True),
        ("2026-01-31", Compared("at_least", "2026-01-31T00:00:00+01:00"), True),
        ("2026-01-30T23:00:00Z", Compared("at_least", "2026-01-31T00:00:00+01:00"), True),
        ("2026-01-30T23:00:00Z", Compared("less_than", "2026-01-31T00:00:00+01:00"), False),
        (1_769_814_000, Compared("at_least", "2026-01-31T00:00:00+01:00"), True),
        (1_769_814_000_000, Compared("at_least", "2026-01-31T00:00:00+01:00"), True),
        (1_769_813_999_999, Compared("at_least", "2026-01-31T00:00:00+01:00"), False),
        (True, Compared("less_than", "2026-01-31T00:00:00+01:00"), False),
        (None, Compared("less_than", 5.0), False),
        ("x", Compared("at_most", "2026-01-02"), False),
    ],
)
def test_what_passes(value: object, test: Test, passed: bool) -> None:
    """Each test says what its words say; a missing value passes only `exists: false` and `is_not`."""
    assert passes(value, test) is passed


def test_paths() -> None:
    """A dotted path leads into nested objects; a key that has dots itself comes first."""
    data = {"a": {"b": 1}, "a.b": 2, "c": [1]}
    assert find_value(data, "a.b") == 2
    assert find_value({"a": {"b": 1}}, "a.b") == 1
    assert find_value(data, "c.d") is None


@pytest.mark.parametrize(
    ("value", "wanted", "same"),
    [("49.90", 49.9, True), ("42", 42, True), (42, "42", True), ("4 2", 43, False), ("x", 1, False), (True, 1, False)],
)
def test_a_number_is_the_same_as_text(value: object, wanted: object, same: bool) -> None:
    """Clients send prices as text, and marketers write numbers."""
    assert passes(value, Is((wanted,))) is same


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_what_is_empty_does_not_exist(value: object) -> None:
    """An empty list of coupons is no coupon."""
    assert not passes(value, Exists())


def test_a_glob_of_many_stars_on_a_long_text_is_looked_for_at_its_beginning() -> None:
    """30 KB of words cost no more than 2 KB do."""
    text = "s" + "s x y " * 6_000
    assert not matches_glob(text, "s*x*y*q*")
    assert matches_glob("says y and x " + text, "says*x*")


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ([1, 1.0, "1"], ["1"]),
        (2.5, ["2.5"]),
        ([True, None, "", "a", "a"], ["a"]),
        (float("nan"), ["nan"]),
    ],
)
def test_one_number_is_one_value(value: object, texts: list[str]) -> None:
    """However a number is sent, it is the same value when different ones are counted."""
    assert list_texts(value) == texts
