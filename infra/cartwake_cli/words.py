"""Reasons in plain words."""

from typing import Final

from cartwake.reasons import EndReason, NotEntered, Refusal, Skip

SKIPPED: Final[dict[str, str]] = {
    Skip.FILTER: "the journey's filter no longer lets this shopper through",
    Skip.FILTER_UNKNOWN: "too little is known to answer the journey's filter",
    Skip.CONDITION: "the step's own condition does not hold",
    Skip.EXITED: "what ends the journey had happened",
    Skip.RUN_ENDED: "the journey had ended",
    Skip.PAUSED: "the journey is paused",
    Skip.NO_ADDRESS: "no address that the shop's server vouched for",
    Skip.NO_APPLICATION: "the stack has no platform application for this kind of device (PushApple, PushAndroid)",
    Skip.NO_CONSENT: "the shopper never agreed to receive it",
    Skip.UNSUBSCRIBED: "the shopper has unsubscribed",
    Skip.ALREADY_SUBSCRIBED: "the address has said yes already, so there is nothing to confirm",
    Skip.ASKED_TODAY: "a mail went to this mailbox in the last 24 hours that asked for the yes",
    Skip.BOUNCED: "mail to this address bounced",
    Skip.COMPLAINED: "the shopper marked an earlier mail as spam",
    Skip.BUDGET: "the day's budget was spent",
    Skip.SENDING_HOURS: "the sending hours open only after its last useful moment",
    Skip.TOPIC_REFUSED: "the shopper chose to hear nothing of this topic",
    Skip.ON_PAUSE: "the shopper asked for a pause, and it is not over",
    Skip.FREQUENCY_CAP: "another message went to this address a moment ago",
    Skip.TOO_LATE: "its last useful moment had passed",
    Skip.TEMPLATE: "the template could not be rendered",
    Skip.TEMPLATE_GONE: "the template is gone",
    Skip.NO_COUPON: "no coupon was left to be given",
    Skip.ERASED: "the shopper's data was erased",
    Skip.REFUSED_BY_PROVIDER: "the service that it was handed to refused it",
    Skip.OUTCOME_UNKNOWN: "nobody knows whether it went out, so it is not sent again",
    Skip.HOST_REFUSED: "its host is not in settings.json, or leads to a private network",
    Skip.NOT_TAKEN: "the other system did not take it, however often it was tried",
}
NOT_ENTERED: Final[dict[str, str]] = {
    NotEntered.ALREADY_ACTIVE: "it is under way for this shopper already",
    NotEntered.SAME_RUN: "this very trigger has started it before",
    NotEntered.ENTERED_BEFORE: "this shopper entered it a moment ago",
    NotEntered.FILTER: "its filter does not let this shopper through",
    NotEntered.FILTER_UNKNOWN: "too little is known to answer its filter",
    NotEntered.PAUSED: "it is paused",
    NotEntered.HEARSAY: "only a browser says so, and this is done on a server's word alone",
    NotEntered.NO_KEY: "the event does not say of which it is: it lacks the journey's key",
    NotEntered.TOO_MANY_RUNS: "as many runs of it as may be go on for this shopper already",
    NotEntered.DATE_MOVED: "the date was moved a moment before",
    NotEntered.TOO_OLD: "what happened came in before it was live, or more than 15 days ago",
    NotEntered.ERASED: "the shopper's data was erased",
}
ENDED: Final[dict[str, str]] = {
    EndReason.COMPLETED: "all its steps are done",
    EndReason.EXITED: "what ends it happened",
    EndReason.ARCHIVED: "it was archived",
    EndReason.MERGED: "an earlier run of the same shopper goes on",
    EndReason.ERASED: "the shopper's data was erased",
    EndReason.STEP_GONE: "its next step is gone",
}
REFUSED: Final[dict[str, str]] = {
    Refusal.INVALID_JSON: "the request was no JSON",
    Refusal.DAMAGED_GZIP: "the request was compressed, and damaged on the way",
    Refusal.BODY_TOO_LARGE: "the request was too large",
    Refusal.UNKNOWN_KEY: "the write key is not known, or was revoked",
    Refusal.ORIGIN_NOT_ALLOWED: "the write key may not be used from that site",
    Refusal.UNKNOWN_ROUTE: "there is no such call",
    Refusal.INVALID_EVENT: "a part of it is not what it should be",
    Refusal.EVENT_TOO_LARGE: "it has more than 32 KB",
    Refusal.TOO_DEEP: "it is nested too deeply",
    Refusal.INVALID_NUMBER: "it has a number that is none, or a senseless one",
    Refusal.INVALID_TEXT: "it has a text with characters that are none",
    Refusal.INVALID_TIME: "its time is none",
    Refusal.NO_IDENTITY: "it names neither a user nor a visitor",
    Refusal.ID_TOO_LONG: "an id in it is too long",
    Refusal.PLACEHOLDER_ID: "its user id stands for nobody",
    Refusal.TOO_MANY_MERGES: "too many profiles were merged into this one, today or in all",
    Refusal.LINK_USED: "the link of a message was followed by another browser before, or the message's by too many",
    Refusal.CLOCK_OFF: "its clock is far off",
    Refusal.ERASED: "the shopper's data was erased",
    Refusal.POISON: "no code could process it; it is kept for repair",
}


def say(reason: str, words: dict[str, str]) -> str:
    """Return the words for a reason, or the reason itself where there are none."""
    return words.get(reason, reason.replace("_", " "))
