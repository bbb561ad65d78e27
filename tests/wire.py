"""The recorded requests of stock clients, and the payloads in which the HTTP API hands requests to a function."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "payloads" / "wire"
CLIENTS = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))
WRITE_KEY = "wk_test_123"
"""The write key that all of them were recorded with."""


@dataclass(frozen=True)
class Recorded:
    """One recorded request; header names in lower case."""

    client: str
    mode: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    data: Any

    @property
    def message_ids(self) -> list[str]:
        if not isinstance(self.data, dict):
            return []
        return [message["messageId"] for message in self.data.get("batch", [self.data])]

    @property
    def is_gzip(self) -> bool:
        return self.body.startswith(b"\x1f\x8b")

    def sent_later(self, seconds: int) -> "Recorded":
        """The same request as a retry would repeat it: the same events, sent at another time."""
        data = json.loads(json.dumps(self.data))
        for holder in (data, *data.get("batch", ())):
            if "sentAt" in holder:
                moment = datetime.fromisoformat(holder["sentAt"]) + timedelta(seconds=seconds)
                holder["sentAt"] = moment.isoformat()
        return Recorded(self.client, self.mode, self.method, self.path, self.headers, json.dumps(data).encode(), data)


def read_recordings(client: str) -> list[Recorded]:
    """Return the requests to the tracking routes of one client.

    Left out, by name: GETs, for settings and scripts, and hosts with a path before `/v1`.
    """
    found = json.loads((FOLDER / f"{client}.json").read_text())["requests"]
    return [
        _read(client, each)
        for each in found
        if each["method"] != "GET" and each["mode"] not in ("path", "path-prefixed host")
    ]


def _read(client: str, each: dict[str, Any]) -> Recorded:
    data = each.get("json")
    body = b64decode(each["raw_base64"]) if "raw_base64" in each else b"" if data is None else json.dumps(data).encode()
    headers = {name.lower(): value for name, value in each["headers"]}
    return Recorded(client, each["mode"], each["method"], each["path"], headers, body, data)


def to_payload(
    path: str, body: bytes = b"", *, headers: dict[str, str] | None = None, method: str = "POST", at: int = 0
) -> dict[str, Any]:
    """Return the payload 2.0 of a request; bodies that are no text come as base64, as the API sends them."""
    route, _, query = path.partition("?")
    try:
        text, is_base64 = body.decode(), False
    except UnicodeDecodeError:
        text, is_base64 = b64encode(body).decode(), True
    return {
        "version": "2.0",
        "rawPath": route,
        "headers": headers or {},
        "queryStringParameters": dict(pair.split("=") for pair in query.split("&") if pair),
        "pathParameters": {"kind": route.rsplit("/", 1)[-1]},
        "requestContext": {"http": {"method": method, "path": route}, "timeEpoch": at},
        "body": text,
        "isBase64Encoded": is_base64,
    }
