"""An endpoint on this machine that answers an AWS client as it is told to, and counts what it was asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Endpoint:
    """What to answer, and what was asked.

    Attributes:
        status: Of the answer; 0: the connection is closed without one, after the request was read.
        requests: Bodies of the requests, in order.
        connections: How many were opened.
    """

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "{}"
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


@contextmanager
def serve() -> Iterator[Endpoint]:
    """Serve an endpoint on a free port until the block ends."""
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            endpoint.connections += 1

        def do_POST(self) -> None:
            endpoint.requests.append(self.rfile.read(int(self.headers["Content-Length"])))
            if endpoint.status == 0:
                self.close_connection = True
                return
            self.send_response(endpoint.status)
            content = endpoint.body.encode()
            for name, value in {**endpoint.headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
