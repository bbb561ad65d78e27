"""The only reader of the environment: a missing name fails at cold start, with its name."""

import os


class MissingSetting(RuntimeError):
    """The function was deployed without an environment variable it needs."""


def require(name: str) -> str:
    """Return the environment variable *name*, which the template must have set.

    Raises:
        MissingSetting: It is absent or empty.
    """
    value = os.environ.get(name, "")
    if not value:
        raise MissingSetting(f"environment variable {name} is not set; see the function in template.yaml")
    return value


def find(name: str) -> str:
    """Return the environment variable *name*, or "" where the template leaves it empty: what it names is not there."""
    return os.environ.get(name, "")


def require_int(name: str) -> int:
    """Return the environment variable *name* as a whole number."""
    return int(require(name))
