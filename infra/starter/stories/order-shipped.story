# What the journey order-shipped does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop whose own system does not say so turns it on.

Ada has email "ada@example.com".
Journey order-shipped is live.

Story: The parcel goes its way, and she has never agreed to marketing
Ada orders for 80.
after 1 day, Ada does "Order Shipped" {"order_id": "N-1", "carrier": "DHL", "tracking_number": "JD0001", "products": [{"name": "Trail Runner", "price": 80, "quantity": 1}]}.
expect Ada gets email order-shipped after 0 minutes, subject "Your order N-1 is on its way", text "JD0001".
expect Ada gets nothing else.

Story: She unsubscribes half-way, and is told all the same
Ben is subscribed to email.
Ben orders for 80.
after 1 hour, Ben unsubscribes from email.
after 1 day, Ben does "Order Shipped" {"order_id": "N-1"}.
expect Ben gets email order-shipped.
expect Ben gets nothing else.

Story: No cap counts: she was written to a moment ago
Eve gives email "eve@example.com".
Eve subscribes to email.
after 1 minute, Eve does "Order Shipped" {"order_id": "N-1"}.
expect Eve gets email welcome-1.
expect Eve gets email order-shipped at 10:01.

Story: In the night it comes at once
at 03:00, Ada does "Order Shipped" {"order_id": "N-1"}.
expect Ada gets email order-shipped at 03:00.

Story: She buys again half-way, comes in twice, and is told of each parcel
Ada does "Order Shipped" {"order_id": "N-1"}.
after 1 hour, Ada orders for 20.
after 1 day, Ada does "Order Shipped" {"order_id": "N-2"}.
expect Ada gets email order-shipped on 2026-06-01, subject "N-1".
expect Ada gets email order-shipped on 2026-06-02, subject "N-2".
expect Ada gets nothing else.

Story: She ordered as a guest, and is known half-way
the visitor gives email "ada@example.com".
the visitor orders for 80.
after 1 hour, the visitor logs in as Ada.
after 1 day, Ada does "Order Shipped" {"order_id": "N-1"}.
expect Ada gets email order-shipped.
expect Ada gets nothing else.
