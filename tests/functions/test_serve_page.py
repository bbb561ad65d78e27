"""serve_page: nothing on GET, everything on POST, and 200 only when it is written."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from threading import Thread
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from browser import open_page
from builders import NOON, a_bundle, publish
from moto.dynamodb.models import dynamodb_backends
from world import aws, client, lambda_context

from cartwake import live
from cartwake.addresses import Address, Sent, note_send, state_consent
from cartwake.consents import Statement
from cartwake.errors import TryAgain
from cartwake.events import Event
from cartwake.gateways.secrets import link_secrets
from cartwake.links import Unsubscribe, unsubscribe_url
from cartwake.messages import Message, may_reach
from cartwake.reasons import Skip
from cartwake.statements import Channel, Consent
from cartwake.store import addresses, base, consents, events
from cartwake.telemetry import logger
from functions.serve_page import app

KEY = "email#" + "0f" * 20
LINK = Unsubscribe("u#ewa", "m2k4x7w5q3vztjhy6bnsad4e2i", KEY, Channel.EMAIL)
FORM = "List-Unsubscribe=One-Click"
MULTIPART = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
BAD_TOKENS = ["x", "", "a.b", "a" * 5_000, "é%00", "../../etc", "lJ.W10"]


@pytest.fixture(scope="module")
def started() -> Iterator[None]:
    """One AWS for all tests of the module; starting it takes longer than all of them."""
    with aws():
        yield


@pytest.fixture
def emptied(started: None) -> None:
    """Every table empty, and nothing kept of the rules."""
    for table in dynamodb_backends["123456789012"]["eu-central-1"].tables.values():
        table.items.clear()
    live.forget()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The instant at which the function runs, changeable."""
    told = [NOON]
    monkeypatch.setattr(app, "read_clock", lambda: told[0])
    return told


@pytest.fixture
def shop(emptied: None, clock: list[int]) -> None:
    """A shop with rules, and a shopper who subscribed a while ago."""
    publish(a_bundle())
    assert addresses.put_address(Address(key=KEY, consent=Consent(True, NOON - 1_000_000, 1, "checkout")))


def on_record() -> list[Statement]:
    return consents.list_statements(KEY)


def token() -> str:
    return unsubscribe_url("https://x", LINK, link_secrets()).rpartition("/")[2]


def ask(method: str = "GET", *, path: str | None = None, body: str = "", base64: bool = False) -> dict[str, Any]:
    event = {
        "version": "2.0",
        "requestContext": {"http": {"method": method}},
        "pathParameters": {"token": token() if path is None else path},
        "isBase64Encoded": base64,
    }
    if body:
        event["body"] = body
    return app.handler(event, lambda_context())


def consent() -> Consent | None:
    return addresses.get_address(KEY).consent


def told() -> list[Event]:
    return sorted(events.list_events("u#ewa"), key=lambda it: it.occurred_at)


def everything() -> list[Any]:
    dynamodb = client("dynamodb")
    return [dynamodb.scan(TableName=name)["Items"] for name in ("addresses", "events")]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(shop: None, method: str) -> None:
    """Link scanners follow links: however often they look, nobody is unsubscribed."""
    before = everything()
    answers = [ask(method, body=FORM) for _ in range(3)]
    assert {answer["statusCode"] for answer in answers} == {200}
    assert everything() == before
    assert ("Nordlicht" in answers[0]["body"]) == (method == "GET")


@pytest.mark.parametrize(
    ("body", "method"),
    [
        (FORM, "one-click"),
        (MULTIPART, "one-click"),
        (b64encode(FORM.encode()).decode(), "one-click"),
        (b64encode(MULTIPART.encode()).decode(), "one-click"),
        ("", "page"),
        ("anything=else", "page"),
    ],
)
def test_a_post_unsubscribes(shop: None, body: str, method: str) -> None:
    """The page's button and the one click of RFC 8058, in either encoding: written, told, no redirect, no cookie."""
    answer = ask("POST", body=body, base64=bool(body) and "=" not in body.rstrip("=") and "\r" not in body)
    assert answer["statusCode"] == 200
    assert not {"Location", "Set-Cookie"} & answer["headers"].keys()
    assert "cookies" not in answer
    (event,) = told()
    assert (event.name, event.occurred_at, event.trust) == ("Unsubscribed", NOON, "own")
    assert event.properties == {"channel": "email", "message": LINK.message, "method": method}
    assert consent() == Consent(False, NOON, event.short_id, method)


def test_after_200_no_marketing_is_sent(shop: None) -> None:
    """The address row that every claim checks says no; a receipt still goes out."""
    assert ask("POST")["statusCode"] == 200
    message = Message(
        who="u#ewa", id="m", run="r", journey="cart", path="1", channel=Channel.EMAIL, kind="marketing",
        template="t", planned_at=NOON, not_after=NOON,
    )  # fmt: skip
    assert may_reach(message, addresses.get_address(KEY), a_bundle(), now=NOON) is Skip.UNSUBSCRIBED


def test_200_comes_after_the_withdrawal(shop: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the address cannot be written the answer is an error that mail programs repeat, and nothing is told."""
    monkeypatch.setattr(base, "commit", lambda _: (_ for _ in ()).throw(TryAgain("throttled")))
    answer = ask("POST", body=FORM)
    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"]
    assert told() == on_record() == []


def test_a_table_that_fails_is_an_answer_and_no_error(shop: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever DynamoDB says, the page asks for it again and nothing is raised: Lambda counts no error."""
    failure = {"Error": {"Code": "AccessDeniedException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}

    def call(client: Any, name: str, asked: dict[str, Any]) -> Any:
        raise ClientError(failure, name)

    link = token()
    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    assert ask("POST", path=link, body=FORM)["statusCode"] == 503


def test_a_half_done_unsubscribe_is_repeated(shop: None, monkeypatch: pytest.MonkeyPatch, clock: list[int]) -> None:
    """When only the event could not be stored, the shopper is safe already, and the repetition tells it once."""
    with monkeypatch.context() as broken:
        broken.setattr(events, "put_events", lambda _: (_ for _ in ()).throw(TryAgain("throttled")))
        assert ask("POST", body=FORM)["statusCode"] == 503
    first = consent()
    assert first is not None
    assert not first.subscribed
    clock[0] += 59_000
    assert ask("POST", body=FORM)["statusCode"] == 200
    assert consent() == first
    assert [event.occurred_at for event in told()] == [NOON]


def test_repeating_changes_nothing(shop: None, clock: list[int]) -> None:
    """Programs and people press twice: the same page, one statement, one event."""
    pages = []
    for body in (FORM, FORM, ""):
        pages.append(ask("POST", body=body))
        clock[0] += 1_000
    assert pages[0] == pages[1] == pages[2]
    assert len(told()) == 1
    assert consent() == Consent(False, NOON, told()[0].short_id, "one-click")
    assert [(it.subscribed, it.at, it.told.method) for it in on_record()] == [(False, NOON, "one-click")]


def test_pressed_again_later_it_counts_from_then_on(shop: None, clock: list[int]) -> None:
    """A yes of in between that a server tells afterwards does not lift what was answered before it was told."""
    ask("POST")
    clock[0] += 3_600_000
    assert ask("POST", body=FORM)["statusCode"] == 200
    assert [event.occurred_at for event in told()] == [NOON, NOON + 3_600_000]
    assert consent() == Consent(False, NOON + 3_600_000, told()[1].short_id, "one-click")
    assert [it.at for it in on_record()] == [NOON, NOON + 3_600_000]
    late = Consent(True, NOON + 1_800_000, 5, "checkout")
    assert state_consent(addresses.get_address(KEY), late) == addresses.get_address(KEY)


def test_an_old_link_works_after_a_new_subscription(shop: None, clock: list[int]) -> None:
    """Somebody who subscribes again and then presses the old link is unsubscribed again."""
    ask("POST")
    clock[0] += 60_000
    assert addresses.put_address(state_consent(addresses.get_address(KEY), Consent(True, clock[0], 5, "checkout")))
    clock[0] += 60_000
    assert ask("POST")["statusCode"] == 200
    assert [event.occurred_at for event in told()] == [NOON, NOON + 120_000]
    assert consent() == Consent(False, NOON + 120_000, told()[1].short_id, "page")


def test_a_withdrawal_wins_over_a_clock_ahead(shop: None) -> None:
    """Clocks differ by milliseconds: a subscription from the future does not outlive the button."""
    assert addresses.put_address(state_consent(addresses.get_address(KEY), Consent(True, NOON + 5_000, 5, "checkout")))
    assert ask("POST")["statusCode"] == 200
    said = consent()
    assert said is not None
    assert not said.subscribed
    assert told()[0].occurred_at == said.at == NOON + 5_000


def test_a_row_written_meanwhile_is_kept(shop: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A send that is counted on the same row at the same time is not lost, and neither is the withdrawal."""
    commit, sent = base.commit, Sent(NOON, "m-other")

    def commit_late(actions: Any) -> bool:
        monkeypatch.setattr(base, "commit", commit)
        assert addresses.put_address(note_send(addresses.get_address(KEY), sent))
        return commit(actions)

    monkeypatch.setattr(base, "commit", commit_late)
    assert ask("POST")["statusCode"] == 200
    address = addresses.get_address(KEY)
    assert address.sends == (sent,)
    assert address.consent is not None
    assert not address.consent.subscribed


def test_an_address_without_a_row_is_unsubscribed_too(emptied: None, clock: list[int]) -> None:
    """The link is enough; and without any rules the page is plain but works."""
    assert ask()["statusCode"] == 200
    answer = ask("POST", body=FORM)
    assert answer["statusCode"] == 200
    assert "This shop sends you no more" in answer["body"]
    said = consent()
    assert said is not None
    assert not said.subscribed


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_a_bad_link_changes_nothing(shop: None, method: str) -> None:
    """Garbage, too long, or made for something else: a page that says so."""
    before = everything()
    assert [ask(method, path=path, body=FORM)["statusCode"] for path in BAD_TOKENS] == [404] * len(BAD_TOKENS)
    assert everything() == before


def test_a_changed_token_changes_nothing(shop: None) -> None:
    """Nobody can unsubscribe somebody else by changing a link."""
    good = token()
    before = everything()
    for at in range(0, len(good), 7):
        other = "A" if good[at] != "A" else "B"
        assert ask("POST", path=good[:at] + other + good[at + 1 :], body=FORM)["statusCode"] == 404
    assert everything() == before


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(shop: None, method: str) -> None:
    """Only what the page needs is answered."""
    before = everything()
    answer = ask(method)
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "GET, HEAD, POST")
    assert everything() == before


@pytest.mark.parametrize(("language", "words"), [("pl-PL", "Subskrypcja anulowana"), ("de", "Sie sind abgemeldet")])
def test_the_shops_language(emptied: None, clock: list[int], language: str, words: str) -> None:
    """The page speaks the language of the settings."""
    rules = a_bundle()
    settings = type(rules.settings)(shop=rules.settings.shop, sender=rules.settings.sender, language=language)
    publish(a_bundle(settings=settings))
    assert words in ask("POST")["body"]


def test_logs_hold_no_token_and_no_address(shop: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads the logs can unsubscribe nobody."""
    written = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    for method, path in (("GET", None), ("POST", None), ("POST", None), ("POST", "f" * 300), ("PUT", None)):
        ask(method, path=path, body=FORM)
    assert "unsubscribed" in written.getvalue()
    for secret in (token(), token().partition(".")[0], token().rpartition(".")[2], KEY, "f" * 300):
        assert secret not in written.getvalue()


@contextmanager
def served() -> Iterator[str]:
    """Serve the handler as the HTTP API would, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            answer = ask(self.command, path=self.path.removeprefix("/unsubscribe/"), body=body)
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer["body"].encode())

        do_POST = do_GET  # noqa: N815  the name that the server looks for

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("application/x-www-form-urlencoded", FORM), ("multipart/form-data; boundary=b", MULTIPART)],
)
def test_a_mail_program_needs_one_request(shop: None, content_type: str, body: str) -> None:
    """As RFC 8058 has it: one POST of the one pair, in either encoding, no cookie, no login, no redirect, then done."""
    with served() as base:
        host, _, port = base.removeprefix("http://").partition(":")
        connection = HTTPConnection(host, int(port), timeout=10)
        connection.request("POST", f"/unsubscribe/{token()}", body, {"Content-Type": content_type})
        answer = connection.getresponse()
        said = {name.lower() for name, _ in answer.getheaders()}
        connection.close()
    assert answer.status == 200
    assert not said & {"location", "set-cookie", "www-authenticate", "refresh"}
    known = consent()
    assert known is not None
    assert (known.subscribed, known.method) == (False, "one-click")


def test_a_person_can_use_it(shop: None) -> None:
    """In a browser, under its own security policy, on a small phone: one look, one press, done."""
    with served() as base, open_page(320, 640) as page:
        page.open(f"{base}/unsubscribe/{token()}")
        assert page.text("h1") == "Unsubscribe?"
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert page.evaluate("document.querySelector('button').getBoundingClientRect().height") >= 44
        assert page.evaluate("getComputedStyle(document.querySelector('main')).borderRadius") == "16px"
        assert told() == []
        page.click("button")
        page.wait("document.querySelector('h1')?.textContent === 'You are unsubscribed'")
        blocked = [entry for entry in page.collect("Log.entryAdded") if "favicon" not in str(entry)]
    assert blocked == []
    assert len(told()) == 1
