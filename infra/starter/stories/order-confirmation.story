# What the journey order-confirmation does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: most shop systems confirm orders themselves, and one confirmation is enough.

Ada has email "ada@example.com".
Journey order-confirmation is live.

Story: She orders, and has never agreed to marketing
Ada adds 2 "Trail Runner" for 129.
Ada does "Order Completed" {"order_id": "N-1001"}.
expect Ada gets email order-confirmed after 0 minutes, subject "Your order N-1001 at Nordlicht Shoes", text "€258.00".
expect Ada gets nothing else.

Story: She unsubscribed from marketing, and gets her receipt all the same
Ben is unsubscribed from email.
Ben orders for 80.
expect Ben gets email order-confirmed.

Story: She unsubscribes half-way, buys again, and that is confirmed all the same
Cleo is subscribed to email.
Cleo orders for 80.
after 1 day, Cleo unsubscribes from email.
after 1 day, Cleo orders for 20.
expect Cleo gets email order-confirmed on 2026-06-01.
expect Cleo gets email order-confirmed on 2026-06-03.
expect Cleo gets nothing else.

Story: No cap counts: she was written to a moment ago
Eve gives email "eve@example.com".
Eve subscribes to email.
after 1 minute, Eve orders for 80.
expect Eve gets email welcome-1.
expect Eve gets email order-confirmed at 10:01.

Story: In the night a receipt comes at once
at 03:00, Ada orders for 80.
expect Ada gets email order-confirmed at 03:00.

Story: She comes in twice: each order is confirmed
Ada does "Order Completed" {"order_id": "N-1", "revenue": 80}.
after 1 hour, Ada does "Order Completed" {"order_id": "N-2", "revenue": 20}.
expect Ada gets email order-confirmed at 10:00, subject "N-1".
expect Ada gets email order-confirmed at 11:00, subject "N-2".
expect Ada gets nothing else.

Story: A browser alone says that she ordered
Ada orders for 80 in the browser.
expect Ada gets nothing.

Story: She orders as a guest, with the address, and logs in half-way
the visitor gives email "ada@example.com".
the visitor orders for 80.
after 1 hour, the visitor logs in as Ada.
expect Ada gets email order-confirmed at 10:00.
expect Ada gets nothing else.
