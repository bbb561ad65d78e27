# What the journey back-in-stock does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey back-in-stock is live.
Ada is subscribed to email.
Ada has first_name "Ada".

Story: What she waited for is back
Ada does "Back In Stock" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 20}.
expect Ada enters back-in-stock at 10:00.
expect Ada gets email back-in-stock-1 after 0 minutes, subject "Trail Runner is back", text "/p/trail-runner".
expect Ada gets email back-in-stock-2 after 1 day.
expect Ada gets nothing else.

Story: She looks at something else, then at it
Ada does "Back In Stock" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 20}.
after 1 hour, Ada does "Product Viewed" {"product_id": "p-2", "name": "Rain Jacket"}.
after 1 hour, Ada does "Product Viewed" {"product_id": "p-1", "name": "Trail Runner"}.
expect Ada gets email back-in-stock-1.
expect Ada leaves back-in-stock after 2 hours: completed.
expect Ada gets nothing else.

Story: She buys half-way
Ada does "Back In Stock" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 20}.
after 2 hours, Ada orders for 119.
expect Ada gets email back-in-stock-1.
expect Ada leaves back-in-stock: exited (Order Completed).
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada does "Back In Stock" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 20}.
after 2 hours, Ada unsubscribes in back-in-stock-1.
expect Ada gets email back-in-stock-1.
expect Ada gets no back-in-stock-2: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago
Eve gives email "eve@example.com".
Eve subscribes to email.
after 10 minutes, Eve does "Back In Stock" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 20}.
expect Eve gets email welcome-1.
expect Eve gets no back-in-stock-1: frequency_cap.
expect Eve gets email back-in-stock-2 after 1 day.
expect Eve gets email welcome-2.

Story: Who agreed to SMS gets one, and in quiet hours it waits for the morning
Ben is subscribed to email and sms.
at 21:30, Ben does "Back In Stock" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 20}.
expect Ben gets sms back-in-stock-sms on 2026-06-02 between 09:00 and 09:10, text "Trail Runner is back".
expect Ben gets email back-in-stock-2 on 2026-06-03 between 09:00 and 09:10.
expect Ben gets nothing else.

Story: She comes in twice
Ada does "Back In Stock" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 20}.
after 2 hours, Ada does "Back In Stock" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 20}.
expect Ada does not enter back-in-stock again: already_active.
expect Ada gets email back-in-stock-1.
expect Ada gets email back-in-stock-2 on 2026-06-02 at 10:00.
expect Ada gets nothing else.

Story: A visitor logs in half-way
the visitor does "Back In Stock" {"product_id": "p-1", "name": "Trail Runner", "url": "https://www.nordlicht.example/p/trail-runner", "price": 119, "old_price": 149, "stock": 20}.
after 2 hours, the visitor logs in as Ada.
expect Ada gets no back-in-stock-1: no_address.
expect Ada gets email back-in-stock-2 on 2026-06-02 at 10:00.
expect Ada gets nothing else.
