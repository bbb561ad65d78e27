# What the journey service-reminder does, half a year after a bike was bought. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Ada is subscribed to email.
Ada has first_name "Ada".
Journey service-reminder is live.
Ada does "Order Completed" {"order_id": "N-1", "revenue": 1900, "products": [{"name": "Gravel One", "category": "bikes", "price": 1900, "quantity": 1}]}.

Story: She books, and gets 15 % off tyres
after 185 days, Ada does "Service Booked" {"on": "2026-12-10"}.
expect Ada gets email service-1 on 2026-11-30 at 10:00, subject "Gravel One: half a year on the road".
expect Ada gets email service-tyres on 2026-12-03, text "TYRES-".
expect Ada gets no service-2.
expect Ada gets nothing else.

Story: She does not book, and is reminded once more
after 220 days
expect Ada gets email service-1 on 2026-11-30 at 10:00.
expect Ada gets email service-2 on 2026-12-14 at 10:00.
expect Ada leaves service-reminder: completed.
expect Ada gets nothing else.

Story: The second reminder helps
after 200 days, Ada does "Service Booked".
expect Ada gets email service-1.
expect Ada gets email service-2.
expect Ada gets email service-tyres on 2026-12-18.
expect Ada gets nothing else.

Story: She had it looked over a month ago
after 150 days, Ada does "Service Booked".
after 40 days
expect Ada leaves service-reminder on 2026-11-30.
expect Ada gets nothing.

Story: She buys something else half-way, and the bike wants its service all the same
after 100 days, Ada orders for 20.
after 100 days
expect Ada gets email service-1.
expect Ada gets email service-2.
expect Ada gets nothing else.

Story: She sends it back
after 10 days, Ada does "Order Refunded" {"order_id": "N-1"}.
expect Ada leaves service-reminder after 10 days: exited (Order Refunded).
expect Ada gets nothing.

Story: She unsubscribes half-way
after 185 days, Ada unsubscribes in service-1.
expect Ada gets email service-1.
expect Ada gets no service-2: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago, and the reminder is held until the cap is over
on 2026-11-30 at 08:00, Ada adds "Wool Socks" for 12.50.
after 3 days
expect Ada gets email cart-1 on 2026-11-30 at 09:00.
expect Ada gets email service-1 on 2026-12-01 at 01:00.

Story: In the night she rides, and the reminder waits for the morning
Ada gives timezone "America/New_York".
after 185 days
expect Ada gets email service-1 at 10:00 their time.

Story: She comes in twice: two bikes, and a reminder for each
after 30 days, Ada does "Order Completed" {"order_id": "N-2", "revenue": 900, "products": [{"name": "City Two", "category": "bikes"}]}.
after 200 days
expect Ada gets email service-1 on 2026-11-30, subject "Gravel One: half a year on the road".
expect Ada gets email service-1 on 2026-12-30, subject "City Two: half a year on the road".

Story: A guest buys a bike, and is known half-way
the visitor does "Order Completed" {"order_id": "N-3", "revenue": 900, "products": [{"name": "City Two", "category": "bikes"}]}.
after 20 days, the visitor logs in as Ben.
Ben is subscribed to email.
after 170 days
expect Ben gets email service-1 on 2026-11-30 at 10:00.
expect Ben gets email service-2.
expect Ben gets nothing else.
