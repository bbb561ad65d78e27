"""How much is tried: little with every change, very much in `make prove`."""

from hypothesis import settings

REQUESTS = 2_000
"""Over HTTP, to a deployed stack."""
_PROVES = 2_000
"""The cases of the long tier's profile, see tests/conftest.py."""


def cases(usual: int, prove: int) -> int:
    """Return how many cases a law is tried with, in the tier that runs."""
    return prove if settings.default is not None and settings.default.max_examples >= _PROVES else usual
