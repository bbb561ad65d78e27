# What the journey new-years-eve does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

today is 2026-12-20
Journey new-years-eve is live.
Ada is subscribed to email.
Ada has first_name "Ada".

Story: She bought this year
Ada orders for 80.
expect Ada enters new-years-eve at 10:00.
expect Ada gets email new-years-eve-1 on 2026-12-31 at 10:00, subject "Thank you for this year".
expect Ada leaves new-years-eve on 2026-12-31: completed.
expect Ada gets nothing else.

Story: She comes in twice, buys half-way, and is thanked once
Ada orders for 80.
after 5 days, Ada orders for 20.
expect Ada does not enter new-years-eve again: already_active.
expect Ada gets email new-years-eve-1 on 2026-12-31.
expect Ada gets nothing else.

Story: She buys in the next year too
Ada orders for 80.
after 100 days, Ada orders for 20.
expect Ada gets email new-years-eve-1 on 2026-12-31 at 10:00.
expect Ada gets email new-years-eve-1 on 2027-12-31 at 10:00.
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada orders for 80.
after 5 days, Ada unsubscribes from email.
expect Ada gets no new-years-eve-1: unsubscribed.
expect Ada gets nothing.

Story: She was written to a moment ago
Ada orders for 80.
on 2026-12-31 at 08:00, Ada adds "Trail Runner" for 129.
after 90 minutes, Ada gives first_name "Ada".
expect Ada gets email cart-1 at 09:00.
expect Ada gets no new-years-eve-1: frequency_cap.
expect Ada gets email cart-2 on 2027-01-01 at 08:00.

Story: In the night nothing is sent, and in New York it is morning later
Ada has timezone "America/New_York".
Ada orders for 80.
expect Ada gets email new-years-eve-1 on 2026-12-31 at 10:00 their time.

Story: A visitor orders, and logs in half-way
the visitor orders for 80.
after 3 days, the visitor logs in as Ada.
expect Ada enters new-years-eve on 2026-12-20.
expect Ada gets email new-years-eve-1 on 2026-12-31 at 10:00.
expect Ada gets nothing else.
