"""The three stories: one leaves a cart and is reminded, one buys in time, one has unsubscribed."""

import itertools
import re
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from rich.markup import escape
from segment.analytics.client import Client

from cartwake.bundles import Bundle
from cartwake.events import ORDER_COMPLETED, PRODUCT_ADDED, SUBSCRIBED
from cartwake.journeys import Send, Step
from cartwake.messages import MessageState
from cartwake.paths import walk_steps
from cartwake.statements import Channel
from cartwake_cli.demo.check import Expected, find_reason, fits
from cartwake_cli.demo.shop import Product, describe, make_order
from cartwake_cli.demo.state import Sent
from cartwake_cli.faults import Fault
from cartwake_cli.local.gateway import fetch
from cartwake_cli.tables import Facts, Tables

LEAVES, BUYS, UNSUBSCRIBES = "leaves a cart", "buys in time", "has unsubscribed"
LOOK_SECONDS: Final = 0.4
LOOKS_A_TABLE: Final = 4
"""Every so many looks at the inbox, one at the tables: it may be settled that nothing comes."""
PATIENCE_SECONDS: Final = 90
"""For all stories together; on an idle machine they take some 30."""
EARLIER_SECONDS: Final = 45
LINK: Final = re.compile(r"https?://[^\s\"'<>]+/unsubscribe/[A-Za-z0-9._~%-]+")

FILLED_IN: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")

type Say = Callable[[str, str], None]
"""Tells what somebody did or got: name, words."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a story; `anonymous_id` is what their browser calls them before they say who they are."""

    id: str
    name: str
    story: str
    phone: str = ""
    anonymous_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def email(self) -> str:
        """Their address."""
        return f"{self.id}@example.com"


ADA: Final = Person("ada", "Ada", LEAVES, phone="+14155550142")
BEN: Final = Person("ben", "Ben", BUYS)
CLEO: Final = Person("cleo", "Cleo", UNSUBSCRIBES)
PEOPLE: Final = (ADA, BEN, CLEO)
CARTS: Final = {"ada": ("trail-runner", "socks"), "ben": ("hiking-boot", "socks"), "cleo": ("chelsea-boot", "sandal")}


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the stories play: the shop's address, its secret key, and the eyes on the outcome."""

    url: str
    server_key: str
    tables: Tables
    products: dict[str, Product]
    read_sent: Callable[[], list[Sent]]
    say: Say
    stopped: threading.Event = field(default_factory=threading.Event)
    until: float = field(default_factory=lambda: time.monotonic() + PATIENCE_SECONDS)

    def connect(self) -> Client:
        """Return the stock Segment client, each of whose calls is sent before it returns."""
        return Client(self.server_key, host=self.url, sync_mode=True, max_retries=2, timeout=20)

    def look(self, person: Person) -> Facts:
        """Return what is stored of somebody."""
        facts = self.tables.read_facts(f"u#{person.id}")
        return facts if facts.profile.version else self.tables.read_facts(f"a#{person.anonymous_id}")


def expect(rules: Bundle, products: dict[str, Product]) -> list[Expected]:
    """Return everything that the stories promise: nothing else may be sent."""
    cart, welcome = find_journey(rules, PRODUCT_ADDED), find_journey(rules, SUBSCRIBED)
    left_behind = products[CARTS[ADA.id][0]].name

    def promise(person: Person, journey: str, template: str, **more: Any) -> Expected:
        subject = find_subject(rules, journey, template)
        return Expected(person.story, person.id, "email", person.email, journey, subject, **more)

    def welcomes(person: Person) -> Expected:
        return promise(person, welcome, "welcome-1", mentions=(person.name,))

    return [
        welcomes(ADA),
        promise(ADA, cart, "cart-1", mentions=(ADA.name, left_behind)),
        Expected(ADA.story, ADA.id, "sms", ADA.phone, cart, mentions=(left_behind,)),
        promise(ADA, welcome, "welcome-2"),
        welcomes(BEN),
        promise(BEN, cart, "cart-1", sent=False, reason=f"exited by {ORDER_COMPLETED}"),
        welcomes(CLEO),
        promise(CLEO, cart, "cart-1", sent=False, reason="unsubscribed"),
    ]


def find_subject(rules: Bundle, journey: str, template: str) -> str:
    """Return the subject of a mail as a regular expression: what a template fills in may be anything."""
    steps = list_sends(rules.journeys[journey].steps)
    named = next((step.subject for step in steps if step.template == template), None)
    if named is None:
        raise Fault(f"the journey {journey} of the starter files no longer sends {template}")
    source = named or rules.templates[template].subject
    return ".+".join(re.escape(part) for part in FILLED_IN.split(source))


def list_sends(steps: Sequence[Step]) -> list[Send]:
    """Return every message that steps may send."""
    return [step for step in walk_steps(tuple(steps)) if isinstance(step, Send)]


def find_journey(rules: Bundle, event: str) -> str:
    """Return the name of the journey that an event starts.

    Raises:
        Fault: there is none.
    """
    for name, journey in rules.journeys.items():
        if journey.trigger.event == event and journey.status != "draft":
            return name
    raise Fault(f"no journey of the starter files begins with “{event}”")


def play(stage: Stage, expected: Sequence[Expected]) -> None:
    """Play the stories, and return when each has come to its end: Cleo's earlier mail first, then all at once."""
    earlier = threading.Event()
    with ThreadPoolExecutor(len(PEOPLE)) as pool:
        try:
            playing = [pool.submit(unsubscribe_first, stage, list(expected), earlier)]
            earlier.wait(EARLIER_SECONDS)
            playing += [pool.submit(act, stage, list(expected)) for act in (leave_a_cart, buy_in_time)]
            for each in playing:
                each.result()
            _await(stage, lambda: all(run.ended is not None for person in PEOPLE for run in stage.look(person).runs))
        finally:
            stage.stopped.set()  # after Ctrl-C nobody goes on waiting


def leave_a_cart(stage: Stage, expected: list[Expected]) -> None:
    """Ada visits and fills a cart, signs up, and does nothing more."""
    client = stage.connect()
    visit(stage, client, ADA)
    fill_cart(stage, client, ADA)
    sign_up(stage, client, ADA)
    stage.say(ADA.name, "does nothing more")
    for promise in expected:
        if promise.who == ADA.id:
            await_message(stage, ADA, promise)


def buy_in_time(stage: Stage, expected: list[Expected]) -> None:
    """Ben does the same, and buys while the reminder waits."""
    client = stage.connect()
    visit(stage, client, BEN)
    fill_cart(stage, client, BEN)
    sign_up(stage, client, BEN)
    welcome, reminder = (promise for promise in expected if promise.who == BEN.id)
    _await(stage, lambda: any(run.journey == reminder.journey for run in stage.look(BEN).runs))
    visit(stage, client, BEN, known=True)  # an activity: the wait of the reminder begins anew
    lines = [describe(stage.products[product], stage.url) for product in CARTS[BEN.id]]
    client.track(BEN.id, ORDER_COMPLETED, make_order("1001", lines))
    stage.say(BEN.name, f"buys both for €{sum(line['price'] for line in lines)}")
    await_message(stage, BEN, welcome)
    await_refusal(stage, BEN, reminder)


def unsubscribe_first(stage: Stage, expected: list[Expected], earlier: threading.Event) -> None:
    """Cleo signs up, follows the link in the welcome mail, which sets `earlier`, and leaves a cart later."""
    client = stage.connect()
    visit(stage, client, CLEO)
    sign_up(stage, client, CLEO)
    welcome, reminder = (promise for promise in expected if promise.who == CLEO.id)
    mail = await_message(stage, CLEO, welcome)
    earlier.set()
    if mail is None:
        return
    follow_unsubscribe(stage, CLEO, mail)
    fill_cart(stage, client, CLEO, known=True)
    await_refusal(stage, CLEO, reminder)


def visit(stage: Stage, client: Client, person: Person, *, known: bool = False) -> None:
    """Look at the shop, without saying who one is, or at its checkout as somebody known."""
    title, path = ("the checkout", "/cart") if known else ("the shop", "/")
    who = {"user_id": person.id} if known else {"anonymous_id": person.anonymous_id}
    client.page(name=title, properties={"title": title, "url": f"{stage.url}{path}", "path": path}, **who)
    stage.say(person.name, f"visits {title}" if known else f"visits {title}, nobody knows who that is")


def fill_cart(stage: Stage, client: Client, person: Person, *, known: bool = False) -> None:
    """Put two products in the cart."""
    who = {"user_id": person.id} if known else {"anonymous_id": person.anonymous_id}
    for product in CARTS[person.id]:
        client.track(event=PRODUCT_ADDED, properties=describe(stage.products[product], stage.url), **who)
        stage.say(person.name, f"puts {stage.products[product].name} in the cart")


def sign_up(stage: Stage, client: Client, person: Person) -> None:
    """Say who one is, and agree to mail (and to SMS, with a number)."""
    traits = {"email": person.email, "firstName": person.name} | ({"phone": person.phone} if person.phone else {})
    client.identify(person.id, traits, anonymous_id=person.anonymous_id)
    for channel in ("email", "sms") if person.phone else ("email",):
        client.track(
            person.id, SUBSCRIBED, {"channel": channel, "method": "checkout"}, anonymous_id=person.anonymous_id
        )
    stage.say(person.name, f"signs up as {person.email}: both visits become one profile")


def follow_unsubscribe(stage: Stage, person: Person, mail: Sent) -> None:
    """Open the link of a mail, which changes nothing, and press the button of the page, which does.

    Raises:
        Fault: the mail has no link, or the pages do not do what they say.
    """
    link = LINK.search(mail.html) or LINK.search(mail.text)
    if link is None:
        raise Fault(f"the mail “{mail.subject}” has no unsubscribe link")
    page = fetch("GET", link[0], headers={"accept": "text/html"})
    consent = stage.look(person).profile.state.consents.get(Channel.EMAIL)
    if page.status != 200 or consent is None or not consent.subscribed:
        raise Fault(f"opening the unsubscribe link gave {page.status}, and may change nothing")
    stage.say(person.name, "opens the unsubscribe link of that mail: a page, nothing has changed")
    done = fetch("POST", link[0], body=b"from=page", headers={"content-type": "application/x-www-form-urlencoded"})
    if done.status != 200:
        raise Fault(f"unsubscribing gave {done.status}")
    stage.say(person.name, "presses “Unsubscribe”: done when the answer is there")


def await_message(stage: Stage, person: Person, promise: Expected) -> Sent | None:
    """Wait until a promised message is in the engine's record; None when it cannot come or does not."""
    looks = itertools.count(1)

    def look() -> Sent | str | None:
        found = next((each for each in stage.read_sent() if fits(promise, each)), None)
        if found is not None or next(looks) % LOOKS_A_TABLE:
            return found
        return find_refusal(stage.look(person), promise)

    match _await(stage, look):
        case Sent() as sent:
            kind, words = ("mail", sent.subject) if sent.channel == Channel.EMAIL else ("SMS", sent.text)
            stage.say(person.name, f"[green]gets the {kind} “{escape(words.splitlines()[0])}”[/]")
            return sent
        case str() as reason:
            stage.say(person.name, f"[red]gets no {promise.channel} of {promise.journey}: {reason}[/]")
        case None:
            stage.say(person.name, f"[red]has waited in vain for the {promise.channel} of {promise.journey}[/]")
    return None


def await_refusal(stage: Stage, person: Person, promise: Expected) -> None:
    """Wait until it is settled that a message is not sent, and why."""
    reason = _await(stage, lambda: find_refusal(stage.look(person), promise))
    colour = "green" if reason == promise.reason else "red"
    stage.say(person.name, f"[{colour}]gets no reminder: {reason or 'nothing was decided'}[/]")


def find_refusal(facts: Facts, promise: Expected) -> str | None:
    """Return why a message is not sent, once that is final."""
    messages = [it for it in facts.messages if (it.journey, it.channel) == (promise.journey, promise.channel)]
    if any(it.state in {MessageState.SKIPPED, MessageState.REFUSED} for it in messages):
        return find_reason(facts, promise.journey, promise.channel)
    if messages:
        return None
    reason = find_reason(facts, promise.journey, promise.channel)
    return None if reason in {"still waiting", "the journey never began"} else reason


def _await[T](stage: Stage, look: Callable[[], T]) -> T:
    """Look until there is something, or until patience ends; return what was seen last."""
    while not (seen := look()) and time.monotonic() < stage.until:
        if stage.stopped.wait(LOOK_SECONDS):
            break
    return seen


def make_say(tell: Callable[[str], None]) -> Say:
    """Return a teller that several stories may use at once, with the seconds since now."""
    lock, began = threading.Lock(), time.monotonic()

    def say(name: str, words: str) -> None:
        with lock:
            tell(f"  [dim]{time.monotonic() - began:5.1f} s[/]  [bold]{name:<5}[/] {words}")

    return say
