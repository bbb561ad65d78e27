"""Journeys as marketers write them become journeys as they are run."""

from collections.abc import Collection, Mapping, Set
from typing import Final, assert_never

from cartwake import bundles, journeys
from cartwake.conditions.kinds import Condition
from cartwake.events import COMPLAINED
from cartwake.rules.compile_conditions import ConditionCompiler
from cartwake.rules.compiling.desk import Shop
from cartwake.rules.condition_models import AnyCondition
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault, find_nearest
from cartwake.rules.files import SETTINGS, walk
from cartwake.rules.mjml import TemplateFile
from cartwake.rules.models import AnyStep, AnyTrigger, ByEvent, EmailStep, IfStep, Journey, SmsStep, WaitStep
from cartwake.rules.needs import Needs, compile_where
from cartwake.rules.translations import read_locale
from cartwake.statements import Channel
from cartwake.times import DAY, MINUTE, parse_duration
from cartwake.trackers import Need

MOST_STEPS: Final = 100
DEEPEST_BRANCHES: Final = 5
LONGEST_WAIT: Final = 365 * DAY
LONGEST_USE: Final = 30 * DAY
TRIGGERS_KEPT: Final = 5
"""How many of the latest triggering events are kept: a redelivered one is known for as long as it is among them."""

_TOPIC: Final = '"topics": { "new-arrivals": { "name": "New arrivals" } }'


class JourneyCompiler:
    """Compiles one journey file and collects what does not fit."""

    def __init__(self, file: str, shop: Shop, needs: Needs, *, demo: bool) -> None:
        self._conditions = ConditionCompiler(shop, needs)
        self.reads = self._conditions.reads
        self.conflicts: list[Conflict] = []
        self._file = file
        self._needs = needs
        self._zone = shop.zone
        self._demo = demo

    def compile(self, rule: Journey) -> journeys.Journey:
        """Return the compiled journey; what is wrong with it is in `conflicts`."""
        self._check_size(rule)
        return journeys.Journey(
            title=rule.name,
            kind=rule.kind,
            topic=rule.topic or "",
            status=rule.status,
            trigger=self._compile_trigger(rule.trigger, "trigger", latest=TRIGGERS_KEPT),
            filter=self._compile_condition(rule.filter, "filter") if rule.filter else None,
            exits=self._compile_exits(rule),
            again_ms=_compile_again(rule.again),
            steps=self._compile_steps(rule.steps, "steps"),
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
        elif rule.topic and rule.kind == "transactional":
            self._refuse("topic", "Transactional messages have no topic: they go to everybody whom they concern.")

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
                    found += self._check_email(step, path, templates)
                    for file, content in files.get(step.email, {}).items():
                        found += self._check_translation(step, path, file, content)
                        found += self._check_shown(rule, file, content.always)
                case SmsStep():
                    found += self._check_sms(step, path, templates)
                    for file, content in files.get(step.sms, {}).items():
                        found += self._check_shown(rule, file, content.always)
                case _:
                    continue
        return found

    def _compile_trigger(self, rule: AnyTrigger, path: str, *, latest: int) -> journeys.Trigger:
        match rule:
            case ByEvent():
                where = compile_where(rule.where, self._zone)
                tracker = self._needs.add(Need(event=rule.event, where=where, latest=latest))
                return journeys.Trigger(event=rule.event, where=where, tracker=tracker)
            case _:
                self.reads.segments.append((rule.segment, f"{path}.segment"))
                entered = rule.on == "entered"
                return journeys.Trigger(entered=rule.segment if entered else "", left="" if entered else rule.segment)

    def _compile_exits(self, rule: Journey) -> tuple[journeys.Trigger, ...]:
        """Return what ends a run: what the file says, and of marketing whatever calls it spam."""
        # One entry more: the event that started the run may itself be the last one.
        said = tuple(
            self._compile_trigger(trigger, f"exit[{index}]", latest=2) for index, trigger in enumerate(rule.exit)
        )
        if rule.kind != "marketing" or any(trigger.event == COMPLAINED and not trigger.where for trigger in said):
            return said
        return (*said, self._compile_trigger(ByEvent(event=COMPLAINED), "exit", latest=2))

    def _compile_condition(self, rule: AnyCondition, path: str) -> Condition:
        return self._conditions.compile(rule, path)

    def _compile_steps(self, steps: list[AnyStep], path: str) -> tuple[journeys.Step, ...]:
        return tuple(self._compile_step(step, f"{path}[{index}]") for index, step in enumerate(steps))

    def _compile_step(self, step: AnyStep, path: str) -> journeys.Step:
        match step:
            case WaitStep():
                return self._compile_wait(step, path)
            case EmailStep():
                use = self._compile_use(step.not_after, path)
                return journeys.Send(
                    channel=Channel.EMAIL,
                    template=step.email,
                    subject=step.subject or "",
                    not_after_ms=use,
                    held=step.held,
                    coupon=step.coupon or "",
                )
            case SmsStep():
                use = self._compile_use(step.not_after, path)
                return journeys.Send(
                    channel=Channel.SMS,
                    template=step.sms,
                    not_after_ms=use,
                    held=step.held,
                    coupon=step.coupon or "",
                )
            case IfStep():
                return journeys.Branch(
                    condition=self._compile_condition(step.if_, f"{path}.if"),
                    then=self._compile_steps(step.then, f"{path}.then"),
                    otherwise=self._compile_steps(step.else_ or [], f"{path}.else"),
                )
            case _:
                assert_never(step)

    def _compile_wait(self, step: WaitStep, path: str) -> journeys.Wait:
        for_ms = self._compile_time(step.wait, f"{path}.wait")
        at_most_ms = self._compile_time(step.at_most, f"{path}.at_most") if step.at_most else 0
        if step.at_most and not step.of_quiet:
            self._refuse(
                f"{path}.at_most", '"at_most" belongs to "of_quiet"; without it the wait is as long as it says.'
            )
        if step.at_most and at_most_ms < for_ms:
            self._refuse(f"{path}.at_most", f'The longest wait is shorter than the wait of "{step.wait}".')
        quiet = tuple(self._needs.add(Need(event=event, latest=1)) for event in step.of_quiet or ())
        return journeys.Wait(for_ms=for_ms, of_quiet=quiet, at_most_ms=at_most_ms)

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

    def _check_size(self, rule: Journey) -> None:
        paths = [path for path, _ in walk(rule.steps)]
        if len(paths) > MOST_STEPS:
            self._refuse("steps", f"There are {len(paths)} steps; at most {MOST_STEPS} are run.")
        deepest = max(paths, key=lambda path: path.count("."))
        if deepest.count(".") > DEEPEST_BRANCHES:
            self._refuse(deepest, f'"if" stands at most {DEEPEST_BRANCHES} deep in each other.')

    def _check_email(self, step: EmailStep, path: str, templates: Mapping[str, bundles.Template]) -> list[Conflict]:
        file = f"templates/{step.email}.mjml"
        template = templates.get(step.email)
        if template is None or not template.html:
            emails = [name for name, each in templates.items() if each.html]
            kind = "; the one there is an SMS" if template else ""
            message = f'There is no email template "{step.email}" ({file}){kind}.'
            nearest = find_nearest(step.email, emails)
            return [self._tell(f"{path}.email", message, suggestion=nearest, files=(self._file, file))]
        if not step.subject and not template.subject:
            message = 'The email has no subject: write "subject" here or <mj-title> in the template.'
            return [self._tell(f"{path}.subject", message, files=(self._file, file))]
        return []

    def _check_sms(self, step: SmsStep, path: str, templates: Mapping[str, bundles.Template]) -> list[Conflict]:
        template = templates.get(step.sms)
        if template is not None and not template.html:
            return []
        texts = [name for name, each in templates.items() if not each.html]
        kind = "; the one there is the plain text of an email" if template else ""
        message = f'There is no SMS template "{step.sms}" (templates/{step.sms}.txt){kind}.'
        files = (self._file, f"templates/{step.sms}.txt", f"templates/{step.sms}.mjml")
        return [self._tell(f"{path}.sms", message, suggestion=find_nearest(step.sms, texts), files=files)]

    def _check_translation(self, step: EmailStep, path: str, file: str, content: TemplateFile) -> list[Conflict]:
        if not (read_locale(file) and file.endswith(".mjml")) or step.subject or content.template.subject:
            return []
        message = f"The translation has no subject: write <mj-title>; {self._file} ({path}) says none."
        fault = Fault(file=file, message=message, example="<mj-head><mj-title>Hallo</mj-title></mj-head>")
        return [Conflict(fault, (file, self._file))]

    def _check_shown(self, rule: Journey, file: str, shown: Set[str]) -> list[Conflict]:
        if rule.kind == "marketing":
            return self._check_marketing(file, shown) if file.endswith(".mjml") else []
        if "unsubscribe_url" not in shown:
            return []
        why = (
            f"What is transactional has no {{{{ unsubscribe_url }}}}, so nothing would be sent; {self._file} sends it."
        )
        example = "{% if unsubscribe_url %}{{ unsubscribe_url }}{% endif %}"
        return [Conflict(Fault(file=file, message=why, example=example), (file, self._file))]

    def _check_marketing(self, file: str, shown: Set[str]) -> list[Conflict]:
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
                (file, self._file),
            )
            for path, example in wanted.items()
            if path not in shown
        ]

    def _refuse(self, path: str, message: str, *, files: tuple[str, ...] = (), example: str = "") -> None:
        fault = Fault(file=self._file, path=path, message=message, example=example)
        self.conflicts.append(Conflict(fault, files or (self._file,)))

    def _tell(self, path: str, message: str, *, files: tuple[str, ...], suggestion: str = "") -> Conflict:
        return Conflict(Fault(file=self._file, path=path, message=message, suggestion=suggestion), files)


def _compile_again(words: str) -> int | None:
    if words == "never":
        return None
    return 0 if words == "always" else parse_duration(words.removeprefix("after "))
