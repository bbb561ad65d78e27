# What the journey vip-by-spend does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey vip-by-spend is live.
Ada is subscribed to email.
Ada has first_name "Ada".
100 days ago, Ada orders for 900.

Story: She has spent more than 1,000, and is invited
Ada orders for 150.
expect Ada enters vip-by-spend at 10:00.
expect Ada gets email vip-1 on 2026-06-02 at 10:00.
expect Ada leaves vip-by-spend on 2026-06-02 at 10:00: completed.
expect Ada gets nothing else.

Story: Every other one gets a discount with it
Ben is subscribed to email.
Eve is subscribed to email.
Kim is subscribed to email.
Ben orders for 1100.
Eve orders for 1100.
Kim orders for 1100.
expect Ben gets email vip-2 on 2026-06-02 at 10:00, text "VIP-".
expect Eve gets email vip-1 on 2026-06-02 at 10:00.
expect Kim gets email vip-1 on 2026-06-02 at 10:00.

Story: She buys half-way, and is invited all the same
Ada orders for 150.
after 3 hours, Ada orders for 20.
expect Ada gets email vip-1 on 2026-06-02 at 10:00.
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada orders for 150.
after 3 hours, Ada unsubscribes from email.
expect Ada gets no vip-1: unsubscribed.
expect Ada gets nothing.

Story: She was written to a moment ago, and the invitation waits
Ada orders for 150.
on 2026-06-02 at 08:00, Ada adds "Trail Runner" for 129.
after 2 hours, Ada orders.
expect Ada gets email cart-1 at 09:00.
expect Ada gets email vip-1 on 2026-06-03 at 01:00.
expect Ada gets nothing else.

Story: In the night nobody is invited
at 22:30, Ada orders for 150.
expect Ada enters vip-by-spend at 22:30.
expect Ada gets email vip-1 on 2026-06-02 at 10:00.

Story: She comes in twice, and is invited once
Ada orders for 150.
after 300 days, Ada orders for 900.
expect Ada enters vip-by-spend on 2026-06-01.
expect Ada does not enter vip-by-spend again: entered_before.
expect Ada gets email vip-1 on 2026-06-02.
expect Ada gets nothing else.

Story: A visitor logs in half-way, and what she spent counts with hers
the visitor orders for 150.
after 1 hour, the visitor logs in as Ada.
expect Ada enters vip-by-spend at 11:00.
expect Ada gets email vip-1 on 2026-06-02 at 10:00.
expect Ada gets nothing else.
