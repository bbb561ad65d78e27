"""A campaign to thousands: the real functions, in a world that kills them."""

import json
import os
import subprocess
import sys

import pytest

from simulation.crew import ROOT


@pytest.mark.prove
@pytest.mark.slow
def test_a_campaign_of_thousands() -> None:
    """5,000 get one mail each, though workers are killed all along; its status shows how far it is."""
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT / "tests")}
    command = [sys.executable, "-m", "simulation.thousands", "5000"]
    told = json.loads(subprocess.check_output(command, text=True, env=environment, cwd=ROOT / "tests"))
    assert told["violations"] == []
    assert (told["mails"], told["most"], told["withdrawn"]) == (5_000, 1, 0)
    assert all(told["killed"][function] >= 2 for function in ("sweep_profiles", "run_step", "send_message"))
    assert told["shown"] == sorted(told["shown"])
    assert told["shown"][-1] == [5_000, 5_556]
    assert any(0 < sent < 5_000 for sent, _ in told["shown"])
