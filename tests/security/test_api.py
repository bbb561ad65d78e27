"""The HTTP API: described as it is, and answering whatever is sent as it is described, never with a fault of ours."""

import re
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cartwake.bundles import Shop, Topic
from cartwake.capture.bodies import MOST_BYTES, MOST_EVENTS, MOST_SENT_BYTES
from cartwake.capture.identifiers import LONGEST_ID_BYTES
from cartwake.capture.intake import KINDS, LONGEST_NAME
from cartwake.capture.requests import STATUSES
from cartwake.choices import Choices
from cartwake.gateways.secrets import link_secrets
from cartwake.links import Unsubscribe, unsubscribe_url
from cartwake.preference_page import Picture, render_preferences
from cartwake.reasons import Refusal
from cartwake.statements import OF_SHOPPERS, Channel
from cartwake.times import DAY
from cartwake.tokens import LONGEST_TOKEN
from tests.security.api import Api, describe, list_routes
from tests.security.budget import cases
from tests.security.front import BROWSER, Front, scan

LINK = Unsubscribe("u#ewa", "m2k4x7w5q3vztjhy6bnsad4e2i", "email#" + "0f" * 20, Channel.EMAIL)
UNHURRIED = list(HealthCheck)
NOT_OF_REQUESTS = {Refusal.TOO_MANY_MERGES, Refusal.LINK_USED, Refusal.ERASED, Refusal.POISON}
OPERATIONS = [
    (path, method)
    for path, operations in describe()["paths"].items()
    for method in operations
    if method in ("get", "post", "put", "patch", "delete", "head", "options")
]


# ---- the description is the API


def test_every_route_is_described_and_nothing_else() -> None:
    """Each route of the template has an operation, and each operation a route that would answer it."""
    matched = set()
    for path, method in OPERATIONS:
        routes = [route for route in list_routes() if route.match(method.upper(), path) is not None]
        assert len(routes) == 1, (method, path)
        matched.add(routes[0])
    assert matched == set(list_routes())


def test_the_kinds_are_the_ones_that_are_accepted() -> None:
    """Each kind of call has its path."""
    paths = {path.removeprefix("/v1/") for path, _ in OPERATIONS if path.startswith("/v1/")}
    assert paths == set(KINDS.values())


def test_every_code_is_described() -> None:
    """The codes of the description are those with which the code refuses, and the one for another try."""
    told = set(describe()["components"]["schemas"]["Fault"]["properties"]["code"]["enum"])
    assert told == {str(code) for code in Refusal if code not in NOT_OF_REQUESTS} | {"try_again"}
    assert {str(status) for status in STATUSES.values()} - {"404"} <= set(
        describe()["paths"]["/v1/track"]["post"]["responses"]
    )


def test_the_limits_are_the_ones_in_the_code() -> None:
    """Lengths and numbers in the description are those that the code enforces."""
    schemas = describe()["components"]["schemas"]
    assert schemas["Track"]["allOf"][1]["properties"]["event"]["maxLength"] == LONGEST_NAME
    assert schemas["Id"]["oneOf"][0]["maxLength"] == LONGEST_ID_BYTES
    assert schemas["Batch"]["properties"]["batch"]["maxItems"] == MOST_EVENTS
    token = describe()["paths"]["/unsubscribe/{token}"]["parameters"][0]["schema"]
    assert token["maxLength"] == LONGEST_TOKEN
    too_large = describe()["components"]["responses"]["TooLarge"]["description"]
    sent, inflated = MOST_SENT_BYTES // 1024**2, MOST_BYTES // 1024**2
    assert too_large == f"More than {sent} MB, {inflated} MB inflated, or {MOST_EVENTS:,} events."


def test_the_form_of_the_page_is_the_one_that_is_described() -> None:
    """Each field of the preference centre is described, with the values that it may have, and no other."""
    every = Picture(
        channels=dict.fromkeys(OF_SHOPPERS, ("a…@example.com", True)),
        topics={"sale": Topic(name="Sale")},
        choices=Choices(paused_until=2 * DAY),
        tracking="always",
        now=DAY,
    )
    page = render_preferences(every, Shop(name="Kicks")).html
    shown = "".join(re.findall(r"<form.*?</form>", page, re.DOTALL))
    body = describe()["paths"]["/preferences/{token}"]["post"]["requestBody"]["content"]
    fields = body["application/x-www-form-urlencoded"]["schema"]["properties"]
    assert set(re.findall(r'\bname="(\w+)"', shown)) == set(fields)
    for name, field in fields.items():
        permitted = field.get("enum") or ([field["const"]] if "const" in field else None)
        if permitted is not None and name != "language":
            assert set(re.findall(rf'name="{name}" value="([^"]*)"', shown)) == set(permitted), name
    assert re.findall(r'<option value="(\w+)"', shown) == fields["language"]["enum"]


# ---- what is sent is answered as described


CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def load(api: Api | None = None) -> Any:
    schema = schemathesis.openapi.from_dict(describe())
    schema.app = api
    return schema


@pytest.fixture
def api(front: Front) -> Api:
    return Api()


@pytest.fixture
def token(front: Front) -> str:
    return unsubscribe_url("https://x", LINK, link_secrets()).rpartition("/")[2]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), [each for each in OPERATIONS if each[1] != "options"])
def test_generated_requests(api: Api, token: str, path: str, method: str, mode: GenerationMode) -> None:
    """Requests that the description allows, and others, get an answer that it describes, below 500."""
    operation, statuses = load(api)[path][method], Counter[int]()

    @settings(max_examples=cases(12, 1_200), database=None, phases=[Phase.generate], suppress_health_check=UNHURRIED)
    @seed(7)
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        direct(case, token, number=len(api.answers))
        response = case.call()
        case.validate_response(response, checks=CHECKS)
        check_headers(api.answers[-1])
        statuses[response.status_code] += 1
        if method == "get":
            assert scan("events") == scan("addresses") == []

    send()
    # what is allowed is not always refused, and what is forbidden not always accepted
    assert statuses.keys() != ({200} if mode is GenerationMode.NEGATIVE and path != "/v1/batch" else {400})
    print(path, method, mode.value, dict(statuses))


def direct(case: Any, token: str, *, number: int) -> None:
    """Give a request a key that is known, or a link that was signed; of links only every other one."""
    if case.path.startswith("/v1/"):
        case.headers["X-Write-Key"] = BROWSER
    elif number % 2:
        case.path_parameters["token"] = token


def check_headers(answer: dict[str, Any]) -> None:
    """Whatever was sent, a header of an answer is one line of printable ASCII."""
    for name, value in answer["headers"].items():
        assert re.fullmatch(r"[ -~]*", f"{name}: {value}"), name
