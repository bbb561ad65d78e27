# What the journey vip-by-orders does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey vip-by-orders is live.
Ada is subscribed to email.
Ada has first_name "Ada".
200 days ago, Ada orders for 40.
150 days ago, Ada orders for 40.
100 days ago, Ada orders for 40.
50 days ago, Ada orders for 40.

Story: Her fifth order of a year
Ada orders for 40.
expect Ada enters vip-by-orders at 10:00.
expect Ada gets email vip-1 on 2026-06-02 at 10:00.
expect Ada leaves vip-by-orders: completed.
expect Ada gets nothing else.

Story: She buys half-way, and is invited once, by whichever way she comes
Journey vip-by-spend is live.
Ada orders for 40.
after 3 hours, Ada orders for 900.
expect Ada enters vip-by-orders at 10:00.
expect Ada enters vip-by-spend at 13:00.
expect Ada gets email vip-1 on 2026-06-02 at 10:00.
expect Ada gets nothing else.

Story: She was invited before, by what she spent
10 days ago, Ada does "Email Delivered" {"template": "vip-2"}.
Ada orders for 40.
expect Ada does not enter vip-by-orders: filter.
expect Ada gets nothing.

Story: She unsubscribes half-way
Ada orders for 40.
after 3 hours, Ada unsubscribes from email.
expect Ada gets no vip-1: unsubscribed.
expect Ada gets nothing.

Story: She was written to a moment ago, and the invitation waits
Ada orders for 40.
on 2026-06-02 at 08:00, Ada adds "Trail Runner" for 129.
after 2 hours, Ada orders.
expect Ada gets email cart-1 at 09:00.
expect Ada gets email vip-1 on 2026-06-03 at 01:00.
expect Ada gets nothing else.

Story: In the night nobody is invited
at 22:30, Ada orders for 40.
expect Ada gets email vip-1 on 2026-06-02 at 10:00.

Story: She comes in twice, and is invited once
Ada orders for 40.
after 340 days, Ada orders for 40.
Ada orders for 40.
Ada orders for 40.
Ada orders for 40.
expect Ada enters vip-by-orders on 2026-06-01.
expect Ada does not enter vip-by-orders again: entered_before.
expect Ada gets email vip-1 on 2026-06-02.
expect Ada gets nothing else.

Story: A visitor logs in half-way, and the order was her fifth
the visitor orders for 40.
after 1 hour, the visitor logs in as Ada.
expect Ada enters vip-by-orders at 11:00.
expect Ada gets email vip-1 on 2026-06-02 at 10:00.
expect Ada gets nothing else.
