"""Models of campaigns/*.json: what everybody in a segment gets at a time."""

import re
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from cartwake.rules.base import File, Rule, complain
from cartwake.rules.condition_models import Condition
from cartwake.rules.models import Journey
from cartwake.rules.step_models import SplitStep, Step
from cartwake.rules.trigger_models import BySegment, Exit
from cartwake.rules.words import Duration, Line, Name, Number

FOLDER: Final = "campaigns"
_LOCAL: Final = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$"
_EXAMPLE: Final = '"at": "2026-12-01T09:00"'
_ALL: Final = 100


def _check_local(text: str) -> str:
    try:
        good = re.fullmatch(_LOCAL, text) is not None and datetime.fromisoformat(text).year > 0
    except ValueError:
        good = False
    if not good:
        nearest = text.strip().replace(" ", "T")[:16]
        raise complain(
            "Should be a day and a time of day by the clock that timezone names: year, month, day, T, hour and minute.",
            suggestion=nearest if re.fullmatch(_LOCAL, nearest) and nearest != text else "",
            example=_EXAMPLE,
        )
    return text


LocalTime = Annotated[str, AfterValidator(_check_local), WithJsonSchema({"type": "string", "pattern": _LOCAL})]


class TestFirst(Rule):
    """A part of the recipients begins first; by the time the rest do, a test may have its winner."""

    __test__ = False
    percent: Annotated[Number, Field(gt=0, lt=_ALL)] = Field(
        description="How many of a hundred recipients begin first.", examples=[20]
    )
    rest_after: Duration = Field(description="How much later the rest begin.", examples=["4 hours"])


class Campaign(File):
    """campaigns/<name>.json: what everybody in a segment gets at a time.

    It is a journey that nothing triggers, of kind marketing: consent, caps, quiet hours and budgets hold for it as for
    others. Who is a member when it begins gets it, and nobody gets it twice.
    """

    elsewhere = {
        "trigger": 'Nothing triggers a campaign: "to" says who gets it, "at" when.',
        "segment": 'Who gets it is said by "to": the name of a segment.',
        "again": "A campaign is sent once; for another time write another file.",
        "kind": "A campaign is always marketing.",
        "subject": 'The subject stands in the step: "steps": [{"email": "spring", "subject": "Spring is here"}].',
        "email": 'Messages stand in the steps: "steps": [{"email": "spring"}].',
        "push": 'Messages stand in the steps: "steps": [{"push": "spring"}].',
        "sms": 'Messages stand in the steps: "steps": [{"sms": "spring"}].',
    }
    name: Line = Field(description="What people call it.", examples=["Spring news"])
    status: Literal["draft", "live", "paused", "archived"] = Field(
        "draft",
        description="draft sends nothing; live sends when its time comes; paused holds it where it is; archived ends "
        "it: nobody else gets it.",
        examples=["live"],
    )
    to: Name = Field(description="The segment whose members get it: its file name without .json.", examples=["engaged"])
    at: LocalTime = Field(description="When, by the clock that timezone names.", examples=["2026-12-01T09:00"])
    timezone: Literal["shop", "recipient"] = Field(
        "shop",
        description="Whose clock: the shop's, or each recipient's own, where it is known. Where a recipient's clock "
        "has already passed the time as the campaign begins, they get it at once.",
        examples=["recipient"],
    )
    spread: Duration | None = Field(
        None,
        description="Recipients are spread over this time, by chance; besides, no more begin a second than send_rate "
        "in settings.json says.",
        examples=["4 hours"],
    )
    test_first: TestFirst | None = Field(
        None,
        description="A part of the recipients begins first, and the rest so much later: for a test among the steps "
        "that finds its winner.",
        examples=[{"percent": 20, "rest_after": "4 hours"}],
    )
    topic: Name | None = Field(
        None,
        description="What its messages are about: a name in topics of settings.json. Who refuses the topic gets none.",
        examples=["new-arrivals"],
    )
    filter: Condition | None = Field(
        None,
        description="Must hold besides when somebody's turn comes, and again before every message.",
        examples=[{"did_not": "Order Completed", "in_last": "1 day"}],
    )
    exit: list[Exit] = Field(
        [], max_length=20, description="What ends it for a recipient.", examples=[[{"event": "Order Completed"}]]
    )
    steps: list[Step] = Field(
        min_length=1,
        description="What happens, in order, as in a journey; often one message.",
        examples=[[{"email": "spring", "subject": "Spring is here"}]],
    )

    @model_validator(mode="after")
    def _whole(self) -> "Campaign":
        tests = [step for step in self.steps if isinstance(step, SplitStep) and step.test]
        if self.test_first is not None and not tests:
            raise complain(
                "There is no test among the steps that the first ones could decide.",
                path="test_first",
                example='"steps": [{"test": "subject", "split": [ … ]}]',
            )
        return self

    @property
    def journey(self) -> Journey:
        """The journey that it is, for whatever looks at steps, messages and conditions."""
        return Journey.model_construct(
            name=self.name,
            kind="marketing",
            topic=self.topic,
            status=self.status,
            trigger=BySegment(segment=self.to),
            filter=self.filter,
            exit=self.exit,
            again="never",
            steps=self.steps,
        )
