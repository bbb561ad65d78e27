"""The process that worlds run in: its environment, its clock and its chance are the world's, none of the machine's."""

import importlib.machinery
import os
import random
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from greenlet import getcurrent, greenlet

ROOT = Path(__file__).resolve().parents[2]
CODE = Path(os.environ.get("SIMULATED_CODE") or ROOT)
"""Where `functions/` and `layers/` are taken from: a copy that nobody edits meanwhile, or one with a planted fault."""
ENGINE = ROOT / ".engine" / "lib" / "python3.13" / "site-packages"
TABLES = (
    "EVENTS", "PROFILES", "RUNS", "SLOTS", "MESSAGES", "ADDRESSES", "COUNTS", "IDENTITIES", "BUNDLES", "KEYS",
    "QUARANTINE", "NAMES", "SWEEPS", "COUPONS", "CONSENTS", "PARTICIPANTS",
)  # fmt: skip
QUEUES = ("steps", "messages", "webhooks", "wakes", "sweeps", "erasures", "exports", "feedback", "failures")
ACCOUNT = "000000000000"
ROOT_SECRET = "a-test-root"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "MINISTACK_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    **{f"{name}_TABLE": name.lower() for name in TABLES},
    "BUCKET": "rules-bucket",
    **{f"{name.upper()}_QUEUE_URL": f"https://sqs.eu-central-1.amazonaws.com/{ACCOUNT}/{name}" for name in QUEUES},
    "SWEEP_AFTER_SECONDS": "0",
    "SCHEDULE_GROUP": "cartwake",
    "SCHEDULE_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/schedule",
    "RUN_STEP_ARN": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:run-step",
    "SCHEDULE_DEAD_LETTER_ARN": f"arn:aws:sqs:eu-central-1:{ACCOUNT}:failures",
    "SCHEDULE_AFTER_SECONDS": "120",
    "SECRET_ARN": "cartwake-secret",
    "CONFIGURATION_SET": "cartwake",
    "PUBLIC_URL": "https://shop.example.com/c",
    "POWERTOOLS_SERVICE_NAME": "simulation",
    "POWERTOOLS_METRICS_NAMESPACE": "Cartwake",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "TZ": "America/New_York",
}


class Clock:
    """The only clock: microseconds since 1970, moved by the world; a process may have its own error."""

    def __init__(self) -> None:
        self.micros = 0
        self.skew_micros = 0

    @property
    def now(self) -> int:
        """The true time in milliseconds."""
        return self.micros // 1_000


clock = Clock()
chance = random.Random(0)
"""What the code under test draws from, besides the module `random`, which is seeded alike."""
sleepers: dict[greenlet, Any] = {}
"""By course: what has the world go on while it sleeps."""


def prepare() -> None:
    """Make this process a world's: to be called before anything of Cartwake or boto3 is imported."""
    if "cartwake" in sys.modules:
        raise RuntimeError("worlds run in a process of their own")
    os.environ.update(ENVIRONMENT)
    # A function that reads the machine's zone is wrong, and shall be seen to be: Lambda has UTC.
    time.tzset()
    sys.path[:0] = [str(CODE), str(CODE / "layers" / "cartwake"), str(ROOT / "tests")]
    sys.meta_path.insert(0, _MiniStack())
    warnings.filterwarnings("ignore", message="No application metrics to publish")
    _take_time()
    os.urandom = chance.randbytes


def scale_down() -> None:
    """Have the sparse indexes in two partitions, not four: looking at empty ones is half of what a world takes."""
    from cartwake.store import base

    base.SHARDS = SHARDS  # type: ignore[misc]


SHARDS = 2


def reseed(seed: str) -> None:
    """Have all chance of the code under test follow from *seed*."""
    chance.seed(seed)
    random.seed(seed)


class _MiniStack:
    """Finds the package `ministack` in the engine's environment, and nothing else of it."""

    def find_spec(self, name: str, *_: Any) -> Any:
        return importlib.machinery.PathFinder.find_spec(name, [str(ENGINE)]) if name == "ministack" else None


def _take_time() -> None:
    """Put the world's clock in the place of the machine's; what is none of the world's sleeps for ever."""
    never = threading.Event()

    def sleep(seconds: float) -> None:
        sleeper = sleepers.get(getcurrent())
        if sleeper is None:
            never.wait()
        else:
            sleeper(int(seconds * 1e6))

    time.time = lambda: (clock.micros + clock.skew_micros) / 1e6
    time.time_ns = lambda: (clock.micros + clock.skew_micros) * 1_000
    time.sleep = sleep
