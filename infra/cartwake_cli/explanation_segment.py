"""Why one shopper is in a segment, or is not: what is stored, and what the definition says part by part."""

from dataclasses import dataclass
from typing import Any

from cartwake.bundles import Bundle
from cartwake.conditions.kinds import InSegment
from cartwake.profiles import Kind, Membership, Profile
from cartwake.rules.faults import find_nearest
from cartwake.segments import is_member
from cartwake.telemetry import name_who
from cartwake.times import Instant, format_instant
from cartwake_cli.explanation_marks import look_at
from cartwake_cli.faults import Fault
from cartwake_cli.reasons_tree import Reason, find_reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentExplanation:
    """A membership as it is stored, and why it is so."""

    who: str
    keys: tuple[str, ...]
    segment: str
    stored: Membership | None
    reason: Reason

    @property
    def names_in_logs(self) -> dict[str, str]:
        """What stands in logs for each key."""
        return {key: name_who(key) for key in self.keys}

    @property
    def summary(self) -> str:
        """The membership as it is stored, in words."""
        stored = self.stored
        if stored is None or not stored.entered_at:
            return f'was never in "{self.segment}"'
        if is_member(stored):
            return f'in "{self.segment}" since {format_instant(stored.since)}'
        left = f", left {format_instant(stored.left_at)}" if stored.left_at else ""
        return f'not in "{self.segment}" now: entered {format_instant(stored.entered_at)}{left}'

    def as_data(self) -> dict[str, Any]:
        """Return plain data, for `--json`."""
        return {
            "who": self.who,
            "keys": list(self.keys),
            "in logs": self.names_in_logs,
            "segment": self.segment,
            "member": is_member(self.stored),
            "stored": self.summary,
            "reason": self.reason.as_data(),
        }


def explain_membership(profile: Profile, rules: Bundle | None, segment: str, *, now: Instant) -> SegmentExplanation:
    """Return why somebody is in a segment, or is not.

    Raises:
        Fault: There is no such segment, or nothing is known of the shopper.
    """
    if rules is None:
        raise Fault("no rules are live; upload settings.json to the bucket")
    if segment not in rules.segments:
        nearest = find_nearest(segment, rules.segments)
        raise Fault(f'there is no segment "{segment}"' + (f'; did you mean "{nearest}"?' if nearest else ""))
    view = look_at(profile, rules, now)
    if view is None:
        raise Fault("the shopper's data was erased" if profile.kind is Kind.TOMBSTONE else "there is no profile yet")
    return SegmentExplanation(
        who=profile.who,
        keys=profile.keys,
        segment=segment,
        stored=profile.state.memberships.get(segment),
        reason=find_reason(InSegment(segment=segment), view),
    )
