"""The shortcut: a call of DynamoDB or SQS to which nothing happens goes past most of the SDK: half of a world's time.

Whatever goes wrong with a call, or is refused, goes all the way through the SDK, with its retries and its exceptions.
The history of a world is the same either way, to the byte.
"""

import json
import uuid
from base64 import b64decode, b64encode
from types import SimpleNamespace
from typing import Any

from botocore import endpoint
from botocore.client import BaseClient
from botocore.retries import standard
from greenlet import getcurrent

from simulation import cloud
from simulation.gate import HTTP_FAULT, Gate, find_world, quotas

TARGETS = {"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS"}
"""The services that speak JSON, and how each begins the name of an operation."""
_quota_of: dict[int, Any] = {}
_drawn: list[str] = []
"""The id of a try that went straight and is refused: all the way it would be drawn once more."""
_go_all_the_way = BaseClient._make_api_call


def install() -> None:
    """Have every client that is made from now on take it."""
    register = standard.register_retry_handler

    def remember(client: Any, *args: Any, **options: Any) -> Any:
        handler = register(client, *args, **options)
        _quota_of[id(client)] = quotas[-1]
        return handler

    standard.register_retry_handler = remember
    BaseClient._make_api_call = _call
    endpoint.uuid = SimpleNamespace(uuid4=lambda: _drawn.pop() if _drawn else uuid.uuid4())
    cloud.dynamodb._tokenize = _remember(cloud.dynamodb._tokenize, list)
    cloud.dynamodb._condition_syntax_error = _remember(cloud.dynamodb._condition_syntax_error)


def _call(self: Any, operation: str, params: dict[str, Any]) -> Any:
    invocation = find_world().by_course.get(getcurrent())
    service = self._service_model.service_name
    if invocation is None or service not in TARGETS:
        return _go_all_the_way(self, operation, params)
    if operation == "TransactWriteItems":
        params = params if "ClientRequestToken" in params else params | {"ClientRequestToken": str(uuid.uuid4())}
    request = SimpleNamespace(
        url=f"https://{service}.eu-central-1.amazonaws.com/",
        method="POST",
        headers={"x-amz-target": f"{TARGETS[service]}.{operation}", "content-type": "application/x-amz-json-1.0"},
        body=json.dumps(params, default=_encode).encode(),
    )
    gate = Gate(find_world(), invocation, service, operation, request)
    if (fault := gate.strike()) is not None:
        invocation.struck = fault
        return _go_all_the_way(self, operation, params)
    name = str(uuid.uuid4())
    answer = gate.go_straight()
    if answer[0] >= HTTP_FAULT:
        invocation.answer = answer
        _drawn.append(name)
        return _go_all_the_way(self, operation, params)
    _quota_of[id(self)].release(1)
    return json.loads(answer[2], object_hook=_decode) | {"ResponseMetadata": {"HTTPStatusCode": answer[0]}}


def _encode(value: Any) -> str:
    return b64encode(value).decode()


def _decode(found: dict[str, Any]) -> dict[str, Any]:
    if len(found) == 1 and isinstance(found.get("B"), str):
        return {"B": b64decode(found["B"])}
    return found


def _remember(work: Any, again: Any = lambda it: it) -> Any:
    known: dict[Any, Any] = {}

    def find(*asked: Any) -> Any:
        if asked not in known:
            known[asked] = work(*asked)
        return again(known[asked])

    return find
