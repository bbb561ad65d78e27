# What the journey coming-soon does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey coming-soon is live.
Ada is subscribed to email.
Ada has first_name "Ada".

Story: She asks to hear of it, and the day comes
Ada does "Launch Awaited" {"product_id": "p-9", "name": "Hiddensee Boot", "url": "https://www.nordlicht.example/p/hiddensee", "price": 189, "available_at": "2026-06-10"}.
expect Ada enters coming-soon at 10:00.
expect Ada gets email coming-soon-1 after 0 minutes, subject "Coming soon: Hiddensee Boot", text "June 10, 2026".
expect Ada gets email coming-soon-2 on 2026-06-10 at 10:00, subject "It is here: Hiddensee Boot".
expect Ada gets nothing else.

Story: Nobody knows the day
Ada does "Launch Awaited" {"product_id": "p-9", "name": "Hiddensee Boot"}.
expect Ada gets email coming-soon-1.
expect Ada leaves coming-soon after 0 minutes: completed.
expect Ada gets nothing else.

Story: She buys half-way
Ada does "Launch Awaited" {"product_id": "p-9", "name": "Hiddensee Boot", "url": "https://www.nordlicht.example/p/hiddensee", "price": 189, "available_at": "2026-06-10"}.
after 3 days, Ada orders for 189.
expect Ada gets email coming-soon-1.
expect Ada leaves coming-soon: exited (Order Completed).
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada does "Launch Awaited" {"product_id": "p-9", "name": "Hiddensee Boot", "url": "https://www.nordlicht.example/p/hiddensee", "price": 189, "available_at": "2026-06-10"}.
after 3 days, Ada unsubscribes in coming-soon-1.
expect Ada gets email coming-soon-1.
expect Ada gets no coming-soon-2: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago, and the news wait
Ada does "Launch Awaited" {"product_id": "p-9", "name": "Hiddensee Boot", "url": "https://www.nordlicht.example/p/hiddensee", "price": 189, "available_at": "2026-06-10"}.
on 2026-06-10 at 08:00, Ada adds "Trail Runner" for 129.
after 150 minutes, Ada removes "Trail Runner".
expect Ada gets email coming-soon-1.
expect Ada gets email cart-1 on 2026-06-10 at 09:00.
expect Ada gets email coming-soon-2 on 2026-06-11 at 01:00.

Story: In the night nothing is said, and in New York the day begins later
Ada has timezone "America/New_York".
Ada does "Launch Awaited" {"product_id": "p-9", "name": "Hiddensee Boot", "url": "https://www.nordlicht.example/p/hiddensee", "price": 189, "available_at": "2026-06-10"}.
expect Ada gets email coming-soon-1.
expect Ada gets email coming-soon-2 on 2026-06-10 at 10:00 their time.

Story: She comes in twice
Ada does "Launch Awaited" {"product_id": "p-9", "name": "Hiddensee Boot", "url": "https://www.nordlicht.example/p/hiddensee", "price": 189, "available_at": "2026-06-10"}.
after 2 hours, Ada does "Launch Awaited" {"product_id": "p-9", "name": "Hiddensee Boot", "url": "https://www.nordlicht.example/p/hiddensee", "price": 189, "available_at": "2026-06-10"}.
expect Ada does not enter coming-soon again: already_active.
expect Ada gets email coming-soon-1 on 2026-06-01.
expect Ada gets email coming-soon-2 on 2026-06-10.
expect Ada gets nothing else.

Story: A visitor asks, and logs in half-way
the visitor does "Launch Awaited" {"product_id": "p-9", "name": "Hiddensee Boot", "url": "https://www.nordlicht.example/p/hiddensee", "price": 189, "available_at": "2026-06-10"} in the browser.
after 1 day, the visitor logs in as Ada.
expect Ada gets no coming-soon-1: no_address.
expect Ada gets email coming-soon-2 on 2026-06-10 at 10:00.
expect Ada gets nothing else.
