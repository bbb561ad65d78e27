# What the journey first-order does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Ada is subscribed to email.
Ada has first_name "Ada".
Journey first-order is live.

Story: She orders for the first time
Ada orders for 80.
expect Ada gets email first-order-1 on 2026-06-02 at 10:00, subject "Thank you for your first order", text "Hi Ada".
expect Ada leaves first-order: completed.
expect Ada gets nothing else.

Story: She has ordered before
40 days ago, Ada orders for 60.
Ada orders for 80.
expect Ada does not enter first-order: filter.
expect Ada gets nothing.

Story: She buys again half-way, and this is no first order any more
Ada orders for 80.
after 2 hours, Ada orders for 20.
expect Ada gets no first-order-1: filter.
expect Ada gets nothing.

Story: She sends it back half-way
Ada orders for 80.
after 5 hours, Ada does "Order Cancelled" {"order_id": "order-1"}.
expect Ada leaves first-order after 5 hours: exited (Order Cancelled).
expect Ada gets nothing.

Story: She unsubscribes half-way
Ada orders for 80.
after 5 hours, Ada unsubscribes from email.
expect Ada gets no first-order-1: unsubscribed.
expect Ada gets nothing.

Story: She subscribed in the morning, and the thanks are held until the cap is over
Eve gives email "eve@example.com".
Eve orders for 80.
after 20 hours, Eve subscribes to email.
expect Eve gets email welcome-1 on 2026-06-02 at 06:00.
expect Eve gets email first-order-1 on 2026-06-02 at 22:00.

Story: In the night, too, the thanks wait for the next morning
at 23:30, Ada orders for 80.
expect Ada gets email first-order-1 on 2026-06-03 at 10:00.

Story: She comes in twice
Ada orders for 80.
after 60 days, Ada orders for 80.
expect Ada does not enter first-order again: entered_before.
expect Ada gets email first-order-1.
expect Ada gets nothing else.

Story: She orders as a guest, and is known half-way
the visitor orders for 80.
after 1 hour, the visitor logs in as Ada.
expect Ada enters first-order at 10:00.
expect Ada gets email first-order-1.
expect Ada gets nothing else.
