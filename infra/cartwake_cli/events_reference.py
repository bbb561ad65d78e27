"""The page docs/events.md, made from the code that it describes: `python -m cartwake_cli.events_reference`."""

from typing import Final

from cartwake import carts, devices, identity, links, profiles, registers
from cartwake.capture import bodies, client_times, identifiers, intake, keyring, requests, vetting
from cartwake.events import EVENT_NAMES
from cartwake.reasons import Refusal
from cartwake.times import format_duration, format_instant
from cartwake_cli.local.places import ROOT

PAGE: Final = ROOT / "docs" / "events.md"

OF_REQUESTS: Final = {
    Refusal.UNKNOWN_KEY: "The write key is missing, unknown or revoked.",
    Refusal.ORIGIN_NOT_ALLOWED: "The write key is restricted to other web origins: `cartwake keys make --origin`.",
    Refusal.UNKNOWN_ROUTE: "There is no such route.",
    Refusal.BODY_TOO_LARGE: "Over {megabytes} MB, {inflated} MB inflated, or {events} events. Send less at a time.",
    Refusal.INVALID_JSON: "Not JSON. The message says at which byte.",
    Refusal.DAMAGED_GZIP: "The compressed body was read as text on its way, or is cut short. Send it as "
    "`application/octet-stream`, or turn gzip off in the client (`gzip=False`).",
}
OF_EVENTS: Final = {
    Refusal.INVALID_EVENT: "Something needed is missing or of the wrong type; the message says what and where.",
    Refusal.EVENT_TOO_LARGE: "Over {kilobytes} KB.",
    Refusal.TOO_DEEP: "Nested deeper than {levels} levels.",
    Refusal.INVALID_NUMBER: "NaN, infinite, or beyond 64 bits. Send null, or text.",
    Refusal.INVALID_TEXT: "NUL, half of a surrogate pair, or bytes that are not UTF-8.",
    Refusal.INVALID_TIME: "`timestamp` is not an ISO 8601 time such as `2026-11-21T19:41:15.328Z`.",
    Refusal.CLOCK_OFF: "Even when corrected by `sentAt`, the time is over {ahead} ahead, or before {earliest}.",
    Refusal.NO_IDENTITY: "Neither `userId` nor `anonymousId`.",
    Refusal.PLACEHOLDER_ID: "The only identifier stands for nobody, such as `null` or `guest`.",
    Refusal.ID_TOO_LONG: "An identifier is longer than {id_bytes} bytes of UTF-8.",
}
LATER: Final = {
    Refusal.TOO_MANY_MERGES: "The event was stored; the visitor was not joined to the user: {merges} were in the last "
    "24 hours, or the two would have more than {keys} keys, of which each browser that was joined stays one for good.",
    Refusal.LINK_USED: "The event was stored; the visitor was not joined to the reader of a message: another browser "
    "had come by that very click, or {browsers} by its links.",
    Refusal.ERASED: "The event was stored and not counted: the shopper was erased.",
    Refusal.POISON: "The event was stored and could not be processed; it is kept whole in the quarantine table.",
}
STORED: Final = {
    "track": "`event`, at most {name} characters; `properties`",
    "identify": "`traits`, or `context.traits`: what is known of the shopper",
    "page": "`name`, `category`, `properties`; `url`, `path`, `referrer` and `title` also from `context.page`",
    "screen": "`name`, `category`, `properties`",
    "group": "`groupId` and the group's `traits`, as properties",
    "alias": "`previousId`, which `userId` replaces; one that names itself joins nobody",
}


def write_page() -> str:
    """Return the page."""
    parts = (_INTRODUCTION, _describe_calls(), _REST, _describe_errors())
    return "\n\n".join(part.strip() for part in parts).format(**_limits()) + "\n"


def _describe_calls() -> str:
    letters = {name: letter for letter, name in intake.KINDS.items()}
    lines = ["| call | routes | event | takes |", "|---|---|---|---|"]
    for call, takes in STORED.items():
        name = EVENT_NAMES.get(call, "as `event` says")
        lines.append(f"| `{call}` | `/v1/{call}` `/v1/{letters[call]}` | {name} | {takes} |")
    lines.append(f"| `batch` | `/v1/batch` `/v1/{letters['batch']}` | each its own | `batch`: calls with a `type` |")
    return "\n".join(lines)


def _describe_errors() -> str:
    lines = ["| code | status | what it means |", "|---|---|---|"]
    lines += [f"| `{code}` | {requests.STATUSES.get(code, 400)} | {text} |" for code, text in OF_REQUESTS.items()]
    lines += [f"| `{code}` | 400, alone | {text} |" for code, text in OF_EVENTS.items()]
    lines += ["| `try_again` | 503 | It could not be stored now. `Retry-After` says when to send it again. |"]
    lines += [f"| `{code}` | later | {text} |" for code, text in LATER.items()]
    return "\n".join(lines)


def _limits() -> dict[str, object]:
    return {
        "megabytes": bodies.MOST_SENT_BYTES // 1024**2,
        "inflated": bodies.MOST_BYTES // 1024**2,
        "events": f"{bodies.MOST_EVENTS:,}",
        "kilobytes": vetting.LARGEST_EVENT_BYTES // 1024,
        "levels": vetting.DEEPEST,
        "ahead": format_duration(client_times.FUTURE_MS),
        "earliest": format_instant(client_times.EARLIEST_AT)[:10],
        "id_bytes": identifiers.LONGEST_ID_BYTES,
        "name": intake.LONGEST_NAME,
        "traits": registers.MOST_TRAITS,
        "browsers": identity.MOST_BROWSERS,
        "merges": profiles.MOST_MERGES_A_DAY,
        "keys": profiles.MOST_SOURCES,
        "arrives": format_duration(links.VISIT_WITHIN_MS),
        "name_bytes": registers.LONGEST_NAME_BYTES,
        "value_bytes": f"{registers.LARGEST_VALUE_BYTES:,}",
        "devices": devices.MOST,
        "changes": carts.MOST_CHANGES,
        "cart_kilobytes": carts.MOST_BYTES // 1000,
        "seconds": keyring.KEEP_MS // 1000,
        "placeholders": " ".join(f"`{text}`" for text in sorted(identifiers.PLACEHOLDERS) if text),
        "headers": requests.ALLOWED_HEADERS,
    }


_INTRODUCTION: Final = """
# Events

What the tracking endpoint takes, and what becomes of it. This page is generated from the code (`python -m
cartwake_cli.events_reference`). The endpoint speaks the protocol of Segment's HTTP API: any client for that,
RudderStack's and their forks work as they are, pointed at the address that the deploy prints as `ApiUrl`.

```sh
curl -u "$WRITE_KEY:" "$API_URL/v1/track" -d '{{
  "userId": "u-1001", "event": "Order Completed", "messageId": "order-50314",
  "timestamp": "2026-11-21T19:41:15.328Z", "properties": {{"order_id": "50314", "revenue": 59.90}} }}'
```

## Calls
"""

_REST: Final = """
A call needs `userId` or `anonymousId`, text or a whole number of at most {id_bytes} bytes. With a user id the
event is the user's, else the visitor's; with both the two become one shopper. An identifier that stands for
nobody is passed over beside a good one: {placeholders}.

`messageId` names the event: the same id at the same `timestamp` is the same event, however often it arrives.
Without an id, a call with a timestamp is named by its content, and one without either is a new event each time.

`timestamp` (or `originalTimestamp`) is the client's time, in ISO 8601, UTC where it names no zone. Send
`sentAt` too, on the batch, the event, or as the header `SentAt`: it shows how wrong the client's clock is, and
corrects it. An event never happens after its receipt; without a timestamp it happens at its receipt.

Of `context` these are kept: `page` (`url`, `path`, `referrer`, `title`), `campaign` (`name`, `source`,
`medium`, `term`, `content`), `locale`, `timezone`, `userAgent`, `device.type`. The shopper's IP address is not
kept. Of a shopper the {traits} traits that were told last are kept; a trait whose name has over {name_bytes} bytes, or
whose value has over {value_bytes} (packed), is as if it had not been told. A cart keeps its {changes} latest
changes, or {cart_kilobytes} KB of them.

Of a server's call `device.id` and `device.token` of the context are kept too. With a `type` of `ios` or `android` they
say where push messages reach the shopper, of whom the {devices} devices that were told last are kept. A new token under
the same id takes the old one's place; an empty one, or the event `Application Uninstalled`, takes the device away; told
of somebody else, it is theirs from then on. An app has the public key: let it tell its token to your server, which
knows who is logged in, and have that tell it.

Who follows a link of a message to a page of the shop has `cw` in that page's address: a call with an `anonymousId` and
no `userId` from there, within {arrives}, joins that visitor to whom the message went to. `cw` is looked for in `url`
and `search` of `context.page` and of the properties, and stored in no address, valid or not.

An event whose user agent is a known crawler's is stored and moves nobody. That is `context.userAgent`; where a call
with a browser's key tells none, the request's own counts, if a browser or a crawler names itself in it: the library
that an app sends by, such as `okhttp`, does not say who is behind it. `context.backfill: true`, from a server's key,
marks imported history: it counts, and starts no journey. `context` on a batch holds for all its events.

## Write keys

`cartwake keys make` makes them. The key is the user of Basic authentication, or `writeKey` in the body, or the
header `X-Write-Key` (what stands before a colon), or `?writeKey=`. A **browser's** key is public: what it says
can move a journey, and never makes an address one that is written to, nor consent. A **server's** key is
secret: the `email` and `phone` of its identify calls are those that messages go to, and its `Subscribed` and
`Unsubscribed` events (`{{"channel": "email", "method": "checkout"}}`) are consent; a browser's are stored, and start
and count nothing. `channel` is `email`, `sms` or `push`, or a list of them, in any case; without it email is meant, and
by an `Unsubscribed` in which it is empty or null too. With a yes or no a server may tell what was agreed to, and it is
put on the consent record: `text`, `version`, `topics`, and `ip` and `userAgent` of the `context`. A server's `Export
Requested` asks for a copy of everything about the shopper, and its `Erasure Requested` has everything erased; for 15
days after that, what comes under the same ids is refused. A key is refused {seconds} seconds after it was revoked, at
the latest.

## Asking for a subscription

`Subscription Requested` asks for one, with either key: from the form of a page (`anonymousId` or `userId`), or from the
server that takes the form. `{{"email": "ada@example.com"}}` names the address; without it, it is the one that a server
has told of the user. Nobody is subscribed by it: a journey of the kind `confirmation` (there is one to begin with)
sends one mail there, and who presses the button on the page that it leads to is; then `Subscribed` follows, with
`"method": "double opt-in"`. A mailbox gets one such mail in 24 hours, whoever asks and however often. Nothing is sent
to who is subscribed already, bounced, complained, or withdrew, unless a server asks for them again after that. `text`,
`version` and `topics`, told by a server, stand on the consent record with the yes.

## Enrolling, and what the catalog says

`Journey Enrolled` with `{{"journey": "vip-care"}}` puts the shopper on the journey of that file name, if it says
`"trigger": {{"enrolled": true}}`; only a server's key may say so. It may carry more, such as the journey's key.

Three events tell of a product to each shopper whom that concerns, for example because they viewed it or wished for it.
A journey starts with them as with any event, and with `"key": "product_id"` it has a run for each product:

| event | properties |
|---|---|
| `Price Dropped` | `product_id`, `price`, `old_price`; also `name`, `url`, `image_url`, `currency` |
| `Back In Stock` | `product_id`, `price`, `stock`; also `name`, `url`, `image_url`, `currency` |
| `Stock Low` | `product_id`, `price`, `stock`; also `name`, `url`, `image_url`, `currency` |

## Answers

`200 {{"success":true}}` when the request was taken. Else JSON with `success: false`, a `code` and a `message`
that says where, what, and what would be right; never a redirect. In a batch, an event that cannot be accepted
is refused alone: the batch is answered with 200, the others are stored, and the refusal is kept for 30 days,
with its reason and without what the event said, for `cartwake explain`. The metrics `EventsAccepted` and
`EventsRefused` count them.

Pages of any origin may call, also with errors; the allowed headers are {headers}.

A body may be compressed with gzip, which is recognised by its first bytes. An API that reads bodies labelled as
JSON or text damages it before it arrives: then send it as `application/octet-stream`, or turn compression off.

## Errors
"""

if __name__ == "__main__":
    PAGE.write_text(write_page())
