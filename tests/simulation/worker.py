"""A worker: plays what it is asked to, one after another, in a process of its own."""

import gc
import json
import resource
import sys
import traceback
from typing import Any

from simulation import setting

MOST_BYTES = 6 * 2**30


def main() -> None:
    """Answer each line of standard input with a line."""
    # a world that never ends must end this process, not the machine
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    setting.prepare()
    from simulation import gate, receivers, shortcut

    gate.install()
    receivers.install()
    shortcut.install()
    setting.scale_down()
    # a world makes much and drops it all at its end
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)
    out = sys.stdout
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            told = answer(asked)
        except Exception:  # noqa: BLE001  whatever a world dies of is a finding
            told = {"violations": ["crashed: " + traceback.format_exc()], "fired": {}, "premises": {}, "calls": 0}
        print(json.dumps({"asked": asked} | told), file=out, flush=True)


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Do one job."""
    from simulation.faults import Fault, One, Plan
    from simulation.play import play
    from simulation.stories import STORIES
    from simulation.swarm import run_seed

    match asked["job"]:
        case "stories":
            return {"stories": list(STORIES), "swept": [name for name, it in STORIES.items() if it.swept]}
        case "sites":
            result = play(asked["story"], Plan(), sites=True)
        case "point":
            plan = One(at=asked["at"], fault=Fault(asked["fault"]))
            result = play(asked["story"], plan, lines=asked.get("lines", False))
        case "seed":
            result = run_seed(asked["seed"], small=asked.get("small", False), lines=asked.get("lines", False))
        case other:
            raise ValueError(other)
    return {
        "digest": result.digest,
        "calls": result.calls,
        "violations": result.violations,
        "premises": dict(result.premises),
        "fired": dict(result.fired),
        "mails": result.mails,
        "sites": result.sites,
        "lines": result.lines,
    }


if __name__ == "__main__":
    main()
