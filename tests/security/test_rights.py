"""Rights: each function may do what it does in a shop's life, and nothing else."""

import re
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest
import shoppers
from rights import Right, covers, find_ungranted, list_granted, list_lambdas_own, read_call, recording

from cartwake import live
from cartwake.gateways import secrets
from tests.security.acts import ACTS, open_front
from tests.security.life import live_once
from tests.template.stack import Function, list_functions

FUNCTIONS: Final = list_functions()

each_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)


@pytest.fixture(scope="module")
def used(started: None) -> set[Right]:
    """What functions did in a shopper's life and in each act.

    None of them finds what another one has read: on AWS each has a process of its own.
    """
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, module in list(sys.modules.items()):
            if re.fullmatch(r"functions\.\w+\.app", name):
                monkeypatch.setattr(module, "handler", partial(begin_cold, module.handler))
        queues = {name: partial(begin_cold, handler) for name, handler in shoppers._QUEUES.items()}
        monkeypatch.setattr(shoppers, "_QUEUES", queues)
        with recording() as used:
            with live_once():
                pass
            for act in ACTS:
                with open_front() as front:
                    act(front)
    return used


def begin_cold(handler: Callable[..., Any], *arguments: Any) -> Any:
    live.forget()
    secrets._secret.cache_clear()
    return handler(*arguments)


def test_nothing_is_used_that_is_not_granted(used: set[Right]) -> None:
    """Whatever a function asks of AWS, on whichever table, index, queue or object, a statement of its role names.

    The tests of functions and flows are held to the same, each by itself: see their conftest.py.
    """
    assert {right.function for right in used} == {function.name for function in FUNCTIONS}
    assert find_ungranted(used) == []


@each_function
def test_nothing_is_granted_that_nothing_uses(used: set[Right], function: Function) -> None:
    """Each action on each resource that a role names is used in a life or an act, or is what Lambda does in it."""
    granted = set(list_granted(function)) - list_lambdas_own(function)
    assert sorted(str(right) for right in granted if not any(covers(right, each) for each in used)) == []


@each_function
def test_lambda_has_what_it_needs(function: Function) -> None:
    """The role lets Lambda write the log, read what starts the function, and record what it gave up."""
    assert list_lambdas_own(function) <= set(list_granted(function))


def test_calls_are_read_as_aws_reads_them() -> None:
    """A transaction asks for each of its actions, an index is a resource of its own, a batch is its single action."""
    writes = [{"Put": {"TableName": "runs"}}, {"ConditionCheck": {"TableName": "profiles"}}]
    assert list(read_call("dynamodb", "TransactWriteItems", {"TransactItems": writes})) == [
        ("dynamodb:PutItem", "RunsTable"),
        ("dynamodb:ConditionCheckItem", "ProfilesTable"),
    ]
    assert list(read_call("dynamodb", "Query", {"TableName": "runs", "IndexName": "due"})) == [
        ("dynamodb:Query", "RunsTable/index/due")
    ]
    assert list(read_call("sqs", "SendMessageBatch", {"QueueUrl": "https://x/steps"})) == [
        ("sqs:SendMessage", "StepsQueue")
    ]


def test_a_grant_covers_what_it_names_and_no_more() -> None:
    """A wildcard at the end of an object's name covers what begins so; a table does not cover its index."""
    bundles = Right("wake", "s3:GetObject", "RulesBucket/bundles/*")
    assert covers(bundles, Right("wake", "s3:GetObject", "RulesBucket/bundles/abc.json"))
    assert not covers(bundles, Right("wake", "s3:GetObject", "RulesBucket/settings.json"))
    assert not covers(bundles, Right("wake", "s3:PutObject", "RulesBucket/bundles/abc.json"))
    assert not covers(bundles, Right("run_step", "s3:GetObject", "RulesBucket/bundles/abc.json"))
    table = Right("wake", "dynamodb:Query", "RunsTable")
    assert not covers(table, Right("wake", "dynamodb:Query", "RunsTable/index/due"))
