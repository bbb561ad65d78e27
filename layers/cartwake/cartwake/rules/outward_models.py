"""Models of the steps that reach beyond messages: another system that is told, and a coupon without a message."""

import re
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, WithJsonSchema

from cartwake.rules.base import complain
from cartwake.rules.message_models import StepRule
from cartwake.rules.words import Duration, Name, Path, Scalar, TraitName

if TYPE_CHECKING:
    from cartwake.rules.step_models import Step

_ADDRESS: Final = r"^https://[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*[a-z0-9](/[!-~]*)?$"
_UNFIT: Final = re.compile(r'["<>\\^`{|}#\s]')


def _check_address(url: str) -> str:
    if re.fullmatch(_ADDRESS, url) and not _UNFIT.search(url):
        return url
    example = '"https://crm.nordlicht.example/hooks"'
    try:
        parts = urlsplit(url.strip())
        named = parts.hostname and not parts.port and not parts.username
    except ValueError:
        raise complain("Should be an address that begins with https://.", example=example) from None
    better = f"https://{parts.hostname}{parts.path}{'?' if parts.query else ''}{parts.query}" if named else ""
    fits = re.fullmatch(_ADDRESS, better) is not None and not _UNFIT.search(better)
    message = "Should be an address that begins with https:// and the name of a host, without port, user and fragment."
    raise complain(message, suggestion=better if fits else "", example=example)


Address = Annotated[
    str,
    Field(max_length=1_000),
    AfterValidator(_check_address),
    WithJsonSchema({"type": "string", "format": "uri", "pattern": _ADDRESS, "maxLength": 1_000}),
]


class WebhookStep(StepRule):
    """Tell another system, by an HTTP request that is signed, that a run came here."""

    shown = (
        {"webhook": "https://crm.nordlicht.example/hooks", "traits": ["email", "stage"], "properties": ["order_id"]},
        {"webhook": "https://crm.nordlicht.example/hooks", "body": {"list": "win-back"}, "not_after": "3 days"},
    )
    elsewhere = {
        "headers": "There are no headers of your own: the receiver knows us by the signature; see docs/messages.md.",
        "secret": 'The secret stands in no file: "cartwake keys webhook" shows the one of a host.',  # nosec B105  it says where the secret is
        "method": "It is always a POST.",
    }
    webhook: Address = Field(
        description="Where to. Its host stands in settings.json, in the list webhooks.hosts.",
        examples=["https://crm.nordlicht.example/hooks"],
    )
    traits: list[TraitName] = Field(
        default=[],
        max_length=50,
        description="What it is told of the shopper beside their id: traits by name, and email, phone or country. "
        "Nothing else leaves.",
        examples=[["email", "stage"]],
    )
    properties: list[Path] = Field(
        default=[],
        max_length=50,
        description="What it is told of the event that started the run beside its name: properties by name.",
        examples=[["order_id", "revenue"]],
    )
    body: dict[Path, Scalar] = Field(
        default={},
        max_length=50,
        description="What it is told besides, the same of everybody.",
        examples=[{"list": "win-back"}],
    )
    not_after: Duration = Field(
        "24 hours",
        description="For how long after it was due it is tried, where it is not taken at once.",
        examples=["3 days"],
    )


class GiveStep(StepRule):
    """Give a coupon without a message: until it is over or used, every message with one of the pool shows this one."""

    shown = ({"give": "birthday-10"}, {"give": "birthday-10", "else": [{"email": "birthday-without"}]})
    elsewhere = {"coupon": 'Write {"give": "birthday-10"}; "coupon" is what a message shows.'}
    give: Name = Field(
        description="A pool, the name of a file in coupons/ without its ending. Who has a code of it by such a step "
        "that is still good keeps that one.",
        examples=["birthday-10"],
    )
    else_: "list[Step] | None" = Field(
        None,
        alias="else",
        min_length=1,
        description="Steps when the pool is empty; without them the run ends there.",
        examples=[[{"email": "birthday-without"}]],
    )
