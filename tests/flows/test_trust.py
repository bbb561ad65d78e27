"""Trust: what a browser says, whose key is public, takes nothing from anybody."""

from builders import a_subscription, an_identify
from shoppers import Shop

from cartwake.events import Trust
from cartwake.times import MINUTE


def test_a_browsers_word_does_not_use_up_the_welcome(shop: Shop) -> None:
    """Who says "Subscribed" in somebody's name does not take away the mail that the real word brings."""
    shop.hear(a_subscription(trust=Trust.BROWSER, id="browser", at=shop.now))
    shop.now += MINUTE
    shop.hear(an_identify(at=shop.now), a_subscription(at=shop.now))
    assert shop.subjects() == ["Welcome"]
