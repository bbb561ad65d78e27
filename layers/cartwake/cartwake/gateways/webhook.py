"""Webhook: one attempt to hand a signed body to a host of the open internet, and no look at what it says besides.

Made by hand of the standard library, for three things that no client does together: it connects to the very address
that was found to be public, it never follows anybody elsewhere, and handshake, body and answer together have one
deadline. How long a name takes to be resolved is up to the system.
"""

import io
import socket
import ssl
import time
from collections.abc import Buffer
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Final, Literal
from urllib.parse import urlsplit

from cartwake.gateways.hosts import PORT, NotPublic, find_public
from cartwake.webhooks import Reply

DEADLINE_SECONDS: Final = 10
MOST_READ: Final = 16_384
"""Bytes of an answer: its head. The rest of it is never read."""
_TRIED: Final = 2
"""Addresses of one host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What is to be handed over.

    Attributes:
        url: It begins with https://, and names no port and no user.
        hosts: Those that may be called.
        headers: Printable ASCII.
    """

    url: str
    body: bytes
    hosts: tuple[str, ...]
    headers: dict[str, str] = field(default_factory=dict)


def post(request: Post) -> Reply:
    """Hand *request* over, once."""
    parts = urlsplit(request.url)
    host = parts.hostname or ""
    if parts.scheme != "https" or parts.netloc != host or host not in request.hosts:
        return Reply(barred=True, fault="HostNotListed")
    deadline = time.monotonic() + DEADLINE_SECONDS
    try:
        line = _Line(_connect(host, deadline), deadline)
    except NotPublic:
        return Reply(barred=True, fault="PrivateAddress")
    except OSError as error:
        return Reply(fault=type(error).__name__)
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return exchange(line, host, target, request)


def exchange(line: "_Line", host: str, target: str, request: Post) -> Reply:
    """Say a request over a line that leads to its host, and read the head of the answer."""
    connection = HTTPConnection(host)
    # all that http.client wants of a socket
    connection.sock = line
    headers = {"Content-Type": "application/json", "User-Agent": "Cartwake", "Connection": "close"} | request.headers
    try:
        connection.request("POST", target, body=request.body, headers=headers)
        answer = connection.getresponse()
        return Reply(status=answer.status, retry_after=answer.getheader("Retry-After") or "")
    except (OSError, HTTPException, ValueError) as error:
        return Reply(fault=type(error).__name__)
    finally:
        connection.close()


def _connect(host: str, deadline: float) -> socket.socket:
    """Return a connection to a public address of a host, which has proved that it is that host.

    Raises:
        NotPublic: The name leads elsewhere.
        OSError: No address answers, or the certificate is not the host's.
    """
    failed: OSError | None = None
    for address in find_public(host)[:_TRIED]:
        try:
            plain = socket.create_connection((address, PORT), timeout=_left(deadline) / _TRIED)
        except OSError as error:
            failed = error
            continue
        return secure(plain, host, deadline)
    raise failed or OSError(host)


def secure(plain: socket.socket, host: str, deadline: float, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    """Return a connection after the handshake; the context is the usual one, but in tests."""
    try:
        plain.settimeout(_left(deadline))
        return (context or ssl.create_default_context()).wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


class _Line:
    """A connection on which nothing takes longer than until the deadline, and little is read."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection, self._deadline = connection, deadline

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        self._connection.settimeout(_left(self._deadline))
        self._connection.sendall(data)

    def makefile(self, _: Literal["rb"]) -> io.BufferedReader:
        """Return what can be read."""
        return io.BufferedReader(_Head(self._connection, self._deadline))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class _Head(io.RawIOBase):
    """The first bytes of an answer; after them it is taken for ended."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection, self._deadline, self._rest = connection, deadline, MOST_READ

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Read some."""
        view = memoryview(buffer)[: self._rest]
        if not view:
            return 0
        self._connection.settimeout(_left(self._deadline))
        read = self._connection.recv_into(view)
        self._rest -= read
        return read


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
