"""People: what the persons of a story do, as the requests that a storefront, a server or a browser would make."""

import json
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Final

from cartwake.links import read_click
from cartwake.messages import Message, MessageState
from cartwake.statements import Channel
from cartwake.times import DAY, format_instant
from cartwake_cli.local.feedback import BROWSER
from cartwake_cli.stories.house import PUBLIC_URL
from cartwake_cli.stories.noticing import Notes
from cartwake_cli.stories.sentences import Act, Answer, Bounce, Consent, Identify, LogIn, React, Track, Visit
from cartwake_cli.stories.services import Letter
from cartwake_cli.stories.world import World

KEYS: Final = {"server": "a server's key", "browser": "a browser's key"}
LONG_AGO_MS: Final = 365 * DAY
_VISITOR: Final = re.compile(r"visitor\b.*", re.IGNORECASE)
_LINK: Final = re.compile(rf"{re.escape(PUBLIC_URL)}/(\w+)/([\w.~-]+)")
_PHONE: Final = 4915112340000
_TRAITS: Final = {Channel.EMAIL: "email", Channel.SMS: "phone"}


class Unable(Exception):
    """What a sentence says cannot be done; the text says why."""


@dataclass
class Person:
    """Somebody.

    Attributes:
        addresses: Those that are known.
        cart: What is in it: the properties of each product, by its id.
    """

    name: str
    number: int
    addresses: dict[Channel, str] = field(default_factory=dict)
    cart: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The user id, or that of the visitor."""
        return self.name.lower()

    @property
    def is_visitor(self) -> bool:
        """Whether nobody knows who it is."""
        return _VISITOR.fullmatch(self.name) is not None

    @property
    def who(self) -> str:
        """The key of the profile, until it is merged."""
        return f"{'a' if self.is_visitor else 'u'}#{self.id}"

    @property
    def ids(self) -> dict[str, str]:
        """What a request names them by."""
        return {"anonymousId" if self.is_visitor else "userId": self.id}

    def make_address(self, channel: Channel) -> str:
        """Return an address of their own."""
        if channel is Channel.SMS:
            return f"+{_PHONE + self.number}"
        if channel is Channel.PUSH:
            return f"device-of-person-{self.number}"
        plain = unicodedata.normalize("NFKD", self.id.replace("ł", "l")).encode("ascii", "ignore").decode()
        return f"{re.sub(r'[^a-z0-9]+', '-', plain).strip('-') or f'person-{self.number}'}@example.com"


class People:
    """Everybody in a story."""

    def __init__(self, world: World, notes: Notes) -> None:
        self._world, self._notes = world, notes
        self._persons: dict[str, Person] = {}
        self._told = 0

    def find(self, name: str) -> Person:
        """Return the person of this name; the same in capitals is the same."""
        key = name.lower()
        return self._persons.setdefault(key, Person(name, len(self._persons) + 1))

    @property
    def names(self) -> dict[str, str]:
        """What persons are called, by the keys of the profiles that they begin with."""
        return {it.who: "the visitor" if it.id == "visitor" else it.name for it in self._persons.values()}

    def do(self, act: Act, *, ago_ms: int = 0, browser: bool = False) -> None:
        """Have somebody do something.

        Raises:
            Unable: It cannot be done.
        """
        match act:
            case Track():
                self._track(act, ago_ms=ago_ms, browser=browser or act.browser)
            case Visit(who=who, url=url):
                page = {"url": url, "path": url.partition("?")[0]}
                self._tell("page", who, {"properties": page}, browser=not ago_ms, ago_ms=ago_ms)
            case Identify(who=who, traits=traits, known=known):
                self._identify(who, traits, ago_ms=ago_ms or (LONG_AGO_MS if known else 0), browser=browser)
            case Consent():
                self._consent(act, ago_ms=ago_ms or (LONG_AGO_MS if act.known else 0), browser=browser)
            case LogIn(visitor=visitor, who=who):
                ids = self.find(visitor).ids | self.find(who).ids
                if set(ids) != {"anonymousId", "userId"}:
                    raise Unable("A visitor logs in as a customer: the names of visitors begin with `visitor`.")
                self._tell("identify", who, ids | {"traits": {}}, browser=not ago_ms, ago_ms=ago_ms)
            case React():
                self._react(act)
            case Answer(who=who, text=text):
                self._world.answer(self._reach(self.find(who), Channel.SMS), text)
            case Bounce(who=who):
                self._world.bouncing.add(self._reach(self.find(who), Channel.EMAIL))
            case _:
                raise AssertionError(act)

    def _track(self, act: Track, *, ago_ms: int, browser: bool) -> None:
        properties = _fill_cart(self.find(act.who), act, self._told)
        self._tell("track", act.who, {"event": act.event, "properties": properties}, browser=browser, ago_ms=ago_ms)

    def _identify(self, who: str, traits: dict[str, Any], *, ago_ms: int, browser: bool) -> None:
        person = self.find(who)
        bounces = person.addresses.get(Channel.EMAIL) in self._world.bouncing
        person.addresses |= {channel: str(traits[name]) for channel, name in _TRAITS.items() if name in traits}
        if bounces:
            self._world.bouncing.add(person.addresses[Channel.EMAIL])
        self._tell("identify", who, {"traits": traits}, browser=browser, ago_ms=ago_ms)

    def _consent(self, act: Consent, *, ago_ms: int, browser: bool) -> None:
        for channel in act.channels:
            self._reach(self.find(act.who), channel)
            event = "Subscribed" if act.subscribed else "Unsubscribed"
            told = {"event": event, "properties": {"channel": channel.value}}
            self._tell("track", act.who, told, browser=browser, ago_ms=ago_ms)

    def _reach(self, person: Person, channel: Channel) -> str:
        """Return the address of a person; whoever told none was known by one of their own all the time."""
        if channel not in person.addresses:
            person.addresses[channel] = person.make_address(channel)
            address = person.addresses[channel]
            if channel is Channel.PUSH:
                told: dict[str, Any] = {"context": {"backfill": True, "device": {"type": "android", "token": address}}}
            else:
                told = {"traits": {_TRAITS[channel]: address}}
            self._tell("identify", person.name, told, browser=False, ago_ms=LONG_AGO_MS)
        return person.addresses[channel]

    def _tell(self, call: str, who: str, body: dict[str, Any], *, browser: bool, ago_ms: int) -> None:
        """Make a request of the tracking endpoint.

        Raises:
            Unable: It is refused.
        """
        now = self._world.house.now
        self._told += 1
        told = {
            "messageId": f"told-{self._told}",
            "timestamp": format_instant(now - ago_ms),
            "sentAt": format_instant(now),
            **({"context": {"backfill": True}} if ago_ms else {}),
            **self.find(who).ids,
            **body,
        }
        key = KEYS["browser" if browser else "server"]
        headers = {"x-write-key": key} | ({"user-agent": BROWSER} if browser else {})
        answer = self._world.invoke("capture_events", _make_request(f"/v1/{call}", json.dumps(told), headers, at=now))
        if answer["statusCode"] != 200:
            raise Unable(f"The event is refused: {json.loads(answer['body'])['message']}")

    def _react(self, act: React) -> None:
        message, letter = self._find_letter(act)
        match act.how:
            case "opens":
                self._world.tell_of(letter, "open")
            case "complains":
                self._world.tell_of(letter, "complaint")
            case "clicks":
                self._visit("r", self._find_click(letter, message, act.link), act, method="GET")
            case "unsubscribes":
                self._visit("unsubscribe", _find_token(letter, "unsubscribe"), act)
            case "confirms":
                self._visit("confirm", _find_token(letter, "confirm"), act)
            case "prefers":
                self._visit("preferences", _find_token(letter, "preferences"), act, body=act.form)

    def _find_letter(self, act: React) -> tuple[Message, Letter]:
        from cartwake.store import profiles  # noqa: PLC0415  only in the house

        keys = profiles.resolve_profile(self.find(act.who).who).keys
        found = [
            it
            for it in self._notes.messages.values()
            if it.who in keys and it.template == act.template and it.state is MessageState.ACCEPTED
        ]
        if not found:
            raise Unable(f"Until now {act.who} got no {act.template}.")
        latest = max(found, key=lambda it: it.accepted_at)
        return latest, self._world.house.services.letters[latest.provider_id]

    def _find_click(self, letter: Letter, message: Message, part: str) -> str:
        from cartwake.gateways.secrets import link_secrets  # noqa: PLC0415  only in the house

        clicks = [
            (read_click(token, link_secrets()), token)
            for path, token in _LINK.findall(letter.html or letter.link)
            if path == "r"
        ]
        seen = [(link.to, str(token)) for link, token in clicks if link is not None and link.number]
        found = next((token for to, token in seen if part in to), None)
        if found is not None:
            return found
        if seen:
            raise Unable(f'No link of {message.template} has "{part}" in its address.')
        raise Unable(
            f"Nobody sees who clicks this {message.template}: it has no link into the shop, or its reader has not "
            'agreed to that. "tracking" in settings.json says whom to ask; `agrees to tracking in` agrees in a story.'
        )

    def _visit(self, path: str, token: str, act: React, *, method: str = "POST", body: str = "") -> None:
        """Make a request of one of our pages.

        Raises:
            Unable: The page says no.
        """
        if not token:
            raise Unable(f"There is no link in {act.template} with which to do that.")
        request = _make_request(
            f"/c/{path}/{token}", body, {"user-agent": BROWSER}, method=method, at=self._world.house.now
        )
        request["pathParameters"] = {"token": token}
        answer = self._world.invoke("serve_page", request)
        if answer["statusCode"] not in (200, 302):
            raise Unable(f"The page answers {answer['statusCode']}.")


def _fill_cart(person: Person, act: Track, number: int) -> dict[str, Any]:
    """Return the properties of an event; an order has what was in the cart, and empties it."""
    told = act.properties
    if act.event == "Product Added" and "product_id" in told:
        before = person.cart.get(str(told["product_id"]), {})
        quantity = before.get("quantity", 0) + told.get("quantity", 1)
        person.cart[str(told["product_id"])] = before | told | {"quantity": quantity}
    if act.event == "Product Removed":
        person.cart.pop(str(told.get("product_id")), None)
    if act.event != "Order Completed":
        return told
    products, person.cart = list(person.cart.values()), {}
    total = sum(it.get("price", 0) * it["quantity"] for it in products)
    usual = {"order_id": f"order-{number}", "revenue": total, "products": products}
    return usual | told


def _find_token(letter: Letter, path: str) -> str:
    """Return the token of the first link to one of our pages, "" if there is none."""
    found = (token for where, token in _LINK.findall(f"{letter.html} {letter.text}") if where == path)
    return next(found, "")


def _make_request(path: str, body: str, headers: dict[str, str], *, method: str = "POST", at: int) -> dict[str, Any]:
    """Return the payload 2.0 of a request."""
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": headers,
        "pathParameters": {"kind": path.rpartition("/")[2]},
        "requestContext": {"http": {"method": method, "path": path}, "timeEpoch": at},
        "body": body,
        "isBase64Encoded": False,
    }
