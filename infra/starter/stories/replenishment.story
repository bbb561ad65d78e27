# What the journey replenishment does: who orders about once a month is asked a week before the next order is due.
# `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Ada is subscribed to email.
80 days ago, Ada orders for 30.
50 days ago, Ada orders for 30.
20 days ago, Ada orders for 30.
Journey replenishment is live.

Story: Her next order is due
after 5 days
expect Ada is in segment due-soon.
expect Ada enters replenishment on 2026-06-04.
expect Ada gets email replenish-1 at 10:00, subject "Time for the next order?".
expect Ada gets email replenish-2.
expect Ada leaves replenishment: completed.
expect Ada gets nothing else.

Story: She buys half-way
after 6 days, Ada orders for 30.
expect Ada gets email replenish-1.
expect Ada leaves replenishment: exited (Order Completed).
expect Ada gets no replenish-2: exited (Order Completed).
expect Ada gets nothing else.

Story: She buys before anybody asks
after 1 day, Ada orders for 30.
after 10 days
expect Ada does not enter replenishment.
expect Ada gets nothing.

Story: She unsubscribes half-way
after 6 days, Ada unsubscribes in replenish-1.
expect Ada gets email replenish-1.
expect Ada gets no replenish-2: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago, and the question is held until the cap is over
on 2026-06-04 at 08:00, Ada adds "Wool Socks" for 12.50.
after 3 days
expect Ada gets email cart-1 on 2026-06-04 at 09:00.
expect Ada gets email replenish-1 on 2026-06-05 at 01:00.

Story: In the night nobody is asked: it is ten in the morning where she is
Ada has timezone "America/New_York".
after 6 days
expect Ada gets email replenish-1 at 10:00 their time.

Story: She comes in twice: after each order anew
after 6 days, Ada orders for 30.
after 30 days, Ada visits "/".
expect Ada gets email replenish-1 on 2026-06-04.
expect Ada gets email replenish-1 on 2026-06-30.

Story: She orders as a guest half-way, and turns out to be herself
after 6 days, the visitor orders for 30.
after 1 hour, the visitor logs in as Ada.
expect Ada gets email replenish-1.
expect Ada leaves replenishment.
expect Ada gets no replenish-2: exited (Order Completed).
