"""The one logger and the one metrics collector, and the promise of what they may carry.

A log line is a fixed phrase with ids: `who`, `run`, `message_id`, `journey`, `reason`. Never an address, a
name, a token, or a body. Metric names: EventsAccepted, EventsRefused, Quarantined, RunsStarted,
MessagesAccepted, MessagesSkipped, MessagesUnknown, OverdueRuns, StuckMessages, ProfilesWoken, BundlesPublished,
FilesRejected.
"""

import warnings

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
metrics = Metrics()


def count(name: str, amount: int = 1) -> None:
    """Add *amount* to the metric *name*."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=amount)


# an invocation that has nothing to count is no fault
warnings.filterwarnings("ignore", message="No application metrics to publish")
