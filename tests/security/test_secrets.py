"""Secrets and personal data: searched for where they must not be, in logs, answers, tables and the repository."""

import json
import re
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest

from cartwake import telemetry
from cartwake.gateways.secrets import address_secret, link_secrets
from cartwake.store.base import unsqueeze
from tests.security.front import BROWSER, SERVER, scan
from tests.security.life import EMAIL, PHONE, USER, VISITOR, Life, live_once

ROOT: Final = Path(__file__).parents[2]
CANARIES: Final = {
    "user id": USER,
    "anonymous id": VISITOR,
    "address": EMAIL,
    "phone": PHONE.removeprefix("+"),
    "name": "Zaphodina",
    "product": "Heartofgold",
    "client's id": "zaphod-message",
    "typed": "zaphod typed this",
    "browser's key": BROWSER,
    "server's key": SERVER,
    "wrong key": "sk_zaphod_wrong",
    "root": "a-test-root",
}


@pytest.fixture(scope="module")
def life(started: None) -> Iterator[Life]:
    """One life for all tests of the module."""
    with live_once() as lived:
        yield lived


def disguise(text: str) -> set[str]:
    """Return the forms in which something could stand in a line."""
    content = text.encode()
    forms = {text, quote(text, safe=""), content.hex(), text.replace("@", " at ")}
    # the middle of what base64 makes of it, wherever in the encoded text it begins
    forms |= {b64encode(b"x" * shift + content).decode().rstrip("=")[shift and 4 : -2] for shift in range(3)}
    return {form.casefold() for form in forms if len(form) >= 6}


def find_in(haystack: str, needles: dict[str, str]) -> list[str]:
    low = haystack.casefold()
    return [name for name, text in needles.items() if any(form in low for form in disguise(text))]


def test_a_disguise_is_seen_through() -> None:
    """The search finds what is encoded, and does not find everything."""
    for text in (EMAIL, quote(EMAIL, safe=""), b64encode(f"x{EMAIL}y".encode()).decode(), EMAIL.encode().hex().upper()):
        assert find_in(f"line {text} line", CANARIES) == ["address"]
    assert find_in("a line about nobody, of u#1 and vfsvzja64niy", CANARIES) == []


def test_no_secret_is_in_a_log_or_a_metric(life: Life) -> None:
    """Through a whole life and every failure: no id, address, name, text, key, token or body, in whatever disguise."""
    printed = life.log.getvalue() + life.metrics.getvalue()
    said = {json.loads(line)["message"] for line in life.log.getvalue().splitlines()}
    assert said >= {
        "events captured", "events refused", "request refused", "profile derived", "run started", "step ran",
        "message settled", "unsubscribed", "page not shown", "address suppressed", "delivery tracked",
        "feedback ignored", "set aside", "to be tried again",
    }  # fmt: skip
    assert "Quarantined" in printed
    secrets = CANARIES | {f"token {at}": token for at, token in enumerate(sorted(life.tokens))}
    secrets |= {f"signature {at}": token.rpartition(".")[2] for at, token in enumerate(sorted(life.tokens))}
    secrets |= {f"link key {at}": key.hex() for at, key in enumerate(link_secrets())}
    assert find_in(printed, secrets | {"address key": address_secret().hex()}) == []


def test_metrics_name_nobody(life: Life) -> None:
    """A metric is a known name and a number, in one dimension: the function."""
    lines = [json.loads(line) for line in life.metrics.getvalue().splitlines() if line.startswith('{"_aws"')]
    assert len(lines) > 20
    known = set(re.findall(r"\b[A-Z]\w+\b", str(telemetry.__doc__).partition("Metric names:")[2]))
    for line in lines:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Dimensions"] == [["service"]]
        names = {metric["Name"] for metric in directive["Metrics"]}
        assert names <= known
        assert set(line) - names == {"_aws", "service"}


_LINKS = re.compile(r'href=\\"\.\./(export|erase|preferences)/[A-Za-z0-9_.-]+|(?<=&)cw=[A-Za-z0-9_.-]+')


def test_no_answer_repeats_what_was_said(life: Life) -> None:
    """Answers, good and bad, hold no value that anybody sent, nor a token, nor how we are made."""
    secrets = CANARIES | {f"token {at}": token for at, token in enumerate(sorted(life.tokens))}
    refused = [answer for answer in life.answers if answer["statusCode"] >= 400]
    assert len(refused) > 12
    for answer in life.answers:
        # For who came by such a link the preference centre leads to two pages more, they back to it, and a click on.
        text = _LINKS.sub("", json.dumps(answer))
        assert find_in(text, secrets) == []
        for ours in ("Traceback", "functions/", "/var/task", "dynamodb", "arn:aws", "msgspec", ".py"):
            assert ours not in text


def test_nobody_is_named_where_they_are_only_counted(life: Life) -> None:
    """Tables that outlive a shopper, or are about none, hold no address, no number, no name and no text.

    A run keeps what started it: there may be a product.
    """
    own = {name: CANARIES[name] for name in ("address", "phone", "name", "product", "typed", "server's key", "root")}
    held = {table: "\n".join(read(item) for item in scan(table)) for table in (
        "addresses", "identities", "slots", "counts", "keys", "names", "runs", "messages", "coupons",
    )}  # fmt: skip
    assert all(held[table] for table in ("addresses", "identities", "slots", "counts", "keys", "runs", "messages"))
    for table, text in held.items():
        assert find_in(text, own) in ([], ["product"] if table == "runs" else []), table
    assert find_in(held["addresses"] + held["counts"] + held["names"], CANARIES) == []


def read(item: dict[str, Any]) -> str:
    """Return an item as text, what is packed in it unpacked."""
    parts = []
    for name, value in item.items():
        ((kind, content),) = value.items()
        parts.append(f"{name}={unsqueeze(bytes(content)).decode('latin-1') if kind == 'B' else content}")
    return " ".join(parts)


def test_refused_events_are_kept_without_what_they_said(life: Life) -> None:
    """A row of quarantine says whom, which, why and where; only what no code could process is kept whole."""
    rows = scan("quarantine")
    assert {row["reason"]["S"] for row in rows} >= {"invalid_time", "invalid_event", "invalid_number", "poison"}
    for row in rows:
        if row["reason"]["S"] != "poison":
            assert "body" not in row
            assert find_in(read(row), {"typed": CANARIES["typed"], "address": EMAIL}) == []


# ---- the repository

RESERVED: Final = re.compile(r"(.*\.)?(example(\.(com|net|org))?|test|invalid|localhost|local)|[a-z]\.[a-z]")
"""Domains that nobody can own (RFC 2606), and those of one letter, which stand for any."""
ADDRESS: Final = re.compile(r"(?<!\\)[\w.%+-]+@((?:[\w-]+\.)+[A-Za-z][\w-]*[A-Za-z])\b")
NOT_ADDRESSES: Final = re.compile(r"(?i)\.(js|ts|json|md|py|git|svg|png|service|timer)$")
SECRETS: Final = {
    "AWS access key": r"\b(AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b",
    "AWS secret": r"(?i)aws_?secret_?(access_?)?key[\"']?\s*[:=]\s*[\"'][A-Za-z0-9/+]{40}[\"']",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE " + "KEY",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{22,}",
    "Slack token": r"\bxox[abpros]-[A-Za-z0-9-]{10,}",
    "Stripe key": r"\b[sr]k_live_[A-Za-z0-9]{16,}",
    "Google key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "PyPI or npm token": r"\bpypi-[A-Za-z0-9_-]{50,}|\bnpm_[A-Za-z0-9]{36}\b",
    "JWT": r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}",
    "password in an address": r"\b[a-z]+://[^\s/:@\"'{}<>]+:[^\s/:@\"'{}<>]{6,}@(?!127\.0\.0\.1|localhost)[\w.-]+\.[a-z]{2,}",
}


def list_tracked() -> list[tuple[Path, str]]:
    """List the text files that git tracks, with what they hold."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    found = []
    for path in (ROOT / name.decode() for name in names if name):
        content = path.read_bytes() if path.is_file() else b"\0"
        if b"\0" not in content[:8_000]:
            found.append((path.relative_to(ROOT), content.decode(errors="replace")))
    assert len(found) > 200
    return found


def find_secrets(text: str) -> list[str]:
    return [name for name, pattern in SECRETS.items() if re.search(pattern, text)]


def find_addresses(text: str) -> set[str]:
    """Return the addresses in a text that could be somebody's."""
    return {
        found[0]
        for found in ADDRESS.finditer(text)
        if not RESERVED.fullmatch(found[1].lower()) and not NOT_ADDRESSES.search(found[0])
    }


def test_the_search_finds_secrets() -> None:
    """Each pattern finds one of its kind, written here in two halves."""
    samples = {
        "AWS access key": "AKIA" + "Q" * 16,
        "AWS secret": 'aws_secret_access_key = "' + "x" * 40 + '"',
        "private key": "-----BEGIN RSA PRIVATE " + "KEY-----",
        "GitHub token": "ghp_" + "a" * 36,
        "Slack token": "xoxb-" + "1" * 12,
        "Stripe key": "sk_live_" + "a" * 24,
        "Google key": "AIza" + "b" * 35,
        "PyPI or npm token": "npm_" + "c" * 36,
        "JWT": "eyJ" + "a" * 20 + ".eyJ" + "b" * 20 + "." + "c" * 30,
        "password in an address": "https://user:" + "secret1" + "@db.company.com",
    }
    for name, sample in samples.items():
        assert find_secrets(f"x = {sample}") == [name]
    assert find_addresses("a line\\n@decorated.by.something") == set()
    assert find_addresses("write to\\njane.doe@" + "gmail.com") == {"jane.doe@" + "gmail.com"}
    assert find_addresses("write to jane.doe@" + "gmail.com, ada@example.com or a@b.c") == {"jane.doe@" + "gmail.com"}


def test_the_repository_holds_no_secret() -> None:
    """No key, token or password is in a tracked file."""
    assert [(str(path), found) for path, text in list_tracked() if (found := find_secrets(text))] == []


def test_the_repository_holds_nobodys_address() -> None:
    """Addresses in code, tests, recordings and documents are of domains that nobody can own."""
    assert [(str(path), found) for path, text in list_tracked() if (found := find_addresses(text))] == []
