"""Outward: which other systems a journey may tell something, and of whom."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from cartwake.optins import CONFIRMATION
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault, find_nearest
from cartwake.rules.files import SETTINGS, walk
from cartwake.rules.models import Journey
from cartwake.rules.outward_models import GiveStep, WebhookStep
from cartwake.rules.settings_models import Settings

_STRANGER: Final = "Who is asked for a yes may be a stranger to whoever asked: "


def find_barred(file: str, rule: Journey, settings: Settings | None) -> Iterator[Conflict]:
    """Yield what a journey must not tell, or give.

    Args:
        file: The journey's.
        rule: The journey.
        settings: They list the hosts; None where they are not there.
    """
    for path, step in walk(rule.steps):
        if isinstance(step, WebhookStep | GiveStep) and rule.kind == CONFIRMATION:
            what = "nobody else is told of it" if isinstance(step, WebhookStep) else "nothing is given"
            message = f"{_STRANGER}{what}. Write it into the journey that follows."
            yield Conflict(Fault(file=file, path=path, message=message), (file,))
        if isinstance(step, WebhookStep) and settings is not None:
            yield from _check_host(file, f"{path}.webhook", step, settings)


def _check_host(file: str, path: str, step: WebhookStep, settings: Settings) -> Iterator[Conflict]:
    host, listed = urlsplit(step.webhook).hostname or "", settings.webhooks.hosts
    if host not in listed:
        message = (
            f'"{host}" is not among the hosts that may be told something of shoppers: see "webhooks" in {SETTINGS}.'
        )
        fault = Fault(
            file=file,
            path=path,
            message=message,
            suggestion=find_nearest(host, listed),
            example=f'"webhooks": {{ "hosts": ["{host}"] }}',
        )
        yield Conflict(fault, (file, SETTINGS))
