"""Webhooks reach the open internet by the address that was looked at, and nothing else."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cartwake.gateways import hosts, webhook
from cartwake.gateways.hosts import NotPublic, find_public, is_public
from cartwake.gateways.webhook import MOST_READ, Post, post
from cartwake.webhooks import Reply

HOST: Final = "crm.example.com"
PUBLIC: Final = "93.184.215.14"
INSIDE: Final = (
    "127.0.0.1", "127.8.8.8", "0.0.0.0",  # noqa: S104
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "169.254.170.2", "169.254.100.1", "100.64.0.1", "100.127.255.255", "192.0.0.192", "192.0.2.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::1", "::", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::ffff:93.184.215.14", "::127.0.0.1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "100::1", "2001:db8::1", "2001::1", "2002:a9fe:a9fe::1",
    "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "5f00::1",
    "2130706433", "0x7f000001", "localhost", "",
)  # fmt: skip
OUTSIDE: Final = (PUBLIC, "1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::1")


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_inside_is_public(address: str) -> None:
    """Loopback, private networks, what clouds tell their machines, and every way to write those of IPv4 in IPv6."""
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_anybody_can_reach_is(address: str) -> None:
    """The neighbours of what is barred, too."""
    assert is_public(address)


def lead(monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, ...]) -> list[str]:
    """Have every name lead to addresses, each time to the next of *answers*; return who is asked for."""
    asked: list[str] = []

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in found]

    monkeypatch.setattr(hosts.socket, "getaddrinfo", resolve)
    return asked


@pytest.mark.parametrize("found", [("10.0.0.1",), (PUBLIC, "10.0.0.1"), ("::1", PUBLIC)])
def test_one_private_address_bars_a_host(monkeypatch: pytest.MonkeyPatch, found: tuple[str, ...]) -> None:
    """A name that leads inside and outside is not given the choice; nobody is connected to."""
    lead(monkeypatch, found)
    monkeypatch.setattr(webhook.socket, "create_connection", lambda *_, **__: pytest.fail("connected"))
    with pytest.raises(NotPublic):
        find_public(HOST)
    reply = post(Post(url=f"https://{HOST}/", body=b"{}", hosts=(HOST,)))
    assert (reply.barred, reply.fault) == (True, "PrivateAddress")


def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is asked for once, and what it led to then is connected to: DNS rebinding leads nowhere."""
    asked = lead(monkeypatch, (PUBLIC,), ("169.254.169.254",))
    connected: list[Any] = []

    def connect(address: Any, **_: Any) -> Any:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(webhook.socket, "create_connection", connect)
    reply = post(Post(url=f"https://{HOST}/", body=b"{}", hosts=(HOST,)))
    assert (asked, connected) == ([HOST], [(PUBLIC, 443)])
    assert (reply.barred, reply.fault) == (False, "ConnectionRefusedError")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/", "http://crm.example.com/", "https://crm.example.com:8443/",
        "https://user@crm.example.com/", "https://crm.example.com@evil.example.com/", "https://CRM.example.com./",
        "https://crm.example.com.evil.example/", "//crm.example.com/", "https:///x", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_only_listed_hosts_are_asked_for(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """By https, at its usual port, and by that very name; of any other the name is not even resolved."""
    asked = lead(monkeypatch, (PUBLIC,))
    assert post(Post(url=url, body=b"{}", hosts=(HOST,))).barred
    assert asked == []


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for the host, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    begin = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("keys") / "pair.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


class Receiver:
    """A server with a certificate, on this machine."""

    def __init__(self, keys: Path, answer: Callable[[ssl.SSLSocket], None]) -> None:
        self.heard: list[bytes] = []
        self._keys, self._answer = keys, answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._keys)
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as line:
                    self.heard.append(_read_request(line))
                    self._answer(line)
            except OSError:
                continue

    def close(self) -> None:
        self._listening.close()


def _read_request(line: ssl.SSLSocket) -> bytes:
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += line.recv(4096)
    head, _, body = heard.partition(b"\r\n\r\n")
    length = int(next(it for it in head.split(b"\r\n") if it.lower().startswith(b"content-length")).split(b":")[1])
    while len(body) < length:
        body += line.recv(4096)
    return head + b"\r\n\r\n" + body


@contextmanager
def receiving(
    keys: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: bytes | Callable[[ssl.SSLSocket], None],
    *,
    trusted: bool = True,
) -> Iterator[Receiver]:
    """Have the host's public address answered by a server here, whose certificate is trusted or not."""
    receiver = Receiver(keys, answer if callable(answer) else lambda line: line.sendall(answer))
    lead(monkeypatch, (PUBLIC,))

    def connect(address: Any, *, timeout: float) -> socket.socket:
        assert address == (PUBLIC, 443)
        plain = socket.socket()
        plain.settimeout(timeout)
        plain.connect(("127.0.0.1", receiver.port))
        return plain

    monkeypatch.setattr(webhook.socket, "create_connection", connect)
    context = ssl.create_default_context(cafile=str(keys))
    # it is its own authority, with less to show for it than a real one
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if trusted:
        monkeypatch.setattr(webhook.ssl, "create_default_context", lambda: context)
    yield receiver
    receiver.close()


def ask(body: bytes = b'{"a":1}', path: str = "/hooks?shop=1") -> Reply:
    return post(Post(url=f"https://{HOST}{path}", body=body, hosts=(HOST,), headers={"webhook-id": "m-1"}))


def test_a_receiver_gets_what_was_signed(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The very bytes, by a POST to its own name; of its answer the status counts, and how long it wants to rest."""
    with receiving(keys, monkeypatch, b"HTTP/1.1 503 Busy\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n") as receiver:
        assert ask() == Reply(status=503, retry_after="30")
    head, _, body = receiver.heard[0].partition(b"\r\n\r\n")
    assert body == b'{"a":1}'
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /hooks?shop=1 HTTP/1.1"
    assert {f"Host: {HOST}", "webhook-id: m-1", "Content-Type: application/json", "Connection: close"} <= set(lines)


def test_nobody_is_followed_elsewhere(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect is an answer like any other: nothing is sent to where it points."""
    elsewhere = b"HTTP/1.1 307 Go\r\nLocation: https://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    with receiving(keys, monkeypatch, elsewhere) as receiver:
        assert ask().status == 307
    assert len(receiver.heard) == 1


def test_a_certificate_that_nobody_vouches_for_is_told_nothing(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers at an address has to prove the name before a byte of the body is sent."""
    with receiving(keys, monkeypatch, b"HTTP/1.1 200 OK\r\n\r\n", trusted=False) as receiver:
        reply = ask()
    assert (reply.status, reply.fault) == (0, "SSLCertVerificationError")
    assert receiver.heard == []


def drip(line: ssl.SSLSocket) -> None:
    """Answer a byte at a time, for longer than anybody waits."""
    for _ in range(500):
        line.sendall(b"H")
        if _stop.wait(0.02):
            return


_stop: Final = threading.Event()


def flood(line: ssl.SSLSocket) -> None:
    """Answer without an end."""
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        line.sendall(b"x-more: " + b"x" * 4_000 + b"\r\n")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [(drip, "TimeoutError"), (lambda _: _stop.wait(5), "TimeoutError"), (flood, "")],
)
def test_no_answer_takes_longer_than_the_deadline(
    keys: Path, monkeypatch: pytest.MonkeyPatch, answer: Callable[[ssl.SSLSocket], None], fault: str
) -> None:
    """One that comes drop by drop, never, or without an end: all of it together has one deadline, and a size."""
    monkeypatch.setattr(webhook, "DEADLINE_SECONDS", 1)
    began = time.monotonic()
    with receiving(keys, monkeypatch, answer):
        reply = ask()
    assert time.monotonic() - began < 4
    assert (reply.status, reply.fault) == ((0, fault) if fault else (200, ""))


def test_the_rest_of_an_answer_is_not_read(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a body it announces: the status has said all."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n" + b"x" * MOST_READ * 2
    with receiving(keys, monkeypatch, answer):
        assert ask().status == 200


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"", "RemoteDisconnected"),
        (b"hello\r\n\r\n", "BadStatusLine"),
        (b"HTTP/1.1 abc\r\n\r\n", "BadStatusLine"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", "HTTPException"),
    ],
)
def test_what_is_no_answer_is_a_fault(keys: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, fault: str) -> None:
    """Whatever comes is a value, never an exception that the ledger does not know."""
    with receiving(keys, monkeypatch, answer):
        assert ask() == Reply(fault=fault)


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX-Evil: 1", "/\x00"])
def test_no_path_makes_a_header(keys: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """What no rule file could say is not said on the line either."""
    with receiving(keys, monkeypatch, b"HTTP/1.1 200 OK\r\n\r\n") as receiver:
        ask(path=path)
    assert b"X-Evil: 1" not in b"".join(receiver.heard).split(b"\r\n")
