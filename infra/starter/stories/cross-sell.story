# What the journey cross-sell does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Ada is subscribed to email.
Journey cross-sell is live.

Story: Three weeks after an order
Ada adds "Trail Runner" for 129.
after 10 minutes, Ada orders.
expect Ada gets email cross-sell-1 on 2026-06-23 at 10:00, subject "What goes well with Trail Runner", text "Quantity: 1".
expect Ada leaves cross-sell: completed.
expect Ada gets nothing else.

Story: She buys half-way, and needs no hint
Ada orders for 129.
after 10 days, Ada orders for 20.
expect Ada leaves cross-sell after 10 days: exited (Order Completed).
expect Ada gets no cross-sell-1: exited (Order Completed).
expect Ada gets nothing.

Story: She is not content, and nobody wants to sell her more
Ada orders for 129.
after 10 days, Ada does "Tag Added" {"tag": "unhappy"}.
expect Ada gets no cross-sell-1: filter.
expect Ada gets nothing.

Story: She unsubscribes half-way
Ada orders for 129.
after 10 days, Ada unsubscribes from email.
expect Ada gets no cross-sell-1: unsubscribed.
expect Ada gets nothing.

Story: She was written to a moment ago: the cart counts for more
Ada orders for 129.
on 2026-06-23 at 08:00, Ada adds "Wool Socks" for 12.50.
expect Ada gets email cart-1 on 2026-06-23 at 09:00.
expect Ada gets no cross-sell-1: frequency_cap.

Story: In the night the hint waits for the morning
at 23:00, Ada orders for 129.
expect Ada gets email cross-sell-1 on 2026-06-23 at 10:00.

Story: She comes in twice, two months later
Ada orders for 129.
after 61 days, Ada orders for 129.
expect Ada gets email cross-sell-1 on 2026-06-23.
expect Ada gets email cross-sell-1 on 2026-08-22.
expect Ada gets nothing else.

Story: She orders as a guest, and is known half-way
the visitor orders for 129.
after 5 days, the visitor logs in as Ada.
expect Ada gets email cross-sell-1.
expect Ada gets nothing else.
