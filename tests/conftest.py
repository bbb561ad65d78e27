"""Fixtures of all tests: the environment is set before anything of Cartwake is imported."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings

# a machine that is busy with something else breaks no law
settings.register_profile("usual", max_examples=200, deadline=None)
settings.register_profile("prove", max_examples=10_000, deadline=None)
# a thousand times over, in mutants of the code: few cases, always the same
settings.register_profile(
    "mutate", max_examples=30, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("usual")

_TABLES = (
    "EVENTS",
    "PROFILES",
    "RUNS",
    "SLOTS",
    "MESSAGES",
    "ADDRESSES",
    "COUNTS",
    "IDENTITIES",
    "BUNDLES",
    "KEYS",
    "QUARANTINE",
    "NAMES",
    "SWEEPS",
    "COUPONS",
    "CONSENTS",
    "PARTICIPANTS",
)
_ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    **{f"{name}_TABLE": name.lower() for name in _TABLES},
    "BUCKET": "rules-bucket",
    "STEPS_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/steps",
    "MESSAGES_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/messages",
    "WEBHOOKS_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/webhooks",
    "WAKES_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/wakes",
    "FEEDBACK_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/feedback",
    "SWEEPS_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/sweeps",
    "ERASURES_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/erasures",
    "EXPORTS_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/exports",
    "SWEEP_AFTER_SECONDS": "0",
    "SCHEDULE_GROUP": "cartwake",
    "SCHEDULE_ROLE_ARN": "arn:aws:iam::123456789012:role/schedule",
    "RUN_STEP_ARN": "arn:aws:lambda:eu-central-1:123456789012:function:run-step",
    "SCHEDULE_DEAD_LETTER_ARN": "arn:aws:sqs:eu-central-1:123456789012:failures",
    "SCHEDULE_AFTER_SECONDS": "120",
    "SECRET_ARN": "cartwake-secret",
    "CONFIGURATION_SET": "cartwake",
    "PUSH_APPLE": "arn:aws:sns:eu-central-1:123456789012:app/APNS/shop",
    "PUSH_ANDROID": "arn:aws:sns:eu-central-1:123456789012:app/GCM/shop",
    "PUBLIC_URL": "https://shop.example.com/c",
    "POWERTOOLS_SERVICE_NAME": "test",
    "POWERTOOLS_METRICS_NAMESPACE": "Cartwake",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}
os.environ.update({name: value for name, value in _ENVIRONMENT.items() if name not in os.environ or "AWS" in name})
sys.path[:0] = [str(Path(__file__).parent)]


@pytest.fixture
def now() -> int:
    """An instant: 2026-11-21T12:00:00Z."""
    return 1_795_262_400_000


@pytest.fixture
def tables() -> Iterator[None]:
    """Every table, empty, in moto; plus the bucket, the queues, the schedule group and the secret."""
    from world import aws

    with aws():
        yield
