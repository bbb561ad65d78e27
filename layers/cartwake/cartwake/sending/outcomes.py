"""Outcomes: what can come of the one attempt to send a message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it, and calls it `provider_id`."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not sent, and never can be as it is."""

    code: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """It was not sent, and can be later.

    Attributes:
        code: What the provider said.
        whole_channel: Nothing can be sent for now, so trying the next message is pointless.
    """

    code: str
    whole_channel: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have been sent: the answer was lost, or says nothing."""

    detail: str


type Outcome = Accepted | Refused | Throttled | Unknown
