# What the journey win-back-visits does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey win-back-visits is live.
Ada is subscribed to email.
Ada has first_name "Ada".
120 days ago, Ada orders for 90.
55 days ago, Ada visits "/shoes".

Story: She stays away for 60 days
after 40 days
expect Ada enters win-back-visits on 2026-06-06 at 10:00.
expect Ada gets email win-back-visits-1 on 2026-06-06 at 10:00, subject "It has been a while", text "Hi Ada".
expect Ada gets email win-back-visits-2 on 2026-06-20 at 10:00, text "BACK-".
expect Ada leaves win-back-visits: completed.
expect Ada gets nothing else.

Story: She opens the first mail, and is not written to again
after 6 days, Ada opens win-back-visits-1.
after 30 days
expect Ada gets email win-back-visits-1.
expect Ada leaves win-back-visits on 2026-06-07 at 10:00: completed.
expect Ada gets nothing else.

Story: She comes half-way to look around
after 8 days, Ada visits "/shoes".
after 30 days
expect Ada gets email win-back-visits-1.
expect Ada leaves win-back-visits: exited (Page Viewed).
expect Ada gets no win-back-visits-2: exited (Page Viewed).
expect Ada gets nothing else.

Story: She buys half-way
after 8 days, Ada orders for 80.
after 30 days
expect Ada gets email win-back-visits-1.
expect Ada leaves win-back-visits: exited (Order Completed).
expect Ada gets nothing else.

Story: She unsubscribes half-way
after 8 days, Ada unsubscribes in win-back-visits-1.
after 30 days
expect Ada gets email win-back-visits-1.
expect Ada gets no win-back-visits-2: filter.
expect Ada gets nothing else.

Story: She was written to a moment ago
on 2026-06-06 at 08:00, Ada adds "Trail Runner" for 129.
after 30 days
expect Ada gets email cart-1 at 09:00.
expect Ada gets no win-back-visits-1: frequency_cap.
expect Ada gets email cart-2 on 2026-06-07 at 08:00.
expect Ada gets email win-back-visits-2 on 2026-06-20 at 10:00.

Story: In the night the mail waits for the morning
at 22:00, Ben is subscribed to email.
120 days ago, Ben orders for 90.
55 days ago, Ben visits "/shoes".
after 6 days, Ben has first_name "Ben".
expect Ben enters win-back-visits on 2026-06-06 at 22:00.
expect Ben gets email win-back-visits-1 on 2026-06-07 at 10:00.
expect Ben gets email win-back-visits-2 on 2026-06-21 at 10:00.

Story: She comes in twice, too soon
after 10 days, Ada visits "/shoes".
after 70 days
expect Ada enters win-back-visits on 2026-06-06.
expect Ada does not enter win-back-visits again: entered_before.
expect Ada gets email win-back-visits-1.
expect Ada gets nothing else.

Story: A visitor logs in half-way, and it is she who is back
after 8 days, the visitor visits "/shoes".
after 10 minutes, the visitor logs in as Ada.
after 30 days
expect Ada gets email win-back-visits-1.
expect Ada leaves win-back-visits on 2026-06-09: exited (Page Viewed).
expect Ada gets nothing else.
