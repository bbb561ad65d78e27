"""Journeys as marketers write them become journeys as they are run."""

import re
from collections.abc import Collection, Mapping
from typing import Final, assert_never

from cartwake import bundles, journeys
from cartwake.conditions.kinds import Condition
from cartwake.events import COMPLAINED, JOURNEY_ENROLLED
from cartwake.rules.compile_conditions import ConditionCompiler
from cartwake.rules.compile_steps import StepCompiler, compile_date
from cartwake.rules.compile_variants import Tests, compile_tests, find_unlike
from cartwake.rules.compiling.desk import Reads, Shop
from cartwake.rules.condition_models import AnyCondition
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault, find_nearest
from cartwake.rules.files import EMAILS, SETTINGS, is_email, name_of, walk
from cartwake.rules.leftovers import await_event
from cartwake.rules.message_models import EmailStep, PushStep, SmsStep
from cartwake.rules.mjml import TemplateFile
from cartwake.rules.models import Journey
from cartwake.rules.needs import Needs, compile_where
from cartwake.rules.references import join_reads
from cartwake.rules.translations import read_locale
from cartwake.rules.trigger_models import AnyExit, AnyTrigger, ByDate, ByEvent, ByHand, BySegment
from cartwake.rules.wait_models import GoalStep
from cartwake.times import parse_duration
from cartwake.trackers import Need
from cartwake.values import Is, PropertyTest

MOST_STEPS: Final = 100
DEEPEST_BRANCHES: Final = 5
TRIGGERS_KEPT: Final = 5
"""How many of the latest triggering events are kept: a redelivered one is known for as long as it is among them."""

_ABSENT: Final = {
    "marketing": {"confirm_url"},
    "transactional": {"confirm_url", "unsubscribe_url"},
    "confirmation": {"preferences_url", "unsubscribe_url"},
}
"""Links that a message of a kind does not have."""
_TOPIC: Final = '"topics": { "new-arrivals": { "name": "New arrivals" } }'


class JourneyCompiler:
    """Compiles one journey file and collects what does not fit.

    Attributes:
        watched: What can move its runs before they are due.
        tests: Its tests of variants, by name, once it is compiled.
    """

    def __init__(self, file: str, shop: Shop, needs: Needs, *, demo: bool) -> None:
        self._file = file
        self._needs = needs
        self._zone = shop.zone
        self._conditions = ConditionCompiler(shop, needs)
        self._steps = StepCompiler(file, shop, needs, demo=demo)
        self.conflicts = self._steps.conflicts
        self.watched = self._steps.watched
        self.tests: Tests = {}

    @property
    def reads(self) -> Reads:
        """What all of its conditions read, once it is compiled."""
        return join_reads(self._conditions.reads, join_reads(self._steps.reads, self.watched))

    def compile(self, rule: Journey) -> journeys.Journey:
        """Return the compiled journey; what is wrong with it is in `conflicts`."""
        self._check_size(rule)
        self._steps.key = rule.key or ""
        self.conflicts += [Conflict(fault, (self._file,)) for fault in find_unlike(self._file, rule.steps)]
        self.tests = self._steps.tests = compile_tests(rule.steps, self._zone)
        return journeys.Journey(
            title=rule.name,
            kind=rule.kind,
            topic=rule.topic or "",
            status=rule.status,
            trigger=self._compile_trigger(rule.trigger, "trigger"),
            key=rule.key or "",
            filter=self._compile_condition(rule.filter, "filter") if rule.filter else None,
            exits=self._compile_exits(rule),
            again_ms=_compile_again(rule.recurs),
            steps=self._steps.compile(rule.steps, "steps"),
        )

    def check_topic(self, rule: Journey, topics: Collection[str]) -> None:
        """Note it where the journey names a topic that settings.json does not have, or whose messages nobody refuses.

        Args:
            rule: The journey.
            topics: Names of those that there are.
        """
        if rule.topic and rule.topic not in topics:
            message = f'There is no topic "{rule.topic}" in settings.json.'
            nearest = find_nearest(rule.topic, topics)
            fault = Fault(file=self._file, path="topic", message=message, suggestion=nearest, example=_TOPIC)
            self.conflicts.append(Conflict(fault, (self._file, SETTINGS)))
        elif rule.topic and rule.kind != "marketing":
            self._refuse("topic", "Only marketing has a topic: what is not goes to everybody whom it concerns.")

    def check_templates(
        self, rule: Journey, templates: Mapping[str, bundles.Template], files: Mapping[str, Mapping[str, TemplateFile]]
    ) -> list[Conflict]:
        """Return what is wrong with the templates that the journey names.

        Args:
            rule: The journey.
            templates: All there are.
            files: Those of each, translations too.
        """
        found: list[Conflict] = []
        for path, step in walk(rule.steps):
            match step:
                case EmailStep():
                    mine = files.get(step.email, {})
                    found += self._check_email(step, path, templates, mine)
                    for file, content in mine.items():
                        found += self._check_translation(step, path, file, content)
                        found += self._check_shown(rule, file, content)
                case SmsStep():
                    found += self._check_sms(step, path, templates)
                    for file, content in files.get(step.sms, {}).items():
                        found += self._check_shown(rule, file, content)
                case PushStep():
                    found += self._check_push(step, path, templates)
                    for file, content in files.get(step.push, {}).items():
                        found += self._check_shown(rule, file, content)
                case _:
                    continue
        return found

    def _compile_trigger(self, rule: AnyTrigger, path: str) -> journeys.Trigger:
        match rule:
            case ByEvent():
                where = compile_where(rule.where, self._zone)
                tracker = self._needs.add(Need(event=rule.event, where=where, latest=TRIGGERS_KEPT))
                return journeys.Trigger(event=rule.event, where=where, tracker=tracker)
            case BySegment():
                return self._compile_segment(rule, path)
            case ByDate(date_in=trait):
                traits = (trait, "timezone")
                dated = journeys.Dated(when=compile_date(rule, trait), traits=traits)
                return journeys.Trigger(entered=bundles.name_dated(name_of(self._file)), dated=dated)
            case ByHand():
                where = (PropertyTest("journey", Is((name_of(self._file),))),)
                tracker = self._needs.add(Need(event=JOURNEY_ENROLLED, where=where, latest=TRIGGERS_KEPT))
                return journeys.Trigger(event=JOURNEY_ENROLLED, where=where, tracker=tracker)
            case _:
                assert_never(rule)

    def _compile_exit(self, rule: AnyExit, path: str, key: str) -> journeys.Trigger:
        if isinstance(rule, BySegment):
            return self._compile_segment(rule, path)
        where = compile_where(rule.where, self._zone)
        tracker = self._needs.add(await_event(rule.event, where, key))
        return journeys.Trigger(event=rule.event, where=where, tracker=tracker)

    def _compile_segment(self, rule: BySegment, path: str) -> journeys.Trigger:
        self._conditions.reads.segments.append((rule.segment, f"{path}.segment"))
        entered = rule.on == "entered"
        return journeys.Trigger(entered=rule.segment if entered else "", left="" if entered else rule.segment)

    def _compile_exits(self, rule: Journey) -> tuple[journeys.Trigger, ...]:
        """Return what ends a run: what the file says, and of marketing whatever calls it spam."""
        key = rule.key or ""
        said = tuple(self._compile_exit(it, f"exit[{index}]", key) for index, it in enumerate(rule.exit))
        if rule.kind != "marketing" or any(trigger.event == COMPLAINED and not trigger.where for trigger in said):
            return said
        return (*said, self._compile_exit(ByEvent(event=COMPLAINED), "exit", ""))

    def _compile_condition(self, rule: AnyCondition, path: str) -> Condition:
        return self._conditions.compile(rule, path)

    def _check_size(self, rule: Journey) -> None:
        steps = walk(rule.steps)
        if len(steps) > MOST_STEPS:
            self._refuse("steps", f"There are {len(steps)} steps; at most {MOST_STEPS} are run.")
        deepest = max((path for path, _ in steps), key=_count_depth)
        if _count_depth(deepest) > DEEPEST_BRANCHES:
            self._refuse(deepest, f"Steps stand at most {DEEPEST_BRANCHES} deep in each other.")
        for path, step in steps:
            if isinstance(step, GoalStep) and _count_depth(path):
                message = "A goal stands in the journey's own list of steps, not inside of another step."
                self._refuse(path, message, example='"steps": [ … , {"goal": "Order Completed"}, … ]')

    def _check_email(
        self, step: EmailStep, path: str, templates: Mapping[str, bundles.Template], files: Mapping[str, TemplateFile]
    ) -> list[Conflict]:
        named = (self._file, *(f"templates/{step.email}{ending}" for ending in EMAILS))
        template = templates.get(step.email)
        if template is None or not template.html:
            emails = [name for name, each in templates.items() if each.html]
            kind = f"; the one there is {_name_kind(template)}" if template else ""
            message = f'There is no email template "{step.email}" (templates/{step.email}.mjml or .html){kind}.'
            nearest = find_nearest(step.email, emails)
            return [self._tell(f"{path}.email", message, suggestion=nearest, files=named)]
        if not step.subject and not template.subject:
            message = 'The email has no subject: write "subject" here or <mj-title> (of HTML: <title>) in the template.'
            made_of = (file for content in files.values() for file in content.files)
            return [self._tell(f"{path}.subject", message, files=(*named, *made_of))]
        return []

    def _check_sms(self, step: SmsStep, path: str, templates: Mapping[str, bundles.Template]) -> list[Conflict]:
        template = templates.get(step.sms)
        if template is not None and not template.html and not template.push:
            return []
        texts = [name for name, each in templates.items() if not each.html and not each.push]
        kind = f"; the one there is {_name_kind(template)}" if template else ""
        message = f'There is no SMS template "{step.sms}" (templates/{step.sms}.txt){kind}.'
        files = (self._file, *(f"templates/{step.sms}{ending}" for ending in (".txt", *EMAILS, ".json")))
        return [self._tell(f"{path}.sms", message, suggestion=find_nearest(step.sms, texts), files=files)]

    def _check_push(self, step: PushStep, path: str, templates: Mapping[str, bundles.Template]) -> list[Conflict]:
        template = templates.get(step.push)
        if template is not None and template.push:
            return []
        pushes = [name for name, each in templates.items() if each.push]
        kind = f"; the one there is {_name_kind(template)}" if template else ""
        message = f'There is no push template "{step.push}" (templates/{step.push}.json){kind}.'
        files = (self._file, *(f"templates/{step.push}{ending}" for ending in (".json", ".txt", *EMAILS)))
        return [self._tell(f"{path}.push", message, suggestion=find_nearest(step.push, pushes), files=files)]

    def _check_translation(self, step: EmailStep, path: str, file: str, content: TemplateFile) -> list[Conflict]:
        if not (read_locale(file) and is_email(file)) or step.subject or content.template.subject:
            return []
        message = f"The translation has no subject: write <mj-title>; {self._file} ({path}) says none."
        fault = Fault(file=file, message=message, example="<mj-head><mj-title>Hallo</mj-title></mj-head>")
        return [Conflict(fault, (*content.files, self._file))]

    def _check_shown(self, rule: Journey, file: str, content: TemplateFile) -> list[Conflict]:
        found = self._check_marketing(file, content) if rule.kind == "marketing" and is_email(file) else []
        for name in sorted(_ABSENT[rule.kind] & content.always):
            why = f"What is {rule.kind} has no {{{{ {name} }}}}, so nothing would be sent; {self._file} sends it."
            example = f"{{% if {name} %}}{{{{ {name} }}}}{{% endif %}}"
            fault = Fault(file=file, message=why, example=example)
            found.append(Conflict(fault, (*content.files, self._file), bearable=True))
        return found

    def _check_marketing(self, file: str, content: TemplateFile) -> list[Conflict]:
        """Demand in a marketing email, whatever the data are, the way out and the sender's postal address."""
        wanted = {
            "unsubscribe_url": '<a href="{{ unsubscribe_url }}">Unsubscribe</a>',
            "shop.postal_address": "{{ shop.postal_address }}",
        }
        return [
            Conflict(
                Fault(
                    file=file,
                    message=f"A marketing email must always show {{{{ {path} }}}}, outside of any if and for; "
                    f"{self._file} sends it.",
                    example=example,
                ),
                (*content.files, self._file),
            )
            for path, example in wanted.items()
            if path not in content.always
        ]

    def _refuse(self, path: str, message: str, *, files: tuple[str, ...] = (), example: str = "") -> None:
        fault = Fault(file=self._file, path=path, message=message, example=example)
        self.conflicts.append(Conflict(fault, files or (self._file,)))

    def _tell(self, path: str, message: str, *, files: tuple[str, ...], suggestion: str = "") -> Conflict:
        return Conflict(Fault(file=self._file, path=path, message=message, suggestion=suggestion), files)


def _name_kind(template: bundles.Template) -> str:
    if template.push:
        return "a push message"
    return "the plain text of an email" if template.html else "an SMS"


def _count_depth(path: str) -> int:
    """Return how many steps the step at a path is inside of."""
    return re.sub(r"\.choose(?=\[)", "", path.replace("].steps[", "][")).count(".")


def _compile_again(words: str) -> int | None:
    if words == "never":
        return None
    return 0 if words == "always" else parse_duration(words.removeprefix("after "))
