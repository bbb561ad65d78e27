# What the journey after-purchase does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Ada is subscribed to email.
Journey after-purchase is live.

Story: She orders, and the parcel comes
Ada orders for 129.
after 3 days, Ada does "Order Delivered" {"order_id": "N-1"}.
expect Ada gets email after-purchase-1 on 2026-06-05 at 10:00, text "brush".
expect Ada gets email after-purchase-2 on 2026-06-17 at 10:00.
expect Ada leaves after-purchase: completed.
expect Ada gets nothing else.

Story: No parcel comes, and nobody speaks of care
Ada orders for 129.
after 20 days
expect Ada leaves after-purchase after 14 days.
expect Ada gets nothing.

Story: She sends it back half-way
Ada orders for 129.
after 3 days, Ada does "Order Delivered".
after 5 days, Ada does "Order Refunded" {"order_id": "order-1"}.
expect Ada gets email after-purchase-1.
expect Ada leaves after-purchase after 8 days: exited (Order Refunded).
expect Ada gets nothing else.

Story: She buys again half-way, and hears of it once
Ada orders for 129.
after 2 days, Ada does "Order Delivered".
after 2 days, Ada orders for 80.
after 2 days, Ada does "Order Delivered".
expect Ada does not enter after-purchase again: already_active.
expect Ada gets email after-purchase-1 on 2026-06-04.
expect Ada gets email after-purchase-2 on 2026-06-16.
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada orders for 129.
after 2 days, Ada does "Order Delivered".
after 5 days, Ada unsubscribes in after-purchase-1.
expect Ada gets email after-purchase-1.
expect Ada gets no after-purchase-2: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago, and this mail is held until the cap is over
Ada orders for 129.
after 3 days, Ada does "Order Delivered".
on 2026-06-05 at 08:00, Ada adds "Wool Socks" for 12.50.
expect Ada gets email cart-1 on 2026-06-05 at 09:00.
expect Ada gets email after-purchase-1 on 2026-06-06 at 01:00.

Story: In the night the parcel is told, and the mail waits for the morning
Ada orders for 129.
on 2026-06-04 at 03:00, Ada does "Order Delivered".
expect Ada gets email after-purchase-1 on 2026-06-05 at 10:00.

Story: She comes in twice, a season later
Ada orders for 129.
after 2 days, Ada does "Order Delivered".
after 100 days, Ada orders for 80.
expect Ada enters after-purchase on 2026-06-01.
expect Ada enters after-purchase on 2026-09-11.

Story: She orders as a guest, and is known half-way
the visitor orders for 129.
after 1 day, the visitor logs in as Ada.
after 2 days, Ada does "Order Delivered".
expect Ada gets email after-purchase-1.
expect Ada gets email after-purchase-2.
expect Ada gets nothing else.
