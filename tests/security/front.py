"""The front of a shop: its HTTP functions as the world reaches them, and everything that follows from a request."""

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
import wire
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends
from shoppers import Shop
from world import client, lambda_context, read_queue

from cartwake import live, seen
from cartwake.gateways import secrets
from cartwake.store import events
from cartwake.store.keys import KeyRow
from functions.capture_events import app as capture_events
from functions.serve_page import app as serve_page
from functions.track_delivery import app as track_delivery

ACCOUNT, REGION = "123456789012", "eu-central-1"
BROWSER, SERVER = "pk_browser", "sk_server"
VICTIM, EMAIL = "victim-1001", "victim@example.com"
WHO = f"u#{VICTIM}"
"""A shopper of whom an attacker knows the id."""


class Front:
    """The HTTP functions at the shop's clock, with a browser's key that everybody knows, and a server's."""

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop, self.monkeypatch = shop, monkeypatch
        for module in (capture_events, serve_page, track_delivery):
            monkeypatch.setattr(module, "read_clock", lambda: shop.now)
        capture_events.keyring.forget()
        for text, trust in ((BROWSER, "browser"), (SERVER, "server")):
            KeyRow(sha256(text.encode()).hexdigest(), trust=trust, created_at=shop.now).save()

    def send(self, kind: str, body: Any, *, key: str = BROWSER, **headers: str) -> dict[str, Any]:
        """Post to the tracking endpoint and return its answer; nothing follows yet."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        if key:
            headers["authorization"] = "Basic " + b64encode(f"{key}:".encode()).decode()
        payload = wire.to_payload(f"/v1/{kind}", content, headers=headers, at=self.shop.now)
        return capture_events.handler(payload, lambda_context())

    def report(self, kind: str, body: Any, *, key: str = BROWSER) -> dict[str, Any]:
        """Post to the tracking endpoint, and let everything follow from it, a second later."""
        before = stored()
        answer = self.send(kind, body, key=key)
        news = [events.get_event(*each) for each in sorted(stored() - before)]
        if news:
            self.shop.hear(*[event for event in news if event is not None])
        self.shop.now += 1_000
        return answer

    @staticmethod
    def ask(method: str, token: str, *, body: str = "") -> dict[str, Any]:
        """Open a link to a page."""
        event = {"requestContext": {"http": {"method": method}}, "pathParameters": {"token": token}, "body": body}
        return serve_page.handler(event, lambda_context())

    @staticmethod
    def visit(method: str, path: str, *, body: str = "", **headers: str) -> dict[str, Any]:
        """Open one of our pages by its path."""
        event = {
            "rawPath": path,
            "requestContext": {"http": {"method": method}},
            "pathParameters": {"token": path.rpartition("/")[2]},
            "headers": headers,
            "body": body,
        }
        return serve_page.handler(event, lambda_context())


def empty() -> None:
    """Empty every table, queue and mailbox, and forget the rules."""
    for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
        table.items.clear()
    for queue in ("steps", "messages", "wakes", "sweeps", "feedback"):
        read_queue(queue)
    s3_backends[ACCOUNT]["aws"].buckets["rules-bucket"].keys.clear()
    ses_backends[ACCOUNT][REGION].sent_messages.clear()
    sns_backends[ACCOUNT][REGION].sms_messages.clear()
    live.forget()
    seen.forget()
    secrets._secret.cache_clear()
    secrets._looked[0] = secrets._missed[0] = 0


def stored() -> set[tuple[str, str]]:
    """Return the keys of all stored events."""
    return {(item["who"]["S"], item["key"]["S"]) for item in scan("events")}


def scan(table: str) -> list[dict[str, Any]]:
    """Return every item of a table."""
    pages = client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [item for page in pages for item in page["Items"]]


def recipients(front: Front) -> list[str]:
    """Return to whom each mail went."""
    return [address for mail in front.shop.mails() for address in mail.destinations["ToAddresses"]]


def fill_cart(front: Front, who: dict[str, str], **more: Any) -> None:
    """Put a shoe into somebody's cart, with the browser's key."""
    product = {"product_id": "P-1", "name": "Trail Runner", "price": 129, "quantity": 1}
    front.report("track", who | {"event": "Product Added", "properties": product} | more)
