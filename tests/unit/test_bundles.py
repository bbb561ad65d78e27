"""Bundles: what is published, and what starts and ends a run."""

import pytest
from builders import WELCOME, a_bundle, a_subscription, an_event

from cartwake.bundles import decode, encode, name_bundle
from cartwake.events import derive_id
from cartwake.journeys import Trigger
from cartwake.values import Exists, Is, PropertyTest

BY_EMAIL = Trigger(event="Subscribed", where=(PropertyTest("channel", Is(("email",))), PropertyTest("list", Exists())))


@pytest.mark.parametrize(
    ("properties", "fits"),
    [
        ({"channel": "email", "list": "a"}, True),
        ({"channel": "sms", "list": "a"}, False),
        ({"channel": "email"}, False),
        ({}, False),
    ],
)
def test_an_event_fits_a_trigger_when_all_its_tests_pass(properties: dict[str, str], fits: bool) -> None:
    """One that is named otherwise never does."""
    assert BY_EMAIL.fits(an_event("Subscribed", properties=properties)) is fits
    assert not BY_EMAIL.fits(an_event("Unsubscribed", properties=properties))
    assert WELCOME.trigger.fits(a_subscription("email"))
    assert not WELCOME.trigger.fits(a_subscription("sms"))


def test_the_same_rules_are_the_same_bundle() -> None:
    """Its name follows from what is in it, not from the order in which files were read; and it reads back."""
    bundle = a_bundle()
    turned = a_bundle(
        journeys=dict(reversed(bundle.journeys.items())),
        templates=dict(reversed(bundle.templates.items())),
        needs=dict(reversed(bundle.needs.items())),
    )
    assert encode(turned) == encode(bundle)
    assert name_bundle(encode(bundle)) != name_bundle(encode(a_bundle(generation=2)))
    assert decode(encode(bundle)) == bundle


def test_ids_stay_the_same_for_ever() -> None:
    """What is derived once more, by whatever version of the code, is the same run and the same message."""
    assert derive_id("run", "cart", "u#1") == "5upyfpxombvguldxdtt7t36ma4"
    assert derive_id("a", "b") != derive_id("ab")
    assert {len(derive_id(str(number))) for number in range(200)} == {26}
