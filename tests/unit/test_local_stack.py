"""What a deploy made, read from its outputs."""

import pytest

from cartwake_cli.faults import Fault
from cartwake_cli.stack import Stack

OUTPUTS = {
    "ApiUrl": "https://a1.execute-api.eu-central-1.amazonaws.com/",
    "BucketName": "shop-rules-1",
    "EventsTable": "shop-EventsTable-X",
    "DeadLettersQueue": "https://sqs/dead",
    "RunStepFunction": "shop-run-step",
}


def test_outputs_are_found_by_plain_names() -> None:
    """An output's ending says what it is, and the rest, in small letters, what it is called."""
    stack = Stack.from_outputs("shop", OUTPUTS)
    assert stack.tables == {"events": "shop-EventsTable-X"}
    assert stack.queues == {"dead_letters": "https://sqs/dead"}
    assert stack.functions == {"run_step": "shop-run-step"}
    assert stack.api_url == "https://a1.execute-api.eu-central-1.amazonaws.com"


def test_a_stack_without_an_output_is_named() -> None:
    """A stack that is not Cartwake's is refused with its name and what it lacks."""
    with pytest.raises(Fault, match="shop has no output FeedbackTopicArn"):
        _ = Stack.from_outputs("shop", OUTPUTS).feedback_topic
