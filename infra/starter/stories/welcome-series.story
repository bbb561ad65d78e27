# What the journey welcome-series does, after the two mails of welcome. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Ada has {"email": "ada@example.com", "first_name": "Ada"}.
Journey welcome-series is live.

Story: She subscribes
Ada subscribes to email.
expect Ada gets email welcome-1 on 2026-06-01.
expect Ada gets email welcome-2 on 2026-06-04.
expect Ada gets email series-1 on 2026-06-09 at 10:00, subject "Your size, in two minutes".
expect Ada gets email series-2 on 2026-06-16 at 10:00.
expect Ada gets email series-3 on 2026-06-30 at 10:00.
expect Ada leaves welcome-series: completed.
expect Ada gets nothing else.

Story: She confirms first, as the law wants it
Ada does "Subscription Requested" {"channel": "email"}.
after 1 hour, Ada confirms in confirm-1.
expect Ada gets email confirm-1 at 10:00.
expect Ada gets email welcome-1 at 11:00.
expect Ada enters welcome-series at 11:00.
expect Ada gets email series-1 on 2026-06-09 at 10:00.

Story: She buys half-way, and needs no persuading any more
Ada subscribes to email.
after 10 days, Ada orders for 80.
expect Ada gets email series-1.
expect Ada gets no series-2: step_condition.
expect Ada gets email series-3.

Story: She unsubscribes half-way
Ada subscribes to email.
after 10 days, Ada unsubscribes in series-1.
expect Ada gets email series-1.
expect Ada leaves welcome-series after 10 days: exited (Unsubscribed).
expect Ada gets no series-2: exited (Unsubscribed).

Story: She gets another mail on that day, and this one is held until the cap is over
Ada subscribes to email.
on 2026-06-09 at 08:30, Ada adds "Trail Runner" for 129.
expect Ada gets email cart-1 on 2026-06-09 at 09:30.
expect Ada gets email series-1 on 2026-06-10 at 01:30.

Story: She subscribes in the night, and the series comes in the morning
at 03:00, Ada subscribes to email.
expect Ada gets email welcome-1 at 03:00.
expect Ada gets email series-1 on 2026-06-09 at 10:00.

Story: She subscribes twice
Ada subscribes to email.
after 2 days, Ada unsubscribes from email.
after 2 days, Ada subscribes to email.
expect Ada does not enter welcome-series again: entered_before.
expect Ada gets email welcome-1.
expect Ada gets nothing else.

Story: A visitor subscribes by a form, and logs in half-way
the visitor gives email "ada@example.com".
the visitor subscribes to email.
after 8 days, the visitor logs in as Ada.
expect Ada enters welcome-series at 10:00.
expect Ada gets email series-1.
expect Ada gets email series-2.
expect Ada gets email series-3.
