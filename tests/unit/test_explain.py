"""`cartwake explain`: how it names a shopper."""

import pytest

from cartwake_cli.commands.explain import _show
from cartwake_cli.explanation import Explanation


def test_each_key_stands_with_its_name_in_logs(capsys: pytest.CaptureFixture[str]) -> None:
    """Logs hold no user id, so what stands there instead is told; square brackets in an id are no markup."""
    _show(Explanation(who="u#ada@example.com", keys=("u#ada@example.com", "a#[b]x"), sections=()))
    first, second = capsys.readouterr().out.splitlines()
    assert first == "u#ada@example.com  in logs: vfsvzja64niy"
    assert second.startswith("a#[b]x  in logs: ")
