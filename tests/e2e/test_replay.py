"""Real orders through the deployed stack: segments get the members that SQL counts."""

import pytest
from orders_sql import select_members
from typer.testing import CliRunner

from cartwake.clock import read_clock
from cartwake.profiles import State, unpack
from cartwake.segments import is_member
from cartwake.store.base import unsqueeze
from cartwake.times import HOUR, MINUTE, Instant, format_instant
from cartwake_cli.households import LAST_AT, Journey, name_user
from cartwake_cli.local.world import World, wait_for
from cartwake_cli.main import app

HOUSEHOLDS, WEEKS = 25, 14


def replay(stack: World, until_at: Instant, *, weeks: int = WEEKS) -> None:
    command = ["replay", "--url", stack.url, "--key", stack.server_key, "--households", str(HOUSEHOLDS)]
    done = CliRunner().invoke(app, [*command, "--weeks", str(weeks), "--until", format_instant(until_at)])
    assert done.exit_code == 0, done.output


def read_states(stack: World) -> dict[str, State]:
    """The state of every replayed household that has a profile."""
    rows = [row for row in stack.scan("profiles") if row["who"].startswith("u#household-")]
    return {row["who"].removeprefix("u#"): unpack(unsqueeze(bytes(row["state"].value))) for row in rows}


@pytest.mark.slow
def test_replayed_households_are_members_as_sql_says(stack: World) -> None:
    """A sample of 14 weeks up to now has the vip members that SQL finds at the last record; no run starts."""
    until_at = read_clock()
    replay(stack, until_at)
    baskets = Journey().read_baskets(households=HOUSEHOLDS, weeks=WEEKS)
    last_seen = {name_user(basket.household): basket.at + until_at - LAST_AT for basket in baskets}
    wait_for(
        lambda: {who: state.last_seen_at for who, state in read_states(stack).items()} == last_seen,
        120,
        what="the last order in every profile",
    )
    states = read_states(stack)
    members = {who for who, state in states.items() if is_member(state.memberships.get("vip"))}
    assert select_members(LAST_AT) == select_members(LAST_AT + 10 * MINUTE), "no order may leave the window meanwhile"
    assert members == {name_user(household) for household in select_members(LAST_AT)} & states.keys()
    assert 5 < len(members) < HOUSEHOLDS == len(states)
    assert not any(stack.query("runs", who=f"u#{who}") for who in states)


def test_a_replay_that_is_repeated_adds_nothing(stack: World) -> None:
    """Message ids and times are functions of the data and of where its end is put: so it can be resumed."""
    until_at = read_clock() - HOUR
    replay(stack, until_at, weeks=1)
    before = len(stack.scan("events"))
    replay(stack, until_at, weeks=1)
    assert len(stack.scan("events")) == before
