"""Every "no" has one of these reasons: stored, counted, and shown by `cartwake explain`."""

from enum import StrEnum


class Refusal(StrEnum):
    """Why an event, or a whole request, was not accepted."""

    INVALID_JSON = "invalid_json"
    DAMAGED_GZIP = "damaged_gzip"
    BODY_TOO_LARGE = "body_too_large"
    UNKNOWN_KEY = "unknown_key"
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    UNKNOWN_ROUTE = "unknown_route"
    INVALID_EVENT = "invalid_event"
    EVENT_TOO_LARGE = "event_too_large"
    TOO_DEEP = "too_deep"
    INVALID_NUMBER = "invalid_number"
    INVALID_TEXT = "invalid_text"
    INVALID_TIME = "invalid_time"
    CLOCK_OFF = "clock_off"
    NO_IDENTITY = "no_identity"
    PLACEHOLDER_ID = "placeholder_id"
    ID_TOO_LONG = "id_too_long"
    TOO_MANY_MERGES = "too_many_merges"
    LINK_USED = "link_used"
    ERASED = "erased"
    POISON = "poison"


class NotEntered(StrEnum):
    """Why a trigger did not start a run."""

    ALREADY_ACTIVE = "already_active"
    ENTERED_BEFORE = "entered_before"
    SAME_RUN = "same_run"
    FILTER = "filter"
    FILTER_UNKNOWN = "filter_unknown"
    PAUSED = "journey_paused"
    HEARSAY = "hearsay"
    NO_KEY = "no_key"
    TOO_MANY_RUNS = "too_many_runs"
    DATE_MOVED = "date_moved"
    TOO_OLD = "too_old"
    ERASED = "erased"


class EndReason(StrEnum):
    """Why a run ended."""

    COMPLETED = "completed"
    EXITED = "exited"
    ARCHIVED = "journey_archived"
    MERGED = "merged_with_earlier_run"
    ERASED = "erased"
    STEP_GONE = "step_gone"


class Skip(StrEnum):
    """Why a planned message was not sent."""

    FILTER = "filter"
    FILTER_UNKNOWN = "filter_unknown"
    CONDITION = "step_condition"
    EXITED = "exited"
    RUN_ENDED = "run_ended"
    PAUSED = "journey_paused"
    NO_ADDRESS = "no_address"
    NO_APPLICATION = "no_application"
    NO_CONSENT = "no_consent"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "suppressed_bounce"
    COMPLAINED = "suppressed_complaint"
    ALREADY_SUBSCRIBED = "already_subscribed"
    ASKED_TODAY = "asked_today"
    TOPIC_REFUSED = "topic_refused"
    ON_PAUSE = "on_pause"
    FREQUENCY_CAP = "frequency_cap"
    BUDGET = "budget"
    SENDING_HOURS = "sending_hours"
    TOO_LATE = "too_late"
    TEMPLATE = "template_error"
    TEMPLATE_GONE = "template_gone"
    NO_COUPON = "no_coupon"
    ERASED = "erased"
    REFUSED_BY_PROVIDER = "refused_by_provider"
    OUTCOME_UNKNOWN = "outcome_unknown"
    HOST_REFUSED = "host_refused"
    NOT_TAKEN = "not_taken"
