# What the journey loyalty does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey loyalty is live.
Ada is subscribed to email.
Ada has first_name "Ada".

Story: She buys half-way, level after level: first the promise, then the reward
Ada orders for 80.
after 10 days, Ada orders for 130.
after 20 days, Ada orders for 300.
expect Ada enters loyalty at 10:00.
expect Ada gets email loyalty-silver-promise on 2026-06-04 at 10:00, text "€200.00".
expect Ada gets email loyalty-silver on 2026-06-11 at 10:00, text "SILVER-".
expect Ada gets email loyalty-gold-promise on 2026-06-13 at 10:00, text "€500.00".
expect Ada gets email loyalty-gold on 2026-07-01 at 10:00, text "GOLD-".
expect Ada leaves loyalty on 2026-07-01: completed.
expect Ada gets nothing else.

Story: What was never promised is not rewarded: she jumps over Silver
Ada orders for 250.
after 10 days, Ada orders for 300.
expect Ada gets email loyalty-gold-promise on 2026-06-04 at 10:00.
expect Ada gets email loyalty-gold on 2026-06-11 at 10:00.
expect Ada gets nothing else.

Story: She jumps over both
Ada orders for 600.
expect Ada leaves loyalty on 2026-06-04: completed.
expect Ada gets nothing.

Story: She unsubscribes half-way
Ada orders for 80.
after 5 days, Ada unsubscribes in loyalty-silver-promise.
after 1 day, Ada orders for 600.
expect Ada gets email loyalty-silver-promise.
expect Ada gets no loyalty-silver: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago, and the promise waits, before its reward
Ada orders for 80.
on 2026-06-04 at 08:00, Ada adds "Trail Runner" for 500.
after 2 hours, Ada orders.
expect Ada gets email cart-1 at 09:00.
expect Ada gets email loyalty-silver-promise on 2026-06-05 at 01:00.
expect Ada gets email loyalty-silver on 2026-06-06 at 10:00.
expect Ada gets nothing else.

Story: In the night nothing is promised
at 22:00, Ada orders for 80.
after 4 days, Ada orders for 600.
expect Ada gets email loyalty-silver-promise on 2026-06-04 at 10:00.
expect Ada gets email loyalty-silver on 2026-06-06 at 10:00.

Story: She comes in twice
Ada orders for 80.
after 1 day, Ada orders for 500.
after 10 days, Ada orders for 20.
expect Ada enters loyalty on 2026-06-01.
expect Ada does not enter loyalty again: entered_before.
expect Ada gets nothing.

Story: A visitor logs in half-way, and the order was hers
the visitor orders for 80.
after 1 day, the visitor logs in as Ada.
after 4 days, Ada orders for 500.
expect Ada enters loyalty on 2026-06-01.
expect Ada gets email loyalty-silver-promise on 2026-06-04 at 10:00.
expect Ada gets email loyalty-silver on 2026-06-06 at 10:00.
expect Ada gets nothing else.
