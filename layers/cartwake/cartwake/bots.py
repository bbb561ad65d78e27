"""Crawlers: recognised by their user agent, so that their visits move nobody."""

from functools import lru_cache
from typing import Final

_LONGEST: Final = 500


def is_bot(user_agent: str) -> bool:
    """Say whether *user_agent* is a known crawler's, or that of a browser without a person before it."""
    return bool(user_agent) and _detect(user_agent[:_LONGEST])


@lru_cache(maxsize=1_024)
def _detect(user_agent: str) -> bool:
    # The list and its pattern cost 30 ms: most server clients tell no user agent and never pay them.
    from crawlerdetect import CrawlerDetect  # noqa: PLC0415

    return bool(CrawlerDetect(user_agent="-").is_crawler(user_agent))
