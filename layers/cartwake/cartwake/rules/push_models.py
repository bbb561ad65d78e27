"""Model of templates/<name>.json: the texts of a push message."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from cartwake.rules.base import File, complain

_BEGINS: Final = re.compile(r"https?://[^\s{}/?#@\\]+([/?#]|$)|\{[{%]")


def _check_link(link: str) -> str:
    if not _BEGINS.match(link):
        raise complain(
            "Should be an address that begins with https:// and a host that no data choose, or with {{ }}.",
            example='"https://www.nordlicht.example/cart"',
        )
    return link


Link = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_check_link)]


class PushText(File):
    """templates/<name>.json: a push message. Each text may have expressions; see Templates."""

    elsewhere = {
        "subject": 'What stands in bold is its "title".',
        "text": 'What stands below the title is its "body".',
        "url": 'Where it leads is its "link".',
    }
    title: Annotated[str, Field(min_length=1, max_length=500)] = Field(
        description="What stands in bold; what is more than 65 characters is cut.", examples=["Still in your cart"]
    )
    body: Annotated[str, Field(min_length=1, max_length=2_000)] = Field(
        description="What stands below it; what is more than 240 characters is cut.",
        examples=["{{ cart.items[0].name }} waits for you."],
    )
    link: Link = Field(
        "{{ shop.url }}",
        description="Where it leads; the app is told of it. If nothing is said: the shop.",
        examples=["https://www.nordlicht.example/cart"],
    )
    image: Link | None = Field(
        None,
        description="The address of a picture; apps on iOS need an extension of their own to show it.",
        examples=["{{ cart.items[0].image_url|default('') }}"],
    )
