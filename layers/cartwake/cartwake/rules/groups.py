"""Groups: the conditions lifecycle and engagement, spelled out in other conditions."""

from typing import Any

from cartwake.rules.group_models import EngagementSettings, LifecycleSettings, Orders

type Spelled = dict[str, Any]
"""A condition as one would write it."""


def spell_lifecycle(rule: LifecycleSettings, orders: Orders) -> dict[str, Spelled]:
    """Return what each group of the lifecycle stands for: they are disjoint, and everybody is in one of them.

    First by the time since the last order, then by the number of orders, and, where settings.json says what a champion
    spends, by the average order.
    """
    order = orders.event
    recent, cool, cold, gone = (
        {"last": order, "in_last": rule.needs_attention_after},
        {"last": order, "before": rule.needs_attention_after, "in_last": rule.at_risk_after},
        {"last": order, "before": rule.at_risk_after, "in_last": rule.about_to_lose_after},
        {"last": order, "before": rule.about_to_lose_after, "in_last": rule.lost_after},
    )
    best: list[Spelled] = [{"did": order, "at_least": rule.champion_orders, "in_last": rule.period}]
    if rule.champion_value is not None:
        value = {"average_of": orders.amount, "on": order, "at_least": rule.champion_value, "in_last": rule.period}
        best.append(value)
    return {
        "prospect": {"did_not": order},
        "new": {"all": [recent, {"did": order, "exactly": 1}]},
        "champions": {"all": [recent, *best]},
        "loyal": {"all": [recent, {"did": order, "at_least": 2}, {"none": [{"all": best}]}]},
        "promising": {"all": [cool, {"did": order, "at_most": 1, "in_last": rule.period}]},
        "needs_attention": {"all": [cool, {"did": order, "at_least": 2, "in_last": rule.period}]},
        "at_risk": cold,
        "about_to_lose": gone,
        "lost": {"last": order, "before": rule.lost_after},
    }


def tell_lifecycle(rule: LifecycleSettings) -> dict[str, str]:
    """Return a line on each group of the lifecycle."""
    value = f" for {rule.champion_value:g} or more on average" if rule.champion_value is not None else ""
    first, second = rule.needs_attention_after, rule.at_risk_after
    third, fourth = rule.about_to_lose_after, rule.lost_after
    return {
        "prospect": "Has never ordered.",
        "new": f"Has ordered once, in the last {first}.",
        "champions": f"Ordered in the last {first}, and {rule.champion_orders} times or more{value} in {rule.period}.",
        "loyal": f"Ordered in the last {first}, not for the first time, and is no champion.",
        "promising": f"Last ordered {first} to {second} ago, and at most once in {rule.period}.",
        "needs_attention": f"Last ordered {first} to {second} ago, and more than once in {rule.period}.",
        "at_risk": f"Last ordered {second} to {third} ago.",
        "about_to_lose": f"Last ordered {third} to {fourth} ago.",
        "lost": f"Last ordered more than {fourth} ago.",
    }


def spell_engagement(rule: EngagementSettings) -> dict[str, Spelled]:
    """Return what each group of engagement stands for: they are disjoint, and everybody is in one of them."""
    clicked = [{"did": event, "in_last": rule.clicker_for} for event in rule.clicks]
    acted = [{"did": event, "in_last": rule.active_for} for event in dict.fromkeys((*rule.clicks, *rule.signs))]
    return {
        "clicker": {"any": clicked},
        "active": {"all": [{"any": acted}, {"none": clicked}]},
        "inactive": {"none": [*clicked, *acted]},
    }


def tell_engagement(rule: EngagementSettings) -> dict[str, str]:
    """Return a line on each group of engagement."""
    return {
        "clicker": f"Clicked in a message in the last {rule.clicker_for}.",
        "active": f"Is no clicker, and did something in the last {rule.active_for}: {', '.join(rule.signs)}.",
        "inactive": "Did nothing of the kind.",
    }
