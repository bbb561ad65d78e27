"""The gate: every call of AWS passes here, through botocore's own hook, and may go wrong on its way."""

import json
import re
import sys
from typing import TYPE_CHECKING, Any
from zlib import crc32

from botocore import signers, useragent
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.handlers import BUILTIN_HANDLERS
from botocore.regions import EndpointRulesetResolver
from botocore.retries import quota
from greenlet import getcurrent

from simulation import cloud
from simulation.faults import Fault
from simulation.loop import Killed
from simulation.processes import Invocation
from simulation.setting import clock
from simulation.sources import read_at

if TYPE_CHECKING:
    from simulation.world import World

SECOND = 1_000_000
HTTP_FAULT = 300
NAME = re.compile(r"[0-9a-zA-Z-_.]{1,64}")
AGAIN = frozenset({Fault.REFUSED, Fault.FAILED, Fault.THROTTLED, Fault.UNHEARD})
"""What also meets the repetitions that the SDK makes of the same call."""
quotas: list[Any] = []
_world: list["World"] = []


def install() -> None:
    """Stand in every client that is made from now on."""
    BUILTIN_HANDLERS.append(("before-send", _hook))
    # half of the time of a call, for headers that nobody reads
    useragent.UserAgentString.to_string = lambda _: "simulation"
    signers.RequestSigner.sign = lambda *_, **__: None
    _remember_endpoints()
    make = quota.RetryQuota.__init__

    def note(self: Any, *args: Any, **options: Any) -> None:
        make(self, *args, **options)
        quotas.append(self)

    quota.RetryQuota.__init__ = note


def _remember_endpoints() -> None:
    """Have the SDK work out where a service is once, and not for each call; S3 has a host for each bucket."""
    find, known = EndpointRulesetResolver.construct_endpoint, {}

    def construct(self: Any, operation_model: Any, call_args: Any, request_context: Any) -> Any:
        if operation_model.service_model.service_name == "s3":
            return find(self, operation_model, call_args, request_context)
        key = (id(self), operation_model.name)
        if key not in known:
            known[key] = find(self, operation_model, call_args, request_context)
        return known[key]

    EndpointRulesetResolver.construct_endpoint = construct


def enter(world: "World") -> None:
    """Have all calls go to *world* from now on."""
    _world[:] = [world]
    for each in quotas:
        each._available_capacity = each._max_capacity


def find_world() -> "World":
    """Return the world to which calls go."""
    return _world[0]


def _hook(request: Any, event_name: str, **_: Any) -> AWSResponse | None:
    _, service, operation = event_name.split(".")
    world = _world[0]
    invocation = world.by_course.get(getcurrent())
    if invocation is None:
        return cloud.to_response(request, perform(world, service, operation, request, None))
    return Gate(world, invocation, service, operation, request).pass_through()


class Gate:
    """One try of one call."""

    def __init__(self, world: "World", invocation: Invocation, service: str, operation: str, request: Any) -> None:
        self.world, self.invocation, self.request = world, invocation, request
        self.service, self.operation = service, operation

    def pass_through(self) -> AWSResponse:
        """Go to AWS and back, with whatever happens on the way."""
        if self.invocation.answer is not None:
            answer, self.invocation.answer = self.invocation.answer, None
            return self._answer(answer)
        fault, self.invocation.struck = self.invocation.struck or self.strike(), None
        self._pause(self.world.latency())
        match fault:
            case Fault.REFUSED:
                raise EndpointConnectionError(endpoint_url="simulated")
            case Fault.FAILED | Fault.THROTTLED | Fault.CONFLICT | Fault.REJECTED:
                return self._answer(refuse(self.service, self.operation, self.request, fault))
            case Fault.KILLED_BEFORE:
                raise Killed
            case Fault.DOUBLED:
                self.invocation.again()
                self._pause(self.world.chance.choice((SECOND // 100, SECOND // 10, 3 * SECOND)))
            case Fault.TIMED_OUT:
                late = self.invocation.kill_at + SECOND
                self.world.loop.at(late, self._perform)
                self._pause(late - clock.micros)
        self.world.before_effect(self)
        answer = self._perform(half=fault is Fault.PARTIAL)
        if fault is Fault.KILLED_AFTER:
            raise Killed
        if fault in (Fault.LOST, Fault.UNHEARD):
            self._pause(5 * SECOND)
            raise ReadTimeoutError(endpoint_url="simulated")
        self._pause(self.world.latency())
        return self._answer(answer)

    def go_straight(self) -> cloud.Answer:
        """Go to AWS and back, with nothing happening on the way."""
        self._pause(self.world.latency())
        self.world.before_effect(self)
        answer = self._perform()
        self._pause(self.world.latency())
        return answer

    def strike(self) -> Fault | None:
        """Return what happens to this try: a new call may be struck, a repetition meets what the first met."""
        body = self.request.body if isinstance(self.request.body, bytes) else b""
        call = (f"{self.service}.{self.operation}", body)
        before = self.invocation.fault if self.invocation.call == call else None
        fault = before if before in AGAIN else self.world.strike(self)
        self.invocation.call, self.invocation.fault = call, fault
        return fault

    def _perform(self, *, half: bool = False) -> cloud.Answer:
        if half:
            halve(self.operation, self.request)
        answer = perform(self.world, self.service, self.operation, self.request, self.invocation)
        return add_rest(self.operation, self.request, answer) if half else answer

    def _pause(self, delay: int) -> None:
        left = self.invocation.kill_at - clock.micros
        assert self.invocation.task is not None
        if delay >= left:
            self.invocation.task.pause(max(left, 0))
            raise Killed
        self.invocation.task.pause(delay)

    def _answer(self, answer: cloud.Answer) -> AWSResponse:
        return cloud.to_response(self.request, answer)


def perform(world: "World", service: str, operation: str, request: Any, by: Invocation | None) -> cloud.Answer:
    """Have the service do it, and show the world what has changed."""
    answer = _refuse_schedule(request) if operation == "CreateSchedule" else None
    if operation == "SendEmail" and world.mailbox.closed:
        answer = refuse(service, operation, request, Fault.THROTTLED)
    if operation == "SendEmail" and world.mailbox.paused:
        answer = 400, {"x-amzn-errortype": "SendingPausedException"}, b'{"message": "Sending is paused."}'
    answer = answer or cloud.call(service, request)
    if operation == "Query" and b'"IndexName"' in _body(request):
        answer = world.index.show(json.loads(_body(request)), answer)
    body = _body(request)
    function = by.function if by else "-"
    world.note(f"{function} {by.number if by else 0} {service}.{operation} {crc32(body):08x} {answer[0]}")
    world.see(service, operation, body, answer, by)
    if operation == "PutObject" and answer[0] < HTTP_FAULT:
        world.see_file(request.url)
    return answer


def _refuse_schedule(request: Any) -> cloud.Answer | None:
    """Refuse what AWS refuses and MiniStack does not: names, and instants that have passed."""
    asked = cloud.parse(_body(request))
    name = request.url.rpartition("/")[2]
    past = read_at(asked["ScheduleExpression"], asked["ScheduleExpressionTimezone"]) < clock.micros
    if past or not NAME.fullmatch(name):
        told = {"__type": "ValidationException", "Message": "Invalid schedule expression or name"}
        return 400, {"x-amzn-errortype": "ValidationException"}, json.dumps(told).encode()
    return None


def refuse(service: str, operation: str, request: Any, fault: Fault) -> cloud.Answer:
    """Return how a service says that it could not, by a fault of its own or because of too many calls."""
    if fault is Fault.CONFLICT:
        return _conflict(operation, request)
    if fault is Fault.REJECTED:
        told = json.dumps({"message": "Email address is not verified."}).encode()
        return 400, {"x-amzn-errortype": "MessageRejected"}, told
    if service in ("sns", "s3"):
        status, code = (500, "InternalError") if fault is Fault.FAILED else (503, "SlowDown")
        code = "Throttling" if service == "sns" and status == 503 else code
        inner = f"<Error><Code>{code}</Code><Message>-</Message></Error>"
        text = f"<ErrorResponse>{inner}</ErrorResponse>" if service == "sns" else inner
        return status if service == "s3" or status == 500 else 400, {}, text.encode()
    status, code = _CODES[service, fault]
    return status, {"x-amzn-errortype": code}, json.dumps({"__type": code, "message": "-"}).encode()


_CODES = {
    ("dynamodb", Fault.FAILED): (500, "InternalServerError"),
    ("dynamodb", Fault.THROTTLED): (400, "ProvisionedThroughputExceededException"),
    ("sqs", Fault.FAILED): (500, "InternalFailure"),
    ("sqs", Fault.THROTTLED): (403, "RequestThrottled"),
    ("scheduler", Fault.FAILED): (500, "InternalServerException"),
    ("scheduler", Fault.THROTTLED): (429, "ThrottlingException"),
    ("secrets-manager", Fault.FAILED): (500, "InternalServiceError"),
    ("secrets-manager", Fault.THROTTLED): (400, "ThrottlingException"),
    ("sesv2", Fault.FAILED): (500, "InternalServiceErrorException"),
    ("sesv2", Fault.THROTTLED): (429, "TooManyRequestsException"),
}


def _conflict(operation: str, request: Any) -> cloud.Answer:
    if operation != "TransactWriteItems":
        told: dict[str, Any] = {"__type": "TransactionConflictException", "message": "-"}
        return 400, {}, json.dumps(told).encode()
    items = json.loads(_body(request))["TransactItems"]
    reasons = [{"Code": "TransactionConflict", "Message": "-"}, *({"Code": "None"} for _ in items[1:])]
    told = {"__type": "TransactionCanceledException", "Message": "conflict", "CancellationReasons": reasons}
    return 400, {}, json.dumps(told).encode()


def halve(operation: str, request: Any) -> None:
    """Have a batch hold its first half alone; the rest is kept beside it."""
    asked = json.loads(_body(request))
    if operation == "SendMessageBatch":
        asked["Entries"], request.rest = asked["Entries"][: len(asked["Entries"]) // 2], asked["Entries"]
        request.rest = request.rest[len(asked["Entries"]) :]
    else:
        ((table, writes),) = asked["RequestItems"].items()
        request.rest = {table: writes[len(writes) // 2 or 1 :]}
        asked["RequestItems"] = {table: writes[: len(writes) // 2 or 1]}
    request.body = json.dumps(asked).encode()


def add_rest(operation: str, request: Any, answer: cloud.Answer) -> cloud.Answer:
    """Return the answer that also says what was not taken."""
    status, headers, content = answer
    told = cloud.parse(content)
    if operation == "SendMessageBatch":
        failed = [{"Id": it["Id"], "Code": "InternalError", "SenderFault": False} for it in request.rest]
        if "Successful" not in told:  # an empty batch is refused, and is what half of one is
            status, told = 200, {"Successful": []}
        told["Failed"] = failed
    elif request.rest and any(request.rest.values()):
        told["UnprocessedItems"] = request.rest
    headers.pop("x-amz-crc32", None)
    return status, headers, json.dumps(told).encode()


def _body(request: Any) -> bytes:
    body = request.body
    return body if isinstance(body, bytes) else (body or "").encode() if isinstance(body, str) else b""


def name_site(operation: str, body: bytes) -> str:
    """Return where in the code a call is made: our functions that lead to it, and what it asks of which table."""
    frame, found = sys._getframe(2), []
    while frame is not None:
        file = frame.f_code.co_filename
        if "/functions/" in file or "/cartwake/cartwake/" in file:
            found.append(f"{file.rpartition('/')[2]}:{frame.f_code.co_name}")
        frame = frame.f_back
    tables = sorted(set(re.findall(rb'"TableName": ?"(\w+)"', body)))
    return " < ".join([f"{operation}({','.join(it.decode() for it in tables)})", *found[:8]])
