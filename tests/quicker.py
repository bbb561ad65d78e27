"""Quicker: the SDK and moto with less of what no test looks at; what they do and answer is the same."""

from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import moto.core.responses
from botocore import signers, useragent
from botocore.regions import EndpointRulesetResolver
from moto.core.models import botocore_stubber
from moto.core.serialize import AttributePicker

VALUES = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"})
"""What the one key of a value of DynamoDB is called."""


@cache
def install() -> None:
    """Half the time of a call: for headers nobody reads, an address that is known, names that nothing has."""
    useragent.UserAgentString.to_string = lambda _: "test"  # type: ignore[method-assign]
    moto.core.responses.method_names_from_class = cache(moto.core.responses.method_names_from_class)
    moto.core.responses.gen_amzn_requestid_long = _name_request
    _sign_nothing_for_moto()
    _remember_endpoints()
    _pick_values_at_once()


def _sign_nothing_for_moto() -> None:
    """Have requests to moto's DynamoDB go unsigned: it looks at no signature; other services and the engine do."""
    sign: Any = signers.RequestSigner.sign

    def sign_for_others(self: Any, *args: Any, **options: Any) -> None:
        if not botocore_stubber.enabled or self.signing_name != "dynamodb":
            sign(self, *args, **options)

    signers.RequestSigner.sign = sign_for_others  # type: ignore[method-assign]


def _name_request(headers: dict[str, str]) -> str:
    """Give a request an id, always the same, and nothing drawn for it."""
    headers["x-amzn-requestid"] = "REQUEST"
    return "REQUEST"


def _remember_endpoints() -> None:
    """Have the SDK work out once for each client where DynamoDB and SQS are, and not for each call."""
    find: Any = EndpointRulesetResolver.construct_endpoint
    known: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()

    def construct(self: Any, operation_model: Any, call_args: Any, request_context: Any) -> Any:
        if operation_model.service_model.service_name not in ("dynamodb", "sqs"):
            return find(self, operation_model, call_args, request_context)
        of_client = known.setdefault(self, {})
        if operation_model.name not in of_client:
            of_client[operation_model.name] = find(self, operation_model, call_args, request_context)
        return of_client[operation_model.name]

    EndpointRulesetResolver.construct_endpoint = construct


def _pick_values_at_once() -> None:
    """Have moto not look for each type of value under six other names."""
    pick: Any = AttributePicker.__call__

    def pick_at_once(self: Any, context: Any) -> Any:
        value = context.obj
        if type(value) is dict and len(value) == 1 and not VALUES.isdisjoint(value):
            return value.get(context.key)
        return pick(self, context)

    AttributePicker.__call__ = pick_at_once  # type: ignore[method-assign]
