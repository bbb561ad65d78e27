"""settings.json becomes the settings that functions read."""

from typing import Final

from cartwake import bundles
from cartwake.rules.settings_models import Hours, Settings, Topic
from cartwake.statements import Channel
from cartwake.times import parse_duration

PLACEHOLDER: Final = bundles.Settings(shop=bundles.Shop(name=""), sender=bundles.Sender(email=""))
"""Stands in while a part of the files is checked without settings.json."""


def compile_settings(rule: Settings) -> bundles.Settings:
    """Return the compiled settings."""
    shop, sender = rule.shop, rule.sender
    said = rule.sending_hours
    hours = {Channel.EMAIL: said.email, Channel.SMS: said.sms, Channel.PUSH: said.push}
    caps = {Channel.EMAIL: rule.caps.email, Channel.SMS: rule.caps.sms, Channel.PUSH: rule.caps.push}
    return bundles.Settings(
        shop=bundles.Shop(
            name=shop.name,
            url=shop.url.rstrip("/"),
            postal_address=shop.postal_address,
            logo_url=shop.logo_url or "",
            color=shop.color,
            hosts=tuple(shop.hosts),
        ),
        sender=bundles.Sender(
            email=sender.email,
            name=sender.name or shop.name,
            reply_to=sender.reply_to or "",
            sms_name=sender.sms_name or "",
            sms_by_country=dict(sender.sms_by_country),
        ),
        timezone=rule.timezone,
        currency=rule.currency,
        language=rule.language,
        cap_ms={channel: _compile_cap(each) for channel, each in caps.items()},
        hours={channel: _compile_hours(each) for channel, each in hours.items() if each is not None},
        budgets={
            channel: each
            for channel, each in (
                (Channel.EMAIL, rule.budgets.email),
                (Channel.SMS, rule.budgets.sms),
                (Channel.PUSH, rule.budgets.push),
                (Channel.WEBHOOK, rule.budgets.webhook),
            )
            if each is not None
        },
        demo=rule.demo,
        send_rate=rule.send_rate,
        limit_moved=rule.limits.moved_people,
        order_event=rule.orders.event,
        tracking=rule.tracking,
        utm={f"utm_{name}": value for name, value in rule.utm.model_dump(exclude_none=True).items()},
        webhook_hosts=tuple(rule.webhooks.hosts),
        topics={name: _compile_topic(topic) for name, topic in rule.topics.items()},
    )


def _compile_topic(topic: Topic) -> bundles.Topic:
    others = {
        language: bundles.TopicWords(name=words.name, text=words.text or "")
        for language, words in topic.translations.items()
    }
    return bundles.Topic(name=topic.name, text=topic.text or "", translations=others)


def _compile_cap(words: str) -> int:
    return 0 if words == "none" else parse_duration(words)


def _compile_hours(hours: Hours) -> bundles.QuietHours:
    return bundles.QuietHours(opens_minute=_minute_of(hours.from_), closes_minute=_minute_of(hours.to))


def _minute_of(time: str) -> int:
    hour, minute = time.split(":")
    return int(hour) * 60 + int(minute)
