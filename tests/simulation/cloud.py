"""The cloud: AWS in this process, by calling the handlers of MiniStack where botocore would open a connection."""

import copy
import json
import sys
from collections.abc import Iterator
from io import BytesIO
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.awsrequest import AWSResponse
from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict
from ministack.services import dynamodb, s3, scheduler, secretsmanager, ses, ses_v2, sns, sqs

SERVICES = {
    "dynamodb": dynamodb,
    "sqs": sqs,
    "s3": s3,
    "scheduler": scheduler,
    "secrets-manager": secretsmanager,
    "sesv2": ses_v2,
    "sns": sns,
}

type Answer = tuple[int, dict[str, str], bytes]


class Raw(BytesIO):
    """A body as urllib3 would give it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Yield all of it."""
        if content := self.read():
            yield content


def reset() -> None:
    """Forget everything, and make what the template has."""
    for service in (*SERVICES.values(), ses):
        service.reset()
    dynamodb._stream_records.clear()
    dynamodb._stream_seq_counter = 0
    dynamodb._txn_idempotency.clear()


def keep() -> None:
    """Remember what there is."""
    for service in (*SERVICES.values(), ses):
        for name, value in vars(service).items():
            if isinstance(value, AccountRegionScopedDict | AccountScopedDict):
                _kept[service.__name__, name] = copy.deepcopy(value._data)


def restore() -> bool:
    """Have everything as it was when it was kept; False when it never was."""
    if not _kept:
        return False
    reset()
    for service in (*SERVICES.values(), ses):
        for name, value in vars(service).items():
            if isinstance(value, AccountRegionScopedDict | AccountScopedDict):
                value._data = copy.deepcopy(_kept[service.__name__, name])
    return True


_kept: dict[tuple[str, str], Any] = {}


def call(service: str, request: Any) -> Answer:
    """Have a service do what a prepared request asks for, and return its answer."""
    parts = urlsplit(request.url)
    path = unquote(parts.path) or "/"
    if service == "s3" and not (parts.hostname or "").startswith("s3."):
        path = f"/{(parts.hostname or '').partition('.')[0]}{path}"
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    body = _read_body(request.body, headers)
    status, told, content = _finish(
        SERVICES[service].handle_request(
            request.method, path, headers, body, parse_qs(parts.query, keep_blank_values=True)
        )
    )
    return status, dict(told), content if isinstance(content, bytes) else (content or "").encode()


def to_response(request: Any, answer: Answer) -> AWSResponse:
    """Return what botocore would have read from the connection."""
    status, headers, content = answer
    return AWSResponse(request.url, status, headers, Raw(content))


def take_changes() -> list[tuple[str, dict[str, Any]]]:
    """Return what was written to the tables since this was last asked: table and change, in order."""
    found = [(table, record) for table, records in dynamodb._stream_records.items() for record in records]
    dynamodb._stream_records.clear()
    return sorted(found, key=lambda it: it[1]["dynamodb"]["SequenceNumber"])


def take_queued(queue: str) -> list[tuple[str, int]]:
    """Return what was put into a queue since this was last asked: bodies, and seconds of delay."""
    found = []
    for url in list(sqs._queues):
        if url.rpartition("/")[2] == queue:
            messages = sqs._queues[url]["messages"]
            found = [(it["body"], round(it["visible_at"] - it["sent_at"])) for it in messages]
            messages.clear()
    return found


def take_schedules() -> list[dict[str, Any]]:
    """Return the schedules that were created since this was last asked; their names stay taken."""
    found = [it for it in scheduler._schedules.values() if not it.get("seen")]
    for it in found:
        it["seen"] = True
    return found


def delete_schedule(schedule: dict[str, Any]) -> None:
    """Forget a schedule that has done its work."""
    scheduler._schedules.pop(f"{schedule['GroupName']}/{schedule['Name']}", None)


def rows(table: str) -> Iterator[dict[str, Any]]:
    """Yield the items of a table as they are now."""
    for by_range in dynamodb._tables[table]["items"].values():
        yield from by_range.values()


def watch(table: str) -> None:
    """Have every change of a table noted with what was before and after."""
    found = dynamodb._tables[table]
    found["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def parse(body: bytes) -> dict[str, Any]:
    """Return a JSON body, or nothing when it is none."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _finish(work: Any) -> Any:
    """Run a coroutine that waits for nobody."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the service waits for something")


def _read_body(body: Any, headers: dict[str, str]) -> bytes:
    content = body.read() if hasattr(body, "read") else body or b""
    content = content.encode() if isinstance(content, str) else bytes(content)
    if "aws-chunked" in headers.get("content-encoding", ""):
        headers.pop("content-encoding")
        headers.pop("x-amz-trailer", None)
        return _unchunk(content)
    return content


def _unchunk(content: bytes) -> bytes:
    found, at = b"", 0
    while True:
        line, _, _ = content[at:].partition(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        at += len(line) + 2
        if size == 0:
            return found
        found += content[at : at + size]
        at += size + 2


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


# The S3 handler asks the HTTP server, which is not needed here, whether roles are enforced.
_server = ModuleType("ministack.app")
_server.AUTH = False  # type: ignore[attr-defined]
sys.modules["ministack.app"] = _server
