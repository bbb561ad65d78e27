"""What the engine recorded as sent."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cartwake_cli.local import inbox


def make_record(**changes: Any) -> dict[str, Any]:
    usual = {"MessageId": "m1", "Source": "Shop <shop@example.com>", "To": ["anna@example.com"], "Subject": "Hello"}
    return usual | {"BodyText": "text", "BodyHtml": None, "Timestamp": 1795262400.25, "Type": "v2.SendEmail"} | changes


RECORDS: dict[str, Any] = {
    "/_ministack/ses/messages": {
        "messages": {"000000000000": [make_record(), make_record(MessageId="m0", Timestamp=1795262399.0)]}
    },
    "/_ministack/sns/sms-messages": {
        "sms_messages": {"+48600100200": [{"MessageId": "s1", "Message": "Hi", "PhoneNumber": "+48600100200"}]}
    },
}


class Engine(BaseHTTPRequestHandler):
    """Answers as the engine's record of what was sent does."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(RECORDS[self.path]).encode())

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_mails_are_read_in_the_order_of_sending(url: str) -> None:
    """The oldest mail is first; a body that was not sent is empty."""
    first, second = inbox.read_mails(url)
    assert (first.message_id, second.message_id) == ("m0", "m1")
    assert (second.to, second.subject, second.text, second.html) == ("anna@example.com", "Hello", "text", "")
    assert second.sent_at == 1_795_262_400_250


def test_texts_are_read_with_their_number(url: str) -> None:
    """An SMS has its recipient and its words."""
    assert inbox.read_texts(url) == [inbox.Text("s1", "+48600100200", "Hi")]
