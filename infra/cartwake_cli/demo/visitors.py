"""Who looks at the page, and what the shop's own server tells Cartwake about them with its secret key."""

import re
import threading
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from cartwake.addresses import normalise
from cartwake.statements import Channel
from cartwake_cli.demo.shop import Product, describe, make_order
from cartwake_cli.demo.state import Shopper
from cartwake_cli.local.world import World

_EMAIL: Final = re.compile(r"[^@\s]{1,60}@[^@\s.]{1,60}(\.[^@\s.]{1,30}){1,4}")
_ANONYMOUS: Final = re.compile(r"[0-9a-f-]{36}")
MOST_VISITORS: Final = 20


class Declined(Exception):
    """The shop cannot do what its page asked for; the text is for the visitor."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with a browser; a user once they have signed up."""

    anonymous_id: str
    user_id: str = ""
    name: str = ""

    def show(self, *, looking: bool) -> Shopper:
        """Return the visitor as a shopper of the page; `looking`: it is the one who looks at it."""
        keys = (f"u#{self.user_id}",) if self.user_id else ()
        name = "You" if looking else self.name or "Earlier visitor"
        return Shopper("you" if looking else self.anonymous_id, name, (*keys, f"a#{self.anonymous_id}"))


@dataclass(slots=True)
class Backend:
    """The shop's own server: holds the secret key, asserts sign-ups and orders."""

    world: World
    products: dict[str, Product]
    url: str
    _visitors: dict[str, Visitor] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def greet(self, anonymous_id: str) -> list[Shopper]:
        """Return the visitors, the one who looks first, and remember them."""
        with self._lock:
            if not _ANONYMOUS.fullmatch(anonymous_id):
                raise Declined("That is not a visitor of this page.")
            me = self._visitors.setdefault(anonymous_id, Visitor(anonymous_id))
            others = [it for it in self._visitors.values() if it is not me and it.user_id][-MOST_VISITORS:]
            return [me.show(looking=True), *(other.show(looking=False) for other in others)]

    def sign_up(self, asked: dict[str, Any]) -> dict[str, str]:
        """Tell Cartwake who the visitor is and what they agreed to.

        Raises:
            Declined: the address or the number cannot be one.
        """
        email, phone = str(asked.get("email", "")).strip().lower(), str(asked.get("phone") or "").strip()
        if not _EMAIL.fullmatch(email):
            raise Declined("That does not look like an e-mail address.")
        if phone and normalise(Channel.SMS, phone) is None:
            raise Declined("Write the number with its country, for example +1 415 555 0142.")
        visitor = self._find(asked)
        name = str(asked.get("firstName", ""))[:40].strip()
        user_id = f"shopper-{sha256(email.encode()).hexdigest()[:10]}"
        traits = {"email": email, "firstName": name, "phone": phone, "timezone": asked.get("timezone")}
        channels = ["email", "sms"] if phone else ["email"]
        told = {key: value for key, value in traits.items() if value}
        self._tell(
            replace(visitor, user_id=user_id),
            {"type": "identify", "traits": told},
            *(
                {"type": "track", "event": "Subscribed", "properties": {"channel": channel, "method": "form"}}
                for channel in channels
            ),
        )
        with self._lock:
            self._visitors[visitor.anonymous_id] = Visitor(visitor.anonymous_id, user_id, name)
        return {"userId": user_id, "firstName": name, "email": email}

    def order(self, asked: dict[str, Any]) -> dict[str, str]:
        """Tell Cartwake that the visitor has paid.

        Raises:
            Declined: there is nothing to buy.
        """
        lines = [
            describe(self.products[line["product_id"]], self.url, quantity=max(1, min(20, int(line["quantity"]))))
            for line in asked.get("lines", [])
            if line.get("product_id") in self.products
        ]
        if not lines:
            raise Declined("The cart is empty.")
        order_id = f"{uuid.uuid4().int % 90_000 + 10_000}"
        call = {"type": "track", "event": "Order Completed", "properties": make_order(order_id, lines)}
        self._tell(self._find(asked), call)
        return {"orderId": order_id}

    def _find(self, asked: dict[str, Any]) -> Visitor:
        with self._lock:
            visitor = self._visitors.get(str(asked.get("anonymousId", "")))
        if visitor is None:
            raise Declined("That is not a visitor of this page.")
        return visitor

    def _tell(self, visitor: Visitor, *calls: dict[str, Any]) -> None:
        now = datetime.now(UTC).isoformat()
        who = {"anonymousId": visitor.anonymous_id} | ({"userId": visitor.user_id} if visitor.user_id else {})
        batch = [{**call, **who, "messageId": str(uuid.uuid4()), "timestamp": now} for call in calls]
        answer = self.world.post("/v1/batch", {"batch": batch, "sentAt": now}, key=self.world.server_key)
        if answer.status != 200:
            raise Declined(f"The tracking endpoint said {answer.status}: {answer.json().get('message', '')}")
