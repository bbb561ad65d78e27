"""The rules that processes keep: those that are live are whole, of others the templates would only take memory."""

import pytest
from builders import NOON, a_bundle, publish

from cartwake import live
from cartwake.bundles import encode, name_bundle
from cartwake.errors import NoRules, TryAgain
from cartwake.gateways import bucket
from cartwake.live import LOOK_EVERY_MS, MOST_KEPT, find_live, load_bundle, load_live
from cartwake.store import bundles

pytestmark = pytest.mark.usefixtures("tables")


def put_live(generation: int) -> str:
    """Publish the rules of a generation as another process does: this one is not told."""
    content = encode(a_bundle(generation=generation))
    name = name_bundle(content)
    bucket.write(f"bundles/{name}.json", content)
    assert bundles.put_live(bundles.Live(name, generation), replaces=generation - 1)
    return name


def test_only_the_live_rules_have_templates() -> None:
    """A run has the path and the waits of the rules that it began with, and sends what the live ones say."""
    old = publish(a_bundle(generation=1))
    new = publish(a_bundle(generation=2))
    assert find_live(NOON) == (new, a_bundle(generation=2))
    assert load_bundle(new) is load_live(NOON)
    assert load_bundle(old).journeys == a_bundle().journeys
    assert load_bundle(old).templates == {}


def test_rules_that_were_known_before_they_went_live_are_whole_then() -> None:
    """Another process may start a run by them first: what is kept for its path is not what is live."""
    old = put_live(1)
    assert find_live(NOON)[0] == old
    new = put_live(2)
    assert load_bundle(new).templates == {}
    assert find_live(NOON + LOOK_EVERY_MS - 1)[0] == old
    assert find_live(NOON + LOOK_EVERY_MS) == (new, a_bundle(generation=2))
    assert load_bundle(old).templates == {}


def test_so_many_are_kept() -> None:
    """And no more, however many are asked for: those of runs a month old are among them."""
    names = [publish(a_bundle(generation=number)) for number in range(1, MOST_KEPT + 4)]
    find_live(NOON)
    for name in names:
        load_bundle(name)
        assert len(live._kept.by_hash) <= MOST_KEPT
    assert not any(rules.templates for rules in live._kept.by_hash.values())


def test_no_rules_are_told_from_rules_that_are_not_found() -> None:
    """Before the first publish there are none; later, what the pointer names must be in the bucket."""
    with pytest.raises(NoRules):
        load_live(NOON)
    assert bundles.put_live(bundles.Live("nowhere", 1), replaces=0)
    with pytest.raises(TryAgain) as failure:
        load_live(NOON)
    assert not isinstance(failure.value, NoRules)
