"""One-time schedules: they bring a step on time; the run's row, not the schedule, is the truth."""

import json
from hashlib import sha256
from math import ceil
from typing import Any

from botocore.exceptions import ClientError

from cartwake.errors import TryAgain
from cartwake.gateways import clients, queue
from cartwake.runs import Run
from cartwake.settings import require, require_int
from cartwake.telemetry import logger
from cartwake.times import SECOND, Instant, to_datetime

forget = clients.forget


def plan_step(run: Run, now: Instant) -> None:
    """Have `run_step` called when *run* is due: by the queue when that is soon, else by a schedule.

    A failure is logged and no more: `wake` finds the row three minutes after it was due.
    """
    seconds = ceil((run.due_at - now) / SECOND)
    try:
        if seconds <= require_int("SCHEDULE_AFTER_SECONDS"):
            queue.send_step(run.who, run.key, run.seq, delay_seconds=seconds)
        else:
            _create(run)
    except TryAgain as error:
        logger.warning("step not scheduled", run=run.key, detail=str(error))


def _create(run: Run) -> None:
    """Create the schedule; one that exists already is this one: its name is a function of the run and its position."""
    target: dict[str, Any] = {
        "Arn": require("RUN_STEP_ARN"),
        "RoleArn": require("SCHEDULE_ROLE_ARN"),
        "Input": json.dumps({"who": run.who, "run": run.key, "seq": run.seq}),
        "RetryPolicy": {"MaximumRetryAttempts": 10, "MaximumEventAgeInSeconds": 3600},
        "DeadLetterConfig": {"Arn": require("SCHEDULE_DEAD_LETTER_ARN")},
    }
    with clients.transient("scheduler"):
        try:
            clients.client("scheduler").create_schedule(
                Name=name_schedule(run),
                GroupName=require("SCHEDULE_GROUP"),
                ScheduleExpression=f"at({_round_up(run.due_at)})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target=target,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConflictException":
                raise


def name_schedule(run: Run) -> str:
    """Return a name that stands for this position of this run, within the 64 characters that are allowed."""
    return f"run-{sha256(f'{run.who}#{run.key}#{run.seq}#{run.due_at}'.encode()).hexdigest()[:48]}"


def _round_up(instant: Instant) -> str:
    """Return whole seconds, UTC, without a zone: `at()` takes no fractions, and a step must not come early."""
    return to_datetime(ceil(instant / SECOND) * SECOND).strftime("%Y-%m-%dT%H:%M:%S")
