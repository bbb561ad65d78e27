"""The deployed stack is whole: functions, routes, roles."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cartwake_cli.cloud import Cloud
from cartwake_cli.local import places
from cartwake_cli.local.world import World


def test_every_folder_is_a_deployed_function(deployed: World) -> None:
    """Each folder under functions/ is a function of the stack, and the stack has no other."""
    folders = {path.parent.name for path in (places.ROOT / "functions").glob("*/app.py")}
    assert set(deployed.stack.functions) == folders


def test_every_route_of_the_template_is_served(deployed: World) -> None:
    """The API has the routes that storefronts and mail clients call."""
    assert deployed.gateway.target is not None
    api = deployed.gateway.target.api
    served = {
        route["RouteKey"] for route in deployed.cloud.client("apigatewayv2").get_routes(ApiId=api.api_id)["Items"]
    }
    wanted = {"POST /v1/{kind}", "OPTIONS /v1/{kind}", "GET /unsubscribe/{token}", "POST /unsubscribe/{token}"}
    assert wanted <= served


def make_queued(**body: str) -> dict[str, Any]:
    return {"Records": [{"eventSource": "aws:sqs", "messageId": "1", "body": json.dumps(body)}]}


@pytest.mark.parametrize(
    ("function", "event"),
    [
        ("derive_segments", make_queued(who="u#nobody")),
        ("wake", {}),
        ("enter_journeys", {"Records": []}),
        ("run_step", {"who": "u#nobody", "run": "none", "seq": 1}),
        ("run_step", make_queued(who="u#nobody", run="none")),
        ("send_message", make_queued(who="u#nobody", message="none")),
        ("track_delivery", {"Records": []}),
        ("publish_rules", {"Records": []}),
        ("sweep_profiles", make_queued(sweep="trial", part="0")),
    ],
)
def test_a_function_runs_from_the_layer_with_its_role(stack: World, function: str, event: dict[str, Any]) -> None:
    """Each function finds all it imports in the layer, may read what it needs, and has nothing to do for nobody."""
    answer = stack.invoke(function, event)
    assert not (answer or {}).get("batchItemFailures")
    assert stack.scan("quarantine") == []


def test_renewed_functions_start_cold(stack: World) -> None:
    """Once rules are published, tests go by them at once: no process lives on that keeps the ones before."""
    stack.invoke("wake", {})
    stack.renew_functions()
    stack.invoke("wake", {})
    told = [json.loads(line) for line in stack.logs("wake").splitlines() if '"woken"' in line]
    assert told[-1]["cold_start"] is True


def test_a_preflight_reaches_the_function(deployed: World) -> None:
    """A browser's OPTIONS is answered by the function, which allows the origin."""
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    answer = deployed.request("OPTIONS", "/v1/batch", headers=asked)
    allowed = {name.lower() for name in answer.headers}
    assert answer.status in {200, 204}
    assert "access-control-allow-origin" in allowed


def test_a_role_may_not_do_what_it_was_not_given(deployed: World) -> None:
    """The engine enforces roles: capture_events' role cannot read what it writes."""
    configuration = deployed.cloud.client("lambda").get_function_configuration(
        FunctionName=deployed.stack.functions["capture_events"]
    )
    session = deployed.cloud.client("sts").assume_role(RoleArn=configuration["Role"], RoleSessionName="test")
    held = session["Credentials"]
    capture = Cloud(
        deployed.engine.url, deployed.cloud.region, held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"]
    )
    with pytest.raises(ClientError, match="not authorized"):
        capture.client("dynamodb").scan(TableName=deployed.stack.tables["events"])
