# What the journey segment-offer does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey segment-offer is live.
Ada is subscribed to email.
Ada has first_name "Ada".
30 days ago, Ada does "Order Completed" {"order_id": "o-1", "revenue": 90, "products": [{"name": "Sylt Sneaker", "category": "sneakers"}]}.

Story: Her second pair of sneakers
Ada does "Order Completed" {"order_id": "o-2", "revenue": 90, "products": [{"name": "Sylt Sneaker", "category": "sneakers"}]}.
expect Ada is in segment category-fans.
expect Ada enters segment-offer at 10:00.
expect Ada gets email segment-offer-1 on 2026-06-09 at 10:00, text "SNEAKERS-".
expect Ada gets nothing else.

Story: Another pair is no sneaker
Ada does "Order Completed" {"order_id": "o-2", "revenue": 90, "products": [{"category": "boots"}]}.
expect Ada does not enter segment-offer.

Story: She buys half-way
Ada does "Order Completed" {"order_id": "o-2", "revenue": 90, "products": [{"name": "Sylt Sneaker", "category": "sneakers"}]}.
after 3 days, Ada orders for 20.
expect Ada leaves segment-offer: exited (Order Completed).
expect Ada gets nothing.

Story: She unsubscribes half-way
Ada does "Order Completed" {"order_id": "o-2", "revenue": 90, "products": [{"name": "Sylt Sneaker", "category": "sneakers"}]}.
after 3 days, Ada unsubscribes from email.
expect Ada gets no segment-offer-1: unsubscribed.
expect Ada gets nothing.

Story: She was written to a moment ago
Ada does "Order Completed" {"order_id": "o-2", "revenue": 90, "products": [{"name": "Sylt Sneaker", "category": "sneakers"}]}.
on 2026-06-09 at 08:00, Ada adds "Trail Runner" for 129.
expect Ada gets email cart-1 at 09:00.
expect Ada gets no segment-offer-1: frequency_cap.
expect Ada gets email cart-2 on 2026-06-10.
expect Ada gets nothing else.

Story: In the night the mail waits for the morning
at 22:00, Ada does "Order Completed" {"order_id": "o-2", "revenue": 90, "products": [{"name": "Sylt Sneaker", "category": "sneakers"}]}.
expect Ada gets email segment-offer-1 on 2026-06-09 at 10:00.

Story: She comes in twice, and a segment has one offer
Ada does "Order Completed" {"order_id": "o-2", "revenue": 90, "products": [{"name": "Sylt Sneaker", "category": "sneakers"}]}.
after 350 days, Ada does "Order Completed" {"order_id": "o-3", "revenue": 90, "products": [{"name": "Sylt Sneaker", "category": "sneakers"}]}.
after 1 hour, Ada does "Order Completed" {"order_id": "o-4", "revenue": 90, "products": [{"name": "Sylt Sneaker", "category": "sneakers"}]}.
expect Ada enters segment-offer on 2026-06-01.
expect Ada gets email segment-offer-1 on 2026-06-09.
expect Ada gets nothing else.

Story: A visitor logs in half-way, and the second pair was hers
the visitor does "Order Completed" {"order_id": "o-2", "revenue": 90, "products": [{"name": "Sylt Sneaker", "category": "sneakers"}]}.
after 1 hour, the visitor logs in as Ada.
expect Ada enters segment-offer at 11:00.
expect Ada gets email segment-offer-1 on 2026-06-09 at 10:00.
expect Ada gets nothing else.
