# What the journey stock-low does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey stock-low is live.
Ada is subscribed to email.
Ada has first_name "Ada".

Story: Little is left of what she wished for
Ada does "Stock Low" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 3}.
expect Ada enters stock-low at 10:00.
expect Ada gets email stock-low-1 after 15 minutes, subject "Trail Runner is nearly gone", text "€119.00".
expect Ada gets nothing else.

Story: It is sold out, and nothing is said of it
Ada does "Stock Low" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 0}.
expect Ada does not enter stock-low.
expect Ada gets nothing.

Story: She buys half-way
Ada does "Stock Low" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 3}.
after 10 minutes, Ada orders for 119.
expect Ada leaves stock-low: exited (Order Completed).
expect Ada gets nothing.

Story: She puts it into the cart half-way, and the cart goes first
Ada does "Stock Low" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 3}.
after 10 minutes, Ada does "Product Added" {"product_id": "p-1", "name": "Trail Runner", "price": 119, "quantity": 1}.
expect Ada leaves stock-low: exited (Product Added).
expect Ada gets email cart-1 at 11:10.
expect Ada gets email cart-2.
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada does "Stock Low" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 3}.
after 10 minutes, Ada unsubscribes from email.
expect Ada gets no stock-low-1: unsubscribed.
expect Ada gets nothing.

Story: She was written to a moment ago
Eve gives email "eve@example.com".
Eve subscribes to email.
after 10 minutes, Eve does "Stock Low" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 3}.
expect Eve gets email welcome-1.
expect Eve gets no stock-low-1: frequency_cap.
expect Eve gets email welcome-2.

Story: In the night a mail goes out all the same
at 03:00, Ada does "Stock Low" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 3}.
expect Ada gets email stock-low-1 at 03:15.

Story: She comes in twice
Ada does "Stock Low" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 3}.
after 1 day, Ada does "Stock Low" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 3}.
expect Ada does not enter stock-low again: entered_before.
expect Ada gets email stock-low-1 on 2026-06-01.
expect Ada gets nothing else.

Story: A visitor logs in half-way
the visitor does "Stock Low" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 3}.
after 10 minutes, the visitor logs in as Ada.
expect Ada enters stock-low at 10:00.
expect Ada gets email stock-low-1 at 10:15.
expect Ada gets nothing else.
