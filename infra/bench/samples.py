"""What is measured: a call of a usual size, the request that carries it, and the row that it becomes."""

import json
from base64 import b64decode, b64encode
from typing import Any, Final

KEY: Final = "sk_bench"


def make_call(number: int) -> dict[str, Any]:
    """Return a call of about 1.1 KB, such as a shop's page sends."""
    page = {
        "url": f"https://shop.example.com/shoes/trail-{number}?utm_source=newsletter",
        "path": f"/shoes/trail-{number}",
    }
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": f"u-{number}",
        "anonymousId": None,
        "messageId": f"ajs-next-1795290463544-cf28bff7-c30a-49c3-9931-{number:012}",
        "timestamp": "2026-11-21T19:47:43.544Z",
        "properties": {
            "order_id": f"50{number}",
            "revenue": 59.9,
            "currency": "EUR",
            "products": [
                {
                    "product_id": f"p-{n}",
                    "name": "Trail running shoe",
                    "price": "19,90",
                    "quantity": 1,
                    "category": "Shoes",
                }
                for n in range(3)
            ],
        },
        "context": {
            "page": page | {"title": "Trail shoes", "referrer": "https://www.google.com/"},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36",
            "locale": "en-GB",
            "timezone": "Europe/London",
            "library": {"name": "analytics.js", "version": "next-1.84.3"},
        },
    }


def make_payload(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return a request as the HTTP API hands it over."""
    return {
        "headers": {"authorization": "Basic " + b64encode(f"{KEY}:".encode()).decode(), "content-type": "text/plain"},
        "pathParameters": {"kind": kind},
        "requestContext": {"http": {"method": "POST"}, "timeEpoch": 1_795_290_464_000},
        "body": json.dumps(data),
        "isBase64Encoded": False,
    }


def make_image(number: int) -> dict[str, Any]:
    """Return the row that a call becomes, as a stream record carries it: bytes are base64 text."""
    from cartwake.capture import bodies, intake  # noqa: PLC0415  only when the environment says where the tables are
    from cartwake.events import Trust  # noqa: PLC0415
    from cartwake.store import events  # noqa: PLC0415

    envelope = bodies.open_single(json.dumps(make_call(number)).encode())
    source = intake.Source(Trust.SERVER, 1_795_290_464_000)
    (event,) = intake.take_in(envelope, source, kind="track").accepted
    return dict(events._to_row(event).to_dynamodb_dict())  # noqa: SLF001  the row itself is what is measured


def to_item(image: dict[str, Any]) -> dict[str, Any]:
    """Return the row as a client writes it."""
    return {name: {"B": b64decode(value["B"])} if "B" in value else value for name, value in image.items()}


def make_people(rules: Any, *, people: int, history: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of profiles under rules that remember nothing, and of the events that each of them did."""
    import msgspec  # noqa: PLC0415  as above

    from cartwake.profiles import Profile  # noqa: PLC0415
    from cartwake.segments import absorb, adopt  # noqa: PLC0415
    from cartwake.store import events, profiles  # noqa: PLC0415

    forgetful = msgspec.structs.replace(rules, generation=1, needs={}, segments={}, scores={})
    images = [make_image(number) for number in range(history)]
    rows = []
    for number in range(people):
        profile = adopt(Profile(who=f"u#{number}"), forgetful, 0)
        for image in images:
            profile, _ = absorb(profile, events.decode_image(image), forgetful)
        rows.append(_encode(profiles._to_row(profile, ()).to_dynamodb_dict()))  # noqa: SLF001
    return rows, [_encode(image) for image in images]


def _encode(item: dict[str, Any]) -> dict[str, Any]:
    """Return a row as DynamoDB's answer carries it: bytes are base64 text."""
    return {
        name: {"B": b64encode(value["B"]).decode()} if isinstance(value.get("B"), bytes) else value
        for name, value in item.items()
    }
