"""The deployed stack is whole: functions, routes, roles."""

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


@pytest.mark.parametrize(
    "function", ["derive_segments", "enter_journeys", "run_step", "send_message", "track_delivery", "publish_rules"]
)
def test_a_function_starts_with_what_the_layer_brings(deployed: World, function: str) -> None:
    """Every function that is started by records starts from the layer alone, and takes an empty batch."""
    deployed.invoke(function, {"Records": []})


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
