"""The report: how often each fault fired and each promise was put to the test; a zero is a failure."""

from collections import Counter
from dataclasses import dataclass, field

from simulation.crew import Told
from simulation.faults import Fault, Mishap
from simulation.sweep import name_point

LEAST_FIRED, LEAST_EVENTS, LEAST_PEOPLE, LEAST_DAYS = 5, 100, 10, 14
PROMISES = (
    "a campaign comes to its end",
    "a coupon given is told of once",
    "a coupon is given once",
    "a coupon is sent to one shopper",
    "a coupon is sent to whom it was given",
    "a coupon is used once",
    "a coupon that was used is marked",
    "a dead address is suppressed",
    "a healed world comes to rest",
    "a journey rests",
    "a journey that is paused or archived moves nobody",
    "a mail leaves within its lease",
    "a message is planned with its step",
    "a receipt goes out at most twice, and twice only in doubt",
    "a receiver knows that it is us",
    "a receiver that has too much to do is left alone",
    "a receiver that refuses a webhook has said so",
    "a refusal is true",
    "a suppression is never lifted",
    "a tombstone stands until nothing can come back",
    "a wait has one way out",
    "a wait is waited for",
    "a webhook is taken, or is not, or is to be tried again",
    "a webhook is tried for as long as was said",
    "a webhook keeps its id",
    "a webhook leaves within its lease",
    "at most one accepted send for each marketing message",
    "budgets are kept",
    "consent is valid at the claim",
    "each attempt of a webhook has a claim of its own",
    "each member of a campaign is brought in once",
    "every accepted event is folded",
    "every accepted event is stored once",
    "every end has a reason",
    "every message is settled",
    "every refusal has a reason",
    "every trigger starts a run or leaves a reason",
    "every unknown is settled",
    "everything sent is in the ledger",
    "everything told is in the ledger",
    "frequency caps are kept",
    "no address and no token in a log",
    "no coupon is lost",
    "no event is folded twice",
    "no log says where a webhook went and what it said",
    "no reminder after a purchase that is known",
    "no run goes on after its exit",
    "no step after the end",
    "no step is lost",
    "no step twice",
    "no yes outlives an erasure",
    "nobody erased comes back",
    "nobody erased starts anything",
    "nobody is claimed for after their unsubscribe was answered",
    "nobody waits for what has come",
    "not_after is kept",
    "nothing is claimed for a run that was ended",
    "nothing is claimed for a suppressed address",
    "nothing is claimed for who was erased",
    "nothing is claimed of a journey that is paused or archived",
    "nothing is left of who was erased",
    "nothing is overdue",
    "nothing is told without a claim",
    "older code never writes",
    "older rules never write",
    "one active run of a journey at a time",
    "one person has one profile",
    "one trigger starts one run",
    "only poison is set aside",
    "poison is set aside",
    "quiet hours are kept",
    "reports equal the ledger",
    "segments equal their definition",
    "somebody is a member",
    "states follow one another",
    "the latest statement counts",
    "the re-entry rule is kept",
    "what is in doubt is never claimed again",
    "what is said to be sent was sent",
    "what is said to be taken was taken",
    "what was sent is not said to be unsent",
    "what was waited for has come",
    "who is said to have an address has it",
)
"""What random worlds must put to the test."""


@dataclass
class Report:
    """What came of many worlds."""

    worlds: int = 0
    calls: int = 0
    mails: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    premises: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def add(self, told: Told) -> None:
        """Take what came of one world."""
        self.worlds += 1
        self.calls += told["calls"]
        self.mails += len(told.get("mails", ()))
        self.fired.update(told["fired"])
        self.premises.update(told["premises"])
        again = name_point(told["asked"])
        self.broken += [f"{again}\n    {it}" for it in told["violations"][:3]]
        if not told["violations"] and (thin := find_thin(told)):
            self.broken.append(f"{again}\n    {thin}")

    def find_zeros(self) -> list[str]:
        """Return the faults that never fired, and the promises that were never put to the test."""
        faults = [it.value for kind in (Fault, Mishap) for it in kind if not self.fired[it.value]]
        return faults + [it for it in PROMISES if not self.premises[it]]

    def to_dict(self) -> dict[str, object]:
        """Return it for a file, from which it can go on."""
        return vars(self) | {"fired": dict(self.fired), "premises": dict(self.premises)}


def read_report(kept: dict[str, object]) -> Report:
    """Return a report that `to_dict` has written."""
    report = Report(**kept)  # type: ignore[arg-type]
    report.fired, report.premises = Counter(report.fired), Counter(report.premises)
    return report


def find_thin(told: Told) -> str:
    """Say what a world has too little of to prove anything, or ""."""
    if told["asked"]["job"] == "point":
        return "" if told["fired"] else "the fault never fired"
    counted = told["premises"]
    least = (("events", LEAST_EVENTS), ("people", LEAST_PEOPLE), ("days", LEAST_DAYS))
    thin = [f"{counted.get(name, 0)} {name}" for name, count in least if counted.get(name, 0) < count]
    fired = sum(told["fired"].values())
    return ", ".join([*thin, *([f"{fired} faults"] if fired < LEAST_FIRED else [])])
