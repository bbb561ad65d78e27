"""States: what is stored of a profile is read again, also as older versions wrote it, and always fits into a row."""

import random
from base64 import b85decode

import msgspec
from builders import NEEDS, NOON, VIP, a_bundle, a_cart_event, a_subscription, an_event, an_identify, an_order
from hypothesis import given
from spoken import END, EVENTS, WRITTEN, compile_files
from strategies import histories

from cartwake.bundles import Bundle, Segment
from cartwake.conditions.kinds import AllOf, EverIn, Share
from cartwake.events import Event
from cartwake.profiles import NO_LOT, STATE_VERSION, Profile, State, fold, pack, prepare, trim, unpack
from cartwake.registers import MOST_TRAITS
from cartwake.segments import absorb, adopt, finish, is_member
from cartwake.sums import Sum
from cartwake.times import DAY, HOUR
from cartwake.trackers import MOST_ENTRIES, MOST_SPARE, Entry, Need, Tracker, cut

LARGEST = 290_000
"""Of the 400 KB that a row may have 100 are for signals, and the rest for what else stands in it."""
FIRST = b85decode(
    "jICyAa&vTFb7f_2Utx650004@_|xhDtZZR(bYF92Wo}<#bk6_)0ipf+MgXRCa$#w7bA_j2WMpz>b90k{q+@Axd8AKsY;Vs100E)+)9L`vf2(|z"
    ")dqPQr(<t*Zgg^alcI2J&j0`cq4?A40MCD`e3jJ(c^ai<ZDDC_ldoZ9VL)YgVQp}1WiDfHZO;Gz0ipQQ>HyDwt9+H!26-B#aA<FCWs|HcG&nXe"
    "FgGwTI505J0004@_|xhD&ws0YmDL7$8mM$>ZDo3IZe^3LMRjs-aAhx7VRCa}ch3L-0ipQQ>HyDwt9+H!26-B&V{dMBVPkZ2f~93`VQFlWuVG|i"
    "KxKGgZE$R5E@N+P&j0`cq4?A40MCD`e3jJ(c^ad0ZF7^XD>OJZFfcbTFgP$U&j0`cq4?A40MCD`e3jJ(c^ar=Z*FsCZgg{krDbhlX>63k&j0`c"
    "q4?A40M8tfV;v-NyPcq;b8T~!!p{Hz0ipQQ>HyC+nNhMCGy46Yr(<t*Zgg^alcG>e&j0`cq4?A40MCD`e3jJ(c^as6a$#d@WpZ<drD0@bWn_{7"
    "k(18=00E)>`CFjRG2!K*sJO*<0H$wpWMy)5k^qyF&j0`cq5V~QfX`nccb>FNxa0tn&j0`cq5X_$0M7|({Bv#7FV6sz&j0`cq5Z>GfX_~yrLD`P"
    "Vl4ota%F9Ac4cIe0FbA0Wp-t5b!CzOlatQ?00E)>ReFHWUm<s%v`o0<&IOXPV3W@P00E)>jA;PR32OXvZPPE$&IN;TAd}Ak00E)>!&iXMPMxK#"
    "%cNp0&INQW;Hq<VVsm41X<}t$k^qsD&j0`cq4?A40M8tfV;v-NyPW{0c4=jIWn_{7k(18=00E)>`bGfH4l9{ouXDMr0HkAKa&(i=0004@{liy)"
    "&rY4Ct;?ihEs>Sa0004@{rOv<&oSZUp{TgUccV}(F#&?4ZeeX@tW<JgX>1@;b#88Da;0!`X=7!jF)}$WFsp54ZDM6|b7*OBbAh9FX>gR!0004@"
    "{liy)&j0`cqs-CLfX@H`0ipfFSAYPlWp-g~bzyX6WM5%)&j0`cq5b+s0H<?rb#h~6bCIKABQd6JWpZa_bCHtI0004@{rW}!qhTX4"
)
"""What the first version packed after the events below; of a profile with one source."""
FIRST_EVENTS = [
    an_identify(
        at=NOON - DAY,
        traits={
            "email": "ada@example.com",
            "phone": "+48600700800",
            "country": "pl",
            "address": {"city": "Oslo"},
            "timezone": "Europe/Warsaw",
        },
    ),
    a_subscription(at=NOON - DAY),
    an_event("Unsubscribed", properties={"channel": "sms"}, at=NOON - DAY),
    *[an_order(90.5 + number, id=f"o{number}", at=NOON - number * HOUR) for number in (3, 2, 1)],
    a_cart_event(at=NOON - 60_000),
    an_event(at=NOON),
]


def first_profile(rules: Bundle) -> Profile:
    return adopt(Profile(who="u#1", version=9, generation=1, state=unpack(FIRST)), rules, NOON)


def test_a_state_of_the_first_version_is_read() -> None:
    """What the first version wrote, byte for byte, is understood: all of it, and nothing that it did not say."""
    state = unpack(FIRST)
    expected = prepare(State(), NEEDS, complete_from=0)
    for event in FIRST_EVENTS:
        expected = fold(expected, event, NEEDS)
    for name in ("traits", "contacts", "consents", "country", "cart", "first_seen_at", "last_seen_at"):
        assert getattr(state, name) == getattr(expected, name), name
    known = {key: [(it.at, it.id, it.micros) for it in tracker.entries] for key, tracker in state.trackers.items()}
    assert known == {
        key: [(it.at, it.id, it.micros) for it in tracker.entries] for key, tracker in expected.trackers.items()
    }
    assert (state.created_at, state.lot, state.tags, state.sources) == (0, NO_LOT, {}, ("a#1",))
    assert is_member(state.memberships["vip"])


def test_a_profile_of_the_first_version_goes_on() -> None:
    """Its events that come again change nothing; memberships stay without a signal; new conditions are answered."""
    rules = a_bundle(
        generation=2,
        segments={
            "vip": Segment(title="VIP", where=VIP, events=("Order Completed",), changed_generation=1),
            "once": Segment(title="Once", where=EverIn(segment="vip"), changed_generation=2),
            "all": Segment(title="All", where=AllOf(of=(Share(micros=1_000_000, salt="x"),)), changed_generation=2),
        },
    )
    profile = first_profile(rules)
    for event in FIRST_EVENTS:
        again, signals = absorb(profile, event, rules)
        assert again.state.trackers == profile.state.trackers
        assert not [it for it in signals if it.name == "vip"]
        profile = again
    assert {name for name, it in profile.state.memberships.items() if is_member(it)} == {"vip", "once", "all"}
    assert profile.state.memberships["vip"] == unpack(FIRST).memberships["vip"]


def test_a_state_says_its_version() -> None:
    """What is stored begins with the version of its layout: a later one will know how to read it."""
    assert msgspec.msgpack.decode(pack(State()))[0] == STATE_VERSION == 2


@given(WRITTEN.map(compile_files), histories(15, EVENTS))
def test_packing_loses_nothing(rules: Bundle, events: list[Event]) -> None:
    """Whatever rules remember comes back from the table as it went in; the same state is always the same bytes."""
    profile = adopt(Profile(who="u#1"), rules, 0)
    for event in events:
        profile, _ = absorb(profile, event, rules)
    for state in (profile.state, finish(profile, rules, END).state):
        assert unpack(pack(state)) == state
        assert pack(unpack(pack(state))) == pack(state)


NOISE = random.Random(1)


def text(size: int) -> str:
    return (f"{NOISE.random()}" + "ć" * size)[:size]


def of_anything(number: int) -> Event:
    """An event as large as it is accepted, of any kind."""
    at = NOON + number * HOUR // 2
    shown = {name: text(900) for name in ("name", "variant", "brand", "category", "sku", "currency")}
    campaign = {name: text(900) for name in ("source", "medium", "name", "term", "content")}
    kinds = [
        an_event("Identified", traits={text(58): text(500) for _ in range(28)}, at=at),
        an_event("Identified", traits={"email": text(320), "phone": text(320), "country": text(999)}, at=at),
        an_event(properties={"url": text(5_000)}, context={"locale": text(999), "timezone": text(999)}, at=at),
        an_event(context={"campaign": campaign, "userAgent": text(9_000), "device": {"type": "mobile"}}, at=at),
        a_cart_event(at=at, properties={"product_id": text(999), "price": "0." + "1" * 9_000} | shown),
        a_subscription(at=at, properties={"channel": "email", "method": text(9_000)}),
        an_event("Tag Added", properties={"tag": text(50)}, at=at),
    ]
    amounts = {f"a{index}": 999_999_999_999 for index in range(10)}
    values = {"values": [text(20) for _ in range(40)]}
    return NOISE.choice([*kinds, an_order(at=at, id=text(40), properties=amounts | values)])


def busiest(need: Need) -> Tracker:
    """As much as can be remembered between two writes, in the largest numbers that there are."""
    entries = tuple(Entry(2**52 + number, 2**62, 10**18, 2**52) for number in range(MOST_ENTRIES))
    hours = tuple(Sum(2**51 + number * HOUR, 10**6, 2**62, 10**18) for number in range(5_000))
    whole = (Sum(2**51, 10**9, 2**62, 10**18),)
    return cut(Tracker(0, entries, (whole if need.whole else hours) if need.is_summed else ()), need)


def test_a_profile_stays_small_whatever_is_sent() -> None:
    """No sequence of events, as large as they are accepted, and over years, makes a row near what a table takes."""
    needs = {f"n{index}": Need(event="Order Completed", amount=f"a{index}", within_ms=400 * DAY) for index in range(10)}
    needs |= {f"e{index}": Need(event="Order Completed", amount=f"a{index}", whole=True) for index in range(10)} | {
        "score": Need(event="Page Viewed", summed=True, within_ms=3_650 * DAY),
        "values": Need(event="Order Completed", distinct="values", latest=300),
        "all": Need(event="Order Completed", within_ms=400 * DAY),
    }
    state = prepare(State(), needs, complete_from=0)
    for number in range(2_000):
        state = fold(state, of_anything(number), needs)
    assert len(state.traits) == len(state.tags) == MOST_TRAITS
    assert state.first_touch
    assert state.device
    for each in (state, msgspec.structs.replace(state, trackers={key: busiest(it) for key, it in needs.items()})):
        trimmed = trim(each, needs, NOON + 1_001 * HOUR)
        assert len(pack(trimmed)) < LARGEST
        spare = sum(len(it.entries) + len(it.sums) for it in trimmed.trackers.values())
        assert spare < MOST_SPARE + 400
