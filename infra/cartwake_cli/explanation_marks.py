"""Tags, scores and predictions of one shopper, and why they are what they are, in plain words."""

from cartwake.bundles import Bundle
from cartwake.conditions.kinds import Predicted
from cartwake.marks import Forecast, Tag, find_orders, forecast, list_tags, reckon_scores
from cartwake.profiles import Kind, Profile
from cartwake.segments import ProfileFacts, View, adopt, advance
from cartwake.times import Instant
from cartwake_cli.condition_words import Speaker
from cartwake_cli.lacks import find_lack
from cartwake_cli.reasons_tree import Reason, find_points, list_lacks
from cartwake_cli.sections import Section
from cartwake_cli.value_words import say_day, say_number


def look_at(profile: Profile, rules: Bundle | None, now: Instant) -> View | None:
    """Return a profile as the functions would see it now, under the live rules; None where there is nothing to see."""
    if rules is None or profile.kind is not Kind.PROFILE or profile.version == 0:
        return None
    current, _ = advance(adopt(profile, rules, now), rules, now)
    return View(current.state, rules, max(now, current.state.evaluated_at))


def explain_tags(view: View | None) -> Section:
    """Return every tag, and where it comes from."""
    tags = list_tags(view.state, view.rules, view.now) if view else []
    return Section(
        title="tags",
        columns=("tag", "why"),
        lines=tuple((tag.name, _say_origin(tag, view.rules)) for tag in tags if view),
        empty="there is none",
    )


def explain_scores(view: View | None) -> Section:
    """Return every score, its value, and what brings points."""
    scores = reckon_scores(view.state, view.rules, view.now) if view else {}
    return Section(
        title="scores",
        columns=("score", "title", "value", "made of"),
        lines=tuple(
            (name, view.rules.scores[name].title, _say_score(value), _sum_up(find_points(name, view)))
            for name, value in scores.items()
            if view
        ),
        empty="no score is defined",
    )


def explain_predictions(view: View | None) -> Section:
    """Return what the shopper's orders let expect."""
    seen = forecast(view.state, view.rules, view.now) if view else None
    return Section(
        title="predictions",
        columns=("what", "says"),
        lines=_say_forecast(seen, view) if seen and seen.history and view else (),
        empty="there was no order" if seen else _say_missing(view),
    )


def _say_origin(tag: Tag, rules: Bundle) -> str:
    if not tag.by:
        return "set by hand or by an import"
    return f"by the segment {Speaker(rules).name_segment(tag.by)}{', and stays' if tag.sticky else ''}"


def _say_score(value: float | None) -> str:
    return "not known" if value is None else say_number(value)


def _sum_up(parts: tuple[Reason, ...]) -> str:
    """Return what brings points now, and what is not known; what brings none is left out."""
    told = [(part.there.removesuffix(" now"), part) for part in parts]
    brought = [f"{number} ({part.says})" for number, part in told if number not in ("", "0", "-0")]
    lacking = [f"not known: {says}, {lack}" for part in parts for says, lack in list_lacks(part)]
    return "; ".join(brought + lacking) or "nothing brings points now"


def _say_forecast(seen: Forecast, view: View) -> tuple[tuple[str, str], ...]:
    history, currency = seen.history, view.rules.settings.currency
    if history is None:
        return ()
    lines = [
        ("orders", f"{history.orders:,} until now, worth {say_number(seen.value)} {currency}"),
        ("next order", _say_next(seen, view)),
        ("churn risk", _say_risk(seen, view)),
    ]
    if seen.expected_orders is not None and seen.expected_value is not None:
        worth = f"worth {say_number(seen.expected_value)} {currency}"
        lines.append(("next 365 days", f"{say_number(seen.expected_orders)} orders are expected, {worth}"))
    return tuple(lines)


def _say_next(seen: Forecast, view: View) -> str:
    history = seen.history
    if history is None or history.next_order_at is None or history.rhythm_days is None:
        return "one day with orders makes no rhythm"
    zone = ProfileFacts(view.state, view.rules).zone
    verb = "expected about" if history.next_order_at > view.now else "was expected about"
    rhythm = f"{say_number(history.rhythm_days)} day{'' if history.rhythm_days == 1 else 's'}"
    return f"{verb} {say_day(history.next_order_at, zone)}, from a rhythm of {rhythm}"


def _say_risk(seen: Forecast, view: View) -> str:
    if seen.churn_risk is not None:
        return f"{seen.churn_risk:.0f} %"
    if view.rules.predictions is None:
        return "no model was fitted: cartwake fit"
    return "one day with orders says nothing of it"


def _say_missing(view: View | None) -> str:
    if view is None:
        return "nothing is known"
    orders = find_orders(view.rules)
    return str(find_lack(Predicted(of="orders", tracker=orders), view, "")) if orders else "no rule asks for any"
