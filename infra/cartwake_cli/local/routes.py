"""The routes that the engine does not import from an API's body, added by the API's own calls."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cartwake_cli.cloud import Client, Cloud
from cartwake_cli.faults import Fault

METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "x-amazon-apigateway-any-method"}


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path of the API, and the logical name of the function that answers."""

    method: str
    path: str
    function: str

    @property
    def key(self) -> str:
        """The route key, as the API names it: `POST /v1/{kind}`."""
        return f"{self.method} {self.path}"

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Match a request; return its path parameters, or None."""
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        found = re.fullmatch(pattern, path) if self.method in (method, "ANY") else None
        return None if found is None else found.groupdict()


@dataclass(frozen=True, slots=True)
class Api:
    """The deployed HTTP API: its id, its routes, and the ARN of the function behind each."""

    api_id: str
    routes: tuple[Route, ...]
    functions: Mapping[str, str]


def add_routes(cloud: Cloud, stack: str) -> Api:
    """Read the routes from the deployed template and add those that the API does not have.

    Raises:
        Fault: the stack has no HTTP API with a body.
    """
    cloudformation = cloud.client("cloudformation")
    template = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    ids = _list_physical_ids(cloudformation, stack)
    logical, routes = find_routes(template)
    account = cloud.client("sts").get_caller_identity()["Account"]
    arns = {
        route.function: f"arn:aws:lambda:{cloud.region}:{account}:function:{ids[route.function]}" for route in routes
    }
    api = Api(ids[logical], routes, arns)
    _add_missing(cloud.client("apigatewayv2"), api)
    return api


def find_routes(template: Mapping[str, Any]) -> tuple[str, tuple[Route, ...]]:
    """Find the API of a processed template, and the routes in its body.

    Raises:
        Fault: it has none.
    """
    for logical, resource in template["Resources"].items():
        body = resource.get("Properties", {}).get("Body")
        if resource["Type"] == "AWS::ApiGatewayV2::Api" and body:
            return logical, tuple(_read_paths(body["paths"]))
    raise Fault("the deployed template has no HTTP API with routes")


def _read_paths(paths: Mapping[str, Any]) -> Iterator[Route]:
    for path, operations in paths.items():
        for method, operation in operations.items():
            if method in METHODS:
                uri = str(operation["x-amazon-apigateway-integration"]["uri"])
                function = re.search(r"\$\{(\w+)(?:\.Arn|\.Alias)?\}/invocations", uri)
                if function is None:
                    raise Fault(f"the route {method} {path} does not lead to a function: {uri}")
                yield Route("ANY" if method.startswith("x-") else method.upper(), path, function[1])


def _add_missing(gateway: Client, api: Api) -> None:
    present = {route["RouteKey"] for route in gateway.get_routes(ApiId=api.api_id)["Items"]}
    integrations: dict[str, str] = {}
    for route in api.routes:
        if route.key in present:
            continue
        if route.function not in integrations:
            integrations[route.function] = gateway.create_integration(
                ApiId=api.api_id,
                IntegrationType="AWS_PROXY",
                IntegrationUri=api.functions[route.function],
                PayloadFormatVersion="2.0",
            )["IntegrationId"]
        gateway.create_route(
            ApiId=api.api_id, RouteKey=route.key, Target=f"integrations/{integrations[route.function]}"
        )


def _list_physical_ids(cloudformation: Client, stack: str) -> dict[str, str]:
    resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
