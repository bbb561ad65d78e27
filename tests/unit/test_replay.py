"""`cartwake replay`: calls reach the endpoint in batches, once more where it had no time for them."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from cartwake_cli.commands.replay import post_calls
from cartwake_cli.faults import Fault
from cartwake_cli.main import app


class Endpoint(BaseHTTPRequestHandler):
    """Answers with the statuses it is told to, then with success; keeps what it accepted."""

    statuses: list[int]
    accepted: list[str]
    keys: set[str]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.accepted.extend(call["messageId"] for call in body["batch"])
        self.keys.add(self.headers["Authorization"])
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name of the overridden one
        """Print nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    Endpoint.statuses, Endpoint.accepted, Endpoint.keys = [], [], set()
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


CALLS = [{"type": "track", "messageId": f"m-{number}"} for number in range(250)]


def test_all_calls_arrive_in_order_also_after_refusals_for_now(endpoint: str) -> None:
    """503 and 429 are asked again with the same batch; nothing is lost and nothing overtakes."""
    Endpoint.statuses = [200, 503, 200, 429, 200]
    assert list(post_calls(endpoint, "sk_1", CALLS)) == [100, 100, 50]
    assert Endpoint.accepted == [call["messageId"] for call in CALLS]
    assert Endpoint.keys == {"Basic c2tfMTo="}


def test_a_refusal_ends_the_replay(endpoint: str) -> None:
    """A wrong key is told, at once."""
    Endpoint.statuses = [401]
    with pytest.raises(Fault, match="answers 401"):
        list(post_calls(endpoint, "sk_wrong", CALLS))
    assert Endpoint.accepted == []


def test_what_broke_off_can_be_resumed(endpoint: str) -> None:
    """The message holds the option with which the rest becomes the same events."""
    Endpoint.statuses = [200, 401]
    command = ["replay", "--key", "sk", "--url", endpoint, "--households", "30", "--weeks", "4"]
    done = CliRunner().invoke(app, [*command, "--until", "2026-11-21T12:00:00Z"])
    assert done.exit_code == 1
    assert "--until 2026-11-21T12:00:00.000Z" in " ".join(done.output.split())
    assert len(Endpoint.accepted) == 100


def test_the_help_shows_an_example() -> None:
    """Whoever asks what the command does sees how it is called."""
    assert "cartwake replay --households 100" in CliRunner().invoke(app, ["replay", "--help"]).output
