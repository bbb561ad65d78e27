# What the journey review-request does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Ada is subscribed to email.
Journey review-request is live.

Story: A week after the parcel, at the weekend
Ada does "Order Delivered" {"order_id": "N-1", "products": [{"name": "Trail Runner", "price": 129, "quantity": 1}]}.
expect Ada gets email review-1 on 2026-06-13 at 10:00, subject "How do you like Trail Runner?".
expect Ada gets email review-2 on 2026-06-20 at 10:00, text "Two sentences are enough".
expect Ada leaves review-request: completed.
expect Ada gets nothing else.

Story: She writes one half-way
Ada does "Order Delivered".
after 13 days, Ada does "Product Reviewed" {"product_id": "trail-runner", "rating": 5}.
expect Ada gets email review-1.
expect Ada leaves review-request after 13 days: exited (Product Reviewed).
expect Ada gets no review-2: exited (Product Reviewed).
expect Ada gets nothing else.

Story: She buys again half-way, and is asked all the same
Ada does "Order Delivered".
after 13 days, Ada orders for 80.
expect Ada gets email review-1.
expect Ada gets email review-2.
expect Ada gets nothing else.

Story: She sends it back before anybody asks
Ada does "Order Delivered".
after 3 days, Ada does "Order Refunded".
expect Ada gets no review-1: exited (Order Refunded).
expect Ada gets nothing.

Story: She is not content, and nobody asks her to tell the world
Ada does "Order Delivered".
after 4 days, Ada does "Tag Added" {"tag": "unhappy"}.
expect Ada gets no review-1: filter.
expect Ada gets nothing.

Story: She unsubscribes half-way
Ada does "Order Delivered".
after 13 days, Ada unsubscribes in review-1.
expect Ada gets email review-1.
expect Ada gets no review-2: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago
Ada does "Order Delivered".
on 2026-06-13 at 08:00, Ada adds "Wool Socks" for 12.50.
expect Ada gets email cart-1 on 2026-06-13 at 09:00.
expect Ada gets no review-1: frequency_cap.
expect Ada gets email review-2.

Story: In the night nobody is asked: it is ten in the morning where she is
Ada has timezone "America/New_York".
at 23:00, Ada does "Order Delivered".
expect Ada gets email review-1 at 10:00 their time.
expect Ada gets email review-2 at 10:00 their time.

Story: She comes in twice: two parcels, and she is asked once
Ada does "Order Delivered" {"order_id": "N-1"}.
after 3 days, Ada does "Order Delivered" {"order_id": "N-2"}.
expect Ada does not enter review-request again: already_active.
expect Ada gets email review-1.
expect Ada gets email review-2.
expect Ada gets nothing else.

Story: It comes to a guest, who is known half-way
the visitor orders for 129.
the visitor does "Order Delivered".
after 2 days, the visitor logs in as Ada.
expect Ada gets email review-1.
expect Ada gets email review-2.
expect Ada gets nothing else.
