"""All exceptions, grouped by what a retry should do.

CartwakeError
├── BadInput           the caller's fault: answered with 400, never retried
│   └── InvalidRules   a marketer's file is wrong; carries every fault found
├── TryAgain           transient: raised again, so that the queue or stream redelivers
│   ├── NoRules        nothing was ever published: streams wait, and there is nothing to do
│   └── WriteConflict  somebody else wrote first, more often than we were willing to retry
└── CannotDeliver      final for one message: recorded, not retried
    └── TemplateFailed the template could not be rendered with what the profile holds
"""


class CartwakeError(Exception):
    """Base of everything Cartwake raises on purpose."""


class BadInput(CartwakeError):
    """The caller sent something that cannot be accepted.

    Attributes:
        code: Machine-readable reason, one of `reasons.Refusal`.
        where: Path to the offending part, for example `batch[3].properties.price`.
    """

    def __init__(self, code: str, message: str, *, where: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where


class InvalidRules(CartwakeError):
    """A rule file cannot go live; `faults` says where and what, one sentence each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class TryAgain(CartwakeError):
    """Something transient failed; processing the same input again is harmless and wanted."""


class NoRules(TryAgain):
    """No rules were ever published."""


class WriteConflict(TryAgain):
    """An optimistic write lost against others too many times in a row."""


class CannotDeliver(CartwakeError):
    """This message can never be delivered as it is."""


class TemplateFailed(CannotDeliver):
    """Rendering failed.

    Attributes:
        template: Name of the template.
        detail: What was wrong, without any value of the profile.
    """

    def __init__(self, template: str, detail: str) -> None:
        super().__init__(f"template {template}: {detail}")
        self.template = template
        self.detail = detail
