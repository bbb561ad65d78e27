# What the journey price-drop does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey price-drop is live.
Ada is subscribed to email.
Ada has first_name "Ada".

Story: The price of what she looked at comes down
Ada does "Price Dropped" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 9}.
expect Ada enters price-drop at 10:00.
expect Ada gets email price-drop-1 after 15 minutes, subject "Trail Runner costs less now", text "€119.00".
expect Ada gets nothing else.

Story: It is sold out, and nothing is said of it
Ada does "Price Dropped" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 0}.
expect Ada does not enter price-drop.
expect Ada gets nothing.

Story: She buys half-way
Ada does "Price Dropped" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 9}.
after 10 minutes, Ada orders for 119.
expect Ada leaves price-drop: exited (Order Completed).
expect Ada gets nothing.

Story: She unsubscribes half-way
Ada does "Price Dropped" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 9}.
after 10 minutes, Ada unsubscribes from email.
expect Ada gets no price-drop-1: unsubscribed.
expect Ada gets nothing.

Story: She was written to a moment ago
Eve gives email "eve@example.com".
Eve subscribes to email.
after 10 minutes, Eve does "Price Dropped" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 9}.
expect Eve gets email welcome-1.
expect Eve gets no price-drop-1: frequency_cap.
expect Eve gets email welcome-2.

Story: In the night a mail goes out all the same
at 03:00, Ada does "Price Dropped" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 9}.
expect Ada gets email price-drop-1 at 03:15.

Story: She comes in twice
Ada does "Price Dropped" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 9}.
after 1 day, Ada does "Price Dropped" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 9}.
expect Ada does not enter price-drop again: entered_before.
expect Ada gets email price-drop-1 on 2026-06-01.
expect Ada gets nothing else.

Story: Another product comes in besides
Ada does "Price Dropped" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 9}.
after 1 day, Ada does "Price Dropped" {"product_id": "p-2", "name": "Rain Jacket", "url": "https://www.nordlicht.example/p/rain-jacket", "price": 89, "old_price": 129, "stock": 9}.
expect Ada gets email price-drop-1 on 2026-06-01, subject "Trail Runner".
expect Ada gets email price-drop-1 on 2026-06-02, subject "Rain Jacket".
expect Ada gets nothing else.

Story: A visitor logs in half-way
the visitor does "Price Dropped" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 9}.
after 10 minutes, the visitor logs in as Ada.
expect Ada enters price-drop at 10:00.
expect Ada gets email price-drop-1 at 10:15.
expect Ada gets nothing else.
