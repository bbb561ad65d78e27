"""The intake: from a body's bytes to events, each vetted by itself, so that a refused one costs no other."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

import msgspec

from cartwake import arrivals
from cartwake.bots import is_bot
from cartwake.capture import client_times, identifiers, vetting
from cartwake.capture.bodies import Envelope
from cartwake.errors import BadInput
from cartwake.events import EVENT_NAMES, Arrival, Event, Trust, derive_id
from cartwake.reasons import Refusal
from cartwake.times import Instant, format_instant

LONGEST_NAME: Final = 200
MOST_AGENTS: Final = 20
"""User agents of one browser's request that are looked at, which takes milliseconds for each."""
_LONGEST_TYPE: Final = 20
_LONGEST_CONTEXT: Final = 1_000

KINDS: Final = {
    "t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": "batch",
}  # fmt: skip
"""The one-letter forms of the routes."""
TYPES: Final = ("track", "identify", "page", "screen", "group", "alias")


def _know_nobody(token: str) -> Arrival | None:  # noqa: ARG001  what `Source.recognise` is where nothing is said
    return None


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of all events of a request: who sent them, when they came, and when they were sent.

    Attributes:
        agents: The user agents of its events so far.
        recognise: Says what a token in the address of a page proves; asked only where it would count.
    """

    trust: Trust
    received_at: Instant
    sent_at_header: str = ""
    user_agent: str = ""
    agents: set[str] = field(default_factory=set)
    recognise: Callable[[str], Arrival | None] = _know_nobody


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that was not accepted: why, and where in the request; never what it said.

    Attributes:
        who: The shopper's key, "" if the event names nobody: it is looked for even where nothing else can be read.
        id: The client's message id, or what stands for it.
    """

    reason: str
    message: str
    where: str
    who: str
    id: str


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of a request's events; of several with the same key the last one is kept."""

    accepted: tuple[Event, ...]
    refused: tuple[Refused, ...]


def take_in(envelope: Envelope, source: Source, *, kind: str) -> Intake:
    """Vet the events of an envelope.

    Args:
        envelope: From `bodies`.
        source: Who sent them, and when.
        kind: The route's long name: `batch`, or the type of its only event.

    Raises:
        BadInput: What the envelope says of all events cannot be stored.
    """
    vetting.vet(envelope.context, where="context")
    accepted: dict[tuple[str, str], Event] = {}
    refused: list[Refused] = []
    for position, raw in enumerate(envelope.events):
        draft = _Draft(raw, position, {})
        try:
            event = _read_event(draft, envelope, source, kind=kind)
        except BadInput as fault:
            refused.append(_refuse(draft, fault, batch=envelope.batch))
        else:
            accepted[event.who, event.key] = event
    return Intake(tuple(accepted.values()), tuple(refused))


@dataclass(slots=True)
class _Draft:
    """An event on its way: what it is made of is filled in as it is found good."""

    raw: bytes
    position: int
    data: dict[str, Any]
    who: str = ""

    @property
    def fallback_id(self) -> str:
        """An id that a retry of the same bytes would have too."""
        return derive_id(self.raw.decode(errors="replace"))


def _refuse(draft: _Draft, fault: BadInput, *, batch: bool) -> Refused:
    where = ".".join(filter(None, (f"batch[{draft.position}]" if batch else "", fault.where)))
    message = f"{where}: {fault.message}" if where else fault.message
    who = draft.who or identifiers.find_who(draft.raw)
    return Refused(fault.code, message, where, who, _read_message_id(draft) or draft.fallback_id)


def _read_message_id(draft: _Draft) -> str:
    try:
        return identifiers.read_id(draft.data, "messageId")
    except BadInput:
        return ""


def _read_event(draft: _Draft, envelope: Envelope, source: Source, *, kind: str) -> Event:
    draft.data = data = vetting.decode_event(draft.raw)
    user_id, anonymous_id = identifiers.read_person(data)
    draft.who = identifiers.name_who(user_id, anonymous_id)
    type_ = _read_type(data) if envelope.batch else kind
    client_at = client_times.read_time(data)
    sent_at = client_times.read_sent_at(data.get("sentAt"), envelope.sent_at, source.sent_at_header)
    told = envelope.context | _read_object(data, "context")
    token, strip = "", _leave
    if envelope.marked or arrivals.may_hold(draft.raw):
        token, strip = arrivals.find_token(told, data.get("properties")), arrivals.strip
    told = strip(told)
    trusted = source.trust is not Trust.BROWSER
    event = Event(
        who=draft.who,
        id=identifiers.read_id(data, "messageId") or _make_id(draft, client_at, source),
        name=strip(_read_name(data)) or arrivals.PARAMETER if type_ == "track" else EVENT_NAMES[type_],
        type=type_,
        sent_time="" if client_at is None else format_instant(client_at),
        occurred_at=client_times.place(client_at, sent_at=sent_at, received_at=source.received_at),
        received_at=source.received_at,
        trust=source.trust,
        user_id=user_id,
        anonymous_id=anonymous_id,
        previous_id=_read_previous_id(data, user_id, anonymous_id) if type_ == "alias" else "",
        properties=strip(_PROPERTIES.get(type_, _read_properties)(data, told)),
        traits=strip(_read_traits(data, told)) if type_ == "identify" else {},
        context=_keep_context(told, trusted=trusted),
        backfill=trusted and told.get("backfill") is True,
        bot=_is_bot(_read_user_agent(told, source), source),
    )
    return _greet(event, token, source) if token else event


def _leave[Value](value: Value) -> Value:
    return value


def _greet(event: Event, token: str, source: Source) -> Event:
    """Return the event with what its token proves of a visitor whom nobody has named."""
    if event.user_id or event.bot or event.backfill:
        return event
    arrival = source.recognise(token)
    return event if arrival is None else msgspec.structs.replace(event, arrival=arrival)


def _read_type(data: dict[str, Any]) -> str:
    type_ = data.get("type")
    if type_ in TYPES:
        return str(type_)
    near = get_close_matches(type_.lower(), TYPES, 1) if isinstance(type_, str) and len(type_) <= _LONGEST_TYPE else []
    meant = f"; did you mean {near[0]}?" if near else ""
    raise BadInput(Refusal.INVALID_EVENT, f"type must be one of {', '.join(TYPES)}{meant}", where="type")


def _read_name(data: dict[str, Any]) -> str:
    name = data.get("event")
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME:
        message = (
            f'a track call needs the name of the event, such as "Order Completed", of at most {LONGEST_NAME} characters'
        )
        raise BadInput(Refusal.INVALID_EVENT, message, where="event")
    return name


def _make_id(draft: _Draft, client_at: Instant | None, source: Source) -> str:
    """Return an id for an event without one: a retry's is the same if the client told a time."""
    if client_at is not None:
        return draft.fallback_id
    return derive_id(draft.fallback_id, str(source.received_at), str(draft.position))


def _read_previous_id(data: dict[str, Any], user_id: str, anonymous_id: str) -> str:
    """Return whom an alias joins to its user; "" for one that names itself, as some clients do by mistake."""
    if not user_id:
        raise BadInput(Refusal.INVALID_EVENT, "an alias needs the userId that replaces previousId", where="userId")
    previous_id = identifiers.read_id(data, "previousId")
    if not previous_id and not anonymous_id:
        raise BadInput(Refusal.INVALID_EVENT, "an alias needs the previousId that userId replaces", where="previousId")
    if previous_id and identifiers.is_placeholder(previous_id):
        raise BadInput(Refusal.PLACEHOLDER_ID, "previousId stands for nobody", where="previousId")
    return "" if previous_id == user_id else previous_id


def _read_object(data: dict[str, Any], name: str) -> dict[str, Any]:
    value = data.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput(Refusal.INVALID_EVENT, f"{name} must be an object", where=name)
    return value


def _read_properties(data: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001  one of _PROPERTIES
    return _read_object(data, "properties")


def _read_page(data: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """A page's name, category and address become properties, wherever the client put them."""
    page = told.get("page")
    named = {name: data[name] for name in ("name", "category") if isinstance(data.get(name), str)}
    seen = {name: page[name] for name in _PAGE if _is_short(page.get(name))} if isinstance(page, dict) else {}
    return seen | named | _read_object(data, "properties")


def _read_screen(data: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001  one of _PROPERTIES
    named = {name: data[name] for name in ("name", "category") if isinstance(data.get(name), str)}
    return named | _read_object(data, "properties")


def _read_group(data: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001  one of _PROPERTIES
    """The traits of a group are the group's, not the shopper's."""
    group_id = identifiers.read_id(data, "groupId")
    if not group_id:
        raise BadInput(Refusal.INVALID_EVENT, "a group call needs a groupId", where="groupId")
    return _read_object(data, "properties") | _read_object(data, "traits") | {"groupId": group_id}


def _read_traits(data: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """Some clients put the traits of identify in the context alone."""
    inside = told.get("traits")
    return (inside if isinstance(inside, dict) else {}) | _read_object(data, "traits")


def _read_user_agent(told: dict[str, Any], source: Source) -> str:
    """A server's request has a user agent of its own: only the one it tells is the shopper's.

    Of a browser's key the request's own counts where a browser or a crawler names itself there. An app that tells none
    sends by a library, such as okhttp: that does not say who is behind it.
    """
    agent = told.get("userAgent")
    if isinstance(agent, str) and agent:
        return agent
    names_itself = source.trust is Trust.BROWSER and _NAMED.search(source.user_agent)
    return source.user_agent if names_itself else ""


def _is_bot(agent: str, source: Source) -> bool:
    """A browser has one user agent: whoever tells very many is no shopper, and is not worth the time to look."""
    source.agents.add(agent)
    return (source.trust is Trust.BROWSER and len(source.agents) > MOST_AGENTS) or is_bot(agent)


def _keep_context(told: dict[str, Any], *, trusted: bool) -> dict[str, Any]:
    """Return of the context what rules and pages read; the address of the shopper's computer is not kept."""
    kept = {name: told[name] for name in ("locale", "timezone", "userAgent") if _is_short(told.get(name))}
    for name, parts in (("page", _PAGE), ("campaign", _CAMPAIGN), ("device", ("type",))):
        group = told.get(name)
        if isinstance(group, dict):
            found = {part: group[part] for part in parts if _is_short(group.get(part))}
            if found:
                kept[name] = found
    if trusted and isinstance(told.get("device"), dict):
        kept |= {"device": device} if (device := _keep_device(told["device"])) else {}
    return kept


def _keep_device(told: dict[str, Any]) -> dict[str, Any]:
    """Return what a server tells of a device; a browser's word makes nobody reached, and of it the type is kept."""
    found = {part: told[part] for part in ("id", "type", "token") if _is_short(told.get(part))}
    gone = "token" in told and not told["token"]
    return found | ({"token": ""} if gone else {})  # nosec B105  an absent token is no password


def _is_short(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_CONTEXT


_NAMED: Final = re.compile("^mozilla/|bot|crawl|spider", re.IGNORECASE)
_PAGE: Final = ("url", "path", "referrer", "title")
_CAMPAIGN: Final = ("name", "source", "medium", "term", "content")
_PROPERTIES: Final[dict[str, Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]]] = {
    "page": _read_page,
    "screen": _read_screen,
    "group": _read_group,
}
