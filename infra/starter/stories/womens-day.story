# What the journey womens-day does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

today is 2027-03-01
Journey womens-day is live.
Ada is subscribed to email.
Ada has first_name "Ada".

Story: She looked around before 8 March
Ada visits "/shoes".
expect Ada enters womens-day at 10:00.
expect Ada gets email womens-day-1 on 2027-03-08 at 09:00, text "MARCH8-".
expect Ada gets nothing else.

Story: She buys half-way, and gets it all the same
Ada visits "/shoes".
after 3 days, Ada orders for 80.
expect Ada gets email womens-day-1 on 2027-03-08 at 09:00.
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada visits "/shoes".
after 3 days, Ada unsubscribes from email.
expect Ada gets no womens-day-1: filter.
expect Ada gets nothing.

Story: She was written to a moment ago
Ada visits "/shoes".
on 2027-03-08 at 07:30, Ada adds "Trail Runner" for 129.
after 90 minutes, Ada orders.
expect Ada gets email cart-1 at 08:30.
expect Ada gets no womens-day-1: frequency_cap.
expect Ada gets nothing else.

Story: In the night nothing is sent, and in New York it is morning later
Ada has timezone "America/New_York".
Ada visits "/shoes".
expect Ada gets email womens-day-1 on 2027-03-08 at 09:00 their time.

Story: She comes in twice
Ada visits "/shoes".
after 1 day, Ada visits "/boots".
expect Ada does not enter womens-day again: already_active.
expect Ada gets email womens-day-1 on 2027-03-08.
expect Ada gets nothing else.

Story: She was here last in the year before
Eve is subscribed to email.
on 2027-03-09 at 10:00, Eve visits "/shoes".
expect Eve gets no womens-day-1: step_condition.
expect Eve gets nothing.

Story: A visitor logs in half-way, and can be written to only then
the visitor visits "/shoes".
after 1 hour, the visitor logs in as Ada.
after 1 hour, Ada visits "/shoes".
expect Ada enters womens-day at 12:00.
expect Ada gets email womens-day-1 on 2027-03-08 at 09:00.
expect Ada gets nothing else.
