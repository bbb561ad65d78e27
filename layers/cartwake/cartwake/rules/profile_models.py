"""Models of conditions on who somebody is: traits, dates, consent, tags, scores."""

from typing import Annotated, Final, Literal

from pydantic import Discriminator, Field, model_validator
from pydantic import Tag as As

from cartwake.rules.base import Rule, complain
from cartwake.rules.value_models import Bounds, ValueTests, WhereValue, check_bounds, need_bound
from cartwake.rules.words import Duration, Name, TagName, TraitName, is_list
from cartwake.times import DAY, parse_duration

Channel = Literal["email", "sms", "push"]
MOMENTS: Final = ("first_seen", "last_seen")
_PERCENT: Final = 100


class DateTests(Rule):
    """A date, as it is seen from now."""

    in_last: Duration | None = Field(
        None, description="The date lies in the past, not longer ago than this.", examples=["30 days"]
    )
    before: Duration | None = Field(None, description="The date lies longer ago than this.", examples=["30 days"])

    @model_validator(mode="after")
    def _in_order(self) -> "DateTests":
        if self.in_last and self.before and parse_duration(self.in_last) <= parse_duration(self.before):
            message = f"What lies in the last {self.in_last} is not longer ago than {self.before}: no time is left."
            raise complain(message, path="before", example='"in_last": "60 days", "before": "30 days"')
        return self


class FutureDateTests(DateTests):
    """A date, as it is seen from now; it may lie ahead."""

    in_next: Duration | None = Field(
        None, description="The date lies ahead, by not more than this.", examples=["7 days"]
    )

    @model_validator(mode="after")
    def _one_direction(self) -> "FutureDateTests":
        other = "in_last" if self.in_last else "before" if self.before else ""
        if self.in_next and other:
            raise complain(f'"{other}" and "in_next" exclude each other; keep one of them.', path="in_next")
        return self

    @property
    def is_dated(self) -> bool:
        """Whether anything is said of when it is."""
        return any((self.in_last, self.before, self.in_next))


class Trait(ValueTests, FutureDateTests):
    """A trait of the shopper passes all of the tests."""

    begins = "trait"
    shown = (
        {"trait": "plan", "is": ["gold", "silver"]},
        {"trait": "age", "at_least": 18, "less_than": 65},
        {"trait": "phone", "exists": True},
        {"trait": "contract_ends", "in_next": "30 days"},
    )
    elsewhere = {"after": 'A date after another one says "more_than"; one seen from now "in_last" or "in_next".'}
    trait: TraitName = Field(description="The name of the trait; inner ones with dots.", examples=["phone"])

    @model_validator(mode="after")
    def _need_one(self) -> "Trait":
        if not self.is_tested and not self.is_dated:
            raise complain("What the trait is compared with is missing.", example='"exists": true', path="exists")
        return self


class AgeOf(Rule):
    """Full years since a date, by the shopper's own calendar; a date that lies ahead is no age."""

    begins = "age_of"
    shown = ({"age_of": "birthday", "at_least": 18, "less_than": 30},)
    age_of: TraitName = Field(description="The trait that holds the date.", examples=["birthday"])
    at_least: int | None = Field(None, ge=0, le=150, description="This many years or more.", examples=[18])
    at_most: int | None = Field(None, ge=0, le=150, description="This many years or less.", examples=[64])
    more_than: int | None = Field(None, ge=0, le=150, description="More years than this.", examples=[17])
    less_than: int | None = Field(None, ge=0, le=150, description="Fewer years than this.", examples=[30])

    @model_validator(mode="after")
    def _fit(self) -> "AgeOf":
        check_bounds(self)
        need_bound(self, "the age")
        return self


class AnniversaryOf(Rule):
    """A day of the year, such as a birthday, comes or was; by the shopper's own calendar, today included."""

    begins = "anniversary_of"
    shown = (
        {"anniversary_of": "birthday", "in_next": "3 days"},
        {"anniversary_of": "birthday", "today": True},
        {"anniversary_of": "created_at", "in_last": "7 days"},
    )
    anniversary_of: TraitName = Field(description="The trait that holds the date.", examples=["birthday"])
    in_next: Duration | None = Field(
        None, description="It is today or on one of so many days to come.", examples=["3 days"]
    )
    in_last: Duration | None = Field(
        None, description="It is today or was on one of so many days.", examples=["7 days"]
    )
    today: Literal[True] | None = Field(None, description="It is today.", examples=[True])

    @model_validator(mode="after")
    def _one_of_three(self) -> "AnniversaryOf":
        said = [name for name in ("in_next", "in_last", "today") if getattr(self, name) is not None]
        if not said:
            raise complain("When it is is missing.", path="in_next", example='"in_next": "3 days"')
        if len(said) > 1:
            raise complain(f'"{said[0]}" and "{said[1]}" exclude each other; keep one of them.', path=said[1])
        words = getattr(self, said[0])
        if words is not True and (parse_duration(words) % DAY or not 0 < parse_duration(words) <= 180 * DAY):
            raise complain("Should be whole days, at most 180.", path=said[0], example='"3 days"')
        return self


_Status = Literal["subscribed", "unsubscribed", "pending", "never_asked"]


class Consent(DateTests):
    """What somebody said to messages by a channel: the latest word that counts.

    pending: a subscription was asked for, and the mail that asks for the yes is not answered; its time is that of the
    request.
    """

    begins = "consent"
    shown = (
        {"consent": "email", "is": "subscribed"},
        {"consent": "email", "is": "subscribed", "method": "form", "in_last": "30 days"},
        {"consent": "email", "is": "pending", "before": "2 days"},
        {"consent": "sms", "is": ["unsubscribed", "never_asked"]},
    )
    consent: Channel = Field(description="The channel.", examples=["email"])
    is_: Annotated[
        Annotated[_Status, As("<value>")] | Annotated[list[_Status], Field(min_length=1, max_length=4), As("<list>")],
        Discriminator(is_list),
    ] = Field("subscribed", alias="is", description="The state, or several of them.", examples=["subscribed"])
    method: WhereValue | None = Field(
        None,
        description="How it was given or withdrawn, as the event said it: a value, a list, or tests.",
        examples=["form"],
    )

    @model_validator(mode="after")
    def _was_asked(self) -> "Consent":
        if self.is_ == "never_asked":
            said = next((name for name in ("method", "in_last", "before") if getattr(self, name) is not None), "")
            if said:
                raise complain("Who was never asked has said nothing at any time.", path=said)
        return self


class ReachableBy(Rule):
    """Marketing can reach the shopper: there is an address, consent, and nothing that blocks it."""

    begins = "reachable_by"
    shown = ({"reachable_by": "email"},)
    reachable_by: Channel = Field(description="The channel.", examples=["email", "sms"])


class Tag(Rule):
    """The shopper has a tag: set by a segment, by hand or by an import."""

    begins = "tag"
    shown = ({"tag": "wholesale"},)
    tag: TagName = Field(description="The tag; upper and lower case are one.", examples=["vip"])


class Score(Bounds):
    """A score of the shopper, from scores/<name>.json, against a bound."""

    begins = "score"
    shown = ({"score": "engagement", "at_least": 50},)
    score: Name = Field(description="The score's file name without .json.", examples=["engagement"])

    @model_validator(mode="after")
    def _need_bound(self) -> "Score":
        need_bound(self, "the score")
        return self


class Share(Rule):
    """A share of all shoppers, always the same ones: for hold-outs and slow starts."""

    begins = "share"
    shown = ({"share": 10, "of": "newsletter-test"},)
    share: float = Field(
        gt=0, le=_PERCENT, description="How many percent of them.", examples=[10, 0.5], allow_inf_nan=False
    )
    of: Name = Field(
        description="The draw: a name of your own. The same name draws the same shoppers, another name others.",
        examples=["newsletter-test"],
    )


Fact = Literal[
    "language",
    "country",
    "timezone",
    "locale",
    "device",
    "first_seen",
    "last_seen",
    "first_visit.utm_source",
    "first_visit.utm_medium",
    "first_visit.utm_campaign",
    "first_visit.utm_term",
    "first_visit.utm_content",
    "last_visit.utm_source",
    "last_visit.utm_medium",
    "last_visit.utm_campaign",
    "last_visit.utm_term",
    "last_visit.utm_content",
]


class Profile(ValueTests, DateTests):
    """Something that Cartwake itself knows of the shopper."""

    begins = "profile"
    shown = (
        {"profile": "language", "is": ["de", "pl"]},
        {"profile": "device", "is": "mobile"},
        {"profile": "first_visit.utm_source", "is": "google"},
        {"profile": "last_seen", "before": "30 days"},
    )
    profile: Fact = Field(
        description="Which of it. device is mobile, tablet or desktop; first_visit and last_visit are the first and "
        "the last one that came with UTM tags; first_seen and last_seen are dates: they take in_last and before.",
        examples=["language", "device", "first_visit.utm_source", "last_seen"],
    )

    @model_validator(mode="after")
    def _fit_fact(self) -> "Profile":
        dated = bool(self.in_last or self.before)
        if self.profile in MOMENTS and (self.is_tested or not dated):
            message = f'"{self.profile}" is a date, seen from now: say "in_last" or "before", and nothing else.'
            raise complain(message, path="in_last", example='"in_last": "30 days"')
        if self.profile not in MOMENTS and (dated or not self.is_tested):
            message = f'What "{self.profile}" is compared with is missing; "in_last" and "before" are for dates.'
            raise complain(message, path="is", example='"is": "de"')
        return self
