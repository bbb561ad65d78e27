"""Rights: what each function asks of AWS, and what the template grants it."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import FrameType
from typing import Any, Final

import pytest
from botocore.client import BaseClient

from tests.template.stack import Function, find_references, list_functions, list_of

FUNCTION: Final = re.compile(r"/functions/(\w+)/app\.py$")
BATCHES: Final = {"BatchGetItem": "dynamodb:BatchGetItem", "BatchWriteItem": "dynamodb:BatchWriteItem"}
WRITES: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
NAMES: Final = {"SendMessageBatch": "SendMessage", "ListObjectsV2": "ListBucket", "HeadObject": "GetObject"} | {
    "ListObjectVersions": "ListBucketVersions"
}


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """An action on a resource, named by its logical id: `ProfilesTable/index/wake`, `RulesBucket/bundles/x`."""

    function: str
    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.action} {self.resource}"


@contextmanager
def recording() -> Iterator[set[Right]]:
    """Note what functions ask of AWS meanwhile, answered or not."""
    used: set[Right] = set()
    plain = BaseClient._make_api_call

    def call(client: BaseClient, name: str, asked: dict[str, Any]) -> Any:
        function = find_function(sys._getframe(1))
        if function:
            used.update(Right(function, *it) for it in read_call(client.meta.service_model.service_name, name, asked))
        return plain(client, name, asked)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", call)
        yield used


def find_function(frame: FrameType | None) -> str:
    """Return the folder of the function that runs in a stack, or "" when a test itself calls, from within or not."""
    while frame is not None and "/tests/" not in frame.f_code.co_filename:
        found = FUNCTION.search(frame.f_code.co_filename)
        if found and frame.f_code.co_name == "handler":
            return found[1]
        frame = frame.f_back
    return ""


def read_call(service: str, name: str, asked: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the actions that AWS asks for before it answers a call, and on what."""
    match service:
        case "dynamodb":
            yield from _read_dynamodb(name, asked)
        case "s3":
            resource = f"RulesBucket/{asked['Key']}" if "Key" in asked else "RulesBucket"
            version = "Version" if "VersionId" in asked else ""
            yield f"s3:{NAMES.get(name, name)}{version}", resource
        case "sqs":
            queue = asked["QueueUrl"].rpartition("/")[2]
            yield f"sqs:{NAMES.get(name, name)}", f"{queue.title()}Queue"
        case "scheduler":
            yield f"scheduler:{name}", f"schedule/StepSchedules/{asked['Name']}"
            yield "iam:PassRole", "StepSchedulesRole"
        case "secretsmanager":
            yield f"secretsmanager:{name}", "Secret"
        case "sesv2":
            yield f"ses:{name}", "identity/SenderIdentity"
            yield f"ses:{name}", "configuration-set/ConfigurationSet"
        case "sns":
            yield f"sns:{name}", _name_push(asked)
        case _:
            yield f"{service}:{name}", "?"


def _name_push(asked: dict[str, Any]) -> str:
    """Name an application or an endpoint of one by the parameter that names it; what has neither is a number."""
    arn = asked.get("PlatformApplicationArn") or asked.get("TargetArn") or asked.get("EndpointArn") or ""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    service, *more = rest.split("/")
    parameter = "PushAndroid" if service == "GCM" else "PushApple"
    return "/".join((kind, parameter, *more[1:])) if kind else "phone"


def _read_dynamodb(name: str, asked: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if name == "TransactWriteItems":
        for item in asked["TransactItems"]:
            ((kind, write),) = item.items()
            yield f"dynamodb:{WRITES[kind]}", _name_table(write["TableName"])
    elif name in BATCHES:
        for table in asked["RequestItems"]:
            yield BATCHES[name], _name_table(table)
    else:
        index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
        yield f"dynamodb:{name}", _name_table(asked["TableName"]) + index


def _name_table(name: str) -> str:
    return f"{name.title()}Table"


def find_ungranted(used: set[Right]) -> list[str]:
    """Find what was asked for and no statement of the function's role names."""
    granted = [right for function in list_functions() for right in list_granted(function)]
    return sorted(f"{it.function}: {it}" for it in used if not any(covers(each, it) for each in granted))


def list_granted(function: Function) -> list[Right]:
    """List what the template grants a function, each action on each resource by itself."""
    return [
        Right(function.name, action, name_resource(resource))
        for statement in function.statements
        if statement["Effect"] == "Allow"
        for action in list_of(statement["Action"])
        for resource in list_of(statement["Resource"])
        if not is_optional(resource)
    ]


def is_optional(resource: Any) -> bool:
    """Say whether a resource is named only where a parameter asks for it."""
    return "Fn::If" in resource and resource["Fn::If"][2] == {"Ref": "AWS::NoValue"}


def name_resource(resource: Any) -> str:
    """Name the resource of a statement by its logical id and what follows that; `*` for anything."""
    if resource == "*":
        return "phone"
    if "Fn::Sub" not in resource:
        (name,) = find_references(resource)
        return name
    text = resource["Fn::Sub"].replace(
        "arn:${AWS::Partition}:s3:::${AWS::StackName}-rules-${AWS::AccountId}", "RulesBucket"
    )
    text = re.sub(r"^arn:\$\{AWS::Partition\}:\w+:\$\{AWS::Region\}:\$\{AWS::AccountId\}:", "", text)
    return re.sub(r"\$\{(\w+)(?:\.\w+)?\}", r"\1", text)


def covers(granted: Right, used: Right) -> bool:
    """Say whether what is granted permits what is used."""
    return (granted.function, granted.action) == (used.function, used.action) and fnmatchcase(
        used.resource, granted.resource
    )


def list_lambdas_own(function: Function) -> set[Right]:
    """List what Lambda itself does in the function's role: write its log, read what starts it, record what failed."""
    found = {(action, f"{function.logical_id}Logs") for action in ("logs:CreateLogStream", "logs:PutLogEvents")}
    for event in function.events:
        told = event["Properties"]
        if "Stream" in told:
            (table,) = find_references(told["Stream"])
            actions = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
            found |= {(f"dynamodb:{action}", f"{table}/stream/*") for action in actions}
        if "Queue" in told:
            (queue,) = find_references(told["Queue"])
            actions = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
            found |= {(f"sqs:{action}", queue) for action in actions}
    if "FailuresQueue" in find_references([function.properties.get("EventInvokeConfig"), function.events]):
        found.add(("sqs:SendMessage", "FailuresQueue"))
    return {Right(function.name, *each) for each in found}
