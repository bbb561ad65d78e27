"""The deployed stack, every role's rights enforced: requests over HTTP, and each role against what it was not given."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import schemathesis
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, given, seed, settings
from rights import Right, covers, list_granted
from schemathesis import GenerationMode

from cartwake_cli.cloud import Cloud
from cartwake_cli.local import places
from cartwake_cli.local.world import World, open_world
from tests.security.api import describe
from tests.security.budget import REQUESTS
from tests.security.test_api import OPERATIONS
from tests.template.stack import Function, list_functions

FUNCTIONS = list_functions()

pytestmark = [pytest.mark.prove, pytest.mark.slow]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A stack of its own: what is sent to it is of no use to anybody."""
    with open_world(auth=True, parameters={"ScheduleAfterSeconds": "2"}) as world:
        world.publish(places.STARTER)
        yield world


def test_generated_requests_over_http(world: World) -> None:
    """Two thousand requests, allowed and forbidden, through the gateway, the engine and the layer: none gets a 5xx."""
    statuses: Counter[tuple[bool, int]] = Counter()
    operations = [each for each in OPERATIONS if each[1] != "options"]
    share = -(-REQUESTS // (2 * len(operations)))
    schema = schemathesis.openapi.from_dict(describe())
    for path, method in operations:
        for mode in GenerationMode:
            send(schema[path][method], world, mode=mode, share=share, statuses=statuses)
    print(dict(statuses))
    assert statuses.total() >= REQUESTS
    assert {status for _, status in statuses if status >= 500} == set()
    events = sum(count for (captured, _), count in statuses.items() if captured)
    # pages answer 404 to whoever has no token, so what gets through is counted where events come in
    assert statuses[True, 200] > events / 10
    assert statuses[True, 400] > events / 10
    assert world.scan("quarantine") == [row for row in world.scan("quarantine") if row["reason"] != "poison"]


def send(
    operation: Any, world: World, *, mode: GenerationMode, share: int, statuses: Counter[tuple[bool, int]]
) -> None:
    """Send so many requests to one operation, and count the answers: whether it captures events, and the status."""

    @settings(max_examples=share, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @seed(11)
    @given(case=operation.as_strategy(generation_mode=mode))
    def once(case: Any) -> None:
        captures = case.path.startswith("/v1/")
        if captures:
            case.headers["X-Write-Key"] = world.browser_key
        statuses[captures, case.call(base_url=world.url).status_code] += 1

    before = statuses.total()
    once()
    while statuses.total() - before < share:  # where there are not so many different ones, they are sent again
        once()


# ---- what a role was not given


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_no_role_may_do_more(world: World, function: Function) -> None:
    """In the role of each function every call that its statements do not name is refused, and each that they do is not.

    Tried are six actions on each table, reading and writing in each part of the bucket, the secret and a mail.
    """
    granted, role = list_granted(function), take_role(world, function)
    wrong = []
    for right, call in list_calls(world, role, function.name):
        allowed = any(covers(each, right) for each in granted)
        if is_refused(call) == allowed:
            wrong.append(f"{right} is {'granted and refused' if allowed else 'not granted and done'}")
    assert wrong == []


def take_role(world: World, function: Function) -> Cloud:
    """Return clients with the rights of a function."""
    name = world.stack.functions[function.name]
    role = world.cloud.client("lambda").get_function_configuration(FunctionName=name)["Role"]
    held = world.cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    keys = held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"]
    return Cloud(world.engine.url, world.cloud.region, *keys)


def is_refused(call: Any) -> bool:
    """Say whether a call is refused for want of a right; what else is wrong with it does not matter."""
    try:
        call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return code in ("AccessDenied", "AccessDeniedException", "AccessDeniedFault", "AuthorizationError")
    return False


def list_calls(world: World, role: Cloud, function: str) -> Iterator[tuple[Right, Any]]:
    """Yield calls that change nothing that matters, and the right that each needs."""
    for table, name in world.stack.tables.items():
        for action, call in list_table_calls(world, role, name):
            yield Right(function, f"dynamodb:{action}", f"{table.title()}Table"), call
    s3, bucket = role.client("s3"), world.stack.bucket
    for key in ("bundles/x.json", "_status/x.json", "schemas/x.json", "settings.json", "segments/vip.json"):
        probe = {"Bucket": bucket, "Key": f"{key}.probe"}
        yield Right(function, "s3:GetObject", f"RulesBucket/{key}"), partial(s3.get_object, Bucket=bucket, Key=key)
        yield Right(function, "s3:PutObject", f"RulesBucket/{key}.probe"), partial(s3.put_object, Body=b"{}", **probe)
        yield Right(function, "s3:DeleteObject", f"RulesBucket/{key}.probe"), partial(s3.delete_object, **probe)
    secret = partial(role.client("secretsmanager").get_secret_value, SecretId=world.stack.output("SecretArn"))
    yield Right(function, "secretsmanager:GetSecretValue", "Secret"), secret
    content = {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}}
    mail = {"FromEmailAddress": "shop@example.com", "Destination": {"ToAddresses": ["nobody@example.com"]}}
    send = partial(role.client("sesv2").send_email, Content=content, **mail)
    yield Right(function, "ses:SendEmail", "identity/SenderIdentity"), send


def list_table_calls(world: World, role: Cloud, name: str) -> Iterator[tuple[str, Any]]:
    """Yield calls on a table of a row that is not there, under a condition that does not hold where they write."""
    keys = world.cloud.client("dynamodb").describe_table(TableName=name)["Table"]["KeySchema"]
    row = {key["AttributeName"]: {"S": "probe"} for key in keys}
    client, never = role.client("dynamodb"), {"ConditionExpression": "attribute_exists(never)"}
    condition = {"KeyConditionExpression": "#k = :k", "ExpressionAttributeNames": {"#k": keys[0]["AttributeName"]}}
    yield "GetItem", partial(client.get_item, TableName=name, Key=row)
    yield "PutItem", partial(client.put_item, TableName=name, Item=row, **never)
    yield "UpdateItem", partial(client.update_item, TableName=name, Key=row, UpdateExpression="REMOVE x", **never)
    yield "DeleteItem", partial(client.delete_item, TableName=name, Key=row, **never)
    yield "Scan", partial(client.scan, TableName=name, Limit=1)
    yield "Query", partial(client.query, TableName=name, ExpressionAttributeValues={":k": {"S": "probe"}}, **condition)
