"""Random worlds: `make simulate SEEDS=100 [FROM=0]`; one point of the sweep: `POINT="story/call/fault"`."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MANY = 1_000
"""In so many worlds everything must have happened."""


def main() -> int:
    """Do what the command line asks for, and say by the exit code whether every promise was kept."""
    sys.path.insert(0, str(ROOT / "tests"))
    from simulation import prove  # noqa: PLC0415  the path had to be completed
    from simulation.crew import Crew  # noqa: PLC0415
    from simulation.report import Report  # noqa: PLC0415
    from simulation.sweep import read_point  # noqa: PLC0415

    asked = _parse()
    if asked.prove:
        return 0 if prove.prove_all(seeds=asked.seeds) else 1
    if asked.point or asked.lines:
        job = read_point(asked.point) if asked.point else {"job": "seed", "seed": asked.first, "small": asked.small}
        with Crew(size=1) as crew:
            told = crew.ask(job | {"lines": asked.lines})
        print("\n".join(told["lines"]))
        report = Report()
        report.add(told)
        prove.print_all([*prove.tell(report, zeros=False), *report.broken])
        return 0 if not report.broken else 1
    report = prove.sweep()[0] if asked.sweep else prove.simulate(asked.first, asked.seeds, small=asked.small)
    zeros = asked.seeds >= MANY and not asked.sweep
    prove.print_all(prove.tell(report, zeros=zeros))
    return 0 if prove.is_good(report, zeros=zeros) else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them")
    parser.add_argument("--point", default="", help="one point of the sweep: story/call/fault")
    parser.add_argument("--sweep", action="store_true", help="every point of the sweep")
    parser.add_argument("--prove", action="store_true", help="the sweep, the seeds and all planted faults")
    parser.add_argument("--small", action="store_true", help="worlds in which people come by less, as in `make test`")
    parser.add_argument("--lines", action="store_true", help="print the history of the one seed or point")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
