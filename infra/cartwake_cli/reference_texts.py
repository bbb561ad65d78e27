"""What the reference of rules says besides what the models say."""

from typing import Final

INTRODUCTION: Final = """\
# Rules

What marketers write: the files in the bucket. This page is generated from the models that read them
(`python -m cartwake_cli.reference`); `cartwake check FOLDER` checks files before they are uploaded, and
`cartwake try SEGMENT` says who would be in a segment.

| file | is |
|---|---|
| `settings.json` | what holds for the whole shop; without it nothing goes live |
| `segments/<name>.json` | shoppers for whom a condition holds |
| `scores/<name>.json` | points for what shoppers do and are |
| `journeys/<name>.json` | what happens to a shopper, step by step |
| `campaigns/<name>.json` | what everybody in a segment gets at a time |
| `templates/<name>.mjml`, or `.html` | an email |
| `templates/layouts/<name>.mjml`, `templates/parts/<name>.mjml` | what emails have in common |
| `templates/<name>.json` | a push message |
| `templates/<name>.<locale>.mjml`, also `.txt` and `.json` | its translation, such as `cart-1.de-AT.mjml` |
| `templates/<name>.txt` | an SMS; beside an email of that name: its plain text, else made of its HTML |
| `coupons/<name>.csv` | codes, one in a line under the heading `code`; a column `expires` may have dates |
| `coupons/<name>.json` | what holds for these codes, or that codes are made |
| `predictions.json` | written by `cartwake fit`: how customers buy |
| `confirm/<name>` | an empty file of yours: a change that was held back goes live; `_status/status.json` names it |
| `_status/status.json` | written for you: which files are live, and what is wrong where |
| `_status/sweep.json` | written for you: how far everybody was looked at under changed rules, and how many moved |
| `_status/campaigns.json` | written for you: how far each campaign is |
| `_status/coupons.json` | written for you: how many codes there are, which lines were passed over, what runs low |
| `_status/tests.json` | written for you: how tests of variants stand; `_status/decisions/` says who has won |
| `stories/*.story` | what shoppers do and what must come of it; `cartwake story` plays them, nothing else reads them |
| `schemas/*.json` | written for you: with `"$schema": "../schemas/segment.json"` an editor explains every key |

Names have lower-case letters, digits and hyphens. A file with a fault is not taken over: its last good version stays in
use. A file that others need cannot be deleted before they are changed. Where files do not fit together, one of those
that changed is not taken over, and all others are. Files are UTF-8 and at most 256 KB; those of codes at most 32 MB.

Times are words: a number and `second`, `minute`, `hour`, `day` or `week`, such as `"90 days"`. A day is 24 hours.
Numbers are written without quotes. A key that is not listed here is refused, with the nearest right one.

VS Code opens the files with everything offered, explained and marked: after the first key of a condition it offers
just the keys of that kind.
"""

LIBRARY: Final = """\
### To start with

These segments are there from the beginning. Change them, or delete those that nothing uses.
"""

CONDITIONS: Final = """\
The first key says what a condition is. Conditions stand in segments, in a journey's `filter`, in `if`, and in the
points of scores.

### When a condition is looked at

An event changes at once every segment that it can change, and a journey that it starts sees them changed. What
changes because time passes (`in_last` runs out, a birthday comes, a score fades) changes by itself, within a minute or
two: each answer carries the instant until which it is good. Nothing is computed anew at night, and before each message
a journey's `filter` is looked at once more.

Times before now are exact to the millisecond and half-open: `"in_last": "30 days"` counts what happened less than 30
days ago, and `"before": "30 days"` the rest, so nobody is in both and nobody between them. Dates are days of the shop's
timezone; birthdays, ages and anniversaries those of the shopper's own, where it is known. Somebody born on 29 February
has their birthday on the 28th in other years, and is a year older on 1 March. A birthday that is sent as midnight in
UTC (`1990-05-17T00:00:00Z`) is that day. Dates are sent as ISO 8601 texts, or as seconds or milliseconds since 1970.

Where a rule compares with a number, a text that spells one counts too: `19.90`, `19,90`, `1 299.00`, `1,299.00` or
`1.299,00`. A single comma or point is the decimal mark: `1,299` is less than two. With a currency (`19.90 EUR`) it is
no number.

Up to 200 events of a kind are remembered one by one, so all is exact. Of more, totals, averages, the largest and scores
add up by the hour what was received more than 15 days ago: a window that ends in that time is exact to the hour.
Predictions are made from the latest 200 orders and the sum of all older ones. Counts are always exact; they go up to
500. Beyond 1,000 events of a kind in a window, the older ones are forgotten, and what needs them is not known.

### When the answer is not known

A profile remembers what the rules ask for, and no more. A new rule that asks for more is answered from the events that
were stored: everybody's are read again, some thousands of people a minute, as `_status/sweep.json` shows. Until then,
and where the events do not reach back far enough, the answer is not known: the status then says, for example, "needs
400 days, 120 are there". Events are kept for 400 days. Where the answer is not known, somebody stays in the segment or
out of it as before, no journey starts, and no message is sent. It becomes known by itself as soon as the time that is
there is long enough. Imported history (`context.backfill`) counts like any other.

In an `all` one condition that fails is enough, whatever is not known of the others; in an `any` one that holds.
"""

GROUPS: Final = """\
### The groups of `lifecycle` and `engagement`

As they are if `settings.json` says nothing else. Each stands for conditions that are explained above, so it changes by
itself when time passes.
"""

PREDICTIONS: Final = """\
The file among the starter files was fitted to CDNOW, a public record of a shop for CDs in 1997 and 1998,
so that there is something to begin with. As soon as a hundred of your own customers have ordered on more than one day,
let `cartwake fit` replace it: until then `churn_risk` and what is expected speak of other people's customers.
"""

COUPONS: Final = """\
```csv
code;expires
BACK-7HK2QX;2026-12-31
BACK-9QX4ZT;
```

Spreadsheets' own ways of writing this file are all read: commas, semicolons or tabs, quotes or none, a byte order mark,
line ends of any kind, more columns. A line that is wrong is passed over and told, with its number, in
`_status/coupons.json`. A code is good to the end of its date in the shop's timezone. Lines that are added are imported
within seconds, some thousands a second; a code whose line is deleted is given to nobody any more. A code that somebody
has is never given to anybody else, whatever is imported, also when it stands in two files.

A step with `"coupon"` takes one code for each shopper, as late as it can: after the filter, consent and caps. The
shopper keeps it for this step until it is over or used. With an empty pool the message is not sent: `no_coupon` in
`cartwake explain`. An order whose property `coupon` (a text, or a list) names the code marks it as used, and the
shopper has the event `Coupon Redeemed`, which segments and exits can name like any other.

"""

TAGS: Final = """\
A server's `Tag Added` and `Tag Removed`, with `{"tag": "wholesale"}`, set tags by hand or from an import, and take them
away. Tags that a segment gives are not touched by them. A tag that stays (`sticky`) belongs to everybody who was ever
in the segment, as far as a profile knows: also to those who had left before the file said so.
"""

TEMPLATES: Final = """\
## Templates

Emails are [MJML](https://documentation.mjml.io); `<mj-title>` is the subject unless the step says another, and
`<mj-preview>` what inboxes show beside it. What stands between two blocks, such as a loop over sections, goes into
`<mj-raw>`. Between `{{` and `}}` stands what differs from shopper to shopper; `{% if … %}…{% endif %}` and
`{% for item in cart.items %}…{% endfor %}` show things sometimes, or once for each. Calls, `set`, `macro` and the like
are not there.

An email may be HTML as well, `templates/<name>.html`: a whole one, from `<html>` to `</html>`, in which `<title>` is
the subject, and a first `<div style="display:none">` of the body what inboxes show beside it. All that is said here of
emails holds for it, and it is checked alike; layouts and parts are MJML, so it has none.

What is absent is false in an `if`: it is equal to nothing, neither less nor more than anything, and nothing is in it.
Shown without `|default('…')` it is an error, and so is any other filter of it, in an `if` too
(`{% if profile.interests and profile.interests|length > 2 %}`), a loop over it, `~`, `+` and `-`: the message is not
sent: `template_error`, with the name, in `cartwake explain`. To ask whether a text is less than a number
(`profile.points > 3` of somebody of whom "4" was told) is an error too. What nobody has is refused: `event` in a
campaign and in a journey that a date starts, `shop.logo_url` where settings.json has none. Of a journey that is
paused or archived that is a warning, for it must always be possible to stop one; and so it is of what was live before
Cartwake looked for it, until one of the files it concerns is changed (`cartwake check` does not know what is live,
and calls it an error). A marketing email must always show `{{ unsubscribe_url }}` and `{{ shop.postal_address }}`;
otherwise it is not taken over.

What many emails have in common stands in a layout, `templates/layouts/<name>.mjml`: a whole email with
`{% block body %}…{% endblock %}` where emails differ, and in it what stands there if they say nothing. An email then
begins with `{% extends "shop" %}` and fills blocks; nothing else stands in it. A layout may have a layout. What stands
in the middle of several is a part, `templates/parts/<name>.mjml`: `{% include "products" %}` puts it there. Layouts and
parts are put in when files are published: a change of one changes all emails that use it, a fault is told where it was
written, and as long as it is there the last good version counts. They cannot be sent by themselves.

A translation has a locale in the name of its file: `cart-1.de.mjml`, `cart-1.de-AT.mjml` or `cart-sms.pl.txt`, beside
the one without, which is in the shop's language. A shopper gets the one for their locale (`de-AT`), else for their
language (`de`), else for the shop's, else the one without a locale. The locale is the trait `language`, where it was
told, else `locale`, which browsers tell. Parts and layouts can have translations too: `parts/products.de.mjml` stands
in all German emails. A translation has its own subject, in `<mj-title>`; one that a step says is used in every
language. Amounts and dates read as in the shopper's locale where a translation fits it, else as in the shop's.

Much of what a template sees was said by browsers. So texts have no links in them and at most 500 characters, names that
look like addresses are absent, lists have at most 50 entries, and a key that ends in `url` leads to the shop's domain
(pictures may come from anywhere). Nor is there anything in traits, carts and events of browsers that mail programs or
phones make links of by themselves, such as `shop.example` in the name of a product: behind such a dot stands a
character without width, in an SMS a space. Addresses that a template makes of a text are whole all the same, and
comparisons are with what was said. What a server's event says stays as it is.

A date without a time is that day, also where it is midnight in UTC. Any other instant, as text or as a number of
seconds or milliseconds since 1970, is on a day of the shopper's own calendar (`timezone`), as in waits and conditions.

An address in a template begins with `https://` and a host, with `mailto:` or `tel:`, or with a value that is one
(`shop.url`, `item.url`, `event.tracking_url`). Scripts, forms and frames are refused, and so are expressions in tags
outside of quotes, and in styles, where only `shop` may be shown. A picture has an `alt`; `alt=""` says that it only
decorates. Loops go through lists, two deep, and a template that could take more than 250,000 steps is refused; so is
an email of over 200,000 characters when it is sent. Marketing without `<mj-preview>` is a warning, and whatever may
be absent and is needed: a trait, a property of the event, `item.variant`.
"""

FILTERS: Final = {
    "capitalize": "First letter upper-case, the others lower-case.",
    "first": "The first of a list, or of a text.",
    "join": "The entries of a list as one text, of at most 2,000 characters: `{{ event.tags\\|join(', ') }}`.",
    "last": "The last of a list, or of a text.",
    "length": "How many entries, or characters.",
    "lower": "In lower-case letters.",
    "round": "A number, rounded: `{{ event.rating\\|round(1) }}`.",
    "title": "Each Word With An Upper-case Letter.",
    "trim": "Without spaces around it.",
    "truncate": "At most so many characters, cut at a word: `{{ item.name\\|truncate(40) }}`.",
    "upper": "In upper-case letters.",
    "urlencode": "As a part of an address: `?q={{ item.name\\|urlencode }}`.",
}
"""The filters that Jinja brings along."""
