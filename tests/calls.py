"""What is asked of AWS: the calls that clients make, as they make them."""

from typing import Any

import pytest
from botocore.client import BaseClient

type Calls = list[tuple[str, dict[str, Any]]]
"""Names of operations, with what was said to each."""


def record_calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Return a list that grows with every call from now on."""
    calls: Calls = []
    plain = BaseClient._make_api_call

    def record(client: BaseClient, name: str, parameters: dict[str, Any]) -> Any:
        calls.append((name, parameters))
        return plain(client, name, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", record)
    return calls
