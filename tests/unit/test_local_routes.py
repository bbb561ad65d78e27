"""The routes that are added to the local API."""

from typing import Any

import pytest

from cartwake_cli.faults import Fault
from cartwake_cli.local.routes import Route, find_routes


def make_operation(function: str) -> dict[str, Any]:
    uri = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${%s.Arn}/invocations"
    return {"x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": {"Fn::Sub": uri % function}}}


def make_template(paths: dict[str, Any]) -> dict[str, Any]:
    return {
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": {"paths": paths}}},
        }
    }


def test_every_operation_of_the_body_is_a_route() -> None:
    """Each method of each path becomes a route to its function; what is not a method is passed over."""
    paths = {
        "/v1/{kind}": {"post": make_operation("Capture"), "options": make_operation("Capture"), "parameters": []},
        "/any": {"x-amazon-apigateway-any-method": make_operation("Page")},
    }
    logical, routes = find_routes(make_template(paths))
    assert logical == "Api"
    assert [route.key for route in routes] == ["POST /v1/{kind}", "OPTIONS /v1/{kind}", "ANY /any"]
    assert [route.function for route in routes] == ["Capture", "Capture", "Page"]


def test_a_template_without_an_api_is_refused() -> None:
    """A template whose API has no body has no routes to add, and that is said."""
    with pytest.raises(Fault, match="no HTTP API"):
        find_routes({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}})


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("POST", "/v1/track", {"kind": "track"}),
        ("GET", "/v1/track", None),
        ("POST", "/v1/", None),
        ("POST", "/v1/a/b", None),
        ("POST", "/v1", None),
    ],
)
def test_a_path_parameter_is_one_segment(method: str, path: str, found: dict[str, str] | None) -> None:
    """A parameter stands for exactly one segment, of the route's own method."""
    assert Route("POST", "/v1/{kind}", "Capture").match(method, path) == found


def test_a_dot_in_a_path_is_a_dot() -> None:
    """The letters of a path mean themselves."""
    assert Route("GET", "/a.js", "Page").match("GET", "/aXjs") is None
    assert Route("ANY", "/a.js", "Page").match("GET", "/a.js") == {}
