"""Playing: one story under one plan of faults, from the first event to the verdict."""

import contextlib
import io
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from cartwake.telemetry import logger
from simulation.faults import Plan
from simulation.judge import heal, judge, judge_publication
from simulation.rules import make_bundle
from simulation.shop import Shop, build
from simulation.stories import STORIES, Story
from simulation.watch import Watch


@dataclass
class Result:
    """What came of a world.

    Attributes:
        digest: Of the whole history.
        calls: How often AWS was called.
    """

    digest: str
    calls: int
    violations: list[str]
    premises: Counter[str]
    fired: Counter[str]
    mails: list[str]
    sites: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


@contextlib.contextmanager
def listen() -> Any:
    """Collect everything that the functions print and log."""
    written = io.StringIO()
    before = logger.registered_handler.setStream(written)
    with contextlib.redirect_stdout(written):
        yield written
    logger.registered_handler.setStream(before)


def play(name: str, plan: Plan, *, sites: bool = False, lines: bool = False) -> Result:
    """Play a story."""
    story, watch = STORIES[name], Watch(plan)
    with listen() as log:
        rules = None if story.files else make_bundle(*story.journeys)
        shop = build(
            name, plan, begins=story.begins, watch=watch, rules=rules, files=story.files or None, codes=story.codes
        )
        shop.world.sites = [] if sites else None
        shop.world.lines = [] if lines else None
        story.tell(shop)
        return finish(shop, watch, log, story)


def finish(shop: Shop, watch: Watch, log: io.StringIO, story: Story | None = None) -> Result:
    """Heal a world, judge it, and end it."""
    world = shop.world
    watch.must("a healed world comes to rest", heal(shop), "it never does")
    judge(shop, watch, log=log.getvalue())
    if story is not None and story.files:
        judge_publication(watch)
    mails = world.mailbox.subjects()
    if story is not None:
        judge_story(watch, story, mails, faults=bool(world.plan.fired))
        if not world.plan.fired:
            answers = world.receiver.answers
            watch.must("the story goes as it is told", answers == list(story.answers), answers)
    digest = world.close()
    return Result(
        digest, world.calls, watch.violations, watch.premises, world.plan.fired, mails, world.sites or [],
        world.lines or [],
    )  # fmt: skip


def judge_story(watch: Watch, story: Story, mails: list[str], *, faults: bool) -> None:
    """Without faults exactly the story's messages go out; with one, none of those that never may."""
    if not faults:
        watch.must("the story goes as it is told", mails == list(story.mails), mails)
    for subject in story.never:
        watch.must("what must not go out does not", subject not in mails, mails)
    watch.must("nothing goes out that is not in the story", set(mails) <= {*story.mails, *story.may}, mails)
