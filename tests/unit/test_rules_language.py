"""The rule language: what each condition says of shoppers, compiled and evaluated, with members and with others."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwake.bundles import Bundle
from cartwake.carts import Item
from cartwake.conditions.kinds import Answer, Verdict
from cartwake.events import Event, Trust
from cartwake.profiles import Profile
from cartwake.rules.compile import link
from cartwake.rules.condition_models import MODELS
from cartwake.rules.faults import Faulty
from cartwake.rules.files import read_file
from cartwake.rules.group_models import EngagementSettings, LifecycleSettings, Orders
from cartwake.rules.groups import spell_engagement, spell_lifecycle, tell_engagement, tell_lifecycle
from cartwake.segments import View, absorb, adopt, check
from cartwake.times import DAY, HOUR, MINUTE, parse_instant
from tests.builders import NOON, an_event

type History = list[Event]
ORDER = "Order Completed"
SETTINGS = {
    "shop": {"name": "N", "url": "https://n.example", "postal_address": "Street 1"},
    "sender": {"email": "shop@example.com"},
    "timezone": "Europe/Warsaw",
}
FILES: dict[str, Any] = {
    "settings.json": SETTINGS,
    "segments/vip.json": {
        "name": "VIP", "where": {"did": ORDER, "at_least": 3}, "then": {"tag": ["vip", "Gold"]},
    },
    "segments/once-vip.json": {
        "name": "Once", "where": {"did": ORDER, "in_last": "10 days"}, "then": {"tag": "stays", "sticky": True},
    },
    "scores/engagement.json": {
        "name": "Engagement",
        "half_life": "30 days",
        "cap": 100,
        "points": [
            {"did": "Page Viewed", "points": 10, "most": 40},
            {"did": ORDER, "points": 40},
            {"when": {"consent": "email"}, "points": 5},
        ],
    },
    "predictions.json": {
        "fitted_at": "2026-11-22",
        "customers": 23570,
        "buying": {"r": 0.243, "alpha": 30.9, "a": 0.793, "b": 2.426},
        "spending": {"p": 6.25, "q": 3.74, "v": 15.44},
    },
}  # fmt: skip


def compile_rules(where: dict[str, Any], **settings: Any) -> Bundle:
    """Compile a segment `s` beside all that conditions may refer to."""
    files = FILES | {"segments/s.json": {"name": "S", "where": where}, "settings.json": SETTINGS | settings}
    linked = link({name: read_file(name, json.dumps(content).encode()) for name, content in files.items()})
    assert not linked.conflicts, [str(each.fault) for each in linked.conflicts]
    return linked.bundle


def judge(where: dict[str, Any], history: History, *, now: int = NOON, **settings: Any) -> Verdict:
    """Return the verdict on a new shopper who did all of *history*."""
    rules = compile_rules(where, **settings)
    profile = adopt(Profile(who="u#1"), rules, 0)
    for event in sorted(history, key=lambda event: event.received_at):
        profile, _ = absorb(profile, event, rules)
    return check(rules.segments["s"].where, View(profile.state, rules, now))


def did(name: str, days: float, /, **properties: Any) -> Event:
    """Something happened so many days before now."""
    return an_event(name, at=NOON - round(days * DAY), properties=properties)


def ordered(days: float, revenue: float = 60.0, **properties: Any) -> Event:
    return did(ORDER, days, revenue=revenue, **properties)


def on_day(name: str, day: str, **properties: Any) -> Event:
    return an_event(name, at=parse_instant(day), properties=properties)


def told(**traits: Any) -> Event:
    return an_event("Identified", at=NOON - 400 * DAY, type="identify", traits=traits)


def agreed(channel: str = "email", days: float = 5, method: str = "form") -> Event:
    return did("Subscribed", days, channel=channel, method=method)


def asked(days: float = 5, trust: str = "server") -> Event:
    return msgspec.structs.replace(did("Subscription Requested", days, channel="email"), trust=Trust(trust))


def left(channel: str = "email", days: float = 4) -> Event:
    return did("Unsubscribed", days, channel=channel)


def put(product: str, price: float, days: float = 0.01, **shown: Any) -> Event:
    more = {"product_id": product, "name": product, "price": price, "quantity": 1}
    return did("Product Added", days, **more | shown)


def came(days: float = 3, source: str = "google", agent: str = "Mozilla/5.0 (iPhone) Mobile") -> Event:
    event = did("Page Viewed", days, url=f"https://n.example/?utm_source={source}")
    context = {"userAgent": agent}
    return an_event("Page Viewed", at=event.received_at, properties=event.properties, context=context)


def rhythm(*days: float, revenue: float = 60.0) -> History:
    return [ordered(each, revenue) for each in days]


SHOES = [{"category": "shoes", "price": 89.0, "quantity": 4}, {"category": "socks", "price": 9.0, "quantity": 6}]
CASES: list[tuple[dict[str, Any], list[History], list[History]]] = [
    ({"did": ORDER, "at_least": 3, "in_last": "90 days"}, [rhythm(1, 30, 89)], [rhythm(1, 30, 91), []]),
    (
        {"did": "Page Viewed", "where": {"url": {"matches": "hiszp*"}}},
        [
            [did("Page Viewed", 9, url="https://n.example/wakacje/hiszpania")],
            [did("Page Viewed", 9, url="/hiszpa%C5%84skie-wino")],
        ],
        [[did("Page Viewed", 9, url="/katalog/pizza")], [did("Product Viewed", 9, url="/hiszpania")]],
    ),
    (
        {"did": ORDER, "where": {"products": {"any_item": {"category": "shoes", "price": {"at_least": 50}}}}},
        [[ordered(3, products=SHOES)]],
        [[ordered(3, products=[{"category": "shoes", "price": 20}, {"category": "coats", "price": 99}])]],
    ),
    (
        {"did": ORDER, "exactly": 1, "between": ["60 days", "30 days"]},
        [rhythm(1, 31)],
        [rhythm(31, 59), rhythm(29, 61)],
    ),
    (
        {"did": "Email Opened", "at_most": 2, "after": "2026-01-01"},
        [[], [on_day("Email Opened", "2025-12-31T22:59:59Z")] * 1],
        [[on_day("Email Opened", f"2026-0{month}-05") for month in (1, 2, 3)]],
    ),
    ({"did": ORDER, "before": "180 days"}, [rhythm(180, 2)], [rhythm(179), []]),
    (
        {"did": "Product Viewed", "in_last": "30 days", "then": {"did_not": ORDER, "within": "3 days"}},
        [[did("Product Viewed", 10), ordered(6)]],
        [[did("Product Viewed", 10), ordered(8)], [did("Product Viewed", 2)], []],
    ),
    ({"did_not": ORDER, "in_last": "90 days"}, [[], rhythm(91)], [rhythm(89)]),
    (
        {"did_not": "Email Opened", "between": ["2026-01-01", "2026-01-31"]},
        [[], [on_day("Email Opened", "2026-02-01")]],
        [[on_day("Email Opened", "2026-01-31T22:00:00Z")]],
    ),
    ({"first": ORDER, "in_last": "30 days"}, [rhythm(29, 3)], [rhythm(31, 3), []]),
    (
        {"first": ORDER, "where": {"coupon": {"exists": True}}},
        [[ordered(30, coupon="HELLO"), ordered(3)]],
        [[ordered(30), ordered(3, coupon="HELLO")]],
    ),
    ({"first": ORDER, "after": "2026-01-01"}, [rhythm(30)], [rhythm(30, 400), []]),
    ({"last": "Page Viewed", "before": "30 days"}, [[did("Page Viewed", 31)]], [[did("Page Viewed", 31), came(3)], []]),
    (
        {"last": ORDER, "where": {"revenue": {"more_than": 100}}, "in_last": "365 days"},
        [[ordered(50, 20), ordered(3, 120)]],
        [[ordered(50, 120), ordered(3, 20)], [ordered(366, 120)]],
    ),
    (
        {"last": ORDER, "between": ["2026-01-01", "2026-06-30"]},
        [[on_day(ORDER, "2025-05-01"), on_day(ORDER, "2026-06-30T20:00:00Z")]],
        [[on_day(ORDER, "2026-06-30"), on_day(ORDER, "2026-07-01")], [on_day(ORDER, "2025-12-31")]],
    ),
    (
        {"total_of": "revenue", "on": ORDER, "more_than": 200, "in_last": "90 days"},
        [rhythm(1, 2, 3, 4)],
        [rhythm(1, 2, 3), rhythm(1, 2, 3, 91)],
    ),
    (
        {"total_of": "revenue", "on": ORDER, "at_least": 100, "less_than": 500},
        [rhythm(1, 900)],
        [rhythm(1), rhythm(*range(9))],
    ),
    (
        {"total_of": "products.quantity", "on": ORDER, "at_least": 10, "in_last": "365 days"},
        [[ordered(3, products=SHOES)]],
        [[ordered(3, products=SHOES[:1])]],
    ),
    (
        {"average_of": "revenue", "on": ORDER, "at_least": 80, "in_last": "365 days"},
        [[ordered(3, 60), ordered(4, 100)]],
        [rhythm(3), []],
    ),
    (
        {"largest_of": "revenue", "on": ORDER, "more_than": 150, "after": "2026-01-01"},
        [[ordered(3, 151), ordered(1)]],
        [[ordered(400, 151), ordered(1)]],
    ),
    (
        {"distinct_of": "products.category", "on": ORDER, "at_least": 3, "in_last": "365 days"},
        [[ordered(3, products=SHOES), ordered(9, products=[{"category": "coats"}])]],
        [[ordered(3, products=SHOES), ordered(9, products=SHOES)]],
    ),
    ({"trait": "plan", "is": ["gold", "silver"]}, [[told(plan="Gold")]], [[told(plan="bronze")], []]),
    ({"trait": "age", "at_least": 18, "less_than": 65}, [[told(age=18)]], [[told(age=65)], [told(age="?")]]),
    ({"trait": "phone", "exists": True}, [[told(phone="+48123456789")]], [[told(phone="")], []]),
    (
        {"trait": "contract_ends", "in_next": "30 days"},
        [[told(contract_ends="2026-12-01")]],
        [[told(contract_ends="2027-01-01")]],
    ),
    (
        {"age_of": "birthday", "at_least": 18, "less_than": 30},
        [[told(birthday="2008-11-21")]],
        [[told(birthday="2008-11-22")], [told(birthday="1996-11-21")]],
    ),
    (
        {"anniversary_of": "birthday", "in_next": "3 days"},
        [[told(birthday="1990-11-24")], [told(birthday="1990-11-21")]],
        [[told(birthday="1990-11-25")], []],
    ),
    ({"anniversary_of": "birthday", "today": True}, [[told(birthday="1990-11-21")]], [[told(birthday="1990-11-22")]]),
    (
        {"anniversary_of": "created_at", "in_last": "7 days"},
        [[told(created_at="2020-11-14T10:00:00Z")]],
        [[told(created_at="2020-11-13")]],
    ),
    ({"profile": "language", "is": ["de", "pl"]}, [[told(locale="pl-PL")]], [[told(locale="en-GB")], []]),
    ({"profile": "device", "is": "mobile"}, [[came()]], [[came(agent="Mozilla/5.0 (X11; Linux)")]]),
    ({"profile": "first_visit.utm_source", "is": "google"}, [[came(9), came(1, "bing")]], [[came(9, "bing"), came(1)]]),
    ({"profile": "last_seen", "before": "30 days"}, [[came(30)]], [[came(30), came(29)]]),
    ({"consent": "email", "is": "subscribed"}, [[agreed()]], [[], [agreed(), left()], [agreed("sms")]]),
    (
        {"consent": "email", "is": "subscribed", "method": "form", "in_last": "30 days"},
        [[agreed()]],
        [[agreed(days=31)], [agreed(method="import")]],
    ),
    (
        {"consent": "email", "is": "pending", "before": "2 days"},
        [[asked()], [agreed(days=9), left(days=8), asked()]],
        [[], [asked(1)], [asked(), agreed(days=3)], [asked(9), left(days=8)], [left(days=8), asked(trust="browser")]],
    ),
    ({"consent": "sms", "is": ["unsubscribed", "never_asked"]}, [[], [agreed("sms"), left("sms")]], [[agreed("sms")]]),
    (
        {"reachable_by": "email"},
        [[told(email="ada@example.com"), agreed()]],
        [[agreed()], [told(email="ada@example.com")], [told(email="ada@example.com"), agreed(), left()]],
    ),
    (
        {"tag": "wholesale"},
        [[did("Tag Added", 3, tag="Wholesale")]],
        [[], [did("Tag Added", 3, tag="wholesale"), did("Tag Removed", 2, tag="wholesale")]],
    ),
    ({"tag": "gold"}, [rhythm(1, 2, 3), [did("Tag Added", 3, tag="gold")]], [rhythm(1, 2)]),
    ({"tag": "stays"}, [rhythm(40), rhythm(3)], [[]]),
    (
        {"score": "engagement", "at_least": 50},
        [rhythm(1, 2), [ordered(0), *[came(0.1)], agreed()]],
        [rhythm(1), [came(each) for each in range(20)]],
    ),
    ({"share": 100, "of": "newsletter-test"}, [[came()]], []),
    (
        {"cart": "open", "value": {"at_least": 50}, "untouched_for": "2 hours"},
        [[put("A", 60, 0.1)]],
        [[put("A", 60, 0.01)], [put("A", 49, 0.1)], [put("A", 60, 0.1), ordered(0.05)]],
    ),
    (
        {"cart": "open", "item": {"category": "shoes", "price": {"at_least": 100}}},
        [[put("A", 100, category="Shoes")]],
        [[put("A", 99, category="shoes"), put("B", 100, category="hats")]],
    ),
    ({"cart": "empty"}, [[], [put("A", 1, 2), ordered(1)]], [[put("A", 1)]]),
    ({"lifecycle": "champions"}, [rhythm(5, 50, 90, 300)], [rhythm(5, 50, 90), rhythm(41, 50, 90, 300)]),
    ({"lifecycle": ["at_risk", "about_to_lose"]}, [rhythm(90), rhythm(364)], [rhythm(89), rhythm(365), []]),
    ({"engagement": "clicker"}, [[did("Email Link Clicked", 9)]], [[did("Email Link Clicked", 91)], [came()]]),
    ({"engagement": ["clicker", "active"]}, [[did("Email Opened", 89)]], [[], [did("Email Opened", 91)]]),
    ({"predicted": "next_order", "in_next": "7 days"}, [rhythm(25, 55, 85)], [rhythm(31, 61, 91), rhythm(5)]),
    ({"predicted": "rhythm", "at_most": 45}, [rhythm(0, 45, 90)], [rhythm(0, 46), rhythm(3)]),
    ({"predicted": "value", "at_least": 500}, [rhythm(1, 500, revenue=250)], [rhythm(1)]),
    ({"predicted": "churn_risk", "more_than": 70}, [rhythm(300, 307, 314, 321)], [rhythm(1, 8, 15, 22), []]),
    ({"in_segment": "vip"}, [rhythm(1, 2, 3)], [rhythm(1, 2)]),
    (
        {"all": [{"did": ORDER}, {"did_not": ORDER, "in_last": "90 days"}]},
        [rhythm(91)],
        [rhythm(89), []],
    ),
    ({"any": [{"did": ORDER, "in_last": "30 days"}, {"cart": "open"}]}, [rhythm(29), [put("A", 1)]], [rhythm(31)]),
    (
        {"none": [{"tag": "wholesale"}, {"did": ORDER, "in_last": "30 days"}]},
        [[], rhythm(31)],
        [[did("Tag Added", 3, tag="wholesale")], rhythm(29)],
    ),
]


def each_case() -> Iterator[Any]:
    for where, members, others in CASES:
        for expected, histories in ((True, members), (False, others)):
            for number, history in enumerate(histories):
                name = f"{json.dumps(where)[:60]}-{'in' if expected else 'out'}-{number}"
                yield pytest.param(where, history, expected, id=name)


@pytest.mark.parametrize(("where", "history", "expected"), list(each_case()))
def test_what_a_condition_says(where: dict[str, Any], history: History, expected: bool) -> None:
    """Each condition holds of the shoppers whom its words mean, and of nobody else."""
    assert judge(where, history).answer is (Answer.HOLDS if expected else Answer.FAILS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.begins)
def test_every_condition_is_shown_and_every_example_evaluated(model: Any) -> None:
    """Each kind of condition shows examples, and each of them is evaluated here with members and with others."""
    evaluated = [where for where, members, _ in CASES if members]
    assert model.shown
    for example in model.shown:
        assert example in evaluated or example["share"] == 10


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("product_name", "name"),
        ("productName", "name"),
        ("products.brand", "brand"),
        ("title", "name"),
        ("id", "product_id"),
        ("item_category", "category"),
        ("product_naem", "name"),
        ("categry", "category"),
        ("size", ""),
    ],
)
def test_an_item_of_the_cart_has_its_own_keys_alone(key: str, nearest: str) -> None:
    """A test on what no item has would never hold: it is refused, with the nearest key, and the keys there are."""
    where = {"none": [{"cart": "open", "item": {"price": {"at_least": 9}, key: "42"}}]}
    with pytest.raises(Faulty) as refused:
        read_file("segments/s.json", json.dumps({"name": "S", "where": where}).encode())
    (fault,) = refused.value.faults
    assert (fault.path, fault.suggestion) == (f"where.none[0].item.{key}", nearest)
    assert '"product_id", "name", ' in fault.message


def test_every_key_of_an_item_can_be_tested() -> None:
    """What an item of a cart is known by, conditions can ask for."""
    shown = {"name": "Boot", "variant": "42", "brand": "B", "category": "shoes", "sku": "s", "currency": "EUR"}
    shown |= {"url": "https://n.example/a", "image_url": "https://n.example/a.png"}
    item = shown | {"product_id": "A", "price": 60, "total": 60, "quantity": 1}
    assert item.keys() == set(Item.__struct_fields__)
    for key, value in item.items():
        where = {"cart": "open", "item": {key: value}}
        assert judge(where, [put("A", 60, 0.1, **shown)]).answer is Answer.HOLDS, key


def test_a_share_is_a_share() -> None:
    """A tenth of all shoppers is about a tenth, the same ones again; another draw draws others."""
    drawn = []
    for salt in ("a", "b"):
        rules = compile_rules({"share": 10, "of": salt})
        found = set()
        for number in range(600):
            profile, _ = absorb(adopt(Profile(who=f"u#{number}"), rules, 0), an_event(who=f"u#{number}"), rules)
            view = View(profile.state, rules, NOON)
            found |= {number} if check(rules.segments["s"].where, view).answer is Answer.HOLDS else set()
        drawn.append(found)
    assert all(30 < len(found) < 95 for found in drawn)
    assert drawn[0] != drawn[1]


ORDERS = st.lists(st.tuples(st.integers(0, 800), st.floats(1, 300)), max_size=12)
DURATIONS = st.integers(1, 500).map(lambda days: f"{days} days")
LIFECYCLES = st.builds(
    lambda ends, **more: dict(zip(ENDS, (f"{days} days" for days in sorted(ends)), strict=True)) | more,
    st.sets(st.integers(1, 700), min_size=4, max_size=4),
    period=DURATIONS,
    champion_orders=st.integers(2, 6),
    champion_value=st.none() | st.floats(1, 200),
)
ENDS = ("needs_attention_after", "at_risk_after", "about_to_lose_after", "lost_after")


@given(LIFECYCLES, ORDERS)
def test_everybody_is_in_one_group_of_the_lifecycle(settings: dict[str, Any], orders: list[tuple[int, float]]) -> None:
    """The groups are disjoint and cover everybody, wherever the settings put their ends."""
    rule = LifecycleSettings.model_validate(settings)
    history = [ordered(days, revenue) for days, revenue in orders]
    found = find_groups("lifecycle", list(spell_lifecycle(rule, Orders())), history, lifecycle=settings)
    assert len(found) == 1
    assert (found == ["prospect"]) == (not orders)


@given(
    DURATIONS,
    DURATIONS,
    st.lists(st.tuples(st.sampled_from(["Email Link Clicked", "Email Opened"]), st.integers(0, 600)), max_size=5),
)
def test_everybody_is_in_one_group_of_engagement(clicker: str, active: str, history: list[tuple[str, int]]) -> None:
    """The groups are disjoint and cover everybody, wherever the settings put their ends."""
    settings = {"clicker_for": clicker, "active_for": active}
    names = list(spell_engagement(EngagementSettings.model_validate(settings)))
    assert len(find_groups("engagement", names, [did(*each) for each in history], engagement=settings)) == 1


def find_groups(kind: str, names: list[str], history: History, **settings: Any) -> list[str]:
    """Return the groups that a shopper is in; all are compiled together, for speed."""
    files: dict[str, Any] = {"settings.json": SETTINGS | settings}
    files |= {f"segments/{name.replace('_', '-')}.json": {"name": name, "where": {kind: name}} for name in names}
    linked = link({name: read_file(name, json.dumps(content).encode()) for name, content in files.items()})
    assert not linked.conflicts
    profile = adopt(Profile(who="u#1"), linked.bundle, 0)
    for event in sorted(history, key=lambda event: event.received_at):
        profile, _ = absorb(profile, event, linked.bundle)
    view = View(profile.state, linked.bundle, NOON)
    return [it.title for it in linked.bundle.segments.values() if check(it.where, view).answer is Answer.HOLDS]


def test_every_group_is_told_in_a_line() -> None:
    """What each group is, is said in a line; and the models know the same groups."""
    rule, engagement = LifecycleSettings(), EngagementSettings()
    told_of = {**tell_lifecycle(rule), **tell_engagement(engagement)}
    assert list(told_of) == [*spell_lifecycle(rule, Orders()), *spell_engagement(engagement)]
    assert all(line.endswith(".") for line in told_of.values())
    for name in told_of:
        kind = "engagement" if name in tell_engagement(engagement) else "lifecycle"
        assert compile_rules({kind: name})


@pytest.mark.parametrize(
    ("where", "members", "others"),
    [
        ({"first": ORDER, "before": "2026-01-01"}, ["2025-12-31T22:59:59Z"], ["2025-12-31T23:00:00Z"]),
        ({"first": ORDER, "between": ["2026-01-01", "2026-01-31"]}, ["2026-01-31T22:59:59Z"], ["2025-12-31T22:59:59Z"]),
        ({"last": ORDER, "before": "2026-01-01"}, ["2025-12-31T22:59:59Z"], ["2026-01-01"]),
        ({"last": ORDER, "after": "2026-01-01"}, ["2025-12-31T23:00:00Z"], ["2025-12-31T22:59:59Z"]),
        ({"did": ORDER, "before": "2026-06-30T12:00:00Z"}, ["2026-06-30T11:59:59Z"], ["2026-06-30T12:00:00Z"]),
        ({"did": ORDER, "after": "2026-06-30T12:00:00+02:00"}, ["2026-06-30T10:00:00Z"], ["2026-06-30T09:59:59Z"]),
        ({"did": ORDER, "between": ["2026-03-29", "2026-03-29"]}, ["2026-03-29T21:59:59Z"], ["2026-03-29T22:00:00Z"]),
        (
            {"did": ORDER, "after": "2026-01-01", "before": "2026-02-01"},
            ["2026-01-31T22:59:59Z"],
            ["2026-01-31T23:00:00Z"],
        ),
        ({"did": ORDER, "in_last": "60 days", "before": "30 days"}, ["2026-10-22T12:00:00Z"], ["2026-10-22T12:00:01Z"]),
        (
            {"total_of": "revenue", "on": ORDER, "at_least": 1, "between": ["2026-01-01", "2026-01-31"]},
            ["2026-01-31T22:59:59Z"],
            ["2026-01-31T23:00:00Z", "2025-12-31T22:59:59Z"],
        ),
    ],
)
def test_dates_are_days_of_the_shop(where: dict[str, Any], members: list[str], others: list[str]) -> None:
    """A date begins at midnight in the shop's timezone; the second day of "between" is in it to its end."""
    for moments, answer in ((members, Answer.HOLDS), (others, Answer.FAILS)):
        for moment in moments:
            assert judge(where, [on_day(ORDER, moment, revenue=5)]).answer is answer, moment


def test_chains_of_sequences() -> None:
    """A sequence may go on: each part in its own time after the one before."""
    reviewed = {"did": "Product Reviewed", "within": "2 days"}
    where = {"did": "Product Viewed", "in_last": "30 days", "then": {"did": ORDER, "within": "1 day", "then": reviewed}}
    whole = [did("Product Viewed", 10), ordered(9.5), did("Product Reviewed", 8)]
    assert judge(where, whole).answer is Answer.HOLDS
    assert judge(where, whole[:2]).answer is Answer.FAILS
    assert judge(where, [*whole[:2], did("Product Reviewed", 7)]).answer is Answer.FAILS
    twice = where | {"at_least": 2, "at_most": 3}
    assert judge(twice, whole).answer is Answer.FAILS
    assert judge(twice, [*whole, did("Product Viewed", 10.1)]).answer is Answer.HOLDS


def test_a_verdict_ends_when_the_answer_changes() -> None:
    """What is compiled keeps the exact expiry: a cart is left alone for two hours when they are over."""
    where = {"cart": "open", "untouched_for": "2 hours"}
    verdict = judge(where, [put("A", 5, 1 / 24)])
    assert verdict == Verdict(Answer.FAILS, NOON - HOUR + 2 * HOUR)
    assert judge(where, [put("A", 5, 1 / 24)], now=verdict.until).answer is Answer.HOLDS
    assert judge({"last": ORDER, "before": "30 minutes"}, [ordered(0)]).until == NOON + 30 * MINUTE


def test_settings_move_the_groups_and_name_the_order() -> None:
    """settings.json says which event is an order, where its value stands, and where the groups end."""
    orders = {"event": "Sale", "amount": "total"}
    history = [did("Sale", 50, total=300), did("Sale", 10, total=300)]
    assert judge({"lifecycle": "loyal"}, history, orders=orders).answer is Answer.HOLDS
    assert judge({"lifecycle": "loyal"}, history).answer is Answer.FAILS
    assert judge({"predicted": "value", "at_least": 600}, history, orders=orders).answer is Answer.HOLDS
    groups = {"champion_orders": 2, "champion_value": 299}
    assert judge({"lifecycle": "champions"}, history, orders=orders, lifecycle=groups).answer is Answer.HOLDS
    clicks = {"clicks": ["Ad Clicked"], "clicker_for": "1 day"}
    assert judge({"engagement": "clicker"}, [did("Ad Clicked", 0.5)], engagement=clicks).answer is Answer.HOLDS


def test_a_browser_says_nothing_of_consent() -> None:
    """What only a server may say is not believed of a browser, in conditions either."""
    event = an_event("Subscribed", properties={"channel": "email"}, trust=Trust.BROWSER)
    assert judge({"consent": "email", "is": "never_asked"}, [event]).answer is Answer.HOLDS
