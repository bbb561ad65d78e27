# What the journey new-assortment does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey new-assortment is live.
Ada is subscribed to email.
Ada has first_name "Ada".
200 days ago, Ada orders for 90.
85 days ago, Ada visits "/shoes".

Story: She does nothing for 90 days, and hears what is new, on a Thursday
after 60 days
expect Ada enters new-assortment on 2026-06-06 at 10:00.
expect Ada gets email new-assortment-1 on 2026-06-11 at 10:00.
expect Ada gets email new-assortment-2 on 2026-07-09 at 10:00.
expect Ada gets nothing else.

Story: She comes back to look
after 12 days, Ada visits "/new".
after 40 days
expect Ada gets email new-assortment-1.
expect Ada leaves new-assortment: exited (Page Viewed).
expect Ada gets nothing else.

Story: She buys half-way
after 12 days, Ada orders for 80.
after 40 days
expect Ada gets email new-assortment-1.
expect Ada leaves new-assortment: exited (Order Completed).
expect Ada gets no new-assortment-2: exited (Order Completed).
expect Ada gets nothing else.

Story: She unsubscribes half-way
after 12 days, Ada unsubscribes in new-assortment-1.
after 40 days
expect Ada gets email new-assortment-1.
expect Ada gets no new-assortment-2: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago
on 2026-06-11 at 08:00, Ada adds "Trail Runner" for 129.
after 60 days
expect Ada gets email cart-1 at 09:00.
expect Ada gets no new-assortment-1: frequency_cap.
expect Ada gets email cart-2 on 2026-06-12.
expect Ada gets email new-assortment-2 on 2026-07-09 at 10:00.

Story: In the night the mail waits for the morning, and her morning is in New York
Ada gives timezone "America/New_York".
after 60 days
expect Ada gets email new-assortment-1 on 2026-06-11 at 10:00 their time.
expect Ada gets email new-assortment-2 on 2026-07-09 at 10:00 their time.

Story: She comes in twice, too soon
after 12 days, Ada visits "/new".
after 100 days
expect Ada does not enter new-assortment again: entered_before.
expect Ada gets email new-assortment-1.
expect Ada gets nothing else.

Story: A visitor logs in half-way, and it is she who is back
after 12 days, the visitor visits "/new".
after 10 minutes, the visitor logs in as Ada.
after 40 days
expect Ada gets email new-assortment-1.
expect Ada leaves new-assortment: exited (Page Viewed).
expect Ada gets nothing else.
