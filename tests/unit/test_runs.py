"""Runs: the next move of a run, as a function of run, profile, rules and time."""

import msgspec
import phonenumbers
import pytest
from builders import CART, NEEDS, NOON, a_bundle, an_order
from hypothesis import given
from hypothesis import strategies as st

from cartwake.bundles import QuietHours
from cartwake.conditions.kinds import Start, Trait
from cartwake.hours import quiet_until
from cartwake.journeys import Branch, Send, Step, Wait
from cartwake.moves import decide
from cartwake.paths import find_step
from cartwake.profiles import Kind, Profile, Register, State, fold, prepare
from cartwake.reasons import EndReason, Skip
from cartwake.runs import Advance, End, Hold, Replan, Rules, Run, follow
from cartwake.segments import View
from cartwake.statements import Channel
from cartwake.times import HOUR, MINUTE, parse_instant, to_datetime
from cartwake.values import Exists
from cartwake.zones import list_zones

MAIL = Send(channel=Channel.EMAIL, template="cart-1")
PAUSE = Wait(for_ms=HOUR)
IF = Branch(condition=Trait(name="phone", test=Exists()), then=(PAUSE, MAIL), otherwise=(MAIL,))


def _rules(*steps: Step, **changes: object) -> Rules:
    journey = msgspec.structs.replace(CART, steps=steps, filter=None, **changes)
    bundle = a_bundle(journeys={"cart": journey})
    return Rules(bundle, bundle)


def _run(**changes: object) -> Run:
    run = Run(who="u#1", journey="cart", id="r", due_at=NOON, entered_at=NOON, start=Start(NOON), bundle="b")
    return msgspec.structs.replace(run, **changes)


def _profile(**traits: object) -> Profile:
    state = prepare(State(), NEEDS, complete_from=0)
    registers = {name: Register(value, NOON, 1) for name, value in traits.items()}
    return Profile(who="u#1", version=1, state=msgspec.structs.replace(state, traits=registers))


def test_a_wait_begins_and_ends() -> None:
    """A wait at the entry counts from the receipt of the trigger, later ones from the step before."""
    rules = _rules(PAUSE, MAIL, PAUSE)
    begun = decide(_run(), _profile(), rules, NOON + MINUTE)
    assert begun == Advance(path="0", due_at=NOON + HOUR, wait_from=NOON)
    waiting = _run(seq=1, wait_from=NOON, due_at=NOON + HOUR)
    assert decide(waiting, _profile(), rules, NOON + HOUR - 1) == Replan(due_at=NOON + HOUR)
    moved = decide(waiting, _profile(), rules, NOON + HOUR + 7)
    assert isinstance(moved, Advance)
    assert (moved.path, moved.due_at, moved.wait_from) == ("2", NOON + 2 * HOUR + 7, NOON + HOUR + 7)
    assert moved.planned is not None
    assert moved.planned.path == "1"


def test_one_message_a_move() -> None:
    """Two messages in a row are two moves, so that each is planned in one transaction with its own advance."""
    move = decide(_run(), _profile(), _rules(MAIL, MAIL), NOON)
    assert isinstance(move, Advance)
    assert (move.path, move.due_at) == ("1", NOON)


def test_the_last_message_ends_the_run() -> None:
    """The end and the last message are one transaction."""
    move = decide(_run(), _profile(), _rules(MAIL), NOON)
    assert isinstance(move, End)
    assert move.reason is EndReason.COMPLETED
    assert move.planned is not None


@pytest.mark.parametrize(("traits", "path"), [({"phone": "+49"}, "0.then.0"), ({}, "")])
def test_branches(traits: dict[str, object], path: str) -> None:
    """A branch leads into its side and out again behind itself."""
    move = decide(_run(), _profile(**traits), _rules(IF), NOON)
    if path:
        assert isinstance(move, Advance)
        assert move.path == path
    else:
        assert isinstance(move, End)
        assert move.planned is not None
        assert move.planned.path == "0.else.0"


def test_exit_status_and_erasure_come_first() -> None:
    """What ends or holds a run does so whatever its step would be."""
    rules = _rules(MAIL)
    ordered = msgspec.structs.replace(_profile(), state=fold(_profile().state, an_order(at=NOON), NEEDS))
    assert decide(_run(), ordered, rules, NOON) == End(reason=EndReason.EXITED, by="Order Completed")
    assert decide(_run(), _profile(), _rules(MAIL, status="paused"), NOON) == Hold()
    assert decide(_run(), _profile(), _rules(MAIL, status="archived"), NOON) == End(reason=EndReason.ARCHIVED)
    gone = Rules(rules.own, a_bundle(journeys={}))
    assert decide(_run(), _profile(), gone, NOON) == End(reason=EndReason.ARCHIVED)
    erased = msgspec.structs.replace(_profile(), kind=Kind.TOMBSTONE)
    assert decide(_run(), erased, rules, NOON) == End(reason=EndReason.ERASED)


def _steps(depth: int) -> st.SearchStrategy[tuple[Step, ...]]:
    leaf: st.SearchStrategy[Step] = st.sampled_from([MAIL, PAUSE])
    if depth == 0:
        return st.lists(leaf, max_size=3).map(tuple)
    below = _steps(depth - 1)
    branch = st.builds(Branch, condition=st.just(IF.condition), then=below, otherwise=below)
    return st.lists(st.one_of(leaf, branch), max_size=3).map(tuple)


@given(_steps(2), st.booleans())
def test_every_run_reaches_its_end(steps: tuple[Step, ...], phone: bool) -> None:
    """From any journey, moving on at each due time ends, and plans every message of the way exactly once."""
    rules, profile = _rules(*steps), _profile(**({"phone": "+49"} if phone else {}))
    run, now, planned = _run(), NOON, []
    for _ in range(100):
        move = decide(run, profile, rules, now)
        assert isinstance(move, Advance | End)
        if move.planned is not None:
            planned.append(move.planned.path)
        if isinstance(move, End):
            break
        run = msgspec.structs.replace(
            run, path=move.path, due_at=move.due_at, wait_from=move.wait_from, seq=run.seq + 1
        )
        now = max(now, move.due_at)
    else:
        raise AssertionError("the run never ended")
    assert planned == list(_messages_on_the_way(steps, phone=phone))


def _messages_on_the_way(steps: tuple[Step, ...], *, phone: bool, prefix: str = "") -> list[str]:
    found = []
    for index, step in enumerate(steps):
        path = f"{prefix}{index}"
        if isinstance(step, Send):
            found.append(path)
        if isinstance(step, Branch):
            side, name = (step.then, "then") if phone else (step.otherwise, "else")
            found += _messages_on_the_way(side, phone=phone, prefix=f"{path}.{name}.")
    return found


def test_paths_past_the_end_lead_nowhere() -> None:
    """A position that a journey does not have is its end, not an error."""
    assert find_step((MAIL,), "1") is None
    assert find_step((IF,), "0.else.3") is None


def _view(
    at: str, *, opens: int = 9 * 60, closes: int = 20 * 60, state: State | None = None, **traits: str | None
) -> View:
    hours = QuietHours(opens_minute=opens, closes_minute=closes)
    settings = msgspec.structs.replace(
        a_bundle().settings, timezone="Europe/Berlin", hours=dict.fromkeys((Channel.SMS, Channel.PUSH), hours)
    )
    registers = {name: Register(value, NOON, 1) for name, value in traits.items() if value}
    told = msgspec.structs.replace(state or State(lot=0), traits=registers)
    return View(told, a_bundle(settings=settings), parse_instant(at))


def _reached_by(number: str, country: str = "") -> State:
    """Return the state of somebody who was imported with a number and a country, or with one of them."""
    contacts = {Channel.SMS: Register(number, NOON, 1)} if number else {}
    return State(contacts=contacts, country=Register(country, NOON, 1) if country else None, lot=0)


@pytest.mark.parametrize(
    ("at", "zone", "until"),
    [
        ("2026-11-21T08:00:00Z", None, None),
        ("2026-11-21T07:59:59Z", None, "2026-11-21T08:00:00Z"),
        ("2026-11-21T19:00:00Z", None, "2026-11-22T08:00:00Z"),
        ("2026-11-21T08:00:00Z", "America/New_York", "2026-11-21T14:00:00Z"),
        ("2026-11-21T08:00:00Z", "Nowhere/Land", None),
        ("2026-10-24T20:00:00Z", None, "2026-10-25T08:00:00Z"),
        ("2026-03-28T20:00:00Z", None, "2026-03-29T07:00:00Z"),
        ("2026-11-30T20:00:00Z", None, "2026-12-01T08:00:00Z"),
        ("2026-12-31T20:30:00Z", None, "2027-01-01T08:00:00Z"),
        ("2028-02-28T20:00:00Z", None, "2028-02-29T08:00:00Z"),
    ],
)
def test_quiet_hours(at: str, zone: str | None, until: str | None) -> None:
    """SMS between 9:00 and 20:00 by the shopper's clock, else the shop's, also across a change of clocks."""
    assert quiet_until(Channel.SMS, _view(at, timezone=zone)) == (parse_instant(until) if until else None)


NEW_YORK, MOSCOW, WARSAW = "+12125550123", "+79161234567", "+48512345671"


@pytest.mark.parametrize(
    ("at", "number", "country", "until"),
    [
        # 03:30 in New York
        ("2026-11-21T08:30:00Z", NEW_YORK, "US", "2026-11-21T19:00:00Z"),
        # 15:00 in New York, 10:00 on Hawaii; then 20:00 in New York
        ("2026-11-21T20:00:00Z", NEW_YORK, "US", None),
        ("2026-11-21T18:59:59Z", NEW_YORK, "US", "2026-11-21T19:00:00Z"),
        ("2026-11-22T01:00:00Z", NEW_YORK, "US", "2026-11-22T19:00:00Z"),
        # the clocks of the mainland are put back in between, those of Hawaii are not
        ("2026-11-01T00:00:00Z", NEW_YORK, "US", "2026-11-01T19:00:00Z"),
        # what the number says, whatever the trait; and without a number, the trait
        ("2026-11-21T08:30:00Z", NEW_YORK, "PL", "2026-11-21T19:00:00Z"),
        ("2026-11-21T08:30:00Z", "", "US", "2026-11-21T19:00:00Z"),
        # one clock, and not the shop's
        ("2026-11-21T07:30:00Z", "+358412345678", "", None),
        # an hour that Kaliningrad and Kamchatka share
        ("2026-11-21T07:59:00Z", MOSCOW, "", None),
        ("2026-11-21T08:00:00Z", MOSCOW, "", "2026-11-22T07:00:00Z"),
        # the shop's
        ("2026-11-21T07:59:59Z", WARSAW, "", "2026-11-21T08:00:00Z"),
        ("2026-11-21T07:59:59Z", "", "Nowhere", "2026-11-21T08:00:00Z"),
        ("2026-11-21T07:59:59Z", "512", "", "2026-11-21T08:00:00Z"),
        ("2026-11-21T07:59:59Z", "", "AQ", "2026-11-21T08:00:00Z"),
    ],
)
def test_hours_that_all_clocks_of_a_country_share(at: str, number: str, country: str, until: str | None) -> None:
    """Whose timezone is not known gets an SMS where it is day in all of the number's country, or of the one told."""
    view = _view(at, state=_reached_by(number, country))
    assert quiet_until(Channel.SMS, view) == (parse_instant(until) if until else None)


def test_a_timezone_of_their_own_comes_before_the_country() -> None:
    """09:00 in New York, when it is night on Hawaii."""
    view = _view("2026-11-21T14:00:00Z", state=_reached_by(NEW_YORK), timezone="America/New_York")
    assert quiet_until(Channel.SMS, view) is None


@pytest.mark.parametrize(("told", "until"), [("us", "2026-11-21T19:00:00Z"), ("", "2026-11-21T14:00:00Z")])
def test_a_push_message_goes_by_the_country_that_was_told(told: str, until: str) -> None:
    """Else by that of the shopper's number: a device says nothing of where it is."""
    number = "+51912345678"  # of Peru, whose clock is New York's in winter
    view = _view("2026-11-21T08:30:00Z", state=_reached_by(number), country=told)
    assert quiet_until(Channel.PUSH, view) == parse_instant(until)


@pytest.mark.parametrize(
    ("opens", "closes", "until"),
    [
        # 09:00 to 20:00 leaves Russia the hour from 07:00Z; so few leave it, and the shop's that are fewer
        (10 * 60, 19 * 60, "2026-11-22T07:00:00Z"),
        (12 * 60, 14 * 60, "2026-11-22T07:00:00Z"),
        # from 08:00 on Kaliningrad's clock to 22:00 on Kamchatka's
        (8 * 60, 22 * 60, "2026-11-22T06:00:00Z"),
    ],
)
def test_a_country_that_shares_none_of_the_shops_hours(opens: int, closes: int, until: str) -> None:
    """Then those of 09:00 to 20:00 are meant that all its clocks share."""
    view = _view("2026-11-21T12:00:00Z", opens=opens, closes=closes, state=_reached_by(MOSCOW))
    assert quiet_until(Channel.SMS, view) == parse_instant(until)


def test_short_hours_are_a_countrys_too() -> None:
    """Less than an hour is enough where the shop gives no more, and all clocks of the country agree."""
    view = _view("2026-11-21T07:00:00Z", closes=9 * 60 + 6, state=_reached_by(WARSAW))
    assert quiet_until(Channel.SMS, view) == parse_instant("2026-11-21T08:00:00Z")


def test_every_country_of_numbers_has_clocks() -> None:
    """And all clocks of each share an hour of the day from 09:00 to 20:00, in winter and in summer."""
    for country in sorted(phonenumbers.SUPPORTED_REGIONS):
        for day in (parse_instant("2026-01-15T12:00:00Z"), parse_instant("2026-07-15T12:00:00Z")):
            minutes = range(0, 24 * 60, 15)
            moments = [to_datetime(day + minute * MINUTE) for minute in minutes]
            shared = [at for at in moments if all(9 <= at.astimezone(it).hour < 20 for it in list_zones(country))]
            assert list_zones(country), country
            assert len(shared) >= 4, country


@pytest.mark.parametrize(("closes", "minutes"), [(20 * 60, 10), (9 * 60 + 6, 3)])
def test_what_is_held_goes_out_spread(closes: int, minutes: int) -> None:
    """Each shopper has a place of their own in the first ten minutes, or in half of the hours where they are short."""
    opening = parse_instant("2026-11-22T08:00:00Z")
    for lot in (0, 1, 59_999, minutes * MINUTE - 1, minutes * MINUTE, 2**62):
        view = _view("2026-11-21T19:00:00Z", closes=closes, state=State(lot=lot))
        assert quiet_until(Channel.SMS, view) == opening + lot % (minutes * MINUTE)
    assert quiet_until(Channel.SMS, _view("2026-11-22T08:00:00Z", closes=closes, state=State(lot=1))) is None


def test_an_opening_that_the_clock_skips() -> None:
    """Hours that open in the hour that a clock change skips open at the next instant there is."""
    view = _view("2026-03-29T00:30:00Z", opens=2 * 60 + 30, closes=20 * 60)
    until = quiet_until(Channel.SMS, view)
    assert until is not None
    assert view.now < until <= view.now + 2 * HOUR


def test_channels_without_hours_are_never_quiet() -> None:
    """Email goes out at any hour unless the shop says otherwise."""
    assert quiet_until(Channel.EMAIL, _view("2026-11-21T03:00:00Z")) is None


def test_an_email_goes_by_the_shops_clock_where_the_shoppers_is_not_known() -> None:
    """It wakes nobody up: what a shop sends in its morning need not wait for the morning of Hawaii."""
    view = _view("2026-11-21T08:30:00Z", state=_reached_by(NEW_YORK, "US"))
    hours = {Channel.EMAIL: QuietHours(opens_minute=9 * 60, closes_minute=20 * 60)}
    settings = msgspec.structs.replace(view.rules.settings, hours=hours)
    view = msgspec.structs.replace(view, rules=a_bundle(settings=settings))
    assert quiet_until(Channel.EMAIL, view) is None


def _by_hours(*steps: Step) -> Rules:
    settings = msgspec.structs.replace(
        a_bundle().settings, hours={Channel.EMAIL: QuietHours(opens_minute=9 * 60, closes_minute=20 * 60)}
    )
    bundle = a_bundle(journeys={"cart": msgspec.structs.replace(CART, steps=steps, filter=None)}, settings=settings)
    return Rules(bundle, bundle)


@pytest.mark.parametrize("steps", [(PAUSE, MAIL), (MAIL,)])
def test_what_hours_hold_is_as_old_as_when_it_was_due(steps: tuple[Step, ...]) -> None:
    """However often it is looked at in the night, and whether the run came to it in that look or stood there."""
    due_at, morning = parse_instant("2026-11-21T20:01:00Z"), parse_instant("2026-11-22T09:00:00Z")
    rules, waits = _by_hours(*steps), len(steps) == 2
    run = _run(due_at=due_at, seq=1, wait_from=due_at - HOUR if waits else 0)
    profile = _profile()
    profile = msgspec.structs.replace(profile, state=msgspec.structs.replace(profile.state, lot=0))
    for now in (due_at, due_at + HOUR, due_at + 2 * HOUR):
        move = decide(run, profile, rules, now)
        assert isinstance(move, Advance | Replan)
        assert move.due_at == morning
        if isinstance(move, Advance):
            run = follow(run, move)
        run = msgspec.structs.replace(run, due_at=now + HOUR, quiet_from=move.quiet_from or run.quiet_from)
        assert run.quiet_from == due_at
    sends = decide(run, profile, rules, morning)
    assert isinstance(sends, End)
    assert sends.planned is not None
    assert (sends.planned.due_at, sends.planned.skip) == (due_at, None)


def test_what_is_due_after_a_held_message_is_fresh() -> None:
    """A message that was held has its age for itself."""
    due_at, morning = parse_instant("2026-11-21T20:01:00Z"), parse_instant("2026-11-22T09:00:00Z")
    rules = _by_hours(MAIL, MAIL)
    held = _run(due_at=morning, seq=1, quiet_from=due_at)
    first = decide(held, _profile(), rules, morning + 7)
    assert isinstance(first, Advance)
    assert first.planned is not None
    assert (first.planned.due_at, first.quiet_from) == (due_at, 0)
    second = decide(follow(held, first), _profile(), rules, morning + 9)
    assert isinstance(second, End)
    assert second.planned is not None
    assert second.planned.due_at == morning


def test_what_hours_would_hold_beyond_its_use_is_skipped_at_once() -> None:
    """And the run goes on; where it would just be useful, it is held."""
    due_at = parse_instant("2026-11-21T20:01:00Z")
    profile = _profile()
    profile = msgspec.structs.replace(profile, state=msgspec.structs.replace(profile.state, lot=0))
    run = _run(due_at=due_at, seq=1)
    useful_ms = 12 * HOUR + 59 * MINUTE
    for not_after_ms, skip in ((useful_ms, None), (useful_ms - 1, Skip.SENDING_HOURS)):
        mail = msgspec.structs.replace(MAIL, not_after_ms=not_after_ms)
        move = decide(run, profile, _by_hours(mail, PAUSE), due_at + MINUTE)
        planned = None if isinstance(move, Replan) else move.planned  # type: ignore[union-attr]
        assert (planned.skip if planned else None) is skip
