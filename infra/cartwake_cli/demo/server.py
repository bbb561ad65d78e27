"""The page's server: shop, inbox and timeline on one loopback address, which is the stack's PublicUrl too."""

import http.client
import json
import mimetypes
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final, cast
from urllib.parse import parse_qs, unquote, urlsplit

from cartwake_cli.demo.reader import Reader
from cartwake_cli.demo.shop import CURRENCY, STATIC
from cartwake_cli.demo.state import Shopper
from cartwake_cli.demo.visitors import Backend, Declined
from cartwake_cli.faults import Fault
from cartwake_cli.local.engine import HOST
from cartwake_cli.local.gateway import HOP_BY_HOP, PREFIXES, fetch

LONGEST_BODY: Final = 1_000_000
FILES: Final = re.compile(r"/static/([a-z0-9-]+/)?[a-z0-9-]+\.(css|js|json|svg)")
LETTERS: Final = re.compile(r"/inbox/([^/]{1,200})\.html")
LETTER_POLICY: Final = (
    "default-src 'none'; img-src {origin} data:; style-src 'unsafe-inline'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
LETTER_HEAD: Final = '<base target="_blank"><style>html{scrollbar-width:thin}</style>'
PAGE_POLICY: Final = "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


@dataclass(slots=True)
class Site:
    """What the server shows, once there is a stack."""

    backend: Backend
    reader: Reader
    stories: list[Shopper]
    shop: dict[str, str]
    waits: dict[str, int]

    def list_settings(self) -> dict[str, Any]:
        """Return what the page needs to know once."""
        products = [
            {name: getattr(product, name) for name in product.__dataclass_fields__}
            for product in self.backend.products.values()
        ]
        return {
            "world": self.backend.world.browser_key,
            "browserKey": self.backend.world.browser_key,
            "shop": self.shop | {"currency": CURRENCY},
            "products": products,
            "waits": self.waits,
        }

    def read_state(self, anonymous_id: str) -> dict[str, Any]:
        """Return what the page shows now to one visitor."""
        me, *others = self.backend.greet(anonymous_id)
        return self.reader.read_page([me, *self.stories, *others], fresh=me.id, waits=self.waits)


@dataclass(slots=True)
class Server:
    """A running server; it says 503 until it has a site."""

    http: ThreadingHTTPServer
    site: Site | None = None
    thread: threading.Thread | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.http.server_address[1]}"

    def close(self) -> None:
        """Stop answering and free the port."""
        self.http.shutdown()
        self.http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    owner: Server


def start(port: int = 0) -> Server:
    """Start answering on a port of the loopback address; 0 takes any free one.

    Raises:
        Fault: the wanted port is taken.
    """
    try:
        listening = _Http((HOST, port), Handler)
    except OSError as error:
        raise Fault(f"port {port} is taken by another program; leave --port out, or name another") from error
    server = Server(listening)
    listening.owner = server
    server.thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
    server.thread.start()
    return server


class Handler(BaseHTTPRequestHandler):
    """Answers the page and hands the stack's own paths on to the stack."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    posts: ClassVar[dict[str, Callable[[Backend, dict[str, Any]], dict[str, str]]]] = {
        "/shop/sign-up": Backend.sign_up,
        "/shop/order": Backend.order,
    }

    def do_GET(self) -> None:
        """Answer the page, its data, a mail, or the stack."""
        site = self._find_site()
        path = urlsplit(self.path).path
        if site is None:
            return
        letter = LETTERS.fullmatch(path)
        if path.startswith(PREFIXES):
            self._forward(site)
        elif path in {"/", "/cart"}:
            self._send_file("index.html")
        elif FILES.fullmatch(path):
            self._send_file(path.removeprefix("/static/"))
        elif path == "/api/settings":
            self._send_json(site.list_settings())
        elif path == "/api/state":
            self._send_state(site)
        elif letter:
            self._send_letter(site, unquote(letter[1]))
        else:
            self._send_json({"message": "there is nothing here"}, status=404)

    def do_POST(self) -> None:
        """Do what the shop's page asks its server for, or hand it on to the stack."""
        site = self._find_site()
        if site is None:
            return
        if self.path.startswith(PREFIXES):
            self._forward(site)
            return
        act = self.posts.get(self.path)
        if act is None or self.headers.get("Origin") not in {None, f"http://{self.headers.get('Host')}"}:
            self._send_json({"message": "there is nothing here"}, status=404)
            return
        try:
            self._send_json(act(site.backend, json.loads(self._read_body())))
        except Declined as declined:
            self._send_json({"message": str(declined)}, status=400)
        except (ValueError, TypeError, KeyError, AttributeError):  # not the JSON that the page sends
            self._send_json({"message": "the shop does not understand that"}, status=400)

    def do_OPTIONS(self) -> None:
        """Hand a preflight on to the stack."""
        site = self._find_site()
        if site is not None:
            self._forward(site)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Print nothing: addresses and tokens are in the paths."""

    def _find_site(self) -> Site | None:
        """Return the site; answer here when there is none yet, or when another name leads to this machine."""
        host = (self.headers.get("Host") or "").rpartition(":")[0]
        site = cast("_Http", self.server).owner.site
        if host not in {HOST, "localhost"}:
            self._send_json({"message": "this address is for this machine only"}, status=421)
            return None
        if site is None:
            self._send_json({"message": "the stack is not deployed yet"}, status=503)
        return site

    def _read_body(self) -> bytes:
        return self.rfile.read(min(LONGEST_BODY * 10, int(self.headers.get("Content-Length") or 0)))

    def _forward(self, site: Site) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        try:
            answer = fetch(self.command, site.backend.world.url + self.path, body=self._read_body(), headers=headers)
        except (OSError, http.client.HTTPException):
            self._send_json({"message": "the local engine does not answer"}, status=502)
            return
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
        self._send(answer.body, kept, status=answer.status)

    def _send_file(self, name: str) -> None:
        path = STATIC / name
        if not path.is_file():
            self._send_json({"message": "there is nothing here"}, status=404)
            return
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = {"Content-Type": kind, "Cache-Control": "no-cache", "Content-Security-Policy": PAGE_POLICY}
        self._send(path.read_bytes(), headers)

    def _send_state(self, site: Site) -> None:
        asked = parse_qs(urlsplit(self.path).query).get("anonymous", [""])[0]
        try:
            self._send_json(site.read_state(asked))
        except Declined as declined:
            self._send_json({"message": str(declined)}, status=400)

    def _send_letter(self, site: Site, message_id: str) -> None:
        """Send a mail as its reader sees it: no scripts, nothing loaded from elsewhere, links in a new window."""
        html = site.reader.read_html(message_id)
        if html is None:
            self._send_json({"message": "there is no such mail"}, status=404)
            return
        origin = f"http://{self.headers.get('Host')}"
        policy = LETTER_POLICY.format(origin=origin)
        page = re.sub(r"<head[^>]*>", lambda head: head[0] + LETTER_HEAD, html, count=1)
        self._send(page.encode(), {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy})

    def _send_json(self, value: object, *, status: int = 200) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
        self._send(json.dumps(value).encode(), headers, status=status)

    def _send(self, body: bytes, headers: dict[str, str], *, status: int = 200) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.close_connection |= status >= 400  # what was sent may not have been read
        self.end_headers()
        self.wfile.write(body)
