"""The one logger and the one metrics collector, and the promise of what they may carry.

A log line is a fixed phrase with ids: `who` as `name_who` gives it, `run`, `message_id`, `journey`, `reason`. Never an
address, a name, a token, or a body. Metric names: EventsAccepted, EventsRefused, Quarantined, RunsStarted,
MessagesAccepted, MessagesSkipped, MessagesUnknown, SendingPaused, OverdueRuns, StuckMessages, ProfilesWoken,
BundlesPublished, FilesRejected, RulesProblems, DeliveriesTracked, RepliesTracked, AddressesSuppressed, Unsubscribes,
BudgetsSpent, NamesNotKept, ProfilesSwept, ProfilesErased, ErasurePasses, ProfilesExported, CouponsLow, CouponsRedeemed,
Confirmations, TestsDecided, WebhooksAccepted, WebhooksRefused, CampaignsMissed.
"""

import warnings

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from cartwake.events import derive_id

logger = Logger()
metrics = Metrics()


def name_who(who: str) -> str:
    """Return the twelve characters that stand for a shopper in logs: a user id may be an address."""
    return derive_id("who", who)[:12]


def count(name: str, amount: int = 1) -> None:
    """Add *amount* to the metric *name* of the function that runs."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=amount)


def count_for_all(name: str) -> None:
    """Add one to a metric that all functions share, for an alarm that watches them all."""
    with single_metric(name=name, unit=MetricUnit.Count, value=1, default_dimensions={"service": "cartwake"}):
        pass


# an invocation that has nothing to count is no fault
warnings.filterwarnings("ignore", message="No application metrics to publish")
