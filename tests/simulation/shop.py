"""The shop: what is there before anything happens, its storefront's clients, its marketers and its shoppers."""

import json
import random
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import boto3
import world as tables
from builders import publish
from wire import to_payload

from cartwake.bundles import Bundle
from cartwake.events import ERASURE_REQUESTED
from cartwake.gateways import bucket, clients
from cartwake.store import base, coupons
from cartwake.store.keys import KeyRow
from cartwake.times import NEVER
from simulation import cloud
from simulation.faults import HOUR, MINUTE, Mishap, Plan
from simulation.rules import CODES, POOL, make_bundle
from simulation.setting import QUEUES, ROOT_SECRET, clock
from simulation.sources import SECOND
from simulation.world import WATCHED, World

SERVER, BROWSER = "sk_server", "pk_browser"
NOON = 1_795_262_400_000_000
"""2026-11-21T12:00:00Z, in microseconds."""
_clients: dict[str, Any] = {}


def build(
    seed: str,
    plan: Plan,
    *,
    begins: int = NOON,
    watch: Any = None,
    rules: Bundle | None = None,
    files: dict[str, bytes] | None = None,
    codes: int = CODES,
) -> "Shop":
    """Return a shop in a new world, with rules, or with the files that marketers have just saved."""
    furnish()
    world = World(seed, plan, begins=begins, watch=watch)
    if files is None:
        rules = rules or make_bundle()
        publish(rules)
    for text, trust in ((SERVER, "server"), (BROWSER, "browser")):
        KeyRow(sha256(text.encode()).hexdigest(), trust=trust, created_at=clock.now).save()
    coupons.put_free(POOL, dict.fromkeys(name_codes(codes), NEVER))
    for name in WATCHED:
        cloud.watch(name)
    shop = Shop(world, codes=codes)
    if rules is not None:
        shop.live = set(rules.journeys)
        shop.names = tuple(rules.journeys)
        shop.news_at = rules.enrolments["news"].starts_at if "news" in rules.enrolments else NEVER
    if files is not None:
        shop.save(files)
    return shop


def furnish() -> None:
    """Make what the template has, empty; the first time in a process by calls, later as it was then."""
    if cloud.restore():
        return
    cloud.reset()
    World("none", Plan(), begins=NOON)
    for row in tables._rows():
        row.create_table(billing_mode="PAY_PER_REQUEST", wait=False)
    _client("s3").create_bucket(Bucket="rules-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for name in QUEUES:
        _client("sqs").create_queue(QueueName=name)
    _client("scheduler").create_schedule_group(Name="cartwake")
    _client("secretsmanager").create_secret(Name="cartwake-secret", SecretString=json.dumps({"root": ROOT_SECRET}))
    _client("sesv2").create_email_identity(EmailIdentity="shop@example.com")
    cloud.keep()
    for service in ("dynamodb", "s3", "sqs", "scheduler", "secretsmanager", "sesv2", "sns"):
        clients.client(service)  # made now, so that no world makes them
    for attempts in ("sesv2", "sns"):
        clients.client(attempts, attempts=1)
    base._connection()
    cloud.restore()


class Shop:
    """What people do; times are virtual, and nobody waits for an answer."""

    def __init__(self, world: World, *, codes: int = CODES) -> None:
        self.world = world
        self.codes = frozenset(name_codes(codes))
        self._chance = random.Random(f"shop {world.seed}")
        self._told = 0
        self.generation = 1
        self.open_requests = 0
        self.poisoned: list[str] = []
        self.live: set[str] = set()
        """The journeys that were live from the beginning to the end, but for pauses."""
        self.names: tuple[str, ...] = ()
        """The journeys that there were at the beginning."""
        self.news_at = NEVER
        self.told: dict[str, dict[str, Any]] = {}
        """Every event that was told, by its message id."""
        self.accepted: dict[str, int] = {}
        """When an event was answered 200, by its message id."""

    def go(self, duration_ms: int) -> None:
        """Let time pass, in milliseconds."""
        self.world.go(duration_ms * 1_000)

    def tell(self, kind: str, user: str = "", *, key: str = SERVER, ago: int = 0, **call: Any) -> str:
        """Tell of something that a shopper did, as a client does: again until it is taken; return its message id."""
        self._told += 1
        ident = str(call.pop("id", f"m{self._told}"))
        event: dict[str, Any] = {"type": kind, "messageId": ident, "timestamp": iso(clock.now - ago)} | call
        if user:
            event["userId"] = user
        self.told.setdefault(ident, event)
        self._post([event], key)
        if self.world.plan.happens(Mishap.CLIENT_DOUBLED):
            self._post([event], key, delay=self._chance.choice((0, SECOND, 3 * HOUR)))
        return ident

    def tell_all(self, events: list[dict[str, Any]], *, key: str = SERVER) -> None:
        """Tell of several things in one batch."""
        for event in events:
            event.setdefault("timestamp", iso(clock.now))
            self.told.setdefault(event["messageId"], event)
        self._post(events, key)

    def identify(self, user: str, email: str = "", *, more: dict[str, Any] | None = None, **call: Any) -> str:
        """Tell who somebody is."""
        traits = ({"email": email} if email else {}) | {"first_name": user.title()} | (more or {})
        return self.tell("identify", user, traits=traits, **call)

    def subscribe(self, user: str, channel: str = "email", **call: Any) -> str:
        """Tell that somebody agreed."""
        return self.tell("track", user, event="Subscribed", properties={"channel": channel}, **call)

    def add(self, user: str = "", product: str = "P-1", **call: Any) -> str:
        """Tell that something was put into a cart."""
        properties = {"product_id": product, "name": "Trail Runner", "price": 129.0, "quantity": 1}
        return self.tell("track", user, event="Product Added", properties=properties, **call)

    def order(self, user: str = "", revenue: float = 100.0, *, coupon: str = "", **call: Any) -> str:
        """Tell that somebody bought, perhaps with a coupon."""
        properties: dict[str, Any] = {"order_id": f"o-{self._told}", "revenue": revenue}
        if coupon:
            properties["coupon"] = coupon
        return self.tell("track", user, event="Order Completed", properties=properties, **call)

    def deliver(self, user: str, **call: Any) -> str:
        """Tell that somebody's parcel has come."""
        return self.tell("track", user, event="Order Delivered", properties={}, **call)

    def view(self, user: str = "", **call: Any) -> str:
        """Tell that somebody looked at a page."""
        return self.tell("page", user, properties={"url": "https://shop.example.com/shoes"}, **call)

    def know(self, user: str, email: str = "", **more: Any) -> str:
        """Make somebody a subscriber who was welcomed, a day before now; return the address."""
        email = email or f"{user}@example.com"
        self.identify(user, email, more=more)
        self.go(MINUTE // 1_000)
        self.subscribe(user)
        if more.get("phone"):
            self.subscribe(user, "sms")
        self.go(24 * HOUR // 1_000)
        return email

    def publish(self, *names: str, **changed: Any) -> None:
        """Have marketers change the rules."""
        self.generation += 1
        self.world.note(f"published {self.generation}")
        names = names or self.names
        rules = make_bundle(*names, generation=self.generation, news_at=self.news_at, **changed)
        publish(rules)
        self.live -= {name for name, it in rules.journeys.items() if it.status == "archived"}
        if self.world.watch:
            self.world.watch.on_published({name: it.status for name, it in rules.journeys.items()})
        self.world.asked_to_wake = True
        for minutes in range(1, 4):
            self.world.plan_tick(clock.micros + minutes * MINUTE)

    def save(self, files: dict[str, bytes]) -> None:
        """Have marketers save files, of which S3 then tells, one by one and in any order."""
        for key, content in files.items():
            bucket.write(key, content)
            told = {"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": key}}}]}
            delay = self._chance.randrange(SECOND // 10, 5 * SECOND)
            self.world.loop.after(delay, lambda told=told: self.world.timer.invoke("publish_rules", told))

    def unsubscribe(self, link: str, done: Callable[[], None] | None = None) -> None:
        """Press the button of a mail, again until it is answered 200."""
        token = link.rpartition("/")[2]
        payload = {
            "requestContext": {"http": {"method": "POST"}},
            "pathParameters": {"token": token},
            "body": "List-Unsubscribe=One-Click",
        }
        self._request("serve_page", lambda: payload, lambda _: done() if done else None)

    def poison(self, user: str) -> None:
        """Have a row in the events table that no code can read."""
        from cartwake.store.events import EventRow

        self.poisoned.append(f"u#{user}")
        row = EventRow(
            f"u#{user}", f"poison#{len(self.poisoned)}", name="X", type="track", body=b"\xc1", expires_at=2**40
        )
        row.save()

    def deploy(self, duration_ms: int) -> None:
        """Have the next release come, and this one go on beside it for some time."""
        self.world.plan.deployment = (clock.micros, clock.micros + duration_ms * 1_000)

    def erase(self, user: str) -> str:
        """Tell that somebody wants nothing to be kept of them."""
        return self.tell("track", user, event=ERASURE_REQUESTED)

    def _post(self, events: list[dict[str, Any]], key: str, *, delay: int = 0) -> None:
        if self.world.plan.happens(Mishap.CLIENT_LATE):
            delay += self._chance.randrange(MINUTE, 6 * HOUR)
        authorization = "Basic " + b64encode(f"{key}:".encode()).decode()

        def make() -> dict[str, Any]:
            body = {"batch": events, "sentAt": iso(clock.now)}
            return to_payload(
                "/v1/batch", json.dumps(body).encode(), headers={"authorization": authorization}, at=clock.now
            )

        def done(_: Any) -> None:
            for event in events:
                self.accepted.setdefault(event["messageId"], clock.now)

        self.world.loop.after(delay, lambda: self._request("capture_events", make, done))

    def _request(
        self, function: str, make: Callable[[], dict[str, Any]], done: Callable[[Any], None], tries: int = 0
    ) -> None:
        if tries == 0:
            self.open_requests += 1

        def answered(answer: Any, error: BaseException | None) -> None:
            if error is None and answer["statusCode"] < 500:
                assert answer["statusCode"] == 200, answer
                self.open_requests -= 1
                done(answer)
                return
            pause = min(10 * MINUTE, 2**tries * SECOND) + self._chance.randrange(SECOND)
            self.world.loop.after(pause, lambda: self._request(function, make, done, tries + 1))

        self.world.invoke(function, make(), answered)


def name_codes(count: int) -> list[str]:
    """Return the codes of the pool."""
    return [f"BACK-{number}" for number in range(count)]


def iso(instant: int) -> str:
    """Return an instant as clients write it."""
    return datetime.fromtimestamp(instant / 1e3, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _client(service: str) -> Any:
    if service not in _clients:
        _clients[service] = boto3.client(service)
    return _clients[service]
