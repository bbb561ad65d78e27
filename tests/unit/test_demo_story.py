"""What the stories promise follows from the rules that are live."""

import re

import pytest

from cartwake.messages import MessageState
from cartwake.profiles import Profile
from cartwake.reasons import EndReason, Skip
from cartwake_cli.demo import shop, story
from cartwake_cli.faults import Fault
from cartwake_cli.tables import Facts
from tests.builders import a_bundle
from tests.ledger import a_message, a_run

RULES = a_bundle()
PROMISE = story.Expected("buys", "ben", "email", "ben@example.com", "cart", sent=False, reason="unsubscribed")


def facts(**changes: object) -> Facts:
    return Facts(Profile(who="u#ben", version=1), **changes)  # type: ignore[arg-type]


def test_a_subject_may_be_filled_in_with_anything() -> None:
    """What a template fills in is not part of the promise; every other letter of the subject is."""
    pattern = story.find_subject(RULES, "cart", "cart-1")
    assert re.fullmatch(pattern, "You left Polar Wool Socks behind")
    assert not re.fullmatch(pattern, "You left Polar Wool Socks there")


def test_a_template_that_is_no_longer_sent_is_a_fault() -> None:
    """The stories cannot be told with files that do not send what they tell of."""
    with pytest.raises(Fault, match="no longer sends"):
        story.find_subject(RULES, "cart", "welcome")


def test_a_journey_is_found_by_what_begins_it() -> None:
    """The name of the file does not matter."""
    assert story.find_journey(RULES, "Product Added") == "cart"
    with pytest.raises(Fault, match="Order Completed"):
        story.find_journey(RULES, "Order Completed")


def test_messages_inside_branches_are_found() -> None:
    """Each message that a journey may send, in whichever branch, is listed."""
    assert [step.template for step in story.list_sends(RULES.journeys["cart"].steps)] == [
        "cart-1",
        "cart-sms",
        "cart-2",
    ]


def test_every_product_in_a_cart_is_sold() -> None:
    """The stories' carts and the shop's pages show the same products, with a picture each."""
    products = shop.load_products()
    assert {name for chosen in story.CARTS.values() for name in chosen} <= set(products)
    assert all((shop.STATIC / "products" / product.image).is_file() for product in products.values())


@pytest.mark.parametrize(
    ("known", "refusal"),
    [
        (facts(), None),
        (facts(runs=(a_run(),)), None),
        (facts(runs=(a_run(),), messages=(a_message(state=MessageState.PLANNED),)), None),
        (facts(messages=(a_message(state=MessageState.SKIPPED, reason=Skip.UNSUBSCRIBED),)), "unsubscribed"),
        (
            facts(messages=(a_message(state=MessageState.REFUSED, reason=Skip.REFUSED_BY_PROVIDER),)),
            "refused_by_provider",
        ),
        (facts(runs=(a_run(ended=EndReason.EXITED, ended_by="Order Completed"),)), "exited by Order Completed"),
    ],
)
def test_only_what_is_final_ends_the_waiting(known: Facts, refusal: str | None) -> None:
    """A run that waits or a message that is planned may still be sent; what is skipped, refused or ended may not."""
    assert story.find_refusal(known, PROMISE) == refusal


def test_the_unsubscribe_link_is_found_in_html_and_in_text() -> None:
    """The link ends where the address ends."""
    for text in (
        '<a href="http://127.0.0.1:1/unsubscribe/ab.C-1_~x">',
        "stop: http://127.0.0.1:1/unsubscribe/ab.C-1_~x\n",
    ):
        found = story.LINK.search(text)
        assert found is not None
        assert found[0] == "http://127.0.0.1:1/unsubscribe/ab.C-1_~x"
