# What the journey birthday does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey birthday is live.
Ada is subscribed to email.
Ada has {"first_name": "Ada", "birthday": "1990-06-10"}.

Story: Her birthday comes
after 3 days
expect Ada enters birthday on 2026-06-03 at 00:00.
expect Ada gets email birthday-1 on 2026-06-10 at 09:00, subject "Happy birthday, Ada!", text "BDAY-".
expect Ada leaves birthday: completed.
expect Ada gets nothing else.

Story: She buys half-way, and a present is a present
after 5 days, Ada orders for 80.
expect Ada gets email birthday-1 on 2026-06-10 at 09:00.
expect Ada gets nothing else.

Story: She unsubscribes half-way
after 5 days, Ada unsubscribes from email.
expect Ada enters birthday on 2026-06-03.
expect Ada gets no birthday-1: unsubscribed.
expect Ada gets nothing.

Story: She was written to a moment ago, and the present waits
on 2026-06-10 at 07:30, Ada adds "Trail Runner" for 129.
after 2 hours, Ada orders.
expect Ada gets email cart-1 at 08:30.
expect Ada gets email birthday-1 on 2026-06-11 at 00:30.
expect Ada gets nothing else.

Story: In the night nobody is congratulated, and in New York it is morning later
Ada gives timezone "America/New_York".
after 3 days
expect Ada gets email birthday-1 on 2026-06-10 at 09:00 their time.

Story: She comes in twice: a birthday that changes is not another one
after 10 days, Ada gives birthday "1990-06-20".
after 5 days
expect Ada enters birthday on 2026-06-03.
expect Ada does not enter birthday again: entered_before.
expect Ada gets email birthday-1 on 2026-06-10.
expect Ada gets nothing else.

Story: It comes every year
after 370 days
expect Ada gets email birthday-1 on 2026-06-10 at 09:00.
expect Ada gets email birthday-1 on 2027-06-10 at 09:00.
expect Ada gets nothing else.

Story: A visitor tells a birthday, and logs in half-way
Eve is subscribed to email.
the visitor gives birthday "1985-06-05".
after 1 day, the visitor logs in as Eve.
expect Eve enters birthday on 2026-06-01.
expect Eve gets email birthday-1 on 2026-06-05 at 09:00.
expect Eve gets nothing else.
