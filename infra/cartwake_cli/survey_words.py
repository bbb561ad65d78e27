"""What a survey found, in words and as plain data."""

from typing import Any

from cartwake.conditions.kinds import InSegment
from cartwake.telemetry import name_who
from cartwake.times import DAY
from cartwake_cli.reasons_tree import Reason, find_reason
from cartwake_cli.survey import SHOWN, Missing, Survey
from cartwake_cli.trying import Fate, Finding
from cartwake_cli.value_words import say_about

TITLES = {Fate.ENTERS: "would enter", Fate.LEAVES: "would leave", Fate.STAYS: "would stay"}


def find_why(finding: Finding, survey: Survey) -> Reason:
    """Return why somebody would be in the segment, or would not."""
    return find_reason(InSegment(segment=survey.trial.segment), finding.view)


def say_summary(survey: Survey) -> list[str]:
    """Return the counts as sentences."""
    fates, both = survey.fates, survey.fates[Fate.STAYS]
    segment = survey.trial.candidate.segments[survey.trial.segment]
    lines = [
        f'"{survey.trial.segment}" ({segment.title}): {survey.members:,} of {say_people(survey.people)} would be in it.'
    ]
    if survey.trial.live is None or survey.trial.segment not in survey.trial.live.segments:
        lines.append("There is no such segment yet in what is live: all of them would enter.")
    else:
        lines.append(
            f"In the live version now: {survey.members_live:,}, of whom {both:,} would stay; "
            f"{fates[Fate.ENTERS]:,} would enter, {fates[Fate.LEAVES]:,} would leave."
        )
    if survey.backfilled:
        lines.append(f"For {say_people(survey.backfilled)}, history was read from the stored events.")
    if survey.unknown:
        lines.append(f"For {say_people(survey.unknown)}, it is not known: their membership would stay as it is.")
    return lines


def say_missing(survey: Survey) -> list[str]:
    """Return what is not known, and how much of it is."""
    return [
        f"{says}: {why}{_say_extent(missing)} ({say_people(missing.people)})"
        for (says, why), missing in sorted(survey.missing.items(), key=lambda each: -each[1].people)
    ]


def say_people(count: int) -> str:
    """Return how many people: `1 person`, `20 people`."""
    return "1 person" if count == 1 else f"{count:,} people"


def show_survey(survey: Survey) -> dict[str, Any]:
    """Return plain data, for `--json`."""
    segment = survey.trial.candidate.segments[survey.trial.segment]
    return {
        "segment": survey.trial.segment,
        "title": segment.title,
        "people": survey.people,
        "members": survey.members,
        "members_live": survey.members_live,
        "in_both": survey.fates[Fate.STAYS],
        "enter": survey.fates[Fate.ENTERS],
        "leave": survey.fates[Fate.LEAVES],
        "unknown": survey.unknown,
        "backfilled": survey.backfilled,
        "missing": [_show_missing(*each) for each in survey.missing.items()],
        "samples": {
            TITLES[fate].removeprefix("would "): [_show_person(each, survey) for each in survey.list_sample(fate)]
            for fate in SHOWN
        },
    }


def _say_extent(missing: Missing) -> str:
    least, most = missing.least_ms, missing.most_ms
    if least is None or most is None:
        return ""
    if most < 1:
        return ", nothing is there"
    if say_about(least) == say_about(most):
        return f", {say_about(most)} are there"
    return f", {say_about(least) if least else 'nothing'} to {say_about(most)} are there"


def _show_missing(what: tuple[str, str], missing: Missing) -> dict[str, Any]:
    days = [None if each is None else each // DAY for each in (missing.least_ms, missing.most_ms)]
    return {"says": what[0], "needs": what[1], "people": missing.people, "days_there": days}


def _show_person(finding: Finding, survey: Survey) -> dict[str, Any]:
    profile = finding.profile
    return {
        "who": profile.who,
        "keys": list(profile.keys),
        "in logs": {key: name_who(key) for key in profile.keys},
        "reason": find_why(finding, survey).as_data(),
    }
