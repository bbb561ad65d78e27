"""Steps as marketers write them become steps as they are run."""

from typing import TYPE_CHECKING, Any, Final, assert_never

from msgspec.structs import replace

from cartwake import journeys
from cartwake.conditions.kinds import Condition
from cartwake.journeys import HOLD_OUT, Happening
from cartwake.rules.compile_conditions import ConditionCompiler
from cartwake.rules.compiling.desk import Shop
from cartwake.rules.condition_models import AnyCondition
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault
from cartwake.rules.files import SETTINGS, name_of
from cartwake.rules.leftovers import ORDERS_MEASURED, await_event
from cartwake.rules.message_models import EmailStep, PushStep, SmsStep
from cartwake.rules.needs import Needs, compile_where, listed
from cartwake.rules.outward_models import GiveStep, WebhookStep
from cartwake.rules.step_models import (
    AnyStep,
    ChooseStep,
    EndStep,
    IfStep,
    ScoreStep,
    SetStep,
    SplitStep,
    TagStep,
    UntagStep,
    Way,
    name_way,
)
from cartwake.rules.trigger_models import ByDate
from cartwake.rules.wait_models import DAYS, GoalStep, UntilDateStep, UntilStep, WaitForStep, WaitStep
from cartwake.statements import POINTS_GIVEN, TAG_ADDED, TAG_REMOVED, TRAITS_SET, Channel
from cartwake.times import DAY, MINUTE, parse_duration
from cartwake.trackers import Need
from cartwake.waits import LONGEST_WAIT

if TYPE_CHECKING:
    from cartwake.rules.compile_variants import Tests

LONGEST_USE: Final = 30 * DAY
_MICROS_OF_PERCENT: Final = 10_000

type Telling = SetStep | TagStep | UntagStep | ScoreStep


class StepCompiler:
    """Compiles the steps of one journey and collects what does not fit.

    Attributes:
        key: What tells the runs of the journey apart.
        reads: What their conditions read.
        watched: What can move a run before it is due; it is not among `reads`.
        tests: Those of the journey, by name.
    """

    def __init__(self, file: str, shop: Shop, needs: Needs, *, demo: bool) -> None:
        self.conflicts: list[Conflict] = []
        self.key = ""
        self._file = file
        self._needs = needs
        self._zone = shop.zone
        self._order = shop.orders.event
        self.tests: Tests = {}
        self._demo = demo
        self._conditions = ConditionCompiler(shop, needs)
        self._awaited = ConditionCompiler(shop, needs)
        self.reads = self._conditions.reads
        self.watched = self._awaited.reads

    def compile(self, steps: list[AnyStep], path: str) -> tuple[journeys.Step, ...]:
        """Return the steps in the list at *path*."""
        return tuple(self._compile_step(step, f"{path}[{index}]") for index, step in enumerate(steps))

    def _compile_step(self, step: AnyStep, path: str) -> journeys.Step:
        # a goal is reached when its own condition holds, too: that can move a run
        judge = self._awaited.compile if isinstance(step, GoalStep) else self._judge
        common: dict[str, Any] = {
            "only_if": judge(step.only_if, f"{path}.only_if") if step.only_if else None,
            "not_after_ms": self._compile_use(step.not_after, path) if step.not_after else 0,
        }
        match step:
            case WaitStep() | UntilStep() | UntilDateStep() | WaitForStep():
                return self._compile_wait(step, path, common)
            case EmailStep() | SmsStep() | PushStep():
                return _compile_message(step, common)
            case WebhookStep() | GiveStep():
                return self._compile_outward(step, path, common)
            case SetStep() | TagStep() | UntagStep() | ScoreStep():
                return self._compile_telling(step, path, common)
            case IfStep() | ChooseStep() | SplitStep():
                return self._compile_ways(step, path, common)
            case GoalStep():
                happening = self._compile_happening(step.goal, step, f"{path}.goal")
                return journeys.Goal(happening=happening, or_end=step.unmet == "end", **common)
            case EndStep():
                return journeys.Stop(why=step.end, **common)
            case _:
                assert_never(step)

    def _compile_wait(
        self, step: WaitStep | UntilStep | UntilDateStep | WaitForStep, path: str, common: dict[str, Any]
    ) -> journeys.Step:
        match step:
            case WaitStep():
                return self._compile_elapsed(step, path, common)
            case UntilStep() if step.is_clock:
                days = tuple(sorted({DAYS.index(day) for day in listed(step.on)})) if step.on else ()
                return journeys.UntilClock(minute=_read_minute(step.wait_until), days=days, **common)
            case UntilStep() if step.is_yearly:
                day, _, clock = step.wait_until.partition("T")
                return journeys.UntilDate(
                    date=day, minute=_read_minute(clock) if clock else None, every_year=True, **common
                )
            case UntilStep():
                otherwise = self.compile(step.else_ or [], f"{path}.else")
                return journeys.UntilDate(date=step.wait_until, otherwise=otherwise, **common)
            case UntilDateStep():
                otherwise = self.compile(step.else_ or [], f"{path}.else")
                of_event = step.of == "event"
                date = compile_date(step, "" if of_event else step.wait_until_date_in)
                return replace(date, told=step.wait_until_date_in if of_event else "", otherwise=otherwise, **common)
            case WaitForStep():
                return journeys.Await(
                    happening=self._compile_happening(step.wait_for, step, f"{path}.wait_for"),
                    at_most_ms=self._compile_time(step.at_most, f"{path}.at_most"),
                    then=self.compile(step.then or [], f"{path}.then"),
                    otherwise=self.compile(step.else_ or [], f"{path}.else"),
                    **common,
                )
            case _:
                assert_never(step)

    def _compile_elapsed(self, step: WaitStep, path: str, common: dict[str, Any]) -> journeys.Wait:
        for_ms = self._compile_time(step.wait, f"{path}.wait")
        at_most_ms = self._compile_time(step.at_most, f"{path}.at_most") if step.at_most else 0
        if step.at_most and not step.of_quiet:
            self._refuse(
                f"{path}.at_most", '"at_most" belongs to "of_quiet"; without it the wait is as long as it says.'
            )
        if step.at_most and at_most_ms < for_ms:
            self._refuse(f"{path}.at_most", f'The longest wait is shorter than the wait of "{step.wait}".')
        quiet = tuple(self._needs.add(Need(event=event, latest=1)) for event in step.of_quiet or ())
        return journeys.Wait(for_ms=for_ms, of_quiet=quiet, at_most_ms=at_most_ms, **common)

    def _compile_happening(self, sought: str | AnyCondition, step: WaitForStep | GoalStep, path: str) -> Happening:
        """Return what is waited for, and note all that can bring it about."""
        if isinstance(sought, str):
            need = await_event(sought, compile_where(step.where, self._zone), self.key)
            self.watched.events.add(sought)
            return Happening(name=sought, tracker=self._needs.add(need))
        return Happening(name=sought.begins, condition=self._awaited.compile(sought, path))

    def _compile_telling(self, step: Telling, path: str, common: dict[str, Any]) -> journeys.Tell:
        match step:
            case SetStep():
                return journeys.Tell(event=TRAITS_SET, traits=dict(step.set), **common)
            case TagStep():
                return journeys.Tell(event=TAG_ADDED, properties={"tag": step.tag}, **common)
            case UntagStep():
                return journeys.Tell(event=TAG_REMOVED, properties={"tag": step.untag}, **common)
            case ScoreStep():
                self._conditions.reads.scores.append((step.score, f"{path}.score"))
                if not step.points:
                    self._refuse(f"{path}.points", "0 points change nothing.", example='"points": 5')
                told = {"score": step.score, "points": step.points}
                return journeys.Tell(event=POINTS_GIVEN, properties=told, **common)
            case _:
                assert_never(step)

    def _compile_ways(
        self, step: IfStep | ChooseStep | SplitStep, path: str, common: dict[str, Any]
    ) -> journeys.Branch | journeys.Split:
        match step:
            case IfStep():
                return journeys.Branch(
                    condition=self._judge(step.if_, f"{path}.if"),
                    then=self.compile(step.then, f"{path}.then"),
                    otherwise=self.compile(step.else_ or [], f"{path}.else"),
                    **common,
                )
            case ChooseStep():
                return self._compile_choice(step, path, common)
            case SplitStep():
                return self._compile_split(step, path, common)
            case _:
                assert_never(step)

    def _compile_choice(self, step: ChooseStep, path: str, common: dict[str, Any]) -> journeys.Branch:
        """Return what is asked first, and in its `otherwise` what is asked next."""
        otherwise = self.compile(step.else_ or [], f"{path}.else")
        for place in range(len(step.choose) - 1, -1, -1):
            choice, here = step.choose[place], f"{path}.choose[{place}]"
            branch = journeys.Branch(
                condition=self._judge(choice.if_, f"{here}.if"),
                then=self.compile(choice.then, f"{here}.then"),
                otherwise=otherwise,
                **(common if place == 0 else {}),
            )
            otherwise = (branch,)
        return branch

    def _compile_outward(
        self, step: WebhookStep | GiveStep, path: str, common: dict[str, Any]
    ) -> journeys.Call | journeys.Give:
        match step:
            case WebhookStep():
                return journeys.Call(
                    url=step.webhook,
                    traits=tuple(step.traits),
                    properties=tuple(step.properties),
                    body=dict(step.body),
                    **common,
                )
            case GiveStep():
                otherwise = self.compile(step.else_ or [], f"{path}.else")
                return journeys.Give(pool=step.give, otherwise=otherwise, **common)
            case _:
                assert_never(step)

    def _compile_split(self, step: SplitStep, path: str, common: dict[str, Any]) -> journeys.Split:
        test, held_out = step.test or "", round((step.hold_out or 0) * _MICROS_OF_PERCENT)
        held = [journeys.Variant(name=HOLD_OUT, micros=held_out)] if held_out else []
        ways = [self._compile_way(way, f"{path}.split[{place}].steps", place) for place, way in enumerate(step.split)]
        return journeys.Split(
            salt=f"test {test}" if test else f"split {name_of(self._file)} {path}",
            test=test,
            **self._compile_measuring(test),
            variants=(*held, *ways),
            **common,
        )

    def _compile_measuring(self, name: str) -> dict[str, Any]:
        test = self.tests.get(name)
        if test is None:
            return {}
        orders = self._needs.add(Need(event=self._order, latest=ORDERS_MEASURED))
        return {"digest": test.digest, "within_ms": test.within_ms, "orders": orders}

    def _compile_way(self, way: Way, path: str, place: int) -> journeys.Variant:
        micros = round(way.percent * _MICROS_OF_PERCENT)
        return journeys.Variant(name=name_way(way, place), micros=micros, steps=self.compile(way.steps, path))

    def _judge(self, rule: AnyCondition, path: str) -> Condition:
        return self._conditions.compile(rule, path)

    def _compile_time(self, words: str, path: str) -> int:
        duration = parse_duration(words)
        if duration > LONGEST_WAIT:
            self._refuse(path, "A wait takes at most 365 days.", example='"30 days"')
        if duration < MINUTE and not self._demo:
            # Either file may have changed: the wait, or settings.json that no longer says "demo".
            message = 'A wait takes at least a minute; only with "demo": true in settings.json it may be shorter.'
            self._refuse(path, message, example='"1 minute"', files=(self._file, SETTINGS))
        return duration

    def _compile_use(self, words: str, path: str) -> int:
        duration = parse_duration(words)
        if duration > LONGEST_USE:
            self._refuse(f"{path}.not_after", "A message is useful for at most 30 days.", example='"24 hours"')
        return duration

    def _refuse(self, path: str, message: str, *, files: tuple[str, ...] = (), example: str = "") -> None:
        fault = Fault(file=self._file, path=path, message=message, example=example)
        self.conflicts.append(Conflict(fault, files or (self._file,)))


def _compile_message(step: EmailStep | SmsStep | PushStep, common: dict[str, Any]) -> journeys.Send:
    match step:
        case EmailStep(email=template):
            channel = Channel.EMAIL
        case SmsStep(sms=template):
            channel = Channel.SMS
        case PushStep(push=template):
            channel = Channel.PUSH
        case _:
            assert_never(step)
    return journeys.Send(
        channel=channel,
        template=template,
        subject=(step.subject or "") if isinstance(step, EmailStep) else "",
        held=step.held,
        coupon=step.coupon or "",
        **common,
    )


def compile_date(rule: UntilDateStep | ByDate, trait: str) -> journeys.UntilDate:
    """Return what is made of the date in a trait."""
    before = -parse_duration(rule.before) if rule.before else 0
    return journeys.UntilDate(
        trait=trait,
        shift_ms=before or (parse_duration(rule.after) if rule.after else 0),
        minute=_read_minute(rule.at) if rule.at else None,
        every_year=rule.every_year,
    )


def _read_minute(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)
